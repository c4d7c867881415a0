/* SPDX-License-Identifier: MIT
 *
 * Losses of a batch of outputs, with their gradients: the mean over n numbers of
 *
 *     mse     (y - t)^2
 *     huber   (y - t)^2 / 2 where |y - t| < delta, else delta (|y - t| - delta / 2)
 *             (Huber, 1964; PyTorch's huber_loss)
 */
#ifndef DQ_NET_LOSS_H
#define DQ_NET_LOSS_H

#include <stddef.h>

typedef enum dq_loss { DQ_LOSS_MSE, DQ_LOSS_HUBER } dq_loss;

/* The loss of y against target; delta > 0 is Huber's, of no meaning to mse; weight (may be NULL: all 1)
 * scales each term, the mean is over n. dy (may be NULL) is the gradient. */
double dq_loss_mean(dq_loss loss, double delta, const float *y, const float *target, const float *weight,
                    size_t n, float *dy);
/* Logistic loss of one logit against a target of 0 or 1, and its slope: log(1 + e^z) - z t (PyTorch's
 * binary_cross_entropy_with_logits). */
double dq_loss_logistic(double logit, double target, double *slope);
/* log sum exp of n numbers; probability (n, may be NULL) gets their softmax. */
double dq_loss_logsumexp(const float *z, size_t n, float *probability);

#endif
