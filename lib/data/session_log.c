/* SPDX-License-Identifier: MIT */
#include "data/session_log.h"

#include "data/time.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static dq_status no_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory for interactions");
}

/* ---- reading ---- */

/* The columns of a bundle of interactions; each but the first two may be NULL. */
typedef struct columns {
    const dq_column *user, *item, *label, *reward, *time;
} columns;

static columns columns_of(const dq_events *events, const dq_bundle *b)
{
    return (columns){dq_bundle_column(b, "user"), dq_bundle_column(b, "item"), dq_bundle_column(b, "label"),
                     dq_bundle_column(b, "reward"), dq_time_column(b, events->time)};
}

static float reward_of(const dq_events *events, const columns *c, uint64_t row)
{
    size_t n = 0;
    bool given = c->reward && !dq_column_is_null(c->reward, row);
    const char *label = c->label ? dq_column_text(c->label, row, &n) : NULL;
    return dq_label_map_reward(events->map, given ? (float)dq_column_number(c->reward, row) : NAN, label, n);
}

static bool keep_text(dq_events *events, const char *text, size_t n)
{
    if (events->time_bytes + n > events->time_capacity) {
        size_t capacity = 2 * events->time_capacity + n + 4096;
        char *grown = realloc(events->times, capacity);
        if (!grown) return false;
        events->times = grown;
        events->time_capacity = capacity;
    }
    if (n) memcpy(events->times + events->time_bytes, text, n);
    events->time_bytes += n;
    return true;
}

static dq_status take_time(dq_events *events, const columns *c, uint64_t row, dq_event *event,
                           dq_error *error)
{
    dq_time time = dq_time_of(c->time, row);
    switch (time.form) {
    case DQ_TIME_NONE: events->none = true; return DQ_OK;
    case DQ_TIME_NUMBER:
        events->numbers = true;
        event->number = time.number;
        return DQ_OK;
    case DQ_TIME_TEXT:
        events->texts = true;
        event->text = events->time_bytes;
        event->bytes = time.bytes;
        return keep_text(events, time.text, time.bytes) ? DQ_OK : no_memory(error);
    case DQ_TIME_OTHER: break;
    }
    return dq_fail(error, DQ_ERR_SCHEMA, "the time '%s' of an interaction is neither a number nor a text",
                   events->time);
}

static dq_status take(dq_events *events, const columns *c, uint64_t row, dq_error *error)
{
    dq_event event = {.place = events->count, .reward = reward_of(events, c, row)};
    size_t n;
    const char *id = dq_column_text(c->user, row, &n);
    dq_status status = dq_index_add(&events->users, id, n, &event.user, NULL, error);
    id = dq_column_text(c->item, row, &n);
    if (!status) status = dq_index_add(&events->items, id, n, &event.item, NULL, error);
    if (!status) status = take_time(events, c, row, &event, error);
    if (!status) events->at[events->count++] = event;
    return status;
}

dq_status dq_events_add(dq_events *events, const dq_bundle *interactions, dq_error *error)
{
    columns c = columns_of(events, interactions);
    size_t need = events->count + interactions->rows;
    dq_status status = DQ_OK;
    if (need >= UINT32_MAX) return dq_fail(error, DQ_ERR_RANGE, "more than 2^32 - 2 interactions");
    if (need > events->capacity) {
        size_t capacity = 2 * events->capacity > need ? 2 * events->capacity : need;
        dq_event *grown = realloc(events->at, capacity * sizeof *grown);
        if (!grown) return no_memory(error);
        events->at = grown;
        events->capacity = capacity;
    }
    for (uint64_t r = 0; !status && r < interactions->rows; r++) status = take(events, &c, r, error);
    return status;
}

/* ---- order ---- */

static dq_time time_of(const dq_events *events, const dq_event *event)
{
    return (dq_time){.form = events->numbers ? DQ_TIME_NUMBER : DQ_TIME_TEXT,
                     .number = event->number,
                     .text = event->bytes ? events->times + event->text : NULL,
                     .bytes = event->bytes};
}

static int compare(const void *x, const void *y, void *arg)
{
    const dq_event *a = x, *b = y;
    if (a->user != b->user) return a->user < b->user ? -1 : 1;
    const dq_time before = time_of(arg, a), after = time_of(arg, b);
    int order = dq_time_compare(&before, &after);
    return order ? order : (a->place > b->place) - (a->place < b->place);
}

dq_status dq_events_sort(dq_events *events, dq_error *error)
{
    if (events->none && (events->numbers || events->texts))
        return dq_fail(error, DQ_ERR_SCHEMA, "some interactions have an attribute '%s', and others none",
                       events->time);
    if (events->numbers && events->texts)
        return dq_fail(error, DQ_ERR_SCHEMA, "some times '%s' of interactions are numbers, and others texts",
                       events->time);
    if (events->count) qsort_r(events->at, events->count, sizeof *events->at, compare, events);
    return DQ_OK;
}

/* ---- a log ---- */

dq_status dq_events_log(const dq_events *events, const uint32_t *user_row, const uint32_t *item_row,
                        uint32_t user_count, dq_sessions_log *log, dq_error *error)
{
    uint32_t *first = calloc((size_t)user_count + 2, sizeof *first);
    uint32_t *item = malloc((events->count + 1) * sizeof *item);
    float *reward = malloc((events->count + 1) * sizeof *reward);
    log->first = first;
    log->item = item;
    log->reward = reward;
    if (!first || !item || !reward) {
        dq_events_log_free(log);
        return no_memory(error);
    }
    for (size_t i = 0; i < events->count; i++)
        if (user_row[events->at[i].user] != DQ_ABSENT) first[user_row[events->at[i].user] + 2]++;
    for (uint32_t u = 0; u < user_count; u++) first[u + 2] += first[u + 1];
    for (size_t i = 0; i < events->count; i++) { /* first[row + 1] is where the user's next one goes */
        uint32_t row = user_row[events->at[i].user];
        if (row == DQ_ABSENT) continue;
        uint32_t at = first[row + 1]++;
        item[at] = item_row[events->at[i].item];
        reward[at] = events->at[i].reward;
    }
    return DQ_OK;
}

void dq_events_log_free(dq_sessions_log *log)
{
    free((void *)(uintptr_t)log->first);
    free((void *)(uintptr_t)log->item);
    free((void *)(uintptr_t)log->reward);
    log->first = log->item = NULL;
    log->reward = NULL;
}

void dq_events_free(dq_events *events)
{
    dq_index_free(&events->users);
    dq_index_free(&events->items);
    free(events->at);
    free(events->times);
    *events = (dq_events){0};
}
