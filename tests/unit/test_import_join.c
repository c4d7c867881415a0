/* SPDX-License-Identifier: MIT
 *
 * Documents of several collections joined into users: in the order of their ids, whatever the way they are
 * read; and what becomes of documents that are missing, stand twice, or are no good.
 */
#include "import_users.h"

/* Collections u and v, read in one way: these ids, and these faults. */
static void joins(source s, const char *u, const char *v, const char *ids, const char *faults)
{
    world w;
    begin(&w, s, plain);
    put(&w.place, "u", u);
    put(&w.place, "v", v);
    gives(&w, ids);
    passes_over(&w.tally, faults);
    end(&w);
}

/* ---- order, and how documents meet ---- */

#define OBJECT "{\"$oid\":\"65f1000000000000000000ab\"}"

static void test_order_of_ids(void **state)
{
    (void)state;
    for (source s = 0; s < SOURCES; s++) {
        joins(s, "[{\"_id\":\"b\"},{\"_id\":10},{\"_id\":" OBJECT "},{\"_id\":9},{\"_id\":\"a\"}]",
              "[{\"of\":9,\"x\":[1]},{\"of\":\"a\",\"x\":[2]},{\"of\":" OBJECT ",\"x\":[3]},"
              "{\"of\":10,\"x\":[4]},{\"of\":\"b\",\"x\":[5]}]",
              "9 10 a b 65f1000000000000000000ab", "");
        joins(s, "[{\"_id\":3},{\"_id\":-1},{\"_id\":20}]",
              "[{\"of\":20,\"x\":[1]},{\"of\":3,\"x\":[2]},{\"of\":-1,\"x\":[3]}]", "-1 3 20", "");
        joins(s, "[]", "[]", "", "");
    }
}

/* By the text of the id, whatever its kind. */
static void test_kinds_meet(void **state)
{
    (void)state;
    for (source s = 0; s < SOURCES; s++) {
        joins(s, "[{\"_id\":" OBJECT "},{\"_id\":{\"$oid\":\"000000000000000000000001\"}}]",
              "[{\"of\":\"65f1000000000000000000ab\",\"x\":[1]},"
              "{\"of\":\"000000000000000000000001\",\"x\":[1]}]",
              "000000000000000000000001 65f1000000000000000000ab", "");
        joins(s, "[{\"_id\":7},{\"_id\":8}]", "[{\"of\":\"8\",\"x\":[1]},{\"of\":\"7\",\"x\":[1]}]", "7 8",
              "");
    }
}

static void test_rows(void **state)
{
    (void)state;
    static const char mapping[] =
        "{\"users\":[{\"collection\":\"u\",\"id\":\"_id\",\"attributes\":true,"
        "\"texts\":{\"bio\":\"about\",\"name\":\"name\"},\"required\":[\"name\"]},"
        "{\"collection\":\"v\",\"id\":\"of\",\"vectors\":[{\"field\":\"a\",\"key\":\"x\",\"width\":2},"
        "{\"field\":\"b\",\"key\":\"y\",\"width\":1,\"optional\":true}],\"texts\":{\"more\":\"z\"}}],"
        "\"items\":[{\"collection\":\"i\",\"id\":\"_id\"}]}";
    for (source s = 0; s < SOURCES; s++) {
        world w;
        begin(&w, s, mapping);
        w.ids_only = false;
        put(&w.place, "u",
            "[{\"_id\":2,\"name\":[\"b\",\"c\"],\"age\":30,\"at\":{\"$date\":\"2026\"},\"none\":null},"
            "{\"_id\":1,\"about\":\"likes tea\",\"name\":\"a\"}]");
        put(&w.place, "v",
            "[{\"_id\":8,\"of\":2,\"x\":[1,2],\"y\":[3],\"z\":\"\",\"extra\":1},"
            "{\"_id\":9,\"of\":1,\"x\":[0.5,-1]}]");
        gives(&w, "1{\"bio\":\"likes tea\",\"name\":\"a\"}{}[0.5,-1,0] "
                  "2{\"name\":\"b, c\",\"more\":\"\"}"
                  "{\"age\":30,\"at\":{\"$date\":\"2026\"},\"none\":null}[1,2,3]");
        passes_over(&w.tally, "");
        end(&w);
    }
}

/* ---- documents that do not join, or do not fit ---- */

static void test_missing_documents(void **state)
{
    (void)state;
    const char *u = "[{\"_id\":1},{\"_id\":2},{\"_id\":3}]", *v = "[{\"of\":2,\"x\":[1]}]";
    joins(FOLDER, u, v, "2", "2 unmatched (u 1)");
    joins(DATABASE, u, v, "2", "2 unmatched (u '1')");
    joins(FILTERED, u, v, "2", "2 unmatched (u '1')");
    joins(FOLDER, u, "[]", "", "3 unmatched (u 1)");
}

