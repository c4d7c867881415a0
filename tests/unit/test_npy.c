/* SPDX-License-Identifier: MIT
 *
 * .npy: what is written is read, and what is no .npy, or one that claims too much, is refused. NumPy itself
 * is the second implementation: tests/cli/export.bats reads its files, tests/cli/dq-cat.bats has it read
 * ours.
 */
#include "port/files/npy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static dq_source *open_bytes(const void *bytes, size_t n)
{
    dq_error e = DQ_ERROR_NONE;
    dq_source *source;
    char path[] = "/tmp/dq-test-npy-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    assert_int_equal(close(fd), 0);
    assert_int_equal(dq_source_open(&source, path, &e), DQ_OK);
    assert_int_equal(remove(path), 0);
    return source;
}

/* A file of a version, with this dict and some bytes of data. */
static dq_source *array(unsigned char version, const char *dict, const void *data, size_t bytes)
{
    unsigned char file[1024] = "\x93NUMPY";
    size_t length = strlen(dict), at = 6;
    file[at++] = version;
    file[at++] = 0;
    for (int i = 0; i < (version == 1 ? 2 : 4); i++) file[at++] = (unsigned char)(length >> 8 * i);
    memcpy(file + at, dict, length);
    if (bytes) memcpy(file + at + length, data, bytes);
    return open_bytes(file, at + length + bytes);
}

static const float numbers[6] = {1, -2, 3.5F, 0, -0.0F, 1e-40F};

static void holds_numbers(unsigned char version, const char *dict, uint64_t rows, uint64_t width,
                          unsigned dims)
{
    dq_error e = DQ_ERROR_NONE;
    dq_npy npy;
    float got[6];
    dq_source *source = array(version, dict, numbers, sizeof numbers);
    assert_int_equal(dq_npy_read_header(&npy, source, &e), DQ_OK);
    assert_int_equal(npy.type, DQ_F4);
    assert_int_equal(npy.dims, dims);
    assert_int_equal(npy.shape[0], rows);
    assert_int_equal(npy.shape[1], width);
    for (uint64_t r = 0; r < rows; r++)
        assert_int_equal(dq_npy_read_rows(&npy, source, got + r * width, 1, &e), DQ_OK);
    assert_memory_equal(got, numbers, sizeof numbers);
    assert_int_equal(dq_npy_read_end(&npy, source, &e), DQ_OK);
    assert_int_equal(dq_npy_read_rows(&npy, source, got, 1, &e), DQ_ERR_RANGE);
    dq_source_close(source);
}

static void test_versions_and_forms(void **state)
{
    (void)state;
    holds_numbers(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }   \n", 3, 2, 2);
    holds_numbers(2, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }\n", 3, 2, 2);
    holds_numbers(3, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2)}\n", 3, 2, 2);
    holds_numbers(1, "{\"shape\":(6,),\"descr\":\"<f4\",\"fortran_order\":True}", 6, 1, 1);
    holds_numbers(1, "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 6), }", 1, 6, 2);
}

static void refused(const char *dict, dq_status status, const char *words)
{
    dq_error e = DQ_ERROR_NONE;
    dq_npy npy;
    dq_source *source = array(1, dict, numbers, sizeof numbers);
    assert_int_equal(dq_npy_read_header(&npy, source, &e), status);
    if (!strstr(e.reason, words)) fail_msg("%s: '%s' lacks '%s'", dict, e.reason, words);
    dq_source_close(source);
}

static void test_headers_that_are_refused(void **state)
{
    (void)state;
#define DICT(descr, order, shape) "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape ", }"
    refused(DICT("'<f4'", "True", "(3, 2)"), DQ_ERR_UNSUPPORTED, "Fortran order");
    refused(DICT("'>f4'", "False", "(3, 2)"), DQ_ERR_UNSUPPORTED, "elements of type >f4");
    refused(DICT("'|O'", "False", "(3,)"), DQ_ERR_UNSUPPORTED, "elements of type |O");
    refused(DICT("'<c8'", "False", "(3,)"), DQ_ERR_UNSUPPORTED, "elements of type <c8");
    refused(DICT("[('a', '<f4')]", "False", "(3,)"), DQ_ERR_UNSUPPORTED, "records");
    refused(DICT("'<f4'", "False", "(3, 2, 1)"), DQ_ERR_UNSUPPORTED, "more than two dimensions");
    refused(DICT("'<f4'", "False", "()"), DQ_ERR_UNSUPPORTED, "a single number");
    refused(DICT("'<f4'", "False", "(4294967296, 4294967296)"), DQ_ERR_RANGE, "overflows");
    refused(DICT("'<f4'", "False", "(4611686018427387904, 1)"), DQ_ERR_RANGE, "overflows");
    refused(DICT("'<f4'", "False", "(99999999999999999999,)"), DQ_ERR_FORMAT, "malformed");
    refused(DICT("'<f4'", "False", "(-1, 2)"), DQ_ERR_FORMAT, "malformed");
    refused(DICT("'<f4'", "Maybe", "(3, 2)"), DQ_ERR_FORMAT, "malformed");
    refused(DICT("'<f4", "False", "(3, 2)"), DQ_ERR_FORMAT, "malformed");
    refused(DICT("'<U3'", "False", "(3, 2)"), DQ_ERR_UNSUPPORTED, "elements of type <U3");
    refused(DICT("'|O'", "False", "(3,)"), DQ_ERR_UNSUPPORTED, "of texts array.astype('U')");
    refused(DICT("'>f4'", "False", "(3, 2)"), DQ_ERR_UNSUPPORTED, "; save array.astype('<f4')");
    refused("{'descr': '<f4', 'shape': (3, 2)}", DQ_ERR_FORMAT, "malformed");
    refused("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", DQ_ERR_FORMAT,
            "malformed");
    refused("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'x': 1}", DQ_ERR_FORMAT, "malformed");
    refused("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)", DQ_ERR_FORMAT, "malformed");
    refused("{'descr': '<f4', 'fortran_order': False, 'shape': (3", DQ_ERR_FORMAT, "malformed");
    refused("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)} x", DQ_ERR_FORMAT, "malformed");
    refused("", DQ_ERR_FORMAT, "malformed");
#undef DICT
}

