/* SPDX-License-Identifier: MIT
 *
 * The command line of dq-train: one table of options, each of which says which ways of training it belongs
 * to, and one table of defaults by way of training, preset and agent (presets.c).
 */
#ifndef DQ_TRAIN_OPTIONS_H
#define DQ_TRAIN_OPTIONS_H

#include "cli/cli.h"
#include "offline/offline.h"
#include "rollout/online.h"

/* The ways of training. */
enum {
    TRAIN_ONLINE = 1,   /* in the catalogue, one user */
    TRAIN_EACH = 2,     /* the same, an agent for each user */
    TRAIN_OFFLINE = 4,  /* from the stream's transitions of users and items */
    TRAIN_SESSIONS = 8, /* from its interactions */
    TRAIN_STATES = 16,  /* from its transitions with vectors for states */
    TRAIN_ENV = 32,     /* in an environment */
    TRAIN_FOLLOW = 64,  /* from a server's log, on from a model */
    TRAIN_LIVE = TRAIN_ONLINE | TRAIN_EACH,
    TRAIN_LOGGED = TRAIN_OFFLINE | TRAIN_SESSIONS | TRAIN_STATES,
    TRAIN_ACTING = TRAIN_LIVE | TRAIN_ENV,
    TRAIN_USERS = TRAIN_LIVE | TRAIN_OFFLINE, /* whose states are a catalogue's users */
    TRAIN_ITEMS = TRAIN_USERS | TRAIN_SESSIONS | TRAIN_FOLLOW,
    TRAIN_REMEMBERS = TRAIN_ACTING | TRAIN_FOLLOW, /* transitions, in a replay */
    TRAIN_VECTORS = TRAIN_SESSIONS | TRAIN_STATES | TRAIN_ENV,
    TRAIN_ALL = TRAIN_ITEMS | TRAIN_VECTORS
};

enum { REWARD_AUTO, REWARD_COSINE, REWARD_LOGGED };
enum { TRAIN_END_TRUNCATED, TRAIN_END_TERMINAL };
enum { TRAIN_SAVE_WHOLE, TRAIN_SAVE_DELTA };
enum { TRAIN_KEEP_LAST, TRAIN_KEEP_BEST, TRAIN_KEEP_BOTH };

typedef struct train_options {
    dq_common common;
    bool seen; /* --history seen; of the last layout.history items, 0: of all */
    bool offline, sessions, each_user, pass, raw_cosine, mpi;
    const char *user, *users_file, *part, *models_dir, *init, *checkpoint, *log, *map;
    const char *reward_cmd, *cosine_weight, *validate_by, *fold, *time, *event_attribute, *history;
    const char *env, *env_cmd, *follow, *every, *accept, *unanswered;
    double answer_time, hold_out;
    dq_texts pairs;
    dq_shard shard; /* --shard's part */
    int preset, reward, keep, meta, save;
    uint64_t max_failures, checkpoint_every, ask_ahead, switch_episode, candidates, steps, envs, event_values;
    dq_online_config acting;  /* but whom it tells */
    dq_offline_config passes; /* over a log, but what IGNORE is worth */

    /* sessions of a log: their states (data/session_state.h), where they are cut, and what a cut is */
    dq_session_layout layout; /* but the widths, which are the catalogue's */
    double session_gap;
    int session_end;

    /* the agent: index into train_agents, lists of widths, and what is of another form than in config */
    int agent, schedule, decay_form;
    const char *features, *hidden, *value_hidden, *world_hidden, *wish;
    double epsilon_decay, epsilon_over;
    uint32_t q_models;      /* networks of Q of an offline run */
    dq_agent_config config; /* the rest; cross features and --init's shape are setup.c's */
} train_options;

extern const char *const train_agents[];

/* The command line, or a usage error; the options live as long as the program. */
train_options *train_options_parse(dq_cli *cli, int argc, char **argv);
/* The way of training that they ask for; offline TRAIN_OFFLINE | TRAIN_STATES, of which the input tells. */
unsigned train_options_mode(const dq_cli *cli);
/* Enters one way of training: its defaults, and the agent's configuration; or a usage error. */
void train_options_enter(dq_cli *cli, unsigned mode);

/* --history of a model that is started from. */
void train_take_history(train_options *o, uint32_t n);

/* ---- presets.c ---- */

extern const dq_defaults train_defaults[];
/* Fills in the sets of train_defaults that are the agents' own: of options whose targets are in config. */
void train_describe_agents(const dq_option *table, const dq_agent_config *config);
/* dq_cli_given: what a model that is started from does not decide. */
bool train_is_given(const void *cli, const char *option);
/* Completes o->config. */
void train_configure_agent(dq_cli *cli, train_options *o);

#endif
