/* SPDX-License-Identifier: MIT */
#include "serve/served.h"

#include "dq/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct state {
    dq_served served; /* first: what is taken is a state */
    dq_catalogue catalogue;
    dq_value maker; /* in the catalogue's arena */
    atomic_uint references;
} state;

struct dq_served_file {
    char *path;
    bool may_lack;
    pthread_mutex_t lock; /* of `now` */
    state *now;
};

static void release(state *s)
{
    if (!s || atomic_fetch_sub(&s->references, 1) > 1) return;
    dq_catalogue_free(&s->catalogue);
    free(s);
}

void dq_served_release(const dq_served *served)
{
    state *s; /* it was given out as const, and is ours */
    memcpy(&s, &served, sizeof s);
    release(s);
}

static dq_status read_all(dq_catalogue *catalogue, dq_reader *reader, dq_error *error)
{
    dq_bundle bundle;
    dq_status status = DQ_OK;
    int got = 1;
    while (!status && (got = dq_reader_next(reader, &bundle, error)) > 0) {
        bool taken;
        status = dq_catalogue_add(catalogue, &bundle, dq_reader_section(reader), &taken, error);
        if (status) (void)dq_error_at(error, dq_reader_source(reader), dq_reader_record(reader));
        dq_bundle_free(&bundle);
    }
    if (!status && got < 0) status = error->status;
    return status ? status : dq_catalogue_finish(catalogue, true, error);
}

/* Once all heads were read. */
static dq_status take_maker(state *s, const dq_reader *reader, dq_error *error)
{
    const dq_value *heads = dq_reader_heads(reader);
    if (heads->count != 1) return DQ_OK;
    if (!dq_value_copy(&s->catalogue.arena, &heads->as.list[0], &s->maker))
        return dq_fail_memory(error, "the catalogue");
    s->served.maker = &s->maker;
    return DQ_OK;
}

static dq_status read_file(dq_served_file *file, state *s, dq_error *error)
{
    dq_reader *reader;
    const char *path = file->path;
    if (file->may_lack && (!path || (access(path, F_OK) < 0 && errno == ENOENT))) return DQ_OK;
    dq_status status = dq_reader_open(&reader, &path, 1, error);
    if (status) return status;
    status = read_all(&s->catalogue, reader, error);
    if (!status) status = take_maker(s, reader, error);
    dq_reader_close(reader);
    s->served.catalogue = &s->catalogue;
    return status;
}

static void replace(dq_served_file *file, state *s)
{
    (void)pthread_mutex_lock(&file->lock);
    state *before = file->now;
    if (before) s->served.generation = before->served.generation + 1;
    file->now = s;
    (void)pthread_mutex_unlock(&file->lock);
    release(before);
}

dq_status dq_served_reload(dq_served_file *file, dq_error *error)
{
    dq_error here = DQ_ERROR_NONE;
    state *s = calloc(1, sizeof *s);
    if (!s) return dq_fail_memory(error, "the catalogue");
    atomic_init(&s->references, 1);
    dq_status status = read_file(file, s, &here);
    if (!status) {
        replace(file, s);
        return DQ_OK;
    }
    release(s);
    if (error) *error = here;
    return status;
}

dq_status dq_served_open(dq_served_file **file, const char *path, bool may_lack, dq_error *error)
{
    dq_served_file *f = *file = calloc(1, sizeof *f);
    if (!f) return dq_fail_memory(error, "the catalogue");
    f->may_lack = may_lack;
    (void)pthread_mutex_init(&f->lock, NULL);
    f->path = path ? strdup(path) : NULL;
    dq_status status = path && !f->path ? dq_fail_memory(error, "the catalogue") : DQ_OK;
    if (!status) status = dq_served_reload(f, error);
    if (!status) return DQ_OK;
    dq_served_close(f);
    *file = NULL;
    return status;
}

void dq_served_close(dq_served_file *file)
{
    if (!file) return;
    release(file->now);
    (void)pthread_mutex_destroy(&file->lock);
    free(file->path);
    free(file);
}

const dq_served *dq_served_take(dq_served_file *file)
{
    (void)pthread_mutex_lock(&file->lock);
    state *s = file->now;
    atomic_fetch_add(&s->references, 1);
    (void)pthread_mutex_unlock(&file->lock);
    return &s->served;
}

const char *dq_served_path(const dq_served_file *file)
{
    return file->path;
}

/* ---- what it is ---- */

/* An environment's catalogue, which dq-sim writes, too, has other options. */
bool dq_served_is_made_up(const dq_served *served)
{
    const dq_value *options = served->maker ? dq_map_get(served->maker, "options") : NULL;
    return options && dq_value_is(dq_map_get(served->maker, "program"), "dq-sim") &&
           dq_value_integer(dq_map_get(options, "users"), 0) > 0 &&
           dq_value_integer(dq_map_get(options, "items"), 0) > 0;
}

const char *dq_served_user_id(const dq_served *served, const dq_value *id, dq_arena *arena)
{
    char digits[24];
    size_t n;
    if (!id || id->type != DQ_INT) return dq_value_text(arena, id);
    int length = snprintf(digits, sizeof digits, "%" PRId64, id->as.integer);
    const dq_entities *users = served->catalogue ? &served->catalogue->users : NULL;
    bool known = users && dq_entities_find(users, digits, (size_t)length) != DQ_ABSENT;
    bool numbered = users && !known && dq_served_is_made_up(served) && id->as.integer >= 0 &&
                    id->as.integer < dq_entities_count(users);
    if (!numbered) return dq_arena_text(arena, digits, (size_t)length);
    const char *text = dq_entities_id(users, (uint32_t)id->as.integer, &n);
    return dq_arena_text(arena, text, n);
}
