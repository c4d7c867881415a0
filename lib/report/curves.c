/* SPDX-License-Identifier: MIT */
#include "report/curves.h"

#include "core/array.h"
#include "dq/source.h"
#include "port/files/json.h"
#include "port/files/rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_POINTS = 10000000 };

#define ANY      -INFINITY, INFINITY
#define POSITIVE 0, INFINITY
#define SHARE    0, 1

static const dq_curves_metric known[] = {
    {"reward", "Reward per step", "reward", ANY},
    {"cumulative_reward", "Cumulative reward", "reward", ANY},
    {"q_loss", "Q-network loss", "loss", POSITIVE},
    {"world_loss", "World-model loss", "loss", POSITIVE},
    {"planning_loss", "Planning loss", "loss", POSITIVE},
    {"validation_loss", "Validation loss", "loss", POSITIVE},
    {"validation_concordance", "Held-out pairs in order", "share of pairs", SHARE},
    {"validation_ndcg", "Held-out NDCG@10", "NDCG@10", SHARE},
    {"validation_hit", "Held-out hit rate @10", "share of users", SHARE},
    {"return", "Return", "return", ANY},
    {"evaluation_return", "Return without exploring", "return", ANY},
    {"steps", "Steps of an episode", "steps", POSITIVE},
    {"epsilon", "Exploration", "share of steps", SHARE},
    {"evaluation_steps", "Steps of an episode without exploring", "steps", POSITIVE},
    {"evaluation_value", "Q at the start without exploring", "return", ANY},
    {"evaluation_discounted", "Discounted return without exploring", "return", ANY},
    {"success", "Success rate", "share of episodes", SHARE},
    {"errors", "Errors an episode", "errors", POSITIVE},
    {"distracted", "Distractors chosen an episode", "choices", POSITIVE},
    {"clicks", "Clicks an episode", "clicks", POSITIVE},
    {"finished", "Watched to the end an episode", "items", POSITIVE},
};

/* The first so many are drawn when nothing is asked for. */
enum { KNOWN = sizeof known / sizeof known[0], USUAL = 11 };

static dq_curves_metric describe(const char *key)
{
    for (size_t i = 0; i < KNOWN; i++)
        if (strcmp(known[i].key, key) == 0) return known[i];
    return (dq_curves_metric){key, key, "", ANY};
}

dq_status dq_curves_open(dq_curves *c, const char *const *keys, size_t count, dq_error *error)
{
    *c = (dq_curves){.metric_count = count ? count : USUAL};
    if (count > DQ_CURVES_MAX) return dq_fail(error, DQ_ERR_RANGE, "more than %d metrics", DQ_CURVES_MAX);
    c->reward = c->cumulative = c->metric_count;
    for (size_t m = 0; m < c->metric_count; m++) {
        c->metrics[m] = count ? describe(keys[m]) : known[m];
        if (strcmp(c->metrics[m].key, "reward") == 0) c->reward = m;
        if (strcmp(c->metrics[m].key, "cumulative_reward") == 0) c->cumulative = m;
    }
    return DQ_OK;
}

static dq_status short_of_memory(dq_error *error)
{
    return dq_fail_memory(error, "learning curves");
}

/* The run of a file and a user, made when it is new. */
static dq_status find_run(dq_curves *c, const char *path, const dq_value *user, uint32_t group,
                          dq_curves_run **run, dq_error *error)
{
    char key[1024];
    bool fresh, named = user && user->type == DQ_STRING;
    uint32_t row = 0;
    int n = snprintf(key, sizeof key, "%s\n%u\n%.*s", path, group, named ? (int)user->count : 0,
                     named ? user->as.string : "");
    if (n < 0 || (size_t)n >= sizeof key) return dq_fail(error, DQ_ERR_RANGE, "a user's id of %d bytes", n);
    dq_status status = dq_index_add(&c->keys, key, (size_t)n, &row, &fresh, error);
    if (status) return status;
    if (fresh) {
        if (!dq_array_resize(&c->runs, (size_t)row + 1, sizeof *c->runs)) return short_of_memory(error);
        c->runs[row] = (dq_curves_run){.group = group};
        c->run_count = row + 1U;
    }
    *run = &c->runs[row];
    return DQ_OK;
}

