/* SPDX-License-Identifier: MIT
 *
 * Losses of lists, and offline training by them.
 */
#include "dq/schema.h"
#include "learn/agent.h"
#include "net/loss.h"
#include "offline/lists.h"
#include "offline/offline.h"
#include "offline/rows.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the losses ---- */

enum { LIST = 9 };

static const float y_of[LIST] = {0.3F, -1.2F, 2, 0.1F, 0.7F, -0.4F, 1.1F, 0.2F, -2};
static const float grade_of[LIST] = {0, 1, 0.5F, 0, 0, 0.5F, 0, 0, 0};

/* By the formulas of net/loss.h, in double. */
static double defined(dq_loss loss, double temperature, const double *y, const float *offset)
{
    double all = 0, sum = 0, grades = 0, weights = 0;
    for (int j = 0; j < LIST; j++) all += exp(y[j] / temperature + (double)offset[j]);
    for (int i = 0; i < LIST; i++) {
        double g = (double)grade_of[i], own = y[i] / temperature + (double)offset[i];
        if (g > 0) grades += g;
        if (loss == DQ_LOSS_SOFTMAX && g > 0) sum -= g * (own - log(all));
        for (int j = 0; loss == DQ_LOSS_PAIRWISE && j < LIST; j++) {
            if (!(grade_of[j] < grade_of[i]) || isinf(offset[i])) continue;
            weights += exp((double)offset[j]);
            sum += exp((double)offset[j]) * log1p(exp((y[j] - y[i]) / temperature));
        }
    }
    return sum / (loss == DQ_LOSS_SOFTMAX ? grades : weights);
}

static void check_loss(dq_loss loss, double temperature, const float *offset)
{
    float dy[LIST], scratch[LIST];
    double y[LIST];
    for (int j = 0; j < LIST; j++) y[j] = (double)y_of[j];
    double found = dq_loss_list(loss, temperature, y_of, grade_of, offset, LIST, 0.5, scratch, dy);
    assert_true(fabs(found - defined(loss, temperature, y, offset)) < 1e-5);
    for (int j = 0; j < LIST; j++) {
        const double step = 1e-5;
        y[j] += step;
        double high = defined(loss, temperature, y, offset);
        y[j] -= 2 * step;
        double low = defined(loss, temperature, y, offset);
        y[j] += step;
        assert_true(fabs((double)dy[j] - 0.5 * (high - low) / (2 * step)) < 1e-5);
    }
}

static void losses_equal_their_formulas(void **state)
{
    (void)state;
    const float none[LIST] = {0}, mixed[LIST] = {0, 0, 0, 1.5F, -INFINITY, 0, 1.5F, -INFINITY, 1.5F};
    for (int loss = DQ_LOSS_SOFTMAX; loss <= DQ_LOSS_PAIRWISE; loss++) {
        check_loss((dq_loss)loss, 1, none);
        check_loss((dq_loss)loss, 0.4, mixed);
        float dy[LIST], scratch[LIST], flat[LIST] = {0};
        assert_true(dq_loss_list((dq_loss)loss, 1, y_of, flat, NULL, LIST, 1, scratch, dy) == 0);
        for (int j = 0; j < LIST; j++) assert_true(dy[j] == 0);
        dq_loss_list((dq_loss)loss, 1, y_of, grade_of, mixed, LIST, 1, scratch, dy);
        assert_true(dy[4] == 0 && dy[7] == 0); /* not in the list */
        const float broken[LIST] = {0, NAN};
        double of_broken = dq_loss_list((dq_loss)loss, 1, broken, grade_of, NULL, LIST, 1, scratch, dy);
        assert_true(isnan(of_broken));
    }
}

/* ---- a world of lists ---- */

enum { USERS = 60, ITEMS = 40, WIDTH = 4, LABELS = 20, ROWS = USERS * LABELS };

/* An item is worth the product of its first two numbers with the user's, in four steps. What is given of a
 * pair is that product, where the world says so; of the vectors then nothing remains. */
