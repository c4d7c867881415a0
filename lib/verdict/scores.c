/* SPDX-License-Identifier: MIT */
#include "verdict/compared_impl.h"

#include "core/array.h"
#include "dq/source.h"
#include "port/files/csv.h"
#include "port/files/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct score {
    uint32_t system, measure, unit;
    double value;
} score;

typedef struct scores {
    dq_index systems, measures, units;
    score *rows;
    size_t count, capacity, summaries;
    double *values; /* (measures, systems, units), NAN: none */
} scores;

typedef struct columns {
    size_t system, measure, unit, value; /* SIZE_MAX: there is none */
} columns;

static size_t find_column(const dq_csv *csv, const char *const *names)
{
    size_t count;
    const dq_csv_cell *header = dq_csv_header(csv, &count);
    for (; *names; names++)
        for (size_t i = 0; i < count; i++)
            if (strcmp(header[i].text, *names) == 0) return i;
    return SIZE_MAX;
}

static dq_status find_columns(const dq_csv *csv, columns *c, dq_error *error)
{
    static const char *const systems[] = {"system", "run", "model", "agent", "policy", "target", NULL},
                             *const units[] = {"unit", "seed", "query", "user", "episode", "at", NULL},
                             *const measures[] = {"measure", "metric", NULL},
                             *const values[] = {"value", "score", NULL};
    *c = (columns){find_column(csv, systems), find_column(csv, measures), find_column(csv, units),
                   find_column(csv, values)};
    const char *lacks = c->system == SIZE_MAX  ? "system (or run, model, agent, policy, target)"
                        : c->unit == SIZE_MAX  ? "unit (or seed, query, user, episode, at)"
                        : c->value == SIZE_MAX ? "value (or score)"
                                               : NULL;
    return lacks ? dq_fail(error, DQ_ERR_SCHEMA, "the header has no column %s", lacks) : DQ_OK;
}

static dq_status add_score(scores *s, const columns *c, const dq_csv_cell *cells, dq_error *error)
{
    const dq_csv_cell one = {"value", 5}, *unit = &cells[c->unit], *value = &cells[c->value];
    const dq_csv_cell *measure = c->measure == SIZE_MAX ? &one : &cells[c->measure];
    score row;
    if (!value->bytes) return DQ_OK;
    if (strcmp(unit->text, "all") == 0 || strcmp(unit->text, "gap") == 0) {
        s->summaries++;
        return DQ_OK;
    }
    if (!dq_json_read_number(value->text, value->bytes, &row.value) || !isfinite(row.value))
        return dq_fail(error, DQ_ERR_FORMAT, "'%s' is no value", value->text);
    if (!dq_array_reserve(&s->rows, &s->capacity, s->count + 1, sizeof *s->rows))
        return dq_fail_memory(error, "%zu values", s->count);
    const dq_csv_cell *system = &cells[c->system];
    dq_status status = dq_index_add(&s->systems, system->text, system->bytes, &row.system, NULL, error);
    if (!status)
        status = dq_index_add(&s->measures, measure->text, measure->bytes, &row.measure, NULL, error);
    if (!status) status = dq_index_add(&s->units, unit->text, unit->bytes, &row.unit, NULL, error);
    if (!status) s->rows[s->count++] = row;
    return status;
}

static dq_status read_scores(scores *s, dq_csv *csv, dq_error *error)
{
    columns c;
    const dq_csv_cell *cells;
    dq_status status = find_columns(csv, &c, error);
    while (!status) {
        int got = dq_csv_next(csv, &cells, error);
        if (got == DQ_CSV_END) break;
        status = got == DQ_CSV_ROW ? add_score(s, &c, cells, error) : error->status;
    }
    return status;
}

static dq_status read_file(scores *s, const char *path, dq_error *error)
{
    dq_source *source;
    dq_csv *csv = NULL;
    dq_status status = dq_source_open(&source, path, error);
    if (status) return status;
    status = dq_csv_open(&csv, source, DQ_TSV, error);
    if (!status) status = read_scores(s, csv, error);
    if (status) (void)dq_error_at(error, dq_source_name(source), csv ? dq_csv_line(csv) : DQ_NO_RECORD);
    dq_csv_close(csv);
    dq_source_close(source);
    return status;
}

static double *value_at(const scores *s, size_t measure, size_t system, size_t unit)
{
    return &s->values[(measure * dq_index_count(&s->systems) + system) * dq_index_count(&s->units) + unit];
}

static double value_of(const void *self, size_t measure, size_t run, size_t query)
{
    return *value_at(self, measure, run, query);
}

static dq_status fill_values(scores *s, dq_error *error)
{
    size_t systems = dq_index_count(&s->systems), units = dq_index_count(&s->units),
           all = systems * units * dq_index_count(&s->measures), sn, un;
    s->values = malloc((all + 1) * sizeof *s->values);
    if (!s->values) return dq_fail_memory(error, "%zu values", all);
    for (size_t i = 0; i < all; i++) s->values[i] = NAN;
    for (size_t i = 0; i < s->count; i++) {
        const score *row = &s->rows[i];
        double *value = value_at(s, row->measure, row->system, row->unit);
        const char *system = dq_index_id(&s->systems, row->system, &sn),
                   *unit = dq_index_id(&s->units, row->unit, &un);
        if (!isnan(*value))
            return dq_fail(error, DQ_ERR_DUPLICATE, "two values of %.*s for %.*s", (int)sn, system, (int)un,
                           unit);
        *value = row->value;
    }
    return DQ_OK;
}

static void note_scores(const scores *s, dq_compared *compared)
{
    size_t partial = 0, units = dq_index_count(&s->units), systems = dq_index_count(&s->systems);
    for (size_t u = 0; u < units; u++) {
        bool whole = true;
        for (size_t m = 0; m < dq_index_count(&s->measures); m++)
            for (size_t i = 0; i < systems; i++) whole &= !isnan(*value_at(s, m, i, u));
        partial += !whole;
    }
    if (s->summaries)
        verdict_note(compared, "%zu rows of 'all' or 'gap' are no unit's and are left out", s->summaries);
    if (partial)
        verdict_note(compared, "%zu of %zu units lack a value of some system, and do not count there",
                     partial, units);
}

static dq_status compare_scores(const scores *s, const dq_compare_options *options, dq_compared *compared,
                                dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    const dq_compared_names names = {.systems = verdict_names(&s->systems, &arena),
                                     .measures = verdict_names(&s->measures, &arena)};
    const dq_run_values values = {dq_index_count(&s->measures), dq_index_count(&s->systems),
                                  dq_index_count(&s->units), value_of, s};
    dq_status status = names.systems && names.measures ? DQ_OK : dq_fail_memory(error, "names");
    if (!status) status = dq_compared_values(&values, &names, options, compared, error);
    dq_arena_free(&arena);
    return status;
}

dq_status dq_compared_scores(const dq_compare_options *options, const char *const *paths, size_t count,
                             dq_compared *compared, dq_error *error)
{
    scores s = {0};
    dq_status status = count ? DQ_OK : read_file(&s, "-", error);
    for (size_t i = 0; i < count && !status; i++) status = read_file(&s, paths[i], error);
    if (!status && !s.count) status = dq_fail(error, DQ_ERR_SCHEMA, "no value of any unit to compare");
    if (!status) status = fill_values(&s, error);
    if (!status) note_scores(&s, compared);
    if (!status) status = compare_scores(&s, options, compared, error);
    dq_index_free(&s.systems);
    dq_index_free(&s.measures);
    dq_index_free(&s.units);
    free(s.rows);
    free(s.values);
    return status;
}
