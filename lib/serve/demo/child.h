/* SPDX-License-Identifier: MIT
 *
 * A program of ours as a child of the server, so that its crash harms nothing: started without a shell, with
 * the server's environment less its secrets, in a process group of its own. What it writes on stdout is read
 * line by line, what it says on stderr is kept for the message of its failure.
 *
 *     dq_demo_child_start(&child, arguments, -1, -1, &e);
 *     while (dq_demo_child_next(&child, 200, &line, &n)) ...      n 0: nothing came meanwhile
 *     status = dq_demo_child_end(&child, &e);
 *
 * A child that writes to its stdout when the server is gone ends by SIGPIPE.
 */
#ifndef DQ_SERVE_DEMO_CHILD_H
#define DQ_SERVE_DEMO_CHILD_H

#include "dq/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct dq_demo_child {
    const char *name; /* of the program, without its folder; borrowed */
    pid_t pid;        /* 0: none, or waited for */
    int from;         /* its stdout; -1: ended */
    int words;        /* its stderr, a file in memory */
    char *held;       /* of stdout what is not yet a line: (bytes) of room */
    size_t bytes, room, taken;
    bool stopped; /* it was told to end, */
    double until; /* and has time for it, by the monotonic clock */
} dq_demo_child;

/* arguments: ended by NULL, the program first, which is looked for in PATH where it has no slash. Borrowed
 * until the end. in: the descriptor that is its stdin (-1: empty); out: that is its stdout (-1: lines that
 * are read here). DQ_ERR_IO when it cannot be started: child is then ended. */
dq_status dq_demo_child_start(dq_demo_child *child, const char *const *arguments, int in, int out,
                              dq_error *error);
/* Waits for a line at most so long, and gives it without its end until the next call (*n 0: none came). False
 * when it has ended, or was told to end more than 5 s ago. Lines over 64 KiB are dropped. */
bool dq_demo_child_next(dq_demo_child *child, int milliseconds, const char **line, size_t *n);
/* SIGTERM, by its process id; and goes on, so that it can end by itself. */
void dq_demo_child_stop(dq_demo_child *child);
/* Waits until it has ended (one that was told to, and does not within 5 s, is killed), and frees. DQ_OK where
 * it exited with 0; DQ_ERR_STOPPED where it was told to end, and did not make it; else DQ_ERR_IO with the
 * last line that it said, or how it ended ("dq-train was killed by SIGKILL"). */
dq_status dq_demo_child_end(dq_demo_child *child, dq_error *error);

#endif
