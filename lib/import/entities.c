/* SPDX-License-Identifier: MIT
 *
 * The batches of a side, and the three ways of reading them (import/entities.h).
 */
#include "import/entities.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 512 }; /* rows; with 1536 floats each 3 MiB */

static dq_status out_of_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory for joining collections");
}

/* ---- opening a collection ---- */

/* The keys that a part is read for, and those of them that hold vectors. */
static dq_status ask(const dq_import_part *part, dq_import_reader *r, dq_error *error)
{
    const char **keys = dq_arena_zero(&r->asked, part->text_count + part->vector_count + 2, sizeof *keys);
    dq_vector_key *vectors = dq_arena_zero(&r->asked, part->vector_count + 1, sizeof *vectors);
    if (!keys || !vectors) return out_of_memory(error);
    size_t n = 0;
    keys[n++] = part->id;
    for (size_t i = 0; i < part->text_count; i++) keys[n++] = part->texts[i].key;
    for (size_t i = 0; i < part->vector_count; i++) {
        keys[n++] = part->vectors[i].key;
        vectors[i] = (dq_vector_key){part->vectors[i].key, part->vectors[i].width};
    }
    r->query = (dq_query){.collection = part->collection, .key = part->id, .vectors = vectors};
    r->query.vector_count = part->vector_count;
    if (!part->attributes) r->query.keys = keys;
    return DQ_OK;
}

/* Opens part p, for documents of these ids alone where there are any. */
static dq_status open_part(dq_import_entities *e, size_t p, const char *const *ids, dq_error *error)
{
    dq_import_reader *r = &e->readers[p];
    dq_status status = ask(&e->mapping->parts[p], r, error);
    if (status) return status;
    r->query.ids = ids;
    if (p == 0) r->query.where = e->selection->where;
    if (e->way == DQ_IMPORT_MERGED && e->selection->limit < BATCH) r->query.most = e->selection->limit;
    status = e->place->open(e->place, &r->query, &r->documents, error);
    r->open = !status;
    return status;
}

static void close_part(dq_import_reader *r)
{
    if (r->open) r->documents.close(&r->documents);
    dq_arena_free(&r->asked);
    dq_arena_free(&r->arena);
    free(r->last_text);
    *r = (dq_import_reader){0};
}

/* ---- the documents of a part ---- */

/* Ids that are merged are of one kind, or ObjectIds against their hex digits. */
static int compare(const dq_import_id *a, const dq_import_id *b)
{
    if (a->kind == b->kind || a->kind == DQ_ID_INTEGER || b->kind == DQ_ID_INTEGER)
        return dq_import_id_compare(a, b);
    dq_import_id x = *a, y = *b;
    x.kind = y.kind = DQ_ID_STRING;
    return dq_import_id_compare(&x, &y);
}

/* A place that promised an order keeps it, or rows would be lost without a word. */
static dq_status check_order(dq_import_reader *r, dq_error *error)
{
    if (r->last_text && compare(&r->last, &r->id) > 0) {
        dq_fail(error, DQ_ERR_FORMAT, "the id '%.*s' comes after '%s', which is greater", (int)r->id.bytes,
                r->id.text, r->last_text);
        return dq_error_at(error, r->documents.name, DQ_NO_RECORD);
    }
    char *text = malloc(r->id.bytes + 1);
    if (!text) return out_of_memory(error);
    memcpy(text, r->id.text, r->id.bytes); /* a NUL may be among them */
    text[r->id.bytes] = '\0';
    free(r->last_text);
    r->last = r->id;
    r->last.text = r->last_text = text;
    return DQ_OK;
}

/* Takes the next document that has an id into the hand: 1, 0 at the end, -1. */
static int advance(dq_import_entities *e, size_t p, dq_error *error)
{
    dq_import_reader *r = &e->readers[p];
    int got = 1;
    while (!r->waiting) {
        dq_arena_free(&r->arena);
        got = r->documents.next(&r->documents, &r->arena, &r->document, error);
        if (got <= 0) return got;
        dq_import_fault fault = got == DQ_DOCUMENT_BAD ? DQ_IMPORT_MALFORMED : DQ_IMPORT_FINE;
        const dq_value *id = dq_map_get(&r->document, e->mapping->parts[p].id);
        if (!fault) fault = dq_import_read_id(id, &r->arena, &r->id, error);
        if (fault) dq_import_locate(&r->documents, got == DQ_DOCUMENT ? &r->document : NULL, error);
        if (fault && dq_import_skip(e->tally, fault, error)) return -1;
        if (!fault && e->way == DQ_IMPORT_MERGED && check_order(r, error)) return -1;
        r->waiting = !fault;
    }
    return 1;
}

