/* SPDX-License-Identifier: MIT */
#include "learn/agent.h"
#include "net/net_impl.h"

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
    config.huber_delta = fix_cases[c].delta;
    config.activation = (dq_activation)fix_cases[c].activation;
    config.bootstrap = fix_cases[c].same ? DQ_BOOTSTRAP_SAME : DQ_BOOTSTRAP_MAX;
    for (uint32_t f = 0; fix_cases[c].features && f < 2; f++)
        config.features[config.feature_count++] = (dq_pairing){fix_features[f][0], fix_features[f][1],
                                                               fix_features[f][2]};
    config.batch = FIX_ROWS;
    return config;
}

/* The states of an update's rows, each with its next one behind, and the rows. */
static const float *fix_at[2 * FIX_ROWS];
static const dq_vectors fix_states = {fix_at, 2 * FIX_ROWS, FIX_INPUT};

/* several: rows are sums over several steps. */
static void fixture_rows(size_t update, bool several, dq_transition *rows)
{
    for (uint32_t i = 0; i < FIX_ROWS; i++) {
        size_t at = update * FIX_ROWS + i;
        fix_at[2 * i] = fix_state + at * FIX_INPUT;
        fix_at[2 * i + 1] = fix_next + at * FIX_INPUT;
        rows[i] = (dq_transition){.state = 2 * i,
                                  .action = fix_action[at],
                                  .next = 2 * i + 1,
                                  .reward = fix_reward[at],
                                  .discount = several ? fix_discount[at] : 1,
                                  .done = fix_done[at] != 0};
    }
}

static void set_weights(dq_net *net, const float *weights)
{
    memcpy(net->weights, weights, net->count * sizeof *weights);
}

static void check_torch(size_t c)
{
    dq_pool *pool = pool_of(1);
    dq_agent_config config = fixture_config(c);
    dq_agent *agent = make("dqn", &config, &fixture_shape, pool);
    dq_net *q = dq_agent_network(agent, "q"), *target = dq_agent_network(agent, "target");
    dq_transition rows[FIX_ROWS];
    dq_agent_losses losses, judged;
    set_weights(q, fix_cases[c].start);
    set_weights(target, fix_cases[c].start);
    for (size_t u = 0; u < FIX_UPDATES; u++) {
        const float *weight = fix_cases[c].weighted ? fix_weight + u * FIX_ROWS : NULL;
        fixture_rows(u, fix_cases[c].several, rows);
        assert_int_equal(dq_agent_evaluate_loss(agent, &fix_states, rows, FIX_ROWS, &judged, NULL), DQ_OK);
        assert_int_equal(dq_agent_fit(agent, &fix_states, rows, FIX_ROWS, weight, &losses, NULL), DQ_OK);
        assert_true(fabs(losses.q - (double)fix_cases[c].losses[u]) < 1e-5 * (1 + losses.q));
        if (!config.batch_norm && !weight) assert_true(fabs(losses.q - judged.q) < 1e-6 * (1 + losses.q));
    }
    assert_near(q->weights, fix_cases[c].last, q->count, 1e-5F);
    assert_near(target->weights, fix_cases[c].target, q->count, 1e-5F);
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
    dq_net *world = dq_agent_network(agent, "world.0");
    dq_transition rows[FIX_ROWS];
    dq_agent_losses losses;
    set_weights(world, fix_world_start);
    for (size_t u = 0; u < FIX_UPDATES; u++) {
        fixture_rows(u, false, rows);
        assert_int_equal(dq_agent_fit(agent, &fix_states, rows, FIX_ROWS, NULL, &losses, NULL), DQ_OK);
        assert_true(fabs(losses.world - (double)fix_world_losses[u]) < 1e-5 * (1 + losses.world));
    }
    assert_near(world->weights, fix_world_last, world->count, 1e-5F);
    dq_agent_free(agent);
    dq_pool_free(pool);
}

/* ---- checkpoints, threads, memory: every kind, with what it may have ---- */

typedef struct variant {
    const char *kind, *env, *options;
    dq_agent_config config;
} variant;

enum { VARIANTS = 15 };

