/* SPDX-License-Identifier: MIT */
#include "learn/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void push(dq_replay *replay, uint32_t item)
{
    dq_transition t = {.user = 1, .item = item, .reward = (float)item, .next = 1};
    dq_replay_push(replay, &t);
}

static void keeps_the_latest(void **state)
{
    (void)state;
    dq_replay *replay;
    assert_int_equal(dq_replay_new(&replay, 5, NULL), DQ_OK);
    for (uint32_t i = 0; i < 5; i++) push(replay, i);
    assert_int_equal(dq_replay_count(replay), 5);
    assert_int_equal(dq_replay_at(replay, 0).item, 0);
    for (uint32_t i = 5; i < 13; i++) push(replay, i);
    assert_int_equal(dq_replay_count(replay), 5);
    for (uint32_t i = 0; i < 5; i++) assert_int_equal(dq_replay_at(replay, i).item, 8 + i);
    dq_replay_free(replay);
}

static void needs_room(void **state)
{
    (void)state;
    dq_replay *replay;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_replay_new(&replay, 0, &e), DQ_ERR_RANGE);
    assert_null(replay);
    dq_replay_free(replay);
}

/* Distinct within a batch, and each transition equally often: a batch of 7 from 10, 20,000 times. */
static void samples_without_replacement(void **state)
{
    (void)state;
    enum { COUNT = 10, BATCH = 7, TIMES = 20000 };
    dq_replay *replay;
    dq_transition batch[BATCH];
    unsigned seen[COUNT] = {0};
    dq_rng rng = dq_rng_new(3);
    assert_int_equal(dq_replay_new(&replay, 64, NULL), DQ_OK);
    for (uint32_t i = 0; i < COUNT; i++) push(replay, i);
    for (int t = 0; t < TIMES; t++) {
        unsigned mask = 0;
        dq_replay_sample(replay, &rng, batch, BATCH);
        for (int i = 0; i < BATCH; i++) {
            assert_int_equal(mask & (1U << batch[i].item), 0);
            mask |= 1U << batch[i].item;
            seen[batch[i].item]++;
        }
    }
    for (int i = 0; i < COUNT; i++) /* 14,000 expected, sd 65 */
        assert_in_range(seen[i], 13650, 14350);
    dq_replay_sample(replay, &rng, batch, 0);
    dq_replay_free(replay);
}

static void a_batch_may_be_everything(void **state)
{
    (void)state;
    dq_replay *replay;
    dq_transition batch[4];
    dq_rng rng = dq_rng_new(1);
    unsigned mask = 0;
    assert_int_equal(dq_replay_new(&replay, 4, NULL), DQ_OK);
    for (uint32_t i = 0; i < 9; i++) push(replay, i);
    dq_replay_sample(replay, &rng, batch, 4);
    for (int i = 0; i < 4; i++) mask |= 1U << batch[i].item;
    assert_int_equal(mask, 0x1e0); /* 5 6 7 8 */
    dq_replay_free(replay);
}

/* What a checkpoint does: the same transitions in another buffer, elsewhere in its ring. */
static void a_restored_buffer_samples_alike(void **state)
{
    (void)state;
    dq_replay *old, *new;
    dq_transition a[3], b[3];
    dq_rng first = dq_rng_new(9), second = first;
    assert_int_equal(dq_replay_new(&old, 6, NULL), DQ_OK);
    assert_int_equal(dq_replay_new(&new, 6, NULL), DQ_OK);
    for (uint32_t i = 0; i < 10; i++) push(old, i);
    for (size_t i = 0; i < dq_replay_count(old); i++) {
        dq_transition t = dq_replay_at(old, i);
        dq_replay_push(new, &t);
    }
    for (int times = 0; times < 50; times++) {
        dq_replay_sample(old, &first, a, 3);
        dq_replay_sample(new, &second, b, 3);
        for (int i = 0; i < 3; i++) assert_int_equal(a[i].item, b[i].item);
        push(old, 100);
        push(new, 100);
    }
    dq_replay_free(old);
    dq_replay_free(new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_latest),
        cmocka_unit_test(needs_room),
        cmocka_unit_test(samples_without_replacement),
        cmocka_unit_test(a_batch_may_be_everything),
        cmocka_unit_test(a_restored_buffer_samples_alike),
    };
    return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
