/* SPDX-License-Identifier: MIT */
#include "embed/als.h"

#include "core/rng.h"
#include "embed/als_solve.h"
#include "math/cholesky.h"
#include "math/vec.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int by_pair(const void *a, const void *b)
{
    const dq_als_entry *x = a, *y = b;
    if (x->user != y->user) return x->user < y->user ? -1 : 1;
    if (x->item != y->item) return x->item < y->item ? -1 : 1;
    return (x->weight > y->weight) - (x->weight < y->weight);
}

/* A sorted copy: equal pairs once, positive weights only. *kept entries. */
static dq_als_entry *merge(const dq_als_entry *entries, size_t count, size_t *kept)
{
    dq_als_entry *all = malloc(count * sizeof *all + 1);
    size_t n = 0;
    if (!all) return NULL;
    for (size_t i = 0; i < count; i++)
        if (entries[i].weight > 0) all[n++] = entries[i];
    qsort(all, n, sizeof *all, by_pair);
    *kept = 0;
    for (size_t i = 0; i < n; i++) {
        dq_als_entry *last = *kept ? &all[*kept - 1] : NULL;
        if (last && last->user == all[i].user && last->item == all[i].item)
            last->weight += all[i].weight;
        else
            all[(*kept)++] = all[i];
    }
    return all;
}

/* ---- sweeps ---- */

/* Items begin as small noise, one generator each, so that a vector does not depend on how many there are. How
 * small matters: while vectors are small, sweeps are power iterations, which find what most have in common.
 * Of 1e-1 to 1e-4 times unit length 1e-3 ends lowest (docs/performance.md). */
static void begin(const dq_als_config *c, float *items, const dq_als_rows *entries)
{
    for (uint32_t i = 0; i < entries->count; i++) {
        dq_rng rng = dq_rng_stream(c->seed, 300 + (uint64_t)i);
        for (uint32_t j = 0; j < c->width; j++) {
            double x = dq_rng_normal(&rng) / sqrt((double)c->width);
            items[(size_t)i * c->width + j] = entries->first[i] == entries->first[i + 1] ? 0
                                                                                         : (float)(0.001 * x);
        }
    }
}

static bool sweep(const dq_als_config *c, const dq_als_rows *by_user, const dq_als_rows *by_item,
                  float *users, float *items, unsigned threads)
{
    dq_als_room room;
    bool ok = dq_als_room_init(&room, c, threads);
    memset(users, 0, (size_t)by_user->count * c->width * sizeof *users);
    for (uint32_t s = 0; ok && s < c->sweeps; s++) {
        dq_als_solve(c, by_user, items, by_item->count, users, &room);
        dq_als_solve(c, by_item, users, by_user->count, items, &room);
    }
    dq_als_room_free(&room);
    return ok;
}

/* *any: there is a positive weight. */
static dq_status check(const dq_als_config *c, const dq_als_entry *entries, size_t count, uint32_t users,
                       uint32_t items, unsigned threads, bool *any, dq_error *error)
{
    *any = false;
    if (threads < 1) return dq_fail(error, DQ_ERR_RANGE, "vectors by no thread");
    if (c->width < 1 || c->width > DQ_ALS_WIDTH_MAX)
        return dq_fail(error, DQ_ERR_RANGE, "vectors of 1 to %d numbers, not %u", DQ_ALS_WIDTH_MAX, c->width);
    if (!(c->lambda > 0) || !(c->alpha >= 0))
        return dq_fail(error, DQ_ERR_RANGE, "lambda > 0 and alpha >= 0");
    if (c->solve == DQ_ALS_CG && (c->cg_steps < 1 || c->cg_steps > DQ_ALS_WIDTH_MAX))
        return dq_fail(error, DQ_ERR_RANGE, "1 to %d steps, not %u", DQ_ALS_WIDTH_MAX, c->cg_steps);
    for (size_t i = 0; i < count; i++) {
        if (entries[i].user >= users || entries[i].item >= items)
            return dq_fail(error, DQ_ERR_RANGE, "an interaction of nobody, or with nothing");
        if (!isfinite(entries[i].weight))
            return dq_fail(error, DQ_ERR_NUMERIC, "a weight that is not finite");
        *any = *any || entries[i].weight > 0;
    }
    return DQ_OK;
}

static dq_status no_memory(size_t count, dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "no memory for %zu interactions", count);
}

/* Weights and alpha, each within its range, can be more together than the vectors' numbers hold. */
static dq_status check_finite(const float *users, size_t user_count, const float *items, size_t item_count,
                              size_t width, dq_error *error)
{
    if (dq_vec_finite(users, user_count * width) && dq_vec_finite(items, item_count * width)) return DQ_OK;
    return dq_fail(error, DQ_ERR_NUMERIC, "vectors that are not finite: weights or alpha are too large");
}

