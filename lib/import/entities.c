/* SPDX-License-Identifier: MIT */
#include "import/entities.h"

#include "core/array.h"
#include "import/join.h"
#include "import/reader.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 512 }; /* rows; with 1536 floats each 3 MiB */

typedef enum way { WHOLE, MERGED, LOOKED_UP } way;

struct dq_import_entities {
    const dq_import_entities_mapping *mapping;
    const dq_import_selection *selection;
    dq_collections *place;
    bool keeps_ids;
    way way;
    dq_import_reader *readers; /* (parts) */
    const char **ids_wanted;   /* NULL-ended: the selection's */
    dq_import_tally *tally;    /* of this reading */
    bool ended;                /* part 0 has no more */
    dq_import_join join;       /* this batch */
    uint32_t *order;           /* (order_count) its rows that leave, by id */
    size_t order_count;
    dq_index met; /* ids of the selection that were there */
    uint64_t left;
    dq_import_chosen chosen;
};

/* ---- the documents of a part ---- */

/* Opens part p, for documents of these ids alone where there are any. */
static dq_status open_part(dq_import_entities *e, size_t p, const char *const *ids, dq_error *error)
{
    dq_query wish = {.ids = ids};
    if (p == 0) wish.where = e->selection->where;
    if (e->way == MERGED && e->selection->limit < BATCH) wish.most = e->selection->limit;
    return dq_import_reader_open(&e->readers[p], e->place, &e->mapping->parts[p], &wish, e->way == MERGED,
                                 error);
}

/* The next document of part p: 1, 0 at the end, -1. It stays the next one until it is taken. */
static int advance(dq_import_entities *e, size_t p, dq_error *error)
{
    return dq_import_reader_advance(&e->readers[p], e->tally, error);
}

/* The document in hand goes into its row. */
static dq_status take_document(dq_import_entities *e, size_t p, dq_error *error)
{
    dq_import_reader *r = &e->readers[p];
    r->waiting = false;
    dq_import_fault fault = dq_import_join_add(&e->join, p, &r->document, &r->id, &r->arena,
                                               r->documents.record, error);
    if (!fault) return DQ_OK;
    dq_import_locate(&r->documents, &r->document, error);
    return dq_import_skip(e->tally, fault, error);
}

/* ---- a batch ---- */

/* The rows: as many as a batch has, and then those documents that repeat the last one's id. */
static dq_status read_rows(dq_import_entities *e, dq_error *error)
{
    const dq_import_reader *r = &e->readers[0];
    dq_status status = DQ_OK;
    int got = 0;
    while (!status && (got = advance(e, 0, error)) > 0) {
        const dq_import_row *last = e->join.count ? &e->join.rows[e->join.count - 1] : NULL;
        if (e->way != WHOLE && e->join.count >= BATCH && dq_import_id_compare(&last->entity.id, &r->id) != 0)
            return DQ_OK;
        status = take_document(e, 0, error);
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
        if (!e->ended &&
            dq_import_merge_compare(&e->readers[p].id, &e->join.rows[e->join.count - 1].entity.id) > 0)
            return DQ_OK;
        status = take_document(e, p, error);
    }
    return !status && got < 0 ? error->status : status;
}

/* All documents of a collection, or those of the ids. */
static dq_status read_part(dq_import_entities *e, size_t p, const char *const *ids, dq_error *error)
{
    dq_status status = open_part(e, p, ids, error);
    int got = 0;
    while (!status && (got = advance(e, p, error)) > 0) status = take_document(e, p, error);
    dq_import_reader_close(&e->readers[p]);
    return !status && got < 0 ? error->status : status;
}

static dq_status look_up(dq_import_entities *e, size_t p, dq_error *error)
{
    if (!e->join.count) return DQ_OK;
    const char **ids = calloc(e->join.count + 1, sizeof *ids);
    if (!ids) return dq_fail_memory(error, "joining collections");
    for (size_t i = 0; i < e->join.count; i++) ids[i] = e->join.rows[i].entity.id.text;
    dq_status status = read_part(e, p, ids, error);
    free(ids);
    return status;
}

static int by_id(const void *a, const void *b, void *rows)
{
    const dq_import_row *all = rows;
    return dq_import_id_compare(&all[*(const uint32_t *)a].entity.id, &all[*(const uint32_t *)b].entity.id);
}

/* Notes which ids of the selection there are; after the last batch that must be all. */
static dq_status check_wanted(dq_import_entities *e, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < e->selection->id_count && !status; i++) {
        const char *id = e->selection->ids[i];
        size_t n = strlen(id);
        if (dq_index_find(&e->join.ids, id, n) != DQ_ABSENT)
            status = dq_index_add(&e->met, id, n, NULL, NULL, error);
    }
    if (status || !e->ended) return status;
    return dq_import_check_selection(e->selection, e->chosen.noun, &e->met, error);
}

/* The rows that leave, in the order of their ids. */
static dq_status choose(dq_import_entities *e, dq_error *error)
{
    if (!dq_array_resize(&e->order, e->join.count + 1, sizeof *e->order))
        return dq_fail_memory(error, "joining collections");
    e->order_count = 0;
    dq_status status = dq_import_join_check(&e->join, e->chosen.noun, e->tally, error);
    for (uint32_t i = 0; i < e->join.count && !status; i++) {
        if (e->join.rows[i].bad) continue;
        e->tally->used++;
        if (dq_import_selects(e->selection, &e->join.rows[i].entity.id)) e->order[e->order_count++] = i;
    }
    if (e->order_count) qsort_r(e->order, e->order_count, sizeof *e->order, by_id, e->join.rows);
    uint64_t room = e->selection->limit - e->left;
    if (e->order_count > room) e->order_count = (size_t)room;
    return status ? status : check_wanted(e, error);
}

