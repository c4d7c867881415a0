/* SPDX-License-Identifier: MIT */
#include "net/loss.h"
#include "net/mlp.h"

#include "../fixtures/mlp/torch.h"
#include "allocations.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 12, STATES = 7, ACTIONS = 5, INPUT = 19, WIDTH = 4, MOST = 700 };

/* States of a user of 3, a history of 3 items of 4, and 4 more numbers. */
#define STATE .input = INPUT, .user_width = 3, .history = 3, .item_width = WIDTH
#define TWO   .hidden = {11, 9}, .hidden_count = 2

/* One for each layer and for each way in which layers stand together. */
static const dq_mlp_spec specs[] = {
    {.input = INPUT, .outputs = 5},
    {.input = INPUT, .outputs = 5, TWO},
    {.input = INPUT, .outputs = 5, TWO, .dropout = 0.25},
    {.input = INPUT, .outputs = 5, TWO, .batch_norm = true},
    {.input = INPUT, .outputs = 5, TWO, .batch_norm = true, .dropout = 0.25},
    {.input = INPUT, .outputs = 5, TWO, .dueling = true},
    {STATE, .outputs = 5, TWO, .encoder = DQ_ENCODER_MEAN},
    {STATE, .outputs = 5, TWO, .encoder = DQ_ENCODER_ATTENTION},
    {STATE, .outputs = 5, TWO, .encoder = DQ_ENCODER_ATTENTION, .dueling = true, .batch_norm = true},
    {STATE, TWO, .head = DQ_HEAD_ACTIONS, .action_width = WIDTH},
    {STATE, TWO, .head = DQ_HEAD_ACTIONS, .action_width = WIDTH, .encoder = DQ_ENCODER_ATTENTION,
     .dueling = true},
    {.input = INPUT, TWO, .head = DQ_HEAD_ACTIONS, .action_width = WIDTH, .dueling = true, .dropout = 0.25},
};
enum { SPECS = sizeof specs / sizeof *specs };

/* Wide enough for several tiles in every direction. */
static const dq_mlp_spec wide = {.input = INPUT,
                                 .outputs = 300,
                                 .hidden = {400, 260},
                                 .hidden_count = 2,
                                 .dropout = 0.2,
                                 .batch_norm = true,
                                 .dueling = true};

typedef struct world {
    dq_pool *pool;
    dq_mlp *net;
    float x[MOST * INPUT], actions[ACTIONS * WIDTH];
    uint32_t state[MOST], action[MOST];
    dq_mlp_pairs pairs;
    size_t states, outputs; /* outputs: numbers of a pass */
    float *target, *dy;
} world;

static bool on_actions(const world *w)
{
    return dq_mlp_get_spec(w->net)->head == DQ_HEAD_ACTIONS;
}

static world *make(const dq_mlp_spec *spec, unsigned threads, size_t rows)
{
    world *w = calloc(1, sizeof *w);
    dq_rng rng = dq_rng_new(8);
    assert_non_null(w);
    assert_int_equal(dq_pool_new(&w->pool, threads, NULL), DQ_OK);
    assert_int_equal(dq_mlp_new(&w->net, spec, rows, w->pool, &rng, NULL), DQ_OK);
    for (size_t i = 0; i < MOST * INPUT; i++) w->x[i] = (float)dq_rng_normal(&rng);
    for (size_t i = 0; i < ACTIONS * WIDTH; i++) w->actions[i] = (float)dq_rng_normal(&rng);
    memset(w->x + 3 + WIDTH, 0, 2 * WIDTH * sizeof *w->x);             /* a history of one item */
    memset(w->x + INPUT + 3, 0, 3 * WIDTH * sizeof *w->x);             /* none */
    memset(w->x + 2 * INPUT + 3 + 2 * WIDTH, 0, WIDTH * sizeof *w->x); /* two */
    for (uint32_t r = 0; r < rows; r++) {
        w->state[r] = (uint32_t)dq_rng_below(&rng, STATES);
        w->action[r] = (uint32_t)dq_rng_below(&rng, ACTIONS);
    }
    w->pairs = (dq_mlp_pairs){rows, w->state, w->action, w->actions};
    w->states = on_actions(w) ? STATES : rows;
    w->outputs = on_actions(w) ? rows : rows * spec->outputs;
    w->target = malloc(w->outputs * sizeof *w->target);
    w->dy = malloc(w->outputs * sizeof *w->dy);
    for (size_t i = 0; i < w->outputs; i++) w->target[i] = (float)dq_rng_normal(&rng);
    return w;
}

