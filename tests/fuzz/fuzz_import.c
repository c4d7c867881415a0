/* SPDX-License-Identifier: MIT
 *
 * Users, items and interactions from files of every form, as dq-export reads them. The input:
 *
 *     form of users, of items, of interactions, and flags    a byte each
 *     what columns are                                        a part: "u:id=name,x:time=at", users, items, x
 *     users, items                                            a part each
 *     with BESIDE: the items' vectors, and their ids          a part each; ids that are empty: by order
 *     interactions                                            the rest
 *
 * Every row that a file has is used or counted as faulty, and what is used is in the stream; users or items
 * without a file are those that the stream's interactions name. The stream, printed as JSON lines and
 * imported again, is printed as the same lines.
 */
#include "buffer.h"
#include "documents.h"
#include "pieces.h"

#include "import/import.h"
#include "inspect/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS = 3, NAMED = 16 };
enum {
    STRICT = 1,
    TIMES = 2,
    ENCODED = 4,
    ALONE = 8,
    NO_USERS = 16,
    NO_ITEMS = 32,
    SCALED = 64,
    BESIDE = 128
};

static const char *const kinds[KINDS] = {DQ_KIND_USERS, DQ_KIND_ITEMS, DQ_KIND_INTERACTIONS};

static const struct form {
    const char *extension, *separator;
} forms[] = {{"jsonl", NULL}, {"csv", NULL},  {"tsv", NULL}, {"inter", NULL},
             {"dat", "|"},    {"data", "::"}, {"txt", ";"},  {"json", NULL}};
enum { FORMS = sizeof forms / sizeof *forms };

/* One import: its files, what their columns are, and what came of it. */
typedef struct world {
    char paths[KINDS][300], vectors[300], ids[300];
    dq_import_named named[KINDS][NAMED];
    dq_import_reading readings[KINDS];
    dq_import_request request;
    fuzz_buffer stream;
    uint64_t answers[KINDS]; /* rows that each file has */
} world;

/* ---- what is asked for ---- */

/* "u:ROLE=NAME,...": what is no role, and what would name a column twice, is passed over. */
static void name_columns(world *w, char *text)
{
    char *rest = NULL;
    for (char *one = strtok_r(text, ",", &rest); one; one = strtok_r(NULL, ",", &rest)) {
        size_t at = *one == 'u' ? 0 : *one == 'i' ? 1 : 2;
        char *role = *one && one[1] == ':' ? one + 2 : one, *equals = strchr(role, '=');
        dq_import_reading *r = &w->readings[at];
        if (!equals || equals == role || !equals[1] || r->count == NAMED) continue;
        *equals = '\0';
        bool known = dq_import_is_role(role, kinds[at]);
        for (size_t i = 0; i < r->count; i++)
            known &= strcmp(r->named[i].role, role) != 0 && strcmp(r->named[i].name, equals + 1) != 0;
        if (known) r->named[r->count++] = (dq_import_named){role, equals + 1};
    }
}

static void write_file(const char *path, fuzz_bytes file)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(file.data, 1, file.n, f) != file.n || fclose(f)) fuzz_fail("no file");
}

static void begin(world *w, unsigned flags)
{
    dq_import_request *r = &w->request;
    *w = (world){.request.users = {.selection.limit = UINT64_MAX}};
    r->items.selection.limit = UINT64_MAX;
    r->users.tally.strict = r->items.tally.strict = r->interaction_tally.strict = flags & STRICT;
    if (flags & TIMES) r->times.format = "%d/%m/%Y";
    if (flags & SCALED) r->scale = (dq_import_scale){.given = true, .low = -1, .high = 5};
    for (size_t k = 0; k < KINDS; k++) w->readings[k] = (dq_import_reading){.named = w->named[k]};
}

static void set_paths(world *w, unsigned flags)
{
    dq_import_request *r = &w->request;
    r->users.path = flags & NO_USERS ? NULL : w->paths[0];
    r->items.path = flags & NO_ITEMS ? NULL : w->paths[1];
    r->interactions = flags & ALONE ? NULL : w->paths[2];
    r->users.reading = w->readings[0];
    r->items.reading = w->readings[1];
    r->interaction_reading = w->readings[2];
}

