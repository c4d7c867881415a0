/* SPDX-License-Identifier: MIT */
#include "learn/members.h"

#include "core/array.h"

#include <stdlib.h>

/* Copies an agent's Q. */
static dq_status add(dq_members *members, dq_agent *agent, dq_error *error)
{
    dq_net *q = dq_agent_network(agent, "q");
    if (!dq_array_reserve(&members->nets, &members->slots, members->count + 1, sizeof(dq_net *)))
        return dq_fail_memory(error, "an ensemble");
    dq_status status = dq_net_clone(&members->nets[members->count], q, error);
    if (!status) members->count++;
    return status;
}

dq_status dq_members_next(dq_members *members, dq_agent **agent, uint64_t seed, dq_error *error)
{
    dq_agent *done = *agent;
    dq_status status = DQ_OK;
    if (!dq_agent_network(done, "q"))
        status = dq_fail(error, DQ_ERR_UNSUPPORTED, "an agent without a network has no ensemble of Q");
    else if (members->first)
        status = add(members, done, error);
    if (members->first) dq_agent_free(done);
    if (!members->first) members->first = done;
    *agent = NULL;
    if (status) return status;
    dq_agent_config config = *dq_agent_get_config(members->first);
    config.seed = seed;
    if (config.world) {
        config.world = false;
        config.world_hidden_count = config.planning = 0;
        config.models = config.rollout = 1;
    }
    const char *kind = dq_agent_get_kind(members->first);
    return dq_agent_new(agent, kind, &config, dq_agent_get_shape(members->first), members->pool, error);
}

static dq_status count(const dq_members *members, dq_bundle *model, dq_error *error)
{
    const dq_value *agent = dq_map_get(&model->meta, "agent");
    dq_value map = *agent;
    if (dq_map_set(&model->arena, &map, "q_models", dq_int((int64_t)members->count + 1)) &&
        dq_map_set(&model->arena, &model->meta, "agent", map))
        return DQ_OK;
    return dq_fail_memory(error, "an ensemble");
}

dq_status dq_members_save(dq_members *members, dq_agent *last, dq_bundle *model, dq_error *error)
{
    char name[DQ_AGENT_Q_NAME];
    if (!members->first) return dq_agent_save(last, false, model, error);
    dq_status status = add(members, last, error);
    if (!status) status = dq_agent_save(members->first, false, model, error);
    for (size_t m = 0; !status && m < members->count; m++)
        status = dq_net_save(members->nets[m], dq_agent_q_name(name, m + 1), false, model, error);
    return status ? status : count(members, model, error);
}

void dq_members_free(dq_members *members)
{
    for (size_t m = 0; m < members->count; m++) dq_net_free(members->nets[m]);
    free(members->nets);
    dq_agent_free(members->first);
    *members = (dq_members){0};
}
