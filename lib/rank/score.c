/* SPDX-License-Identifier: MIT
 *
 * The three scores: Q(s, a), the world model's reward r(s, a), and the mean cosine of paired fields.
 */
#include "rank/score.h"

#include <stdlib.h>

const char *const dq_rank_by_names[] = {"auto", "q", "world", "cosine", NULL};

enum {
    COSINE_TILE = 128
}; /* items of a tile: with 1536 wide vectors it stays in the L2 cache for all users */

/* ---- networks ---- */

static const char *prefix_of(const dq_rank_scorer *scorer)
{
    return scorer->by == DQ_RANK_BY_WORLD ? "world" : "q";
}

dq_status dq_rank_scorer_load(dq_rank_scorer *scorer, const dq_bundle *model, dq_error *error)
{
    dq_net_spec spec;
    if (dq_map_get(&model->meta, "task"))
        return dq_fail(
            error, DQ_ERR_UNSUPPORTED,
            "the model is of an agent whose states are not of users who meet items: there is nothing to "
            "rank (dq-eval --rollout plays it)");
    dq_status status = dq_net_load_spec(model, prefix_of(scorer), &spec, error);
    if (status == DQ_ERR_UNKNOWN)
        return dq_fail(error, status, "the model has no network called %s", prefix_of(scorer));
    if (status) return status;
    dq_rng rng = dq_rng_new(0); /* of weights that are replaced at once */
    const dq_value *layout = dq_map_get(&model->meta, "layout");
    if (layout && !dq_value_copy(&scorer->arena, layout, &scorer->layout))
        return dq_fail(error, DQ_ERR_MEMORY, "out of memory for a model");
    status = dq_net_new(&scorer->net, &spec, 1, scorer->pool, &rng, error);
    return status ? status : dq_rank_scorer_reload(scorer, model, error);
}

dq_status dq_rank_scorer_reload(dq_rank_scorer *scorer, const dq_bundle *model, dq_error *error)
{
    return dq_net_load(scorer->net, prefix_of(scorer), model, error);
}

/* ---- cosine ---- */

/* --compare, else the catalogue's own pairs, else the whole vectors. */
static dq_status fit_cosine(dq_rank_scorer *scorer, const dq_entities *users, const dq_rank_items *items,
                            const dq_pair_names *given, size_t given_count, dq_error *error)
{
    size_t count = given_count ? given_count : items->pair_count;
    scorer->pairs = malloc((count + 1) * sizeof *scorer->pairs);
    if (!scorer->pairs) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the pairs of fields");
    return dq_pairing_choose(given_count ? given : items->pairs, count, dq_entities_layout(users),
                             dq_rank_items_layout(items), scorer->pairs, &scorer->pair_count, error);
}

typedef struct cosine_work {
    const dq_rank_scorer *scorer;
    const float *const *users;
    const dq_rank_block *block;
    size_t count;
    float *out;
} cosine_work;

static void cosine_tile(void *arg, size_t tile, unsigned thread)
{
    const cosine_work *work = arg;
    size_t first = tile * COSINE_TILE, rows = work->block->rows, width = work->block->width, n = rows - first;
    (void)thread;
    if (n > COSINE_TILE) n = COSINE_TILE;
    for (size_t u = 0; u < work->count; u++)
        dq_cosine_block(work->users[u], work->block->vectors + first * width, width, n, work->scorer->pairs,
                        work->scorer->pair_count, work->out + u * rows + first);
}

/* ---- either ---- */

dq_status dq_rank_scorer_fit(dq_rank_scorer *scorer, const dq_entities *users, const dq_rank_items *items,
                             const dq_pair_names *pairs, size_t pair_count, dq_error *error)
{
    if (users->width == 0)
        return dq_fail(error, DQ_ERR_SCHEMA, "users have no vectors (dq-embed makes some from texts)");
    if (!scorer->net) return fit_cosine(scorer, users, items, pairs, pair_count, error);
    const dq_net_spec *spec = dq_net_get_spec(scorer->net);
    return dq_layout_fits(dq_entities_layout(users), dq_rank_items_layout(items), spec->user_width,
                          spec->item_width, &scorer->layout, error);
}

void dq_rank_scorer_score(dq_rank_scorer *scorer, const float *const *users, size_t count,
                          const dq_rank_block *block, float *out)
{
    if (scorer->output_of) {
        const uint32_t *output = scorer->output_of + block->first;
        for (size_t u = 0; u < count; u++)
            for (size_t r = 0; r < block->rows; r++) out[u * block->rows + r] = users[u][output[r]];
    } else if (scorer->net && count == 1) {
        dq_net_score(scorer->net, users[0], block->vectors, block->width, block->rows, out);
    } else if (scorer->net) {
        dq_net_score_many(scorer->net, users, count, block->vectors, block->width, block->rows, out,
                          block->rows);
    } else {
        cosine_work work = {scorer, users, block, count, out};
        dq_pool_run(scorer->pool, cosine_tile, &work, (block->rows + COSINE_TILE - 1) / COSINE_TILE);
    }
}

void dq_rank_scorer_free(dq_rank_scorer *scorer)
{
    dq_net_free(scorer->net);
    dq_arena_free(&scorer->arena);
    free(scorer->pairs);
}
