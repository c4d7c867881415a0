/* SPDX-License-Identifier: MIT
 *
 * Rows of a table of interactions that are read straight are what documents of the same rows are read as:
 * every form of a cell under every column that means something; and which rows are plain.
 */
#include "import/document.h"
#include "import/file/table.h"
#include "port/files/json.h"
#include "text_file.h"

#include <math.h>
#include <string.h>

static dq_arena arena;

/* A table of one row, of which two copies are read in the two ways. */
typedef struct twice {
    dq_documents documents;
    dq_value document;
    dq_import_interaction x;
    bool plain;
} twice;

static void open_table(twice *t, const char *text)
{
    static const dq_import_reading none;
    char found[DQ_IMPORT_FOUND];
    dq_source *source;
    dq_error e = DQ_ERROR_NONE;
    write_text(text);
    assert_int_equal(dq_source_open(&source, path, &e), DQ_OK);
    if (dq_import_table_open(&t->documents, source, DQ_KIND_INTERACTIONS, DQ_CSV, &none, found, &e))
        fail_msg("%s: %s", text, e.reason);
}

/* The next row; false: it is not plain. */
static bool read_plain(twice *t)
{
    dq_error e = DQ_ERROR_NONE;
    const int got = dq_import_next_interaction(&t->documents, &arena, &t->document, &t->x, &t->plain, &e);
    assert_int_equal(got, DQ_DOCUMENT);
    return t->plain;
}

static void read_document(twice *t)
{
    const dq_import_interaction_keys keys = DQ_IMPORT_INTERACTION_KEYS;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(t->documents.next(&t->documents, &arena, &t->document, &e), DQ_DOCUMENT);
    if (dq_import_read_interaction(&t->document, &keys, &arena, &t->x, &e)) fail_msg("%s", e.reason);
    assert_null(t->x.written);
}

static void same_id(const dq_import_id *a, const dq_import_id *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->integer, b->integer);
    assert_int_equal(a->bytes, b->bytes);
    assert_memory_equal(a->text, b->text, a->bytes);
}

static void same_number(double a, double b)
{
    assert_true(isnan(a) ? isnan(b) : a == b && signbit(a) == signbit(b));
}

static void same_attribute(const twice *plain, uint32_t i, const dq_value *other)
{
    const dq_value *value = &plain->x.attributes.as.map[i].value;
    dq_json_text json = DQ_JSON_TEXT_EMPTY, expected = DQ_JSON_TEXT_EMPTY;
    assert_int_equal(dq_json_write(&expected, other, NULL), DQ_OK);
    const bool written = plain->x.written[i];
    assert_int_equal(written ? dq_json_write_raw(&json, value->as.string, value->count, NULL)
                             : dq_json_write(&json, value, NULL),
                     DQ_OK);
    assert_int_equal(json.bytes, expected.bytes);
    assert_memory_equal(json.data, expected.data, json.bytes);
    dq_json_text_free(&json);
    dq_json_text_free(&expected);
}

static void same(const twice *plain, const twice *other)
{
    const dq_import_interaction *a = &plain->x, *b = &other->x;
    same_id(&a->user, &b->user);
    same_id(&a->item, &b->item);
    assert_true(dq_value_equal(&a->label, &b->label));
    assert_true(dq_value_equal(&a->request, &b->request));
    assert_true(dq_value_equal(&a->model, &b->model));
    same_number((double)a->reward, (double)b->reward);
    same_number(a->propensity, b->propensity);
    assert_int_equal(a->position, b->position);
    assert_int_equal(a->attributes.count, b->attributes.count);
    for (uint32_t i = 0; i < a->attributes.count; i++) {
        assert_true(dq_value_equal(&a->attributes.as.map[i].key, &b->attributes.as.map[i].key));
        same_attribute(plain, i, &b->attributes.as.map[i].value);
    }
}

