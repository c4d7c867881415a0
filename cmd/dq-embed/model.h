/* SPDX-License-Identifier: MIT
 *
 * dq-embed openai:MODEL: vectors of texts from a model that is asked.
 */
#ifndef DQ_EMBED_MODEL_H
#define DQ_EMBED_MODEL_H

#include "cli/filter.h"
#include "cli/llm_options.h"
#include "embed/block.h"
#include "llm/embeddings.h"

typedef struct model_options {
    const char *name; /* MODEL; NULL: another method */
    dq_ask_options ask;
    dq_ask_key key;
    uint64_t batch, max_chars;
    bool allow_missing;
} model_options;

#define MODEL_DEFAULTS                                                                                       \
    {                                                                                                        \
        .ask = DQ_ASK_DEFAULTS, .batch = 64                                                                  \
    }

/* Begin with zeros. */
typedef struct model {
    const model_options *o;
    dq_embeddings *embeddings;
    uint32_t width; /* of its vectors; 0: not known yet */
    /* the block whose texts are on their way */
    const dq_bundle *block;
    const dq_embed_layout *layout;
    dq_embeddings_miss probed; /* the first text that was asked for the width and has none */
    char missed[480];          /* the first of all texts that have zeros in place of a vector, and why */
} model;

/* Reads the environment too; close after a failure. The options are kept and completed. */
dq_status model_open(model *m, model_options *options, dq_error *error);
/* Finds the width of the vectors, if it is not known, by the first text of the block that will be needed. */
dq_status model_find_width(model *m, const dq_bundle *block, const char *kind, const dq_embed_config *config,
                           dq_error *error);
/* The encoder of a block's texts; layout and block live until it has finished. */
dq_text_encoder model_encoder(model *m, const dq_bundle *block, const dq_embed_layout *layout);
/* Says what asking came to: to stdout in a dry run. Returns status, or a failure of its own. */
dq_status model_close(model *m, const dq_cli *cli, const dq_common *common, dq_status status,
                      dq_error *error);

#endif
