/* SPDX-License-Identifier: MIT */
#include "verdict/compared_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

dq_status dq_compared_against(const char *against, const char *const *systems, size_t count, size_t *number,
                              dq_error *error)
{
    if (!against) against = "first";
    *number = DQ_AGAINST_ALL;
    if (strcmp(against, "all") == 0) return DQ_OK;
    for (size_t i = 0; i < count; i++)
        if (strcmp(against, systems[i]) == 0) {
            *number = i;
            return DQ_OK;
        }
    *number = 0;
    if (strcmp(against, "first") == 0) return DQ_OK;
    return dq_fail(error, DQ_ERR_UNKNOWN, "nothing to compare is called '%s'; there is %s%s", against,
                   systems[0], count > 1 ? ", and more" : "");
}

static dq_status put_head(const dq_compare_options *config, dq_sink *out, dq_error *error)
{
    if (!config->brief)
        return dq_sink_printf(out, error,
                              "a\tb\tmeasure\tn\tmean_a\tmean_b\tdifference\tlower\tupper\tlower_t\tupper_"
                              "t\tp_randomisation\tp_t\t"
                              "p_wilcoxon\tp_adjusted\td_z\tg\trank_biserial\tcliff\twins\tlosses\tties\n");
    const char *of = config->test == DQ_TEST_STUDENT ? "_t" : "";
    return dq_sink_printf(
        out, error, "a\tb\tmeasure\tn\tmean_a\tmean_b\tdifference\tlower%s\tupper%s\tp_%s\tp_adjusted\td_z\n",
        of, of, dq_paired_test_names[config->test]);
}

/* sums: without effects and wins. */
static dq_status put_difference(const dq_difference *r, bool sums, const dq_compare_options *config,
                                dq_sink *out, dq_error *error)
{
    enum { ALL = 19, BRIEF = 9, EFFECTS = 12 };
    double all[ALL] = {(double)r->n,
                       r->mean_a,
                       r->mean_b,
                       r->difference,
                       r->interval.low,
                       r->interval.high,
                       r->student.low,
                       r->student.high,
                       r->p[DQ_TEST_RANDOMISATION],
                       r->p[DQ_TEST_STUDENT],
                       r->p[DQ_TEST_WILCOXON],
                       r->p_adjusted,
                       r->cohen,
                       r->hedges,
                       r->rank_biserial,
                       r->cliff,
                       (double)r->wins,
                       (double)r->losses,
                       (double)r->ties};
    const dq_interval shown = config->test == DQ_TEST_STUDENT ? r->student : r->interval;
    const double brief[BRIEF] = {(double)r->n,       r->mean_a,     r->mean_b,
                                 r->difference,      shown.low,     shown.high,
                                 r->p[config->test], r->p_adjusted, sums ? (double)NAN : r->cohen};
    for (size_t i = EFFECTS; sums && i < ALL; i++) all[i] = NAN;
    if (config->brief) return verdict_numbers(out, brief, BRIEF, error);
    return verdict_numbers(out, all, ALL, error);
}

static dq_status put_differences(const dq_differences *d, const dq_compared_names *names,
                                 const dq_compare_options *config, dq_text_table *table, dq_error *error)
{
    dq_sink *out;
    table->texts = 3;
    dq_status status = dq_text_table_open(table, &out, error);
    if (status) return status;
    status = put_head(config, out, error);
    for (size_t i = 0; i < d->count && !status; i++) {
        const dq_difference *r = &d->rows[i];
        status = verdict_text(out, names->systems[r->a], error);
        if (!status) status = verdict_text(out, names->systems[r->b], error);
        if (!status) status = verdict_text(out, names->measures[r->measure], error);
        if (!status) status = put_difference(r, names->sums && names->sums[r->measure], config, out, error);
    }
    return verdict_end(out, status, error);
}

/* Where units are few. */
static void note_few(const dq_differences *d, const dq_compare_options *options, dq_compared *compared)
{
    enum { FEW = 20 };
    bool few = false;
    for (size_t i = 0; i < d->count; i++) few |= d->rows[i].n < FEW;
    size_t untested = 0;
    for (size_t i = 0; i < d->count; i++) untested += d->rows[i].n && isnan(d->rows[i].p[DQ_TEST_STUDENT]);
    if (untested && options->test == DQ_TEST_STUDENT)
        verdict_note(compared,
                     "%zu of %zu differences have no t test: they are of one unit, or the same in all units",
                     untested, d->count);
    if (few && options->test != DQ_TEST_STUDENT)
        verdict_note(compared,
                     "of fewer than %d units the bootstrap's interval is too narrow (--test t: Student's)",
                     FEW);
}

dq_status dq_compared_values(const dq_run_values *values, const dq_compared_names *names,
                             const dq_compare_options *options, dq_compared *compared, dq_error *error)
{
    const dq_pairs_config config = {.draw = {(size_t)options->resamples, options->confidence, options->seed},
                                    .test = (dq_paired_test)options->test,
                                    .adjust = (dq_adjustment)options->adjust};
    dq_differences d = {0};
    size_t against;
    dq_status status = dq_compared_against(options->against, names->systems, values->runs, &against, error);
    if (!status) status = dq_compare_pairs(values, against, &config, &d, error);
    if (!status) status = put_differences(&d, names, options, &compared->table, error);
    if (!status) note_few(&d, options, compared);
    bool sums = false;
    for (size_t m = 0; m < values->measures; m++) sums |= names->sums && names->sums[m];
    if (!status && sums)
        verdict_note(compared, "units are blocks of several rows: no effect sizes, and no wins");
    dq_differences_free(&d);
    return status;
}

dq_status dq_compared_runs(const dq_run_table *runs, const dq_compare_options *options, dq_compared *compared,
                           dq_error *error)
{
    size_t picks[DQ_MAX_PICKS] = {0}, left;
    const char *measures[DQ_MAX_PICKS], **systems = calloc(runs->run_count, sizeof *systems);
    dq_run_means means = {runs, picks};
    const dq_run_values values = dq_run_table_means(&means);
    const dq_compared_names names = {.systems = systems, .measures = measures};
    if (!systems) return dq_fail_memory(error, "%zu runs", runs->run_count);
    for (size_t r = 0; r < values.runs; r++) systems[r] = runs->runs[r].label;
    for (size_t k = 0; k < values.measures; k++) measures[k] = runs->picks.at[picks[k]].name;
    left = runs->picks.count - values.measures;
    if (left)
        verdict_note(compared, "%zu measures are no means over queries, and have no differences here", left);
    dq_status status = dq_compared_values(&values, &names, options, compared, error);
    free(systems);
    return status;
}
