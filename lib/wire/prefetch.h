/* SPDX-License-Identifier: MIT
 *
 * A stream's bundles read one or two ahead: a thread receives, verifies and decompresses the next ones while
 * the caller computes with this one. Bundles come in the stream's order, with or without the thread.
 */
#ifndef DQ_WIRE_PREFETCH_H
#define DQ_WIRE_PREFETCH_H

#include "dq/stream.h"

typedef struct dq_prefetch dq_prefetch;

/* A bundle and where it stood: what dq_reader_section, _record and _source say when it is read. */
typedef struct dq_prefetched {
    dq_bundle bundle;
    uint64_t section, record;
    char source[160];
} dq_prefetched;

/* Reads from reader, which is borrowed, and used by nobody else until dq_prefetch_close has returned true;
 * with `ahead` in a thread of its own. Where no thread is to be had, it reads when it is asked. */
dq_status dq_prefetch_open(dq_prefetch **prefetch, dq_reader *reader, bool ahead, dq_error *error);
/* As dq_reader_next: 1, and next->bundle is the caller's to free; 0 at the clean end of all input; -1 when
 * the stream is broken, after all that was sound before has been given out. After 0 or -1 it stays so. */
int dq_prefetch_next(dq_prefetch *prefetch, dq_prefetched *next, dq_error *error)
    __attribute__((warn_unused_result));
/* Frees everything and returns true; or, when the thread may be waiting for input in the middle of the
 * stream, leaves it with the reader to the end of the process and returns false: then the reader must not be
 * closed. Accepts NULL (true). */
bool dq_prefetch_close(dq_prefetch *prefetch);

#endif
