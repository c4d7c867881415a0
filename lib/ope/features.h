/* SPDX-License-Identifier: MIT
 *
 * What a model of rewards sees of a row:
 *
 *     [1 | place (one of 16) | cosines of paired fields | the user's vector | the item's vector]
 *
 * Places behind the 16th count as that. Where the two vectors together are wider than DQ_OPE_MAX_INPUTS their
 * cosines stand for them.
 */
#ifndef DQ_OPE_FEATURES_H
#define DQ_OPE_FEATURES_H

#include "core/vectors.h"
#include "math/cosine.h"
#include "ope/row.h"

enum { DQ_OPE_PLACES = 16, DQ_OPE_MAX_PAIRS = 16, DQ_OPE_MAX_INPUTS = 1024 };

typedef struct dq_ope_features {
    dq_vectors users, items; /* borrowed; of width 0: none */
    dq_pairing pairs[DQ_OPE_MAX_PAIRS];
    size_t pair_count;
    bool vectors;    /* these are inputs themselves */
    uint32_t width;  /* of the whole */
    uint32_t places; /* where each part begins */
    uint32_t cosines, user, item;
} dq_ope_features;

/* For these vectors and their fields; pairs: the catalogue's own, and where it has none the whole vectors if
 * they are equally wide. DQ_ERR_SCHEMA where neither users nor items have vectors, DQ_ERR_RANGE where they
 * are too wide and have no cosines. */
dq_status dq_ope_features_init(dq_ope_features *features, dq_vectors users, dq_layout user_fields,
                               dq_vectors items, dq_layout item_fields, const dq_pair_names *pairs,
                               size_t pair_count, dq_error *error);
/* Fills x (width) for a user, an item and a place from 0. */
void dq_ope_features_fill(const dq_ope_features *features, uint32_t user, uint32_t item, uint32_t position,
                          double *x);

#endif
