/* SPDX-License-Identifier: MIT
 *
 * What roll-outs came to: scores by model, with what a catalogue's labels or an environment's counts say, by
 * step and by episode.
 */
#include "rollout.h"

#include "port/files/rows.h"
#include "report/pictures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The mean over episodes of what step s brought. */
static double step_mean(const rollout *run, const policy *p, size_t step)
{
    return p->by_step[step] / (double)run->episodes;
}

/* ---- labels and counts ---- */

/* A label's name; the last row stands for all that are not in the map. */
static const char *label_name(const rollout *run, size_t row, size_t *bytes)
{
    *bytes = strlen("other");
    return row + 1 == run->label_count ? "other" : dq_index_id(&run->map.labels, (uint32_t)row, bytes);
}

/* The share of all steps. */
static double label_share(const rollout *run, const policy *p, size_t row)
{
    return (double)p->labels[row] / (double)(run->episodes * run->steps);
}

/* Labels of the map, and the others when there were any. */
static size_t shown_labels(const rollout *run)
{
    uint64_t others = 0;
    if (!run->catalogue || !dq_user_rewards_labelled(run->rewards)) return 0;
    for (size_t i = 0; i < run->policy_count; i++) others += run->policies[i].labels[run->label_count - 1];
    return run->label_count - (others == 0);
}

/* Whether an episode was cut off. */
static bool any_cut(const rollout *run)
{
    bool any = false;
    for (size_t i = 0; i < run->policy_count; i++) any = any || run->policies[i].mean.cut;
    return any;
}

/* ---- a table to look at ---- */

static dq_status table_interval(const dq_interval *interval, int digits, dq_sink *out, dq_error *error)
{
    char text[64];
    (void)snprintf(text, sizeof text, "[%.*f, %.*f]", digits, interval->low, digits, interval->high);
    return dq_sink_printf(out, error, "  %-20s", text);
}

static dq_status table_head(const rollout *run, int width, dq_sink *out, dq_error *error)
{
    dq_status status = dq_sink_printf(out, error, "%-*s  %9s  %-20s  %9s  %9s  %9s", width, "model",
                                      run->catalogue ? "reward" : "return", "interval", "sd", "min", "max");
    if (!status && !run->catalogue) status = dq_sink_printf(out, error, "  %7s", "steps");
    if (!status && any_cut(run)) status = dq_sink_printf(out, error, "  %7s", "cut off");
    for (size_t l = 0; l < shown_labels(run) && !status; l++) {
        size_t n;
        const char *name = label_name(run, l, &n);
        status = dq_sink_printf(out, error, "  %8.*s", (int)n, name);
    }
    for (size_t c = 0; c < run->counter_count && !status; c++)
        status = dq_sink_printf(out, error, "  %9s", run->counters[c]);
    if (!status && run->policy_count > 1)
        status = dq_sink_printf(out, error, "  %9s  %-20s  %6s  improvement", "differs", "interval", "p");
    return status ? status : dq_sink_printf(out, error, "\n");
}

static dq_status table_comparison(const policy *p, int digits, dq_sink *out, dq_error *error)
{
    dq_status status = dq_sink_printf(out, error, "  %+9.*f", digits, p->score.compared.difference);
    if (!status) status = table_interval(&p->score.compared.difference_interval, digits, out, error);
    if (!status) status = dq_sink_printf(out, error, "  %6.4f", p->score.compared.p);
    return status || isnan(p->percent) ? status : dq_sink_printf(out, error, "  %+.1f%%", p->percent);
}

static dq_status table_row(const rollout *run, const policy *p, int width, dq_sink *out, dq_error *error)
{
    int digits = run->catalogue ? 4 : 3;
    dq_status status = dq_sink_printf(out, error, "%-*s  %9.*f", width, p->name, digits, p->score.mean);
    if (!status) status = table_interval(&p->score.compared.interval, digits, out, error);
    if (!status)
        status = dq_sink_printf(out, error, "  %9.*f  %9.*f  %9.*f", digits, p->score.sd, digits,
                                p->score.min, digits, p->score.max);
    if (!status && !run->catalogue) status = dq_sink_printf(out, error, "  %7.1f", p->mean.steps);
    if (!status && any_cut(run)) status = dq_sink_printf(out, error, "  %7zu", p->mean.cut);
    for (size_t l = 0; l < shown_labels(run) && !status; l++)
        status = dq_sink_printf(out, error, "  %7.1f%%", 100 * label_share(run, p, l));
    for (size_t c = 0; c < run->counter_count && !status; c++)
        status = dq_sink_printf(out, error, "  %9.3f", p->mean.counted[c]);
    if (!status && p->compared) status = table_comparison(p, digits, out, error);
    return status ? status : dq_sink_printf(out, error, "\n");
}

static dq_status table_steps(const rollout *run, dq_sink *out, dq_error *error)
{
    dq_status status = dq_sink_printf(out, error, "\nstep");
    for (size_t i = 0; i < run->policy_count && !status; i++)
        status = dq_sink_printf(out, error, "  %*s", 9, run->policies[i].name);
    for (size_t s = 0; s < run->steps && !status; s++) {
        status = dq_sink_printf(out, error, "\n%4zu", s + 1);
        for (size_t i = 0; i < run->policy_count && !status; i++) {
            int width = (int)strlen(run->policies[i].name);
            status = dq_sink_printf(out, error, "  %*.4f", width > 9 ? width : 9,
                                    step_mean(run, &run->policies[i], s));
        }
    }
    return status ? status : dq_sink_printf(out, error, "\n");
}

