/* SPDX-License-Identifier: MIT */
#include "learn/sample.h"

#include <stdlib.h>
#include <string.h>

bool sample_distinct_init(sample_distinct *s, size_t capacity)
{
    *s = (sample_distinct){.capacity = capacity, .stamps = calloc(capacity, sizeof *s->stamps)};
    return s->stamps != NULL;
}

void sample_distinct_free(sample_distinct *s)
{
    free(s->stamps);
}

void sample_distinct_begin(sample_distinct *s)
{
    if (++s->sample) return;
    memset(s->stamps, 0, s->capacity * sizeof *s->stamps);
    s->sample = 1;
}

size_t sample_distinct_draw(sample_distinct *s, dq_rng *rng, size_t j)
{
    size_t i = (size_t)dq_rng_below(rng, j + 1);
    if (s->stamps[i] == s->sample) i = j;
    s->stamps[i] = s->sample;
    return i;
}

uint32_t sample_unmet(const dq_pairset *met, uint32_t user, uint32_t items, dq_rng *rng)
{
    enum { TRIES = 64 };
    for (int i = 0; i < TRIES; i++) {
        uint32_t item = (uint32_t)dq_rng_below(rng, items);
        if (!dq_pairset_has(met, user, item)) return item;
    }
    return UINT32_MAX;
}
