/* SPDX-License-Identifier: MIT */
#include "wire/bytes/behind.h"

#include "wire/bytes/threads.h"
#include "wire/frame.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct slot {
    unsigned char *payload, *frame;
} slot;

struct dq_behind {
    dq_behind_output output;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    slot slots[DQ_BYTES_THREADS_MAX + 1]; /* one more than threads: the caller's */
    size_t room;
    uint64_t handed, begun, written; /* buffers, from the beginning */
    bool over;
    dq_status status; /* of the first buffer that failed; those behind it are dropped */
    dq_error error;
    dq_frame_encoder *encoders[DQ_BYTES_THREADS_MAX];
    unsigned encoder_count; /* that a thread has */
    pthread_t threads[DQ_BYTES_THREADS_MAX];
    unsigned count;
};

/* With the lock held, but for while it compresses and writes. */
static void write_one(dq_behind *b, dq_frame_encoder *encoder)
{
    uint64_t turn = b->begun++;
    slot *s = &b->slots[turn % b->room];
    dq_error error = DQ_ERROR_NONE;
    size_t n = 0;
    (void)pthread_mutex_unlock(&b->lock);
    dq_status status = dq_frame_encode(encoder, s->payload, DQ_FRAME_PAYLOAD, true, s->frame, &n, &error);
    (void)pthread_mutex_lock(&b->lock);
    while (b->written != turn) (void)pthread_cond_wait(&b->changed, &b->lock);
    if (!b->status && !status) {
        (void)pthread_mutex_unlock(&b->lock);
        status = b->output.write(b->output.arg, s->frame, n, &error);
        (void)pthread_mutex_lock(&b->lock);
    }
    if (status && !b->status) {
        b->status = status;
        b->error = error;
    }
    b->written++;
    (void)pthread_cond_broadcast(&b->changed);
}

static void *work(void *arg)
{
    dq_behind *b = arg;
    (void)pthread_mutex_lock(&b->lock);
    dq_frame_encoder *encoder = b->encoders[b->encoder_count++];
    while (!b->over) {
        if (b->begun == b->handed)
            (void)pthread_cond_wait(&b->changed, &b->lock);
        else
            write_one(b, encoder);
    }
    (void)pthread_mutex_unlock(&b->lock);
    return NULL;
}

static void release(dq_behind *b)
{
    for (size_t i = 0; i < b->room; i++) {
        free(b->slots[i].payload);
        free(b->slots[i].frame);
    }
    for (unsigned i = 0; i < DQ_BYTES_THREADS_MAX; i++) dq_frame_encoder_free(b->encoders[i]);
    (void)pthread_cond_destroy(&b->changed);
    (void)pthread_mutex_destroy(&b->lock);
    free(b);
}

static bool make_room(dq_behind *b)
{
    for (size_t i = 0; i < b->room; i++) {
        slot *s = &b->slots[i];
        if (!(s->payload = malloc(DQ_FRAME_PAYLOAD)) || !(s->frame = malloc(dq_frame_room()))) return false;
    }
    return true;
}

dq_behind *dq_behind_new(dq_behind_output output, unsigned threads)
{
    dq_behind *b = calloc(1, sizeof *b);
    if (!b) return NULL;
    if (threads > DQ_BYTES_THREADS_MAX) threads = DQ_BYTES_THREADS_MAX;
    b->output = output;
    b->room = threads + 1;
    b->error = DQ_ERROR_NONE;
    (void)pthread_mutex_init(&b->lock, NULL);
    (void)pthread_cond_init(&b->changed, NULL);
    bool made = threads > 0 && make_room(b);
    for (unsigned i = 0; made && i < threads; i++)
        made = (b->encoders[i] = dq_frame_encoder_new(output.level)) != NULL;
    b->count = made ? dq_bytes_threads_start(b->threads, threads, work, b) : 0;
    if (b->count) return b;
    release(b);
    return NULL;
}

unsigned char *dq_behind_buffer(dq_behind *b)
{
    (void)pthread_mutex_lock(&b->lock);
    while (b->handed - b->written == b->room) (void)pthread_cond_wait(&b->changed, &b->lock);
    (void)pthread_mutex_unlock(&b->lock);
    return b->slots[b->handed % b->room].payload;
}

/* With the lock held. */
static dq_status result(const dq_behind *b, dq_error *error)
{
    if (b->status && error) *error = b->error;
    return b->status;
}

dq_status dq_behind_hand(dq_behind *b, dq_error *error)
{
    (void)pthread_mutex_lock(&b->lock);
    b->handed++;
    dq_status status = result(b, error);
    (void)pthread_cond_broadcast(&b->changed);
    (void)pthread_mutex_unlock(&b->lock);
    return status;
}

dq_status dq_behind_wait(dq_behind *b, dq_error *error)
{
    (void)pthread_mutex_lock(&b->lock);
    while (b->written != b->handed) (void)pthread_cond_wait(&b->changed, &b->lock);
    dq_status status = result(b, error);
    (void)pthread_mutex_unlock(&b->lock);
    return status;
}

void dq_behind_free(dq_behind *b)
{
    if (!b) return;
    (void)pthread_mutex_lock(&b->lock);
    b->over = true;
    (void)pthread_cond_broadcast(&b->changed);
    (void)pthread_mutex_unlock(&b->lock);
    for (unsigned i = 0; i < b->count; i++) (void)pthread_join(b->threads[i], NULL);
    release(b);
}
