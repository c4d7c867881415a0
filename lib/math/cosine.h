/* SPDX-License-Identifier: MIT
 *
 * Cosine similarity s.a / (|s| |a|), whole or as the mean over paired fields. A zero vector scores 0. Raw
 * cosines are in [-1, 1]; the reward form (c + 1) / 2 is the caller's.
 */
#ifndef DQ_MATH_COSINE_H
#define DQ_MATH_COSINE_H

#include "core/layout.h"

/* One pair of sub-ranges of equal width. */
typedef struct dq_pairing {
    uint32_t user_offset, item_offset, width;
} dq_pairing;

/* The ranges of `count` named pairs, into pairings (room for at least 1); count 0 is the whole vectors as one
 * pair, which need equal widths. *made is the number of pairings. DQ_ERR_UNKNOWN for a field that is not
 * there, DQ_ERR_RANGE for widths that differ, DQ_ERR_SCHEMA when a side has no vectors. */
dq_status dq_pairing_choose(const dq_pair_names *pairs, size_t count, dq_layout users, dq_layout items,
                            dq_pairing *pairings, size_t *made, dq_error *error);

/* Cross features of a network: none, those of the catalogue's named pairs (none named: none), or all: every
 * field of the users with every field of the items that is as wide. Into pairings (room for max),
 * DQ_ERR_RANGE when there are more; *made is their number. */
typedef enum dq_features { DQ_FEATURES_NONE, DQ_FEATURES_PAIRS, DQ_FEATURES_ALL } dq_features;
dq_status dq_pairing_features(dq_features which, const dq_pair_names *pairs, size_t count, dq_layout users,
                              dq_layout items, dq_pairing *pairings, size_t max, size_t *made,
                              dq_error *error);

/* Ranges as [[user_offset, item_offset, width] ...] under a name of a map (false when memory is short), and
 * the way back: at most `room` of them, numbers up to 2^24, widths from 1 (false where it is no such list).
 */
bool dq_pairing_save(const dq_pairing *pairings, uint32_t count, const char *name, dq_value *map,
                     dq_arena *arena);
bool dq_pairing_read(const dq_value *list, dq_pairing *pairings, uint32_t room, uint32_t *count);

/* Mean raw cosine over `count` pairs of ranges of one user's and one item's vector, of any finite floats.
 * Sums run in double. */
double dq_cosine(const float *user, const float *item, const dq_pairing *pairs, size_t count);

/* One user against n items in rows of `stride` floats (of one item anything); out[i] equals (float)dq_cosine
 * for item i to within 1e-6, whatever the sizes of the components, and does not depend on the block or the
 * thread. This is the fast form for ranking (bound by memory).
 */
void dq_cosine_block(const float *user, const float *items, size_t stride, size_t n, const dq_pairing *pairs,
                     size_t count, float *out);

/* The same of items that are DQ_F4, DQ_F2 or DQ_BF16, stride numbers apart: the bits that their exact floats
 * give dq_cosine_block, for the memory's reading of as many bytes as they are. */
void dq_cosine_rows(const float *user, const void *items, dq_dtype type, size_t stride, size_t n,
                    const dq_pairing *pairs, size_t count, float *out);

/* A row's length, as a tile uses it: what its range is multiplied by before the product, and the result after
 * it. */
typedef struct dq_cosine_scale {
    float before;   /* a power of two; 0: it is no float, and `exactly` is used */
    double after;   /* 1 / length of the scaled range; 0: it is all zeros */
    double exactly; /* the power of two */
} dq_cosine_scale;
/* Of a range of n numbers. */
dq_cosine_scale dq_cosine_scale_of(const float *range, size_t n);

/* Rows of one side of a tile, and of each its scales, one a pair of ranges; scale NULL: the tile finds them,
 * which costs a tenth of it. */
typedef struct dq_cosine_side {
    const float *const *row;             /* (count) */
    const dq_cosine_scale *const *scale; /* (count) */
    size_t count;
} dq_cosine_side;

/* Many users with many items as one product: out[u * stride + i] is the cosine of user u and item i, within
 * 1e-6 of dq_cosine, of any finite floats, and does not depend on what else is in the tile, nor on the CPU.
 * At most DQ_COSINE_USERS rows and DQ_COSINE_ITEMS rows. About 80 KiB of stack, which a main thread has from
 * its beginning, however little memory is left. A few users alone cost what dq_cosine_block costs, and many a
 * tenth of it. */
enum { DQ_COSINE_USERS = 64, DQ_COSINE_ITEMS = 128 };
void dq_cosine_tile(const dq_cosine_side *users, const dq_cosine_side *items, const dq_pairing *pairs,
                    size_t count, float *out, size_t stride);

#endif
