/* SPDX-License-Identifier: MIT
 *
 * How a product is cut, the same for every kernel.
 *
 * BLAS libraries copy both operands into panels before they multiply (Goto and van de Geijn, "Anatomy of
 * high-performance matrix multiplication", 2008). That pays where both are large. Here one often has 64 rows,
 * a batch, and the other is a layer's weights, which are new after each update: copying them is a fifth of
 * the time. So one operand gives the lanes of vectors, and is packed into panels (k, lanes) where its numbers
 * do not lie side by side; the other is read where it lies, row by row, each number spread over all lanes:
 *
 *     y = x W'    lanes: the rows of x, packed once; W read where it lies; y stored transposed
 *     dx = dy W   lanes: the columns of W where they lie; dy read where it lies
 *     dW = dy' x  lanes: the columns of x; dy transposed into rows
 *
 * C is cut into blocks of 128 by 128. A block's k goes in steps: of 768, so that a panel of a step is read
 * from the second cache (14 rows by 32 lanes need 4.6 bytes a cycle, which it has), and C, begun anew by each
 * step, costs little; of 256 where lanes are read where they lie, for their rows then take a line or two from
 * each of as many pages, and no more of them stay in the second cache. Steps of 128 and 256 were slower
 * throughout (by 3 to 10 %), all of k at once is about as fast.
 *
 * Measured on a core of Zen 4 (116 GFLOP/s), packing included, beside other programs: forward 89 to 93 %, dx
 * 86 to 95 %, dW with 64 rows 90 % with AVX-512; 85 to 91, 73 to 91 and 86 % with AVX2; OpenBLAS's kernels
 * for AVX-512 have 50 to 65, 74 to 81 and 92 % (`make bench`, products).
 */
#include "math/product/kernel.h"

#include <string.h>

enum {
    DEPTH = 768,       /* k of a tile at most */
    DEPTH_LYING = 256, /* where lanes are read where they lie */
    PAGE = 1024,       /* rows so many floats apart are all in one set of the nearest cache, */
    WAYS = 8,          /* which holds so many lines */
    LINE = 16,         /* floats of a line of it */
    FIRST = 4 * LINE,  /* floats of a row that are asked for before the row is read */
    MANY = 24          /* rows that pay for the packing of lanes that lie so */
};

/* One operand gives the lanes of vectors, the other the numbers that are cast to all lanes of one. Where A
 * gives the lanes, C is made transposed, block by block. */
typedef struct work {
    const product *p;
    const product_kernel *kernel;
    product_scratch *scratch;
    product_operand lane, cast;
    size_t lanes, casts;
    size_t depth; /* k of a step; the last may have less */
    bool transposed;
    bool makes_lanes; /* the lanes are made into panels here */
    bool at_once;     /* all of k of a block is made at once, where it is made */
} work;

/* One step: k numbers from k0 on of a block of C. */
typedef struct step {
    size_t l0, r0, k0, lanes, casts, k;
} step;

/* ---- packing ---- */

/* By vectors: a call for so few numbers takes longer than they do. */
static void copy_lanes(float *to, const float *from, size_t n)
{
    enum { SOME = 16 };
    size_t i = 0;
    for (; i + SOME <= n; i += SOME) memcpy(to + i, from + i, SOME * sizeof *to);
    if (i < n) memcpy(to + i, from + i, (n - i) * sizeof *to);
}

/* Lanes that lie side by side: all panels row by row, so that a page of the operand is visited once. */
static void pack_lying(size_t lanes, product_operand from, size_t l0, size_t n, size_t k0, size_t k,
                       float *to)
{
    const float *at = from.at + k0 * from.ld + l0;
    for (size_t i = 0; i < k; i++, at += from.ld, to += lanes)
        for (size_t l = 0; l < n; l += lanes) copy_lanes(to + l * k, at + l, product_least(lanes, n - l));
}

/* Numbers [k0, k0 + k) of runs [l0, l0 + n) as panels (k, lanes) one after the other, zeros behind the last
 * run. */
static void pack_panels(const product_kernel *kernel, product_operand from, size_t l0, size_t n, size_t k0,
                        size_t k, float *to)
{
    size_t lanes = kernel->lanes, last = n / lanes * lanes;
    if (last < n) memset(to + last * k, 0, k * lanes * sizeof *to);
    if (from.columns)
        pack_lying(lanes, from, l0, n, k0, k, to);
    else
        for (size_t l = 0; l < n; l += lanes)
            kernel->transpose(product_least(lanes, n - l), k, from.at + (l0 + l) * from.ld + k0, from.ld,
                              to + l * k, lanes);
}

