/* SPDX-License-Identifier: MIT
 *
 * Products of 8-bit integers: every kernel that this CPU has to the bits of the plain form, and what the
 * integers mean.
 */
#include "math/int8/int8.h"

#include "core/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void *aligned(size_t bytes)
{
    void *memory = aligned_alloc(64, (bytes + 64) / 64 * 64);
    assert_non_null(memory);
    return memory;
}

static dq_int8_weights make(size_t n, size_t k, const float *rows)
{
    dq_int8_weights w = {n, k, aligned(dq_int8_packed_bytes(n, k)), aligned(n * 4), aligned(n * 4)};
    dq_int8_pack(&w, rows, k);
    return w;
}

static void drop(dq_int8_weights *w)
{
    free(w->panels);
    free(w->scale);
    free(w->sum);
}

/* Whole numbers -63 .. 63, 63 among them in each row, so that the scale is 1 and weights are the floats. */
static float *whole_numbers(size_t n, size_t k, bool greatest)
{
    float *rows = aligned(n * k * sizeof *rows);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < k; j++)
            rows[i * k + j] = j == 0 || greatest ? (float)(i % 2 ? 63 : -63)
                                                 : (float)((i * 31 + j * 17) % 127) - 63;
    return rows;
}

static void check_shape(size_t m, size_t n, size_t k, bool greatest)
{
    float *rows = whole_numbers(n, k, greatest);
    dq_int8_weights w = make(n, k, rows);
    size_t width = dq_int8_width(k), ldc = (n + 15) / 16 * 16 + 16;
    uint8_t *x = aligned(m * width);
    int32_t *c = aligned(m * ldc * sizeof *c);
    memset(x, 0, m * width);
    for (size_t r = 0; r < m; r++)
        for (size_t j = 0; j < k; j++) x[r * width + j] = greatest ? 127 : (uint8_t)((r * 7 + j * 13) % 128);
    for (size_t kernel = 0; dq_int8_kernels[kernel]; kernel++) {
        if (!dq_int8_kernels[kernel]->has()) continue;
        memset(c, 0x55, m * ldc * sizeof *c);
        dq_int8_product_by(dq_int8_kernels[kernel], m, x, &w, c, ldc);
        for (size_t r = 0; r < m; r++)
            for (size_t i = 0; i < n; i++) {
                int64_t sum = 0;
                for (size_t j = 0; j < k; j++) sum += (int64_t)x[r * width + j] * (int64_t)rows[i * k + j];
                assert_int_equal(c[r * ldc + i], sum);
            }
    }
    free(rows);
    free(x);
    free(c);
    drop(&w);
}

static void kernels_equal_the_definition(void **state)
{
    (void)state;
    static const size_t shapes[][3] = {{1, 1, 1},  {6, 64, 8},   {7, 65, 9},     {13, 130, 37},
                                       {4, 16, 4}, {5, 200, 96}, {25, 80, 1536}, {12, 33, 1000}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (int greatest = 0; greatest < 2; greatest++)
            check_shape(shapes[s][0], shapes[s][1], shapes[s][2], greatest);
}

static void a_row_keeps_its_numbers_to_half_a_step(void **state)
{
    (void)state;
    enum { WIDE = 45 };
    dq_rng rng = dq_rng_new(3);
    float row[WIDE];
    uint8_t to[WIDE + 8];
    for (int positive = 0; positive < 2; positive++) {
        int zero = positive ? 0 : DQ_INT8_ZERO;
        for (size_t i = 0; i < WIDE; i++) {
            row[i] = (float)dq_rng_normal(&rng) * 3e5F;
            if (positive) row[i] = fabsf(row[i]);
        }
        float scale = dq_int8_quantise(row, WIDE, positive, to);
        bool end = false;
        for (size_t i = 0; i < WIDE; i++) {
            int q = (int)to[i] - zero;
            assert_true(to[i] <= DQ_INT8_INPUT);
            assert_true(fabsf(row[i] - scale * (float)q) <= scale * 0.501F);
            end |= abs(q) == DQ_INT8_INPUT - zero;
        }
        assert_true(end); /* the range is used */
        for (size_t i = WIDE; i < dq_int8_width(WIDE); i++) assert_int_equal(to[i], zero);
        memset(row, 0, sizeof row);
        assert_true(dq_int8_quantise(row, WIDE, positive, to) == 0);
        for (size_t i = 0; i < WIDE; i++) assert_int_equal(to[i], zero);
        row[3] = 1e-40F;
        assert_true(dq_int8_quantise(row, WIDE, positive, to) == 0);
    }
}

/* A number that is not finite shows in all that is made of its row, also behind a ReLU. */
static void what_is_not_finite_is_not_lost(void **state)
{
    (void)state;
    enum { N = 3, K = 20 };
    static const float bad[] = {NAN, -NAN, INFINITY, -INFINITY};
    float rows[N * K], x[K] = {1}, bias[N] = {-1, 0, 1}, y[N];
    uint8_t bytes[K + 8];
    int32_t c[16];
    for (size_t i = 0; i < N * K; i++) rows[i] = (float)(i % 7) - 3;
    memset(rows + K, 0, K * sizeof *rows); /* of a unit without weights, too */
    dq_int8_weights w = make(N, K, rows);
    for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
        x[13] = bad[b];
        float scale = dq_int8_quantise(x, K, false, bytes);
        assert_true(isnan(scale));
        dq_int8_product(1, bytes, &w, c, 16);
        for (int relu = 0; relu < 2; relu++) {
            dq_int8_finish(c, &w, scale, false, bias, relu, y);
            for (size_t i = 0; i < N; i++) assert_true(isnan(y[i]));
        }
    }
    drop(&w);
}

