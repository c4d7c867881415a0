/* SPDX-License-Identifier: MIT
 *
 * Measures of recommendations against the arrays of RecBole's own tests (tests/metrics/test_topk_metrics.py)
 * and values by hand. Larger ones are compared with NumPy in tests/cli/eval-recommended.bats.
 */
#include "measure/run_table.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { USERS = 5, PLACES = 3, ITEMS = 8 };

/* RecBole's item_matrix: what five users are shown, of eight items of which 0 is shown to nobody. */
static const int shown[USERS][PLACES] = {{5, 7, 3}, {4, 5, 2}, {2, 3, 5}, {1, 4, 6}, {5, 3, 7}};

static void add(dq_lists *lists, int user, int item, double value)
{
    char u[16], i[16];
    int un = snprintf(u, sizeof u, "u%d", user), in = snprintf(i, sizeof i, "%d", item);
    assert_int_equal(dq_lists_add(lists, u, (size_t)un, i, (size_t)in, value, NULL), DQ_OK);
}

static void pick(dq_run_table *t, const char *measure)
{
    dq_error e = DQ_ERROR_NONE;
    if (dq_measure_pick_add(&t->picks, measure, NULL, &e)) fail_msg("%s", e.reason);
}

/* The users judge item n relevant so often as RecBole's item_count says, 1: 0 times, 2: once ... 6: 5 times;
 * of the items shown 7 is judged by nobody, and 0 as not relevant. */
static void measure_shown(dq_run_table *t, int32_t relevance)
{
    static const char *const names[] = {"run"};
    dq_run run = DQ_LISTS_EMPTY;
    for (int n = 2; n <= 6; n++)
        for (int u = 0; u < n - 1; u++) add(&t->qrels, u, n, 1);
    add(&t->qrels, 0, 0, 0);
    for (int u = 0; u < USERS; u++)
        for (int k = 0; k < PLACES; k++) add(&run, u, shown[u][k], PLACES - k);
    assert_int_equal(dq_lists_finish(&t->qrels, DQ_TWICE_REFUSED, NULL), DQ_OK);
    assert_int_equal(dq_lists_finish(&run, DQ_TWICE_REFUSED, NULL), DQ_OK);
    assert_int_equal(dq_facts_use_qrels(&t->facts, &t->qrels, relevance, NULL), DQ_OK);
    assert_int_equal(dq_run_table_init(t, names, 1, NULL), DQ_OK);
    assert_int_equal(dq_run_table_measure(t, 0, &run, relevance, NULL), DQ_OK);
    assert_int_equal(dq_run_table_choose(t, true, NULL), DQ_OK);
    assert_int_equal(dq_run_table_summarise(t, NULL, NULL), DQ_OK);
    dq_lists_free(&run);
}

static void near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-14 * (1 + fabs(want)))) fail_msg("%.17g, not %.17g", got, want);
}

static double value_of(const dq_run_table *t, size_t measure, int user)
{
    char id[16];
    int n = snprintf(id, sizeof id, "u%d", user);
    uint32_t q = dq_index_find(&t->qrels.queries, id, (size_t)n);
    assert_int_not_equal(q, DQ_ABSENT);
    return dq_run_table_value(t, 0, measure, q);
}

