/* SPDX-License-Identifier: MIT
 *
 * The inside of a deep Q-network, which dyna.c makes the kinds dqn and dyna-q of.
 */
#ifndef DQ_LEARN_DQN_H
#define DQ_LEARN_DQN_H

#include "learn/agent_impl.h"
#include "learn/nstep.h"
#include "learn/replay.h"
#include "math/tree.h"

/* n transitions side by side, of states in one store. */
typedef struct dqn_batch {
    size_t n;
    const dq_vectors *states;
    const dq_transition *row; /* (n) */
    const float *weight;      /* (n) of their losses; NULL: 1 */
    bool real;                /* happened: what is conservative counts */
} dqn_batch;

/* What the best action of a next state is worth. What stands still is computed once: entry i < places is that
 * of number i of the store (numbered states), or of the next state of slot i of the replay; it holds while
 * `valid` is the version. Entries past them are row by row, of states that do not come again. */
typedef struct dqn_maxima {
    size_t places;
    float *value;     /* (places + fit_rows) */
    uint64_t *valid;  /* (places + fit_rows) */
    uint64_t version; /* of the target and the offer */
    uint64_t pushed;  /* transitions remembered when the table was last looked at */
    bool stands;      /* entries hold from update to update */
    size_t *of_row;   /* (fit_rows) the entry of a row */
    /* The entries that are missing, and each one's next state, its best action and what that is worth. */
    size_t *place;            /* (fit_rows) */
    uint32_t *state, *action; /* (fit_rows) */
    const float **at;         /* (fit_rows) */
    float *found;             /* (fit_rows) */
    float *scores;            /* (fit_rows, a block of actions, or all outputs) */
} dqn_maxima;

typedef struct dqn {
    dq_net *q, *target;
    dq_net **worlds; /* (world_count) those of a kind that has a world model, which it makes */
    uint32_t world_count;
    dq_replay *replay;
    dq_nstep *nstep;
    dq_transition *rows; /* (fit_rows) */
    float *weights;      /* (batch) */
    uint32_t *slots;     /* (batch) where rows come from */
    float *taken;        /* (fit_rows) Q(s, a) of the pass */
    float *wanted;       /* (fit_rows) what Q(s, a) is to be */
    float *dtaken;       /* (fit_rows) the gradient of Q(s, a) */
    /* A training pass: rows of the network, and with the conservative term what each transition is compared
     * with, of which its own action is the first. */
    uint32_t *set;              /* (offered + 1) */
    float *set_q, *probability; /* (offered + 1) */
    uint32_t *state, *action;   /* (pass_rows) */
    float *dy;                  /* (pass_rows, outputs) */
    float *features;            /* (pass_rows, given) of a pass; */
    float *block_features;      /* (AGENT_ACT_ROWS or fit_rows, DQN_BLOCK, given) of states with a block */
    float *list;                /* (list_actions) scratch of a list's loss */
    dqn_maxima maxima;
    dq_tree tree;    /* of the gradients of tiles, config.tiles of them, */
    float *gradient; /* (weights) and their sum behind the last one; q's */
    /* Vectors of the actions on offer side by side, for a head on actions. */
    float *block; /* (DQN_BLOCK, action_width) */
    uint32_t block_from, block_rows;
    float *all; /* (rows, action_count) of a head with outputs, where fewer are on offer */
    /* What a kind does after each update on a batch; NULL: nothing. */
    dq_status (*after)(dq_agent *agent, const dqn_batch *batch, bool learn, dq_agent_losses *losses,
                       dq_error *error);
    void *more; /* that kind's */
} dqn;

enum { DQN_BLOCK = 256 }; /* actions that are scored together */

/* The defaults of both kinds of agent; dyna-q adds those of its world. */
/* clang-format off */
#define DQN_DEFAULTS \
    AGENT_DEFAULTS, .hidden = {64, 64}, .hidden_count = 2, .gamma = 0.99, .loss = DQ_LOSS_HUBER, \
    .adam = DQ_ADAM_DEFAULTS, .clip_norm = 10, .target_every = 500, .batch = 64, .replay = 50000, \
    .warmup = 1000, .importance = 0.4, .decay_by = DQ_BY_UPDATES, .epsilon = 1, .epsilon_min = 0.05, \
    .epsilon_decay = 0.999, TRANSFORMER_DEFAULTS
/* clang-format on */

static inline dqn *dqn_of(const dq_agent *agent)
{
    return agent->self;
}

static inline bool dqn_on_actions(const dq_agent *agent)
{
    return agent->config.head == DQ_HEAD_ACTIONS;
}

/* The parts of both kinds. */
dq_status dqn_init(dq_agent *agent, dq_error *error);
void dqn_free(dq_agent *agent);
void dqn_values(dq_agent *agent, const dq_vectors *states, const uint32_t *number, size_t n, float *q);
void dqn_observe(dq_agent *agent, uint32_t env, const dq_vectors *states, const dq_transition *t, bool over);
bool dqn_ready(const dq_agent *agent);
dq_status dqn_learn(dq_agent *agent, dq_agent_losses *losses, dq_error *error);
dq_status dqn_fit(dq_agent *agent, const dq_vectors *states, const dq_transition *rows, size_t n,
                  const float *weight, bool learn, dq_agent_losses *losses, dq_error *error);
dq_status dqn_fit_tile(dq_agent *agent, const dq_vectors *states, const dq_agent_tile *tile, double *loss,
                       dq_error *error);
dq_status dqn_fit_tiles(dq_agent *agent, const dq_ranks *ranks, double loss, dq_agent_losses *losses,
                        dq_error *error);
dq_status dqn_fit_lists(dq_agent *agent, const dq_vectors *states, const dq_agent_lists *lists,
                        const dq_transition *rows, size_t n_rows, bool learn, dq_agent_losses *losses,
                        dq_error *error);
void dqn_offer(dq_agent *agent);
void dqn_end_episode(dq_agent *agent);
dq_net *dqn_network(dq_agent *agent, const char *name);
dq_status dqn_save(dq_agent *agent, bool checkpoint, dq_bundle *model, dq_error *error);
dq_status dqn_load(dq_agent *agent, bool checkpoint, const dq_bundle *model, dq_error *error);

/* One Q update (learn), or its loss alone; fills agent->taken and ->errors. */
dq_status dqn_update(dq_agent *agent, const dqn_batch *batch, bool learn, double *loss, double *norm,
                     dq_error *error);

/* A step of Q on the gradient d->dy of a pass, whose loss is known. */
dq_status dqn_step(dq_agent *agent, double loss, double *norm, dq_error *error);
/* The features given of rows by number, into d->features; NULL where nothing is given. */
const float *dqn_given(dq_agent *agent, const uint32_t *state, const uint32_t *action, size_t n);

/* ---- dqn_values.c ---- */

/* Buffers for values, and where the agent trains for the maxima; false when memory is short. */
bool dqn_values_allocate(dq_agent *agent);
/* The target has moved. */
void dqn_values_reset(dq_agent *agent);
/* What Q(s, a) of each row is to be: r + gamma discount V(s'). */
void dqn_targets(dq_agent *agent, const dqn_batch *batch, float *wanted);

#endif
