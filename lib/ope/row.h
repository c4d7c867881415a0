/* SPDX-License-Identifier: MIT
 *
 * What off-policy evaluation knows of one logged decision: somebody was shown an action, with a probability
 * that was written down, and a reward came.
 */
#ifndef DQ_OPE_ROW_H
#define DQ_OPE_ROW_H

#include <stdbool.h>
#include <stdint.h>

/* A target's probabilities of all actions for one row: `rest` of every action, to which `more` adds; it is
 * -rest for those that are not to be had. */
typedef struct dq_ope_choice {
    double rest;
    const uint32_t *items; /* (count) the actions that more[i] is of; NULL: 0 .. count - 1 */
    const double *more;    /* (count) */
    uint32_t count;
} dq_ope_choice;

typedef struct dq_ope_row {
    uint32_t user, item; /* numbers; the action is the item. DQ_ABSENT where nobody asked for them */
    uint32_t position;   /* place in the list, from 0; 0 where the log has none */
    bool begins;         /* the first row of its session */
    double reward;
    double propensity;    /* with which the action was shown, in (0, 1] */
    double target;        /* the target's probability of it */
    double q, q_target;   /* the reward model's value of it, and its mean under the target; 0: no model */
    dq_ope_choice choice; /* all of the target's probabilities; count 0 and rest 0 where they are not known */
} dq_ope_row;

#endif
