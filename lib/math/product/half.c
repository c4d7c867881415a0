/* SPDX-License-Identifier: MIT
 *
 * Products of bfloat16, cut as in product.c, but for two things. Lanes are always made into panels, for a
 * tile wants the numbers k and k + 1 of a lane side by side. And k comes in steps of whole 64 bytes, zeros
 * behind the last number: rows that have no such end, and columns, are copied.
 */
#include "math/product/kernel.h"

#include <string.h>

typedef struct work {
    const product_half *p;
    const product_half_kernel *kernel;
    product_scratch *scratch;
    product_half_operand lane, cast;
    size_t lanes, casts;
    bool transposed;
    bool at_once; /* all of k of a block's lanes is made at once, where it is made */
} work;

typedef struct step {
    size_t l0, r0, k0, lanes, casts, k;
} step;

static size_t padded(size_t k)
{
    return product_parts(k, PRODUCT_HALF_STEP) * PRODUCT_HALF_STEP;
}

/* ---- packing ---- */

/* n pairs of two rows, side by side. */
static void interleave(const uint16_t *restrict first, const uint16_t *restrict second, size_t n,
                       uint16_t *restrict to)
{
    for (size_t l = 0; l < n; l++) {
        to[2 * l] = first[l];
        to[2 * l + 1] = second[l];
    }
}

/* Numbers [k0, k0 + k) of columns [l0, l0 + n) as one panel. */
static void pack_columns(const product_half_operand *from, size_t l0, size_t n, size_t k0, size_t k,
                         size_t lanes, uint16_t *to)
{
    const uint16_t *at = from->at + k0 * from->ld + l0;
    for (size_t i = 0; i + 2 <= k; i += 2, at += 2 * from->ld)
        interleave(at, at + from->ld, n, to + i * lanes);
    for (size_t l = 0; l < n && k % 2; l++) to[(k - 1) * lanes + 2 * l] = at[l];
}

/* The same of rows. */
static void pack_rows(const product_half_operand *from, size_t l0, size_t n, size_t k0, size_t k,
                      size_t lanes, uint16_t *to)
{
    for (size_t l = 0; l < n; l++, to += 2) {
        const uint16_t *at = from->at + (l0 + l) * from->ld + k0;
        for (size_t i = 0; i + 2 <= k; i += 2) memcpy(to + i * lanes, at + i, 2 * sizeof *to);
        if (k % 2) to[(k - 1) * lanes] = at[k - 1];
    }
}

/* One panel of runs of numbers, zeros behind the last of a run, and behind the last run. */
static void pack_panel(const product_half_kernel *kernel, const product_half_operand *from, size_t l0,
                       size_t n, size_t k0, size_t k, uint16_t *to)
{
    if (n < kernel->lanes || k < padded(k)) memset(to, 0, padded(k) * kernel->lanes * sizeof *to);
    (from->columns ? pack_columns : pack_rows)(from, l0, n, k0, k, kernel->lanes, to);
}

static void pack_panels(const product_half_kernel *kernel, const product_half_operand *from, size_t l0,
                        size_t n, size_t k0, size_t k, uint16_t *to)
{
    size_t width = kernel->lanes;
    for (size_t l = 0; l < n; l += width)
        pack_panel(kernel, from, l0 + l, product_least(width, n - l), k0, k, to + l * padded(k));
}

size_t product_half_packed(const product_half_kernel *kernel, size_t n, size_t k)
{
    return product_parts(n, kernel->lanes) * kernel->lanes * padded(k);
}

void product_half_pack(const product_half_kernel *kernel, product_half_operand from, size_t n, size_t k,
                       uint16_t *to)
{
    pack_panels(kernel, &from, 0, n, 0, k, to);
}

/* ---- what a step multiplies ---- */

/* The first of its panels, `stride` apart. */
static const uint16_t *panels_of(const work *w, const step *s, size_t *stride)
{
    size_t width = w->kernel->lanes;
    *stride = width * padded(w->p->k);
    if (w->lane.panels) return w->lane.panels + s->l0 * padded(w->p->k) + s->k0 * width;
    if (w->at_once) return w->scratch->half_panels + s->k0 * width;
    *stride = width * padded(s->k);
    pack_panels(w->kernel, &w->lane, s->l0, s->lanes, s->k0, s->k, w->scratch->half_panels);
    return w->scratch->half_panels;
}

static void make_rows(const work *w, const step *s)
{
    uint16_t *to = w->scratch->half_rows;
    size_t ld = w->cast.ld, rest = padded(s->k) - s->k;
    for (size_t r = 0; r < s->casts; r++, to += PRODUCT_HALF_STRIDE) {
        if (!w->cast.columns) memcpy(to, w->cast.at + (s->r0 + r) * ld + s->k0, s->k * sizeof *to);
        memset(to + s->k, 0, rest * sizeof *to);
    }
    to = w->scratch->half_rows;
    for (size_t i = 0; i < s->k && w->cast.columns; i++) {
        const uint16_t *at = w->cast.at + (s->k0 + i) * ld + s->r0;
        for (size_t r = 0; r < s->casts; r++) to[r * PRODUCT_HALF_STRIDE + i] = at[r];
    }
}

