/* SPDX-License-Identifier: MIT
 *
 * Off-policy evaluation when memory is short: whichever allocation fails, the status says so.
 */
#include "ope_rows.h"

#include "ope/evaluation.h"
#include "ope/linear.h"
#include "ope/policy.h"
#include "ope/propensity.h"
#include "ope/table.h"
#include "short_memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const float *user_at[OPE_USERS], *item_at[OPE_ITEMS];
static const dq_vectors users = {user_at, OPE_USERS, OPE_WIDTH}, items = {item_at, OPE_ITEMS, OPE_WIDTH};

static dq_status evaluate(dq_error *e)
{
    dq_ope_row rows[OPE_ROWS];
    dq_ope_picks picks = {0};
    dq_ope_estimate estimates[5];
    dq_ope_weights weights;
    dq_ope_evaluation *evaluation = NULL;
    const dq_ope_config config = {.picks = &picks,
                                  .clip = INFINITY,
                                  .gamma = 1,
                                  .grid = (const double[]){1, 2},
                                  .grid_count = 2,
                                  .confidence = 0.95,
                                  .resamples = 10};
    read_rows(rows);
    for (size_t i = 0; i < OPE_ROWS; i++) rows[i].target = 1.0 / OPE_ITEMS;
    dq_status status = dq_ope_picks_add(&picks, "ips,snips,slope,pdis,wis", e);
    if (!status) status = dq_ope_evaluation_new(&evaluation, &config, e);
    if (!status) status = dq_ope_evaluation_add(evaluation, rows, OPE_ROWS, e);
    if (!status) status = dq_ope_evaluation_finish(evaluation, estimates, &weights, e);
    dq_ope_evaluation_free(evaluation);
    return status;
}

static dq_status draw_lists(dq_error *e)
{
    dq_index user_ids = DQ_INDEX_EMPTY, item_ids = DQ_INDEX_EMPTY;
    dq_run run = DQ_LISTS_EMPTY;
    dq_ope_policy policy = {0};
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_ope_row row = {.user = 0, .item = 0};
    const uint32_t above = 1;
    uint32_t number;
    dq_status status = dq_index_add(&user_ids, "u", 1, &number, NULL, e);
    for (unsigned a = 0; a < OPE_ITEMS && !status; a++) {
        const char id[1] = {(char)('a' + a)};
        status = dq_index_add(&item_ids, id, 1, &number, NULL, e);
        if (!status) status = dq_lists_add(&run, "u", 1, id, 1, a, e);
    }
    if (!status) status = dq_lists_finish(&run, DQ_TWICE_REFUSED, e);
    if (!status) status = dq_ope_policy_lists(&policy, &run, &user_ids, &item_ids, 1, 0, e);
    if (!status) status = dq_ope_policy_choose_below(&policy, &row, &above, 1, &arena, e);
    dq_ope_policy_free(&policy);
    dq_arena_free(&arena);
    dq_lists_free(&run);
    dq_index_free(&user_ids);
    dq_index_free(&item_ids);
    return status;
}

static dq_status fit_table(dq_error *e)
{
    dq_ope_row rows[OPE_ROWS];
    dq_ope_support support = {.keeps_rewards = true};
    dq_ope_table table = {0};
    const double half = 0.5;
    const dq_ope_choice choice = {.more = &half, .count = 1};
    dq_status status = DQ_OK;
    read_rows(rows);
    for (size_t i = 0; i < OPE_ROWS; i++) rows[i].target = 1.0 / OPE_ITEMS;
    for (size_t i = 0; i < OPE_ROWS && !status; i++) status = dq_ope_support_log(&support, &rows[i], e);
    if (!status) status = dq_ope_support_target(&support, &choice, 0, e);
    if (!status) status = dq_ope_table_fit(&table, &support, e);
    dq_ope_table_free(&table);
    dq_ope_support_free(&support);
    return status;
}

static dq_status fit_regressions(dq_error *e)
{
    const dq_layout layout = {.width = OPE_WIDTH};
    dq_ope_features features;
    dq_ope_linear linear = {0};
    dq_ope_propensity propensity = {0};
    dq_status status = dq_ope_features_init(&features, users, layout, items, layout, NULL, 0, e);
    if (!status) status = dq_ope_linear_init(&linear, false, &features, OPE_ITEMS, e);
    if (!status) status = dq_ope_propensity_init(&propensity, users, OPE_ITEMS, e);
    dq_ope_linear_free(&linear);
    dq_ope_propensity_free(&propensity);
    return status;
}

/* Fails the first allocation, the second ... until all succeed; at least `least` of them failed. */
static void fail_each(dq_status (*work)(dq_error *), unsigned least)
{
    dq_status status = DQ_ERR_MEMORY;
    unsigned n = 0;
    if (!CAN_FAIL_ALLOCATIONS) skip();
    while (status) {
        dq_error e = DQ_ERROR_NONE;
        allocated = 0;
        failing_allocation = ++n;
        status = work(&e);
        failing_allocation = 0;
        if (status) assert_int_equal(status, DQ_ERR_MEMORY);
        if (status) assert_non_null(strstr(e.reason, "out of memory"));
    }
    assert_true(n > least);
}

static void evaluation(void **state)
{
    (void)state;
    fail_each(evaluate, 8);
}

static void lists(void **state)
{
    (void)state;
    fail_each(draw_lists, 10);
}

static void tables(void **state)
{
    (void)state;
    fail_each(fit_table, 6);
}

static void regressions(void **state)
{
    (void)state;
    fail_each(fit_regressions, 25);
}

int main(void)
{
    for (size_t u = 0; u < OPE_USERS; u++) user_at[u] = ope_users[u];
    for (size_t a = 0; a < OPE_ITEMS; a++) item_at[a] = ope_items[a];
    const struct CMUnitTest tests[] = {cmocka_unit_test(evaluation), cmocka_unit_test(lists),
                                       cmocka_unit_test(tables), cmocka_unit_test(regressions)};
    return cmocka_run_group_tests_name("ope_memory", tests, NULL, NULL);
}
