/* SPDX-License-Identifier: MIT */
#include "math/product/kernel.h"

#include <stdint.h>
#include <string.h>

enum {
    FIRST = 64,     /* k of the first step, whose operands nothing hides the copying of */
    PANEL_AHEAD = 8 /* rows from what is copied of a panel to what is prefetched */
};

/* C in blocks of `casts` by `lanes`, or of its transpose where A gives the lanes. */
typedef struct work {
    const product *p;
    const product_kernel *kernel;
    product_scratch *scratch;
    product_operand lane, cast; /* whose numbers are lanes of a vector; whose are spread over all lanes */
    size_t lanes, casts;
    size_t first, depth; /* k of the first step of a block, and of the others; the last may have less */
    bool transposed;     /* the lanes are A's rows */
    bool whole;          /* scratch holds all of k for a block's lanes */
} work;

/* One step: k numbers from k0 on of a block of C. */
typedef struct step {
    size_t number, l0, r0, k0; /* number: of steps before */
    size_t lanes, casts, k;
} step;

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

/* ---- what a step multiplies ---- */

static step step_at(const work *w, size_t number, size_t l0, size_t r0, size_t k0)
{
    return (step){.number = number,
                  .l0 = l0,
                  .r0 = r0,
                  .k0 = k0,
                  .lanes = least(PRODUCT_BLOCK, w->lanes - l0),
                  .casts = least(PRODUCT_BLOCK, w->casts - r0),
                  .k = least(k0 ? w->depth : w->first, w->p->k - k0)};
}

/* The step after s: its next k, else the next block; no lanes: there is none. Where lanes are packed already,
 * the same casts are taken with all of them, else the same lanes with all casts. */
static step step_after(const work *w, const step *s)
{
    size_t n = s->number + 1, l0 = s->l0 + s->lanes, r0 = s->r0 + s->casts;
    if (s->k0 + s->k < w->p->k) return step_at(w, n, s->l0, s->r0, s->k0 + s->k);
    if (w->lane.panels && l0 < w->lanes) return step_at(w, n, l0, s->r0, 0);
    if (w->lane.panels && r0 < w->casts) return step_at(w, n, 0, r0, 0);
    if (!w->lane.panels && r0 < w->casts) return step_at(w, n, s->l0, r0, 0);
    if (!w->lane.panels && l0 < w->lanes) return step_at(w, n, l0, 0, 0);
    return (step){.lanes = 0};
}

/* Whether the step's rows are those of the step before: the same casts, whose k is one step. */
static bool keeps_rows(const work *w, const step *s)
{
    return s->number > 0 && s->k == w->p->k && s->l0 > 0 && w->lane.panels;
}

static float *rows_of(const work *w, const step *s)
{
    bool kept = w->lane.panels && w->first >= w->p->k; /* and so for all lanes the same */
    return w->scratch->rows[kept ? s->r0 / PRODUCT_BLOCK % 2 : s->number % 2];
}

/* The first of its panels, which stand `stride` floats apart. */
static const float *panels_of(const work *w, const step *s, size_t *stride)
{
    size_t width = w->kernel->lanes;
    *stride = width * (w->lane.panels ? w->p->k : s->k);
    if (w->lane.panels) return w->lane.panels + s->l0 * w->p->k + s->k0 * width;
    return w->whole ? w->scratch->panels[s->l0 / PRODUCT_BLOCK % 2] + s->k0 * PRODUCT_BLOCK
                    : w->scratch->panels[s->number % 2];
}

/* Whether the panels are made for this step, and not for one before. */
static bool makes_panels(const work *w, const step *s)
{
    return !w->lane.panels && (!w->whole || s->r0 == 0);
}

/* What can be copied while other tiles are computed. */
static void plan_copies(const work *w, const step *s, product_ahead *ahead)
{
    size_t stride, width = w->kernel->lanes, k = s->k / PRODUCT_LINE * PRODUCT_LINE;
    *ahead = (product_ahead){.count = 0};
    if (s->lanes == 0) return;
    if (!w->cast.columns && k > 0 && !keeps_rows(w, s))
        ahead->copies[ahead->count++] = (product_copy){.from = w->cast.at + s->r0 * w->cast.ld + s->k0,
                                                       .ld = w->cast.ld,
                                                       .to = rows_of(w, s),
                                                       .ldto = PRODUCT_STRIDE,
                                                       .rows = s->casts,
                                                       .width = k,
                                                       .distance = w->cast.ld};
    if (!makes_panels(w, s) || !w->lane.columns || s->k == 0) return;
    float *to = (float *)(uintptr_t)panels_of(w, s, &stride);
    for (size_t l = 0; l + width <= s->lanes; l += width, to += stride)
        ahead->copies[ahead->count++] = (product_copy){.from = w->lane.at + s->k0 * w->lane.ld + s->l0 + l,
                                                       .ld = w->lane.ld,
                                                       .to = to,
                                                       .ldto = width,
                                                       .rows = s->k,
                                                       .width = width,
                                                       .distance = PANEL_AHEAD * w->lane.ld};
}

#define COPY_LINE(to, from) memcpy(to, from, PRODUCT_LINE * sizeof(float))

