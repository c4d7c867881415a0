/* SPDX-License-Identifier: MIT
 *
 * All items, which are held in blocks, ranked for some lists.
 */
#include "ranking.h"

dq_status ranking_bind_features(ranking *r, dq_error *error)
{
    return dq_rank_features_bind(&r->scorer, &r->items, r->blocks, r->block_count, error);
}

dq_status ranking_rank_group(ranking *r, size_t first, size_t *n, dq_error *error)
{
    dq_status status = DQ_OK;
    if (dq_rank_scorer_needs_lists(&r->scorer))
        status = dq_rank_features_fill(&r->scorer, &r->lists, first, n, error);
    for (size_t b = 0; !status && b < r->block_count; b++)
        status = dq_rank_lists_offer(&r->lists, &r->scorer, &r->blocks[b], first, first + *n, error);
    dq_progress_step(&r->progress, r->progress.done + *n, NULL);
    return status;
}