static void drop(world *w)
{
    dq_mlp_free(w->net);
    dq_pool_free(w->pool);
    free(w->target);
    free(w->dy);
    free(w);
}

/* The loss of a training pass, and with back its gradient. The masks are the same each time. */
static double pass(world *w, dq_loss loss, bool back)
{
    dq_rng rng = dq_rng_new(8);
    const float *y = dq_mlp_forward(w->net, w->x, w->states, on_actions(w) ? &w->pairs : NULL, &rng);
    double mean = dq_loss_mean(loss, y, w->target, NULL, w->outputs, w->dy);
    if (back) dq_mlp_backward(w->net, w->dy);
    return mean;
}

/* ---- gradients ---- */

static void check_finite_differences(const dq_mlp_spec *spec, dq_loss loss)
{
    world *w = make(spec, 1, ROWS);
    size_t n = dq_mlp_count(w->net), moved = 0;
    float *g = malloc(n * sizeof *g), *p = dq_mlp_weights(w->net);
    pass(w, loss, true);
    memcpy(g, dq_mlp_gradient(w->net), n * sizeof *g);
    for (size_t i = 0; i < n; i++) {
        float kept = p[i], up = kept + 1e-4F, down = kept - 1e-4F;
        p[i] = up;
        double high = pass(w, loss, false);
        p[i] = down;
        double low = pass(w, loss, false);
        p[i] = kept;
        double slope = (high - low) / ((double)up - (double)down);
        assert_true(fabs(slope - (double)g[i]) < 4e-4 * (1 + fabs(slope)));
        moved += fabs((double)g[i]) > 1e-3;
    }
    assert_true(moved > n / 4);
    free(g);
    drop(w);
}

static void gradients_equal_finite_differences(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPECS; i++)
        for (int loss = DQ_LOSS_MSE; loss <= DQ_LOSS_HUBER; loss++)
            check_finite_differences(&specs[i], (dq_loss)loss);
}

/* ---- PyTorch ---- */

static void assert_near(const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++) assert_true(fabsf(a[i] - b[i]) < 1e-5F * (1 + fabsf(b[i])));
}

static void check_torch(size_t c)
{
    const dq_mlp_spec *spec = &torch_cases[c].spec;
    bool pairs = spec->head == DQ_HEAD_ACTIONS;
    size_t outputs = pairs ? 1 : spec->outputs;
    dq_mlp_pairs pair = {TORCH_ROWS, torch_state, torch_action, torch_vectors};
    dq_rng rng = dq_rng_new(1);
    dq_adam adam = DQ_ADAM_DEFAULTS;
    float target[TORCH_ROWS * 5], dy[TORCH_ROWS * 5];
    dq_pool *pool;
    dq_mlp *net;
    adam.rate = 1e-2;
    adam.decay = torch_cases[c].decay;
    if (spec->batch_norm) adam.eps = 1e-3;
    assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
    assert_int_equal(dq_mlp_new(&net, spec, TORCH_ROWS, pool, &rng, NULL), DQ_OK);
    memcpy(dq_mlp_weights(net), torch_cases[c].start, dq_mlp_count(net) * sizeof(float));
    for (size_t i = 0; i < TORCH_ROWS * outputs; i++) target[i] = torch_target[i / outputs * 5 + i % outputs];
    for (size_t step = 0; step < TORCH_STEPS; step++) {
        const float *y = dq_mlp_forward(net, torch_x, TORCH_ROWS, pairs ? &pair : NULL, &rng);
        dq_loss kind = torch_cases[c].huber ? DQ_LOSS_HUBER : DQ_LOSS_MSE;
        double loss = dq_loss_mean(kind, y, target, NULL, TORCH_ROWS * outputs, dy);
        assert_true(fabs(loss - (double)torch_cases[c].losses[step]) < 1e-5);
        dq_mlp_backward(net, dy);
        double norm = dq_mlp_step(net, &adam, torch_cases[c].clip_norm, torch_cases[c].clip_value);
        assert_true(fabs(norm - (double)torch_cases[c].norms[step]) < 1e-5 * (1 + norm));
    }
    assert_near(dq_mlp_weights(net), torch_cases[c].last, dq_mlp_count(net));
    assert_near(dq_mlp_statistics(net), torch_cases[c].running, dq_mlp_statistic_count(net));
    const float *y = dq_mlp_forward(net, torch_x, TORCH_ROWS, pairs ? &pair : NULL, NULL);
    assert_near(y, torch_cases[c].y, TORCH_ROWS * outputs);
    dq_mlp_free(net);
    dq_pool_free(pool);
}

