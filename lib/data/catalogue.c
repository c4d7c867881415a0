/* SPDX-License-Identifier: MIT */
#include "data/catalogue.h"

#include "core/array.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static dq_status no_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the catalogue");
}

/* Room for the rows that the bundle entered last has. */
static bool reserve_rows(dq_entities *entities, size_t rows)
{
    size_t capacity = dq_array_capacity(entities->capacity, dq_entities_count(entities));
    if (!dq_array_reserve(&entities->section_rows, &entities->section_capacity,
                          entities->section_count + rows, sizeof *entities->section_rows))
        return false;
    if (capacity == entities->capacity) return true;
    if (!dq_array_resize(&entities->rows, capacity, sizeof *entities->rows) ||
        !dq_array_resize(&entities->vectors, capacity, sizeof *entities->vectors))
        return false;
    entities->capacity = capacity;
    return true;
}

/* ---- users, or items ---- */

static bool same_fields(const dq_field *a, size_t a_count, const dq_field *b, size_t b_count)
{
    if (a_count != b_count) return false;
    for (size_t i = 0; i < a_count; i++)
        if (strcmp(a[i].name, b[i].name) != 0 || a[i].offset != b[i].offset || a[i].width != b[i].width ||
            a[i].scale != b[i].scale)
            return false;
    return true;
}

/* Width and fields are those of the first rows; all others must agree. */
static dq_status check_vectors(dq_entities *entities, const dq_bundle *bundle, dq_arena *arena,
                               dq_error *error)
{
    const dq_column *c = dq_bundle_column(bundle, "vector");
    uint64_t width = c ? dq_column_width(c) : 0;
    if (bundle->rows == 0) return DQ_OK;
    if (width > UINT32_MAX) return dq_fail(error, DQ_ERR_RANGE, "%s: vectors too wide", bundle->kind);
    bool first = dq_entities_count(entities) == 0;
    if (!first && width != entities->width)
        return dq_fail(error, DQ_ERR_SCHEMA, "%s: vectors of width %llu after vectors of width %u",
                       bundle->kind, (unsigned long long)width, entities->width);
    if (width == 0) return DQ_OK;
    dq_field *fields;
    size_t count;
    dq_status status = dq_fields_read(&bundle->meta, (uint32_t)width, arena, &fields, &count, error);
    if (status) return status;
    if (!first && !same_fields(fields, count, entities->fields, entities->field_count))
        return dq_fail(error, DQ_ERR_SCHEMA,
                       "%s: the vectors' fields are not those of earlier rows, or are scaled otherwise",
                       bundle->kind);
    entities->width = (uint32_t)width;
    entities->fields = fields;
    entities->field_count = count;
    return DQ_OK;
}

/* Moves the vectors of a bundle to their place, and what else it has to a bundle without them. */
static dq_status move_vectors(const dq_vectors_place *place, dq_bundle *bundle, const float **to,
                              dq_error *error)
{
    static const char *const without[] = {"vector", NULL};
    const dq_column *c = dq_bundle_column(bundle, "vector");
    size_t n = (size_t)(bundle->rows * dq_column_width(c));
    float *copy = malloc((n + 1) * sizeof *copy);
    uint32_t *rows = malloc(((size_t)bundle->rows + 1) * sizeof *rows);
    dq_bundle rest = DQ_BUNDLE_EMPTY, kept;
    dq_status status = copy && rows ? DQ_OK : no_memory(error);
    if (!status) dq_convert_f4(copy, c->data, c->type, n);
    if (!status) status = place->put(place->self, copy, n, to, error);
    for (uint32_t r = 0; !status && r < bundle->rows; r++) rows[r] = r;
    if (!status) status = dq_bundle_borrow(&rest, bundle, without, error);
    if (!status) status = dq_bundle_select(&kept, &rest, rows, (size_t)bundle->rows, error);
    dq_bundle_free(&rest);
    free(rows);
    free(copy);
    if (status) return status;
    dq_bundle_free(bundle);
    *bundle = kept;
    return DQ_OK;
}

