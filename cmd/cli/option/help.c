/* SPDX-License-Identifier: MIT */
#include "cli/option/help.h"
#include "cli/option/option.h"
#include "cli/terminal/sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_ROOM = 4096 };

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

/* "rows a batch (default 64; offline: 256)" */
static void describe(const dq_cli *cli, const dq_option *o, unsigned mode, char *to, size_t size)
{
    char value[512];
    size_t used = (size_t)snprintf(to, size, "%s", o->help ? o->help : "");
    used += list_choices(cli, o, mode, to + used, size - used);
    default_text(cli, o, mode, value, sizeof value);
    if (value[0] && used < size) (void)snprintf(to + used, size - used, " (default %s)", value);
}

static void print_option(const dq_cli *cli, const dq_sheet *sheet, const dq_option *o, unsigned mode)
{
    char left[96], right[2048];
    const char *takes = o->type == DQ_OPT_FLAG ? NULL : o->argument ? o->argument : "VALUE";
    int n = snprintf(left, sizeof left, o->letter ? "  -%c, " : "      ", o->letter);
    (void)snprintf(left + n, sizeof left - (size_t)n, "--%s%s%s%s", default_on(o) ? "[no-]" : "", o->name,
                   takes ? "=" : "", takes ? takes : "");
    describe(cli, o, mode, right, sizeof right);
    dq_sheet_pair(sheet, left, right);
}

/* ---- options by section, and there by modes ---- */

/* Bits of the program's modes that an option belongs to; 0: to all. */
static unsigned modes_of(const dq_cli *cli, const dq_option *o)
{
    unsigned in = 0;
    bool out = false;
    for (const dq_mode *m = cli->program->modes; m && m->name; m++) {
        if (dq_option_in(o, m->bit))
            in |= m->bit;
        else
            out = true;
    }
    return out ? in : 0;
}

/* "With offline, sessions:", or "Not with online:" where that is shorter. */
static void print_modes_of(const dq_cli *cli, const dq_sheet *sheet, unsigned modes)
{
    char words[512];
    unsigned in = 0, out = 0;
    for (const dq_mode *m = cli->program->modes; m->name; m++) *(m->bit & modes ? &in : &out) += 1;
    bool negative = in >= 2 * out;
    size_t used = (size_t)snprintf(words, sizeof words, "%s", negative ? "Not with" : "With");
    const char *between = " ";
    for (const dq_mode *m = cli->program->modes; m->name && used < sizeof words; m++) {
        if (((m->bit & modes) != 0) == negative) continue;
        used += (size_t)snprintf(words + used, sizeof words - used, "%s%s", between, m->name);
        between = ", ";
    }
    if (used + 1 < sizeof words) (void)snprintf(words + used, sizeof words - used, ":");
    dq_sheet_heading(sheet, 2, words);
}

static bool is_shown(const dq_option *o, unsigned mode)
{
    return !(o->flags & DQ_OPT_HIDDEN) && dq_option_in(o, mode);
}

/* The options from `first` to before `end` that belong to the same modes. */
static void print_group(const dq_cli *cli, const dq_sheet *sheet, const dq_option *first,
                        const dq_option *end, unsigned modes)
{
    for (const dq_option *o = first; o < end; o++)
        if (is_shown(o, 0) && modes_of(cli, o) == modes) print_option(cli, sheet, o, 0);
}

/* A section of all modes: first what belongs to all of them, then the groups in the order of their first. The
 * last section has the options that every program has, too. */
static void print_groups(const dq_cli *cli, const dq_sheet *sheet, const dq_option *first,
                         const dq_option *end)
{
    print_group(cli, sheet, first, end, 0);
    for (const dq_option *o = standard; o->name && !end->name; o++) print_option(cli, sheet, o, 0);
    for (const dq_option *o = first; o < end; o++) {
        unsigned modes = modes_of(cli, o);
        const dq_option *same = first;
        while (same < o && !(is_shown(same, 0) && modes_of(cli, same) == modes)) same++;
        if (!modes || same < o || !is_shown(o, 0)) continue;
        print_modes_of(cli, sheet, modes);
        print_group(cli, sheet, first, end, modes);
    }
}

