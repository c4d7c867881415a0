/* SPDX-License-Identifier: MIT
 *
 * Mappings: what a good one says, and the words for every slip.
 */
#include "import/mapping.h"

#include "port/files/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void parse(dq_import_mapping *m, const char *text)
{
    dq_error e = DQ_ERROR_NONE;
    if (dq_import_mapping_parse(m, text, strlen(text), &e)) fail_msg("%s: %s", text, e.reason);
}

static void is_key(const dq_import_key *key, const char *name, const char *from, uint32_t width,
                   bool optional)
{
    assert_string_equal(key->name, name);
    assert_string_equal(key->key, from);
    assert_int_equal(key->width, width);
    assert_int_equal(key->optional, optional);
}

static void is_field(const dq_field *field, const char *name, uint32_t offset, uint32_t width)
{
    assert_string_equal(field->name, name);
    assert_int_equal(field->offset, offset);
    assert_int_equal(field->width, width);
}

/* ---- good ones ---- */

static void test_whole(void **state)
{
    (void)state;
    dq_import_mapping m;
    parse(&m, "{\"users\":[{\"collection\":\"u\",\"id\":\"_id\",\"attributes\":true,"
              "            \"texts\":{\"bio\":\"about\",\"name\":\"name\"},\"required\":[\"name\"]},"
              "           {\"collection\":\"uv\",\"id\":\"of\",\"vectors\":["
              "            {\"field\":\"a\",\"key\":\"va\",\"width\":2},"
              "            {\"field\":\"b\",\"key\":\"vb\",\"width\":3,\"optional\":true}]}],"
              " \"items\":[{\"collection\":\"i\",\"id\":\"id\",\"vectors\":["
              "            {\"field\":\"c\",\"key\":\"v\",\"width\":16777216}]}],"
              " \"interactions\":{\"collection\":\"seen\",\"user\":\"who\",\"item\":\"what\","
              "                  \"label\":\"judgement\"},"
              " \"pairs\":[[\"a\",\"c\"]]}");
    assert_int_equal(m.users.count, 2);
    const dq_import_part *u = &m.users.parts[0], *uv = &m.users.parts[1];
    assert_string_equal(u->collection, "u");
    assert_string_equal(u->id, "_id");
    assert_true(u->attributes);
    assert_int_equal(u->text_count, 2);
    is_key(&u->texts[0], "bio", "about", 0, true);
    is_key(&u->texts[1], "name", "name", 0, false);
    assert_int_equal(u->vector_count, 0);
    assert_string_equal(uv->id, "of");
    assert_false(uv->attributes);
    assert_int_equal(uv->vector_count, 2);
    is_key(&uv->vectors[0], "a", "va", 2, false);
    is_key(&uv->vectors[1], "b", "vb", 3, true);
    assert_true(m.users.layout.known);
    assert_int_equal(m.users.layout.count, 2);
    assert_int_equal(m.users.layout.width, 5);
    is_field(&m.users.layout.fields[0], "a", 0, 2);
    is_field(&m.users.layout.fields[1], "b", 2, 3);
    assert_int_equal(m.items.layout.width, 1 << 24);
    assert_string_equal(m.interactions, "seen");
    assert_false(m.interactions_optional);
    assert_string_equal(m.keys.user, "who");
    assert_string_equal(m.keys.item, "what");
    assert_string_equal(m.keys.label, "judgement");
    assert_null(m.keys.reward);
    assert_string_equal(m.keys.ignored, "_id");
    assert_int_equal(m.pair_count, 1);
    assert_string_equal(m.pairs[0].user_field, "a");
    assert_string_equal(m.pairs[0].item_field, "c");
    dq_import_mapping_free(&m);
}

/* Fields run through all parts, in their order. */
static void test_fields_of_many_parts(void **state)
{
    (void)state;
    dq_import_mapping m;
    parse(&m, "{\"users\":[{\"collection\":\"x\",\"id\":\"k\",\"vectors\":["
              "            {\"field\":\"a\",\"key\":\"v\",\"width\":4}]},"
              "           {\"collection\":\"y\",\"id\":\"k\"},"
              "           {\"collection\":\"z\",\"id\":\"k\",\"vectors\":["
              "            {\"field\":\"b\",\"key\":\"v\",\"width\":1}]}],"
              " \"items\":[{\"collection\":\"i\",\"id\":\"k\"}]}");
    assert_int_equal(m.users.layout.count, 2);
    is_field(&m.users.layout.fields[0], "a", 0, 4);
    is_field(&m.users.layout.fields[1], "b", 4, 1);
    assert_int_equal(m.items.layout.width, 0);
    assert_true(m.items.layout.known);
    assert_null(m.interactions);
    assert_int_equal(m.pair_count, 0);
    dq_import_mapping_free(&m);
}

