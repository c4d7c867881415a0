/* SPDX-License-Identifier: MIT */
#include "embed/als_fold.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#include "small_catalogue.h"

static const dq_field cf_field[] = {{"cf", 1, 1, 0}}, other_field[] = {{"bio", 0, 2, 0}};
static const small_entities
    users_with = {.kind = DQ_KIND_USERS, .width = 2, .fields = cf_field, .field_count = 1},
    items_with = {.kind = DQ_KIND_ITEMS, .width = 2, .fields = cf_field, .field_count = 1},
    items_without = {.kind = DQ_KIND_ITEMS, .width = 2, .fields = other_field, .field_count = 1},
    users = {.kind = DQ_KIND_USERS}, items = {.kind = DQ_KIND_ITEMS};
/* The factor is the second number. i3 met nothing when they were fitted. */
static const small_row fitted_users[] = {{"u1", {9, 1}, {0}}},
                       fitted_items[] = {{"i1", {9, 2}, {0}}, {"i2", {9, -1}, {0}}, {"i3", {9, 0}, {0}}};
static const dq_als_origin origin = {.alpha = 2, .lambda = 0.5};

static void say_origin(dq_als_fitted *f, dq_entities *entities, const dq_als_origin *o)
{
    for (size_t b = 0; b < entities->bundle_count; b++)
        assert_int_equal(dq_als_origin_write(o, "cf", &f->catalogue.arena, &entities->bundles[b].meta, NULL),
                         DQ_OK);
}

static void make_fitted(dq_als_fitted *f, const dq_als_origin *o)
{
    *f = (dq_als_fitted){0};
    small_add(&f->catalogue, &users_with, fitted_users, 1);
    small_add(&f->catalogue, &items_with, fitted_items, 3);
    say_origin(f, &f->catalogue.users, o);
    say_origin(f, &f->catalogue.items, o);
    assert_int_equal(dq_als_fitted_init(f, "cf", NULL), DQ_OK);
}

static void assert_factors(const float *got, const double *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - want[i]) < 1e-6)) fail_msg("%zu: %g, not %g", i, (double)got[i], want[i]);
}

/* By hand. Of users Y'Y + lambda is 4 + 1 + .5, of items 1 + .5; an interaction of weight w adds 2 w y^2 to
 * it, and (1 + 2 w) y to the right side. */
static void newcomers_are_solved_for_and_nobody_else(void **state)
{
    (void)state;
    static const small_row new_users[] = {{.id = "u7"}, {.id = "u1"},  {.id = "u8"},
                                          {.id = "u9"}, {.id = "u10"}, {.id = "u11"}},
                           new_items[] = {{.id = "i9"}, {.id = "i3"}, {.id = "i1"}};
    static const small_interaction met[] = {{"u7", "i1", NULL, NAN},  {"u8", "i1", NULL, 1},
                                            {"u8", "i2", NULL, 0.5F}, /* i2 is not in the stream */
                                            {"u9", "i9", NULL, NAN},  {"u11", "i3", NULL, 1},
                                            {"u1", "i9", NULL, 1},    {"u1", "i3", NULL, 1},
                                            {"u7", "i2", NULL, -1},   {"u1", "i1", NULL, 5}};
    const double want_users[] = {6 / 13.5, 1, 4 / 14.5, 0, 0, 0}, want_items[] = {3 / 3.5, 3 / 3.5, 2};
    dq_als_fitted f;
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    dq_als_factors got = {0};
    dq_als_tally tally[DQ_ENTITY_KINDS];
    make_fitted(&f, &origin);
    small_add(&c, &users, new_users, 6);
    small_add_interactions(&c, met, sizeof met / sizeof *met);
    small_add(&c, &items, new_items, 3);
    assert_int_equal(dq_catalogue_finish(&c, true, NULL), DQ_OK);
    assert_int_equal(dq_als_fold_catalogue(&got, tally, &c, &f, NULL, 2, NULL), DQ_OK);
    assert_int_equal(got.width, 1);
    assert_factors(got.users, want_users, 6);
    assert_factors(got.items, want_items, 3);
    assert_memory_equal(&tally[DQ_USERS], (&(dq_als_tally){.fitted = 1, .folded = 2, .zeros = 3}),
                        sizeof *tally);
    assert_memory_equal(&tally[DQ_ITEMS], (&(dq_als_tally){.fitted = 1, .folded = 2}), sizeof *tally);
    dq_als_factors_free(&got);
    dq_catalogue_free(&c);
    dq_als_fitted_free(&f);
}

