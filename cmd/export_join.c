/* SPDX-License-Identifier: MIT
 *
 * Collections, joined by id whatever the order of their documents, and sent in the order of the ids. The
 * first collection of a side says which entities there are; every other one must have a document for each.
 * What is kept in memory is what will leave: texts, attributes, and vectors as float32.
 */
#include "export.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct joined {
    export_entity entity;
    float *vector;   /* entity.vector, writable */
    uint64_t record; /* of its document in the first collection */
    uint32_t parts;  /* bit p: part p has been read */
    bool bad;        /* one of its documents was passed over: counted already */
    bool leaves;
} joined;

/* One side, joined. */
typedef struct side {
    const char *noun, *kind;
    const export_side_schema *schema;
    const export_selection *pick;
    export_tally *tally;
    dq_index ids; /* row of `rows`, in the order of the first collection */
    joined *rows;
    size_t count, slots;
    uint32_t *order; /* (chosen) rows that leave, by id */
    size_t chosen;
    uint32_t *place; /* (count) of a row in that order, DQ_ABSENT when it stays */
    dq_arena arena;  /* what the rows keep */
} side;

static dq_status out_of_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory for joining collections");
}

/* ---- one document ---- */

/* The row of a document's entity: a new one for the first collection. */
static export_fault find_row(side *s, size_t part, const export_id *id, joined **row, dq_error *error)
{
    uint32_t at = dq_index_find(&s->ids, id->text, id->bytes);
    if (part == 0 && at == DQ_ABSENT) {
        if (s->count == s->slots) {
            size_t slots = s->slots ? 2 * s->slots : 256;
            joined *rows = realloc(s->rows, slots * sizeof *rows);
            if (rows) s->rows = rows;
            if (!rows) return out_of_memory(error), EXPORT_MISSING;
            s->slots = slots;
        }
        if (dq_index_add(&s->ids, id->text, id->bytes, &at, NULL, error)) return EXPORT_MISSING;
        s->rows[s->count++] = (joined){.entity = {.id = *id, .texts = dq_map(), .attributes = dq_map()}};
    }
    if (at == DQ_ABSENT) {
        dq_fail(error, DQ_ERR_UNKNOWN, "the id '%.*s' is not in %s", (int)id->bytes, id->text,
                s->schema->parts[0].collection);
        return EXPORT_UNMATCHED;
    }
    *row = &s->rows[at];
    if (!((*row)->parts >> part & 1)) return EXPORT_FINE;
    dq_fail(error, DQ_ERR_DUPLICATE, "the id '%.*s' stands there already", (int)id->bytes, id->text);
    return EXPORT_DUPLICATE;
}

static export_fault keep_texts(side *s, const export_part *part, const dq_value *document, dq_arena *arena,
                               export_entity *entity, dq_error *error)
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

static export_fault keep_vectors(const side *s, const export_part *part, const dq_value *document,
                                 float *vector, dq_error *error)
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
        export_fault fault = export_read_vector(v, from->key, from->width, vector + field->offset, error);
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

