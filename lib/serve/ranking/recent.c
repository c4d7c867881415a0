/* SPDX-License-Identifier: MIT */
#include "serve/ranking/recent.h"

#include "core/array.h"
#include "core/index.h"

#include <stdlib.h>
#include <string.h>

typedef struct slot {
    void *value; /* NULL: it moved into the younger generation */
    uint64_t cost;
} slot;

typedef struct generation {
    dq_index keys;
    slot *slots; /* (keys) */
    size_t capacity;
    uint64_t cost;
} generation;

struct dq_recent {
    generation young, old;
    uint64_t most;
    void (*release)(void *value);
};

static void free_generation(dq_recent *r, generation *g)
{
    for (size_t i = 0; i < dq_index_count(&g->keys); i++)
        if (g->slots[i].value) r->release(g->slots[i].value);
    dq_index_free(&g->keys);
    free(g->slots);
    *g = (generation){0};
}

dq_status dq_recent_new(dq_recent **recent, uint64_t most, void (*release)(void *value), dq_error *error)
{
    dq_recent *r = *recent = calloc(1, sizeof *r);
    if (!r) return dq_fail_memory(error, "what is remembered");
    r->most = most;
    r->release = release;
    return DQ_OK;
}

/* Room for one more key, so that adding it is all that can fail after. */
static dq_status insert(dq_recent *r, const char *key, size_t bytes, slot s, dq_error *error)
{
    uint32_t row = 0;
    bool added = false;
    generation *g = &r->young;
    dq_status status = dq_array_reserve(&g->slots, &g->capacity, dq_index_count(&g->keys) + 1,
                                        sizeof *g->slots)
                           ? dq_index_add(&g->keys, key, bytes, &row, &added, error)
                           : dq_fail_memory(error, "what is remembered");
    if (status) {
        r->release(s.value);
        return status;
    }
    if (!added) {
        g->cost -= g->slots[row].cost;
        if (g->slots[row].value) r->release(g->slots[row].value);
    }
    g->slots[row] = s;
    g->cost += s.cost;
    return DQ_OK;
}

/* The younger generation becomes the older one when it has half of the room. */
static void age(dq_recent *r)
{
    if (r->young.cost <= r->most / 2) return;
    free_generation(r, &r->old);
    r->old = r->young;
    r->young = (generation){0};
}

/* Takes the value of a key out of the older generation. */
static slot take_old(dq_recent *r, const char *key, size_t bytes)
{
    slot none = {0};
    uint32_t row = dq_index_find(&r->old.keys, key, bytes);
    if (row == DQ_ABSENT) return none;
    slot found = r->old.slots[row];
    r->old.slots[row].value = NULL;
    r->old.slots[row].cost = 0;
    r->old.cost -= found.cost;
    return found;
}

void *dq_recent_get(dq_recent *r, const char *key, size_t bytes)
{
    uint32_t row = dq_index_find(&r->young.keys, key, bytes);
    if (row != DQ_ABSENT) return r->young.slots[row].value;
    slot found = take_old(r, key, bytes);
    if (!found.value) return NULL;
    age(r); /* before, so that what is handed out stays */
    return insert(r, key, bytes, found, NULL) ? NULL : found.value;
}

dq_status dq_recent_put(dq_recent *r, const char *key, size_t bytes, void *value, uint64_t cost,
                        dq_error *error)
{
    slot before = take_old(r, key, bytes);
    if (before.value) r->release(before.value);
    age(r);
    return insert(r, key, bytes, (slot){value, cost}, error);
}

uint64_t dq_recent_cost(const dq_recent *recent)
{
    return recent->young.cost + recent->old.cost;
}

void dq_recent_free(dq_recent *recent)
{
    if (!recent) return;
    free_generation(recent, &recent->young);
    free_generation(recent, &recent->old);
    free(recent);
}
