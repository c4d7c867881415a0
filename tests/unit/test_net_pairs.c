/* SPDX-License-Identifier: MIT
 *
 * What a network on pairs saves, held to the plain form; and that its bits depend neither on threads nor
 * blocks.
 */
#include "net/loss.h"
#include "net/net_impl.h"
#include "net_plain.h"

#include "allocations.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STATES = 5, ACTIONS = 40, ROWS = 24, MOST_OUTPUTS = 3, GIVEN = 2 };

/* A small world: vectors, a batch and a network on it. */
typedef struct world {
    const dq_net_spec *spec;
    dq_pool *pool;
    dq_net *net;
    float *data;
    const float **state_at, **action_at; /* (STATES), (ACTIONS) */
    uint32_t state[ROWS], action[ROWS];
    dq_net_rows rows;
    float target[ROWS * MOST_OUTPUTS], weight[ROWS], dy[ROWS * MOST_OUTPUTS];
    float given[STATES * ACTIONS * GIVEN], features[ROWS * GIVEN]; /* of all pairs, and of a batch */
} world;

/* clang-format off */
#define HEAD     .head = DQ_HEAD_ACTIONS
#define NARROW   HEAD, .input = 7, .action_width = 11
#define WIDE     HEAD, .input = 70, .action_width = 150
#define THREE    .hidden = {13, 9, 5}, .hidden_count = 3
#define FEATURES .features = {{0, 4, 3}, {2, 0, 5}, {0, 0, 7}}, .feature_count = 3
#define HISTORY  .user_width = 2, .history = 2, .item_width = 2
/* clang-format on */

static const dq_net_spec narrow = {NARROW, .outputs = 1, THREE, .dropout = 0.25};
static const dq_net_spec shallow = {NARROW, .outputs = 1, .hidden = {13}, .hidden_count = 1};
static const dq_net_spec flat = {NARROW, .outputs = 2};
static const dq_net_spec several = {NARROW, .outputs = 3, THREE, .dropout = 0.25};
static const dq_net_spec one_hot = {HEAD,         .input = 7, .action_width = ACTIONS, .one_hot = true,
                                    .outputs = 1, THREE,      .dropout = 0.25};
static const dq_net_spec featured = {NARROW, .outputs = 1, THREE, FEATURES, .dropout = 0.25};
static const dq_net_spec featured_shallow = {NARROW, .outputs = 1, .hidden = {13}, .hidden_count = 1,
                                             FEATURES};
static const dq_net_spec sparse = {NARROW, .outputs = 1, THREE, FEATURES, .sparse = true};
/* Wide enough for several tiles in every direction. */
static const dq_net_spec wide = {WIDE, .outputs = 1, .hidden = {300, 140}, .hidden_count = 2, .dropout = 0.2};
static const dq_net_spec featured_wide = {WIDE,
                                          .outputs = 1,
                                          .hidden = {300, 140},
                                          .hidden_count = 2,
                                          .dropout = 0.2,
                                          .features = {{0, 0, 35}, {35, 100, 35}, {0, 80, 70}},
                                          .feature_count = 3};
static const dq_net_spec large = {
    HEAD, .input = 20, .action_width = 200, .outputs = 1, .hidden = {260, 130, 140}, .hidden_count = 3};
/* Which the plain form leaves out. */
static const dq_net_spec normed = {NARROW, .outputs = 1, THREE, FEATURES, .batch_norm = true};
static const dq_net_spec normed_large = {HEAD,
                                         .input = 20,
                                         .action_width = 200,
                                         .outputs = 1,
                                         .hidden = {260, 130},
                                         .hidden_count = 2,
                                         .batch_norm = true,
                                         .activation = DQ_GELU};
static const dq_net_spec dueling = {NARROW, .outputs = 1, THREE, .dueling = true, .activation = DQ_TANH};
static const dq_net_spec encoding = {
    NARROW, HISTORY, .outputs = 1, THREE, FEATURES, .dueling = true, .encoder = DQ_ENCODER_ATTENTION};

/* What stands beside the hidden layers. */
static const dq_net_spec beside = {NARROW,
                                   .outputs = 1,
                                   THREE,
                                   FEATURES,
                                   .given = GIVEN,
                                   .feature_scale = 4,
                                   .direct = true,
                                   .factored = 6,
                                   .dueling = true,
                                   .input_dropout = 0.2,
                                   .calibrated = true};
static const dq_net_spec beside_wide = {WIDE,
                                        .outputs = 1,
                                        .hidden = {48},
                                        .hidden_count = 1,
                                        .given = GIVEN,
                                        .hidden_inputs = DQ_HIDDEN_OF_FEATURES,
                                        .direct = true,
                                        .factored = 128,
                                        .calibrated = true};

