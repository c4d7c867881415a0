/* SPDX-License-Identifier: MIT
 *
 * Defaults of dq-train: by way of training, by preset (the numbers of the four systems, docs/systems.md), by
 * agent (those of learn/agent.h); and from the options to an agent's configuration.
 */
#include "train.h"

#include "learn/bandit/bandit.h"
#include "learn/presets/presets.h"
#include "learn/trajectory.h"

#include <stdio.h>
#include <string.h>

const char *const train_agents[] = {"tabular", "dqn", "dyna-q", "dt", "linucb", "thompson", NULL};
enum { AGENT_DYNA_Q = 2 };

/* clang-format off */
/* Of an agent of users, beside the presets. */
static const dq_setting dyna_q_first[] = {{"agent", "dyna-q"}, {0}};
static const dq_setting on_actions[] = {{"head", "actions"}, {0}};
static const dq_setting by_rows[] = {{"loss", "mse"}, {0}};
static const dq_setting by_lists[] = {{"loss", "softmax"}, {0}};
static const dq_setting table_offline[] = {{"head", "outputs"}, {"loss", "mse"}, {"gamma", "0"}, {"batch", "256"}, {0}};
static const dq_setting bandit_logged[] = {
    {"head", "outputs"}, {"loss", "mse"}, {"gamma", "0"}, {"epochs", "1"}, {"batch", "256"}, {"validation", "0"}, {"best-by", "loss"}, {0}};
static const dq_setting no_other[] = {{NULL, NULL}};

/* Of a way of training. */
static const dq_setting logged[] = {{"candidates", "0"}, {"checkpoint-every", "1"}, {0}};
static const dq_setting remembers[] = {{"history", "3"}, {0}};
static const dq_setting by_concordance[] = {{"best-by", "concordance"}, {0}};
static const dq_setting by_ndcg[] = {{"batch", "256"}, {"best-by", "ndcg"}, {0}};
static const dq_setting by_loss[] = {{"batch", "256"}, {"best-by", "loss"}, {0}};
static const dq_setting follows[] = {
    {"loss", "mse"}, {"gamma", "0"}, {"lr", "3e-4"}, {"lr-schedule", "constant"}, {"batch", "64"}, {"replay", "10000"},
    {"warmup", "64"}, {"train-every", "1"}, {"planning", "0"}, {"dropout", "0"}, {0}};
static const dq_setting env[] = {{"checkpoint-every", "100"}, {0}};
/* clang-format on */

enum {
    MAX_SETTINGS = 64,
    OTHERS = 6,
    WORDS = DQ_SETTING_WORDS
}; /* OTHERS: those of another form, and the end */

/* Those of the agents, from the library. */
static dq_setting tabular[MAX_SETTINGS], dqn[MAX_SETTINGS], dyna_q[MAX_SETTINGS], dt[MAX_SETTINGS],
    linucb[MAX_SETTINGS], thompson[MAX_SETTINGS];

