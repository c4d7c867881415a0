/* SPDX-License-Identifier: MIT
 *
 * The interactions of a stream as sessions: what each user met, in the order of time. dq-train learns from
 * them, and dq-rank knows from them where a user stands.
 *
 *     dq_events_add(&events, &bundle, &e);        every bundle of interactions
 *     dq_events_sort(&events, &e);                by user, time, and place in the stream
 *     dq_events_log(&events, users, items, n, &log, &e);
 */
#ifndef DQ_DATA_SESSION_LOG_H
#define DQ_DATA_SESSION_LOG_H

#include "core/index.h"
#include "core/vectors.h"
#include "data/label_map.h"

/* What was logged. Borrowed. */
typedef struct dq_sessions_log {
    dq_vectors users, items; /* users.width may be 0: nothing is known of them */
    uint32_t history;        /* items that a state remembers */
    const uint32_t *first;   /* (users.count + 1) user u's events are first[u] .. first[u + 1] - 1, in time */
    const uint32_t *item;    /* (events) */
    const float *reward;     /* (events) NAN: none */
} dq_sessions_log;

typedef struct dq_event {
    uint32_t user, item; /* numbers in events.users and events.items */
    float reward;        /* NAN: none */
    double number;       /* its time, when times are numbers */
    size_t text, bytes;  /* else where in events.times */
    uint64_t place;      /* in the stream */
} dq_event;

typedef struct dq_events {
    const dq_reward_map *map; /* rewards of labels; an explicit reward counts more */
    const char *time;      /* the attribute that tells the time; interactions without any are in the order of
                              the stream */
    dq_index users, items; /* ids */
    dq_event *at;
    size_t count, capacity;
    char *times; /* texts, one behind the other */
    size_t time_bytes, time_capacity;
    bool numbers, texts, none; /* which forms of time there were */
} dq_events;

/* Takes over a bundle's rows (copied). */
dq_status dq_events_add(dq_events *events, const dq_bundle *interactions, dq_error *error);
/* DQ_ERR_SCHEMA when some have a time and others none, or some are numbers and others texts. */
dq_status dq_events_sort(dq_events *events, dq_error *error);
/* Fills first, item and reward of a log with sorted events: user u is row user_row[u] of user_count, item i
 * row item_row[i]; users with DQ_ABSENT are left out. The arrays are the caller's to free
 * (dq_events_log_free). */
dq_status dq_events_log(const dq_events *events, const uint32_t *user_row, const uint32_t *item_row,
                        uint32_t user_count, dq_sessions_log *log, dq_error *error);
void dq_events_log_free(dq_sessions_log *log);
void dq_events_free(dq_events *events);

#endif
