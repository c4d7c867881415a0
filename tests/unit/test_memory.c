/* SPDX-License-Identifier: MIT */
#include "learn/memory.h"

#include "allocations.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static dq_memory *make(size_t capacity, double alpha)
{
    dq_memory *m;
    assert_int_equal(dq_memory_new(&m, capacity, 2, alpha, NULL), DQ_OK);
    return m;
}

/* A transition that can be told by its number. */
static void push(dq_memory *m, uint32_t i)
{
    const float state[] = {(float)i, -1}, next[] = {(float)i + 1, -2};
    const dq_memory_row row = {state, next, i % 7, (float)i / 2, 0.9F, i % 5 == 0};
    dq_memory_push(m, &row);
}

static void check_row(const dq_memory *m, uint32_t slot, uint32_t i)
{
    dq_memory_row row = dq_memory_at(m, slot);
    assert_true(row.state[0] == (float)i && row.next[0] == (float)i + 1 && row.state[1] == -1 &&
                row.next[1] == -2);
    assert_int_equal(row.action, i % 7);
    assert_true(row.reward == (float)i / 2 && row.discount == 0.9F && row.terminal == (i % 5 == 0));
}

static void the_oldest_gives_way(void **state)
{
    (void)state;
    dq_memory *m = make(5, 0);
    for (uint32_t i = 0; i < 12; i++) {
        push(m, i);
        assert_int_equal(dq_memory_count(m), i < 5 ? i + 1 : 5);
        check_row(m, i % 5, i);
    }
    for (uint32_t i = 7; i < 12; i++) check_row(m, i % 5, i);
    dq_memory_free(m);
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
    dq_memory *m = make(COUNT, 0);
    dq_rng rng = dq_rng_new(3);
    double counts[COUNT] = {0}, shares[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) push(m, i);
    for (int t = 0; t < TIMES; t++) {
        uint32_t slots[BATCH];
        float weights[BATCH];
        dq_memory_sample(m, &rng, 0.5, BATCH, slots, weights);
        for (size_t i = 0; i < BATCH; i++) {
            counts[slots[i]]++;
            assert_true(weights[i] == 1);
            for (size_t j = 0; j < i; j++) assert_true(slots[i] != slots[j]);
        }
    }
    for (size_t i = 0; i < COUNT; i++) shares[i] = dq_memory_share(m, (uint32_t)i);
    check_frequencies(counts, shares, COUNT, (double)BATCH * TIMES, 43.8);
    dq_memory_free(m);
}

/* P(i) = p_i^alpha / sum, by counting; w_i = (N P(i))^-beta / max. */
static void draws_by_priority(void **state)
{
    (void)state;
    enum { COUNT = 13, BATCH = 8, TIMES = 20000 };
    const double alpha = 0.6, beta = 0.4;
    dq_memory *m = make(16, alpha);
    dq_rng rng = dq_rng_new(4);
    uint32_t all[COUNT];
    float errors[COUNT];
    double counts[COUNT] = {0}, shares[COUNT], sum = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        push(m, i);
        all[i] = i;
        errors[i] = i % 2 ? (float)(i + 1) : -(float)(i + 1);
        sum += shares[i] = pow((double)i + 1 + 1e-6, alpha);
    }
    dq_memory_prioritise(m, all, errors, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        shares[i] /= sum;
        assert_true(fabs(dq_memory_share(m, (uint32_t)i) - shares[i]) < 1e-9);
    }
    for (int t = 0; t < TIMES; t++) {
        uint32_t slots[BATCH];
        float weights[BATCH];
        double least = 1;
        dq_memory_sample(m, &rng, beta, BATCH, slots, weights);
        for (size_t i = 0; i < BATCH; i++) {
            counts[slots[i]]++;
            least = fmin(least, shares[slots[i]]);
        }
        for (size_t i = 0; i < BATCH; i++)
            assert_true(fabs((double)weights[i] - pow(shares[slots[i]] / least, -beta)) < 1e-6);
    }
    check_frequencies(counts, shares, COUNT, (double)BATCH * TIMES, 32.9);
    dq_memory_free(m);
}

