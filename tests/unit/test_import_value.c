/* SPDX-License-Identifier: MIT
 *
 * Ids, texts and vectors of documents: every form that is read, and the fault of every one that is not.
 */
#include "import/value.h"

#include "port/files/ejson.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static dq_arena arena;

static int forget(void **state)
{
    (void)state;
    dq_arena_free(&arena);
    return 0;
}

static dq_value parse(const char *json)
{
    dq_value v;
    dq_error e = DQ_ERROR_NONE;
    if (dq_ejson_parse(json, strlen(json), &arena, &v, &e)) fail_msg("%s: %s", json, e.reason);
    return v;
}

/* ---- ids ---- */

static dq_import_id id_of(const char *json)
{
    dq_value v = parse(json);
    dq_import_id id;
    dq_error e = DQ_ERROR_NONE;
    if (dq_import_read_id(&v, &arena, &id, &e)) fail_msg("%s: %s", json, e.reason);
    return id;
}

static void is_id(const char *json, enum dq_id_kinds kind, const char *text)
{
    dq_import_id id = id_of(json);
    assert_int_equal(id.kind, kind);
    assert_int_equal(id.bytes, strlen(text));
    assert_memory_equal(id.text, text, id.bytes);
}

static void test_ids(void **state)
{
    (void)state;
    is_id("\"u1\"", DQ_ID_STRING, "u1");
    is_id("\"7\"", DQ_ID_STRING, "7");
    is_id("\"é\"", DQ_ID_STRING, "\xc3\xa9");
    is_id("0", DQ_ID_INTEGER, "0");
    is_id("-7", DQ_ID_INTEGER, "-7");
    is_id("9223372036854775807", DQ_ID_INTEGER, "9223372036854775807");
    is_id("-9223372036854775808", DQ_ID_INTEGER, "-9223372036854775808");
    is_id("{\"$numberLong\":\"-5000000000\"}", DQ_ID_INTEGER, "-5000000000");
    is_id("{\"$numberLong\":\"007\"}", DQ_ID_INTEGER, "7");
    is_id("{\"$numberInt\":\"12\"}", DQ_ID_INTEGER, "12");
    is_id("{\"$oid\":\"65F1000000000000000000Ab\"}", DQ_ID_OBJECT, "65f1000000000000000000ab");
    is_id("{\"$numberLong\":7}", DQ_ID_INTEGER, "7");
    is_id("{\"$numberDouble\":\"7.0\"}", DQ_ID_INTEGER, "7");
    is_id("{\"$numberDecimal\":\"7.00\"}", DQ_ID_INTEGER, "7");
    is_id("7.0", DQ_ID_INTEGER, "7");
    is_id("-0.0", DQ_ID_INTEGER, "0");
    is_id("1e3", DQ_ID_INTEGER, "1000");
    is_id("9007199254740991.0", DQ_ID_INTEGER, "9007199254740991");
    is_id("{\"$symbol\":\"s\"}", DQ_ID_STRING, "s");
    is_id("{\"$ref\":\"c\",\"$id\":{\"$oid\":\"65F1000000000000000000Ab\"},\"$db\":\"d\"}", DQ_ID_OBJECT,
          "65f1000000000000000000ab");
    is_id("{\"$ref\":\"c\",\"$id\":{\"$numberInt\":\"7\"}}", DQ_ID_INTEGER, "7");
    is_id("\"ObjectId(65F1000000000000000000Ab)\"", DQ_ID_OBJECT, "65f1000000000000000000ab");
    is_id("\"ObjectId(\\\"65f1000000000000000000ab\\\")\"", DQ_ID_OBJECT, "65f1000000000000000000ab");
    is_id("\"ObjectId('65f1000000000000000000ab')\"", DQ_ID_OBJECT, "65f1000000000000000000ab");
    is_id("\"ObjectId('65f1000000000000000000ab)\"", DQ_ID_STRING, "ObjectId('65f1000000000000000000ab)");
    is_id("\"ObjectId(65f1)\"", DQ_ID_STRING, "ObjectId(65f1)");
    assert_int_equal(id_of("{\"$numberLong\":\"-5000000000\"}").integer, -5000000000);
    dq_import_id id = id_of("\"a\\u0000b\"");
    assert_int_equal(id.bytes, 3);
    assert_memory_equal(id.text, "a\0b", 3);
}

