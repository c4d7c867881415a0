/* SPDX-License-Identifier: MIT
 *
 * Many users with many items is a matrix product, and costs what a product costs when each number that is
 * loaded is used many times. So rows are packed as the inner loop reads them: 16 items side by side, a panel,
 * of which one vector holds a component of all 16; and 4 users side by side. The loop adds up 4 users by 16
 * items in registers.
 *
 *     panel  (depth, 16)  a[0][k] a[1][k] ... a[15][k]
 *     group  (depth, 4)   u[0][k] u[1][k] u[2][k] u[3][k]
 *
 * The sum of a pair runs along the components alone, in order, in steps of DEPTH: whatever else is in the
 * tile, and however wide a CPU's vectors are, its bits are the same. No fused multiplication and addition,
 * for the same reason, and no BLAS, whose kernels sum the edges of a product in another order.
 *
 * A row is scaled by the power of two that brings its length to 0.5 .. 1, which is exact, so that no product
 * leaves what a float holds; the lengths themselves are sums in double, and divide last. So vectors of small
 * whole numbers have the cosines that they have in double, and equal ones stay equal.
 */
#include "math/cosine.h"

#include "math/clones.h"
#include "math/exact.h"
#include "math/lanes.h"

#include <math.h>
#include <stdbool.h>

enum { DEPTH = 128, GROUP = 4, USERS = DQ_COSINE_USERS, ITEMS = DQ_COSINE_ITEMS };

typedef double wide_lanes __attribute__((vector_size(32)));
typedef float unaligned_quarter __attribute__((vector_size(16), aligned(4), may_alias));
typedef float unaligned_half __attribute__((vector_size(32), aligned(4), may_alias));

#define LOAD_HALF(at) (*(const unaligned_half *)(at))

typedef struct tile {
    const dq_pairing *pair;
    size_t users, items;
    dq_cosine_scale user[USERS], item[ITEMS];
    float group[USERS * DEPTH]; /* (users / 4, depth, 4) */
    float panel[LANES * DEPTH]; /* (depth, 16) */
    float dots[USERS * ITEMS];  /* (users, ITEMS) */
} tile;

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* 4 floats as doubles. */
#define WIDEN(at) __builtin_convertvector(*(const unaligned_quarter *)(at), wide_lanes)

DQ_CLONES
static double square_sum(const float *a, size_t n)
{
    wide_lanes sum = {0}, sum2 = {0}, sum3 = {0}, sum4 = {0};
    double rest = 0;
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        wide_lanes x = WIDEN(a + i), x2 = WIDEN(a + i + 4), x3 = WIDEN(a + i + 8), x4 = WIDEN(a + i + 12);
        sum += x * x;
        sum2 += x2 * x2;
        sum3 += x3 * x3;
        sum4 += x4 * x4;
    }
    for (; i < n; i++) rest += (double)a[i] * (double)a[i];
    sum = (sum + sum2) + (sum3 + sum4);
    return (sum[0] + sum[2]) + (sum[1] + sum[3]) + rest;
}

/* Where what a thread takes for nothing (math/pool.h), below 1.2e-38, could count, nothing is lost. */
dq_cosine_scale dq_cosine_scale_of(const float *a, size_t n)
{
    int power;
    double squares = square_sum(a, n);
    bool usual = squares > 1e-50 && squares < 1e70;
    if (!usual) {
        squares = 0;
        for (size_t i = 0; i < n; i++) squares += dq_exact(a[i]) * dq_exact(a[i]);
    }
    if (squares == 0) return (dq_cosine_scale){.before = 1, .exactly = 1};
    double length = sqrt(squares);
    (void)frexp(length, &power);
    double two = ldexp(1, -power);
    return (dq_cosine_scale){.before = usual ? (float)two : 0, .after = 1 / (length * two), .exactly = two};
}

/* Components of a row into every `step`th float of `to`. */
static void pack(const float *from, dq_cosine_scale scale, size_t n, float *to, size_t step)
{
    if (scale.before > 0)
        for (size_t k = 0; k < n; k++) to[k * step] = from[k] * scale.before;
    else
        for (size_t k = 0; k < n; k++) to[k * step] = (float)(dq_exact(from[k]) * scale.exactly);
}

typedef float quarter __attribute__((vector_size(16)));

#define QUARTER(at)         (*(unaligned_quarter *)(at))
#define MIX(a, b, ...)      __builtin_shufflevector(a, b, __VA_ARGS__)
#define LOAD_QUARTER(at, x) (*(const unaligned_quarter *)(at) * (x))

/* Four rows side by side, into every `step`th four of `to`: transposed four components at a time. */
static void pack_four(const float *const *from, size_t offset, const dq_cosine_scale *scale, size_t n,
                      float *to, size_t step)
{
    const float *a = from[0] + offset, *b = from[1] + offset, *c = from[2] + offset, *d = from[3] + offset;
    bool floats = scale[0].before > 0 && scale[1].before > 0 && scale[2].before > 0 && scale[3].before > 0;
    size_t k = 0;
    for (; floats && k + 4 <= n; k += 4, to += 4 * step) {
        quarter x = LOAD_QUARTER(a + k, scale[0].before), y = LOAD_QUARTER(b + k, scale[1].before),
                z = LOAD_QUARTER(c + k, scale[2].before), w = LOAD_QUARTER(d + k, scale[3].before);
        quarter xy = MIX(x, y, 0, 4, 1, 5), XY = MIX(x, y, 2, 6, 3, 7), zw = MIX(z, w, 0, 4, 1, 5),
                ZW = MIX(z, w, 2, 6, 3, 7);
        QUARTER(to) = MIX(xy, zw, 0, 1, 4, 5);
        QUARTER(to + step) = MIX(xy, zw, 2, 3, 6, 7);
        QUARTER(to + 2 * step) = MIX(XY, ZW, 0, 1, 4, 5);
        QUARTER(to + 3 * step) = MIX(XY, ZW, 2, 3, 6, 7);
    }
    for (size_t i = 0; k < n && i < 4; i++) pack(from[i] + offset + k, scale[i], n - k, to + i, step);
}

