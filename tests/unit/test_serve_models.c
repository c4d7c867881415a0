/* SPDX-License-Identifier: MIT
 *
 * What a server remembers, bounded; models as they are asked for, and who meets which; what was shown and
 * answered, over a restart.
 */
#include "serve/models.h"
#include "serve/ranking/recent.h"
#include "serve/remembered.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- a bounded map ---- */

static int released;

static void release(void *value)
{
    released++;
    free(value);
}

static void put(dq_recent *r, int key, int value, uint64_t cost)
{
    char name[16];
    int *v = malloc(sizeof *v);
    assert_non_null(v);
    *v = value;
    int n = snprintf(name, sizeof name, "k%d", key);
    assert_int_equal(dq_recent_put(r, name, (size_t)n, v, cost, NULL), DQ_OK);
}

static int get(dq_recent *r, int key)
{
    char name[16];
    int n = snprintf(name, sizeof name, "k%d", key);
    const int *v = dq_recent_get(r, name, (size_t)n);
    return v ? *v : -1;
}

static void what_is_used_stays_and_memory_is_bounded(void **state)
{
    dq_recent *r;
    (void)state;
    released = 0;
    assert_int_equal(dq_recent_new(&r, 100, release, NULL), DQ_OK);
    for (int i = 0; i < 10000; i++) {
        put(r, i, i, 1);
        assert_int_equal(get(r, i), i);
        assert_int_equal(get(r, 0), 0); /* always used: never forgotten */
        assert_true(dq_recent_cost(r) <= 102);
    }
    assert_int_equal(get(r, 5000), -1);
    assert_int_equal(get(r, 9990), 9990);
    put(r, 9990, 7, 1); /* replaced */
    assert_int_equal(get(r, 9990), 7);
    for (int i = 9960; i < 9999; i++) assert_true(get(r, i) >= 0); /* half of the room at least */
    put(r, 1, 1, 1000);                                            /* more than there is room for */
    assert_int_equal(get(r, 1), 1);
    put(r, 2, 2, 1);
    put(r, 3, 3, 60);
    put(r, 4, 4, 1);
    assert_int_equal(get(r, 1), -1);
    dq_recent_free(r);
    assert_int_equal(released, 10000 + 5);
}

/* ---- models as they are asked for ---- */

static dq_status parse(const char *text, dq_serve_model_spec *spec)
{
    static dq_arena arena;
    return dq_serve_model_parse(text, &arena, spec, NULL);
}

