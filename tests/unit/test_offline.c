/* SPDX-License-Identifier: MIT */
#include "learn/offline.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { USERS = 72, ITEMS = 30, WIDTH = 2, LABELS = 10, ROWS = USERS * LABELS };

/* Users in 24 groups of three; an item is liked when the first numbers of both have one sign. */
typedef struct world {
    dq_pool *pool;
    dq_dynaq *agent;
    dq_offline *run;
    float user[USERS][WIDTH], item[ITEMS][WIDTH];
    const float *user_at[USERS], *item_at[ITEMS];
    uint32_t group[USERS];
    dq_transition rows[ROWS];
    size_t count;
} world;

static float liking(const world *w, uint32_t user, uint32_t item)
{
    return w->user[user][0] * w->item[item][0] > 0 ? 1 : 0;
}

static void populate(world *w)
{
    dq_rng rng = dq_rng_new(5);
    memset(w, 0, sizeof *w);
    for (int u = 0; u < USERS; u++)
        for (int k = 0; k < WIDTH; k++) w->user[u][k] = (float)dq_rng_normal(&rng);
    for (int i = 0; i < ITEMS; i++)
        for (int k = 0; k < WIDTH; k++) w->item[i][k] = (float)dq_rng_normal(&rng);
    for (uint32_t u = 0; u < USERS; u++) {
        uint32_t drawn[LABELS], scratch[ITEMS];
        w->user_at[u] = w->user[u];
        w->group[u] = 100 + u / 3;
        dq_rng_sample(&rng, drawn, LABELS, scratch, ITEMS);
        for (int k = 0; k < LABELS; k++)
            w->rows[w->count++] = (dq_transition){u, drawn[k], liking(w, u, drawn[k]), u, false};
    }
    for (int i = 0; i < ITEMS; i++) w->item_at[i] = w->item[i];
}

static dq_offline_config usual(void)
{
    return (dq_offline_config){
        .epochs = 12, .batch = 16, .rate = 5e-3, .validation = 0.25, .negative_reward = -0.1F, .seed = 3};
}

static void start(world *w, const dq_offline_config *config, double gamma, double dropout)
{
    dq_vectors users = {w->user_at, USERS, WIDTH}, items = {w->item_at, ITEMS, WIDTH};
    dq_dynaq_config agent = DQ_DYNAQ_DEFAULTS;
    agent.q = (dq_net_spec){
        .user_width = WIDTH, .item_width = WIDTH, .hidden = {32, 16}, .hidden_count = 2, .dropout = dropout};
    agent.world = (dq_net_spec){
        .user_width = WIDTH, .item_width = WIDTH, .hidden = {32}, .hidden_count = 1, .dropout = dropout};
    agent.gamma = gamma;
    agent.target_every = 20;
    agent.batch = agent.replay = 1;
    agent.planning = 0;
    agent.max_rows = DQ_OFFLINE_ROWS(*config);
    assert_int_equal(dq_pool_new(&w->pool, 1, NULL), DQ_OK);
    assert_int_equal(dq_dynaq_new(&w->agent, &agent, &users, &items, w->pool, NULL), DQ_OK);
    assert_int_equal(dq_offline_new(&w->run, config, w->agent, w->rows, w->count, w->group, NULL), DQ_OK);
}

static void drop(world *w)
{
    dq_offline_free(w->run);
    dq_dynaq_free(w->agent);
    dq_pool_free(w->pool);
}

/* Steps until `epochs` epochs have ended, or all of them. */
static void go(world *w, uint64_t epochs)
{
    while (!dq_offline_done(w->run) && dq_offline_last(w->run).epoch < epochs) {
        bool ended;
        assert_int_equal(dq_offline_step(w->run, &ended, NULL), DQ_OK);
    }
}

