/* SPDX-License-Identifier: MIT
 *
 * Documents of the generic form: what a user or an item of a file is, and how the first ones say how all
 * vectors are cut.
 */
#include "import/document.h"

#include "port/files/ejson.h"
#include "short_memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static dq_arena arena;
static dq_import_layout layout;

static int forget(void **state)
{
    (void)state;
    dq_arena_free(&arena);
    dq_arena_free(&layout.arena);
    layout = (dq_import_layout){0};
    return 0;
}

static dq_value parse(const char *json)
{
    dq_value v;
    dq_error e = DQ_ERROR_NONE;
    if (dq_ejson_parse(json, strlen(json), &arena, &v, &e)) fail_msg("%s: %s", json, e.reason);
    return v;
}

/* ---- documents in memory ---- */

typedef struct lines {
    const char *const *at; /* NULL-ended; "!": one that cannot be read */
    unsigned seen;
    bool breaks, closed;
} lines;

static int next_line(dq_documents *documents, dq_arena *of, dq_value *document, dq_error *error)
{
    lines *l = documents->self;
    documents->record = l->seen + 1;
    if (!*l->at) {
        if (!l->breaks) return DQ_DOCUMENT_END;
        dq_fail(error, DQ_ERR_IO, "broken");
        return DQ_DOCUMENT_BROKEN;
    }
    const char *line = *l->at++;
    l->seen++;
    if (*line == '!') {
        dq_fail(error, DQ_ERR_FORMAT, "bad %u", l->seen);
        return DQ_DOCUMENT_BAD;
    }
    assert_int_equal(dq_ejson_parse(line, strlen(line), of, document, error), DQ_OK);
    return DQ_DOCUMENT;
}

static void close_lines(dq_documents *documents)
{
    ((lines *)documents->self)->closed = true;
}

static dq_documents documents_of(lines *l)
{
    return (dq_documents){.next = next_line, .close = close_lines, .self = l, .name = "memory"};
}

/* The layout that most of these rows have. */
static void elect(const char *const *rows)
{
    lines l = {.at = rows};
    dq_documents documents = documents_of(&l);
    dq_error e = DQ_ERROR_NONE;
    dq_arena_free(&layout.arena);
    layout = (dq_import_layout){0};
    assert_int_equal(dq_import_find_layout(&documents, DQ_KIND_USERS, &layout, &e), DQ_OK);
    assert_int_equal(e.status, DQ_OK);
    assert_true(layout.known);
    documents.close(&documents);
    assert_true(l.closed);
}

#define ELECT(...) elect((const char *const[]){__VA_ARGS__, NULL})

/* A line whose own reading no failing allocation meets. */
static int next_without_failing(dq_documents *documents, dq_arena *of, dq_value *document, dq_error *error)
{
    unsigned counted = allocated, failing = failing_allocation;
    failing_allocation = 0;
    int got = next_line(documents, of, document, error);
    allocated = counted;
    failing_allocation = failing;
    return got;
}

static void same(const dq_value *got, const char *json)
{
    dq_value expected = parse(json);
    assert_true(dq_value_equal(got, &expected));
}

static dq_import_entity read_entity(const char *json)
{
    dq_value v = parse(json);
    dq_import_entity entity;
    dq_error e = DQ_ERROR_NONE;
    if (dq_import_read_entity(&v, DQ_KIND_USERS, &layout, &arena, &entity, &e))
        fail_msg("%s: %s", json, e.reason);
    return entity;
}

static void refused(const char *json, dq_import_fault fault, dq_status status, const char *words)
{
    dq_value v = parse(json);
    dq_import_entity entity;
    dq_error e = DQ_ERROR_NONE;
    if (dq_import_read_entity(&v, DQ_KIND_USERS, &layout, &arena, &entity, &e) != fault)
        fail_msg("%s: %s", json, e.reason);
    assert_int_equal(e.status, status);
    assert_string_equal(e.reason, words);
}

