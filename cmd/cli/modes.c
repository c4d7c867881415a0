/* SPDX-License-Identifier: MIT */
#include "cli/option.h"

#include <stdio.h>
#include <string.h>

bool dq_option_in(const dq_option *o, unsigned mode)
{
    return !o->modes || !mode || (o->modes & mode);
}

/* Given, and no flag that was taken back. */
static bool stands(const dq_cli *cli, const dq_option *o)
{
    unsigned state = cli->state[o - cli->table];
    bool was_on = state & DQ_ROW_WAS_ON;
    return (state & DQ_ROW_GIVEN) && (o->type != DQ_OPT_FLAG || *(const bool *)o->target != was_on);
}

/* ---- modes ---- */

static const char *words_of(const dq_cli *cli, unsigned mode)
{
    const dq_mode *m = cli->program->modes;
    while (m->name && m->bit != mode) m++;
    return m->words;
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

static void refuse(const dq_cli *cli, const char *what, unsigned modes)
{
    char others[512];
    list_modes(cli, modes, what, others, sizeof others);
    dq_cli_usage(cli, "%s has no meaning with %s%s%s", what, words_of(cli, cli->mode),
                 *others ? "; it is for " : "", others);
}

unsigned dq_choice_modes(const dq_cli *cli, const char *option, const char *choice)
{
    unsigned modes = 0;
    for (const dq_defaults *set = cli->program->defaults; set && set->settings; set++)
        if (set->option && strcmp(set->option, option) == 0 && strcmp(set->choice, choice) == 0)
            modes |= set->modes;
    return modes;
}

unsigned dq_cli_choice_modes(const dq_cli *cli, const char *name)
{
    const dq_option *o = dq_option_find(cli->table, name);
    return dq_choice_modes(cli, name, o->choices[*(const int *)o->target]);
}

/* Whether the choice that an option holds has a meaning in the mode. */
static bool choice_fits(const dq_cli *cli, const dq_option *o)
{
    unsigned modes = o->type == DQ_OPT_CHOICE ? dq_cli_choice_modes(cli, o->name) : 0;
    return !modes || !cli->mode || (modes & cli->mode);
}

void dq_cli_check_modes(const dq_cli *cli)
{
    char what[128];
    for (const dq_option *o = cli->table; o->name; o++) {
        if (!stands(cli, o)) continue;
        (void)snprintf(what, sizeof what, "--%s", o->name);
        if (!dq_option_in(o, cli->mode)) refuse(cli, what, o->modes);
        if (choice_fits(cli, o)) continue;
        (void)snprintf(what, sizeof what, "--%s %s", o->name, o->choices[*(const int *)o->target]);
        refuse(cli, what, dq_cli_choice_modes(cli, o->name));
    }
    const dq_mode *m = cli->program->modes;
    while (m->bit != cli->mode) m++;
    if (m->no_operands && cli->operand_count)
        dq_cli_usage(cli, "unexpected operand '%s' with %s", cli->operands[0], m->words);
}

/* ---- what options need and exclude ---- */

/* Given, or a flag that is on, be it by the environment. */
static bool in_force(const dq_cli *cli, const dq_option *o)
{
    if (o->type == DQ_OPT_FLAG) return *(const bool *)o->target;
    return cli->state[o - cli->table] & DQ_ROW_GIVEN;
}

/* The next of names "a b", or NULL; *names moves on. */
static const dq_option *next_option(const dq_cli *cli, const char **names)
{
    char name[64];
    size_t n = strcspn(*names, " ");
    if (n == 0) return NULL;
    (void)snprintf(name, sizeof name, "%.*s", (int)n, *names);
    *names += n + ((*names)[n] == ' ');
    return dq_option_find(cli->table, name);
}

/* The first of names that is in force, or NULL. */
static const dq_option *first_in_force(const dq_cli *cli, const char *names)
{
    const dq_option *o;
    while (names && (o = next_option(cli, &names)))
        if (in_force(cli, o)) return o;
    return NULL;
}

bool dq_cli_excluded(const dq_cli *cli, const dq_option *o)
{
    return first_in_force(cli, o->excludes) != NULL;
}

static void check_needs(const dq_cli *cli, const dq_option *o)
{
    char all[256] = "";
    size_t used = 0;
    const char *names = o->needs;
    const dq_option *needed;
    if (!names || first_in_force(cli, names)) return;
    while ((needed = next_option(cli, &names)) && used < sizeof all)
        used += (size_t)snprintf(all + used, sizeof all - used, "%s--%s", used ? " or " : "", needed->name);
    dq_cli_usage(cli, "--%s needs %s", o->name, all);
}

void dq_cli_check_relations(const dq_cli *cli)
{
    for (const dq_option *o = cli->table; o->name; o++) {
        if (!in_force(cli, o)) continue;
        const dq_option *other = first_in_force(cli, o->excludes);
        if (other) dq_cli_usage(cli, "--%s and --%s exclude each other", o->name, other->name);
        check_needs(cli, o);
    }
}

/* ---- all together ---- */

void dq_cli_enter(dq_cli *cli, unsigned mode)
{
    cli->mode = mode;
    dq_cli_check_modes(cli);
    dq_cli_check_relations(cli);
    dq_cli_apply_defaults(cli);
}

void dq_cli_leave_out(dq_cli *cli, const char *name)
{
    const dq_option *o = dq_option_find(cli->table, name);
    cli->state[o - cli->table] |= DQ_ROW_LEFT_OUT;
}

bool dq_cli_recorded(const dq_cli *cli, const dq_option *o)
{
    unsigned state = cli->state[o - cli->table];
    if (!(o->flags & DQ_OPT_PAYLOAD) || (state & DQ_ROW_LEFT_OUT)) return false;
    if ((o->flags & DQ_OPT_UNSET) && !(state & DQ_ROW_GIVEN)) return false;
    bool here = dq_option_in(o, cli->mode) || (o->recorded & cli->mode);
    return here && choice_fits(cli, o) && !dq_cli_excluded(cli, o);
}
