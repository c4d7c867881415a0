/* SPDX-License-Identifier: MIT */
#include "models/directory.h"

#include "core/array.h"
#include "core/delta/delta.h"
#include "dq/schema.h"
#include "models/name.h"
#include "wire/delta/starts.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

dq_status dq_model_dir_make(const dq_model_dir *dir, dq_error *error)
{
    struct stat st;
    if (mkdir(dir->path, 0777) == 0) return DQ_OK;
    int sys = errno;
    if (sys == EEXIST && stat(dir->path, &st) == 0 && S_ISDIR(st.st_mode)) return DQ_OK;
    (void)dq_fail_errno(error, sys == EEXIST ? ENOTDIR : sys, "cannot make the folder");
    return dq_error_at(error, dir->path, DQ_NO_RECORD);
}

dq_status dq_model_dir_path(const dq_model_dir *dir, const char *id, size_t bytes, char **path,
                            dq_error *error)
{
    char name[DQ_MODEL_NAME_MAX + 1];
    *path = NULL;
    dq_status status = dq_model_name(id, bytes, name, error);
    if (status) return status;
    size_t n = strlen(dir->path) + strlen(name) + 2;
    if (!(*path = malloc(n))) return dq_fail_memory(error, "a file's name");
    (void)snprintf(*path, n, "%s/%s", dir->path, name);
    return DQ_OK;
}

dq_status dq_model_dir_open(const dq_model_dir *dir, const char *id, size_t bytes, dq_reader **reader,
                            dq_error *error)
{
    char *path;
    *reader = NULL;
    dq_status status = dq_model_dir_path(dir, id, bytes, &path, error);
    if (status) return status;
    const char *operand = path;
    if (access(path, F_OK) == 0 || errno != ENOENT) status = dq_reader_open(reader, &operand, 1, error);
    free(path);
    return status;
}

/* ---- whose it is ---- */

static bool same_entry(const dq_value *a, const dq_value *b, const char *key)
{
    const dq_value *x = dq_map_get(a, key), *y = dq_map_get(b, key);
    return x && y && dq_value_equal(x, y);
}

static bool same_maker(const dq_model_dir *dir, const dq_value *made)
{
    const dq_maker *m = dir->maker;
    const dq_value *options = dq_map_get(made, "options"), *program = dq_map_get(made, "program"),
                   *version = dq_map_get(made, "version");
    return options && dq_value_equal(options, &m->options) && program && dq_value_is(program, m->program) &&
           version && dq_value_is(version, m->version) &&
           dq_value_integer(dq_map_get(made, "seed"), -1) == m->seed;
}

/* The digests of what it was made of are those of what was read now. */
static bool same_inputs(const dq_model_dir *dir, const dq_value *end)
{
    const dq_value *made = dq_map_get(end, "inputs");
    uint32_t n = 0;
    for (size_t i = 0; made && i < dir->input_count; i++) {
        const dq_value *ends = dq_reader_ends(dir->inputs[i]);
        for (uint32_t e = 0; e < ends->count; e++, n++)
            if (n >= made->count || !same_entry(&made->as.list[n], &ends->as.list[e], "digest")) return false;
    }
    return made && n == made->count;
}

/* A half has two sections. */
static bool same_sections(const dq_model_dir *dir, const dq_value *heads, const dq_value *ends)
{
    bool same = heads->count == ends->count && ends->count > 0;
    for (uint32_t i = 0; same && i < ends->count; i++)
        same = same_maker(dir, &heads->as.list[i]) && same_inputs(dir, &ends->as.list[i]);
    return same;
}

bool dq_model_is_of(const dq_bundle *model, const char *id, size_t bytes)
{
    const dq_value *user = dq_map_get(&model->meta, "user");
    return user && user->type == DQ_STRING && user->count == bytes && memcmp(user->as.string, id, bytes) == 0;
}

/* *his: there are models, and all name this user. */
static dq_status read_to_end(dq_reader *reader, const char *id, size_t bytes, bool *his, dq_error *error)
{
    dq_bundle bundle;
    bool others = false;
    int got;
    *his = false;
    while ((got = dq_reader_next(reader, &bundle, error)) > 0) {
        bool same = dq_model_is_of(&bundle, id, bytes);
        *his = *his || same;
        others = others || !same;
        dq_bundle_free(&bundle);
    }
    *his = *his && !others;
    return got < 0 ? error->status : DQ_OK;
}

