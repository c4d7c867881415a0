/* SPDX-License-Identifier: MIT */
#include "import/file/table.h"

#include "core/index.h"
#include "import/file/plain.h"
#include "port/files/ejson.h"
#include "port/files/json.h"
#include "port/text/cell.h"
#include "port/text/json_reader.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum role {
    ROLE_STRING,
    ROLE_TEXT,
    ROLE_VECTOR,
    ROLE_ELEMENT,
    ROLE_ATTRIBUTE,
    ROLE_STRINGS, /* of RecBole, cut at blanks */
    ROLE_NUMBERS,
    ROLE_NONE
} role;

typedef struct column {
    role role;
    const char *key;   /* of the document, of its text, or the vector's field */
    dq_value name;     /* the same, as a DQ_STRING */
    char *field;       /* the same, owned, where it is only a part of the column's name */
    uint32_t expected; /* an element's place in its field */
} column;

typedef struct table {
    dq_source *source;
    dq_csv *csv;
    column *columns;
    size_t count;
    dq_entry *entries; /* of a row's document: as many as there can be, by the powers of two of dq_map_add */
    dq_json_reader *reader;
    dq_import_plain_rows *plain; /* of interactions that are read straight, or NULL */
    dq_arena arena;              /* of names and entries */
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
           strcmp(name, "label") == 0 || strcmp(name, "request") == 0 || strcmp(name, "model") == 0;
}

/* ---- RecBole ---- */

static const struct recbole_type {
    const char *ending;
    role role;
} recbole_types[] = {{":token", ROLE_STRING},
                     {":token_seq", ROLE_STRINGS},
                     {":float", ROLE_ATTRIBUTE},
                     {":float_seq", ROLE_NUMBERS}};

static const struct recbole_type *recbole_type_of(const char *name)
{
    const char *colon = strrchr(name, ':');
    for (size_t i = 0; colon && i < sizeof recbole_types / sizeof *recbole_types; i++)
        if (strcmp(colon, recbole_types[i].ending) == 0) return &recbole_types[i];
    return NULL;
}

static bool is_recbole(const dq_csv_cell *header, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!recbole_type_of(header[i].text)) return false;
    return true;
}

/* ---- what the columns are ---- */

/* The names without their types. */
static dq_status names_of(table *t, const char ***names, dq_error *error)
{
    const dq_csv_cell *header = dq_csv_header(t->csv, &t->count);
    bool recbole = is_recbole(header, t->count);
    t->columns = calloc(t->count, sizeof *t->columns);
    *names = dq_arena_zero(&t->arena, t->count, sizeof **names);
    if (!t->columns || !*names) return dq_fail_memory(error, "a row");
    for (size_t i = 0; i < t->count; i++) {
        const char *name = header[i].text;
        size_t n = recbole ? (size_t)(strrchr(name, ':') - name) : header[i].bytes;
        t->columns[i].role = recbole ? recbole_type_of(name)->role : ROLE_ATTRIBUTE;
        (*names)[i] = dq_arena_text(&t->arena, name, n);
        if (!(*names)[i]) return dq_fail_memory(error, "a row");
    }
    return DQ_OK;
}

/* What the reading names is there, and nothing stands in blanks, which a separator of several bytes cuts off.
 */
static dq_status check_names(const table *t, const char *const *names, const char *separator,
                             const dq_import_reading *reading, dq_error *error)
{
    char list[DQ_IMPORT_FOUND];
    for (size_t i = 0; i < t->count; i++) {
        size_t n = strlen(names[i]);
        if (n && (names[i][0] == ' ' || names[i][n - 1] == ' '))
            return dq_fail(error, DQ_ERR_FORMAT,
                           "column %zu is named '%s', with a blank (--sep '%s ' cuts it off where one stands "
                           "behind each separator)",
                           i + 1, names[i], separator);
    }
    for (size_t k = 0; k < reading->count; k++) {
        bool there = false;
        for (size_t i = 0; i < t->count && !there; i++) there = strcmp(names[i], reading->named[k].name) == 0;
        if (there) continue;
        dq_import_list(names, t->count, list, sizeof list);
        return dq_fail(error, DQ_ERR_SCHEMA, "no column %s for the %s; there are: %s", reading->named[k].name,
                       reading->named[k].role, list);
    }
    return DQ_OK;
}

