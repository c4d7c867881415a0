/* SPDX-License-Identifier: MIT
 *
 * The users or the items of a place with collections, put together by a mapping a batch at a time.
 *
 *     part 0     a batch of documents, each a row
 *     parts 1..  their documents for those rows                     into rows: import/join.h
 *     chosen     the rows that leave, in the order of their ids
 *
 * Three ways lead from the rows of a batch to their other documents:
 *   whole      one batch has everything; the order of documents does not matter. A place that grants no
 *              wishes, and one whose ids are of several kinds, for "7" and 7 are one id and lie apart there.
 *   merged     every collection comes sorted by id: each is read once, up to the last id of the batch.
 *   looked up  only some rows are wanted: the others' documents are asked for by their ids.
 */
#ifndef DQ_IMPORT_ENTITIES_H
#define DQ_IMPORT_ENTITIES_H

#include "import/mapping.h"
#include "import/selection.h"
#include "import/tally.h"

typedef struct dq_import_entities dq_import_entities;

/* Takes an entity, which lives until this returns; anything but DQ_OK ends the reading with that. */
typedef dq_status (*dq_import_take)(void *arg, const dq_import_entity *entity, dq_error *error);

/* Users or items (the kind says which) of a place. With keeps_ids the ids that leave are kept, which
 * interactions need. Kind, mapping, selection and place are borrowed. On failure *entities can still be
 * freed. */
dq_status dq_import_entities_new(dq_import_entities **entities, const char *kind, dq_collections *place,
                                 const dq_import_entities_mapping *mapping,
                                 const dq_import_selection *selection, bool keeps_ids, dq_error *error);

/* Reads them, and hands on those that leave (take may be NULL). Faulty documents are counted in the tally.
 * DQ_ERR_UNKNOWN where a wanted id is not there, DQ_ERR_FORMAT where a place breaks its promise of an order.
 * May be called again; what came whole is not read again. */
dq_status dq_import_entities_read(dq_import_entities *entities, dq_import_tally *tally, dq_import_take take,
                                  void *arg, dq_error *error);

/* What left in the last reading. The ids are there with keeps_ids. */
const dq_import_chosen *dq_import_entities_chosen(const dq_import_entities *entities);

/* Frees all but the ids that left; a later reading begins anew. */
void dq_import_entities_release(dq_import_entities *entities);
void dq_import_entities_free(dq_import_entities *entities);

#endif
