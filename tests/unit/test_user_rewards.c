/* SPDX-License-Identifier: MIT
 *
 * Rewards of one user at a time: cosines, labels, mixtures, and a labeller that says what the test wrote down
 * beforehand.
 */
#include "label/user_rewards.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "small_catalogue.h"

enum { USERS = 2, ITEMS = 4 };

static const dq_maker maker = {.program = "test", .version = "0", .seed = -1};
static char answers[64], questions[64], command[300];
static dq_label_map map;

static void make_file(char *path, size_t n, const char *what)
{
    (void)snprintf(path, n, "/tmp/dq-rewards-%s-XXXXXX", what);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
}

static int begin(void **state)
{
    (void)state;
    make_file(answers, sizeof answers, "answers");
    make_file(questions, sizeof questions, "questions");
    (void)snprintf(command, sizeof command, "cat %s && cat > %s", answers, questions);
    return dq_label_map_parse(&map, "APPLY=1,SAVE=0.5,IGNORE=-0.25", NULL) != DQ_OK;
}

static int end(void **state)
{
    (void)state;
    (void)unlink(answers);
    (void)unlink(questions);
    dq_label_map_free(&map);
    return 0;
}

/* u1 applied to a and saw b, whose label is worth nothing; u2 saved d. Vectors look along and against axes.
 */
static dq_dataset make_dataset(void)
{
    static const small_entities people = {.kind = DQ_KIND_USERS, .width = 2};
    static const small_entities jobs = {.kind = DQ_KIND_ITEMS, .width = 2};
    static const small_row users[] = {{.id = "u1", .vector = {1, 0}}, {.id = "u2", .vector = {0, 2}}};
    static const small_row items[] = {{.id = "a", .vector = {1, 0}},
                                      {.id = "b", .vector = {0, 1}},
                                      {.id = "c", .vector = {-1, 0}},
                                      {.id = "d", .vector = {0, -3}}};
    const small_interaction log[] = {
        {"u1", "a", "APPLY", NAN}, {"u1", "b", "SEEN", NAN}, {"u2", "d", "SAVE", NAN}};
    dq_dataset d = DQ_DATASET_EMPTY;
    small_add(&d.catalogue, &people, users, USERS);
    small_add_interactions(&d.catalogue, log, 3);
    small_add(&d.catalogue, &jobs, items, ITEMS);
    small_finish(&d.catalogue);
    return d;
}

/* Adds transitions of u1: b is worth 0.75 by its parts (0.5, 1), d -1 by (0, -2), labelled like the first
 * label. */
static void add_transitions(dq_dataset *d)
{
    const dq_transition rows[] = {{.state = 0, .action = 1, .reward = 0.75F},
                                  {.state = 0, .action = 3, .reward = -1}};
    d->count = 2;
    d->transitions = calloc(2, sizeof *d->transitions);
    d->cosine = calloc(2, sizeof *d->cosine);
    d->llm = calloc(2, sizeof *d->llm);
    d->label = calloc(2, sizeof *d->label);
    assert_true(d->transitions && d->cosine && d->llm && d->label);
    memcpy(d->transitions, rows, sizeof rows);
    d->cosine[0] = 0.5F;
    d->llm[0] = 1;
    d->llm[1] = -2;
    d->label[0] = DQ_ABSENT;
    d->label[1] = 0;
}

static dq_user_rewards *open_rewards(const dq_user_rewards_config *config, uint32_t user)
{
    dq_error e = DQ_ERROR_NONE;
    dq_user_rewards *r;
    if (dq_user_rewards_new(&r, config, &e) || dq_user_rewards_serve(r, user, &e)) fail_msg("%s", e.reason);
    return r;
}

static float reward_of(dq_user_rewards *r, uint32_t user, uint32_t item)
{
    dq_error e = DQ_ERROR_NONE;
    float reward = NAN;
    if (dq_user_rewards_of(r, user, item, &reward, &e)) fail_msg("%s", e.reason);
    return reward;
}

static void are(dq_user_rewards *r, uint32_t user, const float *wanted)
{
    for (uint32_t i = 0; i < ITEMS; i++) assert_true(fabsf(reward_of(r, user, i) - wanted[i]) < 1e-6F);
}

static void label_is(const dq_user_rewards *r, uint32_t item, const char *wanted)
{
    size_t n = 0;
    const char *label = dq_user_rewards_label(r, item, &n);
    if (!wanted) {
        assert_null(label);
        return;
    }
    assert_non_null(label);
    assert_int_equal(n, strlen(wanted));
    assert_memory_equal(label, wanted, n);
}

static void closes(dq_user_rewards *r, dq_dataset *d)
{
    dq_error e = DQ_ERROR_NONE;
    if (dq_user_rewards_end(r, DQ_OK, &e)) fail_msg("%s: %s", e.source, e.reason);
    dq_dataset_free(d);
}