typedef struct world {
    dq_pool *pool;
    dq_agent *agent;
    dq_offline *run;
    dq_agent_config config;
    dq_env_spec shape;
    float user[USERS][WIDTH], item[ITEMS][WIDTH], blank[USERS][WIDTH];
    const float *user_at[USERS], *item_at[ITEMS];
    uint32_t group[USERS], row_user[ROWS], row_item[ROWS];
    dq_transition row[ROWS];
    float reward[ROWS];
    bool gives;
    size_t asked;
    dq_offline_catalogue source;
    dq_offline_rows rows;
} world;

static float product_of(const world *w, uint32_t user, uint32_t item)
{
    return w->user[user][0] * w->item[item][0] + w->user[user][1] * w->item[item][1];
}

static float reward_of(const world *w, uint32_t user, uint32_t item)
{
    float x = product_of(w, user, item);
    return x > 1 ? 1 : x > 0.5F ? 0.5F : x > 0 ? 0 : -0.1F;
}

static void give(void *self, uint32_t user, const uint32_t *actions, size_t n, float *out)
{
    world *w = self;
    for (size_t i = 0; i < n; i++) out[i] = product_of(w, user, actions ? actions[i] : (uint32_t)i);
    w->asked++;
}

static void populate(world *w, bool gives)
{
    dq_rng rng = dq_rng_new(6);
    memset(w, 0, sizeof *w);
    w->gives = gives;
    for (int u = 0; u < USERS; u++)
        for (int k = 0; k < WIDTH; k++) w->user[u][k] = (float)dq_rng_normal(&rng);
    for (int i = 0; i < ITEMS; i++)
        for (int k = 0; k < WIDTH; k++) w->item[i][k] = (float)dq_rng_normal(&rng);
    for (uint32_t u = 0; u < USERS; u++) {
        uint32_t drawn[ITEMS], scratch[ITEMS];
        w->user_at[u] = gives ? w->blank[u] : w->user[u];
        w->group[u] = u / 2;
        dq_rng_sample(&rng, drawn, LABELS, scratch, ITEMS);
        for (uint32_t k = 0; k < LABELS; k++) {
            size_t r = u * LABELS + k;
            w->row[r] = (dq_transition){.state = u, .action = drawn[k], .next = u, .discount = 1};
            w->row_user[r] = u;
            w->row_item[r] = drawn[k];
            w->reward[r] = reward_of(w, u, drawn[k]);
        }
    }
    for (int i = 0; i < ITEMS; i++) w->item_at[i] = w->item[i];
}

static dq_offline_config usual(void)
{
    return (dq_offline_config){.epochs = 60,
                               .batch = 16,
                               .validation = 0.2,
                               .best_by = DQ_BEST_BY_NDCG,
                               .negative_reward = -0.1F,
                               .seed = 3};
}

static dq_agent_config agent_of(const char *kind, dq_loss loss)
{
    dq_agent_config c = dq_agent_find(kind)->defaults;
    c.hidden_count = 1;
    c.hidden[0] = 12;
    c.head = DQ_HEAD_ACTIONS;
    c.loss = loss;
    c.gamma = 0;
    c.factored = 3;
    c.adam.rate = 2e-2;
    c.adam.decay = 1e-2;
    c.adam.decoupled = true;
    c.input_dropout = 0.1;
    c.batch = 16;
    c.planning = 0;
    return c;
}

