/* SPDX-License-Identifier: MIT
 *
 * One pass over an item gives both sums that its cosine needs, u.a and a.a, so that ranking reads memory once
 * and does nothing else. These sums are floats; where one of them could leave what a float holds exactly
 * enough (components of 1e-22 or 3e38), the pair is taken again in double, which holds every product of
 * floats: the one function of every cosine.
 */
#include "math/cosine.h"

#include "math/clones.h"
#include "math/exact.h"
#include "math/halves.h"
#include "math/lanes.h"

#include <math.h>
#include <stdint.h>

/* Squares of floats lie in 1e-90 .. 1.2e77: neither their sums u.a, u.u, a.a nor the product of two leaves a
 * double. */
static inline void add_squares(float u, float a, double sums[3])
{
    double x = dq_exact(u), y = dq_exact(a);
    sums[0] += x * y;
    sums[1] += x * x;
    sums[2] += y * y;
}

static double quotient(const double sums[3])
{
    return sums[1] > 0 && sums[2] > 0 ? sums[0] / sqrt(sums[1] * sums[2]) : 0;
}

static double cosine_of(const float *u, const float *a, size_t n)
{
    double sums[3] = {0};
    for (size_t i = 0; i < n; i++) add_squares(u[i], a[i], sums);
    return quotient(sums);
}

double dq_cosine(const float *user, const float *item, const dq_pairing *pairs, size_t count)
{
    double total = 0;
    for (size_t p = 0; p < count; p++)
        total += cosine_of(user + pairs[p].user_offset, item + pairs[p].item_offset, pairs[p].width);
    return count ? total / (double)count : 0;
}

/* The products of the last numbers of a run, i to n - 1, each of them j, lane by lane. */
#define ADD_LAST(sums, product)                                                                              \
    do {                                                                                                     \
        float lane_[LANES];                                                                                  \
        sums_store(lane_, sums);                                                                             \
        for (size_t j = i; j < n; j++) lane_[(j - i) % LANES] += (product);                                  \
        (sums) = sums_load(lane_);                                                                           \
    } while (0)

/* Numbers from those that are read to those that are asked for: these may lie in the next row, `gap` numbers
 * behind this row's n. The processor's own prefetching ends at each page and does not keep up with halves;
 * where a part of each row is read, it goes on behind the part and finds the next one late. */
static inline size_t ahead_of(size_t size, size_t n, size_t gap)
{
    enum { FLOATS = 256, HALVES = 1024 };
    const size_t ahead = size == sizeof(float) ? FLOATS : HALVES;
    return gap && n < ahead ? n : ahead;
}

/* Asks for 32 numbers, `ahead` of number i of a row. Behind the last row there may be nothing: an address. */
static inline void ask_for(const void *row, size_t size, size_t i, size_t n, size_t ahead, size_t gap)
{
    enum { LINE = 64 };
    const uintptr_t at = (uintptr_t)row + (i + ahead + (i + ahead < n ? 0 : gap)) * size;
    __builtin_prefetch((const void *)at);
    if (size == sizeof(float)) __builtin_prefetch((const void *)(at + LINE)); /* 32 floats are two lines */
}

/* sums[0] = u.a, sums[1] = a.a; items as they are stored, made floats where they are used. Of 32 numbers the
 * first 16 and the others have sums of their own: a core begins several additions before one has ended. */
#define TWO_SUMS(for_which, name, type, LOAD_ITEMS, ONE_ITEM)                                                \
    for_which static void name(const float *u, const type *a, size_t n, size_t gap, float sums[2])           \
    {                                                                                                        \
        lane_sums ua = NO_SUMS, aa = NO_SUMS, ua2 = NO_SUMS, aa2 = NO_SUMS;                                  \
        const size_t ahead = ahead_of(sizeof(type), n, gap);                                                 \
        size_t i = 0;                                                                                        \
        for (; i + 2 * LANES <= n; i += 2 * LANES) {                                                         \
            half_lanes x, y, z, w;                                                                           \
            ask_for(a, sizeof(type), i, n, ahead, gap);                                                      \
            LOAD_ITEMS(x, a + i);                                                                            \
            LOAD_ITEMS(y, a + i + 8);                                                                        \
            LOAD_ITEMS(z, a + i + 16);                                                                       \
            LOAD_ITEMS(w, a + i + 24);                                                                       \
            ua.low += LOAD_8(u + i) * x;                                                                     \
            aa.low += x * x;                                                                                 \
            ua.high += LOAD_8(u + i + 8) * y;                                                                \
            aa.high += y * y;                                                                                \
            ua2.low += LOAD_8(u + i + 16) * z;                                                               \
            aa2.low += z * z;                                                                                \
            ua2.high += LOAD_8(u + i + 24) * w;                                                              \
            aa2.high += w * w;                                                                               \
        }                                                                                                    \
        sums_join(&ua, ua2);                                                                                 \
        sums_join(&aa, aa2);                                                                                 \
        if (i < n) {                                                                                         \
            ask_for(a, sizeof(type), i, n, ahead, gap);                                                      \
            float last[2 * LANES];                                                                           \
            for (size_t j = i; j < n; j++) last[j - i] = ONE_ITEM(a + j);                                    \
            ADD_LAST(ua, u[j] * last[j - i]);                                                                \
            ADD_LAST(aa, last[j - i] * last[j - i]);                                                         \
        }                                                                                                    \
        sums[0] = sums_fold(ua);                                                                             \
        sums[1] = sums_fold(aa);                                                                             \
    }

