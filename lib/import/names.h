/* SPDX-License-Identifier: MIT
 *
 * What a column of a table, or a key of a document, is by its name: as somebody says it, as dq calls it, or
 * as well-known data sets do. The names are one table in names.c. Two names that could be the same thing are
 * an error, never a guess.
 */
#ifndef DQ_IMPORT_NAMES_H
#define DQ_IMPORT_NAMES_H

#include "core/words/nearest.h"
#include "dq/status.h"
#include "dq/value.h"
#include "import/file/shape.h"

#include <stdbool.h>

/* "ROLE=NAME". Roles: id (of users and items), user item label reward time propensity position request model
 * (of interactions), vector, text.NAME, attr.NAME. */
typedef struct dq_import_named {
    const char *role, *name;
} dq_import_named;

/* How a single file is read. */
typedef struct dq_import_reading {
    const char *separator;  /* of a table's cells; NULL: as the file's name says */
    const char *encoding;   /* dq_source_encoding's; NULL: UTF-8 */
    dq_import_named *named; /* (count) */
    size_t count;
    char *reward_name; /* (DQ_IMPORT_REWARD_NAME), "" before: gets the name of the column that is the reward,
                          where that is another one; or NULL */
} dq_import_reading;

enum { DQ_IMPORT_REWARD_NAME = 64 };

/* Beside the stream's kinds: what came of interactions, told by a file of its own (import/interactions.h). */
#define DQ_IMPORT_KIND_FEEDBACK "feedback"

/* Whether it is a role of rows of this kind ("users", "items", "interactions", "feedback"). */
bool dq_import_is_role(const char *role, const char *kind);
/* The role that was meant by a word that is none. */
dq_hint dq_import_role_hint(const char *word);

/* Whether columns are named by their numbers: a table without a header. */
bool dq_import_is_headless(const dq_import_reading *reading);

/* The role of each of the keys, NULL for those that are what their own names say. With `own` the names of
 * data sets are not known: the rows are dq's. DQ_ERR_SCHEMA for two keys of one role. */
dq_status dq_import_assign(const dq_import_reading *reading, const char *kind, bool own,
                           const char *const *keys, size_t count, const char **roles, dq_error *error);

/* Whether one of the keys or roles is the id; of interactions, the user and the item. */
bool dq_import_is_known_by(const char *kind, const char *const *keys, size_t count, const char *const *roles);

/* DQ_ERR_SCHEMA: "users need a column id (or _id, user_id ...); it has a, b". */
dq_status dq_import_missing(const dq_import_reading *reading, const char *kind, const char *noun,
                            const char *const *keys, size_t count, dq_error *error);

/* "a, b, c", with "..." where room ends. */
void dq_import_list(const char *const *names, size_t count, char *text, size_t size);

/* Keys that keep their names, told by the last document that had no others. Zero-initialise. */
typedef struct dq_import_plain {
    dq_import_shape shape;
    bool own; /* it said its kind */
} dq_import_plain;

/* Gives the keys of a document the names of their roles; values are shared, what is new is in the arena. A
 * document of another of the stream's kinds is left alone. `plain` is kept from one document to the next of
 * the same reading and kind, and its shape is the caller's to free. */
dq_status dq_import_rename(const dq_import_reading *reading, const char *kind, dq_import_plain *plain,
                           dq_value *document, dq_arena *arena, dq_error *error);

/* Says in *error which keys a document without an id has, and where its rows may be instead. */
void dq_import_explain(const dq_import_reading *reading, const char *kind, const dq_value *document,
                       dq_error *error);

#endif
