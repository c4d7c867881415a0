/* SPDX-License-Identifier: MIT
 *
 * Interactions of a collection: between whom they are, in which order they leave, and what is passed over.
 * And what a tally counts.
 */
#include "collections.h"

#include "import/interactions.h"

#include <math.h>

typedef struct world {
    memory_place place;
    dq_import_selection pick_users, pick_items;
    dq_import_chosen users, items;
    dq_import_tally tally;
    dq_import_interactions all;
    dq_documents documents;
    dq_error error;
} world;

static const dq_import_interaction_keys keys = {
    .user = "user", .item = "item", .label = "label", .reward = "reward", .ignored = "_id"};

/* The users u2 and u1 and the items 7 and 5 have left, in that order. */
static void begin(world *w, const char *documents)
{
    *w = (world){.pick_users.limit = UINT64_MAX, .pick_items.limit = UINT64_MAX};
    w->error = DQ_ERROR_NONE;
    begin_place(&w->place, false);
    put(&w->place, "x", documents);
    w->users = dq_import_chosen_of(DQ_KIND_USERS, &w->pick_users);
    w->items = dq_import_chosen_of(DQ_KIND_ITEMS, &w->pick_items);
    assert_int_equal(dq_index_add(&w->users.ids, "u2", 2, NULL, NULL, NULL), DQ_OK);
    assert_int_equal(dq_index_add(&w->users.ids, "u1", 2, NULL, NULL, NULL), DQ_OK);
    assert_int_equal(dq_index_add(&w->items.ids, "7", 1, NULL, NULL, NULL), DQ_OK);
    assert_int_equal(dq_index_add(&w->items.ids, "5", 1, NULL, NULL, NULL), DQ_OK);
}

static void end(world *w)
{
    dq_import_interactions_free(&w->all);
    dq_index_free(&w->users.ids);
    dq_index_free(&w->items.ids);
    end_place(&w->place);
}

static dq_status read_all(world *w)
{
    static const dq_query query = {.collection = "x", .key = "_id"};
    assert_int_equal(w->place.as_place.open(&w->place.as_place, &query, &w->documents, &w->error), DQ_OK);
    dq_status status = dq_import_interactions_read(&w->all, &w->documents, &keys, &w->users, &w->items,
                                                   &w->tally, &w->error);
    w->documents.close(&w->documents);
    return status;
}

/* "USER-ITEM:LABEL=REWARD{attributes}", apart by spaces. */
static void gives(world *w, const char *expected)
{
    char got[1024] = "";
    size_t used = 0;
    if (read_all(w)) fail_msg("%s", w->error.reason);
    for (size_t i = 0; i < w->all.count; i++) {
        const dq_import_interaction *x = &w->all.rows[i].interaction;
        dq_json_text json = DQ_JSON_TEXT_EMPTY;
        assert_int_equal(dq_json_write(&json, &x->attributes, NULL), DQ_OK);
        used += (size_t)snprintf(got + used, sizeof got - used, "%s%.*s-%.*s", i ? " " : "",
                                 (int)x->user.bytes, x->user.text, (int)x->item.bytes, x->item.text);
        if (x->label.type == DQ_STRING)
            used += (size_t)snprintf(got + used, sizeof got - used, ":%s", x->label.as.string);
        if (!isnan(x->reward)) used += (size_t)snprintf(got + used, sizeof got - used, "=%g", x->reward);
        if (x->attributes.count)
            used += (size_t)snprintf(got + used, sizeof got - used, "%.*s", (int)json.bytes, json.data);
        dq_json_text_free(&json);
    }
    assert_string_equal(got, expected);
}

