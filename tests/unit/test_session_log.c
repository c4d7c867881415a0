/* SPDX-License-Identifier: MIT */
#include "data/session_log.h"
#include "data/time.h"

#include "tables.h"

#include <math.h>

/* ---- a time ---- */

static dq_time time_of(const char *json)
{
    static dq_bundle b;
    dq_bundle_free(&b);
    b = table("interactions", 1);
    add_texts(&b, "attr.at", DQ_JSON, TEXTS(json));
    dq_time time = dq_time_of(dq_time_column(&b, "at"), 0);
    return time;
}

static int order(const char *a, const char *b)
{
    dq_time x = dq_time_parse(a, strlen(a)), y = dq_time_parse(b, strlen(b));
    assert_int_equal(dq_time_compare(&y, &x), -dq_time_compare(&x, &y));
    return dq_time_compare(&x, &y);
}

static void a_time_is_a_number_or_a_text(void **state)
{
    (void)state;
    assert_int_equal(time_of(NULL).form, DQ_TIME_NONE);
    assert_int_equal(time_of("null").form, DQ_TIME_NONE);
    assert_int_equal(dq_time_of(NULL, 0).form, DQ_TIME_NONE);
    dq_time t = time_of("-12.5");
    assert_true(t.form == DQ_TIME_NUMBER && t.number == -12.5 && t.bytes == 5);
    t = time_of("\"2026-01\"");
    assert_true(t.form == DQ_TIME_TEXT && t.bytes == 7 && memcmp(t.text, "2026-01", 7) == 0);
    assert_int_equal(time_of("\"12\"").form, DQ_TIME_TEXT); /* its quotes say so */
    assert_int_equal(time_of("true").form, DQ_TIME_OTHER);
    assert_int_equal(time_of("[1]").form, DQ_TIME_OTHER);
    assert_int_equal(time_of("12 o'clock").form, DQ_TIME_OTHER);
    assert_int_equal(time_of("").form, DQ_TIME_OTHER);
    assert_int_equal(dq_time_parse("12", 2).form, DQ_TIME_NUMBER);
    assert_int_equal(dq_time_parse("12", 1).number, 1);
    assert_int_equal(dq_time_parse("", 0).form, DQ_TIME_TEXT);
    assert_int_equal(dq_time_parse("1998-01", 7).form, DQ_TIME_TEXT);
}

static void numbers_by_value_texts_by_bytes(void **state)
{
    (void)state;
    assert_true(order("9", "10") < 0 && order("1e1", "10") == 0);
    assert_true(order("1998-03", "1998-03-01") < 0 && order("1998-03", "1998-03") == 0);
    assert_true(order("1998", "1998-03") < 0); /* a number and a text: by bytes */
    assert_true(order("", "1") < 0);
}

static void an_attribute_has_a_column(void **state)
{
    (void)state;
    dq_bundle b = table("interactions", 1);
    add_texts(&b, "attr.times", DQ_JSON, TEXTS("1"));
    add_texts(&b, "time", DQ_JSON, TEXTS("2"));
    add_texts(&b, "attr.time", DQ_JSON, TEXTS("3"));
    assert_ptr_equal(dq_time_column(&b, "time"), &b.columns[2]);
    assert_null(dq_time_column(&b, "tim"));
    dq_bundle_free(&b);
}

/* ---- a log ---- */

typedef struct history {
    dq_label_map map;
    dq_session_log log;
} history;

static void start(history *h)
{
    *h = (history){.log = {.map = &h->map, .time = "at"}};
    assert_int_equal(dq_label_map_parse(&h->map, "APPLY=1,CLICK=0.5", NULL), DQ_OK);
}

static void end(history *h)
{
    dq_session_log_free(&h->log);
    dq_label_map_free(&h->map);
}

static void add(history *h, uint64_t rows, const char *const *users, const char *const *items,
                const char *const *at)
{
    dq_bundle b = table("interactions", rows);
    add_texts(&b, "user", DQ_TEXT, users);
    add_texts(&b, "item", DQ_TEXT, items);
    if (at) add_texts(&b, "attr.at", DQ_JSON, at);
    assert_int_equal(dq_session_log_add(&h->log, &b, NULL), DQ_OK);
    dq_bundle_free(&b);
}

/* The items of one user's sorted events, one letter each. */
static const char *items_of(const history *h, const char *user)
{
    static char text[64];
    uint32_t number = dq_index_find(&h->log.users, user, strlen(user));
    size_t n = 0, bytes;
    for (size_t i = 0; i < h->log.count; i++)
        if (h->log.at[i].user == number) text[n++] = *dq_index_id(&h->log.items, h->log.at[i].item, &bytes);
    text[n] = '\0';
    return text;
}

