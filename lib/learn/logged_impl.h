/* SPDX-License-Identifier: MIT
 *
 * The inside of a run over logged rows, shared by logged.c (batches), logged_validate.c (held-out rows) and
 * logged_save.c (its place in a checkpoint).
 */
#ifndef DQ_LEARN_LOGGED_IMPL_H
#define DQ_LEARN_LOGGED_IMPL_H

#include "learn/logged.h"

enum { RNG_ORDER, RNG_NEGATIVES, RNG_LOGGED_COUNT };
enum { LOGGED_BLOCK = 64 }; /* rows that are judged together */

/* Where a run stands: plain numbers. */
typedef struct logged_place {
    uint64_t epoch, position, batches; /* epochs begun, rows of this epoch done, batches in all */
    double q_sum, world_sum;           /* of the running epoch, by rows */
    uint64_t row_sum;
    double least; /* the best epoch's loss, or 1 - its NDCG */
    uint64_t best_epoch, bad_epochs;
    bool stopped;
    dq_logged_epoch last;
} logged_place;

struct dq_logged {
    dq_logged_config config;
    dq_agent *agent, *spare;
    dq_logged_rows rows;
    uint8_t *held; /* (users) */
    size_t groups, held_groups;
    uint32_t *order; /* (order_count) rows to learn from, shuffled each epoch */
    size_t order_count;
    uint32_t *held_out; /* (held_count) rows to judge by */
    size_t held_count;
    float *states; /* (2 * max rows, state_width): a state and its next one, a row each */
    dq_experience *batch;
    float *packed; /* (LOGGED_BLOCK, state_width) */
    float *values; /* (LOGGED_BLOCK, actions) */
    dq_rng rng[RNG_LOGGED_COUNT];
    logged_place place;
};

/* Makes row k of the batch from a logged row. */
static inline void logged_fill(dq_logged *run, size_t k, uint32_t row)
{
    size_t width = run->rows.state_width;
    float *state = run->states + 2 * k * width;
    run->rows.fill(run->rows.self, row, state, state + width, &run->batch[k]);
}

/* Fills the epoch's validation_loss, hit and ndcg. */
dq_status logged_validate(dq_logged *run, dq_logged_epoch *epoch, dq_error *error);

#endif
