/* SPDX-License-Identifier: MIT */
#include "training/training.h"

#include <string.h>

void dq_training_free(dq_training *t)
{
    dq_offline_input_free(&t->logged);
    dq_training_drop_features(t);
    dq_pool_free(t->pool);
    dq_dataset_free(&t->dataset);
    dq_models_free(&t->init);
    dq_label_map_free(&t->map);
    dq_model_items_free(&t->items);
}

void dq_training_drop_features(dq_training *t)
{
    dq_feature_users_free(t->features);
    t->features = NULL;
    dq_history_free(&t->seen);
}

dq_bundle *dq_training_init(const dq_training *t, uint32_t user)
{
    const dq_models *models = t->init.count ? &t->init : &t->dataset.models;
    size_t n = 0;
    const char *id = user == DQ_ABSENT ? NULL : dq_entities_id(&t->dataset.catalogue.users, user, &n);
    const dq_bundle *model = dq_models_of(models, id, n);
    return model ? &models->at[model - models->at] : NULL;
}

dq_status dq_training_blame_init(const dq_training *t, dq_status status, dq_error *error)
{
    return status && t->init.count ? dq_error_at(error, t->init_name, DQ_NO_RECORD) : status;
}

uint64_t dq_training_digest(const dq_training *t)
{
    uint64_t digest = dq_dataset_digest(&t->dataset) ^ t->from.digest;
    return dq_models_digest(&t->dataset.models, dq_models_digest(&t->init, digest));
}

/* ---- features ---- */

/* Features that the agent is given. */
static void give_features(dq_training *t, dq_agent_config *config)
{
    config->given = (dq_pair_features){t->features, dq_feature_columns(dq_feature_users_set(t->features)),
                                       dq_feature_users_fill};
    t->logged.rows.given = config->given.width;
    t->logged.rows.features_self = t->features;
    t->logged.rows.features = dq_feature_users_fill;
}

/* Of several models to start from, one must be this user's. */
static dq_status find_init(const dq_training *t, uint32_t user, dq_bundle **model, dq_error *error)
{
    *model = dq_training_init(t, user);
    if (*model || (!t->init.count && !t->dataset.models.count)) return DQ_OK;
    return dq_fail(error, DQ_ERR_UNKNOWN, "several models to start from, and none for this user");
}

static dq_status make_features(dq_training *t, const dq_bundle *model, dq_agent_config *config,
                               dq_error *error)
{
    const dq_training_asked *a = &t->asked;
    const dq_offline_catalogue *l = &t->logged.catalogue;
    const dq_bundle *from = a->given(a->arg, "features") ? NULL : model;
    bool seen = a->seen || (from && dq_feature_model_asks_seen(from));
    const dq_catalogue *c = &t->dataset.catalogue;
    dq_status status = !seen     ? DQ_OK
                       : a->seen ? dq_history_of_catalogue(&t->seen, c, &t->map, a->time, error)
                                 : dq_history_as(&t->seen, c, from, error);
    /* the user stands at the beginning of a state */
    const dq_feature_source source = {.catalogue = c,
                                      .names = a->features,
                                      .learn = a->from == DQ_TRAINING_ROWS,
                                      .rows = {l->count, l->user, l->action, l->reward, t->ignore},
                                      .group = t->logged.group,
                                      .seen = seen ? &t->seen : NULL,
                                      .last = a->seen ? a->layout->history : DQ_FEATURE_AS_LEARNT,
                                      .recency = a->layout->recency,
                                      .model = from,
                                      .pool = t->pool};
    if (!status)
        status = dq_feature_users_new(&t->features, &source, config->features, DQ_NET_MAX_FEATURES,
                                      &config->feature_count, error);
    if (status) return status;
    if (t->features) give_features(t, config);
    return DQ_OK;
}

dq_status dq_training_features(dq_training *t, uint32_t user, dq_agent_config *config, dq_error *error)
{
    dq_bundle *model;
    dq_status status = find_init(t, user, &model, error);
    if (status) return status;
    status = make_features(t, model, config, error);
    return model ? dq_training_blame_init(t, status, error) : status;
}

/* ---- the agent ---- */

/* What a model is taken over from says of itself. */
static dq_status follow_model(const dq_training *t, dq_bundle *model, dq_agent_config *config,
                              dq_error *error)
{
    const char *kind;
    dq_agent_config saved;
    dq_env_spec shape;
    dq_status status = dq_agent_read_config(model, &kind, &saved, &shape, error);
    bool foreign = t->asked.from == DQ_TRAINING_STATES || t->asked.from == DQ_TRAINING_ENV; /* no catalogue */
    if (!status && !foreign) status = dq_agent_shape_fits(&shape, &t->dataset.catalogue, model, error);
    if (!status && strcmp(kind, "tabular") != 0)
        dq_agent_config_inherit(config, &saved, t->asked.given, t->asked.arg);
    return status;
}

/* Whoever goes on must have the items that were learnt. */
static dq_status check_items(const dq_training *t, const dq_agent *agent, const dq_bundle *model,
                             dq_error *error)
{
    const dq_entities *items = &t->dataset.catalogue.items;
    const dq_vectors vectors = dq_entities_vectors(items);
    bool outputs = dq_agent_get_config(agent)->head == DQ_HEAD_OUTPUTS;
    bool foreign = t->asked.from == DQ_TRAINING_STATES || t->asked.from == DQ_TRAINING_ENV;
    if (foreign && !t->logged.named) return DQ_OK;
    return dq_model_items_check(model, outputs, &items->identity.ids, &vectors, error);
}

dq_status dq_training_agent(dq_training *t, dq_agent_config *config, const dq_env_spec *shape, uint32_t user,
                            dq_agent **agent, dq_error *error)
{
    dq_bundle *model;
    *agent = NULL;
    dq_status status = find_init(t, user, &model, error);
    if (status) return status;
    dq_agent_config_drop_features(config, t->asked.given, t->asked.arg);
    if (model) status = follow_model(t, model, config, error);
    if (!status) {
        config->sparse = dq_agent_suits_sparse(t->asked.agent, config, shape);
        status = dq_agent_new(agent, t->asked.agent, config, shape, t->pool, error);
    }
    if (!status && model) status = dq_agent_load(*agent, false, model, error);
    if (!status && model) status = check_items(t, *agent, model, error);
    return model ? dq_training_blame_init(t, status, error) : status;
}
