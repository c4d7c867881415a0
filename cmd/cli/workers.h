/* SPDX-License-Identifier: MIT
 *
 * Jobs in child processes: each is a fork that shares the parent's memory as it stands, does one job, and
 * hands back what it writes into files that have no name. What comes of the jobs is taken in their order,
 * whatever the order in which they end:
 *
 *     place 0   job 0   job 2 ...      a place's child is waited for in the order of jobs, what it wrote
 *     place 1   job 1   job 3 ...      is taken, and the place goes to the next job
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
    /* In a child: does a job, and writes into the files, which are empty. Its failure is the job's. */
    dq_status (*work)(void *arg, size_t job, int files[DQ_WORKER_FILES], dq_error *error);
    /* In the parent: takes what a job wrote, from the files' beginnings. */
    dq_status (*take)(void *arg, size_t job, int files[DQ_WORKER_FILES], dq_error *error);
    /* In the parent: a job failed in its child, DQ_ERR_IO where a signal ended that. DQ_OK: the others go on;
     * else this ends them. */
    dq_status (*failed)(void *arg, size_t job, dq_status status, dq_error *error);
    /* May be NULL. When it says so the jobs that are not taken are given up. Children ignore the signals that
     * it is about: a terminal sends them to all. */
    bool (*stop_asked)(void);
} dq_workers_config;

/* Does all jobs; the parent's end is the children's. DQ_ERR_STOPPED when it was asked to; a failure of the
 * parent's own, as of `take`, ends the others, too. */
dq_status dq_workers_run(const dq_workers_config *config, dq_error *error);

/* A worker's file as where a stream goes to, and comes from; *file is kept. The rest of one to the end of
 * another. */
dq_status dq_worker_sink(dq_sink **sink, int *file, dq_error *error);
dq_status dq_worker_source(dq_source **source, int *file, dq_error *error);
dq_status dq_worker_copy(dq_log *to, int file, dq_error *error);

/* Jobs each of which writes a stream and lines of a log, which are taken in the order of jobs. */
typedef struct dq_worker_streams {
    size_t workers, jobs;  /* each >= 1 */
    const dq_maker *maker; /* of the workers' streams */
    dq_log *log;           /* gets a job's lines before its stream is taken */
    void *arg;
    /* In a child. log has no file where this log has none. */
    dq_status (*work)(void *arg, size_t job, dq_log *log, dq_writer *out, dq_error *error);
    /* In the parent: takes a job's stream. */
    dq_status (*take)(void *arg, size_t job, dq_reader *from, dq_error *error);
    dq_status (*failed)(void *arg, size_t job, dq_status status, dq_error *error);
    bool (*stop_asked)(void);
} dq_worker_streams;

/* As dq_workers_run. */
dq_status dq_worker_streams_run(const dq_worker_streams *streams, dq_error *error);

#endif
