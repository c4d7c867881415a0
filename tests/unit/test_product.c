/* SPDX-License-Identifier: MIT
 *
 * Products by every kernel that this CPU has: the plain form's bits, whatever the shape, the strides, the
 * place and what is packed; OpenBLAS within a bound; and the plain form against sums in double.
 */
#include "core/rng.h"
#include "math/blas.h"
#include "math/product/kernel.h"
#include "math/vec.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { GUARD = 3 };

static const float untouched = -7.25F;

/* One product, with the operands as it has them and room for the result by two kernels. */
typedef struct tried {
    product p;
    float *a, *b, *c, *plain, *packed;
    size_t numbers; /* of C, with what stands between its rows */
} tried;

static float *floats(size_t n)
{
    float *a = aligned_alloc(64, (n * sizeof *a + 64) / 64 * 64);
    assert_non_null(a);
    return a;
}

static float *random_floats(dq_rng *rng, size_t n)
{
    float *a = floats(n + 1);
    for (size_t i = 0; i <= n; i++) a[i] = (float)dq_rng_normal(rng);
    return a;
}

/* n runs of k numbers, which begin at any multiple of 4 bytes, with a stride that is at most a few more. */
static product_operand draw_operand(dq_rng *rng, size_t n, size_t k, bool columns, float **memory)
{
    size_t width = columns ? n : k, ld = width + dq_rng_below(rng, 4), shift = dq_rng_below(rng, 4);
    *memory = random_floats(rng, (columns ? k : n) * ld + shift);
    return (product_operand){.at = *memory + shift, .ld = ld, .columns = columns};
}

static tried draw(dq_rng *rng, size_t m, size_t n, size_t k, unsigned form)
{
    tried t = {.p = {.m = m, .n = n, .k = k, .ldc = n + dq_rng_below(rng, 4)}};
    t.p.a = draw_operand(rng, m, k, form & 1, &t.a);
    t.p.b = draw_operand(rng, n, k, form & 2, &t.b);
    t.numbers = m * t.p.ldc + GUARD;
    t.c = floats(t.numbers);
    t.plain = floats(t.numbers);
    t.packed = floats((m > n ? m + 128 : n + 128) * (k + 1));
    return t;
}

static void release(tried *t)
{
    free(t->a);
    free(t->b);
    free(t->c);
    free(t->plain);
    free(t->packed);
}

static void clear(float *c, size_t n)
{
    for (size_t i = 0; i < n; i++) c[i] = untouched;
}

/* The product by the definition, whatever is between its rows left alone. */
static void define(const tried *t, float *c)
{
    const product *p = &t->p;
    clear(c, t->numbers);
    for (size_t i = 0; i < p->m; i++)
        for (size_t j = 0; j < p->n; j++) {
            float sum = 0;
            for (size_t k = 0; k < p->k; k++)
                sum = fmaf(p->a.columns ? p->a.at[k * p->a.ld + i] : p->a.at[i * p->a.ld + k],
                           p->b.columns ? p->b.at[k * p->b.ld + j] : p->b.at[j * p->b.ld + k], sum);
            c[i * p->ldc + j] = sum;
        }
}

static double magnitude(const product *p, size_t i, size_t j)
{
    double sum = 0;
    for (size_t k = 0; k < p->k; k++)
        sum += fabs((double)(p->a.columns ? p->a.at[k * p->a.ld + i] : p->a.at[i * p->a.ld + k]) *
                    (double)(p->b.columns ? p->b.at[k * p->b.ld + j] : p->b.at[j * p->b.ld + k]));
    return sum;
}

/* Equal to the bit by dq's kernels. By a library's, which sum in another order, within k roundings of the sum
 * of |a b|. */
static void compare(const tried *t, const product_kernel *kernel)
{
    const product *p = &t->p;
    if (!kernel->whole) {
        assert_memory_equal(t->c, t->plain, t->numbers * sizeof *t->c);
        return;
    }
    for (size_t i = 0; i < p->m; i++)
        for (size_t j = 0; j < p->n; j++)
            assert_true(fabs((double)t->c[i * p->ldc + j] - (double)t->plain[i * p->ldc + j]) <=
                        0x1p-23 * (double)(p->k + 1) * magnitude(p, i, j));
}

