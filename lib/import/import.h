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

typedef enum export_fault {
    EXPORT_FINE = 0,
    EXPORT_MALFORMED,
    EXPORT_NO_ID,
    EXPORT_MISSING, /* a required field */
    EXPORT_MISTYPED,
    EXPORT_WIDTH,
    EXPORT_NOT_FINITE,
    EXPORT_DUPLICATE,
    EXPORT_UNMATCHED, /* a document for an entity that the first collection lacks, or an entity without its
                         document in another collection */
    EXPORT_UNKNOWN_USER,
    EXPORT_UNKNOWN_ITEM,
    EXPORT_FAULTS,
} export_fault;

/* Counts of one kind of rows, and where each fault was first seen. */
typedef struct export_tally {
    bool strict;
    struct {
        uint64_t count, record;
        char source[160];
    } faults[EXPORT_FAULTS];
} export_tally;

/* Notes a fault that *error describes (why, source and record), and clears *error; with strict it stays, and
 * its status is returned. Short memory is always an error. */
dq_status export_skip(export_tally *tally, export_fault fault, dq_error *error);

/* ---- values of documents (value.c) ---- */

typedef enum export_id_kind { EXPORT_INTEGER, EXPORT_STRING, EXPORT_OBJECT_ID } export_id_kind;

typedef struct export_id {
    export_id_kind kind;
    int64_t integer;  /* of an EXPORT_INTEGER */
    const char *text; /* decimal, the string itself, or 24 hex digits */
    size_t bytes;
} export_id;

/* A string, an integer, {"$oid": hex}, {"$numberLong": decimal}: EXPORT_NO_ID for anything else. */
export_fault export_read_id(const dq_value *value, dq_arena *arena, export_id *id, dq_error *error);
/* Integers by value, then strings by bytes, then ObjectIds. */
int export_id_compare(const export_id *a, const export_id *b);

/* Says where a faulty document stands: its line, or the _id of one that has none (NULL: it could not be
 * read). */
void export_locate(const dq_documents *documents, const dq_value *document, dq_error *error);
/* The same by the id of what lacks a document. */
void export_locate_id(const char *name, const export_id *id, dq_error *error);

/* What a person would read: strings as they are, lists joined by ", " (lists of objects by "; "), objects as
 * "key: value, key: value". DQ_NIL for null. */
dq_status export_read_text(const dq_value *value, dq_arena *arena, dq_value *text, dq_error *error);

/* Exactly `width` finite numbers: a list, DQ_FLOATS, or a binary vector as extended JSON has it. */
export_fault export_read_vector(const dq_value *value, const char *name, uint32_t width, dq_arena *arena,
                                float *to, dq_error *error);

/* ---- rows ---- */

/* One user or item; everything lives in the reader's arena until the next one. */
typedef struct export_entity {
    export_id id;
    dq_value texts;      /* DQ_MAP of strings */
    dq_value attributes; /* DQ_MAP */
    const float *vector; /* (width), NULL when the side has none */
} export_entity;

typedef struct export_interaction {
    export_id user, item;
    dq_value label; /* DQ_STRING or DQ_NIL */
    float reward;   /* NAN: none */
    dq_value attributes;
} export_interaction;

/* How one side's vectors are cut; for single files the first good row decides. */
typedef struct export_layout {
    bool known;
    dq_field *fields;
    size_t count;
    uint32_t width; /* 0: no vectors */
    dq_arena arena; /* of the fields */
} export_layout;

/* False for a document that says it is of another of the stream's kinds. */
bool export_is_for(const dq_value *document, const char *kind);
/* A document of the generic form (document.c): id, text, vector, other keys. */
export_fault export_read_entity(const dq_value *document, const char *kind, export_layout *layout,
                                dq_arena *arena, export_entity *entity, dq_error *error);

/* The keys of an interaction; label, reward and the one that is no attribute may be NULL. */
typedef struct export_interaction_keys {
    const char *user, *item, *label, *reward, *ignored;
} export_interaction_keys;

export_fault export_read_interaction(const dq_value *document, const export_interaction_keys *keys,
                                     dq_arena *arena, export_interaction *interaction, dq_error *error);

/* ---- blocks (block.c) ---- */

typedef struct export_block export_block;

/* Told how many rows of a kind have been taken: 0 as it begins, then after every row, and once more, with
 * `ended`, when all are written. */
typedef void (*export_watch)(void *arg, const char *kind, uint64_t rows, bool ended);

/* What a block needs beside its rows. */
typedef struct export_target {
    dq_writer *writer;
    bool flush;         /* every block is made visible to the reader of a pipe */
    export_watch watch; /* or NULL */
    void *watch_arg;
    const dq_pair_names *pairs; /* for items' metadata */
    size_t pair_count;
} export_target;

