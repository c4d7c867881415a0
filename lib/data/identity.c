/* SPDX-License-Identifier: MIT */
#include "data/identity.h"

#include "core/array.h"
#include "core/digest.h"
#include "dq/schema.h"

#include <stdlib.h>
#include <string.h>

static dq_status no_memory(const dq_bundle *bundle, dq_error *error)
{
    return dq_fail_memory(error, "the ids of %s", bundle->kind);
}

int dq_entity_kind(const char *kind)
{
    if (!kind) return -1;
    if (strcmp(kind, DQ_KIND_USERS) == 0) return DQ_USERS;
    return strcmp(kind, DQ_KIND_ITEMS) == 0 ? DQ_ITEMS : -1;
}

/* A sum, since the order of columns does not matter; each column's digest is seeded by its name and type. */
uint64_t dq_identity_digest(const dq_bundle *bundle, uint64_t row)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < bundle->column_count; i++) {
        const dq_column *c = &bundle->columns[i];
        if (dq_column_is_null(c, row)) continue;
        uint64_t seed = dq_digest_seeded(c->name, strlen(c->name), (uint64_t)c->type);
        size_t bytes;
        const char *data;
        if (dq_dtype_size(c->type) == 0) {
            data = dq_column_text(c, row, &bytes);
        } else {
            bytes = (size_t)dq_column_width(c) * dq_dtype_size(c->type);
            data = (const char *)c->data + row * bytes;
        }
        sum += dq_digest_seeded(data, bytes, seed);
    }
    return sum;
}

/* Room for the numbers of a bundle's rows. */
static bool reserve_rows(dq_identity *identity, size_t rows)
{
    size_t capacity = dq_array_capacity(identity->row_capacity, rows);
    if (capacity == identity->row_capacity) return true;
    if (!dq_array_resize(&identity->numbers, capacity, sizeof *identity->numbers) ||
        !dq_array_resize(&identity->fresh, capacity, sizeof *identity->fresh))
        return false;
    identity->row_capacity = capacity;
    return true;
}

/* Room for one more id. */
static bool reserve_id(dq_identity *identity)
{
    size_t capacity = dq_array_capacity(identity->capacity, (size_t)dq_index_count(&identity->ids) + 1);
    if (capacity == identity->capacity) return true;
    if (!dq_array_resize(&identity->digests, capacity, sizeof *identity->digests) ||
        !dq_array_resize(&identity->sections, capacity, sizeof *identity->sections))
        return false;
    identity->capacity = capacity;
    return true;
}

static dq_status add_row(dq_identity *identity, const dq_bundle *bundle, const dq_column *ids, uint32_t row,
                         uint32_t section, uint64_t digest, dq_error *error)
{
    size_t n;
    uint32_t number;
    bool fresh;
    const char *id = dq_column_text(ids, row, &n);
    if (!reserve_id(identity)) return no_memory(bundle, error);
    dq_status status = dq_index_add(&identity->ids, id, n, &number, &fresh, error);
    if (status) return status;
    if (!fresh && identity->sections[number] == section)
        return dq_fail(error, DQ_ERR_DUPLICATE, "%s: id %.*s stands twice", bundle->kind, (int)n, id);
    if (!fresh && identity->digests[number] != digest)
        return dq_fail(error, DQ_ERR_DUPLICATE, "%s: id %.*s stands in two sections with unequal rows",
                       bundle->kind, (int)n, id);
    identity->digests[number] = digest;
    identity->sections[number] = section;
    identity->numbers[row] = number;
    if (fresh) identity->fresh[identity->fresh_count++] = row;
    return DQ_OK;
}

dq_status dq_identity_add(dq_identity *identity, const dq_bundle *bundle, uint64_t section,
                          const uint64_t *digests, dq_error *error)
{
    const dq_column *ids = dq_bundle_column(bundle, "id");
    identity->fresh_count = 0;
    if (section >= UINT32_MAX) return dq_fail(error, DQ_ERR_RANGE, "too many sections");
    if (bundle->rows >= UINT32_MAX) return dq_fail(error, DQ_ERR_RANGE, "%s: too many rows", bundle->kind);
    if (!reserve_rows(identity, (size_t)bundle->rows)) return no_memory(bundle, error);
    dq_status status = DQ_OK;
    for (uint32_t r = 0; !status && r < bundle->rows; r++)
        status = add_row(identity, bundle, ids, r, (uint32_t)section,
                         digests ? digests[r] : dq_identity_digest(bundle, r), error);
    return status;
}

void dq_identity_free(dq_identity *identity)
{
    dq_index_free(&identity->ids);
    free(identity->digests);
    free(identity->sections);
    free(identity->numbers);
    free(identity->fresh);
    *identity = DQ_IDENTITY_EMPTY;
}
