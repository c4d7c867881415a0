/* SPDX-License-Identifier: MIT
 *
 * Where a zstd frame ends, without decoding it: for files whose frames are whole sections (log/).
 */
#ifndef DQ_WIRE_FRAME_H
#define DQ_WIRE_FRAME_H

#include <stddef.h>

typedef enum dq_frame {
    DQ_FRAME_WHOLE, /* *size bytes are a frame */
    DQ_FRAME_CUT,   /* they begin one, which goes on behind them; also where there are none */
    DQ_FRAME_NONE   /* they are no frame */
} dq_frame;

/* What the first of n bytes are. Of a whole frame only its blocks' sizes were looked at: its contents may be
 * damaged all the same. */
dq_frame dq_frame_find(const void *bytes, size_t n, size_t *size);

#endif
