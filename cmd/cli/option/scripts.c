/* SPDX-License-Identifier: MIT
 *
 * What --completion prints: a script for a shell, or the table of options.
 */
#include "cli/option/completion.h"

#include <stdio.h>
#include <string.h>

/* Of completion.bash, .zsh and .fish: the Makefile makes them. */
extern const unsigned char dq_script_bash[], dq_script_zsh[], dq_script_fish[];
extern const size_t dq_script_bash_bytes, dq_script_zsh_bytes, dq_script_fish_bytes;

const char *const dq_completion_shells[] = {"bash", "zsh", "fish", "table", NULL};

/* With the program's name where the script has @NAME@. */
static void print_script(const char *name, const unsigned char *script, size_t bytes)
{
    static const char mark[] = "@NAME@";
    const char *at = (const char *)script, *end = at + bytes;
    while (at < end) {
        if ((size_t)(end - at) >= sizeof mark - 1 && memcmp(at, mark, sizeof mark - 1) == 0) {
            (void)fputs(name, stdout);
            at += sizeof mark - 1;
        } else
            putchar(*at++);
    }
}

static void print_table(const dq_cli *cli)
{
    static const char *const types[] = {"end", "flag", "count", "count", "real", "text", "choice", "list"};
    puts("name\tletter\ttype\targument\tmodes\thelp");
    for (const dq_option *o = cli->table; o->name; o++) {
        if (o->flags & DQ_OPT_HIDDEN) continue;
        printf("%s\t%.1s\t%s\t%s\t", o->name, o->letter ? &o->letter : "", types[o->type],
               o->type == DQ_OPT_FLAG ? ""
               : o->argument          ? o->argument
                                      : "VALUE");
        const char *between = "";
        for (const dq_mode *m = cli->program->modes; o->modes && m && m->name; m++) {
            if (!(o->modes & m->bit)) continue;
            printf("%s%s", between, m->name);
            between = ",";
        }
        printf("\t%s\n", o->help ? o->help : "");
    }
}

void dq_completion_print(const dq_cli *cli, const char *shell)
{
    const char *name = cli->program->name;
    if (strcmp(shell, "bash") == 0) print_script(name, dq_script_bash, dq_script_bash_bytes);
    if (strcmp(shell, "zsh") == 0) print_script(name, dq_script_zsh, dq_script_zsh_bytes);
    if (strcmp(shell, "fish") == 0) print_script(name, dq_script_fish, dq_script_fish_bytes);
    if (strcmp(shell, "table") == 0) print_table(cli);
}