static void events_are_in_the_order_of_time(void **state)
{
    (void)state;
    history h;
    start(&h);
    add(&h, 4, TEXTS("u", "v", "u", "u"), TEXTS("a", "b", "c", "d"), TEXTS("10", "1", "9", "10"));
    add(&h, 1, TEXTS("u"), TEXTS("e"), TEXTS("-1"));
    assert_int_equal(dq_session_log_sort(&h.log, NULL), DQ_OK);
    assert_string_equal(items_of(&h, "u"), "ecad"); /* equal times: as they came */
    assert_string_equal(items_of(&h, "v"), "b");
    end(&h);
    start(&h);
    add(&h, 3, TEXTS("u", "u", "u"), TEXTS("a", "b", "c"),
        TEXTS("\"2026-02\"", "\"2026-01-31\"", "\"2026\""));
    assert_int_equal(dq_session_log_sort(&h.log, NULL), DQ_OK);
    assert_string_equal(items_of(&h, "u"), "cba");
    end(&h);
    start(&h);
    add(&h, 2, TEXTS("u", "u"), TEXTS("b", "a"), NULL); /* no time: as they came */
    assert_int_equal(dq_session_log_sort(&h.log, NULL), DQ_OK);
    assert_string_equal(items_of(&h, "u"), "ba");
    end(&h);
}

static void times_of_two_forms_are_refused(void **state)
{
    (void)state;
    static const char *const second[] = {"\"2026\"", NULL};
    for (int i = 0; i < 2; i++) {
        history h;
        start(&h);
        add(&h, 2, TEXTS("u", "u"), TEXTS("a", "b"), TEXTS("1", second[i]));
        assert_int_equal(dq_session_log_sort(&h.log, NULL), DQ_ERR_SCHEMA);
        end(&h);
    }
    history h;
    start(&h);
    dq_bundle b = table("interactions", 1);
    add_texts(&b, "user", DQ_TEXT, TEXTS("u"));
    add_texts(&b, "item", DQ_TEXT, TEXTS("a"));
    add_texts(&b, "attr.at", DQ_JSON, TEXTS("[2026]"));
    assert_int_equal(dq_session_log_add(&h.log, &b, NULL), DQ_ERR_SCHEMA);
    dq_bundle_free(&b);
    end(&h);
}

static void a_log_by_rows_with_rewards(void **state)
{
    (void)state;
    static const float given[4] = {0.25F, 0, 0, 0};
    static const uint8_t none[4] = {0, 1, 1, 1};
    history h;
    start(&h);
    dq_bundle b = table("interactions", 4);
    add_texts(&b, "user", DQ_TEXT, TEXTS("u", "v", "w", "v"));
    add_texts(&b, "item", DQ_TEXT, TEXTS("a", "b", "a", "a"));
    add_texts(&b, "label", DQ_TEXT, TEXTS("APPLY", "APPLY", "CLICK", "SEEN"));
    add_numbers(&b, "reward", DQ_F4, given, NULL, none);
    assert_int_equal(dq_session_log_add(&h.log, &b, NULL), DQ_OK);
    dq_bundle_free(&b);
    assert_int_equal(dq_session_log_sort(&h.log, NULL), DQ_OK);
    /* Three rows: v is row 0, w is nobody, u is row 2; items a and b are rows 7 and 5. */
    const uint32_t user_row[] = {2, 0, DQ_ABSENT}, item_row[] = {7, 5};
    dq_session_rows rows = {0};
    assert_int_equal(dq_session_log_rows(&h.log, user_row, item_row, 3, &rows, NULL), DQ_OK);
    assert_true(rows.first[0] == 0 && rows.first[1] == 2 && rows.first[2] == 2 && rows.first[3] == 3);
    assert_true(rows.item[0] == 5 && rows.item[1] == 7 && rows.item[2] == 7);
    assert_true(rows.reward[0] == 1 && isnan(rows.reward[1])); /* by the map, and outside of it */
    assert_true(rows.reward[2] == 0.25F);                      /* given: counts more */
    dq_session_rows_free(&rows);
    end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_is_a_number_or_a_text),   cmocka_unit_test(numbers_by_value_texts_by_bytes),
        cmocka_unit_test(an_attribute_has_a_column),      cmocka_unit_test(events_are_in_the_order_of_time),
        cmocka_unit_test(times_of_two_forms_are_refused), cmocka_unit_test(a_log_by_rows_with_rewards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
