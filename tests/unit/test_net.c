/* SPDX-License-Identifier: MIT */
#include "net_world.h"

#include "net/net_impl.h"

#include "../fixtures/net/torch.h"
#include "allocations.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

/* ---- gradients ---- */

static double slope(net_world *w, float *p, float step, dq_loss loss)
{
    float kept = *p, up = kept + step, down = kept - step;
    *p = up;
    double high = net_world_pass(w, loss, false);
    *p = down;
    double low = net_world_pass(w, loss, false);
    *p = kept;
    return (high - low) / ((double)up - (double)down);
}

/* With a small step the loss's rounding shows, with a large one its kinks. */
static bool fits(net_world *w, float *p, double g, dq_loss loss)
{
    double fine = slope(w, p, 1e-4F, loss), coarse = slope(w, p, 5e-4F, loss);
    return fabs(fine - g) < 3e-4 * (1 + fabs(g)) || fabs(coarse - g) < 3e-4 * (1 + fabs(g));
}

/* At least `share` of the weights' gradients are not zero. */
static void check_gradient(net_world *w, dq_loss loss, double share)
{
    size_t n = w->net->count, moved = 0;
    float *g = malloc(n * sizeof *g), *p = w->net->weights;
    net_world_pass(w, loss, true);
    memcpy(g, w->net->gradient, n * sizeof *g);
    for (size_t i = 0; i < n; i++) {
        assert_true(fits(w, &p[i], (double)g[i], loss));
        moved += fabs((double)g[i]) > 1e-3;
    }
    assert_true((double)moved >= share * (double)n);
    free(g);
}

static void gradients_equal_finite_differences(void **state)
{
    (void)state;
    for (size_t i = 0; i < NET_SPECS; i++)
        for (int loss = DQ_LOSS_MSE; loss <= DQ_LOSS_HUBER; loss++) {
            net_world *w = net_world_make(&net_specs[i], 1, ROWS);
            check_gradient(w, (dq_loss)loss, 0.25);
            net_world_drop(w);
        }
}

/* A batch of one row has no variance: the running statistics serve, stay as they are, and have no gradient.
 */
static void batch_norm_of_one_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < NET_SPECS; i++) {
        if (!net_specs[i].batch_norm) continue;
        net_world *w = net_world_make(&net_specs[i], 1, ROWS);
        size_t bytes = w->net->statistic_count * sizeof(float);
        float *before = malloc(bytes);
        net_world_fit(w, 3);
        memcpy(before, w->net->statistics, bytes);
        w->rows.rows = 1;
        w->outputs = net_specs[i].outputs;
        check_gradient(w, DQ_LOSS_MSE, 0);
        net_world_fit(w, 2);
        assert_memory_equal(before, w->net->statistics, bytes);
        for (size_t j = 0; j < w->net->count; j++) assert_true(isfinite(w->net->weights[j]));
        free(before);
        net_world_drop(w);
    }
}

/* ---- one output a row ---- */

/* A pass that asks for one output a row makes what the whole pass makes there, forward and back. */
static void outputs_can_be_asked_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < NET_SPECS; i++) {
        net_world *all = net_world_make(&net_specs[i], 2, ROWS),
                  *one = net_world_make(&net_specs[i], 2, ROWS);
        size_t outputs = net_specs[i].outputs, n = all->net->count;
        if (!net_world_on_actions(all)) {
            dq_rng rng = dq_rng_new(8), again = rng;
            uint32_t action[ROWS];
            float *dy = calloc(ROWS * outputs, sizeof *dy), out[ROWS];
            for (uint32_t r = 0; r < ROWS; r++) action[r] = r * 3 % (uint32_t)outputs;
            const float *y = dq_net_forward(all->net, &all->rows, &rng);
            one->rows.action = action;
            const float *picked = dq_net_forward(one->net, &one->rows, &again);
            for (size_t r = 0; r < ROWS; r++) {
                assert_true(fabsf(picked[r] - y[r * outputs + action[r]]) < 1e-5F);
                dy[r * outputs + action[r]] = one->dy[r] = one->target[r];
            }
            net_backward(all->net, dy);
            net_backward(one->net, one->dy);
            const float *a = all->net->gradient, *b = one->net->gradient;
            for (size_t j = 0; j < n; j++) assert_true(fabsf(a[j] - b[j]) < 1e-4F * (1 + fabsf(a[j])));
            dq_net_predict(one->net, &one->rows, out);
            one->rows.action = NULL;
            y = dq_net_forward(one->net, &one->rows, NULL);
            for (size_t r = 0; r < ROWS; r++) assert_true(fabsf(out[r] - y[r * outputs + action[r]]) < 1e-5F);
            free(dy);
        }
        net_world_drop(all);
        net_world_drop(one);
    }
}

