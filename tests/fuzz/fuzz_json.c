/* SPDX-License-Identifier: MIT
 *
 * JSON and extended JSON. The first byte says which; the rest is one text. What was read is written, and read
 * again it is the same value and the same text. Whatever reads a value (ids, texts, numbers, vectors) sees
 * every part of it. The fast reader says the same of the text, and so does that of cells where it says
 * anything.
 */
#include "fuzz.h"

#include "import/value.h"
#include "port/files/ejson.h"
#include "port/files/json.h"
#include "port/text/cell.h"
#include "port/text/json_reader.h"

#include <stdlib.h>
#include <string.h>

typedef dq_status parser(const char *text, size_t bytes, dq_arena *arena, dq_value *value, dq_error *error);

static void check_again(parser *parse, const dq_value *v)
{
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_json_text once = DQ_JSON_TEXT_EMPTY, twice = DQ_JSON_TEXT_EMPTY;
    dq_value again;
    if (dq_json_write(&once, v, &e)) fuzz_fail("what was read cannot be written: %s", e.reason);
    if (parse(once.data, once.bytes, &arena, &again, &e))
        fuzz_fail("what was written cannot be read: %s", e.reason);
    if (!dq_value_equal(v, &again)) fuzz_fail("another value: %.*s", (int)once.bytes, once.data);
    if (dq_json_write(&twice, &again, &e)) fuzz_fail("what was read again cannot be written: %s", e.reason);
    if (once.bytes != twice.bytes || memcmp(once.data, twice.data, once.bytes) != 0)
        fuzz_fail("another text: %.*s, %.*s", (int)once.bytes, once.data, (int)twice.bytes, twice.data);
    dq_json_text_free(&once);
    dq_json_text_free(&twice);
    dq_arena_free(&arena);
}

/* A fault is said, and a failure that is no fault says nothing. */
static void check_fault(dq_import_fault fault, dq_error *error)
{
    if (fault) fuzz_refused(error);
    if (!fault && error->status) fuzz_fail("no fault, but '%s'", error->reason);
    *error = DQ_ERROR_NONE;
}

static void read_vector(const dq_value *v, dq_arena *arena)
{
    dq_error e = DQ_ERROR_NONE;
    dq_value numbers;
    dq_import_fault fault = dq_import_unpack_vector(v, "v", 0, arena, &numbers, &e);
    check_fault(fault, &e);
    if (fault || !numbers.count || numbers.count > 1 << 16) return;
    float *to = dq_arena_take(arena, numbers.count * sizeof *to);
    if (!to) return;
    fault = dq_import_read_vector(v, "v", numbers.count, arena, to, &e);
    check_fault(fault, &e);
    for (uint32_t i = 0; !fault && i < numbers.count; i++) fuzz_finite((double)to[i]);
}

static void read_parts(const dq_value *v, dq_arena *arena)
{
    dq_error e = DQ_ERROR_NONE;
    dq_import_id id;
    dq_value text;
    double number;
    dq_import_fault fault = dq_import_read_id(v, arena, &id, &e);
    check_fault(fault, &e);
    if (!fault && (!id.text || !id.bytes || dq_import_id_compare(&id, &id))) fuzz_fail("an id that is none");
    if (dq_import_read_text(v, arena, &text, &e)) fuzz_refused(&e);
    e = DQ_ERROR_NONE;
    fault = dq_import_read_number(v, "n", &number, &e);
    check_fault(fault, &e);
    if (!fault) fuzz_finite(number);
    if (v->type == DQ_STRING || v->type == DQ_LIST || v->type == DQ_MAP) read_vector(v, arena);
}

/* Every part, but not the numbers of a long list: these are read with it. */
static void walk(const dq_value *v)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    read_parts(v, &arena);
    dq_arena_free(&arena);
    for (uint32_t i = 0; v->type == DQ_LIST && i < v->count && i < 8; i++) walk(&v->as.list[i]);
    for (uint32_t i = 0; v->type == DQ_MAP && i < v->count; i++) walk(&v->as.map[i].value);
}

/* The readers of lines and of cells against the one that stands for both; v is NULL where that refused. */
static void compare(fuzz_bytes text, const dq_value *v, const dq_error *refused)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_error e = DQ_ERROR_NONE;
    dq_value other, as_text;
    dq_json_reader *reader = dq_json_reader_new();
    char *cell = fuzz_text(text);
    if (!reader) fuzz_fail("no reader");
    const dq_status status = dq_json_reader_parse(reader, cell, text.n, &arena, &other, &e);
    if ((status == DQ_OK) != (v != NULL) || (v && !dq_value_equal(v, &other)))
        fuzz_fail("the fast reader has another value");
    if (!v && strcmp(e.reason, refused->reason) != 0)
        fuzz_fail("other words: %s, %s", e.reason, refused->reason);
    as_text = dq_string_n(&arena, cell, text.n);
    if (dq_cell_read(cell, text.n, &other) && !dq_value_equal(&other, v ? v : &as_text))
        fuzz_fail("a cell of another value");
    free(cell);
    dq_json_reader_free(reader);
    dq_arena_free(&arena);
}

static void read_json(const uint8_t *data, size_t n)
{
    fuzz_bytes rest = {data, n};
    parser *parse = fuzz_byte(&rest) & 1 ? dq_ejson_parse : dq_json_parse;
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value v;
    const dq_status status = parse((const char *)rest.data, rest.n, &arena, &v, &e);
    if (parse == dq_json_parse) compare(rest, status ? NULL : &v, &e);
    if (status) {
        fuzz_refused(&e);
    } else {
        check_again(parse, &v);
        if (parse == dq_ejson_parse) walk(&v);
    }
    dq_arena_free(&arena);
}

const fuzz_target fuzz_it = {.read = read_json, .memory = 1 << 20, .per_byte = 1000};
