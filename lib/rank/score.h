/* SPDX-License-Identifier: MIT
 *
 * Scores of users against a block of items, by the networks of an agent whose states are the users of a
 * catalogue, or by the cosine.
 *
 *     dq_rank_scorer s = {.by = DQ_RANK_BY_Q, .pool = pool};
 *     dq_rank_scorer_load(&s, &model, &e);                  not for the cosine
 *     dq_rank_scorer_fit(&s, &users, &items, NULL, 0, &e);  when users and the first items are known
 *     dq_rank_scorer_score(&s, vectors, count, &block, out);
 */
#ifndef DQ_RANK_SCORE_H
#define DQ_RANK_SCORE_H

#include "data/catalogue.h"
#include "data/seen.h"
#include "feature/feature.h"
#include "math/cosine.h"
#include "math/pool.h"
#include "net/quantised.h"
#include "net/scoring.h"
#include "rank/baseline.h"
#include "rank/block.h"
#include "rank/items.h"

/* Set by and pool, and zero-initialise the rest to start. */
typedef struct dq_rank_scorer {
    dq_rank_by by; /* AUTO is Q */
    dq_pool *pool; /* borrowed */
    dq_net **nets; /* (net_count) of Q, or the world models, whose mean counts; none for the cosine */
    size_t net_count;
    dq_net_scoring **ready;          /* (net_count) their weights packed for many items; NULL: not yet */
    dq_net_quantised **coarse;       /* (net_count) the same in 8 bits, for dq_rank_scorer_first_pass */
    uint32_t user_width, item_width; /* that they learnt from */
    dq_value layout;                 /* and the fields, in arena; DQ_NIL when the model does not say */
    float *members; /* (members, count, rows) of several members, what each said of the last block */
    size_t member_slots;
    dq_arena arena;
    dq_pairing *pairs; /* of the cosine */
    size_t pair_count;
    const uint32_t *output_of; /* (items) of sessions: users' vectors are their values by action; else NULL */
    size_t draws, outputs; /* of sessions: samples of a bandit's posterior, (draws, outputs) values a user, in
                              the place of networks; draws 0: values */
    dq_feature_set *features; /* of pairs within a whole list, given to the network; NULL: none */
    const dq_history *seen;   /* what the users of the lists have seen, borrowed; NULL: nobody tells */
    float *given;             /* of lists given_first .. against all items: rank/features.h fills it */
    size_t given_slots, given_first, given_count, given_items; /* given_items 0: bound to none yet */
    float *block_given;                                        /* (block_slots) of them, those of a block */
    size_t block_slots;
    float *wide; /* (wide_slots) the vectors of a block of halves, for the networks */
    size_t wide_slots;
    dq_baseline *baseline; /* who scores lists in this one's place (dq_rank_lists_offer); else NULL */
} dq_rank_scorer;

/* Takes the networks of a model bundle, which is copied from: each of an ensemble, whose outputs are in one
 * unit, that of rewards (a loss of lists is calibrated), so that their mean is one, too. DQ_ERR_UNKNOWN when
 * it has no world model, and DQ_ERR_UNSUPPORTED for an agent that does not score a user and an item by their
 * vectors. */
dq_status dq_rank_scorer_load(dq_rank_scorer *scorer, const dq_bundle *model, dq_error *error);
/* The same networks with the weights of another model, which must have as many, of the same widths and
 * layers. */
dq_status dq_rank_scorer_reload(dq_rank_scorer *scorer, const dq_bundle *model, dq_error *error);
/* Networks, or samples in their place, that each have their own score of a pair. */
size_t dq_rank_scorer_members(const dq_rank_scorer *scorer);
/* Whether a list is scored only when all of its items are known. */
bool dq_rank_scorer_needs_lists(const dq_rank_scorer *scorer);
/* Whether widths and fields of the catalogue are those of the model; or, for the cosine, chooses the pairs of
 * fields: the given ones, else the catalogue's own, else the whole vectors. */
dq_status dq_rank_scorer_fit(dq_rank_scorer *scorer, const dq_entities *users, const dq_rank_items *items,
                             const dq_pair_names *pairs, size_t pair_count, dq_error *error);
/* out (count, block->rows): scores of the vectors of the users of lists first .. first + count - 1. A score
 * depends on its pair (and with features on the whole list) alone, to the last bit: neither on the block, nor
 * on who else is scored, nor on the number of threads. */
dq_status dq_rank_scorer_score(dq_rank_scorer *scorer, const float *const *users, size_t count, size_t first,
                               const dq_rank_block *block, float *out, dq_error *error);
/* The same by the networks in 8 bits, near the scores (net/quantised.h). DQ_ERR_UNSUPPORTED for a scorer
 * without networks, or of others. */
dq_status dq_rank_scorer_first_pass(dq_rank_scorer *scorer, const float *const *users, size_t count,
                                    const dq_rank_block *block, float *out, dq_error *error);
void dq_rank_scorer_free(dq_rank_scorer *scorer);

#endif
