/* SPDX-License-Identifier: MIT */
#include "rollout/outcome.h"

#include "port/files/rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The mean over episodes of what step s brought. */
static double step_mean(const dq_outcomes *o, const dq_outcome *p, size_t step)
{
    return p->by_step[step] / (double)o->episodes;
}

/* ---- labels and counts ---- */

/* A label's name; the last row stands for all that are not in the map. */
static const char *label_name(const dq_outcomes *o, size_t row, size_t *bytes)
{
    *bytes = strlen("other");
    return row + 1 == o->label_count ? "other" : dq_index_id(o->labels, (uint32_t)row, bytes);
}

/* The share of all steps. */
static double label_share(const dq_outcomes *o, const dq_outcome *p, size_t row)
{
    return (double)p->labels[row] / (double)(o->episodes * o->steps);
}

/* Whether an episode was cut off. */
static bool any_cut(const dq_outcomes *o)
{
    bool any = false;
    for (size_t i = 0; i < o->count; i++) any = any || o->at[i].mean.cut;
    return any;
}

/* ---- a table to look at ---- */

static dq_status table_interval(const dq_interval *interval, int digits, dq_sink *out, dq_error *error)
{
    char text[64];
    (void)snprintf(text, sizeof text, "[%.*f, %.*f]", digits, interval->low, digits, interval->high);
    return dq_sink_printf(out, error, "  %-20s", text);
}

static dq_status table_head(const dq_outcomes *o, int width, dq_sink *out, dq_error *error)
{
    dq_status status = dq_sink_printf(out, error, "%-*s  %9s  %-20s  %9s  %9s  %9s", width, "model",
                                      o->catalogue ? "reward" : "return", "interval", "sd", "min", "max");
    if (!status && !o->catalogue) status = dq_sink_printf(out, error, "  %7s", "steps");
    if (!status && any_cut(o)) status = dq_sink_printf(out, error, "  %7s", "cut off");
    for (size_t l = 0; l < dq_outcomes_labels(o) && !status; l++) {
        size_t n;
        const char *name = label_name(o, l, &n);
        status = dq_sink_printf(out, error, "  %8.*s", (int)n, name);
    }
    for (size_t c = 0; c < o->counter_count && !status; c++)
        status = dq_sink_printf(out, error, "  %9s", o->counters[c]);
    if (!status && o->count > 1)
        status = dq_sink_printf(out, error, "  %9s  %-20s  %6s  improvement", "differs", "interval", "p");
    return status ? status : dq_sink_printf(out, error, "\n");
}

static dq_status table_comparison(const dq_outcome *p, int digits, dq_sink *out, dq_error *error)
{
    dq_status status = dq_sink_printf(out, error, "  %+9.*f", digits, p->score.compared.difference);
    if (!status) status = table_interval(&p->score.compared.difference_interval, digits, out, error);
    if (!status) status = dq_sink_printf(out, error, "  %6.4f", p->score.compared.p);
    return status || isnan(p->percent) ? status : dq_sink_printf(out, error, "  %+.1f%%", p->percent);
}

static dq_status table_row(const dq_outcomes *o, const dq_outcome *p, int width, dq_sink *out,
                           dq_error *error)
{
    int digits = o->catalogue ? 4 : 3;
    dq_status status = dq_sink_printf(out, error, "%-*s  %9.*f", width, p->name, digits, p->score.mean);
    if (!status) status = table_interval(&p->score.compared.interval, digits, out, error);
    if (!status)
        status = dq_sink_printf(out, error, "  %9.*f  %9.*f  %9.*f", digits, p->score.sd, digits,
                                p->score.min, digits, p->score.max);
    if (!status && !o->catalogue) status = dq_sink_printf(out, error, "  %7.1f", p->mean.steps);
    if (!status && any_cut(o)) status = dq_sink_printf(out, error, "  %7zu", p->mean.cut);
    for (size_t l = 0; l < dq_outcomes_labels(o) && !status; l++)
        status = dq_sink_printf(out, error, "  %7.1f%%", 100 * label_share(o, p, l));
    for (size_t c = 0; c < o->counter_count && !status; c++)
        status = dq_sink_printf(out, error, "  %9.3f", p->mean.counted[c]);
    if (!status && p->compared) status = table_comparison(p, digits, out, error);
    return status ? status : dq_sink_printf(out, error, "\n");
}

