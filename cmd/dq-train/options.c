/* SPDX-License-Identifier: MIT */
#include "train.h"

#include "data/split.h"
#include "math/blas.h"
#include "math/product/product.h"
#include "offline/offline.h"
#include "serve/online/follow.h"

#include <stdio.h>
#include <string.h>

static const char *const presets[] = {"tuned",        "published", "session", "sequence",
                                      "sequence-dqn", "films",     "maze",    NULL};
static const char *const rewards[] = {"auto", "cosine", "logged", NULL};
static const char *const decay_forms[] = {"l2", "decoupled", NULL};
static const char *const ends[] = {"truncated", "terminal", NULL}; /* of a session */
static const char *const metas[] = {"none", "reptile", NULL};
static const char *const saves[] = {"whole", "delta", NULL};
static const char *const keeps[] = {"last", "best", "both", NULL};
static const char *const counts[] = {"updates", "steps", "episodes", NULL}; /* as dq_count_by */
static const char *schedules[16];                                           /* names of dq_schedules */

static const dq_mode modes[] = {
    {TRAIN_ONLINE, "online", "online training",
     .help = "one user's agent, in the catalogue (--user; or a stream of one user)"},
    {TRAIN_EACH, "each-user", "--each-user", .help = "an agent for each user of the stream (--each-user)"},
    {TRAIN_OFFLINE, "offline", "--offline",
     .help = "one agent for all users, from the stream's transitions (--offline)"},
    {TRAIN_SESSIONS, "sessions", "--offline --sessions",
     .help = "an agent of sessions, from interactions (--offline --sessions)"},
    {TRAIN_STATES, "states", "--offline with states",
     .help = "an agent from transitions that have vectors for states (--offline)"},
    {TRAIN_FOLLOW, "follow", "--follow",
     .help = "a model learns on from what a server logs (--follow LOG --init MODEL)"},
    {TRAIN_ENV, "env", "an environment (--env)",
     .help = "an agent in an environment (--env, --env-cmd, or a preset of one)", .no_operands = true},
    {0}};

static const char *feature_at(size_t i)
{
    static const char *const whole[] = {"none", "pairs", "all", "auto"};
    size_t n = sizeof whole / sizeof *whole;
    return i < n ? whole[i] : dq_feature_name_at(i - n);
}

static const char *wish_at(size_t i)
{
    static const char *const wishes[] = {"greatest", "none", NULL};
    return wishes[i];
}

/* The kernels of its products, and of those by --precision bf16. */
static const char *kernels(void)
{
    static char words[640];
    snprintf(words, sizeof words, "%s\nbfloat16: %s", dq_blas_core(), dq_bf16_core());
    return words;
}

static const dq_program program = {
    .name = "dq-train",
    .guide = "training.md",
    .summary = "trains agents: online for one user or each, offline from transitions, or in an environment",
    .operands = "[FILE...]",
    .examples = {"dq-export --schema jobs FOLDER | dq-train --user U --pass | dq-rank --user U -k 10",
                 "dq-reward --strategy logged < c.dq | dq-train --offline --negatives 3 -o model.dq"},
    .all_cores = true,
    .refuses = true,
    .version_note_fn = kernels,
    .modes = modes,
    .defaults = train_defaults,
};

/* What holds where train_defaults says nothing. */
static train_options o = {
    .common = DQ_COMMON_DEFAULTS,
    .hidden = "",
    .value_hidden = "",
    .world_hidden = "",
    .features = "none",
    .wish = "greatest",
    .map = DQ_LABEL_MAP_DEFAULT,
    .candidates = 100,
    .acting = {.episodes = 100, .evaluate_episodes = 10, .max_steps = DQ_EPISODES_MAX_STEPS},
    .passes = {.epochs = 10, .validation = 0.1, .meta = DQ_META_DEFAULTS},
    .q_models = 1,
    .steps = 100,
    .config = {.world = true, .envs = 1},
    .checkpoint_every = 10,
    .envs = 1,
    .agent = 1,
    .layout = {.steps = 10, .count = true, .recency = 1, .one_hot = true},
    .event_values = 32,
    .answer_time = 3600,
    .hold_out = 0.2,
    .time = DQ_SESSION_TIME_DEFAULT};

enum { PAYLOAD = DQ_OPT_PAYLOAD };
#define NETWORK     "agent=dqn,dyna-q"
#define VALUES      "agent=tabular,dqn,dyna-q"
#define NETWORKS    "agent=dqn,dyna-q,dt"
#define WORLD       "agent=dyna-q world"
#define TRANSFORMER "agent=dt|encoder=sasrec"
#define HELD_OUT    "validation|fold"
#define BANDIT      "agent=linucb,thompson"
#define VECTORS     "agent=dqn,dyna-q,linucb,thompson"
#define ROWS_OF_DQN "agent=dqn loss=mse,huber"
#define PASSES      "agent=tabular,dqn,dyna-q,dt" /* over a log, more than one; a rate */

