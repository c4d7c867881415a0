/* SPDX-License-Identifier: MIT */
#include "net_plain.h"

#include "../fixtures/net/torch.h"
#include "allocations.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { USERS = 5, ITEMS = 40, ROWS = 24 };

/* A small world: vectors, a batch and a network on it. */
typedef struct world {
    dq_pool *pool;
    dq_net *net;
    float *data;
    const float **user_at, **item_at; /* (USERS), (ITEMS) */
    dq_vectors users, items;
    uint32_t user[ROWS], item[ROWS];
    float target[ROWS], weight[ROWS];
} world;

static const dq_net_spec narrow = {
    .user_width = 7, .item_width = 11, .hidden = {13, 9, 5}, .hidden_count = 3, .dropout = 0.25};
static const dq_net_spec shallow = {.user_width = 7, .item_width = 11, .hidden = {13}, .hidden_count = 1};
/* Wide enough for several tiles in every direction. */
static const dq_net_spec wide = {
    .user_width = 70, .item_width = 150, .hidden = {300, 140}, .hidden_count = 2, .dropout = 0.2};

/* The same with cosines of ranges as further inputs, over one hidden layer and over several. */
#define MATCHES .matches = {{0, 4, 3}, {2, 0, 5}, {0, 0, 7}}, .match_count = 3
static const dq_net_spec matched = {
    .user_width = 7, .item_width = 11, .hidden = {13, 9, 5}, .hidden_count = 3, .dropout = 0.25, MATCHES};
static const dq_net_spec matched_shallow = {
    .user_width = 7, .item_width = 11, .hidden = {13}, .hidden_count = 1, MATCHES};
static const dq_net_spec matched_wide = {.user_width = 70,
                                         .item_width = 150,
                                         .hidden = {300, 140},
                                         .hidden_count = 2,
                                         .dropout = 0.2,
                                         .matches = {{0, 0, 35}, {35, 100, 35}, {0, 80, 70}},
                                         .match_count = 3};

static world make(const dq_net_spec *spec, unsigned threads, uint32_t users)
{
    world w = {0};
    dq_rng rng = dq_rng_new(7);
    assert_int_equal(dq_pool_new(&w.pool, threads, NULL), DQ_OK);
    assert_int_equal(dq_net_new(&w.net, spec, ROWS, w.pool, &rng, NULL), DQ_OK);
    size_t uw = spec->user_width, iw = spec->item_width;
    w.data = malloc((USERS * uw + ITEMS * iw) * sizeof *w.data);
    w.user_at = malloc((USERS + ITEMS) * sizeof *w.user_at);
    assert_non_null(w.data);
    assert_non_null(w.user_at);
    w.item_at = w.user_at + USERS;
    for (size_t i = 0; i < USERS * uw + ITEMS * iw; i++) w.data[i] = (float)dq_rng_normal(&rng) / 2;
    for (size_t i = 0; i < USERS; i++) w.user_at[i] = w.data + i * uw;
    for (size_t i = 0; i < ITEMS; i++) w.item_at[i] = w.data + USERS * uw + i * iw;
    w.users = (dq_vectors){w.user_at, USERS, (uint32_t)uw};
    w.items = (dq_vectors){w.item_at, ITEMS, (uint32_t)iw};
    for (size_t r = 0; r < ROWS; r++) {
        w.user[r] = (uint32_t)dq_rng_below(&rng, users);
        w.item[r] = (uint32_t)dq_rng_below(&rng, ITEMS / 2);
        w.target[r] = (float)dq_rng_normal(&rng);
        w.weight[r] = (float)dq_rng_uniform(&rng) + 0.5F;
    }
    return w;
}

static void drop(world *w)
{
    dq_net_free(w->net);
    dq_pool_free(w->pool);
    free(w->user_at);
    free(w->data);
}

static double gradient(world *w, uint64_t seed, float *g)
{
    dq_rng rng = dq_rng_new(seed);
    return net_plain_gradient(w->net, &w->users, &w->items, w->user, w->item, w->target, w->weight, ROWS,
                              &rng, g);
}

static double fit(world *w, const dq_adam *adam, uint64_t seed)
{
    dq_rng rng = dq_rng_new(seed);
    return dq_net_fit(w->net, &w->users, &w->items, w->user, w->item, w->target, w->weight, ROWS, adam, &rng);
}

/* ---- the plain form against finite differences ---- */

