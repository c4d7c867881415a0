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
                if (!status) status = dq_sink_write(out, "\n", 1, error);
            }
    }
    return status;
}

dq_status dq_runs_tsv_groups(const dq_run_table *t, size_t run, size_t pick, dq_sink *out, dq_error *error)
{
    const dq_run_cell bare = {0};
    size_t groups = dq_run_table_groups(t), bytes;
    dq_status status = DQ_OK;
    for (size_t g = 0; groups && g <= groups && !status; g++) {
        bool gap = g == groups;
        const char *name = gap ? "" : group_name(t, g, &bytes);
        status = dq_runs_tsv_start(t, run, pick, gap ? "gap" : "all", 3, group_value(t, run, pick, g), out,
                                   error);
        if (!status) status = dq_runs_tsv_rest(&bare, name, gap ? 0 : bytes, out, error);
    }
    return status;
}

bool dq_runs_put_groups(const dq_run_table *t, size_t run, dq_arena *arena, dq_value *map)
{
    dq_value by = dq_map(), gap = dq_map();
    size_t groups = dq_run_table_groups(t);
    bool done = true;
    if (!groups) return true;
    for (size_t g = 0; g <= groups && done; g++) {
        dq_value values = dq_map();
        size_t bytes;
        const char *name = group_name(t, g, &bytes);
        for (size_t p = 0; p < t->picks.count && done; p++)
            if (dq_runs_is_number(&t->picks.at[p]))
                done = dq_map_set(arena, &values, t->picks.at[p].name,
                                  dq_real_or_nil(group_value(t, run, p, g)));
        if (g == groups)
            gap = values;
        else
            done = done && dq_map_add(arena, &by, dq_string_n(arena, name, bytes), values);
    }
    return done && dq_map_set(arena, map, "groups", by) && dq_map_set(arena, map, "gap", gap);
}
