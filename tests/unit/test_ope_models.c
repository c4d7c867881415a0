/* SPDX-License-Identifier: MIT
 *
 * Targets, models of rewards and of propensities, and sessions, against NumPy (tests/fixtures/ope).
 */
#include "ope_rows.h"

#include "ope/evaluation.h"
#include "ope/linear.h"
#include "ope/policy.h"
#include "ope/propensity.h"
#include "ope/table.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const float *user_at[OPE_USERS], *item_at[OPE_ITEMS];
static dq_vectors users = {user_at, OPE_USERS, OPE_WIDTH}, items = {item_at, OPE_ITEMS, OPE_WIDTH};

static void ok(dq_status status, const dq_error *e)
{
    if (status) fail_msg("%s", e->reason);
}

static bool near(double a, double b, double relative)
{
    if (fabs(a - b) <= relative * (fabs(b) + 1e-3)) return true;
    print_error("%.17g is not %.17g\n", a, b);
    return false;
}

static void choose(const dq_ope_policy *policy, dq_ope_row *rows)
{
    dq_error e = DQ_ERROR_NONE;
    for (size_t i = 0; i < OPE_ROWS; i++) ok(dq_ope_policy_choose(policy, &rows[i], &e), &e);
}

/* Rows under the uniform target. */
static void uniform_rows(dq_ope_row *rows)
{
    dq_ope_policy policy = dq_ope_policy_uniform(OPE_ITEMS);
    read_rows(rows);
    choose(&policy, rows);
}

static void estimate(const char *names, const dq_ope_row *rows, dq_ope_estimate *estimates)
{
    dq_error e = DQ_ERROR_NONE;
    dq_ope_picks picks = {0};
    dq_ope_weights weights;
    dq_ope_evaluation *evaluation;
    const dq_ope_config config = {.picks = &picks,
                                  .clip = INFINITY,
                                  .tau = INFINITY,
                                  .shrinkage = INFINITY,
                                  .gamma = 0.9,
                                  .confidence = 0.95,
                                  .resamples = 400,
                                  .seed = 1};
    ok(dq_ope_picks_add(&picks, names, &e), &e);
    ok(dq_ope_evaluation_new(&evaluation, &config, &e), &e);
    for (size_t i = 0; i < OPE_ROWS; i += 7) /* in pieces */
        ok(dq_ope_evaluation_add(evaluation, rows + i, OPE_ROWS - i < 7 ? OPE_ROWS - i : 7, &e), &e);
    ok(dq_ope_evaluation_finish(evaluation, estimates, &weights, &e), &e);
    dq_ope_evaluation_free(evaluation);
}

static void compare(const dq_ope_row *rows, const ope_expected_of *expected, double relative)
{
    dq_ope_estimate e[3];
    estimate("dm,dr,sndr", rows, e);
    assert_true(near(e[0].value, expected->dm, relative));
    assert_true(near(e[1].value, expected->dr, relative));
    assert_true(near(e[1].se, expected->dr_se, relative));
    assert_true(near(e[2].value, expected->sndr, relative));
    assert_true(near(e[2].se, expected->sndr_se, relative));
}

static void without_model(void **state)
{
    (void)state;
    dq_ope_row rows[OPE_ROWS];
    uniform_rows(rows);
    compare(rows, &ope_expected.none, 1e-12);
}

static void table(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_ope_row rows[OPE_ROWS];
    dq_ope_support support = {.keeps_rewards = true};
    dq_ope_table t;
    uniform_rows(rows);
    ok(dq_ope_support_grow(&support, 1, OPE_ITEMS, &e), &e);
    for (size_t i = 0; i < OPE_ROWS; i++) ok(dq_ope_support_log(&support, &rows[i], &e), &e);
    ok(dq_ope_table_fit(&t, &support, &e), &e);
    dq_ope_table_apply(&t, rows, OPE_ROWS);
    compare(rows, &ope_expected.table, 1e-12);
    dq_ope_table_free(&t);
    dq_ope_support_free(&support);
    support.keeps_rewards = true;
    ok(dq_ope_support_grow(&support, 1, 1, &e), &e);
    dq_ope_row much = {.item = 0, .reward = 2};
    ok(dq_ope_support_log(&support, &much, &e), &e);
    assert_int_equal(dq_ope_table_fit(&t, &support, &e), DQ_ERR_RANGE);
    dq_ope_support_free(&support);
}