static void run(const tried *t, product p)
{
    clear(t->c, t->numbers);
    p.c = t->c;
    product_run(&p);
    compare(t, p.kernel);
}

/* Nothing packed, B packed, A packed. */
static void try_kernel(const tried *t, const product_kernel *kernel)
{
    product p = t->p;
    p.kernel = kernel;
    run(t, p);
    product_pack(kernel, t->p.b, p.n, p.k, t->packed);
    p.b = (product_operand){.panels = t->packed};
    run(t, p);
    p.b = t->p.b;
    product_pack(kernel, t->p.a, p.m, p.k, t->packed);
    p.a = (product_operand){.panels = t->packed};
    run(t, p);
}

static void try_shape(dq_rng *rng, size_t m, size_t n, size_t k)
{
    for (unsigned form = 0; form < 4; form++) {
        tried t = draw(rng, m, n, k, form);
        define(&t, t.plain);
        for (const product_kernel *const *kernel = product_kernels; *kernel; kernel++)
            if ((*kernel)->has()) try_kernel(&t, *kernel);
        release(&t);
    }
}

static void kernels_agree_at_every_edge(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 5, 6, 7, 8, 13, 14, 15, 16, 17, 31, 32, 33};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    dq_rng rng = dq_rng_new(1);
    for (size_t m = 0; m < SIZES; m++)
        for (size_t n = 0; n < SIZES; n++)
            try_shape(&rng, sizes[m], sizes[n], sizes[(m * 7 + n * 3) % SIZES]);
}

static void kernels_agree_on_random_shapes(void **state)
{
    (void)state;
    dq_rng rng = dq_rng_new(2);
    for (int i = 0; i < 6; i++)
        try_shape(&rng, 1 + dq_rng_below(&rng, 100), 1 + dq_rng_below(&rng, 150), dq_rng_below(&rng, 400));
}

/* Where blocks end, in rows and in lanes; steps, with operands as they lie and packed; and what is packed at
 * once. */
static void kernels_agree_around_blocks(void **state)
{
    (void)state;
    static const size_t shapes[][3] = {{128, 128, 33}, {129, 20, 70}, {20, 129, 70}, {9, 40, 256},
                                       {9, 40, 257},   {15, 10, 768}, {15, 10, 769}, {3, 5, 4096},
                                       {3, 5, 4097},   {2, 33, 8200}};
    dq_rng rng = dq_rng_new(3);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        try_shape(&rng, shapes[i][0], shapes[i][1], shapes[i][2]);
}

/* Rows 4096 bytes apart: tiles of fewer rows read them, many rows have such columns packed, C is made in a
 * block.
 */
static void kernels_agree_on_steps_of_a_page(void **state)
{
    (void)state;
    enum { M = 140, N = 20, K = 800, PAGE = 1024 };
    dq_rng rng = dq_rng_new(8);
    for (unsigned form = 0; form < 4; form++) {
        tried t = draw(&rng, M, N, K, form);
        free(t.a);
        free(t.b);
        free(t.c);
        free(t.plain);
        t.a = random_floats(&rng, K * PAGE);
        t.b = random_floats(&rng, K * PAGE);
        t.p.ldc = PAGE;
        t.numbers = M * PAGE;
        t.c = floats(t.numbers);
        t.plain = floats(t.numbers);
        t.p.a = (product_operand){.at = t.a, .ld = PAGE, .columns = form & 1};
        t.p.b = (product_operand){.at = t.b, .ld = PAGE, .columns = form & 2};
        define(&t, t.plain);
        for (const product_kernel *const *kernel = product_kernels; *kernel; kernel++)
            if ((*kernel)->has()) try_kernel(&t, *kernel);
        release(&t);
    }
}

/* ---- what is not a number ---- */

