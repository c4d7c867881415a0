/* SPDX-License-Identifier: MIT
 *
 * The state of dq-reward, and the reading of its input.
 */
#ifndef DQ_REWARD_REWARD_H
#define DQ_REWARD_REWARD_H

#include "cli/filter.h"
#include "human.h"
#include "judge.h"
#include "options.h"
#include "write.h"

typedef struct dq_reward_run {
    const dq_reward_options *o;
    dq_filter filter;
    dq_catalogue catalogue;
    dq_labeller labeller;
    dq_reward_judge judge; /* a model */
    dq_human *human;
    dq_pair_plan plan;
    dq_source *list; /* --pairs-file */
    dq_reward_output out;
    dq_bundle *transitions, *rankings; /* of the input, held until the catalogue is whole */
    size_t transition_count, ranking_count;
    bool answering; /* --labels-only, and the catalogue is whole: pairs are answered as they come */
} dq_reward_run;

/* Reads the input: the catalogue whole, transitions and rankings held, everything else passed on. With
 * --labels-only each bundle of transitions is answered as it comes. */
dq_status dq_reward_read(dq_reward_run *run, dq_error *error);
/* Frees what was held. */
void dq_reward_forget(dq_reward_run *run);

/* Makes the strategy ready for a finished catalogue (dq-reward.c). */
dq_status dq_reward_ready(dq_reward_run *run, dq_error *error);

#endif
