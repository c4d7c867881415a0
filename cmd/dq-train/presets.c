/* SPDX-License-Identifier: MIT
 *
 * Defaults of dq-train: by way of training, by preset (the numbers of the four systems, docs/systems.md), by
 * agent (those of learn/agent.h); and from the options to an agent's configuration.
 */
#include "train.h"

#include "learn/trajectory.h"

#include <stdio.h>
#include <string.h>

const char *const train_agents[] = {"tabular", "dqn", "dyna-q", "dt", NULL};
enum { AGENT_DYNA_Q = 2 };

/* clang-format off */
/* ---- the agents of a catalogue: system A's numbers ---- */

static const dq_setting users[] = {
    {"head", "actions"}, {"hidden", "1024,512,256"}, {"dropout", "0.2"}, {"loss", "mse"}, {"clip-norm", "0"},
    {"lr", "1e-3"}, {"gamma", "0.9"}, {"batch", "64"}, {"target-every", "1000"}, {"replay", "100000"}, {"warmup", "1000"},
    {"epsilon", "1"}, {"epsilon-min", "0.01"}, {"epsilon-form", "multiplicative"}, {"epsilon-decay", "0.995"},
    {"epsilon-by", "updates"}, {0}};
static const dq_setting users_world[] = {{"world-hidden", "1024,512"}, {0}};
static const dq_setting dyna_q_first[] = {{"agent", "dyna-q"}, {0}};

/* These were found on real labels: by lists, and by rows. */
static const dq_setting on_actions[] = {{"head", "actions"}, {0}};
static const dq_setting by_rows[] = {{"loss", "mse"}, {0}};
static const dq_setting by_lists[] = {{"loss", "softmax"}, {0}};
static const dq_setting lists[] = {
    {"epochs", "0"}, {"batch", "128"}, {"gamma", "0"}, {"best-by", "ndcg"}, {"validation", "0"}, {"hidden", "48"},
    {"hidden-inputs", "features"}, {"features", "auto"}, {"feature-scale", "4"}, {"direct", "on"}, {"direct-start", "2"},
    {"factored", "128"}, {"input-dropout", "0.2"}, {"dropout", "0"}, {"world-hidden", "256,128"}, {"lr", "2e-3"},
    {"lr-schedule", "one-cycle"}, {"beta2", "0.99"}, {"weight-decay", "1e-2"}, {"decay-form", "decoupled"}, {0}};
static const dq_setting tuned[] = {
    {"batch", "256"}, {"gamma", "0"}, {"features", "all"}, {"lr", "3e-4"}, {"lr-schedule", "one-cycle"},
    {"dropout", "0.1"}, {"validation", "0.05"}, {0}};
static const dq_setting published[] = {
    {"batch", "128"}, {"weight-decay", "1e-5"}, {"epochs", "20"}, {"best-by", "loss"}, {"patience", "5"}, {0}};
static const dq_setting no_other[] = {{NULL, NULL}};

/* ---- passes over a log ---- */

static const dq_setting logged[] = {{"candidates", "0"}, {"checkpoint-every", "1"}, {0}};
static const dq_setting remembers[] = {{"history", "3"}, {0}};
static const dq_setting table_offline[] = {{"head", "outputs"}, {"loss", "mse"}, {"gamma", "0"}, {"batch", "256"}, {0}};
static const dq_setting by_concordance[] = {{"best-by", "concordance"}, {0}};
static const dq_setting by_ndcg[] = {{"batch", "256"}, {"best-by", "ndcg"}, {0}};
static const dq_setting by_loss[] = {{"batch", "256"}, {"best-by", "loss"}, {0}};

/* ---- agents in environments ---- */

/* System B: 42 -> 256 -> 256 -> 128 -> items. The numbers are its code's, which are each one of those that it
 * searches; episodes are what it counts the target's copies and epsilon's fall in. */
static const dq_setting session[] = {
    {"agent", "dqn"}, {"env", "session"}, {"episodes", "1000"},
    {"hidden", "256,256,128"}, {"dropout", "0.2"}, {"dropout-layers", "2"}, {"double", "on"}, {"gamma", "0.95"},
    {"lr", "1e-3"}, {"lr-schedule", "linear"}, {"loss", "mse"}, {"clip-norm", "1"},
    {"target-every", "50"}, {"target-by", "episodes"},
    {"batch", "32"}, {"replay", "10000"}, {"warmup", "32"},
    {"epsilon", "1"}, {"epsilon-min", "0.01"},
    {"epsilon-form", "multiplicative"}, {"epsilon-decay", "0.995"}, {"epsilon-by", "episodes"},
    {"history-mean", "on"}, {0}};

