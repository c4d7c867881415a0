/* SPDX-License-Identifier: MIT
 *
 * The estimators of what a target policy would have earned, from the rows of another policy's log: a table,
 * where a new one is an entry and a function. With w = target / propensity of the logged action, r its
 * reward, q the reward model's value of it and Q the model's mean under the target:
 *
 *     log        mean(r), the value of the log's own policy
 *     ips        mean(w r)                                  Horvitz and Thompson 1952
 *     snips      sum(w r) / sum(w)                          Swaminathan and Joachims 2015
 *     dm         mean(Q)
 *     dr         mean(Q + w (r - q))                        Dudik, Langford and Li 2011
 *     sndr       mean(Q) + sum(w (r - q)) / sum(w)
 *     switch-dr  mean(Q + w [w <= tau] (r - q))             Wang, Agarwal and Dudik 2017
 *     dr-os      mean(Q + l w / (w^2 + l) (r - q))          Su, Dimakopoulou, Krishnamurthy and Dudik 2020
 *     slope:X    X (of ips, dr, switch-dr, dr-os) with the bound of a list that SLOPE chooses (ope/slope.h)
 *
 *     pdis, wpdis, wis   of whole sessions (ope/sessions.h)
 *
 * --clip takes min(w, clip) for w in ips, snips, dr, sndr.
 */
#ifndef DQ_OPE_ESTIMATOR_H
#define DQ_OPE_ESTIMATOR_H

#include "dq/status.h"
#include "ope/sessions.h"

#include <stddef.h>

/* What an estimator's bound is. */
typedef enum dq_ope_bound { DQ_OPE_UNBOUND, DQ_OPE_CLIP, DQ_OPE_SWITCH, DQ_OPE_SHRINKAGE } dq_ope_bound;

typedef struct dq_ope_estimator {
    const char *name, *help; /* help: one line */
    /* The terms of n rows, whose estimate is mean(base), or where `normalised` mean(base) + sum(over) /
     * sum(weight). weight (n): already bounded where the bound is a clip. NULL: of sessions. */
    void (*terms)(const dq_ope_row *rows, const double *weight, size_t n, double bound, double *base,
                  double *over);
    bool normalised;
    bool needs_model; /* q and Q */
    bool unweighted;  /* weights are nothing to it */
    dq_ope_bound bound;
    dq_ope_session_kind session; /* of sessions: which */
} dq_ope_estimator;

enum { DQ_OPE_ESTIMATORS = 11 };
extern const dq_ope_estimator dq_ope_estimators[DQ_OPE_ESTIMATORS];

enum { DQ_OPE_MAX_PICKS = 32 };

/* What was asked for: an estimator, or SLOPE over its bounds. */
typedef struct dq_ope_pick {
    const dq_ope_estimator *estimator;
    bool slope;
    char name[24];
} dq_ope_pick;

typedef struct dq_ope_picks {
    dq_ope_pick at[DQ_OPE_MAX_PICKS];
    size_t count;
    bool needs_model, rows, sessions; /* some need a model; are of rows; of sessions */
} dq_ope_picks;

/* Adds names with commas between them: "ips,snips,slope:dr"; "slope" is slope:ips. What is there already is
 * not added again. DQ_ERR_UNKNOWN. */
dq_status dq_ope_picks_add(dq_ope_picks *picks, const char *names, dq_error *error);

#endif
