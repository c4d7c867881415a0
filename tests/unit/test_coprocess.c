/* SPDX-License-Identifier: MIT
 *
 * Speaking with a process: small shell commands that answer, die, babble or keep silent. `cat` is the ideal
 * co-process: it answers each bundle with itself.
 */
#include "wire/coprocess.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { BIG = 1 << 20 };

static const dq_maker maker = {.program = "test", .version = "0", .seed = -1};

static dq_coprocess *start_with(const char *command, const char *const *variables)
{
    dq_error e = DQ_ERROR_NONE;
    dq_coprocess *p;
    assert_int_equal(dq_coprocess_start(&p, command, variables, NULL, &maker, &e), DQ_OK);
    return p;
}

static dq_coprocess *start(const char *command)
{
    return start_with(command, NULL);
}

/* A bundle of n numbers that do not compress, which begin with `first`. */
static dq_status put(dq_coprocess *p, uint32_t first, size_t n, dq_error *error)
{
    uint32_t *numbers = malloc(n * sizeof *numbers);
    dq_bundle b;
    assert_non_null(numbers);
    uint32_t state = first + 1;
    for (size_t i = 0; i < n; i++) numbers[i] = state = state * 1664525U + 1013904223U;
    numbers[0] = first;
    assert_int_equal(dq_bundle_init(&b, "numbers", n, error), DQ_OK);
    assert_int_equal(dq_bundle_add_numbers(&b, "n", DQ_U4, numbers, NULL, NULL, error), DQ_OK);
    dq_status status = dq_coprocess_put(p, &b, error);
    dq_bundle_free(&b);
    free(numbers);
    return status;
}

static void takes(dq_coprocess *p, uint32_t first)
{
    dq_error e = DQ_ERROR_NONE;
    dq_bundle b;
    assert_int_equal(dq_coprocess_take(p, &b, &e), DQ_OK);
    assert_string_equal(b.kind, "numbers");
    assert_int_equal((int)dq_column_number(dq_bundle_column(&b, "n"), 0), first);
    dq_bundle_free(&b);
}

/* Taking from a command fails so, and speaking on does too. */
static void fails(const char *command, dq_status status, const char *reason)
{
    dq_error e = DQ_ERROR_NONE, again = DQ_ERROR_NONE;
    dq_bundle b;
    dq_coprocess *p = start(command);
    (void)put(p, 1, 10, &again);
    assert_int_equal(dq_coprocess_take(p, &b, &e), status);
    assert_string_equal(e.source, command);
    assert_string_equal(e.reason, reason);
    again = DQ_ERROR_NONE;
    assert_int_equal(dq_coprocess_take(p, &b, &again), status);
    assert_string_equal(again.reason, reason);
    assert_int_equal(dq_coprocess_end(p, status, &e), status);
    assert_string_equal(e.reason, reason);
}

static void answers_each_bundle(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_coprocess *p = start("[ \"$DQ_FLUSH\" = 1 ] && cat");
    assert_null(dq_coprocess_maker(p));
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(put(p, i, 10, &e), DQ_OK);
        takes(p, i);
    }
    assert_true(dq_value_is(dq_map_get(dq_coprocess_maker(p), "program"), "test"));
    assert_int_equal(put(p, 9, 10, &e), DQ_OK); /* what nobody takes is no error */
    assert_int_equal(dq_coprocess_end(p, DQ_OK, &e), DQ_OK);
    assert_int_equal(dq_coprocess_end(NULL, DQ_OK, &e), DQ_OK);
}

/* It has our environment and, over it, what it is given; we keep ours. */
static void gets_its_variables(void **state)
{
    (void)state;
    static const char *const variables[] = {"DQ_TEST_A=of its own", "DQ_TEST_NEW=x=y", NULL};
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(setenv("DQ_TEST_A", "ours", 1), 0);
    assert_int_equal(setenv("DQ_TEST_AB", "ours too", 1), 0);
    assert_int_equal(setenv("DQ_FLUSH", "0", 1), 0);
    dq_coprocess *p = start_with("[ \"$DQ_TEST_A|$DQ_TEST_AB|$DQ_TEST_NEW|$DQ_FLUSH\" = "
                                 "'of its own|ours too|x=y|1' ] && cat",
                                 variables);
    assert_int_equal(put(p, 3, 10, &e), DQ_OK);
    takes(p, 3);
    assert_int_equal(dq_coprocess_end(p, DQ_OK, &e), DQ_OK);
    assert_string_equal(getenv("DQ_TEST_A"), "ours");
    assert_null(getenv("DQ_TEST_NEW"));
    for (size_t i = 0; i < 3; i++) (void)unsetenv((const char *[]){"DQ_TEST_A", "DQ_TEST_AB", "DQ_FLUSH"}[i]);
}