static bool same_number(float a, float b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

static void what_is_not_finite_passes_through(void **state)
{
    (void)state;
    enum { M = 19, N = 45, K = 37 };
    static const float odd[] = {NAN, INFINITY, -INFINITY, 0.0F, -0.0F, 0x1p-140F, 3e38F, -3e38F};
    dq_rng rng = dq_rng_new(4);
    for (unsigned form = 0; form < 4; form++)
        for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
            tried t = draw(&rng, M, N, K, form);
            ((float *)(uintptr_t)t.p.a.at)[11 * t.p.a.ld + 7] = odd[i];
            ((float *)(uintptr_t)t.p.b.at)[17 * t.p.b.ld + 3] = odd[i];
            define(&t, t.plain);
            for (const product_kernel *const *kernel = product_kernels; *kernel; kernel++) {
                product p = t.p;
                p.kernel = *kernel;
                p.c = t.c;
                if (!(*kernel)->has() || (*kernel)->whole) continue;
                clear(t.c, t.numbers);
                product_run(&p);
                for (size_t at = 0; at < t.numbers; at++) assert_true(same_number(t.c[at], t.plain[at]));
            }
            release(&t);
        }
}

/* ---- epilogues ---- */

typedef struct seen {
    size_t m, n;
    float *c;        /* what was handed over */
    unsigned *times; /* how often */
    float add;
} seen;

static void see(void *arg, float *c, size_t ldc, size_t row, size_t rows, size_t column, size_t columns)
{
    seen *s = arg;
    assert_true(rows <= 128 && columns <= 128 && row + rows <= s->m && column + columns <= s->n);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            size_t at = (row + i) * s->n + column + j;
            s->c[at] = c[i * ldc + j];
            s->times[at]++;
            c[i * ldc + j] += s->add;
        }
}

static void epilogues_see_each_number_once(void **state)
{
    (void)state;
    static const size_t shapes[][3] = {{64, 200, 300}, {200, 64, 300}, {1, 5, 3}, {170, 260, 5}, {90, 2, 0}};
    dq_rng rng = dq_rng_new(5);
    for (size_t i = 0; i < 4 * sizeof shapes / sizeof *shapes; i++) {
        const size_t *s = shapes[i / 4];
        tried t = draw(&rng, s[0], s[1], s[2], i % 4);
        define(&t, t.plain);
        for (const product_kernel *const *kernel = product_kernels; *kernel; kernel++) {
            if (!(*kernel)->has()) continue;
            for (int with_c = 0; with_c < 2; with_c++) {
                seen all = {s[0], s[1], floats(s[0] * s[1]), calloc(s[0] * s[1], sizeof *all.times), 1};
                dq_epilogue epilogue = {see, &all};
                product p = t.p;
                p.kernel = *kernel;
                p.c = with_c ? t.c : NULL;
                p.epilogue = &epilogue;
                product_run(&p);
                for (size_t at = 0; at < s[0] * s[1]; at++) assert_int_equal(all.times[at], 1);
                clear(t.c, t.numbers);
                for (size_t r = 0; r < s[0]; r++)
                    memcpy(t.c + r * t.p.ldc, all.c + r * s[1], s[1] * sizeof *t.c);
                compare(&t, *kernel);
                free(all.c);
                free(all.times);
            }
        }
        release(&t);
    }
}

/* arg: a number for each column. */
static void add_to_columns(void *arg, float *c, size_t ldc, size_t row, size_t rows, size_t column,
                           size_t columns)
{
    const float *bias = arg;
    (void)row;
    for (size_t i = 0; i < rows; i++) dq_vec_add(c + i * ldc, bias + column, columns);
}

/* By OpenBLAS what is packed is summed in another order. */
static void assert_same(const float *a, const float *b, size_t n)
{
    if (dq_gemm_chained()) assert_memory_equal(a, b, n * sizeof *a);
    for (size_t i = 0; i < n; i++) assert_true(fabsf(a[i] - b[i]) < 1e-4F);
}

