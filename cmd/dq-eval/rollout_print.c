/* SPDX-License-Identifier: MIT
 *
 * What roll-outs came to: rewards by model, by step, by episode.
 */
#include "rollout.h"

#include "cli/rows.h"
#include "measure/summary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a model came to. */
typedef struct outcome {
    dq_summary reward;   /* of its episodes, each by its mean reward per step */
    bool compared;       /* with the first model */
    double percent;      /* the difference in percent of the first's mean; NAN when that is 0 */
    double *label_share; /* (labels) */
} outcome;

static double episode_mean(const rollout *run, const policy *p, size_t episode)
{
    double sum = 0;
    for (size_t s = 0; s < run->steps; s++) sum += (double)p->reward[episode * run->steps + s];
    return sum / (double)run->steps;
}

/* The mean over episodes of what step s brought. */
static double step_mean(const rollout *run, const policy *p, size_t step)
{
    double sum = 0;
    for (size_t e = 0; e < run->episodes; e++) sum += (double)p->reward[e * run->steps + step];
    return sum / (double)run->episodes;
}

/* Of all models; summaries (policies). */
static dq_status sum_up(const rollout *run, dq_summary *summaries, dq_error *error)
{
    const eval_options *o = run->o;
    const dq_compare_config config = {
        .resamples = (size_t)o->resamples, .confidence = o->confidence, .seed = o->common.seed};
    double *means = calloc(run->policy_count * run->episodes + 1, sizeof *means); /* (policies, episodes) */
    if (!means) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the results");
    for (size_t i = 0; i < run->policy_count; i++)
        for (size_t e = 0; e < run->episodes; e++)
            means[i * run->episodes + e] = episode_mean(run, &run->policies[i], e);
    dq_status status = dq_summarise_runs(means, run->policy_count, run->episodes, &config, summaries, error);
    free(means);
    return status;
}

static void take_outcome(const rollout *run, size_t which, const dq_summary *summaries, outcome *out)
{
    const policy *p = &run->policies[which];
    double all = (double)(run->episodes * run->steps), base = fabs(summaries[0].mean);
    out->reward = summaries[which];
    out->compared = which > 0;
    out->percent = base > 0 ? 100 * out->reward.compared.difference / base : (double)NAN;
    for (size_t l = 0; l < run->label_count; l++) out->label_share[l] = (double)p->labelled[l] / all;
}

/* A label's name; the last row stands for all that are not in the map. */
static const char *label_name(const rollout *run, size_t row, size_t *bytes)
{
    *bytes = strlen("other");
    return row + 1 == run->label_count ? "other"
                                       : dq_index_id(&run->labeller.map.labels, (uint32_t)row, bytes);
}

/* Labels of the map, and the others when there were any. */
static size_t shown_labels(const rollout *run)
{
    uint64_t others = 0;
    for (size_t i = 0; i < run->policy_count; i++) others += run->policies[i].labelled[run->label_count - 1];
    return !run->logged ? 0 : run->label_count - (others == 0);
}

/* ---- a table to look at ---- */

static dq_status table_head(const rollout *run, int width, dq_sink *out, dq_error *error)
{
    dq_status status = dq_sink_printf(out, error, "%-*s  %9s  %9s  %9s  %9s", width, "model", "reward", "sd",
                                      "min", "max");
    for (size_t l = 0; l < shown_labels(run) && !status; l++) {
        size_t n;
        const char *name = label_name(run, l, &n);
        status = dq_sink_printf(out, error, "  %8.*s", (int)n, name);
    }
    if (!status && run->policy_count > 1)
        status = dq_sink_printf(out, error, "  %9s  %-18s  %6s  improvement", "differs", "interval", "p");
    return status ? status : dq_sink_printf(out, error, "\n");
}

