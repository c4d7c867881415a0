/* SPDX-License-Identifier: MIT
 *
 * Vectors from texts without a model: signed feature hashing (Weinberger, Dasgupta, Langford, Smola and
 * Attenberg, "Feature hashing for large scale multitask learning", ICML 2009). The features of a text are its
 * lower-cased words and the character n-grams of each word between its boundaries, "<" and ">". A feature
 * adds w or -w to one of the vector's places; hash collisions then cancel in the mean, and inner products of
 * the vectors are unbiased estimates of those of the texts.
 *
 *     "Senior C++"  ->  senior  c++  <se sen eni ... or>  <c+ c++ ++>  <sen ...
 *
 * The vectors have length 1 (a text without words: 0), and are the same in every version and on every
 * machine.
 */
#ifndef DQ_EMBED_HASHING_H
#define DQ_EMBED_HASHING_H

#include "dq/status.h"

#include <stddef.h>
#include <stdint.h>

/* How often a feature occurs in a text, n >= 1, as a weight. */
typedef enum dq_term_weight {
    DQ_TERM_SQRT, /* sqrt(n) */
    DQ_TERM_LOG,  /* 1 + ln(n) */
} dq_term_weight;

typedef struct dq_hashing dq_hashing;

/* Memory for turning texts into vectors of `width` >= 1; grows with the longest text. One per thread. */
dq_status dq_hashing_new(dq_hashing **hashing, uint32_t width, dq_term_weight weight, dq_error *error);
void dq_hashing_free(dq_hashing *hashing);

/* The vector of a text of any bytes (what is not UTF-8 separates words), into out (width). */
dq_status dq_hashing_text(dq_hashing *hashing, const char *text, size_t bytes, float *out, dq_error *error);

#endif
