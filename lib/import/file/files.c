/* SPDX-License-Identifier: MIT
 *
 * Single files, streamed in their own order: users, interactions, items, as a section holds them.
 * Interactions are checked against the ids of items, which come later; so the items file is read twice when
 * there are any.
 */
#include "import/array.h"
#include "import/document.h"
#include "import/form.h"
#include "import/import.h"

#include <string.h>

/* ---- rows of users, or of items ---- */

typedef struct reader {
    const char *path, *kind;
    const dq_import_reading *reading; /* NULL: of a place, whose keys nobody else names */
    dq_documents documents;
    char found[DQ_IMPORT_FOUND]; /* what a table has */
    dq_import_array *array;      /* or NULL */
    uint64_t row;
    dq_import_layout layout;
    const dq_import_selection *selection;
    uint64_t selected;
    dq_index ids; /* of all good rows */
    dq_import_tally *tally;
    dq_arena arena; /* of the current row */
} reader;

static void close_reader(reader *r)
{
    if (r->documents.self) r->documents.close(&r->documents);
    dq_import_array_close(r->array);
    dq_arena_free(&r->layout.arena);
    dq_arena_free(&r->arena);
    dq_index_free(&r->ids);
}

static int next_of_array(reader *r, dq_import_entity *entity, dq_import_fault *fault, dq_error *error)
{
    int got = dq_import_array_next(r->array, &r->layout, &r->arena, entity, fault, error);
    r->row = dq_import_array_row(r->array);
    return got;
}

/* A user or an item; of a file without an id the keys that are there are said. */
static dq_import_fault read_entity(reader *r, const dq_value *document, dq_import_entity *entity,
                                   dq_error *error)
{
    dq_import_fault fault = dq_import_read_entity(document, r->kind, &r->layout, &r->arena, entity, error);
    if (fault == DQ_IMPORT_NO_ID && r->reading && !*r->found)
        dq_import_explain(r->reading, r->kind, document, error);
    return fault;
}

static int next_of_documents(reader *r, dq_import_entity *entity, dq_import_fault *fault, dq_error *error)
{
    dq_value document;
    int got = r->documents.next(&r->documents, &r->arena, &document, error);
    while (got == DQ_DOCUMENT && !dq_import_is_for(&document, r->kind)) {
        r->tally->others++;
        dq_arena_free(&r->arena);
        got = r->documents.next(&r->documents, &r->arena, &document, error);
    }
    r->row = r->documents.record;
    *fault = dq_import_answered(got);
    if (got == DQ_DOCUMENT) *fault = read_entity(r, &document, entity, error);
    return got <= DQ_DOCUMENT ? got : DQ_DOCUMENT;
}

static dq_import_fault check_duplicate(reader *r, const dq_import_entity *entity, dq_error *error)
{
    bool added;
    dq_status status = dq_index_add(&r->ids, entity->id.text, entity->id.bytes, NULL, &added, error);
    if (status) return DQ_IMPORT_MISTYPED;
    if (added) return DQ_IMPORT_FINE;
    dq_fail(error, DQ_ERR_DUPLICATE, "the id '%.*s' stands there already", (int)entity->id.bytes,
            entity->id.text);
    return DQ_IMPORT_DUPLICATE;
}

/* The next good row that is asked for. 1: a row, valid until the next call; 0: the end; -1: an error. */
static int next_entity(reader *r, dq_import_entity *entity, dq_error *error)
{
    dq_import_fault fault;
    while (r->selected < r->selection->limit) {
        dq_arena_free(&r->arena);
        int got = r->array ? next_of_array(r, entity, &fault, error)
                           : next_of_documents(r, entity, &fault, error);
        if (got <= 0) return got;
        if (!fault) fault = check_duplicate(r, entity, error);
        if (fault) {
            dq_error_at(error, r->array ? r->path : r->documents.name, r->row);
            if (dq_import_skip(r->tally, fault, error)) return -1;
            continue;
        }
        r->tally->used++;
        if (dq_import_selects(r->selection, &entity->id)) {
            r->selected++;
            return 1;
        }
    }
    return 0;
}

/* ---- the three parts ---- */

/* Users or items of the request, and what reading it tells. */
typedef struct entities {
    const char *kind;
    dq_collections *place; /* that has them; NULL: a file of their own */
    const dq_import_entities_request *request;
    dq_import_tally *tally;
    const dq_import_layout *other; /* of those that were read before, for the pairs; or NULL */
    bool there;
    dq_import_layout layout;
    dq_import_chosen chosen;
} entities;

static entities entities_of(const char *kind, dq_import_entities_request *request, dq_collections *place)
{
    return (entities){.kind = kind,
                      .place = place,
                      .request = request,
                      .there = place || request->path,
                      .tally = &request->tally,
                      .chosen = dq_import_chosen_of(kind, &request->selection)};
}

