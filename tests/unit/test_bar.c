/* SPDX-License-Identifier: MIT
 *
 * What a progress bar says at each width, and when it is due, of given times.
 */
#include "cli/terminal/bar.c" /* programs' parts are in no library */
#include "cli/terminal/screen.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void says(const dq_bar *bar, size_t columns, bool cells, const char *wanted)
{
    char line[512];
    dq_bar_write(bar, columns, cells, false, line, sizeof line);
    assert_string_equal(line, wanted);
}

static const dq_bar halfway = {
    .label = "training", .unit = "batches", .note = "loss 0.31", .done = 500, .total = 1500, .seconds = 50};

static void parts_go_from_the_right(void **unused)
{
    (void)unused;
    says(&halfway, 200, true,
         "training [##########....................]  33%  500/1500  0:01:40 left  10 batches/s  loss 0.31");
    says(&halfway, 97, true,
         "training [##########....................]  33%  500/1500  0:01:40 left  10 batches/s  loss 0.31");
    says(&halfway, 77, true, "training [####........]  33%  500/1500  0:01:40 left  10 batches/s  loss 0.31");
    says(&halfway, 37, true, "training [###........]  33%  500/1500");
    says(&halfway, 34, true, "training [##......]  33%  500/1500");
    says(&halfway, 33, true, "training [#####............]  33%");
    says(&halfway, 20, true, "training  33%");
    says(&halfway, 12, true, "training");
    says(&halfway, 7, true, "");
    says(&halfway, 400, false, "training  33%  500/1500  0:01:40 left  10 batches/s  loss 0.31");
}

static void without_a_total(void **unused)
{
    (void)unused;
    dq_bar b = {.label = "embedding", .unit = "items", .done = 12345, .seconds = 12};
    says(&b, 200, true, "embedding  12345 items  0:00:12  1029 items/s");
    says(&b, 40, true, "embedding  12345 items  0:00:12");
    b.seconds = 0.5; /* no rate yet */
    says(&b, 200, true, "embedding  12345 items");
}

static void numbers_at_their_ends(void **unused)
{
    (void)unused;
    dq_bar b = halfway;
    b.note = NULL;
    b.ended = true;
    b.done = b.total;
    says(&b, 200, true, "training [##############################] 100%  1500/1500  0:00:50  30 batches/s");
    b.done = 1501; /* more than was announced */
    says(&b, 400, false, "training 100%  1501/1500  0:00:50  30 batches/s");
    b.ended = false;
    says(&b, 400, false, "training 100%  1501/1500  30 batches/s");
    b.done = 0;
    says(&b, 400, false, "training   0%  0/1500");
    b = (dq_bar){.label = "l", .unit = "u", .done = 1, .total = 40001, .seconds = 10};
    says(&b, 400, false, "l   0%  1/40001  111:06:40 left  0.10 u/s"); /* 40000 at 10 s each */
    b = (dq_bar){.label = "l", .unit = "u", .done = 25, .total = 26, .seconds = 10};
    says(&b, 400, false, "l  96%  25/26  0:00:00 left  2.5 u/s");
    b = (dq_bar){.label = "l", .unit = "u", .done = 30000000, .total = 0, .seconds = 10};
    says(&b, 400, false, "l  30000000 u  0:00:10  3.0M u/s");
    b = (dq_bar){.label = "l", .unit = "u", .done = 1, .total = UINT64_MAX, .seconds = 1e9};
    says(&b, 400, false, "l   0%  1/18446744073709551615  10000:00:00 left  0.00 u/s");
}

static void an_earlier_run_is_no_part_of_the_rate(void **unused)
{
    (void)unused;
    dq_bar b = {
        .label = "training", .unit = "steps", .done = 900, .before = 800, .total = 1000, .seconds = 10};
    says(&b, 400, false, "training  90%  900/1000  0:00:10 left  10 steps/s");
    b.done = 800;
    says(&b, 400, false, "training  80%  800/1000");
}

/* No line is wider than it may be, whatever is in its texts, with colour too. */
static void no_line_is_too_wide(void **unused)
{
    (void)unused;
    static const char *const texts[] = {"training", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "e\xcc\x81",
                                        "a\x1b[2J\nb", "\xff\xfe"};
    char line[512];
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
        for (size_t n = 0; n < sizeof texts / sizeof *texts; n++)
            for (size_t columns = 0; columns <= 120; columns++)
                for (uint64_t total = 0; total <= 1500; total += 1500) {
                    const dq_bar b = {texts[t], texts[n], texts[n], 500, total, 0, 50, false};
                    dq_bar_write(&b, columns, true, false, line, sizeof line);
                    assert_true(dq_screen_columns(line, strlen(line)) <= columns);
                    for (const char *c = line; *c; c++) assert_true((unsigned char)*c >= ' ');
                }
    dq_bar_write(&halfway, 200, true, true, line, sizeof line);
    assert_non_null(strstr(line, " [\033[32m##########....................\033[0m]  33%"));
}

/* A short buffer holds whole parts, and an end. */
static void a_short_buffer(void **unused)
{
    (void)unused;
    for (size_t room = 1; room < 140; room++) {
        char *line = malloc(room);
        dq_bar_write(&halfway, 200, true, true, line, room);
        assert_true(strlen(line) < room);
        free(line);
    }
}

static void when_it_is_due(void **unused)
{
    (void)unused;
    assert_false(dq_bar_due(0.9, -1, true, false));
    assert_true(dq_bar_due(1, -1, true, false));
    assert_true(dq_bar_due(0, -1, true, true));
    assert_false(dq_bar_due(0.09, 0, true, true));
    assert_true(dq_bar_due(0.1, 0, true, false));
    assert_false(dq_bar_due(0.9, -1, false, true)); /* a log waits a moment, also when it is asked for */
    assert_true(dq_bar_due(1, -1, false, true));
    assert_false(dq_bar_due(60.9, 1, false, true));
    assert_true(dq_bar_due(61, 1, false, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_go_from_the_right), cmocka_unit_test(without_a_total),
        cmocka_unit_test(numbers_at_their_ends),   cmocka_unit_test(an_earlier_run_is_no_part_of_the_rate),
        cmocka_unit_test(no_line_is_too_wide),     cmocka_unit_test(a_short_buffer),
        cmocka_unit_test(when_it_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
