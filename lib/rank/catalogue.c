/* SPDX-License-Identifier: MIT */
#include "rank/catalogue.h"

#include "rank/features.h"

typedef struct offering {
    dq_rank_scorer *scorer;
    dq_rank_lists *lists;
    dq_rank_items items;
    dq_rank_block block;
} offering;

static dq_status offer_bundle(offering *o, const dq_bundle *bundle, uint64_t section, dq_error *error)
{
    const dq_identity *met = &o->items.identity;
    uint32_t at = 0;
    dq_status status = dq_rank_items_agree(&o->items, bundle, error);
    if (!status) status = dq_rank_items_take(&o->items, bundle, section, o->scorer->pool, error);
    while (!status && at < met->fresh_count) {
        status = dq_rank_block_fill(&o->block, bundle, met->fresh, met->fresh_count, &at, error);
        if (status || !dq_rank_block_is_full(&o->block, bundle)) break;
        status = dq_rank_lists_offer(o->lists, o->scorer, &o->block, 0, o->lists->count, error);
        dq_rank_block_clear(&o->block, o->block.first + o->block.rows);
    }
    return status;
}

/* Each bundle of the catalogue is a section of its own: an id that came before would be refused inside one.
 */
static dq_status offer_all(offering *o, const dq_catalogue *c, size_t k, dq_error *error)
{
    const dq_rank_config config = {.k = k, .order = DQ_RANK_SCORE};
    dq_status status = dq_catalogue_check_vectors(c, error);
    if (!status) status = dq_rank_items_agree(&o->items, &c->items.bundles[0], error);
    if (!status) status = dq_rank_scorer_fit(o->scorer, &c->users, &o->items, NULL, 0, error);
    if (!status && dq_rank_scorer_needs_lists(o->scorer))
        status = dq_rank_features_bind_items(o->scorer, &c->items, error);
    if (!status) status = dq_rank_lists_open(o->lists, &config, &c->users, error);
    if (!status)
        status = dq_rank_block_open(&o->block, o->items.width, dq_pool_threads(o->scorer->pool), error);
    for (size_t b = 0; b < c->items.bundle_count && !status; b++)
        status = offer_bundle(o, &c->items.bundles[b], b, error);
    if (!status && o->block.rows)
        status = dq_rank_lists_offer(o->lists, o->scorer, &o->block, 0, o->lists->count, error);
    return status;
}

dq_status dq_rank_catalogue(dq_rank_lists *lists, dq_rank_scorer *scorer, const dq_catalogue *catalogue,
                            size_t k, dq_error *error)
{
    offering o = {.scorer = scorer, .lists = lists};
    dq_status status = offer_all(&o, catalogue, k, error);
    dq_rank_block_free(&o.block);
    dq_rank_items_free(&o.items);
    return status;
}
