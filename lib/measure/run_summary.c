/* SPDX-License-Identifier: MIT
 *
 * What the values of a table's queries come to: means, their intervals and differences, means of groups.
 */
#include "measure/run_table.h"

#include <math.h>
#include <stdlib.h>

static dq_run_cell *cell_of(dq_run_table *t, size_t run, size_t pick)
{
    return &t->cells[run * t->picks.count + pick];
}

/* Whether a query has a value by a measure in every run; else it does not count for that measure. */
static bool has_value(const dq_run_table *t, size_t pick, uint32_t query)
{
    for (size_t r = 0; r < t->run_count; r++)
        if (isnan(dq_run_table_value(t, r, pick, query))) return false;
    return true;
}

static uint32_t user_of(const dq_run_table *t, uint32_t query)
{
    size_t n;
    const char *id = dq_index_id(&t->qrels.queries, query, &n);
    return dq_facts_user(&t->facts, id, n);
}

static bool in_group(const dq_run_table *t, uint32_t query, uint32_t group)
{
    return group == DQ_ALL_USERS || dq_attribute_has(&t->facts.by, user_of(t, query), group);
}

size_t dq_run_table_ungrouped(const dq_run_table *t)
{
    size_t without = 0, n;
    for (size_t i = 0; i < t->query_count; i++)
        without += dq_attribute_of(&t->facts.by, user_of(t, t->order[i]), &n) == NULL;
    return without;
}

size_t dq_run_table_without(const dq_run_table *t, size_t pick)
{
    size_t n = 0;
    for (size_t i = 0; i < t->query_count; i++) n += !has_value(t, pick, t->order[i]);
    return n;
}

/* ---- values ---- */

/* The mean of a group's values, each weighted by its list's length. */
static double weighted_mean(const dq_run_table *t, size_t run, size_t pick, uint32_t group)
{
    double sum = 0, weights = 0;
    for (size_t i = 0; i < t->query_count; i++) {
        uint32_t q = t->order[i];
        if (!has_value(t, pick, q) || !in_group(t, q, group)) continue;
        sum += dq_run_table_value(t, run, pick, q) * t->runs[run].lengths[q];
        weights += t->runs[run].lengths[q];
    }
    return weights > 0 ? sum / weights : NAN;
}

static double summary_of_queries(dq_run_table *t, size_t run, size_t pick, uint32_t group)
{
    const dq_measure *m = t->picks.at[pick].measure;
    size_t n = 0;
    if (m->over == DQ_OVER_WEIGHTED) return weighted_mean(t, run, pick, group);
    for (size_t i = 0; i < t->query_count; i++)
        if (has_value(t, pick, t->order[i]) && in_group(t, t->order[i], group))
            t->ordered[n++] = dq_run_table_value(t, run, pick, t->order[i]);
    return n || m->over == DQ_OVER_SUM ? dq_measure_summary(m, t->ordered, n) : NAN;
}

static dq_status summary_of(dq_run_table *t, size_t run, size_t pick, uint32_t group, double *value,
                            dq_error *error)
{
    const dq_measure_pick *p = &t->picks.at[pick];
    if (p->measure->of_text) {
        *value = NAN; /* of queries alone */
        return DQ_OK;
    }
    if (!p->measure->of_run) {
        *value = summary_of_queries(t, run, pick, group);
        return DQ_OK;
    }
    dq_exposure exposure;
    dq_shown_sample sample = {0};
    bool all = group == DQ_ALL_USERS;
    const dq_shown_lists *shown = &t->runs[run].shown;
    dq_status status = all ? DQ_OK : dq_shown_sample_init(&sample, shown, &t->facts, group, error);
    if (!status)
        status = dq_exposure_init(&exposure, shown, &t->facts, dq_run_table_depth(p), all ? NULL : &sample,
                                  error);
    free(sample.times);
    if (status) return status;
    *value = p->measure->of_run(&exposure);
    dq_exposure_free(&exposure);
    return DQ_OK;
}

static dq_status summarise_groups(dq_run_table *t, dq_error *error)
{
    size_t groups = dq_run_table_groups(t);
    dq_status status = DQ_OK;
    t->by_group = calloc(t->run_count * t->picks.count * groups + 1, sizeof *t->by_group);
    if (!t->by_group) return dq_fail_memory(error, "%zu groups", groups);
    double *value = t->by_group;
    for (size_t r = 0; r < t->run_count; r++)
        for (size_t p = 0; p < t->picks.count; p++)
            for (uint32_t g = 0; g < groups && !status; g++) status = summary_of(t, r, p, g, value++, error);
    return status;
}