/* ---- what is known ---- */

static void cosines_are_scaled_or_raw(void **state)
{
    (void)state;
    dq_dataset d = make_dataset();
    dq_user_rewards_config config = {.dataset = &d, .map = &map, .raw_cosine = true};
    dq_user_rewards *r = open_rewards(&config, 0); /* no transitions: AUTO is cosine */
    are(r, 0, (const float[]){1, 0, -1, 0});
    assert_false(dq_user_rewards_labelled(r));
    assert_int_equal(dq_user_rewards_serve(r, 1, NULL), DQ_OK);
    are(r, 1, (const float[]){0, 1, 0, -1});
    assert_int_equal(dq_user_rewards_end(r, DQ_OK, NULL), DQ_OK);
    config.raw_cosine = false;
    r = open_rewards(&config, 0);
    are(r, 0, (const float[]){1, 0.5F, 0, 0.5F});
    closes(r, &d);
}

static void labels_and_what_nobody_labelled(void **state)
{
    (void)state;
    dq_dataset d = make_dataset();
    const dq_user_rewards_config config = {.dataset = &d, .map = &map, .interactions = true};
    dq_user_rewards *r = open_rewards(&config, 0); /* AUTO, where interactions count: labels */
    assert_true(dq_user_rewards_labelled(r));
    are(r, 0, (const float[]){1, -0.25F, -0.25F, -0.25F});
    label_is(r, 0, "APPLY");
    label_is(r, 1, "SEEN"); /* worth nothing */
    label_is(r, 2, "IGNORE");
    assert_int_equal(dq_user_rewards_serve(r, 1, NULL), DQ_OK);
    are(r, 1, (const float[]){-0.25F, -0.25F, -0.25F, 0.5F});
    label_is(r, 0, "IGNORE");
    label_is(r, 3, "SAVE");
    closes(r, &d);
}

static void transitions_go_before_and_their_labels_count(void **state)
{
    (void)state;
    dq_dataset d = make_dataset();
    add_transitions(&d);
    const dq_user_rewards_config config = {.dataset = &d, .map = &map};
    dq_user_rewards *r = open_rewards(&config, 0);
    are(r, 0, (const float[]){1, 0.75F, -0.25F, -1});
    label_is(r, 0, "APPLY");
    label_is(r, 1, NULL);
    label_is(r, 3, "APPLY"); /* the first label */
    closes(r, &d);
}

static void a_mixture_changes_by_the_episode(void **state)
{
    (void)state;
    dq_dataset d = make_dataset();
    dq_error e = DQ_ERROR_NONE;
    const dq_reward_weight weight = {.from = 1, .to = 0, .over = 4};
    const dq_user_rewards_config config = {.dataset = &d, .map = &map, .weight = &weight};
    dq_user_rewards *r;
    assert_int_equal(dq_user_rewards_new(&r, &config, &e), DQ_OK);
    assert_int_equal(dq_user_rewards_serve(r, 0, &e), DQ_ERR_RANGE); /* no parts */
    assert_int_equal(dq_user_rewards_end(r, DQ_OK, &e), DQ_OK);
    add_transitions(&d);
    r = open_rewards(&config, 0);
    const float b[] = {0.5F, 0.625F, 0.75F, 0.875F, 1, 1}; /* w 0.5 + (1 - w) 1 */
    for (uint64_t episode = 0; episode < 6; episode++) {
        dq_user_rewards_episode(r, episode);
        assert_true(fabsf(reward_of(r, 0, 1) - b[episode]) < 1e-6F);
        assert_true(fabs(dq_user_rewards_weight(r) - fmax(0, 1 - (double)episode / 4)) < 1e-12);
    }
    closes(r, &d);
}

/* ---- a labeller ---- */

typedef struct answer {
    uint32_t item;
    float reward; /* NAN: none */
    const char *label;
} answer;

static const answer said[] = {{2, 0.5F, "SAVE"}, {3, NAN, NULL}, {1, 2, "MORE"}};

/* A bundle of n of these. */
static void put_answers(dq_writer *w, const answer *rows, size_t n)
{
    dq_bundle b = table("labels", n);
    uint32_t item[3];
    float reward[3];
    uint8_t none[3];
    const char *label[3];
    for (size_t i = 0; i < n; i++) {
        item[i] = rows[i].item;
        none[i] = (uint8_t)(isnan(rows[i].reward) != 0);
        reward[i] = none[i] ? 0 : rows[i].reward;
        label[i] = rows[i].label;
    }
    add_numbers(&b, "item", DQ_U4, item, NULL, NULL);
    add_numbers(&b, "reward", DQ_F4, reward, NULL, none);
    add_texts(&b, "label", DQ_TEXT, label);
    assert_int_equal(dq_writer_put(w, &b, NULL), DQ_OK);
    dq_bundle_free(&b);
}