static void models_have_names_files_and_shares(void **state)
{
    dq_serve_model_spec s, two[2];
    (void)state;
    assert_int_equal(parse("m.dq", &s), DQ_OK);
    assert_string_equal(s.name, "model");
    assert_string_equal(s.path, "m.dq");
    assert_true(isnan(s.share));
    assert_int_equal(parse("a-1=dir:x/m.dq:0.25", &s), DQ_OK);
    assert_string_equal(s.name, "a-1");
    assert_string_equal(s.path, "dir:x/m.dq");
    assert_true(s.share == 0.25);
    assert_int_equal(parse("a=m:dq", &s), DQ_OK); /* no number: a name of a file */
    assert_string_equal(s.path, "m:dq");
    static const char *const bad[] = {
        "", "=m.dq", "a=", "a b=m.dq", "a=m.dq:0", "a=m.dq:1.5", "a=:0.5",
        /* what the log calls lists that no model made, of which --cold learns */
        "thompson=m.dq", "linucb=m.dq:0.5", "popularity=m.dq", "history=m.dq"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_int_equal(parse(bad[i], &s), DQ_ERR_RANGE);
    assert_int_equal(parse("thompson2=m.dq", &s), DQ_OK);

    two[0] = (dq_serve_model_spec){"a", "a.dq", (double)NAN};
    two[1] = (dq_serve_model_spec){"b", "b.dq", (double)NAN};
    assert_int_equal(dq_serve_model_shares(two, 2, NULL), DQ_OK);
    assert_true(two[0].share == 0.5 && two[1].share == 0.5);
    two[0].share = 0.1;
    two[1].share = 0.9;
    assert_int_equal(dq_serve_model_shares(two, 2, NULL), DQ_OK);
    two[1].share = 0.8;
    assert_int_equal(dq_serve_model_shares(two, 2, NULL), DQ_ERR_RANGE);
    two[1].share = (double)NAN;
    assert_int_equal(dq_serve_model_shares(two, 2, NULL), DQ_ERR_RANGE);
    two[1] = two[0];
    assert_int_equal(dq_serve_model_shares(two, 2, NULL), DQ_ERR_DUPLICATE);
}

/* Of 10,000 users as many meet a model as its share says, within four standard deviations; each always the
 * same; and a share that grows keeps whom it had. */
static void shares_are_kept_by_users(void **state)
{
    static const dq_serve_model_spec small[] = {{"a", "no.dq", 0.2}, {"b", "no.dq", 0.8}},
                                     large[] = {{"a", "no.dq", 0.5}, {"b", "no.dq", 0.5}};
    enum { USERS = 10000 };
    dq_served_file *served;
    dq_serve_models *few, *many;
    dq_serve_taken t;
    int of_a = 0;
    (void)state;
    assert_int_equal(dq_served_open(&served, NULL, true, NULL), DQ_OK);
    dq_serve_models_config config = {
        .specs = small, .count = 2, .served = served, .threads = 1, .may_lack = true};
    assert_int_equal(dq_serve_models_open(&few, &config, NULL), DQ_OK);
    config.specs = large;
    assert_int_equal(dq_serve_models_open(&many, &config, NULL), DQ_OK);
    for (int i = 0; i < USERS; i++) {
        char id[16];
        size_t n = (size_t)snprintf(id, sizeof id, "u%d", i);
        dq_serve_models_take(few, id, n, &t);
        bool a = strcmp(t.name, "a") == 0;
        assert_null(t.ranker); /* there is no such file */
        assert_null(t.items);
        dq_serve_taken_release(&t);
        dq_serve_models_take(many, id, n, &t);
        if (a) assert_string_equal(t.name, "a");
        dq_serve_taken_release(&t);
        of_a += a;
    }
    assert_true(fabs(of_a - USERS * 0.2) < 4 * sqrt(USERS * 0.2 * 0.8));
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_serve_model_facts facts;
    assert_true(dq_serve_models_describe(few, 1, &arena, &facts));
    assert_string_equal(facts.name, "b");
    assert_false(facts.loaded);
    assert_non_null(facts.error);
    assert_false(dq_serve_models_describe(few, 2, &arena, &facts));
    dq_arena_free(&arena);
    dq_serve_models_close(few);
    dq_serve_models_close(many);
    dq_served_close(served);
}

/* Of a race only a build with SANITIZER=thread knows; what is counted any does. */
static void *look_again(void *arg)
{
    enum { TIMES = 200 };
    for (int i = 0; i < TIMES; i++) (void)dq_serve_models_reload(arg, NULL, NULL);
    return NULL;
}

static void metrics_are_read_while_files_are_looked_at(void **state)
{
    static const dq_serve_model_spec spec[] = {{"a", "no.dq", 1}};
    dq_served_file *served;
    dq_serve_models *models;
    dq_telemetry *telemetry;
    pthread_t thread;
    (void)state;
    assert_int_equal(dq_telemetry_new(&telemetry, NULL), DQ_OK);
    assert_int_equal(dq_served_open(&served, NULL, true, NULL), DQ_OK);
    const dq_serve_models_config config = {
        .specs = spec, .count = 1, .served = served, .telemetry = telemetry, .threads = 1, .may_lack = true};
    assert_int_equal(dq_serve_models_open(&models, &config, NULL), DQ_OK);
    assert_int_equal(pthread_create(&thread, NULL, look_again, models), 0);
    dq_json_text text = {0};
    for (int i = 0; i < 200; i++) {
        text.bytes = 0;
        assert_int_equal(dq_telemetry_write(telemetry, &text, NULL), DQ_OK);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    text.bytes = 0;
    assert_int_equal(dq_telemetry_write(telemetry, &text, NULL), DQ_OK);
    assert_non_null(strstr(text.data, "dq_serve_model_age_seconds{model=\"a\"} nan"));
    assert_non_null(strstr(text.data, "dq_serve_model_failures_total{model=\"a\"} 201"));
    dq_json_text_free(&text);
    dq_serve_models_close(models);
    dq_served_close(served);
    dq_telemetry_free(telemetry);
}

/* ---- what was shown and answered ---- */

static dq_log_text text(const char *words)
{
    return (dq_log_text){words, strlen(words)};
}

static void show(dq_serve_log *log, const char *request, const char *user, const char *first,
                 const char *second)
{
    const dq_log_row rows[] = {{.user = text(user),
                                .item = text(first),
                                .request = text(request),
                                .model = text("m"),
                                .position = 1,
                                .propensity = 0.5,
                                .reward = (double)NAN},
                               {.user = text(user),
                                .item = text(second),
                                .request = text(request),
                                .position = 2,
                                .propensity = 1,
                                .reward = (double)NAN}};
    assert_int_equal(dq_serve_log_show(log, rows, 2, NULL), DQ_OK);
}

static dq_status answer(dq_serve_log *log, const char *request, const char *item, const char *label,
                        double *reward)
{
    const dq_serve_answer a = {text(request), text(item), text(label), (double)NAN, 1e9};
    return dq_serve_log_answer(log, &a, reward, NULL);
}

static uint64_t version_of(dq_serve_log *log, const char *user)
{
    uint64_t version;
    assert_int_equal(dq_serve_log_history(log, user, strlen(user), NULL, NULL, &version, NULL, NULL, NULL),
                     DQ_OK);
    return version;
}

static void what_was_shown_can_be_answered_also_after_a_restart(void **state)
{
    char folder[] = "/tmp/dq-test-XXXXXX", path[64], id[DQ_SERVE_REQUEST_ID], other[DQ_SERVE_REQUEST_ID];
    dq_label_map map = {0};
    dq_serve_log *log;
    double reward;
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/log.dq", folder);
    assert_int_equal(dq_label_map_parse(&map, DQ_LABEL_MAP_DEFAULT, NULL), DQ_OK);
    const dq_serve_log_config config = {.path = path,
                                        .log = {.maker = {.program = "test", .version = "1", .seed = -1}},
                                        .map = &map,
                                        .shown_rows = 1000,
                                        .users = 100,
                                        .read_back = 1 << 20};
    assert_int_equal(dq_serve_log_open(&log, &config, NULL), DQ_OK);
    dq_serve_log_request(log, id);
    dq_serve_log_request(log, other);
    assert_string_not_equal(id, other);
    show(log, id, "ann", "i1", "i2");
    assert_int_equal(version_of(log, "ann"), 0);
    assert_int_equal(answer(log, id, "i2", "APPLY", &reward), DQ_OK);
    assert_true(reward == 1);
    assert_int_equal(answer(log, id, "i3", "APPLY", &reward), DQ_ERR_UNKNOWN);
    assert_int_equal(answer(log, other, "i2", "APPLY", &reward), DQ_ERR_UNKNOWN);
    assert_int_equal(answer(log, id, "i2", "NOPE", &reward), DQ_ERR_SCHEMA);
    uint64_t version = version_of(log, "ann");
    assert_true(version > 0);
    assert_int_equal(answer(log, id, "i1", "SAVE", &reward), DQ_OK);
    assert_true(version_of(log, "ann") != version);
    assert_int_equal(version_of(log, "bob"), 0);
    assert_int_equal(dq_serve_log_close(log, NULL), DQ_OK);

    assert_int_equal(dq_serve_log_open(&log, &config, NULL), DQ_OK);
    dq_serve_log_request(log, other);
    assert_string_not_equal(id, other);
    assert_true(version_of(log, "ann") > 0);
    assert_int_equal(answer(log, id, "i1", "CLICK", &reward), DQ_OK);
    assert_int_equal(dq_serve_log_close(log, NULL), DQ_OK);
    dq_label_map_free(&map);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* Lists beyond what is remembered are forgotten, and users' histories are cut. */
static void what_is_remembered_is_bounded(void **state)
{
    dq_label_map map = {0};
    dq_serve_log *log;
    double reward;
    (void)state;
    assert_int_equal(dq_label_map_parse(&map, DQ_LABEL_MAP_DEFAULT, NULL), DQ_OK);
    const dq_serve_log_config config = {.map = &map, .shown_rows = 300, .users = 10};
    assert_int_equal(dq_serve_log_open(&log, &config, NULL), DQ_OK);
    assert_null(dq_serve_log_writer(log));
    for (int i = 0; i < 1000; i++) {
        char request[16], user[16];
        (void)snprintf(request, sizeof request, "r%d", i);
        (void)snprintf(user, sizeof user, "u%d", i % 50);
        show(log, request, user, "a", "b");
        assert_int_equal(answer(log, request, "a", "CLICK", &reward), DQ_OK);
    }
    assert_int_equal(answer(log, "r999", "b", "CLICK", &reward), DQ_OK);
    assert_int_equal(answer(log, "r1", "b", "CLICK", &reward), DQ_ERR_UNKNOWN);
    assert_true(version_of(log, "u49") > 0);
    assert_int_equal(version_of(log, "u5"), 0);
    for (int i = 0; i < 2 * DQ_SERVE_HISTORY; i++)
        assert_int_equal(answer(log, "r999", "a", "CLICK", &reward), DQ_OK);
    assert_int_equal(dq_serve_log_close(log, NULL), DQ_OK);
    dq_label_map_free(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_used_stays_and_memory_is_bounded),
        cmocka_unit_test(models_have_names_files_and_shares),
        cmocka_unit_test(shares_are_kept_by_users),
        cmocka_unit_test(metrics_are_read_while_files_are_looked_at),
        cmocka_unit_test(what_was_shown_can_be_answered_also_after_a_restart),
        cmocka_unit_test(what_is_remembered_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
