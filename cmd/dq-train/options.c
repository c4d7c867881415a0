/* SPDX-License-Identifier: MIT */
#include "train.h"

#include "learn/offline.h"
#include "math/blas.h"

#include <stdio.h>
#include <string.h>

static const char *const presets[] = {"tuned",        "published", "session", "sequence",
                                      "sequence-dqn", "films",     "maze",    NULL};
static const char *const bests[] = {"loss", "order", NULL}; /* as dq_best_by */
static const char *const bootstraps[] = {"max", "same", NULL};
static const char *const matches[] = {"none", "pairs", "all", NULL};
static const char *const rewards[] = {"auto", "cosine", "logged", NULL};
static const char *const heads[] = {"outputs", "actions", NULL};           /* as dq_head */
static const char *const encoders[] = {"none", "mean", "attention", NULL}; /* as dq_encoder */
static const char *const losses[] = {"mse", "huber", NULL};                /* as dq_loss */
static const char *const explorers[] = {"epsilon", "softmax", NULL};       /* as dq_explore_by */
static const char *const decays[] = {"multiplicative", "exponential", "linear", NULL};
static const char *const counts[] = {"updates", "steps", "episodes", NULL}; /* as dq_count_by */
static const char *const ends[] = {"truncated", "terminal", NULL};          /* of a session */
static const char *schedules[16];                                           /* names of dq_schedules */

static const dq_mode modes[] = {
    {TRAIN_ONLINE, "online", "online training",
     .help = "one user's agent, in the catalogue (--user; or a stream of one user)"},
    {TRAIN_EACH, "each-user", "--each-user", .help = "an agent for each user of the stream (--each-user)"},
    {TRAIN_OFFLINE, "offline", "--offline",
     .help = "one model for all users, from the stream's transitions (--offline)"},
    {TRAIN_SESSIONS, "sessions", "--offline --agent",
     .help = "an agent of sessions, from what the stream logged (--offline --agent)"},
    {TRAIN_ENV, "env", "an environment (--env)",
     .help = "an agent in an environment (--env, --env-cmd, or a preset of one)", .no_operands = true},
    {0}};

static const dq_program program = {
    .name = "dq-train",
    .summary = "trains agents: online for one user or each, offline from transitions, or in an environment",
    .operands = "[FILE...]",
    .examples = {"dq-export --schema jobs FOLDER | dq-train --user U --pass | dq-rank --user U -k 10",
                 "dq-reward --strategy logged < c.dq | dq-train --offline --negatives 3 -o model.dq"},
    .all_cores = true,
    .version_note_fn = dq_blas_core,
    .modes = modes,
    .defaults = train_defaults,
};

/* What holds where train_defaults says nothing. */
static train_options o = {
    .common = DQ_COMMON_DEFAULTS,
    .world = true,
    .hidden = "1024,512,256",
    .world_hidden = "1024,512",
    .map = DQ_LABEL_MAP_DEFAULT,
    .best_by = DQ_BEST_BY_ORDER,
    .dropout = 0.2,
    .rate = 1e-3,
    .gamma = 0.9,
    .batch = 64,
    .target_every = 1000,
    .candidates = 100,
    .planning = 5,
    .replay = 100000,
    .warmup = 1000,
    .episodes = 100,
    .steps = 100,
    .epsilon = 1,
    .epsilon_min = 0.01,
    .epsilon_decay = 0.995,
    .epochs = 10,
    .validation = 0.1,
    .checkpoint_every = 10,
    .env = {.count = 1, .evaluate_episodes = 10, .agent = 1},
    .logged = {.history = 3, .steps = 10, .count = true, .recency = 1, .time = DQ_SESSION_TIME_DEFAULT}};

