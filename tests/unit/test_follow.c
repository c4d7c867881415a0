/* SPDX-License-Identifier: MIT
 *
 * Learning on from a log: when a shot is due, what is kept in a model, and who decides whether it is
 * promoted.
 */
#include "ope/estimate.h"
#include "serve/online/follow.h"
#include "serve/online/promote.h"

#include "tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void shots_come_after_rows_or_a_time(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t rows;
        double seconds;
    } right[] = {{NULL, 0, 0},    {"500", 500, 0}, {"30s", 0, 30},
                 {"10m", 0, 600}, {"1h", 0, 3600}, {"2d", 0, 172800}};
    static const char *const wrong[] = {"", "0", "0s", "5x", "1hh", "-3", "1.5h", "h", "1234567890", "+5"};
    dq_follow_every every;
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        assert_true(dq_follow_parse_every(right[i].text, &every));
        assert_true(every.rows == right[i].rows && every.seconds == right[i].seconds);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(dq_follow_parse_every(wrong[i], &every));
}

static void a_model_says_where_it_has_come_to(void **state)
{
    (void)state;
    const dq_follow_at at = {1234567890123, 42, UINT64_MAX - 5};
    dq_follow_at back = {1, 1, 1};
    dq_bundle model = table("model", 0);
    assert_int_equal(dq_follow_load(&back, &model, NULL), DQ_OK);
    assert_true(back.position == 0 && back.rows == 0 && back.catalogue == 0);
    assert_int_equal(dq_follow_save(&at, &model, NULL), DQ_OK);
    assert_int_equal(dq_follow_load(&back, &model, NULL), DQ_OK);
    assert_true(back.position == at.position && back.rows == 42 && back.catalogue == at.catalogue);
    dq_bundle_free(&model);
}

static void a_commands_end_is_its_status_and_its_last_line(void **state)
{
    (void)state;
    static const char *const variables[] = {"DQ_TEST_WORD=two words", NULL};
    dq_command_end end;
    assert_int_equal(dq_command_run("echo one; echo \"$DQ_TEST_WORD\" >&2; echo '  '; exit 7", variables, -1,
                                    NULL, &end, NULL),
                     DQ_OK);
    assert_int_equal(end.exit, 7);
    assert_string_equal(end.last, "two words");
    assert_int_equal(
        dq_command_run("printf 'no end'; read word || kill -TERM $$", NULL, -1, NULL, &end, NULL), DQ_OK);
    assert_int_equal(end.exit, 128 + 15); /* stdin is empty */
    assert_string_equal(end.last, "no end");
    assert_int_equal(dq_command_run("printf '\\377\\n'; printf '%01000d' 5", NULL, -1, NULL, &end, NULL),
                     DQ_OK);
    assert_int_equal(strlen(end.last), DQ_COMMAND_LINE - 1); /* cut */
    assert_int_equal(dq_command_run("printf '\\377\\n'", NULL, -1, NULL, &end, NULL), DQ_OK);
    assert_string_equal(end.last, ""); /* no UTF-8 */
}

static void what_is_better_has_a_lower_bound_above(void **state)
{
    (void)state;
    char words[100];
    const dq_ope_estimate old = {.name = "snips", .value = 0.25, .bootstrap = {0.2, 0.3}},
                          near = {.name = "snips", .value = 0.3, .bootstrap = {0.24, 0.36}},
                          far = {.name = "snips", .value = 0.3, .bootstrap = {0.26, 0.34}},
                          none = {.name = "snips", .value = 0.3, .bootstrap = {NAN, NAN}};
    assert_true(dq_ope_is_better(&far, &old, words, sizeof words));
    assert_string_equal(words, "snips 0.3 [0.26, 0.34] is above 0.25");
    assert_false(dq_ope_is_better(&near, &old, words, sizeof words));
    assert_string_equal(words, "snips 0.3 [0.24, 0.36] is not above 0.25");
    assert_false(dq_ope_is_better(&none, &old, words, sizeof words));
    assert_false(dq_ope_is_better(&old, &old, words, sizeof words));
}

/* ---- promotion ---- */

static char folder[] = "/tmp/dq-follow-XXXXXX", place[64], refused[80], candidate[80];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    (void)snprintf(place, sizeof place, "%s/m.dq", folder);
    (void)snprintf(refused, sizeof refused, "%s.refused", place);
    (void)snprintf(candidate, sizeof candidate, "%s.candidate", place);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(place);
    (void)unlink(refused);
    return rmdir(folder);
}

static void promote(const char *command, int exit)
{
    const dq_maker maker = {.program = "test", .version = "1", .seed = -1};
    dq_command_end end = {0};
    dq_bundle model = table("model", 0);
    const dq_promotion promotion = {.place = place,
                                    .standing = place,
                                    .log = "log.dq",
                                    .held = "held.dq",
                                    .command = command,
                                    .told = "told",
                                    .maker = &maker,
                                    .echo = -1};
    assert_int_equal(dq_promote(&promotion, &model, &end, NULL), DQ_OK);
    assert_int_equal(end.exit, exit);
    const dq_value *judged = dq_map_get(&model.meta, "judged");
    assert_int_equal(judged != NULL, command && exit == 0);
    assert_int_equal(access(candidate, F_OK), -1);
    dq_bundle_free(&model);
}

static void a_model_takes_its_place_where_the_command_says_so(void **state)
{
    (void)state;
    promote("test -s $DQ_CANDIDATE && test ! -e $DQ_STANDING && test $DQ_LOG = log.dq && test $DQ_HELD = "
            "held.dq && exit 9",
            9);
    assert_int_equal(access(place, F_OK), -1);
    assert_int_equal(access(refused, F_OK), 0);
    promote("true", 0);
    assert_int_equal(access(place, F_OK), 0);
    promote(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shots_come_after_rows_or_a_time),
        cmocka_unit_test(a_model_says_where_it_has_come_to),
        cmocka_unit_test(a_commands_end_is_its_status_and_its_last_line),
        cmocka_unit_test(what_is_better_has_a_lower_bound_above),
        cmocka_unit_test(a_model_takes_its_place_where_the_command_says_so),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
