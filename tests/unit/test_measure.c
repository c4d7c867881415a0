/* SPDX-License-Identifier: MIT
 *
 * lib/measure against values by hand and against tests/fixtures/measure, computed by a second implementation
 * (make.py there).
 */
#include "measure/pick.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FIXTURES "tests/fixtures/measure/"

static void add(dq_lists *lists, const char *query, const char *doc, double value)
{
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_lists_add(lists, query, strlen(query), doc, strlen(doc), value, &e), DQ_OK);
}

static void finish(dq_lists *lists)
{
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_lists_finish(lists, DQ_TWICE_REFUSED, &e), DQ_OK);
}

/* The list that the run has for query number q of the qrels. */
static void judge(dq_ranking_eval *eval, const dq_qrels *qrels, const dq_run *run, uint32_t q,
                  dq_judged_ranking *judged)
{
    dq_ranking list = DQ_RANKING_EMPTY;
    dq_error e = DQ_ERROR_NONE;
    size_t n;
    const char *id = dq_index_id(&qrels->queries, q, &n);
    uint32_t row = dq_index_find(&run->queries, id, n);
    if (row != DQ_ABSENT) assert_int_equal(dq_ranking_take(&list, run, row, &e), DQ_OK);
    assert_int_equal(dq_ranking_eval_list(eval, row == DQ_ABSENT ? NULL : &list, q, judged, &e), DQ_OK);
    dq_ranking_free(&list);
}

static double value_of(const dq_judged_ranking *query, const char *name)
{
    static dq_measure_picks picks;
    dq_error e = DQ_ERROR_NONE;
    picks.count = 0;
    if (dq_measure_pick_add(&picks, name, NULL, &e)) fail_msg("%s", e.reason);
    assert_int_equal(picks.count, 1);
    const dq_measure_pick *pick = &picks.at[0];
    if (pick->measure->of_weights) return pick->measure->of_weights(query, pick->weights);
    return pick->measure->compute(query, pick->parameter);
}

static FILE *fixture(const char *name)
{
    char path[200];
    (void)snprintf(path, sizeof path, FIXTURES "%s", name);
    FILE *f = fopen(path, "r");
    if (!f) fail_msg("%s: run this from the root of the project", path);
    return f;
}

static void read_fixture(const char *name, const char *format, dq_lists *lists)
{
    char query[64], doc[64];
    double value;
    FILE *f = fixture(name);
    while (fscanf(f, format, query, doc, &value) == 3) add(lists, query, doc, value);
    assert_true(feof(f));
    (void)fclose(f);
    finish(lists);
}

static void second_implementation_agrees(void **state)
{
    (void)state;
    dq_qrels qrels = DQ_LISTS_EMPTY;
    dq_run run = DQ_LISTS_EMPTY;
    read_fixture("qrels", "%63s %*s %63s %lf", &qrels);
    read_fixture("run", "%63s %*s %63s %*s %lf %*s", &run);
    dq_ranking_eval *eval;
    dq_judged_ranking judged;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_ranking_eval_new(&eval, &qrels, 1, &e), DQ_OK);
    FILE *f = fixture("values");
    char query[64], name[64];
    double expected;
    int compared = 0;
    for (; fscanf(f, "%63s %63s %lf", query, name, &expected) == 3; compared++) {
        uint32_t q = dq_index_find(&qrels.queries, query, strlen(query));
        judge(eval, &qrels, &run, q, &judged);
        double got = value_of(&judged, name);
        if (!(fabs(got - expected) <= 1e-12 * (1 + fabs(expected))))
            fail_msg("%s of %s: %.17g, not %.17g", name, query, got, expected);
    }
    assert_int_equal(compared, 23 * (116 + 13) + 12); /* 12 lists have an AUC */
    (void)fclose(f);
    dq_ranking_eval_free(eval);
    dq_lists_free(&qrels);
    dq_lists_free(&run);
}

