/* SPDX-License-Identifier: MIT
 *
 * The users' lists: each user's k best of the items that stream by.
 *
 *     dq_rank_lists l = {0};
 *     dq_rank_lists_open(&l, &config, &users, &e);
 *     for each block: dq_rank_lists_offer(&l, &scorer, &block, 0, l.count, &e);
 *     for each list i: dq_rank_lists_finish(&l, i, places, &count, &e);
 *
 * Every decision about a pair depends on the pair alone, and the order of a list is total (core/topk.h):
 * blocks, their order, groups of users and threads cannot change a list.
 */
#ifndef DQ_RANK_LISTS_H
#define DQ_RANK_LISTS_H

#include "core/shard/shard.h"
#include "rank/explore.h"
#include "rank/mmr_vectors.h"
#include "rank/score.h"
#include "rank/seen.h"

/* What decides the places of a list: the score; or relevance and diversity (rank/mmr.h); or chance as well
 * (rank/explore.h). */
typedef enum dq_rank_order {
    DQ_RANK_SCORE,
    DQ_RANK_MMR,
    DQ_RANK_EPSILON,
    DQ_RANK_SOFTMAX,
    DQ_RANK_ENSEMBLE
} dq_rank_order;

/* "score", "mmr", "epsilon", "softmax", "ensemble", NULL: what a stream of rankings says of itself. */
extern const char *const dq_rank_order_names[];

/* What the lists are to be. */
typedef struct dq_rank_config {
    size_t k; /* places of a list, at least 1 */
    dq_rank_order order;
    size_t shortlist;         /* SCORE: at least k; a first pass in 8 bits, rank/shortlist/; 0: none */
    size_t pool;              /* MMR: the best candidates, from which the places are chosen; at least k */
    double lambda;            /* MMR: 1 relevance alone, 0 diversity alone */
    double epsilon;           /* EPSILON: the probability of a random item at each place */
    double temperature;       /* SOFTMAX: above 0 */
    size_t members;           /* ENSEMBLE: networks of the scorer, or samples of a posterior, at least 2 */
    uint64_t seed;            /* of EPSILON, SOFTMAX and ENSEMBLE */
    const dq_rank_seen *seen; /* pairs to leave out, as known when the item is offered; NULL: none */
    const uint8_t *left_out;  /* (items, by number) 1: in nobody's list; NULL: none */
    const dq_index *users;    /* whose lists are wanted; NULL, or none of them: everybody's */
    dq_shard shard;           /* of these, the part whose lists are wanted */
} dq_rank_config;

/* One user whose list is wanted. */
typedef struct dq_rank_user {
    const char *id;
    size_t id_bytes;
    uint32_t seen; /* number in config.seen->users, or DQ_ABSENT */
} dq_rank_user;

/* Zero-initialise to start. The first part is for callers to read; the vectors may be replaced between offers
 * by what the scorer is to take for them. */
typedef struct dq_rank_lists {
    size_t count;
    dq_rank_user *users;   /* (count) */
    uint32_t *of_row;      /* (rows of the catalogue's users) the list, or DQ_ABSENT: not wanted */
    const float **vectors; /* (count) */
    dq_topk **best;        /* (count) the candidates so far; ENSEMBLE: those of the member that was drawn */
    dq_topk **of_member;   /* (count, config.members) ENSEMBLE: and of each */
    dq_topk **other;       /* (count) EPSILON: a uniform sample to draw from; SOFTMAX: the best by score */
    uint64_t *candidates;  /* (count) items that were offered and not seen */
    dq_explore_sum *rest;  /* (count) SOFTMAX: of the candidates that are not in `other` */

    dq_rank_config config;
    dq_mmr_vectors mmr;
    float *scores; /* of a group of users against a block */
    size_t score_slots;
    uint32_t *seen_items; /* of the rows of a block: number in config.seen->items, or DQ_ABSENT */
    size_t seen_slots;
} dq_rank_lists;

/* One place of a finished list. The id lives as long as the lists. */
typedef struct dq_rank_place {
    const char *item;
    size_t item_bytes;
    float score;        /* the scorer's, whatever ordered the list; ENSEMBLE: that of the member drawn */
    float disagreement; /* standard deviation of the scores of the scorer's networks; NAN: not of several */
    double propensity;  /* of a list that was drawn: rank/explore.h; else NAN */
} dq_rank_place;

/* Starts a list for every wanted user, in the order of the catalogue. config is copied; what it points to,
 * and users, are kept. */
dq_status dq_rank_lists_open(dq_rank_lists *lists, const dq_rank_config *config, const dq_entities *users,
                             dq_error *error);
/* Starts the list of one user, whoever he is, to whom items are offered by scores; id is kept. config.users
 * counts for nothing. */
dq_status dq_rank_lists_open_one(dq_rank_lists *lists, const dq_rank_config *config, const char *id,
                                 size_t bytes, dq_error *error);
/* Scores a block for lists [first, last) and offers its items; each item once to each list. A score that is
 * not finite is DQ_ERR_NUMERIC. */
dq_status dq_rank_lists_offer(dq_rank_lists *lists, dq_rank_scorer *scorer, const dq_rank_block *block,
                              size_t first, size_t last, dq_error *error);
/* Offers a block's items to list i by scores (rows) that are there already; members (networks, rows): of
 * several networks, else not looked at. */
dq_status dq_rank_lists_offer_scores(dq_rank_lists *lists, size_t i, const float *scores,
                                     const float *members, size_t networks, const dq_rank_block *block,
                                     dq_error *error);
/* List i, best first: *count places, at most k and at most as many as items were offered; places, with room
 * for these, is the caller's. */
dq_status dq_rank_lists_finish(dq_rank_lists *lists, size_t i, dq_rank_place *places, size_t *count,
                               dq_error *error);
/* What the heaps keep of a place beside its key: its score, and what networks' scores of it, `stride` apart,
 * disagree by (members NULL: nothing). */
uint64_t dq_rank_lists_tag(float score, const float *members, size_t networks, size_t stride);
void dq_rank_lists_free(dq_rank_lists *lists);

#endif
