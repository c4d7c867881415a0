/* SPDX-License-Identifier: MIT */
#include "serve/demo/training.h"

#include "dq/schema.h"
#include "dq/stream.h"

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
        return dq_fail_errno(error, n < (int)sizeof path ? errno : ENAMETOOLONG, "cannot make a file");
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
    status = run(job, &c, -1, out, error);
    if (!status && lseek(out, 0, SEEK_SET) < 0) status = dq_fail_errno(error, errno, "cannot go back");
    return status;
}

/* in: the catalogue with its transitions; -1: the catalogue's own file has them. */
static dq_status train_offline(dq_demo_job *job, const dq_demo_training *t, int in, dq_error *error)
{
    command c;
    dq_status status = dq_demo_job_stage(job, "train", error);
    if (status) return status;
    begin_training(&c, t);
    add(&c, "--offline");
    add(&c, "--epochs=%llu", (unsigned long long)t->episodes);
    add(&c, "--map=%s", t->map);
    add(&c, "--");
    add(&c, "%s", in < 0 ? t->catalogue : "-");
    if (t->log) add(&c, "%s", t->log);
    return run(job, &c, in, -1, error);
}

static dq_status train_on_log(dq_demo_job *job, const dq_demo_training *t, dq_error *error)
{
    bool made;
    int rewards = -1;
    dq_status status = has_transitions(t->catalogue, &made, error);
    if (!status && !made) status = open_nameless(t->model, &rewards, error);
    if (!status && !made) status = make_rewards(job, t, rewards, error);
    if (!status) status = train_offline(job, t, rewards, error);
    if (rewards >= 0) (void)close(rewards);
    return status;
}

dq_status dq_demo_train(dq_demo_job *job, const dq_demo_training *t, const dq_demo_world *world,
                        dq_error *error)
{
    if (!world->simulated) return train_on_log(job, t, error);
    dq_status status = dq_demo_job_stage(job, "train", error);
    return status ? status : train_sessions(job, t, world, error);
}
