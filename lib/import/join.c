/* SPDX-License-Identifier: MIT
 *
 * A document into its row. Joining goes by the id's text, so that an id kept as a string in one collection
 * meets the same ObjectId in another.
 */
#include "import/entities.h"

#include <stdlib.h>
#include <string.h>

static dq_status out_of_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory for joining collections");
}

static dq_status new_row(export_side *s, const export_id *id, uint32_t *at, dq_error *error)
{
    if (s->count == s->slots) {
        size_t slots = s->slots ? 2 * s->slots : 256;
        export_row *rows = realloc(s->rows, slots * sizeof *rows);
        if (!rows) return out_of_memory(error);
        s->rows = rows;
        s->slots = slots;
    }
    export_row row = {.entity = {.id = *id, .texts = dq_map(), .attributes = dq_map()}};
    row.entity.id.text = dq_arena_text(&s->arena, id->text, id->bytes);
    if (!row.entity.id.text) return out_of_memory(error);
    s->rows[s->count++] = row;
    return dq_index_add(&s->ids, id->text, id->bytes, at, NULL, error);
}

/* The row of a document's entity: a new one for the first collection. */
static export_fault find_row(export_side *s, size_t p, const export_id *id, export_row **row, dq_error *error)
{
    uint32_t at = dq_index_find(&s->ids, id->text, id->bytes);
    if (p == 0 && at == DQ_ABSENT && new_row(s, id, &at, error)) return EXPORT_MISSING;
    if (at == DQ_ABSENT) {
        dq_fail(error, DQ_ERR_UNKNOWN, "the id '%.*s' is not in %s", (int)id->bytes, id->text,
                s->schema->parts[0].collection);
        return EXPORT_UNMATCHED;
    }
    *row = &s->rows[at];
    if (!((*row)->parts >> p & 1)) return EXPORT_FINE;
    dq_fail(error, DQ_ERR_DUPLICATE, "the id '%.*s' stands there already", (int)id->bytes, id->text);
    return EXPORT_DUPLICATE;
}

static export_fault keep_texts(export_side *s, const export_part *part, const dq_value *document,
                               dq_arena *arena, export_entity *entity, dq_error *error)
{
    for (size_t i = 0; i < part->text_count; i++) {
        const export_source_key *from = &part->texts[i];
        dq_value text, kept;
        if (export_read_text(dq_map_get(document, from->key), arena, &text, error)) return EXPORT_MISTYPED;
        if (text.type == DQ_NIL && from->optional) continue;
        if (text.type == DQ_NIL || (!text.count && !from->optional)) {
            dq_fail(error, DQ_ERR_SCHEMA, "no %s", from->key);
            return EXPORT_MISSING;
        }
        if (!dq_value_copy(&s->arena, &text, &kept) ||
            !dq_map_set(&s->arena, &entity->texts, from->name, kept))
            return out_of_memory(error), EXPORT_MISTYPED;
    }
    return EXPORT_FINE;
}

static export_fault keep_vectors(const export_side *s, const export_part *part, const dq_value *document,
                                 dq_arena *arena, float *vector, dq_error *error)
{
    const export_layout *layout = &s->schema->layout;
    for (size_t i = 0; i < part->vector_count; i++) {
        const export_source_key *from = &part->vectors[i];
        const dq_field *field = dq_field_find(layout->fields, layout->count, from->name);
        const dq_value *v = dq_map_get(document, from->key);
        bool absent = !v || v->type == DQ_NIL;
        if (absent && from->optional) continue; /* zeros */
        if (absent) {
            dq_fail(error, DQ_ERR_SCHEMA, "no %s", from->key);
            return EXPORT_MISSING;
        }
        export_fault fault = export_read_vector(v, from->key, from->width, arena, vector + field->offset,
                                                error);
        if (fault) return fault;
    }
    return EXPORT_FINE;
}

/* Whether a key is one of the mapping's. `_id` is never an attribute. */
static bool is_mapped(const export_part *part, const dq_value *key)
{
    if (dq_value_is(key, part->id) || dq_value_is(key, "_id")) return true;
    for (size_t i = 0; i < part->text_count; i++)
        if (dq_value_is(key, part->texts[i].key)) return true;
    for (size_t i = 0; i < part->vector_count; i++)
        if (dq_value_is(key, part->vectors[i].key)) return true;
    return false;
}

static export_fault keep_attributes(export_side *s, const export_part *part, const dq_value *document,
                                    export_entity *entity, dq_error *error)
{
    for (uint32_t i = 0; part->attributes && i < document->count; i++) {
        const dq_entry *entry = &document->as.map[i];
        dq_value kept;
        if (is_mapped(part, &entry->key)) continue;
        if (!dq_value_copy(&s->arena, &entry->value, &kept) ||
            !dq_map_set(&s->arena, &entity->attributes, entry->key.as.string, kept))
            return out_of_memory(error), EXPORT_MISTYPED;
    }
    return EXPORT_FINE;
}

export_fault export_join(export_side *s, size_t p, const dq_value *document, const export_id *id,
                         dq_arena *arena, uint64_t record, dq_error *error)
{
    const export_part *part = &s->schema->parts[p];
    uint32_t width = s->schema->layout.width;
    export_row *row = NULL;
    export_fault fault = find_row(s, p, id, &row, error);
    if (fault) return fault;
    row->parts |= 1U << p;
    if (p == 0) row->record = record;
    if (width && !row->vector) {
        row->vector = dq_arena_zero(&s->arena, width, sizeof(float));
        if (!row->vector) return out_of_memory(error), EXPORT_MISTYPED;
        row->entity.vector = row->vector;
    }
    fault = keep_texts(s, part, document, arena, &row->entity, error);
    if (!fault) fault = keep_vectors(s, part, document, arena, row->vector, error);
    if (!fault) fault = keep_attributes(s, part, document, &row->entity, error);
    row->bad |= fault != EXPORT_FINE;
    return fault;
}

/* Which collection an entity misses is said for the first such; the summary counts them. */
static dq_status check_row(export_side *s, export_row *row, dq_error *error)
{
    for (size_t p = 0; p < s->schema->count && !row->bad; p++) {
        if (row->parts >> p & 1) continue;
        row->bad = true;
        const export_id *id = &row->entity.id;
        dq_fail(error, DQ_ERR_UNKNOWN, "%s '%.*s' is not in %s", s->noun, (int)id->bytes, id->text,
                s->schema->parts[p].collection);
        const char *collection = s->schema->parts[0].collection;
        if (row->record == DQ_NO_RECORD) export_locate_id(collection, id, error);
        dq_error_at(error, collection, row->record);
        return export_skip(s->tally, EXPORT_UNMATCHED, error);
    }
    return DQ_OK;
}

dq_status export_join_check(export_side *s, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < s->count && !status; i++) status = check_row(s, &s->rows[i], error);
    return status;
}

void export_join_clear(export_side *s)
{
    dq_index_free(&s->ids);
    dq_arena_free(&s->arena);
    s->count = s->chosen = 0;
}
