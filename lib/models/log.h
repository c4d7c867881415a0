/* SPDX-License-Identifier: MIT
 *
 * The log of a run that trains user after user, JSON lines each of which names its user: what of it belongs
 * to users that are done. A user's lines are written before his model is kept, so a run that was killed may
 * have left some of a user who is not.
 */
#ifndef DQ_MODELS_LOG_H
#define DQ_MODELS_LOG_H

#include "dq/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the log's beginning whose lines are whole and all of users that are done; 0 for a file that
 * is not there. */
dq_status dq_model_log_length(const char *path, bool (*done)(void *arg, const char *id, size_t bytes),
                              void *arg, uint64_t *length, dq_error *error);

#endif
