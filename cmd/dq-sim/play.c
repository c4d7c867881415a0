/* SPDX-License-Identifier: MIT
 *
 * Episodes as transitions with dense states: a log to learn from offline. One environment after the other's
 * end, so rows stand in the order of episodes and steps. Actions are an agent's, or any; how likely each was
 * is in the column propensity, for those who weigh a log by it.
 */
#include "sim.h"

#include "data/load.h"
#include "rollout/episodes.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 8192, BLOCK_NUMBERS = 1 << 21, ACTION_STREAM = 0x706c6179 };

/* A block in the making. */
typedef struct block {
    size_t count, room;
    float *state, *next, *reward, *propensity; /* (room, width), (room) */
    uint32_t *choice, *episode, *step;
    uint8_t *done, *truncated;
} block;

typedef struct play {
    const sim_play_options *o;
    const dq_common *common;
    dq_vec_env *envs;
    dq_reader *model_input;
    dq_models models;
    dq_session_layout like; /* how the model knows states */
    dq_pool *pool;
    dq_agent *agent; /* NULL: any action */
    dq_writer *writer;
    block block;
    dq_rng rng;
} play;

/* ---- opening ---- */

static dq_status read_model(play *p, dq_error *error)
{
    if (!p->o->model) return DQ_OK;
    dq_status status = dq_models_read(&p->models, &p->model_input, p->o->model, error);
    if (status) return status;
    if (p->models.count > 1)
        status = dq_fail(error, DQ_ERR_RANGE, "%zu models, where one is wanted", p->models.count);
    else
        status = dq_session_layout_load(&p->like, &p->models.at[0], error);
    return status ? dq_error_at(error, p->o->model, DQ_NO_RECORD) : DQ_OK;
}

static dq_status open_agent(play *p, dq_error *error)
{
    if (!p->o->model) return DQ_OK;
    dq_status status = dq_pool_new(&p->pool, dq_cli_threads(p->common, 1), error);
    if (!status) status = dq_episodes_agent(&p->agent, &p->models.at[0], p->envs, p->pool, error);
    return status ? dq_error_at(error, p->o->model, DQ_NO_RECORD) : DQ_OK;
}

static dq_status open_block(block *b, size_t width, dq_error *error)
{
    b->room = BLOCK_NUMBERS / width < BLOCK ? BLOCK_NUMBERS / width + 1 : BLOCK;
    b->state = malloc(b->room * width * sizeof *b->state);
    b->next = malloc(b->room * width * sizeof *b->next);
    b->reward = malloc(b->room * sizeof *b->reward);
    b->propensity = malloc(b->room * sizeof *b->propensity);
    b->choice = malloc(b->room * sizeof *b->choice);
    b->episode = malloc(b->room * sizeof *b->episode);
    b->step = malloc(b->room * sizeof *b->step);
    b->done = malloc(b->room);
    b->truncated = malloc(b->room);
    if (b->state && b->next && b->reward && b->propensity && b->choice && b->episode && b->step && b->done &&
        b->truncated)
        return DQ_OK;
    return dq_fail(error, DQ_ERR_MEMORY, "no memory for episodes");
}

static void close_all(play *p)
{
    block *b = &p->block;
    void *owned[] = {b->state,   b->next, b->reward, b->propensity, b->choice,
                     b->episode, b->step, b->done,   b->truncated};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
    dq_agent_free(p->agent);
    dq_models_free(&p->models);
    dq_pool_free(p->pool);
    dq_writer_abort(p->writer);
    dq_reader_close(p->model_input);
}

/* ---- writing ---- */

