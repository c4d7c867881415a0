/* SPDX-License-Identifier: MIT
 *
 * What columns and keys are by their names: dq's, those of data sets, those that somebody gives; and that two
 * names for one thing are never chosen between.
 */
#include "import/names.h"

#include "port/files/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const dq_import_reading nothing;

/* The roles of "a b c" as "a=ROLE b c=ROLE"; "!" and the reason where it fails. */
static void assigns(const dq_import_reading *reading, const char *kind, const char *names,
                    const char *expected)
{
    char copy[256], got[512] = "", *rest = NULL;
    const char *keys[16], *roles[16];
    size_t count = 0, used = 0;
    dq_error e = DQ_ERROR_NONE;
    (void)snprintf(copy, sizeof copy, "%s", names);
    for (char *one = strtok_r(copy, " ", &rest); one; one = strtok_r(NULL, " ", &rest)) keys[count++] = one;
    if (dq_import_assign(reading, kind, false, keys, count, roles, &e)) {
        (void)snprintf(got, sizeof got, "!%s", e.reason);
        count = 0;
    }
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(got + used, sizeof got - used, "%s%s%s%s", i ? " " : "", keys[i],
                                 roles[i] ? "=" : "", roles[i] ? roles[i] : "");
    assert_string_equal(got, expected);
}

static void names_of_data_sets(void **state)
{
    (void)state;
    assigns(&nothing, "interactions", "userId movieId rating timestamp",
            "userId=user movieId=item rating=reward timestamp=time");
    assigns(&nothing, "interactions", "user_id item_id rating timestamp",
            "user_id=user item_id=item rating=reward timestamp=time");
    assigns(&nothing, "interactions", "reviewerID asin overall unixReviewTime summary",
            "reviewerID=user asin=item overall=reward unixReviewTime=time summary");
    assigns(&nothing, "interactions", "user_id parent_asin asin rating text",
            "user_id=user parent_asin=item asin rating=reward text");
    assigns(&nothing, "interactions", "timestamp item_id position click propensity_score user_id",
            "timestamp=time item_id=item position=position click propensity_score=propensity user_id=user");
    assigns(&nothing, "interactions", "user action reward pscore request_id model",
            "user=user action=item reward=reward pscore=propensity request_id=request model=model");
    assigns(&nothing, "interactions", "user item action", "user=user item=item action"); /* what was done */
    assigns(&nothing, "interactions", "action movieId", "action movieId=item");
    assigns(&nothing, "feedback", "request_id movieId label rating time position",
            "request_id=request movieId=item label=label rating=reward time position");
    assigns(&nothing, "items", "position model action", "position model action");
    assigns(&nothing, "items", "movieId title genres", "movieId=id title genres");
    assigns(&nothing, "users", "_id rating timestamp", "_id=id rating timestamp");
    assigns(&nothing, "users", "item_id", "item_id"); /* of items alone */
    assigns(&nothing, "interactions", "_id user item", "_id user=user item=item");
}

static void two_names_of_one_thing(void **state)
{
    (void)state;
    assigns(&nothing, "users", "id _id", "!both id and _id could be the id; --columns id=id chooses");
    assigns(&nothing, "interactions", "user item reward rating", "user=user item=item reward=reward rating");
    assigns(&nothing, "interactions", "user item rating stars",
            "!both rating and stars could be the reward; --columns reward=rating chooses");
    assigns(&nothing, "interactions", "user item stars score", "user=user item=item stars=reward score");
    assigns(&nothing, "interactions", "user item score", "user=user item=item score=reward");
    assigns(&nothing, "interactions", "user rank item score", "user=user rank item=item score");
    assigns(&nothing, "interactions", "user item scores rankings", "user=user item=item scores rankings");
    char name[DQ_IMPORT_REWARD_NAME] = "";
    const dq_import_reading noting = {.reward_name = name};
    assigns(&noting, "interactions", "user item reward", "user=user item=item reward=reward");
    assert_string_equal(name, "");
    assigns(&noting, "interactions", "user item stars", "user=user item=item stars=reward");
    assert_string_equal(name, "stars");
    assigns(&nothing, "interactions", "user item propensity pscore",
            "!both propensity and pscore could be the propensity; --columns propensity=propensity chooses");
    dq_import_named named[] = {{"id", "id"}, {"attr.x", "b"}};
    const dq_import_reading chosen = {.named = named, .count = 1}, both = {.named = named, .count = 2};
    assigns(&chosen, "users", "id _id", "id=id _id");
    assigns(&both, "users", "id b x", "!both b and x would be the attribute x");
    named[0] = (dq_import_named){"id", "_id"};
    assigns(&chosen, "users", "id _id",
            "!_id is the id, and so is id; --columns attr.OTHER=id keeps that, too");
    named[1] = (dq_import_named){"attr.old", "id"};
    assigns(&both, "users", "id _id", "id=attr.old _id=id");
}

static void roles(void **state)
{
    (void)state;
    assert_true(dq_import_is_role("id", "users") && dq_import_is_role("text.bio", "items"));
    assert_true(dq_import_is_role("time", "interactions") && dq_import_is_role("attr.x", "interactions"));
    assert_false(dq_import_is_role("id", "interactions") || dq_import_is_role("reward", "users"));
    assert_true(dq_import_is_role("propensity", "interactions") && dq_import_is_role("request", "feedback"));
    assert_false(dq_import_is_role("propensity", "users") || dq_import_is_role("position", "feedback"));
    assert_false(dq_import_is_role("text.x", "interactions") || dq_import_is_role("attr.", "users"));
    assert_false(dq_import_is_role("movieId", "items") || dq_import_is_role("", "users"));
    dq_import_named named[] = {{"user", "1"}, {"item", "2"}};
    dq_import_reading reading = {.named = named, .count = 2};
    assert_true(dq_import_is_headless(&reading));
    named[1].name = "movie";
    assert_false(dq_import_is_headless(&reading) || dq_import_is_headless(&nothing));
}

