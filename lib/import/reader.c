/* SPDX-License-Identifier: MIT */
#include "import/reader.h"

#include "import/path.h"

#include <stdlib.h>
#include <string.h>

/* The keys that a part is read for, and those of them that hold vectors. */
static dq_status ask(const dq_import_part *part, dq_import_reader *r, dq_error *error)
{
    const char **keys = dq_arena_zero(&r->asked, part->text_count + part->vector_count + 2, sizeof *keys);
    dq_vector_key *vectors = dq_arena_zero(&r->asked, part->vector_count + 1, sizeof *vectors);
    if (!keys || !vectors) return dq_fail_memory(error, "reading a collection");
    size_t n = 0;
    keys[n++] = part->id;
    for (size_t i = 0; i < part->text_count; i++) keys[n++] = part->texts[i].key;
    for (size_t i = 0; i < part->vector_count; i++) {
        keys[n++] = part->vectors[i].key;
        vectors[i] = (dq_vector_key){part->vectors[i].key, part->vectors[i].width};
    }
    r->query = (dq_query){.collection = part->collection, .key = part->id, .vectors = vectors};
    r->query.vector_count = part->vector_count;
    r->keys = keys;
    r->key_count = n;
    if (!part->attributes) r->query.keys = keys;
    return DQ_OK;
}

dq_status dq_import_reader_open(dq_import_reader *r, dq_collections *place, const dq_import_part *part,
                                const dq_query *wish, bool sorted, dq_error *error)
{
    *r = (dq_import_reader){.part = part, .sorted = sorted};
    dq_status status = ask(part, r, error);
    if (status) return status;
    r->query.ids = wish->ids;
    r->query.where = wish->where;
    r->query.most = wish->most;
    status = place->open(place, &r->query, &r->documents, error);
    r->open = !status;
    return status;
}

void dq_import_reader_close(dq_import_reader *r)
{
    if (r->open) r->documents.close(&r->documents);
    dq_arena_free(&r->asked);
    dq_arena_free(&r->arena);
    free(r->last_text);
    *r = (dq_import_reader){0};
}

int dq_import_merge_compare(const dq_import_id *a, const dq_import_id *b)
{
    const unsigned otherwise = DQ_ID_INTEGER | DQ_ID_BINARY; /* these sort by more than their text */
    if (a->kind == b->kind || (a->kind & otherwise) || (b->kind & otherwise))
        return dq_import_id_compare(a, b);
    dq_import_id x = *a, y = *b;
    x.kind = y.kind = DQ_ID_STRING;
    return dq_import_id_compare(&x, &y);
}

/* A place that promised an order keeps it, or rows would be lost without a word. */
static dq_status check_order(dq_import_reader *r, dq_error *error)
{
    if (r->last_text && dq_import_merge_compare(&r->last, &r->id) > 0) {
        dq_fail(error, DQ_ERR_FORMAT, "the id '%.*s' comes after '%s', which is greater", (int)r->id.bytes,
                r->id.text, r->last_text);
        return dq_error_at(error, r->documents.name, DQ_NO_RECORD);
    }
    char *text = malloc(r->id.bytes + 1);
    if (!text) return dq_fail_memory(error, "reading a collection");
    memcpy(text, r->id.text, r->id.bytes); /* a NUL may be among them */
    text[r->id.bytes] = '\0';
    free(r->last_text);
    r->last = r->id;
    r->last.text = r->last_text = text;
    return DQ_OK;
}

int dq_import_reader_advance(dq_import_reader *r, dq_import_tally *tally, dq_error *error)
{
    int got = 1;
    while (!r->waiting) {
        dq_arena_free(&r->arena);
        got = r->documents.next(&r->documents, &r->arena, &r->document, error);
        if (got <= 0) return got;
        dq_import_fault fault = dq_import_answered(got);
        if (!fault) fault = dq_import_flatten(&r->document, r->keys, r->key_count, &r->arena, error);
        if (!fault)
            fault = dq_import_read_id(dq_map_get(&r->document, r->part->id), &r->arena, &r->id, error);
        if (fault) dq_import_locate(&r->documents, got == DQ_DOCUMENT ? &r->document : NULL, error);
        if (fault && dq_import_skip(tally, fault, error)) return -1;
        if (!fault && r->sorted && check_order(r, error)) return -1;
        r->waiting = !fault;
    }
    return 1;
}