/* Fits to the rows and fills their q and q_target, q of this item, or of each row's own for DQ_ABSENT. */
static void fit_and_judge(dq_ope_row *rows, bool logistic, uint32_t item)
{
    dq_error e = DQ_ERROR_NONE;
    const dq_layout layout = {.width = OPE_WIDTH};
    dq_ope_features features;
    dq_ope_linear linear;
    bool done = false;
    ok(dq_ope_features_init(&features, users, layout, items, layout, NULL, 0, &e), &e);
    ok(dq_ope_linear_init(&linear, logistic, &features, OPE_ITEMS, &e), &e);
    while (!done) {
        dq_ope_linear_begin(&linear);
        ok(dq_ope_linear_take(&linear, rows, OPE_ROWS, &e), &e);
        ok(dq_ope_linear_solve(&linear, &done, &e), &e);
    }
    dq_ope_linear_begin(&linear);
    for (size_t i = 0; i < OPE_ROWS && item != DQ_ABSENT; i++) rows[i].item = item;
    dq_ope_linear_apply(&linear, rows, OPE_ROWS);
    dq_ope_linear_free(&linear);
}

static void fit(dq_ope_row *rows, bool logistic)
{
    fit_and_judge(rows, logistic, DQ_ABSENT);
}

static void ridge(void **state)
{
    (void)state;
    dq_ope_row rows[OPE_ROWS];
    uniform_rows(rows);
    fit(rows, false);
    compare(rows, &ope_expected.ridge, 1e-7); /* cosines are sums of floats here */
}

static void logistic(void **state)
{
    (void)state;
    dq_ope_row rows[OPE_ROWS];
    uniform_rows(rows);
    fit(rows, true);
    compare(rows, &ope_expected.logistic, 1e-7);
}

/* The model's mean over what is left of a list under the uniform target, against its values of each item. */
static void mean_of_what_is_left(bool logistic)
{
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_ope_row rows[OPE_ROWS];
    double sum[OPE_ROWS] = {0};
    const uint32_t above[2] = {1, 3};
    const dq_ope_policy policy = dq_ope_policy_uniform(OPE_ITEMS);
    for (uint32_t a = 0; a < OPE_ITEMS; a++) {
        uniform_rows(rows);
        fit_and_judge(rows, logistic, a);
        for (size_t i = 0; i < OPE_ROWS; i++) sum[i] += a == 1 || a == 3 ? 0 : rows[i].q;
    }
    uniform_rows(rows);
    for (size_t i = 0; i < OPE_ROWS; i++)
        ok(dq_ope_policy_choose_below(&policy, &rows[i], above, 2, &arena, &e), &e);
    fit(rows, logistic);
    for (size_t i = 0; i < OPE_ROWS; i++) assert_true(near(rows[i].q_target, sum[i] / (OPE_ITEMS - 2), 1e-9));
    dq_arena_free(&arena);
}

static void below_others(void **state)
{
    (void)state;
    mean_of_what_is_left(false);
    mean_of_what_is_left(true);
}

/* So few rows that they are all of one fold: their judge has seen none. */
static void few_rows(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    const dq_layout layout = {.width = OPE_WIDTH};
    dq_ope_row rows[OPE_ROWS];
    dq_ope_features features;
    dq_ope_linear linear;
    bool done;
    uniform_rows(rows);
    ok(dq_ope_features_init(&features, users, layout, items, layout, NULL, 0, &e), &e);
    ok(dq_ope_linear_init(&linear, false, &features, OPE_ITEMS, &e), &e);
    dq_ope_linear_begin(&linear);
    ok(dq_ope_linear_take(&linear, rows, DQ_OPE_FOLD_ROWS, &e), &e);
    assert_int_equal(dq_ope_linear_solve(&linear, &done, &e), DQ_ERR_RANGE);
    dq_ope_linear_begin(&linear);
    ok(dq_ope_linear_take(&linear, rows, DQ_OPE_FOLD_ROWS + 1, &e), &e);
    ok(dq_ope_linear_solve(&linear, &done, &e), &e);
    dq_ope_linear_free(&linear);
}

