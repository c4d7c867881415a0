/* SPDX-License-Identifier: MIT */
#include "inspect/arrays.h"
#include "inspect/check.h"
#include "inspect/count.h"
#include "inspect/join.h"
#include "inspect/lineage.h"
#include "inspect/outline.h"

#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static memory in_memory, out_memory;
static dq_error ignored;

static void put_ids(dq_writer *w, const char *kind, uint64_t count, const char *const *ids, uint64_t width)
{
    static const float numbers[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    dq_bundle b = table(kind, count);
    add_texts(&b, "id", DQ_TEXT, ids);
    if (width) add_vectors(&b, DQ_F4, width, numbers);
    put(w, b);
}

static void put_interaction(dq_writer *w, const char *user, const char *item, const char *json)
{
    dq_bundle b = table("interactions", 1);
    add_texts(&b, "user", DQ_TEXT, &user);
    add_texts(&b, "item", DQ_TEXT, &item);
    add_texts(&b, "attr.x", DQ_JSON, &json);
    put(w, b);
}

static void put_model(dq_writer *w)
{
    static const float weight[1] = {1};
    const uint64_t one = 1;
    dq_bundle b = table("model", 0);
    assert_int_equal(dq_bundle_add_tensor(&b, "w", DQ_F4, 1, &one, weight, NULL), DQ_OK);
    put(w, b);
}

static void add_rows(void *rows, uint64_t n)
{
    *(uint64_t *)rows += n;
}

/* Checks the stream that `w` has written; the reason goes to e. */
static dq_status check(dq_writer *w, uint64_t *rows, dq_error *e)
{
    const dq_watch watch = {add_rows, rows};
    assert_int_equal(dq_writer_close(w, NULL), DQ_OK);
    dq_reader *in = open_reader(&in_memory);
    dq_status status = dq_check_stream(in, &watch, e);
    dq_reader_close(in);
    return status;
}

static void a_sound_stream_passes(void **state)
{
    (void)state;
    uint64_t rows = 0;
    dq_writer *w = open_writer(&in_memory);
    put_ids(w, "users", 2, TEXTS("a", "b"), 2);
    put_interaction(w, "a", "x", "[1]");
    put_ids(w, "items", 1, TEXTS("x"), 2);
    assert_int_equal(check(w, &rows, &ignored), DQ_OK);
    assert_int_equal(rows, 4);
}

static void interactions_name_those_who_are_there(void **state)
{
    (void)state;
    uint64_t rows = 0;
    dq_error e = DQ_ERROR_NONE;
    dq_writer *w = open_writer(&in_memory);
    put_interaction(w, "a", "y", "1");
    put_ids(w, "items", 1, TEXTS("x"), 0);
    assert_int_equal(check(w, &rows, &e), DQ_ERR_UNKNOWN);
    assert_string_equal(e.reason, "interactions: no item y"); /* users: there are none, so any will do */
}

static void vectors_have_one_width(void **state)
{
    (void)state;
    uint64_t rows = 0;
    dq_error e = DQ_ERROR_NONE;
    dq_writer *w = open_writer(&in_memory);
    put_ids(w, "items", 1, TEXTS("x"), 2);
    assert_int_equal(dq_writer_next_section(w, NULL), DQ_OK);
    put_ids(w, "items", 1, TEXTS("y"), 3);
    assert_int_equal(check(w, &rows, &e), DQ_ERR_SCHEMA);
    assert_string_equal(e.reason, "items: vectors of width 3 after vectors of width 2");
    assert_string_equal(e.source, "memory");
}

static void json_is_json(void **state)
{
    (void)state;
    uint64_t rows = 0;
    dq_writer *w = open_writer(&in_memory);
    put_interaction(w, "a", "x", "{");
    assert_int_equal(check(w, &rows, &ignored), DQ_ERR_FORMAT);
}

/* Two sections with a model each: rows by their ends, models as they pass. */
static void write_two_sections(void)
{
    dq_writer *w = open_writer(&in_memory);
    put_model(w);
    put_ids(w, "users", 2, TEXTS("a", "b"), 0);
    put_ids(w, "items", 1, TEXTS("x"), 0);
    assert_int_equal(dq_writer_next_section(w, NULL), DQ_OK);
    put_model(w);
    put_ids(w, "users", 2, TEXTS("b", "c"), 0);
    assert_int_equal(dq_writer_close(w, NULL), DQ_OK);
}

static dq_status count_next(void *counts, dq_bundle *bundle, uint64_t section, dq_error *error)
{
    (void)section;
    return dq_counts_add(counts, bundle->kind, dq_select_is_table(bundle) ? bundle->rows : 1, error);
}

static void assert_counts(memory *of, const char *want)
{
    dq_reader *in = open_reader(of);
    static memory text;
    dq_sink *out = open_sink(&text);
    dq_counts counts = {0};
    assert_int_equal(dq_each_bundle(in, count_next, &counts, NULL, &ignored), DQ_OK);
    assert_int_equal(dq_counts_write(&counts, out, NULL), DQ_OK);
    assert_int_equal(dq_sink_close(out, NULL), DQ_OK);
    assert_string_equal(text.data, want);
    dq_counts_free(&counts);
    dq_reader_close(in);
}

static void counts_are_summed_over_sections(void **state)
{
    (void)state;
    write_two_sections();
    assert_counts(&in_memory, "model\t2\nusers\t4\nitems\t1\n");
}

/* Rows of several bundles are in one line, but where the width is another. */
static void an_outline_has_a_line_a_column(void **state)
{
    (void)state;
    static memory text;
    dq_outline outline = {0};
    dq_selection s = {.kinds = TEXTS("users"), .kind_count = 1};
    static const uint64_t widths[] = {1, 1, 2, 3};
    for (size_t i = 0; i < 4; i++) {
        dq_bundle b = table("users", 1);
        static const float numbers[3] = {0.5F, 2, 3};
        add_texts(&b, "id", DQ_TEXT, TEXTS("a"));
        add_vectors(&b, DQ_F4, widths[i], numbers);
        assert_int_equal(dq_select_rows(&s, &b, 0, NULL), DQ_OK);
        assert_int_equal(dq_outline_add(&outline, &b, &s, NULL), DQ_OK);
        dq_bundle_free(&b);
    }
    dq_bundle items = table("items", 1);
    add_texts(&items, "id", DQ_TEXT, TEXTS("x"));
    assert_int_equal(dq_select_rows(&s, &items, 0, NULL), DQ_OK);
    assert_int_equal(dq_outline_add(&outline, &items, &s, NULL), DQ_OK);
    dq_bundle_free(&items);
    dq_sink *out = open_sink(&text);
    assert_int_equal(dq_outline_write(&outline, out, NULL), DQ_OK);
    assert_int_equal(dq_sink_close(out, NULL), DQ_OK);
    assert_string_equal(text.data, "kind   column  type  width  rows  nulls  holds             example\n"
                                   "users  id      text  1      4     0      texts of 1 bytes  a\n"
                                   "users  vector  f4    1      2     0      0.5               0.5\n"
                                   "users  vector  f4    2      1     0      0.5 to 2          0.5,2\n"
                                   "users  vector  f4    3      1     0      0.5 to 3          0.5,2,3\n");
    dq_outline_free(&outline);
    dq_select_free(&s);
}

static void an_outline_rounds_no_whole_number(void **state)
{
    (void)state;
    static memory text;
    static const uint32_t positions[] = {1234567, UINT32_MAX};
    static const int64_t numbers[] = {-9007199254740991, 9007199254740991};
    dq_outline outline = {0};
    dq_selection s = {0};
    dq_bundle b = table("interactions", 2);
    add_texts(&b, "user", DQ_TEXT, TEXTS("a", "b"));
    assert_int_equal(dq_bundle_add_numbers(&b, "position", DQ_U4, positions, NULL, NULL, NULL), DQ_OK);
    assert_int_equal(dq_bundle_add_numbers(&b, "number", DQ_I8, numbers, NULL, NULL, NULL), DQ_OK);
    assert_int_equal(dq_select_rows(&s, &b, 0, NULL), DQ_OK);
    assert_int_equal(dq_outline_add(&outline, &b, &s, NULL), DQ_OK);
    dq_sink *out = open_sink(&text);
    assert_int_equal(dq_outline_write(&outline, out, NULL), DQ_OK);
    assert_int_equal(dq_sink_close(out, NULL), DQ_OK);
    assert_non_null(strstr(text.data, "  1234567 to 4294967295 "));
    assert_non_null(strstr(text.data, "  1234567\n"));
    assert_non_null(strstr(text.data, "  -9007199254740991 to 9007199254740991  -9007199254740991\n"));
    dq_bundle_free(&b);
    dq_outline_free(&outline);
    dq_select_free(&s);
}

static void lineage_is_a_tree_a_section(void **state)
{
    (void)state;
    write_two_sections();
    dq_reader *in = open_reader(&in_memory);
    dq_sink *out = open_sink(&out_memory);
    assert_int_equal(dq_lineage_write(in, out, NULL, &ignored), DQ_OK);
    assert_int_equal(dq_sink_close(out, NULL), DQ_OK);
    dq_reader_close(in);
    const char *second = strchr(out_memory.data, '\n');
    assert_non_null(second);
    assert_non_null(strstr(out_memory.data, " model=1 users=2 items=1\n  test 1 seed=7\nsection "));
    assert_non_null(strstr(second, " model=1 users=2\n  test 1 seed=7\n"));
}

static void joined_sections_have_each_user_once(void **state)
{
    (void)state;
    write_two_sections();
    dq_reader *in = open_reader(&in_memory);
    dq_writer *out = open_writer(&out_memory);
    assert_int_equal(dq_join_sections(in, out, NULL, &ignored), DQ_OK);
    assert_int_equal(dq_writer_close(out, NULL), DQ_OK);
    dq_reader_close(in);
    assert_counts(&out_memory, "model\t2\nusers\t3\nitems\t1\n");
}

static dq_status take_row(void *arg, dq_bundle *bundle, dq_error *error)
{
    float *got = arg;
    (void)error;
    size_t n;
    assert_int_equal(bundle->rows, 2);
    const char *id = dq_column_text(dq_bundle_column(bundle, "id"), 1, &n);
    assert_true(n == 1 && *id == 'b');
    memcpy(got, dq_bundle_column(bundle, "vector")->data, 4 * sizeof *got);
    return DQ_OK;
}

static void arrays_go_to_npy_and_back(void **state)
{
    (void)state;
    char folder[] = "/tmp/dq-inspect-XXXXXX", array[64], ids[64];
    static const float numbers[4] = {1, 2, 3, 4};
    float got[4] = {0};
    dq_arrays a = {0};
    dq_sink *out;
    dq_error e = DQ_ERROR_NONE;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(array, sizeof array, "%s/a.npy", folder);
    (void)snprintf(ids, sizeof ids, "%s/a.ids", folder);
    dq_bundle b = table("items", 2), other = table("users", 1);
    add_texts(&b, "id", DQ_TEXT, TEXTS("a", "b"));
    add_vectors(&b, DQ_F4, 2, numbers);
    add_texts(&other, "id", DQ_TEXT, TEXTS("u"));
    add_vectors(&other, DQ_F4, 2, numbers);
    assert_int_equal(dq_arrays_add(&a, &b, NULL), DQ_OK);
    assert_int_equal(dq_arrays_add(&a, &other, &e), DQ_ERR_UNSUPPORTED);
    assert_int_equal(dq_sink_open(&out, array, DQ_SINK_TEXT, NULL), DQ_OK);
    assert_int_equal(dq_arrays_write(&a, out, ids, NULL), DQ_OK);
    assert_int_equal(dq_sink_close(out, NULL), DQ_OK);
    assert_int_equal(dq_arrays_read_npy(array, ids, "items", take_row, got, NULL), DQ_OK);
    assert_memory_equal(got, numbers, sizeof numbers);
    assert_int_equal(dq_sink_open(&out, ids, DQ_SINK_TEXT, NULL), DQ_OK);
    assert_int_equal(dq_sink_write(out, "a\n", 2, NULL), DQ_OK);
    assert_int_equal(dq_sink_close(out, NULL), DQ_OK);
    assert_int_equal(dq_arrays_read_npy(array, ids, "items", take_row, got, &e), DQ_ERR_RANGE);
    assert_string_equal(e.reason, "1 ids for 2 vectors");
    dq_bundle_free(&b);
    dq_bundle_free(&other);
    dq_arrays_free(&a);
    (void)unlink(array);
    (void)unlink(ids);
    (void)rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_stream_passes),
        cmocka_unit_test(interactions_name_those_who_are_there),
        cmocka_unit_test(vectors_have_one_width),
        cmocka_unit_test(json_is_json),
        cmocka_unit_test(counts_are_summed_over_sections),
        cmocka_unit_test(an_outline_has_a_line_a_column),
        cmocka_unit_test(an_outline_rounds_no_whole_number),
        cmocka_unit_test(lineage_is_a_tree_a_section),
        cmocka_unit_test(joined_sections_have_each_user_once),
        cmocka_unit_test(arrays_go_to_npy_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