static void a_new_one_has_the_greatest_priority(void **state)
{
    (void)state;
    dq_memory *m = make(4, 1);
    const uint32_t slots[] = {0, 1};
    const float errors[] = {3, 0.5F};
    push(m, 0);
    push(m, 1);
    assert_true(dq_memory_share(m, 0) == 0.5);
    dq_memory_prioritise(m, slots, errors, 2);
    push(m, 2);
    assert_true(fabs(dq_memory_share(m, 2) - dq_memory_share(m, 0)) < 1e-12);
    assert_true(fabs(dq_memory_share(m, 1) - 0.5 / 6.5) < 1e-6);
    for (uint32_t i = 3; i < 6; i++) push(m, i); /* over the first two */
    assert_true(fabs(dq_memory_share(m, 1) - 0.25) < 1e-12);
    dq_memory_free(m);
}

static void a_restored_memory_goes_on(void **state)
{
    (void)state;
    for (int alpha = 0; alpha <= 1; alpha++) {
        dq_memory *m = make(9, alpha), *other = make(9, alpha), *small = make(8, alpha);
        dq_rng rng = dq_rng_new(5), again;
        dq_bundle model;
        uint32_t slots[2][4];
        float weights[2][4], errors[] = {1, 5, 0.1F, 2};
        for (uint32_t i = 0; i < 13; i++) push(m, i);
        dq_memory_sample(m, &rng, 1, 4, slots[0], weights[0]);
        dq_memory_prioritise(m, slots[0], errors, 4);
        assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
        assert_int_equal(dq_memory_save(m, "replay", &model, NULL), DQ_OK);
        assert_int_equal(dq_memory_restore(small, "replay", &model, NULL), DQ_ERR_SCHEMA);
        assert_int_equal(dq_memory_restore(other, "replay", &model, NULL), DQ_OK);
        assert_int_equal(dq_memory_restore(other, "rows", &model, NULL), DQ_ERR_SCHEMA);
        again = rng;
        for (uint32_t i = 13; i < 40; i++) {
            push(m, i);
            push(other, i);
            dq_memory_sample(m, &rng, 1, 4, slots[0], weights[0]);
            dq_memory_sample(other, &again, 1, 4, slots[1], weights[1]);
            assert_memory_equal(slots[0], slots[1], sizeof slots[0]);
            assert_memory_equal(weights[0], weights[1], sizeof weights[0]);
            for (size_t j = 0; j < 4; j++)
                assert_true(dq_memory_at(m, slots[0][j]).state[0] ==
                            dq_memory_at(other, slots[1][j]).state[0]);
        }
        dq_bundle_free(&model);
        dq_memory_free(m);
        dq_memory_free(other);
        dq_memory_free(small);
    }
}

static void pushing_and_sampling_allocate_nothing(void **state)
{
    (void)state;
    dq_memory *m = make(9, 0.5);
    dq_rng rng = dq_rng_new(5);
    uint32_t slots[4];
    float weights[4];
    atomic_store(&allocations, 0);
    for (uint32_t i = 0; i < 20; i++) push(m, i);
    dq_memory_sample(m, &rng, 1, 4, slots, weights);
    dq_memory_prioritise(m, slots, weights, 4);
    assert_int_equal(atomic_load(&allocations), 0);
    dq_memory_free(m);
}

/* ---- returns over several steps ---- */

static void step(dq_nstep *s, dq_memory *m, uint32_t task, float from, float reward, bool terminal, bool over)
{
    const float state[] = {from, 0}, next[] = {from + 1, 0};
    const dq_memory_row row = {state, next, (uint32_t)from, reward, 0, terminal};
    dq_nstep_push(s, task, &row, over, m);
}

static void check_return(const dq_memory *m, uint32_t slot, float from, float to, double reward,
                         double discount, bool terminal)
{
    dq_memory_row row = dq_memory_at(m, slot);
    assert_true(row.state[0] == from && row.next[0] == to && row.action == (uint32_t)from);
    assert_true(fabs((double)row.reward - reward) < 1e-6 && fabs((double)row.discount - discount) < 1e-6);
    assert_true(row.terminal == terminal);
}