static dq_status try_start(world *w, dq_offline_config config, const char *kind, dq_agent_config c,
                           unsigned threads, dq_error *error)
{
    dq_offline_catalogue *s = &w->source;
    *s = (dq_offline_catalogue){.users = {w->user_at, USERS, WIDTH},
                                .items = ITEMS,
                                .count = ROWS,
                                .transitions = w->row,
                                .reward = w->reward,
                                .user = w->row_user,
                                .action = w->row_item};
    for (size_t i = 0; i < ROWS; i++)
        assert_int_equal(dq_pairset_add(&s->met, w->row_user[i], w->row_item[i], NULL, NULL), DQ_OK);
    w->rows = dq_offline_catalogue_rows(s, w->group);
    if (w->gives) {
        w->rows.given = 1;
        w->rows.features_self = w;
        w->rows.features = give;
    }
    w->shape = (dq_env_spec){.state_width = WIDTH,
                             .action_count = ITEMS,
                             .action_width = WIDTH,
                             .actions = w->item_at,
                             .states = {w->user_at, USERS, WIDTH}};
    dq_offline_suit(&config, &w->rows, &c);
    w->config = c;
    assert_int_equal(dq_pool_new(&w->pool, threads, NULL), DQ_OK);
    dq_status status = dq_agent_new(&w->agent, kind, &c, &w->shape, w->pool, error);
    return status ? status : dq_offline_new(&w->run, &config, w->agent, &w->rows, error);
}

static void start(world *w, dq_offline_config config, const char *kind, dq_agent_config c)
{
    assert_int_equal(try_start(w, config, kind, c, 1, NULL), DQ_OK);
}

static void drop(world *w)
{
    dq_offline_free(w->run);
    dq_agent_free(w->agent);
    dq_pool_free(w->pool);
    dq_pairset_free(&w->source.met);
}

static void step(world *w)
{
    bool ended;
    assert_int_equal(dq_offline_step(w->run, &ended, NULL), DQ_OK);
}

static void go(world *w)
{
    while (!dq_offline_done(w->run)) step(w);
}

static void finish(world *w)
{
    assert_int_equal(dq_offline_finish(w->run, NULL), DQ_OK);
}

static void values_of(world *w, float *q)
{
    dq_agent_values(w->agent, &w->shape.states, NULL, USERS, q);
}

/* ---- what is learnt ---- */

/* Of all pairs of items with different rewards, labelled or not, those of the users who were held out. */
static double true_concordance(const world *w, const float *q)
{
    double right = 0, pairs = 0;
    for (uint32_t u = 0; u < USERS; u++)
        for (uint32_t i = 0; dq_offline_held_out(w->run, u) && i < ITEMS; i++)
            for (uint32_t j = 0; j < ITEMS; j++) {
                if (!(reward_of(w, u, i) > reward_of(w, u, j))) continue;
                pairs += 1;
                right += q[u * ITEMS + i] > q[u * ITEMS + j];
            }
    return right / pairs;
}

static double concordance_after(dq_loss loss, size_t negatives, bool gives)
{
    static float q[USERS * ITEMS];
    world w;
    dq_offline_config config = usual();
    dq_agent_config agent = agent_of("dqn", loss);
    config.negatives = negatives;
    agent.hidden_inputs = gives ? DQ_HIDDEN_OF_FEATURES : DQ_HIDDEN_OF_ALL;
    agent.direct = gives;
    if (gives) agent.factored = 0;
    populate(&w, gives);
    start(&w, config, "dqn", agent);
    go(&w);
    finish(&w);
    values_of(&w, q);
    assert_int_equal(w.asked > 0, gives);
    double share = true_concordance(&w, q);
    drop(&w);
    return share;
}

static void lists_teach_an_order(void **state)
{
    (void)state;
    for (int loss = DQ_LOSS_SOFTMAX; loss <= DQ_LOSS_PAIRWISE; loss++) {
        assert_true(concordance_after((dq_loss)loss, 0, false) > 0.8);
        assert_true(concordance_after((dq_loss)loss, 10, false) > 0.8);
        assert_true(concordance_after((dq_loss)loss, 0, true) > 0.95); /* the vectors say nothing */
        assert_true(concordance_after((dq_loss)loss, 10, true) > 0.95);
    }
}

/* ---- what is in a list ---- */

