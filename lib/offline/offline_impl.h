/* SPDX-License-Identifier: MIT
 *
 * The inside of an offline run, shared by offline.c (batches, checkpoints), rows.c (their
 * rows) and validate.c (held-out rows).
 */
#ifndef DQ_OFFLINE_OFFLINE_IMPL_H
#define DQ_OFFLINE_OFFLINE_IMPL_H

#include "learn/replay.h"
#include "offline/lists.h"
#include "offline/meta.h"
#include "offline/offline.h"

enum { RNG_ORDER, RNG_NEGATIVES, RNG_PRIORITY, RNG_WORLD_ROWS, RNG_OFFLINE_COUNT };

/* Of held-out lists, whose draws are the same each time. */
enum { LISTS_STREAM = 205 };

/* Where a run stands: plain numbers, saved as they are. */
typedef struct offline_state {
    uint64_t epoch, position, batches; /* epochs begun, rows of this epoch done, batches in all */
    double q_sum, world_sum;           /* of the running epoch, by rows */
    uint64_t row_sum;
    double min;                      /* the best epoch's loss, or 1 - its concordance or NDCG */
    double min_loss;                 /* the best epoch's loss: decides between equal ones */
    uint64_t best_epoch, bad_epochs; /* best_epoch 0: none yet */
    bool stopped;
    dq_offline_epoch last;
} offline_state;

/* A held-out row, or an action that was drawn as passed over in its state. */
typedef struct offline_held {
    uint32_t user, row, action;
    float reward;
    bool negative;
} offline_held;

/* Sums over held-out rows: of losses, of pairs and those in the right order, of hits and NDCG of what is
 * ranked. */
typedef struct offline_sums {
    double loss, right, pairs, hit, ndcg, ranked;
} offline_sums;

/* What a tile of a batch came to. */
typedef struct offline_tile_loss {
    double loss, rows;
} offline_tile_loss;

/* The tiles of a batch, of which this process makes `own` from `first` on. Without tiles there is one, which
 * has all rows. */
typedef struct offline_tiles {
    uint32_t count, first, own;
    uint64_t *length;        /* (count) rows to learn from of each, here or elsewhere */
    size_t *start;           /* (own + 1) where each one's rows begin in the order, */
    size_t *held;            /* (own + 1) and in held_out */
    size_t *next;            /* (own) scratch */
    offline_sums *sums;      /* (count) */
    offline_tile_loss *loss; /* (count) */
} offline_tiles;

/* Of meta-learning: the rows of each user, who is a task. */
typedef struct offline_tasks {
    uint32_t *first, *row; /* (users + 1), (rows) as of lists */
    uint32_t *drawn;       /* (the most rows of a user) those of the user at hand, shuffled */
} offline_tasks;

struct dq_offline {
    dq_offline_config config;
    dq_agent *agent;
    dq_offline_rows rows;
    double gamma;
    double weight_unit; /* brings balanced weights to a mean of 1 */

    uint8_t *held; /* (users) 1 where the user's group is held out */
    size_t groups, held_groups, held_rows;
    offline_tiles tiles;
    /* The same over all processes: rows to learn from, those held out, with negatives. */
    size_t all_training, all_held_rows, all_held;
    uint32_t *order; /* (order_count) rows to learn from, shuffled each epoch; with priorities as they come */
    size_t order_count;
    dq_replay *priorities;  /* rows of `order` by priority; NULL: none */
    offline_held *held_out; /* (held_count) by user and row, negatives behind their row */
    float *held_value;      /* (held_count) Q */
    size_t held_count;
    dq_best_by criterion;
    bool by_lists;
    offline_lists lists; /* by_lists */
    dq_meta *meta;       /* NULL: ordinary training */
    offline_tasks tasks;
    uint32_t *users; /* (user_count) who is learnt from user by user, shuffled each epoch; NULL: by rows */
    size_t user_count;

    /* a batch */
    dq_transition *batch; /* (max rows) */
    float *weight;        /* (max rows) */
    float *errors;        /* (batch) of the logged rows */
    uint32_t *slots;      /* (batch) drawn by priority */
    float *slot_weight;   /* (batch) */
    uint32_t *first;      /* (batch) where in the batch a logged row stands */
    float *vectors;       /* (2 max rows, state_width): a state and its next one; none for numbered states */
    const float **at;     /* (2 max rows) them */
    dq_vectors states;    /* the store of a batch: these, or the numbered states */

    /* ranks */
    uint32_t rank_rows;   /* states that are ranked at once */
    uint32_t *rank_at;    /* (rank_rows) their numbers */
    float *rank_values;   /* (rank_rows, actions) */
    uint32_t *offered;    /* (actions) on offer in this epoch: config.candidates of them */
    uint32_t *eval_offer; /* (candidates) on offer when held-out rows are evaluated */
    uint32_t *scratch;    /* (actions) */

