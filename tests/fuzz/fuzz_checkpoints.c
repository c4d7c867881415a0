/* SPDX-License-Identifier: MIT
 *
 * Checkpoints: a run is made as the program makes it, takes the checkpoint up, goes on for some steps, and is
 * saved again. Two bytes of options, then bodies of bundles (bundles.h), of which the first model is the
 * checkpoint:
 *
 *     0 E  online in an environment (E % 8 of the table), evaluated where E has 8
 *     1 E  offline over the transitions of a catalogue, with E & 1 negatives
 *     2 E  offline over sessions
 *     3 E  online in the catalogue, for its first user, with cosines for rewards
 *
 * The configuration, which a command line would say, is the checkpoint's own where it is small.
 */
#include "bundles.h"

#include "data/dataset.h"
#include "env/catalogue.h"
#include "label/user_rewards.h"
#include "offline/rows.h"
#include "offline/sessions.h"
#include "rollout/online.h"

#include <stdlib.h>
#include <string.h>

enum { BUNDLES = 16, MODEST = 64, STEPS = 12 };

static const char *const environments[] = {
    "cartpole", "chain",    "sequence", "session:users=2,items=3,steps=4", "films:users=2,films=3,steps=4",
    "maze",     "cartpole", "chain"};

static dq_pool *pool;

static bool modest_widths(const uint32_t *widths, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (widths[i] > MODEST) return false;
    return true;
}

/* Whether a person would have asked for so little. */
static bool modest(const dq_agent_config *c)
{
    return modest_widths(c->hidden, c->hidden_count) &&
           modest_widths(c->value_hidden, c->value_hidden_count) &&
           modest_widths(c->world_hidden, c->world_hidden_count) && c->replay <= MODEST &&
           c->fit_rows <= MODEST && c->batch <= MODEST && c->envs <= 4 && c->states <= MODEST &&
           c->planning <= 8 && c->rollout <= 8 && c->models <= 4 && c->n_step <= 8 && c->updates <= 8 &&
           c->train_every <= MODEST && c->offered <= MODEST;
}

/* What the command line would have said; false where nobody says that. */
static bool read_config(const dq_bundle *model, const char **kind, dq_agent_config *config,
                        dq_env_spec *shape)
{
    dq_error e = DQ_ERROR_NONE;
    if (!dq_agent_read_config(model, kind, config, shape, &e)) return modest(config);
    fuzz_refused(&e);
    return false;
}

/* Fails with words, or not at all. */
static bool fine(dq_status status, const dq_error *error)
{
    if (status && status != DQ_ERR_STOPPED) fuzz_refused(error);
    return status == DQ_OK;
}

/* ---- online ---- */

static uint64_t steps_left;

static dq_status stop(void *arg, dq_online *run, dq_error *error)
{
    (void)arg;
    (void)run;
    return steps_left-- > 0 ? DQ_OK : dq_fail(error, DQ_ERR_STOPPED, "enough");
}

static dq_status evaluated(void *arg, const dq_online *run, const dq_played *played, bool better,
                           dq_error *error)
{
    (void)arg;
    (void)run;
    (void)better;
    (void)error;
    fuzz_finite(played->total);
    return DQ_OK;
}

static void save_online(const dq_online *run)
{
    dq_error e = DQ_ERROR_NONE;
    dq_bundle model;
    if (dq_bundle_init(&model, "model", 0, &e)) fuzz_fail("%s", e.reason);
    if (dq_online_save(run, &model, &e)) fuzz_fail("what was taken up cannot be saved: %s", e.reason);
    fuzz_use(&model);
    dq_bundle_free(&model);
}

static void go_on(const dq_bundle *model, const char *kind, const dq_agent_config *config, dq_vec_env *envs,
                  dq_vec_env *eval_envs)
{
    dq_error e = DQ_ERROR_NONE;
    dq_online run = {.config = {.evaluate = eval_envs ? 1 : 0,
                                .evaluate_episodes = 1,
                                .max_steps = 10,
                                .keep_best = eval_envs != NULL,
                                .evaluated = evaluated,
                                .stepped = stop},
                     .envs = envs,
                     .eval_envs = eval_envs};
    run.config.steps = UINT64_MAX;
    dq_agent *agent = NULL;
    dq_status status = dq_agent_new(&agent, kind, config, &envs->shape, pool, &e);
    run.agent = agent;
    if (!status) status = dq_online_open(&run, &e);
    if (!status) status = dq_online_restore(&run, model, &e);
    steps_left = STEPS;
    bool taken = fine(status, &e);
    if (taken) status = dq_online_run(&run, &e);
    if (taken && (fine(status, &e) || status == DQ_ERR_STOPPED)) save_online(&run);
    dq_online_close(&run);
    dq_agent_free(agent);
}

