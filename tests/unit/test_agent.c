/* SPDX-License-Identifier: MIT */
#include "learn/agent.h"

#include "../fixtures/agent/torch.h"
#include "allocations.h"
#include "life.h"

#include <math.h>

static void assert_near(const float *a, const float *b, size_t n, float within)
{
    for (size_t i = 0; i < n; i++) assert_true(fabsf(a[i] - b[i]) < within * (1 + fabsf(b[i])));
}

/* ---- updates against PyTorch ---- */

static const float *fix_actions[FIX_COUNT];
static const dq_env_spec fixture_shape = {.state_width = FIX_INPUT,
                                          .user_width = FIX_USER,
                                          .history = FIX_HISTORY,
                                          .item_width = FIX_WIDTH,
                                          .action_count = FIX_COUNT,
                                          .action_width = FIX_WIDTH,
                                          .actions = fix_actions};

static dq_agent_config fixture_config(size_t c)
{
    dq_agent_config config = dq_agent_find("dqn")->defaults;
    config.hidden[0] = 9;
    config.hidden[1] = 7;
    config.gamma = 0.9;
    config.adam.rate = 1e-2;
    config.adam.decay = fix_cases[c].decay;
    config.adam.eps = fix_cases[c].batch_norm ? 1e-3 : 1e-8;
    config.loss = fix_cases[c].huber ? DQ_LOSS_HUBER : DQ_LOSS_MSE;
    config.double_q = fix_cases[c].double_q;
    config.dueling = fix_cases[c].dueling;
    config.batch_norm = fix_cases[c].batch_norm;
    config.head = (dq_head)fix_cases[c].head;
    config.encoder = (dq_encoder)fix_cases[c].encoder;
    config.tau = fix_cases[c].tau;
    config.target_every = config.tau > 0 ? 1 : 2;
    config.clip_norm = fix_cases[c].clip_norm;
    config.clip_value = fix_cases[c].clip_value;
    config.conservative = fix_cases[c].conservative;
    config.batch = FIX_ROWS;
    return config;
}

static void fixture_rows(size_t update, dq_experience *rows)
{
    for (size_t i = 0; i < FIX_ROWS; i++) {
        size_t at = update * FIX_ROWS + i;
        rows[i] = (dq_experience){.state = fix_state + at * FIX_INPUT,
                                  .next = fix_next + at * FIX_INPUT,
                                  .action = fix_action[at],
                                  .reward = fix_reward[at],
                                  .terminal = fix_done[at] != 0};
    }
}

static void set_weights(dq_mlp *net, const float *weights)
{
    memcpy(dq_mlp_weights(net), weights, dq_mlp_count(net) * sizeof *weights);
}

static void check_torch(size_t c)
{
    dq_pool *pool = pool_of(1);
    dq_agent_config config = fixture_config(c);
    dq_agent *agent = make("dqn", &config, &fixture_shape, pool);
    dq_mlp *q = dq_agent_network(agent, "q"), *target = dq_agent_network(agent, "target");
    dq_experience rows[FIX_ROWS];
    dq_agent_losses losses, judged;
    set_weights(q, fix_cases[c].start);
    set_weights(target, fix_cases[c].start);
    for (size_t u = 0; u < FIX_UPDATES; u++) {
        fixture_rows(u, rows);
        assert_int_equal(dq_agent_evaluate_loss(agent, rows, FIX_ROWS, &judged, NULL), DQ_OK);
        assert_int_equal(dq_agent_fit(agent, rows, FIX_ROWS, &losses, NULL), DQ_OK);
        assert_true(fabs(losses.q - (double)fix_cases[c].losses[u]) < 1e-5 * (1 + losses.q));
        if (!config.batch_norm) assert_true(fabs(losses.q - judged.q) < 1e-6 * (1 + losses.q));
    }
    assert_near(dq_mlp_weights(q), fix_cases[c].last, dq_mlp_count(q), 1e-5F);
    assert_near(dq_mlp_weights(target), fix_cases[c].target, dq_mlp_count(q), 1e-5F);
    dq_agent_free(agent);
    dq_pool_free(pool);
}

static void updates_equal_torch(void **state)
{
    (void)state;
    for (size_t c = 0; c < FIX_CASES; c++) check_torch(c);
}

/* ---- one step of the world model against PyTorch ---- */

