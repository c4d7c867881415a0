/* SPDX-License-Identifier: MIT */
#include "learn/sumtree.h"

#include <stdlib.h>

bool sumtree_init(sumtree *t, size_t leaves)
{
    for (t->leaves = 1; t->leaves < leaves;) t->leaves *= 2;
    t->nodes = calloc(2 * t->leaves, sizeof *t->nodes);
    return t->nodes != NULL;
}

void sumtree_free(sumtree *t)
{
    free(t->nodes);
}

void sumtree_set(sumtree *t, size_t leaf, double value)
{
    size_t node = t->leaves + leaf;
    for (t->nodes[node] = value; (node /= 2) > 0;)
        t->nodes[node] = t->nodes[2 * node] + t->nodes[2 * node + 1];
}

double sumtree_get(const sumtree *t, size_t leaf)
{
    return t->nodes[t->leaves + leaf];
}

double sumtree_total(const sumtree *t)
{
    return t->nodes[1];
}

/* Rounding may carry x past the last leaf that counts, so a side whose sum is 0 is never entered. */
size_t sumtree_find(const sumtree *t, double x)
{
    size_t node = 1;
    while (node < t->leaves) {
        double left = t->nodes[2 * node];
        node *= 2;
        if (x >= left && t->nodes[node + 1] > 0) {
            x -= left;
            node++;
        }
    }
    return node - t->leaves;
}
