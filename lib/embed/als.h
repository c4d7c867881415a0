/* SPDX-License-Identifier: MIT
 *
 * Collaborative filtering: vectors of users and items from who met what (against cold start of the other
 * kind: users and items without texts). Implicit matrix factorisation by alternating least squares (Hu, Koren
 * and Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008):
 *
 *     minimise  sum over all u, i  c_ui (p_ui - x_u . y_i)^2  +  lambda (sum |x_u|^2 + sum |y_i|^2)
 *     p_ui = 1 where u met i with a positive weight w, else 0;   c_ui = 1 + alpha w
 *
 * Half a sweep holds one side fixed and improves each vector of the other: to its exact minimum, or by a few
 * steps of conjugate gradients from where it stands (als_solve.h). Neither lets the objective rise, but for
 * the rounding of float32.
 */
#ifndef DQ_EMBED_ALS_H
#define DQ_EMBED_ALS_H

#include "dq/status.h"

#include <stddef.h>
#include <stdint.h>

enum { DQ_ALS_WIDTH_MAX = 512 }; /* width of the vectors */

typedef enum dq_als_method { DQ_ALS_EXACT, DQ_ALS_CG } dq_als_method;

typedef struct dq_als_config {
    uint32_t width;       /* 1 .. DQ_ALS_WIDTH_MAX */
    double alpha, lambda; /* alpha >= 0, lambda > 0 */
    uint32_t sweeps;
    uint64_t seed;
    dq_als_method solve;
    uint32_t cg_steps; /* 1 .. DQ_ALS_WIDTH_MAX; of DQ_ALS_CG alone */
} dq_als_config;

#define DQ_ALS_DEFAULTS                                                                                      \
    {                                                                                                        \
        .width = 32, .alpha = 40, .lambda = 1, .sweeps = 15, .seed = 42, .solve = DQ_ALS_CG, .cg_steps = 3   \
    }

/* One entry: the weights of equal pairs add up; those that are not positive count as never met. */
typedef struct dq_als_entry {
    uint32_t user, item;
    float weight;
} dq_als_entry;

/* Fills users (user_count, width) and items (item_count, width), by 1 .. DQ_PARALLEL_MAX (math/parallel.h)
 * threads; a user or item that met nothing is zeros. The result does not depend on the order of the entries
 * nor on the threads. DQ_ERR_RANGE for a width or an entry outside its range, and without any positive entry;
 * DQ_ERR_NUMERIC for a weight that is not finite, or where weights and alpha leave the range of float32. */
dq_status dq_als_fit(const dq_als_config *config, const dq_als_entry *entries, size_t count, float *users,
                     uint32_t user_count, float *items, uint32_t item_count, unsigned threads,
                     dq_error *error);

/* Half a sweep alone, which gives vectors to newcomers: fills users (items) from the other side's vectors,
 * that a fit has left. With Y the items' (n, k), a user's is the least of the objective where Y stays as it
 * is:
 *
 *     x_u = (Y' C_u Y + lambda I)^-1 Y' C_u p_u
 *
 * which is what the next sweep would give by the exact solution; it is exact here, whatever config.solve
 * says. Y is of all items that were fitted, those that nobody here has met
 * too: of them p_u = 0 is said. Entries count rows of the two arrays; who has no positive one gets zeros, and
 * a row of the other side that is zeros counts as never met. config.sweeps and .seed mean nothing. Threads
 * and errors as in dq_als_fit, but that no positive entry at all is no error. */
dq_status dq_als_fold_users(const dq_als_config *config, const dq_als_entry *entries, size_t count,
                            float *users, uint32_t user_count, const float *items, uint32_t item_count,
                            unsigned threads, dq_error *error);
dq_status dq_als_fold_items(const dq_als_config *config, const dq_als_entry *entries, size_t count,
                            const float *users, uint32_t user_count, float *items, uint32_t item_count,
                            unsigned threads, dq_error *error);

/* The objective above, in double: users' and items' numbers squared, times the width. NAN: no memory. */
double dq_als_objective(const dq_als_config *config, const dq_als_entry *entries, size_t count,
                        const float *users, uint32_t user_count, const float *items, uint32_t item_count);

#endif