static void learns_what_is_separable(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = usual();
    config.epochs = 40;
    populate(&w);
    start(&w, &config, 0, 0);
    go(&w, 1);
    dq_epoch first = dq_offline_last(w.run);
    go(&w, 40);
    dq_epoch last = dq_offline_last(w.run);
    assert_true(first.best);
    assert_true(last.q_loss < 0.05 && last.q_loss < first.q_loss / 3);
    assert_true(last.world_loss < 0.1);
    assert_true(last.order > 0.85 && last.order > first.order); /* on users it has not seen */
    drop(&w);
}

/* Every row of a held-out group is held out, and no row of any other. */
static void groups_never_leak(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        world w;
        dq_offline_config config = usual();
        size_t held = 0;
        config.seed = seed;
        populate(&w);
        start(&w, &config, 0, 0);
        dq_offline_sizes sizes = dq_offline_size(w.run);
        for (uint32_t u = 0; u < USERS; u++) {
            assert_int_equal(dq_offline_held_out(w.run, u), dq_offline_held_out(w.run, u / 3 * 3));
            held += dq_offline_held_out(w.run, u) ? LABELS : 0;
        }
        assert_int_equal(sizes.groups, 24);
        assert_int_equal(sizes.held_out_groups, 6);
        assert_int_equal(sizes.held_out, held);
        assert_int_equal(held, 6 * 3 * LABELS);
        assert_int_equal(sizes.training, ROWS - held);
        drop(&w);
    }
}

/* Held-out users' labels are turned round: had they been learnt, order would rise; it must fall instead. */
static void held_out_rows_are_not_learnt(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = usual();
    config.epochs = 30;
    config.best_by = DQ_BEST_BY_LOSS;
    populate(&w);
    start(&w, &config, 0, 0);
    uint8_t held[USERS];
    for (uint32_t u = 0; u < USERS; u++) held[u] = dq_offline_held_out(w.run, u);
    drop(&w);
    for (size_t i = 0; i < w.count; i++)
        if (held[w.rows[i].user]) w.rows[i].reward = 1 - w.rows[i].reward;
    start(&w, &config, 0, 0);
    go(&w, 30);
    assert_true(dq_offline_last(w.run).order < 0.2);
    drop(&w);
}

/* Early stopping: after patience is over the best epoch's weights are back. */
static void the_best_epoch_s_weights_return(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = usual();
    config.epochs = 500;
    config.patience = 3;
    config.rate = 2e-2;
    config.best_by = DQ_BEST_BY_LOSS;
    populate(&w);
    start(&w, &config, 0, 0);
    size_t n = dq_net_count(dq_dynaq_q(w.agent));
    float *best = malloc(n * sizeof *best);
    double least = INFINITY;
    uint64_t best_epoch = 0;
    while (!dq_offline_done(w.run)) {
        go(&w, dq_offline_last(w.run).epoch + 1);
        dq_epoch e = dq_offline_last(w.run);
        assert_int_equal(e.best, e.validation_loss < least);
        if (!e.best) continue;
        least = e.validation_loss;
        best_epoch = e.epoch;
        memcpy(best, dq_net_weights(dq_dynaq_q(w.agent)), n * sizeof *best);
    }
    assert_int_equal(dq_offline_last(w.run).epoch, best_epoch + 3);
    assert_memory_not_equal(best, dq_net_weights(dq_dynaq_q(w.agent)), n * sizeof *best);
    dq_offline_finish(w.run);
    assert_memory_equal(best, dq_net_weights(dq_dynaq_q(w.agent)), n * sizeof *best);
    free(best);
    drop(&w);
}

/* Q averaged over all users for one item. */
static double mean_q(world *w, uint32_t item)
{
    double sum = 0;
    dq_vectors users = dq_dynaq_users(w->agent), items = dq_dynaq_items(w->agent);
    for (uint32_t u = 0; u < USERS; u++) {
        float q;
        dq_net_predict(dq_dynaq_q(w->agent), &users, &items, &u, &item, &q, 1);
        sum += (double)q;
    }
    return sum / USERS;
}