/* Rows in whole steps are read where they lie. Others are made, unless the step before had the same. */
static const uint16_t *rows_of(const work *w, const step *s, size_t *lda)
{
    *lda = w->cast.ld;
    if (!w->cast.columns && s->k == padded(s->k)) return w->cast.at + s->r0 * w->cast.ld + s->k0;
    bool same = w->lane.panels && s->l0 > 0 && s->k == w->p->k;
    if (!same) make_rows(w, s);
    *lda = PRODUCT_HALF_STRIDE;
    return w->scratch->half_rows;
}

/* ---- a block ---- */

static void run_tiles(const work *w, const step *s, float *c, size_t ldc)
{
    const product_half_kernel *kernel = w->kernel;
    size_t lda, stride;
    const uint16_t *a = rows_of(w, s, &lda), *panels = panels_of(w, s, &stride);
    for (size_t l = 0; l < s->lanes; l += kernel->lanes, panels += stride)
        for (size_t r = 0, tiles = product_parts(s->casts, kernel->rows), rows; tiles; tiles--, r += rows) {
            rows = product_parts(s->casts - r, tiles);
            kernel->tile(rows, padded(s->k), a + r * lda, lda, panels, c + r * ldc + l, ldc,
                         product_least(kernel->lanes, s->lanes - l), s->k0 > 0);
        }
}

static void finish_block(const work *w, const step *s, float *c, size_t ldc)
{
    const product_half *p = w->p;
    float *to = c;
    size_t row = s->r0, rows = s->casts, column = s->l0, columns = s->lanes;
    if (w->transposed) {
        to = p->c ? p->c + s->l0 * p->ldc + s->r0 : w->scratch->finished;
        w->kernel->transpose(s->casts, s->lanes, c, ldc, to, p->c ? p->ldc : PRODUCT_BLOCK);
        ldc = p->c ? p->ldc : PRODUCT_BLOCK;
        row = s->l0, rows = s->lanes, column = s->r0, columns = s->casts;
    }
    if (p->epilogue) p->epilogue->finish(p->epilogue->arg, to, ldc, row, rows, column, columns);
}

static void run_block(const work *w, step s)
{
    const product_half *p = w->p;
    bool direct = p->c && !w->transposed;
    float *c = direct ? p->c + s.r0 * p->ldc + s.l0 : w->scratch->block;
    size_t ldc = direct ? p->ldc : PRODUCT_BLOCK;
    do {
        s.k = product_least(PRODUCT_HALF_DEPTH, p->k - s.k0);
        run_tiles(w, &s, c, ldc);
        s.k0 += s.k;
    } while (s.k0 < p->k);
    finish_block(w, &s, c, ldc);
}

static void run_blocks(const work *w)
{
    bool makes = !w->lane.panels;
    size_t outer = makes ? w->lanes : w->casts, inner = makes ? w->casts : w->lanes;
    for (size_t i = 0; i < outer; i += PRODUCT_BLOCK)
        for (size_t j = 0; j < inner; j += PRODUCT_BLOCK) {
            step s = {.l0 = makes ? i : j, .r0 = makes ? j : i};
            s.lanes = product_least(PRODUCT_BLOCK, w->lanes - s.l0);
            s.casts = product_least(PRODUCT_BLOCK, w->casts - s.r0);
            if (makes && w->at_once && j == 0)
                pack_panels(w->kernel, &w->lane, s.l0, s.lanes, 0, w->p->k, w->scratch->half_panels);
            run_block(w, s);
        }
}

/* Columns are made into panels for little and into rows for much; of two that are rows the shorter is packed.
 */
static bool takes_transposed(const product_half *p)
{
    if (p->a.panels || p->b.panels) return p->a.panels != NULL;
    return !p->b.columns && (p->a.columns || p->m < p->n);
}

void product_half_run(const product_half *p)
{
    if (p->m == 0 || p->n == 0) return;
    bool transposed = takes_transposed(p);
    work w = {.p = p,
              .kernel = p->kernel,
              .scratch = product_take_scratch(),
              .lane = transposed ? p->a : p->b,
              .cast = transposed ? p->b : p->a,
              .lanes = transposed ? p->m : p->n,
              .casts = transposed ? p->n : p->m,
              .transposed = transposed,
              .at_once = p->k <= PRODUCT_DEPTH};
    run_blocks(&w);
    product_give_scratch(w.scratch);
}
