/* SPDX-License-Identifier: MIT */
#include "rollout.h"

#include "data/load.h"
#include "data/model_items.h"
#include "env/catalogue.h"
#include "report/pictures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOGETHER = 256, CHANCE_STREAM = 0x726f6c6c };

/* ---- a catalogue ---- */

static dq_status read_catalogue(rollout *run, dq_error *error)
{
    const dq_cli *cli = run->cli;
    dq_status status = dq_reader_open(&run->reader, cli->operands, cli->operand_count, error);
    if (!status) status = dq_dataset_read(&run->dataset, run->reader, error);
    if (!status) status = dq_catalogue_check_vectors(&run->dataset.catalogue, error);
    if (status) return status;
    size_t items = dq_entities_count(&run->dataset.catalogue.items);
    size_t offered = run->o->candidates < items ? (size_t)run->o->candidates : items;
    if (run->o->distinct && run->outcomes.steps > offered)
        return dq_fail(error, DQ_ERR_RANGE, "--distinct: %zu steps, and only %zu candidates",
                       run->outcomes.steps, offered);
    return DQ_OK;
}

static dq_status choose_fields(rollout *run, dq_error *error)
{
    bool cosine = false;
    for (size_t p = 0; p < run->policy_count; p++) cosine = cosine || run->policies[p].kind == POLICY_COSINE;
    if (!cosine) return DQ_OK;
    run->fields.strategy = DQ_STRATEGY_COSINE;
    run->fields.threads = 1;
    dq_status status = dq_labeller_ready(&run->fields, &run->dataset.catalogue, error);
    if (status) return status;
    return dq_labeller_fields(&run->fields, run->o->pairs.at, run->o->pairs.count, error);
}

static dq_status open_rewards(rollout *run, dq_error *error)
{
    const eval_options *o = run->o;
    const dq_user_rewards_config config = {.dataset = &run->dataset,
                                           .map = &run->map,
                                           .from = (dq_rewards_from)o->reward,
                                           .interactions = true,
                                           .raw_cosine = o->raw_cosine,
                                           .fields = o->pairs.at,
                                           .field_count = o->pairs.count,
                                           .command = o->reward_cmd,
                                           .unlabelled = true,
                                           .maker = &run->speaker};
    dq_status status = dq_label_map_parse(&run->map, o->map, error);
    run->outcomes.labels = &run->map.labels;
    run->outcomes.label_count = dq_index_count(&run->map.labels) + 1;
    return status ? status : dq_user_rewards_new(&run->rewards, &config, error);
}

static dq_status open_catalogue(rollout *run, dq_error *error)
{
    dq_status status = read_catalogue(run, error);
    if (!status) status = choose_fields(run, error);
    return status ? status : open_rewards(run, error);
}

/* What a step brought, and the label of what was chosen. */
static void watch(void *arg, const dq_watched *step)
{
    const rollout *run = arg;
    policy *p = run->playing;
    size_t n, row;
    const char *label = dq_user_rewards_label(run->rewards, step->action, &n);
    p->outcome->by_step[step->at] += (double)step->step.reward;
    row = label ? dq_index_find(&run->map.labels, label, n) : DQ_ABSENT;
    p->outcome->labels[row == DQ_ABSENT ? run->outcomes.label_count - 1 : row]++;
}

/* ---- policies ---- */

policy_kind rollout_kind(const char *name)
{
    return strcmp(name, "random") == 0      ? POLICY_RANDOM
           : strcmp(name, "cosine") == 0    ? POLICY_COSINE
           : strcmp(name, "untrained") == 0 ? POLICY_UNTRAINED
                                            : POLICY_MODEL;
}

