/* SPDX-License-Identifier: MIT
 *
 * All threads digest the rows of a bundle, since their vectors are wide; one thread numbers them in order.
 */
#include "rank/items.h"

#include "data/catalogue.h"

#include "data/identity.h"

#include <stdlib.h>
#include <string.h>

enum { DIGEST_TILE = 64 }; /* rows */

static dq_status no_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the items");
}

/* The parts of meta that say what a vector is. */
static bool same_meta(const dq_value *a, const dq_value *b, const char *key)
{
    const dq_value *x = dq_map_get(a, key), *y = dq_map_get(b, key);
    return x && y ? dq_value_equal(x, y) : x == y;
}

dq_status dq_rank_items_agree(dq_rank_items *items, const dq_bundle *bundle, dq_error *error)
{
    const dq_column *vector = dq_bundle_column(bundle, "vector");
    uint64_t width = vector ? dq_column_width(vector) : 0;
    if (bundle->rows == 0) return DQ_OK;
    if (width == 0)
        return dq_fail(error, DQ_ERR_SCHEMA, "items have no vectors (dq-embed makes some from texts)");
    if (width > UINT32_MAX) return dq_fail(error, DQ_ERR_RANGE, "items: vectors too wide");
    if (items->width == 0) {
        items->width = (uint32_t)width;
        if (!dq_value_copy(&items->arena, &bundle->meta, &items->meta)) return no_memory(error);
        dq_status status = dq_fields_read(&items->meta, items->width, &items->arena, &items->fields,
                                          &items->field_count, error);
        return status ? status
                      : dq_pairs_read(&items->meta, &items->arena, &items->pairs, &items->pair_count, error);
    }
    if (width != items->width)
        return dq_fail(error, DQ_ERR_SCHEMA, "items: vectors of width %llu after vectors of width %u",
                       (unsigned long long)width, items->width);
    if (!same_meta(&items->meta, &bundle->meta, "fields"))
        return dq_fail(error, DQ_ERR_SCHEMA, "items: the vectors' fields are not those of earlier rows");
    if (!same_meta(&items->meta, &bundle->meta, "pairs"))
        return dq_fail(error, DQ_ERR_SCHEMA, "items: the default pairs are not those of earlier rows");
    return DQ_OK;
}

static dq_status reserve_rows(dq_rank_items *items, const dq_bundle *bundle, dq_error *error)
{
    if (bundle->rows >= DQ_ABSENT) return dq_fail(error, DQ_ERR_RANGE, "items: too many rows");
    if (bundle->rows <= items->row_slots) return DQ_OK;
    free(items->row_digests);
    free(items->fresh);
    items->row_slots = 0;
    items->row_digests = malloc(bundle->rows * sizeof *items->row_digests);
    items->fresh = malloc(bundle->rows * sizeof *items->fresh);
    if (!items->row_digests || !items->fresh) return no_memory(error);
    items->row_slots = bundle->rows;
    return DQ_OK;
}

typedef struct digesting {
    const dq_bundle *bundle;
    uint64_t *digests;
} digesting;

static void digest_tile(void *arg, size_t tile, unsigned thread)
{
    const digesting *work = arg;
    size_t end = (tile + 1) * DIGEST_TILE;
    (void)thread;
    if (end > work->bundle->rows) end = work->bundle->rows;
    for (size_t r = tile * DIGEST_TILE; r < end; r++) work->digests[r] = dq_identity_digest(work->bundle, r);
}

static dq_status reserve_item(dq_rank_items *items, dq_error *error)
{
    if (dq_index_count(&items->ids) < items->slots) return DQ_OK;
    size_t slots = items->slots ? 2 * items->slots : 1024;
    uint64_t *digests = realloc(items->digests, slots * sizeof *digests);
    if (!digests) return no_memory(error);
    items->digests = digests;
    uint32_t *sections = realloc(items->sections, slots * sizeof *sections);
    if (!sections) return no_memory(error);
    items->sections = sections;
    items->slots = slots;
    return DQ_OK;
}

static dq_status number_row(dq_rank_items *items, uint32_t section, const dq_column *ids, uint32_t row,
                            dq_error *error)
{
    size_t n;
    uint32_t number;
    bool fresh;
    const char *id = dq_column_text(ids, row, &n);
    dq_status status = reserve_item(items, error);
    if (status || (status = dq_index_add(&items->ids, id, n, &number, &fresh, error))) return status;
    if (!fresh && items->sections[number] == section)
        return dq_fail(error, DQ_ERR_DUPLICATE, "items: id %.*s stands twice", (int)n, id);
    if (!fresh && items->digests[number] != items->row_digests[row])
        return dq_fail(error, DQ_ERR_DUPLICATE, "items: id %.*s stands in two sections with unequal rows",
                       (int)n, id);
    items->digests[number] = items->row_digests[row];
    items->sections[number] = section;
    if (fresh) items->fresh[items->fresh_count++] = row;
    return DQ_OK;
}

dq_status dq_rank_items_take(dq_rank_items *items, const dq_bundle *bundle, uint64_t section, dq_pool *pool,
                             dq_error *error)
{
    dq_status status = reserve_rows(items, bundle, error);
    items->fresh_count = 0;
    if (status) return status;
    if (section > UINT32_MAX) return dq_fail(error, DQ_ERR_RANGE, "too many sections");
    digesting work = {.bundle = bundle, .digests = items->row_digests};
    dq_pool_run(pool, digest_tile, &work, (bundle->rows + DIGEST_TILE - 1) / DIGEST_TILE);
    const dq_column *ids = dq_bundle_column(bundle, "id");
    for (uint32_t r = 0; !status && r < bundle->rows; r++)
        status = number_row(items, (uint32_t)section, ids, r, error);
    return status;
}

void dq_rank_items_free(dq_rank_items *items)
{
    dq_index_free(&items->ids);
    free(items->digests);
    free(items->sections);
    free(items->row_digests);
    free(items->fresh);
    dq_arena_free(&items->arena);
}
