/* SPDX-License-Identifier: MIT */
#include "verdict/compared_impl.h"

#include "core/array.h"
#include "data/label_map.h"
#include "data/load.h"
#include "data/time.h"
#include "dq/schema.h"
#include "dq/stream.h"
#include "log/answers.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const dq_ab_unit_names[] = {
    [DQ_AB_USER] = "user", [DQ_AB_REQUEST] = "request", [DQ_AB_ROW] = "row", NULL};

typedef struct ab_log {
    const dq_compare_options *options;
    dq_label_map map;
    dq_log_join join;             /* of a server's log */
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

typedef struct ab_reading {
    ab_log *log;
    ab_rows *rows;
} ab_reading;

static dq_status take_bundle(void *arg, const dq_bundle *b, dq_error *error)
{
    const ab_reading *reading = arg;
    ab_log *log = reading->log;
    ab_rows *rows = reading->rows;
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
    dq_status status = dq_reader_open(&reader, paths, count, error);
    if (status) return status;
    log->join = (dq_log_join){.map = &log->map, .unanswered = log->options->unanswered};
    status = dq_log_join_reader(&log->join, reader, paths, count, error);
    if (!status)
        status = dq_bundles_each(reader, DQ_KIND_INTERACTIONS, take_bundle, &(ab_reading){log, rows}, error);
    if (!status) status = dq_log_join_check(&log->join, error);
    if (!status && (!log->count || !rows->at)) {
        status = dq_fail(error, DQ_ERR_SCHEMA, "no interaction has both a model and a reward");
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
        status = verdict_text(out, models[l->a], error);
        if (!status) status = verdict_text(out, models[l->b], error);
        for (size_t c = 0; c < sizeof row / sizeof *row && !status; c++)
            status = verdict_number(out, row[c], '\t', error);
        if (!status) status = dq_sink_printf(out, error, "%s\n", l->decided ? "differs" : "open");
    }
    return verdict_end(out, status, error);
}

static void note_log(const ab_log *log, const dq_ab_looks *looks, dq_compared *c)
{
    char words[200];
    size_t early = 0, looks_at_end = 0; /* pairs that nothing is said of in the end */
    for (size_t i = 0; i < looks->count; i++) {
        const dq_ab_look *l = &looks->at[i];
        if (l->rows < log->count) continue;
        looks_at_end++;
        early += isinf(l->interval.low) != 0;
    }
    if (early)
        verdict_note(c,
                     "of %zu of %zu pairs nothing is said: fewer than %" PRIu64
                     " units of a model (--burn-in), or all their values are the same",
                     early, looks_at_end, log->options->burn_in);
    if (dq_log_join_describe(&log->join, words, sizeof words)) verdict_note(c, "%s", words);
    if (log->unnamed) verdict_note(c, "%" PRIu64 " rows without a model are left out", log->unnamed);
    if (log->unrewarded) verdict_note(c, "%" PRIu64 " rows without a reward are left out", log->unrewarded);
    if (log->both)
        verdict_note(c, "%" PRIu64 " units met more than one model, and count for each of them", log->both);
    if (log->options->look && log->times.count[DQ_TIME_NONE])
        verdict_note(c, "not every row has a time '%.60s': looks follow the order of the stream",
                     log->options->time);
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
    const char **models = verdict_names(&log->models, &arena);
    dq_status status = models ? DQ_OK : dq_fail_memory(error, "names");
    if (!status && arms < 2)
        status = dq_fail(error, DQ_ERR_RANGE, "every row was chosen by %s: nothing to compare", models[0]);
    if (!status) status = dq_compared_against(o->against, models, arms, &config.against, error);
    if (!status) status = order_rows(log, rows, &ordered, &units, error);
    if (!status) status = dq_ab_judge(ordered, log->count, arms, units, &config, &looks, error);
    if (!status) status = put_looks(&looks, models, &compared->table, error);
    if (!status) note_log(log, &looks, compared);
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
    dq_log_join_free(&log.join);
    dq_index_free(&log.models);
    dq_index_free(&log.units);
    dq_label_map_free(&log.map);
    free(rows.at);
    return status;
}
