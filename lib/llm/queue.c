/* SPDX-License-Identifier: MIT */
#include "llm/queue.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const double glance = 0.1; /* seconds that the caller's thread waits before it looks for a stop */

/* ---- lists ---- */

void dq_llm_list_push(llm_list *list, llm_job *job)
{
    job->next = NULL;
    if (list->last)
        list->last->next = job;
    else
        list->first = job;
    list->last = job;
    list->count++;
}

llm_job *dq_llm_list_pop(llm_list *list)
{
    llm_job *job = list->first;
    if (!job) return NULL;
    list->first = job->next;
    if (!list->first) list->last = NULL;
    list->count--;
    return job;
}

void dq_llm_list_move(llm_list *to, llm_list *from)
{
    if (!from->count) return;
    if (to->last)
        to->last->next = from->first;
    else
        to->first = from->first;
    to->last = from->last;
    to->count += from->count;
    *from = (llm_list){0};
}

bool dq_llm_keep_text(char **to, const char *text, size_t bytes)
{
    free(*to);
    *to = malloc(bytes + 1);
    if (!*to) return false;
    memcpy(*to, text, bytes);
    (*to)[bytes] = '\0';
    return true;
}

/* ---- life ---- */

void dq_llm_queue_init(llm_queue *queue)
{
    pthread_condattr_t attributes;
    *queue = (llm_queue){.reason = DQ_ERROR_NONE};
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&queue->lock, NULL);
    (void)pthread_cond_init(&queue->to_store, &attributes);
    (void)pthread_cond_init(&queue->from_store, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

void dq_llm_queue_destroy(llm_queue *queue)
{
    (void)pthread_mutex_destroy(&queue->lock);
    (void)pthread_cond_destroy(&queue->to_store);
    (void)pthread_cond_destroy(&queue->from_store);
}

void dq_llm_lock(llm_queue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
}

void dq_llm_unlock(llm_queue *queue)
{
    (void)pthread_mutex_unlock(&queue->lock);
}

/* ---- ends ---- */

void dq_llm_queue_stop(llm_queue *queue, const dq_error *why)
{
    dq_llm_lock(queue);
    if (!queue->stopping) queue->reason = *why;
    queue->stopping = true;
    dq_llm_unlock(queue);
}

void dq_llm_queue_stop_claims(llm_queue *queue, const dq_error *why)
{
    dq_llm_lock(queue);
    if (!queue->stopping && !queue->spent) queue->reason = *why;
    queue->spent = true;
    dq_llm_unlock(queue);
}

/* ---- the caller's thread ---- */

void dq_llm_queue_put(llm_queue *queue, llm_list *fresh)
{
    if (!fresh->count) return;
    dq_llm_lock(queue);
    dq_llm_list_move(&queue->fresh, fresh);
    (void)pthread_cond_signal(&queue->to_store);
    dq_llm_unlock(queue);
}

void dq_llm_queue_answer(llm_queue *queue, llm_job *const *jobs, size_t n, dq_status status)
{
    dq_llm_lock(queue);
    for (size_t i = 0; i < n; i++) {
        jobs[i]->status = status;
        dq_llm_list_push(&queue->answered, jobs[i]);
    }
    queue->unstored += n;
    (void)pthread_cond_signal(&queue->to_store);
    dq_llm_unlock(queue);
}

bool dq_llm_queue_take(llm_queue *queue, llm_list *done)
{
    dq_llm_lock(queue);
    dq_llm_list_move(done, &queue->done);
    bool granted = queue->granted.count > 0;
    dq_llm_unlock(queue);
    return granted;
}

/* In so many seconds, by the clock of the conditions. */
static struct timespec time_in(double seconds)
{
    struct timespec at;
    double whole = floor(fmax(seconds, 0));
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)whole;
    at.tv_nsec += (long)((fmax(seconds, 0) - whole) * 1e9);
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    return at;
}

void dq_llm_queue_wait(llm_queue *queue)
{
    struct timespec until = time_in(glance);
    dq_llm_lock(queue);
    bool news = queue->done.count || queue->granted.count;
    if (queue->stopping ? !queue->idle : !news)
        (void)pthread_cond_timedwait(&queue->from_store, &queue->lock, &until);
    dq_llm_unlock(queue);
}

bool dq_llm_queue_idle(llm_queue *queue, bool empty)
{
    dq_llm_lock(queue);
    bool idle = queue->idle && !queue->answered.count;
    bool none = !queue->fresh.count && !queue->granted.count && !queue->done.count;
    dq_llm_unlock(queue);
    return idle && (none || !empty);
}

/* ---- the store's thread ---- */

bool dq_llm_queue_wait_for(llm_queue *queue, double seconds)
{
    if (isinf(seconds)) return pthread_cond_wait(&queue->to_store, &queue->lock) == 0;
    struct timespec until = time_in(seconds);
    return pthread_cond_timedwait(&queue->to_store, &queue->lock, &until) == 0;
}
