/* SPDX-License-Identifier: MIT
 *
 * Items distilled out of scores: components against NumPy's singular value decomposition, an index read as it
 * was made, and what is no index.
 */
#include "distil_world.h"

#include "distil/draw.h"

#include <math.h>

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

static const dq_distil_config plain = {
    .users = WORLD_USERS, .items = 2000, .components = WORLD_WIDTH, .lists = 20, .seed = 3, .threads = 2};

/* ---- a sample ---- */

static const char *name_of(const void *names, uint32_t i, size_t *bytes)
{
    const char *name = ((const char *const *)names)[i];
    *bytes = strlen(name);
    return name;
}

static void a_sample_does_not_depend_on_order(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};
    static const char *const other[] = {"g", "c", "a", "f", "e", "b", "d"};
    uint32_t drawn[7], again[7];
    size_t n = 4, m = 4, unlike = 0;
    dq_error e = DQ_ERROR_NONE;
    for (uint64_t seed = 0; seed < 9; seed++) {
        assert_int_equal(dq_distil_draw(names, name_of, 7, seed, drawn, &n, &e), DQ_OK);
        assert_int_equal(dq_distil_draw(other, name_of, 7, seed, again, &m, &e), DQ_OK);
        assert_int_equal(n, 4);
        for (size_t i = 0; i < n; i++) assert_string_equal(names[drawn[i]], other[again[i]]);
        unlike += drawn[0] != 0;
    }
    assert_true(unlike > 0);
    n = 100; /* all of them, each once */
    assert_int_equal(dq_distil_draw(names, name_of, 7, 1, drawn, &n, &e), DQ_OK);
    assert_int_equal(n, 7);
    unsigned met = 0;
    for (size_t i = 0; i < n; i++) met |= 1U << drawn[i];
    assert_int_equal(met, 127);
    assert_int_equal(dq_distil_draw(names, name_of, 0, 1, drawn, &n, &e), DQ_OK);
    assert_int_equal(n, 0);
}

/* ---- components ---- */

enum { FEW = 6, SOME = 40, LEARNT = 25 };

/* Scores of a table, which users have for vectors: the scorer takes those for scores by number of the item.
 */
typedef struct fixture {
    dq_catalogue catalogue;
    dq_rank_scorer scorer;
    dq_rank_block block;
    float scores[FEW][SOME], vectors[SOME][1];
    uint32_t output_of[SOME], at[FEW + 1];
    char ids[FEW * 8];
} fixture;

static void make_fixture(fixture *f)
{
    dq_error e = DQ_ERROR_NONE;
    bool taken;
    *f = (fixture){0};
    for (unsigned u = 0; u < FEW; u++)
        for (unsigned i = 0; i < SOME; i++)
            f->scores[u][i] = (float)((u * 7 + 3) * (i * 13 + 5) * (i + u + 1) % 101) / 8 - 6;
    for (uint32_t i = 0; i < SOME; i++) f->output_of[i] = i;
    dq_bundle users = world_table("users", 'u', FEW, f->ids, f->at, SOME, f->scores[0]);
    assert_int_equal(dq_catalogue_add(&f->catalogue, &users, 0, &taken, &e), DQ_OK);
    f->scorer = (dq_rank_scorer){.by = DQ_RANK_BY_Q, .pool = w.pool, .output_of = f->output_of};
    f->block = (dq_rank_block){.vectors = f->vectors[0], .width = 1, .rows = SOME};
    for (uint32_t i = 0; i < SOME; i++)
        assert_int_equal(dq_strings_add(&f->block.ids, i == 7 ? "seventh" : "one", i == 7 ? 7 : 3, &e),
                         DQ_OK);
}

static void free_fixture(fixture *f)
{
    dq_strings_free(&f->block.ids);
    dq_catalogue_free(&f->catalogue);
}

static dq_distil_made distilled(fixture *f, size_t items, size_t components)
{
    const dq_distil_config config = {.users = FEW, .items = items, .components = components, .threads = 1};
    dq_distil_maker *maker;
    dq_distil_made made;
    dq_error e = DQ_ERROR_NONE;
    if (dq_distil_maker_new(&maker, &config, &f->scorer, &f->catalogue.users, &e) ||
        dq_distil_maker_take(maker, &f->block, &e) || dq_distil_maker_end(maker, &made, &e))
        fail_msg("%s", e.reason);
    dq_distil_maker_free(maker);
    return made;
}

