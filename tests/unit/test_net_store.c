/* SPDX-License-Identifier: MIT */
#include "net/net_impl.h"
#include "net_world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- bundles ---- */

static void a_saved_network_goes_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < NET_SPECS; i++) {
        net_world *w = net_world_make(&net_specs[i], 1, ROWS),
                  *other = net_world_make(&net_specs[i], 1, ROWS);
        dq_bundle model;
        dq_net_spec spec;
        net_world_fit(other, 1);
        net_world_fit(w, 3);
        assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
        assert_int_equal(dq_net_save(w->net, "q", true, &model, NULL), DQ_OK);
        assert_int_equal(dq_net_load_spec(&model, "q", &spec, NULL), DQ_OK);
        assert_memory_equal(&spec, &net_specs[i], sizeof spec);
        assert_int_equal(dq_net_saved_as(&model, "q", &spec, NULL), DQ_OK);
        assert_int_equal(dq_net_load(other->net, "q", true, &model, NULL), DQ_OK);
        net_world_fit(w, 2);
        net_world_fit(other, 2);
        assert_memory_equal(w->net->weights, other->net->weights, w->net->count * sizeof(float));
        dq_bundle_free(&model);
        net_world_drop(w);
        net_world_drop(other);
    }
}

static void names_are_those_of_pytorch(void **state)
{
    (void)state;
    net_world *w = net_world_make(&net_specs[8], 1, ROWS);
    const char *wanted[] = {"q.attention.query.weight",  "q.attention.query.bias",  "q.attention.key.weight",
                            "q.attention.value.weight",  "q.attention.value.bias",  "q.hidden.0.weight",
                            "q.hidden.0.bias",           "q.norm.0.weight",         "q.norm.0.bias",
                            "q.norm.0.running_mean",     "q.norm.0.running_var",    "q.hidden.1.weight",
                            "q.advantage.output.weight", "q.value.hidden.0.weight", "q.value.output.bias"};
    dq_bundle model;
    assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_net_save(w->net, "q", false, &model, NULL), DQ_OK);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        assert_non_null(dq_bundle_column(&model, wanted[i]));
    const dq_column *c = dq_bundle_column(&model, "q.hidden.0.weight");
    assert_true(c->dims == 2 && c->shape[0] == 11 && c->shape[1] == 3 + WIDTH + 4);
    assert_null(dq_bundle_column(&model, "q.adam.m"));
    dq_bundle_free(&model);
    net_world_drop(w);
}

/* Those of a TransformerEncoder, so that its weights load there. */
static void names_of_a_transformer(void **state)
{
    (void)state;
    const char *wanted[2][6] = {{"q.encoder.item.weight", "q.encoder.position.weight",
                                 "q.encoder.layers.1.self_attn.in_proj_weight",
                                 "q.encoder.layers.0.self_attn.out_proj.bias",
                                 "q.encoder.layers.1.linear2.weight", "q.encoder.norm.bias"},
                                {"q.encoder.return.weight", "q.encoder.state.bias", "q.encoder.action.weight",
                                 "q.encoder.embed_norm.weight", "q.encoder.layers.0.norm2.weight",
                                 "q.encoder.layers.0.self_attn.in_proj_bias"}};
    for (size_t i = 0, found = 0; i < NET_SPECS && found < 2; i++) {
        if (net_specs[i].encoder != (found ? DQ_ENCODER_TRAJECTORY : DQ_ENCODER_SASREC)) continue;
        net_world *w = net_world_make(&net_specs[i], 1, ROWS);
        dq_bundle model;
        assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
        assert_int_equal(dq_net_save(w->net, "q", false, &model, NULL), DQ_OK);
        for (size_t k = 0; k < 6; k++) assert_non_null(dq_bundle_column(&model, wanted[found][k]));
        dq_bundle_free(&model);
        net_world_drop(w);
        found++;
    }
}