    dq_bundle best; /* the best epoch's model (learn/kept.h) */
    dq_rng rng[RNG_OFFLINE_COUNT];
    offline_state state;
    dq_arena arena; /* the buffers */
};

/* Makes row k of the batch from a logged row, over n steps. Returns whether its first step ended it. */
bool offline_fill(dq_offline *run, size_t k, uint32_t row);
/* Finds what weights by propensity come to: DQ_ERR_RANGE for a row that has none. */
dq_status offline_balance(dq_offline *run, dq_error *error);
/* A logged row's, 1 where nothing is balanced. */
float offline_weight(const dq_offline *run, uint32_t row);
/* Makes row k of row `of` (it may be k): another action, passed over. */
void offline_pass_over(dq_offline *run, size_t k, size_t of, bool ends, uint32_t action);

/* Adds a row and its negatives to the batch, from place n on. Returns how many rows these are. */
size_t offline_add_row(dq_offline *run, size_t n, uint32_t row, float weight);

/* Vector k of a batch; NULL where states are numbered. */
static inline float *offline_vector(const dq_offline *run, size_t k)
{
    return run->rows.states.count ? NULL : run->vectors + k * run->rows.state_width;
}

/* What a pass is over: users or rows. */
static inline size_t offline_units(const dq_offline *run)
{
    return run->users ? run->user_count : run->all_training;
}

/* Batches of a pass. */
static inline size_t offline_batches(const dq_offline *run)
{
    size_t batch = run->config.meta.users ? run->config.meta.users : run->config.batch;
    return (offline_units(run) + batch - 1) / batch;
}

/* The share of the run that is done: 0 at its first batch, 1 at its last, so that the last update is with
 * the schedules' end values, as it is online. */
static inline double offline_progress(const dq_offline *run)
{
    double last = (double)run->config.epochs * (double)offline_batches(run) - 1;
    return last > 0 ? (double)run->state.batches / last : 0;
}

/* Whether there are fewer actions on offer than all. */
static inline bool offline_draws_candidates(const dq_offline *run)
{
    return run->config.candidates > 0 && run->config.candidates < run->rows.actions;
}

/* Lists the held-out rows with their negatives, and finds out what they can tell. */
dq_status offline_hold_out(dq_offline *run, dq_error *error);
/* Fills the epoch's validation_loss, concordance, hit and ndcg. */
dq_status offline_validate(dq_offline *run, dq_offline_epoch *epoch, dq_error *error);

/* ---- tiles.c ---- */

/* Whether a batch is cut into tiles at all. */
static inline bool offline_is_tiled(const dq_offline *run)
{
    return run->config.tiles > 0;
}

/* Memory for the tiles, or the one that there is. DQ_ERR_UNSUPPORTED for what cannot be cut, DQ_ERR_RANGE for
 * numbers that do not fit. */
dq_status offline_make_tiles(dq_offline *run, dq_error *error);
/* Whether a row is one of this process, and of its tile number i. */
bool offline_has_row(const dq_offline *run, size_t row);
bool offline_in_tile(const dq_offline *run, uint32_t i, size_t row);
/* Numbers (n) become the sums over all processes; part number rank of values (ranks, bytes) goes to all. */
dq_status offline_count_up(const dq_offline *run, size_t *numbers, size_t n, dq_error *error);
dq_status offline_share(const dq_offline *run, void *values, size_t bytes, dq_error *error);
/* Finds the lengths, once the order is made: of each tile's rows in turn. */
dq_status offline_measure_tiles(dq_offline *run, dq_error *error);
/* The order of an epoch. */
void offline_order_tiles(dq_offline *run, uint64_t epoch);
/* One batch; n is how many rows it had, of all processes. */
dq_status offline_learn_tiles(dq_offline *run, dq_agent_losses *losses, size_t *n, dq_error *error);

/* ---- meta.c ---- */

/* With config.meta: who is a task, and the networks that move. */
dq_status offline_make_meta(dq_offline *run, dq_error *error);
/* One outer update; n is how many users it is of. Losses are means over its updates. */
dq_status offline_learn_users(dq_offline *run, dq_agent_losses *losses, size_t *n, dq_error *error);

/* ---- learn_lists.c ---- */

/* Fills the batch with rows for the world model, each with an action passed over: those of order (count)
 * from place `from` on, around and around. Returns how many; 0 without such a model. */
size_t offline_world_rows(dq_offline *run, const uint32_t *order, size_t count, size_t from);

/* One batch of lists; n is how many users it had. */
dq_status offline_learn_lists(dq_offline *run, dq_agent_losses *losses, size_t *n, dq_error *error);
/* Starts the best cosine at config.start_weight. */
dq_status offline_start(dq_offline *run, dq_error *error);
/* The loss of held-out users' lists, and the values of held-out rows. */
dq_status offline_evaluate_lists(dq_offline *run, double *loss, dq_error *error);
/* Fits what brings Q to rewards, and gives it to the agent's networks. */
dq_status offline_calibrate(dq_offline *run, dq_error *error);

#endif
