/* SPDX-License-Identifier: MIT */
#include "rank/features.h"

#include "core/array.h"

#include <stdlib.h>

enum { GROUP_NUMBERS = 1 << 26 }; /* of a group of users: 256 MiB */

static dq_status bind(dq_rank_scorer *scorer, const dq_vectors *items, const uint64_t *id, dq_error *error)
{
    scorer->given_items = items->count;
    scorer->given_count = 0;
    return dq_feature_bind(scorer->features, items, id, error);
}

dq_status dq_rank_features_bind(dq_rank_scorer *scorer, const dq_rank_items *items,
                                const dq_rank_block *blocks, size_t block_count, dq_error *error)
{
    const dq_index *ids = &items->identity.ids;
    uint32_t count = (uint32_t)dq_index_count(ids);
    const float **at = malloc((count + (size_t)1) * sizeof *at);
    uint64_t *id = dq_feature_ids(ids);
    dq_status status = at && id ? DQ_OK : dq_fail_memory(error, "features of %u items", count);
    for (size_t b = 0; !status && b < block_count; b++)
        for (uint32_t r = 0; r < blocks[b].rows; r++)
            at[blocks[b].first + r] = blocks[b].vectors + (size_t)r * blocks[b].width;
    const dq_vectors vectors = {at, count, items->width};
    if (!status) status = bind(scorer, &vectors, id, error);
    free(at);
    free(id);
    return status;
}

dq_status dq_rank_features_bind_items(dq_rank_scorer *scorer, const dq_entities *items, dq_error *error)
{
    const dq_vectors vectors = dq_entities_vectors(items);
    uint64_t *id = dq_feature_ids(&items->identity.ids);
    if (!id) return dq_fail_memory(error, "features of %u items", vectors.count);
    dq_status status = bind(scorer, &vectors, id, error);
    free(id);
    return status;
}

/* Whether the features of lists first .. first + n - 1, or of the first of them, are there; *n says how many.
 */
static bool are_there(const dq_rank_scorer *scorer, size_t first, size_t *n)
{
    size_t end = scorer->given_first + scorer->given_count;
    if (first < scorer->given_first || first >= end) return false;
    if (*n > end - first) *n = end - first;
    return true;
}

dq_status dq_rank_features_fill(dq_rank_scorer *scorer, const dq_rank_lists *lists, size_t first, size_t *n,
                                dq_error *error)
{
    const dq_history *seen = scorer->seen;
    size_t numbers = scorer->given_items * dq_feature_columns(scorer->features);
    if (numbers == 0)
        return dq_fail(
            error, DQ_ERR_UNSUPPORTED,
            "the model's network is given features of pairs within a whole list, which nobody makes "
            "here");
    if (!seen && dq_feature_asks_seen(scorer->features))
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "the model's network is told what users have seen, which nobody reads here");
    if (are_there(scorer, first, n)) return DQ_OK;
    size_t group = GROUP_NUMBERS / (numbers + 1) + 1;
    if (*n > group) *n = group;
    dq_feature_who *who = malloc((*n + 1) * sizeof *who);
    if (!who || !dq_array_reserve(&scorer->given, &scorer->given_slots, *n * numbers + 1, sizeof(float))) {
        free(who);
        return dq_fail_memory(error, "features of %zu users", *n);
    }
    for (size_t u = 0; u < *n; u++) {
        const dq_rank_user *user = &lists->users[first + u];
        who[u] = (dq_feature_who){.vector = lists->vectors[first + u],
                                  .id = dq_feature_id(user->id, user->id_bytes),
                                  .group = DQ_ABSENT};
        if (!seen) continue;
        who[u].seen = seen->item + seen->start[first + u];
        who[u].seen_count = seen->start[first + u + 1] - seen->start[first + u];
    }
    dq_feature_lists(scorer->features, who, *n, scorer->given);
    scorer->given_first = first;
    scorer->given_count = *n;
    free(who);
    return DQ_OK;
}

/* ---- what users have seen ---- */

dq_status dq_rank_history_load(dq_rank_history *history, const dq_bundle *model, dq_error *error)
{
    const dq_session_layout none = {0};
    if (history->on || !dq_feature_model_asks_seen(model)) return DQ_OK;
    history->on = history->log.unrewarded = true;
    return dq_session_log_as(&history->log, model, &none, error);
}

dq_status dq_rank_history_add(dq_rank_history *history, const dq_bundle *interactions, dq_error *error)
{
    return history->on ? dq_session_log_add(&history->log, interactions, error) : DQ_OK;
}

dq_status dq_rank_history_bind(dq_rank_history *history, dq_rank_scorer *scorer, const dq_rank_lists *lists,
                               const dq_index *users, const dq_rank_items *items, dq_error *error)
{
    if (!history->on) return DQ_OK;
    scorer->seen = &history->seen;
    uint32_t *user_row = dq_index_find_all(users, &history->log.users);
    uint32_t *item_row = dq_index_find_all(&items->identity.ids, &history->log.items);
    for (size_t u = 0; user_row && u < dq_index_count(&history->log.users); u++)
        if (user_row[u] != DQ_ABSENT) user_row[u] = lists->of_row[user_row[u]];
    dq_status status = user_row && item_row ? dq_history_list(&history->seen, &history->log, user_row,
                                                              item_row, (uint32_t)lists->count, error)
                                            : dq_fail_memory(error, "interactions");
    free(user_row);
    free(item_row);
    return status;
}

void dq_rank_history_free(dq_rank_history *history)
{
    dq_session_log_free(&history->log);
    dq_history_free(&history->seen);
}
