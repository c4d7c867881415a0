/* SPDX-License-Identifier: MIT
 *
 * Lists for users of whom nothing is known: what the bandit learns from a log is known in closed form, and
 * the same to the last bit however often its process ends.
 */
#include "small_catalogue.h"

#include "log/follow.h"
#include "serve/cold.h"
#include "serve/cold/answered.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ITEMS = 4 };

static char folder[64], log_path[96], state_path[96], other_path[96];
static dq_catalogue catalogue;
static dq_label_map map;

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "%s/dq-test-XXXXXX",
                   access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    if (!mkdtemp(folder)) return -1;
    (void)snprintf(log_path, sizeof log_path, "%s/log.dq", folder);
    (void)snprintf(state_path, sizeof state_path, "%s/cold.dq", folder);
    (void)snprintf(other_path, sizeof other_path, "%s/other.dq", folder);
    catalogue = (dq_catalogue){0};
    const small_entities users = {.kind = DQ_KIND_USERS}, items = {.kind = DQ_KIND_ITEMS, .width = 2};
    const small_row user[] = {{.id = "u"}};
    const small_row item[] = {
        {"a", {1, 0}, {0}}, {"b", {0, 1}, {0}}, {"c", {1, 1}, {0}}, {"d", {-1, 0.5F}, {0}}};
    const small_interaction met[] = {{"u", "c", "CLICK", NAN},
                                     {"u", "c", NULL, 1},
                                     {"u", "a", "CLICK", NAN},
                                     {"u", "b", NULL, -1},
                                     {"u", "d", NULL, NAN}};
    small_add(&catalogue, &users, user, 1);
    small_add(&catalogue, &items, item, ITEMS);
    small_add_interactions(&catalogue, met, sizeof met / sizeof *met);
    if (dq_catalogue_finish(&catalogue, false, NULL)) return -1;
    return dq_label_map_parse(&map, "CLICK=1,IGNORE=-0.5", NULL) ? -1 : 0;
}