/* ---- lists of ids ---- */

/* Reads the ids as one text, joined by spaces; "?" for one that is no Unicode. */
static void holds_ids(const char *dict, const void *data, size_t bytes, const char *ids)
{
    dq_error e = DQ_ERROR_NONE;
    dq_npy npy;
    dq_arena arena = DQ_ARENA_EMPTY;
    char got[256] = "";
    dq_source *source = array(1, dict, data, bytes);
    if (dq_npy_read_ids_header(&npy, source, &e)) fail_msg("%s: %s", dict, e.reason);
    while (npy.rows_left) {
        dq_value v;
        size_t used = strlen(got);
        if (dq_npy_read_id(&npy, source, &arena, &v, &e)) fail_msg("%s: %s", dict, e.reason);
        if (v.type == DQ_INT)
            (void)snprintf(got + used, sizeof got - used, "%lld ", (long long)v.as.integer);
        else
            (void)snprintf(got + used, sizeof got - used, "%s ", v.type == DQ_NIL ? "?" : v.as.string);
    }
    assert_int_equal(dq_npy_read_end(&npy, source, &e), DQ_OK);
    assert_string_equal(got, ids);
    dq_arena_free(&arena);
    dq_source_close(source);
}

static void no_ids(const char *dict, const char *words)
{
    dq_error e = DQ_ERROR_NONE;
    dq_npy npy;
    dq_source *source = array(1, dict, NULL, 0);
    assert_int_equal(dq_npy_read_ids_header(&npy, source, &e), DQ_ERR_UNSUPPORTED);
    if (!strstr(e.reason, words)) fail_msg("%s: '%s' lacks '%s'", dict, e.reason, words);
    dq_source_close(source);
}

