/* SPDX-License-Identifier: MIT
 *
 * What the two halves of report/ope_log.h share: ope_log.c, items and users; ope_rows.c, rows.
 */
#ifndef DQ_REPORT_OPE_LOG_IMPL_H
#define DQ_REPORT_OPE_LOG_IMPL_H

#include "report/ope_log.h"

/* Takes a bundle, which may be emptied. */
typedef dq_status (*dq_ope_take_bundle)(dq_ope_log *log, dq_bundle *bundle, uint64_t section, void *arg,
                                        dq_error *error);

/* Gives all bundles of a stream. */
dq_status dq_ope_log_bundles(dq_ope_log *log, const char *const *paths, size_t count, dq_ope_take_bundle take,
                             void *arg, dq_error *error);

#endif
