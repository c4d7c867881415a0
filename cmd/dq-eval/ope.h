/* SPDX-License-Identifier: MIT
 *
 * What dq-eval --ope is told.
 */
#ifndef DQ_EVAL_OPE_H
#define DQ_EVAL_OPE_H

#include "cli/cli.h"

#include "measure/qrels.h"

typedef struct ope_options {
    dq_texts targets;
    const char *estimators, *rewards, *catalogue, *grid;
    double clip, tau, shrinkage, min_ess, softmax, gamma;
    int session;                 /* dq_ope_session */
    int estimated, propensities; /* whether propensities are estimated; by counts or regression */
    bool require_support, require_better;
} ope_options;

#define OPE_DEFAULTS                                                                                         \
    {                                                                                                        \
        .rewards = "ridge", .grid = "1,2,5,10,20,50,100,500", .tau = 10, .gamma = 1, .shrinkage = 100        \
    }

/* What --target may be, NULL-ended; behind a colon a name belongs. */
extern const char *const ope_policies[];
/* The file that a target ranking:FILE or model:FILE names; NULL: it names none. */
const char *ope_target_file(const char *target);
/* Every user's items by the scores of a model's file, or of "cosine", into run, finished: all, or the best
 * hundred. Errors are those of data/load.h and rank/. */
dq_status ope_model_lists(const char *model, const dq_catalogue *catalogue, bool all, unsigned threads,
                          dq_run *run, dq_error *error);

#endif
