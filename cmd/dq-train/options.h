/* SPDX-License-Identifier: MIT
 *
 * dq-train --env and --env-cmd: agents of dq/agent.h in environments that are spoken with by number.
 *
 *     train_env_options.c   options, presets, the agent's configuration
 *     train_env.c           the run: acting, learning, checkpoints, the model that leaves
 *     train_env_log.c       what the log says of an episode and of an evaluation
 */
#ifndef DQ_TRAIN_ENV_H
#define DQ_TRAIN_ENV_H

#include "rollout/vec_env.h"

#include "learn/agent.h"

struct train_options;
struct train;

enum { TRAIN_OF_ENV = 1 << 8 }; /* a row of the option table that belongs to environments */

typedef struct train_env_options {
    const char *name, *command;
    uint64_t count, total_steps, evaluate, evaluate_episodes;
    int agent; /* index into dq_agent_kinds */
    /* as in dq_agent_config */
    bool double_q, dueling, batch_norm;
    int head, encoder, loss, explore_by, decay_form, decay_by, target_by;
    uint64_t n_step, train_every, updates, states, rollout, models, epsilon_over;
    double clip_norm, clip_value, tau, priority, importance, conservative, alpha, temperature;
    dq_agent_config config; /* what all that comes to */
} train_env_options;

/* clang-format off */
#define TRAIN_ENV_DEFAULTS {.count = 1, .evaluate_episodes = 10}

extern const char *const train_agents[], *const train_heads[], *const train_encoders[], *const train_losses[],
    *const train_explorers[], *const train_decays[], *const train_counts[];

