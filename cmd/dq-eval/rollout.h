/* SPDX-License-Identifier: MIT
 *
 * Roll-outs: agents that act, and do not learn, on a catalogue or in an environment. All meet the same
 * episodes, so these are compared in pairs.
 */
#ifndef DQ_EVAL_ROLLOUT_H
#define DQ_EVAL_ROLLOUT_H

#include "eval.h"

#include "data/dataset.h"
#include "data/label_map.h"
#include "feature/catalogue.h"
#include "label/user_rewards.h"
#include "measure/summary.h"
#include "reward/label.h"
#include "rollout/episodes.h"

typedef enum policy_kind {
    POLICY_MODEL,     /* greedy on a model's Q */
    POLICY_UNTRAINED, /* the same on weights as they are drawn */
    POLICY_COSINE,    /* greedy on the cosine */
    POLICY_RANDOM,    /* anything on offer */
} policy_kind;

typedef struct policy {
    const char *name; /* --model's */
    policy_kind kind;
    dq_models models;
    dq_reader *reader;
    dq_session_layout like;  /* how its model knows the states of an environment */
    const dq_bundle *loaded; /* whose agent player.agent is */
    dq_policy player;
    dq_feature_users *features; /* that its model's network is given; NULL: none */
    dq_env *env;                /* a catalogue's */
    dq_vec_env *envs;
    dq_played *played; /* (episodes) */
    double *by_step;   /* (steps) a catalogue's: what a step brought, summed over episodes */
    uint64_t *labels;  /* (labels) steps by the label of the chosen item; the last: none of the map */
    /* what it came to; an episode's score is its return, of a catalogue the mean reward of its steps */
    dq_summary score;
    bool compared;  /* with the first, in pairs */
    double percent; /* the difference in percent of the first's mean; NAN when that is 0 */
    dq_played_mean mean;
} policy;

typedef struct rollout {
    const eval_options *o;
    dq_cli *cli;
    bool catalogue; /* else an environment of its own */
    dq_maker speaker;
    dq_pool *pool;
    policy *policies;
    policy *playing; /* a catalogue's: whose episode runs */
    size_t policy_count, episodes;
    char counters[DQ_ENV_COUNTERS][64];
    size_t counter_count;
    /* of a catalogue */
    dq_dataset dataset;
    dq_reader *reader;
    dq_label_map map;
    dq_user_rewards *rewards;
    dq_labeller fields; /* what the cosine policy compares */
    size_t steps;
    size_t label_count; /* the map's, and one for all others */
} rollout;

/* Reads the catalogue (the operands) and the models, and plays all episodes. */
dq_status rollout_run(rollout *run, const eval_options *o, dq_cli *cli, dq_error *error);
/* An episode's score. */
double rollout_score(const rollout *run, const policy *p, size_t episode);
dq_status rollout_print(const rollout *run, dq_sink *out, dq_error *error);
/* Parts with a labeller; returns status, or the labeller's failure. */
dq_status rollout_close(rollout *run, dq_status status, dq_error *error);

#endif