static dq_status open_policy(rollout *run, policy *p, const char *name, dq_error *error)
{
    static const dq_policy_by by[] = {[POLICY_MODEL] = DQ_POLICY_AGENT,
                                      [POLICY_UNTRAINED] = DQ_POLICY_AGENT,
                                      [POLICY_COSINE] = DQ_POLICY_COSINE,
                                      [POLICY_RANDOM] = DQ_POLICY_RANDOM};
    p->name = name;
    p->kind = rollout_kind(name);
    if (p->kind == POLICY_COSINE && !run->catalogue)
        return dq_fail(
            error, DQ_ERR_RANGE,
            "--model cosine is for a catalogue, whose fields it compares; in an environment a model, "
            "random or untrained acts");
    p->player = (dq_policy){.by = by[p->kind],
                            .epsilon = run->o->epsilon,
                            .max_steps = run->catalogue ? 0 : run->o->max_steps,
                            .distinct = run->o->distinct,
                            .rng = dq_rng_stream(run->o->common.seed, CHANCE_STREAM)};
    if (p->kind != POLICY_MODEL) return DQ_OK;
    dq_status status = dq_models_read(&p->models, &p->reader, name, error);
    dq_cli_say_kept(run->cli, &run->o->common, name, &p->models.kept);
    return status ? status : dq_session_layout_load(&p->like, &p->models.at[0], error);
}

static dq_status open_envs(rollout *run, policy *p, dq_error *error)
{
    const dq_vec_env_config config = {.name = run->o->env,
                                      .command = run->o->env_cmd,
                                      .env = p->env,
                                      .like = &p->like,
                                      .count = p->env                              ? 1
                                               : run->outcomes.episodes < TOGETHER ? run->outcomes.episodes
                                                                                   : TOGETHER,
                                      .seed = run->o->common.seed,
                                      .maker = &run->speaker};
    return dq_vec_env_open(&p->envs, &config, error);
}

static dq_status ready_catalogue(rollout *run, policy *p, dq_error *error)
{
    const dq_catalogue_env_config config = {.users = dq_entities_vectors(&run->dataset.catalogue.users),
                                            .items = dq_entities_vectors(&run->dataset.catalogue.items),
                                            .candidates = (uint32_t)run->o->candidates,
                                            .step_limit = (uint32_t)run->outcomes.steps,
                                            .reward = dq_user_rewards_of,
                                            .reward_arg = run->rewards};
    p->player.pairs = run->fields.pairings;
    p->player.pair_count = run->fields.pairing_count;
    p->player.arg = run;
    p->player.watch = watch;
    dq_status status = dq_catalogue_env_new(&p->env, &config, 0, error);
    return status ? status : open_envs(run, p, error);
}

/* ---- agents ---- */

/* The model that a policy takes; an untrained one has the shape of the first model beside it. NULL: none. */
static dq_status find_model(const rollout *run, const policy *p, const char *id, size_t n,
                            const dq_bundle **model, dq_error *error)
{
    const policy *from = p;
    for (size_t i = 0; p->kind == POLICY_UNTRAINED && i < run->policy_count; i++)
        if (run->policies[i].kind == POLICY_MODEL) {
            from = &run->policies[i];
            break;
        }
    *model = dq_models_of(&from->models, id, n);
    if (*model || (p->kind == POLICY_UNTRAINED && run->catalogue)) return DQ_OK;
    if (p->kind == POLICY_UNTRAINED)
        return dq_fail(error, DQ_ERR_RANGE, "untrained: there is no model whose shape it could have");
    if (id) return dq_fail(error, DQ_ERR_UNKNOWN, "%s has no model for user %.*s", p->name, (int)n, id);
    return dq_fail(error, DQ_ERR_RANGE, "%zu models, where one is wanted", from->models.count);
}

/* The fields that a model's inputs were are those of the catalogue, and so are the items that it learnt. */
static dq_status check_layout(const rollout *run, const dq_bundle *model, dq_error *error)
{
    const dq_catalogue *c = &run->dataset.catalogue;
    const char *kind;
    dq_agent_config config;
    dq_env_spec shape;
    dq_status status = dq_agent_read_config(model, &kind, &config, &shape, error);
    if (status || !run->catalogue) return status;
    status = dq_agent_shape_fits(&shape, c, model, error);
    if (status) return status;
    const dq_vectors items = dq_entities_vectors(&c->items);
    return dq_model_items_check(model, config.head == DQ_HEAD_OUTPUTS, &c->items.identity.ids, &items, error);
}

