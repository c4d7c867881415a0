/* SPDX-License-Identifier: MIT
 *
 * Views of a catalogue: lists page by page, one user's history, distributions.
 */
#include "serve/view/view.h"

#include "port/files/json.h"

#include "small_catalogue.h"

#include <stdio.h>

static const small_entities people = {.kind = DQ_KIND_USERS,
                                      .columns = {"text.bio", "attr.age", "attr.town"}};
static const small_entities things = {.kind = DQ_KIND_ITEMS, .columns = {"text.name", "attr.tags"}};

static dq_catalogue c;
static dq_label_map map;
static dq_arena arena;

static int open_catalogue(void **state)
{
    (void)state;
    static const small_row users[] = {{"a", .texts = {"likes Books", "30", "\"Ulm\""}},
                                      {"b", .texts = {NULL, "31", "\"Ulm\""}},
                                      {"c", .texts = {"books, too", "49", NULL}}};
    static const small_row items[] = {{"x", .texts = {"an X", "[1]"}}, {"y", .texts = {NULL, "[2]"}}};
    static const small_interaction did[] = {
        {"a", "x", "CLICK", NAN}, {"a", "y", "APPLY", NAN}, {"c", "x", NULL, .25f}, {"a", "x", "SEEN", NAN}};
    c = DQ_CATALOGUE_EMPTY;
    small_add(&c, &people, users, 3);
    small_add_interactions(&c, did, 4);
    small_add(&c, &things, items, 2);
    small_finish(&c);
    return dq_label_map_parse(&map, DQ_LABEL_MAP_DEFAULT, NULL) ? -1 : 0;
}

static int close_catalogue(void **state)
{
    (void)state;
    dq_catalogue_free(&c);
    dq_label_map_free(&map);
    dq_arena_free(&arena);
    return 0;
}

/* A value as JSON with single quotes, until the next call. */
static const char *json_of(const dq_value *value)
{
    static char text[4096];
    dq_json_text out = DQ_JSON_TEXT_EMPTY;
    assert_int_equal(dq_json_write(&out, value, NULL), DQ_OK);
    assert_true(out.bytes < sizeof text);
    for (size_t i = 0; i < out.bytes; i++) text[i] = out.data[i] == '"' ? '\'' : out.data[i];
    text[out.bytes] = '\0';
    dq_json_text_free(&out);
    return text;
}

static const char *list_of(dq_view_side side, uint32_t limit, const char *after, const char *words)
{
    dq_value out;
    const dq_view_page page = {limit, after, words};
    assert_int_equal(dq_view_list(&c, side, &page, &arena, &out, NULL), DQ_OK);
    return json_of(&out);
}

static void lists_come_in_pages(void **state)
{
    (void)state;
#define A                                                                                                    \
    "{'user_id':'a','texts':{'bio':'likes Books'},'attributes':{'age':30,'town':'Ulm'},'interactions':3}"
#define B "{'user_id':'b','texts':{},'attributes':{'age':31,'town':'Ulm'},'interactions':0}"
#define C "{'user_id':'c','texts':{'bio':'books, too'},'attributes':{'age':49},'interactions':1}"
    assert_string_equal(list_of(DQ_VIEW_USERS, 2, NULL, NULL),
                        "{'users':[" A "," B "],'next':'b','total':3}");
    assert_string_equal(list_of(DQ_VIEW_USERS, 2, "b", NULL), "{'users':[" C "],'next':null,'total':3}");
    assert_string_equal(list_of(DQ_VIEW_USERS, 3, NULL, NULL),
                        "{'users':[" A "," B "," C "],'next':null,'total':3}");
    assert_string_equal(list_of(DQ_VIEW_USERS, 1, NULL, "BOOKS"), "{'users':[" A "],'next':'a','total':3}");
    assert_string_equal(list_of(DQ_VIEW_USERS, 1, "a", "BOOKS"), "{'users':[" C "],'next':null,'total':3}");
    assert_string_equal(list_of(DQ_VIEW_USERS, 9, NULL, "ulm, "), "{'users':[],'next':null,'total':3}");
    assert_string_equal(
        list_of(DQ_VIEW_ITEMS, 9, NULL, NULL),
        "{'items':[{'item_id':'x','title':'an X','texts':{'name':'an X'},'attributes':{'tags':[1]},"
        "'interactions':3},{'item_id':'y','title':null,'texts':{},'attributes':{'tags':[2]},"
        "'interactions':1}],'next':null,'total':2}");
    dq_value out;
    const dq_view_page page = {9, "nobody", NULL};
    assert_int_equal(dq_view_list(&c, DQ_VIEW_USERS, &page, &arena, &out, NULL), DQ_ERR_UNKNOWN);
}

