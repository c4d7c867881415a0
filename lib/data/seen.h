/* SPDX-License-Identifier: MIT
 *
 * Which items each user of a dataset has met, in a transition or an interaction; and items that are drawn of
 * these, or of the others.
 */
#ifndef DQ_DATA_SEEN_H
#define DQ_DATA_SEEN_H

#include "core/pairset.h"
#include "core/rng.h"
#include "data/dataset.h"

/* Zero-initialise to start; free with dq_seen_free. */
typedef struct dq_seen {
    dq_pairset_pair *pairs; /* (count) by ascending user, and a user's by ascending item; each once */
    size_t count;
} dq_seen;

/* Lists the pairs of the dataset's transitions and interactions. DQ_ERR_MEMORY. */
dq_status dq_seen_list(dq_seen *seen, const dq_dataset *dataset, dq_error *error);
void dq_seen_free(dq_seen *seen);

/* The pairs of a user, (*count). */
const dq_pairset_pair *dq_seen_of(const dq_seen *seen, uint32_t user, size_t *count);
/* The items that a user has met, or of 0 .. items - 1 those that he has not (unseen), ascending; or `limit`
 * of them (0: all), drawn without replacement, when there are more. drawn: (items), the caller's. Returns how
 * many. */
size_t dq_seen_draw(const dq_seen *seen, uint32_t user, bool unseen, uint32_t items, size_t limit,
                    dq_rng *rng, uint32_t *drawn);

#endif
