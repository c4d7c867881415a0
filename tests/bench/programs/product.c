/* SPDX-License-Identifier: MIT
 *
 * GFLOP/s of the products of a learning step, on one thread, by each kernel that this CPU has, packing
 * included, and those of fused multiply-adds in registers alone. One JSON object: {kernel: {product:
 * GFLOP/s}, "peak": ...}.
 *
 *     product ROUNDS
 *
 * Kernels and products take turns, ROUNDS times; each figure is the best of them, by the thread's own CPU
 * time.
 */
#include "fma.h"
#include "seconds.h"

#include "math/blas.h"
#include "math/product/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KERNELS = 8,
    WEIGHTS = 3 << 20,
    ROWS = 512,
    WIDEST = 2304,
    TILE = 128,
    UNITS = 64,
    LEAST = 20,
    TURNS = 1 << 20
};

/* A layer's product, of so many rows, `out` units and `in` inputs. */
typedef struct shape {
    enum { FORWARD, INPUTS, GRADIENT } way;
    size_t rows, out, in;
} shape;

static const shape shapes[] = {
    {FORWARD, 64, 1024, 1536},  {FORWARD, 64, 512, 1024},   {FORWARD, 64, 256, 512},
    {FORWARD, 320, 1024, 1536}, {FORWARD, 320, 1024, 2304}, {FORWARD, 320, 256, 512},
    {INPUTS, 64, 512, 1024},    {INPUTS, 64, 256, 512},     {INPUTS, 320, 512, 1024},
    {GRADIENT, 64, 1024, 1536}, {GRADIENT, 64, 512, 1024},  {GRADIENT, 64, 256, 512},
    {GRADIENT, 320, 512, 1024},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static float *x, *w, *y, *packed;

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* y = x W', the batch packed once for all tiles of units. */
static void forward(const product_kernel *kernel, const shape *s)
{
    product_operand batch = {.at = x, .ld = s->in};
    product_pack(kernel, batch, s->rows, s->in, packed);
    for (size_t u = 0; u < s->out; u += TILE) {
        product p = {.kernel = kernel,
                     .m = s->rows,
                     .n = least(TILE, s->out - u),
                     .k = s->in,
                     .a = {.panels = packed},
                     .b = {.at = w + u * s->in, .ld = s->in},
                     .c = y + u,
                     .ldc = s->out};
        product_run(&p);
    }
}

/* dx = dy W, in tiles of inputs. */
static void inputs(const product_kernel *kernel, const shape *s)
{
    for (size_t c = 0; c < s->in; c += TILE) {
        product p = {.kernel = kernel,
                     .m = s->rows,
                     .n = least(TILE, s->in - c),
                     .k = s->out,
                     .a = {.at = x, .ld = s->out},
                     .b = {.at = w + c, .ld = s->in, .columns = true},
                     .c = y + c,
                     .ldc = s->in};
        product_run(&p);
    }
}

static void leave(void *arg, float *c, size_t ldc, size_t row, size_t rows, size_t column, size_t columns)
{
    (void)arg, (void)c, (void)ldc, (void)row, (void)rows, (void)column, (void)columns;
}

/* dW = dy' x, in tiles of units, handed over block by block; x packed once. */
static void gradient(const product_kernel *kernel, const shape *s)
{
    static const dq_epilogue epilogue = {leave, NULL};
    product_operand batch = {.at = x, .ld = s->in, .columns = true};
    product_pack(kernel, batch, s->in, s->rows, packed);
    for (size_t u = 0; u < s->out; u += UNITS) {
        product p = {.kernel = kernel,
                     .m = least(UNITS, s->out - u),
                     .n = s->in,
                     .k = s->rows,
                     .a = {.at = y + u, .ld = s->out, .columns = true},
                     .b = {.panels = packed},
                     .epilogue = &epilogue};
        product_run(&p);
    }
}

static double rate(const product_kernel *kernel, const shape *s)
{
    static void (*const ways[])(const product_kernel *, const shape *) = {forward, inputs, gradient};
    double flops = 2.0 * (double)s->rows * (double)s->out * (double)s->in,
           begun = seconds(CLOCK_THREAD_CPUTIME_ID);
    size_t times = (size_t)(LEAST * 100e6 / flops) + 1;
    for (size_t i = 0; i < times; i++) ways[s->way](kernel, s);
    return a_second((double)times * flops, seconds(CLOCK_THREAD_CPUTIME_ID) - begun) * 1e-9;
}

static volatile float kept; /* what is computed for its time alone */

static double peak(void)
{
    const fma_loop widest = fma_widest();
    double begun = seconds(CLOCK_THREAD_CPUTIME_ID);
    kept = widest.run(TURNS);
    return a_second(widest.operations * TURNS, seconds(CLOCK_THREAD_CPUTIME_ID) - begun) * 1e-9;
}

static double most(double a, double b)
{
    return a > b ? a : b;
}

static float *floats(size_t n)
{
    float *a = aligned_alloc(64, n * sizeof *a);
    if (!a) exit(1);
    for (size_t i = 0; i < n; i++) a[i] = (float)(i * 7919 % 1009) / 1009 - 0.5F;
    return a;
}

static void print(const product_kernel *kernel, const double *rates)
{
    static const char *const ways[] = {"forward", "inputs", "gradient"};
    printf("\"%s\": {", kernel == &product_openblas ? product_openblas_core() : kernel->name);
    for (size_t i = 0; i < SHAPES; i++)
        printf("%s\"%s %zu x %zu x %zu\": %.1f", i ? ", " : "", ways[shapes[i].way], shapes[i].rows,
               shapes[i].in, shapes[i].out, rates[i]);
    printf("}, ");
}

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    double rates[KERNELS][SHAPES] = {0}, fma = 0;
    x = floats(ROWS * WIDEST);
    w = floats(WEIGHTS);
    y = floats(ROWS * WIDEST);
    packed = floats(WEIGHTS);
    for (int round = atoi(argv[1]); round > 0; round--) {
        fma = most(fma, peak());
        for (size_t i = 0; i < SHAPES; i++)
            for (size_t k = 0; product_kernels[k]; k++)
                if (product_kernels[k] != &product_plain && product_kernels[k]->has())
                    rates[k][i] = most(rates[k][i], rate(product_kernels[k], &shapes[i]));
    }
    printf("{");
    for (size_t k = 0; product_kernels[k]; k++)
        if (rates[k][0] > 0) print(product_kernels[k], rates[k]);
    printf("\"peak\": %.1f}\n", fma);
    return 0;
}