static void one_has_a_history(void **state)
{
    (void)state;
    dq_value out;
    assert_int_equal(dq_view_one(&c, DQ_VIEW_USERS, "a", &map, &arena, &out, NULL), DQ_OK);
    assert_string_equal(json_of(dq_map_get(&out, "history")),
                        "[{'item_id':'x','title':'an X','label':'SEEN','reward':null,'time':null},"
                        "{'item_id':'y','title':null,'label':'APPLY','reward':1.0,'time':null},"
                        "{'item_id':'x','title':'an X','label':'CLICK','reward':0.0,'time':null}]");
    assert_int_equal(dq_view_one(&c, DQ_VIEW_ITEMS, "x", &map, &arena, &out, NULL), DQ_OK);
    assert_int_equal(dq_value_integer(dq_map_get(&out, "interactions"), 0), 3);
    assert_string_equal(json_of(&dq_map_get(&out, "history")->as.list[1]),
                        "{'user_id':'c','label':null,'reward':0.25,'time':null}");
    assert_int_equal(dq_view_one(&c, DQ_VIEW_ITEMS, "z", &map, &arena, &out, NULL), DQ_ERR_UNKNOWN);
}

/* By time where there is one, and the latest hundred only. */
static void histories_are_bounded_and_in_time(void **state)
{
    (void)state;
    enum { N = 60 };
    static char times[2][N][16];
    dq_catalogue many = DQ_CATALOGUE_EMPTY;
    static const small_row user = {.id = "a"}, item = {.id = "x"};
    static const small_entities bare_users = {.kind = DQ_KIND_USERS}, bare_items = {.kind = DQ_KIND_ITEMS};
    small_add(&many, &bare_users, &user, 1);
    for (int half = 0; half < 2; half++) {
        const char *users[N], *items[N], *at[N];
        for (int i = 0; i < N; i++) { /* 1000 s apart: the second bundle's lie between the first one's */
            (void)sprintf(times[half][i], "%d", 1600000000 + 1000 * (2 * i + half));
            users[i] = "a", items[i] = "x", at[i] = times[half][i];
        }
        dq_bundle b = table(DQ_KIND_INTERACTIONS, N);
        add_texts(&b, "user", DQ_TEXT, users);
        add_texts(&b, "item", DQ_TEXT, items);
        add_texts(&b, "attr.time", DQ_JSON, at);
        small_add_bundle(&many, &b);
    }
    small_add(&many, &bare_items, &item, 1);
    small_finish(&many);
    dq_value out;
    assert_int_equal(dq_view_one(&many, DQ_VIEW_USERS, "a", &map, &arena, &out, NULL), DQ_OK);
    const dq_value *history = dq_map_get(&out, "history");
    assert_int_equal(dq_value_integer(dq_map_get(&out, "interactions"), 0), 2 * N);
    assert_int_equal(history->count, DQ_VIEW_HISTORY);
    for (uint32_t i = 0; i < history->count; i++)
        assert_int_equal(dq_value_integer(dq_map_get(&history->as.list[i], "time"), 0),
                         1600000000 + 1000 * (2 * N - 1 - (int)i));
    dq_catalogue_free(&many);
}

static const char *histogram_of(const double *numbers, size_t n, bool whole)
{
    dq_value out;
    assert_int_equal(dq_view_histogram(numbers, n, whole, &arena, &out, NULL), DQ_OK);
    return json_of(&out);
}

static void numbers_fall_into_bins(void **state)
{
    (void)state;
    assert_string_equal(histogram_of(NULL, 0, false), "{'mean':null,'min':null,'max':null,'bins':[]}");
    const double same[] = {.5, .5};
    assert_string_equal(histogram_of(same, 2, false),
                        "{'mean':0.5,'min':0.5,'max':0.5,'bins':[{'from':0.5,'to':0.5,'count':2}]}");
    const double counts[] = {0, 0, 3, 1};
    assert_string_equal(histogram_of(counts, 4, true),
                        "{'mean':1.0,'min':0.0,'max':3.0,'bins':[{'from':0.0,'to':1.0,'count':2},"
                        "{'from':1.0,'to':2.0,'count':1},{'from':2.0,'to':3.0,'count':0},"
                        "{'from':3.0,'to':4.0,'count':1}]}");
    double line[1000];
    for (int i = 0; i < 1000; i++) line[i] = i;
    dq_value out;
    for (int whole = 0; whole < 2; whole++) { /* nothing is lost, whatever the bins */
        assert_int_equal(dq_view_histogram(line, 1000, whole, &arena, &out, NULL), DQ_OK);
        const dq_value *bins = dq_map_get(&out, "bins");
        int64_t sum = 0;
        for (uint32_t i = 0; i < bins->count; i++) {
            int64_t count = dq_value_integer(dq_map_get(&bins->as.list[i], "count"), 0);
            assert_int_equal(count, 50);
            sum += count;
        }
        assert_int_equal(sum, 1000);
    }
}

