/* SPDX-License-Identifier: MIT */
#include "data/session_log.h"

#include "tables.h"

#include <math.h>

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
        TEXTS("\"2026-02\"", "1769817600000", "\"2026\"")); /* 2026-01-31, and beside dates a year */
    assert_int_equal(dq_session_log_sort(&h.log, NULL), DQ_OK);
    assert_string_equal(items_of(&h, "u"), "cba");
    end(&h);
    start(&h);
    add(&h, 2, TEXTS("u", "u"), TEXTS("b", "a"), NULL); /* no time: as they came */
    assert_int_equal(dq_session_log_sort(&h.log, NULL), DQ_OK);
    assert_string_equal(items_of(&h, "u"), "ba");
    end(&h);
}

static void an_order_that_is_not_known_is_refused(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    history h;
    start(&h);
    add(&h, 3, TEXTS("u", "u", "u"), TEXTS("a", "b", "c"), TEXTS("1", NULL, "2"));
    assert_int_equal(dq_session_log_sort(&h.log, &e), DQ_ERR_SCHEMA);
    assert_non_null(strstr(e.reason, "1 of 3 interactions have no attribute 'at'"));
    end(&h);
    static const char *const none[] = {"[2026]", "\"11/9/2019 8:00:00 AM\"", "\"\"", "true"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        start(&h);
        dq_bundle b = table("interactions", 2);
        add_texts(&b, "user", DQ_TEXT, TEXTS("u", "v"));
        add_texts(&b, "item", DQ_TEXT, TEXTS("a", "b"));
        add_texts(&b, "attr.at", DQ_JSON, TEXTS("1", none[i]));
        assert_int_equal(dq_session_log_add(&h.log, &b, &e), DQ_ERR_SCHEMA);
        assert_non_null(strstr(e.reason, "user v, item b"));
        dq_bundle_free(&b);
        end(&h);
    }
    start(&h);
    add(&h, 2, TEXTS("u", "u"), TEXTS("a", "b"), TEXTS("\"2026-01-01\"", "7"));
    assert_int_equal(dq_session_log_sort(&h.log, &e), DQ_ERR_SCHEMA);
    assert_non_null(strstr(e.reason, "1 are numbers too small"));
    end(&h);
    start(&h);
    h.log.seconds = true;
    add(&h, 1, TEXTS("u"), TEXTS("a"), NULL);
    assert_int_equal(dq_session_log_sort(&h.log, NULL), DQ_ERR_SCHEMA);
    end(&h);
}

static const char *order_of(history *h)
{
    static char words[400];
    assert_int_equal(dq_session_log_sort(&h->log, NULL), DQ_OK);
    bool some = dq_session_log_describe_order(&h->log, words, sizeof words);
    assert_int_equal(some, *words != '\0');
    return words;
}

