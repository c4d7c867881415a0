/* SPDX-License-Identifier: MIT */
#include "port/files/obd.h"

#include "core/array.h"
#include "core/digest.h"
#include "core/index.h"
#include "port/files/csv.h"
#include "port/files/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char user_prefix[] = "user_feature_", item_prefix[] = "item_feature_",
                  affinity_prefix[] = "user-item_affinity_";

/* ---- tables ---- */

typedef struct table {
    dq_source *source;
    dq_csv *csv;
    const dq_csv_cell *header; /* (width) */
    size_t width;
} table;

static void close_table(table *t)
{
    dq_csv_close(t->csv);
    dq_source_close(t->source);
    *t = (table){0};
}

static dq_status open_table(table *t, const char *path, dq_error *error)
{
    *t = (table){0};
    dq_status status = dq_source_open(&t->source, path, error);
    if (!status) status = dq_source_text(t->source, error);
    if (!status) status = dq_csv_open(&t->csv, t->source, DQ_CSV, error);
    if (status) {
        dq_error_at(error, path, DQ_NO_RECORD);
        close_table(t);
        return status;
    }
    t->header = dq_csv_header(t->csv, &t->width);
    return DQ_OK;
}

static bool begins(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* ---- features ---- */

typedef struct feature {
    size_t column;
    char *name;
    dq_index values;     /* as they came */
    uint32_t *places;    /* (values) of each in the order of their bytes */
    bool numbers, whole; /* all values are numbers; it has no more values than are counted */
} feature;

typedef struct features {
    feature *at; /* (count) */
    size_t count, slots;
} features;

static void free_features(features *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->at[i].name);
        free(f->at[i].places);
        dq_index_free(&f->at[i].values);
    }
    free(f->at);
    *f = (features){0};
}

static dq_status find_features(features *f, const table *t, const char *prefix, dq_error *error)
{
    for (size_t i = 0; i < t->width; i++) {
        if (!begins(t->header[i].text, prefix)) continue;
        if (!dq_array_reserve(&f->at, &f->slots, f->count + 1, sizeof *f->at))
            return dq_fail_memory(error, "features");
        feature *new = &f->at[f->count];
        *new = (feature){.column = i, .name = strdup(t->header[i].text), .numbers = true, .whole = true};
        if (!new->name) return dq_fail_memory(error, "features");
        f->count++;
    }
    return DQ_OK;
}

static dq_status note_values(features *f, const dq_csv_cell *cells, dq_error *error)
{
    double number;
    dq_status status = DQ_OK;
    for (size_t i = 0; i < f->count && !status; i++) {
        feature *a = &f->at[i];
        const dq_csv_cell *cell = &cells[a->column];
        a->numbers &= dq_json_read_number(cell->text, cell->bytes, &number);
        if (!a->whole || dq_index_find(&a->values, cell->text, cell->bytes) != DQ_ABSENT) continue;
        a->whole = dq_index_count(&a->values) < DQ_OBD_VALUES;
        if (a->whole) status = dq_index_add(&a->values, cell->text, cell->bytes, NULL, NULL, error);
    }
    return status;
}

static int compare_ids(const dq_index *ids, uint32_t a, uint32_t b)
{
    size_t n, m;
    const char *x = dq_index_id(ids, a, &n), *y = dq_index_id(ids, b, &m);
    int order = memcmp(x, y, n < m ? n : m);
    return order ? order : (n > m) - (n < m);
}

/* Each value's place is how many are before it; there are few. */
static dq_status place_values(features *f, dq_error *error)
{
    for (size_t i = 0; i < f->count; i++) {
        feature *a = &f->at[i];
        uint32_t n = (uint32_t)dq_index_count(&a->values);
        a->places = calloc(n + 1U, sizeof *a->places);
        if (!a->places) return dq_fail_memory(error, "features");
        for (uint32_t v = 0; v < n; v++)
            for (uint32_t w = 0; w < n; w++) a->places[v] += compare_ids(&a->values, w, v) < 0;
    }
    return DQ_OK;
}

