/* SPDX-License-Identifier: MIT
 *
 * Adam (Kingma and Ba, 2015), with PyTorch's L2 weight decay, g += decay w; or with decoupled decay, w -=
 * rate decay w (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019), which the gradient's
 * scale does not change.
 *
 *     m = beta1 m + (1 - beta1) g          v = beta2 v + (1 - beta2) g^2
 *     w -= rate / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + eps)
 */
#ifndef DQ_MATH_ADAM_H
#define DQ_MATH_ADAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct dq_adam {
    double rate;              /* 1e-3 */
    double beta1, beta2, eps; /* 0.9, 0.999, 1e-8 */
    double decay;             /* 0 */
    bool decoupled;           /* whose decay this is; a caller spares vectors of it, as is usual */
} dq_adam;

#define DQ_ADAM_DEFAULTS                                                                                     \
    {                                                                                                        \
        .rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8                                              \
    }

/* The numbers of one step, rounded once for all parameters. */
typedef struct dq_adam_step {
    float beta1, rest1, beta2, rest2; /* rest = 1 - beta */
    float step;                       /* rate / (1 - beta1^t) */
    float unbias;                     /* 1 / sqrt(1 - beta2^t) */
    float eps, decay;
    float shrink; /* decoupled: rate decay, and decay is 0 */
} dq_adam_step;

/* t is the number of this step, from 1. */
dq_adam_step dq_adam_begin(const dq_adam *adam, uint64_t t);

/* One pass over n parameters w with moments m, v and gradient g. Returns the sum of g's squares. */
double dq_adam_apply(const dq_adam_step *step, float *w, float *m, float *v, const float *g, size_t n);

/* The same of n parameters w whose gradients have all been g x, of one x (n) and of numbers g: their moments
 * are m x and v x^2, of which m and v alone are kept. To a few roundings what dq_adam_apply makes of them;
 * decay is 0. */
void dq_adam_apply_outer(const dq_adam_step *step, float *w, const float *x, size_t n, float *m, float *v,
                         float g);

#endif
