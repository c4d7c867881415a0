/* SPDX-License-Identifier: MIT */
#include "offline/input.h"

#include "data/split.h"
#include "env/catalogue.h"

#include <math.h>
#include <stdlib.h>

static dq_status make_groups(dq_offline_input *in, const dq_entities *users, const char *group_by,
                             dq_error *error)
{
    in->group = malloc(((size_t)dq_entities_count(users) + 1) * sizeof *in->group);
    if (!in->group) return dq_fail_memory(error, "the input");
    dq_status status = dq_split_group(users, group_by, in->group, error);
    if (status != DQ_ERR_UNKNOWN) return status;
    return dq_fail(error, status, "--validate-by: no user has an attribute '%s'", group_by);
}

/* ---- users and items ---- */

static bool is_rewarded(const dq_dataset *d)
{
    for (size_t i = 0; i < d->count; i++)
        if (!isnan(d->transitions[i].reward)) return true;
    return d->elsewhere_rewarded > 0;
}

dq_status dq_offline_input_of_users(dq_offline_input *in, const dq_dataset *d, const char *group_by,
                                    dq_error *error)
{
    if (!is_rewarded(d))
        return dq_fail(
            error, DQ_ERR_RANGE,
            "no transition with a reward in the input (dq-reward --strategy logged makes them from "
            "labels; --sessions learns from interactions)");
    dq_status status = dq_catalogue_check_vectors(&d->catalogue, error);
    if (!status) status = make_groups(in, &d->catalogue.users, group_by, error);
    if (!status) status = dq_offline_catalogue_init(&in->catalogue, d, error);
    if (status) return status;
    const dq_vectors items = dq_entities_vectors(&d->catalogue.items);
    in->shape = dq_catalogue_env_spec(&in->catalogue.users, &items);
    in->rows = dq_offline_catalogue_rows(&in->catalogue, in->group);
    return DQ_OK;
}

/* ---- sessions ---- */

static dq_status make_log(dq_offline_input *in, const dq_catalogue *catalogue,
                          const dq_offline_sessions_config *c, dq_error *error)
{
    in->log.gap = c->cut.gap;
    in->log.seconds = c->cut.gap > 0 || c->layout->clock || c->layout->since;
    in->log.attribute = c->cut.attribute;
    dq_status status = dq_session_log_take_values(&in->log, c->model, catalogue, c->values, c->layout, error);
    if (!status) status = dq_session_log_of_catalogue(&in->log, catalogue, &in->by_user, error);
    in->by_user.layout = *c->layout;
    in->by_user.layout.user_width = in->by_user.users.width;
    in->by_user.layout.item_width = in->by_user.items.width;
    return status;
}

dq_status dq_offline_input_of_sessions(dq_offline_input *in, const dq_catalogue *catalogue,
                                       const dq_offline_sessions_config *c, dq_error *error)
{
    if (in->log.count == 0) return dq_fail(error, DQ_ERR_SCHEMA, "the input has no interactions");
    dq_status status = dq_entities_check_vectors(&catalogue->items, "items", error);
    if (!status) status = make_log(in, catalogue, c, error);
    if (!status) status = make_groups(in, &catalogue->users, c->group_by, error);
    if (!status) status = dq_sessions_new(&in->sessions, &in->by_user, c->terminal, error);
    if (status) return status;
    in->shape = dq_sessions_shape(&in->by_user);
    in->rows = dq_sessions_rows(in->sessions, in->group);
    return DQ_OK;
}

/* ---- transitions with vectors ---- */

dq_status dq_offline_input_of_vectors(dq_offline_input *in, const dq_catalogue *catalogue,
                                      const dq_bundle *model, dq_arena *arena, bool *by_model,
                                      dq_error *error)
{
    const dq_state_log *log = &in->states;
    const dq_vectors items = dq_entities_vectors(&catalogue->items);
    *by_model = false;
    dq_status status = dq_state_log_check(log, items.count, error);
    if (status) return status;
    in->vectors = dq_offline_vectors_of(log);
    status = dq_offline_vectors_shape(log, &items, &in->shape, &in->named, error);
    if (!status && model) {
        status = dq_offline_vectors_learn_shape(&in->vectors, model, arena, &in->shape, error);
        *by_model = status != DQ_OK;
    }
    if (!status) status = dq_offline_vectors_follow(&in->vectors, error);
    if (!status) in->rows = dq_offline_vectors_rows(&in->vectors);
    return status;
}

void dq_offline_input_free(dq_offline_input *in)
{
    dq_offline_trajectories_free(in->trajectories);
    dq_sessions_free(in->sessions);
    dq_session_rows_free(&in->by_user);
    dq_session_log_free(&in->log);
    dq_offline_catalogue_free(&in->catalogue);
    dq_state_log_free(&in->states);
    free(in->vectors.following);
    free(in->group);
    *in = (dq_offline_input){0};
}
