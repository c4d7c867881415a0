/* SPDX-License-Identifier: MIT
 *
 * The cache: what is kept, who may ask, what was spent; files that are none, disks that are full, processes
 * that die. Two processes at once, and kill -9 at any moment: tests/fault/cache.bats.
 */
#include "dq/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[96], journal[112];
static int64_t clock_now;

static int64_t test_clock(void *arg)
{
    (void)arg;
    return clock_now;
}

static int setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/dq-test-cache-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    (void)snprintf(path, sizeof path, "%s/c.db", folder);
    (void)snprintf(journal, sizeof journal, "%s-journal", path);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)chmod(folder, 0700);
    (void)unlink(path);
    (void)unlink(journal);
    return rmdir(folder);
}

static dq_cache *open_cache(bool read_only)
{
    dq_error e = DQ_ERROR_NONE;
    dq_cache *cache;
    if (dq_cache_open(&cache, path, read_only, &e)) fail_msg("%s: %s", e.source, e.reason);
    return cache;
}

static void refuses(bool read_only, dq_status status, const char *words)
{
    dq_error e = DQ_ERROR_NONE;
    dq_cache *cache;
    assert_int_equal(dq_cache_open(&cache, path, read_only, &e), status);
    assert_null(cache);
    assert_string_equal(e.reason, words);
    assert_string_equal(e.source, path);
}

static dq_cache_key key_of(unsigned n)
{
    dq_cache_key key = {{0}};
    memcpy(key.digest + 8, &n, sizeof n);
    return key;
}

static dq_cache_entry entry_of(unsigned n, const char *label)
{
    return (dq_cache_entry){.key = key_of(n),
                            .model = "m",
                            .request = "{\"n\":1}",
                            .request_bytes = 7,
                            .answer = "{\"a\":2}",
                            .answer_bytes = 7,
                            .label = label,
                            .reader = 3,
                            .tokens_in = 100,
                            .tokens_out = 5,
                            .seconds = 0.5,
                            .cost = 0.25,
                            .server = "127.0.0.1:80",
                            .time = 1700000000,
                            .asked = 1};
}

static void store(dq_cache *cache, unsigned n, const char *label)
{
    dq_error e = DQ_ERROR_NONE;
    dq_cache_entry entry = entry_of(n, label);
    assert_int_equal(dq_cache_store(cache, &entry, 1, &e), DQ_OK);
}

/* The state of one key after an attempt to claim it. */
static dq_cache_state claim(dq_cache *cache, unsigned n, int again)
{
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_cache_key key = key_of(n);
    dq_cache_entry entry;
    dq_cache_state state;
    if (dq_cache_claim(cache, &key, &again, 1, &arena, &entry, &state, &e)) fail_msg("%s", e.reason);
    dq_arena_free(&arena);
    return state;
}

static dq_cache_state find(dq_cache *cache, unsigned n)
{
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_cache_key key = key_of(n);
    dq_cache_entry entry;
    dq_cache_state state;
    if (dq_cache_find(cache, &key, 1, true, &arena, &entry, &state, &e)) fail_msg("%s", e.reason);
    dq_arena_free(&arena);
    return state;
}

/* SQL on the file, behind the cache's back; the first column of the last row is the answer. */
static int64_t sql(const char *text)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    int64_t answer = 0;
    const char *rest = text;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    (void)sqlite3_busy_timeout(db, 5000);
    while (*rest) {
        if (sqlite3_prepare_v2(db, rest, -1, &statement, &rest)) fail_msg("%s", sqlite3_errmsg(db));
        int code;
        while ((code = sqlite3_step(statement)) == SQLITE_ROW) answer = sqlite3_column_int64(statement, 0);
        if (code != SQLITE_DONE) fail_msg("%s", sqlite3_errmsg(db));
        sqlite3_finalize(statement);
    }
    sqlite3_close(db);
    return answer;
}

static void put_file(const void *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    assert_int_equal(close(fd), 0);
}

/* ---- the file ---- */