/* What no copy planned: the ends of rows, the last panel, and what is transposed. */
static void make_rest(const work *w, const step *s)
{
    size_t stride, width = w->kernel->lanes, done = s->k / PRODUCT_LINE * PRODUCT_LINE;
    float *to = rows_of(w, s);
    if (keeps_rows(w, s))
        done = s->k;
    else if (w->cast.columns)
        w->kernel->transpose(s->k, s->casts, w->cast.at + s->k0 * w->cast.ld + s->r0, w->cast.ld, to,
                             PRODUCT_STRIDE);
    else
        for (size_t r = 0; r < s->casts && done < s->k; r++)
            memcpy(to + r * PRODUCT_STRIDE + done, w->cast.at + (s->r0 + r) * w->cast.ld + s->k0 + done,
                   (s->k - done) * sizeof *to);
    if (!makes_panels(w, s)) return;
    float *panels = (float *)(uintptr_t)panels_of(w, s, &stride);
    size_t l = w->lane.columns ? s->lanes / width * width : 0;
    for (; l < s->lanes; l += width)
        pack_panel(w->kernel, w->lane, s->l0 + l, least(width, s->lanes - l), s->k0, s->k,
                   panels + l / width * stride);
}

/* ---- steps ---- */

static void finish(const product *p, float *c, size_t ldc, size_t row, size_t rows, size_t column,
                   size_t columns)
{
    if (p->epilogue) p->epilogue->finish(p->epilogue->arg, c, ldc, row, rows, column, columns);
}

/* Adds the step's products to c, (casts, lanes). */
static void run_tiles(const work *w, const step *s, float *c, size_t ldc, product_ahead *ahead)
{
    const product_kernel *kernel = w->kernel;
    size_t stride;
    const float *panels = panels_of(w, s, &stride), *a = rows_of(w, s);
    for (size_t l = 0; l < s->lanes; l += kernel->lanes, panels += stride)
        for (size_t r = 0, tiles = parts(s->casts, kernel->rows), rows; tiles; tiles--, r += rows) {
            rows = parts(s->casts - r, tiles);
            kernel->tile(rows, s->k, a + r * PRODUCT_STRIDE, panels, c + r * ldc + l, ldc,
                         least(kernel->lanes, s->lanes - l), s->k0 > 0, ahead);
        }
}

/* The block of C is whole. */
static void finish_block(const work *w, const step *s, float *c, size_t ldc)
{
    const product *p = w->p;
    if (!w->transposed) {
        finish(p, c, ldc, s->r0, s->casts, s->l0, s->lanes);
        return;
    }
    float *to = p->c ? p->c + s->l0 * p->ldc + s->r0 : w->scratch->finished;
    size_t ldto = p->c ? p->ldc : PRODUCT_BLOCK;
    w->kernel->transpose(s->casts, s->lanes, c, ldc, to, ldto);
    finish(p, to, ldto, s->l0, s->lanes, s->r0, s->casts);
}

static void run_steps(const work *w)
{
    const product *p = w->p;
    bool direct = p->c && !w->transposed;
    size_t ldc = direct ? p->ldc : PRODUCT_BLOCK;
    product_ahead ahead;
    step s = step_at(w, 0, 0, 0, 0), next;
    plan_copies(w, &s, &ahead);
    for (; s.lanes > 0; s = next) {
        PRODUCT_COPY_LINES(&ahead, SIZE_MAX, COPY_LINE)
        make_rest(w, &s);
        next = step_after(w, &s);
        plan_copies(w, &next, &ahead);
        float *c = direct ? p->c + s.r0 * ldc + s.l0 : w->scratch->block;
        run_tiles(w, &s, c, ldc, &ahead);
        if (s.k0 + s.k == p->k) finish_block(w, &s, c, ldc);
    }
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
                      (p->a.columns ? TRANSPOSE : COPY) * a * parts(p->n, PRODUCT_BLOCK);
    size_t across = parts(p->m, WIDEST) * 8 * b + (p->a.columns ? COPY : TRANSPOSE) * a +
                    (p->b.columns ? TRANSPOSE : COPY) * b * parts(p->m, PRODUCT_BLOCK) + 4 * p->m * p->n;
    return across < straight;
}

/* A library's product, in the blocks in which an epilogue would see ours. */
static void run_whole(const product *p, product_scratch *scratch)
{
    if (p->c) p->kernel->whole(p);
    for (size_t i = 0; i < p->m && p->epilogue; i += PRODUCT_BLOCK)
        for (size_t j = 0; j < p->n; j += PRODUCT_BLOCK) {
            product part = *p;
            part.m = least(PRODUCT_BLOCK, p->m - i);
            part.n = least(PRODUCT_BLOCK, p->n - j);
            float *c = p->c ? p->c + i * p->ldc + j : scratch->finished;
            size_t ldc = p->c ? p->ldc : PRODUCT_BLOCK;
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

/* k in equal parts, of whole cache lines. */
static size_t depth_of(size_t k)
{
    size_t depth = parts(k, k > PRODUCT_DEPTH ? parts(k, PRODUCT_DEPTH) : 1);
    return parts(depth, PRODUCT_LINE) * PRODUCT_LINE;
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
        run_whole(&lying, scratch);
    } else {
        work w = {.p = p,
                  .kernel = p->kernel,
                  .scratch = scratch,
                  .lane = transposed ? p->a : p->b,
                  .cast = transposed ? p->b : p->a,
                  .lanes = transposed ? p->m : p->n,
                  .casts = transposed ? p->n : p->m,
                  .first = least(p->k, FIRST),
                  .depth = p->k > FIRST ? depth_of(p->k - FIRST) : 0,
                  .transposed = transposed,
                  .whole = p->k <= PRODUCT_BLOCK_DEPTH};
        run_steps(&w);
    }
    product_give_scratch(scratch);
}
