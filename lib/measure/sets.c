/* SPDX-License-Identifier: MIT
 *
 * Counts, and measures of the retrieved as a set, whatever its order.
 */
#include "measure/measures_impl.h"

static double found(const dq_judged_ranking *q)
{
    return q->hits[q->retrieved];
}

double dq_count_query(const dq_judged_ranking *q, double unused)
{
    (void)q, (void)unused;
    return 1;
}

double dq_count_retrieved(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    return (double)q->retrieved;
}

double dq_count_relevant(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    return (double)q->relevant;
}

double dq_count_relevant_retrieved(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    return found(q);
}

double dq_count_nonrelevant_retrieved(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    size_t n = 0;
    for (size_t i = 0; i < q->retrieved; i++) n += q->level[i] >= 0 && q->level[i] < q->threshold;
    return (double)n;
}

double dq_set_precision(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    return q->retrieved ? found(q) / (double)q->retrieved : 0;
}

double dq_set_relative_precision(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    size_t most = q->retrieved < q->relevant ? q->retrieved : q->relevant;
    return most ? found(q) / (double)most : 0;
}

double dq_set_recall(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    return q->relevant ? found(q) / (double)q->relevant : 0;
}

double dq_set_map(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    if (!q->retrieved || !q->relevant) return 0;
    return found(q) * found(q) / ((double)q->retrieved * (double)q->relevant);
}

/* (x + 1) P R / (R + x P): recall counts x times as much as precision (van Rijsbergen 1979). */
double dq_set_f(const dq_judged_ranking *q, const double weights[DQ_MEASURE_WEIGHTS])
{
    double p = dq_set_precision(q, 0), r = dq_set_recall(q, 0), x = weights[0];
    return found(q) > 0 ? (x + 1) * p * r / (x * p + r) : 0;
}

/* What each document is worth that is relevant and retrieved, not relevant and retrieved, relevant and not
 * retrieved, neither; the last needs the number of all documents. */
double dq_utility(const dq_judged_ranking *q, const double weights[DQ_MEASURE_WEIGHTS])
{
    double hits = found(q), retrieved = (double)q->retrieved, relevant = (double)q->relevant;
    return weights[0] * hits + weights[1] * (retrieved - hits) + weights[2] * (relevant - hits) +
           weights[3] * ((double)q->documents + hits - retrieved - relevant);
}

/* The levels of the first k, a character each; '>' above 9. */
void dq_level_text(const dq_judged_ranking *q, double k, char text[DQ_MAX_TEXT + 1])
{
    size_t n = 0;
    for (; n < q->retrieved && (double)n < k && n < DQ_MAX_TEXT; n++) {
        int32_t level = q->level[n];
        if (level >= 0)
            text[n] = (char)(level > 9 ? '>' : '0' + level);
        else
            text[n] = level == DQ_LEVEL_UNPOOLED ? '-' : '.';
    }
    text[n] = '\0';
}
