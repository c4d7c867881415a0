/* SPDX-License-Identifier: MIT
 *
 * --checkpoint: what is this run's, and going on from it.
 */
#include "train.h"

#include "cli/checkpoint.h"

/* Its input is what was read, and the model that training starts from. */
static dq_checkpoint checkpoint_of(const train *t)
{
    uint64_t digest = dq_dataset_digest(&t->dataset) ^ t->from.digest;
    digest = dq_models_digest(&t->dataset.models, dq_models_digest(&t->init, digest));
    return (dq_checkpoint){t->o->checkpoint, &t->maker, (int64_t)digest, "pass"};
}

dq_status train_resume(train *t, const train_kept *run, dq_error *error)
{
    const dq_checkpoint c = checkpoint_of(t);
    dq_models models = {0};
    uint64_t keep = 0; /* bytes of the log that belong to the checkpoint */
    dq_status status = DQ_OK;
    if (dq_checkpoint_exists(&c)) {
        status = dq_checkpoint_read(&c, &models, &keep, error);
        if (!status) status = run->restore(run->arg, &models.at[0], error);
        if (status) (void)dq_error_at(error, c.path, DQ_NO_RECORD);
    }
    dq_models_free(&models);
    return status || run->log->file ? status : dq_log_open(run->log, t->o->log, keep, error);
}

dq_status train_keep(train *t, const train_kept *run, dq_error *error)
{
    const dq_checkpoint c = checkpoint_of(t);
    dq_bundle model;
    dq_status status = dq_bundle_init(&model, DQ_KIND_MODEL, 0, error);
    if (!status) status = run->save(run->arg, &model, error);
    if (!status) status = train_finish_model(t, &model, run->user, error);
    if (!status) status = dq_checkpoint_write(&c, &model, dq_log_bytes(run->log), error);
    dq_bundle_free(&model);
    return status;
}