/* Groups of ways of training. */
enum {
    LIVE = TRAIN_ONLINE | TRAIN_EACH,           /* against a catalogue */
    CATALOGUE = LIVE | TRAIN_OFFLINE,           /* users and items of a catalogue */
    STREAM = CATALOGUE | TRAIN_SESSIONS,        /* something is read */
    LOGGED = TRAIN_OFFLINE | TRAIN_SESSIONS,    /* in passes over what was logged */
    ACTING = LIVE | TRAIN_ENV,                  /* exploring */
    ONE_RUN = TRAIN_ONLINE | LOGGED | TRAIN_ENV /* that a checkpoint can keep */
};
enum { PAYLOAD = DQ_OPT_PAYLOAD };

/* clang-format off */
static const dq_option table[] = {
    {"user", 'u', DQ_OPT_TEXT, &o.user, "ID", "train for this user", PAYLOAD, .modes = TRAIN_ONLINE},
    {"each-user", 0, DQ_OPT_FLAG, &o.each_user, NULL, "an agent for each user, one worker a thread", PAYLOAD, .modes = TRAIN_EACH, .recorded = LIVE},
    {"offline", 0, DQ_OPT_FLAG, &o.offline, NULL, "train on what the stream has logged, for all users", PAYLOAD, .modes = LOGGED, .recorded = STREAM},
    {"preset", 0, DQ_OPT_CHOICE, &o.preset, "NAME", "other defaults: tuned on real labels, as published; or a published system in its environment", PAYLOAD, .choices = presets},
    {"init", 'i', DQ_OPT_TEXT, &o.init, "MODEL", "start from a model (also one in the stream)", .flags = 0},
    {"pass", 0, DQ_OPT_FLAG, &o.pass, NULL, "send the catalogue after the model", PAYLOAD, .modes = STREAM},
    {"checkpoint", 'c', DQ_OPT_TEXT, &o.checkpoint, "FILE", "keep progress in FILE, and go on from it when it exists", .modes = ONE_RUN},
    {"checkpoint-every", 0, DQ_OPT_COUNT, &o.checkpoint_every, "N", "episodes (offline: epochs) between checkpoints", .min = 1, .max = 1e9, .modes = ONE_RUN, .needs = "checkpoint"},
    {"log", 'l', DQ_OPT_TEXT, &o.log, "FILE", "metrics as JSON lines, one an episode or epoch", .flags = 0},
    {"hidden", 0, DQ_OPT_TEXT, &o.hidden, "N,N,...", "the Q-network's hidden widths (else --init's)", PAYLOAD, .section = "Networks"},
    {"world-hidden", 0, DQ_OPT_TEXT, &o.world_hidden, "N,N,...", "the world model's hidden widths (else --init's)", PAYLOAD, .modes = CATALOGUE},
    {"world", 0, DQ_OPT_FLAG, &o.world, NULL, "train a world model too (--no-world: neither it nor planning)", PAYLOAD, .modes = CATALOGUE},
    {"matches", 0, DQ_OPT_CHOICE, &o.matches, "WHICH", "further inputs (else --init's): cosines of the catalogue's pairs of fields, or of all of equal width", PAYLOAD, matches, .modes = CATALOGUE},
    {"dropout", 0, DQ_OPT_REAL, &o.dropout, "P", "share of hidden units dropped in training", PAYLOAD, .min = 0, .max = 0.95},
    {"lr", 0, DQ_OPT_REAL, &o.rate, "RATE", "Adam's learning rate, at its peak", PAYLOAD, .min = 0, .max = 10, .section = "Learning"},
    {"lr-schedule", 0, DQ_OPT_CHOICE, &o.schedule, "NAME", "of the learning rate", PAYLOAD, .choices = schedules},
    {"weight-decay", 0, DQ_OPT_REAL, &o.decay, "X", "L2 decay", PAYLOAD, .min = 0, .max = 10},
    {"gamma", 'g', DQ_OPT_REAL, &o.gamma, "X", "discount", PAYLOAD, .min = 0, .max = 0.9999},
    {"bootstrap", 0, DQ_OPT_CHOICE, &o.bootstrap, "NAME", "value of the next state: max over candidates, or same item", PAYLOAD, bootstraps, .modes = CATALOGUE},
    {"batch", 'b', DQ_OPT_COUNT, &o.batch, "N", "rows a batch (offline: labelled rows)", PAYLOAD, .min = 1, .max = 1e6},
    {"target-every", 0, DQ_OPT_COUNT, &o.target_every, "N", "Q updates between copies of the target", PAYLOAD, .min = 1, .max = 1e15},
    {"candidates", 0, DQ_OPT_COUNT, &o.candidates, "N", "items drawn an episode (offline: for the maximum; 0: all)", PAYLOAD, .min = 0, .max = 4e9, .modes = CATALOGUE},
    {"map", 0, DQ_OPT_TEXT, &o.map, "LABEL=X,...", "rewards of labels; IGNORE is that of the unlabelled", PAYLOAD, .modes = STREAM},
    {"episodes", 'e', DQ_OPT_COUNT, &o.episodes, "N", "episodes", PAYLOAD, .min = 1, .max = 1e9, .modes = ACTING, .section = "Rewards and exploration"},
    {"steps", 's', DQ_OPT_COUNT, &o.steps, "N", "steps an episode", PAYLOAD, .min = 1, .max = 1e9, .modes = LIVE},
    {"reward", 'r', DQ_OPT_CHOICE, &o.reward, "NAME", "cosine, logged labels, or auto (logged when there are transitions)", PAYLOAD, rewards, .modes = LIVE, .excludes = "reward-cmd"},
    {"reward-cmd", 0, DQ_OPT_TEXT, &o.reward_cmd, "COMMAND", "rewards from a labeller that is asked as training goes on, such as 'dq-reward -s llm ...'", .modes = TRAIN_ONLINE},
    {"ask-ahead", 0, DQ_OPT_COUNT, &o.ask_ahead, "N", "candidates asked behind each unknown one, the likeliest first", .min = 0, .max = 1e6, .modes = TRAIN_ONLINE, .needs = "reward-cmd"},
    {"cosine-weight", 0, DQ_OPT_TEXT, &o.cosine_weight, "A[:B@N]", "the cosine's share of the reward, the rest is the llm part's: A, or from A to B over N episodes (offline: epochs)", PAYLOAD, .modes = CATALOGUE},
    {"switch-episode", 0, DQ_OPT_COUNT, &o.switch_episode, "N", "the share jumps at episode N (1:0, or --cosine-weight A:B)", PAYLOAD | DQ_OPT_UNSET, .min = 1, .max = 1e9, .modes = LIVE},
    {"compare", 0, DQ_OPT_LIST, &o.pairs, "USER:ITEM", "fields whose cosine rewards (else the catalogue's)", PAYLOAD, .modes = LIVE},
    {"raw-cosine", 0, DQ_OPT_FLAG, &o.raw_cosine, NULL, "cosines in [-1, 1], not [0, 1]", PAYLOAD, .modes = LIVE},
    {"planning", 'n', DQ_OPT_COUNT, &o.planning, "N", "planning updates a step", PAYLOAD, .min = 0, .max = 1e4, .modes = ACTING},
    {"epsilon", 0, DQ_OPT_REAL, &o.epsilon, "X", "exploration at the start", PAYLOAD, .min = 0, .max = 1, .modes = ACTING},
    {"epsilon-min", 0, DQ_OPT_REAL, &o.epsilon_min, "X", "exploration at least", PAYLOAD, .min = 0, .max = 1, .modes = ACTING},
    {"epsilon-decay", 0, DQ_OPT_REAL, &o.epsilon_decay, "X", "its factor a learning step", PAYLOAD, .min = 0, .max = 1, .modes = ACTING},
    {"replay", 0, DQ_OPT_COUNT, &o.replay, "N", "transitions remembered", PAYLOAD, .min = 1, .max = 1e8, .modes = ACTING},
    {"warmup", 0, DQ_OPT_COUNT, &o.warmup, "N", "transitions before learning", PAYLOAD, .min = 0, .max = 1e8, .modes = ACTING},
    {"epochs", 0, DQ_OPT_COUNT, &o.epochs, "N", "passes", PAYLOAD, .min = 1, .max = 1e6, .modes = LOGGED, .section = "Passes over a log"},
    {"negatives", 0, DQ_OPT_COUNT, &o.negatives, "N", "unlabelled items drawn per labelled row, as IGNORE", PAYLOAD, .min = 0, .max = 1000, .modes = LOGGED},
    {"validation", 0, DQ_OPT_REAL, &o.validation, "X", "share of the groups held out", PAYLOAD, .min = 0, .max = 0.9, .modes = LOGGED},
    {"validate-by", 0, DQ_OPT_TEXT, &o.validate_by, "NAME", "group users by this attribute (else each alone)", PAYLOAD, .modes = LOGGED},
    {"fold", 0, DQ_OPT_TEXT, &o.fold, "I/K", "hold out part I of K of the groups instead (cross-validation)", PAYLOAD, .modes = LOGGED, .excludes = "validation"},
    {"best-by", 0, DQ_OPT_CHOICE, &o.best_by, "WHAT", "the epoch to keep, by held-out rows", PAYLOAD, bests, .modes = LOGGED},
    {"patience", 0, DQ_OPT_COUNT, &o.patience, "N", "epochs without a better validation before stopping (0: never)", PAYLOAD, .min = 0, .max = 1e6, .modes = LOGGED},
    {"env", 0, DQ_OPT_TEXT, &o.env.name, "NAME[:X=N,...]", "train in an environment (dq-sim(1) lists them)", PAYLOAD, .modes = TRAIN_ENV, .excludes = "env-cmd", .section = "Agents of environments and sessions"},
    {"env-cmd", 0, DQ_OPT_TEXT, &o.env.command, "COMMAND", "train in the environment that a process offers (docs/environments.md)", .modes = TRAIN_ENV},
    {"envs", 0, DQ_OPT_COUNT, &o.env.count, "N", "environments side by side", PAYLOAD, .min = 1, .max = 4096, .modes = TRAIN_ENV},
    {"agent", 'a', DQ_OPT_CHOICE, &o.env.agent, "NAME", "who learns", PAYLOAD, train_agents, .modes = TRAIN_AGENTS},
    {"total-steps", 0, DQ_OPT_COUNT, &o.env.total_steps, "N", "steps in all (0: --episodes count)", PAYLOAD, .min = 1, .max = 1e12, .modes = TRAIN_ENV},
    {"evaluate", 0, DQ_OPT_COUNT, &o.env.evaluate, "N", "every N episodes, play some without exploring (0: never)", PAYLOAD, .min = 0, .max = 1e9, .modes = TRAIN_ENV},
    {"evaluate-episodes", 0, DQ_OPT_COUNT, &o.env.evaluate_episodes, "N", "so many", PAYLOAD, .min = 1, .max = 4096, .modes = TRAIN_ENV},
    {"double", 0, DQ_OPT_FLAG, &o.env.double_q, NULL, "Double Q-learning", PAYLOAD, .modes = TRAIN_AGENTS},
    {"dueling", 0, DQ_OPT_FLAG, &o.env.dueling, NULL, "value and advantages apart", PAYLOAD, .modes = TRAIN_AGENTS},
    {"batch-norm", 0, DQ_OPT_FLAG, &o.env.batch_norm, NULL, "batch norm in hidden layers", PAYLOAD, .modes = TRAIN_AGENTS},
    {"head", 0, DQ_OPT_CHOICE, &o.env.head, "NAME", "an output an action, or Q of state and action vector", PAYLOAD, heads, .modes = TRAIN_AGENTS},
    {"encoder", 0, DQ_OPT_CHOICE, &o.env.encoder, "NAME", "of the history in the state", PAYLOAD, encoders, .modes = TRAIN_AGENTS},
    {"loss", 0, DQ_OPT_CHOICE, &o.env.loss, "NAME", "of Q", PAYLOAD, losses, .modes = TRAIN_AGENTS},
    {"clip-norm", 0, DQ_OPT_REAL, &o.env.clip_norm, "X", "the gradient's norm is at most X (0: any)", PAYLOAD, .min = 0, .max = 1e9, .modes = TRAIN_AGENTS},
    {"clip-value", 0, DQ_OPT_REAL, &o.env.clip_value, "X", "each number of the gradient is at most X (0: any)", PAYLOAD, .min = 0, .max = 1e9, .modes = TRAIN_AGENTS},
    {"target-by", 0, DQ_OPT_CHOICE, &o.env.target_by, "WHAT", "what --target-every counts", PAYLOAD, counts, .modes = TRAIN_ENV},
    {"tau", 0, DQ_OPT_REAL, &o.env.tau, "X", "the target follows by this share (0: is copied)", PAYLOAD, .min = 0, .max = 1, .modes = TRAIN_AGENTS},
    {"n-step", 0, DQ_OPT_COUNT, &o.env.n_step, "N", "rewards summed before bootstrapping", PAYLOAD, .min = 1, .max = 1000, .modes = TRAIN_ENV},
    {"priority", 0, DQ_OPT_REAL, &o.env.priority, "X", "prioritised replay: alpha (0: uniform)", PAYLOAD, .min = 0, .max = 1, .modes = TRAIN_ENV},
    {"importance", 0, DQ_OPT_REAL, &o.env.importance, "X", "prioritised replay: beta at the start", PAYLOAD, .min = 0, .max = 1, .modes = TRAIN_ENV},
    {"conservative", 0, DQ_OPT_REAL, &o.env.conservative, "X", "conservative Q-learning: alpha (0: none)", PAYLOAD, .min = 0, .max = 1e6, .modes = TRAIN_AGENTS},
    {"train-every", 0, DQ_OPT_COUNT, &o.env.train_every, "N", "steps between learning", PAYLOAD, .min = 1, .max = 1e9, .modes = TRAIN_ENV},
    {"updates", 0, DQ_OPT_COUNT, &o.env.updates, "N", "updates each time", PAYLOAD, .min = 1, .max = 1e6, .modes = TRAIN_ENV},
    {"alpha", 0, DQ_OPT_REAL, &o.env.alpha, "X", "tabular: the step", PAYLOAD, .min = 0, .max = 1, .modes = TRAIN_ENV},
    {"states", 0, DQ_OPT_COUNT, &o.env.states, "N", "tabular: states that there is room for", PAYLOAD, .min = 1, .max = 1e8, .modes = TRAIN_ENV},
    {"rollout", 0, DQ_OPT_COUNT, &o.env.rollout, "N", "dyna-q: steps that planning looks ahead", PAYLOAD, .min = 1, .max = 1000, .modes = TRAIN_ENV},
    {"models", 0, DQ_OPT_COUNT, &o.env.models, "N", "dyna-q: world models in the ensemble", PAYLOAD, .min = 1, .max = 100, .modes = TRAIN_AGENTS},
    {"explore", 0, DQ_OPT_CHOICE, &o.env.explore_by, "NAME", "epsilon-greedy, or softmax of Q", PAYLOAD, explorers, .modes = TRAIN_ENV},
    {"temperature", 0, DQ_OPT_REAL, &o.env.temperature, "X", "of the softmax", PAYLOAD, .min = 1e-6, .max = 1e6, .modes = TRAIN_ENV},
    {"epsilon-form", 0, DQ_OPT_CHOICE, &o.env.decay_form, "NAME", "how epsilon falls", PAYLOAD, decays, .modes = TRAIN_ENV},
    {"epsilon-over", 0, DQ_OPT_COUNT, &o.env.epsilon_over, "N", "exponential: its time constant; linear: until it is least", PAYLOAD, .min = 1, .max = 1e12, .modes = TRAIN_ENV},
    {"epsilon-by", 0, DQ_OPT_CHOICE, &o.env.decay_by, "WHAT", "what epsilon's time counts", PAYLOAD, counts, .modes = TRAIN_ENV},
    {"history", 0, DQ_OPT_COUNT, &o.logged.history, "N", "items that a state remembers", PAYLOAD, .min = 1, .max = 1000, .modes = TRAIN_SESSIONS, .section = "Sessions: what users met, in the order of time"},
    {"history-mean", 0, DQ_OPT_FLAG, &o.logged.mean, NULL, "their mean instead of the items themselves", PAYLOAD, .modes = TRAIN_SESSIONS},
    {"recency", 0, DQ_OPT_REAL, &o.logged.recency, "X", "weight of an item of the history, of the one after it", PAYLOAD, .min = 1e-6, .max = 1, .modes = TRAIN_SESSIONS},
    {"session-steps", 0, DQ_OPT_COUNT, &o.logged.steps, "T", "a state shows t / T, of the session's events so far (0: not)", PAYLOAD, .min = 0, .max = 1e6, .modes = TRAIN_SESSIONS},
    {"session-count", 0, DQ_OPT_FLAG, &o.logged.count, NULL, "a state shows how many items have entered the history", PAYLOAD, .modes = TRAIN_SESSIONS},
    {"clock", 0, DQ_OPT_FLAG, &o.logged.clock, NULL, "a state shows hour and day of the week", PAYLOAD, .modes = TRAIN_SESSIONS},
    {"since", 0, DQ_OPT_FLAG, &o.logged.since, NULL, "a state shows the time since the event before", PAYLOAD, .modes = TRAIN_SESSIONS},
    {"session-gap", 0, DQ_OPT_REAL, &o.logged.gap, "SECONDS", "a new session begins after so long without an event (0: a user has one)", PAYLOAD, .min = 0, .max = 1e12, .modes = TRAIN_SESSIONS},
    {"session-end", 0, DQ_OPT_CHOICE, &o.logged.end, "WHAT", "of a session's last event: the log was cut there, or nothing comes after it", PAYLOAD, ends, .modes = TRAIN_SESSIONS},
    {"time", 0, DQ_OPT_TEXT, &o.logged.time, "NAME", "the attribute that tells an interaction's time", PAYLOAD, .modes = TRAIN_SESSIONS},
    {"seed", 0, DQ_OPT_COUNT, &o.common.seed, "N", "seed of the random numbers", .min = 0, .max = 9.2e18, .section = "Running"},
    DQ_OPTIONS_COMMON(o.common), {0}};
