/* SPDX-License-Identifier: MIT
 *
 * Rows as JSON lines, in the form that dq-export reads.
 */
#include "inspect/print_impl.h"

#include "port/files/rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

void dq_print_bytes(dq_print *p, const char *text, size_t n)
{
    if (!p->status) p->status = dq_json_write_raw(p->out, text, n, p->error);
}

void dq_print_text(dq_print *p, const char *text)
{
    dq_print_bytes(p, text, strlen(text));
}

static void string(dq_print *p, const char *text, size_t n)
{
    if (!p->status) p->status = dq_json_write_string(p->out, text, n, p->error);
}

/* "name": with a comma before it unless an object has just begun. */
static void key(dq_print *p, const char *name)
{
    if (p->out->bytes && p->out->data[p->out->bytes - 1] != '{') dq_print_text(p, ",");
    string(p, name, strlen(name));
    dq_print_text(p, ":");
}

/* Element i of a numeric column: integers in full, floats with 9 digits, f8 with 17; null where not finite.
 */
static void number(dq_print *p, const dq_column *c, uint64_t i)
{
    char text[40];
    double real = dq_column_number(c, i);
    uint64_t wide = 0;
    if (dq_dtype_size(c->type) == sizeof wide)
        memcpy(&wide, (const unsigned char *)c->data + i * sizeof wide, sizeof wide);
    switch (c->type) {
    case DQ_U8: (void)snprintf(text, sizeof text, "%" PRIu64, wide); break;
    case DQ_I8: (void)snprintf(text, sizeof text, "%" PRId64, (int64_t)wide); break;
    case DQ_F2:
    case DQ_BF16:
    case DQ_F4:
    case DQ_F8: (void)snprintf(text, sizeof text, c->type == DQ_F8 ? "%.17g" : "%.9g", real); break;
    default: (void)snprintf(text, sizeof text, "%.0f", real);
    }
    if (real == 0 && signbit(real))
        (void)snprintf(text, sizeof text, "-0.0"); /* JSON's -0 is an integer, 0 */
    dq_print_text(p, isfinite(real) ? text : "null");
}

/* The id that reference i means, or a plain number. */
static void element(dq_print *p, const dq_column *c, uint64_t i)
{
    size_t n;
    const char *id = dq_select_id(p->select, c, i, &n);
    if (id)
        string(p, id, n);
    else
        number(p, c, i);
}

static bool all_finite(const float *numbers, uint64_t n)
{
    bool finite = true;
    for (uint64_t i = 0; i < n; i++) finite &= isfinite(numbers[i]) != 0;
    return finite;
}

/* [n elements from i on] */
static void list(dq_print *p, const dq_column *c, uint64_t i, uint64_t n)
{
    if (p->status) return;
    if (c->type == DQ_F4 && all_finite((const float *)c->data + i, n)) {
        p->status = dq_json_write_floats(p->out, (const float *)c->data + i, n, p->error);
        return;
    }
    dq_print_text(p, "[");
    for (uint64_t k = 0; k < n; k++) {
        if (k) dq_print_text(p, ",");
        element(p, c, i + k);
    }
    dq_print_text(p, "]");
}

/* A text that calls itself JSON is parsed before it is believed: it may have come from anywhere. */
static void json(dq_print *p, const char *text, size_t n)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value value;
    if (!p->status) p->status = dq_json_parse(text, n, &arena, &value, p->error);
    if (!p->status) p->status = dq_json_write(p->out, &value, p->error);
    dq_arena_free(&arena);
}

void dq_print_cell(dq_print *p, const dq_column *c, uint64_t row)
{
    size_t n;
    uint64_t width = dq_column_width(c);
    bool numbers = dq_dtype_size(c->type) != 0;
    const char *text = numbers ? NULL : dq_column_text(c, row, &n);
    if (dq_column_is_null(c, row))
        dq_print_text(p, "null");
    else if (c->dims > 1)
        list(p, c, row * width, width);
    else if (numbers)
        element(p, c, row);
    else
        (c->type == DQ_JSON ? json : string)(p, text, n);
}

/* The name of a column's value in a line: of an attribute without its prefix, unless the line says its kind
 * under that name. */
static const char *name_in_line(const dq_print *p, const char *name)
{
    const char *attribute = starts_with(name, "attr.") ? name + strlen("attr.") : name;
    bool taken = p->with_kind && attribute != name && dq_rows_names_kind(attribute, strlen(attribute));
    return taken ? name : attribute;
}

/* {"title":"...",...}: all text.NAME columns of the row. */
static void texts(dq_print *p, const dq_bundle *bundle, uint64_t row)
{
    key(p, "text");
    dq_print_text(p, "{");
    for (size_t i = 0; i < bundle->column_count; i++) {
        const dq_column *c = &bundle->columns[i];
        if (!starts_with(c->name, "text.") || dq_column_is_null(c, row)) continue;
        key(p, c->name + strlen("text."));
        dq_print_cell(p, c, row);
    }
    dq_print_text(p, "}");
}