/* Points the newest rows, which are the bundle's, at it. */
static dq_status point_rows(dq_entities *entities, dq_bundle *bundle, uint32_t number, size_t first,
                            dq_catalogue *catalogue, dq_error *error)
{
    const dq_column *c = dq_bundle_column(bundle, "vector");
    const float *vectors = NULL;
    if (c && catalogue->place.put) {
        dq_status status = move_vectors(&catalogue->place, bundle, &vectors, error);
        if (status) return status;
    }
    if (vectors) {
        /* they stand elsewhere */
    } else if (c && c->type == DQ_F4) {
        vectors = c->data;
    } else if (c) {
        float *copy = dq_arena_take(&catalogue->arena, bundle->rows * entities->width * sizeof *copy);
        if (!copy) return no_memory(error);
        dq_convert_f4(copy, c->data, c->type, bundle->rows * entities->width);
        vectors = copy;
    }
    for (uint64_t r = 0; r < bundle->rows; r++) {
        entities->rows[first + r].bundle = number;
        entities->rows[first + r].row = (uint32_t)r;
        entities->vectors[first + r] = vectors ? vectors + r * entities->width : NULL;
    }
    return DQ_OK;
}

/* Leaves only the `count` rows in `fresh`. */
static dq_status keep_rows(dq_bundle *bundle, const uint32_t *fresh, size_t count, dq_error *error)
{
    if (count == bundle->rows) return DQ_OK;
    dq_bundle kept;
    dq_status status = dq_bundle_select(&kept, bundle, fresh, count, error);
    if (status) return status;
    dq_bundle_free(bundle);
    *bundle = kept;
    return DQ_OK;
}

static dq_status add_rows(dq_catalogue *catalogue, dq_entities *entities, dq_bundle *bundle, dq_error *error)
{
    dq_identity *identity = &entities->identity;
    size_t rows = (size_t)bundle->rows, first = dq_entities_count(entities);
    dq_status status = check_vectors(entities, bundle, &catalogue->arena, error);
    if (!status) status = dq_identity_add(identity, bundle, catalogue->section, NULL, error);
    if (status) return status;
    if (!reserve_rows(entities, rows)) return no_memory(error);
    if (rows)
        memcpy(entities->section_rows + entities->section_count, identity->numbers,
               rows * sizeof *identity->numbers);
    entities->section_count += rows;
    status = keep_rows(bundle, identity->fresh, identity->fresh_count, error);
    if (status || identity->fresh_count == 0) return status;
    return point_rows(entities, bundle, (uint32_t)entities->bundle_count, first, catalogue, error);
}

/* ---- the catalogue ---- */

static bool keep_bundle(dq_bundle **bundles, size_t *count, size_t *capacity, dq_bundle *bundle)
{
    if (!dq_array_reserve(bundles, capacity, *count + 1, sizeof **bundles)) return false;
    (*bundles)[(*count)++] = *bundle;
    *bundle = DQ_BUNDLE_EMPTY;
    return true;
}

static dq_status add_entities(dq_catalogue *catalogue, dq_entities *entities, dq_bundle *bundle,
                              dq_error *error)
{
    dq_status status = add_rows(catalogue, entities, bundle, error);
    if (!status && bundle->rows > 0 &&
        !keep_bundle(&entities->bundles, &entities->bundle_count, &entities->bundle_capacity, bundle))
        status = no_memory(error);
    return status;
}

static bool same_pairs(const dq_catalogue *c, const dq_pair_names *pairs, size_t count)
{
    if (c->pair_count != count) return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(c->pairs[i].user_field, pairs[i].user_field) != 0 ||
            strcmp(c->pairs[i].item_field, pairs[i].item_field) != 0)
            return false;
    return true;
}

static dq_status read_pairs(dq_catalogue *catalogue, const dq_value *meta, dq_error *error)
{
    dq_pair_names *pairs;
    size_t count;
    dq_status status = dq_pairs_read(meta, &catalogue->arena, &pairs, &count, error);
    if (status || count == 0) return status;
    if (catalogue->pairs && !same_pairs(catalogue, pairs, count))
        return dq_fail(error, DQ_ERR_SCHEMA, "items: the default pairs are not those of earlier rows");
    catalogue->pairs = pairs;
    catalogue->pair_count = count;
    return DQ_OK;
}

