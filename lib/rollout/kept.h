/* SPDX-License-Identifier: MIT
 *
 * The best model of a run so far: a copy of what an agent had learnt when it was evaluated as the best,
 * whatever its kind. It is part of the run's checkpoint.
 */
#ifndef DQ_ROLLOUT_KEPT_H
#define DQ_ROLLOUT_KEPT_H

#include "dq/bundle.h"

/* Copies a model's columns of numbers and its metadata into *to, which is freed before; empty on failure. */
dq_status dq_kept_set(dq_bundle *to, const dq_bundle *model, dq_error *error);
/* A model bundle (*model is overwritten) of the same columns, borrowed, and metadata that may be added to. */
dq_status dq_kept_get(const dq_bundle *kept, dq_bundle *model, dq_error *error);

/* Adds what is kept (nothing, where it is empty) to a checkpoint as columns best.NAME and meta.best, and
 * takes it up again. DQ_ERR_SCHEMA for what cannot be. */
dq_status dq_kept_save(const dq_bundle *kept, dq_bundle *checkpoint, dq_error *error);
dq_status dq_kept_restore(dq_bundle *kept, const dq_bundle *checkpoint, dq_error *error);

#endif
