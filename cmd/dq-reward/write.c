/* SPDX-License-Identifier: MIT */
#include "write.h"
#include "data/transitions.h"

#include <stdlib.h>
#include <string.h>

/* Transitions a bundle; fewer where labels are asked for, so that they leave as they come. */
enum { BLOCK = 65536, ASKED_BLOCK = 1024 };

void dq_reward_labelled(void *output, size_t pairs)
{
    dq_reward_output *o = output;
    dq_progress_step(&o->progress, o->written + pairs, NULL);
}

static dq_status put_block(dq_reward_output *o, dq_reward_block *b, dq_error *error)
{
    dq_rewards rewards;
    dq_bundle out;
    if (b->count == 0) return DQ_OK;
    dq_status status = dq_label_pairs(o->labeller, b->user, b->item, b->interaction, b->count, &rewards,
                                      error);
    if (status) return status;
    status = dq_bundle_init(&out, DQ_KIND_TRANSITIONS, b->count, error);
    if (!status) status = dq_bundle_add_numbers(&out, "user", DQ_U4, b->user, DQ_KIND_USERS, NULL, error);
    if (!status) status = dq_bundle_add_numbers(&out, "item", DQ_U4, b->item, DQ_KIND_ITEMS, NULL, error);
    if (!status) status = dq_rewards_add(&rewards, o->labeller, &out, error);
    if (!status) status = dq_bundle_add_numbers(&out, "done", DQ_U1, o->done, NULL, NULL, error);
    if (!status) status = dq_transitions_add_logged(&out, o->labeller->catalogue, b->interaction, error);
    if (!status) status = dq_writer_put(o->writer, &out, error);
    dq_bundle_free(&out);
    dq_rewards_free(&rewards);
    o->written += b->count;
    b->count = 0;
    dq_reward_labelled(o, 0);
    return status;
}

/* The block is full. Where labels are asked for, it is submitted before those of the one before it are waited
 * for, so that there are always questions to ask. */
static dq_status end_block(dq_reward_output *o, dq_error *error)
{
    dq_reward_block full = o->blocks[0];
    dq_status status = dq_label_submit(o->labeller, full.user, full.item, full.count, error);
    if (!status) status = put_block(o, &o->blocks[1], error);
    o->blocks[0] = o->blocks[1];
    o->blocks[1] = full;
    if (status || dq_strategies[o->labeller->strategy].asked) return status;
    return put_block(o, &o->blocks[1], error);
}

/* Adds pairs of one user to a block that has room for them. */
static void fill_block(dq_reward_block *b, uint32_t user, const uint32_t *item, const uint32_t *interaction,
                       size_t n)
{
    for (size_t i = b->count; i < b->count + n; i++) b->user[i] = user;
    memcpy(b->item + b->count, item, n * sizeof *item);
    if (interaction)
        memcpy(b->interaction + b->count, interaction, n * sizeof *interaction);
    else
        memset(b->interaction + b->count, 0xff, n * sizeof *interaction); /* DQ_ABSENT */
    b->count += n;
}

static dq_status take_pairs(void *arg, uint32_t user, const uint32_t *item, const uint32_t *interaction,
                            size_t n, dq_error *error)
{
    dq_reward_output *o = arg;
    dq_status status = DQ_OK;
    for (size_t at = 0, some; !status && at < n; at += some) {
        dq_reward_block *b = &o->blocks[0];
        some = n - at < o->most - b->count ? n - at : o->most - b->count;
        fill_block(b, user, item + at, interaction ? interaction + at : NULL, some);
        if (b->count == o->most) status = end_block(o, error);
    }
    return status;
}

/* Where it can be, a block is of whole users, and of whole tiles of users: their product with all items is
 * faster. */
static size_t block_size(const dq_reward_output *o)
{
    size_t each = dq_pairs_per_user(o->plan, o->labeller->catalogue);
    if (dq_strategies[o->labeller->strategy].asked) return ASKED_BLOCK;
    if (each == 0 || each > BLOCK) return BLOCK;
    size_t users = BLOCK / each;
    return (users > DQ_COSINE_USERS ? users - users % DQ_COSINE_USERS : users) * each;
}

static bool make_blocks(dq_reward_output *o)
{
    o->most = block_size(o);
    o->done = calloc(o->most, 1);
    bool made = o->done != NULL;
    for (size_t i = 0; i < 2; i++) {
        dq_reward_block *b = &o->blocks[i];
        b->user = malloc(o->most * sizeof *b->user);
        b->item = malloc(o->most * sizeof *b->item);
        b->interaction = malloc(o->most * sizeof *b->interaction);
        made = made && b->user && b->item && b->interaction;
    }
    return made;
}

dq_status dq_reward_write_new(dq_reward_output *o, dq_error *error)
{
    if (!make_blocks(o)) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for transitions");
    dq_status status = dq_pairs_each(o->plan, o->labeller, take_pairs, o, error);
    if (!status) status = end_block(o, error);
    return status ? status : put_block(o, &o->blocks[1], error);
}

/* Transitions of the input with their rewards made anew; every other column stays. */
static dq_status relabel(dq_reward_output *o, const dq_bundle *held, dq_error *error)
{
    uint32_t *user = dq_transitions_rows(held, "user"), *item = dq_transitions_rows(held, "item");
    dq_rewards rewards = {0};
    dq_bundle out = DQ_BUNDLE_EMPTY;
    dq_status status = DQ_OK;
    if (!user || !item) status = dq_fail(error, DQ_ERR_MEMORY, "out of memory for transitions");
    if (!status) status = dq_label_submit(o->labeller, user, item, (size_t)held->rows, error);
    if (!status) status = dq_label_pairs(o->labeller, user, item, NULL, (size_t)held->rows, &rewards, error);
    if (!status) status = dq_bundle_borrow(&out, held, dq_rewards_replaced(o->labeller), error);
    if (!status) status = dq_rewards_add(&rewards, o->labeller, &out, error);
    if (!status) status = dq_writer_put(o->writer, &out, error);
    dq_bundle_free(&out);
    dq_rewards_free(&rewards);
    free(user);
    free(item);
    o->written += held->rows;
    dq_reward_labelled(o, 0);
    return status;
}

dq_status dq_reward_relabel(dq_reward_output *o, const dq_bundle *held, dq_error *error)
{
    if (!o->plan->only) return relabel(o, held, error);
    dq_bundle own;
    dq_status status = dq_transitions_of(&own, held, o->plan->only, error);
    if (!status) status = relabel(o, &own, error);
    dq_bundle_free(&own);
    return status;
}

void dq_reward_output_free(dq_reward_output *output)
{
    for (size_t i = 0; i < 2; i++) {
        free(output->blocks[i].user);
        free(output->blocks[i].item);
        free(output->blocks[i].interaction);
    }
    free(output->done);
}
