/* SPDX-License-Identifier: MIT
 *
 * zstd frames as dq cuts them. A sink cuts its payload every DQ_FRAME_PAYLOAD bytes, and where it is flushed;
 * each piece is a frame of its own, made and read in one call, so that several threads can do so at once and
 * none copies through a window. In front of a frame stands a mark, a skippable frame of zstd as pzstd writes
 * it, that says how long it is: whoever reads a pipe asks for exactly that much.
 *
 *     50 2a 4d 18 | 04 00 00 00 | bytes of the frame | 28 b5 2f fd ...
 *     |----------- the mark, 12 bytes ---------------| |-- a frame --|
 *
 * The first frame of a stream has none, so that the first bytes say zstd; nor have the pieces of at most
 * DQ_FRAME_SMALL bytes, which come of a flush. Where a mark lies, or the frame is damaged or cut, a reader
 * goes on as if there were no marks: it decodes block by block, and stops where the damage is.
 */
#ifndef DQ_WIRE_FRAME_H
#define DQ_WIRE_FRAME_H

#include "dq/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum dq_frame {
    DQ_FRAME_WHOLE, /* *size bytes are a frame */
    DQ_FRAME_CUT,   /* they begin one, which goes on behind them; also where there are none */
    DQ_FRAME_NONE   /* they are no frame */
} dq_frame;

/* What the first of n bytes are. Of a whole frame only its blocks' sizes were looked at: its contents may be
 * damaged all the same. */
dq_frame dq_frame_find(const void *bytes, size_t n, size_t *size);

enum { DQ_FRAME_PAYLOAD = 1 << 20, DQ_FRAME_SMALL = 64 << 10, DQ_FRAME_MARK = 12 };

/* Bytes of the largest frame of DQ_FRAME_PAYLOAD bytes, its mark among them. */
size_t dq_frame_room(void);

typedef struct dq_frame_encoder dq_frame_encoder;

/* NULL when memory is short. */
dq_frame_encoder *dq_frame_encoder_new(int level);
void dq_frame_encoder_free(dq_frame_encoder *encoder);
/* n <= DQ_FRAME_PAYLOAD bytes as one frame with its size and checksum, with its mark or without, into
 * dq_frame_room() bytes. The same bytes whatever the encoder did before. DQ_ERR_MEMORY. */
dq_status dq_frame_encode(dq_frame_encoder *encoder, const void *payload, size_t n, bool marked,
                          unsigned char *to, size_t *bytes, dq_error *error);
/* Any number of bytes as one frame without a mark: *frame is the caller's to free. DQ_ERR_MEMORY. */
dq_status dq_frame_make(const void *payload, size_t n, int level, unsigned char **frame, size_t *bytes,
                        dq_error *error);

/* Bytes of the frame behind a mark that stands at the first of n >= DQ_FRAME_MARK bytes; 0: no mark, or none
 * of a frame that dq_frame_room() would hold. */
size_t dq_frame_marked(const unsigned char *bytes, size_t n);
/* Whether n bytes are one whole frame that says how much it holds, at most DQ_FRAME_PAYLOAD. */
bool dq_frame_states(const void *frame, size_t n, size_t *payload);

typedef struct dq_frame_decoder dq_frame_decoder;

/* NULL when memory is short. */
dq_frame_decoder *dq_frame_decoder_new(void);
void dq_frame_decoder_free(dq_frame_decoder *decoder);
/* False when the frame is damaged. `payload` is what dq_frame_states said. */
bool dq_frame_decode(dq_frame_decoder *decoder, const void *frame, size_t n, void *to, size_t payload);

#endif
