/* SPDX-License-Identifier: MIT
 *
 * An index that dq_distil_maker made, read, and what it finds for users.
 *
 *     dq_distil d = {0};
 *     dq_distil_read(&d, reader, threads, &e);
 *     dq_distil_check(&d, &items, &e);
 *     dq_distil_queries(&d, &scorer, vectors, n, q, &explained, &e);
 *     dq_distil_search(&d, q, n, k, probes, rows, &e);
 *     dq_distil_free(&d);
 */
#ifndef DQ_DISTIL_DISTIL_H
#define DQ_DISTIL_DISTIL_H

#include "dq/stream.h"
#include "port/ann/ann.h"
#include "rank/score.h"

/* Zero-initialise to start. */
typedef struct dq_distil {
    uint64_t items;     /* of the catalogue that it is made of */
    uint64_t catalogue; /* dq_distil_chain of its rows */
    const char *by;     /* what scored, in arena */
    size_t components, lists;
    uint32_t width;         /* of the items' vectors */
    dq_bundle anchors;      /* its columns and metadata, of the index's first bundle */
    const float *vectors;   /* (anchors.rows, width) */
    const float *distilled; /* (anchors.rows, components) */
    double *mean, *factor;  /* of them: (components), and of their covariance a triangle */
    dq_ann *ann;
} dq_distil;

/* Reads a stream to its end: one index, and nothing else. What is none, or is broken, is DQ_ERR_SCHEMA or
 * DQ_ERR_FORMAT. faiss must be loaded (dq_ann_load). */
dq_status dq_distil_read(dq_distil *distil, dq_reader *reader, unsigned threads, dq_error *error);
/* Whether the items' vectors are those of the index: their width and fields. DQ_ERR_SCHEMA. */
dq_status dq_distil_check(const dq_distil *distil, const dq_rank_items *items, dq_error *error);
/* q (n, components) of users with these vectors, by least squares from the scorer's scores of the anchors.
 * *explained gets added for each user the share of these scores' variance that q explains. */
dq_status dq_distil_queries(dq_distil *distil, dq_rank_scorer *scorer, const float *const *users, size_t n,
                            float *q, double *explained, dq_error *error);
/* rows (n, k): for each query the numbers of items in the catalogue, dq_ann_search; k at most items. */
dq_status dq_distil_search(dq_distil *distil, const float *q, size_t n, size_t k, size_t probes,
                           int64_t *rows, dq_error *error);
/* Gives the lists' memory back; the rest stays. */
void dq_distil_forget(dq_distil *distil);
void dq_distil_free(dq_distil *distil);

#endif
