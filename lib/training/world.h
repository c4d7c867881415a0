/* SPDX-License-Identifier: MIT
 *
 * What an agent acts in while it is trained online (rollout/online.h): environments to learn in, others to be
 * evaluated in, and where it is a catalogue that serves one user, that user's rewards.
 *
 *     dq_online loop = {...};
 *     dq_world world = {.training = t, .user = user, .loop = &loop, .config = config};
 *     dq_world_open(&world, &e);                  loop->envs, loop->eval_envs
 *     ...                                         loop->agent may come later
 *     dq_world_close(&world, status, &e);
 */
#ifndef DQ_TRAINING_WORLD_H
#define DQ_TRAINING_WORLD_H

#include "label/user_rewards.h"
#include "rollout/online.h"
#include "training/training.h"

/* What it points to is borrowed. */
typedef struct dq_world_config {
    const char *command;         /* of a process that offers the environment; NULL: none */
    dq_user_rewards_config pays; /* the catalogue's; wanted and its arg are ours */
    const dq_maker *maker;       /* of our streams to environments */
    uint64_t envs, evaluate;     /* side by side; evaluations are every so many episodes, 0: never */
    uint64_t evaluate_episodes, seed;
    uint32_t candidates, steps; /* of a catalogue: on offer in an episode, and its steps */
    dq_head head;               /* of the agent */
    bool (*stop_asked)(void);
} dq_world_config;

/* Set what is borrowed and the configuration; the rest is zero to start. */
typedef struct dq_world {
    dq_training *training;
    uint32_t user; /* who is served; DQ_ABSENT: an environment of its own */
    dq_online *loop;
    dq_world_config config;
    dq_session_layout like;   /* how the model that is started from knows states */
    dq_env *env, *eval_env;   /* the catalogue's */
    dq_user_rewards *rewards; /* the catalogue's */
    float *value;             /* (candidates) Q of what may be asked ahead */
} dq_world;

/* DQ_ERR_SCHEMA for an environment that has another shape each time it is started; the errors of
 * dq_vec_env_open, dq_episodes_check_items and dq_user_rewards_serve. It can be closed then, too. */
dq_status dq_world_open(dq_world *world, dq_error *error);
/* Ends what was started. Returns status, or how a process ended; *asked becomes how many pairs a labeller was
 * asked. */
dq_status dq_world_close(dq_world *world, dq_status status, uint64_t *asked, dq_error *error);

#endif
