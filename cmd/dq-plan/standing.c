/* SPDX-License-Identifier: MIT
 *
 * States where users stand: users, items and interactions of the stream, laid out as the model's states are.
 */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

dq_status plan_standing_begin(plan_standing *s, const dq_bundle *model, const dq_env_spec *shape,
                              dq_error *error)
{
    s->layout = shape->layout;
    if (s->layout.item_width == 0) return DQ_OK;
    dq_status status = dq_model_items_load(&s->learnt, model, shape->action_count, error);
    return status ? status : dq_session_log_as(&s->log, model, &s->layout, error);
}

dq_status plan_standing_take(plan_standing *s, dq_bundle *bundle, uint64_t section, dq_error *error)
{
    bool taken, interactions = strcmp(bundle->kind, DQ_KIND_INTERACTIONS) == 0;
    if (s->layout.item_width == 0) return DQ_OK;
    dq_status status = interactions ? dq_session_log_add(&s->log, bundle, error) : DQ_OK;
    return status ? status : dq_catalogue_add(&s->catalogue, bundle, section, &taken, error);
}

/* Items must be those that the model learnt, as far as it knows them. */
static dq_status check(const plan_standing *s, dq_error *error)
{
    const dq_catalogue *c = &s->catalogue;
    const dq_session_layout *l = &s->layout;
    const dq_vectors items = dq_entities_vectors(&c->items);
    if (c->users.width != l->user_width || c->items.width != l->item_width)
        return dq_fail(error, DQ_ERR_RANGE,
                       "the model was trained on users %u and items %u wide; the catalogue has users %u and "
                       "items %u wide",
                       l->user_width, l->item_width, c->users.width, c->items.width);
    return dq_model_items_match(&s->learnt, &c->items.identity.ids, &items, NULL, error);
}

dq_status plan_standing_put(plan_standing *s, plan_starts *to, dq_status (*put)(void *arg, dq_error *error),
                            void *arg, dq_error *error)
{
    uint32_t users = dq_entities_count(&s->catalogue.users);
    if (users == 0) return DQ_OK;
    dq_status status = dq_catalogue_finish(&s->catalogue, false, error);
    if (!status) status = check(s, error);
    if (!status) status = dq_session_log_of_catalogue(&s->log, &s->catalogue, &s->rows, error);
    uint32_t *before = status ? NULL : malloc((2 * s->log.count + 1) * sizeof *before);
    if (!status && !before) status = dq_fail_memory(error, "states");
    to->users = &s->catalogue.users.identity.ids;
    for (uint32_t u = 0; !status && u < users; u++) {
        size_t i = to->count++;
        const dq_session_place place = dq_session_rows_end(&s->rows, u, before);
        dq_session_state(&s->layout, &s->rows.items, &place, to->state + i * to->width);
        to->placed[i] = false;
        if (to->count == to->room) status = put(arg, error);
    }
    free(before);
    return status;
}

void plan_standing_free(plan_standing *s)
{
    dq_session_rows_free(&s->rows);
    dq_session_log_free(&s->log);
    dq_catalogue_free(&s->catalogue);
    dq_model_items_free(&s->learnt);
}
