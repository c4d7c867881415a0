/* SPDX-License-Identifier: MIT
 *
 * The factored head: y = x + tau cos(P s, R a), as two towers of one layer each (Yi et al.,
 * "Sampling-bias-corrected neural modeling for large corpus item recommendations", 2019, have more). P s is
 * made once a distinct state, R a once a distinct action, and on a grid of them all cosines are one product.
 *
 *     u = P s / |P s|,  v = R a / |R a|,  c = u . v,  tau = e^t
 *     dt = tau sum dy c,  du = tau sum dy v,  d(P s) = (du - u (u . du)) / |P s|,  and likewise for R a
 *
 * Three layers: the two products, which have weights and no biases, and what takes their cosine.
 */
#include "net/net_impl.h"

#include "core/buffers.h"
#include "math/blas.h"

#include <math.h>
#include <string.h>

typedef struct side {
    float *unit;   /* (rows of the projection, k) its outputs of length 1 */
    float *length; /* (rows) */
} side;

typedef struct factored {
    side states, actions;
    float *cosine; /* (max_rows) */
    double slope;  /* of the loss by t */
} factored;

/* ---- the products ---- */

static void states_tile(const dq_net *net, const net_layer *l, size_t c0, size_t width)
{
    net_product(net, l, &l->side, net->states, l->in, c0, width, l->y + c0);
}

static void states_forward(dq_net *net, net_layer *layer)
{
    net_run(net, layer, states_tile, layer->out, net->states * layer->in * layer->out);
}

static void states_gradient(const dq_net *net, const net_layer *l, size_t u0, size_t n, float *weight,
                            float *bias)
{
    (void)bias;
    net_product_gradient(net, l, &l->side, net->states, l->in, l->dy, u0, n, weight);
}

static void actions_tile(const dq_net *net, const net_layer *l, size_t c0, size_t width)
{
    dq_gemm_nt(net->action_slots.count, width, l->in, net->x_actions, l->in,
               net->weights + l->at + c0 * l->in, l->in, l->y + c0, l->out);
}

static void actions_forward(dq_net *net, net_layer *layer)
{
    net_run(net, layer, actions_tile, layer->out, net->action_slots.count * layer->in * layer->out);
}

static void actions_gradient(const dq_net *net, const net_layer *l, size_t u0, size_t n, float *weight,
                             float *bias)
{
    (void)bias;
    dq_gemm_tn(n, l->in, net->action_slots.count, l->dy + u0, l->out, net->x_actions, l->in, weight, l->in);
}

const net_kind net_project_states = {states_forward, NULL, states_gradient, NULL, NULL};
const net_kind net_project_actions = {actions_forward, NULL, actions_gradient, NULL, NULL};

/* ---- the cosine ---- */

float net_factored_scale(const dq_net *net)
{
    return expf(net->weights[net->layers[net->project + 2].at]);
}

static bool factored_allocate(dq_net *net, net_layer *layer)
{
    factored *f = layer->own = dq_arena_zero(&net->arena, 1, sizeof *f);
    size_t k = net->spec.factored;
    if (!f) return false;
    const dq_buffer buffers[] = {
        DQ_BUFFER(f->states.unit, net->max_trained * k),
        DQ_BUFFER(f->states.length, net->max_trained),
        DQ_BUFFER(f->actions.unit, net->max_acted * k),
        DQ_BUFFER(f->actions.length, net->max_acted),
        DQ_BUFFER(f->cosine, net->max_rows),
    };
    return dq_buffers_take(&net->arena, buffers, DQ_BUFFERS(buffers));
}

static void normalise(const side *to, const net_layer *product, size_t rows)
{
    size_t k = product->out;
    for (size_t r = 0; r < rows; r++) {
        const float *x = product->y + r * k;
        float length = sqrtf(dq_vec_dot(x, x, k));
        to->length[r] = length;
        memcpy(to->unit + r * k, x, k * sizeof *x);
        dq_vec_scale(to->unit + r * k, length > 0 ? 1 / length : 0, k);
    }
}

