/* SPDX-License-Identifier: MIT */
#include "rank/seen.h"

dq_status dq_rank_seen_add(dq_rank_seen *seen, const dq_bundle *interactions, const dq_index *ranked,
                           dq_error *error)
{
    const dq_column *users = dq_bundle_column(interactions, "user");
    const dq_column *items = dq_bundle_column(interactions, "item");
    for (uint64_t r = 0; r < interactions->rows; r++) {
        size_t user_bytes, item_bytes;
        const char *user = dq_column_text(users, r, &user_bytes);
        const char *item = dq_column_text(items, r, &item_bytes);
        uint32_t u, i;
        bool fresh;
        dq_status status = dq_index_add(&seen->users, user, user_bytes, &u, NULL, error);
        if (!status) status = dq_index_add(&seen->items, item, item_bytes, &i, NULL, error);
        if (!status) status = dq_pairset_add(&seen->pairs, u, i, &fresh, error);
        if (status) return status;
        if (fresh && ranked && dq_index_find(ranked, item, item_bytes) != DQ_ABSENT)
            return dq_fail(error, DQ_ERR_UNSUPPORTED,
                           "an interaction with item %.*s comes after the item was ranked", (int)item_bytes,
                           item);
    }
    return DQ_OK;
}

void dq_rank_seen_free(dq_rank_seen *seen)
{
    dq_index_free(&seen->users);
    dq_index_free(&seen->items);
    dq_pairset_free(&seen->pairs);
}
