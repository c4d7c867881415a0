/* SPDX-License-Identifier: MIT */
#include "import/file/rows.h"

#include "import/document.h"

/* ---- opening ---- */

static dq_status open_collection(dq_import_rows *r, dq_collections *place, dq_error *error)
{
    const dq_query all = {.collection = r->kind};
    dq_status status = place->open(place, &all, &r->documents, error);
    r->path = r->documents.name;
    return status;
}

/* Of vectors that a file has, and of others beside it, one would be lost. */
static dq_status open_beside(dq_import_rows *r, dq_error *error)
{
    if (r->own.width) {
        dq_fail(error, DQ_ERR_SCHEMA, "the %s have vectors of their own, and others in %s", r->kind,
                r->request->vectors);
        return dq_error_at(error, r->path, DQ_NO_RECORD);
    }
    return dq_import_beside_open(&r->beside, r->request->vectors, r->request->id_path, &r->layout, error);
}

dq_status dq_import_rows_open(dq_import_rows *r, const char *kind, dq_import_entities_request *request,
                              dq_import_tally *tally, dq_collections *place, dq_error *error)
{
    const char *path = request->path;
    *r = (dq_import_rows){.path = path, .kind = kind, .request = request, .tally = tally};
    r->layout = &r->own;
    r->reading = place ? NULL : &request->reading;
    if (!place && request->id_path && !request->vectors)
        return dq_import_array_open(&r->array, path, dq_import_form_of(path), request->id_path, &r->own,
                                    error);
    dq_status status = place ? open_collection(r, place, error)
                             : dq_import_open(&r->documents, path, kind, r->reading, r->found, error);
    if (!status) status = dq_import_find_layout(&r->documents, kind, &r->own, error);
    return status || place || !request->vectors ? status : open_beside(r, error);
}

void dq_import_rows_close(dq_import_rows *r)
{
    if (r->documents.self) r->documents.close(&r->documents);
    dq_import_array_close(r->array);
    dq_import_beside_close(r->beside);
    dq_arena_free(&r->own.arena);
    dq_arena_free(&r->arena);
    dq_index_free(&r->ids);
}

dq_status dq_import_rows_blame(const dq_import_rows *r, dq_error *error)
{
    return dq_error_at(error, r->array ? r->path : r->documents.name, r->row);
}

/* ---- a row ---- */

static int next_of_array(dq_import_rows *r, dq_import_entity *entity, dq_import_fault *fault, dq_error *error)
{
    int got = dq_import_array_next(r->array, &r->own, &r->arena, entity, fault, error);
    r->row = dq_import_array_row(r->array);
    return got;
}

/* A user or an item; of a file without an id the keys that are there are said. */
static dq_import_fault read_entity(dq_import_rows *r, const dq_value *document, dq_import_entity *entity,
                                   dq_error *error)
{
    dq_import_fault fault = dq_import_read_entity(document, r->kind, &r->own, &r->arena, entity, error);
    if (fault == DQ_IMPORT_NO_ID && r->reading && !*r->found)
        dq_import_explain(r->reading, r->kind, document, error);
    return fault;
}

static dq_status fail_mixed(const dq_import_rows *r, dq_error *error)
{
    dq_fail(error, DQ_ERR_SCHEMA,
            "a row of another kind among the %s, so their order does not say which vector of %s is whose; a "
            "list of ids does",
            r->kind, r->request->vectors);
    return dq_import_rows_blame(r, error);
}

/* The next document that is for us, as documents->next answers. */
static int next_document(dq_import_rows *r, dq_value *document, dq_error *error)
{
    bool ordered = r->beside && dq_import_beside_is_ordered(r->beside);
    int got = r->documents.next(&r->documents, &r->arena, document, error);
    while (got == DQ_DOCUMENT && !dq_import_is_for(document, r->kind)) {
        r->row = r->documents.record;
        if (ordered && fail_mixed(r, error)) return DQ_DOCUMENT_BROKEN;
        r->tally->others++;
        dq_arena_clear(&r->arena);
        got = r->documents.next(&r->documents, &r->arena, document, error);
    }
    r->row = r->documents.record;
    r->seen += got > 0;
    return got;
}