static dq_status table_row(const rollout *run, const policy *p, const outcome *c, int width, dq_sink *out,
                           dq_error *error)
{
    dq_status status = dq_sink_printf(out, error, "%-*s  %9.4f  %9.4f  %9.4f  %9.4f", width, p->name,
                                      c->reward.mean, c->reward.sd, c->reward.min, c->reward.max);
    for (size_t l = 0; l < shown_labels(run) && !status; l++)
        status = dq_sink_printf(out, error, "  %7.1f%%", 100 * c->label_share[l]);
    if (!status && c->compared)
        status = dq_sink_printf(out, error, "  %+9.4f  [%+.4f, %+.4f]  %6.4f", c->reward.compared.difference,
                                c->reward.compared.difference_interval.low,
                                c->reward.compared.difference_interval.high, c->reward.compared.p);
    if (!status && c->compared && !isnan(c->percent))
        status = dq_sink_printf(out, error, "  %+.1f%%", c->percent);
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

static dq_status tsv_summary(const rollout *run, const policy *p, const outcome *c, dq_sink *out,
                             dq_error *error)
{
    const struct {
        const char *name;
        double value;
    } rows[] = {{"mean", c->reward.mean},
                {"sd", c->reward.sd},
                {"min", c->reward.min},
                {"max", c->reward.max},
                {"difference", c->reward.compared.difference},
                {"difference_low", c->reward.compared.difference_interval.low},
                {"difference_high", c->reward.compared.difference_interval.high},
                {"p", c->reward.compared.p},
                {"improvement_percent", c->percent}};
    dq_status status = DQ_OK;
    for (size_t i = 0; i < (c->compared ? 9U : 4U) && !status; i++)
        status = eval_tsv_line(out, p->name, rows[i].name, strlen(rows[i].name), 0, rows[i].value, error);
    for (size_t l = 0; l < shown_labels(run) && !status; l++) {
        char name[160];
        size_t n;
        const char *label = label_name(run, l, &n);
        (void)snprintf(name, sizeof name, "share_%.*s", (int)n, label);
        status = eval_tsv_line(out, p->name, name, strlen(name), 0, c->label_share[l], error);
    }
    return status;
}

static dq_status tsv_model(const rollout *run, const policy *p, const outcome *c, dq_sink *out,
                           dq_error *error)
{
    dq_status status = tsv_summary(run, p, c, out, error);
    for (size_t s = 0; run->o->cold_start && s < run->steps && !status; s++)
        status = eval_tsv_line(out, p->name, "step", 4, s + 1, step_mean(run, p, s), error);
    for (size_t e = 0; run->o->by_query && e < run->episodes && !status; e++)
        status = eval_tsv_line(out, p->name, "episode", 7, e + 1, episode_mean(run, p, e), error);
    return status;
}

/* ---- JSON, one object a model ---- */

static bool put(dq_arena *arena, dq_value *map, const char *key, double value)
{
    return dq_map_set(arena, map, key, dq_real_or_nil(value));
}

static bool put_comparison(const outcome *c, dq_arena *arena, dq_value *map)
{
    dq_value interval = dq_list();
    return dq_list_add(arena, &interval, dq_real(c->reward.compared.difference_interval.low)) &&
           dq_list_add(arena, &interval, dq_real(c->reward.compared.difference_interval.high)) &&
           put(arena, map, "difference", c->reward.compared.difference) &&
           dq_map_set(arena, map, "difference_interval", interval) &&
           put(arena, map, "p", c->reward.compared.p) && put(arena, map, "improvement_percent", c->percent);
}

static bool put_labels(const rollout *run, const outcome *c, dq_arena *arena, dq_value *map)
{
    dq_value labels = dq_map();
    bool done = true;
    for (size_t l = 0; l < shown_labels(run) && done; l++) {
        size_t n;
        const char *name = label_name(run, l, &n), *key = dq_arena_text(arena, name, n);
        done = key && put(arena, &labels, key, c->label_share[l]);
    }
    return done && dq_map_set(arena, map, "labels", labels);
}

static bool put_model(const rollout *run, const policy *p, const outcome *c, dq_arena *arena, dq_value *map)
{
    dq_value steps = dq_list(), episodes = dq_list();
    bool done = dq_map_set(arena, map, "model", dq_string(arena, p->name)) &&
                dq_map_set(arena, map, "episodes", dq_int((int64_t)run->episodes)) &&
                dq_map_set(arena, map, "steps", dq_int((int64_t)run->steps)) &&
                put(arena, map, "mean", c->reward.mean) && put(arena, map, "sd", c->reward.sd) &&
                put(arena, map, "min", c->reward.min) && put(arena, map, "max", c->reward.max);
    if (c->compared) done = done && put_comparison(c, arena, map);
    if (run->logged) done = done && put_labels(run, c, arena, map);
    for (size_t s = 0; run->o->cold_start && s < run->steps && done; s++)
        done = dq_list_add(arena, &steps, dq_real(step_mean(run, p, s)));
    for (size_t e = 0; run->o->by_query && e < run->episodes && done; e++)
        done = dq_list_add(arena, &episodes, dq_real(episode_mean(run, p, e)));
    if (run->o->cold_start) done = done && dq_map_set(arena, map, "by_step", steps);
    if (run->o->by_query) done = done && dq_map_set(arena, map, "by_episode", episodes);
    return done;
}

static dq_status json_model(const rollout *run, const policy *p, const outcome *c, dq_sink *out,
                            dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value map = dq_map();
    dq_status status = put_model(run, p, c, &arena, &map)
                           ? DQ_OK
                           : dq_fail(error, DQ_ERR_MEMORY, "out of memory for the results");
    if (!status) status = dq_rows_write_json(out, &map, error);
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

dq_status rollout_print(rollout *run, dq_sink *out, dq_error *error)
{
    int width = name_width(run), format = run->o->format;
    outcome c = {.label_share = calloc(run->label_count, sizeof(double))};
    dq_summary *summaries = calloc(run->policy_count + 1, sizeof *summaries);
    dq_status status = DQ_OK;
    if (!summaries || !c.label_share) status = dq_fail(error, DQ_ERR_MEMORY, "out of memory for the results");
    if (!status) status = sum_up(run, summaries, error);
    if (!status && format == EVAL_TABLE) status = table_head(run, width, out, error);
    if (!status && format == EVAL_TSV) status = dq_sink_printf(out, error, "model\tmeasure\tat\tvalue\n");
    for (size_t i = 0; i < run->policy_count && !status; i++) {
        const policy *p = &run->policies[i];
        take_outcome(run, i, summaries, &c);
        status = format == EVAL_TABLE ? table_row(run, p, &c, width, out, error)
                 : format == EVAL_TSV ? tsv_model(run, p, &c, out, error)
                                      : json_model(run, p, &c, out, error);
    }
    if (!status && format == EVAL_TABLE && run->o->cold_start) status = table_steps(run, out, error);
    free(summaries);
    free(c.label_share);
    return status;
}
