/* SPDX-License-Identifier: MIT
 *
 * A cache on a server: its address, without one; and where DQ_CACHE_ADDRESS holds that of a server whose
 * schema dq_cache is ours (tests/cluster/postgres.bats), how a database is recognised, refused, read without
 * the right to write, waited for, lost and found again. What both databases share: test_cache_claims.c.
 */
#include "cache_file.h"

/* ---- addresses ---- */

static void test_what_is_an_address(void **state)
{
    (void)state;
    static const char *const addresses[] = {"postgresql://", "postgres://h/db",
                                            "postgresql://u@h:5432/db?x=y"};
    static const char *const files[] = {"",           "postgresql:",    "postgresql:/h", "./postgresql://h",
                                        "rewards.db", "Postgresql://h", "http://h/db"};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
        assert_true(dq_cache_is_address(addresses[i]));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) assert_false(dq_cache_is_address(files[i]));
}

static void test_addresses_hold_no_password(void **state)
{
    (void)state;
    static const char *const good[] = {"postgresql://",
                                       "postgresql://u@h/db",
                                       "postgresql://h:5432,[::1]:5433/db?user=me@corp",
                                       "postgresql://[2001:db8::1]/db",
                                       "postgresql:///db?host=/run/postgresql&passfile=p&sslmode=require",
                                       "rewards:a@b.db",
                                       "./mysql://h",
                                       "/caches/password=none/c.db"};
    static const char *const bad[] = {"postgresql://u:hush@h/db",
                                      "postgresql://u:@h/db",
                                      "postgresql://u:a/hush@h/db",
                                      "postgresql://u:a?hush@h/db",
                                      "postgresql://h/db?password=hush",
                                      "postgresql://h/db?x=y&password=hush",
                                      "postgresql://h/db?%70assword=hush",
                                      "postgresql://h?sslpassword=hush",
                                      "postgresql://h?ssl_client_secret=hush",
                                      "postgresql://u:hush",
                                      "postgresql://u:5hush/db",
                                      "postgresql://h/db?hush",
                                      "postgresql://h/db?x=y&hush",
                                      "Postgresql://u:hush@h/db",
                                      "postgresql+psycopg2://u:hush@h/db",
                                      "host=h password=hush dbname=d",
                                      "dbname=d PASSWORD = 'hush'"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        dq_error e = DQ_ERROR_NONE;
        if (dq_cache_check_address(good[i], &e)) fail_msg("%s: %s", good[i], e.reason);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        dq_error e = DQ_ERROR_NONE;
        dq_cache *cache;
        if (dq_cache_check_address(bad[i], &e) != DQ_ERR_RANGE) fail_msg("%s", bad[i]);
        assert_null(strstr(e.reason, "hush"));
        assert_true(strstr(e.reason, "may not hold a password") || i >= 9);
        e = DQ_ERROR_NONE;
        assert_int_equal(dq_cache_open(&cache, bad[i], false, &e), DQ_ERR_RANGE);
        assert_null(cache);
        assert_null(strstr(e.reason, "hush"));
        assert_null(strstr(e.source, "hush"));
    }
}

/* ---- a server ---- */

#define NEEDS_SERVER                                                                                         \
    if (!on_server()) skip()

static void refuses(bool read_only, dq_status status, const char *words)
{
    dq_error e = DQ_ERROR_NONE;
    dq_cache *cache;
    assert_int_equal(dq_cache_open(&cache, path, read_only, &e), status);
    assert_null(cache);
    assert_string_equal(e.reason, words);
    assert_string_equal(e.source, path);
}

static void test_databases_that_are_none(void **state)
{
    (void)state;
    NEEDS_SERVER;
    refuses(true, DQ_ERR_UNKNOWN, "not a cache: nobody has written to it yet");
    (void)sql("CREATE SCHEMA dq_cache; CREATE TABLE dq_cache.answers(x bigint)");
    refuses(true, DQ_ERR_FORMAT, "not a cache: the tables in its schema dq_cache are another application's");
    refuses(false, DQ_ERR_FORMAT, "not a cache: the tables in its schema dq_cache are another application's");
    (void)sql("DROP TABLE dq_cache.answers"); /* an empty schema, as an administrator makes one */
    dq_cache_close(open_cache(false));
    (void)sql("UPDATE about SET schema = 2");
    refuses(false, DQ_ERR_VERSION, "a cache of schema 2; this program knows 1");
    refuses(true, DQ_ERR_VERSION, "a cache of schema 2; this program knows 1");
    (void)sql("UPDATE about SET schema = 0");
    refuses(false, DQ_ERR_FORMAT, "not a cache: no schema has the number 0");
    (void)sql("DELETE FROM about");
    refuses(true, DQ_ERR_FORMAT, "not a cache: no schema has the number 0");
}

