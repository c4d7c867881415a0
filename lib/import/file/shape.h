/* SPDX-License-Identifier: MIT
 *
 * The keys of a document, in their order. Most documents of a file have those of the one before: what follows
 * from the names alone, which key is the user and which has another name, is found once.
 */
#ifndef DQ_IMPORT_FILE_SHAPE_H
#define DQ_IMPORT_FILE_SHAPE_H

#include "dq/value.h"

/* Zero-initialise. */
typedef struct dq_import_shape {
    bool known;
    uint64_t number; /* dq_documents.shape of that document */
    char *names;     /* (used) one after the other */
    uint32_t *bytes; /* (count) of each */
    size_t count, slots, used, capacity;
} dq_import_shape;

/* Whether a document has these keys in this order. `number` is what its source says (dq_documents.shape), 0:
 * nothing.
 */
bool dq_import_shape_is(const dq_import_shape *shape, const dq_value *document, uint64_t number);
/* Becomes that of a document; where memory is short it is that of none. */
void dq_import_shape_set(dq_import_shape *shape, const dq_value *document, uint64_t number);
void dq_import_shape_free(dq_import_shape *shape);

#endif