static void a_list_leaves_out_what_was_met(void **state)
{
    (void)state;
    world w;
    offline_lists lists;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_offline_config config = usual();
    const uint8_t held[USERS] = {[3] = 1};
    populate(&w, false);
    start(&w, config, "dqn", agent_of("dqn", DQ_LOSS_SOFTMAX));
    uint32_t user = 7, seen = 0;
    while (dq_pairset_has(&w.source.met, user, seen)) seen++;
    assert_int_equal(dq_pairset_add(&w.source.met, user, seen, NULL, NULL), DQ_OK);
    w.rows.met = &w.source.met;
    for (int draws = 0; draws < 2; draws++) {
        dq_rng rng = dq_rng_new(9);
        config.negatives = draws ? 12 : 0;
        assert_true(offline_lists_make(&lists, &config, &w.rows, held, &arena));
        assert_true(lists.masks);
        dq_agent_lists l = offline_lists_fill(&lists, &user, 1, &rng);
        assert_true(draws ? l.columns >= 12 && l.columns <= 12 + LABELS : l.columns == ITEMS);
        for (size_t c = 0; c < l.columns; c++) {
            uint32_t item = l.action[c];
            bool labelled = item != seen && dq_pairset_has(&w.source.met, user, item);
            float above = reward_of(&w, user, item) + 0.1F;
            assert_true(fabsf(l.grade[c] - (labelled ? sqrtf(fmaxf(0, above)) : 0)) < 1e-6F);
            if (item == seen)
                assert_true(isinf(l.offset[c]));
            else /* it is there by itself, or with the chance 12 / 40 */
                assert_true(fabsf(l.offset[c] - (labelled || !draws ? 0 : logf(40.0F / 12))) < 1e-6F);
        }
        for (size_t i = 0; i < lists.training; i++) assert_int_not_equal(lists.user[i], 3);
    }
    dq_arena_free(&arena);
    drop(&w);
}

/* Of a drawn list the sum over e^z, with the offsets, is that of the whole list in the mean. */
static void drawn_lists_stand_for_whole_ones(void **state)
{
    (void)state;
    enum { DRAWS = 4000 };
    world w;
    offline_lists lists;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_offline_config config = usual();
    const uint8_t held[USERS] = {0};
    double whole = 0, mean = 0;
    populate(&w, false);
    start(&w, config, "dqn", agent_of("dqn", DQ_LOSS_SOFTMAX));
    config.negatives = 10;
    assert_true(offline_lists_make(&lists, &config, &w.rows, held, &arena));
    const uint32_t users[2] = {4, 30};
    dq_rng rng = dq_rng_new(2);
    for (uint32_t i = 0; i < ITEMS; i++) whole += exp((double)w.item[i][2]);
    for (int d = 0; d < DRAWS; d++) {
        dq_agent_lists l = offline_lists_fill(&lists, users, 2, &rng);
        for (size_t c = 0; c < l.columns; c++)
            mean += exp((double)(w.item[l.action[c]][2] + l.offset[l.columns + c])) / DRAWS;
    }
    assert_true(fabs(mean - whole) < 0.02 * whole);
    dq_arena_free(&arena);
    drop(&w);
}

/* ---- back to rewards ---- */

/* Held-out rows and what was passed over lie around the line, and online training begins with targets of the
 * rewards' size. */
