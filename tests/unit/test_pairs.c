/* SPDX-License-Identifier: MIT
 *
 * Which pairs are labelled: those of the stream, all, drawn, the most similar, and those of a list.
 */
#include "core/rng.h"
#include "reward/pairs.h"

#include <stdio.h>
#include <stdlib.h>

#include "small_catalogue.h"

enum { USERS = 5, ITEMS = 40, MOST = 400 };

/* ---- a world ---- */

typedef struct world {
    dq_catalogue catalogue;
    dq_labeller labeller;
    small_row users[USERS], items[ITEMS];
    char ids[USERS + ITEMS][8];
} world;

/* Vectors of small whole numbers, so that cosines are equal now and then; some rows are equal, one is zero.
 */
static void draw_rows(dq_rng *rng, small_row *rows, size_t n, char (*ids)[8], char letter)
{
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "%c%u", letter, (unsigned)(i * 37 % 100));
        rows[i] = (small_row){.id = ids[i]};
        for (size_t k = 0; k < 3; k++) rows[i].vector[k] = (float)dq_rng_below(rng, 4) - 1;
        if (i % 7 == 3) memcpy(rows[i].vector, rows[i - 2].vector, sizeof rows[i].vector);
        if (i == 11) memset(rows[i].vector, 0, sizeof rows[i].vector);
    }
}

static int make_world(void **state)
{
    static const small_entities users = {.kind = DQ_KIND_USERS, .width = 3};
    static const small_entities items = {.kind = DQ_KIND_ITEMS, .width = 3};
    world *w = *state = calloc(1, sizeof *w);
    dq_error e = DQ_ERROR_NONE;
    dq_rng rng = dq_rng_new(5);
    assert_non_null(w);
    draw_rows(&rng, w->users, USERS, w->ids, 'u');
    draw_rows(&rng, w->items, ITEMS, w->ids + USERS, 'i');
    small_add(&w->catalogue, &users, w->users, USERS);
    small_add(&w->catalogue, &items, w->items, ITEMS);
    const small_interaction log[] = {{w->ids[3], w->ids[USERS + 9], "APPLY", NAN},
                                     {w->ids[0], w->ids[USERS], "SAVE", NAN},
                                     {w->ids[3], w->ids[USERS + 9], "CLICK", NAN}};
    small_add_interactions(&w->catalogue, log, 3);
    small_finish(&w->catalogue);
    w->labeller = (dq_labeller){.strategy = DQ_STRATEGY_COSINE, .threads = 1};
    assert_int_equal(dq_labeller_ready(&w->labeller, &w->catalogue, &e), DQ_OK);
    assert_int_equal(dq_labeller_fields(&w->labeller, NULL, 0, &e), DQ_OK);
    return 0;
}

static int free_world(void **state)
{
    world *w = *state;
    dq_labeller_free(&w->labeller);
    dq_catalogue_free(&w->catalogue);
    free(w);
    return 0;
}

/* What a plan gave. */
typedef struct taken {
    uint32_t user[MOST], item[MOST], interaction[MOST];
    size_t count;
    dq_status fails; /* the second pair */
} taken;

static dq_status take(void *arg, uint32_t user, const uint32_t *item, const uint32_t *interaction, size_t n,
                      dq_error *error)
{
    taken *t = arg;
    assert_true(n > 0 && t->count + n <= MOST);
    for (size_t i = 0; i < n; i++) {
        t->user[t->count] = user;
        t->item[t->count] = item[i];
        t->interaction[t->count] = interaction ? interaction[i] : DQ_ABSENT;
        t->count++;
    }
    return t->fails && t->count >= 2 ? dq_fail(error, t->fails, "no more") : DQ_OK;
}

/* Marks of one user; NULL for DQ_ABSENT: all. */
static const bool *marks_of(uint32_t user)
{
    static bool marks[1024];
    memset(marks, 0, sizeof marks);
    if (user == DQ_ABSENT) return NULL;
    marks[user] = true;
    return marks;
}

static dq_pair_plan plan_of(const char *text, uint32_t only_user)
{
    dq_error e = DQ_ERROR_NONE;
    dq_pair_plan plan = {.only = marks_of(only_user), .seed = 42};
    if (dq_pair_plan_parse(&plan, text, &e)) fail_msg("%s", e.reason);
    return plan;
}

/* The pairs of a plan, as many as dq_pairs_count says. */
static void walk(const world *w, const char *text, uint32_t only_user, taken *t)
{
    dq_error e = DQ_ERROR_NONE;
    dq_pair_plan plan = plan_of(text, only_user);
    *t = (taken){0};
    if (dq_pairs_each(&plan, &w->labeller, take, t, &e)) fail_msg("%s", e.reason);
    uint64_t told = dq_pairs_count(&plan, &w->catalogue);
    if (told || plan.from != DQ_PAIRS_STREAM) assert_int_equal(t->count, told);
}

