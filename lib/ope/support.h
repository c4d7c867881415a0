/* SPDX-License-Identifier: MIT
 *
 * What a log says of where it may be believed: which actions it shows at which place, how often, and with
 * which rewards; and how much of the target's probability is on actions that it never shows there, whose
 * rewards nobody knows.
 */
#ifndef DQ_OPE_SUPPORT_H
#define DQ_OPE_SUPPORT_H

#include "dq/status.h"
#include "ope/row.h"

#include <stddef.h>

enum { DQ_OPE_MAX_POSITIONS = 4096 };

/* Tables are (positions, actions) and grow with what comes; of large catalogues they are large, so those that
 * nobody asks for are not there. Zero-initialise but for keeps_rewards to start. */
typedef struct dq_ope_support {
    bool keeps_rewards;
    uint32_t positions, actions;
    uint32_t *shown; /* how often; it stays at its greatest number */
    double *rewards; /* their sums; NULL without keeps_rewards */
    double *target;  /* the target's probability beyond `rest`, summed over rows; NULL: there was none */
    double *rest;    /* (positions) */
    uint64_t *rows;  /* (positions) */
} dq_ope_support;

/* Makes room for `positions` of `actions` each; what is there is kept. DQ_ERR_RANGE for more positions than
 * DQ_OPE_MAX_POSITIONS, DQ_ERR_MEMORY. */
dq_status dq_ope_support_grow(dq_ope_support *support, uint32_t positions, uint32_t actions, dq_error *error);
void dq_ope_support_free(dq_ope_support *support);

/* Counts a row's action and reward, growing as needed. */
dq_status dq_ope_support_log(dq_ope_support *support, const dq_ope_row *row, dq_error *error);
/* How often the log shows an action at a place, of all that it shows there: a propensity by counts, for a log
 * that does not say it. The action was counted there. */
double dq_ope_support_share(const dq_ope_support *support, uint32_t action, uint32_t position);
/* Sums up a row's choice; its position and the actions are there. DQ_ERR_MEMORY. */
dq_status dq_ope_support_target(dq_ope_support *support, const dq_ope_choice *choice, uint32_t position,
                                dq_error *error);

/* The share, in [0, 1], of the target's probability on actions never shown at that place; 0 for no rows. */
double dq_ope_support_unsupported(const dq_ope_support *support);

#endif
