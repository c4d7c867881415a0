/* SPDX-License-Identifier: MIT
 *
 * Users that are read from a place in memory, in each of the three ways.
 */
#ifndef DQ_TEST_IMPORT_USERS_H
#define DQ_TEST_IMPORT_USERS_H

#include "collections.h"

#include "import/entities.h"

/* The ways of reading: a folder's (whole), a database's (merged where its ids are of one kind), and a
 * database's with a filter that lets all through (looked up). */
typedef enum source { FOLDER, DATABASE, FILTERED, SOURCES } source;

typedef struct world {
    memory_place place;
    dq_import_mapping mapping;
    dq_import_selection selection;
    dq_import_tally tally;
    dq_error error;
    bool ids_only;
    char got[1 << 15]; /* "id{texts}{attributes}[vector] " ... */
} world;

static const char plain[] = "{\"users\":[{\"collection\":\"u\",\"id\":\"_id\"},"
                            "{\"collection\":\"v\",\"id\":\"of\",\"vectors\":["
                            "{\"field\":\"x\",\"key\":\"x\",\"width\":1}]}],"
                            "\"items\":[{\"collection\":\"i\",\"id\":\"_id\"}]}";

static void begin(world *w, source s, const char *mapping)
{
    *w = (world){.selection.limit = UINT64_MAX, .ids_only = true};
    w->error = DQ_ERROR_NONE;
    begin_place(&w->place, s != FOLDER);
    if (s == FILTERED) w->selection.where = "_id";
    if (dq_import_mapping_parse(&w->mapping, mapping, strlen(mapping), &w->error))
        fail_msg("%s", w->error.reason);
}

static void end(world *w)
{
    dq_import_mapping_free(&w->mapping);
    end_place(&w->place);
}

static void add(world *w, const char *format, const void *text, size_t bytes)
{
    size_t used = strlen(w->got);
    assert_true(used + bytes + 2 < sizeof w->got);
    (void)snprintf(w->got + used, sizeof w->got - used, format, (int)bytes, (const char *)text);
}

static void add_json(world *w, const dq_value *v)
{
    dq_json_text out = DQ_JSON_TEXT_EMPTY;
    assert_int_equal(dq_json_write(&out, v, NULL), DQ_OK);
    add(w, "%.*s", out.data, out.bytes);
    dq_json_text_free(&out);
}

static dq_status note(void *arg, const dq_import_entity *entity, dq_error *error)
{
    (void)error;
    world *w = arg;
    add(w, w->got[0] ? " %.*s" : "%.*s", entity->id.text, entity->id.bytes);
    if (w->ids_only) return DQ_OK;
    dq_value vector = {.type = DQ_FLOATS, .as.floats = entity->vector};
    vector.count = w->mapping.users.layout.width;
    add_json(w, &entity->texts);
    add_json(w, &entity->attributes);
    add_json(w, &vector);
    return DQ_OK;
}

static dq_status read_once(world *w)
{
    dq_import_entities *users;
    w->got[0] = '\0';
    dq_status status = dq_import_entities_new(&users, DQ_KIND_USERS, &w->place.as_place, &w->mapping.users,
                                              &w->selection, false, &w->error);
    if (!status) status = dq_import_entities_read(users, &w->tally, note, w, &w->error);
    dq_import_entities_free(users);
    assert_int_equal(status, w->error.status);
    return status;
}

static void gives(world *w, const char *ids)
{
    if (read_once(w)) fail_msg("%s", w->error.reason);
    assert_string_equal(w->got, ids);
}

static void fails_with(world *w, dq_status status, const char *words)
{
    assert_int_equal(read_once(w), status);
    assert_string_equal(w->error.reason, words);
}

#endif
