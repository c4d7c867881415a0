/* SPDX-License-Identifier: MIT
 *
 * Streams in memory: written by a dq_writer, and made of bytes, so that mutations of the bytes are sound
 * streams whose bundles say something else.
 */
#ifndef DQ_FUZZ_BUFFER_H
#define DQ_FUZZ_BUFFER_H

#include "fuzz.h"

#include "dq/stream.h"

typedef struct fuzz_buffer {
    char *data;
    size_t n, room;
} fuzz_buffer;

void fuzz_buffer_free(fuzz_buffer *buffer);

/* A writer into the buffer. */
dq_writer *fuzz_writer(fuzz_buffer *buffer);

/* A stream of the bundles that the bytes say, until they end:
 *
 *     kind, rows, number of columns       a byte each
 *     metadata                            a part that is a JSON object
 *     for each column: name, type, width, flags   a byte each
 *     its numbers, or texts               a part: a byte each; or the texts between its NULs
 *
 * Bundles that no writer takes are left out. */
void fuzz_make_stream(fuzz_bytes *rest, fuzz_buffer *buffer);

#endif
