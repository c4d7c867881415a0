/* SPDX-License-Identifier: MIT
 *
 * Scores.
 */
#ifndef DQ_RANK_SCORE_H
#define DQ_RANK_SCORE_H

#include "data/catalogue.h"
#include "math/cosine.h"
#include "net/net.h"
#include "rank/block.h"
#include "rank/items.h"

typedef enum dq_rank_by { DQ_RANK_BY_AUTO, DQ_RANK_BY_Q, DQ_RANK_BY_WORLD, DQ_RANK_BY_COSINE } dq_rank_by;

extern const char *const dq_rank_by_names[];

typedef struct dq_rank_scorer {
    dq_rank_by by;
    dq_pool *pool;
    dq_net *net;     /* Q or world model; NULL for the cosine */
    dq_value layout; /* fields that it learnt from, in arena; DQ_NIL when the model does not say */
    dq_arena arena;
    dq_pairing *pairs; /* of the cosine */
    size_t pair_count;
    const uint32_t *output_of; /* (items) of sessions: users' vectors are their values by action; else NULL */
} dq_rank_scorer;

/* The network called q or world of a model bundle. */
dq_status dq_rank_scorer_load(dq_rank_scorer *scorer, const dq_bundle *model, dq_error *error);
/* The same network with the weights of another model, whose widths and layers must be the same. */
dq_status dq_rank_scorer_reload(dq_rank_scorer *scorer, const dq_bundle *model, dq_error *error);
/* Whether a model that learnt from vectors of these widths, and of the fields that layout names (NULL or nil:
 * the model does not say), scores this catalogue; DQ_ERR_RANGE when it does not. Equal widths may still hold
 * other fields, or the same in another order. */
dq_status dq_rank_model_fits(uint32_t user_width, uint32_t item_width, const dq_value *layout,
                             const dq_side *users, const dq_rank_items *items, dq_error *error);
/* Called when users and the first items are known: widths, fields, pairs must fit. pairs: --pair. */
dq_status dq_rank_scorer_fit(dq_rank_scorer *scorer, const dq_side *users, const dq_rank_items *items,
                             const dq_pair_names *pairs, size_t pair_count, dq_error *error);
/* out (count, rows): scores of count users against a block. */
void dq_rank_scorer_score(dq_rank_scorer *scorer, const float *const *users, size_t count,
                          const dq_rank_block *block, float *out);
void dq_rank_scorer_free(dq_rank_scorer *scorer);

#endif