static world make(const dq_net_spec *spec, unsigned threads, uint32_t states)
{
    world w = {.spec = spec};
    dq_rng rng = dq_rng_new(7);
    assert_int_equal(dq_pool_new(&w.pool, threads, NULL), DQ_OK);
    assert_int_equal(dq_net_new(&w.net, spec, ROWS, w.pool, &rng, NULL), DQ_OK);
    size_t sw = spec->input, aw = spec->action_width, numbers = STATES * sw + ACTIONS * aw;
    w.data = malloc(numbers * sizeof *w.data);
    w.state_at = malloc((STATES + ACTIONS) * sizeof *w.state_at);
    assert_non_null(w.data);
    assert_non_null(w.state_at);
    w.action_at = w.state_at + STATES;
    for (size_t i = 0; i < numbers; i++) w.data[i] = (float)dq_rng_normal(&rng) / 2;
    for (size_t i = 0; i < STATES; i++) w.state_at[i] = w.data + i * sw;
    for (size_t i = 0; i < ACTIONS; i++) w.action_at[i] = w.data + STATES * sw + i * aw;
    for (size_t r = 0; r < ROWS; r++) {
        w.state[r] = (uint32_t)dq_rng_below(&rng, states);
        w.action[r] = (uint32_t)dq_rng_below(&rng, ACTIONS / 2);
        w.weight[r] = (float)dq_rng_uniform(&rng) + 0.5F;
    }
    for (size_t i = 0; i < ROWS * MOST_OUTPUTS; i++) w.target[i] = (float)dq_rng_normal(&rng);
    for (size_t i = 0; i < STATES * ACTIONS * GIVEN; i++) w.given[i] = (float)dq_rng_normal(&rng);
    dq_net_calibrate(w.net, 1.5, 0.25);
    return w;
}

static dq_net_rows rows_of(world *w)
{
    dq_net_rows rows = {.states = {w->state_at, STATES, w->spec->input},
                        .state = w->state,
                        .action = w->action,
                        .rows = ROWS};
    if (!w->spec->one_hot) rows.actions = (dq_vectors){w->action_at, ACTIONS, w->spec->action_width};
    for (size_t r = 0; r < ROWS; r++)
        memcpy(w->features + r * GIVEN, w->given + (w->state[r] * ACTIONS + w->action[r]) * GIVEN,
               GIVEN * sizeof(float));
    if (w->spec->given) rows.features = w->features;
    return rows;
}

static void drop(world *w)
{
    dq_net_free(w->net);
    dq_pool_free(w->pool);
    free(w->state_at);
    free(w->data);
}

/* One step; returns the loss before it. */
static double fit(world *w, const dq_adam *adam, uint64_t seed)
{
    dq_rng rng = dq_rng_new(seed);
    dq_net_rows rows = rows_of(w);
    float weight[ROWS * MOST_OUTPUTS];
    size_t outputs = w->spec->outputs;
    for (size_t i = 0; i < ROWS * outputs; i++) weight[i] = w->weight[i / outputs];
    const float *y = dq_net_forward(w->net, &rows, &rng);
    double loss = dq_loss_mean(DQ_LOSS_MSE, 1, y, w->target, weight, ROWS * outputs, w->dy);
    dq_net_update(w->net, w->dy, adam, 0, 0);
    return loss;
}

/* ---- the step against the plain form ---- */

/* With beta1 = 0 and the first step, m is the gradient itself. apart: rows that have an action of their own.
 */
static void check_step(const dq_net_spec *spec, uint32_t states, unsigned threads, uint32_t apart)
{
    world w = make(spec, threads, states);
    for (uint32_t r = 0; r < apart; r++) w.action[r] = ACTIONS - 1 - r;
    for (uint32_t r = apart; apart && r < ROWS; r++) w.action[r] = w.action[r - 1];
    size_t n = w.net->count;
    float *g = malloc(n * sizeof *g), *m = w.net->m, *p = w.net->weights;
    float *before = malloc(n * sizeof *before);
    memcpy(before, p, n * sizeof *p);
    dq_adam adam = DQ_ADAM_DEFAULTS;
    dq_rng rng = dq_rng_new(11);
    dq_net_rows rows = rows_of(&w);
    adam.beta1 = 0;
    double plain = net_plain_gradient(w.net, &rows, w.target, w.weight, &rng, g), loss = fit(&w, &adam, 11);
    assert_true(fabs(plain - loss) < 1e-5 * plain);
    assert_int_equal(w.net->steps, 1);
    net_outer_end(w.net); /* writes moments out that are kept as an outer product */
    for (size_t i = 0; i < n; i++) {
        assert_true(fabsf(m[i] - g[i]) < 2e-6F * (1 + fabsf(g[i])));
        double step = m[i] == 0 ? 0 : 1e-3 * (double)m[i] / (fabs((double)m[i]) + 1e-8);
        assert_true(fabs((double)(before[i] - p[i]) - step) < 1e-6);
    }
    free(g);
    free(before);
    drop(&w);
}

