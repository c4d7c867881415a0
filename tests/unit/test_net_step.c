/* SPDX-License-Identifier: MIT
 *
 * The savings of a training step: moments of a single state as an outer product, rows packed once. Each held
 * to the step without it.
 */
#include "math/blas.h"
#include "net/loss.h"
#include "net/net_impl.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 24, INPUT = 40, ACTIONS = 30, WIDTH = 300, STATES = 2 };

/* Wide enough to be packed, in several tiles. */
static const dq_net_spec wide = {.input = INPUT,
                                 .head = DQ_HEAD_ACTIONS,
                                 .action_width = WIDTH,
                                 .outputs = 1,
                                 .hidden = {260, 270},
                                 .hidden_count = 2,
                                 .dropout = 0.2};

typedef struct world {
    dq_pool *pool;
    dq_net *net;
    float x[STATES][INPUT], actions[ACTIONS][WIDTH], wanted[ROWS], dy[ROWS];
    const float *x_at[STATES], *action_at[ACTIONS];
    uint32_t state[ROWS], action[ROWS];
} world;

static world *make(const dq_net_spec *spec, unsigned threads)
{
    world *w = calloc(1, sizeof *w);
    dq_rng rng = dq_rng_new(3);
    assert_non_null(w);
    assert_int_equal(dq_pool_new(&w->pool, threads, NULL), DQ_OK);
    assert_int_equal(dq_net_new(&w->net, spec, ROWS, w->pool, &rng, NULL), DQ_OK);
    for (size_t i = 0; i < STATES * INPUT; i++) (&w->x[0][0])[i] = (float)dq_rng_normal(&rng);
    for (size_t i = 0; i < ACTIONS * WIDTH; i++) (&w->actions[0][0])[i] = (float)dq_rng_normal(&rng) / 4;
    for (size_t i = 0; i < STATES; i++) w->x_at[i] = w->x[i];
    for (size_t i = 0; i < ACTIONS; i++) w->action_at[i] = w->actions[i];
    for (size_t r = 0; r < ROWS; r++) {
        w->action[r] = (uint32_t)dq_rng_below(&rng, ACTIONS);
        w->wanted[r] = (float)dq_rng_normal(&rng);
    }
    return w;
}

static void drop(world *w)
{
    dq_net_free(w->net);
    dq_pool_free(w->pool);
    free(w);
}

/* Some steps; all rows in the state, but for the last one, which is in `last`. Returns the norm of the last
 * gradient. */
static double fit(world *w, int steps, uint32_t state, uint32_t last, double decay, double clip)
{
    dq_adam adam = DQ_ADAM_DEFAULTS;
    double norm = 0;
    adam.decay = decay;
    for (size_t r = 0; r < ROWS; r++) w->state[r] = r + 1 < ROWS ? state : last;
    const dq_net_rows rows = {.states = {w->x_at, STATES, INPUT},
                              .state = w->state,
                              .actions = {w->action_at, ACTIONS, WIDTH},
                              .action = w->action,
                              .rows = ROWS};
    for (int i = 0; i < steps; i++) {
        dq_rng rng = dq_rng_new((uint64_t)i);
        const float *y = dq_net_forward(w->net, &rows, &rng);
        (void)dq_loss_mean(DQ_LOSS_MSE, 1, y, w->wanted, NULL, ROWS, w->dy);
        norm = dq_net_update(w->net, w->dy, &adam, clip, 0);
    }
    return norm;
}

static void assert_near(const float *a, const float *b, size_t n, float bound)
{
    for (size_t i = 0; i < n; i++) assert_true(fabsf(a[i] - b[i]) <= bound);
}

/* Of weights and moments, after so many steps of size 1e-3. */
static void assert_same_course(const world *a, const world *b)
{
    assert_near(a->net->weights, b->net->weights, a->net->count, 2e-5F);
    assert_near(a->net->m, b->net->m, a->net->count, 2e-6F);
    assert_near(a->net->v, b->net->v, a->net->count, 2e-6F);
}

static void outer_moments_are_the_moments(void **state)
{
    (void)state;
    world *a = make(&wide, 1), *b = make(&wide, 1);
    net_outer_end(b->net); /* matrices from the start */
    double one = fit(a, 30, 0, 0, 0, 0), other = fit(b, 30, 0, 0, 0, 0);
    assert_int_equal(a->net->outer.stage, NET_OUTER_KEPT);
    assert_int_equal(b->net->outer.stage, NET_OUTER_NONE);
    assert_true(fabs(one - other) < 1e-3 * other);
    net_outer_end(a->net);
    assert_same_course(a, b);
    drop(a);
    drop(b);
}

/* Another state, two states, a decay that is in the gradient, and clipping: each ends it, and training goes
 * on. */
