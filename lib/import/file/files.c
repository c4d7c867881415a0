/* SPDX-License-Identifier: MIT
 *
 * Single files, streamed in their own order: users, interactions, items, as a section holds them.
 * Interactions are checked against the ids of items, which come later; so the items file is read twice when
 * there are any. Users, or items, without a file of their own are the ids that interactions name, which are
 * then read twice, too.
 */
#include "import/document.h"
#include "import/file/rows.h"
#include "import/file/table.h"
#include "import/import.h"

#include <string.h>

/* Users or items of the request, and what reading it tells. */
typedef struct entities {
    const char *kind;
    dq_collections *place; /* that has them; NULL: a file of their own */
    dq_import_entities_request *request;
    dq_import_tally *tally;
    const dq_import_layout *other; /* of those that were read before, for the pairs; or NULL */
    bool there;                    /* what leaves is known, or a file says it */
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

static void free_entities(entities *e)
{
    dq_arena_free(&e->layout.arena);
    dq_index_free(&e->chosen.ids);
    e->layout = (dq_import_layout){0};
}

/* ---- of a file ---- */

/* Before the first row leaves: its layout is known now. */
static dq_status check_layout(const entities *e, const dq_import_rows *r, const dq_import_target *target,
                              dq_error *error)
{
    return e->other ? dq_import_check_pairs(target, e->other, r->layout, error) : DQ_OK;
}

/* After the last row: what is wrong with them all. */
static dq_status check_rows(const entities *e, const dq_import_rows *r, dq_error *error)
{
    const dq_import_selection *selection = &e->request->selection;
    if (r->selected == selection->limit) return DQ_OK;
    dq_status status = dq_import_check_used(r->tally, r->path, r->kind, *r->found ? r->found : NULL, error);
    if (status) return status;
    return dq_import_check_selection(selection, e->chosen.noun, &r->ids, error);
}

/* Every row that is asked for: its id is noted, and it leaves when there is a block. Of all rows the reader
 * has noted the ids already. */
static dq_status each_row(entities *e, dq_import_rows *r, dq_import_block *block,
                          const dq_import_target *target, dq_error *error)
{
    const dq_import_selection *selection = &e->request->selection;
    const bool all = selection->id_count == 0 && selection->limit == UINT64_MAX;
    dq_import_entity entity = {.id = {0}};
    int got;
    while ((got = dq_import_rows_next(r, &entity, error)) > 0) {
        dq_status status = r->selected == 1 && block ? check_layout(e, r, target, error) : DQ_OK;
        if (!status && !all)
            status = dq_index_add(&e->chosen.ids, entity.id.text, entity.id.bytes, NULL, NULL, error);
        if (status) return status;
        if (block && dq_import_block_entity(block, &entity, error)) return dq_import_rows_blame(r, error);
    }
    dq_status status = got < 0 ? error->status : check_rows(e, r, error);
    if (status || !all) return status;
    dq_index_free(&e->chosen.ids); /* of an earlier reading of the same */
    e->chosen.ids = r->ids;
    r->ids = DQ_INDEX_EMPTY;
    return DQ_OK;
}

/* The layout of the rows, which outlives them: the caller frees its arena. */
static dq_status keep_layout(entities *e, const dq_import_rows *r, dq_error *error)
{
    const dq_import_layout *from = r->layout;
    dq_import_layout *to = &e->layout;
    *to = (dq_import_layout){.known = from->known, .width = from->width};
    to->fields = dq_arena_zero(&to->arena, from->count + 1, sizeof *to->fields);
    if (!to->fields) return dq_fail_memory(error, "fields");
    for (; to->count < from->count; to->count++) {
        const dq_field *field = &from->fields[to->count];
        to->fields[to->count] = *field;
        to->fields[to->count].name = dq_arena_text(&to->arena, field->name, strlen(field->name));
        if (!to->fields[to->count].name) return dq_fail_memory(error, "fields");
    }
    return DQ_OK;
}

/* Reads users or items; with a target its rows leave, else only their ids are noted. */
static dq_status read_entities(entities *e, const dq_import_target *target, dq_error *error)
{
    dq_import_rows r;
    dq_import_block *block = NULL;
    dq_status status = dq_import_rows_open(&r, e->kind, e->request, e->tally, e->place, error);
    if (!status && target) status = dq_import_block_new(&block, e->kind, r.layout, target, error);
    if (!status) status = each_row(e, &r, block, target, error);
    if (!status && block) status = dq_import_block_finish(block, error);
    dq_import_block_free(block);
    if (!status) status = keep_layout(e, &r, error);
    dq_import_rows_close(&r);
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

/* ---- interactions ---- */

/* An end of an interaction, where its kind was read: one that is not among those that leave stays behind. */
static dq_import_fault check_end(const entities *e, const dq_import_id *id, bool *leaves, dq_error *error)
{
    uint32_t place = DQ_ABSENT;
    if (!e->there) return DQ_IMPORT_FINE;
    dq_import_fault fault = dq_import_chosen_find(&e->chosen, id, &place, error);
    *leaves &= place != DQ_ABSENT;
    return fault;
}

/* Both ends. One that was made of the interactions is looked for last: that it is not there has its reason in
 * the other. */
static dq_import_fault check_ends(const entities *users, const entities *items,
                                  const dq_import_interaction *x, bool *leaves, dq_error *error)
{
    bool made = users->request->made;
    *leaves = true;
    dq_import_fault fault = made ? check_end(items, &x->item, leaves, error)
                                 : check_end(users, &x->user, leaves, error);
    if (fault || !*leaves) return fault;
    return made ? check_end(users, &x->user, leaves, error) : check_end(items, &x->item, leaves, error);
}

/* Interactions on their way: into a block, or, where users or items are made of them, to their ids. */
typedef struct events {
    dq_import_request *request;
    const entities *users, *items;
    dq_import_tally *tally;
    dq_import_times *times;
    dq_import_scale *scale;
    dq_import_block *block; /* or NULL */
    entities *made;         /* or NULL */
    bool table;             /* whose columns are known to be there */
    dq_import_parts *parts; /* of the documents' keys */
} events;

/* An interaction that was read, which leaves when both ends do. */
static dq_import_fault check_interaction(const events *v, dq_import_interaction *x, bool *leaves,
                                         dq_error *error)
{
    dq_import_request *request = v->request;
    dq_import_fault fault = DQ_IMPORT_FINE;
    if (request->feedback.path) fault = dq_import_feedback_join(&request->feedback.held, x, error);
    return fault ? fault : check_ends(v->users, v->items, x, leaves, error);
}

/* One document of the interactions. */
static dq_import_fault read_interaction(const events *v, const dq_value *document, bool own, uint64_t shape,
                                        dq_arena *arena, dq_import_interaction *x, bool *leaves,
                                        dq_error *error)
{
    dq_import_request *request = v->request;
    dq_import_interaction_keys keys = DQ_IMPORT_INTERACTION_KEYS;
    keys.times = v->times;
    keys.scale = v->scale;
    keys.parts = v->parts;
    keys.shape = shape;
    if (own) keys.ignored = "kind";
    dq_import_fault fault = dq_import_read_interaction(document, &keys, arena, x, error);
    if (fault == DQ_IMPORT_NO_ID && !v->users->place && !v->table)
        dq_import_explain(&request->interaction_reading, DQ_KIND_INTERACTIONS, document, error);
    return fault ? fault : check_interaction(v, x, leaves, error);
}

/* The id of an end that has no file: it is chosen as a row of a file would be. */
static dq_status note_end(entities *e, const dq_import_id *id, dq_error *error)
{
    const dq_import_selection *selection = &e->request->selection;
    bool full = dq_index_count(&e->chosen.ids) >= selection->limit;
    if (full || !dq_import_selects(selection, id)) return DQ_OK;
    return dq_index_add(&e->chosen.ids, id->text, id->bytes, NULL, NULL, error);
}

/* What becomes of an interaction without a fault. */
static dq_status take_interaction(const events *v, const dq_import_interaction *x, bool leaves,
                                  dq_error *error)
{
    v->tally->used++;
    if (v->made) return note_end(v->made, v->made == v->users ? &x->user : &x->item, error);
    return leaves ? dq_import_block_interaction(v->block, x, error) : DQ_OK;
}

/* The next row, mostly as a document; *plain: as *x. Times of a format and rewards on a scale are read of
 * documents. */
static int next_interaction(const events *v, dq_documents *documents, dq_arena *arena, dq_value *document,
                            dq_import_interaction *x, bool *plain, dq_error *error)
{
    const bool straight = !v->times->format && !v->scale->given;
    *plain = false;
    return straight ? dq_import_next_interaction(documents, arena, document, x, plain, error)
                    : documents->next(documents, arena, document, error);
}

static dq_status each_interaction(const events *v, dq_documents *documents, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value document;
    dq_import_interaction x;
    dq_status status = DQ_OK;
    uint64_t silent = 0; /* of documents without a kind */
    bool plain;
    int got = 0;
    while (!status && (got = next_interaction(v, documents, &arena, &document, &x, &plain, error)) > 0) {
        dq_import_says says = DQ_IMPORT_SAYS_NOTHING;
        if (got == DQ_DOCUMENT && !plain && !(silent && documents->shape == silent)) {
            says = dq_import_says_kind(&document, DQ_KIND_INTERACTIONS);
            silent = dq_map_get(&document, "kind") ? 0 : documents->shape;
        }
        bool leaves = false, other = says == DQ_IMPORT_SAYS_ANOTHER, own = says == DQ_IMPORT_SAYS_THIS;
        dq_import_fault fault = dq_import_answered(got);
        if (plain)
            fault = check_interaction(v, &x, &leaves, error);
        else if (got == DQ_DOCUMENT && !other)
            fault = read_interaction(v, &document, own, documents->shape, &arena, &x, &leaves, error);
        if (fault) {
            dq_error_at(error, documents->name, documents->record);
            status = dq_import_skip(v->tally, fault, error);
        } else if (other) {
            v->tally->others++;
        } else if ((status = take_interaction(v, &x, leaves, error))) {
            dq_error_at(error, documents->name, documents->record);
        }
        if (!plain) dq_arena_clear(&arena);
    }
    dq_arena_free(&arena);
    return !status && got < 0 ? error->status : status;
}

static dq_status open_interactions(const events *v, dq_documents *documents, char found[DQ_IMPORT_FOUND],
                                   dq_error *error)
{
    const dq_query all = {.collection = DQ_KIND_INTERACTIONS};
    dq_import_request *request = v->request;
    dq_collections *place = v->users->place;
    *documents = (dq_documents){0};
    *found = '\0';
    if (place) return place->open(place, &all, documents, error);
    return dq_import_open(documents, request->interactions, DQ_KIND_INTERACTIONS,
                          &request->interaction_reading, found, error);
}

static dq_status read_interactions(const events *v, dq_error *error)
{
    dq_documents documents;
    char found[DQ_IMPORT_FOUND];
    dq_status status = open_interactions(v, &documents, found, error);
    const char *path = v->users->place ? documents.name : v->request->interactions;
    dq_import_parts parts = {.slots = 0};
    events of_file = *v;
    of_file.table = *found != '\0';
    of_file.parts = &parts;
    if (!status) status = each_interaction(&of_file, &documents, error);
    dq_import_parts_free(&parts);
    if (!status)
        status = dq_import_check_used(v->tally, path, DQ_KIND_INTERACTIONS, *found ? found : NULL, error);
    if (documents.self) documents.close(&documents);
    return status;
}

static dq_status write_interactions(dq_import_request *request, const entities *users, const entities *items,
                                    dq_error *error)
{
    events v = {.request = request,
                .users = users,
                .items = items,
                .tally = &request->interaction_tally,
                .times = &request->times,
                .scale = &request->scale};
    dq_status status = dq_import_block_new(&v.block, DQ_KIND_INTERACTIONS, NULL, &request->target, error);
    if (!status) status = read_interactions(&v, error);
    if (!status) status = dq_import_block_finish(v.block, error);
    dq_import_block_free(v.block);
    return status;
}

/* ---- users, or items, of the interactions ---- */

/* Notes the ids that interactions without a fault name; nothing is counted. */
static dq_status note_ends(dq_import_request *request, entities *users, entities *items, entities *made,
                           dq_error *error)
{
    dq_import_tally tally = request->interaction_tally;
    dq_import_times times = request->times;
    dq_import_scale scale = request->scale;
    const events v = {.request = request,
                      .users = users,
                      .items = items,
                      .tally = &tally,
                      .times = &times,
                      .scale = &scale,
                      .made = made};
    dq_status status = read_interactions(&v, error);
    dq_import_feedback_rewind(&request->feedback.held);
    made->there = made->request->made = true;
    const dq_import_selection *selection = &made->request->selection;
    if (status || dq_index_count(&made->chosen.ids) == selection->limit) return status;
    return dq_import_check_selection(selection, made->chosen.noun, &made->chosen.ids, error);
}

/* Rows of an id each. */
static dq_status write_made(entities *made, const dq_import_target *target, dq_error *error)
{
    const dq_index *ids = &made->chosen.ids;
    dq_import_block *block;
    made->layout.known = true;
    dq_status status = made->other ? dq_import_check_pairs(target, made->other, &made->layout, error) : DQ_OK;
    if (status) return status;
    status = dq_import_block_new(&block, made->kind, &made->layout, target, error);
    for (uint32_t i = 0; !status && i < dq_index_count(ids); i++) {
        dq_import_entity entity = {.texts = dq_map(), .attributes = dq_map()};
        entity.id.text = dq_index_id(ids, i, &entity.id.bytes);
        status = dq_import_block_entity(block, &entity, error);
    }
    made->tally->used = dq_index_count(ids);
    if (!status) status = dq_import_block_finish(block, error);
    dq_import_block_free(block);
    return status;
}

/* ---- the three parts ---- */

static dq_status read_feedback(dq_import_request *request, dq_error *error)
{
    dq_import_feedback_request *feedback = &request->feedback;
    dq_documents documents = {0};
    char found[DQ_IMPORT_FOUND] = "";
    if (!feedback->path) return DQ_OK;
    dq_status status = dq_import_open(&documents, feedback->path, DQ_IMPORT_KIND_FEEDBACK, &feedback->reading,
                                      found, error);
    if (!status)
        status = dq_import_feedback_read(&feedback->held, &documents, &request->scale, &feedback->tally,
                                         error);
    if (!status)
        status = dq_import_check_used(&feedback->tally, feedback->path, DQ_IMPORT_KIND_FEEDBACK,
                                      *found ? found : NULL, error);
    if (documents.self) documents.close(&documents);
    return status;
}

/* Writes users or items: of their file, or of their ids. */
static dq_status write_entities(entities *e, const dq_import_target *target, dq_error *error)
{
    if (e->request->made) return write_made(e, target, error);
    return e->there ? read_entities(e, target, error) : DQ_OK;
}

/* Users stand first, and what interactions name is looked for before they leave: in the items, which stand
 * behind them, and where users or items are to be made of them, in the interactions themselves. */
static dq_status write_all(dq_import_request *request, entities *users, entities *items, dq_error *error)
{
    const dq_import_target *target = &request->target;
    bool interactions = users->place || request->interactions;
    bool makes_users = interactions && items->there && !users->there;
    bool makes_items = interactions && users->there && !items->there;
    dq_status status = makes_users ? DQ_OK : write_entities(users, target, error);
    if (makes_users || users->there) items->other = &users->layout;
    if (!status && interactions && items->there) status = note_items(items, error);
    if (!status) status = read_feedback(request, error);
    if (!status && makes_users) status = note_ends(request, users, items, users, error);
    if (!status && makes_users) status = write_made(users, target, error);
    if (!status && makes_items) status = note_ends(request, users, items, items, error);
    if (!status && interactions) status = write_interactions(request, users, items, error);
    return status ? status : write_entities(items, target, error);
}

static dq_status read_all(dq_import_request *request, dq_collections *place, dq_error *error)
{
    entities users = entities_of(DQ_KIND_USERS, &request->users, place);
    entities items = entities_of(DQ_KIND_ITEMS, &request->items, place);
    dq_status status = write_all(request, &users, &items, error);
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
