/* SPDX-License-Identifier: MIT
 *
 * The environment's side of the protocol of docs/environments.md.
 */
#ifndef DQ_ROLLOUT_SERVER_H
#define DQ_ROLLOUT_SERVER_H

#include "dq/stream.h"

/* Serves an environment NAME[:options] on stdin and stdout until stdin's stream ends. */
dq_status dq_env_server_run(const char *name, const dq_maker *maker, dq_error *error);

#endif
