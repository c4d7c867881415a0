/* SPDX-License-Identifier: MIT
 *
 * System D: films are shown to a user, one a step, a hundred an episode. The state (data/session_state.h) is
 *
 *     [ user (width) | the last 5 clicked films (5, 10), the latest first ]         50 + 50 = 100 numbers
 *
 *     liking   z = spread u' W f / sqrt(50 x 10), less `weariness` for each time the film is among the last 5
 *     click    with sigmoid(z); watched to the end with sigmoid(z - 1) after a click
 *     reward   +1 for a click, +10 when watched to the end, -0.1 when ignored
 *
 * The last step is an end, as published: nothing is bootstrapped there. The state does not show the time, so
 * the same state has a value a step before and none at the end, and what is learnt is biased towards too
 * little; terminal=0 cuts the episode off instead, which is right.
 *
 * The published system names no user model; this one makes films compete by taste (W is drawn with the world)
 * and wear out, so that the last films matter.
 */
#include "env/env_impl.h"

#include <math.h>
#include <string.h>

enum { USER_WIDTH = 50, FILM_WIDTH = 10, LAST = 5 };
enum { USER_STREAM = 1, FILM_STREAM, TASTE_STREAM };
enum { USERS, FILMS, STEPS, WORLD, SPREAD, WEARINESS, TERMINAL, FIRST, SERVED };
enum { CLICKS, FINISHED };

static const dq_env_option options[] = {
    {"users", "users", 100, 1, 1e6, true},
    {"films", "films: the actions", 10, 1, 1e6, true},
    {"steps", "steps of an episode", 100, 1, 1e6, true},
    {"world", "seed of users and films", 42, 0, 9e15, true},
    {"spread", "standard deviation of the liking", 1.5, 0, 100, false},
    {"weariness", "liking lost for each time among the last 5", 1, 0, 100, false},
    {"terminal", "the last step 1: ends the episode, 0: cuts it off", 1, 0, 1, true},
    {"first", "the first user that is served", 0, 0, 1e6, true},
    {"served", "users that are served, from the first; 0: all", 0, 0, 1e6, true},
    {0},
};

typedef struct films {
    uint32_t users, count, first, served;
    bool terminal;
    double weariness;
    float *user, *film; /* (users, 50), (count, 10) */
    float *liking;      /* (users, count) */
    const float **at;   /* (count) the vectors of `film` */
} films;

static const dq_session_layout layout = {
    .user_width = USER_WIDTH, .item_width = FILM_WIDTH, .history = LAST, .recency = 1};

typedef struct memory {
    uint32_t user, watched, last[LAST]; /* films clicked, the latest first */
} memory;

/* liking = spread x the standardised products of what W makes of the user with the film. */
static void make_likings(films *f, const float *taste, double spread)
{
    const double scale = spread / sqrt((double)USER_WIDTH * FILM_WIDTH);
    for (uint32_t u = 0; u < f->users; u++) {
        double wants[FILM_WIDTH] = {0};
        for (uint32_t k = 0; k < USER_WIDTH * FILM_WIDTH; k++)
            wants[k % FILM_WIDTH] += (double)f->user[u * USER_WIDTH + k / FILM_WIDTH] * (double)taste[k];
        for (uint32_t i = 0; i < f->count; i++) {
            double sum = 0;
            for (uint32_t k = 0; k < FILM_WIDTH; k++) sum += wants[k] * (double)f->film[i * FILM_WIDTH + k];
            f->liking[(size_t)u * f->count + i] = (float)(scale * sum);
        }
    }
}

