/* SPDX-License-Identifier: MIT
 *
 * Completion in shells. A script of a few lines (completion.bash, .zsh, .fish, which the build puts into
 * every program) hands the words of the line to the program itself, which knows its options:
 *
 *     dq-rank --complete-line dq-rank --by ''
 *
 * answers with a line that says what comes next, and a line each of the words that may stand there, with a
 * tab and a note behind:
 *
 *     words       these words
 *     part        these words, and something still belongs behind them
 *     files       a file, or these words
 *     folders     a folder
 *     commands    a command
 *
 * Nothing is said on stderr, nothing is read but streams that the line names, and those for a second of the
 * processor's time at most.
 */
#ifndef DQ_CLI_COMPLETION_H
#define DQ_CLI_COMPLETION_H

#include "cli/cli.h"

/* Words of a program's command line, the program first, to the one that is being written, which is last. */
void dq_completion_answer(const dq_cli *cli, const char *const *words, size_t count);

/* The shells that there are scripts for, and "table"; NULL-ended. */
extern const char *const dq_completion_shells[];
/* The script for a shell on stdout; for "table" the options as TSV: name, letter, type, argument, modes,
 * help.
 */
void dq_completion_print(const dq_cli *cli, const char *shell);

/* Ids of users or items (kind) in streams that begin with the text, each to put; quietly nothing where a
 * file is no regular one or no stream. */
void dq_completion_ids(const char *const *paths, size_t count, const char *kind, const char *text,
                       void (*put)(const char *id, const char *note));

#endif