static void test_a_new_file_is_ours_alone(void **state)
{
    (void)state;
    struct stat about;
    mode_t mask = umask(0);
    dq_cache *cache = open_cache(false);
    store(cache, 1, "APPLY");
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    assert_int_equal(stat(journal, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    umask(mask);
    dq_cache_close(cache);
    assert_int_equal(sql("PRAGMA application_id"), 0x64716361);
    assert_int_equal(sql("PRAGMA user_version"), DQ_CACHE_SCHEMA);
}

/* Names that mean something else to SQLite. */
static void test_names(void **state)
{
    (void)state;
    static const char *const names[] = {":memory:", "file:x?mode=memory", "a b.db"};
    char before[256], file[128];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        dq_error e = DQ_ERROR_NONE;
        dq_cache *cache;
        assert_int_equal(dq_cache_open(&cache, names[i], false, &e), DQ_OK);
        dq_cache_close(cache);
        assert_int_equal(unlink(names[i]), 0);
        (void)snprintf(file, sizeof file, "%s-journal", names[i]);
        (void)unlink(file);
    }
    dq_error e = DQ_ERROR_NONE;
    dq_cache *cache;
    assert_int_not_equal(dq_cache_open(&cache, "", false, &e), DQ_OK);
    assert_int_equal(chdir(before), 0);
}

static void test_files_that_are_none(void **state)
{
    (void)state;
    refuses(true, DQ_ERR_IO, "cannot open the cache: No such file or directory");
    put_file("", 0);
    refuses(true, DQ_ERR_FORMAT, "not a cache: an empty file");
    put_file("a text, and long enough to have a header of a hundred bytes, or what would be one if it were "
             "any such thing, which it is not",
             120);
    refuses(false, DQ_ERR_FORMAT, "not a cache: not an SQLite file");
    refuses(true, DQ_ERR_FORMAT, "not a cache: not an SQLite file");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    refuses(false, DQ_ERR_FORMAT, "not a cache: not a regular file");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    refuses(true, DQ_ERR_FORMAT, "not a cache: not a regular file");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("nowhere", path), 0);
    refuses(false, DQ_ERR_IO, "cannot open the cache: No such file or directory");
}