static void another_state_ends_them(void **state)
{
    (void)state;
    const struct {
        uint32_t state, last;
        double decay, clip;
    } ends[] = {{1, 1, 0, 0}, {0, 1, 0, 0}, {0, 0, 1e-3, 0}, {0, 0, 0, 0.5}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        world *a = make(&wide, 1), *b = make(&wide, 1);
        net_outer_end(b->net);
        for (int turn = 0; turn < 2; turn++) {
            world *w = turn ? b : a;
            (void)fit(w, 10, 0, 0, 0, 0);
            (void)fit(w, 5, ends[i].state, ends[i].last, ends[i].decay, ends[i].clip);
            (void)fit(w, 5, 0, 0, 0, 0);
            assert_int_equal(w->net->outer.stage, NET_OUTER_NONE);
        }
        assert_same_course(a, b);
        dq_net_reset_optimizer(a->net);
        (void)fit(a, 1, 1, 1, 0, 0);
        assert_int_equal(a->net->outer.stage, NET_OUTER_KEPT);
        drop(a);
        drop(b);
    }
}

/* The product of the state with the weights is known after a step, and forgotten where weights are set. */
static void the_known_product_is_the_product(void **state)
{
    (void)state;
    world *a = make(&wide, 1), *b = make(&wide, 1);
    (void)fit(a, 3, 0, 0, 0, 0);
    const net_layer *l = &a->net->layers[a->net->outer.layer];
    const float *known = net_outer_product(a->net);
    assert_non_null(known);
    for (size_t u = 0; u < l->units; u++)
        assert_true(known[u] == dq_vec_dot(a->x[0], a->net->weights + l->at + u * l->in, INPUT));
    dq_net_soft_update(a->net, b->net, 0.5);
    assert_null(net_outer_product(a->net));
    (void)fit(a, 1, 0, 0, 0, 0);
    assert_non_null(net_outer_product(a->net));
    dq_net_copy(a->net, b->net);
    assert_null(net_outer_product(a->net));
    (void)fit(a, 1, 1, 1, 0, 0); /* of another state */
    assert_null(net_outer_product(a->net));
    drop(a);
    drop(b);
}

/* A checkpoint goes on to the same bits; whoever reads the moments finds matrices. */
static void checkpoints_keep_them(void **state)
{
    (void)state;
    world *a = make(&wide, 1), *b = make(&wide, 1);
    dq_bundle model;
    (void)fit(a, 10, 0, 0, 0, 0);
    assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_net_save(a->net, "q", true, &model, NULL), DQ_OK);
    assert_non_null(dq_bundle_column(&model, "q.adam.outer.x"));
    assert_int_equal(dq_net_load(b->net, "q", true, &model, NULL), DQ_OK);
    assert_memory_equal(a->net->m, b->net->m, a->net->count * sizeof(float));
    assert_int_equal(b->net->outer.stage, NET_OUTER_KEPT);
    (void)fit(a, 10, 0, 0, 0, 0);
    (void)fit(b, 10, 0, 0, 0, 0);
    assert_memory_equal(a->net->weights, b->net->weights, a->net->count * sizeof(float));
    (void)fit(a, 3, 1, 1, 0, 0);
    (void)fit(b, 3, 1, 1, 0, 0);
    assert_memory_equal(a->net->weights, b->net->weights, a->net->count * sizeof(float));
    dq_bundle_free(&model);
    /* and one without them, which goes on with matrices */
    assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_net_save(a->net, "q", true, &model, NULL), DQ_OK);
    assert_null(dq_bundle_column(&model, "q.adam.outer.x"));
    dq_net_reset_optimizer(b->net);
    (void)fit(b, 2, 0, 0, 0, 0);
    assert_int_equal(dq_net_load(b->net, "q", true, &model, NULL), DQ_OK);
    (void)fit(a, 3, 0, 0, 0, 0);
    (void)fit(b, 3, 0, 0, 0, 0);
    assert_memory_equal(a->net->weights, b->net->weights, a->net->count * sizeof(float));
    dq_bundle_free(&model);
    drop(a);
    drop(b);
}

/* A first layer that does not learn has no moments at all. */
static void a_frozen_layer_has_none(void **state)
{
    (void)state;
    dq_net_spec frozen = wide;
    frozen.trained_layers = 1;
    world *a = make(&frozen, 1);
    const net_layer *l = a->net->layers;
    float before = a->net->weights[l->at];
    (void)fit(a, 3, 0, 0, 0, 0);
    assert_int_equal(a->net->outer.stage, NET_OUTER_NONE);
    assert_null(net_outer_product(a->net));
    assert_true(a->net->weights[l->at] == before);
    drop(a);
}

/* Packed rows give the same bits as rows that lie, on any number of threads (math/product/product.h; with
 * OpenBLAS they are only near). */
static void packed_rows_are_the_rows(void **state)
{
    (void)state;
    world *a = make(&wide, 2), *b = make(&wide, 1);
    size_t packed = 0;
    for (int l = 0; l < b->net->layer_count; l++) {
        packed += a->net->layers[l].side.panels != NULL;
        b->net->layers[l].side.panels = NULL;
    }
    assert_int_equal(packed, 2);
    for (uint32_t last = 0; last < 2; last++) {
        (void)fit(a, 5, 0, last, 0, 0);
        (void)fit(b, 5, 0, last, 0, 0);
        if (dq_gemm_alike())
            assert_memory_equal(a->net->weights, b->net->weights, a->net->count * sizeof(float));
        else
            assert_near(a->net->weights, b->net->weights, a->net->count, 2e-5F);
    }
    drop(a);
    drop(b);
}

