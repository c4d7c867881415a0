/* SPDX-License-Identifier: MIT
 *
 * Rows on their way from documents to blocks: users and items (entities), and interactions. What a row points
 * to is its reader's, until that reads on.
 */
#ifndef DQ_IMPORT_ROW_H
#define DQ_IMPORT_ROW_H

#include "dq/schema.h"
#include "import/value.h"

/* A user or an item. */
typedef struct dq_import_entity {
    dq_import_id id;
    dq_value texts;      /* DQ_MAP of strings */
    dq_value attributes; /* DQ_MAP */
    const float *vector; /* (width of the layout), NULL when that is 0 */
} dq_import_entity;

typedef struct dq_import_interaction {
    dq_import_id user, item;
    dq_value label, request, model; /* DQ_STRING or DQ_NIL */
    float reward;                   /* NAN: none */
    uint32_t position;              /* from 1; 0: none */
    double propensity;              /* in (0, 1]; NAN: unknown */
    dq_value attributes;
    const bool *written; /* (count of these) a string is JSON already, as it is to stand; or NULL: none is */
} dq_import_interaction;

enum { DQ_IMPORT_MAX_WIDTH = UINT32_MAX / sizeof(float) }; /* numbers of a vector */

/* How the vectors of users, or of items, are cut. A mapping says it, or an array's file; of single files with
 * documents most of the first rows decide (dq_import_find_layout). */
typedef struct dq_import_layout {
    bool known;
    dq_field *fields; /* (count), in the arena */
    size_t count;
    uint32_t width; /* of all fields; 0: no vectors */
    dq_arena arena;
} dq_import_layout;

#endif
