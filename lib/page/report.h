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
#include "plot/figure.h"

/* How results were come by. Nothing is owned. */
typedef struct dq_page_run {
    const char *maker;        /* "dq-eval 0.1.0" */
    const char *const *words; /* (word_count) the command line */
    size_t word_count;
    const char *const *inputs; /* (input_count) paths; "-": stdin, from where it stands */
    size_t input_count;
    const dq_json_text *said; /* notes, each with a NUL at its end */
} dq_page_run;

typedef struct dq_page_report {
    const char *title; /* "Rankings" */
    const dq_page_run *run;
    dq_page_view view;
    const char *caption; /* of the first table */
    const char *table;   /* TSV; NULL: there is none */
    size_t table_bytes;
    double confidence;       /* of the intervals, 0: none */
    const dq_figure *figure; /* NULL: none; a panel is a picture of its own, so that they flow */
} dq_page_report;

/* Reads the inputs again, and adds the part to a page. The same report of the same inputs gives the same
 * bytes. Errors are those of the inputs, of the tables, of plot/plot.h and of dq_page_add. */
dq_status dq_page_add_report(dq_page *page, const dq_page_report *report, dq_error *error);

#endif
