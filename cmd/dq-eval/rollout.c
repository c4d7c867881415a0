/* SPDX-License-Identifier: MIT */
#include "rollout.h"

#include "data/load.h"
#include "reward/logged.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EXPLORE_STREAM = 0x726f6c6c, WEIGHT_STREAM };

/* ---- what is known: the catalogue, rewards, users ---- */

static dq_status short_of_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory for roll-outs");
}

static dq_status check_entities(const dq_entities *entities, const char *what, dq_error *error)
{
    if (dq_entities_count(entities) == 0) return dq_fail(error, DQ_ERR_SCHEMA, "the input has no %s", what);
    if (entities->width == 0) return dq_fail(error, DQ_ERR_SCHEMA, "the %s have no vectors", what);
    return DQ_OK;
}

static bool needs_cosines(const rollout *run)
{
    bool needs = !run->logged;
    for (size_t p = 0; p < run->policy_count; p++) needs = needs || run->policies[p].kind == POLICY_COSINE;
    return needs;
}

static dq_status ready_rewards(rollout *run, dq_error *error)
{
    const eval_options *o = run->o;
    const dq_catalogue *c = &run->dataset.catalogue;
    run->logged = o->reward == EVAL_REWARD_LOGGED ||
                  (o->reward == EVAL_REWARD_AUTO && (run->dataset.count || c->interaction_count));
    run->labeller.strategy = run->logged ? DQ_STRATEGY_LOGGED : DQ_STRATEGY_COSINE;
    run->labeller.raw_cosine = o->raw_cosine;
    run->labeller.threads = dq_pool_threads(run->pool);
    dq_status status = dq_label_map_parse(&run->labeller.map, o->map, error);
    run->label_count = dq_index_count(&run->labeller.map.labels) + 1;
    if (!status) status = dq_labeller_ready(&run->labeller, c, error);
    if (!status && needs_cosines(run))
        status = dq_labeller_fields(&run->labeller, o->pairs.at, o->pairs.count, error);
    return status;
}

/* The user of --user, or all, in turn. */
static dq_status choose_users(rollout *run, dq_error *error)
{
    const dq_index *ids = &run->dataset.catalogue.users.identity.ids;
    uint32_t n = (uint32_t)dq_index_count(ids);
    run->users = malloc((n + 1U) * sizeof *run->users);
    if (!run->users) return short_of_memory(error);
    if (!run->o->user) {
        for (uint32_t u = 0; u < n; u++) run->users[run->user_count++] = u;
        return DQ_OK;
    }
    run->users[0] = dq_index_find(ids, run->o->user, strlen(run->o->user));
    run->user_count = 1;
    if (run->users[0] != DQ_ABSENT) return DQ_OK;
    return dq_fail(error, DQ_ERR_UNKNOWN, "user %s is not in the catalogue", run->o->user);
}

static dq_status reserve(rollout *run, dq_error *error)
{
    size_t n = dq_entities_count(&run->dataset.catalogue.items);
    run->rewards = malloc(n * sizeof *run->rewards);
    run->labels = malloc(n * sizeof *run->labels);
    run->pair_user = malloc(n * sizeof *run->pair_user);
    run->pair_item = malloc(n * sizeof *run->pair_item);
    run->chosen = malloc(run->steps * sizeof *run->chosen);
    run->user = DQ_ABSENT;
    bool all = run->rewards && run->labels && run->pair_user && run->pair_item && run->chosen;
    return all ? DQ_OK : short_of_memory(error);
}

/* What nobody labelled is IGNORE. */
static void set_reward(rollout *run, const dq_rewards *got, uint32_t item)
{
    const dq_label_map *map = &run->labeller.map;
    uint32_t ignore = dq_index_find(&map->labels, "IGNORE", strlen("IGNORE"));
    size_t n = 0;
    const char *label = run->logged ? dq_strings_get(&got->labels, item, &n) : NULL;
    uint32_t row = label ? dq_index_find(&map->labels, label, n) : ignore;
    run->labels[item] = row == DQ_ABSENT ? (uint32_t)run->label_count - 1 : row;
    run->rewards[item] = got->none[item] ? (float)dq_label_map_ignore(map) : got->reward[item];
}

/* Rewards and labels of every item for a user; those of transitions in the stream go over the rest, as in
 * dq-train. */
