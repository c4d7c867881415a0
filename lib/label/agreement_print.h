/* SPDX-License-Identifier: MIT
 *
 * The agreement of labellers as tables to look at, TSV or JSON lines.
 */
#ifndef DQ_LABEL_AGREEMENT_PRINT_H
#define DQ_LABEL_AGREEMENT_PRINT_H

#include "dq/sink.h"
#include "label/agreement_read.h"

typedef enum dq_agreement_format {
    DQ_AGREEMENT_TABLE,
    DQ_AGREEMENT_TSV,
    DQ_AGREEMENT_JSON
} dq_agreement_format;

/* Writes every measure with its interval and number of pairs, then a confusion matrix of every two streams,
 * a row a label of the first. TSV has the columns measure, first, second, label, other, value, low, high,
 * pairs: first is "all" for measures of all streams; the measure "confusion" has a row for each two labels,
 * and as its value how many pairs have them. JSON has an object a measure, and one a matrix. What is
 * undefined is "-", empty, null. level: of the intervals, for the table's head. */
dq_status dq_agreement_print(const dq_labelled *labelled, const dq_agreement *agreement,
                             dq_agreement_format format, double level, dq_sink *out, dq_error *error);

#endif
