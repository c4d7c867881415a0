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
static dq_status ask(const export_part *part, export_reader *r, dq_error *error)
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
static dq_status open_part(export_side *s, size_t p, const char *const *ids, dq_error *error)
{
    export_reader *r = &s->readers[p];
    dq_status status = ask(&s->schema->parts[p], r, error);
    if (status) return status;
    r->query.ids = ids;
    if (p == 0) r->query.where = s->pick->where;
    if (s->way == EXPORT_MERGED && s->pick->limit < BATCH) r->query.most = s->pick->limit;
    status = s->place->open(s->place, &r->query, &r->documents, error);
    r->open = !status;
    return status;
}

static void close_part(export_reader *r)
{
    if (r->open) r->documents.close(&r->documents);
    dq_arena_free(&r->asked);
    dq_arena_free(&r->arena);
    free(r->last_text);
    *r = (export_reader){0};
}

/* ---- the documents of a part ---- */

/* Ids that are merged are of one kind, or ObjectIds against their hex digits. */
static int compare(const export_id *a, const export_id *b)
{
    if (a->kind == b->kind || a->kind == EXPORT_INTEGER || b->kind == EXPORT_INTEGER)
        return export_id_compare(a, b);
    export_id x = *a, y = *b;
    x.kind = y.kind = EXPORT_STRING;
    return export_id_compare(&x, &y);
}

/* A place that promised an order keeps it, or rows would be lost without a word. */
static dq_status check_order(export_reader *r, dq_error *error)
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
static int advance(export_side *s, size_t p, dq_error *error)
{
    export_reader *r = &s->readers[p];
    int got = 1;
    while (!r->waiting) {
        dq_arena_free(&r->arena);
        got = r->documents.next(&r->documents, &r->arena, &r->document, error);
        if (got <= 0) return got;
        export_fault fault = got == DQ_DOCUMENT_BAD ? EXPORT_MALFORMED : EXPORT_FINE;
        const dq_value *id = dq_map_get(&r->document, s->schema->parts[p].id);
        if (!fault) fault = export_read_id(id, &r->arena, &r->id, error);
        if (fault) export_locate(&r->documents, got == DQ_DOCUMENT ? &r->document : NULL, error);
        if (fault && export_skip(s->tally, fault, error)) return -1;
        if (!fault && s->way == EXPORT_MERGED && check_order(r, error)) return -1;
        r->waiting = !fault;
    }
    return 1;
}

/* The document in hand goes into its row. */
static dq_status take(export_side *s, size_t p, dq_error *error)
{
    export_reader *r = &s->readers[p];
    r->waiting = false;
    export_fault fault = export_join(s, p, &r->document, &r->id, &r->arena, r->documents.record, error);
    if (!fault) return DQ_OK;
    export_locate(&r->documents, &r->document, error);
    return export_skip(s->tally, fault, error);
}

/* ---- a batch ---- */

/* The rows: as many as a batch has, and then those documents that repeat the last one's id. */
static dq_status read_rows(export_side *s, dq_error *error)
{
    export_reader *r = &s->readers[0];
    dq_status status = DQ_OK;
    int got = 0;
    while (!status && (got = advance(s, 0, error)) > 0) {
        const export_row *last = s->count ? &s->rows[s->count - 1] : NULL;
        if (s->way != EXPORT_WHOLE && s->count >= BATCH && export_id_compare(&last->entity.id, &r->id) != 0)
            return DQ_OK;
        status = take(s, 0, error);
    }
    s->ended = got <= 0;
    return !status && got < 0 ? error->status : status;
}

/* A collection's documents up to the last row's id, or to the end after the last row. */
static dq_status read_up_to_last(export_side *s, size_t p, dq_error *error)
{
    dq_status status = DQ_OK;
    int got = 0;
    while (!status && (got = advance(s, p, error)) > 0) {
        if (!s->ended && compare(&s->readers[p].id, &s->rows[s->count - 1].entity.id) > 0) return DQ_OK;
        status = take(s, p, error);
    }
    return !status && got < 0 ? error->status : status;
}

/* All documents of a collection, or those of the ids. */
static dq_status read_part(export_side *s, size_t p, const char *const *ids, dq_error *error)
{
    dq_status status = open_part(s, p, ids, error);
    int got = 0;
    while (!status && (got = advance(s, p, error)) > 0) status = take(s, p, error);
    close_part(&s->readers[p]);
    return !status && got < 0 ? error->status : status;
}

static dq_status look_up(export_side *s, size_t p, dq_error *error)
{
    if (!s->count) return DQ_OK;
    const char **ids = calloc(s->count + 1, sizeof *ids);
    if (!ids) return out_of_memory(error);
    for (size_t i = 0; i < s->count; i++) ids[i] = s->rows[i].entity.id.text;
    dq_status status = read_part(s, p, ids, error);
    free(ids);
    return status;
}

static int by_id(const void *a, const void *b, void *rows)
{
    const export_row *all = rows;
    return export_id_compare(&all[*(const uint32_t *)a].entity.id, &all[*(const uint32_t *)b].entity.id);
}