/* After the last row: 0, or -1. */
static int end_beside(dq_import_rows *r, dq_error *error)
{
    dq_import_entities_request *q = r->request;
    return dq_import_beside_end(r->beside, r->path, r->seen, &q->unclaimed, q->first_unclaimed,
                                sizeof q->first_unclaimed, error)
               ? -1
               : 0;
}

/* Counts the rows that are left, where the order of all of them says whose a vector is. 0 or -1. */
static int count_rest(dq_import_rows *r, dq_error *error)
{
    dq_value document;
    int got;
    do {
        dq_arena_free(&r->arena);
        got = next_document(r, &document, error);
    } while (got > 0);
    return got < 0 ? got : end_beside(r, error);
}

/* The vector of the row just read, whatever that is worth: by order it is passed over with a bad one. 1, 0 or
 * -1 as rows_next. */
static int give_vector(dq_import_rows *r, dq_import_entity *entity, dq_import_fault *fault, dq_error *error)
{
    dq_import_fault of_vector = DQ_IMPORT_FINE;
    dq_error why = DQ_ERROR_NONE;
    dq_status status = DQ_OK;
    const float *vector = NULL;
    bool ordered = dq_import_beside_is_ordered(r->beside);
    if (ordered && !dq_import_beside_has_next(r->beside)) return count_rest(r, error);
    if (ordered)
        status = dq_import_beside_next(r->beside, &r->arena, &vector, &of_vector, &why);
    else if (!*fault)
        status = dq_import_beside_find(r->beside, &entity->id, &r->arena, &vector, &of_vector, &why);
    if (status || (!*fault && of_vector)) *error = why;
    if (status) return -1;
    if (!*fault) *fault = of_vector;
    if (!*fault) entity->vector = vector;
    return 1;
}

static int next_of_documents(dq_import_rows *r, dq_import_entity *entity, dq_import_fault *fault,
                             dq_error *error)
{
    dq_value document;
    int got = next_document(r, &document, error);
    *fault = dq_import_answered(got);
    if (got < 0) return got;
    if (got == DQ_DOCUMENT_END) return r->beside ? end_beside(r, error) : 0;
    if (got == DQ_DOCUMENT) *fault = read_entity(r, &document, entity, error);
    return r->beside ? give_vector(r, entity, fault, error) : 1;
}

/* ---- good ones ---- */

static dq_import_fault check_duplicate(dq_import_rows *r, const dq_import_entity *entity, dq_error *error)
{
    bool added;
    dq_status status = dq_index_add(&r->ids, entity->id.text, entity->id.bytes, NULL, &added, error);
    if (status) return DQ_IMPORT_MISTYPED;
    if (added) return DQ_IMPORT_FINE;
    dq_fail(error, DQ_ERR_DUPLICATE, "the id '%.*s' stands there already", (int)entity->id.bytes,
            entity->id.text);
    return DQ_IMPORT_DUPLICATE;
}

/* All that were asked for have come. */
static int end_early(dq_import_rows *r, dq_error *error)
{
    return r->beside && dq_import_beside_is_ordered(r->beside) ? count_rest(r, error) : 0;
}

int dq_import_rows_next(dq_import_rows *r, dq_import_entity *entity, dq_error *error)
{
    dq_import_fault fault;
    while (r->selected < r->request->selection.limit) {
        dq_arena_clear(&r->arena);
        int got = r->array ? next_of_array(r, entity, &fault, error)
                           : next_of_documents(r, entity, &fault, error);
        if (got <= 0) return got;
        if (!fault) fault = check_duplicate(r, entity, error);
        if (fault) {
            dq_import_rows_blame(r, error);
            if (dq_import_skip(r->tally, fault, error)) return -1;
            continue;
        }
        r->tally->used++;
        if (dq_import_selects(&r->request->selection, &entity->id)) {
            r->selected++;
            return 1;
        }
    }
    return end_early(r, error);
}
