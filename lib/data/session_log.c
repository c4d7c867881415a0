/* SPDX-License-Identifier: MIT */
#include "data/session_log.h"

#include "core/array.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char key[] = "sessions"; /* what a model says of them */
static const double MANY = 0.05;      /* a share of equal times that makes their order matter */

/* ---- reading ---- */

/* The columns of a bundle of interactions; each but the first two may be NULL. */
typedef struct columns {
    const dq_column *user, *item, *label, *reward, *time, *value, *propensity;
} columns;

/* attr.NAME; or the label, where that is what NAME is. */
static const dq_column *value_column(const dq_session_log *log, const dq_bundle *b)
{
    const dq_column *column = log->attribute ? dq_time_column(b, log->attribute) : NULL;
    if (column || !log->attribute || strcmp(log->attribute, "label") != 0) return column;
    return dq_bundle_column(b, "label");
}

static columns columns_of(const dq_session_log *log, const dq_bundle *b)
{
    return (columns){dq_bundle_column(b, "user"),      dq_bundle_column(b, "item"),
                     dq_bundle_column(b, "label"),     dq_bundle_column(b, "reward"),
                     dq_time_column(b, log->time),     value_column(log, b),
                     dq_bundle_column(b, "propensity")};
}

static float number_or_none(const dq_column *column, uint64_t row)
{
    return column && !dq_column_is_null(column, row) ? (float)dq_column_number(column, row) : NAN;
}

static float reward_of(const dq_session_log *log, const columns *c, uint64_t row)
{
    size_t n = 0;
    const char *label = c->label ? dq_column_text(c->label, row, &n) : NULL;
    return dq_label_map_reward(log->map, number_or_none(c->reward, row), label, n);
}

static dq_status take_value(dq_session_log *log, const dq_column *column, uint64_t row, uint32_t *value,
                            dq_error *error)
{
    size_t n = 0;
    const char *text = column ? dq_column_text(column, row, &n) : NULL;
    *value = DQ_SESSION_NO_VALUE;
    if (!text || (n == 4 && memcmp(text, "null", n) == 0)) return DQ_OK;
    return dq_index_add(&log->values, text, n, value, NULL, error);
}

static dq_status take(dq_session_log *log, const dq_bundle *b, const columns *c, uint64_t row,
                      dq_error *error)
{
    dq_session_event event = {.place = log->count,
                              .reward = reward_of(log, c, row),
                              .propensity = number_or_none(c->propensity, row)};
    size_t n;
    if (log->unrewarded && !isnan(event.reward)) return DQ_OK;
    const char *id = dq_column_text(c->user, row, &n);
    dq_status status = dq_index_add(&log->users, id, n, &event.user, NULL, error);
    id = dq_column_text(c->item, row, &n);
    if (!status) status = dq_index_add(&log->items, id, n, &event.item, NULL, error);
    if (!status) status = dq_time_take(b, c->time, row, &event.time, error);
    if (!status) status = take_value(log, c->value, row, &event.value, error);
    if (status) return status;
    dq_time_count(&log->tally, &event.time);
    log->at[log->count++] = event;
    return DQ_OK;
}

dq_status dq_session_log_add(dq_session_log *log, const dq_bundle *interactions, dq_error *error)
{
    columns c = columns_of(log, interactions);
    size_t need = log->count + interactions->rows;
    dq_status status = DQ_OK;
    if (need >= UINT32_MAX) return dq_fail(error, DQ_ERR_RANGE, "more than 2^32 - 2 interactions");
    if (!dq_array_reserve(&log->at, &log->capacity, need, sizeof *log->at))
        return dq_fail_memory(error, "interactions");
    const char *other = c.time ? NULL : dq_time_suggest(interactions);
    if (other) (void)snprintf(log->suggested, sizeof log->suggested, "%s", other);
    for (uint64_t r = 0; !status && r < interactions->rows; r++)
        status = take(log, interactions, &c, r, error);
    return status;
}

/* ---- order ---- */

static dq_status check_values(const dq_session_log *log, dq_error *error)
{
    if (!log->attribute || log->count == 0 || dq_index_count(&log->values)) return DQ_OK;
    return dq_fail(error, DQ_ERR_UNKNOWN, "no interaction has an attribute '%s', which states show",
                   log->attribute);
}

