/* SPDX-License-Identifier: MIT
 *
 * Sums of vectors in a fixed binary tree: of 4 leaves (0 + 1) + (2 + 3). A part of the leaves that is a whole
 * subtree can be summed apart, by another process for one, and the sums of the parts likewise, to the same
 * bits: what MPI_Allreduce leaves open, the order of additions, is settled by the leaves.
 *
 *     dq_tree_init(&tree, 3000000, 8, &arena)
 *     for (i = 0; i < 8; i++) { fill(x); dq_tree_add(&tree, x, pool); }      now x is the sum
 */
#ifndef DQ_MATH_TREE_H
#define DQ_MATH_TREE_H

#include "dq/arena.h"
#include "math/pool.h"

#include <stdbool.h>
#include <stdint.h>

enum { DQ_TREE_LEVELS = 16 };

typedef struct dq_tree {
    size_t n;                     /* numbers of a vector */
    uint32_t leaves, taken;       /* leaves is a power of two; so many of them came */
    float *waits[DQ_TREE_LEVELS]; /* (n) the left part of a sum whose right part is to come */
} dq_tree;

/* Takes log2(leaves) vectors of the arena; false when memory is short. */
bool dq_tree_init(dq_tree *tree, size_t n, uint32_t leaves, dq_arena *arena);
/* The next leaf. Behind the last one x is the sum of all, and the tree begins anew; before, x is of no use.
 */
void dq_tree_add(dq_tree *tree, float *x, dq_pool *pool);

#endif