static void steps_equal_the_plain_form(void **state)
{
    (void)state;
    const dq_net_spec *specs[] = {&narrow,   &shallow,          &flat,   &several, &one_hot,
                                  &featured, &featured_shallow, &sparse, &wide,    &featured_wide};
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++)
        for (unsigned threads = 1; threads <= 2; threads++) {
            check_step(specs[i], 1, threads, 0);
            check_step(specs[i], STATES, threads, 0);
            check_step(specs[i], STATES, threads, ROWS - 1);
            check_step(specs[i], STATES, threads, ROWS);
        }
}

/* Update is backward and step; where it clips, too. */
static void an_update_is_both(void **state)
{
    (void)state;
    const double clips[][2] = {{0, 0}, {0.1, 0}, {0, 0.01}, {0.1, 0.01}};
    for (size_t i = 0; i < sizeof clips / sizeof *clips; i++) {
        world one = make(&featured_wide, 2, STATES), two = make(&featured_wide, 2, STATES);
        dq_adam adam = DQ_ADAM_DEFAULTS;
        dq_net_rows rows = rows_of(&one);
        for (uint64_t step = 0; step < 3; step++) {
            dq_rng rng = dq_rng_new(step), again = rng;
            const float *y = dq_net_forward(one.net, &rows, &rng);
            dq_loss_mean(DQ_LOSS_MSE, 1, y, one.target, NULL, ROWS, one.dy);
            double norm = dq_net_update(one.net, one.dy, &adam, clips[i][0], clips[i][1]);
            dq_net_forward(two.net, &rows, &again);
            net_backward(two.net, one.dy);
            assert_true(fabs(net_step(two.net, &adam, clips[i][0], clips[i][1]) - norm) < 1e-6 * norm);
        }
        const float *a = one.net->weights, *b = two.net->weights;
        for (size_t j = 0; j < one.net->count; j++) assert_true(fabsf(a[j] - b[j]) < 1e-6F);
        drop(&one);
        drop(&two);
    }
}

static void it_learns(void **state)
{
    (void)state;
    world w = make(&wide, 2, STATES);
    dq_adam adam = DQ_ADAM_DEFAULTS;
    double first = fit(&w, &adam, 0), last = first;
    for (uint64_t i = 1; i < 300; i++) last = fit(&w, &adam, i);
    assert_true(last < first / 5);
    drop(&w);
}

/* Decoupled decay is of matrices alone, in both ways of a step: without a gradient nothing else moves. */
static void decay_spares_vectors(void **state)
{
    (void)state;
    for (int clips = 0; clips < 2; clips++) {
        world w = make(&beside, 1, STATES);
        dq_net_rows rows = rows_of(&w);
        dq_adam adam = {
            .rate = 0.5, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8, .decay = 0.1, .decoupled = true};
        float *before = malloc(w.net->count * sizeof *before);
        memcpy(before, w.net->weights, w.net->count * sizeof *before);
        const float zero[ROWS] = {0};
        dq_rng rng = dq_rng_new(3);
        dq_net_forward(w.net, &rows, &rng);
        dq_net_update(w.net, zero, &adam, clips, 0);
        for (const net_tensor *t = w.net->tensors; t < w.net->tensors + w.net->tensor_count; t++)
            for (size_t i = 0; !t->statistic && i < t->shape[0] * (t->dims == 2 ? t->shape[1] : 1); i++) {
                float old = before[t->at + i], kept = t->dims == 2 ? 0.95F : 1;
                assert_true(fabsf(w.net->weights[t->at + i] - kept * old) < 1e-6F);
            }
        free(before);
        drop(&w);
    }
}

/* ---- memory ---- */

