/* SPDX-License-Identifier: MIT
 *
 * Environments side by side: twins, which share what stays, and steps of many at once. Both are held against
 * environments that were made and stepped one by one, bit by bit.
 */
#include "env/catalogue.h"
#include "env_life.h"

enum { MANY = 19 /* two vectors of eight and three */, STEPS = 300 };

static void alike(const dq_env *a, const dq_env *b)
{
    assert_int_equal(a->memory_bytes, b->memory_bytes);
    assert_memory_equal(a->memory, b->memory, a->memory_bytes);
    assert_memory_equal(a->state, b->state, a->shape.state_width * sizeof(float));
    assert_memory_equal(a->counters, b->counters, sizeof a->counters);
    assert_int_equal(a->steps, b->steps);
}

static void begin(dq_env *env, uint64_t seed)
{
    dq_env_reseed(env, seed);
    assert_int_equal(dq_env_reset(env, NULL), DQ_OK);
}

/* `of` is in the middle of an episode of its own. */
static void twins_live_as_others_do(void **state)
{
    (void)state;
    for (const dq_env_kind *const *k = dq_env_kinds; *k; k++) {
        dq_env *of = make((*k)->name, NULL, 3), *twins[2], *other = make((*k)->name, NULL, 7);
        dq_arena arena = DQ_ARENA_EMPTY;
        dq_rng rng = dq_rng_new(1);
        (void)take(of, 0);
        assert_int_equal(dq_env_twins(twins, 2, of, &arena, NULL), DQ_OK);
        assert_ptr_equal(twins[1]->users.vectors, of->users.vectors);
        begin(twins[0], 8);
        dq_env_free(other);
        assert_int_equal(dq_env_new(&other, (*k)->name, NULL, 1, NULL), DQ_OK);
        begin(twins[1], 7);
        begin(other, 7);
        for (int i = 0; i < STEPS; i++) {
            uint32_t action = (uint32_t)dq_rng_below(&rng, of->shape.action_count);
            dq_step a = take(twins[1], action), b = take(other, action);
            assert_true(a.reward == b.reward && a.terminal == b.terminal && a.truncated == b.truncated);
            alike(twins[1], other);
            if (a.terminal || a.truncated) begin(twins[1], 9 + (uint64_t)i), begin(other, 9 + (uint64_t)i);
            if (take(twins[0], 0).terminal) begin(twins[0], 8);
        }
        dq_env_free(of);
        dq_env_free(other);
        dq_arena_free(&arena);
    }
}

typedef struct pair_of_rows {
    dq_env *at_once[MANY], *singly[MANY];
    uint32_t which[MANY], actions[MANY];
    dq_step steps[MANY];
} pair_of_rows;

/* Steps those of `which`, the one row at once and the other one by one. */
static void step_rows(pair_of_rows *r, size_t n)
{
    dq_error e = DQ_ERROR_NONE;
    if (dq_env_step_many(r->at_once, r->which, n, r->actions, r->steps, &e)) fail_msg("%s", e.reason);
    for (size_t k = 0; k < n; k++) {
        uint32_t i = r->which[k];
        dq_step s = take(r->singly[i], r->actions[i]);
        assert_true(s.reward == r->steps[i].reward && s.terminal == r->steps[i].terminal &&
                    s.truncated == r->steps[i].truncated);
        alike(r->at_once[i], r->singly[i]);
    }
}

static void make_rows(pair_of_rows *r, const char *kind, dq_env **of, dq_arena *arena)
{
    *of = make(kind, NULL, 1);
    assert_int_equal(dq_env_twins(r->at_once, MANY, *of, arena, NULL), DQ_OK);
    assert_int_equal(dq_env_twins(r->singly, MANY, *of, arena, NULL), DQ_OK);
    for (uint32_t i = 0; i < MANY; i++) {
        begin(r->at_once[i], i);
        begin(r->singly[i], i);
    }
}

