/* SPDX-License-Identifier: MIT */
#include "embed/als_solve.h"

#include "math/cholesky.h"
#include "math/parallel.h"
#include "math/vec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    TILE = 16, /* vectors that one thread solves at a time */
    RUN = 64   /* others of a row that are in the cache together: 16 KiB of width 64 */
};

typedef struct half {
    const dq_als_config *config;
    const dq_als_rows *entries;
    const float *fixed; /* (others, k) */
    float *solved;      /* (count, k) */
    const dq_als_room *room;
} half;

/* ---- who met what, by row ---- */

void dq_als_rows_free(dq_als_rows *r)
{
    free(r->first);
    free(r->other);
    free(r->weight);
}

bool dq_als_rows_init(dq_als_rows *r, const dq_als_entry *entries, size_t n, uint32_t count, bool by_item)
{
    *r = (dq_als_rows){.first = calloc((size_t)count + 2, sizeof *r->first),
                       .other = malloc(n * sizeof *r->other + 1),
                       .weight = malloc(n * sizeof *r->weight + 1),
                       .count = count};
    if (!r->first || !r->other || !r->weight) return false;
    for (size_t i = 0; i < n; i++) r->first[(by_item ? entries[i].item : entries[i].user) + 2]++;
    for (uint32_t c = 0; c < count; c++) r->first[c + 2] += r->first[c + 1];
    for (size_t i = 0; i < n; i++) { /* first[row + 1] is where the row's next one goes */
        size_t at = r->first[(by_item ? entries[i].item : entries[i].user) + 1]++;
        r->other[at] = by_item ? entries[i].user : entries[i].item;
        r->weight[at] = entries[i].weight;
    }
    return true;
}

/* ---- room ---- */

bool dq_als_room_init(dq_als_room *room, const dq_als_config *c, unsigned threads)
{
    size_t k = c->width;
    *room = (dq_als_room){.gram = malloc(dq_triangle(k) * sizeof *room->gram), .threads = threads};
    if (c->solve == DQ_ALS_EXACT) {
        room->systems = malloc(threads * (dq_triangle(k) + k) * sizeof *room->systems);
        return room->gram && room->systems;
    }
    room->square = malloc(k * k * sizeof *room->square);
    room->directions = malloc(threads * 3 * k * sizeof *room->directions);
    room->square_rows = malloc(k * sizeof *room->square_rows);
    if (!room->gram || !room->square || !room->directions || !room->square_rows) return false;
    for (size_t i = 0; i < k; i++) room->square_rows[i] = room->square + i * k;
    return true;
}

void dq_als_room_free(dq_als_room *room)
{
    free(room->gram);
    free(room->systems);
    free(room->square);
    free(room->directions);
    free(room->square_rows);
    *room = (dq_als_room){0};
}

void dq_als_gram(double *gram, const float *y, size_t n, size_t k, double lambda)
{
    memset(gram, 0, dq_triangle(k) * sizeof *gram);
    for (size_t r = 0; r < n; r++) dq_triangle_add_outer(gram, y + r * k, 1, k);
    for (size_t i = 0; i < k; i++) gram[dq_triangle(i) + i] += lambda;
}

static void make_square(float *square, const double *gram, size_t k)
{
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j <= i; j++)
            square[i * k + j] = square[j * k + i] = (float)gram[dq_triangle(i) + j];
}

/* ---- a row, exactly ---- */

static void solve_exactly(const half *h, uint32_t row, unsigned thread)
{
    size_t k = h->config->width;
    double *a = h->room->systems + thread * (dq_triangle(k) + k), *b = a + dq_triangle(k);
    float *out = h->solved + row * k;
    memcpy(a, h->room->gram, dq_triangle(k) * sizeof *a);
    memset(b, 0, k * sizeof *b);
    for (size_t e = h->entries->first[row]; e < h->entries->first[row + 1]; e++) {
        const float *y = h->fixed + h->entries->other[e] * k;
        double extra = h->config->alpha * (double)h->entries->weight[e];
        dq_triangle_add_outer(a, y, extra, k);
        for (size_t i = 0; i < k; i++) b[i] += (1 + extra) * (double)y[i];
    }
    bool solved = dq_cholesky_solve(a, k, b);
    for (size_t i = 0; i < k; i++) out[i] = solved ? (float)b[i] : NAN;
}

