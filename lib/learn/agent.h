/* SPDX-License-Identifier: MIT
 *
 * Agents: tabular Q-learning, deep Q-networks, Dyna-Q, decision transformers, linear bandits, for every
 * environment (env/env.h) and every way of training. Each kind is one entry of a table; what they share
 * (exploration, replay, losses, schedules) are options that any of them takes where it means something.
 *
 *     dq_agent_new(&agent, "dqn", &config, &shape, pool, &e);
 *     dq_agent_act(agent, &states, NULL, n, true, actions);          n environments side by side; explores
 *     dq_agent_observe(agent, i, &states, &transition, over);        of environment i, in order
 *     while (dq_agent_ready(agent)) dq_agent_learn(agent, &losses, &e);
 *
 * States are numbers of a store (dq_vectors) that comes with each call. In an environment of numbered states
 * (shape.states) it is that one, and the agent keeps numbers alone: what it finds out of a state then holds
 * wherever that state comes again. Elsewhere vectors are copied where they are kept.
 *
 * Nothing is allocated after dq_agent_new. Every part draws from a stream of random numbers of its own.
 */
#ifndef DQ_LEARN_AGENT_H
#define DQ_LEARN_AGENT_H

#include "core/ranks.h"
#include "core/transition.h"
#include "data/catalogue.h"
#include "dq/bundle.h"
#include "env/env.h"
#include "math/adam.h"
#include "math/pool.h"
#include "math/schedule.h"
#include "net/loss.h"
#include "net/net.h"

enum { DQ_AGENT_MAX_CONTEXT = DQ_NET_MAX_TOKENS / 3 }; /* steps of a dt, of three tokens each */

typedef enum dq_explore_by { DQ_EXPLORE_EPSILON, DQ_EXPLORE_SOFTMAX } dq_explore_by;
extern const char *const dq_explore_by_names[]; /* "epsilon", "softmax", NULL */

/* Epsilon after t counts of decay_by:
 *
 *     multiplicative   max(min, epsilon decay^t)
 *     exponential      min + (epsilon - min) e^(-t / decay)
 *     linear           from epsilon to min in `decay` counts
 */
typedef enum dq_decay_form { DQ_DECAY_MULTIPLICATIVE, DQ_DECAY_EXPONENTIAL, DQ_DECAY_LINEAR } dq_decay_form;
extern const char *const dq_decay_form_names[]; /* "multiplicative", "exponential", "linear", NULL */

/* What time is counted in. steps: observations. run: the share of the run that is done (dq_agent_progress);
 * linear alone then, with a decay of at most 1, so that epsilon is at its least when the run is over. */
typedef enum dq_count_by { DQ_BY_UPDATES, DQ_BY_STEPS, DQ_BY_EPISODES, DQ_BY_RUN } dq_count_by;
extern const char *const dq_count_by_names[]; /* "updates", "steps", "episodes", "run", NULL */

typedef enum dq_bootstrap {
    DQ_BOOTSTRAP_MAX,  /* Q-learning: the value of the best action on offer in the next state */
    DQ_BOOTSTRAP_SAME, /* the shortcut of some published code: of the action that was taken, there */
} dq_bootstrap;
extern const char *const dq_bootstrap_names[]; /* "max", "same", NULL */

