/* SPDX-License-Identifier: MIT
 *
 * Two generations: when the younger is full it becomes the older, and what was that is forgotten.
 */
#include "serve/cold/answered.h"

#include "core/digest.h"
#include "core/record.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[2][2] = {{"cold.younger", "cold.younger_worth"},
                                        {"cold.older", "cold.older_worth"}};

dq_status dq_answered_init(dq_answered *a, dq_error *error)
{
    for (int g = 0; g < 2; g++)
        if (!(a->worth[g] = calloc(DQ_ANSWERED, sizeof *a->worth[g])))
            return dq_fail_memory(error, "answers");
    return DQ_OK;
}

void dq_answered_free(dq_answered *a)
{
    for (int g = 0; g < 2; g++) {
        dq_index_free(&a->keys[g]);
        free(a->worth[g]);
    }
}

static void age(dq_answered *a)
{
    float *worth = a->worth[1];
    dq_index_free(&a->keys[1]);
    a->keys[1] = a->keys[0];
    a->worth[1] = a->worth[0];
    a->keys[0] = DQ_INDEX_EMPTY;
    a->worth[0] = worth;
}

static dq_status add(dq_answered *a, uint64_t key, float worth, dq_error *error)
{
    uint32_t row;
    if (dq_index_count(&a->keys[0]) == DQ_ANSWERED) age(a);
    dq_status status = dq_index_add(&a->keys[0], (const char *)&key, sizeof key, &row, NULL, error);
    if (!status) a->worth[0][row] = worth;
    return status;
}

dq_status dq_answered_take(dq_answered *a, const char *request, size_t request_bytes, const char *item,
                           size_t item_bytes, float worth, bool *first, float *by, dq_error *error)
{
    const uint64_t key = dq_digest_seeded(item, item_bytes, dq_digest(request, request_bytes));
    *first = false;
    for (int g = 0; g < 2; g++) {
        uint32_t row = dq_index_find(&a->keys[g], (const char *)&key, sizeof key);
        if (row == DQ_ABSENT) continue;
        float *known = &a->worth[g][row];
        *by = worth > *known ? worth - *known : 0;
        if (worth > *known) *known = worth;
        return DQ_OK;
    }
    *first = true;
    *by = worth;
    return add(a, key, worth, error);
}

static dq_status save(const dq_answered *a, int g, dq_bundle *model, dq_error *error)
{
    const uint64_t n = dq_index_count(&a->keys[g]);
    uint64_t *keys = dq_arena_zero(&model->arena, n + 1, sizeof *keys);
    float *worth = dq_arena_zero(&model->arena, n + 1, sizeof *worth);
    if (!keys || !worth) return dq_fail_memory(error, "answers");
    for (uint32_t i = 0; i < n; i++) {
        size_t bytes;
        memcpy(&keys[i], dq_index_id(&a->keys[g], i, &bytes), sizeof keys[i]);
    }
    if (n) memcpy(worth, a->worth[g], n * sizeof *worth);
    dq_status status = dq_bundle_add_tensor(model, names[g][0], DQ_U8, 1, &n, keys, error);
    return status ? status : dq_bundle_add_tensor(model, names[g][1], DQ_F4, 1, &n, worth, error);
}

dq_status dq_answered_save(const dq_answered *a, dq_bundle *model, dq_error *error)
{
    dq_status status = save(a, 0, model, error);
    return status ? status : save(a, 1, model, error);
}

static dq_status restore(dq_answered *a, int g, const dq_bundle *model, dq_error *error)
{
    const dq_column *keys, *worth;
    uint64_t n = DQ_RECORD_ANY;
    dq_status status = dq_record_find(model, names[g][0], DQ_U8, &n, &keys, error);
    if (!status) status = dq_record_find(model, names[g][1], DQ_F4, &n, &worth, error);
    if (!status && n > DQ_ANSWERED)
        status = dq_fail(error, DQ_ERR_SCHEMA, "more answers than are remembered");
    for (uint32_t i = 0; !status && i < n; i++) {
        uint32_t row;
        status = dq_index_add(&a->keys[g], (const char *)keys->data + i * sizeof(uint64_t), sizeof(uint64_t),
                              &row, NULL, error);
        if (!status && row != i) status = dq_fail(error, DQ_ERR_SCHEMA, "a showing that was answered twice");
        if (!status) a->worth[g][i] = ((const float *)worth->data)[i];
    }
    return status;
}

dq_status dq_answered_restore(dq_answered *a, const dq_bundle *model, dq_error *error)
{
    dq_status status = restore(a, 0, model, error);
    return status ? status : restore(a, 1, model, error);
}
