/* SPDX-License-Identifier: MIT
 *
 * The inside of dq-export: documents become entities (users, items) and interactions, these become blocks of
 * columns. Whatever makes a single document unusable is a fault, counted and passed over (an error with
 * --strict); whatever breaks the source as a whole is a dq_status.
 *
 *     documents ---- document.c ----> entity -+
 *     array + ids -- array.c -------> entity -+--> block.c --> dq_writer
 *     collections -- entities.c --------> entity -+
 */
#ifndef DQ_IMPORT_IMPORT_H
#define DQ_IMPORT_IMPORT_H

#include "core/index.h"
#include "dq/schema.h"
#include "dq/stream.h"
#include "port/files/documents.h"
#include "port/files/json.h"

/* ---- what was passed over (tally.c) ---- */

typedef enum dq_import_fault {
    DQ_IMPORT_FINE = 0,
    DQ_IMPORT_MALFORMED,
    DQ_IMPORT_NO_ID,
    DQ_IMPORT_MISSING, /* a required field */
    DQ_IMPORT_MISTYPED,
    DQ_IMPORT_WIDTH,
    DQ_IMPORT_NOT_FINITE,
    DQ_IMPORT_DUPLICATE,
    DQ_IMPORT_UNMATCHED, /* a document for an entity that the first collection lacks, or an entity without its
                         document in another collection */
    DQ_IMPORT_UNKNOWN_USER,
    DQ_IMPORT_UNKNOWN_ITEM,
    DQ_IMPORT_FAULTS,
} dq_import_fault;

/* Counts of one kind of rows, and where each fault was first seen. */
typedef struct dq_import_tally {
    bool strict;
    struct {
        uint64_t count, record;
        char source[160];
    } faults[DQ_IMPORT_FAULTS];
} dq_import_tally;

/* Notes a fault that *error describes (why, source and record), and clears *error; with strict it stays, and
 * its status is returned. Short memory is always an error. */
dq_status dq_import_skip(dq_import_tally *tally, dq_import_fault fault, dq_error *error);

/* ---- values of documents (value.c) ---- */

typedef struct dq_import_id {
    enum dq_id_kinds kind;
    int64_t integer;  /* of a DQ_ID_INTEGER */
    const char *text; /* decimal, the string itself, or 24 hex digits */
    size_t bytes;
} dq_import_id;

/* A string, an integer, {"$oid": hex}, {"$numberLong": decimal}: DQ_IMPORT_NO_ID for anything else. */
dq_import_fault dq_import_read_id(const dq_value *value, dq_arena *arena, dq_import_id *id, dq_error *error);
/* Integers by value, then strings by bytes, then ObjectIds. */
int dq_import_id_compare(const dq_import_id *a, const dq_import_id *b);

/* Says where a faulty document stands: its line, or the _id of one that has none (NULL: it could not be
 * read). */
void dq_import_locate(const dq_documents *documents, const dq_value *document, dq_error *error);
/* The same by the id of what lacks a document. */
void dq_import_locate_id(const char *name, const dq_import_id *id, dq_error *error);

/* What a person would read: strings as they are, lists joined by ", " (lists of objects by "; "), objects as
 * "key: value, key: value". DQ_NIL for null. */
dq_status dq_import_read_text(const dq_value *value, dq_arena *arena, dq_value *text, dq_error *error);

/* Exactly `width` finite numbers: a list, DQ_FLOATS, or a binary vector as extended JSON has it. */
dq_import_fault dq_import_read_vector(const dq_value *value, const char *name, uint32_t width,
                                      dq_arena *arena, float *to, dq_error *error);

/* ---- rows ---- */

/* One user or item; everything lives in the reader's arena until the next one. */
typedef struct dq_import_entity {
    dq_import_id id;
    dq_value texts;      /* DQ_MAP of strings */
    dq_value attributes; /* DQ_MAP */
    const float *vector; /* (width), NULL when there are none */
} dq_import_entity;

typedef struct dq_import_interaction {
    dq_import_id user, item;
    dq_value label; /* DQ_STRING or DQ_NIL */
    float reward;   /* NAN: none */
    dq_value attributes;
} dq_import_interaction;

/* How the vectors of users, or of items, are cut; for single files the first good row decides. */
typedef struct dq_import_layout {
    bool known;
    dq_field *fields;
    size_t count;
    uint32_t width; /* 0: no vectors */
    dq_arena arena; /* of the fields */
} dq_import_layout;

/* False for a document that says it is of another of the stream's kinds. */
bool dq_import_is_for(const dq_value *document, const char *kind);
/* A document of the generic form (document.c): id, text, vector, other keys. */
dq_import_fault dq_import_read_entity(const dq_value *document, const char *kind, dq_import_layout *layout,
                                      dq_arena *arena, dq_import_entity *entity, dq_error *error);

/* The keys of an interaction; label, reward and the one that is no attribute may be NULL. */
typedef struct dq_import_interaction_keys {
    const char *user, *item, *label, *reward, *ignored;
} dq_import_interaction_keys;

dq_import_fault dq_import_read_interaction(const dq_value *document, const dq_import_interaction_keys *keys,
                                           dq_arena *arena, dq_import_interaction *interaction,
                                           dq_error *error);

/* ---- blocks (block.c) ---- */

typedef struct dq_import_block dq_import_block;

/* Told how many rows of a kind have been taken: 0 as it begins, then after every row, and once more, with
 * `ended`, when all are written. */
typedef void (*dq_import_watch)(void *arg, const char *kind, uint64_t rows, bool ended);

