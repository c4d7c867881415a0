/* SPDX-License-Identifier: MIT */
#include "text_file.h"

#include "report/rankings.h"

#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void write_bundle(dq_bundle b)
{
    const dq_maker maker = {.program = "dq-rank", .version = "1", .seed = -1};
    dq_writer *w;
    assert_int_equal(dq_writer_open(&w, path, &maker, NULL, 0, NULL), DQ_OK);
    put(w, b);
    assert_int_equal(dq_writer_close(w, NULL), DQ_OK);
}

/* The value of a query's document; -99: there is none. */
static double value_of(const dq_lists *lists, const char *query, const char *doc)
{
    uint32_t q = dq_index_find(&lists->queries, query, strlen(query));
    uint32_t d = dq_index_find(&lists->docs, doc, strlen(doc));
    for (size_t i = q == DQ_ABSENT ? 1 : lists->start[q]; q != DQ_ABSENT && i < lists->start[q + 1]; i++)
        if (lists->doc[i] == d) return lists->value[i];
    return -99;
}

static void trec_files_are_read(void **state)
{
    (void)state;
    char tag[16];
    dq_lists lists = DQ_LISTS_EMPTY;
    write_text("q1 0 d1 2\nq1 0 d2 0\n");
    assert_int_equal(dq_rankings_read_qrels(path, "A=1", &lists, NULL), DQ_OK);
    assert_true(value_of(&lists, "q1", "d1") == 2 && value_of(&lists, "q1", "d2") == 0);
    dq_lists_free(&lists);
    write_text("q1 Q0 d1 1 0.5 first\nq2 Q0 d1 1 0.25 last\n");
    assert_int_equal(dq_rankings_read_run(path, &lists, tag, sizeof tag, NULL), DQ_OK);
    assert_true(value_of(&lists, "q1", "d1") == 0.5 && value_of(&lists, "q2", "d1") == 0.25);
    assert_string_equal(tag, "last");
    dq_lists_free(&lists);
}

/* Greek letters begin with the byte that a stream begins with. */
static void any_id_may_come_first(void **state)
{
    (void)state;
    static const char *const ids[] = {"#1", "\u03c0", "\u03c0\u03b1", "{", "\"", "query-id"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        char text[100];
        dq_lists lists = DQ_LISTS_EMPTY;
        (void)snprintf(text, sizeof text, "\n%s 0 %s 2\n%s 0 other 1\n", ids[i], ids[i], ids[i]);
        write_text(text + 1);
        assert_int_equal(dq_rankings_read_qrels(path, "A=1", &lists, NULL), DQ_OK);
        assert_true(value_of(&lists, ids[i], ids[i]) == 2 && value_of(&lists, ids[i], "other") == 1);
        dq_lists_free(&lists);
        write_text(text);
        assert_int_equal(dq_rankings_read_qrels(path, "A=1", &lists, NULL), DQ_OK);
        assert_true(value_of(&lists, ids[i], ids[i]) == 2);
        dq_lists_free(&lists);
    }
}

static void columns_of_beir_are_named(void **state)
{
    (void)state;
    dq_lists lists = DQ_LISTS_EMPTY;
    dq_error e = DQ_ERROR_NONE;
    write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\n");
    assert_int_equal(dq_rankings_read_qrels(path, "A=1", &lists, &e), DQ_ERR_FORMAT);
    assert_non_null(strstr(e.reason, "BEIR"));
    assert_non_null(strstr(e.reason, "awk 'NR > 1 {print $1, 0, $2, $3}'"));
    dq_lists_free(&lists);
}

static void faults_have_a_line(void **state)
{
    (void)state;
    dq_lists lists = DQ_LISTS_EMPTY;
    dq_error e = DQ_ERROR_NONE;
    write_text("q1 0 d1 2\nq1 0 \xff 0\n");
    assert_int_equal(dq_rankings_read_qrels(path, "A=1", &lists, &e), DQ_ERR_FORMAT);
    assert_int_equal(e.record, 2);
    dq_lists_free(&lists);
    write_text("");
    assert_int_equal(dq_rankings_read_qrels(path, "A=1", &lists, &e), DQ_ERR_TRUNCATED);
    dq_lists_free(&lists);
}

static void interactions_with_a_level_are_judgements(void **state)
{
    (void)state;
    dq_lists lists = DQ_LISTS_EMPTY;
    dq_error e = DQ_ERROR_NONE;
    dq_bundle b = table("interactions", 4);
    add_texts(&b, "user", DQ_TEXT, TEXTS("u", "u", "u", "v"));
    add_texts(&b, "item", DQ_TEXT, TEXTS("x", "x", "y", "y"));
    add_texts(&b, "label", DQ_TEXT, TEXTS("CLICK", "APPLY", "SEEN", NULL));
    write_bundle(b);
    assert_int_equal(dq_rankings_read_qrels(path, "APPLY=3,CLICK=1", &lists, NULL), DQ_OK);
    assert_true(value_of(&lists, "u", "x") == 3); /* the greatest of the two */
    assert_true(value_of(&lists, "u", "y") == -99 && value_of(&lists, "v", "y") == -99);
    dq_lists_free(&lists);
    assert_int_equal(dq_rankings_read_qrels(path, "BUY=1", &lists, &e), DQ_ERR_SCHEMA);
    assert_string_equal(e.reason, "the stream has no interactions");
    dq_lists_free(&lists);
}

static void rankings_of_a_stream_are_a_run(void **state)
{
    (void)state;
    static const uint32_t rank[2] = {1, 2};
    static const float score[2] = {0.5F, 0.25F};
    char tag[16];
    dq_lists lists = DQ_LISTS_EMPTY;
    dq_bundle b = table("rankings", 2);
    add_texts(&b, "user", DQ_TEXT, TEXTS("u", "u"));
    add_texts(&b, "item", DQ_TEXT, TEXTS("x", "y"));
    add_numbers(&b, "rank", DQ_U4, rank, NULL, NULL);
    add_numbers(&b, "score", DQ_F4, score, NULL, NULL);
    write_bundle(b);
    assert_int_equal(dq_rankings_read_run(path, &lists, tag, sizeof tag, NULL), DQ_OK);
    assert_true(value_of(&lists, "u", "y") == 0.25);
    assert_string_equal(tag, "dq-rank");
    dq_lists_free(&lists);
}

static void levels_are_whole(void **state)
{
    (void)state;
    dq_label_map gains = {0};
    assert_int_equal(dq_rankings_gains("A=2,B=0.5", &gains, NULL), DQ_ERR_RANGE);
    dq_label_map_free(&gains);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trec_files_are_read),
        cmocka_unit_test(any_id_may_come_first),
        cmocka_unit_test(columns_of_beir_are_named),
        cmocka_unit_test(faults_have_a_line),
        cmocka_unit_test(interactions_with_a_level_are_judgements),
        cmocka_unit_test(rankings_of_a_stream_are_a_run),
        cmocka_unit_test(levels_are_whole),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
