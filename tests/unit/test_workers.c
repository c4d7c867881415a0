/* SPDX-License-Identifier: MIT
 *
 * Workers of a program: what they wrote arrives in the order of jobs, and whoever ends early is spoken of.
 */
#include "cli/log.c" /* programs' parts are in no library */
#include "cli/workers.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { JOBS = 5, BAD = 3 };

typedef struct jobs {
    int ends; /* 1: job BAD exits, 2: a signal ends it */
    size_t taken;
    size_t blamed; /* JOBS: none */
} jobs;

static dq_status work(void *arg, size_t job, int files[DQ_WORKER_FILES], dq_error *error)
{
    const jobs *j = arg;
    if (job == BAD && j->ends == 1) _exit(0);
    if (job == BAD && j->ends == 2) (void)raise(SIGKILL);
    return write_to(&files[0], &job, sizeof job, error);
}

static dq_status take(void *arg, size_t job, int files[DQ_WORKER_FILES], dq_error *error)
{
    jobs *j = arg;
    size_t wrote = SIZE_MAX, got;
    dq_status status = read_from(&files[0], &wrote, sizeof wrote, &got, error);
    assert_int_equal(wrote, job);
    assert_int_equal(j->taken, job);
    j->taken++;
    return status;
}

static dq_status blame(void *arg, size_t job, dq_status status, dq_error *error)
{
    jobs *j = arg;
    (void)error;
    j->blamed = job;
    return status;
}

static dq_status go(jobs *j, int ends, dq_error *error)
{
    *j = (jobs){.ends = ends, .blamed = JOBS};
    const dq_workers_config config = {
        .workers = 2, .jobs = JOBS, .arg = j, .work = work, .take = take, .blame = blame};
    return dq_workers_run(&config, error);
}

static void jobs_are_taken_in_order(void **state)
{
    (void)state;
    jobs j;
    assert_int_equal(go(&j, 0, NULL), DQ_OK);
    assert_int_equal(j.taken, JOBS);
    assert_int_equal(j.blamed, JOBS);
}

static void a_worker_that_ends_early_is_spoken_of(void **state)
{
    (void)state;
    const char *words[] = {"ended before its work did", "ended by signal 9"};
    for (int ends = 1; ends <= 2; ends++) {
        jobs j;
        dq_error e = DQ_ERROR_NONE;
        assert_int_equal(go(&j, ends, &e), DQ_ERR_IO);
        assert_non_null(strstr(e.reason, words[ends - 1]));
        assert_int_equal(j.blamed, BAD);
        assert_int_equal(j.taken, BAD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_are_taken_in_order),
        cmocka_unit_test(a_worker_that_ends_early_is_spoken_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