static int tear_down(void **state)
{
    char command[96];
    (void)state;
    dq_catalogue_free(&catalogue);
    dq_label_map_free(&map);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static dq_serve_cold_config config_of(dq_serve_cold_by by)
{
    return (dq_serve_cold_config){.by = by,
                                  .catalogue = &catalogue,
                                  .map = &map,
                                  .ridge = 2,
                                  .spread = 0.7,
                                  .draws = 50,
                                  .seed = 3,
                                  .maker = {.program = "test", .version = "1", .seed = -1}};
}

static dq_serve_cold *open_cold(const dq_serve_cold_config *config)
{
    dq_serve_cold *cold;
    dq_error e = DQ_ERROR_NONE;
    if (dq_serve_cold_open(&cold, config, log_path, &e)) fail_msg("%s: %s", e.source, e.reason);
    return cold;
}

static void save(dq_serve_cold *cold)
{
    dq_error e = DQ_ERROR_NONE;
    if (dq_serve_cold_save(cold, &e)) fail_msg("%s", e.reason);
}

static void committed(void *cold, const dq_bundle *bundle, uint64_t position)
{
    dq_serve_cold_learn(cold, bundle, position);
}

static dq_log_writer *open_log(dq_serve_cold *cold)
{
    const dq_log_config config = {
        .maker = {.program = "test", .version = "1", .seed = -1}, .committed = committed, .arg = cold};
    dq_log_writer *log;
    dq_error e = DQ_ERROR_NONE;
    if (dq_log_writer_open(&log, log_path, &config, &e)) fail_msg("%s", e.reason);
    return log;
}

static void close_log(dq_log_writer *log)
{
    assert_int_equal(dq_log_writer_close(log, NULL), DQ_OK);
}

static dq_log_text text(const char *words)
{
    return (dq_log_text){words, words ? strlen(words) : 0};
}

static void answer_to(dq_log_writer *log, const char *request, const char *item, const char *model,
                      const char *label, double reward)
{
    const dq_log_row row = {.user = text("new"),
                            .item = text(item),
                            .request = text(request),
                            .model = text(model),
                            .label = text(label),
                            .position = 1,
                            .propensity = 0.5,
                            .reward = reward,
                            .time = 1};
    dq_error e = DQ_ERROR_NONE;
    if (dq_log_append(log, DQ_LOG_ANSWERS, &row, 1, NULL, &e)) fail_msg("%s", e.reason);
}

/* Of a showing of its own. */
static void answer(dq_log_writer *log, const char *item, const char *model, const char *label, double reward)
{
    static unsigned showings;
    char request[16];
    (void)snprintf(request, sizeof request, "r%u", showings++);
    answer_to(log, request, item, model, label, reward);
}

/* ---- lists ---- */

static void popularity_counts_what_is_worth_something(void **state)
{
    (void)state;
    const dq_serve_cold_config config = config_of(DQ_SERVE_COLD_POPULARITY);
    dq_serve_cold *cold = open_cold(&config);
    dq_serve_cold_place places[ITEMS];
    size_t n;
    assert_int_equal(dq_serve_cold_rank(cold, "r", 1, NULL, 0, 9, places, &n, NULL), DQ_OK);
    assert_int_equal(n, ITEMS);
    assert_int_equal(places[0].item, 2);
    assert_true(places[0].score == 2 && places[1].item == 0 && places[1].score == 1);
    assert_int_equal(places[2].item, 3); /* equal scores by the greater id */
    for (size_t i = 0; i < n; i++) assert_true(places[i].propensity == 1);
    const uint32_t some[] = {1, 0};
    assert_int_equal(dq_serve_cold_rank(cold, "r", 1, some, 2, 1, places, &n, NULL), DQ_OK);
    assert_int_equal(n, 1);
    assert_int_equal(places[0].item, 0);
    assert_string_equal(dq_serve_cold_name(cold), "popularity");
    dq_serve_cold_free(cold);
}

/* Of an item with n answers that sum to s the mean is s / (n + ridge), its variance 1 / (n + ridge). */
static void bounds_are_those_of_the_closed_form(void **state)
{
    (void)state;
    const dq_serve_cold_config config = config_of(DQ_SERVE_COLD_LINUCB);
    dq_serve_cold *cold = open_cold(&config);
    dq_log_writer *log = open_log(cold);
    const double sum[ITEMS] = {2.25, -0.5, 0, 0}, count[ITEMS] = {2, 1, 0, 0};
    dq_serve_cold_place places[ITEMS];
    uint64_t learnt, unknown;
    size_t n;
    answer(log, "a", "linucb", "CLICK", NAN);
    answer(log, "a", "thompson", NULL, 1.25);
    answer(log, "b", "popularity", "IGNORE", NAN);
    answer(log, "b", "m.dq", NULL, 7);          /* not ours */
    answer(log, "x", "linucb", "CLICK", NAN);   /* no such item */
    answer(log, "b", "linucb", "STRANGE", NAN); /* no such label */
    close_log(log);
    dq_serve_cold_counts(cold, &learnt, &unknown);
    assert_int_equal(learnt, 3);
    assert_int_equal(unknown, 2);
    assert_int_equal(dq_serve_cold_rank(cold, "r", 1, NULL, 0, ITEMS, places, &n, NULL), DQ_OK);
    assert_int_equal(n, ITEMS);
    for (size_t i = 0; i < n; i++) {
        uint32_t item = places[i].item;
        double wanted = sum[item] / (count[item] + 2) + 0.7 / sqrt(count[item] + 2);
        assert_true(fabs((double)places[i].score - wanted) < 1e-6);
        assert_true(places[i].propensity == 1);
        assert_true(i == 0 || places[i].score <= places[i - 1].score);
    }
    dq_serve_cold_free(cold);
}

/* Of several answers to a showing that which is worth most, whenever it comes. */
static void of_several_answers_the_best_counts(void **state)
{
    (void)state;
    const dq_serve_cold_config config = config_of(DQ_SERVE_COLD_LINUCB);
    dq_serve_cold *cold = open_cold(&config);
    dq_log_writer *log = open_log(cold);
    dq_serve_cold_place places[ITEMS];
    uint64_t learnt, unknown;
    size_t n;
    answer_to(log, "r", "a", "linucb", "IGNORE", NAN);
    answer_to(log, "s", "a", "linucb", NULL, 0.25);
    answer_to(log, "r", "b", "linucb", NULL, 0.5); /* another showing */
    answer_to(log, "r", "a", "linucb", "CLICK", NAN);
    answer_to(log, "r", "a", "linucb", "IGNORE", NAN);
    close_log(log);
    dq_serve_cold_counts(cold, &learnt, &unknown);
    assert_int_equal(learnt, 3);
    assert_int_equal(unknown, 0);
    assert_int_equal(dq_serve_cold_rank(cold, "r", 1, (const uint32_t[]){0}, 1, 1, places, &n, NULL), DQ_OK);
    assert_true(fabs((double)places[0].score - (1.25 / 4 + 0.7 / 2)) < 1e-6);
    log = open_log(cold); /* and the list that was asked for is no longer that of what is known now */
    answer_to(log, "s", "a", "linucb", NULL, 2);
    close_log(log);
    assert_int_equal(dq_serve_cold_rank(cold, "r", 1, (const uint32_t[]){0}, 1, 1, places, &n, NULL), DQ_OK);
    assert_true(fabs((double)places[0].score - (3.0 / 4 + 0.7 / 2)) < 1e-6);
    dq_serve_cold_free(cold);
}

static void the_latest_showings_are_remembered(void **state)
{
    (void)state;
    dq_answered a = {0}, b = {0};
    dq_bundle model;
    bool first;
    float by;
    assert_int_equal(dq_answered_init(&a, NULL), DQ_OK);
    assert_int_equal(dq_answered_init(&b, NULL), DQ_OK);
    for (uint32_t i = 0; i < 3 * DQ_ANSWERED; i++) {
        const char *request = (const char *)&i;
        assert_int_equal(dq_answered_take(&a, request, sizeof i, "x", 1, 1, &first, &by, NULL), DQ_OK);
        assert_true(first && by == 1);
    }
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_answered_save(&a, &model, NULL), DQ_OK);
    assert_int_equal(dq_answered_restore(&b, &model, NULL), DQ_OK);
    for (int taken_up = 0; taken_up < 2; taken_up++) {
        dq_answered *of = taken_up ? &b : &a;
        const uint32_t last = 3 * DQ_ANSWERED - 1, middle = DQ_ANSWERED + 1, gone = 1;
        assert_int_equal(dq_answered_take(of, (const char *)&last, 4, "x", 1, 3, &first, &by, NULL), DQ_OK);
        assert_true(!first && by == 2);
        assert_int_equal(dq_answered_take(of, (const char *)&last, 4, "x", 1, 2, &first, &by, NULL), DQ_OK);
        assert_true(!first && by == 0);
        assert_int_equal(dq_answered_take(of, (const char *)&middle, 4, "x", 1, 1.5F, &first, &by, NULL),
                         DQ_OK);
        assert_true(!first && by == 0.5F);
        assert_int_equal(dq_answered_take(of, (const char *)&gone, 4, "x", 1, 3, &first, &by, NULL), DQ_OK);
        assert_true(first && by == 3);
    }
    dq_bundle_free(&model);
    dq_answered_free(&a);
    dq_answered_free(&b);
}

