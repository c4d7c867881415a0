/* SPDX-License-Identifier: MIT */
#include "math/product/kernel.h"

#include <string.h>

/* C in blocks of `cast` rows by `lanes`, or of its transpose where A gives the lanes. */
typedef struct work {
    const product *p;
    const product_kernel *kernel;
    product_scratch *scratch;
    product_operand lane, cast; /* whose numbers are lanes of a vector; whose are spread over all lanes */
    size_t lanes, casts;
    size_t depth;    /* k of a tile, the last may have less */
    bool transposed; /* the lanes are A's rows */
} work;

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t parts(size_t n, size_t of)
{
    return (n + of - 1) / of;
}

/* ---- packing ---- */

/* Numbers [k0, k0 + k) of runs [l0, l0 + n) as one panel (k, lanes), zeros behind. */
static void pack_panel(const product_kernel *kernel, product_operand from, size_t l0, size_t n, size_t k0,
                       size_t k, float *to)
{
    size_t lanes = kernel->lanes;
    if (n < lanes) memset(to, 0, k * lanes * sizeof *to);
    if (!from.columns) {
        kernel->transpose(n, k, from.at + l0 * from.ld + k0, from.ld, to, lanes);
        return;
    }
    const float *at = from.at + k0 * from.ld + l0;
    for (size_t i = 0; i < k; i++, at += from.ld, to += lanes) memcpy(to, at, n * sizeof *to);
}

static void pack_panels(const product_kernel *kernel, product_operand from, size_t l0, size_t n, size_t k0,
                        size_t k, float *to)
{
    for (size_t l = 0; l < n; l += kernel->lanes, to += k * kernel->lanes)
        pack_panel(kernel, from, l0 + l, least(kernel->lanes, n - l), k0, k, to);
}

size_t product_packed_floats(const product_kernel *kernel, size_t n, size_t k)
{
    return kernel->whole ? n * k : parts(n, kernel->lanes) * kernel->lanes * k;
}

void product_pack(const product_kernel *kernel, product_operand from, size_t n, size_t k, float *to)
{
    if (!kernel->whole)
        pack_panels(kernel, from, 0, n, 0, k, to);
    else if (from.columns)
        for (size_t i = 0; i < k; i++) memcpy(to + i * n, from.at + i * from.ld, n * sizeof *to);
    else
        product_plain.transpose(n, k, from.at, from.ld, to, n);
}

/* Numbers [k0, k0 + k) of the runs [r0, r0 + n) as rows for a tile. */
static void copy_rows(const work *w, size_t r0, size_t n, size_t k0, size_t k, float *to)
{
    const product_operand *from = &w->cast;
    if (from->columns)
        w->kernel->transpose(k, n, from->at + k0 * from->ld + r0, from->ld, to, PRODUCT_STRIDE);
    else
        for (size_t r = 0; r < n; r++)
            memcpy(to + r * PRODUCT_STRIDE, from->at + (r0 + r) * from->ld + k0, k * sizeof *to);
}

/* ---- one block ---- */

/* Adds k numbers' products to c (casts, lanes). panels: the first of them at its number k0, `step` floats
 * from panel to panel. */
static void add_tiles(const work *w, size_t casts, size_t lanes, size_t k, const float *panels, size_t step,
                      float *c, size_t ldc, bool more)
{
    const product_kernel *kernel = w->kernel;
    for (size_t l = 0; l < lanes; l += kernel->lanes, panels += step)
        for (size_t r = 0, tiles = parts(casts, kernel->rows), rows; tiles; tiles--, r += rows) {
            rows = parts(casts - r, tiles);
            kernel->tile(rows, k, w->scratch->rows + r * PRODUCT_STRIDE, panels, c + r * ldc + l, ldc,
                         least(kernel->lanes, lanes - l), more);
        }
}

/* Where the panels of lanes [l0, l0 + lanes) begin at k0, packed here unless they are already. */
static const float *panels_at(const work *w, size_t l0, size_t lanes, size_t k0, size_t *step)
{
    size_t k = w->p->k, width = w->kernel->lanes, chunk = PRODUCT_BLOCK_DEPTH / w->depth * w->depth;
    if (w->lane.panels) {
        *step = width * k;
        return w->lane.panels + l0 * k + k0 * width;
    }
    if (k > PRODUCT_BLOCK_DEPTH) {
        size_t from = k0 / chunk * chunk, n = least(chunk, k - from);
        if (k0 == from) pack_panels(w->kernel, w->lane, l0, lanes, from, n, w->scratch->panels);
        *step = width * n;
        return w->scratch->panels + (k0 - from) * width;
    }
    *step = width * k;
    return w->scratch->panels + k0 * width;
}

static void finish(const product *p, float *c, size_t ldc, size_t row, size_t rows, size_t column,
                   size_t columns)
{
    if (p->epilogue) p->epilogue->finish(p->epilogue->arg, c, ldc, row, rows, column, columns);
}

