/* SPDX-License-Identifier: MIT
 *
 * Jobs of a demo server: children that talk, fail, are killed and are told to end, curves of what they say,
 * one job at a time, and the events in their order.
 */
#include "serve/demo/child.h"
#include "serve/demo/job.h"
#include "serve/demo/training.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { LONG = 60000 }; /* milliseconds: more than anything here takes */

#define SHELL(words) ((const char *const[]){"/bin/sh", "-c", (words), NULL})

/* ---- children ---- */

/* All its lines, each ended by '|', and how it ended. */
static dq_status collect(const char *const *arguments, char *lines, size_t room, dq_error *error)
{
    dq_demo_child child;
    const char *line;
    size_t n;
    *lines = '\0';
    *error = DQ_ERROR_NONE;
    dq_status status = dq_demo_child_start(&child, arguments, -1, -1, error);
    if (status) return status;
    while (dq_demo_child_next(&child, LONG, &line, &n))
        if (n && strlen(lines) + n + 2 < room) (void)sprintf(lines + strlen(lines), "%.*s|", (int)n, line);
    return dq_demo_child_end(&child, error);
}

static void a_child_is_read_line_by_line(void **state)
{
    (void)state;
    char lines[200];
    dq_error e;
    assert_int_equal(collect(SHELL("echo one; printf 'tw'; echo o; printf half"), lines, sizeof lines, &e),
                     DQ_OK);
    assert_string_equal(lines, "one|two|"); /* what has no end is no line */
    assert_int_equal(collect(SHELL("exec >&-; sleep 0.1"), lines, sizeof lines, &e), DQ_OK);
    assert_int_equal(collect(SHELL("cat"), lines, sizeof lines, &e), DQ_OK); /* stdin is empty */
}

static void lines_without_an_end_are_dropped(void **state)
{
    (void)state;
    char lines[200];
    dq_error e;
    const char *words = "head -c 200000 /dev/zero | tr '\\0' x; echo; echo last";
    assert_int_equal(collect(SHELL(words), lines, sizeof lines, &e), DQ_OK);
    assert_string_equal(lines + strlen(lines) - 5, "last|");
}

static void a_failure_has_its_reason(void **state)
{
    (void)state;
    char lines[200];
    dq_error e;
    assert_int_equal(collect(SHELL("echo first >&2; echo 'sh: no such thing' >&2; exit 1"), lines, 200, &e),
                     DQ_ERR_IO);
    assert_string_equal(e.reason, "sh: no such thing");
    assert_int_equal(collect(SHELL("exit 3"), lines, sizeof lines, &e), DQ_ERR_IO);
    assert_string_equal(e.reason, "sh exited with status 3");
    assert_int_equal(collect(SHELL("kill -9 $$"), lines, sizeof lines, &e), DQ_ERR_IO);
    assert_string_equal(e.reason, "sh was killed by SIGKILL");
    const char *const none[] = {"/nonexistent/dq-train", NULL};
    assert_int_equal(collect(none, lines, sizeof lines, &e), DQ_ERR_IO);
    assert_non_null(strstr(e.reason, "cannot start /nonexistent/dq-train"));
}

static void a_child_is_told_to_end(void **state)
{
    (void)state;
    dq_demo_child child;
    dq_error e = DQ_ERROR_NONE;
    const char *line;
    size_t n = 0;
    const char *words = "trap 'echo ends; exit 1' TERM; echo begins; while :; do sleep 0.05; done";
    assert_int_equal(dq_demo_child_start(&child, SHELL(words), -1, -1, &e), DQ_OK);
    while (!n && dq_demo_child_next(&child, LONG, &line, &n)) continue;
    assert_memory_equal(line, "begins", n);
    dq_demo_child_stop(&child);
    while (dq_demo_child_next(&child, LONG, &line, &n))
        if (n) assert_memory_equal(line, "ends", n);
    assert_int_equal(dq_demo_child_end(&child, &e), DQ_ERR_STOPPED);
}

