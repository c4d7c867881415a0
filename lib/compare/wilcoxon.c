/* SPDX-License-Identifier: MIT
 *
 * Ranks are doubled, so that the mean of two neighbours is a whole number.
 */
#include "compare/wilcoxon.h"

#include "math/special.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum { MOST_SIGNS = 50, MOST_RANKED = 1000 };

typedef struct ranked {
    double size, sign; /* sign -1, 0, 1 */
    uint64_t rank;     /* twice the rank */
} ranked;

static int by_size(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    return (x->size > y->size) - (x->size < y->size);
}

static void rank(const double *differences, size_t n, ranked *of)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs(differences[i]));
    for (size_t i = 0; i < n; i++) {
        double d = differences[i];
        of[i] = (ranked){.size = fabs(d), .sign = fabs(d) <= 1e-12 * most ? 0 : copysign(1, d)};
    }
    qsort(of, n, sizeof *of, by_size);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && of[to].size - of[from].size <= 1e-12 * most;) to++;
        for (size_t i = from; i < to; i++) of[i].rank = from + 1 + to; /* twice the mean of from + 1 .. to */
    }
}

/* How many of all signs give each sum of the positive ones' doubled ranks; 2^50 signs are exact in a double.
 */
static double count_signs(const ranked *of, size_t n, uint64_t total, uint64_t least, double *ways)
{
    uint64_t reached = 0;
    double count = 0, all = 1;
    ways[0] = 1;
    for (size_t i = 0; i < n; i++) {
        if (of[i].sign == 0) continue;
        for (uint64_t s = reached + 1; s-- > 0;) ways[s + of[i].rank] += ways[s];
        reached += of[i].rank;
        all *= 2;
    }
    for (uint64_t s = 0; s <= least; s++) count += ways[s];
    return total ? fmin(1, 2 * count / all) : 1;
}

dq_status dq_wilcoxon_test(const double *differences, size_t n, dq_wilcoxon *result, dq_error *error)
{
    uint64_t above = 0, below = 0;
    size_t signs = 0;
    double squares = 0;
    ranked *of = calloc(n + 1, sizeof *of);
    if (!of) return dq_fail_memory(error, "%zu differences", n);
    rank(differences, n, of);
    for (size_t i = 0; i < n; i++) {
        signs += of[i].sign != 0;
        if (of[i].sign > 0) above += of[i].rank;
        if (of[i].sign < 0) below += of[i].rank;
        squares += of[i].sign * of[i].sign * (double)of[i].rank * (double)of[i].rank;
    }
    *result = (dq_wilcoxon){.above = (double)above / 2, .below = (double)below / 2};
    result->exact = signs <= MOST_SIGNS && n <= MOST_RANKED;
    double *ways = result->exact ? calloc(above + below + 1, sizeof *ways) : NULL;
    bool short_of_memory = result->exact && !ways;
    if (n == 0)
        result->p = NAN;
    else if (ways)
        result->p = count_signs(of, n, above + below, above < below ? above : below, ways);
    else
        result->p = dq_normal_two_sided(((double)above - (double)below) / sqrt(squares));
    free(ways);
    free(of);
    return short_of_memory ? dq_fail_memory(error, "the signs of %zu differences", signs) : DQ_OK;
}
