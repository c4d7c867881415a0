/* SPDX-License-Identifier: MIT
 *
 * The C library's expf, tanhf and erfcf take one number at a time, and longer than the product that a hidden
 * unit comes from. These take 16 at a time: exp and tanh as Moshier's Cephes has them, erfc as Press et al.,
 * "Numerical Recipes", section 6.2. The last, short run is padded.
 */
#include "math/smooth.h"

#include "math/clones.h"
#include "math/lanes.h"

#include <string.h>

typedef int int_lanes __attribute__((vector_size(64)));

#define ALL(x) ((lanes){0} + (x))

/* mask ? a : b, by lanes; a mask is all ones or all zeros. */
static inline __attribute__((always_inline)) lanes choose(int_lanes mask, lanes a, lanes b)
{
    return (lanes)((mask & (int_lanes)a) | (~mask & (int_lanes)b));
}

static inline __attribute__((always_inline)) lanes magnitude(lanes x)
{
    return (lanes)((int_lanes)x & 0x7fffffff);
}

/* e^x for x <= 80; 0 below -87. 2^k is k in the exponent's bits, and e^r a polynomial for |r| < ln 2 / 2. */
static inline __attribute__((always_inline)) lanes exponential(lanes x)
{
    const float magic = 12582912; /* adding it rounds to a whole number */
    int_lanes small = x < -87;
    x = choose(small, ALL(-87), x);
    lanes k = x * 1.44269504F + magic - magic;
    lanes r = x - k * 0.693359375F + k * 2.12194440e-4F;
    lanes p = r * 1.9875691500e-4F + 1.3981999507e-3F;
    p = p * r + 8.3334519073e-3F;
    p = p * r + 4.1665795894e-2F;
    p = p * r + 1.6666665459e-1F;
    p = p * r + 5.0000001201e-1F;
    lanes e = p * r * r + r + 1;
    lanes power = (lanes)((__builtin_convertvector(k, int_lanes) + 127) << 23);
    return choose(small, ALL(0), e * power);
}

/* erfc(z) for z >= 0 */
static inline __attribute__((always_inline)) lanes complement(lanes z)
{
    static const float c[] = {0.17087277F,  -0.82215223F, 1.48851587F, -1.13520398F, 0.27886807F,
                              -0.18628806F, 0.09678418F,  0.37409196F, 1.00002368F,  -1.26551223F};
    lanes t = 1 / (1 + z * 0.5F), p = ALL(c[0]);
    for (size_t i = 1; i < sizeof c / sizeof *c; i++) p = p * t + c[i];
    return t * exponential(p - z * z);
}

static inline __attribute__((always_inline)) lanes gelu(lanes x, lanes *slope)
{
    lanes half = complement(magnitude(x) * 0.707106781F) * 0.5F, phi = choose(x < 0, half, 1 - half);
    *slope = phi + x * exponential(x * x * -0.5F) * 0.398942280F;
    return x * phi;
}

static inline __attribute__((always_inline)) lanes tangent(lanes x, lanes *slope)
{
    lanes size = magnitude(x), square = x * x, p = square * -5.70498872745e-3F + 2.06390887954e-2F;
    p = p * square - 5.37397155531e-2F;
    p = p * square + 1.33314422036e-1F;
    p = p * square - 3.33332819422e-1F;
    lanes near = p * square * x + x, capped = choose(size > 20, ALL(20), size);
    lanes far = 1 - 2 / (exponential(capped * 2) + 1);
    lanes y = choose(size < 0.625F, near, choose(x < 0, -far, far));
    y = choose(x == x, y, x); /* what is no number stays none: NOLINT(misc-redundant-expression) */
    *slope = 1 - y * y;
    return y;
}

/* A function of runs from one of lanes. */
#define RUN(name, function)                                                                                  \
    DQ_CLONES                                                                                                \
    void name(float *h, float *slope, const float *z, size_t n)                                              \
    {                                                                                                        \
        lanes s, y;                                                                                          \
        float in[LANES] = {0};                                                                               \
        for (size_t i = 0; i < n; i += LANES) {                                                              \
            size_t some = n - i < LANES ? n - i : LANES;                                                     \
            if (some < LANES) memcpy(in, z + i, some * sizeof *in);                                          \
            y = function(some < LANES ? LOAD(in) : LOAD(z + i), &s);                                         \
            memcpy(h + i, &y, some * sizeof *h);                                                             \
            if (slope) memcpy(slope + i, &s, some * sizeof *h);                                              \
        }                                                                                                    \
    }

RUN(dq_smooth_gelu, gelu)
RUN(dq_smooth_tanh, tangent)