/* One over the propensity is 1 in the mean, of each item that the samples can show first. */
static void propensities_are_those_of_what_is_done(void **state)
{
    (void)state;
    enum { REQUESTS = 4000 };
    const dq_serve_cold_config config = config_of(DQ_SERVE_COLD_THOMPSON);
    dq_serve_cold *cold = open_cold(&config);
    dq_log_writer *log = open_log(cold);
    double weight[ITEMS] = {0}, list = 0;
    for (int i = 0; i < 3; i++) answer(log, i < 2 ? "a" : "b", "thompson", NULL, i < 2 ? 1 : 0.5);
    close_log(log);
    for (int r = 0; r < REQUESTS; r++) {
        char request[16];
        dq_serve_cold_place places[2], again[2];
        size_t n;
        int bytes = snprintf(request, sizeof request, "r%d", r);
        assert_int_equal(dq_serve_cold_rank(cold, request, (size_t)bytes, NULL, 0, 2, places, &n, NULL),
                         DQ_OK);
        assert_int_equal(dq_serve_cold_rank(cold, request, (size_t)bytes, NULL, 0, 2, again, &n, NULL),
                         DQ_OK);
        assert_memory_equal(places, again, sizeof places);
        assert_true(places[0].propensity * places[1].propensity >= 1.0 / 50 - 1e-12);
        assert_true(places[0].propensity <= 1 && places[1].propensity <= 1);
        weight[places[0].item] += 1 / places[0].propensity / REQUESTS;
        if (places[0].item == 0 && places[1].item == 2)
            list += 1 / (places[0].propensity * places[1].propensity) / REQUESTS;
    }
    for (int i = 0; i < ITEMS; i++) assert_true(fabs(weight[i] - 1) < 0.1);
    assert_true(fabs(list - 1) < 0.15);
    dq_serve_cold_free(cold);
}

/* ---- what is kept ---- */

