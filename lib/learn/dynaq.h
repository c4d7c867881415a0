/* SPDX-License-Identifier: MIT
 *
 * Dyna-Q (Sutton, "Dyna, an integrated architecture for learning, planning, and reacting", SIGART Bulletin 2,
 * 1991) with neural networks: a deep Q-network (Mnih et al., Nature 518, 2015) and a world model that
 * predicts rewards. The agent of system A: states are users, actions are items, both by number.
 *
 *     Q update        Q(s, a) towards r + gamma max over the candidates a' of Q(s', a'; target)
 *     world update    r(s, a) towards r
 *     planning        N more Q updates on remembered pairs, with the world model's rewards
 *
 * Each is one Adam step on a batch. The target network is a copy of Q taken every target_every Q updates,
 * planning included. What is constant is computed once: the maximum over the candidates is a table by user,
 * valid until the next copy or set of candidates; the N planning batches are drawn together and their rewards
 * predicted in one pass over the distinct pairs. Tables and predictions run without dropout.
 *
 * Nothing is allocated after dq_dynaq_new. Every part draws from a stream of random numbers of its own.
 */
#ifndef DQ_LEARN_DYNAQ_H
#define DQ_LEARN_DYNAQ_H

#include "learn/replay.h"
#include "learn/schedule.h"
#include "net/net.h"

typedef enum dq_bootstrap {
    DQ_BOOTSTRAP_MAX,  /* Q-learning: the best candidate's value in the next state */
    DQ_BOOTSTRAP_SAME, /* the shortcut of some published code: the taken action's value in the next state */
} dq_bootstrap;

typedef struct dq_dynaq_config {
    dq_net_spec q, world; /* widths are those of the vectors; dropout in each */
    bool no_world;        /* no world model: no world update, no planning */
    double gamma;
    dq_bootstrap bootstrap;
    dq_adam adam;                /* rate is the schedule's peak */
    const dq_schedule *schedule; /* NULL: constant */
    uint64_t schedule_steps;     /* learning steps of the whole run */
    uint64_t target_every;       /* Q updates between copies, >= 1 */
    size_t batch, planning, replay, warmup;
    size_t max_rows; /* rows of the largest batch given to dq_dynaq_fit_*; at least batch */
    double epsilon, epsilon_min, epsilon_decay;
    uint64_t seed;
} dq_dynaq_config;

/* System A's numbers; the widths of the vectors are left to the caller. */
#define DQ_DYNAQ_DEFAULTS                                                                                    \
    {                                                                                                        \
        .q = {.hidden = {1024, 512, 256}, .hidden_count = 3, .dropout = 0.2},                                \
        .world = {.hidden = {1024, 512}, .hidden_count = 2, .dropout = 0.2}, .gamma = 0.9,                   \
        .adam = DQ_ADAM_DEFAULTS, .target_every = 1000, .batch = 64, .planning = 5, .replay = 100000,        \
        .warmup = 1000, .epsilon = 1.0, .epsilon_min = 0.01, .epsilon_decay = 0.995, .seed = 42              \
    }

typedef struct dq_dynaq dq_dynaq;

/* users, items: copied structs, borrowed vectors. pool is kept. */
dq_status dq_dynaq_new(dq_dynaq **agent, const dq_dynaq_config *config, const dq_vectors *users,
                       const dq_vectors *items, dq_pool *pool, dq_error *error);
void dq_dynaq_free(dq_dynaq *agent);

/* The actions on offer from now on (copied; n >= 1, items below items.count): what `act` chooses from and the
 * maximum runs over. */
void dq_dynaq_candidates(dq_dynaq *agent, const uint32_t *items, uint32_t n);

/* Epsilon-greedy: the index of a candidate. */
uint32_t dq_dynaq_act(dq_dynaq *agent, uint32_t user);
/* The best candidate's index (the first of equals); *value, when not NULL, its Q. */
uint32_t dq_dynaq_greedy(dq_dynaq *agent, uint32_t user, float *value);

/* Remembers a transition. */
void dq_dynaq_observe(dq_dynaq *agent, const dq_transition *transition);
/* Whether enough is remembered to learn: warmup transitions, and a batch. */
bool dq_dynaq_ready(const dq_dynaq *agent);

/* Mean squared errors of one learning step, before it (with dropout); planning is the mean over its updates.
 */
typedef struct dq_losses {
    double q, world, planning;
} dq_losses;

/* One learning step from the memory: Q update, world update, planning; then epsilon decays. Needs
 * dq_dynaq_ready. DQ_ERR_NUMERIC when a loss is no longer finite. */
dq_status dq_dynaq_learn(dq_dynaq *agent, dq_losses *losses, dq_error *error);

/* The parts of a step on the caller's rows (n <= max_rows) and rate: what offline training is made of.
 * dq_dynaq_targets gives r + gamma V(s') as the Q update uses them. */
dq_status dq_dynaq_fit_q(dq_dynaq *agent, const dq_transition *rows, size_t n, double rate, double *loss,
                         dq_error *error);
dq_status dq_dynaq_fit_world(dq_dynaq *agent, const dq_transition *rows, size_t n, double rate, double *loss,
                             dq_error *error);
void dq_dynaq_targets(dq_dynaq *agent, const dq_transition *rows, size_t n, float *targets);

/* world is NULL with no_world. */
dq_net *dq_dynaq_q(dq_dynaq *agent);
dq_net *dq_dynaq_world(dq_dynaq *agent);
dq_vectors dq_dynaq_users(const dq_dynaq *agent);
dq_vectors dq_dynaq_items(const dq_dynaq *agent);
double dq_dynaq_epsilon(const dq_dynaq *agent);
uint64_t dq_dynaq_steps(const dq_dynaq *agent);   /* learning steps taken */
uint64_t dq_dynaq_updates(const dq_dynaq *agent); /* Q updates taken, planning included */
/* Counts a learning step taken with dq_dynaq_fit_*. */
void dq_dynaq_count_step(dq_dynaq *agent);

/* Takes over the counts of an agent whose weights were set into this one (trained in another process). */
void dq_dynaq_set_counts(dq_dynaq *agent, uint64_t steps, uint64_t updates);

/* Copies Q into the target network now (after weights were set from outside). */
void dq_dynaq_sync(dq_dynaq *agent);

/* Adds the networks and meta architecture, gamma, step, updates to a model bundle (kind model, rows 0); with
 * checkpoint also Adam's moments, the target network, replay, epsilon, random states and candidates. Columns
 * are borrowed from the agent or copied into the bundle's arena. */
dq_status dq_dynaq_save(dq_dynaq *agent, bool checkpoint, dq_bundle *model, dq_error *error);

/* Weights from a model of the same shape (also a checkpoint's); the target is synced; the moments stay zero.
 * A model without a world model leaves the agent's as it was drawn. */
dq_status dq_dynaq_init_from(dq_dynaq *agent, const dq_bundle *model, dq_error *error);

/* Everything, from a checkpoint: the agent goes on as the one that was saved. DQ_ERR_SCHEMA when the bundle
 * is none, or not of this agent's shape. */
dq_status dq_dynaq_restore(dq_dynaq *agent, const dq_bundle *model, dq_error *error);

#endif
