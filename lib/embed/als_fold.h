/* SPDX-License-Identifier: MIT
 *
 * Newcomers among factors: users and items that a factorisation did not have get vectors from their
 * interactions with those that it had, by one ridge solve (als.h), and nobody else's vector changes.
 *
 *     catalogue     u1 met i1, i9;  u7 met i1, i2;  u8 met i9;  u9 met nothing
 *     fitted        u1, i1, i2
 *                   u1, i1, i2 as fitted;  u7 from i1, i2;  i9 from u1;  u8, u9 zeros
 */
#ifndef DQ_EMBED_ALS_FOLD_H
#define DQ_EMBED_ALS_FOLD_H

#include "embed/als_catalogue.h"

/* What a factorisation left: users, items or both, with a field of factors in their vectors. */
typedef struct dq_als_fitted {
    dq_catalogue catalogue; /* whose users and items they are, by id; filled before dq_als_fitted_init */
    dq_als_factors factors; /* by the catalogue's rows */
    dq_als_origin origin;   /* lives as long as the catalogue */
} dq_als_fitted;

/* Takes the field out of the catalogue's vectors; a side without that field, or without rows, counts as
 * having nobody. DQ_ERR_UNKNOWN when neither side has the field, DQ_ERR_RANGE when it is wider than
 * DQ_ALS_WIDTH_MAX, DQ_ERR_SCHEMA when its width or origin differs among the blocks of both, or is not said.
 */
dq_status dq_als_fitted_init(dq_als_fitted *fitted, const char *field, dq_error *error);
void dq_als_fitted_free(dq_als_fitted *fitted);

/* What became of the rows of users, or of items. */
typedef struct dq_als_tally {
    uint32_t fitted, folded;
    uint32_t zeros; /* without a positive interaction with anybody fitted */
} dq_als_tally;

/* Fills factors (by the catalogue's rows): as they were fitted, or folded in, or zeros. The catalogue is
 * finished, and its interactions may name ids that it lacks (dq_catalogue_finish allowed absent ones) when
 * `fitted` has them; DQ_ERR_UNKNOWN for others. weights as origin.map says. tally (DQ_ENTITY_KINDS) is
 * filled. Free factors after a failure, too. */
dq_status dq_als_fold_catalogue(dq_als_factors *factors, dq_als_tally *tally, const dq_catalogue *catalogue,
                                const dq_als_fitted *fitted, const dq_label_map *weights, unsigned threads,
                                dq_error *error);

#endif
