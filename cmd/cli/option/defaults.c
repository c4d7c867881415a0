/* SPDX-License-Identifier: MIT */
#include "cli/option/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VARIANTS = 32 };

/* Whether a set's condition is met by the choices that the targets hold. */
static bool holds(const dq_cli *cli, const dq_defaults *set)
{
    if (!set->option) return true;
    const dq_option *o = dq_option_of(cli, set->option);
    return strcmp(o->choices[*(const int *)o->target], set->choice) == 0;
}

/* Sets stand in the table in the order in which they count: what an earlier one chooses (a preset its agent)
 * decides whether a later one holds. */
void dq_cli_apply_defaults(dq_cli *cli)
{
    char who[64];
    for (const dq_defaults *set = cli->program->defaults; set && set->settings; set++) {
        if (!(set->modes & cli->mode) || !holds(cli, set)) continue;
        for (const dq_setting *s = set->settings; s->name; s++) {
            const dq_option *o = dq_option_of(cli, s->name);
            unsigned char *state = &cli->state[o - cli->table];
            if ((*state & (DQ_ROW_GIVEN | DQ_ROW_SETTLED)) || dq_cli_excluded(cli, o)) continue;
            (void)snprintf(who, sizeof who, "--%s", s->name);
            dq_option_set(cli, o, who, s->value);
            *state |= DQ_ROW_SETTLED;
        }
    }
}

/* ---- for --help ---- */

typedef struct variant {
    const char *label; /* a mode */
    char value[128];
} variant;

typedef struct variants {
    char first[128]; /* what holds otherwise */
    variant at[MAX_VARIANTS];
    size_t count;
} variants;

static const char *setting_of(const dq_defaults *set, const char *name)
{
    for (const dq_setting *s = set->settings; s->name; s++)
        if (s->name[0] == name[0] && strcmp(s->name, name) == 0) return s->value;
    return NULL;
}

/* A setting as dq_option_print has it, so that equal values are equal words. */
static void print_setting(const dq_cli *cli, const dq_option *o, const char *words, char *to, size_t size)
{
    union {
        bool on;
        uint64_t count;
        double real;
        int choice;
        const char *text;
    } value = {.count = 0};
    dq_option scratch = *o;
    scratch.target = &value;
    dq_option_set(cli, &scratch, o->name, words);
    dq_option_print(&scratch, to, size);
}

static void print_default(const dq_cli *cli, const dq_option *o, unsigned mode, char *to, size_t size);

/* Whether a set's condition is met in a mode when nothing is given but the choices that stand beside --help:
 * another set may choose what this one asks for, as a preset chooses its agent. */
static bool would_hold(const dq_cli *cli, const dq_defaults *set, unsigned mode)
{
    char choice[sizeof(variant){0}.value];
    if (!set->option) return true;
    if (dq_cli_given(cli, set->option)) return holds(cli, set);
    print_default(cli, dq_option_of(cli, set->option), mode, choice, sizeof choice);
    return strcmp(choice, set->choice) == 0;
}

static void print_default(const dq_cli *cli, const dq_option *o, unsigned mode, char *to, size_t size)
{
    for (const dq_defaults *set = cli->program->defaults; set && set->settings; set++) {
        const char *words = set->modes & mode ? setting_of(set, o->name) : NULL;
        if (!words || !would_hold(cli, set, mode)) continue;
        print_setting(cli, o, words, to, size);
        return;
    }
    dq_option_print(o, to, size);
    unsigned modes = o->type == DQ_OPT_CHOICE ? dq_choice_modes(cli, o->name, to) : 0;
    if (modes && !(modes & mode)) to[0] = '\0';
}

/* Adds what the option's default is in the mode, unless it is the first. */
static void add_variant(variants *v, const dq_cli *cli, const dq_option *o, const char *label, unsigned mode)
{
    variant *next = &v->at[v->count];
    if (v->count == MAX_VARIANTS) return;
    next->label = label;
    print_default(cli, o, mode, next->value, sizeof next->value);
    if (strcmp(next->value, v->first) == 0) return;
    if (!next->value[0])
        (void)snprintf(next->value, sizeof next->value, "%s", o->type == DQ_OPT_FLAG ? "off" : "none");
    v->count++;
}

/* "64; offline, sessions: 256" */
static void print_variants(const variants *v, char *to, size_t size)
{
    size_t used = (size_t)snprintf(to, size, "%s", v->first);
    for (size_t i = 0; i < v->count; i++) {
        const char *value = v->at[i].value, *between = used ? "; " : "";
        bool before = false;
        for (size_t j = 0; j < i; j++) before |= strcmp(v->at[j].value, value) == 0;
        for (size_t j = i; j < v->count && !before && used < size; j++) {
            if (strcmp(v->at[j].value, value) != 0) continue;
            used += (size_t)snprintf(to + used, size - used, "%s%s", between, v->at[j].label);
            between = ", ";
        }
        if (!before && used < size) used += (size_t)snprintf(to + used, size - used, ": %s", value);
    }
}

static unsigned first_mode(const dq_cli *cli, const dq_option *o)
{
    const dq_mode *m = cli->program->modes;
    while (m && m->name && !dq_option_in(o, m->bit)) m++;
    return m && m->name ? m->bit : 0;
}

/* A number is found at a glance; a list of modes that is longer is not. */
enum { LONGEST = 48 };

void dq_defaults_print(const dq_cli *cli, const dq_option *o, unsigned mode, char *to, size_t size)
{
    variants v = {.count = 0};
    print_default(cli, o, mode ? mode : first_mode(cli, o), v.first, sizeof v.first);
    for (const dq_mode *m = cli->program->modes; !mode && m && m->name; m++)
        if (dq_option_in(o, m->bit)) add_variant(&v, cli, o, m->name, m->bit);
    print_variants(&v, to, size);
    if (v.count && strlen(to) > LONGEST) (void)snprintf(to, size, "by mode: --help MODE");
}

void dq_defaults_of(const dq_cli *cli, unsigned mode, char *to, size_t size)
{
    size_t used = 0;
    to[0] = '\0';
    for (const dq_option *o = cli->table; o->name && used < size; o++) {
        bool decides = false;
        for (const dq_defaults *set = cli->program->defaults; set && set->settings; set++)
            decides |= set->option && (set->modes & mode) && strcmp(set->option, o->name) == 0;
        if (!decides || !dq_option_in(o, mode)) continue;
        char choice[sizeof(variant){0}.value];
        if (dq_cli_given(cli, o->name))
            dq_option_print(o, choice, sizeof choice);
        else
            print_default(cli, o, mode, choice, sizeof choice);
        if (choice[0])
            used += (size_t)snprintf(to + used, size - used, "%s--%s %s", used ? " " : "", o->name, choice);
    }
}