/* clang-format on */

/* --fold I/K */
static void parse_fold(const dq_cli *cli)
{
    char rest;
    if (!o.fold) return;
    if (strchr(o.fold, '-') || sscanf(o.fold, "%u/%u%c", &o.fold_number, &o.folds, &rest) != 2 ||
        o.folds < 2 || o.fold_number < 1 || o.fold_number > o.folds)
        dq_cli_usage(cli, "--fold %s: I/K is wanted, with K at least 2 and I from 1 to K", o.fold);
}

static unsigned choose_mode(const dq_cli *cli)
{
    bool env_preset = dq_cli_choice_modes(cli, "preset") & TRAIN_ENV;
    if (o.env.name || o.env.command || (env_preset && !o.offline)) return TRAIN_ENV;
    if (o.offline) return dq_cli_given(cli, "agent") ? TRAIN_SESSIONS : TRAIN_OFFLINE;
    return o.each_user ? TRAIN_EACH : TRAIN_ONLINE;
}

train_options *train_options_parse(dq_cli *cli, int argc, char **argv)
{
    for (size_t i = 0; dq_schedules[i].name && i + 1 < sizeof schedules / sizeof *schedules; i++)
        schedules[i] = dq_schedules[i].name;
    train_describe_agents(table);
    *cli = dq_cli_parse(&program, table, argc, argv);
    dq_cli_enter(cli, choose_mode(cli));
    parse_fold(cli);
    if (cli->mode & TRAIN_AGENTS) train_configure_agent(cli, &o);
    if ((cli->mode & LIVE) && o.replay < o.batch) dq_cli_usage(cli, "--replay is smaller than --batch");
    if ((cli->mode & LIVE) && o.candidates == 0) dq_cli_usage(cli, "--candidates 0 needs --offline");
    return &o;
}
