/* SPDX-License-Identifier: MIT */
#include "data/describe.h"

#include "data/model_items.h"

static dq_status name_items(const dq_entities *entities, dq_bundle *model, dq_error *error)
{
    const dq_vectors vectors = dq_entities_vectors(entities);
    dq_model_items items = {0};
    dq_status status = dq_model_items_take(&items, &entities->identity.ids, &vectors, error);
    if (!status) status = dq_model_items_save(&items, model, error);
    dq_model_items_free(&items);
    return status;
}

dq_status dq_describe_catalogue(const dq_catalogue *c, bool items, dq_bundle *model, dq_error *error)
{
    dq_value layout;
    dq_status status = dq_layout_value(c->users.fields, c->users.field_count, c->items.fields,
                                       c->items.field_count, &model->arena, &layout, error);
    if (status) return status;
    if (!dq_map_set(&model->arena, &model->meta, "layout", layout)) return dq_fail_memory(error, "a model");
    return items ? name_items(&c->items, model, error) : DQ_OK;
}

dq_status dq_describe_as(const dq_bundle *other, uint32_t actions, dq_bundle *model, dq_error *error)
{
    static const char *const names[] = {"layout", "sessions"};
    dq_model_items items = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const dq_value *value = dq_map_get(&other->meta, names[i]);
        dq_value copy;
        if (value && !(dq_value_copy(&model->arena, value, &copy) &&
                       dq_map_set(&model->arena, &model->meta, names[i], copy)))
            return dq_fail_memory(error, "a model");
    }
    dq_status status = dq_model_items_load(&items, other, actions, error);
    if (!status) status = dq_model_items_save(&items, model, error);
    dq_model_items_free(&items);
    return status;
}
