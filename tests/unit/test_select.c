/* SPDX-License-Identifier: MIT */
#include "data/select.h"

#include "tables.h"

#include <stdlib.h>

#define ONE(id)                                                                                              \
    {                                                                                                        \
        .ids = TEXTS(id), .count = 1                                                                         \
    }

/* One section: three users, interactions, two items, and transitions between them. */
enum { MODEL, USERS, INTERACTIONS, ITEMS, TRANSITIONS, BUNDLES };

static dq_bundle stream[BUNDLES];

static int make_stream(void **state)
{
    (void)state;
    static const float weights[3] = {1, 2, 3};
    static const uint32_t user[4] = {0, 1, 2, 1}, item[4] = {1, 0, 1, 1},
                          candidates[8] = {0, 1, 1, 0, 1, 1, 0, 0};
    const uint64_t pairs[2] = {4, 2}, three = 3;
    stream[MODEL] = table("model", 0);
    assert_int_equal(dq_bundle_add_tensor(&stream[MODEL], "w", DQ_F4, 1, &three, weights, NULL), DQ_OK);
    stream[USERS] = table("users", 3);
    add_texts(&stream[USERS], "id", DQ_TEXT, TEXTS("a", "b", "c"));
    stream[INTERACTIONS] = table("interactions", 4);
    add_texts(&stream[INTERACTIONS], "user", DQ_TEXT, TEXTS("a", "b", "b", "c"));
    add_texts(&stream[INTERACTIONS], "item", DQ_TEXT, TEXTS("x", "x", "y", "y"));
    add_texts(&stream[INTERACTIONS], "attr.day", DQ_JSON, TEXTS("9", "10", "100", NULL));
    add_texts(&stream[INTERACTIONS], "attr.time", DQ_JSON,
              TEXTS("\"1998-01\"", "\"1998-03\"", "null", "\"2001\""));
    stream[ITEMS] = table("items", 2);
    add_texts(&stream[ITEMS], "id", DQ_TEXT, TEXTS("x", "y"));
    stream[TRANSITIONS] = table("transitions", 4);
    add_numbers(&stream[TRANSITIONS], "user", DQ_U4, user, "users", NULL);
    add_numbers(&stream[TRANSITIONS], "item", DQ_U4, item, "items", NULL);
    assert_int_equal(
        dq_bundle_add_tensor(&stream[TRANSITIONS], "candidates", DQ_U4, 2, pairs, candidates, NULL), DQ_OK);
    stream[TRANSITIONS].columns[2].ref = "items";
    return 0;
}

static int free_stream(void **state)
{
    (void)state;
    for (int i = 0; i < BUNDLES; i++) dq_bundle_free(&stream[i]);
    return 0;
}

/* The rows chosen of a bundle, as digits. */
static const char *rows_of(dq_selection *s, int bundle, uint64_t section)
{
    static char text[TABLE_ROWS + 1];
    assert_int_equal(dq_select_rows(s, &stream[bundle], section, NULL), DQ_OK);
    for (size_t i = 0; i < s->count; i++) text[i] = (char)('0' + s->rows[i]);
    text[s->count] = '\0';
    return text;
}

/* Those of all bundles of a section, separated by spaces; ends where nothing more can come. */
static const char *all_rows(dq_selection *s)
{
    static char text[64];
    text[0] = '\0';
    for (int i = 0; i < BUNDLES && !dq_select_done(s); i++) {
        if (i) strcat(text, " ");
        strcat(text, rows_of(s, i, 0));
    }
    return text;
}

static void everything(void **state)
{
    (void)state;
    dq_selection s = {0};
    assert_string_equal(all_rows(&s), "0 012 0123 01 0123");
    assert_true(s.whole);
    assert_false(dq_select_done(&s));
    assert_int_equal(dq_select_found(&s, NULL), DQ_OK);
    dq_select_free(&s);
}

static void models_by_what_they_were_kept_as(void **state)
{
    (void)state;
    dq_bundle *model = &stream[MODEL];
    dq_error e = DQ_ERROR_NONE;
    dq_selection s = {.kept_as = "last"};
    assert_string_equal(all_rows(&s), " 012 0123 01 0123"); /* what says nothing of it is left out */
    assert_int_equal(dq_select_found(&s, &e), DQ_ERR_UNKNOWN);
    assert_string_equal(e.reason, "no model that was kept as the last (dq-train --keep both)");
    dq_select_free(&s);
    assert_true(dq_map_set(&model->arena, &model->meta, "kept", dq_string(&model->arena, "last")));
    s = (dq_selection){.kept_as = "last"};
    assert_string_equal(all_rows(&s), "0 012 0123 01 0123");
    assert_int_equal(dq_select_found(&s, NULL), DQ_OK);
    dq_select_free(&s);
    s = (dq_selection){.kept_as = "best", .kinds = TEXTS("model"), .kind_count = 1};
    assert_string_equal(all_rows(&s), "    ");
    dq_select_free(&s);
}

