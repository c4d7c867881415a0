/* SPDX-License-Identifier: MIT
 *
 * Extended JSON, both versions, canonical and relaxed: each type has one form. libbson's own exports of every
 * type are compared in test_mongo.c.
 */
#include "port/files/ejson.h"
#include "port/files/json.h"
#include "short_memory.h"

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

static void becomes(const char *json, const char *form)
{
    dq_error e = DQ_ERROR_NONE;
    dq_value v;
    dq_json_text out = DQ_JSON_TEXT_EMPTY;
    if (dq_ejson_parse(json, strlen(json), &arena, &v, &e)) fail_msg("%s: %s", json, e.reason);
    for (int again = 0; again < 2; again++) { /* the one form stays what it is */
        out.bytes = 0;
        assert_int_equal(dq_json_write(&out, &v, &e), DQ_OK);
        if (out.bytes != strlen(form) || memcmp(out.data, form, out.bytes) != 0)
            fail_msg("%s becomes %.*s, not %s", json, (int)out.bytes, out.data, form);
        assert_int_equal(dq_ejson_normalise(&v, &arena, &e), DQ_OK);
    }
    dq_json_text_free(&out);
}

static void test_numbers(void **state)
{
    (void)state;
    becomes("{\"$numberInt\":\"-5\"}", "-5");
    becomes("{\"$numberLong\":\"9223372036854775807\"}", "9223372036854775807");
    becomes("{\"$numberLong\":7}", "7");
    becomes("{\"$numberDouble\":\"1.0\"}", "1.0");
    becomes("{\"$numberDouble\":\"-0.0\"}", "-0.0");
    becomes("{\"$numberDouble\":\"1E+300\"}", "1e+300");
    becomes("{\"$numberDouble\":0.5}", "0.5");
    becomes("{\"$numberDouble\":2}", "2.0");
    becomes("{\"$numberDouble\":\"NaN\"}", "{\"$numberDouble\":\"NaN\"}");
    becomes("{\"$numberDouble\":\"-Infinity\"}", "{\"$numberDouble\":\"-Infinity\"}");
    becomes("{\"$numberDecimal\":\"12.50\"}", "{\"$numberDecimal\":\"12.50\"}");
    becomes("[{\"a\":[{\"$numberInt\":\"1\"},2,{\"$numberDouble\":\"3.5\"}]}]", "[{\"a\":[1,2,3.5]}]");
}

