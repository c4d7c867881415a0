/* SPDX-License-Identifier: MIT */
#include "models/half.h"

#include "core/array.h"
#include "models/copy.h"
#include "wire/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG "log" /* the kind of the bundle of lines */

/* The place of halves, a folder of streams as that of models is; its path is to be freed. */
static dq_status find_place(const dq_model_dir *dir, dq_model_dir *place, char **path, dq_error *error)
{
    static const char name[] = "/.half";
    size_t n = strlen(dir->path);
    *path = malloc(n + sizeof name);
    if (!*path) return dq_fail_memory(error, "a folder's name");
    memcpy(*path, dir->path, n);
    memcpy(*path + n, name, sizeof name);
    *place = *dir;
    place->path = *path;
    return DQ_OK;
}

/* ---- keeping ---- */

/* All that the log's bytes are. */
static dq_status read_all(const dq_model_left *left, char **text, size_t *bytes, dq_error *error)
{
    enum { BLOCK = 64 << 10 };
    size_t capacity = 0, got = 1;
    dq_status status = DQ_OK;
    while (!status && got > 0) {
        if (!dq_array_reserve(text, &capacity, *bytes + BLOCK, 1)) return dq_fail_memory(error, "a log");
        status = left->read(left->lines, *text + *bytes, BLOCK, &got, error);
        if (!status) *bytes += got;
    }
    return status;
}

static dq_status split(const char *text, size_t bytes, dq_strings *lines, dq_error *error)
{
    dq_status status = DQ_OK;
    const char *end = text + bytes, *stop;
    for (const char *at = text; !status && at < end; at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) return dq_fail(error, DQ_ERR_FORMAT, "the log ends in the midst of a line");
        status = dq_strings_add(lines, at, (size_t)(stop - at), error);
    }
    return status;
}

static dq_status put_lines(dq_writer *out, const char *id, size_t bytes, const dq_model_left *left,
                           const dq_strings *lines, dq_error *error)
{
    dq_bundle bundle;
    dq_status status = dq_bundle_init(&bundle, LOG, lines->count, error);
    if (status) return status;
    dq_arena *arena = &bundle.arena;
    if (!dq_map_set(arena, &bundle.meta, "user", dq_string_n(arena, id, bytes)) ||
        !dq_map_set(arena, &bundle.meta, "made", dq_bool(left->made)) ||
        !dq_map_set(arena, &bundle.meta, "logged", dq_bool(left->lines != NULL)))
        status = dq_fail_memory(error, "a log");
    if (!status)
        status = dq_bundle_add_text(&bundle, "line", DQ_JSON, lines->offsets, lines->data, NULL, error);
    if (!status) status = dq_writer_put(out, &bundle, error);
    dq_bundle_free(&bundle);
    return status;
}

static dq_status write_to(void *file, const void *data, size_t n, dq_error *error)
{
    return dq_models_write(*(const int *)file, data, n, error);
}

/* A stream of its own, which that of the agent follows as it is. */
static dq_status write_lines(const dq_model_dir *place, const char *path, int *file, const char *id,
                             size_t bytes, const dq_model_left *left, dq_error *error)
{
    dq_sink *sink;
    dq_writer *out = NULL;
    dq_strings lines = {0};
    char *text = NULL;
    size_t n = 0;
    dq_status status = left->lines ? read_all(left, &text, &n, error) : DQ_OK;
    if (!status) status = split(text, n, &lines, error);
    if (!status) status = dq_sink_open_fn(&sink, path, DQ_SINK_FILE, write_to, file, error);
    if (!status)
        status = dq_writer_open_sink(&out, sink, place->maker, place->inputs, place->input_count, error);
    if (!status) status = put_lines(out, id, bytes, left, &lines, error);
    if (!status)
        status = dq_writer_close(out, error);
    else
        dq_writer_abort(out);
    dq_strings_free(&lines);
    free(text);
    return status;
}

static dq_status write_half(const dq_model_dir *place, const char *path, const char *id, size_t bytes,
                            const dq_model_left *left, dq_error *error)
{
    int file = -1;
    uint64_t copied;
    dq_aside aside = {0};
    dq_status status = dq_aside_open(&aside, path, &file, error);
    if (!status) status = write_lines(place, path, &file, id, bytes, left, error);
    if (!status) status = dq_models_copy(left->read, left->stream, file, &copied, error);
    if (!status) status = dq_aside_complete(&aside, &file, error);
    if (status) (void)dq_error_at(error, path, DQ_NO_RECORD);
    if (file >= 0) (void)close(file);
    dq_aside_discard(&aside);
    return status;
}

