/* SPDX-License-Identifier: MIT
 *
 * A run's place in a checkpoint: offline.order u4, offline.rng u8 (streams, 4), best.q and best.world f4 once
 * there is a best epoch, and the counters under meta.offline. Splits and held-out negatives follow from the
 * seed and the rows, and are made again.
 */
#include "core/record.h"
#include "learn/offline_impl.h"

#define REAL(name, member)                                                                                   \
    {                                                                                                        \
        name, DQ_RECORD_REAL, offsetof(offline_place, member)                                                \
    }
#define COUNT(name, member)                                                                                  \
    {                                                                                                        \
        name, DQ_RECORD_COUNT, offsetof(offline_place, member)                                               \
    }
#define FLAG(name, member)                                                                                   \
    {                                                                                                        \
        name, DQ_RECORD_FLAG, offsetof(offline_place, member)                                                \
    }

static const dq_record_field numbers[] = {
    REAL("q_sum", q_sum),
    REAL("world_sum", world_sum),
    REAL("least", least),
    REAL("least_loss", least_loss),
    REAL("last_q", last.q_loss),
    REAL("last_world", last.world_loss),
    REAL("last_validation", last.validation_loss),
    REAL("last_order", last.order),
    REAL("last_rate", last.rate),
    COUNT("epoch", epoch),
    COUNT("position", position),
    COUNT("batches", batches),
    COUNT("rows", row_sum),
    COUNT("best_epoch", best_epoch),
    COUNT("bad_epochs", bad_epochs),
    COUNT("last_epoch", last.epoch),
    FLAG("stopped", stopped),
    FLAG("last_best", last.best),
};

enum { NUMBERS = sizeof numbers / sizeof numbers[0] };

dq_status dq_offline_save(dq_offline *run, dq_bundle *model, dq_error *error)
{
    uint64_t rng_shape[2] = {RNG_OFFLINE_COUNT, 4}, n = run->order_count;
    dq_net *q = dq_dynaq_q(run->agent), *world = dq_dynaq_world(run->agent);
    if (!dq_record_save(numbers, NUMBERS, &run->place, "offline", model))
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for a checkpoint");
    dq_status status = dq_bundle_add_tensor(model, "offline.order", DQ_U4, 1, &n, run->order, error);
    if (!status) status = dq_bundle_add_tensor(model, "offline.rng", DQ_U8, 2, rng_shape, run->rng, error);
    if (status || !run->place.best_epoch) return status;
    n = dq_net_count(q);
    status = dq_bundle_add_tensor(model, "best.q", DQ_F4, 1, &n, run->best_q, error);
    if (status || !world) return status;
    n = dq_net_count(world);
    return dq_bundle_add_tensor(model, "best.world", DQ_F4, 1, &n, run->best_world, error);
}

dq_status dq_offline_restore(dq_offline *run, const dq_bundle *model, dq_error *error)
{
    dq_net *q = dq_dynaq_q(run->agent), *world = dq_dynaq_world(run->agent);
    offline_place place = {0};
    dq_status status = dq_record_restore(numbers, NUMBERS, &place, "offline", model, error);
    if (status) return status;
    if (place.position > run->order_count)
        return dq_fail(error, DQ_ERR_RANGE, "the checkpoint's place is beyond the rows");
    status = dq_record_column(model, "offline.order", DQ_U4, run->order_count, run->order, error);
    if (!status)
        status = dq_record_column(model, "offline.rng", DQ_U8, RNG_OFFLINE_COUNT * 4, run->rng, error);
    if (!status && place.best_epoch) {
        status = dq_record_column(model, "best.q", DQ_F4, dq_net_count(q), run->best_q, error);
        if (!status && world)
            status = dq_record_column(model, "best.world", DQ_F4, dq_net_count(world), run->best_world,
                                      error);
    }
    if (status) return status;
    for (size_t i = 0; i < run->order_count; i++)
        if (run->order[i] >= run->row_count)
            return dq_fail(error, DQ_ERR_RANGE, "the checkpoint's order names a row that is not there");
    run->place = place;
    return DQ_OK;
}
