/* SPDX-License-Identifier: MIT */
#include "verdict/acted.h"

#include "dq/value.h"
#include "port/files/rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All of it. */
typedef struct printing {
    const dq_acted *acted; /* (count) */
    size_t count;
    const dq_acted_form *form;
} printing;

/* The mean over episodes of what step s brought. */
static double step_mean(const printing *run, const dq_acted *p, size_t step)
{
    return p->by_step[step] / (double)run->form->episodes;
}

/* ---- labels and counts ---- */

/* A label's name; the last row stands for all that are not in the map. */
static const char *label_name(const printing *run, size_t row, size_t *bytes)
{
    *bytes = strlen("other");
    return row == dq_index_count(run->form->labels) ? "other"
                                                    : dq_index_id(run->form->labels, (uint32_t)row, bytes);
}

/* The share of all steps. */
static double label_share(const printing *run, const dq_acted *p, size_t row)
{
    return (double)p->labels[row] / run->form->steps_in_all;
}

/* Whether an episode was cut off. */
static bool any_cut(const printing *run)
{
    bool any = false;
    for (size_t i = 0; i < run->count; i++) any = any || run->acted[i].cut;
    return any;
}

/* ---- a table to look at ---- */

static dq_status table_interval(const dq_interval *interval, int digits, dq_sink *out, dq_error *error)
{
    char text[64];
    (void)snprintf(text, sizeof text, "[%.*f, %.*f]", digits, interval->low, digits, interval->high);
    return dq_sink_printf(out, error, "  %-20s", text);
}

static dq_status table_head(const printing *run, int width, dq_sink *out, dq_error *error)
{
    dq_status status = dq_sink_printf(out, error, "%-*s  %9s  %-20s  %9s  %9s  %9s", width, "model",
                                      run->form->head, "interval", "sd", "min", "max");
    if (!status && run->form->lengths) status = dq_sink_printf(out, error, "  %7s", "steps");
    if (!status && any_cut(run)) status = dq_sink_printf(out, error, "  %7s", "cut off");
    for (size_t l = 0; l < run->form->label_count && !status; l++) {
        size_t n;
        const char *name = label_name(run, l, &n);
        status = dq_sink_printf(out, error, "  %8.*s", (int)n, name);
    }
    for (size_t c = 0; c < run->form->counter_count && !status; c++)
        status = dq_sink_printf(out, error, "  %9s", run->form->counters[c]);
    if (!status && run->count > 1)
        status = dq_sink_printf(out, error, "  %9s  %-20s  %6s  improvement", "differs", "interval", "p");
    return status ? status : dq_sink_printf(out, error, "\n");
}

static dq_status table_comparison(const dq_acted *p, int digits, dq_sink *out, dq_error *error)
{
    dq_status status = dq_sink_printf(out, error, "  %+9.*f", digits, p->score->compared.difference);
    if (!status) status = table_interval(&p->score->compared.difference_interval, digits, out, error);
    if (!status) status = dq_sink_printf(out, error, "  %6.4f", p->score->compared.p);
    return status || isnan(p->percent) ? status : dq_sink_printf(out, error, "  %+.1f%%", p->percent);
}

static dq_status table_row(const printing *run, const dq_acted *p, int width, dq_sink *out, dq_error *error)
{
    int digits = run->form->digits;
    dq_status status = dq_sink_printf(out, error, "%-*s  %9.*f", width, p->name, digits, p->score->mean);
    if (!status) status = table_interval(&p->score->compared.interval, digits, out, error);
    if (!status)
        status = dq_sink_printf(out, error, "  %9.*f  %9.*f  %9.*f", digits, p->score->sd, digits,
                                p->score->min, digits, p->score->max);
    if (!status && run->form->lengths) status = dq_sink_printf(out, error, "  %7.1f", p->steps);
    if (!status && any_cut(run)) status = dq_sink_printf(out, error, "  %7zu", p->cut);
    for (size_t l = 0; l < run->form->label_count && !status; l++)
        status = dq_sink_printf(out, error, "  %7.1f%%", 100 * label_share(run, p, l));
    for (size_t c = 0; c < run->form->counter_count && !status; c++)
        status = dq_sink_printf(out, error, "  %9.3f", p->counted[c]);
    if (!status && p->compared) status = table_comparison(p, digits, out, error);
    return status ? status : dq_sink_printf(out, error, "\n");
}

static dq_status table_steps(const printing *run, dq_sink *out, dq_error *error)
{
    dq_status status = dq_sink_printf(out, error, "\nstep");
    for (size_t i = 0; i < run->count && !status; i++)
        status = dq_sink_printf(out, error, "  %*s", 9, run->acted[i].name);
    for (size_t s = 0; s < run->form->steps && !status; s++) {
        status = dq_sink_printf(out, error, "\n%4zu", s + 1);
        for (size_t i = 0; i < run->count && !status; i++) {
            int width = (int)strlen(run->acted[i].name);
            status = dq_sink_printf(out, error, "  %*.4f", width > 9 ? width : 9,
                                    step_mean(run, &run->acted[i], s));
        }
    }
    return status ? status : dq_sink_printf(out, error, "\n");
}

/* ---- TSV: model, measure, at, value ---- */

/* at: a step or an episode; "all" for 0. No row for a NAN. */
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

