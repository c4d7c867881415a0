/* SPDX-License-Identifier: MIT */
#include "feature/feature.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../fixtures/feature/history.h"

static const dq_field user_fields[] = {{"hard", 0, 5, 0}},
                      item_fields[] = {{"title", 0, 5, 0}, {"tech", 5, 4, 0}};
static const char names[] = "held-cosine,held-reciprocity,held-transfer,held-ridge";

typedef struct world {
    const float *user_at[USERS], *item_at[ITEMS];
    uint64_t user_id[USERS], item_id[ITEMS];
    uint32_t user[USERS * ITEMS], item[USERS * ITEMS];
    float reward[USERS * ITEMS];
    dq_feature_training training;
    dq_pool *pool;
    dq_feature_set *set;
} world;

static void start(world *w)
{
    size_t n = 0;
    memset(w, 0, sizeof *w);
    for (uint32_t i = 0; i < ITEMS; i++) {
        w->item_at[i] = ITEM_VECTORS[i];
        w->item_id[i] = dq_feature_id((const char *)&i, sizeof i);
    }
    for (uint32_t u = 0; u < USERS; u++) {
        w->user_at[u] = USER_VECTORS[u];
        w->user_id[u] = dq_feature_id((const char *)&u, 3);
        for (uint32_t i = 0; i < ITEMS; i++) {
            w->user[n] = u;
            w->item[n] = i;
            w->reward[n++] = REWARDS[u][i];
        }
    }
    w->training = (dq_feature_training){.user_layout = {user_fields, 1, 5},
                                        .item_layout = {item_fields, 2, 9},
                                        .users = {w->user_at, USERS, 5},
                                        .items = {w->item_at, ITEMS, 9},
                                        .user_id = w->user_id,
                                        .item_id = w->item_id,
                                        .group = GROUP,
                                        .count = n,
                                        .user = w->user,
                                        .item = w->item,
                                        .reward = w->reward,
                                        .ignored = -0.1F,
                                        .seen = SEEN,
                                        .seen_start = SEEN_START,
                                        .history = LAST,
                                        .recency = 0.5};
    assert_int_equal(dq_pool_new(&w->pool, 2, NULL), DQ_OK);
}

static void learn(world *w)
{
    dq_error e = DQ_ERROR_NONE;
    if (dq_feature_learn(&w->set, &w->training, names, w->pool, &e)) fail_msg("%s", e.reason);
    assert_int_equal(dq_feature_columns(w->set), COLUMNS);
}

static void stop(world *w)
{
    dq_feature_free(w->set);
    dq_pool_free(w->pool);
}

static dq_feature_who trainee(const world *w, uint32_t u)
{
    return (dq_feature_who){.vector = USER_VECTORS[u],
                            .id = w->user_id[u],
                            .group = GROUP[u],
                            .seen = SEEN + SEEN_START[u],
                            .seen_count = SEEN_START[u + 1] - SEEN_START[u]};
}

static void are_near(const dq_feature_set *set, const float *out, const double *expected, size_t items)
{
    char name[128];
    for (size_t j = 0; j < items; j++)
        for (uint32_t c = 0; c < COLUMNS; c++) {
            double got = (double)out[j * COLUMNS + c], want = expected[j * COLUMNS + c];
            dq_feature_name(set, c, name, sizeof name);
            if (!(fabs(got - want) <= 1e-4)) fail_msg("item %zu, %s: %.7g, not %.7g", j, name, got, want);
        }
}

static void training_equals_numpy(void **state)
{
    static float out[USERS][ITEMS * COLUMNS];
    dq_feature_who who[USERS];
    world w;
    (void)state;
    start(&w);
    learn(&w);
    for (uint32_t u = 0; u < USERS; u++) who[u] = trainee(&w, u);
    dq_feature_lists(w.set, who, USERS, out[0]);
    for (uint32_t u = 0; u < USERS; u++) are_near(w.set, out[u], TRAINING[u], ITEMS);
    stop(&w);
}

/* Another list, in which some of what was seen is not; users of whom nothing is known but what they have
 * seen. */
static void strangers_equal_numpy(const world *w, dq_feature_set *set)
{
    static float out[SHORT * COLUMNS];
    const float *at[SHORT];
    uint64_t id[SHORT];
    for (size_t i = 0; i < SHORT; i++) {
        at[i] = ITEM_VECTORS[FEW[i]];
        id[i] = w->item_id[FEW[i]];
    }
    const dq_vectors items = {at, SHORT, 9};
    assert_int_equal(dq_feature_bind(set, &items, id, NULL), DQ_OK);
    for (size_t s = 0; s < STRANGERS; s++) {
        uint32_t seen[4], n = 0;
        while (n < 4 && STRANGER_SEEN[s][n] >= 0) {
            seen[n] = (uint32_t)STRANGER_SEEN[s][n];
            n++;
        }
        dq_feature_list(
            set,
            &(dq_feature_who){.vector = USER_VECTORS[0], .group = DQ_ABSENT, .seen = seen, .seen_count = n},
            out);
        are_near(set, out, RANKED[s], SHORT);
    }
}

