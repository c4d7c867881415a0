/* SPDX-License-Identifier: MIT
 *
 * What lib/port/faiss/faiss.cc, the shared object faiss.so, has for port/ann/ann.c, its only caller: a
 * table of functions. faiss is C++ and, in Debian, a static library with a BLAS, a LAPACK and OpenMP behind
 * it; so it stands in an object of its own that is loaded when an index is asked for.
 *
 * Each function that answers an int: 0 done; 1 memory is short; 2 what `why` says.
 */
#ifndef DQ_PORT_ANN_CALLS_H
#define DQ_PORT_ANN_CALLS_H

#include <stddef.h>
#include <stdint.h>

enum { DQ_FAISS_TABLE = 1, DQ_FAISS_WORDS = 256 };

typedef struct dq_faiss_index dq_faiss_index; /* the principal components and the lists */

typedef struct dq_faiss_calls {
    int table; /* DQ_FAISS_TABLE: of the program's own build */
    int (*make)(dq_faiss_index **index, unsigned threads, char *why);
    void (*free)(dq_faiss_index *index);
    int (*train)(dq_faiss_index *index, const float *x, size_t n, size_t width, size_t rank, size_t lists,
                 char *why);
    int (*project)(dq_faiss_index *index, const float *x, size_t n, float *out, char *why);
    int (*add)(dq_faiss_index *index, const float *v, size_t n, char *why);
    int (*search)(dq_faiss_index *index, const float *q, size_t n, size_t k, size_t probes, int64_t *rows,
                  char *why);
    int (*write)(dq_faiss_index *index, int (*put)(void *arg, const void *bytes, size_t n), void *arg,
                 char *why);
    int (*read)(dq_faiss_index *index, size_t (*get)(void *arg, void *to, size_t n), void *arg, char *why);
    size_t (*count)(const dq_faiss_index *index); /* vectors */
    size_t (*rank)(const dq_faiss_index *index);  /* floats a vector */
    size_t (*lists)(const dq_faiss_index *index);
} dq_faiss_calls;

#endif
