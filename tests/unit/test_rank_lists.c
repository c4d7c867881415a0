/* SPDX-License-Identifier: MIT
 *
 * The users' lists against the definition: all items of a user scored, sorted and cut. Scores are drawn from
 * few levels, so that ties abound; items come in blocks, in several orders, with one thread and with more.
 */
#include "math/cosine.h"
#include "rank/explore.h"
#include "rank/lists.h"
#include "rank/mmr.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { USERS = 21, ITEMS = 1200, WIDTH = 4, CUT = 150, BLOCKS = ITEMS / CUT, SEEN = 3000 };

typedef struct world {
    dq_catalogue catalogue; /* users */
    dq_bundle items;
    dq_rank_block blocks[BLOCKS];
    dq_rank_seen seen;
    bool met[USERS][ITEMS];
    char user_ids[USERS * 4], item_ids[ITEMS * 6], seen_users[SEEN * 4], seen_items[SEEN * 6];
    uint32_t user_at[USERS + 1], item_at[ITEMS + 1], seen_user_at[SEEN + 1], seen_item_at[SEEN + 1];
    float nothing[USERS], vectors[ITEMS][WIDTH];
    float scores[USERS][ITEMS]; /* what the scorer gives */
    uint32_t output_of[ITEMS];
} world;

static world w;

/* ---- the world ---- */

/* Appends an id and its number; returns where the next one begins. */
static uint32_t write_id(char *data, uint32_t at, char letter, uint32_t number)
{
    char id[8];
    int n = snprintf(id, sizeof id, "%c%u", letter, number);
    memcpy(data + at, id, (size_t)n);
    return at + (uint32_t)n;
}