static void test_entity(void **state)
{
    (void)state;
    ELECT("{\"id\":1,\"vector\":[1,2]}");
    dq_import_entity x = read_entity(
        "{\"id\":\"u1\",\"text\":{\"bio\":\"likes tea\",\"skills\":[\"a\",\"b\"],"
        "\"none\":null},\"vector\":[1,-0.5],\"age\":30,\"tags\":[\"x\"],\"nil\":null}");
    assert_int_equal(x.id.kind, DQ_ID_STRING);
    same(&x.texts, "{\"bio\":\"likes tea\",\"skills\":\"a, b\"}");
    same(&x.attributes, "{\"age\":30,\"tags\":[\"x\"],\"nil\":null}");
    assert_true(x.vector[0] == 1 && x.vector[1] == -0.5F);
    x = read_entity("{\"vector\":[2,3],\"id\":7,\"text\":null}");
    assert_int_equal(x.id.integer, 7);
    same(&x.texts, "{}");
    same(&x.attributes, "{}");
    refused("{\"vector\":[2,3]}", DQ_IMPORT_NO_ID, DQ_ERR_SCHEMA, "no id");
    refused("{\"id\":1,\"text\":\"x\",\"vector\":[2,3]}", DQ_IMPORT_MISTYPED, DQ_ERR_SCHEMA,
            "text is no object of texts; --columns text.NAME=text makes one of it");
}

/* The key "kind" is the stream's where it names one of its kinds, else an attribute. */
static void test_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        bool users, items;
    } cases[] = {{"{\"id\":1}", true, true},
                 {"{\"id\":1,\"kind\":\"users\"}", true, false},
                 {"{\"id\":1,\"kind\":\"items\"}", false, true},
                 {"{\"id\":1,\"kind\":\"rankings\"}", false, false},
                 {"{\"id\":1,\"kind\":\"novel\"}", true, true},
                 {"{\"id\":1,\"kind\":\"users\\u0000x\"}", true, true},
                 {"{\"id\":1,\"kind\":\"a kind of a long name\"}", true, true},
                 {"{\"id\":1,\"kind\":7}", true, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dq_value v = parse(cases[i].json);
        assert_int_equal(dq_import_is_for(&v, DQ_KIND_USERS), cases[i].users);
        assert_int_equal(dq_import_is_for(&v, DQ_KIND_ITEMS), cases[i].items);
    }
    dq_import_entity x = read_entity("{\"id\":1,\"kind\":\"users\"}");
    same(&x.attributes, "{}");
    x = read_entity("{\"id\":1,\"kind\":\"novel\"}");
    same(&x.attributes, "{\"kind\":\"novel\"}");
}

/* ---- vectors ---- */

static void test_one_field(void **state)
{
    (void)state;
    ELECT("{\"id\":1,\"vector\":[1,2,3]}");
    assert_int_equal(layout.count, 1);
    assert_string_equal(layout.fields[0].name, "vector");
    assert_int_equal(layout.width, 3);
    read_entity("{\"id\":2,\"vector\":{\"vector\":[1,2,3]}}");
    refused("{\"id\":3,\"vector\":[1,2]}", DQ_IMPORT_WIDTH, DQ_ERR_SCHEMA,
            "vector has 2 numbers where 3 are expected");
    refused("{\"id\":3,\"vector\":{\"vector\":[1,2,3],\"b\":[1]}}", DQ_IMPORT_WIDTH, DQ_ERR_SCHEMA,
            "vector has 2 fields where most rows have 1");
    refused("{\"id\":3,\"vector\":{\"other\":[1,2,3]}}", DQ_IMPORT_MISSING, DQ_ERR_SCHEMA,
            "vector has no field 'vector', which most rows have");
    refused("{\"id\":3,\"vector\":\"1,2\"}", DQ_IMPORT_WIDTH, DQ_ERR_SCHEMA,
            "vector has 2 numbers where 3 are expected");
    assert_true(read_entity("{\"id\":3,\"vector\":\"1,2,3\"}").vector[2] == 3);
    refused("{\"id\":3,\"vector\":7}", DQ_IMPORT_MISTYPED, DQ_ERR_SCHEMA,
            "vector is neither a list nor an object of lists");
    refused("{\"id\":3}", DQ_IMPORT_MISSING, DQ_ERR_SCHEMA, "no vector");
    refused("{\"id\":3,\"vector\":null}", DQ_IMPORT_MISSING, DQ_ERR_SCHEMA, "no vector");
    refused("{\"id\":3,\"vector\":[1,2,1e39]}", DQ_IMPORT_NOT_FINITE, DQ_ERR_NUMERIC,
            "vector: element 2 is not finite as a float32");
}