static dq_status next_batch(dq_import_entities *e, dq_error *error)
{
    dq_import_join_clear(&e->join);
    dq_status status = read_rows(e, error);
    for (size_t p = 1; p < e->mapping->count && !status; p++) {
        if (e->way == WHOLE) status = read_part(e, p, NULL, error);
        if (e->way == MERGED) status = read_up_to_last(e, p, error);
        if (e->way == LOOKED_UP) status = look_up(e, p, error);
    }
    return status ? status : choose(e, error);
}

/* ---- all of them ---- */

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
    *can = single && ((all & (all - 1)) == 0 || !(all & (DQ_ID_INTEGER | DQ_ID_BINARY)));
    return DQ_OK;
}

static dq_status choose_way(dq_import_entities *e, dq_error *error)
{
    bool can = false;
    e->way = WHOLE;
    if (!e->place->kinds) return DQ_OK;
    if (e->selection->where || e->selection->id_count) {
        e->way = LOOKED_UP;
        return DQ_OK;
    }
    dq_status status = can_merge(e, &can, error);
    if (can) e->way = MERGED;
    return status;
}

static dq_status open_parts(dq_import_entities *e, dq_error *error)
{
    e->readers = calloc(e->mapping->count, sizeof *e->readers);
    if (!e->readers) return dq_fail_memory(error, "joining collections");
    dq_status status = choose_way(e, error);
    if (!status) status = open_part(e, 0, e->selection->id_count ? e->ids_wanted : NULL, error);
    for (size_t p = 1; p < e->mapping->count && !status && e->way == MERGED; p++)
        status = open_part(e, p, NULL, error);
    return status;
}

static void close_parts(dq_import_entities *e)
{
    for (size_t p = 0; e->readers && p < e->mapping->count; p++) dq_import_reader_close(&e->readers[p]);
    free(e->readers);
    e->readers = NULL;
}

dq_status dq_import_entities_new(dq_import_entities **out, const char *kind, dq_collections *place,
                                 const dq_import_entities_mapping *mapping,
                                 const dq_import_selection *selection, bool keeps_ids, dq_error *error)
{
    dq_import_entities *e = *out = calloc(1, sizeof *e);
    if (!e) return dq_fail_memory(error, "joining collections");
    e->mapping = e->join.mapping = mapping;
    e->selection = selection;
    e->place = place;
    e->keeps_ids = keeps_ids;
    e->chosen = dq_import_chosen_of(kind, selection);
    e->ids_wanted = calloc(selection->id_count + 1, sizeof *e->ids_wanted);
    if (!e->ids_wanted) return dq_fail_memory(error, "joining collections");
    for (size_t i = 0; i < selection->id_count; i++) e->ids_wanted[i] = selection->ids[i];
    return DQ_OK;
}

/* Notes an id that leaves; *first is false when it has left before, which only ids of several kinds can. */
static dq_status note_id(dq_import_entities *e, const dq_import_id *id, bool *first, dq_error *error)
{
    *first = true;
    if (!e->keeps_ids && e->way != LOOKED_UP) return DQ_OK;
    dq_status status = dq_index_add(&e->chosen.ids, id->text, id->bytes, NULL, first, error);
    if (status || *first) return status;
    dq_fail(error, DQ_ERR_DUPLICATE, "the id '%.*s' stands there already", (int)id->bytes, id->text);
    dq_error_at(error, e->mapping->parts[0].collection, DQ_NO_RECORD);
    return dq_import_skip(e->tally, DQ_IMPORT_DUPLICATE, error);
}

static dq_status hand_on(dq_import_entities *e, dq_import_take take, void *arg, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < e->order_count && !status; i++) {
        const dq_import_entity *entity = &e->join.rows[e->order[i]].entity;
        bool first;
        status = note_id(e, &entity->id, &first, error);
        if (status || !first) continue;
        e->left++;
        if (take) status = take(arg, entity, error);
    }
    return status;
}

dq_status dq_import_entities_read(dq_import_entities *e, dq_import_tally *tally, dq_import_take take,
                                  void *arg, dq_error *error)
{
    bool held = e->way == WHOLE && e->ended;
    e->tally = tally;
    e->left = 0;
    dq_index_free(&e->chosen.ids);
    dq_status status = held ? DQ_OK : open_parts(e, error);
    do {
        if (!status && !held) status = next_batch(e, error);
        if (!status) status = hand_on(e, take, arg, error);
    } while (!status && !e->ended && e->left < e->selection->limit);
    close_parts(e);
    if (status || e->way != WHOLE) dq_import_entities_release(e);
    return status;
}

const dq_import_chosen *dq_import_entities_chosen(const dq_import_entities *e)
{
    return &e->chosen;
}

void dq_import_entities_release(dq_import_entities *e)
{
    dq_import_join_free(&e->join);
    dq_index_free(&e->met);
    free(e->order);
    e->order = NULL;
    e->order_count = 0;
    e->ended = false;
}

void dq_import_entities_free(dq_import_entities *e)
{
    if (!e) return;
    dq_import_entities_release(e);
    dq_index_free(&e->chosen.ids);
    free(e->ids_wanted);
    free(e);
}
