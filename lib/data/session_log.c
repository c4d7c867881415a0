/* SPDX-License-Identifier: MIT */
#include "data/session_log.h"

#include "core/array.h"
#include "data/time.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

/* The columns of a bundle of interactions; each but the first two may be NULL. */
typedef struct columns {
    const dq_column *user, *item, *label, *reward, *time;
} columns;

static columns columns_of(const dq_session_log *log, const dq_bundle *b)
{
    return (columns){dq_bundle_column(b, "user"), dq_bundle_column(b, "item"), dq_bundle_column(b, "label"),
                     dq_bundle_column(b, "reward"), dq_time_column(b, log->time)};
}

static float reward_of(const dq_session_log *log, const columns *c, uint64_t row)
{
    size_t n = 0;
    bool given = c->reward && !dq_column_is_null(c->reward, row);
    const char *label = c->label ? dq_column_text(c->label, row, &n) : NULL;
    return dq_label_map_reward(log->map, given ? (float)dq_column_number(c->reward, row) : NAN, label, n);
}

static bool keep_text(dq_session_log *log, const char *text, size_t n)
{
    if (!dq_array_reserve(&log->times, &log->time_capacity, log->time_bytes + n, 1)) return false;
    if (n) memcpy(log->times + log->time_bytes, text, n);
    log->time_bytes += n;
    return true;
}

static dq_status take_time(dq_session_log *log, const columns *c, uint64_t row, dq_session_event *event,
                           dq_error *error)
{
    dq_time time = dq_time_of(c->time, row);
    switch (time.form) {
    case DQ_TIME_NONE: log->none = true; return DQ_OK;
    case DQ_TIME_NUMBER:
        log->numbers = true;
        event->number = time.number;
        return DQ_OK;
    case DQ_TIME_TEXT:
        log->texts = true;
        event->text = log->time_bytes;
        event->bytes = time.bytes;
        return keep_text(log, time.text, time.bytes) ? DQ_OK : dq_fail_memory(error, "interactions");
    case DQ_TIME_OTHER: break;
    }
    return dq_fail(error, DQ_ERR_SCHEMA, "the time '%s' of an interaction is neither a number nor a text",
                   log->time);
}

static dq_status take(dq_session_log *log, const columns *c, uint64_t row, dq_error *error)
{
    dq_session_event event = {.place = log->count, .reward = reward_of(log, c, row)};
    size_t n;
    const char *id = dq_column_text(c->user, row, &n);
    dq_status status = dq_index_add(&log->users, id, n, &event.user, NULL, error);
    id = dq_column_text(c->item, row, &n);
    if (!status) status = dq_index_add(&log->items, id, n, &event.item, NULL, error);
    if (!status) status = take_time(log, c, row, &event, error);
    if (!status) log->at[log->count++] = event;
    return status;
}

dq_status dq_session_log_add(dq_session_log *log, const dq_bundle *interactions, dq_error *error)
{
    columns c = columns_of(log, interactions);
    size_t need = log->count + interactions->rows;
    dq_status status = DQ_OK;
    if (need >= UINT32_MAX) return dq_fail(error, DQ_ERR_RANGE, "more than 2^32 - 2 interactions");
    if (!dq_array_reserve(&log->at, &log->capacity, need, sizeof *log->at))
        return dq_fail_memory(error, "interactions");
    for (uint64_t r = 0; !status && r < interactions->rows; r++) status = take(log, &c, r, error);
    return status;
}

/* ---- order ---- */

static dq_time time_of(const dq_session_log *log, const dq_session_event *event)
{
    return (dq_time){.form = log->numbers ? DQ_TIME_NUMBER : DQ_TIME_TEXT,
                     .number = event->number,
                     .text = event->bytes ? log->times + event->text : NULL,
                     .bytes = event->bytes};
}

