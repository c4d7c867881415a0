/* SPDX-License-Identifier: MIT */
#include "ope/blocks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

dq_status dq_ope_blocks_init(dq_ope_blocks *blocks, size_t width, size_t max, dq_error *error)
{
    *blocks = (dq_ope_blocks){.width = width, .used = width, .max = max, .size = 1};
    blocks->sums = calloc(max, width * sizeof *blocks->sums);
    return blocks->sums ? DQ_OK : dq_fail_memory(error, "%zu blocks of %zu sums", max, width);
}

void dq_ope_blocks_free(dq_ope_blocks *blocks)
{
    free(blocks->sums);
    *blocks = (dq_ope_blocks){0};
}

/* Two neighbours become one. */
static void merge(dq_ope_blocks *b)
{
    for (size_t i = 0; i < b->max / 2; i++)
        for (size_t j = 0; j < b->width; j++)
            b->sums[i * b->width + j] = b->sums[2 * i * b->width + j] + b->sums[(2 * i + 1) * b->width + j];
    memset(b->sums + b->max / 2 * b->width, 0, b->max / 2 * b->width * sizeof *b->sums);
    b->count = b->max / 2;
    b->size *= 2;
    b->rows = b->size;
}

size_t dq_ope_blocks_take(dq_ope_blocks *blocks, size_t wanted, double **sums)
{
    if (blocks->count == 0 || blocks->rows == blocks->size) {
        if (blocks->count == blocks->max) merge(blocks);
        blocks->count++;
        blocks->rows = 0;
    }
    uint64_t room = blocks->size - blocks->rows;
    size_t taken = wanted < room ? wanted : (size_t)room;
    blocks->rows += taken;
    *sums = blocks->sums + (blocks->count - 1) * blocks->width;
    return taken;
}

void dq_ope_blocks_total(const dq_ope_blocks *blocks, double *sums)
{
    memset(sums, 0, blocks->width * sizeof *sums);
    for (size_t i = 0; i < blocks->count; i++)
        for (size_t j = 0; j < blocks->width; j++) sums[j] += blocks->sums[i * blocks->width + j];
}

static void resample(const dq_ope_blocks *b, dq_rng *rng, double *restrict sums)
{
    memset(sums, 0, b->used * sizeof *sums);
    for (size_t i = 0; i < b->count; i++) {
        const double *block = b->sums + dq_rng_below(rng, b->count) * b->width;
        for (size_t j = 0; j < b->used; j++) sums[j] += block[j];
    }
}

/* The interval of the values that are numbers, and their standard deviation. */
static dq_interval interval_of(double *values, size_t n, double level, double *sd)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i])) values[kept++] = values[i];
    if (sd) *sd = kept > 1 ? dq_sd(values, kept) : NAN;
    return kept ? dq_interval_of(values, kept, level) : (dq_interval){NAN, NAN};
}

dq_status dq_ope_blocks_bootstrap(const dq_ope_blocks *blocks, dq_ope_statistic statistic, const void *self,
                                  size_t count, size_t resamples, double level, dq_rng *rng,
                                  dq_interval *intervals, double *sd, dq_error *error)
{
    for (size_t j = 0; j < count; j++) intervals[j] = (dq_interval){NAN, NAN};
    for (size_t j = 0; sd && j < count; j++) sd[j] = NAN;
    if (blocks->count < 2 || count == 0) return DQ_OK;
    double *drawn = calloc(resamples, count * sizeof *drawn);
    double *work = calloc(blocks->width + count, sizeof *work), *values = work ? work + blocks->width : NULL;
    dq_status status = DQ_OK;
    if (!drawn || !work) status = dq_fail_memory(error, "%zu resamples of %zu estimates", resamples, count);
    for (size_t r = 0; r < resamples && !status; r++) {
        resample(blocks, rng, work);
        statistic(self, work, values);
        for (size_t j = 0; j < count; j++) drawn[j * resamples + r] = values[j];
    }
    for (size_t j = 0; j < count && !status; j++)
        intervals[j] = interval_of(drawn + j * resamples, resamples, level, sd ? sd + j : NULL);
    free(drawn);
    free(work);
    return status;
}

dq_status dq_ope_blocks_influence(const dq_ope_blocks *blocks, dq_ope_statistic statistic, const void *self,
                                  size_t count, size_t j, double *values, dq_error *error)
{
    const dq_ope_blocks *b = blocks;
    double *total = calloc(2 * b->width + count, sizeof *total);
    if (!total) return dq_fail_memory(error, "%zu sums", b->width);
    double *rest = total + b->width, *found = rest + b->width;
    dq_ope_blocks_total(b, total);
    for (size_t i = 0; i < b->count; i++) {
        for (size_t k = 0; k < b->width; k++) rest[k] = total[k] - b->sums[i * b->width + k];
        statistic(self, rest, found);
        values[i] = (double)(b->count - 1) * found[j];
    }
    statistic(self, total, found);
    double mean = dq_mean(values, b->count);
    for (size_t i = 0; i < b->count; i++) values[i] = mean - values[i];
    mean = dq_mean(values, b->count); /* 0, but for what large numbers have left of it */
    for (size_t i = 0; i < b->count; i++) values[i] += found[j] - mean;
    if (b->count == 1) values[0] = found[j];
    free(total);
    return DQ_OK;
}
