/* SPDX-License-Identifier: MIT
 *
 * Models between dq and PyTorch as .safetensors, both ways. The way there runs PyTorch, and skips where
 * neither TORCH_PYTHON nor /usr/bin/python3 has it; the way back reads a model that PyTorch made.
 */
#include "net/net.h"
#include "net/net_impl.h"
#include "port/files/safetensors.h"

#include "../fixtures/net/model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROWS = 7, INPUT = 19, WIDTH = 4, MOST = 8 };

static void assert_near(const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++) assert_true(fabsf(a[i] - b[i]) < 1e-5F);
}

/* ---- from PyTorch ---- */

static dq_status give(void *arg, void *to, size_t n, size_t *got, dq_error *error)
{
    size_t *at = arg, left = sizeof model_bytes - *at;
    (void)error;
    *got = n < left ? n : left;
    memcpy(to, model_bytes + *at, *got);
    *at += *got;
    return DQ_OK;
}

static void a_model_of_pytorch_is_read(void **state)
{
    (void)state;
    size_t at = 0;
    dq_source *source;
    dq_bundle model;
    dq_net_spec spec;
    dq_pool *pool;
    dq_net *net;
    dq_rng rng = dq_rng_new(1);
    uint32_t numbers[MODEL_ROWS];
    for (uint32_t r = 0; r < MODEL_ROWS; r++) numbers[r] = r;
    assert_int_equal(dq_source_open_fn(&source, "model", give, &at, NULL), DQ_OK);
    assert_int_equal(dq_safetensors_read(source, &model, NULL), DQ_OK);
    assert_int_equal(dq_net_load_spec(&model, "q", &spec, NULL), DQ_OK);
    assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
    assert_int_equal(dq_net_new(&net, &spec, MODEL_ROWS, pool, &rng, NULL), DQ_OK);
    assert_int_equal(dq_net_load(net, "q", false, &model, NULL), DQ_OK);
    const float *x[MODEL_ROWS], *v[MODEL_ROWS];
    const dq_net_rows rows = {.states = {x, MODEL_ROWS, spec.input},
                              .actions = {v, MODEL_ROWS, WIDTH},
                              .action = numbers,
                              .rows = MODEL_ROWS};
    for (size_t r = 0; r < MODEL_ROWS; r++) x[r] = model_x + r * spec.input;
    for (size_t r = 0; r < MODEL_ROWS; r++) v[r] = model_vectors + r * WIDTH;
    assert_near(dq_net_forward(net, &rows, NULL), model_y, MODEL_ROWS);
    dq_net_free(net);
    dq_pool_free(pool);
    dq_bundle_free(&model);
    dq_source_close(source);
}

/* ---- to PyTorch ---- */

static const char *python;

static bool has_torch(const char *candidate)
{
    char command[512];
    if (!candidate || !*candidate) return false;
    snprintf(command, sizeof command, "'%s' -c 'import torch' 2> /dev/null", candidate);
    return system(command) == 0;
}

static void write_file(const char *folder, const char *name, const float *numbers, size_t n)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(numbers, sizeof *numbers, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void write_model(const char *folder, dq_net *net)
{
    char path[256];
    dq_bundle model;
    dq_sink *sink;
    snprintf(path, sizeof path, "%s/model", folder);
    assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_net_save(net, "q", true, &model, NULL), DQ_OK);
    assert_int_equal(dq_sink_open(&sink, path, DQ_SINK_TEXT, NULL), DQ_OK);
    assert_int_equal(dq_safetensors_write(sink, &model, NULL), DQ_OK);
    assert_int_equal(dq_sink_close(sink, NULL), DQ_OK);
    dq_bundle_free(&model);
}

static void run_torch(const char *folder, float *y, size_t n)
{
    char command[2048], path[256];
    snprintf(command, sizeof command, "'%s' tests/fixtures/net/model.py run %s/model %s/x %s/v %s/y", python,
             folder, folder, folder, folder);
    assert_int_equal(system(command), 0);
    snprintf(path, sizeof path, "%s/y", folder);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fread(y, sizeof *y, n, f), n);
    fclose(f);
}

