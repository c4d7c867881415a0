/* SPDX-License-Identifier: MIT */
#include "distil/draw.h"

#include "core/digest.h"

#include <stdlib.h>

typedef struct lot {
    uint64_t value;
    uint32_t user;
} lot;

static int by_value(const void *a, const void *b)
{
    const lot *x = a, *y = b;
    if (x->value != y->value) return x->value < y->value ? -1 : 1;
    return x->user < y->user ? -1 : x->user > y->user;
}

dq_status dq_distil_draw(const void *users, const char *(*id)(const void *users, uint32_t i, size_t *bytes),
                         uint32_t count, uint64_t seed, uint32_t *drawn, size_t *n, dq_error *error)
{
    lot *lots = malloc((count + 1U) * sizeof *lots);
    if (!lots) return dq_fail_memory(error, "the sample of users");
    for (uint32_t i = 0; i < count; i++) {
        size_t bytes;
        const char *name = id(users, i, &bytes);
        lots[i] = (lot){dq_digest_seeded(name, bytes, seed), i};
    }
    qsort(lots, count, sizeof *lots, by_value);
    if (*n > count) *n = count;
    for (size_t i = 0; i < *n; i++) drawn[i] = lots[i].user;
    free(lots);
    return DQ_OK;
}
