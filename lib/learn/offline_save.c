/* SPDX-License-Identifier: MIT
 *
 * A run's state in a checkpoint: offline.order u4, offline.rng u8 (streams, 4), the counters under
 * meta.offline; with priorities those of learn/replay.h under offline.priorities; and, once there is a best
 * epoch, its model's columns with "best." before their names. Splits, held-out negatives and states follow
 * from the seed and the rows, and are made again.
 */
#include "core/record.h"
#include "learn/offline_impl.h"

#include "dq/schema.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define REAL(name, member)                                                                                   \
    {                                                                                                        \
        name, DQ_RECORD_REAL, offsetof(offline_state, member)                                                \
    }
#define COUNT(name, member)                                                                                  \
    {                                                                                                        \
        name, DQ_RECORD_COUNT, offsetof(offline_state, member)                                               \
    }
#define FLAG(name, member)                                                                                   \
    {                                                                                                        \
        name, DQ_RECORD_FLAG, offsetof(offline_state, member)                                                \
    }

static const dq_record_field numbers[] = {
    REAL("q_sum", q_sum),
    REAL("world_sum", world_sum),
    REAL("min", min),
    REAL("min_loss", min_loss),
    REAL("last_q", last.q_loss),
    REAL("last_world", last.world_loss),
    REAL("last_validation", last.validation_loss),
    REAL("last_concordance", last.concordance),
    REAL("last_hit", last.hit),
    REAL("last_ndcg", last.ndcg),
    REAL("last_rate", last.rate),
    REAL("last_beta", last.beta),
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

static const char best[] = "best.", priorities[] = "offline.priorities";

/* ---- the best epoch's model ---- */

/* Adds the columns whose names begin with `cut`, under names that begin with `put` instead: borrowed, or
 * copied. */
static dq_status add_columns(dq_bundle *to, const dq_bundle *from, const char *cut, const char *put,
                             bool copy, dq_error *error)
{
    char name[NAME_BYTES];
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < from->column_count; i++) {
        const dq_column *c = &from->columns[i];
        if (strncmp(c->name, cut, strlen(cut)) != 0) continue;
        const void *data = c->data;
        void *own = copy ? dq_arena_take(&to->arena, c->bytes + 1) : NULL;
        if (copy && !own) return dq_fail_memory(error, "a model");
        if (copy) data = memcpy(own, c->data, c->bytes);
        (void)snprintf(name, sizeof name, "%s%s", put, c->name + strlen(cut));
        status = dq_bundle_add_tensor(to, name, c->type, c->dims, c->shape, data, error);
    }
    return status;
}

/* run->best becomes a copy of some of a bundle's columns, with its metadata. */
static dq_status copy_best(dq_offline *run, const dq_bundle *from, const char *cut, dq_error *error)
{
    dq_bundle copy;
    dq_status status = dq_bundle_init(&copy, DQ_KIND_MODEL, 0, error);
    if (!status && !dq_value_copy(&copy.arena, &from->meta, &copy.meta))
        status = dq_fail_memory(error, "a model");
    if (!status) status = add_columns(&copy, from, cut, "", true, error);
    if (status) {
        dq_bundle_free(&copy);
        return status;
    }
    dq_bundle_free(&run->best);
    run->best = copy;
    return DQ_OK;
}

dq_status offline_keep_best(dq_offline *run, dq_error *error)
{
    dq_bundle model;
    dq_status status = dq_bundle_init(&model, DQ_KIND_MODEL, 0, error);
    if (!status) status = dq_agent_save(run->agent, false, &model, error);
    if (!status) status = copy_best(run, &model, "", error);
    dq_bundle_free(&model);
    return status;
}

/* ---- what it tells ---- */

bool dq_offline_report(const dq_offline *run, dq_arena *arena, dq_value *line)
{
    const dq_offline_epoch *e = &run->state.last;
    uint64_t updates = dq_agent_updates(run->agent);
    return dq_map_set(arena, line, "epoch", dq_int((int64_t)e->epoch)) &&
           dq_map_set(arena, line, "batches", dq_int((int64_t)run->state.batches)) &&
           dq_map_set(arena, line, "updates", dq_int((int64_t)updates)) &&
           dq_map_set(arena, line, "rate", dq_real(e->rate)) &&
           (isnan(e->beta) || dq_map_set(arena, line, "beta", dq_real(e->beta))) &&
           dq_map_set(arena, line, "q_loss", dq_real_or_nil(e->q_loss)) &&
           dq_map_set(arena, line, "world_loss", dq_real_or_nil(e->world_loss)) &&
           dq_map_set(arena, line, "validation_loss", dq_real_or_nil(e->validation_loss)) &&
           dq_map_set(arena, line, "validation_concordance", dq_real_or_nil(e->concordance)) &&
           dq_map_set(arena, line, "validation_hit", dq_real_or_nil(e->hit)) &&
           dq_map_set(arena, line, "validation_ndcg", dq_real_or_nil(e->ndcg)) &&
           dq_map_set(arena, line, "best", dq_bool(e->best));
}

/* ---- checkpoints ---- */

dq_status dq_offline_save(dq_offline *run, dq_bundle *model, dq_error *error)
{
    const uint64_t n = run->order_count;
    if (!dq_record_save(numbers, NUMBERS, &run->state, "offline", model))
        return dq_fail_memory(error, "a checkpoint");
    dq_status status = dq_bundle_add_tensor(model, "offline.order", DQ_U4, 1, &n, run->order, error);
    if (!status) status = dq_record_save_rng(run->rng, RNG_OFFLINE_COUNT, "offline.rng", model, error);
    if (!status && run->priorities) status = dq_replay_save(run->priorities, priorities, model, error);
    if (status || !run->state.best_epoch) return status;
    return add_columns(model, &run->best, "", best, false, error);
}

static dq_status check_order(const dq_offline *run, dq_error *error)
{
    for (size_t i = 0; i < run->order_count; i++)
        if (run->order[i] >= run->rows.count)
            return dq_fail(error, DQ_ERR_RANGE, "the checkpoint's order names a row that is not there");
    return DQ_OK;
}

static dq_status restore_columns(dq_offline *run, const dq_bundle *model, dq_error *error)
{
    dq_status status = dq_record_column(model, "offline.order", DQ_U4, run->order_count, run->order, error);
    if (!status) status = dq_record_rng(model, "offline.rng", RNG_OFFLINE_COUNT, run->rng, error);
    if (!status && run->priorities) status = dq_replay_restore(run->priorities, priorities, model, error);
    return status ? status : check_order(run, error);
}

dq_status dq_offline_restore(dq_offline *run, const dq_bundle *model, dq_error *error)
{
    offline_state state = {0};
    dq_status status = dq_record_restore(numbers, NUMBERS, &state, "offline", model, error);
    if (status) return status;
    if (state.position > run->order_count)
        return dq_fail(error, DQ_ERR_RANGE, "the checkpoint's state is beyond the rows");
    status = restore_columns(run, model, error);
    if (!status && state.best_epoch) status = copy_best(run, model, best, error);
    if (!status) run->state = state;
    return status;
}
