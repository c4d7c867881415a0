/* SPDX-License-Identifier: MIT
 *
 * CartPole-v1, as Gymnasium has it after Barto, Sutton and Anderson, "Neuronlike adaptive elements that can
 * solve difficult learning control problems", 1983: a pole on a cart that is pushed left (0) or right (1). +1
 * a step; the end when the pole leans over 12 degrees or the cart has gone 2.4 from the middle; 500 steps.
 * The state (place, speed, angle, its speed) is kept in double precision and shown in single.
 *
 * Of many side by side eight are moved at a time, a lane each: the compiler makes vectors of the lanes, which
 * needs a sine and a cosine without a call. While the pole stands its angle is below 0.21, where Taylor's
 * series end soon: what is left out is below 1e-17 of the sine and 5e-20 of the cosine, and half a unit in
 * the last place is 1e-16. One alone is moved by the same arithmetic, and every CPU and C library come to the
 * same bits. Beyond (a pole that fell and is pushed on) the library's functions are taken.
 */
#include "env/env_impl.h"
#include "math/clones.h"

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

/* ---- moving ---- */

/* For angles of at most SMALL, x^2 = y: x (1 - y/3! + ... - y^5/11!) and 1 - y/2! + ... + y^6/12!. */
static const double SMALL = 0.25;

static inline double small_sine(double x, double y)
{
    return x * (1 + y * (-1.0 / 6 +
                         y * (1.0 / 120 + y * (-1.0 / 5040 + y * (1.0 / 362880 - y * (1.0 / 39916800))))));
}

static inline double small_cosine(double y)
{
    return 1 + y * (-1.0 / 2 +
                    y * (1.0 / 24 + y * (-1.0 / 720 +
                                         y * (1.0 / 40320 + y * (-1.0 / 3628800 + y * (1.0 / 479001600))))));
}

/* Euler's method, places before speeds. */
static inline void move(double *place, double *speed, double *angle, double *turn, double force, double s,
                        double c)
{
    const double gravity = 9.8, cart = 1, pole = 0.1, half = 0.5, tau = 0.02, all = cart + pole;
    const double push = (force + pole * half * *turn * *turn * s) / all;
    const double turning = (gravity * s - c * push) / (half * (4.0 / 3.0 - pole * c * c / all));
    const double speeding = push - pole * half * turning * c / all;
    *place += tau * *speed;
    *speed += tau * speeding;
    *angle += tau * *turn;
    *turn += tau * turning;
}

static inline void move_small(double *place, double *speed, double *angle, double *turn, double force)
{
    double y = *angle * *angle;
    move(place, speed, angle, turn, force, small_sine(*angle, y), small_cosine(y));
}

/* Without a branch, which chance would decide. */
static double force_of(uint32_t action)
{
    return 20.0 * action - 10;
}

static bool falls(double place, double angle)
{
    const double lean = 12 * 2 * 3.14159265358979323846 / 360, far = 2.4;
    return fabs(place) > far || fabs(angle) > lean;
}

static void end(dq_env *env, dq_step *step)
{
    const memory *m = env->memory;
    step->reward = 1;
    step->terminal = falls(m->at[PLACE], m->at[ANGLE]);
    show(env, m);
}

static dq_status step(dq_env *env, uint32_t action, dq_step *step, dq_error *error)
{
    memory *m = env->memory;
    double *at = m->at, angle = at[ANGLE], force = force_of(action);
    (void)error;
    if (fabs(angle) <= SMALL)
        move_small(&at[PLACE], &at[SPEED], &at[ANGLE], &at[TURN], force);
    else
        move(&at[PLACE], &at[SPEED], &at[ANGLE], &at[TURN], force, sin(angle), cos(angle));
    end(env, step);
    return DQ_OK;
}

/* ---- many ---- */

enum { LANES = 8 };

typedef struct lanes {
    double at[WIDTH][LANES], force[LANES];
} lanes;

DQ_CLONES static void move_lanes(lanes *l)
{
    for (int i = 0; i < LANES; i++)
        move_small(&l->at[PLACE][i], &l->at[SPEED][i], &l->at[ANGLE][i], &l->at[TURN][i], l->force[i]);
}

/* Whether all poles lean little enough for move_lanes. */
static bool take_lanes(lanes *l, dq_env *const *envs, const uint32_t *which, const uint32_t *actions)
{
    bool small = true;
    for (int i = 0; i < LANES; i++) {
        const memory *m = envs[which[i]]->memory;
        for (int k = 0; k < WIDTH; k++) l->at[k][i] = m->at[k];
        l->force[i] = force_of(actions[which[i]]);
        small = small && fabs(m->at[ANGLE]) <= SMALL;
    }
    return small;
}

static void step_many(dq_env *const *envs, const uint32_t *which, size_t n, const uint32_t *actions,
                      dq_step *steps)
{
    lanes l;
    for (size_t at = 0; at < n;) {
        if (n - at < LANES || !take_lanes(&l, envs, which + at, actions)) {
            (void)step(envs[which[at]], actions[which[at]], &steps[which[at]], NULL);
            at++;
            continue;
        }
        move_lanes(&l);
        for (int i = 0; i < LANES; i++, at++) {
            memory *m = envs[which[at]]->memory;
            for (int k = 0; k < WIDTH; k++) m->at[k] = l.at[k][i];
            end(envs[which[at]], &steps[which[at]]);
        }
    }
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
    .step_many = step_many,
    .sound = sound,
};
