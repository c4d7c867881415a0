/* SPDX-License-Identifier: MIT
 *
 * The parts of dq-reward: its options, its state, and the reading of its input.
 */
#ifndef DQ_REWARD_REWARD_H
#define DQ_REWARD_REWARD_H

#include "cli/filter.h"
#include "human.h"
#include "judge.h"
#include "write.h"

typedef struct dq_reward_options {
    dq_common common;
    int strategy;
    bool raw_cosine, strict, labels_only;
    dq_texts pair_fields;
    const char *map, *pairs, *pairs_file, *user, *answers;
    double weight;
    dq_llm_options llm;
} dq_reward_options;

typedef struct dq_reward_run {
    const dq_reward_options *o;
    dq_filter filter;
    dq_catalogue catalogue;
    dq_labeller labeller;
    dq_reward_judge judge; /* a model */
    dq_human *human;
    dq_pair_plan plan;
    dq_reward_output out;
    dq_bundle *transitions, *rankings; /* of the input, held until the catalogue is whole */
    size_t transition_count, ranking_count;
    bool answering; /* --labels-only, and the catalogue is whole: pairs are answered as they come */
} dq_reward_run;

/* What the options say, or a usage error. */
void dq_reward_understand(dq_reward_run *run, const dq_cli *cli);
/* Takes the flags of options that the strategy does not read: what cannot change the payload does not stand
 * in the head. */
void dq_reward_record(dq_option *table, dq_strategy strategy);

/* Reads the input: the catalogue whole, transitions and rankings held, everything else passed on. With
 * --labels-only each bundle of transitions is answered as it comes. */
dq_status dq_reward_read(dq_reward_run *run, dq_error *error);
/* Frees what was held. */
void dq_reward_forget(dq_reward_run *run);

/* Makes the strategy ready for a finished catalogue (dq-reward.c). */
dq_status dq_reward_ready(dq_reward_run *run, dq_error *error);

#endif