/* Casts [r0, r0 + casts) with lanes [l0, l0 + lanes), over all of k. */
static void run_block(const work *w, size_t r0, size_t casts, size_t l0, size_t lanes)
{
    const product *p = w->p;
    bool direct = p->c && !w->transposed;
    size_t k0 = 0, step, ldc = direct ? p->ldc : PRODUCT_BLOCK_LANES;
    float *c = direct ? p->c + r0 * p->ldc + l0 : w->scratch->block;
    do {
        size_t k = least(w->depth, p->k - k0);
        const float *panels = panels_at(w, l0, lanes, k0, &step);
        copy_rows(w, r0, casts, k0, k, w->scratch->rows);
        add_tiles(w, casts, lanes, k, panels, step, c, ldc, k0 > 0);
        k0 += k;
    } while (k0 < p->k);
    if (!w->transposed) {
        finish(p, c, ldc, r0, casts, l0, lanes);
        return;
    }
    float *to = p->c ? p->c + l0 * p->ldc + r0 : w->scratch->finished;
    size_t ldto = p->c ? p->ldc : PRODUCT_BLOCK_ROWS;
    w->kernel->transpose(casts, lanes, c, ldc, to, ldto);
    finish(p, to, ldto, l0, lanes, r0, casts);
}

/* ---- the whole ---- */

/* Whether it costs less to take A's rows for lanes than B's columns: what is computed, lanes that stay empty
 * included, and what is packed, in units of a quarter of a multiplication by 16 lanes. */
static bool prefers_transposed(const product *p)
{
    if (p->a.panels || p->b.panels) return p->a.panels != NULL;
    enum { WIDEST = 32, COPY = 1, TRANSPOSE = 2 };
    size_t a = p->m * p->k, b = p->n * p->k;
    size_t straight = parts(p->n, WIDEST) * 8 * a + (p->b.columns ? COPY : TRANSPOSE) * b +
                      (p->a.columns ? TRANSPOSE : COPY) * a * parts(p->n, PRODUCT_BLOCK_LANES);
    size_t across = parts(p->m, WIDEST) * 8 * b + (p->a.columns ? COPY : TRANSPOSE) * a +
                    (p->b.columns ? TRANSPOSE : COPY) * b * parts(p->m, PRODUCT_BLOCK_LANES) +
                    4 * p->m * p->n;
    return across < straight;
}

static void run_blocks(const work *w)
{
    for (size_t l0 = 0; l0 < w->lanes; l0 += PRODUCT_BLOCK_LANES) {
        size_t lanes = least(PRODUCT_BLOCK_LANES, w->lanes - l0);
        if (!w->lane.panels && w->p->k <= PRODUCT_BLOCK_DEPTH)
            pack_panels(w->kernel, w->lane, l0, lanes, 0, w->p->k, w->scratch->panels);
        for (size_t r0 = 0; r0 < w->casts; r0 += PRODUCT_BLOCK_ROWS)
            run_block(w, r0, least(PRODUCT_BLOCK_ROWS, w->casts - r0), l0, lanes);
    }
}

/* A library's product, in the blocks in which an epilogue would see ours. */
static void run_whole(const product *p, bool transposed, product_scratch *scratch)
{
    size_t rows = transposed ? PRODUCT_BLOCK_LANES : PRODUCT_BLOCK_ROWS;
    size_t columns = transposed ? PRODUCT_BLOCK_ROWS : PRODUCT_BLOCK_LANES;
    if (p->c) p->kernel->whole(p);
    for (size_t i = 0; i < p->m && p->epilogue; i += rows)
        for (size_t j = 0; j < p->n; j += columns) {
            product part = *p;
            part.m = least(rows, p->m - i);
            part.n = least(columns, p->n - j);
            float *c = p->c ? p->c + i * p->ldc + j : scratch->finished;
            size_t ldc = p->c ? p->ldc : columns;
            part.a.at += p->a.columns ? i : i * p->a.ld;
            part.b.at += p->b.columns ? j : j * p->b.ld;
            part.c = c;
            part.ldc = ldc;
            if (!p->c) p->kernel->whole(&part);
            finish(p, c, ldc, i, part.m, j, part.n);
        }
}

/* A library's panels are the columns of one (k, n). */
static product_operand as_it_lies(product_operand o, size_t n)
{
    return o.panels ? (product_operand){.at = o.panels, .ld = n, .columns = true} : o;
}

void product_run(const product *p)
{
    if (p->m == 0 || p->n == 0) return;
    bool transposed = prefers_transposed(p);
    product_scratch *scratch = product_take_scratch();
    if (p->kernel->whole) {
        product lying = *p;
        lying.a = as_it_lies(p->a, p->m);
        lying.b = as_it_lies(p->b, p->n);
        run_whole(&lying, transposed, scratch);
    } else {
        work w = {.p = p,
                  .kernel = p->kernel,
                  .scratch = scratch,
                  .lane = transposed ? p->a : p->b,
                  .cast = transposed ? p->b : p->a,
                  .lanes = transposed ? p->m : p->n,
                  .casts = transposed ? p->n : p->m,
                  .depth = p->k ? parts(p->k, parts(p->k, PRODUCT_DEPTH)) : 1,
                  .transposed = transposed};
        run_blocks(&w);
    }
    product_give_scratch(scratch);
}
