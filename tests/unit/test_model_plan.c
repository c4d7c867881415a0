/* SPDX-License-Identifier: MIT
 *
 * A folder of models: what is kept, whose it is, and whether it is of this run; a plan of whom to train, who
 * leaves in which order, and who else is at work there.
 */
#include "dq/schema.h"
#include "models/plan.h"

#include "tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char base[] = "/tmp/dq-plan-XXXXXX", input[64], folder[64], stream[64];

static const dq_maker maker = {.program = "test", .version = "1", .options = {.type = DQ_MAP}, .seed = 7};

/* Models of these users, one after the other; NULL ends them. made_of may be NULL. */
static void write_models(const char *path, dq_reader *made_of, const char *const *users)
{
    dq_writer *w;
    assert_int_equal(dq_writer_open(&w, path, &maker, &made_of, made_of != NULL, NULL), DQ_OK);
    for (; *users; users++) {
        dq_bundle b = table(DQ_KIND_MODEL, 0);
        assert_true(dq_map_set(&b.arena, &b.meta, "user", dq_string(&b.arena, *users)));
        assert_int_equal(dq_writer_put(w, &b, NULL), DQ_OK);
        dq_bundle_free(&b);
    }
    assert_int_equal(dq_writer_close(w, NULL), DQ_OK);
}

static dq_reader *open_stream(const char *path)
{
    dq_reader *reader;
    dq_bundle b;
    assert_int_equal(dq_reader_open(&reader, &path, 1, NULL), DQ_OK);
    if (path == input) {
        while (dq_reader_next(reader, &b, NULL) > 0) dq_bundle_free(&b);
    }
    return reader;
}

/* The bytes of one user's model, as a worker hands them over. */
static FILE *model_of(dq_reader *made_of, const char *user)
{
    write_models(stream, made_of, TEXTS(user, NULL));
    FILE *file = fopen(stream, "rb");
    assert_non_null(file);
    return file;
}

static dq_status read_bytes(void *file, void *to, size_t n, size_t *got, dq_error *error)
{
    (void)error;
    *got = fread(to, 1, n, file);
    return DQ_OK;
}

typedef struct world {
    dq_reader *input;
    dq_model_dir dir;
    dq_index users;
} world;

static world make_world(const char *text)
{
    world w = {0};
    uint32_t row;
    write_models(input, NULL, TEXTS(text, NULL));
    w.input = open_stream(input);
    const char *const ids[] = {"a", "b", "c/d", "e"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(dq_index_add(&w.users, ids[i], strlen(ids[i]), &row, NULL, NULL), DQ_OK);
    return w;
}

static void point(world *w)
{
    w->dir = (dq_model_dir){folder, &maker, &w->input, 1};
}

static void free_world(world *w)
{
    dq_reader_close(w->input);
    dq_index_free(&w->users);
}

static dq_model_found find(const world *w, const char *id)
{
    dq_model_found found = DQ_MODEL_NONE;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_model_dir_find(&w->dir, id, strlen(id), &found, &e), DQ_OK);
    return found;
}

static void keep(const world *w, const char *file_of, const char *model)
{
    FILE *made = model_of(w->input, model);
    dq_model_keeper *keeper;
    assert_int_equal(dq_model_keeper_new(&keeper, &w->dir, NULL, NULL, NULL), DQ_OK);
    assert_int_equal(dq_model_keeper_put(keeper, file_of, strlen(file_of), read_bytes, made, NULL), DQ_OK);
    assert_int_equal(dq_model_keeper_settle(keeper, NULL), DQ_OK);
    dq_model_keeper_free(keeper);
    (void)fclose(made);
}

/* ---- the folder ---- */

