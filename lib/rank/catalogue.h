/* SPDX-License-Identifier: MIT
 *
 * The lists of a catalogue that is in memory: all its users by all its items.
 *
 *     dq_rank_lists l = {0};
 *     dq_rank_catalogue(&l, &scorer, &catalogue, 10, &e);
 *     for each list i: dq_rank_lists_finish(&l, i, places, &count, &e);
 *     dq_rank_lists_free(&l);
 */
#ifndef DQ_RANK_CATALOGUE_H
#define DQ_RANK_CATALOGUE_H

#include "rank/lists.h"

/* Opens the lists of all users, of k places by score, and offers all items to them; the scorer is loaded, and
 * is fitted here. Errors are those of dq_entities_check_vectors, rank/items.h, rank/score.h and rank/lists.h;
 * the lists are to be freed after a failure, too. */
dq_status dq_rank_catalogue(dq_rank_lists *lists, dq_rank_scorer *scorer, const dq_catalogue *catalogue,
                            size_t k, dq_error *error);

#endif
