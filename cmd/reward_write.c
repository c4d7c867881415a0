/* SPDX-License-Identifier: MIT */
#include "reward_write.h"
#include "transitions.h"

#include <stdlib.h>

enum { BLOCK = 65536 }; /* transitions a bundle */

static dq_status put_block(dq_reward_output *o, dq_error *error)
{
    dq_reward_block *b = &o->block;
    dq_rewards rewards;
    dq_bundle out;
    if (b->count == 0) return DQ_OK;
    dq_status status = dq_label_pairs(o->labeller, b->user, b->item, b->interaction, b->count, &rewards,
                                      error);
    if (status) return status;
    status = dq_bundle_init(&out, DQ_KIND_TRANSITIONS, b->count, error);
    if (!status) status = dq_bundle_add_numbers(&out, "user", DQ_U4, b->user, DQ_KIND_USERS, NULL, error);
    if (!status) status = dq_bundle_add_numbers(&out, "item", DQ_U4, b->item, DQ_KIND_ITEMS, NULL, error);
    if (!status) status = dq_rewards_add(&rewards, o->labeller->strategy, &out, error);
    if (!status) status = dq_bundle_add_numbers(&out, "done", DQ_U1, b->done, NULL, NULL, error);
    if (!status) status = dq_writer_put(o->writer, &out, error);
    dq_bundle_free(&out);
    dq_rewards_free(&rewards);
    o->written += b->count;
    b->count = 0;
    dq_progress_step(&o->progress, o->written, NULL);
    return status;
}

static dq_status take_pair(void *arg, uint32_t user, uint32_t item, uint32_t interaction, dq_error *error)
{
    dq_reward_output *o = arg;
    dq_reward_block *b = &o->block;
    b->user[b->count] = user;
    b->item[b->count] = item;
    b->interaction[b->count] = interaction;
    return ++b->count == BLOCK ? put_block(o, error) : DQ_OK;
}

dq_status dq_reward_write_new(dq_reward_output *o, dq_error *error)
{
    dq_reward_block *b = &o->block;
    b->user = malloc(BLOCK * sizeof *b->user);
    b->item = malloc(BLOCK * sizeof *b->item);
    b->interaction = malloc(BLOCK * sizeof *b->interaction);
    b->done = calloc(BLOCK, 1);
    if (!b->user || !b->item || !b->interaction || !b->done)
        return dq_fail(error, DQ_ERR_MEMORY, "out of memory for transitions");
    dq_status status = dq_pairs_each(o->plan, o->labeller, take_pair, o, error);
    return status ? status : put_block(o, error);
}

/* Transitions of the input with their rewards made anew; every other column stays. */
static dq_status relabel(dq_reward_output *o, const dq_bundle *held, dq_error *error)
{
    static const char *const by_cosine[] = {"reward", "cosine", NULL}, *const by_log[] = {"reward", "label",
                                                                                          NULL};
    bool cosine = o->labeller->strategy == DQ_STRATEGY_COSINE;
    uint32_t *user = dq_transitions_rows(held, "user"), *item = dq_transitions_rows(held, "item");
    dq_rewards rewards = {0};
    dq_bundle out = DQ_BUNDLE_EMPTY;
    dq_status status = DQ_OK;
    if (!user || !item) status = dq_fail(error, DQ_ERR_MEMORY, "out of memory for transitions");
    if (!status) status = dq_label_pairs(o->labeller, user, item, NULL, (size_t)held->rows, &rewards, error);
    if (!status) status = dq_bundle_borrow(&out, held, cosine ? by_cosine : by_log, error);
    if (!status) status = dq_rewards_add(&rewards, o->labeller->strategy, &out, error);
    if (!status) status = dq_writer_put(o->writer, &out, error);
    dq_bundle_free(&out);
    dq_rewards_free(&rewards);
    free(user);
    free(item);
    o->written += held->rows;
    return status;
}

dq_status dq_reward_relabel(dq_reward_output *o, const dq_bundle *held, dq_error *error)
{
    if (o->plan->only_user == DQ_ABSENT) return relabel(o, held, error);
    dq_bundle own;
    dq_status status = dq_transitions_of(&own, held, o->plan->only_user, error);
    if (!status) status = relabel(o, &own, error);
    dq_bundle_free(&own);
    return status;
}

void dq_reward_output_free(dq_reward_output *output)
{
    free(output->block.user);
    free(output->block.item);
    free(output->block.interaction);
    free(output->block.done);
}
