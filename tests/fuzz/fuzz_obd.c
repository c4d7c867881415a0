/* SPDX-License-Identifier: MIT
 *
 * A log of the Open Bandit Dataset, and its items. The input: flags, a byte; the items' table, a part; the
 * rest is the log. Every document that the place gives is used or counted as faulty, and what is used is in
 * the stream: its propensities are probabilities, its positions places, its vectors finite.
 */
#include "buffer.h"
#include "documents.h"
#include "pieces.h"

#include "import/import.h"
#include "port/files/obd.h"

#include <stdio.h>
#include <string.h>

enum { STRICT = 1, ITEMS = 2, TIMES = 4 };
enum { USERS, THINGS, EVENTS, KINDS };

static const char *const kinds[KINDS] = {DQ_KIND_USERS, DQ_KIND_ITEMS, DQ_KIND_INTERACTIONS};

static const char *write_file(const char *folder, const char *name, fuzz_bytes file, char path[300])
{
    (void)snprintf(path, 300, "%s/%s.csv", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(file.data, 1, file.n, f) != file.n || fclose(f)) fuzz_fail("no file");
    return path;
}

/* ---- what came of it ---- */

/* What a collection gives, faulty or not. */
static uint64_t count_documents(dq_collections *place, const char *kind)
{
    const dq_query all = {.collection = kind};
    dq_error e = DQ_ERROR_NONE;
    dq_documents documents;
    if (place->open(place, &all, &documents, &e)) fuzz_fail("it does not open again: %s", e.reason);
    return fuzz_count_documents(&documents);
}

static void check_tally(dq_collections *place, const char *kind, const dq_import_tally *tally,
                        uint64_t written)
{
    char words[2000];
    uint64_t documents = count_documents(place, kind),
             skipped = dq_import_describe(tally, true, words, sizeof words);
    if (tally->used != written || tally->used + skipped != documents)
        fuzz_fail("%s: %llu documents, %llu used, %llu written, %llu skipped", kind,
                  (unsigned long long)documents, (unsigned long long)tally->used, (unsigned long long)written,
                  (unsigned long long)skipped);
    if (skipped && !words[0]) fuzz_fail("%llu skipped without a word", (unsigned long long)skipped);
}

static void check_logged(const dq_bundle *b)
{
    const dq_column *propensity = dq_bundle_column(b, "propensity"),
                    *position = dq_bundle_column(b, "position"), *vector = dq_bundle_column(b, "vector");
    for (uint64_t r = 0; r < b->rows; r++) {
        double p = propensity && !dq_column_is_null(propensity, r) ? dq_column_number(propensity, r) : 1;
        double k = position && !dq_column_is_null(position, r) ? dq_column_number(position, r) : 1;
        if (!(p > 0 && p <= 1 && k >= 1)) fuzz_fail("propensity %g at %g", p, k);
    }
    for (uint64_t i = 0; vector && i < b->rows * dq_column_width(vector); i++)
        fuzz_finite(dq_column_number(vector, i));
}

static void check(const dq_import_request *r, dq_collections *place, const fuzz_buffer *stream)
{
    dq_error e = DQ_ERROR_NONE;
    dq_reader *reader;
    dq_bundle b;
    uint64_t rows[KINDS] = {0};
    const char *path = fuzz_file(stream->data, stream->n);
    int got;
    if (dq_reader_open(&reader, &path, 1, &e)) fuzz_fail("no stream: %s", e.reason);
    while ((got = dq_reader_next(reader, &b, &e)) > 0) {
        for (size_t k = 0; k < KINDS; k++) rows[k] += strcmp(b.kind, kinds[k]) == 0 ? b.rows : 0;
        check_logged(&b);
        fuzz_use(&b);
        dq_bundle_free(&b);
    }
    if (got < 0) fuzz_fail("a broken stream: %s", e.reason);
    dq_reader_close(reader);
    check_tally(place, kinds[USERS], &r->users.tally, rows[USERS]);
    check_tally(place, kinds[THINGS], &r->items.tally, rows[THINGS]);
    check_tally(place, kinds[EVENTS], &r->interaction_tally, rows[EVENTS]);
}

/* ---- the reader ---- */

static void import(dq_collections *place, unsigned flags)
{
    dq_error e = DQ_ERROR_NONE;
    fuzz_buffer stream = {0};
    dq_import_request r = {.users = {.selection.limit = UINT64_MAX},
                           .items = {.selection.limit = UINT64_MAX}};
    r.users.tally.strict = r.items.tally.strict = r.interaction_tally.strict = flags & STRICT;
    if (flags & TIMES) r.times.format = "%Y-%m-%d";
    r.target.writer = fuzz_writer(&stream);
    if (dq_import_place(&r, place, &e)) {
        fuzz_failed(&e);
        dq_writer_abort(r.target.writer);
    } else {
        if (dq_writer_close(r.target.writer, &e)) fuzz_fail("no stream: %s", e.reason);
        check(&r, place, &stream);
    }
    fuzz_buffer_free(&stream);
}

static void read_log(const uint8_t *data, size_t n)
{
    char log_path[300], items_path[300];
    fuzz_bytes rest = {data, n};
    dq_error e = DQ_ERROR_NONE;
    dq_collections place;
    unsigned flags = fuzz_byte(&rest);
    fuzz_bytes items = fuzz_part(&rest);
    const char *folder = fuzz_folder(), *with = NULL;
    if (fuzz_is_compressed(items)) items.n = 0;
    if (fuzz_is_compressed(rest)) rest.n = 0;
    if (flags & ITEMS) with = write_file(folder, "items", items, items_path);
    if (dq_collections_open_obd(&place, write_file(folder, "log", rest, log_path), with, &e)) {
        fuzz_failed(&e);
        return;
    }
    import(&place, flags);
    place.close(&place);
}

const fuzz_target fuzz_it = {.read = read_log, .memory = 64 << 20, .per_byte = 4000};
