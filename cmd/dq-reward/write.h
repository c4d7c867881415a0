/* SPDX-License-Identifier: MIT
 *
 * What dq-reward writes behind the catalogue: new transitions for the pairs of a plan, block by block, or
 * those of the input with other rewards.
 */
#ifndef DQ_REWARD_WRITE_H
#define DQ_REWARD_WRITE_H

#include "cli/cli.h"
#include "reward/pairs.h"

/* Pairs waiting for a full block. */
typedef struct dq_reward_block {
    uint32_t *user, *item, *interaction;
    size_t count;
} dq_reward_block;

typedef struct dq_reward_output {
    dq_writer *writer;
    dq_labeller *labeller;
    dq_pair_plan *plan;
    dq_progress progress;
    uint64_t written;          /* transitions */
    dq_reward_block blocks[2]; /* [0] fills; [1] was submitted, where labels are asked for */
    size_t most;               /* pairs of a block */
    uint8_t *done;             /* (most) zeros */
} dq_reward_output;

/* Moves the bar, as a labeller's `labelled`; arg is the output. */
void dq_reward_labelled(void *output, size_t pairs);

/* Labels and writes the pairs of the plan. */
dq_status dq_reward_write_new(dq_reward_output *output, dq_error *error);

/* Writes transitions of the input, whose references count the catalogue's rows, with their rewards made anew;
 * every other column stays. Those of the plan's user only, where it names one. */
dq_status dq_reward_relabel(dq_reward_output *output, const dq_bundle *held, dq_error *error);

void dq_reward_output_free(dq_reward_output *output);

#endif
