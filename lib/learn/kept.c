/* SPDX-License-Identifier: MIT */
#include "learn/kept.h"

#include "core/record.h"
#include "dq/schema.h"
#include "learn/agent_impl.h"

#include <stdio.h>
#include <string.h>

static const char prefix[] = "best.";
enum { PREFIX = sizeof prefix - 1, NAME_BYTES = 256 };

static dq_status no_memory(dq_error *error)
{
    return dq_fail_memory(error, "the best model");
}

/* Columns that are borrowed become the bundle's own. */
static dq_status own_columns(dq_bundle *bundle, dq_error *error)
{
    for (size_t i = 0; i < bundle->column_count; i++) {
        dq_column *c = &bundle->columns[i];
        void *own = dq_arena_take(&bundle->arena, c->bytes);
        if (!own) return no_memory(error);
        if (c->bytes) c->data = memcpy(own, c->data, c->bytes);
    }
    return DQ_OK;
}

dq_status dq_kept_set(dq_bundle *kept, dq_agent *agent, dq_error *error)
{
    dq_bundle_free(kept);
    dq_status status = dq_bundle_init(kept, DQ_KIND_MODEL, 0, error);
    if (!status) status = dq_agent_save(agent, false, kept, error);
    if (!status) status = own_columns(kept, error);
    if (status) dq_bundle_free(kept);
    return status;
}

dq_status dq_kept_get(const dq_bundle *kept, dq_bundle *model, dq_error *error)
{
    static const char *const without[] = {NULL};
    dq_status status = dq_bundle_borrow(model, kept, without, error);
    if (!status && !dq_value_copy(&model->arena, &kept->meta, &model->meta)) status = no_memory(error);
    return status;
}

dq_status dq_kept_save(const dq_bundle *kept, dq_bundle *checkpoint, dq_error *error)
{
    dq_status status = DQ_OK;
    if (!kept->kind) return DQ_OK;
    if (!dq_map_set(&checkpoint->arena, &checkpoint->meta, "best", kept->meta)) return no_memory(error);
    for (size_t i = 0; !status && i < kept->column_count; i++) {
        const dq_column *c = &kept->columns[i];
        char name[NAME_BYTES];
        if (snprintf(name, sizeof name, "%s%s", prefix, c->name) >= NAME_BYTES)
            return dq_fail(error, DQ_ERR_RANGE, "a column's name is too long for a checkpoint");
        status = dq_bundle_add_tensor(checkpoint, name, c->type, c->dims, c->shape, c->data, error);
    }
    return status;
}

/* The columns and metadata of the best model, borrowed from a checkpoint. */
static dq_status borrow(dq_bundle *kept, const dq_value *meta, const dq_bundle *checkpoint, dq_error *error)
{
    dq_status status = dq_bundle_init(kept, DQ_KIND_MODEL, 0, error);
    if (!status && !dq_value_copy(&kept->arena, meta, &kept->meta)) status = no_memory(error);
    for (const dq_column *c = checkpoint->columns;
         !status && c < checkpoint->columns + checkpoint->column_count; c++) {
        if (strncmp(c->name, prefix, PREFIX) != 0) continue;
        if (dq_dtype_size(c->type) == 0)
            return dq_fail(error, DQ_ERR_SCHEMA, "the checkpoint's best model has a column of texts");
        status = dq_bundle_add_tensor(kept, c->name + PREFIX, c->type, c->dims, c->shape, c->data, error);
    }
    return status;
}

/* What is kept is written at the run's end without another look: it must be a model now, with its actions. */
static dq_status check_model(const dq_bundle *kept, const dq_agent *agent, dq_error *error)
{
    dq_agent *tried = NULL;
    const dq_env_spec *shape = &agent->shape;
    uint64_t numbers = (uint64_t)shape->action_count * shape->action_width;
    const dq_column *column;
    dq_status status = dq_agent_of_model(&tried, kept, shape, agent->pool, error);
    dq_agent_free(tried);
    if (!status && numbers && !agent->numbered)
        status = dq_record_find(kept, "actions", DQ_F4, &numbers, &column, error);
    return status;
}

dq_status dq_kept_restore(dq_bundle *kept, const dq_agent *agent, const dq_bundle *checkpoint,
                          dq_error *error)
{
    const dq_value *meta = dq_map_get(&checkpoint->meta, "best");
    dq_bundle_free(kept);
    if (!meta) return DQ_OK;
    if (meta->type != DQ_MAP) return dq_fail(error, DQ_ERR_SCHEMA, "the checkpoint's best model is none");
    dq_status status = borrow(kept, meta, checkpoint, error);
    if (!status) status = own_columns(kept, error);
    if (!status) status = check_model(kept, agent, error);
    if (status) dq_bundle_free(kept);
    return status;
}
