/* SPDX-License-Identifier: MIT
 *
 * What was shown, joined with what came of it.
 */
#include "log/answers.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/dq-test-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static dq_log_text text(const char *words)
{
    return (dq_log_text){words, words ? strlen(words) : 0};
}

static void add(dq_log_writer *w, dq_log_kind kind, const char *request, const char *item, const char *label,
                double reward)
{
    const dq_log_row row = {.user = text("u"),
                            .item = text(item),
                            .request = text(request),
                            .label = text(label),
                            .position = 1,
                            .propensity = 0.5,
                            .reward = reward,
                            .time = 1e9};
    dq_error e = DQ_ERROR_NONE;
    if (dq_log_append(w, kind, &row, 1, NULL, &e)) fail_msg("%s", e.reason);
}

static void make_log(void)
{
    const dq_log_config config = {.maker = {.program = "test", .version = "1", .seed = -1}};
    dq_log_writer *w;
    dq_error e = DQ_ERROR_NONE;
    if (dq_log_writer_open(&w, path, &config, &e)) fail_msg("%s", e.reason);
    add(w, DQ_LOG_SHOWN, "r1", "a", NULL, NAN);
    add(w, DQ_LOG_SHOWN, "r1", "b", NULL, NAN);
    add(w, DQ_LOG_SHOWN, "r1", "c", NULL, NAN);
    add(w, DQ_LOG_ANSWERS, "r1", "b", "CLICK", NAN);
    add(w, DQ_LOG_ANSWERS, "r1", "b", "APPLY", NAN);  /* is worth more, */
    add(w, DQ_LOG_ANSWERS, "r1", "b", "IGNORE", NAN); /* and this less */
    add(w, DQ_LOG_ANSWERS, "r1", "c", NULL, 0.25);
    add(w, DQ_LOG_ANSWERS, "r1", "c", "?", NAN); /* a label that is worth nothing known */
    add(w, DQ_LOG_SHOWN, "r2", "b", NULL, NAN);
    add(w, DQ_LOG_SHOWN, NULL, "b", NULL, NAN);      /* of no request: nobody can answer */
    add(w, DQ_LOG_ANSWERS, "r9", "b", "APPLY", NAN); /* to nothing that was shown */
    add(w, DQ_LOG_SHOWN, "r", "1a", NULL, NAN);      /* the same bytes together as r1, a */
    assert_int_equal(dq_log_writer_close(w, NULL), DQ_OK);
}

/* "r1/b APPLY 0.25;" for each row. */
static void show(const dq_bundle *b, char *words, size_t size)
{
    static const char *const names[] = {"request", "item", "label"};
    const dq_column *reward = dq_bundle_column(b, "reward");
    for (uint64_t r = 0; r < b->rows; r++) {
        for (size_t i = 0; i < 3; i++) {
            size_t n = 1, used = strlen(words);
            const dq_column *c = dq_bundle_column(b, names[i]);
            const char *cell = c ? dq_column_text(c, r, &n) : NULL;
            (void)snprintf(words + used, size - used, "%.*s%s", cell ? (int)n : 1, cell ? cell : "-",
                           i == 0 ? "/" : " ");
        }
        size_t used = strlen(words);
        if (reward && !dq_column_is_null(reward, r))
            (void)snprintf(words + used, size - used, "%g;", dq_column_number(reward, r));
        else
            (void)snprintf(words + used, size - used, "-;");
    }
}

/* Reads the file through the join. */
static dq_status read_joined(dq_log_join *join, const char *const *paths, size_t count, char *words,
                             size_t size, dq_error *error)
{
    dq_reader *reader;
    dq_bundle b;
    int got = 0;
    *words = '\0';
    dq_status status = dq_reader_open(&reader, paths, count, error);
    if (status) return status;
    status = dq_log_join_reader(join, reader, paths, count, error);
    while (!status && (got = dq_reader_next(reader, &b, error)) > 0) {
        show(&b, words, size);
        dq_bundle_free(&b);
    }
    dq_reader_close(reader);
    return got < 0 ? error->status : status;
}

