/* SPDX-License-Identifier: MIT */
#include "data/session_state.h"

#include "core/record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COUNTED = 10, CLOCK = 4, DAY = 86400, WEEK = 7 * DAY, LONG_AGO = 30 * DAY, MONDAY = 4 * DAY };

/* ---- writing ---- */

static uint64_t history_rows(const dq_session_layout *l)
{
    return l->mean && l->history ? 1 : l->history;
}

static uint64_t history_width(const dq_session_layout *l)
{
    return history_rows(l) * l->item_width;
}

static uint64_t one_hot_width(const dq_session_layout *l)
{
    return l->one_hot ? history_rows(l) * l->values : 0;
}

static uint64_t cross_width(const dq_session_layout *l)
{
    return l->cross ? (uint64_t)l->values * l->item_width : 0;
}

uint64_t dq_session_state_width(const dq_session_layout *l)
{
    if (l->item_width == 0) return 0;
    return l->user_width + history_width(l) + one_hot_width(l) + cross_width(l) + (l->steps > 0) + l->count +
           (l->clock ? CLOCK : 0) + l->since;
}

dq_status dq_session_layout_check(const dq_session_layout *l, dq_error *error)
{
    if (l->item_width == 0) return dq_fail(error, DQ_ERR_RANGE, "states of sessions need items with vectors");
    if (!(l->recency > 0 && l->recency <= 1))
        return dq_fail(error, DQ_ERR_RANGE, "the weight of earlier items is in (0, 1], not %g", l->recency);
    if ((l->values > 0) != (l->one_hot || l->cross) || (l->one_hot && l->history == 0))
        return dq_fail(error, DQ_ERR_RANGE,
                       "values of an attribute that are not shown, or shown values of none");
    bool wide = history_width(l) > UINT32_MAX || one_hot_width(l) > UINT32_MAX || cross_width(l) > UINT32_MAX;
    uint64_t width = dq_session_state_width(l);
    if (width == 0) return dq_fail(error, DQ_ERR_RANGE, "states that show nothing");
    if (wide || width > UINT32_MAX)
        return dq_fail(error, DQ_ERR_RANGE, "states of more than 2^32 - 1 numbers");
    return DQ_OK;
}

static float *write_history(const dq_session_layout *l, const dq_vectors *items, const dq_session_place *p,
                            float *to)
{
    uint32_t n = p->entered < l->history ? p->entered : l->history, width = l->item_width;
    float weight = 1, sum = 0;
    for (uint32_t i = 0; i < n; i++, weight *= (float)l->recency) {
        const float *vector = items->at[p->latest[(ptrdiff_t)i * p->step]];
        float *row = l->mean ? to : to + (size_t)i * width;
        for (uint32_t k = 0; k < width; k++) row[k] += weight * vector[k];
        sum += weight;
    }
    for (uint32_t k = 0; l->mean && n && k < width; k++) to[k] /= sum;
    return to + history_width(l);
}

/* The i-th latest event's value: a place below l->values, or DQ_SESSION_NO_VALUE. */
static uint32_t value_of_event(const dq_session_place *p, uint32_t i)
{
    return p->value ? p->value[(ptrdiff_t)i * p->step] : DQ_SESSION_NO_VALUE;
}

static float *write_one_hot(const dq_session_layout *l, const dq_session_place *p, float *to)
{
    uint32_t n = p->entered < l->history ? p->entered : l->history;
    float weight = 1, sum = 0;
    for (uint32_t i = 0; i < n; i++, weight *= (float)l->recency) {
        uint32_t value = value_of_event(p, i);
        float *row = l->mean ? to : to + (size_t)i * l->values;
        if (value != DQ_SESSION_NO_VALUE) row[value] += weight;
        sum += weight;
    }
    for (uint32_t k = 0; l->mean && n && k < l->values; k++) to[k] /= sum;
    return to + one_hot_width(l);
}

static float *write_cross(const dq_session_layout *l, const dq_vectors *items, const dq_session_place *p,
                          float *to)
{
    uint32_t value = p->entered ? value_of_event(p, 0) : DQ_SESSION_NO_VALUE, width = l->item_width;
    if (value != DQ_SESSION_NO_VALUE)
        memcpy(to + (size_t)value * width, items->at[*p->latest], width * sizeof *to);
    return to + cross_width(l);
}

static float share(uint32_t n, uint32_t of)
{
    return n < of ? (float)n / (float)of : 1;
}

static float *write_turn(double seconds, double period, float *to)
{
    double angle = 2 * acos(-1) * fmod(seconds, period) / period;
    to[0] = (float)sin(angle);
    to[1] = (float)cos(angle);
    return to + 2;
}

static float long_since(double now, double before)
{
    double seconds = now - before;
    return isnan(seconds) ? 1 : (float)fmin(1, log1p(fmax(0, seconds)) / log1p(LONG_AGO));
}

