/* SPDX-License-Identifier: MIT
 *
 * Logged sessions: what users did, one item after the other (systems B and D, and any log of clicks). An
 * event becomes an experience of learn/agent.h, whose state is the user and what came before:
 *
 *     [ user (users.width) | the latest items (history, items.width), the latest first | n / 10 ]
 *
 * where n, at most 10, counts the items before. An event whose reward is negative was passed over: it is
 * learnt from, but does not enter the history. One without a reward enters the history, and is not learnt
 * from. A user's last event is terminal. Actions are all items.
 *
 * They are rows of learn/logged.h, judged as a recommender is: at each event of a held-out user with a
 * positive reward, where among all items does the agent rank the one that came?
 */
#ifndef DQ_LEARN_SESSIONS_H
#define DQ_LEARN_SESSIONS_H

#include "data/session_log.h"
#include "learn/logged.h"

/* The shape of such states, for dq_agent_new. actions must hold (items.count, items.width) floats, which are
 * filled with the items' vectors; NULL: actions are not described. */
dq_env_spec dq_sessions_shape(const dq_session_rows *log, float *actions);

/* A state (state_width) from a user's vector (NULL: zeros) and the items before, in time. */
void dq_sessions_state(const dq_env_spec *shape, const dq_vectors *items, const float *user,
                       const uint32_t *before, size_t count, float *state);

typedef struct dq_sessions dq_sessions;

dq_status dq_sessions_new(dq_sessions **sessions, const dq_session_rows *log, dq_error *error);
void dq_sessions_free(dq_sessions *sessions);

/* The rows of the sessions, which are borrowed; group as in learn/logged.h, kept. */
dq_logged_rows dq_sessions_rows(dq_sessions *sessions, const uint32_t *group);

#endif
