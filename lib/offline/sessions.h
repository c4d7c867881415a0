/* SPDX-License-Identifier: MIT
 *
 * Logged sessions: what users did, one item after the other (systems B and D, and any log of clicks). An
 * event becomes a transition of learn/agent.h, whose state (data/session_state.h) is the user and what came
 * before in the session; its next state is that of the session's next event. Actions are all items. An event
 * whose reward is negative was passed over: it is learnt from, but does not enter the history. One without a
 * reward enters the history, and is not learnt from.
 *
 * A user's last event, and the last one before a gap, is where the log was cut: the user did not end there,
 * we only know no more of him. So its next state, which holds the event itself, has a value and is
 * bootstrapped from (Pardo et al., "Time limits in reinforcement learning", ICML 2018). Where `terminal` is
 * asked for, sessions end, and it has none. In either case no session knows of the one before it.
 *
 * They are rows of offline/offline.h, evaluated as a recommender is: at each event of a held-out user with a
 * positive reward, where among all items does the agent rank the one that came?
 */
#ifndef DQ_OFFLINE_SESSIONS_H
#define DQ_OFFLINE_SESSIONS_H

#include "data/session_log.h"
#include "offline/offline.h"

/* The shape of such states, for dq_agent_new. Actions have the items' vectors, as they have in environments
 * of users and items (env/session.c): a head on actions scores them, and a world model tells them apart by
 * them. */
dq_env_spec dq_sessions_shape(const dq_session_rows *log);

typedef struct dq_sessions dq_sessions;

/* The log is borrowed. DQ_ERR_RANGE for a layout that does not fit it. */
dq_status dq_sessions_new(dq_sessions **sessions, const dq_session_rows *log, bool terminal, dq_error *error);
void dq_sessions_free(dq_sessions *sessions);

/* The rows of the sessions, which are borrowed; group as in offline/offline.h, kept. */
dq_offline_rows dq_sessions_rows(dq_sessions *sessions, const uint32_t *group);

#endif
