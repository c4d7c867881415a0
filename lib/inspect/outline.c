/* SPDX-License-Identifier: MIT
 *
 * outline.c takes the rows in, outline_write.c makes the table.
 */
#include "inspect/outline_impl.h"

#include "core/array.h"
#include "core/utf8.h"
#include "dq/schema.h"
#include "port/files/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A column, or a field of a vector: elements from `offset` on, `width` of them a row. */
typedef struct part {
    const char *name;
    uint64_t offset, width;
} part;

bool dq_outline_is_real(dq_dtype type)
{
    return type == DQ_F2 || type == DQ_BF16 || type == DQ_F4 || type == DQ_F8;
}

static bool is_model(const dq_bundle *b)
{
    return !dq_select_is_table(b);
}

/* ---- lines ---- */

static void print_width(const dq_bundle *b, const dq_column *c, const part *p, char to[OUTLINE_WORDS])
{
    int n = 0;
    if (!is_model(b)) {
        (void)snprintf(to, OUTLINE_WORDS, "%" PRIu64, p->width);
        return;
    }
    for (unsigned d = 0; d < c->dims && n < OUTLINE_WORDS; d++)
        n += snprintf(to + n, (size_t)(OUTLINE_WORDS - n), "%s%" PRIu64, d ? "x" : "", c->shape[d]);
}

/* The line of a part; a new one where none is like it. */
static dq_status find_line(dq_outline *o, const dq_bundle *b, const dq_column *c, const part *p,
                           dq_outline_line **line, dq_error *error)
{
    char width[OUTLINE_WORDS];
    const char *ref = c->ref ? c->ref : "", *type = dq_dtype_name(c->type);
    uint32_t i;
    bool added;
    print_width(b, c, p, width);
    size_t room = strlen(b->kind) + strlen(c->name) + strlen(p->name) + strlen(ref) + strlen(type) +
                  strlen(width) + 6;
    char *key = malloc(room);
    if (!key) return dq_fail_memory(error, "an outline");
    int n = snprintf(key, room, "%s%c%s%c%s%c%s%c%s%c%s", b->kind, 0, c->name, 0, p->name, 0, type, 0, width,
                     0, ref);
    dq_status status = dq_index_add(&o->keys, key, (size_t)n, &i, &added, error);
    free(key);
    if (status) return status;
    if (!dq_array_reserve(&o->lines, &o->room, (size_t)i + 1, sizeof *o->lines))
        return dq_fail_memory(error, "an outline");
    if (added)
        o->lines[i] = (dq_outline_line){.type = c->type,
                                        .field = p->name != c->name,
                                        .least = INFINITY,
                                        .most = -INFINITY,
                                        .times = true};
    *line = &o->lines[i];
    return DQ_OK;
}

/* ---- values ---- */

static void note_number(dq_outline_line *line, double number)
{
    if (number < line->least) line->least = number;
    if (number > line->most) line->most = number;
}

static void note_time(dq_outline_line *line, const char *json, size_t n)
{
    if (!line->times) return;
    dq_time time = dq_time_of_json(json, n);
    line->times = time.form != DQ_TIME_UNREADABLE && !dq_time_is_small(&time);
    if (!line->times || time.form == DQ_TIME_NONE) return;
    if (!line->timed || dq_time_compare(&time, &line->first) < 0) line->first = time;
    if (!line->timed || dq_time_compare(&time, &line->last) > 0) line->last = time;
    line->timed = true;
}

/* Which of JSON's types an attribute has, the span of its numbers, and whether all of it are times. */
static dq_status note_json(dq_outline_line *line, const char *json, size_t n, dq_arena *arena,
                           dq_error *error)
{
    dq_value v;
    dq_status status = dq_json_parse(json, n, arena, &v, error);
    if (status) return status;
    switch (v.type) {
    case DQ_INT:
    case DQ_REAL:
        line->numbers = true;
        note_number(line, dq_value_number(&v, 0));
        break;
    case DQ_STRING: line->texts = true; break;
    case DQ_LIST: line->lists = true; break;
    case DQ_MAP: line->objects = true; break;
    case DQ_BOOL: line->flags = true; break;
    default: line->others = true;
    }
    note_time(line, json, n);
    return DQ_OK;
}

/* "0.5,-2,3,1,...", whole numbers with all their digits. */
static void show_numbers(const dq_column *c, uint64_t from, uint64_t count, char to[OUTLINE_EXAMPLE + 4])
{
    enum { SHOWN = 4 };
    int at = 0, digits = dq_outline_is_real(c->type) ? 6 : 17;
    for (uint64_t k = 0; k < count && k < SHOWN; k++)
        at += snprintf(to + at, (size_t)(OUTLINE_EXAMPLE - at), "%s%.*g", k ? "," : "", digits,
                       dq_column_number(c, from + k));
    if (count > SHOWN) (void)snprintf(to + at, 5, ",...");
}

