/* SPDX-License-Identifier: MIT
 *
 * Users of a place with collections: which are wanted, in batches, read once more, from places that fail, and
 * with short memory.
 */
#include "short_memory.h"

#include "import_users.h"

/* ---- what is wanted ---- */

static void begin_five(world *w, source s)
{
    begin(w, s, plain);
    put(&w->place, "u", "[{\"_id\":5},{\"_id\":4},{\"_id\":1},{\"_id\":2},{\"_id\":3}]");
    put(&w->place, "v",
        "[{\"of\":1,\"x\":[1]},{\"of\":2,\"x\":[1]},{\"of\":4,\"x\":[1]},{\"of\":5,\"x\":[1]}]");
}

static void test_limits(void **state)
{
    (void)state;
    static const char *const ids[] = {"", "1", "1 2", "1 2 4", "1 2 4 5", "1 2 4 5"};
    for (source s = 0; s < SOURCES; s++)
        for (uint64_t limit = 0; limit < 6; limit++) {
            world w;
            begin_five(&w, s);
            w.selection.limit = limit;
            gives(&w, ids[limit]);
            end(&w);
        }
}

static void test_selected_ids(void **state)
{
    (void)state;
    for (source s = 0; s < SOURCES; s++) {
        world w;
        begin_five(&w, s);
        w.selection.ids = (const char *const[]){"5", "1", "5"};
        w.selection.id_count = 3;
        gives(&w, "1 5");
        w.selection.limit = 1;
        gives(&w, "1");
        w.selection.limit = UINT64_MAX;
        w.selection.ids = (const char *const[]){"3"}; /* there, and passed over */
        w.selection.id_count = 1;
        gives(&w, "");
        w.selection.ids = (const char *const[]){"1", "nobody", "no one"};
        w.selection.id_count = 3;
        fails_with(&w, DQ_ERR_UNKNOWN, "no user 'nobody'");
        end(&w);
    }
}

/* A database is asked for what is wanted, and for nobody else's documents. */
static void test_what_is_asked(void **state)
{
    (void)state;
    world w;
    begin_five(&w, FOLDER);
    w.selection.ids = (const char *const[]){"1", "2"};
    w.selection.id_count = 2;
    gives(&w, "1 2");
    assert_string_equal(w.place.asked, "u[1,2] v "); /* a wish that it does not grant */
    end(&w);
    begin_five(&w, DATABASE);
    gives(&w, "1 2 4 5");
    assert_string_equal(w.place.asked, "u v ");
    end(&w);
    begin_five(&w, DATABASE);
    w.selection.ids = (const char *const[]){"4", "2"};
    w.selection.id_count = 2;
    w.selection.where = "_id";
    gives(&w, "2 4");
    assert_string_equal(w.place.asked, "u?_id[4,2] v[2,4] ");
    w.selection.where = "nothing";
    w.selection.id_count = 0;
    w.place.asked[0] = '\0';
    gives(&w, "");
    assert_string_equal(w.place.asked, "u?nothing ");
    end(&w);
}

/* ---- many ---- */

enum { MANY = 1300 };

/* As many users, the last ones first; each seventh has no vector, each hundredth stands twice. */
static void put_many(memory_place *place)
{
    dq_value u = dq_list(), v = dq_list();
    for (int64_t i = MANY; i-- > 0;) {
        dq_value one = dq_map(), its = dq_map(), vector = dq_list();
        bool ok = dq_map_set(&place->arena, &one, "_id", dq_int(i)) &&
                  dq_list_add(&place->arena, &vector, dq_real(1)) &&
                  dq_map_set(&place->arena, &its, "of", dq_int(i)) &&
                  dq_map_set(&place->arena, &its, "x", vector);
        for (int times = i % 100 == 11 ? 2 : 1; times > 0 && ok; times--)
            ok = dq_list_add(&place->arena, &u, one) && (i % 7 == 0 || dq_list_add(&place->arena, &v, its));
        assert_true(ok);
    }
    place->all[place->count++] = (collection){"u", u};
    place->all[place->count++] = (collection){"v", v};
}

