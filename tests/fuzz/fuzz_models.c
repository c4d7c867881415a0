/* SPDX-License-Identifier: MIT
 *
 * Models, used as programs use them. The first byte says how, the rest are bodies of bundles (bundles.h):
 *
 *     0  to act: values, actions, predictions, lists that look ahead
 *     1  users and items are ranked by Q, 2 by the world model, 3 by the cosine
 *     4  users and items are ranked by an agent of sessions, or with an output for each item
 *     5  one agent a user: the first two models rank, one after the other
 *
 * What comes out is finite, or the reader says in words why not.
 */
#include "bundles.h"

#include "data/catalogue.h"
#include "learn/agent.h"
#include "learn/lookahead.h"
#include "rank/sessions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BUNDLES = 16, STATES = 2 };

static dq_pool *pool;

/* ---- acting ---- */

static void look_ahead(dq_agent *agent, const float *state)
{
    dq_error e = DQ_ERROR_NONE;
    const dq_lookahead_config config = {.places = 3, .beam = 2, .max = INFINITY};
    dq_lookahead_place places[3];
    dq_lookahead *ahead = NULL;
    size_t count = 0;
    dq_status status = dq_lookahead_new(&ahead, agent, &config, &e);
    if (!status) status = dq_lookahead_list(ahead, state, places, &count, &e);
    if (status) fuzz_refused(&e);
    for (size_t i = 0; !status && i < count; i++) fuzz_finite(places[i].reward);
    dq_lookahead_free(ahead);
}

static void predict(dq_agent *agent, const dq_vectors *states, float *next, uint32_t actions)
{
    dq_error e = DQ_ERROR_NONE;
    const uint32_t chosen[STATES] = {0, actions - 1};
    float reward[STATES], done[STATES], differ[STATES];
    if (dq_agent_predict(agent, states, NULL, chosen, STATES, next, reward, done, differ, &e))
        fuzz_refused(&e);
}

static void act(const dq_bundle *model)
{
    dq_error e = DQ_ERROR_NONE;
    dq_agent *agent;
    uint32_t chosen[STATES];
    if (dq_agent_of_model(&agent, model, NULL, pool, &e)) {
        fuzz_refused(&e);
        return;
    }
    const dq_env_spec *shape = dq_agent_get_shape(agent);
    size_t width = shape->state_width;
    float *memory = calloc(2 * STATES * width + 1, sizeof *memory);
    float *q = calloc((size_t)STATES * shape->action_count, sizeof *q);
    if (!memory || !q) fuzz_fail("no memory");
    const float *at[STATES] = {memory, memory + width};
    for (size_t i = 0; i < width; i++) memory[width + i] = 1;
    const dq_vectors states = {at, STATES, (uint32_t)width};
    dq_agent_values(agent, &states, NULL, STATES, q);
    dq_agent_act(agent, &states, NULL, STATES, false, chosen);
    dq_agent_act(agent, &states, NULL, STATES, true, chosen);
    for (size_t i = 0; i < STATES; i++)
        if (chosen[i] >= shape->action_count) fuzz_fail("action %u of %u", chosen[i], shape->action_count);
    predict(agent, &states, memory + STATES * width, shape->action_count);
    look_ahead(agent, memory);
    free(memory);
    free(q);
    dq_agent_free(agent);
}

/* ---- ranking ---- */

typedef struct ranking {
    dq_catalogue users;
    dq_rank_items items;
    dq_rank_block block;
    dq_rank_scorer scorer;
    dq_rank_sessions sessions;
    dq_rank_lists lists;
} ranking;

static dq_status take_items(ranking *r, const dq_bundle *bundle, uint64_t *left, dq_error *error)
{
    uint32_t at = 0;
    dq_status status = dq_rank_items_agree(&r->items, bundle, error);
    if (status || bundle->rows == 0) return status;
    r->block.floats = r->sessions.on;
    if (!r->block.capacity) status = dq_rank_block_open(&r->block, r->items.width, 1, error);
    if (!status) status = dq_rank_items_take(&r->items, bundle, 0, pool, error);
    const dq_identity *met = &r->items.identity;
    if (!status) status = dq_rank_block_fill(&r->block, bundle, met->fresh, met->fresh_count, &at, error);
    *left = met->fresh_count - at; /* a full block is enough */
    return status;
}

static dq_status take(ranking *r, dq_bundle *bundle, unsigned how, uint64_t *left, dq_error *error)
{
    bool taken;
    if (strcmp(bundle->kind, DQ_KIND_USERS) == 0)
        return dq_catalogue_add(&r->users, bundle, 0, &taken, error);
    if (strcmp(bundle->kind, DQ_KIND_ITEMS) == 0 && !*left) return take_items(r, bundle, left, error);
    if (strcmp(bundle->kind, DQ_KIND_INTERACTIONS) == 0 && r->sessions.on && !r->sessions.catalogue)
        return dq_session_log_add(&r->sessions.log, bundle, error);
    if (strcmp(bundle->kind, DQ_KIND_MODEL) != 0 || how == 3 || r->scorer.net_count || r->sessions.on)
        return DQ_OK;
    return how == 4 ? dq_rank_sessions_load(&r->sessions, bundle, error)
                    : dq_rank_scorer_load(&r->scorer, bundle, error);
}

