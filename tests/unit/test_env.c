/* SPDX-License-Identifier: MIT */
#include "env_life.h"

#include "../fixtures/env/cartpole.h"

#include <math.h>
#include <stdlib.h>

static uint32_t hot(const dq_env *env)
{
    uint32_t at = 0;
    while (env->state[at] != 1) at++;
    for (uint32_t i = 0; i < env->shape.state_width; i++) assert_true(env->state[i] == (i == at));
    return at;
}

/* ---- every kind ---- */

static void *a_kind(const dq_env_kind *kind)
{
    return make(kind->name, NULL, 7);
}

/* Plays n random steps; a digest of all that was seen. */
static double play(dq_env *env, dq_rng *rng, int n)
{
    double sum = 0;
    dq_error e = DQ_ERROR_NONE;
    for (int i = 0; i < n; i++) {
        dq_step s = take(env, (uint32_t)dq_rng_below(rng, env->shape.action_count));
        for (uint32_t k = 0; k < env->shape.state_width; k++) {
            assert_true(isfinite(env->state[k]));
            sum += (double)env->state[k] * (1 + k % 7);
        }
        sum = 0.5 * sum + (double)s.reward;
        assert_false(s.terminal && s.truncated);
        if (s.terminal || s.truncated) assert_int_equal(dq_env_reset(env, &e), DQ_OK);
    }
    return sum;
}

static void the_same_seed_is_the_same_life(void **state)
{
    (void)state;
    for (const dq_env_kind *const *k = dq_env_kinds; *k; k++) {
        dq_env *a = a_kind(*k), *b = a_kind(*k);
        dq_rng x = dq_rng_new(1), y = dq_rng_new(1);
        assert_true(play(a, &x, 300) == play(b, &y, 300));
        dq_env_free(a);
        dq_env_free(b);
    }
}

static const float vector[2], *const vectors[4] = {vector, vector, vector, vector};

/* state, user, history, item; actions, their width, their vectors, limit; numbered states */
static const dq_env_spec whole = {12, 3, 4, 2, 4, 2, vectors, 0, {0}, {0}};
static const dq_env_spec contradictions[] = {
    {0, 0, 0, 0, 1, 0, NULL, 0, {0}, {0}},
    {1, 0, 0, 0, 0, 0, NULL, 0, {0}, {0}},
    {10, 3, 4, 2, 4, 2, vectors, 0, {0}, {0}},          /* no room for user and history */
    {12, UINT32_MAX, 4, 2, 4, 2, vectors, 0, {0}, {0}}, /* nor where their sum is beyond 32 bits */
    {12, 3, 1U << 31, 2, 4, 2, vectors, 0, {0}, {0}},
    {12, 3, 4, 0, 4, 2, vectors, 0, {0}, {0}}, /* items without a width */
    {12, 3, 4, 1, 4, 2, vectors, 0, {0}, {0}}, /* items are actions */
    {12, 3, 4, 2, 4, 2, NULL, 0, {0}, {0}},    /* a width without vectors */
    {12, 3, 4, 2, 4, 0, vectors, 0, {0}, {0}},
    {2, 0, 0, 0, 1, 0, NULL, 0, {vectors, 4, 3}, {0}}, /* numbered states of another width */
};
enum { CONTRADICTIONS = sizeof contradictions / sizeof *contradictions };

static dq_status init_as(dq_env *env, const double *options, dq_error *error)
{
    (void)options, (void)error;
    env->shape = *(const dq_env_spec *)env->self;
    return DQ_OK;
}

static void shapes_that_contradict_themselves_are_refused(void **state)
{
    (void)state;
    const dq_env_option none = {0};
    const dq_env_kind kind = {.name = "made", .options = &none, .init = init_as};
    dq_env *env;
    for (size_t i = 0; i < CONTRADICTIONS; i++) {
        dq_env_spec shape = contradictions[i];
        assert_int_equal(dq_env_spec_check(&shape, NULL), DQ_ERR_RANGE);
        assert_int_equal(dq_env_new_kind(&env, &kind, &shape, NULL, 1, NULL), DQ_ERR_RANGE);
        assert_null(env);
    }
    dq_env_spec shape = whole;
    assert_int_equal(dq_env_new_kind(&env, &kind, &shape, NULL, 1, NULL), DQ_OK);
    dq_env_free(env);
    shape.actions = NULL;
    shape.action_width = 0;
    assert_int_equal(dq_env_spec_check(&shape, NULL), DQ_OK); /* items, but no described actions */
}