/* ---- sparse states ---- */

static void check_sparse(dq_net_spec spec)
{
    dq_net_spec dense = spec;
    dense.sparse = false;
    net_world *a = net_world_make(&spec, 2, ROWS), *b = net_world_make(&dense, 2, ROWS);
    dq_rng rng = dq_rng_new(12);
    for (size_t r = 0; r < MOST; r++)
        for (size_t j = 0; j < INPUT; j++)
            a->x[r * INPUT + j] = dq_rng_below(&rng, 4) == 0 && r != 3 ? (float)dq_rng_normal(&rng) : 0;
    memcpy(b->x, a->x, sizeof a->x);
    net_world_fit(a, 4);
    net_world_fit(b, 4);
    const float *p = a->net->weights, *q = b->net->weights;
    for (size_t i = 0; i < a->net->count; i++) assert_true(fabsf(p[i] - q[i]) < 1e-6F);
    net_world_drop(a);
    net_world_drop(b);
}

static void sparse_states_equal_dense_ones(void **state)
{
    (void)state;
    size_t checked = 0;
    for (size_t i = 0; i < NET_SPECS; i++)
        if (net_specs[i].sparse) {
            check_sparse(net_specs[i]);
            checked++;
        }
    assert_true(checked >= 4);
}

/* ---- PyTorch ---- */

static void assert_near(const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++) assert_true(fabsf(a[i] - b[i]) < 1e-5F * (1 + fabsf(b[i])));
}

static void check_torch(size_t c)
{
    const dq_net_spec *spec = &torch_cases[c].spec;
    bool pairs = spec->head == DQ_HEAD_ACTIONS;
    size_t outputs = spec->outputs;
    const float *x[TORCH_ROWS], *vectors[TORCH_VECTORS];
    dq_net_rows rows = {.states = {x, TORCH_ROWS, TORCH_INPUT},
                        .actions = {vectors, TORCH_VECTORS, WIDTH},
                        .rows = TORCH_ROWS};
    dq_rng rng = dq_rng_new(1);
    dq_adam adam = DQ_ADAM_DEFAULTS;
    float target[TORCH_ROWS * 5], dy[TORCH_ROWS * 5];
    dq_pool *pool;
    dq_net *net;
    for (size_t i = 0; i < TORCH_ROWS; i++) x[i] = torch_x + i * TORCH_INPUT;
    for (size_t i = 0; i < TORCH_VECTORS; i++) vectors[i] = torch_vectors + i * WIDTH;
    if (pairs) rows.state = torch_state;
    if (pairs) rows.action = torch_action;
    adam.rate = 1e-2;
    adam.decay = torch_cases[c].decay;
    if (spec->batch_norm || spec->blocks) adam.eps = 1e-3;
    assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
    assert_int_equal(dq_net_new(&net, spec, TORCH_ROWS, pool, &rng, NULL), DQ_OK);
    memcpy(net->weights, torch_cases[c].start, net->count * sizeof(float));
    for (size_t i = 0; i < TORCH_ROWS * outputs; i++) target[i] = torch_target[i / outputs * 5 + i % outputs];
    for (size_t step = 0; step < TORCH_STEPS; step++) {
        const float *y = dq_net_forward(net, &rows, &rng);
        dq_loss kind = torch_cases[c].huber ? DQ_LOSS_HUBER : DQ_LOSS_MSE;
        double loss = dq_loss_mean(kind, torch_cases[c].delta, y, target, NULL, TORCH_ROWS * outputs, dy);
        assert_true(fabs(loss - (double)torch_cases[c].losses[step]) < 1e-5);
        net_backward(net, dy);
        double norm = net_step(net, &adam, torch_cases[c].clip_norm, torch_cases[c].clip_value);
        assert_true(fabs(norm - (double)torch_cases[c].norms[step]) < 1e-5 * (1 + norm));
    }
    assert_near(net->weights, torch_cases[c].last, net->count);
    assert_near(net->statistics, torch_cases[c].running, net->statistic_count);
    const float *y = dq_net_forward(net, &rows, NULL);
    assert_near(y, torch_cases[c].y, TORCH_ROWS * outputs);
    dq_net_free(net);
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
    assert_true(fabs(dq_loss_mean(DQ_LOSS_MSE, 1, y, target, weight, 3, dy) - (2 * 0.25 + 9) / 3) < 1e-12);
    assert_true(fabsf(dy[0] - 2.0F / 3) < 1e-7F && fabsf(dy[1] + 2) < 1e-7F && dy[2] == 0);
    assert_true(fabs(dq_loss_mean(DQ_LOSS_HUBER, 1, y, target, NULL, 3, dy) - (0.125 + 2.5) / 3) < 1e-12);
    assert_true(fabsf(dy[0] - 0.5F / 3) < 1e-7F && fabsf(dy[1] + 1.0F / 3) < 1e-7F && dy[2] == 0);
    const float broken[] = {NAN, 0, 0};
    assert_true(isnan(dq_loss_mean(DQ_LOSS_HUBER, 1, broken, target, NULL, 3, NULL)));
    assert_true(fabs(dq_loss_logistic(2, 1, &slope) - log(1 + exp(-2))) < 1e-12);
    assert_true(fabs(slope + 1 / (1 + exp(2))) < 1e-12);
    assert_true(fabs(dq_loss_logistic(-800, 1, &slope) - 800) < 1e-12 && fabs(slope + 1) < 1e-12);
    double all = exp(0) + exp(1) + exp(2);
    assert_true(fabs(dq_loss_logsumexp(z, 3, share) - log(all)) < 1e-12);
    assert_true(fabs((double)share[2] - exp(2) / all) < 1e-6);
}

