/* SPDX-License-Identifier: MIT
 *
 * A thread decodes the next blocks while the pool scores this one. Two pieces wait at most, so memory stays
 * bounded by blocks.
 */
#include "rank.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { WAITING = 2 };

struct rank_feed {
    dq_reader *reader;
    bool threaded, over; /* over: the consumer has had the end */
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

static void *read_ahead(void *arg)
{
    rank_feed *feed = arg;
    dq_error error = DQ_ERROR_NONE;
    int got = 1;
    while (got > 0) {
        rank_piece piece;
        got = read_piece(feed->reader, &piece, &error);
        pthread_mutex_lock(&feed->lock);
        while (feed->count == WAITING) pthread_cond_wait(&feed->changed, &feed->lock);
        if (got > 0) feed->pieces[(feed->first + feed->count++) % WAITING] = piece;
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
    if (!feed->threaded) {
        got = read_piece(feed->reader, piece, error);
        feed->over = got <= 0;
        return got;
    }
    pthread_mutex_lock(&feed->lock);
    while (feed->count == 0 && feed->ended > 0) pthread_cond_wait(&feed->changed, &feed->lock);
    if (feed->count) {
        *piece = feed->pieces[feed->first];
        feed->first = (feed->first + 1) % WAITING;
        feed->count--;
        pthread_cond_broadcast(&feed->changed);
    } else {
        got = feed->ended;
        feed->over = true;
        if (got < 0 && error) *error = feed->error;
    }
    pthread_mutex_unlock(&feed->lock);
    return got;
}

bool rank_feed_close(rank_feed *feed)
{
    if (!feed) return true;
    if (feed->threaded && !feed->over) return false;
    if (feed->threaded) pthread_join(feed->thread, NULL);
    pthread_cond_destroy(&feed->changed);
    pthread_mutex_destroy(&feed->lock);
    free(feed);
    return true;
}
