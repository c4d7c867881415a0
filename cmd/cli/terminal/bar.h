/* SPDX-License-Identifier: MIT
 *
 * What a progress bar says, and when: of numbers and a time alone, without a clock or a terminal.
 *
 *     training [##########....................]  33%  500/1500  0:01:40 left  10 batches/s  loss 0.31
 *     embedding  12345 items  0:00:12  1029 items/s
 *
 * Parts that do not fit are left out, from the right; the bar itself has 8 to 30 cells.
 */
#ifndef DQ_CLI_BAR_H
#define DQ_CLI_BAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct dq_bar {
    const char *label;    /* what is done: "training" */
    const char *unit;     /* what is counted: "batches" */
    const char *note;     /* ends the line: "loss 0.31"; NULL or empty: nothing */
    uint64_t done, total; /* total 0: nobody knows */
    uint64_t before;      /* of done, what an earlier run did: no part of the rate */
    double seconds;       /* since it began */
    bool ended;
} dq_bar;

/* Writes the line, NUL-terminated, of at most so many columns on a terminal (dq_screen_columns), in green
 * where colour is set. cells: whether a bar is drawn, else the numbers alone, for a log. A rate and a time
 * are of a second and more. */
void dq_bar_write(const dq_bar *bar, size_t columns, bool cells, bool colour, char *to, size_t room);

/* Whether it is time for the next line: work that takes less than a second has none; after that a terminal
 * gets ten a second, a log (terminal false) one a minute. shown: the seconds of the last one; < 0: none yet.
 * at_once: the first does not wait, on a terminal. */
bool dq_bar_due(double seconds, double shown, bool terminal, bool at_once);

#endif