/* A password's own, and of a user who may read alone. */
static void test_reading_without_the_right_to_write(void **state)
{
    (void)state;
    NEEDS_SERVER;
    dq_error e = DQ_ERROR_NONE;
    dq_cache *cache = open_cache(false);
    store(cache, 1, "APPLY");
    dq_cache_close(cache);
    (void)sql(
        "DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN PASSWORD 'open-sesame';"
        "GRANT USAGE ON SCHEMA dq_cache TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA dq_cache TO reader");
    char address[sizeof path], *own = strdup(path);
    (void)snprintf(address, sizeof address, "postgresql://reader%s", strchr(path, '@'));
    (void)snprintf(path, sizeof path, "%s", address);
    cache = open_cache(true);
    assert_int_equal(find(cache, 1), DQ_CACHE_HAVE);
    assert_int_equal(claim(cache, 2, 0), DQ_CACHE_NONE);
    dq_cache_close(cache);
    dq_cache_entry entry = entry_of(2, "SAVE");
    dq_cache *none = NULL;
    if (!dq_cache_open(&none, path, false, &e)) /* an intact ledger asks for no write */
        assert_int_equal(dq_cache_store(none, &entry, 1, &e), DQ_ERR_IO);
    assert_string_equal(e.reason, "cannot use the cache: permission denied for table ledger");
    dq_cache_close(none);
    (void)snprintf(path, sizeof path, "%s", own);
    free(own);
    (void)sql("DROP OWNED BY reader; DROP ROLE reader");
}

static PGconn *other_session(const char *text)
{
    static const char *const names[] = {"options", "dbname", NULL};
    const char *const values[] = {"-csearch_path=dq_cache", path, NULL};
    PGconn *server = PQconnectdbParams(names, values, 1);
    PGresult *result = PQexec(server, text);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) fail_msg("%s", PQerrorMessage(server));
    PQclear(result);
    return server;
}

static void test_another_holds_the_lock(void **state)
{
    (void)state;
    NEEDS_SERVER;
    dq_error e = DQ_ERROR_NONE;
    dq_cache *cache = open_cache(false);
    dq_cache_entry entry = entry_of(1, "SAVE");
    dq_cache_tune(cache, &(dq_cache_tuning){.busy = 0.01});
    PGconn *other = other_session("BEGIN; LOCK TABLE ledger IN SHARE ROW EXCLUSIVE MODE");
    assert_int_equal(dq_cache_store(cache, &entry, 1, &e), DQ_ERR_IO);
    assert_string_equal(e.reason, "another process has kept it locked for 0.01 seconds");
    assert_int_equal(find(cache, 1), DQ_CACHE_NONE); /* reading goes on */
    PQfinish(other);
    e = DQ_ERROR_NONE;
    dq_cache_tune(cache, &(dq_cache_tuning){.busy = 60});
    assert_int_equal(dq_cache_store(cache, &entry, 1, &e), DQ_OK);
    assert_int_equal(sql("SELECT answered FROM ledger"), 1);
    dq_cache_close(cache);
}

static void lose_connections(int64_t count)
{
    assert_int_equal(
        sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'dq'"),
        count);
}

/* A connection that is lost between two calls stops nobody; claims are still ours. */
static void test_a_lost_connection(void **state)
{
    (void)state;
    NEEDS_SERVER;
    dq_cache *cache = open_cache(false), *reader = open_cache(true);
    assert_int_equal(claim(cache, 1, 0), DQ_CACHE_MINE);
    assert_int_equal(find(reader, 1), DQ_CACHE_NONE);
    lose_connections(2);
    store(cache, 1, "APPLY");
    assert_int_equal(find(reader, 1), DQ_CACHE_HAVE);
    dq_cache_close(reader);
    dq_cache_close(cache);
    assert_int_equal(sql("SELECT count(*) FROM claims"), 0);
    assert_int_equal(sql("SELECT count(*) FROM owners"), 0);
}

static dq_status hear(void *heard, const char *about, const char *name, const char *value, dq_error *error)
{
    (void)about;
    (void)name;
    (void)error;
    assert_string_equal(value, "yes");
    ++*(int *)heard;
    return DQ_OK;
}

