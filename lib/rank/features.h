/* SPDX-License-Identifier: MIT
 *
 * Features of pairs within their users' whole lists (feature/feature.h), for a model whose network is given
 * some: all items are held, and a group of users' features are computed before any of their items is scored.
 *
 *     dq_rank_features_bind(&scorer, &items, blocks, count, &e);    where dq_rank_scorer_needs_lists
 *     dq_rank_features_fill(&scorer, &lists, first, &n, &e);        then offer all blocks to the next n lists
 */
#ifndef DQ_RANK_FEATURES_H
#define DQ_RANK_FEATURES_H

#include "rank/lists.h"

/* The list is these items, in all of them; blocks are not kept. */
dq_status dq_rank_features_bind(dq_rank_scorer *scorer, const dq_rank_items *items,
                                const dq_rank_block *blocks, size_t block_count, dq_error *error);
/* The same of a catalogue that is in memory, whose blocks will number its items as it does. */
dq_status dq_rank_features_bind_items(dq_rank_scorer *scorer, const dq_entities *items, dq_error *error);
/* Computes those of the next lists from `first` on, at most *n of them; *n says how many. Those that are
 * there already are not computed again, so dq_rank_lists_offer may ask, too. DQ_ERR_UNSUPPORTED where the
 * scorer is bound to no list. */
dq_status dq_rank_features_fill(dq_rank_scorer *scorer, const dq_rank_lists *lists, size_t first, size_t *n,
                                dq_error *error);

#endif
