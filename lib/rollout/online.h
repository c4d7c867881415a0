/* SPDX-License-Identifier: MIT
 *
 * Training online, in environments of any kind that step together:
 *
 *     begin (where episodes ended) -> choose -> step -> observe, learn -> advance -> ...
 *
 * Whoever knows rewards may have to ask for them, and wait (env/catalogue.h). Evaluations are due at numbers
 * of episodes, and where the best model is kept at the end of the run, and stand between two steps, in
 * environments of their own, which are the same at every evaluation; the model of the best one can be kept,
 * and the run can end when none has been better for a while. A run may stop after any step, and while it
 * waits: what was chosen is then part of the checkpoint, so that going on equals never having stopped.
 *
 *     dq_online run = {.config = config, .agent = agent, .envs = envs};
 *     dq_online_open(&run, &e);
 *     dq_online_restore(&run, &checkpoint, &e);       to go on
 *     dq_online_run(&run, &e);
 *     dq_online_close(&run);
 */
#ifndef DQ_ROLLOUT_ONLINE_H
#define DQ_ROLLOUT_ONLINE_H

#include "rollout/episodes.h"

#include <inttypes.h>

typedef struct dq_online dq_online;

/* What the run ends by, and whom it tells. Functions may be NULL; a failure of theirs ends the run. */
typedef struct dq_online_config {
    uint64_t episodes, steps; /* of all environments, whichever comes first; 0: any number, of one of them */
    uint64_t evaluate;        /* every so many episodes; 0: never */
    uint64_t evaluate_episodes; /* so many, >= 1 */
    uint64_t max_steps;         /* of an evaluation's episode (dq_policy); 0: any number */
    uint64_t patience;          /* evaluations without a better one that end the run; 0: none do */
    bool keep_best; /* the model of the best evaluation; there is one at the end of the run, too */
    void *arg;
    /* An episode of environment env has ended: run->returns[env], run->lengths[env], run->at. */
    dq_status (*episode_ended)(void *arg, const dq_online *run, size_t env, dq_error *error);
    /* An evaluation has ended; played (evaluate_episodes); better: its mean return is the best so far. */
    dq_status (*evaluated)(void *arg, const dq_online *run, const dq_played *played, bool better,
                           dq_error *error);
    /* After each step of all environments and each evaluation: here a checkpoint can be made. */
    dq_status (*stepped)(void *arg, dq_online *run, dq_error *error);
} dq_online_config;

/* Where the run stands. Losses are sums since an episode last ended. */
typedef struct dq_online_state {
    uint64_t episode, step, evaluated; /* episodes and steps done, of all environments; evaluations */
    uint64_t learnt, planned;          /* updates that the sums are of */
    double q, world, planning, gradient;
    double best;           /* the greatest mean return of an evaluation; NAN: none yet */
    uint64_t best_at;      /* the number of episodes done then */
    uint64_t stale;        /* evaluations since */
    uint64_t evaluated_at; /* the number of steps done at the last evaluation */
    bool pending;          /* actions were chosen, and not answered */
} dq_online_state;

/* Of a run's `cut` and max_steps, in words. */
#define DQ_ONLINE_CUT                                                                                        \
    "warning: %" PRIu64 " episodes of evaluations were cut off after %" PRIu64                               \
    " steps (--max-steps): what they would "                                                                 \
    "have earned further is not in their returns"

/* Set what is borrowed and the configuration; the rest is zero to start. */
struct dq_online {
    dq_online_config config;
    dq_agent *agent;       /* of envs->config.count environments; borrowed */
    dq_vec_env *envs;      /* borrowed */
    dq_vec_env *eval_envs; /* borrowed; may be NULL when nothing is evaluated */
    dq_online_state at;
    uint64_t learnt;   /* updates that the agent had taken when the run was opened */
    uint64_t cut;      /* episodes of evaluations that max_steps cut off, since the run was opened */
    dq_bundle best;    /* with keep_best: the model of the best evaluation (learn/kept.h); empty: none yet */
    uint32_t *actions; /* (envs) */
    double *returns;   /* (envs) of the running episodes, undiscounted */
    uint64_t *lengths; /* (envs) steps of these */
    dq_arena arena;    /* of the three */
};

/* DQ_ERR_MEMORY; the run can be closed then, too. */
dq_status dq_online_open(dq_online *run, dq_error *error);
void dq_online_close(dq_online *run);

/* Trains to the end. DQ_ERR_STOPPED, when an answer of an environment was waited for and a stop was asked
 * for, or a function of the configuration says so: a checkpoint made then goes on from there. */
dq_status dq_online_run(dq_online *run, dq_error *error);
/* Whether an evaluation comes before the next step. */
bool dq_online_evaluation_due(const dq_online *run);
/* The share of the run that is done, 0 .. 1: of its steps or episodes, whichever is nearer its end. Within an
 * episode it goes on where episodes have a limit. */
double dq_online_progress(const dq_online *run);

/* Whether the agent's network gives the actions one value wherever the environments stand: then it ranks
 * nothing (DQ_AGENT_INDIFFERENT). False of a table, which does so in states that it has not met. */
dq_status dq_online_find_indifferent(const dq_online *run, bool *equal, dq_error *error);

/* DQ_ERR_RANGE, with the way out, for a run that is at its end without an update: the model is as it was. */
dq_status dq_online_check_learnt(const dq_online *run, dq_error *error);

/* Adds agent, environments, place and the best model to a model bundle that is a checkpoint, and takes them
 * up again. DQ_ERR_SCHEMA for a model that is no such checkpoint. */
dq_status dq_online_save(const dq_online *run, dq_bundle *model, dq_error *error);
dq_status dq_online_restore(dq_online *run, const dq_bundle *model, dq_error *error);

#endif
