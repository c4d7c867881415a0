/* SPDX-License-Identifier: MIT */
#include "learn/nstep.h"
#include "learn/replay.h"

#include "allocations.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* With vectors, or with numbers of a store elsewhere. */
enum { NUMBERS, VECTORS = 2 };

static dq_replay *make(size_t capacity, uint32_t width, double alpha)
{
    dq_replay *r;
    assert_int_equal(dq_replay_new(&r, capacity, width, alpha, NULL), DQ_OK);
    return r;
}

/* A transition that can be told by its number. */
static void push(dq_replay *r, uint32_t i)
{
    const float state[] = {(float)i, -1}, next[] = {(float)i + 1, -2};
    const float *at[] = {next, state};
    const dq_vectors states = {at, 2, VECTORS};
    const bool vectors = dq_replay_states(r) != NULL;
    const dq_transition t = {.state = vectors ? 1 : i,
                             .action = i % 7,
                             .next = vectors ? 0 : i + 1,
                             .reward = (float)i / 2,
                             .discount = 0.9F,
                             .done = i % 5 == 0};
    dq_replay_push(r, vectors ? &states : NULL, &t);
}

/* The first number of a state, or the number that it is. */
static float told(const dq_replay *r, uint32_t number)
{
    const dq_vectors *states = dq_replay_states(r);
    return states ? states->at[number][0] : (float)number;
}

static void check_row(const dq_replay *r, uint32_t slot, uint32_t i)
{
    dq_transition t = dq_replay_at(r, slot);
    const dq_vectors *states = dq_replay_states(r);
    assert_true(told(r, t.state) == (float)i && told(r, t.next) == (float)i + 1);
    if (states) assert_true(states->at[t.state][1] == -1 && states->at[t.next][1] == -2);
    assert_int_equal(t.action, i % 7);
    assert_true(t.reward == (float)i / 2 && t.discount == 0.9F && t.done == (i % 5 == 0));
}

/* P(i), by the priorities that a checkpoint keeps. */
static double probability(const dq_replay *r, uint32_t slot)
{
    dq_bundle model;
    double sum = 0;
    assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_replay_save(r, "replay", &model, NULL), DQ_OK);
    const double *priority = dq_bundle_column(&model, "replay.priority")->data;
    for (size_t i = 0; i < dq_replay_count(r); i++) sum += priority[i];
    double p = priority[slot] / sum;
    dq_bundle_free(&model);
    return p;
}

static void the_oldest_gives_way(void **state)
{
    (void)state;
    for (uint32_t width = NUMBERS; width <= VECTORS; width += VECTORS) {
        dq_replay *r = make(5, width, 0);
        assert_int_equal(dq_replay_capacity(r), 5);
        for (uint32_t i = 0; i < 12; i++) {
            push(r, i);
            assert_int_equal(dq_replay_count(r), i < 5 ? i + 1 : 5);
            assert_int_equal(dq_replay_pushed(r), i + 1);
            check_row(r, i % 5, i);
        }
        for (uint32_t i = 7; i < 12; i++) check_row(r, i % 5, i);
        dq_replay_free(r);
    }
}

/* Chi-square of counts against shares; `bound` is the 0.999 quantile for n - 1 degrees. */
static void check_frequencies(const double *counts, const double *shares, size_t n, double draws,
                              double bound)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double wanted = draws * shares[i];
        sum += (counts[i] - wanted) * (counts[i] - wanted) / wanted;
    }
    assert_true(sum < bound);
}

static void uniform_draws_are_uniform_and_distinct(void **state)
{
    (void)state;
    enum { COUNT = 20, BATCH = 6, TIMES = 20000 };
    dq_replay *r = make(COUNT, VECTORS, 0);
    dq_rng rng = dq_rng_new(3);
    double counts[COUNT] = {0}, shares[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) push(r, i);
    for (int t = 0; t < TIMES; t++) {
        uint32_t slots[BATCH];
        float weights[BATCH];
        dq_replay_sample(r, &rng, 0.5, BATCH, slots, weights);
        for (size_t i = 0; i < BATCH; i++) {
            counts[slots[i]]++;
            assert_true(weights[i] == 1);
            for (size_t j = 0; j < i; j++) assert_true(slots[i] != slots[j]);
        }
    }
    for (size_t i = 0; i < COUNT; i++) shares[i] = 1.0 / COUNT;
    check_frequencies(counts, shares, COUNT, (double)BATCH * TIMES, 43.8);
    dq_replay_free(r);
}