static void give(dq_log_writer *log, int from, int to)
{
    static const char *const items[] = {"a", "b", "c", "d"};
    static const char *const requests[] = {"r", "s", "t", "u", "v", "w", "x", "y", "z", "p", "q"};
    for (int i = from; i < to; i++)
        answer_to(log, requests[i / 3 % 11], items[i * i % 7 % ITEMS], i % 5 ? "thompson" : "other", NULL,
                  sin(i) + (i % 4 == 2));
}

static void same_file(const char *a, const char *b)
{
    static char bytes[2][1 << 16];
    size_t n[2];
    for (int i = 0; i < 2; i++) {
        FILE *file = fopen(i ? b : a, "rb");
        assert_non_null(file);
        n[i] = fread(bytes[i], 1, sizeof bytes[i], file);
        assert_true(n[i] > 0 && n[i] < sizeof bytes[i]);
        (void)fclose(file);
    }
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(bytes[0], bytes[1], n[0]);
}

/* In the log. */
static int count_answers(void)
{
    dq_log_follow *follow;
    dq_bundle bundle;
    uint64_t position;
    int got, count = 0;
    assert_int_equal(dq_log_follow_open(&follow, log_path, 0, NULL), DQ_OK);
    while ((got = dq_log_follow_next(follow, &bundle, &position, NULL)) > 0) {
        count += (int)bundle.rows;
        dq_bundle_free(&bundle);
    }
    assert_int_equal(got, 0);
    dq_log_follow_close(follow);
    return count;
}

/* Learns on until it is killed; tells through the pipe of each answer. */
static void be_killed(dq_serve_cold_config config, int told)
{
    dq_serve_cold *cold = open_cold(&config);
    dq_log_writer *log = open_log(cold);
    for (int i = 0;; i++) {
        give(log, i, i + 1);
        if (i % 10 == 6) save(cold);
        if (write(told, "", 1) != 1) _exit(1);
    }
}

/* Killed at any moment, with a state that is older than the log, a younger one, or none. */
static void goes_on_after_a_kill_as_if_there_were_none(void **state)
{
    (void)state;
    enum { ALL = 90, KILLED_AFTER = 33 };
    for (int vectors = 0; vectors < 2; vectors++) {
        dq_serve_cold_config config = config_of(DQ_SERVE_COLD_THOMPSON);
        int told[2], status;
        char byte;
        config.vectors = vectors;
        config.state = state_path;
        assert_int_equal(pipe(told), 0);
        pid_t child = fork();
        if (child == 0) be_killed(config, told[1]);
        assert_true(child > 0);
        for (int i = 0; i < KILLED_AFTER; i++) assert_int_equal(read(told[0], &byte, 1), 1);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        (void)close(told[0]);
        (void)close(told[1]);
        assert_int_equal(WTERMSIG(status), SIGKILL);

        dq_serve_cold *cold = open_cold(&config);
        dq_log_writer *log = open_log(cold); /* cuts what was not finished */
        int given = count_answers();
        assert_true(given >= KILLED_AFTER);
        give(log, given, ALL + given);
        save(cold);
        close_log(log);

        dq_serve_cold_config anew = config;
        anew.state = other_path; /* the whole log at once */
        dq_serve_cold *other = open_cold(&anew);
        save(other);
        same_file(state_path, other_path);
        dq_serve_cold_free(other);
        dq_serve_cold_free(cold);
        assert_int_equal(unlink(log_path), 0);

        /* and as one that was never stopped, in a log of its own */
        assert_int_equal(unlink(other_path), 0);
        cold = open_cold(&anew);
        log = open_log(cold);
        give(log, 0, given);
        give(log, given, ALL + given);
        save(cold);
        close_log(log);
        dq_serve_cold_place a[2], b[2];
        size_t n;
        assert_int_equal(dq_serve_cold_rank(cold, "z", 1, NULL, 0, 2, a, &n, NULL), DQ_OK);
        dq_serve_cold_free(cold);
        cold = open_cold(&config);
        assert_int_equal(dq_serve_cold_rank(cold, "z", 1, NULL, 0, 2, b, &n, NULL), DQ_OK);
        assert_memory_equal(a, b, sizeof a);
        dq_serve_cold_free(cold);
        assert_int_equal(unlink(log_path), 0);
        assert_int_equal(unlink(state_path), 0);
        assert_int_equal(unlink(other_path), 0);
    }
}

static void refuse(const dq_serve_cold_config *config, dq_status wanted, const char *why)
{
    dq_serve_cold *cold;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_serve_cold_open(&cold, config, log_path, &e), wanted);
    assert_null(cold);
    if (why && !strstr(e.reason, why)) fail_msg("%s", e.reason);
}

