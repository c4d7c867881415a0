/* SPDX-License-Identifier: MIT
 *
 * Cosines of pairs of fields as a list sees them: how far above the others an item stands (cosine-z), in
 * which place (log-rank), and whether it is near to everything (hubness: Radovanovic et al., "Hubs in space",
 * JMLR 11, 2010).
 */
#include "feature/feature_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void name_pair(const dq_feature_set *set, uint32_t pair, char *name, size_t size)
{
    (void)snprintf(name, size, "%s:%s", set->user_fields.at[set->pairs[pair].user].name,
                   set->item_fields.at[set->pairs[pair].item].name);
}

/* ---- cosine-z ---- */

static uint32_t count_pairs(const dq_feature_set *set)
{
    return set->pair_count;
}

static void fill_cosines(feature_tile *tile, uint32_t i, float *to)
{
    memcpy(to, feature_cosines(tile, i), FEATURE_TILE * tile->set->list.stride * sizeof *to);
}

const dq_feature_kind feature_cosine_z = {
    .name = "cosine-z",
    .help = "cosine of each user field with each item field of its width, as z-score",
    .needs = DQ_FEATURE_PAIR,
    .columns = count_pairs,
    .name_column = name_pair,
    .fill = fill_cosines,
};

/* ---- log-rank ---- */

/* The i-th pair of the user field that the best pair has. */
static uint32_t pair_of_best_field(const dq_feature_set *set, uint32_t i)
{
    uint32_t p = 0;
    for (;; p++)
        if (set->pairs[p].user == set->pairs[set->best].user && i-- == 0) return p;
}

static uint32_t count_best_field(const dq_feature_set *set)
{
    uint32_t count = 0;
    for (uint32_t p = 0; p < set->pair_count; p++) count += set->pairs[p].user == set->pairs[set->best].user;
    return count;
}

static void name_best_field(const dq_feature_set *set, uint32_t i, char *name, size_t size)
{
    name_pair(set, pair_of_best_field(set, i), name, size);
}

/* Bits that order as the numbers do, the greatest first. */
static uint32_t descending_key(float x)
{
    uint32_t bits;
    x += 0.0F; /* -0 is 0 */
    memcpy(&bits, &x, sizeof bits);
    return bits & 0x80000000U ? bits : ~(bits | 0x80000000U);
}

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, PASSES = 3 };

/* Sorts items by descending number: least significant digits first. order: (4 n) memory, whose first n are
 * the result. */
static void sort_descending(const float *x, uint32_t n, uint32_t *order)
{
    uint32_t *key = order + n, *other = order + 2 * (size_t)n, *other_key = order + 3 * (size_t)n;
    for (uint32_t i = 0; i < n; i++) {
        order[i] = i;
        key[i] = descending_key(x[i]);
    }
    uint32_t *from[2] = {order, key}, *to[2] = {other, other_key};
    for (unsigned pass = 0; pass < PASSES; pass++) {
        uint32_t start[DIGITS + 1] = {0};
        for (uint32_t i = 0; i < n; i++) start[1 + ((from[1][i] >> pass * DIGIT_BITS) & (DIGITS - 1))]++;
        for (uint32_t d = 0; d < DIGITS; d++) start[d + 1] += start[d];
        for (uint32_t i = 0; i < n; i++) {
            uint32_t at = start[(from[1][i] >> pass * DIGIT_BITS) & (DIGITS - 1)]++;
            to[0][at] = from[0][i];
            to[1][at] = from[1][i];
        }
        uint32_t *swap[2] = {from[0], from[1]};
        memcpy(from, to, sizeof from);
        memcpy(to, swap, sizeof to);
    }
    memcpy(order, from[0], n * sizeof *order); /* an odd number of passes */
}

/* Of equal numbers each has the place of the first. */
static void rank_row(const feature_tile *tile, const float *x, float *to)
{
    uint32_t n = tile->set->list.n, *order = tile->scratch->order, place = 0;
    sort_descending(x, n, order);
    for (uint32_t i = 0; i < n; i++) {
        if (i && x[order[i]] < x[order[i - 1]]) place = i;
        to[order[i]] = tile->scratch->rank[place];
    }
}

static void fill_ranks(feature_tile *tile, uint32_t i, float *to)
{
    const float *cosine = feature_cosines(tile, pair_of_best_field(tile->set, i));
    const feature_list *list = &tile->set->list;
    for (size_t u = 0; u < tile->count; u++)
        rank_row(tile, cosine + u * list->stride + list->margin, feature_row(tile, to, u));
}

const dq_feature_kind feature_log_rank = {
    .name = "log-rank",
    .help = "-log(1 + place) by the cosines of the user field that tells most, as z-score",
    .needs = DQ_FEATURE_PAIR,
    .columns = count_best_field,
    .name_column = name_best_field,
    .fill = fill_ranks,
};

/* ---- hubness ---- */

static void fill_hubness(feature_tile *tile, uint32_t i, float *to)
{
    const feature_list *list = &tile->set->list;
    (void)i;
    for (size_t u = 0; u < tile->count; u++)
        memcpy(to + u * list->stride, list->hub, list->stride * sizeof *to);
}

const dq_feature_kind feature_hubness = {
    .name = "hubness",
    .help = "mean cosine of the item with all items, as z-score",
    .needs = DQ_FEATURE_PAIR,
    .fill = fill_hubness,
};