static void a_file_is_of_its_user_maker_and_input(void **state)
{
    (void)state;
    world w = make_world("first");
    point(&w);
    assert_int_equal(dq_model_dir_make(&w.dir, NULL), DQ_OK);
    assert_int_equal(dq_model_dir_make(&w.dir, NULL), DQ_OK); /* it may be there */
    assert_int_equal(find(&w, "c/d"), DQ_MODEL_NONE);
    keep(&w, "c/d", "c/d");
    assert_int_equal(find(&w, "c/d"), DQ_MODEL_SAME);
    keep(&w, "c/d", "a");
    assert_int_equal(find(&w, "c/d"), DQ_MODEL_OTHER);
    keep(&w, "c/d", "c/d");

    dq_maker another[3] = {maker, maker, maker};
    another[0].seed = 8;
    another[1].version = "2";
    another[2].program = "another";
    for (size_t i = 0; i < 3; i++) {
        w.dir.maker = &another[i];
        assert_int_equal(find(&w, "c/d"), DQ_MODEL_OTHER);
    }
    w.dir.maker = &maker;
    w.dir.input_count = 0;
    assert_int_equal(find(&w, "c/d"), DQ_MODEL_OTHER);
    free_world(&w);
    w = make_world("second"); /* the same file name, other bytes */
    point(&w);
    assert_int_equal(find(&w, "c/d"), DQ_MODEL_OTHER);

    char path[160];
    (void)snprintf(path, sizeof path, "%s/c%%2Fd.dq", folder);
    assert_int_equal(truncate(path, 20), 0);
    assert_int_equal(find(&w, "c/d"), DQ_MODEL_OTHER);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(find(&w, "c/d"), DQ_MODEL_OTHER);
    free_world(&w);
}

static bool is_a(void *arg, const char *id, size_t bytes)
{
    (void)arg;
    return bytes == 1 && *id == 'a';
}

static void what_was_left_aside_goes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool stays;
    } left[] = {{"a.dq.abcde0", false}, {"b.dq.abcde0", true}, {"a.dq.abcde9", true}, /* no digit of ours */
                {"a.dq.abcde", true},   {"a.dq", true},        {"readme", true}};
    world w = make_world("first");
    point(&w);
    char path[160];
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, left[i].name);
        FILE *file = fopen(path, "w");
        assert_true(file && fclose(file) == 0);
    }
    assert_int_equal(dq_model_dir_clean(&w.dir, is_a, NULL, NULL), DQ_OK);
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, left[i].name);
        assert_int_equal(unlink(path) == 0, left[i].stays);
    }
    free_world(&w);
}

/* ---- the plan ---- */

/* Whose models a stream has, in its order, by commas. */
static const char *users_of(const char *path)
{
    static char names[64];
    dq_bundle b;
    dq_reader *reader = open_stream(path);
    names[0] = '\0';
    while (dq_reader_next(reader, &b, NULL) > 0) {
        const dq_value *user = dq_map_get(&b.meta, "user");
        assert_true(user && strlen(names) + user->count + 2 < sizeof names);
        strncat(names, user->as.string, user->count);
        strcat(names, ",");
        dq_bundle_free(&b);
    }
    dq_reader_close(reader);
    return names;
}

static void take(dq_model_plan *plan, size_t job, const char *user, dq_writer *out)
{
    FILE *made = model_of(plan->dir ? plan->dir->inputs[0] : NULL, user);
    assert_int_equal(dq_model_plan_take(plan, job, read_bytes, made, out, NULL), DQ_OK);
    (void)fclose(made);
}