/* Users in order, and in each the items in order, no pair twice. */
static void ascends(const taken *t)
{
    for (size_t i = 1; i < t->count; i++) {
        bool next = t->user[i] > t->user[i - 1] ||
                    (t->user[i] == t->user[i - 1] && t->item[i] > t->item[i - 1]);
        assert_true(next);
    }
}

/* ---- tests ---- */

static void plans_that_can_be_written(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",       "some",   "random", "random:", "random:0",          "top:-1",
        "top:1x", "top: 1", "all:3",  "ALL",     "random:4294967295", "random:99999999999999999999"};
    dq_pair_plan plan = plan_of("top:7", DQ_ABSENT);
    assert_true(plan.from == DQ_PAIRS_TOP && plan.n == 7);
    plan = plan_of("random:12", DQ_ABSENT);
    assert_true(plan.from == DQ_PAIRS_RANDOM && plan.n == 12);
    assert_true(plan_of("stream", DQ_ABSENT).from == DQ_PAIRS_STREAM);
    assert_true(plan_of("all", DQ_ABSENT).from == DQ_PAIRS_ALL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (dq_pair_plan_parse(&plan, bad[i], NULL) != DQ_ERR_RANGE)
            fail_msg("'%s' is taken for a plan", bad[i]);
}

static void all_pairs(void **state)
{
    taken t;
    walk(*state, "all", DQ_ABSENT, &t);
    assert_int_equal(t.count, USERS * ITEMS);
    ascends(&t);
    walk(*state, "all", 2, &t);
    assert_int_equal(t.count, ITEMS);
    for (size_t i = 0; i < ITEMS; i++)
        assert_true(t.user[i] == 2 && t.item[i] == i && t.interaction[i] == DQ_ABSENT);
}

static void the_streams_pairs(void **state)
{
    taken t;
    walk(*state, "stream", DQ_ABSENT, &t);
    assert_int_equal(t.count, 3);
    for (uint32_t i = 0; i < 3; i++) assert_int_equal(t.interaction[i], i);
    assert_true(t.user[0] == 3 && t.item[0] == 9 && t.user[1] == 0 && t.item[1] == 0);
    walk(*state, "stream", 3, &t);
    assert_int_equal(t.count, 2);
    assert_true(t.interaction[0] == 0 && t.interaction[1] == 2 && t.user[1] == 3);
}

static void drawn_pairs_are_distinct_and_a_users_own(void **state)
{
    const world *w = *state;
    taken all, again, one;
    dq_error e = DQ_ERROR_NONE;
    walk(w, "random:10", DQ_ABSENT, &all);
    assert_int_equal(all.count, USERS * 10);
    ascends(&all);
    walk(w, "random:10", DQ_ABSENT, &again);
    assert_memory_equal(&all, &again, sizeof all);
    for (uint32_t u = 0; u < USERS; u++) { /* a user alone gets the same */
        walk(w, "random:10", u, &one);
        assert_memory_equal(one.item, all.item + (size_t)u * 10, 10 * sizeof *one.item);
        if (u) assert_memory_not_equal(one.item, all.item, 10 * sizeof *one.item);
    }
    dq_pair_plan other = plan_of("random:10", DQ_ABSENT);
    other.seed = 43;
    again = (taken){0};
    assert_int_equal(dq_pairs_each(&other, &w->labeller, take, &again, &e), DQ_OK);
    assert_memory_not_equal(all.item, again.item, sizeof all.item);
    walk(w, "random:99", DQ_ABSENT, &all); /* there are no more */
    assert_int_equal(all.count, USERS * ITEMS);
    ascends(&all);
}

/* Every item is drawn in its turn: 5 of 40 by 2,000 users who differ by their seed. */
static void every_item_is_drawn(void **state)
{
    const world *w = *state;
    dq_error e = DQ_ERROR_NONE;
    size_t counts[ITEMS] = {0};
    for (uint64_t seed = 0; seed < 2000; seed++) {
        dq_pair_plan plan = plan_of("random:5", 1);
        taken t = {0};
        plan.seed = seed;
        assert_int_equal(dq_pairs_each(&plan, &w->labeller, take, &t, &e), DQ_OK);
        for (size_t i = 0; i < t.count; i++) counts[t.item[i]]++;
    }
    for (size_t i = 0; i < ITEMS; i++) /* 250 are expected, with a standard deviation of 15 */
        if (counts[i] < 190 || counts[i] > 310) fail_msg("item %zu was drawn %zu times", i, counts[i]);
}

static float cosine_of(const float *a, const float *b)
{
    double dot = 0, aa = 0, bb = 0;
    for (size_t k = 0; k < 3; k++) {
        dot += (double)a[k] * (double)b[k];
        aa += (double)a[k] * (double)a[k];
        bb += (double)b[k] * (double)b[k];
    }
    return aa > 0 && bb > 0 ? (float)(dot / sqrt(aa * bb)) : 0;
}

/* Whether item a goes before b for a user: the greater cosine, of equal ones the greater id. */
static bool better(const world *w, uint32_t user, uint32_t a, uint32_t b)
{
    float x = cosine_of(w->users[user].vector, w->items[a].vector);
    float y = cosine_of(w->users[user].vector, w->items[b].vector);
    if (fabsf(x - y) > 1e-6F) return x > y;
    return strcmp(w->items[a].id, w->items[b].id) > 0;
}

