/* SPDX-License-Identifier: MIT
 *
 * States of sessions: a user meets items, one after the other (systems B and D, and any log of clicks). Logs
 * (offline/sessions.h), environments (env/session.c, env/films.c) and rankings (rank/sessions.h) write them
 * by this one rule, and a model keeps its layout, so that an agent may learn in the one and act in the other:
 *
 *     [ user | history | values | cross | t / T | n / 10 | hour, weekday: sine and cosine of each | since ]
 *
 *     user      (user_width) the user's vector
 *     history   (history, item_width) the latest items, the latest first, zeros where there are none; or with
 *               `mean` (item_width) their mean. The i-th before the latest weighs recency^i: a row is
 *               multiplied by it, the mean is weighted by it
 *     values    (history, values) one-hot, the value that an attribute had at each of these items (what was
 *               asked there, how it ended); or with `mean` (values) their mean; weighted likewise. Value v of
 *               the vocabulary (data/session_log.h) is place v, any other one the last place; an event
 *               without a value has zeros
 *     cross     (values, item_width) the latest item's vector in the row of its event's value, zeros in the
 *               others: what came next where this was asked at this item. Not weighted
 *     t / T     events of this session so far, by `steps` = T; at most 1
 *     n / 10    items that have entered the history; at most 1
 *     clock     (4) of the moment in UTC: sine and cosine of the hour's and of the weekday's turn; zeros when
 *               the moment is unknown
 *     since     log(1 + s) / log(1 + 30 days), at most 1: s seconds since the event before; 1 without one
 *
 * What the layout does not show has no place in the state. A state holds what lies before the event that is
 * to be predicted, attributes included: an attribute must be known when the next item is offered.
 */
#ifndef DQ_DATA_SESSION_STATE_H
#define DQ_DATA_SESSION_STATE_H

#include "core/vectors.h"
#include "dq/bundle.h"

/* item_width is 0 where states are of no sessions; such a layout is all zeros. */
typedef struct dq_session_layout {
    uint32_t user_width; /* 0: nothing is known of users */
    uint32_t item_width;
    uint32_t history; /* items that are shown; 0: none */
    bool mean;
    double recency;      /* in (0, 1]; 1: all weigh the same */
    uint32_t values;     /* places for an attribute's values, the last for those not known; 0: not shown */
    bool one_hot, cross; /* how they are shown: as `values`, as `cross` */
    uint32_t steps;      /* T; 0: not shown */
    bool count, clock, since;
} dq_session_layout;

/* Where a user stands. */
typedef struct dq_session_place {
    const float *user;      /* (user_width); NULL: zeros */
    const uint32_t *latest; /* the last item that entered the history, by number; the one before it is
                               latest[step], and so on. Not looked at when entered is 0 */
    const uint32_t *value; /* likewise, of their events: a place below `values`, or DQ_SESSION_NO_VALUE; NULL:
                              none has one */
    int step;              /* 1 or -1 */
    uint32_t entered;      /* n */
    uint32_t met;          /* t */
    double now,
        before; /* seconds since 1970 of this moment, and of the event before; NAN: unknown, or none */
} dq_session_place;

#define DQ_SESSION_NO_VALUE UINT32_MAX

/* Numbers of a state; 0 for a layout of no sessions. */
uint64_t dq_session_state_width(const dq_session_layout *layout);
/* DQ_ERR_RANGE for a layout that says nothing, or that contradicts itself. */
dq_status dq_session_layout_check(const dq_session_layout *layout, dq_error *error);
/* Whether a state is mostly zeros: at most one number in 16 of each item is none, and the history with what
 * crosses it is half of the state or more. Whoever computes with such states may look at the others alone. */
bool dq_session_layout_is_sparse(const dq_session_layout *layout, const dq_vectors *items);
/* Writes the state of a place; items are those that `latest` counts. */
void dq_session_state(const dq_session_layout *layout, const dq_vectors *items, const dq_session_place *place,
                      float *state);

/* Whether the reward of an event lets its item into the history: what was passed over (a negative reward)
 * does not enter, what has no reward (NAN) does. */
bool dq_session_enters(float reward);

/* meta.states of a model or an environment: nothing for a layout of no sessions. */
dq_status dq_session_layout_save(const dq_session_layout *layout, dq_bundle *bundle, dq_error *error);
/* And back: zeros where there is none, DQ_ERR_SCHEMA for one that cannot be. */
dq_status dq_session_layout_load(dq_session_layout *layout, const dq_bundle *bundle, dq_error *error);
/* Parts that were not asked for become those of another layout, of a model that training starts from; but the
 * widths, the items of the history and the number of values, which the caller knows. given says which were,
 * by the names that dq-train's options have. */
void dq_session_layout_inherit(dq_session_layout *layout, const dq_session_layout *from,
                               bool (*given)(const void *arg, const char *part), const void *arg);
/* DQ_ERR_RANGE names the first thing in which the states that a model learnt from differ from `here`. Where
 * either is unknown, nothing is compared. */
dq_status dq_session_layout_fits(const dq_session_layout *model, const dq_session_layout *here,
                                 dq_error *error);

#endif