/* ---- bits and memory ---- */

static void check_threads(const dq_net_spec *spec)
{
    net_world *one = net_world_make(spec, 1, 200);
    net_world_fit(one, 4);
    for (unsigned threads = 2; threads <= 3; threads++) {
        net_world *many = net_world_make(spec, threads, 200);
        net_world_fit(many, 4);
        assert_memory_equal(one->net->weights, many->net->weights, one->net->count * sizeof(float));
        assert_memory_equal(one->net->statistics, many->net->statistics,
                            one->net->statistic_count * sizeof(float));
        net_world_drop(many);
    }
    net_world_drop(one);
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    check_threads(&net_wide);
    check_threads(&net_wide_transformer);
}

static void a_step_allocates_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i <= NET_SPECS; i++) {
        net_world *w = net_world_make(i < NET_SPECS ? &net_specs[i] : &net_wide, 2, ROWS);
        atomic_store(&allocations, 0);
        net_world_fit(w, 2);
        assert_int_equal(atomic_load(&allocations), 0);
        net_world_drop(w);
    }
    void *volatile one = malloc(1); /* the count counts; volatile, or the compiler leaves the call out */
    free(one);
    assert_int_equal(atomic_load(&allocations), COUNTS_ALLOCATIONS);
}

static void a_gradient_that_is_not_finite_changes_nothing(void **state)
{
    (void)state;
    net_world *w = net_world_make(&net_specs[1], 1, ROWS);
    size_t bytes = w->net->count * sizeof(float);
    float *before = malloc(bytes);
    dq_adam adam = DQ_ADAM_DEFAULTS;
    memcpy(before, w->net->weights, bytes);
    w->target[3] = INFINITY;
    net_world_pass(w, DQ_LOSS_MSE, true);
    double norm = net_step(w->net, &adam, 1, 1);
    assert_true(isnan(norm) || isinf(norm));
    assert_memory_equal(before, w->net->weights, bytes);
    assert_true(!isfinite(dq_net_update(w->net, w->dy, &adam, 0, 0)));
    assert_memory_equal(before, w->net->weights, bytes);
    assert_true(w->net->steps == 0);
    free(before);
    net_world_drop(w);
}

/* ---- any number of states ---- */

/* Rows s, a of so many states: every pair, or every state. */
static dq_net_rows many_rows(const net_world *w, uint32_t *state, uint32_t *action, uint32_t states)
{
    dq_net_rows rows = w->rows;
    uint32_t actions = net_world_on_actions(w) ? ACTIONS : 1;
    rows.rows = states * actions;
    for (uint32_t r = 0; r < rows.rows; r++) {
        state[r] = r / actions;
        action[r] = r % actions;
    }
    rows.state = state;
    rows.action = net_world_on_actions(w) ? action : NULL;
    return rows;
}