static void world_steps_equal_torch(void **state)
{
    (void)state;
    dq_pool *pool = pool_of(1);
    dq_agent_config config = dq_agent_find("dyna-q")->defaults;
    config.hidden[0] = 9;
    config.hidden[1] = 7;
    config.gamma = 0.9;
    config.clip_norm = 0;
    config.adam.rate = 1e-2;
    config.batch = FIX_ROWS;
    config.planning = 0;
    dq_agent *agent = make("dyna-q", &config, &fixture_shape, pool);
    dq_mlp *world = dq_agent_network(agent, "world.0");
    dq_experience rows[FIX_ROWS];
    dq_agent_losses losses;
    set_weights(world, fix_world_start);
    for (size_t u = 0; u < FIX_UPDATES; u++) {
        fixture_rows(u, rows);
        assert_int_equal(dq_agent_fit(agent, rows, FIX_ROWS, &losses, NULL), DQ_OK);
        assert_true(fabs(losses.world - (double)fix_world_losses[u]) < 1e-5 * (1 + losses.world));
    }
    assert_near(dq_mlp_weights(world), fix_world_last, dq_mlp_count(world), 1e-5F);
    dq_agent_free(agent);
    dq_pool_free(pool);
}

/* ---- checkpoints, threads, memory: every kind, with what it may have ---- */

typedef struct variant {
    const char *kind, *task, *options;
    dq_agent_config config;
} variant;

enum { VARIANTS = 8 };

static void list_variants(variant variants[VARIANTS])
{
    dq_agent_config table = dq_agent_find("tabular")->defaults, dqn = dq_agent_find("dqn")->defaults,
                    dyna = dq_agent_find("dyna-q")->defaults;
    dqn.hidden[0] = dqn.hidden[1] = dyna.hidden[0] = dyna.hidden[1] = 16;
    dqn.batch = dyna.batch = 8;
    dqn.replay = dyna.replay = 50;
    dqn.warmup = dyna.warmup = 20;
    dqn.target_every = dyna.target_every = 7;
    dyna.planning = 2;
    variants[0] = (variant){"tabular", "chain", "steps=10", table};
    table.tasks = SIDE_BY_SIDE;
    table.planning = 4;
    table.train_every = 3;
    table.explore_by = DQ_EXPLORE_SOFTMAX;
    variants[1] = (variant){"tabular", "maze", NULL, table};
    variants[2] = (variant){"dqn", "cartpole", NULL, dqn};
    dqn.tasks = SIDE_BY_SIDE;
    dqn.double_q = dqn.dueling = dqn.batch_norm = true;
    dqn.dropout = 0.2;
    dqn.n_step = 3;
    dqn.priority = 0.6;
    dqn.schedule = dq_schedule_find("linear");
    dqn.schedule_steps = 500;
    dqn.tau = 0.1;
    dqn.target_every = 1;
    variants[3] = (variant){"dqn", "cartpole", NULL, dqn};
    dqn.encoder = DQ_ENCODER_ATTENTION;
    dqn.conservative = 0.3;
    dqn.target_by = DQ_BY_STEPS;
    dqn.decay_by = DQ_BY_EPISODES;
    dqn.decay_form = DQ_DECAY_EXPONENTIAL;
    variants[4] = (variant){"dqn", "session", "items=20,full=1", dqn};
    dqn.head = DQ_HEAD_ACTIONS;
    dqn.batch_norm = false;
    dqn.target_by = DQ_BY_EPISODES;
    variants[5] = (variant){"dqn", "session", "items=20,full=1", dqn};
    variants[6] = (variant){"dyna-q", "cartpole", NULL, dyna};
    dyna.models = 3;
    dyna.rollout = 2;
    dyna.train_every = 2;
    dyna.updates = 2;
    dyna.encoder = DQ_ENCODER_MEAN;
    variants[7] = (variant){"dyna-q", "session", "items=20,full=1", dyna};
}

