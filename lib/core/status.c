/* SPDX-License-Identifier: MIT */
#include "dq/status.h"

#include "core/utf8.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

const char *dq_status_word(dq_status status)
{
    switch (status) {
    case DQ_OK: return "ok";
    case DQ_ERR_MEMORY: return "memory";
    case DQ_ERR_IO: return "io";
    case DQ_ERR_FORMAT: return "format";
    case DQ_ERR_TRUNCATED: return "truncated";
    case DQ_ERR_VERSION: return "version";
    case DQ_ERR_SCHEMA: return "schema";
    case DQ_ERR_DUPLICATE: return "duplicate";
    case DQ_ERR_UNKNOWN: return "unknown";
    case DQ_ERR_RANGE: return "range";
    case DQ_ERR_NUMERIC: return "numeric";
    case DQ_ERR_STOPPED: return "stopped";
    case DQ_ERR_UNSUPPORTED: return "unsupported";
    case DQ_ERR_TERMINAL: return "terminal";
    }
    return "unknown status";
}

static void describe(dq_error *error, dq_status status, int sys, const char *format, va_list args)
{
    error->status = status;
    error->sys = sys;
    char words[sizeof error->reason];
    (void)vsnprintf(words, sizeof words, format, args);
    (void)dq_utf8_show(words, strlen(words), error->reason, sizeof error->reason);
}

dq_status dq_fail(dq_error *error, dq_status status, const char *format, ...)
{
    if (error) {
        va_list args;
        va_start(args, format);
        describe(error, status, 0, format, args);
        va_end(args);
    }
    return status;
}

dq_status dq_fail_errno(dq_error *error, int sys, const char *format, ...)
{
    if (error) {
        va_list args;
        va_start(args, format);
        describe(error, DQ_ERR_IO, sys, format, args);
        va_end(args);
        size_t used = strlen(error->reason);
        /* glibc's text is each thread's own: NOLINTNEXTLINE(concurrency-mt-unsafe) */
        (void)snprintf(error->reason + used, sizeof error->reason - used, ": %s", strerror(sys));
    }
    return DQ_ERR_IO;
}

dq_status dq_fail_memory(dq_error *error, const char *format, ...)
{
    char purpose[200];
    if (!error) return DQ_ERR_MEMORY;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(purpose, sizeof purpose, format, args);
    va_end(args);
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory for %s", purpose);
}

dq_status dq_error_at(dq_error *error, const char *source, uint64_t record)
{
    if (!error) return DQ_ERR_FORMAT;
    if (!error->source[0] && source) {
        (void)dq_utf8_show(source, strlen(source), error->source, sizeof error->source);
        if (error->record == DQ_NO_RECORD) error->record = record;
    }
    return error->status;
}
