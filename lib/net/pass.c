/* SPDX-License-Identifier: MIT
 *
 * Passes through the layers of a network.
 */
#include "net/net_impl.h"

#include <string.h>

/* x, or what of it is not zero, from state_at. */
static void take_states(dq_net *net)
{
    size_t width = net->spec.input;
    if (net->spec.sparse)
        net_nonzero_find(&net->nonzero, net->state_at, net->states, width);
    else
        for (size_t s = 0; s < net->states; s++)
            memcpy(net->x + s * width, net->state_at[s], width * sizeof *net->x);
}

void net_begin_states(dq_net *net, const float *const *states, size_t n)
{
    net->states = n;
    for (size_t s = 0; s < n; s++) net->state_at[s] = states[s];
    take_states(net);
}

/* The distinct vectors of actions side by side. */
static void take_actions(dq_net *net)
{
    size_t width = net->spec.action_width;
    if (!net_on_pairs(net) || net->spec.one_hot) return;
    for (size_t a = 0; a < net->action_slots.count; a++)
        memcpy(net->x_actions + a * width, net->given.actions.at[net->action_slots.distinct[a]],
               width * sizeof *net->x_actions);
}

/* Rows are dropped by one generator each. */
static void drop_rows(const dq_net *net, float *x, size_t rows, size_t width, uint64_t first)
{
    uint16_t draws[NET_COLUMNS];
    for (size_t r = 0; r < rows; r++, x += width) {
        dq_rng rng = dq_rng_stream(net->seed, first + r);
        for (size_t i = 0; i < width; i += NET_COLUMNS) {
            size_t n = net_min(NET_COLUMNS, width - i);
            dq_dropout_draw(draws, n, &rng);
            for (size_t j = 0; j < n; j++)
                x[i + j] *= draws[j] >= net->input_dropout.cut ? net->input_dropout.scale : 0;
        }
    }
}

static void drop_inputs(dq_net *net)
{
    const uint64_t states = (uint64_t)1 << 62, actions = (uint64_t)3 << 62; /* layers' are below */
    if (!net->training || net->input_dropout.cut == 0) return;
    drop_rows(net, net->x, net->states, net->spec.input, states);
    if (net_on_pairs(net) && !net->spec.one_hot)
        drop_rows(net, net->x_actions, net->action_slots.count, net->spec.action_width, actions);
}

/* The rows' states in order: of pairs the distinct ones. */
static void find_states(dq_net *net, const dq_net_rows *rows)
{
    const net_slots *slots = &net->state_slots;
    bool distinct = net_on_pairs(net) && rows->state;
    net->states = net->rows;
    if (rows->grid) {
        net->states = net->rows / rows->grid;
        for (size_t s = 0; s < net->states; s++)
            net->state_at[s] = rows->states.at[rows->state ? rows->state[s] : s];
        return;
    }
    if (distinct) {
        net_slots_find(&net->state_slots, rows->state, rows->rows);
        net->states = slots->count;
    } else if (net_on_pairs(net)) {
        net_slots_count(&net->state_slots, rows->rows);
    }
    for (size_t s = 0; s < net->states; s++) {
        size_t number = distinct ? slots->distinct[s] : rows->state ? rows->state[s] : s;
        net->state_at[s] = rows->states.at[number];
    }
}

void net_begin(dq_net *net, const dq_net_rows *rows)
{
    net->given = *rows;
    net->rows = rows->rows;
    find_states(net, rows);
    if (rows->grid)
        net_slots_grid(&net->state_slots, &net->action_slots, rows->action, net->states, rows->grid);
    else if (net_on_pairs(net))
        net_slots_find(&net->action_slots, rows->action, rows->rows);
    take_states(net);
}

void net_forward_states(dq_net *net)
{
    net->training = false;
    for (net_layer *l = net->layers; l < net->layers + net->layer_count; l++)
        if (!l->pairs && !l->of_actions) l->kind->forward(net, l);
}

const float *dq_net_forward(dq_net *net, const dq_net_rows *rows, dq_rng *rng)
{
    net->training = rng != NULL;
    if (rng && (net->dropout.cut > 0 || net->input_dropout.cut > 0)) net->seed = dq_rng_u64(rng);
    if (net->training) net_round_weights(net);
    net_begin(net, rows);
    take_actions(net);
    drop_inputs(net);
    for (net_layer *l = net->layers; l < net->layers + net->layer_count; l++) l->kind->forward(net, l);
    return net_last(net)->y;
}

void net_backward_inputs(dq_net *net, const float *dy)
{
    net_layer *last = net_last(net);
    memcpy(last->dy, dy, net_outputs(net) * sizeof *dy);
    for (net_layer *l = last; l >= net->layers; l--)
        if (l->kind->input && net_input_gradient(net, l)) l->kind->input(net, l);
}
