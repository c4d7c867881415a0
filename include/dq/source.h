/* SPDX-License-Identifier: MIT
 *
 * A byte source: a file or stdin, plain, zstd or gzip, told apart by its first bytes. What every reader reads
 * from: streams, JSON lines, CSV, .npy.
 *
 * Truncation inside a compressed frame, a bad checksum, and a zstd window over 128 MiB are errors.
 * Concatenated zstd frames and gzip members are one run of bytes.
 */
#ifndef DQ_SOURCE_H
#define DQ_SOURCE_H

#include "dq/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct dq_source dq_source;

/* Opens a path, or stdin for "-". DQ_ERR_IO with the name as error->source. */
dq_status dq_source_open(dq_source **source, const char *path, dq_error *error);

/* A source over a function that gives up to n bytes, at least 1, and *got = 0 only at the end (a co-process
 * is read so, whose other end must be watched meanwhile). arg is kept. */
typedef dq_status (*dq_source_fn)(void *arg, void *to, size_t n, size_t *got, dq_error *error);
dq_status dq_source_open_fn(dq_source **source, const char *name, dq_source_fn read, void *arg,
                            dq_error *error);

/* Reads up to n bytes, at least 1; *got = 0 only at the end. */
dq_status dq_source_read(dq_source *source, void *to, size_t n, size_t *got, dq_error *error);

/* Reads exactly n bytes, or fewer (*got) only at the end. */
dq_status dq_source_read_full(dq_source *source, void *to, size_t n, size_t *got, dq_error *error);

/* One line without its newline (a final "\r" goes too), valid until the next call; NUL-terminated as well.
 * *line is NULL at the end. A line over 256 MiB is DQ_ERR_FORMAT. */
dq_status dq_source_line(dq_source *source, char **line, size_t *bytes, dq_error *error);

/* The first byte of what is still unread, which stays unread: 0 .. 255, or -1 at the end. */
dq_status dq_source_peek(dq_source *source, int *first, dq_error *error);
/* Whether what is still unread, and stays so, begins as a stream does: with a record's length, which no text
 * in UTF-8 looks like. */
dq_status dq_source_is_stream(dq_source *source, bool *is, dq_error *error);

/* Called before a read that would block on an empty pipe, so that a co-process can flush what it has written.
 */
void dq_source_on_block(dq_source *source, void (*before_block)(void *arg), void *arg);

/* The operand's name for messages: the path, or "stdin". */
const char *dq_source_name(const dq_source *source);

void dq_source_close(dq_source *source);

#endif
