/* SPDX-License-Identifier: MIT */
#include "offline/input.h"

#include "data/split.h"

#include "tables.h"

static void add(dq_dataset *dataset, dq_bundle b)
{
    assert_int_equal(dq_dataset_add(dataset, &b, 0, NULL), DQ_OK);
    dq_bundle_free(&b);
}

static dq_bundle entities(const char *kind, const char *const *streets)
{
    static const float vectors[6] = {1, 2, 3, 4, 5, 6};
    dq_bundle b = table(kind, 3);
    add_texts(&b, "id", DQ_TEXT, TEXTS("a", "b", "c"));
    add_vectors(&b, DQ_F4, 2, vectors);
    if (streets) add_texts(&b, "attr.street", DQ_JSON, streets);
    return b;
}

static dq_bundle interactions(void)
{
    dq_bundle b = table("interactions", 4);
    add_texts(&b, "user", DQ_TEXT, TEXTS("a", "a", "c", "c"));
    add_texts(&b, "item", DQ_TEXT, TEXTS("b", "c", "a", "b"));
    add_texts(&b, "label", DQ_TEXT, TEXTS("CLICK", "APPLY", "CLICK", "IGNORE"));
    add_texts(&b, "attr.time", DQ_JSON, TEXTS("2", "1", "1", "5000"));
    return b;
}

static void make(dq_dataset *d, bool rewarded)
{
    static const uint32_t user[2] = {0, 2}, item[2] = {1, 0};
    static const float reward[2] = {0.5F, 1};
    static const uint8_t none[2] = {1, 1};
    *d = DQ_DATASET_EMPTY;
    add(d, entities("users", TEXTS("\"x\"", "\"y\"", "\"x\"")));
    add(d, entities("items", NULL));
    dq_bundle b = table("transitions", 2);
    add_numbers(&b, "user", DQ_U4, user, "users", NULL);
    add_numbers(&b, "item", DQ_U4, item, "items", NULL);
    add_numbers(&b, "reward", DQ_F4, reward, NULL, rewarded ? NULL : none);
    add(d, b);
    assert_int_equal(dq_catalogue_finish(&d->catalogue, false, NULL), DQ_OK);
}

static void transitions_of_users_are_rows_in_groups(void **state)
{
    (void)state;
    dq_dataset d;
    dq_offline_input in = {0};
    make(&d, true);
    assert_int_equal(dq_offline_input_of_users(&in, &d, "street", NULL), DQ_OK);
    assert_true(in.rows.count == 2 && in.rows.states.count == 3 && in.shape.action_count == 3);
    assert_true(in.shape.state_width == 2 && in.shape.action_width == 2);
    assert_true(in.rows.group[0] == in.rows.group[2] && in.rows.group[0] != in.rows.group[1]);
    dq_offline_input_free(&in);
    dq_dataset_free(&d);
}

static void what_cannot_be_learnt_from_is_refused(void **state)
{
    (void)state;
    dq_dataset d;
    dq_offline_input in = {0};
    dq_error e = DQ_ERROR_NONE;
    make(&d, true);
    assert_int_equal(dq_offline_input_of_users(&in, &d, "town", &e), DQ_ERR_UNKNOWN);
    assert_string_equal(e.reason, "--validate-by: no user has an attribute 'town'");
    dq_offline_input_free(&in);
    dq_dataset_free(&d);
    make(&d, false);
    assert_int_equal(dq_offline_input_of_users(&in, &d, NULL, &e), DQ_ERR_RANGE);
    assert_non_null(strstr(e.reason, "no transition with a reward"));
    dq_session_layout layout = {0};
    const dq_offline_sessions_config config = {.layout = &layout};
    assert_int_equal(dq_offline_input_of_sessions(&in, &d.catalogue, &config, &e), DQ_ERR_SCHEMA);
    assert_string_equal(e.reason, "the input has no interactions");
    dq_offline_input_free(&in);
    dq_dataset_free(&d);
}

static void interactions_are_rows_of_sessions(void **state)
{
    (void)state;
    dq_dataset d;
    dq_label_map map;
    dq_offline_input in = {.log = {.map = &map, .time = "time"}};
    dq_session_layout layout = {.history = 2, .recency = 1};
    make(&d, true);
    assert_int_equal(dq_label_map_parse(&map, "APPLY=1,CLICK=0.5,IGNORE=-0.1", NULL), DQ_OK);
    dq_bundle b = interactions();
    assert_int_equal(dq_session_log_add(&in.log, &b, NULL), DQ_OK);
    dq_bundle_free(&b);
    const dq_offline_sessions_config config = {.layout = &layout, .cut = {1000, NULL}};
    assert_int_equal(dq_offline_input_of_sessions(&in, &d.catalogue, &config, NULL), DQ_OK);
    assert_true(in.rows.count == 4 && in.shape.action_count == 3 && in.shape.state_width == 2 + 2 * 2);
    assert_true(in.rows.action[0] == 2 && in.rows.reward[0] == 1); /* a's first by time */
    assert_true(in.rows.following[0] == 1);
    assert_true(in.rows.following[2] == DQ_OFFLINE_NO_ROW); /* the gap is wider than 1000 s */
    assert_true(in.log.seconds && in.log.gap == 1000);
    dq_offline_input_free(&in);
    dq_label_map_free(&map);
    dq_dataset_free(&d);
}

static void folds_are_read(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",     "3",  "0/4", "5/4",  "1/1", "-1/4",
                                        "1/4x", "1/", "/4",  " 1/4", "+1/4"};
    uint32_t fold, folds;
    assert_true(dq_split_parse_fold("2/4", &fold, &folds) && fold == 2 && folds == 4);
    assert_true(dq_split_parse_fold("4/4", &fold, &folds) && fold == 4);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(dq_split_parse_fold(wrong[i], &fold, &folds));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transitions_of_users_are_rows_in_groups),
        cmocka_unit_test(what_cannot_be_learnt_from_is_refused),
        cmocka_unit_test(interactions_are_rows_of_sessions),
        cmocka_unit_test(folds_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