static dq_status reserve(const dq_curves *c, dq_curves_run *run, size_t points, dq_error *error)
{
    if (points > run->points) run->points = points;
    size_t capacity = dq_array_capacity(run->capacity, points);
    if (capacity == run->capacity) return DQ_OK;
    for (size_t m = 0; m < c->metric_count; m++) {
        if (!dq_array_resize(&run->y[m], capacity, sizeof *run->y[m])) return short_of_memory(error);
        for (size_t i = run->capacity; i < capacity; i++) run->y[m][i] = (double)NAN;
    }
    run->capacity = capacity;
    return DQ_OK;
}

static dq_status take_line(dq_curves *c, const char *path, uint32_t group, const dq_value *line,
                           dq_error *error)
{
    dq_curves_run *run;
    const char *unit = dq_map_get(line, "episode") ? "episode" : "epoch";
    int64_t x = dq_value_integer(dq_map_get(line, unit), -1);
    if (line->type != DQ_MAP || x < 0 || x > MOST_POINTS)
        return dq_fail(error, DQ_ERR_FORMAT, "not a line of a log: an object with an episode or an epoch");
    if (c->unit && strcmp(c->unit, unit) != 0)
        return dq_fail(error, DQ_ERR_SCHEMA, "a log by %s among logs by %s", unit, c->unit);
    c->unit = unit;
    dq_status status = find_run(c, path, dq_map_get(line, "user"), group, &run, error);
    if (!status) status = reserve(c, run, (size_t)x + 1, error);
    if (status) return status;
    for (size_t m = 0; m < c->metric_count; m++) { /* an evaluation's line adds to the episode's */
        double y = dq_value_number(dq_map_get(line, c->metrics[m].key), (double)NAN);
        if (fabs(y) < 1e100) run->y[m][x] = y; /* what a picture can hold */
    }
    double reward = dq_value_number(dq_map_get(line, "reward"), (double)NAN);
    double steps = dq_value_number(dq_map_get(line, "steps"), 1);
    if (c->cumulative < c->metric_count && !isnan(reward))
        run->y[c->cumulative][x] = reward * steps; /* summed when all is read */
    return DQ_OK;
}

static dq_status read_lines(dq_curves *c, dq_source *source, const char *path, uint32_t group,
                            dq_error *error)
{
    dq_status status = DQ_OK;
    for (uint64_t number = 1; !status; number++) {
        char *text;
        size_t bytes;
        dq_arena arena = DQ_ARENA_EMPTY;
        dq_value line;
        status = dq_source_line(source, &text, &bytes, error);
        if (status || !text) return status;
        status = dq_json_parse(text, bytes, &arena, &line, error);
        if (!status) status = take_line(c, path, group, &line, error);
        if (status) (void)dq_error_at(error, dq_source_name(source), number);
        dq_arena_free(&arena);
    }
    return status;
}

const char *dq_curves_file(const char *operand, size_t *name)
{
    const char *equals = strchr(operand, '='), *slash = strchr(operand, '/');
    bool named = equals && equals != operand && (!slash || equals < slash);
    *name = named ? (size_t)(equals - operand) : 0;
    return named ? equals + 1 : operand;
}

dq_status dq_curves_read(dq_curves *c, const char *operand, dq_error *error)
{
    size_t name;
    const char *path = dq_curves_file(operand, &name);
    dq_source *source;
    uint32_t group = 0;
    dq_status status = dq_index_add(&c->groups, operand, name, &group, NULL, error);
    if (!status) status = dq_source_open(&source, path, error);
    if (status) return status;
    size_t before = c->run_count;
    status = read_lines(c, source, path, group, error);
    if (!status && c->run_count == before) {
        (void)dq_fail(error, DQ_ERR_TRUNCATED, "no line of a log in it, or read already");
        status = dq_error_at(error, dq_source_name(source), DQ_NO_RECORD);
    }
    dq_source_close(source);
    return status;
}

/* Each point becomes the mean of the last `window` points that are there. */
static void smooth_run(double *y, size_t n, size_t window, double *scratch)
{
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        size_t from = i + 1 > window ? i + 1 - window : 0, have = 0;
        for (size_t k = from; k <= i; k++)
            if (!isnan(y[k])) sum += y[k], have++;
        scratch[i] = isnan(y[i]) ? y[i] : sum / (double)have;
    }
    memcpy(y, scratch, n * sizeof *y);
}

