/* SPDX-License-Identifier: MIT */
#include "dq/schema.h"
#include "offline/rows.h"

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
    dq_agent *agent;
    dq_offline *run;
    float user[USERS][WIDTH], item[ITEMS][WIDTH];
    const float *user_at[USERS], *item_at[ITEMS];
    uint32_t group[USERS];
    dq_transition row[ROWS];
    float reward[ROWS];
    uint32_t row_user[ROWS], row_item[ROWS];
    dq_offline_catalogue source;
} world;

static float liking(const world *w, uint32_t user, uint32_t item)
{
    return w->user[user][0] * w->item[item][0] > 0 ? 1 : 0;
}

static void add_row(world *w, uint32_t user, uint32_t item, float reward)
{
    size_t n = w->source.count++;
    w->row[n] = (dq_transition){.state = user, .action = item, .next = user, .discount = 1};
    w->row_user[n] = user;
    w->row_item[n] = item;
    w->reward[n] = reward;
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
        for (int k = 0; k < LABELS; k++) add_row(w, u, drawn[k], liking(w, u, drawn[k]));
    }
    for (int i = 0; i < ITEMS; i++) w->item_at[i] = w->item[i];
}

static dq_offline_config usual(void)
{
    return (dq_offline_config){
        .epochs = 12, .batch = 16, .validation = 0.25, .negative_reward = -0.1F, .seed = 3};
}

/* An agent as usual: small networks, on vectors of items. */
static dq_agent_config usual_agent(const char *kind, double gamma)
{
    dq_agent_config c = dq_agent_find(kind)->defaults;
    c.hidden_count = 2;
    c.hidden[0] = 32;
    c.hidden[1] = 16;
    c.head = DQ_HEAD_ACTIONS;
    c.dropout = 0;
    c.gamma = gamma;
    c.adam.rate = 5e-3;
    c.target_every = 20;
    c.target_by = DQ_BY_UPDATES;
    c.batch = 16;
    c.planning = 0;
    return c;
}

static dq_offline_rows rows_of(world *w)
{
    dq_offline_catalogue *s = &w->source;
    s->users = (dq_vectors){w->user_at, USERS, WIDTH};
    s->items = ITEMS;
    s->transitions = w->row;
    s->reward = w->reward;
    s->user = w->row_user;
    s->action = w->row_item;
    for (size_t i = 0; i < s->count; i++)
        assert_int_equal(dq_pairset_add(&s->met, w->row_user[i], w->row_item[i], NULL, NULL), DQ_OK);
    return dq_offline_catalogue_rows(s, w->group);
}

static void start_agent(world *w, const dq_offline_config *config, const char *kind, const dq_agent_config *c)
{
    dq_agent_config agent = *c;
    dq_env_spec shape = {.state_width = WIDTH,
                         .action_count = ITEMS,
                         .action_width = WIDTH,
                         .actions = w->item_at,
                         .states = {w->user_at, USERS, WIDTH}};
    agent.fit_rows = DQ_OFFLINE_ROWS(*config);
    assert_int_equal(dq_pool_new(&w->pool, 1, NULL), DQ_OK);
    assert_int_equal(dq_agent_new(&w->agent, kind, &agent, &shape, w->pool, NULL), DQ_OK);
    dq_offline_rows rows = rows_of(w);
    assert_int_equal(dq_offline_new(&w->run, config, w->agent, &rows, NULL), DQ_OK);
}

static void start(world *w, const dq_offline_config *config, double gamma)
{
    dq_agent_config c = usual_agent("dqn", gamma);
    start_agent(w, config, "dqn", &c);
}

static void drop(world *w)
{
    dq_offline_free(w->run);
    dq_agent_free(w->agent);
    dq_pool_free(w->pool);
    dq_pairset_free(&w->source.met);
}

static bool step(world *w)
{
    bool ended;
    assert_int_equal(dq_offline_step(w->run, &ended, NULL), DQ_OK);
    return ended;
}