static void resume_in_environment(const dq_bundle *model, unsigned which)
{
    const char *kind;
    dq_agent_config config;
    dq_env_spec shape;
    dq_error e = DQ_ERROR_NONE;
    dq_vec_env *envs = NULL, *eval_envs = NULL;
    if (!read_config(model, &kind, &config, &shape)) return;
    const dq_vec_env_config of = {
        .name = environments[which % 8], .count = config.envs ? config.envs : 1, .seed = 3};
    const dq_vec_env_config eval = {.name = of.name, .count = 1, .seed = 4};
    dq_status status = dq_vec_env_open(&envs, &of, &e);
    if (!status && which & 8) status = dq_vec_env_open(&eval_envs, &eval, &e);
    if (fine(status, &e)) go_on(model, kind, &config, envs, eval_envs);
    (void)dq_vec_env_close(envs, DQ_OK, &e);
    (void)dq_vec_env_close(eval_envs, DQ_OK, &e);
}

static dq_status gather(dq_bundle *bundles, size_t count, dq_dataset *dataset, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < count; i++)
        if (strcmp(bundles[i].kind, DQ_KIND_MODEL) != 0)
            status = dq_dataset_add(dataset, &bundles[i], 0, error);
    if (!status) status = dq_catalogue_finish(&dataset->catalogue, false, error);
    if (!status) status = dq_entities_check_vectors(&dataset->catalogue.users, "users", error);
    return status ? status : dq_entities_check_vectors(&dataset->catalogue.items, "items", error);
}

static void resume_in_catalogue(const dq_bundle *model, const dq_dataset *dataset)
{
    const char *kind;
    dq_agent_config config;
    dq_env_spec shape;
    dq_error e = DQ_ERROR_NONE;
    dq_label_map map = {0};
    dq_user_rewards *rewards = NULL;
    dq_env *env = NULL;
    dq_vec_env *envs = NULL;
    if (!read_config(model, &kind, &config, &shape)) return;
    const dq_user_rewards_config of = {.dataset = dataset, .map = &map, .from = DQ_REWARDS_COSINE};
    dq_status status = dq_label_map_parse(&map, "APPLY=1,SAVE=0.5,CLICK=0,IGNORE=-0.1", &e);
    if (!status) status = dq_user_rewards_new(&rewards, &of, &e);
    if (!status) status = dq_user_rewards_serve(rewards, 0, &e);
    const dq_catalogue_env_config world = {.users = dq_entities_vectors(&dataset->catalogue.users),
                                           .items = dq_entities_vectors(&dataset->catalogue.items),
                                           .candidates = 4,
                                           .step_limit = 3,
                                           .reward = dq_user_rewards_of,
                                           .reward_arg = rewards};
    if (!status) status = dq_catalogue_env_new(&env, &world, 0, &e);
    const dq_vec_env_config side = {.env = env, .count = 1, .seed = 3};
    if (!status) status = dq_vec_env_open(&envs, &side, &e);
    if (!status) status = dq_user_rewards_restore(rewards, model, &e);
    if (fine(status, &e)) go_on(model, kind, &config, envs, NULL);
    (void)dq_user_rewards_end(rewards, DQ_OK, &e);
    (void)dq_vec_env_close(envs, DQ_OK, &e);
    dq_env_free(env);
    dq_label_map_free(&map);
}

/* ---- offline ---- */

static void save_offline(dq_agent *agent, dq_offline *run)
{
    dq_error e = DQ_ERROR_NONE;
    dq_bundle model;
    if (dq_bundle_init(&model, "model", 0, &e)) fuzz_fail("%s", e.reason);
    dq_status status = dq_agent_save(agent, true, &model, &e);
    if (!status) status = dq_offline_save(run, &model, &e);
    if (status) fuzz_fail("what was taken up cannot be saved: %s", e.reason);
    fuzz_use(&model);
    dq_bundle_free(&model);
}

static dq_status step_offline(dq_offline *run, dq_error *error)
{
    dq_status status = DQ_OK;
    bool ended;
    for (int i = 0; !status && i < STEPS && !dq_offline_done(run); i++) {
        status = dq_offline_step(run, &ended, error);
        if (!status && ended) fuzz_finite(dq_offline_last(run).q_loss);
    }
    return status;
}

static void resume_over(const dq_bundle *model, const dq_offline_rows *rows, const dq_env_spec *shape,
                        dq_offline_config passes)
{
    const char *kind;
    dq_agent_config config;
    dq_env_spec saved;
    dq_error e = DQ_ERROR_NONE;
    dq_agent *agent = NULL;
    dq_offline *run = NULL;
    if (!read_config(model, &kind, &config, &saved)) return;
    passes.batch = config.batch;
    if (config.fit_rows < DQ_OFFLINE_ROWS(passes)) config.fit_rows = DQ_OFFLINE_ROWS(passes);
    dq_offline_bound(&passes, rows, &config);
    dq_status status = dq_agent_new(&agent, kind, &config, shape, pool, &e);
    if (!status) status = dq_offline_new(&run, &passes, agent, rows, &e);
    if (!status) status = dq_agent_load(agent, true, model, &e);
    if (!status) status = dq_offline_restore(run, model, &e);
    bool taken = fine(status, &e);
    if (taken) status = step_offline(run, &e);
    if (taken && fine(status, &e)) save_offline(agent, run);
    if (taken && !status && dq_offline_done(run)) (void)fine(dq_offline_finish(run, &e), &e);
    dq_offline_free(run);
    dq_agent_free(agent);
}

