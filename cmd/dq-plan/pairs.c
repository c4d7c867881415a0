/* SPDX-License-Identifier: MIT
 *
 * Agents of a catalogue: it goes through, and transitions follow whose rewards are predicted, of pairs that
 * the stream holds (remembered), or of others (unseen). Several models that name no user are an ensemble, and
 * so are the world models of one; what all disagree by is the standard deviation, within and among them.
 */
#include "plan.h"

#include "core/buffers.h"
#include "data/load.h"
#include "data/seen.h"
#include "env/catalogue.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRS_REMEMBERED, PAIRS_UNSEEN, BLOCK = 65536 };

const char *const plan_pair_names[] = {"remembered", "unseen", NULL};

typedef struct pairs {
    plan *plan;
    dq_env_spec shape;            /* of the catalogue */
    dq_agent **agents;            /* (models) that predict now: one, or an ensemble */
    size_t agent_count, networks; /* networks: their world models */
    const dq_bundle *loaded;      /* the model, or the last of those, that they are of */
    dq_seen seen;
    uint32_t *drawn;              /* (items) */
    uint32_t *user, *item;        /* (BLOCK) */
    float *reward, *disagreement; /* (BLOCK) */
    float *one, *end, *within;    /* (BLOCK) what one agent predicts */
    size_t count;                 /* pairs waiting */
    uint64_t dropped;             /* for disagreement */
    dq_arena arena;               /* of these arrays */
} pairs;

/* ---- input ---- */

static dq_status read_all(plan *p, dq_error *error)
{
    dq_status status = dq_dataset_read(&p->dataset, p->inputs[0], error);
    if (status) return status;
    if (!p->o->model) {
        p->models = p->dataset.models;
        p->dataset.models = (dq_models){0};
        dq_cli_say_kept(p->cli, &p->o->common, NULL, &p->models.kept);
    }
    if (p->models.count == 0)
        return dq_fail(error, DQ_ERR_RANGE, "no model in the input; name one with --model");
    if (!dq_entities_count(&p->dataset.catalogue.users) || !dq_entities_count(&p->dataset.catalogue.items))
        return dq_fail(error, DQ_ERR_UNKNOWN, "no users and items in the input to plan for");
    return DQ_OK;
}

static dq_status add_agent(pairs *p, const dq_bundle *model, dq_error *error)
{
    const char *kind;
    dq_agent_config config;
    dq_env_spec shape;
    dq_status status = dq_agent_read_config(model, &kind, &config, &shape, error);
    if (!status) status = dq_agent_shape_fits(&shape, &p->plan->dataset.catalogue, model, error);
    if (!status)
        status = dq_agent_of_model(&p->agents[p->agent_count], model, &p->shape, p->plan->pool, error);
    if (status) return status;
    dq_agent *agent = p->agents[p->agent_count++];
    if (!dq_agent_network(agent, "world.0"))
        return dq_fail(error, DQ_ERR_UNKNOWN, "the model has no world model");
    p->networks += config.models;
    return DQ_OK;
}

static void drop_agents(pairs *p)
{
    while (p->agent_count) dq_agent_free(p->agents[--p->agent_count]);
    p->networks = 0;
}

/* A user's own agent is asked alone; those that name no user are an ensemble. */
static dq_status make_agents(pairs *p, const dq_bundle *model, dq_error *error)
{
    const dq_models *all = &p->plan->models;
    bool own = dq_map_get(&model->meta, "user") != NULL;
    dq_status status = DQ_OK;
    drop_agents(p);
    p->loaded = model;
    if (own) status = add_agent(p, model, error);
    for (size_t m = 0; !own && !status && m < all->count; m++)
        if (!dq_map_get(&all->at[m].meta, "user")) status = add_agent(p, &all->at[m], error);
    if (!status && isfinite(p->plan->o->max_disagreement) && p->networks < 2)
        status = dq_fail(error, DQ_ERR_RANGE,
                         "one world model cannot disagree; several can (dq-train --models 5, or --model with "
                         "`cat m1.dq m2.dq`)");
    return status;
}

