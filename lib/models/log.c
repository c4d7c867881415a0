/* SPDX-License-Identifier: MIT */
#include "models/log.h"

#include "port/files/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Whether a line names a user who is done. */
static bool is_done(const char *line, size_t bytes, bool (*done)(void *arg, const char *id, size_t bytes),
                    void *arg)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value value;
    bool is = false;
    if (!dq_json_parse(line, bytes, &arena, &value, NULL)) {
        const dq_value *user = dq_map_get(&value, "user");
        is = user && user->type == DQ_STRING && done(arg, user->as.string, user->count);
    }
    dq_arena_free(&arena);
    return is;
}

dq_status dq_model_log_length(const char *path, bool (*done)(void *arg, const char *id, size_t bytes),
                              void *arg, uint64_t *length, dq_error *error)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    FILE *file = fopen(path, "re");
    *length = 0;
    if (!file && errno == ENOENT) return DQ_OK;
    if (!file) {
        (void)dq_fail_errno(error, errno, "cannot read the log");
        return dq_error_at(error, path, DQ_NO_RECORD);
    }
    errno = 0;
    while ((n = getline(&line, &room, file)) > 0 && line[n - 1] == '\n' &&
           is_done(line, (size_t)n - 1, done, arg))
        *length += (uint64_t)n;
    bool broken = n < 0 && !feof(file);
    dq_status status = broken ? dq_fail_errno(error, errno, "cannot read the log") : DQ_OK;
    free(line);
    (void)fclose(file);
    return status ? dq_error_at(error, path, DQ_NO_RECORD) : DQ_OK;
}
