/* SPDX-License-Identifier: MIT
 *
 * What a screen is asked: its width without a terminal, dumb terminals, colour, columns of texts. With a
 * terminal: tests/cli/pty.bats.
 */
#include "cli/terminal/screen.c" /* programs' parts are in no library */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void width_without_a_terminal(void **unused)
{
    (void)unused;
    int fd = open("/dev/null", O_RDONLY);
    (void)unsetenv("COLUMNS");
    assert_int_equal(dq_screen_width(fd), 80);
    static const struct {
        const char *columns;
        unsigned width;
    } cases[] = {{"132", 132}, {"1", 1},    {"0", 80},        {"", 80},      {"-5", 80},
                 {"12x", 80},  {" 40", 80}, {"10000", 10000}, {"10001", 80}, {"99999999999999999999", 80}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)setenv("COLUMNS", cases[i].columns, 1);
        assert_int_equal(dq_screen_width(fd), cases[i].width);
    }
    (void)close(fd);
}

static void dumb_terminals_and_colour(void **unused)
{
    (void)unused;
    int pty = posix_openpt(O_RDWR | O_NOCTTY), null = open("/dev/null", O_RDWR);
    assert_true(pty >= 0);
    (void)unsetenv("NO_COLOR");
    (void)setenv("TERM", "xterm", 1);
    assert_false(dq_screen_is_dumb());
    assert_true(dq_screen_colour(pty));
    assert_false(dq_screen_colour(null));
    (void)setenv("NO_COLOR", "", 1);
    assert_true(dq_screen_colour(pty));
    (void)setenv("NO_COLOR", "1", 1);
    assert_false(dq_screen_colour(pty));
    (void)unsetenv("NO_COLOR");
    (void)setenv("TERM", "dumb", 1);
    assert_true(dq_screen_is_dumb());
    assert_false(dq_screen_colour(pty));
    (void)setenv("TERM", "", 1);
    assert_true(dq_screen_is_dumb());
    (void)unsetenv("TERM");
    assert_true(dq_screen_is_dumb());
    (void)close(pty);
    (void)close(null);
}

/* Unicode's own annex 11 says which are wide. */
static void columns_of_texts(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        size_t columns;
    } cases[] = {
        {"", 0},
        {"plain", 5},
        {"na\xc3\xafve", 5},             /* U+00EF */
        {"nai\xcc\x88ve", 5},            /* i, U+0308, which combines */
        {"\xe6\x97\xa5\xe6\x9c\xac", 4}, /* two ideographs */
        {"\xef\xbc\xa1", 2},             /* a full-width A */
        {"\xf0\x9f\x8e\xac", 2},         /* U+1F3AC, a clapper board */
        {"a\x1b[2J\x7f", 6},             /* controls: one each */
        {"\xff\xc3", 2},                 /* bytes that are no UTF-8: one each */
        {"\xe2\x80\x8b|", 1},            /* U+200B takes no room */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(dq_screen_columns(cases[i].text, strlen(cases[i].text)), cases[i].columns);
}

static void texts_are_cut_at_columns(void **unused)
{
    (void)unused;
    static const char wide[] = "a\xe6\x97\xa5\xe6\x9c\xac!"; /* columns 1, 3, 5, 6 */
    static const size_t bytes[] = {0, 1, 1, 4, 4, 7, 8, 8};
    for (size_t columns = 0; columns < sizeof bytes / sizeof *bytes; columns++)
        assert_int_equal(dq_screen_fit(wide, sizeof wide - 1, columns), bytes[columns]);
    assert_int_equal(dq_screen_fit("i\xcc\x88x", 4, 1), 3); /* what combines stays with its letter */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(width_without_a_terminal),
        cmocka_unit_test(dumb_terminals_and_colour),
        cmocka_unit_test(columns_of_texts),
        cmocka_unit_test(texts_are_cut_at_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
