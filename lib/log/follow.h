/* SPDX-License-Identifier: MIT
 *
 * A log (log/writer.h) read while it grows: from a position on, through its rotated files, whole sections
 * alone.
 *
 *     dq_log_follow_open(&f, "log.dq", position, &e);
 *     while ((got = dq_log_follow_next(f, &bundle, &position, &e)) > 0) { ...; dq_bundle_free(&bundle); }
 *     got == 0: nothing more yet. Wait (dq_log_follow_wait), and ask again.
 *
 * Each bundle comes with the position behind it: who keeps that with what he made of the bundle goes on
 * exactly there.
 */
#ifndef DQ_LOG_FOLLOW_H
#define DQ_LOG_FOLLOW_H

#include "log/writer.h"

typedef struct dq_log_follow dq_log_follow;

/* Opens a log at a position, that of a section's end (0: its beginning, or that of what is left of it, where
 * old files were removed). DQ_ERR_IO: there is no such file. DQ_ERR_FORMAT: it is no log. DQ_ERR_RANGE: the
 * log does not reach there, or what is there has been removed. */
dq_status dq_log_follow_open(dq_log_follow **follow, const char *path, uint64_t position, dq_error *error);

/* The same at the end's side: from a position on that is at most `bytes` before the end, or the next one
 * before that where a file begins. Of a log that was never rotated this is its beginning. */
dq_status dq_log_follow_open_last(dq_log_follow **follow, const char *path, uint64_t bytes, dq_error *error);

/* The next bundle, the caller's to free, and the position behind it. 1: a bundle, never an empty one; 0:
 * nothing more yet; -1: broken (bytes that are no section, with more behind them). An unfinished section at
 * the end is nothing yet. */
int dq_log_follow_next(dq_log_follow *follow, dq_bundle *bundle, uint64_t *position, dq_error *error)
    __attribute__((warn_unused_result));

/* Waits until the log may have grown, but no longer than so many milliseconds. */
void dq_log_follow_wait(dq_log_follow *follow, int milliseconds);
/* Bytes of an unfinished section at the end, once dq_log_follow_next has said 0. */
uint64_t dq_log_follow_unfinished(const dq_log_follow *follow);
void dq_log_follow_close(dq_log_follow *follow);

#endif