static void shapes_add_up(void **state)
{
    (void)state;
    for (const dq_env_kind *const *k = dq_env_kinds; *k; k++) {
        dq_env *a = a_kind(*k);
        const dq_env_spec *s = &a->shape;
        assert_int_equal(dq_env_spec_check(s, NULL), DQ_OK);
        assert_true((char *)a->state >= (char *)a->memory &&
                    (char *)(a->state + s->state_width) <= (char *)a->memory + a->memory_bytes);
        dq_env_free(a);
    }
}

/* An environment that was saved in the middle of an episode goes on as the one that was not. */
static void a_saved_env_goes_on(void **state)
{
    (void)state;
    for (const dq_env_kind *const *k = dq_env_kinds; *k; k++) {
        dq_error e = DQ_ERROR_NONE;
        dq_bundle model;
        dq_env *a = a_kind(*k), *b;
        dq_rng x = dq_rng_new(1), y;
        play(a, &x, 57);
        assert_int_equal(dq_bundle_init(&model, "model", 0, &e), DQ_OK);
        assert_int_equal(dq_env_save(a, "env", &model, &e), DQ_OK);
        assert_int_equal(dq_env_new(&b, (*k)->name, NULL, 99, &e), DQ_OK);
        assert_int_equal(dq_env_restore(b, "env", &model, &e), DQ_OK);
        dq_bundle_free(&model);
        y = x;
        assert_true(play(a, &x, 200) == play(b, &y, 200));
        assert_memory_equal(a->counters, b->counters, sizeof a->counters);
        assert_true(a->steps == b->steps);
        dq_env_free(a);
        dq_env_free(b);
    }
}

/* The pole is where it is shown to be. */
static void a_false_pole_is_refused(void **state)
{
    (void)state;
    const double places[] = {NAN, INFINITY, 1};
    dq_bundle model;
    dq_env *env = make("cartpole", NULL, 7);
    double *at = env->memory;
    assert_int_equal(dq_env_reset(env, NULL), DQ_OK);
    assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_env_save(env, "env", &model, NULL), DQ_OK);
    assert_int_equal(dq_env_restore(env, "env", &model, NULL), DQ_OK);
    for (int i = 0; i < 3; i++) {
        at[0] = places[i];
        assert_int_equal(dq_env_restore(env, "env", &model, NULL), DQ_ERR_SCHEMA);
    }
    dq_bundle_free(&model);
    dq_env_free(env);
}

/* A checkpoint that was taken when an episode was over, said to be of one that goes on. */
static void what_is_over_does_not_go_on(void **state)
{
    (void)state;
    const struct {
        const char *kind, *options;
        uint32_t wrong;
    } cases[] = {
        {"sequence", "errors=3", 4}, {"sequence", "errors=3,terminal=1", 4}, {"session", "steps=3", 0}};
    for (int i = 0; i < 3; i++) {
        dq_env *env = make(cases[i].kind, cases[i].options, 7);
        dq_step step = {0};
        int steps = 0;
        assert_int_equal(dq_env_reset(env, NULL), DQ_OK);
        for (; !step.terminal && !step.truncated; steps++)
            assert_int_equal(dq_env_step(env, cases[i].wrong, &step, NULL), DQ_OK);
        assert_int_equal(steps, 3);
        env->steps = 0;
        assert_int_equal(dq_env_step(env, cases[i].wrong, &step, NULL), DQ_OK);
        assert_true(step.terminal || step.truncated);
        dq_env_free(env);
    }
}

static void a_false_checkpoint_is_refused(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_bundle model;
    dq_env *small = make("session", "items=20", 7), *large = make("session", "items=30", 7);
    assert_int_equal(dq_bundle_init(&model, "model", 0, &e), DQ_OK);
    assert_int_equal(dq_env_save(small, "env", &model, &e), DQ_OK);
    assert_int_equal(dq_env_restore(large, "env", &model, &e), DQ_ERR_SCHEMA);
    small->rng = (dq_rng){{0}};
    assert_int_equal(dq_env_restore(small, "env", &model, &e), DQ_ERR_SCHEMA);
    small->rng = dq_rng_new(7);
    *(uint32_t *)small->memory = 1000000; /* the user */
    assert_int_equal(dq_env_restore(small, "env", &model, &e), DQ_ERR_SCHEMA);
    dq_bundle_free(&model);
    dq_env_free(small);
    dq_env_free(large);
}

