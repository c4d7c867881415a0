/* SPDX-License-Identifier: MIT
 *
 * System A's agents: the catalogue goes through, and transitions follow whose rewards are predicted, of pairs
 * that the stream holds (remembered), or of others (unseen).
 */
#include "plan.h"

#include "data/load.h"
#include "data/seen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRS_REMEMBERED, PAIRS_UNSEEN, BLOCK = 65536 };

const char *const plan_pair_names[] = {"remembered", "unseen", NULL};

typedef struct pairs {
    plan *plan;
    dq_net **worlds; /* (models) that predict now: one, or an ensemble */
    size_t world_count;
    const dq_bundle *loaded; /* the model, or the last of those, that they are of */
    dq_seen seen;
    uint32_t *drawn;              /* (items) */
    uint32_t *user, *item;        /* (BLOCK) */
    float *reward, *disagreement; /* (BLOCK) */
    size_t count;                 /* pairs waiting */
    uint64_t dropped;             /* for disagreement */
} pairs;

/* ---- input ---- */

static dq_status read_all(plan *p, dq_error *error)
{
    dq_status status = dq_dataset_read(&p->dataset, p->inputs[0], error);
    if (status) return status;
    if (!p->o->model) {
        p->models = p->dataset.models;
        p->dataset.models = (dq_models){0};
    }
    if (p->models.count == 0)
        return dq_fail(error, DQ_ERR_RANGE, "no model in the input; name one with --model");
    if (!dq_entities_count(&p->dataset.catalogue.users) || !dq_entities_count(&p->dataset.catalogue.items))
        return dq_fail(error, DQ_ERR_UNKNOWN, "no users and items in the input to plan for");
    return DQ_OK;
}

static dq_status add_net(pairs *p, const dq_bundle *model, dq_error *error)
{
    dq_net_spec spec;
    dq_rng rng = dq_rng_new(0); /* the drawn weights are overwritten */
    const dq_entities *users = &p->plan->dataset.catalogue.users, *items = &p->plan->dataset.catalogue.items;
    if (dq_net_load_spec(model, "world", &spec, NULL))
        return dq_fail(error, DQ_ERR_UNKNOWN, "the model has no world model");
    dq_status status = dq_layout_fits(dq_entities_layout(users), dq_entities_layout(items), spec.user_width,
                                      spec.item_width, dq_map_get(&model->meta, "layout"), error);
    if (status) return status;
    dq_net **net = &p->worlds[p->world_count];
    status = dq_net_new(net, &spec, 1, p->plan->pool, &rng, error);
    if (status) return status;
    p->world_count++;
    return dq_net_load(*net, "world", model, error);
}

static void drop_nets(pairs *p)
{
    while (p->world_count) dq_net_free(p->worlds[--p->world_count]);
}

/* A user's own agent is asked alone; those that name no user are an ensemble. */
static dq_status make_nets(pairs *p, const dq_bundle *model, dq_error *error)
{
    const dq_models *all = &p->plan->models;
    bool own = dq_map_get(&model->meta, "user") != NULL;
    dq_status status = DQ_OK;
    drop_nets(p);
    p->loaded = model;
    if (own) status = add_net(p, model, error);
    for (size_t m = 0; !own && !status && m < all->count; m++)
        if (!dq_map_get(&all->at[m].meta, "user")) status = add_net(p, &all->at[m], error);
    if (!status && isfinite(p->plan->o->max_disagreement) && p->world_count < 2)
        status = dq_fail(error, DQ_ERR_RANGE,
                         "one world model cannot disagree; several can (--model with `cat m1.dq m2.dq`)");
    return status;
}

/* The world model of one user: its own agent's, or those for all. */
static dq_status choose_net(pairs *p, uint32_t user, dq_error *error)
{
    size_t n;
    const char *id = dq_entities_id(&p->plan->dataset.catalogue.users, user, &n);
    const dq_bundle *model = dq_models_of(&p->plan->models, id, n);
    if (!model) return dq_fail(error, DQ_ERR_UNKNOWN, "no model for user %.*s", (int)n, id);
    return model == p->loaded ? DQ_OK : make_nets(p, model, error);
}

static dq_status make_buffers(pairs *p, dq_error *error)
{
    size_t items = dq_entities_count(&p->plan->dataset.catalogue.items);
    p->drawn = calloc(items + 1, sizeof *p->drawn);
    p->user = calloc(BLOCK, sizeof *p->user);
    p->item = calloc(BLOCK, sizeof *p->item);
    p->reward = calloc(BLOCK, sizeof *p->reward);
    p->disagreement = calloc(BLOCK, sizeof *p->disagreement);
    p->worlds = calloc(p->plan->models.count, sizeof *p->worlds);
    if (p->drawn && p->user && p->item && p->reward && p->disagreement && p->worlds) return DQ_OK;
    return dq_fail(error, DQ_ERR_MEMORY, "no memory for pairs");
}

/* ---- simulating ---- */

/* Predicts the waiting pairs, and leaves out those that the ensemble disagrees on. */
static dq_status predict(pairs *p, dq_error *error)
{
    dq_vectors users = dq_entities_vectors(&p->plan->dataset.catalogue.users);
    dq_vectors items = dq_entities_vectors(&p->plan->dataset.catalogue.items);
    size_t kept = 0;
    dq_net_predict_ensemble(p->worlds, p->world_count, &users, &items, p->user, p->item, p->reward,
                            p->disagreement, p->count);
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
    if (!status && p->world_count > 1)
        status = dq_bundle_add_numbers(&b, "disagreement", DQ_F4, p->disagreement, NULL, NULL, error);
    if (!status && !dq_map_set(&b.arena, &b.meta, "simulated", dq_bool(true)))
        status = dq_fail(error, DQ_ERR_MEMORY, "no memory for transitions");
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
    if (!status) status = choose_net(p, user, error);
    for (size_t i = 0; !status && i < n; i++) {
        p->user[p->count] = user;
        p->item[p->count++] = p->drawn[i];
        if (p->count == BLOCK) status = flush(p, error);
    }
    return status;
}

static dq_status simulate(pairs *p, dq_error *error)
{
    uint32_t users = dq_entities_count(&p->plan->dataset.catalogue.users), only = DQ_ABSENT;
    dq_status status = DQ_OK;
    if (p->plan->o->user) {
        only = dq_entities_find(&p->plan->dataset.catalogue.users, p->plan->o->user,
                                strlen(p->plan->o->user));
        if (only == DQ_ABSENT)
            return dq_fail(error, DQ_ERR_UNKNOWN, "no user '%s' in the input", p->plan->o->user);
    }
    dq_progress bar = dq_progress_start(&p->plan->o->common, "planning", users);
    for (uint32_t user = 0; !status && user < users; user++) {
        if (only == DQ_ABSENT || only == user) status = simulate_user(p, user, error);
        dq_progress_step(&bar, user + 1, NULL);
    }
    if (!status) status = flush(p, error);
    dq_progress_end(&bar);
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
    drop_nets(&p);
    free(p.worlds);
    free(p.disagreement);
    dq_seen_free(&p.seen);
    free(p.drawn);
    free(p.user);
    free(p.item);
    free(p.reward);
    return status;
}
