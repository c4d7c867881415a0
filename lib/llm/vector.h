/* SPDX-License-Identifier: MIT
 *
 * Vectors in an answer of /v1/embeddings: {"data": [{"index": 0, "embedding": VECTOR}, ...]}, where VECTOR is
 * a list of numbers, or base64 of little-endian float32 (encoding_format "base64").
 */
#ifndef DQ_LLM_VECTOR_H
#define DQ_LLM_VECTOR_H

#include "port/files/json.h"

/* Which vector is which of n texts': vectors[0 .. n). By their indices, in whatever order; one index that is
 * left out is 0 (a default value that some serialisers leave out), and a text alone needs none. Nothing is
 * guessed: DQ_ERR_SCHEMA, in words, for fewer or more vectors than texts, indices that are twice there, out
 * of range or absent; DQ_ERR_FORMAT for a body without `data`. */
dq_status dq_vectors_place(const dq_value *body, size_t n, const dq_value **vectors, dq_error *error);

/* The numbers of {"embedding": VECTOR}, in the arena; NULL when it has none, or one that is not finite. */
float *dq_vector_read(const char *text, size_t bytes, dq_arena *arena, uint32_t *width);

#endif