static void bad_transformers_are_refused(void **state)
{
    (void)state;
    const dq_net_spec good = {STATE, .outputs = 5, SASREC};
    dq_net_spec bad[9];
    dq_rng rng = dq_rng_new(1);
    dq_net *net;
    for (size_t i = 0; i < 9; i++) bad[i] = good;
    bad[0].blocks = 0;
    bad[1].blocks = DQ_NET_MAX_BLOCKS + 1;
    bad[2].heads = 4; /* 6 numbers are not 4 equal heads */
    bad[3].encoder_width = 0;
    bad[4].encoder_width = 2 * DQ_NET_MAX_ENCODER_WIDTH;
    bad[5].step_state = 1; /* is of trajectories */
    bad[6].encoder = DQ_ENCODER_TRAJECTORY;
    bad[7].encoder = DQ_ENCODER_MEAN; /* has no blocks */
    bad[8].input = DQ_NET_MAX_TOKENS * WIDTH + 10;
    bad[8].history = DQ_NET_MAX_TOKENS + 1;
    for (size_t i = 0; i < 9; i++)
        assert_int_equal(dq_net_new(&net, &bad[i], ROWS, NULL, &rng, NULL), DQ_ERR_RANGE);
}

static dq_status load_after(net_world *w, const char *key, dq_value value)
{
    dq_bundle model;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_net_save(w->net, "q", true, &model, NULL), DQ_OK);
    dq_value map = *dq_map_get(&model.meta, "q");
    assert_true(dq_map_set(&model.arena, &map, key, value));
    assert_true(dq_map_set(&model.arena, &model.meta, "q", map));
    dq_status status = dq_net_load(w->net, "q", false, &model, &e);
    dq_bundle_free(&model);
    return status;
}

static void hostile_models_are_refused(void **state)
{
    (void)state;
    net_world *w = net_world_make(&net_specs[1], 1, ROWS);
    dq_bundle model;
    assert_int_equal(load_after(w, "input", dq_int(INPUT)), DQ_OK);
    assert_int_equal(load_after(w, "input", dq_int(INPUT + 1)), DQ_ERR_RANGE);
    assert_int_equal(load_after(w, "input", dq_int(-1)), DQ_ERR_SCHEMA);
    assert_int_equal(load_after(w, "outputs", dq_int((int64_t)1 << 40)), DQ_ERR_SCHEMA);
    assert_int_equal(load_after(w, "head", dq_int(9)), DQ_ERR_SCHEMA);
    assert_int_equal(load_after(w, "encoder", dq_int(9)), DQ_ERR_SCHEMA);
    assert_int_equal(load_after(w, "hidden", dq_int(9)), DQ_ERR_SCHEMA);
    assert_int_equal(load_after(w, "dropout", dq_real(1)), DQ_ERR_SCHEMA);
    assert_int_equal(load_after(w, "activation", dq_int(DQ_TANH)), DQ_ERR_RANGE);
    assert_int_equal(load_after(w, "activation", dq_int(3)), DQ_ERR_SCHEMA);
    assert_int_equal(load_after(w, "features", dq_int(1)), DQ_ERR_SCHEMA);
    assert_int_equal(load_after(w, "blocks", dq_int(1)), DQ_ERR_SCHEMA);
    assert_int_equal(load_after(w, "heads", dq_int((int64_t)1 << 33)), DQ_ERR_SCHEMA);
    w->net->weights[5] = NAN;
    assert_int_equal(load_after(w, "steps", dq_int(1)), DQ_ERR_NUMERIC);
    assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_net_load(w->net, "q", false, &model, NULL), DQ_ERR_UNKNOWN);
    dq_bundle_free(&model);
    net_world_drop(w);
}