/* By the places of users, then `_id`, then as they came. */
static void test_order(void **state)
{
    (void)state;
    world w;
    begin(&w, "[{\"user\":\"u1\",\"item\":5,\"label\":\"a\"},{\"user\":\"u1\",\"item\":7},"
              "{\"user\":\"u2\",\"item\":\"5\",\"reward\":0.5},{\"user\":\"u1\",\"item\":5,\"label\":\"b\"},"
              "{\"user\":\"u2\",\"item\":7},{\"user\":\"u1\",\"item\":5,\"label\":\"0\"}]");
    gives(&w, "u2-5=0.5 u2-7 u1-5:a u1-7 u1-5:b u1-5:0");
    passes_over(&w.tally, "");
    end(&w);
    begin(&w, "[{\"user\":\"u1\",\"item\":7,\"label\":\"6\",\"_id\":{\"$oid\":\"65f100000000000000000002\"}},"
              "{\"user\":\"u1\",\"item\":5,\"label\":\"5\",\"_id\":{\"$oid\":\"65F100000000000000000001\"}},"
              "{\"user\":\"u1\",\"item\":7,\"label\":\"4\",\"_id\":\"b\"},"
              "{\"user\":\"u1\",\"item\":7,\"label\":\"2\",\"_id\":{\"$numberLong\":\"10\"}},"
              "{\"user\":\"u1\",\"item\":5,\"label\":\"1\",\"_id\":9},"
              "{\"user\":\"u1\",\"item\":5,\"label\":\"3\",\"_id\":\"a\"},"
              "{\"user\":\"u1\",\"item\":7,\"label\":\"n\",\"_id\":{\"a\":1}},"
              "{\"user\":\"u1\",\"item\":5,\"label\":\"m\"}]");
    gives(&w, "u1-5:m u1-5:1 u1-7:2 u1-5:3 u1-7:4 u1-5:5 u1-7:6 u1-7:n");
    end(&w);
    begin(&w, "[]");
    gives(&w, "");
    end(&w);
}

static void test_what_is_kept(void **state)
{
    (void)state;
    world w;
    begin(&w, "[{\"_id\":1,\"user\":\"u2\",\"item\":7,\"label\":12,\"reward\":-3,\"at\":{\"$date\":\"2026\"},"
              "\"n\":null},{\"_id\":2,\"user\":\"u1\",\"item\":7,\"label\":null,\"reward\":null}]");
    gives(&w, "u2-7:12=-3{\"at\":{\"$date\":\"2026\"},\"n\":null} u1-7");
    end(&w);
}

/* Far more than there is room for at first. */
static void test_many(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    world w;
    begin(&w, "[]");
    dq_arena *arena = &w.place.arena;
    for (int64_t i = 0; i < MANY; i++) {
        dq_value x = dq_map();
        assert_true(dq_map_set(arena, &x, "user", dq_string(arena, i % 3 ? "u1" : "u2")) &&
                    dq_map_set(arena, &x, "item", dq_int(i % 2 ? 5 : 7)) &&
                    dq_map_set(arena, &x, "reward", dq_int(i)) &&
                    dq_list_add(arena, &w.place.all[0].documents, x));
    }
    assert_int_equal(read_all(&w), DQ_OK);
    assert_int_equal(w.all.count, MANY);
    for (size_t i = 1; i < MANY; i++) {
        const dq_import_kept *a = &w.all.rows[i - 1], *b = &w.all.rows[i];
        assert_true(a->user < b->user ||
                    (a->user == b->user && a->interaction.reward < b->interaction.reward));
    }
    end(&w);
}

