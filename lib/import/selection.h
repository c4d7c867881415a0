/* SPDX-License-Identifier: MIT
 *
 * Selects users or items by id, filter and limit, and keeps the ids of those that were written, which
 * interactions refer to.
 */
#ifndef DQ_IMPORT_SELECTION_H
#define DQ_IMPORT_SELECTION_H

#include "core/index.h"
#include "import/value.h"

/* These ids (all when there are none) of what the filter lets through, and at most limit rows. The ids are
 * gone through one by one: they are meant to be few. */
typedef struct dq_import_selection {
    const char *const *ids; /* (id_count) */
    size_t id_count;
    const char *where; /* a database's filter, or NULL */
    uint64_t limit;    /* UINT64_MAX: none */
} dq_import_selection;

/* Whether the id is one of those that are wanted, whatever its kind. */
bool dq_import_selects(const dq_import_selection *selection, const dq_import_id *id);
/* DQ_ERR_UNKNOWN ("no user 'u9'") unless every id of the selection is in the index. */
dq_status dq_import_check_selection(const dq_import_selection *selection, const char *noun,
                                    const dq_index *ids, dq_error *error);

/* The users or items that left. */
typedef struct dq_import_chosen {
    const dq_import_selection *selection; /* borrowed */
    const char *noun;                     /* "user" or "item" */
    dq_import_fault unknown;              /* what an interaction has whose end was never there */
    dq_index ids;                         /* in the order in which they left */
} dq_import_chosen;

/* None yet, of a kind ("users" or "items"); dq_index_free of the ids when they are not needed any more. */
dq_import_chosen dq_import_chosen_of(const char *kind, const dq_import_selection *selection);

/* The place of an interaction's end among them, DQ_ABSENT when it did not leave. That is a fault only where
 * all were wanted: then it was never there, or was passed over. */
dq_import_fault dq_import_chosen_find(const dq_import_chosen *chosen, const dq_import_id *id, uint32_t *place,
                                      dq_error *error);

#endif
