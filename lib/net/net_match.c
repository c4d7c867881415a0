/* SPDX-License-Identifier: MIT
 *
 * The further inputs: cosines of ranges of the user's and the item's vector. They belong to a pair, so they
 * cannot be shared as the rest of the first layer is; they are few, so they need not be.
 */
#include "net/net_impl.h"

#include "math/blas.h"

enum { ROWS = 64 };

typedef struct matching {
    const dq_net *net;
    size_t rows;
} matching;

void net_match(const dq_net *net, const float *user, const float *items, size_t stride, size_t n, float *to,
               size_t to_stride)
{
    for (uint32_t m = 0; m < net->spec.match_count; m++)
        dq_cosine_block(user, items, stride, n, &net->spec.matches[m], 1, to + m * to_stride);
}

static void match_rows(void *arg, size_t tile, unsigned thread)
{
    (void)thread;
    const matching *f = arg;
    const dq_net *net = f->net;
    size_t count = net->spec.match_count, end = net_least((tile + 1) * ROWS, f->rows);
    for (size_t r = tile * ROWS; r < end; r++)
        net_match(net, net->x_users + net->users.of_row[r] * net->spec.user_width,
                  net->x_items + net->items.of_row[r] * net->spec.item_width, 0, 1,
                  net->x_matches + r * count, 1);
}

void net_match_batch(const dq_net *net, size_t rows)
{
    matching f = {.net = net, .rows = rows};
    if (net->spec.match_count) dq_pool_run(net->pool, match_rows, &f, net_tiles(rows, ROWS));
}

const float *net_match_weights(const dq_net *net, size_t unit)
{
    return net->weights + net->weight_at[0] + unit * net->in[0] + net->spec.user_width + net->spec.item_width;
}

void net_match_forward(const dq_net *net, size_t rows, size_t c0, size_t width)
{
    size_t count = net->spec.match_count, out = net->out[0];
    if (!count) return;
    dq_gemm_nt(rows, width, count, net->x_matches, count, net_match_weights(net, c0), net->in[0],
               net->h[0] + c0, out);
    for (size_t r = 0; r < rows; r++)
        dq_vec_add(net->h[0] + r * out + c0, net->z_items + net->items.of_row[r] * out + c0, width);
}

void net_match_gradient(const dq_net *net, size_t rows, size_t o0, size_t n, float *gradient)
{
    size_t count = net->spec.match_count, at = (size_t)net->spec.user_width + net->spec.item_width;
    if (count)
        dq_gemm_tn(n, count, rows, net->dz[0] + o0, net->out[0], net->x_matches, count, gradient + at,
                   net->in[0]);
}