/* numpy: x = scores.T - scores.T[:n].mean(0); v = x @ svd(x[:n]).Vh[:r].T; sums of squares, v[:n] by x[:n]
 * and v[n:] by x[n:]. */
static void components_explain_what_numpy_says(void **state)
{
    (void)state;
    need_faiss();
    static const double of_all[FEW] = {0.249168301, 0.456609461, 0.640948764, 0.801380818, 0.915838584, 1},
                        learnt[FEW] = {0.257811905, 0.476996014, 0.663382504, 0.825746551, 0.925763243, 1},
                        others[FEW] = {0.204149758, 0.310321967, 0.559994320, 0.719334791, 0.860486455, 1};
    fixture f;
    make_fixture(&f);
    for (size_t r = 1; r <= FEW; r++) {
        dq_distil_made all = distilled(&f, SOME, r), part = distilled(&f, LEARNT, r);
        assert_int_equal(all.components, r);
        assert_true(fabs(all.explained - of_all[r - 1]) < 1e-5);
        assert_true(isnan(all.explained_rest));
        assert_int_equal(part.learnt, LEARNT);
        assert_int_equal(part.items, SOME);
        assert_true(fabs(part.explained - learnt[r - 1]) < 1e-5);
        assert_true(fabs(part.explained_rest - others[r - 1]) < 1e-5);
    }
    assert_int_equal(distilled(&f, SOME, 2 * FEW).components, FEW); /* no more than users */
    assert_int_equal(distilled(&f, 3, FEW).components, 2);          /* nor than directions of three items */
    free_fixture(&f);
}

static void a_score_that_is_no_number_is_named(void **state)
{
    (void)state;
    need_faiss();
    const dq_distil_config config = {.users = FEW, .items = SOME, .components = 2, .threads = 1};
    dq_distil_maker *maker;
    dq_error e = DQ_ERROR_NONE;
    fixture f;
    make_fixture(&f);
    f.scores[2][7] = INFINITY;
    assert_int_equal(dq_distil_maker_new(&maker, &config, &f.scorer, &f.catalogue.users, &e), DQ_OK);
    assert_int_equal(dq_distil_maker_take(maker, &f.block, &e), DQ_ERR_NUMERIC);
    assert_non_null(strstr(e.reason, "item seventh"));
    dq_distil_maker_free(maker);
    free_fixture(&f);
}

/* ---- an index ---- */

static void an_index_is_read_as_it_was_made(void **state)
{
    (void)state;
    need_faiss();
    dq_distil d;
    dq_error e = DQ_ERROR_NONE;
    dq_distil_made made = world_index(&w, &plain, 700);
    assert_true(made.explained > 0.99999 && made.explained_rest > 0.99999);
    if (world_read(&d, &e)) fail_msg("%s", e.reason);
    assert_int_equal(d.items, WORLD_ITEMS);
    assert_int_equal(d.catalogue, 77);
    assert_string_equal(d.by, "cosine");
    assert_int_equal(d.components, WORLD_WIDTH);
    assert_int_equal(d.lists, 20);
    assert_int_equal(d.width, WORLD_WIDTH);
    assert_int_equal(d.anchors.rows, 1500); /* every second: as many as 1024 to 2047 */
    for (size_t i = 0; i < 1500; i++)
        assert_memory_equal(d.vectors + i * WORLD_WIDTH, w.item_vectors[2 * i], sizeof *w.item_vectors);
    assert_int_equal(dq_distil_check(&d, &w.known, &e), DQ_OK);
    dq_distil_free(&d);
}

