/* SPDX-License-Identifier: MIT
 *
 * BSON by our walk against libbson: the same values as its extended JSON, the same numbers as its iterator;
 * and what hostile bytes come to. URIs whose secrets must not be told.
 */
#include "port/files/ejson.h"
#include "port/files/json.h"
#include "port/mongo/mongo.h"

#include <bson/bson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static dq_arena arena;

static const dq_vector_key keys[] = {{"v", 3}};

/* Reads from memory of exactly this size, so that a sanitizer sees a byte too far. */
static dq_status read_exactly(const void *bytes, size_t n, dq_value *v, dq_error *e)
{
    void *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    if (n) memcpy(copy, bytes, n);
    *e = DQ_ERROR_NONE;
    dq_status status = dq_bson_read(copy, n, keys, 1, &arena, v, e);
    free(copy);
    return status;
}

static dq_value read_bson(const bson_t *b)
{
    dq_error e;
    dq_value v;
    if (read_exactly(bson_get_data(b), b->len, &v, &e)) fail_msg("%s", e.reason);
    return v;
}

static bson_t *from_json(const char *text)
{
    bson_error_t why;
    bson_t *b = bson_new_from_json((const uint8_t *)text, -1, &why);
    if (!b) fail_msg("%s: %s", text, why.message);
    return b;
}

static void equals(const dq_value *ours, char *json)
{
    dq_error e = DQ_ERROR_NONE;
    dq_value theirs;
    assert_non_null(json);
    if (dq_ejson_parse(json, strlen(json), &arena, &theirs, &e)) fail_msg("%s: %s", json, e.reason);
    if (!dq_value_equal(ours, &theirs)) {
        dq_json_text out = DQ_JSON_TEXT_EMPTY;
        (void)dq_json_write(&out, ours, &e);
        print_error("%s\n%.*s\n", json, (int)out.bytes, out.data);
        fail_msg("not the same");
    }
    bson_free(json);
}

/* The value that the document's extended JSON has, relaxed, canonical, and of version 1. */
static void equals_its_json(const bson_t *b)
{
    dq_value ours = read_bson(b);
    equals(&ours, bson_as_relaxed_extended_json(b, NULL));
    equals(&ours, bson_as_canonical_extended_json(b, NULL));
    char *old = bson_as_json(b, NULL);
    if (strstr(old, " nan,") || strstr(old, "$ref")) /* which libbson's version 1 has no form for */
        bson_free(old);
    else
        equals(&ours, old);
    dq_arena_free(&arena);
}

static void test_every_type(void **state)
{
    (void)state;
    static const char *const documents[] = {
        "{}",
        "{\"a\": 1, \"b\": -2147483648, \"c\": 9223372036854775807, \"d\": {\"$numberLong\": \"-5\"}}",
        "{\"a\": 0.1, \"b\": 1.0, \"c\": -0.0, \"d\": 1e300, \"e\": 5e-324}",
        "{\"a\": {\"$numberDouble\": \"NaN\"}, \"b\": {\"$numberDouble\": \"Infinity\"}, "
        "\"c\": {\"$numberDouble\": \"-Infinity\"}}",
        "{\"a\": \"\", \"b\": \"t\\u00e9l\\u0000x\", \"\": \"no name\"}",
        "{\"a\": null, \"b\": true, \"c\": false, \"d\": {\"$undefined\": true}}",
        "{\"a\": [], \"b\": [1, \"x\", null, [2, {\"c\": 3}]], \"c\": {\"d\": {\"e\": {}}}}",
        "{\"_id\": {\"$oid\": \"65f1000000000000000000ab\"}}",
        "{\"a\": {\"$date\": {\"$numberLong\": \"0\"}}, \"b\": {\"$date\": {\"$numberLong\": "
        "\"1704067199999\"}}}",
        "{\"a\": {\"$date\": {\"$numberLong\": \"-1\"}}, \"c\": {\"$date\": {\"$numberLong\": "
        "\"253402300799000\"}}}",
        "{\"a\": {\"$binary\": {\"base64\": \"\", \"subType\": \"00\"}}, \"b\": {\"$binary\": {\"base64\": "
        "\"AA==\", \"subType\": \"80\"}}, \"c\": {\"$binary\": {\"base64\": \"//79\", \"subType\": \"05\"}}}",
        "{\"a\": {\"$binary\": {\"base64\": \"c//SZESzTGmQ6OfR38A11A==\", \"subType\": \"04\"}}}",
        "{\"a\": {\"$binary\": {\"base64\": \"//8=\", \"subType\": \"02\"}}}",
        "{\"a\": {\"$regularExpression\": {\"pattern\": \"^a.b\", \"options\": \"im\"}}}",
        "{\"a\": {\"$timestamp\": {\"t\": 4000000000, \"i\": 7}}}",
        "{\"a\": {\"$numberDecimal\": \"1.50\"}, \"b\": {\"$numberDecimal\": \"-1E+6000\"}}",
        "{\"a\": {\"$minKey\": 1}, \"b\": {\"$maxKey\": 1}, \"c\": {\"$symbol\": \"s\"}}",
        "{\"a\": {\"$code\": \"f()\"}, \"b\": {\"$code\": \"g()\", \"$scope\": {\"x\": 1}}}",
        "{\"a\": {\"$dbPointer\": {\"$ref\": \"db.c\", \"$id\": {\"$oid\": \"65f1000000000000000000ab\"}}}}",
        "{\"v\": [1, \"no number\"]}",
        "{\"v\": {\"$binary\": {\"base64\": \"EAB/Bw==\", \"subType\": \"09\"}}}", /* packed bits: as it is */
    };
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        bson_t *b = from_json(documents[i]);
        equals_its_json(b);
        bson_destroy(b);
    }
}

