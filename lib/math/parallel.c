/* SPDX-License-Identifier: MIT */
#include "math/parallel.h"

#include <pthread.h>
#include <stdbool.h>

/* One thread's part: tiles first, first + step, ... */
typedef struct part {
    void (*tile)(void *arg, size_t i, unsigned thread);
    void *arg;
    size_t tiles;
    unsigned first, step;
} part;

static void *run(void *arg)
{
    const part *p = arg;
    for (size_t i = p->first; i < p->tiles; i += p->step) p->tile(p->arg, i, p->first);
    return NULL;
}

void dq_parallel(unsigned threads, size_t tiles, void (*tile)(void *arg, size_t i, unsigned thread),
                 void *arg)
{
    part parts[DQ_PARALLEL_MAX];
    pthread_t running[DQ_PARALLEL_MAX];
    bool started[DQ_PARALLEL_MAX] = {false};
    if (threads < 1) threads = 1;
    if (threads > DQ_PARALLEL_MAX) threads = DQ_PARALLEL_MAX;
    if (threads > tiles) threads = tiles ? (unsigned)tiles : 1;
    for (unsigned t = 0; t < threads; t++) {
        parts[t] = (part){.tile = tile, .arg = arg, .tiles = tiles, .first = t, .step = threads};
        started[t] = t > 0 && pthread_create(&running[t], NULL, run, &parts[t]) == 0;
    }
    for (unsigned t = 0; t < threads; t++)
        if (!started[t]) (void)run(&parts[t]);
    for (unsigned t = 0; t < threads; t++)
        if (started[t]) (void)pthread_join(running[t], NULL);
}
