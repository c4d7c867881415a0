/* SPDX-License-Identifier: MIT */
#include "import/table.h"

#include "port/files/ejson.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum role { ROLE_STRING, ROLE_TEXT, ROLE_VECTOR, ROLE_ELEMENT, ROLE_ATTRIBUTE } role;

typedef struct column {
    role role;
    const char *key;   /* of the document, of its text, or the vector's field */
    char *field;       /* the same, owned, where it is only a part of the column's name */
    uint32_t expected; /* an element's place in its field */
} column;

typedef struct table {
    dq_source *source;
    dq_csv *csv;
    column *columns;
    size_t count;
} table;

/* "vector.N" or "vector.FIELD.N". Elements of one field stand one after the other, from 0. */
static dq_status element_role(column *c, const column *before, const char *name, dq_error *error)
{
    const char *dot = strrchr(name, '.'), *field = name + strlen("vector.");
    c->role = ROLE_ELEMENT;
    c->field = dot < field ? strdup("vector") : strndup(field, (size_t)(dot - field));
    if (!c->field) return dq_fail_memory(error, "a row");
    c->key = c->field;
    bool same = before && before->role == ROLE_ELEMENT && strcmp(before->key, c->key) == 0;
    c->expected = same ? before->expected + 1 : 0;
    char number[16];
    (void)snprintf(number, sizeof number, "%u", c->expected);
    if (strcmp(dot + 1, number) != 0)
        return dq_fail(error, DQ_ERR_FORMAT, "column %s stands where .%s is expected", name, number);
    return DQ_OK;
}

static bool is_string(const char *name)
{
    return strcmp(name, "id") == 0 || strcmp(name, "user") == 0 || strcmp(name, "item") == 0 ||
           strcmp(name, "label") == 0;
}

static dq_status find_roles(table *t, dq_error *error)
{
    const dq_csv_cell *header = dq_csv_header(t->csv, &t->count);
    t->columns = calloc(t->count, sizeof *t->columns);
    if (!t->columns) return dq_fail_memory(error, "a row");
    for (size_t i = 0; i < t->count; i++) {
        const char *name = header[i].text;
        column *c = &t->columns[i];
        *c = (column){.role = is_string(name) ? ROLE_STRING : ROLE_ATTRIBUTE, .key = name};
        if (strcmp(name, "vector") == 0) c->role = ROLE_VECTOR;
        if (strncmp(name, "attr.", 5) == 0 && name[5]) c->key = name + 5;
        if (strncmp(name, "text.", 5) == 0 && name[5]) *c = (column){.role = ROLE_TEXT, .key = name + 5};
        if (strncmp(name, "vector.", 7) != 0) continue;
        dq_status status = element_role(c, i ? c - 1 : NULL, name, error);
        if (status) return status;
    }
    return DQ_OK;
}

/* A string; of a vector or an attribute JSON where it is JSON. */
static dq_status read_cell(const dq_csv_cell *cell, role is, dq_arena *arena, dq_value *value,
                           dq_error *error)
{
    if (is == ROLE_VECTOR || is == ROLE_ATTRIBUTE) {
        dq_error why = DQ_ERROR_NONE;
        dq_status status = dq_ejson_parse(cell->text, cell->bytes, arena, value, &why);
        if (status == DQ_ERR_MEMORY) return dq_fail_memory(error, "a row");
        if (!status) return DQ_OK;
    }
    *value = dq_string_n(arena, cell->text, cell->bytes);
    return value->type == DQ_STRING ? DQ_OK : dq_fail_memory(error, "a row");
}

static dq_status add_element(dq_value *vector, const column *c, const dq_csv_cell *cell, dq_arena *arena,
                             dq_error *error)
{
    char *end;
    double number = strtod(cell->text, &end);
    if (end == cell->text || *end)
        return dq_fail(error, DQ_ERR_FORMAT, "element %u of %s is no number: '%.40s'", c->expected, c->key,
                       cell->text);
    if (c->expected == 0 && !dq_map_set(arena, vector, c->key, dq_list()))
        return dq_fail_memory(error, "a row");
    dq_value *field = &vector->as.map[vector->count - 1].value;
    return dq_list_add(arena, field, dq_real(number)) ? DQ_OK : dq_fail_memory(error, "a row");
}

static dq_status add_cell(dq_value *document, dq_value *text, dq_value *vector, const column *c,
                          const dq_csv_cell *cell, dq_arena *arena, dq_error *error)
{
    dq_value value;
    if (c->role == ROLE_ELEMENT) return add_element(vector, c, cell, arena, error);
    if (!cell->bytes) return DQ_OK;
    dq_status status = read_cell(cell, c->role, arena, &value, error);
    if (status) return status;
    dq_value *map = c->role == ROLE_TEXT ? text : document;
    return dq_map_set(arena, map, c->key, value) ? DQ_OK : dq_fail_memory(error, "a row");
}

static dq_status row_document(const table *t, const dq_csv_cell *cells, dq_arena *arena, dq_value *document,
                              dq_error *error)
{
    dq_value text = dq_map(), vector = dq_map();
    *document = dq_map();
    for (size_t i = 0; i < t->count; i++) {
        dq_status status = add_cell(document, &text, &vector, &t->columns[i], &cells[i], arena, error);
        if (status) return status;
    }
    if (text.count && !dq_map_set(arena, document, "text", text)) return dq_fail_memory(error, "a row");
    if (vector.count && !dq_map_set(arena, document, "vector", vector)) return dq_fail_memory(error, "a row");
    return DQ_OK;
}

static int table_next(dq_documents *documents, dq_arena *arena, dq_value *document, dq_error *error)
{
    table *t = documents->self;
    const dq_csv_cell *cells;
    int answer = dq_csv_next(t->csv, &cells, error); /* the answers are the same */
    documents->record = dq_csv_line(t->csv);
    if (answer == DQ_DOCUMENT) {
        dq_status status = row_document(t, cells, arena, document, error);
        if (status) answer = status == DQ_ERR_MEMORY ? DQ_DOCUMENT_BROKEN : DQ_DOCUMENT_BAD;
    }
    if (answer == DQ_DOCUMENT_BAD || answer == DQ_DOCUMENT_BROKEN)
        dq_error_at(error, documents->name, documents->record);
    return answer;
}

static void table_close(dq_documents *documents)
{
    table *t = documents->self;
    documents->self = NULL;
    if (!t) return;
    dq_csv_close(t->csv);
    dq_source_close(t->source);
    for (size_t i = 0; t->columns && i < t->count; i++) free(t->columns[i].field);
    free(t->columns);
    free(t);
}

dq_status dq_import_table_open(dq_documents *documents, const char *path, dq_csv_form form, dq_error *error)
{
    table *t = calloc(1, sizeof *t);
    *documents = (dq_documents){.next = table_next, .close = table_close, .self = t};
    (void)snprintf(documents->name, sizeof documents->name, "%s", path);
    if (!t) return dq_fail_memory(error, "a row");
    dq_status status = dq_source_open(&t->source, path, error);
    if (!status) status = dq_csv_open(&t->csv, t->source, form, error);
    if (!status) status = find_roles(t, error);
    if (!status) return DQ_OK;
    dq_error_at(error, path, DQ_NO_RECORD);
    table_close(documents);
    return status;
}