static void recbole(void **state)
{
    (void)state;
    static dq_run_table t;
    t = (dq_run_table){0};
    pick(&t, "coverage@3");
    pick(&t, "gini@3");
    pick(&t, "entropy@3");
    pick(&t, "user_coverage@3");
    pick(&t, "popularity@1,2,3");
    measure_shown(&t, 1);
    assert_int_equal(dq_facts_items(&t.facts), ITEMS);
    near(t.cells[0].value, 7.0 / 8);
    near(t.cells[1].value, ((-5) * 1 + (-3) * 1 + (-1) * 2 + 1 * 2 + 3 * 2 + 5 * 3 + 7 * 4) / (8.0 * 3 * 5));
    static const double times[] = {1, 2, 3, 2, 4, 1, 2};
    double entropy = 0; /* RecBole divides it by the seven items */
    for (int i = 0; i < 7; i++) entropy -= times[i] / 15 * log(times[i] / 15);
    near(t.cells[2].value, entropy);
    near(t.cells[3].value, 1);
    static const double popularity[USERS][PLACES] = {{4. / 1, 4. / 2, 6. / 3},
                                                     {3. / 1, 7. / 2, 8. / 3},
                                                     {1. / 1, 3. / 2, 7. / 3},
                                                     {0. / 1, 3. / 2, 8. / 3},
                                                     {4. / 1, 6. / 2, 6. / 3}};
    for (int u = 0; u < USERS; u++)
        for (size_t k = 0; k < PLACES; k++) near(value_of(&t, 4 + k, u), popularity[u][k]);
    dq_run_table_free(&t);
}

/* Of the 15 that were met 6 has 5, 5 has 4 and 4 has 3: 12, which are 80 %; the tail begins with 3's two. All
 * five users met something. */
static void by_hand(void **state)
{
    (void)state;
    static dq_run_table t;
    t = (dq_run_table){0};
    pick(&t, "tail@3");
    pick(&t, "novelty@2");
    pick(&t, "serendipity@3");
    pick(&t, "tail@99");
    measure_shown(&t, 1);
    near(value_of(&t, 0, 0), 2.0 / 3); /* 5, 7, 3 */
    near(value_of(&t, 0, 3), 1.0 / 3); /* 1, 4, 6 */
    near(value_of(&t, 1, 0), (log2(5.0 / 4) + log2(5)) / 2);
    near(value_of(&t, 1, 3), (log2(5) + log2(5.0 / 3)) / 2);
    near(value_of(&t, 2, 0), 1.0 / 3); /* 3 is relevant to u0, and not among 6, 5, 4 */
    near(value_of(&t, 2, 1), 0);       /* 2 is not relevant to u1, 4 and 5 are popular */
    near(value_of(&t, 3, 0), value_of(&t, 0, 0));
    dq_run_table_free(&t);
}

static void ties_of_popularity_stay_together(void **state)
{
    (void)state;
    dq_facts f = DQ_FACTS_NONE;
    dq_qrels qrels = DQ_LISTS_EMPTY;
    for (int i = 0; i < 10; i++) add(&qrels, i % 2, i, 1); /* each once */
    assert_int_equal(dq_lists_finish(&qrels, DQ_TWICE_REFUSED, NULL), DQ_OK);
    assert_int_equal(dq_facts_use_qrels(&f, &qrels, 1, NULL), DQ_OK);
    for (uint32_t i = 0; i < 10; i++) {
        assert_false(dq_facts_in_tail(&f, i));
        assert_true(dq_facts_is_popular(&f, i, 3));
        assert_true(dq_facts_is_popular(&f, i, 100));
    }
    uint32_t item;
    assert_int_equal(dq_facts_item(&f, "new", 3, &item, NULL), DQ_OK); /* of a run that comes later */
    assert_true(item == 10 && dq_facts_items(&f) == 11 && dq_facts_met(&f, item) == 0);
    assert_true(dq_facts_in_tail(&f, item) && !dq_facts_is_popular(&f, item, 100));
    dq_facts_free(&f);
    dq_lists_free(&qrels);
}

/* Nothing relevant: nobody met anything, and no value is made up. */
static void no_value_is_none(void **state)
{
    (void)state;
    static dq_run_table t;
    t = (dq_run_table){0};
    pick(&t, "novelty@3");
    pick(&t, "gauc");
    pick(&t, "auc");
    pick(&t, "tail@3");
    pick(&t, "P@3");
    measure_shown(&t, 2);
    assert_true(isnan(t.cells[0].value) && isnan(t.cells[1].value) && isnan(t.cells[2].value));
    assert_int_equal(dq_run_table_without(&t, 0), USERS);
    assert_int_equal(dq_run_table_without(&t, 4), 0);
    near(t.cells[3].value, 1);
    near(t.cells[4].value, 0);
    dq_run_table_free(&t);
}

