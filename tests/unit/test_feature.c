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

#include "../fixtures/feature/feature.h"

enum { LABELS_MAX = USERS * ITEMS };

/* The fixture's data, which a test may change before it learns from them. */
typedef struct world {
    const float *user_at[USERS], *item_at[ITEMS];
    float items[ITEMS][ITEM_WIDTH];
    uint64_t user_id[USERS], item_id[ITEMS];
    uint32_t group[USERS], user[LABELS_MAX], item[LABELS_MAX];
    float reward[LABELS_MAX];
    size_t count;
    dq_feature_training training;
    dq_pool *pool;
    dq_feature_set *set;
} world;

static void start(world *w, unsigned threads)
{
    memset(w, 0, sizeof *w);
    memcpy(w->group, GROUP, sizeof w->group);
    memcpy(w->items, ITEM_VECTORS, sizeof w->items);
    for (uint32_t i = 0; i < ITEMS; i++) {
        w->item_at[i] = w->items[i];
        w->item_id[i] = dq_feature_id((const char *)&i, sizeof i);
    }
    for (uint32_t u = 0; u < USERS; u++) {
        w->user_at[u] = USER_VECTORS[u];
        w->user_id[u] = dq_feature_id((const char *)&u, 3);
        for (uint32_t i = 0; i < ITEMS; i++) {
            w->user[w->count] = u;
            w->item[w->count] = i;
            w->reward[w->count++] = REWARDS[u][i];
        }
    }
    w->training = (dq_feature_training){
        .user_layout = {USER_FIELDS, sizeof USER_FIELDS / sizeof *USER_FIELDS, USER_WIDTH},
        .item_layout = {ITEM_FIELDS, sizeof ITEM_FIELDS / sizeof *ITEM_FIELDS, ITEM_WIDTH},
        .users = {w->user_at, USERS, USER_WIDTH},
        .items = {w->item_at, ITEMS, ITEM_WIDTH},
        .user_id = w->user_id,
        .item_id = w->item_id,
        .group = w->group,
        .count = w->count,
        .user = w->user,
        .item = w->item,
        .reward = w->reward,
        .ignored = -0.1F,
    };
    assert_int_equal(dq_pool_new(&w->pool, threads, NULL), DQ_OK);
}

static void learn(world *w, const char *names)
{
    dq_error e = DQ_ERROR_NONE;
    if (dq_feature_learn(&w->set, &w->training, names, w->pool, &e)) fail_msg("%s", e.reason);
}

static void stop(world *w)
{
    dq_feature_free(w->set);
    dq_pool_free(w->pool);
}

static dq_feature_who trainee(const world *w, uint32_t u)
{
    return (dq_feature_who){.vector = USER_VECTORS[u], .id = w->user_id[u], .group = w->group[u]};
}

/* Features of all training users: (USERS, ITEMS, columns), to be freed. */
static float *list_all(const world *w)
{
    dq_feature_who who[USERS];
    float *out = malloc((size_t)USERS * ITEMS * dq_feature_columns(w->set) * sizeof *out);
    assert_non_null(out);
    for (uint32_t u = 0; u < USERS; u++) who[u] = trainee(w, u);
    dq_feature_lists(w->set, who, USERS, out);
    return out;
}

static void are_near(const dq_feature_set *set, const float *out, const double *expected, size_t items)
{
    char name[128];
    for (size_t j = 0; j < items; j++)
        for (uint32_t c = 0; c < COLUMNS; c++) {
            double got = (double)out[j * COLUMNS + c], want = expected[j * COLUMNS + c];
            dq_feature_name(set, c, name, sizeof name);
            if (!(fabs(got - want) <= 2e-4)) fail_msg("item %zu, %s: %.7g, not %.7g", j, name, got, want);
        }
}

/* ---- NumPy's numbers ---- */

static void training_equals_numpy(void **state)
{
    world w;
    (void)state;
    start(&w, 2);
    learn(&w, "auto");
    assert_int_equal(dq_feature_columns(w.set), COLUMNS);
    assert_int_equal(dq_feature_pair(w.set)->user_offset, BEST_USER_OFFSET);
    assert_int_equal(dq_feature_pair(w.set)->item_offset, BEST_ITEM_OFFSET);
    float *out = list_all(&w);
    for (size_t u = 0; u < USERS; u++) are_near(w.set, out + u * ITEMS * COLUMNS, TRAINING[u], ITEMS);
    free(out);
    stop(&w);
}