static dq_status know_user(rollout *run, uint32_t user, dq_error *error)
{
    uint32_t n = dq_entities_count(&run->dataset.catalogue.items);
    dq_rewards got;
    if (run->user == user) return DQ_OK;
    for (uint32_t i = 0; i < n; i++) {
        run->pair_user[i] = user;
        run->pair_item[i] = i;
    }
    dq_status status = dq_label_pairs(&run->labeller, run->pair_user, run->pair_item, NULL, n, &got, error);
    if (status) return status;
    for (uint32_t i = 0; i < n; i++) set_reward(run, &got, i);
    dq_rewards_free(&got);
    if (run->logged) dq_logged_transitions_over(&run->dataset, user, run->rewards);
    run->user = user;
    return DQ_OK;
}

static dq_status reward_of(void *arg, uint32_t user, uint32_t item, float *reward, dq_error *error)
{
    const rollout *run = arg;
    (void)user; /* know_user has been told */
    (void)error;
    *reward = run->rewards[item];
    return DQ_OK;
}

/* ---- the policies ---- */

static dq_status open_policy(rollout *run, policy *p, const char *name, dq_error *error)
{
    p->name = name;
    p->kind = strcmp(name, "random") == 0      ? POLICY_RANDOM
              : strcmp(name, "cosine") == 0    ? POLICY_COSINE
              : strcmp(name, "untrained") == 0 ? POLICY_UNTRAINED
                                               : POLICY_MODEL;
    p->reward = calloc(run->episodes * run->steps, sizeof *p->reward);
    if (!p->reward) return short_of_memory(error);
    return p->kind == POLICY_MODEL ? dq_models_read(&p->models, &p->reader, name, error) : DQ_OK;
}

static const dq_policy_by by[] = {[POLICY_MODEL] = DQ_POLICY_NET,
                                  [POLICY_UNTRAINED] = DQ_POLICY_NET,
                                  [POLICY_COSINE] = DQ_POLICY_COSINE,
                                  [POLICY_RANDOM] = DQ_POLICY_RANDOM};

static dq_status ready_policy(rollout *run, policy *p, dq_error *error)
{
    dq_catalogue_env_config config = {.users = dq_entities_vectors(&run->dataset.catalogue.users),
                                      .items = dq_entities_vectors(&run->dataset.catalogue.items),
                                      .candidates = (uint32_t)run->o->candidates,
                                      .reward = reward_of,
                                      .reward_arg = run};
    p->labelled = calloc(run->label_count, sizeof *p->labelled);
    if (!p->labelled) return short_of_memory(error);
    dq_status status = dq_catalogue_env_new(&p->player.env, &config, run->o->common.seed, error);
    if (status) return status;
    const dq_catalogue *c = &run->dataset.catalogue;
    p->player = (dq_catalogue_policy){.by = by[p->kind],
                                      .users = dq_entities_vectors(&c->users),
                                      .items = dq_entities_vectors(&c->items),
                                      .pairs = run->labeller.pairings,
                                      .pair_count = run->labeller.pairing_count,
                                      .epsilon = run->o->epsilon,
                                      .distinct = run->o->distinct,
                                      .rng = dq_rng_stream(run->o->common.seed, EXPLORE_STREAM),
                                      .env = p->player.env};
    return dq_catalogue_policy_open(&p->player, error);
}

/* The model that a policy takes for a user; an untrained one has the shape of the first model. */
static dq_status find_model(const rollout *run, const policy *p, const dq_bundle **model, dq_error *error)
{
    size_t n;
    const char *id = dq_entities_id(&run->dataset.catalogue.users, run->user, &n);
    const policy *from = p;
    for (size_t i = 0; p->kind == POLICY_UNTRAINED && i < run->policy_count; i++)
        if (run->policies[i].kind == POLICY_MODEL) {
            from = &run->policies[i];
            break;
        }
    *model = dq_models_of(&from->models, id, n);
    if (*model || p->kind == POLICY_UNTRAINED) return DQ_OK;
    return dq_fail(error, DQ_ERR_UNKNOWN, "%s has no model for user %.*s", p->name, (int)n, id);
}

/* The network of a model; an untrained one of no model has the widths of the catalogue. */
static dq_status read_spec(const rollout *run, const policy *p, const dq_bundle *model, dq_net_spec *spec,
                           dq_error *error)
{
    const dq_catalogue *c = &run->dataset.catalogue;
    *spec = (dq_net_spec){.user_width = c->users.width,
                          .item_width = c->items.width,
                          .hidden = {1024, 512, 256},
                          .hidden_count = 3};
    if (!model) return DQ_OK;
    dq_status status = dq_net_load_spec(model, "q", spec, error);
    if (!status)
        status = dq_layout_fits(dq_entities_layout(&c->users), dq_entities_layout(&c->items),
                                spec->user_width, spec->item_width, dq_map_get(&model->meta, "layout"),
                                error);
    return status ? dq_error_at(error, p->name, DQ_NO_RECORD) : DQ_OK;
}