/* What a block needs beside its rows. */
typedef struct dq_import_target {
    dq_writer *writer;
    bool flush;            /* every block is made visible to the reader of a pipe */
    dq_import_watch watch; /* or NULL */
    void *watch_arg;
    const dq_pair_names *pairs; /* for items' metadata */
    size_t pair_count;
} dq_import_target;

dq_status dq_import_block_new(dq_import_block **block, const char *kind, const dq_import_target *target,
                              dq_error *error);
/* Adds a row; a full block (2 MiB) is written. The layout is borrowed until the block is closed. */
dq_status dq_import_block_entity(dq_import_block *block, const dq_import_entity *entity,
                                 const dq_import_layout *layout, dq_error *error);
dq_status dq_import_block_interaction(dq_import_block *block, const dq_import_interaction *interaction,
                                      dq_error *error);
/* Writes the last rows. */
dq_status dq_import_block_finish(dq_import_block *block, dq_error *error);
void dq_import_block_free(dq_import_block *block);

/* Every pair names fields of equal width on both sides (of those that have vectors). */
dq_status dq_import_check_pairs(const dq_import_target *target, const dq_import_layout *users,
                                const dq_import_layout *items, dq_error *error);

/* ---- what is asked for ---- */

/* A part of the users, or of the items: these ids (all when there are none) of what the filter lets through,
 * and at most limit rows. */
typedef struct dq_import_selection {
    const char *const *ids; /* (id_count) */
    size_t id_count;
    const char *where; /* a database's filter, or NULL */
    uint64_t limit;    /* UINT64_MAX: none */
} dq_import_selection;

bool dq_import_selects_all(const dq_import_selection *selection);
bool dq_import_selects(const dq_import_selection *selection, const dq_import_id *id);
/* DQ_ERR_UNKNOWN unless every id of the selection is in the index. */
dq_status dq_import_check_selection(const dq_import_selection *selection, const char *what,
                                    const dq_index *ids, dq_error *error);

/* Users, or items. */
typedef struct dq_import_entities_request {
    const char *path;    /* a single file, or NULL */
    const char *id_path; /* the ids of an array, or NULL */
    dq_import_selection selection;
    dq_import_tally tally;
} dq_import_entities_request;

typedef struct dq_import_request {
    dq_import_entities_request users, items;
    const char *interactions; /* a single file, or NULL */
    dq_import_tally interaction_tally;
    dq_import_target target;
} dq_import_request;

/* ---- single files (files.c, table.c) ---- */

typedef enum dq_import_form {
    DQ_IMPORT_JSONL,
    DQ_IMPORT_CSV,
    DQ_IMPORT_TSV,
    DQ_IMPORT_NPY,
    DQ_IMPORT_SAFETENSORS,
    DQ_IMPORT_OTHER
} dq_import_form;

/* Forms whose rows have no ids of their own. */
static inline bool dq_import_is_array(dq_import_form form)
{
    return form == DQ_IMPORT_NPY || form == DQ_IMPORT_SAFETENSORS;
}

/* By the name's extension, before .zst or .gz; a name without one ("-", "/dev/fd/63") is JSON lines. */
dq_import_form dq_import_form_of(const char *path);

/* The rows of a table as documents of the generic form. */
dq_status dq_import_table_open(dq_documents *documents, const char *path, dq_import_form form,
                               dq_error *error);

/* An array and its ids (array.c). The layout is filled as it is opened. */
typedef struct dq_import_array dq_import_array;

dq_status dq_import_array_open(dq_import_array **array, const char *path, dq_import_form form,
                               const char *ids, dq_import_layout *layout, dq_error *error);
/* The next row, in the arena: 1, 0 at the end of both, -1 when one ends before the other or cannot be read.
 */
int dq_import_array_next(dq_import_array *array, const dq_import_layout *layout, dq_arena *arena,
                         dq_import_entity *entity, dq_import_fault *fault, dq_error *error);
/* Rows read so far. */
uint64_t dq_import_array_row(const dq_import_array *array);
void dq_import_array_close(dq_import_array *array);

dq_status dq_import_files(dq_import_request *request, dq_error *error);

/* ---- collections (mapping.c, collections.c) ---- */

/* A text or a vector of an entity, and the key it stands under. */
typedef struct dq_import_key {
    const char *name, *key;
    uint32_t width; /* of a vector */
    bool optional;
} dq_import_key;

/* One collection that an entity is put together from. */
typedef struct dq_import_part {
    const char *collection, *id;
    dq_import_key *texts, *vectors;
    size_t text_count, vector_count;
    bool attributes; /* keep other keys */
} dq_import_part;

typedef struct dq_import_entities_mapping {
    dq_import_part *parts; /* the first says which entities there are */
    size_t count;
    dq_import_layout layout;
} dq_import_entities_mapping;

typedef struct dq_import_mapping {
    dq_import_entities_mapping users, items;
    const char *interactions; /* the collection, or NULL */
    bool interactions_optional;
    dq_import_interaction_keys keys;
    dq_pair_names *pairs;
    size_t pair_count;
    dq_value canonical; /* what the head records: "jobs", or the mapping */
    dq_arena arena;
} dq_import_mapping;

/* The text of a built-in mapping, or NULL. */
const char *dq_import_mapping_text(const char *name);
/* A built-in mapping by name, or a JSON file. */
dq_status dq_import_mapping_load(dq_import_mapping *mapping, const char *name, dq_error *error);
void dq_import_mapping_free(dq_import_mapping *mapping);

dq_status dq_import_collections(dq_import_request *request, const dq_import_mapping *mapping,
                                dq_collections *place, dq_error *error);

#endif
