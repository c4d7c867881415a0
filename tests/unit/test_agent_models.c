/* SPDX-License-Identifier: MIT
 *
 * Models and checkpoints that are not what they claim to be, or are of another environment.
 */
#include "learn/kept.h"
#include "life.h"

#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static float vectors[9][4];
static const float *at[9];
static const dq_env_spec unnumbered = {.state_width = 4, .action_count = 3};
/* Three users, six items. */
static const dq_env_spec numbered = {.state_width = 4,
                                     .user_width = 4,
                                     .action_count = 6,
                                     .action_width = 4,
                                     .actions = at + 3,
                                     .states = {at, 3, 4}};
static dq_pool *pool;

static dq_agent_config small(const char *kind)
{
    dq_agent_config c = dq_agent_find(kind)->defaults;
    if (c.hidden_count) c.hidden[0] = c.hidden[1] = 8;
    if (c.hidden_count) c.batch = 2;
    if (c.hidden_count) c.replay = 20;
    c.warmup = 0;
    return c;
}

static void save(dq_agent *agent, bool checkpoint, dq_bundle *model)
{
    assert_int_equal(dq_bundle_init(model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_agent_save(agent, checkpoint, model, NULL), DQ_OK);
}

static void set(dq_bundle *model, const char *map, const char *key, dq_value value)
{
    dq_value changed = *dq_map_get(&model->meta, map);
    assert_true(dq_map_set(&model->arena, &changed, key, value));
    assert_true(dq_map_set(&model->arena, &model->meta, map, changed));
}

static dq_value list(dq_bundle *model, int64_t a, int64_t b)
{
    dq_value of = dq_list();
    assert_true(dq_list_add(&model->arena, &of, dq_int(a)) && dq_list_add(&model->arena, &of, dq_int(b)));
    return of;
}

static long peak_mb(void)
{
    struct rusage used;
    assert_int_equal(getrusage(RUSAGE_SELF, &used), 0);
    return used.ru_maxrss / 1024;
}

/* A model of a kind whose metadata is changed claims more than it holds: it is refused, and nothing is made
 * for it. */
#define CLAIMS(kind, shape, map, key, value)                                                                 \
    do {                                                                                                     \
        dq_agent_config c_ = small(kind);                                                                    \
        dq_bundle m_, *const model = &m_;                                                                    \
        dq_agent *a_ = make(kind, &c_, shape, pool), *b_;                                                    \
        save(a_, false, model);                                                                              \
        set(model, map, key, value);                                                                         \
        long before = peak_mb();                                                                             \
        assert_int_equal(dq_agent_of_model(&b_, model, shape, pool, NULL), DQ_ERR_SCHEMA);                   \
        assert_true(peak_mb() - before < 16);                                                                \
        assert_null(b_);                                                                                     \
        dq_bundle_free(model);                                                                               \
        dq_agent_free(a_);                                                                                   \
    } while (0)

static void a_model_claims_no_more_than_it_holds(void **state)
{
    (void)state;
    CLAIMS("dqn", &unnumbered, "agent", "hidden", list(model, 9000, 9000));
    CLAIMS("dqn", &unnumbered, "agent", "value_hidden", list(model, 9000, 9000));
    CLAIMS("dqn", &unnumbered, "agent", "dueling", dq_bool(true));
    CLAIMS("dqn", &unnumbered, "q", "hidden", list(model, 9000, 9000));
    CLAIMS("dqn", &unnumbered, "q", "batch_norm", dq_int(1));
    CLAIMS("dqn", &unnumbered, "env_spec", "action_count", dq_int(1 << 20));
    CLAIMS("dyna-q", &unnumbered, "agent", "world_hidden", list(model, 9000, 9000));
    CLAIMS("dyna-q", &unnumbered, "agent", "models", dq_int(3));
    CLAIMS("dyna-q", &unnumbered, "agent", "models", dq_int(1000));
    CLAIMS("dqn", &numbered, "agent", "q_models", dq_int(3));
    CLAIMS("dqn", &numbered, "agent", "q_models", dq_int(1000));
    CLAIMS("dqn", &numbered, "agent", "q_models", dq_int(0));
    CLAIMS("tabular", &numbered, "agent", "q_models", dq_int(2));
    CLAIMS("dyna-q", &numbered, "world.0", "hidden", list(model, 9000, 9000));
    CLAIMS("dyna-q", &numbered, "env_spec", "action_width", dq_int(1 << 20));
    CLAIMS("tabular", &unnumbered, "env_spec", "state_width", dq_int(1 << 20));
    CLAIMS("tabular", &unnumbered, "env_spec", "action_count", dq_int(1 << 20));
    CLAIMS("tabular", &numbered, "env_spec", "states", dq_int(50000000));
}

/* Leaves 64 MiB of addresses, so that also memory that is not touched counts; sanitizers want theirs. */
static void short_of_room(bool on)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__clang__)
    struct rlimit room = {RLIM_INFINITY, RLIM_INFINITY};
    unsigned long pages = 0;
    FILE *sizes = fopen("/proc/self/statm", "r");
    assert_non_null(sizes);
    assert_int_equal(fscanf(sizes, "%lu", &pages), 1);
    assert_int_equal(fclose(sizes), 0);
    assert_int_equal(getrlimit(RLIMIT_AS, &room), 0);
    room.rlim_cur = on ? pages * (rlim_t)sysconf(_SC_PAGESIZE) + (64U << 20) : room.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_AS, &room), 0);
