/* SPDX-License-Identifier: MIT
 *
 * Collaborative filtering over a catalogue: its interactions are the matrix that als.h factors, and its users
 * and items get the factors as a further field of their vectors.
 */
#ifndef DQ_EMBED_ALS_CATALOGUE_H
#define DQ_EMBED_ALS_CATALOGUE_H

#include "data/catalogue.h"
#include "data/label_map.h"
#include "embed/als.h"

/* Vectors of all users and items of a catalogue, by row. Zero-initialise. */
typedef struct dq_als_factors {
    uint32_t width;
    float *users, *items; /* (rows, width) */
} dq_als_factors;

/* Factors a finished catalogue's interactions. With `weights` one weighs what its label does, and nothing
 * when its label is not there, whatever its reward: a weight says how sure one is that it was liked. Without
 * (NULL) its reward, and 1 where it has none. DQ_ERR_UNKNOWN without any interaction; else as dq_als_fit.
 * Free after a failure, too. */
dq_status dq_als_fit_catalogue(dq_als_factors *factors, const dq_catalogue *catalogue,
                               const dq_label_map *weights, const dq_als_config *config, unsigned threads,
                               dq_error *error);
void dq_als_factors_free(dq_als_factors *factors);

/* *out: block number `block` of the catalogue's users or items, the field `name` of `width` numbers appended
 * to its vectors: added (rows of entities, width). Borrows the block's columns. DQ_ERR_DUPLICATE when there
 * is such a field. Empty on failure. */
dq_status dq_als_append(const dq_entities *entities, uint32_t block, const char *name, const float *added,
                        uint32_t width, dq_bundle *out, dq_error *error);

#endif
