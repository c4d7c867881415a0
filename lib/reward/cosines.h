/* SPDX-License-Identifier: MIT
 *
 * Raw cosines of many pairs, in tiles of users by items where pairs form these (math/cosine.h). A pair's
 * cosine is the same whatever pairs stand around it, and on however many threads.
 */
#ifndef DQ_REWARD_COSINES_H
#define DQ_REWARD_COSINES_H

#include "math/cosine.h"

/* Vectors by row, the ranges of them that are compared, and threads. */
typedef struct dq_cosines {
    const float *const *users, *const *items;
    const dq_pairing *pairings;
    size_t pairing_count;
    unsigned threads;
    /* (rows, pairing_count), or both NULL: found in each tile anew */
    const dq_cosine_scale *user_scales, *item_scales;
} dq_cosines;

/* Of `rows` vectors the scales of the ranges that are compared, into scales (rows, pairing_count): for
 * whoever is going to compare each of them with many. items: whether it is the items' ranges. */
void dq_cosines_measure(const dq_cosines *cosines, bool items, size_t rows, dq_cosine_scale *scales);

/* Of `count` users, given as rows, with items 0 .. n-1: out (count, n). */
void dq_cosines_table(const dq_cosines *cosines, const uint32_t *users, size_t count, float *out, size_t n);

/* Of n pairs of rows: out (n). Fast where users follow one another with the same items, as all pairs do. */
void dq_cosines_pairs(const dq_cosines *cosines, const uint32_t *user, const uint32_t *item, float *out,
                      size_t n);

#endif
