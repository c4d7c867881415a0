/* SPDX-License-Identifier: MIT */
#include "learn/memory.h"

#include "core/record.h"
#include "learn/sample.h"
#include "learn/sumtree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double LEAST_PRIORITY = 1e-6;

struct dq_memory {
    float *state, *next; /* (capacity, width) */
    uint32_t *action;    /* (capacity) */
    float *reward, *discount;
    uint8_t *terminal;
    uint32_t width;
    size_t capacity, count, oldest;
    sample_distinct sampler;
    double alpha;
    sumtree tree; /* priorities to the alpha; none when alpha is 0 */
    double most;  /* the greatest of them so far */
};

dq_status dq_memory_new(dq_memory **out, size_t capacity, uint32_t width, double alpha, dq_error *error)
{
    *out = NULL;
    if (capacity == 0 || width == 0 || capacity > UINT32_MAX)
        return dq_fail(error, DQ_ERR_RANGE, "a memory of %zu transitions of %u numbers", capacity, width);
    dq_memory *m = calloc(1, sizeof *m);
    if (!m) return dq_fail(error, DQ_ERR_MEMORY, "no memory for a replay memory");
    *m = (dq_memory){.width = width, .capacity = capacity, .alpha = alpha, .most = 1};
    m->state = calloc(capacity, width * sizeof *m->state);
    m->next = calloc(capacity, width * sizeof *m->next);
    m->action = calloc(capacity, sizeof *m->action);
    m->reward = calloc(capacity, sizeof *m->reward);
    m->discount = calloc(capacity, sizeof *m->discount);
    m->terminal = calloc(capacity, sizeof *m->terminal);
    bool ok = alpha > 0 ? sumtree_init(&m->tree, capacity) : sample_distinct_init(&m->sampler, capacity);
    if (!ok || !m->state || !m->next || !m->action || !m->reward || !m->discount || !m->terminal) {
        dq_memory_free(m);
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for %zu transitions", capacity);
    }
    *out = m;
    return DQ_OK;
}

void dq_memory_free(dq_memory *m)
{
    if (!m) return;
    sample_distinct_free(&m->sampler);
    sumtree_free(&m->tree);
    void *parts[] = {m->state, m->next, m->action, m->reward, m->discount, m->terminal};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) free(parts[i]);
    free(m);
}

void dq_memory_push(dq_memory *m, const dq_memory_row *row)
{
    size_t slot = (m->oldest + m->count) % m->capacity, bytes = m->width * sizeof(float);
    memcpy(m->state + slot * m->width, row->state, bytes);
    memcpy(m->next + slot * m->width, row->next, bytes);
    m->action[slot] = row->action;
    m->reward[slot] = row->reward;
    m->discount[slot] = row->discount;
    m->terminal[slot] = row->terminal;
    if (m->alpha > 0) sumtree_set(&m->tree, slot, m->most);
    if (m->count < m->capacity)
        m->count++;
    else
        m->oldest = (m->oldest + 1) % m->capacity;
}

size_t dq_memory_count(const dq_memory *m)
{
    return m->count;
}

dq_memory_row dq_memory_at(const dq_memory *m, uint32_t slot)
{
    size_t at = (size_t)slot * m->width;
    return (dq_memory_row){.state = m->state + at,
                           .next = m->next + at,
                           .action = m->action[slot],
                           .reward = m->reward[slot],
                           .discount = m->discount[slot],
                           .terminal = m->terminal[slot]};
}

/* ---- sampling ---- */

static void sample_by_priority(const dq_memory *m, dq_rng *rng, double beta, size_t n, uint32_t *slots,
                               float *weights)
{
    double total = sumtree_total(&m->tree), most = 0;
    for (size_t i = 0; i < n; i++) {
        double x = total * ((double)i + dq_rng_uniform(rng)) / (double)n;
        slots[i] = (uint32_t)sumtree_find(&m->tree, x);
        double share = sumtree_get(&m->tree, slots[i]) / total, weight = pow((double)m->count * share, -beta);
        weights[i] = (float)weight;
        most = fmax(most, weight);
    }
    for (size_t i = 0; i < n; i++) weights[i] = (float)((double)weights[i] / most);
}

void dq_memory_sample(dq_memory *m, dq_rng *rng, double beta, size_t n, uint32_t *slots, float *weights)
{
    if (m->alpha > 0) {
        sample_by_priority(m, rng, beta, n, slots, weights);
        return;
    }
    sample_distinct_begin(&m->sampler);
    for (size_t j = m->count - n, i = 0; i < n; i++, j++) {
        slots[i] = (uint32_t)sample_distinct_draw(&m->sampler, rng, j);
        weights[i] = 1;
    }
}

