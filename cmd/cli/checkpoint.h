/* SPDX-License-Identifier: MIT
 *
 * A checkpoint is a model stream of its own, written aside and renamed. meta.run holds what makes it this
 * run's: the options that can change the payload, the seed, the digest of the input, and the log's length.
 */
#ifndef DQ_CLI_CHECKPOINT_H
#define DQ_CLI_CHECKPOINT_H

#include "cli/log.h"
#include "data/load.h"
#include "dq/stream.h"

/* Of this run. */
typedef struct dq_checkpoint {
    const char *path; /* NULL: none is kept */
    const dq_maker *maker;
    int64_t input;     /* digest of all that was read */
    const char *apart; /* an option that may be another in a run that goes on; NULL: none */
} dq_checkpoint;

/* Whether there is a file to go on from. */
bool dq_checkpoint_exists(const dq_checkpoint *checkpoint);
/* Its first model, when it is of this run, into models (to be freed), and the log's length then.
 * DQ_ERR_SCHEMA for a model that is no checkpoint, DQ_ERR_RANGE for one of another run. */
dq_status dq_checkpoint_read(const dq_checkpoint *checkpoint, dq_models *models, uint64_t *log_bytes,
                             dq_error *error);
/* Completes a model bundle that the run filled, and writes it. */
dq_status dq_checkpoint_write(const dq_checkpoint *checkpoint, dq_bundle *model, uint64_t log_bytes,
                              dq_error *error);

/* A run that can be kept: what it puts into a model bundle, and takes up again. */
typedef struct dq_kept_run {
    dq_log *log; /* whose length is kept with it */
    void *arg;
    dq_status (*save)(void *arg, dq_bundle *model, dq_error *error);
    dq_status (*restore)(void *arg, const dq_bundle *model, dq_error *error);
} dq_kept_run;

/* Takes up the checkpoint when its file exists and is of this run; and opens the log of that name (unless it
 * is open) where the checkpoint left it. */
dq_status dq_checkpoint_resume(const dq_checkpoint *checkpoint, const dq_kept_run *run, const char *log,
                               dq_error *error);
/* Writes the checkpoint, with the log's length. */
dq_status dq_checkpoint_keep(const dq_checkpoint *checkpoint, const dq_kept_run *run, dq_error *error);

#endif
