/* SPDX-License-Identifier: MIT
 *
 * The vectors of a block of users or items, made of its texts by whoever encodes them, and the block with
 * these vectors in place of the old ones.
 */
#ifndef DQ_EMBED_BLOCK_H
#define DQ_EMBED_BLOCK_H

#include "embed/layout.h"

/* Where a text stands: in which row of the block, and which of the layout's texts it is. */
typedef struct dq_text_place {
    uint64_t row;
    size_t text; /* DQ_EMBED_TEXTS_MAX: all of them, joined */
} dq_text_place;

/* Turns texts into vectors. */
typedef struct dq_text_encoder {
    /* Gives the vector of a text of `bytes` >= 0 bytes (valid during the call): to[0 .. config.width) is zero
     * before, and complete when encode returns, or, where there is a finish, when that does. thread <
     * threads: a thread's calls come one after another. */
    dq_status (*encode)(void *self, unsigned thread, dq_text_place place, const char *text, size_t bytes,
                        float *to, dq_error *error);
    /* Waits for all vectors of the block; NULL: there is nothing to wait for. Not called after a failure. */
    dq_status (*finish)(void *self, dq_error *error);
    void *self;
    unsigned threads; /* 1 .. DQ_PARALLEL_MAX (math/parallel.h): that may encode at a time */
} dq_text_encoder;

/* Fills vectors (rows, layout->width), which are zero: a row's old ones, and behind them those of its texts.
 * An absent text is an empty one. One thread takes the texts in the order of the rows. The first failure of a
 * thread ends its work and is returned. */
dq_status dq_embed_block(const dq_embed_layout *layout, const dq_embed_config *config, const dq_bundle *block,
                         const dq_text_encoder *encoder, float *vectors, dq_error *error);

/* *out: the block's columns but for its vectors (borrowed), and new vectors of `width` numbers, cut into
 * fields: *vectors (rows, width) are zeros to be filled, and live in *out. Empty on failure. */
dq_status dq_embed_replace_vectors(const dq_bundle *block, const dq_field *fields, size_t field_count,
                                   uint32_t width, dq_bundle *out, float **vectors, dq_error *error);

#endif