/* P(i) = p_i^alpha / sum, by counting; w_i = (N P(i))^-beta / max. */
static void draws_by_priority(void **state)
{
    (void)state;
    enum { COUNT = 13, BATCH = 8, TIMES = 20000 };
    const double alpha = 0.6, beta = 0.4;
    dq_replay *r = make(16, VECTORS, alpha);
    dq_rng rng = dq_rng_new(4);
    uint32_t all[COUNT];
    float errors[COUNT];
    double counts[COUNT] = {0}, shares[COUNT], sum = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        push(r, i);
        all[i] = i;
        errors[i] = i % 2 ? (float)(i + 1) : -(float)(i + 1);
        sum += shares[i] = pow((double)i + 1 + 1e-6, alpha);
    }
    dq_replay_prioritise(r, all, errors, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        shares[i] /= sum;
        assert_true(fabs(probability(r, (uint32_t)i) - shares[i]) < 1e-9);
    }
    for (int t = 0; t < TIMES; t++) {
        uint32_t slots[BATCH];
        float weights[BATCH];
        double least = 1;
        dq_replay_sample(r, &rng, beta, BATCH, slots, weights);
        for (size_t i = 0; i < BATCH; i++) {
            counts[slots[i]]++;
            least = fmin(least, shares[slots[i]]);
        }
        for (size_t i = 0; i < BATCH; i++)
            assert_true(fabs((double)weights[i] - pow(shares[slots[i]] / least, -beta)) < 1e-6);
    }
    check_frequencies(counts, shares, COUNT, (double)BATCH * TIMES, 32.9);
    dq_replay_free(r);
}

static void a_new_one_has_the_greatest_priority(void **state)
{
    (void)state;
    dq_replay *r = make(4, VECTORS, 1);
    const uint32_t slots[] = {0, 1};
    const float errors[] = {3, 0.5F};
    push(r, 0);
    push(r, 1);
    assert_true(probability(r, 0) == 0.5);
    dq_replay_prioritise(r, slots, errors, 2);
    push(r, 2);
    assert_true(fabs(probability(r, 2) - probability(r, 0)) < 1e-12);
    assert_true(fabs(probability(r, 1) - 0.5 / 6.5) < 1e-6);
    for (uint32_t i = 3; i < 6; i++) push(r, i); /* over the first two */
    assert_true(fabs(probability(r, 1) - 0.25) < 1e-12);
    dq_replay_free(r);
}

static void a_restored_replay_goes_on(void **state)
{
    (void)state;
    for (uint32_t test = 0; test < 4; test++) {
        const uint32_t width = test / 2 * VECTORS, alpha = test % 2;
        dq_replay *r = make(9, width, alpha), *other = make(9, width, alpha), *small = make(8, width, alpha);
        dq_rng rng = dq_rng_new(5), again;
        dq_bundle model;
        uint32_t slots[2][4];
        float weights[2][4], errors[] = {1, 5, 0.1F, 2};
        for (uint32_t i = 0; i < 13; i++) push(r, i);
        dq_replay_sample(r, &rng, 1, 4, slots[0], weights[0]);
        dq_replay_prioritise(r, slots[0], errors, 4);
        assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
        assert_int_equal(dq_replay_save(r, "replay", &model, NULL), DQ_OK);
        assert_int_equal(dq_replay_restore(small, "replay", &model, NULL), DQ_ERR_SCHEMA);
        assert_int_equal(dq_replay_restore(other, "replay", &model, NULL), DQ_OK);
        assert_int_equal(dq_replay_restore(other, "rows", &model, NULL), DQ_ERR_SCHEMA);
        again = rng;
        for (uint32_t i = 13; i < 40; i++) {
            push(r, i);
            push(other, i);
            dq_replay_sample(r, &rng, 1, 4, slots[0], weights[0]);
            dq_replay_sample(other, &again, 1, 4, slots[1], weights[1]);
            assert_memory_equal(slots[0], slots[1], sizeof slots[0]);
            assert_memory_equal(weights[0], weights[1], sizeof weights[0]);
            for (size_t j = 0; j < 4; j++)
                assert_true(told(r, dq_replay_at(r, slots[0][j]).state) ==
                            told(other, dq_replay_at(other, slots[1][j]).state));
            assert_int_equal(dq_replay_pushed(r) % 9, dq_replay_pushed(other) % 9);
        }
        dq_bundle_free(&model);
        dq_replay_free(r);
        dq_replay_free(other);
        dq_replay_free(small);
    }
}