/* 32 MiB in each direction before anything is taken: far more than the pipes hold. */
static void takes_in_what_comes_while_it_writes(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_coprocess *p = start("cat");
    for (uint32_t i = 0; i < 8; i++) assert_int_equal(put(p, i, BIG, &e), DQ_OK);
    for (uint32_t i = 0; i < 8; i++) takes(p, i);
    assert_int_equal(dq_coprocess_end(p, DQ_OK, &e), DQ_OK);
}

static void waits_for_one_that_reads_everything_first(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_coprocess *p = start("t=$(mktemp) && cat > $t && cat $t && rm $t");
    for (uint32_t i = 0; i < 3; i++) assert_int_equal(put(p, i, BIG, &e), DQ_OK);
    assert_int_equal(dq_coprocess_end(p, DQ_OK, &e), DQ_OK);
}

static void names_how_it_died(void **state)
{
    (void)state;
    fails("exit 3", DQ_ERR_IO, "exited with status 3");
    fails("no-such-program-of-dq 2> /dev/null", DQ_ERR_IO, "exited with status 127");
    fails("kill -KILL $$", DQ_ERR_IO, "was killed by SIGKILL");
    fails("exec 2> /dev/null; sh -c 'kill -SEGV $$'; exit $?", DQ_ERR_IO, "exited with status 139 (SIGSEGV)");
    fails("head -c 100; exit 4", DQ_ERR_IO, "exited with status 4");
    fails("head -c 10; kill -TERM $$", DQ_ERR_IO, "was killed by SIGTERM");
    (void)signal(SIGXFSZ, SIG_IGN); /* as the programs do: it is not handed on */
    fails("head -c 10; kill -XFSZ $$", DQ_ERR_IO, "was killed by SIGXFSZ");
    (void)signal(SIGXFSZ, SIG_DFL);
}

static void a_broken_stream_is_the_readers_to_tell(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    fails("head -c 25", DQ_ERR_TRUNCATED, "cut off inside a compressed frame");
    fails("true", DQ_ERR_TRUNCATED, "empty: a dq stream has at least a head and an end");
    fails("echo garbage; exec cat > /dev/null", DQ_ERR_FORMAT,
          "not a dq stream: it begins with 'garbage\\n'; stdout is the protocol's, other words go to stderr");
    fails("echo garbage, more than a header; exec cat > /dev/null", DQ_ERR_FORMAT,
          "not a dq stream: it begins with 'garbage, more than a header\\n'; stdout is the protocol's, other "
          "words go to stderr");
    dq_coprocess *p = start("cat > /dev/null");
    assert_int_equal(dq_coprocess_end(p, DQ_OK, &e), DQ_ERR_TRUNCATED);
    assert_string_equal(e.source, "cat > /dev/null");
}

/* Its stream ends well while ours goes on. */
static void ends_too_early(void **state)
{
    (void)state;
    char path[] = "/tmp/dq-coprocess-XXXXXX", command[64];
    dq_error e = DQ_ERROR_NONE;
    dq_writer *w;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(dq_writer_open(&w, path, &maker, NULL, 0, &e), DQ_OK);
    assert_int_equal(dq_writer_close(w, &e), DQ_OK);
    (void)snprintf(command, sizeof command, "cat %s", path);
    fails(command, DQ_ERR_TRUNCATED, "ended its stream in the middle of the conversation");
    (void)unlink(path);
}

static void writing_to_the_dead_is_no_sigpipe(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_coprocess *p = start("exit 3");
    while (put(p, 1, BIG, &e) == DQ_OK) continue;
    assert_int_equal(e.status, DQ_ERR_IO);
    assert_string_equal(e.source, "exit 3");
    assert_string_equal(e.reason, "exited with status 3");
    assert_int_equal(dq_coprocess_exit(p), 3);
    assert_int_equal(dq_coprocess_end(p, e.status, &e), DQ_ERR_IO);
    sigset_t pending;
    assert_int_equal(sigpending(&pending), 0);
    assert_false(sigismember(&pending, SIGPIPE));
}

