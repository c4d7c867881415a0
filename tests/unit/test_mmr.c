/* SPDX-License-Identifier: MIT
 *
 * MMR: a case worked by hand, the ends of lambda, and the plain form of the definition on random candidates.
 */
#include "core/rng.h"
#include "rank/mmr.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 40 };

static double matrix[N][N];
static size_t calls;

static double from_matrix(void *arg, size_t i, size_t j)
{
    (void)arg;
    calls++;
    return matrix[i][j];
}

/* Three candidates: 0 and 1 alike (0.9), 2 unlike both (0.1). Relevance 1, 0.8, 0.5. lambda 0.5:
 *   first 0 (1 is the greatest); then 1: 0.4 - 0.45 = -0.05, 2: 0.25 - 0.05 = 0.2, so 2; then 1. */
static void test_by_hand(void **state)
{
    static const double relevance[] = {1, 0.8, 0.5};
    uint32_t order[3];
    double margin[3];
    (void)state;
    matrix[0][1] = matrix[1][0] = 0.9;
    matrix[0][2] = matrix[2][0] = matrix[1][2] = matrix[2][1] = 0.1;
    assert_int_equal(dq_mmr(relevance, 3, 0.5, from_matrix, NULL, 3, order, margin, NULL), DQ_OK);
    assert_int_equal(order[0], 0);
    assert_int_equal(order[1], 2);
    assert_int_equal(order[2], 1);
    assert_true(fabs(margin[0] - 1.0) < 1e-12); /* 0.5 + 0.5: nothing chosen stands at -1 */
    assert_true(fabs(margin[1] - 0.2) < 1e-12);
    assert_true(fabs(margin[2] + 0.05) < 1e-12);

    assert_int_equal(dq_mmr(relevance, 3, 1, from_matrix, NULL, 3, order, NULL, NULL), DQ_OK);
    for (uint32_t i = 0; i < 3; i++) assert_int_equal(order[i], i);
    assert_int_equal(dq_mmr(relevance, 3, 0, from_matrix, NULL, 2, order, NULL, NULL), DQ_OK);
    assert_int_equal(order[0], 0);
    assert_int_equal(order[1], 2);
}

/* Argmax over the whole definition at every choice. */
static uint32_t plain_choice(const double *relevance, double lambda, const uint32_t *chosen, size_t count)
{
    uint32_t best = N;
    double best_value = 0;
    for (uint32_t i = 0; i < N; i++) {
        double nearest = -1;
        int taken = 0;
        for (size_t c = 0; c < count; c++) {
            taken |= chosen[c] == i;
            nearest = fmax(nearest, matrix[i][chosen[c]]);
        }
        double value = lambda * relevance[i] - (1 - lambda) * nearest;
        if (!taken && (best == N || value > best_value)) {
            best = i;
            best_value = value;
        }
    }
    return best;
}

static void test_against_plain_form(void **state)
{
    dq_rng rng = dq_rng_new(3);
    double relevance[N], margin[N];
    uint32_t order[N];
    (void)state;
    for (size_t round = 0; round < 20; round++) {
        double lambda = (double)round / 19;
        for (size_t i = 0; i < N; i++) {
            relevance[i] = (double)dq_rng_below(&rng, 5) / 4;
            for (size_t j = 0; j <= i; j++)
                matrix[i][j] = matrix[j][i] = (double)dq_rng_below(&rng, 9) / 4 - 1;
        }
        calls = 0;
        assert_int_equal(dq_mmr(relevance, N, lambda, from_matrix, NULL, N + 5, order, margin, NULL), DQ_OK);
        assert_true(calls <= N * N);
        for (size_t i = 0; i < N; i++) assert_int_equal(order[i], plain_choice(relevance, lambda, order, i));
        for (size_t i = 1; i < N; i++) assert_true(margin[i] <= margin[i - 1]);
    }
}

static void test_relevance(void **state)
{
    static const float scores[] = {9, 8, 7}, flat[] = {2, 2};
    double relevance[3];
    (void)state;
    dq_mmr_relevance(scores, 3, relevance);
    assert_true(relevance[0] == 1 && relevance[1] == 0.5 && relevance[2] == 0);
    dq_mmr_relevance(flat, 2, relevance);
    assert_true(relevance[0] == 1 && relevance[1] == 1);
    dq_mmr_relevance(NULL, 0, relevance);
}

static void test_refusals(void **state)
{
    static const double relevance[] = {1};
    uint32_t order[1];
    (void)state;
    assert_int_equal(dq_mmr(relevance, 1, 1.5, from_matrix, NULL, 1, order, NULL, NULL), DQ_ERR_RANGE);
    assert_int_equal(dq_mmr(relevance, 1, NAN, from_matrix, NULL, 1, order, NULL, NULL), DQ_ERR_RANGE);
    assert_int_equal(dq_mmr(NULL, 0, 0.5, from_matrix, NULL, 4, order, NULL, NULL), DQ_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_against_plain_form),
        cmocka_unit_test(test_relevance),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
