/* SPDX-License-Identifier: MIT
 *
 * What the values of a table's queries come to: means, their intervals and differences, means of groups.
 */
#include "measure/run_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
            c->has_interval = m->query_count > 1;
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

/* ---- intervals of what is no mean over all queries ---- */

bool dq_measure_has_interval(const dq_measure *measure)
{
    return measure->over != DQ_OVER_SUM && measure->over != DQ_OVER_NAME && measure->over != DQ_OVER_TEXT;
}

/* A query as it is drawn: its part of a sum, and of what that is divided by. */
typedef struct unit {
    uint32_t user; /* the catalogue's row, or DQ_ABSENT */
    bool counts;   /* it has a value */
    double term, weight;
} unit;

/* One run by one measure. */
typedef struct resampling {
    dq_run_table *t;
    size_t run, pick, groups;
    size_t draws;
    unit *units;     /* (count) of a measure of queries, */
    uint32_t *times; /* (count) how often each is drawn, */
    size_t count;
    double *sums;      /* (groups + 1, 2) terms and weights: of all, and of each group */
    uint32_t *without; /* (lists) of a measure of the whole run: lists that a block is left out of */
    double *values;    /* (groups + 2, draws) of all, of each group, and the gap */
} resampling;

static void free_resampling(resampling *s)
{
    free(s->units);
    free(s->times);
    free(s->without);
    free(s->sums);
    free(s->values);
}

static unit unit_of_query(const dq_run_table *t, size_t run, size_t pick, uint32_t q)
{
    double value = dq_run_table_value(t, run, pick, q);
    unit u = {.user = user_of(t, q), .counts = has_value(t, pick, q), .weight = 1, .term = value};
    if (t->picks.at[pick].measure->over == DQ_OVER_GEOMETRIC) u.term = log(fmax(value, 0.00001));
    if (t->picks.at[pick].measure->over == DQ_OVER_WEIGHTED) {
        u.weight = t->runs[run].lengths[q];
        u.term = value * u.weight;
    }
    return u;
}

static dq_status make_resampling(resampling *s, dq_error *error)
{
    size_t queries = s->t->query_count, lists = s->t->runs[s->run].shown.list_count;
    s->units = calloc(queries + 1, sizeof *s->units);
    s->times = calloc(queries + 1, sizeof *s->times);
    s->without = calloc(lists + 1, sizeof *s->without);
    s->sums = calloc(2 * (s->groups + 1), sizeof *s->sums);
    s->values = calloc(s->draws, (s->groups + 2) * sizeof *s->values);
    if (!s->units || !s->times || !s->without || !s->sums || !s->values)
        return dq_fail_memory(error, "resamples");
    for (size_t i = 0; i < queries && !s->t->picks.at[s->pick].measure->of_run; i++)
        s->units[s->count++] = unit_of_query(s->t, s->run, s->pick, s->t->order[i]);
    return DQ_OK;
}

/* Means of the queries drawn: all, and those of each group. */
static void draw_means(resampling *s, size_t draw)
{
    bool geometric = s->t->picks.at[s->pick].measure->over == DQ_OVER_GEOMETRIC;
    for (size_t g = 0; g < 2 * (s->groups + 1); g++) s->sums[g] = 0;
    for (size_t i = 0; i < s->count; i++) {
        const unit *u = &s->units[i];
        size_t n = 0;
        const uint32_t *of = s->groups ? dq_attribute_of(&s->t->facts.by, u->user, &n) : NULL;
        if (!u->counts || !s->times[i]) continue;
        for (size_t k = 0; k <= n; k++) {
            size_t g = k ? of[k - 1] + 1 : 0;
            s->sums[2 * g] += s->times[i] * u->term;
            s->sums[2 * g + 1] += s->times[i] * u->weight;
        }
    }
    for (size_t g = 0; g <= s->groups; g++) {
        double mean = s->sums[2 * g + 1] > 0 ? s->sums[2 * g] / s->sums[2 * g + 1] : NAN;
        s->values[g * s->draws + draw] = geometric ? exp(mean) : mean;
    }
}

