/* SPDX-License-Identifier: MIT */
#include "learn/replay.h"

#include "core/buffers.h"
#include "core/record.h"
#include "math/sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double MIN_PRIORITY = 1e-6;

struct dq_replay {
    size_t capacity, count, oldest;
    uint64_t pushed;
    uint32_t width;
    float *state, *next;                  /* (capacity, width) */
    const float **at;                     /* (2 capacity) of each slot its state, then its next one */
    dq_vectors store;                     /* over at */
    uint32_t *state_number, *next_number; /* (capacity) instead, with width 0 */
    uint32_t *action;                     /* (capacity) */
    float *reward, *discount;
    uint8_t *done;
    dq_sample_distinct sampler;
    double alpha;
    dq_sumtree tree; /* priorities to the alpha; none when alpha is 0 */
    double max;      /* the greatest of them so far */
    dq_arena arena;
};

/* ---- making ---- */

static bool make(dq_replay *r)
{
    size_t n = r->capacity, width = r->width;
    size_t vectors = width ? n : 0, numbers = width ? 0 : n;
    const dq_buffer buffers[] = {
        DQ_BUFFER(r->state, n * width),
        DQ_BUFFER(r->next, n * width),
        DQ_BUFFER(r->at, 2 * vectors),
        DQ_BUFFER(r->state_number, numbers),
        DQ_BUFFER(r->next_number, numbers),
        DQ_BUFFER(r->action, n),
        DQ_BUFFER(r->reward, n),
        DQ_BUFFER(r->discount, n),
        DQ_BUFFER(r->done, n),
    };
    bool ok = r->alpha > 0 ? dq_sumtree_init(&r->tree, n, &r->arena)
                           : dq_sample_distinct_init(&r->sampler, n, &r->arena);
    if (!ok || !dq_buffers_take(&r->arena, buffers, DQ_BUFFERS(buffers))) return false;
    for (size_t i = 0; width && i < n; i++) {
        r->at[2 * i] = r->state + i * width;
        r->at[2 * i + 1] = r->next + i * width;
    }
    r->store = (dq_vectors){r->at, (uint32_t)(2 * n), r->width};
    return true;
}

dq_status dq_replay_new(dq_replay **out, size_t capacity, uint32_t width, double alpha, dq_error *error)
{
    *out = NULL;
    if (capacity == 0 || capacity > INT32_MAX)
        return dq_fail(error, DQ_ERR_RANGE, "a replay of %zu transitions, where 1 to 2^31 - 1 fit", capacity);
    dq_replay *r = calloc(1, sizeof *r);
    if (!r) return dq_fail_memory(error, "a replay buffer");
    *r = (dq_replay){.capacity = capacity, .width = width, .alpha = alpha, .max = 1};
    if (!make(r)) {
        dq_replay_free(r);
        return dq_fail_memory(error, "%zu transitions", capacity);
    }
    *out = r;
    return DQ_OK;
}

void dq_replay_free(dq_replay *r)
{
    if (!r) return;
    dq_arena_free(&r->arena);
    free(r);
}

/* ---- what is remembered ---- */

void dq_replay_push(dq_replay *r, const dq_vectors *states, const dq_transition *t)
{
    size_t slot = (r->oldest + r->count) % r->capacity, bytes = r->width * sizeof(float);
    if (r->width) {
        memcpy(r->state + slot * r->width, states->at[t->state], bytes);
        memcpy(r->next + slot * r->width, states->at[t->next], bytes);
    } else {
        r->state_number[slot] = t->state;
        r->next_number[slot] = t->next;
    }
    r->action[slot] = t->action;
    r->reward[slot] = t->reward;
    r->discount[slot] = t->discount;
    r->done[slot] = t->done;
    if (r->alpha > 0) dq_sumtree_set(&r->tree, slot, r->max);
    r->pushed++;
    if (r->count < r->capacity)
        r->count++;
    else
        r->oldest = (r->oldest + 1) % r->capacity;
}

size_t dq_replay_count(const dq_replay *r)
{
    return r->count;
}

size_t dq_replay_capacity(const dq_replay *r)
{
    return r->capacity;
}

uint64_t dq_replay_pushed(const dq_replay *r)
{
    return r->pushed;
}

dq_transition dq_replay_at(const dq_replay *r, uint32_t slot)
{
    return (dq_transition){.state = r->width ? 2 * slot : r->state_number[slot],
                           .action = r->action[slot],
                           .next = r->width ? 2 * slot + 1 : r->next_number[slot],
                           .reward = r->reward[slot],
                           .discount = r->discount[slot],
                           .done = r->done[slot]};
}

const dq_vectors *dq_replay_states(const dq_replay *r)
{
    return r->width ? &r->store : NULL;
}

/* ---- sampling ---- */