static void predictions_are_the_passes(void **state)
{
    (void)state;
    enum { MANY = 400 };
    static float out[MANY * ACTIONS * 5];
    static uint32_t number[MANY * ACTIONS], action[MANY * ACTIONS];
    for (size_t i = 0; i < NET_SPECS; i++) {
        net_world *w = net_world_make(&net_specs[i], 2, ROWS);
        net_world_fit(w, 2);
        dq_net_rows rows = many_rows(w, number, action, MANY), one = rows;
        size_t outputs = net_specs[i].outputs;
        dq_net_predict(w->net, &rows, out);
        one.rows = 1;
        for (size_t r = 0; r < rows.rows; r++) {
            one.state = number + r;
            one.action = rows.action ? action + r : NULL;
            one.features = rows.features ? rows.features + r * GIVEN : NULL;
            const float *y = dq_net_forward(w->net, &one, NULL);
            for (size_t o = 0; o < outputs; o++) assert_true(fabsf(y[o] - out[r * outputs + o]) < 1e-5F);
        }
        net_world_drop(w);
    }
}

static void targets_follow(void **state)
{
    (void)state;
    net_world *w = net_world_make(&net_specs[4], 1, ROWS), *t = net_world_make(&net_specs[4], 1, ROWS);
    float start = t->net->weights[0];
    net_world_fit(w, 3);
    float new = w->net->weights[0];
    dq_net_soft_update(t->net, w->net, 0.25);
    assert_true(fabsf(t->net->weights[0] - (0.75F * start + 0.25F * new)) < 1e-7F);
    assert_memory_equal(t->net->statistics, w->net->statistics, w->net->statistic_count * sizeof(float));
    dq_net_copy(t->net, w->net);
    assert_memory_equal(t->net->weights, w->net->weights, w->net->count * sizeof(float));
    net_world_drop(w);
    net_world_drop(t);
}

/* ---- dropout behind the first layers alone ---- */

/* Outputs of a training pass of 1 -> 64 -> 64 -> 1, where each unit is 1, or the mean of those before. */
static double pass_of_ones(uint32_t dropout_layers, bool first_alone)
{
    enum { UNITS = 64 };
    const dq_net_spec spec = {.input = 1,
                              .outputs = 1,
                              .hidden = {UNITS, UNITS},
                              .hidden_count = 2,
                              .dropout = 0.5,
                              .dropout_layers = dropout_layers};
    const float x = 1, *const at[] = {&x};
    const dq_net_rows rows = {.states = {at, 1, 1}, .rows = 1};
    dq_rng rng = dq_rng_new(5);
    dq_pool *pool;
    dq_net *net;
    assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
    assert_int_equal(dq_net_new(&net, &spec, 1, pool, &rng, NULL), DQ_OK);
    float *first = net->weights, *second = first + 2 * UNITS, *last = second + UNITS * UNITS + UNITS;
    for (size_t i = 0; i < UNITS; i++) first[i] = 1, first[UNITS + i] = 0;
    for (size_t i = 0; i < UNITS * UNITS; i++) second[i] = first_alone ? 1.0F / UNITS : 0;
    for (size_t i = 0; i < UNITS; i++) second[UNITS * UNITS + i] = first_alone ? 0 : 1;
    for (size_t i = 0; i < UNITS; i++) last[i] = 1.0F / UNITS;
    last[UNITS] = 0;
    double y = (double)dq_net_forward(net, &rows, &rng)[0];
    dq_net_free(net);
    dq_pool_free(pool);
    return y;
}

static void dropout_is_behind_the_first_layers(void **state)
{
    (void)state;
    assert_true(fabs(pass_of_ones(1, false) - 1) < 1e-6); /* nothing is dropped behind the second, */
    assert_true(fabs(pass_of_ones(0, false) - 1) > 1e-3);
    assert_true(fabs(pass_of_ones(2, false) - 1) > 1e-3);
    assert_true(fabs(pass_of_ones(1, true) - 1) > 1e-3); /* and some behind the first */
}

/* ---- a grid of states and actions ---- */