static void another_list_equals_numpy_and_so_does_a_model(void **state)
{
    dq_bundle model;
    dq_feature_set *loaded;
    world w;
    (void)state;
    start(&w);
    learn(&w);
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_feature_save(w.set, &model, NULL), DQ_OK);
    strangers_equal_numpy(&w, w.set);
    assert_int_equal(dq_feature_load(&loaded, &model, w.pool, NULL), DQ_OK);
    strangers_equal_numpy(&w, loaded);
    dq_feature_free(loaded);
    dq_bundle_free(&model);
    stop(&w);
}

/* Own labels, and those of one's group, are in no feature: whatever they are, the features are the same. */
static void no_label_of_the_own_group_is_in_a_feature(void **state)
{
    static float before[ITEMS * COLUMNS], after[ITEMS * COLUMNS];
    world w;
    (void)state;
    for (uint32_t u = 0; u < USERS - 1; u++) {
        start(&w);
        learn(&w);
        const dq_feature_who who = trainee(&w, u);
        dq_feature_list(w.set, &who, before);
        dq_feature_free(w.set);
        for (size_t r = 0; r < w.training.count; r++) /* each still has a label, and it is another one */
            if (GROUP[w.user[r]] == GROUP[u]) w.reward[r] = w.reward[r] > 0.75F ? 0.5F : 1;
        learn(&w);
        dq_feature_list(w.set, &who, after);
        assert_memory_equal(before, after, sizeof before);
        stop(&w);
    }
}

static void what_nobody_has_seen_is_refused(void **state)
{
    dq_error e = DQ_ERROR_NONE;
    world w;
    (void)state;
    start(&w);
    w.training.seen_start = NULL;
    assert_int_equal(dq_feature_learn(&w.set, &w.training, names, w.pool, &e), DQ_ERR_RANGE);
    assert_string_equal(e.reason, "features held-cosine: what users have seen is not told (--history seen)");
    assert_null(w.set);
    stop(&w);
}

/* It is said for whose fit vectors are no numbers. */
static void a_fit_of_no_numbers_is_refused(void **state)
{
    static const char *const kinds[] = {"ridge", "held-ridge"};
    const float none[5] = {1, NAN, 0, 0, 0};
    char words[80];
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        dq_error e = DQ_ERROR_NONE;
        world w;
        start(&w);
        w.user_at[1] = none;
        assert_int_equal(dq_feature_learn(&w.set, &w.training, kinds[k], w.pool, &e), DQ_ERR_RANGE);
        (void)snprintf(words, sizeof words, "features %s: the users' vectors are no finite numbers",
                       kinds[k]);
        assert_string_equal(e.reason, words);
        assert_null(w.set);
        stop(&w);
    }
}

/* Of many items auto leaves out what compares each two of them, and who names it is told. */
static void items_too_many_to_compare_each_two(void **state)
{
    enum { MANY = 17000 };
    static const float *at[MANY];
    static uint64_t id[MANY];
    char name[128];
    dq_error e = DQ_ERROR_NONE;
    world w;
    (void)state;
    start(&w);
    for (uint32_t i = 0; i < MANY; i++) {
        at[i] = ITEM_VECTORS[i % ITEMS];
        id[i] = i < ITEMS ? w.item_id[i] : i;
    }
    w.training.items = (dq_vectors){at, MANY, 9};
    w.training.item_id = id;
    assert_int_equal(dq_feature_learn(&w.set, &w.training, "auto", w.pool, &e), DQ_OK);
    for (uint32_t c = 0; c < dq_feature_columns(w.set); c++) {
        dq_feature_name(w.set, c, name, sizeof name);
        assert_null(strstr(name, "held-reciprocity"));
    }
    assert_non_null(strstr(name, "held-ridge"));
    dq_feature_free(w.set);
    assert_int_equal(dq_feature_learn(&w.set, &w.training, "held-reciprocity", w.pool, &e), DQ_ERR_RANGE);
    assert_string_equal(e.reason, "features held-reciprocity: items times items are more than 2^28");
    stop(&w);
}

static void a_model_whose_history_is_broken_is_refused(void **state)
{
    dq_bundle model;
    dq_feature_set *loaded;
    world w;
    (void)state;
    start(&w);
    learn(&w);
    for (int fault = 0; fault < 3; fault++) {
        assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
        assert_int_equal(dq_feature_save(w.set, &model, NULL), DQ_OK);
        const dq_column *starts = dq_bundle_column(&model, "features.seen_start");
        uint32_t *start_of = (uint32_t *)(uintptr_t)starts->data, kept = start_of[2];
        if (fault == 0) start_of[2] = 1U << 30;
        if (fault == 1)
            assert_true(
                dq_map_set(&model.arena, &model.meta, "features_history", dq_map())); /* recency is NAN */
        if (fault == 2) assert_true(dq_map_set(&model.arena, &model.meta, "features_history", dq_nil()));
        assert_int_equal(dq_feature_load(&loaded, &model, w.pool, NULL), DQ_ERR_SCHEMA);
        assert_null(loaded);
        start_of[2] = kept;
        dq_bundle_free(&model);
    }
    stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_equals_numpy),
        cmocka_unit_test(another_list_equals_numpy_and_so_does_a_model),
        cmocka_unit_test(no_label_of_the_own_group_is_in_a_feature),
        cmocka_unit_test(what_nobody_has_seen_is_refused),
        cmocka_unit_test(a_fit_of_no_numbers_is_refused),
        cmocka_unit_test(items_too_many_to_compare_each_two),
        cmocka_unit_test(a_model_whose_history_is_broken_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