static void wrong_names_numbers_and_actions(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *options;
        dq_status status;
        const char *says;
    } cases[] = {
        {"poker", NULL, DQ_ERR_UNKNOWN, "no environment 'poker' (dq-sim --list names them)"},
        {"maze", "walls=3", DQ_ERR_UNKNOWN, "maze has no option 'walls'; it has steps"},
        {"maze", "steps", DQ_ERR_RANGE, "maze: steps needs a value"},
        {"maze", "steps=many", DQ_ERR_RANGE, "maze: steps=many is not a number"},
        {"maze", "steps=-1", DQ_ERR_RANGE, "maze: steps=-1 is not a whole number, 0 to 1e+09"},
        {"maze", "steps=1.5", DQ_ERR_RANGE, "maze: steps=1.5 is not a whole number, 0 to 1e+09"},
        {"chain", "slip=2", DQ_ERR_RANGE, "chain: slip=2 is not in the range 0 to 1"},
        {"graph", "start=20", DQ_ERR_RANGE, "graph: start=20 of 20 nodes"},
        {"chain", "slip=nan", DQ_ERR_RANGE, "chain: slip=nan is not a number"},
        {"session", "users=5,first=4,served=2", DQ_ERR_RANGE, "session: first=4,served=2 of 5 users"},
        {"films", "users=5,first=5", DQ_ERR_RANGE, "films: first=5,served=0 of 5 users"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dq_error e = DQ_ERROR_NONE;
        dq_env *env;
        assert_int_equal(dq_env_new(&env, cases[i].kind, cases[i].options, 1, &e), cases[i].status);
        assert_string_equal(e.reason, cases[i].says);
        assert_null(env);
    }
    dq_error e = DQ_ERROR_NONE;
    dq_step step;
    dq_env *env = make("maze", "steps=0,", 1);
    assert_int_equal(dq_env_step(env, 4, &step, &e), DQ_ERR_RANGE);
    dq_env_free(env);
}

/* ---- the sequence ---- */

static void the_sequence_goes_forward_and_back(void **state)
{
    (void)state;
    dq_env *env = make("sequence", NULL, 1);
    assert_int_equal(env->shape.state_width, 5);
    assert_int_equal(env->shape.action_count, 6);
    dq_step s = take(env, 3); /* wrong at the first place: it stays there */
    assert_true(s.reward == -1 && hot(env) == 0);
    for (uint32_t a = 0; a < 3; a++) {
        s = take(env, a);
        assert_true(s.reward == 1 && hot(env) == a + 1 && !s.terminal);
    }
    s = take(env, 5); /* the distractor */
    assert_true(s.reward == -1 && hot(env) == 2 && !s.truncated);
    for (uint32_t a = 2; a < 5; a++) s = take(env, a);
    assert_true(s.reward == 1 && s.terminal && !s.truncated && hot(env) == 4);
    near(env->counters[0], 2, 0);
    near(env->counters[1], 1, 0);
    near(env->counters[2], 1, 0);
    dq_env_free(env);
}

static void ten_errors_break_a_trial_off(void **state)
{
    (void)state;
    dq_env *cut = make("sequence", NULL, 1), *end = make("sequence", "terminal=1", 1);
    for (int i = 1; i <= 10; i++) {
        dq_step s = take(cut, 5);
        assert_true(s.truncated == (i == 10) && !s.terminal);
        s = take(end, 5);
        assert_true(s.terminal == (i == 10) && !s.truncated);
    }
    near(cut->counters[1], 0, 0);
    near(end->counters[1], 0, 0);
    dq_env_free(cut);
    dq_env_free(end);
}

static bool solves(dq_env *env, const char *letters)
{
    dq_error e = DQ_ERROR_NONE;
    dq_step s = {0};
    for (const char *c = letters; *c; c++) s = take(env, (uint32_t)(*c - 'A'));
    bool done = s.terminal && env->counters[0] == 0;
    assert_int_equal(dq_env_reset(env, &e), DQ_OK);
    return done;
}

static void the_order_changes_after_so_many_trials(void **state)
{
    (void)state;
    dq_env *env = make("sequence", "change=15", 1);
    for (int i = 0; i < 15; i++) assert_true(solves(env, "ABCDE"));
    assert_false(solves(env, "ABCDE"));
    for (int i = 0; i < 15; i++) assert_true(solves(env, "ADCBE"));
    dq_env_free(env);
    env = make("sequence", "length=10,distractors=0,change=1,then=2", 1);
    assert_int_equal(env->shape.action_count, 10);
    assert_true(solves(env, "ABCDEFGHIJ"));
    assert_true(solves(env, "JIHGFEDCBA"));
    dq_env_free(env);
}