/* Everybody likes item 0 (reward 1), has seen items 1 to 9 without a reward, and has not seen the rest: only
 * these may be drawn as negatives. Items' vectors are far apart on a line, so that Q tells them apart. */
static void negatives_are_unseen_items(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = usual();
    config.negatives = 3;
    config.epochs = 60;
    config.validation = 0;
    populate(&w);
    for (size_t i = 0; i < w.count; i++) {
        w.rows[i].item = (uint32_t)(i % LABELS);
        w.rows[i].reward = i % LABELS == 0 ? 1 : NAN;
    }
    for (int i = 0; i < ITEMS; i++) {
        w.item[i][0] = i < LABELS ? 3 : -3;
        w.item[i][1] = (float)i / ITEMS;
    }
    start(&w, &config, 0, 0);
    assert_int_equal(dq_offline_size(w.run).training, USERS);
    assert_int_equal(dq_offline_size(w.run).held_out, 0);
    go(&w, 60);
    assert_true(isnan(dq_offline_last(w.run).validation_loss));
    assert_true(fabs(mean_q(&w, 0) - 1) < 0.1);
    assert_true(fabs(mean_q(&w, 20) + 0.1) < 0.1);
    assert_true(mean_q(&w, 9) > 0.6); /* like item 0, for nothing said otherwise */
    drop(&w);
}

/* A user who has seen everything has no negatives, and that is no endless search. */
static void a_user_who_has_seen_everything(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = usual();
    static dq_transition all[2 * ITEMS];
    config.negatives = 4;
    config.epochs = 1;
    populate(&w);
    for (uint32_t i = 0; i < 2 * ITEMS; i++)
        all[i] = (dq_transition){i / ITEMS, i % ITEMS, 1, i / ITEMS, false};
    memcpy(w.rows, all, sizeof all);
    w.count = 2 * ITEMS;
    start(&w, &config, 0, 0);
    go(&w, 1);
    assert_true(isfinite(dq_offline_last(w.run).q_loss));
    drop(&w);
}

/* With gamma the value of the best item is bootstrapped: Q of liked items goes towards 1 / (1 - gamma). */
static void gamma_bootstraps(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = usual();
    config.epochs = 60;
    config.validation = 0;
    config.schedule = dq_schedule_find("one-cycle");
    populate(&w);
    start(&w, &config, 0.5, 0);
    go(&w, 60);
    dq_offline_finish(w.run);
    double liked = 0, n = 0;
    dq_vectors users = dq_dynaq_users(w.agent), items = dq_dynaq_items(w.agent);
    for (size_t i = 0; i < w.count; i++) {
        float q;
        if (w.rows[i].reward < 1) continue;
        dq_net_predict(dq_dynaq_q(w.agent), &users, &items, &w.rows[i].user, &w.rows[i].item, &q, 1);
        liked += (double)q;
        n++;
    }
    assert_true(liked / n > 1.7 && liked / n < 2.7);
    drop(&w);
}