static void pushing_and_sampling_allocate_nothing(void **state)
{
    (void)state;
    dq_replay *r = make(9, VECTORS, 0.5);
    dq_rng rng = dq_rng_new(5);
    uint32_t slots[4];
    float weights[4];
    atomic_store(&allocations, 0);
    for (uint32_t i = 0; i < 20; i++) push(r, i);
    dq_replay_sample(r, &rng, 1, 4, slots, weights);
    dq_replay_prioritise(r, slots, weights, 4);
    assert_int_equal(atomic_load(&allocations), 0);
    dq_replay_free(r);
}

/* What a fuller replay remembered is gone, its priorities too. */
static void a_restored_replay_forgets(void **state)
{
    (void)state;
    enum { FEW = 3, MANY = 20 };
    dq_replay *few = make(MANY, NUMBERS, 1), *many = make(MANY, NUMBERS, 1);
    dq_rng rng = dq_rng_new(1);
    dq_bundle model;
    uint32_t slots[FEW];
    float weights[FEW];
    for (uint32_t i = 0; i < FEW; i++) push(few, i);
    for (uint32_t i = 0; i < MANY; i++) push(many, i);
    assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_replay_save(few, "replay", &model, NULL), DQ_OK);
    assert_int_equal(dq_replay_restore(many, "replay", &model, NULL), DQ_OK);
    for (int i = 0; i < 50; i++) {
        dq_replay_sample(many, &rng, 1, FEW, slots, weights);
        for (int j = 0; j < FEW; j++) assert_true(slots[j] < FEW && weights[j] == 1);
    }
    dq_bundle_free(&model);
    dq_replay_free(few);
    dq_replay_free(many);
}

/* ---- returns over several steps ---- */

static const double GAMMA = 0.5;

static void step(dq_nstep *s, dq_replay *r, uint32_t env, uint32_t from, float reward, bool done, bool over)
{
    const float state[] = {(float)from, 0}, next[] = {(float)from + 1, 0};
    const float *at[] = {state, next};
    const dq_vectors states = {at, 2, VECTORS};
    const bool vectors = dq_replay_states(r) != NULL;
    const dq_transition t = {vectors ? 0 : from, from, vectors ? 1 : from + 1, reward, 0, done};
    dq_nstep_push(s, env, vectors ? &states : NULL, &t, over, r);
}

/* discount: gamma to the number of steps, of which the transition's leaves one to whoever bootstraps. */
static void check_return(const dq_replay *r, uint32_t slot, float from, float to, double reward,
                         double discount, bool done)
{
    dq_transition t = dq_replay_at(r, slot);
    assert_true(told(r, t.state) == from && told(r, t.next) == to && t.action == (uint32_t)from);
    assert_true(fabs((double)t.reward - reward) < 1e-6);
    assert_true(fabs((double)t.discount * GAMMA - discount) < 1e-6 && t.done == done);
}

