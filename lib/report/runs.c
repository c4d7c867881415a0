/* SPDX-License-Identifier: MIT */
#include "report/runs_impl.h"

#include "port/files/rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const dq_run_cell *cell_of(const dq_run_table *t, size_t run, size_t pick)
{
    return &t->cells[run * t->picks.count + pick];
}

static const char *query_id(const dq_run_table *t, uint32_t q, int *bytes)
{
    size_t n;
    const char *id = dq_index_id(&t->qrels.queries, q, &n);
    *bytes = (int)n;
    return id;
}

/* A query's value for people: a number, or a text. */
static void show_value(const dq_run_table *t, size_t run, size_t pick, uint32_t q, char text[DQ_MAX_TEXT + 1])
{
    size_t n;
    const dq_measure_pick *p = &t->picks.at[pick];
    if (p->measure->over == DQ_OVER_TEXT) {
        const char *held = dq_run_table_text(t, run, pick, q, &n);
        (void)snprintf(text, DQ_MAX_TEXT + 1, "%.*s", (int)n, held);
    } else {
        dq_runs_short_number(p, dq_run_table_value(t, run, pick, q), text);
    }
}

/* ---- trec_eval's layout ---- */

static dq_status trec_line(dq_sink *out, const dq_measure_pick *pick, const char *query, int bytes,
                           const char *value, dq_error *error)
{
    const char *quote = pick->measure->over == DQ_OVER_TEXT ? "'" : "";
    dq_status status = dq_sink_printf(out, error, "%-22s\t", pick->name);
    if (!status) status = dq_runs_id_cell(out, query, bytes, error);
    return status ? status : dq_sink_printf(out, error, "\t%s%s%s\n", quote, value, quote);
}

static dq_status trec_query(const dq_run_table *t, size_t run, uint32_t q, dq_sink *out, dq_error *error)
{
    int bytes;
    const char *id = query_id(t, q, &bytes);
    dq_status status = DQ_OK;
    for (size_t p = 0; p < t->picks.count && !status; p++) {
        char value[DQ_MAX_TEXT + 1];
        if (t->picks.at[p].measure->summary_only) continue;
        show_value(t, run, p, q, value);
        status = trec_line(out, &t->picks.at[p], id, bytes, value, error);
    }
    return status;
}

static dq_status trec_run(const dq_run_table *t, const dq_runs_form *form, size_t run, dq_sink *out,
                          dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; form->by_query && i < t->query_count && !status; i++)
        status = trec_query(t, run, t->order[i], out, error);
    for (size_t p = 0; p < t->picks.count && !status; p++) {
        const dq_measure_pick *pick = &t->picks.at[p];
        char value[32];
        dq_runs_short_number(pick, cell_of(t, run, p)->value, value);
        if (pick->measure->over == DQ_OVER_NAME)
            status = dq_sink_printf(out, error, "%-22s\tall\t%s\n", pick->name, t->runs[run].tag);
        else if (dq_runs_is_number(pick))
            status = trec_line(out, pick, "all", 3, value, error);
    }
    return status;
}

/* ---- a table to look at ---- */

static dq_status table_queries(const dq_run_table *t, size_t pick, int width, int names, dq_sink *out,
                               dq_error *error)
{
    const dq_measure_pick *p = &t->picks.at[pick];
    dq_status status = DQ_OK;
    if (p->measure->summary_only) return DQ_OK;
    for (size_t i = 0; i < t->query_count && !status; i++)
        for (size_t r = 0; r < t->run_count && !status; r++) {
            char text[DQ_MAX_TEXT + 1];
            int bytes;
            const char *id = query_id(t, t->order[i], &bytes);
            show_value(t, r, pick, t->order[i], text);
            status = dq_sink_printf(out, error, "%-*s  %-*s  %9s  ", width, p->name, names, t->runs[r].label,
                                    text);
            if (!status) status = dq_runs_id_cell(out, id, bytes, error);
            if (!status) status = dq_sink_write(out, "\n", 1, error);
        }
    return status;
}

static dq_status table_cell(const dq_run_table *t, const dq_runs_form *form, size_t run, size_t pick,
                            int width, int names, const dq_run_cell *c, dq_sink *out, dq_error *error)
{
    const dq_measure_pick *p = &t->picks.at[pick];
    char value[32], line[200] = "";
    dq_runs_short_number(p, c->value, value);
    size_t used = 0;
    if (c->has_interval)
        used = (size_t)snprintf(line, sizeof line, "  [%.4f, %.4f]", c->against.interval.low,
                                c->against.interval.high);
    if (c->has_difference)
        (void)snprintf(line + used, sizeof line - used, "  %+.4f  [%+.4f, %+.4f]  %6.4f",
                       c->against.difference, c->against.difference_interval.low,
                       c->against.difference_interval.high, c->against.p);
    return dq_sink_printf(out, error, "%-*s  %-*s  %9s%s%s\n", width, run ? "" : p->name, names,
                          t->runs[run].label, value, form->by_query ? "  all" : "", line);
}

