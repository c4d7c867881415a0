/* SPDX-License-Identifier: MIT
 *
 * A byte source: a file or stdin, plain, zstd or gzip, told apart by its first bytes. What every reader reads
 * from: streams, JSON lines, CSV, .npy. And the one place that says what the bytes of a text are.
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

/* Opens a path, or stdin for "-". DQ_ERR_IO with the name as error->source; DQ_ERR_TERMINAL for a terminal:
 * whoever forgot an operand would wait for himself. (To read from one: dq_source_open_fn.) */
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

/* What follows is a text: a byte-order mark of UTF-8 is passed over. DQ_ERR_FORMAT for UTF-16 and UTF-32,
 * with the command that converts them. dq_source_line begins so by itself; whoever reads a text by
 * dq_source_read calls this first. */
dq_status dq_source_text(dq_source *source, dq_error *error);

/* Text is converted to UTF-8 from an encoding by its name (iconv(3): "latin1"). To be called before the first
 * byte is read. DQ_ERR_UNKNOWN: there is none of that name. Bytes that are not of the encoding are
 * DQ_ERR_FORMAT when they are met. */
dq_status dq_source_encoding(dq_source *source, const char *encoding, dq_error *error);

/* One line without its newline (a final "\r" goes too), valid until the next call; NUL-terminated as well.
 * *line is NULL at the end. A line over 256 MiB is DQ_ERR_FORMAT. */
dq_status dq_source_line(dq_source *source, char **line, size_t *bytes, dq_error *error);

/* Whether the last line ended by a newline: where a file was cut off there is none. */
bool dq_source_line_ended(const dq_source *source);

/* The first bytes of what is still unread, which stay unread until the next call: n of them, or fewer (*had)
 * only before the end. */
dq_status dq_source_look(dq_source *source, size_t n, const char **first, size_t *had, dq_error *error);

/* The first of them: 0 .. 255, or -1 at the end. Tells a stream from text. */
dq_status dq_source_peek(dq_source *source, int *first, dq_error *error);
/* Whether what is still unread, and stays so, begins as a stream does: with a record's length, which no text
 * in UTF-8 looks like. */
dq_status dq_source_is_stream(dq_source *source, bool *is, dq_error *error);

/* Called before a read that would block on an empty pipe, so that a co-process can flush what it has written.
 */
void dq_source_on_block(dq_source *source, void (*before_block)(void *arg), void *arg);

/* From the fifth MiB on, a compressed file or pipe is read and decompressed in up to so many threads beside
 * the caller's (at most 8; 0, as it is at first: in the caller's alone, as are functions, plain bytes, and
 * sources with dq_source_on_block). There are 2 MiB of what comes next for each, and for two more. What is
 * read, and the failure that is met, are the same. Where there are no threads to be had, it goes on without.
 * Frames of dq's sinks are decompressed side by side, others one after the other. */
void dq_source_threads(dq_source *source, unsigned threads);

/* The operand's name for messages: the path, or "stdin". */
const char *dq_source_name(const dq_source *source);

void dq_source_close(dq_source *source);

#endif
