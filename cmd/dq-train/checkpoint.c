/* SPDX-License-Identifier: MIT
 *
 * A checkpoint is a model stream of its own, written aside and renamed. meta.run holds what makes it this
 * run's: the options that can change the payload, the digest of the input, and the log's length.
 */
#include "train.h"

#include "core/digest.h"
#include "data/load.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void train_catch_stop(const train *t)
{
    if (t->o->checkpoint) dq_stop_catch();
}

/* The input and the model that training starts from. */
static int64_t identity(const train *t)
{
    uint64_t digest = dq_dataset_digest(&t->dataset) ^ t->logged_digest;
    const dq_models *models[] = {&t->init, &t->dataset.models};
    for (size_t m = 0; m < 2; m++)
        for (size_t i = 0; i < models[m]->count; i++)
            digest = dq_digest_seeded(&models[m]->at[i].body_hash, sizeof(uint64_t), digest);
    return (int64_t)digest;
}

static dq_status check_run(const train *t, const dq_bundle *model, dq_error *error)
{
    const dq_value *run = dq_map_get(&model->meta, "run");
    if (!run) return dq_fail(error, DQ_ERR_SCHEMA, "a model, but no checkpoint");
    dq_status status = dq_cli_same_options(&t->maker.options, dq_map_get(run, "options"), "pass", error);
    if (status) return status;
    if (dq_value_integer(dq_map_get(run, "seed"), -1) != t->maker.seed)
        return dq_fail(error, DQ_ERR_RANGE, "the checkpoint was made with another --seed");
    if (dq_value_integer(dq_map_get(run, "input"), 0) != identity(t))
        return dq_fail(error, DQ_ERR_RANGE, "the checkpoint was made from another input");
    return DQ_OK;
}

/* The first model of the file, when it is of this run. */
static dq_status read_model(train *t, dq_models *models, dq_reader **reader, dq_error *error)
{
    dq_status status = dq_models_read(models, reader, t->o->checkpoint, error);
    return status ? status : check_run(t, &models->at[0], error);
}

dq_status train_resume(train *t, dq_log *log, train_restore restore, void *arg, dq_error *error)
{
    const char *path = t->o->checkpoint;
    bool none = !path || (access(path, F_OK) != 0 && errno == ENOENT);
    dq_models models = {0};
    dq_reader *reader = NULL;
    uint64_t keep = 0; /* bytes of the log that belong to the checkpoint */
    dq_status status = none ? DQ_OK : read_model(t, &models, &reader, error);
    if (!status && !none) {
        const dq_value *run = dq_map_get(&models.at[0].meta, "run");
        keep = (uint64_t)dq_value_integer(dq_map_get(run, "log"), 0);
        status = restore(arg, &models.at[0], error);
    }
    if (status) (void)dq_error_at(error, path, DQ_NO_RECORD);
    dq_models_free(&models);
    dq_reader_close(reader);
    return status || log->file ? status : dq_log_open(log, t->o->log, keep, error);
}

dq_status train_checkpoint_write(train *t, dq_bundle *model, dq_log *log, dq_error *error)
{
    dq_arena *arena = &model->arena;
    dq_value run = dq_map(), options;
    dq_writer *writer = NULL;
    if (!dq_value_copy(arena, &t->maker.options, &options) || !dq_map_set(arena, &run, "options", options) ||
        !dq_map_set(arena, &run, "seed", dq_int(t->maker.seed)) ||
        !dq_map_set(arena, &run, "input", dq_int(identity(t))) ||
        !dq_map_set(arena, &run, "log", dq_int((int64_t)dq_log_bytes(log))) ||
        !dq_map_set(arena, &model->meta, "run", run))
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for a checkpoint");
    dq_status status = dq_writer_open(&writer, t->o->checkpoint, &t->maker, NULL, 0, error);
    if (status) return status;
    if ((status = dq_writer_put(writer, model, error))) {
        dq_writer_abort(writer);
        return status;
    }
    return dq_writer_close(writer, error);
}