static void save_to(world *w, dq_bundle *model)
{
    assert_int_equal(dq_bundle_init(model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_dynaq_save(w->agent, true, model, NULL), DQ_OK);
    assert_int_equal(dq_offline_save(w->run, model, NULL), DQ_OK);
}

/* Stopped after any number of batches, in the middle of an epoch too, and gone on with. */
static void resumes_exactly(void **state)
{
    (void)state;
    dq_offline_config config = usual();
    config.negatives = 2;
    config.epochs = 6;
    config.schedule = dq_schedule_find("one-cycle");
    for (int batches = 1; batches < 40; batches += 9) {
        world w, v;
        dq_bundle model;
        bool ended;
        populate(&w);
        populate(&v);
        start(&w, &config, 0.5, 0.2);
        for (int i = 0; i < batches; i++) assert_int_equal(dq_offline_step(w.run, &ended, NULL), DQ_OK);
        save_to(&w, &model);
        start(&v, &config, 0.5, 0.2);
        assert_int_equal(dq_dynaq_restore(v.agent, &model, NULL), DQ_OK);
        assert_int_equal(dq_offline_restore(v.run, &model, NULL), DQ_OK);
        dq_bundle_free(&model);
        go(&w, 6);
        go(&v, 6);
        dq_epoch a = dq_offline_last(w.run), b = dq_offline_last(v.run);
        assert_true(a.q_loss == b.q_loss && a.validation_loss == b.validation_loss && a.order == b.order);
        dq_offline_finish(w.run);
        dq_offline_finish(v.run);
        assert_memory_equal(dq_net_weights(dq_dynaq_q(w.agent)), dq_net_weights(dq_dynaq_q(v.agent)),
                            dq_net_count(dq_dynaq_q(w.agent)) * sizeof(float));
        assert_memory_equal(dq_net_weights(dq_dynaq_world(w.agent)), dq_net_weights(dq_dynaq_world(v.agent)),
                            dq_net_count(dq_dynaq_world(w.agent)) * sizeof(float));
        drop(&w);
        drop(&v);
    }
}

static void nothing_to_learn_is_an_error(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = usual();
    dq_offline *run;
    dq_error e = DQ_ERROR_NONE;
    populate(&w);
    start(&w, &config, 0, 0);
    for (size_t i = 0; i < w.count; i++) w.rows[i].reward = NAN;
    assert_int_equal(dq_offline_new(&run, &config, w.agent, w.rows, w.count, w.group, &e), DQ_ERR_RANGE);
    assert_null(run);
    drop(&w);
}

/* One group alone is never held out: there would be nothing left to learn from. */
static void one_group_is_not_held_out(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = usual();
    config.validation = 0.9;
    populate(&w);
    memset(w.group, 0, sizeof w.group);
    start(&w, &config, 0, 0);
    assert_int_equal(dq_offline_size(w.run).held_out_groups, 0);
    assert_int_equal(dq_offline_size(w.run).training, ROWS);
    drop(&w);
}

/* The folds are disjoint, and together every user; another seed cuts otherwise. */
static void folds_hold_each_group_out_once(void **state)
{
    (void)state;
    enum { FOLDS = 3 };
    unsigned times[USERS] = {0}, moved = 0;
    for (uint32_t fold = 1; fold <= FOLDS; fold++) {
        world w, other;
        dq_offline_config config = usual();
        config.fold = fold;
        config.folds = FOLDS;
        populate(&w);
        start(&w, &config, 0, 0);
        config.seed++;
        populate(&other);
        start(&other, &config, 0, 0);
        dq_offline_sizes sizes = dq_offline_size(w.run);
        assert_in_range(sizes.held_out_groups, sizes.groups / FOLDS, (sizes.groups + FOLDS - 1) / FOLDS);
        for (uint32_t u = 0; u < USERS; u++) {
            times[u] += dq_offline_held_out(w.run, u);
            moved += dq_offline_held_out(w.run, u) != dq_offline_held_out(other.run, u);
        }
        drop(&w);
        drop(&other);
    }
    for (uint32_t u = 0; u < USERS; u++) assert_int_equal(times[u], 1);
    assert_true(moved > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_what_is_separable),
        cmocka_unit_test(groups_never_leak),
        cmocka_unit_test(held_out_rows_are_not_learnt),
        cmocka_unit_test(the_best_epoch_s_weights_return),
        cmocka_unit_test(negatives_are_unseen_items),
        cmocka_unit_test(a_user_who_has_seen_everything),
        cmocka_unit_test(gamma_bootstraps),
        cmocka_unit_test(resumes_exactly),
        cmocka_unit_test(nothing_to_learn_is_an_error),
        cmocka_unit_test(one_group_is_not_held_out),
        cmocka_unit_test(folds_hold_each_group_out_once),
    };
    return cmocka_run_group_tests_name("offline", tests, NULL, NULL);
}
