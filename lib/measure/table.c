/* SPDX-License-Identifier: MIT
 *
 * The table of measures, in trec_eval's order; those that it lacks come last. A new measure is one entry here
 * and one function.
 */
#include "measure/measures_impl.h"

#include <math.h>

#define CUTOFFS  "5,10,15,20,30,100,200,500,1000"
#define RECALLS  "0,.1,.2,.3,.4,.5,.6,.7,.8,.9,1"
#define MULTIPLE ".2,.4,.6,.8,1,1.2,1.4,1.6,1.8,2"

enum {
    OFFICIAL = DQ_IN_OFFICIAL | DQ_IN_ALL,
    EACH = DQ_IN_OFFICIAL | DQ_IN_ALL | DQ_IN_SET,
    ALL = DQ_IN_ALL,
    SET = DQ_IN_ALL | DQ_IN_SET,
    RANKING = DQ_IN_RANKING,
};

/* clang-format off */
#define NAME(id, says, in) {.name = id, .help = says, .over = DQ_OVER_NAME, .groups = in, .summary_only = true}
#define COUNT(id, says, fn, in) {.name = id, .help = says, .compute = fn, .over = DQ_OVER_SUM, .groups = in}
#define MEAN(id, says, fn, in) {.name = id, .help = says, .compute = fn, .groups = in}
#define GEOM(id, says, fn, in) \
    {.name = id, .help = says, .compute = fn, .over = DQ_OVER_GEOMETRIC, .groups = in, .summary_only = true}
#define WITH(id, says, fn, takes, in, values) \
    {.name = id, .help = says, .compute = fn, .parameter = takes, .groups = in, .defaults = values}
#define WEIGHED(id, says, fn, in, values) \
    {.name = id, .help = says, .of_weights = fn, .parameter = DQ_TAKES_WEIGHTS, .groups = in, .defaults = values, .bare = true}
#define AT(id, says, fn, in, ks) WITH(id, says, fn, DQ_TAKES_CUTOFF, in, ks)
#define FRACTION(id, says, fn, in, fs) WITH(id, says, fn, DQ_TAKES_FRACTION, in, fs)
#define LIST(id, says, fn, of, facts) \
    {.name = id, .help = says, .of_list = fn, .parameter = DQ_TAKES_CUTOFF, .defaults = "10", .about = of, .needs = facts, .groups = (facts) & DQ_NEEDS_CATALOGUE ? 0 : DQ_IN_RECOMMENDER}
#define RUN(id, says, fn, takes, values) \
    {.name = id, .help = says, .of_run = fn, .over = DQ_OVER_RUN, .summary_only = true, .parameter = takes, .defaults = values, .needs = DQ_NEEDS_ITEMS, .groups = (takes) == DQ_TAKES_NOTHING ? 0 : DQ_IN_RECOMMENDER}

