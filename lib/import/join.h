/* SPDX-License-Identifier: MIT
 *
 * Documents of several collections, joined into rows. Joining goes by the id's text, so that an id kept as a
 * string in one collection meets the same ObjectId in another.
 */
#ifndef DQ_IMPORT_JOIN_H
#define DQ_IMPORT_JOIN_H

#include "core/index.h"
#include "import/mapping.h"
#include "import/tally.h"

/* An entity in the making. */
typedef struct dq_import_row {
    dq_import_entity entity; /* in the join's arena */
    float *vector;           /* entity.vector, writable */
    uint64_t record;         /* of its document in the first collection */
    uint32_t parts;          /* bit p: part p has been read */
    bool bad;                /* one of its documents was passed over: counted already */
} dq_import_row;

/* Rows as their first documents came. Initialise with the mapping alone. */
typedef struct dq_import_join {
    const dq_import_entities_mapping *mapping; /* borrowed */
    dq_import_row *rows;                       /* (count) */
    size_t count, slots;
    dq_index ids; /* row of each id */
    dq_arena arena;
} dq_import_join;

/* Adds a document of part p, known by its id, to its row: a new one for part 0. `arena` is for what is
 * forgotten after the call, `record` the document's. DQ_IMPORT_UNMATCHED where part 0 has no such id,
 * DQ_IMPORT_DUPLICATE where part p had it before (the first one stays good); any other fault makes the row
 * bad. */
dq_import_fault dq_import_join_add(dq_import_join *join, size_t p, const dq_value *document,
                                   const dq_import_id *id, dq_arena *arena, uint64_t record, dq_error *error);

/* Marks as bad, and counts, the rows that lack a document of some part ("user 'u2' is not in ..."). */
dq_status dq_import_join_check(dq_import_join *join, const char *noun, dq_import_tally *tally,
                               dq_error *error);

/* Forgets the rows. */
void dq_import_join_clear(dq_import_join *join);
void dq_import_join_free(dq_import_join *join);

#endif