static dq_status table_steps(const dq_outcomes *o, dq_sink *out, dq_error *error)
{
    dq_status status = dq_sink_printf(out, error, "\nstep");
    for (size_t i = 0; i < o->count && !status; i++)
        status = dq_sink_printf(out, error, "  %*s", 9, o->at[i].name);
    for (size_t s = 0; s < o->steps && !status; s++) {
        status = dq_sink_printf(out, error, "\n%4zu", s + 1);
        for (size_t i = 0; i < o->count && !status; i++) {
            int width = (int)strlen(o->at[i].name);
            status = dq_sink_printf(out, error, "  %*.4f", width > 9 ? width : 9, step_mean(o, &o->at[i], s));
        }
    }
    return status ? status : dq_sink_printf(out, error, "\n");
}

/* ---- TSV: model, measure, at, value ---- */

/* No row for a NAN; at 0: "all". */
static dq_status tsv_line(dq_sink *out, const char *model, const char *measure, size_t bytes, size_t at,
                          double value, dq_error *error)
{
    char text[32], where[24] = "all";
    if (isnan(value)) return DQ_OK;
    dq_rows_number(value, text);
    if (at) (void)snprintf(where, sizeof where, "%zu", at);
    dq_status status = dq_rows_write_text(out, model, strlen(model), error);
    if (!status) status = dq_sink_printf(out, error, "\t");
    if (!status) status = dq_rows_write_text(out, measure, bytes, error);
    return status ? status : dq_sink_printf(out, error, "\t%s\t%s\n", where, text);
}

static dq_status tsv_summary(const dq_outcome *p, dq_sink *out, dq_error *error)
{
    const struct {
        const char *name;
        double value;
    } rows[] = {{"mean", p->score.mean},
                {"low", p->score.compared.interval.low},
                {"high", p->score.compared.interval.high},
                {"sd", p->score.sd},
                {"min", p->score.min},
                {"max", p->score.max},
                {"steps", p->mean.steps},
                {"cut", (double)p->mean.cut},
                {"discounted", p->mean.discounted},
                {"value", p->mean.value},
                {"difference", p->score.compared.difference},
                {"difference_low", p->score.compared.difference_interval.low},
                {"difference_high", p->score.compared.difference_interval.high},
                {"p", p->score.compared.p},
                {"improvement_percent", p->percent}};
    dq_status status = DQ_OK;
    for (size_t i = 0; i < (p->compared ? 15U : 10U) && !status; i++)
        status = tsv_line(out, p->name, rows[i].name, strlen(rows[i].name), 0, rows[i].value, error);
    return status;
}

static dq_status tsv_model(const dq_outcomes *o, const dq_outcome *p, dq_sink *out, dq_error *error)
{
    dq_status status = tsv_summary(p, out, error);
    for (size_t l = 0; l < dq_outcomes_labels(o) && !status; l++) {
        char name[160];
        size_t n;
        const char *label = label_name(o, l, &n);
        (void)snprintf(name, sizeof name, "share_%.*s", (int)n, label);
        status = tsv_line(out, p->name, name, strlen(name), 0, label_share(o, p, l), error);
    }
    for (size_t c = 0; c < o->counter_count && !status; c++)
        status = tsv_line(out, p->name, o->counters[c], strlen(o->counters[c]), 0, p->mean.counted[c], error);
    for (size_t s = 0; o->shows_steps && s < o->steps && !status; s++)
        status = tsv_line(out, p->name, "step", 4, s + 1, step_mean(o, p, s), error);
    for (size_t e = 0; o->shows_episodes && e < o->episodes && !status; e++)
        status = tsv_line(out, p->name, "episode", 7, e + 1, dq_outcome_score(o, (size_t)(p - o->at), e),
                          error);
    return status;
}

/* ---- JSON, one object a model ---- */

static bool put(dq_arena *arena, dq_value *map, const char *key, double value)
{
    return dq_map_set(arena, map, key, dq_real_or_nil(value));
}

static bool put_interval(dq_arena *arena, dq_value *map, const char *key, const dq_interval *interval)
{
    dq_value list = dq_list();
    return dq_list_add(arena, &list, dq_real(interval->low)) &&
           dq_list_add(arena, &list, dq_real(interval->high)) && dq_map_set(arena, map, key, list);
}