/* The first alone, and the others one by one, or together. */
static void write_answers(bool together)
{
    dq_writer *w;
    const dq_maker judge = {.program = "judge", .version = "0", .seed = -1};
    assert_int_equal(dq_writer_open(&w, answers, &judge, NULL, 0, NULL), DQ_OK);
    put_answers(w, said, 1);
    put_answers(w, said + 1, together ? 2 : 1);
    if (!together) put_answers(w, said + 2, 1);
    assert_int_equal(dq_writer_close(w, NULL), DQ_OK);
}

/* The items of each bundle of questions, as "2 | 3 | 1". */
static void were_asked(const char *wanted)
{
    char got[100] = "";
    const char *path = questions;
    dq_error e = DQ_ERROR_NONE;
    dq_reader *in;
    dq_bundle b;
    assert_int_equal(dq_reader_open(&in, &path, 1, &e), DQ_OK);
    while (dq_reader_next(in, &b, &e) > 0) {
        const dq_column *item = dq_bundle_column(&b, "item");
        bool pairs = strcmp(b.kind, DQ_KIND_TRANSITIONS) == 0;
        if (pairs && *got) strcat(got, " |");
        for (uint64_t i = 0; pairs && i < b.rows; i++)
            (void)snprintf(got + strlen(got), sizeof got - strlen(got), "%s%.0f", *got ? " " : "",
                           dq_column_number(item, i));
        dq_bundle_free(&b);
    }
    dq_reader_close(in);
    assert_string_equal(got, wanted);
}

static void only_what_nobody_labelled_is_asked(void **state)
{
    (void)state;
    dq_dataset d = make_dataset();
    const dq_user_rewards_config config = {
        .dataset = &d, .map = &map, .command = command, .unlabelled = true, .maker = &maker};
    write_answers(false);
    dq_user_rewards *r = open_rewards(&config, 0);
    assert_true(dq_user_rewards_labelled(r));
    assert_true(reward_of(r, 0, 0) == 1); /* logged */
    assert_int_equal(dq_user_rewards_asked(r), 0);
    assert_null(dq_user_rewards_labeller(r));
    assert_true(reward_of(r, 0, 2) == 0.5F);
    assert_true(reward_of(r, 0, 3) == -0.25F); /* it could not say */
    assert_true(reward_of(r, 0, 1) == 2);      /* of no worth in the map: it is asked, too */
    assert_true(reward_of(r, 0, 2) == 0.5F);   /* known */
    label_is(r, 0, "APPLY");
    label_is(r, 2, "SAVE");
    label_is(r, 3, "IGNORE");
    assert_int_equal(dq_user_rewards_asked(r), 3);
    assert_true(dq_value_is(dq_map_get(dq_user_rewards_labeller(r), "program"), "judge"));
    closes(r, &d);
    were_asked("2 | 3 | 1");
}

static uint32_t want(void *arg, const uint32_t **items, const float **values)
{
    static const uint32_t all[] = {0, 1, 2, 3};
    static const float value[] = {0, 3, 9, 5};
    (void)arg;
    *items = all;
    *values = value;
    return 4;
}

static void those_most_wanted_are_asked_ahead(void **state)
{
    (void)state;
    dq_dataset d = make_dataset();
    const dq_user_rewards_config config = {
        .dataset = &d, .map = &map, .command = command, .maker = &maker, .ask_ahead = 2, .wanted = want};
    write_answers(true);
    dq_user_rewards *r = open_rewards(&config, 0);
    assert_true(reward_of(r, 0, 2) == 0.5F);
    assert_true(dq_user_rewards_resumable(r));
    assert_true(reward_of(r, 0, 3) == -0.25F && reward_of(r, 0, 1) == 2);
    closes(r, &d);
    were_asked("2 | 3 1"); /* after the one that is needed: 5, then 3 */
}

