/* SPDX-License-Identifier: MIT
 *
 * An ensemble of Q: its model has what the agents had that it was made of, scores are their mean, and no
 * agent takes it for its own.
 */
#include "learn/members.h"
#include "life.h"
#include "rank/score.h"

enum { MEMBERS = 3, USERS = 3, ITEMS = 6, WIDTH = 4 };

static float vectors[USERS + ITEMS][WIDTH];
static const float *at[USERS + ITEMS];
static const dq_env_spec shape = {.state_width = WIDTH,
                                  .user_width = WIDTH,
                                  .action_count = ITEMS,
                                  .action_width = WIDTH,
                                  .actions = at + USERS,
                                  .states = {at, USERS, WIDTH}};
static dq_pool *pool;

static dq_agent_config config_of(uint64_t seed)
{
    dq_agent_config c = dq_agent_find("dyna-q")->defaults;
    c.head = DQ_HEAD_ACTIONS;
    c.hidden[0] = c.hidden[1] = 8;
    c.planning = 0;
    c.seed = seed;
    return c;
}

/* An agent, after some batches; so are the members, whose world is the first one's alone. */
static void train(dq_agent *agent)
{
    const dq_vectors none = {0};
    dq_agent_losses losses;
    for (uint32_t i = 0; i < 20; i++) {
        const dq_transition row = {.state = i % USERS,
                                   .next = i % USERS,
                                   .action = i % ITEMS,
                                   .reward = (float)(i % 2),
                                   .discount = 1,
                                   .done = 1};
        assert_int_equal(dq_agent_fit(agent, &none, &row, 1, NULL, &losses, NULL), DQ_OK);
    }
}

/* Seeds 5, 6 and 7 in one model. */
static dq_members ensemble(dq_agent **last, dq_bundle *model)
{
    dq_agent_config config = config_of(5);
    dq_members members = {.pool = pool};
    *last = make("dyna-q", &config, &shape, pool);
    train(*last);
    for (uint64_t m = 1; m < MEMBERS; m++) {
        assert_int_equal(dq_members_next(&members, last, 5 + m, NULL), DQ_OK);
        assert_false(dq_agent_get_config(*last)->world);
        train(*last);
    }
    assert_int_equal(dq_bundle_init(model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_members_save(&members, *last, model, NULL), DQ_OK);
    return members;
}

static void scores_are_the_mean_of_single_agents(void **state)
{
    (void)state;
    dq_agent *last;
    dq_bundle model;
    dq_error e = DQ_ERROR_NONE;
    float single[MEMBERS][USERS * ITEMS], out[USERS * ITEMS];
    dq_members members = ensemble(&last, &model);
    dq_rank_scorer scorer = {.by = DQ_RANK_BY_Q, .pool = pool};
    if (dq_rank_scorer_load(&scorer, &model, &e)) fail_msg("%s", e.reason);
    assert_int_equal(scorer.net_count, MEMBERS);
    dq_rank_block block = {.vectors = vectors[USERS], .rows = ITEMS, .capacity = ITEMS, .width = WIDTH};
    assert_int_equal(dq_rank_scorer_score(&scorer, at, USERS, 0, &block, out, NULL), DQ_OK);
    for (uint64_t m = 0; m < MEMBERS; m++) {
        dq_agent_config config = config_of(5 + m);
        dq_agent *agent = make("dyna-q", &config, &shape, pool);
        train(agent);
        dq_agent_values(agent, &(dq_vectors){0}, (uint32_t[]){0, 1, 2}, USERS, single[m]);
        dq_agent_free(agent);
    }
    bool differ = false;
    for (size_t i = 0; i < USERS * ITEMS; i++) {
        double mean = ((double)single[0][i] + (double)single[1][i] + (double)single[2][i]) / MEMBERS;
        assert_true(fabs((double)out[i] - mean) < 1e-6);
        for (size_t m = 0; m < MEMBERS; m++)
            assert_true(fabs((double)scorer.members[m * USERS * ITEMS + i] - (double)single[m][i]) < 1e-6);
        differ |= fabs((double)single[0][i] - (double)single[1][i]) > 1e-3;
    }
    assert_true(differ);
    dq_rank_scorer_free(&scorer);
    dq_bundle_free(&model);
    dq_members_free(&members);
    dq_agent_free(last);
}

static void no_agent_is_made_of_several(void **state)
{
    (void)state;
    dq_agent *last, *other;
    dq_bundle model;
    dq_members members = ensemble(&last, &model);
    assert_int_equal(dq_agent_of_model(&other, &model, &shape, pool, NULL), DQ_ERR_UNSUPPORTED);
    assert_null(other);
    assert_int_equal(dq_agent_load(last, false, &model, NULL), DQ_ERR_UNSUPPORTED);
    dq_bundle_free(&model);
    dq_members_free(&members);
    dq_agent_free(last);
}

static void a_table_has_no_ensemble(void **state)
{
    (void)state;
    dq_agent_config config = dq_agent_find("tabular")->defaults;
    dq_members members = {.pool = pool};
    dq_agent *agent = make("tabular", &config, &shape, pool);
    assert_int_equal(dq_members_next(&members, &agent, 2, NULL), DQ_ERR_UNSUPPORTED);
    assert_null(agent);
    dq_members_free(&members);
}

static int set_up(void **state)
{
    (void)state;
    dq_rng rng = dq_rng_new(1);
    for (size_t i = 0; i < USERS + ITEMS; i++) {
        at[i] = vectors[i];
        for (size_t j = 0; j < WIDTH; j++) vectors[i][j] = (float)dq_rng_normal(&rng);
    }
    pool = pool_of(2);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    dq_pool_free(pool);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_the_mean_of_single_agents),
        cmocka_unit_test(no_agent_is_made_of_several),
        cmocka_unit_test(a_table_has_no_ensemble),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