static int compare(const void *x, const void *y)
{
    const dq_session_event *a = x, *b = y;
    if (a->user != b->user) return a->user < b->user ? -1 : 1;
    int order = dq_time_compare(&a->time, &b->time);
    return order ? order : (a->place > b->place) - (a->place < b->place);
}

static dq_status check_times(const dq_session_log *log, dq_error *error)
{
    uint64_t none = log->tally.count[DQ_TIME_NONE];
    if (none && none < log->count)
        return dq_fail(error, DQ_ERR_SCHEMA,
                       "%llu of %zu interactions have no attribute '%s': their order is not known "
                       "(give it to all, or to none)",
                       (unsigned long long)none, log->count, log->time);
    if (none && log->seconds)
        return dq_fail(error, DQ_ERR_SCHEMA,
                       "the interactions have no attribute '%s': when they were is asked for here",
                       log->time);
    return dq_time_check_forms(&log->tally, log->time, error);
}

dq_status dq_session_log_sort(dq_session_log *log, dq_error *error)
{
    dq_status status = check_times(log, error);
    if (!status) status = check_values(log, error);
    if (status) return status;
    for (size_t i = 0; log->tally.count[DQ_TIME_DATE] && i < log->count; i++)
        log->at[i].time = dq_time_beside_dates(log->at[i].time);
    if (log->count) qsort(log->at, log->count, sizeof *log->at, compare);
    log->ties = 0;
    for (size_t i = 1; i < log->count; i++)
        log->ties += log->at[i].user == log->at[i - 1].user &&
                     dq_time_compare(&log->at[i].time, &log->at[i - 1].time) == 0;
    return DQ_OK;
}

bool dq_session_log_describe_order(const dq_session_log *log, char *words, size_t size)
{
    bool some = dq_time_describe(&log->tally, log->time, words, size);
    size_t used = strlen(words);
    double share = log->count ? (double)log->ties / (double)log->count : 0;
    if (log->tally.count[DQ_TIME_NONE] && log->ties)
        (void)snprintf(
            words, size,
            "the interactions have no attribute '%s': the order of the stream is taken for that of "
            "time%s%s%s",
            log->time, *log->suggested ? "; they have a '" : "", log->suggested,
            *log->suggested ? "', which reads as one" : "");
    else if (share >= MANY)
        (void)snprintf(
            words + used, size - used,
            "%s%.0f %% of the interactions have the time of their user's one before: these stay in "
            "the order of the stream",
            some ? "; " : "", 100 * share);
    return *words != '\0';
}

/* ---- values of an attribute ---- */

typedef struct counted {
    const char *text;
    size_t bytes, count;
} counted;

