/* SPDX-License-Identifier: MIT
 *
 * The cache's file: made, recognised, refused; read without write access; full disks, interrupted writes,
 * locks and forks. Who may ask, and what was spent: test_cache_claims.c. Many processes at once, and kill -9
 * at any moment: tests/fault/cache.bats.
 */
#include "cache_file.h"

static void refuses(bool read_only, dq_status status, const char *words)
{
    dq_error e = DQ_ERROR_NONE;
    dq_cache *cache;
    assert_int_equal(dq_cache_open(&cache, path, read_only, &e), status);
    assert_null(cache);
    assert_string_equal(e.reason, words);
    assert_string_equal(e.source, path);
}

static void put_file(const void *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    assert_int_equal(close(fd), 0);
}

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
    };
    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
