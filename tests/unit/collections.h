/* SPDX-License-Identifier: MIT
 *
 * A place with collections in memory, for the tests of joining. A collection is a JSON list of documents, in
 * which null stands for one that cannot be read and "broken" for the end of all reading.
 */
#ifndef DQ_TEST_COLLECTIONS_H
#define DQ_TEST_COLLECTIONS_H

#include "import/tally.h"
#include "port/files/documents.h"
#include "port/files/ejson.h"
#include "port/files/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct collection {
    const char *name;
    dq_value documents; /* DQ_LIST */
} collection;

typedef struct memory_place {
    dq_collections as_place; /* its self is this struct */
    collection all[8];
    size_t count;
    bool unsorted;    /* promises an order, and breaks it */
    bool numbered;    /* documents have numbers, as lines have */
    bool failing;     /* cannot be opened */
    char asked[4096]; /* "users items[1,2] users?city ": what was opened, for which ids, by which filter */
    dq_arena arena;
} memory_place;

/* A run of documents: those of a collection that a query wants, in its order. */
typedef struct run {
    const memory_place *place;
    const dq_query *query;
    const dq_value **documents;
    size_t count, at;
} run;

static dq_value parse(dq_arena *arena, const char *json)
{
    dq_value v;
    dq_error e = DQ_ERROR_NONE;
    if (dq_ejson_parse(json, strlen(json), arena, &v, &e)) fail_msg("%s: %s", json, e.reason);
    return v;
}

/* Tried again where memory is short, for tests make it so: a place forgets no document. */
static bool id_of(const dq_value *document, const char *key, dq_arena *arena, dq_import_id *id)
{
    dq_error e = DQ_ERROR_NONE;
    dq_import_fault fault;
    do {
        fault = dq_import_read_id(dq_map_get(document, key), arena, id, &e);
    } while (fault && e.status == DQ_ERR_MEMORY);
    return fault == DQ_IMPORT_FINE;
}

/* ---- what a place that grants wishes does ---- */

/* Whether a query wants a document: the filter is a key that it must have. */
static bool wants(const dq_query *query, const dq_value *document)
{
    if (document->type != DQ_MAP) return true;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_import_id id;
    bool wanted = !query->where || dq_map_get(document, query->where);
    if (wanted && query->ids) {
        wanted = false;
        bool has = id_of(document, query->key, &arena, &id);
        for (size_t i = 0; has && query->ids[i] && !wanted; i++)
            wanted = strlen(query->ids[i]) == id.bytes && memcmp(query->ids[i], id.text, id.bytes) == 0;
    }
    dq_arena_free(&arena);
    return wanted;
}

static int by_key(const void *a, const void *b, void *key)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_import_id x, y;
    bool has = id_of(*(const dq_value *const *)a, key, &arena, &x);
    bool other = id_of(*(const dq_value *const *)b, key, &arena, &y);
    int order = has && other ? dq_import_id_compare(&x, &y) : (int)has - (int)other;
    dq_arena_free(&arena);
    return order;
}

/* The document with the keys that are wanted alone, as its reader's own copy. */
static bool copy_wanted(const dq_query *query, const dq_value *from, dq_arena *arena, dq_value *to)
{
    *to = dq_map();
    for (uint32_t i = 0; i < from->count; i++) {
        const dq_entry *entry = &from->as.map[i];
        bool wanted = !query || !query->keys || dq_value_is(&entry->key, "_id");
        for (size_t k = 0; !wanted && query->keys[k]; k++) wanted = dq_value_is(&entry->key, query->keys[k]);
        dq_value copy;
        if (wanted && (!dq_value_copy(arena, &entry->value, &copy) ||
                       !dq_map_set(arena, to, entry->key.as.string, copy)))
            return false;
    }
    return true;
}

/* ---- the place ---- */

static int next_document(dq_documents *documents, dq_arena *arena, dq_value *document, dq_error *error)
{
    run *r = documents->self;
    if (r->at == r->count) return DQ_DOCUMENT_END;
    const dq_value *from = r->documents[r->at++];
    documents->record = r->place->numbered ? r->at : DQ_NO_RECORD;
    if (from->type == DQ_NIL) {
        dq_fail(error, DQ_ERR_FORMAT, "no document");
        return DQ_DOCUMENT_BAD;
    }
    if (from->type == DQ_STRING) {
        dq_fail(error, DQ_ERR_IO, "the connection is gone");
        return DQ_DOCUMENT_BROKEN;
    }
    if (copy_wanted(r->query, from, arena, document)) return DQ_DOCUMENT;
    dq_fail(error, DQ_ERR_MEMORY, "out of memory for a document");
    return DQ_DOCUMENT_BROKEN;
}

static void close_run(dq_documents *documents)
{
    run *r = documents->self;
    documents->self = NULL;
    free(r->documents);
    free(r);
}