static void test_binary_ids(void **state)
{
    (void)state;
    const char *uuid = "7c0de5b1-4a2f-4d36-9e11-52f0a86b31d4";
    is_id("{\"$binary\":{\"base64\":\"fA3lsUovTTaeEVLwqGsx1A==\",\"subType\":\"04\"}}", DQ_ID_BINARY, uuid);
    is_id("{\"$binary\":{\"base64\":\"fA3lsUovTTaeEVLwqGsx1A==\",\"subType\":\"4\"}}", DQ_ID_BINARY, uuid);
    is_id("{\"$binary\":\"fA3lsUovTTaeEVLwqGsx1A==\",\"$type\":\"04\"}", DQ_ID_BINARY, uuid);
    is_id("{\"$type\":\"4\",\"$binary\":\"fA3lsUovTTaeEVLwqGsx1A==\"}", DQ_ID_BINARY, uuid);
    is_id("{\"$uuid\":\"7C0DE5B1-4a2f-4d36-9e11-52f0a86b31d4\"}", DQ_ID_BINARY, uuid);
    is_id("{\"$binary\":{\"base64\":\"//79\",\"subType\":\"00\"}}", DQ_ID_BINARY, "fffefd");
    is_id("{\"$binary\":{\"base64\":\"AA==\",\"subType\":\"80\"}}", DQ_ID_BINARY, "00");
}

static void no_id(const char *json, const char *words)
{
    dq_value v = parse(json);
    dq_import_id id;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_import_read_id(&v, &arena, &id, &e), DQ_IMPORT_NO_ID);
    assert_int_equal(e.status, DQ_ERR_SCHEMA);
    if (!strstr(e.reason, words)) fail_msg("%s: '%s' lacks '%s'", json, e.reason, words);
}

static void test_no_ids(void **state)
{
    (void)state;
    dq_import_id id;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_import_read_id(NULL, &arena, &id, &e), DQ_IMPORT_NO_ID);
    assert_string_equal(e.reason, "no id");
    static const char *const cases[][2] = {
        {"null", "the id is null"},
        {"\"\"", "the id is empty"},
        {"true", "the id is true"},
        {"false", "the id is false"},
        {"1.5", "the id 1.5 is no whole number"},
        {"9223372036854775808", "over 53 bits"},
        {"1e17", "over 53 bits"},
        {"9007199254740993.0", "over 53 bits"}, /* which is 2^53 as a double */
        {"{\"$numberDouble\":\"9007199254740992\"}", "over 53 bits"},
        {"[1]", "the id is a list"},
        {"{}", "the id is an object"},
        {"{\"id\":1}", "the id is an object"},
        {"{\"$oid\":\"65f1000000000000000000ab\",\"x\":1}", "an id of the form $oid that is none"},
        {"{\"$numberDouble\":\"NaN\"}", "the id is NaN"},
        {"{\"$numberDouble\":\"-Infinity\"}", "the id is infinite"},
        {"{\"$numberDecimal\":\"0.5\"}", "the id 0.5 is no whole number"},
        {"{\"$date\":\"2026-01-01T00:00:00Z\"}", "an id of the form $date that is none"},
        {"{\"$minKey\":1}", "an id of the form $minKey that is none"},
        {"{\"$timestamp\":{\"t\":1,\"i\":2}}", "an id of the form $timestamp that is none"},
        {"{\"$ref\":\"c\",\"$id\":null}", "the id is null"},
        {"{\"$ref\":\"c\"}", "an id of the form $ref that is none"},
        {"{\"$unknown\":1}", "an id of the form $unknown that is none"},
        {"{\"$oid\":\"12\"}", "an id of the form $oid that is none"},
        {"{\"$oid\":7}", "an id of the form $oid that is none"},
        {"{\"$oid\":\"65f1000000000000000000zz\"}", "an id of the form $oid that is none"},
        {"{\"$numberLong\":\"1x\"}", "an id of the form $numberLong that is none"},
        {"{\"$numberLong\":\"9223372036854775808\"}", "an id of the form $numberLong that is none"},
        {"{\"$numberInt\":\"\"}", "an id of the form $numberInt that is none"},
        {"{\"$uuid\":\"7c0de5b1-4a2f-4d36-9e11-52f0a86b31d\"}", "an id of the form $uuid that is none"},
        {"{\"$uuid\":\"7c0de5b14a2f-4d36-9e11-52f0a86b31d4a\"}", "an id of the form $uuid that is none"},
        {"{\"$binary\":{\"base64\":\"fA3lsUovTTaeEVLwqGsx1A==\",\"subType\":\"03\"}}", "subtype 3: a UUID"},
        {"{\"$binary\":{\"base64\":\"fA3lsUov\",\"subType\":\"04\"}}", "subtype 4, 6 bytes"},
        {"{\"$binary\":{\"base64\":\"\",\"subType\":\"00\"}}", "subtype 0, 0 bytes"},
        {"{\"$binary\":{\"base64\":\"AAA=\",\"subType\":\"06\"}}", "subtype 6, 2 bytes"},
        {"{\"$binary\":{\"base64\":\"AAAAAAAAAAAAAAAA\",\"subType\":\"00\"}}", "12 bytes"},
        {"{\"$binary\":{\"base64\":\"A\",\"subType\":\"00\"}}", "that cannot be read"},
        {"{\"$binary\":7}", "that cannot be read"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) no_id(cases[i][0], cases[i][1]);
}