static void a_model_of_lists_is_in_rewards(void **state)
{
    (void)state;
    static float before[USERS * ITEMS], after[USERS * ITEMS];
    world w;
    dq_bundle model;
    populate(&w, false);
    start(&w, usual(), "dqn", agent_of("dqn", DQ_LOSS_SOFTMAX));
    go(&w);
    values_of(&w, before);
    finish(&w);
    values_of(&w, after);
    float most = 0, least = 0, widest = 0;
    double scale, shift, sum = 0;
    dq_net_calibration(dq_agent_network(w.agent, "q"), &scale, &shift);
    assert_true(scale > 0 && scale != 1);
    for (size_t i = 0; i < USERS * ITEMS; i++) {
        most = fmaxf(most, after[i]);
        least = fminf(least, after[i]);
        widest = fmaxf(widest, fabsf(before[i]));
    }
    assert_true(widest > 3); /* in the unit of lists it is not */
    assert_true(most < 1.2F && most > 0.2F && least > -0.6F);
    for (size_t r = 0; r < ROWS; r++)
        sum += (double)(after[w.row_user[r] * ITEMS + w.row_item[r]] - w.reward[r]) / ROWS;
    assert_true(fabs(sum) < 0.25);

    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_agent_save(w.agent, false, &model, NULL), DQ_OK);
    dq_agent_config online = w.config;
    online.loss = DQ_LOSS_HUBER;
    online.gamma = 0.5;
    online.fit_rows = ROWS;
    online.list_states = online.list_actions = 0;
    dq_agent *agent;
    dq_agent_losses losses;
    assert_int_equal(dq_agent_new(&agent, "dqn", &online, &w.shape, w.pool, NULL), DQ_OK);
    assert_int_equal(dq_agent_load(agent, false, &model, NULL), DQ_OK);
    assert_int_equal(dq_agent_evaluate_loss(agent, &w.shape.states, w.row, ROWS, &losses, NULL), DQ_OK);
    const float *taken = dq_agent_taken(agent), *errors = dq_agent_errors(agent);
    for (size_t r = 0; r < ROWS; r++) { /* 0 is the reward of these rows; half a best value */
        float wanted = taken[r] - errors[r];
        assert_true(wanted > -0.1F && wanted < 0.9F);
        assert_true(taken[r] == after[w.row_user[r] * ITEMS + w.row_item[r]] || fabsf(taken[r]) < 2);
    }
    dq_agent_free(agent);
    dq_bundle_free(&model);
    drop(&w);
}

/* ---- the world model beside them ---- */

/* Each user has praised the half of the items that suits him most. */
static void praise(world *w)
{
    for (uint32_t u = 0; u < USERS; u++) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < ITEMS; i++) {
            uint32_t above = 0, r = u * LABELS + n;
            for (uint32_t j = 0; j < ITEMS; j++) above += product_of(w, u, j) > product_of(w, u, i);
            if (above >= LABELS) continue;
            w->row[r].action = w->row_item[r] = i;
            w->reward[r] = 1;
            n++;
        }
        assert_int_equal(n, LABELS);
    }
}

/* Who has seen praise alone still knows what nobody praised: it is passed over in his lists, too. */
static void a_world_model_knows_what_was_passed_over(void **state)
{
    (void)state;
    world w;
    double praised = 0, other = 0;
    populate(&w, false);
    praise(&w);
    start(&w, usual(), "dyna-q", agent_of("dyna-q", DQ_LOSS_SOFTMAX));
    go(&w);
    for (uint32_t u = 0; u < USERS; u++)
        for (uint32_t i = 0; i < ITEMS; i++) {
            float next[WIDTH], reward;
            assert_int_equal(
                dq_agent_predict(w.agent, &w.shape.states, &u, &i, 1, next, &reward, NULL, NULL, NULL),
                DQ_OK);
            *(dq_pairset_has(&w.source.met, u, i) ? &praised : &other) += (double)reward;
        }
    assert_true(praised / ROWS > 0.7);
    assert_true(other / ROWS < 0.4);
    drop(&w);
}

/* What training goes on from is in the unit of lists again. */
static void lists_go_on_from_a_calibrated_model(void **state)
{
    (void)state;
    world w, v;
    dq_bundle model;
    double scale, shift;
    populate(&w, false);
    start(&w, usual(), "dqn", agent_of("dqn", DQ_LOSS_SOFTMAX));
    go(&w);
    double loss = dq_offline_last(w.run).q_loss;
    finish(&w);
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_agent_save(w.agent, false, &model, NULL), DQ_OK);
    populate(&v, false);
    dq_offline_config config = usual();
    config.epochs = 1;
    start(&v, config, "dqn", agent_of("dqn", DQ_LOSS_SOFTMAX));
    dq_offline_free(v.run);
    assert_int_equal(dq_agent_load(v.agent, false, &model, NULL), DQ_OK);
    assert_int_equal(dq_offline_new(&v.run, &config, v.agent, &v.rows, NULL), DQ_OK);
    dq_net_calibration(dq_agent_network(v.agent, "q"), &scale, &shift);
    assert_true(scale == 1 && shift == 0);
    go(&v);
    assert_true(dq_offline_last(v.run).q_loss < 1.3 * loss);
    dq_bundle_free(&model);
    drop(&w);
    drop(&v);
}