size_t product_packed_floats(const product_kernel *kernel, size_t n, size_t k)
{
    return kernel->whole ? n * k : product_parts(n, kernel->lanes) * kernel->lanes * k;
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

/* ---- what a block multiplies ---- */

/* Panels of a block's runs, of k numbers from k0 on. */
static void make_panels(const work *w, const step *s, size_t k0, size_t k)
{
    pack_panels(w->kernel, w->lane, s->l0, s->lanes, k0, k, w->scratch->panels);
}

/* Rows of a block's columns, of k numbers from k0 on. */
static void make_rows(const work *w, const step *s, size_t k0, size_t k)
{
    w->kernel->transpose(k, s->casts, w->cast.at + k0 * w->cast.ld + s->r0, w->cast.ld, w->scratch->rows,
                         PRODUCT_STRIDE);
}

/* Numbers of panel l of a step, and how far its rows are apart: packed by the caller, or here, or columns
 * where they lie. The last of these, where it is not a whole panel, is packed for the step. */
static const float *panel_of(const work *w, const step *s, size_t l, size_t *ldp)
{
    size_t width = w->kernel->lanes, n = product_least(width, s->lanes - l), k = w->p->k;
    *ldp = width;
    if (w->lane.panels) return w->lane.panels + (s->l0 + l) * k + s->k0 * width;
    if (w->makes_lanes && w->at_once) return w->scratch->panels + l * k + s->k0 * width;
    if (w->makes_lanes) return w->scratch->panels + l * s->k;
    if (n == width) {
        *ldp = w->lane.ld;
        return w->lane.at + s->k0 * w->lane.ld + s->l0 + l;
    }
    pack_panels(w->kernel, w->lane, s->l0 + l, n, s->k0, s->k, w->scratch->panels);
    return w->scratch->panels;
}

static const float *rows_of(const work *w, const step *s, size_t *lda)
{
    *lda = w->cast.columns ? PRODUCT_STRIDE : w->cast.ld;
    if (!w->cast.columns) return w->cast.at + s->r0 * w->cast.ld + s->k0;
    return w->at_once ? w->scratch->rows + s->k0 : w->scratch->rows;
}

/* ---- a block ---- */

/* The processor asks for the lines of a row ahead of their use once it has seen a few; these it has to be
 * asked for. */
static void ask_for(const float *rows, size_t ld, size_t n, size_t k)
{
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < FIRST && i < k; i += LINE) __builtin_prefetch(rows + r * ld + i);
}

/* Adds the step's products to c (casts, lanes). A panel stays in the nearest cache for all rows. With the
 * first panel the rows come from memory: while a tile is multiplied, the next tile's are asked for. */
static void run_tiles(const work *w, const step *s, float *c, size_t ldc)
{
    const product_kernel *kernel = w->kernel;
    size_t lda, ldp;
    const float *a = rows_of(w, s, &lda);
    size_t most = lda % PAGE == 0 ? product_least(kernel->rows, WAYS) : kernel->rows;
    for (size_t l = 0; l < s->lanes; l += kernel->lanes) {
        const float *panel = panel_of(w, s, l, &ldp);
        for (size_t r = 0, tiles = product_parts(s->casts, most), rows; tiles; tiles--, r += rows) {
            rows = product_parts(s->casts - r, tiles);
            if (l == 0 && tiles > 1 && !w->cast.columns) /* what was transposed is near */
                ask_for(a + (r + rows) * lda, lda, product_parts(s->casts - r - rows, tiles - 1), s->k);
            kernel->tile(rows, s->k, a + r * lda, lda, panel, ldp, c + r * ldc + l, ldc,
                         product_least(kernel->lanes, s->lanes - l), s->k0 > 0);
        }
    }
}

static void finish(const product *p, float *c, size_t ldc, size_t row, size_t rows, size_t column,
                   size_t columns)
{
    if (p->epilogue) p->epilogue->finish(p->epilogue->arg, c, ldc, row, rows, column, columns);
}

static void copy_block(const step *s, const float *from, float *to, size_t ldto)
{
    for (size_t r = 0; r < s->casts; r++)
        memcpy(to + r * ldto, from + r * PRODUCT_BLOCK, s->lanes * sizeof *to);
}

/* A block is whole. */
static void finish_block(const work *w, const step *s, float *c, size_t ldc)
{
    const product *p = w->p;
    if (!w->transposed) {
        float *to = p->c ? p->c + s->r0 * p->ldc + s->l0 : c;
        if (to != c) copy_block(s, c, to, p->ldc);
        finish(p, to, to != c ? p->ldc : ldc, s->r0, s->casts, s->l0, s->lanes);
        return;
    }
    float *to = p->c ? p->c + s->l0 * p->ldc + s->r0 : w->scratch->finished;
    size_t ldto = p->c ? p->ldc : PRODUCT_BLOCK;
    w->kernel->transpose(s->casts, s->lanes, c, ldc, to, ldto);
    finish(p, to, ldto, s->l0, s->lanes, s->r0, s->casts);
}