/* ---- the maze, the chain, the pole ---- */

enum { UP, DOWN, RIGHT, LEFT };

static void the_maze_is_solved_in_14_steps(void **state)
{
    (void)state;
    static const uint32_t way[14] = {DOWN,  DOWN,  RIGHT, RIGHT, RIGHT, UP, RIGHT,
                                     RIGHT, RIGHT, RIGHT, RIGHT, UP,    UP, UP};
    dq_env *env = make("maze", NULL, 1);
    dq_step s = {0};
    assert_int_equal(hot(env), 18);
    s = take(env, LEFT); /* off the edge */
    assert_true(hot(env) == 18 && s.reward == 0);
    (void)take(env, RIGHT);
    s = take(env, RIGHT); /* a wall */
    assert_int_equal(hot(env), 19);
    take(env, LEFT);
    for (int i = 0; i < 14; i++) {
        assert_false(s.terminal);
        s = take(env, way[i]);
        near(s.reward, i == 13, 0);
    }
    assert_true(s.terminal && hot(env) == 8);
    dq_env_free(env);
}

static void the_chain_slips_as_often_as_it_says(void **state)
{
    (void)state;
    dq_env *env = make("chain", "steps=0", 3);
    int back = 0, n = 100000;
    for (int i = 0; i < n; i++) {
        uint32_t before = hot(env);
        dq_step s = take(env, 0);
        back += s.reward == 2;
        if (s.reward == 2) assert_int_equal(hot(env), 0);
        if (s.reward == 0) assert_int_equal(hot(env), before + 1);
        if (s.reward == 10) assert_true(before == 4 && hot(env) == 4);
    }
    near((double)back / n, 0.2, 4 * sqrt(0.2 * 0.8 / n));
    dq_env_free(env);
    env = make("chain", NULL, 3);
    for (int i = 1; i <= 100; i++) assert_true(take(env, 1).truncated == (i == 100));
    dq_env_free(env);
}

/* From the doubles that Gymnasium starts with, float for float (cos and sin of two libraries may differ in
 * the last bit, which a few hundred steps do not blow up beyond 1e-5). */
static void cartpole_is_gymnasiums(void **state)
{
    (void)state;
    size_t at = 0;
    for (size_t episode = 0; episode < sizeof cartpole_length / sizeof cartpole_length[0]; episode++) {
        dq_env *env = make("cartpole", NULL, 1);
        memcpy(env->memory, cartpole_start + 4 * episode, 4 * sizeof(double));
        for (int i = 0; i < cartpole_length[episode]; i++, at++) {
            dq_step s = take(env, cartpole_action[at]);
            for (size_t k = 0; k < 4; k++) near((double)env->state[k], cartpole_state[4 * at + k], 1e-5);
            assert_true(s.terminal == cartpole_end[at] && s.reward == 1);
        }
        dq_env_free(env);
    }
}

static void cartpole_begins_near_the_middle_and_lasts_500_steps(void **state)
{
    (void)state;
    dq_env *env = make("cartpole", NULL, 1);
    double zero[4] = {0}, sum = 0, squares = 0;
    dq_error e = DQ_ERROR_NONE;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(dq_env_reset(env, &e), DQ_OK);
        for (int k = 0; k < 4; k++) {
            assert_true(fabs((double)env->state[k]) <= 0.05);
            sum += (double)env->state[k];
            squares += (double)env->state[k] * (double)env->state[k];
        }
    }
    near(sum / 4000, 0, 4 * 0.1 / sqrt(12 * 4000.0));
    near(squares / 4000, 0.01 / 12, 0.00005);
    dq_step s = {0};
    for (int i = 1; i <= 500; i++) {
        memcpy(env->memory, zero, sizeof zero);
        s = take(env, (uint32_t)i % 2);
        assert_true(!s.terminal && s.truncated == (i == 500));
    }
    dq_env_free(env);
}

/* ---- the session ---- */