/* b is kept, c/d of another input; e fails, then is made. */
static void models_leave_in_the_order_of_users(void **state)
{
    (void)state;
    char path[160], words[64];
    dq_user_list everybody = {0};
    dq_model_plan plan;
    dq_writer *out;
    world old = make_world("old"), w;
    point(&old);
    assert_int_equal(dq_model_dir_make(&old.dir, NULL), DQ_OK);
    keep(&old, "c/d", "c/d");
    free_world(&old);
    w = make_world("new");
    point(&w);
    keep(&w, "b", "b");
    (void)snprintf(path, sizeof path, "%s/all.dq", base);

    assert_int_equal(dq_model_plan_make(&plan, &w.users, &everybody, &w.dir, NULL, NULL, NULL), DQ_OK);
    assert_int_equal(plan.wanted, 4);
    assert_int_equal(plan.jobs, 3);
    assert_true(plan.job[0] == 0 && plan.job[1] == 2 && plan.job[2] == 3);
    assert_true(dq_model_plan_keeps(&plan, "b", 1));
    assert_false(dq_model_plan_keeps(&plan, "a", 1) || dq_model_plan_keeps(&plan, "x", 1));
    assert_int_equal(dq_writer_open(&out, path, &maker, NULL, 0, NULL), DQ_OK);
    take(&plan, 0, "a", out);
    take(&plan, 1, "c/d", out);
    dq_model_plan_fail(&plan, 2);
    assert_int_equal(dq_model_plan_finish(&plan, out, NULL), DQ_OK);
    assert_int_equal(dq_writer_close(out, NULL), DQ_OK);
    assert_string_equal(users_of(path), "a,b,c/d,");
    dq_model_plan_describe(&plan, words, sizeof words);
    assert_string_equal(words, "trained 2, failed 1, resumed 1, replaced 1");
    dq_model_plan_describe(&plan, words, 12); /* cut, not overrun */
    assert_string_equal(words, "trained 2, ");
    dq_model_plan_free(&plan);

    assert_int_equal(dq_model_plan_make(&plan, &w.users, &everybody, &w.dir, NULL, NULL, NULL), DQ_OK);
    assert_int_equal(plan.jobs, 1);
    take(&plan, 0, "e", NULL);
    assert_int_equal(dq_model_plan_settle(&plan, NULL), DQ_OK);
    assert_int_equal(find(&w, "e"), DQ_MODEL_SAME);
    dq_model_plan_free(&plan);
    free_world(&w);
}

static void without_a_folder_models_go_to_the_stream(void **state)
{
    (void)state;
    char path[160], words[64];
    const char *const names[] = {"e", "b"};
    dq_user_list two = {0};
    dq_model_plan plan;
    dq_writer *out;
    world w = make_world("new");
    (void)snprintf(path, sizeof path, "%s/all.dq", base);
    assert_int_equal(dq_user_list_fill(&two, names, 2, NULL, NULL), DQ_OK);
    assert_int_equal(dq_model_plan_make(&plan, &w.users, &two, NULL, NULL, NULL, NULL), DQ_OK);
    assert_int_equal(plan.jobs, 2);
    assert_int_equal(dq_writer_open(&out, path, &maker, NULL, 0, NULL), DQ_OK);
    take(&plan, 0, "b", out); /* in the catalogue's order, not the list's */
    take(&plan, 1, "e", out);
    assert_int_equal(dq_model_plan_finish(&plan, out, NULL), DQ_OK);
    assert_int_equal(dq_writer_close(out, NULL), DQ_OK);
    assert_string_equal(users_of(path), "b,e,");
    dq_model_plan_describe(&plan, words, sizeof words);
    assert_string_equal(words, "trained 2");
    dq_model_plan_free(&plan);
    dq_user_list_free(&two);
    free_world(&w);
}

static void an_id_that_can_have_no_file_is_named(void **state)
{
    (void)state;
    char id[300];
    uint32_t row;
    dq_error e = DQ_ERROR_NONE;
    dq_user_list everybody = {0};
    dq_model_plan plan;
    world w = make_world("new");
    point(&w);
    memset(id, 'x', sizeof id);
    assert_int_equal(dq_index_add(&w.users, id, sizeof id, &row, NULL, NULL), DQ_OK);
    assert_int_equal(dq_model_plan_make(&plan, &w.users, &everybody, &w.dir, NULL, NULL, &e), DQ_ERR_RANGE);
    assert_non_null(strstr(e.reason, "user xxx"));
    dq_model_plan_free(&plan);
    free_world(&w);
}

/* ---- a stop ---- */

typedef struct lines {
    const char *at;
    size_t bytes;
} lines;

/* What a worker wrote: the stream of a user's models, or the lines of its log. */
static dq_status read_either(void *from, void *to, size_t n, size_t *got, dq_error *error)
{
    lines *l = from;
    if (!l->at) return read_bytes((void *)l->bytes, to, n, got, error);
    *got = n < l->bytes ? n : l->bytes;
    memcpy(to, l->at, *got);
    l->at += *got;
    l->bytes -= *got;
    return DQ_OK;
}