/* System C, the table. */
static const dq_setting sequence[] = {
    {"agent", "tabular"}, {"env", "sequence:change=15"}, {"episodes", "115"}, {"alpha", "0.1"}, {"gamma", "0.95"},
    {"epsilon", "0.1"}, {"epsilon-min", "0.1"},
    {"epsilon-form", "multiplicative"}, {"epsilon-decay", "1"}, {"epsilon-by", "updates"}, {0}};

/* System C, the network. The target follows as in the tutorial that its other numbers are from. */
static const dq_setting sequence_dqn[] = {
    {"agent", "dqn"}, {"env", "sequence:length=10,distractors=0,change=3000,then=2"}, {"episodes", "6000"},
    {"hidden", "128,128"}, {"dropout", "0"}, {"gamma", "0.99"}, {"lr", "1e-4"}, {"loss", "huber"},
    {"clip-norm", "0"}, {"clip-value", "1"}, {"tau", "0.005"}, {"target-every", "1"},
    {"batch", "128"}, {"replay", "10000"}, {"warmup", "128"},
    {"epsilon", "0.9"}, {"epsilon-min", "0.05"}, {"epsilon-form", "exponential"}, {"epsilon-over", "200"},
    {"epsilon-decay", "1"}, {"epsilon-by", "steps"}, {0}};

/* System D: 100 -> 64 -> 64 -> 10. */
static const dq_setting films[] = {
    {"agent", "dqn"}, {"env", "films"}, {"episodes", "1000"},
    {"hidden", "64,64"}, {"dropout", "0"}, {"gamma", "0.95"}, {"lr", "1e-3"}, {"loss", "mse"}, {"clip-norm", "0"},
    {"target-every", "10"}, {"target-by", "episodes"},
    {"batch", "32"}, {"replay", "10000"}, {"warmup", "32"},
    {"epsilon", "1"}, {"epsilon-min", "0.01"},
    {"epsilon-form", "multiplicative"}, {"epsilon-decay", "0.995"}, {"epsilon-by", "updates"},
    {"history", "5"}, {"session-steps", "0"}, {"session-count", "off"}, {0}};

/* Sutton and Barto's example 8.1. */
static const dq_setting maze[] = {
    {"agent", "tabular"}, {"env", "maze"}, {"episodes", "50"}, {"alpha", "0.1"}, {"gamma", "0.95"},
    {"planning", "50"}, {"epsilon", "0.1"}, {"epsilon-min", "0.1"},
    {"epsilon-form", "multiplicative"}, {"epsilon-decay", "1"}, {"epsilon-by", "updates"}, {0}};
/* clang-format on */

static const dq_setting env[] = {{"checkpoint-every", "100"}, {0}};

enum {
    MAX_SETTINGS = 64,
    OTHERS = 6,
    WORDS = DQ_SETTING_WORDS
}; /* OTHERS: those of another form, and the end */

/* Those of the agents, from the library. */
static dq_setting tabular[MAX_SETTINGS], dqn[MAX_SETTINGS], dyna_q[MAX_SETTINGS], dt[MAX_SETTINGS];