/* The ten best are among a hundred that were found, and scores are explained. */
static void a_search_finds_the_best(void **state)
{
    (void)state;
    need_faiss();
    enum { BEST = 10, FOUND = 100 };
    static float scores[WORLD_USERS][WORLD_ITEMS], q[WORLD_USERS][WORLD_WIDTH];
    static int64_t found[WORLD_USERS][FOUND];
    const dq_rank_block all = {.vectors = w.item_vectors[0], .width = WORLD_WIDTH, .rows = WORLD_ITEMS};
    const float *const *users = w.catalogue.users.vectors;
    double explained = 0;
    dq_distil d;
    dq_error e = DQ_ERROR_NONE;
    (void)world_index(&w, &plain, 2000);
    if (world_read(&d, &e)) fail_msg("%s", e.reason);
    assert_int_equal(dq_rank_scorer_score(&w.scorer, users, WORLD_USERS, 0, &all, scores[0], &e), DQ_OK);
    assert_int_equal(dq_distil_queries(&d, &w.scorer, users, WORLD_USERS, q[0], &explained, &e), DQ_OK);
    assert_true(explained / WORLD_USERS > 0.9999 && explained / WORLD_USERS < 1.0001);
    assert_int_equal(dq_distil_search(&d, q[0], WORLD_USERS, FOUND, 9999, found[0], &e), DQ_OK);
    for (size_t u = 0; u < WORLD_USERS; u++)
        for (size_t i = 0; i < WORLD_ITEMS; i++) {
            size_t better = 0, met = 0;
            for (size_t j = 0; j < WORLD_ITEMS; j++) better += scores[u][j] > scores[u][i];
            for (size_t k = 0; k < FOUND; k++) met += found[u][k] == (int64_t)i;
            assert_true(better >= BEST || met == 1);
        }
    dq_distil_free(&d);
}

static size_t slurp(char *to, size_t room)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(to, 1, room, f);
    assert_true(n < room);
    assert_int_equal(fclose(f), 0);
    return n;
}

static void bytes_depend_neither_on_blocks_nor_on_threads(void **state)
{
    (void)state;
    need_faiss();
    static char first[1 << 20], next[1 << 20];
    (void)world_index(&w, &plain, 2048);
    size_t n = slurp(first, sizeof first);
    for (unsigned threads = 1; threads < 4; threads++) {
        dq_distil_config config = plain;
        config.threads = threads;
        (void)world_index(&w, &config, 311 * threads);
        assert_int_equal(slurp(next, sizeof next), n);
        assert_memory_equal(first, next, n);
    }
}

/* ---- what is no index ---- */

enum { MOST = 8 };

/* A bundle with the same columns, in memory that may be written to: what was read is written as it was. */
static dq_bundle copied(const dq_bundle *from)
{
    static const char *const names[] = {"vector", "components", "bytes"};
    dq_bundle to;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_bundle_init(&to, from->kind, from->rows, &e), DQ_OK);
    assert_true(dq_value_copy(&to.arena, &from->meta, &to.meta));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const dq_column *c = dq_bundle_column(from, names[i]);
        if (!c) continue;
        void *data = dq_arena_take(&to.arena, c->bytes);
        assert_non_null(data);
        memcpy(data, c->data, c->bytes);
        assert_int_equal(dq_bundle_add_tensor(&to, names[i], c->type, c->dims, c->shape, data, &e), DQ_OK);
    }
    return to;
}

/* Writes the index at `path` anew, its bundles in the order of a text of digits, each after change (or NULL).
 */
static void rewrite(const char *order, void (*change)(dq_bundle *bundle))
{
    dq_bundle bundles[MOST];
    dq_reader *reader;
    dq_error e = DQ_ERROR_NONE;
    const char *const paths[] = {path};
    size_t count = 0;
    assert_int_equal(dq_reader_open(&reader, paths, 1, &e), DQ_OK);
    while (dq_reader_next(reader, &bundles[count], &e) > 0) assert_true(++count < MOST);
    dq_reader_close(reader);
    assert_int_equal(count, 2); /* the anchors, and the lists */
    dq_writer *writer = world_writer();
    for (size_t i = 0; change && i < count; i++) {
        dq_bundle to = copied(&bundles[i]);
        dq_bundle_free(&bundles[i]);
        bundles[i] = to;
        change(&bundles[i]);
    }
    for (; *order; order++)
        if (dq_writer_put(writer, &bundles[*order - '0'], &e)) fail_msg("%s", e.reason);
    assert_int_equal(dq_writer_close(writer, &e), DQ_OK);
    for (size_t i = 0; i < count; i++) dq_bundle_free(&bundles[i]);
}

/* Writes bytes over those of a column, where the bundle has it. */
static void overwrite(dq_bundle *b, const char *name, const void *bytes, size_t n)
{
    const dq_column *column = dq_bundle_column(b, name);
    if (column) memcpy((char *)(uintptr_t)column->data, bytes, n);
}

static void put_nan(dq_bundle *b)
{
    const float nan = NAN;
    overwrite(b, "components", &nan, sizeof nan);
}

