/* SPDX-License-Identifier: MIT
 *
 * What is predicted from the states, as transitions: a bundle for each step of a block of them. An episode is
 * the number of the state that a branch began in, so that validation holds all of it out together.
 */
#include "plan.h"

#include "learn/rollout.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 16384, NUMBERS = 1 << 22 };

const char *const plan_action_names[] = {"agent", "random", "all", "remembered", NULL};

static const dq_rollout_by by[] = {
    [PLAN_AGENT] = DQ_ROLLOUT_AGENT,
    [PLAN_RANDOM] = DQ_ROLLOUT_RANDOM,
    [PLAN_ALL] = DQ_ROLLOUT_ALL,
    [PLAN_REMEMBERED] = DQ_ROLLOUT_REMEMBERED,
};

typedef struct rollouts {
    plan *plan;
    dq_rollout *rollout;
    const dq_env_spec *shape;
    uint64_t written;
} rollouts;

static dq_status add_columns(const dq_rollout_rows *rows, uint32_t width, dq_bundle *b, dq_error *error)
{
    const uint64_t shape[2] = {rows->count, width};
    uint32_t *step = dq_arena_zero(&b->arena, rows->count, sizeof *step);
    if (!step) return dq_fail_memory(error, "transitions");
    for (size_t i = 0; i < rows->count; i++) step[i] = rows->step;
    dq_status status = dq_bundle_add_tensor(b, "state", DQ_F4, 2, shape, rows->state, error);
    if (!status) status = dq_bundle_add_numbers(b, "choice", DQ_U4, rows->action, NULL, NULL, error);
    if (!status) status = dq_bundle_add_numbers(b, "reward", DQ_F4, rows->reward, NULL, NULL, error);
    if (!status) status = dq_bundle_add_numbers(b, "done", DQ_U1, rows->done, NULL, NULL, error);
    if (!status) status = dq_bundle_add_tensor(b, "next_state", DQ_F4, 2, shape, rows->next, error);
    if (!status) status = dq_bundle_add_numbers(b, "episode", DQ_U4, rows->start, NULL, NULL, error);
    if (!status) status = dq_bundle_add_numbers(b, "step", DQ_U4, step, NULL, NULL, error);
    if (!status)
        status = dq_bundle_add_numbers(b, "disagreement", DQ_F4, rows->disagreement, NULL, NULL, error);
    return status;
}

static dq_status write_rows(rollouts *r, const dq_rollout_rows *rows, dq_error *error)
{
    dq_bundle b;
    dq_status status = dq_bundle_init(&b, DQ_KIND_TRANSITIONS, rows->count, error);
    if (!status && (!dq_map_set(&b.arena, &b.meta, "simulated", dq_bool(true)) ||
                    !dq_map_set(&b.arena, &b.meta, "actions", dq_int(r->shape->action_count))))
        status = dq_fail_memory(error, "transitions");
    if (!status) status = dq_session_layout_save(&r->shape->layout, &b, error);
    if (!status) status = add_columns(rows, r->shape->state_width, &b, error);
    if (!status) status = dq_writer_put(r->plan->output, &b, error);
    if (!status && r->plan->o->common.flush) status = dq_writer_flush(r->plan->output, error);
    dq_bundle_free(&b);
    r->written += rows->count;
    return status;
}

static dq_status put(void *self, const plan_starts *starts, dq_error *error)
{
    rollouts *r = self;
    dq_rollout_rows rows;
    if (starts->first + starts->count > UINT32_MAX)
        return dq_fail(error, DQ_ERR_RANGE, "more than 2^32 - 1 states");
    const dq_vectors states = {starts->state_at, (uint32_t)starts->count, (uint32_t)starts->width};
    dq_status status = dq_rollout_begin(r->rollout, &states, NULL, starts->action, starts->count,
                                        (uint32_t)starts->first, error);
    while (!status && !(status = dq_rollout_next(r->rollout, &rows, error)) && rows.count)
        status = write_rows(r, &rows, error);
    return status;
}

static dq_status finish(void *self, dq_error *error)
{
    (void)self;
    (void)error;
    return DQ_OK;
}

static void say(const void *self, uint64_t starts)
{
    const rollouts *r = self;
    const plan_options *o = r->plan->o;
    char dropped[96] = "";
    if (isfinite(o->max_disagreement))
        (void)snprintf(dropped, sizeof dropped, ", %llu dropped: the models disagree by more than %g",
                       (unsigned long long)dq_rollout_dropped(r->rollout), o->max_disagreement);
    dq_cli_say(r->plan->cli, &o->common, "%llu transitions from %llu states%s",
               (unsigned long long)r->written, (unsigned long long)starts, dropped);
}

static void drop(void *self)
{
    rollouts *r = self;
    dq_rollout_free(r->rollout);
    free(r);
}

dq_status plan_rollout_open(plan_writer *writer, plan *p, dq_agent *agent, dq_error *error)
{
    const dq_env_spec *shape = dq_agent_get_shape(agent);
    dq_rollout_config config = {.by = by[p->o->actions],
                                .steps = (uint32_t)p->o->rollout,
                                .epsilon = p->o->epsilon,
                                .max = p->o->max_disagreement,
                                .seed = p->o->common.seed};
    size_t rows = NUMBERS / shape->state_width < ROWS ? NUMBERS / shape->state_width + 1 : ROWS;
    size_t room = config.by == DQ_ROLLOUT_ALL ? rows / shape->action_count + 1 : rows;
    rollouts *r = calloc(1, sizeof *r);
    if (!r) return dq_fail_memory(error, "roll-outs");
    *r = (rollouts){.plan = p, .shape = shape};
    *writer = (plan_writer){.room = room, .self = r, .put = put, .finish = finish, .say = say, .free = drop};
    return dq_rollout_new(&r->rollout, agent, &config, room, error);
}