/* A column by the name of its role. */
static dq_status find_role(column *c, const column *before, const char *name, dq_error *error)
{
    c->key = name;
    if (is_string(name)) c->role = ROLE_STRING;
    if (strcmp(name, "vector") == 0 && c->role != ROLE_NUMBERS) c->role = ROLE_VECTOR;
    if (strncmp(name, "attr.", 5) == 0 && name[5]) c->key = name + 5;
    if (strncmp(name, "text.", 5) == 0 && name[5]) *c = (column){.role = ROLE_TEXT, .key = name + 5};
    return strncmp(name, "vector.", 7) == 0 ? element_role(c, before, name, error) : DQ_OK;
}

/* Keys by what they are of, each with the column that has it. */
typedef struct keys {
    dq_index attributes, texts, fields;
    uint32_t *first; /* (3 count) the column of key k of an index, behind those of the others */
} keys;

static void free_keys(keys *k)
{
    dq_index_free(&k->attributes);
    dq_index_free(&k->texts);
    dq_index_free(&k->fields);
    free(k->first);
}

/* The name of a column as the header has it. */
static const char *header_name(const table *t, size_t i)
{
    size_t count;
    return dq_csv_header(t->csv, &count)[i].text;
}

static dq_status fail_twice(const table *t, size_t first, size_t second, dq_error *error)
{
    const column *c = &t->columns[second];
    if (c->role == ROLE_ELEMENT)
        return dq_fail(error, DQ_ERR_FORMAT, "column %s stands apart from %s, of the same vector",
                       header_name(t, second), header_name(t, first));
    return dq_fail(error, DQ_ERR_SCHEMA, "both %s and %s would be the %s %s", header_name(t, first),
                   header_name(t, second), c->role == ROLE_TEXT ? "text" : "attribute", c->key);
}

/* No two columns have one key: "attr.x" and "x" are one attribute, as RecBole's "x:float" and "x:token" are;
 * and the elements of a field stand together. */
static dq_status check_keys(const table *t, keys *k, dq_error *error)
{
    dq_status status = DQ_OK;
    k->first = calloc(t->count, 3 * sizeof *k->first);
    if (!k->first) return dq_fail_memory(error, "a row");
    for (size_t i = 0; i < t->count && !status; i++) {
        const column *c = &t->columns[i];
        bool text = c->role == ROLE_TEXT, element = c->role == ROLE_ELEMENT, added;
        dq_index *index = text ? &k->texts : element ? &k->fields : &k->attributes;
        uint32_t *first = k->first + (text ? t->count : element ? 2 * t->count : 0), row;
        if (c->role == ROLE_NONE || (element && c->expected)) continue;
        status = dq_index_add(index, c->key, strlen(c->key), &row, &added, error);
        if (status) break;
        if (!added) status = fail_twice(t, first[row], i, error);
        first[row] = (uint32_t)i;
    }
    return status;
}

static dq_status check_distinct(const table *t, dq_error *error)
{
    keys k = {0};
    dq_status status = check_keys(t, &k, error);
    free_keys(&k);
    return status;
}

/* What several columns make together stands under a key that no other column has. */
static dq_status check_parts(const table *t, const char *const *names, dq_error *error)
{
    static const struct {
        role part;
        const char *key;
    } wholes[] = {{ROLE_TEXT, "text"}, {ROLE_ELEMENT, "vector"}};
    for (size_t w = 0; w < sizeof wholes / sizeof *wholes; w++) {
        size_t part = 0, whole = 0;
        while (part < t->count && t->columns[part].role != wholes[w].part) part++;
        for (; part < t->count && whole < t->count; whole++) {
            const column *c = &t->columns[whole];
            if (c->role == ROLE_NONE || c->role == wholes[w].part || strcmp(c->key, wholes[w].key) != 0)
                continue;
            return dq_fail(error, DQ_ERR_SCHEMA, "both %s and %s would be of the %s", names[whole],
                           names[part], wholes[w].key);
        }
    }
    return DQ_OK;
}

