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

/* The rows' states in order: of pairs the distinct ones. */
static void find_states(dq_net *net, const dq_net_rows *rows)
{
    const net_slots *slots = &net->state_slots;
    bool distinct = net_on_pairs(net) && rows->state;
    net->states = net->rows;
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
    if (net_on_pairs(net)) net_slots_find(&net->action_slots, rows->action, rows->rows);
    take_states(net);
}

void net_forward_states(dq_net *net)
{
    net->training = false;
    for (net_layer *l = net->layers; l < net->layers + net->layer_count; l++)
        if (!l->pairs) l->kind->forward(net, l);
}

const float *dq_net_forward(dq_net *net, const dq_net_rows *rows, dq_rng *rng)
{
    net->training = rng != NULL;
    if (rng && net->dropout.cut > 0) net->seed = dq_rng_u64(rng);
    net_begin(net, rows);
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
