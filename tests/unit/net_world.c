/* SPDX-License-Identifier: MIT */
#include "net_world.h"

#include "net/net_impl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const dq_net_spec net_specs[NET_SPECS] = {
    {.input = INPUT, .outputs = 5},
    {.input = INPUT, .outputs = 5, TWO},
    {.input = INPUT, .outputs = 5, TWO, .dropout = 0.25},
    {.input = INPUT, .outputs = 5, TWO, .batch_norm = true},
    {.input = INPUT, .outputs = 5, TWO, .batch_norm = true, .dropout = 0.25},
    {.input = INPUT, .outputs = 5, TWO, .dueling = true},
    {STATE, .outputs = 5, TWO, .encoder = DQ_ENCODER_MEAN},
    {STATE, .outputs = 5, TWO, .encoder = DQ_ENCODER_ATTENTION},
    {STATE, .outputs = 5, TWO, .encoder = DQ_ENCODER_ATTENTION, .dueling = true, .batch_norm = true},
    {.input = INPUT, .outputs = 5, TWO, .dueling = true, .batch_norm = true, .dropout = 0.25},
    {.input = INPUT, .outputs = 5, .dueling = true},
    {.input = INPUT, .outputs = 5, .hidden = {9}, .hidden_count = 1, .dueling = true, .activation = DQ_GELU},
    {.input = INPUT,
     .outputs = 5,
     TWO,
     .dueling = true,
     .value_hidden = {8, 7, 6},
     .value_hidden_count = 3,
     .activation = DQ_TANH,
     .dropout = 0.25},
    {.input = INPUT, .outputs = 5, TWO, .activation = DQ_GELU, .dropout = 0.25},
    {.input = INPUT, .outputs = 5, TWO, .activation = DQ_TANH, .batch_norm = true, .dropout = 0.25},
    {.input = INPUT, .outputs = 5, TWO, .sparse = true},
    {.input = INPUT,
     .outputs = 5,
     .sparse = true,
     .dueling = true,
     .value_hidden = {7},
     .value_hidden_count = 1},
    {STATE, TWO, PAIRS},
    {STATE, PAIRS},
    {STATE, TWO, PAIRS, FEATURES, .dropout = 0.25},
    {STATE, TWO, PAIRS, FEATURES, .batch_norm = true},
    {STATE, TWO, PAIRS, .encoder = DQ_ENCODER_ATTENTION, .dueling = true},
    {STATE, TWO, PAIRS, .encoder = DQ_ENCODER_MEAN, FEATURES, .activation = DQ_GELU, .batch_norm = true},
    {STATE, TWO, PAIRS, .sparse = true, .dueling = true, .value_hidden = {6, 5}, .value_hidden_count = 2},
    {.input = INPUT, TWO, PAIRS, .dueling = true, .dropout = 0.25},
    {.input = INPUT, TWO, ONE_HOT, .outputs = 4},
    {.input = INPUT, TWO, ONE_HOT, .outputs = 1, .activation = DQ_TANH, .sparse = true},
    {.input = INPUT, ONE_HOT, .outputs = 3},
    {.input = INPUT, .outputs = 5, TWO, .dropout = 0.25, .dropout_layers = 1},
    {.input = INPUT,
     TWO,
     PAIRS,
     .activation = DQ_GELU,
     .dueling = true,
     .dropout = 0.25,
     .dropout_layers = 1},
    {STATE, TWO, PAIRS, GIVES, .factored = 5, .direct = true, .calibrated = true},
    {STATE, TWO, PAIRS, FEATURES, .factored = 5, .input_dropout = 0.2},
    {STATE, PAIRS, FEATURES, GIVES, .direct = true, .start_feature = 1, .start_weight = 0.5, .dueling = true},
    {STATE, TWO, PAIRS, FEATURES, GIVES, .hidden_inputs = DQ_HIDDEN_OF_FEATURES, .direct = true,
     .factored = 5, .input_dropout = 0.2, .dropout = 0.25, .calibrated = true},
    {STATE, TWO, PAIRS, GIVES, .hidden_inputs = DQ_HIDDEN_OF_FEATURES, .batch_norm = true,
     .activation = DQ_GELU},
    {STATE, TWO, PAIRS, GIVES, FEATURES, .encoder = DQ_ENCODER_ATTENTION, .direct = true, .calibrated = true},
    {STATE, .outputs = 5, TWO, SASREC},
    {STATE, .outputs = 5, SASREC, .activation = DQ_GELU, .dropout = 0.25},
    {STATE, TWO, PAIRS, FEATURES, SASREC, .activation = DQ_TANH, .dueling = true},
    {STATE, .outputs = 5, STEPS, .activation = DQ_GELU},
    {STATE, .outputs = 5, TWO, STEPS, .dropout = 0.25},
};

