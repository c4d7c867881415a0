/* SPDX-License-Identifier: MIT
 *
 * The three scores: Q(s, a), the world model's reward r(s, a), and the mean cosine of paired fields.
 */
#include "rank/score.h"

#include "core/array.h"
#include "learn/agent.h"
#include "learn/bandit/bandit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MANY_ITEMS = 256, /* of a block: packing the weights costs what scoring 40 does */
    COSINE_TILE = 128
}; /* items of a tile: with 1536 wide vectors it stays in the L2 cache for all users */

/* ---- networks ---- */

static const char *name_of(const dq_rank_scorer *scorer, size_t i, char name[DQ_AGENT_Q_NAME])
{
    if (scorer->by != DQ_RANK_BY_WORLD) return dq_agent_q_name(name, i);
    (void)snprintf(name, DQ_AGENT_Q_NAME, "world.%zu", i);
    return name;
}

static size_t networks_of(const dq_rank_scorer *scorer, const dq_agent_config *config)
{
    return scorer->by == DQ_RANK_BY_WORLD ? config->models : config->q_models;
}

/* Only a pair of vectors is scored whoever the user is and whatever the item. */
static dq_status check_agent(const char *kind, const dq_agent_config *config, const dq_env_spec *shape,
                             dq_error *error)
{
    if (shape->states.count == 0)
        return dq_fail(
            error, DQ_ERR_UNSUPPORTED,
            "the model is of an agent whose states are not of users who meet items: there is nothing "
            "to rank (dq-eval --rollout plays it)");
    bool network = strcmp(kind, "tabular") != 0 && !dq_bandit_is(kind);
    if (network && config->head == DQ_HEAD_ACTIONS) return DQ_OK;
    if (strcmp(kind, "tabular") != 0)
        return dq_fail(
            error, DQ_ERR_UNSUPPORTED,
            "the model has %s: dq-rank ranks by it, but here pairs are scored by a network (a dqn or "
            "dyna-q with --head actions)",
            network ? "an output for each item" : "a bandit's posterior");
    return dq_fail(
        error, DQ_ERR_UNSUPPORTED,
        "the model is a table, which knows users by their numbers alone, in its own catalogue (dq-eval "
        "--rollout plays it there); a network ranks for any");
}

static dq_status add_net(dq_rank_scorer *scorer, const dq_bundle *model, dq_error *error)
{
    char name[DQ_AGENT_Q_NAME];
    const char *called = name_of(scorer, scorer->net_count, name);
    dq_net_spec spec;
    dq_rng rng = dq_rng_new(0); /* of weights that are replaced at once */
    dq_status status = dq_net_load_spec(model, called, &spec, error);
    if (status == DQ_ERR_UNKNOWN) return dq_fail(error, status, "the model has no network called %s", called);
    if (!status) status = dq_net_new(&scorer->nets[scorer->net_count], &spec, 1, scorer->pool, &rng, error);
    if (!status) scorer->net_count++;
    return status;
}

/* Features that the network is given come from the model, too: as many as it takes. */
static dq_status load_features(dq_rank_scorer *scorer, const dq_bundle *model, uint32_t given,
                               dq_error *error)
{
    dq_feature_free(scorer->features);
    scorer->features = NULL;
    scorer->given_items = scorer->given_count = 0;
    if (!given) return DQ_OK;
    dq_status status = dq_feature_load(&scorer->features, model, scorer->pool, error);
    if (!status && (!scorer->features || dq_feature_columns(scorer->features) != given))
        status = dq_fail(error, DQ_ERR_SCHEMA,
                         "the model's features are not the %u that its network is given", given);
    return status;
}

size_t dq_rank_scorer_members(const dq_rank_scorer *scorer)
{
    return scorer->draws ? scorer->draws : scorer->net_count;
}

bool dq_rank_scorer_needs_lists(const dq_rank_scorer *scorer)
{
    return scorer->features != NULL;
}

dq_status dq_rank_scorer_load(dq_rank_scorer *scorer, const dq_bundle *model, dq_error *error)
{
    const char *kind;
    dq_agent_config config;
    dq_env_spec shape;
    const dq_value *layout = dq_map_get(&model->meta, "layout");
    dq_status status = dq_agent_read_config(model, &kind, &config, &shape, error);
    if (!status) status = check_agent(kind, &config, &shape, error);
    if (status) return status;
    if (layout && !dq_value_copy(&scorer->arena, layout, &scorer->layout))
        return dq_fail_memory(error, "a model");
    size_t count = networks_of(scorer, &config);
    scorer->user_width = shape.user_width;
    scorer->item_width = shape.action_width;
    scorer->nets = calloc(count + 1, sizeof *scorer->nets);
    scorer->ready = calloc(count + 1, sizeof *scorer->ready);
    scorer->coarse = calloc(count + 1, sizeof(dq_net_quantised *));
    if (!scorer->nets || !scorer->ready || !scorer->coarse) return dq_fail_memory(error, "a model");
    if (count == 0 || (scorer->by == DQ_RANK_BY_WORLD && !config.world))
        return dq_fail(error, DQ_ERR_UNKNOWN, "the model has no world model");
    for (size_t i = 0; !status && i < count; i++) status = add_net(scorer, model, error);
    return status ? status : dq_rank_scorer_reload(scorer, model, error);
}

