/* SPDX-License-Identifier: MIT
 *
 * Rows of the option table, for the parts of cli/ alone:
 *
 *     words.c       errors and words on stderr
 *     option.c      one option's value: from words, as words, in the record
 *     relations.c   what options need and exclude, and where they have an effect
 *     defaults.c    defaults by mode and by choice
 *     modes.c       which options belong to which mode
 *     files.c       inputs, and outputs that are one file
 *     help.c        --help, --version
 *     completion.c  what may come next on a line, for shells
 *     ids.c         ids of a stream, for completion
 *     scripts.c     --completion
 *     cli.c         the command line, the record
 */
#ifndef DQ_CLI_OPTION_H
#define DQ_CLI_OPTION_H

#include "cli/cli.h"

/* dq_cli.state */
enum {
    DQ_ROW_GIVEN = 1,
    DQ_ROW_WAS_ON = 2,   /* a flag that is on by default */
    DQ_ROW_SETTLED = 4,  /* has a default of a set */
    DQ_ROW_LEFT_OUT = 8, /* no part of the record */
};

/* ---- option.c ---- */

/* The row of a name that the program itself uses; one that is not there is a usage error. */
const dq_option *dq_option_of(const dq_cli *cli, const char *name);
/* Takes a value from words, for flags "on" or "off"; or a usage error that begins with who. */
void dq_option_give(const dq_cli *cli, const dq_option *option, const char *who, const char *words);
/* The same of a default, which may be outside of the range: an agent's number that it does not use is 0. */
void dq_option_set(const dq_cli *cli, const dq_option *option, const char *who, const char *words);
/* What the target holds, as words; empty: nothing, a flag that is off, or a number outside of the range. */
void dq_option_print(const dq_option *option, char *to, size_t size);
/* The same as a value of a record; nil: nothing. */
dq_value dq_option_value(const dq_option *option, dq_arena *arena);
/* Modes in which a choice of an option has a meaning; 0: any. */
unsigned dq_choice_modes(const dq_cli *cli, const char *option, const char *choice);

/* ---- relations.c ---- */

/* Whether an option belongs to a mode; 0: any. */
bool dq_option_in(const dq_option *option, unsigned mode);
/* Whether it was given, and is no flag that was taken back. */
bool dq_option_stands(const dq_cli *cli, const dq_option *option);
/* Whether another option is given that this one excludes. */
bool dq_cli_excluded(const dq_cli *cli, const dq_option *option);
/* Whether one of those decides what comes out in this one's place. One that writes a file beside the output
 * (--checkpoint) does not: a run with it has the same lineage as one without. */
bool dq_cli_replaced(const dq_cli *cli, const dq_option *option);
/* Usage errors of options that were given and need or exclude others. */
void dq_cli_check_relations(const dq_cli *cli);
/* Whether an option has an effect (.where), once all have their values. */
bool dq_cli_counts(const dq_cli *cli, const dq_option *option);
/* Usage errors of options that were given and have none. */
void dq_cli_check_effects(const dq_cli *cli);

/* ---- files.c ---- */

/* A usage error where two outputs are one file, or one is a file that the program reads. */
void dq_cli_check_outputs(const dq_cli *cli);

/* ---- modes.c ---- */

bool dq_cli_recorded(const dq_cli *cli, const dq_option *option);

/* ---- defaults.c ---- */

void dq_cli_apply_defaults(dq_cli *cli);
/* Defaults of an option as --help says them: one in a mode, with the choices that stand on the line beside
 * --help; "64; offline: 256" by mode (mode 0), or where to look where that is long; empty: none. */
void dq_defaults_print(const dq_cli *cli, const dq_option *option, unsigned mode, char *to, size_t size);
/* The choices that decide what the defaults of a mode are: "--agent dyna-q --preset tuned"; empty: none do.
 */
void dq_defaults_of(const dq_cli *cli, unsigned mode, char *to, size_t size);

#endif
