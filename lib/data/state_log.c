/* SPDX-License-Identifier: MIT */
#include "data/state_log.h"

#include "core/array.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_ACTIONS = 1 << 24 };

typedef struct columns {
    const dq_column *state, *next, *choice, *reward, *done, *episode, *propensity;
} columns;

bool dq_state_log_has_states(const dq_bundle *transitions)
{
    return dq_bundle_column(transitions, "state") != NULL;
}

static dq_status find_columns(const dq_bundle *b, const dq_state_log *log, columns *c, dq_error *error)
{
    *c = (columns){.state = dq_bundle_column(b, "state"),
                   .next = dq_bundle_column(b, "next_state"),
                   .choice = dq_bundle_column(b, "choice"),
                   .reward = dq_bundle_column(b, "reward"),
                   .done = dq_bundle_column(b, "done"),
                   .episode = dq_bundle_column(b, "episode"),
                   .propensity = dq_bundle_column(b, "propensity")};
    if (!c->state || !c->choice || !c->reward)
        return dq_fail(error, DQ_ERR_SCHEMA,
                       "transitions with states need the columns state, choice and reward");
    uint64_t width = dq_column_width(c->state);
    if (width == 0) return dq_fail(error, DQ_ERR_SCHEMA, "states without a number");
    if (width > UINT32_MAX || (log->count && width != log->width) ||
        (c->next && dq_column_width(c->next) != width))
        return dq_fail(error, DQ_ERR_SCHEMA, "states of unequal width");
    return DQ_OK;
}

/* Where the log says how its states are laid out, it says so in all bundles. */
static dq_status take_layout(dq_state_log *log, const dq_bundle *b, dq_error *error)
{
    dq_session_layout layout;
    dq_status status = dq_session_layout_load(&layout, b, error);
    if (status) return status;
    if (layout.item_width && dq_session_state_width(&layout) != log->width)
        return dq_fail(error, DQ_ERR_SCHEMA, "states %u wide, and a layout of other ones", log->width);
    if (log->count &&
        (layout.item_width != log->layout.item_width || dq_session_layout_fits(&log->layout, &layout, NULL)))
        return dq_fail(error, DQ_ERR_SCHEMA, "states of several layouts");
    log->layout = layout;
    return DQ_OK;
}

static dq_status reserve(dq_state_log *log, uint64_t more, dq_error *error)
{
    if (more > UINT32_MAX - 1 - log->count)
        return dq_fail(error, DQ_ERR_RANGE, "more than 2^32 - 2 transitions");
    size_t room = dq_array_capacity(log->capacity, log->count + (size_t)more);
    size_t width = log->width * sizeof *log->state;
    if (room == log->capacity) return DQ_OK;
    if (!dq_array_resize(&log->state, room, width) || !dq_array_resize(&log->next, room, width) ||
        !dq_array_resize(&log->action, room, sizeof *log->action) ||
        !dq_array_resize(&log->episode, room, sizeof *log->episode) ||
        !dq_array_resize(&log->reward, room, sizeof *log->reward) ||
        !dq_array_resize(&log->propensity, room, sizeof *log->propensity) ||
        !dq_array_resize(&log->done, room, sizeof *log->done))
        return dq_fail_memory(error, "transitions");
    log->capacity = room;
    return DQ_OK;
}

static float number_or_none(const dq_column *column, uint64_t r)
{
    return column && !dq_column_is_null(column, r) ? (float)dq_column_number(column, r) : NAN;
}

/* Row r of a bundle as the log's row `at`. */
static dq_status add_row(dq_state_log *log, const columns *c, uint64_t r, size_t at, dq_error *error)
{
    double action = dq_column_number(c->choice, r);
    double episode = c->episode ? dq_column_number(c->episode, r) : (double)at;
    if (!(action >= 0 && action < MAX_ACTIONS && action == floor(action)))
        return dq_fail(error, DQ_ERR_RANGE, "a choice that is no whole number below 2^24");
    log->action[at] = (uint32_t)action;
    if (log->action[at] >= log->actions) log->actions = log->action[at] + 1;
    log->reward[at] = number_or_none(c->reward, r);
    log->propensity[at] = number_or_none(c->propensity, r);
    log->done[at] = c->done && dq_column_number(c->done, r) != 0;
    return dq_index_add(&log->episodes, (const char *)&episode, sizeof episode, &log->episode[at], NULL,
                        error);
}

dq_status dq_state_log_add(dq_state_log *log, const dq_bundle *b, dq_error *error)
{
    columns c;
    int64_t actions = dq_value_integer(dq_map_get(&b->meta, "actions"), 0);
    dq_status status = find_columns(b, log, &c, error);
    if (status) return status;
    log->width = (uint32_t)dq_column_width(c.state);
    if ((status = take_layout(log, b, error))) return status;
    if ((status = reserve(log, b->rows, error))) return status;
    size_t at = log->count, width = log->width;
    dq_convert_f4(log->state + at * width, c.state->data, c.state->type, b->rows * width);
    const dq_column *next = c.next ? c.next : c.state;
    dq_convert_f4(log->next + at * width, next->data, next->type, b->rows * width);
    for (uint64_t r = 0; !status && r < b->rows; r++) status = add_row(log, &c, r, at + r, error);
    if (status) return status;
    log->count += b->rows;
    if (actions > log->actions && actions <= MAX_ACTIONS) log->actions = (uint32_t)actions;
    return DQ_OK;
}

dq_status dq_state_log_check(const dq_state_log *log, size_t items, dq_error *error)
{
    bool borne = log->actions <= DQ_STATE_LOG_ACTIONS || log->actions / 16 <= log->count ||
                 log->actions <= items;
    if (borne) return DQ_OK;
    return dq_fail(
        error, DQ_ERR_RANGE,
        "%u actions, as its greatest choice or meta.actions has it, in a log of %zu transitions: more than "
        "%d want a transition for every 16, or the items in the stream",
        log->actions, log->count, DQ_STATE_LOG_ACTIONS);
}

void dq_state_log_free(dq_state_log *log)
{
    void *owned[] = {log->state,  log->next,       log->action, log->episode,
                     log->reward, log->propensity, log->done};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) free(owned[i]);
    dq_index_free(&log->episodes);
    *log = (dq_state_log){0};
}