static void test_several_fields(void **state)
{
    (void)state;
    ELECT("{\"id\":1,\"vector\":{\"hard\":[1,2],\"soft\":[3]}}");
    dq_import_entity x = read_entity("{\"id\":1,\"vector\":{\"hard\":[1,2],\"soft\":[3]}}");
    assert_int_equal(layout.count, 2);
    assert_string_equal(layout.fields[1].name, "soft");
    assert_int_equal(layout.fields[1].offset, 2);
    assert_int_equal(layout.fields[1].width, 1);
    assert_int_equal(layout.width, 3);
    x = read_entity("{\"id\":2,\"vector\":{\"soft\":[6],\"hard\":[4,5]}}");
    assert_true(x.vector[0] == 4 && x.vector[1] == 5 && x.vector[2] == 6);
    refused("{\"id\":3,\"vector\":[1,2,3]}", DQ_IMPORT_MISSING, DQ_ERR_SCHEMA,
            "vector has no field 'hard', which most rows have");
    refused("{\"id\":3,\"vector\":{\"hard\":[1,2]}}", DQ_IMPORT_WIDTH, DQ_ERR_SCHEMA,
            "vector has 1 fields where most rows have 2");
    refused("{\"id\":3,\"vector\":{\"hard\":[1,2],\"soft\":7}}", DQ_IMPORT_MISTYPED, DQ_ERR_SCHEMA,
            "soft is no list of numbers");
}

static void test_no_vectors(void **state)
{
    (void)state;
    ELECT("{\"id\":1}");
    assert_null(read_entity("{\"id\":1}").vector);
    assert_int_equal(layout.width, 0);
    assert_null(read_entity("{\"id\":2,\"vector\":null}").vector);
    refused("{\"id\":3,\"vector\":[1]}", DQ_IMPORT_WIDTH, DQ_ERR_SCHEMA,
            "a vector, where most rows have none");
}

/* A row whose vector cannot be read says nothing about the others. */
static void test_who_has_no_vote(void **state)
{
    (void)state;
    ELECT("{\"id\":1,\"vector\":[]}", "{\"id\":1,\"vector\":{\"a\":[1],\"b\":[]}}", "{\"vector\":{}}",
          "{\"vector\":{\"a\":1}}", "{\"vector\":7}", "{\"vector\":\"a b\"}", "{\"vector\":\"[1 ... 2]\"}",
          "!", "{\"id\":1}", "{\"id\":1,\"vector\":null}", "{\"kind\":\"items\",\"vector\":[1,2,3]}");
    assert_int_equal(layout.width, 0);
    refused("{\"id\":1,\"vector\":[]}", DQ_IMPORT_WIDTH, DQ_ERR_SCHEMA, "vector: no numbers");
    refused("{\"id\":1,\"vector\":{\"a\":1}}", DQ_IMPORT_MISTYPED, DQ_ERR_SCHEMA, "a is no list of numbers");
    refused("{\"id\":1,\"vector\":\"[1 ... 2]\"}", DQ_IMPORT_MISTYPED, DQ_ERR_SCHEMA,
            "vector is a text: cut (\"...\"), as NumPy prints what is above 1000 numbers: save .npy, or "
            ".tolist()");
    ELECT("{\"id\":1,\"vector\":[]}", "{\"id\":1}", "{\"id\":1,\"vector\":{\"b\":[1,2]}}");
    assert_int_equal(layout.count, 1);
    assert_string_equal(layout.fields[0].name, "b");
    assert_int_equal(layout.width, 2);
}

