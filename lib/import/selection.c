/* SPDX-License-Identifier: MIT */
#include "import/selection.h"

#include "dq/schema.h"

#include <string.h>

static bool selects_all(const dq_import_selection *selection)
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

dq_status dq_import_check_selection(const dq_import_selection *selection, const char *noun,
                                    const dq_index *ids, dq_error *error)
{
    for (size_t i = 0; i < selection->id_count; i++) {
        const char *id = selection->ids[i];
        if (dq_index_find(ids, id, strlen(id)) == DQ_ABSENT)
            return dq_fail(error, DQ_ERR_UNKNOWN, "no %s '%s'", noun, id);
    }
    return DQ_OK;
}

dq_import_chosen dq_import_chosen_of(const char *kind, const dq_import_selection *selection)
{
    bool users = strcmp(kind, DQ_KIND_USERS) == 0;
    return (dq_import_chosen){.selection = selection,
                              .noun = users ? "user" : "item",
                              .unknown = users ? DQ_IMPORT_UNKNOWN_USER : DQ_IMPORT_UNKNOWN_ITEM};
}

dq_import_fault dq_import_chosen_find(const dq_import_chosen *chosen, const dq_import_id *id, uint32_t *place,
                                      dq_error *error)
{
    *place = dq_index_find(&chosen->ids, id->text, id->bytes);
    if (*place != DQ_ABSENT || !selects_all(chosen->selection)) return DQ_IMPORT_FINE;
    dq_fail(error, DQ_ERR_UNKNOWN, "no %s '%.*s'", chosen->noun, (int)id->bytes, id->text);
    return chosen->unknown;
}
