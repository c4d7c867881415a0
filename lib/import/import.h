/* SPDX-License-Identifier: MIT
 *
 * Users, items and interactions into a stream, from single files or from a place with collections. Documents
 * become entities (users, items) and interactions, these become blocks of columns.
 *
 *     single files (file/files.c; form.c, names.c)
 *       JSON; tables (file/table.c) ----- document.c --------> entity, interaction --+
 *       a log (port/files/obd.h) -------- document.c --------> entity, interaction --+
 *       .npy, .safetensors, and ids ----- array.c -----------> entity ---------------+
 *                                                                                    |
 *     collections by a mapping (collections.c, mapping.c)                            +--> block.c
 *       folder, database -- reader.c, join.c, entities.c ----> entity ---------------+    to a dq_writer
 *                       \-- interactions.c ------------------> interaction ----------+
 *
 * Values of documents are read in value.c; what a single document lacks is a fault, which tally.c counts.
 */
#ifndef DQ_IMPORT_IMPORT_H
#define DQ_IMPORT_IMPORT_H

#include "import/block.h"
#include "import/form.h"
#include "import/interactions.h"
#include "import/mapping.h"
#include "import/names.h"
#include "import/selection.h"
#include "import/tally.h"

/* Users, or items. */
typedef struct dq_import_entities_request {
    const char *path;    /* a single file of a form that is read, or NULL */
    const char *vectors; /* an array with the vectors of its rows, where it is no array itself; or NULL */
    const char *id_path; /* the ids of the array's rows; of `vectors` NULL: they are in the file's order */
    dq_import_reading reading;
    dq_import_selection selection;
    dq_import_tally tally;
    bool made;          /* afterwards: there was no file, so they were made from the interactions */
    uint64_t unclaimed; /* afterwards: so many ids of id_path are of no row of the file */
    char first_unclaimed[80];
} dq_import_entities_request;

/* What came of the interactions, where a file of its own says it. */
typedef struct dq_import_feedback_request {
    const char *path; /* a single file that is no array, or NULL */
    dq_import_reading reading;
    dq_import_tally tally;
    dq_import_feedback held; /* while the interactions are read */
    uint64_t unmet;          /* afterwards: so many answers are to nothing that was shown */
} dq_import_feedback_request;

typedef struct dq_import_request {
    dq_import_entities_request users, items;
    const char *interactions; /* a single file that is no array, or NULL */
    dq_import_reading interaction_reading;
    dq_import_times times; /* their format, and how many have it */
    dq_import_scale scale; /* of their rewards, and of those of the feedback */
    dq_import_tally interaction_tally;
    dq_import_feedback_request feedback;
    dq_import_target target;
} dq_import_request;

/* Single files, streamed in their own order: users, interactions, items, as a section holds them.
 * Interactions are checked against users and items, where there are such, and the items' file is then read
 * twice. Where there are users but no items, or items but no users, these are made of the ids in the
 * interactions, in the order of their first usable one, and the interactions' file is read twice. Faults are
 * counted in the request's tallies. DQ_ERR_SCHEMA where a file has rows and none of them can be used. */
dq_status dq_import_files(dq_import_request *request, dq_error *error);

/* The same of a place's collections "users", "interactions" and "items", whose documents are of the generic
 * form (import/document.h). The request's paths are not looked at. */
dq_status dq_import_place(dq_import_request *request, dq_collections *place, dq_error *error);

/* A place with collections, by a mapping: users, interactions, items, in the order of their ids. The
 * request's paths are not looked at. DQ_ERR_SCHEMA as above. */
dq_status dq_import_collections(dq_import_request *request, const dq_import_mapping *mapping,
                                dq_collections *place, dq_error *error);

#endif
