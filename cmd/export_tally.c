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

void export_report(const export_tally *tally, const dq_cli *cli, const dq_common *common)
{
    uint64_t all = 0;
    char text[2048];
    size_t used = 0;
    for (int i = 1; i < EXPORT_FAULTS && used < sizeof text; i++) {
        uint64_t count = tally->faults[i].count;
        if (!count) continue;
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "%s%" PRIu64 " %s (first: %s%sline %" PRIu64 ")", all ? ", " : "", count,
                                 words[i], tally->named ? tally->faults[i].source : "",
                                 tally->named ? " " : "", tally->faults[i].record);
        all += count;
    }
    if (all) dq_cli_say(cli, common, "%s: %" PRIu64 " skipped: %s", tally->what, all, text);
}

bool export_selects_all(const export_selection *selection)
{
    return selection->ids.count == 0 && selection->limit == UINT64_MAX;
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
