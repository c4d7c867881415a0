/* SPDX-License-Identifier: MIT
 *
 * Exact merging of ranked lists: shards of a catalogue ranked apart become one ranking, the same as if the
 * whole had been ranked at once (each shard must have kept at least k). A pair that stands in several shards
 * with one score counts once; with unequal scores it is an error, because then the shards were not ranked by
 * the same model.
 */
#ifndef DQ_RANK_MERGE_H
#define DQ_RANK_MERGE_H

#include "core/topk.h"

typedef struct dq_merge dq_merge;

/* Keeps the k >= 1 best of each user. */
dq_status dq_merge_new(dq_merge **merge, size_t k, dq_error *error);
void dq_merge_free(dq_merge *merge);

/* Offers one ranked pair. DQ_ERR_DUPLICATE for a pair known with another score, DQ_ERR_NUMERIC for NaN. */
dq_status dq_merge_add(dq_merge *merge, const char *user, size_t user_bytes, const char *item,
                       size_t item_bytes, float score, dq_error *error);

/* Users in the order of their first pair. */
size_t dq_merge_count(const dq_merge *merge);
const char *dq_merge_user(const dq_merge *merge, size_t i, size_t *bytes);
/* User i's items, best first; valid until the next add. */
size_t dq_merge_sorted(dq_merge *merge, size_t i, const dq_scored **items);

#endif