static void put_other_mark(dq_bundle *b)
{
    overwrite(b, "bytes", "IwFl", 4);
}

static void lose_catalogue(dq_bundle *b)
{
    if (dq_map_get(&b->meta, "catalogue"))
        assert_true(dq_map_set(&b->arena, &b->meta, "catalogue", dq_string(&b->arena, "not hexadecimal!")));
}

static void say_more_items(dq_bundle *b)
{
    if (dq_map_get(&b->meta, "items"))
        assert_true(dq_map_set(&b->arena, &b->meta, "items", dq_int(WORLD_ITEMS + 1)));
}

static void what_is_no_index_is_refused(void **state)
{
    (void)state;
    need_faiss();
    static const struct {
        const char *order;
        void (*change)(dq_bundle *bundle);
        dq_status status;
        const char *words;
    } cases[] = {
        {"01", NULL, DQ_OK, ""},
        {"0", NULL, DQ_ERR_FORMAT, "faiss: "},
        {"1", NULL, DQ_ERR_SCHEMA, "no index"},
        {"00", NULL, DQ_ERR_SCHEMA, "without its lists"},
        {"0101", NULL, DQ_ERR_SCHEMA, "a second index"},
        {"011", NULL, DQ_ERR_SCHEMA, "not those of its anchors"},
        {"01", put_nan, DQ_ERR_NUMERIC, "no finite numbers"},
        {"01", put_other_mark, DQ_ERR_FORMAT, "another kind"},
        {"01", lose_catalogue, DQ_ERR_SCHEMA, "lack what a search goes by"},
        {"01", say_more_items, DQ_ERR_SCHEMA, "not those of its anchors"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dq_distil d;
        dq_error e = DQ_ERROR_NONE;
        (void)world_index(&w, &plain, 2048);
        rewrite(cases[i].order, cases[i].change);
        dq_status status = world_read(&d, &e);
        if (status != cases[i].status) fail_msg("case %zu: %s", i, e.reason);
        assert_non_null(strstr(e.reason, cases[i].words));
        dq_distil_free(&d);
    }
}

static void a_stream_of_items_is_no_index(void **state)
{
    (void)state;
    need_faiss();
    dq_distil d;
    dq_error e = DQ_ERROR_NONE;
    dq_writer *writer = world_writer();
    assert_int_equal(dq_writer_put(writer, &w.items, &e), DQ_OK);
    assert_int_equal(dq_writer_close(writer, &e), DQ_OK);
    assert_int_equal(world_read(&d, &e), DQ_ERR_SCHEMA);
    assert_non_null(strstr(e.reason, "a bundle of kind items, where an index is wanted"));
    dq_distil_free(&d);
}

static void an_index_of_other_vectors_is_refused(void **state)
{
    (void)state;
    need_faiss();
    dq_distil d;
    dq_error e = DQ_ERROR_NONE;
    dq_rank_items wider = w.known;
    (void)world_index(&w, &plain, 2048);
    if (world_read(&d, &e)) fail_msg("%s", e.reason);
    wider.width++;
    assert_int_equal(dq_distil_check(&d, &wider, &e), DQ_ERR_SCHEMA);
    assert_non_null(strstr(e.reason, "4 wide; these are 5 wide"));
    dq_distil_free(&d);
}

static void a_chain_tells_orders_apart(void **state)
{
    (void)state;
    const uint64_t a[] = {1, 2, 3}, b[] = {1, 3, 2};
    uint64_t whole = dq_distil_chain(0, a, 3);
    assert_true(whole == dq_distil_chain(dq_distil_chain(0, a, 1), a + 1, 2)); /* however they are cut */
    assert_true(whole != dq_distil_chain(0, b, 3));
    assert_true(whole != dq_distil_chain(0, a, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sample_does_not_depend_on_order),
        cmocka_unit_test(components_explain_what_numpy_says),
        cmocka_unit_test(a_score_that_is_no_number_is_named),
        cmocka_unit_test(an_index_is_read_as_it_was_made),
        cmocka_unit_test(a_search_finds_the_best),
        cmocka_unit_test(bytes_depend_neither_on_blocks_nor_on_threads),
        cmocka_unit_test(what_is_no_index_is_refused),
        cmocka_unit_test(a_stream_of_items_is_no_index),
        cmocka_unit_test(an_index_of_other_vectors_is_refused),
        cmocka_unit_test(a_chain_tells_orders_apart),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