static void note_asked(memory_place *place, const dq_query *query)
{
    size_t used = strlen(place->asked), size = sizeof place->asked;
    used += (size_t)snprintf(place->asked + used, size - used, "%s", query->collection);
    if (query->where) used += (size_t)snprintf(place->asked + used, size - used, "?%s", query->where);
    for (size_t i = 0; query->ids && query->ids[i] && used < size; i++)
        used += (size_t)snprintf(place->asked + used, size - used, "%c%s", i ? ',' : '[', query->ids[i]);
    if (used < size) (void)snprintf(place->asked + used, size - used, query->ids ? "] " : " ");
}

static const collection *find_collection(const memory_place *place, const char *name)
{
    for (size_t i = 0; i < place->count; i++)
        if (strcmp(place->all[i].name, name) == 0) return &place->all[i];
    return NULL;
}

static dq_status open_run(dq_collections *as_place, const dq_query *query, dq_documents *documents,
                          dq_error *error)
{
    memory_place *place = as_place->self;
    const collection *c = find_collection(place, query->collection);
    if (place->failing) return dq_fail(error, DQ_ERR_IO, "nobody answers");
    if (!c) return dq_fail(error, DQ_ERR_UNKNOWN, "no collection %s", query->collection);
    note_asked(place, query);
    bool grants = as_place->kinds != NULL;
    run *r = calloc(1, sizeof *r);
    const dq_value **wanted = calloc(c->documents.count + 1U, sizeof *wanted);
    if (!r || !wanted) {
        free(r);
        free(wanted);
        return dq_fail(error, DQ_ERR_MEMORY, "out of memory for a run");
    }
    *r = (run){.place = place, .query = grants ? query : NULL, .documents = wanted};
    for (uint32_t i = 0; i < c->documents.count; i++)
        if (!grants || wants(query, &c->documents.as.list[i])) wanted[r->count++] = &c->documents.as.list[i];
    char key[64];
    (void)snprintf(key, sizeof key, "%s", query->key);
    if (grants && !place->unsorted) qsort_r(wanted, r->count, sizeof *wanted, by_key, key);
    *documents = (dq_documents){.next = next_document, .close = close_run, .self = r};
    (void)snprintf(documents->name, sizeof documents->name, "%s", query->collection);
    return DQ_OK;
}

static dq_status kinds_of(dq_collections *as_place, const dq_query *query, unsigned *kinds, dq_error *error)
{
    const collection *c = find_collection(as_place->self, query->collection);
    if (!c) return dq_fail(error, DQ_ERR_UNKNOWN, "no collection %s", query->collection);
    dq_arena arena = DQ_ARENA_EMPTY;
    *kinds = 0;
    for (uint32_t i = 0; i < c->documents.count; i++) {
        dq_import_id id;
        if (id_of(&c->documents.as.list[i], query->key, &arena, &id)) *kinds |= id.kind;
    }
    dq_arena_free(&arena);
    return DQ_OK;
}

/* With grants a place as a database is one, else as a folder is. */
static void begin_place(memory_place *place, bool grants)
{
    *place = (memory_place){.numbered = !grants};
    place->as_place = (dq_collections){.open = open_run, .kinds = grants ? kinds_of : NULL, .self = place};
}

static void put(memory_place *place, const char *name, const char *documents)
{
    assert_true(place->count < sizeof place->all / sizeof *place->all);
    place->all[place->count++] = (collection){name, parse(&place->arena, documents)};
}

static void end_place(memory_place *place)
{
    dq_arena_free(&place->arena);
}

/* ---- what was passed over ---- */

/* "1 duplicate (v 3), 2 unmatched (u 'a')": counts, and where each fault was first seen. */
static void passes_over(const dq_import_tally *tally, const char *expected)
{
    static const char *const names[DQ_IMPORT_FAULTS] = {[DQ_IMPORT_MALFORMED] = "malformed",
                                                        [DQ_IMPORT_NO_ID] = "no id",
                                                        [DQ_IMPORT_MISSING] = "missing",
                                                        [DQ_IMPORT_MISTYPED] = "mistyped",
                                                        [DQ_IMPORT_WIDTH] = "width",
                                                        [DQ_IMPORT_NOT_FINITE] = "not finite",
                                                        [DQ_IMPORT_DUPLICATE] = "duplicate",
                                                        [DQ_IMPORT_UNMATCHED] = "unmatched",
                                                        [DQ_IMPORT_UNKNOWN_USER] = "unknown user",
                                                        [DQ_IMPORT_UNKNOWN_ITEM] = "unknown item"};
    char text[1024] = "";
    size_t used = 0;
    for (int i = 1; i < DQ_IMPORT_FAULTS; i++) {
        if (!tally->faults[i].count) continue;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%d %s (%s", used ? ", " : "",
                                 (int)tally->faults[i].count, names[i], tally->faults[i].source);
        if (tally->faults[i].record != DQ_NO_RECORD)
            used += (size_t)snprintf(text + used, sizeof text - used, " %d", (int)tally->faults[i].record);
        used += (size_t)snprintf(text + used, sizeof text - used, ")");
    }
    assert_string_equal(text, expected);
}

#endif
