/* SPDX-License-Identifier: MIT
 *
 * What agents came to who acted, in roll-outs of the same episodes: as a table to look at, TSV or JSON lines.
 * report/pictures.h draws it.
 */
#ifndef DQ_VERDICT_ACTED_H
#define DQ_VERDICT_ACTED_H

#include "core/index.h"
#include "dq/sink.h"
#include "measure/summary.h"

typedef struct dq_acted {
    const char *name;
    const dq_summary *score;
    bool compared;  /* with the first, in pairs */
    double percent; /* the difference in percent of the first's mean; NAN when that is 0 */
    /* of an episode, in the mean; discounted, value: NAN where nobody says */
    double steps, discounted, value;
    size_t cut;             /* episodes that were cut off */
    const double *counted;  /* (counters) in the mean of episodes */
    const uint64_t *labels; /* (labels) steps that chose an item of the label; the last: of none of these */
    const double *by_step;  /* (steps) what a step brought, summed over episodes */
    const double *scores;   /* (episodes) */
} dq_acted;

typedef struct dq_acted_form {
    const char *score; /* what it is, for a picture: "mean reward of a step" */
    const char *head;  /* and as a column: "reward" */
    int digits;        /* of a table */
    bool lengths;      /* episodes differ in theirs, which is worth a column */
    double confidence;
    size_t episodes, steps;      /* steps 0: nothing by step */
    bool by_episode;             /* each episode's score, too */
    const dq_index *labels;      /* names of all but the last */
    size_t label_count;          /* 0: none is shown */
    double steps_in_all;         /* that labels are shares of */
    const char *const *counters; /* (counter_count) names of what an environment counts */
    size_t counter_count;
} dq_acted_form;

typedef enum dq_acted_format { DQ_ACTED_TABLE, DQ_ACTED_TSV, DQ_ACTED_JSON } dq_acted_format;

/* TSV has the columns model, measure, at ("all", or a step or an episode from 1), value; JSON an object a
 * model. What there is not has no line. DQ_ERR_MEMORY, and the sink's errors. */
dq_status dq_acted_print(const dq_acted *acted, size_t count, const dq_acted_form *form,
                         dq_acted_format format, dq_sink *out, dq_error *error);

#endif
