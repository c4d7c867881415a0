/* SPDX-License-Identifier: MIT */
#include "data/state_log.h"

#include "tables.h"

#include <math.h>

static const float states[] = {1, 2, 3, 4, 5, 6}, nexts[] = {3, 4, 5, 6, 7, 8}, rewards[] = {0.5F, 1, -1};
static const uint32_t choices[] = {0, 3, 1}, episodes[] = {7, 7, 9};
static const uint8_t done[] = {0, 1, 0}, unknown[] = {0, 0, 1};

static void add_states(dq_bundle *b, const char *name, const float *at, uint64_t width)
{
    const uint64_t shape[2] = {b->rows, width};
    assert_int_equal(dq_bundle_add_tensor(b, name, DQ_F4, 2, shape, at, NULL), DQ_OK);
}

/* Three rows; of the columns that may be left out only those that are asked for. */
static dq_bundle log_of(bool all)
{
    dq_bundle b = table("transitions", 3);
    add_states(&b, "state", states, 2);
    add_numbers(&b, "choice", DQ_U4, choices, NULL, NULL);
    add_numbers(&b, "reward", DQ_F4, rewards, NULL, unknown);
    if (!all) return b;
    add_states(&b, "next_state", nexts, 2);
    add_numbers(&b, "done", DQ_U1, done, NULL, NULL);
    add_numbers(&b, "episode", DQ_U4, episodes, NULL, NULL);
    b.meta = dq_map();
    assert_true(dq_map_set(&b.arena, &b.meta, "actions", dq_int(6)));
    return b;
}

static dq_status add(dq_state_log *log, dq_bundle b)
{
    dq_status status = dq_state_log_add(log, &b, NULL);
    dq_bundle_free(&b);
    return status;
}

static void bundles_become_one_log(void **state)
{
    (void)state;
    dq_state_log log = {0};
    assert_int_equal(add(&log, log_of(false)), DQ_OK);
    assert_true(log.count == 3 && log.width == 2 && log.actions == 4); /* as many as were taken */
    assert_memory_equal(log.next, states, sizeof states);              /* the state stays */
    assert_true(log.episode[0] == 0 && log.episode[1] == 1 && log.episode[2] == 2 && !log.done[1]);
    for (int i = 0; i < 20; i++) assert_int_equal(add(&log, log_of(true)), DQ_OK);
    assert_true(log.count == 63 && log.actions == 6);
    assert_memory_equal(log.state + 2 * 60, states, sizeof states);
    assert_memory_equal(log.next + 2 * 60, nexts, sizeof nexts);
    assert_true(log.action[61] == 3 && log.done[61] && !log.done[60] && log.reward[60] == 0.5F);
    assert_true(isnan(log.reward[62]) && isnan(log.reward[2]));
    assert_true(log.episode[60] == 3 && log.episode[61] == 3 && log.episode[62] == 4); /* 7 and 9 */
    assert_int_equal(dq_index_count(&log.episodes), 5);
    dq_state_log_free(&log);
}

static void what_is_no_such_log_is_refused(void **state)
{
    (void)state;
    dq_state_log log = {0};
    dq_bundle b = table("transitions", 3);
    assert_false(dq_state_log_has_states(&b));
    add_states(&b, "state", states, 2);
    assert_true(dq_state_log_has_states(&b));
    assert_int_equal(add(&log, b), DQ_ERR_SCHEMA); /* neither choice nor reward */
    assert_int_equal(add(&log, log_of(true)), DQ_OK);
    b = table("transitions", 3);
    add_states(&b, "state", states, 1);
    add_numbers(&b, "choice", DQ_U4, choices, NULL, NULL);
    add_numbers(&b, "reward", DQ_F4, rewards, NULL, NULL);
    assert_int_equal(add(&log, b), DQ_ERR_SCHEMA); /* of another width */
    b = log_of(false);
    add_states(&b, "next_state", nexts, 1);
    assert_int_equal(add(&log, b), DQ_ERR_SCHEMA);
    static const float wrong[][3] = {{0, 1, 1 << 24}, {0, 1.5F, 2}, {0, -1, 2}};
    for (int i = 0; i < 3; i++) {
        b = table("transitions", 3);
        add_states(&b, "state", states, 2);
        add_numbers(&b, "choice", DQ_F4, wrong[i], NULL, NULL);
        add_numbers(&b, "reward", DQ_F4, rewards, NULL, NULL);
        assert_int_equal(add(&log, b), DQ_ERR_RANGE);
    }
    assert_int_equal(log.count, 3);
    dq_state_log_free(&log);
}

/* What the states are, a log says in all of its bundles, or in none. */
static void layouts_agree(void **state)
{
    (void)state;
    const dq_session_layout one = {.item_width = 1, .history = 2, .recency = 1},
                            other = {.item_width = 2, .history = 1, .recency = 1},
                            wider = {.item_width = 3, .history = 1, .recency = 1};
    dq_state_log log = {0};
    const dq_session_layout *layouts[] = {&one, &one, &other, NULL};
    for (int i = 0; i < 4; i++) {
        dq_bundle b = log_of(true);
        if (layouts[i]) assert_int_equal(dq_session_layout_save(layouts[i], &b, NULL), DQ_OK);
        assert_int_equal(add(&log, b), i < 2 ? DQ_OK : DQ_ERR_SCHEMA);
    }
    assert_true(log.layout.item_width == 1 && log.layout.history == 2 && log.count == 6);
    dq_state_log_free(&log);
    dq_bundle b = log_of(true);
    assert_int_equal(dq_session_layout_save(&wider, &b, NULL), DQ_OK);
    assert_int_equal(add(&log, b), DQ_ERR_SCHEMA);
    dq_state_log_free(&log);
}

/* A log of a few rows does not make a network of millions of outputs. */
static void actions_are_borne_by_rows(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_state_log log = {.count = 3, .actions = 4};
    assert_int_equal(dq_state_log_check(&log, 0, NULL), DQ_OK);
    log.actions = DQ_STATE_LOG_ACTIONS;
    assert_int_equal(dq_state_log_check(&log, 0, NULL), DQ_OK);
    log.actions = 1 << 24;
    assert_int_equal(dq_state_log_check(&log, 0, &e), DQ_ERR_RANGE);
    assert_non_null(strstr(e.reason, "16777216 actions"));
    assert_int_equal(dq_state_log_check(&log, 1 << 24, NULL), DQ_OK); /* items that are there */
    log.count = 1 << 20;
    assert_int_equal(dq_state_log_check(&log, 0, NULL), DQ_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(actions_are_borne_by_rows),
        cmocka_unit_test(bundles_become_one_log),
        cmocka_unit_test(what_is_no_such_log_is_refused),
        cmocka_unit_test(layouts_agree),
    };
    return cmocka_run_group_tests_name("state_log", tests, NULL, NULL);
}
