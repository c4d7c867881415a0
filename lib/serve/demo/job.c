/* SPDX-License-Identifier: MIT */
#include "serve/demo/job.h"

#include "port/files/json.h"
#include "serve/demo/child.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ASK_EVERY = 100 }; /* milliseconds: whether it was cancelled */

struct dq_demo_job {
    dq_demo_listener listener;
    dq_demo_task task;
    pthread_t thread;
    atomic_bool cancelled;
    char *result; /* of the task, on the job's thread; NULL: none */
    size_t result_bytes;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t over;
    bool threaded, closing; /* the thread is to be joined; no job begins any more */
    dq_demo_view view, training;
    dq_demo_curves curves;
};

const char *dq_demo_state_name(dq_demo_state state)
{
    static const char *const names[] = {NULL, "running", "done", "failed", "cancelled"};
    return names[state];
}

/* ---- events ---- */

static bool set_text(dq_arena *arena, dq_value *map, const char *key, const char *text)
{
    return dq_map_set(arena, map, key, text ? dq_string(arena, text) : dq_nil());
}

/* An event whose data is this map. Where memory is short nobody is told: what is lost is a step of a curve.
 */
static void tell(dq_demo_job *job, const char *event, const dq_value *data)
{
    dq_json_text text = DQ_JSON_TEXT_EMPTY;
    if (dq_json_write(&text, data, NULL) == DQ_OK)
        job->listener.tell(job->listener.arg, event, text.data, text.bytes);
    dq_json_text_free(&text);
}

static void tell_stage(dq_demo_job *job, const char *stage)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value data = dq_map();
    if (dq_map_set(&arena, &data, "job", dq_int((int64_t)job->view.number)) &&
        set_text(&arena, &data, "stage", stage))
        tell(job, "stage", &data);
    dq_arena_free(&arena);
}

static void tell_progress(dq_demo_job *job, const dq_demo_progress *p)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value data = dq_map();
    if (dq_map_set(&arena, &data, "job", dq_int((int64_t)job->view.number)) &&
        set_text(&arena, &data, "unit", job->task.unit) &&
        dq_map_set(&arena, &data, "episode", dq_int((int64_t)p->episode)) &&
        dq_map_set(&arena, &data, "episodes", dq_int((int64_t)job->task.episodes)) &&
        dq_map_set(&arena, &data, "reward", dq_real_or_nil(p->reward)) &&
        dq_map_set(&arena, &data, "average", dq_real_or_nil(p->average)) &&
        dq_map_set(&arena, &data, "length", dq_real_or_nil(p->length)) &&
        dq_map_set(&arena, &data, "loss", dq_real_or_nil(p->loss)) &&
        dq_map_set(&arena, &data, "epsilon", dq_real_or_nil(p->epsilon)))
        tell(job, "progress", &data);
    dq_arena_free(&arena);
}

static dq_value result_of(const dq_demo_job *job, dq_arena *arena)
{
    dq_value result = dq_nil();
    if (job->result && dq_json_parse(job->result, job->result_bytes, arena, &result, NULL)) return dq_nil();
    return result;
}

/* The end is told whatever memory there is: whoever watches waits for it. */
static void tell_end(dq_demo_job *job, const dq_demo_view *view)
{
    static const char bare[] = "{\"ok\":false,\"state\":\"failed\",\"message\":\"out of memory\"}";
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_json_text text = DQ_JSON_TEXT_EMPTY;
    dq_value data = dq_map();
    bool ok = dq_map_set(&arena, &data, "job", dq_int((int64_t)view->number)) &&
              dq_map_set(&arena, &data, "ok", dq_bool(view->state == DQ_DEMO_DONE)) &&
              set_text(&arena, &data, "state", dq_demo_state_name(view->state)) &&
              set_text(&arena, &data, "message", view->message) &&
              set_text(&arena, &data, "model", *view->model ? view->model : NULL) &&
              dq_map_set(&arena, &data, "result", result_of(job, &arena)) &&
              dq_json_write(&text, &data, NULL) == DQ_OK;
    job->listener.tell(job->listener.arg, "end", ok ? text.data : bare, ok ? text.bytes : sizeof bare - 1);
    dq_json_text_free(&text);
    dq_arena_free(&arena);
}