static void forget_packed(dq_rank_scorer *scorer)
{
    for (size_t i = 0; i < scorer->net_count; i++) {
        dq_net_scoring_free(scorer->ready[i]);
        dq_net_quantised_free(scorer->coarse[i]);
        scorer->ready[i] = NULL;
        scorer->coarse[i] = NULL;
    }
}

dq_status dq_rank_scorer_reload(dq_rank_scorer *scorer, const dq_bundle *model, dq_error *error)
{
    char name[DQ_AGENT_Q_NAME];
    const char *kind;
    dq_net_spec spec;
    dq_agent_config config;
    dq_env_spec shape;
    dq_status status = dq_agent_read_config(model, &kind, &config, &shape, error);
    if (!status && networks_of(scorer, &config) != scorer->net_count)
        status = dq_fail(error, DQ_ERR_RANGE, "a model of %zu networks, where those before it have %zu",
                         networks_of(scorer, &config), scorer->net_count);
    if (!status) status = dq_net_load_spec(model, name_of(scorer, 0, name), &spec, error);
    if (!status) status = load_features(scorer, model, spec.given, error);
    forget_packed(scorer);
    for (size_t i = 0; !status && i < scorer->net_count; i++)
        status = dq_net_load(scorer->nets[i], name_of(scorer, i, name), false, model, error);
    return status;
}

/* The features of some lists against a block: (count, rows, columns), NULL without any. */
static dq_status gather(dq_rank_scorer *s, size_t first, size_t count, const dq_rank_block *block,
                        const float **given, dq_error *error)
{
    *given = NULL;
    if (!s->features) return DQ_OK;
    size_t columns = dq_feature_columns(s->features), of_user = s->given_items * columns;
    const float *from = s->given + (first - s->given_first) * of_user + block->first * columns;
    *given = from;
    if (block->rows == s->given_items || count == 1) return DQ_OK;
    size_t n = block->rows * columns;
    if (!dq_array_reserve(&s->block_given, &s->block_slots, count * n + 1, sizeof *s->block_given))
        return dq_fail_memory(error, "features");
    for (size_t u = 0; u < count; u++)
        memcpy(s->block_given + u * n, from + u * of_user, n * sizeof *s->block_given);
    *given = s->block_given;
    return DQ_OK;
}

/* The mean over several networks: sums run in their order, so that a score's bits depend on its pair alone.
 */
static void average(const float *members, size_t count, size_t n, float *out)
{
    for (size_t i = 0; i < n; i++) {
        float sum = members[i];
        for (size_t k = 1; k < count; k++) sum += members[k * n + i];
        out[i] = sum / (float)count;
    }
}

static dq_status score_by_draws(dq_rank_scorer *s, const float *const *users, size_t count,
                                const uint32_t *output, size_t rows, float *out, dq_error *error)
{
    size_t n = count * rows;
    if (!dq_array_reserve(&s->members, &s->member_slots, s->draws * n, sizeof *s->members))
        return dq_fail_memory(error, "scores");
    for (size_t d = 0; d < s->draws; d++)
        for (size_t u = 0; u < count; u++)
            for (size_t r = 0; r < rows; r++)
                s->members[d * n + u * rows + r] = users[u][d * s->outputs + output[r]];
    average(s->members, s->draws, n, out);
    return DQ_OK;
}

/* ---- halves ---- */

typedef struct widening {
    const dq_rank_block *block;
    float *to;
} widening;

static void widen_tile(void *arg, size_t tile, unsigned thread)
{
    const widening *work = arg;
    size_t width = work->block->width, first = tile * COSINE_TILE, n = work->block->rows - first;
    (void)thread;
    if (n > COSINE_TILE) n = COSINE_TILE;
    dq_convert_f4(work->to + first * width, work->block->halves + first * width, work->block->half_type,
                  n * width);
}

/* The block's vectors for networks: as floats, exactly, of one block at a time. */
static dq_status floats_of(dq_rank_scorer *s, const dq_rank_block *block, const float **vectors,
                           dq_error *error)
{
    *vectors = block->vectors;
    if (!block->halves) return DQ_OK;
    if (!dq_array_reserve(&s->wide, &s->wide_slots, (size_t)block->rows * block->width, sizeof *s->wide))
        return dq_fail_memory(error, "a block of items");
    widening work = {block, s->wide};
    dq_pool_run(s->pool, widen_tile, &work, (block->rows + COSINE_TILE - 1) / COSINE_TILE);
    *vectors = s->wide;
    return DQ_OK;
}

