/* SPDX-License-Identifier: MIT
 *
 * What was shown, joined with what came of it: the one rule by which every program reads a log
 * (log/writer.h). A showing with an answer gets its label and reward; of several answers that which is worth
 * most by the map (the first of equals). A showing without one gets the label `unanswered`, where that is
 * asked for, else it stays without label and reward, as any row may. An answer is never a row of its own.
 *
 *     dq_log_join join = {.map = &map, .unanswered = "IGNORE"};
 *     dq_reader_open(&in, paths, count, &e);
 *     dq_log_join_reader(&join, in, paths, count, &e);
 *     ... dq_reader_next(in, ...) gives showings with their answers, and all else as it is ...
 *     dq_reader_close(in);  dq_log_join_free(&join);
 *
 * Answers come long after what they answer, so that a log is read twice: as soon as a reader meets a bundle
 * of one, all operands are read for answers. A stream without a log costs nothing. Answers are held in
 * memory, showings are not.
 */
#ifndef DQ_LOG_ANSWERS_H
#define DQ_LOG_ANSWERS_H

#include "core/index.h"
#include "data/label_map.h"
#include "dq/stream.h"
#include "log/writer.h"

/* Zero-initialise, and set the first two. */
typedef struct dq_log_join {
    const dq_label_map *map;  /* what answers are worth; kept */
    const char *unanswered;   /* the label of showings without an answer; NULL: none. Kept */
    uint64_t shown, answered; /* showings of the latest reading, and those with an answer */
    /* Its own. */
    uint64_t met; /* answers that a showing was found for */
    const char *const *paths;
    size_t path_count;
    dq_index keys; /* request and item of an answer */
    struct dq_log_answer *answers;
    size_t capacity;
    dq_index labels;
    dq_bundle_filter filter; /* through which bundles go */
    bool read;
} dq_log_join;

/* From here on the reader's bundles of a log are joined. join and paths (those that the reader was opened
 * with) must live as long as the reader. A log that is met is DQ_ERR_UNKNOWN where the map does not know
 * `unanswered`. One that comes through a pipe, which cannot be read twice, is DQ_ERR_UNSUPPORTED when it is
 * met; an answer whose label the map does not know and that has no reward counts less than any other. */
dq_status dq_log_join_reader(dq_log_join *join, dq_reader *reader, const char *const *paths, size_t count,
                             dq_error *error);

/* The same for who reads a log in another way (log/follow.h): takes a bundle of answers; makes of a bundle of
 * showings a new one (*joined). */
dq_status dq_log_join_take(dq_log_join *join, const dq_bundle *answers, dq_error *error);
dq_status dq_log_join_make(dq_log_join *join, const dq_bundle *shown, dq_bundle *joined, dq_error *error);

/* DQ_ERR_UNKNOWN for an `unanswered` that the map does not know. */
dq_status dq_log_join_knows(const dq_log_join *join, dq_error *error);
/* DQ_ERR_UNSUPPORTED where `unanswered` was asked for and no log was met: it has no effect. */
dq_status dq_log_join_check(const dq_log_join *join, dq_error *error);
/* What a reader should be told: "12 of 480 showings were answered". False: no log was met. */
bool dq_log_join_describe(const dq_log_join *join, char *words, size_t size);
void dq_log_join_free(dq_log_join *join);

#endif