static void steps_equal_torch(void **state)
{
    (void)state;
    for (size_t c = 0; c < TORCH_CASES; c++) check_torch(c);
}

/* ---- losses ---- */

static void losses_by_hand(void **state)
{
    (void)state;
    const float y[] = {1, 0, 3}, target[] = {0.5F, 3, 3}, weight[] = {2, 1, 1}, z[] = {0, 1, 2};
    float dy[3], share[3];
    double slope;
    assert_true(fabs(dq_loss_mean(DQ_LOSS_MSE, y, target, weight, 3, dy) - (2 * 0.25 + 9) / 3) < 1e-12);
    assert_true(fabsf(dy[0] - 2.0F / 3) < 1e-7F && fabsf(dy[1] + 2) < 1e-7F && dy[2] == 0);
    assert_true(fabs(dq_loss_mean(DQ_LOSS_HUBER, y, target, NULL, 3, dy) - (0.125 + 2.5) / 3) < 1e-12);
    assert_true(fabsf(dy[0] - 0.5F / 3) < 1e-7F && fabsf(dy[1] + 1.0F / 3) < 1e-7F && dy[2] == 0);
    const float broken[] = {NAN, 0, 0};
    assert_true(isnan(dq_loss_mean(DQ_LOSS_HUBER, broken, target, NULL, 3, NULL)));
    assert_true(fabs(dq_loss_logistic(2, 1, &slope) - log(1 + exp(-2))) < 1e-12);
    assert_true(fabs(slope + 1 / (1 + exp(2))) < 1e-12);
    assert_true(fabs(dq_loss_logistic(-800, 1, &slope) - 800) < 1e-12 && fabs(slope + 1) < 1e-12);
    double all = exp(0) + exp(1) + exp(2);
    assert_true(fabs(dq_loss_logsumexp(z, 3, share) - log(all)) < 1e-12);
    assert_true(fabs((double)share[2] - exp(2) / all) < 1e-6);
}

/* ---- bits and memory ---- */

static void fit(world *w, int steps)
{
    dq_adam adam = DQ_ADAM_DEFAULTS;
    for (int i = 0; i < steps; i++) {
        pass(w, DQ_LOSS_MSE, true);
        dq_mlp_step(w->net, &adam, 1, 0);
    }
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    world *one = make(&wide, 1, 200);
    fit(one, 4);
    for (unsigned threads = 2; threads <= 3; threads++) {
        world *many = make(&wide, threads, 200);
        fit(many, 4);
        assert_memory_equal(dq_mlp_weights(one->net), dq_mlp_weights(many->net),
                            dq_mlp_count(one->net) * sizeof(float));
        assert_memory_equal(dq_mlp_statistics(one->net), dq_mlp_statistics(many->net),
                            dq_mlp_statistic_count(one->net) * sizeof(float));
        drop(many);
    }
    drop(one);
}

static void a_step_allocates_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i <= SPECS; i++) {
        world *w = make(i < SPECS ? &specs[i] : &wide, 2, ROWS);
        atomic_store(&allocations, 0);
        fit(w, 2);
        assert_int_equal(atomic_load(&allocations), 0);
        drop(w);
    }
    void *volatile one = malloc(1); /* the count counts; volatile, or the compiler leaves the call out */
    free(one);
    assert_int_equal(atomic_load(&allocations), COUNTS_ALLOCATIONS);
}