static dq_status make_world(dq_env *env, films *f, uint64_t world, double spread, dq_error *error)
{
    float taste[USER_WIDTH * FILM_WIDTH];
    dq_rng users = dq_rng_stream(world, USER_STREAM), rows = dq_rng_stream(world, FILM_STREAM);
    dq_rng tastes = dq_rng_stream(world, TASTE_STREAM);
    const dq_buffer buffers[] = {
        DQ_BUFFER(f->user, (size_t)f->users * USER_WIDTH), DQ_BUFFER(f->film, (size_t)f->count * FILM_WIDTH),
        DQ_BUFFER(f->liking, (size_t)f->users * f->count), DQ_BUFFER(f->at, f->count)};
    if (!dq_buffers_take(&env->arena, buffers, DQ_BUFFERS(buffers)))
        return dq_fail_memory(error, "%u users and %u films", f->users, f->count);
    dq_env_rows(f->at, f->film, f->count, FILM_WIDTH);
    dq_env_normals(f->user, (size_t)f->users * USER_WIDTH, 1, &users);
    dq_env_normals(f->film, (size_t)f->count * FILM_WIDTH, 1, &rows);
    dq_env_normals(taste, sizeof taste / sizeof taste[0], 1, &tastes);
    make_likings(f, taste, spread);
    return DQ_OK;
}

static dq_status init(dq_env *env, const double *o, dq_error *error)
{
    films *f = env->self = dq_arena_zero(&env->arena, 1, sizeof *f);
    if (!f) return dq_fail_memory(error, "films");
    *f = (films){.users = (uint32_t)o[USERS],
                 .count = (uint32_t)o[FILMS],
                 .first = (uint32_t)o[FIRST],
                 .served = (uint32_t)o[SERVED],
                 .terminal = o[TERMINAL] != 0,
                 .weariness = o[WEARINESS]};
    dq_status status = dq_env_choose_served(env, f->users, f->first, &f->served, error);
    if (!status) status = make_world(env, f, (uint64_t)o[WORLD], o[SPREAD], error);
    if (status) return status;
    env->shape = dq_env_session_spec(&layout, f->count, f->at);
    env->shape.step_limit = (uint32_t)o[STEPS];
    dq_env_describe(env, f->users, f->user, f->film);
    return dq_env_reserve(env, sizeof(memory), error);
}

static void show(dq_env *env)
{
    const films *f = env->self;
    const memory *m = env->memory;
    const dq_vectors items = {.at = f->at, .count = f->count, .width = FILM_WIDTH};
    const dq_session_place place = {
        .user = f->user + (size_t)m->user * USER_WIDTH, .latest = m->last, .step = 1, .entered = m->watched};
    dq_session_state(&layout, &items, &place, env->state);
}

static dq_status reset(dq_env *env, dq_error *error)
{
    const films *f = env->self;
    memory *m = env->memory;
    (void)error;
    *m = (memory){.user = f->first + (uint32_t)dq_rng_below(&env->rng, f->served)};
    show(env);
    return DQ_OK;
}

static uint32_t seen_lately(const memory *m, uint32_t film)
{
    uint32_t n = m->watched < LAST ? m->watched : LAST, times = 0;
    for (uint32_t i = 0; i < n; i++) times += m->last[i] == film;
    return times;
}

static dq_status step(dq_env *env, uint32_t action, dq_step *step, dq_error *error)
{
    const films *f = env->self;
    memory *m = env->memory;
    double liking = (double)f->liking[(size_t)m->user * f->count + action] -
                    f->weariness * seen_lately(m, action);
    bool clicks = dq_rng_uniform(&env->rng) < dq_env_sigmoid(liking);
    bool finishes = dq_rng_uniform(&env->rng) < dq_env_sigmoid(liking - 1) && clicks;
    (void)error;
    step->terminal = f->terminal && env->steps + 1 >= env->shape.step_limit;
    step->reward = finishes ? 10 : clicks ? 1 : -0.1F;
    env->counters[CLICKS] += clicks;
    env->counters[FINISHED] += finishes;
    if (!clicks) return DQ_OK;
    memmove(m->last + 1, m->last, (LAST - 1) * sizeof m->last[0]);
    m->last[0] = action;
    m->watched++;
    show(env);
    return DQ_OK;
}

static bool sound(const dq_env *env)
{
    const films *f = env->self;
    const memory *m = env->memory;
    bool ok = m->user < f->users;
    for (int i = 0; i < LAST; i++) ok = ok && m->last[i] < f->count;
    return ok;
}

const dq_env_kind dq_env_films = {
    .name = "films",
    .help = "films shown to a user: ignored, clicked, or watched to the end",
    .source = "system D",
    .options = options,
    .counters = {"clicks", "finished"},
    .init = init,
    .reset = reset,
    .step = step,
    .sound = sound,
};