/* One that does not listen is killed, and those that it began with it, however much it says meanwhile. */
static void a_child_that_does_not_end_is_killed(void **state)
{
    (void)state;
    dq_demo_child child;
    dq_error e = DQ_ERROR_NONE;
    const char *line;
    size_t n = 0;
    const char *words = "trap '' TERM; while :; do echo on; sleep 0.01; done";
    assert_int_equal(dq_demo_child_start(&child, SHELL(words), -1, -1, &e), DQ_OK);
    while (!n && dq_demo_child_next(&child, LONG, &line, &n)) continue;
    const pid_t pid = child.pid;
    dq_demo_child_stop(&child);
    while (dq_demo_child_next(&child, LONG, &line, &n)) continue;
    assert_int_equal(dq_demo_child_end(&child, &e), DQ_ERR_STOPPED);
    while (kill(-pid, 0) == 0) (void)usleep(10000); /* its sleep has a new parent, which waits for it */
}

/* A job's files as stdin and stdout. */
static void a_child_has_the_files_that_it_is_given(void **state)
{
    (void)state;
    char path[] = "/tmp/dq-test-XXXXXX", got[32] = "";
    int fd = mkstemp(path);
    dq_demo_child child;
    dq_error e = DQ_ERROR_NONE;
    const char *line;
    size_t n;
    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(dq_demo_child_start(&child, SHELL("echo written"), -1, fd, &e), DQ_OK);
    while (dq_demo_child_next(&child, LONG, &line, &n)) assert_int_equal(n, 0);
    assert_int_equal(dq_demo_child_end(&child, &e), DQ_OK);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(dq_demo_child_start(&child, SHELL("cat"), fd, -1, &e), DQ_OK);
    while (dq_demo_child_next(&child, LONG, &line, &n))
        if (n) (void)snprintf(got, sizeof got, "%.*s", (int)n, line);
    assert_int_equal(dq_demo_child_end(&child, &e), DQ_OK);
    assert_string_equal(got, "written");
    (void)close(fd);
}

/* ---- curves ---- */

static bool read_line(const char *line, dq_demo_progress *p)
{
    return dq_demo_progress_read(line, strlen(line), p);
}

static void lines_of_a_log_are_read(void **state)
{
    (void)state;
    dq_demo_progress p;
    assert_true(read_line("{\"episode\":3,\"steps\":10,\"return\":2.5,\"epsilon\":0.9,\"q_loss\":null}", &p));
    assert_true(p.episode == 3 && p.length == 10 && p.reward == 2.5 && p.epsilon == 0.9 && isnan(p.loss));
    assert_true(read_line("{\"epoch\":2,\"q_loss\":0.25,\"validation_ndcg\":null}", &p));
    assert_true(p.episode == 2 && p.loss == 0.25 && isnan(p.reward) && isnan(p.length));
    assert_false(read_line("{\"evaluation\":1,\"episode\":50,\"evaluation_return\":7}", &p));
    assert_false(read_line("{\"episode\":0}", &p));
    assert_false(read_line("{\"episode\":\"x\"}", &p));
    assert_false(read_line("words", &p));
}

static void curves_average_and_thin_out(void **state)
{
    (void)state;
    static dq_demo_curves c;
    memset(&c, 0, sizeof c);
    for (uint64_t i = 1; i <= 4500; i++) {
        dq_demo_progress p = {.episode = i, .reward = (double)i, .length = 10, .loss = NAN, .epsilon = 1};
        dq_demo_curves_add(&c, &p);
        uint64_t first = i > DQ_DEMO_WINDOW ? i - DQ_DEMO_WINDOW + 1 : 1;
        assert_float_equal(p.average, (double)(first + i) / 2, 1e-9); /* of an arithmetic series */
    }
    assert_int_equal(c.latest, 4500);
    assert_int_equal(c.stride, 4); /* 2000 points full at 2001 and at 4001 */
    assert_int_equal(c.count, 1125);
    for (uint32_t i = 0; i < c.count; i++) assert_int_equal(c.at[i].episode, 1 + 4 * i);
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value map = dq_map();
    assert_true(dq_demo_curves_write(&c, &arena, &map));
    assert_int_equal(dq_map_get(&map, "rewards")->count, 1125);
    assert_int_equal(dq_value_integer(dq_map_get(&map, "stride"), 0), 4);
    assert_true(dq_map_get(&map, "rewards")->as.list[1].as.real == 5);
    assert_int_equal(dq_map_get(&map, "losses")->as.list[0].type, DQ_NIL);
    dq_arena_free(&arena);
}

