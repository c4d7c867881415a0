/* SPDX-License-Identifier: MIT */
#include "core/bytes.h"
#include "core/digest.h"
#include "core/index.h"
#include "core/layout.h"
#include "core/rng.h"
#include "core/utf8.h"
#include "dq/bundle.h"
#include "dq/schema.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void an_error_stays_on_one_line_and_keeps_its_first_place(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_fail(&e, DQ_ERR_SCHEMA, "a\nb %d", 7), DQ_ERR_SCHEMA);
    assert_string_equal(e.reason, "a\\x0ab 7");
    dq_error_at(&e, "file", 3);
    dq_error_at(&e, "outer", 9);
    assert_string_equal(e.source, "file");
    assert_int_equal(e.record, 3);
    assert_int_equal(dq_fail_memory(&e, "%d rows", 3), DQ_ERR_MEMORY);
    assert_string_equal(e.reason, "out of memory for 3 rows");
    assert_int_equal(dq_fail_memory(NULL, "rows"), DQ_ERR_MEMORY);
    assert_int_equal(dq_fail_errno(&e, 28, "write"), DQ_ERR_IO);
    assert_non_null(strstr(e.reason, "write: No space left"));
    assert_int_equal(dq_fail(NULL, DQ_ERR_RANGE, "nobody listens"), DQ_ERR_RANGE);
}

/* xoshiro256** from the state 1, 2, 3, 4: the reference implementation's first numbers. */
static void random_numbers_are_the_published_ones(void **state)
{
    (void)state;
    dq_rng rng = {{1, 2, 3, 4}};
    const uint64_t expected[] = {11520, 0, 1509978240, 1215971899390074240};
    for (size_t i = 0; i < 4; i++) assert_true(dq_rng_u64(&rng) == expected[i]);
}

static void random_streams_differ_and_repeat(void **state)
{
    (void)state;
    dq_rng a = dq_rng_stream(42, 0), b = dq_rng_stream(42, 1), c = dq_rng_stream(42, 0);
    uint64_t first = dq_rng_u64(&a);
    assert_true(first == dq_rng_u64(&c));
    assert_true(first != dq_rng_u64(&b));
}

static void uniform_normal_and_below_have_their_moments(void **state)
{
    (void)state;
    dq_rng rng = dq_rng_new(7);
    enum { N = 200000 };
    double mean = 0, square = 0, uniform = 0;
    unsigned counts[7] = {0};
    for (int i = 0; i < N; i++) {
        double z = dq_rng_normal(&rng);
        mean += z / N;
        square += z * z / N;
        uniform += dq_rng_uniform(&rng) / N;
        counts[dq_rng_below(&rng, 7)]++;
    }
    assert_true(fabs(mean) < 0.01 && fabs(square - 1) < 0.02 && fabs(uniform - 0.5) < 0.004);
    for (int i = 0; i < 7; i++) assert_true(abs((int)counts[i] - N / 7) < 5 * 160); /* 5 sd */
}

static void a_sample_has_no_repeats_and_a_shuffle_keeps_all(void **state)
{
    (void)state;
    dq_rng rng = dq_rng_new(1);
    uint32_t scratch[50], out[20], seen[50] = {0};
    dq_rng_sample(&rng, out, 20, scratch, 50);
    for (int i = 0; i < 20; i++) assert_int_equal(seen[out[i]]++, 0);
    uint32_t deck[50];
    for (uint32_t i = 0; i < 50; i++) deck[i] = i;
    dq_rng_shuffle(&rng, deck, 50);
    uint32_t sum = 0;
    for (int i = 0; i < 50; i++) sum += deck[i];
    assert_int_equal(sum, 49 * 50 / 2);
}

static void every_half_survives_the_way_through_float(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 0x10000; bits++) {
        uint16_t half = (uint16_t)bits, back;
        float f;
        dq_convert_f4(&f, &half, DQ_F2, 1);
        if (isnan(f)) continue;
        dq_convert_from_f4(&back, DQ_F2, &f, 1);
        assert_int_equal(back, half);
        dq_convert_f4(&f, &half, DQ_BF16, 1);
        if (isnan(f)) continue;
        dq_convert_from_f4(&back, DQ_BF16, &f, 1);
        assert_int_equal(back, half);
    }
}

