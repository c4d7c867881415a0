/* SPDX-License-Identifier: MIT
 *
 * A catalogue in memory: users, items and interactions of a whole stream, as dq-reward, dq-train, dq-plan and
 * dq-eval need it. The bundles stay as they were read; rows point into them, so vectors are not copied (but
 * for types other than f4). Sections are joined: equal ids with equal rows are one entity, with unequal rows
 * an error; a duplicate id inside one section is an error.
 */
#ifndef DQ_DATA_CATALOGUE_H
#define DQ_DATA_CATALOGUE_H

#include "core/layout.h"
#include "core/vectors.h"
#include "data/identity.h"
#include "dq/schema.h"

/* Where a row's columns are. */
typedef struct dq_row {
    uint32_t bundle, row;
} dq_row;

/* Users, or items. */
typedef struct dq_entities {
    dq_identity identity; /* an id's number is its row, 0.. in the order of arrival */
    dq_bundle *bundles;
    size_t bundle_count;
    dq_row *rows;          /* (count) */
    const float **vectors; /* (count) each width float32; NULL pointers when there are no vectors */
    uint32_t width;        /* 0: no vectors */
    dq_field *fields;
    size_t field_count;
    uint32_t *section_rows; /* row of the current section's n-th row: translates references */
    size_t section_count;
    size_t capacity, bundle_capacity, section_capacity; /* of the arrays above */
} dq_entities;

typedef struct dq_interaction {
    uint32_t user, item; /* rows, or DQ_ABSENT for an id that the catalogue lacks */
    uint32_t label;      /* row of catalogue.labels, or DQ_ABSENT */
    float reward;        /* NAN: none */
} dq_interaction;

/* Where vectors go that several processes share: *to has the n numbers of `from`, and stays. */
typedef struct dq_vectors_place {
    void *self;
    dq_status (*put)(void *self, const float *from, size_t n, const float **to, dq_error *error);
} dq_vectors_place;

typedef struct dq_catalogue {
    dq_entities users, items;
    dq_vectors_place place; /* set before the first bundle: bundles then lack their vectors. put NULL: none */
    dq_interaction *interactions; /* in stream order; resolved when the whole stream is read */
    size_t interaction_count;
    dq_index labels;
    dq_pair_names *pairs; /* the default pairs of fields in items' meta.pairs */
    size_t pair_count;
    dq_bundle *interaction_bundles;
    size_t interaction_bundle_count, interaction_bundle_capacity;
    uint64_t section; /* of the last bundle added */
    dq_arena arena;
} dq_catalogue;

#define DQ_CATALOGUE_EMPTY ((dq_catalogue){0})

/* Takes a bundle of kind users, items or interactions (ownership passes, also on failure: *bundle is
 * emptied); *taken says whether it was one of these. section is dq_reader_section. Offer every bundle of a
 * stream, those of other kinds too: the section tells which rows references mean. Rows that an earlier
 * section had already are dropped from the bundle that is kept. */
dq_status dq_catalogue_add(dq_catalogue *catalogue, dq_bundle *bundle, uint64_t section, bool *taken,
                           dq_error *error);

/* Resolves interactions to rows once the whole stream is read. Ids that the catalogue lacks are an error
 * (inside a stream they are) unless allow_absent. */
dq_status dq_catalogue_finish(dq_catalogue *catalogue, bool allow_absent, dq_error *error);

/* How many there are, the id of a row (not NUL-terminated), and the row of an id, or DQ_ABSENT. */
uint32_t dq_entities_count(const dq_entities *entities);
const char *dq_entities_id(const dq_entities *entities, uint32_t row, size_t *bytes);
uint32_t dq_entities_find(const dq_entities *entities, const char *id, size_t bytes);
/* The row of who is asked for; DQ_ERR_UNKNOWN, and DQ_ABSENT, where there is no such entity. what: "user",
 * "item". */
dq_status dq_entities_find_named(const dq_entities *entities, const char *what, const char *id, uint32_t *row,
                                 dq_error *error);

/* Marks the rows of those who are asked for: *marks (dq_entities_count) is true at these, and NULL where
 * nobody is named, which means all. The caller frees it. Errors as above. */
dq_status dq_entities_mark(const dq_entities *entities, const char *what, const char *const *ids,
                           size_t count, bool **marks, dq_error *error);

/* The catalogue's row for row `ref` of the section being read; DQ_ERR_RANGE when the section has no such row
 * yet. */
dq_status dq_entities_resolve(const dq_entities *entities, uint64_t ref, uint32_t *row, dq_error *error);

/* DQ_ERR_SCHEMA where there are none, or none with vectors; what: "users", "items". */
dq_status dq_entities_check_vectors(const dq_entities *entities, const char *what, dq_error *error);
/* Users and items must be there, with vectors. */
dq_status dq_catalogue_check_vectors(const dq_catalogue *catalogue, dq_error *error);
/* Their vectors, for a network. */
dq_vectors dq_entities_vectors(const dq_entities *entities);
/* How these are cut into fields. */
dq_layout dq_entities_layout(const dq_entities *entities);

/* A column's text of one row, e.g. "text.title" or "attr.occupation"; NULL when absent or null. */
const char *dq_entities_text(const dq_entities *entities, uint32_t row, const char *column, size_t *bytes);

/* The label of one of its interactions; NULL when that has none. */
const char *dq_catalogue_label(const dq_catalogue *catalogue, const dq_interaction *interaction,
                               size_t *bytes);

void dq_catalogue_free(dq_catalogue *catalogue);

#endif