/* The agents of one user: its own, or those for all. */
static dq_status choose_agents(pairs *p, uint32_t user, dq_error *error)
{
    size_t n;
    const char *id = dq_entities_id(&p->plan->dataset.catalogue.users, user, &n);
    const dq_bundle *model = dq_models_of(&p->plan->models, id, n);
    if (!model) return dq_fail(error, DQ_ERR_UNKNOWN, "no model for user %.*s", (int)n, id);
    return model == p->loaded ? DQ_OK : make_agents(p, model, error);
}

static dq_status make_buffers(pairs *p, dq_error *error)
{
    size_t items = dq_entities_count(&p->plan->dataset.catalogue.items);
    const dq_vectors users = dq_entities_vectors(&p->plan->dataset.catalogue.users);
    const dq_vectors actions = dq_entities_vectors(&p->plan->dataset.catalogue.items);
    p->shape = dq_catalogue_env_spec(&users, &actions);
    const dq_buffer buffers[] = {DQ_BUFFER(p->drawn, items),
                                 DQ_BUFFER(p->user, BLOCK),
                                 DQ_BUFFER(p->item, BLOCK),
                                 DQ_BUFFER(p->reward, BLOCK),
                                 DQ_BUFFER(p->disagreement, BLOCK),
                                 DQ_BUFFER(p->one, BLOCK),
                                 DQ_BUFFER(p->end, BLOCK),
                                 DQ_BUFFER(p->within, BLOCK),
                                 DQ_BUFFER(p->agents, p->plan->models.count)};
    if (dq_buffers_take(&p->arena, buffers, DQ_BUFFERS(buffers))) return DQ_OK;
    return dq_fail_memory(error, "pairs");
}

/* ---- simulating ---- */

/* What the agents expect of the waiting pairs: the mean of their means, and the variance of all as the mean
 * of those within and that among them. Each agent weighs the same. */
static dq_status ask_agents(pairs *p, dq_error *error)
{
    dq_status status = DQ_OK;
    size_t bytes = p->count * sizeof(float), n = p->agent_count;
    memset(p->reward, 0, bytes);
    memset(p->disagreement, 0, bytes);
    for (size_t k = 0; !status && k < n; k++) {
        status = dq_agent_predict(p->agents[k], &p->shape.states, p->user, p->item, p->count, NULL, p->one,
                                  p->end, p->within, error);
        for (size_t i = 0; !status && i < p->count; i++) { /* a running mean, and sums of squares about it */
            float off = p->one[i] - p->reward[i];
            p->reward[i] += off / (float)(k + 1);
            p->disagreement[i] += off * (p->one[i] - p->reward[i]) + p->within[i] * p->within[i];
        }
    }
    for (size_t i = 0; !status && i < p->count; i++)
        p->disagreement[i] = sqrtf(p->disagreement[i] / (float)n);
    return status;
}

/* Predicts the waiting pairs, and leaves out those that the ensemble disagrees on. */
static dq_status predict(pairs *p, dq_error *error)
{
    size_t kept = 0;
    dq_status status = ask_agents(p, error);
    if (status) return status;
    for (size_t i = 0; i < p->count; i++) {
        if (!isfinite(p->reward[i]) || !isfinite(p->disagreement[i]))
            return dq_fail(error, DQ_ERR_NUMERIC, "the world model predicts a number that is not finite");
        if ((double)p->disagreement[i] > p->plan->o->max_disagreement) continue;
        p->user[kept] = p->user[i];
        p->item[kept] = p->item[i];
        p->reward[kept] = p->reward[i];
        p->disagreement[kept++] = p->disagreement[i];
    }
    p->dropped += p->count - kept;
    p->count = kept;
    return DQ_OK;
}

