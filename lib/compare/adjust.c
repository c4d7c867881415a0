/* SPDX-License-Identifier: MIT */
#include "compare/adjust.h"

#include <math.h>
#include <stdlib.h>

const char *const dq_adjustment_names[] = {
    [DQ_ADJUST_HOLM] = "holm", [DQ_ADJUST_BH] = "bh", [DQ_ADJUST_NONE] = "none", NULL};

typedef struct tested {
    double p;
    size_t at;
} tested;

static int by_p(const void *a, const void *b)
{
    const tested *x = a, *y = b;
    if (x->p != y->p) return x->p < y->p ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* From the least p up, never less than the one before. */
static void holm(const tested *sorted, size_t n, double *adjusted)
{
    double before = 0;
    for (size_t i = 0; i < n; i++) {
        before = fmin(1, fmax(before, (double)(n - i) * sorted[i].p));
        adjusted[sorted[i].at] = before;
    }
}

/* From the greatest p down, never more than the one before. */
static void benjamini_hochberg(const tested *sorted, size_t n, double *adjusted)
{
    double before = 1;
    for (size_t i = n; i-- > 0;) {
        before = fmin(before, (double)n / (double)(i + 1) * sorted[i].p);
        adjusted[sorted[i].at] = before;
    }
}

dq_status dq_adjust(dq_adjustment how, const double *p, size_t n, double *adjusted, dq_error *error)
{
    size_t count = 0;
    tested *sorted = calloc(n + 1, sizeof *sorted);
    if (!sorted) return dq_fail_memory(error, "%zu tests", n);
    for (size_t i = 0; i < n; i++) {
        if (!isnan(p[i])) sorted[count++] = (tested){p[i], i};
        adjusted[i] = p[i];
    }
    qsort(sorted, count, sizeof *sorted, by_p);
    if (how == DQ_ADJUST_HOLM) holm(sorted, count, adjusted);
    if (how == DQ_ADJUST_BH) benjamini_hochberg(sorted, count, adjusted);
    free(sorted);
    return DQ_OK;
}