/* Each comes before the next. */
static void test_order_of_ids(void **state)
{
    (void)state;
    static const char *const order[] = {"-9223372036854775808",
                                        "-2",
                                        "{\"$numberLong\":\"9\"}",
                                        "10",
                                        "9223372036854775807",
                                        "\"10\"",
                                        "\"9\"",
                                        "\"a\"",
                                        "\"a\\u0000\"",
                                        "\"aa\"",
                                        "\"b\"",
                                        "\"\xc3\xa9\"",
                                        "{\"$binary\":{\"base64\":\"//8=\",\"subType\":\"80\"}}",
                                        "{\"$binary\":{\"base64\":\"AAAA\",\"subType\":\"00\"}}",
                                        "{\"$uuid\":\"00000000-0000-0000-0000-000000000001\"}",
                                        "{\"$uuid\":\"00000000-0000-0000-0000-00000000000a\"}",
                                        "{\"$oid\":\"000000000000000000000001\"}",
                                        "{\"$oid\":\"65f1000000000000000000ab\"}"};
    const size_t n = sizeof order / sizeof *order;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            dq_import_id a = id_of(order[i]), b = id_of(order[j]);
            int got = dq_import_id_compare(&a, &b);
            assert_int_equal((got > 0) - (got < 0), (i > j) - (i < j));
        }
}

/* ---- texts ---- */

static void reads(const char *json, const char *text)
{
    dq_value v = parse(json), got;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_import_read_text(&v, &arena, &got, &e), DQ_OK);
    if (!dq_value_is(&got, text)) fail_msg("%s reads '%.*s'", json, (int)got.count, got.as.string);
}

static void test_texts(void **state)
{
    (void)state;
    reads("\"likes tea\"", "likes tea");
    reads("\"\"", "");
    reads("7", "7");
    reads("1.5", "1.5");
    reads("true", "true");
    reads("[]", "");
    reads("{}", "");
    reads("[\"a\",\"b\"]", "a, b");
    reads("[\"a\",7,[\"b\",false],null]", "a, 7, b, false, null");
    reads("{\"title\":\"T\",\"years\":3}", "title: T, years: 3");
    reads("[{\"title\":\"T\",\"years\":3},{\"title\":\"U\"}]", "title: T, years: 3; title: U");
    reads("[\"a\",{\"b\":\"c\"}]", "a; b: c");
    reads("{\"places\":[\"x\",\"y\"]}", "places: x, y");
    reads("{\"$numberInt\":\"5\"}", "5");
    reads("{\"$numberDouble\":\"5.0\"}", "5.0");
    reads("{\"$numberDecimal\":\"12.50\"}", "12.50");
    reads("{\"$symbol\":\"s\"}", "s");
    reads("[{\"$oid\":\"65F1000000000000000000Ab\"},{\"$date\":{\"$numberLong\":\"1\"}}]",
          "65f1000000000000000000ab, 1970-01-01T00:00:00.001Z");
    reads("{\"a\":{\"$uuid\":\"7C0DE5B1-4a2f-4d36-9e11-52f0a86b31d4\"}}",
          "a: 7c0de5b1-4a2f-4d36-9e11-52f0a86b31d4");
    reads("{\"$binary\":\"//8=\",\"$type\":\"0\"}", "//8=");
    reads("{\"$regex\":\"^a\",\"$options\":\"i\"}", "^a");
    reads("{\"$code\":\"f()\"}", "f()");
    reads("{\"$unknown\":1}", "$unknown: 1");
    dq_value nil = dq_nil(), got;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_import_read_text(&nil, &arena, &got, &e), DQ_OK);
    assert_int_equal(got.type, DQ_NIL);
    assert_int_equal(dq_import_read_text(NULL, &arena, &got, &e), DQ_OK);
    assert_int_equal(got.type, DQ_NIL);
    dq_value list = dq_list();
    assert_true(dq_list_add(&arena, &list, dq_real(NAN)));
    assert_int_equal(dq_import_read_text(&list, &arena, &got, &e), DQ_ERR_NUMERIC);
}

