/* SPDX-License-Identifier: MIT */
#include "rank/explore.h"

#include "core/index.h"

#include <float.h>
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
    for (size_t i = 0; i < n; i++) /* what a list counts is there: NOLINTNEXTLINE(*.NullDereference) */
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

/* ---- propensities ---- */

void dq_explore_epsilon_propensities(const dq_scored *best, size_t best_count, uint64_t candidates,
                                     double epsilon, const dq_scored *const *out, size_t n,
                                     double *propensity)
{
    size_t at = 0;
    for (size_t place = 0; place < n; place++) {
        const dq_scored *greedy = next_unused(best, best_count, &at, (const dq_scored **)out, place);
        const dq_scored *item = out[place];
        bool is_best = greedy && is_in(greedy, &item, 1);
        double p = epsilon / (double)(candidates - place) + (is_best ? 1 - epsilon : 0);
        propensity[place] = p < 1 ? p : 1;
    }
}

/* exp(x) as m 2^(32 l), m a whole number of 84 bits: pieces[0] of 2^(32 (l + 2)), and so down. */
static int64_t cut_exp(double x, int64_t pieces[3])
{
    enum { DIGITS = 52, LIMB = 32 };
    const double log2e = 1.4426950408889634, far = 0x1p50;
    double y = x * log2e;
    y = y > far ? far : y < -far ? -far : y;
    double whole = floor(y);
    uint64_t m = (uint64_t)(exp2(y - whole) * 0x1p52); /* DIGITS behind the point */
    int64_t place = (int64_t)whole - DIGITS;
    int64_t limb = place >= 0 ? place / LIMB : -((-place + LIMB - 1) / LIMB);
    unsigned shift = (unsigned)(place - LIMB * limb); /* 0 .. 31 */
    uint64_t low = m << shift, high = shift ? m >> (64 - shift) : 0;
    pieces[0] = (int64_t)high;
    pieces[1] = (int64_t)(low >> LIMB);
    pieces[2] = (int64_t)(low & UINT32_MAX);
    return limb;
}

/* Makes the limb at `top` the first one. */
static void raise_to(dq_explore_sum *sum, int64_t top)
{
    int64_t up = sum->any ? top - sum->top : 0;
    if (sum->any && up <= 0) return;
    for (int64_t i = DQ_EXPLORE_LIMBS - 1; i >= 0; i--)
        sum->limbs[i] = sum->any && i >= up ? sum->limbs[i - up] : 0;
    sum->any = true;
    sum->top = top;
}

static void change(dq_explore_sum *sum, double x, int64_t sign)
{
    int64_t pieces[3], limb = cut_exp(x, pieces);
    raise_to(sum, limb + 2);
    for (int64_t i = 0; i < 3; i++) {
        int64_t at = sum->top - (limb + 2 - i);
        if (at < DQ_EXPLORE_LIMBS) sum->limbs[at] += sign * pieces[i];
    }
}

void dq_explore_sum_add(dq_explore_sum *sum, double x)
{
    change(sum, x, 1);
}

void dq_explore_sum_remove(dq_explore_sum *sum, double x)
{
    change(sum, x, -1);
}

double dq_explore_sum_log(const dq_explore_sum *sum)
{
    int64_t carry = 0;
    double value = 0, unit = 1;
    for (int i = DQ_EXPLORE_LIMBS - 1; i >= 0; i--, unit *= 0x1p32) {
        int64_t limb = sum->limbs[i] + carry;
        carry = i ? limb >> 32 : 0; /* rounds down, also below 0 */
        value += unit * (double)(i ? limb & UINT32_MAX : limb);
    }
    if (!sum->any || value <= 0) return -INFINITY;
    return log(value) + (double)(sum->top - DQ_EXPLORE_LIMBS + 1) * 32 * 0.6931471805599453;
}

/* log(exp(a) + exp(b)) */
static double add_logs(double a, double b)
{
    double more = a > b ? a : b, less = a > b ? b : a;
    return less == -INFINITY ? more : more + log1p(exp(less - more));
}

static bool is_among(const dq_scored *item, const dq_scored *list, size_t n)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = dq_scored_compare(&list[middle], item);
        if (order == 0) return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static bool was_chosen(const dq_scored *item, const dq_scored *chosen, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (dq_scored_compare(&chosen[i], item) == 0) return true;
    return false;
}

/* Backwards: what is left at a place is what is left behind it and the item itself, so that nothing is ever
 * subtracted from what the first places had most of. */
void dq_explore_softmax_propensities(const dq_scored *chosen, size_t n, const dq_scored *best,
                                     size_t best_count, const dq_explore_sum *rest, double temperature,
                                     double *propensity)
{
    dq_explore_sum others = *rest;
    for (size_t i = 0; i < n; i++)
        if (!is_among(&chosen[i], best, best_count))
            dq_explore_sum_remove(&others, (double)chosen[i].score / temperature);
    double left = dq_explore_sum_log(&others);
    for (size_t i = best_count; i-- > 0;)
        if (!was_chosen(&best[i], chosen, n)) left = add_logs(left, (double)best[i].score / temperature);
    for (size_t i = n; i-- > 0;) {
        double x = (double)chosen[i].score / temperature, p;
        left = add_logs(left, x);
        p = exp(x - left);
        propensity[i] = p > 1 ? 1 : p < DBL_MIN ? DBL_MIN : p;
    }
}

/* ---- ensemble ---- */

static bool is_same(const dq_scored *a, const dq_scored *b)
{
    return a->id_bytes == b->id_bytes && memcmp(a->id, b->id, a->id_bytes) == 0;
}

void dq_explore_member_propensities(const dq_scored *const *lists, size_t members, size_t drawn, size_t n,
                                    double *propensity)
{
    for (size_t place = 0; place < n; place++) propensity[place] = 0; /* members that agree so far */
    for (size_t m = 0; m < members; m++)
        for (size_t place = 0; place < n && is_same(&lists[m][place], &lists[drawn][place]); place++)
            propensity[place]++;
    double above = (double)members;
    for (size_t place = 0; place < n; place++) {
        double agree = propensity[place];
        propensity[place] = agree / above;
        above = agree;
    }
}
