/* SPDX-License-Identifier: MIT
 *
 * dq-reward's thought: a reward for each of many (user, item) pairs, by cosine or by logged labels.
 */
#ifndef DQ_CMD_REWARD_LABEL_H
#define DQ_CMD_REWARD_LABEL_H

#include "catalogue.h"
#include "cli.h"
#include "dq/cosine.h"
#include "dq/reward.h"

typedef enum dq_strategy { DQ_STRATEGY_COSINE, DQ_STRATEGY_LOGGED } dq_strategy;

typedef struct dq_labeller {
    const dq_catalogue *catalogue;
    dq_strategy strategy;
    bool raw_cosine;
    dq_reward_map map;
    dq_pairing *pairings;
    size_t pairing_count; /* 0: no cosines wanted */
    unsigned threads;
    uint32_t *by_pair;   /* interactions sorted by user, item, order: the last of a pair is its label */
    uint64_t unrewarded; /* pairs that were left without a reward */
} dq_labeller;

/* What a run of pairs got. */
typedef struct dq_rewards {
    float *reward, *cosine; /* (count); cosine as rewarded: scaled unless raw_cosine */
    uint8_t *none;          /* (count) 1 where there is no reward */
    dq_strings labels;      /* logged: (count) */
    size_t count;
} dq_rewards;

/* Makes ready what the strategy needs of the finished catalogue: for logged the order of interactions. */
dq_status dq_labeller_ready(dq_labeller *labeller, const dq_catalogue *catalogue, dq_error *error);
/* Chooses what cosines compare: the pairs given as "user_field:item_field", else the catalogue's own, else
 * whole vectors. */
dq_status dq_labeller_fields(dq_labeller *labeller, dq_catalogue *catalogue, const dq_texts *given,
                             dq_error *error);
void dq_labeller_free(dq_labeller *labeller);

/* Raw cosines of one user with items 0 .. n-1, over the labeller's threads. */
void dq_labeller_cosines(const dq_labeller *labeller, uint32_t user, float *out, size_t n);

/* Rewards of n pairs. interaction[i] is the interaction that pair i is, or DQ_ABSENT to look one up; NULL:
 * look all up. Free with dq_rewards_free. */
dq_status dq_label_pairs(dq_labeller *labeller, const uint32_t *user, const uint32_t *item,
                         const uint32_t *interaction, size_t n, dq_rewards *rewards, dq_error *error);
/* Adds the columns that the strategy makes: reward, and cosine or label. Borrows. */
dq_status dq_rewards_add(const dq_rewards *rewards, dq_strategy strategy, dq_bundle *bundle, dq_error *error);
void dq_rewards_free(dq_rewards *rewards);

#endif