static void inputs_refused(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    const dq_layout layout = {.width = OPE_WIDTH}, none = {0}, wide = {.width = 600}, wider = {.width = 700};
    const dq_vectors no = {0}, wide_users = {user_at, OPE_USERS, 600}, wide_items = {item_at, OPE_ITEMS, 600},
                     wider_items = {item_at, OPE_ITEMS, 700};
    dq_ope_features f;
    assert_int_equal(dq_ope_features_init(&f, no, none, no, none, NULL, 0, &e), DQ_ERR_SCHEMA);
    ok(dq_ope_features_init(&f, no, none, items, layout, NULL, 0, &e), &e);
    assert_true(f.pair_count == 0 && f.vectors && f.width == 1 + DQ_OPE_PLACES + OPE_WIDTH);
    ok(dq_ope_features_init(&f, wide_users, wide, wide_items, wide, NULL, 0, &e), &e);
    assert_true(f.pair_count == 1 && !f.vectors && f.width == 1 + DQ_OPE_PLACES + 1);
    assert_int_equal(dq_ope_features_init(&f, wide_users, wide, wider_items, wider, NULL, 0, &e),
                     DQ_ERR_RANGE);
    dq_ope_row row = {.reward = 1.5, .propensity = 1};
    dq_ope_linear linear;
    ok(dq_ope_features_init(&f, users, layout, items, layout, NULL, 0, &e), &e);
    ok(dq_ope_linear_init(&linear, true, &f, OPE_ITEMS, &e), &e);
    dq_ope_linear_begin(&linear);
    assert_int_equal(dq_ope_linear_take(&linear, &row, 1, &e), DQ_ERR_RANGE);
    dq_ope_linear_free(&linear);
}

static void propensities(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_ope_row rows[OPE_ROWS];
    dq_ope_propensity p;
    bool done = false;
    uniform_rows(rows);
    ok(dq_ope_propensity_init(&p, users, OPE_ITEMS, &e), &e);
    while (!done) {
        dq_ope_propensity_take(&p, rows, OPE_ROWS);
        ok(dq_ope_propensity_solve(&p, &done, &e), &e);
    }
    dq_ope_propensity_apply(&p, rows, OPE_ROWS);
    compare(rows, &ope_expected.regression, 1e-3); /* steps end, Newton's do not */
    dq_ope_propensity_free(&p);
    assert_int_equal(dq_ope_propensity_init(&p, users, 1 << 24, &e), DQ_ERR_RANGE);
    dq_ope_propensity_free(&p);
}

static void sessions(void **state)
{
    (void)state;
    dq_ope_row rows[OPE_ROWS];
    dq_ope_estimate e[3];
    uniform_rows(rows);
    estimate("wis,pdis,wpdis", rows, e);
    assert_true(near(e[0].value, ope_expected.wis, 1e-12) && near(e[0].se, ope_expected.wis_se, 1e-12));
    assert_true(near(e[1].value, ope_expected.pdis, 1e-12) && near(e[1].se, ope_expected.pdis_se, 1e-12));
    assert_true(near(e[2].value, ope_expected.wpdis, 1e-12));
    assert_true(near(e[2].ess, ope_expected.session_ess, 1e-12));
    assert_true(e[2].bootstrap.low < e[2].value && e[2].value < e[2].bootstrap.high && e[2].se > 0);
    assert_true(isnan(e[2].bernstein.low) && e[1].bernstein.low < e[1].bootstrap.low);
    for (size_t i = 0; i < OPE_ROWS; i++) rows[i].begins = true; /* sessions of one row are rows */
    dq_ope_estimate five[5];
    estimate("pdis,ips,wis,snips,wpdis", rows, five);
    assert_true(near(five[0].value, five[1].value, 1e-12) && near(five[0].se, five[1].se, 1e-12));
    assert_true(near(five[2].value, five[3].value, 1e-12) && near(five[2].se, five[3].se, 1e-12));
    assert_true(near(five[4].value, five[3].value, 1e-12));
}

/* ---- targets ---- */

static void names(dq_index *index, const char *prefix, unsigned count)
{
    dq_error e = DQ_ERROR_NONE;
    for (unsigned i = 0; i < count; i++) {
        char id[16];
        uint32_t row;
        int n = snprintf(id, sizeof id, "%s%u", prefix, i);
        ok(dq_index_add(index, id, (size_t)n, &row, NULL, &e), &e);
    }
}