static void make_users(void)
{
    dq_error e = DQ_ERROR_NONE;
    dq_bundle b;
    bool taken;
    for (uint32_t u = 0; u < USERS; u++) w.user_at[u + 1] = write_id(w.user_ids, w.user_at[u], 'u', u);
    assert_int_equal(dq_bundle_init(&b, "users", USERS, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_text(&b, "id", DQ_TEXT, w.user_at, w.user_ids, NULL, &e), DQ_OK);
    assert_int_equal(
        dq_bundle_add_tensor(&b, "vector", DQ_F4, 2, (const uint64_t[]){USERS, 1}, w.nothing, &e), DQ_OK);
    assert_int_equal(dq_catalogue_add(&w.catalogue, &b, 0, &taken, &e), DQ_OK);
    assert_true(taken);
}

static void make_items(dq_rng *rng)
{
    dq_error e = DQ_ERROR_NONE;
    uint32_t rows[ITEMS];
    for (uint32_t i = 0; i < ITEMS; i++) {
        rows[i] = w.output_of[i] = i;
        w.item_at[i + 1] = write_id(w.item_ids, w.item_at[i], 'j', i);
        for (size_t d = 0; d < WIDTH; d++) w.vectors[i][d] = (float)dq_rng_uniform(rng) - 0.5F;
        for (size_t u = 0; u < USERS; u++) w.scores[u][i] = (float)dq_rng_below(rng, 50) / 7;
    }
    assert_int_equal(dq_bundle_init(&w.items, "items", ITEMS, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_text(&w.items, "id", DQ_TEXT, w.item_at, w.item_ids, NULL, &e), DQ_OK);
    assert_int_equal(
        dq_bundle_add_tensor(&w.items, "vector", DQ_F4, 2, (const uint64_t[]){ITEMS, WIDTH}, w.vectors, &e),
        DQ_OK);
    for (uint32_t b = 0; b < BLOCKS; b++) {
        uint32_t at = b * CUT;
        assert_int_equal(dq_rank_block_open(&w.blocks[b], WIDTH, 1, &e), DQ_OK);
        dq_rank_block_clear(&w.blocks[b], at);
        assert_int_equal(dq_rank_block_fill(&w.blocks[b], &w.items, rows, at + CUT, &at, &e), DQ_OK);
        assert_int_equal(at, (b + 1) * CUT);
    }
}

static dq_bundle interactions(uint64_t rows)
{
    dq_error e = DQ_ERROR_NONE;
    dq_bundle b;
    assert_int_equal(dq_bundle_init(&b, "interactions", rows, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_text(&b, "user", DQ_TEXT, w.seen_user_at, w.seen_users, NULL, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_text(&b, "item", DQ_TEXT, w.seen_item_at, w.seen_items, NULL, &e), DQ_OK);
    return b;
}

/* Pairs, some of them repeated, and of users and items that the catalogue lacks. */
static void make_seen(dq_rng *rng)
{
    dq_error e = DQ_ERROR_NONE;
    for (uint32_t n = 0; n < SEEN; n++) {
        uint32_t u = (uint32_t)dq_rng_below(rng, USERS + 1), i = (uint32_t)dq_rng_below(rng, ITEMS + 9);
        w.seen_user_at[n + 1] = write_id(w.seen_users, w.seen_user_at[n], 'u', u);
        w.seen_item_at[n + 1] = write_id(w.seen_items, w.seen_item_at[n], 'j', i);
        if (u < USERS && i < ITEMS) w.met[u][i] = true;
    }
    dq_bundle b = interactions(SEEN);
    assert_int_equal(dq_rank_seen_add(&w.seen, &b, NULL, &e), DQ_OK);
    dq_bundle_free(&b);
}

static int make_world(void **state)
{
    (void)state;
    dq_rng rng = dq_rng_new(11);
    make_users();
    make_items(&rng);
    make_seen(&rng);
    return 0;
}

static int free_world(void **state)
{
    (void)state;
    dq_catalogue_free(&w.catalogue);
    dq_bundle_free(&w.items);
    for (size_t b = 0; b < BLOCKS; b++) dq_rank_block_free(&w.blocks[b]);
    dq_rank_seen_free(&w.seen);
    return 0;
}

/* ---- the definition ---- */

static dq_scored item_of(uint32_t i, float score)
{
    return (dq_scored){.score = score,
                       .id = w.item_ids + w.item_at[i],
                       .id_bytes = w.item_at[i + 1] - w.item_at[i],
                       .tag = i};
}

static int by_order(const void *a, const void *b)
{
    return dq_scored_compare(a, b);
}

typedef float (*key_fn)(const dq_rank_config *config, uint32_t u, uint32_t i);

static float score_key(const dq_rank_config *config, uint32_t u, uint32_t i)
{
    (void)config;
    return w.scores[u][i];
}

static dq_rng rng_of(const dq_rank_config *config, uint32_t u, const dq_scored *item)
{
    return dq_explore_rng(config->seed, w.user_ids + w.user_at[u], w.user_at[u + 1] - w.user_at[u],
                          item ? item->id : "", item ? item->id_bytes : 0);
}

static float softmax_key(const dq_rank_config *config, uint32_t u, uint32_t i)
{
    dq_scored item = item_of(i, 0);
    dq_rng rng = rng_of(config, u, &item);
    return dq_explore_softmax(w.scores[u][i], config->temperature, &rng);
}

static float uniform_key(const dq_rank_config *config, uint32_t u, uint32_t i)
{
    dq_scored item = item_of(i, 0);
    dq_rng rng = rng_of(config, u, &item);
    return dq_explore_uniform(&rng);
}

/* All that may be offered to a user, sorted by a key and cut at n. */
static size_t sorted(const dq_rank_config *config, uint32_t u, key_fn key, size_t n, dq_scored *items)
{
    size_t count = 0;
    for (uint32_t i = 0; i < ITEMS; i++)
        if (!config->seen || !w.met[u][i]) items[count++] = item_of(i, key(config, u, i));
    qsort(items, count, sizeof *items, by_order);
    return count < n ? count : n;
}

/* Each place goes to the greatest margin over all candidates; equal margins to the earlier one. */
static size_t plain_mmr(const dq_rank_config *config, const dq_scored *pool, size_t n, uint32_t *list)
{
    const dq_pairing whole = {0, 0, WIDTH};
    static float scores[ITEMS];
    static double relevance[ITEMS];
    bool used[ITEMS] = {false};
    size_t k = n < config->k ? n : config->k;
    for (size_t c = 0; c < n; c++) scores[c] = pool[c].score;
    dq_mmr_relevance(scores, n, relevance);
    for (size_t place = 0; place < k; place++) {
        size_t best = n;
        double most = 0;
        for (size_t c = 0; c < n; c++) {
            double nearest = -1;
            for (size_t p = 0; p < place; p++)
                nearest = fmax(nearest, dq_cosine(w.vectors[pool[c].tag], w.vectors[list[p]], &whole, 1));
            double margin = config->lambda * relevance[c] - (1 - config->lambda) * nearest;
            if (used[c] || (best < n && margin <= most)) continue;
            best = c;
            most = margin;
        }
        used[best] = true;
        list[place] = (uint32_t)pool[best].tag;
    }
    return k;
}

/* The list by its definition: numbers of items. */
static size_t expected(const dq_rank_config *config, uint32_t u, uint32_t *list)
{
    static dq_scored best[ITEMS], random[ITEMS];
    static const dq_scored *mixed[ITEMS];
    key_fn key = config->order == DQ_RANK_SOFTMAX ? softmax_key : score_key;
    size_t n = sorted(config, u, key, config->order == DQ_RANK_MMR ? config->pool : config->k, best);
    if (config->order == DQ_RANK_MMR) return plain_mmr(config, best, n, list);
    for (size_t p = 0; p < n; p++) mixed[p] = &best[p];
    if (config->order == DQ_RANK_EPSILON) {
        size_t m = sorted(config, u, uniform_key, config->k, random);
        dq_rng rng = rng_of(config, u, NULL);
        n = dq_explore_epsilon(best, n, random, m, config->epsilon, &rng, n, mixed);
    }
    for (size_t p = 0; p < n; p++) list[p] = (uint32_t)mixed[p]->tag;
    return n;
}

/* ---- lists ---- */

static void open_lists(dq_rank_lists *lists, const dq_rank_config *config)
{
    dq_error e = DQ_ERROR_NONE;
    *lists = (dq_rank_lists){0};
    assert_int_equal(dq_rank_lists_open(lists, config, &w.catalogue.users, &e), DQ_OK);
    for (uint32_t u = 0; u < USERS; u++) /* the scorer takes these for the values of its actions */
        if (lists->of_row[u] != DQ_ABSENT) lists->vectors[lists->of_row[u]] = w.scores[u];
}

static dq_rank_scorer open_scorer(unsigned threads)
{
    dq_error e = DQ_ERROR_NONE;
    dq_rank_scorer scorer = {.output_of = w.output_of};
    assert_int_equal(dq_pool_new(&scorer.pool, threads, &e), DQ_OK);
    return scorer;
}

/* How likely the item of a place was, given those above it, over all that might be offered; NAN: no chance in
 * it. */
static double propensity_of(const dq_rank_config *config, uint32_t u, const uint32_t *list, size_t place)
{
    bool taken[ITEMS] = {false};
    double sum = 0;
    size_t left = 0;
    uint32_t best = ITEMS, chosen = list[place];
    for (size_t p = 0; p < place; p++) taken[list[p]] = true;
    for (uint32_t i = 0; i < ITEMS; i++) {
        if (taken[i] || (config->seen && w.met[u][i])) continue;
        dq_scored a = item_of(i, w.scores[u][i]), b = best < ITEMS ? item_of(best, w.scores[u][best]) : a;
        if (best == ITEMS || dq_scored_compare(&a, &b) < 0) best = i;
        sum += exp(((double)w.scores[u][i] - (double)w.scores[u][chosen]) / config->temperature);
        left++;
    }
    if (config->order == DQ_RANK_SOFTMAX) return 1 / sum;
    if (config->order != DQ_RANK_EPSILON) return NAN;
    return config->epsilon / (double)left + (chosen == best ? 1 - config->epsilon : 0);
}

static void check_list(dq_rank_lists *lists, uint32_t u)
{
    static dq_rank_place places[ITEMS];
    static uint32_t list[ITEMS];
    dq_error e = DQ_ERROR_NONE;
    size_t count, n = expected(&lists->config, u, list);
    assert_int_equal(dq_rank_lists_finish(lists, lists->of_row[u], places, &count, &e), DQ_OK);
    assert_int_equal(count, n);
    for (size_t p = 0; p < n; p++) {
        dq_scored item = item_of(list[p], w.scores[u][list[p]]);
        assert_int_equal(places[p].item_bytes, item.id_bytes);
        assert_memory_equal(places[p].item, item.id, item.id_bytes);
        assert_true(places[p].score == item.score);
        double chance = propensity_of(&lists->config, u, list, p);
        assert_true(isnan(chance) ? isnan(places[p].propensity)
                                  : fabs(places[p].propensity - chance) <= 1e-11 * chance);
    }
}

/* Orders of the blocks: as they are numbered, backwards, and shuffled. */
static void order_blocks(unsigned way, uint32_t *order)
{
    dq_rng rng = dq_rng_new(way);
    for (uint32_t b = 0; b < BLOCKS; b++) order[b] = way == 1 ? BLOCKS - 1 - b : b;
    if (way > 1) dq_rng_shuffle(&rng, order, BLOCKS);
}

/* All users' lists are by the definition, whatever the order of blocks, threads and groups of users. */
static void check_lists(const dq_rank_config *config)
{
    dq_error e = DQ_ERROR_NONE;
    for (unsigned way = 0; way < 4; way++) {
        dq_rank_scorer scorer = open_scorer(1 + way % 3);
        dq_rank_lists lists;
        uint32_t order[BLOCKS];
        order_blocks(way, order);
        open_lists(&lists, config);
        size_t step = way == 3 ? 4 : lists.count; /* groups, or all at once */
        for (size_t first = 0; first < lists.count; first += step) {
            size_t last = first + step < lists.count ? first + step : lists.count;
            for (size_t b = 0; b < BLOCKS; b++)
                assert_int_equal(dq_rank_lists_offer(&lists, &scorer, &w.blocks[order[b]], first, last, &e),
                                 DQ_OK);
        }
        for (uint32_t u = 0; u < USERS; u++)
            if (lists.of_row[u] != DQ_ABSENT) check_list(&lists, u);
        dq_rank_lists_free(&lists);
        dq_pool_free(scorer.pool);
    }
}

/* ---- tests ---- */

/* 50 levels over 1200 items: ties decide the last places. */
static void test_by_score(void **state)
{
    (void)state;
    check_lists(&(dq_rank_config){.k = 1});
    check_lists(&(dq_rank_config){.k = 40});
}

/* All scores equal: the greatest id wins. */
static void test_ties(void **state)
{
    (void)state;
    dq_rank_config config = {.k = 1};
    dq_rank_lists lists;
    dq_rank_scorer scorer = open_scorer(1);
    dq_rank_place place;
    size_t count;
    dq_error e = DQ_ERROR_NONE;
    static const float equal[ITEMS] = {0};
    open_lists(&lists, &config);
    for (size_t u = 0; u < USERS; u++) lists.vectors[u] = equal;
    for (size_t b = 0; b < BLOCKS; b++)
        assert_int_equal(dq_rank_lists_offer(&lists, &scorer, &w.blocks[b], 0, USERS, &e), DQ_OK);
    for (size_t u = 0; u < USERS; u++) {
        assert_int_equal(dq_rank_lists_finish(&lists, u, &place, &count, &e), DQ_OK);
        assert_int_equal(count, 1);
        assert_int_equal(place.item_bytes, 4); /* bytewise the greatest, not j1199 */
        assert_memory_equal(place.item, "j999", 4);
    }
    dq_rank_lists_free(&lists);
    dq_pool_free(scorer.pool);
}

static void test_seen_left_out(void **state)
{
    (void)state;
    for (dq_rank_order order = DQ_RANK_SCORE; order <= DQ_RANK_SOFTMAX; order++)
        check_lists(&(dq_rank_config){.k = 20,
                                      .order = order,
                                      .pool = 30,
                                      .lambda = 0.5,
                                      .epsilon = 0.5,
                                      .temperature = 1,
                                      .seen = &w.seen});
}

static void test_epsilon(void **state)
{
    (void)state;
    for (int tenth = 1; tenth <= 10; tenth += 3)
        check_lists(&(dq_rank_config){
            .k = 25, .order = DQ_RANK_EPSILON, .epsilon = tenth / 10.0, .seed = (uint64_t)tenth});
}

static void test_softmax(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2; seed++)
        check_lists(&(dq_rank_config){.k = 25, .order = DQ_RANK_SOFTMAX, .temperature = 0.7, .seed = seed});
}

/* Pools so large that vectors are forgotten and kept again on the way. */
static void test_mmr(void **state)
{
    (void)state;
    for (int lambda = 0; lambda <= 4; lambda++)
        check_lists(&(dq_rank_config){
            .k = 10, .order = DQ_RANK_MMR, .pool = 10 + 15 * (size_t)lambda, .lambda = lambda / 4.0});
}

/* Every block drives the last one's items out of all lists: their vectors must go too. */
static void test_mmr_forgets(void **state)
{
    (void)state;
    static float rising[USERS][ITEMS];
    dq_error e = DQ_ERROR_NONE;
    dq_rank_config config = {.k = 10, .order = DQ_RANK_MMR, .pool = 10, .lambda = 0.5};
    dq_rank_scorer scorer = open_scorer(1);
    dq_rank_lists lists;
    open_lists(&lists, &config);
    for (uint32_t u = 0; u < USERS; u++) {
        for (uint32_t i = 0; i < ITEMS; i++)
            rising[u][i] = (float)(i / CUT * ITEMS + (i % CUT + u * 7) % CUT);
        lists.vectors[u] = rising[u];
    }
    for (size_t b = 0; b < BLOCKS; b++) {
        assert_int_equal(dq_rank_lists_offer(&lists, &scorer, &w.blocks[b], 0, USERS, &e), DQ_OK);
        assert_true(lists.mmr.count < 2 * USERS * config.pool + 256);
    }
    dq_rank_lists_free(&lists);
    dq_pool_free(scorer.pool);
}

static void add_wanted(dq_index *ids, const char *id)
{
    uint32_t row;
    assert_int_equal(dq_index_add(ids, id, strlen(id), &row, NULL, NULL), DQ_OK);
}

static void test_k_beyond_catalogue(void **state)
{
    (void)state;
    for (dq_rank_order order = DQ_RANK_SCORE; order <= DQ_RANK_SOFTMAX; order++) {
        dq_index one = DQ_INDEX_EMPTY;
        add_wanted(&one, "u3");
        check_lists(&(dq_rank_config){.k = order == DQ_RANK_MMR ? 100 : ITEMS + 5,
                                      .order = order,
                                      .pool = ITEMS + 5,
                                      .lambda = 0.5,
                                      .epsilon = 0.5,
                                      .temperature = 1,
                                      .seen = order % 2 ? &w.seen : NULL,
                                      .users = &one});
        dq_index_free(&one);
    }
}

static void test_wanted_users(void **state)
{
    (void)state;
    static const char *const wanted[] = {"u7", "u", "u2", "nobody", "u20"};
    dq_index ids = DQ_INDEX_EMPTY;
    for (size_t i = 0; i < 5; i++) add_wanted(&ids, wanted[i]);
    dq_rank_config config = {.k = 5, .users = &ids};
    dq_rank_lists lists;
    open_lists(&lists, &config);
    assert_int_equal(lists.count, 3);
    for (uint32_t u = 0; u < USERS; u++) {
        uint32_t list = u == 2 ? 0 : u == 7 ? 1 : u == 20 ? 2 : DQ_ABSENT;
        assert_int_equal(lists.of_row[u], list);
    }
    assert_int_equal(lists.users[1].id_bytes, 2);
    assert_memory_equal(lists.users[1].id, "u7", 2);
    dq_rank_lists_free(&lists);
    check_lists(&config);
    dq_index_free(&ids);
}

static void test_scores_are_finite(void **state)
{
    (void)state;
    static float values[ITEMS];
    for (dq_rank_order order = DQ_RANK_SCORE; order <= DQ_RANK_SOFTMAX; order++)
        for (int bad = 0; bad < 3; bad++) {
            dq_error e = DQ_ERROR_NONE;
            dq_rank_config config = {.k = 5, .order = order, .pool = 5, .temperature = 1};
            dq_rank_scorer scorer = open_scorer(2);
            dq_rank_lists lists;
            values[CUT + 3] = bad == 0 ? NAN : bad == 1 ? INFINITY : -INFINITY;
            open_lists(&lists, &config);
            lists.vectors[17] = values;
            assert_int_equal(dq_rank_lists_offer(&lists, &scorer, &w.blocks[0], 0, USERS, &e), DQ_OK);
            assert_int_equal(dq_rank_lists_offer(&lists, &scorer, &w.blocks[1], 0, USERS, &e),
                             DQ_ERR_NUMERIC);
            assert_non_null(strstr(e.reason, "user u17 "));
            dq_rank_lists_free(&lists);
            dq_pool_free(scorer.pool);
        }
}

/* An interaction with an item that has gone by comes too late, unless its pair was known before. */
static void test_late_interactions(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_rank_seen seen = {0};
    dq_index ranked = DQ_INDEX_EMPTY;
    dq_bundle one = interactions(1), all = interactions(SEEN);
    size_t n;
    const char *first = dq_column_text(dq_bundle_column(&one, "item"), 0, &n);
    assert_int_equal(dq_rank_seen_add(&seen, &one, &ranked, &e), DQ_OK);
    assert_int_equal(dq_index_add(&ranked, first, n, NULL, NULL, &e), DQ_OK);
    assert_int_equal(dq_rank_seen_add(&seen, &one, &ranked, &e), DQ_OK);
    assert_int_equal(dq_index_add(&ranked, "j2", 2, NULL, NULL, &e), DQ_OK);
    assert_int_equal(dq_rank_seen_add(&seen, &all, &ranked, &e), DQ_ERR_UNSUPPORTED);
    assert_int_equal(dq_rank_seen_add(&seen, &all, NULL, &e), DQ_OK);
    assert_int_equal(dq_rank_seen_add(&seen, &all, &ranked, &e), DQ_OK);
    dq_bundle_free(&one);
    dq_bundle_free(&all);
    dq_index_free(&ranked);
    dq_rank_seen_free(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_score),          cmocka_unit_test(test_ties),
        cmocka_unit_test(test_seen_left_out),     cmocka_unit_test(test_epsilon),
        cmocka_unit_test(test_softmax),           cmocka_unit_test(test_mmr),
        cmocka_unit_test(test_mmr_forgets),       cmocka_unit_test(test_k_beyond_catalogue),
        cmocka_unit_test(test_wanted_users),      cmocka_unit_test(test_scores_are_finite),
        cmocka_unit_test(test_late_interactions),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
