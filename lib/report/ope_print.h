/* SPDX-License-Identifier: MIT
 *
 * Off-policy estimates as a table to look at, TSV with a head, or lines of JSON.
 */
#ifndef DQ_REPORT_OPE_PRINT_H
#define DQ_REPORT_OPE_PRINT_H

#include "dq/sink.h"
#include "ope/estimate.h"

typedef enum dq_ope_format { DQ_OPE_TABLE, DQ_OPE_TSV, DQ_OPE_JSON } dq_ope_format;

/* One line an estimate: estimator value se lower upper ess max_weight unsupported bernstein_lower
 * bernstein_upper bound. lower and upper are the bootstrap's; unsupported NAN: not known. What there is not
 * is empty in TSV, null in JSON, "-" in the table. */
dq_status dq_ope_print(const dq_ope_estimate *estimates, size_t count, double unsupported,
                       dq_ope_format format, dq_sink *out, dq_error *error);

#endif
