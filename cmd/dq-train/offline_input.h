/* SPDX-License-Identifier: MIT
 *
 * What dq-train --offline learns from, and the rows that it becomes:
 *
 *     transitions of users and items      TRAIN_OFFLINE: a state is a user
 *     interactions, with --sessions       TRAIN_SESSIONS: a state is a user and what came before
 *     transitions with vectors            TRAIN_STATES, told by their columns; where they are of sessions the
 *                                         stream's items, if it has any, are what the actions are
 */
#ifndef DQ_TRAIN_OFFLINE_INPUT_H
#define DQ_TRAIN_OFFLINE_INPUT_H

#include "data/load.h"
#include "offline/rows.h"
#include "offline/sessions.h"
#include "offline/trajectories.h"

struct train;

typedef struct train_offline_input {
    dq_dataset_logged from;
    dq_session_log log; /* of sessions */
    dq_session_rows by_user;
    dq_sessions *sessions;
    dq_offline_catalogue catalogue;
    dq_state_log states;
    dq_offline_vectors vectors; /* of `states` */
    bool named;                 /* their actions are the stream's items */
    uint32_t *group;            /* (users) */
    dq_env_spec shape;          /* for the agent */
    dq_offline_rows rows;
    dq_offline_trajectories *trajectories; /* of an agent that reads them; else NULL */
} train_offline_input;

/* Reads the whole input, and says which way of training it is for. */
dq_status train_offline_read(struct train *t, unsigned *mode, dq_error *error);
/* Makes rows and shape of what was read, once the options are settled; a model to start from may know more
 * of the states than a log of them. */
dq_status train_offline_rows(struct train *t, dq_error *error);
void train_offline_free(train_offline_input *input);

#endif