/* The options of a mode (0: all), under the headings that have any. */
static void print_options(const dq_cli *cli, const dq_sheet *sheet, unsigned mode)
{
    char heading[128];
    for (const dq_option *first = cli->table, *end; first->name; first = end) {
        bool any = is_shown(first, mode);
        for (end = first + 1; end->name && !end->section; end++) any = any || is_shown(end, mode);
        if (!any) continue;
        (void)snprintf(heading, sizeof heading, "%s:", first->section ? first->section : "Options");
        putchar('\n');
        dq_sheet_heading(sheet, 0, heading);
        if (!mode) print_groups(cli, sheet, first, end);
        for (const dq_option *o = first; mode && o < end; o++)
            if (is_shown(o, mode)) print_option(cli, sheet, o, mode);
    }
    for (const dq_option *o = standard; mode && o->name; o++) print_option(cli, sheet, o, 0);
}

/* ---- what stands around them ---- */

static void print_modes(const dq_program *program, const dq_sheet *sheet)
{
    char left[64];
    if (!program->modes) return;
    putchar('\n');
    dq_sheet_heading(sheet, 0, "Modes (--help MODE prints the options of one):");
    for (const dq_mode *m = program->modes; m->name; m++) {
        (void)snprintf(left, sizeof left, "  %s", m->name);
        dq_sheet_pair(sheet, left, m->help);
    }
}

static void print_head(const dq_program *program, const dq_sheet *sheet, const dq_mode *mode)
{
    char words[512];
    const char *operands = program->operands && !(mode && mode->no_operands) ? program->operands : "";
    (void)snprintf(words, sizeof words, "%s%s%s: %s", program->name, mode ? ", " : "", mode ? mode->name : "",
                   mode ? mode->help : program->summary);
    dq_sheet_words(sheet, 0, 2, words);
    (void)snprintf(words, sizeof words, "Usage: %s [OPTION]...%s%s", program->name, *operands ? " " : "",
                   operands);
    putchar('\n');
    dq_sheet_words(sheet, 0, 7, words);
}

/* The guide's place: where it was installed with this program, PREFIX/share/doc/dq-recommend for PREFIX/bin;
 * else its name in the sources. */
static void find_guide(const char *guide, char *path, size_t room)
{
    char self[PATH_ROOM];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    for (int up = 0; up < 2; up++)
        while (n > 0 && self[--n] != '/') continue;
    self[n > 0 ? n : 0] = '\0';
    int all = snprintf(path, room, "%.3000s/share/doc/dq-recommend/docs/%.60s", self, guide);
    if (all < 0 || access(path, R_OK) != 0) (void)snprintf(path, room, "docs/%s", guide);
}

static void print_end(const dq_program *program, const dq_sheet *sheet)
{
    char words[256 + PATH_ROOM], guide[PATH_ROOM];
    (void)snprintf(words, sizeof words,
                   "Exit status: %d done, %d failed (data, input or output), %d usage, %s%d stopped with "
                   "progress kept.",
                   DQ_EXIT_DONE, DQ_EXIT_FAILED, DQ_EXIT_USAGE, program->refuses ? "3 refused, " : "",
                   DQ_EXIT_STOPPED);
    putchar('\n');
    dq_sheet_words(sheet, 0, 0, words);
    find_guide(program->guide, guide, sizeof guide);
    (void)snprintf(words, sizeof words, "Read on: man %s, man 7 dq (all programs), %s", program->name, guide);
    dq_sheet_words(sheet, 0, 0, words);
}

/* Whose the defaults of a mode are, where they depend on more than the mode. */
static void print_beside(const dq_cli *cli, const dq_sheet *sheet, const dq_mode *mode)
{
    char beside[256] = "", words[400];
    dq_defaults_of(cli, mode->bit, beside, sizeof beside);
    if (!*beside) return;
    (void)snprintf(words, sizeof words, "Defaults are those of %s; name others beside --help to see theirs.",
                   beside);
    putchar('\n');
    dq_sheet_words(sheet, 0, 0, words);
}

void dq_help_print(const dq_cli *cli, const dq_mode *mode)
{
    const dq_program *program = cli->program;
    const dq_sheet sheet = dq_sheet_on_stdout();
    print_head(program, &sheet, mode);
    if (!mode) {
        putchar('\n');
        dq_sheet_heading(&sheet, 0, "Examples:");
        for (size_t i = 0; i < sizeof program->examples / sizeof program->examples[0]; i++)
            if (program->examples[i]) dq_sheet_command(&sheet, program->examples[i]);
        print_modes(program, &sheet);
    }
    if (mode) print_beside(cli, &sheet, mode);
    print_options(cli, &sheet, mode ? mode->bit : 0);
    print_end(program, &sheet);
}

void dq_help_version(const dq_program *program)
{
    const char *note = program->version_note_fn ? program->version_note_fn() : program->version_note;
    printf("%s %s\n", program->name, DQ_VERSION);
    if (note) printf("%s\n", note);
}
