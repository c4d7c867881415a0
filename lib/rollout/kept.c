/* SPDX-License-Identifier: MIT */
#include "rollout/kept.h"

#include "dq/schema.h"

#include <stdio.h>
#include <string.h>

static const char prefix[] = "best.";
enum { PREFIX = sizeof prefix - 1, MAX_NAME = 120 };

/* Columns of `from` whose names begin with `skip` bytes that are left out, copied when asked to. */
static dq_status add(dq_bundle *to, const dq_column *c, const char *name, bool copy, dq_error *error)
{
    const void *data = c->data;
    if (copy) {
        void *own = dq_arena_take(&to->arena, c->bytes);
        if (!own) return dq_fail_memory(error, "the best model");
        if (c->bytes) memcpy(own, c->data, c->bytes);
        data = own;
    }
    return dq_bundle_add_tensor(to, name, c->type, c->dims, c->shape, data, error);
}

static dq_status begin(dq_bundle *to, const dq_value *meta, dq_error *error)
{
    dq_status status = dq_bundle_init(to, DQ_KIND_MODEL, 0, error);
    if (!status && !dq_value_copy(&to->arena, meta, &to->meta))
        status = dq_fail_memory(error, "the best model");
    return status;
}

dq_status dq_kept_set(dq_bundle *to, const dq_bundle *model, dq_error *error)
{
    dq_bundle_free(to);
    dq_status status = begin(to, &model->meta, error);
    for (size_t i = 0; !status && i < model->column_count; i++)
        status = add(to, &model->columns[i], model->columns[i].name, true, error);
    if (status) dq_bundle_free(to);
    return status;
}

dq_status dq_kept_get(const dq_bundle *kept, dq_bundle *model, dq_error *error)
{
    dq_status status = begin(model, &kept->meta, error);
    for (size_t i = 0; !status && i < kept->column_count; i++)
        status = add(model, &kept->columns[i], kept->columns[i].name, false, error);
    return status;
}

dq_status dq_kept_save(const dq_bundle *kept, dq_bundle *checkpoint, dq_error *error)
{
    dq_value meta;
    if (!kept->kind) return DQ_OK;
    if (!dq_value_copy(&checkpoint->arena, &kept->meta, &meta) ||
        !dq_map_set(&checkpoint->arena, &checkpoint->meta, "best", meta))
        return dq_fail_memory(error, "the best model");
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < kept->column_count; i++) {
        char name[PREFIX + MAX_NAME];
        if (snprintf(name, sizeof name, "%s%s", prefix, kept->columns[i].name) >= (int)sizeof name)
            return dq_fail(error, DQ_ERR_RANGE, "a column's name is too long for a checkpoint");
        status = add(checkpoint, &kept->columns[i], name, false, error);
    }
    return status;
}

dq_status dq_kept_restore(dq_bundle *kept, const dq_bundle *checkpoint, dq_error *error)
{
    const dq_value *meta = dq_map_get(&checkpoint->meta, "best");
    dq_bundle_free(kept);
    if (!meta) return DQ_OK;
    if (meta->type != DQ_MAP) return dq_fail(error, DQ_ERR_SCHEMA, "the checkpoint's best model is none");
    dq_status status = begin(kept, meta, error);
    for (size_t i = 0; !status && i < checkpoint->column_count; i++) {
        const dq_column *c = &checkpoint->columns[i];
        if (strncmp(c->name, prefix, PREFIX) != 0) continue;
        if (dq_dtype_size(c->type) == 0)
            status = dq_fail(error, DQ_ERR_SCHEMA, "the checkpoint's best model has a column of texts");
        else
            status = add(kept, c, c->name + PREFIX, true, error);
    }
    if (status) dq_bundle_free(kept);
    return status;
}
