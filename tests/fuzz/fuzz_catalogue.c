/* SPDX-License-Identifier: MIT
 *
 * Users, items, interactions, transitions and rankings as programs take them out of a stream. The first byte
 * says how, the rest are bodies of bundles (bundles.h):
 *
 *     0  a data set in memory, and its digest
 *     1  printed as lines of JSON, 2 as TSV: a line a row
 *     3  checked as dq-cat --check does, from the file
 *     4  transitions with states, for dq-train
 *     5  factors of the interactions, and newcomers folded into them
 */
#include "bundles.h"

#include "data/load.h"
#include "data/state_log.h"
#include "embed/als_fold.h"
#include "inspect/check.h"
#include "inspect/print.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BUNDLES = 16 };

/* Fails with words, or not at all. */
static bool fine(dq_status status, const dq_error *error)
{
    if (status) fuzz_refused(error);
    return status == DQ_OK;
}

static bool gather(dq_bundle *bundles, size_t count, dq_dataset *dataset)
{
    dq_error e = DQ_ERROR_NONE;
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < count; i++) status = dq_dataset_add(dataset, &bundles[i], 0, &e);
    if (!status) status = dq_catalogue_finish(&dataset->catalogue, false, &e);
    return fine(status, &e);
}

static void load(dq_bundle *bundles, size_t count)
{
    dq_dataset dataset = DQ_DATASET_EMPTY;
    if (gather(bundles, count, &dataset)) {
        uint64_t digest = dq_dataset_digest(&dataset);
        __asm__ volatile("" : : "m"(digest));
        for (size_t i = 0; i < dataset.count; i++) {
            const dq_transition *t = &dataset.transitions[i];
            if (t->state >= dq_entities_count(&dataset.catalogue.users) ||
                t->action >= dq_entities_count(&dataset.catalogue.items))
                fuzz_fail("a transition of user %u and item %u", t->state, t->action);
        }
    }
    dq_dataset_free(&dataset);
}

/* ---- printing ---- */

static size_t count_lines(const dq_json_text *text)
{
    size_t lines = 0;
    for (size_t i = 0; i < text->bytes; i++) lines += text->data[i] == '\n';
    return lines;
}

static void check_json(const dq_json_text *text)
{
    dq_error e;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value value;
    for (size_t at = 0; at < text->bytes;) {
        const char *line = text->data + at, *end = memchr(line, '\n', text->bytes - at);
        if (!end) fuzz_fail("a line without an end");
        e = DQ_ERROR_NONE;
        dq_status status = dq_json_parse(line, (size_t)(end - line), &arena, &value, &e);
        bool exact = !status ||
                     !strstr(e.reason, "64 bits"); /* JSON, but of numbers that a value cannot hold */
        if (status && exact) fuzz_fail("no JSON: %s", e.reason);
        if (!status && value.type != DQ_MAP) fuzz_fail("a line that is no object");
        at = (size_t)(end - text->data) + 1;
        dq_arena_free(&arena);
    }
}

static void print(const dq_bundle *bundles, size_t count, bool json)
{
    dq_error e = DQ_ERROR_NONE;
    dq_selection all = {0};
    dq_tsv_head head = {0};
    size_t lines = 0, rows = 0;
    dq_status status = DQ_OK;
    bool tables = true;
    for (size_t i = 0; !status && i < count; i++) {
        dq_json_text text = DQ_JSON_TEXT_EMPTY;
        status = dq_select_rows(&all, &bundles[i], 0, &e);
        if (!status)
            status = json ? dq_print_json(&text, &bundles[i], &all, true, &e)
                          : dq_print_tsv(&text, &bundles[i], &all, &head, &e);
        tables = tables && dq_select_is_table(&bundles[i]);
        rows += bundles[i].rows;
        lines += count_lines(&text);
        if (!status && json) check_json(&text);
        dq_json_text_free(&text);
    }
    if (fine(status, &e) && tables && count && lines != rows + (!json && rows))
        fuzz_fail("%zu lines of %zu rows", lines, rows);
    dq_arena_free(&head.arena);
    dq_select_free(&all);
}

static void check(fuzz_bytes bodies)
{
    dq_error e = DQ_ERROR_NONE;
    dq_reader *reader;
    size_t n;
    unsigned char *payload = fuzz_sign(bodies, &n);
    const char *path = fuzz_file(payload, n);
    free(payload);
    if (dq_reader_open(&reader, &path, 1, &e)) fuzz_fail("a signed head is refused: %s", e.reason);
    (void)fine(dq_check_stream(reader, NULL, &e), &e); /* what is known only at the end has no source */
    dq_reader_close(reader);
}

/* ---- what is learnt from ---- */

static void log_states(const dq_bundle *bundles, size_t count)
{
    dq_error e = DQ_ERROR_NONE;
    dq_state_log log = {0};
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < count; i++)
        if (strcmp(bundles[i].kind, DQ_KIND_TRANSITIONS) == 0)
            status = dq_state_log_add(&log, &bundles[i], &e);
    if (!status) status = dq_state_log_check(&log, 0, &e);
    if (fine(status, &e))
        for (size_t i = 0; i < log.count * log.width; i++) fuzz_finite(log.state[i]);
    dq_state_log_free(&log);
}

static void factor(dq_bundle *bundles, size_t count)
{
    dq_error e = DQ_ERROR_NONE;
    dq_dataset dataset = DQ_DATASET_EMPTY;
    dq_als_fitted fitted = {0};
    dq_als_factors factors = {0}, folded = {0};
    dq_als_tally tally[DQ_ENTITY_KINDS];
    const dq_als_config config = {.width = 2, .alpha = 1, .lambda = 0.1, .sweeps = 2, .seed = 3};
    if (gather(bundles, count, &dataset)) {
        const dq_catalogue *c = &dataset.catalogue;
        if (fine(dq_als_fit_catalogue(&factors, c, NULL, &config, 1, &e), &e))
            for (size_t i = 0; i < 2 * (size_t)dq_entities_count(&c->users); i++)
                fuzz_finite(factors.users[i]);
        fitted.catalogue = dataset.catalogue;
        dataset.catalogue = DQ_CATALOGUE_EMPTY;
        e = DQ_ERROR_NONE;
        dq_status status = dq_als_fitted_init(&fitted, "cf", &e);
        if (!status) status = dq_als_fold_catalogue(&folded, tally, &fitted.catalogue, &fitted, NULL, 1, &e);
        (void)fine(status, &e);
    }
    dq_als_factors_free(&folded);
    dq_als_factors_free(&factors);
    dq_als_fitted_free(&fitted);
    dq_dataset_free(&dataset);
}

static void read_catalogue(const uint8_t *data, size_t n)
{
    fuzz_bytes rest = {data, n};
    dq_bundle bundles[BUNDLES];
    unsigned how = fuzz_byte(&rest) % 6;
    if (how == 3) check(rest);
    size_t count = how == 3 ? 0 : fuzz_read_bundles(rest, bundles, BUNDLES);
    if (how == 0) load(bundles, count);
    if (how == 1 || how == 2) print(bundles, count, how == 1);
    if (how == 4) log_states(bundles, count);
    if (how == 5) factor(bundles, count);
    for (size_t i = 0; i < count; i++) dq_bundle_free(&bundles[i]);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed)
{
    return fuzz_mutate_bundles(data, n, most, seed, 1);
}

const fuzz_target fuzz_it = {.read = read_catalogue, .memory = 2 << 20, .per_byte = 512};
