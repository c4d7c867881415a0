/* SPDX-License-Identifier: MIT */
#include "log/settle.h"

#include "core/array.h"
#include "data/time.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A section of showings that waits. */
typedef struct showing {
    dq_bundle rows;
    uint64_t position; /* behind it */
    double latest;     /* of its times */
} showing;

struct dq_log_settle {
    dq_log_settle_config config;
    dq_log_follow *follow;
    dq_log_join join;
    showing *waiting; /* (count) a queue, from `first` on; of these the first `ready` are settled */
    size_t first, count, capacity, ready;
    uint64_t waiting_rows;
    showing next; /* what was read last, and is not taken in; */
    bool holds;   /* there is one */
    double now;   /* the log's latest time */
    showing given;
    dq_bundle joined;
};

dq_status dq_log_settle_open(dq_log_settle **settle, const char *path, uint64_t position,
                             const dq_log_settle_config *config, dq_error *error)
{
    dq_log_settle *s = calloc(1, sizeof *s);
    *settle = s;
    if (!s) return dq_fail_memory(error, "a log");
    s->config = *config;
    s->join = (dq_log_join){.map = config->map, .unanswered = config->unanswered};
    s->now = -INFINITY;
    dq_status status = dq_log_join_knows(&s->join, error);
    return status ? status : dq_log_follow_open(&s->follow, path, position, error);
}

/* A section without times is as old as can be. */
static double latest_time(const dq_bundle *b)
{
    const dq_column *time = dq_time_column(b, "time");
    double latest = -INFINITY;
    for (uint64_t r = 0; time && r < b->rows; r++) {
        const dq_time at = dq_time_of(time, r);
        latest = fmax(latest, dq_time_seconds(&at)); /* of none NAN, which does not count */
    }
    return latest;
}

/* How many sections from the first on nothing more is to come for. */
static size_t count_ready(const dq_log_settle *s)
{
    size_t n = s->first;
    while (n < s->count && s->waiting[n].latest + s->config.seconds <= s->now) n++;
    return n - s->first;
}

/* Answers go to the join, showings to the queue's end. */
static dq_status take_in(dq_log_settle *s, dq_error *error)
{
    dq_status status = DQ_OK;
    s->holds = false;
    dq_log_kind kind = dq_log_kind_of(&s->next.rows);
    if (kind == DQ_LOG_ANSWERS) status = dq_log_join_take(&s->join, &s->next.rows, error);
    if (kind == DQ_LOG_SHOWN) {
        if (!dq_array_reserve(&s->waiting, &s->capacity, s->count + 1, sizeof *s->waiting))
            return dq_fail_memory(error, "a log");
        s->waiting[s->count++] = s->next;
        s->waiting_rows += s->next.rows.rows;
        s->next.rows = DQ_BUNDLE_EMPTY;
    }
    dq_bundle_free(&s->next.rows);
    return status;
}

/* Reads one more section: 1, 0, -1 as dq_log_settle_next. */
static int read_on(dq_log_settle *s, dq_error *error)
{
    if (s->holds && take_in(s, error)) return -1;
    int got = dq_log_follow_next(s->follow, &s->next.rows, &s->next.position, error);
    if (got < 0) return -1;
    if (got == 0) { /* the log's end, for now */
        if (!(s->config.seconds > 0)) s->ready = s->count - s->first;
        return s->ready > 0;
    }
    s->holds = true;
    s->next.latest = latest_time(&s->next.rows);
    s->now = fmax(s->now, s->next.latest);
    if (s->config.seconds > 0) s->ready = count_ready(s); /* before what came so late is taken in */
    return 1;
}

/* The queue's first; what is left moves up when it is the smaller half, so that no section moves often. */
static showing take_first(dq_log_settle *s)
{
    showing taken = s->waiting[s->first++];
    size_t left = s->count - s->first;
    s->ready--;
    s->waiting_rows -= taken.rows.rows;
    if (left > s->first) return taken;
    if (left) memcpy(s->waiting, s->waiting + s->first, left * sizeof *s->waiting);
    s->count = left;
    s->first = 0;
    return taken;
}

static dq_status give(dq_log_settle *s, const dq_bundle **rows, uint64_t *position, dq_error *error)
{
    s->given = take_first(s);
    *rows = &s->joined;
    *position = s->given.position;
    return dq_log_join_make(&s->join, &s->given.rows, &s->joined, error);
}

int dq_log_settle_next(dq_log_settle *s, const dq_bundle **rows, uint64_t *position, dq_error *error)
{
    dq_bundle_free(&s->joined);
    dq_bundle_free(&s->given.rows);
    while (s->ready == 0) {
        int got = read_on(s, error);
        if (got <= 0) return got;
    }
    return give(s, rows, position, error) ? -1 : 1;
}

void dq_log_settle_wait(dq_log_settle *s, int milliseconds)
{
    dq_log_follow_wait(s->follow, milliseconds);
}

uint64_t dq_log_settle_waiting(const dq_log_settle *s)
{
    return s->waiting_rows;
}

void dq_log_settle_close(dq_log_settle *s)
{
    if (!s) return;
    for (size_t i = s->first; i < s->count; i++) dq_bundle_free(&s->waiting[i].rows);
    free(s->waiting);
    dq_bundle_free(&s->next.rows);
    dq_bundle_free(&s->joined);
    dq_bundle_free(&s->given.rows);
    dq_log_join_free(&s->join);
    dq_log_follow_close(s->follow);
    free(s);
}