static void sessions_have_the_published_widths(void **state)
{
    (void)state;
    dq_env *env = make("session", NULL, 1);
    assert_int_equal(env->shape.state_width, 42);
    assert_int_equal(env->shape.action_count, 500);
    assert_int_equal(env->shape.step_limit, 10);
    dq_env_free(env);
    env = make("session", "generated=1", 1);
    assert_int_equal(env->shape.state_width, 102);
    dq_env_free(env);
    env = make("session", "full=1,history=5", 1);
    assert_int_equal(env->shape.state_width, 20 + 5 * 20 + 2);
    assert_int_equal(env->shape.history, 5);
    assert_int_equal(env->shape.user_width, 20);
    dq_env_free(env);
}

/* The state is made anew here, from rewards alone. */
static void a_session_shows_what_happened(void **state)
{
    (void)state;
    dq_env *mean = make("session", "items=30", 5), *full = make("session", "items=30,full=1", 5);
    dq_rng rng = dq_rng_new(8);
    uint32_t engaged[10], n = 0;
    for (int t = 1; t <= 10; t++) {
        uint32_t a = (uint32_t)dq_rng_below(&rng, 30);
        dq_step s = take(mean, a), f = take(full, a);
        const float *const *items = mean->shape.actions;
        assert_true(s.reward == f.reward && s.terminal == (t == 10) && !s.truncated);
        if (s.reward > 0.5F) engaged[n++] = a;
        near(mean->counters[0], n, 0);
        for (uint32_t k = 0; k < 20; k++) {
            double sum = 0;
            uint32_t shown = n < 3 ? n : 3;
            for (uint32_t h = 0; h < shown; h++) {
                float x = items[engaged[n - 1 - h]][k];
                sum += (double)x;
                assert_true(full->state[20 + 20 * h + k] == x);
            }
            for (uint32_t h = shown; h < 3; h++) assert_true(full->state[20 + 20 * h + k] == 0);
            near((double)mean->state[20 + k], shown ? sum / shown : 0, 1e-6);
        }
        near((double)mean->state[40], t / 10.0, 1e-6);
        near((double)mean->state[41], n / 10.0, 1e-6);
        near((double)full->state[80], t / 10.0, 1e-6);
    }
    assert_true(n > 1);
    dq_env_free(mean);
    dq_env_free(full);
}

/* With one user: the share of engagements of an item is E clip(p + noise). */
static void engagement_has_its_probability(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    const char *const all[] = {"users=1,items=8,steps=1", "users=1,items=8,steps=1,mix=0"};
    for (int which = 0; which < 2; which++) {
        dq_env *env = make("session", all[which], 5);
        const uint32_t w = env->shape.action_width;
        dq_rng noise = dq_rng_new(3);
        for (uint32_t a = 0; a < 8; a++) {
            const float *item = env->shape.actions[a], *user = env->state;
            double z = product(user, item, w), hits = 0, expected = 0, n = 20000;
            if (which) z /= sqrt(product(user, user, w) * product(item, item, w));
            for (int i = 0; i < n; i++) {
                hits += take(env, a).reward > 0.5F;
                expected += fmin(1, fmax(0, 1 / (1 + exp(-z)) + 0.1 * dq_rng_normal(&noise)));
                assert_int_equal(dq_env_reset(env, &e), DQ_OK);
            }
            near(hits / n, expected / n, 0.016);
        }
        dq_env_free(env);
    }
}

/* An item that is always taken (spread=100, the best one): 1, then 1 - 0.2 for as long as it is repeated;
 * other terms add to that. */
static void rewards_are_as_published(void **state)
{
    (void)state;
    const struct {
        const char *options;
        double first, second, third;
    } cases[] = {
        {"users=1,noise=0,spread=100", 1, 0.8, 0.8},
        {"users=1,noise=0,spread=100,shown=0", 1, 0.8, 0.8},
        {"users=1,noise=0,spread=100,repeat=0.5", 1, 0.5, 0.5},
        {"users=1,noise=0,spread=100,similarity=0.5", 1, 0.3, -0.2},
        {"users=1,noise=0,spread=100,bonus=0.6", 1.6, 0.8 + 0.6 / sqrt(2), 0.8 + 0.6 / sqrt(3)},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        dq_env *env = make("session", cases[c].options, 5);
        uint32_t best = 0, worst = 0;
        for (uint32_t a = 1; a < env->shape.action_count; a++) {
            double z = product(env->state, env->shape.actions[a], 20);
            if (z > product(env->state, env->shape.actions[best], 20)) best = a;
            if (z < product(env->state, env->shape.actions[worst], 20)) worst = a;
        }
        near((double)take(env, best).reward, cases[c].first, 1e-6);
        near((double)take(env, best).reward, cases[c].second, 1e-6);
        near((double)take(env, best).reward, cases[c].third, 1e-6);
        if (c < 2) { /* it is never engaged, so its repetition counts only where it was shown */
            near((double)take(env, worst).reward, -0.1, 1e-6);
            near((double)take(env, worst).reward, c ? -0.1 : -0.3, 1e-6);
        }
        near(env->counters[1], c ? 2 : 3, 0);
        dq_env_free(env);
    }
}