/* ---- what came of it ---- */

static dq_status run(world *w, dq_error *e)
{
    dq_writer *writer = w->request.target.writer = fuzz_writer(&w->stream);
    dq_status status = dq_import_files(&w->request, e);
    if (status)
        dq_writer_abort(writer);
    else if (dq_writer_close(writer, e))
        fuzz_fail("no stream: %s", e->reason);
    return status;
}

/* The rows of a file, by its documents alone. */
static uint64_t count_rows(const world *w, size_t k)
{
    dq_error e = DQ_ERROR_NONE;
    dq_documents documents = {0};
    char found[DQ_IMPORT_FOUND];
    if (dq_import_open(&documents, w->paths[k], kinds[k], &w->readings[k], found, &e))
        fuzz_fail("it does not open again: %s", e.reason);
    return fuzz_count_documents(&documents);
}

/* Every row is used, or said to be passed over. */
static void check_tally(const world *w, size_t k, const dq_import_tally *tally, uint64_t written)
{
    char words[2000];
    uint64_t rows = count_rows(w, k), skipped = dq_import_describe(tally, false, words, sizeof words);
    if (tally->used != written)
        fuzz_fail("%s: %llu used, %llu written", kinds[k], (unsigned long long)tally->used,
                  (unsigned long long)written);
    if (tally->used + skipped + tally->others != rows)
        fuzz_fail("%s: %llu rows, %llu used, %llu skipped, %llu others", kinds[k], (unsigned long long)rows,
                  (unsigned long long)tally->used, (unsigned long long)skipped,
                  (unsigned long long)tally->others);
    if (skipped && !words[0]) fuzz_fail("%llu skipped without a word", (unsigned long long)skipped);
}

static size_t kind_of(const dq_bundle *b)
{
    size_t k = 0;
    while (k < KINDS && strcmp(b->kind, kinds[k]) != 0) k++;
    if (k == KINDS) fuzz_fail("a bundle of %s", b->kind);
    return k;
}

/* The stream as JSON lines, and its rows by kind. */
static void print(const world *w, dq_json_text *lines, uint64_t rows[KINDS])
{
    dq_error e = DQ_ERROR_NONE;
    dq_selection select = {0};
    dq_reader *reader;
    dq_bundle b;
    int got;
    const char *path = fuzz_file(w->stream.data, w->stream.n);
    if (dq_reader_open(&reader, &path, 1, &e)) fuzz_fail("no stream: %s", e.reason);
    while ((got = dq_reader_next(reader, &b, &e)) > 0) {
        rows[kind_of(&b)] += b.rows;
        if (dq_select_rows(&select, &b, dq_reader_section(reader), &e) ||
            dq_print_json(lines, &b, &select, true, &e))
            fuzz_fail("it cannot be printed: %s", e.reason);
        dq_bundle_free(&b);
    }
    if (got < 0) fuzz_fail("a broken stream: %s", e.reason);
    dq_select_free(&select);
    dq_reader_close(reader);
}

/* ---- once more ---- */

static void check_again(const dq_json_text *lines, const uint64_t rows[KINDS], bool interactions)
{
    world again;
    dq_error e = DQ_ERROR_NONE;
    dq_json_text other = DQ_JSON_TEXT_EMPTY;
    uint64_t count[KINDS] = {0};
    begin(&again, STRICT);
    for (size_t k = 0; k < KINDS; k++)
        (void)snprintf(again.paths[k], sizeof again.paths[k], "%s/all.jsonl", fuzz_folder());
    write_file(again.paths[0], (fuzz_bytes){(const uint8_t *)lines->data, lines->bytes});
    set_paths(&again, interactions ? 0 : ALONE);
    if (run(&again, &e))
        fuzz_fail("it cannot be read again: %s: %.*s", e.reason, (int)lines->bytes, lines->data);
    print(&again, &other, count);
    if (memcmp(rows, count, sizeof count) != 0) fuzz_fail("other rows");
    if (lines->bytes != other.bytes || memcmp(lines->data, other.data, other.bytes) != 0)
        fuzz_fail("other lines: %.*s\n%.*s", (int)lines->bytes, lines->data, (int)other.bytes, other.data);
    dq_json_text_free(&other);
    fuzz_buffer_free(&again.stream);
}

