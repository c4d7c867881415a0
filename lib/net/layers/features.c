/* SPDX-License-Identifier: MIT
 *
 * The features of pairs, m = [cosines | given]: they have no weights, and are of whole vectors, whatever
 * dropout leaves of these. On a grid of states and actions each cosine is one product of unit vectors.
 */
#include "net/net_impl.h"

#include "core/buffers.h"
#include "math/blas.h"

#include <string.h>

typedef struct features {
    size_t widest;          /* range of a cosine */
    float *states, *acted;  /* (max_states, widest), (max_acted, widest) ranges, of unit length */
    float *product;         /* (max_pairs of a pass) */
    const dq_pairing *pair; /* the cosine under way, */
    uint32_t number;        /* its number */
} features;

static float scale_of(const dq_net *net)
{
    return net->spec.feature_scale == 0 ? 1 : (float)net->spec.feature_scale;
}

static bool features_allocate(dq_net *net, net_layer *layer)
{
    features *f = layer->own = dq_arena_zero(&net->arena, 1, sizeof *f);
    if (!f) return false;
    for (uint32_t i = 0; i < net->spec.feature_count; i++)
        if (net->spec.features[i].width > f->widest) f->widest = net->spec.features[i].width;
    const dq_buffer buffers[] = {
        DQ_BUFFER(f->states, net->max_trained * f->widest),
        DQ_BUFFER(f->acted, net->max_acted * f->widest),
        DQ_BUFFER(f->product, f->widest ? net->max_rows : 0),
    };
    return dq_buffers_take(&net->arena, buffers, DQ_BUFFERS(buffers));
}

void net_features_of(const dq_net *net, const float *state, const float *actions, size_t stride,
                     const float *given, size_t n, float *to, size_t to_stride)
{
    const dq_net_spec *s = &net->spec;
    float scale = scale_of(net);
    for (uint32_t f = 0; f < s->feature_count; f++) {
        dq_cosine_block(state, actions, stride, n, &s->features[f], 1, to + f * to_stride);
        if (scale != 1) dq_vec_scale(to + f * to_stride, scale, n);
    }
    to += s->feature_count * to_stride;
    for (uint32_t g = 0; g < s->given; g++)
        for (size_t i = 0; i < n; i++) to[g * to_stride + i] = given[i * s->given + g];
}

/* ---- rows that name their pairs ---- */

static void rows_tile(const dq_net *net, const net_layer *l, size_t from, size_t n)
{
    const net_slots *actions = &net->action_slots;
    for (size_t r = from; r < from + n; r++) {
        const float *action = net->given.actions.at[actions->distinct[actions->of_row[r]]];
        const float *given = net->spec.given ? net->given.features + r * net->spec.given : NULL;
        net_features_of(net, net->state_at[net->state_slots.of_row[r]], action, 0, given, 1,
                        l->y + r * l->out, 1);
    }
}

/* ---- a grid ---- */

/* Column `number` of m for some states, with all actions of the grid. */
static void grid_tile(const dq_net *net, const net_layer *l, size_t from, size_t n)
{
    const features *f = l->own;
    size_t grid = net->given.grid, width = f->pair->width;
    float scale = scale_of(net), *product = f->product + from * grid;
    float *to = l->y + from * grid * l->out + f->number;
    dq_gemm_nt(n, grid, width, f->states + from * width, width, f->acted, width, product, grid);
    for (size_t r = 0; r < n * grid; r++) to[r * l->out] = scale * product[r];
}

static void grid_cosines(dq_net *net, net_layer *layer)
{
    features *f = layer->own;
    size_t grid = net->given.grid;
    for (f->number = 0; f->number < net->spec.feature_count; f->number++) {
        const dq_pairing *p = f->pair = &net->spec.features[f->number];
        for (size_t s = 0; s < net->states; s++)
            dq_vec_unit(f->states + s * p->width, net->state_at[s] + p->user_offset, p->width);
        for (size_t a = 0; a < grid; a++)
            dq_vec_unit(f->acted + a * p->width,
                        net->given.actions.at[net->action_slots.distinct[a]] + p->item_offset, p->width);
        net_run(net, layer, grid_tile, net->states, net->rows * p->width);
    }
}

static void features_forward(dq_net *net, net_layer *layer)
{
    size_t cosines = net->spec.feature_count, given = net->spec.given;
    if (!net->given.grid) {
        size_t work = net->rows * cosines * net_min(net->spec.action_width, net->spec.input);
        net_run(net, layer, rows_tile, net->rows, work);
        return;
    }
    grid_cosines(net, layer);
    for (size_t r = 0; given && r < net->rows; r++)
        memcpy(layer->y + r * layer->out + cosines, net->given.features + r * given, given * sizeof(float));
}

const net_kind net_features = {features_forward, NULL, NULL, features_allocate, NULL};
