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
typedef enum rank_order { RANK_SCORE, RANK_MMR, RANK_EPSILON, RANK_SOFTMAX } rank_order;

extern const char *const rank_order_names[];

/* One user whose list is wanted. */
typedef struct rank_user {
    const char *id;
    size_t id_bytes;
    uint32_t seen; /* number in config.seen->users, or DQ_ABSENT */
} rank_user;

/* What the lists are to be. */
typedef struct rank_config {
    size_t k;    /* places of a list, at least 1 */
    size_t pool; /* RANK_MMR: candidates to choose them from, at least k */
    rank_order order;
    double lambda;            /* RANK_MMR: 1 relevance alone, 0 diversity alone */
    double epsilon;           /* RANK_EPSILON: the probability of a random item at each place */
    double temperature;       /* RANK_SOFTMAX: > 0 */
    uint64_t seed;            /* of both */
    const rank_seen *seen;    /* pairs to leave out; NULL: none. May grow until their items are offered */
    const char *const *users; /* (user_count) ids whose lists are wanted; user_count 0: everybody's */
    size_t user_count;
} rank_config;

typedef struct rank_lists {
    rank_config config;
    size_t count;
    rank_user *users;      /* (count) */
    uint32_t *of_row;      /* (rows of the catalogue's users) the list, or DQ_ABSENT: not wanted */
    const float **vectors; /* (count) */
    dq_topk **best;        /* (count) */
    dq_topk **random;      /* (count) --epsilon: a uniform sample to draw from; else NULL */
    rank_kept kept;
    float *scores; /* of a group of users against a block */
    size_t score_slots;
    uint32_t *seen_items; /* of the rows of a block: number in config.seen->items, or DQ_ABSENT */
    size_t seen_slots;
} rank_lists;

/* One place of a finished list. */
typedef struct rank_place {
    const char *item;
    size_t item_bytes;
    float score;
} rank_place;

/* Starts a list for every wanted user, in the order of the catalogue. config is copied; what it points to,
 * and users, are kept. */
dq_status rank_lists_open(rank_lists *lists, const rank_config *config, const dq_side *users,
                          dq_error *error);
/* Scores a block for users [first, last) and offers its items. */
dq_status rank_lists_offer(rank_lists *lists, rank_scorer *scorer, const rank_block *block, size_t first,
                           size_t last, dq_error *error);
/* The finished list of user i: at most k places, *places is the caller's, (k). */
dq_status rank_lists_finish(rank_lists *lists, size_t i, rank_place *places, size_t *count, dq_error *error);
void rank_lists_free(rank_lists *lists);

#endif
