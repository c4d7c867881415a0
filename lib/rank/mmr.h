/* SPDX-License-Identifier: MIT
 *
 * Maximal marginal relevance (Carbonell and Goldstein, "The use of MMR, diversity-based reranking for
 * reordering documents and producing summaries", SIGIR 1998): the next item of a list is the candidate with
 * the greatest
 *
 *     lambda relevance(i) - (1 - lambda) max over those already chosen of similarity(i, j)
 *
 * lambda 1 keeps the order of relevance, lambda 0 looks at diversity alone.
 */
#ifndef DQ_RANK_MMR_H
#define DQ_RANK_MMR_H

#include "dq/status.h"

#include <stddef.h>
#include <stdint.h>

/* Similarity of candidates i and j in [-1, 1], a cosine say. */
typedef double (*dq_similarity)(void *arg, size_t i, size_t j);

/* Chooses min(k, n) of n candidates, which are given best first: equal margins go to the earlier one. order
 * gets their numbers; margin (may be NULL) their margins, which never rise: with nothing chosen yet the
 * similarity term stands at its least, -1. Calls similarity at most n k times. 0 <= lambda <= 1, else
 * DQ_ERR_RANGE. */
dq_status dq_mmr(const double *relevance, size_t n, double lambda, dq_similarity similarity, void *arg,
                 size_t k, uint32_t *order, double *margin, dq_error *error);

/* Scores (best first) scaled to [0, 1] over the candidates, so that one lambda means the same for Q-values
 * and for cosines; all 1 when they are all equal. */
void dq_mmr_relevance(const float *scores, size_t n, double *relevance);

#endif
