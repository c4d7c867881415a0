/* SPDX-License-Identifier: MIT
 *
 * The mean of the history's items: [user | mean | rest].
 */
#include "net/net_impl.h"

#include <string.h>

static void mean_forward(dq_net *net, net_layer *layer)
{
    const dq_net_spec *s = &net->spec;
    size_t user = s->user_width, item = s->item_width, past = s->history * item;
    for (size_t r = 0; r < net->states; r++) {
        const float *x = net->x + r * s->input;
        float *y = layer->y + r * layer->out, *mean = y + user;
        size_t count = 0;
        memcpy(y, x, user * sizeof *y);
        memcpy(mean + item, x + user + past, (s->input - user - past) * sizeof *y);
        memset(mean, 0, item * sizeof *mean);
        for (const float *h = x + user; h < x + user + past; h += item) {
            if (net_empty(h, item)) continue;
            dq_vec_add(mean, h, item);
            count++;
        }
        for (size_t j = 0; j < item && count > 1; j++) mean[j] /= (float)count;
    }
}

const net_kind net_mean = {mean_forward, NULL, NULL, NULL,
                           NULL}; /* it has no weights, and stands on the states */
