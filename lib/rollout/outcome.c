/* SPDX-License-Identifier: MIT */
#include "rollout/outcome.h"

#include <math.h>
#include <stdlib.h>

dq_status dq_outcomes_new(dq_outcomes *outcomes, const char *const *names, size_t count, dq_error *error)
{
    dq_outcomes *o = outcomes;
    o->at = calloc(count, sizeof *o->at);
    bool all = o->at;
    for (; all && o->count < count; o->count++) {
        dq_outcome *p = &o->at[o->count];
        *p = (dq_outcome){.name = names[o->count],
                          .played = calloc(o->episodes + 1, sizeof *p->played),
                          .by_step = calloc(o->steps + 1, sizeof *p->by_step),
                          .labels = calloc(o->label_count + 1, sizeof *p->labels)};
        all = p->played && p->by_step && p->labels;
    }
    return all ? DQ_OK : dq_fail_memory(error, "roll-outs");
}

void dq_outcomes_free(dq_outcomes *outcomes)
{
    for (size_t i = 0; i < outcomes->count; i++) {
        free(outcomes->at[i].played);
        free(outcomes->at[i].by_step);
        free(outcomes->at[i].labels);
    }
    free(outcomes->at);
    outcomes->at = NULL;
    outcomes->count = 0;
}

double dq_outcome_score(const dq_outcomes *outcomes, size_t which, size_t episode)
{
    const dq_played *x = &outcomes->at[which].played[episode];
    return outcomes->catalogue ? x->total / (double)x->steps : x->total;
}

static void take_summary(dq_outcomes *o, size_t which, const dq_summary *summaries)
{
    dq_outcome *p = &o->at[which];
    double base = fabs(summaries[0].mean);
    p->score = summaries[which];
    p->mean = dq_episodes_mean(p->played, o->episodes);
    p->compared = which > 0;
    p->percent = base > 0 ? 100 * p->score.compared.difference / base : (double)NAN;
}

dq_status dq_outcomes_sum_up(dq_outcomes *outcomes, const dq_compare_config *config, dq_error *error)
{
    dq_outcomes *o = outcomes;
    double *scores = calloc(o->count * o->episodes + 1, sizeof *scores); /* (count, episodes) */
    dq_summary *summaries = calloc(o->count + 1, sizeof *summaries);
    dq_status status = scores && summaries ? DQ_OK : dq_fail_memory(error, "roll-outs");
    for (size_t i = 0; i < o->count && !status; i++)
        for (size_t e = 0; e < o->episodes; e++) scores[i * o->episodes + e] = dq_outcome_score(o, i, e);
    if (!status) status = dq_summarise_runs(scores, o->count, o->episodes, config, summaries, error);
    for (size_t i = 0; i < o->count && !status; i++) take_summary(o, i, summaries);
    free(scores);
    free(summaries);
    return status;
}

size_t dq_outcomes_labels(const dq_outcomes *outcomes)
{
    uint64_t others = 0;
    if (!outcomes->labelled || !outcomes->label_count) return 0;
    for (size_t i = 0; i < outcomes->count; i++) others += outcomes->at[i].labels[outcomes->label_count - 1];
    return outcomes->label_count - (others == 0);
}