void dq_print_vector(dq_print *p, const dq_column *c, uint64_t row, const dq_print_parts *parts)
{
    uint64_t width = dq_column_width(c);
    if (parts->count == 0) {
        list(p, c, row * width, width);
        return;
    }
    dq_print_text(p, "{");
    for (size_t f = 0; f < parts->count; f++) {
        key(p, parts->fields[f].name);
        list(p, c, row * width + parts->fields[f].offset, parts->fields[f].width);
    }
    dq_print_text(p, "}");
}

bool dq_print_is_vector(const dq_column *c)
{
    return c->dims == 2 && strcmp(c->name, "vector") == 0;
}

/* By name only where the names are given and cover the vector from end to end, so that nothing is lost. */
void dq_print_read_parts(dq_print *p, const dq_bundle *bundle, dq_print_parts *parts)
{
    const dq_column *c = dq_bundle_column(bundle, "vector");
    uint64_t width = c ? dq_column_width(c) : 0, at = 0;
    if (!c || !dq_print_is_vector(c) || width > UINT32_MAX || !dq_map_get(&bundle->meta, "fields")) return;
    p->status = dq_fields_read(&bundle->meta, (uint32_t)width, &parts->arena, &parts->fields, &parts->count,
                               p->error);
    for (size_t f = 0; !p->status && f < parts->count; f++)
        at = parts->fields[f].offset == at ? at + parts->fields[f].width : width + 1;
    if (at != width) parts->count = 0;
}

static void begin(dq_print *p, const dq_bundle *bundle)
{
    dq_print_text(p, "{");
    if (!p->with_kind) return;
    key(p, "kind");
    string(p, bundle->kind, strlen(bundle->kind));
}

static void print_row(dq_print *p, const dq_bundle *bundle, uint64_t row, const dq_print_parts *parts)
{
    bool had_texts = false;
    begin(p, bundle);
    for (size_t i = 0; i < bundle->column_count; i++) {
        const dq_column *c = &bundle->columns[i];
        if (dq_column_is_null(c, row)) continue;
        if (starts_with(c->name, "text.")) {
            if (!had_texts) texts(p, bundle, row);
            had_texts = true;
            continue;
        }
        key(p, name_in_line(p, c->name));
        if (dq_print_is_vector(c))
            dq_print_vector(p, c, row, parts);
        else
            dq_print_cell(p, c, row);
    }
    dq_print_text(p, "}\n");
}

static void print_tensor(dq_print *p, const dq_bundle *bundle, const dq_column *c)
{
    char shape[128];
    int n = 0;
    for (unsigned d = 0; d < c->dims; d++)
        n += snprintf(shape + n, sizeof shape - (size_t)n, "%s%" PRIu64, d ? "," : "[", c->shape[d]);
    begin(p, bundle);
    key(p, "name");
    string(p, c->name, strlen(c->name));
    key(p, "type");
    string(p, dq_dtype_name(c->type), strlen(dq_dtype_name(c->type)));
    key(p, "shape");
    dq_print_text(p, shape);
    dq_print_text(p, "]");
    key(p, "data");
    if (dq_dtype_size(c->type) && !c->nulls) {
        list(p, c, 0, c->shape[0] * dq_column_width(c));
    } else {
        dq_print_text(p, "[");
        for (uint64_t i = 0; i < c->shape[0]; i++) {
            if (i) dq_print_text(p, ",");
            dq_print_cell(p, c, i);
        }
        dq_print_text(p, "]");
    }
    dq_print_text(p, "}\n");
}

/* A model, or what has no rows: one line for the metadata and one for each tensor. */
static void print_tensors(dq_print *p, const dq_bundle *bundle)
{
    begin(p, bundle);
    key(p, "meta");
    if (!p->status) p->status = dq_json_write(p->out, &bundle->meta, p->error);
    dq_print_text(p, "}\n");
    for (size_t i = 0; i < bundle->column_count; i++) print_tensor(p, bundle, &bundle->columns[i]);
}

dq_status dq_print_json(dq_json_text *out, const dq_bundle *bundle, const dq_selection *select,
                        bool with_kind, dq_error *error)
{
    dq_print p = {.out = out, .select = select, .error = error, .with_kind = with_kind};
    dq_print_parts parts = {0};
    if (select->count && !dq_select_is_table(bundle)) {
        print_tensors(&p, bundle);
        return p.status;
    }
    dq_print_read_parts(&p, bundle, &parts);
    for (size_t i = 0; !p.status && i < select->count; i++) print_row(&p, bundle, select->rows[i], &parts);
    dq_arena_free(&parts.arena);
    return p.status;
}