dq_status dq_model_dir_find(const dq_model_dir *dir, const char *id, size_t bytes, dq_model_found *found,
                            dq_error *error)
{
    dq_reader *reader;
    dq_error why = DQ_ERROR_NONE;
    bool his = false;
    *found = DQ_MODEL_NONE;
    dq_status status = dq_model_dir_open(dir, id, bytes, &reader, &why);
    if (!status && reader) status = read_to_end(reader, id, bytes, &his, &why);
    bool damaged = status == DQ_ERR_FORMAT || status == DQ_ERR_TRUNCATED || status == DQ_ERR_VERSION ||
                   status == DQ_ERR_SCHEMA;
    if (damaged) *found = DQ_MODEL_OTHER;
    if (!status && reader) {
        bool same = his && same_sections(dir, dq_reader_heads(reader), dq_reader_ends(reader));
        *found = same ? DQ_MODEL_SAME : DQ_MODEL_OTHER;
    }
    dq_reader_close(reader);
    if (!status || damaged) return DQ_OK;
    if (error) *error = why;
    return status;
}

/* ---- writing ---- */

dq_status dq_models_pass(dq_reader *reader, dq_writer *writer, dq_error *error)
{
    dq_bundle bundle;
    dq_status status = DQ_OK;
    int got = 0;
    while (!status && (got = dq_reader_next(reader, &bundle, error)) > 0) {
        status = dq_writer_put(writer, &bundle, error);
        dq_bundle_free(&bundle);
    }
    return !status && got < 0 ? error->status : status;
}

static dq_status write_start(const dq_model_dir *dir, const char *path, const dq_bundle *start,
                             dq_error *error)
{
    dq_writer *out = NULL;
    dq_status status = dq_writer_open(&out, path, dir->maker, dir->inputs, dir->input_count, error);
    if (!status) status = dq_writer_put(out, start, error);
    if (!status) return dq_writer_close(out, error);
    dq_writer_abort(out);
    return status;
}

dq_status dq_model_dir_keep_start(const dq_model_dir *dir, const dq_bundle *start, dq_error *error)
{
    dq_starts there = {0};
    char *path = dq_starts_path(dir->path, start->body_hash);
    if (!path) return dq_fail_memory(error, "a file's name");
    dq_error why = DQ_ERROR_NONE;
    dq_status status = dq_starts_give(&there, path, &why);
    bool whole = !status && there.held[0].body_hash == start->body_hash;
    if (status == DQ_ERR_MEMORY) { /* which says nothing of the file */
        if (error) *error = why;
    } else {
        status = whole ? DQ_OK : write_start(dir, path, start, error);
    }
    dq_starts_free(&there);
    free(path);
    return status;
}

/* ---- the folder ---- */

/* Hands the name of each entry to take(arg, folder, name, error), whose failure ends it. */
static dq_status each_entry(const dq_model_dir *dir,
                            dq_status (*take)(void *arg, int folder, const char *name, dq_error *error),
                            void *arg, dq_error *error)
{
    const struct dirent *entry;
    dq_status status = DQ_OK;
    DIR *all = opendir(dir->path);
    if (!all) status = dq_fail_errno(error, errno, "cannot read the folder");
    while (!status) {
        errno = 0;
        /* the stream is ours alone: NOLINTNEXTLINE(concurrency-mt-unsafe) */
        if (!(entry = readdir(all)) && errno == EINTR) continue;
        if (!entry) break;
        status = take(arg, dirfd(all), entry->d_name, error);
    }
    if (!status && errno) status = dq_fail_errno(error, errno, "cannot read the folder");
    if (all) (void)closedir(all);
    return status ? dq_error_at(error, dir->path, DQ_NO_RECORD) : DQ_OK;
}

static dq_status find_first(void *arg, int folder, const char *name, dq_error *error)
{
    char *first = arg, id[DQ_MODEL_NAME_MAX + 1];
    size_t bytes;
    (void)folder, (void)error;
    if (dq_model_name_id(name, id, &bytes) && (!*first || strcmp(name, first) < 0))
        memcpy(first, name, strlen(name) + 1); /* a name of an id fits */
    return DQ_OK;
}

dq_status dq_model_dir_any(const dq_model_dir *dir, dq_reader **reader, dq_error *error)
{
    char first[DQ_MODEL_NAME_MAX + 1] = "", id[DQ_MODEL_NAME_MAX + 1];
    size_t bytes;
    *reader = NULL;
    dq_status status = each_entry(dir, find_first, first, error);
    if (!status && *first && dq_model_name_id(first, id, &bytes))
        status = dq_model_dir_open(dir, id, bytes, reader, error);
    if (status || *reader) return status;
    (void)dq_fail(error, DQ_ERR_UNKNOWN, "no model in it");
    return dq_error_at(error, dir->path, DQ_NO_RECORD);
}

