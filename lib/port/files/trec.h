/* SPDX-License-Identifier: MIT
 *
 * The text files of TREC, line by line: what trec_eval reads.
 *
 *     qrels    query iteration document relevance
 *     run      query Q0 document rank score tag ...
 *
 * Columns are parted by spaces, tabs and other bytes up to a space. Empty lines are left out; there are no
 * comments, for '#' may begin an id. Iteration, Q0 and rank are not looked at. Relevance is an integer of 32
 * bits; a score is a finite number, read to the nearest double. BEIR's three columns are refused by their
 * name.
 */
#ifndef DQ_PORT_FILES_TREC_H
#define DQ_PORT_FILES_TREC_H

#include "dq/source.h"

#include <stdint.h>

typedef enum dq_trec_form { DQ_TREC_QRELS, DQ_TREC_RUN } dq_trec_form;

typedef struct dq_trec {
    dq_source *source; /* borrowed */
    dq_trec_form form;
    uint64_t line; /* of the last line read, from 1 */
} dq_trec;

/* Not NUL-terminated; valid until the next line is read. */
typedef struct dq_trec_line {
    const char *query, *doc, *tag; /* tag: of a run, else NULL */
    size_t query_bytes, doc_bytes, tag_bytes;
    double value; /* relevance or score */
} dq_trec_line;

/* 1: a line; 0: the end; -1: a line that is none, with source, line number and reason in *error. */
int dq_trec_next(dq_trec *trec, dq_trec_line *line, dq_error *error) __attribute__((warn_unused_result));

#endif
