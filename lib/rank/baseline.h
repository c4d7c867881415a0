/* SPDX-License-Identifier: MIT
 *
 * What a learner has to beat: scores that need no vectors and no training, only who met what.
 *
 *     popularity   the sum of the weights of an item's interactions: their number, where each weighs 1
 *     recent       1 for the item whose last interaction is the oldest, and so on up to the latest;
 *                  0 for one that nobody met. Equal times are equal scores
 *     item-knn     the sum, over the items that the user met, of how alike they are to the candidate
 *                  (Sarwar et al. 2001; Deshpande and Karypis 2004; rank/neighbours.h); of the
 *                  candidate's nearest `most`
 *     last-item    how alike the candidate is to the item that the user met last
 *     random       a number in [0, 1) of the pair and the seed alone
 *
 * A score is a float32: sums and places are exact up to 2^24. It belongs to its pair: neither blocks, nor
 * threads, nor the order of the stream change a bit (but that times which are equal or missing leave the
 * order to the stream). Who met nothing of what is known has a score of 0 for all under item-knn and
 * last-item: `blank` says how many.
 *
 *     dq_baseline b = {.by = DQ_RANK_BY_ITEM_KNN};
 *     dq_baseline_learn(&b, &interactions, &e);   every bundle of them
 *     dq_baseline_begin(&b, &users, of_row, lists, threads, &e);
 *     dq_baseline_score(&b, pool, first, count, &block, out, &e);
 */
#ifndef DQ_RANK_BASELINE_H
#define DQ_RANK_BASELINE_H

#include "data/catalogue.h"
#include "math/pool.h"
#include "rank/block.h"
#include "rank/neighbours.h"

/* Who scores. AUTO: not chosen yet. From POPULARITY on a baseline does. */
typedef enum dq_rank_by {
    DQ_RANK_BY_AUTO,
    DQ_RANK_BY_Q,
    DQ_RANK_BY_WORLD,
    DQ_RANK_BY_COSINE,
    DQ_RANK_BY_POPULARITY,
    DQ_RANK_BY_RECENT,
    DQ_RANK_BY_ITEM_KNN,
    DQ_RANK_BY_LAST_ITEM,
    DQ_RANK_BY_RANDOM,
    DQ_RANK_BY_COUNT
} dq_rank_by;

/* "auto", "q", "world", "cosine", "popularity" ..., NULL: what a stream of rankings says of itself. */
extern const char *const dq_rank_by_names[];

/* Set the first seven; zero-initialise the rest. */
typedef struct dq_baseline {
    dq_rank_by by; /* POPULARITY or after */
    uint64_t seed; /* of RANDOM */
    dq_likeness likeness;
    double shrink;
    size_t most;
    dq_feedback learnt; /* map and time are the caller's to set */
    bool apart;         /* what users met comes by dq_baseline_meet, and tells nothing else */

    dq_feedback
        met; /* with apart; once begun only what dq_feedback_describe_times tells, count and unmapped */
    dq_neighbours near;
    size_t *met_first; /* (near.items + 1) lists that item i adds to: met_lists[met_first[i] .. [i + 1]) */
    uint32_t *met_lists;
    size_t blank; /* lists of users who met nothing that is known; of LAST_ITEM, not last */

    const dq_entities *users;
    uint32_t *user_row; /* (lists) */
    size_t lists;
    dq_neighbours_scratch *scratch; /* (threads) */
    double **sums;                  /* (threads) of a group of lists, for one item */
    unsigned threads;
    size_t group;             /* how many lists sums have room for */
    uint32_t block, rows;     /* the block whose neighbours these are; rows 0: none */
    dq_neighbour **of_row;    /* (row_slots) */
    size_t *count, row_slots; /* (row_slots) */
} dq_baseline;

/* Whether it looks at interactions at all; and at who met what. */
bool dq_baseline_learns(const dq_baseline *baseline);
bool dq_baseline_is_personal(const dq_baseline *baseline);
/* Takes a bundle of interactions: of what scores are made, and, unless apart, what users met. Errors as
 * dq_feedback_add's. */
dq_status dq_baseline_learn(dq_baseline *baseline, const dq_bundle *interactions, dq_error *error);
/* With apart: what users met. */
dq_status dq_baseline_meet(dq_baseline *baseline, const dq_bundle *interactions, dq_error *error);
/* All interactions came, and users are known: of_row says which list each user's row has, or DQ_ABSENT, of
 * so many lists. DQ_ERR_SCHEMA where it learns and nothing came. users is kept. */
dq_status dq_baseline_begin(dq_baseline *baseline, const dq_entities *users, const uint32_t *of_row,
                            size_t lists, unsigned threads, dq_error *error);
/* out (count, block->rows): scores for lists [first, first + count). The neighbours of a block's items are
 * kept until another block comes, so a block that is small is memory that is. */
dq_status dq_baseline_score(dq_baseline *baseline, dq_pool *pool, size_t first, size_t count,
                            const dq_rank_block *block, float *out, dq_error *error);
void dq_baseline_free(dq_baseline *baseline);

#endif