static void check_returns(uint32_t width)
{
    dq_replay *r = make(20, width, 0);
    dq_nstep *s;
    assert_int_equal(dq_nstep_new(&s, 3, 2, width, GAMMA, NULL), DQ_OK);
    step(s, r, 0, 10, 1, false, false);
    step(s, r, 1, 20, 7, false, false); /* another environment between */
    step(s, r, 0, 11, 2, false, false);
    assert_int_equal(dq_replay_count(r), 0);
    step(s, r, 0, 12, 4, false, false);
    check_return(r, 0, 10, 13, 1 + 1 + 1, 0.125, false);
    step(s, r, 0, 13, 8, true, true); /* an end: three sums, over three, two and one steps */
    assert_int_equal(dq_replay_count(r), 4);
    check_return(r, 1, 11, 14, 2 + 2 + 2, 0.125, true);
    check_return(r, 2, 12, 14, 4 + 4, 0.25, true);
    check_return(r, 3, 13, 14, 8, 0.5, true);
    step(s, r, 1, 21, 6, false, true); /* truncated: the value of the next state still counts */
    check_return(r, 4, 20, 22, 7 + 3, 0.25, false);
    check_return(r, 5, 21, 22, 6, 0.5, false);
    step(s, r, 1, 30, 1, false, false); /* nothing of the last episode is left */
    assert_int_equal(dq_replay_count(r), 6);
    dq_nstep_free(s);
    dq_replay_free(r);
}

static void returns_by_hand(void **state)
{
    (void)state;
    check_returns(NUMBERS);
    check_returns(VECTORS);
}

static void one_step_is_the_step(void **state)
{
    (void)state;
    dq_replay *r = make(4, VECTORS, 0);
    dq_nstep *s;
    assert_int_equal(dq_nstep_new(&s, 1, 1, VECTORS, GAMMA, NULL), DQ_OK);
    step(s, r, 0, 1, 5, false, false);
    step(s, r, 0, 2, 6, true, true);
    check_return(r, 0, 1, 2, 5, GAMMA, false);
    check_return(r, 1, 2, 3, 6, GAMMA, true);
    dq_nstep_free(s);
    dq_replay_free(r);
}

static void restored_returns_go_on(void **state)
{
    (void)state;
    dq_replay *r = make(4, VECTORS, 0);
    dq_nstep *s, *other, *longer;
    dq_bundle model;
    assert_int_equal(dq_nstep_new(&s, 3, 1, VECTORS, GAMMA, NULL), DQ_OK);
    assert_int_equal(dq_nstep_new(&other, 3, 1, VECTORS, GAMMA, NULL), DQ_OK);
    assert_int_equal(dq_nstep_new(&longer, 4, 1, VECTORS, GAMMA, NULL), DQ_OK);
    step(s, r, 0, 10, 1, false, false);
    step(s, r, 0, 11, 2, false, false);
    assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_nstep_save(s, "returns", &model, NULL), DQ_OK);
    assert_int_equal(dq_nstep_restore(longer, "returns", &model, NULL), DQ_ERR_SCHEMA);
    assert_int_equal(dq_nstep_restore(other, "returns", &model, NULL), DQ_OK);
    step(other, r, 0, 12, 4, false, false);
    check_return(r, 0, 10, 13, 3, 0.125, false);
    dq_bundle_free(&model);
    dq_nstep_free(s);
    dq_nstep_free(other);
    dq_nstep_free(longer);
    dq_replay_free(r);
}

static void bad_sizes_are_refused(void **state)
{
    (void)state;
    dq_replay *r;
    dq_nstep *s;
    assert_int_equal(dq_replay_new(&r, 0, 2, 0, NULL), DQ_ERR_RANGE);
    assert_int_equal(dq_replay_new(&r, (size_t)1 << 31, 2, 0, NULL), DQ_ERR_RANGE);
    assert_null(r);
    assert_int_equal(dq_nstep_new(&s, 0, 1, 2, 1, NULL), DQ_ERR_RANGE);
    assert_int_equal(dq_nstep_new(&s, 1, 0, 2, 1, NULL), DQ_ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_gives_way),      cmocka_unit_test(uniform_draws_are_uniform_and_distinct),
        cmocka_unit_test(draws_by_priority),         cmocka_unit_test(a_new_one_has_the_greatest_priority),
        cmocka_unit_test(a_restored_replay_goes_on), cmocka_unit_test(pushing_and_sampling_allocate_nothing),
        cmocka_unit_test(returns_by_hand),           cmocka_unit_test(one_step_is_the_step),
        cmocka_unit_test(restored_returns_go_on),    cmocka_unit_test(bad_sizes_are_refused),
        cmocka_unit_test(a_restored_replay_forgets),
    };
    return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
