/* SPDX-License-Identifier: MIT
 *
 * Candidates of an index, picked out of items that stream by and offered to lists: against the lists of all
 * items. And the sample of users that says what was found.
 */
#include "distil_world.h"

#include "distil/candidates.h"
#include "distil/sample.h"

#include <math.h>

enum { K = 10, CUT = 600, GLUTTON = 5 /* a user who has seen nearly all */ };

static distil_world w;

static int make_world(void **state)
{
    world_make(&w);
    return make_file(state);
}

static int free_world(void **state)
{
    world_free(&w);
    return remove_file(state);
}

/* Lists, an index, and candidates of it. */
typedef struct search {
    dq_distil distil;
    dq_rank_lists lists;
    dq_rank_seen seen;
    dq_candidates candidates;
} search;

static void see(dq_rank_seen *seen, uint32_t user, uint32_t first, uint32_t count)
{
    dq_error e = DQ_ERROR_NONE;
    char id[16];
    uint32_t u, item;
    int n = snprintf(id, sizeof id, "u%u", user);
    assert_int_equal(dq_index_add(&seen->users, id, (size_t)n, &u, NULL, &e), DQ_OK);
    for (uint32_t i = first; i < first + count; i++) {
        n = snprintf(id, sizeof id, "j%u", i);
        assert_int_equal(dq_index_add(&seen->items, id, (size_t)n, &item, NULL, &e), DQ_OK);
        assert_int_equal(dq_pairset_add(&seen->pairs, u, item, NULL, &e), DQ_OK);
    }
}

/* The glutton sees so many items, of which those from WORLD_ITEMS on are not in the catalogue. */
static void start(search *s, size_t shortlist, size_t probes, uint32_t eaten)
{
    const dq_distil_config config = {
        .users = WORLD_USERS, .items = 2000, .components = WORLD_WIDTH, .lists = 20, .threads = 2};
    dq_error e = DQ_ERROR_NONE;
    *s = (search){0};
    see(&s->seen, GLUTTON, 0, eaten);
    const dq_rank_config ranked = {.k = K, .order = DQ_RANK_SCORE, .seen = &s->seen};
    (void)world_index(&w, &config, 2000);
    if (world_read(&s->distil, &e)) fail_msg("%s", e.reason);
    assert_int_equal(dq_rank_lists_open(&s->lists, &ranked, &w.catalogue.users, &e), DQ_OK);
    if (dq_candidates_find(&s->candidates, &s->distil, &s->lists, &w.scorer, &s->seen, shortlist, probes, &e))
        fail_msg("%s", e.reason);
}

static void finish(search *s)
{
    dq_candidates_free(&s->candidates);
    dq_rank_lists_free(&s->lists);
    dq_rank_seen_free(&s->seen);
    dq_distil_free(&s->distil);
}

static size_t count_of(const search *s, uint32_t list)
{
    size_t count = 0;
    for (size_t i = 0; i < s->candidates.count; i++) count += s->candidates.at[i].list == list;
    return count;
}

/* All items stream by, CUT at a time; candidates are put into blocks of as many, and offered. */
static void stream(search *s)
{
    dq_error e = DQ_ERROR_NONE;
    uint32_t numbered = 0;
    static uint32_t rows[CUT];
    for (uint32_t first = 0; first < WORLD_ITEMS; first += CUT) {
        uint32_t n = dq_candidates_pick(&s->candidates, first, CUT, rows), at = 0;
        dq_rank_block block = {0};
        assert_int_equal(dq_rank_block_open(&block, WORLD_WIDTH, 1, &e), DQ_OK);
        dq_rank_block_clear(&block, numbered);
        for (uint32_t i = 0; i < n; i++) {
            rows[i] += first;
            assert_int_equal(dq_candidates_number(&s->candidates, rows[i], &e), DQ_OK);
        }
        assert_int_equal(dq_rank_block_fill(&block, &w.items, rows, n, &at, &e), DQ_OK);
        if (dq_candidates_offer(&s->candidates, &s->lists, &w.scorer, &block, &e)) fail_msg("%s", e.reason);
        numbered += n;
        dq_rank_block_free(&block);
    }
}