/* Levels 3 2 3 0 1 2 ranked as they stand: the worked example of Wikipedia's page on DCG. */
static void worked_example(void **state)
{
    (void)state;
    static const double level[] = {3, 2, 3, 0, 1, 2};
    dq_qrels qrels = DQ_LISTS_EMPTY;
    dq_run run = DQ_LISTS_EMPTY;
    for (int i = 0; i < 6; i++) {
        char id[2] = {(char)('a' + i), 0};
        add(&qrels, "u", id, level[i]);
        add(&run, "u", id, -i);
    }
    add(&qrels, "u", "x", 3); /* two more that the run lacks */
    add(&qrels, "u", "y", 2);
    finish(&qrels);
    finish(&run);
    dq_ranking_eval *eval;
    dq_judged_ranking q;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_ranking_eval_new(&eval, &qrels, 1, &e), DQ_OK);
    judge(eval, &qrels, &run, 0, &q);
    assert_true(q.in_run);
    assert_true(fabs(value_of(&q, "dcg") - 6.861) < 0.0005);
    assert_true(fabs(value_of(&q, "ndcg@6") - 0.785) < 0.0005);
    assert_true(fabs(value_of(&q, "precision@4") - 0.75) < 1e-15);
    assert_true(fabs(value_of(&q, "hit@1") - 1) < 1e-15);
    dq_ranking_eval_free(eval);
    dq_lists_free(&qrels);
    dq_lists_free(&run);
}

/* Levels that are counts: song2, song1, song3 with 3, 2113, 1100. By hand, and for levels that 2^level can
 * hold against the sums themselves: the same bits. */
static void large_levels_have_a_gain(void **state)
{
    (void)state;
    static const double levels[][3] = {{3, 2113, 1100}, {3, 1024, 1023}, {2147483647, 0, 2147483646},
                                       {3, 5, 4},       {50, 7, 52},     {1000, 999, 1023}};
    static const double expected[] = {
        0.6309297535714575, 0.8809297535714575 / 1.3154648767857288, 0, 0, 0, 0};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        const double *l = levels[i];
        dq_qrels qrels = DQ_LISTS_EMPTY;
        dq_run run = DQ_LISTS_EMPTY;
        for (int k = 0; k < 3; k++) {
            const char id[2] = {(char)('a' + k), 0};
            add(&qrels, "u", id, l[k]);
            add(&run, "u", id, -k);
        }
        finish(&qrels);
        finish(&run);
        dq_ranking_eval *eval;
        dq_judged_ranking q;
        assert_int_equal(dq_ranking_eval_new(&eval, &qrels, 1, NULL), DQ_OK);
        judge(eval, &qrels, &run, 0, &q);
        double got = value_of(&q, "ndcg_exp"), want = expected[i];
        assert_true(isfinite(got) && got >= 0 && got <= 1 && value_of(&q, "ndcg_exp@10") == got);
        if (l[0] == 2147483647) want = 1.25 / (1 + 0.5 / log2(3));
        if (i >= 3) {
            double dcg = 0, ideal = 0;
            for (int k = 0; k < 3; k++) dcg += (exp2(q.level[k]) - 1) / log2(k + 2);
            for (int k = 0; k < 3; k++) ideal += (exp2(q.ideal[k]) - 1) / log2(k + 2);
            assert_true(got == dcg / ideal);
        } else if (!(fabs(got - want) < 1e-12)) {
            fail_msg("%.17g, not %.17g", got, want);
        }
        dq_ranking_eval_free(eval);
        dq_lists_free(&qrels);
        dq_lists_free(&run);
    }
}

static void ties_go_to_the_greater_id(void **state)
{
    (void)state;
    static const char *const ids[] = {"b", "ba", "a", "\xc3\xa9", "B"};
    dq_qrels qrels = DQ_LISTS_EMPTY;
    dq_run run = DQ_LISTS_EMPTY;
    for (int i = 0; i < 5; i++) {
        add(&qrels, "u", ids[i], i);
        add(&run, "u", ids[i], 0.5);
    }
    finish(&qrels);
    finish(&run);
    dq_ranking_eval *eval;
    dq_judged_ranking q;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_ranking_eval_new(&eval, &qrels, 1, &e), DQ_OK);
    judge(eval, &qrels, &run, 0, &q);
    static const int32_t expected[] = {3, 1, 0, 2, 4}; /* e-acute, ba, b, a, B */
    assert_memory_equal(q.level, expected, sizeof expected);
    dq_ranking_eval_free(eval);
    dq_lists_free(&qrels);
    dq_lists_free(&run);
}