/* From the year 10000 on the specification has no ISO date; libbson writes one. */
static void test_late_date(void **state)
{
    (void)state;
    bson_t *b = bson_new();
    BSON_APPEND_DATE_TIME(b, "a", INT64_C(253402300800000));
    dq_value v = read_bson(b);
    const dq_value *date = dq_map_get(dq_map_get(&v, "a"), "$date");
    assert_true(dq_value_is(dq_map_get(date, "$numberLong"), "253402300800000"));
    bson_destroy(b);
    dq_arena_free(&arena);
}

/* ---- vectors ---- */

/* A document with n numbers under "v": doubles, or now and then an integer. */
static bson_t *numbers(uint32_t n, bool mixed)
{
    bson_t *b = bson_new(), list;
    BSON_APPEND_ARRAY_BEGIN(b, "v", &list);
    for (uint32_t i = 0; i < n; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%u", i);
        if (mixed && i % 7 == 3)
            BSON_APPEND_INT32(&list, name, (int32_t)(i * 2654435761U));
        else if (mixed && i % 7 == 5)
            BSON_APPEND_INT64(&list, name, INT64_MAX - (int64_t)i);
        else
            BSON_APPEND_DOUBLE(&list, name, sin(i) * pow(10, i % 80 - 40.0));
    }
    bson_append_array_end(b, &list);
    BSON_APPEND_UTF8(b, "after", "here");
    return b;
}

static void equals_the_iterator(const bson_t *b)
{
    bson_iter_t at, list;
    dq_value v = read_bson(b);
    const dq_value *floats = dq_map_get(&v, "v");
    assert_int_equal(floats->type, DQ_FLOATS);
    assert_true(bson_iter_init_find(&at, b, "v") && bson_iter_recurse(&at, &list));
    uint32_t n = 0;
    for (; bson_iter_next(&list); n++) {
        assert_true(n < floats->count);
        float expected = (float)bson_iter_as_double(&list);
        assert_memory_equal(&floats->as.floats[n], &expected, sizeof expected);
    }
    assert_int_equal(n, floats->count);
    assert_true(dq_value_is(dq_map_get(&v, "after"), "here"));
    dq_arena_free(&arena);
}

static void test_walk_is_the_iterator(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0, 1, 9, 10, 11, 99, 100, 101, 384, 999, 1000, 1001, 1536, 10001};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int mixed = 0; mixed < 2; mixed++) {
            bson_t *b = numbers(sizes[i], mixed);
            equals_the_iterator(b);
            bson_destroy(b);
        }
}

/* Names in an array are a habit, not a promise: the numbers come in their order whatever they are called. */
static void test_names_of_elements(void **state)
{
    (void)state;
    static const char *const names[] = {"", "0", "00", "123456789", "x", "1", "\xff"};
    bson_t *b = bson_new(), list;
    BSON_APPEND_ARRAY_BEGIN(b, "v", &list);
    for (int i = 0; i < 40; i++) BSON_APPEND_DOUBLE(&list, names[i % 7], i + 0.5);
    bson_append_array_end(b, &list);
    BSON_APPEND_UTF8(b, "after", "here");
    equals_the_iterator(b);
    bson_destroy(b);
}