static dq_status make_untrained(const rollout *run, policy *p, const dq_bundle *model, dq_error *error)
{
    const char *kind = "dqn";
    dq_env_spec shape;
    dq_agent_config config = dq_agent_find(kind)->defaults;
    config.head = DQ_HEAD_ACTIONS;
    dq_status status = model ? dq_agent_read_config(model, &kind, &config, &shape, error) : DQ_OK;
    if (status) return status;
    config.seed = run->o->common.seed;
    return dq_agent_new_untrained(&p->player.agent, kind, &config, &p->envs->shape, run->pool, error);
}

/* Those of the model, of this catalogue. */
static dq_status give_features(const rollout *run, policy *p, const dq_bundle *model, dq_error *error)
{
    const dq_catalogue *c = &run->dataset.catalogue;
    bool seen = dq_feature_model_asks_seen(model);
    const dq_feature_source source = {.catalogue = c,
                                      .names = "none",
                                      .seen = seen ? &p->seen : NULL,
                                      .last = DQ_FEATURE_AS_LEARNT,
                                      .model = model,
                                      .pool = run->pool};
    uint32_t none;
    dq_status status = seen ? dq_history_as(&p->seen, c, model, error) : DQ_OK;
    if (!status) status = dq_feature_users_new(&p->features, &source, NULL, 0, &none, error);
    if (status || !p->features) return status;
    const dq_pair_features given = {p->features, dq_feature_columns(dq_feature_users_set(p->features)),
                                    dq_feature_users_fill};
    return dq_agent_give(p->player.agent, &given, error);
}

/* Gives a policy the agent of a user (id NULL: of nobody), where it has one. */
static dq_status take_agent(const rollout *run, policy *p, const char *id, size_t n, dq_error *error)
{
    const dq_bundle *model = NULL;
    if (p->player.by != DQ_POLICY_AGENT) return DQ_OK;
    dq_status status = find_model(run, p, id, n, &model, error);
    if (status || (p->player.agent && model == p->loaded)) return status;
    dq_agent_free(p->player.agent);
    dq_feature_users_free(p->features);
    dq_history_free(&p->seen);
    p->player.agent = NULL;
    p->features = NULL;
    p->loaded = model;
    if (model) status = check_layout(run, model, error);
    if (!status)
        status = p->kind == POLICY_MODEL
                     ? dq_episodes_agent(&p->player.agent, model, p->envs, run->pool, error)
                     : make_untrained(run, p, model, error);
    if (!status && model && run->catalogue) status = give_features(run, p, model, error);
    return status && p->kind == POLICY_MODEL ? dq_error_at(error, p->name, DQ_NO_RECORD) : status;
}

/* ---- playing ---- */

/* One user's episodes: number first, first + users, ... */
static dq_status serve(rollout *run, uint32_t user, size_t first, size_t users, dq_progress *bar,
                       dq_error *error)
{
    size_t n;
    const char *id = dq_entities_id(&run->dataset.catalogue.users, user, &n);
    dq_status status = dq_user_rewards_serve(run->rewards, user, error);
    for (size_t i = 0; i < run->policy_count && !status; i++) {
        policy *p = run->playing = &run->policies[i];
        status = take_agent(run, p, id, n, error);
        dq_catalogue_env_serve(p->env, user);
        for (size_t e = first; e < run->outcomes.episodes && !status; e += users) {
            p->envs->episode[0] = e; /* its seed is by its number, whenever it is played */
            status = dq_episodes_play(p->envs, &p->player, &p->outcome->played[e], error);
            dq_progress_step(bar, ++bar->done, "");
        }
    }
    return status;
}

/* The users of --user, or all, in turn; a user's episodes are played together, so that whoever labels is
 * asked about each user once. */
