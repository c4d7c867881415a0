/* SPDX-License-Identifier: MIT */
#include "label/answer_log.h"

#include "core/array.h"
#include "core/index.h"
#include "dq/source.h"
#include "port/files/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct dq_answer_log {
    const char *path;
    int fd;           /* locked, at its end */
    dq_index pairs;   /* user, NUL, item: every pair that the file names */
    uint32_t *labels; /* (pairs) a row of names, or DQ_ABSENT */
    size_t room;
    dq_index names; /* each with its NUL */
};

/* The key of a pair, to be freed; NULL without memory. */
static char *pair_key(const char *user, size_t u, const char *item, size_t i)
{
    char *key = malloc(u + 1 + i);
    if (!key) return NULL;
    memcpy(key, user, u);
    key[u] = '\0';
    memcpy(key + u + 1, item, i);
    return key;
}

static dq_status remember(dq_answer_log *log, const char *user, size_t u, const char *item, size_t i,
                          const char *label, size_t n, dq_error *error)
{
    uint32_t row, name = DQ_ABSENT;
    char *key = pair_key(user, u, item, i);
    if (!key) return dq_fail(error, DQ_ERR_MEMORY, "no memory for answers");
    dq_status status = dq_index_add(&log->pairs, key, u + 1 + i, &row, NULL, error);
    free(key);
    if (!status && label) status = dq_index_add(&log->names, label, n + 1, &name, NULL, error);
    if (status) return status;
    if (!dq_array_reserve(&log->labels, &log->room, (size_t)row + 1, sizeof *log->labels))
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for answers");
    log->labels[row] = name;
    return DQ_OK;
}

static dq_status read_answer(dq_answer_log *log, const char *line, size_t n, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value v;
    dq_status status = dq_json_parse(line, n, &arena, &v, error);
    const dq_value *user = status ? NULL : dq_map_get(&v, "user");
    const dq_value *item = status ? NULL : dq_map_get(&v, "item");
    const dq_value *label = status ? NULL : dq_map_get(&v, "label");
    bool taken_back = label && label->type == DQ_NIL;
    if (!status && (!user || user->type != DQ_STRING || !item || item->type != DQ_STRING || !label ||
                    (label->type != DQ_STRING && !taken_back)))
        status = dq_fail(error, DQ_ERR_FORMAT, "no answer: a line has user, item and label");
    if (!status)
        status = remember(log, user->as.string, user->count, item->as.string, item->count,
                          taken_back ? NULL : label->as.string, taken_back ? 0 : label->count, error);
    dq_arena_free(&arena);
    return status;
}

/* Lines are cut off and appended here, so a file that is anything else stays as it is: what is compressed, or
 * UTF-16, or another file that somebody named. */
static dq_status check_lines(const dq_answer_log *log, dq_error *error)
{
    unsigned char first[3] = {'{', ' ', ' '};
    if (pread(log->fd, first, sizeof first, 0) < 0) return dq_fail_errno(error, errno, "cannot read");
    bool marked = memcmp(first, "\xef\xbb\xbf", 3) == 0;
    if (marked || (first[0] && strchr("{ \t\r\n", first[0]) && first[1])) return DQ_OK;
    return dq_fail(error, DQ_ERR_FORMAT,
                   "no lines of answers in UTF-8 (a compressed file is to be decompressed first)");
}

/* A last line without its end was being written when something ended: it is no answer. */
static dq_status cut_torn_line(dq_answer_log *log, dq_error *error)
{
    off_t end = lseek(log->fd, 0, SEEK_END), keep = end;
    char last = '\n';
    while (keep > 0 && pread(log->fd, &last, 1, keep - 1) == 1 && last != '\n') keep--;
    if (keep < end && ftruncate(log->fd, keep) != 0)
        return dq_fail_errno(error, errno, "cannot cut a torn line off");
    (void)lseek(log->fd, 0, SEEK_END);
    return DQ_OK;
}

static dq_status read_answers(dq_answer_log *log, dq_error *error)
{
    dq_source *source;
    char *line = NULL;
    size_t n;
    uint64_t record = 0;
    dq_status status = dq_source_open(&source, log->path, error);
    if (status) return status;
    while (!(status = dq_source_line(source, &line, &n, error)) && line) {
        record++;
        status = n ? read_answer(log, line, n, error) : DQ_OK;
        if (!status) continue;
        (void)dq_error_at(error, log->path, record);
        break;
    }
    dq_source_close(source);
    return status;
}

static dq_status open_answers(dq_answer_log *log, dq_error *error)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat st;
    log->fd = open(log->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (log->fd < 0 || fstat(log->fd, &st) != 0) return dq_fail_errno(error, errno, "cannot open");
    if (!S_ISREG(st.st_mode)) return dq_fail(error, DQ_ERR_UNSUPPORTED, "answers are kept in a regular file");
    if (fcntl(log->fd, F_OFD_SETLK, &whole) != 0)
        return dq_fail(error, DQ_ERR_IO, "another session writes its answers here");
    dq_status status = check_lines(log, error);
    if (!status) status = cut_torn_line(log, error);
    return status ? status : read_answers(log, error);
}

static bool whole_write(int fd, const char *data, size_t n)
{
    while (n) {
        ssize_t w = write(fd, data, n);
        if (w < 0 && errno != EINTR) return false;
        if (w > 0) {
            data += w;
            n -= (size_t)w;
        }
    }
    return fdatasync(fd) == 0;
}

dq_status dq_answer_log_keep(dq_answer_log *log, const char *user, size_t u, const char *item, size_t i,
                             const char *label, dq_error *error)
{
    size_t n = label ? strlen(label) : 0;
    dq_json_text line = DQ_JSON_TEXT_EMPTY;
    dq_status status = dq_rows_begin_pair(&line, user, u, item, i, error);
    if (!status) status = dq_json_write_raw(&line, ",\"label\":", 9, error);
    if (!status && label) status = dq_json_write_string(&line, label, n, error);
    if (!status && !label) status = dq_json_write_raw(&line, "null", 4, error);
    if (!status) status = dq_json_write_raw(&line, "}\n", 2, error);
    if (!status && !whole_write(log->fd, line.data, line.bytes))
        status = dq_fail_errno(error, errno, "cannot keep an answer");
    dq_json_text_free(&line);
    if (!status) status = remember(log, user, u, item, i, label, n, error);
    if (status) (void)dq_error_at(error, log->path, DQ_NO_RECORD);
    return status;
}

const char *dq_answer_log_find(const dq_answer_log *log, const char *user, size_t u, const char *item,
                               size_t i)
{
    size_t n;
    char *key = pair_key(user, u, item, i);
    if (!key) return NULL;
    uint32_t row = dq_index_find(&log->pairs, key, u + 1 + i);
    free(key);
    if (row == DQ_ABSENT || log->labels[row] == DQ_ABSENT) return NULL;
    return dq_index_id(&log->names, log->labels[row], &n);
}

dq_status dq_answer_log_open(dq_answer_log **made, const char *path, dq_error *error)
{
    dq_answer_log *log = *made = calloc(1, sizeof *log);
    if (!log) return dq_fail(error, DQ_ERR_MEMORY, "no memory for answers");
    *log = (dq_answer_log){.path = path, .fd = -1};
    dq_status status = open_answers(log, error);
    if (status) (void)dq_error_at(error, path, DQ_NO_RECORD);
    return status;
}

void dq_answer_log_close(dq_answer_log *log)
{
    if (!log) return;
    if (log->fd >= 0) (void)close(log->fd);
    dq_index_free(&log->pairs);
    dq_index_free(&log->names);
    free(log->labels);
    free(log);
}
