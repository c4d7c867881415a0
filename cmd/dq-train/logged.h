/* SPDX-License-Identifier: MIT
 *
 * dq-train --offline --agent: agents of learn/agent.h from what was logged.
 *
 *     logged_input.c   sessions of the interactions, or transitions with vectors for states
 *     logged.c         the run: epochs, checkpoints, the model that leaves
 */
#ifndef DQ_TRAIN_LOGGED_H
#define DQ_TRAIN_LOGGED_H

#include "data/session_log.h"
#include "learn/sessions.h"

struct train;

/* What was read: one of sessions and transitions. */
typedef struct train_logged_input {
    dq_session_log log;
    dq_session_rows by_user;
    dq_sessions *sessions;
    dq_logged_transitions transitions;
    dq_bundle *bundles; /* of transitions */
    size_t bundle_count, bundle_capacity;
    uint32_t *group; /* (users) of sessions */
    dq_env_spec shape;
    dq_logged_rows rows;
} train_logged_input;

/* Reads the catalogue and what was logged, and makes the rows. */
dq_status train_logged_read(struct train *t, train_logged_input *input, dq_error *error);
void train_logged_free(train_logged_input *input);

#endif