static void what_is_picked_ascends_and_is_all(void **state)
{
    (void)state;
    need_faiss();
    search s;
    static uint32_t rows[WORLD_ITEMS];
    static bool wanted[WORLD_ITEMS], met[WORLD_ITEMS];
    start(&s, 40, 3, 0);
    memset(wanted, 0, sizeof wanted);
    for (size_t i = 0; i < s.candidates.count; i++) wanted[s.candidates.at[i].row] = true;
    for (uint32_t cut = 1; cut <= WORLD_ITEMS; cut = cut * 7 + 1) {
        memset(met, 0, sizeof met);
        for (uint32_t first = 0; first < WORLD_ITEMS; first += cut) {
            uint32_t n = dq_candidates_pick(&s.candidates, first, cut, rows);
            assert_true(n <= cut);
            for (uint32_t i = 0; i < n; i++) {
                assert_true(rows[i] < cut && (i == 0 || rows[i] > rows[i - 1]));
                met[first + rows[i]] = true;
            }
        }
        assert_memory_equal(met, wanted, sizeof met);
    }
    assert_int_equal(dq_candidates_pick(&s.candidates, WORLD_ITEMS, UINT32_MAX, rows), 0);
    finish(&s);
}

static void a_user_is_given_what_he_has_seen_and_more(void **state)
{
    (void)state;
    need_faiss();
    search s;
    start(&s, 40, 20, 500);
    for (uint32_t i = 0; i < WORLD_USERS; i++) assert_int_equal(count_of(&s, i), i == GLUTTON ? 540 : 40);
    finish(&s);
    start(&s, 40, 20, 2980); /* more than there are */
    assert_int_equal(count_of(&s, GLUTTON), WORLD_ITEMS);
    assert_int_equal(count_of(&s, GLUTTON + 1), 40);
    finish(&s);
    start(&s, 40, 20, WORLD_ITEMS + 900); /* some of which are gone */
    assert_int_equal(count_of(&s, GLUTTON), WORLD_ITEMS);
    assert_int_equal(s.candidates.seen[GLUTTON], WORLD_ITEMS + 900);
    finish(&s);
}

static void few_probes_hold_fewer(void **state)
{
    (void)state;
    need_faiss();
    search s;
    start(&s, WORLD_ITEMS, 1, 0);
    assert_true(s.candidates.count > 0 && s.candidates.count < WORLD_USERS * WORLD_ITEMS / 4);
    finish(&s);
}

static void expect_same(dq_rank_lists *found, dq_rank_lists *exact)
{
    assert_int_equal(found->count, exact->count);
    for (size_t u = 0; u < exact->count; u++) {
        const dq_scored *a, *b;
        size_t n = dq_topk_sorted(found->best[u], &a), m = dq_topk_sorted(exact->best[u], &b);
        assert_int_equal(n, m);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(a[i].id_bytes, b[i].id_bytes);
            assert_memory_equal(a[i].id, b[i].id, a[i].id_bytes);
            assert_memory_equal(&a[i].score, &b[i].score, sizeof a[i].score);
        }
    }
}

/* By all lists and a shortlist that is long enough: bit for bit. */
static void lists_by_an_index_are_those_of_all_items(void **state)
{
    (void)state;
    need_faiss();
    search s;
    dq_error e = DQ_ERROR_NONE;
    dq_rank_lists exact = {0};
    start(&s, 300, 20, 1000);
    stream(&s);
    assert_int_equal(dq_rank_lists_open(&exact, &s.lists.config, &w.catalogue.users, &e), DQ_OK);
    for (uint32_t first = 0; first < WORLD_ITEMS; first += CUT) {
        dq_rank_block block = world_block(&w, first, CUT);
        assert_int_equal(dq_rank_lists_offer(&exact, &w.scorer, &block, 0, exact.count, &e), DQ_OK);
        dq_rank_block_free(&block);
    }
    expect_same(&s.lists, &exact);
    dq_rank_lists_free(&exact);
    finish(&s);
}

