/* SPDX-License-Identifier: MIT
 *
 * Cosine similarity s.a / (|s| |a|), whole or as the mean over paired fields. A zero vector scores 0. Raw
 * cosines are in
 * [-1, 1]; the reward form (c + 1) / 2 is the caller's.
 */
#ifndef DQ_COSINE_H
#define DQ_COSINE_H

#include "dq/status.h"

#include <stddef.h>
#include <stdint.h>

/* One pair of sub-ranges of equal width. */
typedef struct dq_pairing {
    uint32_t user_offset, item_offset, width;
} dq_pairing;

/* Mean raw cosine over `count` pairs of ranges of one user's and one item's vector. Sums run in double. */
double dq_cosine(const float *user, const float *item, const dq_pairing *pairs, size_t count);

/* One user against n items in rows of `stride` floats; out[i] equals (float)dq_cosine for item i to within
 * 1e-6, and does not depend on the block or the thread. This is the fast form for ranking (bound by memory).
 */
void dq_cosine_block(const float *user, const float *items, size_t stride, size_t n, const dq_pairing *pairs,
                     size_t count, float *out);

#endif
