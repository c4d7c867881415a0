/* SPDX-License-Identifier: MIT */
#include "rank/explore.h"

#include "core/index.h"

#include <math.h>
#include <string.h>

dq_rng dq_explore_rng(uint64_t seed, const char *user, size_t user_bytes, const char *item, size_t item_bytes)
{
    return dq_rng_stream(seed, dq_hash(item, item_bytes, dq_hash(user, user_bytes, 0)));
}

/* In (0, 1]: the logarithm below is finite. */
static double open_uniform(dq_rng *rng)
{
    return 1.0 - dq_rng_uniform(rng);
}

float dq_explore_softmax(float score, double temperature, dq_rng *rng)
{
    double exponential = -log(open_uniform(rng)); /* >= 0 */
    double gumbel = exponential > 0 ? -log(exponential) : 40;
    double key = (double)score / temperature + gumbel;
    return key > 3e38 ? 3e38F : key < -3e38 ? -3e38F : (float)key;
}

float dq_explore_uniform(dq_rng *rng)
{
    return (float)dq_rng_uniform(rng);
}

static bool is_in(const dq_scored *item, const dq_scored **list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i]->id_bytes == item->id_bytes && memcmp(list[i]->id, item->id, item->id_bytes) == 0)
            return true;
    return false;
}

/* The first item of a list, from *at on, that out does not hold; NULL when the list is used up. */
static const dq_scored *next_unused(const dq_scored *list, size_t count, size_t *at, const dq_scored **out,
                                    size_t n)
{
    while (*at < count && is_in(&list[*at], out, n)) ++*at;
    return *at < count ? &list[*at] : NULL;
}

size_t dq_explore_epsilon(const dq_scored *best, size_t best_count, const dq_scored *random,
                          size_t random_count, double epsilon, dq_rng *rng, size_t k, const dq_scored **out)
{
    size_t n = 0, from_best = 0, from_random = 0;
    while (n < k) {
        bool explore = dq_rng_uniform(rng) < epsilon;
        const dq_scored *item = explore ? next_unused(random, random_count, &from_random, out, n)
                                        : next_unused(best, best_count, &from_best, out, n);
        if (!item) break;
        out[n++] = item;
    }
    return n;
}