static void test_built_in(void **state)
{
    (void)state;
    dq_import_mapping m, again;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_import_mapping_load(&m, "jobs", &e), DQ_OK);
    assert_true(dq_value_is(&m.canonical, "jobs"));
    assert_int_equal(m.users.layout.width, 2 * 384);
    assert_int_equal(m.items.layout.width, 4 * 384);
    assert_true(m.interactions_optional);
    assert_int_equal(m.pair_count, 2);
    parse(&again, dq_import_mapping_text("jobs"));
    assert_int_equal(again.canonical.type, DQ_MAP);
    assert_non_null(dq_map_get(&again.canonical, "pairs"));
    assert_int_equal(again.items.layout.width, m.items.layout.width);
    dq_import_mapping_free(&m);
    assert_null(dq_import_mapping_text("job"));
    assert_int_equal(dq_import_mapping_load(&m, "/nowhere/job", &e), DQ_ERR_IO);
    assert_string_equal(e.source, "/nowhere/job");
    dq_import_mapping_free(&again);
}

/* ---- slips ---- */

static void refused_whole(const char *text, dq_status status, const char *words)
{
    dq_import_mapping m;
    dq_error e = DQ_ERROR_NONE;
    if (dq_import_mapping_parse(&m, text, strlen(text), &e) != status) fail_msg("%s: %s", text, e.reason);
    if (strcmp(e.reason, words) != 0) fail_msg("%s: %s", text, e.reason);
    assert_null(m.arena.blocks);
    assert_null(m.users.layout.arena.blocks);
    assert_null(m.items.layout.arena.blocks);
}

/* users, items and more keys of the mapping, where NULL stands for a good value of the first two. */
static void refused(const char *users, const char *items, const char *more, const char *words)
{
    static const char good[] = "[{\"collection\":\"c\",\"id\":\"_id\"}]";
    char text[1024];
    (void)snprintf(text, sizeof text, "{\"users\":%s,\"items\":%s%s}", users ? users : good,
                   items ? items : good, more);
    refused_whole(text, DQ_ERR_SCHEMA, words);
}

/* One part, and its words behind "users[0]: ". */
static void refused_part(const char *part, const char *words)
{
    char users[512], all[256];
    (void)snprintf(users, sizeof users, "[%s]", part);
    (void)snprintf(all, sizeof all, "users[0]: %s", words);
    refused(users, NULL, "", all);
}

static void test_no_mapping(void **state)
{
    (void)state;
    refused_whole("[]", DQ_ERR_SCHEMA, "mapping: not an object");
    refused_whole("{\"user\":1}", DQ_ERR_SCHEMA, "mapping: no such key here: 'user'");
    refused_whole("{}", DQ_ERR_SCHEMA, "\"users\" is no list of 1 to 32 collections");
    dq_import_mapping m;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_import_mapping_parse(&m, "{\"users\":", 9, &e), DQ_ERR_FORMAT);
    assert_memory_equal(e.reason, "JSON: ", 6);
}

static void test_lists_of_parts(void **state)
{
    (void)state;
    static const char *const none[] = {"{}", "[]", "\"c\"", "null"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        refused(none[i], NULL, "", "\"users\" is no list of 1 to 32 collections");
        refused(NULL, none[i], "", "\"items\" is no list of 1 to 32 collections");
    }
    char many[33 * 32] = "[";
    for (int i = 0; i < 33; i++) strcat(strcat(many, i ? "," : ""), "{}");
    refused(strcat(many, "]"), NULL, "", "\"users\" is no list of 1 to 32 collections");
    refused("[{\"collection\":\"c\",\"id\":\"_id\"},7]", NULL, "", "users[1]: not an object");
    refused(NULL, "[{\"collection\":\"c\"}]", "", "items[0]: \"id\" is no string");
}

static void test_parts(void **state)
{
    (void)state;
    refused_part("{\"colection\":\"c\"}", "no such key here: 'colection'");
    refused_part("{\"id\":\"_id\"}", "\"collection\" is no string");
    refused_part("{\"collection\":\"\",\"id\":\"_id\"}", "\"collection\" is no string");
    refused_part("{\"collection\":\"a\\u0000b\",\"id\":\"_id\"}", "\"collection\" is no string");
    refused_part("{\"collection\":\"c\",\"id\":7}", "\"id\" is no string");
    refused_part("{\"collection\":\"c\",\"id\":\"i\",\"attributes\":1}", "\"attributes\" is no boolean");
    refused_part("{\"collection\":\"c\",\"id\":\"i\",\"texts\":[\"a\"]}", "\"texts\" is no object");
    refused_part("{\"collection\":\"c\",\"id\":\"i\",\"texts\":{\"a\":7}}", "\"a\" is no string");
    refused_part("{\"collection\":\"c\",\"id\":\"i\",\"texts\":{\"a\":\"\"}}", "\"a\" is no string");
    refused_part("{\"collection\":\"c\",\"id\":\"i\",\"texts\":{\"a\":\"a\"},\"required\":\"a\"}",
                 "\"required\" is no list");
    refused_part("{\"collection\":\"c\",\"id\":\"i\",\"texts\":{\"a\":\"a\"},\"required\":[\"a\",\"b\"]}",
                 "\"required\" names what is not among the texts");
    refused_part("{\"collection\":\"c\",\"id\":\"i\",\"required\":[\"a\"]}",
                 "\"required\" names what is not among the texts");
}

