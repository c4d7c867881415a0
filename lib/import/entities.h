/* SPDX-License-Identifier: MIT
 *
 * One side of a catalogue (users, or items), put together from its collections a batch at a time.
 *
 *     part 0     a batch of documents, each a row                   entities.c
 *     parts 1..  their documents for those rows                     entities.c
 *     rows       texts, attributes, vectors of the documents        join.c
 *     chosen     those that leave, in the order of their ids        entities.c
 *
 * Three ways lead from the rows of a batch to their other documents:
 *   whole      one batch has everything; the order of documents does not matter. A folder, and a database
 * whose ids are of several kinds, for "7" and 7 are one id and lie apart there. merged     every collection
 * comes sorted by id: each is read once, up to the last id of the batch. looked up  only some rows are
 * wanted: the others' documents are asked for by their ids.
 */
#ifndef DQ_IMPORT_ENTITIES_H
#define DQ_IMPORT_ENTITIES_H

#include "import/import.h"

typedef enum export_way { EXPORT_WHOLE, EXPORT_MERGED, EXPORT_LOOKED_UP } export_way;

/* An entity in the making. */
typedef struct export_row {
    export_entity entity;
    float *vector;   /* entity.vector, writable */
    uint64_t record; /* of its document in the first collection */
    uint32_t parts;  /* bit p: part p has been read */
    bool bad;        /* one of its documents was passed over: counted already */
} export_row;

/* A part's documents, one in hand. */
typedef struct export_reader {
    dq_documents documents;
    dq_query query;
    dq_arena asked;     /* of the query */
    bool open, waiting; /* waiting: the document in hand has not been taken yet */
    dq_value document;
    export_id id;
    dq_arena arena; /* of the document in hand */
    export_id last; /* of the document before, where the order matters */
    char *last_text;
} export_reader;

typedef struct export_side {
    const char *noun, *kind;
    const export_side_schema *schema;
    const export_selection *pick;
    export_tally *tally;
    dq_collections *place;
    export_way way;
    export_reader *readers;  /* (parts) */
    const char **ids_wanted; /* NULL-ended: the selection's */
    bool ended;              /* part 0 has no more */
    /* this batch */
    dq_index ids; /* row of `rows` */
    export_row *rows;
    size_t count, slots;
    uint32_t *order; /* (chosen) rows that leave, by id */
    size_t chosen;
    dq_arena arena; /* what the rows keep */
    /* all of them */
    bool keeps_ids;
    dq_index left; /* ids that left, in order, when they are kept */
    uint64_t left_count;
} export_side;

/* ---- rows (join.c) ---- */

/* Reads a document of part p, known by its id, into its row: a new one for part 0. */
export_fault export_join(export_side *side, size_t p, const dq_value *document, const export_id *id,
                         dq_arena *arena, uint64_t record, dq_error *error);
/* Marks, and passes over, the rows that lack a document. */
dq_status export_join_check(export_side *side, dq_error *error);
/* Forgets the rows. */
void export_join_clear(export_side *side);

/* ---- batches (entities.c) ---- */

dq_status export_side_open(export_side *side, dq_error *error);
/* Writes every row that leaves; without a target they are only counted and their ids kept. A side that came
 * whole can be written again. */
dq_status export_side_run(export_side *side, const export_target *target, dq_error *error);
/* Releases all but the ids that left. */
void export_side_close(export_side *side);

/* ---- interactions (interactions.c) ---- */

/* Those between users and items that leave, in the order of these. */
dq_status export_write_interactions(export_request *request, const export_schema *schema,
                                    dq_documents *documents, const export_side *users,
                                    const export_side *items, dq_error *error);

#endif
