/* SPDX-License-Identifier: MIT */
#include "core/rng.h"
#include "math/adam.h"
#include "math/blas.h"
#include "math/cholesky.h"
#include "math/cosine.h"
#include "math/inverse.h"
#include "math/pool.h"
#include "math/smooth.h"
#include "math/vec.h"

#include <fenv.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static float *random_floats(size_t n, uint64_t seed)
{
    dq_rng rng = dq_rng_new(seed);
    float *a = malloc(n * sizeof *a);
    assert_non_null(a);
    for (size_t i = 0; i < n; i++) a[i] = (float)dq_rng_normal(&rng);
    return a;
}

/* ---- products ---- */

static void products_equal_double_loops(void **state)
{
    (void)state;
    enum { M = 37, N = 65, K = 130 };
    assert_int_equal(dq_blas_reserve(1, NULL), DQ_OK);
    float *a = random_floats(M * K, 1), *b = random_floats(K * N, 2), *c = malloc(3 * M * N * sizeof *c);
    float *at = malloc(M * K * sizeof *at), *bt = malloc(K * N * sizeof *bt);
    for (size_t i = 0; i < M; i++)
        for (size_t k = 0; k < K; k++) at[k * M + i] = a[i * K + k];
    for (size_t k = 0; k < K; k++)
        for (size_t j = 0; j < N; j++) bt[j * K + k] = b[k * N + j];
    dq_gemm_nn(M, N, K, a, K, b, N, c, N);
    dq_gemm_nt(M, N, K, a, K, bt, K, c + M * N, N);
    dq_gemm_tn(M, N, K, at, M, b, N, c + 2 * M * N, N);
    for (size_t i = 0; i < M; i++)
        for (size_t j = 0; j < N; j++) {
            double sum = 0;
            for (size_t k = 0; k < K; k++) sum += (double)a[i * K + k] * (double)b[k * N + j];
            for (size_t form = 0; form < 3; form++)
                assert_true(fabs((double)c[form * M * N + i * N + j] - sum) < 1e-4);
        }
    free(a);
    free(b);
    free(c);
    free(at);
    free(bt);
}

static void the_core_has_a_name(void **state)
{
    (void)state;
    const char *core = dq_blas_core();
    assert_true(strncmp(core, "OpenBLAS ", 9) == 0 || strncmp(core, "dq ", 3) == 0);
#ifdef __x86_64__
    __builtin_cpu_init();
    if (!getenv("OPENBLAS_CORETYPE") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        assert_null(strstr(core, "Prescott")); /* the trap */
#endif
}

/* ---- vectors ---- */

static void dot_equals_double_loop_at_every_length(void **state)
{
    (void)state;
    float *a = random_floats(200, 3), *b = random_floats(201, 4);
    for (size_t n = 0; n <= 200; n++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i + 1];
        assert_true(fabs((double)dq_vec_dot(a, b + 1, n) - sum) < 1e-4);
    }
    free(a);
    free(b);
}

static void dots_equal_dot(void **state)
{
    (void)state;
    float *a = random_floats(200, 3), *b = random_floats(200 * 7, 4), out[14];
    const float *rows[7];
    for (size_t i = 0; i < 7; i++) rows[i] = b + i * 200;
    for (size_t n = 0; n <= 200; n++)
        for (size_t count = 0; count <= 7; count++) {
            dq_vec_dots(a, rows, count, n, out, 2);
            for (size_t i = 0; i < count; i++) assert_true(out[2 * i] == dq_vec_dot(a, rows[i], n));
        }
    free(a);
    free(b);
}

static void added_rows_equal_rows_added(void **state)
{
    (void)state;
    float *start = random_floats(200, 5), *b = random_floats(200 * 7, 6), *scales = random_floats(7, 7);
    float one[200], all[200];
    const float *rows[7];
    for (size_t i = 0; i < 7; i++) rows[i] = b + i * 200;
    for (size_t n = 0; n <= 200; n++)
        for (size_t count = 0; count <= 7; count++) {
            memcpy(one, start, sizeof one);
            memcpy(all, start, sizeof all);
            for (size_t i = 0; i < count; i++) dq_vec_add_scaled(one, rows[i], scales[i], n);
            dq_vec_add_rows(all, rows, scales, count, n);
            assert_memory_equal(one, all, sizeof one);
        }
    free(start);
    free(b);
    free(scales);
}

