/* SPDX-License-Identifier: MIT
 *
 * --checkpoint: what is this run's, and going on from it.
 */
#include "train.h"

#include "cli/checkpoint.h"
#include "core/digest.h"

/* Its input is what was read, and the model that training starts from. */
static dq_checkpoint checkpoint_of(const train *t)
{
    uint64_t digest = dq_dataset_digest(&t->dataset) ^ t->logged_digest;
    const dq_models *models[] = {&t->init, &t->dataset.models};
    for (size_t m = 0; m < 2; m++)
        for (size_t i = 0; i < models[m]->count; i++)
            digest = dq_digest_seeded(&models[m]->at[i].body_hash, sizeof(uint64_t), digest);
    return (dq_checkpoint){t->o->checkpoint, &t->maker, (int64_t)digest, "pass"};
}

dq_status train_resume(train *t, dq_log *log, train_restore restore, void *arg, dq_error *error)
{
    const dq_checkpoint c = checkpoint_of(t);
    dq_models models = {0};
    uint64_t keep = 0; /* bytes of the log that belong to the checkpoint */
    dq_status status = DQ_OK;
    if (dq_checkpoint_exists(&c)) {
        status = dq_checkpoint_read(&c, &models, &keep, error);
        if (!status) status = restore(arg, &models.at[0], error);
        if (status) (void)dq_error_at(error, c.path, DQ_NO_RECORD);
    }
    dq_models_free(&models);
    return status || log->file ? status : dq_log_open(log, t->o->log, keep, error);
}

dq_status train_checkpoint_write(train *t, dq_bundle *model, dq_log *log, dq_error *error)
{
    const dq_checkpoint c = checkpoint_of(t);
    return dq_checkpoint_write(&c, model, dq_log_bytes(log), error);
}