static void joined_are(const char *unanswered, const char *wanted, const char *said)
{
    const char *const paths[] = {path};
    dq_label_map map = {0};
    dq_error e = DQ_ERROR_NONE;
    char words[512];
    assert_int_equal(dq_label_map_parse(&map, DQ_LABEL_MAP_DEFAULT, &e), DQ_OK);
    dq_log_join join = {.map = &map, .unanswered = unanswered};
    for (int again = 0; again < 2; again++) { /* a second reading gives the same */
        if (read_joined(&join, paths, 1, words, sizeof words, &e)) fail_msg("%s", e.reason);
        assert_string_equal(words, wanted);
        assert_true(dq_log_join_describe(&join, words, sizeof words));
        assert_string_equal(words, said);
    }
    dq_log_join_free(&join);
    dq_label_map_free(&map);
}

static const char said[] =
    "a server's log: 2 of 6 showings were answered, and 1 answers are to nothing that was shown";

static void a_showing_has_the_answer_that_is_worth_most(void **state)
{
    (void)state;
    make_log();
    joined_are(NULL, "r1/a - -;r1/b APPLY -;r1/c - 0.25;r2/b - -;-/b - -;r/1a - -;", said);
}

static void who_did_not_answer_may_have_a_label(void **state)
{
    (void)state;
    joined_are("IGNORE", "r1/a IGNORE -;r1/b APPLY -;r1/c - 0.25;r2/b IGNORE -;-/b IGNORE -;r/1a IGNORE -;",
               said);
}

static void what_cannot_be_is_refused(void **state)
{
    const char *const paths[] = {path}, *const pipes[] = {"/dev/stdin"};
    char words[512];
    dq_label_map map = {0};
    dq_error e = DQ_ERROR_NONE;
    (void)state;
    assert_int_equal(dq_label_map_parse(&map, DQ_LABEL_MAP_DEFAULT, &e), DQ_OK);
    dq_log_join join = {.map = &map, .unanswered = "NOPE"};
    assert_int_equal(read_joined(&join, paths, 1, words, sizeof words, &e), DQ_ERR_UNKNOWN);
    assert_non_null(strstr(e.reason, "'NOPE'"));
    join.unanswered = NULL;
    /* what the reader was opened with is a pipe */
    dq_reader *reader;
    dq_bundle b;
    assert_int_equal(dq_reader_open(&reader, paths, 1, NULL), DQ_OK);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(dq_log_join_reader(&join, reader, pipes, 1, NULL), DQ_OK);
    e = DQ_ERROR_NONE;
    assert_int_equal(dq_reader_next(reader, &b, &e), -1);
    assert_int_equal(e.status, DQ_ERR_UNSUPPORTED);
    assert_non_null(strstr(e.reason, "read twice"));
    dq_reader_close(reader);
    dq_log_join_free(&join);
    dq_label_map_free(&map);
}

static void a_stream_without_a_log_stays_as_it_is(void **state)
{
    const dq_maker maker = {.program = "test", .version = "1", .seed = -1};
    const char *const paths[] = {path};
    static const uint32_t offsets[] = {0, 1};
    char words[512];
    dq_writer *w;
    dq_bundle b;
    dq_error e = DQ_ERROR_NONE;
    dq_label_map map = {0};
    dq_log_join join = {.map = &map};
    (void)state;
    assert_int_equal(dq_writer_open(&w, path, &maker, NULL, 0, &e), DQ_OK);
    assert_int_equal(dq_bundle_init(&b, "interactions", 1, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_text(&b, "user", DQ_TEXT, offsets, "u", NULL, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_text(&b, "item", DQ_TEXT, offsets, "i", NULL, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_text(&b, "label", DQ_TEXT, offsets, "L", NULL, &e), DQ_OK);
    assert_int_equal(dq_writer_put(w, &b, &e), DQ_OK);
    dq_bundle_free(&b);
    assert_int_equal(dq_writer_close(w, &e), DQ_OK);
    assert_int_equal(read_joined(&join, paths, 1, words, sizeof words, &e), DQ_OK);
    assert_string_equal(words, "-/i L -;");
    assert_false(dq_log_join_describe(&join, words, sizeof words));
    dq_log_join_free(&join);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_showing_has_the_answer_that_is_worth_most),
        cmocka_unit_test(who_did_not_answer_may_have_a_label),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(a_stream_without_a_log_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