static dq_status tsv_summary(const dq_acted *p, dq_sink *out, dq_error *error)
{
    const struct {
        const char *name;
        double value;
    } rows[] = {{"mean", p->score->mean},
                {"low", p->score->compared.interval.low},
                {"high", p->score->compared.interval.high},
                {"sd", p->score->sd},
                {"min", p->score->min},
                {"max", p->score->max},
                {"steps", p->steps},
                {"cut", (double)p->cut},
                {"discounted", p->discounted},
                {"value", p->value},
                {"difference", p->score->compared.difference},
                {"difference_low", p->score->compared.difference_interval.low},
                {"difference_high", p->score->compared.difference_interval.high},
                {"p", p->score->compared.p},
                {"improvement_percent", p->percent}};
    dq_status status = DQ_OK;
    for (size_t i = 0; i < (p->compared ? 15U : 10U) && !status; i++)
        status = tsv_line(out, p->name, rows[i].name, strlen(rows[i].name), 0, rows[i].value, error);
    return status;
}

static dq_status tsv_model(const printing *run, const dq_acted *p, dq_sink *out, dq_error *error)
{
    dq_status status = tsv_summary(p, out, error);
    for (size_t l = 0; l < run->form->label_count && !status; l++) {
        char name[160];
        size_t n;
        const char *label = label_name(run, l, &n);
        (void)snprintf(name, sizeof name, "share_%.*s", (int)n, label);
        status = tsv_line(out, p->name, name, strlen(name), 0, label_share(run, p, l), error);
    }
    for (size_t c = 0; c < run->form->counter_count && !status; c++)
        status = tsv_line(out, p->name, run->form->counters[c], strlen(run->form->counters[c]), 0,
                          p->counted[c], error);
    for (size_t s = 0; s < run->form->steps && !status; s++)
        status = tsv_line(out, p->name, "step", 4, s + 1, step_mean(run, p, s), error);
    for (size_t e = 0; run->form->by_episode && e < run->form->episodes && !status; e++)
        status = tsv_line(out, p->name, "episode", 7, e + 1, p->scores[e], error);
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

static bool put_summary(const printing *run, const dq_acted *p, dq_arena *arena, dq_value *map)
{
    bool done = dq_map_set(arena, map, "model", dq_string(arena, p->name)) &&
                dq_map_set(arena, map, "episodes", dq_int((int64_t)run->form->episodes)) &&
                put(arena, map, "mean", p->score->mean) &&
                put_interval(arena, map, "interval", &p->score->compared.interval) &&
                put(arena, map, "sd", p->score->sd) && put(arena, map, "min", p->score->min) &&
                put(arena, map, "max", p->score->max) && put(arena, map, "steps", p->steps) &&
                dq_map_set(arena, map, "cut", dq_int((int64_t)p->cut)) &&
                put(arena, map, "discounted", p->discounted) && put(arena, map, "value", p->value);
    if (!done || !p->compared) return done;
    return put(arena, map, "difference", p->score->compared.difference) &&
           put_interval(arena, map, "difference_interval", &p->score->compared.difference_interval) &&
           put(arena, map, "p", p->score->compared.p) && put(arena, map, "improvement_percent", p->percent);
}

/* Shares of labels, or an environment's counts; nothing where there are none. */
static bool put_counts(const printing *run, const dq_acted *p, dq_arena *arena, dq_value *map)
{
    dq_value labels = dq_map(), counts = dq_map();
    bool done = true;
    for (size_t l = 0; l < run->form->label_count && done; l++) {
        size_t n;
        const char *name = label_name(run, l, &n), *key = dq_arena_text(arena, name, n);
        done = key && put(arena, &labels, key, label_share(run, p, l));
    }
    for (size_t c = 0; c < run->form->counter_count && done; c++)
        done = put(arena, &counts, run->form->counters[c], p->counted[c]);
    if (labels.count) done = done && dq_map_set(arena, map, "labels", labels);
    return counts.count ? done && dq_map_set(arena, map, "counts", counts) : done;
}

static bool put_model(const printing *run, const dq_acted *p, dq_arena *arena, dq_value *map)
{
    dq_value steps = dq_list(), episodes = dq_list();
    bool done = put_summary(run, p, arena, map) && put_counts(run, p, arena, map);
    for (size_t s = 0; s < run->form->steps && done; s++)
        done = dq_list_add(arena, &steps, dq_real(step_mean(run, p, s)));
    for (size_t e = 0; run->form->by_episode && e < run->form->episodes && done; e++)
        done = dq_list_add(arena, &episodes, dq_real(p->scores[e]));
    if (run->form->steps) done = done && dq_map_set(arena, map, "by_step", steps);
    return run->form->by_episode ? done && dq_map_set(arena, map, "by_episode", episodes) : done;
}

static dq_status json_model(const printing *run, const dq_acted *p, dq_sink *out, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value map = dq_map();
    dq_status status = put_model(run, p, &arena, &map) ? dq_rows_write_json(out, &map, error)
                                                       : dq_fail_memory(error, "the results");
    dq_arena_free(&arena);
    return status;
}

/* ---- all ---- */

static int name_width(const printing *run)
{
    size_t width = strlen("model");
    for (size_t i = 0; i < run->count; i++)
        if (strlen(run->acted[i].name) > width) width = strlen(run->acted[i].name);
    return (int)width;
}

dq_status dq_acted_print(const dq_acted *acted, size_t count, const dq_acted_form *form,
                         dq_acted_format format, dq_sink *out, dq_error *error)
{
    const printing played = {acted, count, form}, *run = &played;
    int width = name_width(run);
    dq_status status = DQ_OK;
    if (format == DQ_ACTED_TABLE) status = table_head(run, width, out, error);
    if (format == DQ_ACTED_TSV) status = dq_sink_printf(out, error, "model\tmeasure\tat\tvalue\n");
    for (size_t i = 0; i < count && !status; i++)
        status = format == DQ_ACTED_TABLE ? table_row(run, &acted[i], width, out, error)
                 : format == DQ_ACTED_TSV ? tsv_model(run, &acted[i], out, error)
                                          : json_model(run, &acted[i], out, error);
    if (!status && format == DQ_ACTED_TABLE && form->steps) status = table_steps(run, out, error);
    return status;
}
