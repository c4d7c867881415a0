/* SPDX-License-Identifier: MIT */
#include "rollout/episode_log.h"

#include "core/buffers.h"
#include "core/rng.h"
#include "data/load.h"
#include "dq/schema.h"
#include "learn/trajectory.h"

#include <string.h>

enum { BLOCK = 8192, BLOCK_NUMBERS = 1 << 21, ACTION_STREAM = 0x706c6179 };

/* A block in the making. */
typedef struct block {
    size_t count, room;
    float *state, *next, *reward; /* (room, width), (room) */
    double *propensity;           /* (room) */
    uint32_t *choice, *episode, *step;
    uint8_t *done, *truncated;
} block;

typedef struct play {
    dq_vec_env *envs;
    const dq_episode_log *log;
    block block;
    dq_arena arena; /* the block's */
    dq_rng rng;
    uint64_t cut;          /* episodes */
    dq_trajectories *past; /* what the agent reads, if it reads trajectories; else NULL */
} play;

static dq_status open_block(play *p, dq_error *error)
{
    block *b = &p->block;
    size_t width = p->envs->shape.state_width;
    size_t room = b->room = BLOCK_NUMBERS / width < BLOCK ? BLOCK_NUMBERS / width + 1 : BLOCK;
    const dq_buffer buffers[] = {
        DQ_BUFFER(b->state, room * width), DQ_BUFFER(b->next, room * width), DQ_BUFFER(b->reward, room),
        DQ_BUFFER(b->propensity, room),    DQ_BUFFER(b->choice, room),       DQ_BUFFER(b->episode, room),
        DQ_BUFFER(b->step, room),          DQ_BUFFER(b->done, room),         DQ_BUFFER(b->truncated, room)};
    if (dq_buffers_take(&p->arena, buffers, DQ_BUFFERS(buffers))) return DQ_OK;
    return dq_fail_memory(error, "episodes");
}

static dq_status add_columns(const block *b, uint32_t width, dq_bundle *out, dq_error *error)
{
    const uint64_t shape[2] = {b->count, width};
    dq_status status = dq_bundle_add_tensor(out, "state", DQ_F4, 2, shape, b->state, error);
    if (!status) status = dq_bundle_add_numbers(out, "choice", DQ_U4, b->choice, NULL, NULL, error);
    if (!status) status = dq_bundle_add_numbers(out, "reward", DQ_F4, b->reward, NULL, NULL, error);
    if (!status) status = dq_bundle_add_numbers(out, "done", DQ_U1, b->done, NULL, NULL, error);
    if (!status) status = dq_bundle_add_numbers(out, "truncated", DQ_U1, b->truncated, NULL, NULL, error);
    if (!status) status = dq_bundle_add_tensor(out, "next_state", DQ_F4, 2, shape, b->next, error);
    if (!status) status = dq_bundle_add_numbers(out, "propensity", DQ_F8, b->propensity, NULL, NULL, error);
    if (!status) status = dq_bundle_add_numbers(out, "episode", DQ_U4, b->episode, NULL, NULL, error);
    if (!status) status = dq_bundle_add_numbers(out, "step", DQ_U4, b->step, NULL, NULL, error);
    return status;
}

static dq_status flush(play *p, dq_error *error)
{
    dq_bundle out;
    if (p->block.count == 0) return DQ_OK;
    dq_status status = dq_bundle_init(&out, DQ_KIND_TRANSITIONS, p->block.count, error);
    if (!status && !dq_map_set(&out.arena, &out.meta, "actions", dq_int(p->envs->shape.action_count)))
        status = dq_fail_memory(error, "episodes");
    if (!status) status = dq_session_layout_save(&p->envs->shape.layout, &out, error);
    if (!status) status = add_columns(&p->block, p->envs->shape.state_width, &out, error);
    if (!status) status = p->log->taker.take(p->log->taker.arg, &out, error);
    dq_bundle_free(&out);
    p->block.count = 0;
    return status;
}

/* Epsilon-greedy; without an agent, any action. *chance: of this one. */
static uint32_t choose(play *p, double *chance)
{
    uint32_t count = p->envs->shape.action_count, best = 0, action;
    double share = p->log->agent ? p->log->epsilon : 1;
    const dq_vectors *store = p->past ? dq_trajectories_store(p->past) : &p->envs->store;
    const uint32_t *number = p->past ? NULL : p->envs->number;
    if (p->log->agent) dq_agent_act(p->log->agent, store, number, 1, false, &best);
    bool any = dq_rng_uniform(&p->rng) < share;
    action = any ? (uint32_t)dq_rng_below(&p->rng, count) : best;
    *chance = share / count + (p->log->agent && action == best ? 1 - share : 0);
    return action;
}

static dq_status step(play *p, uint32_t episode, uint32_t number, bool *over, dq_error *error)
{
    block *b = &p->block;
    size_t width = p->envs->shape.state_width, at = b->count;
    uint32_t action = choose(p, &b->propensity[at]);
    memcpy(b->state + at * width, p->envs->states, width * sizeof(float));
    dq_status status = dq_vec_env_step(p->envs, &action, error);
    if (status) return status;
    const dq_step *s = &p->envs->steps[0];
    if (number + 1 == p->log->max_steps && !s->terminal && !s->truncated) {
        dq_vec_env_truncate(p->envs, 0);
        p->cut++;
    }
    memcpy(b->next + at * width, p->envs->next, width * sizeof(float));
    b->choice[at] = action;
    b->reward[at] = s->reward;
    b->done[at] = s->terminal;
    b->truncated[at] = s->truncated;
    b->episode[at] = episode;
    b->step[at] = number;
    *over = s->terminal || s->truncated;
    if (p->past) dq_trajectories_step(p->past, 0, action, s->reward, p->envs->next);
    dq_vec_env_advance(p->envs);
    return ++b->count == b->room ? flush(p, error) : DQ_OK;
}

dq_status dq_episode_log_write(dq_vec_env *envs, const dq_episode_log *log, uint64_t *cut, dq_error *error)
{
    play p = {.envs = envs, .log = log, .rng = dq_rng_stream(log->seed, ACTION_STREAM)};
    dq_status status = open_block(&p, error);
    if (!status) status = dq_agent_trajectories(log->agent, 1, &p.past, error);
    for (uint32_t e = 0; !status && e < log->episodes; e++) {
        bool over = false;
        status = dq_vec_env_begin(envs, error);
        if (!status && p.past) dq_trajectories_begin(p.past, 0, envs->states, 0);
        for (uint32_t n = 0; !status && !over; n++) status = step(&p, e, n, &over, error);
        if (log->ended) log->ended(log->arg, e + 1);
    }
    if (!status) status = flush(&p, error);
    *cut = p.cut;
    dq_arena_free(&p.arena);
    dq_trajectories_free(p.past);
    return status;
}
