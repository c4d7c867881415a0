/* SPDX-License-Identifier: MIT
 *
 * Reading ahead: threads that take pieces of an input and decode them, some before they are asked for.
 *
 * Taking is serial, decoding is not. One thread at a time has the input: it takes the next piece, hands the
 * input on, and decodes. Pieces are given out in the order in which they were taken, so that the caller sees
 * what one thread would have shown him. (Leaders and followers: D. C. Schmidt, C. O'Ryan, I. Pyarali,
 * M. Kircher, F. Buschmann, "Leader/Followers", PLoP 2000.)
 *
 *     input --take--> | piece 7 | piece 8 | piece 9 |      a ring: two more than threads
 *                       ready     decoded    taken
 *                         |      by thread 2  by thread 1
 *                       given
 */
#ifndef DQ_WIRE_BYTES_AHEAD_H
#define DQ_WIRE_BYTES_AHEAD_H

#include "dq/status.h"

#include <stdbool.h>
#include <stddef.h>

/* Zero-initialise; dq_piece_clear frees. */
typedef struct dq_ahead_piece {
    unsigned char *packed; /* a whole frame as it came: dq_frame_room() bytes' room */
    size_t packed_bytes;   /* 0: there is none, data is what came */
    unsigned char *data;   /* payload: DQ_FRAME_PAYLOAD bytes' room */
    size_t bytes;          /* of it; 0 with neither frame nor failure: the end */
    bool damaged;          /* the frame could not be decoded */
    dq_status status;      /* why there is no piece */
    dq_error error;
} dq_ahead_piece;

/* Room for what a piece holds; false when memory is short. */
bool dq_ahead_piece_make(dq_ahead_piece *piece);
void dq_ahead_piece_clear(dq_ahead_piece *piece);

typedef struct dq_ahead dq_ahead;

/* Takes the next piece: a frame with what it holds (bytes) into packed, or what was decoded on the way into
 * data. Called by one thread at a time, and no more after the end, a failure, or when `stop` was called,
 * which makes one that waits return. */
typedef struct dq_ahead_input {
    void (*take)(void *arg, dq_ahead_piece *piece);
    void (*stop)(void *arg);
    void *arg;
} dq_ahead_input;

/* At most `threads` of them, and two pieces more; NULL where there is no thread or no memory to be had: the
 * input is as it was. */
dq_ahead *dq_ahead_new(dq_ahead_input input, unsigned threads);
/* Whether the next piece is there. */
bool dq_ahead_ready(dq_ahead *ahead);
/* Waits for the next piece, which stays the first until dq_ahead_pass. */
dq_ahead_piece *dq_ahead_first(dq_ahead *ahead);
void dq_ahead_pass(dq_ahead *ahead);
/* Ends the threads. Accepts NULL. */
void dq_ahead_free(dq_ahead *ahead);

#endif
