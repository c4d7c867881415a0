/* SPDX-License-Identifier: MIT
 *
 * Batches in tiles. A batch b of B takes of a tile's n rows those from n b / B to n (b + 1) / B of its order,
 * so that every batch has nearly the same number of each. The order of an epoch, negatives and dropout have a
 * generator for each tile, by the number of the batch or epoch: nothing of it is to be kept in a checkpoint.
 */
#include "core/buffers.h"
#include "offline/offline_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Streams of random numbers: a purpose, the batch or epoch, the tile. */
enum { OF_ORDER = 1, OF_NEGATIVES, OF_DROPOUT };

static dq_rng stream(const dq_offline *run, uint64_t purpose, uint64_t at, uint32_t tile)
{
    return dq_rng_stream(run->config.seed, purpose << 56 | at << 8 | tile);
}

static uint32_t ranks_of(const dq_ranks *ranks)
{
    return ranks ? ranks->count : 1;
}

bool dq_offline_is_here(uint32_t tiles, const dq_ranks *ranks, uint32_t user)
{
    return !ranks || user % tiles / (tiles / ranks->count) == ranks->rank;
}

/* ---- making ---- */

static bool is_power(uint32_t n)
{
    return n > 0 && (n & (n - 1)) == 0;
}

static dq_status check(const dq_offline *run, dq_error *error)
{
    const dq_offline_config *c = &run->config;
    uint32_t ranks = ranks_of(c->ranks);
    if (run->by_lists || c->priority > 0 || c->meta.users || c->balance > 0)
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "lists, priorities, meta-learning and weights by propensity are of a whole batch: it "
                       "is not cut into tiles");
    if (run->rows.given)
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "features of a pair's whole list are of all rows: these are not cut into tiles");
    if (!is_power(c->tiles) || c->tiles > DQ_OFFLINE_MAX_TILES || !is_power(ranks) || ranks > c->tiles)
        return dq_fail(
            error, DQ_ERR_RANGE,
            "%u tiles by %u ranks: both are powers of two, ranks no more than tiles, these no more "
            "than %d",
            c->tiles, ranks, DQ_OFFLINE_MAX_TILES);
    if (dq_agent_get_config(run->agent)->tiles == c->tiles / ranks) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE, "the agent takes other tiles");
}

dq_status offline_make_tiles(dq_offline *run, dq_error *error)
{
    offline_tiles *t = &run->tiles;
    const dq_offline_config *c = &run->config;
    dq_status status = offline_is_tiled(run) ? check(run, error) : DQ_OK;
    if (status) return status;
    t->count = offline_is_tiled(run) ? c->tiles : 1;
    t->own = t->count / ranks_of(c->ranks);
    t->first = c->ranks ? c->ranks->rank * t->own : 0;
    const dq_buffer buffers[] = {
        DQ_BUFFER(t->length, t->count), DQ_BUFFER(t->start, t->own + 1), DQ_BUFFER(t->held, t->own + 1),
        DQ_BUFFER(t->next, t->own),     DQ_BUFFER(t->sums, t->count),    DQ_BUFFER(t->loss, t->count),
    };
    return dq_buffers_take(&run->arena, buffers, DQ_BUFFERS(buffers)) ? DQ_OK
                                                                      : dq_fail_memory(error, "tiles");
}

bool offline_in_tile(const dq_offline *run, uint32_t i, size_t row)
{
    return run->rows.user[row] % run->tiles.count == run->tiles.first + i;
}

bool offline_has_row(const dq_offline *run, size_t row)
{
    const offline_tiles *t = &run->tiles;
    return run->rows.user[row] % t->count - t->first < t->own;
}

/* ---- between processes ---- */

dq_status offline_count_up(const dq_offline *run, size_t *numbers, size_t n, dq_error *error)
{
    const dq_ranks *ranks = run->config.ranks;
    if (!ranks) return DQ_OK;
    uint64_t *all = malloc((n + 1) * sizeof *all);
    if (!all) return dq_fail_memory(error, "%zu numbers", n);
    for (size_t i = 0; i < n; i++) all[i] = numbers[i];
    dq_status status = ranks->count_up(ranks->self, all, n, error);
    for (size_t i = 0; !status && i < n; i++) numbers[i] = (size_t)all[i];
    free(all);
    return status;
}

dq_status offline_share(const dq_offline *run, void *values, size_t bytes, dq_error *error)
{
    const dq_ranks *ranks = run->config.ranks;
    return ranks ? ranks->gather(ranks->self, values, bytes, error) : DQ_OK;
}

/* ---- the order ---- */

/* A row of this process that has a reward. */
static bool is_learnt_from(const dq_offline *run, size_t row)
{
    return offline_has_row(run, row) && !isnan(run->rows.reward[row]) && !run->held[run->rows.user[row]];
}