/* The same of `count` rows, side by side. */
static void pack_rows(const float *const *from, size_t offset, const dq_cosine_scale *scale, size_t count,
                      size_t n, float *to, size_t step)
{
    size_t i = 0;
    for (; i + 4 <= count; i += 4) pack_four(from + i, offset, scale + i, n, to + i, step);
    for (; i < count; i++) pack(from[i] + offset, scale[i], n, to + i, step);
}

#define HALF(at) (*(unaligned_half *)(at))

/* Adds to dots (4, ITEMS) the products of 4 users with a panel: 8 sums of 8 lanes, as many as stay in the
 * registers of AVX2 (compilers keep wider ones in memory there). */
DQ_CLONES
static void add_products(const float *group, const float *panel, size_t depth, float *dots)
{
    half_lanes a = {0}, b = {0}, c = {0}, d = {0}, a2 = {0}, b2 = {0}, c2 = {0}, d2 = {0};
    for (size_t k = 0; k < depth; k++, group += GROUP, panel += LANES) {
        half_lanes x = LOAD_HALF(panel), x2 = LOAD_HALF(panel + 8);
        a += x * group[0], a2 += x2 * group[0];
        b += x * group[1], b2 += x2 * group[1];
        c += x * group[2], c2 += x2 * group[2];
        d += x * group[3], d2 += x2 * group[3];
    }
    HALF(dots) += a, HALF(dots + 8) += a2;
    HALF(dots + ITEMS) += b, HALF(dots + ITEMS + 8) += b2;
    HALF(dots + 2 * ITEMS) += c, HALF(dots + 2 * ITEMS + 8) += c2;
    HALF(dots + 3 * ITEMS) += d, HALF(dots + 3 * ITEMS + 8) += d2;
}

/* The components from .. from + depth - 1 of all rows; zeros fill the last group and the last panel. */
static void add_depth(tile *t, const float *const *users, const float *const *items, size_t from,
                      size_t depth)
{
    size_t full = t->users / GROUP * GROUP;
    if (full < t->users) memset(t->group + full * DEPTH, 0, GROUP * DEPTH * sizeof *t->group);
    for (size_t u = 0; u < t->users; u += GROUP)
        pack_rows(users + u, t->pair->user_offset + from, t->user + u, least(GROUP, t->users - u), depth,
                  t->group + u * DEPTH, GROUP);
    for (size_t first = 0; first < t->items; first += LANES) {
        if (t->items - first < LANES) memset(t->panel, 0, sizeof t->panel);
        pack_rows(items + first, t->pair->item_offset + from, t->item + first, least(LANES, t->items - first),
                  depth, t->panel, LANES);
        for (size_t u = 0; u < t->users; u += GROUP)
            add_products(t->group + u * DEPTH, t->panel, depth, t->dots + u * ITEMS + first);
    }
}

DQ_CLONES
static void add_cosines(const tile *t, size_t u, double share, float *out)
{
    const float *dots = t->dots + u * ITEMS;
    double user = t->user[u].after;
    for (size_t i = 0; i < t->items; i++)
        out[i] += (float)((double)dots[i] * (user * t->item[i].after) * share);
}

/* Of the range at `offset`, which pair number `pair` compares. */
static void find_scales(const dq_cosine_side *side, size_t pair, size_t offset, size_t n, dq_cosine_scale *to)
{
    for (size_t i = 0; i < side->count; i++)
        to[i] = side->scale ? side->scale[i][pair] : dq_cosine_scale_of(side->row[i] + offset, n);
}

static void add_pair(tile *t, const dq_cosine_side *users, const dq_cosine_side *items, size_t pair,
                     double share, float *out, size_t stride)
{
    const dq_pairing *p = t->pair;
    size_t groups = (t->users + GROUP - 1) / GROUP;
    find_scales(users, pair, p->user_offset, p->width, t->user);
    find_scales(items, pair, p->item_offset, p->width, t->item);
    memset(t->dots, 0, groups * GROUP * ITEMS * sizeof *t->dots);
    for (size_t from = 0; from < p->width; from += DEPTH)
        add_depth(t, users->row, items->row, from, p->width - from < DEPTH ? p->width - from : DEPTH);
    for (size_t u = 0; u < t->users; u++) add_cosines(t, u, share, out + u * stride);
}

void dq_cosine_tile(const dq_cosine_side *users, const dq_cosine_side *items, const dq_pairing *pairs,
                    size_t count, float *out, size_t stride)
{
    tile t; /* not set to zeros: a tile may be one pair */
    t.users = users->count;
    t.items = items->count;
    for (size_t u = 0; u < t.users; u++) memset(out + u * stride, 0, t.items * sizeof *out);
    for (size_t p = 0; p < count; p++) {
        t.pair = &pairs[p];
        add_pair(&t, users, items, p, 1 / (double)count, out, stride);
    }
}