const dq_measure dq_measures[] = {
    NAME("runid", "name of the run", EACH),
    {.name = "num_q", .help = "queries evaluated", .compute = dq_count_query, .over = DQ_OVER_SUM, .groups = EACH | RANKING, .summary_only = true},
    COUNT("num_ret", "retrieved", dq_count_retrieved, EACH),
    COUNT("num_rel", "relevant", dq_count_relevant, EACH),
    COUNT("num_rel_ret", "relevant and retrieved", dq_count_relevant_retrieved, EACH),
    MEAN("map", "average precision", dq_average_precision, OFFICIAL | RANKING),
    GEOM("gm_map", "average precision, geometric mean", dq_average_precision, OFFICIAL),
    MEAN("Rprec", "precision after R, the number of relevant ones", dq_r_precision, OFFICIAL),
    MEAN("bpref", "preferences among judged ones kept", dq_bpref, OFFICIAL),
    MEAN("recip_rank", "1 / rank of the first relevant one (mrr)", dq_reciprocal_rank, OFFICIAL | RANKING),
    FRACTION("iprec_at_recall", "greatest precision at a recall or above", dq_interpolated_precision, OFFICIAL, RECALLS),
    AT("P", "precision: share of relevant ones among the first k", dq_precision, OFFICIAL | RANKING, CUTOFFS),
    {.name = "relstring", .help = "levels of the first k as a text, - not in the pool, . not judged; with -q", .of_text = dq_level_text, .parameter = DQ_TAKES_CUTOFF, .over = DQ_OVER_TEXT, .groups = ALL, .defaults = "10", .bare = true},
    AT("recall", "share of the relevant ones that are among the first k", dq_recall, ALL | RANKING, CUTOFFS),
    MEAN("infAP", "average precision inferred from a sampled pool", dq_inferred_ap, ALL),
    GEOM("gm_bpref", "bpref, geometric mean", dq_bpref, ALL),
    FRACTION("Rprec_mult", "precision after a multiple of R", dq_r_precision_multiple, ALL, MULTIPLE),
    WEIGHED("utility", "weights of relevant and other ones retrieved, and of those not", dq_utility, SET, "1,-1,0,0"),
    MEAN("11pt_avg", "mean of iprec_at_recall at 0, 0.1 ... 1", dq_eleven_point_average, ALL),
    MEAN("binG", "G with binary relevance", dq_binary_gain, ALL),
    MEAN("G", "gain discounted by what the ideal ranking has more", dq_gain, ALL),
    MEAN("dcg", "discounted cumulative gain", dq_dcg, 0),
    MEAN("ideal_dcg", "discounted cumulative gain of the ideal ranking", dq_ideal_dcg, 0),
    MEAN("ndcg", "dcg / ideal_dcg, linear gain", dq_ndcg, ALL),
    MEAN("ndcg_rel", "mean ndcg at the ranks of relevant ones", dq_ndcg_at_relevant, ALL),
    MEAN("Rndcg", "mean ndcg where the ideal level changes", dq_ndcg_at_levels, ALL),
    AT("ndcg_cut", "ndcg of the first k, linear gain", dq_ndcg_cut, ALL | RANKING, CUTOFFS),
    AT("map_cut", "average precision of the first k", dq_average_precision_cut, ALL, CUTOFFS),
    AT("relative_P", "precision relative to the greatest possible", dq_relative_precision, ALL, CUTOFFS),
    AT("success", "1 when one of the first k is relevant (hit rate)", dq_success, ALL | RANKING, "1,5,10"),
    MEAN("set_P", "precision of all retrieved", dq_set_precision, SET),
    MEAN("set_relative_P", "set_P relative to the greatest possible", dq_set_relative_precision, SET),
    MEAN("set_recall", "recall of all retrieved", dq_set_recall, SET),
    MEAN("set_map", "set_P times set_recall", dq_set_map, SET),
    WEIGHED("set_F", "mean of set_P and set_recall, harmonic, recall X times as important", dq_set_f, SET, "1"),
    COUNT("num_nonrel_judged_ret", "judged not relevant and retrieved", dq_count_nonrelevant_retrieved, ALL),
    MEAN("rbp", "rank-biased precision, p = 0.9", dq_rbp, ALL),
    MEAN("rbp_resid", "what unjudged ones could add to rbp", dq_rbp_residual, ALL),
    AT("unj", "share of unjudged ones among the first k", dq_unjudged, ALL, "5,10,20"),
    MEAN("ndcg_exp", "ndcg with gain 2^level - 1", dq_ndcg_exp, 0),
    AT("ndcg_exp_cut", "ndcg of the first k with gain 2^level - 1", dq_ndcg_exp_cut, RANKING, CUTOFFS),
    AT("recip_rank_cut", "recip_rank, 0 beyond rank k", dq_reciprocal_rank_cut, 0, CUTOFFS),
    MEAN("err", "expected reciprocal rank", dq_err, 0),
    AT("err_cut", "expected reciprocal rank of the first k", dq_err_cut, 0, CUTOFFS),
    WITH("rbp_p", "rank-biased precision at persistence X", dq_rbp_persistence, DQ_TAKES_SHARE, 0, ".5,.8,.95"),
    {.name = "gauc", .help = "AUC of each list, weighted by the lists' lengths", .compute = dq_user_auc, .over = DQ_OVER_WEIGHTED},
    RUN("auc", "area under the ROC curve of all judged lists together", dq_auc, DQ_TAKES_NOTHING, NULL),
    RUN("coverage", "share of the items that the run shows among the first k", dq_coverage, DQ_TAKES_CUTOFF, "10"),
    RUN("user_coverage", "share of the users that the run shows anything", dq_user_coverage, DQ_TAKES_CUTOFF, "10"),
    RUN("gini", "inequality of how often items are shown (0: all alike)", dq_gini, DQ_TAKES_CUTOFF, "10"),
    RUN("entropy", "Shannon entropy of how often items are shown, nats", dq_entropy, DQ_TAKES_CUTOFF, "10"),
    LIST("novelty", "mean self-information of the first k, bits", dq_novelty, 0, DQ_NEEDS_ITEMS | DQ_NEEDS_POPULARITY),
    LIST("popularity", "mean number of users who met an item of the first k", dq_average_popularity, 0, DQ_NEEDS_ITEMS | DQ_NEEDS_POPULARITY),
    LIST("tail", "share of the first k that are long tail", dq_tail_share, 0, DQ_NEEDS_ITEMS | DQ_NEEDS_POPULARITY),
    LIST("serendipity", "share of the first k that are relevant and not popular", dq_serendipity, 0, DQ_NEEDS_ITEMS | DQ_NEEDS_POPULARITY),
    LIST("diversity", "mean 1 - cosine of pairs of the first k, by a field", dq_diversity, DQ_ABOUT_FIELD, DQ_NEEDS_ITEMS | DQ_NEEDS_VECTORS),
    LIST("calibration", "divergence of an attribute's shares from the user's", dq_calibration, DQ_ABOUT_ATTRIBUTE, DQ_NEEDS_ITEMS | DQ_NEEDS_HISTORY),
};
/* clang-format on */

const size_t dq_measure_count = sizeof dq_measures / sizeof *dq_measures;

double dq_measure_summary(const dq_measure *measure, const double *values, size_t n)
{
    const double least = 0.00001; /* a query at 0 would make the whole geometric mean 0 */
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += measure->over == DQ_OVER_GEOMETRIC ? log(fmax(values[i], least)) : values[i];
    if (measure->over == DQ_OVER_SUM || n == 0) return sum;
    return measure->over == DQ_OVER_GEOMETRIC ? exp(sum / (double)n) : sum / (double)n;
}
