/* SPDX-License-Identifier: MIT
 *
 * What all lists of a run show together: which items, how often, to how many of the users. For measures of a
 * whole run, which are no means over queries. The lists come one by one and are counted; they are not kept
 * unless more than that will be asked.
 */
#ifndef DQ_MEASURE_EXPOSURE_H
#define DQ_MEASURE_EXPOSURE_H

#include "measure/facts.h"
#include "measure/ranking_eval.h"

/* Whose list it is. */
typedef struct dq_shown_to {
    uint32_t user; /* the catalogue's row, or DQ_ABSENT */
    bool known;    /* one of the users that there are (dq_exposure.users) */
    bool judged;   /* in the judgements */
} dq_shown_to;

/* How often each item stands among the first k of the lists. */
typedef struct dq_shown_times {
    double k;
    uint32_t *times; /* (room) an item beyond: never */
    size_t room;
    size_t covered; /* known users who are shown anything */
} dq_shown_times;

/* A list that is kept: where its items begin. */
typedef struct dq_shown_list {
    dq_shown_to to;
    size_t item;
} dq_shown_list;

typedef struct dq_shown_score {
    double score;
    uint32_t list;
} dq_shown_score;

typedef struct dq_shown_scores {
    dq_shown_score *at; /* (count) */
    size_t count, capacity;
} dq_shown_scores;

/* What measures of the whole run need of its lists: counts of items; only where groups of users or resamples
 * of them will be asked for, the first places of each list, at 4 bytes a place; and where the area under the
 * curve is asked for, the scores of the judged lists, at 16 bytes a place. */
typedef struct dq_shown_lists {
    double depth; /* the greatest finite k, 0: none */
    bool scores, keep;
    dq_shown_times *counts; /* (count_count) one for each k; unless the lists are kept */
    size_t count_count, count_capacity;
    uint32_t *items;      /* (item_count) */
    dq_shown_list *lists; /* (list_count + 1) */
    size_t item_count, item_capacity, list_count, list_capacity;
    size_t distinct; /* items that are shown, which are numbered 0 .. distinct - 1 here, once finished */
    dq_shown_scores relevant, others; /* in the lists' order, until dq_shown_lists_finish sorts them */
} dq_shown_lists;

#define DQ_SHOWN_LISTS_EMPTY ((dq_shown_lists){0})

/* A measure will ask for the first k places (INFINITY: for the scores). To be said, like keep, before the
 * first list. DQ_ERR_MEMORY. */
dq_status dq_shown_lists_expect(dq_shown_lists *shown, double k, dq_error *error);
/* Adds a list; items: (ranking->retrieved) their numbers of the facts, or DQ_ABSENT. DQ_ERR_MEMORY. */
dq_status dq_shown_lists_add(dq_shown_lists *shown, const dq_shown_to *to, const dq_judged_ranking *ranking,
                             const uint32_t *items, dq_error *error);
/* After the last list. DQ_ERR_MEMORY. */
dq_status dq_shown_lists_finish(dq_shown_lists *shown, dq_error *error);
void dq_shown_lists_free(dq_shown_lists *shown);

/* The first k places of the lists, as the measures see them. */
typedef struct dq_exposure {
    uint32_t *shown; /* (distinct) how often each item is shown that is, ascending */
    size_t distinct;
    size_t items;          /* that there are, shown or not */
    double lists;          /* how many */
    double total;          /* the sum of shown */
    size_t users, covered; /* users that there are, and those of them who are shown anything */
    double above, pairs;   /* of a relevant and another place of judged lists: those in the right order (a tie
                              half), and all */
} dq_exposure;

#define DQ_ALL_USERS DQ_ABSENT

/* Which lists count, and how often each: a group of users, or a sample of them. */
typedef struct dq_shown_sample {
    uint32_t *times; /* (lists) */
    size_t users;    /* that there are in it, shown anything or not */
} dq_shown_sample;

/* The lists of one group (a value of facts->by), or of DQ_ALL_USERS, each once. The lists are kept.
 * DQ_ERR_MEMORY; free the sample's times. */
dq_status dq_shown_sample_init(dq_shown_sample *sample, const dq_shown_lists *shown, const dq_facts *facts,
                               uint32_t group, dq_error *error);

/* Fills an exposure of finished lists; sample NULL: of all, each once. k as it was expected. DQ_ERR_MEMORY.
 */
dq_status dq_exposure_init(dq_exposure *exposure, const dq_shown_lists *shown, const dq_facts *facts,
                           double k, const dq_shown_sample *sample, dq_error *error);
void dq_exposure_free(dq_exposure *exposure);

#endif
