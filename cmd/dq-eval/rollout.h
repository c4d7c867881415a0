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
#include "reward/label.h"
#include "rollout/outcome.h"

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
    dq_history seen;            /* what users have seen, where these ask for it */
    dq_env *env;                /* a catalogue's */
    dq_vec_env *envs;
    dq_outcome *outcome;
} policy;

typedef struct rollout {
    const eval_options *o;
    dq_cli *cli;
    bool catalogue; /* else an environment of its own */
    dq_maker speaker;
    dq_pool *pool;
    policy *policies;
    policy *playing; /* a catalogue's: whose episode runs */
    size_t policy_count;
    dq_outcomes outcomes; /* of all policies */
    /* of a catalogue */
    dq_dataset dataset;
    dq_reader *reader;
    dq_label_map map;
    dq_user_rewards *rewards;
    dq_labeller fields; /* what the cosine policy compares */
} rollout;

/* Who acts by a name of --model. */
policy_kind rollout_kind(const char *name);
/* Reads the catalogue (the operands) and the models, and plays all episodes. */
dq_status rollout_run(rollout *run, const eval_options *o, dq_cli *cli, dq_error *error);
/* How the policies' scores differ, episode by episode. */
dq_status rollout_compare(const rollout *run, dq_compared *compared, dq_error *error);
dq_status rollout_figure(const void *run, const eval_options *o, dq_figure *figure, dq_error *error);
/* Frees a rollout, and parts with a labeller; returns status, or the labeller's failure. */
dq_status rollout_close(void *run, dq_status status, dq_error *error);

#endif
