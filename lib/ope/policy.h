/* SPDX-License-Identifier: MIT
 *
 * The policy that is to be judged: with which probability it takes each action for a row. Uniform, or of each
 * user's list of scored items: the item at the row's place (greedy), or any of the list with probability
 * proportional to exp(score / temperature); with epsilon instead of it any action at all.
 */
#ifndef DQ_OPE_POLICY_H
#define DQ_OPE_POLICY_H

#include "core/index.h"
#include "dq/status.h"
#include "measure/qrels.h"
#include "ope/row.h"

typedef struct dq_ope_policy {
    uint32_t actions;
    double epsilon;
    bool softmax;
    uint32_t users; /* 0: uniform */
    size_t *start;  /* (users + 1) user u's list is start[u] .. start[u + 1] - 1, best first */
    uint32_t *item; /* its actions */
    double *share;  /* their probabilities */
    double *scaled; /* softmax: (score - the list's best) / temperature; else NULL */
} dq_ope_policy;

/* Of so many actions. */
dq_ope_policy dq_ope_policy_uniform(uint32_t actions);

/* Of a run that is finished: its queries are users (numbered by `users`; those that it lacks are passed
 * over), its documents actions (numbered by `actions`), sorted by score, greatest first, equal ones by the
 * greater id. temperature 0: greedy. DQ_ERR_UNKNOWN for a document that is no action, DQ_ERR_MEMORY. */
dq_status dq_ope_policy_lists(dq_ope_policy *policy, const dq_run *run, const dq_index *users,
                              const dq_index *actions, double temperature, double epsilon, dq_error *error);
void dq_ope_policy_free(dq_ope_policy *policy);

/* Whether the policy has a list for the row's user. */
bool dq_ope_policy_knows(const dq_ope_policy *policy, const dq_ope_row *row);

/* Fills row->choice and row->target, for a row whose user is known. DQ_ERR_RANGE where a greedy list is
 * shorter than the row's place. */
dq_status dq_ope_policy_choose(const dq_ope_policy *policy, dq_ope_row *row, dq_error *error);

/* The same where a list is drawn place by place from what is left, as dq-rank does it: given the actions
 * `above` it (count, each once), which are taken no second time. Greedy is the best that is left, whatever
 * the row's place. The choice's numbers live in the arena. DQ_ERR_RANGE where nothing is left, DQ_ERR_MEMORY.
 */
dq_status dq_ope_policy_choose_below(const dq_ope_policy *policy, dq_ope_row *row, const uint32_t *above,
                                     uint32_t count, dq_arena *arena, dq_error *error);

/* The probability of the row's action by its choice. */
double dq_ope_choice_of(const dq_ope_choice *choice, uint32_t action);

#endif
