/* SPDX-License-Identifier: MIT
 *
 * Agents for environments (env/env.h): tabular Q-learning, deep Q-networks, Dyna-Q. Each kind is one entry of
 * a table; what they share (exploration, replay, losses, schedules) are options that any of them takes where
 * it means something. System A's agent, whose states and actions are rows of a catalogue, is learn/dynaq.h.
 *
 *     dq_agent_new(&agent, "dqn", &config, &shape, pool, &e);
 *     dq_agent_act(agent, states, n, true, actions);       n tasks side by side; explores
 *     dq_agent_observe(agent, i, &experience);             of task i, in order: n-step returns are per task
 *     while (dq_agent_ready(agent)) dq_agent_learn(agent, &losses, &e);
 *
 * Nothing is allocated after dq_agent_new. Every part draws from a stream of random numbers of its own.
 */
#ifndef DQ_LEARN_AGENT_H
#define DQ_LEARN_AGENT_H

#include "dq/bundle.h"
#include "env/env.h"
#include "learn/schedule.h"
#include "math/adam.h"
#include "math/pool.h"
#include "net/loss.h"
#include "net/mlp.h"

typedef enum dq_explore_by { DQ_EXPLORE_EPSILON, DQ_EXPLORE_SOFTMAX } dq_explore_by;

/* Epsilon after t counts of decay_by:
 *
 *     multiplicative   max(least, epsilon decay^t)
 *     exponential      least + (epsilon - least) e^(-t / decay)
 *     linear           from epsilon to least in `decay` counts
 */
typedef enum dq_decay_form { DQ_DECAY_MULTIPLICATIVE, DQ_DECAY_EXPONENTIAL, DQ_DECAY_LINEAR } dq_decay_form;

/* What time is counted in. */
typedef enum dq_count_by { DQ_BY_UPDATES, DQ_BY_STEPS, DQ_BY_EPISODES } dq_count_by; /* steps: observations */

typedef struct dq_agent_config {
    /* the network */
    uint32_t hidden[DQ_MLP_MAX_HIDDEN], hidden_count;
    double dropout;
    bool batch_norm; /* Ioffe and Szegedy, 2015 */
    bool dueling;    /* Wang et al., 2016: V(s) + A(s, a) - mean A; see net/mlp.h */
    dq_head head;
    dq_encoder encoder;
    /* learning */
    double gamma;
    bool double_q;   /* van Hasselt et al., "Deep reinforcement learning with double Q-learning", 2016 */
    uint32_t n_step; /* Sutton, 1988; Hessel et al., "Rainbow", 2018 */
    dq_loss loss;
    dq_adam adam;                 /* with weight decay */
    double clip_norm, clip_value; /* of the gradient; 0: none (Pascanu et al., 2013) */
    const dq_schedule *schedule;  /* of the rate; NULL: constant */
    uint64_t schedule_steps;      /* updates of the whole run */
    uint64_t target_every; /* counts of target_by between copies; with tau the target moves that often */
    dq_count_by target_by;
    double tau;                  /* 0: copies; else the target follows softly (Lillicrap et al., 2016) */
    size_t batch, replay;        /* rows of an update; transitions remembered */
    size_t warmup;               /* observations before the first update */
    size_t train_every, updates; /* every train_every observations that many updates */
    size_t fit_rows;             /* rows of the largest batch given to dq_agent_fit; at least batch */
    double priority, importance; /* alpha, and beta, which rises to 1 over schedule_steps (Schaul et al.,
                                    "Prioritized experience replay", 2016); alpha 0: uniform */
    /* Values that are bootstrapped from stay within [value_min, value_max], where bounded: what a log's
     * rewards allow (dq_logged_bound). A part of the run, not of the model: it is not saved. */
    bool bounded;
    double value_min, value_max;
    double conservative; /* alpha of conservative Q-learning (Kumar et al., 2020); 0: none */
    /* tabular */
    double alpha;    /* the step (Watkins and Dayan, 1992) */
    uint32_t states; /* distinct states that the table has room for */
    /* the world model: predicts reward, the change of state, and the end. tabular: a table of what was seen
     */
    uint32_t planning; /* planning updates an update */
    uint32_t rollout;  /* dyna-q: steps that each looks ahead, >= 1 */
    uint32_t models;   /* dyna-q: networks of the ensemble (Kurutach et al., 2018), >= 1 */
    /* exploration */
    dq_explore_by explore_by;
    dq_decay_form decay_form;
    dq_count_by decay_by;
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
    dq_status (*fit)(dq_agent *agent, const dq_experience *rows, size_t n, bool learn,
                     dq_agent_losses *losses, dq_error *error);
    void (*end_episode)(dq_agent *agent, uint32_t task); /* may be NULL */
    /* What the world model predicts; may be NULL: there is none. */
    void (*predict)(dq_agent *agent, const float *states, const uint32_t *actions, size_t n, float *next,
                    float *rewards, float *ends, float *disagreement);
    dq_mlp *(*network)(dq_agent *agent, const char *name); /* may be NULL */
    dq_status (*save)(dq_agent *agent, bool checkpoint, dq_bundle *model, dq_error *error);
    dq_status (*load)(dq_agent *agent, bool checkpoint, const dq_bundle *model, dq_error *error);
} dq_agent_kind;

