/* SPDX-License-Identifier: MIT
 *
 * The inside of serve/cold.h: cold.c learns and keeps what was learnt, cold/lists.c makes lists of it.
 */
#ifndef DQ_SERVE_COLD_IMPL_H
#define DQ_SERVE_COLD_IMPL_H

#include "learn/agent.h"
#include "serve/cold.h"
#include "serve/cold/answered.h"

#include <pthread.h>

typedef struct cold_progress {
    uint64_t position, learnt, unknown, items, map;
    bool vectors;
} cold_progress;

struct dq_serve_cold {
    dq_serve_cold_config config;
    pthread_mutex_t lock;
    dq_agent *agent; /* NULL: by popularity */
    float *scores;   /* (items) what decides without chance: popularity, or upper bounds once they are */
    bool bounded;    /* those of the posterior as it is */
    float *values;   /* (items), of samples (draws, items) */
    dq_answered answered;
    cold_progress at; /* at.items, at.map and at.vectors: what the state is of */
    uint64_t saved;   /* at.position of the file */
};

/* The one state, of which nothing is known. */
extern const dq_vectors cold_states;

#endif
