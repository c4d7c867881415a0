/* SPDX-License-Identifier: MIT */
#include "report/compared.h"

#include "core/array.h"
#include "data/label_map.h"
#include "data/time.h"
#include "dq/schema.h"
#include "dq/source.h"
#include "dq/stream.h"
#include "port/files/csv.h"
#include "port/files/rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const dq_ab_unit_names[] = {
    [DQ_AB_USER] = "user", [DQ_AB_REQUEST] = "request", [DQ_AB_ROW] = "row", NULL};

static void note(dq_compared *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note(dq_compared *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(c->notes[c->note_count++], sizeof c->notes[0], format, args);
    va_end(args);
}

void dq_compared_free(dq_compared *compared)
{
    dq_text_table_free(&compared->table);
}

/* ---- rows of TSV ---- */

static dq_status put_text(dq_sink *out, const char *text, dq_error *error)
{
    dq_status status = dq_rows_write_text(out, text, strlen(text), error);
    return status ? status : dq_sink_write(out, "\t", 1, error);
}

/* The last cell of a row ends it. What is no finite number is empty. */
static dq_status put_number(dq_sink *out, double value, char behind, dq_error *error)
{
    char text[40] = "";
    if (isfinite(value)) dq_rows_number(value, text);
    size_t n = strlen(text);
    text[n] = behind;
    return dq_sink_write(out, text, n + 1, error);
}

static dq_status put_numbers(dq_sink *out, const double *values, size_t count, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < count && !status; i++)
        status = put_number(out, values[i], i + 1 < count ? '\t' : '\n', error);
    return status;
}

static dq_status end_table(dq_sink *out, dq_status status, dq_error *error)
{
    if (!status) return dq_sink_close(out, error);
    dq_sink_abort(out);
    return status;
}

/* ---- differences ---- */

dq_status dq_compared_against(const char *against, const char *const *systems, size_t count, size_t *number,
                              dq_error *error)
{
    if (!against) against = "first";
    *number = DQ_AGAINST_ALL;
    if (strcmp(against, "all") == 0) return DQ_OK;
    for (size_t i = 0; i < count; i++)
        if (strcmp(against, systems[i]) == 0) {
            *number = i;
            return DQ_OK;
        }
    *number = 0;
    if (strcmp(against, "first") == 0) return DQ_OK;
    return dq_fail(error, DQ_ERR_UNKNOWN, "nothing to compare is called '%s'; there is %s%s", against,
                   systems[0], count > 1 ? ", and more" : "");
}

static dq_status put_head(const dq_compare_options *config, dq_sink *out, dq_error *error)
{
    if (!config->brief)
        return dq_sink_printf(
            out, error,
            "a\tb\tmeasure\tn\tmean_a\tmean_b\tdifference\tlower\tupper\tp_randomisation\tp_t\t"
            "p_wilcoxon\tp_adjusted\td_z\tg\trank_biserial\tcliff\twins\tlosses\tties\n");
    return dq_sink_printf(
        out, error, "a\tb\tmeasure\tn\tmean_a\tmean_b\tdifference\tlower\tupper\tp_%s\tp_adjusted\td_z\n",
        dq_paired_test_names[config->test]);
}

static dq_status put_difference(const dq_difference *r, const dq_compare_options *config, dq_sink *out,
                                dq_error *error)
{
    const double all[] = {(double)r->n,
                          r->mean_a,
                          r->mean_b,
                          r->difference,
                          r->interval.low,
                          r->interval.high,
                          r->p[DQ_TEST_RANDOMISATION],
                          r->p[DQ_TEST_STUDENT],
                          r->p[DQ_TEST_WILCOXON],
                          r->p_adjusted,
                          r->cohen,
                          r->hedges,
                          r->rank_biserial,
                          r->cliff,
                          (double)r->wins,
                          (double)r->losses,
                          (double)r->ties};
    const double brief[] = {(double)r->n,       r->mean_a,       r->mean_b,
                            r->difference,      r->interval.low, r->interval.high,
                            r->p[config->test], r->p_adjusted,   r->cohen};
    if (config->brief) return put_numbers(out, brief, sizeof brief / sizeof *brief, error);
    return put_numbers(out, all, sizeof all / sizeof *all, error);
}