static void grid_tile(const dq_net *net, const net_layer *l, size_t from, size_t n)
{
    const factored *f = l->own;
    size_t k = net->spec.factored, grid = net->given.grid;
    dq_gemm_nt(n, grid, k, f->states.unit + from * k, k, f->actions.unit, k, f->cosine + from * grid, grid);
}

static void find_cosines(dq_net *net, net_layer *layer)
{
    const factored *f = layer->own;
    size_t k = net->spec.factored;
    normalise(&f->states, &net->layers[net->project], net->states);
    normalise(&f->actions, &net->layers[net->project + 1], net->action_slots.count);
    if (net->given.grid) {
        net_run(net, layer, grid_tile, net->states, net->rows * k);
        return;
    }
    for (size_t r = 0; r < net->rows; r++)
        f->cosine[r] = dq_vec_dot(f->states.unit + net->state_slots.of_row[r] * k,
                                  f->actions.unit + net->action_slots.of_row[r] * k, k);
}

static void factored_forward(dq_net *net, net_layer *layer)
{
    const factored *f = layer->own;
    size_t stride;
    const float *x = net_input(net, layer, &stride);
    float tau = net_factored_scale(net);
    find_cosines(net, layer);
    for (size_t r = 0; r < net->rows; r++) layer->y[r] = x[r * stride] + tau * f->cosine[r];
}

/* du and dv, but for tau, into the products' dy. */
static void spread(const dq_net *net, const net_layer *l, float *du, float *dv)
{
    const factored *f = l->own;
    size_t k = net->spec.factored, grid = net->given.grid;
    if (grid) {
        dq_gemm_nn(net->states, k, grid, l->dy, grid, f->actions.unit, k, du, k);
        dq_gemm_tn(grid, k, net->states, l->dy, grid, f->states.unit, k, dv, k);
        return;
    }
    memset(du, 0, net->states * k * sizeof *du);
    memset(dv, 0, net->action_slots.count * k * sizeof *dv);
    for (size_t r = 0; r < net->rows; r++) {
        size_t s = net->state_slots.of_row[r] * k, a = net->action_slots.of_row[r] * k;
        dq_vec_add_scaled(du + s, f->actions.unit + a, l->dy[r], k);
        dq_vec_add_scaled(dv + a, f->states.unit + s, l->dy[r], k);
    }
}

/* From the gradients of unit vectors to those of what they were made of. */
static void through_length(const side *of, float *d, float tau, size_t rows, size_t k)
{
    for (size_t r = 0; r < rows; r++, d += k) {
        const float *unit = of->unit + r * k;
        dq_vec_add_scaled(d, unit, -dq_vec_dot(unit, d, k), k);
        dq_vec_scale(d, of->length[r] > 0 ? tau / of->length[r] : 0, k);
    }
}

static void factored_input(dq_net *net, net_layer *layer)
{
    factored *f = layer->own;
    float tau = net_factored_scale(net);
    float *du = net->layers[net->project].dy, *dv = net->layers[net->project + 1].dy;
    spread(net, layer, du, dv);
    through_length(&f->states, du, tau, net->states, net->spec.factored);
    through_length(&f->actions, dv, tau, net->action_slots.count, net->spec.factored);
    f->slope = 0;
    for (size_t r = 0; r < net->rows; r++) f->slope += (double)layer->dy[r] * (double)f->cosine[r];
    f->slope *= (double)tau;
    memcpy(net_input_gradient(net, layer), layer->dy, net->rows * sizeof *layer->dy);
}

static void factored_gradient(const dq_net *net, const net_layer *l, size_t u0, size_t n, float *weight,
                              float *bias)
{
    (void)net, (void)u0, (void)n, (void)bias;
    *weight = (float)((const factored *)l->own)->slope;
}

const net_kind net_factored = {factored_forward, factored_input, factored_gradient, factored_allocate, NULL};
