/* SPDX-License-Identifier: MIT
 *
 * Workers of a program: what they wrote arrives in the order of jobs, and whoever ends early is spoken of.
 */
#include "cli/log.c" /* programs' parts are in no library */
#include "cli/workers.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { JOBS = 5, BAD = 3 };

typedef struct jobs {
    int ends;     /* 1: job BAD exits, 2: a signal ends it */
    bool goes_on; /* without it */
    size_t taken;
    size_t failed; /* JOBS: none */
    char reason[400];
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
    assert_int_equal(j->taken + (j->failed < job), job);
    j->taken++;
    return status;
}

static dq_status job_has_failed(void *arg, size_t job, dq_status status, dq_error *error)
{
    jobs *j = arg;
    j->failed = job;
    (void)snprintf(j->reason, sizeof j->reason, "%s", error->reason);
    return j->goes_on ? DQ_OK : status;
}

static dq_status go(jobs *j, int ends, bool goes_on, dq_error *error)
{
    *j = (jobs){.ends = ends, .goes_on = goes_on, .failed = JOBS};
    const dq_workers_config config = {
        .workers = 2, .jobs = JOBS, .arg = j, .work = work, .take = take, .failed = job_has_failed};
    return dq_workers_run(&config, error);
}

static void jobs_are_taken_in_order(void **state)
{
    (void)state;
    jobs j;
    assert_int_equal(go(&j, 0, false, NULL), DQ_OK);
    assert_int_equal(j.taken, JOBS);
    assert_int_equal(j.failed, JOBS);
}

static void a_worker_that_ends_early_is_spoken_of(void **state)
{
    (void)state;
    const char *words[] = {"ended before its work did", "ended by signal 9"};
    for (int ends = 1; ends <= 2; ends++) {
        jobs j;
        dq_error e = DQ_ERROR_NONE;
        assert_int_equal(go(&j, ends, false, &e), DQ_ERR_IO);
        assert_non_null(strstr(e.reason, words[ends - 1]));
        assert_int_equal(j.failed, BAD);
        assert_int_equal(j.taken, BAD);
    }
}

static void others_go_on_where_one_may_fail(void **state)
{
    (void)state;
    const char *words[] = {"ended before its work did", "ended by signal 9"};
    for (int ends = 1; ends <= 2; ends++) {
        jobs j;
        dq_error e = DQ_ERROR_NONE;
        assert_int_equal(go(&j, ends, true, &e), DQ_OK);
        assert_non_null(strstr(j.reason, words[ends - 1]));
        assert_int_equal(j.failed, BAD);
        assert_int_equal(j.taken, JOBS - 1);
    }
}

/* A worker that would never end is ended when a stop is asked for. */
static dq_status wait_for_ever(void *arg, size_t job, int files[DQ_WORKER_FILES], dq_error *error)
{
    (void)arg, (void)job, (void)files;
    while (pause() < 0 && errno == EINTR) continue;
    return dq_fail(error, DQ_ERR_IO, "it came to an end");
}

static bool is_asked(void)
{
    static int calls = 0;
    return ++calls > 2;
}

static void a_stop_ends_the_workers(void **state)
{
    (void)state;
    jobs j = {.failed = JOBS};
    dq_error e = DQ_ERROR_NONE;
    const dq_workers_config config = {.workers = 2,
                                      .jobs = JOBS,
                                      .arg = &j,
                                      .work = wait_for_ever,
                                      .take = take,
                                      .failed = job_has_failed,
                                      .stop_asked = is_asked};
    assert_int_equal(dq_workers_run(&config, &e), DQ_ERR_STOPPED);
    assert_int_equal(j.taken, 0);
    assert_int_equal(j.failed, JOBS);
}

/* ---- what a stop leaves ---- */

static volatile sig_atomic_t told;

static void hear_of_it(int number)
{
    (void)number;
    told = 1;
}

static atomic_int *finished; /* jobs, in memory that children share */

/* The parent, once jobs 1 and 3 are done. */
static bool is_time(void)
{
    return atomic_load(finished) >= 2;
}

/* Job 0 is in the midst when all are told to stop, 1 and 3 are done, 2 never ends. */
static dq_status work_until_told(void *arg, size_t job, int files[DQ_WORKER_FILES], dq_error *error)
{
    if (job == 2) return wait_for_ever(arg, job, files, error);
    dq_status status = write_to(&files[0], &job, sizeof job, error);
    if (job) atomic_fetch_add(finished, 1);
    if (status || job) return status;
    while (!told) (void)usleep(1000);
    return dq_fail(error, DQ_ERR_STOPPED, "interrupted");
}