/* The jackknife's sd of a measure of the sampled lists: what leaving out each of up to 200 blocks of them
 * does to it (Efron and Tibshirani 1993, chapter 11). */
static dq_status jackknife(const resampling *s, const dq_shown_sample *sample, double *sd, dq_error *error)
{
    enum { BLOCKS = 200 };
    const dq_measure_pick *p = &s->t->picks.at[s->pick];
    const dq_shown_lists *shown = &s->t->runs[s->run].shown;
    double value[BLOCKS] = {0}, squares = 0;
    size_t lists = 0, blocks;
    for (size_t l = 0; l < shown->list_count; l++) lists += sample->times[l];
    blocks = lists < BLOCKS ? lists : BLOCKS;
    for (size_t b = 0; b < blocks; b++) {
        dq_exposure exposure;
        const dq_shown_sample rest = {s->without, sample->users};
        for (size_t l = 0, n = 0; l < shown->list_count; l++) {
            s->without[l] = sample->times[l] && n % blocks != b;
            n += sample->times[l];
        }
        dq_status status = dq_exposure_init(&exposure, shown, &s->t->facts, dq_run_table_depth(p), &rest,
                                            error);
        if (status) return status;
        value[b] = p->measure->of_run(&exposure);
        dq_exposure_free(&exposure);
    }
    double mean = dq_mean(value, blocks), n = (double)blocks;
    for (size_t b = 0; b < blocks; b++) squares += (value[b] - mean) * (value[b] - mean);
    *sd = n > 1 ? sqrt(squares * (n - 1) / n) : NAN;
    return DQ_OK;
}

/* Draws of a measure of the whole run, normal about its value: of all lists, and of each group's. */
static dq_status draw_lists(resampling *s, dq_rng *rng, dq_error *error)
{
    const dq_measure_pick *p = &s->t->picks.at[s->pick];
    const dq_shown_lists *shown = &s->t->runs[s->run].shown;
    for (size_t g = 0; g <= s->groups; g++) {
        dq_shown_sample sample;
        dq_exposure exposure = {0};
        uint32_t group = g ? (uint32_t)g - 1 : DQ_ALL_USERS;
        dq_status status = dq_shown_sample_init(&sample, shown, &s->t->facts, group, error);
        if (!status)
            status = dq_exposure_init(&exposure, shown, &s->t->facts, dq_run_table_depth(p), &sample, error);
        double about = status ? NAN : p->measure->of_run(&exposure);
        double sd = !status && p->measure->sd_of_run ? p->measure->sd_of_run(&exposure) : 0;
        if (!status && !p->measure->sd_of_run) status = jackknife(s, &sample, &sd, error);
        for (size_t b = 0; b < s->draws && !status; b++)
            s->values[g * s->draws + b] = about + dq_rng_normal(rng) * sd;
        dq_exposure_free(&exposure);
        free(sample.times);
        if (status) return status;
    }
    return DQ_OK;
}

/* The gap between the groups of a draw. */
static void draw_gap(resampling *s, size_t draw)
{
    double least = INFINITY, most = -INFINITY;
    for (size_t g = 1; g <= s->groups; g++) {
        double value = s->values[g * s->draws + draw];
        if (isnan(value)) continue;
        least = fmin(least, value);
        most = fmax(most, value);
    }
    s->values[(s->groups + 1) * s->draws + draw] = most >= least ? most - least : NAN;
}

static dq_status draw_all(resampling *s, uint64_t seed, dq_error *error)
{
    dq_rng rng = dq_rng_new(seed);
    dq_status status = DQ_OK;
    if (s->t->picks.at[s->pick].measure->of_run) status = draw_lists(s, &rng, error);
    for (size_t b = 0; b < s->draws && !status; b++) {
        if (s->count) memset(s->times, 0, s->count * sizeof *s->times);
        for (size_t i = 0; i < s->count; i++) s->times[dq_rng_below(&rng, s->count)]++;
        if (s->count) draw_means(s, b);
        draw_gap(s, b);
    }
    return status;
}

/* How many queries a row of the draws is of, all or a group's: one alone says nothing of how others differ.
 */
