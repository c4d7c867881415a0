/* SPDX-License-Identifier: MIT
 *
 * Writing behind: threads that compress and write what the caller has filled, while he fills more.
 *
 * Each buffer, full of payload, becomes a frame with its mark. Compressing is done side by side, writing in
 * the buffers' order, one thread at a time, so that the bytes are those of one thread.
 */
#ifndef DQ_WIRE_BYTES_BEHIND_H
#define DQ_WIRE_BYTES_BEHIND_H

#include "dq/status.h"

#include <stddef.h>

typedef struct dq_behind dq_behind;

/* Where frames go, and how: called by one thread at a time, and no more after a failure. */
typedef struct dq_behind_output {
    dq_status (*write)(void *arg, const unsigned char *bytes, size_t n, dq_error *error);
    void *arg;
    int level;
} dq_behind_output;

/* At most `threads` of them; NULL where there is no thread or no memory to be had. */
dq_behind *dq_behind_new(dq_behind_output output, unsigned threads);
/* A buffer of DQ_FRAME_PAYLOAD bytes to fill; waits until one is free. The same until it is handed over. */
unsigned char *dq_behind_buffer(dq_behind *behind);
/* Hands it over, full. The first failure of any buffer, then and from then on. */
dq_status dq_behind_hand(dq_behind *behind, dq_error *error);
/* Waits until all that was handed over is written. */
dq_status dq_behind_wait(dq_behind *behind, dq_error *error);
/* Ends the threads; what they have not begun is dropped. Accepts NULL. */
void dq_behind_free(dq_behind *behind);

#endif
