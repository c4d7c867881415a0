/* SPDX-License-Identifier: MIT */
#include "data/transitions.h"

#include <stdlib.h>
#include <string.h>

/* Renumbers a copied column in place. The copy is ours to write to, though columns say const. */
static dq_status renumber(dq_column *c, const dq_entities *entities, dq_error *error)
{
    uint64_t n = c->shape[0] * dq_column_width(c);
    uint32_t *small = (uint32_t *)c->data;
    uint64_t *large = (uint64_t *)c->data;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t row;
        if (dq_column_is_null(c, i)) continue; /* what stands under a null refers to nothing */
        dq_status status = dq_entities_resolve(entities, c->type == DQ_U4 ? small[i] : large[i], &row, error);
        if (status) return status;
        if (c->type == DQ_U4)
            small[i] = row;
        else
            large[i] = row;
    }
    return DQ_OK;
}

static dq_status renumber_all(dq_bundle *bundle, const dq_catalogue *catalogue, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < bundle->column_count; i++) {
        dq_column *c = &bundle->columns[i];
        if (!c->ref) continue;
        bool numbers = c->type == DQ_U4 || c->type == DQ_U8;
        if (numbers && strcmp(c->ref, DQ_KIND_USERS) == 0)
            status = renumber(c, &catalogue->users, error);
        else if (numbers && strcmp(c->ref, DQ_KIND_ITEMS) == 0)
            status = renumber(c, &catalogue->items, error);
        else if (catalogue->section > 0)
            status = dq_fail(error, DQ_ERR_UNSUPPORTED, "transitions: column %s refers to %s across sections",
                             c->name, c->ref);
    }
    return status;
}

uint32_t *dq_transitions_rows(const dq_bundle *transitions, const char *column)
{
    const dq_column *c = dq_bundle_column(transitions, column);
    uint32_t *rows = malloc((size_t)transitions->rows * sizeof *rows + 1);
    for (uint64_t r = 0; rows && r < transitions->rows; r++) rows[r] = (uint32_t)dq_column_number(c, r);
    return rows;
}

/* The rows for which user[r] is the wanted one, or all when user is NULL. */
static dq_status select_rows(dq_bundle *to, const dq_bundle *from, const uint32_t *user, uint32_t wanted,
                             dq_error *error)
{
    uint32_t *rows = malloc((size_t)from->rows * sizeof *rows + 1);
    size_t count = 0;
    if (!rows) return dq_fail_memory(error, "transitions");
    for (uint64_t r = 0; r < from->rows; r++)
        if (!user || user[r] == wanted) rows[count++] = (uint32_t)r;
    dq_status status = dq_bundle_select(to, from, rows, count, error);
    free(rows);
    return status;
}

dq_status dq_transitions_carry(dq_bundle *to, const dq_bundle *from, const dq_catalogue *catalogue,
                               dq_error *error)
{
    *to = DQ_BUNDLE_EMPTY;
    if (!dq_bundle_column(from, "user") || !dq_bundle_column(from, "item"))
        return dq_fail(error, DQ_ERR_UNSUPPORTED, "transitions without references to users and items");
    dq_status status = select_rows(to, from, NULL, 0, error);
    if (!status) status = renumber_all(to, catalogue, error);
    if (status) dq_bundle_free(to);
    return status;
}

dq_status dq_transitions_of(dq_bundle *to, const dq_bundle *from, uint32_t user, dq_error *error)
{
    uint32_t *users = dq_transitions_rows(from, "user");
    if (!users) return dq_fail_memory(error, "transitions");
    dq_status status = select_rows(to, from, users, user, error);
    free(users);
    return status;
}