static void a_bad_exit_after_a_good_end_counts(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_coprocess *p = start("cat; exit 5");
    assert_int_equal(put(p, 1, 10, &e), DQ_OK);
    takes(p, 1);
    assert_int_equal(dq_coprocess_end(p, DQ_OK, &e), DQ_ERR_IO);
    assert_string_equal(e.reason, "exited with status 5");
    p = start("cat; kill -KILL $$");
    e = DQ_ERROR_NONE;
    assert_int_equal(dq_coprocess_end(p, DQ_OK, &e), DQ_ERR_IO);
    assert_string_equal(e.reason, "was killed by SIGKILL");
}

static pid_t read_pid(const char *path)
{
    char line[32] = "";
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    (void)fclose(f);
    return (pid_t)atoi(line);
}

/* A dead process has no /proc entry, or is a zombie that someone else is to bury. */
static bool lives(pid_t pid)
{
    char path[40], line[256] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (!f) return false;
    bool read = fgets(line, sizeof line, f) != NULL;
    (void)fclose(f);
    const char *state = read ? strrchr(line, ')') : NULL;
    return state && state[2] != 'Z' && state[2] != 'X';
}

/* What it left behind holds the pipes open, and is killed with its group. */
static void nothing_of_its_group_outlives_it(void **state)
{
    (void)state;
    char path[] = "/tmp/dq-coprocess-XXXXXX", command[128];
    dq_error e = DQ_ERROR_NONE;
    dq_bundle b;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    (void)snprintf(command, sizeof command, "sleep 1000 & echo $! > %s; exit 6", path);
    dq_coprocess *p = start(command);
    assert_int_equal(dq_coprocess_take(p, &b, &e), DQ_ERR_IO);
    assert_string_equal(e.reason, "exited with status 6");
    assert_int_equal(dq_coprocess_end(p, e.status, &e), DQ_ERR_IO);
    pid_t left = read_pid(path);
    while (lives(left)) continue; /* the kill has been sent */
    (void)snprintf(command, sizeof command, "echo $$ > %s; trap '' TERM; cat", path);
    p = start(command);
    assert_int_equal(put(p, 1, 10, &e), DQ_OK);
    takes(p, 1);
    assert_int_equal(dq_coprocess_end(p, DQ_ERR_RANGE, &e), DQ_ERR_RANGE);
    assert_false(lives(read_pid(path)));
    (void)unlink(path);
}

static bool always(void)
{
    return true;
}

static void a_wait_can_be_stopped(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_bundle b;
    dq_coprocess *p = start("sleep 1000");
    dq_coprocess_stop_when(p, always);
    assert_int_equal(dq_coprocess_take(p, &b, &e), DQ_ERR_STOPPED);
    assert_string_equal(e.source, "sleep 1000");
    assert_int_equal(dq_coprocess_end(p, DQ_ERR_STOPPED, &e), DQ_ERR_STOPPED);
}

/* What a shell has started is waited for, too, when it is told to stop. */
static void a_stop_waits_for_what_is_begun(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_coprocess.XXXXXX", command[256], made[64];
    dq_error e = DQ_ERROR_NONE;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(made, sizeof made, "%s/made", folder);
    (void)snprintf(command, sizeof command,
                   "sh -c 'trap \"sleep 2.5; touch %s; exit\" TERM; cat; while :; do sleep 0.01; done'; true",
                   made);
    dq_coprocess *p = start(command);
    dq_bundle b;
    assert_int_equal(put(p, 1, 10, &e), DQ_OK);
    takes(p, 1); /* it has set its trap */
    dq_coprocess_wait_for(p, 60);
    dq_coprocess_stop_when(p, always);
    assert_int_equal(dq_coprocess_take(p, &b, &e), DQ_ERR_STOPPED);
    assert_int_equal(dq_coprocess_end(p, DQ_ERR_STOPPED, &e), DQ_ERR_STOPPED);
    assert_int_equal(access(made, F_OK), 0);
    (void)unlink(made);
    (void)rmdir(folder);
}

