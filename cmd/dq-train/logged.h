/* SPDX-License-Identifier: MIT
 *
 * dq-train --offline --agent: agents of dq/agent.h from what was logged.
 *
 *     train_logged_options.c   which options there are, and the agent's configuration
 *     train_logged_input.c     sessions of the interactions, or transitions with vectors for states
 *     train_logged.c           the run: epochs, checkpoints, the model that leaves
 */
#ifndef DQ_TRAIN_LOGGED_H
#define DQ_TRAIN_LOGGED_H

#include "data/session_log.h"
#include "learn/sessions.h"

struct train_options;
struct train;

enum { TRAIN_OF_LOGGED = 1 << 9 }; /* a row of the option table that belongs to logged sessions */

typedef struct train_logged_options {
    uint64_t history;
    const char *time;
} train_logged_options;

#define TRAIN_LOGGED_DEFAULTS                                                                                \
    {                                                                                                        \
        .history = 3, .time = "time"                                                                         \
    }

/* clang-format off */
#define TRAIN_LOGGED_FLAGS (DQ_OPT_PAYLOAD | DQ_OPT_UNSET | TRAIN_OF_LOGGED)
#define TRAIN_LOGGED_OPTIONS(l) \
    {"history", 0, DQ_OPT_COUNT, &(l).history, "N", "items that a state remembers (3)", .flags = TRAIN_LOGGED_FLAGS, .min = 1, .max = 1000, .section = "Sessions (--offline --agent): what users met, in the order of time"}, \
    {"time", 0, DQ_OPT_TEXT, &(l).time, "NAME", "the attribute that tells an interaction's time (time)", .flags = TRAIN_LOGGED_FLAGS}
/* clang-format on */

/* Whether the command line asks for this. */
bool train_logged_wanted(const dq_cli *cli, const struct train_options *o);
/* Options that have no meaning here are usage errors when given, and no part of the record. */
void train_logged_part(const dq_cli *cli, const struct train_options *o, dq_option *table);
void train_logged_settle(dq_cli *cli, struct train_options *o, dq_option *table);

/* What was read: one of sessions and transitions. */
typedef struct train_logged_input {
    dq_session_log log;
    dq_session_rows by_user;
    dq_sessions *sessions;
    dq_logged_transitions transitions;
    dq_bundle *bundles; /* of transitions */
    size_t bundle_count, bundle_capacity;
    uint32_t *group; /* (users) of sessions */
    dq_task_shape shape;
    float *actions; /* (items, width) of a head on actions */
    dq_logged_rows rows;
} train_logged_input;

/* Reads the catalogue and what was logged, and makes the rows. */
dq_status train_logged_read(struct train *t, train_logged_input *input, dq_error *error);
void train_logged_free(train_logged_input *input);

dq_status train_run_logged(struct train *t, dq_error *error);

#endif
