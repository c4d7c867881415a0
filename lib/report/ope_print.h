/* SPDX-License-Identifier: MIT
 *
 * Off-policy estimates as a table to look at, TSV with a head, or lines of JSON.
 */
#ifndef DQ_REPORT_OPE_PRINT_H
#define DQ_REPORT_OPE_PRINT_H

#include "dq/sink.h"
#include "ope/paired.h"
#include "report/ope_study.h"
#include "verdict/compared.h"

typedef enum dq_ope_format { DQ_OPE_TABLE, DQ_OPE_TSV, DQ_OPE_JSON } dq_ope_format;

/* One line an estimate: estimator value se lower upper ess max_weight unsupported bernstein_lower
 * bernstein_upper bound. lower and upper are the bootstrap's; unsupported NAN: not known. What there is not
 * is empty in TSV, null in JSON, "-" in the table. */
dq_status dq_ope_print(const dq_ope_estimate *estimates, size_t count, double unsupported,
                       dq_ope_format format, dq_sink *out, dq_error *error);

/* ---- several targets ---- */

typedef struct dq_ope_judged {
    const char *target;
    const dq_ope_study *study;        /* run, and not freed */
    const dq_ope_estimate *estimates; /* (picks) */
} dq_ope_judged;

/* The same of count targets as a table, whose first column is `target`. */
dq_status dq_ope_list_targets(const dq_ope_judged *judged, size_t count, dq_text_table *table,
                              dq_error *error);
/* How the targets differ by each estimator, in pairs over the blocks of the log (ope/paired.h). DQ_ERR_RANGE
 * for more than DQ_OPE_MAX_TARGETS, and for targets that were judged on different rows. */
dq_status dq_ope_compare_targets(const dq_ope_judged *judged, size_t count, const dq_compare_options *options,
                                 dq_compared *compared, dq_error *error);

#endif