static const dq_offline_config passes = {
    .epochs = 2, .negative_reward = -0.1F, .validation = 0.05, .best_by = DQ_BEST_BY_CONCORDANCE, .seed = 3};

static void resume_over_transitions(const dq_bundle *model, const dq_dataset *dataset, unsigned negatives)
{
    dq_error e = DQ_ERROR_NONE;
    dq_offline_catalogue catalogue = {0};
    dq_offline_config config = passes;
    config.negatives = negatives & 1;
    if (fine(dq_offline_catalogue_init(&catalogue, dataset, &e), &e)) {
        const dq_vectors items = dq_entities_vectors(&dataset->catalogue.items);
        const dq_env_spec shape = dq_catalogue_env_spec(&catalogue.users, &items);
        const dq_offline_rows rows = dq_offline_catalogue_rows(&catalogue, NULL);
        resume_over(model, &rows, &shape, config);
    }
    dq_offline_catalogue_free(&catalogue);
}

static void resume_over_sessions(const dq_bundle *model, const dq_dataset *dataset)
{
    dq_error e = DQ_ERROR_NONE;
    dq_label_map map = {0};
    dq_session_log log = {.map = &map, .time = DQ_SESSION_TIME_DEFAULT};
    dq_session_rows by_user = {0};
    dq_sessions *sessions = NULL;
    dq_session_layout layout = {0};
    dq_offline_config config = passes;
    config.validation = 0.1;
    config.best_by = DQ_BEST_BY_NDCG;
    dq_status status = dq_label_map_parse(&map, "APPLY=1,SAVE=0.5,CLICK=0,IGNORE=-0.1", &e);
    for (size_t i = 0; !status && i < dataset->catalogue.interaction_bundle_count; i++)
        status = dq_session_log_add(&log, &dataset->catalogue.interaction_bundles[i], &e);
    if (!status) status = dq_session_layout_load(&layout, model, &e);
    if (!status) status = dq_session_log_of_catalogue(&log, &dataset->catalogue, &by_user, &e);
    by_user.layout = layout;
    by_user.layout.user_width = by_user.users.width;
    by_user.layout.item_width = by_user.items.width;
    if (layout.history > MODEST) status = dq_fail(&e, DQ_ERR_RANGE, "nobody asks for so much");
    if (!status) status = dq_sessions_new(&sessions, &by_user, false, &e);
    if (fine(status, &e)) {
        const dq_env_spec shape = dq_sessions_shape(&by_user);
        const dq_offline_rows rows = dq_sessions_rows(sessions, NULL);
        resume_over(model, &rows, &shape, config);
    }
    dq_sessions_free(sessions);
    dq_session_rows_free(&by_user);
    dq_session_log_free(&log);
    dq_label_map_free(&map);
}

/* ---- the call ---- */

static void resume(dq_bundle *bundles, size_t count, unsigned way, unsigned which)
{
    dq_error e = DQ_ERROR_NONE;
    dq_dataset dataset = DQ_DATASET_EMPTY;
    const dq_bundle *model = NULL;
    for (size_t i = 0; !model && i < count; i++)
        if (strcmp(bundles[i].kind, DQ_KIND_MODEL) == 0) model = &bundles[i];
    if (model && way == 0) resume_in_environment(model, which);
    if (model && way > 0 && fine(gather(bundles, count, &dataset, &e), &e)) {
        if (way == 1) resume_over_transitions(model, &dataset, which);
        if (way == 2) resume_over_sessions(model, &dataset);
        if (way == 3) resume_in_catalogue(model, &dataset);
    }
    dq_dataset_free(&dataset);
}

static void read_checkpoint(const uint8_t *data, size_t n)
{
    fuzz_bytes rest = {data, n};
    dq_error e = DQ_ERROR_NONE;
    dq_bundle bundles[BUNDLES];
    if (!pool && dq_pool_new(&pool, 1, &e)) fuzz_fail("%s", e.reason);
    unsigned way = fuzz_byte(&rest) % 4, which = fuzz_byte(&rest);
    size_t count = fuzz_read_bundles(rest, bundles, BUNDLES);
    resume(bundles, count, way, which);
    for (size_t i = 0; i < count; i++) dq_bundle_free(&bundles[i]);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed)
{
    return fuzz_mutate_bundles(data, n, most, seed, 2);
}

const fuzz_target fuzz_it = {.read = read_checkpoint, .memory = 4 << 20, .per_byte = 512};
