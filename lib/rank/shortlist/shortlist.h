/* SPDX-License-Identifier: MIT
 *
 * Two passes: lists of the best by scores in 8 bits, several times as many as are wanted (config.shortlist),
 * which are then scored as ever. So every score that is printed is exact, and what can go wrong is that a
 * place of the exact list was not on the shortlist: recall says how often.
 *
 *     config.shortlist = 500; dq_rank_lists_open(...); for each block: dq_rank_lists_offer(...)
 *     dq_shortlist_rescore(&lists, &scorer, &e);
 *     for each list i: dq_rank_lists_finish(...)
 */
#ifndef DQ_RANK_SHORTLIST_SHORTLIST_H
#define DQ_RANK_SHORTLIST_SHORTLIST_H

#include "rank/lists.h"

/* Scores all shortlists exactly and leaves each list's k best of its own, as if nothing else had been
 * offered. Once, after all items. */
dq_status dq_shortlist_rescore(dq_rank_lists *lists, dq_rank_scorer *scorer, dq_error *error);
/* The mean over users of the share of the exact list's places that were found, and *full: of how many users
 * all of them. Both have the same k; list i of the exact ones is of the user of found's list of[i] (of NULL:
 * i). 1 where there are none. */
double dq_shortlist_recall(dq_rank_lists *found, const uint32_t *of, dq_rank_lists *exact, size_t *full);

#endif
