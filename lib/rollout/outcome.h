/* SPDX-License-Identifier: MIT
 *
 * What several policies came to who met the same episodes: what each step and each choice brought, summed up,
 * compared in pairs, printed. An episode's score is its return; of a catalogue it is the mean reward of its
 * steps.
 *
 *     dq_outcomes o = {.episodes = 100, .steps = 10, .label_count = 5, .catalogue = true, .labels = ids};
 *     dq_outcomes_new(&o, names, count, &e);  o.at[i].played[e] = ...;
 *     dq_outcomes_sum_up(&o, &config, &e);    dq_outcomes_print(&o, DQ_OUTCOMES_TABLE, out, &e);
 *     dq_outcomes_free(&o);
 */
#ifndef DQ_ROLLOUT_OUTCOME_H
#define DQ_ROLLOUT_OUTCOME_H

#include "core/index.h"
#include "dq/sink.h"
#include "measure/summary.h"
#include "rollout/episodes.h"

typedef struct dq_outcome {
    const char *name; /* borrowed */
    /* the caller's to fill */
    dq_played *played; /* (episodes) */
    double *by_step;   /* (steps) what a step brought, summed over episodes */
    uint64_t *labels;  /* (label_count) steps by the label of what was chosen; the last: none of the known */
    /* summed up */
    dq_summary score;
    dq_played_mean mean;
    bool compared;  /* with the first, in pairs */
    double percent; /* the difference in percent of the first's mean; NAN where that is 0 */
} dq_outcome;

typedef struct dq_outcomes {
    /* to be set */
    size_t episodes, steps, label_count; /* at least one episode; the others of a catalogue alone, else 0 */
    bool catalogue;                      /* the score is the mean reward of a step */
    const dq_index *labels; /* borrowed: names of all labels but the last, which is that of all others */
    bool labelled;          /* shares of labels say something */
    char counters[DQ_ENV_COUNTERS][64]; /* (counter_count) what the environment counts */
    size_t counter_count;
    bool shows_steps, shows_episodes; /* prints what each step brought, and each episode's score (not to look
                                         at: tsv, json) */
    /* made */
    dq_outcome *at; /* (count) */
    size_t count;
} dq_outcomes;

/* Makes outcomes of zeros by these names (count >= 1). DQ_ERR_MEMORY, after which they are to be freed,
 * too. */
dq_status dq_outcomes_new(dq_outcomes *outcomes, const char *const *names, size_t count, dq_error *error);
void dq_outcomes_free(dq_outcomes *outcomes);

double dq_outcome_score(const dq_outcomes *outcomes, size_t which, size_t episode);
/* Fills what is summed up of all. Errors as dq_summarise_runs. */
dq_status dq_outcomes_sum_up(dq_outcomes *outcomes, const dq_compare_config *config, dq_error *error);
/* How many labels are shown: the known ones, and the others where there were any; 0 where they say
 * nothing. */
size_t dq_outcomes_labels(const dq_outcomes *outcomes);

typedef enum dq_outcomes_form { DQ_OUTCOMES_TABLE, DQ_OUTCOMES_TSV, DQ_OUTCOMES_JSON } dq_outcomes_form;

/* A table to look at; TSV with the columns model, measure, at (a step or an episode, else "all"), value,
 * without what is no number; or an object of JSON a policy. */
dq_status dq_outcomes_print(const dq_outcomes *outcomes, dq_outcomes_form form, dq_sink *out,
                            dq_error *error);

#endif
