/* SPDX-License-Identifier: MIT
 *
 * The vectors that have the greatest inner products with a query, approximately, out of very many: faiss's
 * IVF-SQ8 (Johnson, Douze and Jegou, "Billion-scale similarity search with GPUs", 2017) of the principal
 * components of what it is trained with. faiss is loaded with the first index (port/ann/calls.h).
 *
 *     dq_ann_load(folder, &e);                    of the program: faiss.so is there, or in ../lib/dq
 *     dq_ann *a;  dq_ann_new(&a, threads, &e);
 *     dq_ann_train(a, x, n, width, rank, lists, &e);
 *     dq_ann_project(a, rows, count, v, &e);  dq_ann_add(a, v, count, &e);     block by block
 *     dq_ann_write(a, put, arg, &e);                                           dq_ann_read of another run
 *     dq_ann_search(a, queries, n, k, probes, rows, &e);
 *
 * The bytes of an index and what a search finds depend neither on threads nor on the machine's load. They
 * depend on the BLAS, which has other kernels for another kind of CPU, and on how rows are cut for
 * dq_ann_project and dq_ann_add (a BLAS sums the last rows of a product in another order), so cut them alike.
 * Of one thread at a time.
 */
#ifndef DQ_PORT_ANN_ANN_H
#define DQ_PORT_ANN_ANN_H

#include "dq/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct dq_ann dq_ann;

/* Loads faiss; DQ_ERR_MEMORY where there is too little address space for it. DQ_ERR_UNSUPPORTED where dq was
 * built without it, or what it needs is not installed. */
dq_status dq_ann_load(const char *folder, dq_error *error);
/* DQ_ERR_MEMORY, as of all functions below; another fault of faiss's is DQ_ERR_UNSUPPORTED in its words. */
dq_status dq_ann_new(dq_ann **ann, unsigned threads, dq_error *error);
void dq_ann_free(dq_ann *ann);

/* Learns the `rank` principal components (at most width) of x (n, width), and how their vectors are cut into
 * `lists` (at most n). */
dq_status dq_ann_train(dq_ann *ann, const float *x, size_t n, size_t width, size_t rank, size_t lists,
                       dq_error *error);
/* The components v (n, rank) of x (n, width), less those of the mean of what it was trained with; of an index
 * that dq_ann_train made, not of one that was read. */
dq_status dq_ann_project(dq_ann *ann, const float *x, size_t n, float *v, dq_error *error);
/* Adds vectors (n, rank) to such an index, numbered 0, 1, ... in the order of their coming. */
dq_status dq_ann_add(dq_ann *ann, const float *v, size_t n, dq_error *error);

/* rows (n, k): for each query (n, rank) the numbers of the vectors with the greatest products, best first,
 * out of `probes` lists; -1 where these hold fewer. */
dq_status dq_ann_search(dq_ann *ann, const float *queries, size_t n, size_t k, size_t probes, int64_t *rows,
                        dq_error *error);

/* All that a search needs, as bytes for put(arg, bytes, n), which answers 0, or not and is called no more. */
dq_status dq_ann_write(dq_ann *ann, int (*put)(void *arg, const void *bytes, size_t n), void *arg,
                       dq_error *error);
/* The same bytes from get(arg, to, n), which gives as many as there still are, at most n. DQ_ERR_FORMAT for
 * others: indices of other kinds, sizes that do not agree, numbers that are not 0, 1, ... once each. */
dq_status dq_ann_read(dq_ann *ann, size_t (*get)(void *arg, void *to, size_t n), void *arg, dq_error *error);

size_t dq_ann_count(const dq_ann *ann); /* vectors */
size_t dq_ann_rank(const dq_ann *ann);  /* floats a vector; 0 before dq_ann_train or dq_ann_read */
size_t dq_ann_lists(const dq_ann *ann);

#endif
