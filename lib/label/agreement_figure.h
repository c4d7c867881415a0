/* SPDX-License-Identifier: MIT
 *
 * The agreement of labellers as a figure.
 */
#ifndef DQ_LABEL_AGREEMENT_FIGURE_H
#define DQ_LABEL_AGREEMENT_FIGURE_H

#include "label/agreement_read.h"
#include "plot/figure.h"

/* Adds panels: every measure with its interval; how reliable each label is, as the share of its uses by two
 * streams that both agree on (2 n_ii / (n_i. + n_.i): R. L. Spitzer and J. L. Fleiss, "A re-analysis of the
 * reliability of psychiatric diagnosis", British Journal of Psychiatry 125 (1974)); and the confusion of
 * every two streams, of at most DQ_AGREEMENT_PANELS, with a note on the others. level: of the intervals.
 * DQ_ERR_MEMORY. */
dq_status dq_agreement_figure(const dq_labelled *labelled, const dq_agreement *agreement, double level,
                              dq_figure *figure, dq_error *error);

enum { DQ_AGREEMENT_PANELS = 6 };

#endif
