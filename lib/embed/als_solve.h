/* SPDX-License-Identifier: MIT
 *
 * Half a sweep of alternating least squares (als.h): one side's vectors from the other's, Y (n, k). A row
 * that met the others in M with weights w solves
 *
 *     A x = b    A = Y'Y + lambda I + sum over M alpha w y y'    b = sum over M (1 + alpha w) y
 *
 * DQ_ALS_EXACT makes A and solves by Cholesky's method, in double: |M| k^2 + k^3 / 3 products a row.
 *
 * DQ_ALS_CG takes config.cg_steps steps of conjugate gradients from the vector that the row has (Takacs,
 * Pilaszy and Tikk, "Applications of the conjugate gradient method for implicit feedback collaborative
 * filtering", RecSys 2011), and never makes A: a step is 2 |M| k + k^2 products. Each step lowers the row's
 * part of the objective, so that few are enough when the next sweep goes on from there.
 *
 *     r = p = b - A x
 *     per step    a = r.r / p.Ap    x += a p    r -= a Ap    p = r + (new r.r / old r.r) p
 *
 * CG computes in float32, sums of |M| terms included; Y'Y is summed in double and rounded once. Rounding
 * bends the way: k steps from zeros end within 1e-3 of the exact solution (relative to its length), 40 more
 * within 1e-4, for vectors of up to 40 numbers (tests/unit/test_als_solve.c).
 *
 * A sweep of three steps suffices where rows met well more others than vectors have numbers. With fewer, A is
 * ill-conditioned, and more steps are worth their time: of 20 meetings a row and width 32, the objective
 * after 15 sweeps is 10 to 12 % above the exact solution's with 3 steps, 4 to 5 % with 8, 1 % with 16.
 */
#ifndef DQ_EMBED_ALS_SOLVE_H
#define DQ_EMBED_ALS_SOLVE_H

#include "embed/als.h"

#include <stdbool.h>

/* One side's meetings, as compressed rows: those of row r are at[first[r]] .. at[first[r + 1] - 1]. */
typedef struct dq_als_rows {
    size_t *first; /* (count + 1) */
    uint32_t *other;
    float *weight;
    uint32_t count;
} dq_als_rows;

/* Rows of users, or items, from n entries without equal pairs, in their order. False: no memory; free it. */
bool dq_als_rows_init(dq_als_rows *rows, const dq_als_entry *entries, size_t n, uint32_t count, bool by_item);
void dq_als_rows_free(dq_als_rows *rows);

/* What half a sweep works in, so that it allocates nothing. */
typedef struct dq_als_room {
    double *gram;      /* (dq_triangle(k)) Y'Y + lambda I */
    double *systems;   /* exact: (threads, dq_triangle(k) + k) A and b */
    float *square;     /* CG: (k, k) gram */
    float *directions; /* CG: (threads, 3, k) r, p, Ap */
    const float **square_rows;
    unsigned threads;
} dq_als_room;

/* For halves of that width and method. False: no memory. Free it then, too. */
bool dq_als_room_init(dq_als_room *room, const dq_als_config *config, unsigned threads);
void dq_als_room_free(dq_als_room *room);

/* gram (dq_triangle(k)) = Y'Y + lambda I, of y (n, k). */
void dq_als_gram(double *gram, const float *y, size_t n, size_t k, double lambda);

/* Changes `solved` (entries->count, k), by room->threads threads; the result does not depend on them. A row
 * that met nothing becomes zeros, one without a solution NAN. What `solved` held counts for DQ_ALS_CG alone.
 */
void dq_als_solve(const dq_als_config *config, const dq_als_rows *entries, const float *fixed, size_t n,
                  float *solved, dq_als_room *room);

#endif
