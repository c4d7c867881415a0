/* SPDX-License-Identifier: MIT
 *
 * Bytes as they were: from a descriptor (or a function), through zstd or gzip where they are compressed. What
 * source.c makes lines and looks ahead of. With threads, reading and decoding go on in them; what is given
 * out, and the failure behind it, is the same.
 */
#ifndef DQ_WIRE_BYTES_INPUT_H
#define DQ_WIRE_BYTES_INPUT_H

#include "dq/source.h"

typedef struct dq_input dq_input;

/* An input that reads from nowhere yet; NULL when memory is short. */
dq_input *dq_input_new(void);
/* Reads from a path, or standard input. */
dq_status dq_input_open(dq_input *input, const char *path, bool standard, dq_error *error);
/* Reads from a function (dq_source_open_fn). */
void dq_input_from(dq_input *input, dq_source_fn read, void *arg);

/* Up to n >= 1 bytes; *got = 0 only at the end. */
dq_status dq_input_read(dq_input *input, void *to, size_t n, size_t *got, dq_error *error);

/* See dq_source_on_block, dq_source_threads, dq_source_held. */
void dq_input_on_block(dq_input *input, void (*before_block)(void *arg), void *arg);
void dq_input_threads(dq_input *input, unsigned threads);
const void *dq_input_held(const dq_input *input, size_t *n);

/* Accepts NULL. */
void dq_input_close(dq_input *input);

#endif
