/* SPDX-License-Identifier: MIT
 *
 * The inside of an offline run, shared by offline.c (batches), offline_validate.c (held-out rows) and
 * offline_save.c (its place in a checkpoint).
 */
#ifndef DQ_LEARN_OFFLINE_IMPL_H
#define DQ_LEARN_OFFLINE_IMPL_H

#include "core/pairset.h"
#include "learn/offline.h"

enum { RNG_ORDER, RNG_NEGATIVES, RNG_OFFLINE_COUNT };

/* Where a run stands: plain numbers, saved as they are. */
typedef struct offline_place {
    uint64_t epoch, position, batches; /* epochs begun, rows of this epoch done, batches in all */
    double q_sum, world_sum;           /* of the running epoch, by rows */
    uint64_t row_sum;
    double least;                    /* the best epoch's validation loss, or 1 - its order */
    double least_loss;               /* the best epoch's validation loss: decides between equal orders */
    uint64_t best_epoch, bad_epochs; /* best_epoch 0: none yet */
    bool stopped;
    dq_epoch last;
} offline_place;

struct dq_offline {
    dq_offline_config config;
    dq_dynaq *agent;
    const dq_transition *rows; /* (row_count) */
    size_t row_count;
    uint32_t user_count, item_count;
    uint8_t *held; /* (users) 1 where the user's group is held out */
    size_t groups, held_groups, held_rows;
    dq_pairset met;  /* of all rows */
    uint32_t *order; /* (order_count) training rows, shuffled each epoch */
    size_t order_count;
    dq_transition *batch;    /* (max rows) */
    uint32_t *scratch;       /* (items) candidates, drawn */
    uint32_t *drawn;         /* (items) */
    dq_transition *held_out; /* (held_count) held-out rows and their negatives, by user */
    size_t held_count;
    float *held_value;               /* (held_count) */
    float *wanted;                   /* (max rows) */
    uint32_t *pair_user, *pair_item; /* (max rows) */
    float *best_q, *best_world;      /* flat weights of the best epoch */
    dq_rng rng[RNG_OFFLINE_COUNT];
    offline_place place;
};

/* Builds held_out; true when there was memory. */
bool dq_offline_hold_out(dq_offline *run, size_t count);
/* Fills validation_loss and order. */
void dq_offline_validate(dq_offline *run, dq_epoch *epoch);

#endif
