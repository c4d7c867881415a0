/* SPDX-License-Identifier: MIT
 *
 * What roll-outs in an environment came to: returns by model, with what the environment counts.
 */
#include "env.h"

#include "cli/rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool is_compared(const env_rollout *run, const env_policy *p)
{
    return p != run->policies;
}

/* ---- a table to look at ---- */

static dq_status table_head(const env_rollout *run, int width, dq_sink *out, dq_error *error)
{
    dq_status status = dq_sink_printf(out, error, "%-*s  %9s  %-20s  %9s  %9s  %9s  %7s", width, "model",
                                      "return", "interval", "sd", "min", "max", "steps");
    for (size_t c = 0; c < run->counter_count && !status; c++)
        status = dq_sink_printf(out, error, "  %9s", run->counters[c]);
    if (!status && run->policy_count > 1)
        status = dq_sink_printf(out, error, "  %9s  %-20s  %6s", "differs", "interval", "p");
    return status ? status : dq_sink_printf(out, error, "\n");
}

static dq_status table_interval(const dq_interval *interval, dq_sink *out, dq_error *error)
{
    char text[64];
    (void)snprintf(text, sizeof text, "[%.3f, %.3f]", interval->low, interval->high);
    return dq_sink_printf(out, error, "  %-20s", text);
}

static dq_status table_row(const env_rollout *run, const env_policy *p, int width, dq_sink *out,
                           dq_error *error)
{
    dq_status status = dq_sink_printf(out, error, "%-*s  %9.3f", width, p->name, p->total.mean);
    if (!status) status = table_interval(&p->total.compared.interval, out, error);
    if (!status)
        status = dq_sink_printf(out, error, "  %9.3f  %9.3f  %9.3f  %7.1f", p->total.sd, p->total.min,
                                p->total.max, p->steps);
    for (size_t c = 0; c < run->counter_count && !status; c++)
        status = dq_sink_printf(out, error, "  %9.3f", p->counted[c]);
    if (status || !is_compared(run, p)) return status ? status : dq_sink_printf(out, error, "\n");
    status = dq_sink_printf(out, error, "  %+9.3f", p->total.compared.difference);
    if (!status) status = table_interval(&p->total.compared.difference_interval, out, error);
    return status ? status : dq_sink_printf(out, error, "  %6.4f\n", p->total.compared.p);
}

/* ---- TSV: model, measure, at, value ---- */

static dq_status tsv_model(const env_rollout *run, const env_policy *p, dq_sink *out, dq_error *error)
{
    const struct {
        const char *name;
        double value;
    } rows[] = {{"mean", p->total.mean},
                {"low", p->total.compared.interval.low},
                {"high", p->total.compared.interval.high},
                {"sd", p->total.sd},
                {"min", p->total.min},
                {"max", p->total.max},
                {"steps", p->steps},
                {"discounted", p->discounted},
                {"value", p->value},
                {"difference", p->total.compared.difference},
                {"difference_low", p->total.compared.difference_interval.low},
                {"difference_high", p->total.compared.difference_interval.high},
                {"p", p->total.compared.p}};
    dq_status status = DQ_OK;
    for (size_t i = 0; i < (is_compared(run, p) ? 13U : 9U) && !status; i++)
        status = eval_tsv_line(out, p->name, rows[i].name, strlen(rows[i].name), 0, rows[i].value, error);
    for (size_t c = 0; c < run->counter_count && !status; c++)
        status = eval_tsv_line(out, p->name, run->counters[c], strlen(run->counters[c]), 0, p->counted[c],
                               error);
    for (size_t e = 0; run->o->by_query && e < run->episodes && !status; e++)
        status = eval_tsv_line(out, p->name, "episode", 7, e + 1, p->played[e].total, error);
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

static bool put_model(const env_rollout *run, const env_policy *p, dq_arena *arena, dq_value *map)
{
    dq_value counts = dq_map(), episodes = dq_list();
    bool done = dq_map_set(arena, map, "model", dq_string(arena, p->name)) &&
                dq_map_set(arena, map, "episodes", dq_int((int64_t)run->episodes)) &&
                put(arena, map, "mean", p->total.mean) &&
                put_interval(arena, map, "interval", &p->total.compared.interval) &&
                put(arena, map, "sd", p->total.sd) && put(arena, map, "min", p->total.min) &&
                put(arena, map, "max", p->total.max) && put(arena, map, "steps", p->steps) &&
                put(arena, map, "discounted", p->discounted) && put(arena, map, "value", p->value);
    for (size_t c = 0; c < run->counter_count && done; c++)
        done = put(arena, &counts, run->counters[c], p->counted[c]);
    if (run->counter_count) done = done && dq_map_set(arena, map, "counts", counts);
    if (is_compared(run, p))
        done = done && put(arena, map, "difference", p->total.compared.difference) &&
               put_interval(arena, map, "difference_interval", &p->total.compared.difference_interval) &&
               put(arena, map, "p", p->total.compared.p);
    for (size_t e = 0; run->o->by_query && e < run->episodes && done; e++)
        done = dq_list_add(arena, &episodes, dq_real(p->played[e].total));
    if (run->o->by_query) done = done && dq_map_set(arena, map, "by_episode", episodes);
    return done;
}

static dq_status json_model(const env_rollout *run, const env_policy *p, dq_sink *out, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value map = dq_map();
    dq_status status = put_model(run, p, &arena, &map)
                           ? dq_rows_write_json(out, &map, error)
                           : dq_fail(error, DQ_ERR_MEMORY, "out of memory for the results");
    dq_arena_free(&arena);
    return status;
}

dq_status env_rollout_print(const env_rollout *run, dq_sink *out, dq_error *error)
{
    int width = (int)strlen("model"), format = run->o->format;
    for (size_t i = 0; i < run->policy_count; i++)
        if ((int)strlen(run->policies[i].name) > width) width = (int)strlen(run->policies[i].name);
    dq_status status = DQ_OK;
    if (format == EVAL_TABLE) status = table_head(run, width, out, error);
    if (format == EVAL_TSV) status = dq_sink_printf(out, error, "model\tmeasure\tat\tvalue\n");
    for (size_t i = 0; i < run->policy_count && !status; i++) {
        const env_policy *p = &run->policies[i];
        status = format == EVAL_TABLE ? table_row(run, p, width, out, error)
                 : format == EVAL_TSV ? tsv_model(run, p, out, error)
                                      : json_model(run, p, out, error);
    }
    return status;
}