static void test_dates(void **state)
{
    (void)state;
    static const char *const same[] = {
        "{\"$date\":\"2024-03-01T00:00:00Z\"}",
        "{\"$date\":\"2024-03-01T00:00:00.000Z\"}",
        "{\"$date\":\"2024-03-01T00:00:00.000000Z\"}",
        "{\"$date\":\"2024-03-01T01:30:00.000+0130\"}",
        "{\"$date\":\"2024-03-01T01:30:00+01:30\"}",
        "{\"$date\":\"2024-02-29T23:00:00-01\"}",
        "{\"$date\":{\"$numberLong\":\"1709251200000\"}}",
        "{\"$date\":1709251200000}",
        "{\"$date\":1709251200000.0}",
        "{\"$date\":{\"$numberDouble\":\"1709251200000.0\"}}",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        becomes(same[i], "{\"$date\":\"2024-03-01T00:00:00Z\"}");
    becomes("{\"$date\":{\"$numberLong\":\"1\"}}", "{\"$date\":\"1970-01-01T00:00:00.001Z\"}");
    becomes("{\"$date\":\"2024-03-01T00:00:00.1239Z\"}", "{\"$date\":\"2024-03-01T00:00:00.123Z\"}");
    becomes("{\"$date\":\"9999-12-31T23:59:59.999Z\"}", "{\"$date\":\"9999-12-31T23:59:59.999Z\"}");
    becomes("{\"$date\":\"1969-12-31T23:59:59.999Z\"}", "{\"$date\":{\"$numberLong\":\"-1\"}}");
    becomes("{\"$date\":-1}", "{\"$date\":{\"$numberLong\":\"-1\"}}");
    becomes("{\"$date\":{\"$numberLong\":\"253402300800000\"}}",
            "{\"$date\":{\"$numberLong\":\"253402300800000\"}}");
}

static void test_ids_and_bytes(void **state)
{
    (void)state;
    const char *uuid = "{\"$binary\":{\"base64\":\"fA3lsUovTTaeEVLwqGsx1A==\",\"subType\":\"04\"}}";
    becomes("{\"$oid\":\"65F1000000000000000000Ab\"}", "{\"$oid\":\"65f1000000000000000000ab\"}");
    becomes("{\"$uuid\":\"7C0DE5B1-4a2f-4d36-9e11-52f0a86b31d4\"}", uuid);
    becomes("{\"$uuid\":\"7C0DE5B14a2f4d369e1152f0a86b31d4\"}", uuid);
    becomes(uuid, uuid);
    becomes("{\"$binary\":{\"subType\":\"4\",\"base64\":\"fA3lsUovTTaeEVLwqGsx1A==\"}}", uuid);
    becomes("{\"$binary\":\"fA3lsUovTTaeEVLwqGsx1A==\",\"$type\":\"04\"}", uuid);
    becomes("{\"$type\":4,\"$binary\":\"fA3lsUovTTaeEVLwqGsx1A==\"}", uuid);
    becomes("{\"$binary\":\"\",\"$type\":\"FF\"}", "{\"$binary\":{\"base64\":\"\",\"subType\":\"ff\"}}");
}

static void test_the_rest(void **state)
{
    (void)state;
    becomes("{\"$symbol\":\"s\"}", "\"s\"");
    becomes("{\"$regex\":\"^a\",\"$options\":\"im\"}",
            "{\"$regularExpression\":{\"pattern\":\"^a\",\"options\":\"im\"}}");
    static const char *const kept[] = {
        "{\"$timestamp\":{\"t\":42,\"i\":1}}",
        "{\"$code\":\"f()\",\"$scope\":{\"x\":1}}",
        "{\"$minKey\":1}",
        "{\"$undefined\":true}",
        "{\"$dbPointer\":{\"$ref\":\"c\",\"$id\":{\"$oid\":\"65f1000000000000000000ab\"}}}",
        "{\"$ref\":\"c\",\"$id\":7}",
        "{\"$ref\":\"#/definitions/x\"}",
        "{\"$unknown\":{\"a\":1}}",
        "{\"oid\":\"65f1000000000000000000AB\"}",
        /* another key, or an inside that is not what the key says */
        "{\"$oid\":\"65F1000000000000000000AB\",\"x\":1}",
        "{\"$oid\":\"65F1\"}",
        "{\"$numberInt\":\"5x\"}",
        "{\"$numberInt\":\" 5\"}",
        "{\"$numberInt\":true}",
        "{\"$numberLong\":\"9223372036854775808\"}",
        "{\"$numberDouble\":\"0x10\"}",
        "{\"$numberDouble\":\"1e999\"}",
        "{\"$numberDouble\":\"\"}",
        "{\"$date\":\"yesterday\"}",
        "{\"$date\":\"2024-03-01\"}",
        "{\"$date\":\"2024-02-30T00:00:00Z\"}",
        "{\"$date\":\"2024-03-01T00:00:00\"}",
        "{\"$date\":\"2024-03-01T00:00:00Zz\"}",
        "{\"$date\":1.5}",
        "{\"$uuid\":\"7c0de5b1-4a2f-4d36-9e11-52f0a86b31dg\"}",
        "{\"$binary\":{\"base64\":\"AA==\"}}",
        "{\"$binary\":{\"base64\":\"AA==\",\"subType\":\"100\"}}",
        "{\"$binary\":\"AA==\",\"$type\":\"zz\"}",
        "{\"$regex\":\"^a\"}",
        "{\"$symbol\":7}",
        "{}",
        "null",
    };
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) becomes(kept[i], kept[i]);
    becomes("{\"$date\":{\"$numberLong\":\"x\"}}", "{\"$date\":{\"$numberLong\":\"x\"}}");
    becomes("{\"$ref\":\"c\",\"$id\":{\"$numberInt\":\"7\"}}", "{\"$ref\":\"c\",\"$id\":7}");
}

