/* SPDX-License-Identifier: MIT
 *
 * What roll-outs came to, summed up and printed, against numbers worked out by hand.
 */
#include "rollout/outcome.h"

#include "port/files/text_table.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { EPISODES = 2, STEPS = 4, LABELS = 3 };

static const dq_compare_config config = {.resamples = 200, .confidence = 0.95, .seed = 1};

/* Two policies on a catalogue: mean rewards of a step 0.25, 0.75 and 0.5, 1.25. */
static void make(dq_outcomes *o, dq_index *labels)
{
    static const char *const names[] = {"a", "b"};
    const double totals[][EPISODES] = {{1, 3}, {2, 5}};
    const uint64_t chosen[][LABELS] = {{6, 2, 0}, {4, 3, 1}};
    uint32_t row;
    assert_int_equal(dq_index_add(labels, "APPLY", 5, &row, NULL, NULL), DQ_OK);
    assert_int_equal(dq_index_add(labels, "IGNORE", 6, &row, NULL, NULL), DQ_OK);
    *o = (dq_outcomes){.episodes = EPISODES,
                       .steps = STEPS,
                       .label_count = LABELS,
                       .catalogue = true,
                       .labelled = true,
                       .labels = labels};
    assert_int_equal(dq_outcomes_new(o, names, 2, NULL), DQ_OK);
    for (size_t i = 0; i < 2; i++) {
        for (size_t e = 0; e < EPISODES; e++)
            o->at[i].played[e] = (dq_played){
                .total = totals[i][e], .steps = STEPS, .discounted = (double)NAN, .value = (double)NAN};
        memcpy(o->at[i].labels, chosen[i], sizeof chosen[i]);
        for (size_t s = 0; s < STEPS; s++) o->at[i].by_step[s] = (double)(i + s);
    }
    assert_int_equal(dq_outcomes_sum_up(o, &config, NULL), DQ_OK);
}

/* What is printed, in memory. */
static char *print(const dq_outcomes *o, dq_outcomes_form form, dq_text_table *to)
{
    dq_sink *out;
    assert_int_equal(dq_text_table_open(to, &out, NULL), DQ_OK);
    assert_int_equal(dq_outcomes_print(o, form, out, NULL), DQ_OK);
    assert_int_equal(dq_sink_close(out, NULL), DQ_OK);
    return to->data;
}

static void scores_are_means_of_steps_and_compared_with_the_first(void **state)
{
    dq_outcomes o;
    dq_index labels = {0};
    (void)state;
    make(&o, &labels);
    assert_true(dq_outcome_score(&o, 1, 1) == 1.25);
    assert_true(o.at[0].score.mean == 0.5 && o.at[1].score.mean == 0.875);
    assert_true(fabs(o.at[0].score.sd - sqrt(0.125)) < 1e-15);
    assert_true(!o.at[0].compared && o.at[1].compared && o.at[1].percent == 75);
    assert_true(o.at[1].score.compared.difference == 0.375 && o.at[1].score.compared.p == 0.5);
    o.catalogue = false; /* now it is the return */
    assert_int_equal(dq_outcomes_sum_up(&o, &config, NULL), DQ_OK);
    assert_true(o.at[1].score.mean == 3.5 && o.at[1].score.max == 5);
    for (size_t e = 0; e < EPISODES; e++) o.at[0].played[e].total = 0;
    assert_int_equal(dq_outcomes_sum_up(&o, &config, NULL), DQ_OK);
    assert_true(isnan(o.at[1].percent)); /* nothing is a percentage of 0 */
    dq_outcomes_free(&o);
    dq_index_free(&labels);
}

static void labels_that_nobody_met_are_not_shown(void **state)
{
    dq_outcomes o;
    dq_index labels = {0};
    (void)state;
    make(&o, &labels);
    assert_int_equal(dq_outcomes_labels(&o), LABELS);
    o.at[1].labels[LABELS - 1] = 0;
    assert_int_equal(dq_outcomes_labels(&o), LABELS - 1);
    o.labelled = false;
    assert_int_equal(dq_outcomes_labels(&o), 0);
    dq_outcomes_free(&o);
    dq_index_free(&labels);
}

static void tsv_and_json_say_the_same(void **state)
{
    dq_outcomes o;
    dq_index labels = {0};
    dq_text_table tsv = {0}, json = {0}, table = {0};
    (void)state;
    make(&o, &labels);
    o.shows_steps = o.shows_episodes = true;
    const char *text = print(&o, DQ_OUTCOMES_TSV, &tsv);
    assert_non_null(strstr(text, "model\tmeasure\tat\tvalue\na\tmean\tall\t0.5\n"));
    assert_non_null(strstr(text, "b\timprovement_percent\tall\t75\n"));
    assert_non_null(strstr(text, "b\tshare_other\tall\t0.125\n"));
    assert_non_null(strstr(text, "b\tstep\t4\t2\n"));
    assert_non_null(strstr(text, "b\tepisode\t2\t1.25\n"));
    assert_null(strstr(text, "a\tdifference"));
    assert_null(strstr(text, "discounted")); /* NAN */
    text = print(&o, DQ_OUTCOMES_JSON, &json);
    assert_non_null(strstr(text, "\"discounted\":null"));
    assert_non_null(strstr(text, "\"labels\":{\"APPLY\":0.5,\"IGNORE\":0.375,\"other\":0.125}"));
    assert_non_null(strstr(text, "\"by_step\":[0.5,1.0,1.5,2.0],\"by_episode\":[0.5,1.25]"));
    text = print(&o, DQ_OUTCOMES_TABLE, &table);
    assert_non_null(strstr(text, "improvement"));
    assert_non_null(strstr(text, "+75.0%"));
    assert_non_null(strstr(text, "\n   4     1.5000     2.0000\n"));
    dq_text_table_free(&tsv);
    dq_text_table_free(&json);
    dq_text_table_free(&table);
    dq_outcomes_free(&o);
    dq_index_free(&labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_means_of_steps_and_compared_with_the_first),
        cmocka_unit_test(labels_that_nobody_met_are_not_shown),
        cmocka_unit_test(tsv_and_json_say_the_same),
    };
    return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