static dq_status offer(ranking *r, size_t first, size_t last, dq_error *error)
{
    return dq_rank_lists_offer(&r->lists, &r->scorer, &r->block, first, last, error);
}

static dq_status offer_sessions(ranking *r, dq_error *error)
{
    size_t first = 0, n;
    dq_status status = dq_rank_sessions_begin(&r->sessions, &r->lists, &r->users.users, &r->items, &r->block,
                                              1, pool, error);
    r->scorer.output_of = r->sessions.output_of;
    for (; !status && (n = dq_rank_sessions_next(&r->sessions, &r->lists)) > 0; first += n)
        status = offer(r, first, first + n, error);
    return status;
}

/* The lists are in order, and everybody has one of all items, or of k. */
static void check_list(ranking *r, size_t user)
{
    dq_error e = DQ_ERROR_NONE;
    dq_rank_place places[4];
    size_t count, items = dq_index_count(&r->items.identity.ids);
    if (dq_rank_lists_finish(&r->lists, user, places, &count, &e)) {
        fuzz_refused(&e);
        return;
    }
    if (items <= 4 && count != items) fuzz_fail("%zu of %zu items", count, items);
    for (size_t i = 0; i < count; i++) {
        fuzz_finite(places[i].score);
        if (i && places[i].score > places[i - 1].score) fuzz_fail("a list that is not in order");
    }
}

static dq_status rank_all(ranking *r, const dq_bundle *second, dq_error *error)
{
    const dq_rank_config config = {.k = 4};
    dq_status status = r->sessions.on
                           ? DQ_OK
                           : dq_rank_scorer_fit(&r->scorer, &r->users.users, &r->items, NULL, 0, error);
    if (!status) status = dq_rank_lists_open(&r->lists, &config, &r->users.users, error);
    if (!status) status = r->sessions.on ? offer_sessions(r, error) : offer(r, 0, r->lists.count, error);
    for (size_t u = 0; !status && u < r->lists.count; u++) check_list(r, u);
    if (status || !second) return status;
    dq_rank_lists_free(&r->lists);
    r->lists = (dq_rank_lists){0};
    status = dq_rank_scorer_reload(&r->scorer, second, error);
    if (!status) status = dq_rank_lists_open(&r->lists, &config, &r->users.users, error);
    return status ? status : offer(r, 0, r->lists.count, error);
}

static void rank(dq_bundle *bundles, size_t count, unsigned how)
{
    dq_error e = DQ_ERROR_NONE;
    static const dq_rank_by by[] = {DQ_RANK_BY_Q, DQ_RANK_BY_Q, DQ_RANK_BY_WORLD, DQ_RANK_BY_COSINE};
    ranking r = {.scorer = {.by = how < 4 ? by[how] : DQ_RANK_BY_Q, .pool = pool}};
    const dq_bundle *second = NULL;
    uint64_t left = 0;
    size_t models = 0;
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < count; i++) {
        bool model = strcmp(bundles[i].kind, DQ_KIND_MODEL) == 0;
        if (model && ++models == 2 && how == 5) second = &bundles[i];
        status = take(&r, &bundles[i], how, &left, &e);
    }
    bool ready = r.items.width && dq_entities_count(&r.users.users) &&
                 (r.scorer.net_count || r.sessions.on || how == 3);
    if (!status && ready) status = rank_all(&r, second, &e);
    if (status) fuzz_refused(&e);
    dq_rank_lists_free(&r.lists);
    dq_rank_block_free(&r.block);
    dq_rank_items_free(&r.items);
    dq_rank_scorer_free(&r.scorer);
    dq_rank_sessions_free(&r.sessions);
    dq_catalogue_free(&r.users);
}

static void read_models(const uint8_t *data, size_t n)
{
    fuzz_bytes rest = {data, n};
    dq_error e = DQ_ERROR_NONE;
    dq_bundle bundles[BUNDLES];
    if (!pool && dq_pool_new(&pool, 1, &e)) fuzz_fail("%s", e.reason);
    unsigned how = fuzz_byte(&rest) % 6;
    size_t count = fuzz_read_bundles(rest, bundles, BUNDLES);
    for (size_t i = 0; how == 0 && i < count; i++)
        if (strcmp(bundles[i].kind, DQ_KIND_MODEL) == 0) act(&bundles[i]);
    if (how) rank(bundles, count, how);
    for (size_t i = 0; i < count; i++) dq_bundle_free(&bundles[i]);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed)
{
    return fuzz_mutate_bundles(data, n, most, seed, 1);
}

const fuzz_target fuzz_it = {.read = read_models, .memory = 2 << 20, .per_byte = 512};