static void test_the_commonest_layout(void **state)
{
    (void)state;
    ELECT("{\"vector\":[1,2,3]}", "{\"vector\":[1,2]}", "{\"vector\":\"1 2\"}");
    assert_int_equal(layout.width, 2);
    ELECT("{\"vector\":[1,2,3]}", "{\"vector\":[1,2]}"); /* of two that are as common the earlier */
    assert_int_equal(layout.width, 3);
    ELECT("{}", "{\"vector\":{\"$binary\":{\"base64\":\"AACAPwAAAMA=\",\"subType\":\"00\"}}}");
    assert_int_equal(layout.width, 2); /* a vector before none */
    ELECT("{\"vector\":[1,2]}", "{}", "{\"vector\":null}", "{\"vector\":[1,2,3]}");
    assert_int_equal(layout.width, 0); /* none is the commonest, and costs the fewest rows */
    ELECT("{\"vector\":[1,2]}", "{}", "{\"vector\":null}", "{\"vector\":[3,4]}", "{\"vector\":[]}");
    assert_int_equal(layout.width, 2);
    ELECT("{\"vector\":[1,2,3]}", "{\"vector\":{\"a\":[1,2],\"b\":[3]}}",
          "{\"vector\":{\"b\":[3],\"a\":[1,2]}}");
    assert_int_equal(layout.count, 2);
    assert_string_equal(layout.fields[0].name, "a");
    ELECT("{\"vector\":{\"a\":[1,2],\"b\":[3]}}", "{\"vector\":{\"a\":[1],\"b\":[2,3]}}",
          "{\"vector\":{\"b\":[2,3],\"a\":[1]}}");
    assert_int_equal(layout.fields[0].width, 1);
}

/* Every answer comes again in its place: bad ones, rows of this kind and of others, the end; and rows that
 * were not looked at. */
static void test_documents_come_again(void **state)
{
    (void)state;
    enum { MANY = 1200 };
    const char *rows[MANY + 1] = {"{\"id\":1}", "!", "{\"id\":3,\"kind\":\"items\"}",
                                  "{\"kind\":\"items\",\"x\":4}"};
    for (int i = 4; i < MANY; i++) rows[i] = i % 7 ? "{\"vector\":[1,2],\"id\":9}" : "!";
    for (int broken = 0; broken < 2; broken++) {
        lines l = {.at = rows, .breaks = broken};
        dq_documents documents = documents_of(&l);
        dq_value v;
        dq_error e = DQ_ERROR_NONE;
        dq_arena_free(&layout.arena);
        layout = (dq_import_layout){0};
        assert_int_equal(dq_import_find_layout(&documents, DQ_KIND_USERS, &layout, &e), DQ_OK);
        assert_int_equal(l.seen, 1002); /* two of them of another kind */
        assert_string_equal(documents.name, "memory");
        for (unsigned i = 1; i <= MANY; i++) {
            e = DQ_ERROR_NONE;
            int got = documents.next(&documents, &arena, &v, &e);
            assert_int_equal(documents.record, i);
            assert_int_equal(got, *rows[i - 1] == '!' ? DQ_DOCUMENT_BAD : DQ_DOCUMENT);
            char words[16];
            (void)snprintf(words, sizeof words, "bad %u", i);
            assert_string_equal(e.reason, got == DQ_DOCUMENT ? "" : words);
            if (i == 3 || i == 4) {
                same(&v, "{\"kind\":\"items\"}"); /* which is all that is asked of it */
                continue;
            }
            if (got == DQ_DOCUMENT)
                assert_int_equal(dq_value_integer(dq_map_get(&v, "id"), 0), i == 1 ? 1 : 9);
        }
        for (int again = 0; again < 2; again++)
            assert_int_equal(documents.next(&documents, &arena, &v, &e),
                             broken ? DQ_DOCUMENT_BROKEN : DQ_DOCUMENT_END);
        documents.close(&documents);
    }
    const char *few[] = {"{\"id\":1}", NULL};
    lines l = {.at = few, .breaks = true};
    dq_documents documents = documents_of(&l);
    dq_value v;
    dq_error e = DQ_ERROR_NONE;
    dq_arena_free(&layout.arena);
    assert_int_equal(dq_import_find_layout(&documents, DQ_KIND_USERS, &layout, &e), DQ_OK);
    assert_int_equal(documents.next(&documents, &arena, &v, &e), DQ_DOCUMENT);
    for (int again = 0; again < 2; again++) {
        e = DQ_ERROR_NONE;
        assert_int_equal(documents.next(&documents, &arena, &v, &e), DQ_DOCUMENT_BROKEN);
        assert_string_equal(e.reason, "broken");
    }
    documents.close(&documents);
}

