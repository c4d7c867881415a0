/* SPDX-License-Identifier: MIT
 *
 * A model, or the cosine, as the target of an off-policy evaluation: every user's items by its scores.
 */
#include "ope.h"

#include "data/load.h"
#include "rank/features.h"

#include <stdlib.h>
#include <string.h>

enum { PLACES = 100 }; /* of a greedy list: no page shows more */

typedef struct scoring {
    dq_pool *pool;
    dq_reader *reader;
    dq_models models;
    dq_rank_scorer scorer;
    dq_rank_items items;
    dq_rank_block block;
    dq_rank_lists lists;
} scoring;

static dq_status load(scoring *s, const char *model, dq_error *error)
{
    s->scorer = (dq_rank_scorer){.by = DQ_RANK_BY_COSINE, .pool = s->pool};
    if (strcmp(model, "cosine") == 0) return DQ_OK;
    s->scorer.by = DQ_RANK_BY_Q;
    dq_status status = dq_models_read(&s->models, &s->reader, model, error);
    if (!status && s->models.count > 1)
        status = dq_fail(error, DQ_ERR_RANGE, "%zu models, where one is wanted", s->models.count);
    if (!status) status = dq_rank_scorer_load(&s->scorer, &s->models.at[0], error);
    return status ? dq_error_at(error, model, DQ_NO_RECORD) : DQ_OK;
}

static dq_status offer_bundle(scoring *s, const dq_bundle *bundle, uint64_t section, dq_error *error)
{
    const dq_identity *met = &s->items.identity;
    uint32_t at = 0;
    dq_status status = dq_rank_items_agree(&s->items, bundle, error);
    if (!status) status = dq_rank_items_take(&s->items, bundle, section, s->pool, error);
    while (!status && at < met->fresh_count) {
        status = dq_rank_block_fill(&s->block, bundle, met->fresh, met->fresh_count, &at, error);
        if (status || s->block.rows < s->block.capacity) break;
        status = dq_rank_lists_offer(&s->lists, &s->scorer, &s->block, 0, s->lists.count, error);
        dq_rank_block_clear(&s->block, s->block.first + s->block.rows);
    }
    return status;
}

/* Each bundle of the catalogue is a section of its own: an id that came before would be refused inside one.
 */
static dq_status score_items(scoring *s, const dq_catalogue *c, size_t k, dq_error *error)
{
    const dq_rank_config config = {.k = k, .order = DQ_RANK_SCORE};
    dq_status status = dq_entities_check_vectors(&c->users, "users", error);
    if (!status) status = dq_entities_check_vectors(&c->items, "items", error);
    if (!status) status = dq_rank_items_agree(&s->items, &c->items.bundles[0], error);
    if (!status) status = dq_rank_scorer_fit(&s->scorer, &c->users, &s->items, NULL, 0, error);
    if (!status && dq_rank_scorer_needs_lists(&s->scorer))
        status = dq_rank_features_bind_items(&s->scorer, &c->items, error);
    if (!status) status = dq_rank_lists_open(&s->lists, &config, &c->users, error);
    if (!status) status = dq_rank_block_open(&s->block, s->items.width, dq_pool_threads(s->pool), error);
    for (size_t b = 0; b < c->items.bundle_count && !status; b++)
        status = offer_bundle(s, &c->items.bundles[b], b, error);
    if (!status && s->block.rows)
        status = dq_rank_lists_offer(&s->lists, &s->scorer, &s->block, 0, s->lists.count, error);
    return status;
}

static dq_status take_lists(scoring *s, size_t k, dq_run *run, dq_error *error)
{
    dq_rank_place *places = calloc(k, sizeof *places);
    dq_status status = places ? DQ_OK : dq_fail_memory(error, "the lists of a model");
    for (size_t i = 0; i < s->lists.count && !status; i++) {
        const dq_rank_user *user = &s->lists.users[i];
        size_t count = 0;
        status = dq_rank_lists_finish(&s->lists, i, places, &count, error);
        for (size_t p = 0; p < count && !status; p++)
            status = dq_lists_add(run, user->id, user->id_bytes, places[p].item, places[p].item_bytes,
                                  (double)places[p].score, error);
    }
    free(places);
    return status ? status : dq_lists_finish(run, DQ_TWICE_REFUSED, error);
}

static void close_all(scoring *s)
{
    dq_rank_lists_free(&s->lists);
    dq_rank_block_free(&s->block);
    dq_rank_items_free(&s->items);
    dq_rank_scorer_free(&s->scorer);
    dq_models_free(&s->models);
    dq_reader_close(s->reader);
    dq_pool_free(s->pool);
}

dq_status ope_model_lists(const char *model, const dq_catalogue *catalogue, bool all, unsigned threads,
                          dq_run *run, dq_error *error)
{
    scoring s = {0};
    size_t items = dq_entities_count(&catalogue->items), k = all || items < PLACES ? items : PLACES;
    dq_status status = dq_pool_new(&s.pool, threads, error);
    if (!status) status = load(&s, model, error);
    if (!status) status = score_items(&s, catalogue, k, error);
    if (!status) status = take_lists(&s, k, run, error);
    close_all(&s);
    return status;
}