/* The ids, the limit of them, that put_many's world has. */
static void many_ids(char *text, size_t size, size_t limit)
{
    size_t used = 0;
    for (int i = 0; i < MANY && limit; i++) {
        if (i % 7 == 0) continue;
        used += (size_t)snprintf(text + used, size - used, "%s%d", used ? " " : "", i);
        limit--;
    }
}

static void test_many_batches(void **state)
{
    (void)state;
    static char expected[1 << 13];
    for (source s = 0; s < SOURCES; s++)
        for (size_t limit = 450; limit <= 1350; limit += 450) {
            world w;
            begin(&w, s, plain);
            put_many(&w.place);
            w.selection.limit = limit;
            many_ids(expected, sizeof expected, limit);
            gives(&w, expected);
            if (limit > MANY) { /* all of them were read */
                assert_int_equal(w.tally.faults[DQ_IMPORT_UNMATCHED].count, (MANY + 6) / 7);
                assert_int_equal(w.tally.faults[DQ_IMPORT_DUPLICATE].count, 13 + 11);
            }
            if (s == DATABASE) assert_string_equal(w.place.asked, "u v ");
            end(&w);
        }
}

/* More ids than a batch holds, with the last of them asked for first. */
static void test_many_selected(void **state)
{
    (void)state;
    static char texts[MANY][8];
    static const char *ids[MANY];
    for (source s = 0; s < SOURCES; s++) {
        world w;
        begin(&w, s, plain);
        put_many(&w.place);
        size_t n = 0;
        for (int i = MANY; i-- > 0;) {
            (void)snprintf(texts[n], sizeof texts[n], "%d", i);
            ids[n] = texts[n];
            n++;
        }
        w.selection.ids = ids;
        w.selection.id_count = n;
        static char expected[1 << 13];
        many_ids(expected, sizeof expected, SIZE_MAX);
        gives(&w, expected);
        ids[MANY / 2] = "nobody";
        fails_with(&w, DQ_ERR_UNKNOWN, "no user 'nobody'");
        end(&w);
    }
}

/* ---- places that fail ---- */

static void test_places_that_fail(void **state)
{
    (void)state;
    for (source s = 0; s < SOURCES; s++) {
        world w;
        begin(&w, s, plain);
        put(&w.place, "u", "[{\"_id\":1}]");
        fails_with(&w, DQ_ERR_UNKNOWN, "no collection v");
        put(&w.place, "v", "[{\"of\":1,\"x\":[1]},\"broken\"]");
        w.error = DQ_ERROR_NONE;
        fails_with(&w, DQ_ERR_IO, "the connection is gone");
        w.place.failing = true;
        w.error = DQ_ERROR_NONE;
        fails_with(&w, DQ_ERR_IO, "nobody answers");
        end(&w);
    }
}

/* A place that promises an order and does not keep it is found out: rows would be lost without a word. */
static void test_broken_promise(void **state)
{
    (void)state;
    world w;
    begin(&w, DATABASE, plain);
    w.place.unsorted = true;
    put(&w.place, "u", "[{\"_id\":\"a\"},{\"_id\":\"b\"}]");
    put(&w.place, "v", "[{\"of\":\"b\",\"x\":[1]},{\"of\":\"a\",\"x\":[1]}]");
    fails_with(&w, DQ_ERR_FORMAT, "the id 'a' comes after 'b', which is greater");
    assert_string_equal(w.error.source, "v");
    end(&w);
}

/* ---- reading again, and what is kept ---- */

