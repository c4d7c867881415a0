/* SPDX-License-Identifier: MIT
 *
 * Episodes of an agent that neither explores nor learns: dq-train's evaluations, dq-eval's roll-outs.
 */
#ifndef DQ_ROLLOUT_EPISODES_H
#define DQ_ROLLOUT_EPISODES_H

#include "rollout/vec_env.h"

#include "learn/agent.h"

/* The agent of a model, for environments whose states are as wide and whose actions are as many. What else a
 * shape says (where the user stands, vectors of actions) is the model's, which may have learnt from a log
 * that does not say; but a head on actions scores the vectors of these environments. */
dq_status dq_episodes_agent(dq_agent **agent, dq_bundle *model, const dq_vec_env *envs, dq_pool *pool,
                            dq_error *error);

/* Whether the outputs of a model are those of the items of these environments (data/model_items.h). A head on
 * actions scores any. */
dq_status dq_episodes_check_items(const dq_bundle *model, dq_head head, const dq_vec_env *envs,
                                  dq_error *error);

typedef struct dq_played {
    double total; /* the return, undiscounted */
    uint64_t steps;
    double discounted; /* the return from the start, by the agent's gamma */
    double value;      /* what the agent expected: its greatest Q at the start. NAN for the random policy */
    double counted[DQ_ENV_COUNTERS];
} dq_played;

/* One episode in each environment, all of which are done before and after; played (count). Without an agent
 * (NULL) actions are drawn from rng. */
dq_status dq_episodes_play(dq_vec_env *envs, dq_agent *agent, dq_rng *rng, dq_played *played,
                           dq_error *error);

/* The first `episodes` of the rounds that dq_episodes_play plays; played (episodes). */
dq_status dq_episodes_play_many(dq_vec_env *envs, dq_agent *agent, dq_rng *rng, size_t episodes,
                                dq_played *played, dq_error *error);

#endif