/* ---- for a task ---- */

dq_status dq_demo_job_stage(dq_demo_job *job, const char *stage, dq_error *error)
{
    if (atomic_load(&job->cancelled)) return dq_fail(error, DQ_ERR_STOPPED, "cancelled");
    (void)pthread_mutex_lock(&job->lock);
    job->view.stage = stage;
    (void)pthread_mutex_unlock(&job->lock);
    tell_stage(job, stage);
    return DQ_OK;
}

static void take_line(dq_demo_job *job, const char *line, size_t n)
{
    dq_demo_progress progress;
    if (!dq_demo_progress_read(line, n, &progress)) return;
    (void)pthread_mutex_lock(&job->lock);
    dq_demo_curves_add(&job->curves, &progress);
    job->view.episode = progress.episode;
    (void)pthread_mutex_unlock(&job->lock);
    tell_progress(job, &progress);
}

dq_status dq_demo_job_run(dq_demo_job *job, const char *const *arguments, int in, int out, dq_error *error)
{
    dq_demo_child child;
    const char *line;
    size_t n;
    dq_status status = dq_demo_child_start(&child, arguments, in, out, error);
    if (status) return status;
    while (dq_demo_child_next(&child, ASK_EVERY, &line, &n)) {
        if (n) take_line(job, line, n);
        if (!child.stopped && atomic_load(&job->cancelled)) dq_demo_child_stop(&child);
    }
    return dq_demo_child_end(&child, error);
}

dq_status dq_demo_job_result(dq_demo_job *job, const char *json, size_t n, dq_error *error)
{
    char *copy = malloc(n + 1);
    if (!copy) return dq_fail_memory(error, "a result");
    memcpy(copy, json, n);
    free(job->result);
    job->result = copy;
    job->result_bytes = n;
    return DQ_OK;
}

/* ---- the thread ---- */

/* How it ended, in words. One that was cancelled and had already done its work is done. */
static void judge(dq_demo_job *job, dq_status status, const dq_error *error, dq_demo_view *view)
{
    view->state = !status ? DQ_DEMO_DONE : status == DQ_ERR_STOPPED ? DQ_DEMO_CANCELLED : DQ_DEMO_FAILED;
    if (view->state == DQ_DEMO_CANCELLED) (void)snprintf(view->message, sizeof view->message, "cancelled");
    if (view->state == DQ_DEMO_FAILED)
        (void)snprintf(view->message, sizeof view->message, "%s", error->reason);
    if (view->state == DQ_DEMO_DONE && job->task.unit)
        (void)snprintf(view->message, sizeof view->message, "%s has learnt", view->model);
}

/* Who hears of the end may begin the next job at once; that then waits for this thread. */
static void *run(void *arg)
{
    dq_demo_job *job = arg;
    dq_error error = DQ_ERROR_NONE;
    dq_demo_view view;
    dq_status status = job->task.run(job->task.arg, job, &error);
    job->task.drop(job->task.arg);
    dq_demo_job_look(job, &view);
    judge(job, status, &error, &view);
    (void)pthread_mutex_lock(&job->lock);
    job->view = view;
    if (job->task.unit) job->training = view;
    (void)pthread_cond_broadcast(&job->over);
    (void)pthread_mutex_unlock(&job->lock);
    tell_end(job, &view);
    return NULL;
}

/* Under the lock: nothing runs, and the thread of the last job is gone. */
static void join(dq_demo_job *job)
{
    if (job->threaded) (void)pthread_join(job->thread, NULL);
    job->threaded = false;
}

static void enter(dq_demo_job *job, const dq_demo_task *task)
{
    job->task = *task;
    free(job->result);
    job->result = NULL;
    atomic_store(&job->cancelled, false);
    job->view = (dq_demo_view){.number = job->view.number + 1,
                               .state = DQ_DEMO_RUNNING,
                               .what = task->what,
                               .unit = task->unit,
                               .episodes = task->episodes};
    memcpy(job->view.model, task->model, sizeof task->model);
    if (!task->unit) return;
    job->training = job->view;
    memset(&job->curves, 0, sizeof job->curves);
}

