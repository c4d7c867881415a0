/* SPDX-License-Identifier: MIT
 *
 * A cache's answers as bundles, so that they travel from one cache to another, of whichever database:
 *
 *     kind "answers"   a row a question, in the order of their keys
 *       request, answer   text: the canonical request and the raw body, in hexadecimal where `hex` is 1
 *       hex               u1: 1 where one of them is not UTF-8, or holds a NUL
 *       label             text, null where it could not be read
 *       reader u4, asked i4, time i8, tokens_in i8, tokens_out i8 (-1: not said), seconds f8, cost f8
 *       model, server     text
 *     kind "facts"     about, name, value: text
 *
 * The key of a question does not travel: it is the SHA-256 of the request, taken anew where it arrives.
 * docs/cache.md says what merging keeps.
 */
#ifndef DQ_LLM_ANSWERS_H
#define DQ_LLM_ANSWERS_H

#include "dq/bundle.h"
#include "port/cache/cache.h"

#define DQ_KIND_ANSWERS "answers"
#define DQ_KIND_FACTS   "facts"

/* Who takes a bundle; it is freed afterwards. */
typedef dq_status dq_answers_put(void *arg, const dq_bundle *bundle, dq_error *error);

/* Hands all answers, and then all facts, to put; *count of answers. A cache without any is a bundle of no
 * rows, which can be told from a stream of something else. DQ_ERR_FORMAT for a question whose key is not its
 * digest, and for a label or a name that is not UTF-8. */
dq_status dq_answers_export(dq_cache *cache, dq_answers_put *put, void *arg, uint64_t *count,
                            dq_error *error);

typedef struct dq_answers_tally {
    uint64_t answers, taken; /* that came, and of these new, or readable where what was there was not */
} dq_answers_tally;

/* Merges a bundle of one of the two kinds into the cache, in transactions of DQ_CACHE_PAGE rows; other kinds
 * are passed over. DQ_ERR_SCHEMA for a bundle that is not as above. */
dq_status dq_answers_import(dq_cache *cache, const dq_bundle *bundle, dq_answers_tally *tally,
                            dq_error *error);

#endif
