/* SPDX-License-Identifier: MIT */
#include "report/runs_impl.h"

#include <math.h>

/* The name of a group; of the one behind the last "gap". */
static const char *group_name(const dq_run_table *t, size_t group, size_t *bytes)
{
    *bytes = 3;
    if (group == dq_run_table_groups(t)) return "gap";
    return dq_index_id(&t->facts.by.values, (uint32_t)group, bytes);
}

static double group_value(const dq_run_table *t, size_t run, size_t pick, size_t group)
{
    if (group == dq_run_table_groups(t)) return dq_run_table_gap(t, run, pick);
    return dq_run_table_group_value(t, run, pick, group);
}

/* A cell that has the interval alone. */
static dq_run_cell group_cell(const dq_run_table *t, size_t run, size_t pick, size_t group)
{
    dq_run_cell c = {0};
    c.has_interval = dq_run_table_group_interval(t, run, pick, group, &c.against.interval);
    return c;
}

dq_status dq_runs_table_groups(const dq_run_table *t, int width, int names, dq_sink *out, dq_error *error)
{
    dq_status status = DQ_OK;
    size_t groups = dq_run_table_groups(t);
    if (!groups) return DQ_OK;
    status = dq_sink_printf(out, error, "\n%-*s  %-*s  %9s  %s\n", width, "measure", names, "run", "value",
                            t->facts.by.name);
    for (size_t p = 0; p < t->picks.count; p++) {
        if (!dq_runs_is_number(&t->picks.at[p])) continue;
        for (size_t r = 0; r < t->run_count; r++)
            for (size_t g = 0; g <= groups && !status; g++) {
                char value[32];
                size_t bytes;
                const char *name = group_name(t, g, &bytes);
                dq_runs_short_number(&t->picks.at[p], group_value(t, r, p, g), value);
                status = dq_sink_printf(out, error, "%-*s  %-*s  %9s  ", width,
                                        r || g ? "" : t->picks.at[p].name, names, g ? "" : t->runs[r].label,
                                        value);
                if (!status) status = dq_runs_id_cell(out, name, (int)bytes, error);
                const dq_run_cell c = group_cell(t, r, p, g);
                if (!status && c.has_interval)
                    status = dq_sink_printf(out, error, "  [%.4f, %.4f]", c.against.interval.low,
                                            c.against.interval.high);
                if (!status) status = dq_sink_write(out, "\n", 1, error);
            }
    }
    return status;
}

dq_status dq_runs_tsv_groups(const dq_run_table *t, size_t run, size_t pick, dq_sink *out, dq_error *error)
{
    size_t groups = dq_run_table_groups(t), bytes;
    dq_status status = DQ_OK;
    for (size_t g = 0; groups && g <= groups && !status; g++) {
        bool gap = g == groups;
        const char *name = gap ? "" : group_name(t, g, &bytes);
        status = dq_runs_tsv_start(t, run, pick, gap ? "gap" : "all", 3, group_value(t, run, pick, g), out,
                                   error);
        const dq_run_cell c = group_cell(t, run, pick, g);
        if (!status) status = dq_runs_tsv_rest(&c, name, gap ? 0 : bytes, out, error);
    }
    return status;
}

/* A group's values, or their intervals, by measure. */
static bool put_group(const dq_run_table *t, size_t run, size_t group, bool intervals, dq_arena *arena,
                      dq_value *values)
{
    bool done = true;
    *values = dq_map();
    for (size_t p = 0; p < t->picks.count && done; p++) {
        const dq_run_cell c = group_cell(t, run, p, group);
        dq_value list = dq_list();
        if (!dq_runs_is_number(&t->picks.at[p]) || (intervals && !c.has_interval)) continue;
        if (intervals)
            done = dq_list_add(arena, &list, dq_real(c.against.interval.low)) &&
                   dq_list_add(arena, &list, dq_real(c.against.interval.high));
        done = done && dq_map_set(arena, values, t->picks.at[p].name,
                                  intervals ? list : dq_real_or_nil(group_value(t, run, p, group)));
    }
    return done;
}

/* "groups" and "gap", or with intervals "group_intervals" and "gap_interval". */
static bool put_all_groups(const dq_run_table *t, size_t run, bool intervals, dq_arena *arena, dq_value *map)
{
    dq_value by = dq_map(), gap = dq_map();
    size_t groups = dq_run_table_groups(t);
    bool done = true;
    for (size_t g = 0; g <= groups && done; g++) {
        dq_value values;
        size_t bytes;
        const char *name = group_name(t, g, &bytes);
        done = put_group(t, run, g, intervals, arena, &values);
        if (g == groups)
            gap = values;
        else
            done = done && dq_map_add(arena, &by, dq_string_n(arena, name, bytes), values);
    }
    return done && dq_map_set(arena, map, intervals ? "group_intervals" : "groups", by) &&
           dq_map_set(arena, map, intervals ? "gap_interval" : "gap", gap);
}

bool dq_runs_put_groups(const dq_run_table *t, size_t run, dq_arena *arena, dq_value *map)
{
    if (!dq_run_table_groups(t)) return true;
    return put_all_groups(t, run, false, arena, map) &&
           (!t->group_intervals || put_all_groups(t, run, true, arena, map));
}