static void test_ids(void **state)
{
    (void)state;
#define IDS(descr, shape) "{'descr': '" descr "', 'fortran_order': False, 'shape': " shape ", }"
    static const unsigned char codes[] = {'a', 0, 0, 0,    0, 0, 0,    0, 0xe9, 0, 0, 0,    0xac, 0x20,
                                          0,   0, 0, 0xf6, 1, 0, 0,    0, 0,    0, 0, 0xd8, 0,    0,
                                          0,   0, 0, 0,    0, 0, 0x11, 0, 0,    0, 0, 0};
    holds_ids(IDS("<U2", "(5,)"), codes, sizeof codes, "a \xc3\xa9\xe2\x82\xac \xf0\x9f\x98\x80 ? ? ");
    holds_ids(IDS("|S3", "(4,)"), "a\0\0\xc3\xa9\0abc\xff\0\0", 12, "a \xc3\xa9 abc ? ");
    holds_ids(IDS("|S3", "(2, 1)"), "a\0\0b c", 6, "a b c ");
    holds_ids(IDS("|S0", "(2,)"), "", 0, "  ");
    holds_ids(IDS("|i1", "(2,)"), "\xff\x7f", 2, "-1 127 ");
    holds_ids(IDS("|u1", "(2,)"), "\xff\x7f", 2, "255 127 ");
    holds_ids(IDS("<i4", "(1,)"), "\0\0\0\x80", 4, "-2147483648 ");
    holds_ids(IDS("<i8", "(1,)"), "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "-1 ");
    holds_ids(IDS("<u8", "(1,)"), "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "18446744073709551615 ");
    no_ids(IDS("<f4", "(3,)"), "ids of type <f4");
    no_ids(IDS("|O", "(3,)"), "save array.astype('U')");
    no_ids(IDS(">U3", "(3,)"), "ids of type >U3");
    no_ids(IDS("<U99999999999", "(3,)"), "ids of type <U99999999999");
    no_ids(IDS("<Ux", "(3,)"), "ids of type <Ux");
    no_ids(IDS("|S3", "(3, 2)"), "two dimensions; save array.ravel()");
    dq_error e = DQ_ERROR_NONE;
    dq_npy npy;
    dq_value v;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_source *source = array(1, IDS("<U2", "(2,)"), codes, 12);
    assert_int_equal(dq_npy_read_ids_header(&npy, source, &e), DQ_OK);
    assert_int_equal(dq_npy_read_id(&npy, source, &arena, &v, &e), DQ_OK);
    assert_int_equal(dq_npy_read_id(&npy, source, &arena, &v, &e), DQ_ERR_TRUNCATED);
    dq_arena_free(&arena);
    dq_source_close(source);
    e = DQ_ERROR_NONE;
    source = array(1, IDS("<U1073741823", "(4611686018427387904,)"), codes, 12);
    assert_int_equal(dq_npy_read_ids_header(&npy, source, &e), DQ_ERR_RANGE);
    dq_source_close(source);
#undef IDS
}

static void refused_bytes(const char *bytes, size_t n, dq_status status, const char *words)
{
    dq_error e = DQ_ERROR_NONE;
    dq_npy npy;
    dq_source *source = open_bytes(bytes, n);
    assert_int_equal(dq_npy_read_header(&npy, source, &e), status);
    if (!strstr(e.reason, words)) fail_msg("'%s' lacks '%s'", e.reason, words);
    dq_source_close(source);
}

static void test_other_bytes(void **state)
{
    (void)state;
    refused_bytes("", 0, DQ_ERR_FORMAT, "empty: not a .npy file");
    refused_bytes("PK\3\4 a zip file", 16, DQ_ERR_FORMAT, "not a .npy file");
    refused_bytes("\x93NUMPY", 6, DQ_ERR_TRUNCATED, "ends inside its header");
    refused_bytes("\x93NUMPY\1\0\x76", 9, DQ_ERR_TRUNCATED, "ends inside its header");
    refused_bytes("\x93NUMPY\1\0\x76\0{'descr'", 18, DQ_ERR_TRUNCATED, "ends inside its header");
    refused_bytes("\x93NUMPY\4\0\1\0\0\0{", 13, DQ_ERR_UNSUPPORTED, "version 4");
    refused_bytes("\x93NUMPY\2\0\xff\xff\xff\xff{", 13, DQ_ERR_FORMAT, "a header of 4294967295 bytes");
}

static void test_data_that_end_early_or_go_on(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_npy npy;
    float got[6];
    const char *dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }";
    dq_source *source = array(1, dict, numbers, sizeof numbers - 1);
    assert_int_equal(dq_npy_read_header(&npy, source, &e), DQ_OK);
    assert_int_equal(dq_npy_read_rows(&npy, source, got, 3, &e), DQ_ERR_TRUNCATED);
    assert_string_equal(e.reason, "the array ends after row 2 of 3");
    dq_source_close(source);
    source = array(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", numbers, sizeof numbers);
    assert_int_equal(dq_npy_read_header(&npy, source, &e), DQ_OK);
    assert_int_equal(dq_npy_read_rows(&npy, source, got, 2, &e), DQ_OK);
    assert_int_equal(dq_npy_read_end(&npy, source, &e), DQ_ERR_FORMAT);
    dq_source_close(source);
}

static void test_what_is_written_is_read(void **state)
{
    (void)state;
    static const dq_dtype all[] = {DQ_F2, DQ_F4, DQ_F8, DQ_I1, DQ_I2, DQ_I4,
                                   DQ_I8, DQ_U1, DQ_U2, DQ_U4, DQ_U8};
    char path[] = "/tmp/dq-test-npy-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    for (size_t t = 0; t < sizeof all / sizeof *all; t++) {
        const uint64_t shape[2] = {3, 1 + t};
        dq_error e = DQ_ERROR_NONE;
        dq_sink *sink;
        dq_source *source;
        dq_npy npy;
        unsigned dims = t % 2 ? 1 : 2;
        assert_int_equal(dq_sink_open(&sink, path, DQ_SINK_TEXT, &e), DQ_OK);
        assert_int_equal(dq_npy_write_header(sink, all[t], dims, shape, &e), DQ_OK);
        assert_int_equal(dq_sink_close(sink, &e), DQ_OK);
        assert_int_equal(dq_source_open(&source, path, &e), DQ_OK);
        assert_int_equal(dq_npy_read_header(&npy, source, &e), DQ_OK);
        assert_int_equal(npy.type, all[t]);
        assert_int_equal(npy.dims, dims);
        assert_int_equal(npy.shape[1], dims == 2 ? shape[1] : 1);
        dq_source_close(source);
    }
    (void)remove(path);
}

static void test_bfloat16_has_no_npy(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_sink *sink;
    const uint64_t shape[1] = {1};
    assert_int_equal(dq_sink_open(&sink, "/dev/null", DQ_SINK_TEXT, &e), DQ_OK);
    assert_int_equal(dq_npy_write_header(sink, DQ_BF16, 1, shape, &e), DQ_ERR_UNSUPPORTED);
    dq_sink_abort(sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions_and_forms),
        cmocka_unit_test(test_headers_that_are_refused),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_other_bytes),
        cmocka_unit_test(test_data_that_end_early_or_go_on),
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_bfloat16_has_no_npy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
