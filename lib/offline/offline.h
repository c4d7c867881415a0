/* SPDX-License-Identifier: MIT
 *
 * Offline training of an agent (learn/agent.h): passes in mini-batches over rows that were logged, with
 * held-out groups and early stopping (Prechelt, "Early stopping - but when?", 1998). Pre-training against
 * cold start is this, and so is learning from labels alone (gamma 0). What a row is, its source says: a
 * catalogue's transitions or transitions with vectors (offline/rows.h), or sessions (offline/sessions.h).
 *
 * Negatives: an action that a user has not met is drawn as one that was passed over, N for each row, anew in
 * each batch (as Rendle et al., "BPR", 2009, draw theirs). It leaves the state as it is, has the negative
 * reward, and ends what its row ends.
 *
 * Validation splits by group and never by row: users of one group (an occupation, a household) share their
 * labels, and rows of one user do too.
 *
 * Returns over n steps: a row's reward is the discounted sum of its own and those of the rows that follow, as
 * long as they have one, and the value of the state behind the last bootstraps it. What the log's policy did
 * on the way is taken as it was, uncorrected (as in Hessel et al., "Rainbow", 2018).
 *
 * Prioritised replay: with priority > 0 a batch is not the next of a shuffled pass, but drawn by |TD error|
 * to that power, with importance weights (learn/replay.h); a pass is as many batches. Negatives have their
 * row's weight.
 *
 * Lists: with a loss of lists (net/loss.h) a batch is of users. A user's list has all actions, with the
 * square root of what a reward is above that of an action passed over as its grade; or those of his rows and
 * a number of drawn ones, which stand for the others. What he has met without a reward is left out. A pass is
 * over the users who have a grade above 0, and whoever is held out is evaluated likewise. Rows go to the
 * world model alone. The unit of such a Q is open. So in the end r = scale Q + shift is fitted by least
 * squares, on held-out rows and as many actions passed over (without held-out rows on all), and kept in the
 * network: its outputs are in rewards then, and training goes on from them.
 *
 * Meta-learning (offline/meta.h): a batch is of users, and one outer update; a pass is over the users with a
 * row. An inner update is on `batch` of the user's rows, shuffled each time that he is met, around and
 * around, with negatives; or, with a loss of lists, on the user's list. Held-out rows judge the start, to
 * which nobody has adapted. There are no priorities.
 *
 * Tiles (for several processes): rows are cut by users into a fixed number of tiles, user u's are of tile u
 * modulo it. A batch has of each tile its share of rows; a tile's gradient is made by itself, and gradients
 * are summed in a fixed binary tree (math/tree.h). Ranks make an equal number of tiles each, and need no
 * other rows than theirs. What is drawn follows from seed, batch and tile: 1, 2 and 4 ranks give the same
 * bytes, and a checkpoint of one number goes on with another. Not with lists, priorities, meta-learning,
 * weights by propensity, or given features.
 *
 *     dq_offline_suit(&config, &rows, &agent_config);                 what the agent must have room for
 *     dq_offline_new(&run, &config, agent, &rows, &e);
 *     while (!dq_offline_done(run)) { dq_offline_step(run, &ended, &e); if (ended) dq_offline_last(run); }
 *     dq_offline_finish(run, &e);                                     the best epoch's weights
 */
#ifndef DQ_OFFLINE_OFFLINE_H
#define DQ_OFFLINE_OFFLINE_H

#include "core/pairset.h"
#include "core/ranks.h"
#include "core/transition.h"
#include "learn/agent.h"
#include "offline/meta.h"

enum { DQ_OFFLINE_TOP = 10 };        /* hits and NDCG are counted in the first ten */
#define DQ_OFFLINE_NO_ROW UINT32_MAX /* nothing follows */
enum { DQ_OFFLINE_TILES = 8, DQ_OFFLINE_MAX_TILES = 64 };

/* Where rows come from. Borrowed; rewards may change between batches, but not whether there is one. */
typedef struct dq_offline_rows {
    void *self;
    size_t count;
    uint32_t users;          /* whoever's rows are held out together: users, or episodes */
    const uint32_t *user;    /* (count) */
    const uint32_t *group;   /* (users) users of one group are held out together; NULL: each alone */
    const uint32_t *action;  /* (count) */
    const float *reward;     /* (count) NAN: not learnt from */
    const float *propensity; /* (count) how likely its action was, NAN: not known; NULL: of none */
    uint32_t actions, state_width;
    dq_vectors states; /* the numbered states that rows name; count 0: `fill` writes vectors */
    /* Fills a transition of a single step (its discount is not looked at). Where states are numbered also its
     * state and next; else their vectors go to state and next (state_width), each NULL where it is not asked
     * for. */
    void (*fill)(void *self, size_t row, dq_transition *transition, float *state, float *next);
    const uint32_t *following; /* (count) the row that comes after this one in the same session, or
                                  DQ_OFFLINE_NO_ROW; NULL: rows have no order, and no returns over n steps */
    const dq_pairset *met;     /* users and actions that have: what negatives are not. NULL: no negatives */
    bool ends;                 /* some row may be done */
    bool ranked;               /* rows are evaluated by rank too, whatever best_by is */
    /* Features of pairs, where a user is a numbered state: of a user against n actions (NULL: all of them in
     * their order), out (n, given). What they know of a user's own group of rows is left out, as it will be
     * unknown of those who are ranked. given 0: none. */
    uint32_t given;
    void *features_self;
    void (*features)(void *self, uint32_t user, const uint32_t *actions, size_t n, float *out);
} dq_offline_rows;

