/* SPDX-License-Identifier: MIT
 *
 * Vectors as NumPy, PyTorch, pgvector, PostgreSQL and people write them; NumPy's own prints are in
 * tests/cli/values.bats.
 */
#include "port/files/vector_text.h"

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

static void reads(const char *text, size_t n, const float *numbers)
{
    dq_error e = DQ_ERROR_NONE;
    dq_value v;
    if (dq_vector_text_read(text, strlen(text), &arena, &v, &e)) fail_msg("%s: %s", text, e.reason);
    assert_int_equal(v.type, DQ_FLOATS);
    if (v.count != n) fail_msg("%s: %u numbers", text, v.count);
    for (size_t i = 0; i < n; i++)
        if (v.as.floats[i] != numbers[i]) fail_msg("%s: number %zu is %g", text, i, (double)v.as.floats[i]);
}

static void test_forms(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[0.5  0.25 -1.  ]",
        "[ 5.0e-01  2.5e-01 -1.0e+00]",
        "[0.5\n 0.25\n -1]",
        "[0.5,0.25,-1]",
        "[0.5, 0.25, -1]",
        "[0.5, 0.25, -1, ]",
        "{0.5,0.25,-1}",
        "(0.5, 0.25, -1)",
        "0.5 0.25 -1",
        "  0.5,0.25,-1  ",
        ".5;.25;-1",
        "0.5\t0.25\t-1",
        "[[0.5 0.25 -1]]",
        "[[0.5, 0.25, -1]]",
        "array([0.5 , 0.25, -1.  ], dtype=float32)",
        "array([0.5, 0.25, -1])",
        "np.array([[0.5, 0.25, -1]])",
        "[np.float32(0.5), np.float32(0.25), np.float32(-1.0)]",
        "+0.5 +0.25 -1",
    };
    static const float numbers[] = {0.5F, 0.25F, -1};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) reads(texts[i], 3, numbers);
    reads("[7]", 1, (const float[]){7});
    reads("(7,)", 1, (const float[]){7});
    reads("7", 1, (const float[]){7});
    reads("[]", 0, NULL);
    reads("", 0, NULL);
    reads("  ", 0, NULL);
    reads("[1e39 -1e39]", 2, (const float[]){INFINITY, -INFINITY});
    reads("[inf -inf]", 2, (const float[]){INFINITY, -INFINITY});
    reads("[0.1 16777217]", 2, (const float[]){0.1F, 16777216});
    dq_error e = DQ_ERROR_NONE;
    dq_value v;
    assert_int_equal(dq_vector_text_read("[nan 1.]", 8, &arena, &v, &e), DQ_OK);
    assert_true(isnan(v.as.floats[0]) && v.as.floats[1] == 1);
}

static void refused(const char *text, const char *words)
{
    dq_error e = DQ_ERROR_NONE;
    dq_value v;
    if (dq_vector_text_read(text, strlen(text), &arena, &v, &e) != DQ_ERR_FORMAT)
        fail_msg("%s is read", text);
    if (!strstr(e.reason, words)) fail_msg("%s: '%s' lacks '%s'", text, e.reason, words);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    refused("[0.5 0.25 ... 0.1 0.2]", "save .npy, or .tolist()");
    refused("[0.5, 0.25, \xe2\x80\xa6, 0.2]", "save .npy, or .tolist()");
    refused("tensor([0.5000, 0.2500])", "PyTorch's print");
    refused("0,5 0,25 1,0", "parted in two ways");
    refused("0,5; 0,25", "parted in two ways");
    refused("1, 2 3", "parted in two ways");
    refused("[[1 2]\n [3 4]]", "several rows");
    refused("[1, [2, 3]]", "several rows");
    refused("[1, 2", "was it cut?");
    refused("[1, 2)", "was it cut?");
    refused("[", "was it cut?");
    refused("{1,2", "was it cut?");
    refused("1 2]", "several rows");
    refused("a b c", "'a b c' is no number");
    refused("[1, two, 3]", "'two, 3' is no number");
    refused("[0x10 2]", "'0x10 2' is no number");
    refused("[1,,2]", "',2' is no number");
    refused("[,1]", "',1' is no number");
    refused("1-2", "'1-2' is no number");
    refused("[1.5.2 3]", "'1.5.2 3' is no number");
    refused("np.float32(1", "is no number");
    refused("nan(1) 2", "'nan(1) 2' is no number");
    refused("[True False]", "'True False' is no number");
    refused("[None, 1]", "'None, 1' is no number");
    refused("fA3lsUovTTaeEVLwqGsx1A==", "is no number");
    refused("[1.+2.j 3.+0.j]", "is no number");
}

/* Cut at any byte, a text gives fewer numbers, a last one with fewer digits, or is refused; nothing behind
 * its end is looked at. */
static void test_cut(void **state)
{
    (void)state;
    const char *text = "[np.float64(0.125), 2.5e-1, -1]";
    for (size_t n = 0; n < strlen(text); n++) {
        dq_error e = DQ_ERROR_NONE;
        dq_value v = dq_nil();
        char *cut = dq_arena_text(&arena, text, n);
        dq_status status = dq_vector_text_read(cut, n, &arena, &v, &e);
        assert_int_equal(status, n ? DQ_ERR_FORMAT : DQ_OK);
    }
    dq_error e = DQ_ERROR_NONE;
    dq_value v;
    assert_int_equal(dq_vector_text_read("[1 2]0", 5, &arena, &v, &e), DQ_OK);
    assert_int_equal(dq_vector_text_read("1 23", 3, &arena, &v, &e), DQ_ERR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_forms, forget),
        cmocka_unit_test_teardown(test_what_is_refused, forget),
        cmocka_unit_test_teardown(test_cut, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