/* ---- vectors ---- */

static void is_vector(const char *json, float a, float b, float c)
{
    dq_value v = parse(json);
    float got[3] = {-1, -1, -1};
    dq_error e = DQ_ERROR_NONE;
    if (dq_import_read_vector(&v, "v", 3, &arena, got, &e)) fail_msg("%s: %s", json, e.reason);
    assert_true(got[0] == a && got[1] == b && got[2] == c);
    assert_int_equal(e.status, DQ_OK);
}

static void test_vectors(void **state)
{
    (void)state;
    is_vector("[1,-2,0.5]", 1, -2, 0.5F);
    is_vector("[16777217,1e-46,-3.4e38]", 16777216, 0, -3.4e38F);
    is_vector("[{\"$numberDouble\":\"1.0\"},{\"$numberLong\":\"-2\"},{\"$numberInt\":\"4\"}]", 1, -2, 4);
    is_vector("{\"$binary\":{\"base64\":\"JwAAAIA/AAAAwAAAAD8=\",\"subType\":\"09\"}}", 1, -2, 0.5F);
    is_vector("{\"$binary\":{\"base64\":\"AwB/gAc=\",\"subType\":\"09\"}}", 127, -128, 7);
    is_vector("{\"$binary\":{\"base64\":\"AACAPwAAAMAAAAA/\",\"subType\":\"00\"}}", 1, -2, 0.5F);
    is_vector("[{\"$numberDecimal\":\"1\"},-2,{\"$numberDouble\":0.5}]", 1, -2, 0.5F);
    is_vector("{\"$binary\":\"AACAPwAAAMAAAAA/\",\"$type\":\"0\"}", 1, -2, 0.5F);
    is_vector("[[1,-2,0.5]]", 1, -2, 0.5F);
    is_vector("\"[ 1.  -2.   0.5]\"", 1, -2, 0.5F);
    static const float numbers[] = {1, -2, 0.5F};
    dq_value v = {.type = DQ_FLOATS, .count = 3, .as.floats = numbers};
    float got[3];
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_import_read_vector(&v, "v", 3, &arena, got, &e), DQ_IMPORT_FINE);
    assert_memory_equal(got, numbers, sizeof got);
}

static void no_vector(const char *json, dq_import_fault fault, dq_status status, const char *words)
{
    dq_value v = parse(json);
    float to[3];
    dq_error e = DQ_ERROR_NONE;
    if (dq_import_read_vector(&v, "v", 3, &arena, to, &e) != fault) fail_msg("%s: %s", json, e.reason);
    assert_int_equal(e.status, status);
    assert_string_equal(e.reason, words);
}

static void test_no_vectors(void **state)
{
    (void)state;
    static const char *const others[] = {"7", "true", "{\"0\":1,\"1\":2,\"2\":3}"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        no_vector(others[i], DQ_IMPORT_MISTYPED, DQ_ERR_SCHEMA, "v is no list of numbers");
    no_vector("\"1 2 three\"", DQ_IMPORT_MISTYPED, DQ_ERR_SCHEMA, "v is a text: 'three' is no number");
    no_vector("\"[1 2]\"", DQ_IMPORT_WIDTH, DQ_ERR_SCHEMA, "v has 2 numbers where 3 are expected");
    no_vector("\"[1 nan 2]\"", DQ_IMPORT_NOT_FINITE, DQ_ERR_NUMERIC,
              "v: element 1 is not finite as a float32");
    no_vector("[]", DQ_IMPORT_WIDTH, DQ_ERR_SCHEMA, "v has 0 numbers where 3 are expected");
    no_vector("[1,2]", DQ_IMPORT_WIDTH, DQ_ERR_SCHEMA, "v has 2 numbers where 3 are expected");
    no_vector("[1,2,3,4]", DQ_IMPORT_WIDTH, DQ_ERR_SCHEMA, "v has 4 numbers where 3 are expected");
    static const char *const elements[] = {"\"2\"",
                                           "null",
                                           "true",
                                           "[2]",
                                           "{\"$numberDouble\":\"2x\"}",
                                           "{\"$numberDouble\":\"\"}",
                                           "{\"$numberDecimal\":\"\"}",
                                           "{\"$numberDecimal\":\"0x1\"}",
                                           "{\"$numberDecimal\":\" 1\"}",
                                           "{\"$numberDecimal\":\"infinity\"}"};
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
        char json[64];
        (void)snprintf(json, sizeof json, "[1,%s,3]", elements[i]);
        no_vector(json, DQ_IMPORT_MISTYPED, DQ_ERR_SCHEMA, "v: element 1 is no number");
    }
    static const char *const infinite[] = {"1e39", "-3.5e38", "{\"$numberDouble\":\"NaN\"}",
                                           "{\"$numberDouble\":\"-Infinity\"}",
                                           "{\"$numberDecimal\":\"NaN\"}"};
    for (size_t i = 0; i < sizeof infinite / sizeof *infinite; i++) {
        char json[64];
        (void)snprintf(json, sizeof json, "[1,2,%s]", infinite[i]);
        no_vector(json, DQ_IMPORT_NOT_FINITE, DQ_ERR_NUMERIC, "v: element 2 is not finite as a float32");
    }
}