const dq_defaults train_defaults[] = {
    {TRAIN_LOGGED, "agent", "linucb", bandit_logged},
    {TRAIN_LOGGED, "agent", "thompson", bandit_logged},
    {TRAIN_LOGGED, NULL, NULL, logged},
    {TRAIN_FOLLOW, NULL, NULL, follows},
    {TRAIN_LOGGED, "meta", "reptile", dq_preset_reptile},
    {TRAIN_OFFLINE, "meta", "reptile", by_rows}, /* which is how a user is adapted to online */
    {TRAIN_SESSIONS, NULL, NULL, by_ndcg},       /* also under a preset */
    {TRAIN_STATES, NULL, NULL, by_loss},
    {TRAIN_VECTORS, "preset", "session", dq_preset_session},
    {TRAIN_ENV, "preset", "sequence", dq_preset_sequence}, /* a table learns in an environment alone */
    {TRAIN_VECTORS, "preset", "sequence-dqn", dq_preset_sequence_dqn},
    {TRAIN_VECTORS, "preset", "films", dq_preset_films},
    {TRAIN_ENV, "preset", "maze", dq_preset_maze},
    {TRAIN_SESSIONS, NULL, NULL, remembers},
    {TRAIN_USERS, NULL, NULL, dyna_q_first},
    {TRAIN_OFFLINE, "agent", "tabular", table_offline},
    {TRAIN_OFFLINE, "preset", "tuned", on_actions},
    {TRAIN_OFFLINE, "head", "outputs", by_rows},
    {TRAIN_ALL & ~TRAIN_OFFLINE, "head", "outputs", no_other},
    {TRAIN_OFFLINE, "preset", "tuned", by_lists},
    {TRAIN_OFFLINE, "loss", "softmax", dq_preset_lists},
    {TRAIN_OFFLINE, "loss", "pairwise", dq_preset_lists},
    {TRAIN_ALL, "agent", "tabular", tabular},
    {TRAIN_ALL, "agent", "linucb", linucb},
    {TRAIN_ALL, "agent", "thompson", thompson},
    {TRAIN_OFFLINE, "preset", "tuned", dq_preset_tuned},
    {TRAIN_OFFLINE, "preset", "published", dq_preset_published},
    {TRAIN_LIVE | TRAIN_SESSIONS | TRAIN_STATES | TRAIN_FOLLOW, "preset", "tuned", no_other},
    {TRAIN_LIVE, "preset", "published", no_other}, /* as all defaults online are */
    {TRAIN_OFFLINE, NULL, NULL, by_concordance},
    {TRAIN_USERS, "agent", "dyna-q", dq_preset_users_world},
    {TRAIN_USERS, "agent", "dyna-q", dq_preset_users},
    {TRAIN_USERS, "agent", "dqn", dq_preset_users},
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
    static char words[6][MAX_SETTINGS][WORDS];
    dq_setting *const sets[6] = {tabular, dqn, dyna_q, dt, linucb, thompson};
    static const char *const names[6] = {"tabular", "dqn", "dyna-q", "dt", "linucb", "thompson"};
    for (size_t i = 0; i < 6; i++) describe(names[i], table, config, sets[i], words[i]);
}

/* ---- from options to a configuration ---- */

bool train_is_given(const void *cli, const char *option)
{
    return dq_cli_given(cli, option);
}

/* Of --epsilon-decay and --epsilon-over the one that this form of epsilon's fall has no use for is left out
 * of the record. */
static void choose_decay(dq_cli *cli, train_options *o)
{
    const dq_agent_decay asked = {o->epsilon_decay, o->epsilon_over};
    dq_error error = DQ_ERROR_NONE;
    if (dq_agent_config_choose_decay(&o->config, &asked, train_is_given, cli, &error))
        dq_cli_usage(cli, "%s", error.reason);
    bool timed = o->config.decay_form != DQ_DECAY_MULTIPLICATIVE;
    if (timed) o->epsilon_over = o->config.epsilon_decay; /* the record says it */
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

/* Whoever adapts to one user at a time. */
static void choose_meta(const dq_cli *cli, train_options *o)
{
    if (!o->meta) o->passes.meta.users = 0;
    if (o->meta && dq_loss_of_lists(o->config.loss) && dq_cli_given(cli, "batch"))
        dq_cli_usage(cli,
                     "--batch: with --meta an update is on one user's list, and --meta-batch counts users");
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
    dq_agent_config_choose_target(c, train_is_given, cli);
    choose_decay(cli, o);
    choose_features(cli, o);
    choose_meta(cli, o);
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
    if ((cli->mode & TRAIN_LOGGED) && o->candidates && dq_bandit_is(train_agents[o->agent]))
        dq_cli_usage(cli, "--candidates: a bandit of a log has no maximum to run over them");
    if (cli->mode & TRAIN_LOGGED)
        dq_offline_learn_only(&o->passes, c);
    else
        suit_acting(cli, o);
}