/* ---- going on, threads ---- */

static void check_resume(dq_loss loss, size_t negatives, const char *kind, bool gives)
{
    static float whole[USERS * ITEMS], resumed[USERS * ITEMS];
    dq_offline_config config = usual();
    dq_agent_config agent = agent_of(kind, loss);
    config.epochs = 8;
    config.negatives = negatives;
    agent.world = strcmp(kind, "dyna-q") == 0;
    agent.direct = gives;
    for (int batches = 1; batches < 20; batches += 6) {
        world w, v;
        dq_bundle model;
        populate(&w, gives);
        populate(&v, gives);
        start(&w, config, kind, agent);
        for (int i = 0; i < batches; i++) step(&w);
        assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
        assert_int_equal(dq_agent_save(w.agent, true, &model, NULL), DQ_OK);
        assert_int_equal(dq_offline_save(w.run, &model, NULL), DQ_OK);
        assert_int_equal(try_start(&v, config, kind, agent, 3, NULL), DQ_OK); /* nor do threads matter */
        assert_int_equal(dq_agent_load(v.agent, true, &model, NULL), DQ_OK);
        assert_int_equal(dq_offline_restore(v.run, &model, NULL), DQ_OK);
        dq_bundle_free(&model);
        go(&w);
        go(&v);
        dq_offline_epoch a = dq_offline_last(w.run), b = dq_offline_last(v.run);
        assert_true(a.q_loss == b.q_loss && a.validation_loss == b.validation_loss && a.ndcg == b.ndcg);
        assert_true(a.world_loss == b.world_loss || (isnan(a.world_loss) && !agent.world));
        finish(&w);
        finish(&v);
        values_of(&w, whole);
        values_of(&v, resumed);
        assert_memory_equal(whole, resumed, sizeof whole);
        drop(&w);
        drop(&v);
    }
}

static void it_goes_on_as_if_it_had_never_stopped(void **state)
{
    (void)state;
    check_resume(DQ_LOSS_SOFTMAX, 0, "dqn", false);
    check_resume(DQ_LOSS_SOFTMAX, 10, "dyna-q", false);
    check_resume(DQ_LOSS_PAIRWISE, 0, "dyna-q", true);
    check_resume(DQ_LOSS_PAIRWISE, 10, "dqn", true);
}

/* ---- the best cosine ---- */

static void the_best_cosine_starts_with_its_weight(void **state)
{
    (void)state;
    world w;
    dq_offline_config config = usual();
    dq_agent_config agent = agent_of("dqn", DQ_LOSS_SOFTMAX);
    const dq_pairing features[3] = {{2, 2, 2}, {0, 0, 2}, {2, 0, 2}}; /* the second is what rewards are of */
    memcpy(agent.features, features, sizeof features);
    agent.feature_count = 3;
    agent.feature_scale = 4;
    agent.direct = true;
    agent.hidden_inputs = DQ_HIDDEN_OF_FEATURES;
    config.start_weight = 2;
    populate(&w, false);
    start(&w, config, "dqn", agent);
    dq_bundle model;
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_agent_save(w.agent, false, &model, NULL), DQ_OK);
    const dq_column *direct = dq_bundle_column(&model, "q.direct.weight");
    assert_non_null(direct);
    const float *weight = direct->data;
    assert_true(weight[0] == 0 && weight[1] == 2 && weight[2] == 0);
    dq_bundle_free(&model);
    drop(&w);
}

/* ---- who is held out prefers nothing ---- */