/* The first value, cut where it is long. */
static void show(dq_outline_line *line, const dq_selection *s, const dq_column *c, uint64_t row,
                 const part *p)
{
    size_t n = 0;
    const char *text = dq_dtype_size(c->type) ? NULL : dq_column_text(c, row, &n);
    line->has_example = true;
    if (!text && c->dims == 1) text = dq_select_id(s, c, row, &n);
    if (!text) {
        show_numbers(c, row * dq_column_width(c) + p->offset, p->width, line->example);
        return;
    }
    size_t cut = dq_utf8_prefix(text, n, OUTLINE_CUT);
    size_t bytes = dq_utf8_show(text, cut, line->example, OUTLINE_EXAMPLE);
    if (cut < n) memcpy(line->example + bytes, "...", 4);
}

static dq_status note_row(dq_outline_line *line, const dq_selection *s, const dq_column *c, uint64_t row,
                          const part *p, dq_arena *arena, dq_error *error)
{
    size_t n;
    if (dq_column_is_null(c, row)) {
        line->nulls++;
        return DQ_OK;
    }
    if (!line->has_example) show(line, s, c, row, p);
    if (c->type == DQ_TEXT || c->type == DQ_JSON) {
        const char *text = dq_column_text(c, row, &n);
        if (c->type == DQ_JSON) return note_json(line, text, n, arena, error);
        note_number(line, (double)n);
        return DQ_OK;
    }
    uint64_t first = row * dq_column_width(c) + p->offset;
    for (uint64_t k = 0; k < p->width; k++) note_number(line, dq_column_number(c, first + k));
    return DQ_OK;
}

/* ---- bundles ---- */

static dq_status add_part(dq_outline *o, const dq_bundle *b, const dq_column *c, const part *p,
                          const dq_selection *s, dq_error *error)
{
    dq_outline_line *line;
    dq_status status = find_line(o, b, c, p, &line, error);
    if (status) return status;
    line->rows += s->count;
    for (size_t i = 0; !status && i < s->count; i++) {
        dq_arena arena = DQ_ARENA_EMPTY;
        status = note_row(line, s, c, s->rows[i], p, &arena, error);
        dq_arena_free(&arena);
    }
    return status;
}

/* A tensor of a model: all of its elements. */
static dq_status add_tensor(dq_outline *o, const dq_bundle *b, const dq_column *c, const dq_selection *s,
                            dq_error *error)
{
    dq_outline_line *line;
    const part whole = {c->name, 0, dq_column_width(c)};
    dq_status status = find_line(o, b, c, &whole, &line, error);
    if (status || s->count == 0) return status;
    line->rows++;
    for (uint64_t i = 0; !status && i < c->shape[0]; i++) {
        dq_arena arena = DQ_ARENA_EMPTY;
        status = note_row(line, s, c, i, &whole, &arena, error);
        dq_arena_free(&arena);
    }
    return status;
}

static dq_status add_fields(dq_outline *o, const dq_bundle *b, const dq_column *c, const dq_selection *s,
                            dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_field *fields;
    size_t count;
    dq_status status = dq_fields_read(&b->meta, (uint32_t)dq_column_width(c), &arena, &fields, &count, error);
    for (size_t f = 0; !status && f < count; f++) {
        const part p = {fields[f].name, fields[f].offset, fields[f].width};
        status = add_part(o, b, c, &p, s, error);
    }
    dq_arena_free(&arena);
    return status;
}

dq_status dq_outline_add(dq_outline *o, const dq_bundle *b, const dq_selection *s, dq_error *error)
{
    dq_status status = DQ_OK;
    if (!dq_select_wants(s, b->kind)) return DQ_OK;
    for (size_t i = 0; !status && i < b->column_count; i++) {
        const dq_column *c = &b->columns[i];
        const part whole = {c->name, 0, dq_column_width(c)};
        if (is_model(b)) {
            status = add_tensor(o, b, c, s, error);
            continue;
        }
        status = add_part(o, b, c, &whole, s, error);
        bool vector = c->dims == 2 && strcmp(c->name, "vector") == 0 && dq_column_width(c) <= UINT32_MAX;
        if (!status && vector && dq_map_get(&b->meta, "fields")) status = add_fields(o, b, c, s, error);
    }
    return status;
}

void dq_outline_free(dq_outline *o)
{
    dq_index_free(&o->keys);
    free(o->lines);
    *o = (dq_outline){0};
}
