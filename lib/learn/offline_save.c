/* SPDX-License-Identifier: MIT
 *
 * A run's place in a checkpoint: offline.order u4, offline.rng u8 (streams, 4), best.q and best.world f4 once
 * there is a best epoch, and the counters under meta.offline. Splits and held-out negatives follow from the
 * seed and the rows, and are made again.
 */
#include "offline_impl.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* The numbers of a place, each with its name in meta.offline. A NAN travels as nil. */
typedef struct number {
    const char *name;
    size_t offset;
} number;

#define AT(member) offsetof(offline_place, member)

static const number reals[] = {
    {"q_sum", AT(q_sum)},
    {"world_sum", AT(world_sum)},
    {"least", AT(least)},
    {"least_loss", AT(least_loss)},
    {"last_q", AT(last.q_loss)},
    {"last_world", AT(last.world_loss)},
    {"last_validation", AT(last.validation_loss)},
    {"last_order", AT(last.order)},
    {"last_rate", AT(last.rate)},
};

static const number counts[] = {
    {"epoch", AT(epoch)},           {"position", AT(position)},     {"batches", AT(batches)},
    {"rows", AT(row_sum)},          {"best_epoch", AT(best_epoch)}, {"bad_epochs", AT(bad_epochs)},
    {"last_epoch", AT(last.epoch)},
};

enum { REALS = sizeof reals / sizeof reals[0], COUNTS = sizeof counts / sizeof counts[0] };

static double *real_at(offline_place *p, size_t i)
{
    return (double *)(void *)((char *)p + reals[i].offset);
}

static uint64_t *count_at(offline_place *p, size_t i)
{
    return (uint64_t *)(void *)((char *)p + counts[i].offset);
}

static bool save_place(dq_offline *run, dq_bundle *model)
{
    dq_arena *arena = &model->arena;
    dq_value map = dq_map();
    bool ok = true;
    for (size_t i = 0; i < REALS; i++) {
        double x = *real_at(&run->place, i);
        ok = ok && dq_map_set(arena, &map, reals[i].name, isfinite(x) ? dq_real(x) : dq_nil());
    }
    for (size_t i = 0; i < COUNTS; i++)
        ok = ok && dq_map_set(arena, &map, counts[i].name, dq_int((int64_t)*count_at(&run->place, i)));
    ok = ok && dq_map_set(arena, &map, "stopped", dq_bool(run->place.stopped));
    ok = ok && dq_map_set(arena, &map, "last_best", dq_bool(run->place.last.best));
    return ok && dq_map_set(arena, &model->meta, "offline", map);
}

dq_status dq_offline_save(dq_offline *run, dq_bundle *model, dq_error *error)
{
    uint64_t rng_shape[2] = {RNG_OFFLINE_COUNT, 4}, n = run->order_count;
    dq_net *q = dq_dynaq_q(run->agent), *world = dq_dynaq_world(run->agent);
    if (!save_place(run, model)) return dq_fail(error, DQ_ERR_MEMORY, "no memory for a checkpoint");
    dq_status status = dq_bundle_add_tensor(model, "offline.order", DQ_U4, 1, &n, run->order, error);
    if (!status) status = dq_bundle_add_tensor(model, "offline.rng", DQ_U8, 2, rng_shape, run->rng, error);
    if (status || !run->place.best_epoch) return status;
    n = dq_net_count(q);
    status = dq_bundle_add_tensor(model, "best.q", DQ_F4, 1, &n, run->best_q, error);
    if (status || !world) return status;
    n = dq_net_count(world);
    return dq_bundle_add_tensor(model, "best.world", DQ_F4, 1, &n, run->best_world, error);
}

/* Copies a column of exactly these elements. */
static dq_status take(const dq_bundle *model, const char *name, dq_dtype type, uint64_t n, void *to,
                      dq_error *error)
{
    const dq_column *c = dq_bundle_column(model, name);
    if (!c || c->type != type || c->shape[0] * dq_column_width(c) != n)
        return dq_fail(error, DQ_ERR_SCHEMA, "the checkpoint is not of this run: column %s", name);
    memcpy(to, c->data, n * dq_dtype_size(type));
    return DQ_OK;
}

static void restore_place(offline_place *p, const dq_value *map)
{
    for (size_t i = 0; i < REALS; i++) *real_at(p, i) = dq_value_number(dq_map_get(map, reals[i].name), NAN);
    for (size_t i = 0; i < COUNTS; i++)
        *count_at(p, i) = (uint64_t)dq_value_integer(dq_map_get(map, counts[i].name), 0);
    const dq_value *stopped = dq_map_get(map, "stopped"), *best = dq_map_get(map, "last_best");
    p->stopped = stopped && stopped->type == DQ_BOOL && stopped->as.boolean;
    p->last.best = best && best->type == DQ_BOOL && best->as.boolean;
}

dq_status dq_offline_restore(dq_offline *run, const dq_bundle *model, dq_error *error)
{
    const dq_value *map = dq_map_get(&model->meta, "offline");
    dq_net *q = dq_dynaq_q(run->agent), *world = dq_dynaq_world(run->agent);
    offline_place place = {0};
    if (!map) return dq_fail(error, DQ_ERR_SCHEMA, "the checkpoint is not of an offline run");
    restore_place(&place, map);
    if (place.position > run->order_count)
        return dq_fail(error, DQ_ERR_RANGE, "the checkpoint's place is beyond the rows");
    dq_status status = take(model, "offline.order", DQ_U4, run->order_count, run->order, error);
    if (!status) status = take(model, "offline.rng", DQ_U8, RNG_OFFLINE_COUNT * 4, run->rng, error);
    if (!status && place.best_epoch) {
        status = take(model, "best.q", DQ_F4, dq_net_count(q), run->best_q, error);
        if (!status && world)
            status = take(model, "best.world", DQ_F4, dq_net_count(world), run->best_world, error);
    }
    if (status) return status;
    for (size_t i = 0; i < run->order_count; i++)
        if (run->order[i] >= run->row_count)
            return dq_fail(error, DQ_ERR_RANGE, "the checkpoint's order names a row that is not there");
    run->place = place;
    return DQ_OK;
}
