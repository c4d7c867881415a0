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
static dq_status select_rows(dq_bundle *to, const dq_bundle *from, const uint32_t *user, const bool *wanted,
                             dq_error *error)
{
    uint32_t *rows = malloc((size_t)from->rows * sizeof *rows + 1);
    size_t count = 0;
    if (!rows) return dq_fail_memory(error, "transitions");
    for (uint64_t r = 0; r < from->rows; r++)
        if (!user || wanted[user[r]]) rows[count++] = (uint32_t)r;
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
    dq_status status = select_rows(to, from, NULL, NULL, error);
    if (!status) status = renumber_all(to, catalogue, error);
    if (status) dq_bundle_free(to);
    return status;
}

dq_status dq_transitions_of(dq_bundle *to, const dq_bundle *from, const bool *users, dq_error *error)
{
    uint32_t *rows = dq_transitions_rows(from, "user");
    if (!rows) return dq_fail_memory(error, "transitions");
    dq_status status = select_rows(to, from, rows, users, error);
    free(rows);
    return status;
}

/* ---- what was logged ---- */

/* A column's cells by the numbers of interactions, which mostly ascend. */
typedef struct cells {
    const dq_catalogue *catalogue;
    const char *name;
    size_t bundle;
    uint64_t first; /* interaction of the bundle */
} cells;

/* The column and row of an interaction's cell; NULL for a null, and where there is no such column. */
static const dq_column *find_cell(cells *c, uint32_t interaction, uint64_t *row)
{
    if (interaction == DQ_ABSENT) return NULL;
    if (interaction < c->first) c->bundle = c->first = 0;
    const dq_bundle *bundles = c->catalogue->interaction_bundles;
    while (interaction - c->first >= bundles[c->bundle].rows) c->first += bundles[c->bundle++].rows;
    const dq_column *column = dq_bundle_column(&bundles[c->bundle], c->name);
    *row = interaction - c->first;
    return column && !dq_column_is_null(column, *row) ? column : NULL;
}

static dq_status add_numbers(dq_bundle *to, cells *c, dq_dtype type, const uint32_t *interaction,
                             dq_error *error)
{
    bool any = false, wide = type == DQ_F8;
    size_t n = (size_t)to->rows;
    double *wides = wide ? dq_arena_zero(&to->arena, n + 1, sizeof *wides) : NULL;
    uint32_t *counts = wide ? NULL : dq_arena_zero(&to->arena, n + 1, sizeof *counts);
    uint8_t *nulls = dq_arena_zero(&to->arena, n + 1, 1);
    if (!nulls || (wide ? !wides : !counts)) return dq_fail_memory(error, "transitions");
    for (size_t i = 0; i < n; i++) {
        uint64_t row = 0;
        const dq_column *column = find_cell(c, interaction[i], &row);
        nulls[i] = !column;
        any |= column != NULL;
        double number = column ? dq_column_number(column, row) : 0;
        if (column && wide) wides[i] = number;
        if (!wide && number > UINT32_MAX)
            return dq_fail(error, DQ_ERR_RANGE, "interactions: a %s of %.0f is over 2^32 - 1", c->name,
                           number);
        if (!wide) counts[i] = (uint32_t)number;
    }
    if (!any) return DQ_OK;
    return dq_bundle_add_numbers(to, c->name, type, wide ? (const void *)wides : counts, NULL, nulls, error);
}

/* Moves the strings into the bundle's arena. */
static dq_status add_strings(dq_bundle *to, const char *name, const dq_strings *s, dq_error *error)
{
    uint32_t *offsets = dq_arena_take(&to->arena, (s->count + 1) * sizeof *offsets);
    char *data = dq_arena_take(&to->arena, s->bytes + 1);
    uint8_t *nulls = s->nulls ? dq_arena_take(&to->arena, s->count + 1) : NULL;
    if (!offsets || !data || (s->nulls && !nulls)) return dq_fail_memory(error, "transitions");
    memcpy(offsets, s->offsets, (s->count + 1) * sizeof *offsets);
    if (s->bytes) memcpy(data, s->data, s->bytes);
    if (nulls) memcpy(nulls, s->nulls, s->count);
    return dq_bundle_add_text(to, name, DQ_TEXT, offsets, data, nulls, error);
}

static dq_status add_texts(dq_bundle *to, cells *c, const uint32_t *interaction, dq_error *error)
{
    dq_strings strings = {0};
    bool any = false;
    dq_status status = DQ_OK;
    for (uint64_t i = 0; i < to->rows && !status; i++) {
        uint64_t row = 0;
        size_t n = 0;
        const dq_column *column = find_cell(c, interaction[i], &row);
        const char *text = column ? dq_column_text(column, row, &n) : NULL;
        any |= text != NULL;
        status = dq_strings_add(&strings, text, n, error);
    }
    if (!status && any) status = add_strings(to, c->name, &strings, error);
    dq_strings_free(&strings);
    return status;
}

static bool any_logged(const uint32_t *interaction, uint64_t rows)
{
    for (uint64_t i = 0; i < rows; i++)
        if (interaction[i] != DQ_ABSENT) return true;
    return false;
}

dq_status dq_transitions_add_logged(dq_bundle *to, const dq_catalogue *catalogue, const uint32_t *interaction,
                                    dq_error *error)
{
    if (!any_logged(interaction, to->rows)) return DQ_OK;
    cells propensity = {catalogue, "propensity", 0, 0}, position = {catalogue, "position", 0, 0},
          request = {catalogue, "request", 0, 0}, model = {catalogue, "model", 0, 0};
    dq_status status = add_numbers(to, &propensity, DQ_F8, interaction, error);
    if (!status) status = add_numbers(to, &position, DQ_U4, interaction, error);
    if (!status) status = add_texts(to, &request, interaction, error);
    return status ? status : add_texts(to, &model, interaction, error);
}
