/* SPDX-License-Identifier: MIT
 *
 * Processes that compute one thing together, each a rank, as whoever connects them hands them in. All ranks
 * make the same calls in the same order; a call returns when the others have made theirs. What comes back is
 * the same bytes on every rank. A failure is the connection's end: no further call is of use.
 */
#ifndef DQ_CORE_RANKS_H
#define DQ_CORE_RANKS_H

#include "dq/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct dq_ranks {
    void *self;
    uint32_t rank, count; /* a power of two */
    /* x (n) becomes the sum of all ranks' x, in a binary tree over the ranks: of 4 it is (0 + 1) + (2 + 3).
     */
    dq_status (*sum)(void *self, float *x, size_t n, dq_error *error);
    /* The same of whole numbers, which have one sum. */
    dq_status (*count_up)(void *self, uint64_t *x, size_t n, dq_error *error);
    /* x (count, bytes): each rank sets its own part, and gets all of them. */
    dq_status (*gather)(void *self, void *x, size_t bytes, dq_error *error);
} dq_ranks;

#endif