/* What makes an epoch the best, on held-out rows:
 *
 *     loss          the minimum of the loss, the agent's own
 *     concordance   of all pairs of one user's rows with different rewards, the greatest share that Q puts in
 *                   the right order, ties counting half (Harrell et al., "Evaluating the yield of medical
 *                   tests", JAMA 247, 1982): what a ranking of logged rows is made of
 *     ndcg          the greatest mean of 1 / log2(1 + rank), 0 beyond the first ten, over rows with a
 *                   positive reward; rank is the place of the row's action among all, by Q of its state
 *
 * Of equally good ones that of the smaller loss. Where held-out rows have no two rewards of one user to
 * compare, or no positive one, the loss decides (dq_offline_criterion); of lists without a held-out user who
 * has a grade above 0 there is none, and the last epoch stays. */
typedef enum dq_best_by { DQ_BEST_BY_LOSS, DQ_BEST_BY_CONCORDANCE, DQ_BEST_BY_NDCG } dq_best_by;
/* What held-out rows lack where one of the others cannot tell, in words. */
const char *dq_best_by_lack(dq_best_by asked);
extern const char *const dq_best_by_names[]; /* "loss", "concordance", "ndcg", NULL */

typedef struct dq_offline_config {
    size_t epochs;           /* passes; 0: as many as make DQ_OFFLINE_UPDATES batches, and at least one */
    size_t batch, negatives; /* batch counts logged rows, negatives come on top; of lists batch counts users,
                                and negatives are the actions drawn for a list, 0: all that there are */
    float negative_reward;
    double validation;    /* share of the groups held out, 0 <= share < 1 */
    uint32_t fold, folds; /* instead: fold 1 .. folds of the groups (cross-validation); folds 0: none */
    size_t patience;      /* epochs without a better one before stopping; 0: never */
    dq_best_by best_by;
    uint32_t candidates;         /* actions that the maximum runs over, drawn anew each epoch; 0: all */
    uint32_t n_step;             /* rewards summed before bootstrapping; 0 and 1: single steps */
    double priority, importance; /* alpha (0: shuffled passes), and beta, which rises to 1 as schedules go */
    double start_weight; /* of lists, with features added to the output: what the weight of the best cosine
                            starts at, the one that alone orders rows best; 0: none does */
    double balance;      /* rows weigh 1 / propensity, but no more than this, all of them together as many as
                            they are (Dimakopoulou et al., "Balanced linear contextual bandits", AAAI 2019); 0:
                            each weighs 1 */
    uint32_t tiles;      /* a power of two, up to DQ_OFFLINE_MAX_TILES; 0: a batch is one */
    const dq_ranks *ranks; /* the processes, no more than tiles; NULL: this one alone */
    dq_meta_config meta;   /* of it a batch is meta.users users, and so many outer updates are a pass */
    uint64_t seed;
} dq_offline_config;

/* Rows of the largest batch: what the agent's fit_rows must hold; with a loss of lists those that the world
 * model takes beside them. */
#define DQ_OFFLINE_ROWS(config)      ((config).batch * (1 + (config).negatives))
#define DQ_OFFLINE_LIST_ROWS(config) (8 * (config).batch)

enum {
    DQ_OFFLINE_UPDATES = 150,   /* that make an agent by lists, as measured on O*NET's jobs */
    DQ_OFFLINE_PAIRS = 1 << 21, /* of a batch of lists, before actions are drawn for them, */
    DQ_OFFLINE_DRAWN = 1000,    /* so many */
};

/* An agent that learns from a log alone remembers, plans and explores nothing, and what it says of batches,
 * steps, priorities and its seed is a run's. Folds go before a share that is held out. */
void dq_offline_learn_only(dq_offline_config *config, dq_agent_config *agent);
/* Fills in what a run on these rows asks of an agent that is made for it: rows and lists of a batch, the
 * source of given features, calibration. Of lists it decides negatives where all actions are too many: lists
 * of all are up to DQ_OFFLINE_PAIRS pairs of a user and an action a batch. */