static void check_finite_differences(const dq_net_spec *spec)
{
    world w = make(spec, 1, USERS);
    size_t n = dq_net_count(w.net), checked = 0;
    float *g = malloc(n * sizeof *g), *ignored = malloc(n * sizeof *ignored), *p = dq_net_weights(w.net);
    gradient(&w, 3, g);
    for (size_t i = 0; i < n; i++) {
        float kept = p[i], up = kept + 1e-4F, down = kept - 1e-4F;
        p[i] = up;
        double high = gradient(&w, 3, ignored);
        p[i] = down;
        double low = gradient(&w, 3, ignored);
        p[i] = kept;
        double slope = (high - low) / ((double)up - (double)down);
        assert_true(fabs(slope - (double)g[i]) < 2e-4 * (1 + fabs(slope)));
        checked += g[i] != 0;
    }
    assert_true(checked > n / 2);
    free(g);
    free(ignored);
    drop(&w);
}

static void gradient_equals_finite_differences(void **state)
{
    (void)state;
    check_finite_differences(&narrow);
    check_finite_differences(&shallow);
    check_finite_differences(&matched);
    check_finite_differences(&matched_shallow);
}

/* ---- the step against the plain form ---- */

/* With beta1 = 0 and the first step, m is the gradient itself. */
static void check_step(const dq_net_spec *spec, uint32_t users, unsigned threads)
{
    world w = make(spec, threads, users);
    size_t n = dq_net_count(w.net);
    float *g = malloc(n * sizeof *g), *m = dq_net_moment1(w.net), *p = dq_net_weights(w.net);
    float *before = malloc(n * sizeof *before);
    memcpy(before, p, n * sizeof *p);
    dq_adam adam = DQ_ADAM_DEFAULTS;
    adam.beta1 = 0;
    double plain = gradient(&w, 11, g), loss = fit(&w, &adam, 11);
    assert_true(fabs(plain - loss) < 1e-5 * plain);
    assert_int_equal(*dq_net_steps(w.net), 1);
    for (size_t i = 0; i < n; i++) {
        assert_true(fabsf(m[i] - g[i]) < 2e-6F * (1 + fabsf(g[i])));
        double step = m[i] == 0 ? 0 : 1e-3 * (double)m[i] / (fabs((double)m[i]) + 1e-8);
        assert_true(fabs((double)(before[i] - p[i]) - step) < 1e-6);
    }
    free(g);
    free(before);
    drop(&w);
}

static void step_equals_plain_form(void **state)
{
    (void)state;
    check_step(&narrow, 1, 1);
    check_step(&narrow, USERS, 1);
    check_step(&shallow, USERS, 1);
    check_step(&shallow, 1, 2);
    check_step(&wide, 1, 1);
    check_step(&wide, USERS, 2);
    check_step(&matched, 1, 1);
    check_step(&matched, USERS, 2);
    check_step(&matched_shallow, USERS, 1);
    check_step(&matched_wide, 1, 2);
    check_step(&matched_wide, USERS, 1);
}

static void a_loss_that_is_not_finite_changes_nothing(void **state)
{
    (void)state;
    world w = make(&narrow, 1, 1);
    size_t bytes = dq_net_count(w.net) * sizeof(float);
    float *before = malloc(bytes);
    memcpy(before, dq_net_weights(w.net), bytes);
    w.target[3] = INFINITY;
    dq_adam adam = DQ_ADAM_DEFAULTS;
    assert_true(fit(&w, &adam, 1) == INFINITY);
    assert_memory_equal(before, dq_net_weights(w.net), bytes);
    assert_true(*dq_net_steps(w.net) == 0);
    free(before);
    drop(&w);
}

static void it_learns(void **state)
{
    (void)state;
    world w = make(&wide, 2, USERS);
    dq_adam adam = DQ_ADAM_DEFAULTS;
    double first = fit(&w, &adam, 0), last = first;
    for (uint64_t i = 1; i < 300; i++) last = fit(&w, &adam, i);
    assert_true(last < first / 5);
    drop(&w);
}

/* ---- the step against PyTorch ---- */

static void assert_near(const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++) assert_true(fabsf(a[i] - b[i]) < 1e-5F);
}

