/* SPDX-License-Identifier: MIT
 *
 * Cosines in tiles against the plain form, one pair at a time: as products, of any order of pairs on any
 * threads, and as the rewards of the strategies that use them.
 */
#include "core/rng.h"
#include "math/pool.h"
#include "reward/cosines.h"
#include "reward/label.h"

#include <stdio.h>
#include <stdlib.h>

#include "small_catalogue.h"

/* ---- a tile ---- */

enum { USERS = DQ_COSINE_USERS, ITEMS = DQ_COSINE_ITEMS, WIDE = 700, STRIDE = ITEMS + 3 };

typedef struct rows {
    float *numbers; /* (n, WIDE) */
    const float *at[ITEMS];
} rows;

static rows draw_rows(size_t n, uint64_t seed)
{
    rows r = {.numbers = malloc(n * WIDE * sizeof(float))};
    dq_rng rng = dq_rng_new(seed);
    assert_non_null(r.numbers);
    for (size_t i = 0; i < n * WIDE; i++) r.numbers[i] = (float)dq_rng_uniform(&rng) - 0.25F;
    for (size_t i = 0; i < n; i++) r.at[i] = r.numbers + i * WIDE;
    return r;
}

/* Every pair of a tile is within 1e-6 of the plain form, has the bits that it has alone, and nothing beside
 * the tile is written. */
static void check_tile(const rows *users, size_t user_count, const rows *items, size_t item_count,
                       const dq_pairing *pairs, size_t count)
{
    static float out[USERS * STRIDE];
    const dq_cosine_side user_side = {.row = users->at, .count = user_count},
                         item_side = {.row = items->at, .count = item_count};
    for (size_t i = 0; i < USERS * STRIDE; i++) out[i] = 9;
    dq_cosine_tile(&user_side, &item_side, pairs, count, out, STRIDE);
    for (size_t u = 0; u < USERS; u++)
        for (size_t i = 0; i < STRIDE; i++) {
            float got = out[u * STRIDE + i], alone;
            if (u >= user_count || i >= item_count) {
                assert_true(got == 9);
                continue;
            }
            double plain = dq_cosine(users->at[u], items->at[i], pairs, count);
            if (!(fabs((double)got - plain) < 1e-6))
                fail_msg("user %zu, item %zu: %.9g, not %.9g", u, i, (double)got, plain);
            if ((u * 7 + i) % 13) continue;
            const dq_cosine_side user = {.row = &users->at[u], .count = 1},
                                 item = {.row = &items->at[i], .count = 1};
            dq_cosine_tile(&user, &item, pairs, count, &alone, 1);
            assert_memory_equal(&alone, &got, sizeof got);
        }
}

static void tiles_equal_the_plain_form(void **unused)
{
    (void)unused;
    static const struct {
        size_t users, items;
        uint32_t width;
    } cases[] = {{1, 1, 1},  {1, 16, 3},     {3, 17, 128},      {4, 15, 129},       {5, 40, 300},
                 {64, 1, 7}, {9, ITEMS, 65}, {USERS, ITEMS, 8}, {USERS, ITEMS, 384}};
    rows users = draw_rows(USERS, 1), items = draw_rows(ITEMS, 2);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        uint32_t width = cases[k].width;
        const dq_pairing pairs[] = {{0, 3, width}, {1, 0, width / 2}, {WIDE - width, 5, width}};
        for (size_t count = 1; count <= 3; count += 2)
            check_tile(&users, cases[k].users, &items, cases[k].items, pairs, count);
    }
    free(users.numbers);
    free(items.numbers);
}

/* Rows of zeros, rows between the least float and the greatest, and rows with both in them. */
static void check_lengths(void)
{
    static const float lengths[] = {0,     1e-45F, 3e-42F, 1e-38F, 1e-30F, 1e-22F, 1e-10F,
                                    1e-5F, 1,      1e5F,   1e18F,  1e25F,  1e33F,  8e37F};
    enum { LENGTHS = sizeof lengths / sizeof *lengths };
    const dq_pairing two[] = {{0, 2, 30}, {31, 31, 300}};
    rows users = draw_rows(2 * LENGTHS, 3), items = draw_rows(2 * LENGTHS, 4);
    for (size_t r = 0; r < 2 * LENGTHS; r++)
        for (size_t k = 0; k < WIDE; k++) {
            bool mixed = r >= LENGTHS && k % 3 == 0;
            users.numbers[r * WIDE + k] *= mixed ? 1e-3F : lengths[r % LENGTHS];
            items.numbers[r * WIDE + k] *= mixed ? 1e3F : lengths[r % LENGTHS];
        }
    check_tile(&users, 2 * LENGTHS, &items, 2 * LENGTHS, two, 1);
    check_tile(&users, 2 * LENGTHS, &items, 2 * LENGTHS, two, 2);
    free(users.numbers);
    free(items.numbers);
}

