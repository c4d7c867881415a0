/* SPDX-License-Identifier: MIT */
#include "net/net_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static dq_status check_spec(const dq_net_spec *spec, size_t max_rows, dq_error *error)
{
    if (spec->user_width == 0 || spec->item_width == 0)
        return dq_fail(error, DQ_ERR_RANGE,
                       "a network needs vectors of users and of items (widths %u and %u)", spec->user_width,
                       spec->item_width);
    if (spec->hidden_count < 1 || spec->hidden_count > DQ_NET_MAX_HIDDEN)
        return dq_fail(error, DQ_ERR_RANGE, "a network has 1 to %d hidden layers, not %u", DQ_NET_MAX_HIDDEN,
                       spec->hidden_count);
    for (uint32_t l = 0; l < spec->hidden_count; l++)
        if (spec->hidden[l] == 0) return dq_fail(error, DQ_ERR_RANGE, "hidden layer %u has no units", l + 1);
    if (!(spec->dropout >= 0 && spec->dropout < 1))
        return dq_fail(error, DQ_ERR_RANGE, "dropout is in [0, 1), not %g", spec->dropout);
    if (spec->match_count > DQ_NET_MAX_MATCHES)
        return dq_fail(error, DQ_ERR_RANGE, "a network has at most %d matches, not %u", DQ_NET_MAX_MATCHES,
                       spec->match_count);
    for (const dq_pairing *m = spec->matches; m < spec->matches + spec->match_count; m++)
        if (m->width == 0 || (uint64_t)m->user_offset + m->width > spec->user_width ||
            (uint64_t)m->item_offset + m->width > spec->item_width)
            return dq_fail(error, DQ_ERR_RANGE, "a match of ranges outside the vectors");
    if (max_rows == 0) return dq_fail(error, DQ_ERR_RANGE, "a batch has no rows");
    return DQ_OK;
}

static void lay_out(dq_net *net)
{
    const dq_net_spec *spec = &net->spec;
    size_t in = (size_t)spec->user_width + spec->item_width + spec->match_count;
    net->layers = spec->hidden_count + 1;
    for (size_t l = 0; l < net->layers; l++) {
        net->in[l] = in;
        net->out[l] = l < spec->hidden_count ? spec->hidden[l] : 1;
        net->weight_at[l] = net->count;
        net->bias_at[l] = net->count + net->out[l] * in;
        net->count = net->bias_at[l] + net->out[l];
        in = net->out[l];
    }
}

/* rows * width zeroed floats; *ok turns false when memory is short. */
static float *floats(dq_net *net, size_t rows, size_t width, bool *ok)
{
    float *p = dq_arena_zero(&net->arena, rows * width, sizeof *p);
    if (!p) *ok = false;
    return p;
}

static bool allocate_scratch(dq_net *net, size_t widest, size_t widest_in)
{
    bool ok = true;
    unsigned threads = dq_pool_threads(net->pool);
    net->scratch = dq_arena_zero(&net->arena, threads, sizeof *net->scratch);
    if (!net->scratch) return false;
    for (unsigned t = 0; t < threads; t++)
        net->scratch[t] = (net_scratch){.x = floats(net, NET_TILE, net->spec.item_width, &ok),
                                        .z = floats(net, NET_TILE, net->out[0], &ok),
                                        .a = floats(net, NET_TILE, widest, &ok),
                                        .b = floats(net, NET_TILE, widest, &ok),
                                        .matches = floats(net, NET_TILE, net->spec.match_count, &ok),
                                        .gradient = floats(net, NET_GRADIENT, widest_in, &ok)};
    return ok;
}

static bool allocate(dq_net *net)
{
    bool ok = true;
    size_t rows = net->max_rows, most = rows > NET_CHUNK ? rows : NET_CHUNK, widest = 0, widest_in = 0;
    net->weights = floats(net, net->count, 1, &ok);
    net->m = floats(net, net->count, 1, &ok);
    net->v = floats(net, net->count, 1, &ok);
    net->x_users = floats(net, rows, net->spec.user_width, &ok);
    net->x_items = floats(net, rows, net->spec.item_width, &ok);
    net->x_matches = floats(net, rows, net->spec.match_count, &ok);
    net->z_users = floats(net, most, net->out[0], &ok);
    net->z_items = floats(net, most, net->out[0], &ok);
    net->dz_users = floats(net, rows, net->out[0], &ok);
    net->dz_items = floats(net, rows, net->out[0], &ok);
    for (size_t l = 0; l < net->layers; l++) {
        net->h[l] = floats(net, rows, net->out[l], &ok);
        net->dz[l] = floats(net, rows, net->out[l], &ok);
        net->bias_grad[l] = floats(net, net->out[l], 1, &ok);
        if (net->out[l] > widest) widest = net->out[l];
        if (net->in[l] > widest_in) widest_in = net->in[l];
    }
    net->y = floats(net, most, 1, &ok);
    net->dy = floats(net, most, 1, &ok);
    return ok && net_slots_init(&net->users, most, &net->arena) &&
           net_slots_init(&net->items, most, &net->arena) && allocate_scratch(net, widest, widest_in);
}

/* Weights and biases of a layer, uniform in +-1/sqrt(fan in): PyTorch's nn.Linear. */
static void draw_weights(dq_net *net, dq_rng *rng)
{
    for (size_t l = 0; l < net->layers; l++) {
        double bound = 1 / sqrt((double)net->in[l]);
        for (size_t i = net->weight_at[l]; i < net->bias_at[l] + net->out[l]; i++)
            net->weights[i] = (float)(bound * (2 * dq_rng_uniform(rng) - 1));
    }
}

dq_status dq_net_new(dq_net **out, const dq_net_spec *spec, size_t max_rows, dq_pool *pool, dq_rng *rng,
                     dq_error *error)
{
    *out = NULL;
    dq_status status = check_spec(spec, max_rows, error);
    if (status != DQ_OK) return status;
    dq_net *net = calloc(1, sizeof *net);
    if (!net) return dq_fail(error, DQ_ERR_MEMORY, "no memory for a network");
    net->spec = *spec;
    net->pool = pool;
    net->max_rows = max_rows;
    net->dropout = dq_dropout_new(spec->dropout);
    lay_out(net);
    if (!allocate(net)) {
        size_t count = net->count;
        dq_net_free(net);
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for a network of %zu weights", count);
    }
    draw_weights(net, rng);
    *out = net;
    return DQ_OK;
}

void dq_net_free(dq_net *net)
{
    if (!net) return;
    dq_arena_free(&net->arena);
    free(net);
}

const dq_net_spec *dq_net_get_spec(const dq_net *net)
{
    return &net->spec;
}

void dq_net_copy(dq_net *to, const dq_net *from)
{
    memcpy(to->weights, from->weights, to->count * sizeof *to->weights);
}

size_t dq_net_count(const dq_net *net)
{
    return net->count;
}

float *dq_net_weights(dq_net *net)
{
    return net->weights;
}

float *dq_net_moment1(dq_net *net)
{
    return net->m;
}

float *dq_net_moment2(dq_net *net)
{
    return net->v;
}

uint64_t *dq_net_steps(dq_net *net)
{
    return &net->steps;
}
