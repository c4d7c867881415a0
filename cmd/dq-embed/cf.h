/* SPDX-License-Identifier: MIT
 *
 * dq-embed cf:WIDTH: vectors of users and items from who met what. All of the stream is held: a vector
 * depends on everybody's interactions. dq-embed cf --factors FILE: newcomers' vectors among those of such a
 * run.
 */
#ifndef DQ_EMBED_CF_H
#define DQ_EMBED_CF_H

#include "cli/filter.h"
#include "embed/als_fold.h"

typedef struct cf_options {
    const char *map; /* weights of labels; NULL: an interaction weighs its reward, or 1 */
    double alpha, lambda;
    uint64_t sweeps;
    int solve; /* dq_als_method */
    uint64_t cg_steps;
    const char *factors; /* NULL: none, they are to be made */
} cf_options;

#define CF_DEFAULTS                                                                                          \
    {                                                                                                        \
        .alpha = 40, .lambda = 1, .sweeps = 15, .solve = DQ_ALS_CG, .cg_steps = 3                            \
    }

/* The factors of an earlier run, read from a file. */
typedef struct cf_factors {
    dq_reader *reader; /* open until the output is closed: it is an input of it */
    dq_als_fitted fitted;
} cf_factors;

/* Free after a failure, too. */
dq_status cf_factors_read(cf_factors *factors, const char *path, const char *field, dq_error *error);
void cf_factors_free(cf_factors *factors);

/* Reads the filter's input to the end, and writes it with a further field for users and for items: of `width`
 * numbers, fitted to the input, or, with factors (else NULL), as wide as these, theirs and newcomers folded
 * in. Says on stderr how many got what. */
dq_status cf_run(dq_filter *filter, const cf_options *options, const cf_factors *factors, uint32_t width,
                 const char *field, const dq_cli *cli, const dq_common *common, dq_error *error);

#endif
