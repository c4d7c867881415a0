/* SPDX-License-Identifier: MIT
 *
 * The environments with users and items: what they reward, computed again from their definitions with the
 * same random numbers, and who their users and items are.
 */
#include "env_life.h"

#include "env/synthetic.h"

#include <stdlib.h>

/* Its share is E sigmoid(z + noise), and so is the mean reward: its variance is of the noise alone. */
static void the_published_formula_rewards_by_its_probability(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_env *env = make("session", "users=1,items=8,steps=1,base=1,noise=0.5,spread=2", 5);
    dq_rng noise = dq_rng_new(3);
    for (uint32_t a = 0; a < 8; a++) {
        double z = product(env->state, env->shape.actions[a], 20), n = 20000;
        double hits = 0, sum = 0, expected = 0;
        for (int i = 0; i < n; i++) {
            sum += (double)take(env, a).reward;
            hits += env->counters[0];
            expected += 1 / (1 + exp(-z - 0.5 * dq_rng_normal(&noise)));
            assert_int_equal(dq_env_reset(env, &e), DQ_OK);
        }
        near(hits / n, expected / n, 0.016);
        near(sum / n, expected / n, 0.0055); /* 6 times sqrt(2 / n) sd, sd at most 0.125 */
    }
    dq_env_free(env);
    env = make("session", "users=1,items=2,noise=0,base=1", 5);
    double z = product(env->state, env->shape.actions[0], 20);
    near((double)take(env, 0).reward, 1 / (1 + exp(-z)), 1e-6);
    near((double)take(env, 0).reward, 1 / (1 + exp(-z)) - 0.2, 1e-6); /* it was shown */
    dq_env_free(env);
}

/* ---- a session by another way: all that was shown and engaged is kept, and the past is a table ---- */

typedef struct other_life {
    bool formula, by_shown;
    double noise, mix, repeat, similarity, bonus;
    const dq_synthetic *past; /* NULL: none */
} other_life;

static double other_preference(const other_life *o, const dq_env *env, uint32_t user, uint32_t item,
                               double noise)
{
    const uint32_t w = env->items.width;
    const float *u = env->users.vectors + user * w, *i = env->items.vectors + item * w;
    double z = product(u, i, w), more = 0;
    z = o->mix * z + (1 - o->mix) * z / sqrt(product(u, u, w) * product(i, i, w));
    for (size_t e = 0; o->past && e < o->past->event_count; e++)
        if (o->past->events[e].user == user && o->past->events[e].item == item)
            more += dq_synthetic_boost(o->past->events[e].type);
    if (o->formula) return fmin(1, 1 / (1 + exp(-z - noise)) + more);
    return fmax(0, fmin(1, fmin(1, 1 / (1 + exp(-z)) + more) + noise));
}

/* Rewards of sessions at random, against what the definition says of the same random numbers. */
static void other_sessions(const char *options, other_life o)
{
    dq_env *env = make("session", options, 11);
    dq_error e = DQ_ERROR_NONE;
    dq_rng rng = dq_rng_new(4);
    const uint32_t w = env->items.width, items = env->items.count;
    uint32_t *offered = calloc(items, sizeof *offered), shown[40], engaged[40];
    int repeats = 0;
    for (int session = 0; session < 60; session++) {
        uint32_t n = 0, m = 0, user = 0;
        while (memcmp(env->users.vectors + user * w, env->state, w * sizeof(float)) != 0) user++;
        for (bool over = false; !over;) {
            uint32_t a = (uint32_t)dq_rng_below(&rng, items);
            dq_rng same = env->rng;
            double noise = o.noise * dq_rng_normal(&same), p = other_preference(&o, env, user, a, noise);
            bool engages = dq_rng_uniform(&same) < p, again = false;
            double reward = (o.formula ? p : engages ? 1 : -0.1) + o.bonus / sqrt(1.0 + offered[a]++);
            const uint32_t *last = o.by_shown ? shown : engaged, count = o.by_shown ? n : m;
            for (uint32_t k = count > 3 ? count - 3 : 0; k < count; k++) again = again || last[k] == a;
            for (uint32_t k = m > 3 ? m - 3 : 0; k < m; k++) {
                const float *x = env->items.vectors + a * w, *y = env->items.vectors + engaged[k] * w;
                reward -= o.similarity * product(x, y, w) / sqrt(product(x, x, w) * product(y, y, w));
            }
            if (again) reward -= o.repeat;
            repeats += again;
            shown[n++] = a;
            if (engages) engaged[m++] = a;
            dq_step s = take(env, a);
            near((double)s.reward, reward, 2e-6);
            near(env->counters[0], m, 0);
            near((double)env->state[env->shape.state_width - 1], fmin(1, m / 10.0), 1e-6);
            over = s.terminal;
            assert_true(over == (n == env->shape.step_limit) && !s.truncated);
        }
        assert_int_equal(dq_env_reset(env, &e), DQ_OK);
    }
    assert_true(repeats > 20);
    free(offered);
    dq_env_free(env);
}

