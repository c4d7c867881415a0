/* SPDX-License-Identifier: MIT */
#include "data/seen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ITEMS = 6 };

/* User 0 has met 4 (twice), 1 and 5; user 1 nothing; user 2 all. */
static dq_transition transitions[] = {{.state = 2, .action = 3}, {.state = 0, .action = 4},
                                      {.state = 2, .action = 0}, {.state = 2, .action = 1},
                                      {.state = 0, .action = 1}, {.state = 2, .action = 5}};
static dq_interaction interactions[] = {
    {.user = 0, .item = 4}, {.user = 2, .item = 4}, {.user = 0, .item = 5}, {.user = 2, .item = 2}};
static const dq_dataset dataset = {.transitions = transitions,
                                   .count = 6,
                                   .catalogue = {.interactions = interactions, .interaction_count = 4}};

static void list(dq_seen *seen)
{
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_seen_list(seen, &dataset, &e), DQ_OK);
    assert_int_equal(seen->count, 3 + 6);
}

static void transitions_and_interactions_are_met_once(void **state)
{
    dq_seen seen = {0};
    size_t n;
    (void)state;
    list(&seen);
    const dq_pairset_pair *met = dq_seen_of(&seen, 0, &n);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < 3; i++) assert_int_equal(met[i].item, ((const uint32_t[]){1, 4, 5})[i]);
    (void)dq_seen_of(&seen, 1, &n);
    assert_int_equal(n, 0);
    (void)dq_seen_of(&seen, 2, &n);
    assert_int_equal(n, ITEMS);
    (void)dq_seen_of(&seen, UINT32_MAX, &n);
    assert_int_equal(n, 0);
    dq_seen_free(&seen);
}

static void without_a_limit_all_come_in_order(void **state)
{
    dq_seen seen = {0};
    dq_rng rng = dq_rng_new(1);
    uint32_t drawn[ITEMS];
    (void)state;
    list(&seen);
    assert_int_equal(dq_seen_draw(&seen, 0, true, ITEMS, 0, &rng, drawn), 3);
    for (size_t i = 0; i < 3; i++) assert_int_equal(drawn[i], ((const uint32_t[]){0, 2, 3})[i]);
    assert_int_equal(dq_seen_draw(&seen, 0, false, ITEMS, 3, &rng, drawn), 3);
    for (size_t i = 0; i < 3; i++) assert_int_equal(drawn[i], ((const uint32_t[]){1, 4, 5})[i]);
    assert_int_equal(dq_seen_draw(&seen, 1, true, ITEMS, 0, &rng, drawn), ITEMS);
    assert_int_equal(dq_seen_draw(&seen, 1, false, ITEMS, 0, &rng, drawn), 0);
    assert_int_equal(dq_seen_draw(&seen, 2, true, ITEMS, 0, &rng, drawn), 0);
    dq_seen_free(&seen);
}

/* Each of the 6 items is as likely to be among 2: 2000 of 6000 draws, of a standard deviation of 37. */
static void drawn_items_are_distinct_and_equally_likely(void **state)
{
    dq_seen seen = {0};
    dq_rng rng = dq_rng_new(7);
    unsigned times[ITEMS] = {0};
    (void)state;
    list(&seen);
    for (int i = 0; i < 6000; i++) {
        uint32_t drawn[ITEMS];
        assert_int_equal(dq_seen_draw(&seen, 1, true, ITEMS, 2, &rng, drawn), 2);
        assert_int_not_equal(drawn[0], drawn[1]);
        times[drawn[0]]++;
        times[drawn[1]]++;
    }
    for (size_t i = 0; i < ITEMS; i++) assert_in_range(times[i], 1850, 2150);
    dq_seen_free(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transitions_and_interactions_are_met_once),
        cmocka_unit_test(without_a_limit_all_come_in_order),
        cmocka_unit_test(drawn_items_are_distinct_and_equally_likely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
