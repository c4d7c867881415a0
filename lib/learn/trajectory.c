/* SPDX-License-Identifier: MIT */
#include "learn/trajectory.h"

#include "core/buffers.h"
#include "core/words/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

dq_trajectory dq_trajectory_of(const dq_agent_config *c, const dq_env_spec *shape)
{
    return (dq_trajectory){.context = c->context,
                           .state_width = shape->state_width,
                           .action_width = shape->action_width ? shape->action_width : shape->action_count,
                           .actions = shape->actions,
                           .imitates = c->imitates,
                           .wish = c->wish,
                           .greatest = c->greatest_return,
                           .mean = c->return_mean,
                           .scale = c->return_scale};
}

uint32_t dq_trajectory_step_width(const dq_trajectory *t)
{
    return 2 + t->state_width + t->action_width;
}

uint32_t dq_trajectory_width(const dq_trajectory *t)
{
    return t->context * dq_trajectory_step_width(t);
}

float *dq_trajectory_show(const dq_trajectory *t, float *step, double to_go)
{
    step[0] = 1;
    step[1] = t->imitates ? 0 : (float)((fmin(to_go, t->greatest) - t->mean) / t->scale);
    memset(step + 2 + t->state_width, 0, t->action_width * sizeof *step);
    return step + 2;
}

void dq_trajectory_choose(const dq_trajectory *t, float *step, uint32_t action)
{
    float *to = step + 2 + t->state_width;
    if (t->actions)
        memcpy(to, t->actions[action], t->action_width * sizeof *to);
    else
        to[action] = 1;
}

bool dq_trajectory_read_wish(const char *text, dq_agent_config *c)
{
    c->imitates = strcmp(text, "none") == 0;
    c->wish = (double)NAN; /* the greatest, once the log is known */
    if (c->imitates || strcmp(text, "greatest") == 0) return true;
    return dq_number_is(text, &c->wish);
}

/* ---- side by side ---- */

struct dq_trajectories {
    dq_trajectory of;
    float *window;    /* (n, width) */
    double *to_go;    /* (n) */
    const float **at; /* (n) */
    dq_vectors store; /* the windows */
    dq_arena arena;
};

dq_status dq_trajectories_new(dq_trajectories **out, const dq_trajectory *of, size_t n, dq_error *error)
{
    size_t width = dq_trajectory_width(of);
    *out = NULL;
    dq_trajectories *t = calloc(1, sizeof *t);
    if (!t) return dq_fail_memory(error, "trajectories");
    t->of = *of;
    const dq_buffer buffers[] = {DQ_BUFFER(t->window, n * width), DQ_BUFFER(t->to_go, n),
                                 DQ_BUFFER(t->at, n)};
    if (!dq_buffers_take(&t->arena, buffers, DQ_BUFFERS(buffers))) {
        dq_trajectories_free(t);
        return dq_fail_memory(error, "%zu trajectories", n);
    }
    for (size_t i = 0; i < n; i++) t->at[i] = t->window + i * width;
    t->store = (dq_vectors){t->at, (uint32_t)n, (uint32_t)width};
    *out = t;
    return DQ_OK;
}

void dq_trajectories_free(dq_trajectories *t)
{
    if (!t) return;
    dq_arena_free(&t->arena);
    free(t);
}

const dq_vectors *dq_trajectories_store(const dq_trajectories *t)
{
    return &t->store;
}

static void show(dq_trajectories *t, size_t i, const float *state)
{
    float *step = t->window + i * t->store.width;
    memcpy(dq_trajectory_show(&t->of, step, t->to_go[i]), state, t->of.state_width * sizeof *state);
}

void dq_trajectories_begin(dq_trajectories *t, size_t i, const float *state, double before)
{
    memset(t->window + i * t->store.width, 0, t->store.width * sizeof *t->window);
    t->to_go[i] = t->of.wish + before;
    show(t, i, state);
}

void dq_trajectories_step(dq_trajectories *t, size_t i, uint32_t action, float reward, const float *next)
{
    float *window = t->window + i * t->store.width;
    size_t step = dq_trajectory_step_width(&t->of);
    dq_trajectory_choose(&t->of, window, action);
    memmove(window + step, window, (t->store.width - step) * sizeof *window);
    if (!isnan(reward)) t->to_go[i] -= (double)reward;
    show(t, i, next);
}
