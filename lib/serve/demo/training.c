/* SPDX-License-Identifier: MIT */
#include "serve/demo/training.h"

#include "dq/schema.h"
#include "dq/stream.h"
#include "log/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- who made a catalogue ---- */

static uint64_t option_of(const dq_value *options, const char *name)
{
    int64_t n = options ? dq_value_integer(dq_map_get(options, name), 0) : 0;
    return n > 0 ? (uint64_t)n : 0;
}

dq_demo_world dq_demo_world_of(const dq_served *served)
{
    const dq_value *options = served->maker ? dq_map_get(served->maker, "options") : NULL;
    return (dq_demo_world){.simulated = dq_served_is_made_up(served),
                           .users = option_of(options, "users"),
                           .items = option_of(options, "items"),
                           .interactions = option_of(options, "interactions"),
                           .seed = option_of(served->maker, "seed")};
}

/* ---- a command ---- */

enum { ARGUMENTS = 24 };

typedef struct command {
    const char *at[ARGUMENTS + 1];
    size_t count;
    dq_arena arena;
} command;

/* Appends; a failure shows in the arena. */
static void add(command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(command *c, const char *format, ...)
{
    va_list list, again;
    va_start(list, format);
    va_copy(again, list);
    int n = vsnprintf(NULL, 0, format, list);
    char *text = n < 0 || c->count == ARGUMENTS ? NULL : dq_arena_take(&c->arena, (size_t)n + 1);
    if (text) (void)vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    va_end(list);
    c->arena.failed = c->arena.failed || !text;
    if (text) c->at[c->count++] = text;
}

/* A program, in its folder where there is one; else wherever PATH has it. */
static void begin(command *c, const char *folder, const char *program)
{
    *c = (command){0};
    char path[4096];
    int n = folder ? snprintf(path, sizeof path, "%s/%s", folder, program) : -1;
    bool there = n > 0 && (size_t)n < sizeof path && access(path, X_OK) == 0;
    add(c, "%s", there ? path : program);
    add(c, "--quiet");
}

static dq_status run(dq_demo_job *job, command *c, int in, int out, dq_error *error)
{
    dq_status status = c->arena.failed ? dq_fail_memory(error, "a command")
                                       : dq_demo_job_run(job, c->at, in, out, error);
    dq_arena_free(&c->arena);
    return status;
}

/* ---- what is run ---- */

dq_status dq_demo_make_world(dq_demo_job *job, const dq_demo_training *t, const dq_demo_world *world,
                             dq_error *error)
{
    command c;
    dq_status status = dq_demo_job_stage(job, "init", error);
    if (status) return status;
    begin(&c, t->programs, "dq-sim");
    add(&c, "--users=%llu", (unsigned long long)world->users);
    add(&c, "--items=%llu", (unsigned long long)world->items);
    add(&c, "--interactions=%llu", (unsigned long long)world->interactions);
    add(&c, "--seed=%llu", (unsigned long long)world->seed);
    add(&c, "--output=%s", t->catalogue);
    return run(job, &c, -1, -1, error);
}

static void begin_training(command *c, const dq_demo_training *t)
{
    begin(c, t->programs, "dq-train");
    add(c, "--agent=%s", t->agent);
    add(c, "--seed=%llu", (unsigned long long)t->seed);
    add(c, "--log=/dev/stdout");
    add(c, "--output=%s", t->model);
}

static dq_status train_sessions(dq_demo_job *job, const dq_demo_training *t, const dq_demo_world *world,
                                dq_error *error)
{
    command c;
    begin_training(&c, t);
    add(&c, "--preset=session");
    add(&c, "--env=session:generated=1,users=%llu,items=%llu,world=%llu", (unsigned long long)world->users,
        (unsigned long long)world->items, (unsigned long long)world->seed);
    add(&c, "--episodes=%llu", (unsigned long long)t->episodes);
    return run(job, &c, -1, -1, error);
}

/* Whether a catalogue's labels have become transitions already. */
static dq_status has_transitions(const char *catalogue, bool *has, dq_error *error)
{
    dq_reader *reader;
    dq_bundle bundle;
    int got = 1;
    *has = false;
    dq_status status = dq_reader_open(&reader, &catalogue, 1, error);
    if (status) return status;
    while (!*has && (got = dq_reader_next(reader, &bundle, error)) > 0) {
        *has = strcmp(bundle.kind, DQ_KIND_TRANSITIONS) == 0;
        dq_bundle_free(&bundle);
    }
    dq_reader_close(reader);
    return got < 0 ? error->status : DQ_OK;
}

/* A file without a name beside the model's, so that nothing is left of it whatever ends us. */
static dq_status open_nameless(const char *beside, int *fd, dq_error *error)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s.XXXXXX", beside);
    *fd = n > 0 && (size_t)n < sizeof path ? mkostemp(path, O_CLOEXEC) : -1;
    if (*fd < 0)
        return dq_fail_errno(error, n < (int)sizeof path ? errno : ENAMETOOLONG, "cannot make %s", path);
    (void)unlink(path);
    return DQ_OK;
}