/* clang-format off */
static const dq_option table[] = {
    {"user", 'u', DQ_OPT_TEXT, &o.user, "ID", "train for this user", PAYLOAD, .modes = TRAIN_ONLINE},
    {"each-user", 0, DQ_OPT_FLAG, &o.each_user, NULL, "an agent for each user, one worker a thread", PAYLOAD, .modes = TRAIN_EACH, .recorded = TRAIN_LIVE},
    {"users-file", 0, DQ_OPT_TEXT, &o.users_file, "FILE", "for each user whose id is a line of FILE, not for all", PAYLOAD | DQ_OPT_READS, .modes = TRAIN_EACH},
    {"shard", 0, DQ_OPT_TEXT, &o.part, "I/N", "for one of N parts of them, by the hash of their ids: as many machines share the work", PAYLOAD, .modes = TRAIN_EACH},
    {"models-dir", 0, DQ_OPT_TEXT, &o.models_dir, "DIR", "keep each agent in a file of DIR, named by its user, and go on from those that are there; a stream then leaves to --output alone", .modes = TRAIN_EACH},
    {"save", 0, DQ_OPT_CHOICE, &o.save, "FORM", "what an agent's file has: all of the model, or what differs from --init's, which is kept beside it once", PAYLOAD, saves, .modes = TRAIN_EACH, .needs = "models-dir", .where = "models-dir"},
    {"max-failures", 0, DQ_OPT_COUNT, &o.max_failures, "N", "end when more than N agents have failed (else the others go on)", DQ_OPT_UNSET, .min = 0, .max = 1e9, .modes = TRAIN_EACH},
    {"offline", 0, DQ_OPT_FLAG, &o.offline, NULL, "train on what the stream has logged: its transitions", PAYLOAD, .modes = TRAIN_LOGGED, .recorded = TRAIN_LIVE | TRAIN_LOGGED},
    {"sessions", 0, DQ_OPT_FLAG, &o.sessions, NULL, "or its interactions, as what users met in the order of time", PAYLOAD, .modes = TRAIN_SESSIONS, .recorded = TRAIN_LOGGED, .needs = "offline"},
    {"follow", 0, DQ_OPT_TEXT, &o.follow, "LOG", "learn on from what a server logs, and put the model in the old one's place", .flags = DQ_OPT_READS, .modes = TRAIN_FOLLOW, .needs = "init"},
    {"every", 0, DQ_OPT_TEXT, &o.every, "N|TIME", "again and again: after N rows, or a time such as 10m or 1h (else in one shot)", .modes = TRAIN_FOLLOW, .where = "answer-time"},
    {"answer-time", 0, DQ_OPT_REAL, &o.answer_time, "SECONDS", "how long an answer may take: so long a showing waits (0: what the log has by now)", PAYLOAD, .min = 0, .max = 1e9, .modes = TRAIN_FOLLOW},
    {"accept", 0, DQ_OPT_TEXT, &o.accept, "COMMAND", "who decides, by exit status, whether the new model ($DQ_CANDIDATE) takes the place of the old one ($DQ_STANDING)", .modes = TRAIN_FOLLOW},
    {"hold-out", 0, DQ_OPT_REAL, &o.hold_out, "X", "the share of the users from whom a new model does not learn, so that it can be judged by their rows ($DQ_HELD)", PAYLOAD, .min = 0, .max = 0.9, .modes = TRAIN_FOLLOW, .needs = "accept", .where = "accept"},
    {"unanswered", 0, DQ_OPT_TEXT, &o.unanswered, "LABEL", "the label of what was shown and not answered (else it has no reward)", PAYLOAD | DQ_OPT_UNSET, .modes = TRAIN_OFFLINE | TRAIN_SESSIONS | TRAIN_FOLLOW},
    {"preset", 0, DQ_OPT_CHOICE, &o.preset, "NAME", "other defaults: tuned on real labels, as published; or a published system in its environment", PAYLOAD, .choices = presets, .modes = TRAIN_ALL & ~TRAIN_FOLLOW},
    {"init", 'i', DQ_OPT_TEXT, &o.init, "MODEL", "start from a model (also one in the stream)", .flags = DQ_OPT_READS},
    {"pass", 0, DQ_OPT_FLAG, &o.pass, NULL, "send the catalogue after the model", PAYLOAD, .modes = TRAIN_LIVE | TRAIN_LOGGED},
    {"checkpoint", 'c', DQ_OPT_TEXT, &o.checkpoint, "FILE", "keep progress in FILE, and go on from it when it exists", .flags = DQ_OPT_WRITES, .modes = TRAIN_ONLINE | TRAIN_LOGGED | TRAIN_ENV, .why = "--models-dir DIR keeps each agent that is learnt; --user ID keeps the progress of one"},
    {"checkpoint-every", 0, DQ_OPT_COUNT, &o.checkpoint_every, "N", "episodes (offline: epochs) between checkpoints", .min = 1, .max = 1e9, .modes = TRAIN_ONLINE | TRAIN_LOGGED | TRAIN_ENV, .needs = "checkpoint"},
    {"log", 'l', DQ_OPT_TEXT, &o.log, "FILE", "metrics as JSON lines, one an episode or epoch", .flags = DQ_OPT_WRITES},
    {"agent", 'a', DQ_OPT_CHOICE, &o.agent, "NAME", "who learns", PAYLOAD, train_agents, .section = "The agent and its networks (what is not given is --init's)"},
    {"hidden", 0, DQ_OPT_TEXT, &o.hidden, "N,N,...", "the Q-network's hidden widths", .flags = PAYLOAD, .where = NETWORKS},
    {"head", 0, DQ_OPT_CHOICE, &o.config.head, "NAME", "an output (bandits: a posterior) an action, or one for all, of state and action vector", PAYLOAD, .choices = dq_head_names, .where = VECTORS},
    {"encoder", 0, DQ_OPT_CHOICE, &o.config.encoder, "NAME", "of the history in the state", PAYLOAD, dq_encoder_names, .modes = TRAIN_VECTORS, .where = NETWORK, .why = "a user's state has no history"},
    {"blocks", 0, DQ_OPT_SMALL, &o.config.blocks, "N", "of the transformer: each self-attention and feed-forward", PAYLOAD, .min = 1, .max = DQ_NET_MAX_BLOCKS, .modes = TRAIN_VECTORS, .where = TRANSFORMER, .why = "a user's state has no history"},
    {"heads", 0, DQ_OPT_SMALL, &o.config.heads, "N", "of its self-attention", PAYLOAD, .min = 1, .max = DQ_NET_MAX_HEADS, .modes = TRAIN_VECTORS, .where = TRANSFORMER, .why = "a user's state has no history"},
    {"encoder-width", 0, DQ_OPT_SMALL, &o.config.encoder_width, "N", "of its tokens, a multiple of the heads", PAYLOAD, .min = 1, .max = DQ_NET_MAX_ENCODER_WIDTH, .modes = TRAIN_VECTORS, .where = TRANSFORMER, .why = "a user's state has no history"},
    {"context", 0, DQ_OPT_SMALL, &o.config.context, "N", "dt: steps that it reads, the present one among them", PAYLOAD, .min = 1, .max = DQ_AGENT_MAX_CONTEXT, .modes = TRAIN_SESSIONS | TRAIN_STATES, .where = "agent=dt"},
    {"wish", 0, DQ_OPT_TEXT, &o.wish, "X", .values = wish_at, .help = "dt: the return that it acts for: a number, the greatest of the log's, or none (behaviour cloning)", .flags = PAYLOAD, .modes = TRAIN_SESSIONS | TRAIN_STATES, .where = "agent=dt"},
    {"features", 0, DQ_OPT_TEXT, &o.features, "NAME,...", .values = feature_at, .help = "further inputs of a head on actions: none, pairs or all (cosines of the catalogue's pairs of fields, of all of one width), features of a pair within its list (docs/features.md), or auto", .flags = PAYLOAD, .modes = TRAIN_ITEMS, .where = VECTORS, .why = "a catalogue alone has fields to compare"},
    {"feature-scale", 0, DQ_OPT_REAL, &o.config.feature_scale, "X", "the cosines are multiplied by X", PAYLOAD, .min = 1e-6, .max = 1e6, .modes = TRAIN_ITEMS, .where = NETWORK " features", .why = "a catalogue alone has fields to compare"},
    {"hidden-inputs", 0, DQ_OPT_CHOICE, &o.config.hidden_inputs, "NAME", "what hidden layers of a head on actions see: all, or the features alone", PAYLOAD, dq_hidden_inputs_names, .modes = TRAIN_ITEMS, .where = NETWORK, .why = "a catalogue alone has fields to compare"},
    {"direct", 0, DQ_OPT_FLAG, &o.config.direct, NULL, "features are also added to the output, with learnt weights", PAYLOAD, .modes = TRAIN_ITEMS, .where = NETWORK, .why = "a catalogue alone has fields to compare"},
    {"direct-start", 0, DQ_OPT_REAL, &o.passes.start_weight, "X", "what the weight of the best cosine starts at, the one that alone orders the rows best", PAYLOAD, .min = 0, .max = 1e6, .modes = TRAIN_OFFLINE, .where = NETWORK " loss=softmax,pairwise direct", .why = "lists alone tell which it is"},
    {"factored", 0, DQ_OPT_SMALL, &o.config.factored, "N", "a factored head beside the hidden layers: tau cos(P s, R a) of N numbers each (0: none)", PAYLOAD, .min = 0, .max = 65536, .where = NETWORK},
    {"input-dropout", 0, DQ_OPT_REAL, &o.config.input_dropout, "P", "share of the numbers of states and actions dropped in training", PAYLOAD, .min = 0, .max = 0.95, .where = NETWORK},
    {"activation", 0, DQ_OPT_CHOICE, &o.config.activation, "NAME", "of hidden units", PAYLOAD, .choices = dq_activation_names, .where = NETWORKS},
    {"dropout", 0, DQ_OPT_REAL, &o.config.dropout, "P", "share of hidden units dropped in training", PAYLOAD, .min = 0, .max = 0.95, .where = NETWORKS},
    {"dropout-layers", 0, DQ_OPT_SMALL, &o.config.dropout_layers, "N", "hidden layers behind which it is, from the first (0: all)", PAYLOAD, .min = 0, .max = 16, .where = NETWORK " dropout"},
    {"precision", 0, DQ_OPT_CHOICE, &o.config.precision, "NAME", "of the products of training: f32; or bf16, operands rounded to bfloat16, sums and weights in float32", PAYLOAD, .choices = dq_precision_names, .where = NETWORK},
    {"batch-norm", 0, DQ_OPT_FLAG, &o.config.batch_norm, NULL, "batch norm in hidden layers", .flags = PAYLOAD, .where = NETWORK},
    {"dueling", 0, DQ_OPT_FLAG, &o.config.dueling, NULL, "value and advantages apart", .flags = PAYLOAD, .where = NETWORK},
    {"value-hidden", 0, DQ_OPT_TEXT, &o.value_hidden, "N,N,...", "hidden widths of the value's own stream", PAYLOAD, .needs = "dueling", .where = NETWORK},
    {"world", 0, DQ_OPT_FLAG, &o.config.world, NULL, "dyna-q: a world model beside Q (without: no planning either)", .flags = PAYLOAD, .where = "agent=dyna-q"},
    {"world-hidden", 0, DQ_OPT_TEXT, &o.world_hidden, "N,N,...", "its hidden widths (none: the Q-network's)", .flags = PAYLOAD, .where = WORLD},
    {"models", 0, DQ_OPT_SMALL, &o.config.models, "N", "dyna-q: world models in the ensemble", PAYLOAD, .min = 1, .max = 100, .where = WORLD},
    {"alpha", 0, DQ_OPT_REAL, &o.config.alpha, "X", "tabular: the step", PAYLOAD, .min = 0, .max = 1, .where = "agent=tabular"},
    {"states", 0, DQ_OPT_SMALL, &o.config.states, "N", "tabular: states that there is room for", PAYLOAD, .min = 1, .max = 1e8, .modes = TRAIN_VECTORS, .where = "agent=tabular"},
    {"ridge", 0, DQ_OPT_REAL, &o.config.ridge, "X", "bandits: lambda, how far weights are held to 0 beforehand", PAYLOAD, .min = 1e-9, .max = 1e9, .where = BANDIT},
    {"spread", 0, DQ_OPT_REAL, &o.config.spread, "X", "bandits: how far from the mean they explore, in deviations: LinUCB's alpha, Thompson's v", PAYLOAD, .min = 0, .max = 1e6, .where = BANDIT},
    {"outer", 0, DQ_OPT_FLAG, &o.config.outer, NULL, "bandits with a head on actions: products of each number of the state and of the action", PAYLOAD, .where = BANDIT " head=actions"},
    {"balance", 0, DQ_OPT_REAL, &o.passes.balance, "X", "bandits: a row weighs 1 / propensity, at most X (0: each the same)", PAYLOAD, .min = 0, .max = 1e9, .modes = TRAIN_LOGGED, .where = BANDIT, .why = "who acts knows what he did"},
    {"lr", 0, DQ_OPT_REAL, &o.config.adam.rate, "RATE", "Adam's learning rate, at its peak", PAYLOAD, .min = 0, .max = 10, .section = "Learning", .where = NETWORKS},
    {"train-last", 0, DQ_OPT_SMALL, &o.config.trained_layers, "N", "of each network the last N layers alone learn, the output among them; what is before stays as --init has it (0: all learn)", PAYLOAD, .min = 0, .max = 64, .needs = "init", .where = NETWORKS},
    {"lr-schedule", 0, DQ_OPT_CHOICE, &o.schedule, "NAME", "of the learning rate, over the run", PAYLOAD, .choices = schedules, .where = PASSES},
    {"lr-decay", 0, DQ_OPT_REAL, &o.config.schedule_decay, "X", "exponential schedule: the rate at the end, of its peak", PAYLOAD, .min = 1e-9, .max = 1, .where = "lr-schedule=exponential"},
    {"schedule-steps", 0, DQ_OPT_COUNT, &o.config.schedule_steps, "N", "learning steps after which rate and importance are at their ends (0: with the run: its share of batches done, or the greater of those of episodes and of steps; an episode without a limit of its steps counts when it ends)", PAYLOAD, .min = 0, .max = 1e15, .where = "lr-schedule=one-cycle,linear,cosine,exponential|priority"},
    {"beta2", 0, DQ_OPT_REAL, &o.config.adam.beta2, "X", "Adam's decay of squares", PAYLOAD, .min = 0, .max = 0.999999, .where = NETWORKS},
    {"weight-decay", 0, DQ_OPT_REAL, &o.config.adam.decay, "X", "weight decay", PAYLOAD, .min = 0, .max = 10, .where = NETWORKS},
    {"decay-form", 0, DQ_OPT_CHOICE, &o.decay_form, "NAME", "of the weight decay: l2 in the gradient, or decoupled from it, of matrices alone", PAYLOAD, decay_forms, .where = NETWORKS " weight-decay"},
    {"gamma", 'g', DQ_OPT_REAL, &o.config.gamma, "X", "discount", PAYLOAD, .min = 0, .max = 0.9999, .where = VALUES},
    {"bootstrap", 0, DQ_OPT_CHOICE, &o.config.bootstrap, "NAME", "value of the next state: max over what is on offer, or the same action's", PAYLOAD, .choices = dq_bootstrap_names, .where = VALUES " agent=tabular|loss=mse,huber"},
    {"double", 0, DQ_OPT_FLAG, &o.config.double_q, NULL, "Double Q-learning", .flags = PAYLOAD, .where = NETWORK " loss=mse,huber"},
    {"n-step", 0, DQ_OPT_SMALL, &o.config.n_step, "N", "rewards summed before bootstrapping", PAYLOAD, .min = 1, .max = 1000, .modes = TRAIN_ACTING | TRAIN_SESSIONS | TRAIN_STATES, .where = NETWORK, .why = "pairs of users and items follow no order, so no later reward is theirs"},
    {"loss", 0, DQ_OPT_CHOICE, &o.config.loss, "NAME", "of Q: mse learns the mean of rewards; huber, linear from --huber-delta on, something between mean and median, so rare great ones count less; softmax and pairwise learn the order of each user's list, offline", PAYLOAD, .choices = dq_loss_names, .where = NETWORK},
    {"list-temperature", 0, DQ_OPT_REAL, &o.config.list_temperature, "X", "a list's outputs are divided by X", PAYLOAD, .min = 1e-6, .max = 1e6, .modes = TRAIN_OFFLINE, .where = NETWORK " loss=softmax,pairwise", .why = "lists are of a catalogue's users"},
    {"huber-delta", 0, DQ_OPT_REAL, &o.config.huber_delta, "X", "error from which on Huber's loss is linear", PAYLOAD, .min = 1e-6, .max = 1e6, .where = NETWORK " loss=huber"},
    {"clip-norm", 0, DQ_OPT_REAL, &o.config.clip_norm, "X", "the gradient's norm is at most X (0: any)", PAYLOAD, .min = 0, .max = 1e9, .where = NETWORKS},
    {"clip-value", 0, DQ_OPT_REAL, &o.config.clip_value, "X", "each number of the gradient is at most X (0: any)", PAYLOAD, .min = 0, .max = 1e9, .where = NETWORKS},
    {"conservative", 0, DQ_OPT_REAL, &o.config.conservative, "X", "conservative Q-learning: alpha (0: none)", PAYLOAD, .min = 0, .max = 1e6, .where = NETWORK},
    {"batch", 'b', DQ_OPT_COUNT, &o.config.batch, "N", "rows a batch (offline: labelled rows)", PAYLOAD, .min = 1, .max = 1e6, .where = NETWORK "|epochs " PASSES},
    {"priority", 0, DQ_OPT_REAL, &o.config.priority, "X", "rows drawn by their error to this power (0: uniformly)", PAYLOAD, .min = 0, .max = 1, .where = NETWORK},
    {"importance", 0, DQ_OPT_REAL, &o.config.importance, "X", "of priorities: beta at the start, which rises to 1", PAYLOAD, .min = 0, .max = 1, .where = NETWORK " priority"},
    {"target-every", 0, DQ_OPT_COUNT, &o.config.target_every, "N", "Q updates between copies of the target", PAYLOAD, .min = 1, .max = 1e15, .where = NETWORK " loss=mse,huber"},
    {"target-by", 0, DQ_OPT_CHOICE, &o.config.target_by, "WHAT", "what --target-every counts", PAYLOAD, counts, .modes = TRAIN_ACTING, .where = NETWORK, .why = "a log is learnt in updates alone"},
    {"tau", 0, DQ_OPT_REAL, &o.config.tau, "X", "the target follows by this share (0: is copied)", PAYLOAD, .min = 0, .max = 1, .where = NETWORK " loss=mse,huber"},
    {"candidates", 0, DQ_OPT_COUNT, &o.candidates, "N", "items drawn an episode (offline: a pass, for the maximum; 0: all)", PAYLOAD, .min = 0, .max = 4e9, .modes = TRAIN_LIVE | TRAIN_LOGGED, .where = "agent=tabular,dqn,dyna-q,linucb,thompson", .why = "what is on offer there is the environment's"},
    {"map", 0, DQ_OPT_TEXT, &o.map, "LABEL=X,...", "rewards of labels; IGNORE is that of the unlabelled", PAYLOAD, .modes = TRAIN_ITEMS, .where = "reward=auto,logged", .why = "rewards there are numbers, not labels"},
    {"episodes", 'e', DQ_OPT_COUNT, &o.acting.episodes, "N", "episodes", PAYLOAD, .min = 1, .max = 1e9, .modes = TRAIN_ACTING, .section = "Rewards and exploration"},
    {"steps", 0, DQ_OPT_COUNT, &o.steps, "N", "steps an episode", PAYLOAD, .min = 1, .max = 1e9, .modes = TRAIN_LIVE},
    {"reward", 'r', DQ_OPT_CHOICE, &o.reward, "NAME", "cosine, logged labels, or auto (logged when there are transitions)", PAYLOAD, rewards, .modes = TRAIN_LIVE, .excludes = "reward-cmd", .why = "rewards there are the log's or the environment's"},
    {"reward-cmd", 0, DQ_OPT_TEXT, &o.reward_cmd, "COMMAND", "rewards from a labeller that is asked as training goes on, such as 'dq-reward -s llm ...'", .modes = TRAIN_ONLINE, .why = "a labeller is asked about one user and the items of a catalogue"},
    {"ask-ahead", 0, DQ_OPT_COUNT, &o.ask_ahead, "N", "candidates asked behind each unknown one, the likeliest first", .min = 0, .max = 1e6, .modes = TRAIN_ONLINE, .needs = "reward-cmd"},
    {"cosine-weight", 0, DQ_OPT_TEXT, &o.cosine_weight, "A[:B@N]", "the cosine's share of the reward, the rest is the llm part's: A, or from A to B over N episodes (offline: epochs)", PAYLOAD, .modes = TRAIN_USERS, .why = "a user and an item alone have a cosine"},
    {"switch-episode", 0, DQ_OPT_COUNT, &o.switch_episode, "N", "the share jumps at episode N (1:0, or --cosine-weight A:B)", PAYLOAD | DQ_OPT_UNSET, .min = 1, .max = 1e9, .modes = TRAIN_LIVE, .why = "the share changes by the episode where a catalogue is acted in alone"},
    {"compare", 0, DQ_OPT_LIST, &o.pairs, "USER:ITEM", "fields whose cosine rewards (else the catalogue's)", PAYLOAD, .modes = TRAIN_LIVE, .where = "reward=auto,cosine", .why = "rewards there are the log's or the environment's"},
    {"raw-cosine", 0, DQ_OPT_FLAG, &o.raw_cosine, NULL, "cosines in [-1, 1], not [0, 1]", PAYLOAD, .modes = TRAIN_LIVE, .where = "reward=auto,cosine", .why = "rewards there are the log's or the environment's"},
    {"planning", 0, DQ_OPT_SMALL, &o.config.planning, "N", "planning updates a step", PAYLOAD, .min = 0, .max = 1e4, .modes = TRAIN_REMEMBERS, .where = "agent=tabular,dyna-q agent=tabular|world", .why = "a log is learnt in passes, and dq-plan plans with the model"},
    {"epsilon", 0, DQ_OPT_REAL, &o.config.epsilon, "X", "exploration at the start", PAYLOAD, .min = 0, .max = 1, .modes = TRAIN_ACTING, .where = VALUES " explore=epsilon", .why = "where nobody acts nothing is explored"},
    {"epsilon-min", 0, DQ_OPT_REAL, &o.config.epsilon_min, "X", "exploration at least", PAYLOAD, .min = 0, .max = 1, .modes = TRAIN_ACTING, .where = VALUES " explore=epsilon", .why = "where nobody acts nothing is explored"},
    {"epsilon-decay", 0, DQ_OPT_REAL, &o.epsilon_decay, "X", "its factor a learning step", PAYLOAD, .min = 0, .max = 1, .modes = TRAIN_ACTING, .where = VALUES " explore=epsilon", .why = "where nobody acts nothing is explored"},
    {"replay", 0, DQ_OPT_COUNT, &o.config.replay, "N", "transitions remembered", PAYLOAD, .min = 1, .max = 1e8, .modes = TRAIN_REMEMBERS, .where = NETWORK, .why = "a log is passed over, not remembered"},
    {"warmup", 0, DQ_OPT_COUNT, &o.config.warmup, "N", "transitions before learning", PAYLOAD, .min = 0, .max = 1e8, .modes = TRAIN_REMEMBERS, .where = NETWORK, .why = "a log is passed over, not remembered"},
    {"train-every", 0, DQ_OPT_COUNT, &o.config.train_every, "N", "steps between learning", PAYLOAD, .min = 1, .max = 1e9, .modes = TRAIN_REMEMBERS, .where = VALUES, .why = "a log is passed over, not remembered"},
    {"updates", 0, DQ_OPT_COUNT, &o.config.updates, "N", "updates each time", PAYLOAD, .min = 1, .max = 1e6, .modes = TRAIN_REMEMBERS, .where = NETWORK, .why = "a log is passed over, not remembered"},
    {"rollout", 0, DQ_OPT_SMALL, &o.config.rollout, "N", "dyna-q: steps that planning looks ahead", PAYLOAD, .min = 1, .max = 1000, .modes = TRAIN_ACTING, .where = WORLD " planning", .why = "a log is learnt in passes, and dq-plan plans with the model"},
    {"explore", 0, DQ_OPT_CHOICE, &o.config.explore_by, "NAME", "epsilon-greedy, or softmax of Q", PAYLOAD, dq_explore_by_names, .modes = TRAIN_ACTING, .where = VALUES, .why = "where nobody acts nothing is explored"},
    {"temperature", 0, DQ_OPT_REAL, &o.config.temperature, "X", "of the softmax", PAYLOAD, .min = 1e-6, .max = 1e6, .modes = TRAIN_ACTING, .where = VALUES " explore=softmax", .why = "where nobody acts nothing is explored"},
    {"epsilon-form", 0, DQ_OPT_CHOICE, &o.config.decay_form, "NAME", "how epsilon falls", PAYLOAD, dq_decay_form_names, .modes = TRAIN_ACTING, .where = VALUES " explore=epsilon", .why = "where nobody acts nothing is explored"},
    {"epsilon-over", 0, DQ_OPT_REAL, &o.epsilon_over, "N", "exponential: its time constant; linear: until it is least", PAYLOAD, .min = 0, .max = 1e12, .modes = TRAIN_ACTING, .where = VALUES " explore=epsilon", .why = "where nobody acts nothing is explored"},
    {"epsilon-by", 0, DQ_OPT_CHOICE, &o.config.decay_by, "WHAT", "what epsilon's time counts (run: shares of the run)", PAYLOAD, dq_count_by_names, .modes = TRAIN_ACTING, .where = VALUES " explore=epsilon", .why = "where nobody acts nothing is explored"},
    {"epochs", 0, DQ_OPT_COUNT, &o.passes.epochs, "N", "passes (0: as many as make 150 batches of lists)", PAYLOAD, .min = 0, .max = 1e6, .modes = TRAIN_LOGGED, .where = PASSES, .section = "Passes over a log"},
    {"negatives", 0, DQ_OPT_COUNT, &o.passes.negatives, "N", "unlabelled items drawn per labelled row, as IGNORE; of lists those drawn for a list (0: all items)", PAYLOAD, .min = 0, .max = 1e6, .modes = TRAIN_OFFLINE | TRAIN_SESSIONS, .where = VALUES, .why = "a log of users and items alone tells what was not met"},
    {"meta", 0, DQ_OPT_CHOICE, &o.meta, "NAME", "meta-learning: none; or reptile, a start from which a few updates on a new user's rows lead far", PAYLOAD, metas, .modes = TRAIN_LOGGED, .where = NETWORKS, .why = "users are adapted to one by one, which needs the rows of many"},
    {"inner-steps", 0, DQ_OPT_SMALL, &o.passes.meta.steps, "K", "updates by which it adapts to a user", PAYLOAD, .min = 1, .max = 1e6, .modes = TRAIN_LOGGED, .where = "meta=reptile"},
    {"meta-batch", 0, DQ_OPT_SMALL, &o.passes.meta.users, "N", "users whose adapted weights are averaged", PAYLOAD, .min = 1, .max = 1e6, .modes = TRAIN_LOGGED, .where = "meta=reptile"},
    {"outer-step", 0, DQ_OPT_REAL, &o.passes.meta.step, "X", "share of the way to their mean that the start moves", PAYLOAD, .min = 0, .max = 10, .modes = TRAIN_LOGGED, .where = "meta=reptile"},
    {"outer-step-end", 0, DQ_OPT_REAL, &o.passes.meta.step_end, "X", "what it falls to in a line, by the end of the run", PAYLOAD, .min = 0, .max = 10, .modes = TRAIN_LOGGED, .where = "meta=reptile"},
    {"q-models", 0, DQ_OPT_SMALL, &o.q_models, "N", "networks of Q, of seeds S, S + 1 ..., in one model, by whose mean dq-rank ranks", PAYLOAD, .min = 1, .max = 100, .modes = TRAIN_OFFLINE, .where = NETWORK, .excludes = "init checkpoint", .why = "dq-rank alone takes a model of several, of users and items"},
    {"tiles", 0, DQ_OPT_SMALL, &o.passes.tiles, "N", "cut rows by users into N tiles, whose gradients are summed in a fixed tree (0: a batch is one; with --mpi 8)", PAYLOAD, .min = 0, .max = DQ_OFFLINE_MAX_TILES, .modes = TRAIN_LOGGED, .where = ROWS_OF_DQN, .why = "who acts learns from a replay, not from rows"},
    {"mpi", 0, DQ_OPT_FLAG, &o.mpi, NULL, "as one of the ranks that mpirun starts: each makes its tiles of every batch", .modes = TRAIN_LOGGED, .excludes = "pass cosine-weight switch-episode", .where = ROWS_OF_DQN, .why = "who acts learns from a replay, not from rows"},
    {"validation", 0, DQ_OPT_REAL, &o.passes.validation, "X", "share of the groups held out", PAYLOAD, .min = 0, .max = 0.9, .modes = TRAIN_LOGGED, .why = "an agent that acts is evaluated by --evaluate"},
    {"validate-by", 0, DQ_OPT_TEXT, &o.validate_by, "NAME", "group users by this attribute (else each alone): a group is held out, and left out of its own features, together", PAYLOAD, .modes = TRAIN_OFFLINE | TRAIN_SESSIONS, .where = HELD_OUT "|features"},
    {"fold", 0, DQ_OPT_TEXT, &o.fold, "I/K", "hold out part I of K of the groups instead (cross-validation)", PAYLOAD, .modes = TRAIN_LOGGED, .excludes = "validation", .why = "an agent that acts is evaluated by --evaluate"},
    {"best-by", 0, DQ_OPT_CHOICE, &o.passes.best_by, "WHAT", "the epoch to keep, by held-out rows: least loss, best order of a user's rows, best places among all items", PAYLOAD, dq_best_by_names, .modes = TRAIN_LOGGED, .where = HELD_OUT " " PASSES, .why = "an agent that acts is evaluated by --evaluate"},
    {"patience", 0, DQ_OPT_COUNT, &o.passes.patience, "N", "epochs (or evaluations) without a better one before stopping (0: never); rate and other schedules then stop short of their ends", PAYLOAD, .min = 0, .max = 1e6, .where = "evaluate|" HELD_OUT " evaluate|" PASSES},
    {"env", 0, DQ_OPT_TEXT, &o.env, "NAME[:X=N,...]", "train in an environment (dq-sim(1) lists them)", PAYLOAD, .values = dq_env_name, .modes = TRAIN_ENV, .excludes = "env-cmd", .section = "Environments"},
    {"env-cmd", 0, DQ_OPT_TEXT, &o.env_cmd, "COMMAND", "train in the environment that a process offers (docs/environments.md)", .modes = TRAIN_ENV},
    {"envs", 0, DQ_OPT_COUNT, &o.envs, "N", "environments side by side", PAYLOAD, .min = 1, .max = 4096, .modes = TRAIN_ENV},
    {"total-steps", 0, DQ_OPT_COUNT, &o.acting.steps, "N", "steps in all (else --episodes count)", PAYLOAD, .min = 1, .max = 1e12, .modes = TRAIN_ACTING},
    {"evaluate", 0, DQ_OPT_COUNT, &o.acting.evaluate, "N", "every N episodes, play some without exploring (0: never)", PAYLOAD, .min = 0, .max = 1e9, .modes = TRAIN_ACTING, .why = "an agent of a log is evaluated by held-out rows (--validation)"},
    {"evaluate-episodes", 0, DQ_OPT_COUNT, &o.acting.evaluate_episodes, "N", "so many", PAYLOAD, .min = 1, .max = 4096, .modes = TRAIN_ACTING, .where = "evaluate"},
    {"max-steps", 0, DQ_OPT_COUNT, &o.acting.max_steps, "N", "steps after which an episode of an evaluation is cut off, should it not end (0: never)", PAYLOAD, .min = 0, .max = 1e12, .modes = TRAIN_ENV, .where = "evaluate"},
    {"keep", 0, DQ_OPT_CHOICE, &o.keep, "WHICH", "models that leave: the last, the best by evaluation, or both", PAYLOAD, keeps, .modes = TRAIN_ACTING, .why = "an agent of a log is evaluated by held-out rows (--validation)"},
    {"history", 0, DQ_OPT_TEXT, &o.history, "WHAT", "N: items that a state of sessions remembers; seen or seen:N: what users have seen (labels outside the map) is told by features", PAYLOAD, .modes = TRAIN_SESSIONS | TRAIN_OFFLINE, .section = "Sessions: what users met, in the order of time"},
    {"history-mean", 0, DQ_OPT_FLAG, &o.layout.mean, NULL, "their mean instead of the items themselves", PAYLOAD, .modes = TRAIN_SESSIONS},
    {"recency", 0, DQ_OPT_REAL, &o.layout.recency, "X", "weight of an item of the history, of the one after it", PAYLOAD, .min = 1e-6, .max = 1, .modes = TRAIN_SESSIONS | TRAIN_OFFLINE, .where = "history"},
    {"event-attribute", 0, DQ_OPT_TEXT, &o.event_attribute, "NAME", "a state shows this attribute of past events (or label): one known when the next item is offered", PAYLOAD, .modes = TRAIN_SESSIONS},
    {"event-one-hot", 0, DQ_OPT_FLAG, &o.layout.one_hot, NULL, "its value at each item of the history, one-hot", PAYLOAD, .modes = TRAIN_SESSIONS, .where = "event-attribute"},
    {"event-cross", 0, DQ_OPT_FLAG, &o.layout.cross, NULL, "item x value of the last event", PAYLOAD, .modes = TRAIN_SESSIONS, .where = "event-attribute"},
    {"event-values", 0, DQ_OPT_COUNT, &o.event_values, "N", "values with a place of their own, the most frequent; the others share one", PAYLOAD, .min = 1, .max = 65535, .modes = TRAIN_SESSIONS, .excludes = "init", .where = "event-attribute"},
    {"session-steps", 0, DQ_OPT_SMALL, &o.layout.steps, "T", "a state shows t / T, of the session's events so far (0: not)", PAYLOAD, .min = 0, .max = 1e6, .modes = TRAIN_SESSIONS},
    {"session-count", 0, DQ_OPT_FLAG, &o.layout.count, NULL, "a state shows how many items have entered the history", PAYLOAD, .modes = TRAIN_SESSIONS},
    {"clock", 0, DQ_OPT_FLAG, &o.layout.clock, NULL, "a state shows hour and day of the week", PAYLOAD, .modes = TRAIN_SESSIONS},
    {"since", 0, DQ_OPT_FLAG, &o.layout.since, NULL, "a state shows the time since the event before", PAYLOAD, .modes = TRAIN_SESSIONS},
    {"session-gap", 0, DQ_OPT_REAL, &o.session_gap, "SECONDS", "a new session begins after so long without an event (0: a user has one)", PAYLOAD, .min = 0, .max = 1e12, .modes = TRAIN_SESSIONS},
    {"session-end", 0, DQ_OPT_CHOICE, &o.session_end, "WHAT", "of a session's last event: the log was cut there, or nothing comes after it", PAYLOAD, ends, .modes = TRAIN_SESSIONS, .where = VALUES},
    {"time", 0, DQ_OPT_TEXT, &o.time, "NAME", "the attribute that tells an interaction's time", PAYLOAD, .modes = TRAIN_SESSIONS | TRAIN_OFFLINE, .where = "history"},
    {"seed", 0, DQ_OPT_COUNT, &o.common.seed, "N", "seed of the random numbers", .min = 0, .max = 9.2e18, .section = "Running"},
    DQ_OPTIONS_COMMON(o.common), {0}};
