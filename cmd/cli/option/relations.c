/* SPDX-License-Identifier: MIT
 *
 * Options that need or exclude others, and options that have an effect only beside others.
 */
#include "cli/option/option.h"

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

/* The first of names that is in force and has none of the flags, or NULL. */
static const dq_option *first_without(const dq_cli *cli, const char *names, unsigned flags)
{
    const dq_option *o;
    while (names && (o = next_option(cli, &names)))
        if (in_force(cli, o) && !(o->flags & flags)) return o;
    return NULL;
}

static const dq_option *first_in_force(const dq_cli *cli, const char *names)
{
    return first_without(cli, names, 0);
}

bool dq_cli_excluded(const dq_cli *cli, const dq_option *o)
{
    return first_in_force(cli, o->excludes) != NULL;
}

bool dq_cli_replaced(const dq_cli *cli, const dq_option *o)
{
    return first_without(cli, o->excludes, DQ_OPT_WRITES) != NULL;
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

/* ---- where an option has an effect ---- */

/* The next part of *list up to one of `ends`, in part; false at its end. *list moves on. */
static bool next_part(const char **list, const char *ends, char part[128])
{
    size_t n = strcspn(*list, ends);
    if (n == 0) return false;
    (void)snprintf(part, 128, "%.*s", (int)n, *list);
    *list += n + ((*list)[n] != '\0');
    return true;
}

/* The option of "name" or "name=choice,choice", and its choices (empty: none). */
static const dq_option *parse_alternative(const dq_cli *cli, char *alternative, const char **choices)
{
    char *equals = strchr(alternative, '=');
    *choices = equals ? equals + 1 : "";
    if (equals) *equals = '\0';
    return dq_option_of(cli, alternative);
}

static bool is_one_of(const dq_option *o, const char *choices)
{
    char choice[128];
    while (next_part(&choices, ",", choice))
        if (strcmp(o->choices[*(const int *)o->target], choice) == 0) return true;
    return false;
}

static bool has_text(const char *text)
{
    return text && strcmp(text, "none") != 0;
}

/* On, above 0, or there; a text that says "none" is not. */
static bool has_value(const dq_option *o)
{
    switch (o->type) {
    case DQ_OPT_FLAG: return *(const bool *)o->target;
    case DQ_OPT_COUNT: return *(const uint64_t *)o->target > 0;
    case DQ_OPT_SMALL: return *(const uint32_t *)o->target > 0;
    case DQ_OPT_REAL: return *(const double *)o->target > 0;
    case DQ_OPT_TEXT: return has_text(*(const char *const *)o->target);
    case DQ_OPT_LIST: return ((const dq_texts *)o->target)->count > 0;
    default: return true;
    }
}

static bool condition_holds(const dq_cli *cli, const char *condition)
{
    char alternative[128];
    const char *choices;
    bool counts = false;
    while (next_part(&condition, "|", alternative)) {
        const dq_option *o = parse_alternative(cli, alternative, &choices);
        if (!dq_option_in(o, cli->mode)) continue;
        if (*choices ? is_one_of(o, choices) : has_value(o)) return true;
        counts = true;
    }
    return !counts;
}

/* The first condition of an option that does not hold; false: all do. */
static bool find_broken(const dq_cli *cli, const dq_option *o, char condition[128])
{
    const char *all = o->where ? o->where : "";
    while (next_part(&all, " ", condition))
        if (!condition_holds(cli, condition)) return true;
    return false;
}

bool dq_cli_counts(const dq_cli *cli, const dq_option *o)
{
    char condition[128];
    return !find_broken(cli, o, condition);
}

/* "--agent dqn or dyna-q", "--validation or --fold" */
static void print_condition(const dq_cli *cli, const char *condition, char *to, size_t size)
{
    char alternative[128], choice[128];
    const char *choices;
    size_t used = 0;
    while (next_part(&condition, "|", alternative)) {
        const dq_option *o = parse_alternative(cli, alternative, &choices);
        if (!dq_option_in(o, cli->mode) || used >= size) continue;
        used += (size_t)snprintf(to + used, size - used, "%s--%s", used ? " or " : "", o->name);
        for (const char *between = " "; used < size && next_part(&choices, ",", choice); between = " or ")
            used += (size_t)snprintf(to + used, size - used, "%s%s", between, choice);
    }
}

void dq_cli_check_effects(const dq_cli *cli)
{
    char condition[128], words[256];
    for (const dq_option *o = cli->table; o->name; o++) {
        if (!(cli->state[o - cli->table] & DQ_ROW_GIVEN) || !find_broken(cli, o, condition)) continue;
        print_condition(cli, condition, words, sizeof words);
        dq_cli_usage(cli, "--%s needs %s", o->name, words);
    }
}
