/* SPDX-License-Identifier: MIT
 *
 * The tree is climbed as a binary counter counts: a leaf joins the part that waits on its level, their sum
 * that of the next level, until a level is empty, where it waits.
 */
#include "math/tree.h"

#include "math/vec.h"

#include <string.h>

enum { TILE = 65536 };

bool dq_tree_init(dq_tree *tree, size_t n, uint32_t leaves, dq_arena *arena)
{
    *tree = (dq_tree){.n = n, .leaves = leaves};
    for (unsigned level = 0; (uint32_t)1 << level < leaves; level++) {
        tree->waits[level] = dq_arena_zero(arena, n, sizeof(float));
        if (!tree->waits[level]) return false;
    }
    return true;
}

typedef struct addition {
    float *to;
    const float *left;
    size_t n;
} addition;

/* A sum of two has no order. */
static void add_tile(void *arg, size_t i, unsigned thread)
{
    (void)thread;
    const addition *a = arg;
    size_t from = i * TILE, n = a->n - from < TILE ? a->n - from : TILE;
    dq_vec_add(a->to + from, a->left + from, n);
}

void dq_tree_add(dq_tree *tree, float *x, dq_pool *pool)
{
    unsigned level = 0;
    for (; tree->taken >> level & 1; level++) {
        addition a = {x, tree->waits[level], tree->n};
        dq_pool_run(pool, add_tile, &a, (tree->n + TILE - 1) / TILE);
    }
    tree->taken++;
    if (tree->taken < tree->leaves)
        memcpy(tree->waits[level], x, tree->n * sizeof *x);
    else
        tree->taken = 0;
}
