/* SPDX-License-Identifier: MIT
 *
 * Offline learning of agents whose states are vectors (learn/agent.h), from rows that were logged: passes in
 * mini-batches, with held-out groups and early stopping (Prechelt, "Early stopping - but when?", 1998), as
 * learn/offline.h has them for system A. What a row is, its source says: sessions (learn/sessions.h), or
 * transitions as they are (dq_logged_transitions).
 *
 *     dq_logged_new(&run, &config, agent, spare, &rows, &e);
 *     while (!dq_logged_done(run)) { dq_logged_step(run, &ended, &e); if (ended) dq_logged_last(run); }
 *     dq_logged_finish(run, &e);                                      the best epoch's weights
 */
#ifndef DQ_LEARN_LOGGED_H
#define DQ_LEARN_LOGGED_H

#include "core/pairset.h"
#include "learn/agent.h"

enum { DQ_LOGGED_TOP = 10 }; /* hits and NDCG are counted in the first ten */

/* Where rows come from. Borrowed. */
typedef struct dq_logged_rows {
    void *self;
    size_t count;
    uint32_t users;         /* whoever's rows are held out together: users, or episodes */
    const uint32_t *user;   /* (count) */
    const uint32_t *group;  /* (users) users of one group are held out together; NULL: each alone */
    const uint32_t *action; /* (count) */
    const float *reward;    /* (count) NAN: not learnt from */
    uint32_t state_width, actions;
    /* Fills an experience; state and next are room for its vectors (state_width), which may lie elsewhere. */
    void (*fill)(void *self, size_t row, float *state, float *next, dq_experience *experience);
    const dq_pairset
        *met;    /* users and actions that have: what negatives are not. NULL: there are no negatives */
    bool ends;   /* some row may be terminal */
    bool ranked; /* held-out rows with a positive reward are judged by their action's rank */
} dq_logged_rows;

typedef enum dq_logged_best { DQ_LOGGED_BEST_BY_LOSS, DQ_LOGGED_BEST_BY_ORDER } dq_logged_best;

typedef struct dq_logged_config {
    size_t epochs, batch, negatives; /* batch counts logged rows; negatives come on top: actions that the user
                                        never met, as passed over, which leave the state as it is */
    float negative_reward;
    double validation;      /* share of the groups held out */
    uint32_t fold, folds;   /* instead: fold 1 .. folds of the groups; folds 0: none */
    size_t patience;        /* epochs without a better one before stopping; 0: never */
    dq_logged_best best_by; /* the least loss on held-out rows, or their greatest NDCG */
    uint64_t seed;
} dq_logged_config;

/* Rows of the largest batch: what the agent's fit_rows must hold. */
#define DQ_LOGGED_ROWS(config) ((config).batch * (1 + (config).negatives))

/* What an epoch came to; the last three are NAN without held-out rows, or ranks. hit: the share of held-out
 * rows whose action stands in the first ten; ndcg: the mean of 1 / log2(1 + rank) there, else 0. Of equal
 * values the action in question is the last. */
typedef struct dq_logged_epoch {
    uint64_t epoch; /* from 1 */
    double q_loss, world_loss, validation_loss, hit, ndcg;
    bool best;
} dq_logged_epoch;

typedef struct dq_logged dq_logged;

/* spare is a second agent of the same kind and configuration, which keeps the best weights. Both are
 * borrowed. DQ_ERR_RANGE without a row to learn from, or for rows whose states and actions are not as many as
 * the agent's. */
dq_status dq_logged_new(dq_logged **run, const dq_logged_config *config, dq_agent *agent, dq_agent *spare,
                        const dq_logged_rows *rows, dq_error *error);
void dq_logged_free(dq_logged *run);

/* Rows learnt from and held out, groups and those held out, batches an epoch. */
typedef struct dq_logged_sizes {
    size_t training, held_out, groups, held_out_groups, batches;
} dq_logged_sizes;
dq_logged_sizes dq_logged_size(const dq_logged *run);
/* About the batches of an epoch, before there is a run: an agent's schedules want to know. */
size_t dq_logged_batches(const dq_logged_config *config, const dq_logged_rows *rows);

/* What a log's rewards allow a value to be, into an agent's configuration: each is at least the least reward
 * (or that of a negative) for ever, r / (1 - gamma), at most the greatest; where there are ends 0 is allowed,
 * too. A log seldom holds the state after its last event once more; nobody knows the values there, but these
 * bounds hold. */
void dq_logged_bound(const dq_logged_config *config, const dq_logged_rows *rows, dq_agent_config *agent);

/* One batch. *ended: it was the last of its epoch. */
dq_status dq_logged_step(dq_logged *run, bool *ended, dq_error *error);
bool dq_logged_done(const dq_logged *run);
dq_logged_epoch dq_logged_last(const dq_logged *run);
uint64_t dq_logged_batches_done(const dq_logged *run);

/* Puts the best epoch's weights into the agent (the last ones without validation). */
dq_status dq_logged_finish(dq_logged *run, dq_error *error);

/* Adds this run's place and best weights (not the agent's state) to a checkpoint, and takes them up again in
 * a run made with the same arguments. */
dq_status dq_logged_save(dq_logged *run, dq_bundle *model, dq_error *error);
dq_status dq_logged_restore(dq_logged *run, const dq_bundle *model, dq_error *error);

/* Transitions with vectors for states, in the order of the log. */
typedef struct dq_logged_transitions {
    size_t count;
    uint32_t state_width, actions, episodes;
    const float *state, *next; /* (count, state_width) */
    const uint32_t *action, *episode;
    const float *reward;
    const uint8_t *done;
} dq_logged_transitions;

/* The rows of such a log, which is borrowed. */
dq_logged_rows dq_logged_of_transitions(dq_logged_transitions *log);

#endif
