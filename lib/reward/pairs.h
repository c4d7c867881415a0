/* SPDX-License-Identifier: MIT
 *
 * Which (user, item) pairs dq-reward labels: those of the stream, all, some drawn or the most similar per
 * user, or those of a list.
 */
#ifndef DQ_REWARD_PAIRS_H
#define DQ_REWARD_PAIRS_H

#include "reward/label.h"

typedef enum dq_pairs_from {
    DQ_PAIRS_STREAM, /* each interaction */
    DQ_PAIRS_ALL,
    DQ_PAIRS_RANDOM, /* n per user, drawn without replacement from a generator of the user's own */
    DQ_PAIRS_TOP,    /* n per user by cosine, ties by the greater id */
    DQ_PAIRS_LISTED, /* lines of user TAB item, perhaps with more columns behind */
} dq_pairs_from;

/* The next line of a list, without its end; it is the list's until the next call. *line = NULL: no more. */
typedef dq_status dq_pair_line(void *arg, const char **line, size_t *bytes, dq_error *error);

typedef struct dq_pair_plan {
    dq_pairs_from from;
    uint64_t n;
    uint64_t seed;
    const bool *only;   /* by row of the users: these alone; NULL: all */
    dq_pair_line *line; /* of a list */
    void *line_arg;
    const char *list; /* its name in errors */
    bool strict;      /* an unknown id in a list is an error */
    uint64_t skipped; /* lines of the list with an unknown id */
    dq_error first;   /* why the first of them was skipped, and its line */
} dq_pair_plan;

/* "stream", "all", "random:N" or "top:N"; DQ_ERR_RANGE for anything else. */
/* Their words, NULL-ended; behind a colon a number belongs. */
extern const char *const dq_pair_plan_words[];
dq_status dq_pair_plan_parse(dq_pair_plan *plan, const char *text, dq_error *error);

/* How many items the plan has for each user; 0 when that differs from user to user. */
size_t dq_pairs_per_user(const dq_pair_plan *plan, const dq_catalogue *catalogue);

/* How many pairs the plan will give, or 0 when that is not known ahead. */
uint64_t dq_pairs_count(const dq_pair_plan *plan, const dq_catalogue *catalogue);

/* Receives pairs of one user with n items, and the interaction that a pair is; NULL: these are none. */
typedef dq_status dq_pair_taker(void *arg, uint32_t user, const uint32_t *item, const uint32_t *interaction,
                                size_t n, dq_error *error);

/* Gives every pair to take: users and for each all its items at once, in the order of the catalogue; the
 * stream's and the list's pairs one by one, in their own order. What `take` returns other than DQ_OK ends it.
 * A line that is none, or an unknown id where the plan is strict, and a list of which no line can be used:
 * DQ_ERR_FORMAT, DQ_ERR_UNKNOWN, with the line as error->record. */
dq_status dq_pairs_each(dq_pair_plan *plan, const dq_labeller *labeller, dq_pair_taker *take, void *arg,
                        dq_error *error);

#endif
