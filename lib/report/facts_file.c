/* SPDX-License-Identifier: MIT */
#include "report/facts_file.h"

#include "dq/stream.h"
#include "port/files/json.h"
#include "port/files/rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static dq_status read_catalogue(dq_catalogue *catalogue, dq_reader *reader, dq_error *error)
{
    dq_bundle bundle;
    int got;
    while ((got = dq_reader_next(reader, &bundle, error)) > 0) {
        bool taken;
        dq_status status = dq_catalogue_add(catalogue, &bundle, dq_reader_section(reader), &taken, error);
        dq_bundle_free(&bundle);
        if (status) return dq_error_at(error, dq_reader_source(reader), dq_reader_record(reader));
    }
    return got < 0 ? error->status : dq_catalogue_finish(catalogue, false, error);
}

/* ---- attributes ---- */

/* All digits of a number, so that no two become one value; 2.0 is 2. */
static void show_number(const dq_value *value, char text[32])
{
    double real = dq_value_number(value, 0);
    bool whole = value->type == DQ_INT || (real == floor(real) && fabs(real) < 0x1p53);
    if (whole)
        (void)snprintf(text, 32, "%" PRId64, value->type == DQ_INT ? value->as.integer : (int64_t)real);
    else
        dq_rows_number(real, text);
}

static dq_status add_value(dq_attribute *to, const dq_value *value, dq_error *error)
{
    char number[32];
    switch (value->type) {
    case DQ_NIL: return DQ_OK;
    case DQ_STRING: return dq_attribute_add(to, value->as.string, value->count, error);
    case DQ_BOOL:
        return value->as.boolean ? dq_attribute_add(to, "true", 4, error)
                                 : dq_attribute_add(to, "false", 5, error);
    case DQ_INT:
    case DQ_REAL: show_number(value, number); return dq_attribute_add(to, number, strlen(number), error);
    default:
        return dq_fail(error, DQ_ERR_SCHEMA,
                       "%s: a value is neither a text, a number nor a list of "
                       "these",
                       to->name);
    }
}

/* A cell: JSON, of which a list is several values, or a text. */
static dq_status add_cell(dq_attribute *to, const dq_column *column, uint64_t row, dq_arena *arena,
                          dq_error *error)
{
    size_t n;
    dq_value value;
    const char *text = dq_column_text(column, row, &n);
    if (!text) return DQ_OK;
    if (column->type == DQ_TEXT) return dq_attribute_add(to, text, n, error);
    dq_status status = dq_json_parse(text, n, arena, &value, error);
    if (status || value.type != DQ_LIST) return status ? status : add_value(to, &value, error);
    for (uint32_t i = 0; i < value.count && !status; i++) status = add_value(to, &value.as.list[i], error);
    return status;
}

static const dq_column *column_of(const dq_bundle *bundle, const char *name)
{
    static const char *const forms[] = {"attr.%s", "text.%s"};
    char full[80];
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(full, sizeof full, forms[i], name);
        const dq_column *column = dq_bundle_column(bundle, full);
        if (column && (column->type == DQ_JSON || column->type == DQ_TEXT)) return column;
    }
    return NULL;
}

static dq_status fill_attribute(dq_attribute *to, const dq_entities *entities, dq_error *error)
{
    const dq_bundle *bundle = NULL;
    const dq_column *column = NULL;
    dq_status status = DQ_OK;
    for (uint32_t r = 0; r < dq_entities_count(entities) && !status; r++) {
        dq_arena arena = DQ_ARENA_EMPTY;
        const dq_bundle *of = &entities->bundles[entities->rows[r].bundle];
        if (of != bundle) column = column_of(of, to->name);
        bundle = of;
        if (column) status = add_cell(to, column, entities->rows[r].row, &arena, error);
        if (!status) status = dq_attribute_next(to, error);
        dq_arena_free(&arena);
    }
    return status ? status : dq_attribute_finish(to, error);
}

static dq_status read_attribute(dq_attribute *to, const char *name, const dq_entities *entities,
                                const char *what, dq_error *error)
{
    if (strlen(name) >= sizeof to->name)
        return dq_fail(error, DQ_ERR_RANGE, "an attribute's name of %zu bytes, of at most %zu", strlen(name),
                       sizeof to->name - 1);
    (void)snprintf(to->name, sizeof to->name, "%s", name);
    dq_status status = fill_attribute(to, entities, error);
    if (!status && dq_index_count(&to->values) == 0)
        status = dq_fail(error, DQ_ERR_UNKNOWN, "no %s has an attribute '%s'", what, name);
    return status;
}

/* ---- what picks are about ---- */

static dq_status find_field(dq_measure_pick *pick, const dq_entities *items, dq_error *error)
{
    dq_status status = dq_entities_check_vectors(items, "items", error);
    if (status || !*pick->argument) return status;
    const dq_field *field = dq_field_find(items->fields, items->field_count, pick->argument);
    if (!field)
        return dq_fail(error, DQ_ERR_UNKNOWN, "the items' vectors have no field '%s'", pick->argument);
    pick->about = (size_t)(field - items->fields);
    return DQ_OK;
}

static dq_status find_attribute(dq_facts *f, dq_measure_pick *pick, dq_error *error)
{
    size_t a = 0;
    while (a < f->attribute_count && strcmp(f->attributes[a].name, pick->argument) != 0) a++;
    pick->about = a;
    if (a < f->attribute_count) return DQ_OK;
    if (a == DQ_FACTS_ATTRIBUTES)
        return dq_fail(error, DQ_ERR_RANGE, "measures are about more than %d attributes",
                       DQ_FACTS_ATTRIBUTES);
    f->attribute_count++;
    return read_attribute(&f->attributes[a], pick->argument, &f->catalogue->items, "item", error);
}

static dq_status find_about(dq_facts *f, dq_measure_pick *pick, dq_error *error)
{
    dq_status status = DQ_OK;
    if (pick->measure->needs & DQ_NEEDS_HISTORY && !f->by_interactions)
        return dq_fail(error, DQ_ERR_SCHEMA, "%s compares with what users met: there are no interactions",
                       pick->measure->name);
    if (pick->measure->about == DQ_ABOUT_FIELD) status = find_field(pick, &f->catalogue->items, error);
    if (pick->measure->about == DQ_ABOUT_ATTRIBUTE) status = find_attribute(f, pick, error);
    return status;
}

static dq_status fill_facts(dq_facts *f, const dq_catalogue *catalogue, dq_measure_picks *picks,
                            const char *by, dq_error *error)
{
    if (dq_entities_count(&catalogue->items) == 0)
        return dq_fail(error, DQ_ERR_SCHEMA, "there are no items in it");
    dq_status status = dq_facts_use_catalogue(f, catalogue, error);
    for (size_t p = 0; p < picks->count && !status; p++) status = find_about(f, &picks->at[p], error);
    if (!status && by) status = read_attribute(&f->by, by, &catalogue->users, "user", error);
    return status;
}

dq_status dq_facts_read(dq_facts *facts, dq_catalogue *catalogue, const char *path, dq_measure_picks *picks,
                        const char *by, dq_error *error)
{
    dq_reader *reader;
    dq_status status = dq_reader_open(&reader, &path, 1, error);
    if (status) return status;
    status = read_catalogue(catalogue, reader, error);
    if (!status) {
        status = fill_facts(facts, catalogue, picks, by, error);
        if (status) (void)dq_error_at(error, dq_reader_source(reader), DQ_NO_RECORD);
    }
    dq_reader_close(reader);
    return status;
}