static void test_numbers_that_are_not_finite(void **state)
{
    (void)state;
    bson_t *b = from_json("{\"v\": [{\"$numberDouble\": \"NaN\"}, 1e39, -0.0], \"w\": [0.1]}");
    dq_value v = read_bson(b);
    const float *floats = dq_map_get(&v, "v")->as.floats;
    assert_true(isnan(floats[0]) && isinf(floats[1]) && signbit(floats[2]) && floats[2] == 0);
    const dq_value *other = dq_map_get(&v, "w"); /* no vector's key: as precise as it came */
    assert_int_equal(other->type, DQ_LIST);
    assert_true(other->as.list[0].as.real == 0.1);
    bson_destroy(b);
    dq_arena_free(&arena);
}

static void binary_is(unsigned subtype, const char *payload, size_t bytes, size_t count,
                      const float *expected)
{
    bson_t *b = bson_new();
    bson_append_binary(b, "v", 1, (bson_subtype_t)subtype, (const uint8_t *)payload, (uint32_t)bytes);
    dq_value v = read_bson(b);
    const dq_value *got = dq_map_get(&v, "v");
    if (expected) {
        assert_int_equal(got->type, DQ_FLOATS);
        assert_int_equal(got->count, count);
        if (count) assert_memory_equal(got->as.floats, expected, count * sizeof *expected);
    } else {
        assert_non_null(dq_map_get(got, "$binary"));
    }
    bson_destroy(b);
    dq_arena_free(&arena);
}

static void test_binary_vectors(void **state)
{
    (void)state;
    static const float two[] = {127, 7}, bytes[] = {127, -128, 7}, three[] = {1, -2, 0.5F};
    /* the specification's own examples first */
    binary_is(9, "\x27\0\0\0\xfe\x42\0\0\xe0\x40", 10, 2, two);
    binary_is(9, "\x03\0\x7f\x80\x07", 5, 3, bytes);
    binary_is(9, "\x27\0", 2, 0, two);
    binary_is(0, "\0\0\x80\x3f\0\0\0\xc0\0\0\0\x3f", 12, 3, three); /* width 3: plain float32 */
    binary_is(0, "\0\0\x80\x3f\0\0\0\xc0", 8, 0, NULL);
    binary_is(9, "\x27\0\0\0\xfe", 5, 0, NULL);     /* no whole number of float32 */
    binary_is(9, "\x27\1\0\0\xfe\x42", 6, 0, NULL); /* padding where there is none */
    binary_is(9, "\x10\0\x7f", 3, 0, NULL);         /* packed bits */
    binary_is(9, "\x28\0\0\0\xfe\x42", 6, 0, NULL); /* an unknown type */
    binary_is(9, "\x27", 1, 0, NULL);
    binary_is(9, "", 0, 0, NULL);
    binary_is(5, "\0\0\x80\x3f\0\0\0\xc0\0\0\0\x3f", 12, 0, NULL);
}

/* ---- ids ---- */

static void test_ids(void **state)
{
    (void)state;
    bson_t *b = from_json(
        "{\"a\": 7, \"b\": {\"$numberLong\": \"7\"}, \"c\": {\"$numberLong\": \"9007199254740993\"}, "
        "\"d\": \"7\", \"e\": {\"$oid\": \"65F1000000000000000000AB\"}}");
    dq_value v = read_bson(b);
    assert_int_equal(dq_value_integer(dq_map_get(&v, "a"), 0), 7);
    assert_int_equal(dq_value_integer(dq_map_get(&v, "b"), 0), 7);
    assert_true(dq_value_integer(dq_map_get(&v, "c"), 0) == INT64_C(9007199254740993));
    assert_true(dq_value_is(dq_map_get(&v, "d"), "7"));
    assert_true(dq_value_is(dq_map_get(dq_map_get(&v, "e"), "$oid"), "65f1000000000000000000ab"));
    bson_destroy(b);
    dq_arena_free(&arena);
}

/* ---- hostile bytes ---- */

static void refused(const void *bytes, size_t n, const char *words)
{
    dq_error e;
    dq_value v;
    assert_int_equal(read_exactly(bytes, n, &v, &e), DQ_ERR_FORMAT);
    if (!strstr(e.reason, words)) fail_msg("'%s' lacks '%s'", e.reason, words);
    dq_arena_free(&arena);
}

