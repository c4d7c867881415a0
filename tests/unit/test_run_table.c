/* SPDX-License-Identifier: MIT */
#include "measure/run_table.h"

#include "memory.h"
#include "report/runs.h"

#include <math.h>
#include <stdio.h>

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

/* What one query or list has says nothing of how far others would be from it. */
static void one_query_has_no_interval(void **state)
{
    (void)state;
    static const char *const names[] = {"run"};
    static const char *const measures[] = {"recip_rank", "gm_map", "coverage@5", "user_coverage@5", "gini@5"};
    const dq_compare_config config = {.resamples = 100, .confidence = 0.95, .seed = 1};
    for (int queries = 1; queries <= 2; queries++) {
        dq_run_table t = {.intervals = true};
        dq_run run = DQ_LISTS_EMPTY;
        for (int m = 0; m < 5; m++)
            assert_int_equal(dq_measure_pick_add(&t.picks, measures[m], NULL, NULL), DQ_OK);
        for (int q = 0; q < queries; q++) {
            const char *const query = q ? "b" : "a";
            add(&t.qrels, query, "2", 1), add(&run, query, q ? "2" : "1", 2), add(&run, query, "3", 1);
        }
        finish(&t.qrels), finish(&run);
        assert_int_equal(dq_facts_use_qrels(&t.facts, &t.qrels, 1, NULL), DQ_OK);
        assert_int_equal(dq_run_table_init(&t, names, 1, NULL), DQ_OK);
        assert_int_equal(dq_run_table_measure(&t, 0, &run, 1, NULL), DQ_OK);
        assert_int_equal(dq_run_table_choose(&t, false, NULL), DQ_OK);
        assert_int_equal(dq_run_table_summarise(&t, &config, NULL), DQ_OK);
        for (int m = 0; m < 5; m++) assert_int_equal(t.cells[m].has_interval, queries > 1);
        dq_run_table_free(&t);
        dq_lists_free(&run);
    }
}

/* All users are shown the same 3 of 7 items, once each: the interval is the value, to the last bit. */
static void an_interval_without_width_is_its_value(void **state)
{
    (void)state;
    static const char *const names[] = {"run"}, *const items[] = {"a", "b", "c", "d", "e", "f", "g"},
                             *const users[] = {"u", "v", "w"};
    static const char *const measures[] = {"coverage@3", "gini@3", "entropy@3"};
    const dq_compare_config config = {.resamples = 1000, .confidence = 0.95, .seed = 1};
    dq_run_table t = {.intervals = true};
    dq_run run = DQ_LISTS_EMPTY;
    for (int m = 0; m < 3; m++)
        assert_int_equal(dq_measure_pick_add(&t.picks, measures[m], NULL, NULL), DQ_OK);
    for (int u = 0; u < 3; u++)
        for (int i = 0; i < 7; i++) {
            add(&t.qrels, users[u], items[i], i == 0);
            if (i < 3) add(&run, users[u], items[i], 7 - i);
        }
    finish(&t.qrels), finish(&run);
    assert_int_equal(dq_facts_use_qrels(&t.facts, &t.qrels, 1, NULL), DQ_OK);
    assert_int_equal(dq_run_table_init(&t, names, 1, NULL), DQ_OK);
    assert_int_equal(dq_run_table_measure(&t, 0, &run, 1, NULL), DQ_OK);
    assert_int_equal(dq_run_table_choose(&t, false, NULL), DQ_OK);
    assert_int_equal(dq_run_table_summarise(&t, &config, NULL), DQ_OK);
    for (int m = 0; m < 2; m++) {
        const dq_run_cell *c = &t.cells[m];
        assert_true(c->has_interval);
        assert_true(c->against.interval.low == c->value && c->against.interval.high == c->value);
    }
    const dq_run_cell *entropy = &t.cells[2]; /* above 1 it is, and may be */
    assert_true(entropy->value > 1 && entropy->against.interval.high == entropy->value);
    dq_run_table_free(&t);
    dq_lists_free(&run);
}