/* ---- a row, by conjugate gradients ---- */

/* to += sum over the row's others of (confident (1 + alpha w) + times alpha w (y . x)) y */
static void add_met(const half *h, uint32_t row, const float *x, float confident, float times, float *to)
{
    const float *rows[RUN];
    float scales[RUN];
    size_t k = h->config->width, end = h->entries->first[row + 1];
    const float alpha = (float)h->config->alpha;
    for (size_t e = h->entries->first[row], n; e < end; e += n) {
        n = end - e < RUN ? end - e : RUN;
        const float *weight = h->entries->weight + e;
        for (size_t i = 0; i < n; i++) rows[i] = h->fixed + h->entries->other[e + i] * k;
        dq_vec_dots(x, rows, n, k, scales, 1);
        for (size_t i = 0; i < n; i++) {
            float extra = alpha * weight[i];
            scales[i] = confident * (1 + extra) + times * extra * scales[i];
        }
        dq_vec_add_rows(to, rows, scales, n, k);
    }
}

/* Ap = A p */
static void multiply(const half *h, uint32_t row, const float *p, float *ap)
{
    size_t k = h->config->width;
    memset(ap, 0, k * sizeof *ap);
    dq_vec_add_rows(ap, h->room->square_rows, p, k, k);
    add_met(h, row, p, 0, 1, ap);
}

/* r = b - A x */
static void residual(const half *h, uint32_t row, const float *x, float *r)
{
    size_t k = h->config->width;
    memset(r, 0, k * sizeof *r);
    dq_vec_add_rows(r, h->room->square_rows, x, k, k);
    dq_vec_scale(r, -1, k);
    add_met(h, row, x, 1, -1, r);
}

static void descend(const half *h, uint32_t row, unsigned thread)
{
    size_t k = h->config->width;
    float *x = h->solved + row * k, *r = h->room->directions + thread * 3 * k, *p = r + k, *ap = p + k;
    residual(h, row, x, r);
    memcpy(p, r, k * sizeof *p);
    float rr = dq_vec_dot(r, r, k);
    for (uint32_t s = 0; s < h->config->cg_steps && rr > 0; s++) {
        multiply(h, row, p, ap);
        float curvature = dq_vec_dot(p, ap, k), before = rr;
        if (curvature == 0) return; /* a residual that float32 cannot square: solved */
        dq_vec_add_scaled(x, p, rr / curvature, k);
        dq_vec_add_scaled(r, ap, -rr / curvature, k);
        rr = dq_vec_dot(r, r, k);
        dq_vec_scale(p, rr / before, k);
        dq_vec_add(p, r, k);
    }
    for (size_t i = 0; i < k && !isfinite(rr); i++) x[i] = NAN; /* float32 overflowed */
}

/* ---- all rows ---- */

static void solve_tile(void *arg, size_t tile, unsigned thread)
{
    const half *h = arg;
    size_t end = (tile + 1) * TILE < h->entries->count ? (tile + 1) * TILE : h->entries->count;
    for (size_t row = tile * TILE; row < end; row++) {
        if (h->entries->first[row] == h->entries->first[row + 1])
            memset(h->solved + row * h->config->width, 0, h->config->width * sizeof *h->solved);
        else if (h->config->solve == DQ_ALS_CG)
            descend(h, (uint32_t)row, thread);
        else
            solve_exactly(h, (uint32_t)row, thread);
    }
}

void dq_als_solve(const dq_als_config *config, const dq_als_rows *entries, const float *fixed, size_t n,
                  float *solved, dq_als_room *room)
{
    half h = {config, entries, fixed, solved, room};
    dq_als_gram(room->gram, fixed, n, config->width, config->lambda);
    if (config->solve == DQ_ALS_CG) make_square(room->square, room->gram, config->width);
    dq_parallel(room->threads, (entries->count + TILE - 1) / TILE, solve_tile, &h);
}
