/* SPDX-License-Identifier: MIT
 *
 * Products of bfloat16 by every kernel that this CPU has: the plain form's bits, and for AMX, which adds in
 * another order, a bound. AMX's kernel is tried once more with its tile instructions in C, so that it runs
 * wherever there is AVX2.
 */
#include "amx_tiles.h"
#include "core/rng.h"
#include "math/pool.h"
#include "math/product/kernel.h"

#ifdef __x86_64__
#define PRODUCT_EMULATED_TILES
#define product_half_amx emulated_amx
#include "math/product/amx.c"
#undef product_half_amx
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

#include <cmocka.h>

static const float untouched = -7.25F;

typedef struct tried {
    product_half p;
    uint16_t *a, *b, *packed;
    float *c, *plain;
    size_t numbers;
} tried;

static float widen(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint16_t *random_halves(dq_rng *rng, size_t n)
{
    uint16_t *halves = malloc((n + 1) * sizeof *halves);
    assert_non_null(halves);
    for (size_t i = 0; i <= n; i++) {
        float x = (float)dq_rng_normal(rng);
        dq_bf16_round(halves + i, &x, 1);
    }
    return halves;
}

static product_half_operand draw_operand(dq_rng *rng, size_t n, size_t k, bool columns, uint16_t **memory)
{
    size_t width = columns ? n : k, ld = width + dq_rng_below(rng, 4), shift = dq_rng_below(rng, 4);
    *memory = random_halves(rng, (columns ? k : n) * ld + shift);
    return (product_half_operand){.at = *memory + shift, .ld = ld, .columns = columns};
}

static tried draw(dq_rng *rng, size_t m, size_t n, size_t k, unsigned form)
{
    tried t = {.p = {.m = m, .n = n, .k = k, .ldc = n + dq_rng_below(rng, 4)}};
    t.p.a = draw_operand(rng, m, k, form & 1, &t.a);
    t.p.b = draw_operand(rng, n, k, form & 2, &t.b);
    t.numbers = m * t.p.ldc + 3;
    t.c = malloc(t.numbers * sizeof *t.c);
    t.plain = malloc(t.numbers * sizeof *t.c);
    t.packed = malloc(((m > n ? m : n) + 64) * (k + 64) * sizeof *t.packed);
    assert_true(t.c && t.plain && t.packed);
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

static float a_at(const product_half *p, size_t i, size_t k)
{
    return widen(p->a.columns ? p->a.at[k * p->a.ld + i] : p->a.at[i * p->a.ld + k]);
}

static float b_at(const product_half *p, size_t j, size_t k)
{
    return widen(p->b.columns ? p->b.at[k * p->b.ld + j] : p->b.at[j * p->b.ld + k]);
}

static void clear(float *c, size_t n)
{
    for (size_t i = 0; i < n; i++) c[i] = untouched;
}

/* The product by the definition: of each pair the second first. */
static void define(const tried *t)
{
    const product_half *p = &t->p;
    clear(t->plain, t->numbers);
    for (size_t i = 0; i < p->m; i++)
        for (size_t j = 0; j < p->n; j++) {
            float sum = 0;
            for (size_t k = 0; k < (p->k + 1) / 2 * 2; k++)
                if ((k ^ 1) < p->k) sum = fmaf(a_at(p, i, k ^ 1), b_at(p, j, k ^ 1), sum);
            t->plain[i * p->ldc + j] = sum;
        }
}

static void compare(const tried *t, bool to_the_bit)
{
    const product_half *p = &t->p;
    if (to_the_bit) {
        assert_memory_equal(t->c, t->plain, t->numbers * sizeof *t->c);
        return;
    }
    for (size_t i = 0; i < p->m; i++)
        for (size_t j = 0; j < p->n; j++) {
            double size = 0;
            for (size_t k = 0; k < p->k; k++) size += fabs((double)a_at(p, i, k) * (double)b_at(p, j, k));
            assert_true(fabs((double)t->c[i * p->ldc + j] - (double)t->plain[i * p->ldc + j]) <=
                        0x1p-23 * (double)(p->k + 1) * size);
        }
}

static void run(const tried *t, product_half p, bool to_the_bit)
{
    clear(t->c, t->numbers);
    p.c = t->c;
    product_half_run(&p);
    compare(t, to_the_bit);
}

/* Nothing packed, B packed, A packed. */
static void try_kernel(const tried *t, const product_half_kernel *kernel)
{
    product_half p = t->p;
    bool to_the_bit = strcmp(kernel->word, "amx") != 0;
    p.kernel = kernel;
    run(t, p, to_the_bit);
    product_half_pack(kernel, t->p.b, p.n, p.k, t->packed);
    p.b = (product_half_operand){.panels = t->packed};
    run(t, p, to_the_bit);
    p.b = t->p.b;
    product_half_pack(kernel, t->p.a, p.m, p.k, t->packed);
    p.a = (product_half_operand){.panels = t->packed};
    run(t, p, to_the_bit);
}

static void try_shape(dq_rng *rng, size_t m, size_t n, size_t k)
{
    for (unsigned form = 0; form < 4; form++) {
        tried t = draw(rng, m, n, k, form);
        define(&t);
        for (const product_half_kernel *const *kernel = product_half_kernels; *kernel; kernel++)
            if ((*kernel)->has()) try_kernel(&t, *kernel);
#ifdef __x86_64__
        if (product_avx2.has()) try_kernel(&t, &emulated_amx); /* which transposes by AVX2 */
#endif
        release(&t);
    }
}

static void kernels_agree_at_every_edge(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 3, 7, 15, 16, 17, 31, 32, 33};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    dq_rng rng = dq_rng_new(1);
    for (size_t m = 0; m < SIZES; m++)
        for (size_t n = 0; n < SIZES; n++)
            try_shape(&rng, sizes[m], sizes[n], sizes[(m * 7 + n * 3) % SIZES]);
}

/* Where blocks end: in rows, in lanes, in depth. */
static void kernels_agree_around_blocks(void **state)
{
    (void)state;
    static const size_t shapes[][3] = {{129, 40, 64}, {40, 129, 65}, {130, 131, 31},
                                       {5, 33, 1024}, {5, 33, 1025}, {3, 5, 4200}};
    dq_rng rng = dq_rng_new(3);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        try_shape(&rng, shapes[i][0], shapes[i][1], shapes[i][2]);
}

static void rounding_is_to_nearest_even(void **state)
{
    (void)state;
    static const struct {
        uint32_t from;
        uint16_t to;
    } cases[] = {{0x3f800000, 0x3f80}, {0x3f808000, 0x3f80}, {0x3f818000, 0x3f82}, {0x3f808001, 0x3f81},
                 {0xbf80ffff, 0xbf81}, {0x7f7fffff, 0x7f80}, {0xff800000, 0xff80}, {0x80000000, 0x8000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float x;
        uint16_t half;
        memcpy(&x, &cases[i].from, sizeof x);
        dq_bf16_round(&half, &x, 1);
        assert_int_equal(half, cases[i].to);
    }
    uint16_t half;
    uint32_t odd = 0x7f800001; /* a signalling NaN whose bits are all in the lower half */
    float x;
    memcpy(&x, &odd, sizeof x);
    dq_bf16_round(&half, &x, 1);
    assert_true(isnan(widen(half)));
}

typedef struct seen {
    size_t n;
    float *c;
    unsigned *times;
} seen;

static void see(void *arg, float *c, size_t ldc, size_t row, size_t rows, size_t column, size_t columns)
{
    seen *s = arg;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            s->c[(row + i) * s->n + column + j] = c[i * ldc + j];
            s->times[(row + i) * s->n + column + j]++;
        }
}

static void epilogues_see_each_number_once(void **state)
{
    (void)state;
    enum { M = 140, N = 150, K = 40 };
    dq_rng rng = dq_rng_new(5);
    for (unsigned form = 0; form < 4; form++) {
        tried t = draw(&rng, M, N, K, form);
        seen all = {N, malloc(M * N * sizeof(float)), calloc(M * N, sizeof(unsigned))};
        const dq_epilogue epilogue = {see, &all};
        product_half p = t.p;
        p.kernel = &product_half_plain;
        p.epilogue = &epilogue;
        product_half_run(&p);
        define(&t);
        clear(t.c, t.numbers);
        for (size_t i = 0; i < M; i++) memcpy(t.c + i * t.p.ldc, all.c + i * N, N * sizeof(float));
        compare(&t, true);
        for (size_t i = 0; i < M * N; i++) assert_int_equal(all.times[i], 1);
        free(all.c);
        free(all.times);
        release(&t);
    }
}

static void the_public_products_are_these(void **state)
{
    (void)state;
    enum { M = 20, N = 70, K = 50 };
    dq_rng rng = dq_rng_new(6);
    for (unsigned form = 0; form < 4; form++) {
        tried t = draw(&rng, M, N, K, form);
        const product_half *p = &t.p;
        bool to_the_bit = strcmp(dq_bf16_core(), "AMX") != 0;
        if (form == 1) { /* (columns, rows) has no name */
            release(&t);
            continue;
        }
        define(&t);
        clear(t.c, t.numbers);
        assert_true(dq_packed_bf16(N, K) <= (N + 64) * (K + 64));
        if (form == 0) {
            dq_pack_rows_bf16(M, K, p->a.at, p->a.ld, t.packed);
            dq_gemm_packed_batch_bf16(M, N, K, t.packed, p->b.at, p->b.ld, t.c, p->ldc, NULL);
        } else if (form == 2) {
            dq_gemm_nn_bf16(M, N, K, p->a.at, p->a.ld, p->b.at, p->b.ld, t.c, p->ldc, NULL);
        } else {
            dq_pack_columns_bf16(N, K, p->b.at, p->b.ld, t.packed);
            dq_gemm_packed_tn_bf16(M, N, K, p->a.at, p->a.ld, t.packed, t.c, p->ldc, NULL);
        }
        compare(&t, to_the_bit);
        release(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_agree_at_every_edge),   cmocka_unit_test(kernels_agree_around_blocks),
        cmocka_unit_test(rounding_is_to_nearest_even),   cmocka_unit_test(epilogues_see_each_number_once),
        cmocka_unit_test(the_public_products_are_these),
    };
    dq_pool_enter();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
