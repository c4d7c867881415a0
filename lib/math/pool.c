/* SPDX-License-Identifier: MIT
 *
 * The caller works too. A run is announced by raising `round`; each worker takes tile numbers from `next`
 * until they are gone and then signs off in `working`. Both sides spin for some microseconds before they
 * sleep: the runs of a training step follow each other closely, and waking a thread takes longer than a
 * small product.
 */
#include "math/pool.h"

#include "math/blas.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#ifdef __SSE2__
#include <xmmintrin.h>
#endif

enum { SPINS = 2000 };

typedef struct worker {
    dq_pool *pool;
    pthread_t thread;
    unsigned number;
} worker;

struct dq_pool {
    unsigned threads, started; /* started: workers that must be joined */
    worker *workers;           /* (threads - 1) */
    void (*tile)(void *arg, size_t i, unsigned thread);
    void *arg;
    size_t tiles;
    atomic_size_t next;
    atomic_uint round, working; /* runs announced; workers that have not signed off */
    bool stop;                  /* read after a new round is seen */
    pthread_mutex_t lock;
    pthread_cond_t begun, done;
};

static void flush_denormals(void)
{
#ifdef __SSE2__
    _mm_setcsr(_mm_getcsr() | 0x8040); /* FTZ and DAZ */
#elif defined(__aarch64__)
    unsigned long fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    __asm__ volatile("msr fpcr, %0" : : "r"(fpcr | 1UL << 24));
#endif
}

void dq_pool_enter(void)
{
    flush_denormals();
}

static void rest(void)
{
#ifdef __SSE2__
    _mm_pause();
#endif
}

/* Waits until *counter differs from (or, with want_equal, equals) value. */
static void await(dq_pool *pool, pthread_cond_t *condition, atomic_uint *counter, unsigned value,
                  bool want_equal)
{
    for (int i = 0; i < SPINS; i++, rest())
        if ((atomic_load_explicit(counter, memory_order_acquire) == value) == want_equal) return;
    pthread_mutex_lock(&pool->lock);
    while ((atomic_load_explicit(counter, memory_order_acquire) == value) != want_equal)
        pthread_cond_wait(condition, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

static void work(dq_pool *pool, unsigned thread)
{
    size_t i;
    while ((i = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed)) < pool->tiles)
        pool->tile(pool->arg, i, thread);
}

static void *run_worker(void *arg)
{
    worker *self = arg;
    dq_pool *pool = self->pool;
    flush_denormals();
    for (unsigned seen = 0;; seen++) {
        await(pool, &pool->begun, &pool->round, seen, false);
        if (pool->stop) return NULL;
        work(pool, self->number);
        if (atomic_fetch_sub_explicit(&pool->working, 1, memory_order_acq_rel) == 1) {
            pthread_mutex_lock(&pool->lock);
            pthread_cond_signal(&pool->done);
            pthread_mutex_unlock(&pool->lock);
        }
    }
}

/* Lets the workers see what was written to the pool before. */
static void announce(dq_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add_explicit(&pool->round, 1, memory_order_release);
    pthread_cond_broadcast(&pool->begun);
    pthread_mutex_unlock(&pool->lock);
}

void dq_pool_run(dq_pool *pool, void (*tile)(void *arg, size_t i, unsigned thread), void *arg, size_t tiles)
{
    if (pool->started == 0 || tiles < 2) {
        for (size_t i = 0; i < tiles; i++) tile(arg, i, 0);
        return;
    }
    pool->tile = tile;
    pool->arg = arg;
    pool->tiles = tiles;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    atomic_store_explicit(&pool->working, pool->started, memory_order_relaxed);
    announce(pool);
    work(pool, 0);
    await(pool, &pool->done, &pool->working, 0, true);
}

dq_status dq_pool_new(dq_pool **out, unsigned threads, dq_error *error)
{
    *out = NULL;
    if (threads == 0) return dq_fail(error, DQ_ERR_RANGE, "a pool needs a thread");
    dq_status status = dq_blas_reserve(threads, error);
    if (status) return status;
    flush_denormals();
    dq_pool *pool = calloc(1, sizeof *pool);
    worker *workers = calloc(threads, sizeof *workers);
    if (!pool || !workers) {
        free(pool);
        free(workers);
        return dq_fail_memory(error, "%u threads", threads);
    }
    pool->threads = threads;
    pool->workers = workers;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->begun, NULL);
    pthread_cond_init(&pool->done, NULL);
    for (; pool->started < threads - 1; pool->started++) {
        worker *w = &workers[pool->started];
        *w = (worker){.pool = pool, .number = pool->started + 1};
        int sys = pthread_create(&w->thread, NULL, run_worker, w);
        if (sys != 0) {
            dq_pool_free(pool);
            return dq_fail_errno(error, sys, "cannot start %u threads", threads);
        }
    }
    *out = pool;
    return DQ_OK;
}

unsigned dq_pool_threads(const dq_pool *pool)
{
    return pool->threads;
}

void dq_pool_free(dq_pool *pool)
{
    if (!pool) return;
    pool->stop = true;
    announce(pool);
    for (unsigned i = 0; i < pool->started; i++) pthread_join(pool->workers[i].thread, NULL);
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->begun);
    pthread_cond_destroy(&pool->done);
    free(pool->workers);
    free(pool);
}