static void nothing_shown(void **state)
{
    (void)state;
    dq_facts f = {.queries = 2};
    const dq_shown_lists none = DQ_SHOWN_LISTS_EMPTY;
    dq_exposure e;
    assert_int_equal(dq_exposure_init(&e, &none, &f, INFINITY, NULL, NULL), DQ_OK);
    for (size_t i = 0; i < dq_measure_count; i++) {
        if (!dq_measures[i].of_run) continue;
        double value = dq_measures[i].of_run(&e);
        assert_true(strcmp(dq_measures[i].name, "user_coverage") == 0 ? value == 0 : isnan(value));
    }
    dq_exposure_free(&e);
}

/* Scores 3 2 2 1, of which the first of the twos and the last are relevant: of four pairs 1.5 stand right. */
static void area_under_the_curve(void **state)
{
    (void)state;
    static const double score[] = {3, 2, 2, 1};
    static dq_run_table t;
    t = (dq_run_table){0};
    static const char *const names[] = {"run"};
    dq_run run = DQ_LISTS_EMPTY;
    pick(&t, "gauc");
    pick(&t, "auc");
    for (int i = 0; i < 4; i++) {
        add(&t.qrels, 0, i, i == 1 || i == 3);
        add(&run, 0, i, score[i]);
    }
    add(&t.qrels, 1, 9, 1); /* a list of one in the right order ... */
    add(&run, 1, 9, 5), add(&run, 1, 8, 4), add(&run, 2, 7, 9);
    assert_int_equal(dq_lists_finish(&t.qrels, DQ_TWICE_REFUSED, NULL), DQ_OK);
    assert_int_equal(dq_lists_finish(&run, DQ_TWICE_REFUSED, NULL), DQ_OK);
    assert_int_equal(dq_facts_use_qrels(&t.facts, &t.qrels, 1, NULL), DQ_OK);
    assert_int_equal(dq_run_table_init(&t, names, 1, NULL), DQ_OK);
    assert_int_equal(dq_run_table_measure(&t, 0, &run, 1, NULL), DQ_OK);
    assert_int_equal(dq_run_table_choose(&t, false, NULL), DQ_OK);
    assert_int_equal(dq_run_table_summarise(&t, NULL, NULL), DQ_OK);
    near(value_of(&t, 0, 0), 1.0 / 8);
    near(value_of(&t, 0, 1), 1);
    near(t.cells[0].value, (4 * (1.0 / 8) + 2 * 1) / 6);
    /* together 5 4 3 2 2 1, u2 being judged by nobody: relevant are 5, a 2 and the 1 */
    near(t.cells[1].value, (3 + 0.5) / 9);
    dq_lists_free(&run);
    dq_run_table_free(&t);
}

/* A cascade by hand: levels 2 0 1 with 2 the greatest, so items satisfy with 3/4, 0 and 1/4. */
static void expected_reciprocal_rank(void **state)
{
    (void)state;
    const int32_t level[] = {2, DQ_LEVEL_UNPOOLED, 1}, ideal[] = {2, 1};
    const uint32_t hits[] = {0, 1, 1, 2};
    const dq_judged_ranking q = {.level = level,
                                 .hits = hits,
                                 .retrieved = 3,
                                 .ideal = ideal,
                                 .judged = 2,
                                 .relevant = 2,
                                 .threshold = 1,
                                 .greatest = 2};
    static dq_run_table t;
    t = (dq_run_table){0};
    pick(&t, "err");
    pick(&t, "err@2");
    pick(&t, "rbp@0.5");
    near(t.picks.at[0].measure->compute(&q, 0), 3.0 / 4 + 1.0 / 4 * 1 / 4 / 3);
    near(t.picks.at[1].measure->compute(&q, 2), 3.0 / 4);
    near(t.picks.at[2].measure->compute(&q, 0.5), 0.5 * (1 + 0.25 * 0.5));
    assert_string_equal(t.picks.at[2].name, "rbp_p_0.5");
}

