/* SPDX-License-Identifier: MIT */
#include "offline/sessions.h"

#include "core/buffers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where a session stands before an event. */
typedef struct standing {
    uint32_t begin;   /* the first in before of its items that enter the history */
    uint32_t entered; /* how many of them there are by now */
    uint32_t met;     /* its events by now */
} standing;

struct dq_sessions {
    dq_session_rows log;
    dq_env_spec shape;
    bool terminal;
    size_t events;
    uint32_t *user_of;   /* (events) */
    uint32_t *before;    /* (events) items that enter the history, from each session's first place on */
    uint32_t *value;     /* (events) of the same, their values; NULL where the log has none */
    standing *at;        /* (events) */
    uint32_t *following; /* (events) the next event of the session */
    dq_pairset met;      /* users and items */
    dq_arena arena;
};

/* ---- making ---- */

dq_env_spec dq_sessions_shape(const dq_session_rows *log)
{
    return dq_env_session_spec(&log->layout, log->items.count, log->items.at);
}

/* Whether an event is the last of its session. */
static bool is_last(const dq_sessions *s, size_t event)
{
    return event + 1 == s->log.first[s->user_of[event] + 1] ||
           dq_session_rows_cut(&s->log, (uint32_t)event + 1);
}

static dq_status note_events(dq_sessions *s, dq_error *error)
{
    const dq_session_rows *log = &s->log;
    for (uint32_t u = 0; u < log->users.count; u++) {
        standing now = {.begin = log->first[u]};
        for (uint32_t e = log->first[u]; e < log->first[u + 1]; e++) {
            if (e > log->first[u] && dq_session_rows_cut(log, e)) now = (standing){.begin = e};
            s->user_of[e] = u;
            s->at[e] = now;
            dq_status status = dq_pairset_add(&s->met, u, log->item[e], NULL, error);
            if (status) return status;
            if (dq_session_enters(log->reward[e])) {
                s->before[now.begin + now.entered] = log->item[e];
                if (log->value) s->value[now.begin + now.entered] = log->value[e];
                now.entered++;
            }
            s->following[e] = is_last(s, e) ? DQ_OFFLINE_NO_ROW : e + 1;
            now.met++;
        }
    }
    return DQ_OK;
}

static dq_status check(const dq_session_rows *log, dq_error *error)
{
    const dq_session_layout *l = &log->layout;
    dq_status status = dq_session_layout_check(l, error);
    if (status) return status;
    if (l->user_width != log->users.width || l->item_width != log->items.width)
        return dq_fail(error, DQ_ERR_RANGE, "states of users %u and items %u wide, and a log of %u and %u",
                       l->user_width, l->item_width, log->users.width, log->items.width);
    if (!log->second && (l->clock || l->since || log->gap > 0))
        return dq_fail(error, DQ_ERR_RANGE, "a gap or a clock, and events without times");
    if (!log->value && l->values)
        return dq_fail(error, DQ_ERR_RANGE, "values of an attribute, and events without them");
    return DQ_OK;
}

dq_status dq_sessions_new(dq_sessions **sessions, const dq_session_rows *log, bool terminal, dq_error *error)
{
    *sessions = NULL;
    dq_status status = check(log, error);
    if (status) return status;
    dq_sessions *s = calloc(1, sizeof *s);
    if (!s) return dq_fail_memory(error, "sessions");
    *s = (dq_sessions){.log = *log,
                       .shape = dq_sessions_shape(log),
                       .terminal = terminal,
                       .events = log->first[log->users.count]};
    const dq_buffer buffers[] = {
        DQ_BUFFER(s->user_of, s->events),
        DQ_BUFFER(s->before, s->events),
        DQ_BUFFER(s->value, log->value ? s->events : 0),
        DQ_BUFFER(s->at, s->events),
        DQ_BUFFER(s->following, s->events),
    };
    status = dq_buffers_take(&s->arena, buffers, DQ_BUFFERS(buffers)) ? note_events(s, error)
                                                                      : dq_fail_memory(error, "sessions");
    if (status)
        dq_sessions_free(s);
    else
        *sessions = s;
    return status;
}

void dq_sessions_free(dq_sessions *sessions)
{
    if (!sessions) return;
    dq_arena_free(&sessions->arena);
    dq_pairset_free(&sessions->met);
    free(sessions);
}

/* ---- rows ---- */

/* The state where a session stands; now and earlier: the moment, and the event before it. */
static void fill_state(const dq_sessions *s, uint32_t user, standing at, double now, double earlier,
                       float *state)
{
    const dq_vectors *users = &s->log.users;
    const dq_session_place place = {.user = users->width ? users->at[user] : NULL,
                                    .latest = at.entered ? s->before + at.begin + at.entered - 1 : NULL,
                                    .value = at.entered && s->log.value ? s->value + at.begin + at.entered - 1
                                                                        : NULL,
                                    .step = -1,
                                    .entered = at.entered,
                                    .met = at.met,
                                    .now = now,
                                    .before = earlier};
    dq_session_state(&s->log.layout, &s->log.items, &place, state);
}

static double second_of(const dq_sessions *s, size_t event)
{
    return s->log.second ? s->log.second[event] : (double)NAN;
}

static void fill(void *self, size_t event, dq_transition *transition, float *state, float *next)
{
    const dq_sessions *s = self;
    uint32_t user = s->user_of[event];
    float reward = s->log.reward[event];
    bool last = s->following[event] == DQ_OFFLINE_NO_ROW;
    standing at = s->at[event], after = at;
    double now = second_of(s, event);
    after.entered += dq_session_enters(reward);
    after.met++;
    if (state) fill_state(s, user, at, now, at.met ? second_of(s, event - 1) : (double)NAN, state);
    if (next) fill_state(s, user, after, last ? now : second_of(s, event + 1), now, next);
    *transition = (dq_transition){
        .action = s->log.item[event], .reward = reward, .discount = 1, .done = last && s->terminal};
}

dq_offline_rows dq_sessions_rows(dq_sessions *sessions, const uint32_t *group)
{
    return (dq_offline_rows){.self = sessions,
                             .count = sessions->events,
                             .users = sessions->log.users.count,
                             .user = sessions->user_of,
                             .group = group,
                             .action = sessions->log.item,
                             .reward = sessions->log.reward,
                             .propensity = sessions->log.propensity,
                             .actions = sessions->shape.action_count,
                             .state_width = sessions->shape.state_width,
                             .fill = fill,
                             .following = sessions->following,
                             .met = &sessions->met,
                             .ends = sessions->terminal,
                             .ranked = true};
}
