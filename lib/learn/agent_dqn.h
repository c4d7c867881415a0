/* SPDX-License-Identifier: MIT
 *
 * The inside of a deep Q-network, which Dyna-Q builds on.
 */
#ifndef DQ_LEARN_AGENT_DQN_H
#define DQ_LEARN_AGENT_DQN_H

#include "learn/agent_impl.h"

/* n transitions side by side. */
typedef struct dqn_batch {
    size_t n;
    float *state, *next; /* (n, state_width) */
    uint32_t *action;
    float *reward, *discount, *weight; /* discount: what V(next) is multiplied by; weight: of its loss */
    uint8_t *terminal;
} dqn_batch;

typedef struct dqn dqn;

struct dqn {
    dq_mlp *q, *target;
    dq_memory *memory;
    dq_nstep *nstep;
    uint64_t updates;               /* planning included */
    dqn_batch rows;                 /* (fit_rows) */
    uint32_t *slots;                /* (batch) where rows come from */
    float *next_q;                  /* (fit_rows, action_count) Q of next states */
    float *value;                   /* (fit_rows) of the best action there, */
    uint32_t *best, *rows_in_order; /* (fit_rows) and its number; 0, 1, 2 ... */
    float *wanted;                  /* (fit_rows) */
    float *taken, *dtaken;          /* (fit_rows) Q(s, a) of the pass, and its gradient; later the TD error */
    float *dy;                      /* (fit_rows, action_count or 1) */
    float *shares;                  /* (action_count) */
    uint32_t *pair_state, *pair_action;
    /* What a kind does after each update on a batch; NULL: nothing. */
    dq_status (*after)(dq_agent *agent, const dqn_batch *batch, bool learn, dq_agent_losses *losses,
                       dq_error *error);
    void *more; /* that kind's */
};

/* The defaults of both kinds of agent; dyna-q adds those of its world. */
/* clang-format off */
#define DQN_DEFAULTS \
    .hidden = {64, 64}, .hidden_count = 2, .gamma = 0.99, .n_step = 1, .loss = DQ_LOSS_HUBER, \
    .adam = DQ_ADAM_DEFAULTS, .clip_norm = 10, .target_every = 500, .batch = 64, .replay = 50000, \
    .warmup = 1000, .train_every = 1, .updates = 1, .importance = 0.4, \
    .explore_by = DQ_EXPLORE_EPSILON, .decay_form = DQ_DECAY_MULTIPLICATIVE, .decay_by = DQ_BY_UPDATES, \
    .epsilon = 1, .epsilon_min = 0.05, .epsilon_decay = 0.999, .temperature = 1, .tasks = 1, \
    .seed = 42
/* clang-format on */

/* The parts of the kind dqn, for a kind that is one and more. */
dq_status dqn_init(dq_agent *agent, dq_error *error);
void dqn_free(dq_agent *agent);
void dqn_values(dq_agent *agent, const float *states, size_t n, float *q);
void dqn_observe(dq_agent *agent, uint32_t task, const dq_experience *experience);
bool dqn_ready(const dq_agent *agent);
dq_status dqn_learn(dq_agent *agent, dq_agent_losses *losses, dq_error *error);
dq_status dqn_fit(dq_agent *agent, const dq_experience *rows, size_t n, bool learn, dq_agent_losses *losses,
                  dq_error *error);
void dqn_end_episode(dq_agent *agent, uint32_t task);
dq_mlp *dqn_network(dq_agent *agent, const char *name);
dq_status dqn_save(dq_agent *agent, bool checkpoint, dq_bundle *model, dq_error *error);
dq_status dqn_load(dq_agent *agent, bool checkpoint, const dq_bundle *model, dq_error *error);

/* Room for n rows; false when memory is short. */
bool dqn_batch_allocate(dq_agent *agent, dqn_batch *batch, size_t n);
/* One Q update (learn), or its loss alone; TD errors are left in dqn->dtaken. */
dq_status dqn_update(dq_agent *agent, const dqn_batch *batch, bool learn, double *loss, double *norm,
                     dq_error *error);

#endif