static void a_score_that_is_no_number_is_said(void **state)
{
    (void)state;
    need_faiss();
    search s;
    dq_error e = DQ_ERROR_NONE;
    dq_rank_block block = {0};
    start(&s, 40, 20, 0);
    uint32_t row = s.candidates.at[0].row, at = 0;
    assert_int_equal(dq_rank_block_open(&block, WORLD_WIDTH, 1, &e), DQ_OK);
    assert_int_equal(dq_candidates_number(&s.candidates, row, &e), DQ_OK);
    assert_int_equal(dq_rank_block_fill(&block, &w.items, &row, 1, &at, &e), DQ_OK);
    ((float *)block.room)[1] = INFINITY;
    assert_int_equal(dq_candidates_offer(&s.candidates, &s.lists, &w.scorer, &block, &e), DQ_ERR_NUMERIC);
    dq_rank_block_free(&block);
    finish(&s);
}

/* ---- the sample ---- */

static double recall_of(search *s, size_t users, size_t *full, size_t *sampled)
{
    double recall;
    dq_distil_sample sample = {0};
    dq_error e = DQ_ERROR_NONE;
    if (dq_distil_sample_open(&sample, &s->lists, users, 1, &w.catalogue.users, WORLD_WIDTH, 2, &e) ||
        dq_distil_sample_show(&sample, &w.scorer, &w.items, &e) ||
        dq_distil_sample_recall(&sample, &w.scorer, &s->lists, &recall, full, &e))
        fail_msg("%s", e.reason);
    *sampled = sample.exact.count;
    dq_distil_sample_free(&sample);
    return recall;
}

/* The share of the ten best that is among as many candidates as there are places, counted here. */
static void a_sample_says_what_was_found(void **state)
{
    (void)state;
    need_faiss();
    search s;
    size_t full, sampled;
    start(&s, 300, 20, 0);
    stream(&s);
    assert_true(recall_of(&s, 99, &full, &sampled) == 1);
    assert_int_equal(sampled, WORLD_USERS);
    assert_int_equal(full, WORLD_USERS);
    assert_true(recall_of(&s, 3, &full, &sampled) == 1);
    assert_int_equal(sampled, 3);
    assert_true(isnan(recall_of(&s, 0, &full, &sampled)));
    assert_int_equal(sampled, 0);
    finish(&s);
    start(&s, K, 1, 0);
    stream(&s);
    double found = recall_of(&s, WORLD_USERS, &full, &sampled), counted = 0;
    static float scores[WORLD_USERS][WORLD_ITEMS];
    const dq_rank_block all = {.vectors = w.item_vectors[0], .width = WORLD_WIDTH, .rows = WORLD_ITEMS};
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(
        dq_rank_scorer_score(&w.scorer, w.catalogue.users.vectors, WORLD_USERS, 0, &all, scores[0], &e),
        DQ_OK);
    for (size_t c = 0; c < s.candidates.count; c++) {
        const float *of = scores[s.candidates.at[c].list];
        size_t better = 0;
        for (size_t i = 0; i < WORLD_ITEMS; i++) better += of[i] > of[s.candidates.at[c].row];
        counted += better < K;
    }
    assert_true(found < 1 && full < WORLD_USERS);
    assert_true(fabs(found - counted / (WORLD_USERS * K)) < 1e-9);
    finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_picked_ascends_and_is_all),
        cmocka_unit_test(a_user_is_given_what_he_has_seen_and_more),
        cmocka_unit_test(few_probes_hold_fewer),
        cmocka_unit_test(lists_by_an_index_are_those_of_all_items),
        cmocka_unit_test(a_score_that_is_no_number_is_said),
        cmocka_unit_test(a_sample_says_what_was_found),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
