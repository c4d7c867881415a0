/* SPDX-License-Identifier: MIT
 *
 * From the command line to an agent's configuration: the agent's defaults, over them the preset's numbers
 * (those of DESIGN's systems B, C and D), over them what was given.
 */
#include "train.h"

#include <stdio.h>
#include <string.h>

const char *const train_agents[] = {"tabular", "dqn", "dyna-q", NULL};
const char *const train_heads[] = {"outputs", "actions", NULL};           /* as dq_head */
const char *const train_encoders[] = {"none", "mean", "attention", NULL}; /* as dq_encoder */
const char *const train_losses[] = {"mse", "huber", NULL};                /* as dq_loss */
const char *const train_explorers[] = {"epsilon", "softmax", NULL};       /* as dq_explore_by */
const char *const train_decays[] = {"multiplicative", "exponential", "linear", NULL};
const char *const train_counts[] = {"updates", "steps", "episodes", NULL}; /* as dq_count_by */

/* ---- presets ---- */

static void set_hidden(dq_agent_config *c, uint32_t first, uint32_t second, uint32_t third)
{
    const uint32_t widths[] = {first, second, third};
    c->hidden_count = third ? 3 : 2;
    memcpy(c->hidden, widths, sizeof widths);
}

/* Epsilon from 1 to 0.01 by a factor an update. */
static void set_factor(dq_agent_config *c, double factor)
{
    c->decay_form = DQ_DECAY_MULTIPLICATIVE;
    c->decay_by = DQ_BY_UPDATES;
    c->epsilon = 1;
    c->epsilon_min = 0.01;
    c->epsilon_decay = factor;
}

/* 6B: 42 -> 256 -> 256 -> 128 -> items; of its search's values the middle ones. */
static void fill_session(dq_agent_config *c)
{
    set_hidden(c, 256, 256, 128);
    c->dropout = 0.2;
    c->double_q = true;
    c->gamma = 0.95;
    c->adam.rate = 5e-4;
    c->schedule = dq_schedule_find("linear");
    c->batch = 64;
    c->replay = 10000;
    c->warmup = 500;
    c->target_every = 100;
    c->clip_norm = 1;
    set_factor(c, 0.999);
}

/* 6C, the table. */
static void fill_sequence(dq_agent_config *c)
{
    c->alpha = 0.1;
    c->gamma = 0.95;
    set_factor(c, 1);
    c->epsilon = c->epsilon_min = 0.1;
}

/* 6C, the network. The target follows as in the tutorial that its other numbers are from. */
static void fill_sequence_dqn(dq_agent_config *c)
{
    set_hidden(c, 128, 128, 0);
    c->dropout = 0;
    c->gamma = 0.99;
    c->adam.rate = 1e-4;
    c->loss = DQ_LOSS_HUBER;
    c->clip_value = 1;
    c->batch = c->warmup = 128;
    c->replay = 10000;
    c->tau = 0.005;
    c->target_every = 1;
    c->epsilon = 0.9;
    c->epsilon_min = 0.05;
    c->decay_form = DQ_DECAY_EXPONENTIAL;
    c->decay_by = DQ_BY_STEPS;
    c->epsilon_decay = 200;
}

/* 6D: 100 -> 64 -> 64 -> 10. */
static void fill_films(dq_agent_config *c)
{
    set_hidden(c, 64, 64, 0);
    c->dropout = 0;
    c->gamma = 0.95;
    c->adam.rate = 1e-3;
    c->batch = c->warmup = 32;
    c->replay = 10000;
    c->target_every = 10;
    c->target_by = DQ_BY_EPISODES;
    set_factor(c, 0.995);
}

/* Sutton and Barto's example 8.1. */
static void fill_maze(dq_agent_config *c)
{
    c->alpha = 0.1;
    c->gamma = 0.95;
    set_factor(c, 1);
    c->epsilon = c->epsilon_min = 0.1;
    c->planning = 50;
}