static void check_torch(const uint32_t *user, double decay, const float *first, const float *last,
                        const float *losses)
{
    const dq_net_spec spec = {.user_width = TORCH_USER,
                              .item_width = TORCH_ITEM,
                              .hidden = {TORCH_HIDDEN0, TORCH_HIDDEN1},
                              .hidden_count = 2};
    const float *users[TORCH_USERS], *items[TORCH_ITEMS];
    for (size_t i = 0; i < TORCH_USERS; i++) users[i] = torch_users + i * TORCH_USER;
    for (size_t i = 0; i < TORCH_ITEMS; i++) items[i] = torch_items + i * TORCH_ITEM;
    dq_vectors u = {users, TORCH_USERS, TORCH_USER}, a = {items, TORCH_ITEMS, TORCH_ITEM};
    dq_rng rng = dq_rng_new(1);
    dq_adam adam = DQ_ADAM_DEFAULTS;
    dq_pool *pool;
    dq_net *net;
    adam.decay = decay;
    assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
    assert_int_equal(dq_net_new(&net, &spec, TORCH_ROWS, pool, &rng, NULL), DQ_OK);
    size_t n = dq_net_count(net);
    assert_int_equal(n, sizeof torch_start / sizeof *torch_start);
    memcpy(dq_net_weights(net), torch_start, sizeof torch_start);
    for (size_t step = 0; step < TORCH_STEPS; step++) {
        double loss = dq_net_fit(net, &u, &a, user, torch_item, torch_target, NULL, TORCH_ROWS, &adam, &rng);
        assert_true(fabs(loss - (double)losses[step]) < 1e-5);
        assert_near(dq_net_weights(net), step == 0 ? first : last,
                    step == 0 || step == TORCH_STEPS - 1 ? n : 0);
    }
    dq_net_free(net);
    dq_pool_free(pool);
}

static void ten_steps_equal_torch(void **state)
{
    (void)state;
    uint32_t one[TORCH_ROWS], three[TORCH_ROWS];
    for (uint32_t r = 0; r < TORCH_ROWS; r++) {
        one[r] = 1;
        three[r] = r % TORCH_USERS;
    }
    check_torch(one, 0, torch_one_first, torch_one_last, torch_one_losses);
    check_torch(three, 0.01, torch_three_first, torch_three_last, torch_three_losses);
}

/* ---- memory ---- */

static void a_step_allocates_nothing(void **state)
{
    (void)state;
    world w = make(&wide, 2, USERS);
    dq_adam adam = DQ_ADAM_DEFAULTS;
    float out[ITEMS];
    fit(&w, &adam, 0);
    atomic_store(&allocations, 0);
    for (uint64_t i = 0; i < 5; i++) {
        fit(&w, &adam, i);
        dq_net_predict(w.net, &w.users, &w.items, w.user, w.item, out, ROWS);
        dq_net_score(w.net, w.user_at[0], w.item_at[0], w.items.width, ITEMS, out);
    }
    assert_int_equal(atomic_load(&allocations), 0);
    void *volatile one = malloc(1); /* the count counts; volatile, or the compiler leaves the call out */
    free(one);
    assert_int_equal(atomic_load(&allocations), COUNTS_ALLOCATIONS);
    drop(&w);
}

/* ---- bits that must not depend on threads, blocks or the way ---- */

static void threads_do_not_matter(void **state)
{
    (void)state;
    for (uint32_t users = 1; users <= USERS; users += USERS - 1U) {
        world one = make(&matched_wide, 1, users);
        size_t bytes = dq_net_count(one.net) * sizeof(float);
        dq_adam adam = DQ_ADAM_DEFAULTS;
        float out[2][ROWS];
        for (uint64_t i = 0; i < 5; i++) fit(&one, &adam, i);
        dq_net_predict(one.net, &one.users, &one.items, one.user, one.item, out[0], ROWS);
        for (unsigned threads = 2; threads <= 3; threads++) {
            world many = make(&matched_wide, threads, users);
            for (uint64_t i = 0; i < 5; i++) fit(&many, &adam, i);
            assert_memory_equal(dq_net_weights(one.net), dq_net_weights(many.net), bytes);
            assert_memory_equal(dq_net_moment2(one.net), dq_net_moment2(many.net), bytes);
            dq_net_predict(many.net, &many.users, &many.items, many.user, many.item, out[1], ROWS);
            assert_memory_equal(out[0], out[1], sizeof out[0]);
            drop(&many);
        }
        drop(&one);
    }
}