/* The document in hand goes into its row. */
static dq_status take(dq_import_entities *e, size_t p, dq_error *error)
{
    dq_import_reader *r = &e->readers[p];
    r->waiting = false;
    dq_import_fault fault = dq_import_join(e, p, &r->document, &r->id, &r->arena, r->documents.record, error);
    if (!fault) return DQ_OK;
    dq_import_locate(&r->documents, &r->document, error);
    return dq_import_skip(e->tally, fault, error);
}

/* ---- a batch ---- */

/* The rows: as many as a batch has, and then those documents that repeat the last one's id. */
static dq_status read_rows(dq_import_entities *e, dq_error *error)
{
    dq_import_reader *r = &e->readers[0];
    dq_status status = DQ_OK;
    int got = 0;
    while (!status && (got = advance(e, 0, error)) > 0) {
        const dq_import_row *last = e->count ? &e->rows[e->count - 1] : NULL;
        if (e->way != DQ_IMPORT_WHOLE && e->count >= BATCH &&
            dq_import_id_compare(&last->entity.id, &r->id) != 0)
            return DQ_OK;
        status = take(e, 0, error);
    }
    e->ended = got <= 0;
    return !status && got < 0 ? error->status : status;
}

/* A collection's documents up to the last row's id, or to the end after the last row. */
static dq_status read_up_to_last(dq_import_entities *e, size_t p, dq_error *error)
{
    dq_status status = DQ_OK;
    int got = 0;
    while (!status && (got = advance(e, p, error)) > 0) {
        if (!e->ended && compare(&e->readers[p].id, &e->rows[e->count - 1].entity.id) > 0) return DQ_OK;
        status = take(e, p, error);
    }
    return !status && got < 0 ? error->status : status;
}

/* All documents of a collection, or those of the ids. */
static dq_status read_part(dq_import_entities *e, size_t p, const char *const *ids, dq_error *error)
{
    dq_status status = open_part(e, p, ids, error);
    int got = 0;
    while (!status && (got = advance(e, p, error)) > 0) status = take(e, p, error);
    close_part(&e->readers[p]);
    return !status && got < 0 ? error->status : status;
}

static dq_status look_up(dq_import_entities *e, size_t p, dq_error *error)
{
    if (!e->count) return DQ_OK;
    const char **ids = calloc(e->count + 1, sizeof *ids);
    if (!ids) return out_of_memory(error);
    for (size_t i = 0; i < e->count; i++) ids[i] = e->rows[i].entity.id.text;
    dq_status status = read_part(e, p, ids, error);
    free(ids);
    return status;
}

static int by_id(const void *a, const void *b, void *rows)
{
    const dq_import_row *all = rows;
    return dq_import_id_compare(&all[*(const uint32_t *)a].entity.id, &all[*(const uint32_t *)b].entity.id);
}

/* The rows that leave, in the order of their ids. */
static dq_status choose(dq_import_entities *e, dq_error *error)
{
    uint32_t *order = realloc(e->order, (e->count + 1) * sizeof *order);
    if (!order) return out_of_memory(error);
    e->order = order;
    dq_status status = dq_import_join_check(e, error);
    for (uint32_t i = 0; i < e->count && !status; i++)
        if (!e->rows[i].bad && dq_import_selects(e->selection, &e->rows[i].entity.id)) order[e->chosen++] = i;
    if (e->chosen) qsort_r(order, e->chosen, sizeof *order, by_id, e->rows);
    uint64_t room = e->selection->limit - e->left_count;
    if (e->chosen > room) e->chosen = (size_t)room;
    return status ? status : dq_import_check_selection(e->selection, e->noun, &e->ids, error);
}

static dq_status next_batch(dq_import_entities *e, dq_error *error)
{
    dq_import_join_clear(e);
    dq_status status = read_rows(e, error);
    for (size_t p = 1; p < e->mapping->count && !status; p++) {
        if (e->way == DQ_IMPORT_WHOLE) status = read_part(e, p, NULL, error);
        if (e->way == DQ_IMPORT_MERGED) status = read_up_to_last(e, p, error);
        if (e->way == DQ_IMPORT_LOOKED_UP) status = look_up(e, p, error);
    }
    return status ? status : choose(e, error);
}

