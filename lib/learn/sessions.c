/* SPDX-License-Identifier: MIT */
#include "learn/sessions.h"

#include <stdlib.h>
#include <string.h>

enum { COUNTED = 10 };

struct dq_sessions {
    dq_session_rows log;
    dq_env_spec shape;
    size_t events;
    uint32_t *user_of; /* (events) */
    uint32_t *before; /* (events) items of each user that enter the history, from the user's first place on */
    uint32_t *known;  /* (events) how many of the user's had entered before this event */
    dq_pairset met;   /* users and items */
};

/* ---- states ---- */

dq_env_spec dq_sessions_shape(const dq_session_rows *log, float *actions)
{
    uint32_t width = log->items.width;
    for (uint32_t i = 0; actions && i < log->items.count; i++)
        memcpy(actions + (size_t)i * width, log->items.at[i], width * sizeof *actions);
    return (dq_env_spec){.state_width = log->users.width + log->history * width + 1,
                         .user_width = log->users.width,
                         .history = log->history,
                         .item_width = width,
                         .action_count = log->items.count,
                         .action_width = actions ? width : 0,
                         .actions = actions};
}

void dq_sessions_state(const dq_env_spec *shape, const dq_vectors *items, const float *user,
                       const uint32_t *before, size_t count, float *state)
{
    size_t width = items->width, places = count < shape->history ? count : shape->history;
    float *at = state + shape->user_width;
    memset(state, 0, shape->state_width * sizeof *state);
    if (user) memcpy(state, user, shape->user_width * sizeof *state);
    for (size_t i = 0; i < places; i++)
        memcpy(at + i * width, items->at[before[count - 1 - i]], width * sizeof *at);
    state[shape->state_width - 1] = (float)(count < COUNTED ? count : COUNTED) / COUNTED;
}

static bool enters_history(float reward)
{
    return !(reward < 0); /* NAN does */
}

/* ---- making ---- */

static dq_status note_events(dq_sessions *s, dq_error *error)
{
    const dq_session_rows *log = &s->log;
    for (uint32_t u = 0; u < log->users.count; u++) {
        uint32_t known = 0;
        for (uint32_t e = log->first[u]; e < log->first[u + 1]; e++) {
            s->user_of[e] = u;
            s->known[e] = known;
            dq_status status = dq_pairset_add(&s->met, u, log->item[e], NULL, error);
            if (status) return status;
            if (enters_history(log->reward[e])) s->before[log->first[u] + known++] = log->item[e];
        }
    }
    return DQ_OK;
}

dq_status dq_sessions_new(dq_sessions **sessions, const dq_session_rows *log, dq_error *error)
{
    dq_sessions *s = calloc(1, sizeof *s);
    *sessions = NULL;
    if (!s) return dq_fail(error, DQ_ERR_MEMORY, "no memory for sessions");
    *s = (dq_sessions){
        .log = *log, .shape = dq_sessions_shape(log, NULL), .events = log->first[log->users.count]};
    s->user_of = calloc(s->events + 1, sizeof *s->user_of);
    s->before = calloc(s->events + 1, sizeof *s->before);
    s->known = calloc(s->events + 1, sizeof *s->known);
    dq_status status = s->user_of && s->before && s->known
                           ? note_events(s, error)
                           : dq_fail(error, DQ_ERR_MEMORY, "no memory for sessions");
    if (status)
        dq_sessions_free(s);
    else
        *sessions = s;
    return status;
}

void dq_sessions_free(dq_sessions *sessions)
{
    if (!sessions) return;
    free(sessions->user_of);
    free(sessions->before);
    free(sessions->known);
    dq_pairset_free(&sessions->met);
    free(sessions);
}

/* ---- rows ---- */

static void fill_state(const dq_sessions *s, uint32_t user, size_t known, float *state)
{
    const dq_vectors *users = &s->log.users;
    dq_sessions_state(&s->shape, &s->log.items, users->width ? users->at[user] : NULL,
                      s->before + s->log.first[user], known, state);
}

static void fill(void *self, size_t event, float *state, float *next, dq_experience *experience)
{
    const dq_sessions *s = self;
    uint32_t user = s->user_of[event];
    float reward = s->log.reward[event];
    fill_state(s, user, s->known[event], state);
    fill_state(s, user, s->known[event] + enters_history(reward), next);
    *experience = (dq_experience){.state = state,
                                  .next = next,
                                  .action = s->log.item[event],
                                  .reward = reward,
                                  .terminal = event + 1 == s->log.first[user + 1]};
}

dq_logged_rows dq_sessions_rows(dq_sessions *sessions, const uint32_t *group)
{
    return (dq_logged_rows){.self = sessions,
                            .count = sessions->events,
                            .users = sessions->log.users.count,
                            .user = sessions->user_of,
                            .group = group,
                            .action = sessions->log.item,
                            .reward = sessions->log.reward,
                            .state_width = sessions->shape.state_width,
                            .actions = sessions->shape.action_count,
                            .fill = fill,
                            .met = &sessions->met,
                            .ranked = true};
}