static int by_count(const void *x, const void *y)
{
    const counted *a = x, *b = y;
    if (a->count != b->count) return a->count > b->count ? -1 : 1;
    int order = memcmp(a->text, b->text, a->bytes < b->bytes ? a->bytes : b->bytes);
    return order ? order : (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

static dq_status choose_vocabulary(dq_session_log *log, size_t max, dq_error *error)
{
    dq_status status = DQ_OK;
    size_t n = dq_index_count(&log->values);
    counted *list = calloc(n + 1, sizeof *list);
    if (!list) return dq_fail_memory(error, "values of an attribute");
    for (uint32_t i = 0; i < n; i++) list[i].text = dq_index_id(&log->values, i, &list[i].bytes);
    for (size_t i = 0; i < log->count; i++)
        if (log->at[i].value != DQ_SESSION_NO_VALUE) list[log->at[i].value].count++;
    qsort(list, n, sizeof *list, by_count);
    for (size_t i = 0; !status && i < n && i < max; i++)
        status = dq_index_add(&log->vocabulary, list[i].text, list[i].bytes, NULL, NULL, error);
    free(list);
    return status;
}

/* The values of all events, which are in the order of the stream. */
static dq_status read_values(dq_session_log *log, const dq_catalogue *catalogue, dq_error *error)
{
    dq_status status = DQ_OK;
    size_t at = 0;
    for (size_t i = 0; i < catalogue->interaction_bundle_count; i++) {
        const dq_bundle *b = &catalogue->interaction_bundles[i];
        const dq_column *column = value_column(log, b);
        for (uint64_t r = 0; !status && r < b->rows && at < log->count; r++)
            status = take_value(log, column, r, &log->at[at++].value, error);
    }
    return status ? status : check_values(log, error);
}

/* The attribute and the vocabulary of a model's states, whose layout this is. */
static dq_status load_vocabulary(dq_session_log *log, const dq_bundle *model, const dq_session_layout *layout,
                                 dq_error *error)
{
    if (layout->values == 0) return DQ_OK;
    const dq_value *meta = dq_map_get(&model->meta, key);
    const dq_value *values = meta ? dq_map_get(meta, "values") : NULL;
    bool sound = values && values->type == DQ_LIST && (uint64_t)values->count + 1 == layout->values;
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && sound && i < values->count; i++) {
        const dq_value *v = &values->as.list[i];
        sound = v->type == DQ_STRING;
        if (sound) status = dq_index_add(&log->vocabulary, v->as.string, v->count, NULL, &sound, error);
    }
    log->attribute = meta ? dq_value_text(&log->arena, dq_map_get(meta, "attribute")) : NULL;
    if (!status && !(sound && log->attribute))
        status = dq_fail(error, DQ_ERR_SCHEMA, "the model does not say which values its states show");
    return status;
}

dq_status dq_session_log_take_values(dq_session_log *log, const dq_bundle *model,
                                     const dq_catalogue *catalogue, size_t max, dq_session_layout *layout,
                                     dq_error *error)
{
    const char *asked = log->attribute;
    dq_session_layout from = {0};
    dq_status status = model ? dq_session_layout_load(&from, model, error) : DQ_OK;
    if (!status) status = load_vocabulary(log, model, &from, error);
    if (!status && asked && from.item_width && (!from.values || strcmp(asked, log->attribute) != 0))
        return dq_fail(error, DQ_ERR_RANGE,
                       "the model learnt from states that show %s%s%s, and here it is '%s'",
                       from.values ? "the attribute '" : "no attribute of events",
                       from.values ? log->attribute : "", from.values ? "'" : "", asked);
    if (!status && log->attribute) status = read_values(log, catalogue, error);
    if (!status && log->attribute && !from.values) status = choose_vocabulary(log, max, error);
    if (status) return status;
    layout->values = log->attribute ? (uint32_t)dq_index_count(&log->vocabulary) + 1 : 0;
    layout->one_hot = layout->one_hot && log->attribute;
    layout->cross = layout->cross && log->attribute;
    return DQ_OK;
}

/* The place of each value of the log: what is not in the vocabulary shares the last. */
static uint32_t *places_of(const dq_session_log *log)
{
    uint32_t last = (uint32_t)dq_index_count(&log->vocabulary);
    uint32_t *place = dq_index_find_all(&log->vocabulary, &log->values);
    for (size_t i = 0; place && i < dq_index_count(&log->values); i++)
        if (place[i] == DQ_ABSENT) place[i] = last;
    return place;
}

/* ---- a log ---- */

static bool is_left_out(const dq_session_event *event, const uint32_t *user_row, const uint32_t *item_row)
{
    return user_row[event->user] == DQ_ABSENT || item_row[event->item] == DQ_ABSENT;
}

dq_status dq_session_log_rows(const dq_session_log *log, const uint32_t *user_row, const uint32_t *item_row,
                              uint32_t user_count, dq_session_rows *rows, dq_error *error)
{
    uint32_t *first = calloc((size_t)user_count + 2, sizeof *first);
    uint32_t *item = malloc((log->count + 1) * sizeof *item);
    float *reward = malloc((log->count + 1) * sizeof *reward);
    float *propensity = malloc((log->count + 1) * sizeof *propensity);
    double *second = log->seconds ? malloc((log->count + 1) * sizeof *second) : NULL;
    uint32_t *value = log->attribute ? malloc((log->count + 1) * sizeof *value) : NULL;
    uint32_t *place = log->attribute ? places_of(log) : NULL;
    rows->first = first;
    rows->item = item;
    rows->reward = reward;
    rows->propensity = propensity;
    rows->second = second;
    rows->value = value;
    rows->gap = log->gap;
    if (!first || !item || !reward || !propensity || (log->seconds && !second) ||
        (log->attribute && !(value && place))) {
        free(place);
        dq_session_rows_free(rows);
        return dq_fail_memory(error, "interactions");
    }
    for (size_t i = 0; i < log->count; i++)
        if (!is_left_out(&log->at[i], user_row, item_row)) first[user_row[log->at[i].user] + 2]++;
    for (uint32_t u = 0; u < user_count; u++) first[u + 2] += first[u + 1];
    for (size_t i = 0; i < log->count; i++) { /* first[row + 1] is where the user's next one goes */
        if (is_left_out(&log->at[i], user_row, item_row)) continue;
        uint32_t at = first[user_row[log->at[i].user] + 1]++;
        item[at] = item_row[log->at[i].item];
        reward[at] = log->at[i].reward;
        propensity[at] = log->at[i].propensity;
        if (second) second[at] = dq_time_seconds(&log->at[i].time);
        if (value)
            value[at] = log->at[i].value == DQ_SESSION_NO_VALUE ? DQ_SESSION_NO_VALUE
                                                                : place[log->at[i].value];
    }
    free(place);
    return DQ_OK;
}

void dq_session_rows_free(dq_session_rows *rows)
{
    free((void *)(uintptr_t)rows->first);
    free((void *)(uintptr_t)rows->item);
    free((void *)(uintptr_t)rows->reward);
    free((void *)(uintptr_t)rows->propensity);
    free((void *)(uintptr_t)rows->second);
    free((void *)(uintptr_t)rows->value);
    rows->first = rows->item = rows->value = NULL;
    rows->reward = rows->propensity = NULL;
    rows->second = NULL;
}

bool dq_session_rows_cut(const dq_session_rows *rows, uint32_t event)
{
    return rows->gap > 0 && rows->second && rows->second[event] - rows->second[event - 1] > rows->gap;
}

dq_session_place dq_session_rows_end(const dq_session_rows *rows, uint32_t user, uint32_t *before)
{
    uint32_t first = rows->first[user], end = rows->first[user + 1], n = 0, met = 0;
    uint32_t *value = rows->value ? before + (end - first) : NULL;
    for (uint32_t e = first; e < end; e++, met++) {
        if (e > first && dq_session_rows_cut(rows, e)) n = met = 0;
        if (!dq_session_enters(rows->reward[e])) continue;
        if (value) value[n] = rows->value[e];
        before[n++] = rows->item[e]; /* NOLINT(*.NullDereference): who has events has room for them */
    }
    double now = met && rows->second ? rows->second[end - 1] : (double)NAN;
    return (dq_session_place){.user = rows->users.width ? rows->users.at[user] : NULL,
                              .latest = n ? before + n - 1 : NULL,
                              .value = n && value ? value + n - 1 : NULL,
                              .step = -1,
                              .entered = n,
                              .met = met,
                              .now = now,
                              .before = now};
}

dq_status dq_session_log_of_catalogue(dq_session_log *log, const dq_catalogue *c, dq_session_rows *rows,
                                      dq_error *error)
{
    uint32_t *user_row = dq_index_find_all(&c->users.identity.ids,
                                           &log->users); /* it was finished: all are */
    uint32_t *item_row = dq_index_find_all(&c->items.identity.ids, &log->items);
    dq_status status = user_row && item_row ? dq_session_log_sort(log, error)
                                            : dq_fail_memory(error, "interactions");
    rows->users = dq_entities_vectors(&c->users);
    rows->items = dq_entities_vectors(&c->items);
    if (!status)
        status = dq_session_log_rows(log, user_row, item_row, dq_entities_count(&c->users), rows, error);
    free(user_row);
    free(item_row);
    return status;
}

/* ---- as a model knows it ---- */

static bool describe_values(const dq_session_log *log, dq_arena *arena, dq_value *sessions)
{
    uint32_t count = (uint32_t)dq_index_count(&log->vocabulary);
    dq_value values = dq_list(), attribute = dq_string(arena, log->attribute);
    bool fits = dq_map_set(arena, sessions, "attribute", attribute);
    for (uint32_t i = 0; fits && i < count; i++) {
        size_t n;
        const char *text = dq_index_id(&log->vocabulary, i, &n);
        fits = dq_list_add(arena, &values, dq_string_n(arena, text, n));
    }
    return fits && dq_map_set(arena, sessions, "values", values);
}

dq_status dq_session_log_describe(const dq_session_log *log, const char *map, dq_bundle *model,
                                  dq_error *error)
{
    dq_arena *arena = &model->arena;
    dq_value sessions = dq_map();
    if (dq_map_set(arena, &sessions, "time", dq_string(arena, log->time)) &&
        dq_map_set(arena, &sessions, "map", dq_string(arena, map)) &&
        dq_map_set(arena, &sessions, "gap", dq_real(log->gap)) &&
        (!log->attribute || describe_values(log, arena, &sessions)) &&
        dq_map_set(arena, &model->meta, key, sessions))
        return DQ_OK;
    return dq_fail_memory(error, "a model");
}

dq_status dq_session_log_describe_as(const dq_bundle *from, const dq_session_log *log, const char *map,
                                     dq_bundle *model, dq_error *error)
{
    const dq_value *told = from ? dq_map_get(&from->meta, key) : NULL;
    dq_value copy;
    if (!told) return dq_session_log_describe(log, map, model, error);
    if (dq_value_copy(&model->arena, told, &copy) && dq_map_set(&model->arena, &model->meta, key, copy))
        return DQ_OK;
    return dq_fail_memory(error, "a model");
}

dq_status dq_session_log_check_order(const dq_session_log *log, bool asked, char *words, size_t size,
                                     dq_error *error)
{
    bool none = log->tally.count[DQ_TIME_NONE] > 0;
    *words = '\0';
    if (none && asked)
        return dq_fail(error, DQ_ERR_UNKNOWN, "--time %s: the interactions have no such attribute%s%s",
                       log->time, *log->suggested ? "; one that reads as a time is " : "", log->suggested);
    if (!dq_session_log_describe_order(log, words, size) || !none) return DQ_OK;
    size_t at = strlen(words);
    (void)snprintf(words + at, size - at, " (--time NAME)");
    return DQ_OK;
}

dq_status dq_session_log_inherit(dq_session_layout *layout, dq_session_cut *cut, const dq_bundle *model,
                                 dq_arena *arena, bool (*given)(const void *arg, const char *part),
                                 const void *arg, dq_error *error)
{
    dq_session_layout from;
    const dq_value *meta = dq_map_get(&model->meta, key);
    dq_status status = dq_session_layout_load(&from, model, error);
    if (status || from.item_width == 0) return status;
    dq_session_layout_inherit(layout, &from, given, arg);
    if (!given(arg, "history")) layout->history = from.history;
    if (!given(arg, "session-gap")) cut->gap = dq_value_number(dq_map_get(meta, "gap"), cut->gap);
    if (!given(arg, "event-attribute")) cut->attribute = dq_value_text(arena, dq_map_get(meta, "attribute"));
    return DQ_OK;
}

dq_status dq_session_log_as(dq_session_log *log, const dq_bundle *model, const dq_session_layout *layout,
                            dq_error *error)
{
    const dq_value *meta = dq_map_get(&model->meta, key);
    const char *map = meta ? dq_value_text(&log->arena, dq_map_get(meta, "map")) : DQ_LABEL_MAP_DEFAULT;
    log->time = meta ? dq_value_text(&log->arena, dq_map_get(meta, "time")) : DQ_SESSION_TIME_DEFAULT;
    if (!map || !log->time)
        return dq_fail(error, DQ_ERR_SCHEMA, "the model does not say what its sessions were");
    log->gap = dq_value_number(dq_map_get(meta, "gap"), 0);
    log->seconds = log->gap > 0 || layout->clock || layout->since;
    log->map = &log->learnt;
    dq_status status = load_vocabulary(log, model, layout, error);
    return status ? status : dq_label_map_parse(&log->learnt, map, error);
}

void dq_session_log_free(dq_session_log *log)
{
    dq_label_map_free(&log->learnt);
    dq_arena_free(&log->arena);
    dq_index_free(&log->users);
    dq_index_free(&log->items);
    dq_index_free(&log->values);
    dq_index_free(&log->vocabulary);
    free(log->at);
    *log = (dq_session_log){0};
}