typedef struct dq_agent_config {
    /* the network */
    uint32_t hidden[DQ_NET_MAX_HIDDEN], hidden_count;
    uint32_t value_hidden[DQ_NET_MAX_HIDDEN], value_hidden_count; /* dueling's V: see net/net.h */
    double dropout;
    uint32_t dropout_layers; /* behind the first so many hidden layers; 0: behind all */
    dq_activation activation;
    dq_precision precision; /* of training's products */
    bool batch_norm;        /* Ioffe and Szegedy, 2015 */
    bool dueling;           /* Wang et al., 2016: V(s) + A(s, a) - mean A; see net/net.h */
    bool sparse;            /* few numbers of a state are not zero: the first layer gathers them */
    dq_head head;
    dq_encoder encoder;
    uint32_t blocks, heads, encoder_width;    /* of an encoder that is a transformer; else of no meaning */
    dq_pairing features[DQ_NET_MAX_FEATURES]; /* cross features of state and action: a head on actions' */
    uint32_t feature_count;
    /* Beside the hidden layers, as net/net.h has them; Q alone, not the world model. given: features of
     * numbered states that somebody makes; who makes them is a part of the run, not of the model. */
    dq_pair_features given;
    double feature_scale, input_dropout;
    uint32_t factored;
    dq_hidden_inputs hidden_inputs;
    bool direct, calibrated;
    /* learning */
    uint32_t trained_layers; /* of each network the last so many learn (net/net.h); 0: all */
    double gamma;
    dq_bootstrap bootstrap;
    bool double_q;   /* van Hasselt et al., "Deep reinforcement learning with double Q-learning", 2016 */
    uint32_t n_step; /* Sutton, 1988; Hessel et al., "Rainbow", 2018 */
    dq_loss loss;
    double huber_delta; /* where Huber's loss becomes linear */
    /* A loss of lists is of dq_agent_fit_lists alone, of at most so many states and actions: nothing else of
     * such an agent learns. */
    double list_temperature;
    size_t list_states;
    uint32_t list_actions;
    dq_adam adam;                 /* with weight decay */
    double clip_norm, clip_value; /* of the gradient; 0: none (Pascanu et al., 2013) */
    const dq_schedule *schedule;  /* of the rate; NULL: constant */
    double schedule_decay;        /* the rate's factor at the end, of a schedule that has one */
    uint64_t schedule_steps; /* rate and importance reach their ends after so many learning steps; 0: when
                                the run is done, as dq_agent_progress says */
    uint64_t target_every;   /* counts of target_by between copies; with tau the target moves that often */
    dq_count_by target_by;   /* not DQ_BY_RUN; updates: planning included */
    double tau;              /* 0: copies; else the target follows softly (Lillicrap et al., 2016) */
    size_t batch, replay;    /* rows of an update; transitions remembered, */
    uint64_t run_steps;      /* of which a run makes no more than these; 0: not known. Not of the model */
    size_t warmup;           /* observations before the first update; those of a batch, if they are more */
    size_t train_every, updates; /* every train_every observations that many updates */
    size_t fit_rows;             /* rows of the largest batch given to dq_agent_fit; at least batch */
    uint32_t tiles; /* of an update that this process makes gradients of (dq_agent_fit_tile), a power of two;
                       0: no update is cut so. A part of the run, not of the model */
    uint32_t offered;            /* the maximum of actions that dq_agent_offer will name; 0: all */
    double priority, importance; /* alpha, and beta, which rises linearly to 1 (Schaul et al., "Prioritized
                                    experience replay", 2016); alpha 0: uniform */
    /* Values that are bootstrapped from stay within [value_min, value_max], where bounded: what a log's
     * rewards allow. A part of the run, not of the model: it is not saved. */
    bool bounded;
    double value_min, value_max;
    double conservative; /* alpha of conservative Q-learning (Kumar et al., 2020); 0: none */
    /* dt: what it reads is windows of so many steps (learn/trajectory.h); 0: every other kind */
    uint32_t context;
    bool imitates;                    /* returns are not shown: behaviour cloning */
    double wish, greatest_return;     /* the return that it acts for, and the most that it asks for */
    double return_mean, return_scale; /* what it reads of a return: less the one, by the other (above 0) */
    /* tabular */
    double alpha;    /* the step (Watkins and Dayan, 1992) */
    uint32_t states; /* distinct states that the table has room for; numbered states: all of them, whatever is
                        said here */
    /* bandits (learn/bandit/bandit.h) */
    double ridge, spread; /* lambda of the prior; how far from the mean it explores, in deviations */
    bool outer;           /* products of state and action: a head on actions */
    /* the world model: predicts reward, the change of state, and the end; of numbered states, which stay as
     * they are, the reward alone. tabular: a table of what was seen */
    bool world; /* dyna-q: false: none, and then no planning */
    uint32_t world_hidden[DQ_NET_MAX_HIDDEN], world_hidden_count; /* none: as `hidden` */
    uint32_t planning;                                            /* planning updates an update */
    uint32_t rollout; /* dyna-q: steps that each looks ahead, >= 1 */
    uint32_t models;  /* dyna-q: networks of the ensemble (Kurutach et al., 2018), >= 1 */
    /* Of a saved model: networks of Q (learn/members.h). An agent has one, whatever is said here. */
    uint32_t q_models;
    /* exploration */
    dq_explore_by explore_by;
    dq_decay_form decay_form;
    dq_count_by decay_by;
    double epsilon, epsilon_min, epsilon_decay, temperature;
    uint32_t envs; /* side by side */
    uint64_t seed;
} dq_agent_config;