static void vectors_of_any_length(void **unused)
{
    (void)unused;
    dq_pool *pool;
    dq_error e = DQ_ERROR_NONE;
    check_lengths();
    assert_int_equal(dq_pool_new(&pool, 1, &e), DQ_OK); /* and where this thread flushes denormals */
    check_lengths();
    dq_pool_free(pool);
}

/* Vectors of small whole numbers have the very cosines of the plain form: equal ones stay equal. */
static void whole_numbers_are_exact(void **unused)
{
    (void)unused;
    const dq_pairing pair = {0, 0, 40};
    rows users = draw_rows(USERS, 5), items = draw_rows(ITEMS, 6);
    static float out[USERS * ITEMS];
    for (size_t i = 0; i < USERS * WIDE; i++) users.numbers[i] = users.numbers[i] > 0.5F;
    for (size_t i = 0; i < ITEMS * WIDE; i++) items.numbers[i] = 3 * (float)(items.numbers[i] > 0.2F);
    dq_cosine_tile(&(dq_cosine_side){.row = users.at, .count = USERS},
                   &(dq_cosine_side){.row = items.at, .count = ITEMS}, &pair, 1, out, ITEMS);
    for (size_t u = 0; u < USERS; u++)
        for (size_t i = 0; i < ITEMS; i++)
            assert_true(out[u * ITEMS + i] == (float)dq_cosine(users.at[u], items.at[i], &pair, 1));
    free(users.numbers);
    free(items.numbers);
}

/* ---- pairs ---- */

enum { MANY = 5000, ROWS = 90, WIDTH = 33 };

typedef struct pair_list {
    uint32_t user[MANY], item[MANY];
} pair_list;

/* All pairs in a row, the same in pieces of other lengths, some items of each user, one user, and chance. */
static void list_pairs(pair_list *l, unsigned way)
{
    dq_rng rng = dq_rng_new(7);
    for (uint32_t i = 0; i < MANY; i++) {
        uint32_t of[][2] = {{i / ROWS, i % ROWS},
                            {i / 11, i * i % 7 + i % 11},
                            {i / 41, (i / 41 % 3) * 20 + i % 41},
                            {0, i},
                            {(uint32_t)dq_rng_below(&rng, 3), (uint32_t)dq_rng_below(&rng, ROWS)}};
        l->user[i] = of[way][0] % ROWS;
        l->item[i] = of[way][1] % ROWS;
    }
}

static void pairs_equal_the_plain_form(void **unused)
{
    (void)unused;
    static const dq_pairing pairing = {1, 2, WIDTH};
    static pair_list list;
    static float out[MANY], again[MANY];
    rows users = draw_rows(ROWS, 8), items = draw_rows(ROWS, 9);
    dq_cosines c = {
        .users = users.at, .items = items.at, .pairings = &pairing, .pairing_count = 1, .threads = 1};
    for (unsigned way = 0; way < 5; way++) {
        list_pairs(&list, way);
        c.threads = 1;
        dq_cosines_pairs(&c, list.user, list.item, out, MANY);
        for (size_t i = 0; i < MANY; i++) {
            double plain = dq_cosine(users.at[list.user[i]], items.at[list.item[i]], &pairing, 1);
            assert_true(fabs((double)out[i] - plain) < 1e-6);
        }
        for (c.threads = 2; c.threads <= 70; c.threads += 17) { /* 70: more than there can be */
            dq_cosines_pairs(&c, list.user, list.item, again, MANY);
            assert_memory_equal(again, out, sizeof out);
        }
        for (size_t at = 0, n = 1; at < MANY; at += n, n = n * 3 % 977 + 1) { /* in blocks */
            if (n > MANY - at) n = MANY - at;
            dq_cosines_pairs(&c, list.user + at, list.item + at, again + at, n);
        }
        assert_memory_equal(again, out, sizeof out);

        dq_cosine_scale user_scales[ROWS], item_scales[ROWS]; /* with the rows measured before */
        dq_cosines_measure(&c, false, ROWS, user_scales);
        dq_cosines_measure(&c, true, ROWS, item_scales);
        c.user_scales = user_scales;
        c.item_scales = item_scales;
        dq_cosines_pairs(&c, list.user, list.item, again, MANY);
        assert_memory_equal(again, out, sizeof out);
        c.user_scales = c.item_scales = NULL;
    }
    dq_cosines_pairs(&c, list.user, list.item, out, 0);
    free(users.numbers);
    free(items.numbers);
}

