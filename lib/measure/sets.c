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

double dq_set_f(const dq_judged_ranking *q, double unused)
{
    double p = dq_set_precision(q, unused), r = dq_set_recall(q, unused);
    return found(q) > 0 ? 2 * p * r / (p + r) : 0;
}

/* +1 for each relevant one retrieved, -1 for each other one retrieved. */
double dq_utility(const dq_judged_ranking *q, double unused)
{
    (void)unused;
    return found(q) - ((double)q->retrieved - found(q));
}