/* What a row's document is made in: two entries more than columns, for "text" and "vector". */
static dq_status make_room(table *t, dq_error *error)
{
    size_t room = 4;
    while (room < t->count + 2) room *= 2;
    t->entries = dq_arena_zero(&t->arena, room, sizeof *t->entries);
    t->reader = dq_json_reader_new();
    for (size_t i = 0; i < t->count; i++) {
        column *c = &t->columns[i];
        size_t n = c->key ? strlen(c->key) : 0;
        c->name = (dq_value){.type = DQ_STRING, .count = (uint32_t)n, .as.string = c->key};
    }
    return t->entries && t->reader ? DQ_OK : dq_fail_memory(error, "a row");
}

/* Whether rows may be read straight: of columns of texts and of cells that are JSON where they look so. */
static dq_status plan_plain_rows(table *t, dq_error *error)
{
    dq_import_plain_column *columns = dq_arena_zero(&t->arena, t->count, sizeof *columns);
    if (!columns) return dq_fail_memory(error, "a row");
    for (size_t i = 0; i < t->count; i++) {
        const role is = t->columns[i].role;
        if (is != ROLE_STRING && is != ROLE_ATTRIBUTE && is != ROLE_NONE) return DQ_OK;
        columns[i].key = is == ROLE_NONE ? NULL : t->columns[i].key;
        columns[i].text = is == ROLE_STRING;
    }
    return dq_import_plain_rows_new(&t->plain, columns, t->count, &t->arena, error);
}

static dq_status find_roles(table *t, const char *kind, dq_csv_form form, const dq_import_reading *reading,
                            char found[DQ_IMPORT_FOUND], dq_error *error)
{
    const char **names, **roles;
    char list[DQ_IMPORT_FOUND - 16];
    dq_status status = names_of(t, &names, error);
    if (!status) status = check_names(t, names, form.separator, reading, error);
    if (status) return status;
    roles = dq_arena_zero(&t->arena, t->count, sizeof *roles);
    if (!roles) return dq_fail_memory(error, "a row");
    status = dq_import_assign(reading, kind, false, names, t->count, roles, error);
    for (size_t i = 0; i < t->count && !status; i++) {
        column *c = &t->columns[i];
        bool left_out = !*names[i] || (form.headless && !roles[i]);
        if (left_out)
            c->role = ROLE_NONE;
        else
            status = find_role(c, i ? c - 1 : NULL, roles[i] ? roles[i] : names[i], error);
    }
    if (!status) status = check_distinct(t, error);
    if (!status) status = check_parts(t, names, error);
    dq_import_list(names, t->count, list, sizeof list);
    (void)snprintf(found, DQ_IMPORT_FOUND, "its columns: %s", list);
    if (!status && !dq_import_is_known_by(kind, names, t->count, roles))
        status = dq_import_missing(reading, kind, "column", names, t->count, error);
    return status;
}

/* ---- cells ---- */

/* What stands between blanks. */
static dq_status read_sequence(const dq_csv_cell *cell, role is, dq_arena *arena, dq_value *value,
                               dq_error *error)
{
    const char *at = cell->text;
    *value = dq_list();
    for (;;) {
        at += strspn(at, " ");
        size_t n = strcspn(at, " ");
        double number = 0;
        if (!n) return DQ_OK;
        if (is == ROLE_NUMBERS && (!dq_json_read_number(at, n, &number) || !isfinite(number)))
            return dq_fail(error, DQ_ERR_FORMAT, "no number: '%.*s'", n < 40 ? (int)n : 40, at);
        dq_value element = is == ROLE_NUMBERS ? dq_real(number) : dq_string_n(arena, at, n);
        if (!dq_list_add(arena, value, element)) return dq_fail_memory(error, "a row");
        at += n;
    }
}

/* JSON where the cell is JSON; *is tells. */
static dq_status read_json(const table *t, const dq_csv_cell *cell, dq_arena *arena, dq_value *value,
                           bool *is, dq_error *error)
{
    dq_error why = DQ_ERROR_NONE;
    dq_status status = dq_json_reader_parse(t->reader, cell->text, cell->bytes, arena, value, &why);
    if (!status) status = dq_ejson_normalise(value, arena, &why);
    *is = !status;
    return status == DQ_ERR_MEMORY ? dq_fail_memory(error, "a row") : DQ_OK;
}

