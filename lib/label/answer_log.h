/* SPDX-License-Identifier: MIT
 *
 * What a person answered, as a file: a line an answer, durable before dq_answer_log_keep returns, in the form
 * in which dq-export reads interactions:
 *
 *     {"user":"anna","item":"welder","label":"APPLY"}
 *
 * so that an interrupted session goes on where it stopped, and the answers of months are a data set. The last
 * line of a pair counts; a null label takes one back. (Not the cache of a model's answers, whose keys are
 * requests: what a person said belongs to a pair of ids, and should be read, corrected and merged as text.)
 */
#ifndef DQ_LABEL_ANSWER_LOG_H
#define DQ_LABEL_ANSWER_LOG_H

#include "dq/status.h"

#include <stddef.h>

typedef struct dq_answer_log dq_answer_log;

/* Opens or makes the file, locks it against other sessions, cuts a torn last line off, and reads it. The path
 * is kept. DQ_ERR_FORMAT with the line for what is no answer, without one for a file that is compressed,
 * UTF-16 or no lines of JSON, which stays as it is; DQ_ERR_UNSUPPORTED for what is no regular file, DQ_ERR_IO
 * where another session holds it. To be closed after a failure, too. */
dq_status dq_answer_log_open(dq_answer_log **log, const char *path, dq_error *error);
/* Accepts NULL. */
void dq_answer_log_close(dq_answer_log *log);

/* The label that a pair has, or NULL; valid until the next answer is kept. Ids are of u and i bytes. */
const char *dq_answer_log_find(const dq_answer_log *log, const char *user, size_t u, const char *item,
                               size_t i);
/* Keeps an answer, or takes one back (label NULL), on the disk first. */
dq_status dq_answer_log_keep(dq_answer_log *log, const char *user, size_t u, const char *item, size_t i,
                             const char *label, dq_error *error);

#endif
