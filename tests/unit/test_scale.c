/* SPDX-License-Identifier: MIT
 *
 * Scaling: z and unit by hand, constants, what a block's meta says afterwards, and what a model sees of it.
 */
#include "embed/scale.h"

#include "core/layout.h"
#include "port/files/ejson.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static dq_bundle block_of(const float *vectors, uint64_t rows, uint64_t width)
{
    dq_bundle b;
    uint64_t shape[2] = {rows, width};
    assert_int_equal(dq_bundle_init(&b, DQ_KIND_USERS, rows, NULL), DQ_OK);
    assert_int_equal(dq_bundle_add_tensor(&b, "vector", DQ_F4, 2, shape, vectors, NULL), DQ_OK);
    return b;
}

static dq_status scaled(const dq_bundle *block, dq_scale_how how, dq_bundle *out, dq_error *error)
{
    dq_scale_side side = {.kind = DQ_KIND_USERS};
    dq_status status = dq_scale_look(&side, NULL, 0, block, error);
    if (!status) status = dq_scale_fit(&side, block, error);
    if (!status) status = dq_scale_finish(&side, how, error);
    if (!status) status = dq_scale_apply(&side, block, false, out, error);
    dq_scale_free(&side);
    return status;
}

static void holds(const dq_bundle *b, const float *want, size_t count)
{
    const float *got = dq_bundle_column(b, "vector")->data;
    for (size_t i = 0; i < count; i++) assert_float_equal(got[i], want[i], 1e-6f);
}

static void test_z(void **state)
{
    (void)state;
    const float x[] = {1, 0.1f, 3, 0.1f, 5, 0.1f, 7, 0.1f}; /* mean 4, variance 5; and a constant */
    const float s = sqrtf(5), want[] = {-3 / s, 0, -1 / s, 0, 1 / s, 0, 3 / s, 0};
    dq_bundle b = block_of(x, 4, 2), out, again;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(scaled(&b, DQ_SCALE_Z, &out, &e), DQ_OK);
    holds(&out, want, 8);
    assert_int_equal(scaled(&out, DQ_SCALE_Z, &again, &e), DQ_ERR_DUPLICATE);
    assert_string_equal(e.reason, "users: the field 'vector' has been scaled already");
    dq_bundle_free(&out);
    dq_bundle_free(&b);
}

static void test_unit(void **state)
{
    (void)state;
    const float x[] = {3, 4, 0, 0, 1e-20f, 0}, want[] = {0.6f, 0.8f, 0, 0, 1, 0};
    dq_bundle b = block_of(x, 3, 2), out;
    assert_int_equal(scaled(&b, DQ_SCALE_UNIT, &out, NULL), DQ_OK);
    holds(&out, want, 6);
    dq_bundle_free(&out);
    dq_bundle_free(&b);
}

/* What one stream was scaled by, done to another. */
static void test_follow(void **state)
{
    (void)state;
    const float x[] = {0, 2}, later[] = {5}, want[] = {4};
    dq_bundle b = block_of(x, 2, 1), first, c = block_of(later, 1, 1), out;
    dq_scale_side side = {.kind = DQ_KIND_USERS};
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(scaled(&b, DQ_SCALE_Z, &first, &e), DQ_OK);
    assert_int_equal(dq_scale_look(&side, NULL, 0, &c, &e), DQ_OK);
    assert_int_equal(dq_scale_follow(&side, &first.meta, &e), DQ_OK);
    assert_int_equal(dq_scale_apply(&side, &c, true, &out, &e), DQ_OK);
    holds(&out, want, 1);
    assert_true(dq_value_equal(dq_map_get(&out.meta, "scale"), dq_map_get(&first.meta, "scale")));
    dq_scale_free(&side);
    dq_bundle_free(&out);
    dq_bundle_free(&c);
    dq_bundle_free(&first);
    dq_bundle_free(&b);
}

/* A meta.scale of another form, which a stream may hold: nothing is added to it, nothing taken from it. */
static void test_other_forms(void **state)
{
    (void)state;
    static const char *const forms[] = {"7",
                                        "\"x\"",
                                        "[]",
                                        "{\"vector\":\"abc\"}",
                                        "{\"vector\":7}",
                                        "{\"vector\":{\"how\":\"z\"}}",
                                        "{\"vector\":[]}",
                                        "{\"vector\":[1,2]}",
                                        "{\"vector\":null}"};
    const float x[] = {0, 2};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        dq_bundle b = block_of(x, 2, 1), out;
        dq_scale_side side = {.kind = DQ_KIND_USERS};
        dq_error e = DQ_ERROR_NONE;
        dq_value scale;
        assert_int_equal(dq_ejson_parse(forms[i], strlen(forms[i]), &b.arena, &scale, &e), DQ_OK);
        assert_true(dq_map_set(&b.arena, &b.meta, "scale", scale));
        assert_int_equal(scaled(&b, DQ_SCALE_UNIT, &out, &e), DQ_ERR_SCHEMA);
        assert_memory_equal(e.reason, "meta.scale: ", 12);
        assert_int_equal(dq_scale_look(&side, NULL, 0, &b, &e), DQ_OK);
        assert_int_equal(dq_scale_follow(&side, &b.meta, &e), DQ_ERR_SCHEMA);
        dq_scale_free(&side);
        dq_bundle_free(&out);
        dq_bundle_free(&b);
    }
}

static void layout_of(const dq_bundle *b, dq_arena *arena, dq_layout *layout)
{
    dq_field *fields;
    assert_int_equal(dq_fields_read(&b->meta, 1, arena, &fields, &layout->count, NULL), DQ_OK);
    layout->fields = fields;
    layout->width = 1;
}

/* A model of the one does not fit the other, nor one that was scaled by other numbers. */
static void test_layouts(void **state)
{
    (void)state;
    const float x[] = {0, 2}, y[] = {0, 3};
    dq_bundle b = block_of(x, 2, 1), c = block_of(y, 2, 1), u, v;
    dq_layout plain, one, other;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value trained;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(scaled(&b, DQ_SCALE_Z, &u, &e), DQ_OK);
    assert_int_equal(scaled(&c, DQ_SCALE_Z, &v, &e), DQ_OK);
    layout_of(&b, &arena, &plain);
    layout_of(&u, &arena, &one);
    layout_of(&v, &arena, &other);
    assert_int_equal(dq_layout_value(one.fields, one.count, plain.fields, plain.count, &arena, &trained, &e),
                     DQ_OK);
    assert_int_equal(dq_layout_fits(one, plain, 1, 1, &trained, &e), DQ_OK);
    assert_int_equal(dq_layout_fits(other, plain, 1, 1, &trained, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_layout_fits(plain, plain, 1, 1, &trained, &e), DQ_ERR_RANGE);
    assert_non_null(strstr(e.reason, "scaled otherwise"));
    dq_arena_free(&arena);
    dq_bundle_free(&u);
    dq_bundle_free(&v);
    dq_bundle_free(&b);
    dq_bundle_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_z), cmocka_unit_test(test_unit),
                                       cmocka_unit_test(test_follow), cmocka_unit_test(test_other_forms),
                                       cmocka_unit_test(test_layouts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