static void a_unit_vector_has_length_one_and_its_direction(void **state)
{
    (void)state;
    const float three[] = {3e-20F, 0, -4e-20F},
                zeros[3] = {0}; /* squares of these are no numbers of a float */
    float unit[3];
    dq_vec_unit(unit, three, 3);
    assert_true(unit[0] == 0.6F && unit[1] == 0 && unit[2] == -0.8F);
    dq_vec_unit(unit, zeros, 3);
    for (size_t i = 0; i < 3; i++) assert_true(unit[i] == 0);
}

static void activation_and_gate(void **state)
{
    (void)state;
    enum { N = 21 };
    float *a = random_floats(N, 5), *b = random_floats(N, 6), *bias = random_floats(N, 7), h[N], dh[N];
    uint16_t draws[N];
    dq_dropout dropout = dq_dropout_new(0.5);
    assert_int_equal(dropout.cut, 32768);
    for (size_t i = 0; i < N; i++) draws[i] = (uint16_t)(i % 3 == 0 ? 100 : 40000);
    dq_vec_activate(h, a, b, bias, draws, dropout, N);
    for (size_t i = 0; i < N; i++) {
        float z = a[i] + b[i] + bias[i], want = z > 0 && i % 3 != 0 ? 2 * z : 0;
        assert_true(h[i] == want);
        dh[i] = 3;
    }
    dq_vec_gate(dh, h, dropout.scale, N);
    for (size_t i = 0; i < N; i++) assert_true(dh[i] == (h[i] > 0 ? 6 : 0));
    dq_vec_activate(h, a, NULL, bias, NULL, dropout, N);
    for (size_t i = 0; i < N; i++) assert_true(h[i] == fmaxf(a[i] + bias[i], 0));
    free(a);
    free(b);
    free(bias);
}

/* Against the C library in double precision, in runs of every length. */
static void smooth_activations(void **state)
{
    (void)state;
    enum { N = 4001 };
    static float z[N], h[N], slope[N], again[N];
    for (int i = 0; i < N; i++) z[i] = (float)(i - N / 2) / 100; /* -20 .. 20 */
    dq_smooth_gelu(h, slope, z, N);
    for (int i = 0; i < N; i++) {
        double x = (double)z[i], phi = erfc(-x / sqrt(2)) / 2;
        assert_true(fabs((double)h[i] - x * phi) < 1e-6);
        assert_true(fabs((double)slope[i] - phi - x * exp(-x * x / 2) / sqrt(2 * acos(-1))) < 1e-6);
    }
    for (size_t i = 0, n = 0; i + n <= N; i += n, n = (n + 1) % 40) dq_smooth_gelu(again + i, NULL, z + i, n);
    assert_memory_equal(h, again, (N - 40) * sizeof *h);
    dq_smooth_tanh(h, slope, z, N);
    for (int i = 0; i < N; i++) {
        double y = tanh((double)z[i]);
        assert_true(fabs((double)h[i] - y) < 1e-6 && fabs((double)slope[i] - (1 - y * y)) < 1e-6);
    }
    const float odd[] = {NAN, INFINITY, -INFINITY, 1e30F, -1e30F};
    dq_smooth_tanh(h, NULL, odd, 5);
    assert_true(isnan(h[0]) && h[1] == 1 && h[2] == -1 && h[3] == 1 && h[4] == -1);
    dq_smooth_gelu(h, NULL, odd, 5);
    assert_true(isnan(h[0]) && h[1] == INFINITY && h[3] == 1e30F && h[4] == 0);
}

static void dropout_keeps_its_share(void **state)
{
    (void)state;
    enum { N = 400000 };
    uint16_t *draws = malloc(N * sizeof *draws);
    dq_rng rng = dq_rng_new(9);
    dq_dropout dropout = dq_dropout_new(0.2);
    size_t dropped = 0;
    dq_dropout_draw(draws, N, &rng);
    for (size_t i = 0; i < N; i++) dropped += draws[i] < dropout.cut;
    assert_true(fabs((double)dropped / N - 0.2) < 0.003); /* 4.7 standard deviations */
    assert_true(fabsf(dropout.scale - 1.25F) < 1e-4F);
    assert_true((double)dropout.scale * (1 - dropout.cut / 65536.0) - 1 < 1e-7); /* the mean stays */
    dropout = dq_dropout_new(1e-6);
    assert_true(dropout.cut == 0 && dropout.scale == 1); /* nothing is dropped, nor scaled */
    dropout = dq_dropout_new(1 - 1e-9);
    assert_true(dropout.cut == 65535 && dropout.scale == 65536);
    assert_int_equal(dq_dropout_new(0).cut, 0);
    free(draws);
}