static void a_checkpoint_keeps_what_was_said(void **state)
{
    (void)state;
    dq_dataset d = make_dataset();
    dq_bundle b;
    const dq_user_rewards_config config = {.dataset = &d, .map = &map, .command = command, .maker = &maker};
    write_answers(false);
    dq_user_rewards *r = open_rewards(&config, 0), *again = open_rewards(&config, 0);
    assert_true(reward_of(r, 0, 2) == 0.5F);
    assert_int_equal(dq_bundle_init(&b, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_user_rewards_save(r, &b, NULL), DQ_OK);
    assert_int_equal(dq_user_rewards_restore(again, &b, NULL), DQ_OK);
    assert_true(reward_of(again, 0, 2) == 0.5F);
    assert_int_equal(dq_user_rewards_asked(again), 0);
    assert_false(dq_user_rewards_resumable(again)); /* it has said nothing yet in this run */
    dq_bundle_free(&b);
    assert_int_equal(dq_user_rewards_end(again, DQ_OK, NULL), DQ_OK);
    assert_int_equal(dq_user_rewards_end(r, DQ_ERR_STOPPED, NULL), DQ_ERR_STOPPED);
    dq_dataset_free(&d);
}

static void a_labeller_that_is_gone_fails_the_step(void **state)
{
    (void)state;
    dq_dataset d = make_dataset();
    dq_error e = DQ_ERROR_NONE;
    float reward;
    const dq_user_rewards_config config = {.dataset = &d, .map = &map, .command = "exit 75", .maker = &maker};
    dq_user_rewards *r = open_rewards(&config, 0);
    dq_status status = dq_user_rewards_of(r, 0, 1, &reward, &e);
    assert_int_not_equal(status, DQ_OK);
    assert_true(dq_user_rewards_resumable(r)); /* 75: it stopped, and can go on */
    assert_int_equal(dq_user_rewards_end(r, status, &e), status);
    dq_dataset_free(&d);
}

/* Where no cosine is computed, what shapes one is refused. */
static void what_shapes_cosines_is_refused_without_them(void **state)
{
    (void)state;
    dq_dataset d = make_dataset();
    dq_user_rewards_config config = {
        .dataset = &d, .map = &map, .from = DQ_REWARDS_AUTO, .interactions = true, .raw_cosine = true};
    dq_user_rewards *r;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_user_rewards_new(&r, &config, &e), DQ_ERR_RANGE);
    assert_non_null(strstr(e.reason, "these are logged"));
    assert_int_equal(dq_user_rewards_end(r, DQ_OK, &e), DQ_OK);
    config.from = DQ_REWARDS_COSINE;
    assert_int_equal(dq_user_rewards_new(&r, &config, &e), DQ_OK);
    assert_int_equal(dq_user_rewards_end(r, DQ_OK, &e), DQ_OK);
    config.command = "true";
    assert_int_equal(dq_user_rewards_new(&r, &config, &e), DQ_ERR_RANGE);
    assert_int_equal(dq_user_rewards_end(r, DQ_OK, &e), DQ_OK);
    dq_dataset_free(&d);
}

/* ---- what is put to use ---- */

static void answers_count_once(void **state)
{
    (void)state;
    dq_dataset d = make_dataset();
    dq_user_rewards_config config = {.dataset = &d, .map = &map, .from = DQ_REWARDS_LOGGED};
    dq_user_rewards *r = open_rewards(&config, 0), *again = open_rewards(&config, 0);
    dq_bundle model;
    are(r, 0, (const float[]){1, -0.25F, -0.25F, -0.25F});
    assert_int_equal(dq_user_rewards_answers(r), 0); /* to be told is not to use it */
    dq_user_rewards_use(r, 3);
    dq_user_rewards_use(r, 1);
    dq_user_rewards_use(r, 3);
    assert_int_equal(dq_user_rewards_answers(r), 2);
    assert_int_equal(dq_bundle_init(&model, DQ_KIND_MODEL, 0, NULL), DQ_OK);
    assert_int_equal(dq_user_rewards_save(r, &model, NULL), DQ_OK);
    assert_int_equal(dq_user_rewards_restore(again, &model, NULL), DQ_OK);
    dq_bundle_free(&model);
    dq_user_rewards_use(again, 1);
    assert_int_equal(dq_user_rewards_answers(again), 2);
    dq_user_rewards_use(again, 0);
    assert_int_equal(dq_user_rewards_answers(again), 3);
    assert_int_equal(dq_user_rewards_serve(again, 1, NULL), DQ_OK);
    assert_int_equal(dq_user_rewards_answers(again), 0);
    assert_int_equal(dq_user_rewards_end(again, DQ_OK, NULL), DQ_OK);
    closes(r, &d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cosines_are_scaled_or_raw),
        cmocka_unit_test(what_shapes_cosines_is_refused_without_them),
        cmocka_unit_test(labels_and_what_nobody_labelled),
        cmocka_unit_test(transitions_go_before_and_their_labels_count),
        cmocka_unit_test(a_mixture_changes_by_the_episode),
        cmocka_unit_test(only_what_nobody_labelled_is_asked),
        cmocka_unit_test(those_most_wanted_are_asked_ahead),
        cmocka_unit_test(a_checkpoint_keeps_what_was_said),
        cmocka_unit_test(a_labeller_that_is_gone_fails_the_step),
        cmocka_unit_test(answers_count_once),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
