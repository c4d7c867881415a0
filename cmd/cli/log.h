/* SPDX-License-Identifier: MIT
 *
 * A log of JSON lines, which can be followed while it grows, and cut back to where a checkpoint was made.
 */
#ifndef DQ_CLI_LOG_H
#define DQ_CLI_LOG_H

#include "dq/status.h"
#include "dq/value.h"

#include <stdint.h>
#include <stdio.h>

typedef struct dq_log {
    FILE *file; /* NULL: no log */
    const char *name;
} dq_log;

/* Opens PATH (NULL: no log) for writing; keep bytes of what is there stay (a resumed run), whose
 * lack is DQ_ERR_RANGE. */
dq_status dq_log_open(dq_log *log, const char *path, uint64_t keep, dq_error *error);
/* Of a log whose lines each name a user: the length of its beginning that is whole lines of users who are
 * done; 0 for what is no regular file, or not there. A user's lines are written before his model is kept, so
 * that a run that was killed may have left some of one who is not done. *behind counts lines of users who are
 * done behind that beginning: cutting the log back loses them. */
dq_status dq_log_length(const char *path, bool (*done)(void *arg, const char *id, size_t bytes), void *arg,
                        uint64_t *length, size_t *behind, dq_error *error);
/* Writes one line. A NAN inside must have been left out or made nil (dq_real_or_nil). */
dq_status dq_log_line(dq_log *log, const dq_value *line, dq_error *error);
/* The same of a line that was made in an arena, which is freed; ok false: memory was short then. */
dq_status dq_log_made(dq_log *log, bool ok, const dq_value *line, dq_arena *arena, dq_error *error);
/* Lines that are made already, whole or in pieces. */
dq_status dq_log_write(dq_log *log, const void *lines, size_t bytes, dq_error *error);
/* Bytes written so far. */
uint64_t dq_log_bytes(dq_log *log);
/* What was written is on the disk, where that can be said of the log. */
dq_status dq_log_persist(dq_log *log, dq_error *error);
/* Returns status, or what closing came to. */
dq_status dq_log_close(dq_log *log, dq_status status, dq_error *error);

#endif