static void finite_sees_every_place(void **state)
{
    (void)state;
    float a[40] = {0};
    for (size_t i = 0; i < 40; i++) {
        assert_true(dq_vec_finite(a, 40));
        a[i] = i % 2 ? NAN : -INFINITY;
        assert_false(dq_vec_finite(a, 40));
        a[i] = 3e38F;
    }
}

/* ---- Adam ---- */

/* PyTorch's Adam with an L2 term, or AdamW. */
static void check_adam(bool decoupled)
{
    enum { N = 19 };
    float *w = random_floats(N, 10), m[N] = {0}, v[N] = {0};
    double w64[N], m64[N] = {0}, v64[N] = {0};
    for (size_t i = 0; i < N; i++) w64[i] = (double)w[i];
    dq_adam adam = DQ_ADAM_DEFAULTS;
    adam.decay = 0.01;
    adam.decoupled = decoupled;
    for (uint64_t t = 1; t <= 10; t++) {
        float *g = random_floats(N, 10 + t);
        dq_adam_step step = dq_adam_begin(&adam, t);
        dq_adam_apply(&step, w, m, v, g, N);
        for (size_t i = 0; i < N; i++) {
            double gi = (double)g[i] + (decoupled ? 0 : adam.decay * w64[i]);
            m64[i] = 0.9 * m64[i] + (1 - 0.9) * gi;
            v64[i] = 0.999 * v64[i] + (1 - 0.999) * gi * gi;
            double mhat = m64[i] / (1 - pow(0.9, (double)t)), vhat = v64[i] / (1 - pow(0.999, (double)t));
            if (decoupled) w64[i] -= 1e-3 * adam.decay * w64[i];
            w64[i] -= 1e-3 * mhat / (sqrt(vhat) + 1e-8);
            assert_true(fabs((double)w[i] - w64[i]) < 1e-6);
        }
        free(g);
    }
    free(w);
}

static void adam_equals_its_formula(void **state)
{
    (void)state;
    check_adam(false);
    check_adam(true);
}

/* ---- cosine ---- */

static void cosine_by_hand(void **state)
{
    (void)state;
    const float user[4] = {3, 4, 1, 0}, item[4] = {4, 3, 0, 2};
    const dq_pairing first = {0, 0, 2}, both[2] = {{0, 0, 2}, {2, 2, 2}}, crossed = {2, 0, 2};
    assert_true(fabs(dq_cosine(user, item, &first, 1) - 0.96) < 1e-12);
    assert_true(fabs(dq_cosine(user, item, both, 2) - 0.48) < 1e-12); /* (0.96 + 0) / 2 */
    assert_true(fabs(dq_cosine(user, item, &crossed, 1) - 0.8) < 1e-12);
}

static void cosine_of_a_zero_vector_is_zero(void **state)
{
    (void)state;
    const float zero[3] = {0}, one[3] = {1, 2, 3};
    const dq_pairing all = {0, 0, 3};
    float out[2] = {9, 9}, block[6] = {0, 0, 0, 1, 2, 3};
    assert_true(dq_cosine(zero, one, &all, 1) == 0);
    assert_true(dq_cosine(one, zero, &all, 1) == 0);
    dq_cosine_block(one, block, 3, 2, &all, 1, out);
    assert_true(out[0] == 0);
    assert_true(fabsf(out[1] - 1) < 1e-6F);
    dq_cosine_block(zero, block, 3, 2, &all, 1, out);
    assert_true(out[0] == 0 && out[1] == 0);
}

