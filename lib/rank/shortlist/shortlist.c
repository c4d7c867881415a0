/* SPDX-License-Identifier: MIT */
#include "rank/shortlist/shortlist.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the second pass ---- */

/* A shortlist's items as a block. */
static dq_status fill(dq_rank_block *block, const dq_mmr_vectors *kept, const dq_scored *items, size_t n,
                      dq_error *error)
{
    float *to = block->room;
    dq_strings_clear(&block->ids);
    block->rows = (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        dq_status status = dq_strings_add(&block->ids, items[i].id, items[i].id_bytes, error);
        if (status) return status;
        memcpy(to + i * block->width, dq_mmr_vectors_find(kept, (uint32_t)items[i].tag),
               block->width * sizeof *to);
    }
    return DQ_OK;
}

/* The k best by their exact scores in the place of the shortlist; members: of several networks, else NULL. */
static dq_status choose(dq_rank_lists *lists, size_t i, const dq_rank_block *block, const float *scores,
                        const float *members, size_t networks, dq_error *error)
{
    dq_topk *best;
    dq_status status = dq_topk_new(&best, lists->config.k, error);
    if (status) return status;
    for (uint32_t r = 0; !status && r < block->rows; r++) {
        size_t n;
        const char *id = dq_strings_get(&block->ids, r, &n);
        if (!isfinite(scores[r]))
            status = dq_fail(error, DQ_ERR_NUMERIC, "the score of user %.*s is not a finite number",
                             (int)lists->users[i].id_bytes, lists->users[i].id);
        else
            status = dq_topk_push(
                best, scores[r], id, n,
                dq_rank_lists_tag(scores[r], members ? members + r : NULL, networks, block->rows), error);
    }
    if (status) {
        dq_topk_free(best);
        return status;
    }
    dq_topk_free(lists->best[i]);
    lists->best[i] = best;
    return DQ_OK;
}

static dq_status rescore(dq_rank_lists *lists, dq_rank_scorer *scorer, size_t i, dq_rank_block *block,
                         float *scores, dq_error *error)
{
    const dq_scored *items;
    size_t n = dq_topk_sorted(lists->best[i], &items), networks = dq_rank_scorer_members(scorer);
    if (n == 0) return DQ_OK;
    dq_status status = fill(block, &lists->mmr, items, n, error);
    if (!status) status = dq_rank_scorer_score(scorer, lists->vectors + i, 1, i, block, scores, error);
    return status ? status
                  : choose(lists, i, block, scores, networks > 1 ? scorer->members : NULL, networks, error);
}

dq_status dq_shortlist_rescore(dq_rank_lists *lists, dq_rank_scorer *scorer, dq_error *error)
{
    size_t most = 0;
    for (size_t i = 0; i < lists->count; i++) {
        const dq_scored *items;
        size_t n = dq_topk_sorted(lists->best[i], &items);
        if (n > most) most = n;
    }
    if (most == 0) return DQ_OK;
    dq_rank_block block = {.width = lists->mmr.width, .capacity = (uint32_t)most};
    float *scores = malloc(most * sizeof *scores);
    block.room = malloc(most * block.width * sizeof(float) + 1);
    block.vectors = block.room;
    dq_status status = scores && block.room ? DQ_OK : dq_fail_memory(error, "the shortlists");
    for (size_t i = 0; !status && i < lists->count; i++)
        status = rescore(lists, scorer, i, &block, scores, error);
    free(scores);
    dq_rank_block_free(&block);
    return status;
}

/* ---- recall ---- */

static bool has(const dq_scored *items, size_t n, const dq_scored *one)
{
    for (size_t i = 0; i < n; i++)
        if (items[i].id_bytes == one->id_bytes && memcmp(items[i].id, one->id, one->id_bytes) == 0)
            return true;
    return false;
}

double dq_shortlist_recall(dq_rank_lists *found, const uint32_t *of, dq_rank_lists *exact, size_t *full)
{
    double sum = 0;
    *full = 0;
    for (size_t i = 0; i < exact->count; i++) {
        const dq_scored *got, *wanted;
        size_t n = dq_topk_sorted(found->best[of ? of[i] : i], &got),
               m = dq_topk_sorted(exact->best[i], &wanted), met = 0;
        for (size_t w = 0; w < m; w++) met += has(got, n, &wanted[w]);
        sum += m ? (double)met / (double)m : 1;
        *full += met == m;
    }
    return exact->count ? sum / (double)exact->count : 1;
}
