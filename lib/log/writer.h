/* SPDX-License-Identifier: MIT
 *
 * The log of a server: what it showed, and what came of it, appended to a dq stream (docs/stream-format.md,
 * meta.log). Each section holds one bundle of interactions, in one zstd frame, so that a file which was
 * written to the end of a section is a stream.
 *
 *     dq_log_writer_open(&log, "log.dq", &config, &e);
 *     dq_log_append(log, DQ_LOG_SHOWN, rows, count, &position, &e);       from any thread
 *     dq_log_writer_close(log, &e);
 *
 * Durable means: written and synced to the disk before dq_log_append returns. Who comes while another's
 * sections are being synced waits, and goes together with all who wait then in the next ones (group commit),
 * so that a disk that syncs a hundred times a second takes thousands of rows.
 *
 * A position counts the bytes of the log from its first on, through all its files: that of a section is
 * stated in its bundle (meta.position), and it stays the same when the file is renamed. A log that is rotated
 * goes on in a new file, and the old one gets the name PATH.N, N being the position of its first byte in 20
 * digits, so that names sort as the log goes.
 */
#ifndef DQ_LOG_WRITER_H
#define DQ_LOG_WRITER_H

#include "dq/stream.h"

/* meta.log: what a bundle of interactions is. */
typedef enum dq_log_kind {
    DQ_LOG_SHOWN,   /* "shown": an item was shown to a user; neither label nor reward */
    DQ_LOG_ANSWERS, /* "answers": what came of it; all columns of the showing, and label, reward or both */
    DQ_LOG_NONE     /* a bundle that is no part of a log */
} dq_log_kind;

/* What a bundle says it is. */
dq_log_kind dq_log_kind_of(const dq_bundle *bundle);

/* A text, not NUL-terminated; NULL: none. */
typedef struct dq_log_text {
    const char *at;
    size_t bytes;
} dq_log_text;

/* A row as it is appended; user and item must be there. */
typedef struct dq_log_row {
    dq_log_text user, item, request, model, label;
    uint32_t position; /* in the list, from 1; 0: not known */
    double propensity; /* in (0, 1]; NAN: not known */
    double reward;     /* NAN: none; of answers alone, as is label */
    double time;       /* seconds since 1970: attr.time */
} dq_log_row;

typedef struct dq_log_config {
    dq_maker maker;        /* of the heads; what it points to is borrowed until the log is closed */
    double sync_seconds;   /* > 0: rows are made durable so often, and dq_log_append waits for nothing */
    uint64_t sync_rows;    /* > 0: and as soon as so many wait. Both 0: durable */
    uint64_t rotate_bytes; /* > 0: a file that has come to so many is done */
    double rotate_seconds; /* > 0: a file that was begun so long ago is done */
    double (*now)(void);   /* seconds since 1970: when files begin; NULL: by the system's clock */
    /* What was made durable, in the log's order, one call at a time, before those who appended it return: the
     * bundle, and the position behind its section. What reads the log later sees the same. It
     * may not append. May be NULL. */
    void (*committed)(void *arg, const dq_bundle *bundle, uint64_t position);
    void *arg;
} dq_log_config;

typedef struct dq_log_writer dq_log_writer;

/* Opens a log, or begins one where there is no file, or an empty one. What a dead writer left behind the last
 * whole section is cut off (dq_log_writer_cut says how much). DQ_ERR_FORMAT: a file that is no log of ours,
 * or one that is damaged in its midst. DQ_ERR_UNSUPPORTED: another process has it open to write, or it is no
 * regular file. */
dq_status dq_log_writer_open(dq_log_writer **writer, const char *path, const dq_log_config *config,
                             dq_error *error);
/* Bytes of an unfinished section that opening cut off. */
uint64_t dq_log_writer_cut(const dq_log_writer *writer);

/* Appends rows, all or none, from any thread; *position (may be NULL) gets that behind their section, 0 when
 * it is not known yet. Durable: back when they are on the disk. Else back at once, but for an error of an
 * earlier write, which is tried anew. On a failure (DQ_ERR_IO: the disk is full) the file is as it was
 * before, and the next call tries again. */
dq_status dq_log_append(dq_log_writer *writer, dq_log_kind kind, const dq_log_row *rows, size_t count,
                        uint64_t *position, dq_error *error);

/* Makes what waits durable. */
dq_status dq_log_sync(dq_log_writer *writer, dq_error *error);
/* The position behind what is durable. */
uint64_t dq_log_writer_position(dq_log_writer *writer);
/* Somebody may have renamed the file (logrotate, SIGHUP): makes what waits durable, and opens or begins the
 * path anew. The positions go on. */
dq_status dq_log_writer_reopen(dq_log_writer *writer, dq_error *error);
/* Syncs what waits, closes and frees; accepts NULL. */
dq_status dq_log_writer_close(dq_log_writer *writer, dq_error *error);

#endif