static void test_what_is_no_bson(void **state)
{
    (void)state;
    refused("", 0, "a document passes the end");
    refused("\5\0\0\0", 4, "a document passes the end");
    refused("\6\0\0\0\0", 5, "a length that lies");
    refused("\4\0\0\0\0", 5, "a length that lies");
    refused("\xff\xff\xff\xff\0", 5, "a length that lies");
    refused("\5\0\0\0\1", 5, "a document without an end");
    refused("\5\0\0\0\0\0", 6, "bytes after the document");
    refused("\10\0\0\0\x10"
            "ab\0",
            8, "a name without an end");
    refused("\10\0\0\0\x10"
            "a\0\0",
            8, "a value passes the end");
    refused("\x08\0\0\0\x20"
            "a\0\0",
            8, "unknown type 0x20");
    refused("\x09\0\0\0\x08"
            "a\0\2\0",
            9, "a boolean that is neither");
    refused("\x0e\0\0\0\2a\0\2\0\0\0\xff\0\0", 14, "not UTF-8");
    refused("\x0e\0\0\0\2a\0\2\0\0\0xx\0", 14, "a text without an end");
    refused("\x0c\0\0\0\2a\0\0\0\0\0\0", 12, "a text of no length");
    refused("\x0d\0\0\0\2a\0\xff\xff\xff\x7f\0\0", 13, "a value passes the end");
    refused("\x0d\0\0\0\5a\0\xff\xff\xff\xff\0\0", 13, "negative length");
    refused("\x0b\0\0\0\x0a"
            "a\0\x0a"
            "a\0\0",
            11, "the key 'a' stands twice");
    refused("\x0d\0\0\0\3a\0\6\0\0\0\0\0", 13, "a length that lies");
}

static void test_many_keys(void **state)
{
    (void)state;
    bson_t *b = bson_new();
    for (int i = 0; i < 5000; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "k%d", i);
        BSON_APPEND_INT32(b, name, i);
    }
    equals_its_json(b);
    BSON_APPEND_INT32(b, "k77", 0);
    refused(bson_get_data(b), b->len, "the key 'k77' stands twice");
    bson_destroy(b);
}

/* Documents and arrays in each other; written by hand, for libbson warns of what it is asked to. */
static uint8_t *nested(size_t levels, uint32_t *bytes)
{
    enum { ENDS = 5, ELEMENT = 3 }; /* size and 0x00; type, name of one letter */
    uint32_t n = (uint32_t)(levels * ENDS + (levels - 1) * ELEMENT);
    uint8_t *whole = malloc(n), *at = whole;
    assert_non_null(whole);
    for (uint32_t left = n; levels > 0; levels--, left -= ENDS + ELEMENT) {
        for (int i = 0; i < 4; i++) *at++ = (uint8_t)(left >> 8 * i);
        if (levels == 1) break;
        memcpy(at, levels % 2 ? "\3a" : "\0040", ELEMENT);
        at += ELEMENT;
    }
    memset(at, 0, n - (size_t)(at - whole));
    *bytes = n;
    return whole;
}

static void test_depth(void **state)
{
    (void)state;
    static const size_t levels[] = {1, 2, DQ_BSON_DEPTH, DQ_BSON_DEPTH + 1, 5000, 100000};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        uint32_t n;
        bson_t b;
        uint8_t *bytes = nested(levels[i], &n);
        if (levels[i] > DQ_BSON_DEPTH) {
            refused(bytes, n, "nested deeper than 32");
        } else {
            assert_true(bson_init_static(&b, bytes, n));
            equals_its_json(&b);
        }
        free(bytes);
    }
}

static bson_t *everything(void)
{
    bson_t *b = from_json(
        "{\"_id\": {\"$oid\": \"65f1000000000000000000ab\"}, \"s\": \"text\", \"n\": [1, {\"$numberLong\": "
        "\"2\"}, "
        "[\"x\"]], \"d\": {\"$date\": {\"$numberLong\": \"1\"}}, \"b\": {\"$binary\": {\"base64\": \"//8=\", "
        "\"subType\": \"02\"}}, \"r\": {\"$regularExpression\": {\"pattern\": \"a\", \"options\": \"i\"}}, "
        "\"c\": "
        "{\"$code\": \"g\", \"$scope\": {\"x\": 1}}, \"m\": {\"$numberDecimal\": \"1\"}, \"t\": true, \"p\": "
        "{\"$dbPointer\": {\"$ref\": \"r\", \"$id\": {\"$oid\": \"65f1000000000000000000ab\"}}}}");
    bson_t *vector = numbers(12, true);
    bson_concat(b, vector);
    bson_destroy(vector);
    return b;
}