/* Each user's items with their cosines as scores. */
static void score(dq_run *run)
{
    dq_error e = DQ_ERROR_NONE;
    const dq_pairing whole = {.width = OPE_WIDTH};
    for (unsigned u = 0; u < OPE_USERS; u++)
        for (unsigned a = 0; a < OPE_ITEMS; a++) {
            char user[16], item[16];
            int n = snprintf(user, sizeof user, "u%u", u), m = snprintf(item, sizeof item, "i%u", a);
            double cosine = dq_cosine(user_at[u], item_at[a], &whole, 1);
            ok(dq_lists_add(run, user, (size_t)n, item, (size_t)m, cosine, &e), &e);
        }
    ok(dq_lists_finish(run, DQ_TWICE_REFUSED, &e), &e);
}

static void lists(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_index user_ids = {0}, item_ids = {0};
    dq_run run = DQ_LISTS_EMPTY;
    dq_ope_policy policy;
    dq_ope_row rows[OPE_ROWS];
    names(&user_ids, "u", OPE_USERS + 1);
    names(&item_ids, "i", OPE_ITEMS);
    score(&run);
    read_rows(rows);
    ok(dq_ope_policy_lists(&policy, &run, &user_ids, &item_ids, 0.5, 0.1, &e), &e);
    choose(&policy, rows);
    for (size_t i = 0; i < OPE_ROWS; i++) {
        double sum = rows[i].choice.rest * OPE_ITEMS;
        for (uint32_t j = 0; j < rows[i].choice.count; j++) sum += rows[i].choice.more[j];
        assert_true(near(sum, 1, 1e-12));
    }
    fit(rows, true);
    compare(rows, &ope_expected.softmax, 1e-6);
    dq_ope_row stranger = {.user = OPE_USERS}, absent = {.user = DQ_ABSENT};
    assert_true(!dq_ope_policy_knows(&policy, &stranger) && !dq_ope_policy_knows(&policy, &absent));
    dq_ope_policy_free(&policy);

    ok(dq_ope_policy_lists(&policy, &run, &user_ids, &item_ids, 0, 0, &e), &e);
    double target = 0;
    for (unsigned a = 0; a < OPE_ITEMS; a++) { /* one of the items stands at each place, and only one */
        dq_ope_row row = {.user = 3, .item = a, .position = 2};
        ok(dq_ope_policy_choose(&policy, &row, &e), &e);
        assert_true(row.target == 0 || row.target == 1);
        target += row.target;
    }
    assert_true(target == 1);
    dq_ope_row late = {.user = 3, .position = OPE_ITEMS};
    assert_int_equal(dq_ope_policy_choose(&policy, &late, &e), DQ_ERR_RANGE);
    dq_ope_policy_free(&policy);

    dq_index few = {0};
    names(&few, "i", OPE_ITEMS - 1);
    assert_int_equal(dq_ope_policy_lists(&policy, &run, &user_ids, &few, 0, 0, &e), DQ_ERR_UNKNOWN);
    dq_index_free(&few);
    dq_index_free(&user_ids);
    dq_index_free(&item_ids);
    dq_lists_free(&run);
}