/* The value of a half by its definition, in double. */
static double value_of_half(uint16_t half)
{
    int exponent = (half >> 10) & 31, fraction = half & 1023;
    double size = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
    return half & 0x8000 ? -size : size;
}

static void halves_have_their_values(void **state)
{
    (void)state;
    static uint16_t halves[0x10000];
    static float floats[0x10000];
    for (uint32_t bits = 0; bits < 0x10000; bits++) halves[bits] = (uint16_t)bits;
    dq_convert_f4(floats, halves, DQ_F2, 0x10000);
    for (uint32_t bits = 0; bits < 0x10000; bits++) {
        if ((bits & 0x7c00) != 0x7c00)
            assert_true((double)floats[bits] == value_of_half((uint16_t)bits));
        else if (bits & 0x3ff)
            assert_true(isnan(floats[bits]));
        else
            assert_true(floats[bits] == (bits & 0x8000 ? -INFINITY : INFINITY));
        assert_int_equal(signbit(floats[bits]) != 0, bits >> 15);
    }
}

static void halves_round_to_nearest_even(void **state)
{
    (void)state;
    const struct {
        float from;
        uint16_t f2, bf16;
    } cases[] = {{1.0f, 0x3c00, 0x3f80},           {65520.0f, 0x7c00, 0x4780},   {65519.0f, 0x7bff, 0x4780},
                 {1.00048828125f, 0x3c00, 0x3f80}, {0x1p-25f, 0x0000, 0x3300},   {-0.0f, 0x8000, 0x8000},
                 {0x1.8p-24f, 0x0002, 0x33c0},     {1.00390625f, 0x3c04, 0x3f80}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint16_t got;
        dq_convert_from_f4(&got, DQ_F2, &cases[i].from, 1);
        assert_int_equal(got, cases[i].f2);
        dq_convert_from_f4(&got, DQ_BF16, &cases[i].from, 1);
        assert_int_equal(got, cases[i].bf16);
    }
}

static void an_index_numbers_ids_as_they_come(void **state)
{
    (void)state;
    dq_index index = DQ_INDEX_EMPTY;
    char id[32];
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 5000; i++) {
            uint32_t row;
            bool added;
            int n = snprintf(id, sizeof id, "job-%u", i * 7919U);
            assert_int_equal(dq_index_add(&index, id, (size_t)n, &row, &added, NULL), DQ_OK);
            assert_int_equal(row, i);
            assert_int_equal(added, round == 0);
        }
    assert_int_equal(dq_index_find(&index, "job-1", 5), DQ_ABSENT);
    size_t bytes;
    assert_memory_equal(dq_index_id(&index, 1, &bytes), "job-7919", 8);
    dq_index few = DQ_INDEX_EMPTY;
    assert_int_equal(dq_index_add(&few, "job-7919", 8, NULL, NULL, NULL), DQ_OK);
    assert_int_equal(dq_index_add(&few, "job-1", 5, NULL, NULL, NULL), DQ_OK);
    uint32_t *number = dq_index_find_all(&index, &few), *none = dq_index_find_all(&few, &DQ_INDEX_EMPTY);
    assert_true(number && number[0] == 1 && number[1] == DQ_ABSENT && none);
    free(number);
    free(none);
    dq_index_free(&few);
    dq_index_free(&index);
}

static void maps_replace_grow_copy_and_compare(void **state)
{
    (void)state;
    dq_arena arena = DQ_ARENA_EMPTY, other = DQ_ARENA_EMPTY;
    dq_value map = dq_map(), copy;
    char key[16];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 37; i++) {
            (void)snprintf(key, sizeof key, "k%d", i);
            assert_true(dq_map_set(&arena, &map, key, dq_int(i + round)));
        }
    assert_int_equal(map.count, 37);
    assert_int_equal(dq_value_integer(dq_map_get(&map, "k36"), -1), 37);
    assert_true(dq_value_copy(&other, &map, &copy) && dq_value_equal(&map, &copy));
    for (int i = 0; i < 40; i++) { /* a copy has room to grow */
        (void)snprintf(key, sizeof key, "n%d", i);
        assert_true(dq_map_set(&other, &copy, key, dq_string(&other, key)));
    }
    assert_false(dq_value_equal(&map, &copy));
    assert_true(dq_value_is(dq_map_get(&copy, "n39"), "n39"));
    dq_arena_free(&arena);
    dq_arena_free(&other);
}

