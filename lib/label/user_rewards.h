/* SPDX-License-Identifier: MIT
 *
 * The rewards of a catalogue's items for one user at a time, as an environment asks for them
 * (env/catalogue.h): cosines, what was logged, or a labeller that is asked as it goes on (label/remote.h);
 * and a mixture of two parts whose weight changes by the episode (reward/weight.h).
 *
 *     dq_user_rewards_new(&rewards, &config, &e);
 *     dq_user_rewards_serve(rewards, user, &e);
 *     dq_user_rewards_of(rewards, user, item, &reward, &e);      a dq_reward_fn
 *     dq_user_rewards_end(rewards, status, &e);
 */
#ifndef DQ_LABEL_USER_REWARDS_H
#define DQ_LABEL_USER_REWARDS_H

#include "data/dataset.h"
#include "data/label_map.h"
#include "dq/stream.h"
#include "reward/weight.h"

typedef enum dq_rewards_from {
    DQ_REWARDS_AUTO, /* logged where the data set has labels to learn from, else cosine */
    DQ_REWARDS_COSINE,
    DQ_REWARDS_LOGGED, /* what nobody labelled has the map's reward of IGNORE */
} dq_rewards_from;

/* What it points to is borrowed. */
typedef struct dq_user_rewards_config {
    const dq_dataset *dataset;
    const dq_label_map *map;
    dq_rewards_from from;
    bool interactions; /* AUTO: labels of interactions count as such, beside transitions */
    bool raw_cosine;   /* cosines in [-1, 1], else scaled to [0, 1] */
    const char *const
        *fields; /* (field_count) "user:item", what cosines compare; 0: the catalogue's, else all */
    size_t field_count;
    const dq_reward_weight *weight; /* a reward is a mixture; NULL: it is not */
    /* a labeller in another process; command NULL: nobody is asked */
    const char *command;
    bool unlabelled; /* asked for what was not logged alone; else for everything, and nothing logged counts */
    const dq_maker *maker;
    bool (*stop_asked)(void); /* see dq_remote_config */
    size_t ask_ahead;         /* items asked behind each unknown one, those most wanted first */
    /* Returns how many items may be wanted next, which, and how much each; needed with ask_ahead. */
    uint32_t (*wanted)(void *arg, const uint32_t **items, const float **values);
    void *arg;
} dq_user_rewards_config;

typedef struct dq_user_rewards dq_user_rewards;

dq_status dq_user_rewards_new(dq_user_rewards **rewards, const dq_user_rewards_config *config,
                              dq_error *error);
/* Parts with a labeller, which may have to say how it ended. Frees; returns status, or the labeller's
 * failure. Accepts NULL. */
dq_status dq_user_rewards_end(dq_user_rewards *rewards, dq_status status, dq_error *error);

/* This user's rewards from now on; parts with another's labeller. DQ_ERR_RANGE where a mixture wants parts
 * that were not logged. */
dq_status dq_user_rewards_serve(dq_user_rewards *rewards, uint32_t user, dq_error *error);
/* An episode begins (from 0): the weight of the cosine in it. */
void dq_user_rewards_episode(dq_user_rewards *rewards, uint64_t episode);
double dq_user_rewards_weight(const dq_user_rewards *rewards);

/* The reward of an item for the user that is served; arg is the rewards. May ask, and wait: fails as
 * dq_remote_need does, and can be asked again after a stop. */
dq_status dq_user_rewards_of(void *arg, uint32_t user, uint32_t item, float *reward, dq_error *error);
/* The label of what gave the item its reward, of *bytes; "IGNORE" where nothing did, and NULL for a reward
 * without a label. */
const char *dq_user_rewards_label(const dq_user_rewards *rewards, uint32_t item, size_t *bytes);
/* Whether rewards are those of labels, logged or asked for, rather than cosines. */
bool dq_user_rewards_labelled(const dq_user_rewards *rewards);

/* The answer on an item is put to use: it counts once for the user that is served. Of a checkpoint it counts
 * as before. */
void dq_user_rewards_use(dq_user_rewards *rewards, uint32_t item);
uint64_t dq_user_rewards_answers(const dq_user_rewards *rewards);

/* Pairs that a labeller was asked, of all users. */
uint64_t dq_user_rewards_asked(const dq_user_rewards *rewards);
/* Whether a failure of dq_user_rewards_of is a stop with progress: the labeller said so itself (75), or it
 * had answered something in this run. One that fails at the first question would fail for ever. */
bool dq_user_rewards_resumable(const dq_user_rewards *rewards);
/* {program, options} of the labeller; NULL when nobody was asked. */
const dq_value *dq_user_rewards_labeller(const dq_user_rewards *rewards);
/* What was put to use, and what was asked and answered, with meta.labeller, in a checkpoint. */
dq_status dq_user_rewards_save(const dq_user_rewards *rewards, dq_bundle *model, dq_error *error);
dq_status dq_user_rewards_restore(dq_user_rewards *rewards, const dq_bundle *model, dq_error *error);

#endif
