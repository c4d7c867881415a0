/* SPDX-License-Identifier: MIT
 *
 * An agent as a model bundle. A plain model holds the networks; a checkpoint also
 *
 *     q.adam.m q.adam.v world.adam.m world.adam.v   by dq_net_save
 *     target.weights     f4 (count)                 flat, as dq_net_weights
 *     replay.user .item .next u4, .reward f4, .done u1 (remembered), oldest first
 *     candidates         u4 (n)
 *     rng                u8 (streams, 4)
 *     meta.agent         {epsilon}
 *
 * A checkpoint is a file that somebody may have changed: every shape and number is checked before it is used.
 */
#include "core/record.h"
#include "learn/dynaq_impl.h"

#include <math.h>
#include <string.h>

static dq_status no_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "no memory for a model bundle");
}

static dq_status add_flat(dq_bundle *model, const char *name, dq_dtype type, const void *data, uint64_t n,
                          dq_error *error)
{
    return dq_bundle_add_tensor(model, name, type, 1, &n, data, error);
}

static dq_status save_replay(dq_dynaq *a, dq_bundle *model, dq_error *error)
{
    size_t n = dq_replay_count(a->replay);
    uint32_t *user = dq_arena_zero(&model->arena, n, sizeof *user);
    uint32_t *item = dq_arena_zero(&model->arena, n, sizeof *item);
    uint32_t *next = dq_arena_zero(&model->arena, n, sizeof *next);
    float *reward = dq_arena_zero(&model->arena, n, sizeof *reward);
    uint8_t *done = dq_arena_zero(&model->arena, n, sizeof *done);
    if (!user || !item || !next || !reward || !done) return no_memory(error);
    for (size_t i = 0; i < n; i++) {
        dq_transition t = dq_replay_at(a->replay, i);
        user[i] = t.user;
        item[i] = t.item;
        next[i] = t.next;
        reward[i] = t.reward;
        done[i] = t.done;
    }
    dq_status status = add_flat(model, "replay.user", DQ_U4, user, n, error);
    if (!status) status = add_flat(model, "replay.item", DQ_U4, item, n, error);
    if (!status) status = add_flat(model, "replay.next", DQ_U4, next, n, error);
    if (!status) status = add_flat(model, "replay.reward", DQ_F4, reward, n, error);
    if (!status) status = add_flat(model, "replay.done", DQ_U1, done, n, error);
    return status;
}

static dq_status save_state(dq_dynaq *a, dq_bundle *model, dq_error *error)
{
    uint64_t rng_shape[2] = {RNG_COUNT, 4};
    dq_value agent = dq_map();
    if (!dq_map_set(&model->arena, &agent, "epsilon", dq_real(a->epsilon)) ||
        !dq_map_set(&model->arena, &model->meta, "agent", agent))
        return no_memory(error);
    dq_status status = add_flat(model, "target.weights", DQ_F4, dq_net_weights(a->target),
                                dq_net_count(a->target), error);
    if (!status) status = save_replay(a, model, error);
    if (!status) status = add_flat(model, "candidates", DQ_U4, a->candidates, a->candidate_count, error);
    if (!status) status = dq_bundle_add_tensor(model, "rng", DQ_U8, 2, rng_shape, a->rng, error);
    return status;
}

dq_status dq_dynaq_save(dq_dynaq *a, bool checkpoint, dq_bundle *model, dq_error *error)
{
    dq_arena *arena = &model->arena;
    dq_value *meta = &model->meta;
    if (!dq_map_set(arena, meta, "architecture", dq_string(arena, "dyna-q")) ||
        !dq_map_set(arena, meta, "gamma", dq_real(a->config.gamma)) ||
        !dq_map_set(arena, meta, "step", dq_int((int64_t)a->steps)) ||
        !dq_map_set(arena, meta, "updates", dq_int((int64_t)a->updates)))
        return no_memory(error);
    dq_status status = dq_net_save(a->q, "q", checkpoint, model, error);
    if (!status && a->world) status = dq_net_save(a->world, "world", checkpoint, model, error);
    return status || !checkpoint ? status : save_state(a, model, error);
}

