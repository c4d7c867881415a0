/* SPDX-License-Identifier: MIT
 *
 * Defaults of dq-train: by way of training, by preset (the numbers of the four systems, docs/systems.md), by
 * agent (those of learn/agent.h); and from the options to an agent's configuration.
 */
#include "train.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

const char *const train_agents[] = {"tabular", "dqn", "dyna-q", NULL};

/* clang-format off */
/* ---- a catalogue's agent, offline ---- */

/* System A's numbers are the targets' own; these were found on real labels. */
static const dq_setting tuned[] = {
    {"batch", "256"}, {"gamma", "0"}, {"matches", "all"}, {"lr", "3e-4"}, {"lr-schedule", "one-cycle"},
    {"dropout", "0.1"}, {"validation", "0.05"}, {0}};
static const dq_setting published[] = {
    {"batch", "128"}, {"weight-decay", "1e-5"}, {"epochs", "20"}, {"best-by", "loss"}, {"patience", "5"}, {0}};
static const dq_setting offline[] = {{"candidates", "0"}, {"checkpoint-every", "1"}, {0}};
static const dq_setting no_other[] = {{NULL, NULL}};

/* ---- agents in environments ---- */

/* System B: 42 -> 256 -> 256 -> 128 -> items. The numbers are its code's, which are each one of those that it
 * searches; episodes are what it counts the target's copies and epsilon's fall in. */