/* NAME.XXXXXX, as a sink writes aside: its id. */
static bool aside_of(const char *entry, char id[DQ_MODEL_NAME_MAX + 1], size_t *bytes)
{
    char name[DQ_MODEL_NAME_MAX + 1];
    size_t n = strlen(entry), letters = 6;
    if (n <= letters + 1 || n - letters - 1 > DQ_MODEL_NAME_MAX || entry[n - letters - 1] != '.')
        return false;
    if (strspn(entry + n - letters, "abcdefghijklmnopqrstuvwxyz012345") != letters) return false;
    memcpy(name, entry, n - letters - 1);
    name[n - letters - 1] = '\0';
    return dq_model_name_id(name, id, bytes);
}

typedef struct cleaning {
    bool (*ours)(void *arg, const char *id, size_t bytes);
    void *arg;
} cleaning;

static dq_status clean(void *arg, int folder, const char *name, dq_error *error)
{
    const cleaning *c = arg;
    char id[DQ_MODEL_NAME_MAX + 1];
    size_t bytes;
    if (!aside_of(name, id, &bytes) || !c->ours(c->arg, id, bytes)) return DQ_OK;
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT) return DQ_OK;
    return dq_fail_errno(error, errno, "cannot remove %.200s", name);
}

dq_status dq_model_dir_clean(const dq_model_dir *dir, bool (*ours)(void *arg, const char *id, size_t bytes),
                             void *arg, dq_error *error)
{
    cleaning c = {ours, arg};
    return each_entry(dir, clean, &c, error);
}

/* ---- starts ---- */

typedef struct sweeping {
    const dq_model_dir *dir;
    uint64_t *starts; /* (count) their digests; from `unused` on none has been seen to be of a model */
    size_t count, capacity, unused;
} sweeping;

/* A start has the name that dq_starts_path makes of its digest. */
static dq_status list_start(void *arg, int folder, const char *name, dq_error *error)
{
    sweeping *s = arg;
    uint64_t digest;
    static const char before[] = ".start-";
    (void)folder;
    if (strncmp(name, before, sizeof before - 1) != 0) return DQ_OK;
    digest = strtoull(name + sizeof before - 1, NULL, 16);
    char *path = dq_starts_path("", digest);
    if (!path || !dq_array_reserve(&s->starts, &s->capacity, s->count + 1, sizeof *s->starts)) {
        free(path);
        return dq_fail_memory(error, "the names of starts");
    }
    if (strcmp(path + 1, name) == 0) s->starts[s->count++] = digest;
    free(path);
    return DQ_OK;
}

static void is_used(sweeping *s, uint64_t digest)
{
    for (size_t i = s->unused; i < s->count; i++)
        if (s->starts[i] == digest) {
            s->starts[i] = s->starts[s->unused];
            s->starts[s->unused++] = digest;
        }
}

/* Of which starts a user's models are. */
static dq_status look_up(void *arg, int folder, const char *name, dq_error *error)
{
    sweeping *s = arg;
    char id[DQ_MODEL_NAME_MAX + 1];
    size_t bytes;
    dq_reader *reader;
    dq_bundle bundle;
    int got = 0;
    uint64_t digest;
    (void)folder;
    if (s->unused == s->count || !dq_model_name_id(name, id, &bytes)) return DQ_OK;
    dq_status status = dq_model_dir_open(s->dir, id, bytes, &reader, error);
    if (status || !reader) return status;
    while ((got = dq_reader_next(reader, &bundle, error)) > 0) {
        if (dq_delta_is(&bundle) && dq_delta_start(&bundle, &digest)) is_used(s, digest);
        dq_bundle_free(&bundle);
    }
    dq_reader_close(reader);
    return got < 0 ? error->status : DQ_OK;
}

dq_status dq_model_dir_sweep(const dq_model_dir *dir, size_t *removed, dq_error *error)
{
    sweeping s = {.dir = dir};
    *removed = 0;
    dq_status status = each_entry(dir, list_start, &s, error);
    if (!status && s.count) status = each_entry(dir, look_up, &s, error);
    for (size_t i = s.unused; !status && i < s.count; i++) {
        char *path = dq_starts_path(dir->path, s.starts[i]);
        if (!path) status = dq_fail_memory(error, "a file's name");
        if (path && unlink(path) == 0)
            ++*removed;
        else if (path && errno != ENOENT)
            status = dq_fail_errno(error, errno, "cannot remove a start");
        free(path);
    }
    free(s.starts);
    return status;
}