static dq_status leave(dq_model_plan *plan, size_t job, const char *user, const char *log, bool made)
{
    FILE *file = model_of(plan->dir->inputs[0], user);
    lines bytes = {NULL, (size_t)file}, text = {log, log ? strlen(log) : 0};
    const dq_model_left left = {
        .read = read_either, .stream = &bytes, .lines = log ? &text : NULL, .made = made};
    dq_error e = DQ_ERROR_NONE;
    dq_status status = dq_model_plan_leave(plan, job, &left, &e);
    (void)fclose(file);
    return status;
}

/* How many lines the half of a job has; -1: there is none. */
static int take_up(const dq_model_plan *plan, size_t job, bool logged, bool made)
{
    dq_bundle b;
    dq_model_half half;
    size_t n;
    assert_int_equal(dq_model_plan_take_up(plan, job, logged, &half, NULL), DQ_OK);
    int count = half.reader ? (int)half.lines.rows : -1;
    if (half.reader) {
        assert_int_equal(half.made, made);
        if (count)
            assert_memory_equal(dq_column_text(dq_bundle_column(&half.lines, "line"), 0, &n), "{\"n\":1}", 7);
        assert_int_equal(dq_reader_next(half.reader, &b, NULL), 1);
        assert_string_equal(b.kind, DQ_KIND_MODEL);
        dq_bundle_free(&b);
        assert_int_equal(dq_reader_next(half.reader, &b, NULL), 0);
    }
    dq_model_half_close(&half);
    return count;
}

/* Plans of this world are of another maker from now on. */
static void make_by(world *w, const dq_maker *other)
{
    w->dir.maker = other;
}

static void what_a_stop_leaves_is_taken_up_by_its_own_run_alone(void **state)
{
    (void)state;
    dq_user_list everybody = {0};
    dq_model_plan plan;
    dq_maker other = maker;
    char words[80];
    world w = make_world("half");
    point(&w);
    assert_int_equal(dq_model_plan_make(&plan, &w.users, &everybody, &w.dir, NULL, NULL, NULL), DQ_OK);
    assert_int_equal(plan.jobs, 4);
    assert_int_equal(take_up(&plan, 0, true, false), -1);

    char place[160]; /* what is in its way is an error to who keeps, and no half to who takes up */
    (void)snprintf(place, sizeof place, "%s/.half", folder);
    FILE *file = fopen(place, "w");
    assert_true(file && fclose(file) == 0);
    assert_int_equal(leave(&plan, 0, "a", NULL, false), DQ_ERR_IO);
    assert_int_equal(plan.begun, 0);
    plan.halves = true;
    assert_int_equal(take_up(&plan, 0, false, false), -1);
    plan.halves = false;
    assert_int_equal(unlink(place), 0);

    assert_int_equal(leave(&plan, 0, "a", "{\"n\":1}\n{\"n\":2}\n", false), DQ_OK);
    assert_int_equal(leave(&plan, 1, "b", "", true), DQ_OK);
    assert_int_equal(leave(&plan, 2, "c/d", NULL, true), DQ_OK);
    assert_int_equal(leave(&plan, 3, "e", "{\"n\":1}\n{", false), DQ_ERR_FORMAT);
    assert_int_equal(plan.begun, 3);
    dq_model_plan_free(&plan);

    assert_int_equal(dq_model_plan_make(&plan, &w.users, &everybody, &w.dir, NULL, NULL, NULL), DQ_OK);
    assert_int_equal(plan.jobs, 4); /* none is kept */
    assert_int_equal(take_up(&plan, 0, true, false), 2);
    assert_int_equal(take_up(&plan, 1, true, true), 0);
    assert_int_equal(take_up(&plan, 2, true, true), -1); /* its lines lack */
    assert_int_equal(take_up(&plan, 2, false, true), 0);
    assert_int_equal(take_up(&plan, 3, true, false), -1);
    other.seed = 8;
    make_by(&w, &other);
    assert_int_equal(take_up(&plan, 0, true, false), -1);
    make_by(&w, &maker);

    take(&plan, 0, "a", NULL);
    assert_int_equal(dq_model_plan_settle(&plan, NULL), DQ_OK);
    assert_int_equal(take_up(&plan, 0, true, false), -1); /* it is kept */
    assert_int_equal(take_up(&plan, 1, true, true), 0);
    take(&plan, 1, "b", NULL);
    take(&plan, 2, "c/d", NULL);
    take(&plan, 3, "e", NULL);
    assert_int_equal(dq_model_plan_settle(&plan, NULL), DQ_OK);
    assert_true(dq_model_halves_are(&w.dir));
    assert_false(dq_model_plan_sweep(&plan, words, sizeof words));
    assert_false(dq_model_halves_are(&w.dir));
    dq_model_plan_free(&plan);
    free_world(&w);
}

