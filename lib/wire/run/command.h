/* SPDX-License-Identifier: MIT
 *
 * A shell command that decides something by its exit status, and says why in its last line.
 */
#ifndef DQ_WIRE_RUN_COMMAND_H
#define DQ_WIRE_RUN_COMMAND_H

#include "dq/status.h"

#include <stdbool.h>
#include <stddef.h>

enum { DQ_COMMAND_LINE = 512 };

typedef struct dq_command_end {
    int exit; /* its exit status, as a shell gives it: 128 and the signal where one ended it */
    char last[DQ_COMMAND_LINE]; /* the last line that is not blank of what it wrote, cut; UTF-8; "": none */
} dq_command_end;

/* Runs a command under `sh -c` to its end: stdin is empty, what it writes to stdout and stderr goes to our
 * descriptor `echo` (-1: nowhere). variables ("NAME=value", ended by NULL; may be NULL) are set in its
 * environment, which is without our secrets (wire/coprocess.h). stop_asked (may be NULL) is asked when a
 * signal interrupts the wait: true ends the command, and is DQ_ERR_STOPPED. DQ_ERR_IO: it cannot be started.
 */
dq_status dq_command_run(const char *command, const char *const *variables, int echo,
                         bool (*stop_asked)(void), dq_command_end *end, dq_error *error);

#endif