/* With any one allocation failing the layout is found, or memory is short; the documents can be closed. */
static void test_short_memory(void **state)
{
    (void)state;
    if (!CAN_FAIL_ALLOCATIONS) skip();
    static const char *const rows[] = {"{\"vector\":\"1 2\"}", "!", "{\"vector\":{\"a\":[1,2],\"b\":[3]}}",
                                       "{\"vector\":{\"b\":[3],\"a\":[1,2]}}", NULL};
    unsigned failed = 0;
    for (unsigned n = 1;; n++) {
        lines l = {.at = rows};
        dq_documents documents = documents_of(&l);
        documents.next = next_without_failing;
        dq_error e = DQ_ERROR_NONE;
        dq_arena_free(&layout.arena);
        layout = (dq_import_layout){0};
        allocated = 0;
        failing_allocation = n;
        dq_status status = dq_import_find_layout(&documents, DQ_KIND_USERS, &layout, &e);
        bool all = allocated < n;
        failing_allocation = 0;
        failed += status == DQ_ERR_MEMORY;
        assert_int_equal(status, e.status);
        if (!status) assert_int_equal(layout.width, 3);
        documents.close(&documents);
        assert_true(l.closed);
        if (all) break;
    }
    assert_true(failed > 3);
}

/* ---- interactions ---- */

static void test_interaction(void **state)
{
    (void)state;
    dq_value v = parse("{\"who\":\"u1\",\"what\":7,\"label\":\"a\",\"score\":0.5,\"_id\":3}");
    dq_import_interaction x;
    dq_error e = DQ_ERROR_NONE;
    const dq_import_interaction_keys all = {
        .user = "who", .item = "what", .label = "label", .reward = "score", .ignored = "_id"};
    assert_int_equal(dq_import_read_interaction(&v, &all, &arena, &x, &e), DQ_IMPORT_FINE);
    assert_int_equal(x.item.integer, 7);
    assert_true(dq_value_is(&x.label, "a"));
    assert_true(x.reward == 0.5F);
    same(&x.attributes, "{}");
    const dq_import_interaction_keys few = {.user = "who", .item = "what"};
    assert_int_equal(dq_import_read_interaction(&v, &few, &arena, &x, &e), DQ_IMPORT_FINE);
    assert_int_equal(x.label.type, DQ_NIL);
    assert_true(isnan(x.reward));
    same(&x.attributes, "{\"label\":\"a\",\"score\":0.5,\"_id\":3}");
}

static void reads_outcome(const char *json, const char *label, float reward)
{
    dq_value v = parse(json);
    dq_import_interaction x;
    dq_error e = DQ_ERROR_NONE;
    const dq_import_interaction_keys keys = {
        .user = "user", .item = "item", .label = "label", .reward = "reward"};
    if (dq_import_read_interaction(&v, &keys, &arena, &x, &e)) fail_msg("%s: %s", json, e.reason);
    assert_true(label ? dq_value_is(&x.label, label) : x.label.type == DQ_NIL);
    assert_true(isnan(reward) ? isnan(x.reward) : x.reward == reward);
}

static void no_outcome(const char *json, dq_import_fault fault, const char *words)
{
    dq_value v = parse(json);
    dq_import_interaction x;
    dq_error e = DQ_ERROR_NONE;
    const dq_import_interaction_keys keys = {
        .user = "user", .item = "item", .label = "label", .reward = "reward"};
    assert_int_equal(dq_import_read_interaction(&v, &keys, &arena, &x, &e), fault);
    assert_string_equal(e.reason, words);
}