/* A few steps, so that nothing is as it was drawn; then the same states on both sides. */
static void check(const dq_net_spec *spec, const char *folder)
{
    size_t outputs = ROWS * spec->outputs;
    float x[ROWS * INPUT], v[ROWS * WIDTH], y[ROWS * MOST], dy[ROWS * MOST];
    uint32_t numbers[ROWS];
    const float *x_at[ROWS], *v_at[ROWS];
    const bool pairs = spec->head == DQ_HEAD_ACTIONS;
    const dq_net_rows rows = {.states = {x_at, ROWS, INPUT},
                              .actions = {v_at, ROWS, WIDTH},
                              .action = pairs ? numbers : NULL,
                              .rows = ROWS};
    dq_rng rng = dq_rng_new(3);
    dq_adam adam = DQ_ADAM_DEFAULTS;
    dq_pool *pool;
    dq_net *net;
    for (size_t i = 0; i < ROWS * INPUT; i++) x[i] = (float)dq_rng_normal(&rng);
    for (size_t i = 0; i < ROWS * WIDTH; i++) v[i] = (float)dq_rng_normal(&rng);
    for (size_t i = 0; i < ROWS * MOST; i++) dy[i] = (float)dq_rng_normal(&rng);
    for (uint32_t r = 0; r < ROWS; r++) {
        numbers[r] = r;
        x_at[r] = x + r * INPUT;
        v_at[r] = v + r * WIDTH;
    }
    memset(x + 3 + WIDTH, 0, 2 * WIDTH * sizeof *x); /* a history of one item */
    assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
    assert_int_equal(dq_net_new(&net, spec, ROWS, pool, &rng, NULL), DQ_OK);
    for (int step = 0; step < 5; step++) {
        dq_net_forward(net, &rows, &rng);
        net_backward(net, dy);
        net_step(net, &adam, 0, 0);
    }
    dq_net_calibrate(net, 0.7, 0.2);
    write_model(folder, net);
    write_file(folder, "x", x, ROWS * INPUT);
    write_file(folder, "v", v, ROWS * WIDTH);
    run_torch(folder, y, outputs);
    assert_near(dq_net_forward(net, &rows, NULL), y, outputs);
    dq_net_free(net);
    dq_pool_free(pool);
}

#define STATE                                                                                                \
    .input = INPUT, .user_width = 3, .history = 3, .item_width = WIDTH, .hidden = {11, 9}, .hidden_count = 2

static void models_run_in_pytorch(void **state)
{
    (void)state;
    static const dq_net_spec specs[] = {
        {STATE, .outputs = 1, .head = DQ_HEAD_ACTIONS, .action_width = WIDTH,
         .features = {{0, 1, 3}, {15, 0, 4}}, .feature_count = 2, .feature_scale = 4, .direct = true,
         .start_feature = 1, .start_weight = 2, .factored = 6, .input_dropout = 0.2, .dueling = true,
         .calibrated = true},
        {STATE, .outputs = 1, .head = DQ_HEAD_ACTIONS, .action_width = WIDTH, .features = {{0, 1, 3}},
         .feature_count = 1, .hidden_inputs = DQ_HIDDEN_OF_FEATURES, .direct = true, .factored = 6,
         .calibrated = true},
        {STATE, .outputs = 5, .dropout = 0.3},
        {STATE, .outputs = 5, .batch_norm = true, .dueling = true},
        {STATE, .outputs = 5, .encoder = DQ_ENCODER_ATTENTION, .dueling = true},
        {STATE, .outputs = 5, .dueling = true, .value_hidden = {6, 5}, .value_hidden_count = 2,
         .activation = DQ_GELU},
        {STATE, .outputs = 1, .encoder = DQ_ENCODER_MEAN, .head = DQ_HEAD_ACTIONS, .action_width = WIDTH,
         .features = {{0, 1, 3}}, .feature_count = 1, .activation = DQ_TANH},
    };
    char folder[] = "/tmp/dq-torch.XXXXXX", command[64];
    const char *candidates[] = {getenv("TORCH_PYTHON"), "/usr/bin/python3"};
    for (int i = 0; i < 2 && !python; i++)
        if (has_torch(candidates[i])) python = candidates[i];
    if (!python) skip(); /* neither TORCH_PYTHON nor Debian's python3-torch */
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) check(&specs[i], folder);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_of_pytorch_is_read),
        cmocka_unit_test(models_run_in_pytorch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
