/* SPDX-License-Identifier: MIT
 *
 * From what is known about a (user, item) pair to its reward: labels through a map, cosines by a scale, and a
 * mixture of the two.
 *
 *     APPLY=1,SAVE=0.5,CLICK=0,IGNORE=-0.1       logged:  r = map(label), or none
 *                                                cosine:  r = (c + 1) / 2, or c
 *                                                hybrid:  r = w cosine + (1 - w) label
 */
#ifndef DQ_REWARD_H
#define DQ_REWARD_H

#include "dq/index.h"

#define DQ_REWARD_MAP_DEFAULT "APPLY=1,SAVE=0.5,CLICK=0,IGNORE=-0.1"

enum { DQ_REWARD_MAP_MAX = 256 };

typedef struct dq_reward_map {
    dq_index labels;
    double rewards[DQ_REWARD_MAP_MAX]; /* of label 0, 1, ... */
} dq_reward_map;

/* Parses "LABEL=number,LABEL=number"; labels may hold spaces, not ',' nor '='. DQ_ERR_RANGE for another form,
 * DQ_ERR_DUPLICATE for a label that stands twice, DQ_ERR_NUMERIC for a number that is not finite. */
dq_status dq_reward_map_parse(dq_reward_map *map, const char *text, dq_error *error);
void dq_reward_map_free(dq_reward_map *map);

/* The reward of a label; false when the map does not have it (it was seen, but has no reward). */
bool dq_reward_map_find(const dq_reward_map *map, const char *label, size_t bytes, double *reward);

/* A raw cosine of [-1, 1] on the scale [0, 1]. */
double dq_reward_of_cosine(double cosine);

/* weight * cosine + (1 - weight) * label, for weight in [0, 1]. */
double dq_reward_mix(double weight, double cosine, double label);

#endif