typedef struct dq_agent_losses {
    double q, world, planning, gradient; /* NAN where there is none; gradient: its norm before clipping */
} dq_agent_losses;

typedef struct dq_agent dq_agent;

/* What the functions of an agent of each kind do is said with those below. */
typedef struct dq_agent_kind {
    const char *name, *help;
    dq_agent_config defaults;
    const struct dq_agent_functions *functions;
} dq_agent_kind;

/* tabular, dqn, dyna-q, dt, linucb, thompson. Ended by NULL. */
extern const dq_agent_kind *const dq_agent_kinds[];
const dq_agent_kind *dq_agent_find(const char *name);

/* DQ_ERR_UNKNOWN for a kind that is not in the table, DQ_ERR_RANGE when the options do not fit each other or
 * the shape (a head on actions without vectors, an encoder without history, a network's option for a table),
 * DQ_ERR_MEMORY. pool is kept; the shape's vectors of actions and
 * numbered states are borrowed as long as the agent lives, the arrays of pointers to actions are copied. */
dq_status dq_agent_new(dq_agent **agent, const char *kind, const dq_agent_config *config,
                       const dq_env_spec *shape, dq_pool *pool, dq_error *error);
/* One that acts by weights as they are drawn, or by an empty table: it has as little as dq_agent_of_model's.
 */
dq_status dq_agent_new_untrained(dq_agent **agent, const char *kind, const dq_agent_config *config,
                                 const dq_env_spec *shape, dq_pool *pool, dq_error *error);
/* An agent of a model bundle that acts, ranks and predicts: what only training needs (replay, target, buffers
 * of updates) it has not, and learning from it is DQ_ERR_UNSUPPORTED; it is never ready. shape NULL: the
 * model's own, whose vectors of actions point into the bundle; else one that the model fits (with a head on
 * actions, these may be others). An agent of numbered states holds neither them nor vectors of actions:
 * DQ_ERR_RANGE without a shape. */
dq_status dq_agent_of_model(dq_agent **agent, const dq_bundle *model, const dq_env_spec *shape, dq_pool *pool,
                            dq_error *error);
/* Who makes the features that its network is given, of its numbered states: for an agent of a model, which
 * acts and has values only then (dq_agent_lacks_features). DQ_ERR_SCHEMA for others than as many as the
 * network takes; there are none then. */
dq_status dq_agent_give(dq_agent *agent, const dq_pair_features *given, dq_error *error);
bool dq_agent_lacks_features(const dq_agent *agent);
void dq_agent_free(dq_agent *agent);
const dq_agent_config *dq_agent_get_config(const dq_agent *agent);
const dq_env_spec *dq_agent_get_shape(const dq_agent *agent);
const char *dq_agent_get_kind(const dq_agent *agent); /* its name */
/* The width of what it reads where others read a state: that of a state, or of a window of trajectories
 * (config.context steps, learn/trajectory.h), which then stands for it in every call below. */
uint32_t dq_agent_input_width(const dq_agent *agent);
/* Windows of n episodes for it to read; NULL, and DQ_OK, where it reads states, and of no agent. */
struct dq_trajectories;
dq_status dq_agent_trajectories(const dq_agent *agent, size_t n, struct dq_trajectories **trajectories,
                                dq_error *error);