/* A string, which stays the cell's; of a vector or an attribute JSON where it is JSON. */
static inline dq_status read_cell(const table *t, const dq_csv_cell *cell, role is, dq_arena *arena,
                                  dq_value *value, dq_error *error)
{
    if (is == ROLE_STRINGS || is == ROLE_NUMBERS) return read_sequence(cell, is, arena, value, error);
    bool json = is == ROLE_VECTOR || is == ROLE_ATTRIBUTE;
    if (json && dq_cell_read(cell->text, cell->bytes, value)) return DQ_OK;
    dq_status status = json ? read_json(t, cell, arena, value, &json, error) : DQ_OK;
    if (!json)
        *value = (dq_value){.type = DQ_STRING, .count = (uint32_t)cell->bytes, .as.string = cell->text};
    return status;
}

/* A number behind blanks; "nan" and "inf" are some, which nobody can use. */
static bool read_number(const dq_csv_cell *cell, double *number)
{
    char *end;
    if (cell->bytes && dq_json_reader_number(cell->text, cell->bytes, number) == cell->bytes) return true;
    size_t blanks = strspn(cell->text, " ");
    if (dq_json_read_number(cell->text + blanks, cell->bytes - blanks, number)) return true;
    *number = strtod(cell->text, &end);
    return end == cell->text + cell->bytes && !isfinite(*number);
}

static dq_status add_element(dq_value *vector, const column *c, const dq_csv_cell *cell, dq_arena *arena,
                             dq_error *error)
{
    double number;
    if (!read_number(cell, &number))
        return dq_fail(error, DQ_ERR_FORMAT, "element %u of %s is no number: '%.40s'", c->expected, c->key,
                       cell->text);
    if (c->expected == 0 && !dq_map_add(arena, vector, c->name, dq_list()))
        return dq_fail_memory(error, "a row");
    dq_value *field = &vector->as.map[vector->count - 1].value;
    return dq_list_add(arena, field, dq_real(number)) ? DQ_OK : dq_fail_memory(error, "a row");
}

static dq_status add_cell(const table *t, dq_value *document, dq_value *text, dq_value *vector,
                          const column *c, const dq_csv_cell *cell, dq_arena *arena, dq_error *error)
{
    dq_entry *entry = &document->as.map[document->count]; /* where the value is made, if it is one's own */
    if (c->role == ROLE_NONE) return DQ_OK;
    if (c->role == ROLE_ELEMENT) return add_element(vector, c, cell, arena, error);
    if (!cell->bytes) return DQ_OK;
    dq_status status = read_cell(t, cell, c->role, arena, &entry->value, error);
    if (status) return status;
    if (c->role == ROLE_TEXT)
        return dq_map_add(arena, text, c->name, entry->value) ? DQ_OK : dq_fail_memory(error, "a row");
    entry->key = c->name;
    document->count++;
    return DQ_OK;
}

/* *at is the cell that a failure is about. */
static dq_status row_document(const table *t, const dq_csv_cell *cells, dq_arena *arena, dq_value *document,
                              uint64_t *shape, size_t *at, dq_error *error)
{
    static const dq_value text_name = {.type = DQ_STRING, .count = 4, .as.string = "text"};
    static const dq_value vector_name = {.type = DQ_STRING, .count = 6, .as.string = "vector"};
    dq_value text = dq_map(), vector = dq_map();
    *document = dq_map();
    document->as.map = t->entries;
    *shape = t->count < 64 ? UINT64_C(1) << 63 : 0; /* and a bit a cell that is there */
    for (size_t i = 0; i < t->count; i++) {
        *at = i;
        if (*shape) *shape |= (uint64_t)(cells[i].bytes > 0) << (i & 63);
        dq_status status = add_cell(t, document, &text, &vector, &t->columns[i], &cells[i], arena, error);
        if (status) return status;
    }
    if (text.count) t->entries[document->count++] = (dq_entry){text_name, text};
    if (vector.count) t->entries[document->count++] = (dq_entry){vector_name, vector};
    return DQ_OK;
}

/* A row that a cut-off last cell spoils has no newline. */
static bool was_cut_off(const table *t, size_t at)
{
    return at + 1 == t->count && !dq_source_line_ended(t->source);
}

static int make_document(dq_documents *documents, const dq_csv_cell *cells, dq_arena *arena,
                         dq_value *document, dq_error *error)
{
    const table *t = documents->self;
    size_t at = 0;
    dq_status status = row_document(t, cells, arena, document, &documents->shape, &at, error);
    if (!status) return DQ_DOCUMENT;
    if (status == DQ_ERR_MEMORY) return DQ_DOCUMENT_BROKEN;
    if (!was_cut_off(t, at)) return DQ_DOCUMENT_BAD;
    dq_fail(error, DQ_ERR_TRUNCATED, "the last line is cut off: '%.40s' is no number", cells[at].text);
    return DQ_DOCUMENT_BROKEN;
}