/* Its pass and its gradient are those of rows that name each pair. */
static void a_grid_is_its_rows(void **state)
{
    (void)state;
    enum { SIZE = STATES * ACTIONS };
    uint32_t number[SIZE], action[SIZE], each[STATES];
    for (uint32_t s = 0; s < STATES; s++) each[s] = STATES - 1 - s;
    for (uint32_t r = 0; r < SIZE; r++) {
        number[r] = each[r / ACTIONS];
        action[r] = r % ACTIONS;
    }
    for (size_t i = 0; i < NET_SPECS; i++) {
        if (net_specs[i].head != DQ_HEAD_ACTIONS || net_specs[i].dropout > 0) continue;
        net_world *w = net_world_make(&net_specs[i], 2, SIZE), *grid = net_world_make(&net_specs[i], 2, SIZE);
        w->rows.state = number;
        w->rows.action = action;
        grid->rows.state = each;
        grid->rows.action = action;
        grid->rows.grid = ACTIONS;
        double loss = net_world_pass(w, DQ_LOSS_MSE, true);
        assert_true(fabs(net_world_pass(grid, DQ_LOSS_MSE, true) - loss) < 1e-5 * loss);
        for (size_t j = 0; j < w->net->count; j++)
            assert_true(fabsf(w->net->gradient[j] - grid->net->gradient[j]) < 1e-5F);
        net_world_drop(w);
        net_world_drop(grid);
    }
}

/* ---- many rows of few states ---- */

static void few_states_are_the_same_network(void **state)
{
    (void)state;
    for (size_t i = 0; i < NET_SPECS; i++) {
        if (net_specs[i].head != DQ_HEAD_ACTIONS) continue;
        net_world *w = net_world_make(&net_specs[i], 2, MOST), *few = net_world_make(&net_specs[i], 2, MOST);
        dq_rng rng = dq_rng_new(8);
        dq_net_free(few->net);
        assert_int_equal(
            dq_net_new_of_pairs(&few->net, &net_specs[i], MOST, STATES, MOST, few->pool, &rng, NULL), DQ_OK);
        dq_net_copy(few->net, w->net);
        net_world_fit(w, 3);
        net_world_fit(few, 3);
        assert_memory_equal(w->net->weights, few->net->weights, w->net->count * sizeof(float));
        net_world_drop(w);
        net_world_drop(few);
    }
}

/* What gathers its states keeps no more of them than what reads them whole. */
static void sparse_states_take_no_more_memory(void **state)
{
    (void)state;
    enum { WIDE = 1 << 12, MANY = 1 << 13 };
    const dq_net_spec spec = {.input = WIDE, .outputs = 1, .sparse = true};
    struct rusage before, after;
    dq_rng rng = dq_rng_new(8);
    dq_pool *pool;
    dq_net *net;
    assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    assert_int_equal(dq_net_new(&net, &spec, MANY, pool, &rng, NULL), DQ_OK);
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    assert_true((after.ru_maxrss - before.ru_maxrss) << 10 < 5L * WIDE * MANY); /* bytes; four a number */
    dq_net_free(net);
    dq_pool_free(pool);
}

/* The states take memory once each, and not once a row. */
static void few_states_take_little_memory(void **state)
{
    (void)state;
    const dq_net_spec spec = {.input = 1 << 12,
                              .action_width = 2,
                              .outputs = 1,
                              .head = DQ_HEAD_ACTIONS,
                              .hidden = {4},
                              .hidden_count = 1};
    struct rusage before, after;
    dq_rng rng = dq_rng_new(8);
    dq_pool *pool;
    dq_net *net;
    assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    assert_int_equal(dq_net_new_of_pairs(&net, &spec, 1 << 15, 16, 1 << 15, pool, &rng, NULL), DQ_OK);
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    assert_true(after.ru_maxrss - before.ru_maxrss < 64 << 10); /* KiB; the rows' states were 512 MiB */
    dq_net_free(net);
    dq_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dropout_is_behind_the_first_layers),
        cmocka_unit_test(a_grid_is_its_rows),
        cmocka_unit_test(few_states_are_the_same_network),
        cmocka_unit_test(few_states_take_little_memory),
        cmocka_unit_test(sparse_states_take_no_more_memory),
        cmocka_unit_test(gradients_equal_finite_differences),
        cmocka_unit_test(batch_norm_of_one_row),
        cmocka_unit_test(outputs_can_be_asked_for),
        cmocka_unit_test(sparse_states_equal_dense_ones),
        cmocka_unit_test(steps_equal_torch),
        cmocka_unit_test(losses_by_hand),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(a_step_allocates_nothing),
        cmocka_unit_test(a_gradient_that_is_not_finite_changes_nothing),
        cmocka_unit_test(predictions_are_the_passes),
        cmocka_unit_test(targets_follow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