/* ---- jobs ---- */

/* All events so far, and how many were ends. */
typedef struct heard {
    pthread_mutex_t lock;
    char text[1 << 14];
    int begun, ends;
} heard;

static dq_status begin(void *arg, dq_error *error)
{
    (void)error;
    ((heard *)arg)->begun++;
    return DQ_OK;
}

static void tell(void *arg, const char *event, const char *json, size_t n)
{
    heard *h = arg;
    (void)pthread_mutex_lock(&h->lock);
    size_t at = strlen(h->text);
    (void)snprintf(h->text + at, sizeof h->text - at, "%s %.*s\n", event, (int)n, json);
    h->ends += strcmp(event, "end") == 0;
    (void)pthread_mutex_unlock(&h->lock);
}

static int dropped;

static void drop(void *arg)
{
    (void)arg;
    dropped++;
}

static dq_status run_words(void *arg, dq_demo_job *job, dq_error *error)
{
    dq_status status = dq_demo_job_stage(job, "train", error);
    if (!status) status = dq_demo_job_run(job, SHELL(arg), -1, -1, error);
    return status ? status : dq_demo_job_result(job, "{\"items\":[]}", 12, error);
}

static dq_demo_task task_of(char *words)
{
    return (dq_demo_task){.what = "train",
                          .unit = "episode",
                          .model = "m",
                          .episodes = 2,
                          .run = run_words,
                          .drop = drop,
                          .arg = words};
}

static dq_demo_job *new_job(heard *h)
{
    dq_demo_job *job;
    *h = (heard){.lock = PTHREAD_MUTEX_INITIALIZER};
    const dq_demo_listener listener = {begin, tell, h};
    assert_int_equal(dq_demo_job_new(&job, &listener, NULL), DQ_OK);
    return job;
}

static char good[] = "echo '{\"episode\":1,\"steps\":10,\"return\":1}'; echo words;"
                     "echo '{\"episode\":2,\"steps\":10,\"return\":2}'";
static char endless[] = "while :; do sleep 0.05; done";

static void a_job_tells_how_it_goes(void **state)
{
    (void)state;
    static heard h;
    static dq_demo_curves curves;
    dq_demo_job *job = new_job(&h);
    dq_demo_view view;
    uint64_t number;
    dq_demo_job_look(job, &view);
    assert_true(view.number == 0 && view.state == DQ_DEMO_IDLE);
    const dq_demo_task task = task_of(good);
    dropped = 0;
    assert_int_equal(dq_demo_job_start(job, &task, &number, NULL), DQ_OK);
    assert_int_equal(number, 1);
    assert_true(dq_demo_job_wait(job, 1, LONG));
    dq_demo_job_curves(job, &view, &curves);
    assert_true(view.state == DQ_DEMO_DONE && view.episode == 2 && curves.count == 2 && dropped == 1);
    assert_true(curves.at[1].average == 1.5);
    dq_demo_job_free(job); /* joins: all is told */
    assert_string_equal(
        h.text, "stage {\"job\":1,\"stage\":\"train\"}\n"
                "progress {\"job\":1,\"unit\":\"episode\",\"episode\":1,\"episodes\":2,\"reward\":1.0,"
                "\"average\":1.0,\"length\":10.0,\"loss\":null,\"epsilon\":null}\n"
                "progress {\"job\":1,\"unit\":\"episode\",\"episode\":2,\"episodes\":2,\"reward\":2.0,"
                "\"average\":1.5,\"length\":10.0,\"loss\":null,\"epsilon\":null}\n"
                "end {\"job\":1,\"ok\":true,\"state\":\"done\",\"message\":\"m has learnt\","
                "\"model\":\"m\",\"result\":{\"items\":[]}}\n");
}