/* A cosine does not know how long vectors are: components from the least float to the greatest. */
static void cosines_of_any_length(void **state)
{
    (void)state;
    static const float lengths[] = {1e-45F, 3e-42F, 1e-38F, 1e-30F, 1e-22F, 1e-19F, 1e-10F, 1e-5F,
                                    1,      1e5F,   1e10F,  1e18F,  1e19F,  1e25F,  1e30F,  8e37F};
    enum { COUNT = sizeof lengths / sizeof *lengths, WIDE = 67 };
    static float user[WIDE], items[COUNT][WIDE], out[COUNT];
    const dq_pairing all = {0, 0, WIDE}, two[] = {{0, 2, 30}, {31, 31, 36}};
    for (size_t l = 0; l < COUNT; l++) {
        for (size_t i = 0; i < WIDE; i++) user[i] = lengths[l] * (float)(1 + (i * 7) % 4);
        for (size_t k = 0; k < COUNT; k++)
            for (size_t i = 0; i < WIDE; i++)
                items[k][i] = lengths[k] * (float)((i * 5) % 4 + 1) * (i % 3 ? 1 : -1);
        for (size_t count = 1; count <= 2; count++) {
            const dq_pairing *pairs = count == 1 ? &all : two;
            double expected = 0;
            for (size_t p = 0; p < count; p++) {
                double ua = 0, uu = 0, aa = 0;
                for (size_t i = 0; i < pairs[p].width; i++) {
                    double x = (double)(1 + ((i + pairs[p].user_offset) * 7) % 4);
                    size_t at = i + pairs[p].item_offset;
                    double y = (double)((at * 5) % 4 + 1) * (at % 3 ? 1 : -1);
                    ua += x * y;
                    uu += x * x;
                    aa += y * y;
                }
                expected += ua / sqrt(uu * aa) / (double)count;
            }
            dq_cosine_block(user, items[0], WIDE, COUNT, pairs, count, out);
            for (size_t k = 0; k < COUNT; k++) {
                assert_true(fabs(dq_cosine(user, items[k], pairs, count) - expected) < 1e-6);
                assert_true(fabs((double)out[k] - expected) < 1e-6);
            }
        }
    }
}

static void cosine_block_equals_double_loops(void **state)
{
    (void)state;
    enum { N = 50, USER = 768, ITEM = 1537, STRIDE = 1540 };
    float *user = random_floats(USER, 20), *items = random_floats((size_t)N * STRIDE, 21), out[N], one;
    const dq_pairing pairs[2] = {{0, 385, 384}, {384, 769, 383}};
    dq_cosine_block(user, items, STRIDE, N, pairs, 2, out);
    for (size_t i = 0; i < N; i++) {
        assert_true(fabs((double)out[i] - dq_cosine(user, items + i * STRIDE, pairs, 2)) < 1e-6);
        dq_cosine_block(user, items + i * STRIDE, STRIDE, 1, pairs, 2, &one);
        assert_memory_equal(&one, &out[i], sizeof one); /* the block does not matter */
        dq_cosine_block(user, items + i * STRIDE, 0, 1, pairs, 2, &one);
        assert_memory_equal(&one, &out[i], sizeof one); /* nor what one item would be apart from another */
    }
    free(user);
    free(items);
}

/* Items of halves give the bits of their floats: every half that is a number, long rows and rows that are no
 * whole vectors, where denormals are flushed and where they are not. */
static void cosines_of_halves_are_those_of_their_floats(void **state)
{
    (void)state;
    enum { N = 64, WIDE = 1024, ODD = 1021 };
    static const dq_dtype types[] = {DQ_F2, DQ_BF16};
    static uint16_t halves[N * WIDE];
    static float floats[N * WIDE], by_halves[N], by_floats[N];
    const dq_pairing whole = {0, 0, WIDE}, two[] = {{0, 3, 500}, {500, 503, ODD - 503}};
    float *user = random_floats(WIDE, 22);
    dq_pool *pool = NULL;
    for (int flushed = 0; flushed < 2; flushed++) {
        if (flushed) assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
        for (size_t t = 0; t < 2; t++) {
            for (size_t i = 0; i < N * WIDE; i++) halves[i] = (uint16_t)i;
            dq_convert_f4(floats, halves, types[t], N * WIDE);
            for (size_t i = 0; i < N * WIDE; i++)
                if (!isfinite(floats[i]) || fabsf(floats[i]) > 1e15F) halves[i] = 0x3c00;
            dq_convert_f4(floats, halves, types[t], N * WIDE);
            dq_cosine_rows(user, halves, types[t], WIDE, N, &whole, 1, by_halves);
            dq_cosine_block(user, floats, WIDE, N, &whole, 1, by_floats);
            assert_memory_equal(by_halves, by_floats, sizeof by_floats);
            dq_cosine_rows(user, halves, types[t], ODD, N, two, 2, by_halves);
            dq_cosine_block(user, floats, ODD, N, two, 2, by_floats);
            assert_memory_equal(by_halves, by_floats, sizeof by_floats);
        }
    }
    dq_pool_free(pool);
    free(user);
}