/* As a document, or, where x is asked for and the row is plain, as that. */
static inline int next_row(dq_documents *documents, dq_arena *arena, dq_value *document,
                           dq_import_interaction *x, bool *plain, dq_error *error)
{
    const table *t = documents->self;
    const dq_csv_cell *cells;
    int answer = dq_csv_next(t->csv, &cells, error); /* the answers are the same */
    documents->record = dq_csv_line(t->csv);
    *plain = x && t->plain && answer == DQ_DOCUMENT && dq_import_plain_row(t->plain, cells, x);
    if (answer == DQ_DOCUMENT && !*plain) answer = make_document(documents, cells, arena, document, error);
    if (answer != DQ_DOCUMENT && answer != DQ_DOCUMENT_END)
        dq_error_at(error, documents->name, documents->record);
    return answer;
}

static int table_next(dq_documents *documents, dq_arena *arena, dq_value *document, dq_error *error)
{
    bool plain;
    return next_row(documents, arena, document, NULL, &plain, error);
}

int dq_import_next_interaction(dq_documents *documents, dq_arena *arena, dq_value *document,
                               dq_import_interaction *x, bool *plain, dq_error *error)
{
    if (documents->next == table_next) return next_row(documents, arena, document, x, plain, error);
    *plain = false;
    return documents->next(documents, arena, document, error);
}

static void table_close(dq_documents *documents)
{
    table *t = documents->self;
    documents->self = NULL;
    if (!t) return;
    dq_csv_close(t->csv);
    dq_source_close(t->source);
    dq_json_reader_free(t->reader);
    for (size_t i = 0; t->columns && i < t->count; i++) free(t->columns[i].field);
    free(t->columns);
    dq_arena_free(&t->arena);
    free(t);
}

/* What the first line looks like where it is no header. */
typedef struct looks {
    const char *other; /* a separator that it is cut at, where it is not its own; or NULL */
    bool json;
} looks;

static dq_status look_at(dq_source *source, const char *own, looks *l, dq_error *error)
{
    enum { LINE = 4096 };
    const char *first;
    size_t n;
    dq_status status = dq_source_look(source, LINE, &first, &n, error);
    if (status) return status;
    *l = (looks){dq_csv_other_separator(first, n, own), n && (*first == '{' || *first == '[')};
    return DQ_OK;
}

/* What is wrong with a header is often that it is cut at another separator, or that it is none. */
static void explain_header(const looks *l, dq_error *error)
{
    if (error->status == DQ_ERR_MEMORY) return;
    const char *other = l->other && *l->other == '\t' ? "tab" : l->other;
    if (l->json)
        dq_fail(error, error->status, "JSON, by its first byte; its name is to end in .json or .jsonl");
    else if (other)
        dq_fail(error, error->status,
                "no column that is needed, but the first line looks cut at '%s': --sep '%s'", other, other);
}

dq_status dq_import_table_open(dq_documents *documents, dq_source *source, const char *kind, dq_csv_form form,
                               const dq_import_reading *reading, char found[DQ_IMPORT_FOUND], dq_error *error)
{
    table *t = calloc(1, sizeof *t);
    looks first = {0};
    *documents = (dq_documents){.next = table_next, .close = table_close, .self = t};
    (void)snprintf(documents->name, sizeof documents->name, "%s", dq_source_name(source));
    if (!t) {
        dq_source_close(source);
        return dq_fail_memory(error, "a row");
    }
    t->source = source;
    dq_status status = dq_source_text(source, error);
    if (!status) status = look_at(source, form.separator, &first, error);
    if (!status && (status = dq_csv_open(&t->csv, source, form, error))) explain_header(&first, error);
    if (!status && (status = find_roles(t, kind, form, reading, found, error))) explain_header(&first, error);
    if (!status) status = make_room(t, error);
    if (!status) status = plan_plain_rows(t, error);
    if (!status) return DQ_OK;
    dq_error_at(error, documents->name, DQ_NO_RECORD);
    table_close(documents);
    return status;
}
