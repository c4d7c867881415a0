/* SPDX-License-Identifier: MIT
 *
 * Mappings: which collections make a user and an item, and under which keys their parts stand. The form is
 * docs/schema-mapping.md; "jobs" is the built-in instance. A key that the form does not have is an error, so
 * that a slip of the pen is not silence.
 */
#ifndef DQ_IMPORT_MAPPING_H
#define DQ_IMPORT_MAPPING_H

#include "import/document.h"

enum {
    DQ_IMPORT_MAX_PARTS = 32
}; /* collections of an entity: their set is a bit mask when they are joined */

/* A text or a vector of an entity, and the key it stands under. */
typedef struct dq_import_key {
    const char *name, *key;
    uint32_t width; /* of a vector, 1 .. 2^24 */
    bool optional;  /* absent: no text, zeros */
} dq_import_key;

/* One collection that an entity is put together from. */
typedef struct dq_import_part {
    const char *collection, *id;
    dq_import_key *texts, *vectors;
    size_t text_count, vector_count;
    bool attributes; /* other keys are kept */
} dq_import_part;

typedef struct dq_import_entities_mapping {
    dq_import_part *parts; /* (count), 1 .. DQ_IMPORT_MAX_PARTS; the first says which entities there are */
    size_t count;
    dq_import_layout layout; /* the vectors of the parts one after the other */
} dq_import_entities_mapping;

/* All of it lives in its arenas. */
typedef struct dq_import_mapping {
    dq_import_entities_mapping users, items;
    const char *interactions; /* the collection, or NULL */
    bool interactions_optional;
    dq_import_interaction_keys keys;
    dq_pair_names *pairs; /* (pair_count) */
    size_t pair_count;
    dq_value canonical; /* what the head records: "jobs", or the mapping */
    dq_arena arena;
} dq_import_mapping;

/* The text of a built-in mapping, or NULL. */
const char *dq_import_mapping_text(const char *name);

/* A mapping from its JSON; DQ_ERR_FORMAT, DQ_ERR_SCHEMA with the place in words ("users[1]: ..."). Nothing is
 * left to be freed on failure. */
dq_status dq_import_mapping_parse(dq_import_mapping *mapping, const char *text, size_t bytes,
                                  dq_error *error);
/* A built-in mapping by name, or a JSON file. */
dq_status dq_import_mapping_load(dq_import_mapping *mapping, const char *name, dq_error *error);
void dq_import_mapping_free(dq_import_mapping *mapping);

#endif
