/* SPDX-License-Identifier: MIT */
#include "learn/rollout.h"

#include "learn/agent_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct dq_rollout {
    dq_agent *agent;
    dq_rollout_config config;
    size_t width, starts, room, count; /* count: branches, or rows of the last step */
    uint32_t step;
    float *state, *next; /* (room, width) */
    const float **at;    /* (room) the states */
    dq_vectors store;    /* over at */
    uint32_t *action, *start;
    float *reward, *end, *disagreement;
    uint8_t *done;
    dq_rng *rng; /* of each branch */
    bool chosen; /* the actions of the coming step stand already */
    uint64_t dropped;
    dq_arena arena;
};

/* ---- making ---- */

static dq_status check(dq_agent *agent, const dq_rollout_config *config, dq_error *error)
{
    if (config->steps == 0) return dq_fail(error, DQ_ERR_RANGE, "a roll-out of no steps");
    if (dq_agent_get_shape(agent)->states.count)
        return dq_fail(error, DQ_ERR_RANGE,
                       "a step leaves these states as they are: there is nothing to roll out");
    return agent_check_world(agent, config->max, error);
}

static dq_status allocate(dq_rollout *r, dq_error *error)
{
    size_t n = r->room;
    const dq_buffer buffers[] = {
        DQ_BUFFER(r->state, n * r->width),
        DQ_BUFFER(r->next, n * r->width),
        DQ_BUFFER(r->at, n),
        DQ_BUFFER(r->action, n),
        DQ_BUFFER(r->start, n),
        DQ_BUFFER(r->reward, n),
        DQ_BUFFER(r->end, n),
        DQ_BUFFER(r->disagreement, n),
        DQ_BUFFER(r->done, n),
        DQ_BUFFER(r->rng, n),
    };
    if (!dq_buffers_take(&r->arena, buffers, DQ_BUFFERS(buffers))) return dq_fail_memory(error, "roll-outs");
    for (size_t i = 0; i < n; i++) r->at[i] = r->state + i * r->width;
    r->store = (dq_vectors){r->at, (uint32_t)n, (uint32_t)r->width};
    return DQ_OK;
}

dq_status dq_rollout_new(dq_rollout **out, dq_agent *agent, const dq_rollout_config *config, size_t starts,
                         dq_error *error)
{
    const dq_env_spec *shape = dq_agent_get_shape(agent);
    *out = NULL;
    dq_status status = check(agent, config, error);
    if (status) return status;
    dq_rollout *r = calloc(1, sizeof *r);
    if (!r) return dq_fail_memory(error, "roll-outs");
    *r = (dq_rollout){.agent = agent,
                      .config = *config,
                      .width = shape->state_width,
                      .starts = starts,
                      .room = starts * (config->by == DQ_ROLLOUT_ALL ? shape->action_count : 1)};
    if ((status = allocate(r, error)))
        dq_rollout_free(r);
    else
        *out = r;
    return status;
}

void dq_rollout_free(dq_rollout *r)
{
    if (!r) return;
    dq_arena_free(&r->arena);
    free(r);
}

uint64_t dq_rollout_dropped(const dq_rollout *r)
{
    return r->dropped;
}

/* ---- beginning ---- */

static void branch(dq_rollout *r, const float *state, uint32_t action, uint32_t start, uint64_t number)
{
    size_t i = r->count++;
    memcpy(r->state + i * r->width, state, r->width * sizeof *state);
    r->action[i] = action;
    r->start[i] = start;
    r->rng[i] = dq_rng_stream(r->config.seed, number);
}