static int compare(const void *x, const void *y, void *arg)
{
    const dq_session_event *a = x, *b = y;
    const dq_session_log *log = arg;
    if (a->user != b->user) return a->user < b->user ? -1 : 1;
    const dq_time before = time_of(log, a), after = time_of(log, b);
    int order = log->seconds ? (a->second > b->second) - (a->second < b->second)
                             : dq_time_compare(&before, &after);
    return order ? order : (a->place > b->place) - (a->place < b->place);
}

static dq_status find_seconds(dq_session_log *log, dq_error *error)
{
    if (log->none)
        return dq_fail(error, DQ_ERR_SCHEMA,
                       "an interaction has no attribute '%s': when it was is asked for here", log->time);
    for (size_t i = 0; i < log->count; i++) {
        const dq_time time = time_of(log, &log->at[i]);
        log->at[i].second = dq_time_seconds(&time);
        if (!isfinite(log->at[i].second))
            return dq_fail(error, DQ_ERR_SCHEMA,
                           "the time '%s' of an interaction is neither seconds since 1970 nor ISO 8601: %.*s",
                           log->time, (int)time.bytes, time.text ? time.text : "");
    }
    return DQ_OK;
}

dq_status dq_session_log_sort(dq_session_log *log, dq_error *error)
{
    if (log->none && (log->numbers || log->texts))
        return dq_fail(error, DQ_ERR_SCHEMA, "some interactions have an attribute '%s', and others none",
                       log->time);
    if (log->numbers && log->texts)
        return dq_fail(error, DQ_ERR_SCHEMA, "some times '%s' of interactions are numbers, and others texts",
                       log->time);
    dq_status status = log->seconds ? find_seconds(log, error) : DQ_OK;
    if (status) return status;
    if (log->count) qsort_r(log->at, log->count, sizeof *log->at, compare, log);
    return DQ_OK;
}

/* ---- a log ---- */

dq_status dq_session_log_rows(const dq_session_log *log, const uint32_t *user_row, const uint32_t *item_row,
                              uint32_t user_count, dq_session_rows *rows, dq_error *error)
{
    uint32_t *first = calloc((size_t)user_count + 2, sizeof *first);
    uint32_t *item = malloc((log->count + 1) * sizeof *item);
    float *reward = malloc((log->count + 1) * sizeof *reward);
    double *second = log->seconds ? malloc((log->count + 1) * sizeof *second) : NULL;
    rows->first = first;
    rows->item = item;
    rows->reward = reward;
    rows->second = second;
    if (!first || !item || !reward || (log->seconds && !second)) {
        dq_session_rows_free(rows);
        return dq_fail_memory(error, "interactions");
    }
    for (size_t i = 0; i < log->count; i++)
        if (user_row[log->at[i].user] != DQ_ABSENT) first[user_row[log->at[i].user] + 2]++;
    for (uint32_t u = 0; u < user_count; u++) first[u + 2] += first[u + 1];
    for (size_t i = 0; i < log->count; i++) { /* first[row + 1] is where the user's next one goes */
        uint32_t row = user_row[log->at[i].user];
        if (row == DQ_ABSENT) continue;
        uint32_t at = first[row + 1]++;
        item[at] = item_row[log->at[i].item];
        reward[at] = log->at[i].reward;
        if (second) second[at] = log->at[i].second;
    }
    return DQ_OK;
}

void dq_session_rows_free(dq_session_rows *rows)
{
    free((void *)(uintptr_t)rows->first);
    free((void *)(uintptr_t)rows->item);
    free((void *)(uintptr_t)rows->reward);
    free((void *)(uintptr_t)rows->second);
    rows->first = rows->item = NULL;
    rows->reward = NULL;
    rows->second = NULL;
}

bool dq_session_rows_cut(const dq_session_rows *rows, uint32_t event)
{
    return rows->gap > 0 && rows->second && rows->second[event] - rows->second[event - 1] > rows->gap;
}

void dq_session_log_free(dq_session_log *log)
{
    dq_index_free(&log->users);
    dq_index_free(&log->items);
    free(log->at);
    free(log->times);
    *log = (dq_session_log){0};
}
