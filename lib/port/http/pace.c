/* SPDX-License-Identifier: MIT */
#include "port/http/pace.h"

#include <math.h>
#include <stdlib.h>

enum { MINUTE = 60 };

void dq_pace_init(dq_pace *pace, const dq_http_config *config)
{
    *pace = (dq_pace){.requests_per_minute = config->requests_per_minute,
                      .tokens_per_minute = config->tokens_per_minute,
                      .backoff = config->backoff,
                      .backoff_most = config->backoff_most,
                      .failures_most = config->failures_most,
                      .parallel = config->parallel,
                      .window = config->parallel,
                      .last_cut = -INFINITY,
                      .rng = dq_rng_new(config->seed),
                      .paused_until = -INFINITY,
                      .last_failure = -INFINITY};
}

void dq_pace_free(dq_pace *pace)
{
    free(pace->sent);
    pace->sent = NULL;
}

static dq_pace_sent *sent_at(const dq_pace *pace, size_t i)
{
    return pace->sent + (pace->first + i) % pace->room;
}

static void forget_old(dq_pace *pace, double now)
{
    while (pace->count > 0 && sent_at(pace, 0)->time + MINUTE <= now) {
        pace->tokens -= sent_at(pace, 0)->tokens;
        pace->first = (pace->first + 1) % pace->room;
        pace->count--;
    }
}

/* How many of the oldest must be more than a minute ago. */
static size_t must_go(const dq_pace *pace, uint64_t tokens)
{
    size_t n = 0;
    double sum = (double)pace->tokens + (double)tokens;
    if (pace->requests_per_minute > 0)
        while (n < pace->count && (double)(pace->count - n) + 1 > fmax(pace->requests_per_minute, 1)) n++;
    if (pace->tokens_per_minute > 0) {
        size_t k = 0;
        for (; k < pace->count && sum > pace->tokens_per_minute; k++) sum -= (double)sent_at(pace, k)->tokens;
        if (k > n) n = k;
    }
    return n;
}

double dq_pace_wait(dq_pace *pace, double now, uint64_t tokens)
{
    double wait = pace->paused_until - now;
    forget_old(pace, now);
    size_t n = must_go(pace, tokens);
    if (n > 0) wait = fmax(wait, sent_at(pace, n - 1)->time + MINUTE - now);
    return fmax(wait, 0);
}

static dq_status grow(dq_pace *pace, dq_error *error)
{
    size_t room = pace->room ? 2 * pace->room : 64;
    dq_pace_sent *sent = malloc(room * sizeof *sent);
    if (!sent) return dq_fail_memory(error, "the requests of a minute");
    for (size_t i = 0; i < pace->count; i++) sent[i] = *sent_at(pace, i);
    free(pace->sent);
    pace->sent = sent;
    pace->room = room;
    pace->first = 0;
    return DQ_OK;
}

dq_status dq_pace_count(dq_pace *pace, double now, uint64_t tokens, dq_error *error)
{
    if (pace->requests_per_minute <= 0 && pace->tokens_per_minute <= 0) return DQ_OK;
    dq_status status = pace->count == pace->room ? grow(pace, error) : DQ_OK;
    if (status) return status;
    pace->count++;
    *sent_at(pace, pace->count - 1) = (dq_pace_sent){.time = now, .tokens = tokens};
    pace->tokens += tokens;
    return DQ_OK;
}

void dq_pace_pause(dq_pace *pace, double until)
{
    if (until > pace->paused_until) pace->paused_until = until;
}

double dq_pace_backoff(dq_pace *pace, unsigned attempt, double retry_after)
{
    double most = fmin(ldexp(pace->backoff, (int)attempt - 1), pace->backoff_most);
    double drawn = most / 2 * (1 + dq_rng_uniform(&pace->rng));
    /* Many clients hear the same Retry-After; the jitter lies behind it. */
    return retry_after > 0 ? retry_after + drawn / 4 : drawn;
}

bool dq_pace_failed(dq_pace *pace, double began, double now)
{
    if (began >= pace->last_failure) {
        pace->failures++;
        pace->last_failure = now;
    }
    return pace->failures >= pace->failures_most;
}

void dq_pace_throttled(dq_pace *pace, double began, double now)
{
    if (began < pace->last_cut) return; /* of the round that was cut already */
    pace->window = fmax(pace->window / 2, 1);
    pace->last_cut = now;
}

void dq_pace_answered(dq_pace *pace)
{
    pace->failures = 0;
    pace->window = fmin(pace->window + 1 / pace->window, pace->parallel);
}