/* Weights are packed for items that are many; the bits are the same. */
static dq_status score_by_net(dq_rank_scorer *s, size_t k, const float *const *users, size_t count,
                              const dq_rank_block *block, const float *vectors, const float *given,
                              float *out, dq_error *error)
{
    if (!s->ready[k] && block->rows >= MANY_ITEMS) {
        dq_status status = dq_net_scoring_new(&s->ready[k], s->nets[k], error);
        if (status) return status;
    }
    if (s->ready[k])
        dq_net_scoring_run(s->ready[k], users, count, vectors, block->width, block->rows, out, block->rows);
    else
        dq_net_score(s->nets[k], users, count, vectors, block->width, block->rows, given, out, block->rows);
    return DQ_OK;
}

static dq_status score_by_nets(dq_rank_scorer *s, const float *const *users, size_t count, size_t first,
                               const dq_rank_block *block, float *out, dq_error *error)
{
    size_t n = count * block->rows;
    const float *given, *vectors;
    dq_status status = gather(s, first, count, block, &given, error);
    if (!status) status = floats_of(s, block, &vectors, error);
    if (status) return status;
    if (s->net_count == 1) return score_by_net(s, 0, users, count, block, vectors, given, out, error);
    if (!dq_array_reserve(&s->members, &s->member_slots, s->net_count * n, sizeof *s->members))
        return dq_fail_memory(error, "scores");
    for (size_t k = 0; !status && k < s->net_count; k++)
        status = score_by_net(s, k, users, count, block, vectors, given, s->members + k * n, error);
    if (!status) average(s->members, s->net_count, n, out);
    return status;
}

dq_status dq_rank_scorer_first_pass(dq_rank_scorer *s, const float *const *users, size_t count,
                                    const dq_rank_block *block, float *out, dq_error *error)
{
    size_t n = count * block->rows;
    const float *vectors;
    if (s->net_count == 0 || s->output_of || s->baseline)
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "8 bits are for networks that score a user and an item by their vectors");
    dq_status status = floats_of(s, block, &vectors, error);
    if (!status && !dq_array_reserve(&s->members, &s->member_slots, s->net_count * n, sizeof *s->members))
        status = dq_fail_memory(error, "scores");
    for (size_t k = 0; !status && k < s->net_count; k++) {
        if (!s->coarse[k]) status = dq_net_quantised_new(&s->coarse[k], s->nets[k], error);
        if (!status)
            dq_net_quantised_run(s->coarse[k], users, count, vectors, block->width, block->rows,
                                 s->members + k * n, block->rows);
    }
    if (!status) average(s->members, s->net_count, n, out);
    return status;
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
    const dq_rank_block *block = work->block;
    const void *items = block->halves ? (const void *)(block->halves + first * width)
                                      : (const void *)(block->vectors + first * width);
    for (size_t u = 0; u < work->count; u++)
        dq_cosine_rows(work->users[u], items, block->halves ? block->half_type : DQ_F4, width, n,
                       work->scorer->pairs, work->scorer->pair_count, work->out + u * rows + first);
}

/* ---- either ---- */

dq_status dq_rank_scorer_fit(dq_rank_scorer *scorer, const dq_entities *users, const dq_rank_items *items,
                             const dq_pair_names *pairs, size_t pair_count, dq_error *error)
{
    if (users->width == 0) return dq_fail_no_vectors(error, "the users");
    if (scorer->net_count == 0) return fit_cosine(scorer, users, items, pairs, pair_count, error);
    return dq_layout_fits(dq_entities_layout(users), dq_rank_items_layout(items), scorer->user_width,
                          scorer->item_width, &scorer->layout, error);
}

dq_status dq_rank_scorer_score(dq_rank_scorer *scorer, const float *const *users, size_t count, size_t first,
                               const dq_rank_block *block, float *out, dq_error *error)
{
    if (scorer->output_of) {
        const uint32_t *output = scorer->output_of + block->first;
        if (scorer->draws) return score_by_draws(scorer, users, count, output, block->rows, out, error);
        for (size_t u = 0; u < count; u++)
            for (size_t r = 0; r < block->rows; r++) out[u * block->rows + r] = users[u][output[r]];
        return DQ_OK;
    }
    if (scorer->net_count) return score_by_nets(scorer, users, count, first, block, out, error);
    cosine_work work = {scorer, users, block, count, out};
    dq_pool_run(scorer->pool, cosine_tile, &work, (block->rows + COSINE_TILE - 1) / COSINE_TILE);
    return DQ_OK;
}

void dq_rank_scorer_free(dq_rank_scorer *scorer)
{
    if (scorer->ready && scorer->coarse) forget_packed(scorer);
    for (size_t i = 0; i < scorer->net_count; i++) dq_net_free(scorer->nets[i]);
    free(scorer->nets);
    free(scorer->ready);
    free(scorer->coarse);
    dq_feature_free(scorer->features);
    free(scorer->given);
    free(scorer->block_given);
    free(scorer->wide);
    free(scorer->members);
    dq_arena_free(&scorer->arena);
    free(scorer->pairs);
}
