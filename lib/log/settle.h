/* SPDX-License-Identifier: MIT
 *
 * A log's showings in their order, each with what came of it, as soon as nothing more is to come: for whoever
 * learns from each row once while the log grows.
 *
 * A showing is settled when the log has gone on for so many seconds, by its own times; answers that come
 * later do not count. What is given is so decided by the log's rows alone, not by when somebody reads them:
 * to read on from a position equals to have read it all at once.
 *
 *     dq_log_settle_open(&s, "log.dq", position, &config, &e);
 *     while ((got = dq_log_settle_next(s, &rows, &position, &e)) > 0) ...;      rows: label, reward as joined
 *     got == 0: nothing more is settled yet
 */
#ifndef DQ_LOG_SETTLE_H
#define DQ_LOG_SETTLE_H

#include "log/answers.h"
#include "log/follow.h"

typedef struct dq_log_settle_config {
    const dq_label_map *map; /* as dq_log_join's; both kept */
    const char *unanswered;
    double seconds; /* that an answer may take; 0: a showing is settled where the log ends for now */
} dq_log_settle_config;

typedef struct dq_log_settle dq_log_settle;

/* The errors of dq_log_follow_open and of dq_log_join_knows. */
dq_status dq_log_settle_open(dq_log_settle **settle, const char *path, uint64_t position,
                             const dq_log_settle_config *config, dq_error *error);
/* The next section of showings, joined (log/answers.h), the reader's until the next call, and the position
 * from which reading goes on behind it. 1, 0: no more is settled yet, -1: broken. */
int dq_log_settle_next(dq_log_settle *settle, const dq_bundle **rows, uint64_t *position, dq_error *error)
    __attribute__((warn_unused_result));
/* Waits until the log may have grown, but no longer than so many milliseconds. */
void dq_log_settle_wait(dq_log_settle *settle, int milliseconds);
/* Showings that were read and are not settled. */
uint64_t dq_log_settle_waiting(const dq_log_settle *settle);
void dq_log_settle_close(dq_log_settle *settle);

#endif
