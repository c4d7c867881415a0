/* SPDX-License-Identifier: MIT
 *
 * What the files of this room share.
 *
 *     rows -> batch.c -> bundle -> section.c -> a frame's bytes -> writer.c -> the file
 *     the file -> scan.c -> section.c -> bundle -> follow.c, and writer.c when a log is opened
 *     files.c: which file of a rotated log has a position
 */
#ifndef DQ_LOG_IMPL_H
#define DQ_LOG_IMPL_H

#include "log/writer.h"

/* ---- batch.c: rows as columns ---- */

enum { DQ_LOG_TEXTS = 6 }; /* user, item, request, model, label, attr.time */

/* Zero-initialise. */
typedef struct dq_log_batch {
    dq_strings texts[DQ_LOG_TEXTS];
    uint32_t *position;
    double *propensity;
    float *reward;
    uint8_t *null[3]; /* of these three */
    size_t count, capacity;
    size_t known[3];
} dq_log_batch;

/* Checks that rows may stand in a log: texts are UTF-8, numbers in range. */
dq_status dq_log_rows_check(dq_log_kind kind, const dq_log_row *rows, size_t count, dq_error *error);
/* Adds all of them, or none. */
dq_status dq_log_batch_add(dq_log_batch *batch, const dq_log_row *rows, size_t count, dq_error *error);
/* The bundle of a batch, which it borrows from. */
dq_status dq_log_batch_bundle(const dq_log_batch *batch, dq_log_kind kind, uint64_t position,
                              dq_bundle *bundle, dq_error *error);
void dq_log_batch_clear(dq_log_batch *batch);
void dq_log_batch_free(dq_log_batch *batch);

/* ---- section.c: a bundle as a frame, and back ---- */

/* Zero-initialise; free(at). */
typedef struct dq_log_bytes {
    unsigned char *at;
    size_t n, capacity;
} dq_log_bytes;

/* Appends a section of one bundle in one frame. */
dq_status dq_log_section_write(dq_log_bytes *to, const dq_maker *maker, const dq_bundle *bundle,
                               dq_error *error);
/* The bundle of a frame of n bytes, and where it says that it stands. DQ_ERR_FORMAT: it is damaged;
 * DQ_ERR_SCHEMA: it is sound, but no section of a log. */
dq_status dq_log_section_read(const void *bytes, size_t n, dq_bundle *bundle, uint64_t *position,
                              dq_error *error);

/* ---- scan.c: sections out of a file that may grow ---- */

/* Zero-initialise, then set the first three. */
typedef struct dq_log_scan {
    int fd;               /* the caller's */
    uint64_t base;        /* position of the file's first byte */
    uint64_t at;          /* bytes of the file that were read as sections */
    unsigned char *bytes; /* what was read of the file from `at` on */
    size_t n, capacity, from;
    uint64_t unfinished; /* once nothing more is there: bytes behind `at` */
} dq_log_scan;

/* The next section: 1; 0: what is left is none, or the beginning of one; -1: broken. */
int dq_log_scan_next(dq_log_scan *scan, dq_bundle *bundle, dq_error *error);
void dq_log_scan_free(dq_log_scan *scan);
/* The position that the first section of a file states. DQ_ERR_FORMAT: it is no log. DQ_ERR_TRUNCATED: no
 * section of it is whole. */
dq_status dq_log_scan_base(int fd, uint64_t *base, dq_error *error);

/* ---- files.c: the files of a log ---- */

enum { DQ_LOG_DIGITS = 20 };

/* PATH.00000000000000000000, the caller's to free; NULL when memory is short. */
char *dq_log_file_name(const char *path, uint64_t base);
/* Of the rotated files of a log that which begins last at or before a position (*found), and where it begins;
 * with first: that which begins first. */
dq_status dq_log_file_find(const char *path, uint64_t position, bool first, bool *found, uint64_t *base,
                           dq_error *error);
dq_status dq_log_sync_directory(const char *path, dq_error *error);

/* ---- file.c: the file that is appended to ---- */

typedef struct dq_log_file {
    char *path;
    const dq_log_config *config;
    int fd;
    uint64_t base, size; /* position of its first byte; bytes that are whole sections */
    uint64_t first;      /* bytes of its first section */
    double begun;        /* seconds since 1970: when its first section was written (meta.begun) */
    uint64_t cut;        /* bytes of an unfinished section that opening cut off */
    dq_log_bytes buffer; /* sections on their way */
} dq_log_file;

/* Opens path, which is kept, or begins it: at position, or where the rotated files end when that is 0. */
dq_status dq_log_file_open(dq_log_file *file, const char *path, const dq_log_config *config,
                           uint64_t position, dq_error *error);
/* Writes what is in the buffer, and syncs it. On a failure the file is as before. The buffer is empty then.
 */
dq_status dq_log_file_write(dq_log_file *file, dq_error *error);
/* Gives the file its rotated name, and begins a new one under the path. */
dq_status dq_log_file_rotate(dq_log_file *file, dq_error *error);
/* Whether the path still names the file. */
bool dq_log_file_is_named(const dq_log_file *file);
dq_status dq_log_file_close(dq_log_file *file, dq_error *error);
double dq_log_now(void); /* seconds since 1970 */

#endif
