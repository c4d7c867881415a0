/* SPDX-License-Identifier: MIT
 *
 * The one job of a demo server: a thread of its own goes through a task's stages, mostly children
 * (demo/child.h), and tells a listener what happens. One at a time. All functions may be called from any
 * thread, but for those of a task.
 *
 *     dq_demo_job_new(&job, &listener, &e);
 *     dq_demo_job_start(job, &task, &number, &e);       at once back; task.run is called on the job's thread
 *     dq_demo_job_look(job, &view, NULL);               any time
 *     dq_demo_job_cancel(job, &number, &e);
 *     dq_demo_job_free(job);                            cancels what runs, and waits for it
 */
#ifndef DQ_SERVE_DEMO_JOB_H
#define DQ_SERVE_DEMO_JOB_H

#include "dq/status.h"
#include "serve/demo/curves.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum dq_demo_state {
    DQ_DEMO_IDLE, /* there was no job yet */
    DQ_DEMO_RUNNING,
    DQ_DEMO_DONE,
    DQ_DEMO_FAILED,
    DQ_DEMO_CANCELLED
} dq_demo_state;

/* "running", "done" ...; NULL for idle. */
const char *dq_demo_state_name(dq_demo_state state);

enum { DQ_DEMO_NAME = 64 };

typedef struct dq_demo_job dq_demo_job;

/* What is to be done. Copied; arg passes to the job, which calls drop(arg) when it is over, or when it does
 * not start. */
typedef struct dq_demo_task {
    const char *what;         /* "init", "train", "pipeline": constant */
    const char *unit;         /* "episode", "epoch": constant; NULL: nothing is trained */
    char model[DQ_DEMO_NAME]; /* whose file is replaced; "": none */
    uint64_t episodes;
    dq_status (*run)(void *arg, dq_demo_job *job, dq_error *error);
    void (*drop)(void *arg);
    void *arg;
} dq_demo_task;

/* Told on the job's thread, in order: the event's name and its data, JSON of n bytes. A job begins with
 * begin(), which may prepare for its events and may fail, on the thread that starts it; it ends with an event
 * "end", which comes on that thread, too, where there can be no other. */
typedef struct dq_demo_listener {
    dq_status (*begin)(void *arg, dq_error *error);
    void (*tell)(void *arg, const char *event, const char *json, size_t n);
    void *arg;
} dq_demo_listener;

/* How it stands. */
typedef struct dq_demo_view {
    uint64_t number; /* from 1; 0: there was no job */
    dq_demo_state state;
    const char *what, *unit, *stage; /* constant; may be NULL */
    char model[DQ_DEMO_NAME];
    uint64_t episode, episodes;
    char message[400]; /* why it failed; "" */
} dq_demo_view;

dq_status dq_demo_job_new(dq_demo_job **job, const dq_demo_listener *listener, dq_error *error);
/* Cancels what runs, and waits for it; none begins any more. Accepts NULL. */
void dq_demo_job_stop(dq_demo_job *job);
/* The same, and frees. Accepts NULL. */
void dq_demo_job_free(dq_demo_job *job);

/* DQ_ERR_DUPLICATE while one runs; DQ_ERR_STOPPED once it is being freed. */
dq_status dq_demo_job_start(dq_demo_job *job, const dq_demo_task *task, uint64_t *number, dq_error *error);
/* Asks what runs to end; the event follows. DQ_ERR_UNKNOWN when nothing runs. */
dq_status dq_demo_job_cancel(dq_demo_job *job, uint64_t *number, dq_error *error);
/* Waits until job `number` is over, at most so long; false: it is not. */
bool dq_demo_job_wait(dq_demo_job *job, uint64_t number, int milliseconds);
/* Copies how the latest job stands; and curves (NULL: not wanted), those of the latest training, with its
 * view. */
void dq_demo_job_look(dq_demo_job *job, dq_demo_view *view);
void dq_demo_job_curves(dq_demo_job *job, dq_demo_view *training, dq_demo_curves *curves);

/* ---- for a task ---- */

/* A new stage: told as an event. DQ_ERR_STOPPED when the job was cancelled. */
dq_status dq_demo_job_stage(dq_demo_job *job, const char *stage, dq_error *error);
/* Runs a child (demo/child.h) to its end; with out -1 the lines of its stdout are progress (demo/curves.h).
 * Errors are those of the child; DQ_ERR_STOPPED when the job was cancelled and the child ended by it. */
dq_status dq_demo_job_run(dq_demo_job *job, const char *const *arguments, int in, int out, dq_error *error);
/* What the `end` event brings as its result: JSON text, copied. */
dq_status dq_demo_job_result(dq_demo_job *job, const char *json, size_t n, dq_error *error);

#endif