/* So it is with every call that begins something. */
static void test_a_connection_lost_before_each_call(void **state)
{
    (void)state;
    NEEDS_SERVER;
    int heard = 0;
    size_t count = 0;
    const char *value = NULL;
    uint64_t granted = 0, taken = 0;
    dq_cache_ledger *rows;
    dq_cache_entry entries[DQ_CACHE_PAGE], more = entry_of(2, "SAVE");
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_cache *cache = open_cache(false);
    store(cache, 1, "APPLY");
#define AFTER_A_LOSS(call) (lose_connections(1), assert_int_equal(call, DQ_OK))
    AFTER_A_LOSS(dq_cache_remember(cache, "h:1 m", "form", "yes", &e));
    AFTER_A_LOSS(dq_cache_fact(cache, "h:1 m", "form", &arena, &value, &e));
    assert_string_equal(value, "yes");
    AFTER_A_LOSS(dq_cache_facts(cache, &arena, hear, &heard, &e));
    assert_int_equal(heard, 1);
    AFTER_A_LOSS(dq_cache_learn(cache, "h:1 m", "form", "no", &e));
    AFTER_A_LOSS(dq_cache_spend(cache, "m", NULL, 2, &granted, &e));
    AFTER_A_LOSS(dq_cache_unspend(cache, "m", 1, &e));
    AFTER_A_LOSS(dq_cache_count(cache, "m", 1, 0, 1, &e));
    AFTER_A_LOSS(dq_cache_sums(cache, &arena, &rows, &count, &e));
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].calls, 1);
    assert_int_equal(rows[0].answered, 1);
    assert_int_equal(rows[0].failed, 1);
    assert_int_equal(rows[0].hits, 1);
    AFTER_A_LOSS(dq_cache_merge(cache, &more, 1, &taken, &e));
    assert_int_equal(taken, 1);
    AFTER_A_LOSS(dq_cache_next(cache, NULL, &arena, entries, &count, &e));
    assert_int_equal(count, 2);
    AFTER_A_LOSS(dq_cache_renew(cache, &e));
    lose_connections(1);
    dq_cache_close(cache);
    assert_int_equal(sql("SELECT count(*) FROM owners"), 0);
    dq_arena_free(&arena);
}

/* What users and databases set does not change what is promised, nor what is read. */
static void test_strange_settings(void **state)
{
    (void)state;
    NEEDS_SERVER;
    (void)sql(
        "ALTER ROLE dq SET synchronous_commit = off; ALTER ROLE dq SET search_path = public;"
        "ALTER ROLE dq SET default_transaction_isolation = serializable; ALTER ROLE dq SET bytea_output = "
        "escape;"
        "ALTER ROLE dq SET default_transaction_read_only = off; ALTER ROLE dq SET client_encoding = latin1;"
        "ALTER ROLE dq SET extra_float_digits = -10; ALTER ROLE dq SET statement_timeout = 1000000");
    dq_cache *cache = open_cache(false);
    store(cache, 1, "\xc3\xa4");
    assert_int_equal(find(cache, 1), DQ_CACHE_HAVE);
    assert_int_equal(sql("SELECT count(*) FROM dq_cache.answers WHERE label = chr(228)"), 1);
    dq_cache_close(cache);
    (void)sql("ALTER ROLE dq RESET ALL");
}

static void test_a_fork_leaves_it_alone(void **state)
{
    (void)state;
    NEEDS_SERVER;
    int status;
    dq_cache *cache = open_cache(false);
    assert_int_equal(claim(cache, 1, 0), DQ_CACHE_MINE);
    pid_t child = fork();
    if (child == 0) {
        dq_error e = DQ_ERROR_NONE;
        dq_cache_key key = key_of(1);
        bool well = dq_cache_release(cache, &key, 1, &e) == DQ_ERR_UNSUPPORTED;
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
        TEST(test_what_is_an_address),
        TEST(test_addresses_hold_no_password),
        TEST(test_databases_that_are_none),
        TEST(test_reading_without_the_right_to_write),
        TEST(test_another_holds_the_lock),
        TEST(test_a_lost_connection),
        TEST(test_a_connection_lost_before_each_call),
        TEST(test_strange_settings),
        TEST(test_a_fork_leaves_it_alone),
    };
    return cmocka_run_group_tests_name("cache_server", tests, NULL, NULL);
}