/* Another list than that of training, and users of whom nothing is known. */
static void bind_few(const world *w, dq_feature_set *set)
{
    const float *at[SHORT];
    uint64_t id[SHORT];
    for (size_t i = 0; i < SHORT; i++) {
        at[i] = w->items[FEW[i]];
        id[i] = w->item_id[FEW[i]];
    }
    const dq_vectors items = {at, SHORT, ITEM_WIDTH};
    assert_int_equal(dq_feature_bind(set, &items, id, NULL), DQ_OK);
}

static void strangers_equal_numpy(const world *w, dq_feature_set *set)
{
    static float out[SHORT * COLUMNS];
    bind_few(w, set);
    for (size_t s = 0; s < STRANGERS; s++) {
        const dq_feature_who who = {.vector = STRANGER_VECTORS[s], .group = DQ_ABSENT};
        dq_feature_list(set, &who, out);
        are_near(set, out, RANKED[s], SHORT);
    }
}

static void ranking_equals_numpy(void **state)
{
    world w;
    (void)state;
    start(&w, 1);
    learn(&w, "auto");
    strangers_equal_numpy(&w, w.set);
    stop(&w);
}

/* ---- in a model ---- */

static void a_model_keeps_them(void **state)
{
    world w;
    dq_bundle model;
    dq_feature_set *loaded;
    (void)state;
    start(&w, 1);
    learn(&w, "auto");
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_feature_save(w.set, &model, NULL), DQ_OK);
    assert_int_equal(dq_feature_load(&loaded, &model, w.pool, NULL), DQ_OK);
    assert_int_equal(dq_feature_columns(loaded), COLUMNS);
    strangers_equal_numpy(&w, loaded);
    dq_feature_free(loaded);
    dq_bundle_free(&model);
    stop(&w);
}

static void a_model_without_any(void **state)
{
    dq_bundle model;
    dq_feature_set *set = (dq_feature_set *)&model;
    (void)state;
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_feature_load(&set, &model, NULL, NULL), DQ_OK);
    assert_null(set);
    dq_bundle_free(&model);
}

/* What a saved model says, with one column replaced. */
static dq_status load_with(const world *w, const char *column, dq_dtype type, unsigned dims,
                           const uint64_t *shape, const void *data)
{
    dq_bundle model, changed;
    dq_feature_set *set = NULL;
    const char *without[] = {column, NULL};
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_feature_save(w->set, &model, NULL), DQ_OK);
    assert_int_equal(dq_bundle_borrow(&changed, &model, without, NULL), DQ_OK);
    if (data) assert_int_equal(dq_bundle_add_tensor(&changed, column, type, dims, shape, data, NULL), DQ_OK);
    dq_status status = dq_feature_load(&set, &changed, w->pool, NULL);
    if (status) assert_null(set);
    dq_feature_free(set);
    dq_bundle_free(&changed);
    dq_bundle_free(&model);
    return status;
}

static void broken_models_are_refused(void **state)
{
    static const char *const columns[] = {"features.user",       "features.user_id",
                                          "features.item_id",    "features.label_start",
                                          "features.label_item", "features.label_gain"};
    static const uint64_t few[] = {3};
    static const uint32_t numbers[LABELS_MAX] = {5, 1, 2};
    static const float gains[LABELS_MAX] = {0};
    static uint64_t ids[LABELS_MAX];
    world w;
    (void)state;
    start(&w, 1);
    learn(&w, "neighbours");
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++)
        assert_int_equal(load_with(&w, columns[c], DQ_F4, 1, NULL, NULL), DQ_ERR_SCHEMA);
    assert_int_equal(load_with(&w, "features.user", DQ_F4, 1, few, gains), DQ_ERR_SCHEMA);
    assert_int_equal(load_with(&w, "features.user_id", DQ_U8, 1, few, ids), DQ_ERR_SCHEMA);
    assert_int_equal(load_with(&w, "features.label_start", DQ_U4, 1, (const uint64_t[]){USERS - 1}, numbers),
                     DQ_ERR_SCHEMA);
    assert_int_equal(load_with(&w, "features.item_id", DQ_U8, 1, (const uint64_t[]){ITEMS}, ids),
                     DQ_ERR_SCHEMA);
    size_t labels = 0;
    for (size_t r = 0; r < w.count; r++) labels += w.reward[r] > w.training.ignored;
    assert_int_equal(load_with(&w, "features.label_gain", DQ_F4, 1, (const uint64_t[]){labels}, gains),
                     DQ_ERR_SCHEMA);
    stop(&w);
}