static void a_gradient_that_is_not_finite_changes_nothing(void **state)
{
    (void)state;
    world *w = make(&specs[1], 1, ROWS);
    size_t bytes = dq_mlp_count(w->net) * sizeof(float);
    float *before = malloc(bytes);
    dq_adam adam = DQ_ADAM_DEFAULTS;
    memcpy(before, dq_mlp_weights(w->net), bytes);
    w->target[3] = INFINITY;
    pass(w, DQ_LOSS_MSE, true);
    double norm = dq_mlp_step(w->net, &adam, 1, 1);
    assert_true(isnan(norm) || isinf(norm));
    assert_memory_equal(before, dq_mlp_weights(w->net), bytes);
    assert_true(*dq_mlp_steps(w->net) == 0);
    free(before);
    drop(w);
}

/* ---- any number of states ---- */

static void predictions_are_the_passes(void **state)
{
    (void)state;
    enum { MANY = 400 };
    static float out[MANY * 5];
    for (size_t i = 0; i < SPECS; i++) {
        world *w = make(&specs[i], 1, ROWS);
        fit(w, 2);
        dq_mlp_predict(w->net, w->x, MANY, on_actions(w) ? w->actions : NULL, ACTIONS, out);
        for (uint32_t s = 0; s < MANY; s++)
            for (uint32_t a = 0; a < ACTIONS; a++) {
                uint32_t zero = 0;
                dq_mlp_pairs pair = {1, &zero, &a, w->actions};
                const float *y = dq_mlp_forward(w->net, w->x + s * INPUT, 1, on_actions(w) ? &pair : NULL,
                                                NULL);
                assert_true(fabsf(y[on_actions(w) ? 0 : a] - out[s * ACTIONS + a]) < 1e-5F);
            }
        drop(w);
    }
}

static void targets_follow(void **state)
{
    (void)state;
    world *w = make(&specs[4], 1, ROWS), *t = make(&specs[4], 1, ROWS);
    float start = dq_mlp_weights(t->net)[0];
    fit(w, 3);
    float new = dq_mlp_weights(w->net)[0];
    dq_mlp_follow(t->net, w->net, 0.25);
    assert_true(fabsf(dq_mlp_weights(t->net)[0] - (0.75F * start + 0.25F * new)) < 1e-7F);
    assert_memory_equal(dq_mlp_statistics(t->net), dq_mlp_statistics(w->net),
                        dq_mlp_statistic_count(w->net) * sizeof(float));
    dq_mlp_copy(t->net, w->net);
    assert_memory_equal(dq_mlp_weights(t->net), dq_mlp_weights(w->net), dq_mlp_count(w->net) * sizeof(float));
    drop(w);
    drop(t);
}

/* ---- bundles ---- */

static void a_saved_network_goes_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPECS; i++) {
        world *w = make(&specs[i], 1, ROWS), *other = make(&specs[i], 1, ROWS);
        dq_bundle model;
        dq_mlp_spec spec;
        fit(other, 1);
        fit(w, 3);
        assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
        assert_int_equal(dq_mlp_save(w->net, "q", true, &model, NULL), DQ_OK);
        assert_int_equal(dq_mlp_load_spec(&model, "q", &spec, NULL), DQ_OK);
        assert_memory_equal(&spec, &specs[i], sizeof spec);
        assert_int_equal(dq_mlp_load(other->net, "q", &model, NULL), DQ_OK);
        fit(w, 2);
        fit(other, 2);
        assert_memory_equal(dq_mlp_weights(w->net), dq_mlp_weights(other->net),
                            dq_mlp_count(w->net) * sizeof(float));
        dq_bundle_free(&model);
        drop(w);
        drop(other);
    }
}

