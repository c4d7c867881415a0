/* SPDX-License-Identifier: MIT */
#include "export.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const words[EXPORT_FAULTS] = {
    [EXPORT_MALFORMED] = "malformed",       [EXPORT_NO_ID] = "without a usable id",
    [EXPORT_MISSING] = "missing field",     [EXPORT_MISTYPED] = "wrong type",
    [EXPORT_WIDTH] = "wrong width",         [EXPORT_NOT_FINITE] = "not finite",
    [EXPORT_DUPLICATE] = "duplicate id",    [EXPORT_UNMATCHED] = "not in every collection",
    [EXPORT_UNKNOWN_USER] = "unknown user", [EXPORT_UNKNOWN_ITEM] = "unknown item",
};

dq_status export_skip(export_tally *tally, export_fault fault, dq_error *error)
{
    if (tally->strict || error->status == DQ_ERR_MEMORY) return error->status;
    if (tally->faults[fault].count++ == 0) {
        tally->faults[fault].record = error->record;
        memcpy(tally->faults[fault].source, error->source, sizeof error->source);
    }
    *error = DQ_ERROR_NONE;
    return DQ_OK;
}

void export_locate_id(const char *name, const export_id *id, dq_error *error)
{
    char text[256];
    (void)snprintf(text, sizeof text, "%.80s '%.*s'", name, id->bytes < 64 ? (int)id->bytes : 64, id->text);
    dq_error_at(error, text, DQ_NO_RECORD);
}

void export_locate(const dq_documents *documents, const dq_value *document, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_error none = DQ_ERROR_NONE;
    export_id id;
    if (documents->record == DQ_NO_RECORD && !export_read_id(dq_map_get(document, "_id"), &arena, &id, &none))
        export_locate_id(documents->name, &id, error);
    dq_error_at(error, documents->name, documents->record);
    dq_arena_free(&arena);
}

/* A line of a source, named where there are several; or what the source is where it has no lines. */
static size_t print_place(const export_tally *tally, export_fault fault, char *to, size_t size)
{
    const char *source = tally->faults[fault].source;
    uint64_t record = tally->faults[fault].record;
    if (record == DQ_NO_RECORD) return (size_t)snprintf(to, size, "%s", source);
    return (size_t)snprintf(to, size, "%s%sline %" PRIu64, tally->named ? source : "",
                            tally->named ? " " : "", record);
}

void export_report(const export_tally *tally, const dq_cli *cli, const dq_common *common)
{
    uint64_t all = 0;
    char text[2048];
    size_t used = 0;
    for (int i = 1; i < EXPORT_FAULTS && used < sizeof text; i++) {
        uint64_t count = tally->faults[i].count;
        if (!count) continue;
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "%s%" PRIu64 " %s (first: ", all ? ", " : "", count, words[i]);
        if (used < sizeof text) used += print_place(tally, (export_fault)i, text + used, sizeof text - used);
        if (used < sizeof text) used += (size_t)snprintf(text + used, sizeof text - used, ")");
        all += count;
    }
    if (all) dq_cli_say(cli, common, "%s: %" PRIu64 " skipped: %s", tally->what, all, text);
}

bool export_selects_all(const export_selection *selection)
{
    return selection->ids.count == 0 && selection->limit == UINT64_MAX && !selection->where;
}

static bool is(const char *text, const char *id, size_t bytes)
{
    return strlen(text) == bytes && memcmp(text, id, bytes) == 0;
}

bool export_selected(const export_selection *selection, const export_id *id)
{
    for (size_t i = 0; i < selection->ids.count; i++)
        if (is(selection->ids.at[i], id->text, id->bytes)) return true;
    return selection->ids.count == 0;
}

dq_status export_check_selection(const export_selection *selection, const char *what, const dq_index *ids,
                                 dq_error *error)
{
    for (size_t i = 0; i < selection->ids.count; i++) {
        const char *id = selection->ids.at[i];
        if (dq_index_find(ids, id, strlen(id)) == DQ_ABSENT)
            return dq_fail(error, DQ_ERR_UNKNOWN, "no %s '%s'", what, id);
    }
    return DQ_OK;
}
