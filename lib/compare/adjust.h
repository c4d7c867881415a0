/* SPDX-License-Identifier: MIT
 *
 * Many tests at once: among twenty that find nothing one is below 0.05. Adjusted p are compared with the
 * level as if each stood alone.
 */
#ifndef DQ_COMPARE_ADJUST_H
#define DQ_COMPARE_ADJUST_H

#include "dq/status.h"

#include <stddef.h>

typedef enum dq_adjustment {
    /* Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6,
     * 1979: the chance of any false finding is at most the level, whatever the tests' dependence. */
    DQ_ADJUST_HOLM,
    /* Benjamini and Hochberg, "Controlling the false discovery rate", JRSS B 57, 1995: the expected share of
     * false ones among the findings is, for tests that are independent or positively dependent. */
    DQ_ADJUST_BH,
    DQ_ADJUST_NONE
} dq_adjustment;

/* "holm", "bh", "none", NULL. */
extern const char *const dq_adjustment_names[];

/* Adjusts p (n) into adjusted (n), which may be p itself. A NAN is no test: it stays, and does not count.
 * DQ_ERR_MEMORY. */
dq_status dq_adjust(dq_adjustment how, const double *p, size_t n, double *adjusted, dq_error *error);

#endif