/* ---- what leaks and what does not ---- */

/* The features of a user when labels of another are taken away. One pair of fields: labels choose none. */
static float *without_labels_of(uint32_t whose, uint32_t user)
{
    world w;
    start(&w, 1);
    w.training.user_layout.count = w.training.item_layout.count = 1;
    for (size_t r = 0; r < w.count; r++)
        if (w.user[r] == whose) w.reward[r] = NAN;
    learn(&w, "neighbours,reciprocity,ridge");
    float *out = malloc((size_t)ITEMS * dq_feature_columns(w.set) * sizeof *out);
    assert_non_null(out);
    const dq_feature_who who = trainee(&w, user);
    dq_feature_list(w.set, &who, out);
    stop(&w);
    return out;
}

/* Whether a user's features change with another's labels. */
static bool knows_of(uint32_t user, uint32_t whose)
{
    float *with = without_labels_of(UINT32_MAX, user), *without = without_labels_of(whose, user);
    bool differs = false;
    for (size_t i = 0; i < (size_t)ITEMS * 4; i++) differs = differs || fabsf(with[i] - without[i]) > 1e-5F;
    free(with);
    free(without);
    return differs;
}

static void own_and_group_labels_are_left_out(void **state)
{
    size_t same = 0;
    (void)state;
    for (uint32_t u = 0; u < 4; u++)
        for (uint32_t v = 0; v < USERS - 2; v++) {
            bool group = GROUP[u] == GROUP[v];
            same += group && u != v;
            if (knows_of(u, v) == group)
                fail_msg("user %u %s labels of user %u", u, group ? "knows" : "ignores", v);
        }
    assert_true(same > 2);
}

/* Without groups each user's own are. */
static void own_labels_are_left_out_by_id(void **state)
{
    world w;
    (void)state;
    start(&w, 1);
    w.training.group = NULL;
    learn(&w, "neighbours");
    float own[ITEMS * 2], other[ITEMS * 2];
    dq_feature_who who = {.vector = USER_VECTORS[0], .id = w.user_id[0], .group = DQ_ABSENT};
    dq_feature_list(w.set, &who, own);
    who.id = 0;
    dq_feature_list(w.set, &who, other);
    assert_memory_not_equal(own, other, sizeof own);
    for (size_t r = 0; r < w.count; r++)
        if (w.user[r] == 0) w.reward[r] = NAN;
    dq_feature_free(w.set);
    learn(&w, "neighbours");
    dq_feature_list(w.set, &who, other);
    for (size_t i = 0; i < ITEMS * 2; i++) assert_float_equal(own[i], other[i], 1e-5);
    stop(&w);
}

/* ---- bits ---- */

static void bits_are_the_users_alone(void **state)
{
    world one, many;
    (void)state;
    start(&one, 1);
    start(&many, 3);
    learn(&one, "auto");
    learn(&many, "auto");
    float *all = list_all(&many), out[ITEMS * COLUMNS];
    for (uint32_t u = 0; u < USERS; u++) {
        const dq_feature_who who = trainee(&one, u);
        dq_feature_list(one.set, &who, out);
        assert_memory_equal(out, all + (size_t)u * ITEMS * COLUMNS, sizeof out);
    }
    free(all);
    stop(&one);
    stop(&many);
}

/* ---- edges ---- */

static void equal_items_give_zeros(void **state)
{
    world w;
    (void)state;
    start(&w, 1);
    for (size_t i = 1; i < ITEMS; i++) memcpy(w.items[i], w.items[0], sizeof w.items[0]);
    learn(&w, "cosine-z,log-rank,hubness,likely-item");
    float *out = list_all(&w);
    for (size_t i = 0; i < (size_t)USERS * ITEMS * dq_feature_columns(w.set); i++) assert_true(out[i] == 0);
    free(out);
    stop(&w);
}

static void vectors_of_zeros_are_finite(void **state)
{
    world w;
    (void)state;
    start(&w, 1);
    memset(w.items, 0, sizeof w.items);
    learn(&w, "auto");
    float *out = list_all(&w);
    for (size_t i = 0; i < (size_t)USERS * ITEMS * COLUMNS; i++) assert_true(isfinite(out[i]));
    free(out);
    stop(&w);
}