/* ---- TSV: model, measure, at, value ---- */

static dq_status tsv_summary(const policy *p, dq_sink *out, dq_error *error)
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
        status = eval_tsv_line(out, p->name, rows[i].name, strlen(rows[i].name), 0, rows[i].value, error);
    return status;
}

static dq_status tsv_model(const rollout *run, const policy *p, dq_sink *out, dq_error *error)
{
    dq_status status = tsv_summary(p, out, error);
    for (size_t l = 0; l < shown_labels(run) && !status; l++) {
        char name[160];
        size_t n;
        const char *label = label_name(run, l, &n);
        (void)snprintf(name, sizeof name, "share_%.*s", (int)n, label);
        status = eval_tsv_line(out, p->name, name, strlen(name), 0, label_share(run, p, l), error);
    }
    for (size_t c = 0; c < run->counter_count && !status; c++)
        status = eval_tsv_line(out, p->name, run->counters[c], strlen(run->counters[c]), 0,
                               p->mean.counted[c], error);
    for (size_t s = 0; run->o->cold_start && s < run->steps && !status; s++)
        status = eval_tsv_line(out, p->name, "step", 4, s + 1, step_mean(run, p, s), error);
    for (size_t e = 0; run->o->by_query && e < run->episodes && !status; e++)
        status = eval_tsv_line(out, p->name, "episode", 7, e + 1, rollout_score(run, p, e), error);
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

static bool put_summary(const rollout *run, const policy *p, dq_arena *arena, dq_value *map)
{
    bool done = dq_map_set(arena, map, "model", dq_string(arena, p->name)) &&
                dq_map_set(arena, map, "episodes", dq_int((int64_t)run->episodes)) &&
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
static bool put_counts(const rollout *run, const policy *p, dq_arena *arena, dq_value *map)
{
    dq_value labels = dq_map(), counts = dq_map();
    bool done = true;
    for (size_t l = 0; l < shown_labels(run) && done; l++) {
        size_t n;
        const char *name = label_name(run, l, &n), *key = dq_arena_text(arena, name, n);
        done = key && put(arena, &labels, key, label_share(run, p, l));
    }
    for (size_t c = 0; c < run->counter_count && done; c++)
        done = put(arena, &counts, run->counters[c], p->mean.counted[c]);
    if (labels.count) done = done && dq_map_set(arena, map, "labels", labels);
    return counts.count ? done && dq_map_set(arena, map, "counts", counts) : done;
}

static bool put_model(const rollout *run, const policy *p, dq_arena *arena, dq_value *map)
{
    dq_value steps = dq_list(), episodes = dq_list();
    bool done = put_summary(run, p, arena, map) && put_counts(run, p, arena, map);
    for (size_t s = 0; run->o->cold_start && s < run->steps && done; s++)
        done = dq_list_add(arena, &steps, dq_real(step_mean(run, p, s)));
    for (size_t e = 0; run->o->by_query && e < run->episodes && done; e++)
        done = dq_list_add(arena, &episodes, dq_real(rollout_score(run, p, e)));
    if (run->o->cold_start) done = done && dq_map_set(arena, map, "by_step", steps);
    return run->o->by_query ? done && dq_map_set(arena, map, "by_episode", episodes) : done;
}

static dq_status json_model(const rollout *run, const policy *p, dq_sink *out, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value map = dq_map();
    dq_status status = put_model(run, p, &arena, &map) ? dq_rows_write_json(out, &map, error)
                                                       : dq_fail_memory(error, "the results");
    dq_arena_free(&arena);
    return status;
}

/* ---- all ---- */

static int name_width(const rollout *run)
{
    size_t width = strlen("model");
    for (size_t i = 0; i < run->policy_count; i++)
        if (strlen(run->policies[i].name) > width) width = strlen(run->policies[i].name);
    return (int)width;
}

dq_status rollout_print(const rollout *run, int format, dq_sink *out, dq_error *error)
{
    int width = name_width(run);
    dq_status status = DQ_OK;
    if (format == EVAL_TABLE) status = table_head(run, width, out, error);
    if (format == EVAL_TSV) status = dq_sink_printf(out, error, "model\tmeasure\tat\tvalue\n");
    for (size_t i = 0; i < run->policy_count && !status; i++) {
        const policy *p = &run->policies[i];
        status = format == EVAL_TABLE ? table_row(run, p, width, out, error)
                 : format == EVAL_TSV ? tsv_model(run, p, out, error)
                                      : json_model(run, p, out, error);
    }
    if (!status && format == EVAL_TABLE && run->o->cold_start) status = table_steps(run, out, error);
    return status;
}

dq_status rollout_figure(const void *played, const eval_options *o, dq_figure *figure, dq_error *error)
{
    const rollout *run = played;
    dq_acted *acted = calloc(run->policy_count, sizeof *acted);
    dq_status status = acted ? DQ_OK : dq_fail_memory(error, "a picture");
    const dq_acted_form form = {.score = run->catalogue ? "mean reward of a step" : "return",
                                .confidence = o->confidence,
                                .episodes = run->episodes,
                                .steps = o->cold_start ? run->steps : 0,
                                .labels = &run->map.labels,
                                .label_count = shown_labels(run),
                                .steps_in_all = (double)(run->episodes * run->steps)};
    for (size_t i = 0; acted && i < run->policy_count; i++) {
        const policy *p = &run->policies[i];
        acted[i] = (dq_acted){p->name, &p->score, p->labels, p->by_step};
    }
    if (!status) status = dq_acted_figure(acted, run->policy_count, &form, figure, error);
    free(acted);
    return status;
}
