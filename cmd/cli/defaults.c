/* SPDX-License-Identifier: MIT */
#include "cli/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VARIANTS = 32 };

static const char *choice_of(const dq_option *table, const char *name)
{
    const dq_option *o = dq_option_find(table, name);
    return o->choices[*(const int *)o->target];
}

/* Whether a set's condition is met by the choices that the targets hold. */
static bool holds(const dq_defaults *set, const dq_option *table)
{
    return !set->option || strcmp(choice_of(table, set->option), set->choice) == 0;
}

/* Sets stand in the table in the order in which they count: what an earlier one chooses (a preset its agent)
 * decides whether a later one holds. */
void dq_cli_apply_defaults(dq_cli *cli)
{
    char who[64];
    for (const dq_defaults *set = cli->program->defaults; set && set->settings; set++) {
        if (!(set->modes & cli->mode) || !holds(set, cli->table)) continue;
        for (const dq_setting *s = set->settings; s->name; s++) {
            const dq_option *o = dq_option_find(cli->table, s->name);
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
    const char *label; /* a mode, a choice */
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
        if (strcmp(s->name, name) == 0) return s->value;
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

/* The default in a mode as long as nothing is given. */
static void print_default(const dq_cli *cli, const dq_option *o, unsigned mode, char *to, size_t size)
{
    for (const dq_defaults *set = cli->program->defaults; set && set->settings; set++) {
        const char *words = setting_of(set, o->name);
        if (!words || !(set->modes & mode) || !holds(set, cli->table)) continue;
        print_setting(cli, o, words, to, size);
        return;
    }
    dq_option_print(o, to, size);
    unsigned modes = o->type == DQ_OPT_CHOICE ? dq_choice_modes(cli, o->name, to) : 0;
    if (modes && !(modes & mode)) to[0] = '\0';
}

static void add_variant(variants *v, const dq_cli *cli, const dq_option *o, const char *label,
                        const char *words)
{
    char value[sizeof v->first];
    print_setting(cli, o, words, value, sizeof value);
    if (!*value || strcmp(value, v->first) == 0 || v->count == MAX_VARIANTS) return;
    v->at[v->count].label = label;
    memcpy(v->at[v->count++].value, value, sizeof value);
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

/* Labels are modes. */
static void add_modes(variants *v, const dq_cli *cli, const dq_option *o)
{
    char words[sizeof v->first];
    for (const dq_mode *m = cli->program->modes; m && m->name; m++) {
        if (!dq_option_in(o, m->bit)) continue;
        print_default(cli, o, m->bit, words, sizeof words);
        if (*words) add_variant(v, cli, o, m->name, words);
    }
}

/* Labels are choices that bring a default in the mode. */
static void add_choices(variants *v, const dq_cli *cli, const dq_option *o, unsigned mode)
{
    for (const dq_defaults *set = cli->program->defaults; set && set->settings; set++) {
        const char *words = set->option && (set->modes & mode) ? setting_of(set, o->name) : NULL;
        if (words) add_variant(v, cli, o, set->choice, words);
    }
}

void dq_defaults_print(const dq_cli *cli, const dq_option *o, unsigned mode, char *to, size_t size)
{
    variants v = {.count = 0};
    print_default(cli, o, mode ? mode : first_mode(cli, o), v.first, sizeof v.first);
    if (mode)
        add_choices(&v, cli, o, mode);
    else
        add_modes(&v, cli, o);
    print_variants(&v, to, size);
}