/* What was logged of a choice, in any of the forms that numbers and words have. */
static void test_logged(void **state)
{
    (void)state;
    const dq_import_interaction_keys own = DQ_IMPORT_INTERACTION_KEYS;
    dq_import_interaction x;
    dq_error e = DQ_ERROR_NONE;
    dq_value v = parse(
        "{\"user\":1,\"item\":2,\"propensity\":0.17336500000000002,\"position\":3.0,\"request\":7,"
        "\"model\":\"v1\",\"shelf\":2}");
    assert_int_equal(dq_import_read_interaction(&v, &own, &arena, &x, &e), DQ_IMPORT_FINE);
    assert_true(x.propensity == 0.17336500000000002 && x.position == 3); /* no digit of a float64 is lost */
    assert_true(dq_value_is(&x.request, "7") && dq_value_is(&x.model, "v1"));
    same(&x.attributes, "{\"shelf\":2}");
    v = parse("{\"user\":1,\"item\":2,\"propensity\":\"1\",\"position\":\"1\",\"request\":null}");
    assert_int_equal(dq_import_read_interaction(&v, &own, &arena, &x, &e), DQ_IMPORT_FINE);
    assert_true(x.propensity == 1 && x.position == 1 && x.request.type == DQ_NIL && x.model.type == DQ_NIL);
    v = parse("{\"user\":1,\"item\":2,\"propensity\":null,\"position\":null}");
    assert_int_equal(dq_import_read_interaction(&v, &own, &arena, &x, &e), DQ_IMPORT_FINE);
    assert_true(isnan(x.propensity) && x.position == 0);
}

static void nothing_logged(const char *key, const char *value, dq_import_fault fault, const char *words)
{
    char json[128];
    const dq_import_interaction_keys own = DQ_IMPORT_INTERACTION_KEYS;
    dq_import_interaction x;
    dq_error e = DQ_ERROR_NONE;
    (void)snprintf(json, sizeof json, "{\"user\":1,\"item\":2,\"%s\":%s}", key, value);
    dq_value v = parse(json);
    assert_int_equal(dq_import_read_interaction(&v, &own, &arena, &x, &e), fault);
    assert_string_equal(e.reason, words);
}

static void test_what_cannot_have_been_logged(void **state)
{
    (void)state;
    nothing_logged("propensity", "0", DQ_IMPORT_PROPENSITY, "the propensity 0 is not above 0 and at most 1");
    nothing_logged("propensity", "-0.5", DQ_IMPORT_PROPENSITY,
                   "the propensity -0.5 is not above 0 and at most 1");
    nothing_logged("propensity", "1.0001", DQ_IMPORT_PROPENSITY,
                   "the propensity 1.0001 is not above 0 and at most 1");
    nothing_logged("propensity", "{\"$numberDouble\":\"NaN\"}", DQ_IMPORT_NOT_FINITE,
                   "the propensity is not finite");
    nothing_logged("propensity", "\"NaN\"", DQ_IMPORT_MISTYPED, "the propensity is no number");
    nothing_logged("position", "0", DQ_IMPORT_POSITION, "the position 0 is no whole number from 1");
    nothing_logged("position", "-1", DQ_IMPORT_POSITION, "the position -1 is no whole number from 1");
    nothing_logged("position", "1.5", DQ_IMPORT_POSITION, "the position 1.5 is no whole number from 1");
    nothing_logged("position", "1e10", DQ_IMPORT_POSITION, "the position 1e+10 is no whole number from 1");
    nothing_logged("position", "\"nurse\"", DQ_IMPORT_MISTYPED,
                   "the position is no number; --columns attr.OTHER=position makes an attribute of it");
    nothing_logged("request", "[1]", DQ_IMPORT_MISTYPED, "the request is neither a string nor a number");
    nothing_logged("model", "{\"a\":1}", DQ_IMPORT_MISTYPED, "the model is neither a string nor a number");
}

