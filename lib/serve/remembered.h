/* SPDX-License-Identifier: MIT
 *
 * What a server showed, and what users made of it: remembered in memory, bounded, so that feedback finds what
 * it is to and a user's next list knows what he did; and with a log (log/writer.h) written down before it is
 * answered. A server that starts again reads the end of its log back.
 *
 *     dq_serve_log_request(log, id);                         an id for a list, unlike all before it
 *     dq_serve_log_show(log, rows, count, &e);               the list, before it leaves
 *     dq_serve_log_answer(log, &answer, &reward, &e);        what came of one of its items
 *     dq_serve_log_history(log, user, n, items, arena, &events, &count)
 *
 * All but open and close from any thread.
 */
#ifndef DQ_SERVE_REMEMBERED_H
#define DQ_SERVE_REMEMBERED_H

#include "data/label_map.h"
#include "log/writer.h"
#include "serve/ranking/ranker.h"
#include "serve/telemetry.h"

typedef struct dq_serve_log dq_serve_log;

typedef struct dq_serve_log_config {
    const char *path; /* NULL: nothing is written down */
    dq_log_config log;
    const dq_label_map *map; /* rewards of labels; kept */
    uint64_t shown_rows;     /* shown items that are remembered */
    uint64_t users;          /* what so many users did is */
    uint64_t read_back;      /* bytes of the log's end that are read when it is opened */
    dq_telemetry *telemetry; /* may be NULL */
} dq_serve_log_config;

/* Errors are those of dq_log_writer_open and of following it. */
dq_status dq_serve_log_open(dq_serve_log **log, const dq_serve_log_config *config, dq_error *error);
/* Makes what waits durable. Accepts NULL. */
dq_status dq_serve_log_close(dq_serve_log *log, dq_error *error);
/* NULL: nothing is written down. */
dq_log_writer *dq_serve_log_writer(const dq_serve_log *log);

/* An id, NUL-terminated: a random number of the process, and how many came before. */
enum { DQ_SERVE_REQUEST_ID = 40 };
void dq_serve_log_request(dq_serve_log *log, char id[DQ_SERVE_REQUEST_ID]);
/* Rows of one request, of one user. DQ_ERR_IO: they could not be written, and are not shown. */
dq_status dq_serve_log_show(dq_serve_log *log, const dq_log_row *rows, size_t count, dq_error *error);

typedef struct dq_serve_answer {
    dq_log_text request, item, label; /* label.at NULL: the reward is given */
    double reward;                    /* NAN: the label's */
    double time;
} dq_serve_answer;

/* *reward is what it is worth. DQ_ERR_UNKNOWN: no such request, or not that item in it, is remembered;
 * DQ_ERR_SCHEMA: the map does not have the label; DQ_ERR_IO: it could not be written, and counts for nothing.
 */
dq_status dq_serve_log_answer(dq_serve_log *log, const dq_serve_answer *answer, double *reward,
                              dq_error *error);

/* What a user did here, in the order of time (at most the last DQ_SERVE_HISTORY), of items of the catalogue;
 * texts in the arena. *version changes with each thing that he does; 0: nothing. With arena NULL only that is
 * said. */
enum { DQ_SERVE_HISTORY = 200 };
dq_status dq_serve_log_history(dq_serve_log *log, const char *user, size_t bytes,
                               const dq_ranking_items *items, dq_arena *arena, uint64_t *version,
                               dq_ranker_event **events, size_t *count, dq_error *error);

#endif