static dq_status serve_all(rollout *run, const bool *only, dq_progress *bar, dq_error *error)
{
    uint32_t n = dq_entities_count(&run->dataset.catalogue.users), wanted = 0, turn = 0;
    dq_status status = DQ_OK;
    for (uint32_t u = 0; u < n; u++) wanted += !only || only[u];
    for (uint32_t u = 0; u < n && turn < run->outcomes.episodes && !status; u++)
        if (!only || only[u]) status = serve(run, u, turn++, wanted, bar, error);
    return status;
}

static dq_status play_catalogue(rollout *run, dq_progress *bar, dq_error *error)
{
    const dq_texts *users = &run->o->users;
    bool *only = NULL;
    dq_status status = DQ_OK;
    for (size_t i = 0; i < run->policy_count && !status; i++)
        status = ready_catalogue(run, &run->policies[i], error);
    if (!status)
        status = dq_entities_mark(&run->dataset.catalogue.users, "user", users->at, users->count, &only,
                                  error);
    if (!status) status = serve_all(run, only, bar, error);
    free(only);
    return status;
}

static void note_counters(rollout *run, const dq_vec_env *envs)
{
    run->outcomes.counter_count = 0;
    for (size_t c = 0; envs->counters[c]; c++)
        (void)snprintf(run->outcomes.counters[run->outcomes.counter_count++],
                       sizeof run->outcomes.counters[0], "%s", envs->counters[c]);
}

/* That an agent finds no end is a finding, but its return is not the whole one. */
static void say_cut(const rollout *run, const policy *p)
{
    size_t cut = dq_episodes_mean(p->outcome->played, run->outcomes.episodes).cut;
    if (cut)
        dq_cli_say(run->cli, &run->o->common,
                   "%s: %zu of %zu episodes were cut off after %llu steps (--max-steps)", p->name, cut,
                   run->outcomes.episodes, (unsigned long long)run->o->max_steps);
}

/* Environments are opened anew for each policy, so that none finds what another left behind. */
static dq_status play_env(rollout *run, dq_progress *bar, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < run->policy_count && !status; i++) {
        policy *p = &run->policies[i];
        status = open_envs(run, p, error);
        if (status) return status;
        note_counters(run, p->envs);
        status = take_agent(run, p, NULL, 0, error);
        if (!status)
            status = dq_episodes_play_many(p->envs, &p->player, run->outcomes.episodes, p->outcome->played,
                                           error);
        dq_agent_free(p->player.agent);
        p->player.agent = NULL;
        status = dq_vec_env_close(p->envs, status, error);
        p->envs = NULL;
        dq_progress_step(bar, (i + 1) * run->outcomes.episodes, "");
        if (!status) say_cut(run, p);
    }
    return status;
}

/* ---- what they came to ---- */

static double score_of(const void *outcomes, size_t measure, size_t which, size_t episode)
{
    (void)measure;
    return dq_outcome_score(outcomes, which, episode);
}

dq_status rollout_compare(const rollout *run, dq_compared *compared, dq_error *error)
{
    const dq_compare_options how = eval_compare_options(run->o);
    const char *measure = run->catalogue ? "reward" : "return";
    const dq_run_values values = {1, run->policy_count, run->outcomes.episodes, score_of, &run->outcomes};
    const dq_compared_names names = {.systems = run->o->models.at, .measures = &measure};
    return dq_compared_values(&values, &names, &how, compared, error);
}

dq_status rollout_figure(const void *played, const eval_options *o, dq_figure *figure, dq_error *error)
{
    const rollout *run = played;
    const dq_outcomes *all = &run->outcomes;
    dq_acted *acted = calloc(all->count, sizeof *acted);
    dq_status status = acted ? DQ_OK : dq_fail_memory(error, "a picture");
    const dq_acted_form form = {.score = run->catalogue ? "mean reward of a step" : "return",
                                .confidence = o->confidence,
                                .episodes = all->episodes,
                                .steps = o->cold_start ? all->steps : 0,
                                .labels = all->labels,
                                .label_count = dq_outcomes_labels(all),
                                .steps_in_all = (double)(all->episodes * all->steps)};
    for (size_t i = 0; acted && i < all->count; i++) {
        const dq_outcome *p = &all->at[i];
        acted[i] = (dq_acted){p->name, &p->score, p->labels, p->by_step};
    }
    if (!status) status = dq_acted_figure(acted, all->count, &form, figure, error);
    free(acted);
    return status;
}

