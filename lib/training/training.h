/* SPDX-License-Identifier: MIT
 *
 * What every way of training shares: what was read, the model that training starts from, the agent with its
 * features, and what a model that leaves says of itself.
 *
 *     dq_training t = {.dataset = ..., .init = ..., .map = ...};      what was read
 *     t.asked = ...;                                                  what is asked
 *     dq_training_features(&t, user, &config, &e);
 *     dq_training_agent(&t, &config, &shape, user, &agent, &e);
 *     dq_agent_save(agent, false, &model, &e);
 *     dq_training_finish(&t, &model, user, &e);
 *     dq_training_free(&t);
 */
#ifndef DQ_TRAINING_TRAINING_H
#define DQ_TRAINING_TRAINING_H

#include "data/load.h"
#include "data/model_items.h"
#include "data/seen.h"
#include "feature/catalogue.h"
#include "learn/agent.h"
#include "offline/input.h"

typedef enum dq_training_from {
    DQ_TRAINING_CATALOGUE, /* an agent acts in it, or follows who did */
    DQ_TRAINING_ROWS,      /* transitions of users and items */
    DQ_TRAINING_SESSIONS,  /* interactions */
    DQ_TRAINING_STATES,    /* transitions with vectors */
    DQ_TRAINING_ENV        /* an environment */
} dq_training_from;

/* What it points to is borrowed. */
typedef struct dq_training_asked {
    dq_training_from from;
    const char *agent;               /* a kind of learn/agent.h */
    const char *features;            /* names of dq_feature_source */
    bool seen;                       /* the features are told what users have seen: */
    const dq_session_layout *layout; /* of the last layout->history items, 0: of all; their recency */
    const char *time, *map;          /* the attribute of time; the map of labels, as text */
    const char *env;                 /* the environment's name; NULL: it has none */
    /* Whether an option decides, not the model that is started from. */
    bool (*given)(const void *arg, const char *option);
    const void *arg;
} dq_training_asked;

/* Zero-initialise to start. */
typedef struct dq_training {
    dq_training_asked asked;
    dq_dataset dataset;
    dq_models init;        /* started from; none: those of the dataset */
    const char *init_name; /* its file */
    dq_label_map map;
    float ignore;               /* the reward of what nobody labelled */
    dq_dataset_logged from;     /* what offline training reads, */
    dq_offline_input logged;    /* and what it makes of it */
    dq_model_items items;       /* that the actions of an environment are */
    dq_history seen;            /* what the features are told of */
    dq_feature_users *features; /* given to the agent beside the network's own; NULL: none */
    dq_pool *pool;
} dq_training;

void dq_training_free(dq_training *t);

/* The model that a user's training starts from (DQ_ABSENT: all's); NULL: none. */
dq_bundle *dq_training_init(const dq_training *t, uint32_t user);
/* Names the file of the model that is started from in an error of what it holds; returns status. */
dq_status dq_training_blame_init(const dq_training *t, dq_status status, dq_error *error);
/* The digest of all that was read, of the model that is started from, too. */
uint64_t dq_training_digest(const dq_training *t);

/* Into config: cosines that the network computes, and features that it is given, learnt from a log's labels,
 * or those of the model that this user starts from. DQ_ERR_UNKNOWN where there are several such models and
 * none is this user's; the errors of dq_feature_users_new. */
dq_status dq_training_features(dq_training *t, uint32_t user, dq_agent_config *config, dq_error *error);
/* Frees what that made, so that another user's can be made. */
void dq_training_drop_features(dq_training *t);
/* The agent of a configuration, which takes over what is not given and what was learnt from the model that
 * this user starts from. DQ_ERR_RANGE for a model that does not fit. */
dq_status dq_training_agent(dq_training *t, dq_agent_config *config, const dq_env_spec *shape, uint32_t user,
                            dq_agent **agent, dq_error *error);

/* Completes a model that dq_agent_save has filled: the fields, items and sessions that it knows, and
 * meta.user unless DQ_ABSENT. */
dq_status dq_training_finish(const dq_training *t, dq_bundle *model, uint32_t user, dq_error *error);
/* map.user: whom a model or a line of a log is about; nothing for DQ_ABSENT. False when memory is short. */
bool dq_training_name_user(const dq_training *t, uint32_t user, dq_arena *arena, dq_value *map);

/* ---- of several processes, all of which call alike; ranks NULL: one ---- */

/* *said: whether any of them says so. */
dq_status dq_training_any(const dq_ranks *ranks, bool *said, dq_error *error);
/* That all have the same options and have read the same; that they go on from the same batch; and that they
 * have learnt the same weights, which other kernels of products would change. DQ_ERR_RANGE names who has not.
 */
dq_status dq_training_agree(const dq_training *t, const dq_maker *maker, const dq_ranks *ranks,
                            dq_error *error);
dq_status dq_training_agree_batches(const dq_ranks *ranks, uint64_t batches, dq_error *error);
dq_status dq_training_agree_weights(dq_agent *agent, const dq_ranks *ranks, dq_error *error);

#endif