static void test_what_a_value_holds(void **state)
{
    (void)state;
    const dq_value seven = dq_int(7), half = dq_real(0.5), text = dq_string(&arena, "7");
    dq_error e = DQ_ERROR_NONE;
    dq_value v;
    double number;
    assert_true(dq_ejson_number(&seven, &number) && number == 7);
    assert_true(dq_ejson_number(&half, &number) && number == 0.5);
    assert_false(dq_ejson_number(&text, &number));
    assert_int_equal(dq_ejson_real((double)NAN, &arena, &v, &e), DQ_OK);
    assert_true(dq_ejson_number(&v, &number) && isnan(number));
    assert_int_equal(dq_ejson_binary("\0\xff\x10", 3, 0x80, &arena, &v, &e), DQ_OK);
    dq_ejson_bytes bytes;
    assert_int_equal(dq_ejson_bytes_of(&v, &arena, &bytes, &e), DQ_OK);
    assert_int_equal(bytes.count, 3);
    assert_int_equal(bytes.subtype, 0x80);
    assert_memory_equal(bytes.at, "\0\xff\x10", 3);
    assert_int_equal(dq_ejson_bytes_of(&seven, &arena, &bytes, &e), DQ_ERR_FORMAT);
    assert_string_equal(dq_ejson_key(&v), "$binary");
    assert_null(dq_ejson_key(&seven));
    assert_null(dq_ejson_key(NULL));
}

/* Each length of bytes there and back. */
static void test_base64(void **state)
{
    (void)state;
    unsigned char data[64];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (unsigned char)(i * 37 + 200);
    for (size_t n = 0; n <= sizeof data; n++) {
        dq_error e = DQ_ERROR_NONE;
        dq_value v;
        dq_ejson_bytes back;
        assert_int_equal(dq_ejson_binary(data, n, 0, &arena, &v, &e), DQ_OK);
        assert_int_equal(dq_ejson_bytes_of(&v, &arena, &back, &e), DQ_OK);
        assert_int_equal(back.count, n);
        if (n) assert_memory_equal(back.at, data, n);
    }
}

/* With any one allocation failing a value is in the one form, or memory is short. */
static void test_short_memory(void **state)
{
    (void)state;
    enum { MANY = 60 };
    if (!CAN_FAIL_ALLOCATIONS) skip();
    const char *json =
        "{\"a\":{\"$uuid\":\"7c0de5b1-4a2f-4d36-9e11-52f0a86b31d4\"},\"b\":{\"$date\":-1},"
        "\"c\":{\"$oid\":\"65f1000000000000000000AB\"},\"d\":{\"$numberDouble\":\"NaN\"},"
        "\"e\":{\"$binary\":\"AA==\",\"$type\":\"0\"},\"f\":{\"$regex\":\"a\",\"$options\":\"\"},"
        "\"g\":[{\"$date\":\"2026-01-01T00:00:00Z\"},{\"$symbol\":\"s\"}]}";
    unsigned failed = 0;
    for (unsigned n = 1;; n++) {
        dq_error e = DQ_ERROR_NONE;
        dq_value all = dq_list(), v, text;
        dq_arena_free(&arena);
        for (int i = 0; i < MANY; i++) {
            assert_int_equal(dq_json_parse(json, strlen(json), &arena, &v, &e), DQ_OK);
            assert_true(dq_list_add(&arena, &all, v));
        }
        allocated = 0;
        failing_allocation = n;
        dq_status status = dq_ejson_normalise(&all, &arena, &e);
        for (int i = 0; i < MANY && !status; i++)
            status = dq_ejson_text(dq_map_get(&all.as.list[i], "a"), &arena, &text, &e);
        bool whole = allocated < n;
        failing_allocation = 0;
        failed += status == DQ_ERR_MEMORY;
        assert_int_equal(status, e.status);
        if (status && status != DQ_ERR_MEMORY) fail_msg("allocation %u: %s", n, e.reason);
        if (!status) assert_true(dq_value_is(&text, "7c0de5b1-4a2f-4d36-9e11-52f0a86b31d4"));
        if (whole) break;
    }
    assert_true(failed > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_numbers, forget),
        cmocka_unit_test_teardown(test_dates, forget),
        cmocka_unit_test_teardown(test_ids_and_bytes, forget),
        cmocka_unit_test_teardown(test_the_rest, forget),
        cmocka_unit_test_teardown(test_what_a_value_holds, forget),
        cmocka_unit_test_teardown(test_base64, forget),
        cmocka_unit_test_teardown(test_short_memory, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
