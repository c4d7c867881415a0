/* SPDX-License-Identifier: MIT
 *
 * The k best of a stream of scored items. The order is total and the same everywhere: greater score first,
 * equal scores by the greater id (bytewise, as trec_eval breaks ties), so that blocks, shards and threads
 * cannot change a ranking.
 */
#ifndef DQ_CORE_TOPK_H
#define DQ_CORE_TOPK_H

#include "dq/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct dq_scored {
    float score;
    const char *id; /* borrowed or owned as dq_topk_push says; id_bytes long, not NUL-terminated */
    size_t id_bytes;
    uint64_t tag; /* the caller's: an item's row, say */
} dq_scored;

typedef struct dq_topk dq_topk;

/* Keeps the k >= 1 best. */
dq_status dq_topk_new(dq_topk **topk, size_t k, dq_error *error);
void dq_topk_free(dq_topk *topk);

/* True when an item of this score could still enter (score above the k-th, or equal to it): a cheap test
 * before a push. */
int dq_topk_would_take(const dq_topk *topk, float score);
/* The least score that would: -infinity while there is room. */
float dq_topk_floor(const dq_topk *topk);
/* Offers one item; its id is copied when it enters. NaN is DQ_ERR_NUMERIC. */
dq_status dq_topk_push(dq_topk *topk, float score, const char *id, size_t id_bytes, uint64_t tag,
                       dq_error *error);

/* Whether one falls out, should this item be pushed: *worst_score is then the score of that one, which is the
 * item itself or the worst of those that are kept. */
int dq_topk_overflows(const dq_topk *topk, float score, const char *id, size_t id_bytes, float *worst_score);

/* Sorts and returns the kept items, best first; valid until the next push or clear. */
size_t dq_topk_sorted(dq_topk *topk, const dq_scored **items);
void dq_topk_clear(dq_topk *topk);

/* The order itself: negative when a comes before b. */
int dq_scored_compare(const dq_scored *a, const dq_scored *b);

#endif