static dq_status put_differences(const dq_differences *d, const dq_compared_names *names,
                                 const dq_compare_options *config, dq_text_table *table, dq_error *error)
{
    dq_sink *out;
    table->texts = 3;
    dq_status status = dq_text_table_open(table, &out, error);
    if (status) return status;
    status = put_head(config, out, error);
    for (size_t i = 0; i < d->count && !status; i++) {
        const dq_difference *r = &d->rows[i];
        status = put_text(out, names->systems[r->a], error);
        if (!status) status = put_text(out, names->systems[r->b], error);
        if (!status) status = put_text(out, names->measures[r->measure], error);
        if (!status) status = put_difference(r, config, out, error);
    }
    return end_table(out, status, error);
}

dq_status dq_compared_values(const dq_run_values *values, const dq_compared_names *names,
                             const dq_compare_options *options, dq_compared *compared, dq_error *error)
{
    const dq_pairs_config config = {.draw = {(size_t)options->resamples, options->confidence, options->seed},
                                    .test = (dq_paired_test)options->test,
                                    .adjust = (dq_adjustment)options->adjust};
    dq_differences d = {0};
    size_t against;
    dq_status status = dq_compared_against(options->against, names->systems, values->runs, &against, error);
    if (!status) status = dq_compare_pairs(values, against, &config, &d, error);
    if (!status) status = put_differences(&d, names, options, &compared->table, error);
    dq_differences_free(&d);
    return status;
}

dq_status dq_compared_runs(const dq_run_table *runs, const dq_compare_options *options, dq_compared *compared,
                           dq_error *error)
{
    size_t picks[DQ_MAX_PICKS], left;
    const char *measures[DQ_MAX_PICKS], **systems = calloc(runs->run_count, sizeof *systems);
    dq_run_means means = {runs, picks};
    const dq_run_values values = dq_run_table_means(&means);
    const dq_compared_names names = {systems, measures};
    if (!systems) return dq_fail_memory(error, "%zu runs", runs->run_count);
    for (size_t r = 0; r < runs->run_count; r++) systems[r] = runs->runs[r].label;
    for (size_t k = 0; k < values.measures; k++) measures[k] = runs->picks.at[picks[k]].name;
    left = runs->picks.count - values.measures;
    if (left) note(compared, "%zu measures are no means over queries, and have no differences here", left);
    dq_status status = dq_compared_values(&values, &names, options, compared, error);
    free(systems);
    return status;
}

/* ---- a table of values ---- */

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
        note(compared, "%zu rows of 'all' or 'gap' are no unit's and are left out", s->summaries);
    if (partial)
        note(compared, "%zu of %zu units lack a value of some system, and do not count there", partial,
             units);
}

/* The ids of an index as C strings; NULL: no memory. */
static const char **names_of(const dq_index *index, dq_arena *arena)
{
    size_t count = dq_index_count(index), n;
    const char **names = dq_arena_take(arena, (count + 1) * sizeof *names);
    for (size_t i = 0; names && i < count; i++) {
        const char *id = dq_index_id(index, (uint32_t)i, &n);
        names[i] = dq_arena_text(arena, id, n);
        if (!names[i]) return NULL;
    }
    return names;
}