static void run_block(const work *w, step s)
{
    const product *p = w->p;
    bool direct = p->c && !w->transposed && (p->k <= w->depth || p->ldc % PAGE != 0);
    float *c = direct ? p->c + s.r0 * p->ldc + s.l0 : w->scratch->block;
    size_t ldc = direct ? p->ldc : PRODUCT_BLOCK;
    do {
        s.k = product_least(w->depth, p->k - s.k0);
        if (!w->at_once && w->makes_lanes) make_panels(w, &s, s.k0, s.k);
        if (!w->at_once && w->cast.columns) make_rows(w, &s, s.k0, s.k);
        run_tiles(w, &s, c, ldc);
        s.k0 += s.k;
    } while (s.k0 < p->k);
    finish_block(w, &s, c, ldc);
}

/* ---- the whole ---- */

/* Whether it costs less to take A's rows for lanes than B's columns: what is computed, lanes that stay empty
 * included, what is transposed to be an operand, and C if it is, in units of 16 multiplications. */
static bool prefers_transposed(const product *p)
{
    if (p->a.panels || p->b.panels) return p->a.panels != NULL;
    enum { WIDEST = 32 };
    size_t a = p->m * p->k, b = p->n * p->k;
    size_t straight = product_parts(p->n, WIDEST) * 2 * a + (p->b.columns ? 0 : b) / 2 +
                      (p->a.columns ? a : 0) / 2 * (p->b.columns ? 1 : product_parts(p->n, PRODUCT_BLOCK));
    size_t across = product_parts(p->m, WIDEST) * 2 * b + (p->a.columns ? 0 : a) / 2 +
                    (p->b.columns ? b : 0) / 2 * (p->a.columns ? 1 : product_parts(p->m, PRODUCT_BLOCK)) +
                    p->m * p->n;
    return across < straight;
}

/* Where lanes must be made, all casts are taken with them; else all lanes with the casts, which may have to
 * be. */
static void run_blocks(const work *w)
{
    bool makes_lanes = w->makes_lanes;
    size_t outer = makes_lanes ? w->lanes : w->casts, inner = makes_lanes ? w->casts : w->lanes;
    for (size_t i = 0; i < outer; i += PRODUCT_BLOCK)
        for (size_t j = 0; j < inner; j += PRODUCT_BLOCK) {
            step s = {.l0 = makes_lanes ? i : j, .r0 = makes_lanes ? j : i};
            s.lanes = product_least(PRODUCT_BLOCK, w->lanes - s.l0);
            s.casts = product_least(PRODUCT_BLOCK, w->casts - s.r0);
            if (w->at_once && makes_lanes && j == 0) make_panels(w, &s, 0, w->p->k);
            if (w->at_once && w->cast.columns && (makes_lanes || j == 0)) make_rows(w, &s, 0, w->p->k);
            run_block(w, s);
        }
}

/* A library's product, in the blocks in which an epilogue would see ours. */
static void run_whole(const product *p, product_scratch *scratch)
{
    if (p->c) p->kernel->whole(p);
    for (size_t i = 0; i < p->m && p->epilogue; i += PRODUCT_BLOCK)
        for (size_t j = 0; j < p->n; j += PRODUCT_BLOCK) {
            product part = *p;
            part.m = product_least(PRODUCT_BLOCK, p->m - i);
            part.n = product_least(PRODUCT_BLOCK, p->n - j);
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

static bool makes_lanes(const product_operand *lane, size_t casts)
{
    return !lane->panels && (!lane->columns || (casts >= MANY && lane->ld % PAGE == 0));
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
        product_operand lane = transposed ? p->a : p->b, cast = transposed ? p->b : p->a;
        bool makes = makes_lanes(&lane, transposed ? p->n : p->m);
        size_t depth = lane.panels || makes ? DEPTH : DEPTH_LYING;
        work w = {.p = p,
                  .kernel = p->kernel,
                  .scratch = scratch,
                  .lane = lane,
                  .cast = cast,
                  .lanes = transposed ? p->m : p->n,
                  .casts = transposed ? p->n : p->m,
                  .depth = p->k ? product_parts(p->k, product_parts(p->k, depth)) : 0,
                  .transposed = transposed,
                  .makes_lanes = makes,
                  .at_once = p->k <= PRODUCT_DEPTH};
        run_blocks(&w);
    }
    product_give_scratch(scratch);
}