/* Scores n items in one call, in blocks, and by other ways, on one net. */
static void check_scores(const dq_net_spec *spec, size_t n)
{
    world w = make(spec, 2, USERS);
    size_t iw = spec->item_width, stride = iw + 3;
    float *items = malloc(n * stride * sizeof *items), *whole = malloc(n * sizeof *whole);
    float *other = malloc(USERS * n * sizeof *other);
    dq_rng rng = dq_rng_new(5);
    for (size_t i = 0; i < n * stride; i++) items[i] = (float)dq_rng_normal(&rng);
    dq_net_score(w.net, w.user_at[2], items, stride, n, whole);
    const size_t blocks[] = {1, 7, 64, 100, 300, 700};
    for (size_t b = 0; b < sizeof blocks / sizeof *blocks; b++) {
        for (size_t i = 0; i < n; i += blocks[b]) {
            size_t some = n - i < blocks[b] ? n - i : blocks[b];
            dq_net_score(w.net, w.user_at[2], items + i * stride, stride, some, other + i);
        }
        assert_memory_equal(whole, other, n * sizeof *whole);
    }
    dq_net_score_many(w.net, w.user_at, USERS, items, stride, n, other, n);
    assert_memory_equal(whole, other + 2 * n, n * sizeof *whole);
    const float **at = malloc(n * sizeof *at);
    uint32_t *user = malloc(n * sizeof *user), *item = malloc(n * sizeof *item);
    for (size_t i = 0; i < n; i++) {
        at[i] = items + i * stride;
        user[i] = 2;
        item[i] = (uint32_t)i;
    }
    dq_vectors vectors = {at, (uint32_t)n, (uint32_t)iw};
    dq_net_predict(w.net, &w.users, &vectors, user, item, other, n);
    assert_memory_equal(whole, other, n * sizeof *whole);
    for (size_t i = 0; i < n; i += 2) user[i] = 1; /* two users: another way through predict */
    dq_net_predict(w.net, &w.users, &vectors, user, item, other, n);
    for (size_t i = 1; i < n; i += 2) assert_memory_equal(whole + i, other + i, sizeof *whole);
    free(items);
    free(whole);
    free(other);
    free(at);
    free(user);
    free(item);
    drop(&w);
}

static void blocks_do_not_matter(void **state)
{
    (void)state;
    const dq_net_spec large = {
        .user_width = 20, .item_width = 200, .hidden = {260, 130, 140}, .hidden_count = 3};
    check_scores(&narrow, 200);
    check_scores(&wide, 1000);
    check_scores(&large, 1300);
    check_scores(&matched, 200);
    check_scores(&matched_wide, 1000);
}

/* The definition in double precision, one row. */
static double plain_output(const world *w, const dq_net_spec *spec, const float *user, const float *item)
{
    double h[512], z[512];
    size_t in = spec->user_width + spec->item_width;
    for (size_t i = 0; i < in; i++)
        h[i] = (double)(i < spec->user_width ? user[i] : item[i - spec->user_width]);
    for (uint32_t m = 0; m < spec->match_count; m++) h[in++] = dq_cosine(user, item, &spec->matches[m], 1);
    const float *p = dq_net_weights(w->net);
    for (uint32_t l = 0; l <= spec->hidden_count; l++) {
        size_t out = l < spec->hidden_count ? spec->hidden[l] : 1;
        const float *bias = p + out * in;
        for (size_t o = 0; o < out; o++, p += in) {
            z[o] = (double)bias[o];
            for (size_t i = 0; i < in; i++) z[o] += (double)p[i] * h[i];
        }
        p = bias + out;
        for (size_t o = 0; o < out; o++) h[o] = l < spec->hidden_count ? fmax(z[o], 0) : z[o];
        in = out;
    }
    return h[0];
}

static void predictions_equal_the_definition(void **state)
{
    (void)state;
    const dq_net_spec *specs[] = {&narrow, &shallow, &wide, &matched, &matched_shallow, &matched_wide};
    for (size_t s = 0; s < 6; s++) {
        world w = make(specs[s], 2, USERS);
        float out[ROWS];
        dq_net_predict(w.net, &w.users, &w.items, w.user, w.item, out, ROWS);
        for (size_t r = 0; r < ROWS; r++)
            assert_true(fabs((double)out[r] -
                             plain_output(&w, specs[s], w.user_at[w.user[r]], w.item_at[w.item[r]])) < 1e-5);
        drop(&w);
    }
}

/* ---- keeping ---- */