/* What a list draws below others, against dq-rank's definition: softmax and epsilon among what is left. */
static void lists_below(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_index user_ids = DQ_INDEX_EMPTY, item_ids = DQ_INDEX_EMPTY;
    dq_run run = DQ_LISTS_EMPTY;
    dq_ope_policy policy;
    const uint32_t above[2] = {1, 3};
    const dq_pairing whole = {.width = OPE_WIDTH};
    names(&user_ids, "u", OPE_USERS);
    names(&item_ids, "i", OPE_ITEMS);
    score(&run);
    ok(dq_ope_policy_lists(&policy, &run, &user_ids, &item_ids, 0.5, 0.2, &e), &e);
    double sum = 0, left = 0;
    for (unsigned a = 0; a < OPE_ITEMS; a++)
        if (a != 1 && a != 3) left += exp(dq_cosine(user_at[2], item_at[a], &whole, 1) / 0.5);
    for (unsigned a = 0; a < OPE_ITEMS; a++) {
        dq_ope_row row = {.user = 2, .item = a, .position = 7};
        double share = exp(dq_cosine(user_at[2], item_at[a], &whole, 1) / 0.5) / left;
        ok(dq_ope_policy_choose_below(&policy, &row, above, 2, &arena, &e), &e);
        assert_true(near(row.target, a == 1 || a == 3 ? 0 : 0.8 * share + 0.2 / 3, 1e-12));
        sum += row.target;
    }
    assert_true(near(sum, 1, 1e-12));
    dq_ope_policy_free(&policy);
    ok(dq_ope_policy_lists(&policy, &run, &user_ids, &item_ids, 0, 0, &e), &e);
    const uint32_t all[OPE_ITEMS] = {0, 1, 2, 3, 4};
    unsigned taken = 0;
    for (unsigned a = 0; a < OPE_ITEMS; a++) {
        dq_ope_row row = {.user = 2, .item = a};
        ok(dq_ope_policy_choose_below(&policy, &row, all, OPE_ITEMS - 1, &arena, &e), &e);
        taken += row.target == 1;
        assert_true(row.target == (a == OPE_ITEMS - 1));
    }
    assert_int_equal(taken, 1);
    dq_ope_row none = {.user = 2};
    assert_int_equal(dq_ope_policy_choose_below(&policy, &none, all, OPE_ITEMS, &arena, &e), DQ_ERR_RANGE);
    dq_ope_policy_free(&policy);
    /* so cold that all below the best are 0 next to it: below it the second best still has it all */
    const double ways[2][2] = {{1e-6, 0}, {0, 1}}; /* or by epsilon alone */
    for (size_t w = 0; w < 2; w++) {
        ok(dq_ope_policy_lists(&policy, &run, &user_ids, &item_ids, ways[w][0], ways[w][1], &e), &e);
        const uint32_t *best = policy.item + policy.start[2];
        for (uint32_t a = 1; a < OPE_ITEMS; a++) {
            dq_ope_row below = {.user = 2, .item = best[a]};
            ok(dq_ope_policy_choose_below(&policy, &below, best, 1, &arena, &e), &e);
            assert_true(near(below.target, w ? 1.0 / (OPE_ITEMS - 1) : a == 1, 1e-12));
        }
        dq_ope_policy_free(&policy);
    }
    dq_ope_policy uniform = dq_ope_policy_uniform(OPE_ITEMS);
    dq_ope_row row = {.item = 4};
    ok(dq_ope_policy_choose_below(&uniform, &row, above, 2, &arena, &e), &e);
    assert_true(near(row.target, 1.0 / 3, 1e-12));
    dq_index_free(&user_ids);
    dq_index_free(&item_ids);
    dq_lists_free(&run);
    dq_arena_free(&arena);
}

/* Two places, three items: the third is never shown at the second place. */
static void support_known(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_ope_support s = {0};
    dq_ope_policy policy = dq_ope_policy_uniform(3);
    const unsigned shown[5][2] = {{0, 0}, {1, 0}, {2, 0}, {0, 1}, {1, 1}};
    ok(dq_ope_support_grow(&s, 1, 3, &e), &e);
    for (size_t i = 0; i < 5; i++) {
        dq_ope_row row = {.item = shown[i][0], .position = shown[i][1], .reward = 1};
        ok(dq_ope_policy_choose(&policy, &row, &e), &e);
        ok(dq_ope_support_log(&s, &row, &e), &e);
        ok(dq_ope_support_target(&s, &row.choice, row.position, &e), &e);
    }
    assert_true(near(dq_ope_support_unsupported(&s), 2.0 / 5 / 3, 1e-12));
    assert_true(near(dq_ope_support_share(&s, 1, 1), 0.5, 1e-12));
    const uint32_t third = 2;
    const double half = 0.5;
    ok(dq_ope_support_target(&s, &(dq_ope_choice){.items = &third, .more = &half, .count = 1}, 1, &e), &e);
    assert_true(near(dq_ope_support_unsupported(&s), (2.0 / 3 + 0.5) / 5.5, 1e-12));
    assert_int_equal(dq_ope_support_grow(&s, DQ_OPE_MAX_POSITIONS + 1, 3, &e), DQ_ERR_RANGE);
    dq_ope_support_free(&s);
}

int main(void)
{
    for (size_t u = 0; u < OPE_USERS; u++) user_at[u] = ope_users[u];
    for (size_t a = 0; a < OPE_ITEMS; a++) item_at[a] = ope_items[a];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_model), cmocka_unit_test(table),          cmocka_unit_test(ridge),
        cmocka_unit_test(logistic),      cmocka_unit_test(inputs_refused), cmocka_unit_test(propensities),
        cmocka_unit_test(sessions),      cmocka_unit_test(lists),          cmocka_unit_test(support_known),
        cmocka_unit_test(lists_below),   cmocka_unit_test(below_others),   cmocka_unit_test(few_rows),
    };
    return cmocka_run_group_tests_name("ope_models", tests, NULL, NULL);
}
