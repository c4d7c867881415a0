/* SPDX-License-Identifier: MIT
 *
 * The command line of dq-train: one table of options, each of which says which ways of training it belongs
 * to, and one table of defaults by way of training, preset and agent (presets.c).
 */
#ifndef DQ_TRAIN_OPTIONS_H
#define DQ_TRAIN_OPTIONS_H

#include "cli/cli.h"
#include "learn/agent.h"

/* The ways of training. */
enum {
    TRAIN_ONLINE = 1,   /* Dyna-Q against the catalogue, one user */
    TRAIN_EACH = 2,     /* the same, an agent for each user */
    TRAIN_OFFLINE = 4,  /* Dyna-Q's networks from the stream's transitions */
    TRAIN_SESSIONS = 8, /* an agent of learn/agent.h from what was logged */
    TRAIN_ENV = 16,     /* an agent of learn/agent.h in an environment */
    TRAIN_AGENTS = TRAIN_SESSIONS | TRAIN_ENV
};

enum { REWARD_AUTO, REWARD_COSINE, REWARD_LOGGED };
enum { MATCHES_NONE, MATCHES_PAIRS, MATCHES_ALL };

/* Agents of learn/agent.h, in an environment or from sessions. */
typedef struct train_env_options {
    const char *name, *command;
    uint64_t count, total_steps, evaluate, evaluate_episodes;
    int agent; /* index into train_agents */
    /* as in dq_agent_config */
    bool double_q, dueling, batch_norm;
    int head, encoder, loss, explore_by, decay_form, decay_by, target_by;
    uint64_t n_step, train_every, updates, states, rollout, models, epsilon_over;
    double clip_norm, clip_value, tau, priority, importance, conservative, alpha, temperature;
    dq_agent_config config; /* what all that comes to */
} train_env_options;

enum { TRAIN_END_TRUNCATED, TRAIN_END_TERMINAL };

/* Sessions of a log: their states (data/session_state.h), where they are cut, and what a cut is. */
typedef struct train_logged_options {
    uint64_t history, steps;
    bool mean, count, clock, since;
    double recency, gap;
    int end;
    const char *time;
} train_logged_options;

typedef struct train_options {
    dq_common common;
    bool offline, each_user, pass, world, raw_cosine;
    const char *reward_cmd, *cosine_weight;
    uint64_t ask_ahead, switch_episode;
    const char *user, *init, *checkpoint, *log, *hidden, *world_hidden, *map, *validate_by, *fold;
    dq_texts pairs;
    int preset, schedule, best_by, bootstrap, reward, matches;
    uint64_t checkpoint_every, batch, target_every, candidates, planning, replay, warmup, episodes, steps;
    uint64_t epochs, negatives, patience;
    unsigned fold_number, folds; /* of fold; 0 without */
    double dropout, rate, decay, gamma, epsilon, epsilon_min, epsilon_decay, validation;
    train_env_options env;
    train_logged_options logged;
} train_options;

extern const char *const train_agents[];

/* The command line, or a usage error; the options live as long as the program. */
train_options *train_options_parse(dq_cli *cli, int argc, char **argv);

/* ---- presets.c ---- */

extern const dq_defaults train_defaults[];
/* Fills in the sets of train_defaults that are the agents' own. */
void train_describe_agents(const dq_option *table);
/* What the options say of an agent, in o->env.config. */
void train_configure_agent(dq_cli *cli, train_options *o);

#endif
