/* SPDX-License-Identifier: MIT
 *
 * SLOPE (Su, Srinath and Krishnamurthy, "Adaptive estimator selection for off-policy evaluation", 2020) in
 * the form SLOPE++ (Tucker and Lee, "Improved estimator selection for off-policy evaluation", 2021), where
 * estimates are ordered by how sure each is. Lepski's principle: go from the widest interval to the narrowest
 * as long as the next agrees with all before it.
 */
#ifndef DQ_OPE_SLOPE_H
#define DQ_OPE_SLOPE_H

#include "dq/status.h"

#include <stddef.h>

/* The chosen one of `count` >= 1 estimates, whose bounds ascend: values (count), and widths (count), how far
 * each may be from its mean. Equal widths: the greater bound first. Of more than DQ_SLOPE_MAX only the first
 * so many count. */
enum { DQ_SLOPE_MAX = 64 };
size_t dq_slope_choose(const double *values, const double *widths, size_t count);

/* Reads bounds, as "1,10,100": grid (*count), at most DQ_SLOPE_MAX, finite, above 0 and ascending, else
 * DQ_ERR_RANGE. */
dq_status dq_slope_grid(const char *text, double grid[DQ_SLOPE_MAX], size_t *count, dq_error *error);

#endif
