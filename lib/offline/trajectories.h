/* SPDX-License-Identifier: MIT
 *
 * Rows of offline training (offline/offline.h) for a decision transformer: those of a log that has an order,
 * each with the steps that led to it and with what came of it, as a window (learn/trajectory.h). A trajectory
 * is what rows that follow each other are: an episode, or a session.
 *
 * The return-to-go ends where the log ends, be it cut there or not: what would have come is not known. An
 * event without a reward adds nothing.
 */
#ifndef DQ_OFFLINE_TRAJECTORIES_H
#define DQ_OFFLINE_TRAJECTORIES_H

#include "learn/trajectory.h"
#include "offline/offline.h"

typedef struct dq_offline_trajectories dq_offline_trajectories;

/* Puts their rows in the place of the log's, which are borrowed, as shape is. Completes the agent's
 * configuration before it is made: return_mean, return_scale and greatest_return by the log, and a wish of
 * NAN, which becomes the greatest return of a trajectory. init (may be NULL): a model to start from, whose
 * windows, scale and wish (or none, of an imitator) these then are; but for what was given, "context" or
 * "wish". DQ_ERR_RANGE for rows without an order. */
dq_status dq_offline_trajectories_new(dq_offline_trajectories **trajectories, dq_offline_rows *rows,
                                      const dq_env_spec *shape, const dq_bundle *init,
                                      bool (*given)(const void *arg, const char *part), const void *arg,
                                      dq_agent_config *config, dq_error *error);
void dq_offline_trajectories_free(dq_offline_trajectories *trajectories);

/* How many there are, and their returns in words, cut to size bytes. */
void dq_offline_trajectories_describe(const dq_offline_trajectories *trajectories, char *words, size_t size);

#endif