/* Steps until `epochs` epochs have ended, or all of them. */
static void go(world *w, uint64_t epochs)
{
    while (!dq_offline_done(w->run) && dq_offline_last(w->run).epoch < epochs) step(w);
}

/* Q of all users and items. */
static void all_values(world *w, float q[USERS][ITEMS])
{
    dq_vectors users = {w->user_at, USERS, WIDTH};
    dq_agent_values(w->agent, &users, NULL, USERS, q[0]);
}

/* ---- learning ---- */

static void learns_what_is_separable(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = usual();
    dq_agent_config agent = usual_agent("dyna-q", 0);
    config.epochs = 40;
    config.best_by = DQ_BEST_BY_CONCORDANCE;
    populate(&w);
    start_agent(&w, &config, "dyna-q", &agent);
    go(&w, 1);
    dq_offline_epoch first = dq_offline_last(w.run);
    go(&w, 40);
    dq_offline_epoch last = dq_offline_last(w.run);
    assert_true(first.best);
    assert_true(last.q_loss < 0.05 && last.q_loss < first.q_loss / 3);
    assert_true(last.world_loss < 0.1);
    assert_true(last.concordance > 0.85 && last.concordance > first.concordance); /* users it has not seen */
    assert_true(isnan(last.ndcg) && isnan(last.beta));                            /* nobody asked */
    drop(&w);
}

/* Q averaged over all users for one item. */
static double mean_q(world *w, uint32_t item)
{
    static float q[USERS][ITEMS];
    double sum = 0;
    all_values(w, q);
    for (uint32_t u = 0; u < USERS; u++) sum += (double)q[u][item];
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
    for (size_t i = 0; i < ROWS; i++) {
        w.row[i].action = w.row_item[i] = (uint32_t)(i % LABELS);
        w.reward[i] = i % LABELS == 0 ? 1 : NAN;
    }
    for (int i = 0; i < ITEMS; i++) {
        w.item[i][0] = i < LABELS ? 3 : -3;
        w.item[i][1] = (float)i / ITEMS;
    }
    start(&w, &config, 0);
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
    config.negatives = 4;
    config.epochs = 1;
    populate(&w);
    w.source.count = 0;
    for (uint32_t i = 0; i < 2 * ITEMS; i++) add_row(&w, i / ITEMS, i % ITEMS, 1);
    start(&w, &config, 0);
    go(&w, 1);
    assert_true(isfinite(dq_offline_last(w.run).q_loss));
    drop(&w);
}

/* With gamma the value of the best item is bootstrapped: Q of liked items goes towards 1 / (1 - gamma). */
static double mean_liked(world *w)
{
    static float q[USERS][ITEMS];
    double sum = 0, n = 0;
    all_values(w, q);
    for (size_t i = 0; i < w->source.count; i++) {
        if (w->reward[i] < 1) continue;
        sum += (double)q[w->row_user[i]][w->row_item[i]];
        n++;
    }
    return sum / n;
}

static void gamma_bootstraps(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = usual();
    config.epochs = 60;
    config.validation = 0;
    populate(&w);
    start(&w, &config, 0.5);
    go(&w, 60);
    assert_int_equal(dq_offline_finish(w.run, NULL), DQ_OK);
    double liked = mean_liked(&w);
    assert_true(liked > 1.7 && liked < 2.7);
    drop(&w);
}

/* One drawn candidate is a bad best one as often as not: the values are smaller than over all items. */
static void the_maximum_runs_over_drawn_candidates(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = usual();
    uint32_t seen[ITEMS] = {0}, kinds = 0;
    config.epochs = 60;
    config.candidates = 1;
    populate(&w);
    start(&w, &config, 0.5);
    for (uint64_t epoch = 1; epoch <= config.epochs; epoch++) {
        step(&w);
        uint32_t n, action = *dq_agent_get_offer(w.agent, &n);
        assert_int_equal(n, 1);
        kinds += seen[action]++ == 0;
        go(&w, epoch);
    }
    assert_true(kinds > ITEMS / 2); /* drawn anew */
    assert_int_equal(dq_offline_finish(w.run, NULL), DQ_OK);
    uint32_t n;
    dq_agent_get_offer(w.agent, &n);
    assert_int_equal(n, ITEMS);
    assert_true(mean_liked(&w) < 1.7);
    drop(&w);
}