/* One feature of a row as numbers: itself, or a 1 among zeros. */
static bool encode(const feature *a, const char *text, size_t bytes, bool numbers, dq_arena *arena,
                   dq_value *to)
{
    double number = 0;
    bool one = numbers && a->numbers && dq_json_read_number(text, bytes, &number);
    uint32_t width = one ? 1 : (uint32_t)dq_index_count(&a->values);
    float *at = dq_arena_zero(arena, width + 1U, sizeof *at);
    if (!at) return false;
    uint32_t v = one ? DQ_ABSENT : dq_index_find(&a->values, text, bytes);
    if (one)
        at[0] = (float)number;
    else if (v != DQ_ABSENT)
        at[a->places[v]] = 1;
    *to = (dq_value){.type = DQ_FLOATS, .count = width, .as.floats = at};
    return true;
}

/* A number where the text is one, else a string. */
static dq_value value_of(dq_arena *arena, const char *text, size_t bytes)
{
    double number;
    if (!dq_json_read_number(text, bytes, &number)) return dq_string_n(arena, text, bytes);
    bool whole = number > -0x1p53 && number < 0x1p53 && number == (double)(int64_t)number &&
                 !strpbrk(text, ".eE");
    return whole ? dq_int((int64_t)number) : dq_real(number);
}

/* Adds a vector and attributes to a document; cells are those of the features, in their order. */
static bool add_features(const features *f, const dq_csv_cell *cells, bool numbers, dq_arena *arena,
                         dq_value *document)
{
    dq_value vector = dq_map(), value;
    bool ok = true;
    for (size_t i = 0; i < f->count && ok; i++) {
        const feature *a = &f->at[i];
        if (!a->whole && !(numbers && a->numbers)) continue;
        ok = encode(a, cells[i].text, cells[i].bytes, numbers, arena, &value) &&
             dq_map_set(arena, &vector, a->name, value);
    }
    if (ok && vector.count) ok = dq_map_set(arena, document, "vector", vector);
    for (size_t i = 0; i < f->count && ok; i++)
        if (cells[i].bytes)
            ok = dq_map_set(arena, document, f->at[i].name, value_of(arena, cells[i].text, cells[i].bytes));
    return ok;
}

/* ---- the place ---- */

enum { TIME, ITEM, POSITION, CLICK, PROPENSITY, ROLES };

typedef struct obd {
    const char *log, *items;
    size_t width, columns[ROLES];
    const char *
        *keys; /* (width) what a cell of the log is in a document; NULL: handled on its own, or nothing */
    features of_users, of_items;
    dq_index contexts; /* the features' values, each followed by a NUL */
    dq_index ids;      /* of items, where no file has them */
    dq_arena arena;
} obd;

static const struct {
    const char *names[4], *key;
} role_columns[ROLES] = {[TIME] = {{"timestamp"}, "time"},
                         [ITEM] = {{"item_id"}, "item"},
                         [POSITION] = {{"position"}, "position"},
                         [CLICK] = {{"click"}, "reward"},
                         [PROPENSITY] = {{"propensity_score", "action_prob", "pscore"}, "propensity"}};

static size_t find_column(const table *t, const char *const *names)
{
    for (; *names; names++)
        for (size_t i = 0; i < t->width; i++)
            if (strcmp(t->header[i].text, *names) == 0) return i;
    return SIZE_MAX;
}

/* A column that is an attribute by its name may not have that of something else. */
static dq_status check_attributes(const obd *o, dq_error *error)
{
    static const char *const others[] = {"user", "affinity", "label", "request", "model", "kind"};
    for (size_t i = 0; i < o->width; i++) {
        bool taken = false, role = false;
        for (size_t r = 0; r < ROLES; r++) role |= i == o->columns[r];
        for (size_t r = 0; r < ROLES && o->keys[i] && !role; r++)
            taken |= strcmp(o->keys[i], role_columns[r].key) == 0;
        for (size_t k = 0; k < sizeof others / sizeof *others && o->keys[i]; k++)
            taken |= strcmp(o->keys[i], others[k]) == 0;
        if (taken)
            return dq_fail(error, DQ_ERR_SCHEMA,
                           "a column %s, which a log of the Open Bandit Dataset does not have; for others "
                           "--interactions and --columns say what is what",
                           o->keys[i]);
    }
    return DQ_OK;
}

