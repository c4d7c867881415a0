/* SPDX-License-Identifier: MIT
 *
 * Every pair seen is remembered with its score, those that the heaps turned away too: only so is a pair that
 * two shards score differently always found, wherever in the lists it stands.
 */
#include "rank/merge.h"

#include "core/array.h"
#include "core/index.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct dq_merge {
    size_t k;
    dq_index users;
    dq_topk **topks; /* (users) */
    size_t topk_slots;
    dq_index pairs; /* user's number in 4 bytes, then the item's id */
    float *scores;  /* (pairs) */
    size_t score_slots;
    char *key; /* the pair being looked up */
    size_t key_bytes;
};

dq_status dq_merge_new(dq_merge **merge, size_t k, dq_error *error)
{
    *merge = NULL;
    if (k == 0) return dq_fail(error, DQ_ERR_RANGE, "the k of a merge is at least 1");
    *merge = calloc(1, sizeof **merge);
    if (!*merge) return dq_fail_memory(error, "a merge");
    (*merge)->k = k;
    return DQ_OK;
}

void dq_merge_free(dq_merge *merge)
{
    if (!merge) return;
    for (size_t i = 0; i < dq_index_count(&merge->users); i++) dq_topk_free(merge->topks[i]);
    free(merge->topks);
    free(merge->scores);
    free(merge->key);
    dq_index_free(&merge->users);
    dq_index_free(&merge->pairs);
    free(merge);
}

static dq_status reserve(void *array, size_t *slots, size_t need, size_t size, dq_error *error)
{
    if (dq_array_reserve(array, slots, need, size)) return DQ_OK;
    return dq_fail_memory(error, "a merge");
}

/* The user's number; a new one gets an empty ranking. Room is made first, so that a failure leaves the index
 * and the rankings in step. */
static dq_status find_user(dq_merge *merge, const char *user, size_t bytes, uint32_t *number, dq_error *error)
{
    dq_topk *fresh;
    *number = dq_index_find(&merge->users, user, bytes);
    if (*number != DQ_ABSENT) return DQ_OK;
    dq_status status = reserve(&merge->topks, &merge->topk_slots, dq_index_count(&merge->users) + 1,
                               sizeof *merge->topks, error);
    if (status || (status = dq_topk_new(&fresh, merge->k, error))) return status;
    if ((status = dq_index_add(&merge->users, user, bytes, number, NULL, error))) {
        dq_topk_free(fresh);
        return status;
    }
    merge->topks[*number] = fresh;
    return DQ_OK;
}

/* Remembers the pair's score; *fresh is false for a pair known with this very score. */
static dq_status note_pair(dq_merge *merge, uint32_t user, const char *item, size_t bytes, float score,
                           bool *fresh, dq_error *error)
{
    uint32_t row;
    dq_status status = reserve(&merge->key, &merge->key_bytes, sizeof user + bytes, 1, error);
    if (status) return status;
    memcpy(merge->key, &user, sizeof user);
    if (bytes) memcpy(merge->key + sizeof user, item, bytes);
    if ((status = reserve(&merge->scores, &merge->score_slots, dq_index_count(&merge->pairs) + 1,
                          sizeof *merge->scores, error)) ||
        (status = dq_index_add(&merge->pairs, merge->key, sizeof user + bytes, &row, fresh, error)))
        return status;
    if (*fresh) merge->scores[row] = score;
    if (merge->scores[row] == score) return DQ_OK;
    return dq_fail(error, DQ_ERR_DUPLICATE, "item %.*s has two scores, %.9g and %.9g", (int)bytes, item,
                   (double)merge->scores[row], (double)score);
}

dq_status dq_merge_add(dq_merge *merge, const char *user, size_t user_bytes, const char *item,
                       size_t item_bytes, float score, dq_error *error)
{
    uint32_t number;
    bool fresh;
    if (isnan(score)) return dq_fail(error, DQ_ERR_NUMERIC, "a score is not a number");
    dq_status status = find_user(merge, user, user_bytes, &number, error);
    if (status || (status = note_pair(merge, number, item, item_bytes, score, &fresh, error)) || !fresh)
        return status;
    return dq_topk_push(merge->topks[number], score, item, item_bytes, 0, error);
}

size_t dq_merge_count(const dq_merge *merge)
{
    return dq_index_count(&merge->users);
}

const char *dq_merge_user(const dq_merge *merge, size_t i, size_t *bytes)
{
    return dq_index_id(&merge->users, (uint32_t)i, bytes);
}

size_t dq_merge_sorted(dq_merge *merge, size_t i, const dq_scored **items)
{
    return dq_topk_sorted(merge->topks[i], items);
}