dq_status dq_als_fit(const dq_als_config *config, const dq_als_entry *entries, size_t count, float *users,
                     uint32_t user_count, float *items, uint32_t item_count, unsigned threads,
                     dq_error *error)
{
    dq_als_rows by_user = {0}, by_item = {0};
    size_t n = 0;
    bool any;
    dq_status status = check(config, entries, count, user_count, item_count, threads, &any, error);
    if (!status && !any) status = dq_fail(error, DQ_ERR_RANGE, "no interaction with a positive weight");
    if (status) return status;
    dq_als_entry *all = merge(entries, count, &n);
    bool ok = all && dq_als_rows_init(&by_user, all, n, user_count, false) &&
              dq_als_rows_init(&by_item, all, n, item_count, true);
    if (ok) begin(config, items, &by_item);
    ok = ok && sweep(config, &by_user, &by_item, users, items, threads);
    dq_als_rows_free(&by_user);
    dq_als_rows_free(&by_item);
    free(all);
    if (!ok) return no_memory(count, error);
    return check_finite(users, user_count, items, item_count, config->width, error);
}

/* ---- one half alone ---- */

static dq_status fold_side(const dq_als_config *config, const dq_als_entry *entries, size_t count,
                           uint32_t user_count, uint32_t item_count, bool by_item, const float *fixed,
                           float *solved, unsigned threads, dq_error *error)
{
    dq_als_rows side = {0};
    size_t n = 0;
    bool any;
    dq_status status = check(config, entries, count, user_count, item_count, threads, &any, error);
    if (status) return status;
    dq_als_entry *all = merge(entries, count, &n);
    dq_als_config exact = *config;
    exact.solve = DQ_ALS_EXACT;
    dq_als_room room;
    bool ok = dq_als_room_init(&room, &exact, threads) && all &&
              dq_als_rows_init(&side, all, n, by_item ? item_count : user_count, by_item);
    if (ok) dq_als_solve(&exact, &side, fixed, by_item ? user_count : item_count, solved, &room);
    dq_als_room_free(&room);
    dq_als_rows_free(&side);
    free(all);
    return ok ? DQ_OK : no_memory(count, error);
}

dq_status dq_als_fold_users(const dq_als_config *config, const dq_als_entry *entries, size_t count,
                            float *users, uint32_t user_count, const float *items, uint32_t item_count,
                            unsigned threads, dq_error *error)
{
    return fold_side(config, entries, count, user_count, item_count, false, items, users, threads, error);
}

dq_status dq_als_fold_items(const dq_als_config *config, const dq_als_entry *entries, size_t count,
                            const float *users, uint32_t user_count, float *items, uint32_t item_count,
                            unsigned threads, dq_error *error)
{
    return fold_side(config, entries, count, user_count, item_count, true, users, items, threads, error);
}

/* ---- the objective ---- */

static double dot(const float *a, const float *b, size_t k)
{
    double sum = 0;
    for (size_t i = 0; i < k; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

/* The sum over all pairs of (x . y)^2, which is that of the products of the numbers of X'X and Y'Y. */
static double all_pairs(const double *x, const double *y, size_t k)
{
    double sum = 0;
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j <= i; j++)
            sum += (i == j ? 1 : 2) * x[dq_triangle(i) + j] * y[dq_triangle(i) + j];
    return sum;
}

/* What X'X has on its diagonal, together: the squared length of all vectors. */
static double trace(const double *x, size_t k)
{
    double sum = 0;
    for (size_t i = 0; i < k; i++) sum += x[dq_triangle(i) + i];
    return sum;
}

double dq_als_objective(const dq_als_config *config, const dq_als_entry *entries, size_t count,
                        const float *users, uint32_t user_count, const float *items, uint32_t item_count)
{
    size_t k = config->width, n = 0;
    double sum = NAN;
    dq_als_entry *all = merge(entries, count, &n);
    double *x = malloc(2 * dq_triangle(k) * sizeof *x + 1), *y = x ? x + dq_triangle(k) : NULL;
    if (all && x) {
        dq_als_gram(x, users, user_count, k, 0);
        dq_als_gram(y, items, item_count, k, 0);
        sum = all_pairs(x, y, k); /* as if nobody had met anything */
        for (size_t e = 0; e < n; e++) {
            double p = dot(users + all[e].user * k, items + all[e].item * k, k);
            sum += (1 + config->alpha * (double)all[e].weight) * (1 - p) * (1 - p) - p * p;
        }
        sum += config->lambda * (trace(x, k) + trace(y, k));
    }
    free(all);
    free(x);
    return sum;
}
