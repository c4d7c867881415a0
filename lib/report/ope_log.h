/* SPDX-License-Identifier: MIT
 *
 * A log of decisions out of a stream: its interactions, row by row, as off-policy evaluation wants them, or
 * its transitions, where a section has no interactions. The rows stream by, as often as they are asked for
 * where the log is a file; items, and users where they are wanted, are held.
 *
 *     dq_ope_log log = {.paths = paths, .path_count = 1, .map = &map, .wants_items = true};
 *     dq_ope_log_open(&log, &e);                   items and users
 *     dq_ope_log_each(&log, take, arg, &e);        once, or again and again where dq_ope_log_again(&log)
 *     dq_ope_log_free(&log);
 */
#ifndef DQ_REPORT_OPE_LOG_H
#define DQ_REPORT_OPE_LOG_H

#include "data/catalogue.h"
#include "data/label_map.h"
#include "dq/stream.h"
#include "log/answers.h"
#include "ope/row.h"

enum { DQ_OPE_MAX_ACTIONS = 65536 }; /* of an environment, which have numbers and no items */

/* Rows of the log that are one session: each for itself, or those in a run with one value of a column. */
typedef enum dq_ope_session {
    DQ_OPE_SESSION_ROW,
    DQ_OPE_SESSION_REQUEST,
    DQ_OPE_SESSION_USER,
    DQ_OPE_SESSION_EPISODE
} dq_ope_session;

extern const char *const dq_ope_session_names[]; /* of these; ended by NULL */

typedef struct dq_ope_log {
    /* to be set; texts and arrays are borrowed */
    const char *const *paths; /* (path_count) read as one stream; none, or "-": stdin */
    size_t path_count;
    const char *catalogue;         /* a stream of the items and users; NULL: the log's */
    const dq_label_map *map;       /* rewards of labels */
    const char *target_column;     /* the target's probabilities; NULL: row->target stays 0 */
    const char *model_column;      /* NAME_logged and NAME_target: row->q, row->q_target; NULL: 0 */
    bool wants_items, wants_users; /* their numbers in row->item, row->user; no users there: cleared */
    const dq_index *users; /* numbers of users where wants_users is false, DQ_ABSENT for others; or NULL */
    bool wants_propensity; /* rows without one are left out */
    dq_ope_session session;
    const char *unanswered; /* the label of what was shown and not answered (log/answers.h); NULL: none */
    dq_log_join join;       /* of a server's log; its own */
    /* found by dq_ope_log_open */
    dq_catalogue entities; /* users and items alone */
    bool items_of_log;     /* no catalogue has items: they are those of the log's rows */
    dq_index logged_items; /* then these */
    /* counted by dq_ope_log_each */
    uint64_t rows, unrewarded, unweighed; /* taken; left out for want of a reward, of a propensity */
    uint64_t strangers; /* of a server's log those left out since the catalogue does not have their users */
} dq_ope_log;

/* Takes up to 256 rows; whatever they point to is the log's until it returns. */
typedef dq_status (*dq_ope_take)(void *arg, dq_ope_row *rows, size_t n, dq_error *error);

/* Reads items and users, for those who want them. DQ_ERR_UNSUPPORTED where they would have to be read from
 * the log itself and that is no file. */
dq_status dq_ope_log_open(dq_ope_log *log, dq_error *error);
/* The numbers of actions: dq_index_find on it, dq_index_count. */
const dq_index *dq_ope_log_items(const dq_ope_log *log);
/* Whether the log can be read more than once: all of its paths are files. */
bool dq_ope_log_again(const dq_ope_log *log);
/* Gives all rows. DQ_ERR_UNKNOWN for an item or user that the catalogue lacks, DQ_ERR_SCHEMA for columns that
 * are wanted and not there, and where there are no interactions, DQ_ERR_RANGE for what is no probability and
 * for a session whose rows do not stand together, DQ_ERR_SCHEMA for a row that lacks what a session
 * needs, and what `take` returns. */
dq_status dq_ope_log_each(dq_ope_log *log, dq_ope_take take, void *arg, dq_error *error);
void dq_ope_log_free(dq_ope_log *log);

#endif