static dq_status write_pairs(pairs *p, dq_error *error)
{
    static const uint8_t not_done[BLOCK];
    dq_bundle b;
    dq_status status = dq_bundle_init(&b, DQ_KIND_TRANSITIONS, p->count, error);
    if (!status) status = dq_bundle_add_numbers(&b, "user", DQ_U4, p->user, DQ_KIND_USERS, NULL, error);
    if (!status) status = dq_bundle_add_numbers(&b, "item", DQ_U4, p->item, DQ_KIND_ITEMS, NULL, error);
    if (!status) status = dq_bundle_add_numbers(&b, "reward", DQ_F4, p->reward, NULL, NULL, error);
    if (!status) status = dq_bundle_add_numbers(&b, "done", DQ_U1, not_done, NULL, NULL, error);
    if (!status && p->networks > 1)
        status = dq_bundle_add_numbers(&b, "disagreement", DQ_F4, p->disagreement, NULL, NULL, error);
    if (!status && !dq_map_set(&b.arena, &b.meta, "simulated", dq_bool(true)))
        status = dq_fail_memory(error, "transitions");
    if (!status) status = dq_writer_put(p->plan->output, &b, error);
    if (!status && p->plan->o->common.flush) status = dq_writer_flush(p->plan->output, error);
    dq_bundle_free(&b);
    return status;
}

/* The waiting pairs, which are all of the loaded models. */
static dq_status flush(pairs *p, dq_error *error)
{
    if (p->count == 0) return DQ_OK;
    dq_status status = predict(p, error);
    if (!status && p->count) status = write_pairs(p, error);
    p->count = 0;
    return status;
}

static dq_status simulate_user(pairs *p, uint32_t user, dq_error *error)
{
    dq_rng rng = dq_rng_stream(p->plan->o->common.seed, user);
    const dq_bundle *before = p->loaded;
    size_t n = dq_seen_draw(&p->seen, user, p->plan->o->pairs == PAIRS_UNSEEN,
                            dq_entities_count(&p->plan->dataset.catalogue.items),
                            (size_t)p->plan->o->per_user, &rng, p->drawn);
    dq_status status = DQ_OK;
    if (n == 0) return DQ_OK;
    size_t bytes;
    const char *id = dq_entities_id(&p->plan->dataset.catalogue.users, user, &bytes);
    if (before && dq_models_of(&p->plan->models, id, bytes) != before) status = flush(p, error);
    if (!status) status = choose_agents(p, user, error);
    for (size_t i = 0; !status && i < n; i++) {
        p->user[p->count] = user;
        p->item[p->count++] = p->drawn[i];
        if (p->count == BLOCK) status = flush(p, error);
    }
    return status;
}

static dq_status simulate(pairs *p, dq_error *error)
{
    const dq_entities *all = &p->plan->dataset.catalogue.users;
    const dq_texts *chosen = &p->plan->o->users;
    uint32_t users = dq_entities_count(all);
    bool *only = NULL;
    dq_status status = dq_entities_mark(all, "user", chosen->at, chosen->count, &only, error);
    if (status) return status;
    dq_progress bar = dq_progress_start(&p->plan->o->common, "planning", "users", users);
    for (uint32_t user = 0; !status && user < users; user++) {
        if (!only || only[user]) status = simulate_user(p, user, error);
        dq_progress_step(&bar, user + 1, NULL);
    }
    if (!status) status = flush(p, error);
    dq_progress_end(&bar);
    free(only);
    return status;
}

static dq_status run(pairs *p, const dq_maker *maker, dq_error *error)
{
    plan *of = p->plan;
    dq_status status = read_all(of, error);
    if (!status)
        status = dq_writer_open(&of->output, of->o->common.output, maker, of->inputs, of->input_count, error);
    if (!status) status = dq_seen_list(&p->seen, &of->dataset, error);
    if (!status) status = make_buffers(p, error);
    if (!status) status = dq_catalogue_write(&of->dataset.catalogue, of->output, error);
    if (!status) status = simulate(p, error);
    if (!status && isfinite(of->o->max_disagreement))
        dq_cli_say(of->cli, &of->o->common, "%llu pairs dropped: the models disagree by more than %g",
                   (unsigned long long)p->dropped, of->o->max_disagreement);
    return status;
}

dq_status plan_pairs_run(plan *of, const dq_maker *maker, dq_error *error)
{
    pairs p = {.plan = of};
    dq_status status = run(&p, maker, error);
    drop_agents(&p);
    dq_seen_free(&p.seen);
    dq_arena_free(&p.arena);
    return status;
}