/* clang-format on */

/* --fold I/K */
static void parse_fold(const dq_cli *cli)
{
    if (o.fold && !dq_split_parse_fold(o.fold, &o.passes.fold, &o.passes.folds))
        dq_cli_usage(cli, "--fold %s: I/K is wanted, with K at least 2 and I from 1 to K", o.fold);
}

/* --tiles and --mpi */
static void check_tiles(const dq_cli *cli)
{
    if (o.mpi && !dq_cli_given(cli, "tiles")) o.passes.tiles = DQ_OFFLINE_TILES;
    if (o.passes.tiles & (o.passes.tiles - 1))
        dq_cli_usage(cli, "--tiles %u: a power of two is wanted", o.passes.tiles);
    if (o.mpi && !o.passes.tiles) dq_cli_usage(cli, "--tiles 0: with --mpi a batch is cut into tiles");
    for (size_t i = 0; o.mpi && i < cli->operand_count + !cli->operand_count; i++)
        if (!cli->operand_count || strcmp(cli->operands[i], "-") == 0)
            dq_cli_usage(cli, "--mpi needs files to read: every rank opens them, and stdin is one rank's");
    if (o.mpi && o.init && strcmp(o.init, "-") == 0)
        dq_cli_usage(cli, "--init -: with --mpi every rank opens it, and stdin is one rank's");
}

