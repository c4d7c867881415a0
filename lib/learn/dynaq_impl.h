/* SPDX-License-Identifier: MIT
 *
 * The agent's inside, shared by dynaq.c (acting and learning) and dynaq_save.c (bundles).
 */
#ifndef DQ_LEARN_DYNAQ_IMPL_H
#define DQ_LEARN_DYNAQ_IMPL_H

#include "learn/dynaq.h"

/* One stream of random numbers a purpose. */
enum { RNG_ACT, RNG_REPLAY, RNG_DROP_Q, RNG_DROP_WORLD, RNG_COUNT };

enum { BLOCK = 256 }; /* candidates scored at once */

struct dq_dynaq {
    dq_dynaq_config config;
    dq_vectors users, items;
    dq_net *q, *target, *world;
    dq_replay *replay;
    dq_rng rng[RNG_COUNT];
    double epsilon;
    uint64_t steps, updates;

    uint32_t *candidates; /* (candidate_count of items.count) */
    uint32_t candidate_count;
    float *block;        /* (BLOCK, item width) candidates gathered */
    uint32_t block_from; /* the first gathered candidate, or DQ_ABSENT_BLOCK */
    uint32_t block_rows;

    /* V(s') = max over the candidates of Q(s', a'; target), tabled by user. */
    float *value;      /* (users) */
    uint64_t *valid;   /* (users) the version that value belongs to */
    uint64_t version;  /* of (target copy, candidates) */
    uint32_t *missing; /* (max_rows) users of a batch without a value */
    const float **missing_at;
    float *scores; /* (max_rows, BLOCK) */

    /* Batches. plan holds planning * batch rows. */
    dq_transition *rows;             /* (batch) */
    dq_transition *plan;             /* (planning * batch) */
    uint32_t *pair_user, *pair_item; /* (pair_rows) */
    uint32_t *pair_of;               /* (planning * batch) the distinct pair of a row */
    uint32_t *pair_slots;            /* (pair_slot_count) hash of distinct pairs */
    size_t pair_slot_count;
    float *pair_value; /* (pair_rows) */
    float *wanted;     /* (pair_rows) */
    size_t pair_rows;  /* max(max_rows, planning * batch) */
};

#define NO_BLOCK UINT32_MAX

#endif
