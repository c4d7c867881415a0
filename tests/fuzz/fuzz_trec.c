/* SPDX-License-Identifier: MIT
 *
 * Judgements and runs of TREC's form: two parts, qrels and a run. Every line that is not blank is an entry,
 * or the file is refused. Of both, every measure is a number.
 */
#include "fuzz.h"
#include "pieces.h"

#include "measure/table.h"
#include "report/rankings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t count_lines(fuzz_bytes file)
{
    uint64_t count = 0;
    bool words = false;
    for (size_t i = 0; i <= file.n; i++) {
        bool end = i == file.n || file.data[i] == '\n';
        if (!end) words |= file.data[i] > ' ';
        if (end) count += words, words = false;
    }
    return count;
}

/* What was read is all that was there. */
static void check_count(const dq_lists *lists, fuzz_bytes file)
{
    uint64_t lines = count_lines(file);
    if (lists->count != lines && !(file.n >= 3 && memcmp(file.data, "\xef\xbb\xbf", 3) == 0))
        fuzz_fail("%llu lines, %zu entries", (unsigned long long)lines, lists->count);
    for (size_t i = 0; i < lists->count; i++) fuzz_finite(lists->value[i]);
}

static bool read_qrels(fuzz_bytes file, dq_qrels *qrels)
{
    dq_error e = DQ_ERROR_NONE;
    *qrels = DQ_LISTS_EMPTY;
    if (!dq_rankings_read_qrels(fuzz_file(file.data, file.n), "APPLY=3,SAVE=2", qrels, &e)) return true;
    fuzz_failed(&e);
    return false;
}

static bool read_run(fuzz_bytes file, dq_run *run)
{
    dq_error e = DQ_ERROR_NONE;
    char tag[16];
    *run = DQ_LISTS_EMPTY;
    if (!dq_rankings_read_run(fuzz_file(file.data, file.n), run, tag, sizeof tag, &e)) return true;
    fuzz_failed(&e);
    return false;
}

/* A list whose items are all relevant, or none, has no area under its curve. */
static void check(const dq_measure *measure, double value)
{
    if (!(measure->over == DQ_OVER_WEIGHTED && isnan(value))) fuzz_finite(value);
}

static void measure(const dq_judged_ranking *ranking)
{
    static const double parameters[] = {0.1, 0, 1, 5, 1000};
    for (size_t m = 0; m < dq_measure_count; m++) {
        const dq_measure *k = &dq_measures[m];
        bool single = k->parameter == DQ_TAKES_NOTHING || k->parameter == DQ_TAKES_SHARE; /* a share: 0.1 */
        size_t n = single ? 1 : sizeof parameters / sizeof *parameters;
        for (size_t p = k->parameter == DQ_TAKES_CUTOFF ? 2 : 0; k->compute && p < n; p++)
            check(k, k->compute(ranking, parameters[p]));
    }
}

static void evaluate(const dq_qrels *qrels, const dq_run *run)
{
    dq_error e = DQ_ERROR_NONE;
    dq_ranking_eval *eval;
    dq_judged_ranking ranking;
    dq_ranking list = DQ_RANKING_EMPTY;
    if (dq_ranking_eval_new(&eval, qrels, 1, &e)) fuzz_fail("%s", e.reason);
    for (uint32_t q = 0; q < dq_index_count(&qrels->queries); q++) {
        size_t n;
        const char *id = dq_index_id(&qrels->queries, q, &n);
        uint32_t row = dq_index_find(&run->queries, id, n);
        if (row != DQ_ABSENT && dq_ranking_take(&list, run, row, &e)) fuzz_fail("%s", e.reason);
        if (dq_ranking_eval_list(eval, row == DQ_ABSENT ? NULL : &list, q, &ranking, &e))
            fuzz_fail("%s", e.reason);
        measure(&ranking);
    }
    dq_ranking_free(&list);
    dq_ranking_eval_free(eval);
}

static void read_trec(const uint8_t *data, size_t n)
{
    fuzz_bytes rest = {data, n}, judged = fuzz_part(&rest);
    dq_qrels qrels = DQ_LISTS_EMPTY;
    dq_run run = DQ_LISTS_EMPTY;
    if (fuzz_is_compressed(judged) || fuzz_is_compressed(rest)) return;
    bool has_qrels = read_qrels(judged, &qrels), has_run = read_run(rest, &run);
    bool text = !(judged.n && judged.data[0] == 0xcf), run_text = !(rest.n && rest.data[0] == 0xcf);
    if (has_qrels && text) check_count(&qrels, judged);
    if (has_run && run_text) check_count(&run, rest);
    if (has_qrels && has_run) evaluate(&qrels, &run);
    dq_lists_free(&qrels);
    dq_lists_free(&run);
}

const fuzz_target fuzz_it = {.read = read_trec, .memory = 8 << 20, .per_byte = 400};
