/* SPDX-License-Identifier: MIT
 *
 * Networks of which the last layers alone learn: those before keep every bit, and those that learn take the
 * very step that they take in a network that learns as a whole.
 */
#include "net/net_impl.h"
#include "net_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LEVELS = 4 };

static const dq_adam adam = {.rate = 1e-2, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8, .decay = 0.03};

static float *copy(const float *from, size_t n)
{
    float *to = malloc((n + 1) * sizeof *to);
    assert_non_null(to);
    return memcpy(to, from, n * sizeof *to);
}

/* One step on the same rows, masks and targets. */
static void fit(net_world *w, double clip_norm, double clip_value)
{
    (void)net_world_pass(w, DQ_LOSS_MSE, false);
    assert_true(dq_net_update(w->net, w->dy, &adam, clip_norm, clip_value) >= 0);
}

static size_t end_of(const net_layer *l)
{
    return l->at + l->units * (l->unit_width + l->has_bias);
}

static bool all_zero(const float *x, size_t from, size_t to)
{
    while (from < to && x[from] == 0) from++;
    return from == to;
}

/* Of a norm's statistics: what learns sees other ones where the norm below it stays. */
static bool comparable(const dq_net_spec *spec)
{
    return !spec->batch_norm;
}

static size_t check(const dq_net_spec *spec, uint32_t trained, double clip_norm, double clip_value)
{
    dq_net_spec some = *spec;
    some.trained_layers = trained;
    net_world *whole = net_world_make(spec, 2, ROWS), *last = net_world_make(&some, 2, ROWS);
    const dq_net *net = last->net;
    float *before = copy(net->weights, net->count), *seen = copy(net->statistics, net->statistic_count);
    size_t frozen = 0;
    assert_memory_equal(whole->net->weights, before, net->count * sizeof *before);
    fit(whole, clip_norm, clip_value);
    fit(last, clip_norm, clip_value);
    for (const net_layer *l = net->layers; l < net->layers + net->layer_count; l++) {
        size_t bytes = (end_of(l) - l->at) * sizeof *before;
        if (!l->units) continue;
        frozen += l->frozen;
        if (l->frozen) {
            assert_memory_equal(net->weights + l->at, before + l->at, bytes);
            assert_true(all_zero(net->m, l->at, end_of(l)) && all_zero(net->v, l->at, end_of(l)));
        } else if (comparable(spec)) {
            assert_memory_not_equal(net->weights + l->at, before + l->at, bytes);
            assert_memory_equal(net->weights + l->at, whole->net->weights + l->at, bytes);
        }
        if (l->frozen && l->kind == &net_norm)
            assert_memory_equal(net->statistics + l->statistics, seen + l->statistics,
                                2 * l->out * sizeof *seen);
    }
    free(before);
    free(seen);
    net_world_drop(whole);
    net_world_drop(last);
    return frozen;
}

static void frozen_layers_keep_every_bit(void **state)
{
    (void)state;
    for (size_t s = 0; s < NET_SPECS; s++) {
        bool deep = net_specs[s].hidden_count > 0 || net_specs[s].encoder > DQ_ENCODER_MEAN;
        size_t before = SIZE_MAX;
        for (uint32_t trained = 1; trained <= LEVELS; trained++) {
            size_t frozen = check(&net_specs[s], trained, 0, 0);
            if (trained == 1 && deep) assert_true(frozen > 0);
            assert_true(frozen <= before);
            before = frozen;
        }
        assert_int_equal(check(&net_specs[s], 100, 0, 0), 0);
        check(&net_specs[s], 1, 1e9, 0); /* a gradient as a whole, which nothing clips */
        check(&net_specs[s], 2, 0, 1e-3);
    }
}

static void several_tiles(void **state)
{
    (void)state;
    dq_net_spec spec = net_wide;
    spec.batch_norm = false;
    assert_true(check(&spec, 1, 0, 0) > 0);
    assert_true(check(&spec, 1, 1e9, 0) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frozen_layers_keep_every_bit),
        cmocka_unit_test(several_tiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
