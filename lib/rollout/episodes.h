/* SPDX-License-Identifier: MIT
 *
 * Episodes of a policy that does not learn: evaluations of a run, dq-eval's roll-outs. In environments of any
 * kind, a catalogue among them. Policies in environments of one seed begin their episodes alike, and are
 * offered the same actions, so that they can be compared in pairs.
 *
 *     dq_policy policy = {.by = DQ_POLICY_AGENT, .agent = agent};
 *     dq_episodes_play(envs, &policy, played, &e);            one episode in each environment
 */
#ifndef DQ_ROLLOUT_EPISODES_H
#define DQ_ROLLOUT_EPISODES_H

#include "rollout/vec_env.h"

#include "learn/agent.h"
#include "math/cosine.h"

/* The agent of a model that acts in these environments (dq_agent_of_model), on whose items it
 * must be able to act (dq_episodes_check_items). After a failure *agent is NULL. */
dq_status dq_episodes_agent(dq_agent **agent, const dq_bundle *model, const dq_vec_env *envs, dq_pool *pool,
                            dq_error *error);

typedef enum dq_policy_by {
    DQ_POLICY_AGENT,  /* greedy on an agent's Q */
    DQ_POLICY_COSINE, /* greedy on the mean cosine of pairs of fields of state and action */
    DQ_POLICY_RANDOM, /* any action on offer */
} dq_policy_by;

/* The max_steps of programs where nobody said another. An episode of an environment here is shorter, unless
 * its option `steps` says otherwise. */
enum { DQ_EPISODES_MAX_STEPS = 100000 };

/* A step of an episode, for whoever watches. */
typedef struct dq_watched {
    size_t env;              /* in which environment */
    uint64_t at;             /* number of the step in its episode, from 0 */
    uint32_t number, action; /* the state in the environments' store, before the step */
    dq_step step;
} dq_watched;

/* Set what the policy needs; the rest is zero. Everything is borrowed. */
typedef struct dq_policy {
    dq_policy_by by;
    dq_agent *agent;         /* of AGENT; told what is on offer */
    const dq_pairing *pairs; /* (pair_count) of COSINE: user_offset in the state, item_offset in an action */
    size_t pair_count;
    double epsilon;     /* with this probability any action on offer instead, 0 .. 1 */
    uint64_t max_steps; /* after which an episode is cut off, should it not end by itself; 0: never */
    bool distinct; /* no action twice in an episode, which then has at most as many steps as actions on offer
                    */
    dq_rng rng;    /* of what is chosen at random */
    void *arg;
    void (*watch)(void *arg, const dq_watched *step); /* after each step; may be NULL */
} dq_policy;

/* Whether a model of this head may act on the items of these environments (dq_model_items_check). */
dq_status dq_episodes_check_items(const dq_bundle *model, dq_head head, const dq_vec_env *envs,
                                  dq_error *error);

typedef struct dq_played {
    double total; /* the return, undiscounted */
    uint64_t steps;
    bool cut; /* off, after max_steps */
    /* The return from the start, by the agent's gamma, and what the agent expected: its greatest Q at the
     * start. NAN for other policies, and for an agent that has no Q (dt). */
    double discounted, value;
    double counted[DQ_ENV_COUNTERS];
} dq_played;

/* What n episodes came to: means, and of their returns the standard deviation (NAN of one), the least and the
 * greatest. */
typedef struct dq_played_mean {
    double total, sd, min, max, steps, discounted, value, counted[DQ_ENV_COUNTERS];
    size_t cut; /* how many were cut off */
} dq_played_mean;

dq_played_mean dq_episodes_mean(const dq_played *played, size_t n);

/* One episode in each environment, all of which are done before and after; played (count). DQ_ERR_RANGE for a
 * cosine of actions without vectors, and where distinct actions run out. A failure of an environment ends it:
 * where it was a stop, the episodes can be played again from their beginning (dq_vec_env_rewind). */
dq_status dq_episodes_play(dq_vec_env *envs, dq_policy *policy, dq_played *played, dq_error *error);

/* The first `episodes` of the rounds that dq_episodes_play plays; played (episodes). */
dq_status dq_episodes_play_many(dq_vec_env *envs, dq_policy *policy, size_t episodes, dq_played *played,
                                dq_error *error);

#endif