static void states_of_something_else_are_refused(void **state)
{
    (void)state;
    dq_serve_cold_config config = config_of(DQ_SERVE_COLD_LINUCB);
    config.state = state_path;
    dq_serve_cold *cold = open_cold(&config);
    dq_log_writer *log = open_log(cold);
    give(log, 0, 9);
    save(cold);
    close_log(log);
    dq_serve_cold_free(cold);

    config.by = DQ_SERVE_COLD_THOMPSON; /* either takes up what the other has learnt */
    dq_serve_cold_free(open_cold(&config));
    config.ridge = 1;
    refuse(&config, DQ_ERR_RANGE, "ridge");
    config.ridge = 2;
    config.vectors = true;
    refuse(&config, DQ_ERR_RANGE, "a posterior for each item");
    config.vectors = false;
    dq_label_map other = {0};
    config.map = &other;
    assert_int_equal(dq_label_map_parse(&other, "IGNORE=-0.5,CLICK=1", NULL), DQ_OK); /* the same */
    dq_serve_cold_free(open_cold(&config));
    dq_label_map_free(&other);
    assert_int_equal(dq_label_map_parse(&other, "CLICK=1,IGNORE=-0.25", NULL), DQ_OK);
    refuse(&config, DQ_ERR_SCHEMA, "of other rewards than --map's");
    dq_label_map_free(&other);
    config.map = &map;
    dq_catalogue less = {0};
    const small_entities items = {.kind = DQ_KIND_ITEMS};
    const small_row item[] = {{.id = "a"}, {.id = "b"}, {.id = "c"}, {.id = "e"}};
    small_add(&less, &items, item, ITEMS);
    assert_int_equal(dq_catalogue_finish(&less, false, NULL), DQ_OK);
    config.catalogue = &less;
    refuse(&config, DQ_ERR_SCHEMA, "of other items");
    config.vectors = true;
    config.state = NULL;
    refuse(&config, DQ_ERR_SCHEMA, "no vectors");
    dq_catalogue_free(&less);
    config.catalogue = &catalogue;
    config.vectors = false;
    config.state = state_path;
    assert_int_equal(truncate(log_path, 0), 0); /* a log that does not reach there */
    refuse(&config, DQ_ERR_RANGE, "remove it to learn what is left");
    assert_int_equal(unlink(log_path), 0);
    refuse(&config, DQ_ERR_IO, "remove it to learn what is left");
}

/* Items of the same ids under other vectors are other items to whoever learnt by them, and to nobody else. */
static void states_are_of_the_vectors_that_they_learnt_by(void **state)
{
    (void)state;
    static const small_row item[] = {
        {"a", {1, 0}, {0}}, {"b", {0, 1}, {0}}, {"c", {1, 1}, {0}}, {"d", {-1, 0.25F}, {0}}};
    const small_entities items = {.kind = DQ_KIND_ITEMS, .width = 2};
    dq_catalogue turned = {0};
    small_add(&turned, &items, item, ITEMS);
    assert_int_equal(dq_catalogue_finish(&turned, false, NULL), DQ_OK);
    for (int vectors = 0; vectors < 2; vectors++) {
        dq_serve_cold_config config = config_of(DQ_SERVE_COLD_LINUCB);
        config.state = state_path;
        config.vectors = vectors;
        dq_serve_cold *cold = open_cold(&config);
        dq_log_writer *log = open_log(cold);
        give(log, 0, 9);
        save(cold);
        close_log(log);
        dq_serve_cold_free(cold);
        config.catalogue = &turned;
        if (vectors)
            refuse(&config, DQ_ERR_SCHEMA, "of other items");
        else
            dq_serve_cold_free(open_cold(&config));
        assert_int_equal(unlink(state_path), 0);
        assert_int_equal(unlink(log_path), 0);
    }
    dq_catalogue_free(&turned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(popularity_counts_what_is_worth_something, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bounds_are_those_of_the_closed_form, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_several_answers_the_best_counts, set_up, tear_down),
        cmocka_unit_test(the_latest_showings_are_remembered),
        cmocka_unit_test_setup_teardown(propensities_are_those_of_what_is_done, set_up, tear_down),
        cmocka_unit_test_setup_teardown(goes_on_after_a_kill_as_if_there_were_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(states_of_something_else_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(states_are_of_the_vectors_that_they_learnt_by, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
