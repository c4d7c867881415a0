/* SPDX-License-Identifier: MIT */
#include "data/seen.h"

#include "tables.h"

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

/* ---- what users did before, as state ---- */

/* Labels without a reward alone, by time; SEEN at an item that is not here is nothing. */
static void what_is_no_target_is_state_in_the_order_of_time(void **state)
{
    static const float given[8] = {0, 0, 0, 0, 0, 0.5F, 0, 0};
    static const uint8_t none[8] = {1, 1, 1, 1, 1, 0, 1, 1};
    static const uint32_t items[4] = {7, 5, DQ_ABSENT, 6}, users[2] = {2, 0};
    dq_label_map map = {0};
    dq_session_log log = {.map = &map, .time = "at"};
    dq_history h = {0};
    (void)state;
    assert_int_equal(dq_label_map_parse(&map, "APPLY=1,CLICK=0", NULL), DQ_OK);
    dq_bundle b = table("interactions", 8);
    add_texts(&b, "user", DQ_TEXT, TEXTS("u", "u", "v", "u", "u", "u", "u", "v"));
    add_texts(&b, "item", DQ_TEXT, TEXTS("a", "b", "a", "c", "d", "d", "a", "b"));
    add_texts(&b, "label", DQ_TEXT, TEXTS("SEEN", "HELD", "APPLY", "SEEN", "CLICK", "SEEN", NULL, "CLICK"));
    add_numbers(&b, "reward", DQ_F4, given, NULL, none); /* u gave d a reward: learnt */
    add_texts(&b, "attr.at", DQ_JSON,
              TEXTS("4000000009", "4000000002", "4000000001", "4000000003", "4000000004", "4000000005",
                    "4000000001", "4000000001"));
    assert_int_equal(dq_session_log_add(&log, &b, NULL), DQ_OK);
    assert_int_equal(dq_history_list(&h, &log, users, items, 3, NULL), DQ_OK);
    /* v is row 0 and has targets alone; nobody is row 1; u is row 2: a, then b, then a once more. */
    assert_true(h.users == 3 && h.start[0] == 0 && h.start[1] == 0 && h.start[2] == 0 && h.start[3] == 3);
    for (size_t i = 0; i < 3; i++) assert_int_equal(h.item[i], ((const uint32_t[]){7, 5, 7})[i]);
    dq_history_free(&h);
    dq_bundle_free(&b);
    dq_session_log_free(&log);
    dq_label_map_free(&map);
}

static void a_catalogue_knows_what_its_users_did_before(void **state)
{
    dq_label_map map = {0};
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    dq_history h = {0};
    bool taken;
    (void)state;
    assert_int_equal(dq_label_map_parse(&map, "APPLY=1", NULL), DQ_OK);
    dq_bundle u = table("users", 2), i = table("items", 2), x = table("interactions", 3);
    add_texts(&u, "id", DQ_TEXT, TEXTS("u", "v"));
    add_texts(&i, "id", DQ_TEXT, TEXTS("a", "b"));
    add_texts(&x, "user", DQ_TEXT, TEXTS("v", "v", "u"));
    add_texts(&x, "item", DQ_TEXT, TEXTS("b", "a", "b"));
    add_texts(&x, "label", DQ_TEXT, TEXTS("SEEN", "SEEN", "APPLY"));
    add_texts(&x, "attr.time", DQ_JSON,
              TEXTS("4000000009", "4000000002", NULL)); /* what is learnt needs none */
    assert_int_equal(dq_catalogue_add(&c, &u, 1, &taken, NULL), DQ_OK);
    assert_int_equal(dq_catalogue_add(&c, &i, 1, &taken, NULL), DQ_OK);
    assert_int_equal(dq_catalogue_add(&c, &x, 1, &taken, NULL), DQ_OK);
    assert_int_equal(dq_catalogue_finish(&c, false, NULL), DQ_OK);
    assert_int_equal(dq_history_of_catalogue(&h, &c, &map, "time", NULL), DQ_OK);
    assert_true(h.users == 2 && h.start[1] == 0 && h.start[2] == 2 && h.item[0] == 0 && h.item[1] == 1);
    dq_history_free(&h);
    dq_catalogue_free(&c);
    dq_label_map_free(&map);
}

static void a_history_is_a_number_or_what_was_seen(void **state)
{
    static const struct {
        const char *text;
        bool seen, right;
        uint32_t n;
    } cases[] = {{"3", false, true, 3},      {"1000", false, true, 1000}, {"1001", false, false, 0},
                 {"0", false, false, 0},     {"", false, false, 0},       {"+3", false, false, 0},
                 {"-1", false, false, 0},    {"3x", false, false, 0},     {"seen", false, false, 0},
                 {"10000", false, false, 0}, {"seen", true, true, 0},     {"seen:2", true, true, 2},
                 {"seen:0", true, false, 0}, {"seen:", true, false, 0},   {"seen: 2", true, false, 0},
                 {"3", true, false, 0},      {"seenx", true, false, 0},   {"seen:2 ", true, false, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t n;
        assert_int_equal(dq_history_parse(cases[i].text, cases[i].seen, &n), cases[i].right);
        if (cases[i].right) assert_int_equal(n, cases[i].n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transitions_and_interactions_are_met_once),
        cmocka_unit_test(without_a_limit_all_come_in_order),
        cmocka_unit_test(drawn_items_are_distinct_and_equally_likely),
        cmocka_unit_test(what_is_no_target_is_state_in_the_order_of_time),
        cmocka_unit_test(a_history_is_a_number_or_what_was_seen),
        cmocka_unit_test(a_catalogue_knows_what_its_users_did_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