#define LOAD_F4(x, at) (x = LOAD_8(at))
#define ONE_F4(at)     (*(at))

static inline float one_f2(const uint16_t *at)
{
    float x;
    dq_convert_f4(&x, at, DQ_F2, 1);
    return x;
}

static inline float one_bf16(const uint16_t *at)
{
    float x;
    dq_convert_f4(&x, at, DQ_BF16, 1);
    return x;
}

TWO_SUMS(DQ_CLONES, two_sums, float, LOAD_F4, ONE_F4)
TWO_SUMS(DQ_CLONES, two_sums_bf16, uint16_t, LOAD_BF16, one_bf16)
TWO_SUMS(DQ_CLONES, two_sums_f2_any, uint16_t, LOAD_F2, one_f2)
#ifdef DQ_HAS_F16C
TWO_SUMS(DQ_F16C, two_sums_f2_f16c, uint16_t, LOAD_F2_F16C, one_f2)
#endif

/* IEEE halves by the CPU's own conversion where it has one; to the same bits. The best form first. */
typedef struct f2_form {
    bool (*has)(void);
    void (*sums)(const float *u, const uint16_t *a, size_t n, size_t gap, float sums[2]);
} f2_form;

#ifdef DQ_HAS_F16C
static bool has_f16c(void) /* no CPU has AVX2 without it */
{
    return __builtin_cpu_supports("avx2");
}
#endif

static bool has_any(void)
{
    return true;
}

static const f2_form f2_forms[] = {
#ifdef DQ_HAS_F16C
    {has_f16c, two_sums_f2_f16c},
#endif
    {has_any, two_sums_f2_any}};

static void two_sums_f2(const float *u, const uint16_t *a, size_t n, size_t gap, float sums[2])
{
    const f2_form *form = f2_forms;
    while (!form->has()) form++;
    form->sums(u, a, n, gap, sums);
}

/* The squared norms of items for which both sums of floats are good, beside a user's of uu. A pool's threads
 * lose what is below 1.2e-38: of 10,000 products 1e-34, nothing beside a.a and |u| |a| of at least 1e-25; and
 * no partial sum is beyond 1e37. */
typedef struct range {
    double low, high;
} range;

static range good_norms(double uu)
{
    if (uu < 1e-50) return (range){1, 0}; /* none */
    return (range){fmax(1e-25, 1e-50 / uu), fmin(1e37, 1e74 / uu)};
}

/* The sums of a range of one row. */
static void sums_of(const float *u, const void *row, dq_dtype type, uint32_t offset, size_t n, size_t gap,
                    float sums[2])
{
    if (type == DQ_F4)
        two_sums(u, (const float *)row + offset, n, gap, sums);
    else if (type == DQ_F2)
        two_sums_f2(u, (const uint16_t *)row + offset, n, gap, sums);
    else
        two_sums_bf16(u, (const uint16_t *)row + offset, n, gap, sums);
}

/* cosine_of a range of such a row. */
static double exact_cosine(const float *u, const void *row, dq_dtype type, uint32_t offset, size_t n)
{
    size_t size = dq_dtype_size(type);
    double sums[3] = {0};
    for (size_t i = 0; i < n; i++) {
        float a;
        dq_convert_f4(&a, (const char *)row + (offset + i) * size, type, 1);
        add_squares(u[i], a, sums);
    }
    return quotient(sums);
}

void dq_cosine_rows(const float *user, const void *items, dq_dtype type, size_t stride, size_t n,
                    const dq_pairing *pairs, size_t count, float *out)
{
    size_t row_bytes = stride * dq_dtype_size(type);
    for (size_t i = 0; i < n; i++) out[i] = 0;
    for (size_t p = 0; p < count; p++) {
        const float *u = user + pairs[p].user_offset;
        double norm = 0;
        for (size_t i = 0; i < pairs[p].width; i++) norm += dq_exact(u[i]) * dq_exact(u[i]);
        if (norm == 0) continue;
        double scale = 1 / (sqrt(norm) * (double)count);
        range good = good_norms(norm);
        const size_t gap = n > 1 ? stride - pairs[p].width : 0; /* of one row the stride says nothing */
        for (size_t i = 0; i < n; i++) {
            const char *row = (const char *)items + i * row_bytes;
            float sums[2];
            sums_of(u, row, type, pairs[p].item_offset, pairs[p].width, gap, sums);
            double aa = (double)sums[1];
            if (aa >= good.low && aa <= good.high)
                out[i] += (float)(sums[0] * scale / sqrt(aa));
            else
                out[i] += (float)(exact_cosine(u, row, type, pairs[p].item_offset, pairs[p].width) /
                                  (double)count);
        }
    }
}

void dq_cosine_block(const float *user, const float *items, size_t stride, size_t n, const dq_pairing *pairs,
                     size_t count, float *out)
{
    dq_cosine_rows(user, items, DQ_F4, stride, n, pairs, count, out);
}
