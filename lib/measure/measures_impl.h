/* SPDX-License-Identifier: MIT
 *
 * The functions that the table lists (table.c); others find them there. parameter is a rank, a fraction, or
 * unused.
 */
#ifndef DQ_MEASURE_MEASURES_IMPL_H
#define DQ_MEASURE_MEASURES_IMPL_H

#include "measure/table.h"

/* counts and sets (sets.c) */
double dq_count_query(const dq_judged_ranking *q, double unused);
double dq_count_retrieved(const dq_judged_ranking *q, double unused);
double dq_count_relevant(const dq_judged_ranking *q, double unused);
double dq_count_relevant_retrieved(const dq_judged_ranking *q, double unused);
double dq_count_nonrelevant_retrieved(const dq_judged_ranking *q, double unused);
double dq_set_precision(const dq_judged_ranking *q, double unused);
double dq_set_relative_precision(const dq_judged_ranking *q, double unused);
double dq_set_recall(const dq_judged_ranking *q, double unused);
double dq_set_map(const dq_judged_ranking *q, double unused);
double dq_set_f(const dq_judged_ranking *q, const double weights[DQ_MEASURE_WEIGHTS]);
double dq_utility(const dq_judged_ranking *q, const double weights[DQ_MEASURE_WEIGHTS]);
void dq_level_text(const dq_judged_ranking *q, double k, char text[DQ_MAX_TEXT + 1]);

/* precision and recall along the ranking (precision.c) */
double dq_precision(const dq_judged_ranking *q, double k);
double dq_recall(const dq_judged_ranking *q, double k);
double dq_relative_precision(const dq_judged_ranking *q, double k);
double dq_success(const dq_judged_ranking *q, double k);
double dq_unjudged(const dq_judged_ranking *q, double k);
double dq_average_precision(const dq_judged_ranking *q, double unused);
double dq_average_precision_cut(const dq_judged_ranking *q, double k);
double dq_reciprocal_rank(const dq_judged_ranking *q, double unused);
double dq_reciprocal_rank_cut(const dq_judged_ranking *q, double k);
double dq_r_precision(const dq_judged_ranking *q, double unused);
double dq_r_precision_multiple(const dq_judged_ranking *q, double fraction);
double dq_interpolated_precision(const dq_judged_ranking *q, double recall);
double dq_eleven_point_average(const dq_judged_ranking *q, double unused);
double dq_user_auc(const dq_judged_ranking *q, double unused);
double dq_bpref(const dq_judged_ranking *q, double unused);
double dq_inferred_ap(const dq_judged_ranking *q, double unused);

/* graded gains (gain.c) */
double dq_dcg(const dq_judged_ranking *q, double unused);
double dq_ideal_dcg(const dq_judged_ranking *q, double unused);
double dq_ndcg(const dq_judged_ranking *q, double unused);
double dq_ndcg_cut(const dq_judged_ranking *q, double k);
double dq_ndcg_exp(const dq_judged_ranking *q, double unused);
double dq_ndcg_exp_cut(const dq_judged_ranking *q, double k);
double dq_ndcg_at_relevant(const dq_judged_ranking *q, double unused);
double dq_ndcg_at_levels(const dq_judged_ranking *q, double unused);
double dq_gain(const dq_judged_ranking *q, double unused);
double dq_binary_gain(const dq_judged_ranking *q, double unused);
double dq_rbp(const dq_judged_ranking *q, double unused);
double dq_rbp_persistence(const dq_judged_ranking *q, double p);
double dq_rbp_residual(const dq_judged_ranking *q, double unused);
double dq_err(const dq_judged_ranking *q, double unused);
double dq_err_cut(const dq_judged_ranking *q, double k);

/* a user's list and its items (recommended.c) */
double dq_novelty(const dq_recommended *l, double k);
double dq_average_popularity(const dq_recommended *l, double k);
double dq_tail_share(const dq_recommended *l, double k);
double dq_serendipity(const dq_recommended *l, double k);
double dq_diversity(const dq_recommended *l, double k);
double dq_calibration(const dq_recommended *l, double k);

/* all lists of a run (exposure.c) */
double dq_coverage(const dq_exposure *e);
double dq_user_coverage(const dq_exposure *e);
double dq_gini(const dq_exposure *e);
double dq_entropy(const dq_exposure *e);
double dq_auc(const dq_exposure *e);

#endif
