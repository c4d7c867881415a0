/* SPDX-License-Identifier: MIT
 *
 * Processes that watch each other: who ends is said once, by one; nothing is said where all are told to stop,
 * of another machine's, or when the watch is over.
 */
#include "mpi/watch.c" /* the room is in dq-train-mpi alone */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

static atomic_int *said; /* shared with children */
static atomic_int heard, all_stop;
static uint32_t who;
static int64_t which;

static bool stops(void)
{
    return all_stop;
}

static void hear(void *arg, uint32_t rank, int64_t pid)
{
    atomic_int *count = arg; /* an assertion would leave the wrong thread */
    who = rank;
    which = pid;
    ++*count;
}

static dq_watch_config watching(void)
{
    return (dq_watch_config){.said = said, .stopping = stops, .lost = hear, .arg = &heard};
}

static void pause_ms(long ms)
{
    (void)nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static pid_t make_child(void)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        for (;;) (void)pause();
    return child;
}

static void end_child(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

/* Waits until it is said, by whoever says it. */
static bool is_said(void)
{
    for (int i = 0; i < 30000 && !atomic_load(said); i++) pause_ms(1);
    return atomic_load(said);
}

static int begin(void **state)
{
    (void)state;
    atomic_store(said, 0);
    heard = all_stop = 0;
    return 0;
}

static void who_ends_is_said_once(void **state)
{
    (void)state;
    dq_watch *first, *second;
    const dq_watch_config config = watching();
    dq_mpi_process all[3] = {dq_watch_self(4)};
    for (uint32_t i = 1; i < 3; i++) all[i] = (dq_mpi_process){all[0].space, make_child(), 4 + i};
    dq_watch_start(&first, &config, all, 3);
    dq_watch_start(&second, &config, all, 3); /* as another process would */
    assert_true(first && second);
    pause_ms(300);
    assert_int_equal(heard, 0);
    end_child((pid_t)all[2].pid);
    assert_true(is_said());
    end_child((pid_t)all[1].pid);
    pause_ms(300);
    dq_watch_end(first);
    dq_watch_end(second);
    assert_int_equal(heard, 1);
    assert_int_equal(who, 6);
    assert_int_equal(which, all[2].pid);
}

static void what_is_no_news_is_not_said(void **state)
{
    (void)state;
    dq_watch *watch;
    const dq_watch_config config = watching();
    dq_mpi_process child = dq_watch_self(1);
    for (int way = 0; way < 4; way++) {
        begin(NULL);
        child.pid = make_child();
        child.space += way == 2; /* a number of another machine */
        all_stop = way == 0;
        atomic_store(said, way == 1); /* it has said itself why it ends */
        dq_watch_start(&watch, &config, &child, 1);
        assert_non_null(watch);
        pause_ms(500);
        if (way == 3) dq_watch_end(watch);
        end_child((pid_t)child.pid);
        pause_ms(300);
        if (way != 3) dq_watch_end(watch);
        assert_int_equal(heard, 0);
        child.space -= way == 2;
    }
    dq_watch_start(&watch, &config, &child, 1); /* a process that is no more */
    assert_null(watch);
    dq_watch_end(watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(who_ends_is_said_once, begin),
        cmocka_unit_test_setup(what_is_no_news_is_not_said, begin),
    };
    said = mmap(NULL, sizeof *said, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return said == MAP_FAILED ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
