/* SPDX-License-Identifier: MIT
 *
 * Documents that are looked at before they are given. What was read ahead lives in one arena until the last
 * of it has been given and the next is asked for.
 */
#include "port/files/documents.h"

#include "core/array.h"

#include <stdlib.h>
#include <string.h>

/* One answer of the documents behind, or a run of the same that do not count. */
typedef struct answer {
    int what;
    uint64_t record, times;
    bool counts;
    dq_value document;
    dq_error *error; /* of a document that is bad, or of the end of it all; else NULL */
} answer;

typedef struct ahead {
    dq_documents behind;
    answer *answers; /* (count) */
    size_t count, slots, next;
    uint64_t given; /* of the next one's times */
    dq_arena arena;
} ahead;

static void forget(ahead *a)
{
    free(a->answers);
    a->answers = NULL;
    a->count = a->slots = a->next = 0;
    dq_arena_free(&a->arena);
}

static int ahead_next(dq_documents *documents, dq_arena *arena, dq_value *document, dq_error *error)
{
    ahead *a = documents->self;
    if (a->next == a->count) {
        forget(a);
        int got = a->behind.next(&a->behind, arena, document, error);
        documents->record = a->behind.record;
        documents->shape = a->behind.shape;
        return got;
    }
    const answer *given = &a->answers[a->next];
    documents->record = given->record + a->given;
    documents->shape = 0;
    if (given->what > 0 && ++a->given == given->times) { /* an end stays one */
        a->next++;
        a->given = 0;
    }
    *document = given->document;
    if (given->error && error) *error = *given->error;
    return given->what;
}

static void ahead_close(dq_documents *documents)
{
    ahead *a = documents->self;
    documents->self = NULL;
    if (!a) return;
    forget(a);
    a->behind.close(&a->behind);
    free(a);
}

/* Another of the run that the last one is. */
static bool repeats(const ahead *a, int what, const dq_value *document, bool counts)
{
    const answer *last = a->count ? &a->answers[a->count - 1] : NULL;
    return last && what == DQ_DOCUMENT && !counts && !last->counts &&
           dq_value_equal(document, &last->document);
}

static dq_status keep(ahead *a, int what, const dq_value *document, bool counts, const dq_error *why,
                      dq_error *error)
{
    if (repeats(a, what, document, counts)) {
        a->answers[a->count - 1].times++;
        return DQ_OK;
    }
    if (!dq_array_reserve(&a->answers, &a->slots, a->count + 1, sizeof *a->answers))
        return dq_fail_memory(error, "documents");
    answer *kept = &a->answers[a->count];
    *kept = (answer){.what = what, .record = a->behind.record, .times = 1, .counts = counts};
    kept->document = dq_map();
    if (what == DQ_DOCUMENT && !dq_value_copy(&a->arena, document, &kept->document))
        return dq_fail_memory(error, "documents");
    if (why->status) {
        kept->error = dq_arena_take(&a->arena, sizeof *why);
        if (!kept->error) return dq_fail_memory(error, "documents");
        *kept->error = *why;
    }
    a->count++;
    return DQ_OK;
}

static dq_status read_ahead(ahead *a, size_t count, size_t bytes, dq_documents_see see, void *arg,
                            dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_status status = DQ_OK;
    int got = DQ_DOCUMENT;
    for (size_t counted = 0; !status && got > 0 && counted < count && a->arena.used < bytes;) {
        dq_value document = dq_map();
        dq_error why = DQ_ERROR_NONE;
        bool counts = true;
        got = a->behind.next(&a->behind, &arena, &document, &why);
        if (got == DQ_DOCUMENT) status = see(arg, &document, &counts, error);
        if (!status) status = keep(a, got, &document, counts, &why, error);
        counted += counts;
        dq_arena_clear(&arena);
    }
    dq_arena_free(&arena);
    return status;
}

dq_status dq_documents_look_ahead(dq_documents *documents, size_t count, size_t bytes, dq_documents_see see,
                                  void *arg, dq_error *error)
{
    ahead *a = calloc(1, sizeof *a);
    if (!a) return dq_fail_memory(error, "documents");
    a->behind = *documents;
    documents->self = a;
    documents->next = ahead_next;
    documents->close = ahead_close;
    return read_ahead(a, count, bytes, see, arg, error);
}
