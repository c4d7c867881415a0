/* SPDX-License-Identifier: MIT
 *
 * What a table of options prints: --help and --version. Used by cli.c alone.
 */
#ifndef DQ_CLI_HELP_H
#define DQ_CLI_HELP_H

#include "cli/cli.h"

/* Summary, usage, examples, modes, options with the defaults of each mode, exit codes; on stdout. Of one
 * mode: its options, each with one default, by the choices that the line has (--preset). Defaults are those
 * that targets hold now, and the program's sets. */
void dq_help_print(const dq_cli *cli, const dq_mode *mode);

/* "dq-x 0.1.0", and below it the version note. */
void dq_help_version(const dq_program *program);

#endif