static void without_held_out_lists_the_last_epoch_stays(void **state)
{
    (void)state;
    world w;
    bool held[USERS];
    dq_offline_config config = usual();
    dq_agent_config agent = agent_of("dqn", DQ_LOSS_SOFTMAX);
    populate(&w, false);
    start(&w, config, "dqn", agent);
    assert_true(dq_offline_size(w.run).tells_loss);
    for (uint32_t u = 0; u < USERS; u++) held[u] = dq_offline_held_out(w.run, u);
    drop(&w);
    config.epochs = 4;
    config.patience = 1;
    populate(&w, false);
    for (size_t r = 0; r < ROWS; r++)
        if (held[w.row_user[r]]) w.reward[r] = config.negative_reward;
    start(&w, config, "dqn", agent);
    assert_true(dq_offline_size(w.run).held_out > 0 && !dq_offline_size(w.run).tells_loss);
    assert_int_equal(dq_offline_criterion(w.run), DQ_BEST_BY_LOSS);
    while (!dq_offline_done(w.run)) {
        step(&w);
        assert_false(dq_offline_last(w.run).best);
    }
    assert_int_equal(dq_offline_last(w.run).epoch, 4);
    finish(&w);
    drop(&w);
}

/* ---- what does not fit ---- */

static dq_status status_of(dq_offline_config config, dq_agent_config agent, bool gives)
{
    world w;
    populate(&w, gives);
    dq_status status = try_start(&w, config, "dqn", agent, 1, NULL);
    drop(&w);
    return status;
}

static void what_lists_cannot_have(void **state)
{
    (void)state;
    dq_agent_config agent = agent_of("dqn", DQ_LOSS_SOFTMAX), other = agent;
    dq_offline_config config = usual(), passes = config;
    assert_int_equal(status_of(config, agent, false), DQ_OK);
    other.gamma = 0.9;
    assert_int_equal(status_of(config, other, false), DQ_ERR_RANGE);
    other = agent;
    other.list_temperature = 0;
    assert_int_equal(status_of(config, other, false), DQ_ERR_RANGE);
    other = agent;
    other.head = DQ_HEAD_OUTPUTS;
    assert_int_equal(status_of(config, other, false), DQ_ERR_RANGE);
    passes.priority = 0.5;
    assert_int_equal(status_of(passes, agent, false), DQ_ERR_RANGE);
    passes = config;
    passes.negative_reward = 1; /* nothing is above it */
    assert_int_equal(status_of(passes, agent, false), DQ_ERR_RANGE);
    passes = config;
    passes.epochs = 0; /* as many as make 150 batches of 16 of 48 users */
    world w;
    populate(&w, false);
    start(&w, passes, "dqn", agent);
    assert_int_equal(dq_offline_size(w.run).epochs * dq_offline_size(w.run).batches, 150);
    dq_agent_losses losses;
    assert_int_equal(dq_agent_fit(w.agent, &w.shape.states, w.row, 3, NULL, &losses, NULL),
                     DQ_ERR_UNSUPPORTED);
    uint32_t item = ITEMS, user = 0;
    const dq_agent_lists beyond = {.n = 1, .columns = 1, .state = &user, .action = &item};
    assert_int_equal(dq_agent_fit_lists(w.agent, &w.shape.states, &beyond, NULL, 0, &losses, NULL),
                     DQ_ERR_RANGE);
    drop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_equal_their_formulas),
        cmocka_unit_test(lists_teach_an_order),
        cmocka_unit_test(a_list_leaves_out_what_was_met),
        cmocka_unit_test(drawn_lists_stand_for_whole_ones),
        cmocka_unit_test(a_model_of_lists_is_in_rewards),
        cmocka_unit_test(a_world_model_knows_what_was_passed_over),
        cmocka_unit_test(lists_go_on_from_a_calibrated_model),
        cmocka_unit_test(it_goes_on_as_if_it_had_never_stopped),
        cmocka_unit_test(the_best_cosine_starts_with_its_weight),
        cmocka_unit_test(without_held_out_lists_the_last_epoch_stays),
        cmocka_unit_test(what_lists_cannot_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