/* ---- bfloat16 ---- */

static float rounded(float x)
{
    uint16_t bits;
    uint32_t bits32;
    dq_bf16_round(&bits, &x, 1);
    bits32 = (uint32_t)bits << 16;
    memcpy(&x, &bits32, sizeof x);
    return x;
}

/* A layer without a nonlinearity: what it makes, and its gradients, are those of rounded operands. */
static void operands_are_rounded(void **state)
{
    (void)state;
    enum { N = 8, IN = 40, OUT = 5 };
    const dq_net_spec spec = {.input = IN, .outputs = OUT, .precision = DQ_PRECISION_BF16};
    dq_rng rng = dq_rng_new(5);
    dq_pool *pool;
    dq_net *net;
    float x[N][IN], dy[N * OUT];
    const float *at[N];
    assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
    assert_int_equal(dq_net_new(&net, &spec, N, pool, &rng, NULL), DQ_OK);
    for (size_t i = 0; i < N * IN; i++) (&x[0][0])[i] = (float)dq_rng_normal(&rng);
    for (size_t i = 0; i < N * OUT; i++) dy[i] = (float)dq_rng_normal(&rng);
    for (size_t i = 0; i < N; i++) at[i] = x[i];
    const dq_net_rows rows = {.states = {at, N, IN}, .rows = N};
    const float *y = dq_net_forward(net, &rows, &rng), *w = net->weights;
    for (size_t r = 0; r < N; r++)
        for (size_t o = 0; o < OUT; o++) {
            double sum = (double)w[IN * OUT + o];
            for (size_t j = 0; j < IN; j++) sum += (double)rounded(x[r][j]) * (double)rounded(w[o * IN + j]);
            assert_true(fabs((double)y[r * OUT + o] - sum) < 1e-5);
        }
    net_backward(net, dy);
    for (size_t o = 0; o < OUT; o++)
        for (size_t j = 0; j < IN; j++) {
            double sum = 0;
            for (size_t r = 0; r < N; r++) sum += (double)rounded(dy[r * OUT + o]) * (double)rounded(x[r][j]);
            assert_true(fabs((double)net->gradient[o * IN + j] - sum) < 1e-5);
        }
    y = dq_net_forward(net, &rows, NULL); /* no training pass: float32 */
    for (size_t o = 0; o < OUT; o++) {
        double sum = (double)w[IN * OUT + o];
        for (size_t j = 0; j < IN; j++) sum += (double)x[0][j] * (double)w[o * IN + j];
        assert_true(fabs((double)y[o] - sum) < 1e-5);
    }
    dq_net_free(net);
    dq_pool_free(pool);
}

/* The copies that products read are the weights' after steps of every kind, and after weights were set. */
static void rounded_weights_follow(void **state)
{
    (void)state;
    dq_net_spec spec = wide;
    spec.precision = DQ_PRECISION_BF16;
    world *a = make(&spec, 2), *b = make(&wide, 1);
    assert_null(b->net->rounded);
    for (int turn = 0; turn < 5; turn++) {
        (void)fit(a, 2, 0, turn == 1, 0, turn == 2 ? 0.5 : 0);
        if (turn == 3) dq_net_copy(a->net, b->net);
        if (turn == 4) dq_net_soft_update(a->net, b->net, 0.25);
        net_round_weights(a->net);
        for (size_t i = 0; i < a->net->count; i++) {
            uint16_t bits;
            dq_bf16_round(&bits, &a->net->weights[i], 1);
            assert_int_equal(a->net->rounded[i], bits);
        }
    }
    drop(a);
    drop(b);
}

/* It learns what float32 learns, on any number of threads to the same bits. */
static void bf16_learns(void **state)
{
    (void)state;
    dq_net_spec spec = wide;
    spec.precision = DQ_PRECISION_BF16;
    spec.dropout = 0;
    world *a = make(&spec, 1), *b = make(&spec, 2);
    spec.precision = DQ_PRECISION_F32;
    world *c = make(&spec, 1);
    double first = fit(a, 1, 0, 1, 0, 0);
    (void)fit(b, 1, 0, 1, 0, 0);
    assert_true(fabs(first / fit(c, 1, 0, 1, 0, 0) - 1) < 0.02);
    assert_true(fit(a, 200, 0, 1, 0, 0) < 0.2 * first);
    (void)fit(b, 200, 0, 1, 0, 0);
    assert_memory_equal(a->net->weights, b->net->weights, a->net->count * sizeof(float));
    drop(a);
    drop(b);
    drop(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outer_moments_are_the_moments),
        cmocka_unit_test(another_state_ends_them),
        cmocka_unit_test(the_known_product_is_the_product),
        cmocka_unit_test(checkpoints_keep_them),
        cmocka_unit_test(a_frozen_layer_has_none),
        cmocka_unit_test(packed_rows_are_the_rows),
        cmocka_unit_test(operands_are_rounded),
        cmocka_unit_test(rounded_weights_follow),
        cmocka_unit_test(bf16_learns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