/* ---- acting ---- */

/* On offer from now on (copied; n >= 1, distinct, below action_count, n <= config.offered where that is not
 * 0): actions are chosen from them, and the maximum runs over them. NULL: all, with which an agent of fewer
 * only acts and ranks. At first all are, or the first config.offered. */
void dq_agent_offer(dq_agent *agent, const uint32_t *actions, uint32_t n);
/* What is on offer (n), until the next offer. */
const uint32_t *dq_agent_get_offer(const dq_agent *agent, uint32_t *n);

/* Actions (n; by number of the action, not of the offer) in the states number[i] of a store, number NULL: 0,
 * 1, 2 ...: greedy, the first of equals; or exploring, where any of equals may come. */
void dq_agent_act(dq_agent *agent, const dq_vectors *states, const uint32_t *number, size_t n, bool explore,
                  uint32_t *actions);
/* Q of every action on offer, in the order of the offer: (n, offered). */
void dq_agent_values(dq_agent *agent, const dq_vectors *states, const uint32_t *number, size_t n, float *q);
/* Whether the several actions on offer have one value in a state, to 1e-6 of it: nothing is ranked there.
 * Their values go to q (offered). */
bool dq_agent_is_indifferent(dq_agent *agent, const dq_vectors *states, uint32_t state, float *q);
/* What that means, in words. */
#define DQ_AGENT_INDIFFERENT                                                                                 \
    "the model gives every action the same value, so it ranks nothing (try a smaller --lr)"

/* ---- learning ---- */

/* One step of an environment, a single one (its discount is not looked at). over: the episode ended or was
 * truncated.
 */
void dq_agent_observe(dq_agent *agent, uint32_t env, const dq_vectors *states,
                      const dq_transition *transition, bool over);
/* Whether a learning step is due: enough is remembered, and train_every observations were made since then
 * or since the last. */
bool dq_agent_ready(const dq_agent *agent);
/* One learning step, of `updates` updates; the losses are their means. DQ_ERR_NUMERIC when a loss is no
 * longer finite, DQ_ERR_RANGE when a table is full, or no step is due. */
dq_status dq_agent_learn(dq_agent *agent, dq_agent_losses *losses, dq_error *error);
/* An episode of an environment is over (what is counted in episodes: target copies, decay). */
void dq_agent_end_episode(dq_agent *agent);
/* The share of the run that is done, in [0, 1]: steps, episodes or batches of all. What is scheduled by the
 * run follows it. */
void dq_agent_progress(dq_agent *agent, double done);
/* How far schedules are, in [0, 1]: that share, or that of schedule_steps, whose learning steps are all done
 * at 1. */
double dq_agent_scheduled(const dq_agent *agent);

/* One update on the caller's rows (n <= fit_rows), whose discount counts: what offline training is made of.
 * weight (n) scales each row's loss; NULL: 1. */
dq_status dq_agent_fit(dq_agent *agent, const dq_vectors *states, const dq_transition *rows, size_t n,
                       const float *weight, dq_agent_losses *losses, dq_error *error);
/* The same on a batch that is cut into tiles, whose gradients are summed in a fixed tree (math/tree.h), here
 * and over all ranks: a row's part in the sum does not depend on how many ranks there are. This process calls
 * dq_agent_fit_tile for each of its config.tiles tiles, in their order, then dq_agent_fit_tiles. */
typedef struct dq_agent_tile {
    const dq_transition *rows; /* (n) as of dq_agent_fit; n may be 0 */
    size_t n;
    const float *weight; /* (n); NULL: 1 */
    double share;        /* of the batch's rows, that these are */
    dq_rng rng;          /* dropout's */
} dq_agent_tile;
/* *loss: the mean over the tile's rows, 0 of none; not finite where training has diverged, which is no
 * failure of this call. DQ_ERR_UNSUPPORTED by an agent that is no dqn, that has a world model, batch norm, or
 * a loss of lists. */
