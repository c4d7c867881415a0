/* SPDX-License-Identifier: MIT
 *
 * All threads digest the rows of a bundle, since their vectors are wide; one thread numbers them in order.
 */
#include "rank/items.h"

#include "core/array.h"

#include <stdlib.h>

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
    if (bundle->rows == 0 || items->bare) return DQ_OK;
    if (width == 0) return dq_fail_no_vectors(error, "the items");
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
    if (!same_meta(&items->meta, &bundle->meta, "scale"))
        return dq_fail(error, DQ_ERR_SCHEMA, "items: the vectors are scaled otherwise than earlier rows");
    if (!same_meta(&items->meta, &bundle->meta, "pairs"))
        return dq_fail(error, DQ_ERR_SCHEMA, "items: the default pairs are not those of earlier rows");
    return DQ_OK;
}

static dq_status reserve_digests(dq_rank_items *items, uint64_t rows, dq_error *error)
{
    bool room = dq_array_reserve(&items->digests, &items->digest_slots, (size_t)rows, sizeof *items->digests);
    return room ? DQ_OK : no_memory(error);
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

dq_status dq_rank_items_digest(dq_rank_items *items, const dq_bundle *bundle, dq_pool *pool, dq_error *error)
{
    dq_status status = reserve_digests(items, bundle->rows, error);
    if (status) return status;
    digesting work = {.bundle = bundle, .digests = items->digests};
    dq_pool_run(pool, digest_tile, &work, (bundle->rows + DIGEST_TILE - 1) / DIGEST_TILE);
    return DQ_OK;
}

dq_status dq_rank_items_take(dq_rank_items *items, const dq_bundle *bundle, uint64_t section, dq_pool *pool,
                             dq_error *error)
{
    dq_status status = dq_rank_items_digest(items, bundle, pool, error);
    return status ? status : dq_identity_add(&items->identity, bundle, section, items->digests, error);
}

dq_layout dq_rank_items_layout(const dq_rank_items *items)
{
    return (dq_layout){items->fields, items->field_count, items->width};
}

void dq_rank_items_free(dq_rank_items *items)
{
    dq_identity_free(&items->identity);
    free(items->digests);
    dq_arena_free(&items->arena);
}
