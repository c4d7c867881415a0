/* SPDX-License-Identifier: MIT */
#include "core/rng.h"

#include <math.h>

__extension__ typedef unsigned __int128 u128;

static uint64_t splitmix64(uint64_t *x)
{
    uint64_t z = (*x += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

dq_rng dq_rng_new(uint64_t seed)
{
    dq_rng rng;
    for (int i = 0; i < 4; i++) rng.s[i] = splitmix64(&seed);
    return rng;
}

dq_rng dq_rng_stream(uint64_t seed, uint64_t stream)
{
    uint64_t mixed = splitmix64(&seed) ^ (stream * 0xd1342543de82ef95U + 1);
    return dq_rng_new(splitmix64(&mixed));
}

uint64_t dq_rng_u64(dq_rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

double dq_rng_uniform(dq_rng *rng)
{
    return (double)(dq_rng_u64(rng) >> 11) * 0x1.0p-53;
}

uint64_t dq_rng_below(dq_rng *rng, uint64_t n)
{
    u128 product = (u128)dq_rng_u64(rng) * n;
    if ((uint64_t)product < n) {
        uint64_t threshold = (0 - n) % n; /* 2^64 mod n: the biased low products */
        while ((uint64_t)product < threshold) product = (u128)dq_rng_u64(rng) * n;
    }
    return (uint64_t)(product >> 64);
}

double dq_rng_normal(dq_rng *rng)
{
    double u, v, s;
    do {
        u = 2 * dq_rng_uniform(rng) - 1;
        v = 2 * dq_rng_uniform(rng) - 1;
        s = u * u + v * v;
    } while (s >= 1 || s == 0);
    return u * sqrt(-2 * log(s) / s);
}

void dq_rng_shuffle(dq_rng *rng, uint32_t *values, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)dq_rng_below(rng, i);
        uint32_t swap = values[i - 1];
        values[i - 1] = values[j];
        values[j] = swap;
    }
}

void dq_rng_sample(dq_rng *rng, uint32_t *out, size_t k, uint32_t *scratch, size_t n)
{
    for (size_t i = 0; i < n; i++) scratch[i] = (uint32_t)i;
    for (size_t i = 0; i < k; i++) {
        size_t j = i + (size_t)dq_rng_below(rng, n - i);
        out[i] = scratch[j];
        scratch[j] = scratch[i];
    }
}
