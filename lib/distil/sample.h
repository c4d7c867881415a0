/* SPDX-License-Identifier: MIT
 *
 * What an index found, held against what is there: for a sample of users lists are made of all items, too.
 *
 *     dq_distil_sample s = {0};
 *     dq_distil_sample_open(&s, &lists, n, seed, &users, width, threads, &e);
 *     for each bundle of items:  dq_distil_sample_show(&s, &scorer, &bundle, &e);
 *     dq_distil_sample_recall(&s, &scorer, &lists, &recall, &full, &e);               once, after all items
 */
#ifndef DQ_DISTIL_SAMPLE_H
#define DQ_DISTIL_SAMPLE_H

#include "rank/lists.h"

/* Zero-initialise to start. */
typedef struct dq_distil_sample {
    dq_rank_lists exact; /* none, of a sample of nobody */
    uint32_t *of;        /* (exact.count) their users' lists among those by the index */
    dq_index ids;
    dq_rank_block block;
    uint32_t *rows; /* (row_slots) 0, 1, ... */
    size_t row_slots;
} dq_distil_sample;

/* Draws n users of those that lists are for, or all of them, and starts lists like theirs. users: of the
 * catalogue, which lists were opened with, and kept, as is what their config points to; width: of the items'
 * vectors. */
dq_status dq_distil_sample_open(dq_distil_sample *sample, const dq_rank_lists *lists, size_t n, uint64_t seed,
                                const dq_entities *users, uint32_t width, unsigned threads, dq_error *error);
/* Scores all items of a bundle for the sample, by a scorer that is fitted. A score that is not finite is
 * DQ_ERR_NUMERIC. */
dq_status dq_distil_sample_show(dq_distil_sample *sample, dq_rank_scorer *scorer, const dq_bundle *items,
                                dq_error *error);
/* The mean over the sample of the share of an exact list that the index found, and *full: of how many users
 * all of it. *recall is NAN of nobody. */
dq_status dq_distil_sample_recall(dq_distil_sample *sample, dq_rank_scorer *scorer, dq_rank_lists *lists,
                                  double *recall, size_t *full, dq_error *error);
void dq_distil_sample_free(dq_distil_sample *sample);

#endif
