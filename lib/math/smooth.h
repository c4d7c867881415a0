/* SPDX-License-Identifier: MIT
 *
 * Smooth activations of runs of float32, to 1e-6 of the exact values. Each number's bits depend on it alone,
 * and not on the width of the CPU's vectors.
 */
#ifndef DQ_MATH_SMOOTH_H
#define DQ_MATH_SMOOTH_H

#include <stddef.h>

/* h[i] = z[i] Phi(z[i]), Phi the normal distribution (Hendrycks and Gimpel, "Gaussian error linear units",
 * 2016), and h[i] = tanh(z[i]). slope (may be NULL) gets the derivatives. h may be z. */
void dq_smooth_gelu(float *h, float *slope, const float *z, size_t n);
void dq_smooth_tanh(float *h, float *slope, const float *z, size_t n);

#endif