/* The rows to learn from, tile by tile, as they come. */
static void list_rows(dq_offline *run)
{
    offline_tiles *t = &run->tiles;
    memcpy(t->next, t->start, t->own * sizeof *t->next);
    for (size_t r = 0; r < run->rows.count; r++)
        if (is_learnt_from(run, r))
            run->order[t->next[run->rows.user[r] % t->count - t->first]++] = (uint32_t)r;
}

void offline_order_tiles(dq_offline *run, uint64_t epoch)
{
    const offline_tiles *t = &run->tiles;
    list_rows(run);
    for (uint32_t i = 0; i < t->own; i++) {
        dq_rng rng = stream(run, OF_ORDER, epoch, t->first + i);
        dq_rng_shuffle(&rng, run->order + t->start[i], t->start[i + 1] - t->start[i]);
    }
}

dq_status offline_measure_tiles(dq_offline *run, dq_error *error)
{
    offline_tiles *t = &run->tiles;
    for (size_t r = 0; r < run->rows.count; r++) {
        if (is_learnt_from(run, r))
            t->length[run->rows.user[r] % t->count]++;
        else
            run->held_rows += offline_has_row(run, r) && !isnan(run->rows.reward[r]);
    }
    for (uint32_t i = 0; i < t->own; i++) t->start[i + 1] = t->start[i] + (size_t)t->length[t->first + i];
    run->order_count = t->start[t->own];
    run->all_held_rows = run->held_rows;
    dq_status status = offline_share(run, t->length, t->own * sizeof *t->length, error);
    if (!status) status = offline_count_up(run, &run->all_held_rows, 1, error);
    for (uint32_t i = 0; i < t->count; i++) run->all_training += (size_t)t->length[i];
    return status;
}

/* ---- a batch ---- */

/* Where batch b of an epoch begins in a tile's rows. Tiles take their turns at the rows that are left over,
 * so that batches are of one size, but for one row a tile. */
static size_t begin_of(const dq_offline *run, uint64_t b, uint32_t tile)
{
    uint64_t batches = offline_batches(run), turn = batches * tile / run->tiles.count;
    return (size_t)((run->tiles.length[tile] * b + turn) / batches);
}

static size_t rows_of(const dq_offline *run, uint64_t b, uint32_t tile)
{
    return begin_of(run, b + 1, tile) - begin_of(run, b, tile);
}

/* Rows and their negatives, of own tile i. */
static size_t draw_tile(dq_offline *run, uint64_t b, uint32_t i)
{
    const offline_tiles *t = &run->tiles;
    size_t n = 0, from = t->start[i] + begin_of(run, b, t->first + i);
    size_t to = from + rows_of(run, b, t->first + i);
    run->rng[RNG_NEGATIVES] = stream(run, OF_NEGATIVES, run->state.batches, t->first + i);
    for (size_t at = from; at < to; at++) n += offline_add_row(run, n, run->order[at], 1);
    return n;
}

static dq_status learn_tile(dq_offline *run, uint64_t b, size_t logged, uint32_t i, dq_error *error)
{
    uint32_t tile = run->tiles.first + i;
    dq_agent_tile batch = {.rows = run->batch,
                           .n = draw_tile(run, b, i),
                           .share = (double)rows_of(run, b, tile) / (double)logged,
                           .rng = stream(run, OF_DROPOUT, run->state.batches, tile)};
    offline_tile_loss *to = &run->tiles.loss[tile];
    to->rows = (double)batch.n;
    return dq_agent_fit_tile(run->agent, &run->states, &batch, &to->loss, error);
}

dq_status offline_learn_tiles(dq_offline *run, dq_agent_losses *losses, size_t *n, dq_error *error)
{
    const offline_tiles *t = &run->tiles;
    const dq_rng kept = run->rng[RNG_NEGATIVES];
    uint64_t b = run->state.batches % offline_batches(run);
    size_t logged = 0;
    double loss = 0, rows = 0;
    dq_status status = DQ_OK;
    for (uint32_t tile = 0; tile < t->count; tile++) logged += rows_of(run, b, tile);
    *losses = (dq_agent_losses){0, NAN, NAN, NAN};
    *n = 0;
    if (logged == 0) return DQ_OK; /* small batches of many tiles: not every one has a row */
    for (uint32_t i = 0; !status && i < t->own; i++) status = learn_tile(run, b, logged, i, error);
    run->rng[RNG_NEGATIVES] = kept;
    if (!status) status = offline_share(run, t->loss, t->own * sizeof *t->loss, error);
    if (status) return status;
    for (uint32_t tile = 0; tile < t->count; tile++) {
        loss += t->loss[tile].loss * ((double)rows_of(run, b, tile) / (double)logged);
        rows += t->loss[tile].rows;
    }
    *n = (size_t)rows;
    run->state.position += logged;
    return dq_agent_fit_tiles(run->agent, run->config.ranks, loss, losses, error);
}
