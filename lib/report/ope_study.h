/* SPDX-License-Identifier: MIT
 *
 * Off-policy evaluation from a log to estimates: what the log has to be read for, how often, and in which
 * order.
 *
 *     dq_ope_study study = {.log = {...}, .config = {...}, .target = DQ_OPE_UNIFORM};
 *     dq_ope_study_run(&study, estimates, &e);
 *     dq_ope_study_free(&study);
 */
#ifndef DQ_REPORT_OPE_STUDY_H
#define DQ_REPORT_OPE_STUDY_H

#include "ope/evaluation.h"
#include "ope/linear.h"
#include "ope/policy.h"
#include "ope/propensity.h"
#include "ope/table.h"
#include "report/ope_log.h"

typedef enum dq_ope_target { DQ_OPE_UNIFORM, DQ_OPE_LISTS, DQ_OPE_COLUMN } dq_ope_target;

/* The model of rewards: none, columns of the log, or one that is fitted to the log (ope/linear.h,
 * ope/table.h). */
typedef enum dq_ope_rewards {
    DQ_OPE_NO_MODEL,
    DQ_OPE_BY_COLUMN,
    DQ_OPE_BY_TABLE,
    DQ_OPE_BY_RIDGE,
    DQ_OPE_BY_LOGISTIC
} dq_ope_rewards;

/* Whence propensities: the log's; the share of the item at its place; ope/propensity.h. */
typedef enum dq_ope_propensities {
    DQ_OPE_LOGGED,
    DQ_OPE_BY_COUNTS,
    DQ_OPE_BY_REGRESSION
} dq_ope_propensities;

typedef struct dq_ope_study {
    /* to be set */
    dq_ope_log log; /* wants_items, wants_propensity and users are set here */
    dq_ope_config config;
    dq_ope_target target;
    /* DQ_OPE_LISTS: gives the target's lists, finished, when the log is open. The study frees them. */
    dq_status (*lists)(void *arg, const dq_ope_log *log, dq_run *run, dq_error *error);
    void *arg;
    double temperature, epsilon; /* of lists: ope/policy.h */
    dq_ope_rewards rewards;
    dq_ope_propensities propensities;
    /* found */
    dq_ope_weights weights;
    double unsupported; /* NAN: the target's probabilities of other actions are not known */
    uint64_t unlisted;  /* rows of users for whom the target has no list, left out */
    uint64_t left;      /* a hash of which rows these are */
    /* at work */
    uint32_t above[DQ_OPE_MAX_STEPS], above_count; /* items of the request at hand */
    uint32_t shown;                                /* its rows */
    uint64_t met;                                  /* rows so far */
    bool listed;                                   /* the target has a list for the user of the row before */
    dq_arena choices;                              /* of the rows at hand, which are drawn below these */
    dq_run run;
    dq_ope_policy policy;
    dq_ope_support support;
    dq_ope_table table;
    dq_ope_features features;
    dq_ope_linear linear;
    dq_ope_propensity propensity;
    dq_ope_evaluation *evaluation;
} dq_ope_study;

/* Whether the items are asked for: those of the log, or of its catalogue. */
bool dq_ope_study_wants_items(const dq_ope_study *study);
/* Whether the target's probabilities of all items are known, not only those of the logged ones. */
bool dq_ope_study_knows_all(const dq_ope_study *study);
/* Whether the log is read more than once, and so has to be a file. */
bool dq_ope_study_reads_again(const dq_ope_study *study);
/* estimates (picks of the config). Errors are those of the log, the policy, the table and the evaluation. */
dq_status dq_ope_study_run(dq_ope_study *study, dq_ope_estimate *estimates, dq_error *error);
void dq_ope_study_free(dq_ope_study *study);

#endif
