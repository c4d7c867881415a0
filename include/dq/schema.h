/* SPDX-License-Identifier: MIT
 *
 * The kinds of bundles, the order in which a section holds them, and what each must have. The table in
 * lib/core/schema.c is the one place that a new kind or a new required column touches; docs/stream-format.md
 * gives the same table in words.
 *
 *     model         any columns with shapes of their own; meta.architecture names what they are
 *     users, items  id (text, unique); text.NAME (text), attr.NAME (json), vector (f2 bf16 f4 f8, of shape
 *                   (rows, width)); meta.fields [[name, offset, width] ...] splits the width; meta.pairs
 *                   [[user field, item field] ...]; meta.scale {field: [{how, ...} ...]} says how its numbers
 *                   were scaled
 *     interactions  user, item (text ids); label (text, nullable), reward (f4, nullable), attr.NAME, and what
 *                   was logged of the choice, each nullable: propensity (f8, in (0, 1]: the probability with
 *                   which the item was chosen for its place), position (u4, from 1: its place in the list),
 *                   request (text: in answer to what), model (text: who chose)
 *     transitions   user -> users, item -> items (row references u4), or state and action (dense, of shape
 *                   (rows, width)), or state and choice (u4, an action's number); reward, cosine, llm (f4,
 *                   nullable), label (text, nullable), done (u1), next_user -> users or next_state (absent:
 *                   the same state), propensity (f8), position, request, model as of interactions, episode,
 *                   step (u4), candidates (u4 items, (rows, n))
 *     rankings      user, item (text ids), rank (u4, from 1), score (f4); of drawn lists what was logged
 *     (other)       passed on as they are
 */
#ifndef DQ_SCHEMA_H
#define DQ_SCHEMA_H

#include "dq/bundle.h"

#define DQ_KIND_MODEL        "model"
#define DQ_KIND_USERS        "users"
#define DQ_KIND_INTERACTIONS "interactions"
#define DQ_KIND_ITEMS        "items"
#define DQ_KIND_TRANSITIONS  "transitions"
#define DQ_KIND_RANKINGS     "rankings"

/* Place of a kind in a section: 0 model .. 5 rankings; -1 for a kind we do not know (it may stand anywhere).
 */
int dq_schema_order(const char *kind);

/* Checks that a bundle of a known kind has its required columns with their types, row counts and finite
 * numbers (NaN and infinity only under a null; those of vectors, also in float64, within float32's range, in
 * which programs compute), and that propensities are in (0, 1] and positions at least 1.
 * Of an unknown kind, a table too, it checks the row counts;
 * unknown columns pass. DQ_ERR_SCHEMA or DQ_ERR_NUMERIC. */
dq_status dq_schema_check(const dq_bundle *bundle, dq_error *error);

/* A named sub-range of a vector. */
typedef struct dq_field {
    const char *name; /* lives in the arena given to dq_fields_read */
    uint32_t offset, width;
    uint64_t scale; /* a digest of how its numbers were scaled; 0: they were not */
} dq_field;

/* meta.fields as an array in the arena, with what meta.scale says of them; when meta has no fields, one named
 * "vector" over the whole width. */
dq_status dq_fields_read(const dq_value *meta, uint32_t width, dq_arena *arena, dq_field **fields,
                         size_t *count, dq_error *error);
/* The same, written into meta; not how they were scaled. */
dq_status dq_fields_write(const dq_field *fields, size_t count, dq_arena *arena, dq_value *meta,
                          dq_error *error);
/* What a model remembers of the catalogue it learnt from: {"users": fields, "items": fields}, as in
 * meta.fields; a field that was scaled has the digest, too. Two catalogues of one layout give equal values.
 */
dq_status dq_layout_value(const dq_field *users, size_t user_fields, const dq_field *items,
                          size_t item_fields, dq_arena *arena, dq_value *value, dq_error *error);
/* The field of that name, or NULL. */
const dq_field *dq_field_find(const dq_field *fields, size_t count, const char *name);

/* A field of users and the field of items that it is compared with. */
typedef struct dq_pair_names {
    const char *user_field, *item_field;
} dq_pair_names;

/* The pair written "user_field:item_field", copied into the arena; DQ_ERR_RANGE for anything else. */
dq_status dq_pair_parse(const char *text, dq_arena *arena, dq_pair_names *pair, dq_error *error);
/* meta.pairs of an items bundle, in the arena; *count = 0 when it has none. */
dq_status dq_pairs_read(const dq_value *meta, dq_arena *arena, dq_pair_names **pairs, size_t *count,
                        dq_error *error);
/* The same, written into meta. */
dq_status dq_pairs_write(const dq_pair_names *pairs, size_t count, dq_arena *arena, dq_value *meta,
                         dq_error *error);

#endif
