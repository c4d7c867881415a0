/* SPDX-License-Identifier: MIT
 *
 * Time, for what times the library.
 */
#ifndef DQ_BENCH_SECONDS_H
#define DQ_BENCH_SECONDS_H

#include <time.h>

static inline double seconds(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* How many a second. Some machines count CPU time in steps of 10 ms, so what is quick may have taken none: a
 * microsecond is the least. */
static inline double a_second(double count, double took)
{
    return count / (took > 1e-6 ? took : 1e-6);
}

#endif