const dq_defaults train_defaults[] = {
    {TRAIN_LOGGED, NULL, NULL, logged},
    {TRAIN_SESSIONS, NULL, NULL, by_ndcg}, /* also under a preset */
    {TRAIN_STATES, NULL, NULL, by_loss},
    {TRAIN_VECTORS, "preset", "session", session},
    {TRAIN_ENV, "preset", "sequence", sequence}, /* a table learns in an environment alone */
    {TRAIN_VECTORS, "preset", "sequence-dqn", sequence_dqn},
    {TRAIN_VECTORS, "preset", "films", films},
    {TRAIN_ENV, "preset", "maze", maze},
    {TRAIN_SESSIONS, NULL, NULL, remembers},
    {TRAIN_USERS, NULL, NULL, dyna_q_first},
    {TRAIN_OFFLINE, "agent", "tabular", table_offline},
    {TRAIN_OFFLINE, "preset", "tuned", on_actions},
    {TRAIN_OFFLINE, "head", "outputs", by_rows},
    {TRAIN_ALL & ~TRAIN_OFFLINE, "head", "outputs", no_other},
    {TRAIN_OFFLINE, "preset", "tuned", by_lists},
    {TRAIN_OFFLINE, "loss", "softmax", lists},
    {TRAIN_OFFLINE, "loss", "pairwise", lists},
    {TRAIN_ALL, "agent", "tabular", tabular},
    {TRAIN_OFFLINE, "preset", "tuned", tuned},
    {TRAIN_OFFLINE, "preset", "published", published},
    {TRAIN_LIVE | TRAIN_SESSIONS | TRAIN_STATES, "preset", "tuned", no_other},
    {TRAIN_LIVE, "preset", "published", no_other}, /* as all defaults online are */
    {TRAIN_OFFLINE, NULL, NULL, by_concordance},
    {TRAIN_USERS, "agent", "dyna-q", users_world},
    {TRAIN_USERS, "agent", "dyna-q", users},
    {TRAIN_USERS, "agent", "dqn", users},
    {TRAIN_ALL, "agent", "dqn", dqn},
    {TRAIN_ALL, "agent", "dyna-q", dyna_q},
    {TRAIN_SESSIONS | TRAIN_STATES, "agent", "dt", dt},
    {TRAIN_ENV, NULL, NULL, env},
    {0}};

/* ---- what agents have by themselves ---- */

/* One agent's set, of the options whose targets are fields of a configuration, and of those that have another
 * form; words is where the values are kept. */
static void describe(const char *name, const dq_option *table, const dq_agent_config *targets,
                     dq_setting set[MAX_SETTINGS], char words[MAX_SETTINGS][WORDS])
{
    const dq_agent_config *c = &dq_agent_find(name)->defaults;
    bool timed = c->decay_form != DQ_DECAY_MULTIPLICATIVE;
    size_t n = dq_cli_settings(table, targets, c, sizeof *c, set, words, MAX_SETTINGS - OTHERS);
    set[n].name = "hidden";
    dq_cli_print_widths(c->hidden, c->hidden_count, words[n++]);
    set[n].name = "value-hidden";
    dq_cli_print_widths(c->value_hidden, c->value_hidden_count, words[n++]);
    set[n].name = "world-hidden";
    dq_cli_print_widths(c->world_hidden, c->world_hidden_count, words[n++]);
    set[n].name = "lr-schedule";
    (void)snprintf(words[n++], WORDS, "%s", c->schedule ? c->schedule->name : dq_schedules[0].name);
    set[n].name = timed ? "epsilon-over" : "epsilon-decay";
    (void)snprintf(words[n++], WORDS, "%.17g", c->epsilon_decay);
    for (size_t i = 0; i < n; i++) set[i].value = words[i];
}

void train_describe_agents(const dq_option *table, const dq_agent_config *config)
{
    static char words[4][MAX_SETTINGS][WORDS];
    describe("tabular", table, config, tabular, words[0]);
    describe("dqn", table, config, dqn, words[1]);
    describe("dyna-q", table, config, dyna_q, words[2]);
    describe("dt", table, config, dt, words[3]);
}

/* ---- from options to a configuration ---- */

/* Either of the two ways to move the target, when only one is asked for. */
static void choose_target(const dq_cli *cli, train_options *o)
{
    bool tau = dq_cli_given(cli, "tau"), every = dq_cli_given(cli, "target-every");
    if (tau && !every) o->config.target_every = 1;
    if (every && !tau) o->config.tau = 0;
}

