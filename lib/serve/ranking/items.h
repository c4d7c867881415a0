/* SPDX-License-Identifier: MIT
 *
 * The items of a served catalogue as rankings need them: one block with ids and vectors, numbered by the
 * catalogue's rows; and what the catalogue's interactions say of them, for users of whom a model knows
 * nothing. Made once for a catalogue, shared by models and requests, counted; it does not change.
 */
#ifndef DQ_SERVE_RANKING_ITEMS_H
#define DQ_SERVE_RANKING_ITEMS_H

#include "rank/block.h"
#include "rank/items.h"
#include "rank/neighbours.h"
#include "serve/served.h"

typedef struct dq_ranking_items {
    const dq_served *served;
    const dq_catalogue *catalogue;
    dq_rank_items items;
    dq_rank_block block;      /* all of them; of width 0 where they have no vectors */
    uint32_t count;           /* items */
    float *popularity;        /* (count) interactions, as dq-rank --by popularity has it */
    dq_neighbours neighbours; /* by who met both (rank/neighbours.h): cosines */
    uint32_t *near_of;        /* (count) number in neighbours, or DQ_ABSENT */
    uint32_t *item_of;        /* (neighbours.items) row */
} dq_ranking_items;

/* Takes the reference to `served` over, also on failure; its catalogue is there. */
dq_status dq_ranking_items_new(const dq_ranking_items **items, const dq_served *served, dq_error *error);
/* One reference more, and one less; from any thread. */
const dq_ranking_items *dq_ranking_items_hold(const dq_ranking_items *items);
void dq_ranking_items_release(const dq_ranking_items *items);

/* scores (count): how alike each item is to those of a history (rows), summed over it, as dq-rank --by
 * item-knn has it. False, and no scores: nobody met one of these and something else. */
dq_status dq_ranking_items_near(const dq_ranking_items *items, const uint32_t *history, size_t n,
                                float *scores, bool *any, dq_error *error);

#endif