/* What other parts read later, and a person has typed wrong. */
static void check_words(const dq_cli *cli)
{
    dq_follow_every every;
    dq_label_map map = {0};
    dq_error e = DQ_ERROR_NONE;
    if (!dq_follow_parse_every(o.every, &every))
        dq_cli_usage(cli, "--every %s: a number of rows is wanted, or a time such as 30s, 10m, 1h, 1d",
                     o.every);
    if (dq_label_map_parse(&map, o.map, &e)) dq_cli_refuse(cli, "--map", &e);
    dq_label_map_free(&map);
    if (o.env && dq_env_check(o.env, &e)) dq_cli_refuse(cli, "--env", &e);
}

/* --history N, or seen[:N] */
static void parse_history(const dq_cli *cli, unsigned mode)
{
    bool seen = mode == TRAIN_OFFLINE;
    if (!o.history || !(mode & (TRAIN_SESSIONS | TRAIN_OFFLINE))) return;
    if (!dq_history_parse(o.history, seen, &o.layout.history))
        dq_cli_usage(cli, "--history %s: %s is wanted, with N from 1 to %d", o.history,
                     seen ? "seen or seen:N" : "N", DQ_HISTORY_MAX);
    o.seen = seen;
}

void train_take_history(train_options *options, uint32_t n)
{
    static char words[16];
    (void)snprintf(words, sizeof words, "%u", n);
    options->layout.history = n;
    options->history = words;
}