/* ---- the pool ---- */

typedef struct tally {
    atomic_uint times[100];
    atomic_uint threads_seen;
    atomic_bool denormals; /* a thread did not flush them */
} tally;

static void count_tile(void *arg, size_t i, unsigned thread)
{
    tally *t = arg;
    volatile float tiny = 1e-38F, result = tiny / 16;
    if (result != 0) atomic_store(&t->denormals, true);
    atomic_fetch_add(&t->times[i], 1);
    atomic_fetch_or(&t->threads_seen, 1U << thread);
}

static void every_tile_runs_once_and_flushes_denormals(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= 4; threads++) {
        dq_pool *pool;
        assert_int_equal(dq_pool_new(&pool, threads, NULL), DQ_OK);
        assert_int_equal(dq_pool_threads(pool), threads);
        tally t = {0};
        for (unsigned run = 1; run <= 300; run++) {
            size_t tiles = run % 101;
            dq_pool_run(pool, count_tile, &t, tiles);
            unsigned expected = 0;
            for (size_t i = 0; i < 100; i++) {
                expected = atomic_load(&t.times[i]);
                assert_int_equal(expected, i < tiles ? 1 : 0);
                atomic_store(&t.times[i], 0);
            }
        }
        assert_false(atomic_load(&t.denormals));
        assert_true(atomic_load(&t.threads_seen) < 1U << threads);
        dq_pool_free(pool);
    }
    dq_pool_free(NULL);
    dq_pool *none;
    assert_int_equal(dq_pool_new(&none, 0, NULL), DQ_ERR_RANGE);
}

/* In the threads of a pool arithmetic takes numbers below 1.2e-38 for nothing; cosines do not. */
static void cosines_where_denormals_are_flushed(void **state)
{
    (void)state;
    static const float user[] = {1e-42F, 2e-42F, -1e-42F};
    static const float items[2][3] = {{2e-42F, 1e-42F, 1e-42F}, {2, 1, 1}};
    const dq_pairing all = {0, 0, 3};
    dq_pool *pool;
    dq_error e = DQ_ERROR_NONE;
    float out[2];
    assert_int_equal(dq_pool_new(&pool, 1, &e), DQ_OK);
    dq_cosine_block(user, items[0], 3, 2, &all, 1, out);
    for (size_t i = 0; i < 2; i++) {
        assert_float_equal(out[i], 0.5F, 1e-3F);
        assert_float_equal((float)dq_cosine(user, items[i], &all, 1), out[i], 1e-6F);
    }
    dq_pool_free(pool);
}

static void an_outer_product_adds_up(void **state)
{
    (void)state;
    enum { N = 37 };
    float *x = random_floats(N, 8);
    double a[N * (N + 1) / 2];
    for (size_t i = 0; i < N * (N + 1) / 2; i++) a[i] = (double)i;
    dq_triangle_add_outer(a, x, 0.3, N);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j <= i; j++) {
            double was = (double)(dq_triangle(i) + j);
            assert_true(fabs(a[dq_triangle(i) + j] - was - 0.3 * (double)x[i] * (double)x[j]) < 1e-12);
        }
    free(x);
}

static void cholesky_known(void **state)
{
    (void)state;
    double a[6] = {4, 2, 5, -2, 1, 6}, b[3] = {2, 11, 13};
    const double full[3][3] = {{4, 2, -2}, {2, 5, 1}, {-2, 1, 6}};
    assert_true(dq_cholesky_solve(a, 3, b));
    const double right[3] = {2, 11, 13};
    for (int i = 0; i < 3; i++)
        assert_true(fabs(full[i][0] * b[0] + full[i][1] * b[1] + full[i][2] * b[2] - right[i]) < 1e-12);
    double not_definite[3] = {1, 2, 1}, c[2] = {1, 1}, nan_there[1] = {NAN};
    assert_false(dq_cholesky_solve(not_definite, 2, c));
    assert_false(dq_cholesky_solve(nan_there, 1, c));
}