#else
    (void)on;
#endif
}

/* What only training needs is not made to act, however much of it a model speaks of; it acts, or is refused.
 */
static void a_model_that_acts_takes_no_memory_of_training(void **state)
{
    (void)state;
    static const char *const kinds[] = {"dqn", "dyna-q", "tabular"};
    const dq_env_spec *const shapes[] = {&unnumbered, &numbered};
    const struct {
        const char *map, *key;
        int64_t value;
    } claims[] = {
        {"agent", "fit_rows", 1 << 20},      {"agent", "replay", INT32_MAX},
        {"agent", "batch", 1 << 20},         {"agent", "envs", 1 << 16},
        {"agent", "n_step", 1 << 16},        {"agent", "planning", 1 << 30},
        {"agent", "rollout", 1 << 30},       {"agent", "states", 1 << 26},
        {"agent", "models", 1 << 10},        {"agent", "offered", 1 << 30},
        {"agent", "warmup", 1LL << 60},      {"agent", "updates", 1LL << 60},
        {"env_spec", "user_width", 1 << 30}, {"env_spec", "history", 1 << 30},
        {"env_spec", "step_limit", 1 << 30}, {"env_spec", "item_width", 1 << 20},
        {"env_spec", "states", 1 << 30},
    };
    for (size_t k = 0; k < 6; k++)
        for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
            const char *kind = kinds[k / 2];
            const dq_env_spec *shape = shapes[k % 2];
            dq_agent_config config = small(kind);
            dq_bundle model;
            dq_agent *agent = make(kind, &config, shape, pool), *other;
            save(agent, false, &model);
            set(&model, claims[i].map, claims[i].key, dq_int(claims[i].value));
            if (strcmp(claims[i].key, "batch") == 0) set(&model, "agent", "fit_rows", dq_int(1 << 20));
            if (strcmp(claims[i].key, "batch") == 0) set(&model, "agent", "replay", dq_int(1 << 20));
            for (int of = 0; of < 2; of++) {
                short_of_room(true);
                dq_status status = dq_agent_of_model(&other, &model, of ? shape : NULL, pool, NULL);
                short_of_room(false);
                if (status == DQ_ERR_MEMORY) fail_msg("%s %zu: %s takes memory", kind, k % 2, claims[i].key);
                assert_int_equal(other == NULL, status != DQ_OK);
                dq_agent_free(other);
            }
            const char *saved;
            dq_env_spec own;
            if (dq_agent_read_config(&model, &saved, &config, &own, NULL) == DQ_OK) {
                short_of_room(true);
                dq_status status = dq_agent_new_untrained(&other, kind, &config, shape, pool, NULL);
                short_of_room(false);
                if (status == DQ_ERR_MEMORY) fail_msg("%s %zu: %s, untrained", kind, k % 2, claims[i].key);
                dq_agent_free(other);
            }
            dq_bundle_free(&model);
            dq_agent_free(agent);
        }
}

static void a_model_acts_only_by_options_that_fit(void **state)
{
    (void)state;
    dq_agent_config config = small("dyna-q");
    dq_agent *agent = make("dyna-q", &config, &unnumbered, pool), *other;
    dq_bundle model;
    save(agent, false, &model);
    assert_int_equal(dq_agent_of_model(&other, &model, NULL, pool, NULL), DQ_OK);
    dq_agent_free(other);
    set(&model, "agent", "gamma", dq_nil());
    assert_int_equal(dq_agent_of_model(&other, &model, NULL, pool, NULL), DQ_ERR_RANGE);
    assert_null(other);
    dq_bundle_free(&model);
    dq_agent_free(agent);
}