static dq_status table_head(const dq_run_table *t, const dq_runs_form *form, int width, int names,
                            dq_sink *out, dq_error *error)
{
    char percent[40], interval[48] = "", rest[96] = "";
    (void)snprintf(percent, sizeof percent, "%.9g%% interval", 100 * form->confidence);
    if (form->interval || t->run_count > 1) (void)snprintf(interval, sizeof interval, "  %-16s", percent);
    if (t->run_count > 1) (void)snprintf(rest, sizeof rest, "  differs  %-18s       p", percent);
    return dq_sink_printf(out, error, "%-*s  %-*s  %9s%s%s%s\n", width, "measure", names, "run", "value",
                          form->by_query ? "  query" : "", interval, rest);
}

static dq_status print_table(const dq_run_table *t, const dq_runs_form *form, dq_sink *out, dq_error *error)
{
    int width = 7, names = 3;
    for (size_t p = 0; p < t->picks.count; p++)
        if ((int)strlen(t->picks.at[p].name) > width) width = (int)strlen(t->picks.at[p].name);
    for (size_t r = 0; r < t->run_count; r++)
        if ((int)strlen(t->runs[r].label) > names) names = (int)strlen(t->runs[r].label);
    dq_status status = table_head(t, form, width, names, out, error);
    for (size_t p = 0; p < t->picks.count && !status; p++) {
        if (t->picks.at[p].measure->over == DQ_OVER_NAME) continue;
        if (form->by_query) status = table_queries(t, p, width, names, out, error);
        for (size_t r = 0; r < t->run_count && !status && dq_runs_is_number(&t->picks.at[p]); r++)
            status = table_cell(t, form, r, p, width, names, cell_of(t, r, p), out, error);
    }
    return status ? status : dq_runs_table_groups(t, width, names, out, error);
}

/* ---- TSV ---- */

static dq_status print_tsv(const dq_run_table *t, const dq_runs_form *form, dq_sink *out, dq_error *error)
{
    dq_status status = dq_sink_printf(out, error,
                                      "run\tmeasure\tquery\tvalue\tlow\thigh\tdifference\t"
                                      "difference_low\tdifference_high\tp\tp_t%s\n",
                                      dq_run_table_groups(t) ? "\tgroup" : "");
    const char *group = dq_run_table_groups(t) ? "" : NULL;
    for (size_t r = 0; r < t->run_count; r++)
        for (size_t p = 0; p < t->picks.count && !status; p++) {
            const dq_measure *m = t->picks.at[p].measure;
            const dq_run_cell bare = {0}, *c = cell_of(t, r, p);
            if (m->over == DQ_OVER_NAME) continue;
            for (size_t i = 0; form->by_query && !m->summary_only && i < t->query_count && !status; i++) {
                int bytes;
                const char *id = query_id(t, t->order[i], &bytes);
                size_t n = 0;
                const char *text = m->over == DQ_OVER_TEXT ? dq_run_table_text(t, r, p, t->order[i], &n)
                                                           : NULL;
                double value = text ? NAN : dq_run_table_value(t, r, p, t->order[i]);
                status = dq_runs_tsv_start(t, r, p, id, (size_t)bytes, value, out, error);
                if (text && !status) status = dq_sink_write(out, text, n, error);
                if (!status) status = dq_runs_tsv_rest(&bare, group, 0, out, error);
            }
            if (!dq_runs_is_number(&t->picks.at[p])) continue;
            if (!status) status = dq_runs_tsv_start(t, r, p, "all", 3, c->value, out, error);
            if (!status) status = dq_runs_tsv_rest(c, group, 0, out, error);
            if (!status) status = dq_runs_tsv_groups(t, r, p, out, error);
        }
    return status;
}

/* ---- JSON, one object a run ---- */

static bool put_real(dq_arena *arena, dq_value *map, const char *key, double value)
{
    return dq_map_set(arena, map, key, dq_real_or_nil(value));
}

static bool put_interval(dq_arena *arena, dq_value *map, const char *key, dq_interval interval)
{
    dq_value list = dq_list();
    return dq_list_add(arena, &list, dq_real(interval.low)) &&
           dq_list_add(arena, &list, dq_real(interval.high)) && dq_map_set(arena, map, key, list);
}