/* tabular, dqn, dyna-q. Ended by NULL. */
extern const dq_agent_kind *const dq_agent_kinds[];
const dq_agent_kind *dq_agent_find(const char *name);

/* DQ_ERR_RANGE when the options do not fit each other or the shape (a head on actions without vectors, an
 * encoder without history, a network's option for a table). pool is kept, the shape's actions are copied. */
dq_status dq_agent_new(dq_agent **agent, const char *kind, const dq_agent_config *config,
                       const dq_env_spec *shape, dq_pool *pool, dq_error *error);
void dq_agent_free(dq_agent *agent);
const dq_agent_config *dq_agent_get_config(const dq_agent *agent);
const dq_env_spec *dq_agent_get_shape(const dq_agent *agent);

/* Actions for n states (n, state_width): greedy, the first of equals; or exploring, where any of equals may
 * come. */
void dq_agent_act(dq_agent *agent, const float *states, size_t n, bool explore, uint32_t *actions);
/* Q of every action: (n, action_count). */
void dq_agent_values(dq_agent *agent, const float *states, size_t n, float *q);
void dq_agent_observe(dq_agent *agent, uint32_t task, const dq_experience *experience);
/* Whether a learning step is due: enough is remembered, and train_every observations were made since the
 * last. */
bool dq_agent_ready(const dq_agent *agent);
/* One learning step, of `updates` updates; the losses are their means. DQ_ERR_NUMERIC when a loss is no
 * longer finite, DQ_ERR_RANGE when a table is full. */
dq_status dq_agent_learn(dq_agent *agent, dq_agent_losses *losses, dq_error *error);
/* One update on the caller's rows, n <= fit_rows: what offline training is made of. Rows are single steps
 * (n_step is for observations). */
dq_status dq_agent_fit(dq_agent *agent, const dq_experience *rows, size_t n, dq_agent_losses *losses,
                       dq_error *error);
/* The losses on such rows, without dropout; nothing changes. */
dq_status dq_agent_evaluate_loss(dq_agent *agent, const dq_experience *rows, size_t n,
                                 dq_agent_losses *losses, dq_error *error);
/* An episode of a task is over (what is counted in episodes: target copies, decay). */
void dq_agent_end_episode(dq_agent *agent, uint32_t task);

/* What the world model predicts for n states (n, state_width) and actions: the next states (n, state_width),
 * rewards and chances of an end (n), each the mean over the ensemble; disagreement (n, may be NULL): the
 * models' standard deviation, root mean square over reward and next state (0 with one model). Planning goes
 * where it is small. DQ_ERR_UNSUPPORTED for an agent without a network for its world. */
dq_status dq_agent_predict(dq_agent *agent, const float *states, const uint32_t *actions, size_t n,
                           float *next, float *rewards, float *ends, float *disagreement, dq_error *error);

/* A network of the agent: "q", "target", "world.0" ...; NULL when it has none of that name. Its weights may
 * be set, as when an offline run goes back to its best epoch. */
dq_mlp *dq_agent_network(dq_agent *agent, const char *name);

double dq_agent_epsilon(const dq_agent *agent);
uint64_t dq_agent_steps(const dq_agent *agent); /* updates taken, planning not counted */

/* A model bundle (kind model, meta.architecture = the kind's name, the configuration and shape in meta); with
 * checkpoint also moments, targets, replay, random states: an agent that goes on equals one that never
 * stopped. Columns are borrowed from the agent or copied into the bundle's arena. */
dq_status dq_agent_save(dq_agent *agent, bool checkpoint, dq_bundle *model, dq_error *error);
/* The kind, configuration and shape of a saved agent (vectors of actions are the bundle's). */
dq_status dq_agent_read_config(dq_bundle *model, const char **kind, dq_agent_config *config,
                               dq_env_spec *shape, dq_error *error);
/* Into an agent of the same kind and shape (with a head on actions, these may be others). With checkpoint it
 * goes on as the one that was saved, which must have been a checkpoint; without, only what was learned comes
 * over, and the target is synced; then dqn takes dyna-q's Q too. */
dq_status dq_agent_load(dq_agent *agent, bool checkpoint, const dq_bundle *model, dq_error *error);

#endif
