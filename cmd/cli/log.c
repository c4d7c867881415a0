/* SPDX-License-Identifier: MIT
 *
 * The log is written in place, a line at a time and flushed, so that it can be followed; a checkpoint knows
 * how long it was, and a resumed run cuts it back there.
 */
#include "cli/log.h"

#include "port/files/json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static dq_status failed(dq_log *log, const char *what, dq_error *error)
{
    dq_status status = dq_fail_errno(error, errno, "%s", what);
    (void)dq_error_at(error, log->name, DQ_NO_RECORD);
    return status;
}

/* Going on would leave a hole. */
static dq_status lacks(const dq_log *log, uint64_t has, uint64_t keep, dq_error *error)
{
    dq_status status = dq_fail(
        error, DQ_ERR_RANGE,
        "the checkpoint was made when the log had %llu bytes, and it has %llu: put the "
        "log back, or remove the checkpoint to begin again",
        (unsigned long long)keep, (unsigned long long)has);
    (void)dq_error_at(error, log->name, DQ_NO_RECORD);
    return status;
}

dq_status dq_log_open(dq_log *log, const char *path, uint64_t keep, dq_error *error)
{
    struct stat st;
    *log = (dq_log){.name = path};
    if (!path) return DQ_OK;
    log->file = fopen(path, keep ? "r+e" : "we");
    if (!log->file && keep && errno == ENOENT) return lacks(log, 0, keep, error);
    if (!log->file) return failed(log, "cannot open the log", error);
    if (!keep) return DQ_OK;
    if (fstat(fileno(log->file), &st) != 0) return failed(log, "cannot open the log", error);
    if (!S_ISREG(st.st_mode)) return DQ_OK;
    if ((uint64_t)st.st_size < keep) return lacks(log, (uint64_t)st.st_size, keep, error);
    if ((uint64_t)st.st_size > keep && ftruncate(fileno(log->file), (off_t)keep) != 0)
        return failed(log, "cannot cut the log back", error);
    return fseek(log->file, 0, SEEK_END) == 0 ? DQ_OK : failed(log, "cannot append to the log", error);
}

typedef struct log_lines {
    FILE *file;
    bool (*done)(void *arg, const char *id, size_t bytes);
    void *arg;
    char *line;
    size_t room;
} log_lines;

/* Whether a line names a user who is done. What is no JSON names nobody; short memory says nothing of it. */
static dq_status tell_done(const log_lines *l, size_t bytes, bool *is, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value value;
    *is = false;
    dq_status status = dq_json_parse(l->line, bytes, &arena, &value, error);
    if (!status) {
        const dq_value *user = dq_map_get(&value, "user");
        *is = user && user->type == DQ_STRING && l->done(l->arg, user->as.string, user->count);
    }
    dq_arena_free(&arena);
    return status == DQ_ERR_MEMORY ? status : DQ_OK;
}

static dq_status measure(log_lines *l, uint64_t *length, size_t *behind, dq_error *error)
{
    dq_error why = DQ_ERROR_NONE;
    dq_status status = DQ_OK;
    bool whole = true, is;
    ssize_t n;
    errno = 0;
    while (!status && (n = getline(&l->line, &l->room, l->file)) > 0) {
        is = false;
        if (l->line[n - 1] == '\n') status = tell_done(l, (size_t)n - 1, &is, &why);
        whole = whole && is;
        *length += whole ? (uint64_t)n : 0;
        *behind += !whole && is;
    }
    if (status && error) *error = why;
    if (!status && !feof(l->file)) status = dq_fail_errno(error, errno, "cannot read the log");
    return status;
}

dq_status dq_log_length(const char *path, bool (*done)(void *arg, const char *id, size_t bytes), void *arg,
                        uint64_t *length, size_t *behind, dq_error *error)
{
    struct stat st;
    *length = *behind = 0;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) return DQ_OK; /* a device may never end */
    log_lines l = {.file = fopen(path, "re"), .done = done, .arg = arg};
    if (!l.file && errno == ENOENT) return DQ_OK;
    dq_status status = l.file ? measure(&l, length, behind, error)
                              : dq_fail_errno(error, errno, "cannot read the log");
    free(l.line);
    if (l.file) (void)fclose(l.file);
    return status ? dq_error_at(error, path, DQ_NO_RECORD) : DQ_OK;
}

dq_status dq_log_write(dq_log *log, const void *lines, size_t bytes, dq_error *error)
{
    if (fwrite(lines, 1, bytes, log->file) == bytes && fflush(log->file) == 0) return DQ_OK;
    return failed(log, "cannot write the log", error);
}

dq_status dq_log_line(dq_log *log, const dq_value *line, dq_error *error)
{
    dq_json_text text = DQ_JSON_TEXT_EMPTY;
    if (!log->file) return DQ_OK;
    dq_status status = dq_json_write(&text, line, error);
    if (!status) status = dq_json_write_raw(&text, "\n", 1, error);
    if (!status) status = dq_log_write(log, text.data, text.bytes, error);
    dq_json_text_free(&text);
    return status;
}

dq_status dq_log_made(dq_log *log, bool ok, const dq_value *line, dq_arena *arena, dq_error *error)
{
    dq_status status = ok ? dq_log_line(log, line, error) : dq_fail_memory(error, "the log");
    dq_arena_free(arena);
    return status;
}

uint64_t dq_log_bytes(dq_log *log)
{
    long at = log->file ? ftell(log->file) : 0;
    return at > 0 ? (uint64_t)at : 0;
}

dq_status dq_log_persist(dq_log *log, dq_error *error)
{
    if (!log->file || (fflush(log->file) == 0 && fdatasync(fileno(log->file)) == 0)) return DQ_OK;
    /* a pipe or a terminal */
    return errno == EINVAL || errno == EROFS ? DQ_OK : failed(log, "cannot sync the log", error);
}

dq_status dq_log_close(dq_log *log, dq_status status, dq_error *error)
{
    FILE *file = log->file;
    log->file = NULL;
    bool closed = !file || fclose(file) == 0;
    return status || closed ? status : failed(log, "cannot write the log", error);
}
