/* SPDX-License-Identifier: MIT */
#include "data/label_map.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void the_default_map_has_four_rewards(void **unused)
{
    (void)unused;
    static const struct {
        const char *label;
        double reward;
    } want[] = {{"APPLY", 1}, {"SAVE", 0.5}, {"CLICK", 0}, {"IGNORE", -0.1}};
    dq_label_map map;
    double reward;
    assert_int_equal(dq_label_map_parse(&map, DQ_LABEL_MAP_DEFAULT, NULL), DQ_OK);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        assert_true(dq_label_map_find(&map, want[i].label, strlen(want[i].label), &reward));
        assert_true(reward == want[i].reward);
    }
    assert_false(dq_label_map_find(&map, "SEEN", 4, &reward));
    assert_false(dq_label_map_find(&map, "APPL", 4, &reward));
    dq_label_map_free(&map);
}

static void labels_may_hold_spaces_and_numbers_exponents(void **unused)
{
    (void)unused;
    dq_label_map map;
    double reward;
    assert_int_equal(dq_label_map_parse(&map, "looked at=-1e-3,5=+2", NULL), DQ_OK);
    assert_true(dq_label_map_find(&map, "looked at", 9, &reward) && reward == -1e-3);
    assert_true(dq_label_map_find(&map, "5", 1, &reward) && reward == 2);
    dq_label_map_free(&map);
}

static void a_bad_map_says_which_part(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        dq_status status;
    } bad[] = {{"", DQ_ERR_RANGE},           {"A", DQ_ERR_RANGE},       {"A=", DQ_ERR_RANGE},
               {"=1", DQ_ERR_RANGE},         {"A=1,", DQ_ERR_RANGE},    {"A=1,,B=2", DQ_ERR_RANGE},
               {"A=1x", DQ_ERR_RANGE},       {"A= 1", DQ_ERR_RANGE},    {"A=0x1", DQ_ERR_RANGE},
               {"A=nan", DQ_ERR_RANGE},      {"A=1e999", DQ_ERR_RANGE}, {"A=1e39", DQ_ERR_NUMERIC},
               {"A=1,A=1", DQ_ERR_DUPLICATE}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        dq_label_map map;
        dq_error e = DQ_ERROR_NONE;
        assert_int_equal(dq_label_map_parse(&map, bad[i].text, &e), bad[i].status);
        assert_true(e.reason[0] != '\0');
    }
}

static void what_is_given_counts_more_than_a_label(void **unused)
{
    (void)unused;
    dq_label_map map;
    assert_int_equal(dq_label_map_parse(&map, "APPLY=1,IGNORE=-0.1", NULL), DQ_OK);
    assert_true(dq_label_map_reward(&map, 0.25F, "APPLY", 5) == 0.25F);
    assert_true(dq_label_map_reward(&map, 0, "APPLY", 5) == 0);
    assert_true(dq_label_map_reward(&map, 0.25F, "SEEN", 4) == 0.25F);
    assert_true(dq_label_map_reward(&map, 0.25F, NULL, 0) == 0.25F);
    assert_true(dq_label_map_reward(&map, NAN, "APPLY", 5) == 1);
    assert_true(dq_label_map_reward(&map, NAN, "IGNORE", 6) == -0.1F);
    assert_true(isnan(dq_label_map_reward(&map, NAN, "SEEN", 4)));
    assert_true(isnan(dq_label_map_reward(&map, NAN, NULL, 0)));
    dq_label_map_free(&map);
}

static void what_nobody_labelled_is_ignore(void **state)
{
    (void)state;
    dq_label_map map = {0};
    assert_int_equal(dq_label_map_parse(&map, "APPLY=1,IGNORE=-0.5", NULL), DQ_OK);
    assert_true(dq_label_map_ignore(&map) == -0.5);
    dq_label_map_free(&map);
    map = (dq_label_map){0};
    assert_int_equal(dq_label_map_parse(&map, "APPLY=1", NULL), DQ_OK);
    assert_true(dq_label_map_ignore(&map) == -0.1);
    dq_label_map_free(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_labelled_is_ignore),
        cmocka_unit_test(the_default_map_has_four_rewards),
        cmocka_unit_test(labels_may_hold_spaces_and_numbers_exponents),
        cmocka_unit_test(a_bad_map_says_which_part),
        cmocka_unit_test(what_is_given_counts_more_than_a_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
