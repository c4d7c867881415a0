/* SPDX-License-Identifier: MIT
 *
 * The parts of dq-embed: a layout decided at a side's first block, and the vectors of a block.
 */
#ifndef DQ_EMBED_EMBED_H
#define DQ_EMBED_EMBED_H

#include "cf.h"
#include "cli/cli.h"
#include "dq/schema.h"
#include "embed/hashing.h"
#include "math/parallel.h"
#include "model.h"

enum { DQ_EMBED_TEXTS = 64 };

typedef struct dq_embed_options {
    dq_common common;
    const char *method; /* "hash:WIDTH", "cf:WIDTH" or "openai:MODEL" */
    const char *model;  /* NULL: hashing, or: */
    bool cf;            /* cf:WIDTH */
    dq_embed_cf_options als;
    dq_ask_options ask;
    dq_ask_key key;
    uint64_t batch;
    uint32_t width; /* of a text's vector; 0: not known yet */
    dq_texts fields, pairs;
    bool join;
    int weight;
    const char *prefix;
} dq_embed_options;

/* Users or items: what their first block decides and the others must fit. */
typedef struct dq_embed_side {
    const char *kind;
    bool known;
    const char *texts[DQ_EMBED_TEXTS]; /* names without "text." */
    size_t text_count;
    uint32_t old_width; /* of the vectors that were there */
    dq_field *fields;   /* old and new; in the arena */
    size_t field_count;
    uint32_t width; /* old and new */
} dq_embed_side;

/* Decides the layout at the first block, and holds later blocks to it. */
dq_status dq_embed_know(dq_embed_side *side, const dq_embed_options *options, const dq_bundle *bundle,
                        dq_arena *arena, dq_error *error);

/* Whether a text, as --field names it, is one of the side's. */
bool dq_embed_has(const dq_embed_side *side, const char *name);

/* The vectors of a block's rows, (rows, side->width): the old ones and behind them the texts' own, by
 * `threads` threads with features[t] for each. */
dq_status dq_embed_block(const dq_embed_side *side, const dq_embed_options *options, const dq_bundle *bundle,
                         dq_hashing *const *features, unsigned threads, float *vectors, dq_error *error);

/* The same from a model. */
dq_status dq_embed_block_by(const dq_embed_side *side, const dq_embed_options *options,
                            const dq_bundle *bundle, dq_embed_model *model, float *vectors, dq_error *error);

#endif
