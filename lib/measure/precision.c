/* SPDX-License-Identifier: MIT
 *
 * Measures of precision and recall along the ranking, with binary relevance. A ranking shorter than a cutoff
 * counts as filled up with what is not relevant.
 */
#include "measure/measures_impl.h"

#include <math.h>

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Relevant ones among the first k. */
static double hits_at(const dq_judged_ranking *q, double k)
{
    return q->hits[k < (double)q->retrieved ? (size_t)k : q->retrieved];
}

double dq_precision(const dq_judged_ranking *q, double k)
{
    return hits_at(q, k) / k;
}

double dq_recall(const dq_judged_ranking *q, double k)
{
    return q->relevant ? hits_at(q, k) / (double)q->relevant : 0;
}

double dq_relative_precision(const dq_judged_ranking *q, double k)
{
    return q->relevant ? hits_at(q, k) / fmin(k, (double)q->relevant) : 0;
}

double dq_success(const dq_judged_ranking *q, double k)
{
    return hits_at(q, k) > 0;
}

double dq_unjudged(const dq_judged_ranking *q, double k)
{
    size_t n = 0;
    for (size_t i = 0; i < q->retrieved && (double)i < k; i++) n += q->level[i] < 0;
    return (double)n / k;
}

double dq_average_precision_cut(const dq_judged_ranking *q, double k)
{
    double sum = 0;
    for (size_t i = 0; i < q->retrieved && (double)i < k; i++)
        if (q->hits[i + 1] > q->hits[i]) sum += (double)q->hits[i + 1] / (double)(i + 1);
    return q->relevant ? sum / (double)q->relevant : 0;
}

double dq_average_precision(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    return dq_average_precision_cut(q, INFINITY);
}

double dq_reciprocal_rank_cut(const dq_judged_ranking *q, double k)
{
    for (size_t i = 0; i < q->retrieved && (double)i < k; i++)
        if (q->hits[i + 1]) return 1 / (double)(i + 1);
    return 0;
}

double dq_reciprocal_rank(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    return dq_reciprocal_rank_cut(q, INFINITY);
}

/* Precision after as many as there are relevant. */
double dq_r_precision(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    return q->relevant ? hits_at(q, (double)q->relevant) / (double)q->relevant : 0;
}

/* Precision after a multiple of R ranks; trec_eval rounds that rank by adding 0.9. */
double dq_r_precision_multiple(const dq_judged_ranking *q, double fraction)
{
    double k = floor(fraction * (double)q->relevant + 0.9);
    return k >= 1 ? hits_at(q, k) / k : 0;
}

/* The greatest precision at any rank where recall has reached the fraction, which is rounded to a whole
 * number of relevant ones. It is that of a relevant one: between them precision falls. */
double dq_interpolated_precision(const dq_judged_ranking *q, double recall)
{
    double needed = round(recall * (double)q->relevant), best = 0;
    for (size_t i = q->retrieved; i > 0 && q->hits[i] && q->hits[i] >= needed; i--) {
        if (q->hits[i] == q->hits[i - 1]) continue;
        double here = (double)q->hits[i] / (double)i;
        if (here > best) best = here;
    }
    return best;
}

double dq_eleven_point_average(const dq_judged_ranking *q, double unused)
{
    static const double recall[] = {0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0};
    (void)unused;
    double sum = 0;
    for (int i = 10; i >= 0; i--) sum += dq_interpolated_precision(q, recall[i]);
    return sum / 11;
}

/* The area under the ROC curve of one list: of all pairs of a relevant and another item, those in the right
 * order, a tie of their scores being a half. NAN without such a pair. */
double dq_user_auc(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    double relevant = q->hits[q->retrieved], others = (double)q->retrieved - relevant, above = 0;
    for (size_t i = 0, end; i < q->retrieved; i = end) {
        for (end = i; end < q->retrieved && q->score[end] == q->score[i]; end++) continue;
        double here = q->hits[end] - q->hits[i], others_here = (double)(end - i) - here;
        above += others_here * (q->hits[i] + here / 2);
    }
    return relevant > 0 && others > 0 ? above / (relevant * others) : NAN;
}

/* Preferences of judged relevant over judged others that the ranking keeps (Buckley and Voorhees, SIGIR
 * 2004).
 */
double dq_bpref(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    size_t others = 0, bound = smaller(q->judged - q->relevant, q->relevant);
    double sum = 0;
    for (size_t i = 0; i < q->retrieved; i++) {
        if (q->level[i] < 0) continue;
        if (q->level[i] < q->threshold)
            others++;
        else
            sum += others ? 1 - (double)smaller(others, q->relevant) / (double)bound : 1;
    }
    return q->relevant ? sum / (double)q->relevant : 0;
}

/* Inferred average precision, for a pool judged by a sample (Yilmaz and Aslam, CIKM 2006): the precision
 * above a relevant one at rank i + 1 is expected from the judged ones there, smoothed by epsilon. */
double dq_inferred_ap(const dq_judged_ranking *q, double unused)
{
    const double epsilon = 0.00001;
    (void)unused;
    double relevant = 0, others = 0, unjudged = 0, sum = 0;
    for (size_t i = 0; i < q->retrieved; i++) {
        if (q->level[i] == DQ_LEVEL_UNPOOLED) continue;
        if (q->level[i] == DQ_LEVEL_UNJUDGED) {
            unjudged++;
        } else if (q->level[i] < q->threshold) {
            others++;
        } else if (i == 0) {
            relevant++;
            sum += 1;
        } else {
            double above = (double)i, pooled = (relevant + others + unjudged) / above;
            double share = (relevant + epsilon) / (relevant + others + 2 * epsilon);
            sum += 1 / (above + 1) + above / (above + 1) * pooled * share;
            relevant++;
        }
    }
    return q->relevant ? sum / (double)q->relevant : 0;
}