/* Without rows a network takes weights alone, out of a checkpoint too, and predicts the same bits. */
static void networks_that_only_predict(void **state)
{
    (void)state;
    for (size_t i = 0; i < NET_SPECS; i++) {
        net_world *w = net_world_make(&net_specs[i], 2, ROWS);
        float out[2][ROWS * 5];
        size_t bytes = w->outputs * sizeof(float);
        dq_rng rng = dq_rng_new(2);
        dq_bundle model;
        dq_net *net;
        net_world_fit(w, 2);
        assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
        assert_int_equal(dq_net_save(w->net, "q", true, &model, NULL), DQ_OK);
        assert_int_equal(dq_net_new(&net, &net_specs[i], 0, w->pool, &rng, NULL), DQ_OK);
        assert_int_equal(net->max_rows, 0);
        assert_int_equal(dq_net_load(net, "q", false, &model, NULL), DQ_OK);
        dq_net_reset_optimizer(net);
        dq_net_predict(w->net, &w->rows, out[0]);
        dq_net_predict(net, &w->rows, out[1]);
        assert_memory_equal(out[0], out[1], bytes);
        dq_net_copy(net, w->net);
        dq_net_soft_update(net, w->net, 0.5);
        dq_net_predict(net, &w->rows, out[1]);
        assert_memory_equal(out[0], out[1], bytes);
        dq_net_free(net);
        dq_bundle_free(&model);
        net_world_drop(w);
    }
}

/* Weights alone leave the moments as they are; where those are asked for they must be there. */
static void moments_are_there_or_missed(void **state)
{
    (void)state;
    net_world *w = net_world_make(&net_specs[1], 1, ROWS), *other = net_world_make(&net_specs[1], 1, ROWS);
    dq_bundle with, without;
    net_world_fit(w, 3);
    assert_int_equal(dq_bundle_init(&with, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_bundle_init(&without, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_net_save(w->net, "q", true, &with, NULL), DQ_OK);
    assert_int_equal(dq_net_save(w->net, "q", false, &without, NULL), DQ_OK);
    assert_int_equal(dq_net_load(other->net, "q", true, &without, NULL), DQ_ERR_SCHEMA);
    assert_int_equal(dq_net_load(other->net, "q", false, &with, NULL), DQ_OK);
    assert_int_equal(other->net->steps, 0);
    assert_int_equal(dq_net_load(other->net, "q", true, &with, NULL), DQ_OK);
    assert_int_equal(other->net->steps, 3);
    dq_bundle_free(&with);
    dq_bundle_free(&without);
    net_world_drop(w);
    net_world_drop(other);
}

/* What gathers its states has the weights of what reads them whole. */
static void sparse_states_are_no_other_shape(void **state)
{
    (void)state;
    dq_net_spec spec = {.input = INPUT, .outputs = 5, .hidden = {8}, .hidden_count = 1}, sparse = spec;
    sparse.sparse = true;
    net_world *w = net_world_make(&spec, 1, ROWS), *other = net_world_make(&sparse, 1, ROWS);
    dq_bundle model;
    net_world_fit(w, 2);
    assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_net_save(w->net, "q", false, &model, NULL), DQ_OK);
    assert_int_equal(dq_net_load(other->net, "q", false, &model, NULL), DQ_OK);
    assert_memory_equal(w->net->weights, other->net->weights, w->net->count * sizeof(float));
    dq_bundle_free(&model);
    net_world_drop(w);
    net_world_drop(other);
}

/* A network is known by its columns before it is made. */
static void what_is_saved_is_known_beforehand(void **state)
{
    (void)state;
    const dq_net_spec spec = {.input = INPUT, .outputs = 5, .hidden = {8}, .hidden_count = 1};
    net_world *w = net_world_make(&spec, 1, ROWS);
    dq_net_spec vast = spec;
    dq_bundle model;
    vast.hidden[0] = 1 << 24;
    assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_net_save(w->net, "q", false, &model, NULL), DQ_OK);
    assert_int_equal(dq_net_saved_as(&model, "q", &spec, NULL), DQ_OK);
    assert_int_equal(dq_net_saved_as(&model, "q", &vast, NULL), DQ_ERR_RANGE);
    assert_int_equal(dq_net_saved_as(&model, "target", &spec, NULL), DQ_ERR_UNKNOWN);
    dq_value map = *dq_map_get(&model.meta, "q"), hidden = dq_list();
    assert_true(dq_list_add(&model.arena, &hidden, dq_int(1 << 24)));
    assert_true(dq_map_set(&model.arena, &map, "hidden", hidden));
    assert_true(dq_map_set(&model.arena, &model.meta, "q", map));
    assert_int_equal(dq_net_saved_as(&model, "q", &vast, NULL), DQ_ERR_SCHEMA); /* it claims to be so wide */
    dq_bundle_free(&model);
    net_world_drop(w);
}

