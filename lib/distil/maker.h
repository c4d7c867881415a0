/* SPDX-License-Identifier: MIT
 *
 * Items' vectors distilled out of scores, put into an index as the items stream by. What a scorer thinks of
 * an item is a vector: its scores for a sample of users. Of a matrix of such scores, users by items, a few
 * principal components (its truncated singular value decomposition) say nearly all; so the product of two
 * short vectors stands for a network's Q, whatever its layers, and the greatest products can be looked for in
 * an index (port/ann/ann.h).
 *
 *     score Q (sample of users, items)  ->  less each user's mean  ->  components  ->  v (rank) of an item
 *     a user's scores of some items, the anchors  ->  least squares by their v  ->  q (rank), distil/distil.h
 *     Q(user, item)  ~  q v + a number that is the user's alone
 *
 * The components, and the lists of the index, are learnt from the first items; how much of the scores they
 * explain is counted over those and over the rest, so that a stream in an order that deceives shows.
 *
 *     dq_distil_maker *m;  dq_distil_maker_new(&m, &config, &scorer, users, &e);
 *     for each block:  dq_distil_maker_take(m, &block, digests, &e);
 *     dq_distil_maker_end(m, &made, &e);  dq_distil_maker_write(m, writer, meta, &e);
 */
#ifndef DQ_DISTIL_MAKER_H
#define DQ_DISTIL_MAKER_H

#include "dq/stream.h"
#include "rank/score.h"

enum { DQ_DISTIL_MOST_USERS = 4096 };

/* The kind of the bundles that an index is, docs/stream-format.md. */
#define DQ_KIND_INDEX "index"

typedef struct dq_distil_config {
    size_t users;      /* of the sample, at most DQ_DISTIL_MOST_USERS */
    size_t items;      /* the first, from which components and lists are learnt; at least 1 */
    size_t components; /* at most as many as users, and one less than items, there are */
    size_t lists;      /* 0: 4 sqrt(items learnt from), but 32 of these a list */
    uint64_t seed;     /* which users */
    unsigned threads;
} dq_distil_config;

typedef struct dq_distil_made {
    uint64_t items;
    size_t users, components, lists;
    uint64_t learnt;       /* items that components and lists are learnt from */
    double explained;      /* the share of the scores' variance, of those items */
    double explained_rest; /* of the others; NAN: there are none */
} dq_distil_made;

typedef struct dq_distil_maker dq_distil_maker;

/* The sample is drawn from users who have vectors; scorer is fitted, of vectors alone, and kept, as users
 * are. faiss must be loaded (dq_ann_load). */
dq_status dq_distil_maker_new(dq_distil_maker **maker, const dq_distil_config *config, dq_rank_scorer *scorer,
                              const dq_entities *users, dq_error *error);
/* Takes the items of a block, in the order of the catalogue. A score that is no finite number is
 * DQ_ERR_NUMERIC. */
dq_status dq_distil_maker_take(dq_distil_maker *maker, const dq_rank_block *block, dq_error *error);
/* All items have come: at least one. */
dq_status dq_distil_maker_end(dq_distil_maker *maker, dq_distil_made *made, dq_error *error);
/* Writes the index: bundles of DQ_KIND_INDEX. by: the scorer's name; catalogue: dq_distil_chain of its rows;
 * meta: of the items, from which the vectors' fields are taken. */
dq_status dq_distil_maker_write(dq_distil_maker *maker, dq_writer *writer, const char *by, uint64_t catalogue,
                                const dq_value *meta, dq_error *error);
void dq_distil_maker_free(dq_distil_maker *maker);

/* What tells a catalogue from others: a digest of its rows' digests (data/identity.h) in their order. chain
 * is 0 before the first. */
uint64_t dq_distil_chain(uint64_t chain, const uint64_t *digests, size_t n);

#endif
