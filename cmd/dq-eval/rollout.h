/* SPDX-License-Identifier: MIT
 *
 * Roll-outs: agents that act, and do not learn, in system A's environment. All see the same users and the
 * same candidates, so their episodes are compared in pairs.
 */
#ifndef DQ_EVAL_ROLLOUT_H
#define DQ_EVAL_ROLLOUT_H

#include "data/dataset.h"
#include "eval.h"
#include "reward/label.h"

#include "rollout/episodes_catalogue.h"

typedef enum policy_kind {
    POLICY_MODEL,     /* greedy on a model's Q */
    POLICY_UNTRAINED, /* the same on weights as they are drawn */
    POLICY_COSINE,    /* greedy on the cosine */
    POLICY_RANDOM,    /* any candidate */
} policy_kind;

typedef struct policy {
    const char *name; /* --model's */
    policy_kind kind;
    dq_models models;
    dq_reader *reader;
    const dq_bundle *loaded;    /* whose weights net holds */
    dq_catalogue_policy player; /* whose net and env are this one's */
    float *reward;              /* (episodes, steps) */
    uint64_t *labelled; /* (labels) steps by the label of the chosen item; the last: none of the map */
} policy;

typedef struct rollout {
    const eval_options *o;
    dq_dataset dataset;
    dq_reader *reader;
    dq_labeller labeller;
    bool logged;     /* rewards by labels, not by cosine */
    uint32_t *users; /* (user_count) who is served, in turn */
    size_t user_count;
    uint32_t user;      /* whose rewards are at hand, or DQ_ABSENT */
    float *rewards;     /* (items) */
    uint32_t *labels;   /* (items) row in labeller.map.labels, or label_count - 1: none of these */
    size_t label_count; /* the map's, and one for all others */
    dq_pool *pool;
    policy *policies;
    size_t policy_count, episodes, steps;
    uint32_t *pair_user, *pair_item; /* (items) scratch */
    uint32_t *chosen;                /* (steps) items of an episode */
} rollout;

/* Reads the catalogue (the operands) and the models, and plays all episodes. */
dq_status rollout_run(rollout *run, const eval_options *o, dq_cli *cli, dq_error *error);
dq_status rollout_print(rollout *run, dq_sink *out, dq_error *error);
void rollout_free(rollout *run);

#endif