static bool put_summary(const dq_outcomes *o, const dq_outcome *p, dq_arena *arena, dq_value *map)
{
    bool done = dq_map_set(arena, map, "model", dq_string(arena, p->name)) &&
                dq_map_set(arena, map, "episodes", dq_int((int64_t)o->episodes)) &&
                put(arena, map, "mean", p->score.mean) &&
                put_interval(arena, map, "interval", &p->score.compared.interval) &&
                put(arena, map, "sd", p->score.sd) && put(arena, map, "min", p->score.min) &&
                put(arena, map, "max", p->score.max) && put(arena, map, "steps", p->mean.steps) &&
                dq_map_set(arena, map, "cut", dq_int((int64_t)p->mean.cut)) &&
                put(arena, map, "discounted", p->mean.discounted) && put(arena, map, "value", p->mean.value);
    if (!done || !p->compared) return done;
    return put(arena, map, "difference", p->score.compared.difference) &&
           put_interval(arena, map, "difference_interval", &p->score.compared.difference_interval) &&
           put(arena, map, "p", p->score.compared.p) && put(arena, map, "improvement_percent", p->percent);
}

/* Shares of labels, or an environment's counts; nothing where there are none. */
static bool put_counts(const dq_outcomes *o, const dq_outcome *p, dq_arena *arena, dq_value *map)
{
    dq_value labels = dq_map(), counts = dq_map();
    bool done = true;
    for (size_t l = 0; l < dq_outcomes_labels(o) && done; l++) {
        size_t n;
        const char *name = label_name(o, l, &n), *key = dq_arena_text(arena, name, n);
        done = key && put(arena, &labels, key, label_share(o, p, l));
    }
    for (size_t c = 0; c < o->counter_count && done; c++)
        done = put(arena, &counts, o->counters[c], p->mean.counted[c]);
    if (labels.count) done = done && dq_map_set(arena, map, "labels", labels);
    return counts.count ? done && dq_map_set(arena, map, "counts", counts) : done;
}

static bool put_model(const dq_outcomes *o, const dq_outcome *p, dq_arena *arena, dq_value *map)
{
    dq_value steps = dq_list(), episodes = dq_list();
    bool done = put_summary(o, p, arena, map) && put_counts(o, p, arena, map);
    for (size_t s = 0; o->shows_steps && s < o->steps && done; s++)
        done = dq_list_add(arena, &steps, dq_real(step_mean(o, p, s)));
    for (size_t e = 0; o->shows_episodes && e < o->episodes && done; e++)
        done = dq_list_add(arena, &episodes, dq_real(dq_outcome_score(o, (size_t)(p - o->at), e)));
    if (o->shows_steps) done = done && dq_map_set(arena, map, "by_step", steps);
    return o->shows_episodes ? done && dq_map_set(arena, map, "by_episode", episodes) : done;
}

static dq_status json_model(const dq_outcomes *o, const dq_outcome *p, dq_sink *out, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value map = dq_map();
    dq_status status = put_model(o, p, &arena, &map) ? dq_rows_write_json(out, &map, error)
                                                     : dq_fail_memory(error, "the results");
    dq_arena_free(&arena);
    return status;
}

/* ---- all ---- */

static int name_width(const dq_outcomes *o)
{
    size_t width = strlen("model");
    for (size_t i = 0; i < o->count; i++)
        if (strlen(o->at[i].name) > width) width = strlen(o->at[i].name);
    return (int)width;
}

dq_status dq_outcomes_print(const dq_outcomes *outcomes, dq_outcomes_form form, dq_sink *out, dq_error *error)
{
    const dq_outcomes *o = outcomes;
    int width = name_width(o);
    dq_status status = DQ_OK;
    if (form == DQ_OUTCOMES_TABLE) status = table_head(o, width, out, error);
    if (form == DQ_OUTCOMES_TSV) status = dq_sink_printf(out, error, "model\tmeasure\tat\tvalue\n");
    for (size_t i = 0; i < o->count && !status; i++) {
        const dq_outcome *p = &o->at[i];
        status = form == DQ_OUTCOMES_TABLE ? table_row(o, p, width, out, error)
                 : form == DQ_OUTCOMES_TSV ? tsv_model(o, p, out, error)
                                           : json_model(o, p, out, error);
    }
    if (!status && form == DQ_OUTCOMES_TABLE && o->shows_steps) status = table_steps(o, out, error);
    return status;
}
