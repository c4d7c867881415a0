/* SPDX-License-Identifier: MIT
 *
 * A complete binary tree of sums over leaves: a leaf is changed, and found by a point of the total, in log n
 * steps. A node is always the sum of its two children, so the tree follows from its leaves.
 */
#ifndef DQ_LEARN_SUMTREE_H
#define DQ_LEARN_SUMTREE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct sumtree {
    double *nodes; /* (2 leaves); node 1 is the root, leaf i is node leaves + i */
    size_t leaves; /* a power of two */
} sumtree;

bool sumtree_init(sumtree *t, size_t leaves);
void sumtree_free(sumtree *t);
void sumtree_set(sumtree *t, size_t leaf, double value);
double sumtree_get(const sumtree *t, size_t leaf);
double sumtree_total(const sumtree *t);
/* The leaf in which the point 0 <= x < total falls; one with a value above 0. */
size_t sumtree_find(const sumtree *t, double x);

#endif
