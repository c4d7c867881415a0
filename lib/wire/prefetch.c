/* SPDX-License-Identifier: MIT
 *
 * Two bundles wait at most, so memory stays bounded by blocks.
 *
 * When the caller gives up, the thread may be waiting for a pipe that stays silent for hours (a labeller
 * upstream), and nothing may wait for it: it is then left to the end of the process, with what it uses.
 */
#include "wire/prefetch.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { WAITING = 2 };

struct dq_prefetch {
    dq_reader *reader;
    bool threaded;
    bool waiting; /* the thread, for room in the ring */
    bool stop;    /* told to the thread: no more */
    bool left;    /* told with stop: nobody waits for you */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    dq_prefetched ring[WAITING];
    size_t first, count;
    int ended; /* 1 while there may be more, then what dq_reader_next said: 0 or -1 */
    dq_error error;
};

static int read_one(dq_reader *reader, dq_prefetched *next, dq_error *error)
{
    int got = dq_reader_next(reader, &next->bundle, error);
    if (got <= 0) return got;
    next->section = dq_reader_section(reader);
    next->record = dq_reader_record(reader);
    snprintf(next->source, sizeof next->source, "%s", dq_reader_source(reader));
    return 1;
}

/* With the lock held: puts a bundle into the ring when there is room. False: stop. */
static bool put(dq_prefetch *prefetch, const dq_prefetched *next)
{
    prefetch->waiting = true;
    while (prefetch->count == WAITING && !prefetch->stop)
        pthread_cond_wait(&prefetch->changed, &prefetch->lock);
    prefetch->waiting = false;
    if (prefetch->stop) return false;
    prefetch->ring[(prefetch->first + prefetch->count++) % WAITING] = *next;
    return true;
}

static void *read_ahead(void *arg)
{
    dq_prefetch *prefetch = arg;
    dq_error error = DQ_ERROR_NONE;
    int got = 1;
    while (got > 0) {
        dq_prefetched next;
        got = read_one(prefetch->reader, &next, &error);
        pthread_mutex_lock(&prefetch->lock);
        while (prefetch->left) pthread_cond_wait(&prefetch->changed, &prefetch->lock);
        if (got > 0 && !put(prefetch, &next)) {
            dq_bundle_free(&next.bundle);
            got = 0;
        }
        prefetch->ended = got;
        prefetch->error = error;
        pthread_cond_broadcast(&prefetch->changed);
        pthread_mutex_unlock(&prefetch->lock);
    }
    return NULL;
}

dq_status dq_prefetch_open(dq_prefetch **prefetch, dq_reader *reader, bool ahead, dq_error *error)
{
    *prefetch = calloc(1, sizeof **prefetch);
    if (!*prefetch) return dq_fail_memory(error, "reading");
    (*prefetch)->reader = reader;
    (*prefetch)->ended = 1;
    pthread_mutex_init(&(*prefetch)->lock, NULL);
    pthread_cond_init(&(*prefetch)->changed, NULL);
    /* Without a thread to be had, reading and computing take turns. */
    (*prefetch)->threaded = ahead && pthread_create(&(*prefetch)->thread, NULL, read_ahead, *prefetch) == 0;
    return DQ_OK;
}

int dq_prefetch_next(dq_prefetch *prefetch, dq_prefetched *next, dq_error *error)
{
    int got = 1;
    if (!prefetch->threaded) return read_one(prefetch->reader, next, error);
    pthread_mutex_lock(&prefetch->lock);
    while (prefetch->count == 0 && prefetch->ended > 0)
        pthread_cond_wait(&prefetch->changed, &prefetch->lock);
    if (prefetch->count) {
        *next = prefetch->ring[prefetch->first];
        prefetch->first = (prefetch->first + 1) % WAITING;
        prefetch->count--;
        pthread_cond_broadcast(&prefetch->changed);
    } else {
        got = prefetch->ended;
        if (got < 0 && error) *error = prefetch->error;
    }
    pthread_mutex_unlock(&prefetch->lock);
    return got;
}

/* Tells the thread to end; false when it might not soon. */
static bool stop_thread(dq_prefetch *prefetch)
{
    pthread_mutex_lock(&prefetch->lock);
    prefetch->stop = true;
    prefetch->left = prefetch->ended > 0 && !prefetch->waiting;
    pthread_cond_broadcast(&prefetch->changed);
    bool left = prefetch->left;
    pthread_mutex_unlock(&prefetch->lock);
    return !left;
}

bool dq_prefetch_close(dq_prefetch *prefetch)
{
    if (!prefetch) return true;
    if (prefetch->threaded) {
        if (!stop_thread(prefetch)) return false;
        pthread_join(prefetch->thread, NULL);
    }
    for (; prefetch->count; prefetch->count--, prefetch->first = (prefetch->first + 1) % WAITING)
        dq_bundle_free(&prefetch->ring[prefetch->first].bundle);
    pthread_cond_destroy(&prefetch->changed);
    pthread_mutex_destroy(&prefetch->lock);
    free(prefetch);
    return true;
}