/* And is told to stop when the shell is gone already. */
static void a_stop_is_told_to_all_of_its_group(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_coprocess.XXXXXX", command[256], made[64], go[64];
    dq_error e = DQ_ERROR_NONE;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(made, sizeof made, "%s/made", folder);
    (void)snprintf(go, sizeof go, "%s/go", folder);
    (void)snprintf(command, sizeof command,
                   "exec 3<&0; (trap 'touch %s; exit' TERM; cat <&3; while :; do sleep 0.01; done) & "
                   "until [ -e %s ]; do sleep 0.01; done",
                   made, go);
    dq_coprocess *p = start(command);
    dq_bundle b;
    assert_int_equal(put(p, 1, 10, &e), DQ_OK);
    takes(p, 1); /* it has set its trap */
    dq_coprocess_wait_for(p, 5);
    dq_coprocess_stop_when(p, always);
    assert_int_equal(dq_coprocess_take(p, &b, &e), DQ_ERR_STOPPED);
    assert_int_equal(mkdir(go, 0700), 0);
    (void)usleep(300000); /* the shell goes */
    assert_int_equal(dq_coprocess_end(p, DQ_ERR_STOPPED, &e), DQ_ERR_STOPPED);
    assert_int_equal(access(made, F_OK), 0);
    (void)unlink(made);
    (void)rmdir(go);
    (void)rmdir(folder);
}

static void a_stop_while_it_parts_is_no_failure(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_coprocess *p = start("cat; sleep 1000");
    assert_int_equal(put(p, 1, 10, &e), DQ_OK);
    takes(p, 1);
    dq_coprocess_stop_when(p, always);
    assert_int_equal(dq_coprocess_end(p, DQ_OK, &e), DQ_OK);
}

/* Whether it exits as `test` does, which shows its environment. */
static int exits_with(const char *command, const char *const *trusted)
{
    dq_error e = DQ_ERROR_NONE;
    dq_coprocess *p;
    dq_bundle b;
    assert_int_equal(dq_coprocess_start(&p, command, NULL, trusted, &maker, &e), DQ_OK);
    (void)dq_coprocess_take(p, &b, &e);
    int code = dq_coprocess_exit(p);
    (void)dq_coprocess_end(p, DQ_ERR_IO, &e);
    return code;
}

/* A program of somebody else learns neither the key nor the database's password. */
static void gets_no_secrets(void **state)
{
    (void)state;
    static const char *const trusted[] = {"OPENAI_API_KEY", NULL};
    setenv("OPENAI_API_KEY", "sk-1", 1);
    setenv("OPENAI_API_KEY_NAME", "public", 1);
    setenv("DQ_MONGODB_URI", "mongodb://u:p@h", 1);
    assert_int_equal(exits_with("env | grep -c -e sk-1 -e u:p@h >/dev/null && exit 3; exit 4", NULL), 4);
    assert_int_equal(
        exits_with("[ \"$OPENAI_API_KEY_NAME$OPENAI_API_KEY\" = public ] && exit 3; exit 4", NULL), 3);
    assert_int_equal(exits_with("[ \"$OPENAI_API_KEY$DQ_MONGODB_URI\" = sk-1 ] && exit 3; exit 4", trusted),
                     3);
    unsetenv("OPENAI_API_KEY");
    unsetenv("OPENAI_API_KEY_NAME");
    unsetenv("DQ_MONGODB_URI");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_each_bundle),
        cmocka_unit_test(gets_its_variables),
        cmocka_unit_test(gets_no_secrets),
        cmocka_unit_test(takes_in_what_comes_while_it_writes),
        cmocka_unit_test(waits_for_one_that_reads_everything_first),
        cmocka_unit_test(names_how_it_died),
        cmocka_unit_test(a_broken_stream_is_the_readers_to_tell),
        cmocka_unit_test(ends_too_early),
        cmocka_unit_test(writing_to_the_dead_is_no_sigpipe),
        cmocka_unit_test(a_bad_exit_after_a_good_end_counts),
        cmocka_unit_test(nothing_of_its_group_outlives_it),
        cmocka_unit_test(a_wait_can_be_stopped),
        cmocka_unit_test(a_stop_waits_for_what_is_begun),
        cmocka_unit_test(a_stop_is_told_to_all_of_its_group),
        cmocka_unit_test(a_stop_while_it_parts_is_no_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
