/* SPDX-License-Identifier: MIT
 *
 * CartPole-v1, as Gymnasium has it after Barto, Sutton and Anderson, "Neuronlike adaptive elements that can
 * solve difficult learning control problems", 1983: a pole on a cart that is pushed left (0) or right (1). +1
 * a step; the end when the pole leans over 12 degrees or the cart has gone 2.4 from the middle; 500 steps.
 * The state (place, speed, angle, its speed) is kept in double precision and shown in single.
 */
#include "env/env_impl.h"

#include <math.h>

enum { STEPS };
enum { PLACE, SPEED, ANGLE, TURN, WIDTH };

static const dq_env_option options[] = {
    {"steps", "steps that truncate an episode", 500, 1, 1e9, true},
    {0},
};

typedef struct memory {
    double at[WIDTH];
} memory;

static void show(dq_env *env, const memory *m)
{
    for (int i = 0; i < WIDTH; i++) env->state[i] = (float)m->at[i];
}

static dq_status init(dq_env *env, const double *o, dq_error *error)
{
    env->shape = (dq_env_spec){.state_width = WIDTH, .action_count = 2, .step_limit = (uint32_t)o[STEPS]};
    return dq_env_reserve(env, sizeof(memory), error);
}

static dq_status reset(dq_env *env, dq_error *error)
{
    memory *m = env->memory;
    (void)error;
    for (int i = 0; i < WIDTH; i++) m->at[i] = 0.1 * dq_rng_uniform(&env->rng) - 0.05;
    show(env, m);
    return DQ_OK;
}

/* Euler's method, places before speeds. */
static void move(double at[WIDTH], double force)
{
    const double gravity = 9.8, cart = 1, pole = 0.1, half = 0.5, tau = 0.02, all = cart + pole;
    const double c = cos(at[ANGLE]), s = sin(at[ANGLE]);
    const double push = (force + pole * half * at[TURN] * at[TURN] * s) / all;
    const double turning = (gravity * s - c * push) / (half * (4.0 / 3.0 - pole * c * c / all));
    const double speeding = push - pole * half * turning * c / all;
    at[PLACE] += tau * at[SPEED];
    at[SPEED] += tau * speeding;
    at[ANGLE] += tau * at[TURN];
    at[TURN] += tau * turning;
}

static dq_status step(dq_env *env, uint32_t action, dq_step *step, dq_error *error)
{
    const double lean = 12 * 2 * 3.14159265358979323846 / 360, far = 2.4;
    memory *m = env->memory;
    (void)error;
    move(m->at, action ? 10 : -10);
    step->reward = 1;
    step->terminal = fabs(m->at[PLACE]) > far || fabs(m->at[ANGLE]) > lean;
    show(env, m);
    return DQ_OK;
}

/* What is shown is what is kept. */
static bool sound(const dq_env *env)
{
    const memory *m = env->memory;
    bool ok = true;
    for (int i = 0; i < WIDTH; i++) ok = ok && isfinite(m->at[i]) && (float)m->at[i] == env->state[i];
    return ok;
}

const dq_env_kind dq_env_cartpole = {
    .name = "cartpole",
    .help = "a pole to balance on a cart",
    .source = "Gymnasium's CartPole-v1",
    .options = options,
    .init = init,
    .reset = reset,
    .step = step,
    .sound = sound,
};
