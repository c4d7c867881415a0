/* SPDX-License-Identifier: MIT */
#include "cli/option/option.h"

#include <stdio.h>
#include <string.h>

/* ---- modes ---- */

/* The first of some modes. */
static const dq_mode *mode_of(const dq_cli *cli, unsigned modes)
{
    const dq_mode *m = cli->program->modes;
    while (!(m->bit & modes)) m++;
    return m;
}

/* "--offline, --each-user or an environment (--env)"; empty where one of the modes is asked for by `what`
 * itself, which says it all. */
static void list_modes(const dq_cli *cli, unsigned modes, const char *what, char *to, size_t size)
{
    size_t used = 0, n = strlen(what);
    unsigned left = 0;
    to[0] = '\0';
    for (const dq_mode *m = cli->program->modes; m->name; m++) {
        if (!(m->bit & modes)) continue;
        if (strncmp(m->words, what, n) == 0 && (!m->words[n] || m->words[n] == ' ')) return;
        left++;
    }
    const char *between = "";
    for (const dq_mode *m = cli->program->modes; m->name && used < size; m++) {
        if (!(m->bit & modes)) continue;
        used += (size_t)snprintf(to + used, size - used, "%s%s", between, m->words);
        between = --left == 1 ? " or " : ", ";
    }
}

static void refuse(const dq_cli *cli, const char *what, unsigned modes, const char *why)
{
    char others[512];
    list_modes(cli, modes, what, others, sizeof others);
    dq_cli_usage(cli, "%s has no meaning with %s%s%s%s%s%s", what, mode_of(cli, cli->mode)->words,
                 *others ? "; it is for " : "", others, why ? " (" : "", why ? why : "", why ? ")" : "");
}

unsigned dq_cli_choice_modes(const dq_cli *cli, const char *name)
{
    const dq_option *o = dq_option_of(cli, name);
    return dq_choice_modes(cli, name, o->choices[*(const int *)o->target]);
}

/* Whether the choice that an option holds has a meaning in the mode. */
static bool choice_fits(const dq_cli *cli, const dq_option *o)
{
    unsigned modes = o->type == DQ_OPT_CHOICE ? dq_cli_choice_modes(cli, o->name) : 0;
    return !modes || !cli->mode || (modes & cli->mode);
}

/* Usage errors of options that were given and belong to other modes. */
static void check_modes(const dq_cli *cli)
{
    char what[128];
    for (const dq_option *o = cli->table; o->name; o++) {
        if (!dq_option_stands(cli, o)) continue;
        (void)snprintf(what, sizeof what, "--%s", o->name);
        if (!dq_option_in(o, cli->mode)) refuse(cli, what, o->modes, o->why);
        if (choice_fits(cli, o)) continue;
        (void)snprintf(what, sizeof what, "--%s %s", o->name, o->choices[*(const int *)o->target]);
        refuse(cli, what, dq_cli_choice_modes(cli, o->name), NULL);
    }
    const dq_mode *m = mode_of(cli, cli->mode);
    if (m->no_operands && cli->operand_count)
        dq_cli_usage(cli, "unexpected operand '%s' with %s", cli->operands[0], m->words);
}

/* ---- all together ---- */

void dq_cli_check(dq_cli *cli, unsigned modes)
{
    cli->mode = modes;
    check_modes(cli);
    dq_cli_check_relations(cli);
}

void dq_cli_enter(dq_cli *cli, unsigned mode)
{
    dq_cli_check(cli, mode);
    dq_cli_apply_defaults(cli);
    dq_cli_check_effects(cli);
}

void dq_cli_leave_out(dq_cli *cli, const char *name)
{
    const dq_option *o = dq_option_of(cli, name);
    cli->state[o - cli->table] |= DQ_ROW_LEFT_OUT;
}

bool dq_cli_recorded(const dq_cli *cli, const dq_option *o)
{
    unsigned state = cli->state[o - cli->table];
    if (!(o->flags & DQ_OPT_PAYLOAD) || (state & DQ_ROW_LEFT_OUT)) return false;
    if ((o->flags & DQ_OPT_UNSET) && !(state & DQ_ROW_GIVEN)) return false;
    bool here = dq_option_in(o, cli->mode) || (o->recorded & cli->mode);
    return here && choice_fits(cli, o) && !dq_cli_replaced(cli, o) && dq_cli_counts(cli, o);
}
