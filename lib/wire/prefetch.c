/* SPDX-License-Identifier: MIT
 *
 * A thread decodes the next blocks while the pool scores this one. Two pieces wait at most, so memory stays
 * bounded by blocks.
 *
 * When ranking fails, the thread may be waiting for a pipe that stays silent for hours (a labeller upstream),
 * and nothing may wait for it: it is then left to the end of the process, with what it uses.
 */
#include "wire/prefetch.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { WAITING = 2 };

struct rank_feed {
    dq_reader *reader;
    bool threaded;
    bool waiting; /* the thread, for room in the ring */
    bool stop;    /* told to the thread: no more */
    bool left;    /* told with stop: nobody waits for you */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    rank_piece pieces[WAITING]; /* a ring */
    size_t first, count;
    int ended; /* 1 while there may be more, then what dq_reader_next said: 0 or -1 */
    dq_error error;
};

static int read_piece(dq_reader *reader, rank_piece *piece, dq_error *error)
{
    int got = dq_reader_next(reader, &piece->bundle, error);
    if (got <= 0) return got;
    piece->section = dq_reader_section(reader);
    piece->record = dq_reader_record(reader);
    snprintf(piece->source, sizeof piece->source, "%s", dq_reader_source(reader));
    return 1;
}

/* With the lock held: puts a piece into the ring when there is room. False: stop. */
static bool put_piece(rank_feed *feed, const rank_piece *piece)
{
    feed->waiting = true;
    while (feed->count == WAITING && !feed->stop) pthread_cond_wait(&feed->changed, &feed->lock);
    feed->waiting = false;
    if (feed->stop) return false;
    feed->pieces[(feed->first + feed->count++) % WAITING] = *piece;
    return true;
}

static void *read_ahead(void *arg)
{
    rank_feed *feed = arg;
    dq_error error = DQ_ERROR_NONE;
    int got = 1;
    while (got > 0) {
        rank_piece piece;
        got = read_piece(feed->reader, &piece, &error);
        pthread_mutex_lock(&feed->lock);
        while (feed->left) pthread_cond_wait(&feed->changed, &feed->lock);
        if (got > 0 && !put_piece(feed, &piece)) {
            dq_bundle_free(&piece.bundle);
            got = 0;
        }
        feed->ended = got;
        feed->error = error;
        pthread_cond_broadcast(&feed->changed);
        pthread_mutex_unlock(&feed->lock);
    }
    return NULL;
}

dq_status rank_feed_open(rank_feed **feed, dq_reader *reader, bool ahead, dq_error *error)
{
    *feed = calloc(1, sizeof **feed);
    if (!*feed) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for reading");
    (*feed)->reader = reader;
    (*feed)->ended = 1;
    pthread_mutex_init(&(*feed)->lock, NULL);
    pthread_cond_init(&(*feed)->changed, NULL);
    /* Without a thread to be had, reading and scoring take turns. */
    (*feed)->threaded = ahead && pthread_create(&(*feed)->thread, NULL, read_ahead, *feed) == 0;
    return DQ_OK;
}

int rank_feed_next(rank_feed *feed, rank_piece *piece, dq_error *error)
{
    int got = 1;
    if (!feed->threaded) return read_piece(feed->reader, piece, error);
    pthread_mutex_lock(&feed->lock);
    while (feed->count == 0 && feed->ended > 0) pthread_cond_wait(&feed->changed, &feed->lock);
    if (feed->count) {
        *piece = feed->pieces[feed->first];
        feed->first = (feed->first + 1) % WAITING;
        feed->count--;
        pthread_cond_broadcast(&feed->changed);
    } else {
        got = feed->ended;
        if (got < 0 && error) *error = feed->error;
    }
    pthread_mutex_unlock(&feed->lock);
    return got;
}

/* Tells the thread to end; false when it might not soon. */
static bool stop_thread(rank_feed *feed)
{
    pthread_mutex_lock(&feed->lock);
    feed->stop = true;
    feed->left = feed->ended > 0 && !feed->waiting;
    pthread_cond_broadcast(&feed->changed);
    bool left = feed->left;
    pthread_mutex_unlock(&feed->lock);
    return !left;
}

bool rank_feed_close(rank_feed *feed)
{
    if (!feed) return true;
    if (feed->threaded) {
        if (!stop_thread(feed)) return false;
        pthread_join(feed->thread, NULL);
    }
    for (; feed->count; feed->count--, feed->first = (feed->first + 1) % WAITING)
        dq_bundle_free(&feed->pieces[feed->first].bundle);
    pthread_cond_destroy(&feed->changed);
    pthread_mutex_destroy(&feed->lock);
    free(feed);
    return true;
}