typedef struct env_preset {
    int preset;
    const char *agent, *env;
    uint64_t episodes;
    void (*fill)(dq_agent_config *config);
} env_preset;

static const env_preset presets[] = {
    {PRESET_SESSION, "dqn", "session", 3000, fill_session},
    {PRESET_SEQUENCE, "tabular", "sequence:change=15", 115, fill_sequence},
    {PRESET_SEQUENCE_DQN, "dqn", "sequence:length=10,distractors=0,change=3000,then=2", 6000,
     fill_sequence_dqn},
    {PRESET_FILMS, "dqn", "films", 1000, fill_films},
    {PRESET_MAZE, "tabular", "maze", 50, fill_maze},
};

static const env_preset *find_preset(int preset)
{
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++)
        if (presets[i].preset == preset) return &presets[i];
    return NULL;
}

/* ---- what belongs here ---- */

bool train_env_wanted(const train_options *o)
{
    return o->env.name || o->env.command || (!o->offline && find_preset(o->preset));
}

/* Rows of the other ways that mean the same here. */
static bool is_shared(const char *name)
{
    static const char *const shared[] = {
        "preset",       "init",     "checkpoint",  "checkpoint-every", "log",         "hidden",
        "dropout",      "lr",       "lr-schedule", "weight-decay",     "gamma",       "batch",
        "target-every", "episodes", "planning",    "epsilon",          "epsilon-min", "epsilon-decay",
        "replay",       "warmup",   "seed",        "output",           "threads",     "quiet",
        "progress",     "flush",    NULL};
    for (const char *const *s = shared; *s; s++)
        if (strcmp(*s, name) == 0) return true;
    return false;
}

void train_env_part(const dq_cli *cli, const train_options *o, dq_option *table)
{
    bool wanted = train_env_wanted(o);
    for (dq_option *row = table; row->name; row++) {
        bool ours = row->flags & TRAIN_OF_ENV, given = dq_cli_given(cli, row->name);
        if (!wanted && ours && given) dq_cli_usage(cli, "--%s needs --env or --env-cmd", row->name);
        if (!wanted || ours || is_shared(row->name)) continue;
        if (given) dq_cli_usage(cli, "--%s has no meaning with an environment", row->name);
        row->flags = 0;
    }
    if (!wanted && find_preset(o->preset))
        dq_cli_usage(cli, "this preset is of an environment, not --offline");
    if (wanted && cli->operand_count)
        dq_cli_usage(cli, "an environment takes no input '%s'", cli->operands[0]);
    if (o->env.name && o->env.command) dq_cli_usage(cli, "--env and --env-cmd exclude each other");
}

/* ---- settling: config takes what was given, and gives what was not ---- */

static double real(const dq_cli *cli, const char *name, double *option, double config)
{
    if (!dq_cli_given(cli, name)) *option = config;
    return *option;
}

static uint64_t count(const dq_cli *cli, const char *name, uint64_t *option, uint64_t config)
{
    if (!dq_cli_given(cli, name)) *option = config;
    return *option;
}

static uint32_t count32(const dq_cli *cli, const char *name, uint64_t *option, uint32_t config)
{
    return (uint32_t)count(cli, name, option, config);
}

static bool flag(const dq_cli *cli, const char *name, bool *option, bool config)
{
    if (!dq_cli_given(cli, name)) *option = config;
    return *option;
}

static int choice(const dq_cli *cli, const char *name, int *option, int config)
{
    if (!dq_cli_given(cli, name)) *option = config;
    return *option;
}

