/* SPDX-License-Identifier: MIT */
#include "env/env_impl.h"

#include "core/record.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 24 };

/* ---- the table ---- */

const dq_task_kind *dq_task_find(const char *name)
{
    for (const dq_task_kind *const *k = dq_task_kinds; *k; k++)
        if (strcmp((*k)->name, name) == 0) return *k;
    return NULL;
}

const dq_task_kind *const dq_task_kinds[] = {&dq_task_session,
                                             &dq_task_sequence,
                                             &dq_task_films,
                                             &dq_task_maze,
                                             &dq_task_chain,
                                             &dq_task_cartpole,
                                             NULL};

/* ---- options ---- */

static dq_status unknown_option(const dq_task_kind *kind, const char *name, size_t n, dq_error *error)
{
    char all[256] = "";
    size_t used = 0;
    for (const dq_task_option *o = kind->options; o->name && used < sizeof all; o++)
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", used ? ", " : "", o->name);
    return dq_fail(error, DQ_ERR_UNKNOWN, "%s has no option '%.*s'; it has %s", kind->name, (int)n, name,
                   used ? all : "none");
}

static dq_status read_value(const dq_task_kind *kind, const dq_task_option *o, const char *text, size_t n,
                            double *value, dq_error *error)
{
    char copy[64] = "", *end = copy;
    if (n < sizeof copy) memcpy(copy, text, n);
    *value = strtod(copy, &end);
    if (end == copy || *end || !isfinite(*value))
        return dq_fail(error, DQ_ERR_RANGE, "%s: %s=%.*s is not a number", kind->name, o->name, (int)n, text);
    if (*value < o->least || *value > o->most || (o->whole && *value != floor(*value)))
        return dq_fail(error, DQ_ERR_RANGE, "%s: %s=%.*s is not %s %.9g to %.9g", kind->name, o->name, (int)n,
                       text, o->whole ? "a whole number," : "in the range", o->least, o->most);
    return DQ_OK;
}

static dq_status read_option(const dq_task_kind *kind, const char *text, size_t n, double *values,
                             dq_error *error)
{
    const char *equals = memchr(text, '=', n);
    size_t name = equals ? (size_t)(equals - text) : n;
    for (size_t i = 0; kind->options[i].name; i++) {
        const dq_task_option *o = &kind->options[i];
        if (strlen(o->name) != name || memcmp(o->name, text, name) != 0) continue;
        if (!equals) return dq_fail(error, DQ_ERR_RANGE, "%s: %s needs a value", kind->name, o->name);
        return read_value(kind, o, equals + 1, n - name - 1, &values[i], error);
    }
    return unknown_option(kind, text, name, error);
}

static dq_status read_options(const dq_task_kind *kind, const char *text, double *values, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < MAX_OPTIONS && kind->options[i].name; i++) values[i] = kind->options[i].value;
    while (!status && text && *text) {
        size_t n = strcspn(text, ",");
        status = read_option(kind, text, n, values, error);
        text += n + (text[n] == ',');
    }
    return status;
}

/* ---- shapes ---- */

dq_status dq_task_shape_check(const dq_task_shape *s, dq_error *error)
{
    if (s->state_width == 0 || s->action_count == 0)
        return dq_fail(error, DQ_ERR_RANGE, "a task needs a state and an action");
    if (s->history && s->item_width == 0)
        return dq_fail(error, DQ_ERR_RANGE, "a history of %u items without a width", s->history);
    if (s->user_width + (uint64_t)s->history * s->item_width > s->state_width)
        return dq_fail(error, DQ_ERR_RANGE, "a state of %u has no room for user and history", s->state_width);
    if ((s->action_width > 0) != (s->actions != NULL))
        return dq_fail(error, DQ_ERR_RANGE, "vectors of actions %u wide, and there are %s", s->action_width,
                       s->actions ? "some" : "none");
    if (s->item_width && s->action_width && s->item_width != s->action_width)
        return dq_fail(error, DQ_ERR_RANGE, "items %u wide, and actions %u", s->item_width, s->action_width);
    return DQ_OK;
}

/* ---- a task's life ---- */