/* A text that was not to be had is nil, and no map or list takes it for one. */
static void containers_refuse_what_an_arena_lacked(void **state)
{
    (void)state;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value map = dq_map(), list = dq_list();
    assert_true(dq_map_set(&arena, &map, "before", dq_nil()) && dq_list_add(&arena, &list, dq_nil()));
    assert_null(dq_arena_zero(&arena, SIZE_MAX, 2));
    assert_true(arena.failed);
    assert_false(dq_map_set(&arena, &map, "after", dq_string_n(&arena, "x", 1)));
    assert_false(dq_map_set(&arena, &map, "before", dq_nil()));
    assert_false(dq_list_add(&arena, &list, dq_nil()));
    dq_arena_free(&arena);
    assert_false(arena.failed);
}

static void floats_copy_and_compare(void **state)
{
    (void)state;
    dq_arena arena = DQ_ARENA_EMPTY;
    float numbers[] = {1, -0.0F, 0.1F};
    dq_value v = {.type = DQ_FLOATS, .count = 3, .as.floats = numbers}, copy, list = dq_list(), nested;
    assert_true(dq_list_add(&arena, &list, v) && dq_value_copy(&arena, &list, &nested));
    assert_true(dq_value_copy(&arena, &v, &copy) && dq_value_equal(&v, &copy));
    numbers[1] = 0; /* equal numbers, other bytes; and the copies keep theirs */
    assert_false(dq_value_equal(&v, &copy));
    assert_true(dq_value_equal(&nested.as.list[0], &copy));
    v.count = 2;
    assert_false(dq_value_equal(&v, &copy));
    v.count = 0;
    assert_true(dq_value_copy(&arena, &v, &copy) && dq_value_equal(&v, &copy));
    dq_arena_free(&arena);
}