unsigned train_options_mode(const dq_cli *cli)
{
    bool env_preset = dq_cli_choice_modes(cli, "preset") & TRAIN_ENV;
    if (o.follow) return TRAIN_FOLLOW;
    if (o.env || o.env_cmd || (env_preset && !o.offline)) return TRAIN_ENV;
    if (o.offline || o.sessions) return o.sessions ? TRAIN_SESSIONS : TRAIN_OFFLINE | TRAIN_STATES;
    return o.each_user ? TRAIN_EACH : TRAIN_ONLINE;
}

train_options *train_options_parse(dq_cli *cli, int argc, char **argv)
{
    for (size_t i = 0; dq_schedules[i].name && i + 1 < sizeof schedules / sizeof *schedules; i++)
        schedules[i] = dq_schedules[i].name;
    train_describe_agents(table, &o.config);
    *cli = dq_cli_parse(&program, table, argc, argv);
    dq_cli_check(cli, train_options_mode(cli));
    dq_cli_check_stdin(cli, "users-file");
    dq_cli_shard(cli, o.part, &o.shard);
    parse_fold(cli);
    check_tiles(cli);
    check_words(cli);
    return &o;
}

void train_options_enter(dq_cli *cli, unsigned mode)
{
    dq_cli_enter(cli, mode);
    train_configure_agent(cli, &o);
    parse_history(cli, mode);
    if (o.save == TRAIN_SAVE_WHOLE) dq_cli_leave_out(cli, "save"); /* it makes no other model */
    if (!o.passes.tiles) dq_cli_leave_out(cli, "tiles");
    if ((mode & TRAIN_LIVE) && o.candidates == 0) dq_cli_usage(cli, "--candidates 0 needs --offline");
    if (o.models_dir && o.pass && !o.common.output)
        dq_cli_usage(cli, "--pass with --models-dir needs --output (-o - is stdout): else no stream leaves");
}