void dq_memory_prioritise(dq_memory *m, const uint32_t *slots, const float *errors, size_t n)
{
    for (size_t i = 0; i < n && m->alpha > 0; i++) {
        double priority = pow(fabs((double)errors[i]) + LEAST_PRIORITY, m->alpha);
        sumtree_set(&m->tree, slots[i], priority);
        m->most = fmax(m->most, priority);
    }
}

double dq_memory_share(const dq_memory *m, uint32_t slot)
{
    return m->alpha > 0 ? sumtree_get(&m->tree, slot) / sumtree_total(&m->tree) : 1 / (double)m->count;
}

/* ---- checkpoints: slots as they stand, so that what is drawn by slot is drawn the same ---- */

enum { NAME_BYTES = 128, PARTS = 7 };

typedef struct part {
    const char *name;
    dq_dtype type;
    size_t width; /* 0: one number a slot */
    void *data;
} part;

/* The columns; the last, priorities, only with alpha. */
static size_t list_parts(const dq_memory *m, part parts[PARTS])
{
    const part all[PARTS] = {{"state", DQ_F4, m->width, m->state},
                             {"next", DQ_F4, m->width, m->next},
                             {"action", DQ_U4, 0, m->action},
                             {"reward", DQ_F4, 0, m->reward},
                             {"discount", DQ_F4, 0, m->discount},
                             {"terminal", DQ_U1, 0, m->terminal},
                             {"priority", DQ_F8, 0, m->alpha > 0 ? m->tree.nodes + m->tree.leaves : NULL}};
    memcpy(parts, all, sizeof all);
    return m->alpha > 0 ? PARTS : PARTS - 1;
}

typedef struct place {
    uint64_t count, oldest;
    double most;
} place;

static const dq_record_field numbers[] = {{"count", DQ_RECORD_COUNT, offsetof(place, count)},
                                          {"oldest", DQ_RECORD_COUNT, offsetof(place, oldest)},
                                          {"most", DQ_RECORD_REAL, offsetof(place, most)}};
enum { NUMBERS = sizeof numbers / sizeof *numbers };

dq_status dq_memory_save(const dq_memory *m, const char *prefix, dq_bundle *model, dq_error *error)
{
    part parts[PARTS];
    char name[NAME_BYTES];
    place p = {m->count, m->oldest, m->most};
    dq_status status = DQ_OK;
    if (!dq_record_save(numbers, NUMBERS, &p, prefix, model))
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for a checkpoint");
    for (size_t i = 0, n = list_parts(m, parts); !status && i < n; i++) {
        uint64_t shape[2] = {m->count, parts[i].width};
        snprintf(name, sizeof name, "%s.%s", prefix, parts[i].name);
        status = dq_bundle_add_tensor(model, name, parts[i].type, parts[i].width ? 2 : 1, shape,
                                      parts[i].data, error);
    }
    return status;
}

static dq_status check_place(const dq_memory *m, const place *p, dq_error *error)
{
    bool ring = p->count == m->capacity ? p->oldest < m->capacity : p->oldest == 0;
    if (p->count <= m->capacity && ring && p->most > 0) return DQ_OK;
    return dq_fail(error, DQ_ERR_SCHEMA, "the checkpoint's replay is not of this capacity");
}

/* Rebuilds the sums over priorities that were read into the leaves. */
static dq_status rebuild(dq_memory *m, dq_error *error)
{
    for (size_t i = 0; i < m->count; i++) {
        double priority = sumtree_get(&m->tree, i);
        if (!(priority > 0 && isfinite(priority)))
            return dq_fail(error, DQ_ERR_NUMERIC, "the checkpoint has a priority that is none");
        sumtree_set(&m->tree, i, priority);
    }
    return DQ_OK;
}

dq_status dq_memory_restore(dq_memory *m, const char *prefix, const dq_bundle *model, dq_error *error)
{
    part parts[PARTS];
    char name[NAME_BYTES];
    place p;
    dq_status status = dq_record_restore(numbers, NUMBERS, &p, prefix, model, error);
    if (!status) status = check_place(m, &p, error);
    for (size_t i = 0, n = list_parts(m, parts); !status && i < n; i++) {
        snprintf(name, sizeof name, "%s.%s", prefix, parts[i].name);
        status = dq_record_column(model, name, parts[i].type, p.count * (parts[i].width ? parts[i].width : 1),
                                  parts[i].data, error);
    }
    if (status) return status;
    m->count = (size_t)p.count;
    m->oldest = (size_t)p.oldest;
    m->most = p.most;
    return m->alpha > 0 ? rebuild(m, error) : DQ_OK;
}
