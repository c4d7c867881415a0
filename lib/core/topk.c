/* SPDX-License-Identifier: MIT
 *
 * The k best as a bounded binary heap with the worst kept item at the root, so that one comparison turns away
 * most of a long stream. Sorting leaves the array best first; read backwards that is a heap again, so pushing
 * may go on after a look at the ranking.
 */
#include "core/topk.h"

#include "core/array.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct dq_topk {
    dq_scored *items; /* ids are owned */
    size_t count, capacity, k;
    bool sorted; /* best first, not a heap */
};

int dq_scored_compare(const dq_scored *a, const dq_scored *b)
{
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    size_t common = a->id_bytes < b->id_bytes ? a->id_bytes : b->id_bytes;
    int order = common ? memcmp(b->id, a->id, common) : 0;
    if (order) return order < 0 ? -1 : 1;
    return (a->id_bytes < b->id_bytes) - (a->id_bytes > b->id_bytes);
}

dq_status dq_topk_new(dq_topk **topk, size_t k, dq_error *error)
{
    *topk = NULL;
    if (k == 0) return dq_fail(error, DQ_ERR_RANGE, "the k of a top k is at least 1");
    *topk = calloc(1, sizeof **topk);
    if (!*topk) return dq_fail_memory(error, "a ranking");
    (*topk)->k = k;
    return DQ_OK;
}

void dq_topk_clear(dq_topk *topk)
{
    for (size_t i = 0; i < topk->count; i++) free((char *)topk->items[i].id);
    topk->count = 0;
    topk->sorted = false;
}

void dq_topk_free(dq_topk *topk)
{
    if (!topk) return;
    dq_topk_clear(topk);
    free(topk->items);
    free(topk);
}

static const dq_scored *worst(const dq_topk *topk)
{
    return &topk->items[topk->sorted ? topk->count - 1 : 0];
}

int dq_topk_would_take(const dq_topk *topk, float score)
{
    return topk->count < topk->k || score >= worst(topk)->score;
}

float dq_topk_floor(const dq_topk *topk)
{
    return topk->count < topk->k ? -INFINITY : worst(topk)->score;
}

int dq_topk_overflows(const dq_topk *topk, float score, const char *id, size_t id_bytes, float *worst_score)
{
    const dq_scored item = {.score = score, .id = id, .id_bytes = id_bytes};
    if (topk->count < topk->k) return 0;
    *worst_score = dq_scored_compare(&item, worst(topk)) >= 0 ? score : worst(topk)->score;
    return 1;
}

static void swap(dq_scored *a, dq_scored *b)
{
    dq_scored held = *a;
    *a = *b;
    *b = held;
}

/* Every parent is worse than its children: positive compare means that the first comes later. */
static void sift_up(dq_scored *items, size_t i)
{
    while (i > 0 && dq_scored_compare(&items[i], &items[(i - 1) / 2]) > 0) {
        swap(&items[i], &items[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}

static void sift_down(dq_scored *items, size_t n)
{
    for (size_t i = 0, child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && dq_scored_compare(&items[child + 1], &items[child]) > 0) child++;
        if (dq_scored_compare(&items[i], &items[child]) >= 0) return;
        swap(&items[i], &items[child]);
    }
}

static void make_heap(dq_topk *topk)
{
    for (size_t i = 0; i < topk->count / 2; i++) swap(&topk->items[i], &topk->items[topk->count - 1 - i]);
    topk->sorted = false;
}

static dq_status reserve(dq_topk *topk, dq_error *error)
{
    if (topk->count < topk->capacity) return DQ_OK;
    size_t capacity = dq_array_capacity(topk->capacity, topk->count + 1);
    if (capacity > topk->k) capacity = topk->k;
    if (!dq_array_resize(&topk->items, capacity, sizeof *topk->items))
        return dq_fail_memory(error, "a ranking of %zu", topk->k);
    topk->capacity = capacity;
    return DQ_OK;
}

dq_status dq_topk_push(dq_topk *topk, float score, const char *id, size_t id_bytes, uint64_t tag,
                       dq_error *error)
{
    dq_scored item = {.score = score, .id = id, .id_bytes = id_bytes, .tag = tag};
    bool full = topk->count == topk->k;
    dq_status status;
    if (isnan(score)) return dq_fail(error, DQ_ERR_NUMERIC, "a score is not a number");
    if (full && dq_scored_compare(&item, worst(topk)) >= 0) return DQ_OK;
    if (!full && (status = reserve(topk, error))) return status;
    if (topk->sorted) make_heap(topk);

    bool fits = full && topk->items[0].id_bytes >= id_bytes;
    char *held = full ? (char *)topk->items[0].id : NULL;
    char *copy = fits ? held : realloc(held, id_bytes ? id_bytes : 1);
    if (!copy) return dq_fail_memory(error, "a ranking of %zu", topk->k);
    if (id_bytes) memcpy(copy, id, id_bytes);
    item.id = copy;
    if (full) {
        topk->items[0] = item;
        sift_down(topk->items, topk->count);
    } else {
        topk->items[topk->count] = item;
        sift_up(topk->items, topk->count++);
    }
    return DQ_OK;
}

static int compare(const void *a, const void *b)
{
    return dq_scored_compare(a, b);
}

size_t dq_topk_sorted(dq_topk *topk, const dq_scored **items)
{
    if (!topk->sorted && topk->count) qsort(topk->items, topk->count, sizeof *topk->items, compare);
    topk->sorted = topk->count > 0;
    *items = topk->items;
    return topk->count;
}
