/* SPDX-License-Identifier: MIT
 *
 * A byte sink: stdout, or a file written aside, synced and renamed when complete. Streams, tables and logs
 * all leave through it, and a late write error (a full disk at close) still counts.
 */
#ifndef DQ_SINK_H
#define DQ_SINK_H

#include "dq/status.h"

#include <stddef.h>

typedef enum dq_sink_form {
    DQ_SINK_TEXT, /* as it is */
    DQ_SINK_ZSTD, /* zstd frames with content checksums; refused on a terminal (DQ_ERR_TERMINAL) */
    DQ_SINK_FILE, /* the same at the level of a file, wherever it goes: bytes that a file will have */
} dq_sink_form;

typedef struct dq_sink dq_sink;

/* Opens a path (NULL or "-" is stdout). A new or existing regular file is written beside it,
 * without a name where the file system can, else as PATH.XXXXXX, and takes its name in dq_sink_close;
 * anything else (a pipe, /dev/full) is written in place. Level: -1 to a pipe, 3 to a file. A pipe's buffer is
 * raised to 1 MiB. */
dq_status dq_sink_open(dq_sink **sink, const char *path, dq_sink_form form, dq_error *error);

/* A sink over a function that takes all n bytes (see dq_source_open_fn). arg is kept. */
typedef dq_status (*dq_sink_fn)(void *arg, const void *data, size_t n, dq_error *error);
dq_status dq_sink_open_fn(dq_sink **sink, const char *name, dq_sink_form form, dq_sink_fn write, void *arg,
                          dq_error *error);

/* From the fifth MiB on, a stream to a file or a pipe is compressed and written in up to so many threads
 * beside the caller's (at most 8; 0, as it is at first: in the caller's alone, as are texts and functions).
 * Each, and the caller, has 2 MiB of what is not yet written, and zstd's tables. The bytes are the same. A
 * failure to write shows at one of the next calls, at dq_sink_flush or dq_sink_close at the latest. Where
 * there are no threads to be had, it goes on without. */
void dq_sink_threads(dq_sink *sink, unsigned threads);

dq_status dq_sink_write(dq_sink *sink, const void *data, size_t n, dq_error *error);
/* Words and tables for people: control characters in it but line feeds and tabs are written \xNN. */
dq_status dq_sink_printf(dq_sink *sink, dq_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Makes everything written so far visible to a reader: ends the zstd frame, and returns when it is written.
 */
dq_status dq_sink_flush(dq_sink *sink, dq_error *error);

/* Completes and frees: last frame, write, fsync, rename; every error of these counts. */
dq_status dq_sink_close(dq_sink *sink, dq_error *error);

/* Gives up and frees: an aside file is removed; nothing that looks complete is left. Accepts NULL. */
void dq_sink_abort(dq_sink *sink);

#endif
