/* SPDX-License-Identifier: MIT */
#include "import/import.h"

#include <stdio.h>
#include <string.h>

dq_status dq_import_skip(dq_import_tally *tally, dq_import_fault fault, dq_error *error)
{
    if (tally->strict || error->status == DQ_ERR_MEMORY) return error->status;
    if (tally->faults[fault].count++ == 0) {
        tally->faults[fault].record = error->record;
        memcpy(tally->faults[fault].source, error->source, sizeof error->source);
    }
    *error = DQ_ERROR_NONE;
    return DQ_OK;
}

void dq_import_locate_id(const char *name, const dq_import_id *id, dq_error *error)
{
    char text[256];
    (void)snprintf(text, sizeof text, "%.80s '%.*s'", name, id->bytes < 64 ? (int)id->bytes : 64, id->text);
    dq_error_at(error, text, DQ_NO_RECORD);
}

void dq_import_locate(const dq_documents *documents, const dq_value *document, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_error none = DQ_ERROR_NONE;
    dq_import_id id;
    if (documents->record == DQ_NO_RECORD &&
        !dq_import_read_id(dq_map_get(document, "_id"), &arena, &id, &none))
        dq_import_locate_id(documents->name, &id, error);
    dq_error_at(error, documents->name, documents->record);
    dq_arena_free(&arena);
}

bool dq_import_selects_all(const dq_import_selection *selection)
{
    return selection->id_count == 0 && selection->limit == UINT64_MAX && !selection->where;
}

static bool is(const char *text, const char *id, size_t bytes)
{
    return strlen(text) == bytes && memcmp(text, id, bytes) == 0;
}

bool dq_import_selects(const dq_import_selection *selection, const dq_import_id *id)
{
    for (size_t i = 0; i < selection->id_count; i++)
        if (is(selection->ids[i], id->text, id->bytes)) return true;
    return selection->id_count == 0;
}

dq_status dq_import_check_selection(const dq_import_selection *selection, const char *what,
                                    const dq_index *ids, dq_error *error)
{
    for (size_t i = 0; i < selection->id_count; i++) {
        const char *id = selection->ids[i];
        if (dq_index_find(ids, id, strlen(id)) == DQ_ABSENT)
            return dq_fail(error, DQ_ERR_UNKNOWN, "no %s '%s'", what, id);
    }
    return DQ_OK;
}
