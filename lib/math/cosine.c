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
#include "math/lanes.h"

#include <math.h>

/* Squares of floats lie in 1e-90 .. 1.2e77: neither their sums nor the product of two leaves a double. */
static double cosine_of(const float *u, const float *a, size_t n)
{
    double ua = 0, uu = 0, aa = 0;
    for (size_t i = 0; i < n; i++) {
        double x = dq_exact(u[i]), y = dq_exact(a[i]);
        ua += x * y;
        uu += x * x;
        aa += y * y;
    }
    return uu > 0 && aa > 0 ? ua / sqrt(uu * aa) : 0;
}

double dq_cosine(const float *user, const float *item, const dq_pairing *pairs, size_t count)
{
    double total = 0;
    for (size_t p = 0; p < count; p++)
        total += cosine_of(user + pairs[p].user_offset, item + pairs[p].item_offset, pairs[p].width);
    return count ? total / (double)count : 0;
}

/* sums[0] = u.a, sums[1] = a.a */
DQ_CLONES
static void two_sums(const float *u, const float *a, size_t n, float sums[2])
{
    lanes ua = {0}, aa = {0}, ua2 = {0}, aa2 = {0};
    size_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        lanes x = LOAD(a + i), y = LOAD(a + i + LANES);
        ua += LOAD(u + i) * x;
        aa += x * x;
        ua2 += LOAD(u + i + LANES) * y;
        aa2 += y * y;
    }
    ua += ua2;
    aa += aa2;
    for (size_t lane = 0; i < n; i++, lane = (lane + 1) % LANES) {
        ua[lane] += u[i] * a[i];
        aa[lane] += a[i] * a[i];
    }
    FOLD(ua);
    FOLD(aa);
    sums[0] = ua[0];
    sums[1] = aa[0];
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

void dq_cosine_block(const float *user, const float *items, size_t stride, size_t n, const dq_pairing *pairs,
                     size_t count, float *out)
{
    for (size_t i = 0; i < n; i++) out[i] = 0;
    for (size_t p = 0; p < count; p++) {
        const float *u = user + pairs[p].user_offset;
        double norm = 0;
        for (size_t i = 0; i < pairs[p].width; i++) norm += dq_exact(u[i]) * dq_exact(u[i]);
        if (norm == 0) continue;
        double scale = 1 / (sqrt(norm) * (double)count);
        range good = good_norms(norm);
        for (size_t i = 0; i < n; i++) {
            const float *a = items + i * stride + pairs[p].item_offset;
            float sums[2];
            two_sums(u, a, pairs[p].width, sums);
            double aa = (double)sums[1];
            if (aa >= good.low && aa <= good.high)
                out[i] += (float)(sums[0] * scale / sqrt(aa));
            else
                out[i] += (float)(cosine_of(u, a, pairs[p].width) / (double)count);
        }
    }
}