static void test_labels_and_rewards(void **state)
{
    (void)state;
    reads_outcome("{\"user\":1,\"item\":2,\"label\":null,\"reward\":null}", NULL, NAN);
    reads_outcome("{\"user\":1,\"item\":2,\"label\":4.0,\"reward\":{\"$numberInt\":\"1\"}}", "4", 1);
    reads_outcome("{\"user\":1,\"item\":2,\"label\":{\"$numberLong\":\"4\"},\"reward\":\"5.0\"}", "4", 5);
    reads_outcome("{\"user\":1,\"item\":2,\"label\":4.5,\"reward\":{\"$numberDecimal\":\"0.5\"}}", "4.5",
                  0.5F);
    reads_outcome("{\"user\":1,\"item\":2,\"label\":true,\"reward\":{\"$numberDouble\":\"-1.0\"}}", "true",
                  -1);
    reads_outcome("{\"user\":1,\"item\":2,\"label\":{\"$symbol\":\"SAVE\"}}", "SAVE", NAN);
    reads_outcome("{\"user\":1,\"item\":2,\"label\":{\"$numberDecimal\":\"4.0\"}}", "4", NAN);
    reads_outcome("{\"user\":1,\"item\":2,\"label\":{\"$numberDecimal\":\"4.50\"}}", "4.50", NAN);
    reads_outcome("{\"user\":1,\"item\":2,\"label\":{\"$numberLong\":\"9007199254740993\"}}",
                  "9007199254740993", NAN);
    reads_outcome("{\"user\":1,\"item\":2,\"label\":{\"$oid\":\"65F1000000000000000000AB\"}}",
                  "65f1000000000000000000ab", NAN);
    reads_outcome("{\"user\":1,\"item\":2,\"label\":{\"$date\":0}}", "1970-01-01T00:00:00Z", NAN);
    no_outcome("{\"user\":1,\"item\":2,\"label\":{\"$numberDouble\":\"NaN\"}}", DQ_IMPORT_MISTYPED,
               "the label is a number that is not finite");
    const char *neither = "the label is neither a string nor a number";
    no_outcome("{\"user\":1,\"item\":2,\"label\":[1]}", DQ_IMPORT_MISTYPED, neither);
    no_outcome("{\"user\":1,\"item\":2,\"label\":{\"a\":1}}", DQ_IMPORT_MISTYPED, neither);
    no_outcome("{\"user\":1,\"item\":2,\"label\":{\"$minKey\":1}}", DQ_IMPORT_MISTYPED, neither);
    no_outcome("{\"user\":1,\"item\":2,\"reward\":\"good\"}", DQ_IMPORT_MISTYPED, "the reward is no number");
    no_outcome("{\"user\":1,\"item\":2,\"reward\":true}", DQ_IMPORT_MISTYPED, "the reward is no number");
    no_outcome("{\"user\":1,\"item\":2,\"reward\":{\"$numberDouble\":\"NaN\"}}", DQ_IMPORT_NOT_FINITE,
               "the reward is not finite");
    no_outcome("{\"user\":1,\"item\":2,\"reward\":1e39}", DQ_IMPORT_NOT_FINITE,
               "the reward is not finite as a float32");
    no_outcome("{\"user\":null,\"item\":2}", DQ_IMPORT_NO_ID, "user: the id is null");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_entity, forget),
        cmocka_unit_test_teardown(test_kinds, forget),
        cmocka_unit_test_teardown(test_one_field, forget),
        cmocka_unit_test_teardown(test_several_fields, forget),
        cmocka_unit_test_teardown(test_no_vectors, forget),
        cmocka_unit_test_teardown(test_who_has_no_vote, forget),
        cmocka_unit_test_teardown(test_the_commonest_layout, forget),
        cmocka_unit_test_teardown(test_documents_come_again, forget),
        cmocka_unit_test_teardown(test_short_memory, forget),
        cmocka_unit_test_teardown(test_interaction, forget),
        cmocka_unit_test_teardown(test_logged, forget),
        cmocka_unit_test_teardown(test_what_cannot_have_been_logged, forget),
        cmocka_unit_test_teardown(test_labels_and_rewards, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