static void a_step_and_a_score_allocate_nothing(void **state)
{
    (void)state;
    const dq_net_spec *specs[] = {&featured_wide, &normed,  &dueling, &encoding,
                                  &sparse,        &one_hot, &beside,  &beside_wide};
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        world w = make(specs[i], 2, STATES);
        dq_adam adam = DQ_ADAM_DEFAULTS;
        dq_net_rows rows = rows_of(&w);
        float out[STATES * ACTIONS];
        fit(&w, &adam, 0);
        atomic_store(&allocations, 0);
        fit(&w, &adam, 1);
        dq_net_predict(w.net, &rows, out);
        dq_net_score(w.net, w.state_at, STATES, specs[i]->one_hot ? NULL : w.action_at[0],
                     specs[i]->action_width, ACTIONS, w.given, out, ACTIONS);
        assert_int_equal(atomic_load(&allocations), 0);
        drop(&w);
    }
    void *volatile one = malloc(1); /* the count counts; volatile, or the compiler leaves the call out */
    free(one);
    assert_int_equal(atomic_load(&allocations), COUNTS_ALLOCATIONS);
}

/* ---- bits that must not depend on threads, blocks or company ---- */

static void check_threads(const dq_net_spec *spec, uint32_t states)
{
    world one = make(spec, 1, states);
    size_t bytes = one.net->count * sizeof(float);
    dq_adam adam = DQ_ADAM_DEFAULTS;
    dq_net_rows rows = rows_of(&one);
    float out[2][ROWS * MOST_OUTPUTS] = {{0}};
    for (uint64_t i = 0; i < 5; i++) fit(&one, &adam, i);
    dq_net_predict(one.net, &rows, out[0]);
    for (unsigned threads = 2; threads <= 3; threads++) {
        world many = make(spec, threads, states);
        for (uint64_t i = 0; i < 5; i++) fit(&many, &adam, i);
        assert_memory_equal(one.net->weights, many.net->weights, bytes);
        assert_memory_equal(one.net->v, many.net->v, bytes);
        dq_net_predict(many.net, &rows, out[1]);
        assert_memory_equal(out[0], out[1], sizeof out[0]);
        drop(&many);
    }
    drop(&one);
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    check_threads(&featured_wide, 1);
    check_threads(&featured_wide, STATES);
    check_threads(&normed_large, STATES);
    check_threads(&sparse, STATES);
    check_threads(&encoding, STATES);
    check_threads(&several, STATES);
    check_threads(&beside, STATES);
    check_threads(&beside_wide, STATES);
}

/* Scores n actions in one call, in blocks, with all states, by 1 to 3 threads; and as rows that name them. */
static void check_scores(const dq_net_spec *spec, size_t n)
{
    world w = make(spec, 2, STATES);
    size_t width = spec->action_width, stride = width + 3;
    float *actions = malloc(n * stride * sizeof *actions), *whole = malloc(n * sizeof *whole);
    float *other = malloc(STATES * (n + 1) * sizeof *other);
    float *given = malloc(STATES * n * GIVEN * sizeof *given),
          *packed = malloc(STATES * n * GIVEN * sizeof *given);
    dq_rng rng = dq_rng_new(5);
    dq_adam adam = DQ_ADAM_DEFAULTS;
    for (size_t i = 0; i < n * stride; i++) actions[i] = (float)dq_rng_normal(&rng);
    for (size_t i = 0; i < STATES * n * GIVEN; i++) given[i] = (float)dq_rng_normal(&rng);
    for (uint64_t i = 0; i < 3; i++) fit(&w, &adam, i);
    dq_net_score(w.net, w.state_at + 2, 1, actions, stride, n, given + 2 * n * GIVEN, whole, n);
    const size_t blocks[] = {1, 7, 64, 100, 300, 700};
    for (size_t b = 0; b < sizeof blocks / sizeof *blocks; b++) {
        for (size_t i = 0; i < n; i += blocks[b]) {
            size_t some = n - i < blocks[b] ? n - i : blocks[b];
            dq_net_score(w.net, w.state_at + 2, 1, actions + i * stride, stride, some,
                         given + (2 * n + i) * GIVEN, other + i, some);
        }
        assert_memory_equal(whole, other, n * sizeof *whole);
    }
    dq_net_score(w.net, w.state_at, STATES, actions, stride, n, given, other, n);
    assert_memory_equal(whole, other + 2 * n, n * sizeof *whole);
    for (unsigned threads = 1; threads <= 3; threads += 2) {
        world same = make(spec, threads, STATES);
        dq_net_copy(same.net, w.net);
        dq_net_score(same.net, w.state_at, STATES, actions, stride, n, given, other, n);
        assert_memory_equal(whole, other + 2 * n, n * sizeof *whole);
        drop(&same);
    }
    const float **at = malloc(n * sizeof *at);
    uint32_t *two = calloc(n, sizeof *two), *number = malloc(n * sizeof *number);
    for (size_t i = 0; i < n; i++) {
        at[i] = actions + i * stride;
        two[i] = 2;
        number[i] = (uint32_t)i;
    }
    dq_net_rows rows = {.states = {w.state_at, STATES, spec->input},
                        .state = two,
                        .actions = {at, (uint32_t)n, (uint32_t)width},
                        .action = number,
                        .rows = n,
                        .features = given + 2 * n * GIVEN};
    dq_net_predict(w.net, &rows, other);
    for (size_t i = 0; i < n; i++) assert_true(fabsf(whole[i] - other[i]) < 1e-5F * (1 + fabsf(whole[i])));
    bool alone = !spec->dueling && !spec->factored && spec->encoder == DQ_ENCODER_NONE;
    if (alone) assert_memory_equal(whole, other, n * sizeof *whole);
    for (size_t i = 0; i < n; i += 2) two[i] = 1; /* two states: another way through predict */
    dq_net_predict(w.net, &rows, other);
    for (size_t i = 1; i < n; i += 2) {
        assert_true(fabsf(whole[i] - other[i]) < 1e-5F * (1 + fabsf(whole[i])));
        if (alone) assert_memory_equal(whole + i, other + i, sizeof *whole);
    }
    for (size_t few = 1; few < 70; few += 6) { /* of all states: several in a tile */
        for (size_t s = 0; s < STATES; s++)
            memcpy(packed + s * few * GIVEN, given + s * n * GIVEN, few * GIVEN * sizeof *given);
        dq_net_score(w.net, w.state_at, STATES, actions, stride, few, packed, other, few + 1);
        assert_memory_equal(whole, other + 2 * (few + 1), few * sizeof *whole);
    }
    free(given);
    free(packed);
    free(actions);
    free(whole);
    free(other);
    free(at);
    free(two);
    free(number);
    drop(&w);
}