static const dq_setting session[] = {
    {"agent", "dqn"}, {"env", "session"}, {"episodes", "1000"},
    {"hidden", "256,256,128"}, {"dropout", "0.2"}, {"double", "on"}, {"gamma", "0.95"},
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
static const dq_setting sessions[] = {{"batch", "256"}, {"checkpoint-every", "1"}, {0}};

enum { MAX_SETTINGS = 40, WORDS = 48 };

/* Those of the agents, from the library. */
static dq_setting tabular[MAX_SETTINGS], dqn[MAX_SETTINGS], dyna_q[MAX_SETTINGS];

const dq_defaults train_defaults[] = {
    {TRAIN_SESSIONS, NULL, NULL, sessions}, /* also under a preset */
    {TRAIN_AGENTS, "preset", "session", session},
    {TRAIN_ENV, "preset", "sequence", sequence}, /* a table learns in an environment alone */
    {TRAIN_AGENTS, "preset", "sequence-dqn", sequence_dqn},
    {TRAIN_AGENTS, "preset", "films", films},
    {TRAIN_ENV, "preset", "maze", maze},
    {TRAIN_ENV, "agent", "tabular", tabular},
    {TRAIN_AGENTS, "agent", "dqn", dqn},
    {TRAIN_AGENTS, "agent", "dyna-q", dyna_q},
    {TRAIN_ENV, NULL, NULL, env},
    {TRAIN_OFFLINE, "preset", "tuned", tuned},
    {TRAIN_OFFLINE, "preset", "published", published},
    {TRAIN_ONLINE | TRAIN_EACH | TRAIN_SESSIONS, "preset", "tuned", no_other},
    {TRAIN_ONLINE | TRAIN_EACH, "preset", "published", no_other}, /* as all defaults online are */
    {TRAIN_OFFLINE, NULL, NULL, offline},
    {0}};

/* ---- an agent's configuration as options ---- */

/* An option, and the field of the configuration that it is; hidden, lr-schedule, epsilon-decay and
 * epsilon-over are of other forms. */
typedef struct binding {
    const char *option;
    size_t at, size;
} binding;

#define FIELD(option, field)                                                                                 \
    {                                                                                                        \
        option, offsetof(dq_agent_config, field), sizeof((dq_agent_config *)0)->field                        \
    }
static const binding bindings[] = {
    FIELD("dropout", dropout),
    FIELD("batch-norm", batch_norm),
    FIELD("dueling", dueling),
    FIELD("head", head),
    FIELD("encoder", encoder),
    FIELD("gamma", gamma),
    FIELD("double", double_q),
    FIELD("n-step", n_step),
    FIELD("loss", loss),
    FIELD("lr", adam.rate),
    FIELD("weight-decay", adam.decay),
    FIELD("clip-norm", clip_norm),
    FIELD("clip-value", clip_value),
    FIELD("target-every", target_every),
    FIELD("target-by", target_by),
    FIELD("tau", tau),
    FIELD("conservative", conservative),
    FIELD("alpha", alpha),
    FIELD("batch", batch),
    FIELD("replay", replay),
    FIELD("warmup", warmup),
    FIELD("train-every", train_every),
    FIELD("updates", updates),
    FIELD("priority", priority),
    FIELD("importance", importance),
    FIELD("states", states),
    FIELD("planning", planning),
    FIELD("rollout", rollout),
    FIELD("models", models),
    FIELD("explore", explore_by),
    FIELD("temperature", temperature),
    FIELD("epsilon", epsilon),
    FIELD("epsilon-min", epsilon_min),
    FIELD("epsilon-form", decay_form),
    FIELD("epsilon-by", decay_by),
};
#undef FIELD

enum { BINDINGS = sizeof bindings / sizeof *bindings };
_Static_assert(BINDINGS + 4 <= MAX_SETTINGS, "room for three of other forms, and the end");

/* Counts are wide in options, and some narrow in the configuration; all else is alike. */
static void to_option(const binding *b, const dq_agent_config *c, bool narrow, void *target)
{
    const char *field = (const char *)c + b->at;
    uint32_t count = 0;
    memcpy(narrow ? &count : target, field, b->size);
    if (narrow) *(uint64_t *)target = count;
}

static void from_option(const binding *b, dq_agent_config *c, bool narrow, const void *target)
{
    char *field = (char *)c + b->at;
    uint32_t count = narrow ? (uint32_t) * (const uint64_t *)target : 0;
    memcpy(field, narrow ? &count : target, b->size);
}

static bool is_narrow(const binding *b, const dq_option *row)
{
    return row->type == DQ_OPT_COUNT && b->size == sizeof(uint32_t);
}

/* ---- what agents have by themselves ---- */

static void print_field(const binding *b, const dq_option *row, const dq_agent_config *c, char words[WORDS])
{
    union {
        bool on;
        uint64_t count;
        double real;
        int choice;
    } value = {.count = 0};
    const char *text = "";
    to_option(b, c, is_narrow(b, row), &value);
    if (row->type == DQ_OPT_FLAG) text = value.on ? "on" : "off";
    if (row->type == DQ_OPT_CHOICE) text = row->choices[value.choice];
    if (row->type == DQ_OPT_COUNT)
        (void)snprintf(words, WORDS, "%" PRIu64, value.count);
    else if (row->type == DQ_OPT_REAL)
        (void)snprintf(words, WORDS, "%.17g", value.real); /* reads back as the same number */
    else
        (void)snprintf(words, WORDS, "%s", text);
}

static void print_hidden(const dq_agent_config *c, char words[WORDS])
{
    size_t used = 0;
    words[0] = '\0';
    for (uint32_t i = 0; i < c->hidden_count && used < WORDS; i++)
        used += (size_t)snprintf(words + used, WORDS - used, "%s%u", i ? "," : "", c->hidden[i]);
}

/* One agent's set; words is where the values are kept. */
static void describe(const char *name, const dq_option *table, dq_setting set[MAX_SETTINGS],
                     char words[MAX_SETTINGS][WORDS])
{
    const dq_agent_config *c = &dq_agent_find(name)->defaults;
    bool timed = c->decay_form != DQ_DECAY_MULTIPLICATIVE;
    size_t n = 0;
    for (; n < BINDINGS; n++) {
        set[n].name = bindings[n].option;
        print_field(&bindings[n], dq_option_find(table, set[n].name), c, words[n]);
    }
    set[n].name = "hidden";
    print_hidden(c, words[n++]);
    set[n].name = "lr-schedule";
    (void)snprintf(words[n++], WORDS, "%s", c->schedule ? c->schedule->name : dq_schedules[0].name);
    set[n].name = timed ? "epsilon-over" : "epsilon-decay";
    (void)snprintf(words[n++], WORDS, "%.17g", c->epsilon_decay);
    for (size_t i = 0; i < n; i++) set[i].value = words[i];
}

void train_describe_agents(const dq_option *table)
{
    static char words[3][MAX_SETTINGS][WORDS];
    describe("tabular", table, tabular, words[0]);
    describe("dqn", table, dqn, words[1]);
    describe("dyna-q", table, dyna_q, words[2]);
}

/* ---- from options to a configuration ---- */

/* Either of the two ways to move the target, when only one is asked for. */
static void choose_target(const dq_cli *cli, train_options *o)
{
    bool tau = dq_cli_given(cli, "tau"), every = dq_cli_given(cli, "target-every");
    if (tau && !every) o->target_every = 1;
    if (every && !tau) o->env.tau = 0;
}

/* A number of one form of epsilon's fall asks for that form; that of the other has no meaning then. */
static void choose_decay(dq_cli *cli, train_options *o)
{
    train_env_options *e = &o->env;
    bool over = dq_cli_given(cli, "epsilon-over"), factor = dq_cli_given(cli, "epsilon-decay");
    if (!dq_cli_given(cli, "epsilon-form")) {
        if (factor) e->decay_form = DQ_DECAY_MULTIPLICATIVE;
        if (over && e->decay_form == DQ_DECAY_MULTIPLICATIVE) e->decay_form = DQ_DECAY_LINEAR;
    }
    bool timed = e->decay_form != DQ_DECAY_MULTIPLICATIVE;
    if (over && !timed) dq_cli_usage(cli, "--epsilon-over needs --epsilon-form exponential or linear");
    if (timed && factor) dq_cli_usage(cli, "--epsilon-decay needs --epsilon-form multiplicative");
    if (timed && e->epsilon_over == 0)
        dq_cli_usage(cli, "--epsilon-form %s needs --epsilon-over",
                     e->decay_form == DQ_DECAY_LINEAR ? "linear" : "exponential");
    e->config.epsilon_decay = timed ? (double)e->epsilon_over : o->epsilon_decay;
    dq_cli_leave_out(cli, timed ? "epsilon-decay" : "epsilon-over");
}

static void take_hidden(const dq_cli *cli, const train_options *o, dq_agent_config *c)
{
    dq_error e = DQ_ERROR_NONE;
    c->hidden_count = 0;
    if (!*o->hidden && !dq_cli_given(cli, "hidden")) return; /* a table's */
    if (train_parse_widths(o->hidden, "hidden", c->hidden, DQ_MLP_MAX_HIDDEN, &c->hidden_count, &e))
        dq_cli_usage(cli, "%s", e.reason);
}

/* Learning from a log: nothing is remembered or explored, and batches are of the log. */
static void suit_sessions(const train_options *o, dq_agent_config *c)
{
    c->replay = c->warmup = c->batch;
    c->fit_rows = c->batch * (1 + (size_t)o->negatives);
    c->priority = 0;
    c->n_step = 1;
    c->target_by = DQ_BY_UPDATES;
}

void train_configure_agent(dq_cli *cli, train_options *o)
{
    dq_agent_config *c = &o->env.config;
    bool named = dq_cli_choice_modes(cli, "preset") & TRAIN_ENV;
    *c = dq_agent_find(train_agents[o->env.agent])->defaults;
    choose_target(cli, o);
    choose_decay(cli, o);
    take_hidden(cli, o, c);
    for (size_t i = 0; i < BINDINGS; i++) {
        const dq_option *row = dq_option_find(cli->table, bindings[i].option);
        from_option(&bindings[i], c, is_narrow(&bindings[i], row), row->target);
    }
    c->schedule = &dq_schedules[o->schedule];
    c->seed = o->common.seed;
    c->tasks = (uint32_t)o->env.count;
    c->fit_rows = c->batch;
    if (cli->mode == TRAIN_SESSIONS) suit_sessions(o, c);
    if (o->env.total_steps && !named && !dq_cli_given(cli, "episodes")) o->episodes = 1000000000;
}
