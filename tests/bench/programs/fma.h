/* SPDX-License-Identifier: MIT
 *
 * The multiply-adds of float32 that a core does in registers, by the widest instruction that it has: the peak
 * that products are compared with.
 */
#ifndef DQ_BENCH_FMA_H
#define DQ_BENCH_FMA_H

#include <math.h>
#include <stddef.h>

enum { FMA_CHAINS = 12 };

typedef struct fma_loop {
    float (*run)(size_t turns); /* what it returns keeps it from being left out */
    double operations;          /* of a turn, a multiply-add counting as two */
} fma_loop;

/* FMA_CHAINS sums that do not wait for each other hide the latency of a multiply-add. */
#define FMA_LOOP(name, attribute, vector, width, fma)                                                        \
    attribute static float name(size_t turns)                                                                \
    {                                                                                                        \
        vector sum[FMA_CHAINS], a, b;                                                                        \
        float all = 0;                                                                                       \
        for (int i = 0; i < (width); i++) a[i] = 0.999F, b[i] = 1e-3F;                                       \
        for (int c = 0; c < FMA_CHAINS; c++) sum[c] = a;                                                     \
        for (size_t i = 0; i < turns; i++)                                                                   \
            for (int c = 0; c < FMA_CHAINS; c++) sum[c] = fma(sum[c], a, b);                                 \
        for (int c = 0; c < FMA_CHAINS; c++) all += sum[c][0];                                               \
        return all;                                                                                          \
    }

#ifdef __x86_64__
#include <immintrin.h>
FMA_LOOP(fma_512, __attribute__((target("avx512f"))), __m512, 16, _mm512_fmadd_ps)
FMA_LOOP(fma_256, __attribute__((target("avx2,fma"))), __m256, 8, _mm256_fmadd_ps)
#endif

typedef float fma_vector __attribute__((vector_size(16)));

static inline fma_vector fma_four(fma_vector x, fma_vector a, fma_vector b)
{
    for (int i = 0; i < 4; i++) x[i] = fmaf(x[i], a[i], b[i]);
    return x;
}
FMA_LOOP(fma_128, , fma_vector, 4, fma_four)

static inline fma_loop fma_widest(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f")) return (fma_loop){fma_512, 2.0 * FMA_CHAINS * 16};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return (fma_loop){fma_256, 2.0 * FMA_CHAINS * 8};
#endif
    return (fma_loop){fma_128, 2.0 * FMA_CHAINS * 4};
}

#endif