static dq_status add_columns(const block *b, uint32_t width, dq_bundle *out, dq_error *error)
{
    const uint64_t shape[2] = {b->count, width};
    dq_status status = dq_bundle_add_tensor(out, "state", DQ_F4, 2, shape, b->state, error);
    if (!status) status = dq_bundle_add_numbers(out, "choice", DQ_U4, b->choice, NULL, NULL, error);
    if (!status) status = dq_bundle_add_numbers(out, "reward", DQ_F4, b->reward, NULL, NULL, error);
    if (!status) status = dq_bundle_add_numbers(out, "done", DQ_U1, b->done, NULL, NULL, error);
    if (!status) status = dq_bundle_add_numbers(out, "truncated", DQ_U1, b->truncated, NULL, NULL, error);
    if (!status) status = dq_bundle_add_tensor(out, "next_state", DQ_F4, 2, shape, b->next, error);
    if (!status) status = dq_bundle_add_numbers(out, "propensity", DQ_F4, b->propensity, NULL, NULL, error);
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
        status = dq_fail(error, DQ_ERR_MEMORY, "no memory for episodes");
    if (!status) status = dq_session_layout_save(&p->envs->shape.layout, &out, error);
    if (!status) status = add_columns(&p->block, p->envs->shape.state_width, &out, error);
    if (!status) status = dq_writer_put(p->writer, &out, error);
    if (!status && p->common->flush) status = dq_writer_flush(p->writer, error);
    dq_bundle_free(&out);
    p->block.count = 0;
    return status;
}

/* ---- playing ---- */

/* Epsilon-greedy; without an agent, any action. *chance: of this one. */
static uint32_t choose(play *p, float *chance)
{
    uint32_t count = p->envs->shape.action_count, best, action;
    double share = p->agent ? p->o->epsilon : 1;
    if (p->agent) dq_agent_act(p->agent, &p->envs->store, p->envs->number, 1, false, &best);
    bool any = dq_rng_uniform(&p->rng) < share;
    action = any ? (uint32_t)dq_rng_below(&p->rng, count) : best;
    *chance = (float)(share / count + (p->agent && action == best ? 1 - share : 0));
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
    memcpy(b->next + at * width, p->envs->next, width * sizeof(float));
    b->choice[at] = action;
    b->reward[at] = s->reward;
    b->done[at] = s->terminal;
    b->truncated[at] = s->truncated;
    b->episode[at] = episode;
    b->step[at] = number;
    *over = s->terminal || s->truncated;
    dq_vec_env_advance(p->envs);
    return ++b->count == b->room ? flush(p, error) : DQ_OK;
}

static dq_status play_all(play *p, dq_error *error)
{
    dq_status status = DQ_OK;
    dq_progress bar = dq_progress_start(p->common, "episodes", p->o->episodes);
    for (uint32_t e = 0; !status && e < p->o->episodes; e++) {
        bool over = false;
        status = dq_vec_env_begin(p->envs, error);
        for (uint32_t n = 0; !status && !over; n++) status = step(p, e, n, &over, error);
        dq_progress_step(&bar, e + 1, NULL);
    }
    dq_progress_end(&bar);
    return status ? status : flush(p, error);
}

dq_status sim_play(const char *env, const sim_play_options *o, const dq_common *common, const dq_maker *maker,
                   dq_error *error)
{
    play p = {.o = o, .common = common, .rng = dq_rng_stream(common->seed, ACTION_STREAM)};
    dq_vec_env_config config = {.name = env, .like = &p.like, .count = 1, .seed = common->seed};
    dq_status status = read_model(&p, error);
    if (!status) status = dq_vec_env_open(&p.envs, &config, error);
    if (!status) status = open_agent(&p, error);
    if (!status) status = open_block(&p.block, p.envs->shape.state_width, error);
    if (!status)
        status = dq_writer_open(&p.writer, common->output, maker, &p.model_input, p.model_input ? 1 : 0,
                                error);
    if (!status) status = play_all(&p, error);
    if (!status) {
        status = dq_writer_close(p.writer, error);
        p.writer = NULL;
    }
    close_all(&p);
    return dq_vec_env_close(p.envs, status, error);
}
