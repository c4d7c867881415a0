/* SPDX-License-Identifier: MIT
 *
 * Which groups of users are held out of training: a share drawn at random, or one fold of several (Stone,
 * "Cross-validatory choice and assessment of statistical predictions", 1974). The folds of one seed are
 * disjoint, and together all groups.
 */
#ifndef DQ_DATA_SPLIT_H
#define DQ_DATA_SPLIT_H

#include "data/catalogue.h"

typedef struct dq_split {
    double share;         /* of the groups, 0 <= share < 1; used without folds */
    uint32_t fold, folds; /* fold 1 .. folds is held out; folds 0: none are made */
    uint64_t seed;
} dq_split;

/* "I/K" into fold I of K folds, K at least 2 and I from 1 to K, of at most nine digits each; false for
 * anything else. */
bool dq_split_parse_fold(const char *text, uint32_t *fold, uint32_t *folds);

/* Marks held[user] for users whose group is held out, of groups that have a row: counts[user] rows. Fewer
 * than two such groups: none is. Returns false when memory is short. */
bool dq_split_users(const dq_split *split, const uint32_t *group, const size_t *counts, uint32_t user_count,
                    uint8_t *held, size_t *groups, size_t *held_groups);

/* Users by the value of an attribute, into group (users); one without it is a group of its own, and so is
 * each when attribute is NULL. DQ_ERR_UNKNOWN when no user has it. */
dq_status dq_split_group(const dq_entities *users, const char *attribute, uint32_t *group, dq_error *error);

#endif