/* ---- who is held out ---- */

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
        start(&w, &config, 0);
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

/* Held-out users' labels are turned round: had they been learnt, concordance would rise; it must fall. */
static void held_out_rows_are_not_learnt(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = usual();
    config.epochs = 30;
    populate(&w);
    start(&w, &config, 0);
    for (size_t i = 0; i < ROWS; i++)
        if (dq_offline_held_out(w.run, w.row_user[i])) w.reward[i] = 1 - w.reward[i];
    drop(&w);
    memset(&w.source.met, 0, sizeof w.source.met);
    start(&w, &config, 0);
    go(&w, 30);
    assert_true(dq_offline_last(w.run).concordance < 0.2);
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
    start(&w, &config, 0);
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
        start(&w, &config, 0);
        config.seed++;
        populate(&other);
        start(&other, &config, 0);
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

/* ---- which epoch is best ---- */

/* Over all pairs of held-out rows, whatever the trainer does about users and blocks. */
static double brute_concordance(world *w)
{
    static float q[USERS][ITEMS];
    double right = 0, pairs = 0;
    all_values(w, q);
    for (size_t i = 0; i < w->source.count; i++)
        for (size_t j = 0; j < w->source.count; j++) {
            uint32_t user = w->row_user[i];
            if (!dq_offline_held_out(w->run, user) || w->row_user[j] != user) continue;
            if (!(w->reward[i] > w->reward[j])) continue;
            float better = q[user][w->row_item[i]], worse = q[user][w->row_item[j]];
            pairs++;
            right += better > worse ? 1 : better == worse ? 0.5 : 0;
        }
    return right / pairs;
}

/* Ranks by counting, row by row; of equals the row's item is the last. */
static void brute_ranks(world *w, double *hit, double *ndcg)
{
    static float q[USERS][ITEMS];
    double rows = 0;
    *hit = *ndcg = 0;
    all_values(w, q);
    for (size_t i = 0; i < w->source.count; i++) {
        uint32_t user = w->row_user[i], place = 0;
        if (!dq_offline_held_out(w->run, user) || !(w->reward[i] > 0)) continue;
        for (uint32_t k = 0; k < ITEMS; k++) place += q[user][k] >= q[user][w->row_item[i]];
        *hit += place <= 10;
        *ndcg += place <= 10 ? 1 / (log((double)place + 1) / log(2)) : 0;
        rows++;
    }
    *hit /= rows;
    *ndcg /= rows;
}

static void measures_equal_brute_force(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = usual();
    config.epochs = 4;
    config.best_by = DQ_BEST_BY_NDCG;
    populate(&w);
    for (size_t i = 0; i < ROWS; i++) /* more than two rewards, and some unknown */
        w.reward[i] = i % 7 == 0 ? NAN : w.reward[i] - (i % 3 == 0 ? 0.25F : 0);
    start(&w, &config, 0.3);
    for (uint64_t epoch = 1; epoch <= config.epochs; epoch++) {
        double hit, ndcg;
        go(&w, epoch);
        dq_offline_epoch e = dq_offline_last(w.run);
        brute_ranks(&w, &hit, &ndcg);
        assert_true(fabs(e.concordance - brute_concordance(&w)) < 1e-12);
        assert_true(fabs(e.hit - hit) < 1e-12 && fabs(e.ndcg - ndcg) < 1e-12);
        assert_true(e.hit > 0 && e.hit < 1 && e.concordance > 0 && e.concordance < 1);
    }
    drop(&w);
}

/* A table knows nothing of users that are held out: all is equal. Equal pairs count half, and of equal items
 * the one that came is the last. */
static void ties_count_half_and_rank_last(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = usual();
    dq_agent_config agent = dq_agent_find("tabular")->defaults;
    config.epochs = 1;
    config.best_by = DQ_BEST_BY_NDCG;
    agent.batch = config.batch;
    populate(&w);
    start_agent(&w, &config, "tabular", &agent);
    go(&w, 1);
    dq_offline_epoch e = dq_offline_last(w.run);
    assert_true(e.concordance == 0.5 && e.hit == 0 && e.ndcg == 0);
    drop(&w);
}

static double measure_of(const dq_offline_epoch *e, dq_best_by by)
{
    if (by == DQ_BEST_BY_LOSS) return -e->validation_loss;
    return by == DQ_BEST_BY_CONCORDANCE ? e->concordance : e->ndcg;
}

/* Early stopping, by each measure: after patience is over the best epoch's weights are back. */
static void the_best_epoch_s_weights_return(void **state)
{
    (void)state;
    static float best[USERS][ITEMS], after[USERS][ITEMS];
    for (dq_best_by by = DQ_BEST_BY_LOSS; by <= DQ_BEST_BY_NDCG; by++) {
        world w;
        dq_offline_config config = usual();
        dq_agent_config agent = usual_agent("dqn", 0);
        double greatest = -INFINITY, loss = INFINITY;
        uint64_t best_epoch = 0;
        config.epochs = 500;
        config.patience = 3;
        config.best_by = by;
        agent.adam.rate = 2e-2;
        populate(&w);
        start_agent(&w, &config, "dqn", &agent);
        assert_int_equal(dq_offline_criterion(w.run), by);
        while (!dq_offline_done(w.run)) {
            go(&w, dq_offline_last(w.run).epoch + 1);
            dq_offline_epoch e = dq_offline_last(w.run);
            double now = measure_of(&e, by);
            assert_int_equal(e.best, now > greatest || (now == greatest && e.validation_loss < loss));
            if (!e.best) continue;
            greatest = now;
            loss = e.validation_loss;
            best_epoch = e.epoch;
            all_values(&w, best);
        }
        assert_true(best_epoch < config.epochs - 3);
        assert_int_equal(dq_offline_last(w.run).epoch, best_epoch + 3);
        all_values(&w, after);
        assert_memory_not_equal(best, after, sizeof best);
        assert_int_equal(dq_offline_finish(w.run, NULL), DQ_OK);
        all_values(&w, after);
        assert_memory_equal(best, after, sizeof best);
        drop(&w);
    }
}

/* All rewards alike: there is no order to judge by; none above 0: nothing to rank. */
static void what_held_out_rows_cannot_tell_the_loss_decides(void **state)
{
    (void)state;
    for (int positive = 0; positive < 2; positive++)
        for (dq_best_by by = DQ_BEST_BY_CONCORDANCE; by <= DQ_BEST_BY_NDCG; by++) {
            world w;
            dq_offline_config config = usual();
            bool tells = positive && by == DQ_BEST_BY_NDCG;
            config.best_by = by;
            config.epochs = 1;
            populate(&w);
            for (size_t i = 0; i < ROWS; i++) w.reward[i] = positive ? 1 : -1;
            start(&w, &config, 0);
            assert_int_equal(dq_offline_criterion(w.run), tells ? by : DQ_BEST_BY_LOSS);
            go(&w, 1);
            assert_true(isnan(dq_offline_last(w.run).concordance));
            assert_int_equal(isnan(dq_offline_last(w.run).ndcg), !tells);
            assert_true(isfinite(dq_offline_last(w.run).validation_loss));
            drop(&w);
        }
}

/* ---- going on ---- */

static void save_to(world *w, dq_bundle *model)
{
    assert_int_equal(dq_bundle_init(model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_agent_save(w->agent, true, model, NULL), DQ_OK);
    assert_int_equal(dq_offline_save(w->run, model, NULL), DQ_OK);
}

/* Stopped after any number of batches, in the middle of an epoch too, and gone on with. */
static void check_resume(const dq_offline_config *config, const char *kind, const dq_agent_config *agent)
{
    static float whole[USERS][ITEMS], resumed[USERS][ITEMS];
    for (int batches = 1; batches < 150; batches += 31) {
        world w, v;
        dq_bundle model;
        populate(&w);
        populate(&v);
        start_agent(&w, config, kind, agent);
        for (int i = 0; i < batches; i++) step(&w);
        save_to(&w, &model);
        start_agent(&v, config, kind, agent);
        assert_int_equal(dq_agent_load(v.agent, true, &model, NULL), DQ_OK);
        assert_int_equal(dq_offline_restore(v.run, &model, NULL), DQ_OK);
        dq_bundle_free(&model);
        go(&w, config->epochs);
        go(&v, config->epochs);
        dq_offline_epoch a = dq_offline_last(w.run), b = dq_offline_last(v.run);
        assert_true(a.q_loss == b.q_loss && a.validation_loss == b.validation_loss);
        assert_true(a.concordance == b.concordance && a.best == b.best && a.rate == b.rate);
        assert_int_equal(dq_offline_finish(w.run, NULL), DQ_OK);
        assert_int_equal(dq_offline_finish(v.run, NULL), DQ_OK);
        all_values(&w, whole);
        all_values(&v, resumed);
        assert_memory_equal(whole, resumed, sizeof whole);
        drop(&w);
        drop(&v);
    }
}

static void resumes_exactly(void **state)
{
    (void)state;
    const char *const kinds[] = {"dqn", "dyna-q"};
    for (int kind = 0; kind < 2; kind++) {
        dq_offline_config config = usual();
        dq_agent_config agent = usual_agent(kinds[kind], 0.5);
        config.negatives = 2;
        config.epochs = 5;
        config.best_by = DQ_BEST_BY_CONCORDANCE;
        agent.schedule = dq_schedule_find("one-cycle");
        agent.dropout = 0.2;
        check_resume(&config, kinds[kind], &agent);
        config.candidates = 7;
        check_resume(&config, kinds[kind], &agent);
        config.candidates = 0;
        config.priority = 0.6;
        config.importance = 0.4;
        check_resume(&config, kinds[kind], &agent);
    }
}

/* ---- what cannot be ---- */

static void refused(world *w, const dq_offline_config *config, const dq_offline_rows *rows)
{
    dq_offline *run;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_offline_new(&run, config, w->agent, rows, &e), DQ_ERR_RANGE);
    assert_null(run);
    assert_true(e.reason[0]);
}

static void what_cannot_be_is_an_error(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = usual(), other = config;
    populate(&w);
    start(&w, &config, 0);
    const dq_offline_rows rows = dq_offline_catalogue_rows(&w.source, w.group);
    dq_offline_rows wrong = rows;
    wrong.actions--;
    refused(&w, &config, &wrong);
    wrong = rows;
    wrong.state_width++;
    refused(&w, &config, &wrong);
    wrong = rows;
    wrong.states.count--;
    refused(&w, &config, &wrong);
    other.batch = 0;
    refused(&w, &other, &rows);
    other.batch = config.batch * 2; /* than the agent takes */
    refused(&w, &other, &rows);
    other = config;
    other.batch = 4;
    other.negatives = 1;
    wrong = rows;
    wrong.met = NULL;
    refused(&w, &other, &wrong);
    other = config;
    other.n_step = 2; /* rows without an order */
    refused(&w, &other, &rows);
    for (size_t i = 0; i < ROWS; i++) w.reward[i] = NAN;
    refused(&w, &config, &rows);
    drop(&w);
}

/* The first batch is with the schedules' first values and the last with the last, or the only one with the
 * first; after schedule_steps they stay. */
static void schedules_end_with_the_last_batch(void **state)
{
    (void)state;
    const size_t epochs[] = {1, 2, 5};
    for (uint64_t steps = 0; steps < 4; steps += 3)
        for (size_t i = 0; i < 3; i++) {
            world w;
            bool ended;
            dq_offline_config config = usual();
            dq_agent_config agent = usual_agent("dqn", 0);
            config.epochs = epochs[i];
            config.batch = agent.batch = agent.replay = 4096;
            config.priority = 0.5;
            config.importance = 0.25;
            agent.schedule = dq_schedule_find("exponential");
            agent.schedule_decay = 0.5;
            agent.schedule_steps = steps;
            populate(&w);
            start_agent(&w, &config, "dqn", &agent);
            assert_int_equal(dq_offline_size(w.run).batches, 1);
            for (size_t e = 0; e < epochs[i]; e++) {
                assert_int_equal(dq_offline_step(w.run, &ended, NULL), DQ_OK);
                double share = steps           ? fmin(1, (double)e / (double)steps)
                               : epochs[i] > 1 ? (double)e / (double)(epochs[i] - 1)
                                               : 0;
                assert_true(fabs(dq_offline_last(w.run).rate - agent.adam.rate * pow(0.5, share)) < 1e-12);
                assert_true(fabs(dq_offline_last(w.run).beta - (0.25 + 0.75 * share)) < 1e-12);
            }
            drop(&w);
        }
}

static dq_offline_worth train(world *w, const dq_offline_config *config, double rate)
{
    dq_agent_config agent = usual_agent("dqn", 0);
    dq_offline_worth worth;
    agent.adam.rate = rate;
    start_agent(w, config, "dqn", &agent);
    while (!dq_offline_done(w->run)) (void)step(w);
    assert_int_equal(dq_offline_finish(w->run, NULL), DQ_OK);
    assert_int_equal(dq_offline_find_worth(w->run, &worth, NULL), DQ_OK);
    return worth;
}

static void worth_is_the_best_epoch_s(void **state)
{
    (void)state;
    world w;
    double best = 0, chance = 0;
    dq_offline_config config = usual();
    config.best_by = DQ_BEST_BY_CONCORDANCE;
    populate(&w);
    start(&w, &config, 0);
    while (!dq_offline_done(w.run))
        if (step(&w)) best = fmax(best, dq_offline_last(w.run).concordance);
    drop(&w);
    populate(&w);
    dq_offline_worth worth = train(&w, &config, 5e-3);
    for (int rank = 1; rank <= DQ_OFFLINE_TOP; rank++) chance += 1 / log2(1 + rank) / ITEMS;
    assert_false(worth.equal);
    assert_true(worth.concordance == best);
    assert_true(best > 0.8);
    assert_float_equal(worth.chance, chance, 1e-12);
    drop(&w);
}

/* Units that never answer again: what is left is the last layer's bias. */
static void a_rate_that_kills_the_network_is_seen(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = usual();
    config.validation = 0;
    config.epochs = 30;
    populate(&w);
    dq_offline_worth worth = train(&w, &config, 10);
    assert_true(worth.equal);
    assert_true(isnan(worth.concordance));
    assert_true(isnan(worth.ndcg));
    drop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_what_is_separable),
        cmocka_unit_test(negatives_are_unseen_items),
        cmocka_unit_test(schedules_end_with_the_last_batch),
        cmocka_unit_test(a_user_who_has_seen_everything),
        cmocka_unit_test(gamma_bootstraps),
        cmocka_unit_test(the_maximum_runs_over_drawn_candidates),
        cmocka_unit_test(groups_never_leak),
        cmocka_unit_test(held_out_rows_are_not_learnt),
        cmocka_unit_test(one_group_is_not_held_out),
        cmocka_unit_test(folds_hold_each_group_out_once),
        cmocka_unit_test(measures_equal_brute_force),
        cmocka_unit_test(ties_count_half_and_rank_last),
        cmocka_unit_test(the_best_epoch_s_weights_return),
        cmocka_unit_test(what_held_out_rows_cannot_tell_the_loss_decides),
        cmocka_unit_test(worth_is_the_best_epoch_s),
        cmocka_unit_test(a_rate_that_kills_the_network_is_seen),
        cmocka_unit_test(resumes_exactly),
        cmocka_unit_test(what_cannot_be_is_an_error),
    };
    return cmocka_run_group_tests_name("offline", tests, NULL, NULL);
}