static void test_files_of_others_stay_as_they_are(void **state)
{
    (void)state;
    (void)sql("CREATE TABLE t(x); PRAGMA journal_mode = WAL");
    refuses(false, DQ_ERR_FORMAT, "not a cache: an SQLite file of another application");
    assert_int_equal(sql("SELECT count(*) FROM sqlite_schema"), 1);
    assert_int_equal(sql("SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
    (void)sql("PRAGMA journal_mode = DELETE; DROP TABLE t; PRAGMA application_id = 7");
    refuses(false, DQ_ERR_FORMAT, "not a cache: an SQLite file of another application");
}

static void test_versions(void **state)
{
    (void)state;
    dq_cache_close(open_cache(false));
    (void)sql("PRAGMA user_version = 2");
    refuses(false, DQ_ERR_VERSION, "a cache of schema 2; this program knows 1");
    refuses(true, DQ_ERR_VERSION, "a cache of schema 2; this program knows 1");
    (void)sql("PRAGMA user_version = 0");
    refuses(false, DQ_ERR_FORMAT, "not a cache: no schema has the number 0");
}

/* An empty file, as mktemp makes, becomes a cache; so does one that somebody set to WAL. */
static void test_modes_are_set(void **state)
{
    (void)state;
    put_file("", 0);
    dq_cache_close(open_cache(false));
    (void)sql("PRAGMA journal_mode = WAL");
    dq_cache *cache = open_cache(false);
    store(cache, 1, "APPLY");
    dq_cache_close(cache);
    assert_int_equal(sql("SELECT journal_mode = 'delete' FROM pragma_journal_mode"), 1);
    assert_int_equal(sql("SELECT count(*) FROM answers"), 1);
}

static void test_a_damaged_file(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_cache *cache = open_cache(false);
    for (unsigned n = 0; n < 200; n++) store(cache, n, "APPLY");
    dq_cache_close(cache);
    int fd = open(path, O_WRONLY);
    for (int page = 1; page < 12; page++)
        assert_int_equal(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, page * 8192), 8);
    assert_int_equal(close(fd), 0);
    cache = open_cache(true);
    dq_cache_key key = key_of(7);
    dq_cache_entry entry;
    dq_cache_state found;
    dq_arena arena = DQ_ARENA_EMPTY;
    assert_int_equal(dq_cache_find(cache, &key, 1, true, &arena, &entry, &found, &e), DQ_ERR_FORMAT);
    assert_non_null(strstr(e.reason, "damaged"));
    assert_string_equal(e.source, path);
    dq_arena_free(&arena);
    dq_cache_close(cache);
}

/* The disk is full (a limit on the file's size says the same): nothing is stored, nothing is harmed, and the
 * handle works when there is room again. */
static void test_a_full_disk(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    struct stat about;
    dq_cache *cache = open_cache(false);
    store(cache, 1, "APPLY");
    assert_int_equal(claim(cache, 2, 0), DQ_CACHE_MINE);
    assert_int_equal(stat(path, &about), 0);
    struct rlimit before, small = {.rlim_cur = (rlim_t)about.st_size};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    char *big = calloc(1, 1 << 20);
    assert_non_null(big);
    memset(big, 'x', 1 << 20);
    dq_cache_entry entries[2] = {entry_of(2, "SAVE"), entry_of(3, "SAVE")};
    entries[1].answer = big;
    entries[1].answer_bytes = 1 << 20;
    dq_status status = dq_cache_store(cache, entries, 2, &e);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, handler);
    assert_int_equal(status, DQ_ERR_IO);
    if (e.sys != EFBIG) fail_msg("%s", e.reason);
    assert_string_equal(e.source, path);
    assert_int_equal(find(cache, 2), DQ_CACHE_NONE);
    assert_int_equal(claim(cache, 2, 0), DQ_CACHE_THEIRS); /* still ours */
    assert_int_equal(dq_cache_store(cache, entries, 2, &e), DQ_OK);
    assert_int_equal(find(cache, 3), DQ_CACHE_HAVE);
    free(big);
    dq_cache_close(cache);
    assert_int_equal(sql("SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
    assert_int_equal(sql("SELECT answered FROM ledger"), 3);
}

/* Runs body in a child that is nobody, so that permissions count for root too; its exit status. */
static int as_nobody(int (*body)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        if (getuid() == 0 && setuid(65534) != 0) _exit(99);
        _exit(body());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

static int reads_one(void)
{
    dq_error e = DQ_ERROR_NONE;
    dq_cache *cache;
    if (dq_cache_open(&cache, path, true, &e)) return 1;
    int answer = find(cache, 1) == DQ_CACHE_HAVE ? 0 : 2;
    if (claim(cache, 2, 0) != DQ_CACHE_NONE) answer = 3;
    dq_cache_close(cache);
    return answer;
}

static int cannot_write(void)
{
    dq_error e = DQ_ERROR_NONE;
    dq_cache *cache;
    if (dq_cache_open(&cache, path, false, &e) != DQ_ERR_IO || cache) return 1;
    return strcmp(e.reason, "cannot write the cache: Permission denied") != 0 ? 2 : 0;
}

static int cannot_make(void)
{
    dq_error e = DQ_ERROR_NONE;
    dq_cache *cache;
    if (dq_cache_open(&cache, path, false, &e) != DQ_ERR_IO || cache) return 1;
    return strcmp(e.reason, "cannot make the cache: Permission denied") != 0 ? 2 : 0;
}

static int says_interrupted(void)
{
    dq_error e = DQ_ERROR_NONE;
    dq_cache *cache;
    if (dq_cache_open(&cache, path, true, &e) != DQ_ERR_IO) return 1;
    return strstr(e.reason, "a write to it was interrupted") ? 0 : 2;
}

static void test_reading_without_write_access(void **state)
{
    (void)state;
    dq_cache *cache = open_cache(false);
    store(cache, 1, "APPLY");
    dq_cache_close(cache);
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(chmod(folder, 0555), 0);
    assert_int_equal(as_nobody(reads_one), 0);
    assert_int_equal(as_nobody(cannot_write), 0);
    assert_int_equal(chmod(folder, 0755), 0);
    (void)unlink(path);
    (void)unlink(journal);
    assert_int_equal(as_nobody(cannot_make), 0);
}

static void test_read_only_writes_nothing(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    uint64_t granted;
    dq_cache_key key = key_of(2);
    dq_cache_entry entry = entry_of(2, "SAVE");
    dq_cache *cache = open_cache(false);
    store(cache, 1, "APPLY");
    dq_cache_close(cache);
    cache = open_cache(true);
    assert_int_equal(find(cache, 1), DQ_CACHE_HAVE);
    assert_int_equal(claim(cache, 1, 0), DQ_CACHE_HAVE);
    assert_int_equal(claim(cache, 2, 0), DQ_CACHE_NONE);
    assert_int_equal(dq_cache_store(cache, &entry, 1, &e), DQ_ERR_UNSUPPORTED);
    assert_string_equal(e.reason, "the cache was opened for reading only");
    assert_string_equal(e.source, path);
    assert_int_equal(dq_cache_release(cache, &key, 1, &e), DQ_ERR_UNSUPPORTED);
    assert_int_equal(dq_cache_renew(cache, &e), DQ_ERR_UNSUPPORTED);
    assert_int_equal(dq_cache_spend(cache, "m", NULL, 1, &granted, &e), DQ_ERR_UNSUPPORTED);
    assert_int_equal(dq_cache_unspend(cache, "m", 1, &e), DQ_ERR_UNSUPPORTED);
    assert_int_equal(dq_cache_count(cache, "m", 0, 0, 1, &e), DQ_ERR_UNSUPPORTED);
    assert_int_equal(dq_cache_remember(cache, "a", "b", "c", &e), DQ_ERR_UNSUPPORTED);
    dq_cache_close(cache);
}

/* Leaves the file in the middle of a write, as a killed process does: pages are on the disk, and the journal
 * that undoes them. */
static void interrupt_a_write(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        sqlite3 *db;
        if (sqlite3_open(path, &db)) _exit(1);
        if (sqlite3_exec(db,
                         "PRAGMA cache_size = 2; BEGIN IMMEDIATE; UPDATE answers SET label = 'LOST';"
                         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)"
                         " INSERT INTO facts SELECT i, '', printf('%.9000c', 'x') FROM n",
                         NULL, NULL, NULL))
            _exit(2);
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    struct stat about;
    assert_int_equal(stat(journal, &about), 0);
    assert_true(about.st_size > 0);
}

static void test_an_interrupted_write_is_undone(void **state)
{
    (void)state;
    dq_cache *cache = open_cache(false);
    for (unsigned n = 0; n < 50; n++) store(cache, n, "APPLY");
    dq_cache_close(cache);
    interrupt_a_write();
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(chmod(journal, 0444), 0);
    assert_int_equal(chmod(folder, 0555), 0);
    assert_int_equal(as_nobody(says_interrupted), 0);
    assert_int_equal(chmod(folder, 0700), 0);
    assert_int_equal(chmod(path, 0600), 0);
    cache = open_cache(true); /* may write, and so may undo */
    assert_int_equal(find(cache, 1), DQ_CACHE_HAVE);
    dq_cache_close(cache);
    assert_int_equal(sql("SELECT count(*) FROM answers WHERE label = 'LOST'"), 0);
    assert_int_equal(sql("SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
}

static void test_another_holds_the_lock(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    sqlite3 *db;
    dq_cache *cache = open_cache(false);
    dq_cache_entry entry = entry_of(1, "SAVE");
    dq_cache_tune(cache, &(dq_cache_tuning){.busy = 0.01});
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(dq_cache_store(cache, &entry, 1, &e), DQ_ERR_IO);
    assert_string_equal(e.reason, "another process has kept it locked for 0.01 seconds");
    assert_int_equal(find(cache, 1), DQ_CACHE_NONE); /* reading goes on */
    assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(dq_cache_store(cache, &entry, 1, &e), DQ_OK);
    /* a reader in our way at the very end */
    assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT count(*) FROM answers", NULL, NULL, NULL), SQLITE_OK);
    entry = entry_of(2, "SAVE");
    assert_int_equal(dq_cache_store(cache, &entry, 1, &e), DQ_ERR_IO);
    sqlite3_close(db);
    assert_int_equal(dq_cache_store(cache, &entry, 1, &e), DQ_OK);
    assert_int_equal(sql("SELECT answered FROM ledger"), 2);
    dq_cache_close(cache);
}

static void test_a_fork_leaves_it_alone(void **state)
{
    (void)state;
    int status;
    dq_cache *cache = open_cache(false);
    assert_int_equal(claim(cache, 1, 0), DQ_CACHE_MINE);
    pid_t child = fork();
    if (child == 0) {
        dq_error e = DQ_ERROR_NONE;
        dq_cache_key key = key_of(1);
        bool well = dq_cache_release(cache, &key, 1, &e) == DQ_ERR_UNSUPPORTED &&
                    strcmp(e.reason, "the cache was opened before a fork") == 0;
        dq_cache_close(cache);
        _exit(well ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(sql("SELECT count(*) FROM claims"), 1);
    store(cache, 1, "APPLY");
    dq_cache_close(cache);
    assert_int_equal(sql("SELECT count(*) FROM owners"), 0);
}

/* ---- questions and answers ---- */

static void test_what_is_stored_comes_back(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_cache *cache = open_cache(false);
    dq_cache_entry entries[3] = {entry_of(1, "APPLY"), entry_of(2, NULL), entry_of(3, "")}, got[4];
    entries[1].answer = "\0\xff<html>";
    entries[1].answer_bytes = 8;
    entries[1].tokens_in = entries[1].tokens_out = -1;
    entries[2].tokens_out = 0;
    entries[2].answer_bytes = 0;
    entries[2].reader = UINT32_MAX;
    assert_int_equal(dq_cache_store(cache, entries, 3, &e), DQ_OK);
    dq_cache_close(cache);

    cache = open_cache(true);
    dq_cache_key keys[4] = {key_of(1), key_of(2), key_of(9), key_of(3)};
    dq_cache_state states[4];
    assert_int_equal(dq_cache_find(cache, keys, 4, true, &arena, got, states, &e), DQ_OK);
    assert_int_equal(states[0], DQ_CACHE_HAVE);
    assert_int_equal(states[2], DQ_CACHE_NONE);
    assert_string_equal(got[0].label, "APPLY");
    assert_string_equal(got[0].model, "m");
    assert_string_equal(got[0].server, "127.0.0.1:80");
    assert_string_equal(got[0].request, "{\"n\":1}");
    assert_int_equal(got[0].request_bytes, 7);
    assert_int_equal(got[0].reader, 3);
    assert_int_equal(got[0].tokens_in, 100);
    assert_int_equal(got[0].time, 1700000000);
    assert_int_equal(got[0].asked, 1);
    assert_true(got[0].seconds == 0.5 && got[0].cost == 0.25);
    assert_memory_equal(&got[0].key, &keys[0], sizeof keys[0]);
    assert_null(got[1].label);
    assert_int_equal(got[1].answer_bytes, 8);
    assert_memory_equal(got[1].answer, "\0\xff<html>", 8);
    assert_int_equal(got[1].tokens_in, -1);
    assert_int_equal(got[1].tokens_out, -1);
    assert_string_equal(got[3].label, "");
    assert_int_equal(got[3].answer_bytes, 0);
    assert_int_equal(got[3].tokens_out, 0);
    assert_int_equal(got[3].reader, UINT32_MAX);

    assert_int_equal(dq_cache_find(cache, keys, 4, false, &arena, got, states, &e), DQ_OK);
    assert_string_equal(got[0].label, "APPLY");
    assert_null(got[0].answer);
    assert_null(got[0].request);
    assert_int_equal(got[0].request_bytes, 0);
    assert_int_equal(dq_cache_find(cache, keys, 0, true, &arena, got, states, &e), DQ_OK);
    dq_cache_close(cache);
    dq_arena_free(&arena);
}

static void test_a_later_answer_replaces(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_cache *cache = open_cache(false);
    store(cache, 1, NULL);
    dq_cache_entry entry = entry_of(1, "SAVE");
    entry.asked = 2;
    assert_int_equal(dq_cache_store(cache, &entry, 1, &e), DQ_OK);
    dq_cache_close(cache);
    assert_int_equal(sql("SELECT count(*) FROM answers"), 1);
    assert_int_equal(sql("SELECT asked FROM answers WHERE label = 'SAVE'"), 2);
    assert_int_equal(sql("SELECT answered * 10 + unreadable FROM ledger"), 21);
}

/* All of a group or none of it. */
static void test_a_group_is_one_transaction(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_cache *cache = open_cache(false);
    dq_cache_entry entries[2] = {entry_of(1, "SAVE"), entry_of(2, "SAVE")};
    entries[1].server = NULL;
    assert_int_equal(dq_cache_store(cache, entries, 2, &e), DQ_ERR_RANGE);
    assert_string_equal(e.reason, "NOT NULL constraint failed: answers.server");
    assert_int_equal(find(cache, 1), DQ_CACHE_NONE);
    entries[1] = entry_of(2, "SAVE");
    entries[1].model = NULL;
    e = DQ_ERROR_NONE;
    assert_int_equal(dq_cache_store(cache, entries, 2, &e), DQ_ERR_RANGE);
    store(cache, 1, "APPLY");
    dq_cache_close(cache);
}

static void test_facts(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    const char *value;
    dq_cache *cache = open_cache(false);
    assert_int_equal(dq_cache_fact(cache, "h:1 m", "response_format", &arena, &value, &e), DQ_OK);
    assert_null(value);
    assert_int_equal(dq_cache_remember(cache, "h:1 m", "response_format", "no", &e), DQ_OK);
    assert_int_equal(dq_cache_remember(cache, "h:1 m", "response_format", "yes", &e), DQ_OK);
    assert_int_equal(dq_cache_fact(cache, "h:1 m", "response_format", &arena, &value, &e), DQ_OK);
    assert_string_equal(value, "yes");
    assert_int_equal(dq_cache_fact(cache, "h:2 m", "response_format", &arena, &value, &e), DQ_OK);
    assert_null(value);
    dq_arena_free(&arena);
    dq_cache_close(cache);
}

/* ---- claims ---- */

static void test_one_asks(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_cache *a = open_cache(false), *b = open_cache(false);
    assert_int_equal(claim(a, 1, 0), DQ_CACHE_MINE);
    assert_int_equal(claim(a, 1, 0), DQ_CACHE_THEIRS); /* held already */
    assert_int_equal(claim(b, 1, 0), DQ_CACHE_THEIRS);
    assert_int_equal(claim(b, 2, 0), DQ_CACHE_MINE);
    store(a, 1, "APPLY");
    assert_int_equal(claim(b, 1, 0), DQ_CACHE_HAVE);
    dq_cache_key key = key_of(2);
    assert_int_equal(dq_cache_release(a, &key, 1, &e), DQ_OK); /* not a's to release */
    assert_int_equal(claim(a, 2, 0), DQ_CACHE_THEIRS);
    assert_int_equal(dq_cache_release(b, &key, 1, &e), DQ_OK);
    assert_int_equal(claim(a, 2, 0), DQ_CACHE_MINE);
    dq_cache_close(a);
    assert_int_equal(claim(b, 2, 0), DQ_CACHE_MINE);
    dq_cache_close(b);
    assert_int_equal(sql("SELECT count(*) FROM claims"), 0);
    assert_int_equal(sql("SELECT count(*) FROM owners"), 0);
}

static void test_a_group_of_claims(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_cache *a = open_cache(false), *b = open_cache(false);
    dq_cache_key keys[5] = {key_of(1), key_of(2), key_of(3), key_of(2), key_of(4)};
    dq_cache_entry entries[5];
    dq_cache_state states[5];
    store(a, 1, "APPLY");
    assert_int_equal(claim(b, 3, 0), DQ_CACHE_MINE);
    assert_int_equal(dq_cache_claim(a, keys, NULL, 5, &arena, entries, states, &e), DQ_OK);
    const dq_cache_state expected[5] = {DQ_CACHE_HAVE, DQ_CACHE_MINE, DQ_CACHE_THEIRS, DQ_CACHE_THEIRS,
                                        DQ_CACHE_MINE};
    assert_memory_equal(states, expected, sizeof expected);
    assert_string_equal(entries[0].answer, "{\"a\":2}");
    dq_cache_close(a);
    dq_cache_close(b);
    dq_arena_free(&arena);
}

static void test_again(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_cache *a = open_cache(false), *b = open_cache(false);
    store(a, 1, NULL);
    assert_int_equal(claim(a, 1, 0), DQ_CACHE_HAVE);
    assert_int_equal(claim(a, 1, 1), DQ_CACHE_HAVE);
    assert_int_equal(claim(a, 1, 2), DQ_CACHE_MINE);
    assert_int_equal(claim(b, 1, 2), DQ_CACHE_THEIRS);
    assert_int_equal(claim(b, 1, 0), DQ_CACHE_HAVE); /* who does not mind takes what is there */
    dq_cache_entry entry = entry_of(1, NULL);
    entry.asked = 2;
    assert_int_equal(dq_cache_store(a, &entry, 1, &e), DQ_OK);
    assert_int_equal(claim(b, 1, 2), DQ_CACHE_HAVE);
    assert_int_equal(claim(b, 1, DQ_CACHE_ALWAYS), DQ_CACHE_MINE);
    dq_cache_close(a);
    dq_cache_close(b);
}

/* Waiting for another's answer writes nothing. */
static void test_looking_again_does_not_write(void **state)
{
    (void)state;
    dq_cache *a = open_cache(false), *b = open_cache(false);
    assert_int_equal(claim(a, 1, 0), DQ_CACHE_MINE);
    assert_int_equal(claim(b, 2, 0), DQ_CACHE_MINE);
    char header[2][28];
    for (int i = 0; i < 2; i++) {
        int fd = open(path, O_RDONLY);
        assert_int_equal(read(fd, header[i], sizeof header[i]), sizeof header[i]); /* bytes 24..27: changes */
        assert_int_equal(close(fd), 0);
        for (int n = 0; n < 3; n++) assert_int_equal(claim(b, 1, 0), DQ_CACHE_THEIRS);
    }
    assert_memory_equal(header[0], header[1], sizeof header[0]);
    dq_cache_close(a);
    dq_cache_close(b);
}

static void test_a_lease_ends(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_cache *a = open_cache(false), *b = open_cache(false);
    dq_cache_tuning tuning = {.now = test_clock, .busy = 5};
    dq_cache_tune(a, &tuning);
    dq_cache_tune(b, &tuning);
    clock_now = 1000;
    assert_int_equal(claim(a, 1, 0), DQ_CACHE_MINE);
    assert_int_equal(claim(a, 2, 0), DQ_CACHE_MINE);
    clock_now += DQ_CACHE_LEASE - 1;
    assert_int_equal(claim(b, 1, 0), DQ_CACHE_THEIRS);
    assert_int_equal(dq_cache_renew(a, &e), DQ_OK);
    clock_now += DQ_CACHE_LEASE - 1;
    assert_int_equal(claim(b, 1, 0), DQ_CACHE_THEIRS);
    clock_now += 1;
    assert_int_equal(claim(b, 1, 0), DQ_CACHE_MINE); /* a slept too long */
    assert_int_equal(dq_cache_renew(a, &e), DQ_OK);  /* and wakes: what nobody took is his still */
    assert_int_equal(claim(b, 2, 0), DQ_CACHE_THEIRS);
    assert_int_equal(claim(a, 1, 0), DQ_CACHE_THEIRS);
    store(a, 1, "APPLY"); /* late, and welcome */
    assert_int_equal(claim(b, 1, 0), DQ_CACHE_HAVE);
    clock_now -= 3600; /* the clock was wrong: a's lease ends in an hour, which nobody waits for */
    assert_int_equal(claim(b, 2, 0), DQ_CACHE_MINE);
    dq_cache_close(a);
    dq_cache_close(b);
}

/* Rewrites the owner of key 1 as another process would have written it. */
static void disguise(const char *assignment)
{
    char text[256];
    (void)snprintf(text, sizeof text, "UPDATE owners SET %s WHERE id = (SELECT owner FROM claims)",
                   assignment);
    (void)sql(text);
}

static void test_owners_elsewhere_and_before(void **state)
{
    (void)state;
    static const struct {
        const char *assignment;
        dq_cache_state expected;
    } cases[] = {
        {"host = host", DQ_CACHE_THEIRS},                   /* we live */
        {"started = started - 1", DQ_CACHE_MINE},           /* our pid, and another start: it came back */
        {"boot = 'another'", DQ_CACHE_MINE},                /* the machine began anew */
        {"host = 'another', started = 1", DQ_CACHE_THEIRS}, /* nothing is known of other machines */
        {"host = 'another', boot = 'x', pid = 999999999", DQ_CACHE_THEIRS},
        {"space = 1, started = 1", DQ_CACHE_THEIRS}, /* nor of other containers */
        {"space = 1, boot = 'another'", DQ_CACHE_MINE},
        {"pid = 999999999", DQ_CACHE_MINE},
        {"pid = -1", DQ_CACHE_MINE}, /* never a signal to everybody */
        {"pid = 0", DQ_CACHE_MINE},
        {"started = 0", DQ_CACHE_THEIRS}, /* it could not tell; the pid lives */
        {"host = 'another', until = until - 31", DQ_CACHE_MINE},
        {"host = 'another', until = until - 100000", DQ_CACHE_MINE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dq_cache *a = open_cache(false), *b = open_cache(false);
        assert_int_equal(claim(a, 1, 0), DQ_CACHE_MINE);
        disguise(cases[i].assignment);
        if (claim(b, 1, 0) != cases[i].expected) fail_msg("%s", cases[i].assignment);
        dq_cache_close(a);
        dq_cache_close(b);
        (void)sql("DELETE FROM claims; DELETE FROM owners");
    }
}

/* A child that holds a claim and a request in flight, and waits to be killed. */
static pid_t start_claimer(void)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        dq_error e = DQ_ERROR_NONE;
        uint64_t granted;
        dq_cache *cache = open_cache(false);
        bool well = claim(cache, 1, 0) == DQ_CACHE_MINE &&
                    dq_cache_spend(cache, "m", NULL, 2, &granted, &e) == DQ_OK;
        if (write(ready[1], well ? "y" : "n", 1) != 1) _exit(1);
        for (;;) pause();
    }
    assert_int_equal(close(ready[1]), 0);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    assert_int_equal(close(ready[0]), 0);
    return child;
}

static void test_the_dead_hold_nothing(void **state)
{
    (void)state;
    int status;
    dq_cache *cache = open_cache(false);
    pid_t child = start_claimer();
    assert_int_equal(claim(cache, 1, 0), DQ_CACHE_THEIRS);
    assert_int_equal(kill(child, SIGKILL), 0);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(claim(cache, 1, 0), DQ_CACHE_MINE); /* a zombie is dead, waited for or not */
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(sql("SELECT lost FROM ledger"), 2);
    assert_int_equal(sql("SELECT count(*) FROM owners"), 1);
    assert_int_equal(sql("SELECT count(*) FROM flights"), 0);
    dq_cache_close(cache);
}

/* The next that asks anything clears away who died, though nobody wants his keys. */
static void test_the_dead_are_cleared_away(void **state)
{
    (void)state;
    int status;
    for (int i = 0; i < 3; i++) {
        pid_t child = start_claimer();
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
    }
    dq_cache *cache = open_cache(false);
    assert_int_equal(claim(cache, 7, 0), DQ_CACHE_MINE);
    assert_int_equal(sql("SELECT count(*) FROM owners"), 1);
    assert_int_equal(sql("SELECT lost FROM ledger"), 6);
    assert_int_equal(sql("SELECT count(*) FROM claims"), 1);
    dq_cache_close(cache);
}

/* A transaction that failed after it took a number for us: that number may be another's. */
static void test_an_undone_owner_is_forgotten(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    uint64_t granted;
    dq_cache *a = open_cache(false), *b = open_cache(false);
    assert_int_equal(dq_cache_spend(a, NULL, NULL, 1, &granted, &e), DQ_ERR_RANGE); /* a model is needed */
    assert_int_equal(granted, 0);
    assert_int_equal(claim(b, 1, 0), DQ_CACHE_MINE);
    assert_int_equal(claim(a, 1, 0), DQ_CACHE_THEIRS);
    dq_cache_close(a);
    assert_int_equal(sql("SELECT count(*) FROM claims"), 1);
    dq_cache_close(b);
}

/* ---- spending ---- */

static dq_cache_ledger sums(dq_cache *cache, size_t at, size_t expected)
{
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_cache_ledger *rows;
    size_t count;
    assert_int_equal(dq_cache_sums(cache, &arena, &rows, &count, &e), DQ_OK);
    assert_int_equal(count, expected);
    dq_cache_ledger row = expected ? rows[at] : (dq_cache_ledger){0};
    row.model = NULL;
    dq_arena_free(&arena);
    return row;
}

static void test_the_ledger(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    uint64_t granted;
    dq_cache *cache = open_cache(false);
    (void)sums(cache, 0, 0);
    assert_int_equal(dq_cache_spend(cache, "m", NULL, 6, &granted, &e), DQ_OK);
    assert_int_equal(granted, 6);
    dq_cache_entry entries[4] = {entry_of(1, "SAVE"), entry_of(2, NULL), entry_of(3, "x"), entry_of(4, "y")};
    entries[1].tokens_in = entries[1].tokens_out = -1;
    entries[2].model = "a";
    entries[3].model = "a";
    entries[3].shared = true;
    assert_int_equal(dq_cache_store(cache, entries, 4, &e), DQ_OK);
    assert_int_equal(dq_cache_count(cache, "m", 1, 2, 30, &e), DQ_OK);
    assert_int_equal(dq_cache_unspend(cache, "m", 1, &e), DQ_OK);
    dq_cache_ledger a = sums(cache, 0, 2), m = sums(cache, 1, 2);
    assert_int_equal(a.answered, 1);
    assert_int_equal(a.entries, 2);
    assert_int_equal(a.tokens_in, 200);
    assert_int_equal(m.calls, 5);
    assert_int_equal(m.answered, 2);
    assert_int_equal(m.failed, 1);
    assert_int_equal(m.lost, 2);
    assert_int_equal(m.unreadable, 1);
    assert_int_equal(m.hits, 30);
    assert_int_equal(m.entries, 2);
    assert_int_equal(m.tokens_in, 100);
    assert_int_equal(m.tokens_out, 5);
    assert_true(m.cost == 0.5 && m.seconds == 1.0);
    assert_int_equal(sql("SELECT calls FROM flights"), 0);
    assert_int_equal(dq_cache_spend(cache, "m", NULL, 3, &granted, &e), DQ_OK);
    dq_cache_close(cache); /* three in flight, and nobody left to wait for them */
    assert_int_equal(sql("SELECT calls - answered - failed - lost FROM ledger WHERE model = 'm'"), 0);
}

/* Models with answers and no sums (a merged cache), and with sums and no answers. */
static void test_sums_of_either(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_cache_ledger *rows;
    size_t count;
    dq_cache *cache = open_cache(false);
    store(cache, 1, "SAVE");
    (void)sql("DELETE FROM ledger");
    for (unsigned n = 0; n < 20; n++) {
        char model[8];
        (void)snprintf(model, sizeof model, "z%02u", n);
        assert_int_equal(dq_cache_count(cache, model, 0, 0, n + 1, &e), DQ_OK);
    }
    assert_int_equal(dq_cache_sums(cache, &arena, &rows, &count, &e), DQ_OK);
    assert_int_equal(count, 20); /* the last hits wait for a transaction */
    assert_int_equal(claim(cache, 2, 0), DQ_CACHE_MINE);
    assert_int_equal(dq_cache_sums(cache, &arena, &rows, &count, &e), DQ_OK);
    assert_int_equal(count, 21);
    assert_string_equal(rows[0].model, "m");
    assert_int_equal(rows[0].entries, 1);
    assert_int_equal(rows[0].calls, 0);
    assert_string_equal(rows[20].model, "z19");
    assert_int_equal(rows[20].hits, 20);
    dq_arena_free(&arena);
    dq_cache_close(cache);
}

static void stopped(dq_cache *cache, const dq_cache_budget *budget, const char *words)
{
    dq_error e = DQ_ERROR_NONE;
    uint64_t granted = 9;
    assert_int_equal(dq_cache_spend(cache, "m", budget, 1, &granted, &e), DQ_ERR_STOPPED);
    assert_int_equal(granted, 0);
    assert_string_equal(e.reason, words);
    assert_string_equal(e.source, path);
}

static void test_budgets(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    uint64_t granted;
    dq_cache_budget ten = {.requests = 10};
    dq_cache *a = open_cache(false), *b = open_cache(false);
    assert_int_equal(dq_cache_spend(a, "m", &ten, 6, &granted, &e), DQ_OK);
    assert_int_equal(granted, 6);
    assert_int_equal(dq_cache_spend(b, "other", &ten, 6, &granted, &e), DQ_OK);
    assert_int_equal(granted, 4);
    stopped(a, &ten, "the budget of 10 requests is spent");
    stopped(b, &ten, "the budget of 10 requests is spent");
    assert_int_equal(dq_cache_unspend(b, "other", 1, &e), DQ_OK);
    assert_int_equal(dq_cache_spend(a, "m", &ten, 6, &granted, &e), DQ_OK);
    assert_int_equal(granted, 1);
    assert_int_equal(dq_cache_spend(a, "m", NULL, 3, &granted, &e), DQ_OK); /* who has no limit only counts */
    assert_int_equal(granted, 3);
    store(a, 1, "SAVE");
    stopped(a, &(dq_cache_budget){.tokens = 105}, "the budget of 105 tokens is spent (105)");
    assert_int_equal(dq_cache_spend(a, "m", &(dq_cache_budget){.tokens = 106, .cost = 0.26}, 1, &granted, &e),
                     DQ_OK);
    stopped(a, &(dq_cache_budget){.cost = 0.25}, "the budget of 0.25 is spent (0.25)");
    dq_cache_close(a);
    dq_cache_close(b);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_new_file_is_ours_alone),
        TEST(test_names),
        TEST(test_files_that_are_none),
        TEST(test_files_of_others_stay_as_they_are),
        TEST(test_versions),
        TEST(test_modes_are_set),
        TEST(test_a_damaged_file),
        TEST(test_a_full_disk),
        TEST(test_reading_without_write_access),
        TEST(test_read_only_writes_nothing),
        TEST(test_an_interrupted_write_is_undone),
        TEST(test_another_holds_the_lock),
        TEST(test_a_fork_leaves_it_alone),
        TEST(test_what_is_stored_comes_back),
        TEST(test_a_later_answer_replaces),
        TEST(test_a_group_is_one_transaction),
        TEST(test_facts),
        TEST(test_one_asks),
        TEST(test_a_group_of_claims),
        TEST(test_again),
        TEST(test_looking_again_does_not_write),
        TEST(test_a_lease_ends),
        TEST(test_owners_elsewhere_and_before),
        TEST(test_the_dead_hold_nothing),
        TEST(test_the_dead_are_cleared_away),
        TEST(test_an_undone_owner_is_forgotten),
        TEST(test_the_ledger),
        TEST(test_sums_of_either),
        TEST(test_budgets),
    };
    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