/* A times its inverse is the identity, whether or not A has whole blocks. */
static void check_inverse(size_t n)
{
    dq_rng rng = dq_rng_new(7);
    float *a = malloc(n * n * sizeof *a), *inverse = malloc(n * n * sizeof *inverse);
    float *work = malloc(dq_inverse_work(n) * sizeof *work), *x = malloc(n * 5 * sizeof *x);
    assert_true(a && inverse && work && x);
    for (size_t i = 0; i < n * 5; i++) x[i] = (float)dq_rng_uniform(&rng) - 0.5F;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            a[i * n + j] = dq_vec_dot(x + i * 5, x + j * 5, 5) + (i == j ? 0.5F : 0);
    memcpy(inverse, a, n * n * sizeof *a);
    assert_true(dq_inverse_definite(inverse, n, work));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t k = 0; k < n; k++) sum += (double)a[i * n + k] * (double)inverse[k * n + j];
            if (!(fabs(sum - (i == j ? 1 : 0)) < 1e-4))
                fail_msg("%zu, row %zu, column %zu: %g", n, i, j, sum);
        }
    a[n * n - 1] = -1;
    assert_false(dq_inverse_definite(a, n, work));
    free(a);
    free(inverse);
    free(work);
    free(x);
}

static void inverses_times_their_matrices_are_the_identity(void **state)
{
    static const size_t sizes[] = {1, 2, 64, 65, 150, 192};
    float nan_there[4] = {1, NAN, NAN, 1}, work[3 * 64 * 2 + 64 * 64];
    (void)state;
    assert_int_equal(dq_inverse_work(2), sizeof work / sizeof *work);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) check_inverse(sizes[i]);
    assert_false(dq_inverse_definite(nan_there, 2, work));
}

static void *run_elsewhere(void *arg)
{
    tally before = {0}, after = {0};
    assert_int_equal(fesetenv(FE_DFL_ENV), 0); /* a thread inherits what its maker had set */
    dq_pool_run(arg, count_tile, &before, 1);
    dq_pool_enter();
    dq_pool_run(arg, count_tile, &after, 1);
    return (void *)(uintptr_t)(atomic_load(&before.denormals) && !atomic_load(&after.denormals));
}

static void a_thread_that_enters_flushes_denormals(void **state)
{
    dq_pool *pool;
    pthread_t thread;
    void *flushes = NULL;
    (void)state;
    assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
    assert_int_equal(pthread_create(&thread, NULL, run_elsewhere, pool), 0);
    assert_int_equal(pthread_join(thread, &flushes), 0);
    assert_non_null(flushes);
    dq_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inverses_times_their_matrices_are_the_identity),
        cmocka_unit_test(cholesky_known),
        cmocka_unit_test(an_outer_product_adds_up),
        cmocka_unit_test(products_equal_double_loops),
        cmocka_unit_test(the_core_has_a_name),
        cmocka_unit_test(dot_equals_double_loop_at_every_length),
        cmocka_unit_test(dots_equal_dot),
        cmocka_unit_test(added_rows_equal_rows_added),
        cmocka_unit_test(a_unit_vector_has_length_one_and_its_direction),
        cmocka_unit_test(activation_and_gate),
        cmocka_unit_test(smooth_activations),
        cmocka_unit_test(dropout_keeps_its_share),
        cmocka_unit_test(finite_sees_every_place),
        cmocka_unit_test(adam_equals_its_formula),
        cmocka_unit_test(cosine_by_hand),
        cmocka_unit_test(cosine_of_a_zero_vector_is_zero),
        cmocka_unit_test(cosines_of_any_length),
        cmocka_unit_test(cosine_block_equals_double_loops),
        cmocka_unit_test(cosines_of_halves_are_those_of_their_floats),
        cmocka_unit_test(every_tile_runs_once_and_flushes_denormals),
        cmocka_unit_test(a_thread_that_enters_flushes_denormals),
        cmocka_unit_test(cosines_where_denormals_are_flushed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