dq_status export_block_new(export_block **block, const char *kind, const export_target *target,
                           dq_error *error);
/* Adds a row; a full block (2 MiB) is written. The layout is borrowed until the block is closed. */
dq_status export_block_entity(export_block *block, const export_entity *entity, const export_layout *layout,
                              dq_error *error);
dq_status export_block_interaction(export_block *block, const export_interaction *interaction,
                                   dq_error *error);
/* Writes the last rows. */
dq_status export_block_finish(export_block *block, dq_error *error);
void export_block_free(export_block *block);

/* Every pair names fields of equal width on both sides (of those that have vectors). */
dq_status export_check_pairs(const export_target *target, const export_layout *users,
                             const export_layout *items, dq_error *error);

/* ---- what is asked for ---- */

/* A part of one side: these ids (all when there are none) of what the filter lets through, and at most limit
 * rows. */
typedef struct export_selection {
    const char *const *ids; /* (id_count) */
    size_t id_count;
    const char *where; /* a database's filter, or NULL */
    uint64_t limit;    /* UINT64_MAX: none */
} export_selection;

bool export_selects_all(const export_selection *selection);
bool export_selected(const export_selection *selection, const export_id *id);
/* DQ_ERR_UNKNOWN unless every id of the selection is in the index. */
dq_status export_check_selection(const export_selection *selection, const char *what, const dq_index *ids,
                                 dq_error *error);

/* Users, or items. */
typedef struct export_entities_request {
    const char *path;    /* a single file, or NULL */
    const char *id_path; /* the ids of an array, or NULL */
    export_selection selection;
    export_tally tally;
} export_entities_request;

typedef struct export_request {
    export_entities_request users, items;
    const char *interactions; /* a single file, or NULL */
    export_tally interaction_tally;
    export_target target;
} export_request;

/* ---- single files (files.c, table.c) ---- */

typedef enum export_form {
    EXPORT_JSONL,
    EXPORT_CSV,
    EXPORT_TSV,
    EXPORT_NPY,
    EXPORT_SAFETENSORS,
    EXPORT_OTHER
} export_form;

/* Forms whose rows have no ids of their own. */
static inline bool export_is_array(export_form form)
{
    return form == EXPORT_NPY || form == EXPORT_SAFETENSORS;
}

/* By the name's extension, before .zst or .gz; a name without one ("-", "/dev/fd/63") is JSON lines. */
export_form export_form_of(const char *path);

/* The rows of a table as documents of the generic form. */
dq_status export_open_table(dq_documents *documents, const char *path, export_form form, dq_error *error);

/* An array and its ids (array.c). The layout is filled as it is opened. */
typedef struct export_array export_array;

dq_status export_array_open(export_array **array, const char *path, export_form form, const char *ids,
                            export_layout *layout, dq_error *error);
/* The next row, in the arena: 1, 0 at the end of both, -1 when one ends before the other or cannot be read.
 */
int export_array_next(export_array *array, const export_layout *layout, dq_arena *arena,
                      export_entity *entity, export_fault *fault, dq_error *error);
/* Rows read so far. */
uint64_t export_array_row(const export_array *array);
void export_array_close(export_array *array);

dq_status export_files(export_request *request, dq_error *error);

/* ---- collections (mapping.c, collections.c) ---- */

/* A text or a vector of an entity, and the key it stands under. */
typedef struct export_source_key {
    const char *name, *key;
    uint32_t width; /* of a vector */
    bool optional;
} export_source_key;

/* One collection that an entity is put together from. */
typedef struct export_part {
    const char *collection, *id;
    export_source_key *texts, *vectors;
    size_t text_count, vector_count;
    bool attributes; /* keep other keys */
} export_part;

typedef struct export_side_schema {
    export_part *parts; /* the first says which entities there are */
    size_t count;
    export_layout layout;
} export_side_schema;

typedef struct export_schema {
    export_side_schema users, items;
    const char *interactions; /* the collection, or NULL */
    bool interactions_optional;
    export_interaction_keys keys;
    dq_pair_names *pairs;
    size_t pair_count;
    dq_value canonical; /* what the head records: "jobs", or the mapping */
    dq_arena arena;
} export_schema;

/* The text of a built-in mapping, or NULL. */
const char *export_schema_text(const char *name);
/* A built-in mapping by name, or a JSON file. */
dq_status export_schema_load(export_schema *schema, const char *name, dq_error *error);
void export_schema_free(export_schema *schema);

dq_status export_collections(export_request *request, const export_schema *schema, dq_collections *place,
                             dq_error *error);

#endif