/* In an order of their own, and not all of them. */
static void steps_of_many_are_those_of_each(void **state)
{
    (void)state;
    for (const dq_env_kind *const *k = dq_env_kinds; *k; k++) {
        pair_of_rows r;
        dq_arena arena = DQ_ARENA_EMPTY;
        dq_env *of;
        dq_rng rng = dq_rng_new(1);
        make_rows(&r, (*k)->name, &of, &arena);
        for (uint64_t t = 0; t < STEPS; t++) {
            for (uint32_t i = 0; i < MANY; i++) {
                r.which[i] = i;
                r.actions[i] = (uint32_t)dq_rng_below(&rng, of->shape.action_count);
            }
            dq_rng_shuffle(&rng, r.which, MANY);
            size_t n = MANY - dq_rng_below(&rng, 4);
            step_rows(&r, n);
            for (size_t i = 0; i < n; i++) {
                uint32_t w = r.which[i];
                if (!r.steps[w].terminal && !r.steps[w].truncated) continue;
                begin(r.at_once[w], 100 + t);
                begin(r.singly[w], 100 + t);
            }
        }
        dq_env_free(of);
        dq_arena_free(&arena);
    }
}

/* Poles that lie, which no vector takes; and an action that there is not moves none. */
static void poles_that_fell_are_moved_one_by_one(void **state)
{
    (void)state;
    pair_of_rows r;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_env *of;
    dq_error e = DQ_ERROR_NONE;
    make_rows(&r, "cartpole", &of, &arena);
    for (uint32_t i = 0; i < MANY; i++) {
        r.which[i] = i;
        r.actions[i] = i % 2;
        if (i % 5 == 0) ((double *)r.at_once[i]->memory)[2] = ((double *)r.singly[i]->memory)[2] = 0.2 * i;
    }
    for (int t = 0; t < 5; t++) step_rows(&r, MANY);
    r.actions[MANY - 1] = 2;
    assert_int_equal(dq_env_step_many(r.at_once, r.which, MANY, r.actions, r.steps, &e), DQ_ERR_RANGE);
    for (uint32_t i = 0; i < MANY; i++) alike(r.at_once[i], r.singly[i]);
    dq_env_free(of);
    dq_arena_free(&arena);
}

/* The angle's speed after a step, by the library's functions and Barto, Sutton and Anderson's equations. */
static double turn_of(double angle)
{
    double s = sin(angle), c = cos(angle), push = 10 / 1.1;
    return 0.02 * (9.8 * s - c * push) / (0.5 * (4.0 / 3 - 0.1 * c * c / 1.1));
}

static void a_pole_moves_by_sine_and_cosine(void **state)
{
    (void)state;
    dq_env *env = make("cartpole", NULL, 1);
    double *at = env->memory;
    for (int i = -400; i <= 400; i++) {
        at[0] = at[1] = at[3] = 0;
        at[2] = i / 1000.0;
        (void)take(env, 1);
        near(at[3], turn_of(i / 1000.0), 3e-16);
    }
    dq_env_free(env);
}

static dq_status no_reward(void *arg, uint32_t user, uint32_t item, float *reward, dq_error *error)
{
    (void)arg, (void)user, (void)item, (void)error;
    *reward = 0;
    return DQ_OK;
}

static void a_catalogue_has_no_twin(void **state)
{
    (void)state;
    static const float vector[2] = {0};
    const float *at[1] = {vector};
    const dq_catalogue_env_config config = {
        .users = {at, 1, 2}, .items = {at, 1, 2}, .candidates = 1, .reward = no_reward};
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_env *env, *twin;
    assert_int_equal(dq_catalogue_env_new(&env, &config, 1, NULL), DQ_OK);
    assert_int_equal(dq_env_twins(&twin, 1, env, &arena, NULL), DQ_ERR_UNSUPPORTED);
    dq_env_free(env);
    dq_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twins_live_as_others_do),
        cmocka_unit_test(steps_of_many_are_those_of_each),
        cmocka_unit_test(poles_that_fell_are_moved_one_by_one),
        cmocka_unit_test(a_pole_moves_by_sine_and_cosine),
        cmocka_unit_test(a_catalogue_has_no_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
