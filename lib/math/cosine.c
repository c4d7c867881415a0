/* SPDX-License-Identifier: MIT
 *
 * One pass over an item gives both sums that its cosine needs, u.a and a.a, so that ranking reads memory once
 * and does nothing else.
 */
#include "math/cosine.h"

#include "math/clones.h"
#include "math/lanes.h"

#include <math.h>

double dq_cosine(const float *user, const float *item, const dq_pairing *pairs, size_t count)
{
    double total = 0;
    for (size_t p = 0; p < count; p++) {
        const float *u = user + pairs[p].user_offset, *a = item + pairs[p].item_offset;
        double ua = 0, uu = 0, aa = 0;
        for (size_t i = 0; i < pairs[p].width; i++) {
            ua += (double)u[i] * (double)a[i];
            uu += (double)u[i] * (double)u[i];
            aa += (double)a[i] * (double)a[i];
        }
        if (uu > 0 && aa > 0) total += ua / sqrt(uu * aa);
    }
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

void dq_cosine_block(const float *user, const float *items, size_t stride, size_t n, const dq_pairing *pairs,
                     size_t count, float *out)
{
    for (size_t i = 0; i < n; i++) out[i] = 0;
    for (size_t p = 0; p < count; p++) {
        const float *u = user + pairs[p].user_offset;
        double norm = 0;
        for (size_t i = 0; i < pairs[p].width; i++) norm += (double)u[i] * (double)u[i];
        if (norm == 0) continue;
        double scale = 1 / (sqrt(norm) * (double)count);
        for (size_t i = 0; i < n; i++) {
            float sums[2];
            two_sums(u, items + i * stride + pairs[p].item_offset, pairs[p].width, sums);
            if (sums[1] > 0) out[i] += (float)(sums[0] * scale / sqrt((double)sums[1]));
        }
    }
}
