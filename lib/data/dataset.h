/* SPDX-License-Identifier: MIT
 *
 * A whole input in memory as dq-train and dq-plan take it: the catalogue, the transitions by catalogue rows,
 * and the models that came along.
 */
#ifndef DQ_DATA_DATASET_H
#define DQ_DATA_DATASET_H

#include "data/catalogue.h"

#include "core/transition.h"
#include "data/label_map.h"

/* Of one agent a run can leave two models, the best by evaluation and directly behind it the last (meta.kept;
 * dq-train --keep both). Whoever takes one model takes the best: the last is passed over. What a stream's
 * models so far say of the next one; zero-initialise to start. */
typedef struct dq_kept {
    bool best;              /* the latest was a best one, */
    uint64_t section, user; /* of this section of the stream, and a digest of its user's id */
    size_t passed;          /* so many last ones were passed over */
} dq_kept;

/* Tells of each model of a stream, in their order, whether it is passed over: a last one directly behind the
 * best of the same section and user (meta.user, or none). */
bool dq_kept_passes_over(dq_kept *kept, const dq_bundle *model, uint64_t section);

typedef struct dq_models {
    dq_bundle *at;
    size_t count, capacity;
    dq_kept kept; /* kept.passed: models that were not taken */
} dq_models;

typedef struct dq_dataset {
    dq_catalogue catalogue;
    dq_models models;
    dq_transition *transitions; /* state, next: users; action: the item; in stream order; reward NAN where the
                                   stream has none */
    float *cosine, *llm;        /* (count) the parts of their rewards; NAN where the stream has none */
    float *propensity;          /* (count) of what was logged; NAN where the stream has none */
    uint32_t *label;            /* (count) row of catalogue.labels, or DQ_ABSENT */
    size_t count, capacity;
    /* Set before reading. by_bundles: the digest leaves transitions out, and who reads notes their bundles'.
     * is_here, of one of several processes that share a stream: whose transitions it keeps; the others are
     * counted. NULL: all. */
    bool by_bundles;
    bool (*is_here)(const void *arg, uint32_t user);
    const void *here_arg;
    uint64_t elsewhere, elsewhere_rewarded;
} dq_dataset;

#define DQ_DATASET_EMPTY ((dq_dataset){0})

/* Takes one bundle of a section; what it keeps, it takes over (data/load.h reads whole streams). Transitions
 * must name users and items (DQ_ERR_UNSUPPORTED for dense states); kinds that are not for learning are passed
 * over. When the stream has ended, dq_catalogue_finish. */
dq_status dq_dataset_add(dq_dataset *dataset, dq_bundle *bundle, uint64_t section, dq_error *error);
/* What was shown to users (interactions), as transitions: users and items must be in the catalogue. The
 * reward is that of the row, or its label's by the map. */
dq_status dq_dataset_add_shown(dq_dataset *dataset, const dq_bundle *interactions, const dq_label_map *map,
                               dq_error *error);
void dq_dataset_free(dq_dataset *dataset);

/* Takes the next model bundle of a stream over, from a section of it (dq_reader_section); one that is passed
 * over (dq_kept_passes_over) stays the caller's. */
dq_status dq_models_add(dq_models *models, dq_bundle *bundle, uint64_t section, dq_error *error);
void dq_models_free(dq_models *models);
/* A digest over their bodies, which goes on from seed. */
uint64_t dq_models_digest(const dq_models *models, uint64_t seed);
/* The model of a user (meta.user), else the first that names no user, else the only one; NULL when there is
 * none. id may be NULL. */
const dq_bundle *dq_models_of(const dq_models *models, const char *id, size_t bytes);

/* What the networks and the user's place were learnt from: a digest over users, items and transitions. */
uint64_t dq_dataset_digest(const dq_dataset *dataset);

#endif
