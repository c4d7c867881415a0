/* SPDX-License-Identifier: MIT
 *
 * How far labellers agree, beyond what chance would make of their habits.
 *
 *   share      of the pairs that both labelled, those with the same label from both
 *   kappa      Cohen's: (p_o - p_e) / (1 - p_e), p_e from each labeller's own shares of labels. J. Cohen, "A
 *              coefficient of agreement for nominal scales", Educational and Psychological Measurement 20
 *              (1960)
 *   linear     weighted kappa: 1 - sum w o / sum w e, where w is how many places two labels lie apart on the
 *   quadratic  scale, or the square of that. J. Cohen, "Weighted kappa", Psychological Bulletin 70 (1968)
 *   fleiss     of any number of labellers, over the pairs that all labelled; p_e from the shares of labels
 *              among all. J. L. Fleiss, "Measuring nominal scale agreement among many raters", Psychological
 *              Bulletin 76 (1971). Of two labellers it is Scott's pi
 *   alpha      Krippendorff's: 1 - D_o / D_e, over the pairs that at least two labelled, whoever they are.
 *              Nominal: labels differ or not; ordinal: the square of how many labels lie between two, both
 *              counted half; interval: the square of the difference of their values. K. Krippendorff,
 *              "Computing Krippendorff's alpha-reliability", University of Pennsylvania (2011)
 *
 * 1 is agreement in everything, 0 what chance gives, below 0 less than that. Where chance alone would agree
 * in everything (all labels are one), a coefficient is undefined: NAN.
 */
#ifndef DQ_LABEL_AGREEMENT_H
#define DQ_LABEL_AGREEMENT_H

#include "compare/bootstrap.h"

enum { DQ_RATERS = 16, DQ_RATED_LABELS = 64 };
#define DQ_NO_LABEL UINT32_MAX

/* Who gave which label to what. All borrowed. */
typedef struct dq_ratings {
    uint32_t raters;       /* 2 .. DQ_RATERS */
    uint32_t labels;       /* 1 .. DQ_RATED_LABELS */
    size_t pairs;          /* of a user and an item; any unit */
    const uint32_t *given; /* (pairs, raters) labels from 0, or DQ_NO_LABEL */
    const uint32_t *place; /* (labels) on the scale, from 0, below DQ_RATED_LABELS; labels of one place count
                            * as one. NULL: labels have no order */
    const double *value;   /* (labels) finite; NULL with place */
} dq_ratings;

typedef enum dq_agreement_measure {
    DQ_AGREE_SHARE,
    DQ_AGREE_KAPPA,
    DQ_AGREE_LINEAR,
    DQ_AGREE_QUADRATIC,
    DQ_AGREE_FLEISS,
    DQ_AGREE_NOMINAL,
    DQ_AGREE_ORDINAL,
    DQ_AGREE_INTERVAL
} dq_agreement_measure;

typedef struct dq_agreement_row {
    dq_agreement_measure measure;
    uint32_t first, second; /* raters; of fleiss and alpha, which are of all, 0 and 0 */
    uint64_t pairs;         /* that it is of */
    double value;
    dq_interval interval;
} dq_agreement_row;

typedef struct dq_agreement {
    dq_agreement_row *rows; /* share and kappas of every two raters, then fleiss and alpha of all */
    size_t count;
} dq_agreement;

/* Measures, with intervals of the percentile bootstrap over pairs: as many pairs as at least one rater
 * labelled are drawn with replacement, and what is undefined in a draw is left out of the interval (NAN where
 * all is). Measures that need an order are there where the ratings have one. resamples >= 2, 0 < level < 1,
 * and the ranges above, else DQ_ERR_RANGE; DQ_ERR_MEMORY. Free with dq_agreement_free. */
dq_status dq_agreement_find(const dq_ratings *ratings, size_t resamples, double level, dq_rng *rng,
                            dq_agreement *agreement, dq_error *error);
void dq_agreement_free(dq_agreement *agreement);

/* "kappa", "alpha-ordinal" ... */
const char *dq_agreement_name(dq_agreement_measure measure);

/* table (labels, labels): how many pairs have label i of rater a and label j of rater b. */
void dq_agreement_confusion(const dq_ratings *ratings, uint32_t a, uint32_t b, uint64_t *table);

#endif