/* A document before and after, as JSON. */
static void renames(const dq_import_reading *reading, const char *kind, const char *text,
                    const char *expected)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_json_text out = DQ_JSON_TEXT_EMPTY;
    dq_error e = DQ_ERROR_NONE;
    dq_value v;
    dq_import_plain plain = {.own = false};
    assert_int_equal(dq_json_parse(text, strlen(text), &arena, &v, &e), DQ_OK);
    assert_int_equal(dq_import_rename(reading, kind, &plain, &v, &arena, &e), DQ_OK);
    dq_import_shape_free(&plain.shape);
    assert_int_equal(dq_json_write(&out, &v, &e), DQ_OK);
    assert_int_equal(dq_json_write_raw(&out, "", 1, &e), DQ_OK);
    assert_string_equal(out.data, expected);
    dq_json_text_free(&out);
    dq_arena_free(&arena);
}

static void refuses(const dq_import_reading *reading, const char *kind, const char *text, const char *reason)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_error e = DQ_ERROR_NONE;
    dq_value v;
    dq_import_plain plain = {.own = false};
    assert_int_equal(dq_json_parse(text, strlen(text), &arena, &v, &e), DQ_OK);
    assert_int_equal(dq_import_rename(reading, kind, &plain, &v, &arena, &e), DQ_ERR_SCHEMA);
    dq_import_shape_free(&plain.shape);
    assert_string_equal(e.reason, reason);
    dq_arena_free(&arena);
}

static void documents(void **state)
{
    (void)state;
    renames(&nothing, "items", "{\"_id\":1,\"text\":{\"a\":\"b\"},\"x\":2}",
            "{\"id\":1,\"text\":{\"a\":\"b\"},\"x\":2}");
    renames(&nothing, "items", "{\"id\":1,\"x\":2}", "{\"id\":1,\"x\":2}");
    renames(&nothing, "interactions", "{\"userId\":1,\"movieId\":2,\"rating\":3.5}",
            "{\"user\":1,\"item\":2,\"reward\":3.5}");
    dq_import_named named[] = {
        {"id", "sku"}, {"text.title", "name"}, {"text.body", "text"}, {"attr.p", "price"}};
    const dq_import_reading reading = {.named = named, .count = 4};
    renames(&reading, "items", "{\"sku\":1,\"name\":\"n\",\"text\":\"t\",\"price\":3}",
            "{\"id\":1,\"p\":3,\"text\":{\"title\":\"n\",\"body\":\"t\"}}");
    const dq_import_reading title = {.named = named + 1, .count = 1};
    renames(&title, "items", "{\"id\":1,\"text\":{\"body\":\"b\"},\"name\":\"n\"}",
            "{\"id\":1,\"text\":{\"body\":\"b\",\"title\":\"n\"}}");
    renames(&title, "items", "{\"id\":1,\"text\":null,\"name\":\"n\"}",
            "{\"id\":1,\"text\":{\"title\":\"n\"}}");
    refuses(&title, "items", "{\"id\":1,\"text\":{\"title\":\"b\"},\"name\":\"n\"}",
            "both name and text.title would be the text title");
    refuses(&title, "items", "{\"id\":1,\"text\":\"b\",\"name\":\"n\"}",
            "text is no object of texts; --columns text.NAME=text makes one of it");
    dq_import_named other[] = {{"text.title", "name"}, {"attr.text", "words"}};
    const dq_import_reading attribute = {.named = other, .count = 2};
    refuses(&attribute, "items", "{\"id\":1,\"words\":\"b\",\"name\":\"n\"}",
            "text is no object of texts; --columns text.NAME=text makes one of it");
    /* what dq-cat printed has dq's own names; rows of another kind are nobody's here */
    renames(&nothing, "interactions",
            "{\"kind\":\"interactions\",\"user\":1,\"item\":2,\"reward\":1.0,\"rating\":3}",
            "{\"kind\":\"interactions\",\"user\":1,\"item\":2,\"reward\":1.0,\"rating\":3}");
    renames(&nothing, "users", "{\"kind\":\"items\",\"id\":1,\"_id\":2}",
            "{\"kind\":\"items\",\"id\":1,\"_id\":2}");
}

static void explains(const char *kind, const char *text, const char *words)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_error e = DQ_ERROR_NONE;
    dq_value v;
    assert_int_equal(dq_json_parse(text, strlen(text), &arena, &v, &e), DQ_OK);
    dq_import_explain(&nothing, kind, &v, &e);
    assert_string_equal(e.reason, words);
    dq_arena_free(&arena);
}

static void words(void **state)
{
    (void)state;
    char list[16];
    const char *names[] = {"one", "", "two", "three"};
    dq_import_list(names, 3, list, sizeof list);
    assert_string_equal(list, "one, two");
    dq_import_list(names, 4, list, sizeof list);
    assert_string_equal(list, "one, two, ...");
    explains(
        "users", "{\"a\":1}",
        "users need a key id; there are: a; looked for: id (or _id, user_id, userId, userID, reviewerID); "
        "--columns id=NAME");
    explains("users", "{\"data\":[{\"id\":1}]}",
             "one document with its rows in 'data'; jq -c '.[\"data\"][]' makes lines of them");
    explains("users", "{\"id\":null}", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_data_sets),
        cmocka_unit_test(two_names_of_one_thing),
        cmocka_unit_test(roles),
        cmocka_unit_test(documents),
        cmocka_unit_test(words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