dq_status dq_model_half_keep(const dq_model_dir *dir, const char *id, size_t bytes, const dq_model_left *left,
                             dq_error *error)
{
    dq_model_dir place;
    char *folder = NULL, *path = NULL;
    dq_status status = find_place(dir, &place, &folder, error);
    if (!status) status = dq_model_dir_make(&place, error);
    if (!status) status = dq_model_dir_path(&place, id, bytes, &path, error);
    if (!status) status = write_half(&place, path, id, bytes, left, error);
    free(path);
    free(folder);
    return status;
}

/* ---- taking up ---- */

static bool says(const dq_bundle *lines, const char *key)
{
    const dq_value *v = dq_map_get(&lines->meta, key);
    return v && v->type == DQ_BOOL && v->as.boolean;
}

/* The lines that a half of this run begins with. */
static dq_status read_lines(dq_model_half *half, dq_error *error)
{
    int got = dq_reader_next(half->reader, &half->lines, error);
    if (got < 0) return error->status;
    const dq_column *line = got ? dq_bundle_column(&half->lines, "line") : NULL;
    if (!line || strcmp(half->lines.kind, LOG) != 0 || line->type != DQ_JSON)
        return dq_fail(error, DQ_ERR_SCHEMA, "no log of an agent that is half made");
    half->made = says(&half->lines, "made");
    return DQ_OK;
}

static dq_status open_half(dq_model_half *half, const dq_model_dir *place, const char *id, size_t bytes,
                           bool logged, dq_error *error)
{
    dq_model_found found;
    dq_status status = dq_model_dir_find(place, id, bytes, &found, error);
    if (status || found != DQ_MODEL_SAME) return status;
    status = dq_model_dir_open(place, id, bytes, &half->reader, error);
    if (!status && half->reader) status = read_lines(half, error);
    if (!status && logged && !says(&half->lines, "logged")) dq_model_half_close(half);
    return status;
}

dq_status dq_model_half_open(dq_model_half *half, const dq_model_dir *dir, const char *id, size_t bytes,
                             bool logged, dq_error *error)
{
    dq_model_dir place;
    dq_error why = DQ_ERROR_NONE;
    char *folder = NULL;
    *half = (dq_model_half){.lines = DQ_BUNDLE_EMPTY};
    dq_status status = find_place(dir, &place, &folder, &why);
    if (!status) status = open_half(half, &place, id, bytes, logged, &why);
    free(folder);
    if (status && status != DQ_ERR_MEMORY) dq_model_half_close(half);
    if (status != DQ_ERR_MEMORY) return DQ_OK;
    if (error) *error = why;
    return status;
}

void dq_model_half_close(dq_model_half *half)
{
    dq_reader_close(half->reader);
    dq_bundle_free(&half->lines);
    *half = (dq_model_half){.lines = DQ_BUNDLE_EMPTY};
}

/* ---- the place ---- */

bool dq_model_halves_are(const dq_model_dir *dir)
{
    dq_model_dir place;
    char *folder = NULL;
    bool are = !find_place(dir, &place, &folder, NULL) && access(folder, F_OK) == 0;
    free(folder);
    return are;
}

dq_status dq_model_halves_clean(const dq_model_dir *dir,
                                bool (*ours)(void *arg, const char *id, size_t bytes), void *arg,
                                dq_error *error)
{
    dq_model_dir place;
    char *folder = NULL;
    dq_status status = find_place(dir, &place, &folder, error);
    if (!status) status = dq_model_dir_clean(&place, ours, arg, error);
    free(folder);
    return status;
}

dq_status dq_model_half_drop(const dq_model_dir *dir, const char *id, size_t bytes, dq_error *error)
{
    dq_model_dir place;
    char *folder = NULL, *path = NULL;
    dq_status status = find_place(dir, &place, &folder, error);
    if (!status) status = dq_model_dir_path(&place, id, bytes, &path, error);
    if (!status && unlink(path) != 0 && errno != ENOENT) {
        status = dq_fail_errno(error, errno, "cannot remove it");
        (void)dq_error_at(error, path, DQ_NO_RECORD);
    }
    free(path);
    free(folder);
    return status;
}

void dq_model_halves_end(const dq_model_dir *dir)
{
    dq_model_dir place;
    char *folder = NULL;
    if (!find_place(dir, &place, &folder, NULL)) (void)rmdir(folder); /* which one of others stays in */
    free(folder);
}
