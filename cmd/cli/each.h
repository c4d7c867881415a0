/* SPDX-License-Identifier: MIT
 *
 * One agent a user: the jobs of a plan (models/plan.h) in workers (cli/workers.h), with a log, a bar, and
 * words. What is made is taken in the order of users: into a folder, where a run that was ended goes on, and
 * into a stream. A stop leaves the agents that are half made in the folder, with their lines of the log.
 *
 *     dq_each each = {.cli = cli, ..., .work = work};
 *     dq_each_plan(&each, ids, &wanted, &e);
 *     dq_each_open_log(&each, "log.jsonl", &e);
 *     dq_each_run(&each, &e);
 *     dq_each_sum_up(&each, &failed, &e);
 *     dq_each_free(&each);
 */
#ifndef DQ_CLI_EACH_H
#define DQ_CLI_EACH_H

#include "cli/cli.h"
#include "cli/log.h"
#include "models/plan.h"

/* What an agent's work goes into, and begins with. */
typedef struct dq_each_job {
    uint32_t user;
    dq_log *log;           /* without a file where there is no log */
    dq_writer *out;        /* gets the models */
    bool leaves;           /* a stop puts one checkpoint into out, and `work` returns DQ_ERR_STOPPED */
    const dq_bundle *from; /* such a checkpoint, to go on from; NULL: none */
} dq_each_job;

/* Set what is borrowed; the rest is zero to start. */
typedef struct dq_each {
    dq_cli *cli;
    const dq_common *common;
    const char *models_dir; /* NULL: no folder */
    dq_maker maker;         /* of a file: not of who else was made */
    dq_reader *const *inputs;
    size_t input_count;
    dq_writer *out;        /* NULL: none */
    uint64_t max_failures; /* more of them end the run */
    void *arg;
    /* In a child. A failure is this agent's. */
    dq_status (*work)(void *arg, const dq_each_job *job, dq_error *error);

    dq_log log;
    dq_progress bar;
    dq_model_dir dir;
    dq_model_plan plan;
} dq_each;

/* Plans those of the ids (borrowed) that are wanted; the errors of dq_model_plan_make. */
dq_status dq_each_plan(dq_each *each, const dq_index *ids, const dq_user_list *wanted, dq_error *error);
/* Opens the log of that name (NULL: none), with the lines of those whose agents are kept. */
dq_status dq_each_open_log(dq_each *each, const char *path, dq_error *error);
/* Makes all, and closes the log. DQ_ERR_STOPPED, with the way to go on, when it was told to stop. */
dq_status dq_each_run(dq_each *each, dq_error *error);
/* Says what came of it, when none failed; else that is *failed, or the error, where all did. */
dq_status dq_each_sum_up(const dq_each *each, dq_error *failed, dq_error *error);
void dq_each_free(dq_each *each);

#endif