/* Puts the user's model into the policy's network. */
static dq_status load_model(rollout *run, policy *p, dq_error *error)
{
    const dq_bundle *model;
    dq_net_spec spec;
    dq_rng rng = dq_rng_stream(run->o->common.seed, WEIGHT_STREAM);
    dq_status status = find_model(run, p, &model, error);
    if (status || (p->player.net && model == p->loaded)) return status;
    dq_net_free(p->player.net);
    p->player.net = NULL;
    status = read_spec(run, p, model, &spec, error);
    if (!status) status = dq_net_new(&p->player.net, &spec, 1, run->pool, &rng, error);
    if (!status && p->kind == POLICY_MODEL) status = dq_net_load(p->player.net, "q", model, error);
    p->loaded = model;
    return status;
}

/* ---- episodes ---- */

static dq_status play(rollout *run, policy *p, size_t episode, dq_error *error)
{
    dq_status status = by[p->kind] == DQ_POLICY_NET ? load_model(run, p, error) : DQ_OK;
    if (status) return status;
    status = dq_catalogue_policy_play(&p->player, run->user, run->steps, run->chosen,
                                      p->reward + episode * run->steps, error);
    for (size_t s = 0; s < run->steps && !status; s++) p->labelled[run->labels[run->chosen[s]]]++;
    return status;
}

static dq_status read_input(rollout *run, const dq_cli *cli, dq_error *error)
{
    dq_status status = dq_reader_open(&run->reader, cli->operands, cli->operand_count, error);
    if (!status) status = dq_dataset_read(&run->dataset, run->reader, error);
    if (!status) status = check_entities(&run->dataset.catalogue.users, "users", error);
    if (!status) status = check_entities(&run->dataset.catalogue.items, "items", error);
    if (status) return status;
    size_t items = dq_entities_count(&run->dataset.catalogue.items);
    size_t offered = run->o->candidates < items ? (size_t)run->o->candidates : items;
    if (run->o->distinct && run->steps > offered)
        return dq_fail(error, DQ_ERR_RANGE, "--distinct: %zu steps, and only %zu candidates", run->steps,
                       offered);
    return DQ_OK;
}

static dq_status ready(rollout *run, dq_cli *cli, dq_error *error)
{
    const eval_options *o = run->o;
    run->policies = calloc(o->models.count, sizeof *run->policies);
    if (!run->policies) return short_of_memory(error);
    dq_status status = DQ_OK;
    for (size_t i = 0; i < o->models.count && !status; i++) {
        run->policy_count = i + 1;
        status = open_policy(run, &run->policies[i], o->models.at[i], error);
    }
    if (!status) status = read_input(run, cli, error);
    if (!status) status = dq_pool_new(&run->pool, dq_cli_threads(&o->common, 1), error);
    if (!status) status = ready_rewards(run, error);
    if (!status) status = choose_users(run, error);
    if (!status) status = reserve(run, error);
    for (size_t i = 0; i < run->policy_count && !status; i++)
        status = ready_policy(run, &run->policies[i], error);
    return status;
}

dq_status rollout_run(rollout *run, const eval_options *o, dq_cli *cli, dq_error *error)
{
    run->o = o;
    run->episodes = (size_t)o->episodes;
    run->steps = (size_t)o->steps;
    dq_status status = ready(run, cli, error);
    if (status) return status;
    dq_progress bar = dq_progress_start(&o->common, "episodes", o->episodes);
    for (size_t e = 0; e < run->episodes && !status; e++) {
        status = know_user(run, run->users[e % run->user_count], error);
        for (size_t p = 0; p < run->policy_count && !status; p++)
            status = play(run, &run->policies[p], e, error);
        dq_progress_step(&bar, e + 1, "");
    }
    dq_progress_end(&bar);
    return status;
}

void rollout_free(rollout *run)
{
    for (size_t i = 0; i < run->policy_count; i++) {
        policy *p = &run->policies[i];
        dq_models_free(&p->models);
        dq_reader_close(p->reader);
        dq_net_free(p->player.net);
        dq_env_free(p->player.env);
        dq_catalogue_policy_close(&p->player);
        free(p->reward);
        free(p->labelled);
    }
    free(run->policies);
    dq_labeller_free(&run->labeller);
    dq_pool_free(run->pool);
    dq_dataset_free(&run->dataset);
    dq_reader_close(run->reader);
    free(run->users);
    free(run->rewards);
    free(run->labels);
    free(run->pair_user);
    free(run->pair_item);
    free(run->chosen);
}
