/* SPDX-License-Identifier: MIT */
#include "math/sample.h"

#include <string.h>

/* ---- without replacement ---- */

bool dq_sample_distinct_init(dq_sample_distinct *s, size_t capacity, dq_arena *arena)
{
    *s = (dq_sample_distinct){.capacity = capacity,
                              .stamps = dq_arena_zero(arena, capacity, sizeof *s->stamps)};
    return s->stamps != NULL;
}

void dq_sample_distinct_begin(dq_sample_distinct *s)
{
    if (++s->sample) return;
    memset(s->stamps, 0, s->capacity * sizeof *s->stamps);
    s->sample = 1;
}

size_t dq_sample_distinct_draw(dq_sample_distinct *s, dq_rng *rng, size_t j)
{
    size_t i = (size_t)dq_rng_below(rng, j + 1);
    if (s->stamps[i] == s->sample) i = j;
    s->stamps[i] = s->sample;
    return i;
}

/* ---- sums ---- */

bool dq_sumtree_init(dq_sumtree *t, size_t leaves, dq_arena *arena)
{
    for (t->leaves = 1; t->leaves < leaves;) t->leaves *= 2;
    t->nodes = dq_arena_zero(arena, 2 * t->leaves, sizeof *t->nodes);
    return t->nodes != NULL;
}

void dq_sumtree_set(dq_sumtree *t, size_t leaf, double value)
{
    size_t node = t->leaves + leaf;
    for (t->nodes[node] = value; (node /= 2) > 0;)
        t->nodes[node] = t->nodes[2 * node] + t->nodes[2 * node + 1];
}

double dq_sumtree_get(const dq_sumtree *t, size_t leaf)
{
    return t->nodes[t->leaves + leaf];
}

double dq_sumtree_total(const dq_sumtree *t)
{
    return t->nodes[1];
}

/* Rounding may carry x past the last leaf that counts, so a side whose sum is 0 is never entered. */
size_t dq_sumtree_find(const dq_sumtree *t, double x)
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

/* ---- negatives ---- */

uint32_t dq_sample_unmet(const dq_pairset *met, uint32_t user, uint32_t items, dq_rng *rng)
{
    enum { TRIES = 64 };
    for (int i = 0; i < TRIES; i++) {
        uint32_t item = (uint32_t)dq_rng_below(rng, items);
        if (!dq_pairset_has(met, user, item)) return item;
    }
    return UINT32_MAX;
}
