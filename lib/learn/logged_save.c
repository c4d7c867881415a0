/* SPDX-License-Identifier: MIT
 *
 * A run's place in a checkpoint: logged.order u4, logged.rng u8 (streams, 4), the counters under
 * meta.logged, and, once there is a best epoch, the spare agent's columns with "best." before their names.
 * Splits and states follow from the seed and the rows, and are made again.
 */
#include "core/record.h"
#include "learn/logged_impl.h"

#include "dq/schema.h"

#include <stdio.h>
#include <string.h>

#define REAL(name, member)                                                                                   \
    {                                                                                                        \
        name, DQ_RECORD_REAL, offsetof(logged_place, member)                                                 \
    }
#define COUNT(name, member)                                                                                  \
    {                                                                                                        \
        name, DQ_RECORD_COUNT, offsetof(logged_place, member)                                                \
    }
#define FLAG(name, member)                                                                                   \
    {                                                                                                        \
        name, DQ_RECORD_FLAG, offsetof(logged_place, member)                                                 \
    }

static const dq_record_field numbers[] = {
    REAL("q_sum", q_sum),
    REAL("world_sum", world_sum),
    REAL("least", least),
    REAL("last_q", last.q_loss),
    REAL("last_world", last.world_loss),
    REAL("last_validation", last.validation_loss),
    REAL("last_hit", last.hit),
    REAL("last_ndcg", last.ndcg),
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

enum { NUMBERS = sizeof numbers / sizeof numbers[0], NAME_BYTES = 256 };

static const char best[] = "best.";

/* Copies of the columns whose names begin with `cut`, under names that begin with `put` instead. */
static dq_status rename_columns(dq_bundle *to, const dq_bundle *from, const char *cut, const char *put,
                                dq_error *error)
{
    char name[NAME_BYTES];
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < from->column_count; i++) {
        const dq_column *c = &from->columns[i];
        if (strncmp(c->name, cut, strlen(cut)) != 0) continue;
        void *copy = dq_arena_take(&to->arena, c->bytes);
        if (!copy) return dq_fail(error, DQ_ERR_MEMORY, "no memory for a checkpoint");
        memcpy(copy, c->data, c->bytes);
        (void)snprintf(name, sizeof name, "%s%s", put, c->name + strlen(cut));
        status = dq_bundle_add_tensor(to, name, c->type, c->dims, c->shape, copy, error);
    }
    return status;
}

static dq_status save_best(dq_logged *run, dq_bundle *model, dq_error *error)
{
    dq_bundle spare;
    dq_status status = dq_bundle_init(&spare, DQ_KIND_MODEL, 0, error);
    if (!status) status = dq_agent_save(run->spare, false, &spare, error);
    if (!status) status = rename_columns(model, &spare, "", best, error);
    dq_bundle_free(&spare);
    return status;
}

dq_status dq_logged_save(dq_logged *run, dq_bundle *model, dq_error *error)
{
    uint64_t rng_shape[2] = {RNG_LOGGED_COUNT, 4}, n = run->order_count;
    if (!dq_record_save(numbers, NUMBERS, &run->place, "logged", model))
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for a checkpoint");
    dq_status status = dq_bundle_add_tensor(model, "logged.order", DQ_U4, 1, &n, run->order, error);
    if (!status) status = dq_bundle_add_tensor(model, "logged.rng", DQ_U8, 2, rng_shape, run->rng, error);
    return status || !run->place.best_epoch ? status : save_best(run, model, error);
}

static dq_status restore_best(dq_logged *run, const dq_bundle *model, dq_error *error)
{
    dq_bundle spare;
    dq_status status = dq_bundle_init(&spare, DQ_KIND_MODEL, 0, error);
    spare.meta = model->meta; /* the same kind and configuration */
    if (!status) status = rename_columns(&spare, model, best, "", error);
    if (!status) status = dq_agent_load(run->spare, false, &spare, error);
    dq_bundle_free(&spare);
    return status;
}

dq_status dq_logged_restore(dq_logged *run, const dq_bundle *model, dq_error *error)
{
    logged_place place = {0};
    dq_status status = dq_record_restore(numbers, NUMBERS, &place, "logged", model, error);
    if (status) return status;
    if (place.position > run->order_count)
        return dq_fail(error, DQ_ERR_RANGE, "the checkpoint's place is beyond the rows");
    status = dq_record_column(model, "logged.order", DQ_U4, run->order_count, run->order, error);
    if (!status) status = dq_record_column(model, "logged.rng", DQ_U8, RNG_LOGGED_COUNT * 4, run->rng, error);
    if (!status && place.best_epoch) status = restore_best(run, model, error);
    if (status) return status;
    for (size_t i = 0; i < run->order_count; i++)
        if (run->order[i] >= run->rows.count)
            return dq_fail(error, DQ_ERR_RANGE, "the checkpoint's order names a row that is not there");
    run->place = place;
    return DQ_OK;
}