dq_status dq_task_new_kind(dq_task **task, const dq_task_kind *kind, void *self, const char *options,
                           uint64_t seed, dq_error *error)
{
    double values[MAX_OPTIONS];
    *task = NULL;
    dq_status status = read_options(kind, options, values, error);
    if (status) return status;
    dq_task *made = calloc(1, sizeof *made);
    if (!made) return dq_fail(error, DQ_ERR_MEMORY, "no memory for a task");
    *made = (dq_task){.kind = kind, .self = self, .rng = dq_rng_new(seed)};
    status = kind->init(made, values, error);
    if (!status) status = dq_task_shape_check(&made->shape, error);
    if (status) {
        dq_task_free(made);
        return status;
    }
    *task = made;
    return DQ_OK;
}

dq_status dq_task_new(dq_task **task, const char *name, const char *options, uint64_t seed, dq_error *error)
{
    const dq_task_kind *kind = dq_task_find(name);
    *task = NULL;
    if (!kind) return dq_fail(error, DQ_ERR_UNKNOWN, "no task '%s'", name);
    return dq_task_new_kind(task, kind, NULL, options, seed, error);
}

void dq_task_free(dq_task *task)
{
    if (!task) return;
    if (task->kind->free) task->kind->free(task);
    free(task->memory);
    free(task);
}

dq_status dq_task_reset(dq_task *task, dq_error *error)
{
    task->steps = 0;
    memset(task->counters, 0, sizeof task->counters);
    return task->kind->reset(task, error);
}

void dq_task_reseed(dq_task *task, uint64_t seed)
{
    task->rng = dq_rng_new(seed);
}

dq_status dq_task_step(dq_task *task, uint32_t action, dq_step *step, dq_error *error)
{
    *step = (dq_step){0};
    if (action >= task->shape.action_count)
        return dq_fail(error, DQ_ERR_RANGE, "%s has no action %u, only %u", task->kind->name, action,
                       task->shape.action_count);
    dq_status status = task->kind->step(task, action, step, error);
    task->steps++;
    if (task->shape.step_limit && task->steps >= task->shape.step_limit && !step->terminal)
        step->truncated = true;
    return status;
}

void dq_task_copy(dq_task *to, const dq_task *from)
{
    memcpy(to->memory, from->memory, from->memory_bytes);
    memcpy(to->counters, from->counters, sizeof to->counters);
    to->steps = from->steps;
}

/* ---- checkpoints ---- */

static const char *part(char name[80], const char *prefix, const char *what)
{
    (void)snprintf(name, 80, "%s.%s", prefix, what);
    return name;
}

dq_status dq_task_save(const dq_task *task, const char *prefix, dq_bundle *model, dq_error *error)
{
    char name[80];
    const uint64_t bytes = task->memory_bytes, words = 4, one = 1, counters = DQ_TASK_COUNTERS;
    dq_status status = dq_bundle_add_tensor(model, part(name, prefix, "memory"), DQ_U1, 1, &bytes,
                                            task->memory, error);
    if (!status)
        status = dq_bundle_add_tensor(model, part(name, prefix, "rng"), DQ_U8, 1, &words, task->rng.s, error);
    if (!status)
        status = dq_bundle_add_tensor(model, part(name, prefix, "steps"), DQ_U8, 1, &one, &task->steps,
                                      error);
    if (!status)
        status = dq_bundle_add_tensor(model, part(name, prefix, "counters"), DQ_F8, 1, &counters,
                                      task->counters, error);
    return status;
}

/* A checkpoint is a file that somebody may have changed. */
static dq_status check_sound(const dq_task *task, dq_error *error)
{
    bool sound = !task->kind->sound || task->kind->sound(task);
    for (uint32_t i = 0; i < task->shape.state_width; i++) sound = sound && isfinite(task->state[i]);
    for (size_t i = 0; i < DQ_TASK_COUNTERS; i++) sound = sound && isfinite(task->counters[i]);
    if (sound) return DQ_OK;
    return dq_fail(error, DQ_ERR_SCHEMA, "a checkpoint of the task %s that cannot be", task->kind->name);
}

dq_status dq_task_restore(dq_task *task, const char *prefix, const dq_bundle *model, dq_error *error)
{
    char name[80];
    dq_status status = dq_record_column(model, part(name, prefix, "memory"), DQ_U1, task->memory_bytes,
                                        task->memory, error);
    if (!status) status = dq_record_column(model, part(name, prefix, "rng"), DQ_U8, 4, task->rng.s, error);
    if (!status) status = dq_record_column(model, part(name, prefix, "steps"), DQ_U8, 1, &task->steps, error);
    if (!status)
        status = dq_record_column(model, part(name, prefix, "counters"), DQ_F8, DQ_TASK_COUNTERS,
                                  task->counters, error);
    return status ? status : check_sound(task, error);
}