static void by_kind_and_number(void **state)
{
    (void)state;
    dq_selection s = {.kinds = TEXTS("items", "users"), .kind_count = 2};
    assert_string_equal(all_rows(&s), " 012  01 ");
    assert_true(s.count == 0 && !s.whole);
    dq_select_free(&s);
    s = (dq_selection){.kinds = TEXTS("interactions"), .kind_count = 1, .by_row = true, .row = 2};
    assert_string_equal(all_rows(&s), "  2"); /* and is done */
    dq_select_free(&s);
    s = (dq_selection){.kinds = TEXTS("items"), .kind_count = 1, .by_row = true, .row = 2};
    dq_error e = DQ_ERROR_NONE;
    assert_string_equal(all_rows(&s), "    ");
    assert_int_equal(dq_select_found(&s, &e), DQ_ERR_UNKNOWN);
    assert_string_equal(e.reason, "no row 2: there are 2");
    dq_select_free(&s);
    s = (dq_selection){.by_head = true, .head = 3};
    assert_string_equal(all_rows(&s), "0 01");
    dq_select_free(&s);
    s = (dq_selection){.by_head = true};
    assert_true(dq_select_done(&s));
}

/* What is asked for and is not there is told at the end of the stream, not before it. */
static void what_is_not_there(void **state)
{
    (void)state;
    static const struct {
        const char *kinds[2], *user, *item, *reason;
    } cases[] = {
        {{"items", "nouns"}, NULL, NULL, "no nouns in the stream; dq-cat --count says what is there"},
        {{"users", "items"}, "nobody", NULL, "no user nobody"},
        {{"interactions", "items"}, NULL, "nothing", "no item nothing"},
        {{"users", "items"}, "b", "nothing", "no item nothing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dq_error e = DQ_ERROR_NONE;
        dq_selection s = {.kinds = cases[i].kinds,
                          .kind_count = 2,
                          .user = {.ids = &cases[i].user, .count = cases[i].user != NULL},
                          .item = {.ids = &cases[i].item, .count = cases[i].item != NULL}};
        (void)all_rows(&s);
        assert_int_equal(dq_select_found(&s, &e), DQ_ERR_UNKNOWN);
        assert_string_equal(e.reason, cases[i].reason);
        dq_select_free(&s);
        s = (dq_selection){.kinds = cases[i].kinds, .kind_count = 2, .by_head = true};
        assert_int_equal(dq_select_found(&s, NULL), DQ_OK);
        dq_select_free(&s);
    }
    dq_selection s = {.kinds = TEXTS("interactions"), .kind_count = 1, .no_ids = true};
    assert_string_equal(all_rows(&s), "  0123  ");
    assert_int_equal(s.entities[DQ_USERS].ids.count, 0);
    dq_select_free(&s);
}

static void by_id(void **state)
{
    (void)state;
    dq_selection s = {.user = ONE("b")};
    assert_string_equal(all_rows(&s), " 1"); /* one row: found, done */
    dq_select_free(&s);
    s = (dq_selection){
        .user = ONE("b"), .kinds = TEXTS("users", "interactions", "transitions"), .kind_count = 3};
    assert_string_equal(all_rows(&s), " 1 12  13");
    dq_select_free(&s);
    s = (dq_selection){
        .user = ONE("b"), .item = ONE("y"), .kinds = TEXTS("interactions", "transitions"), .kind_count = 2};
    assert_string_equal(all_rows(&s), "  2  3");
    dq_select_free(&s);
    s = (dq_selection){.user = {.ids = TEXTS("b", "a", "b"), .count = 3}};
    assert_string_equal(all_rows(&s), " 01   "); /* said twice: it is looked for to the end */
    assert_int_equal(dq_select_found(&s, NULL), DQ_OK);
    dq_select_free(&s);
    s = (dq_selection){.user = {.ids = TEXTS("b", "a"), .count = 2}};
    assert_string_equal(all_rows(&s), " 01"); /* both found: done */
    dq_select_free(&s);
    s = (dq_selection){.user = {.ids = TEXTS("b", "nobody"), .count = 2}};
    (void)all_rows(&s);
    assert_int_equal(dq_select_found(&s, NULL), DQ_ERR_UNKNOWN);
    dq_select_free(&s);
    s = (dq_selection){.user = ONE("b"), .item = ONE("y")}; /* both entities */
    assert_string_equal(all_rows(&s), " 1  1 ");
    dq_select_free(&s);
    dq_error e = DQ_ERROR_NONE;
    s = (dq_selection){.item = ONE("z")};
    assert_string_equal(all_rows(&s), "    ");
    assert_int_equal(dq_select_found(&s, &e), DQ_ERR_UNKNOWN);
    assert_string_equal(e.reason, "no item z");
    dq_select_free(&s);
}

static void by_time(void **state)
{
    (void)state;
    dq_selection s = {.since = dq_time_parse("10", 2), .time = "day"};
    assert_string_equal(rows_of(&s, INTERACTIONS, 0), "12"); /* by value, and none without a time */
    assert_string_equal(rows_of(&s, ITEMS, 0), "01");        /* has none, wants none */
    dq_select_free(&s);
    s = (dq_selection){.before = dq_time_parse("10", 2), .time = "day"};
    assert_string_equal(rows_of(&s, INTERACTIONS, 0), "0");
    dq_select_free(&s);
    s = (dq_selection){
        .since = dq_time_parse("1998-02", 7), .before = dq_time_parse("2001", 4), .time = "time"};
    assert_string_equal(rows_of(&s, INTERACTIONS, 0), "1");
    dq_select_free(&s);
    dq_error e = DQ_ERROR_NONE;
    s = (dq_selection){.since = dq_time_parse("1", 1), .time = "hour"};
    assert_int_equal(dq_select_rows(&s, &stream[INTERACTIONS], 0, &e), DQ_ERR_UNKNOWN);
    assert_non_null(strstr(e.reason, "'hour'"));
    dq_select_free(&s);
}

/* User b alone: its transitions count it as row 0, and keep the items' numbers. */
static void references_are_counted_anew(void **state)
{
    (void)state;
    dq_bundle to;
    dq_selection s = {
        .user = ONE("b"), .renumber = true, .kinds = TEXTS("users", "items", "transitions"), .kind_count = 3};
    assert_string_equal(rows_of(&s, USERS, 0), "1");
    assert_string_equal(rows_of(&s, ITEMS, 0), "01");
    assert_string_equal(rows_of(&s, TRANSITIONS, 0), "13");
    assert_int_equal(dq_select_copy(&s, &stream[TRANSITIONS], &to, NULL), DQ_OK);
    assert_int_equal(to.rows, 2);
    const uint32_t *user = to.columns[0].data, *item = to.columns[1].data, *candidates = to.columns[2].data;
    assert_true(user[0] == 0 && user[1] == 0 && item[0] == 0 && item[1] == 1);
    assert_true(candidates[0] == 1 && candidates[1] == 0 && candidates[2] == 0 && candidates[3] == 0);
    dq_bundle_free(&to);
    /* The same without a stream to make: numbers stay. */
    s.renumber = false;
    assert_int_equal(dq_select_copy(&s, &stream[TRANSITIONS], &to, NULL), DQ_OK);
    user = to.columns[0].data;
    assert_true(user[0] == 1 && user[1] == 1);
    dq_bundle_free(&to);
    dq_select_free(&s);
}

/* Item y alone: of the transitions those go whose item or whose candidates lack it; the last stays. */
static void rows_without_their_target_are_left_out(void **state)
{
    (void)state;
    dq_selection s = {
        .item = ONE("y"), .renumber = true, .kinds = TEXTS("users", "items", "transitions"), .kind_count = 3};
    assert_string_equal(rows_of(&s, USERS, 0), "012");
    assert_string_equal(rows_of(&s, ITEMS, 0), "1");
    assert_string_equal(rows_of(&s, TRANSITIONS, 0), "2");
    dq_select_free(&s);
    dq_error e = DQ_ERROR_NONE;
    s = (dq_selection){.renumber = true, .kinds = TEXTS("users", "transitions"), .kind_count = 2};
    assert_string_equal(rows_of(&s, USERS, 0), "012");
    assert_string_equal(rows_of(&s, ITEMS, 0), "");
    assert_int_equal(dq_select_rows(&s, &stream[TRANSITIONS], 0, &e), DQ_ERR_RANGE);
    assert_string_equal(e.reason, "transitions refer to items, which are not selected");
    dq_select_free(&s);
}

/* A reference counts rows of its own section, and of all its bundles. */
static void each_section_has_its_own_rows(void **state)
{
    (void)state;
    size_t n;
    dq_selection s = {
        .user = ONE("c"), .kinds = TEXTS("users", "transitions"), .kind_count = 2, .renumber = false};
    assert_string_equal(rows_of(&s, USERS, 0), "2");
    assert_string_equal(rows_of(&s, USERS, 1), "2");
    assert_string_equal(rows_of(&s, TRANSITIONS, 1), "2");
    assert_string_equal(rows_of(&s, USERS, 1), "2"); /* three more: rows 3, 4, 5 */
    const uint32_t five = 5;
    dq_bundle last = table("transitions", 1);
    add_numbers(&last, "user", DQ_U4, &five, "users", NULL);
    add_numbers(&last, "step", DQ_U4, &five, NULL, NULL);
    assert_memory_equal(dq_select_id(&s, &last.columns[0], 0, &n), "c", 1);
    assert_null(dq_select_id(&s, &last.columns[1], 0, &n));
    dq_bundle_free(&last);
    dq_select_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything),
        cmocka_unit_test(by_kind_and_number),
        cmocka_unit_test(what_is_not_there),
        cmocka_unit_test(by_id),
        cmocka_unit_test(models_by_what_they_were_kept_as),
        cmocka_unit_test(by_time),
        cmocka_unit_test(references_are_counted_anew),
        cmocka_unit_test(rows_without_their_target_are_left_out),
        cmocka_unit_test(each_section_has_its_own_rows),
    };
    return cmocka_run_group_tests(tests, make_stream, free_stream);
}
