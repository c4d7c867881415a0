/* SPDX-License-Identifier: MIT */
#include "data/model_items.h"

#include "core/digest.h"
#include "core/record.h"

#include <stdlib.h>

static const char digests[] = "items.digest";

static uint64_t digest_of(const float *vector, uint32_t width)
{
    return dq_digest(vector, width * sizeof *vector);
}

dq_status dq_model_items_take(dq_model_items *items, const dq_index *ids, const dq_vectors *vectors,
                              dq_error *error)
{
    uint32_t count = (uint32_t)dq_index_count(ids), row;
    *items = (dq_model_items){.digest = malloc((size_t)count * sizeof *items->digest + 1)};
    dq_status status = items->digest ? DQ_OK : dq_fail(error, DQ_ERR_MEMORY, "no memory for a model's items");
    for (uint32_t i = 0; !status && i < count; i++) {
        size_t n;
        const char *id = dq_index_id(ids, i, &n);
        items->digest[i] = digest_of(vectors->at[i], vectors->width);
        status = dq_index_add(&items->ids, id, n, &row, NULL, error);
    }
    if (status) dq_model_items_free(items);
    return status;
}

dq_status dq_model_items_save(const dq_model_items *items, dq_bundle *model, dq_error *error)
{
    uint64_t count = dq_index_count(&items->ids);
    uint64_t *digest = dq_arena_zero(&model->arena, count, sizeof *digest);
    dq_value list = dq_list();
    bool ok = digest != NULL;
    if (count == 0) return DQ_OK;
    for (uint32_t i = 0; ok && i < count; i++) {
        size_t n;
        const char *id = dq_index_id(&items->ids, i, &n);
        digest[i] = items->digest[i];
        ok = dq_list_add(&model->arena, &list, dq_string_n(&model->arena, id, n));
    }
    if (!ok || !dq_map_set(&model->arena, &model->meta, "items", list))
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for a model");
    return dq_bundle_add_tensor(model, digests, DQ_U8, 1, &count, digest, error);
}

dq_status dq_model_items_load(dq_model_items *items, const dq_bundle *model, uint32_t actions,
                              dq_error *error)
{
    const dq_value *list = dq_map_get(&model->meta, "items");
    dq_status status = DQ_OK;
    *items = (dq_model_items){0};
    if (!list) return DQ_OK;
    if (list->type != DQ_LIST || list->count != actions)
        return dq_fail(error, DQ_ERR_SCHEMA, "the model's items are not the names of its actions");
    for (uint32_t i = 0; !status && i < list->count; i++) {
        const dq_value *id = &list->as.list[i];
        bool added = false;
        uint32_t row;
        if (id->type == DQ_STRING)
            status = dq_index_add(&items->ids, id->as.string, id->count, &row, &added, error);
        if (!status && !added)
            status = dq_fail(error, DQ_ERR_SCHEMA, "the model's items are not the names of its actions");
    }
    items->digest = status ? NULL : malloc((size_t)actions * sizeof *items->digest + 1);
    if (!status && !items->digest) status = dq_fail(error, DQ_ERR_MEMORY, "no memory for a model's items");
    if (!status) status = dq_record_column(model, digests, DQ_U8, actions, items->digest, error);
    if (status) dq_model_items_free(items);
    return status;
}

void dq_model_items_free(dq_model_items *items)
{
    dq_index_free(&items->ids);
    free(items->digest);
    *items = (dq_model_items){0};
}

dq_status dq_model_items_find(const dq_model_items *items, const char *id, size_t bytes, const float *vector,
                              uint32_t width, uint32_t *action, dq_error *error)
{
    *action = items->digest ? dq_index_find(&items->ids, id, bytes) : DQ_ABSENT;
    if (*action == DQ_ABSENT || items->digest[*action] == digest_of(vector, width)) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE,
                   "item %.*s has another vector here than the one that the model learnt", (int)bytes, id);
}

dq_status dq_model_items_match(const dq_model_items *items, const dq_index *ids, const dq_vectors *vectors,
                               uint32_t *action, dq_error *error)
{
    uint32_t count = (uint32_t)dq_index_count(ids), at;
    dq_status status = DQ_OK;
    for (uint32_t i = 0; !status && i < count; i++) {
        size_t n;
        const char *id = dq_index_id(ids, i, &n);
        status = dq_model_items_find(items, id, n, vectors->at[i], vectors->width, &at, error);
        if (action) action[i] = at;
    }
    return status;
}

/* As many ids as items, each in its place. */
static dq_status check_order(const dq_model_items *items, const dq_index *ids, dq_error *error)
{
    for (uint32_t i = 0; i < dq_index_count(ids); i++) {
        size_t n, m;
        const char *id = dq_index_id(ids, i, &n), *was = dq_index_id(&items->ids, i, &m);
        if (dq_index_find(&items->ids, id, n) != i)
            return dq_fail(error, DQ_ERR_RANGE,
                           "the model's action %u is item %.*s, and here it is item %.*s", i, (int)m, was,
                           (int)n, id);
    }
    return DQ_OK;
}

dq_status dq_model_items_check(const dq_bundle *model, bool outputs, const dq_index *ids,
                               const dq_vectors *vectors, dq_error *error)
{
    dq_model_items items;
    size_t count = dq_index_count(ids);
    const dq_value *learnt = dq_map_get(&model->meta, "items");
    if (!learnt || count == 0) return DQ_OK;
    if (outputs && learnt->count != count)
        return dq_fail(error, DQ_ERR_RANGE, "the model learnt %zu items, and here are %zu",
                       (size_t)learnt->count, count);
    dq_status status = dq_model_items_load(&items, model, (uint32_t)learnt->count, error);
    if (!status) status = dq_model_items_match(&items, ids, vectors, NULL, error);
    if (!status && outputs) status = check_order(&items, ids, error);
    dq_model_items_free(&items);
    return status;
}
