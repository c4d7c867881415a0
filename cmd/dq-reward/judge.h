/* SPDX-License-Identifier: MIT
 *
 * What dq-reward does around the model that it asks: making it ready for a catalogue, the modes that print
 * instead of writing a stream (--dry-run, --show-prompt), and what is said at the end.
 */
#ifndef DQ_REWARD_JUDGE_H
#define DQ_REWARD_JUDGE_H

#include "label/llm.h"
#include "options.h"

typedef struct dq_reward_judge {
    const dq_llm_options *options;
    dq_messages messages;
    dq_llm *llm;
} dq_reward_judge;

/* Loads the prompt, before anything is read. */
dq_status dq_reward_judge_load(dq_reward_judge *judge, const dq_llm_options *options, dq_error *error);
/* Opens it for a finished catalogue; the labeller gets it. */
dq_status dq_reward_judge_ready(dq_reward_judge *judge, dq_labeller *labeller, const dq_catalogue *catalogue,
                                dq_error *error);
/* A label that is missing and may not be: DQ_ERR_UNKNOWN, counted. total: pairs labelled. */
dq_status dq_reward_judge_miss(const dq_reward_judge *judge, uint64_t total, dq_error *error);
/* Says what it came to (to stdout in a dry run), and frees. Returns status, or its own failure. */
dq_status dq_reward_judge_end(dq_reward_judge *judge, const dq_cli *cli, const dq_common *common,
                              uint64_t total, dq_status status, dq_error *error);

#endif
