/* SPDX-License-Identifier: MIT
 *
 * What the kinds of agents share. A kind is an entry of the table in agent_config.c and a file of its own;
 * what only it needs hangs on self.
 */
#ifndef DQ_LEARN_AGENT_IMPL_H
#define DQ_LEARN_AGENT_IMPL_H

#include "learn/agent.h"
#include "learn/memory.h"
#include "math/vec.h"

/* One stream of random numbers a purpose. */
enum { RNG_ACT, RNG_REPLAY, RNG_DROP_Q, RNG_WORLD, RNG_PLAN, RNG_AGENT_COUNT };

struct dq_agent {
    const dq_agent_kind *kind;
    dq_agent_config config;
    dq_env_spec shape; /* its actions copied */
    float *vectors;    /* (action_count, action_width), or NULL: what shape.actions point to */
    dq_pool *pool;
    dq_arena arena; /* for buffers that live as long as the agent */
    dq_rng rng[RNG_AGENT_COUNT];
    uint64_t steps, observed, episodes; /* updates (without planning), observations, episodes ended */
    uint64_t due;                       /* observations since the last learning step, once warm */

    float *act_values, *act_states; /* (ACT_BLOCK, action_count), (ACT_BLOCK, state_width) */
    uint32_t *act_at;               /* (ACT_BLOCK) */
    void *self;
};

extern const dq_agent_kind dq_agent_tabular, dq_agent_dqn, dq_agent_dyna_q;

/* n zeroed floats or numbers of the agent's arena; *ok turns false when memory is short. */
float *agent_floats(dq_agent *agent, size_t n, bool *ok);
uint32_t *agent_numbers(dq_agent *agent, size_t n, bool *ok);

/* Whether train_every observations were made since the last learning step; and takes them off. */
bool agent_due(const dq_agent *agent);
void agent_take_due(dq_agent *agent);
/* Counts an observation, towards a learning step too when there is enough to learn from. */
void agent_count_observation(dq_agent *agent);

/* That there is a world model to look ahead with, and an ensemble where what it disagrees on has a limit. */
dq_status agent_check_world(dq_agent *agent, double most_disagreement, dq_error *error);

/* The value of a next state, within the bounds. */
double agent_bound(const dq_agent *agent, double value);

/* Learning rate of the next update. */
double agent_rate(const dq_agent *agent);

/* The configuration of a network of the agent: its state, its head. */
dq_mlp_spec agent_spec(const dq_agent *agent);

/* The width of vectors of items and actions alike, known to the agent or not: meta.task's action_width. */
uint32_t agent_vector_width(const dq_env_spec *shape);

/* meta.agent and meta.task, and the column of actions; and what a checkpoint adds. */
dq_status agent_read_config(const dq_bundle *model, const char **kind, dq_agent_config *config,
                            dq_env_spec *shape, dq_error *error); /* without the actions' vectors */
dq_status agent_save_config(const dq_agent *agent, dq_bundle *model, dq_error *error);
dq_status agent_save_place(dq_agent *agent, dq_bundle *model, dq_error *error);
dq_status agent_restore_place(dq_agent *agent, const dq_bundle *model, dq_error *error);

#endif