static void returns_by_hand(void **state)
{
    (void)state;
    dq_memory *m = make(20, 0);
    dq_nstep *s;
    assert_int_equal(dq_nstep_new(&s, 3, 2, 2, 0.5, NULL), DQ_OK);
    step(s, m, 0, 10, 1, false, false);
    step(s, m, 1, 20, 7, false, false); /* another task between */
    step(s, m, 0, 11, 2, false, false);
    assert_int_equal(dq_memory_count(m), 0);
    step(s, m, 0, 12, 4, false, false);
    check_return(m, 0, 10, 13, 1 + 1 + 1, 0.125, false);
    step(s, m, 0, 13, 8, true, true); /* an end: three sums, over three, two and one steps */
    assert_int_equal(dq_memory_count(m), 4);
    check_return(m, 1, 11, 14, 2 + 2 + 2, 0.125, true);
    check_return(m, 2, 12, 14, 4 + 4, 0.25, true);
    check_return(m, 3, 13, 14, 8, 0.5, true);
    step(s, m, 1, 21, 6, false, true); /* truncated: the value of the next state still counts */
    check_return(m, 4, 20, 22, 7 + 3, 0.25, false);
    check_return(m, 5, 21, 22, 6, 0.5, false);
    step(s, m, 1, 30, 1, false, false); /* nothing of the last episode is left */
    assert_int_equal(dq_memory_count(m), 6);
    dq_nstep_free(s);
    dq_memory_free(m);
}

static void one_step_is_the_step(void **state)
{
    (void)state;
    dq_memory *m = make(4, 0);
    dq_nstep *s;
    assert_int_equal(dq_nstep_new(&s, 1, 1, 2, 0.9, NULL), DQ_OK);
    step(s, m, 0, 1, 5, false, false);
    step(s, m, 0, 2, 6, true, true);
    check_return(m, 0, 1, 2, 5, 0.9, false);
    check_return(m, 1, 2, 3, 6, 0.9, true);
    dq_nstep_free(s);
    dq_memory_free(m);
}

static void restored_returns_go_on(void **state)
{
    (void)state;
    dq_memory *m = make(4, 0);
    dq_nstep *s, *other, *longer;
    dq_bundle model;
    assert_int_equal(dq_nstep_new(&s, 3, 1, 2, 0.5, NULL), DQ_OK);
    assert_int_equal(dq_nstep_new(&other, 3, 1, 2, 0.5, NULL), DQ_OK);
    assert_int_equal(dq_nstep_new(&longer, 4, 1, 2, 0.5, NULL), DQ_OK);
    step(s, m, 0, 10, 1, false, false);
    step(s, m, 0, 11, 2, false, false);
    assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_nstep_save(s, "returns", &model, NULL), DQ_OK);
    assert_int_equal(dq_nstep_restore(longer, "returns", &model, NULL), DQ_ERR_SCHEMA);
    assert_int_equal(dq_nstep_restore(other, "returns", &model, NULL), DQ_OK);
    step(other, m, 0, 12, 4, false, false);
    check_return(m, 0, 10, 13, 3, 0.125, false);
    dq_bundle_free(&model);
    dq_nstep_free(s);
    dq_nstep_free(other);
    dq_nstep_free(longer);
    dq_memory_free(m);
}

static void bad_sizes_are_refused(void **state)
{
    (void)state;
    dq_memory *m;
    dq_nstep *s;
    assert_int_equal(dq_memory_new(&m, 0, 2, 0, NULL), DQ_ERR_RANGE);
    assert_int_equal(dq_memory_new(&m, 2, 0, 0, NULL), DQ_ERR_RANGE);
    assert_int_equal(dq_nstep_new(&s, 0, 1, 2, 1, NULL), DQ_ERR_RANGE);
    assert_int_equal(dq_nstep_new(&s, 1, 0, 2, 1, NULL), DQ_ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_gives_way),      cmocka_unit_test(uniform_draws_are_uniform_and_distinct),
        cmocka_unit_test(draws_by_priority),         cmocka_unit_test(a_new_one_has_the_greatest_priority),
        cmocka_unit_test(a_restored_memory_goes_on), cmocka_unit_test(pushing_and_sampling_allocate_nothing),
        cmocka_unit_test(returns_by_hand),           cmocka_unit_test(one_step_is_the_step),
        cmocka_unit_test(restored_returns_go_on),    cmocka_unit_test(bad_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
