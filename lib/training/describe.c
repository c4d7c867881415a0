/* SPDX-License-Identifier: MIT
 *
 * What a model that leaves says of users, items and sessions.
 */
#include "training/training.h"

#include "data/describe.h"

static dq_status describe_items(const dq_training *t, dq_bundle *model, dq_error *error)
{
    const char *kind;
    dq_agent_config config;
    dq_env_spec shape;
    dq_status status = dq_agent_read_config(model, &kind, &config, &shape, error);
    const dq_training_asked *a = &t->asked;
    const dq_bundle *init = dq_training_init(t, DQ_ABSENT);
    bool sessions = a->from == DQ_TRAINING_SESSIONS;
    if (!status && sessions) status = dq_session_log_describe(&t->logged.log, a->map, model, error);
    if (status) return status;
    if (a->from != DQ_TRAINING_STATES && a->from != DQ_TRAINING_ENV)
        return dq_describe_catalogue(&t->dataset.catalogue, sessions || config.head == DQ_HEAD_OUTPUTS, model,
                                     error);
    if (t->logged.named && !(init && dq_map_get(&init->meta, "items")))
        return dq_describe_catalogue(&t->dataset.catalogue, true, model, error);
    if (a->from == DQ_TRAINING_STATES)
        return init ? dq_describe_as(init, shape.action_count, model, error) : DQ_OK;
    if (a->env && !dq_map_set(&model->arena, &model->meta, "env", dq_string(&model->arena, a->env)))
        return dq_fail_memory(error, "a model");
    return dq_model_items_save(&t->items, model, error);
}

static dq_status describe(const dq_training *t, dq_bundle *model, dq_error *error)
{
    dq_status status = describe_items(t, model, error);
    if (!status && t->features) status = dq_feature_save(dq_feature_users_set(t->features), model, error);
    if (status || !t->seen.start) return status;
    const dq_session_log seen = {.time = t->asked.time};
    const dq_bundle *from = t->asked.seen ? NULL : dq_training_init(t, DQ_ABSENT);
    return dq_session_log_describe_as(from, &seen, t->asked.map, model, error);
}

bool dq_training_name_user(const dq_training *t, uint32_t user, dq_arena *arena, dq_value *map)
{
    size_t n;
    if (user == DQ_ABSENT) return true;
    const char *id = dq_entities_id(&t->dataset.catalogue.users, user, &n);
    return dq_map_set(arena, map, "user", dq_string_n(arena, id, n));
}

dq_status dq_training_finish(const dq_training *t, dq_bundle *model, uint32_t user, dq_error *error)
{
    dq_status status = describe(t, model, error);
    if (status || dq_training_name_user(t, user, &model->arena, &model->meta)) return status;
    return dq_fail_memory(error, "a model");
}