static void what_a_measure_is_about(void **state)
{
    (void)state;
    static dq_measure_picks p;
    dq_error e = DQ_ERROR_NONE;
    p.count = 0;
    assert_int_equal(dq_measure_pick_add(&p, "diversity:title@10,20", NULL, &e), DQ_OK);
    assert_int_equal(dq_measure_pick_add(&p, "ild:ti.t_le", "7", &e), DQ_OK);
    assert_int_equal(dq_measure_pick_add(&p, "diversity@10", NULL, &e), DQ_OK);
    assert_int_equal(dq_measure_pick_add(&p, "calibration:genre", NULL, &e), DQ_OK);
    assert_int_equal(p.count, 5);
    assert_string_equal(p.at[1].name, "diversity:title_20");
    assert_string_equal(p.at[2].name, "diversity:ti.t_le_7");
    assert_string_equal(p.at[3].name, "diversity_10");
    assert_string_equal(p.at[4].argument, "genre");
    assert_int_equal(dq_measure_pick_add(&p, "calibration@10", NULL, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_measure_pick_add(&p, "diversity:@10", NULL, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_measure_pick_add(&p, "ndcg:title@10", NULL, &e), DQ_ERR_UNKNOWN);
    assert_int_equal(dq_measure_pick_add(&p, "rbp@1", NULL, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_measure_pick_add(&p, "rbp@0", NULL, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_measure_pick_add(&p, "gauc@10", NULL, &e), DQ_ERR_UNKNOWN);
    char name[200] = "diversity:";
    memset(name + 10, 'x', 100);
    assert_int_equal(dq_measure_pick_add(&p, name, NULL, &e), DQ_ERR_RANGE);
}

static void an_attribute_has_values(void **state)
{
    (void)state;
    dq_attribute a = {.name = "genre"};
    size_t n;
    assert_int_equal(dq_attribute_add(&a, "x", 1, NULL), DQ_OK);
    assert_int_equal(dq_attribute_add(&a, "y", 1, NULL), DQ_OK);
    assert_int_equal(dq_attribute_add(&a, "x", 1, NULL), DQ_OK); /* twice in a row: once */
    assert_int_equal(dq_attribute_next(&a, NULL), DQ_OK);
    assert_int_equal(dq_attribute_next(&a, NULL), DQ_OK);
    assert_int_equal(dq_attribute_add(&a, "x", 1, NULL), DQ_OK);
    assert_int_equal(dq_attribute_next(&a, NULL), DQ_OK);
    assert_int_equal(dq_attribute_finish(&a, NULL), DQ_OK);
    assert_non_null(dq_attribute_of(&a, 0, &n));
    assert_int_equal(n, 2);
    assert_null(dq_attribute_of(&a, 1, &n));
    assert_true(dq_attribute_has(&a, 2, 0) && !dq_attribute_has(&a, 2, 1) && !dq_attribute_has(&a, 1, 0));
    assert_null(dq_attribute_of(&a, DQ_ABSENT, &n));
    assert_int_equal(n, 0);
    dq_attribute_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recbole),
        cmocka_unit_test(by_hand),
        cmocka_unit_test(ties_of_popularity_stay_together),
        cmocka_unit_test(no_value_is_none),
        cmocka_unit_test(nothing_shown),
        cmocka_unit_test(area_under_the_curve),
        cmocka_unit_test(expected_reciprocal_rank),
        cmocka_unit_test(what_a_measure_is_about),
        cmocka_unit_test(an_attribute_has_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