void dq_session_state(const dq_session_layout *l, const dq_vectors *items, const dq_session_place *p,
                      float *state)
{
    memset(state, 0, dq_session_state_width(l) * sizeof *state);
    if (p->user) memcpy(state, p->user, l->user_width * sizeof *state);
    float *to = write_history(l, items, p, state + l->user_width);
    if (l->one_hot) to = write_one_hot(l, p, to);
    if (l->cross) to = write_cross(l, items, p, to);
    if (l->steps) *to++ = share(p->met, l->steps);
    if (l->count) *to++ = share(p->entered, COUNTED);
    if (l->clock && !isnan(p->now)) (void)write_turn(p->now - MONDAY, WEEK, write_turn(p->now, DAY, to));
    if (l->clock) to += CLOCK;
    if (l->since) *to = long_since(p->now, p->before);
}

bool dq_session_enters(float reward)
{
    return !(reward < 0); /* NAN does */
}

/* ---- in a model ---- */

#define FIELD(name, type, member)                                                                            \
    {                                                                                                        \
        name, type, offsetof(dq_session_layout, member)                                                      \
    }
static const dq_record_field fields[] = {
    FIELD("user_width", DQ_RECORD_SMALL, user_width),
    FIELD("item_width", DQ_RECORD_SMALL, item_width),
    FIELD("history", DQ_RECORD_SMALL, history),
    FIELD("mean", DQ_RECORD_FLAG, mean),
    FIELD("recency", DQ_RECORD_REAL, recency),
    FIELD("values", DQ_RECORD_SMALL, values),
    FIELD("one_hot", DQ_RECORD_FLAG, one_hot),
    FIELD("cross", DQ_RECORD_FLAG, cross),
    FIELD("steps", DQ_RECORD_SMALL, steps),
    FIELD("count", DQ_RECORD_FLAG, count),
    FIELD("clock", DQ_RECORD_FLAG, clock),
    FIELD("since", DQ_RECORD_FLAG, since),
};
#undef FIELD

enum { FIELDS = sizeof fields / sizeof *fields };

static const char key[] = "states";

dq_status dq_session_layout_save(const dq_session_layout *layout, dq_bundle *bundle, dq_error *error)
{
    return layout->item_width ? dq_record_save(fields, FIELDS, layout, key, bundle, error) : DQ_OK;
}

dq_status dq_session_layout_load(dq_session_layout *layout, const dq_bundle *bundle, dq_error *error)
{
    *layout = (dq_session_layout){0};
    if (!dq_map_get(&bundle->meta, key)) return DQ_OK;
    dq_status status = dq_record_restore(fields, FIELDS, layout, key, bundle, error);
    if (!status && dq_session_layout_check(layout, NULL))
        status = dq_fail(error, DQ_ERR_SCHEMA, "meta.states is no layout of states");
    return status;
}

void dq_session_layout_inherit(dq_session_layout *l, const dq_session_layout *from,
                               bool (*given)(const void *arg, const char *part), const void *arg)
{
    if (!given(arg, "history-mean")) l->mean = from->mean;
    if (!given(arg, "recency")) l->recency = from->recency;
    if (!given(arg, "event-one-hot")) l->one_hot = from->one_hot;
    if (!given(arg, "event-cross")) l->cross = from->cross;
    if (!given(arg, "session-steps")) l->steps = from->steps;
    if (!given(arg, "session-count")) l->count = from->count;
    if (!given(arg, "clock")) l->clock = from->clock;
    if (!given(arg, "since")) l->since = from->since;
}

static double value_of(const dq_session_layout *l, const dq_record_field *f)
{
    const void *at = (const char *)l + f->offset;
    if (f->type == DQ_RECORD_REAL) return *(const double *)at;
    return f->type == DQ_RECORD_FLAG ? *(const bool *)at : *(const uint32_t *)at;
}

static const char *words_of(const dq_record_field *f, double value, char words[32])
{
    if (f->type == DQ_RECORD_FLAG) return value != 0 ? "on" : "off";
    (void)snprintf(words, 32, "%.9g", value);
    return words;
}

dq_status dq_session_layout_fits(const dq_session_layout *model, const dq_session_layout *here,
                                 dq_error *error)
{
    char a[32], b[32];
    if (model->item_width == 0 || here->item_width == 0) return DQ_OK;
    for (size_t i = 0; i < FIELDS; i++) {
        double learnt = value_of(model, &fields[i]), shown = value_of(here, &fields[i]);
        if (learnt != shown)
            return dq_fail(error, DQ_ERR_RANGE, "the model learnt from states with %s %s, and here it is %s",
                           fields[i].name, words_of(&fields[i], learnt, a), words_of(&fields[i], shown, b));
    }
    return DQ_OK;
}

static size_t count_numbers(const float *vector, uint32_t width)
{
    size_t n = 0;
    for (uint32_t i = 0; i < width; i++) n += vector[i] != 0;
    return n;
}

bool dq_session_layout_is_sparse(const dq_session_layout *l, const dq_vectors *items)
{
    const uint64_t history = (l->mean ? 0 : history_width(l)) + cross_width(l);
    if (history == 0 || 2 * history < dq_session_state_width(l)) return false;
    for (uint32_t i = 0; i < items->count; i++)
        if (16 * count_numbers(items->at[i], items->width) > items->width) return false;
    return true;
}