static dq_status find_roles(obd *o, const table *t, dq_error *error)
{
    o->width = t->width;
    o->keys = dq_arena_zero(&o->arena, t->width + 1, sizeof *o->keys);
    if (!o->keys) return dq_fail_memory(error, "a log");
    for (size_t i = 0; i < t->width; i++) {
        const char *name = t->header[i].text;
        bool apart = begins(name, user_prefix) || begins(name, affinity_prefix) || !*name;
        o->keys[i] = apart ? NULL : dq_arena_text(&o->arena, name, t->header[i].bytes);
        if (!apart && !o->keys[i]) return dq_fail_memory(error, "a log");
    }
    for (size_t r = 0; r < ROLES; r++) {
        size_t at = o->columns[r] = find_column(t, role_columns[r].names);
        if (at == SIZE_MAX && r == TIME) continue;
        if (at == SIZE_MAX)
            return dq_fail(error, DQ_ERR_SCHEMA,
                           "no column %s: a log of the Open Bandit Dataset has item_id, position, click, "
                           "propensity_score; for others --interactions and --columns say what is what",
                           role_columns[r].names[0]);
        o->keys[at] = role_columns[r].key;
    }
    return check_attributes(o, error);
}

/* The values of the user features, each followed by a NUL, in the arena. */
static char *context_of(const obd *o, const dq_csv_cell *cells, dq_arena *arena, size_t *bytes)
{
    size_t n = 0;
    for (size_t i = 0; i < o->of_users.count; i++) n += cells[o->of_users.at[i].column].bytes + 1;
    char *text = dq_arena_take(arena, n + 1), *at = text;
    for (size_t i = 0; text && i < o->of_users.count; i++) {
        const dq_csv_cell *cell = &cells[o->of_users.at[i].column];
        memcpy(at, cell->text, cell->bytes + 1);
        at += cell->bytes + 1;
    }
    *bytes = n;
    return text;
}

static dq_value user_id(dq_arena *arena, const char *context, size_t bytes)
{
    char id[17];
    (void)snprintf(id, sizeof id, "%016" PRIx64, dq_digest(context, bytes));
    return dq_string_n(arena, id, 16);
}

/* A NUL in a value would make one context of two. */
static bool has_nul(const obd *o, const dq_csv_cell *cells)
{
    for (size_t i = 0; i < o->of_users.count; i++) {
        const dq_csv_cell *cell = &cells[o->of_users.at[i].column];
        if (strlen(cell->text) != cell->bytes) return true;
    }
    return false;
}

static dq_status note_row(obd *o, const dq_csv_cell *cells, dq_arena *arena, dq_error *error)
{
    size_t n;
    if (has_nul(o, cells)) return DQ_OK;
    const char *context = context_of(o, cells, arena, &n);
    if (!context) return dq_fail_memory(error, "contexts");
    bool new;
    dq_status status = dq_index_add(&o->contexts, context, n, NULL, &new, error);
    if (!status && new) status = note_values(&o->of_users, cells, error);
    const dq_csv_cell *item = &cells[o->columns[ITEM]];
    if (!status && !o->items && item->bytes)
        status = dq_index_add(&o->ids, item->text, item->bytes, NULL, NULL, error);
    return status;
}

/* Without a file of items: those that have affinities come first, in that order. */
static dq_status note_affinities(obd *o, const table *t, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < t->width && !status && !o->items; i++) {
        const char *id = t->header[i].text + strlen(affinity_prefix);
        if (begins(t->header[i].text, affinity_prefix) && *id)
            status = dq_index_add(&o->ids, id, strlen(id), NULL, NULL, error);
    }
    return status;
}

static dq_status survey_log(obd *o, dq_error *error)
{
    table t;
    const dq_csv_cell *cells;
    dq_arena arena = DQ_ARENA_EMPTY;
    int got = 0;
    dq_status status = open_table(&t, o->log, error);
    if (!status) status = find_features(&o->of_users, &t, user_prefix, error);
    if (!status) status = find_roles(o, &t, error);
    if (!status) status = note_affinities(o, &t, error);
    while (!status && (got = dq_csv_next(t.csv, &cells, error)) > 0) {
        if (got == DQ_CSV_ROW) status = note_row(o, cells, &arena, error);
        dq_arena_free(&arena);
    }
    if (got < 0) status = error->status;
    if (!status) status = place_values(&o->of_users, error);
    if (status) dq_error_at(error, o->log, got < 0 ? dq_csv_line(t.csv) : DQ_NO_RECORD);
    close_table(&t);
    return status;
}

