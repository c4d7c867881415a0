/* SPDX-License-Identifier: MIT
 *
 * dq-embed cf:WIDTH: vectors of users and items from who met what. All of the stream is held: a vector
 * depends on everybody's interactions.
 */
#ifndef DQ_EMBED_CF_H
#define DQ_EMBED_CF_H

#include "cli/filter.h"

typedef struct cf_options {
    const char *map; /* weights of labels; NULL: an interaction weighs its reward, or 1 */
    double alpha, lambda;
    uint64_t sweeps;
} cf_options;

#define CF_DEFAULTS                                                                                          \
    {                                                                                                        \
        .alpha = 40, .lambda = 1, .sweeps = 15                                                               \
    }

/* Reads the filter's input to the end, and writes it with a further field of `width` numbers for users and
 * for items.
 */
dq_status cf_run(dq_filter *filter, const cf_options *options, uint32_t width, const char *field,
                 const dq_common *common, dq_error *error);

#endif