/* ---- a side ---- */

/* Whether the order of ids is the order of their texts in all collections alike. */
static dq_status can_merge(const dq_import_entities *e, bool *can, dq_error *error)
{
    unsigned all = 0;
    bool single = true;
    for (size_t p = 0; p < e->mapping->count; p++) {
        dq_query query = {.collection = e->mapping->parts[p].collection, .key = e->mapping->parts[p].id};
        unsigned kinds = 0;
        dq_status status = e->place->kinds(e->place, &query, &kinds, error);
        if (status) return status;
        single &= (kinds & (kinds - 1)) == 0;
        all |= kinds;
    }
    *can = single && ((all & (all - 1)) == 0 || !(all & DQ_ID_INTEGER));
    return DQ_OK;
}

static dq_status choose_way(dq_import_entities *e, dq_error *error)
{
    bool can = false;
    e->way = DQ_IMPORT_WHOLE;
    if (!e->place->kinds) return DQ_OK;
    if (e->selection->where || e->selection->id_count) {
        e->way = DQ_IMPORT_LOOKED_UP;
        e->keeps_ids = true; /* of several kinds, perhaps */
        return DQ_OK;
    }
    dq_status status = can_merge(e, &can, error);
    if (can) e->way = DQ_IMPORT_MERGED;
    return status;
}

dq_status dq_import_entities_open(dq_import_entities *e, dq_error *error)
{
    size_t wanted = e->selection->id_count;
    e->ids_wanted = calloc(wanted + 1, sizeof *e->ids_wanted);
    e->readers = calloc(e->mapping->count, sizeof *e->readers);
    if (!e->readers || !e->ids_wanted) return out_of_memory(error);
    for (size_t i = 0; i < wanted; i++) e->ids_wanted[i] = e->selection->ids[i];
    dq_status status = choose_way(e, error);
    if (!status) status = open_part(e, 0, wanted ? e->ids_wanted : NULL, error);
    for (size_t p = 1; p < e->mapping->count && !status && e->way == DQ_IMPORT_MERGED; p++)
        status = open_part(e, p, NULL, error);
    return status;
}

/* Notes an id that leaves; false when it has left before, which only ids of several kinds can. */
static dq_status note_id(dq_import_entities *e, const dq_import_id *id, bool *first, dq_error *error)
{
    *first = true;
    if (!e->keeps_ids) return DQ_OK;
    dq_status status = dq_index_add(&e->left, id->text, id->bytes, NULL, first, error);
    if (status || *first) return status;
    dq_fail(error, DQ_ERR_DUPLICATE, "the id '%.*s' stands there already", (int)id->bytes, id->text);
    dq_error_at(error, e->mapping->parts[0].collection, DQ_NO_RECORD);
    return dq_import_skip(e->tally, DQ_IMPORT_DUPLICATE, error);
}

static dq_status write_batch(dq_import_entities *e, dq_import_block *block, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < e->chosen && !status; i++) {
        const dq_import_entity *entity = &e->rows[e->order[i]].entity;
        bool first;
        status = note_id(e, &entity->id, &first, error);
        if (status || !first) continue;
        e->left_count++;
        if (block) status = dq_import_block_entity(block, entity, &e->mapping->layout, error);
    }
    return status;
}

dq_status dq_import_entities_run(dq_import_entities *e, const dq_import_target *target, dq_error *error)
{
    dq_import_block *block = NULL;
    dq_status status = target ? dq_import_block_new(&block, e->kind, target, error) : DQ_OK;
    e->left_count = 0;
    do {
        if (!status && !e->ended) status = next_batch(e, error);
        if (!status) status = write_batch(e, block, error);
    } while (!status && !e->ended && e->left_count < e->selection->limit);
    if (!status && block) status = dq_import_block_finish(block, error);
    dq_import_block_free(block);
    return status;
}

void dq_import_entities_close(dq_import_entities *e)
{
    for (size_t p = 0; e->readers && p < e->mapping->count; p++) close_part(&e->readers[p]);
    dq_import_join_clear(e);
    free(e->readers);
    free(e->ids_wanted);
    free(e->rows);
    free(e->order);
    e->readers = NULL;
    e->ids_wanted = NULL;
    e->rows = NULL;
    e->order = NULL;
    e->slots = 0;
    e->ended = false;
}