size_t dq_run_table_groups(const dq_run_table *t)
{
    return dq_index_count(&t->facts.by.values);
}

double dq_run_table_group_value(const dq_run_table *t, size_t run, size_t pick, size_t group)
{
    return t->by_group[(run * t->picks.count + pick) * dq_run_table_groups(t) + group];
}

double dq_run_table_gap(const dq_run_table *t, size_t run, size_t pick)
{
    double least = INFINITY, most = -INFINITY;
    for (size_t g = 0; g < dq_run_table_groups(t); g++) {
        double value = dq_run_table_group_value(t, run, pick, g);
        if (isnan(value)) continue;
        least = fmin(least, value);
        most = fmax(most, value);
    }
    return most >= least ? most - least : NAN;
}

/* ---- intervals and differences ---- */

/* What is compared: measures that are means, over queries that have a value by each. */
typedef struct means {
    const dq_run_table *table;
    size_t *picks, count;
    uint32_t *order;
    size_t query_count;
    dq_comparison *results;
} means;

static double value_of_mean(const void *self, size_t measure, size_t run, size_t query)
{
    const means *m = self;
    return dq_run_table_value(m->table, run, m->picks[measure], m->order[query]);
}

static dq_status compare(dq_run_table *t, means *m, const dq_compare_config *config, dq_error *error)
{
    const dq_run_values values = {m->count, t->run_count, m->query_count, value_of_mean, m};
    if (!m->count || !m->query_count) return DQ_OK;
    dq_status status = dq_compare_runs(&values, config, m->results, error);
    for (size_t k = 0; !status && k < m->count; k++)
        for (size_t r = 0; r < t->run_count; r++) {
            dq_run_cell *c = cell_of(t, r, m->picks[k]);
            c->has_interval = true;
            c->has_difference = r > 0;
            c->against = m->results[k * t->run_count + r];
        }
    return status;
}

/* The measures that every query has a value by are compared together, each other one by itself. */
static dq_status compare_means(dq_run_table *t, const dq_compare_config *config, dq_error *error)
{
    means m = {.table = t,
               .picks = malloc((t->picks.count + 1) * sizeof *m.picks),
               .order = malloc((t->query_count + 1) * sizeof *m.order),
               .results = calloc(t->picks.count * t->run_count + 1, sizeof *m.results)};
    dq_status status = m.picks && m.order && m.results ? DQ_OK
                                                       : dq_fail_memory(error, "the comparison of runs");
    for (size_t i = 0; !status && i < t->query_count; i++) m.order[m.query_count++] = t->order[i];
    for (size_t p = 0; !status && p < t->picks.count; p++)
        if (t->picks.at[p].measure->over == DQ_OVER_MEAN && !dq_run_table_without(t, p))
            m.picks[m.count++] = p;
    if (!status) status = compare(t, &m, config, error);
    for (size_t p = 0; !status && p < t->picks.count; p++) {
        if (t->picks.at[p].measure->over != DQ_OVER_MEAN || !dq_run_table_without(t, p)) continue;
        m.count = 1;
        m.picks[0] = p;
        m.query_count = 0;
        for (size_t i = 0; i < t->query_count; i++)
            if (has_value(t, p, t->order[i])) m.order[m.query_count++] = t->order[i];
        status = compare(t, &m, config, error);
    }
    free(m.picks);
    free(m.order);
    free(m.results);
    return status;
}

static double mean_value(const void *self, size_t measure, size_t run, size_t query)
{
    const dq_run_means *m = self;
    return dq_run_table_value(m->table, run, m->picks[measure], m->table->order[query]);
}

dq_run_values dq_run_table_means(dq_run_means *of)
{
    const dq_run_table *t = of->table;
    size_t count = 0;
    for (size_t p = 0; p < t->picks.count; p++)
        if (t->picks.at[p].measure->over == DQ_OVER_MEAN) of->picks[count++] = p;
    return (dq_run_values){count, t->run_count, t->query_count, mean_value, of};
}

dq_status dq_run_table_summarise(dq_run_table *t, const dq_compare_config *config, dq_error *error)
{
    dq_status status = DQ_OK;
    t->cells = calloc(t->run_count * t->picks.count + 1, sizeof *t->cells);
    if (!t->cells) return dq_fail_memory(error, "the results");
    for (size_t r = 0; r < t->run_count; r++)
        for (size_t p = 0; p < t->picks.count && !status; p++)
            status = summary_of(t, r, p, DQ_ALL_USERS, &cell_of(t, r, p)->value, error);
    if (!status && config) status = compare_means(t, config, error);
    if (!status && dq_run_table_groups(t)) status = summarise_groups(t, error);
    return status;
}