static dq_status compare_scores(const scores *s, const dq_compare_options *options, dq_compared *compared,
                                dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    const dq_compared_names names = {names_of(&s->systems, &arena), names_of(&s->measures, &arena)};
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

/* ---- an A/B log ---- */

typedef struct ab_log {
    const dq_compare_options *options;
    dq_label_map map;
    uint64_t unnamed, unrewarded; /* rows without a model, without a reward: left out */
    uint64_t both;                /* units that more than one model chose for */
    dq_time_tally times;
    dq_index models, units;
    size_t count; /* rows that count */
} ab_log;

typedef struct timed {
    dq_ab_row row;
    double time;
    size_t order;
} timed;

static int by_time(const void *a, const void *b)
{
    const timed *x = a, *y = b;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static dq_status take_unit(ab_log *log, const dq_bundle *b, uint64_t row, uint32_t *unit, dq_error *error)
{
    size_t n = 0;
    const dq_column *column = dq_bundle_column(b, log->options->unit == DQ_AB_USER ? "user" : "request");
    const char *id = column ? dq_column_text(column, row, &n) : NULL;
    *unit = (uint32_t)log->count;
    if (log->options->unit == DQ_AB_ROW) return DQ_OK;
    if (!id)
        return dq_fail(error, DQ_ERR_SCHEMA, "row %llu has no request (--unit)", (unsigned long long)row + 1);
    return dq_index_add(&log->units, id, n, unit, NULL, error);
}

static double reward_of(const ab_log *log, const dq_column *label, const dq_column *reward, uint64_t row)
{
    size_t n = 0;
    const char *text = label ? dq_column_text(label, row, &n) : NULL;
    bool given = reward && !dq_column_is_null(reward, row);
    return (double)dq_label_map_reward(&log->map, given ? (float)dq_column_number(reward, row) : NAN, text,
                                       n);
}

static dq_status take_row(ab_log *log, const dq_bundle *b, uint64_t row, timed *to, dq_error *error)
{
    const dq_column *model = dq_bundle_column(b, "model");
    size_t n = 0;
    dq_time time;
    const char *name = model ? dq_column_text(model, row, &n) : NULL;
    double reward = reward_of(log, dq_bundle_column(b, "label"), dq_bundle_column(b, "reward"), row);
    log->unnamed += !name;
    log->unrewarded += name && isnan(reward);
    *to = (timed){.row.reward = reward, .order = log->count};
    if (!name || isnan(reward)) return DQ_OK;
    dq_status status = dq_time_take(b, dq_time_column(b, log->options->time), row, &time, error);
    if (!status) status = dq_index_add(&log->models, name, n, &to->row.arm, NULL, error);
    if (!status) status = take_unit(log, b, row, &to->row.unit, error);
    if (status) return status;
    dq_time_count(&log->times, &time);
    to->time = dq_time_seconds(&time);
    log->count++;
    return DQ_OK;
}

typedef struct ab_rows {
    timed *at;
    size_t capacity;
} ab_rows;

static dq_status take_bundle(ab_log *log, const dq_bundle *b, ab_rows *rows, dq_error *error)
{
    dq_status status = DQ_OK;
    for (uint64_t r = 0; r < b->rows && !status; r++) {
        if (!dq_array_reserve(&rows->at, &rows->capacity, log->count + 1, sizeof *rows->at))
            return dq_fail_memory(error, "%zu interactions", log->count);
        status = take_row(log, b, r, &rows->at[log->count], error);
    }
    return status;
}

static dq_status read_log(ab_log *log, const char *const *paths, size_t count, ab_rows *rows, dq_error *error)
{
    dq_reader *reader;
    dq_bundle bundle;
    int got;
    dq_status status = dq_reader_open(&reader, paths, count, error);
    if (status) return status;
    while (!status && (got = dq_reader_next(reader, &bundle, error)) != 0) {
        if (got < 0) {
            status = error->status;
            break;
        }
        if (strcmp(bundle.kind, DQ_KIND_INTERACTIONS) == 0) status = take_bundle(log, &bundle, rows, error);
        dq_bundle_free(&bundle);
        if (status) (void)dq_error_at(error, dq_reader_source(reader), dq_reader_record(reader));
    }
    if (!status && !log->count) {
        status = dq_fail(error, DQ_ERR_SCHEMA, "no interaction says which model chose, and has a reward");
        (void)dq_error_at(error, dq_reader_source(reader), DQ_NO_RECORD);
    }
    dq_reader_close(reader);
    return status ? status : dq_time_check_forms(&log->times, log->options->time, error);
}

/* Sorts the rows where all have a time, and counts the units of several models. */
static dq_status order_rows(ab_log *log, ab_rows *rows, dq_ab_row **ordered, size_t *units, dq_error *error)
{
    *units = log->options->unit == DQ_AB_ROW ? log->count : dq_index_count(&log->units);
    uint32_t *first = malloc((*units + 1) * sizeof *first);
    bool *both = calloc(*units + 1, sizeof *both);
    *ordered = malloc((log->count + 1) * sizeof **ordered);
    dq_status status = first && both && *ordered ? DQ_OK : dq_fail_memory(error, "%zu units", *units);
    for (size_t u = 0; u < *units && !status; u++) first[u] = DQ_ABSENT;
    if (!log->times.count[DQ_TIME_NONE]) qsort(rows->at, log->count, sizeof *rows->at, by_time);
    for (size_t i = 0; i < log->count && !status; i++) {
        const dq_ab_row *row = &rows->at[i].row;
        (*ordered)[i] = *row;
        if (first[row->unit] == DQ_ABSENT) first[row->unit] = row->arm;
        log->both += first[row->unit] != row->arm && !both[row->unit];
        both[row->unit] |= first[row->unit] != row->arm;
    }
    free(first);
    free(both);
    return status;
}

static dq_status put_looks(const dq_ab_looks *looks, const char *const *models, dq_text_table *table,
                           dq_error *error)
{
    dq_sink *out;
    table->texts = 2;
    dq_status status = dq_text_table_open(table, &out, error);
    if (status) return status;
    status = dq_sink_printf(
        out, error,
        "a\tb\trows\tunits_a\tunits_b\tmean_a\tmean_b\tdifference\tlower\tupper\tp\tp_adjusted\t"
        "verdict\n");
    for (size_t i = 0; i < looks->count && !status; i++) {
        const dq_ab_look *l = &looks->at[i];
        const double row[] = {
            (double)l->rows, (double)l->units_a, (double)l->units_b, l->mean_a, l->mean_b,
            l->difference,   l->interval.low,    l->interval.high,   l->p,      l->p_adjusted};
        status = put_text(out, models[l->a], error);
        if (!status) status = put_text(out, models[l->b], error);
        for (size_t c = 0; c < sizeof row / sizeof *row && !status; c++)
            status = put_number(out, row[c], '\t', error);
        if (!status) status = dq_sink_printf(out, error, "%s\n", l->decided ? "differs" : "open");
    }
    return end_table(out, status, error);
}

static void note_log(const ab_log *log, dq_compared *c)
{
    if (log->unnamed) note(c, "%" PRIu64 " rows without a model are left out", log->unnamed);
    if (log->unrewarded) note(c, "%" PRIu64 " rows without a reward are left out", log->unrewarded);
    if (log->both)
        note(c, "%" PRIu64 " units met more than one model, and count for each of them", log->both);
    if (log->options->look && log->times.count[DQ_TIME_NONE])
        note(c, "not every row has a time '%.60s': looks follow the order of the stream", log->options->time);
}

static dq_status judge_log(ab_log *log, ab_rows *rows, dq_compared *compared, dq_error *error)
{
    const dq_compare_options *o = log->options;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_ab_row *ordered = NULL;
    dq_ab_looks looks = {0};
    dq_ab_config config = {.confidence = o->confidence,
                           .effect = o->effect,
                           .every = (size_t)o->look,
                           .burn_in = (size_t)o->burn_in,
                           .adjust = (dq_adjustment)o->adjust};
    size_t units = 0, arms = dq_index_count(&log->models);
    const char **models = names_of(&log->models, &arena);
    dq_status status = models ? DQ_OK : dq_fail_memory(error, "names");
    if (!status && arms < 2)
        status = dq_fail(error, DQ_ERR_RANGE, "every row was chosen by %s: nothing to compare", models[0]);
    if (!status) status = dq_compared_against(o->against, models, arms, &config.against, error);
    if (!status) status = order_rows(log, rows, &ordered, &units, error);
    if (!status) status = dq_ab_judge(ordered, log->count, arms, units, &config, &looks, error);
    if (!status) status = put_looks(&looks, models, &compared->table, error);
    if (!status) note_log(log, compared);
    dq_ab_looks_free(&looks);
    free(ordered);
    dq_arena_free(&arena);
    return status;
}

dq_status dq_compared_ab(const dq_compare_options *options, const char *const *paths, size_t count,
                         dq_compared *compared, dq_error *error)
{
    ab_log log = {.options = options};
    ab_rows rows = {0};
    dq_status status = dq_label_map_parse(&log.map, options->map, error);
    if (!status) status = read_log(&log, paths, count, &rows, error);
    if (!status) status = judge_log(&log, &rows, compared, error);
    dq_index_free(&log.models);
    dq_index_free(&log.units);
    dq_label_map_free(&log.map);
    free(rows.at);
    return status;
}

/* ---- sample sizes ---- */

static dq_status put_size(const dq_compare_options *o, dq_design design, dq_sink *out, dq_error *error)
{
    double sd = design == DQ_DESIGN_PAIRED ? o->sd * sqrt(2 * (1 - o->correlation)) : o->sd;
    double units = (double)o->units, effect = o->effect / sd, alpha = 1 - o->confidence;
    dq_status status = units > 0 ? dq_power_effect(design, units, alpha, o->power, &effect, error)
                                 : dq_power_units(design, effect, alpha, o->power, &units, error);
    if (!status) status = put_text(out, design == DQ_DESIGN_PAIRED ? "paired" : "two samples", error);
    const double row[] = {units, effect * sd, sd, dq_power(design, units, effect, alpha)};
    return status ? status : put_numbers(out, row, 4, error);
}

dq_status dq_compared_sizes(const dq_compare_options *options, dq_compared *compared, dq_error *error)
{
    dq_sink *out;
    compared->table.texts = 1;
    dq_status status = dq_text_table_open(&compared->table, &out, error);
    if (status) return status;
    status = dq_sink_printf(out, error, "design\tunits\teffect\tsd\tpower\n");
    if (!status) status = put_size(options, DQ_DESIGN_PAIRED, out, error);
    if (!status) status = put_size(options, DQ_DESIGN_TWO_SAMPLES, out, error);
    return end_table(out, status, error);
}
