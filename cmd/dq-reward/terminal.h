/* SPDX-License-Identifier: MIT
 *
 * The person at the terminal: text to read and one key to press. It is /dev/tty that is spoken with, whatever
 * stdin and stdout are, also from a process group of its own (a co-process): the terminal is taken for as
 * long as a question is open, and given back with every setting as it was.
 */
#ifndef DQ_REWARD_TERMINAL_H
#define DQ_REWARD_TERMINAL_H

#include "cli/cli.h"

typedef struct dq_terminal dq_terminal;

/* DQ_ERR_UNSUPPORTED where there is no terminal. */
dq_status dq_terminal_open(dq_terminal **terminal, dq_error *error);
void dq_terminal_close(dq_terminal *terminal);

/* Appends to what is shown next. Text that strangers wrote is wrapped to the terminal's width between words;
 * control characters become '?', line ends stay. */
void dq_terminal_text(dq_terminal *terminal, const char *text, size_t bytes);
/* A line of our own, cut to the width; bold where colour is welcome. */
void dq_terminal_line(dq_terminal *terminal, bool bold, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Shows all that, and waits for one of the keys (letters of either case count as small ones); Ctrl-C, Ctrl-D,
 * a signal that ends processes and the terminal's end count as 'q'. */
dq_status dq_terminal_ask(dq_terminal *terminal, const char *keys, char *key, dq_error *error);

#endif
