/* SPDX-License-Identifier: MIT
 *
 * Agents for tasks (dq/task.h): tabular Q-learning, deep Q-networks, Dyna-Q. Each kind is one entry of a
 * table; what they share (exploration, replay, losses, schedules) are options that any of them takes where it
 * means something. System A's agent, whose states and actions are rows of a catalogue, is dq/dynaq.h.
 *
 *     dq_agent_new(&agent, "dqn", &config, &shape, pool, &e);
 *     dq_agent_act(agent, states, n, true, actions);          n tasks side by side; explores
 *     dq_agent_observe(agent, i, &experience);                of task i, in order: n-step returns are per
 * task dq_agent_learn(agent, &losses, &e);                     when dq_agent_ready
 *
 * Nothing is allocated after dq_agent_new. Every part draws from a stream of random numbers of its own.
 */
#ifndef DQ_AGENT_H
#define DQ_AGENT_H

#include "dq/adam.h"
#include "dq/bundle.h"
#include "dq/pool.h"
#include "dq/schedule.h"
#include "dq/task.h"

enum { DQ_AGENT_MAX_HIDDEN = 8 };

typedef enum dq_loss { DQ_LOSS_MSE, DQ_LOSS_HUBER } dq_loss; /* Huber, "Robust estimation", 1964; delta 1 */

typedef enum dq_head {
    DQ_HEAD_OUTPUTS, /* one output an action */
    DQ_HEAD_ACTIONS, /* Q(s, a) on the vectors that describe actions */
} dq_head;

typedef enum dq_encoder {
    DQ_ENCODER_NONE,      /* the state as it is */
    DQ_ENCODER_MEAN,      /* the history's mean */
    DQ_ENCODER_ATTENTION, /* attention over the history (Zheng et al., "DRN", 2018; Vaswani et al., 2017) */
} dq_encoder;

typedef enum dq_explore_by { DQ_EXPLORE_EPSILON, DQ_EXPLORE_SOFTMAX } dq_explore_by;

typedef enum dq_decay_form { DQ_DECAY_MULTIPLICATIVE, DQ_DECAY_EXPONENTIAL, DQ_DECAY_LINEAR } dq_decay_form;

typedef struct dq_agent_config {
    /* the network */
    uint32_t hidden[DQ_AGENT_MAX_HIDDEN], hidden_count;
    double dropout;
    bool batch_norm; /* Ioffe and Szegedy, 2015 */
    bool
        dueling; /* Wang et al., 2016: V(s) + A(s, a) - mean A; with an encoder V sees the user alone (DRN) */
    dq_head head;
    dq_encoder encoder;
    /* learning */
    double gamma;
    bool double_q;   /* van Hasselt et al., "Deep reinforcement learning with double Q-learning", 2016 */
    uint32_t n_step; /* Sutton, 1988; Hessel et al., "Rainbow", 2018 */
    dq_loss loss;
    dq_adam adam;                 /* with weight decay */
    double clip_norm, clip_value; /* of the gradient; 0: none (Pascanu et al., 2013) */
    const dq_schedule *schedule;
    uint64_t schedule_steps;
    uint64_t target_every; /* updates between copies; with tau the target follows softly at each (Lillicrap et
                              al., 2016) */
    double tau;            /* 0: copies */
    size_t batch, replay, warmup, train_every,
        updates; /* a learning step every train_every observations: that many updates */
    double priority,
        importance;      /* alpha, beta (Schaul et al., "Prioritized experience replay", 2016); 0: uniform */
    double conservative; /* alpha of conservative Q-learning (Kumar et al., 2020); 0: none */
    /* tabular */
    double alpha; /* Watkins and Dayan, 1992 */
    /* world model: predicts reward, the change of state, and the end (dyna-q) */
    uint32_t planning, rollout,
        models; /* planning updates a step; steps looked ahead; networks of the ensemble */
    /* exploration */
    dq_explore_by explore_by;
    dq_decay_form decay_form;
    double epsilon, epsilon_min, epsilon_decay, temperature;
    uint32_t tasks; /* side by side */
    uint64_t seed;
} dq_agent_config;

/* What was lived through: the next state is that of the step, also where an episode was truncated. */
typedef struct dq_experience {
    const float *state, *next; /* (state_width) */
    uint32_t action;
    float reward;
    bool terminal, truncated;
} dq_experience;

typedef struct dq_agent_losses {
    double q, world, planning, gradient; /* NAN where there is none; gradient: its norm before clipping */
} dq_agent_losses;

typedef struct dq_agent dq_agent;

typedef struct dq_agent_kind {
    const char *name, *help;
    dq_agent_config defaults;
    dq_status (*init)(dq_agent *agent, dq_error *error);
    void (*free)(dq_agent *agent);
    void (*values)(dq_agent *agent, const float *states, size_t n, float *q); /* (n, action_count) */
    void (*observe)(dq_agent *agent, uint32_t task, const dq_experience *experience);
    bool (*ready)(const dq_agent *agent);
    dq_status (*learn)(dq_agent *agent, dq_agent_losses *losses, dq_error *error);
    dq_status (*save)(dq_agent *agent, bool checkpoint, dq_bundle *model, dq_error *error);
    dq_status (*load)(dq_agent *agent, bool checkpoint, const dq_bundle *model, dq_error *error);
} dq_agent_kind;

/* tabular, dqn, dyna-q. Ended by an entry without a name. */
extern const dq_agent_kind dq_agent_kinds[];
const dq_agent_kind *dq_agent_find(const char *name);

/* DQ_ERR_RANGE when the options do not fit each other or the shape (a head on actions without vectors, an
 * encoder without history, a table of states that are not one-hot). pool is kept. */
dq_status dq_agent_new(dq_agent **agent, const char *kind, const dq_agent_config *config,
                       const dq_task_shape *shape, dq_pool *pool, dq_error *error);
void dq_agent_free(dq_agent *agent);

/* Actions for n states (n, state_width): greedy, or exploring. The first of equals. */
void dq_agent_act(dq_agent *agent, const float *states, size_t n, bool explore, uint32_t *actions);
/* Q of every action: (n, action_count). */
void dq_agent_values(dq_agent *agent, const float *states, size_t n, float *q);
void dq_agent_observe(dq_agent *agent, uint32_t task, const dq_experience *experience);
bool dq_agent_ready(const dq_agent *agent);
/* One learning step; epsilon decays. DQ_ERR_NUMERIC when a loss is no longer finite. */
dq_status dq_agent_learn(dq_agent *agent, dq_agent_losses *losses, dq_error *error);
/* An episode of a task is over (what is counted in episodes: target copies, decay). */
void dq_agent_end_episode(dq_agent *agent, uint32_t task);

double dq_agent_epsilon(const dq_agent *agent);
uint64_t dq_agent_steps(const dq_agent *agent); /* updates taken */

/* A model bundle (kind model, meta.architecture = the kind's name, the configuration and shape in meta); with
 * checkpoint also moments, targets, replay, random states: an agent that goes on equals one that never
 * stopped. */
dq_status dq_agent_save(dq_agent *agent, bool checkpoint, dq_bundle *model, dq_error *error);
/* The kind, configuration and shape of a saved agent (vectors of actions point into the bundle). */
dq_status dq_agent_read_config(const dq_bundle *model, const char **kind, dq_agent_config *config,
                               dq_task_shape *shape, dq_error *error);
dq_status dq_agent_load(dq_agent *agent, bool checkpoint, const dq_bundle *model, dq_error *error);

#endif