/* A user's list shows K of ITEMS items, the first ones more often; the chance that an item is relevant falls
 * with its place. */
enum { LISTS = 60, SHOWN = 5, ITEMS = 150 };

static void draw_run(dq_run_table *t, dq_rng *rng)
{
    static const char *const names[] = {"run"};
    dq_run run = DQ_LISTS_EMPTY;
    *t = (dq_run_table){.intervals = true};
    static const char *const measures[] = {"coverage@5", "gini@5", "entropy@5", "auc", "gauc"};
    for (int m = 0; m < 5; m++)
        assert_int_equal(dq_measure_pick_add(&t->picks, measures[m], NULL, NULL), DQ_OK);
    for (int u = 0; u < LISTS; u++) {
        char user[16], item[16];
        bool taken[ITEMS] = {false};
        (void)snprintf(user, sizeof user, "u%d", u);
        for (int k = 0; k < SHOWN;) {
            int i = (int)(ITEMS * dq_rng_uniform(rng) * dq_rng_uniform(rng));
            if (taken[i]) continue;
            taken[i] = true;
            (void)snprintf(item, sizeof item, "i%d", i);
            add(&run, user, item, 10 - k + dq_rng_uniform(rng));
            add(&t->qrels, user, item, dq_rng_uniform(rng) < 0.6 - 0.1 * k++);
        }
    }
    for (int i = 0; i < ITEMS; i++) { /* all items are known */
        char item[16];
        (void)snprintf(item, sizeof item, "i%d", i);
        add(&t->qrels, "nobody", item, 0);
    }
    finish(&t->qrels), finish(&run);
    assert_int_equal(dq_facts_use_qrels(&t->facts, &t->qrels, 1, NULL), DQ_OK);
    assert_int_equal(dq_run_table_init(t, names, 1, NULL), DQ_OK);
    assert_int_equal(dq_run_table_measure(t, 0, &run, 1, NULL), DQ_OK);
    assert_int_equal(dq_run_table_choose(t, false, NULL), DQ_OK);
    dq_lists_free(&run);
}

/* Of 2,000 runs of other users of one kind, 95 % intervals hold the mean over such runs (of 2,000 others) in
 * 93 to 97 of 100. */
static void intervals_of_a_whole_run_hold_what_other_users_give(void **state)
{
    (void)state;
    enum { PICKS = 5, OTHERS = 2000, RUNS = 2000 };
    static dq_run_table t;
    dq_rng rng = dq_rng_new(1);
    double truth[PICKS] = {0}, held[PICKS] = {0};
    for (int n = 0; n < OTHERS; n++) {
        draw_run(&t, &rng);
        assert_int_equal(dq_run_table_summarise(&t, NULL, NULL), DQ_OK);
        for (int p = 0; p < PICKS; p++) truth[p] += t.cells[p].value / OTHERS;
        dq_run_table_free(&t);
    }
    for (int n = 0; n < RUNS; n++) {
        const dq_compare_config config = {.resamples = 200, .confidence = 0.95, .seed = (uint64_t)n};
        draw_run(&t, &rng);
        assert_int_equal(dq_run_table_summarise(&t, &config, NULL), DQ_OK);
        for (int p = 0; p < PICKS; p++) {
            const dq_interval i = t.cells[p].against.interval;
            if (!t.cells[p].has_interval || t.cells[p].has_difference) fail_msg("run %d, measure %d", n, p);
            held[p] += i.low <= truth[p] && truth[p] <= i.high;
        }
        dq_run_table_free(&t);
    }
    for (int p = 0; p < PICKS; p++)
        if (!(held[p] >= 0.93 * RUNS && held[p] <= 0.97 * RUNS))
            fail_msg("measure %d: %.4f of the intervals", p, held[p] / RUNS);
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
        cmocka_unit_test(one_query_has_no_interval),
        cmocka_unit_test(an_interval_without_width_is_its_value),
        cmocka_unit_test(intervals_of_a_whole_run_hold_what_other_users_give),
        cmocka_unit_test(labels_leave_folders_out_where_they_still_differ),
        cmocka_unit_test(one_run_is_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
