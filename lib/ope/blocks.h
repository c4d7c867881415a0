/* SPDX-License-Identifier: MIT
 *
 * Sums over blocks of consecutive rows, for a bootstrap over a log of any length in a fixed memory (Kunsch,
 * "The jackknife and the bootstrap for general stationary observations", 1989, with blocks that do not
 * overlap). At first a block is a row; when all are full, neighbours become one and the next blocks are twice
 * as long. Up to so many rows it is the ordinary bootstrap. Rows that depend on their neighbours (a session,
 * a page) then mostly lie in one block.
 *
 *     rows    1 2 3 4 5 6 7 8 9          4 blocks at most
 *     blocks  [1 2] [3 4] [5 6] [7 8]    then    [1 - 4] [5 - 8] [9 ...
 */
#ifndef DQ_OPE_BLOCKS_H
#define DQ_OPE_BLOCKS_H

#include "compare/bootstrap.h"

typedef struct dq_ope_blocks {
    double *sums; /* (max, width) */
    size_t width; /* sums of a block */
    size_t
        used; /* the first of them that resamples sum up; the rest are 0. All, unless the caller says less */
    size_t max;    /* even */
    size_t count;  /* blocks begun */
    uint64_t size; /* rows of a full block */
    uint64_t rows; /* of the last block */
} dq_ope_blocks;

/* Of `width` sums each, at most `max` blocks (even). Free after a failure, too. DQ_ERR_MEMORY. */
dq_status dq_ope_blocks_init(dq_ope_blocks *blocks, size_t width, size_t max, dq_error *error);
void dq_ope_blocks_free(dq_ope_blocks *blocks);

/* Takes the next rows, at least 1 and at most `wanted`, into one block: returns how many, and the sums to
 * which the caller adds theirs. */
size_t dq_ope_blocks_take(dq_ope_blocks *blocks, size_t wanted, double **sums);

/* The sums of all blocks, into sums (width). */
void dq_ope_blocks_total(const dq_ope_blocks *blocks, double *sums);

/* What a bootstrap's sums come to: values (count) of the sums (width) of a resample. */
typedef void (*dq_ope_statistic)(const void *self, const double *sums, double *values);

/* The percentile bootstrap (compare/bootstrap.h) over the blocks: draws as many as there are, with
 * replacement, `resamples` times. intervals (count): NAN in both ends where there are fewer than 2 blocks. A
 * value that is NAN in a resample is left out of its interval. sd (count): the standard deviations over the
 * resamples, or NULL. DQ_ERR_MEMORY. */
dq_status dq_ope_blocks_bootstrap(const dq_ope_blocks *blocks, dq_ope_statistic statistic, const void *self,
                                  size_t count, size_t resamples, double level, dq_rng *rng,
                                  dq_interval *intervals, double *sd, dq_error *error);

/* What each block adds: centred pseudo-values of the jackknife (Tukey, "Bias and confidence in not quite
 * large samples", 1958), whose mean is value j of `count`, and whose variance / blocks is about that of the
 * estimate
 *
 *     v(i) = v + (n - 1) (mean of all w - w(i)),     w(i) the value of all blocks but i
 *
 * into values (blocks->count). For comparing estimates from the same blocks in pairs. All are NAN
 * where the value of the rest is: one block has all the weight. DQ_ERR_MEMORY. */
dq_status dq_ope_blocks_influence(const dq_ope_blocks *blocks, dq_ope_statistic statistic, const void *self,
                                  size_t count, size_t j, double *values, dq_error *error);

#endif
