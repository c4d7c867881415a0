/* SPDX-License-Identifier: MIT */
#include "train.h"

#include "data/describe.h"
#include "data/load.h"

#include <string.h>

/* ---- the input ---- */

dq_status train_read_init(train *t, dq_error *error)
{
    const char *init = t->o->init;
    dq_reader **reader = &t->inputs[t->input_count];
    dq_status status = init ? dq_models_read(&t->init, reader, init, error) : DQ_OK;
    if (*reader) t->input_count++;
    dq_cli_say_kept(t->cli, &t->o->common, init, init ? &t->init.kept : &t->dataset.models.kept);
    return status;
}

dq_status train_read_all(train *t, dq_error *error)
{
    dq_status status = dq_reader_open(&t->inputs[0], t->cli->operands, t->cli->operand_count, error);
    if (status) return status;
    t->input_count = 1;
    status = dq_dataset_read(&t->dataset, t->inputs[0], error);
    return status ? status : dq_catalogue_check_vectors(&t->dataset.catalogue, error);
}

dq_status train_read_map(train *t, dq_error *error)
{
    dq_status status = dq_label_map_parse(&t->map, t->o->map, error);
    if (status) return status;
    t->ignore = (float)dq_label_map_ignore(&t->map);
    return DQ_OK;
}

dq_status train_open_output(train *t, dq_error *error)
{
    return dq_writer_open(&t->output, t->o->common.output, &t->maker, t->inputs, t->input_count, error);
}

dq_status train_open(train *t, dq_error *error)
{
    dq_status status = train_read_map(t, error);
    if (!status && t->cli->mode != TRAIN_ENV) status = train_read_all(t, error);
    if (!status) status = train_read_init(t, error);
    return status ? status : train_open_output(t, error);
}

void train_close(train *t)
{
    dq_writer_abort(t->output);
    dq_feature_users_free(t->features);
    dq_history_free(&t->seen);
    dq_pool_free(t->pool);
    dq_dataset_free(&t->dataset);
    dq_models_free(&t->init);
    dq_label_map_free(&t->map);
    dq_model_items_free(&t->items);
    dq_reader_close(t->inputs[0]);
    dq_reader_close(t->inputs[1]);
}

/* ---- the agent ---- */

dq_bundle *train_init_model(const train *t, uint32_t user)
{
    const dq_models *models = t->init.count ? &t->init : &t->dataset.models;
    size_t n = 0;
    const char *id = user == DQ_ABSENT ? NULL : dq_entities_id(&t->dataset.catalogue.users, user, &n);
    const dq_bundle *model = dq_models_of(models, id, n);
    return model ? &models->at[model - models->at] : NULL;
}

dq_status train_blame_init(const train *t, dq_status status, dq_error *error)
{
    return status && t->init.count ? dq_error_at(error, t->o->init, DQ_NO_RECORD) : status;
}

/* Features that the agent is given. */
static void give_features(train *t, dq_agent_config *config)
{
    config->given = (dq_pair_features){t->features, dq_feature_columns(dq_feature_users_set(t->features)),
                                       dq_feature_users_fill};
    t->logged.rows.given = config->given.width;
    t->logged.rows.features_self = t->features;
    t->logged.rows.features = dq_feature_users_fill;
}

/* Cosines that the network computes, and features that it is given: learnt from a log's labels, or those of
 * the model that is started from. The user stands at the beginning of a state. */
static dq_status choose_features(train *t, const dq_bundle *model, dq_agent_config *config, dq_error *error)
{
    const dq_offline_catalogue *l = &t->logged.catalogue;
    const dq_bundle *from = dq_cli_given(t->cli, "features") ? NULL : model;
    bool seen = t->o->seen || (from && dq_feature_model_asks_seen(from));
    const dq_catalogue *c = &t->dataset.catalogue;
    dq_status status = !seen        ? DQ_OK
                       : t->o->seen ? dq_history_of_catalogue(&t->seen, c, &t->map, t->o->time, error)
                                    : dq_history_as(&t->seen, c, from, error);
    const dq_feature_source source = {.catalogue = c,
                                      .names = t->o->features,
                                      .learn = t->cli->mode == TRAIN_OFFLINE,
                                      .rows = {l->count, l->user, l->action, l->reward, t->ignore},
                                      .group = t->logged.group,
                                      .seen = seen ? &t->seen : NULL,
                                      .last = t->o->seen ? t->o->layout.history : DQ_FEATURE_AS_LEARNT,
                                      .recency = t->o->layout.recency,
                                      .model = from,
                                      .pool = t->pool};
    bool held = t->o->passes.validation > 0 || t->o->passes.folds;
    if (!status)
        status = dq_feature_users_new(&t->features, &source, config->features, DQ_NET_MAX_FEATURES,
                                      &config->feature_count, error);
    if (status) return status;
    if (t->features) give_features(t, config);
    if (!config->feature_count && dq_cli_given(t->cli, "features") && dq_cli_given(t->cli, "feature-scale"))
        dq_cli_usage(t->cli, "--feature-scale needs cosines among --features: pairs or all");
    if (!t->features && !held && dq_cli_given(t->cli, "validate-by"))
        dq_cli_usage(t->cli, "--validate-by needs --validation or --fold, or features of users' labels");
    dq_agent_config_drop_features(config, train_is_given, t->cli);
    return DQ_OK;
}