static void threshold_and_missing_query(void **state)
{
    (void)state;
    dq_qrels qrels = DQ_LISTS_EMPTY;
    dq_run run = DQ_LISTS_EMPTY;
    add(&qrels, "u", "a", 1);
    add(&qrels, "u", "b", 2);
    add(&qrels, "v", "a", 2);
    add(&run, "u", "a", 2);
    add(&run, "u", "b", 1);
    add(&run, "w", "b", 1);
    finish(&qrels);
    finish(&run);
    dq_ranking_eval *eval;
    dq_judged_ranking q;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_ranking_eval_new(&eval, &qrels, 2, &e), DQ_OK);
    judge(eval, &qrels, &run, 0, &q);
    assert_int_equal(q.relevant, 1);
    assert_true(value_of(&q, "recip_rank") == 0.5); /* NOLINT: exact in binary */
    judge(eval, &qrels, &run, 1, &q);
    assert_false(q.in_run);
    assert_int_equal(q.relevant, 1);
    for (size_t i = 0; i < dq_measure_count; i++) { /* nothing retrieved: every value is a finite number, */
        const dq_measure *m = &dq_measures[i];
        bool rank = m->parameter == DQ_TAKES_CUTOFF;
        if (!m->compute) continue;
        double value = m->compute(&q, rank ? 5 : 0.5);
        assert_true(m->over == DQ_OVER_WEIGHTED ? isnan(value) : isfinite(value)); /* or weighs nothing */
    }
    assert_true(value_of(&q, "map") == 0);
    assert_int_equal(dq_ranking_eval_list(eval, NULL, 2, &q, &e), DQ_ERR_RANGE);
    dq_ranking_eval_free(eval);
    dq_lists_free(&qrels);
    dq_lists_free(&run);
}

static void bad_lists(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_lists lists = DQ_LISTS_EMPTY;
    assert_int_equal(dq_lists_add(&lists, "q", 1, "d", 1, NAN, &e), DQ_ERR_NUMERIC);
    assert_int_equal(dq_lists_add(&lists, "q", 1, "d", 1, INFINITY, &e), DQ_ERR_NUMERIC);
    assert_int_equal(lists.count, 0);
    add(&lists, "q", "d", 1);
    add(&lists, "r", "d", 1);
    add(&lists, "q", "e", 1);
    add(&lists, "q", "d", 2); /* not beside the first, so only grouping shows it */
    assert_int_equal(dq_lists_finish(&lists, DQ_TWICE_REFUSED, &e), DQ_ERR_DUPLICATE);
    assert_string_equal(e.reason, "query q has d twice");
    dq_lists_free(&lists);

    dq_run run = DQ_LISTS_EMPTY;
    static const double levels[] = {0.5, 3e9};
    for (int i = 0; i < 2; i++) {
        add(&lists, "q", "d", levels[i]);
        finish(&lists);
        finish(&run);
        dq_ranking_eval *eval;
        assert_int_equal(dq_ranking_eval_new(&eval, &lists, 1, &e), DQ_ERR_RANGE);
        assert_null(eval);
        dq_lists_free(&lists);
        dq_lists_free(&run);
    }
}

static void twice_the_greatest(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_lists lists = DQ_LISTS_EMPTY;
    add(&lists, "q", "d", 1);
    add(&lists, "r", "e", 5);
    add(&lists, "q", "e", 1);
    add(&lists, "q", "d", 3);
    add(&lists, "q", "d", 2);
    add(&lists, "r", "d", 4);
    assert_int_equal(dq_lists_finish(&lists, DQ_TWICE_GREATEST, &e), DQ_OK);
    static const uint32_t doc[] = {0, 1, 1, 0};
    static const double value[] = {3, 1, 5, 4};
    assert_int_equal(lists.count, 4);
    assert_int_equal(lists.start[1], 2);
    assert_int_equal(lists.start[2], 4);
    assert_memory_equal(lists.doc, doc, sizeof doc);
    assert_memory_equal(lists.value, value, sizeof value);
    dq_lists_free(&lists);
}

