/* SPDX-License-Identifier: MIT
 *
 * Each environment has a ring of its last n steps; a step leaves it for the replay when n have come since, or
 * the episode is over.
 */
#include "learn/nstep.h"

#include "core/buffers.h"
#include "core/record.h"

#include <stdlib.h>
#include <string.h>

struct dq_nstep {
    uint32_t n, envs, width;
    float gamma;
    float *state;            /* (envs, n, width) */
    uint32_t *number;        /* (envs, n) instead, with width 0 */
    uint32_t *action;        /* (envs, n) */
    float *reward;           /* (envs, n) */
    uint32_t *first, *count; /* (envs) */
    dq_arena arena;          /* all of them */
};

dq_status dq_nstep_new(dq_nstep **out, uint32_t n, uint32_t envs, uint32_t width, double gamma,
                       dq_error *error)
{
    *out = NULL;
    if (n == 0 || envs == 0)
        return dq_fail(error, DQ_ERR_RANGE, "returns over %u steps of %u environments", n, envs);
    dq_nstep *s = calloc(1, sizeof *s);
    if (!s) return dq_fail_memory(error, "returns");
    size_t steps = (size_t)n * envs;
    *s = (dq_nstep){.n = n, .envs = envs, .width = width, .gamma = (float)gamma};
    const dq_buffer buffers[] = {DQ_BUFFER(s->state, steps * width), DQ_BUFFER(s->number, width ? 0 : steps),
                                 DQ_BUFFER(s->action, steps),        DQ_BUFFER(s->reward, steps),
                                 DQ_BUFFER(s->first, envs),          DQ_BUFFER(s->count, envs)};
    if (!dq_buffers_take(&s->arena, buffers, DQ_BUFFERS(buffers))) {
        dq_nstep_free(s);
        return dq_fail_memory(error, "returns over %u steps of %u environments", n, envs);
    }
    *out = s;
    return DQ_OK;
}

void dq_nstep_free(dq_nstep *s)
{
    if (!s) return;
    dq_arena_free(&s->arena);
    free(s);
}

static size_t place_of(const dq_nstep *s, uint32_t env, uint32_t age)
{
    return (size_t)env * s->n + (s->first[env] + age) % s->n;
}

/* Pushes a step from the ring: its state is there, the next one in the caller's store. */
static void push(const dq_nstep *s, size_t at, const dq_vectors *states, dq_transition *t, dq_replay *replay)
{
    if (s->width == 0) {
        t->state = s->number[at];
        dq_replay_push(replay, NULL, t);
        return;
    }
    const float *two[] = {s->state + at * s->width, states->at[t->next]};
    const dq_vectors store = {two, 2, s->width};
    t->state = 0;
    t->next = 1;
    dq_replay_push(replay, &store, t);
}

/* The oldest step of an environment, with what came after it, to the replay. */
static void emit(dq_nstep *s, uint32_t env, const dq_vectors *states, const dq_transition *last,
                 dq_replay *replay)
{
    size_t at = place_of(s, env, 0);
    float discount = 1;
    dq_transition t = {.action = s->action[at], .next = last->next, .done = last->done};
    for (uint32_t age = 0; age < s->count[env]; age++) {
        t.reward += discount * s->reward[place_of(s, env, age)];
        t.discount = discount;
        discount *= s->gamma;
    }
    push(s, at, states, &t, replay);
    s->first[env] = (s->first[env] + 1) % s->n;
    s->count[env]--;
}

void dq_nstep_push(dq_nstep *s, uint32_t env, const dq_vectors *states, const dq_transition *t, bool over,
                   dq_replay *replay)
{
    size_t at = place_of(s, env, s->count[env]++);
    if (s->width)
        memcpy(s->state + at * s->width, states->at[t->state], s->width * sizeof *s->state);
    else
        s->number[at] = t->state;
    s->action[at] = t->action;
    s->reward[at] = t->reward;
    if (s->count[env] == s->n) emit(s, env, states, t, replay);
    while (over && s->count[env] > 0) emit(s, env, states, t, replay);
}

/* ---- checkpoints ---- */

enum { PARTS = 5 };

static void list_parts(const dq_nstep *s, dq_record_part parts[PARTS])
{
    size_t steps = (size_t)s->n * s->envs;
    const dq_record_part vectors = {"state", DQ_F4, steps * s->width, 0, s->state};
    const dq_record_part numbers = {"state", DQ_U4, steps, 0, s->number};
    const dq_record_part all[PARTS] = {s->width ? vectors : numbers,
                                       {"action", DQ_U4, steps, 0, s->action},
                                       {"reward", DQ_F4, steps, 0, s->reward},
                                       {"first", DQ_U4, s->envs, 0, s->first},
                                       {"count", DQ_U4, s->envs, 0, s->count}};
    memcpy(parts, all, sizeof all);
}

dq_status dq_nstep_save(const dq_nstep *s, const char *prefix, dq_bundle *model, dq_error *error)
{
    dq_record_part parts[PARTS];
    list_parts(s, parts);
    return dq_record_save_parts(parts, PARTS, prefix, model, error);
}

dq_status dq_nstep_restore(dq_nstep *s, const char *prefix, const dq_bundle *model, dq_error *error)
{
    dq_record_part parts[PARTS];
    list_parts(s, parts);
    dq_status status = dq_record_restore_parts(parts, PARTS, prefix, model, error);
    for (uint32_t e = 0; !status && e < s->envs; e++)
        if (s->first[e] >= s->n || s->count[e] >= s->n)
            status = dq_fail(error, DQ_ERR_SCHEMA, "the checkpoint's returns are not of this agent");
    return status;
}

bool dq_nstep_below(const dq_nstep *s, uint32_t states, uint32_t actions)
{
    for (uint32_t env = 0; env < s->envs; env++)
        for (uint32_t age = 0; age < s->count[env]; age++) {
            size_t at = place_of(s, env, age);
            if (s->action[at] >= actions || (!s->width && s->number[at] >= states)) return false;
        }
    return true;
}
