/* SPDX-License-Identifier: MIT
 *
 * What the interactions of streams come to: how many items were shown, how often that led to what, and
 * whether users came back. Every interaction is an impression: an item was shown to a user. It is clicked
 * where its label's level is at least `clicked`, and without a label where its reward is above 0; it is
 * applied to where its level is the greatest of the levels.
 *
 *     dq_traffic t = {.gains = gains, .clicked = 1, .time = "time", .gap = 1800, .window = 7 * 86400};
 *     dq_traffic_read(&t, paths, count, &e);  dq_traffic_print(&t, DQ_TRAFFIC_TABLE, out, &e);
 */
#ifndef DQ_REPORT_TRAFFIC_H
#define DQ_REPORT_TRAFFIC_H

#include "compare/runs.h"
#include "data/label_map.h"
#include "data/time.h"
#include "dq/sink.h"

typedef struct dq_visit {
    uint32_t user;
    double at; /* seconds since 1970 */
} dq_visit;

typedef struct dq_traffic {
    dq_label_map gains; /* the caller's to fill and free */
    double clicked;
    const char *time;   /* the attribute that says when */
    double gap, window; /* seconds: a session ends where its user does nothing for gap; who comes back within
                           window of its end has returned */
    dq_index users, items, labels;
    uint64_t *label_rows; /* (labels) */
    size_t label_capacity;
    uint64_t impressions, clicks, applications, unlabelled;
    uint64_t unknown;    /* those with a label that is not in gains: no clicks */
    dq_time_tally times; /* those without a time (DQ_TIME_NONE) are of no session */
    dq_visit *visits;    /* (visit_count) by user, and a user's by time */
    size_t visit_count, visit_capacity;
    uint64_t sessions, judged, returned; /* judged: those that ended at least window before the last visit */
    double session_seconds;              /* of all together */
    /* Intervals of rates, by the bootstrap over users, whose interactions hang together; NULL: none. The
     * caller's to say before reading; then an interaction takes 12 bytes more, and a user 8 a label. */
    const dq_compare_config *intervals;
    struct dq_traffic_answer *answers; /* (impressions) */
    size_t answer_capacity;
    double *draws;  /* (resamples, sums) of the users drawn */
    size_t *having; /* (sums) users who add anything to a sum */
} dq_traffic;

/* Reads the interactions of streams (count 0: stdin). DQ_ERR_SCHEMA where there are none, and for a time that
 * is none. */
dq_status dq_traffic_read(dq_traffic *traffic, const char *const *paths, size_t count, dq_error *error);
void dq_traffic_free(dq_traffic *traffic);

/* What a reader should know of it, a line each: interactions without a time, with a label outside gains, and
 * times that are read as if they had a zone. False: there is nothing to say. */
enum { DQ_TRAFFIC_NOTES = 3 };
bool dq_traffic_note(const dq_traffic *traffic, size_t which, char *words, size_t size);

typedef enum dq_traffic_format { DQ_TRAFFIC_TABLE, DQ_TRAFFIC_TSV, DQ_TRAFFIC_JSON } dq_traffic_format;

/* A line a measure, or one object: impressions, users, items, clicks, click_rate (of impressions),
 * applications, apply_rate (of impressions), conversion (applications of clicks), share:LABEL (of
 * impressions; share of those without a label), and of those with a time sessions, session_length
 * (interactions), session_minutes, return_rate. What there is not is "-", empty, null. With intervals the
 * rates and means have two more cells, in JSON a map "intervals" of lists; counts have none. */
dq_status dq_traffic_print(const dq_traffic *traffic, dq_traffic_format format, dq_sink *out,
                           dq_error *error);

#endif
