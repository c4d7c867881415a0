/* SPDX-License-Identifier: MIT
 *
 * A stream's bundles, read one ahead.
 */
#ifndef DQ_WIRE_PREFETCH_H
#define DQ_WIRE_PREFETCH_H

#include "dq/stream.h"

typedef struct rank_feed rank_feed;

/* A bundle and where it stood. */
typedef struct rank_piece {
    dq_bundle bundle;
    uint64_t section, record;
    char source[160];
} rank_piece;

/* Reads from reader (borrowed, used by nobody else until the feed is closed); with `ahead` in a thread of its
 * own, so that decoding and scoring overlap. */
dq_status rank_feed_open(rank_feed **feed, dq_reader *reader, bool ahead, dq_error *error);
/* As dq_reader_next; the caller frees piece->bundle. */
int rank_feed_next(rank_feed *feed, rank_piece *piece, dq_error *error) __attribute__((warn_unused_result));
/* Frees everything and returns true; or, when the thread may be waiting for input in the middle of the
 * stream, leaves feed and reader to the end of the process and returns false. */
bool rank_feed_close(rank_feed *feed);

#endif
