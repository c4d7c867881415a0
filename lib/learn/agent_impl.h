/* SPDX-License-Identifier: MIT
 *
 * What the kinds of agents share. A kind is an entry of the table in agent_config.c, and of functions;
 * what only it needs hangs on self.
 */
#ifndef DQ_LEARN_AGENT_IMPL_H
#define DQ_LEARN_AGENT_IMPL_H

#include "core/buffers.h"
#include "learn/agent.h"

/* One stream of random numbers a purpose. */
enum { RNG_ACT, RNG_REPLAY, RNG_DROP_Q, RNG_WORLD, RNG_PLAN, RNG_AGENT_COUNT };

enum { AGENT_ACT_ROWS = 64 }; /* states that are looked at together, at most */

/* As their namesakes in agent.h. `states` is the store that numbers are of, in an environment of numbered
 * states always that one. */
struct dq_agent_functions {
    dq_status (*init)(dq_agent *agent, dq_error *error);
    void (*free)(dq_agent *agent); /* what is not in the arena; may be NULL */
    void (*values)(dq_agent *agent, const dq_vectors *states, const uint32_t *number, size_t n, float *q);
    /* What it explores by in their place; may be NULL: by the values, as config.explore_by says. */
    void (*explore)(dq_agent *agent, const dq_vectors *states, const uint32_t *number, size_t n, dq_rng *rng,
                    float *q);
    void (*observe)(dq_agent *agent, uint32_t env, const dq_vectors *states, const dq_transition *t,
                    bool over);
    bool (*ready)(const dq_agent *agent);
    dq_status (*learn)(dq_agent *agent, dq_agent_losses *losses, dq_error *error);
    /* One update on rows, or their loss alone; fills agent->taken and ->errors. */
    dq_status (*fit)(dq_agent *agent, const dq_vectors *states, const dq_transition *rows, size_t n,
                     const float *weight, bool learn, dq_agent_losses *losses, dq_error *error);
    dq_status (*fit_tile)(dq_agent *agent, const dq_vectors *states, const dq_agent_tile *tile, double *loss,
                          dq_error *error); /* may be NULL: no update is cut into tiles */
    dq_status (*fit_tiles)(dq_agent *agent, const dq_ranks *ranks, double loss, dq_agent_losses *losses,
                           dq_error *error);
    dq_status (*fit_lists)(dq_agent *agent, const dq_vectors *states, const dq_agent_lists *lists,
                           const dq_transition *rows, size_t n_rows, bool learn, dq_agent_losses *losses,
                           dq_error *error); /* may be NULL */
    void (*offer)(dq_agent *agent);          /* other actions are on offer; may be NULL */
    void (*end_episode)(dq_agent *agent);    /* may be NULL */
    /* May be NULL, also where this agent has no network for its world. */
    void (*predict)(dq_agent *agent, const dq_vectors *states, const uint32_t *number,
                    const uint32_t *actions, size_t n, float *next, float *rewards, float *done_probability,
                    float *disagreement);
    dq_net *(*network)(dq_agent *agent, const char *name); /* may be NULL */
    /* Whether a model holds what its configuration says; may be NULL: networks, or a table. */
    bool (*holds)(const dq_bundle *model, const dq_agent_config *config, const dq_env_spec *shape);
    dq_status (*save)(dq_agent *agent, bool checkpoint, dq_bundle *model, dq_error *error);
    dq_status (*load)(dq_agent *agent, bool checkpoint, const dq_bundle *model, dq_error *error);
};

struct dq_agent {
    const dq_agent_kind *kind;
    const struct dq_agent_functions *does;
    dq_agent_config config;
    dq_env_spec shape;  /* its pointers to actions copied */
    dq_vectors actions; /* they again; at NULL where actions are not described */
    bool numbered;      /* states are those of shape.states */
    bool trains;        /* not made by dq_agent_of_model */
    dq_pool *pool;
    dq_arena arena; /* for buffers that live as long as the agent */
    dq_rng rng[RNG_AGENT_COUNT];
    uint64_t steps, updates, observed, episodes; /* updates without and with planning, observations, episodes
                                                    ended */
    uint64_t due;    /* observations since the last learning step, once warm and ready */
    double progress; /* of the run */

    uint32_t *offer; /* (action_count) what is on offer: the first `offered` */
    uint32_t offered;
    uint32_t max_offered; /* by config.offered */

    size_t act_room;               /* numbers of act_values: at least an action each */
    float *act_values;             /* (rows looked at together, offered) */
    uint32_t *act_number, *act_at; /* (AGENT_ACT_ROWS) */
    float *taken, *errors;         /* (fit_rows) of the last update */
    void *self;
};

/* The defaults of every kind. */
/* clang-format off */
#define AGENT_DEFAULTS \
    .n_step = 1, .huber_delta = 1, .list_temperature = 1, .schedule_decay = 0.1, .train_every = 1, .updates = 1, \
    .explore_by = DQ_EXPLORE_EPSILON, .decay_form = DQ_DECAY_MULTIPLICATIVE, .temperature = 1, .envs = 1, \
    .seed = 42
#define TRANSFORMER_DEFAULTS .blocks = 2, .heads = 2, .encoder_width = 64
/* clang-format on */

extern const dq_agent_kind dq_agent_tabular, dq_agent_dqn, dq_agent_dyna_q, dq_agent_dt, dq_agent_linucb,
    dq_agent_thompson;

/* The name of a dt's network; of the others it is "q". */
#define AGENT_POLICY "policy"

/* The store that numbers are of: the caller's, or that of numbered states. */
const dq_vectors *agent_store(const dq_agent *agent, const dq_vectors *states);

/* dq_agent_act, exploring by draws from rng where it is not NULL. */
void agent_act(dq_agent *agent, const dq_vectors *states, const uint32_t *number, size_t n, dq_rng *rng,
               uint32_t *actions);

/* The place in q (offered) of the greatest, the first of equals. */
uint32_t agent_best(const float *q, uint32_t n);

/* The number of state i in a list of numbers, or in none. */
static inline uint32_t agent_number(const uint32_t *number, size_t i)
{
    return number ? number[i] : (uint32_t)i;
}

/* The value of a next state, within the bounds. */
double agent_bound(const dq_agent *agent, double value);

/* That there is a world model to look ahead with, of states that a step changes, and an ensemble where what
 * it disagrees on has a limit. */
dq_status agent_check_world(dq_agent *agent, double max_disagreement, dq_error *error);

/* The first option that is set and that is of networks, replay or a world; NULL: none. */
const char *agent_find_foreign(const dq_agent_config *config);

/* The configuration of the network Q, and of a network for the world. */
dq_net_spec agent_spec(const dq_agent_config *config, const dq_env_spec *shape);
dq_net_spec agent_world_spec(const dq_agent_config *config, const dq_env_spec *shape);

/* The name of the networks for the world: world.0, world.1 ... */
enum { AGENT_WORLD_NAME = 32 };
const char *agent_world_name(char name[AGENT_WORLD_NAME], uint32_t model);

/* ---- agent_config.c ---- */

/* DQ_ERR_RANGE when options that every kind has do not fit each other; those of networks net_check knows. */
dq_status agent_check(const dq_agent_config *config, dq_error *error);
/* meta.agent and meta.env_spec, and the column of actions; and what a checkpoint adds. */
dq_status agent_save_config(const dq_agent *agent, dq_bundle *model, dq_error *error);
dq_status agent_save_state(dq_agent *agent, dq_bundle *model, dq_error *error);
dq_status agent_restore_state(dq_agent *agent, const dq_bundle *model, dq_error *error);

#endif
