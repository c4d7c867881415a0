/* SPDX-License-Identifier: MIT
 *
 * Moments of the first layer where there is but one state, as online where one user is served. The gradient
 * of unit o's weights of the state x is then g[o] x, and so, from zero on,
 *
 *     m[o][j] = M[o] x[j]        v[o][j] = V[o] x[j]^2
 *
 * M and V, a number each a unit, are kept in place of both matrices: a third of the layer's weights, and a
 * step of Adam passes through a third of the memory there. What it leaves in cache of a unit is multiplied by
 * x at once, which is the state's part of the next pass. The first update on any other state writes the
 * moments out, and out they stay until the optimizer begins anew.
 */
#include "net/net_impl.h"

#include "core/buffers.h"
#include "core/record.h"

#include <stdio.h>
#include <string.h>

static bool has_layer(const dq_net *net)
{
    const dq_net_spec *s = &net->spec;
    return net->max_rows && net_on_pairs(net) && s->hidden_inputs == DQ_HIDDEN_OF_ALL &&
           s->encoder == DQ_ENCODER_NONE && !s->sparse && s->input_dropout == 0;
}

bool net_outer_allocate(dq_net *net)
{
    net_outer *o = &net->outer;
    if (!has_layer(net)) return true;
    while (!net->layers[o->layer].pairs || net->layers[o->layer].units == 0)
        o->layer++; /* the first of pairs */
    if (net->layers[o->layer].frozen) return true;
    size_t units = net->layers[o->layer].units;
    const dq_buffer buffers[] = {DQ_BUFFER(o->m, units), DQ_BUFFER(o->v, units), DQ_BUFFER(o->product, units),
                                 DQ_BUFFER(o->x, net->spec.input)};
    o->stage = NET_OUTER_NEW;
    return dq_buffers_take(&net->arena, buffers, DQ_BUFFERS(buffers));
}

void net_outer_reset(dq_net *net)
{
    net_outer *o = &net->outer;
    o->known = false;
    if (!o->x) return;
    size_t units = net->layers[o->layer].units;
    o->stage = NET_OUTER_NEW;
    memset(o->m, 0, units * sizeof *o->m);
    memset(o->v, 0, units * sizeof *o->v);
}

/* The moments as matrices, into the flat blocks. */
static void write_out(dq_net *net)
{
    const net_outer *o = &net->outer;
    const net_layer *l = &net->layers[o->layer];
    for (size_t u = 0; u < l->units; u++) {
        float *m = net->m + l->at + u * l->in, *v = net->v + l->at + u * l->in;
        for (size_t j = 0; j < net->spec.input; j++) {
            m[j] = o->m[u] * o->x[j];
            v[j] = o->v[u] * o->x[j] * o->x[j];
        }
    }
}

void net_outer_end(dq_net *net)
{
    net_outer *o = &net->outer;
    if (o->stage == NET_OUTER_KEPT) write_out(net);
    o->stage = NET_OUTER_NONE;
    o->known = false;
}

static bool is_state(const dq_net *net)
{
    return net->states == 1 && memcmp(net->x, net->outer.x, net->spec.input * sizeof *net->x) == 0;
}

bool net_outer_begin(dq_net *net)
{
    net_outer *o = &net->outer;
    o->known = false;
    if (o->stage == NET_OUTER_NEW && net->states == 1) {
        memcpy(o->x, net->x, net->spec.input * sizeof *o->x);
        o->stage = NET_OUTER_KEPT;
    }
    if (o->stage != NET_OUTER_KEPT || !is_state(net)) {
        net_outer_end(net);
        return false;
    }
    o->square = (double)dq_vec_dot(o->x, o->x, net->spec.input);
    return true;
}

double net_outer_step(dq_net *net, const dq_adam_step *adam, size_t unit, float g)
{
    net_outer *o = &net->outer;
    const net_layer *l = &net->layers[o->layer];
    size_t width = net->spec.input;
    float *w = net->weights + l->at + unit * l->in;
    dq_adam_apply_outer(adam, w, o->x, width, &o->m[unit], &o->v[unit], g);
    net_round(net, l->at + unit * l->in, width);
    o->product[unit] = dq_vec_dot(o->x, w, width);
    return (double)g * (double)g * o->square;
}

const float *net_outer_product(const dq_net *net)
{
    return net->outer.known && is_state(net) ? net->outer.product : NULL;
}

/* ---- checkpoints ---- */

enum { PARTS = 3, NAME_BYTES = 160 };

static void name_parts(const dq_net *net, dq_record_part parts[PARTS])
{
    const net_outer *o = &net->outer;
    size_t units = net->layers[o->layer].units;
    parts[0] = (dq_record_part){"adam.outer.m", DQ_F4, units, 0, o->m};
    parts[1] = (dq_record_part){"adam.outer.v", DQ_F4, units, 0, o->v};
    parts[2] = (dq_record_part){"adam.outer.x", DQ_F4, net->spec.input, 0, o->x};
}

dq_status net_outer_save(dq_net *net, const char *prefix, dq_bundle *model, dq_error *error)
{
    dq_record_part parts[PARTS];
    if (net->outer.stage != NET_OUTER_KEPT) return DQ_OK;
    name_parts(net, parts);
    write_out(net); /* so that the moments are there for whoever reads them */
    return dq_record_save_parts(parts, PARTS, prefix, model, error);
}

dq_status net_outer_restore(dq_net *net, const char *prefix, const dq_bundle *model, dq_error *error)
{
    dq_record_part parts[PARTS];
    net_outer *o = &net->outer;
    char name[NAME_BYTES];
    net_outer_reset(net);
    o->stage = net->steps || !o->x ? NET_OUTER_NONE : NET_OUTER_NEW;
    bool whole = snprintf(name, sizeof name, "%s.adam.outer.m", prefix) < NAME_BYTES;
    if (!o->x || !whole || !dq_bundle_column(model, name)) return DQ_OK;
    name_parts(net, parts);
    dq_status status = dq_record_restore_parts(parts, PARTS, prefix, model, error);
    if (!status) o->stage = NET_OUTER_KEPT;
    return status;
}