/* A vector of users[0]. */
static void refused_vector(const char *vector, const char *words)
{
    char part[256];
    (void)snprintf(part, sizeof part, "{\"collection\":\"c\",\"id\":\"i\",\"vectors\":[%s]}", vector);
    refused_part(part, words);
}

static void test_vectors(void **state)
{
    (void)state;
    refused_part("{\"collection\":\"c\",\"id\":\"i\",\"vectors\":{}}", "\"vectors\" is no list");
    refused_vector("[1,2]", "not an object");
    refused_vector("{\"name\":\"a\"}", "no such key here: 'name'");
    refused_vector("{\"key\":\"k\",\"width\":1}", "\"field\" is no string");
    refused_vector("{\"field\":\"a\",\"width\":1}", "\"key\" is no string");
    refused_vector("{\"field\":\"a\",\"key\":\"k\",\"width\":1,\"optional\":0}",
                   "\"optional\" is no boolean");
    static const char *const widths[] = {"0", "-1", "16777217", "4294967297", "1.5", "\"3\"", "null"};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        char vector[128];
        (void)snprintf(vector, sizeof vector, "{\"field\":\"a\",\"key\":\"k\",\"width\":%s}", widths[i]);
        refused_vector(vector, "\"width\" is no count");
    }
    refused_vector("{\"field\":\"a\",\"key\":\"k\"}", "\"width\" is no count");
    refused(NULL,
            "[{\"collection\":\"c\",\"id\":\"i\",\"vectors\":[{\"field\":\"a\",\"key\":\"k\",\"width\":1}]},"
            "{\"collection\":\"d\",\"id\":\"i\",\"vectors\":[{\"field\":\"a\",\"key\":\"l\",\"width\":2}]}]",
            "", "items: two fields named 'a'");
}

/* Widths that are each good, and whose sum no 32 bits hold. */
static void test_widths_overflow(void **state)
{
    (void)state;
    enum { MANY = 256 };
    static char text[MANY * 64 + 256];
    size_t used = (size_t)snprintf(text, sizeof text,
                                   "{\"users\":[{\"collection\":\"c\",\"id\":\"i\",\"vectors\":[");
    for (int i = 0; i < MANY; i++)
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "%s{\"field\":\"f%d\",\"key\":\"k\",\"width\":16777216}", i ? "," : "", i);
    (void)snprintf(text + used, sizeof text - used, "]}],\"items\":[{\"collection\":\"c\",\"id\":\"i\"}]}");
    refused_whole(text, DQ_ERR_SCHEMA, "users: vectors of more than 1073741823 numbers");
}

static void test_interactions(void **state)
{
    (void)state;
    refused(NULL, NULL, ",\"interactions\":[]", "interactions: not an object");
    refused(NULL, NULL, ",\"interactions\":{\"users\":\"u\"}", "interactions: no such key here: 'users'");
    refused(NULL, NULL, ",\"interactions\":{\"user\":\"u\",\"item\":\"i\"}",
            "interactions: \"collection\" is no string");
    refused(NULL, NULL, ",\"interactions\":{\"collection\":\"x\",\"item\":\"i\"}",
            "interactions: \"user\" is no string");
    refused(NULL, NULL, ",\"interactions\":{\"collection\":\"x\",\"user\":\"u\"}",
            "interactions: \"item\" is no string");
    refused(NULL, NULL, ",\"interactions\":{\"collection\":\"x\",\"user\":\"u\",\"item\":\"i\",\"label\":1}",
            "interactions: \"label\" is no string");
    refused(NULL, NULL, ",\"interactions\":{\"collection\":\"x\",\"user\":\"u\",\"item\":\"i\",\"reward\":1}",
            "interactions: \"reward\" is no string");
    refused(NULL, NULL,
            ",\"interactions\":{\"collection\":\"x\",\"user\":\"u\",\"item\":\"i\",\"optional\":1}",
            "interactions: \"optional\" is no boolean");
}

static void test_pairs(void **state)
{
    (void)state;
    refused(NULL, NULL, ",\"pairs\":{}", "meta.pairs: not a list");
    static const char *const none[] = {"[\"a\"]", "\"a:b\"", "[\"a\",1]", "[\"a\",\"b\",\"c\"]"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        char more[64];
        (void)snprintf(more, sizeof more, ",\"pairs\":[%s]", none[i]);
        refused(NULL, NULL, more, "meta.pairs: not [user field, item field]");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),          cmocka_unit_test(test_fields_of_many_parts),
        cmocka_unit_test(test_built_in),       cmocka_unit_test(test_no_mapping),
        cmocka_unit_test(test_lists_of_parts), cmocka_unit_test(test_parts),
        cmocka_unit_test(test_vectors),        cmocka_unit_test(test_widths_overflow),
        cmocka_unit_test(test_interactions),   cmocka_unit_test(test_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