/* What comes out is the product of the numbers that the bytes mean, with the bias, and the ReLU. */
static void sums_mean_products(void **state)
{
    (void)state;
    enum { N = 40, K = 101 };
    dq_rng rng = dq_rng_new(4);
    float rows[N * K], x[K], bias[N], y[N];
    uint8_t bytes[K + 8];
    int32_t c[48];
    for (size_t i = 0; i < N * K; i++) rows[i] = (float)dq_rng_normal(&rng);
    for (size_t i = 0; i < N; i++) bias[i] = (float)dq_rng_normal(&rng);
    memset(rows + 5 * K, 0, K * sizeof *rows); /* a unit without weights */
    dq_int8_weights w = make(N, K, rows);
    for (int positive = 0; positive < 2; positive++) {
        for (size_t i = 0; i < K; i++)
            x[i] = (float)(positive ? fabs(dq_rng_normal(&rng)) : dq_rng_normal(&rng));
        float scale = dq_int8_quantise(x, K, positive, bytes);
        dq_int8_product(1, bytes, &w, c, 48);
        for (int relu = 0; relu < 2; relu++) {
            dq_int8_finish(c, &w, scale, positive, bias, relu, y);
            for (size_t i = 0; i < N; i++) {
                double meant = 0, size = 0;
                for (size_t k = 0; k < K; k++) {
                    double q = (double)scale * (bytes[k] - (positive ? 0 : DQ_INT8_ZERO));
                    double v = w.scale[i] != 0
                                   ? (double)w.scale[i] * (double)rintf(rows[i * K + k] / w.scale[i])
                                   : 0;
                    meant += q * v;
                    size += fabs((double)rows[i * K + k] * (double)scale) / 2 +
                            fabs((double)x[k] * (double)w.scale[i]) / 2 + 1e-4;
                    assert_true(fabs(v - (double)rows[i * K + k]) <= 0.501 * (double)w.scale[i] + 1e-12);
                }
                double exact = 0;
                for (size_t k = 0; k < K; k++) exact += (double)rows[i * K + k] * (double)x[k];
                meant += (double)bias[i];
                exact += (double)bias[i];
                if (relu && meant < 0) meant = 0;
                if (relu && exact < 0) exact = 0;
                assert_true(fabs((double)y[i] - meant) < 1e-4 * (1 + fabs(meant)));
                assert_true(fabs((double)y[i] - exact) <= size);
            }
        }
    }
    assert_true(w.scale[5] == 0);
    drop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_equal_the_definition),
        cmocka_unit_test(a_row_keeps_its_numbers_to_half_a_step),
        cmocka_unit_test(sums_mean_products),
        cmocka_unit_test(what_is_not_finite_is_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