/* In a catalogue, where states are numbered and an episode offers some of the actions. */
static void list_catalogue_variants(variant variants[5])
{
    dq_agent_config table = dq_agent_find("tabular")->defaults, dqn = dq_agent_find("dqn")->defaults,
                    dyna = dq_agent_find("dyna-q")->defaults;
    dqn.hidden[0] = dqn.hidden[1] = dyna.hidden[0] = dyna.hidden[1] = 16;
    dqn.batch = dyna.batch = 8;
    dqn.replay = dyna.replay = 50;
    dqn.warmup = dyna.warmup = 20;
    dqn.target_every = dyna.target_every = 7;
    dqn.offered = dyna.offered = LIFE_OFFERED;
    table.planning = 3;
    variants[0] = (variant){"tabular", "catalogue", NULL, table};
    dqn.double_q = true;
    variants[1] = (variant){"dqn", "catalogue", NULL, dqn};
    dqn.head = DQ_HEAD_ACTIONS;
    dqn.n_step = 3;
    dqn.priority = 0.5;
    dqn.conservative = 0.2;
    variants[2] = (variant){"dqn", "catalogue", NULL, dqn};
    dyna.head = DQ_HEAD_ACTIONS;
    dyna.dropout = 0.2;
    dyna.clip_norm = 0;
    dyna.world_hidden[0] = 12;
    dyna.world_hidden_count = 1;
    dyna.feature_count = 2;
    dyna.features[0] = (dq_pairing){0, 0, LIFE_WIDTH};
    dyna.features[1] = (dq_pairing){0, 2, 3};
    variants[3] = (variant){"dyna-q", "catalogue", NULL, dyna};
    dyna.models = 3;
    dyna.dueling = true;
    dyna.value_hidden[0] = 8;
    dyna.value_hidden_count = 1;
    dyna.activation = DQ_TANH;
    dyna.tau = 0.2;
    dyna.schedule = dq_schedule_find("exponential");
    dyna.decay_by = DQ_BY_RUN;
    dyna.decay_form = DQ_DECAY_LINEAR;
    dyna.epsilon_decay = 1;
    variants[4] = (variant){"dyna-q", "catalogue", NULL, dyna};
}

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
    table.envs = SIDE_BY_SIDE;
    table.planning = 4;
    table.train_every = 3;
    table.explore_by = DQ_EXPLORE_SOFTMAX;
    variants[1] = (variant){"tabular", "maze", NULL, table};
    variants[2] = (variant){"dqn", "cartpole", NULL, dqn};
    dqn.envs = SIDE_BY_SIDE;
    dqn.double_q = dqn.dueling = dqn.batch_norm = true;
    dqn.dropout = 0.2;
    dqn.dropout_layers = 1;
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
    list_catalogue_variants(variants + 8);
    dqn = dq_agent_find("dqn")->defaults;
    dyna = dq_agent_find("dyna-q")->defaults;
    dqn.hidden[0] = dqn.hidden[1] = dyna.hidden[0] = dyna.hidden[1] = 16;
    dqn.batch = dyna.batch = 8;
    dqn.replay = dyna.replay = 50;
    dqn.warmup = dyna.warmup = 20;
    dqn.head = DQ_HEAD_ACTIONS;
    dqn.features[0] = (dq_pairing){0, 0, 3};
    dqn.feature_count = 1;
    dqn.bootstrap = DQ_BOOTSTRAP_SAME;
    dqn.activation = DQ_GELU;
    dqn.huber_delta = 0.5;
    dqn.clip_norm = 0;
    variants[13] = (variant){"dqn", "session", "items=20,full=1", dqn};
    dyna.sparse = true;
    dyna.clip_norm = 0;
    dyna.models = 2;
    dyna.decay_by = DQ_BY_RUN;
    dyna.decay_form = DQ_DECAY_LINEAR;
    variants[14] = (variant){"dyna-q", "maze", NULL, dyna};
}