/* Users, or items: of their file, or of the interactions, each of which names one. */
static void check_side(const world *w, size_t k, const dq_import_entities_request *side,
                       const uint64_t rows[KINDS])
{
    if (side->path) check_tally(w, k, &side->tally, rows[k]);
    if (!side->path && !side->made && rows[k]) fuzz_fail("%s that nobody named", kinds[k]);
    if (side->made && (rows[k] > rows[2] || !rows[k] != !rows[2]))
        fuzz_fail("%llu %s made of %llu interactions", (unsigned long long)rows[k], kinds[k],
                  (unsigned long long)rows[2]);
}

static void check(const world *w)
{
    dq_json_text lines = DQ_JSON_TEXT_EMPTY;
    uint64_t rows[KINDS] = {0};
    const dq_import_request *r = &w->request;
    print(w, &lines, rows);
    check_side(w, 0, &r->users, rows);
    check_side(w, 1, &r->items, rows);
    if (r->interactions) check_tally(w, 2, &r->interaction_tally, rows[2]);
    if (rows[0] && rows[1] && (rows[2] || !r->interactions))
        check_again(&lines, rows, r->interactions != NULL);
    dq_json_text_free(&lines);
}

/* The items' vectors, an .npy of two numbers a row, and a list of their ids where there is one. */
static void read_beside(world *w, fuzz_bytes *rest)
{
    enum { HEADER = 128, PREFIX = 10, ROW = 2 };
    fuzz_bytes numbers = fuzz_part(rest), ids = fuzz_part(rest);
    dq_import_entities_request *items = &w->request.items;
    char header[HEADER + 1];
    (void)snprintf(w->vectors, sizeof w->vectors, "%s/vectors.npy", fuzz_folder());
    (void)snprintf(w->ids, sizeof w->ids, "%s/ids", fuzz_folder());
    (void)snprintf(header, sizeof header,
                   "%-*s{'descr': '|i1', 'fortran_order': False, 'shape': (%zu, %d), }", PREFIX, "",
                   numbers.n / ROW, ROW);
    memset(header + strlen(header), ' ', HEADER - strlen(header));
    memcpy(header, "\x93NUMPY\x01\x00\x76\x00", PREFIX);
    header[HEADER - 1] = '\n';
    FILE *f = fopen(w->vectors, "wb");
    if (!f || fwrite(header, 1, HEADER, f) != HEADER || fwrite(numbers.data, 1, numbers.n, f) != numbers.n ||
        fclose(f))
        fuzz_fail("no file");
    items->vectors = w->vectors;
    if (fuzz_is_compressed(ids)) ids.n = 0;
    if (ids.n) items->id_path = w->ids;
    write_file(w->ids, ids);
}

static void read_files(const uint8_t *data, size_t n)
{
    world w;
    fuzz_bytes rest = {data, n};
    dq_error e = DQ_ERROR_NONE;
    unsigned form[KINDS];
    for (size_t k = 0; k < KINDS; k++) form[k] = fuzz_byte(&rest);
    unsigned flags = fuzz_byte(&rest);
    char *columns = fuzz_text(fuzz_part(&rest));
    const char *folder = fuzz_folder();
    begin(&w, flags);
    name_columns(&w, columns);
    for (size_t k = 0; k < KINDS; k++) {
        const struct form *f = &forms[form[k] % FORMS];
        if (k == 2 && flags & BESIDE) read_beside(&w, &rest);
        fuzz_bytes file = k < 2 ? fuzz_part(&rest) : rest;
        if (fuzz_is_compressed(file)) file.n = 0;
        (void)snprintf(w.paths[k], sizeof w.paths[k], "%s/%s.%s", folder, kinds[k], f->extension);
        w.readings[k].separator = f->separator;
        if (flags & ENCODED) w.readings[k].encoding = fuzz_encoding(form[k] / FORMS);
        write_file(w.paths[k], file);
    }
    set_paths(&w, flags);
    if (run(&w, &e))
        fuzz_failed(&e);
    else
        check(&w);
    fuzz_buffer_free(&w.stream);
    free(columns);
}

const fuzz_target fuzz_it = {.read = read_files, .memory = 64 << 20, .per_byte = 4000};