static void the_most_similar_pairs(void **state)
{
    const world *w = *state;
    static const size_t sizes[] = {1, 3, 17, ITEMS - 1, ITEMS, ITEMS + 1};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        size_t n = sizes[s] < ITEMS ? sizes[s] : ITEMS, at = 0;
        char text[32];
        taken t;
        (void)snprintf(text, sizeof text, "top:%zu", sizes[s]);
        walk(w, text, DQ_ABSENT, &t);
        assert_int_equal(t.count, USERS * n);
        ascends(&t);
        for (uint32_t u = 0; u < USERS; u++)
            for (uint32_t i = 0; i < ITEMS; i++) {
                size_t before = 0;
                for (uint32_t j = 0; j < ITEMS; j++) before += j != i && better(w, u, j, i);
                bool chosen = at < t.count && t.user[at] == u && t.item[at] == i;
                if (chosen != (before < n)) fail_msg("top:%zu, user %u, item %u", sizes[s], u, i);
                at += chosen;
            }
    }
}

/* ---- a list ---- */

typedef struct lines {
    const char *const *at;
    size_t next;
} lines;

static dq_status next_line(void *arg, const char **line, size_t *bytes, dq_error *error)
{
    lines *l = arg;
    *line = l->at[l->next++];
    *bytes = *line ? strlen(*line) : 0;
    if (*line && strcmp(*line, "broken") == 0) return dq_fail(error, DQ_ERR_IO, "cannot read");
    return DQ_OK;
}

static dq_status walk_lines(const world *w, const char *const *text, bool strict, uint32_t only_user,
                            taken *t, uint64_t *skipped, dq_error *error)
{
    lines l = {.at = text};
    dq_pair_plan plan = {.from = DQ_PAIRS_LISTED,
                         .only = marks_of(only_user),
                         .strict = strict,
                         .line = next_line,
                         .line_arg = &l,
                         .list = "a list"};
    dq_status status = dq_pairs_each(&plan, &w->labeller, take, t, error);
    *skipped = plan.skipped;
    return status;
}

static void pairs_of_a_list(void **state)
{
    static const char *const text[] = {"u37\ti0", "nobody\ti0", "", "u0\tnothing", "u0\ti37\tmore\tcolumns",
                                       NULL};
    dq_error e = DQ_ERROR_NONE;
    uint64_t skipped;
    taken t = {0};
    assert_int_equal(walk_lines(*state, text, false, DQ_ABSENT, &t, &skipped, &e), DQ_OK);
    assert_int_equal(t.count, 2);
    assert_int_equal(skipped, 2);
    assert_true(t.user[0] == 1 && t.item[0] == 0 && t.user[1] == 0 && t.item[1] == 1);
    assert_int_equal(t.interaction[0], DQ_ABSENT);
    t = (taken){0};
    assert_int_equal(walk_lines(*state, text, false, 0, &t, &skipped, &e), DQ_OK);
    assert_true(t.count == 1 && t.user[0] == 0);
}

static void a_lists_faults_have_their_line(void **state)
{
    static const struct {
        const char *text[4];
        dq_status status, taker;
        const char *source, *reason;
        uint64_t record;
    } cases[] = {
        {{"u0\ti0", "", "nobody\ti0"},
         DQ_ERR_UNKNOWN,
         DQ_OK,
         "a list",
         "user nobody is not in the catalogue",
         3},
        {{"u0\tit\tx"}, DQ_ERR_UNKNOWN, DQ_OK, "a list", "item it is not in the catalogue", 1},
        {{"u0\ti0", "u0 i0"}, DQ_ERR_FORMAT, DQ_OK, "a list", "not USER, a tab, ITEM", 2},
        {{"u0\ti0", "broken"}, DQ_ERR_IO, DQ_OK, "", "cannot read", DQ_NO_RECORD},
        {{"u0\ti0", "u0\ti0"}, DQ_ERR_STOPPED, DQ_ERR_STOPPED, "", "no more", DQ_NO_RECORD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dq_error e = DQ_ERROR_NONE;
        uint64_t skipped;
        taken t = {.fails = cases[i].taker};
        assert_int_equal(walk_lines(*state, cases[i].text, true, DQ_ABSENT, &t, &skipped, &e),
                         cases[i].status);
        assert_string_equal(e.source, cases[i].source);
        assert_string_equal(e.reason, cases[i].reason);
        assert_true(e.record == cases[i].record);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_that_can_be_written),
        cmocka_unit_test(all_pairs),
        cmocka_unit_test(the_streams_pairs),
        cmocka_unit_test(drawn_pairs_are_distinct_and_a_users_own),
        cmocka_unit_test(every_item_is_drawn),
        cmocka_unit_test(the_most_similar_pairs),
        cmocka_unit_test(pairs_of_a_list),
        cmocka_unit_test(a_lists_faults_have_their_line),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
