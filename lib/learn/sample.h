/* SPDX-License-Identifier: MIT
 *
 * Sampling without replacement, and of negatives.
 *
 * The first is Floyd's (Bentley, "A sample of brilliance", CACM 30(9), 1987): for j = count - n .. count - 1
 * draw t of {0 .. j}; take t, or j when t was taken already. Membership is a stamp a number, so that neither
 * a hash table nor a cleared bitmap is needed.
 */
#ifndef DQ_LEARN_SAMPLE_H
#define DQ_LEARN_SAMPLE_H

#include "core/pairset.h"
#include "core/rng.h"

#include <stdbool.h>

typedef struct sample_distinct {
    uint32_t *stamps; /* (capacity) the last sample that took this number */
    uint32_t sample;
    size_t capacity;
} sample_distinct;

bool sample_distinct_init(sample_distinct *s, size_t capacity);
void sample_distinct_free(sample_distinct *s);
void sample_distinct_begin(sample_distinct *s);
/* The draw that takes the place of j; called for j = count - n .. count - 1 after sample_distinct_begin. */
size_t sample_distinct_draw(sample_distinct *s, dq_rng *rng, size_t j);

/* An item of 0 .. items - 1 that the user has not met, every one equally likely; or UINT32_MAX after 64 draws
 * (a user who has met nearly everything). */
uint32_t sample_unmet(const dq_pairset *met, uint32_t user, uint32_t items, dq_rng *rng);

#endif
