/* SPDX-License-Identifier: MIT
 *
 * The items that stream by: which rows are new, which are refused, how they are cut into blocks, and the
 * cosine of a block.
 */
#include "rank/score.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WIDTH = 4, MANY = 5000, USERS = 3 };

static dq_pool *pool;

/* Ids are the letters of `ids`; each row's vector is `value` four times. */
static dq_bundle letters(const char *ids, const float *values)
{
    static const uint32_t at[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    dq_error e = DQ_ERROR_NONE;
    dq_bundle b;
    size_t rows = strlen(ids);
    assert_int_equal(dq_bundle_init(&b, "items", rows, &e), DQ_OK);
    float *vectors = dq_arena_zero(&b.arena, rows * WIDTH + 1, sizeof *vectors);
    assert_non_null(vectors);
    for (size_t n = 0; n < rows * WIDTH; n++) vectors[n] = values[n / WIDTH];
    assert_int_equal(dq_bundle_add_text(&b, "id", DQ_TEXT, at, ids, NULL, &e), DQ_OK);
    assert_int_equal(
        dq_bundle_add_tensor(&b, "vector", DQ_F4, 2, (const uint64_t[]){rows, WIDTH}, vectors, &e), DQ_OK);
    return b;
}

/* Takes a bundle and frees it. */
static dq_status take(dq_rank_items *items, dq_bundle b, uint64_t section)
{
    dq_error e = DQ_ERROR_NONE;
    dq_status status = dq_rank_items_agree(items, &b, &e);
    if (!status) status = dq_rank_items_take(items, &b, section, pool, &e);
    dq_bundle_free(&b);
    return status;
}

static void test_numbers(void **state)
{
    (void)state;
    static const float values[] = {1, 2, 3};
    dq_rank_items items = {0};
    assert_int_equal(take(&items, letters("abc", values), 0), DQ_OK);
    assert_int_equal(items.identity.fresh_count, 3);
    assert_int_equal(take(&items, letters("", values), 0), DQ_OK);
    /* Equal rows of another section are not new, in whatever order. */
    assert_int_equal(take(&items, letters("cxb", (const float[]){3, 9, 2}), 1), DQ_OK);
    assert_int_equal(items.identity.fresh_count, 1);
    assert_int_equal(items.identity.fresh[0], 1);
    assert_int_equal(dq_index_count(&items.identity.ids), 4);
    assert_int_equal(dq_index_find(&items.identity.ids, "x", 1), 3);
    dq_rank_items_free(&items);
}

static void test_refusals(void **state)
{
    (void)state;
    static const float values[] = {1, 2, 3};
    dq_rank_items items = {0};
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(take(&items, letters("ab", values), 0), DQ_OK);
    assert_int_equal(take(&items, letters("b", values + 1), 0), DQ_ERR_DUPLICATE); /* in one section */
    assert_int_equal(take(&items, letters("b", values), 1), DQ_ERR_DUPLICATE);     /* an unequal row */
    assert_int_equal(take(&items, letters("b", values + 1), 1), DQ_OK);
    dq_bundle b;
    assert_int_equal(dq_bundle_init(&b, "items", 1, &e), DQ_OK);
    assert_int_equal(dq_rank_items_agree(&items, &b, &e), DQ_ERR_SCHEMA); /* no vectors */
    assert_int_equal(
        dq_bundle_add_tensor(&b, "vector", DQ_F4, 2, (const uint64_t[]){1, WIDTH - 1}, values, &e), DQ_OK);
    assert_int_equal(dq_rank_items_agree(&items, &b, &e), DQ_ERR_SCHEMA); /* another width */
    dq_bundle_free(&b);
    b = letters("z", values);
    const dq_field halves[] = {{"left", 0, 2, 0}, {"right", 2, 2, 0}};
    assert_int_equal(dq_fields_write(halves, 2, &b.arena, &b.meta, &e), DQ_OK);
    assert_int_equal(take(&items, b, 1), DQ_ERR_SCHEMA); /* other fields */
    dq_rank_items_free(&items);
}

/* ---- blocks and their cosines ---- */

static float vectors[MANY][WIDTH];

static dq_bundle many(void)
{
    static uint32_t at[MANY + 1];
    static char ids[MANY * 4];
    dq_error e = DQ_ERROR_NONE;
    dq_bundle b;
    for (uint32_t i = 0; i < MANY; i++) {
        memcpy(ids + (size_t)i * 4, &i, 4);
        at[i + 1] = 4 * (i + 1);
        for (uint32_t d = 0; d < WIDTH; d++) vectors[i][d] = (float)((i * 7 + d * d * 31 + i * d) % 11) - 5;
    }
    assert_int_equal(dq_bundle_init(&b, "items", MANY, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_text(&b, "id", DQ_TEXT, at, ids, NULL, &e), DQ_OK);
    assert_int_equal(
        dq_bundle_add_tensor(&b, "vector", DQ_F4, 2, (const uint64_t[]){MANY, WIDTH}, vectors, &e), DQ_OK);
    return b;
}

static double plain_cosine(const float *a, const float *b)
{
    double dot = 0, aa = 0, bb = 0;
    for (size_t d = 0; d < WIDTH; d++) {
        dot += (double)a[d] * (double)b[d];
        aa += (double)a[d] * (double)a[d];
        bb += (double)b[d] * (double)b[d];
    }
    return aa > 0 && bb > 0 ? dot / sqrt(aa * bb) : 0;
}

/* All rows through one block again and again; numbers, ids and scores are those of the rows. */
static void test_blocks(void **state)
{
    (void)state;
    static const float users[USERS][WIDTH] = {{1, 0, 0, 0}, {0.5F, -2, 3, 1}, {0, 0, 0, 0}};
    static float out[USERS * MANY];
    static uint32_t rows[MANY];
    const float *of[USERS] = {users[0], users[1], users[2]};
    dq_error e = DQ_ERROR_NONE;
    dq_rank_items items = {.width = WIDTH};
    dq_rank_scorer scorer = {.by = DQ_RANK_BY_COSINE, .pool = pool};
    dq_entities side = {.width = WIDTH};
    dq_bundle b = many();
    dq_rank_block block = {0};
    assert_int_equal(dq_rank_scorer_fit(&scorer, &side, &items, NULL, 0, &e), DQ_OK);
    assert_int_equal(dq_rank_block_open(&block, WIDTH, 2, &e), DQ_OK);
    assert_true(block.capacity < MANY);
    for (uint32_t i = 0; i < MANY; i++) rows[i] = MANY - 1 - i;
    for (uint32_t at = 0; at < MANY;) {
        dq_rank_block_clear(&block, at);
        assert_int_equal(dq_rank_block_fill(&block, &b, rows, MANY, &at, &e), DQ_OK);
        assert_int_equal(block.first + block.rows, at);
        assert_true(block.rows == block.capacity || at == MANY);
        assert_int_equal(dq_rank_scorer_score(&scorer, of, USERS, 0, &block, out, NULL), DQ_OK);
        for (uint32_t r = 0; r < block.rows; r++) {
            uint32_t row = rows[block.first + r];
            size_t n;
            assert_memory_equal(dq_strings_get(&block.ids, r, &n), &row, 4);
            for (size_t u = 0; u < USERS; u++)
                assert_true(fabs((double)out[u * block.rows + r] - plain_cosine(users[u], vectors[row])) <
                            1e-6);
        }
    }
    dq_rank_block_free(&block);
    dq_rank_scorer_free(&scorer);
    dq_bundle_free(&b);
}

/* Halves stay halves in a block, and score as their floats do; a block ends where the type changes. */
static void test_blocks_of_halves(void **state)
{
    (void)state;
    enum { ROWS = 300 };
    static const dq_dtype types[] = {DQ_F2, DQ_BF16};
    static const float user[WIDTH] = {0.5F, -2, 3, 1};
    static float out[ROWS], expected[ROWS], floats[ROWS][WIDTH];
    static uint16_t halves[ROWS][WIDTH];
    static uint32_t at[ROWS + 1], rows[ROWS];
    const float *of[] = {user};
    dq_error e = DQ_ERROR_NONE;
    dq_rank_items items = {.width = WIDTH};
    dq_rank_scorer scorer = {.by = DQ_RANK_BY_COSINE, .pool = pool};
    dq_entities side = {.width = WIDTH};
    assert_int_equal(dq_rank_scorer_fit(&scorer, &side, &items, NULL, 0, &e), DQ_OK);
    for (uint32_t i = 0; i < ROWS; i++) rows[i] = i;
    for (size_t t = 0; t < 2; t++) {
        dq_rank_block block = {0}, wide = {.floats = true};
        dq_bundle half, whole;
        float scratch[WIDTH];
        for (uint32_t i = 0; i < ROWS * WIDTH; i++) floats[i / WIDTH][i % WIDTH] = (float)(i * 37 % 101) - 50;
        dq_convert_from_f4(halves, types[t], floats[0], ROWS * WIDTH);
        dq_convert_f4(floats[0], halves, types[t], ROWS * WIDTH);
        assert_int_equal(dq_bundle_init(&half, "items", ROWS, &e), DQ_OK);
        assert_int_equal(dq_bundle_add_text(&half, "id", DQ_TEXT, at, "", NULL, &e), DQ_OK);
        assert_int_equal(
            dq_bundle_add_tensor(&half, "vector", types[t], 2, (const uint64_t[]){ROWS, WIDTH}, halves, &e),
            DQ_OK);
        whole = many();
        assert_int_equal(dq_rank_block_open(&block, WIDTH, 2, &e), DQ_OK);
        assert_int_equal(dq_rank_block_open(&wide, WIDTH, 2, &e), DQ_OK);
        uint32_t row = 0, same = 0;
        assert_int_equal(dq_rank_block_fill(&block, &half, rows, ROWS, &row, &e), DQ_OK);
        assert_int_equal(dq_rank_block_fill(&wide, &half, rows, ROWS, &same, &e), DQ_OK);
        assert_int_equal(row, ROWS);
        assert_null(block.vectors);
        assert_null(wide.halves);
        assert_memory_equal(wide.vectors, floats, sizeof floats);
        assert_memory_equal(dq_rank_block_vector(&block, 7, scratch), floats[7], sizeof floats[7]);
        assert_false(dq_rank_block_is_full(&block, &half));
        assert_true(dq_rank_block_is_full(&block, &whole));
        assert_false(dq_rank_block_is_full(&wide, &whole));
        row = 0;
        assert_int_equal(dq_rank_block_fill(&block, &whole, rows, ROWS, &row, &e), DQ_OK);
        assert_int_equal(row, 0); /* not before it is cleared */
        assert_int_equal(dq_rank_scorer_score(&scorer, of, 1, 0, &block, out, NULL), DQ_OK);
        assert_int_equal(dq_rank_scorer_score(&scorer, of, 1, 0, &wide, expected, NULL), DQ_OK);
        assert_memory_equal(out, expected, sizeof out);
        dq_rank_block_clear(&block, 0);
        assert_int_equal(dq_rank_block_fill(&block, &whole, rows, ROWS, &row, &e), DQ_OK);
        assert_int_equal(row, ROWS);
        assert_memory_equal(block.vectors, vectors, ROWS * WIDTH * sizeof(float));
        dq_rank_block_free(&block);
        dq_rank_block_free(&wide);
        dq_bundle_free(&half);
        dq_bundle_free(&whole);
    }
    dq_rank_scorer_free(&scorer);
}

static int make_pool(void **state)
{
    (void)state;
    return dq_pool_new(&pool, 2, NULL) ? -1 : 0;
}

static int free_pool(void **state)
{
    (void)state;
    dq_pool_free(pool);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_blocks_of_halves),
    };
    return cmocka_run_group_tests(tests, make_pool, free_pool);
}
