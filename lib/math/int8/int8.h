/* SPDX-License-Identifier: MIT
 *
 * Products of 8-bit integers, for a first pass that only finds out who is worth a look in float32: a quarter
 * of the bytes, and up to four times the multiplications an instruction.
 *
 *     y[i] = sum over k of w[i][k] x[k]  ~  w_scale[i] x_scale (sum of W[i][k] X[k] - zero sum of W[i][k])
 *
 * Weights are signed, with a scale a row; activations unsigned, with a scale a row, and around zero = 64
 * where a row may be negative (0 where it may not, behind a ReLU). Weights have 7 bits and activations 7, so
 * that four products fit into 16 bits and eight into the sums of AVX2's pairs: 4 x 127 x 63 = 32004 < 2^15.
 * No sum overflows up to DQ_INT8_MOST, so that integers, and with them all results, are the same on every
 * CPU, in every order.
 *
 * Per-row symmetric scales are those of Jacob et al., Quantization and Training of Neural Networks for
 * Efficient Integer-Arithmetic-Only Inference, CVPR 2018, section 2.1.
 */
#ifndef DQ_MATH_INT8_INT8_H
#define DQ_MATH_INT8_INT8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DQ_INT8_WEIGHT = 63,   /* the greatest weight, either way */
    DQ_INT8_INPUT = 127,   /* the greatest activation */
    DQ_INT8_ZERO = 64,     /* what stands for 0 where activations are of both signs */
    DQ_INT8_PANEL = 16,    /* units side by side */
    DQ_INT8_MOST = 1 << 18 /* numbers of a row at most: 2^18 x 127 x 63 < 2^31 */
};

/* Numbers of a row as products read it: a multiple of 8, zeros behind. */
static inline size_t dq_int8_width(size_t k)
{
    return (k + 7) / 8 * 8;
}

/* Weights packed: (n / 16 panels, width / 4, 16 units, 4 numbers). */
typedef struct dq_int8_weights {
    size_t n, k;
    int8_t *panels; /* aligned to 64 bytes */
    float *scale;   /* (n) */
    int32_t *sum;   /* (n) of each row */
} dq_int8_weights;

/* Bytes of panels for n rows of k. */
size_t dq_int8_packed_bytes(size_t n, size_t k);
/* Quantises and packs rows of finite floats, stride apart; n, k and the three pointers are set, with room.
 * Rows of zeros have the scale 0. */
void dq_int8_pack(dq_int8_weights *weights, const float *rows, size_t stride);
/* One row of k floats into `to` (dq_int8_width(k)); the scale of the whole row. positive: none is below 0.
 * NAN for a row with a number that is not finite: so is then all that dq_int8_finish makes of it. */
float dq_int8_quantise(const float *row, size_t k, bool positive, uint8_t *to);

/* c (m, n) = the sums of products of m rows (width apart, dq_int8_width(k)) with the weights; n columns are
 * written, ldc apart, where ldc is at least n rounded up to a panel. By the kernel of this CPU. */
void dq_int8_product(size_t m, const uint8_t *rows, const dq_int8_weights *weights, int32_t *c, size_t ldc);
/* y (n) = what the sums c of a row mean: x_scale w_scale (c - zero sum) + bias, and a ReLU where `relu`. */
void dq_int8_finish(const int32_t *c, const dq_int8_weights *weights, float x_scale, bool positive,
                    const float *bias, bool relu, float *y);

/* ---- the kernels, for tests ---- */

typedef struct dq_int8_kernel {
    const char *name; /* "VNNI", "AVX2", "plain" */
    bool (*has)(void);
    size_t rows, panels; /* of a tile */
    /* c (rows, 16 panels) = the sums of a tile's rows, 4 k4 bytes apart, with panels that follow each other;
     * k4 is even; rows and panels are the kernel's, or 1. */
    void (*tile)(size_t rows, size_t panels, size_t k4, const uint8_t *a, const int8_t *panel, int32_t *c,
                 size_t ldc);
} dq_int8_kernel;

/* Best first, the plain form last; NULL behind it. */
extern const dq_int8_kernel *const dq_int8_kernels[];
void dq_int8_product_by(const dq_int8_kernel *kernel, size_t m, const uint8_t *rows,
                        const dq_int8_weights *weights, int32_t *c, size_t ldc);

extern const dq_int8_kernel int8_vnni, int8_avx2, int8_plain;

#endif
