/* SPDX-License-Identifier: MIT
 *
 * The users' lists.
 */
#ifndef DQ_RANK_LISTS_H
#define DQ_RANK_LISTS_H

#include "rank/mmr_vectors.h"
#include "rank/score.h"
#include "rank/seen.h"

/* What decides the places of a list. */
typedef enum dq_rank_order { DQ_RANK_SCORE, DQ_RANK_MMR, DQ_RANK_EPSILON, DQ_RANK_SOFTMAX } dq_rank_order;

extern const char *const dq_rank_order_names[];

/* One user whose list is wanted. */
typedef struct dq_rank_user {
    const char *id;
    size_t id_bytes;
    uint32_t seen; /* number in config.seen->users, or DQ_ABSENT */
} dq_rank_user;

/* What the lists are to be. */
typedef struct dq_rank_config {
    size_t k;    /* places of a list, at least 1 */
    size_t pool; /* DQ_RANK_MMR: candidates to choose them from, at least k */
    dq_rank_order order;
    double lambda;            /* DQ_RANK_MMR: 1 relevance alone, 0 diversity alone */
    double epsilon;           /* DQ_RANK_EPSILON: the probability of a random item at each place */
    double temperature;       /* DQ_RANK_SOFTMAX: > 0 */
    uint64_t seed;            /* of both */
    const dq_rank_seen *seen; /* pairs to leave out; NULL: none. May grow until their items are offered */
    const char *const *users; /* (user_count) ids whose lists are wanted; user_count 0: everybody's */
    size_t user_count;
} dq_rank_config;

typedef struct dq_rank_lists {
    dq_rank_config config;
    size_t count;
    dq_rank_user *users;   /* (count) */
    uint32_t *of_row;      /* (rows of the catalogue's users) the list, or DQ_ABSENT: not wanted */
    const float **vectors; /* (count) */
    dq_topk **best;        /* (count) */
    dq_topk **random;      /* (count) --epsilon: a uniform sample to draw from; else NULL */
    dq_mmr_vectors mmr;
    float *scores; /* of a group of users against a block */
    size_t score_slots;
    uint32_t *seen_items; /* of the rows of a block: number in config.seen->items, or DQ_ABSENT */
    size_t seen_slots;
} dq_rank_lists;

/* One place of a finished list. */
typedef struct dq_rank_place {
    const char *item;
    size_t item_bytes;
    float score;
} dq_rank_place;

/* Starts a list for every wanted user, in the order of the catalogue. config is copied; what it points to,
 * and users, are kept. */
dq_status dq_rank_lists_open(dq_rank_lists *lists, const dq_rank_config *config, const dq_side *users,
                             dq_error *error);
/* Scores a block for users [first, last) and offers its items. */
dq_status dq_rank_lists_offer(dq_rank_lists *lists, dq_rank_scorer *scorer, const dq_rank_block *block,
                              size_t first, size_t last, dq_error *error);
/* The finished list of user i: at most k places, *places is the caller's, (k). */
dq_status dq_rank_lists_finish(dq_rank_lists *lists, size_t i, dq_rank_place *places, size_t *count,
                               dq_error *error);
void dq_rank_lists_free(dq_rank_lists *lists);

#endif