static export_fault keep_attributes(side *s, const export_part *part, const dq_value *document,
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

static export_fault keep_document(side *s, size_t part_number, const dq_value *document, dq_arena *arena,
                                  uint64_t record, dq_error *error)
{
    const export_part *part = &s->schema->parts[part_number];
    uint32_t width = s->schema->layout.width;
    export_id id;
    joined *row = NULL;
    export_fault fault = export_read_id(dq_map_get(document, part->id), &s->arena, &id, error);
    if (!fault && !(id.text = dq_arena_text(&s->arena, id.text, id.bytes)))
        return out_of_memory(error), EXPORT_NO_ID;
    if (!fault) fault = find_row(s, part_number, &id, &row, error);
    if (fault) return fault;
    row->parts |= 1U << part_number;
    if (part_number == 0) row->record = record;
    if (width && !row->vector) {
        row->vector = dq_arena_zero(&s->arena, width, sizeof(float));
        if (!row->vector) return out_of_memory(error), EXPORT_MISTYPED;
        row->entity.vector = row->vector;
    }
    fault = keep_texts(s, part, document, arena, &row->entity, error);
    if (!fault) fault = keep_vectors(s, part, document, row->vector, error);
    if (!fault) fault = keep_attributes(s, part, document, &row->entity, error);
    row->bad |= fault != EXPORT_FINE;
    return fault;
}

/* ---- one side ---- */

static dq_status read_part(side *s, size_t part, dq_collections *place, dq_error *error)
{
    dq_documents documents;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value document;
    int got = 0;
    dq_status status = place->open(place, s->schema->parts[part].collection, &documents, error);
    if (status) return status;
    while (!status && (got = documents.next(&documents, &arena, &document, error)) > 0) {
        export_fault fault = got == DQ_DOCUMENT_BAD ? EXPORT_MALFORMED : EXPORT_FINE;
        if (!fault) fault = keep_document(s, part, &document, &arena, documents.record, error);
        if (fault) {
            dq_error_at(error, documents.name, documents.record);
            status = export_skip(s->tally, fault, error);
        }
        dq_arena_free(&arena);
    }
    dq_arena_free(&arena);
    documents.close(&documents);
    return !status && got < 0 ? error->status : status;
}

/* Which collection an entity misses is said for the first such; the summary counts them. */
static dq_status check_parts(side *s, joined *row, dq_error *error)
{
    for (size_t p = 0; p < s->schema->count && !row->bad; p++) {
        if (row->parts >> p & 1) continue;
        row->bad = true;
        dq_fail(error, DQ_ERR_UNKNOWN, "%s '%.*s' is not in %s", s->noun, (int)row->entity.id.bytes,
                row->entity.id.text, s->schema->parts[p].collection);
        dq_error_at(error, s->schema->parts[0].collection, row->record);
        return export_skip(s->tally, EXPORT_UNMATCHED, error);
    }
    return DQ_OK;
}

static int by_id(const void *a, const void *b, void *rows)
{
    const joined *all = rows;
    return export_id_compare(&all[*(const uint32_t *)a].entity.id, &all[*(const uint32_t *)b].entity.id);
}

/* The rows that leave, in the order of their ids. */
static dq_status choose(side *s, dq_error *error)
{
    s->order = malloc((s->count + 1) * sizeof *s->order);
    s->place = malloc((s->count + 1) * sizeof *s->place);
    if (!s->order || !s->place) return out_of_memory(error);
    for (uint32_t i = 0; i < s->count; i++) {
        dq_status status = check_parts(s, &s->rows[i], error);
        if (status) return status;
        s->place[i] = DQ_ABSENT;
        if (!s->rows[i].bad && export_selected(s->pick, &s->rows[i].entity.id)) s->order[s->chosen++] = i;
    }
    qsort_r(s->order, s->chosen, sizeof *s->order, by_id, s->rows);
    if (s->chosen > s->pick->limit) s->chosen = (size_t)s->pick->limit;
    for (uint32_t i = 0; i < s->chosen; i++) s->place[s->order[i]] = i;
    return export_check_selection(s->pick, s->noun, &s->ids, error);
}

static dq_status join(side *s, dq_collections *place, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t p = 0; p < s->schema->count && !status; p++) status = read_part(s, p, place, error);
    return status ? status : choose(s, error);
}

static dq_status write_side(const side *s, const export_target *target, dq_error *error)
{
    export_block *block;
    dq_status status = export_block_new(&block, s->kind, target, error);
    for (size_t i = 0; i < s->chosen && !status; i++)
        status = export_block_entity(block, &s->rows[s->order[i]].entity, &s->schema->layout, error);
    if (!status) status = export_block_finish(block, error);
    export_block_free(block);
    return status;
}

static void free_side(side *s)
{
    dq_index_free(&s->ids);
    free(s->rows);
    free(s->order);
    free(s->place);
    dq_arena_free(&s->arena);
}

/* ---- interactions ---- */

typedef struct kept {
    export_interaction interaction;
    uint32_t user, item; /* places in the order of the ids */
    size_t number;       /* as they came */
} kept;

typedef struct interactions {
    kept *rows;
    size_t count, slots;
    dq_arena arena;
} interactions;