/* Before the first row leaves: its layout is known now. */
static dq_status check_layout(const entities *e, const reader *r, const dq_import_target *target,
                              dq_error *error)
{
    return e->other ? dq_import_check_pairs(target, e->other, &r->layout, error) : DQ_OK;
}

/* Every row that is asked for: its id is noted, and it leaves when there is a block. */
static dq_status each_row(entities *e, reader *r, dq_import_block *block, const dq_import_target *target,
                          dq_error *error)
{
    dq_import_entity entity = {.id = {0}};
    int got;
    while ((got = next_entity(r, &entity, error)) > 0) {
        dq_status status = r->selected == 1 && block ? check_layout(e, r, target, error) : DQ_OK;
        if (!status)
            status = dq_index_add(&e->chosen.ids, entity.id.text, entity.id.bytes, NULL, NULL, error);
        if (status) return status;
        if (block && dq_import_block_entity(block, &entity, error))
            return dq_error_at(error, r->array ? r->path : r->documents.name, r->row);
    }
    if (got < 0) return error->status;
    if (r->selected == r->selection->limit) return DQ_OK;
    dq_status status = dq_import_check_used(r->tally, r->path, r->kind, *r->found ? r->found : NULL, error);
    if (status) return status;
    return dq_import_check_selection(r->selection, e->chosen.noun, &r->ids, error);
}

static dq_status open_collection(dq_collections *place, const char *kind, dq_documents *documents,
                                 dq_error *error)
{
    const dq_query all = {.collection = kind};
    return place->open(place, &all, documents, error);
}

static dq_status open_reader(reader *r, const entities *e, dq_error *error)
{
    const char *path = e->request->path, *ids = e->request->id_path;
    *r = (reader){.path = path, .kind = e->kind, .selection = &e->request->selection, .tally = e->tally};
    r->reading = e->place ? NULL : &e->request->reading;
    if (!ids || e->place) {
        dq_status status = e->place
                               ? open_collection(e->place, r->kind, &r->documents, error)
                               : dq_import_open(&r->documents, path, r->kind, r->reading, r->found, error);
        if (e->place) r->path = r->documents.name;
        return status ? status : dq_import_find_layout(&r->documents, r->kind, &r->layout, error);
    }
    return dq_import_array_open(&r->array, path, dq_import_form_of(path), ids, &r->layout, error);
}

/* Reads users or items; with a target its rows leave, else only their ids are noted. */
static dq_status read_entities(entities *e, const dq_import_target *target, dq_error *error)
{
    reader r;
    dq_import_block *block = NULL;
    dq_status status = open_reader(&r, e, error);
    if (!status && target) status = dq_import_block_new(&block, e->kind, &r.layout, target, error);
    if (!status) status = each_row(e, &r, block, target, error);
    if (!status && block) status = dq_import_block_finish(block, error);
    dq_import_block_free(block);
    e->layout = r.layout;
    r.layout = (dq_import_layout){0};
    close_reader(&r);
    return status;
}

static void free_entities(entities *e)
{
    dq_arena_free(&e->layout.arena);
    dq_index_free(&e->chosen.ids);
    e->layout = (dq_import_layout){0};
}

/* An end of an interaction, where its kind was read: one that is not among those that leave stays behind. */
static dq_import_fault check_end(const entities *e, const dq_import_id *id, bool *leaves, dq_error *error)
{
    uint32_t place = DQ_ABSENT;
    if (!e->there) return DQ_IMPORT_FINE;
    dq_import_fault fault = dq_import_chosen_find(&e->chosen, id, &place, error);
    *leaves = place != DQ_ABSENT;
    return fault;
}

/* One document of the interactions: into the block when both ends leave. */
static dq_import_fault read_interaction(const dq_value *document, dq_import_times *times,
                                        dq_import_feedback *feedback, const entities *users,
                                        const entities *items, dq_arena *arena, dq_import_interaction *x,
                                        bool *leaves, dq_error *error)
{
    dq_import_interaction_keys keys = DQ_IMPORT_INTERACTION_KEYS;
    keys.times = times;
    if (dq_value_is(dq_map_get(document, "kind"), DQ_KIND_INTERACTIONS)) keys.ignored = "kind";
    dq_import_fault fault = dq_import_read_interaction(document, &keys, arena, x, error);
    if (!fault && feedback) fault = dq_import_feedback_join(feedback, x, error);
    *leaves = !fault;
    if (!fault) fault = check_end(users, &x->user, leaves, error);
    if (!fault && *leaves) fault = check_end(items, &x->item, leaves, error);
    return fault;
}