/* ---- features that it is given ---- */

static void fill_ones(void *self, uint32_t state, const uint32_t *actions, size_t n, float *out)
{
    const uint32_t *width = self;
    (void)state, (void)actions;
    for (size_t i = 0; i < n * *width; i++) out[i] = 1;
}

static void a_model_is_given_as_many_features_as_its_network_takes(void **state)
{
    (void)state;
    uint32_t two = 2, three = 3, one = 1;
    const dq_pair_features others[] = {{&three, 3, fill_ones}, {&one, 1, fill_ones}};
    float q[6];
    dq_agent_config config = small("dqn");
    config.head = DQ_HEAD_ACTIONS;
    config.given = (dq_pair_features){&two, 2, fill_ones};
    dq_agent *agent = make("dqn", &config, &numbered, pool), *other;
    dq_bundle model;
    save(agent, false, &model);
    assert_int_equal(dq_agent_of_model(&other, &model, &numbered, pool, NULL), DQ_OK);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(dq_agent_give(other, &others[i], NULL), DQ_ERR_SCHEMA);
        assert_true(dq_agent_lacks_features(other));
    }
    assert_int_equal(dq_agent_give(other, &config.given, NULL), DQ_OK);
    assert_false(dq_agent_lacks_features(other));
    dq_agent_values(other, &numbered.states, NULL, 1, q);
    for (int i = 0; i < 6; i++) assert_true(isfinite(q[i]));
    dq_agent_free(other);
    dq_bundle_free(&model);
    dq_agent_free(agent);
}

/* ---- other environments ---- */