/* The rows that leave, in the order of their ids. */
static dq_status choose(export_side *s, dq_error *error)
{
    uint32_t *order = realloc(s->order, (s->count + 1) * sizeof *order);
    if (!order) return out_of_memory(error);
    s->order = order;
    dq_status status = export_join_check(s, error);
    for (uint32_t i = 0; i < s->count && !status; i++)
        if (!s->rows[i].bad && export_selected(s->pick, &s->rows[i].entity.id)) order[s->chosen++] = i;
    if (s->chosen) qsort_r(order, s->chosen, sizeof *order, by_id, s->rows);
    uint64_t room = s->pick->limit - s->left_count;
    if (s->chosen > room) s->chosen = (size_t)room;
    return status ? status : export_check_selection(s->pick, s->noun, &s->ids, error);
}

static dq_status next_batch(export_side *s, dq_error *error)
{
    export_join_clear(s);
    dq_status status = read_rows(s, error);
    for (size_t p = 1; p < s->schema->count && !status; p++) {
        if (s->way == EXPORT_WHOLE) status = read_part(s, p, NULL, error);
        if (s->way == EXPORT_MERGED) status = read_up_to_last(s, p, error);
        if (s->way == EXPORT_LOOKED_UP) status = look_up(s, p, error);
    }
    return status ? status : choose(s, error);
}

/* ---- a side ---- */

/* Whether the order of ids is the order of their texts in all collections alike. */
static dq_status can_merge(const export_side *s, bool *can, dq_error *error)
{
    unsigned all = 0;
    bool single = true;
    for (size_t p = 0; p < s->schema->count; p++) {
        dq_query query = {.collection = s->schema->parts[p].collection, .key = s->schema->parts[p].id};
        unsigned kinds = 0;
        dq_status status = s->place->kinds(s->place, &query, &kinds, error);
        if (status) return status;
        single &= (kinds & (kinds - 1)) == 0;
        all |= kinds;
    }
    *can = single && ((all & (all - 1)) == 0 || !(all & DQ_ID_INTEGER));
    return DQ_OK;
}

static dq_status choose_way(export_side *s, dq_error *error)
{
    bool can = false;
    s->way = EXPORT_WHOLE;
    if (!s->place->kinds) return DQ_OK;
    if (s->pick->where || s->pick->id_count) {
        s->way = EXPORT_LOOKED_UP;
        s->keeps_ids = true; /* of several kinds, perhaps */
        return DQ_OK;
    }
    dq_status status = can_merge(s, &can, error);
    if (can) s->way = EXPORT_MERGED;
    return status;
}

dq_status export_side_open(export_side *s, dq_error *error)
{
    size_t wanted = s->pick->id_count;
    s->ids_wanted = calloc(wanted + 1, sizeof *s->ids_wanted);
    s->readers = calloc(s->schema->count, sizeof *s->readers);
    if (!s->readers || !s->ids_wanted) return out_of_memory(error);
    for (size_t i = 0; i < wanted; i++) s->ids_wanted[i] = s->pick->ids[i];
    dq_status status = choose_way(s, error);
    if (!status) status = open_part(s, 0, wanted ? s->ids_wanted : NULL, error);
    for (size_t p = 1; p < s->schema->count && !status && s->way == EXPORT_MERGED; p++)
        status = open_part(s, p, NULL, error);
    return status;
}

/* Notes an id that leaves; false when it has left before, which only ids of several kinds can. */
static dq_status note_id(export_side *s, const export_id *id, bool *first, dq_error *error)
{
    *first = true;
    if (!s->keeps_ids) return DQ_OK;
    dq_status status = dq_index_add(&s->left, id->text, id->bytes, NULL, first, error);
    if (status || *first) return status;
    dq_fail(error, DQ_ERR_DUPLICATE, "the id '%.*s' stands there already", (int)id->bytes, id->text);
    dq_error_at(error, s->schema->parts[0].collection, DQ_NO_RECORD);
    return export_skip(s->tally, EXPORT_DUPLICATE, error);
}

static dq_status write_batch(export_side *s, export_block *block, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < s->chosen && !status; i++) {
        const export_entity *entity = &s->rows[s->order[i]].entity;
        bool first;
        status = note_id(s, &entity->id, &first, error);
        if (status || !first) continue;
        s->left_count++;
        if (block) status = export_block_entity(block, entity, &s->schema->layout, error);
    }
    return status;
}

dq_status export_side_run(export_side *s, const export_target *target, dq_error *error)
{
    export_block *block = NULL;
    dq_status status = target ? export_block_new(&block, s->kind, target, error) : DQ_OK;
    s->left_count = 0;
    do {
        if (!status && !s->ended) status = next_batch(s, error);
        if (!status) status = write_batch(s, block, error);
    } while (!status && !s->ended && s->left_count < s->pick->limit);
    if (!status && block) status = export_block_finish(block, error);
    export_block_free(block);
    return status;
}

void export_side_close(export_side *s)
{
    for (size_t p = 0; s->readers && p < s->schema->count; p++) close_part(&s->readers[p]);
    export_join_clear(s);
    free(s->readers);
    free(s->ids_wanted);
    free(s->rows);
    free(s->order);
    s->readers = NULL;
    s->ids_wanted = NULL;
    s->rows = NULL;
    s->order = NULL;
    s->slots = 0;
    s->ended = false;
}
