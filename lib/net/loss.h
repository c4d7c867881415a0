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

#include <stdbool.h>
#include <stddef.h>

typedef enum dq_loss {
    DQ_LOSS_MSE,
    DQ_LOSS_HUBER,
    DQ_LOSS_SOFTMAX, /* of lists: */
    DQ_LOSS_PAIRWISE,
} dq_loss;
extern const char *const dq_loss_names[]; /* "mse", "huber", "softmax", "pairwise", NULL */

/* Whether a loss is of lists, not of rows. */
static inline bool dq_loss_of_lists(dq_loss loss)
{
    return loss >= DQ_LOSS_SOFTMAX;
}

/* The loss of one list of n outputs, with grades >= 0 (what is no more than passed over has 0):
 *
 *     softmax    - sum_j g_j log softmax(z)_j / sum_j g_j, z_j = y_j / temperature + offset_j (Cao et al.,
 *                "Learning to rank: from pairwise approach to listwise approach", 2007, top one)
 *     pairwise   the mean over pairs i, j with g_i > g_j of w_j log(1 + e^((y_j - y_i) / temperature)), the
 *                weight w_j = e^offset_j in the mean, too (Burges et al., 2005; Rendle et al., "BPR", 2009)
 *
 * offset_j is 0 for what is in the list by itself, log(1 / q) for what was drawn into it with the chance q
 * (Bengio and Senecal, "Adaptive importance sampling to accelerate training of a neural probabilistic
 * language model", 2008), and -INFINITY for what is not in it. NULL: 0 all over. dy (n; may be NULL) is the
 * gradient times scale. 0, with a gradient of 0, where no grade is above another. scratch: (n). */
double dq_loss_list(dq_loss loss, double temperature, const float *y, const float *grade, const float *offset,
                    size_t n, double scale, float *scratch, float *dy);

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
