/* SPDX-License-Identifier: MIT
 *
 * Rewards of labels:
 *
 *     APPLY=1,SAVE=0.5,CLICK=0,IGNORE=-0.1
 */
#ifndef DQ_DATA_LABEL_MAP_H
#define DQ_DATA_LABEL_MAP_H

#include "core/index.h"

#define DQ_LABEL_MAP_DEFAULT "APPLY=1,SAVE=0.5,CLICK=0,IGNORE=-0.1"

enum { DQ_LABEL_MAP_MAX = 256 };

typedef struct dq_label_map {
    dq_index labels;
    double rewards[DQ_LABEL_MAP_MAX]; /* of label 0, 1, ... */
} dq_label_map;

/* Parses "LABEL=number,LABEL=number"; labels may hold spaces, not ',' nor '='. DQ_ERR_RANGE for another form,
 * DQ_ERR_DUPLICATE for a label that stands twice, DQ_ERR_NUMERIC for a number that is not finite
 * as a float32. */
dq_status dq_label_map_parse(dq_label_map *map, const char *text, dq_error *error);
void dq_label_map_free(dq_label_map *map);

/* The reward of a label; false when the map does not have it (it was seen, but has no reward). */
bool dq_label_map_find(const dq_label_map *map, const char *label, size_t bytes, double *reward);

/* The reward of an interaction: the number given with it, unless that is NAN; else its label's (NULL: none)
 * by the map; else NAN, for none. The label's rank of relevance as a judgement, and the weight that a
 * factorisation gives it, are no rewards: these go by the label alone (dq_label_map_find). */
float dq_label_map_reward(const dq_label_map *map, float given, const char *label, size_t bytes);

/* The reward of an item that nobody labelled: the map's of IGNORE, else -0.1. */
double dq_label_map_ignore(const dq_label_map *map);

#endif
