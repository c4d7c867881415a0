/* SPDX-License-Identifier: MIT
 *
 * Measures of graded relevance. The gain of a level is the level itself (linear, as trec_eval has it) or
 * 2^level - 1 (exponential); the discount of rank i, from 1, is 1 / log2(i + 1) (Jaervelin and Kekaelaeinen,
 * ACM TOIS 20, 2002). What is not judged, or judged below 0, gains nothing.
 */
#include "measure/measures_impl.h"

#include <math.h>

typedef double gain_fn(int32_t level, int32_t greatest);

static double linear(int32_t level, int32_t greatest)
{
    (void)greatest;
    return level > 0 ? level : 0;
}

/* (2^level - 1) / 2^greatest, which is finite where 2^level is not. A division by a power of two is exact, so
 * a ratio of such gains has the bits that it has without. */
static double exponential(int32_t level, int32_t greatest)
{
    return level > 0 ? ldexp(1, level - greatest) - ldexp(1, -greatest) : 0;
}

/* Discounted gain of the first k of n levels, none above the greatest. */
static double dcg(const int32_t *level, size_t n, double k, gain_fn *gain_of, int32_t greatest)
{
    double sum = 0;
    for (size_t i = 0; i < n && (double)i < k; i++)
        if (level[i] > 0) sum += gain_of(level[i], greatest) / log2((double)(i + 2));
    return sum;
}

static double ndcg(const dq_judged_ranking *q, double k, gain_fn *gain_of)
{
    int32_t greatest = q->judged && q->ideal[0] > 0 ? q->ideal[0] : 0;
    double ideal = dcg(q->ideal, q->judged, k, gain_of, greatest);
    return ideal > 0 ? dcg(q->level, q->retrieved, k, gain_of, greatest) / ideal : 0;
}

double dq_dcg(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    return dcg(q->level, q->retrieved, INFINITY, linear, 0);
}

double dq_ideal_dcg(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    return dcg(q->ideal, q->judged, INFINITY, linear, 0);
}

double dq_ndcg(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    return ndcg(q, INFINITY, linear);
}

double dq_ndcg_cut(const dq_judged_ranking *q, double k)
{
    return ndcg(q, k, linear);
}

double dq_ndcg_exp(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    return ndcg(q, INFINITY, exponential);
}

double dq_ndcg_exp_cut(const dq_judged_ranking *q, double k)
{
    return ndcg(q, k, exponential);
}

/* Judged ones with a gain: the length of the ideal ranking. */
static size_t gainful(const dq_judged_ranking *q)
{
    size_t n = 0;
    while (n < q->judged && q->ideal[n] > 0) n++;
    return n;
}

/* The mean of NDCG at the ranks of those with a gain; one not retrieved counts with the NDCG of the whole. */
double dq_ndcg_at_relevant(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    size_t n = gainful(q), retrieved = 0;
    double got = 0, ideal = 0, sum = 0;
    for (size_t i = 0; i < q->retrieved; i++) {
        if (i < n) ideal += q->ideal[i] / log2((double)(i + 2));
        if (q->level[i] <= 0) continue;
        got += q->level[i] / log2((double)(i + 2));
        sum += got / ideal;
        retrieved++;
    }
    for (size_t i = q->retrieved; i < n; i++) ideal += q->ideal[i] / log2((double)(i + 2));
    return n ? (sum + (double)(n - retrieved) * got / ideal) / (double)n : 0;
}

/* The mean of NDCG at the ranks where the ideal ranking falls to a lower level, and after the whole ranking
 * when that is longer still. */
double dq_ndcg_at_levels(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    size_t n = gainful(q), places = 0;
    double got = 0, ideal = 0, sum = 0;
    if (!q->relevant || !n) return 0;
    for (size_t i = 0; i <= n; i++) {
        if (i && (i == n || q->ideal[i] != q->ideal[i - 1])) {
            sum += got / ideal;
            places++;
        }
        if (i < n) ideal += q->ideal[i] / log2((double)(i + 2));
        if (i < q->retrieved && q->level[i] > 0) got += q->level[i] / log2((double)(i + 2));
    }
    if (q->retrieved > n + 1) {
        for (size_t i = n + 1; i < q->retrieved; i++)
            if (q->level[i] > 0) got += q->level[i] / log2((double)(i + 2));
        sum += got / ideal;
        places++;
    }
    return sum / (double)places;
}

/* trec_eval's G: a gain is discounted by how far the ranking has fallen behind the ideal one, not by its
 * rank.
 */
double dq_gain(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    size_t n = gainful(q);
    double cost = 0, got = 0, sum = 0, ideal = 0;
    for (size_t i = 0; i < n; i++) ideal += q->ideal[i];
    for (size_t i = 0; i < q->retrieved; i++) {
        double gain = linear(q->level[i], 0);
        got += gain;
        cost += i < n ? q->ideal[i] : 1;
        if (gain > 0) sum += gain / log2(2 + cost - got);
    }
    return ideal > 0 ? sum / ideal : 0;
}

/* G with binary relevance. */
double dq_binary_gain(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    double sum = 0;
    for (size_t i = 0; i < q->retrieved; i++)
        if (q->hits[i + 1] > q->hits[i]) sum += 1 / log2((double)(3 + i - q->hits[i + 1]));
    return q->relevant ? sum / (double)q->relevant : 0;
}

/* Rank-biased precision at a persistence p (Moffat and Zobel, ACM TOIS 27, 2008). Gains are scaled into
 * [0, 1] by the query's greatest level when that is above 1. */
double dq_rbp_persistence(const dq_judged_ranking *q, double p)
{
    double scale = q->judged && q->ideal[0] > 1 ? q->ideal[0] : 1, weight = 1, sum = 0;
    for (size_t i = 0; i < q->retrieved; i++, weight *= p) sum += linear(q->level[i], 0) / scale * weight;
    return (1 - p) * sum;
}

static const double persistence = 0.9;

double dq_rbp(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    return dq_rbp_persistence(q, persistence);
}

/* What the unjudged could add to rbp: the weight of their ranks and of those beyond the end. */
double dq_rbp_residual(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    size_t unjudged = 0;
    double weight = 1, sum = 0;
    for (size_t i = 0; i < q->retrieved; i++, weight *= persistence)
        if (q->level[i] < 0) {
            sum += weight;
            unjudged++;
        }
    return unjudged ? weight + (1 - persistence) * sum : 0;
}

/* Expected reciprocal rank (Chapelle and others, CIKM 2009): the user goes down the list and stops at an item
 * with probability (2^level - 1) / 2^greatest, the greatest level that there is in the judgements. */
double dq_err_cut(const dq_judged_ranking *q, double k)
{
    double going = 1, sum = 0;
    for (size_t i = 0; i < q->retrieved && (double)i < k; i++) {
        double stops = exponential(q->level[i], q->greatest);
        sum += going * stops / (double)(i + 1);
        going *= 1 - stops;
    }
    return sum;
}

double dq_err(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    return dq_err_cut(q, INFINITY);
}
