/* SPDX-License-Identifier: MIT
 *
 * A labeller in another process: a shell command that says what the test wrote down beforehand, bundle by
 * bundle, and keeps what it is sent.
 */
#include "label/remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "small_catalogue.h"

static const dq_maker maker = {.program = "test", .version = "0", .seed = -1};
static char answers[64], questions[64], command[300];

static void make_file(char *path, size_t n, const char *what)
{
    (void)snprintf(path, n, "/tmp/dq-remote-%s-XXXXXX", what);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
}

static int make_files(void **state)
{
    (void)state;
    make_file(answers, sizeof answers, "answers");
    make_file(questions, sizeof questions, "questions");
    (void)snprintf(command, sizeof command, "[ \"$DQ_LABELS_ONLY\" = 1 ] && cat %s && cat > %s", answers,
                   questions);
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    (void)unlink(answers);
    (void)unlink(questions);
    return 0;
}

/* ---- what it says ---- */

typedef struct answer {
    uint32_t item;
    float reward, llm; /* NAN: null */
} answer;

static void put_answers(dq_writer *w, const char *kind, bool llm, const answer *rows, size_t n)
{
    dq_error e = DQ_ERROR_NONE;
    dq_bundle b;
    uint32_t item[8];
    float number[2][8];
    uint8_t none[2][8];
    assert_true(n <= 8);
    for (size_t i = 0; i < n; i++) {
        item[i] = rows[i].item;
        for (size_t k = 0; k < 2; k++) {
            float x = k ? rows[i].llm : rows[i].reward;
            none[k][i] = (uint8_t)(isnan(x) != 0);
            number[k][i] = none[k][i] ? 0 : x;
        }
    }
    assert_int_equal(dq_bundle_init(&b, kind, n, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_numbers(&b, "item", DQ_U4, item, NULL, NULL, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_numbers(&b, "reward", DQ_F4, number[0], NULL, none[0], &e), DQ_OK);
    if (llm) assert_int_equal(dq_bundle_add_numbers(&b, "llm", DQ_F4, number[1], NULL, none[1], &e), DQ_OK);
    if (dq_writer_put(w, &b, &e)) fail_msg("%s", e.reason);
    dq_bundle_free(&b);
}

static dq_writer *open_answers(const char *program)
{
    dq_error e = DQ_ERROR_NONE;
    dq_writer *w;
    const dq_maker m = {.program = program, .version = "0", .seed = -1};
    assert_int_equal(dq_writer_open(&w, answers, &m, NULL, 0, &e), DQ_OK);
    return w;
}

static void close_answers(dq_writer *w)
{
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_writer_close(w, &e), DQ_OK);
}

/* ---- what it is asked about ---- */

static void make_catalogue(dq_catalogue *c)
{
    static const small_entities people = {.kind = DQ_KIND_USERS}, jobs = {.kind = DQ_KIND_ITEMS};
    static const small_row users[] = {{.id = "u1"}, {.id = "u2"}};
    static const small_row items[] = {{.id = "a"}, {.id = "b"}, {.id = "c"}, {.id = "d"}};
    const small_interaction log[] = {
        {"u1", "a", "APPLY", NAN}, {"u2", "b", "SAVE", NAN}, {"u2", "d", "CLICK", NAN}};
    *c = DQ_CATALOGUE_EMPTY;
    small_add(c, &people, users, 2);
    small_add_interactions(c, log, 3);
    small_add(c, &jobs, items, 4);
    small_finish(c);
}

static dq_remote *start(const dq_catalogue *c, const char *its_command, bool (*stop)(void))
{
    dq_error e = DQ_ERROR_NONE;
    dq_remote *r;
    dq_remote_config config = {
        .command = its_command, .maker = &maker, .catalogue = c, .user = 1, .stop_asked = stop};
    assert_int_equal(dq_remote_new(&r, &config, &e), DQ_OK);
    return r;
}

static void needs(dq_remote *r, uint32_t item, const uint32_t *ahead, size_t n)
{
    dq_error e = DQ_ERROR_NONE;
    if (dq_remote_need(r, item, ahead, n, &e)) fail_msg("%s: %s", e.source, e.reason);
}

static void ends(dq_remote *r)
{
    dq_error e = DQ_ERROR_NONE;
    if (dq_remote_end(r, DQ_OK, &e)) fail_msg("%s: %s", e.source, e.reason);
}

/* The next bundle of what it was sent, as "kind: id id" or "transitions: item item". */
static void was_sent(dq_reader *in, const char *words)
{
    char got[200];
    dq_error e = DQ_ERROR_NONE;
    dq_bundle b;
    if (dq_reader_next(in, &b, &e) != 1) fail_msg("%s: nothing more was sent", words);
    bool pairs = strcmp(b.kind, DQ_KIND_TRANSITIONS) == 0, log = strcmp(b.kind, DQ_KIND_INTERACTIONS) == 0;
    const dq_column *column = dq_bundle_column(&b, pairs || log ? "item" : "id");
    (void)snprintf(got, sizeof got, "%s:", b.kind);
    for (uint64_t i = 0; i < b.rows; i++) {
        size_t used = strlen(got), n = 0;
        const char *text = pairs ? "" : dq_column_text(column, i, &n);
        if (pairs)
            (void)snprintf(got + used, sizeof got - used, " %u", (unsigned)dq_column_number(column, i));
        else
            (void)snprintf(got + used, sizeof got - used, " %.*s", (int)n, text);
    }
    assert_string_equal(got, words);
    dq_bundle_free(&b);
}

/* ---- tests ---- */

static void asks_each_pair_once(void **state)
{
    (void)state;
    static const uint32_t ahead[] = {3, 0};
    dq_catalogue c;
    dq_error e = DQ_ERROR_NONE;
    dq_reader *in;
    dq_bundle b;
    make_catalogue(&c);
    dq_writer *w = open_answers("judge");
    put_answers(w, "remark", false, NULL, 0); /* what else it says is passed over, as a catalogue is */
    put_answers(w, "labels", true, (const answer[]){{2, 0.5F, 1}}, 1);
    put_answers(w, "labels", false, (const answer[]){{3, -1, NAN}, {0, NAN, NAN}}, 2);
    put_answers(w, "labels", true, (const answer[]){{1, 1, NAN}}, 1);
    close_answers(w);
    dq_remote *r = start(&c, command, NULL);
    assert_true(dq_remote_unasked(r, 2) && !dq_remote_maker(r) && !dq_remote_answered(r));
    needs(r, 2, ahead, 2);
    assert_true(dq_remote_reward(r, 2) == 0.5F && dq_remote_llm(r, 2) == 1);
    assert_false(dq_remote_unasked(r, 3)); /* on its way */
    assert_true(dq_remote_unasked(r, 1) && dq_remote_answered(r));
    assert_true(dq_value_is(dq_map_get(dq_remote_maker(r), "program"), "judge"));
    needs(r, 0, NULL, 0);
    assert_true(isnan(dq_remote_reward(r, 0)) && isnan(dq_remote_llm(r, 0)));
    assert_true(dq_remote_reward(r, 3) == -1 && dq_remote_llm(r, 3) == -1); /* no part of its own */
    needs(r, 2, ahead, 2);
    needs(r, 1, NULL, 0);
    assert_true(dq_remote_reward(r, 1) == 1 && isnan(dq_remote_llm(r, 1)));
    assert_int_equal(dq_remote_asked(r), 4);
    ends(r);
    assert_int_equal(dq_reader_open(&in, (const char *const[]){questions}, 1, &e), DQ_OK);
    was_sent(in, "users: u2");
    was_sent(in, "interactions: b d");
    was_sent(in, "items: a b c d");
    was_sent(in, "transitions: 2");
    was_sent(in, "transitions: 3 0");
    was_sent(in, "transitions: 1");
    assert_int_equal(dq_reader_next(in, &b, &e), 0);
    dq_reader_close(in);
    dq_catalogue_free(&c);
}

static void nobody_is_started_without_a_question(void **state)
{
    (void)state;
    dq_catalogue c;
    make_catalogue(&c);
    dq_remote *r = start(&c, "exit 3", NULL);
    assert_int_equal(dq_remote_exit(r), -1);
    assert_int_equal(dq_remote_asked(r), 0);
    ends(r);
    ends(NULL);
    dq_catalogue_free(&c);
}

/* The first need of item 2 fails so. */
static void fails(const dq_catalogue *c, const char *its_command, dq_status status, const char *reason,
                  int code)
{
    dq_error e = DQ_ERROR_NONE;
    dq_remote *r = start(c, its_command, NULL);
    assert_int_equal(dq_remote_need(r, 2, NULL, 0, &e), status);
    assert_string_equal(e.source, its_command);
    assert_string_equal(e.reason, reason);
    assert_int_equal(dq_remote_exit(r), code);
    assert_false(dq_remote_answered(r));
    assert_int_equal(dq_remote_end(r, status, &e), status);
}

static void answers_that_are_none(void **state)
{
    (void)state;
    static const answer others[] = {{1, 1, 1}};
    const answer infinite[] = {{2, INFINITY, 1}};
    static const char not_asked[] = "an answer to a pair that was not asked";
    dq_catalogue c;
    make_catalogue(&c);
    fails(&c, "exit 75", DQ_ERR_IO, "exited with status 75", 75);
    fails(&c, "cat", DQ_ERR_SCHEMA, "an answer without the columns item (u4) and reward (f4)", -1);
    dq_writer *w = open_answers("judge");
    put_answers(w, "labels", true, others, 1);
    close_answers(w);
    fails(&c, command, DQ_ERR_SCHEMA, not_asked, -1);
    w = open_answers("judge");
    put_answers(w, "labels", true, (const answer[]){{7, 1, 1}}, 1);
    close_answers(w);
    fails(&c, command, DQ_ERR_SCHEMA, not_asked, -1);
    w = open_answers("judge");
    put_answers(w, "labels", true, infinite, 1);
    close_answers(w);
    fails(&c, command, DQ_ERR_SCHEMA, "a reward that is not finite", -1);
    dq_catalogue_free(&c);
}

static void a_pair_that_is_left_out(void **state)
{
    (void)state;
    dq_catalogue c;
    dq_error e = DQ_ERROR_NONE;
    make_catalogue(&c);
    dq_writer *w = open_answers("judge");
    put_answers(w, "labels", true, NULL, 0);
    close_answers(w);
    dq_remote *r = start(&c, command, NULL);
    assert_int_equal(dq_remote_need(r, 2, NULL, 0, &e), DQ_ERR_SCHEMA);
    assert_string_equal(e.reason, "a pair was left without an answer");
    assert_int_equal(dq_remote_end(r, e.status, &e), DQ_ERR_SCHEMA);
    dq_catalogue_free(&c);
}

static bool always(void)
{
    return true;
}

static void a_wait_can_be_stopped(void **state)
{
    (void)state;
    dq_catalogue c;
    dq_error e = DQ_ERROR_NONE;
    make_catalogue(&c);
    dq_remote *r = start(&c, "cat > /dev/null", always);
    assert_int_equal(dq_remote_need(r, 2, NULL, 0, &e), DQ_ERR_STOPPED);
    assert_int_equal(dq_remote_end(r, DQ_ERR_STOPPED, &e), DQ_ERR_STOPPED);
    dq_catalogue_free(&c);
}

/* What is known goes on in another run, which asks for the rest; of the same labeller only. */
static void a_checkpoint_keeps_what_is_known(void **state)
{
    (void)state;
    dq_catalogue c;
    dq_error e = DQ_ERROR_NONE;
    dq_bundle model;
    make_catalogue(&c);
    dq_writer *w = open_answers("judge");
    put_answers(w, "labels", true, (const answer[]){{2, 0.5F, NAN}}, 1);
    put_answers(w, "labels", true, (const answer[]){{0, NAN, 1}}, 1);
    close_answers(w);
    dq_remote *r = start(&c, command, NULL);
    needs(r, 2, (const uint32_t[]){0}, 1);
    needs(r, 0, NULL, 0);
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, &e), DQ_OK);
    assert_int_equal(dq_remote_save(r, &model, &e), DQ_OK);
    dq_value kept;
    assert_true(dq_value_copy(&model.arena, dq_remote_maker(r), &kept));
    assert_true(dq_map_set(&model.arena, &model.meta, "labeller", kept));
    ends(r);
    for (int same = 0; same < 2; same++) {
        w = open_answers(same ? "judge" : "another");
        put_answers(w, "labels", true, (const answer[]){{1, 1, 1}}, 1);
        close_answers(w);
        r = start(&c, command, NULL);
        assert_int_equal(dq_remote_restore(r, &model, &e), DQ_OK);
        needs(r, 2, NULL, 0);
        needs(r, 0, NULL, 0);
        assert_int_equal(dq_remote_asked(r), 0);
        assert_false(dq_remote_answered(r));
        assert_true(dq_remote_reward(r, 2) == 0.5F && isnan(dq_remote_llm(r, 2)));
        assert_true(isnan(dq_remote_reward(r, 0)) && dq_remote_llm(r, 0) == 1);
        assert_true(dq_remote_unasked(r, 1) && dq_remote_unasked(r, 3));
        dq_status status = dq_remote_need(r, 1, NULL, 0, &e);
        assert_int_equal(status, same ? DQ_OK : DQ_ERR_RANGE);
        assert_int_equal(dq_remote_end(r, status, &e), status);
    }
    dq_bundle_free(&model);
    dq_catalogue_free(&c);
}

