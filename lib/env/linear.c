/* SPDX-License-Identifier: MIT
 *
 * A linear world, where what is best is known, for bandits: a state s is drawn anew each step, uniformly of
 * the vectors of length 1, and an action is worth s' M v, of its vector v, plus normal noise. So the worth is
 * linear in s for each action, and for all of them in the products of s and v. M and the vectors belong to
 * the world; M v has length 1 for each action. Regret is what the best action of each state was worth beyond
 * those taken, without the noise.
 */
#include "env/env_impl.h"

#include <math.h>

enum { FEATURES, ACTIONS, DESCRIBED, NOISE, STEPS, WORLD };

static const dq_env_option options[] = {
    {"features", "numbers of a state", 8, 1, 4096, true},
    {"actions", "actions", 10, 2, 1e5, true},
    {"described", "numbers of an action's vector", 4, 1, 4096, true},
    {"noise", "standard deviation of a reward's noise", 0.3, 0, 1e6, false},
    {"steps", "steps that truncate an episode", 100, 1, 1e9, true},
    {"world", "draws the worth of actions", 1, 0, 9e15, true},
    {0},
};

typedef struct linear {
    double noise;
    float *worth;     /* (actions, features) M v */
    float *described; /* (actions, described) v */
    const float **at; /* (actions) them */
    double *matrix;   /* (features, described) M */
} linear;

/* Scales v and M v so that M v has length 1. */
static void describe(linear *l, const dq_env_spec *s, uint32_t action)
{
    float *v = l->described + (size_t)action * s->action_width,
          *worth = l->worth + (size_t)action * s->state_width;
    double square = 0;
    for (uint32_t i = 0; i < s->state_width; i++) {
        double sum = 0;
        for (uint32_t j = 0; j < s->action_width; j++)
            sum += l->matrix[i * s->action_width + j] * (double)v[j];
        worth[i] = (float)sum;
        square += sum * sum;
    }
    float length = (float)sqrt(square);
    for (uint32_t i = 0; i < s->state_width; i++) worth[i] /= length;
    for (uint32_t j = 0; j < s->action_width; j++) v[j] /= length;
}

static dq_status init(dq_env *env, const double *o, dq_error *error)
{
    uint32_t features = (uint32_t)o[FEATURES], actions = (uint32_t)o[ACTIONS],
             described = (uint32_t)o[DESCRIBED];
    linear *l = env->self = dq_arena_zero(&env->arena, 1, sizeof *l);
    if (!l) return dq_fail_memory(error, "a linear world");
    const dq_buffer buffers[] = {
        DQ_BUFFER(l->worth, (size_t)actions * features),
        DQ_BUFFER(l->described, (size_t)actions * described),
        DQ_BUFFER(l->at, actions),
        DQ_BUFFER(l->matrix, (size_t)features * described),
    };
    if (!dq_buffers_take(&env->arena, buffers, DQ_BUFFERS(buffers)))
        return dq_fail_memory(error, "a linear world");
    l->noise = o[NOISE];
    dq_env_rows(l->at, l->described, actions, described);
    env->shape = (dq_env_spec){.state_width = features,
                               .action_count = actions,
                               .action_width = described,
                               .actions = l->at,
                               .step_limit = (uint32_t)o[STEPS]};
    dq_rng rng = dq_rng_new((uint64_t)o[WORLD]);
    for (size_t i = 0; i < (size_t)features * described; i++) l->matrix[i] = dq_rng_normal(&rng);
    dq_env_normals(l->described, (size_t)actions * described, 1, &rng);
    for (uint32_t a = 0; a < actions; a++) describe(l, &env->shape, a);
    return dq_env_reserve(env, 0, error);
}

static void draw_state(dq_env *env)
{
    double square = 0;
    uint32_t n = env->shape.state_width;
    while (square <= 0) {
        dq_env_normals(env->state, n, 1, &env->rng);
        for (uint32_t i = 0; i < n; i++) square += (double)env->state[i] * (double)env->state[i];
    }
    for (uint32_t i = 0; i < n; i++) env->state[i] = (float)((double)env->state[i] / sqrt(square));
}

static dq_status reset(dq_env *env, dq_error *error)
{
    (void)error;
    draw_state(env);
    return DQ_OK;
}

static double worth_of(const dq_env *env, uint32_t action)
{
    const linear *l = env->self;
    uint32_t n = env->shape.state_width;
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += (double)l->worth[(size_t)action * n + i] * (double)env->state[i];
    return sum;
}

static dq_status step(dq_env *env, uint32_t action, dq_step *step, dq_error *error)
{
    const linear *l = env->self;
    double taken = worth_of(env, action), best = taken;
    (void)error;
    for (uint32_t a = 0; a < env->shape.action_count; a++) best = fmax(best, worth_of(env, a));
    step->reward = (float)(taken + l->noise * dq_rng_normal(&env->rng));
    env->counters[0] = (double)(float)(env->counters[0] + best - taken); /* as a process hands it on */
    draw_state(env);
    return DQ_OK;
}

/* What is kept is the state alone. */
static bool sound(const dq_env *env)
{
    bool ok = true;
    for (uint32_t i = 0; i < env->shape.state_width; i++) ok = ok && isfinite(env->state[i]);
    return ok;
}

const dq_env_kind dq_env_linear = {
    .name = "linear",
    .help = "rewards linear in the state, which actions do not change: a world for bandits",
    .source = "Chu et al., \"Contextual bandits with linear payoff functions\", 2011",
    .options = options,
    .counters = {"regret"},
    .init = init,
    .reset = reset,
    .step = step,
    .sound = sound,
};
