/* SPDX-License-Identifier: MIT
 *
 * When agents learn, and what changes with time: schedules, epsilon, learning steps that are due.
 */
#include "life.h"

static const float zeros[3];
static const float *const at[] = {zeros, zeros};
static const dq_vectors states = {at, 2, 3};
static const dq_env_spec shape = {.state_width = 3, .action_count = 2};

typedef struct run {
    dq_pool *pool;
    dq_agent *agent;
} run;

static run start(const char *kind, const dq_agent_config *config)
{
    run r = {.pool = pool_of(1)};
    r.agent = make(kind, config, &shape, r.pool);
    return r;
}

static void stop(run *r)
{
    dq_agent_free(r->agent);
    dq_pool_free(r->pool);
}

/* One observation, and the learning steps that are due then; returns how many. */
static int live_once(const run *r)
{
    const dq_transition t = {.next = 1, .reward = 1};
    dq_agent_losses losses;
    int steps = 0;
    dq_agent_observe(r->agent, 0, &states, &t, false);
    for (; dq_agent_ready(r->agent); steps++)
        assert_int_equal(dq_agent_learn(r->agent, &losses, NULL), DQ_OK);
    return steps;
}

static dq_status try(const char *kind, const dq_agent_config *config, dq_error *error)
{
    run r = {.pool = pool_of(1)};
    dq_status status = dq_agent_new(&r.agent, kind, config, &shape, r.pool, error);
    stop(&r);
    return status;
}

static dq_agent_config few_rows(void)
{
    dq_agent_config c = dq_agent_find("dqn")->defaults;
    c.hidden[0] = c.hidden[1] = 4;
    c.batch = 2;
    c.replay = 100;
    c.warmup = 0;
    return c;
}

/* ---- schedules ---- */

static void schedules_in_steps_reach_their_ends(void **state)
{
    (void)state;
    const uint64_t totals[] = {1, 2, 10};
    for (int i = 0; i < 3; i++) {
        dq_agent_config c = few_rows();
        c.schedule = dq_schedule_find("exponential");
        c.schedule_decay = 0.25;
        c.schedule_steps = totals[i];
        c.priority = 0.6;
        run r = start("dqn", &c);
        assert_true(dq_agent_rate(r.agent) == c.adam.rate && dq_agent_beta(r.agent) == c.importance);
        while (dq_agent_steps(r.agent) < totals[i]) live_once(&r);
        for (int more = 0; more < 3; more++, live_once(&r)) {
            assert_true(fabs(dq_agent_rate(r.agent) - 0.25 * c.adam.rate) < 1e-15);
            assert_true(dq_agent_beta(r.agent) == 1);
        }
        stop(&r);
    }
}

/* By the run epsilon falls linearly, and is at its least when the run is over. */
static void epsilon_by_the_run_ends_with_it(void **state)
{
    (void)state;
    dq_agent_config c = few_rows();
    dq_error e = DQ_ERROR_NONE;
    c.decay_by = DQ_BY_RUN;
    for (int form = DQ_DECAY_MULTIPLICATIVE; form <= DQ_DECAY_EXPONENTIAL; form++) {
        c.decay_form = (dq_decay_form)form;
        c.epsilon_decay = 0.5;
        assert_int_equal(try("dqn", &c, &e), DQ_ERR_RANGE);
        assert_non_null(strstr(e.reason, "linear"));
    }
    c.decay_form = DQ_DECAY_LINEAR;
    c.epsilon_decay = 1.5;
    assert_int_equal(try("dqn", &c, NULL), DQ_ERR_RANGE); /* of the run there is only one */
    c.epsilon_decay = 0.5;
    run r = start("dqn", &c);
    const double done[] = {0, 0.25, 0.5, 1}, wanted[] = {1, 0.525, 0.05, 0.05};
    for (int i = 0; i < 4; i++) {
        dq_agent_progress(r.agent, done[i]);
        assert_true(fabs(dq_agent_epsilon(r.agent) - wanted[i]) < 1e-12);
    }
    stop(&r);
}

/* ---- what is due ---- */

static void observations_before_a_batch_are_not_made_up_for(void **state)
{
    (void)state;
    dq_agent_config c = few_rows();
    c.batch = 64;
    run r = start("dqn", &c);
    for (int i = 1; i <= 70; i++) assert_int_equal(live_once(&r), i >= 64);
    stop(&r);
    c.train_every = 4;
    r = start("dqn", &c);
    for (int i = 1; i <= 80; i++) assert_int_equal(live_once(&r), i >= 64 && (i - 63) % 4 == 0);
    stop(&r);
}

static void a_step_that_is_not_due_is_refused(void **state)
{
    (void)state;
    const char *kinds[] = {"dqn", "tabular"};
    for (int k = 0; k < 2; k++) {
        dq_agent_config c = k ? dq_agent_find("tabular")->defaults : few_rows();
        dq_agent_losses losses;
        dq_error e = DQ_ERROR_NONE;
        c.train_every = 3;
        c.planning = k ? 2 : 0;
        run r = start(kinds[k], &c);
        for (int i = 0; i < 6; i++) {
            assert_int_equal(dq_agent_learn(r.agent, &losses, &e), DQ_ERR_RANGE);
            assert_non_null(strstr(e.reason, "due"));
            live_once(&r);
        }
        assert_true(dq_agent_steps(r.agent) > 0);
        stop(&r);
    }
}

/* A table has no replay to warm up; what it takes up at once is not kept back. */
static void a_table_does_not_wait(void **state)
{
    (void)state;
    dq_agent_config c = dq_agent_find("tabular")->defaults;
    dq_error e = DQ_ERROR_NONE;
    c.warmup = 1;
    assert_int_equal(try("tabular", &c, NULL), DQ_OK);
    c.warmup = 2;
    assert_int_equal(try("tabular", &c, &e), DQ_ERR_RANGE);
    assert_non_null(strstr(e.reason, "warmup means nothing to a table"));
    c.warmup = 0;
    c.adam.decay = 0.1;
    assert_int_equal(try("tabular", &c, NULL), DQ_ERR_RANGE);
    c.adam.decay = 0;
    c.importance = 0.4;
    assert_int_equal(try("tabular", &c, NULL), DQ_ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedules_in_steps_reach_their_ends),
        cmocka_unit_test(epsilon_by_the_run_ends_with_it),
        cmocka_unit_test(observations_before_a_batch_are_not_made_up_for),
        cmocka_unit_test(a_step_that_is_not_due_is_refused),
        cmocka_unit_test(a_table_does_not_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