/* Nobody is left when the only user asks. */
static void one_user(void **state)
{
    world w;
    float out[ITEMS * COLUMNS];
    (void)state;
    start(&w, 1);
    w.training.users.count = 1;
    w.training.count = ITEMS;
    learn(&w, "neighbours,reciprocity,ridge");
    dq_feature_who who = trainee(&w, 0);
    dq_feature_list(w.set, &who, out);
    for (size_t i = 0; i < (size_t)ITEMS * 4; i++) assert_true(out[i] == 0);
    who = (dq_feature_who){.vector = USER_VECTORS[1], .group = DQ_ABSENT};
    dq_feature_list(w.set, &who, out);
    bool differs = false;
    for (size_t i = 0; i < (size_t)ITEMS * 4; i++) differs = differs || out[i] != 0;
    assert_true(differs);
    stop(&w);
}

/* ---- more users than a fit takes ---- */

enum { CROWD = 2100, FITTED = 2048, GOODS = 3 };

/* The features of a stranger, learnt from `count` users of whom user i is number (i CROWD / count). */
static void learn_from_crowd(uint32_t count, float *out)
{
    static float vectors[CROWD][2];
    static const float *at[CROWD], *goods[GOODS];
    static const float good[GOODS][2] = {{1, 0}, {0.6F, 0.8F}, {0, 1}}, stranger[2] = {0.9F, 0.3F};
    static const dq_field field[] = {{"taste", 0, 2, 0}};
    static uint64_t id[CROWD];
    static uint32_t user[CROWD], item[CROWD];
    static float reward[CROWD];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t who = (uint32_t)((uint64_t)i * CROWD / count);
        vectors[i][0] = cosf((float)who);
        vectors[i][1] = sinf((float)who);
        at[i] = vectors[i];
        id[i] = dq_feature_id((const char *)&who, sizeof who);
        user[i] = i;
        item[i] = vectors[i][0] > 0.3F ? 0 : vectors[i][1] > 0 ? 1 : 2;
        reward[i] = who % 7 ? 1 : 0.5F;
    }
    for (uint32_t i = 0; i < GOODS; i++) goods[i] = good[i];
    const dq_feature_training training = {.user_layout = {field, 1, 2},
                                          .item_layout = {field, 1, 2},
                                          .users = {at, count, 2},
                                          .items = {goods, GOODS, 2},
                                          .user_id = id,
                                          .item_id = id,
                                          .count = count,
                                          .user = user,
                                          .item = item,
                                          .reward = reward};
    const dq_feature_who who = {.vector = stranger, .group = DQ_ABSENT};
    dq_feature_set *set;
    dq_pool *pool;
    assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
    assert_int_equal(dq_feature_learn(&set, &training, "ridge", pool, NULL), DQ_OK);
    dq_feature_list(set, &who, out);
    dq_feature_free(set);
    dq_pool_free(pool);
}

static void of_a_crowd_a_fit_takes_some_evenly_spread(void **state)
{
    float all[GOODS], some[GOODS];
    (void)state;
    learn_from_crowd(CROWD, all);
    learn_from_crowd(FITTED, some);
    for (size_t i = 0; i < GOODS; i++) assert_float_equal(all[i], some[i], 1e-3F);
    assert_true(all[0] > 0.5F);
}

static void no_labels(void **state)
{
    world w;
    dq_error e = DQ_ERROR_NONE;
    (void)state;
    start(&w, 1);
    for (size_t r = 0; r < w.count; r++) w.reward[r] = r % 2 ? NAN : -0.1F;
    assert_int_equal(dq_feature_learn(&w.set, &w.training, "cosine-z,neighbours", w.pool, &e), DQ_ERR_RANGE);
    assert_non_null(strstr(e.reason, "neighbours"));
    assert_null(w.set);
    learn(&w, "auto");
    assert_int_equal(dq_feature_columns(w.set), COLUMNS - 4);
    dq_bundle model;
    dq_feature_set *loaded;
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_feature_save(w.set, &model, NULL), DQ_OK);
    assert_int_equal(dq_feature_load(&loaded, &model, w.pool, NULL), DQ_OK);
    bind_few(&w, loaded);
    dq_feature_free(loaded);
    dq_bundle_free(&model);
    stop(&w);
}