const dq_net_spec net_wide = {.input = INPUT,
                              .outputs = 300,
                              .hidden = {400, 260},
                              .hidden_count = 2,
                              .dropout = 0.2,
                              .batch_norm = true,
                              .dueling = true};

const dq_net_spec net_wide_transformer = {STATE,          .outputs = 5,         .encoder = DQ_ENCODER_SASREC,
                                          .blocks = 2,    .heads = 4,           .encoder_width = 64,
                                          .dropout = 0.2, .activation = DQ_GELU};

bool net_world_on_actions(const net_world *w)
{
    return w->net->spec.head == DQ_HEAD_ACTIONS;
}

net_world *net_world_make(const dq_net_spec *spec, unsigned threads, size_t rows)
{
    net_world *w = calloc(1, sizeof *w);
    dq_rng rng = dq_rng_new(8);
    assert_non_null(w);
    assert_int_equal(dq_pool_new(&w->pool, threads, NULL), DQ_OK);
    assert_int_equal(dq_net_new(&w->net, spec, rows, w->pool, &rng, NULL), DQ_OK);
    for (size_t i = 0; i < MOST * INPUT; i++) w->x[i] = (float)dq_rng_normal(&rng);
    for (size_t i = 0; i < ACTIONS * WIDTH; i++) w->vectors[i] = (float)dq_rng_normal(&rng);
    for (size_t i = 0; i < MOST; i++) w->x_at[i] = w->x + i * INPUT;
    for (size_t i = 0; i < ACTIONS; i++) w->vector_at[i] = w->vectors + i * WIDTH;
    memset(w->x + 3 + WIDTH, 0, 2 * WIDTH * sizeof *w->x);             /* a history of one item */
    memset(w->x + INPUT + 3, 0, 3 * WIDTH * sizeof *w->x);             /* none */
    memset(w->x + 2 * INPUT + 3 + 2 * WIDTH, 0, WIDTH * sizeof *w->x); /* two */
    for (uint32_t r = 0; r < rows; r++) {
        w->state[r] = (uint32_t)dq_rng_below(&rng, STATES);
        w->action[r] = (uint32_t)dq_rng_below(&rng, ACTIONS);
    }
    w->rows = (dq_net_rows){.states = {w->x_at, MOST, INPUT}, .rows = rows};
    if (net_world_on_actions(w)) {
        w->rows.state = w->state;
        w->rows.action = w->action;
        if (!spec->one_hot) w->rows.actions = (dq_vectors){w->vector_at, ACTIONS, WIDTH};
    }
    if (spec->given) w->rows.features = w->features;
    if (spec->calibrated) dq_net_calibrate(w->net, 0.8, -0.1);
    if (spec->factored) w->net->weights[w->net->layers[w->net->project + 2].at] = 0.3F; /* near the targets */
    w->outputs = rows * spec->outputs;
    w->target = malloc(w->outputs * sizeof *w->target);
    w->dy = malloc(w->outputs * sizeof *w->dy);
    for (size_t i = 0; i < w->outputs; i++) w->target[i] = (float)dq_rng_normal(&rng);
    for (size_t i = 0; i < MOST * ACTIONS * GIVEN; i++) w->features[i] = (float)dq_rng_normal(&rng) / 2;
    return w;
}

void net_world_drop(net_world *w)
{
    dq_net_free(w->net);
    dq_pool_free(w->pool);
    free(w->target);
    free(w->dy);
    free(w);
}

double net_world_pass(net_world *w, dq_loss loss, bool back)
{
    dq_rng rng = dq_rng_new(8);
    const float *y = dq_net_forward(w->net, &w->rows, &rng);
    double mean = dq_loss_mean(loss, 0.7, y, w->target, NULL, w->outputs, w->dy);
    if (back) net_backward(w->net, w->dy);
    return mean;
}

void net_world_fit(net_world *w, int steps)
{
    dq_adam adam = DQ_ADAM_DEFAULTS;
    for (int i = 0; i < steps; i++) {
        net_world_pass(w, DQ_LOSS_MSE, true);
        net_step(w->net, &adam, 1, 0);
    }
}