static void blocks_do_not_matter(void **state)
{
    (void)state;
    check_scores(&narrow, 200);
    check_scores(&shallow, 200);
    check_scores(&wide, 1000);
    check_scores(&large, 1300);
    check_scores(&featured, 200);
    check_scores(&featured_wide, 1000);
    check_scores(&sparse, 200);
    check_scores(&normed, 200);
    check_scores(&normed_large, 1300);
    check_scores(&dueling, 200);
    check_scores(&encoding, 200);
    check_scores(&beside, 200);
    check_scores(&beside_wide, 1000);
}

/* Of units there is no block: scores are of actions 0, 1 ... */
static void scores_of_units(void **state)
{
    (void)state;
    world w = make(&one_hot, 2, STATES);
    float all[STATES * ACTIONS], one;
    dq_net_score(w.net, w.state_at, STATES, NULL, 0, ACTIONS, NULL, all, ACTIONS);
    for (uint32_t s = 0; s < STATES; s++)
        for (uint32_t a = 0; a < ACTIONS; a++) {
            dq_net_rows rows = {.states = {w.state_at, STATES, 7}, .state = &s, .action = &a, .rows = 1};
            dq_net_predict(w.net, &rows, &one);
            assert_memory_equal(&one, &all[s * ACTIONS + a], sizeof one);
        }
    drop(&w);
}

/* ---- predictions ---- */

/* The plain form's loss against targets of 0 is the mean of squared outputs: row by row it gives them. */
static void predictions_equal_the_definition(void **state)
{
    (void)state;
    const dq_net_spec *specs[] = {&shallow, &featured_shallow, &sparse, &large, &flat};
    const float zero[MOST_OUTPUTS] = {0};
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        world w = make(specs[i], 2, STATES);
        float out[ROWS * MOST_OUTPUTS], *ignored = malloc(w.net->count * sizeof *ignored);
        dq_net_rows rows = rows_of(&w), one = rows;
        dq_net_predict(w.net, &rows, out);
        one.rows = 1;
        for (size_t r = 0; r < ROWS; r++) {
            one.state = rows.state + r;
            one.action = rows.action + r;
            double mean = 0, plain = net_plain_gradient(w.net, &one, zero, NULL, NULL, ignored);
            for (size_t o = 0; o < specs[i]->outputs; o++)
                mean += (double)out[r * specs[i]->outputs + o] * (double)out[r * specs[i]->outputs + o] /
                        specs[i]->outputs;
            assert_true(fabs(plain - mean) < 1e-5 * (1 + plain));
        }
        free(ignored);
        drop(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_equal_the_plain_form),
        cmocka_unit_test(an_update_is_both),
        cmocka_unit_test(it_learns),
        cmocka_unit_test(decay_spares_vectors),
        cmocka_unit_test(a_step_and_a_score_allocate_nothing),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(blocks_do_not_matter),
        cmocka_unit_test(scores_of_units),
        cmocka_unit_test(predictions_equal_the_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