/* ---- the run ---- */

static dq_status play(rollout *run, dq_error *error)
{
    const eval_options *o = run->o;
    dq_progress bar = dq_progress_start(&o->common, "playing", "episodes",
                                        run->policy_count * run->outcomes.episodes);
    dq_status status = run->catalogue ? play_catalogue(run, &bar, error) : play_env(run, &bar, error);
    dq_progress_end(&bar);
    return status;
}

static dq_status make_outcomes(rollout *run, dq_error *error)
{
    dq_outcomes *all = &run->outcomes;
    dq_status status = dq_outcomes_new(all, run->o->models.at, run->policy_count, error);
    for (size_t i = 0; i < all->count; i++) run->policies[i].outcome = &all->at[i];
    return status;
}

static dq_status sum_up(rollout *run, dq_error *error)
{
    const eval_options *o = run->o;
    const dq_compare_config config = {(size_t)o->resamples, o->confidence, o->common.seed};
    run->outcomes.labelled = run->catalogue && dq_user_rewards_labelled(run->rewards);
    return dq_outcomes_sum_up(&run->outcomes, &config, error);
}

dq_status rollout_run(rollout *run, const eval_options *o, dq_cli *cli, dq_error *error)
{
    bool catalogue = !o->env && !o->env_cmd;
    *run = (rollout){
        .o = o,
        .cli = cli,
        .catalogue = catalogue,
        .speaker = {.program = "dq-eval", .version = DQ_VERSION, .options = dq_map(), .seed = -1},
        .outcomes = {.episodes = (size_t)o->episodes,
                     .steps = catalogue ? (size_t)o->steps : 0,
                     .catalogue = catalogue,
                     .shows_steps = o->cold_start,
                     .shows_episodes = o->by_query}};
    run->policies = calloc(o->models.count, sizeof *run->policies);
    dq_status status = run->policies ? DQ_OK : dq_fail_memory(error, "roll-outs");
    for (; !status && run->policy_count < o->models.count; run->policy_count++)
        status = open_policy(run, &run->policies[run->policy_count], o->models.at[run->policy_count], error);
    if (!status && run->catalogue) status = open_catalogue(run, error);
    if (!status) status = make_outcomes(run, error);
    if (!status) status = dq_pool_new(&run->pool, dq_cli_threads(&o->common, 1), error);
    if (!status) status = play(run, error);
    return status ? status : sum_up(run, error);
}

dq_status rollout_close(void *played, dq_status status, dq_error *error)
{
    rollout *run = played;
    for (size_t i = 0; i < run->policy_count; i++) {
        policy *p = &run->policies[i];
        dq_agent_free(p->player.agent);
        dq_feature_users_free(p->features);
        dq_history_free(&p->seen);
        status = dq_vec_env_close(p->envs, status, error);
        dq_env_free(p->env);
        dq_models_free(&p->models);
        dq_reader_close(p->reader);
    }
    free(run->policies);
    dq_outcomes_free(&run->outcomes);
    uint64_t asked = run->rewards ? dq_user_rewards_asked(run->rewards) : 0;
    if (asked)
        dq_cli_say(run->cli, &run->o->common, "%llu pairs asked of %s", (unsigned long long)asked,
                   run->o->reward_cmd);
    status = dq_user_rewards_end(run->rewards, status, error);
    dq_labeller_free(&run->fields);
    dq_label_map_free(&run->map);
    dq_pool_free(run->pool);
    dq_dataset_free(&run->dataset);
    dq_reader_close(run->reader);
    return status;
}