/* Labels weigh as the map of the fit says, whatever an interaction's reward. */
static void labels_weigh(void **state)
{
    (void)state;
    static const small_row new_users[] = {{.id = "u7"}, {.id = "u8"}};
    static const small_interaction met[] = {
        {"u7", "i1", "APPLY", 7}, {"u7", "i2", "SEEN", 7}, {"u8", "i1", "SEEN", 7}};
    const dq_als_origin mapped = {.alpha = 2, .lambda = 0.5, .map = "APPLY=1"};
    const double want[] = {6 / 13.5, 0};
    dq_als_fitted f;
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    dq_als_factors got = {0};
    dq_als_tally tally[DQ_ENTITY_KINDS];
    dq_label_map weights = {0};
    make_fitted(&f, &mapped);
    assert_string_equal(f.origin.map, "APPLY=1");
    assert_int_equal(dq_label_map_parse(&weights, f.origin.map, NULL), DQ_OK);
    small_add(&c, &users, new_users, 2);
    small_add_interactions(&c, met, 3);
    assert_int_equal(dq_catalogue_finish(&c, true, NULL), DQ_OK);
    assert_int_equal(dq_als_fold_catalogue(&got, tally, &c, &f, &weights, 1, NULL), DQ_OK);
    assert_factors(got.users, want, 2);
    dq_als_factors_free(&got);
    dq_label_map_free(&weights);
    dq_catalogue_free(&c);
    dq_als_fitted_free(&f);
}

static void an_id_of_nobody_is_an_error(void **state)
{
    (void)state;
    static const small_row new_users[] = {{.id = "u7"}};
    static const small_interaction met[] = {{"u7", "i99", NULL, 1}};
    dq_als_fitted f;
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    dq_als_factors got = {0};
    dq_als_tally tally[DQ_ENTITY_KINDS];
    dq_error e = DQ_ERROR_NONE;
    make_fitted(&f, &origin);
    small_add(&c, &users, new_users, 1);
    small_add_interactions(&c, met, 1);
    assert_int_equal(dq_catalogue_finish(&c, true, NULL), DQ_OK);
    assert_int_equal(dq_als_fold_catalogue(&got, tally, &c, &f, NULL, 1, &e), DQ_ERR_UNKNOWN);
    assert_string_equal(e.reason, "interactions: item i99 is neither in the stream nor among the factors");
    dq_als_factors_free(&got);
    dq_catalogue_free(&c);
    dq_als_fitted_free(&f);
}

/* One side may lack the field; both may not, nor may they say different things of how it was made. */
static void what_was_fitted_must_be_told(void **state)
{
    (void)state;
    const dq_als_origin another = {.alpha = 3, .lambda = 0.5},
                        mapped = {.alpha = 2, .lambda = 0.5, .map = "A=1"};
    dq_als_fitted f = {0};
    small_add(&f.catalogue, &items_without, fitted_items, 3);
    assert_int_equal(dq_als_fitted_init(&f, "cf", NULL), DQ_ERR_UNKNOWN);
    small_add(&f.catalogue, &users_with, fitted_users, 1);
    assert_int_equal(dq_als_fitted_init(&f, "cf", NULL), DQ_ERR_SCHEMA);
    say_origin(&f, &f.catalogue.users, &mapped);
    assert_int_equal(dq_als_fitted_init(&f, "cf", NULL), DQ_OK);
    assert_true(f.factors.users[0] == 1 && dq_als_is_zero(f.factors.items, 3));
    dq_als_fitted_free(&f);
    small_add(&f.catalogue, &users_with, fitted_users, 1);
    small_add(&f.catalogue, &items_with, fitted_items, 3);
    say_origin(&f, &f.catalogue.users, &origin);
    say_origin(&f, &f.catalogue.items, &another);
    assert_int_equal(dq_als_fitted_init(&f, "cf", NULL), DQ_ERR_SCHEMA);
    say_origin(&f, &f.catalogue.items, &mapped);
    assert_int_equal(dq_als_fitted_init(&f, "cf", NULL), DQ_ERR_SCHEMA);
    dq_als_fitted_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newcomers_are_solved_for_and_nobody_else),
        cmocka_unit_test(labels_weigh),
        cmocka_unit_test(an_id_of_nobody_is_an_error),
        cmocka_unit_test(what_was_fitted_must_be_told),
    };
    return cmocka_run_group_tests_name("als_fold", tests, NULL, NULL);
}
