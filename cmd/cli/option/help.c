/* SPDX-License-Identifier: MIT */
#include "cli/option/help.h"
#include "cli/option/option.h"

#include <stdio.h>
#include <string.h>

enum { HELP_COLUMN = 30, WIDTH = 100 };

/* Options that every program has and no table lists. */
static const dq_option standard[] = {
    {"help", 'h', DQ_OPT_FLAG, NULL, NULL, "print this help", .flags = 0},
    {"version", 'V', DQ_OPT_FLAG, NULL, NULL, "print the version", .flags = 0},
    {0},
};

static bool default_on(const dq_option *o)
{
    return o->type == DQ_OPT_FLAG && o->target && *(const bool *)o->target;
}

/* Where 0 means "this program's own number". */
static bool is_threads(const dq_option *o)
{
    return strcmp(o->name, "threads") == 0 && o->type == DQ_OPT_COUNT;
}

/* "64; offline: 256", or an empty text where there is no default. */
static void default_text(const dq_cli *cli, const dq_option *o, unsigned mode, char *to, size_t size)
{
    to[0] = '\0';
    if (!o->target || (o->flags & DQ_OPT_UNSET)) return;
    if (is_threads(o) && *(const uint64_t *)o->target == 0)
        (void)snprintf(to, size, "%s", cli->program->all_cores ? "all cores" : "1");
    else
        dq_defaults_print(cli, o, mode, to, size);
}

/* "offline, sessions", or "not online" where that is shorter; empty: all modes. */
static void modes_text(const dq_cli *cli, const dq_option *o, char *to, size_t size)
{
    const dq_mode *modes = cli->program->modes;
    size_t used = 0, in = 0, out = 0;
    to[0] = '\0';
    for (const dq_mode *m = modes; m && m->name; m++) *(dq_option_in(o, m->bit) ? &in : &out) += 1;
    if (out == 0) return;
    bool negative = in >= 2 * out;
    for (const dq_mode *m = modes; m->name && used < size; m++)
        if (dq_option_in(o, m->bit) != negative)
            used += (size_t)snprintf(to + used, size - used, "%s%s",
                                     used       ? ", "
                                     : negative ? "not "
                                                : "",
                                     m->name);
}

/* Words laid out from HELP_COLUMN on, broken before WIDTH. */
static void print_words(const char *words)
{
    int at = HELP_COLUMN;
    for (bool first = true; *words; first = false) {
        int n = (int)strcspn(words, " ");
        if (!first && at + 1 + n > WIDTH) {
            printf("\n%*s", HELP_COLUMN, "");
            at = HELP_COLUMN;
        } else if (!first) {
            putchar(' ');
            at++;
        }
        printf("%.*s", n, words);
        at += n;
        words += n + (words[n] == ' ');
    }
    putchar('\n');
}

/* ": tuned, published", those that have a meaning in the mode. */
static size_t list_choices(const dq_cli *cli, const dq_option *o, unsigned mode, char *to, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; o->choices && o->choices[i] && used < size; i++) {
        unsigned modes = dq_choice_modes(cli, o->name, o->choices[i]);
        if (mode && modes && !(modes & mode)) continue;
        used += (size_t)snprintf(to + used, size - used, "%s%s", used ? ", " : ": ", o->choices[i]);
    }
    return used;
}

/* "rows a batch [online, offline] (default 64; offline: 256)" */
static void describe(const dq_cli *cli, const dq_option *o, unsigned mode, char *to, size_t size)
{
    char modes[256] = "", value[512];
    size_t used = (size_t)snprintf(to, size, "%s", o->help ? o->help : "");
    used += list_choices(cli, o, mode, to + used, size - used);
    if (!mode) modes_text(cli, o, modes, sizeof modes);
    default_text(cli, o, mode, value, sizeof value);
    if (modes[0] && used < size) used += (size_t)snprintf(to + used, size - used, " [%s]", modes);
    if (value[0] && used < size) (void)snprintf(to + used, size - used, " (default %s)", value);
}

static void print_option(const dq_cli *cli, const dq_option *o, unsigned mode)
{
    char left[96], right[2048];
    const char *takes = o->type == DQ_OPT_FLAG ? NULL : o->argument ? o->argument : "VALUE";
    int n = snprintf(left, sizeof left, o->letter ? "  -%c, " : "      ", o->letter);
    n += snprintf(left + n, sizeof left - (size_t)n, "--%s%s%s%s", default_on(o) ? "[no-]" : "", o->name,
                  takes ? "=" : "", takes ? takes : "");
    describe(cli, o, mode, right, sizeof right);
    printf("%s", left);
    if (n >= HELP_COLUMN) {
        putchar('\n');
        n = 0;
    }
    printf("%*s", HELP_COLUMN - n, "");
    print_words(right);
}

/* The options of a mode (0: all), under the headings that have any. */
static void print_options(const dq_cli *cli, const dq_option *table, unsigned mode)
{
    const char *heading = NULL;
    for (const dq_option *o = table; o->name; o++) {
        if (o->section) heading = o->section;
        if ((o->flags & DQ_OPT_HIDDEN) || !dq_option_in(o, mode)) continue;
        if (heading) printf("\n%s:\n", heading);
        heading = NULL;
        print_option(cli, o, mode);
    }
}

static void print_modes(const dq_program *program)
{
    if (!program->modes) return;
    printf("\nModes (--help MODE prints the options of one):\n");
    for (const dq_mode *m = program->modes; m->name; m++) {
        printf("  %-*s", HELP_COLUMN - 2, m->name);
        print_words(m->help);
    }
}

static void print_head(const dq_program *program, const dq_mode *mode)
{
    const char *operands = program->operands && !(mode && mode->no_operands) ? program->operands : "";
    if (mode)
        printf("%s, %s: %s\n\n", program->name, mode->name, mode->help);
    else
        printf("%s: %s\n\n", program->name, program->summary);
    printf("Usage: %s [OPTION]...%s%s\n", program->name, *operands ? " " : "", operands);
}

void dq_help_print(const dq_cli *cli, const dq_mode *mode)
{
    const dq_program *program = cli->program;
    print_head(program, mode);
    if (!mode) {
        printf("\nExamples:\n");
        for (size_t i = 0; i < sizeof program->examples / sizeof program->examples[0]; i++)
            if (program->examples[i]) printf("  %s\n", program->examples[i]);
        print_modes(program);
    }
    char beside[256] = "";
    if (mode) dq_defaults_of(cli, mode->bit, beside, sizeof beside);
    if (*beside) printf("\nDefaults are those of %s; name others beside --help to see theirs.\n", beside);
    printf("\nOptions:\n");
    print_options(cli, cli->table, mode ? mode->bit : 0);
    print_options(cli, standard, 0);
    if (mode) return;
    printf("\nExit status: %d done, %d failed (data, input or output), %d usage,\n"
           "%d stopped with progress kept.\n",
           DQ_EXIT_DONE, DQ_EXIT_FAILED, DQ_EXIT_USAGE, DQ_EXIT_STOPPED);
}

void dq_help_version(const dq_program *program)
{
    const char *note = program->version_note_fn ? program->version_note_fn() : program->version_note;
    printf("%s %s\n", program->name, DQ_VERSION);
    if (note) printf("%s\n", note);
}