static void settle_hidden(dq_cli *cli, train_options *o, dq_agent_config *c)
{
    dq_error e = DQ_ERROR_NONE;
    char text[16 * DQ_MLP_MAX_HIDDEN] = "";
    size_t used = 0;
    if (dq_cli_given(cli, "hidden")) {
        if (train_parse_widths(o->hidden, "hidden", c->hidden, DQ_MLP_MAX_HIDDEN, &c->hidden_count, &e))
            dq_cli_usage(cli, "%s", e.reason);
        return;
    }
    for (uint32_t i = 0; i < c->hidden_count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%u", i ? "," : "", c->hidden[i]);
    o->hidden = dq_arena_text(&cli->arena, text, used);
}

static void settle_network(dq_cli *cli, train_options *o, dq_agent_config *c)
{
    train_env_options *e = &o->env;
    settle_hidden(cli, o, c);
    c->dropout = real(cli, "dropout", &o->dropout, c->dropout);
    c->batch_norm = flag(cli, "batch-norm", &e->batch_norm, c->batch_norm);
    c->dueling = flag(cli, "dueling", &e->dueling, c->dueling);
    c->head = (dq_head)choice(cli, "head", &e->head, (int)c->head);
    c->encoder = (dq_encoder)choice(cli, "encoder", &e->encoder, (int)c->encoder);
}

static void settle_learning(const dq_cli *cli, train_options *o, dq_agent_config *c)
{
    train_env_options *e = &o->env;
    int schedule = c->schedule ? (int)(c->schedule - dq_schedules) : 0;
    c->gamma = real(cli, "gamma", &o->gamma, c->gamma);
    c->double_q = flag(cli, "double", &e->double_q, c->double_q);
    c->n_step = count32(cli, "n-step", &e->n_step, c->n_step);
    c->loss = (dq_loss)choice(cli, "loss", &e->loss, (int)c->loss);
    c->adam.rate = real(cli, "lr", &o->rate, c->adam.rate);
    c->adam.decay = real(cli, "weight-decay", &o->decay, c->adam.decay);
    c->schedule = &dq_schedules[choice(cli, "lr-schedule", &o->schedule, schedule)];
    c->clip_norm = real(cli, "clip-norm", &e->clip_norm, c->clip_norm);
    c->clip_value = real(cli, "clip-value", &e->clip_value, c->clip_value);
    /* either of the two ways to move the target, when only one is asked for */
    if (dq_cli_given(cli, "tau") && !dq_cli_given(cli, "target-every")) c->target_every = 1;
    if (dq_cli_given(cli, "target-every") && !dq_cli_given(cli, "tau")) c->tau = 0;
    c->target_every = count(cli, "target-every", &o->target_every, c->target_every);
    c->target_by = (dq_count_by)choice(cli, "target-by", &e->target_by, (int)c->target_by);
    c->tau = real(cli, "tau", &e->tau, c->tau);
    c->conservative = real(cli, "conservative", &e->conservative, c->conservative);
    c->alpha = real(cli, "alpha", &e->alpha, c->alpha);
}

static void settle_memory(const dq_cli *cli, train_options *o, dq_agent_config *c)
{
    train_env_options *e = &o->env;
    c->batch = count(cli, "batch", &o->batch, c->batch);
    c->replay = count(cli, "replay", &o->replay, c->replay);
    c->warmup = count(cli, "warmup", &o->warmup, c->warmup);
    c->train_every = count(cli, "train-every", &e->train_every, c->train_every);
    c->updates = count(cli, "updates", &e->updates, c->updates);
    c->priority = real(cli, "priority", &e->priority, c->priority);
    c->importance = real(cli, "importance", &e->importance, c->importance);
    c->states = count32(cli, "states", &e->states, c->states);
    c->planning = count32(cli, "planning", &o->planning, c->planning);
    c->rollout = count32(cli, "rollout", &e->rollout, c->rollout);
}

static void settle_exploration(const dq_cli *cli, train_options *o, dq_agent_config *c)
{
    train_env_options *e = &o->env;
    dq_decay_form before = c->decay_form;
    c->explore_by = (dq_explore_by)choice(cli, "explore", &e->explore_by, (int)c->explore_by);
    c->temperature = real(cli, "temperature", &e->temperature, c->temperature);
    c->epsilon = real(cli, "epsilon", &o->epsilon, c->epsilon);
    c->epsilon_min = real(cli, "epsilon-min", &o->epsilon_min, c->epsilon_min);
    c->decay_by = (dq_count_by)choice(cli, "epsilon-by", &e->decay_by, (int)c->decay_by);
    bool over = dq_cli_given(cli, "epsilon-over"), factor = dq_cli_given(cli, "epsilon-decay");
    /* a number of one form asks for that form */
    if (factor) c->decay_form = DQ_DECAY_MULTIPLICATIVE;
    if (over && before == DQ_DECAY_MULTIPLICATIVE) c->decay_form = DQ_DECAY_LINEAR;
    c->decay_form = (dq_decay_form)choice(cli, "epsilon-form", &e->decay_form, (int)c->decay_form);
    bool timed = c->decay_form != DQ_DECAY_MULTIPLICATIVE;
    if (over && !timed) dq_cli_usage(cli, "--epsilon-over needs --epsilon-form exponential or linear");
    if (timed && factor) dq_cli_usage(cli, "--epsilon-decay needs --epsilon-form multiplicative");
    if (timed && before == DQ_DECAY_MULTIPLICATIVE && !over)
        dq_cli_usage(cli, "--epsilon-form %s needs --epsilon-over", train_decays[c->decay_form]);
    double decay = before == c->decay_form ? c->epsilon_decay : 1;
    c->epsilon_decay = timed ? (double)count(cli, "epsilon-over", &e->epsilon_over, (uint64_t)decay)
                             : real(cli, "epsilon-decay", &o->epsilon_decay, decay);
}

/* Rows without a meaning for the form that was chosen are no part of the record. */
static void record(const train_options *o, dq_option *table)
{
    bool timed = o->env.config.decay_form != DQ_DECAY_MULTIPLICATIVE;
    for (dq_option *row = table; row->name; row++) {
        if (row->flags & TRAIN_OF_ENV) row->flags &= ~(unsigned)DQ_OPT_UNSET;
        if (strcmp(row->name, "preset") == 0 && !find_preset(o->preset)) row->flags = 0;
        if (strcmp(row->name, timed ? "epsilon-decay" : "epsilon-over") == 0) row->flags = 0;
    }
}

static void settle_agent(const dq_cli *cli, train_env_options *e, const env_preset *preset)
{
    int index = 1;
    for (int i = 0; preset && train_agents[i]; i++)
        if (strcmp(train_agents[i], preset->agent) == 0) index = i;
    (void)choice(cli, "agent", &e->agent, index);
    const dq_agent_kind *kind = dq_agent_find(train_agents[e->agent]);
    if (!kind) dq_cli_usage(cli, "no agent %s in this build", train_agents[e->agent]);
    e->config = kind->defaults;
}

void train_settle_learner(dq_cli *cli, train_options *o)
{
    const env_preset *preset = find_preset(o->preset);
    settle_agent(cli, &o->env, preset);
    if (preset) preset->fill(&o->env.config);
    settle_network(cli, o, &o->env.config);
    settle_learning(cli, o, &o->env.config);
    o->env.config.models = count32(cli, "models", &o->env.models, o->env.config.models);
}

void train_env_settle(dq_cli *cli, train_options *o, dq_option *table)
{
    const env_preset *preset = find_preset(o->preset);
    train_env_options *e = &o->env;
    dq_agent_config *c = &e->config;
    train_settle_learner(cli, o);
    if (preset) {
        if (!e->name && !e->command) e->name = preset->env;
        if (!dq_cli_given(cli, "episodes")) o->episodes = preset->episodes;
    }
    if (!preset && e->total_steps && !dq_cli_given(cli, "episodes")) o->episodes = 1000000000;
    if (!dq_cli_given(cli, "checkpoint-every")) o->checkpoint_every = 100;
    settle_memory(cli, o, c);
    settle_exploration(cli, o, c);
    c->tasks = (uint32_t)e->count;
    c->seed = o->common.seed;
    c->fit_rows = c->batch;
    record(o, table);
}