void dq_offline_suit(dq_offline_config *config, const dq_offline_rows *rows, dq_agent_config *agent);

/* What an epoch came to. Losses are means over rows, the first two in training passes (with dropout), NAN
 * where there is none; validation_loss, concordance, hit and ndcg are NAN without held-out rows that tell
 * them. hit: the share of rows whose action stands in the first ten. Of equal values the row's action is the
 * last. beta: the importance exponent, NAN without priorities. */
typedef struct dq_offline_epoch {
    uint64_t epoch; /* from 1 */
    double q_loss, world_loss, validation_loss, concordance, hit, ndcg, rate, beta;
    bool best;
} dq_offline_epoch;

/* "epoch 3: loss 0.1, validation 0.2, best", cut to size bytes; what there is none of is left out. */
void dq_offline_describe_epoch(const dq_offline_epoch *epoch, char *words, size_t size);

/* What a log's rewards allow a value to be, into an agent's configuration before it is made: each is at least
 * the least reward (or that of a negative) for ever, r / (1 - gamma), at most the greatest; where there are
 * ends 0 is allowed, too. A log seldom holds the state after its last event once more; nobody knows the
 * values there, but these bounds hold. */
void dq_offline_bound(const dq_offline_config *config, const dq_offline_rows *rows, dq_agent_config *agent);

typedef struct dq_offline dq_offline;

/* Whether a rank makes the tile of a user, of so many tiles and ranks (NULL: one). */
bool dq_offline_is_here(uint32_t tiles, const dq_ranks *ranks, uint32_t user);

/* The agent is borrowed. Held-out groups are drawn by the seed among those with a row to learn from; with
 * fewer than two such groups none is. DQ_ERR_RANGE without a row to learn from, for rows whose states and
 * actions are not the agent's, without a propensity to weigh by, and for what such rows or such an agent
 * cannot have (negatives, n steps). */
dq_status dq_offline_new(dq_offline **run, const dq_offline_config *config, dq_agent *agent,
                         const dq_offline_rows *rows, dq_error *error);
void dq_offline_free(dq_offline *run);

/* Rows learnt from and held out, groups and those held out, batches an epoch, epochs, and of lists the users
 * learnt from. tells_loss: what is held out has a loss. */
typedef struct dq_offline_sizes {
    size_t training, held_out, groups, held_out_groups, batches, epochs, lists;
    bool tells_loss;
} dq_offline_sizes;
dq_offline_sizes dq_offline_size(const dq_offline *run);
/* Whether a user's group is held out. */
bool dq_offline_held_out(const dq_offline *run, uint32_t user);
/* What decides between epochs: best_by, or the loss where held-out rows cannot tell that. */
dq_best_by dq_offline_criterion(const dq_offline *run);

/* One batch. *ended: it was the last of its epoch. */
dq_status dq_offline_step(dq_offline *run, bool *ended, dq_error *error);
/* All epochs are over, or patience is. */
bool dq_offline_done(const dq_offline *run);
dq_offline_epoch dq_offline_last(const dq_offline *run);
uint64_t dq_offline_batches_done(const dq_offline *run); /* of all epochs */

/* Puts the best epoch's weights into the agent (the last ones without validation), and offers all actions. */
dq_status dq_offline_finish(dq_offline *run, dq_error *error);

/* What the model that dq_offline_finish left in the agent can tell apart. A rate that is too high leaves
 * networks whose units never answer: every loss is finite then, and nothing is ranked. */
typedef struct dq_offline_worth {
    bool equal;         /* in each of some logged states all actions have one value (to 1e-6 of it) */
    double concordance; /* of held-out rows, NAN where they cannot tell; by chance 0.5 */
    double ndcg;        /* likewise */
    double chance;      /* the NDCG of a random order */
} dq_offline_worth;
/* After dq_offline_finish; changes nothing. */
dq_status dq_offline_find_worth(dq_offline *run, dq_offline_worth *worth, dq_error *error);
/* Says in words that the model ranks nothing, or no better than chance, cut to size bytes; false: it does. */
bool dq_offline_describe_worth(const dq_offline_worth *worth, char *words, size_t size);

/* The last epoch as a line of a log: epoch, batches, updates, rate, beta (with priorities), q_loss,
 * world_loss, validation_loss, _concordance, _hit, _ndcg (nil where there is none), best. False when memory
 * is short. */
bool dq_offline_report(const dq_offline *run, dq_arena *arena, dq_value *line);

/* Adds this run's state and best weights (not the agent's state: what is on offer is its) to a checkpoint,
 * and takes them up again in a run made with the same arguments. Columns are borrowed from the run. */
dq_status dq_offline_save(dq_offline *run, dq_bundle *model, dq_error *error);
dq_status dq_offline_restore(dq_offline *run, const dq_bundle *model, dq_error *error);

#endif
