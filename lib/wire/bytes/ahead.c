/* SPDX-License-Identifier: MIT */
#include "wire/bytes/ahead.h"

#include "wire/bytes/threads.h"
#include "wire/frame.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct slot {
    dq_ahead_piece piece;
    bool ready;
} slot;

struct dq_ahead {
    dq_ahead_input input;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    slot slots[DQ_BYTES_THREADS_MAX + 2];
    size_t room;           /* slots in use */
    uint64_t taken, given; /* pieces, from the beginning */
    bool taking;           /* a thread has the input */
    bool over;             /* nothing more is taken: its end, a failure, or nobody wants it */
    dq_frame_decoder *decoders[DQ_BYTES_THREADS_MAX];
    unsigned decoder_count; /* that a thread has */
    pthread_t threads[DQ_BYTES_THREADS_MAX];
    unsigned count;
};

bool dq_ahead_piece_make(dq_ahead_piece *piece)
{
    if (!piece->packed) piece->packed = malloc(dq_frame_room());
    if (!piece->data) piece->data = malloc(DQ_FRAME_PAYLOAD);
    return piece->packed && piece->data;
}

void dq_ahead_piece_clear(dq_ahead_piece *piece)
{
    free(piece->packed);
    free(piece->data);
    *piece = (dq_ahead_piece){0};
}

/* With the lock held: waits for the input and for room to put a piece; NULL: nothing more is taken. */
static slot *next_slot(dq_ahead *a)
{
    while (!a->over && (a->taking || a->taken - a->given == a->room))
        (void)pthread_cond_wait(&a->changed, &a->lock);
    return a->over ? NULL : &a->slots[a->taken % a->room];
}

static void decode(dq_frame_decoder *decoder, dq_ahead_piece *p)
{
    if (p->packed_bytes)
        p->damaged = !dq_frame_decode(decoder, p->packed, p->packed_bytes, p->data, p->bytes);
}

/* With the lock held, but for while it works. */
static void take_one(dq_ahead *a, slot *s, dq_frame_decoder *decoder)
{
    dq_ahead_piece *p = &s->piece;
    a->taking = true;
    (void)pthread_mutex_unlock(&a->lock);
    p->packed_bytes = p->bytes = 0;
    p->damaged = false;
    p->status = DQ_OK;
    p->error = DQ_ERROR_NONE;
    a->input.take(a->input.arg, p);
    (void)pthread_mutex_lock(&a->lock);
    a->taken++;
    a->taking = false;
    a->over |= p->status != DQ_OK || (!p->packed_bytes && !p->bytes);
    (void)pthread_cond_broadcast(&a->changed);
    (void)pthread_mutex_unlock(&a->lock);
    decode(decoder, p);
    (void)pthread_mutex_lock(&a->lock);
    s->ready = true;
    (void)pthread_cond_broadcast(&a->changed);
}

static void *work(void *arg)
{
    dq_ahead *a = arg;
    slot *s;
    (void)pthread_mutex_lock(&a->lock);
    dq_frame_decoder *decoder = a->decoders[a->decoder_count++];
    while ((s = next_slot(a))) take_one(a, s, decoder);
    (void)pthread_mutex_unlock(&a->lock);
    return NULL;
}

static void release(dq_ahead *a)
{
    for (size_t i = 0; i < a->room; i++) dq_ahead_piece_clear(&a->slots[i].piece);
    for (unsigned i = 0; i < DQ_BYTES_THREADS_MAX; i++) dq_frame_decoder_free(a->decoders[i]);
    (void)pthread_cond_destroy(&a->changed);
    (void)pthread_mutex_destroy(&a->lock);
    free(a);
}

dq_ahead *dq_ahead_new(dq_ahead_input input, unsigned threads)
{
    dq_ahead *a = calloc(1, sizeof *a);
    if (!a) return NULL;
    if (threads > DQ_BYTES_THREADS_MAX) threads = DQ_BYTES_THREADS_MAX;
    a->input = input;
    a->room = threads + 2;
    (void)pthread_mutex_init(&a->lock, NULL);
    (void)pthread_cond_init(&a->changed, NULL);
    bool made = threads > 0;
    for (size_t i = 0; made && i < a->room; i++) made = dq_ahead_piece_make(&a->slots[i].piece);
    for (unsigned i = 0; made && i < threads; i++) made = (a->decoders[i] = dq_frame_decoder_new()) != NULL;
    a->count = made ? dq_bytes_threads_start(a->threads, threads, work, a) : 0;
    if (a->count) return a;
    release(a);
    return NULL;
}

bool dq_ahead_ready(dq_ahead *a)
{
    (void)pthread_mutex_lock(&a->lock);
    bool ready = a->slots[a->given % a->room].ready;
    (void)pthread_mutex_unlock(&a->lock);
    return ready;
}

dq_ahead_piece *dq_ahead_first(dq_ahead *a)
{
    slot *s = &a->slots[a->given % a->room];
    (void)pthread_mutex_lock(&a->lock);
    while (!s->ready) (void)pthread_cond_wait(&a->changed, &a->lock);
    (void)pthread_mutex_unlock(&a->lock);
    return &s->piece;
}

void dq_ahead_pass(dq_ahead *a)
{
    (void)pthread_mutex_lock(&a->lock);
    a->slots[a->given % a->room].ready = false;
    a->given++;
    (void)pthread_cond_broadcast(&a->changed);
    (void)pthread_mutex_unlock(&a->lock);
}

void dq_ahead_free(dq_ahead *a)
{
    if (!a) return;
    (void)pthread_mutex_lock(&a->lock);
    a->over = true;
    (void)pthread_cond_broadcast(&a->changed);
    (void)pthread_mutex_unlock(&a->lock);
    a->input.stop(a->input.arg);
    for (unsigned i = 0; i < a->count; i++) (void)pthread_join(a->threads[i], NULL);
    release(a);
}