static void epilogues_equal_a_pass_afterwards(void **state)
{
    (void)state;
    enum { M = 150, N = 190, K = 70 };
    dq_rng rng = dq_rng_new(6);
    float *x = random_floats(&rng, M * K), *w = random_floats(&rng, N * K), *bias = random_floats(&rng, N);
    float *c = floats(M * N), *after = floats(M * N), *packed = floats(dq_packed_floats(M, K));
    float *weights = floats(dq_packed_floats(N, K));
    const dq_epilogue epilogue = {add_to_columns, bias};
    dq_gemm_nt(M, N, K, x, K, w, K, after, N);
    for (size_t r = 0; r < M; r++) dq_vec_add(after + r * N, bias, N);
    dq_gemm_nt_then(M, N, K, x, K, w, K, c, N, &epilogue);
    assert_same(c, after, M * N);
    dq_pack_rows(M, K, x, K, packed);
    dq_gemm_packed_batch(M, N, K, packed, w, K, c, N, &epilogue);
    assert_same(c, after, M * N);
    dq_pack_rows(N, K, w, K, weights);
    dq_gemm_packed(M, N, K, x, K, weights, c, N, &epilogue);
    assert_same(c, after, M * N);
    free(weights);
    free(x);
    free(w);
    free(bias);
    free(c);
    free(after);
    free(packed);
}

/* ---- the choice, and scratch ---- */

static void kernels_are_found_by_their_word(void **state)
{
    (void)state;
    assert_ptr_equal(product_choose("plain"), &product_plain);
    assert_ptr_equal(product_choose("openblas"), &product_openblas);
    assert_null(product_choose("abacus"));
    assert_ptr_not_equal(product_choose(NULL), &product_plain);
    assert_true(product_choose(NULL)->has());
}

static void scratch_is_for_one_at_a_time(void **state)
{
    (void)state;
    assert_int_equal(product_reserve_scratch(3, NULL), DQ_OK);
    product_scratch *one = product_take_scratch(), *two = product_take_scratch(),
                    *three = product_take_scratch();
    assert_true(one != two && one != three && two != three);
    product_give_scratch(two);
    assert_ptr_equal(product_take_scratch(), two);
    product_give_scratch(one);
    product_give_scratch(two);
    product_give_scratch(three);
}

static void *multiply_many_times(void *arg)
{
    const tried *t = arg;
    product p = t->p;
    float *c = floats(t->numbers);
    p.kernel = product_choose(NULL)->whole ? &product_plain : product_choose(NULL);
    p.c = c;
    for (int i = 0; i < 500; i++) {
        clear(c, t->numbers);
        product_run(&p);
        if (memcmp(c, t->plain, t->numbers * sizeof *c) != 0) return "unequal";
    }
    free(c);
    return NULL;
}

static void more_threads_than_scratch_wait_for_it(void **state)
{
    (void)state;
    enum { THREADS = 6 };
    pthread_t threads[THREADS];
    dq_rng rng = dq_rng_new(7);
    tried t[THREADS];
    assert_int_equal(product_reserve_scratch(2, NULL), DQ_OK);
    for (int i = 0; i < THREADS; i++) {
        t[i] = draw(&rng, 40, 50, 60, 0);
        define(&t[i], t[i].plain);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, multiply_many_times, &t[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        void *complaint;
        pthread_join(threads[i], &complaint);
        assert_null(complaint);
        release(&t[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_agree_at_every_edge),
        cmocka_unit_test(kernels_agree_on_random_shapes),
        cmocka_unit_test(kernels_agree_around_blocks),
        cmocka_unit_test(kernels_agree_on_steps_of_a_page),
        cmocka_unit_test(what_is_not_finite_passes_through),
        cmocka_unit_test(epilogues_see_each_number_once),
        cmocka_unit_test(epilogues_equal_a_pass_afterwards),
        cmocka_unit_test(kernels_are_found_by_their_word),
        cmocka_unit_test(scratch_is_for_one_at_a_time),
        cmocka_unit_test(more_threads_than_scratch_wait_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