/* Rows of dq-train's table. None has a default before the agent, the preset and the environment are known. */
#define TRAIN_ENV_FLAGS (DQ_OPT_PAYLOAD | DQ_OPT_UNSET | TRAIN_OF_ENV)
#define TRAIN_ENV_OPTIONS(e) \
    {"env", 0, DQ_OPT_TEXT, &(e).name, "NAME[:X=N,...]", "train in an environment (dq-sim(1) lists them)", .flags = TRAIN_ENV_FLAGS, .section = "Environments (--env, --env-cmd); defaults are the agent's, or the preset's"}, \
    {"env-cmd", 0, DQ_OPT_TEXT, &(e).command, "COMMAND", "train in the environment that a process offers (docs/environments.md)", .flags = TRAIN_OF_ENV}, \
    {"envs", 0, DQ_OPT_COUNT, &(e).count, "N", "environments side by side (1)", .flags = TRAIN_ENV_FLAGS, .min = 1, .max = 4096}, \
    {"agent", 'a', DQ_OPT_CHOICE, &(e).agent, "NAME", "who learns (dqn)", .flags = TRAIN_ENV_FLAGS, .choices = train_agents}, \
    {"total-steps", 0, DQ_OPT_COUNT, &(e).total_steps, "N", "steps in all (else --episodes)", .flags = TRAIN_ENV_FLAGS, .min = 1, .max = 1e12}, \
    {"evaluate", 0, DQ_OPT_COUNT, &(e).evaluate, "N", "every N episodes, play some without exploring (0: never)", .flags = TRAIN_ENV_FLAGS, .min = 0, .max = 1e9}, \
    {"evaluate-episodes", 0, DQ_OPT_COUNT, &(e).evaluate_episodes, "N", "so many (10)", .flags = TRAIN_ENV_FLAGS, .min = 1, .max = 4096}, \
    {"double", 0, DQ_OPT_FLAG, &(e).double_q, NULL, "Double Q-learning", .flags = TRAIN_ENV_FLAGS}, \
    {"dueling", 0, DQ_OPT_FLAG, &(e).dueling, NULL, "value and advantages apart", .flags = TRAIN_ENV_FLAGS}, \
    {"batch-norm", 0, DQ_OPT_FLAG, &(e).batch_norm, NULL, "batch norm in hidden layers", .flags = TRAIN_ENV_FLAGS}, \
    {"head", 0, DQ_OPT_CHOICE, &(e).head, "NAME", "an output an action, or Q of state and action vector", .flags = TRAIN_ENV_FLAGS, .choices = train_heads}, \
    {"encoder", 0, DQ_OPT_CHOICE, &(e).encoder, "NAME", "of the history in the state", .flags = TRAIN_ENV_FLAGS, .choices = train_encoders}, \
    {"loss", 0, DQ_OPT_CHOICE, &(e).loss, "NAME", "of Q", .flags = TRAIN_ENV_FLAGS, .choices = train_losses}, \
    {"clip-norm", 0, DQ_OPT_REAL, &(e).clip_norm, "X", "the gradient's norm is at most X (0: any)", .flags = TRAIN_ENV_FLAGS, .min = 0, .max = 1e9}, \
    {"clip-value", 0, DQ_OPT_REAL, &(e).clip_value, "X", "each number of the gradient is at most X (0: any)", .flags = TRAIN_ENV_FLAGS, .min = 0, .max = 1e9}, \
    {"target-by", 0, DQ_OPT_CHOICE, &(e).target_by, "WHAT", "what --target-every counts", .flags = TRAIN_ENV_FLAGS, .choices = train_counts}, \
    {"tau", 0, DQ_OPT_REAL, &(e).tau, "X", "the target follows by this share (0: is copied)", .flags = TRAIN_ENV_FLAGS, .min = 0, .max = 1}, \
    {"n-step", 0, DQ_OPT_COUNT, &(e).n_step, "N", "rewards summed before bootstrapping", .flags = TRAIN_ENV_FLAGS, .min = 1, .max = 1000}, \
    {"priority", 0, DQ_OPT_REAL, &(e).priority, "X", "prioritised replay: alpha (0: uniform)", .flags = TRAIN_ENV_FLAGS, .min = 0, .max = 1}, \
    {"importance", 0, DQ_OPT_REAL, &(e).importance, "X", "prioritised replay: beta at the start", .flags = TRAIN_ENV_FLAGS, .min = 0, .max = 1}, \
    {"conservative", 0, DQ_OPT_REAL, &(e).conservative, "X", "conservative Q-learning: alpha (0: none)", .flags = TRAIN_ENV_FLAGS, .min = 0, .max = 1e6}, \
    {"train-every", 0, DQ_OPT_COUNT, &(e).train_every, "N", "steps between learning", .flags = TRAIN_ENV_FLAGS, .min = 1, .max = 1e9}, \
    {"updates", 0, DQ_OPT_COUNT, &(e).updates, "N", "updates each time", .flags = TRAIN_ENV_FLAGS, .min = 1, .max = 1e6}, \
    {"alpha", 0, DQ_OPT_REAL, &(e).alpha, "X", "tabular: the step", .flags = TRAIN_ENV_FLAGS, .min = 0, .max = 1}, \
    {"states", 0, DQ_OPT_COUNT, &(e).states, "N", "tabular: states that there is room for", .flags = TRAIN_ENV_FLAGS, .min = 1, .max = 1e8}, \
    {"rollout", 0, DQ_OPT_COUNT, &(e).rollout, "N", "dyna-q: steps that planning looks ahead", .flags = TRAIN_ENV_FLAGS, .min = 1, .max = 1000}, \
    {"models", 0, DQ_OPT_COUNT, &(e).models, "N", "dyna-q: world models in the ensemble", .flags = TRAIN_ENV_FLAGS, .min = 1, .max = 100}, \
    {"explore", 0, DQ_OPT_CHOICE, &(e).explore_by, "NAME", "epsilon-greedy, or softmax of Q", .flags = TRAIN_ENV_FLAGS, .choices = train_explorers}, \
    {"temperature", 0, DQ_OPT_REAL, &(e).temperature, "X", "of the softmax", .flags = TRAIN_ENV_FLAGS, .min = 1e-6, .max = 1e6}, \
    {"epsilon-form", 0, DQ_OPT_CHOICE, &(e).decay_form, "NAME", "how epsilon falls", .flags = TRAIN_ENV_FLAGS, .choices = train_decays}, \
    {"epsilon-over", 0, DQ_OPT_COUNT, &(e).epsilon_over, "N", "exponential: its time constant; linear: until it is least", .flags = TRAIN_ENV_FLAGS, .min = 1, .max = 1e12}, \
    {"epsilon-by", 0, DQ_OPT_CHOICE, &(e).decay_by, "WHAT", "what epsilon's time counts", .flags = TRAIN_ENV_FLAGS, .choices = train_counts}
/* clang-format on */

/* Whether the command line asks for an environment. */
bool train_env_wanted(const struct train_options *o);
/* Options that have no meaning here are usage errors when given, and no part of the record. */
void train_env_part(const dq_cli *cli, const struct train_options *o, dq_option *table);
/* The agent's defaults, then the preset's, then what was given; written back, so that the record is whole. */
void train_env_settle(dq_cli *cli, struct train_options *o, dq_option *table);

/* The agent, its network and how it learns: what an agent that learns from a log has, too. */
void train_settle_learner(dq_cli *cli, struct train_options *o);

dq_status train_run_env(struct train *t, dq_error *error);

#endif
