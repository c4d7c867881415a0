/* SPDX-License-Identifier: MIT
 *
 * Features of pairs within their users' whole lists (feature/feature.h), for a model whose network is given
 * some: all items are held, and a group of users' features are computed before any of their items is scored.
 *
 *     dq_rank_features_bind(&scorer, &items, blocks, count, &e);    where dq_rank_scorer_needs_lists
 *     dq_rank_history_bind(&history, &scorer, &lists, &users, &items, &e);
 *     dq_rank_features_fill(&scorer, &lists, first, &n, &e);        then offer all blocks to these
 *
 * Some features are of what a user has seen: the interactions of the stream whose labels have no reward by
 * the model's map, as in training.
 */
#ifndef DQ_RANK_FEATURES_H
#define DQ_RANK_FEATURES_H

#include "data/seen.h"
#include "rank/lists.h"

/* What the users of the lists have seen; zero-initialise to start. */
typedef struct dq_rank_history {
    bool on; /* some feature asks for it */
    dq_session_log log;
    dq_history seen; /* by list, numbers of items */
} dq_rank_history;

/* Of a model whose features ask for it; else nothing is taken. DQ_ERR_SCHEMA for one that does not say what
 * its interactions were. */
dq_status dq_rank_history_load(dq_rank_history *history, const dq_bundle *model, dq_error *error);
/* Takes over a bundle's rows. */
dq_status dq_rank_history_add(dq_rank_history *history, const dq_bundle *interactions, dq_error *error);
/* When all is read: the scorer borrows it. Items that are not here count for nothing. */
dq_status dq_rank_history_bind(dq_rank_history *history, dq_rank_scorer *scorer, const dq_rank_lists *lists,
                               const dq_index *users, const dq_rank_items *items, dq_error *error);
void dq_rank_history_free(dq_rank_history *history);

/* The list is these items, in all of them; blocks, of floats (block.floats), are not kept. */
dq_status dq_rank_features_bind(dq_rank_scorer *scorer, const dq_rank_items *items,
                                const dq_rank_block *blocks, size_t block_count, dq_error *error);
/* The same of a catalogue that is in memory, whose blocks will number its items as it does. */
dq_status dq_rank_features_bind_items(dq_rank_scorer *scorer, const dq_entities *items, dq_error *error);
/* Computes those of the next lists from `first` on, at most *n of them; *n says how many. Those that are
 * there already are not computed again, so dq_rank_lists_offer may ask, too. DQ_ERR_UNSUPPORTED where the
 * scorer is bound to no list, or to no history that its features ask for. */
dq_status dq_rank_features_fill(dq_rank_scorer *scorer, const dq_rank_lists *lists, size_t first, size_t *n,
                                dq_error *error);

#endif