static void what_the_order_is_taken_from_is_said(void **state)
{
    (void)state;
    history h;
    start(&h);
    add(&h, 2, TEXTS("u", "u"), TEXTS("a", "b"), TEXTS("\"2026-01-02\"", "\"2026-01-01\""));
    assert_string_equal(order_of(&h), "");
    end(&h);
    start(&h);
    add(&h, 2, TEXTS("u", "v"), TEXTS("a", "b"), NULL); /* nothing to order */
    assert_string_equal(order_of(&h), "");
    end(&h);
    start(&h);
    dq_bundle b = table("interactions", 2);
    add_texts(&b, "user", DQ_TEXT, TEXTS("u", "u"));
    add_texts(&b, "item", DQ_TEXT, TEXTS("a", "b"));
    add_texts(&b, "attr.timestamp", DQ_JSON, TEXTS("1573587064", "1573587063"));
    assert_int_equal(dq_session_log_add(&h.log, &b, NULL), DQ_OK);
    dq_bundle_free(&b);
    assert_string_equal(order_of(&h),
                        "the interactions have no attribute 'at': the order of the stream is taken "
                        "for that of time; they have a 'timestamp', which reads as one");
    end(&h);
    start(&h);
    add(&h, 4, TEXTS("u", "u", "u", "v"), TEXTS("a", "b", "c", "d"), TEXTS("7", "8", "7", "7"));
    assert_string_equal(order_of(&h),
                        "the times 'at' are taken as seconds since 1970 (the first is "
                        "1970-01-01T00:00:07Z); 25 % of the interactions have the time of their user's "
                        "one before: these stay in the order of the stream");
    assert_string_equal(items_of(&h, "u"), "acb");
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

/* ---- an attribute ---- */

/* Five events of one user, as a catalogue of one bundle; asked: the JSON of an attribute, or NULL. */
static void catalogue_of(dq_catalogue *c, history *h, const char *const *asked, const char *const *labels)
{
    bool taken;
    dq_bundle b = table("interactions", 5);
    add_texts(&b, "user", DQ_TEXT, TEXTS("u", "u", "u", "u", "u"));
    add_texts(&b, "item", DQ_TEXT, TEXTS("a", "b", "c", "d", "e"));
    add_texts(&b, "label", DQ_TEXT, labels);
    if (asked) add_texts(&b, "attr.asked", DQ_JSON, asked);
    assert_int_equal(dq_session_log_add(&h->log, &b, NULL), DQ_OK);
    assert_int_equal(dq_catalogue_add(c, &b, 1, &taken, NULL), DQ_OK);
    assert_true(taken);
}

/* The values' places of the user's events, one digit each, '-' where there is none. */
static const char *places_in(history *h)
{
    static char text[16];
    static const uint32_t user_row[] = {0}, item_row[] = {0, 1, 2, 3, 4};
    dq_session_rows rows = {0};
    assert_int_equal(dq_session_log_sort(&h->log, NULL), DQ_OK);
    assert_int_equal(dq_session_log_rows(&h->log, user_row, item_row, 1, &rows, NULL), DQ_OK);
    assert_non_null(rows.value);
    for (size_t e = 0; e < 5; e++) text[e] = rows.value[e] > 9 ? '-' : (char)('0' + rows.value[e]);
    text[5] = '\0';
    dq_session_rows_free(&rows);
    return text;
}

static const char *const five_labels[] = {"CLICK", "APPLY", "CLICK", "CLICK", "SEEN"};

/* A model that learnt from such a log: `values` most frequent ones have a place. */
static void learn(dq_bundle *model, const char *const *asked, const char *attribute, size_t values,
                  const char *places)
{
    history h;
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    dq_session_layout layout = {.item_width = 1, .history = 1, .recency = 1, .one_hot = true};
    start(&h);
    catalogue_of(&c, &h, asked, five_labels);
    h.log.attribute = attribute;
    assert_int_equal(dq_session_log_take_values(&h.log, NULL, &c, values, &layout, NULL), DQ_OK);
    assert_string_equal(places_in(&h), places);
    assert_int_equal(dq_bundle_init(model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_session_layout_save(&layout, model, NULL), DQ_OK);
    assert_int_equal(dq_session_log_describe(&h.log, "APPLY=1", model, NULL), DQ_OK);
    dq_catalogue_free(&c);
    end(&h);
}

static void the_most_frequent_values_have_places(void **state)
{
    (void)state;
    dq_bundle model;
    learn(&model, TEXTS("\"x\"", "\"n\"", NULL, "\"n\"", "3"), "asked", 9,
          "10-02"); /* n, then the lesser bytes */
    dq_bundle_free(&model);
    learn(&model, TEXTS("\"x\"", "\"n\"", "null", "\"n\"", "3"), "asked", 1,
          "10-01"); /* the others share one */
    dq_bundle_free(&model);
    learn(&model, NULL, "label", 9, "01002");
    dq_bundle_free(&model);
}

/* A log in which other values are frequent, and new ones stand, has the places that the model learnt. */
static void a_model_keeps_its_vocabulary(void **state)
{
    (void)state;
    dq_bundle model;
    dq_session_layout layout;
    learn(&model, TEXTS("\"x\"", "\"n\"", NULL, "\"n\"", "3"), "asked", 9, "10-02");
    assert_int_equal(dq_session_layout_load(&layout, &model, NULL), DQ_OK);
    assert_int_equal(layout.values, 4);
    for (int again = 0; again < 2; again++) { /* ranked by it, and trained on */
        history h = {0};
        dq_catalogue c = DQ_CATALOGUE_EMPTY;
        if (again)
            start(&h);
        else
            assert_int_equal(dq_session_log_as(&h.log, &model, &layout, NULL), DQ_OK);
        catalogue_of(&c, &h, TEXTS("3", "\"new\"", "3", "\"x\"", "\"n\""), five_labels);
        if (again) assert_int_equal(dq_session_log_take_values(&h.log, &model, &c, 1, &layout, NULL), DQ_OK);
        assert_int_equal(layout.values, 4);
        assert_string_equal(places_in(&h), "23210");
        dq_catalogue_free(&c);
        end(&h);
    }
    dq_bundle_free(&model);
}

static void another_attribute_is_refused(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_bundle model;
    dq_session_layout layout = {.one_hot = true};
    history h;
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    start(&h);
    learn(&model, NULL, "label", 9, "01002");
    catalogue_of(&c, &h, TEXTS("1", "2", "1", "2", "1"), five_labels);
    h.log.attribute = "asked";
    assert_int_equal(dq_session_log_take_values(&h.log, &model, &c, 9, &layout, &e), DQ_ERR_RANGE);
    assert_string_equal(
        e.reason, "the model learnt from states that show the attribute 'label', and here it is 'asked'");
    h.log.attribute = "other";
    assert_int_equal(dq_session_log_take_values(&h.log, NULL, &c, 9, &layout, &e), DQ_ERR_UNKNOWN);
    assert_string_equal(e.reason, "no interaction has an attribute 'other', which states show");
    h.log.attribute = NULL;
    assert_int_equal(dq_session_log_take_values(&h.log, NULL, &c, 9, &layout, &e), DQ_OK);
    assert_true(layout.values == 0 && !layout.one_hot);
    dq_catalogue_free(&c);
    dq_bundle_free(&model);
    end(&h);
}

static void a_model_that_names_no_values_is_refused(void **state)
{
    (void)state;
    dq_bundle model;
    dq_session_layout layout;
    learn(&model, NULL, "label", 9, "01002");
    assert_int_equal(dq_session_layout_load(&layout, &model, NULL), DQ_OK);
    layout.values++; /* one more than it names */
    dq_session_log log = {0};
    assert_int_equal(dq_session_log_as(&log, &model, &layout, NULL), DQ_ERR_SCHEMA);
    dq_session_log_free(&log);
    dq_bundle_free(&model);
}

static bool given(const void *arg, const char *part)
{
    return strcmp(arg, part) == 0;
}

static void what_was_not_asked_for_is_the_models(void **state)
{
    (void)state;
    dq_bundle model, none = table("model", 0);
    dq_arena arena = DQ_ARENA_EMPTY;
    const dq_session_layout own = {.history = 7, .recency = 0.5F, .mean = true};
    dq_session_layout layout = own;
    dq_session_cut cut = {60, "mine"};
    learn(&model, NULL, "label", 9, "01002");
    assert_int_equal(dq_session_log_inherit(&layout, &cut, &none, &arena, given, "", NULL), DQ_OK);
    assert_true(layout.history == 7 && layout.mean && cut.gap == 60 && strcmp(cut.attribute, "mine") == 0);
    assert_int_equal(dq_session_log_inherit(&layout, &cut, &model, &arena, given, "history", NULL), DQ_OK);
    assert_true(layout.history == 7 && layout.recency == 1 && !layout.mean && layout.one_hot);
    assert_true(cut.gap == 0 && strcmp(cut.attribute, "label") == 0);
    assert_int_equal(dq_session_log_inherit(&layout, &cut, &model, &arena, given, "", NULL), DQ_OK);
    assert_int_equal(layout.history, 1);
    dq_arena_free(&arena);
    dq_bundle_free(&none);
    dq_bundle_free(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_in_the_order_of_time),
        cmocka_unit_test(an_order_that_is_not_known_is_refused),
        cmocka_unit_test(what_the_order_is_taken_from_is_said),
        cmocka_unit_test(a_log_by_rows_with_rewards),
        cmocka_unit_test(the_most_frequent_values_have_places),
        cmocka_unit_test(a_model_keeps_its_vocabulary),
        cmocka_unit_test(another_attribute_is_refused),
        cmocka_unit_test(a_model_that_names_no_values_is_refused),
        cmocka_unit_test(what_was_not_asked_for_is_the_models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