static bool put_cell(dq_arena *arena, dq_value *map, const dq_measure_pick *pick, const dq_run_cell *c)
{
    dq_value entry = dq_map();
    bool count = pick->measure->over == DQ_OVER_SUM;
    bool done = dq_map_set(arena, &entry, "value",
                           count ? dq_int((int64_t)c->value) : dq_real_or_nil(c->value));
    if (c->has_interval) done = done && put_interval(arena, &entry, "interval", c->against.interval);
    if (c->has_difference)
        done = done && put_real(arena, &entry, "difference", c->against.difference) &&
               put_interval(arena, &entry, "difference_interval", c->against.difference_interval) &&
               put_real(arena, &entry, "p", c->against.p) && put_real(arena, &entry, "p_t", c->against.p_t);
    return done && dq_map_set(arena, map, pick->name, entry);
}

static bool put_query(const dq_run_table *t, size_t run, uint32_t q, dq_arena *arena, dq_value *list)
{
    dq_value map = dq_map();
    int bytes;
    const char *id = query_id(t, q, &bytes);
    bool done = dq_map_set(arena, &map, "query", dq_string_n(arena, id, (size_t)bytes));
    for (size_t p = 0; p < t->picks.count && done; p++) {
        const char *name = t->picks.at[p].name;
        size_t n;
        if (t->picks.at[p].measure->over == DQ_OVER_TEXT) {
            const char *text = dq_run_table_text(t, run, p, q, &n);
            done = dq_map_set(arena, &map, name, dq_string_n(arena, text, n));
        } else if (!t->picks.at[p].measure->summary_only) {
            done = put_real(arena, &map, name, dq_run_table_value(t, run, p, q));
        }
    }
    return done && dq_list_add(arena, list, map);
}

static dq_status json_run(const dq_run_table *t, const dq_runs_form *form, size_t run, dq_arena *arena,
                          dq_value *map, dq_error *error)
{
    dq_value measures = dq_map(), queries = dq_list();
    bool done = dq_map_set(arena, map, "run", dq_string(arena, t->runs[run].name)) &&
                dq_map_set(arena, map, "runid", dq_string(arena, t->runs[run].tag)) &&
                dq_map_set(arena, map, "queries", dq_int((int64_t)t->query_count));
    for (size_t p = 0; p < t->picks.count && done; p++) {
        if (!dq_runs_is_number(&t->picks.at[p])) continue;
        done = put_cell(arena, &measures, &t->picks.at[p], cell_of(t, run, p));
    }
    done = done && dq_map_set(arena, map, "measures", measures);
    for (size_t i = 0; form->by_query && i < t->query_count && done; i++)
        done = put_query(t, run, t->order[i], arena, &queries);
    if (form->by_query) done = done && dq_map_set(arena, map, "by_query", queries);
    done = done && dq_runs_put_groups(t, run, arena, map);
    return done ? DQ_OK : dq_fail_memory(error, "the results");
}

static dq_status print_json(const dq_run_table *t, const dq_runs_form *form, size_t run, dq_sink *out,
                            dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value map = dq_map();
    dq_status status = json_run(t, form, run, &arena, &map, error);
    if (!status) status = dq_rows_write_json(out, &map, error);
    dq_arena_free(&arena);
    return status;
}

dq_status dq_runs_print(const dq_run_table *table, const dq_runs_form *form, dq_sink *out, dq_error *error)
{
    if (form->format == DQ_RUNS_TABLE) return print_table(table, form, out, error);
    if (form->format == DQ_RUNS_TSV) return print_tsv(table, form, out, error);
    dq_status status = DQ_OK;
    for (size_t r = 0; r < table->run_count && !status; r++)
        status = form->format == DQ_RUNS_JSON ? print_json(table, form, r, out, error)
                                              : trec_run(table, form, r, out, error);
    return status;
}

dq_status dq_runs_print_measures(dq_sink *out, dq_error *error)
{
    static const char *const takes[] = {"", "_K", "_X", "_X", "_X,..."}, *const about[] = {"", "[:FIELD]",
                                                                                           ":ATTRIBUTE"};
    dq_status status = DQ_OK;
    for (size_t i = 0; i < dq_measure_count && !status; i++) {
        const dq_measure *m = &dq_measures[i];
        char name[48];
        const char *form = m->parameter == DQ_TAKES_WEIGHTS && !strchr(m->defaults, ',')
                               ? "_X"
                               : takes[m->parameter];
        (void)snprintf(name, sizeof name, "%s%s%s", m->name, about[m->about], form);
        status = dq_sink_printf(out, error, "%-22s %s\n", name, m->help);
    }
    return status;
}
