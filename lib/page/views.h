/* SPDX-License-Identifier: MIT
 *
 * What each way of working prints as TSV, as the tables that people compare: runs beside measures, policies,
 * estimates, labels against labels.
 */
#ifndef DQ_PAGE_VIEWS_H
#define DQ_PAGE_VIEWS_H

#include "page/table.h"

/* Which columns to expect, and what is made of them. */
typedef enum dq_page_view {
    DQ_PAGE_PLAIN,     /* any: as it is, values joined with their intervals */
    DQ_PAGE_MEASURES,  /* measure, value: numbers of a row are alike, those of a column are not */
    DQ_PAGE_RANKINGS,  /* report/runs.h */
    DQ_PAGE_ROLLOUTS,  /* model, measure, at, value */
    DQ_PAGE_AGREEMENT, /* label/agreement_print.h */
    DQ_PAGE_CURVES     /* report/curves.h */
} dq_page_view;

/* Appends the tables of TSV with a head. A caption names the first, a way of working its others. confidence:
 * of the intervals, 0 where there are none. Errors are in out->status. */
void dq_page_view_write(dq_page_view view, const char *caption, const char *tsv, size_t bytes,
                        double confidence, dq_html *out);

#endif