static void a_model_of_other_states_is_refused(void **state)
{
    (void)state;
    const dq_env_spec two_users = {.state_width = 4,
                                   .user_width = 4,
                                   .action_count = 6,
                                   .action_width = 4,
                                   .actions = at + 3,
                                   .states = {at, 2, 4}};
    dq_env_spec described = numbered, wider = unnumbered;
    described.states = (dq_vectors){0};
    wider.state_width = 5;
    const struct {
        const char *kind;
        bool world;
        const dq_env_spec *from, *to;
        dq_status status;
    } cases[] = {
        {"dyna-q", true, &numbered, &described, DQ_ERR_RANGE},
        {"dyna-q", true, &described, &numbered, DQ_ERR_RANGE},
        {"dyna-q", true, &numbered, &two_users, DQ_OK},
        {"dqn", false, &numbered, &described, DQ_OK},
        {"tabular", false, &numbered, &two_users, DQ_ERR_RANGE},
        {"tabular", false, &described, &numbered, DQ_ERR_RANGE},
        {"tabular", false, &numbered, &numbered, DQ_OK},
        {"dqn", false, &unnumbered, &wider, DQ_ERR_RANGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dq_agent_config config = small(cases[i].kind);
        dq_agent *from = make(cases[i].kind, &config, cases[i].from, pool),
                 *to = make(cases[i].kind, &config, cases[i].to, pool), *acts;
        dq_bundle model;
        save(from, false, &model);
        assert_int_equal(dq_agent_load(to, false, &model, NULL), cases[i].status);
        assert_int_equal(dq_agent_of_model(&acts, &model, cases[i].to, pool, NULL), cases[i].status);
        dq_agent_free(acts);
        dq_bundle_free(&model);
        dq_agent_free(from);
        dq_agent_free(to);
    }
}

/* An ensemble takes up another ensemble, or none at all. */
static void worlds_are_all_there_or_none(void **state)
{
    (void)state;
    dq_agent_config one = small("dyna-q"), three = one, none = small("dqn");
    three.models = 3;
    dq_agent *agents[] = {make("dyna-q", &one, &unnumbered, pool), make("dqn", &none, &unnumbered, pool)};
    dq_agent *many = make("dyna-q", &three, &unnumbered, pool);
    const dq_status wanted[] = {DQ_ERR_UNKNOWN, DQ_OK};
    for (int i = 0; i < 2; i++) {
        dq_bundle model;
        save(agents[i], false, &model);
        assert_int_equal(dq_agent_load(many, false, &model, NULL), wanted[i]);
        dq_bundle_free(&model);
        dq_agent_free(agents[i]);
    }
    dq_agent_free(many);
}

/* ---- checkpoints ---- */

static void a_checkpoint_without_moments_is_none(void **state)
{
    (void)state;
    dq_agent_config config = small("dyna-q");
    const char *missing[] = {"q.adam.m", "q.adam.v", "world.0.adam.v"};
    for (int i = 0; i < 3; i++) {
        dq_agent *agent = make("dyna-q", &config, &unnumbered, pool);
        dq_bundle model;
        save(agent, true, &model);
        assert_int_equal(dq_agent_load(agent, true, &model, NULL), DQ_OK);
        for (size_t c = 0; c < model.column_count; c++)
            if (strcmp(model.columns[c].name, missing[i]) == 0) model.columns[c].name = "gone";
        assert_int_equal(dq_agent_load(agent, true, &model, NULL), DQ_ERR_SCHEMA);
        assert_int_equal(dq_agent_load(agent, false, &model, NULL), DQ_OK);
        dq_bundle_free(&model);
        dq_agent_free(agent);
    }
}

/* Whatever is on offer, though it be more than the agent learns from. */
static void a_checkpoint_offers_all(void **state)
{
    (void)state;
    dq_agent_config config = small("dqn");
    dq_bundle model;
    config.head = DQ_HEAD_ACTIONS;
    config.offered = 3;
    dq_agent *agent = make("dqn", &config, &numbered, pool), *other = make("dqn", &config, &numbered, pool);
    dq_agent_offer(agent, NULL, 0);
    save(agent, true, &model);
    assert_int_equal(dq_agent_load(other, true, &model, NULL), DQ_OK);
    uint32_t n;
    dq_agent_get_offer(other, &n);
    assert_int_equal(n, 6);
    dq_bundle_free(&model);
    dq_agent_free(agent);
    dq_agent_free(other);
}

/* Of the best model that a checkpoint keeps every column counts, the vectors of actions among them. */
static void what_a_checkpoint_keeps_is_a_model(void **state)
{
    (void)state;
    static const dq_env_spec described = {
        .state_width = 4, .action_count = 6, .action_width = 4, .actions = at + 3};
    const struct {
        const char *kind;
        const dq_env_spec *shape;
    } cases[] = {{"tabular", &unnumbered}, {"dqn", &described}, {"dyna-q", &numbered}};
    for (size_t k = 0; k < 3; k++) {
        dq_agent_config c = small(cases[k].kind);
        if (cases[k].shape == &unnumbered) c.states = 5;
        dq_agent *a = make(cases[k].kind, &c, cases[k].shape, pool);
        dq_bundle kept = {0}, back = {0}, checkpoint;
        assert_int_equal(dq_kept_set(&kept, a, NULL), DQ_OK);
        assert_int_equal(dq_bundle_init(&checkpoint, "model", 0, NULL), DQ_OK);
        assert_int_equal(dq_kept_save(&kept, &checkpoint, NULL), DQ_OK);
        assert_true(checkpoint.column_count > 0);
        for (size_t i = 0; i < checkpoint.column_count; i++) {
            dq_column whole = checkpoint.columns[i], *column = &checkpoint.columns[i];
            assert_int_equal(dq_kept_restore(&back, a, &checkpoint, NULL), DQ_OK);
            if (!whole.bytes) continue; /* a table that has met no state */
            column->bytes = column->shape[0] = 0;
            if (dq_kept_restore(&back, a, &checkpoint, NULL) == DQ_OK) fail_msg("%s is empty", column->name);
            assert_null(back.kind);
            *column = whole;
        }
        dq_bundle_free(&checkpoint);
        dq_bundle_free(&back);
        dq_bundle_free(&kept);
        dq_agent_free(a);
    }
}

int main(void)
{
    dq_rng rng = dq_rng_new(3);
    for (int i = 0; i < 9; i++) {
        at[i] = vectors[i];
        for (int j = 0; j < 4; j++) vectors[i][j] = (float)dq_rng_normal(&rng);
    }
    if (dq_pool_new(&pool, 1, NULL)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_claims_no_more_than_it_holds),
        cmocka_unit_test(a_model_that_acts_takes_no_memory_of_training),
        cmocka_unit_test(a_model_acts_only_by_options_that_fit),
        cmocka_unit_test(a_model_is_given_as_many_features_as_its_network_takes),
        cmocka_unit_test(a_model_of_other_states_is_refused),
        cmocka_unit_test(worlds_are_all_there_or_none),
        cmocka_unit_test(a_checkpoint_without_moments_is_none),
        cmocka_unit_test(a_checkpoint_offers_all),
        cmocka_unit_test(what_a_checkpoint_keeps_is_a_model),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    dq_pool_free(pool);
    return failed;
}
