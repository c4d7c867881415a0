/* SPDX-License-Identifier: MIT
 *
 * Jobs in child processes: each is a fork that shares the parent's memory as it stood when it was started,
 * does one job after the other, and hands back what it writes into files that have no name. What comes of the
 * jobs is taken in their order, whatever the order in which they end:
 *
 *     worker 0   job 0   job 3 ...      whoever is idle gets the next job, as long as there is a slot for
 *     worker 1   job 1   job 2 ...      what comes of it: two a worker, so that memory stays bounded
 *
 * A worker keeps the memory that a job has freed for the next one. A job must leave nothing else behind that
 * the next could see.
 */
#ifndef DQ_CLI_WORKERS_H
#define DQ_CLI_WORKERS_H

#include "cli/log.h"
#include "dq/sink.h"
#include "dq/source.h"
#include "dq/stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { DQ_WORKER_FILES = 2 };

typedef struct dq_workers_config {
    size_t workers, jobs; /* each >= 1 */
    void *arg;
    /* In a child: does a job, and writes into the files, from their beginnings. Its failure is the job's. */
    dq_status (*work)(void *arg, size_t job, int files[DQ_WORKER_FILES], dq_error *error);
    /* In the parent: takes what a job wrote, from the files' beginnings. */
    dq_status (*take)(void *arg, size_t job, int files[DQ_WORKER_FILES], dq_error *error);
    /* In the parent: a job failed in its child, DQ_ERR_IO where a signal ended that. DQ_OK: the others go on;
     * else this ends them. */
    dq_status (*failed)(void *arg, size_t job, dq_status status, dq_error *error);
    /* May be NULL. When it says so the jobs that are not taken are given up. Children ignore the signals that
     * it is about, which a terminal sends to all; with a `leave` they hear SIGTERM, by which they are told.
     */
    bool (*stop_asked)(void);
    /* In the parent, with stop_asked; or NULL. Takes what a job leaves that a stop keeps from being taken:
     * DQ_OK, it is done; or DQ_ERR_STOPPED, where `work` has heard of the stop (cli/stop.h) and written what
     * can be gone on from. Jobs are left as they end. Of failures the first is the run's. */
    dq_status (*leave)(void *arg, size_t job, dq_status how, int files[DQ_WORKER_FILES], dq_error *error);
    double
        patience; /* seconds for children to end their jobs then; whoever is at work later leaves nothing */
} dq_workers_config;

/* Does all jobs; the parent's end is the children's. DQ_ERR_STOPPED when it was asked to; a failure of the
 * parent's own, as of `take`, ends the others, too. */
dq_status dq_workers_run(const dq_workers_config *config, dq_error *error);

/* Jobs each of which writes a stream and lines of a log, which are taken in the order of jobs. */
typedef struct dq_worker_streams {
    size_t workers, jobs;  /* each >= 1 */
    const dq_maker *maker; /* of the workers' streams, and what they are made of */
    dq_reader *const *inputs;
    size_t input_count;
    dq_log *log; /* gets a job's lines before its stream is taken */
    void *arg;
    /* In a child. log has no file where this log has none. */
    dq_status (*work)(void *arg, size_t job, dq_log *log, dq_writer *out, dq_error *error);
    /* In the parent: takes the bytes of a job's stream, compressed as a file's are: read(from, ...). */
    dq_status (*take)(void *arg, size_t job, dq_source_fn read, void *from, dq_error *error);
    dq_status (*failed)(void *arg, size_t job, dq_status status, dq_error *error);
    bool (*stop_asked)(void);
    /* With stop_asked, or NULL: takes what a job leaves that a stop keeps from being taken: read(stream,
     * ...), and with a log read(lines, ...), else NULL. done: else `work` gave DQ_ERR_STOPPED, and put what
     * can be gone on from into its stream. */
    dq_status (*leave)(void *arg, size_t job, bool done, dq_source_fn read, void *stream, void *lines,
                       dq_error *error);
} dq_worker_streams;

/* As dq_workers_run. */
dq_status dq_worker_streams_run(const dq_worker_streams *streams, dq_error *error);

#endif