static dq_status survey_items(obd *o, dq_error *error)
{
    static const char *const id[] = {"item_id", "id", NULL};
    table t;
    const dq_csv_cell *cells;
    int got = 0;
    dq_status status = open_table(&t, o->items, error);
    if (!status) status = find_features(&o->of_items, &t, item_prefix, error);
    if (!status && find_column(&t, id) == SIZE_MAX)
        status = dq_fail(error, DQ_ERR_SCHEMA, "no column item_id");
    while (!status && (got = dq_csv_next(t.csv, &cells, error)) > 0)
        if (got == DQ_CSV_ROW) status = note_values(&o->of_items, cells, error);
    if (got < 0) status = error->status;
    if (!status) status = place_values(&o->of_items, error);
    if (status) dq_error_at(error, o->items, got < 0 ? dq_csv_line(t.csv) : DQ_NO_RECORD);
    close_table(&t);
    return status;
}

/* ---- documents ---- */

typedef struct run {
    const obd *o;
    table table;
    uint32_t next; /* of contexts, or of ids */
    size_t id;     /* column of the items' ids */
} run;

static int out_of_memory(dq_error *error)
{
    dq_fail_memory(error, "a row");
    return DQ_DOCUMENT_BROKEN;
}

static int next_user(dq_documents *documents, dq_arena *arena, dq_value *document, dq_error *error)
{
    run *r = documents->self;
    const features *f = &r->o->of_users;
    size_t n;
    if (r->next == dq_index_count(&r->o->contexts)) return DQ_DOCUMENT_END;
    const char *context = dq_index_id(&r->o->contexts, r->next++, &n), *at = context;
    dq_csv_cell *cells = dq_arena_zero(arena, f->count + 1, sizeof *cells);
    for (size_t i = 0; cells && i < f->count; i++, at += cells[i - 1].bytes + 1)
        cells[i] = (dq_csv_cell){at, strlen(at)};
    *document = dq_map();
    documents->record = r->next;
    bool ok = cells && dq_map_set(arena, document, "id", user_id(arena, context, n)) &&
              add_features(f, cells, false, arena, document);
    return ok ? DQ_DOCUMENT : out_of_memory(error);
}

/* The next row of a table, as dq_documents answers. */
static int next_row(dq_documents *documents, const dq_csv_cell **cells, dq_error *error)
{
    run *r = documents->self;
    int got = dq_csv_next(r->table.csv, cells, error); /* the answers are the same */
    documents->record = dq_csv_line(r->table.csv);
    if (got != DQ_CSV_ROW && got != DQ_CSV_END) dq_error_at(error, documents->name, documents->record);
    return got;
}

static int next_item(dq_documents *documents, dq_arena *arena, dq_value *document, dq_error *error)
{
    run *r = documents->self;
    const features *f = &r->o->of_items;
    const dq_csv_cell *row;
    int got = next_row(documents, &row, error);
    if (got != DQ_CSV_ROW) return got;
    *document = dq_map();
    dq_csv_cell *cells = dq_arena_zero(arena, f->count + 1, sizeof *cells);
    for (size_t i = 0; cells && i < f->count; i++) cells[i] = row[f->at[i].column];
    bool ok = cells != NULL;
    if (ok && row[r->id].bytes)
        ok = dq_map_set(arena, document, "id", dq_string_n(arena, row[r->id].text, row[r->id].bytes));
    if (ok) ok = add_features(f, cells, true, arena, document);
    for (size_t i = 0; i < r->table.width && ok; i++) {
        const char *name = r->table.header[i].text;
        if (i == r->id || !*name || begins(name, item_prefix) || !row[i].bytes) continue;
        ok = dq_map_set(arena, document, name, value_of(arena, row[i].text, row[i].bytes));
    }
    return ok ? DQ_DOCUMENT : out_of_memory(error);
}

static int next_id(dq_documents *documents, dq_arena *arena, dq_value *document, dq_error *error)
{
    run *r = documents->self;
    size_t n;
    if (r->next == dq_index_count(&r->o->ids)) return DQ_DOCUMENT_END;
    const char *id = dq_index_id(&r->o->ids, r->next++, &n);
    *document = dq_map();
    documents->record = r->next;
    return dq_map_set(arena, document, "id", dq_string_n(arena, id, n)) ? DQ_DOCUMENT : out_of_memory(error);
}

static bool is_zero(const dq_csv_cell *cell)
{
    double number;
    if (cell->bytes == 3 && memcmp(cell->text, "0.0", 3) == 0) return true;
    return !cell->bytes || (dq_json_read_number(cell->text, cell->bytes, &number) && number == 0);
}

