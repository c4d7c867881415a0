/* SPDX-License-Identifier: MIT
 *
 * System C: items are to be chosen in one order, A B C D E, among distractors that are never right. The right
 * one earns +1 and leads a place forward, a wrong one earns -1 and leads a place back, though not before the
 * first. A trial ends on success, or is broken off after so many errors; after `change` trials the order is
 * another one. The state is the place, one-hot.
 *
 * Breaking off is a truncation, not an end: the place reached is worth what it is worth, since the state does
 * not show how many errors there were (terminal=1 makes it an end). Behind the last place there is none; the
 * state stays at the last.
 */
#include "env/env_impl.h"

#include <string.h>

enum { LENGTH, DISTRACTORS, ERRORS, ORDER, CHANGE, THEN, TERMINAL };
enum { AS_IT_IS, INNER_REVERSED, REVERSED };
enum { COUNT_ERRORS, COUNT_SUCCESS, COUNT_DISTRACTED };

static const dq_env_option options[] = {
    {"length", "places, and items that are right somewhere", 5, 2, 1000, true},
    {"distractors", "further items, never right", 1, 0, 1000, true},
    {"errors", "errors that break a trial off", 10, 1, 1e6, true},
    {"order", "0: A B C D E; 1: A D C B E, the inner ones reversed; 2: E D C B A", 0, 0, 2, true},
    {"change", "trials before the order changes; 0: it never does", 0, 0, 1e9, true},
    {"then", "the order after the change", 1, 0, 2, true},
    {"terminal", "breaking off 1: ends the trial, 0: cuts it off", 0, 0, 1, true},
    {0},
};

typedef struct sequence {
    uint32_t length, errors;
    uint64_t change;
    int order, then;
    bool terminal;
} sequence;

typedef struct memory {
    uint64_t trials; /* begun */
    uint32_t place, errors;
} memory;

static dq_status init(dq_env *env, const double *o, dq_error *error)
{
    sequence *s = env->self = dq_arena_zero(&env->arena, 1, sizeof *s);
    if (!s) return dq_fail_memory(error, "a sequence");
    *s = (sequence){(uint32_t)o[LENGTH], (uint32_t)o[ERRORS], (uint64_t)o[CHANGE],
                    (int)o[ORDER],       (int)o[THEN],        o[TERMINAL] != 0};
    env->shape = (dq_env_spec){.state_width = s->length,
                               .action_count = s->length + (uint32_t)o[DISTRACTORS]};
    return dq_env_reserve(env, sizeof(memory), error);
}

static void show(dq_env *env, const sequence *s, const memory *m)
{
    memset(env->state, 0, s->length * sizeof(float));
    env->state[m->place < s->length ? m->place : s->length - 1] = 1;
}

static dq_status reset(dq_env *env, dq_error *error)
{
    memory *m = env->memory;
    (void)error;
    m->trials++;
    m->place = m->errors = 0;
    show(env, env->self, m);
    return DQ_OK;
}

/* The item that is right at a place. */
static uint32_t right(const sequence *s, const memory *m)
{
    int order = s->change && m->trials > s->change ? s->then : s->order;
    bool turned = order == REVERSED || (order == INNER_REVERSED && m->place > 0 && m->place + 1 < s->length);
    return turned ? s->length - 1 - m->place : m->place;
}

static dq_status step(dq_env *env, uint32_t action, dq_step *step, dq_error *error)
{
    const sequence *s = env->self;
    memory *m = env->memory;
    (void)error;
    if (action == right(s, m)) {
        step->reward = 1;
        step->terminal = ++m->place >= s->length; /* a checkpoint may say it was so before */
        env->counters[COUNT_SUCCESS] = step->terminal;
    } else {
        step->reward = -1;
        if (m->place > 0) m->place--;
        bool broken = ++m->errors >= s->errors;
        step->terminal = broken && s->terminal;
        step->truncated = broken && !s->terminal;
        env->counters[COUNT_ERRORS]++;
        env->counters[COUNT_DISTRACTED] += action >= s->length;
    }
    show(env, s, m);
    return DQ_OK;
}

static bool sound(const dq_env *env)
{
    const sequence *s = env->self;
    const memory *m = env->memory;
    return m->place <= s->length && m->errors <= s->errors;
}

const dq_env_kind dq_env_sequence = {
    .name = "sequence",
    .help = "items in one order, with distractors, and a change of order",
    .source = "system C",
    .options = options,
    .counters = {"errors", "success", "distracted"},
    .init = init,
    .reset = reset,
    .step = step,
    .sound = sound,
};
