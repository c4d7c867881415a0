/* SPDX-License-Identifier: MIT
 *
 * What all lists of a run show together: which items, how often, to how many of the users. For measures of a
 * whole run, which are no means over queries.
 */
#ifndef DQ_MEASURE_EXPOSURE_H
#define DQ_MEASURE_EXPOSURE_H

#include "measure/facts.h"
#include "measure/ranking_eval.h"

/* A place of a list. */
typedef struct dq_shown {
    double score;
    uint32_t item; /* of the facts, or DQ_ABSENT */
    bool relevant;
} dq_shown;

typedef struct dq_shown_list {
    size_t start;  /* of its places */
    uint32_t user; /* the catalogue's row, or DQ_ABSENT */
    bool known;    /* one of the users that there are (dq_exposure.users) */
    bool judged;   /* in the judgements */
} dq_shown_list;

/* The lists of a run, each to the same depth. */
typedef struct dq_shown_lists {
    dq_shown *places;
    dq_shown_list *lists;
    size_t place_count, list_count, place_capacity, list_capacity;
} dq_shown_lists;

#define DQ_SHOWN_LISTS_EMPTY ((dq_shown_lists){0})

/* Adds a list's first `depth` places; items: (ranking->retrieved) their numbers. DQ_ERR_MEMORY. */
dq_status dq_shown_lists_add(dq_shown_lists *shown, const dq_shown_list *list,
                             const dq_judged_ranking *ranking, const uint32_t *items, double depth,
                             dq_error *error);
void dq_shown_lists_free(dq_shown_lists *shown);

/* The first k places of the lists, as the measures see them. */
typedef struct dq_exposure {
    uint32_t *shown;       /* (items) how often each item is shown, ascending */
    size_t items;          /* that there are, shown or not */
    double total;          /* the sum of shown */
    size_t users, covered; /* users that there are, and those of them who are shown anything */
    double above, pairs;   /* of a relevant and another place of judged lists: those in the right order (a tie
                              half), and all */
} dq_exposure;

#define DQ_ALL_USERS DQ_ABSENT

/* Fills an exposure of the lists of one group (a value of facts->by), or of DQ_ALL_USERS. DQ_ERR_MEMORY. */
dq_status dq_exposure_init(dq_exposure *exposure, const dq_shown_lists *shown, const dq_facts *facts,
                           double k, uint32_t group, dq_error *error);
void dq_exposure_free(dq_exposure *exposure);

#endif
