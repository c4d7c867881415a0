/* SPDX-License-Identifier: MIT
 *
 * Many actions by packed weights, to the bits of dq_net_score; and by weights in 8 bits, near them.
 */
#include "math/blas.h"
#include "net/quantised.h"
#include "net/scoring.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STATES = 3, MANY = 700, INPUT = 20, WIDTH = 150, STRIDE = WIDTH + 5 };

/* clang-format off */
#define PAIR .head = DQ_HEAD_ACTIONS, .input = INPUT, .action_width = WIDTH, .outputs = 1
/* clang-format on */

static const dq_net_spec deep = {PAIR, .hidden = {130, 70, 33}, .hidden_count = 3};
static const dq_net_spec shallow = {PAIR, .hidden = {64}, .hidden_count = 1};
static const dq_net_spec smooth = {PAIR, .hidden = {90, 40}, .hidden_count = 2, .activation = DQ_TANH};
static const dq_net_spec dueling = {PAIR, .hidden = {90, 40}, .hidden_count = 2, .dueling = true};
static const dq_net_spec calibrated = {PAIR, .hidden = {90, 40}, .hidden_count = 2, .calibrated = true};
static const dq_net_spec flat = {PAIR};
static const dq_net_spec normed = {PAIR, .hidden = {90, 40}, .hidden_count = 2, .batch_norm = true};
static const dq_net_spec featured = {PAIR, .hidden = {90, 40}, .hidden_count = 2, .features = {{0, 0, 20}},
                                     .feature_count = 1};

typedef struct world {
    dq_pool *pool;
    dq_net *net;
    float *actions, states[STATES][INPUT];
    const float *at[STATES];
} world;

static world make(const dq_net_spec *spec, unsigned threads)
{
    world w;
    dq_rng rng = dq_rng_new(11);
    assert_int_equal(dq_pool_new(&w.pool, threads, NULL), DQ_OK);
    assert_int_equal(dq_net_new(&w.net, spec, 0, w.pool, &rng, NULL), DQ_OK);
    if (spec->calibrated) dq_net_calibrate(w.net, 2.5, -0.75);
    w.actions = malloc((size_t)MANY * STRIDE * sizeof *w.actions);
    assert_non_null(w.actions);
    for (size_t i = 0; i < (size_t)MANY * STRIDE; i++) w.actions[i] = (float)dq_rng_normal(&rng);
    for (size_t s = 0; s < STATES; s++) {
        w.at[s] = w.states[s];
        for (size_t i = 0; i < INPUT; i++) w.states[s][i] = (float)dq_rng_normal(&rng);
    }
    return w;
}

static void drop(world *w)
{
    free(w->actions);
    dq_net_free(w->net);
    dq_pool_free(w->pool);
}

static void check_packed(const dq_net_spec *spec)
{
    static float whole[STATES * MANY], packed[STATES * MANY];
    dq_net_scoring *s;
    for (unsigned threads = 1; threads <= 3; threads += 2) {
        world w = make(spec, threads);
        for (size_t i = 0; i < STATES; i++) w.at[i] = w.states[i];
        assert_int_equal(dq_net_scoring_new(&s, w.net, NULL), DQ_OK);
        assert_int_equal(s != NULL, dq_gemm_chained());
        dq_net_score(w.net, w.at, STATES, w.actions, STRIDE, MANY, NULL, whole, MANY);
        if (s) {
            dq_net_scoring_run(s, w.at, STATES, w.actions, STRIDE, MANY, packed, MANY);
            assert_memory_equal(packed, whole, sizeof whole);
            for (size_t n = 1; n < 400; n += 57) { /* any block, and one state alone */
                dq_net_scoring_run(s, w.at + 1, 1, w.actions + 9 * STRIDE, STRIDE, n, packed, n);
                assert_memory_equal(packed, whole + MANY + 9, n * sizeof *whole);
                dq_net_scoring_run(s, w.at, STATES, w.actions, STRIDE, n, packed, n + 3);
                assert_memory_equal(packed + 2 * (n + 3), whole + 2 * MANY, n * sizeof *whole);
            }
        }
        dq_net_scoring_free(s);
        drop(&w);
    }
}

static void packed_weights_give_the_same_bits(void **state)
{
    (void)state;
    const dq_net_spec *specs[] = {&deep, &shallow, &smooth, &dueling, &calibrated, &flat};
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) check_packed(specs[i]);
}

static void other_networks_have_none(void **state)
{
    (void)state;
    const dq_net_spec *specs[] = {&normed, &featured};
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        world w = make(specs[i], 1);
        dq_net_scoring *s;
        dq_net_quantised *q;
        dq_error e = DQ_ERROR_NONE;
        assert_int_equal(dq_net_scoring_new(&s, w.net, NULL), DQ_OK);
        assert_null(s);
        assert_int_equal(dq_net_quantised_new(&q, w.net, &e), DQ_ERR_UNSUPPORTED);
        assert_null(q);
        drop(&w);
    }
    world w = make(&flat, 1);
    dq_net_quantised *q;
    assert_int_equal(dq_net_quantised_new(&q, w.net, NULL), DQ_ERR_UNSUPPORTED);
    drop(&w);
}

/* The error is a small part of how scores differ between actions; bits do not depend on block or threads. */
static void check_quantised(const dq_net_spec *spec)
{
    static float exact[STATES * MANY], near[STATES * MANY], other[STATES * MANY];
    for (unsigned threads = 1; threads <= 3; threads += 2) {
        world w = make(spec, threads);
        for (size_t i = 0; i < STATES; i++) w.at[i] = w.states[i];
        dq_net_quantised *q;
        assert_int_equal(dq_net_quantised_new(&q, w.net, NULL), DQ_OK);
        dq_net_score(w.net, w.at, STATES, w.actions, STRIDE, MANY, NULL, exact, MANY);
        dq_net_quantised_run(q, w.at, STATES, w.actions, STRIDE, MANY, other, MANY);
        if (threads == 1) memcpy(near, other, sizeof near);
        assert_memory_equal(near, other, sizeof near);
        dq_net_quantised_run(q, w.at + 2, 1, w.actions + 13 * STRIDE, STRIDE, 101, other, 101);
        assert_memory_equal(other, near + 2 * MANY + 13, 101 * sizeof *other);
        for (size_t s = 0; s < STATES; s++) {
            double mean = 0, square = 0, error = 0;
            for (size_t i = 0; i < MANY; i++) mean += (double)exact[s * MANY + i] / MANY;
            for (size_t i = 0; i < MANY; i++) {
                double d = (double)exact[s * MANY + i] - mean;
                double e = (double)exact[s * MANY + i] - (double)near[s * MANY + i];
                square += d * d / MANY;
                error += e * e / MANY;
            }
            assert_true(square > 0);
            assert_true(sqrt(error / square) < 0.06);
        }
        dq_net_quantised_free(q);
        drop(&w);
    }
}

static void eight_bits_are_near(void **state)
{
    (void)state;
    const dq_net_spec *specs[] = {&deep, &shallow, &smooth, &dueling, &calibrated};
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) check_quantised(specs[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_weights_give_the_same_bits),
        cmocka_unit_test(other_networks_have_none),
        cmocka_unit_test(eight_bits_are_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
