/* SPDX-License-Identifier: MIT
 *
 * When a request may go out: the limits of a minute, the pauses, the back-off of one request, and when a
 * server counts as down. Knows neither HTTP nor a clock: times are seconds of any monotonic clock, given by
 * the caller.
 */
#ifndef DQ_PORT_HTTP_PACE_H
#define DQ_PORT_HTTP_PACE_H

#include "core/rng.h"
#include "port/http/http.h"

typedef struct dq_pace_sent {
    double time;
    uint64_t tokens;
} dq_pace_sent;

typedef struct dq_pace {
    double requests_per_minute, tokens_per_minute;
    double backoff, backoff_most;
    unsigned failures_most, parallel;
    dq_rng rng;
    double paused_until;
    double window, last_cut; /* requests in flight, 1 .. parallel */
    dq_pace_sent *sent;      /* (room), a ring: what went out within the last minute, when there is a limit */
    size_t room, first, count;
    uint64_t tokens; /* their sum */
    unsigned failures;
    double last_failure;
} dq_pace;

void dq_pace_init(dq_pace *pace, const dq_http_config *config);
void dq_pace_free(dq_pace *pace);

/* Seconds until a request of so many tokens may go out; 0: now. One that is dearer than a minute's tokens
 * goes out alone. */
double dq_pace_wait(dq_pace *pace, double now, uint64_t tokens);
/* One went out. */
dq_status dq_pace_count(dq_pace *pace, double now, uint64_t tokens, dq_error *error);
/* None goes out before `until`. */
void dq_pace_pause(dq_pace *pace, double until);

/* Seconds from failed attempt number `attempt` (1, ...) to the next one: drawn from [b/2, b], b = backoff
 * 2^(attempt - 1), at most backoff_most; and if the server asked for retry_after seconds, never less. */
double dq_pace_backoff(dq_pace *pace, unsigned attempt, double retry_after);

/* An attempt failed that began at `began`: true when the server counts as down. Attempts that were in flight
 * together fail together, and count once. */
bool dq_pace_failed(dq_pace *pace, double began, double now);
/* A 429 for an attempt that began at `began`: half as many may be in flight, and one more with each round of
 * answers (as TCP does), so that a limit of the server's that nobody told us of is found, and no request is
 * the unlucky one of sixty every time. */
void dq_pace_throttled(dq_pace *pace, double began, double now);
/* The server answered. */
void dq_pace_answered(dq_pace *pace);

#endif
