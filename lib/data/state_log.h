/* SPDX-License-Identifier: MIT
 *
 * Transitions with vectors for states, as dq-sim and dq-plan write them, in memory: the columns state,
 * next_state, choice, reward, done and episode of all bundles, in the order of the stream.
 */
#ifndef DQ_DATA_STATE_LOG_H
#define DQ_DATA_STATE_LOG_H

#include "core/index.h"
#include "data/session_state.h"
#include "dq/bundle.h"

/* Zero-initialise to start; free with dq_state_log_free. */
typedef struct dq_state_log {
    size_t count, capacity;
    uint32_t width;      /* of a state */
    uint32_t actions;    /* as many as meta.actions says, and as were taken */
    float *state, *next; /* (count, width) next is state where the stream has none */
    uint32_t *action,
        *episode;      /* (count) episodes are numbered as they come; without the column each row is one */
    float *reward;     /* (count) NAN: none */
    float *propensity; /* (count) NAN: none */
    uint8_t *done;     /* (count) */
    dq_index episodes;
    dq_session_layout layout; /* of the states, as meta.states says; item_width 0: it does not */
} dq_state_log;

/* Whether transitions have vectors for states. */
bool dq_state_log_has_states(const dq_bundle *transitions);
/* Adds a bundle's rows (copied). DQ_ERR_SCHEMA where columns are missing, or states are of unequal width
 * or layout; DQ_ERR_RANGE for more than 2^32 - 2 rows, or a choice that is no whole number below 2^24. */
dq_status dq_state_log_add(dq_state_log *log, const dq_bundle *transitions, dq_error *error);
/* Of a whole log, whether it bears the actions that it claims: more than DQ_STATE_LOG_ACTIONS are believed
 * where there are at most 16 a transition, or where `items` stand in the stream for them; else DQ_ERR_RANGE.
 */
enum { DQ_STATE_LOG_ACTIONS = 1 << 16 };
dq_status dq_state_log_check(const dq_state_log *log, size_t items, dq_error *error);
void dq_state_log_free(dq_state_log *log);

#endif