static void names_are_those_of_pytorch(void **state)
{
    (void)state;
    world *w = make(&specs[8], 1, ROWS);
    const char *wanted[] = {"q.attention.query.weight", "q.attention.query.bias", "q.attention.key.weight",
                            "q.attention.value.weight", "q.attention.value.bias", "q.hidden.0.weight",
                            "q.hidden.0.bias",          "q.norm.0.weight",        "q.norm.0.bias",
                            "q.norm.0.running_mean",    "q.norm.0.running_var",   "q.hidden.1.weight",
                            "q.advantage.weight",       "q.values.hidden.weight", "q.values.output.bias"};
    dq_bundle model;
    assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_mlp_save(w->net, "q", false, &model, NULL), DQ_OK);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        assert_non_null(dq_bundle_column(&model, wanted[i]));
    const dq_column *c = dq_bundle_column(&model, "q.hidden.0.weight");
    assert_true(c->dims == 2 && c->shape[0] == 11 && c->shape[1] == 3 + WIDTH + 4);
    assert_null(dq_bundle_column(&model, "q.adam.m"));
    dq_bundle_free(&model);
    drop(w);
}

static dq_status load_after(world *w, const char *key, dq_value value)
{
    dq_bundle model;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_mlp_save(w->net, "q", true, &model, NULL), DQ_OK);
    dq_value map = *dq_map_get(&model.meta, "q");
    assert_true(dq_map_set(&model.arena, &map, key, value));
    assert_true(dq_map_set(&model.arena, &model.meta, "q", map));
    dq_status status = dq_mlp_load(w->net, "q", &model, &e);
    dq_bundle_free(&model);
    return status;
}

static void hostile_models_are_refused(void **state)
{
    (void)state;
    world *w = make(&specs[1], 1, ROWS);
    dq_bundle model;
    assert_int_equal(load_after(w, "input", dq_int(INPUT)), DQ_OK);
    assert_int_equal(load_after(w, "input", dq_int(INPUT + 1)), DQ_ERR_RANGE);
    assert_int_equal(load_after(w, "input", dq_int(-1)), DQ_ERR_SCHEMA);
    assert_int_equal(load_after(w, "outputs", dq_int((int64_t)1 << 40)), DQ_ERR_SCHEMA);
    assert_int_equal(load_after(w, "head", dq_int(9)), DQ_ERR_SCHEMA);
    assert_int_equal(load_after(w, "encoder", dq_int(9)), DQ_ERR_SCHEMA);
    assert_int_equal(load_after(w, "hidden", dq_int(9)), DQ_ERR_SCHEMA);
    assert_int_equal(load_after(w, "dropout", dq_real(1)), DQ_ERR_SCHEMA);
    dq_mlp_weights(w->net)[5] = NAN;
    assert_int_equal(load_after(w, "steps", dq_int(1)), DQ_ERR_NUMERIC);
    assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_mlp_load(w->net, "q", &model, NULL), DQ_ERR_UNKNOWN);
    dq_bundle_free(&model);
    drop(w);
}

static void bad_shapes_are_refused(void **state)
{
    (void)state;
    const dq_mlp_spec bad[] = {
        {.outputs = 2},
        {.input = 3},
        {.input = 3, .outputs = 2, .hidden = {4, 0}, .hidden_count = 2},
        {.input = 3, .outputs = 2, .hidden_count = DQ_MLP_MAX_HIDDEN + 1},
        {.input = 3, .outputs = 2, .dropout = 1},
        {.input = 3, .outputs = 2, .user_width = 2, .history = 1, .item_width = 2},
        {.input = 3, .outputs = 2, .encoder = DQ_ENCODER_MEAN},
        {.input = 4, .outputs = 2, .history = 2, .item_width = 2, .encoder = DQ_ENCODER_ATTENTION},
        {.input = 3, .outputs = 2, .head = DQ_HEAD_ACTIONS},
    };
    dq_rng rng = dq_rng_new(1);
    dq_pool *pool;
    dq_mlp *net;
    assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(dq_mlp_new(&net, &bad[i], 8, pool, &rng, NULL), DQ_ERR_RANGE);
        assert_null(net);
    }
    dq_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_equal_finite_differences),
        cmocka_unit_test(steps_equal_torch),
        cmocka_unit_test(losses_by_hand),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(a_step_allocates_nothing),
        cmocka_unit_test(a_gradient_that_is_not_finite_changes_nothing),
        cmocka_unit_test(predictions_are_the_passes),
        cmocka_unit_test(targets_follow),
        cmocka_unit_test(a_saved_network_goes_on),
        cmocka_unit_test(names_are_those_of_pytorch),
        cmocka_unit_test(hostile_models_are_refused),
        cmocka_unit_test(bad_shapes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
