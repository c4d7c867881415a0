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

/* Zeros. Free after a failure, too. */
dq_status dq_als_factors_init(dq_als_factors *factors, uint32_t width, uint32_t users, uint32_t items,
                              dq_error *error);
void dq_als_factors_free(dq_als_factors *factors);

/* Whether a vector is of one who met nothing: no other has zeros alone. */
bool dq_als_is_zero(const float *vector, uint32_t width);

/* What an interaction weighs. With `weights` what its label does, and nothing when its label is not there,
 * whatever its reward: a weight says how sure one is that it was liked. Without (NULL) its reward, and 1
 * where it has none. */
float dq_als_weight(const dq_catalogue *catalogue, const dq_label_map *weights,
                    const dq_interaction *interaction);

/* Factors a finished catalogue's interactions. DQ_ERR_UNKNOWN without any interaction; else as dq_als_fit.
 * Free after a failure, too. */
dq_status dq_als_fit_catalogue(dq_als_factors *factors, const dq_catalogue *catalogue,
                               const dq_label_map *weights, const dq_als_config *config, unsigned threads,
                               dq_error *error);

/* How a field of factors was made, which whoever folds newcomers into it must do as well. It stands in the
 * meta.factors of users and items, under the field's name: {"alpha": X, "lambda": X, "map": TEXT}. */
typedef struct dq_als_origin {
    double alpha, lambda; /* as in dq_als_config */
    const char *map;      /* text of the labels' weights; NULL: none */
} dq_als_origin;

/* Adds it to meta, whose other values are the arena's. */
dq_status dq_als_origin_write(const dq_als_origin *origin, const char *field, dq_arena *arena, dq_value *meta,
                              dq_error *error);
/* DQ_ERR_SCHEMA where meta does not say it of the field. */
dq_status dq_als_origin_read(const dq_value *meta, const char *field, dq_arena *arena, dq_als_origin *origin,
                             dq_error *error);

/* *out: block number `block` of the catalogue's users or items, the field `name` of `width` numbers appended
 * to its vectors: added (rows of entities, width), of that origin. Borrows the block's columns.
 * DQ_ERR_DUPLICATE when there is such a field. Empty on failure. */
dq_status dq_als_append(const dq_entities *entities, uint32_t block, const char *name, const float *added,
                        uint32_t width, const dq_als_origin *origin, dq_bundle *out, dq_error *error);

#endif