static void test_reading_again(void **state)
{
    (void)state;
    static const char *const asked[SOURCES] = {"u v ", "u v u v ", "u?_id v[1,2,3,4,5] u?_id v[1,2,3,4,5] "};
    for (source s = 0; s < SOURCES; s++) {
        world w;
        begin_five(&w, s);
        dq_import_entities *users;
        assert_int_equal(dq_import_entities_new(&users, DQ_KIND_USERS, &w.place.as_place, &w.mapping.users,
                                                &w.selection, true, &w.error),
                         DQ_OK);
        for (int times = 0; times < 2; times++) {
            w.got[0] = '\0';
            assert_int_equal(dq_import_entities_read(users, &w.tally, times ? note : NULL, &w, &w.error),
                             DQ_OK);
        }
        assert_string_equal(w.got, "1 2 4 5");
        assert_string_equal(w.place.asked, asked[s]);
        assert_int_equal(w.tally.faults[DQ_IMPORT_UNMATCHED].count, s == FOLDER ? 1 : 2);
        dq_import_entities_release(users);
        const dq_import_chosen *chosen = dq_import_entities_chosen(users);
        assert_int_equal(dq_index_count(&chosen->ids), 4);
        assert_int_equal(dq_index_find(&chosen->ids, "4", 1), 2);
        assert_int_equal(dq_index_find(&chosen->ids, "3", 1), DQ_ABSENT);
        dq_import_entities_free(users);
        end(&w);
    }
}

static dq_status refuse(void *arg, const dq_import_entity *entity, dq_error *error)
{
    unsigned *left = arg;
    (void)entity;
    return (*left)-- ? DQ_OK : dq_fail(error, DQ_ERR_IO, "the disk is full");
}

static void test_taker_that_fails(void **state)
{
    (void)state;
    for (source s = 0; s < SOURCES; s++) {
        world w;
        begin_five(&w, s);
        unsigned left = 2;
        dq_import_entities *users;
        assert_int_equal(dq_import_entities_new(&users, DQ_KIND_USERS, &w.place.as_place, &w.mapping.users,
                                                &w.selection, false, &w.error),
                         DQ_OK);
        assert_int_equal(dq_import_entities_read(users, &w.tally, refuse, &left, &w.error), DQ_ERR_IO);
        assert_string_equal(w.error.reason, "the disk is full");
        dq_import_entities_free(users);
        end(&w);
    }
}

/* ---- short memory ---- */

/* Whichever allocation fails: an error, or the same rows and counts as ever. */
static void test_short_memory(void **state)
{
    (void)state;
    if (!CAN_FAIL_ALLOCATIONS) skip();
    for (source s = 0; s < SOURCES; s++) {
        unsigned failed = 0;
        for (unsigned n = 1;; n++) {
            world w;
            begin(&w, s, plain);
            put(&w.place, "u", "[{\"_id\":1},{\"_id\":2},{\"_id\":{\"$numberLong\":\"3\"}},{\"_id\":4}]");
            put(&w.place, "v",
                "[{\"of\":1,\"x\":[1]},{\"of\":3,\"x\":[1,2]},"
                "{\"of\":4,\"x\":{\"$binary\":{\"base64\":\"JwAAAIA/\",\"subType\":\"09\"}}}]");
            allocated = 0;
            failing_allocation = n;
            dq_status status = read_once(&w);
            bool all = allocated < n;
            failing_allocation = 0;
            failed += status == DQ_ERR_MEMORY;
            if (status != DQ_ERR_MEMORY) {
                if (status) fail_msg("allocation %u: %s", n, w.error.reason);
                assert_string_equal(w.got, "1 4");
                passes_over(&w.tally, s == FOLDER ? "1 width (v 2), 1 unmatched (u 2)"
                                                  : "1 width (v), 1 unmatched (u '2')");
            }
            end(&w);
            if (all) break;
        }
        assert_true(failed > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),           cmocka_unit_test(test_selected_ids),
        cmocka_unit_test(test_what_is_asked),    cmocka_unit_test(test_many_batches),
        cmocka_unit_test(test_many_selected),    cmocka_unit_test(test_places_that_fail),
        cmocka_unit_test(test_broken_promise),   cmocka_unit_test(test_reading_again),
        cmocka_unit_test(test_taker_that_fails), cmocka_unit_test(test_short_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