static void a_table_equals_its_pairs(void **unused)
{
    (void)unused;
    static const dq_pairing pairing = {0, 0, WIDTH};
    static pair_list list;
    static float table[USERS * ROWS], out[MANY];
    uint32_t chosen[USERS];
    rows users = draw_rows(ROWS, 10), items = draw_rows(ROWS, 11);
    dq_cosines c = {
        .users = users.at, .items = items.at, .pairings = &pairing, .pairing_count = 1, .threads = 3};
    for (uint32_t u = 0; u < USERS; u++) chosen[u] = u * 31 % ROWS;
    dq_cosines_table(&c, chosen, 50, table, ROWS);
    for (uint32_t i = 0; i < 50 * ROWS; i++) {
        list.user[i] = chosen[i / ROWS];
        list.item[i] = i % ROWS;
    }
    dq_cosines_pairs(&c, list.user, list.item, out, 50 * (size_t)ROWS);
    assert_memory_equal(out, table, 50 * ROWS * sizeof *out);
    free(users.numbers);
    free(items.numbers);
}

/* ---- rewards ---- */

static dq_status submit(void *self, const uint32_t *user, const uint32_t *item, size_t n, dq_error *error)
{
    (void)self, (void)user, (void)item, (void)n, (void)error;
    return DQ_OK;
}

static dq_status take(void *self, size_t n, dq_verdict *verdicts, dq_error *error)
{
    (void)self, (void)error;
    for (size_t i = 0; i < n; i++) verdicts[i] = (dq_verdict){.label = "APPLY", .reward = 1};
    return DQ_OK;
}

/* Each strategy that uses cosines gives every pair what the plain form gives it, block or not. */
static void rewards_equal_the_plain_form(void **unused)
{
    (void)unused;
    enum { U = 20, I = 40 };
    static const small_entities users = {.kind = DQ_KIND_USERS, .width = 8};
    static const small_entities items = {.kind = DQ_KIND_ITEMS, .width = 8};
    static const dq_strategy strategies[] = {DQ_STRATEGY_COSINE, DQ_STRATEGY_HYBRID};
    static small_row row[U + I];
    static char ids[U + I][8];
    static uint32_t user[U * I], item[U * I];
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    dq_error e = DQ_ERROR_NONE;
    dq_rng rng = dq_rng_new(12);
    for (size_t r = 0; r < U + I; r++) {
        (void)snprintf(ids[r], sizeof ids[r], "%zu", r);
        row[r].id = ids[r];
        for (size_t k = 0; k < 8; k++) row[r].vector[k] = (float)dq_rng_uniform(&rng) - 0.5F;
    }
    small_add(&c, &users, row, U);
    small_add(&c, &items, row + U, I);
    small_finish(&c);
    for (uint32_t i = 0; i < U * I; i++) {
        user[i] = i / I;
        item[i] = i % I;
    }
    for (size_t s = 0; s < 2; s++) {
        bool mixed = strategies[s] == DQ_STRATEGY_HYBRID;
        dq_labeller l = {.strategy = strategies[s], .weight = 0.25, .threads = 2};
        dq_rewards r, one;
        l.source = (dq_label_source){.submit = submit, .take = take};
        assert_int_equal(dq_labeller_ready(&l, &c, &e), DQ_OK);
        assert_int_equal(dq_labeller_fields(&l, NULL, 0, &e), DQ_OK);
        assert_int_equal(dq_label_pairs(&l, user, item, NULL, U * I, &r, &e), DQ_OK);
        for (size_t i = 0; i < U * I; i++) {
            double plain = dq_cosine(row[user[i]].vector, row[U + item[i]].vector, l.pairings, 1);
            double scaled = (plain + 1) / 2, reward = mixed ? 0.25 * scaled + 0.75 : scaled;
            assert_true(fabs((double)r.cosine[i] - scaled) < 1e-6 &&
                        fabs((double)r.reward[i] - reward) < 1e-6);
            assert_int_equal(dq_label_pairs(&l, user + i, item + i, NULL, 1, &one, &e), DQ_OK);
            assert_true(one.cosine[0] == r.cosine[i] && one.reward[0] == r.reward[i]);
            dq_rewards_free(&one);
        }
        dq_rewards_free(&r);
        dq_labeller_free(&l);
    }
    dq_catalogue_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_equal_the_plain_form), cmocka_unit_test(vectors_of_any_length),
        cmocka_unit_test(whole_numbers_are_exact),    cmocka_unit_test(pairs_equal_the_plain_form),
        cmocka_unit_test(a_table_equals_its_pairs),   cmocka_unit_test(rewards_equal_the_plain_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
