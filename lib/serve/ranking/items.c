/* SPDX-License-Identifier: MIT */
#include "serve/ranking/items.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct counted {
    dq_ranking_items items; /* first: what is handed out is a counted one */
    atomic_uint references;
} counted;

static counted *counted_of(const dq_ranking_items *items)
{
    counted *c; /* it was given out as const, and is ours */
    memcpy(&c, &items, sizeof c);
    return c;
}

const dq_ranking_items *dq_ranking_items_hold(const dq_ranking_items *items)
{
    if (items) atomic_fetch_add(&counted_of(items)->references, 1);
    return items;
}

void dq_ranking_items_release(const dq_ranking_items *items)
{
    if (!items || atomic_fetch_sub(&counted_of(items)->references, 1) > 1) return;
    dq_ranking_items *i = &counted_of(items)->items;
    dq_rank_items_free(&i->items);
    dq_rank_block_free(&i->block);
    dq_neighbours_free(&i->neighbours);
    free(i->popularity);
    free(i->near_of);
    free(i->item_of);
    dq_served_release(i->served);
    free(counted_of(items));
}

/* ---- making ---- */

/* Numbers the items as the catalogue does: each bundle is a section of its own (rank/catalogue.c). */
static dq_status number(dq_ranking_items *i, dq_error *error)
{
    const dq_entities *e = &i->catalogue->items;
    dq_pool *pool;
    i->items.bare = e->width == 0;
    dq_status status = dq_pool_new(&pool, 1, error);
    if (status) return status;
    for (size_t b = 0; b < e->bundle_count && !status; b++) {
        status = dq_rank_items_agree(&i->items, &e->bundles[b], error);
        if (!status) status = dq_rank_items_take(&i->items, &e->bundles[b], b, pool, error);
    }
    dq_pool_free(pool);
    return status;
}

static dq_status fill_block(dq_ranking_items *i, dq_error *error)
{
    const dq_entities *e = &i->catalogue->items;
    size_t width = e->width;
    i->block = (dq_rank_block){.rows = i->count, .capacity = i->count, .width = e->width};
    float *vectors = i->block.room = malloc((i->count * width + 1) * sizeof *vectors);
    i->block.vectors = vectors;
    if (!vectors) return dq_fail_memory(error, "items");
    dq_status status = DQ_OK;
    for (uint32_t r = 0; r < i->count && !status; r++) {
        size_t n;
        const char *id = dq_entities_id(e, r, &n);
        status = dq_strings_add(&i->block.ids, id, n, error);
        if (width) memcpy(vectors + r * width, e->vectors[r], width * sizeof(float));
    }
    return status;
}

static void count_interactions(dq_ranking_items *i)
{
    for (size_t x = 0; x < i->catalogue->interaction_count; x++) {
        uint32_t item = i->catalogue->interactions[x].item;
        if (item != DQ_ABSENT) i->popularity[item]++;
    }
}

static dq_status find_neighbours(dq_ranking_items *i, dq_error *error)
{
    dq_feedback met = {.need = DQ_FEEDBACK_PAIRS, .time = "time"};
    dq_status status = DQ_OK;
    for (uint32_t r = 0; r < i->count; r++) i->near_of[r] = DQ_ABSENT;
    for (size_t b = 0; b < i->catalogue->interaction_bundle_count && !status; b++)
        status = dq_feedback_add(&met, &i->catalogue->interaction_bundles[b], error);
    if (!status && met.count) status = dq_feedback_finish(&met, error);
    if (!status && met.count) status = dq_neighbours_make(&i->neighbours, &met, error);
    i->item_of = malloc(((size_t)i->neighbours.items + 1) * sizeof *i->item_of);
    if (!status && !i->item_of) status = dq_fail_memory(error, "items");
    for (uint32_t m = 0; !status && m < i->neighbours.items; m++) {
        size_t n;
        const char *id = dq_index_id(&met.items, m, &n);
        uint32_t row = dq_entities_find(&i->catalogue->items, id, n), here = i->neighbours.item_of[m];
        i->item_of[here] = row;
        if (row != DQ_ABSENT) i->near_of[row] = here;
    }
    dq_feedback_free(&met);
    return status;
}

dq_status dq_ranking_items_new(const dq_ranking_items **items, const dq_served *served, dq_error *error)
{
    counted *c = calloc(1, sizeof *c);
    *items = NULL;
    if (!c) {
        dq_served_release(served);
        return dq_fail_memory(error, "items");
    }
    atomic_init(&c->references, 1);
    dq_ranking_items *i = &c->items;
    i->served = served;
    i->catalogue = served->catalogue;
    i->count = dq_entities_count(&i->catalogue->items);
    i->popularity = calloc((size_t)i->count + 1, sizeof *i->popularity);
    i->near_of = calloc((size_t)i->count + 1, sizeof *i->near_of);
    dq_status status = i->popularity && i->near_of ? DQ_OK : dq_fail_memory(error, "items");
    if (!status && i->count == 0) status = dq_fail(error, DQ_ERR_SCHEMA, "the catalogue has no items");
    if (!status) status = number(i, error);
    if (!status) status = fill_block(i, error);
    if (!status) count_interactions(i);
    if (!status) status = find_neighbours(i, error);
    if (status)
        dq_ranking_items_release(i);
    else
        *items = i;
    return status;
}

/* ---- what a history says ---- */

dq_status dq_ranking_items_near(const dq_ranking_items *i, const uint32_t *history, size_t n, float *scores,
                                bool *any, dq_error *error)
{
    dq_neighbours_scratch scratch = {0};
    dq_status status = DQ_OK;
    *any = false;
    memset(scores, 0, i->count * sizeof *scores);
    for (size_t h = 0; h < n && !status; h++) {
        size_t count = 0;
        uint32_t near = i->near_of[history[h]];
        if (near == DQ_ABSENT) continue;
        status = dq_neighbours_of(&i->neighbours, near, &scratch, &count, error);
        for (size_t k = 0; k < count && !status; k++) {
            uint32_t row = i->item_of[scratch.found[k].item];
            if (row == DQ_ABSENT) continue;
            scores[row] += scratch.found[k].likeness;
            *any = true;
        }
    }
    dq_neighbours_scratch_free(&scratch);
    return status;
}