dq_status dq_agent_fit_tile(dq_agent *agent, const dq_vectors *states, const dq_agent_tile *tile,
                            double *loss, dq_error *error);
/* The update; loss is the batch's, and all ranks know the same one. ranks NULL: all tiles are here. */
dq_status dq_agent_fit_tiles(dq_agent *agent, const dq_ranks *ranks, double loss, dq_agent_losses *losses,
                             dq_error *error);
/* Of the last fit or evaluation: Q(s, a) of its rows (n), and their TD errors (n), which are Q(s, a) less
 * what was wanted; the agent's. */
const float *dq_agent_taken(const dq_agent *agent);
const float *dq_agent_errors(const dq_agent *agent);
/* The losses on such rows, without dropout; nothing changes. */
dq_status dq_agent_evaluate_loss(dq_agent *agent, const dq_vectors *states, const dq_transition *rows,
                                 size_t n, dq_agent_losses *losses, dq_error *error);

/* Lists of actions: n distinct states of a store, each with all of so many distinct actions. */
typedef struct dq_agent_lists {
    size_t n, columns;
    const uint32_t *state, *action; /* (n), (columns) */
    const float *grade, *offset;    /* (n, columns) as net/loss.h says; offset may be NULL */
    const float *features;          /* (n, columns, given.width); NULL where nothing is given */
} dq_agent_lists;

/* One update of Q by config.loss, the mean over lists; and of a world model on rows (n_rows <= fit_rows, may
 * be 0), which are transitions as in dq_agent_fit. The loss is in the output's own unit, calibration left
 * out. DQ_ERR_UNSUPPORTED for an agent that has no such loss, DQ_ERR_RANGE for lists that do not fit. */
dq_status dq_agent_fit_lists(dq_agent *agent, const dq_vectors *states, const dq_agent_lists *lists,
                             const dq_transition *rows, size_t n_rows, dq_agent_losses *losses,
                             dq_error *error);
/* The loss on such lists, without dropout; nothing changes. */
dq_status dq_agent_evaluate_lists(dq_agent *agent, const dq_vectors *states, const dq_agent_lists *lists,
                                  dq_agent_losses *losses, dq_error *error);

/* ---- the world model ---- */

/* What it predicts for n states and actions: the next states (n, state_width; NULL for numbered states, which
 * stay as they are), rewards and probabilities of an end (n; 0 for numbered states), each the mean over the
 * ensemble; disagreement (n, may be NULL): the models' standard deviation, root mean square over reward and
 * next state (0 with one model). Planning goes where it is small. DQ_ERR_UNSUPPORTED for an agent without a
 * network for its world, DQ_ERR_RANGE for an action that there is not. */
dq_status dq_agent_predict(dq_agent *agent, const dq_vectors *states, const uint32_t *number,
                           const uint32_t *actions, size_t n, float *next, float *rewards,
                           float *done_probability, float *disagreement, dq_error *error);

/* ---- what it is ---- */

/* A network of the agent: "q", "target", "world.0" ...; NULL when it has none of that name. Its weights may
 * be set, as when an offline run goes back to its best epoch. Fetch it anew each time that they are: what the
 * agent found by a target holds until then. */
dq_net *dq_agent_network(dq_agent *agent, const char *name);

/* The name of network m of Q in a bundle, of one or several (learn/members.h): "q", "q.1", "q.2" ... */
enum { DQ_AGENT_Q_NAME = 32 };
const char *dq_agent_q_name(char name[DQ_AGENT_Q_NAME], size_t m);

/* As they are for the next learning step: exploration, the learning rate (a table's alpha), and the exponent
 * of importance weights (NAN without priorities). */
double dq_agent_epsilon(const dq_agent *agent);
double dq_agent_rate(const dq_agent *agent);
double dq_agent_beta(const dq_agent *agent);
uint64_t dq_agent_steps(const dq_agent *agent);   /* updates taken, planning not counted */
uint64_t dq_agent_updates(const dq_agent *agent); /* updates taken, planning included */

