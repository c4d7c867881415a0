/* SPDX-License-Identifier: MIT
 *
 * A report of one evaluation: what came of it as tables and pictures, what was said meanwhile, and how to get
 * the same again: the command and its inputs, with who made these of what. A part of a page (page/page.h).
 */
#ifndef DQ_PAGE_REPORT_H
#define DQ_PAGE_REPORT_H

#include "page/input.h"
#include "page/page.h"
#include "page/views.h"

typedef struct dq_page_report {
    const char *title;        /* "Rankings against judgements" */
    const char *maker;        /* "dq-eval 0.1.0" */
    const char *const *words; /* (word_count) the command line */
    size_t word_count;
    const dq_page_input *inputs; /* (input_count) */
    size_t input_count;
    const dq_json_text *notes; /* NUL-terminated, each behind the other; NULL: none */
    dq_page_view view;
    const char *caption;       /* of the first table */
    const dq_json_text *table; /* TSV */
    double confidence;         /* of the intervals, 0: none */
} dq_page_report;

/* Appends the part to a page. The same report gives the same bytes. Errors are those of the tables and of
 * dq_page_add. */
dq_status dq_page_add_report(dq_page *page, const dq_page_report *report, dq_error *error);

/* A sink that appends to a text. */
dq_status dq_page_collect(dq_sink **sink, dq_json_text *text, dq_error *error);

#endif