static void bundles_refuse_twins_overflow_and_what_is_not_there(void **state)
{
    (void)state;
    dq_bundle b;
    dq_error e = DQ_ERROR_NONE;
    float data[6] = {0};
    assert_int_equal(dq_bundle_init(&b, "items", 3, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_tensor(&b, "vector", DQ_F4, 2, (uint64_t[]){3, 2}, data, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_tensor(&b, "vector", DQ_F4, 2, (uint64_t[]){3, 2}, data, &e),
                     DQ_ERR_DUPLICATE);
    assert_int_equal(dq_bundle_add_tensor(&b, "big", DQ_F4, 2, (uint64_t[]){1ULL << 62, 4}, data, &e),
                     DQ_ERR_RANGE);
    assert_int_equal(dq_bundle_add_tensor(&b, "empty", DQ_F4, 2, (uint64_t[]){3, 2}, NULL, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_bundle_add_numbers(&b, "empty", DQ_F4, NULL, NULL, NULL, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_bundle_add_text(&b, "empty", DQ_TEXT, NULL, "abc", NULL, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_bundle_add_text(&b, "empty", DQ_TEXT, (uint32_t[]){0, 1, 2, 3}, NULL, NULL, &e),
                     DQ_ERR_RANGE);
    assert_int_equal(dq_bundle_add_text(&b, "none", DQ_TEXT, (uint32_t[4]){0}, NULL, NULL, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_tensor(&b, "flat", DQ_F4, 2, (uint64_t[]){3, 0}, NULL, &e), DQ_OK);
    assert_int_equal(dq_bundle_column(&b, "vector")->bytes, 24);
    assert_null(dq_bundle_column(&b, "big"));
    assert_null(dq_bundle_column(&b, "empty"));
    dq_bundle_free(&b);
}

static dq_status check_vectors(dq_dtype type, const void *vector, uint64_t rows, dq_dtype id_type,
                               const uint8_t *nulls)
{
    dq_bundle b;
    dq_strings ids = {0};
    dq_error e = DQ_ERROR_NONE;
    for (uint64_t i = 0; i < 2; i++) assert_int_equal(dq_strings_add(&ids, "x", 1, &e), DQ_OK);
    assert_int_equal(dq_bundle_init(&b, "items", 2, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_text(&b, "id", id_type, ids.offsets, ids.data, nulls, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_tensor(&b, "vector", type, 2, (uint64_t[]){rows, 1}, vector, &e), DQ_OK);
    dq_status status = dq_schema_check(&b, &e);
    dq_bundle_free(&b);
    dq_strings_free(&ids);
    return status;
}

static dq_status check_items(const float *vector, uint64_t rows, dq_dtype id_type, const uint8_t *nulls)
{
    return check_vectors(DQ_F4, vector, rows, id_type, nulls);
}

/* Every half that is not finite, and finite ones beside them. */
static void a_schema_knows_halves_that_are_not_finite(void **state)
{
    (void)state;
    static const dq_dtype types[] = {DQ_F2, DQ_BF16};
    for (size_t t = 0; t < 2; t++)
        for (uint32_t bits = 0; bits < 0x10000; bits++) {
            const uint16_t halves[] = {0x3c00, (uint16_t)bits};
            float number;
            dq_convert_f4(&number, halves + 1, types[t], 1);
            bool edge = (bits & 0x7fU) == 0 || (bits & 0x7fU) == 0x7fU, finite = isfinite(number);
            if (finite && !edge) continue; /* some of the finite ones are enough */
            assert_int_equal(check_vectors(types[t], halves, 2, DQ_TEXT, NULL),
                             finite ? DQ_OK : DQ_ERR_NUMERIC);
        }
}

static void a_schema_names_what_is_wrong(void **state)
{
    (void)state;
    const float good[] = {1, 2}, bad[] = {1, NAN};
    assert_int_equal(check_items(good, 2, DQ_TEXT, NULL), DQ_OK);
    assert_int_equal(check_items(bad, 2, DQ_TEXT, NULL), DQ_ERR_NUMERIC);
    assert_int_equal(check_items(good, 1, DQ_TEXT, NULL), DQ_ERR_SCHEMA);
    assert_int_equal(check_items(good, 2, DQ_JSON, NULL), DQ_ERR_SCHEMA);
    assert_int_equal(check_items(good, 2, DQ_TEXT, (const uint8_t[]){0, 1}), DQ_ERR_SCHEMA);
}

/* Of each kind that logs choices: a propensity is in (0, 1], a position at least 1; under a null all goes. */
static dq_status check_logged(const char *kind, const double *propensity, const uint32_t *position,
                              const uint8_t *nulls)
{
    dq_bundle b;
    dq_strings ids = {0};
    const uint32_t rank[2] = {1, 2};
    const float score[2] = {0};
    dq_error e = DQ_ERROR_NONE;
    for (uint64_t i = 0; i < 2; i++) assert_int_equal(dq_strings_add(&ids, "x", 1, &e), DQ_OK);
    assert_int_equal(dq_bundle_init(&b, kind, 2, &e), DQ_OK);
    if (strcmp(kind, "transitions") != 0) {
        assert_int_equal(dq_bundle_add_text(&b, "user", DQ_TEXT, ids.offsets, ids.data, NULL, &e), DQ_OK);
        assert_int_equal(dq_bundle_add_text(&b, "item", DQ_TEXT, ids.offsets, ids.data, NULL, &e), DQ_OK);
    }
    if (strcmp(kind, "rankings") == 0) {
        assert_int_equal(dq_bundle_add_numbers(&b, "rank", DQ_U4, rank, NULL, NULL, &e), DQ_OK);
        assert_int_equal(dq_bundle_add_numbers(&b, "score", DQ_F4, score, NULL, NULL, &e), DQ_OK);
    }
    assert_int_equal(dq_bundle_add_numbers(&b, "propensity", DQ_F8, propensity, NULL, nulls, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_numbers(&b, "position", DQ_U4, position, NULL, nulls, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_text(&b, "request", DQ_TEXT, ids.offsets, ids.data, nulls, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_text(&b, "model", DQ_TEXT, ids.offsets, ids.data, nulls, &e), DQ_OK);
    dq_status status = dq_schema_check(&b, &e);
    if (status == DQ_ERR_NUMERIC) assert_non_null(strstr(e.reason, "row 1"));
    dq_bundle_free(&b);
    dq_strings_free(&ids);
    return status;
}

static void what_was_logged_of_a_choice_is_in_its_range(void **state)
{
    (void)state;
    const char *const kinds[] = {"interactions", "transitions", "rankings"};
    const double bad[] = {0, -0.5, 1.0000001, NAN, INFINITY};
    const uint32_t first[2] = {1, 1}, none[2] = {1, 0};
    for (size_t k = 0; k < 3; k++) {
        const double good[2] = {1, 1e-300};
        assert_int_equal(check_logged(kinds[k], good, first, NULL), DQ_OK);
        assert_int_equal(check_logged(kinds[k], good, none, NULL), DQ_ERR_NUMERIC);
        assert_int_equal(check_logged(kinds[k], good, none, (const uint8_t[]){0, 1}), DQ_OK);
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            const double p[2] = {0.5, bad[i]};
            assert_int_equal(check_logged(kinds[k], p, first, NULL), DQ_ERR_NUMERIC);
            assert_int_equal(check_logged(kinds[k], p, first, (const uint8_t[]){0, 1}), DQ_OK);
        }
    }
}

static void every_table_has_its_rows_in_every_column(void **state)
{
    (void)state;
    const float three[] = {1, 2, 3};
    const struct {
        const char *kind;
        uint64_t rows;
        dq_status status;
    } cases[] = {{"transitions", 3, DQ_OK},   {"transitions", 2, DQ_ERR_SCHEMA}, {"state", 3, DQ_OK},
                 {"state", 2, DQ_ERR_SCHEMA}, {"state", 0, DQ_ERR_SCHEMA},       {"state", 4, DQ_ERR_SCHEMA},
                 {"model", 0, DQ_OK},         {"model", 3, DQ_ERR_SCHEMA}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dq_bundle b;
        assert_int_equal(dq_bundle_init(&b, cases[i].kind, cases[i].rows, NULL), DQ_OK);
        assert_int_equal(dq_bundle_add_tensor(&b, "x", DQ_F4, 1, (uint64_t[]){3}, three, NULL), DQ_OK);
        assert_int_equal(dq_schema_check(&b, NULL), cases[i].status);
        dq_bundle_free(&b);
    }
}

static void fields_are_written_read_and_bounded(void **state)
{
    (void)state;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value meta = dq_map();
    const dq_field fields[] = {{"title", 0, 4, 0}, {"skills", 4, 4, 0}};
    dq_field *read;
    size_t count;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_fields_read(&meta, 8, &arena, &read, &count, &e), DQ_OK);
    assert_string_equal(read[0].name, "vector");
    assert_int_equal(dq_fields_write(fields, 2, &arena, &meta, &e), DQ_OK);
    assert_int_equal(dq_fields_read(&meta, 8, &arena, &read, &count, &e), DQ_OK);
    assert_int_equal(count, 2);
    assert_int_equal(dq_field_find(read, count, "skills")->offset, 4);
    assert_null(dq_field_find(read, count, "bio"));
    assert_int_equal(dq_fields_read(&meta, 7, &arena, &read, &count, &e), DQ_ERR_SCHEMA);
    dq_arena_free(&arena);
}

static void nulls_in_texts_are_kept_apart_from_empty_ones(void **state)
{
    (void)state;
    dq_strings s = {0};
    for (int i = 0; i < 300; i++)
        assert_int_equal(dq_strings_add(&s, i % 3 ? "ab" : i % 2 ? "" : NULL, i % 3 ? 2 : 0, NULL), DQ_OK);
    size_t n;
    assert_null(dq_strings_get(&s, 0, &n));
    assert_non_null(dq_strings_get(&s, 3, &n));
    assert_int_equal(n, 0);
    assert_memory_equal(dq_strings_get(&s, 299, &n), "ab", 2);
    dq_strings_free(&s);
}

/* Widths, and the fields where the model says them. */
static void a_model_fits_the_layout_that_it_was_trained_on(void **state)
{
    dq_error e = DQ_ERROR_NONE;
    dq_field whole = {"taste", 0, 4, 0}, cut[] = {{"a", 0, 2, 0}, {"b", 2, 2, 0}},
             swapped[] = {{"b", 0, 2, 0}, {"a", 2, 2, 0}};
    const dq_layout users = {&whole, 1, 4}, items = {cut, 2, 4};
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value same, other, nil = dq_nil();
    (void)state;
    assert_int_equal(dq_layout_value(&whole, 1, cut, 2, &arena, &same, &e), DQ_OK);
    assert_int_equal(dq_layout_value(&whole, 1, swapped, 2, &arena, &other, &e), DQ_OK);
    assert_int_equal(dq_layout_fits(users, items, 4, 4, &same, &e), DQ_OK);
    assert_int_equal(dq_layout_fits(users, items, 4, 4, NULL, &e), DQ_OK);
    assert_int_equal(dq_layout_fits(users, items, 4, 4, &nil, &e), DQ_OK);
    assert_int_equal(dq_layout_fits(users, items, 4, 4, &other, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_layout_fits(users, items, 5, 4, &same, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_layout_fits(users, items, 4, 1, NULL, &e), DQ_ERR_RANGE);
    dq_arena_free(&arena);
}

/* Known values (python3-xxhash: xxh3_64_intdigest(b"u1", seed=0x5ba2e) >> 11, over 2^53), and that shares are
 * kept: of 20,000 ids as many are below a bound as ought to be, within four standard deviations. */
static void a_share_is_stable_and_uniform(void **state)
{
    (void)state;
    assert_true(dq_share("", 0) == 0x1.dca7a4aa386d4p-1);
    assert_true(dq_share("u1", 2) == 0x1.b151b579dd31dp-1);
    enum { IDS = 20000 };
    for (int tenth = 1; tenth < 10; tenth++) {
        int below = 0;
        for (int i = 0; i < IDS; i++) {
            char id[16];
            double share = dq_share(id, (size_t)snprintf(id, sizeof id, "%d", i));
            assert_true(share >= 0 && share < 1);
            below += share < tenth / 10.0;
        }
        double p = tenth / 10.0;
        assert_true(fabs(below - IDS * p) < 4 * sqrt(IDS * p * (1 - p)));
    }
}

/* Of every length, in memory of just that length, which sanitizers watch. */
static void short_bytes_are_copied_and_compared(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 40; n++) {
        char *from = malloc(n + 1), *to = malloc(n ? n : 1);
        assert_true(from && to);
        for (size_t i = 0; i < n; i++) from[i] = (char)(i * 37 + n);
        dq_bytes_copy(to, from, n);
        assert_memory_equal(to, from, n);
        assert_true(dq_bytes_equal(to, from, n));
        for (size_t i = 0; i < n; i++) {
            to[i] ^= 64;
            assert_false(dq_bytes_equal(to, from, n));
            to[i] ^= 64;
        }
        free(from);
        free(to);
    }
}

static void a_text_is_utf8_wherever_its_letters_stand(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 20; n++)
        for (size_t at = 0; at < n; at++) {
            char *text = malloc(n);
            assert_non_null(text);
            memset(text, 'a', n);
            assert_true(dq_utf8_valid(text, n));
            text[at] = (char)0xc3; /* the first byte of two */
            assert_false(dq_utf8_valid(text, n));
            if (at + 1 < n) text[at + 1] = (char)0xa9;
            assert_int_equal(dq_utf8_valid(text, n), at + 1 < n);
            text[at] = 'a'; /* the second byte alone */
            assert_int_equal(dq_utf8_valid(text, n), at + 1 == n);
            free(text);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_is_stable_and_uniform),
        cmocka_unit_test(short_bytes_are_copied_and_compared),
        cmocka_unit_test(a_text_is_utf8_wherever_its_letters_stand),
        cmocka_unit_test(an_error_stays_on_one_line_and_keeps_its_first_place),
        cmocka_unit_test(random_numbers_are_the_published_ones),
        cmocka_unit_test(random_streams_differ_and_repeat),
        cmocka_unit_test(uniform_normal_and_below_have_their_moments),
        cmocka_unit_test(a_sample_has_no_repeats_and_a_shuffle_keeps_all),
        cmocka_unit_test(every_half_survives_the_way_through_float),
        cmocka_unit_test(halves_have_their_values),
        cmocka_unit_test(halves_round_to_nearest_even),
        cmocka_unit_test(an_index_numbers_ids_as_they_come),
        cmocka_unit_test(maps_replace_grow_copy_and_compare),
        cmocka_unit_test(containers_refuse_what_an_arena_lacked),
        cmocka_unit_test(floats_copy_and_compare),
        cmocka_unit_test(bundles_refuse_twins_overflow_and_what_is_not_there),
        cmocka_unit_test(a_schema_names_what_is_wrong),
        cmocka_unit_test(a_schema_knows_halves_that_are_not_finite),
        cmocka_unit_test(what_was_logged_of_a_choice_is_in_its_range),
        cmocka_unit_test(every_table_has_its_rows_in_every_column),
        cmocka_unit_test(fields_are_written_read_and_bounded),
        cmocka_unit_test(nulls_in_texts_are_kept_apart_from_empty_ones),
        cmocka_unit_test(a_model_fits_the_layout_that_it_was_trained_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
