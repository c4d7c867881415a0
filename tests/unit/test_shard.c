/* SPDX-License-Identifier: MIT
 *
 * Parts of a set of ids: what a text says, and that every id is in one part and no other, for ever.
 */
#include "core/shard/shard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void a_text_is_one_of_so_many(void **state)
{
    (void)state;
    dq_shard shard = DQ_SHARD_ALL;
    assert_int_equal(dq_shard_parse(&shard, "3/12", NULL), DQ_OK);
    assert_true(shard.index == 3 && shard.count == 12);
    assert_int_equal(dq_shard_parse(&shard, "1000000/1000000", NULL), DQ_OK);
    assert_true(shard.index == DQ_SHARD_MAX && shard.count == DQ_SHARD_MAX);
    assert_int_equal(dq_shard_parse(&shard, "1/1", NULL), DQ_OK);
    assert_false(dq_shard_cuts(&shard));
}

static void another_text_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "3",
                                        "/",
                                        "3/",
                                        "/3",
                                        "0/3",
                                        "4/3",
                                        "1/0",
                                        "-1/3",
                                        "1/-3",
                                        "+1/3",
                                        " 1/3",
                                        "1 /3",
                                        "1/3 ",
                                        "1/3x",
                                        "1/3/3",
                                        "0x1/3",
                                        "1/1000001",
                                        "a/b",
                                        "1.0/3",
                                        "1\\3",
                                        "4294967297/4294967298",
                                        "1/99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        dq_shard shard = {2, 5};
        dq_error e = DQ_ERROR_NONE;
        assert_int_equal(dq_shard_parse(&shard, wrong[i], &e), DQ_ERR_RANGE);
        assert_true(shard.index == 2 && shard.count == 5);
        assert_non_null(strstr(e.reason, "such as 3/12"));
    }
}

static void every_id_is_in_one_part(void **state)
{
    (void)state;
    enum { IDS = 10000, PARTS = 7 };
    uint32_t held[PARTS] = {0};
    for (int i = 0; i < IDS; i++) {
        char id[16];
        int in = 0;
        size_t n = (size_t)snprintf(id, sizeof id, "u%d", i);
        for (uint32_t p = 1; p <= PARTS; p++) {
            bool has = dq_shard_has(&(dq_shard){p, PARTS}, id, n);
            in += has;
            held[p - 1] += has;
        }
        assert_int_equal(in, 1);
        assert_true(dq_shard_has(&DQ_SHARD_ALL, id, n));
        assert_true(dq_shard_has(&(dq_shard){1, 1}, id, n));
    }
    /* a part is binomial: its deviation is 35 here, and six of them are never seen */
    for (int p = 0; p < PARTS; p++) assert_in_range(held[p], IDS / PARTS - 210, IDS / PARTS + 210);
}

/* What was cut by an earlier version is cut so by this one: numbers of Python's xxhash. */
static void parts_are_those_of_every_version(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        uint32_t of3, of12, of1000;
    } known[] = {{"", 2, 11, 139},
                 {"u1", 2, 2, 386},
                 {"u07", 3, 12, 196},
                 {"507f1f77bcf86cd799439011", 1, 7, 503},
                 {"Z\xc3\xbc"
                  "rich",
                  2, 11, 631}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t n = strlen(known[i].id);
        assert_true(dq_shard_has(&(dq_shard){known[i].of3, 3}, known[i].id, n));
        assert_true(dq_shard_has(&(dq_shard){known[i].of12, 12}, known[i].id, n));
        assert_true(dq_shard_has(&(dq_shard){known[i].of1000, 1000}, known[i].id, n));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_text_is_one_of_so_many),
                                       cmocka_unit_test(another_text_is_refused_and_changes_nothing),
                                       cmocka_unit_test(every_id_is_in_one_part),
                                       cmocka_unit_test(parts_are_those_of_every_version)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