static void rewards_are_the_definitions(void **state)
{
    (void)state;
    const dq_synthetic_config config = {.users = 9, .items = 6, .seed = 3};
    dq_synthetic *past;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_synthetic_new(&past, &config, &e), DQ_OK);
    other_sessions("users=9,items=12,steps=30", (other_life){false, true, 0.1, 1, 0.2, 0, 0, NULL});
    other_sessions("users=9,items=12,steps=30,shown=0", (other_life){false, false, 0.1, 1, 0.2, 0, 0, NULL});
    other_sessions("users=9,items=6,generated=1,world=3,noise=0.3,mix=0.4,similarity=0.3,bonus=0.5",
                   (other_life){false, true, 0.3, 0.4, 0.2, 0.3, 0.5, past});
    other_sessions(
        "users=9,items=6,generated=1,world=3,base=1,noise=0.3,mix=0,similarity=0.3,bonus=0.5,repeat=0,full=1",
        (other_life){true, true, 0.3, 0, 0, 0.3, 0.5, past});
    dq_synthetic_free(past);
}

static void the_history_is_bounded(void **state)
{
    (void)state;
    dq_env *env = make("session", "users=1,noise=0,spread=100,steps=30", 5);
    uint32_t best = 0;
    for (uint32_t a = 1; a < 500; a++)
        if (product(env->state, env->shape.actions[a], 20) >
            product(env->state, env->shape.actions[best], 20))
            best = a;
    for (int t = 1; t <= 30; t++) {
        take(env, best);
        near((double)env->state[41], fmin(1, t / 10.0), 1e-6);
    }
    dq_env_free(env);
}

/* ---- users and items ---- */

static void ids_are_as_wide_as_the_last(void **state)
{
    (void)state;
    const struct {
        char letter;
        uint32_t count, number;
        const char *id;
    } cases[] = {{'u', 1, 0, "u0"},        {'u', 10, 9, "u9"},
                 {'i', 11, 3, "i03"},      {'u', 100, 42, "u42"},
                 {'u', 101, 42, "u042"},   {'u', 1000, 42, "u042"},
                 {'i', 1001, 17, "i0017"}, {'i', 4294967295U, 7, "i0000000007"}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const dq_env_entities e = {.letter = cases[c].letter, .count = cases[c].count};
        char id[DQ_ENTITY_ID_SIZE];
        dq_env_entities_name(&e, cases[c].number, id);
        assert_string_equal(id, cases[c].id);
    }
}

/* Items are the actions, and a state begins with its user. */
static void users_and_items_are_the_states(void **state)
{
    (void)state;
    static const char *const with[][2] = {{"session", "users=30,items=12"},
                                          {"session", "users=30,items=12,generated=1,full=1"},
                                          {"films", "users=30,films=12"}};
    static const char *const without[] = {"sequence", "maze", "chain", "cartpole"};
    for (size_t k = 0; k < 3; k++) {
        dq_env *env = make(with[k][0], with[k][1], 2);
        const dq_env_entities *u = &env->users, *i = &env->items;
        assert_true(u->letter == 'u' && u->count == 30 && u->width == env->shape.user_width);
        assert_true(i->letter == 'i' && i->count == 12 && i->width == env->shape.action_width);
        for (uint32_t a = 0; a < 12; a++) assert_ptr_equal(i->vectors + a * i->width, env->shape.actions[a]);
        for (int n = 0; n < 20; n++) {
            uint32_t user = *(const uint32_t *)env->memory; /* both kinds' first number */
            assert_memory_equal(env->state, u->vectors + user * u->width, u->width * sizeof(float));
            assert_int_equal(dq_env_reset(env, NULL), DQ_OK);
        }
        dq_env_free(env);
    }
    for (size_t k = 0; k < 4; k++) {
        dq_env *env = make(without[k], NULL, 2);
        assert_true(env->users.count == 0 && env->items.count == 0 && !env->items.vectors);
        dq_env_free(env);
    }
}