/* A checkpoint in memory of its own: what was saved must not follow the agent. */
static void save(life *l, bool checkpoint, dq_bundle *model)
{
    assert_int_equal(dq_bundle_init(model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_agent_save(l->agent, checkpoint, model, NULL), DQ_OK);
    for (uint32_t i = 0; checkpoint && i < l->count; i++) {
        char name[16] = {'t', (char)('0' + i)};
        assert_int_equal(dq_env_save(l->envs[i], name, model, NULL), DQ_OK);
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
        assert_int_equal(dq_env_restore(l->envs[i], name, model, NULL), DQ_OK);
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
        begin(&whole, v[i].env, v[i].options, v[i].kind, &v[i].config, 1);
        live(&whole, 101);
        assert_true(dq_agent_steps(whole.agent) > 0);
        save(&whole, true, &model);
        begin(&resumed, v[i].env, v[i].options, v[i].kind, &v[i].config, 1);
        live(&resumed, 3); /* whatever it did before is gone */
        restore(&resumed, &model);
        resumed.episodes = whole.episodes;
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
        begin(&one, v[i].env, v[i].options, v[i].kind, &v[i].config, 1);
        int steps = (int)(134 / v[i].config.envs) + 3;
        live(&one, steps);
        for (unsigned threads = 2; threads <= 3; threads++) {
            begin(&many, v[i].env, v[i].options, v[i].kind, &v[i].config, threads);
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
        begin(&l, v[i].env, v[i].options, v[i].kind, &v[i].config, 1);
        live(&l, 60);
        atomic_store(&allocations, 0);
        live(&l, 60);
        assert_int_equal(atomic_load(&allocations), 0);
        end(&l);
    }
}

/* ---- what is tabled ---- */

/* An agent's maxima are found anew for each update when its target is looked at before each. */
static void tabled_maxima_are_those_found_anew(void **state)
{
    (void)state;
    variant v[VARIANTS];
    list_variants(v);
    for (size_t i = 0; i < VARIANTS; i++) {
        life tabled, anew;
        v[i].config.replay = 30; /* slots are written again and again */
        begin(&tabled, v[i].env, v[i].options, v[i].kind, &v[i].config, 1);
        begin(&anew, v[i].env, v[i].options, v[i].kind, &v[i].config, 1);
        for (int t = 0; t < 150; t++) {
            live(&tabled, 1);
            (void)dq_agent_network(anew.agent, "target");
            live(&anew, 1);
        }
        assert_same(&tabled, &anew);
        end(&tabled);
        end(&anew);
    }
}

/* ---- models ---- */

/* Q of what is on offer in one state. */
static void values_of(const life *l, dq_agent *agent, float *q)
{
    const dq_env_spec *shape = &l->envs[0]->shape;
    const float *at[] = {l->envs[0]->state};
    const dq_vectors states = {at, 1, shape->state_width};
    dq_agent_values(agent, shape->states.count ? &shape->states : &states, NULL, 1, q);
}

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
        begin(&l, v[i].env, v[i].options, v[i].kind, &v[i].config, 1);
        live(&l, 80);
        save(&l, false, &model);
        assert_int_equal(dq_agent_read_config(&model, &kind, &config, &shape, NULL), DQ_OK);
        assert_string_equal(kind, v[i].kind);
        assert_memory_equal(&config, dq_agent_get_config(l.agent), sizeof config);
        bool numbered = shape.states.count > 0;
        assert_int_equal(numbered, strcmp(v[i].env, "catalogue") == 0);
        assert_int_equal(dq_bundle_column(&model, "actions") != NULL, shape.action_width && !numbered);
        assert_int_equal(dq_agent_new(&other, kind, &config, &l.envs[0]->shape, l.pool, NULL), DQ_OK);
        assert_int_equal(dq_agent_load(other, false, &model, NULL), DQ_OK);
        dq_agent_offer(l.agent, NULL, 0);
        dq_agent_offer(other, NULL, 0);
        values_of(&l, l.agent, q[0]);
        values_of(&l, other, q[1]);
        assert_memory_equal(q[0], q[1], shape.action_count * sizeof(float));
        assert_int_not_equal(dq_agent_load(other, true, &model, NULL), DQ_OK); /* no checkpoint */
        dq_agent_free(other);
        dq_bundle_free(&model);
        end(&l);
    }
}