dq_status dq_catalogue_add(dq_catalogue *catalogue, dq_bundle *bundle, uint64_t section, bool *taken,
                           dq_error *error)
{
    if (section != catalogue->section) catalogue->users.section_count = catalogue->items.section_count = 0;
    catalogue->section = section;
    dq_status status = DQ_OK;
    *taken = true;
    if (strcmp(bundle->kind, DQ_KIND_USERS) == 0) {
        status = add_entities(catalogue, &catalogue->users, bundle, error);
    } else if (strcmp(bundle->kind, DQ_KIND_ITEMS) == 0) {
        status = read_pairs(catalogue, &bundle->meta, error);
        if (!status) status = add_entities(catalogue, &catalogue->items, bundle, error);
    } else if (strcmp(bundle->kind, DQ_KIND_INTERACTIONS) == 0) {
        if (!keep_bundle(&catalogue->interaction_bundles, &catalogue->interaction_bundle_count,
                         &catalogue->interaction_bundle_capacity, bundle))
            status = no_memory(error);
    } else {
        *taken = false;
    }
    if (*taken) dq_bundle_free(bundle);
    return status;
}

uint32_t dq_entities_count(const dq_entities *entities)
{
    return (uint32_t)dq_index_count(&entities->identity.ids);
}

const char *dq_entities_id(const dq_entities *entities, uint32_t row, size_t *bytes)
{
    return dq_index_id(&entities->identity.ids, row, bytes);
}

uint32_t dq_entities_find(const dq_entities *entities, const char *id, size_t bytes)
{
    return dq_index_find(&entities->identity.ids, id, bytes);
}

dq_status dq_entities_resolve(const dq_entities *entities, uint64_t ref, uint32_t *row, dq_error *error)
{
    if (ref >= entities->section_count)
        return dq_fail(error, DQ_ERR_RANGE, "a reference to row %llu of %zu in its section",
                       (unsigned long long)ref, entities->section_count);
    *row = entities->section_rows[ref];
    return DQ_OK;
}

dq_status dq_entities_find_named(const dq_entities *entities, const char *what, const char *id, uint32_t *row,
                                 dq_error *error)
{
    *row = dq_entities_find(entities, id, strlen(id));
    if (*row == DQ_ABSENT) return dq_fail(error, DQ_ERR_UNKNOWN, "no %s '%s' in the input", what, id);
    return DQ_OK;
}

dq_status dq_entities_mark(const dq_entities *entities, const char *what, const char *const *ids,
                           size_t count, bool **marks, dq_error *error)
{
    *marks = NULL;
    if (count == 0) return DQ_OK;
    bool *found = calloc((size_t)dq_entities_count(entities) + 1, sizeof *found);
    if (!found) return dq_fail_memory(error, "%zu ids", count);
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < count; i++) {
        uint32_t row;
        status = dq_entities_find_named(entities, what, ids[i], &row, error);
        if (!status) found[row] = true;
    }
    if (status)
        free(found);
    else
        *marks = found;
    return status;
}

dq_status dq_entities_check_vectors(const dq_entities *entities, const char *what, dq_error *error)
{
    if (dq_entities_count(entities) == 0) return dq_fail(error, DQ_ERR_SCHEMA, "the input has no %s", what);
    if (entities->width) return DQ_OK;
    return dq_fail_no_vectors(error, strcmp(what, DQ_KIND_USERS) == 0 ? "the users" : "the items");
}

dq_status dq_catalogue_check_vectors(const dq_catalogue *c, dq_error *error)
{
    dq_status status = dq_entities_check_vectors(&c->users, "users", error);
    return status ? status : dq_entities_check_vectors(&c->items, "items", error);
}

dq_vectors dq_entities_vectors(const dq_entities *entities)
{
    return (dq_vectors){
        .at = entities->vectors, .count = dq_entities_count(entities), .width = entities->width};
}

dq_layout dq_entities_layout(const dq_entities *entities)
{
    return (dq_layout){entities->fields, entities->field_count, entities->width};
}