static void what_is_no_checkpoint_of_labels(void **state)
{
    (void)state;
    static const float numbers[] = {1};
    static const uint8_t none[] = {0};
    const uint64_t one = 1;
    dq_catalogue c;
    dq_error e = DQ_ERROR_NONE;
    make_catalogue(&c);
    dq_remote *r = start(&c, command, NULL);
    for (uint32_t item = 4; item < 6; item++) {
        dq_bundle model;
        assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, &e), DQ_OK);
        if (item == 4) {
            assert_int_equal(dq_bundle_add_tensor(&model, "labels.item", DQ_U4, 1, &one, &item, &e), DQ_OK);
            assert_int_equal(dq_bundle_add_tensor(&model, "labels.reward", DQ_F4, 1, &one, numbers, &e),
                             DQ_OK);
            assert_int_equal(dq_bundle_add_tensor(&model, "labels.llm", DQ_F4, 1, &one, numbers, &e), DQ_OK);
            assert_int_equal(dq_bundle_add_tensor(&model, "labels.none", DQ_U1, 1, &one, none, &e), DQ_OK);
        }
        assert_int_equal(dq_remote_restore(r, &model, &e), DQ_ERR_SCHEMA);
        dq_bundle_free(&model);
    }
    ends(r);
    dq_catalogue_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_each_pair_once),
        cmocka_unit_test(nobody_is_started_without_a_question),
        cmocka_unit_test(answers_that_are_none),
        cmocka_unit_test(a_pair_that_is_left_out),
        cmocka_unit_test(a_wait_can_be_stopped),
        cmocka_unit_test(a_checkpoint_keeps_what_is_known),
        cmocka_unit_test(what_is_no_checkpoint_of_labels),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