/* By user, then item, then as they came. */
static int by_pair(const void *a, const void *b)
{
    const kept *x = a, *y = b;
    if (x->user != y->user) return x->user < y->user ? -1 : 1;
    if (x->item != y->item) return x->item < y->item ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

/* The place of an interaction's end; an entity that was passed over is as unknown as one that never was. */
static export_fault find_place(const side *s, const export_id *id, export_fault unknown, uint32_t *place,
                               dq_error *error)
{
    uint32_t row = dq_index_find(&s->ids, id->text, id->bytes);
    *place = row == DQ_ABSENT ? DQ_ABSENT : s->place[row];
    if (row != DQ_ABSENT && !s->rows[row].bad) return EXPORT_FINE;
    dq_fail(error, DQ_ERR_UNKNOWN, "no %s '%.*s'", s->noun, (int)id->bytes, id->text);
    return unknown;
}

static dq_status keep_interaction(interactions *all, const export_interaction *x, uint32_t user,
                                  uint32_t item, dq_error *error)
{
    if (all->count == all->slots) {
        size_t slots = all->slots ? 2 * all->slots : 1024;
        kept *rows = realloc(all->rows, slots * sizeof *rows);
        if (!rows) return out_of_memory(error);
        all->rows = rows;
        all->slots = slots;
    }
    kept *k = &all->rows[all->count];
    *k = (kept){.interaction = *x, .user = user, .item = item, .number = all->count};
    k->interaction.user.text = dq_arena_text(&all->arena, x->user.text, x->user.bytes);
    k->interaction.item.text = dq_arena_text(&all->arena, x->item.text, x->item.bytes);
    if (!k->interaction.user.text || !k->interaction.item.text ||
        !dq_value_copy(&all->arena, &x->label, &k->interaction.label) ||
        !dq_value_copy(&all->arena, &x->attributes, &k->interaction.attributes))
        return out_of_memory(error);
    all->count++;
    return DQ_OK;
}

static dq_status read_interactions(interactions *all, const export_schema *schema, const side *users,
                                   const side *items, dq_documents *documents, export_tally *tally,
                                   dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value document;
    export_interaction x;
    dq_status status = DQ_OK;
    int got = 0;
    while (!status && (got = documents->next(documents, &arena, &document, error)) > 0) {
        uint32_t user = DQ_ABSENT, item = DQ_ABSENT;
        export_fault fault = got == DQ_DOCUMENT_BAD ? EXPORT_MALFORMED : EXPORT_FINE;
        if (!fault) fault = export_read_interaction(&document, &schema->keys, &arena, &x, error);
        if (!fault) fault = find_place(users, &x.user, EXPORT_UNKNOWN_USER, &user, error);
        if (!fault) fault = find_place(items, &x.item, EXPORT_UNKNOWN_ITEM, &item, error);
        if (fault) {
            dq_error_at(error, documents->name, documents->record);
            status = export_skip(tally, fault, error);
        } else if (user != DQ_ABSENT && item != DQ_ABSENT) {
            status = keep_interaction(all, &x, user, item, error);
        }
        dq_arena_free(&arena);
    }
    dq_arena_free(&arena);
    return !status && got < 0 ? error->status : status;
}

static dq_status write_kept(interactions *all, const export_target *target, dq_error *error)
{
    export_block *block;
    dq_status status = export_block_new(&block, DQ_KIND_INTERACTIONS, target, error);
    if (all->count) qsort(all->rows, all->count, sizeof *all->rows, by_pair);
    for (size_t i = 0; i < all->count && !status; i++)
        status = export_block_interaction(block, &all->rows[i].interaction, error);
    if (!status) status = export_block_finish(block, error);
    export_block_free(block);
    return status;
}

static dq_status write_interactions(export_request *request, const export_schema *schema, const side *users,
                                    const side *items, dq_collections *place, dq_error *error)
{
    dq_documents documents;
    interactions all = {0};
    if (!schema->interactions) return DQ_OK;
    dq_status status = place->open(place, schema->interactions, &documents, error);
    if (status == DQ_ERR_UNKNOWN && schema->interactions_optional) {
        *error = DQ_ERROR_NONE;
        return DQ_OK;
    }
    if (status) return status;
    status = read_interactions(&all, schema, users, items, &documents, &request->interaction_tally, error);
    if (!status) status = write_kept(&all, &request->target, error);
    documents.close(&documents);
    free(all.rows);
    dq_arena_free(&all.arena);
    return status;
}

dq_status export_collections(export_request *request, const export_schema *schema, dq_collections *place,
                             dq_error *error)
{
    side users = {.noun = "user", .kind = DQ_KIND_USERS, .schema = &schema->users};
    side items = {.noun = "item", .kind = DQ_KIND_ITEMS, .schema = &schema->items};
    users.pick = &request->pick_users;
    users.tally = &request->user_tally;
    items.pick = &request->pick_items;
    items.tally = &request->item_tally;
    const export_target *target = &request->target;
    dq_status status = export_check_pairs(target, &schema->users.layout, &schema->items.layout, error);
    if (!status) status = join(&users, place, error);
    if (!status) status = join(&items, place, error);
    if (!status) status = write_side(&users, target, error);
    if (!status) status = write_interactions(request, schema, &users, &items, place, error);
    if (!status) status = write_side(&items, target, error);
    free_side(&users);
    free_side(&items);
    return status;
}