static void sample_by_priority(const dq_replay *r, dq_rng *rng, double beta, size_t n, uint32_t *slots,
                               float *weights)
{
    double total = dq_sumtree_total(&r->tree), max = 0;
    for (size_t i = 0; i < n; i++) {
        double x = total * ((double)i + dq_rng_uniform(rng)) / (double)n;
        slots[i] = (uint32_t)dq_sumtree_find(&r->tree, x);
        double probability = dq_sumtree_get(&r->tree, slots[i]) / total,
               weight = pow((double)r->count * probability, -beta);
        weights[i] = (float)weight;
        max = fmax(max, weight);
    }
    for (size_t i = 0; i < n; i++) weights[i] = (float)((double)weights[i] / max);
}

void dq_replay_sample(dq_replay *r, dq_rng *rng, double beta, size_t n, uint32_t *slots, float *weights)
{
    if (r->alpha > 0) {
        sample_by_priority(r, rng, beta, n, slots, weights);
        return;
    }
    dq_sample_distinct_begin(&r->sampler);
    for (size_t j = r->count - n, i = 0; i < n; i++, j++) {
        slots[i] = (uint32_t)dq_sample_distinct_draw(&r->sampler, rng, j);
        weights[i] = 1;
    }
}

void dq_replay_prioritise(dq_replay *r, const uint32_t *slots, const float *errors, size_t n)
{
    for (size_t i = 0; i < n && r->alpha > 0; i++) {
        double priority = pow(fabs((double)errors[i]) + MIN_PRIORITY, r->alpha);
        dq_sumtree_set(&r->tree, slots[i], priority);
        r->max = fmax(r->max, priority);
    }
}

/* ---- checkpoints: slots as they stand, so that what is drawn by slot is drawn the same ---- */

enum { PARTS = 7 };

/* The columns of so many transitions; the last, priorities, only with alpha. */
static size_t list_parts(const dq_replay *r, uint64_t count, dq_record_part parts[PARTS])
{
    const dq_record_part vectors[] = {{"state", DQ_F4, count, r->width, r->state},
                                      {"next", DQ_F4, count, r->width, r->next}};
    const dq_record_part numbers[] = {{"state", DQ_U4, count, 0, r->state_number},
                                      {"next", DQ_U4, count, 0, r->next_number}};
    const dq_record_part *states = r->width ? vectors : numbers;
    const dq_record_part all[PARTS] = {
        states[0],
        states[1],
        {"action", DQ_U4, count, 0, r->action},
        {"reward", DQ_F4, count, 0, r->reward},
        {"discount", DQ_F4, count, 0, r->discount},
        {"done", DQ_U1, count, 0, r->done},
        {"priority", DQ_F8, count, 0, r->alpha > 0 ? r->tree.nodes + r->tree.leaves : NULL},
    };
    memcpy(parts, all, sizeof all);
    return r->alpha > 0 ? PARTS : PARTS - 1;
}

typedef struct ring {
    uint64_t count, oldest;
    double max;
} ring;

static const dq_record_field numbers[] = {{"count", DQ_RECORD_COUNT, offsetof(ring, count)},
                                          {"oldest", DQ_RECORD_COUNT, offsetof(ring, oldest)},
                                          {"max", DQ_RECORD_REAL, offsetof(ring, max)}};
enum { NUMBERS = sizeof numbers / sizeof *numbers };

dq_status dq_replay_save(const dq_replay *r, const char *prefix, dq_bundle *model, dq_error *error)
{
    dq_record_part parts[PARTS];
    const ring p = {r->count, r->oldest, r->max};
    size_t n = list_parts(r, r->count, parts);
    dq_status status = dq_record_save(numbers, NUMBERS, &p, prefix, model, error);
    return status ? status : dq_record_save_parts(parts, n, prefix, model, error);
}

static dq_status check_ring(const dq_replay *r, const ring *p, dq_error *error)
{
    bool whole = p->count == r->capacity ? p->oldest < r->capacity : p->oldest == 0;
    if (p->count <= r->capacity && whole && p->max > 0) return DQ_OK;
    return dq_fail(error, DQ_ERR_SCHEMA, "the checkpoint's replay is not of this capacity");
}

/* Rebuilds the sums over priorities that were read into the leaves; slots behind them hold nothing. */
static dq_status rebuild(dq_replay *r, dq_error *error)
{
    for (size_t i = 0; i < r->capacity; i++) {
        double priority = i < r->count ? dq_sumtree_get(&r->tree, i) : 0;
        if (i < r->count && !(priority > 0 && isfinite(priority)))
            return dq_fail(error, DQ_ERR_NUMERIC, "the checkpoint has a priority that is none");
        dq_sumtree_set(&r->tree, i, priority);
    }
    return DQ_OK;
}

dq_status dq_replay_restore(dq_replay *r, const char *prefix, const dq_bundle *model, dq_error *error)
{
    dq_record_part parts[PARTS];
    ring p;
    dq_status status = dq_record_restore(numbers, NUMBERS, &p, prefix, model, error);
    if (!status) status = check_ring(r, &p, error);
    if (!status) status = dq_record_restore_parts(parts, list_parts(r, p.count, parts), prefix, model, error);
    if (status) return status;
    r->count = (size_t)p.count;
    r->oldest = (size_t)p.oldest;
    r->pushed = p.count + p.oldest;
    r->max = p.max;
    return r->alpha > 0 ? rebuild(r, error) : DQ_OK;
}