/* A number of one form of epsilon's fall asks for that form; that of the other has no meaning then. */
static void choose_decay(dq_cli *cli, train_options *o)
{
    bool over = dq_cli_given(cli, "epsilon-over"), factor = dq_cli_given(cli, "epsilon-decay");
    if (!dq_cli_given(cli, "epsilon-form")) {
        if (factor) o->config.decay_form = DQ_DECAY_MULTIPLICATIVE;
        bool falls = over || (o->config.decay_by == DQ_BY_RUN && !factor);
        if (falls && o->config.decay_form == DQ_DECAY_MULTIPLICATIVE) o->config.decay_form = DQ_DECAY_LINEAR;
    }
    bool timed = o->config.decay_form != DQ_DECAY_MULTIPLICATIVE;
    if (over && !timed) dq_cli_usage(cli, "--epsilon-over needs --epsilon-form exponential or linear");
    if (timed && factor) dq_cli_usage(cli, "--epsilon-decay needs --epsilon-form multiplicative");
    if (timed && o->config.decay_by == DQ_BY_RUN && !over) o->epsilon_over = 1; /* the whole run */
    if (timed && !(o->epsilon_over > 0))
        dq_cli_usage(cli, "--epsilon-form %s needs --epsilon-over",
                     o->config.decay_form == DQ_DECAY_LINEAR ? "linear" : "exponential");
    o->config.epsilon_decay = timed ? o->epsilon_over : o->epsilon_decay;
    dq_cli_leave_out(cli, timed ? "epsilon-decay" : "epsilon-over");
}

/* A list of widths; an empty one was not given: the agent has none of its own. */
static void take_widths(const dq_cli *cli, const char *option, const char *text, uint32_t *widths,
                        uint32_t *count)
{
    *count = 0;
    if (*text || dq_cli_given(cli, option))
        *count = dq_cli_widths(cli, option, text, widths, DQ_NET_MAX_HIDDEN);
}

static void take_layers(const dq_cli *cli, const train_options *o, dq_agent_config *c)
{
    take_widths(cli, "hidden", o->hidden, c->hidden, &c->hidden_count);
    take_widths(cli, "value-hidden", o->value_hidden, c->value_hidden, &c->value_hidden_count);
    bool world = o->agent == AGENT_DYNA_Q ||
                 dq_cli_given(cli, "world-hidden"); /* a default of lists is for it */
    take_widths(cli, "world-hidden", world ? o->world_hidden : "", c->world_hidden, &c->world_hidden_count);
}

/* Cross features are a head on actions'. */
static void choose_features(dq_cli *cli, train_options *o)
{
    if (o->config.head == DQ_HEAD_ACTIONS || strcmp(o->features, "none") == 0) return;
    if (dq_cli_given(cli, "features"))
        dq_cli_usage(cli, "--features compare a state with an action: they need --head actions");
    o->features = "none";
}

/* Training in an environment or catalogue. */
static void suit_acting(const dq_cli *cli, train_options *o)
{
    bool named = dq_cli_choice_modes(cli, "preset") & TRAIN_ENV;
    dq_online_config *acting = &o->acting;
    acting->patience = o->passes.patience;
    acting->keep_best = o->keep != TRAIN_KEEP_LAST;
    if (!acting->evaluate && o->keep != TRAIN_KEEP_LAST)
        dq_cli_usage(cli, "the best is so by evaluation: --keep needs --evaluate");
    if (acting->steps && !named && !dq_cli_given(cli, "episodes")) acting->episodes = 0;
    if ((cli->mode & TRAIN_LIVE) && o->config.replay < o->config.batch)
        dq_cli_usage(cli, "--replay is smaller than --batch");
}

void train_configure_agent(dq_cli *cli, train_options *o)
{
    const dq_agent_config *own = &dq_agent_find(train_agents[o->agent])->defaults;
    dq_agent_config *c = &o->config;
    c->adam.beta1 = own->adam.beta1;
    c->adam.eps = own->adam.eps;
    c->adam.decoupled = o->decay_form == 1;
    choose_target(cli, o);
    choose_decay(cli, o);
    choose_features(cli, o);
    if (!(c->dropout > 0)) c->dropout_layers = 0;
    if (c->context && !dq_trajectory_read_wish(o->wish, c))
        dq_cli_usage(cli, "--wish %s: a number is wanted, greatest or none", o->wish);
    take_layers(cli, o, c);
    if (!c->world && o->agent == AGENT_DYNA_Q) dq_agent_config_drop_world(c);
    c->schedule = &dq_schedules[o->schedule];
    c->seed = o->common.seed;
    c->envs = (uint32_t)o->envs;
    c->fit_rows = c->batch;
    c->offered = cli->mode & TRAIN_ENV ? 0 : (uint32_t)o->candidates;
    o->passes.candidates = (uint32_t)o->candidates;
    if (cli->mode & TRAIN_LOGGED)
        dq_offline_learn_only(&o->passes, c);
    else
        suit_acting(cli, o);
}
