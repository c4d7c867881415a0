/* SPDX-License-Identifier: MIT
 *
 * Networks of every kind, and for one of them states, actions, a batch and targets: what the tests of
 * net/net.h work on.
 */
#ifndef DQ_TEST_NET_WORLD_H
#define DQ_TEST_NET_WORLD_H

#include "net/loss.h"
#include "net/net.h"

enum { ROWS = 12, STATES = 7, ACTIONS = 5, INPUT = 19, WIDTH = 4, MOST = 700, GIVEN = 3 };

/* States of a user of 3, a history of 3 items of 4, and 4 more numbers. */
/* clang-format off */
#define STATE    .input = INPUT, .user_width = 3, .history = 3, .item_width = WIDTH
#define TWO      .hidden = {11, 9}, .hidden_count = 2
#define PAIRS    .head = DQ_HEAD_ACTIONS, .action_width = WIDTH, .outputs = 1
#define ONE_HOT  .head = DQ_HEAD_ACTIONS, .action_width = ACTIONS, .one_hot = true
#define GIVES    .given = GIVEN, .feature_scale = 1.5
#define SASREC   .encoder = DQ_ENCODER_SASREC, .blocks = 2, .heads = 2, .encoder_width = 6
#define STEPS    .encoder = DQ_ENCODER_TRAJECTORY, .step_state = 1, .blocks = 1, .heads = 3, .encoder_width = 6
#define FEATURES .features = {{0, 1, 3}, {15, 0, 4}}, .feature_count = 2
/* clang-format on */

/* One for each layer and for each way in which layers stand together. */
enum { NET_SPECS = 41 };
extern const dq_net_spec net_specs[NET_SPECS];
/* Wide enough for several tiles in every direction. */
extern const dq_net_spec net_wide, net_wide_transformer;

typedef struct net_world {
    dq_pool *pool;
    dq_net *net;
    float x[MOST * INPUT], vectors[ACTIONS * WIDTH];
    const float *x_at[MOST], *vector_at[ACTIONS];
    uint32_t state[MOST], action[MOST];
    float features[MOST * ACTIONS * GIVEN];
    dq_net_rows rows;
    size_t outputs; /* numbers of a pass */
    float *target, *dy;
} net_world;

bool net_world_on_actions(const net_world *w);
/* Drawn from a fixed seed; rows are those of a batch. */
net_world *net_world_make(const dq_net_spec *spec, unsigned threads, size_t rows);
void net_world_drop(net_world *w);

/* The loss of a training pass, and with back its gradient. The masks are the same each time. */
double net_world_pass(net_world *w, dq_loss loss, bool back);
/* Some steps, clipped as agents do. */
void net_world_fit(net_world *w, int steps);

#endif
