/* SPDX-License-Identifier: MIT */
#include "import/join.h"

#include "core/array.h"

#include <stdlib.h>
#include <string.h>

static dq_status new_row(dq_import_join *j, const dq_import_id *id, uint32_t *at, dq_error *error)
{
    if (!dq_array_reserve(&j->rows, &j->slots, j->count + 1, sizeof *j->rows))
        return dq_fail_memory(error, "joining collections");
    dq_import_row row = {.entity = {.id = *id, .texts = dq_map(), .attributes = dq_map()}};
    row.entity.id.text = dq_arena_text(&j->arena, id->text, id->bytes);
    if (!row.entity.id.text) return dq_fail_memory(error, "joining collections");
    j->rows[j->count++] = row;
    return dq_index_add(&j->ids, id->text, id->bytes, at, NULL, error);
}

/* The row of a document's entity: a new one for the first collection. */
static dq_import_fault find_row(dq_import_join *j, size_t p, const dq_import_id *id, dq_import_row **row,
                                dq_error *error)
{
    uint32_t at = dq_index_find(&j->ids, id->text, id->bytes);
    if (p == 0 && at == DQ_ABSENT && new_row(j, id, &at, error)) return DQ_IMPORT_MISSING;
    if (at == DQ_ABSENT) {
        dq_fail(error, DQ_ERR_UNKNOWN, "the id '%.*s' is not in %s", (int)id->bytes, id->text,
                j->mapping->parts[0].collection);
        return DQ_IMPORT_UNMATCHED;
    }
    *row = &j->rows[at];
    if (!((*row)->parts >> p & 1)) return DQ_IMPORT_FINE;
    dq_fail(error, DQ_ERR_DUPLICATE, "the id '%.*s' stands there already", (int)id->bytes, id->text);
    return DQ_IMPORT_DUPLICATE;
}

static dq_import_fault keep_texts(dq_import_join *j, const dq_import_part *part, const dq_value *document,
                                  dq_arena *arena, dq_import_entity *entity, dq_error *error)
{
    for (size_t i = 0; i < part->text_count; i++) {
        const dq_import_key *from = &part->texts[i];
        dq_value text, kept;
        if (dq_import_read_text(dq_map_get(document, from->key), arena, &text, error))
            return DQ_IMPORT_MISTYPED;
        if (text.type == DQ_NIL && from->optional) continue;
        if (text.type == DQ_NIL || (!text.count && !from->optional)) {
            dq_fail(error, DQ_ERR_SCHEMA, "no %s", from->key);
            return DQ_IMPORT_MISSING;
        }
        if (!dq_value_copy(&j->arena, &text, &kept) ||
            !dq_map_set(&j->arena, &entity->texts, from->name, kept))
            return dq_import_out_of_memory("joining collections", error);
    }
    return DQ_IMPORT_FINE;
}

static dq_import_fault keep_vectors(const dq_import_join *j, const dq_import_part *part,
                                    const dq_value *document, dq_arena *arena, float *vector, dq_error *error)
{
    const dq_import_layout *layout = &j->mapping->layout;
    for (size_t i = 0; i < part->vector_count; i++) {
        const dq_import_key *from = &part->vectors[i];
        const dq_field *field = dq_field_find(layout->fields, layout->count, from->name);
        const dq_value *v = dq_map_get(document, from->key);
        bool absent = !v || v->type == DQ_NIL;
        if (absent && from->optional) continue; /* zeros */
        if (absent) {
            dq_fail(error, DQ_ERR_SCHEMA, "no %s", from->key);
            return DQ_IMPORT_MISSING;
        }
        dq_import_fault fault = dq_import_read_vector(v, from->key, from->width, arena,
                                                      vector + field->offset, error);
        if (fault) return fault;
    }
    return DQ_IMPORT_FINE;
}

/* Whether a key is one of the mapping's. `_id` is never an attribute. */
static bool is_mapped(const dq_import_part *part, const dq_value *key)
{
    if (dq_value_is(key, part->id) || dq_value_is(key, "_id")) return true;
    for (size_t i = 0; i < part->text_count; i++)
        if (dq_value_is(key, part->texts[i].key)) return true;
    for (size_t i = 0; i < part->vector_count; i++)
        if (dq_value_is(key, part->vectors[i].key)) return true;
    return false;
}