/* What is wrong with a document, which goes into the block when both its ends leave. */
static dq_import_fault take_interaction(dq_import_request *request, const dq_value *document,
                                        const entities *users, const entities *items, dq_arena *arena,
                                        dq_import_interaction *x, bool *leaves, dq_error *error)
{
    dq_import_feedback *feedback = request->feedback.path ? &request->feedback.held : NULL;
    dq_import_fault fault = read_interaction(document, &request->times, feedback, users, items, arena, x,
                                             leaves, error);
    if (fault == DQ_IMPORT_NO_ID && !users->place)
        dq_import_explain(&request->interaction_reading, DQ_KIND_INTERACTIONS, document, error);
    return fault;
}

static dq_status interactions_rows(dq_import_request *request, dq_documents *documents, const entities *users,
                                   const entities *items, dq_import_block *block, dq_error *error)
{
    dq_import_tally *tally = &request->interaction_tally;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value document;
    dq_import_interaction x;
    dq_status status = DQ_OK;
    int got = 0;
    while (!status && (got = documents->next(documents, &arena, &document, error)) > 0) {
        bool leaves = false, other = got == DQ_DOCUMENT && !dq_import_is_for(&document, DQ_KIND_INTERACTIONS);
        dq_import_fault fault = dq_import_answered(got);
        if (got == DQ_DOCUMENT && !other)
            fault = take_interaction(request, &document, users, items, &arena, &x, &leaves, error);
        if (fault) {
            dq_error_at(error, documents->name, documents->record);
            status = dq_import_skip(tally, fault, error);
        } else {
            tally->others += other;
            tally->used += !other;
            if (leaves) status = dq_import_block_interaction(block, &x, error);
            if (status) dq_error_at(error, documents->name, documents->record);
        }
        dq_arena_free(&arena);
    }
    dq_arena_free(&arena);
    return !status && got < 0 ? error->status : status;
}

static dq_status write_interactions(dq_import_request *request, const entities *users, const entities *items,
                                    dq_error *error)
{
    dq_collections *place = users->place;
    dq_documents documents = {0};
    dq_import_block *block = NULL;
    char found[DQ_IMPORT_FOUND] = "";
    const char *path = place ? documents.name : request->interactions;
    dq_status status = place ? open_collection(place, DQ_KIND_INTERACTIONS, &documents, error)
                             : dq_import_open(&documents, path, DQ_KIND_INTERACTIONS,
                                              &request->interaction_reading, found, error);
    if (!status) status = dq_import_block_new(&block, DQ_KIND_INTERACTIONS, NULL, &request->target, error);
    if (!status) status = interactions_rows(request, &documents, users, items, block, error);
    if (!status)
        status = dq_import_check_used(&request->interaction_tally, path, DQ_KIND_INTERACTIONS,
                                      *found ? found : NULL, error);
    if (!status) status = dq_import_block_finish(block, error);
    dq_import_block_free(block);
    if (documents.self) documents.close(&documents);
    return status;
}

static dq_status read_feedback(dq_import_feedback_request *request, dq_error *error)
{
    dq_documents documents = {0};
    char found[DQ_IMPORT_FOUND] = "";
    dq_status status = dq_import_open(&documents, request->path, DQ_IMPORT_KIND_FEEDBACK, &request->reading,
                                      found, error);
    if (!status) status = dq_import_feedback_read(&request->held, &documents, &request->tally, error);
    if (!status)
        status = dq_import_check_used(&request->tally, request->path, DQ_IMPORT_KIND_FEEDBACK,
                                      *found ? found : NULL, error);
    if (documents.self) documents.close(&documents);
    return status;
}

/* Items are read for their ids alone, counting nothing, before the interactions that name them. */
static dq_status note_items(entities *items, dq_error *error)
{
    dq_import_tally again = *items->tally, *counting = items->tally;
    items->tally = &again;
    dq_status status = read_entities(items, NULL, error);
    items->tally = counting;
    dq_arena_free(&items->layout.arena);
    return status;
}

static dq_status read_all(dq_import_request *request, dq_collections *place, dq_error *error)
{
    entities users = entities_of(DQ_KIND_USERS, &request->users, place);
    entities items = entities_of(DQ_KIND_ITEMS, &request->items, place);
    bool interactions = place || request->interactions;
    dq_status status = DQ_OK;
    if (users.there) {
        status = read_entities(&users, &request->target, error);
        items.other = &users.layout;
    }
    if (!status && interactions && items.there) status = note_items(&items, error);
    if (!status && request->feedback.path) status = read_feedback(&request->feedback, error);
    if (!status && interactions) status = write_interactions(request, &users, &items, error);
    if (!status && items.there) status = read_entities(&items, &request->target, error);
    free_entities(&users);
    free_entities(&items);
    request->feedback.unmet = dq_import_feedback_unmet(&request->feedback.held);
    dq_import_feedback_free(&request->feedback.held);
    return status;
}

dq_status dq_import_files(dq_import_request *request, dq_error *error)
{
    return read_all(request, NULL, error);
}

dq_status dq_import_place(dq_import_request *request, dq_collections *place, dq_error *error)
{
    return read_all(request, place, error);
}