typedef struct leavings {
    size_t taken, left;
    dq_status how[JOBS];
} leavings;

static dq_status take_none(void *arg, size_t job, int files[DQ_WORKER_FILES], dq_error *error)
{
    leavings *l = arg;
    (void)job, (void)files, (void)error;
    l->taken++;
    return DQ_OK;
}

static dq_status take_leaving(void *arg, size_t job, dq_status how, int files[DQ_WORKER_FILES],
                              dq_error *error)
{
    leavings *l = arg;
    size_t wrote = SIZE_MAX, got;
    dq_status status = read_from(&files[0], &wrote, sizeof wrote, &got, error);
    assert_int_equal(wrote, job);
    l->how[job] = how;
    l->left++;
    return status;
}

static dq_status refuse(void *arg, size_t job, dq_status how, int files[DQ_WORKER_FILES], dq_error *error)
{
    leavings *l = arg;
    (void)how, (void)files;
    return dq_fail(error, DQ_ERR_IO, "the disk is full %zu, at job %zu", l->left++, job);
}

static dq_status stop_with(dq_status (*leave)(void *, size_t, dq_status, int[DQ_WORKER_FILES], dq_error *),
                           leavings *l, dq_error *error)
{
    const dq_workers_config config = {.workers = 3,
                                      .jobs = JOBS,
                                      .arg = l,
                                      .work = work_until_told,
                                      .take = take_none,
                                      .failed = job_has_failed,
                                      .stop_asked = is_time,
                                      .leave = leave,
                                      .patience = 3};
    told = 0;
    finished = mmap(NULL, sizeof *finished, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(finished, MAP_FAILED);
    *l = (leavings){.how = {DQ_ERR_IO, DQ_ERR_IO, DQ_ERR_IO, DQ_ERR_IO, DQ_ERR_IO}};
    (void)signal(SIGTERM, hear_of_it);
    dq_status status = dq_workers_run(&config, error);
    (void)munmap(finished, sizeof *finished);
    return status;
}

static void a_stop_takes_what_jobs_leave(void **state)
{
    (void)state;
    leavings l;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(stop_with(take_leaving, &l, &e), DQ_ERR_STOPPED);
    assert_int_equal(l.taken, 0); /* the first one's turn has not come */
    assert_int_equal(l.how[0], DQ_ERR_STOPPED);
    assert_int_equal(l.how[1], DQ_OK);
    assert_int_equal(l.how[2], DQ_ERR_IO); /* it was ended */
    assert_int_equal(l.how[3], DQ_OK);
    assert_in_range(l.left, 3, 4);
    assert_string_equal(e.reason, "interrupted");
    assert_int_equal(stop_with(refuse, &l, &e), DQ_ERR_IO);
    assert_non_null(strstr(e.reason, "the disk is full 0, at job")); /* the first is told */
    assert_in_range(l.left, 3, 4);                                   /* and the others are tried */
}

static dq_status do_nothing(void *arg, size_t job, int files[DQ_WORKER_FILES], dq_error *error)
{
    (void)arg, (void)job, (void)files, (void)error;
    return DQ_OK;
}

/* Told when all was done by then: nothing is left to leave. */
static leavings *of_all;

static bool is_over(void)
{
    return of_all->taken == JOBS;
}

static void a_stop_behind_the_last_job_is_none(void **state)
{
    (void)state;
    leavings l = {0};
    dq_error e = DQ_ERROR_NONE;
    const dq_workers_config config = {.workers = 2,
                                      .jobs = JOBS,
                                      .arg = &l,
                                      .work = do_nothing,
                                      .take = take_none,
                                      .failed = job_has_failed,
                                      .stop_asked = is_over,
                                      .leave = refuse,
                                      .patience = 1};
    of_all = &l;
    assert_int_equal(dq_workers_run(&config, &e), DQ_OK);
    assert_int_equal(l.taken, JOBS);
    assert_int_equal(l.left, 0);
}

/* Told in the midst: nobody is given a job any more, and no slot is taken for one. */
static bool is_half_done(void)
{
    return of_all->taken >= 2;
}

static dq_status take_own(void *arg, size_t job, int files[DQ_WORKER_FILES], dq_error *error)
{
    leavings *l = arg;
    size_t wrote = SIZE_MAX, got;
    dq_status status = read_from(&files[0], &wrote, sizeof wrote, &got, error);
    assert_int_equal(wrote, job);
    l->taken++;
    return status;
}

static dq_status write_own(void *arg, size_t job, int files[DQ_WORKER_FILES], dq_error *error)
{
    (void)arg;
    return write_to(&files[0], &job, sizeof job, error);
}

static void a_stop_in_the_midst_gives_no_more(void **state)
{
    (void)state;
    for (size_t workers = 1; workers <= 3; workers++) {
        leavings l = {0};
        dq_error e = DQ_ERROR_NONE;
        const dq_workers_config config = {.workers = workers,
                                          .jobs = 40,
                                          .arg = &l,
                                          .work = write_own,
                                          .take = take_own,
                                          .failed = job_has_failed,
                                          .stop_asked = is_half_done,
                                          .leave = refuse,
                                          .patience = 1};
        of_all = &l;
        dq_status status = dq_workers_run(&config, &e);
        assert_true(status == DQ_ERR_STOPPED || (status == DQ_ERR_IO && l.left > 0));
        assert_in_range(l.taken, 2, 2 + 2 * workers);
    }
}

/* ---- who does the jobs ---- */

enum { MANY = 40 };

typedef struct note {
    size_t job;
    pid_t by;
    char rest[100];
} note;

/* Notes of other lengths. */
static dq_status write_note(void *arg, size_t job, int files[DQ_WORKER_FILES], dq_error *error)
{
    note n = {.job = job, .by = getpid()};
    (void)arg;
    return write_to(&files[0], &n, sizeof n - job % 7, error);
}

typedef struct seen {
    size_t taken, workers;
    pid_t by[8];
} seen;

static dq_status take_note(void *arg, size_t job, int files[DQ_WORKER_FILES], dq_error *error)
{
    seen *s = arg;
    note n[2];
    size_t got = 0, i = 0;
    dq_status status = read_from(&files[0], n, sizeof n, &got, error);
    assert_int_equal(got, sizeof *n - job % 7); /* and nothing of a longer one before */
    assert_int_equal(n->job, s->taken++);
    while (i < s->workers && s->by[i] != n->by) i++;
    assert_true(i < 8);
    if (i == s->workers) s->by[s->workers++] = n->by;
    return status;
}

static void a_worker_does_job_after_job(void **state)
{
    (void)state;
    seen s = {0};
    const dq_workers_config config = {.workers = 3,
                                      .jobs = MANY,
                                      .arg = &s,
                                      .work = write_note,
                                      .take = take_note,
                                      .failed = job_has_failed};
    assert_int_equal(dq_workers_run(&config, NULL), DQ_OK);
    assert_int_equal(s.taken, MANY);
    assert_in_range(s.workers, 1, 3);
}

/* Every fourth job ends its worker: the place is filled, and every other job is done. */
static dq_status write_or_die(void *arg, size_t job, int files[DQ_WORKER_FILES], dq_error *error)
{
    if (job % 4 == 1) (void)raise(SIGKILL);
    return write_note(arg, job, files, error);
}

static dq_status count_note(void *arg, size_t job, int files[DQ_WORKER_FILES], dq_error *error)
{
    seen *s = arg;
    (void)files, (void)error;
    assert_int_not_equal(job % 4, 1);
    s->taken++;
    return DQ_OK;
}

static dq_status count_failure(void *arg, size_t job, dq_status status, dq_error *error)
{
    seen *s = arg;
    (void)error;
    assert_int_equal(job % 4, 1);
    assert_int_equal(status, DQ_ERR_IO);
    s->workers++;
    return DQ_OK;
}

static void the_place_of_one_that_ended_is_filled(void **state)
{
    (void)state;
    seen s = {0};
    dq_error e = DQ_ERROR_NONE;
    const dq_workers_config config = {.workers = 2,
                                      .jobs = MANY,
                                      .arg = &s,
                                      .work = write_or_die,
                                      .take = count_note,
                                      .failed = count_failure};
    assert_int_equal(dq_workers_run(&config, &e), DQ_OK);
    assert_int_equal(s.workers, MANY / 4);
    assert_int_equal(s.taken, MANY - MANY / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_are_taken_in_order),
        cmocka_unit_test(a_worker_that_ends_early_is_spoken_of),
        cmocka_unit_test(others_go_on_where_one_may_fail),
        cmocka_unit_test(a_stop_ends_the_workers),
        cmocka_unit_test(a_stop_takes_what_jobs_leave),
        cmocka_unit_test(a_stop_behind_the_last_job_is_none),
        cmocka_unit_test(a_stop_in_the_midst_gives_no_more),
        cmocka_unit_test(a_worker_does_job_after_job),
        cmocka_unit_test(the_place_of_one_that_ended_is_filled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