dq_status dq_rollout_begin(dq_rollout *r, const dq_vectors *states, const uint32_t *number,
                           const uint32_t *actions, size_t n, uint32_t first, dq_error *error)
{
    bool all = r->config.by == DQ_ROLLOUT_ALL, remembered = r->config.by == DQ_ROLLOUT_REMEMBERED;
    uint32_t count = dq_agent_get_shape(r->agent)->action_count;
    uint32_t branches = all ? dq_agent_offered(r->agent) : 1;
    if (n > r->starts) return dq_fail(error, DQ_ERR_RANGE, "%zu starts, where %zu fit", n, r->starts);
    for (size_t i = 0; remembered && i < n; i++)
        if (actions[i] >= count) return dq_fail(error, DQ_ERR_RANGE, "action %u of %u", actions[i], count);
    r->count = 0;
    r->step = 0;
    r->chosen = all || remembered;
    for (size_t i = 0; i < n; i++) {
        uint32_t start = first + (uint32_t)i;
        const float *state = states->at[agent_number(number, i)];
        for (uint32_t b = 0; b < branches; b++)
            branch(r, state, remembered ? actions[i] : dq_agent_offered_at(r->agent, b), start,
                   (uint64_t)start * branches + b);
    }
    return DQ_OK;
}

/* ---- a step ---- */

static void choose(dq_rollout *r)
{
    bool any = r->config.by == DQ_ROLLOUT_RANDOM;
    if (!any) dq_agent_act(r->agent, &r->store, NULL, r->count, false, r->action);
    for (size_t i = 0; i < r->count; i++)
        if (any || (r->config.epsilon > 0 && dq_rng_uniform(&r->rng[i]) < r->config.epsilon))
            r->action[i] = dq_agent_offered_at(
                r->agent, (uint32_t)dq_rng_below(&r->rng[i], dq_agent_offered(r->agent)));
}

/* Row `from` becomes row `to`, to <= from. */
static void move(dq_rollout *r, size_t to, size_t from)
{
    if (to == from) return;
    memcpy(r->state + to * r->width, r->state + from * r->width, r->width * sizeof *r->state);
    memcpy(r->next + to * r->width, r->next + from * r->width, r->width * sizeof *r->next);
    r->action[to] = r->action[from];
    r->start[to] = r->start[from];
    r->reward[to] = r->reward[from];
    r->disagreement[to] = r->disagreement[from];
    r->done[to] = r->done[from];
    r->rng[to] = r->rng[from];
}

/* Branches that ended are left out; the others stand where their last step led. */
static void go_on(dq_rollout *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->count; i++) {
        if (r->done[i]) continue;
        move(r, kept, i);
        memcpy(r->state + kept * r->width, r->next + kept * r->width, r->width * sizeof *r->state);
        kept++;
    }
    r->count = kept;
}

static bool is_sound(const dq_rollout *r, size_t i)
{
    double sum = (double)r->reward[i] + (double)r->end[i] + (double)r->disagreement[i];
    for (size_t j = 0; j < r->width; j++) sum += (double)r->next[i * r->width + j];
    return isfinite(sum);
}

static dq_status judge(dq_rollout *r, dq_error *error)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->count; i++) {
        if (!is_sound(r, i))
            return dq_fail(error, DQ_ERR_NUMERIC,
                           "the world model predicts a number that is not finite, %u steps from start %u",
                           r->step + 1, r->start[i]);
        if ((double)r->disagreement[i] > r->config.max) {
            r->dropped++;
            continue;
        }
        r->done[i] = r->end[i] > 0.5F;
        move(r, kept++, i);
    }
    r->count = kept;
    return DQ_OK;
}

dq_status dq_rollout_next(dq_rollout *r, dq_rollout_rows *rows, dq_error *error)
{
    *rows = (dq_rollout_rows){0};
    if (r->step == r->config.steps) r->count = 0;
    if (r->step > 0) go_on(r);
    if (r->count == 0) return DQ_OK;
    if (!r->chosen) choose(r);
    r->chosen = false;
    dq_status status = dq_agent_predict(r->agent, &r->store, NULL, r->action, r->count, r->next, r->reward,
                                        r->end, r->disagreement, error);
    if (!status) status = judge(r, error);
    if (status) return status;
    *rows = (dq_rollout_rows){.count = r->count,
                              .state = r->state,
                              .next = r->next,
                              .action = r->action,
                              .reward = r->reward,
                              .disagreement = r->disagreement,
                              .done = r->done,
                              .start = r->start,
                              .step = r->step++};
    return DQ_OK;
}
