/* SPDX-License-Identifier: MIT */
#include "measure/run_table.h"

#include "memory.h"
#include "report/runs.h"

#include <math.h>

static void add(dq_lists *lists, const char *query, const char *doc, double value)
{
    assert_int_equal(dq_lists_add(lists, query, strlen(query), doc, strlen(doc), value, NULL), DQ_OK);
}

static void finish(dq_lists *lists)
{
    assert_int_equal(dq_lists_finish(lists, DQ_TWICE_REFUSED, NULL), DQ_OK);
}

/* Queries b and a have one relevant document each, query c has one that no run finds. The first run has its
 * first hit at ranks 1 (b) and 2 (a), the second at 2 and 2, and nothing for c. */
static void make_table(dq_run_table *t)
{
    static const char *const names[] = {"x/one.run", "y/two.run"};
    dq_run first = DQ_LISTS_EMPTY, second = DQ_LISTS_EMPTY;
    *t = (dq_run_table){0};
    assert_int_equal(dq_measure_pick_add(&t->picks, "recip_rank", NULL, NULL), DQ_OK);
    assert_int_equal(dq_measure_pick_add(&t->picks, "num_ret", NULL, NULL), DQ_OK);
    add(&t->qrels, "b", "1", 1);
    add(&t->qrels, "a", "2", 1);
    add(&t->qrels, "c", "3", 1);
    finish(&t->qrels);
    add(&first, "b", "1", 9), add(&first, "b", "2", 8), add(&first, "a", "1", 9), add(&first, "a", "2", 8);
    add(&first, "c", "1", 1);
    add(&second, "b", "2", 9), add(&second, "b", "1", 8), add(&second, "a", "1", 9),
        add(&second, "a", "2", 8);
    finish(&first), finish(&second);
    assert_int_equal(dq_run_table_init(t, names, 2, NULL), DQ_OK);
    assert_int_equal(dq_run_table_measure(t, 0, &first, 1, NULL), DQ_OK);
    assert_int_equal(dq_run_table_measure(t, 1, &second, 1, NULL), DQ_OK);
    strcpy(t->runs[0].tag, "tag");
    dq_lists_free(&first);
    dq_lists_free(&second);
}

static void queries_in_every_run_count(void **state)
{
    (void)state;
    dq_run_table t;
    make_table(&t);
    assert_int_equal(dq_run_table_choose(&t, false, NULL), DQ_OK);
    assert_int_equal(t.query_count, 2);
    assert_int_equal(t.order[0], 1); /* a before b */
    assert_int_equal(dq_run_table_summarise(&t, NULL, NULL), DQ_OK);
    assert_true(t.cells[0].value == 0.75 && t.cells[1].value == 4 && t.cells[2].value == 0.5);
    assert_true(dq_run_table_value(&t, 0, 0, 0) == 1 && dq_run_table_value(&t, 0, 0, 1) == 0.5);
    assert_false(t.cells[0].has_interval);
    dq_run_table_free(&t);
}

static void all_count_where_a_lack_is_nothing(void **state)
{
    (void)state;
    dq_run_table t;
    make_table(&t);
    assert_int_equal(dq_run_table_choose(&t, true, NULL), DQ_OK);
    assert_int_equal(t.query_count, 3);
    assert_int_equal(dq_run_table_summarise(&t, NULL, NULL), DQ_OK);
    assert_true(fabs(t.cells[0].value - 0.5) < 1e-15);
    dq_run_table_free(&t);
}

static void means_are_compared_and_counts_not(void **state)
{
    (void)state;
    const dq_compare_config config = {.resamples = 100, .confidence = 0.95, .seed = 1};
    dq_run_table t;
    make_table(&t);
    assert_int_equal(dq_run_table_choose(&t, false, NULL), DQ_OK);
    assert_int_equal(dq_run_table_summarise(&t, &config, NULL), DQ_OK);
    assert_true(t.cells[0].has_interval && !t.cells[0].has_difference && t.cells[2].has_difference);
    assert_false(t.cells[1].has_interval);
    assert_true(t.cells[2].against.difference == -0.25);
    dq_run_table_free(&t);
}

static void labels_leave_folders_out_where_they_still_differ(void **state)
{
    (void)state;
    static const char *const equal[] = {"x/a.run", "y/a.run"};
    dq_run_table t;
    make_table(&t);
    assert_string_equal(t.runs[0].label, "one.run");
    dq_run_table_free(&t);
    t = (dq_run_table){0};
    assert_int_equal(dq_run_table_init(&t, equal, 2, NULL), DQ_OK);
    assert_string_equal(t.runs[1].label, "y/a.run");
    dq_run_table_free(&t);
}

static const char *printed(dq_runs_format format, bool by_query)
{
    static memory text;
    const dq_runs_form form = {.format = format, .by_query = by_query, .confidence = 0.95};
    dq_run_table t;
    dq_sink *out = open_sink(&text);
    make_table(&t);
    t.run_count = 1;
    assert_int_equal(dq_run_table_choose(&t, false, NULL), DQ_OK);
    assert_int_equal(dq_run_table_summarise(&t, NULL, NULL), DQ_OK);
    assert_int_equal(dq_runs_print(&t, &form, out, NULL), DQ_OK);
    assert_int_equal(dq_sink_close(out, NULL), DQ_OK);
    t.run_count = 2;
    dq_run_table_free(&t);
    return text.data;
}

/* Of the first run alone, so query c counts, too. */
static void one_run_is_printed(void **state)
{
    (void)state;
    assert_string_equal(printed(DQ_RUNS_TREC, true), "recip_rank            \ta\t0.5000\n"
                                                     "num_ret               \ta\t2\n"
                                                     "recip_rank            \tb\t1.0000\n"
                                                     "num_ret               \tb\t2\n"
                                                     "recip_rank            \tc\t0.0000\n"
                                                     "num_ret               \tc\t1\n"
                                                     "recip_rank            \tall\t0.5000\n"
                                                     "num_ret               \tall\t5\n");
    assert_string_equal(
        printed(DQ_RUNS_TSV, false),
        "run\tmeasure\tquery\tvalue\tlow\thigh\tdifference\tdifference_low\tdifference_high\tp\tp_t\n"
        "x/one.run\trecip_rank\tall\t0.5\t\t\t\t\t\t\t\n"
        "x/one.run\tnum_ret\tall\t5\t\t\t\t\t\t\t\n");
    assert_string_equal(printed(DQ_RUNS_JSON, false),
                        "{\"run\":\"x/one.run\",\"runid\":\"tag\",\"queries\":3,\"measures\":"
                        "{\"recip_rank\":{\"value\":0.5},\"num_ret\":{\"value\":5}}}\n");
    assert_string_equal(printed(DQ_RUNS_TABLE, false), "measure     run          value\n"
                                                       "recip_rank  one.run     0.5000\n"
                                                       "num_ret     one.run          5\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_in_every_run_count),
        cmocka_unit_test(all_count_where_a_lack_is_nothing),
        cmocka_unit_test(means_are_compared_and_counts_not),
        cmocka_unit_test(labels_leave_folders_out_where_they_still_differ),
        cmocka_unit_test(one_run_is_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
