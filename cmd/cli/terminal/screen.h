/* SPDX-License-Identifier: MIT
 *
 * What a program may know of the screen that it writes to: how wide it is, whether it understands more than
 * lines, whether colour is welcome, and how many columns a text takes there. Nothing else asks the terminal
 * or the environment for these.
 */
#ifndef DQ_CLI_SCREEN_H
#define DQ_CLI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

enum { DQ_SCREEN_WIDTH = 80 }; /* columns where nobody knows */

/* Columns of the terminal that fd is, asked anew each time, so that a window that was drawn wider is
 * followed; where none answers, of COLUMNS; else 80. */
unsigned dq_screen_width(int fd);

/* Whether only lines are to be written: TERM is "dumb", empty or not set. */
bool dq_screen_is_dumb(void);

/* Whether colour is welcome: fd is a terminal that is not dumb, and NO_COLOR is not set (no-color.org). */
bool dq_screen_colour(int fd);

/* Columns that n bytes of UTF-8 take on a terminal: 2 for a wide character, 0 for one that combines with the
 * one before it, 1 for what is no character or no terminal should see. */
size_t dq_screen_columns(const char *text, size_t n);

/* Bytes of the longest beginning of a text of UTF-8 that takes at most so many columns. It ends at a whole
 * character. */
size_t dq_screen_fit(const char *text, size_t n, size_t columns);

#endif
