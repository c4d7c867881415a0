/* SPDX-License-Identifier: MIT */
#include "learn/sample.h"

#include <stdlib.h>
#include <string.h>

bool floyd_init(floyd *f, size_t capacity)
{
    *f = (floyd){.capacity = capacity, .stamps = calloc(capacity, sizeof *f->stamps)};
    return f->stamps != NULL;
}

void floyd_free(floyd *f)
{
    free(f->stamps);
}

void floyd_begin(floyd *f)
{
    if (++f->sample) return;
    memset(f->stamps, 0, f->capacity * sizeof *f->stamps);
    f->sample = 1;
}

size_t floyd_draw(floyd *f, dq_rng *rng, size_t j)
{
    size_t i = (size_t)dq_rng_below(rng, j + 1);
    if (f->stamps[i] == f->sample) i = j;
    f->stamps[i] = f->sample;
    return i;
}