/* A value that another collection has under the same key is kept once; another value would be lost. */
static dq_import_fault keep_attribute(dq_import_join *j, const dq_entry *entry, bool first,
                                      dq_value *attributes, dq_error *error)
{
    const dq_value *there = first ? NULL : dq_map_get(attributes, entry->key.as.string);
    if (there && dq_value_equal(there, &entry->value)) return DQ_IMPORT_FINE;
    if (there) {
        dq_fail(error, DQ_ERR_DUPLICATE, "the attribute '%.80s' has another value in another collection",
                entry->key.as.string);
        return DQ_IMPORT_DUPLICATE;
    }
    if (attributes->count == DQ_MAX_COLUMNS - 2) {
        dq_fail(error, DQ_ERR_SCHEMA, "more than %d attributes", DQ_MAX_COLUMNS - 2);
        return DQ_IMPORT_MISTYPED;
    }
    dq_value key = dq_string_n(&j->arena, entry->key.as.string, entry->key.count), kept;
    if (key.type != DQ_STRING || !dq_value_copy(&j->arena, &entry->value, &kept) ||
        !dq_map_add(&j->arena, attributes, key, kept))
        return dq_import_out_of_memory("joining collections", error);
    return DQ_IMPORT_FINE;
}

static dq_import_fault keep_attributes(dq_import_join *j, const dq_import_part *part,
                                       const dq_value *document, dq_import_entity *entity, dq_error *error)
{
    bool first = entity->attributes.count == 0; /* keys of one document are unique */
    dq_import_fault fault = DQ_IMPORT_FINE;
    for (uint32_t i = 0; part->attributes && i < document->count && !fault; i++)
        if (!is_mapped(part, &document->as.map[i].key))
            fault = keep_attribute(j, &document->as.map[i], first, &entity->attributes, error);
    return fault;
}

dq_import_fault dq_import_join_add(dq_import_join *j, size_t p, const dq_value *document,
                                   const dq_import_id *id, dq_arena *arena, uint64_t record, dq_error *error)
{
    const dq_import_part *part = &j->mapping->parts[p];
    uint32_t width = j->mapping->layout.width;
    dq_import_row *row = NULL;
    dq_import_fault fault = find_row(j, p, id, &row, error);
    if (fault) return fault;
    row->parts |= 1U << p;
    if (p == 0) row->record = record;
    if (width && !row->vector) {
        row->vector = dq_arena_zero(&j->arena, width, sizeof(float));
        if (!row->vector) return dq_import_out_of_memory("joining collections", error);
        row->entity.vector = row->vector;
    }
    fault = keep_texts(j, part, document, arena, &row->entity, error);
    if (!fault) fault = keep_vectors(j, part, document, arena, row->vector, error);
    if (!fault) fault = keep_attributes(j, part, document, &row->entity, error);
    row->bad |= fault != DQ_IMPORT_FINE;
    return fault;
}

/* Which collection an entity misses is said for the first such; the summary counts them. */
static dq_status check_row(const dq_import_join *j, dq_import_row *row, const char *noun,
                           dq_import_tally *tally, dq_error *error)
{
    for (size_t p = 0; p < j->mapping->count && !row->bad; p++) {
        if (row->parts >> p & 1) continue;
        row->bad = true;
        const dq_import_id *id = &row->entity.id;
        dq_fail(error, DQ_ERR_UNKNOWN, "%s '%.*s' is not in %s", noun, (int)id->bytes, id->text,
                j->mapping->parts[p].collection);
        const char *collection = j->mapping->parts[0].collection;
        if (row->record == DQ_NO_RECORD) dq_import_locate_id(collection, id, error);
        dq_error_at(error, collection, row->record);
        return dq_import_skip(tally, DQ_IMPORT_UNMATCHED, error);
    }
    return DQ_OK;
}

dq_status dq_import_join_check(dq_import_join *j, const char *noun, dq_import_tally *tally, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < j->count && !status; i++) status = check_row(j, &j->rows[i], noun, tally, error);
    return status;
}

void dq_import_join_clear(dq_import_join *j)
{
    dq_index_free(&j->ids);
    dq_arena_free(&j->arena);
    j->count = 0;
}

void dq_import_join_free(dq_import_join *j)
{
    dq_import_join_clear(j);
    free(j->rows);
    j->rows = NULL;
    j->slots = 0;
}