static void saved_and_loaded(void **state)
{
    (void)state;
    world w = make(&matched, 1, USERS), other = make(&matched, 1, USERS);
    dq_adam adam = DQ_ADAM_DEFAULTS;
    dq_error e = DQ_ERROR_NONE;
    dq_net_spec spec;
    dq_bundle model;
    size_t bytes = dq_net_count(w.net) * sizeof(float);
    for (uint64_t i = 0; i < 3; i++) fit(&w, &adam, i);
    assert_int_equal(dq_bundle_init(&model, "model", 0, &e), DQ_OK);
    assert_int_equal(dq_net_save(w.net, "q", true, &model, &e), DQ_OK);
    const dq_column *column = dq_bundle_column(&model, "q.1.weight");
    assert_non_null(column);
    assert_int_equal(column->shape[0], 9);
    assert_int_equal(column->shape[1], 13);
    assert_int_equal(dq_net_load_spec(&model, "world", &spec, &e), DQ_ERR_UNKNOWN);
    assert_int_equal(dq_net_load_spec(&model, "q", &spec, &e), DQ_OK);
    assert_int_equal(spec.hidden[2], 5);
    assert_true(spec.dropout == 0.25);
    assert_int_equal(spec.match_count, 3);
    assert_memory_equal(spec.matches, matched.matches, sizeof spec.matches);
    assert_int_equal(dq_net_load(other.net, "q", &model, &e), DQ_OK);
    assert_memory_equal(dq_net_weights(w.net), dq_net_weights(other.net), bytes);
    assert_memory_equal(dq_net_moment1(w.net), dq_net_moment1(other.net), bytes);
    assert_int_equal(*dq_net_steps(other.net), 3);
    assert_true(fit(&w, &adam, 9) == fit(&other, &adam, 9)); /* goes on as if never stopped */
    assert_memory_equal(dq_net_weights(w.net), dq_net_weights(other.net), bytes);
    world wrong = make(&shallow, 1, 1);
    assert_int_equal(dq_net_load(wrong.net, "q", &model, &e), DQ_ERR_RANGE);
    world unmatched = make(&narrow, 1, 1);
    assert_int_equal(dq_net_load(unmatched.net, "q", &model, &e), DQ_ERR_RANGE);
    drop(&unmatched);
    dq_net_weights(w.net)[5] = NAN;
    assert_int_equal(dq_net_load(other.net, "q", &model, &e), DQ_ERR_NUMERIC);
    dq_bundle_free(&model);
    drop(&w);
    drop(&other);
    drop(&wrong);
}

static void copied(void **state)
{
    (void)state;
    world w = make(&narrow, 1, USERS), other = make(&narrow, 1, USERS);
    dq_adam adam = DQ_ADAM_DEFAULTS;
    size_t bytes = dq_net_count(w.net) * sizeof(float);
    fit(&w, &adam, 1);
    assert_memory_not_equal(dq_net_weights(w.net), dq_net_weights(other.net), bytes);
    dq_net_copy(other.net, w.net);
    assert_memory_equal(dq_net_weights(w.net), dq_net_weights(other.net), bytes);
    drop(&w);
    drop(&other);
}

static void bad_specs_are_refused(void **state)
{
    (void)state;
    world w = make(&narrow, 1, 1);
    dq_rng rng = dq_rng_new(1);
    dq_net *net;
    dq_net_spec bad[8] = {narrow, narrow, narrow, narrow, narrow, matched, matched, matched};
    bad[0].user_width = 0;
    bad[1].hidden_count = 0;
    bad[2].hidden[1] = 0;
    bad[3].dropout = 1;
    bad[4].hidden_count = DQ_NET_MAX_HIDDEN + 1;
    bad[5].match_count = DQ_NET_MAX_MATCHES + 1;
    bad[6].matches[1].width = 0;
    bad[7].matches[2].user_offset = 1;
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(dq_net_new(&net, &bad[i], ROWS, w.pool, &rng, NULL), DQ_ERR_RANGE);
        assert_null(net);
    }
    assert_int_equal(dq_net_new(&net, &narrow, 0, w.pool, &rng, NULL), DQ_ERR_RANGE);
    drop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_equals_finite_differences),
        cmocka_unit_test(step_equals_plain_form),
        cmocka_unit_test(a_loss_that_is_not_finite_changes_nothing),
        cmocka_unit_test(it_learns),
        cmocka_unit_test(ten_steps_equal_torch),
        cmocka_unit_test(a_step_allocates_nothing),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(blocks_do_not_matter),
        cmocka_unit_test(predictions_equal_the_definition),
        cmocka_unit_test(saved_and_loaded),
        cmocka_unit_test(copied),
        cmocka_unit_test(bad_specs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
