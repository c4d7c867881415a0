/* SPDX-License-Identifier: MIT
 *
 * Greedy, with each candidate's greatest similarity to the chosen kept up to date: one similarity for each
 * candidate and choice, instead of one for each pair at every choice.
 */
#include "rank/mmr.h"

#include <stdbool.h>
#include <stdlib.h>

enum { CHOSEN = 2 }; /* a similarity that no cosine has */

static size_t best_left(const double *relevance, const double *nearest, size_t n, double lambda,
                        double *margin)
{
    size_t best = n;
    for (size_t i = 0; i < n; i++) {
        if (nearest[i] >= CHOSEN) continue;
        double value = lambda * relevance[i] - (1 - lambda) * nearest[i];
        if (best == n || value > *margin) {
            best = i;
            *margin = value;
        }
    }
    return best;
}

dq_status dq_mmr(const double *relevance, size_t n, double lambda, dq_similarity similarity, void *arg,
                 size_t k, uint32_t *order, double *margin, dq_error *error)
{
    if (!(lambda >= 0 && lambda <= 1)) return dq_fail(error, DQ_ERR_RANGE, "lambda is not in [0, 1]");
    double *nearest = malloc((n ? n : 1) * sizeof *nearest); /* greatest similarity to one chosen */
    if (!nearest) return dq_fail_memory(error, "%zu candidates", n);
    for (size_t i = 0; i < n; i++) nearest[i] = -1;
    if (k > n) k = n;
    for (size_t chosen = 0; chosen < k; chosen++) {
        double value = 0;
        size_t best = best_left(relevance, nearest, n, lambda, &value);
        order[chosen] = (uint32_t)best;
        if (margin) margin[chosen] = value;
        nearest[best] = CHOSEN;
        for (size_t i = 0; i < n && chosen + 1 < k; i++) {
            if (nearest[i] >= CHOSEN) continue;
            double s = similarity(arg, i, best);
            if (s > nearest[i]) nearest[i] = s;
        }
    }
    free(nearest);
    return DQ_OK;
}

void dq_mmr_relevance(const float *scores, size_t n, double *relevance)
{
    double high = n ? (double)scores[0] : 0, low = n ? (double)scores[n - 1] : 0;
    for (size_t i = 0; i < n; i++) relevance[i] = high > low ? ((double)scores[i] - low) / (high - low) : 1;
}
