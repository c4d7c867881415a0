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

typedef enum dq_import_way { DQ_IMPORT_WHOLE, DQ_IMPORT_MERGED, DQ_IMPORT_LOOKED_UP } dq_import_way;

/* An entity in the making. */
typedef struct dq_import_row {
    dq_import_entity entity;
    float *vector;   /* entity.vector, writable */
    uint64_t record; /* of its document in the first collection */
    uint32_t parts;  /* bit p: part p has been read */
    bool bad;        /* one of its documents was passed over: counted already */
} dq_import_row;

/* A part's documents, one in hand. */
typedef struct dq_import_reader {
    dq_documents documents;
    dq_query query;
    dq_arena asked;     /* of the query */
    bool open, waiting; /* waiting: the document in hand has not been taken yet */
    dq_value document;
    dq_import_id id;
    dq_arena arena;    /* of the document in hand */
    dq_import_id last; /* of the document before, where the order matters */
    char *last_text;
} dq_import_reader;

typedef struct dq_import_entities {
    const char *noun, *kind;
    const dq_import_entities_mapping *mapping;
    const dq_import_selection *selection;
    dq_import_tally *tally;
    dq_collections *place;
    dq_import_way way;
    dq_import_reader *readers; /* (parts) */
    const char **ids_wanted;   /* NULL-ended: the selection's */
    bool ended;                /* part 0 has no more */
    /* this batch */
    dq_index ids; /* row of `rows` */
    dq_import_row *rows;
    size_t count, slots;
    uint32_t *order; /* (chosen) rows that leave, by id */
    size_t chosen;
    dq_arena arena; /* what the rows keep */
    /* all of them */
    bool keeps_ids;
    dq_index left; /* ids that left, in order, when they are kept */
    uint64_t left_count;
} dq_import_entities;

/* ---- rows (join.c) ---- */

/* Reads a document of part p, known by its id, into its row: a new one for part 0. */
dq_import_fault dq_import_join(dq_import_entities *side, size_t p, const dq_value *document,
                               const dq_import_id *id, dq_arena *arena, uint64_t record, dq_error *error);
/* Marks, and passes over, the rows that lack a document. */
dq_status dq_import_join_check(dq_import_entities *side, dq_error *error);
/* Forgets the rows. */
void dq_import_join_clear(dq_import_entities *side);

/* ---- batches (entities.c) ---- */

dq_status dq_import_entities_open(dq_import_entities *side, dq_error *error);
/* Writes every row that leaves; without a target they are only counted and their ids kept. A side that came
 * whole can be written again. */
dq_status dq_import_entities_run(dq_import_entities *side, const dq_import_target *target, dq_error *error);
/* Releases all but the ids that left. */
void dq_import_entities_close(dq_import_entities *side);

/* ---- interactions (interactions.c) ---- */

/* Those between users and items that leave, in the order of these. */
dq_status dq_import_write_interactions(dq_import_request *request, const dq_import_mapping *mapping,
                                       dq_documents *documents, const dq_import_entities *users,
                                       const dq_import_entities *items, dq_error *error);

#endif
