/* SPDX-License-Identifier: MIT
 *
 * Which items of a catalogue are looked at for which lists: what an index found. The catalogue streams by,
 * these are picked out of it, and each list is offered its own, by exact scores.
 *
 *     dq_candidates c = {0};
 *     dq_candidates_find(&c, &distil, &lists, &scorer, &seen, shortlist, probes, &e);
 *     for each bundle:  n = dq_candidates_pick(&c, rows_before, bundle.rows, rows);      those of this bundle
 *     for each item that is put into blocks, as it is numbered:  dq_candidates_number(&c, row, &e);
 *     for each block:  dq_candidates_offer(&c, &lists, &scorer, &block, &e);
 */
#ifndef DQ_DISTIL_CANDIDATES_H
#define DQ_DISTIL_CANDIDATES_H

#include "distil/distil.h"
#include "rank/lists.h"

typedef struct dq_candidate {
    uint32_t row, list; /* the item's row in the catalogue */
} dq_candidate;

/* Zero-initialise to start. */
typedef struct dq_candidates {
    dq_candidate *at; /* (count) by ascending row, and list */
    size_t count, slots;
    uint32_t *seen;   /* (lists) how many items each user has seen */
    double explained; /* of the users' scores of the anchors, in the mean */
    uint32_t *row_of; /* (numbered) rows of the items in blocks, by number; ascending */
    size_t numbered, row_slots;
    dq_candidate *met; /* (met_slots) of a block: by list; row is that of the block */
    size_t met_slots;
    dq_rank_block mine; /* one list's items of a block */
    float *scores;      /* (mine.capacity) */
} dq_candidates;

/* Asks an index, `probes` of its lists, for `shortlist` items for each list, and for as many more as its user
 * has seen; where these lists hold fewer, there are fewer. The scorer is fitted. */
dq_status dq_candidates_find(dq_candidates *c, dq_distil *distil, const dq_rank_lists *lists,
                             dq_rank_scorer *scorer, const dq_rank_seen *seen, size_t shortlist,
                             size_t probes, dq_error *error);
/* rows (n at most): those of the n rows from `first` on that are candidates, counted from `first`; ascending.
 * Returns how many. */
uint32_t dq_candidates_pick(const dq_candidates *c, uint64_t first, uint64_t n, uint32_t *rows);
/* The item that has the next number in blocks stands in this row of the catalogue. */
dq_status dq_candidates_number(dq_candidates *c, uint32_t row, dq_error *error);
/* Scores a block's items for the lists whose candidates they are, and offers them. A score that is not finite
 * is DQ_ERR_NUMERIC. */
dq_status dq_candidates_offer(dq_candidates *c, dq_rank_lists *lists, dq_rank_scorer *scorer,
                              const dq_rank_block *block, dq_error *error);
void dq_candidates_free(dq_candidates *c);

#endif
