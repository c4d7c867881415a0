/* SPDX-License-Identifier: MIT
 *
 * Computes a reward for each of many (user, item) pairs, by a strategy. A strategy is one entry of a table:
 * what it needs and which columns it leaves.
 */
#ifndef DQ_REWARD_LABEL_H
#define DQ_REWARD_LABEL_H

#include "data/catalogue.h"
#include "data/label_map.h"
#include "math/cosine.h"

typedef enum dq_strategy {
    DQ_STRATEGY_COSINE,
    DQ_STRATEGY_LOGGED,
    DQ_STRATEGY_LLM,
    DQ_STRATEGY_HYBRID,
    DQ_STRATEGY_HUMAN
} dq_strategy;

typedef struct dq_strategy_kind {
    const char *name;
    bool cosine, logged, asked; /* what a reward is made of; cosine and asked: a mixture */
    bool model;                 /* a model is asked: its reward stays as the column llm */
    const char *columns[6];     /* NULL-ended */
} dq_strategy_kind;

/* By dq_strategy; ended by one without a name. */
extern const dq_strategy_kind dq_strategies[];

/* What a label source says of a pair. */
typedef struct dq_verdict {
    const char *label; /* NULL: none could be had */
    float reward;
    bool none; /* no reward: no label, or one outside the map */
    bool soft; /* the reward is an expectation over the label's alternatives */
} dq_verdict;

/* Who is asked for labels that cost something: a model, a person. Pairs are submitted ahead, so that many can
 * be asked at once, and their verdicts taken in the same order. */
typedef struct dq_label_source {
    dq_status (*submit)(void *self, const uint32_t *user, const uint32_t *item, size_t n, dq_error *error);
    dq_status (*take)(void *self, size_t n, dq_verdict *verdicts, dq_error *error);
    void *self;
    bool soft; /* leaves the column soft */
} dq_label_source;

typedef struct dq_labeller {
    const dq_catalogue *catalogue;
    dq_strategy strategy;
    bool raw_cosine;
    double weight; /* of the cosine in a mixture */
    dq_label_map map;
    dq_label_source source; /* where the strategy asks one */
    /* Called as verdicts come, a few at a time from a model: so many pairs of this dq_label_pairs have
     * theirs. NULL: nobody wants to know, and all are taken at once. */
    void (*labelled)(void *arg, size_t pairs);
    void *labelled_arg;
    dq_pairing *pairings;
    size_t pairing_count;    /* 0: no cosines wanted */
    dq_cosine_scale *scales; /* of all users, then of all items (reward/cosines.h); NULL: not measured */
    unsigned threads;
    uint32_t *by_pair;   /* interactions sorted by user, item, order: the last of a pair is its label */
    uint64_t unrewarded; /* pairs that were left without a reward */
} dq_labeller;

/* What a run of pairs got. */
typedef struct dq_rewards {
    float *reward, *cosine, *llm; /* (count); cosine as rewarded: scaled unless raw_cosine */
    uint8_t *none;                /* (count) 1 where there is no reward */
    uint8_t *soft;                /* (count) 1 where llm is an expectation */
    dq_strings labels;            /* (count), where labels are read */
    size_t count;
} dq_rewards;

/* Makes ready what the strategy needs of the finished catalogue: for logged the order of interactions. */
dq_status dq_labeller_ready(dq_labeller *labeller, const dq_catalogue *catalogue, dq_error *error);
/* Chooses what cosines compare, of a labeller that is ready: the `count` pairs given as
 * "user_field:item_field", else the catalogue's own, else whole vectors. */
dq_status dq_labeller_fields(dq_labeller *labeller, const char *const *given, size_t count, dq_error *error);
/* Measures all rows once, for whoever is going to pair them all. Without the memory for it cosines are found
 * all the same, a little later. */
void dq_labeller_measure(dq_labeller *labeller);
void dq_labeller_free(dq_labeller *labeller);

/* Raw cosines of `count` users with items 0 .. n-1, over the labeller's threads: out (count, n). */
void dq_labeller_cosines(const dq_labeller *labeller, const uint32_t *users, size_t count, float *out,
                         size_t n);
/* One user's as rewards: scaled unless raw_cosine. */
void dq_labeller_cosine_rewards(const dq_labeller *labeller, uint32_t user, float *out, size_t n);

/* Pairs that dq_label_pairs will be given after those submitted before, in the same order. Nothing for a
 * strategy that asks nobody. */
dq_status dq_label_submit(dq_labeller *labeller, const uint32_t *user, const uint32_t *item, size_t n,
                          dq_error *error);
/* Rewards of n pairs, submitted before where the strategy asks for labels. interaction[i] is the interaction
 * that pair i is, or DQ_ABSENT to look one up; NULL: look all up. Free with dq_rewards_free. */
dq_status dq_label_pairs(dq_labeller *labeller, const uint32_t *user, const uint32_t *item,
                         const uint32_t *interaction, size_t n, dq_rewards *rewards, dq_error *error);
/* Adds the columns that the strategy makes: reward, cosine, llm, label, soft. Borrows. */
dq_status dq_rewards_add(const dq_rewards *rewards, const dq_labeller *labeller, dq_bundle *bundle,
                         dq_error *error);
/* The names of these columns, NULL-ended: what a relabelled bundle loses of its own. */
const char *const *dq_rewards_replaced(const dq_labeller *labeller);
void dq_rewards_free(dq_rewards *rewards);

#endif