dq_status dq_dynaq_init_from(dq_dynaq *a, const dq_bundle *model, dq_error *error)
{
    dq_net_spec spec;
    dq_status status = dq_net_load(a->q, "q", model, error);
    if (!status && a->world && dq_net_load_spec(model, "world", &spec, NULL) == DQ_OK)
        status = dq_net_load(a->world, "world", model, error);
    if (status) return status;
    dq_net *nets[] = {a->q, a->world};
    for (size_t i = 0; i < 2 && nets[i]; i++) {
        memset(dq_net_moment1(nets[i]), 0, dq_net_count(nets[i]) * sizeof(float));
        memset(dq_net_moment2(nets[i]), 0, dq_net_count(nets[i]) * sizeof(float));
        *dq_net_steps(nets[i]) = 0;
    }
    dq_dynaq_sync(a);
    return DQ_OK;
}

static dq_status restore_replay(dq_dynaq *a, const dq_bundle *model, dq_error *error)
{
    const dq_column *user = NULL, *item = NULL, *next = NULL, *reward = NULL, *done = NULL;
    uint64_t n = DQ_RECORD_ANY;
    dq_status status = dq_record_find(model, "replay.user", DQ_U4, &n, &user, error);
    if (!status) status = dq_record_find(model, "replay.item", DQ_U4, &n, &item, error);
    if (!status) status = dq_record_find(model, "replay.next", DQ_U4, &n, &next, error);
    if (!status) status = dq_record_find(model, "replay.reward", DQ_F4, &n, &reward, error);
    if (!status) status = dq_record_find(model, "replay.done", DQ_U1, &n, &done, error);
    if (status) return status;
    for (uint64_t i = 0; i < n; i++) {
        dq_transition t = {.user = ((const uint32_t *)user->data)[i],
                           .item = ((const uint32_t *)item->data)[i],
                           .next = ((const uint32_t *)next->data)[i],
                           .reward = ((const float *)reward->data)[i],
                           .done = ((const uint8_t *)done->data)[i] != 0};
        if (t.user >= a->users.count || t.next >= a->users.count || t.item >= a->items.count)
            return dq_fail(error, DQ_ERR_RANGE, "the checkpoint remembers a row that the catalogue lacks");
        dq_replay_push(a->replay, &t);
    }
    return DQ_OK;
}

static dq_status restore_candidates(dq_dynaq *a, const dq_bundle *model, dq_error *error)
{
    const dq_column *found;
    uint64_t n = DQ_RECORD_ANY;
    dq_status status = dq_record_find(model, "candidates", DQ_U4, &n, &found, error);
    if (status) return status;
    const uint32_t *items = found->data;
    if (n > a->items.count) return dq_fail(error, DQ_ERR_RANGE, "the checkpoint has too many candidates");
    for (uint64_t i = 0; i < n; i++)
        if (items[i] >= a->items.count)
            return dq_fail(error, DQ_ERR_RANGE, "the checkpoint offers an item that the catalogue lacks");
    dq_dynaq_candidates(a, items, (uint32_t)n);
    return DQ_OK;
}

dq_status dq_dynaq_restore(dq_dynaq *a, const dq_bundle *model, dq_error *error)
{
    const dq_column *target = NULL, *rng = NULL; /* copied when all else is sound */
    uint64_t weights = dq_net_count(a->target), words = (uint64_t)RNG_COUNT * 4;
    double epsilon = dq_value_number(dq_map_get(dq_map_get(&model->meta, "agent"), "epsilon"), NAN);
    if (!(epsilon >= 0 && epsilon <= 1))
        return dq_fail(error, DQ_ERR_SCHEMA, "not a checkpoint: no epsilon in meta.agent");
    dq_status status = dq_record_find(model, "target.weights", DQ_F4, &weights, &target, error);
    if (!status) status = dq_record_find(model, "rng", DQ_U8, &words, &rng, error);
    if (!status) status = dq_net_load(a->q, "q", model, error);
    if (!status && a->world) status = dq_net_load(a->world, "world", model, error);
    if (!status) status = restore_candidates(a, model, error);
    if (!status) status = restore_replay(a, model, error);
    if (status) return status;
    memcpy(dq_net_weights(a->target), target->data, weights * sizeof(float));
    memcpy(a->rng, rng->data, sizeof a->rng);
    a->epsilon = epsilon;
    a->steps = (uint64_t)dq_value_integer(dq_map_get(&model->meta, "step"), 0);
    a->updates = (uint64_t)dq_value_integer(dq_map_get(&model->meta, "updates"), 0);
    a->version++;
    return DQ_OK;
}
