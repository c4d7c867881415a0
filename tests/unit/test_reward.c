/* SPDX-License-Identifier: MIT */
#include "math/cosine.h"
#include "reward/mix.h"
#include "reward/weight.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void cosines_scale_and_mix(void **unused)
{
    (void)unused;
    assert_true(dq_reward_of_cosine(-1) == 0 && dq_reward_of_cosine(0) == 0.5 && dq_reward_of_cosine(1) == 1);
    assert_true(dq_reward_mix(1, 0.75, -0.1) == 0.75);
    assert_true(dq_reward_mix(0, 0.75, -0.1) == -0.1);
    assert_true(dq_reward_mix(0.25, 1, 0) == 0.25);
}

static void a_weight_goes_down_a_line_or_at_once(void **unused)
{
    (void)unused;
    static const double line[] = {1, 0.875, 0.75, 0.625, 0.5, 0.5};
    dq_reward_weight w;
    assert_true(dq_reward_weight_parse("1:0.5@4", &w));
    for (uint64_t e = 0; e < 6; e++) assert_true(dq_reward_weight_at(&w, e) == line[e]);
    assert_true(dq_reward_weight_at(&w, UINT64_MAX) == 0.5);
    w.jump = true;
    for (uint64_t e = 0; e < 6; e++) assert_true(dq_reward_weight_at(&w, e) == (e < 4 ? 1 : 0.5));
    assert_true(dq_reward_weight_parse("0.25", &w));
    assert_true(!w.over && dq_reward_weight_at(&w, 0) == 0.25);
    assert_true(dq_reward_weight_parse("0.25:0.75", &w));
    assert_true(w.from == 0.25 && w.to == 0.75 && !w.over);
}

static void a_weight_that_is_none(void **unused)
{
    (void)unused;
    static const char *const bad[] = {
        "",      "x",     "-1",     "2",      "nan",           "1:", "1:2", "1@5",
        "1:0@0", "1:0@x", "1:0@5x", "1:0@ 5", "1:0@1000000001"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        dq_reward_weight w;
        if (dq_reward_weight_parse(bad[i], &w)) fail_msg("'%s' is taken for a weight", bad[i]);
    }
}

static void a_part_without_weight_need_not_be_there(void **unused)
{
    (void)unused;
    assert_true(dq_reward_weigh(1, 0.5F, NAN) == 0.5F);
    assert_true(dq_reward_weigh(0, NAN, 0.25F) == 0.25F);
    assert_true(dq_reward_weigh(0.25, 1, 0.5F) == 0.625F);
    assert_true(isnan(dq_reward_weigh(0.5, 1, NAN)));
}

static const dq_field user_fields[] = {{"hard", 0, 2, 0}, {"soft", 2, 3, 0}};
static const dq_field item_fields[] = {{"title", 0, 2, 0}, {"tech", 2, 2, 0}, {"soft", 4, 3, 0}};
static const dq_layout users = {user_fields, 2, 5}, items = {item_fields, 3, 7};

static void named_pairs_become_ranges(void **unused)
{
    (void)unused;
    const dq_pair_names names[] = {{"hard", "tech"}, {"soft", "soft"}};
    dq_pairing pairing[2];
    size_t made;
    assert_int_equal(dq_pairing_choose(names, 2, users, items, pairing, &made, NULL), DQ_OK);
    assert_int_equal(made, 2);
    assert_true(pairing[0].user_offset == 0 && pairing[0].item_offset == 2 && pairing[0].width == 2);
    assert_true(pairing[1].user_offset == 2 && pairing[1].item_offset == 4 && pairing[1].width == 3);
}

static void pairs_that_cannot_be_are_refused(void **unused)
{
    (void)unused;
    const dq_pair_names nobody = {"firm", "tech"}, nothing = {"hard", "firm"}, uneven = {"hard", "soft"};
    dq_pairing pairing;
    size_t made;
    dq_layout empty = {0};
    assert_int_equal(dq_pairing_choose(&nobody, 1, users, items, &pairing, &made, NULL), DQ_ERR_UNKNOWN);
    assert_int_equal(dq_pairing_choose(&nothing, 1, users, items, &pairing, &made, NULL), DQ_ERR_UNKNOWN);
    assert_int_equal(dq_pairing_choose(&uneven, 1, users, items, &pairing, &made, NULL), DQ_ERR_RANGE);
    assert_int_equal(dq_pairing_choose(NULL, 0, users, items, &pairing, &made, NULL), DQ_ERR_RANGE);
    assert_int_equal(dq_pairing_choose(NULL, 0, users, empty, &pairing, &made, NULL), DQ_ERR_SCHEMA);
    assert_int_equal(dq_pairing_choose(NULL, 0, users, users, &pairing, &made, NULL), DQ_OK);
    assert_true(made == 1 && pairing.width == 5);
}

static void all_fields_of_equal_width_become_ranges(void **unused)
{
    (void)unused;
    static const dq_pairing wanted[] = {{0, 0, 2}, {0, 2, 2}, {2, 4, 3}};
    dq_pairing pairing[3];
    size_t made;
    assert_int_equal(dq_pairing_features(DQ_FEATURES_ALL, NULL, 0, users, items, pairing, 3, &made, NULL),
                     DQ_OK);
    assert_int_equal(made, 3);
    assert_memory_equal(pairing, wanted, sizeof wanted);
    assert_int_equal(dq_pairing_features(DQ_FEATURES_ALL, NULL, 0, users, items, pairing, 2, &made, NULL),
                     DQ_ERR_RANGE);
    assert_int_equal(
        dq_pairing_features(DQ_FEATURES_ALL, NULL, 0, users, (dq_layout){0}, pairing, 3, &made, NULL), DQ_OK);
    assert_int_equal(made, 0);
}

static void pairs_survive_the_metadata(void **unused)
{
    (void)unused;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value meta = dq_map();
    dq_pair_names pair, *read;
    size_t count;
    assert_int_equal(dq_pairs_read(&meta, &arena, &read, &count, NULL), DQ_OK);
    assert_int_equal(count, 0);
    assert_int_equal(dq_pair_parse("hard:tech", &arena, &pair, NULL), DQ_OK);
    assert_int_equal(dq_pairs_write(&pair, 1, &arena, &meta, NULL), DQ_OK);
    assert_int_equal(dq_pairs_read(&meta, &arena, &read, &count, NULL), DQ_OK);
    assert_true(count == 1 && !strcmp(read->user_field, "hard") && !strcmp(read->item_field, "tech"));
    static const char *const bad[] = {"", ":", "a", "a:", ":b", "a:b:c"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(dq_pair_parse(bad[i], &arena, &pair, NULL), DQ_ERR_RANGE);
    dq_map_set(&arena, &meta, "pairs", dq_int(3));
    assert_int_equal(dq_pairs_read(&meta, &arena, &read, &count, NULL), DQ_ERR_SCHEMA);
    dq_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cosines_scale_and_mix),
        cmocka_unit_test(a_weight_goes_down_a_line_or_at_once),
        cmocka_unit_test(a_weight_that_is_none),
        cmocka_unit_test(a_part_without_weight_need_not_be_there),
        cmocka_unit_test(named_pairs_become_ranges),
        cmocka_unit_test(pairs_that_cannot_be_are_refused),
        cmocka_unit_test(all_fields_of_equal_width_become_ranges),
        cmocka_unit_test(pairs_survive_the_metadata),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
