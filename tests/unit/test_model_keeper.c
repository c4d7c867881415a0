/* SPDX-License-Identifier: MIT
 *
 * Files that gather while a thread makes others durable: none has its name before what was to be durable is,
 * each is whole, and what fails is said to whoever comes next.
 */
#include "models/keeper.h"

#include <errno.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

enum { MANY = 40 };

static char folder[] = "/tmp/dq-keeper-XXXXXX";
static const dq_model_dir dir = {.path = folder};

/* What has to be durable first, as the keeper asks for it. */
typedef struct first {
    sem_t may; /* it ends when this is posted */
    unsigned calls, there;
    dq_status fails;
} first;

static bool is_there(unsigned i)
{
    char path[80];
    (void)snprintf(path, sizeof path, "%s/u%02u.dq", folder, i);
    return access(path, F_OK) == 0;
}

/* Of the first group nothing is there when it is asked for. */
static dq_status before(void *arg, dq_error *error)
{
    first *f = arg;
    while (sem_wait(&f->may) != 0) continue;
    if (!f->calls++) f->there = is_there(0);
    return f->fails ? dq_fail(error, f->fails, "the log is lost") : DQ_OK;
}

static dq_status read_text(void *text, void *to, size_t n, size_t *got, dq_error *error)
{
    const char **at = text;
    (void)error;
    *got = strlen(*at) < n ? strlen(*at) : n;
    memcpy(to, *at, *got);
    *at += *got;
    return DQ_OK;
}

static dq_status put(dq_model_keeper *k, unsigned i, dq_error *error)
{
    char id[8], text[32];
    const char *at = text;
    (void)snprintf(id, sizeof id, "u%02u", i);
    (void)snprintf(text, sizeof text, "model %u", i);
    return dq_model_keeper_put(k, id, strlen(id), read_text, &at, error);
}

static void is_whole(unsigned i)
{
    char path[80], text[32], got[32] = "";
    (void)snprintf(path, sizeof path, "%s/u%02u.dq", folder, i);
    (void)snprintf(text, sizeof text, "model %u", i);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(got, sizeof got, f));
    assert_string_equal(got, text);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(unlink(path), 0);
}

static void test_files_gather(void **state)
{
    (void)state;
    first f = {.calls = 0};
    dq_model_keeper *k;
    assert_int_equal(sem_init(&f.may, 0, 0), 0);
    assert_int_equal(dq_model_keeper_new(&k, &dir, before, &f, NULL), DQ_OK);
    for (unsigned i = 0; i < MANY; i++) assert_int_equal(put(k, i, NULL), DQ_OK);
    for (unsigned i = 0; i < MANY; i++) assert_false(is_there(i));
    assert_int_equal(sem_post(&f.may), 0);
    assert_int_equal(sem_post(&f.may), 0);
    assert_int_equal(dq_model_keeper_settle(k, NULL), DQ_OK);
    assert_true(f.calls == 1 || f.calls == 2); /* for all of them */
    assert_false(f.there);
    for (unsigned i = 0; i < MANY; i++) is_whole(i);
    dq_model_keeper_free(k);
    assert_int_equal(sem_destroy(&f.may), 0);
}

/* Freeing waits, too. */
static void test_freeing_settles(void **state)
{
    (void)state;
    dq_model_keeper *k;
    assert_int_equal(dq_model_keeper_new(&k, &dir, NULL, NULL, NULL), DQ_OK);
    for (unsigned i = 0; i < MANY; i++) assert_int_equal(put(k, i, NULL), DQ_OK);
    dq_model_keeper_free(k);
    for (unsigned i = 0; i < MANY; i++) is_whole(i);
    dq_model_keeper_free(NULL);
}

static void test_a_failure_is_told(void **state)
{
    (void)state;
    first f = {.fails = DQ_ERR_IO};
    dq_model_keeper *k;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(sem_init(&f.may, 0, 1), 0);
    assert_int_equal(dq_model_keeper_new(&k, &dir, before, &f, &e), DQ_OK);
    assert_int_equal(put(k, 0, &e), DQ_OK);
    assert_int_equal(dq_model_keeper_settle(k, &e), DQ_ERR_IO);
    assert_string_equal(e.reason, "the log is lost");
    assert_false(is_there(0));
    e = DQ_ERROR_NONE;
    assert_int_equal(put(k, 1, &e), DQ_ERR_IO);
    assert_string_equal(e.reason, "the log is lost");
    dq_model_keeper_free(k);
    assert_false(is_there(1));
    assert_int_equal(sem_destroy(&f.may), 0);
}

/* Whoever may have few open files has them one after the other. */
static void test_few_open_files(void **state)
{
    (void)state;
    struct rlimit old, few;
    dq_model_keeper *k;
    const int next = dup(0);
    assert_true(next >= 0 && close(next) == 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    few = old;
    few.rlim_cur = (rlim_t)next + 4;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    assert_int_equal(dq_model_keeper_new(&k, &dir, NULL, NULL, NULL), DQ_OK);
    for (unsigned i = 0; i < MANY; i++) assert_int_equal(put(k, i, NULL), DQ_OK);
    assert_int_equal(dq_model_keeper_settle(k, NULL), DQ_OK);
    dq_model_keeper_free(k);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    for (unsigned i = 0; i < MANY; i++) is_whole(i);
}

static void test_no_folder(void **state)
{
    (void)state;
    const dq_model_dir gone = {.path = "/tmp/dq-keeper-none/none"};
    dq_model_keeper *k;
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_model_keeper_new(&k, &gone, NULL, NULL, &e), DQ_ERR_IO);
    assert_string_equal(e.source, "/tmp/dq-keeper-none/none");
    dq_model_keeper_free(k);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder); /* nothing is left */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_gather), cmocka_unit_test(test_freeing_settles),
        cmocka_unit_test(test_a_failure_is_told), cmocka_unit_test(test_few_open_files),
        cmocka_unit_test(test_no_folder)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
