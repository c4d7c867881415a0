/* SPDX-License-Identifier: MIT */
#include "import/tally.h"

#include <stdio.h>
#include <string.h>

dq_status dq_import_skip(dq_import_tally *tally, dq_import_fault fault, dq_error *error)
{
    bool blameless = error->status == DQ_ERR_MEMORY || error->status == DQ_ERR_RANGE;
    if (tally->strict || blameless) return error->status;
    if (tally->faults[fault].count++ == 0) {
        tally->faults[fault].record = error->record;
        memcpy(tally->faults[fault].source, error->source, sizeof error->source);
    }
    *error = DQ_ERROR_NONE;
    return DQ_OK;
}

void dq_import_locate_id(const char *collection, const dq_import_id *id, dq_error *error)
{
    char text[256];
    (void)snprintf(text, sizeof text, "%.80s '%.*s'", collection, id->bytes < 64 ? (int)id->bytes : 64,
                   id->text);
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