static void no_binary(const char *base64, const char *type, dq_import_fault fault, const char *words)
{
    char json[128];
    (void)snprintf(json, sizeof json, "{\"$binary\":{\"base64\":\"%s\",\"subType\":\"%s\"}}", base64, type);
    no_vector(json, fault, fault == DQ_IMPORT_NOT_FINITE ? DQ_ERR_NUMERIC : DQ_ERR_SCHEMA, words);
}

static void test_no_binaries(void **state)
{
    (void)state;
    const char *none = "v is no list of numbers",
               *nine = "v is a binary of subtype 9 that is no vector of 3 float32",
               *zero = "v is a binary of subtype 0 that is no vector of 3 float32";
    no_binary("JwAA*IA/AAAAwAAAAD8=", "09", DQ_IMPORT_MISTYPED, none); /* no digit */
    no_binary("JwAAAIA/AAAAwAAAAD8", "09", DQ_IMPORT_MISTYPED, none);  /* not padded */
    no_binary("JwAAAIA/AAAAwAAAAD8=", "0x9", DQ_IMPORT_MISTYPED, none);
    no_vector("{\"$binary\":\"JwAAAIA/AAAAwAAAAD8=\"}", DQ_IMPORT_MISTYPED, DQ_ERR_SCHEMA, none);
    no_vector("{\"$binary\":{\"base64\":\"JwAA\"}}", DQ_IMPORT_MISTYPED, DQ_ERR_SCHEMA, none);
    no_binary("", "09", DQ_IMPORT_MISTYPED, nine);
    no_binary("Jw==", "09", DQ_IMPORT_MISTYPED, nine);
    no_binary("JwEAAIA/AAAAwAAAAD8=", "09", DQ_IMPORT_MISTYPED, nine); /* padding of its bits */
    no_binary("EAAAAIA/AAAAwAAAAD8=", "09", DQ_IMPORT_MISTYPED, nine); /* packed bits */
    no_binary("JwAAAIA/AAAAwAAAAD8A", "09", DQ_IMPORT_MISTYPED, nine); /* a byte more */
    no_binary("AACAPwAAAMA=", "00", DQ_IMPORT_MISTYPED, zero);
    no_binary("AACAPwAAAMAAAAA/", "5", DQ_IMPORT_MISTYPED,
              "v is a binary of subtype 5 that is no vector of 3 float32");
    no_binary("JwAAAIA/AAAAwA==", "09", DQ_IMPORT_WIDTH, "v has 2 numbers where 3 are expected");
    no_binary("JwAAAIA/AAAAwAAAwH8=", "09", DQ_IMPORT_NOT_FINITE, "v: element 2 is not finite as a float32");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_ids, forget),
        cmocka_unit_test_teardown(test_binary_ids, forget),
        cmocka_unit_test_teardown(test_no_ids, forget),
        cmocka_unit_test_teardown(test_order_of_ids, forget),
        cmocka_unit_test_teardown(test_texts, forget),
        cmocka_unit_test_teardown(test_vectors, forget),
        cmocka_unit_test_teardown(test_no_vectors, forget),
        cmocka_unit_test_teardown(test_no_binaries, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