const char *dq_entities_text(const dq_entities *entities, uint32_t row, const char *column, size_t *bytes)
{
    const dq_row *at = &entities->rows[row];
    const dq_column *c = dq_bundle_column(&entities->bundles[at->bundle], column);
    *bytes = 0;
    if (!c || dq_dtype_size(c->type) != 0) return NULL;
    return dq_column_text(c, at->row, bytes);
}

static dq_status resolve_id(const dq_entities *entities, const dq_column *ids, uint64_t r, const char *what,
                            bool allow_absent, uint32_t *row, dq_error *error)
{
    size_t n;
    const char *id = dq_column_text(ids, r, &n);
    *row = dq_entities_find(entities, id, n);
    if (*row == DQ_ABSENT && !allow_absent)
        return dq_fail(error, DQ_ERR_UNKNOWN, "interactions: %s %.*s is not in the catalogue", what, (int)n,
                       id);
    return DQ_OK;
}

static dq_status resolve_bundle(dq_catalogue *catalogue, const dq_bundle *bundle, bool allow_absent,
                                dq_error *error)
{
    const dq_column *users = dq_bundle_column(bundle, "user"), *items = dq_bundle_column(bundle, "item");
    const dq_column *labels = dq_bundle_column(bundle, "label"),
                    *rewards = dq_bundle_column(bundle, "reward");
    for (uint64_t r = 0; r < bundle->rows; r++) {
        dq_interaction *x = &catalogue->interactions[catalogue->interaction_count];
        *x = (dq_interaction){.label = DQ_ABSENT, .reward = NAN};
        dq_status status = resolve_id(&catalogue->users, users, r, "user", allow_absent, &x->user, error);
        if (!status) status = resolve_id(&catalogue->items, items, r, "item", allow_absent, &x->item, error);
        size_t n = 0;
        const char *label = labels ? dq_column_text(labels, r, &n) : NULL;
        if (!status && label) status = dq_index_add(&catalogue->labels, label, n, &x->label, NULL, error);
        if (status) return status;
        if (rewards && !dq_column_is_null(rewards, r)) x->reward = (float)dq_column_number(rewards, r);
        catalogue->interaction_count++;
    }
    return DQ_OK;
}

dq_status dq_catalogue_finish(dq_catalogue *catalogue, bool allow_absent, dq_error *error)
{
    uint64_t total = 0;
    for (size_t i = 0; i < catalogue->interaction_bundle_count; i++)
        total += catalogue->interaction_bundles[i].rows;
    if (total > SIZE_MAX / sizeof *catalogue->interactions) return no_memory(error);
    catalogue->interactions = malloc((size_t)total * sizeof *catalogue->interactions + 1);
    if (!catalogue->interactions) return no_memory(error);
    for (size_t i = 0; i < catalogue->interaction_bundle_count; i++) {
        dq_status status = resolve_bundle(catalogue, &catalogue->interaction_bundles[i], allow_absent, error);
        if (status) return status;
    }
    return DQ_OK;
}

const char *dq_catalogue_label(const dq_catalogue *catalogue, const dq_interaction *interaction,
                               size_t *bytes)
{
    *bytes = 0;
    if (interaction->label == DQ_ABSENT) return NULL;
    return dq_index_id(&catalogue->labels, interaction->label, bytes);
}

static void free_bundles(dq_bundle *bundles, size_t count)
{
    for (size_t i = 0; i < count; i++) dq_bundle_free(&bundles[i]);
    free(bundles);
}

static void free_entities(dq_entities *entities)
{
    dq_identity_free(&entities->identity);
    free_bundles(entities->bundles, entities->bundle_count);
    free(entities->rows);
    free(entities->vectors);
    free(entities->section_rows);
}

void dq_catalogue_free(dq_catalogue *catalogue)
{
    free_entities(&catalogue->users);
    free_entities(&catalogue->items);
    free(catalogue->interactions);
    free_bundles(catalogue->interaction_bundles, catalogue->interaction_bundle_count);
    dq_index_free(&catalogue->labels);
    dq_arena_free(&catalogue->arena);
    *catalogue = DQ_CATALOGUE_EMPTY;
}
