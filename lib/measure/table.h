/* SPDX-License-Identifier: MIT
 *
 * Measures of rankings and of recommendations: a table, where a new measure is one entry and one function.
 * The definitions, names, order and roundings are those of NIST's trec_eval 10, so that its users find their
 * numbers; what it lacks comes last. A measure is of one of three things:
 *
 *     compute   a query's list against its judgements        P, ndcg, err
 *     of_list   a user's list, and what its items are        novelty, diversity, calibration
 *     of_run    what all lists of a run show together        coverage, gini, auc
 *
 * (of_weights is compute with several parameters, of_text has a text in place of a number.)
 * The first two give a value a query; NAN where there is none (a list of one item has no diversity): then the
 * query does not count for this measure.
 */
#ifndef DQ_MEASURE_TABLE_H
#define DQ_MEASURE_TABLE_H

#include "measure/exposure.h"
#include "measure/ranking_eval.h"

/* How values of queries become one. */
typedef enum dq_measure_over {
    DQ_OVER_MEAN,      /* arithmetic mean */
    DQ_OVER_SUM,       /* a count: summed, printed as an integer */
    DQ_OVER_GEOMETRIC, /* geometric mean, values under 0.00001 counted as that */
    DQ_OVER_WEIGHTED,  /* mean weighted by the lists' lengths (impressions) */
    DQ_OVER_RUN,       /* no value of a query: one of all lists together (of_run) */
    DQ_OVER_NAME,      /* no number at all: the run's own name (runid); compute is NULL */
    DQ_OVER_TEXT,      /* a text a query, and none of them together (of_text) */
} dq_measure_over;

typedef enum dq_measure_parameter {
    DQ_TAKES_NOTHING,
    DQ_TAKES_CUTOFF,   /* a rank k >= 1: P_10 */
    DQ_TAKES_FRACTION, /* a fraction >= 0: iprec_at_recall_0.10 */
    DQ_TAKES_SHARE,    /* between 0 and 1: rbp_p_0.8 */
    DQ_TAKES_WEIGHTS,  /* as many numbers as its defaults are, all of one measure: utility_1,-2,0,0 */
} dq_measure_parameter;

/* What a measure is about, said behind its name: diversity:title@10. */
typedef enum dq_measure_about {
    DQ_ABOUT_NOTHING,
    DQ_ABOUT_FIELD,     /* a field of the items' vectors; may be left out: the whole vector */
    DQ_ABOUT_ATTRIBUTE, /* an attribute of the items */
} dq_measure_about;

enum {
    DQ_NEEDS_ITEMS = 1,      /* how many items there are */
    DQ_NEEDS_POPULARITY = 2, /* how many users met an item */
    DQ_NEEDS_VECTORS = 4,    /* of the items: a catalogue */
    DQ_NEEDS_HISTORY = 8,    /* what a user met: a catalogue with interactions */
    DQ_NEEDS_CATALOGUE = DQ_NEEDS_VECTORS | DQ_NEEDS_HISTORY,
};

enum { DQ_MEASURE_WEIGHTS = 4, DQ_MAX_TEXT = 1000 };

enum {
    DQ_IN_OFFICIAL = 1,     /* trec_eval's defaults */
    DQ_IN_ALL = 2,          /* its all_trec, so far as it is here */
    DQ_IN_SET = 4,          /* its set measures */
    DQ_IN_RANKING = 8,      /* what dq-eval shows of a recommender by default, at its -k */
    DQ_IN_RECOMMENDER = 16, /* what its lists show, beyond being right; needs no catalogue */
};

/* A user's list. */
typedef struct dq_recommended {
    const dq_judged_ranking *judged;
    const uint32_t *item; /* (judged->retrieved) numbers of the facts, or DQ_ABSENT: not in the catalogue */
    uint32_t user;        /* the catalogue's row, or DQ_ABSENT */
    const dq_facts *facts;
    size_t about; /* number of the field (DQ_WHOLE_VECTOR: none) or attribute that the measure is about */
} dq_recommended;

#define DQ_WHOLE_VECTOR SIZE_MAX

typedef struct dq_measure {
    const char *name, *help; /* help: one line */
    dq_measure_parameter parameter;
    dq_measure_over over;
    unsigned groups;      /* DQ_IN_... */
    const char *defaults; /* parameters when none is given, "5,10,15"; NULL when it takes none */
    bool summary_only;    /* no value for a single query (num_q, gm_map) */
    bool bare;            /* its name has no parameter when none is given, as in trec_eval (relstring) */
    dq_measure_about about;
    unsigned needs; /* DQ_NEEDS_... */
    double (*compute)(const dq_judged_ranking *query, double parameter);
    double (*of_weights)(const dq_judged_ranking *query, const double weights[DQ_MEASURE_WEIGHTS]);
    void (*of_text)(const dq_judged_ranking *query, double parameter, char text[DQ_MAX_TEXT + 1]);
    double (*of_list)(const dq_recommended *list, double parameter);
    double (*of_run)(const dq_exposure *exposure);
} dq_measure;

extern const dq_measure dq_measures[];
extern const size_t dq_measure_count;

/* The summary over n values of queries. */
double dq_measure_summary(const dq_measure *measure, const double *values, size_t n);

#endif
