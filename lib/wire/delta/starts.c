/* SPDX-License-Identifier: MIT */
#include "wire/delta/starts.h"

#include "core/delta/delta.h"
#include "dq/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *dq_starts_path(const char *folder, uint64_t digest)
{
    size_t bytes = strlen(folder) + sizeof "/.start-0123456789abcdef.dq";
    char *path = malloc(bytes);
    if (path) (void)snprintf(path, bytes, "%s/.start-%016" PRIx64 ".dq", folder, digest);
    return path;
}

static const dq_bundle *find_held(const dq_starts *s, uint64_t digest)
{
    for (size_t i = 0; i < DQ_STARTS_HELD; i++)
        if (s->held[i].body && s->held[i].body_hash == digest) return &s->held[i];
    return NULL;
}

static const dq_bundle *hold(dq_starts *s, dq_bundle *start)
{
    dq_bundle *place = &s->held[s->next++ % DQ_STARTS_HELD];
    dq_bundle_free(place);
    *place = *start;
    *start = DQ_BUNDLE_EMPTY;
    return place;
}

/* The one model of a file, which is read to its end. */
static dq_status read_model(const char *path, dq_bundle *model, dq_error *error)
{
    dq_reader *reader;
    dq_bundle bundle;
    int got = 0;
    *model = DQ_BUNDLE_EMPTY;
    dq_status status = dq_reader_open(&reader, &path, 1, error);
    while (!status && (got = dq_reader_next(reader, &bundle, error)) > 0) {
        bool is = strcmp(bundle.kind, DQ_KIND_MODEL) == 0;
        if (is && model->body) status = dq_fail(error, DQ_ERR_RANGE, "a second model in it");
        if (is && !status) {
            *model = bundle;
            bundle = DQ_BUNDLE_EMPTY;
        }
        dq_bundle_free(&bundle);
    }
    if (!status && got < 0) status = error ? error->status : DQ_ERR_FORMAT;
    if (!status && !model->body) status = dq_fail(error, DQ_ERR_UNKNOWN, "no model in it");
    dq_reader_close(reader);
    if (!status) return DQ_OK;
    dq_bundle_free(model);
    if (error && !error->source[0]) (void)dq_error_at(error, path, DQ_NO_RECORD);
    return status;
}

dq_status dq_starts_give(dq_starts *s, const char *path, dq_error *error)
{
    dq_bundle start;
    dq_status status = read_model(path, &start, error);
    if (status) return status;
    if (dq_delta_is(&start)) {
        dq_bundle_free(&start);
        (void)dq_fail(error, DQ_ERR_UNSUPPORTED,
                      "a start is a whole model, and this has what differs from one");
        return dq_error_at(error, path, DQ_NO_RECORD);
    }
    (void)hold(s, &start);
    s->given = true;
    return DQ_OK;
}

/* The folder of the file that is being read. */
static char *folder_of(const dq_starts *s)
{
    const char *source = dq_reader_source(s->reader), *slash = strrchr(source, '/');
    return slash ? strndup(source, (size_t)(slash - source) + (slash == source)) : strdup(".");
}

/* Reads it from beside the file. */
static dq_status look(dq_starts *s, uint64_t digest, const dq_bundle **start, dq_error *error)
{
    char *folder = folder_of(s), *path = folder ? dq_starts_path(folder, digest) : NULL;
    dq_bundle model = DQ_BUNDLE_EMPTY;
    dq_status status = path ? DQ_OK : dq_fail_memory(error, "a file's name");
    if (!status && access(path, R_OK) != 0)
        status = dq_fail(
            error, DQ_ERR_UNKNOWN,
            "a model that has only what differs from another, which is not there: %.200s; dq-cat "
            "--start MODEL makes it whole",
            path);
    else if (!status)
        status = read_model(path, &model, error);
    if (!status && (model.body_hash != digest || dq_delta_is(&model)))
        status = dq_fail(error, DQ_ERR_RANGE, "%.300s is not the model that it is named after", path);
    if (!status) *start = hold(s, &model);
    dq_bundle_free(&model);
    free(folder);
    free(path);
    return status;
}

static dq_status expand(dq_starts *s, dq_bundle *delta, dq_error *error)
{
    uint64_t digest;
    dq_bundle whole;
    dq_status status = DQ_OK;
    if (!dq_delta_start(delta, &digest))
        return dq_fail(error, DQ_ERR_SCHEMA, "what differs from its start is no model");
    const dq_bundle *start = s->given ? &s->held[0] : find_held(s, digest);
    if (!start) status = look(s, digest, &start, error);
    if (!status) status = dq_delta_expand(&whole, start, delta, error);
    if (status) return status;
    dq_bundle_free(delta);
    *delta = whole;
    return DQ_OK;
}

/* As the pass of a dq_bundle_filter. */
static int make_whole(void *arg, dq_bundle *bundle, dq_error *error)
{
    if (!dq_delta_is(bundle) || !expand(arg, bundle, error)) return 1;
    dq_bundle_free(bundle);
    return -1;
}

void dq_starts_follow(dq_starts *s, dq_reader *reader)
{
    dq_starts_leave(s);
    s->reader = reader;
    s->filter = (dq_bundle_filter){.pass = make_whole, .arg = s};
    dq_reader_filter(reader, &s->filter);
}

void dq_starts_leave(dq_starts *s)
{
    if (s->reader) dq_reader_unfilter(s->reader, &s->filter);
    s->reader = NULL;
}

void dq_starts_free(dq_starts *s)
{
    dq_starts_leave(s);
    for (size_t i = 0; i < DQ_STARTS_HELD; i++) dq_bundle_free(&s->held[i]);
    *s = (dq_starts){0};
}