/* An agent that was made to act knows what the one that learned does, and does not learn. */
static void an_agent_of_a_model_acts_alike_and_does_not_learn(void **state)
{
    (void)state;
    variant v[VARIANTS];
    list_variants(v);
    for (size_t i = 0; i < VARIANTS; i++) {
        life l;
        dq_bundle model, again;
        dq_agent *other;
        dq_agent_losses losses;
        float q[2][20];
        begin(&l, v[i].env, v[i].options, v[i].kind, &v[i].config, 1);
        live(&l, 80);
        save(&l, false, &model);
        const dq_env_spec *shape = l.envs[0]->shape.states.count ? &l.envs[0]->shape : NULL;
        assert_int_equal(dq_agent_of_model(&other, &model, shape, l.pool, NULL), DQ_OK);
        dq_agent_offer(l.agent, NULL, 0);
        values_of(&l, l.agent, q[0]);
        values_of(&l, other, q[1]);
        assert_memory_equal(q[0], q[1], l.envs[0]->shape.action_count * sizeof(float));
        dq_agent *taught = l.agent;
        l.agent = other;
        for (uint32_t t = 0; t < l.count; t++) life_reset(&l, t);
        live(&l, 80);
        l.agent = taught;
        assert_int_equal(dq_agent_learn(other, &losses, NULL), DQ_ERR_UNSUPPORTED);
        assert_int_equal(dq_bundle_init(&again, "model", 0, NULL), DQ_OK);
        assert_int_equal(dq_agent_save(other, true, &again, NULL), DQ_ERR_UNSUPPORTED);
        dq_bundle_free(&again);
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
    life l, table, pairs;
    list_variants(v);
    begin(&pairs, v[10].env, v[10].options, v[10].kind, &v[10].config, 1);
    live(&pairs, 61);
    begin(&l, v[3].env, v[3].options, v[3].kind, &v[3].config, 1);
    begin(&table, v[1].env, v[1].options, v[1].kind, &v[1].config, 1);
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
    assert_int_equal(load_changed(&l, "env_spec", "action_count", dq_int(1 << 20), true), DQ_ERR_SCHEMA);
    assert_int_equal(load_changed(&l, "env_spec", "state_width", dq_int(5), true), DQ_ERR_SCHEMA);
    assert_int_equal(load_changed(&l, "env_spec", "user_width", dq_int(5), true), DQ_ERR_SCHEMA);
    assert_int_equal(load_changed(&pairs, "env_spec", "action_width", dq_int(1), true), DQ_ERR_SCHEMA);
    assert_int_equal(load_changed(&l, "agent", "format", dq_int(1), true), DQ_ERR_SCHEMA);
    assert_int_equal(load_changed(&l, "agent", "features", dq_int(7), true), DQ_ERR_SCHEMA);
    assert_int_equal(load_changed(&l, "counts", "progress", dq_real(2), true), DQ_ERR_SCHEMA);
    assert_int_equal(load_changed(&l, "env_spec", "history", dq_int(1), true), DQ_ERR_SCHEMA);
    assert_int_equal(load_changed(&l, "replay", "count", dq_int(49), true), DQ_ERR_SCHEMA);
    assert_int_equal(load_changed(&l, "replay", "oldest", dq_int(50), true), DQ_ERR_SCHEMA);
    assert_int_equal(load_with(&l, "replay.action", 1), DQ_OK);
    assert_int_equal(load_with(&l, "replay.action", 2), DQ_ERR_RANGE);
    assert_int_equal(load_with(&l, "returns.count", 3), DQ_ERR_SCHEMA);
    assert_int_equal(load_with(&pairs, "returns.state", LIFE_USERS), DQ_ERR_RANGE);
    assert_int_equal(load_with(&pairs, "replay.state", LIFE_USERS), DQ_ERR_RANGE);
    assert_int_equal(load_with(&pairs, "replay.next", LIFE_USERS), DQ_ERR_RANGE);
    assert_int_equal(load_with(&pairs, "agent.offer", LIFE_ITEMS), DQ_ERR_RANGE);
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
    end(&pairs);
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
        cmocka_unit_test(tabled_maxima_are_those_found_anew),
        cmocka_unit_test(a_model_says_how_it_was_made),
        cmocka_unit_test(an_agent_of_a_model_acts_alike_and_does_not_learn),
        cmocka_unit_test(hostile_checkpoints_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
