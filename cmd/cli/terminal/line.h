/* SPDX-License-Identifier: MIT
 *
 * The last line of the terminal that stderr is, which a progress bar and messages share. Whoever says
 * something goes by dq_line_say: a bar that stands there is taken away first and put back below it. From any
 * thread.
 *
 * Of the programs of one pipeline one draws at a time. It holds a lock (fcntl) on a byte of the terminal, the
 * one numbered as the foreground's process group: the others of the group draw nothing as long, and whoever
 * has something to say, a job in the background or a co-process with a group of its own among them, sees by
 * it that a bar stands there. A job in the background, or stopped, draws nothing, and its lock is another
 * byte's.
 */
#ifndef DQ_CLI_LINE_H
#define DQ_CLI_LINE_H

#include <stdbool.h>

/* Whether stderr is a terminal on which a line can be redrawn. */
bool dq_line_redraws(void);

/* Draws a bar, a text of one line that fits the width, in place of the one that stands there. Where another
 * program has the line, and in the background, it does nothing. A signal that ends the process (SIGINT,
 * SIGTERM, SIGPIPE) takes the bar away first, where the program has no handler of its own for it. */
void dq_line_draw(const char *bar);

/* The bar stays for good: what follows begins a line of its own, and the line is free for others. */
void dq_line_keep(void);

/* Takes the bar away; the line is free for others. */
void dq_line_clear(void);

/* Takes away the bar of another program, for whoever writes to the terminal by himself. */
void dq_line_clear_others(void);

/* Writes lines, whole ones, to stderr at once. */
void dq_line_say(const char *lines);

#endif
