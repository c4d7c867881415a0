/* SPDX-License-Identifier: MIT */
#include "rank/texts.h"

#include "core/array.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_column(const char *name)
{
    return strncmp(name, "text.", 5) == 0 || strncmp(name, "attr.", 5) == 0;
}

static const dq_column *prefixed(const dq_bundle *bundle, const char *prefix, const char *name)
{
    size_t n = strlen(prefix);
    for (size_t i = 0; i < bundle->column_count; i++) {
        const char *column = bundle->columns[i].name;
        if (strncmp(column, prefix, n) == 0 && strcmp(column + n, name) == 0) return &bundle->columns[i];
    }
    return NULL;
}

static const dq_column *column_of(const dq_bundle *bundle, const char *name)
{
    const dq_column *c = prefixed(bundle, "text.", name);
    if (!c) c = prefixed(bundle, "attr.", name);
    return c || !is_column(name) ? c : dq_bundle_column(bundle, name);
}

static dq_status take(dq_rank_text *text, const dq_bundle *bundle, const uint32_t *rows, uint32_t count,
                      dq_error *error)
{
    const dq_column *c = column_of(bundle, text->name);
    size_t at = text->values.count;
    if (c) text->found = true;
    if (!dq_array_reserve(&text->kinds, &text->kind_slots, at + count, sizeof *text->kinds))
        return dq_fail_memory(error, "the items' texts");
    for (uint32_t i = 0; i < count; i++) {
        size_t n = 0;
        const char *value = c && !dq_column_is_null(c, rows[i]) ? dq_column_text(c, rows[i], &n) : NULL;
        dq_status status = dq_strings_add(&text->values, value ? value : "", value ? n : 0, error);
        if (status) return status;
        text->kinds[at + i] = value ? (uint8_t)c->type : 0;
    }
    return DQ_OK;
}

dq_status dq_rank_texts_take(dq_rank_texts *texts, const dq_bundle *bundle, const uint32_t *rows,
                             uint32_t count, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t k = 0; count && !status && k < texts->count; k++)
        status = take(&texts->at[k], bundle, rows, count, error);
    return status;
}

dq_status dq_rank_texts_check(const dq_rank_texts *texts, dq_error *error)
{
    for (size_t k = 0; k < texts->count; k++)
        if (!texts->at[k].found)
            return dq_fail(error, DQ_ERR_UNKNOWN, "no item has a text or an attribute '%s'",
                           texts->at[k].name);
    return DQ_OK;
}

const char *dq_rank_texts_get(const dq_rank_texts *texts, size_t k, uint32_t number, size_t *bytes,
                              bool *json)
{
    const dq_rank_text *text = &texts->at[k];
    if (number >= text->values.count || text->kinds[number] == 0) return NULL;
    *json = text->kinds[number] == DQ_JSON;
    return dq_strings_get(&text->values, number, bytes);
}

void dq_rank_texts_free(dq_rank_texts *texts)
{
    for (size_t k = 0; k < texts->count; k++) {
        dq_strings_free(&texts->at[k].values);
        free(texts->at[k].kinds);
    }
}
