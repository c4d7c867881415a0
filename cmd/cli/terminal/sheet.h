/* SPDX-License-Identifier: MIT
 *
 * Words laid out on stdout for people: lines no longer than the terminal is wide (80 columns where none is
 * known, 100 at most, for the eye's sake, and 40 at least), headings in bold where colour is welcome. Only
 * a word of a command may be longer than a line: others are broken.
 */
#ifndef DQ_CLI_SHEET_H
#define DQ_CLI_SHEET_H

#include <stdbool.h>

typedef struct dq_sheet {
    unsigned width;
    bool bold;
} dq_sheet;

dq_sheet dq_sheet_on_stdout(void);

/* Words from column `first` on, and from column `next` on in the lines that follow. */
void dq_sheet_words(const dq_sheet *sheet, unsigned first, unsigned next, const char *words);
/* A heading, in lines of its own. */
void dq_sheet_heading(const dq_sheet *sheet, unsigned first, const char *words);
/* What is explained ("  -k, --top=K") and, from column 30 on, the explanation; below it, where the one is too
 * long or the terminal too narrow for two columns. */
void dq_sheet_pair(const dq_sheet *sheet, const char *left, const char *words);
/* A shell's command, from column 2 on, broken between its words by a backslash so that it can be copied. */
void dq_sheet_command(const dq_sheet *sheet, const char *command);

#endif
