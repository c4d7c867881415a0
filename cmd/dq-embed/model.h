/* SPDX-License-Identifier: MIT
 *
 * Vectors from a model behind an OpenAI-compatible endpoint, through the cache: a text is a question of its
 * own there, so that it is paid for once wherever it stands, and a request carries many.
 */
#ifndef DQ_EMBED_MODEL_H
#define DQ_EMBED_MODEL_H

#include "cli/llm_options.h"

enum { EMBED_BATCH_MAX = 256 }; /* texts that a request can carry */

typedef struct embed_model embed_model;

/* options are kept. */
dq_status embed_model_open(embed_model **model, const char *name, const dq_ask_options *options,
                           uint64_t batch, dq_error *error);
/* How wide the model's vectors are, by asking for one text (a dry run says 1). */
dq_status embed_model_width(embed_model *model, const char *text, size_t bytes, uint32_t *width,
                            dq_error *error);
/* A text whose vector goes to to[0 .. width): asked without waiting. An empty one is zeros. `to` is kept. */
dq_status embed_model_put(embed_model *model, const char *text, size_t bytes, uint32_t width, float *to,
                          dq_error *error);
/* Waits until every vector is there. DQ_ERR_UNKNOWN for texts that have none. */
dq_status embed_model_wait(embed_model *model, dq_error *error);
/* Says what it came to (to stdout in a dry run), and frees. Returns status, or a failure of its own. Accepts
 * NULL. */
dq_status embed_model_close(embed_model *model, const dq_cli *cli, const dq_common *common, dq_status status,
                            dq_error *error);

#endif
