/* SPDX-License-Identifier: MIT
 *
 * Vectors from a model behind an OpenAI-compatible endpoint, through the cache: a text is a question of its
 * own there, so that it is paid for once wherever it stands, and a request carries many.
 *
 * A text that a server refuses for what it says (it is too long, mostly) is found by halving its batch, whose
 * others are kept. It, one whose answer has no vector, and one that a sealed cache lacks are misses: their
 * places stay zeros.
 */
#ifndef DQ_LLM_EMBEDDINGS_H
#define DQ_LLM_EMBEDDINGS_H

#include "llm/ask.h"

enum { DQ_EMBEDDINGS_BATCH = 256 }; /* texts that a request can carry */

typedef struct dq_embeddings_config {
    const char *name;                   /* the model's; kept, as the options are */
    const dq_ask_options *options;      /* whom to ask */
    uint64_t batch;                     /* texts a request, 1 .. DQ_EMBEDDINGS_BATCH */
    uint64_t max_chars;                 /* a text is cut to so many characters; 0: never */
    bool allow_missing;                 /* misses fail nothing */
    const struct dq_ask_client *client; /* as of dq_ask_config */
} dq_embeddings_config;

/* What became of the texts so far, blank ones apart. */
typedef struct dq_embeddings_tally {
    uint64_t texts, cut;
    uint64_t hits, requests;              /* texts from the cache; answered requests */
    uint64_t refused, absent, unreadable; /* misses */
} dq_embeddings_tally;

/* The first miss, by its tag, and why. */
typedef struct dq_embeddings_miss {
    bool any;
    uint64_t tag;
    char reason[300];
} dq_embeddings_miss;

typedef struct dq_embeddings dq_embeddings;

/* *model is NULL after a failure. */
dq_status dq_embeddings_open(dq_embeddings **model, const dq_embeddings_config *config, dq_error *error);
/* How wide the model's vectors are, by asking for a text that is not blank; 0: it is a miss (a sealed cache
 * lacks it, or it is too long), and another may tell. A dry run counts the text, and says 1. */
dq_status dq_embeddings_width(dq_embeddings *model, const char *text, size_t bytes, uint64_t tag,
                              uint32_t *width, dq_embeddings_miss *miss, dq_error *error);
/* A text whose vector goes to to[0 .. width): asked without waiting. A blank one is zeros, and asked of
 * nobody. `to` is kept. */
dq_status dq_embeddings_put(dq_embeddings *model, const char *text, size_t bytes, uint64_t tag,
                            uint32_t width, float *to, dq_error *error);
/* Waits until every vector is there; *miss is the first of those that were put since the last wait.
 * DQ_ERR_UNKNOWN for misses, unless they are allowed; DQ_ERR_SCHEMA for a vector of another width;
 * DQ_ERR_UNSUPPORTED where the first text that is asked is refused and not for its length: the others would
 * be. */
dq_status dq_embeddings_wait(dq_embeddings *model, dq_embeddings_miss *miss, dq_error *error);
const dq_embeddings_tally *dq_embeddings_tally_of(const dq_embeddings *model);
/* What a dry run counted; its hits are texts. */
dq_ask_stats dq_embeddings_stats(const dq_embeddings *model);
/* Frees. Returns status, or a failure of its own. Accepts NULL. */
dq_status dq_embeddings_close(dq_embeddings *model, dq_status status, dq_error *error);

#endif