/* What a model is taken over from says of itself. */
static dq_status follow_model(const train *t, dq_bundle *model, dq_agent_config *config, dq_error *error)
{
    const char *kind;
    dq_agent_config saved;
    dq_env_spec shape;
    dq_status status = dq_agent_read_config(model, &kind, &saved, &shape, error);
    if (!status && !(t->cli->mode & (TRAIN_STATES | TRAIN_ENV))) /* they are of no catalogue */
        status = dq_agent_shape_fits(&shape, &t->dataset.catalogue, model, error);
    if (!status && strcmp(kind, "tabular") != 0)
        dq_agent_config_inherit(config, &saved, train_is_given, t->cli);
    return status;
}

static dq_status make_agent(train *t, const dq_env_spec *shape, dq_bundle *model, dq_agent **agent,
                            dq_error *error)
{
    dq_agent_config config = t->o->config;
    dq_status status = choose_features(t, model, &config, error);
    if (!status && model) status = follow_model(t, model, &config, error);
    if (status) return status;
    config.sparse = dq_agent_suits_sparse(train_agents[t->o->agent], &config, shape);
    return dq_agent_new(agent, train_agents[t->o->agent], &config, shape, t->pool, error);
}

/* Whoever goes on must have the items that were learnt. */
static dq_status check_items(const train *t, const dq_agent *agent, const dq_bundle *model, dq_error *error)
{
    const dq_entities *items = &t->dataset.catalogue.items;
    const dq_vectors vectors = dq_entities_vectors(items);
    bool outputs = dq_agent_get_config(agent)->head == DQ_HEAD_OUTPUTS;
    if (!(t->cli->mode & TRAIN_ITEMS) && !t->logged.named) return DQ_OK;
    return dq_model_items_check(model, outputs, &items->identity.ids, &vectors, error);
}

dq_status train_agent(train *t, const dq_env_spec *shape, uint32_t user, dq_agent **agent, dq_error *error)
{
    dq_bundle *model = train_init_model(t, user);
    *agent = NULL;
    if ((t->init.count || t->dataset.models.count) && !model)
        return dq_fail(error, DQ_ERR_UNKNOWN, "several models to start from, and none for this user");
    dq_status status = make_agent(t, shape, model, agent, error);
    if (!status && model) status = dq_agent_load(*agent, false, model, error);
    if (!status && model) status = check_items(t, *agent, model, error);
    return model ? train_blame_init(t, status, error) : status;
}

/* ---- the output ---- */

static dq_status describe_items(const train *t, dq_bundle *model, dq_error *error)
{
    const char *kind;
    dq_agent_config config;
    dq_env_spec shape;
    dq_status status = dq_agent_read_config(model, &kind, &config, &shape, error);
    const dq_bundle *init = train_init_model(t, DQ_ABSENT);
    bool sessions = t->cli->mode == TRAIN_SESSIONS;
    if (!status && sessions) status = dq_session_log_describe(&t->logged.log, t->o->map, model, error);
    if (status) return status;
    if (t->cli->mode & TRAIN_ITEMS)
        return dq_describe_catalogue(&t->dataset.catalogue, sessions || config.head == DQ_HEAD_OUTPUTS, model,
                                     error);
    if (t->logged.named && !(init && dq_map_get(&init->meta, "items")))
        return dq_describe_catalogue(&t->dataset.catalogue, true, model, error);
    if (t->cli->mode == TRAIN_STATES)
        return init ? dq_describe_as(init, shape.action_count, model, error) : DQ_OK;
    if (t->o->env && !dq_map_set(&model->arena, &model->meta, "env", dq_string(&model->arena, t->o->env)))
        return dq_fail_memory(error, "a model");
    return dq_model_items_save(&t->items, model, error);
}

static dq_status describe(const train *t, dq_bundle *model, dq_error *error)
{
    dq_status status = describe_items(t, model, error);
    if (!status && t->features) status = dq_feature_save(dq_feature_users_set(t->features), model, error);
    if (status || !t->seen.start) return status;
    const dq_session_log seen = {.time = t->o->time};
    const dq_bundle *from = t->o->seen ? NULL : train_init_model(t, DQ_ABSENT);
    return dq_session_log_describe_as(from, &seen, t->o->map, model, error);
}

bool train_name_user(const train *t, uint32_t user, dq_arena *arena, dq_value *map)
{
    size_t n;
    if (user == DQ_ABSENT) return true;
    const char *id = dq_entities_id(&t->dataset.catalogue.users, user, &n);
    return dq_map_set(arena, map, "user", dq_string_n(arena, id, n));
}

dq_status train_finish_model(train *t, dq_bundle *model, uint32_t user, dq_error *error)
{
    dq_status status = describe(t, model, error);
    if (status || train_name_user(t, user, &model->arena, &model->meta)) return status;
    return dq_fail_memory(error, "a model");
}

dq_status train_write_model(const train *t, dq_status status, dq_bundle *model, dq_writer *out,
                            dq_error *error)
{
    if (!status) status = dq_writer_put(out, model, error);
    if (!status && t->o->common.flush) status = dq_writer_flush(out, error);
    dq_bundle_free(model);
    return status;
}

/* Its input is what was read, and the model that training starts from. */
dq_checkpoint train_checkpoint(const train *t)
{
    uint64_t digest = dq_dataset_digest(&t->dataset) ^ t->from.digest;
    digest = dq_models_digest(&t->dataset.models, dq_models_digest(&t->init, digest));
    return (dq_checkpoint){t->o->checkpoint, &t->maker, (int64_t)digest, "pass"};
}