static void one_job_at_a_time_and_cancelled(void **state)
{
    (void)state;
    static heard h;
    dq_demo_job *job = new_job(&h);
    dq_demo_view view;
    dq_error e = DQ_ERROR_NONE;
    uint64_t number;
    dq_demo_task task = task_of(endless);
    assert_int_equal(dq_demo_job_cancel(job, &number, &e), DQ_ERR_UNKNOWN);
    dropped = 0;
    assert_int_equal(dq_demo_job_start(job, &task, &number, &e), DQ_OK);
    assert_int_equal(dq_demo_job_start(job, &task, &number, &e), DQ_ERR_DUPLICATE);
    assert_int_equal(number, 1); /* the one that runs */
    assert_int_equal(dropped, 1);
    assert_false(dq_demo_job_wait(job, 1, 10));
    assert_int_equal(dq_demo_job_cancel(job, &number, &e), DQ_OK);
    assert_true(dq_demo_job_wait(job, 1, LONG));
    dq_demo_job_look(job, &view);
    assert_true(view.state == DQ_DEMO_CANCELLED && dropped == 2);
    task = task_of(good); /* and then another */
    assert_int_equal(dq_demo_job_start(job, &task, &number, &e), DQ_OK);
    assert_int_equal(number, 2);
    assert_true(dq_demo_job_wait(job, 2, LONG));
    dq_demo_job_look(job, &view);
    assert_true(view.state == DQ_DEMO_DONE && h.begun == 2);
    dq_demo_job_free(job);
    assert_int_equal(h.ends, 2);
    assert_non_null(strstr(h.text, "\"job\":1,\"ok\":false,\"state\":\"cancelled\""));
}

static void a_job_that_dies_says_why(void **state)
{
    (void)state;
    static heard h;
    static char killed[] = "kill -9 $$";
    dq_demo_job *job = new_job(&h);
    dq_demo_view view;
    uint64_t number;
    const dq_demo_task task = task_of(killed);
    assert_int_equal(dq_demo_job_start(job, &task, &number, NULL), DQ_OK);
    assert_true(dq_demo_job_wait(job, number, LONG));
    dq_demo_job_look(job, &view);
    assert_int_equal(view.state, DQ_DEMO_FAILED);
    assert_string_equal(view.message, "sh was killed by SIGKILL");
    dq_demo_job_free(job);
    assert_non_null(
        strstr(h.text, "\"ok\":false,\"state\":\"failed\",\"message\":\"sh was killed by SIGKILL\""));
}

static void freeing_ends_what_runs(void **state)
{
    (void)state;
    static heard h;
    dq_demo_job *job = new_job(&h);
    uint64_t number;
    const dq_demo_task task = task_of(endless);
    assert_int_equal(dq_demo_job_start(job, &task, &number, NULL), DQ_OK);
    dq_demo_job_free(job);
    assert_int_equal(h.ends, 1);
    dq_demo_job_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_is_read_line_by_line),
        cmocka_unit_test(lines_without_an_end_are_dropped),
        cmocka_unit_test(a_failure_has_its_reason),
        cmocka_unit_test(a_child_is_told_to_end),
        cmocka_unit_test(a_child_that_does_not_end_is_killed),
        cmocka_unit_test(a_child_has_the_files_that_it_is_given),
        cmocka_unit_test(lines_of_a_log_are_read),
        cmocka_unit_test(curves_average_and_thin_out),
        cmocka_unit_test(a_job_tells_how_it_goes),
        cmocka_unit_test(one_job_at_a_time_and_cancelled),
        cmocka_unit_test(a_job_that_dies_says_why),
        cmocka_unit_test(freeing_ends_what_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