static void no_fields_of_one_width(void **state)
{
    static const dq_field odd[] = {{"odd", 0, 7, 0}};
    world w;
    (void)state;
    start(&w, 1);
    w.training.user_layout = (dq_layout){odd, 1, USER_WIDTH};
    assert_int_equal(dq_feature_learn(&w.set, &w.training, "cosine-z", w.pool, NULL), DQ_ERR_RANGE);
    learn(&w, "auto");
    assert_int_equal(dq_feature_columns(w.set), 0);
    assert_null(dq_feature_pair(w.set));
    stop(&w);
}

/* Of a catalogue that is large, kinds are computed for whoever names them. */
static void a_large_catalogue(void **state)
{
    world w;
    (void)state;
    start(&w, 1);
    w.training.users.count = (1U << 26) / ITEMS + 1; /* only those with labels are looked at */
    learn(&w, "auto");
    assert_int_equal(dq_feature_columns(w.set), 0);
    dq_feature_free(w.set);
    learn(&w, "hubness");
    assert_int_equal(dq_feature_columns(w.set), 1);
    stop(&w);
}

static void names(void **state)
{
    world w;
    char name[128];
    (void)state;
    start(&w, 1);
    assert_int_equal(dq_feature_learn(&w.set, &w.training, "cosine-z,nonsense", w.pool, NULL),
                     DQ_ERR_UNKNOWN);
    assert_int_equal(dq_feature_learn(&w.set, &w.training, "cosine-z,", w.pool, NULL), DQ_ERR_UNKNOWN);
    assert_int_equal(dq_feature_learn(&w.set, &w.training, "hubness,hubness", w.pool, NULL),
                     DQ_ERR_DUPLICATE);
    learn(&w, "hubness,neighbours,cosine-z");
    const char *const expected[] = {"hubness", "neighbours.8", "neighbours.20", "cosine-z.hard:title"};
    for (uint32_t c = 0; c < 4; c++) {
        dq_feature_name(w.set, c, name, sizeof name);
        assert_string_equal(name, expected[c]);
    }
    stop(&w);
}

/* A field that is the same in all items ranks nothing, though no item stands before a labelled one. */
static void a_constant_field_is_not_the_best(void **state)
{
    world w;
    (void)state;
    start(&w, 1);
    for (size_t i = 0; i < ITEMS; i++)
        for (size_t k = 0; k < 6; k++) w.items[i][BEST_ITEM_OFFSET + k] = k == 0;
    learn(&w, "cosine-z");
    assert_int_not_equal(dq_feature_pair(w.set)->item_offset, BEST_ITEM_OFFSET);
    stop(&w);
}

/* The better of two labels of one pair counts, in whatever order they come. */
static void doubled_labels(void **state)
{
    world w;
    (void)state;
    start(&w, 1);
    learn(&w, "neighbours");
    float *single = list_all(&w);
    dq_feature_free(w.set);
    for (size_t r = 0; r < w.count && w.training.count < LABELS_MAX + 0U; r++)
        if (isnan(w.reward[r])) { /* a free row: a worse label of the pair before */
            size_t better = r ? r - 1 : 0;
            if (isnan(w.reward[better]) || w.reward[better] < 0.5F) continue;
            w.user[r] = w.user[better];
            w.item[r] = w.item[better];
            w.reward[r] = 0;
        }
    learn(&w, "neighbours");
    float *twice = list_all(&w);
    assert_memory_equal(single, twice, (size_t)USERS * ITEMS * 2 * sizeof *single);
    free(single);
    free(twice);
    stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_equals_numpy),
        cmocka_unit_test(ranking_equals_numpy),
        cmocka_unit_test(a_model_keeps_them),
        cmocka_unit_test(a_model_without_any),
        cmocka_unit_test(broken_models_are_refused),
        cmocka_unit_test(own_and_group_labels_are_left_out),
        cmocka_unit_test(own_labels_are_left_out_by_id),
        cmocka_unit_test(bits_are_the_users_alone),
        cmocka_unit_test(equal_items_give_zeros),
        cmocka_unit_test(vectors_of_zeros_are_finite),
        cmocka_unit_test(one_user),
        cmocka_unit_test(of_a_crowd_a_fit_takes_some_evenly_spread),
        cmocka_unit_test(no_labels),
        cmocka_unit_test(no_fields_of_one_width),
        cmocka_unit_test(a_large_catalogue),
        cmocka_unit_test(names),
        cmocka_unit_test(a_constant_field_is_not_the_best),
        cmocka_unit_test(doubled_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
