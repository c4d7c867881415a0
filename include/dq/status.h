/* SPDX-License-Identifier: MIT
 *
 * Status codes, and the error that travels with one.
 *
 * The law of the whole library: a function that can fail returns a dq_status (or, for readers, an int that is
 * negative on failure) and describes the failure in the caller's dq_error. No library function exits, prints
 * or keeps hidden state; cmd/ turns an error into one line on stderr and an exit code, once.
 *
 * Ownership, said once: a function named `_new` or `_open` hands its caller an object that the matching
 * `_free`
 * or `_close` releases (both accept NULL); a pointer that a getter returns belongs to the object and lives as
 * long; what is passed in as `const` is borrowed for the call unless the header says "kept".
 */
#ifndef DQ_STATUS_H
#define DQ_STATUS_H

#include <stdint.h>

typedef enum dq_status {
    DQ_OK = 0,
    DQ_ERR_MEMORY, /* an allocation failed or a limit on memory was met */
    DQ_ERR_IO,     /* read, write, open, rename: dq_error.sys holds errno */
    DQ_ERR_FORMAT, /* the bytes are not what the format says (not a stream, bad msgpack, bad JSON, bad digest)
                    */
    DQ_ERR_TRUNCATED, /* the input stopped before its end */
    DQ_ERR_VERSION,   /* a newer major version of the stream */
    DQ_ERR_SCHEMA,    /* well-formed, but a column is missing, of the wrong type or shape, or out of range */
    DQ_ERR_DUPLICATE, /* an id that stands twice, or two unequal rows under one id */
    DQ_ERR_UNKNOWN,   /* an id, field or name that is not there */
    DQ_ERR_RANGE,     /* an argument outside its range, widths that differ */
    DQ_ERR_NUMERIC,   /* NaN or infinity where a finite number is needed, or one beyond float32 */
    DQ_ERR_STOPPED,   /* interrupted with progress kept: exit code 75 */
    DQ_ERR_UNSUPPORTED, /* a valid request that this build or this input cannot meet */
    DQ_ERR_TERMINAL,    /* a terminal, where data come from a file or a pipe, or go to one: exit code 2 */
} dq_status;

/* No record number: the error concerns the source as a whole. */
#define DQ_NO_RECORD UINT64_MAX

typedef struct dq_error {
    dq_status status;
    int sys;          /* errno at the failure, 0 when none */
    uint64_t record;  /* 1-based record (or line, or row) in source, or DQ_NO_RECORD */
    char source[160]; /* file operand, "stdin", or "" */
    char reason[400]; /* one line, no final newline */
} dq_error;

/* An error that says nothing yet. */
#define DQ_ERROR_NONE ((dq_error){.status = DQ_OK, .record = DQ_NO_RECORD})

/* A short word for the code: "truncated", "schema", ... Never NULL. */
const char *dq_status_word(dq_status status);

/* Fills *error (which may be NULL) with the code and the formatted reason and returns the code, so that a
 * function can say `return dq_fail(error, DQ_ERR_RANGE, "...")`. Source and record are left as they are when
 * already set. A control character in the reason or the source is written \xNN, so that an error stays on one
 * line and moves no terminal. */
dq_status dq_fail(dq_error *error, dq_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with errno's words appended (": No space left on device") and error->sys set. */
dq_status dq_fail_errno(dq_error *error, int sys, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* DQ_ERR_MEMORY, in the same words everywhere: "out of memory for ", and what the memory was for. */
dq_status dq_fail_memory(dq_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Names the source and record of an error unless a deeper call already did. Returns error's status. */
dq_status dq_error_at(dq_error *error, const char *source, uint64_t record);

#endif
