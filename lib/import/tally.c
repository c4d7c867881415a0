/* SPDX-License-Identifier: MIT */
#include "import/tally.h"

#include "core/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

dq_status dq_import_skip(dq_import_tally *tally, dq_import_fault fault, dq_error *error)
{
    bool blameless = error->status == DQ_ERR_MEMORY || error->status == DQ_ERR_RANGE;
    if (tally->strict && fault == DQ_IMPORT_NOT_UTF8)
        dq_fail(error, error->status, "not UTF-8; " DQ_UTF8_ADVICE);
    if (tally->strict || blameless) return error->status;
    if (!tally->first) tally->first = fault;
    if (tally->faults[fault].count++ == 0) {
        tally->faults[fault].record = error->record;
        memcpy(tally->faults[fault].source, error->source, sizeof error->source);
        memcpy(tally->faults[fault].reason, error->reason, sizeof error->reason);
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

static const char *const fault_words[DQ_IMPORT_FAULTS] = {
    [DQ_IMPORT_MALFORMED] = "malformed",
    [DQ_IMPORT_NOT_UTF8] = "not UTF-8",
    [DQ_IMPORT_NO_ID] = "without a usable id",
    [DQ_IMPORT_MISSING] = "missing field",
    [DQ_IMPORT_MISTYPED] = "wrong type",
    [DQ_IMPORT_WIDTH] = "wrong width",
    [DQ_IMPORT_NOT_FINITE] = "not finite",
    [DQ_IMPORT_DUPLICATE] = "duplicate id",
    [DQ_IMPORT_UNMATCHED] = "not in every collection",
    [DQ_IMPORT_UNKNOWN_USER] = "unknown user",
    [DQ_IMPORT_UNKNOWN_ITEM] = "unknown item",
    [DQ_IMPORT_NO_TIME] = "time of another form",
    [DQ_IMPORT_PROPENSITY] = "impossible propensity",
    [DQ_IMPORT_POSITION] = "impossible position",
    [DQ_IMPORT_REWARD] = "reward outside of the scale",
    [DQ_IMPORT_FEEDBACK] = "unclear feedback",
};

/* The first row's reason; of one that is not UTF-8 the way out. */
static const char *reason_of(const dq_import_tally *tally, dq_import_fault fault)
{
    return fault == DQ_IMPORT_NOT_UTF8 ? DQ_UTF8_ADVICE : tally->faults[fault].reason;
}

static uint64_t count_faults(const dq_import_tally *tally)
{
    uint64_t all = 0;
    for (int i = 1; i < DQ_IMPORT_FAULTS; i++) all += tally->faults[i].count;
    return all;
}

dq_status dq_import_check_used(const dq_import_tally *tally, const char *source, const char *kind,
                               const char *more, dq_error *error)
{
    dq_import_fault first = tally->first;
    uint64_t skipped = count_faults(tally);
    if (tally->used || (!skipped && !tally->others)) return DQ_OK;
    if (!first) {
        dq_fail(error, DQ_ERR_SCHEMA, "no %s: all rows (%" PRIu64 ") say they are of another kind", kind,
                tally->others);
        return dq_error_at(error, source, DQ_NO_RECORD);
    }
    dq_fail(error, DQ_ERR_SCHEMA, "no %s: none of the rows (%" PRIu64 ") can be used; the first: %s%s%s%s",
            kind, skipped, first == DQ_IMPORT_NOT_UTF8 ? "not UTF-8; " : "", reason_of(tally, first),
            more ? "; " : "", more ? more : "");
    return dq_error_at(error, tally->faults[first].source, tally->faults[first].record);
}

/* Where a fault was first seen: a line, of a source that is named where there are several; or what the source
 * is where it has no lines. Then why. */
static size_t print_first(const dq_import_tally *tally, dq_import_fault fault, bool named, char *to,
                          size_t size)
{
    enum { REASON = 160 }; /* several share a line */
    const char *source = tally->faults[fault].source, *reason = reason_of(tally, fault);
    uint64_t record = tally->faults[fault].record;
    const char *cut = strlen(reason) > REASON ? "..." : "";
    if (record == DQ_NO_RECORD) return (size_t)snprintf(to, size, "%s: %.*s%s", source, REASON, reason, cut);
    return (size_t)snprintf(to, size, "%s%sline %" PRIu64 ": %.*s%s", named ? source : "", named ? " " : "",
                            record, REASON, reason, cut);
}

uint64_t dq_import_describe(const dq_import_tally *tally, bool named, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 1; i < DQ_IMPORT_FAULTS && used < size; i++) {
        uint64_t count = tally->faults[i].count;
        if (!count) continue;
        used += (size_t)snprintf(text + used, size - used, "%s%" PRIu64 " %s (first: ", used ? ", " : "",
                                 count, fault_words[i]);
        if (used < size) used += print_first(tally, (dq_import_fault)i, named, text + used, size - used);
        if (used < size) used += (size_t)snprintf(text + used, size - used, ")");
    }
    return count_faults(tally);
}
