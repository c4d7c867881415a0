/* SPDX-License-Identifier: MIT */
#include "cli/help.h"

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

/* The default's words, or an empty text when there is none. */
static void default_text(const dq_program *program, const dq_option *o, char *to, size_t size)
{
    to[0] = '\0';
    if (!o->target || (o->flags & DQ_OPT_UNSET)) return;
    switch (o->type) {
    case DQ_OPT_FLAG: (void)snprintf(to, size, "%s", default_on(o) ? "on" : ""); break;
    case DQ_OPT_COUNT: {
        uint64_t n = *(const uint64_t *)o->target;
        if (is_threads(o) && n == 0)
            (void)snprintf(to, size, "%s", program->all_cores ? "all cores" : "1");
        else
            (void)snprintf(to, size, "%llu", (unsigned long long)n);
        break;
    }
    case DQ_OPT_REAL: (void)snprintf(to, size, "%.9g", *(const double *)o->target); break;
    case DQ_OPT_TEXT: {
        const char *text = *(const char *const *)o->target;
        (void)snprintf(to, size, "%s", text ? text : "");
        break;
    }
    case DQ_OPT_CHOICE: (void)snprintf(to, size, "%s", o->choices[*(const int *)o->target]); break;
    case DQ_OPT_LIST: {
        const dq_texts *list = o->target;
        size_t used = 0;
        for (size_t i = 0; i < list->count && used < size; i++)
            used += (size_t)snprintf(to + used, size - used, "%s%s", i ? " " : "", list->at[i]);
        break;
    }
    case DQ_OPT_END: break;
    }
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

static void print_option(const dq_program *program, const dq_option *o)
{
    char left[96], value[256], right[1024];
    const char *takes = o->type == DQ_OPT_FLAG ? NULL : o->argument ? o->argument : "VALUE";
    int n = snprintf(left, sizeof left, o->letter ? "  -%c, " : "      ", o->letter);
    n += snprintf(left + n, sizeof left - (size_t)n, "--%s%s%s%s", default_on(o) ? "[no-]" : "", o->name,
                  takes ? "=" : "", takes ? takes : "");
    default_text(program, o, value, sizeof value);
    size_t used = (size_t)snprintf(right, sizeof right, "%s", o->help ? o->help : "");
    for (size_t i = 0; o->choices && o->choices[i] && used < sizeof right; i++)
        used += (size_t)snprintf(right + used, sizeof right - used, "%s%s", i ? ", " : ": ", o->choices[i]);
    if (value[0] && used < sizeof right)
        (void)snprintf(right + used, sizeof right - used, " (default %s)", value);
    printf("%s", left);
    if (n >= HELP_COLUMN) {
        putchar('\n');
        n = 0;
    }
    printf("%*s", HELP_COLUMN - n, "");
    print_words(right);
}

static void print_options(const dq_program *program, const dq_option *table)
{
    for (const dq_option *o = table; o->name; o++) {
        if (o->section) printf("\n%s:\n", o->section);
        if (!(o->flags & DQ_OPT_HIDDEN)) print_option(program, o);
    }
}

void dq_help_print(const dq_program *program, const dq_option *table)
{
    const char *operands = program->operands ? program->operands : "";
    printf("%s: %s\n\n", program->name, program->summary);
    printf("Usage: %s [OPTION]...%s%s\n\nExamples:\n", program->name, *operands ? " " : "", operands);
    for (size_t i = 0; i < sizeof program->examples / sizeof program->examples[0]; i++)
        if (program->examples[i]) printf("  %s\n", program->examples[i]);
    printf("\nOptions:\n");
    print_options(program, table);
    print_options(program, standard);
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

static void print_names(const dq_option *table)
{
    for (const dq_option *o = table; o->name; o++)
        if (!(o->flags & DQ_OPT_HIDDEN))
            printf(" --%s%s%s", default_on(o) ? "no-" : "", o->name,
                   o->type == DQ_OPT_FLAG ? "" : "="); /* "=": no space follows */
}

void dq_help_completion(const dq_program *program, const dq_option *table)
{
    printf("# bash completion for %s, printed by %s --completion\n", program->name, program->name);
    printf("_%s() {\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
           "    [[ $cur == = ]] && cur=\n"
           "    [[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD-2]}\n"
           "    COMPREPLY=()\n"
           "    case $prev in\n",
           program->name);
    for (const dq_option *o = table; o->name; o++) {
        if (o->type != DQ_OPT_CHOICE || (o->flags & DQ_OPT_HIDDEN)) continue;
        printf("    --%s", o->name);
        if (o->letter) printf("|-%c", o->letter);
        printf(") mapfile -t COMPREPLY < <(compgen -W '");
        for (size_t i = 0; o->choices[i]; i++) printf("%s%s", i ? " " : "", o->choices[i]);
        printf("' -- \"$cur\"); return ;;\n");
    }
    printf("    esac\n"
           "    [[ $cur == -* ]] && mapfile -t COMPREPLY < <(compgen -W '");
    print_names(table);
    print_names(standard);
    printf("' -- \"$cur\")\n"
           "    [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace\n"
           "    return 0\n"
           "}\n"
           "complete -o default -F _%s %s\n",
           program->name, program->name);
}
