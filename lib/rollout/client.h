/* SPDX-License-Identifier: MIT
 *
 * The agent's side of the protocol of docs/environments.md: environments of another process, for vec_env.c.
 * A call is about the first n of envs->which. A failure that is the process's is named by its command.
 */
#ifndef DQ_ROLLOUT_CLIENT_H
#define DQ_ROLLOUT_CLIENT_H

#include "rollout/vec_env.h"

/* Starts the command and hears what its environment is: shape and counters of envs. After a failure, too, the
 * process is to be closed. */
dq_status dq_env_client_open(dq_vec_env *envs, dq_error *error);
/* Begins the episodes envs->episode of n environments; states of those. */
dq_status dq_env_client_reset(dq_vec_env *envs, size_t n, dq_error *error);
/* One step of n environments; actions (count), of all. */
dq_status dq_env_client_step(dq_vec_env *envs, size_t n, const uint32_t *actions, dq_error *error);
/* Adds the actions of running episodes to a checkpoint; plays those episodes again, up to where they were.
 * DQ_ERR_IO when the process comes to other states. */
dq_status dq_env_client_save(dq_vec_env *envs, dq_bundle *model, dq_error *error);
dq_status dq_env_client_restore(dq_vec_env *envs, const dq_bundle *model, dq_error *error);
/* Ends the process as dq_coprocess_end does, and frees. Returns status, or what came of ending. */
dq_status dq_env_client_close(dq_vec_env *envs, dq_status status, dq_error *error);

#endif
