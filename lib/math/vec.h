/* SPDX-License-Identifier: MIT
 *
 * Loops over runs of float32: what a dense layer needs besides products. Sums run in 16 fixed lanes, folded
 * in one order, so that a result does not depend on the width of the CPU's vectors.
 */
#ifndef DQ_MATH_VEC_H
#define DQ_MATH_VEC_H

#include "core/rng.h"

#include <stddef.h>
#include <stdint.h>

float dq_vec_dot(const float *a, const float *b, size_t n);
/* out[i * stride] = dq_vec_dot(a, rows[i], n) for i < count, to the same bits and faster. */
void dq_vec_dots(const float *a, const float *const *rows, size_t count, size_t n, float *out, size_t stride);
/* to[i] += from[i] */
void dq_vec_add(float *to, const float *from, size_t n);
/* to[i] += scale * from[i] */
void dq_vec_add_scaled(float *to, const float *from, float scale, size_t n);
/* to[i] += scales[r] * rows[r][i] for r = 0 .. count - 1, to the bits that count calls of dq_vec_add_scaled
 * give, and faster: `to` stays in registers. No row is `to`. */
void dq_vec_add_rows(float *to, const float *const *rows, const float *scales, size_t count, size_t n);
/* to[i] *= scale */
void dq_vec_scale(float *to, float scale, size_t n);
/* to = from / |from|; zeros stay zeros. Sums in double. */
void dq_vec_unit(float *to, const float *from, size_t n);
/* to[i] += tau * (from[i] - to[i]) */
void dq_vec_soft_update(float *to, const float *from, float tau, size_t n);
/* True when no element is NaN or infinite. */
int dq_vec_finite(const float *a, size_t n);

/* Dropout in 16-bit steps. An element is kept when its draw is at least `cut`, and then scaled by `scale`, so
 * that the mean stays ("inverted"). */
typedef struct dq_dropout {
    uint16_t cut; /* p in 1/65536; 0: all are kept, nothing is drawn */
    float scale;  /* 1 / (1 - p), of the p that cut is */
} dq_dropout;

/* Probability 0 <= p < 1, rounded to a multiple of 2^-16; less than half of that drops nothing. */
dq_dropout dq_dropout_new(double p);
/* n uniform 16-bit draws. */
void dq_dropout_draw(uint16_t *draws, size_t n, dq_rng *rng);

/* h[i] = drop(relu(a[i] + b[i] + bias[i])); b may be NULL (no such term), draws may be NULL (no dropout). h
 * may be a. */
void dq_vec_activate(float *h, const float *a, const float *b, const float *bias, const uint16_t *draws,
                     dq_dropout dropout, size_t n);
/* h[i] = relu(a[i] + shift); h may be a. */
void dq_vec_shift_relu(float *h, const float *a, float shift, size_t n);
/* to[i] *= from[i] */
void dq_vec_multiply(float *to, const float *from, size_t n);
/* The way back: dh[i] = h[i] > 0 ? dh[i] * scale : 0. An activation is positive just where the unit was
 * active and kept, so no mask is stored. */
void dq_vec_gate(float *dh, const float *h, float scale, size_t n);

#endif