static dq_status nothing_drawn(const dq_curves *c, dq_error *error)
{
    char names[256] = "";
    size_t used = 0;
    for (size_t m = 0; m < c->metric_count && used < sizeof names; m++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", m ? ", " : "", c->metrics[m].key);
    return dq_fail(error, DQ_ERR_SCHEMA, "the logs have nothing that is drawn: %s", names);
}

static void sum_up(double *y, size_t points)
{
    double sum = 0;
    for (size_t i = 0; i < points; i++)
        if (!isnan(y[i])) y[i] = sum += y[i];
}

dq_status dq_curves_finish(dq_curves *c, size_t smooth, dq_error *error)
{
    bool any = false;
    for (size_t r = 0; r < c->run_count; r++)
        if (c->runs[r].points > c->points) c->points = c->runs[r].points;
    for (size_t m = 0; m < c->metric_count; m++) any = any || dq_curves_have(c, DQ_ABSENT, m);
    if (!any) return nothing_drawn(c, error);
    double *scratch = malloc((c->points + 1) * sizeof *scratch);
    if (!scratch) return short_of_memory(error);
    for (size_t r = 0; r < c->run_count; r++) {
        dq_curves_run *run = &c->runs[r];
        if (c->cumulative < c->metric_count) sum_up(run->y[c->cumulative], run->points);
        for (size_t m = 0; smooth > 1 && m < c->metric_count; m++)
            if (m != c->cumulative) smooth_run(run->y[m], run->points, smooth, scratch);
    }
    free(scratch);
    return DQ_OK;
}

dq_status dq_curves_mean(const dq_curves *c, uint32_t group, size_t metric, dq_curve_mean *mean,
                         dq_error *error)
{
    size_t n = 0;
    dq_curve *runs = malloc((c->run_count + 1) * sizeof *runs);
    *mean = (dq_curve_mean){0};
    if (!runs) return short_of_memory(error);
    for (size_t r = 0; r < c->run_count; r++)
        if (c->runs[r].group == group) runs[n++] = (dq_curve){c->runs[r].y[metric], c->runs[r].points};
    dq_status status = dq_curve_average(runs, n, mean, error);
    free(runs);
    return status;
}

bool dq_curves_have(const dq_curves *c, uint32_t group, size_t metric)
{
    for (size_t r = 0; r < c->run_count; r++)
        for (size_t i = 0; i < c->runs[r].points; i++)
            if ((group == DQ_ABSENT || c->runs[r].group == group) && !isnan(c->runs[r].y[metric][i]))
                return true;
    return false;
}

static dq_status print_mean(const dq_curves *c, uint32_t group, size_t metric, dq_sink *out, dq_error *error)
{
    dq_curve_mean mean;
    size_t bytes;
    const char *name = dq_index_id(&c->groups, group, &bytes);
    dq_status status = dq_curves_mean(c, group, metric, &mean, error);
    for (size_t i = 0; i < mean.count && !status; i++) {
        const dq_curve_point *p = &mean.points[i];
        status = dq_rows_write_text(out, name, bytes, error);
        if (!status)
            status = dq_sink_printf(out, error, "\t%s\t%zu\t%.9g\t%.9g\t%u\n", c->metrics[metric].key, p->at,
                                    p->mean, p->sd, p->runs);
    }
    dq_curve_mean_free(&mean);
    return status;
}

dq_status dq_curves_print_tsv(const dq_curves *c, dq_sink *out, dq_error *error)
{
    dq_status status = dq_sink_printf(out, error, "group\tmetric\t%s\tmean\tsd\truns\n", c->unit);
    for (uint32_t g = 0; g < dq_index_count(&c->groups); g++)
        for (size_t m = 0; m < c->metric_count && !status; m++) status = print_mean(c, g, m, out, error);
    return status;
}

void dq_curves_free(dq_curves *c)
{
    for (size_t r = 0; r < c->run_count; r++)
        for (size_t m = 0; m < c->metric_count; m++) free(c->runs[r].y[m]);
    free(c->runs);
    dq_index_free(&c->groups);
    dq_index_free(&c->keys);
    *c = (dq_curves){0};
}