static void all_is_distributed(void **state)
{
    (void)state;
    dq_value out;
    assert_int_equal(dq_view_distributions(&c, &map, &arena, &out, NULL), DQ_OK);
    assert_int_equal(dq_value_integer(dq_map_get(&out, "interactions"), 0), 4);
    assert_string_equal(json_of(dq_map_get(&out, "labels")),
                        "[{'value':'CLICK','count':1,'reward':0.0},{'value':'APPLY','count':1,'reward':1.0},"
                        "{'value':'SEEN','count':1,'reward':null}]");
    assert_true(dq_value_number(dq_map_get(dq_map_get(&out, "rewards"), "mean"), 0) == 1.25 / 3);
    assert_string_equal(json_of(dq_map_get(dq_map_get(&out, "item_popularity"), "bins")),
                        "[{'from':1.0,'to':2.0,'count':1},{'from':2.0,'to':3.0,'count':0},"
                        "{'from':3.0,'to':4.0,'count':1}]");
    assert_string_equal(json_of(&dq_map_get(&out, "users")->as.list[1]),
                        "{'attribute':'town','values':[{'value':'Ulm','count':2}],'others':0}");
    const dq_value *age = &dq_map_get(&out, "users")->as.list[0];
    assert_true(dq_value_is(dq_map_get(age, "attribute"), "age"));
    assert_int_equal(dq_map_get(age, "bins")->count, 20);  /* 30 to 49 */
    assert_int_equal(dq_map_get(&out, "items")->count, 0); /* lists are left out */
}

/* Of many values the frequent ones are shown, and the others counted. */
static void rare_values_are_counted_together(void **state)
{
    (void)state;
    enum { N = 30 };
    static char ids[N][8], towns[N][12];
    static small_row rows[N];
    static const small_entities few = {.kind = DQ_KIND_USERS, .columns = {"attr.town"}};
    dq_catalogue many = DQ_CATALOGUE_EMPTY;
    for (int i = 0; i < N; i++) {
        (void)sprintf(ids[i], "u%d", i);
        (void)sprintf(towns[i], "\"t%d\"", i < 3 ? 9 : i);
        rows[i] = (small_row){ids[i], .texts = {towns[i]}};
    }
    small_add(&many, &few, rows, N);
    small_finish(&many);
    dq_value out;
    assert_int_equal(dq_view_distributions(&many, &map, &arena, &out, NULL), DQ_OK);
    const dq_value *town = &dq_map_get(&out, "users")->as.list[0];
    assert_int_equal(dq_map_get(town, "values")->count, DQ_VIEW_VALUES);
    assert_string_equal(json_of(&dq_map_get(town, "values")->as.list[0]), "{'value':'t9','count':4}");
    assert_int_equal(dq_value_integer(dq_map_get(town, "others"), 0), N - 4 - (DQ_VIEW_VALUES - 1));
    dq_catalogue_free(&many);
}

static const char *values_of(const dq_view_model *models, size_t count, uint32_t n)
{
    dq_value out;
    assert_int_equal(dq_view_values(&c, 0, models, count, n, &arena, &out, NULL), DQ_OK);
    return json_of(&out);
}

static void models_are_held_against_each_other(void **state)
{
    (void)state;
    static const float q[] = {.25f, .5f}, other[] = {1, 1}, world[] = {0, NAN};
    const dq_view_model models[] = {{.name = "a", .kind = "dyna-q", .q = q, .world = world},
                                    {.name = "b", .kind = "dqn", .q = other},
                                    {.name = "c", .error = "not there"}};
#define MODELS                                                                                               \
    "'models':[{'name':'a','kind':'dyna-q','world':true,'error':null},"                                      \
    "{'name':'b','kind':'dqn','world':false,'error':null},"                                                  \
    "{'name':'c','kind':null,'world':false,'error':'not there'}]"
#define Y                                                                                                    \
    "{'item_id':'y','title':null,'popularity':1,'label':'APPLY','values':["                                  \
    "{'model':'a','q':0.5,'world':null,'rank':1},{'model':'b','q':1.0,'world':null,'rank':2}]}"
#define X                                                                                                    \
    "{'item_id':'x','title':'an X','popularity':3,'label':'SEEN','values':["                                 \
    "{'model':'a','q':0.25,'world':0.0,'rank':2},{'model':'b','q':1.0,'world':null,'rank':1}]}"
    /* The best of each, the first model's first; equal values in the catalogue's order. */
    assert_string_equal(values_of(models, 3, 1), "{'user_id':'a'," MODELS ",'items':[" Y "," X "]}");
    assert_string_equal(values_of(models, 3, 9), "{'user_id':'a'," MODELS ",'items':[" Y "," X "]}");
    const char *alone = values_of(models, 1, 1);
    assert_non_null(strstr(alone, "'items':[{'item_id':'y'"));
    assert_null(strstr(alone, "'item_id':'x'"));
    assert_string_equal(values_of(models, 0, 9), "{'user_id':'a','models':[],'items':[]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_come_in_pages),
        cmocka_unit_test(one_has_a_history),
        cmocka_unit_test(histories_are_bounded_and_in_time),
        cmocka_unit_test(numbers_fall_into_bins),
        cmocka_unit_test(all_is_distributed),
        cmocka_unit_test(rare_values_are_counted_together),
        cmocka_unit_test(models_are_held_against_each_other),
    };
    return cmocka_run_group_tests(tests, open_catalogue, close_catalogue);
}
