/* SPDX-License-Identifier: MIT
 *
 * safetensors: a model goes out and comes back; files that other writers make are read; headers that lie are
 * refused.
 */
#include "port/files/safetensors.h"

#include "dq/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[64];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "/tmp/dq-test-safetensors-XXXXXX");
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
    (void)state;
    return remove(path);
}

/* A file with this JSON header and so many bytes of data (0, 1, 2 ...). */
static void put(uint64_t length, const char *header, size_t bytes)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 8; i++) (void)fputc((int)(length >> 8 * i & 0xff), file);
    assert_int_equal(fwrite(header, 1, strlen(header), file), strlen(header));
    for (size_t i = 0; i < bytes; i++) (void)fputc((int)(i & 0xff), file);
    assert_int_equal(fclose(file), 0);
}

static dq_status get(dq_bundle *bundle, dq_error *error)
{
    dq_source *source;
    *error = DQ_ERROR_NONE;
    assert_int_equal(dq_source_open(&source, path, error), DQ_OK);
    dq_status status = dq_safetensors_read(source, bundle, error);
    dq_source_close(source);
    return status;
}

static void test_a_model_comes_back(void **state)
{
    (void)state;
    static const float weights[6] = {1, 2, 3, 4, 5, -0.0F};
    static const uint16_t halves[3] = {0x3c00, 0xc000, 0x7bff};
    static const uint64_t steps[1] = {UINT64_MAX};
    static const uint64_t two[2] = {2, 3}, three[1] = {3}, one[1] = {1}, none[2] = {0, 3};
    dq_error e = DQ_ERROR_NONE;
    dq_bundle model, back;
    dq_sink *sink;
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, &e), DQ_OK);
    assert_true(
        dq_map_set(&model.arena, &model.meta, "architecture", dq_string(&model.arena, "dyna-q \"1\"")));
    assert_true(dq_map_set(&model.arena, &model.meta, "gamma", dq_real(0.9)));
    assert_int_equal(dq_bundle_add_tensor(&model, "q.steps", DQ_U1, 1, three, "abc", &e), DQ_OK);
    assert_int_equal(dq_bundle_add_tensor(&model, "q.w0", DQ_F4, 2, two, weights, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_tensor(&model, "h", DQ_BF16, 1, three, halves, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_tensor(&model, "empty", DQ_F8, 2, none, weights, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_tensor(&model, "rng", DQ_U8, 1, one, steps, &e), DQ_OK);
    assert_int_equal(dq_sink_open(&sink, path, DQ_SINK_TEXT, &e), DQ_OK);
    assert_int_equal(dq_safetensors_write(sink, &model, &e), DQ_OK);
    assert_int_equal(dq_sink_close(sink, &e), DQ_OK);
    assert_int_equal(get(&back, &e), DQ_OK);
    assert_string_equal(back.kind, DQ_KIND_MODEL);
    assert_true(dq_value_equal(&back.meta, &model.meta));
    assert_int_equal(back.column_count, model.column_count);
    for (size_t i = 0; i < model.column_count; i++) {
        const dq_column *a = &model.columns[i], *b = dq_bundle_column(&back, a->name);
        assert_non_null(b);
        assert_int_equal(a->type, b->type);
        assert_int_equal(a->dims, b->dims);
        assert_memory_equal(a->shape, b->shape, a->dims * sizeof *a->shape);
        assert_memory_equal(a->data, b->data, a->bytes);
    }
    dq_bundle_free(&model);
    dq_bundle_free(&back);
}

static void test_anothers_file(void **state)
{
    (void)state;
    const char header[] = "{\"__metadata__\":{\"format\":\"pt\"},"
                          "\"b\":{\"dtype\":\"I16\",\"shape\":[2,2],\"data_offsets\":[1,9]},"
                          "\"a\":{\"dtype\":\"BOOL\",\"shape\":[],\"data_offsets\":[0,1]}}   ";
    dq_error e;
    dq_bundle b;
    put(strlen(header), header, 9);
    assert_int_equal(get(&b, &e), DQ_OK);
    assert_true(dq_value_is(dq_map_get(&b.meta, "format"), "pt"));
    assert_int_equal(b.column_count, 2);
    assert_string_equal(b.columns[0].name, "a");
    assert_int_equal(b.columns[0].shape[0], 1);
    assert_string_equal(b.columns[1].name, "b");
    assert_int_equal((uintptr_t)b.columns[1].data % 16, 0);
    const int16_t *numbers = b.columns[1].data;
    assert_int_equal(numbers[0], 0x0201);
    assert_int_equal(numbers[3], 0x0807);
    dq_bundle_free(&b);
}

static void refused(const char *header, uint64_t length, size_t bytes, dq_status status, const char *words)
{
    dq_error e;
    dq_bundle b;
    put(length ? length : strlen(header), header, bytes);
    assert_int_equal(get(&b, &e), status);
    if (!strstr(e.reason, words)) fail_msg("'%s' lacks '%s'", e.reason, words);
    assert_null(b.columns);
}

static void test_refusals(void **state)
{
    (void)state;
#define ONE(type, shape, offsets)                                                                            \
    "{\"a\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
    refused("{}", (uint64_t)1 << 62, 0, DQ_ERR_FORMAT, "not safetensors: a header of");
    refused("{}", 100, 0, DQ_ERR_TRUNCATED, "ends after");
    refused("[]", 0, 0, DQ_ERR_FORMAT, "no map");
    refused("{]", 0, 0, DQ_ERR_FORMAT, "JSON: ");
    refused(ONE("F32", "[2]", "[0,8]"), 0, 7, DQ_ERR_TRUNCATED, "ends after 7 of 8 bytes");
    refused(ONE("F32", "[2]", "[0,8]"), 0, 9, DQ_ERR_FORMAT, "bytes follow the last tensor");
    refused(ONE("F32", "[2]", "[0,9]"), 0, 9, DQ_ERR_FORMAT, "9 bytes of data where the shape needs 8");
    refused(ONE("F32", "[2]", "[1,9]"), 0, 9, DQ_ERR_FORMAT, "gap or overlap");
    refused(ONE("F32", "[2]", "[8,0]"), 0, 9, DQ_ERR_FORMAT, "bad data_offsets");
    refused(ONE("F32", "[2]", "[-8,0]"), 0, 9, DQ_ERR_FORMAT, "bad data_offsets");
    refused(ONE("F32", "[-2]", "[0,8]"), 0, 8, DQ_ERR_FORMAT, "a bad shape");
    refused(ONE("F32", "[2.0]", "[0,8]"), 0, 8, DQ_ERR_FORMAT, "a bad shape");
    refused(ONE("F32", "[4611686018427387904,4]", "[0,0]"), 0, 0, DQ_ERR_RANGE, "overflows");
    refused(ONE("F8_E4M3", "[2]", "[0,2]"), 0, 2, DQ_ERR_UNSUPPORTED, "dtype F8_E4M3");
    refused(ONE("F32", "[1,1,1,1,1]", "[0,4]"), 0, 4, DQ_ERR_UNSUPPORTED, "dimensions");
    refused("{\"a\":1}", 0, 0, DQ_ERR_FORMAT, "has no dtype");
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
            "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
            0, 1, DQ_ERR_FORMAT, "gap or overlap");
    refused("{\"__metadata__\":{\"dq\":\"[1]\"}}", 0, 0, DQ_ERR_FORMAT, "dq is no map");
    /* a claim of an exabyte costs no memory: it ends where the file does */
    refused(ONE("U8", "[1000000000000000000]", "[0,1000000000000000000]"), 0, 5, DQ_ERR_TRUNCATED,
            "ends after 5");
#undef ONE
}

static void test_texts_and_nulls_have_no_form(void **state)
{
    (void)state;
    static const uint32_t offsets[2] = {0, 1};
    static const uint8_t nulls[1] = {1};
    static const float zero[1] = {0};
    dq_error e = DQ_ERROR_NONE;
    dq_bundle b;
    dq_sink *sink;
    assert_int_equal(dq_bundle_init(&b, "users", 1, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_numbers(&b, "x", DQ_F4, zero, NULL, nulls, &e), DQ_OK);
    assert_int_equal(dq_sink_open(&sink, "/dev/null", DQ_SINK_TEXT, &e), DQ_OK);
    assert_int_equal(dq_safetensors_write(sink, &b, &e), DQ_ERR_UNSUPPORTED);
    assert_string_equal(e.reason, "column x: safetensors has no nulls");
    dq_bundle_free(&b);
    assert_int_equal(dq_bundle_init(&b, "users", 1, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_text(&b, "id", DQ_TEXT, offsets, "a", NULL, &e), DQ_OK);
    assert_int_equal(dq_safetensors_write(sink, &b, &e), DQ_ERR_UNSUPPORTED);
    assert_string_equal(e.reason, "column id: safetensors has no texts");
    dq_bundle_free(&b);
    dq_sink_abort(sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_model_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_anothers_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_texts_and_nulls_have_no_form, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
