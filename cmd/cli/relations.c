/* SPDX-License-Identifier: MIT
 *
 * Options that need or exclude others.
 */
#include "cli/option.h"

#include <stdio.h>
#include <string.h>

bool dq_option_in(const dq_option *o, unsigned mode)
{
    return !o->modes || !mode || (o->modes & mode);
}

/* Given, and no flag that was taken back. */
bool dq_option_stands(const dq_cli *cli, const dq_option *o)
{
    unsigned state = cli->state[o - cli->table];
    bool was_on = state & DQ_ROW_WAS_ON;
    return (state & DQ_ROW_GIVEN) && (o->type != DQ_OPT_FLAG || *(const bool *)o->target != was_on);
}

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
    return dq_option_of(cli, name);
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
