/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const fault_words[DQ_IMPORT_FAULTS] = {
    [DQ_IMPORT_MALFORMED] = "malformed",       [DQ_IMPORT_NO_ID] = "without a usable id",
    [DQ_IMPORT_MISSING] = "missing field",     [DQ_IMPORT_MISTYPED] = "wrong type",
    [DQ_IMPORT_WIDTH] = "wrong width",         [DQ_IMPORT_NOT_FINITE] = "not finite",
    [DQ_IMPORT_DUPLICATE] = "duplicate id",    [DQ_IMPORT_UNMATCHED] = "not in every collection",
    [DQ_IMPORT_UNKNOWN_USER] = "unknown user", [DQ_IMPORT_UNKNOWN_ITEM] = "unknown item",
};

/* Where a fault was first seen: a line, of a source that is named where there are several; or what the source
 * is where it has no lines. */
static size_t print_place(const dq_import_tally *tally, dq_import_fault fault, bool named, char *to,
                          size_t size)
{
    const char *source = tally->faults[fault].source;
    uint64_t record = tally->faults[fault].record;
    if (record == DQ_NO_RECORD) return (size_t)snprintf(to, size, "%s", source);
    return (size_t)snprintf(to, size, "%s%sline %" PRIu64, named ? source : "", named ? " " : "", record);
}

static void report(const dq_cli *cli, const dq_common *common, const char *kind, const dq_import_tally *tally,
                   bool named)
{
    uint64_t all = 0;
    char text[2048];
    size_t used = 0;
    for (int i = 1; i < DQ_IMPORT_FAULTS && used < sizeof text; i++) {
        uint64_t count = tally->faults[i].count;
        if (!count) continue;
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "%s%" PRIu64 " %s (first: ", all ? ", " : "", count, fault_words[i]);
        if (used < sizeof text)
            used += print_place(tally, (dq_import_fault)i, named, text + used, sizeof text - used);
        if (used < sizeof text) used += (size_t)snprintf(text + used, sizeof text - used, ")");
        all += count;
    }
    if (all) dq_cli_say(cli, common, "%s: %" PRIu64 " skipped: %s", kind, all, text);
}

void export_report(const dq_cli *cli, const export_options *o)
{
    bool joined = o->schema != NULL; /* from several collections */
    report(cli, &o->common, "users", &o->request.users.tally, joined);
    report(cli, &o->common, "interactions", &o->request.interaction_tally, false);
    report(cli, &o->common, "items", &o->request.items.tally, joined);
}