static void test_faults(void **state)
{
    (void)state;
    static const struct {
        const char *x, *faults;
    } cases[] = {{"null", "1 malformed (x 2)"},
                 {"{\"user\":\"u1\"}", "1 no id (x 2)"},
                 {"{\"item\":5}", "1 no id (x 2)"},
                 {"{\"user\":\"u1\",\"item\":5,\"label\":[1]}", "1 mistyped (x 2)"},
                 {"{\"user\":\"u1\",\"item\":5,\"label\":{\"a\":1}}", "1 mistyped (x 2)"},
                 {"{\"user\":\"u1\",\"item\":5,\"reward\":\"x\"}", "1 mistyped (x 2)"},
                 {"{\"user\":\"u1\",\"item\":5,\"reward\":1e39}", "1 not finite (x 2)"},
                 {"{\"user\":\"u3\",\"item\":5}", "1 unknown user (x 2)"},
                 {"{\"user\":\"u1\",\"item\":6}", "1 unknown item (x 2)"},
                 {"{\"user\":\"u3\",\"item\":6}", "1 unknown user (x 2)"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char documents[256];
        world w;
        (void)snprintf(documents, sizeof documents,
                       "[{\"user\":\"u1\",\"item\":7},%s,{\"user\":\"u2\",\"item\":7}]", cases[i].x);
        begin(&w, documents);
        gives(&w, "u2-7 u1-7");
        passes_over(&w.tally, cases[i].faults);
        end(&w);
    }
}

/* Who was not wanted is no fault; who was never there is none either, where not all were wanted. */
static void test_selections(void **state)
{
    (void)state;
    static const char documents[] = "[{\"user\":\"u1\",\"item\":7},{\"user\":\"u3\",\"item\":7},"
                                    "{\"user\":\"u1\",\"item\":6}]";
    static const char *const u1[] = {"u1"};
    world w;
    for (int how = 0; how < 3; how++) {
        begin(&w, documents);
        if (how == 0) w.pick_users.limit = 2;
        if (how == 1) w.pick_users.where = "{}";
        w.pick_users.ids = u1;
        w.pick_users.id_count = how == 2;
        gives(&w, "u1-7");
        passes_over(&w.tally, "1 unknown item (x 3)");
        end(&w);
    }
    begin(&w, documents);
    w.pick_items.limit = 2;
    gives(&w, "u1-7");
    passes_over(&w.tally, "1 unknown user (x 2)");
    end(&w);
}

static void test_a_source_that_breaks(void **state)
{
    (void)state;
    world w;
    begin(&w, "[{\"user\":\"u1\",\"item\":7},\"broken\"]");
    assert_int_equal(read_all(&w), DQ_ERR_IO);
    assert_string_equal(w.error.reason, "the connection is gone");
    end(&w);
}

/* ---- tallies ---- */

static dq_status skip_at(dq_import_tally *tally, dq_import_fault fault, dq_status why, uint64_t record,
                         dq_error *e)
{
    *e = DQ_ERROR_NONE;
    dq_fail(e, why, "a reason");
    dq_error_at(e, "x", record);
    return dq_import_skip(tally, fault, e);
}

static void test_tally(void **state)
{
    (void)state;
    dq_import_tally tally = {.strict = false};
    dq_error e;
    assert_int_equal(skip_at(&tally, DQ_IMPORT_WIDTH, DQ_ERR_SCHEMA, 17, &e), DQ_OK);
    assert_int_equal(e.status, DQ_OK);
    assert_int_equal(e.record, DQ_NO_RECORD);
    assert_string_equal(e.source, "");
    assert_int_equal(skip_at(&tally, DQ_IMPORT_WIDTH, DQ_ERR_SCHEMA, 18, &e), DQ_OK);
    assert_int_equal(skip_at(&tally, DQ_IMPORT_NO_ID, DQ_ERR_SCHEMA, 19, &e), DQ_OK);
    passes_over(&tally, "1 no id (x 19), 2 width (x 17)");
    assert_int_equal(skip_at(&tally, DQ_IMPORT_WIDTH, DQ_ERR_MEMORY, 20, &e), DQ_ERR_MEMORY);
    assert_string_equal(e.reason, "a reason");
    assert_int_equal(skip_at(&tally, DQ_IMPORT_WIDTH, DQ_ERR_RANGE, 20, &e), DQ_ERR_RANGE);
    tally.strict = true;
    assert_int_equal(skip_at(&tally, DQ_IMPORT_WIDTH, DQ_ERR_SCHEMA, 21, &e), DQ_ERR_SCHEMA);
    assert_int_equal(e.record, 21);
    passes_over(&tally, "1 no id (x 19), 2 width (x 17)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),      cmocka_unit_test(test_what_is_kept),
        cmocka_unit_test(test_many),       cmocka_unit_test(test_faults),
        cmocka_unit_test(test_selections), cmocka_unit_test(test_a_source_that_breaks),
        cmocka_unit_test(test_tally),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
