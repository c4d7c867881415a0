/* SPDX-License-Identifier: MIT
 *
 * A pool of threads that work through numbered tiles. Work is cut into the same tiles whatever the number of
 * threads, and a tile's result depends on its number alone, so the bytes of a result never depend on the
 * threads. Every thread runs with denormals flushed to zero (FTZ and DAZ), the calling thread too from
 * dq_pool_new on.
 */
#ifndef DQ_MATH_POOL_H
#define DQ_MATH_POOL_H

#include "dq/status.h"

#include <stddef.h>

typedef struct dq_pool dq_pool;

/* threads in all, the caller's included; 1 starts none. Also makes the BLAS ready for them (dq_blas_reserve),
 * and fails with DQ_ERR_MEMORY where it cannot be. */
dq_status dq_pool_new(dq_pool **pool, unsigned threads, dq_error *error);
/* For a thread that computes with a pool, or with its networks, that another thread made: flushes denormals
 * from here on, so that its numbers are those of the other. */
void dq_pool_enter(void);
unsigned dq_pool_threads(const dq_pool *pool);

/* Calls tile(arg, i, thread) once for every i < tiles, and returns when all are done. thread <
 * dq_pool_threads: for scratch memory. Not reentrant. */
void dq_pool_run(dq_pool *pool, void (*tile)(void *arg, size_t i, unsigned thread), void *arg, size_t tiles);

void dq_pool_free(dq_pool *pool);

#endif
