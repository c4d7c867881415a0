/* SPDX-License-Identifier: MIT */
#include "cli/checkpoint.h"

#include "cli/cli.h"

#include <errno.h>
#include <unistd.h>

bool dq_checkpoint_exists(const dq_checkpoint *c)
{
    return c->path && (access(c->path, F_OK) == 0 || errno != ENOENT);
}

static dq_status check(const dq_checkpoint *c, const dq_value *run, dq_error *error)
{
    if (!run) return dq_fail(error, DQ_ERR_SCHEMA, "a model, but no checkpoint");
    dq_status status = dq_cli_same_options(&c->maker->options, dq_map_get(run, "options"), c->apart, error);
    if (status) return status;
    if (dq_value_integer(dq_map_get(run, "seed"), -1) != c->maker->seed)
        return dq_fail(error, DQ_ERR_RANGE, "the checkpoint was made with another --seed");
    if (dq_value_integer(dq_map_get(run, "input"), 0) != c->input)
        return dq_fail(error, DQ_ERR_RANGE, "the checkpoint was made from another input");
    return DQ_OK;
}

dq_status dq_checkpoint_read(const dq_checkpoint *c, dq_models *models, uint64_t *log_bytes, dq_error *error)
{
    dq_reader *reader = NULL;
    dq_status status = dq_models_read(models, &reader, c->path, error);
    const dq_value *run = status ? NULL : dq_map_get(&models->at[0].meta, "run");
    if (!status) status = check(c, run, error);
    *log_bytes = status ? 0 : (uint64_t)dq_value_integer(dq_map_get(run, "log"), 0);
    dq_reader_close(reader);
    return status;
}

dq_status dq_checkpoint_write(const dq_checkpoint *c, dq_bundle *model, uint64_t log_bytes, dq_error *error)
{
    dq_arena *arena = &model->arena;
    dq_value run = dq_map(), options;
    dq_writer *writer = NULL;
    if (!dq_value_copy(arena, &c->maker->options, &options) || !dq_map_set(arena, &run, "options", options) ||
        !dq_map_set(arena, &run, "seed", dq_int(c->maker->seed)) ||
        !dq_map_set(arena, &run, "input", dq_int(c->input)) ||
        !dq_map_set(arena, &run, "log", dq_int((int64_t)log_bytes)) ||
        !dq_map_set(arena, &model->meta, "run", run))
        return dq_fail_memory(error, "a checkpoint");
    dq_status status = dq_writer_open(&writer, c->path, c->maker, NULL, 0, error);
    if (status) return status;
    if ((status = dq_writer_put(writer, model, error))) {
        dq_writer_abort(writer);
        return status;
    }
    return dq_writer_close(writer, error);
}

dq_status dq_checkpoint_resume(const dq_checkpoint *c, const dq_kept_run *run, const char *log,
                               dq_error *error)
{
    dq_models models = {0};
    uint64_t keep = 0; /* bytes of the log that belong to the checkpoint */
    dq_status status = DQ_OK;
    if (dq_checkpoint_exists(c)) {
        status = dq_checkpoint_read(c, &models, &keep, error);
        if (!status) status = run->restore(run->arg, &models.at[0], error);
        if (status) (void)dq_error_at(error, c->path, DQ_NO_RECORD);
    }
    dq_models_free(&models);
    return status || run->log->file ? status : dq_log_open(run->log, log, keep, error);
}

dq_status dq_checkpoint_keep(const dq_checkpoint *c, const dq_kept_run *run, dq_error *error)
{
    dq_bundle model;
    dq_status status = dq_bundle_init(&model, DQ_KIND_MODEL, 0, error);
    if (!status) status = run->save(run->arg, &model, error);
    if (!status) status = dq_checkpoint_write(c, &model, dq_log_bytes(run->log), error);
    dq_bundle_free(&model);
    return status;
}