/* Cut at every byte, it is refused; with any byte another, it is read or refused, and no byte beyond it is.
 */
static void test_cut_and_changed(void **state)
{
    (void)state;
    bson_t *b = everything();
    dq_error e;
    dq_value v;
    for (uint32_t n = 0; n < b->len; n++) {
        assert_int_equal(read_exactly(bson_get_data(b), n, &v, &e), DQ_ERR_FORMAT);
        dq_arena_free(&arena);
    }
    uint8_t *bytes = malloc(b->len);
    assert_non_null(bytes);
    static const uint8_t values[] = {0, 1, 4, 5, 0x0f, 0x7f, 0x80, 0xff};
    size_t read = 0, no = 0;
    for (uint32_t at = 0; at < b->len; at++)
        for (size_t i = 0; i < sizeof values; i++) {
            memcpy(bytes, bson_get_data(b), b->len);
            bytes[at] = values[i];
            dq_status status = read_exactly(bytes, b->len, &v, &e);
            assert_true(status == DQ_OK || status == DQ_ERR_FORMAT);
            *(status ? &no : &read) += 1;
            dq_arena_free(&arena);
        }
    assert_true(read > 100 && no > 100);
    free(bytes);
    bson_destroy(b);
}

/* ---- places ---- */

static void test_uris(void **state)
{
    (void)state;
    static const char *const bad[] = {"mongodb://",
                                      "mongodb://u:s3cret@/db",
                                      "mongodb://u:s3cret@h:x/db",
                                      "mongodb://u:s3cret@h:99999/db",
                                      "mongodb://u:a@s3cret@h/db",
                                      "mongodb://u:1/s3cret@h/db",
                                      "mongodb://u:s3cret@h",
                                      "mongodb://u:s3cret@h/",
                                      "mongodb://u:%zzs3cret@h/db",
                                      "mongodb://u:s3cret@h/d b?tls",
                                      "mongodb+srv://u:s3cret@one,two/db"};
    assert_true(dq_mongo_is_uri("mongodb://h/d") && dq_mongo_is_uri("mongodb+srv://h/d"));
    assert_false(dq_mongo_is_uri("mongodb:/h") || dq_mongo_is_uri("folder") || dq_mongo_is_uri(""));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        dq_error e = DQ_ERROR_NONE;
        dq_collections place = {0};
        if (!dq_collections_open_mongo(&place, bad[i], &e)) fail_msg("%s is taken", bad[i]);
        assert_int_equal(e.status, DQ_ERR_RANGE);
        if (strstr(e.reason, "cret") || strstr(e.source, "cret")) fail_msg("%s: %s", e.source, e.reason);
    }
    dq_error e = DQ_ERROR_NONE;
    dq_collections place;
    assert_int_equal(dq_collections_open_mongo(&place, "mongodb://u:p%40ss@h/d?appName=a@b", &e), DQ_OK);
    place.close(&place);
}

static void test_filters(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "[1]", "1", "{", "{\"a\": 1} x", "{\"a\": 1}{}", "{\"a\": {\"$oid\": 1}}"};
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(
        dq_mongo_check_filter("{\"a\": {\"$in\": [{\"$oid\": \"65f1000000000000000000ab\"}]}}", &e), DQ_OK);
    assert_int_equal(dq_mongo_check_filter(" {} ", &e), DQ_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        e = DQ_ERROR_NONE;
        if (dq_mongo_check_filter(bad[i], &e) != DQ_ERR_FORMAT) fail_msg("'%s' is taken", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_late_date),
        cmocka_unit_test(test_walk_is_the_iterator),
        cmocka_unit_test(test_names_of_elements),
        cmocka_unit_test(test_numbers_that_are_not_finite),
        cmocka_unit_test(test_binary_vectors),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_what_is_no_bson),
        cmocka_unit_test(test_many_keys),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_cut_and_changed),
        cmocka_unit_test(test_uris),
        cmocka_unit_test(test_filters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
