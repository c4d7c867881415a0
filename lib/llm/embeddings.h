/* SPDX-License-Identifier: MIT
 *
 * Vectors from a model behind an OpenAI-compatible endpoint, through the cache: a text is a question of its
 * own there, so that it is paid for once wherever it stands, and a request carries many.
 */
#ifndef DQ_LLM_EMBEDDINGS_H
#define DQ_LLM_EMBEDDINGS_H

#include "llm/ask.h"

enum { DQ_EMBEDDINGS_BATCH = 256 }; /* texts that a request can carry */

typedef struct dq_embeddings dq_embeddings;

/* name and options are kept; batch: texts a request, 1 .. DQ_EMBEDDINGS_BATCH; client as of dq_ask_config. To
 * be closed after a failure, too. */
dq_status dq_embeddings_open(dq_embeddings **model, const char *name, const dq_ask_options *options,
                             uint64_t batch, const struct dq_ask_client *client, dq_error *error);
/* How wide the model's vectors are, by asking for one text (a dry run says 1). */
dq_status dq_embeddings_width(dq_embeddings *model, const char *text, size_t bytes, uint32_t *width,
                              dq_error *error);
/* A text whose vector goes to to[0 .. width): asked without waiting. An empty one is zeros. `to` is kept. */
dq_status dq_embeddings_put(dq_embeddings *model, const char *text, size_t bytes, uint32_t width, float *to,
                            dq_error *error);
/* Waits until every vector is there. DQ_ERR_UNKNOWN for texts that have none, DQ_ERR_SCHEMA
 * for a vector of another width. */
dq_status dq_embeddings_wait(dq_embeddings *model, dq_error *error);
/* What became of the questions so far, and of how many texts they were; NULL when it could not be opened. */
const dq_ask_stats *dq_embeddings_stats(const dq_embeddings *model, uint64_t *texts);
/* Frees. Returns status, or a failure of its own. Accepts NULL. */
dq_status dq_embeddings_close(dq_embeddings *model, dq_status status, dq_error *error);

#endif