/* What the labels are worth becomes transitions, in a file. */
static dq_status make_rewards(dq_demo_job *job, const dq_demo_training *t, int out, dq_error *error)
{
    command c;
    dq_status status = dq_demo_job_stage(job, "reward", error);
    if (status) return status;
    begin(&c, t->programs, "dq-reward");
    add(&c, "--strategy=logged");
    add(&c, "--map=%s", t->map);
    add(&c, "--");
    add(&c, "%s", t->catalogue);
    return run(job, &c, -1, out, error);
}

/* ---- the log, as it is now ---- */

static dq_status write_all(void *arg, const void *data, size_t n, dq_error *error)
{
    const int *fd = arg;
    const unsigned char *at = data;
    while (n) {
        ssize_t wrote = write(*fd, at, n);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return dq_fail_errno(error, errno, "cannot copy the log");
        at += wrote;
        n -= (size_t)wrote;
    }
    return DQ_OK;
}

static dq_status copy_bundles(dq_log_follow *follow, dq_writer *writer, uint64_t *count, dq_error *error)
{
    dq_bundle bundle;
    uint64_t position;
    dq_status status = DQ_OK;
    int got = 1;
    while (!status && (got = dq_log_follow_next(follow, &bundle, &position, error)) > 0) {
        status = dq_writer_put(writer, &bundle, error);
        dq_bundle_free(&bundle);
        (*count)++;
    }
    return status ? status : got < 0 ? error->status : DQ_OK;
}

/* Through all its files, up to the last whole section: the server goes on writing meanwhile. */
static dq_status copy_log(const dq_demo_training *t, int fd, uint64_t *count, dq_error *error)
{
    const dq_maker maker = {.program = "dq-serve", .version = t->version, .options = dq_map(), .seed = -1};
    dq_log_follow *follow;
    dq_sink *sink;
    dq_writer *writer = NULL;
    dq_status status = dq_log_follow_open(&follow, t->log, 0, error);
    if (status) return status;
    status = dq_sink_open_fn(&sink, "the log's copy", DQ_SINK_ZSTD, write_all, &fd, error);
    if (!status) status = dq_writer_open_sink(&writer, sink, &maker, NULL, 0, error);
    if (!status) status = copy_bundles(follow, writer, count, error);
    dq_log_follow_close(follow);
    if (!status) return dq_writer_close(writer, error);
    dq_writer_abort(writer);
    return status;
}

/* ---- offline ---- */

/* What dq-train reads: the catalogue's own file where that has transitions, and what is in a nameless file.
 */
typedef struct material {
    bool catalogue; /* the file, */
    int file;       /* and this: rewards, then the log; -1: nothing */
    uint64_t rows;  /* bundles of the log in it */
} material;

static dq_status gather(dq_demo_job *job, const dq_demo_training *t, material *m, dq_error *error)
{
    dq_status status = has_transitions(t->catalogue, &m->catalogue, error);
    if (!status && !(m->catalogue && !t->log)) status = open_nameless(t->model, &m->file, error);
    if (!status && !m->catalogue) status = make_rewards(job, t, m->file, error);
    if (!status && t->log) status = copy_log(t, m->file, &m->rows, error);
    return status;
}

/* The file is named by its descriptor, not "-": what was shown is joined with its answers, so it is read
 * twice. */
static dq_status train_offline(dq_demo_job *job, const dq_demo_training *t, const material *m,
                               dq_error *error)
{
    command c;
    dq_status status = dq_demo_job_stage(job, "train", error);
    if (status) return status;
    begin_training(&c, t);
    add(&c, "--offline");
    add(&c, "--epochs=%llu", (unsigned long long)t->episodes);
    add(&c, "--map=%s", t->map);
    add(&c, "--");
    if (m->catalogue) add(&c, "%s", t->catalogue);
    if (!m->catalogue || m->rows) add(&c, "/dev/stdin");
    return run(job, &c, m->file, -1, error);
}

static dq_status train_on_log(dq_demo_job *job, const dq_demo_training *t, dq_error *error)
{
    material m = {.file = -1};
    dq_status status = gather(job, t, &m, error);
    if (!status) status = train_offline(job, t, &m, error);
    if (m.file >= 0) (void)close(m.file);
    return status;
}

dq_status dq_demo_train(dq_demo_job *job, const dq_demo_training *t, const dq_demo_world *world,
                        dq_error *error)
{
    if (!world->simulated) return train_on_log(job, t, error);
    dq_status status = dq_demo_job_stage(job, "train", error);
    return status ? status : train_sessions(job, t, world, error);
}