/* ---- bundles ---- */

/* A model bundle (kind model, meta.architecture = the kind's name, the configuration in meta.agent, the shape
 * in meta.env_spec); with checkpoint also moments, targets, replay, what is on offer, random states: an agent
 * that goes on equals one that never stopped. Columns are borrowed from the agent or copied into the bundle's
 * arena. Vectors of actions are saved unless states are numbered. DQ_ERR_UNSUPPORTED for a checkpoint of
 * dq_agent_of_model's. */
dq_status dq_agent_save(dq_agent *agent, bool checkpoint, dq_bundle *model, dq_error *error);
/* The kind, configuration and shape of a saved agent; vectors of actions and numbered states are NULL, and
 * only counted. DQ_ERR_SCHEMA for what is no agent, or one of an older dq. */
dq_status dq_agent_read_config(const dq_bundle *model, const char **kind, dq_agent_config *config,
                               dq_env_spec *shape, dq_error *error);
/* Parts of a network that were not asked for become those of a saved agent that training starts from: hidden,
 * value-hidden, world-hidden, features (cosines), feature-scale, hidden-inputs, direct, factored, head,
 * encoder, dueling, batch-norm, activation. */
void dq_agent_config_inherit(dq_agent_config *config, const dq_agent_config *saved,
                             bool (*given)(const void *arg, const char *part), const void *arg);
/* The same without a world model: what belongs to one is as if there were never one. */
void dq_agent_config_drop_world(dq_agent_config *config);
/* Where there are neither features nor any given, what was not asked for (hidden-inputs, direct) does without
 * them. */
void dq_agent_config_drop_features(dq_agent_config *config, bool (*given)(const void *arg, const char *part),
                                   const void *arg);
/* Of the two ways to move the target (target-every, tau) the one that alone was asked for. */
void dq_agent_config_choose_target(dq_agent_config *config, bool (*given)(const void *arg, const char *part),
                                   const void *arg);
/* Both numbers of epsilon's fall: its factor (epsilon-decay), and the time it takes (epsilon-over, 0: none
 * said), of which the form has use for one. */
typedef struct dq_agent_decay {
    double factor, over;
} dq_agent_decay;
/* Chooses form and number of epsilon's fall. A number that was asked for asks for its form, unless
 * epsilon-form was given; by the run it falls over all of it. DQ_ERR_RANGE for a form without its number, and
 * for a number that it has no use for. */
dq_status dq_agent_config_choose_decay(dq_agent_config *config, const dq_agent_decay *asked,
                                       bool (*given)(const void *arg, const char *part), const void *arg,
                                       dq_error *error);
/* Whether histories of one-hot items are gathered rather than multiplied by an agent of this kind. */
bool dq_agent_suits_sparse(const char *kind, const dq_agent_config *config, const dq_env_spec *shape);
/* Whether users and items of a catalogue have the fields that a model with this shape (dq_agent_read_config)
 * learnt: the errors of dq_layout_fits. Layers are compared when weights are loaded. */
dq_status dq_agent_shape_fits(const dq_env_spec *shape, const dq_catalogue *catalogue, const dq_bundle *model,
                              dq_error *error);
/* Points at (shape->action_count) to a saved agent's vectors of actions, which stay in the bundle, where it
 * has some (shape->action_width, as dq_agent_read_config says). DQ_ERR_SCHEMA where they are not as many. */
dq_status dq_agent_read_actions(const dq_bundle *model, const dq_env_spec *shape, const float **at,
                                dq_error *error);
/* Into an agent of the same kind and shape (with a head on actions, these may be others, and so may numbered
 * states). With checkpoint it goes on as the one that was saved, which must have been a checkpoint; without,
 * only what was learned comes over, and the target is synced; then dqn and dyna-q take each other's Q, and a
 * world model that is not in the bundle stays as it was drawn. */
dq_status dq_agent_load(dq_agent *agent, bool checkpoint, const dq_bundle *model, dq_error *error);

#endif