static size_t queries_of(const resampling *s, size_t at)
{
    size_t n = 0;
    uint32_t group = at == 0 || at > s->groups ? DQ_ALL_USERS : (uint32_t)at - 1;
    for (size_t i = 0; i < s->count; i++)
        n += s->units[i].counts &&
             (group == DQ_ALL_USERS || dq_attribute_has(&s->t->facts.by, s->units[i].user, group));
    return n;
}

/* The interval of row `at` of the draws; of a measure of the whole run around its value. NAN where most draws
 * have no value, and of a mean of fewer than two queries. */
static dq_interval interval_of_row(resampling *s, size_t at, double value, double confidence)
{
    const dq_measure *m = s->t->picks.at[s->pick].measure;
    double *drawn = s->values + at * s->draws, mean = 0;
    size_t n = 0;
    for (size_t b = 0; b < s->draws; b++)
        if (!isnan(drawn[b])) drawn[n++] = drawn[b];
    if (isnan(value) || 2 * n <= s->draws || (!m->of_run && queries_of(s, at) < 2))
        return (dq_interval){NAN, NAN};
    for (size_t b = 0; b < n; b++) mean += (drawn[b] - drawn[0]) / (double)n; /* 0 of equal ones, exactly */
    mean += drawn[0];
    dq_interval i = dq_interval_of(drawn, n, confidence);
    if (!m->of_run) return i;
    double most = m->unbounded ? INFINITY : 1;
    i.low = fmin(fmax(value + (i.low - mean), 0), most);
    i.high = fmin(value + (i.high - mean), most);
    return i;
}

static dq_status resample_pick(dq_run_table *t, size_t run, size_t pick, const dq_compare_config *config,
                               dq_error *error)
{
    resampling s = {
        .t = t, .run = run, .pick = pick, .groups = dq_run_table_groups(t), .draws = config->resamples};
    dq_run_cell *c = cell_of(t, run, pick);
    dq_status status = make_resampling(&s, error);
    bool any = s.count || t->picks.at[pick].measure->of_run;
    if (!status && any) status = draw_all(&s, config->seed, error);
    for (size_t g = 0; !status && any && g <= s.groups + 1; g++) {
        if (g == 0 && c->has_interval) continue; /* a mean's, of the comparison */
        double value = g == 0              ? c->value
                       : g == s.groups + 1 ? dq_run_table_gap(t, run, pick)
                                           : dq_run_table_group_value(t, run, pick, g - 1);
        dq_interval interval = interval_of_row(&s, g, value, config->confidence);
        if (g > 0 && s.groups)
            t->group_intervals[(run * t->picks.count + pick) * (s.groups + 1) + g - 1] = interval;
        if (g > 0) continue;
        c->has_interval = !isnan(interval.low);
        c->against.interval = interval;
    }
    free_resampling(&s);
    return status;
}

/* Means over all queries have their intervals already. */
static dq_status resample_rest(dq_run_table *t, const dq_compare_config *config, dq_error *error)
{
    size_t groups = dq_run_table_groups(t), n = t->run_count * t->picks.count * (groups + 1);
    dq_status status = DQ_OK;
    if (groups && !(t->group_intervals = calloc(n + 1, sizeof *t->group_intervals)))
        return dq_fail_memory(error, "%zu groups", groups);
    for (size_t i = 0; groups && i < n; i++) t->group_intervals[i] = (dq_interval){NAN, NAN};
    for (size_t p = 0; p < t->picks.count; p++)
        for (size_t r = 0; r < t->run_count && !status; r++)
            if (dq_measure_has_interval(t->picks.at[p].measure) &&
                (groups || !cell_of(t, r, p)->has_interval))
                status = resample_pick(t, r, p, config, error);
    return status;
}

bool dq_run_table_group_interval(const dq_run_table *t, size_t run, size_t pick, size_t group,
                                 dq_interval *interval)
{
    size_t groups = dq_run_table_groups(t);
    if (!t->group_intervals) return false;
    *interval = t->group_intervals[(run * t->picks.count + pick) * (groups + 1) + group];
    return !isnan(interval->low);
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
    if (!status && config) status = resample_rest(t, config, error);
    return status;
}
