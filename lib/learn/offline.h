/* SPDX-License-Identifier: MIT
 *
 * Offline training: passes in mini-batches over logged transitions of many users, with held-out groups and
 * early stopping (Prechelt, "Early stopping - but when?", 1998). Pre-training against cold start is this, and
 * so is learning from labels alone (gamma 0).
 *
 * Negatives: whatever a user was not seen with is drawn as an unwanted item, N for each labelled row, anew in
 * each batch (as Rendle et al., "BPR", 2009, draw theirs).
 *
 * Validation splits by group and never by row: users of one group (an occupation, a household) share their
 * labels, and rows of one user do too.
 *
 *     dq_offline_new(&run, &config, agent, rows, count, group, &e);
 *     while (!dq_offline_done(run)) { dq_offline_step(run, &ended, &e); if (ended)
 * report(dq_offline_last(run)); } dq_offline_finish(run);                                  the best epoch's
 * weights
 */
#ifndef DQ_LEARN_OFFLINE_H
#define DQ_LEARN_OFFLINE_H

#include "learn/dynaq.h"

/* What makes an epoch the best: the least validation loss, or the best order of held-out rows, which is what
 * a ranking is made of. On O*NET's labels the squared error turns after seven epochs, the order after ten. */
typedef enum dq_best_by { DQ_BEST_BY_LOSS, DQ_BEST_BY_ORDER } dq_best_by;

typedef struct dq_offline_config {
    size_t epochs, batch, negatives; /* batch counts labelled rows; negatives come on top */
    float negative_reward;
    double rate;                 /* the schedule's peak, over all epochs */
    const dq_schedule *schedule; /* NULL: constant */
    double validation;           /* share of the groups held out, 0 <= share < 1 */
    uint32_t fold, folds;        /* instead: fold 1 .. folds of the groups (cross-validation); 0: none */
    size_t patience;             /* epochs without a better one before stopping; 0: never */
    dq_best_by best_by;
    uint32_t candidates; /* items that the maximum runs over, drawn anew each epoch; 0: all */
    uint64_t seed;
} dq_offline_config;

/* Rows of the largest batch: what the agent's max_rows must hold. */
#define DQ_OFFLINE_ROWS(config) ((config).batch * (1 + (config).negatives))

/* What an epoch came to. Losses are mean squared errors over training rows (with dropout); validation_loss is
 * NAN without held-out rows. order is the concordance on held-out rows: of all pairs of rows of one user with
 * different rewards, the share that Q puts in the right order (ties count half; NAN when there is none). */
typedef struct dq_epoch {
    uint64_t epoch; /* from 1 */
    double q_loss, world_loss, validation_loss, order, rate;
    bool best;
} dq_epoch;

typedef struct dq_offline dq_offline;

/* rows are borrowed; a reward of NAN means seen but without a reward: neither learnt nor drawn as a negative.
 * group[user] names each user's group. Held-out groups are drawn by the seed among those with a labelled row;
 * with fewer than two groups none is. DQ_ERR_RANGE without a row to learn from. */
dq_status dq_offline_new(dq_offline **run, const dq_offline_config *config, dq_dynaq *agent,
                         const dq_transition *rows, size_t count, const uint32_t *group, dq_error *error);
void dq_offline_free(dq_offline *run);

/* Labelled rows learnt from and held out, groups held out, and batches an epoch. */
typedef struct dq_offline_sizes {
    size_t training, held_out, groups, held_out_groups, batches;
} dq_offline_sizes;
dq_offline_sizes dq_offline_size(const dq_offline *run);
/* Whether a user's group is held out. */
bool dq_offline_held_out(const dq_offline *run, uint32_t user);

/* One batch. *ended: it was the last of its epoch. */
dq_status dq_offline_step(dq_offline *run, bool *ended, dq_error *error);
/* All epochs are over, or patience is. */
bool dq_offline_done(const dq_offline *run);
dq_epoch dq_offline_last(const dq_offline *run);
uint64_t dq_offline_batches_done(const dq_offline *run); /* of all epochs */

/* Puts the best epoch's weights into the agent (the last ones without validation) and syncs the target. */
void dq_offline_finish(dq_offline *run);

/* Adds this run's place (not the agent's state) to a checkpoint, and takes it up again in a run made with the
 * same arguments. */
dq_status dq_offline_save(dq_offline *run, dq_bundle *model, dq_error *error);
dq_status dq_offline_restore(dq_offline *run, const dq_bundle *model, dq_error *error);

#endif
