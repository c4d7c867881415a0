/* SPDX-License-Identifier: MIT */
#include "train.h"

#include <string.h>

bool train_logged_wanted(const dq_cli *cli, const train_options *o)
{
    return o->offline && dq_cli_given(cli, "agent") && !o->env.name && !o->env.command;
}

/* The options that mean something here. */
static bool is_known(const char *name)
{
    static const char *const known[] = {
        "offline",    "preset",      "init",         "pass",         "checkpoint",  "checkpoint-every",
        "log",        "hidden",      "dropout",      "lr",           "lr-schedule", "weight-decay",
        "gamma",      "batch",       "target-every", "map",          "epochs",      "negatives",
        "validation", "validate-by", "fold",         "best-by",      "patience",    "agent",
        "double",     "dueling",     "batch-norm",   "head",         "encoder",     "loss",
        "clip-norm",  "clip-value",  "tau",          "conservative", "models",      "history",
        "time",       "seed",        "output",       "threads",      "quiet",       "progress",
        "flush",      NULL};
    for (const char *const *k = known; *k; k++)
        if (strcmp(*k, name) == 0) return true;
    return false;
}

void train_logged_part(const dq_cli *cli, const train_options *o, dq_option *table)
{
    bool wanted = train_logged_wanted(cli, o);
    for (dq_option *row = table; row->name; row++) {
        bool ours = row->flags & TRAIN_OF_LOGGED, given = dq_cli_given(cli, row->name);
        if (!wanted && ours && given) dq_cli_usage(cli, "--%s needs --offline --agent", row->name);
        if (!wanted || is_known(row->name)) continue;
        if (given) dq_cli_usage(cli, "--%s has no meaning with --offline --agent", row->name);
        row->flags = 0;
    }
}

void train_logged_settle(dq_cli *cli, train_options *o, dq_option *table)
{
    dq_agent_config *c = &o->env.config;
    if (o->given.epochs == false) o->epochs = 10;
    if (!o->given.checkpoint_every) o->checkpoint_every = 1;
    if (!o->given.validation) o->validation = 0.1;
    train_settle_learner(cli, o);
    if (strcmp(train_agents[o->env.agent], "tabular") == 0)
        dq_cli_usage(cli, "--offline --agent tabular: a table learns in an environment alone");
    if (!dq_cli_given(cli, "batch")) o->batch = 256;
    c->batch = c->replay = c->warmup = (size_t)o->batch; /* nothing is remembered: batches are of the log */
    c->fit_rows = (size_t)(o->batch * (1 + o->negatives));
    c->priority = 0;
    c->n_step = 1;
    c->target_by = DQ_BY_UPDATES;
    c->seed = o->common.seed;
    for (dq_option *row = table; row->name; row++) /* each has its value now, and is recorded */
        if (is_known(row->name)) row->flags &= ~(unsigned)DQ_OPT_UNSET;
}