static void sessions_serve_the_users_they_should(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_env *all = make("session", "users=10", 1), *some = make("session", "users=10,first=7,served=2", 2);
    float seen[10][20];
    int count = 0, met = 0;
    for (int i = 0; i < 400; i++) {
        int u = 0;
        while (u < count && memcmp(seen[u], all->state, sizeof seen[u]) != 0) u++;
        if (u == count) memcpy(seen[count++], all->state, sizeof seen[u]);
        assert_int_equal(dq_env_reset(all, &e), DQ_OK);
    }
    assert_int_equal(count, 10);
    for (int u = 0; u < 10; u++) {
        bool hit = false;
        for (int i = 0; i < 40; i++) {
            hit = hit || memcmp(seen[u], some->state, sizeof seen[u]) == 0;
            assert_int_equal(dq_env_reset(some, &e), DQ_OK);
        }
        met += hit;
    }
    assert_int_equal(met, 2);
    dq_env_free(all);
    dq_env_free(some);
}

/* ---- the films ---- */

static void films_reward_and_wear_out(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_env *env = make("films", "users=1,spread=0,weariness=2", 1);
    double fresh[3] = {0}, weary[3] = {0}, fresh_n = 0, weary_n = 0;
    assert_int_equal(env->shape.state_width, 100);
    assert_int_equal(env->shape.action_count, 10);
    for (int i = 0; i < 20000; i++) {
        uint32_t a = (uint32_t)(i % 10);
        assert_int_equal(dq_env_reset(env, &e), DQ_OK);
        dq_step first = take(env, a);
        fresh_n++;
        fresh[first.reward > 5 ? 2 : first.reward > 0.5F ? 1 : 0]++;
        if (first.reward < 0) continue;
        assert_memory_equal(env->state + 50, env->shape.actions[a], 10 * sizeof(float));
        dq_step again = take(env, a);
        weary_n++;
        weary[again.reward > 5 ? 2 : again.reward > 0.5F ? 1 : 0]++;
        assert_true(again.reward == 10 || again.reward == 1 || again.reward == -0.1F);
    }
    double p = 1 / (1 + exp(2.0)), f = 1 / (1 + exp(1.0)), q = 1 / (1 + exp(3.0));
    near(fresh[0] / fresh_n, 0.5, 0.015);
    near(fresh[2] / fresh_n, 0.5 * f, 0.012);
    near(weary[0] / weary_n, 1 - p, 0.014);
    near(weary[2] / weary_n, p * q, 0.004);
    dq_env_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_is_the_same_life),
        cmocka_unit_test(shapes_that_contradict_themselves_are_refused),
        cmocka_unit_test(shapes_add_up),
        cmocka_unit_test(a_saved_env_goes_on),
        cmocka_unit_test(a_false_checkpoint_is_refused),
        cmocka_unit_test(a_false_pole_is_refused),
        cmocka_unit_test(what_is_over_does_not_go_on),
        cmocka_unit_test(wrong_names_numbers_and_actions),
        cmocka_unit_test(the_sequence_goes_forward_and_back),
        cmocka_unit_test(ten_errors_break_a_trial_off),
        cmocka_unit_test(the_order_changes_after_so_many_trials),
        cmocka_unit_test(the_maze_is_solved_in_14_steps),
        cmocka_unit_test(the_chain_slips_as_often_as_it_says),
        cmocka_unit_test(cartpole_is_gymnasiums),
        cmocka_unit_test(cartpole_begins_near_the_middle_and_lasts_500_steps),
        cmocka_unit_test(sessions_have_the_published_widths),
        cmocka_unit_test(a_session_shows_what_happened),
        cmocka_unit_test(engagement_has_its_probability),
        cmocka_unit_test(rewards_are_as_published),
        cmocka_unit_test(sessions_serve_the_users_they_should),
        cmocka_unit_test(films_reward_and_wear_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
