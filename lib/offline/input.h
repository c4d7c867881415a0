/* SPDX-License-Identifier: MIT
 *
 * What offline training learns from, and the rows that it becomes (offline/offline.h): one of
 *
 *     transitions of users and items      a state is a user
 *     interactions as sessions            a state is a user and what came before
 *     transitions with vectors            where they are of sessions, a catalogue's items may be the actions
 *
 * What was read (log, states) is filled by whoever reads (data/load.h); the rest is made of it here. Begins
 * as zeros, and is freed whatever happened. A dataset and a catalogue are borrowed as long as it lives.
 */
#ifndef DQ_OFFLINE_INPUT_H
#define DQ_OFFLINE_INPUT_H

#include "offline/rows.h"
#include "offline/sessions.h"
#include "offline/trajectories.h"

typedef struct dq_offline_input {
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
} dq_offline_input;

/* Rows of a dataset's transitions; users of one value of the attribute group_by (NULL: each alone) are a
 * group. DQ_ERR_RANGE where no transition has a reward, DQ_ERR_UNKNOWN where no user has the attribute, and
 * what a catalogue without vectors gives. */
dq_status dq_offline_input_of_users(dq_offline_input *input, const dq_dataset *dataset, const char *group_by,
                                    dq_error *error);

typedef struct dq_offline_sessions_config {
    dq_session_layout *layout; /* gets the widths, and what attributes have for values */
    dq_session_cut cut;
    size_t values;          /* of the attribute, with a place of their own */
    bool terminal;          /* nothing comes after a session's last event */
    const dq_bundle *model; /* that training starts from; NULL: none */
    const char *group_by;   /* as above */
} dq_offline_sessions_config;

/* Rows of the interactions in input->log. DQ_ERR_SCHEMA without one; the errors of dq_session_log_take_values
 * and dq_session_log_sort. */
dq_status dq_offline_input_of_sessions(dq_offline_input *input, const dq_catalogue *catalogue,
                                       const dq_offline_sessions_config *config, dq_error *error);

/* Rows of the transitions in input->states, whose actions may be the catalogue's items; a model that training
 * starts from (NULL: none) may know more of their states. Texts are the arena's. The errors of
 * dq_state_log_check, dq_offline_vectors_shape and _follow; *by_model: it is one of
 * dq_offline_vectors_learn_shape. */
dq_status dq_offline_input_of_vectors(dq_offline_input *input, const dq_catalogue *catalogue,
                                      const dq_bundle *model, dq_arena *arena, bool *by_model,
                                      dq_error *error);

void dq_offline_input_free(dq_offline_input *input);

#endif
