/* SPDX-License-Identifier: MIT */
#include "net/net.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 1024 };

static void predict_block(dq_net *const *nets, size_t count, const dq_vectors *users, const dq_vectors *items,
                          const uint32_t *user, const uint32_t *item, float *mean, float *sd, size_t n)
{
    double means[BLOCK] = {0}, squares[BLOCK] = {0};
    float out[BLOCK];
    for (size_t m = 0; m < count; m++) {
        dq_net_predict(nets[m], users, items, user, item, out, n);
        for (size_t i = 0; i < n; i++) { /* Welford's way: no difference of large squares */
            double away = (double)out[i] - means[i];
            means[i] += away / (double)(m + 1);
            squares[i] += away * ((double)out[i] - means[i]);
        }
    }
    for (size_t i = 0; i < n; i++) {
        mean[i] = (float)means[i];
        sd[i] = (float)sqrt(squares[i] / (double)count);
    }
}

void dq_net_predict_ensemble(dq_net *const *nets, size_t count, const dq_vectors *users,
                             const dq_vectors *items, const uint32_t *user, const uint32_t *item, float *mean,
                             float *sd, size_t rows)
{
    if (count == 1) {
        dq_net_predict(nets[0], users, items, user, item, mean, rows);
        memset(sd, 0, rows * sizeof *sd);
        return;
    }
    for (size_t i = 0; i < rows; i += BLOCK)
        predict_block(nets, count, users, items, user + i, item + i, mean + i, sd + i,
                      rows - i < BLOCK ? rows - i : BLOCK);
}
