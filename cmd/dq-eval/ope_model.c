/* SPDX-License-Identifier: MIT
 *
 * A model, or the cosine, as the target of an off-policy evaluation: every user's items by its scores.
 */
#include "ope.h"

#include "data/load.h"
#include "rank/catalogue.h"

#include <stdlib.h>
#include <string.h>

enum { PLACES = 100 }; /* of a greedy list: no page shows more */

typedef struct scoring {
    dq_pool *pool;
    dq_reader *reader;
    dq_models models;
    dq_rank_scorer scorer;
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
    if (!status) status = dq_rank_catalogue(&s.lists, &s.scorer, catalogue, k, error);
    if (!status) status = take_lists(&s, k, run, error);
    close_all(&s);
    return status;
}