/* Streams of V and A with a layer less are another network. */
static void other_streams_are_refused(void **state)
{
    (void)state;
    dq_net_spec longer = {.input = INPUT,
                          .outputs = 5,
                          .dueling = true,
                          .value_hidden = {8, 8},
                          .value_hidden_count = 2},
                shorter = longer;
    shorter.value_hidden_count = 1;
    net_world *w = net_world_make(&longer, 1, ROWS), *other = net_world_make(&shorter, 1, ROWS);
    dq_bundle model;
    assert_int_equal(dq_bundle_init(&model, "model", 0, NULL), DQ_OK);
    assert_int_equal(dq_net_save(w->net, "q", false, &model, NULL), DQ_OK);
    assert_int_equal(dq_net_load(w->net, "q", false, &model, NULL), DQ_OK);
    assert_int_equal(dq_net_load(other->net, "q", false, &model, NULL), DQ_ERR_RANGE);
    dq_bundle_free(&model);
    net_world_drop(w);
    net_world_drop(other);
}

static void bad_shapes_are_refused(void **state)
{
    (void)state;
    const dq_net_spec bad[] = {
        {.outputs = 2},
        {.input = 3},
        {.input = 3, .outputs = 2, .hidden = {4, 0}, .hidden_count = 2},
        {.input = 3, .outputs = 2, .hidden_count = DQ_NET_MAX_HIDDEN + 1},
        {.input = 3, .outputs = 2, .dropout = 1},
        {.input = 3, .outputs = 2, .user_width = 2, .history = 1, .item_width = 2},
        {.input = 3, .outputs = 2, .encoder = DQ_ENCODER_MEAN},
        {.input = 4, .outputs = 2, .history = 2, .item_width = 2, .encoder = DQ_ENCODER_ATTENTION},
        {.input = 3, .outputs = 2, .head = DQ_HEAD_ACTIONS},
        {.input = 3, .head = DQ_HEAD_ACTIONS, .action_width = 2},
        {.input = 3, .outputs = 2, .head = DQ_HEAD_ACTIONS, .action_width = 2, .dueling = true},
        {.input = 3, .outputs = 2, .one_hot = true},
        {.input = 3, .outputs = 2, .features = {{0, 0, 1}}, .feature_count = 1},
        {.input = 3, .outputs = 2, .value_hidden = {4}, .value_hidden_count = 1},
        {.input = 3, .outputs = 2, .dueling = true, .value_hidden = {4, 0}, .value_hidden_count = 2},
        {.input = 4, .outputs = 2, .history = 2, .item_width = 1, .encoder = DQ_ENCODER_MEAN, .sparse = true},
        {.input = 3, PAIRS, FEATURES},
        {.input = 19, PAIRS, .features = {{0, 2, 3}}, .feature_count = 1},
        {.input = 19, PAIRS, .features = {{0, 0, 0}}, .feature_count = 1},
        {.input = 19, PAIRS, .feature_count = DQ_NET_MAX_FEATURES + 1},
        {.input = 19, ONE_HOT, .outputs = 1, FEATURES},
    };
    dq_rng rng = dq_rng_new(1);
    dq_pool *pool;
    dq_net *net;
    assert_int_equal(dq_pool_new(&pool, 1, NULL), DQ_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(dq_net_new(&net, &bad[i], 8, pool, &rng, NULL), DQ_ERR_RANGE);
        assert_null(net);
    }
    dq_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_saved_network_goes_on),
        cmocka_unit_test(names_are_those_of_pytorch),
        cmocka_unit_test(names_of_a_transformer),
        cmocka_unit_test(bad_transformers_are_refused),
        cmocka_unit_test(hostile_models_are_refused),
        cmocka_unit_test(other_streams_are_refused),
        cmocka_unit_test(networks_that_only_predict),
        cmocka_unit_test(bad_shapes_are_refused),
        cmocka_unit_test(moments_are_there_or_missed),
        cmocka_unit_test(sparse_states_are_no_other_shape),
        cmocka_unit_test(what_is_saved_is_known_beforehand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