/* A checkpoint in memory of its own: what was saved must not follow the agent. */
static void save(life *l, bool checkpoint, dq_bundle *model)
{
    assert_int_equal(dq_bundle_init(model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_agent_save(l->agent, checkpoint, model, NULL), DQ_OK);
    for (uint32_t i = 0; checkpoint && i < l->count; i++) {
        char name[16] = {'t', (char)('0' + i)};
        assert_int_equal(dq_env_save(l->tasks[i], name, model, NULL), DQ_OK);
    }
    for (size_t c = 0; c < model->column_count; c++) {
        void *copy = dq_arena_take(&model->arena, model->columns[c].bytes);
        assert_non_null(copy);
        model->columns[c].data = memcpy(copy, model->columns[c].data, model->columns[c].bytes);
    }
}

/* Both have learned the same, to the last bit, and go on alike. */
static void assert_same(life *a, life *b)
{
    dq_bundle one, two;
    save(a, true, &one);
    save(b, true, &two);
    assert_int_equal(one.column_count, two.column_count);
    for (size_t c = 0; c < one.column_count; c++) {
        assert_string_equal(one.columns[c].name, two.columns[c].name);
        assert_int_equal(one.columns[c].bytes, two.columns[c].bytes);
        assert_memory_equal(one.columns[c].data, two.columns[c].data, one.columns[c].bytes);
    }
    assert_true(dq_value_equal(&one.meta, &two.meta));
    dq_bundle_free(&one);
    dq_bundle_free(&two);
}

static void restore(life *l, const dq_bundle *model)
{
    dq_error e = DQ_ERROR_NONE;
    if (dq_agent_load(l->agent, true, model, &e)) fail_msg("%s", e.reason);
    for (uint32_t i = 0; i < l->count; i++) {
        char name[16] = {'t', (char)('0' + i)};
        assert_int_equal(dq_env_restore(l->tasks[i], name, model, NULL), DQ_OK);
    }
}

static void a_resumed_run_equals_one_that_never_stopped(void **state)
{
    (void)state;
    variant v[VARIANTS];
    list_variants(v);
    for (size_t i = 0; i < VARIANTS; i++) {
        life whole, resumed;
        dq_bundle model;
        begin(&whole, v[i].task, v[i].options, v[i].kind, &v[i].config, 1);
        live(&whole, 101);
        assert_true(dq_agent_steps(whole.agent) > 0);
        save(&whole, true, &model);
        begin(&resumed, v[i].task, v[i].options, v[i].kind, &v[i].config, 1);
        live(&resumed, 3); /* whatever it did before is gone */
        restore(&resumed, &model);
        live(&whole, 60);
        live(&resumed, 60);
        assert_same(&whole, &resumed);
        dq_bundle_free(&model);
        end(&whole);
        end(&resumed);
    }
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    variant v[VARIANTS];
    list_variants(v);
    for (size_t i = 0; i < VARIANTS; i++) {
        life one, many;
        v[i].config.hidden[1] = v[i].config.hidden_count ? 300 : 0;
        v[i].config.batch = v[i].config.hidden_count ? 130 : 1; /* several tiles */
        v[i].config.replay = 400;
        begin(&one, v[i].task, v[i].options, v[i].kind, &v[i].config, 1);
        int steps = (int)(134 / v[i].config.tasks) + 3;
        live(&one, steps);
        for (unsigned threads = 2; threads <= 3; threads++) {
            begin(&many, v[i].task, v[i].options, v[i].kind, &v[i].config, threads);
            live(&many, steps);
            assert_same(&one, &many);
            end(&many);
        }
        end(&one);
    }
}

static void living_allocates_nothing(void **state)
{
    (void)state;
    variant v[VARIANTS];
    list_variants(v);
    for (size_t i = 0; i < VARIANTS; i++) {
        life l;
        begin(&l, v[i].task, v[i].options, v[i].kind, &v[i].config, 1);
        live(&l, 60);
        atomic_store(&allocations, 0);
        live(&l, 60);
        assert_int_equal(atomic_load(&allocations), 0);
        end(&l);
    }
}

/* ---- models ---- */

static void a_model_says_how_it_was_made(void **state)
{
    (void)state;
    variant v[VARIANTS];
    list_variants(v);
    for (size_t i = 0; i < VARIANTS; i++) {
        life l;
        dq_bundle model;
        const char *kind;
        dq_agent_config config;
        dq_env_spec shape;
        dq_agent *other;
        float q[2][20];
        begin(&l, v[i].task, v[i].options, v[i].kind, &v[i].config, 1);
        live(&l, 80);
        save(&l, false, &model);
        assert_int_equal(dq_agent_read_config(&model, &kind, &config, &shape, NULL), DQ_OK);
        assert_string_equal(kind, v[i].kind);
        assert_memory_equal(&config, dq_agent_get_config(l.agent), sizeof config);
        assert_int_equal(dq_agent_new(&other, kind, &config, &shape, l.pool, NULL), DQ_OK);
        assert_int_equal(dq_agent_load(other, false, &model, NULL), DQ_OK);
        dq_agent_values(l.agent, l.tasks[0]->state, 1, q[0]);
        dq_agent_values(other, l.tasks[0]->state, 1, q[1]);
        assert_memory_equal(q[0], q[1], shape.action_count * sizeof(float));
        assert_int_not_equal(dq_agent_load(other, true, &model, NULL), DQ_OK); /* no checkpoint */
        dq_agent_free(other);
        dq_bundle_free(&model);
        end(&l);
    }
}

/* A checkpoint in which one thing was changed. */
static dq_status load_changed(life *l, const char *map, const char *key, dq_value value, bool checkpoint)
{
    dq_bundle model;
    save(l, true, &model);
    dq_value changed = *dq_map_get(&model.meta, map);
    assert_true(dq_map_set(&model.arena, &changed, key, value));
    assert_true(dq_map_set(&model.arena, &model.meta, map, changed));
    dq_status status = dq_agent_load(l->agent, checkpoint, &model, NULL);
    dq_bundle_free(&model);
    return status;
}

/* A checkpoint whose column has another first number. */
static dq_status load_with(life *l, const char *column, uint32_t number)
{
    dq_bundle model;
    save(l, true, &model);
    const dq_column *c = dq_bundle_column(&model, column);
    assert_non_null(c);
    memcpy((void *)(uintptr_t)c->data, &number, sizeof number);
    dq_status status = dq_agent_load(l->agent, true, &model, NULL);
    dq_bundle_free(&model);
    return status;
}

static void hostile_checkpoints_are_refused(void **state)
{
    (void)state;
    variant v[VARIANTS];
    life l, table;
    list_variants(v);
    begin(&l, v[3].task, v[3].options, v[3].kind, &v[3].config, 1);
    begin(&table, v[1].task, v[1].options, v[1].kind, &v[1].config, 1);
    live(&l, 60);
    live(&table, 61);
    assert_int_equal(load_changed(&l, "agent", "head", dq_int(0), true), DQ_OK);
    assert_int_equal(load_changed(&l, "agent", "head", dq_int(2), true), DQ_ERR_SCHEMA);
    assert_int_equal(load_changed(&l, "agent", "encoder", dq_int(-1), true), DQ_ERR_SCHEMA);
    assert_int_equal(load_changed(&l, "agent", "decay_by", dq_nil(), false), DQ_OK);
    assert_int_equal(load_changed(&l, "agent", "decay_form", dq_int(7), false), DQ_ERR_SCHEMA);
    assert_int_equal(load_changed(&l, "agent", "schedule", dq_int(7), true), DQ_ERR_SCHEMA);
    assert_int_equal(load_changed(&l, "agent", "hidden", dq_int(7), true), DQ_ERR_SCHEMA);
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value vast = dq_list();
    for (int i = 0; i < 3; i++) assert_true(dq_list_add(&arena, &vast, dq_int(1 << 20)));
    assert_int_equal(load_changed(&l, "agent", "hidden", vast, true), DQ_ERR_SCHEMA);
    dq_arena_free(&arena);
    assert_int_equal(load_changed(&l, "agent", "models", dq_int(1 << 30), true), DQ_ERR_SCHEMA);
    assert_int_equal(load_changed(&l, "agent", "fit_rows", dq_int(1 << 30), true), DQ_ERR_SCHEMA);
    assert_int_equal(load_changed(&l, "task", "action_count", dq_int(1 << 20), true), DQ_ERR_SCHEMA);
    assert_int_equal(load_changed(&l, "task", "state_width", dq_int(5), true), DQ_ERR_RANGE);
    assert_int_equal(load_changed(&l, "task", "user_width", dq_int(5), true), DQ_ERR_SCHEMA);
    assert_int_equal(load_changed(&l, "task", "action_width", dq_int(1), true), DQ_ERR_RANGE);
    assert_int_equal(load_changed(&l, "task", "history", dq_int(1), true), DQ_ERR_SCHEMA);
    assert_int_equal(load_changed(&l, "replay", "count", dq_int(49), true), DQ_ERR_SCHEMA);
    assert_int_equal(load_changed(&l, "replay", "oldest", dq_int(50), true), DQ_ERR_SCHEMA);
    assert_int_equal(load_with(&l, "replay.action", 1), DQ_OK);
    assert_int_equal(load_with(&l, "replay.action", 2), DQ_ERR_RANGE);
    assert_int_equal(load_with(&l, "returns.count", 3), DQ_ERR_SCHEMA);
    assert_int_equal(load_with(&l, "q.hidden.0.weight", 0x7fc00000), DQ_ERR_NUMERIC);
    assert_int_equal(load_with(&table, "table.pairs", 54 * 4), DQ_ERR_SCHEMA);
    assert_int_equal(load_with(&table, "table.pending", 54), DQ_ERR_SCHEMA);
    assert_int_equal(load_with(&table, "table.next", 999), DQ_ERR_SCHEMA);
    dq_bundle model;
    save(&table, true, &model);
    assert_int_equal(dq_agent_load(l.agent, true, &model, NULL), DQ_ERR_RANGE); /* of another kind */
    dq_bundle_free(&model);
    end(&l);
    end(&table);
}

int main(void)
{
    for (size_t i = 0; i < FIX_COUNT; i++) fix_actions[i] = fix_vectors + i * FIX_WIDTH;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_equal_torch),
        cmocka_unit_test(world_steps_equal_torch),
        cmocka_unit_test(a_resumed_run_equals_one_that_never_stopped),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(living_allocates_nothing),
        cmocka_unit_test(a_model_says_how_it_was_made),
        cmocka_unit_test(hostile_checkpoints_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