static void picks(void **state)
{
    (void)state;
    static const struct {
        const char *text, *names;
    } cases[] = {
        {"map", "map"},
        {"P_10", "P_10"},
        {"P.5,10", "P_5 P_10"},
        {"P@7", "P_7"},
        {"ndcg@10", "ndcg_cut_10"},
        {"ndcg", "ndcg"},
        {"ndcg_exp@3", "ndcg_exp_cut_3"},
        {"ndcg_cut", "ndcg_cut_20 ndcg_cut_30"},
        {"mrr", "recip_rank"},
        {"mrr@10", "recip_rank_cut_10"},
        {"hit@10", "success_10"},
        {"11pt_avg", "11pt_avg"},
        {"iprec_at_recall_0.10", "iprec_at_recall_0.10"},
        {"iprec_at_recall.0.1,.5", "iprec_at_recall_0.10 iprec_at_recall_0.50"},
        {"coverage@10,gini@5,diversity:title@10,map", "coverage_10 gini_5 diversity:title_10 map"},
        {"P.5,10,utility.1,-1,-.5,0,mrr", "P_5 P_10 utility_1,-1,-.5,0 recip_rank"},
    };
    static dq_measure_picks p;
    dq_error e = DQ_ERROR_NONE;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char names[200] = "";
        p.count = 0;
        assert_int_equal(dq_measure_pick_add(&p, cases[i].text, "20,30", &e), DQ_OK);
        for (size_t k = 0; k < p.count; k++) {
            if (k) strcat(names, " ");
            strcat(names, p.at[k].name);
        }
        assert_string_equal(names, cases[i].names);
    }
    assert_int_equal(dq_measure_pick_add(&p, "no_such", NULL, &e), DQ_ERR_UNKNOWN);
    assert_int_equal(dq_measure_pick_add(&p, "", NULL, &e), DQ_ERR_UNKNOWN);
    assert_int_equal(dq_measure_pick_add(&p, "_10", NULL, &e), DQ_ERR_UNKNOWN);
    assert_int_equal(dq_measure_pick_add(&p, "bpref@10", NULL, &e), DQ_ERR_UNKNOWN);
    assert_int_equal(dq_measure_pick_add(&p, "P_0", NULL, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_measure_pick_add(&p, "P_2.5", NULL, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_measure_pick_add(&p, "P_5,", NULL, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_measure_pick_add(&p, ",map", NULL, &e), DQ_ERR_UNKNOWN);
    assert_int_equal(dq_measure_pick_add(&p, "map,", NULL, &e), DQ_ERR_UNKNOWN);
    assert_int_equal(dq_measure_pick_add(&p, "map,no_such", NULL, &e), DQ_ERR_UNKNOWN);
    assert_string_equal(e.reason, "no measure is called 'no_such'; did you mean novelty?");
}

static void groups_and_order(void **state)
{
    (void)state;
    static dq_measure_picks p;
    dq_error e = DQ_ERROR_NONE;
    p.count = 0;
    assert_int_equal(dq_measure_pick_add(&p, "official", NULL, &e), DQ_OK);
    assert_int_equal(p.count, 30);
    assert_string_equal(p.at[0].name, "runid");
    assert_string_equal(p.at[29].name, "P_1000");
    assert_int_equal(dq_measure_pick_add(&p, "P_10", NULL, &e), DQ_OK);
    assert_int_equal(p.count, 30); /* there already */
    p.count = 0;
    assert_int_equal(dq_measure_pick_add(&p, "recall@20,5", NULL, &e), DQ_OK);
    assert_int_equal(dq_measure_pick_add(&p, "map", NULL, &e), DQ_OK);
    assert_string_equal(p.at[0].name, "recall_20"); /* as asked for, until sorted */
    dq_measure_pick_sort(&p);
    assert_string_equal(p.at[0].name, "map");
    assert_string_equal(p.at[1].name, "recall_5");
}

static void summaries(void **state)
{
    (void)state;
    static const double values[] = {0.5, 0.0, 0.125};
    dq_measure mean = {.over = DQ_OVER_MEAN}, sum = {.over = DQ_OVER_SUM},
               geometric = {.over = DQ_OVER_GEOMETRIC};
    assert_true(fabs(dq_measure_summary(&mean, values, 3) - 0.625 / 3) < 1e-15);
    assert_true(fabs(dq_measure_summary(&sum, values, 3) - 0.625) < 1e-15);
    assert_true(fabs(dq_measure_summary(&geometric, values, 3) - cbrt(0.5 * 1e-5 * 0.125)) < 1e-15);
    assert_true(dq_measure_summary(&mean, values, 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(second_implementation_agrees),
        cmocka_unit_test(worked_example),
        cmocka_unit_test(large_levels_have_a_gain),
        cmocka_unit_test(ties_go_to_the_greater_id),
        cmocka_unit_test(threshold_and_missing_query),
        cmocka_unit_test(bad_lists),
        cmocka_unit_test(twice_the_greatest),
        cmocka_unit_test(picks),
        cmocka_unit_test(groups_and_order),
        cmocka_unit_test(summaries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