/* Under the lock. */
static dq_status begin(dq_demo_job *job, const dq_demo_task *task, dq_error *error)
{
    if (job->closing) return dq_fail(error, DQ_ERR_STOPPED, "the server stops");
    if (job->view.state == DQ_DEMO_RUNNING)
        return dq_fail(error, DQ_ERR_DUPLICATE, "job %llu runs (%s): one at a time, POST /api/cancel ends it",
                       (unsigned long long)job->view.number, job->view.what);
    join(job);
    dq_status status = job->listener.begin(job->listener.arg, error);
    if (status) return status;
    enter(job, task);
    int sys = pthread_create(&job->thread, NULL, run, job);
    job->threaded = sys == 0;
    if (!sys) return DQ_OK;
    dq_error why = DQ_ERROR_NONE; /* whoever watches is told, too */
    status = dq_fail_errno(&why, sys, "cannot start a job");
    judge(job, status, &why, &job->view);
    if (task->unit) job->training = job->view;
    tell_end(job, &job->view);
    if (error) *error = why;
    return status;
}

dq_status dq_demo_job_start(dq_demo_job *job, const dq_demo_task *task, uint64_t *number, dq_error *error)
{
    (void)pthread_mutex_lock(&job->lock);
    dq_status status = begin(job, task, error);
    *number = job->view.number;
    (void)pthread_mutex_unlock(&job->lock);
    if (status) task->drop(task->arg);
    return status;
}

/* ---- from anywhere ---- */

dq_status dq_demo_job_cancel(dq_demo_job *job, uint64_t *number, dq_error *error)
{
    (void)pthread_mutex_lock(&job->lock);
    bool runs = job->view.state == DQ_DEMO_RUNNING;
    *number = job->view.number;
    if (runs) atomic_store(&job->cancelled, true);
    (void)pthread_mutex_unlock(&job->lock);
    return runs ? DQ_OK : dq_fail(error, DQ_ERR_UNKNOWN, "no job runs");
}

bool dq_demo_job_wait(dq_demo_job *job, uint64_t number, int milliseconds)
{
    struct timespec until;
    int sys = 0;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_mutex_lock(&job->lock);
    while (job->view.number == number && job->view.state == DQ_DEMO_RUNNING && sys != ETIMEDOUT)
        sys = pthread_cond_timedwait(&job->over, &job->lock, &until);
    bool over = job->view.number != number || job->view.state != DQ_DEMO_RUNNING;
    (void)pthread_mutex_unlock(&job->lock);
    return over;
}

void dq_demo_job_look(dq_demo_job *job, dq_demo_view *view)
{
    (void)pthread_mutex_lock(&job->lock);
    *view = job->view;
    (void)pthread_mutex_unlock(&job->lock);
}

void dq_demo_job_curves(dq_demo_job *job, dq_demo_view *training, dq_demo_curves *curves)
{
    (void)pthread_mutex_lock(&job->lock);
    bool runs = job->training.number == job->view.number;
    *training = runs ? job->view : job->training;
    *curves = job->curves;
    (void)pthread_mutex_unlock(&job->lock);
}

/* ---- life ---- */

dq_status dq_demo_job_new(dq_demo_job **job, const dq_demo_listener *listener, dq_error *error)
{
    pthread_condattr_t clock;
    dq_demo_job *j = *job = calloc(1, sizeof *j);
    if (!j) return dq_fail_memory(error, "jobs");
    j->listener = *listener;
    (void)pthread_mutex_init(&j->lock, NULL);
    (void)pthread_condattr_init(&clock);
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&j->over, &clock);
    (void)pthread_condattr_destroy(&clock);
    return DQ_OK;
}

void dq_demo_job_stop(dq_demo_job *job)
{
    if (!job) return;
    (void)pthread_mutex_lock(&job->lock);
    job->closing = true;
    atomic_store(&job->cancelled, true);
    bool threaded = job->threaded;
    job->threaded = false;
    (void)pthread_mutex_unlock(&job->lock);
    if (threaded) (void)pthread_join(job->thread, NULL);
}

void dq_demo_job_free(dq_demo_job *job)
{
    if (!job) return;
    dq_demo_job_stop(job);
    (void)pthread_cond_destroy(&job->over);
    (void)pthread_mutex_destroy(&job->lock);
    free(job->result);
    free(job);
}