static void test_documents_of_nobody(void **state)
{
    (void)state;
    const char *u = "[{\"_id\":2}]", *v = "[{\"_id\":7,\"of\":1,\"x\":[1]},{\"of\":2,\"x\":[1]}]";
    joins(FOLDER, u, v, "2", "1 unmatched (v 1)");
    joins(DATABASE, u, v, "2", "1 unmatched (v '7')");
    joins(FILTERED, u, v, "2", ""); /* never asked for */
}

/* The first one stays. */
static void test_duplicates(void **state)
{
    (void)state;
    const char *u = "[{\"_id\":1},{\"_id\":2},{\"_id\":1}]",
               *v = "[{\"of\":1,\"x\":[1]},{\"of\":2,\"x\":[2]},{\"_id\":5,\"of\":2,\"x\":[3]}]";
    joins(FOLDER, u, v, "1 2", "2 duplicate (u 3)");
    joins(DATABASE, u, v, "1 2", "2 duplicate (u '1')");
    joins(FILTERED, u, v, "1 2", "2 duplicate (u '1')");
    const char *both = "[{\"_id\":7},{\"_id\":\"7\"}]", *one = "[{\"of\":7,\"x\":[1]}]";
    for (source s = 0; s < SOURCES; s++)
        joins(s, both, one, "7", s == FOLDER ? "1 duplicate (u 2)" : "1 duplicate (u '7')");
}

/* A row whose document is no good is counted once, and not as unmatched, too. */
static void test_documents_that_are_no_good(void **state)
{
    (void)state;
    static const struct {
        const char *v, *fault;
    } cases[] = {{"{\"_id\":5,\"of\":1,\"x\":[1,2]}", "width"},
                 {"{\"_id\":5,\"of\":1,\"x\":7}", "mistyped"},
                 {"{\"_id\":5,\"of\":1,\"x\":[1e39]}", "not finite"},
                 {"{\"_id\":5,\"of\":1,\"x\":null}", "missing"},
                 {"{\"_id\":5,\"of\":1}", "missing"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (source s = 0; s < SOURCES; s++) {
            char v[128], faults[64];
            (void)snprintf(v, sizeof v, "[{\"of\":2,\"x\":[1]},%s]", cases[i].v);
            (void)snprintf(faults, sizeof faults, s == FOLDER ? "1 %s (v 2)" : "1 %s (v '5')",
                           cases[i].fault);
            joins(s, "[{\"_id\":1},{\"_id\":2}]", v, "2", faults);
        }
}

static void test_required_texts(void **state)
{
    (void)state;
    static const char mapping[] = "{\"users\":[{\"collection\":\"u\",\"id\":\"_id\","
                                  "\"texts\":{\"name\":\"n\"},\"required\":[\"name\"]}],"
                                  "\"items\":[{\"collection\":\"i\",\"id\":\"_id\"}]}";
    for (source s = 0; s < SOURCES; s++) {
        world w;
        begin(&w, s, mapping);
        put(&w.place, "u",
            "[{\"_id\":1,\"n\":\"x\"},{\"_id\":2},{\"_id\":3,\"n\":null},{\"_id\":4,\"n\":\"\"},"
            "{\"_id\":5,\"n\":[]}]");
        gives(&w, "1");
        passes_over(&w.tally, s == FOLDER ? "4 missing (u 2)" : "4 missing (u '2')");
        end(&w);
    }
}

static void test_malformed_and_nameless(void **state)
{
    (void)state;
    const char *u = "[{\"_id\":1},null,{\"name\":\"x\"},{\"_id\":2},{\"_id\":true}]",
               *v = "[{\"of\":2,\"x\":[1]},null,null,{\"x\":[1]},{\"of\":1,\"x\":[1]}]";
    joins(FOLDER, u, v, "1 2", "3 malformed (u 2), 3 no id (u 3)");
    joins(DATABASE, u, v, "1 2", "3 malformed (u), 3 no id (u)");
}

static void test_strict(void **state)
{
    (void)state;
    world w;
    begin(&w, FOLDER, plain);
    w.tally.strict = true;
    put(&w.place, "u", "[{\"_id\":1},{\"_id\":2}]");
    put(&w.place, "v", "[{\"of\":1,\"x\":[1]}]");
    fails_with(&w, DQ_ERR_UNKNOWN, "user '2' is not in v");
    assert_string_equal(w.error.source, "u");
    assert_int_equal(w.error.record, 2);
    assert_string_equal(w.got, "");
    passes_over(&w.tally, "");
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_of_ids),
        cmocka_unit_test(test_kinds_meet),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_missing_documents),
        cmocka_unit_test(test_documents_of_nobody),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_documents_that_are_no_good),
        cmocka_unit_test(test_required_texts),
        cmocka_unit_test(test_malformed_and_nameless),
        cmocka_unit_test(test_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
