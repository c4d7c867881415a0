/* SPDX-License-Identifier: MIT
 *
 * The best model of a run so far: a copy of what an agent had learnt when an evaluation found it best,
 * whatever its kind and way of training. It is part of the run's checkpoint.
 */
#ifndef DQ_LEARN_KEPT_H
#define DQ_LEARN_KEPT_H

#include "learn/agent.h"

/* *kept, which is freed before, becomes a copy of what the agent has learnt (dq_agent_save); empty on
 * failure. */
dq_status dq_kept_set(dq_bundle *kept, dq_agent *agent, dq_error *error);
/* A model bundle (*model is overwritten) of the same columns, borrowed, and metadata that may be added to. */
dq_status dq_kept_get(const dq_bundle *kept, dq_bundle *model, dq_error *error);

/* Adds what is kept (nothing, where it is empty) to a checkpoint as columns best.NAME, borrowed, and
 * meta.best, and takes it up again: empty where the checkpoint has none. DQ_ERR_SCHEMA for what cannot be,
 * and dq_agent_of_model's errors for what is no model of such an agent. */
dq_status dq_kept_save(const dq_bundle *kept, dq_bundle *checkpoint, dq_error *error);
dq_status dq_kept_restore(dq_bundle *kept, const dq_agent *agent, const dq_bundle *checkpoint,
                          dq_error *error);

#endif