static bool add_cells(const run *r, const dq_csv_cell *cells, dq_arena *arena, dq_value *document)
{
    dq_value affinity = dq_map();
    bool ok = true;
    for (size_t i = 0; i < r->o->width && ok; i++) {
        const char *key = r->o->keys[i], *name = r->table.header[i].text;
        if (key && cells[i].bytes)
            ok = dq_map_set(arena, document, key,
                            i == r->o->columns[ITEM] ? dq_string_n(arena, cells[i].text, cells[i].bytes)
                                                     : value_of(arena, cells[i].text, cells[i].bytes));
        else if (!key && !is_zero(&cells[i]) && begins(name, affinity_prefix))
            ok = dq_map_set(arena, &affinity, name + strlen(affinity_prefix),
                            value_of(arena, cells[i].text, cells[i].bytes));
    }
    return ok && (!affinity.count || dq_map_set(arena, document, "affinity", affinity));
}

static int next_interaction(dq_documents *documents, dq_arena *arena, dq_value *document, dq_error *error)
{
    run *r = documents->self;
    const dq_csv_cell *cells;
    size_t n;
    int got = next_row(documents, &cells, error);
    if (got != DQ_CSV_ROW) return got;
    if (has_nul(r->o, cells)) {
        dq_fail(error, DQ_ERR_FORMAT, "a NUL in a feature of the user");
        dq_error_at(error, documents->name, documents->record);
        return DQ_DOCUMENT_BAD;
    }
    const char *context = context_of(r->o, cells, arena, &n);
    *document = dq_map();
    bool ok = context && dq_map_set(arena, document, "user", user_id(arena, context, n)) &&
              add_cells(r, cells, arena, document);
    return ok ? DQ_DOCUMENT : out_of_memory(error);
}

static void close_run(dq_documents *documents)
{
    run *r = documents->self;
    documents->self = NULL;
    if (!r) return;
    close_table(&r->table);
    free(r);
}

static dq_status open_rows(dq_documents *documents, const char *path, dq_error *error)
{
    static const char *const id[] = {"item_id", "id", NULL};
    run *r = documents->self;
    dq_status status = open_table(&r->table, path, error);
    if (status) return status;
    (void)snprintf(documents->name, sizeof documents->name, "%s", dq_source_name(r->table.source));
    r->id = find_column(&r->table, id);
    bool changed = path == r->o->log ? r->table.width != r->o->width : r->id == SIZE_MAX;
    if (!changed) return DQ_OK;
    dq_fail(error, DQ_ERR_FORMAT, "changed while it was read");
    return dq_error_at(error, path, DQ_NO_RECORD);
}

static dq_status obd_open(dq_collections *place, const dq_query *query, dq_documents *documents,
                          dq_error *error)
{
    obd *o = place->self;
    run *r = calloc(1, sizeof *r);
    bool users = strcmp(query->collection, "users") == 0, items = strcmp(query->collection, "items") == 0;
    const char *path = users ? NULL : items ? o->items : o->log;
    *documents = (dq_documents){.close = close_run, .self = r, .record = DQ_NO_RECORD};
    documents->next = users ? next_user : !items ? next_interaction : path ? next_item : next_id;
    (void)snprintf(documents->name, sizeof documents->name, "%s", o->log);
    if (!r) return dq_fail_memory(error, "a log");
    r->o = o;
    dq_status status = path ? open_rows(documents, path, error) : DQ_OK;
    if (status) close_run(documents);
    return status;
}

static void obd_close(dq_collections *place)
{
    obd *o = place->self;
    place->self = NULL;
    if (!o) return;
    free_features(&o->of_users);
    free_features(&o->of_items);
    dq_index_free(&o->contexts);
    dq_index_free(&o->ids);
    dq_arena_free(&o->arena);
    free(o);
}

dq_status dq_collections_open_obd(dq_collections *place, const char *log, const char *items, dq_error *error)
{
    obd *o = calloc(1, sizeof *o);
    *place = (dq_collections){.open = obd_open, .close = obd_close, .self = o};
    if (!o) return dq_fail_memory(error, "a log");
    o->log = log;
    o->items = items;
    dq_status status = survey_log(o, error);
    if (!status && items) status = survey_items(o, error);
    if (status) obd_close(place);
    return status;
}