/* One cell under one column, beside a user and an item; what there is to say of it: whether it is plain. */
static bool agrees(const char *column, const char *cell)
{
    char text[256];
    twice plain = {0}, other = {0};
    (void)snprintf(text, sizeof text, "user,item,%s,last\nu1,i1,%s,z\n", column, cell);
    open_table(&plain, text);
    const bool is = read_plain(&plain);
    if (is) {
        open_table(&other, text);
        read_document(&other);
        same(&plain, &other);
        other.documents.close(&other.documents);
    }
    plain.documents.close(&plain.documents);
    dq_arena_free(&arena);
    return is;
}

static const char *const cells[] = {"",
                                    "0",
                                    "5",
                                    "42",
                                    "1234567",
                                    "12345678",
                                    "123456789",
                                    "1234567890123456",
                                    "123456789012345678",
                                    "1234567890123456789",
                                    "99999999999999999999",
                                    "0.5",
                                    "1e3",
                                    "1e400",
                                    "-0",
                                    "-7",
                                    "-12345678",
                                    "00",
                                    "007",
                                    "01234567",
                                    "1.",
                                    "12345678x",
                                    "1234567:",
                                    "1 ",
                                    " 1",
                                    "true",
                                    "null",
                                    "nan",
                                    "a",
                                    "ObjectId(507f1f77bcf86cd799439011)",
                                    "Other",
                                    "2020-01-01",
                                    "[1]",
                                    "\"{\"\"a\"\":1}\"",
                                    "é",
                                    "x y"};

/* Cells that a column cannot have are documents' to refuse; what is plain agrees. */
static void test_every_cell(void **state)
{
    (void)state;
    static const char *const columns[] = {"time",  "label",      "request",  "model", "attr.x",
                                          "shelf", "propensity", "position", "reward"};
    unsigned plain = 0;
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++)
        for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) plain += agrees(columns[c], cells[i]);
    assert_true(plain > 100);
}

static void test_what_is_plain(void **state)
{
    (void)state;
    assert_true(agrees("time", "1000000000") && agrees("time", "é") && agrees("time", ""));
    assert_true(agrees("reward", "3") && agrees("reward", "-0.25") && agrees("reward", ""));
    assert_true(agrees("propensity", "0.5") && agrees("position", "7") && agrees("label", "007"));
    assert_false(agrees("reward", "good") || agrees("reward", "1e40") || agrees("reward", "null"));
    assert_false(agrees("propensity", "0") || agrees("propensity", "1.5"));
    assert_false(agrees("position", "0") || agrees("position", "1.5") || agrees("position", "4294967296"));
    assert_false(agrees("time", "[1]") || agrees("time", "99999999999999999999"));
    assert_false(agrees("kind", "interactions") || agrees("attr.kind", "x") || agrees("vector", "[1]"));
}

static void reads_end(const char *user, bool plain)
{
    char text[128];
    twice t = {0};
    (void)snprintf(text, sizeof text, "item,user\ni1,%s\n", user);
    open_table(&t, text);
    assert_int_equal(read_plain(&t), plain);
    t.documents.close(&t.documents);
    dq_arena_free(&arena);
}

static void test_ends(void **state)
{
    (void)state;
    reads_end("u1", true);
    reads_end("17", true);
    reads_end("", false);
    reads_end("ObjectId(507f1f77bcf86cd799439011)", false);
}

/* Attributes of one row are no other's. */
static void test_rows_in_turn(void **state)
{
    (void)state;
    twice t = {0};
    open_table(&t, "user,item,a,b\nu,i,1,x\nu,i,,7\nu,i,[1],7\nv,i,2,\n");
    assert_true(read_plain(&t) && t.x.attributes.count == 2 && t.x.written[0] && !t.x.written[1]);
    assert_true(read_plain(&t) && t.x.attributes.count == 1 && t.x.written[0]);
    assert_true(dq_value_is(&t.x.attributes.as.map[0].key, "b"));
    assert_false(read_plain(&t));
    assert_int_equal(dq_map_get(&t.document, "a")->type, DQ_LIST);
    assert_true(read_plain(&t) && t.x.attributes.count == 1 && *t.x.user.text == 'v');
    t.documents.close(&t.documents);
    dq_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_cell),
                                       cmocka_unit_test(test_what_is_plain), cmocka_unit_test(test_ends),
                                       cmocka_unit_test(test_rows_in_turn)};
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
