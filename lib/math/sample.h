/* SPDX-License-Identifier: MIT
 *
 * Sampling without replacement, by weight, and of negatives.
 *
 * The first is Floyd's (Bentley, "A sample of brilliance", CACM 30(9), 1987): for j = count - n .. count - 1
 * draw t of {0 .. j}; take t, or j when t was taken already. Membership is a stamp a number, so that neither
 * a hash table nor a cleared bitmap is needed.
 *
 * The second is a complete binary tree of sums over leaves: a leaf is changed, and found by a point of the
 * total, in log n steps. A node is always the sum of its two children, so the tree follows from its leaves.
 *
 * Both are made in an arena; false when memory is short.
 */
#ifndef DQ_MATH_SAMPLE_H
#define DQ_MATH_SAMPLE_H

#include "core/pairset.h"
#include "core/rng.h"
#include "dq/arena.h"

#include <stdbool.h>

typedef struct dq_sample_distinct {
    uint32_t *stamps; /* (capacity) the last sample that took this number */
    uint32_t sample;
    size_t capacity;
} dq_sample_distinct;

bool dq_sample_distinct_init(dq_sample_distinct *s, size_t capacity, dq_arena *arena);
void dq_sample_distinct_begin(dq_sample_distinct *s);
/* The draw that takes the place of j; called for j = count - n .. count - 1 after dq_sample_distinct_begin.
 */
size_t dq_sample_distinct_draw(dq_sample_distinct *s, dq_rng *rng, size_t j);

typedef struct dq_sumtree {
    double *nodes; /* (2 leaves); node 1 is the root, leaf i is node leaves + i */
    size_t leaves; /* a power of two */
} dq_sumtree;

bool dq_sumtree_init(dq_sumtree *t, size_t leaves, dq_arena *arena);
void dq_sumtree_set(dq_sumtree *t, size_t leaf, double value);
double dq_sumtree_get(const dq_sumtree *t, size_t leaf);
double dq_sumtree_total(const dq_sumtree *t);
/* The leaf in which the point 0 <= x < total falls; one with a value above 0. */
size_t dq_sumtree_find(const dq_sumtree *t, double x);

/* An item of 0 .. items - 1 that the user has not met, every one equally likely; or UINT32_MAX after 64 draws
 * (a user who has met nearly everything). */
uint32_t dq_sample_unmet(const dq_pairset *met, uint32_t user, uint32_t items, dq_rng *rng);

#endif
