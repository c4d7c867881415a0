/* SPDX-License-Identifier: MIT
 *
 * Floyd's sampling (Bentley, "A sample of brilliance", CACM 30(9), 1987): for j = count - n .. count - 1 draw
 * t of {0 .. j}; take t, or j when t was taken already. Membership is a stamp a number, so that neither a
 * hash table nor a cleared bitmap is needed.
 */
#ifndef DQ_LEARN_SAMPLE_H
#define DQ_LEARN_SAMPLE_H

#include "core/rng.h"

#include <stdbool.h>

typedef struct floyd {
    uint32_t *stamps; /* (capacity) the last sample that took this number */
    uint32_t sample;
    size_t capacity;
} floyd;

bool floyd_init(floyd *f, size_t capacity);
void floyd_free(floyd *f);
void floyd_begin(floyd *f);
/* The draw that takes the place of j; called for j = count - n .. count - 1 after floyd_begin. */
size_t floyd_draw(floyd *f, dq_rng *rng, size_t j);

#endif