/* dq-sim with an environment's counts, and its world as the seed, makes its users and items. */
static void a_generated_world_is_the_generators(void **state)
{
    (void)state;
    const dq_synthetic_config config = {.users = 120, .items = 30, .seed = 7};
    dq_synthetic *p;
    dq_env *env = make("session", "generated=1,users=120,items=30,world=7", 1);
    assert_int_equal(dq_synthetic_new(&p, &config, NULL), DQ_OK);
    const dq_env_entities u = dq_synthetic_users(p), i = dq_synthetic_items(p);
    assert_memory_equal(env->users.vectors, u.vectors, 120 * 50 * sizeof(float));
    assert_memory_equal(env->items.vectors, i.vectors, 30 * 50 * sizeof(float));
    assert_true(env->users.fields == u.fields && env->items.fields == i.fields && u.field_count == 6);
    dq_synthetic_free(p);
    dq_env_free(env);
}

/* ---- films ---- */

/* As published the last step is an end; terminal=0 cuts off there. */
static void films_end_or_are_cut_off(void **state)
{
    (void)state;
    dq_env *end = make("films", NULL, 1), *cut = make("films", "terminal=0", 1);
    for (int episode = 0; episode < 2; episode++) {
        for (int i = 1; i <= 100; i++) {
            dq_step e = take(end, 1), c = take(cut, 1);
            assert_true(e.terminal == (i == 100) && !e.truncated && e.reward == c.reward);
            assert_true(c.truncated == (i == 100) && !c.terminal);
        }
        assert_int_equal(dq_env_reset(end, NULL), DQ_OK);
        assert_int_equal(dq_env_reset(cut, NULL), DQ_OK);
    }
    dq_env_free(end);
    dq_env_free(cut);
}

/* Liking, weariness and both draws by another way, of the same random numbers. */
static void films_are_liked_as_defined(void **state)
{
    (void)state;
    dq_env *env = make("films", "users=6,films=7,spread=1.2,weariness=0.6,world=9", 1);
    dq_rng tastes = dq_rng_stream(9, 3), rng = dq_rng_new(2);
    double taste[50][10];
    uint32_t last[500], clicked = 0;
    for (int k = 0; k < 500; k++) taste[k / 10][k % 10] = (double)(float)dq_rng_normal(&tastes);
    for (int t = 0; t < 100; t++) {
        uint32_t a = (uint32_t)dq_rng_below(&rng, 7);
        double z = 0;
        for (int i = 0; i < 50; i++)
            for (int k = 0; k < 10; k++)
                z += (double)env->state[i] * taste[i][k] * (double)env->items.vectors[a * 10 + (uint32_t)k];
        z *= 1.2 / sqrt(500);
        for (uint32_t k = clicked > 5 ? clicked - 5 : 0; k < clicked; k++) z -= last[k] == a ? 0.6 : 0;
        dq_rng same = env->rng;
        bool clicks = dq_rng_uniform(&same) < 1 / (1 + exp(-z));
        bool finishes = clicks & (dq_rng_uniform(&same) < 1 / (1 + exp(1 - z)));
        near((double)take(env, a).reward, finishes ? 10 : clicks ? 1 : -0.1, 1e-6);
        if (clicks) last[clicked++] = a;
        for (uint32_t h = 0; h < 5; h++)
            for (uint32_t k = 0; k < 10; k++)
                assert_true(env->state[50 + 10 * h + k] ==
                            (h < clicked ? env->items.vectors[last[clicked - 1 - h] * 10 + k] : 0));
    }
    assert_true(clicked > 20 && clicked < 90);
    dq_env_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_formula_rewards_by_its_probability),
        cmocka_unit_test(rewards_are_the_definitions),
        cmocka_unit_test(the_history_is_bounded),
        cmocka_unit_test(ids_are_as_wide_as_the_last),
        cmocka_unit_test(users_and_items_are_the_states),
        cmocka_unit_test(a_generated_world_is_the_generators),
        cmocka_unit_test(films_end_or_are_cut_off),
        cmocka_unit_test(films_are_liked_as_defined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