/* ---- another run ---- */

/* In a child, whose exit status is what making the plan came to: a process is no rival of itself. */
static dq_status plan_beside(world *w, const char *user, const char *says)
{
    int how = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dq_error e = DQ_ERROR_NONE;
        dq_user_list some = {0};
        dq_model_plan plan;
        char words[200];
        dq_status status = dq_user_list_fill(&some, &user, user != NULL, NULL, NULL);
        if (!status) status = dq_model_plan_make(&plan, &w->users, &some, &w->dir, NULL, NULL, &e);
        (void)snprintf(words, sizeof words, "another run (process %ld) %s", (long)getppid(), says);
        _exit(status && strcmp(words, e.reason) != 0 ? 255 : (int)status);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    return (dq_status)WEXITSTATUS(how);
}

static void two_runs_do_not_make_the_same(void **state)
{
    (void)state;
    const char *const names[] = {"a", "c/d"};
    dq_user_list two = {0}, everybody = {0};
    dq_model_plan plan;
    world w = make_world("new");
    point(&w);
    assert_int_equal(dq_user_list_fill(&two, names, 2, NULL, NULL), DQ_OK);
    assert_int_equal(dq_model_plan_make(&plan, &w.users, &two, &w.dir, NULL, NULL, NULL), DQ_OK);
    assert_int_equal(plan_beside(&w, "b", ""), DQ_OK);
    assert_int_equal(plan_beside(&w, "c/d", "makes the model of user c/d here; wait for it, or end it"),
                     DQ_ERR_UNSUPPORTED);
    assert_int_equal(plan_beside(&w, NULL, "makes models here; wait for it, or end it"), DQ_ERR_UNSUPPORTED);
    dq_model_plan_free(&plan);
    assert_int_equal(plan_beside(&w, "c/d", ""), DQ_OK);
    assert_int_equal(dq_model_plan_make(&plan, &w.users, &everybody, &w.dir, NULL, NULL, NULL), DQ_OK);
    assert_int_equal(plan_beside(&w, "b", "makes the model of user b here; wait for it, or end it"),
                     DQ_ERR_UNSUPPORTED);
    dq_model_plan_free(&plan);
    dq_user_list_free(&two);
    free_world(&w);
}

/* ---- its own place ---- */

static int make_base(void **state)
{
    (void)state;
    if (!mkdtemp(base)) return -1;
    (void)snprintf(input, sizeof input, "%s/input.dq", base);
    (void)snprintf(folder, sizeof folder, "%s/models", base);
    (void)snprintf(stream, sizeof stream, "%s/stream.dq", base);
    return 0;
}

static int remove_base(void **state)
{
    static const char *const left[] = {"models/a.dq",  "models/b.dq", "models/c%2Fd.dq", "models/e.dq",
                                       "models/.lock", "all.dq",      "stream.dq",       "input.dq"};
    char path[160];
    (void)state;
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", base, left[i]);
        (void)unlink(path);
    }
    return rmdir(folder) || rmdir(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_of_its_user_maker_and_input),
        cmocka_unit_test(what_was_left_aside_goes),
        cmocka_unit_test(models_leave_in_the_order_of_users),
        cmocka_unit_test(without_a_folder_models_go_to_the_stream),
        cmocka_unit_test(an_id_that_can_have_no_file_is_named),
        cmocka_unit_test(two_runs_do_not_make_the_same),
        cmocka_unit_test(what_a_stop_leaves_is_taken_up_by_its_own_run_alone),
    };
    return cmocka_run_group_tests(tests, make_base, remove_base);
}
