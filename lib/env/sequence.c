/* SPDX-License-Identifier: MIT
 *
 * System C: items are to be chosen in one order, A B C D E, among distractors that are never right. The right
 * one earns +1 and leads a place forward, a wrong one earns -1 and leads a place back, though not before the
 * first. A trial ends on success, or is broken off after so many errors; after `change` trials the order is
 * another one. The state is the place, one-hot.
 *
 * Breaking off is a truncation, not an end: the place reached is worth what it is worth, since the state does
 * not show how many errors there were. Behind the last place there is none; the state stays at the last.
 */
#include "env/env_impl.h"

#include <stdlib.h>
#include <string.h>

enum { LENGTH, DISTRACTORS, ERRORS, ORDER, CHANGE, THEN };
enum { AS_IT_IS, INNER_REVERSED, REVERSED };
enum { COUNT_ERRORS, COUNT_SUCCESS, COUNT_DISTRACTED };

static const dq_task_option options[] = {
    {"length", "places, and items that are right somewhere", 5, 2, 1000, true},
    {"distractors", "further items, never right", 1, 0, 1000, true},
    {"errors", "errors that break a trial off", 10, 1, 1e6, true},
    {"order", "0: A B C D E; 1: A D C B E, the inner ones reversed; 2: E D C B A", 0, 0, 2, true},
    {"change", "trials before the order changes; 0: it never does", 0, 0, 1e9, true},
    {"then", "the order after the change", 1, 0, 2, true},
    {0},
};

typedef struct sequence {
    uint32_t length, errors;
    uint64_t change;
    int order, then;
} sequence;

typedef struct memory {
    uint64_t trials; /* begun */
    uint32_t place, errors;
} memory;

static dq_status init(dq_task *task, const double *o, dq_error *error)
{
    sequence *s = task->self = calloc(1, sizeof *s);
    if (!s) return dq_fail(error, DQ_ERR_MEMORY, "no memory for a sequence");
    *s = (sequence){(uint32_t)o[LENGTH], (uint32_t)o[ERRORS], (uint64_t)o[CHANGE], (int)o[ORDER],
                    (int)o[THEN]};
    task->shape = (dq_task_shape){.state_width = s->length,
                                  .action_count = s->length + (uint32_t)o[DISTRACTORS]};
    return dq_task_reserve(task, sizeof(memory), error);
}

static void drop(dq_task *task)
{
    free(task->self);
}

static void show(dq_task *task, const sequence *s, const memory *m)
{
    memset(task->state, 0, s->length * sizeof(float));
    task->state[m->place < s->length ? m->place : s->length - 1] = 1;
}

static dq_status reset(dq_task *task, dq_error *error)
{
    memory *m = task->memory;
    (void)error;
    m->trials++;
    m->place = m->errors = 0;
    show(task, task->self, m);
    return DQ_OK;
}

/* The item that is right at a place. */
static uint32_t right(const sequence *s, const memory *m)
{
    int order = s->change && m->trials > s->change ? s->then : s->order;
    bool turned = order == REVERSED || (order == INNER_REVERSED && m->place > 0 && m->place + 1 < s->length);
    return turned ? s->length - 1 - m->place : m->place;
}

static dq_status step(dq_task *task, uint32_t action, dq_step *step, dq_error *error)
{
    const sequence *s = task->self;
    memory *m = task->memory;
    (void)error;
    if (action == right(s, m)) {
        step->reward = 1;
        step->terminal = ++m->place == s->length;
        task->counters[COUNT_SUCCESS] = step->terminal;
    } else {
        step->reward = -1;
        if (m->place > 0) m->place--;
        step->truncated = ++m->errors == s->errors;
        task->counters[COUNT_ERRORS]++;
        task->counters[COUNT_DISTRACTED] += action >= s->length;
    }
    show(task, s, m);
    return DQ_OK;
}

static bool sound(const dq_task *task)
{
    const sequence *s = task->self;
    const memory *m = task->memory;
    return m->place <= s->length && m->errors <= s->errors;
}

const dq_task_kind dq_task_sequence = {
    .name = "sequence",
    .help = "items in one order, with distractors, and a change of order",
    .source = "system C",
    .options = options,
    .counters = {"errors", "success", "distracted"},
    .init = init,
    .free = drop,
    .reset = reset,
    .step = step,
    .sound = sound,
};
