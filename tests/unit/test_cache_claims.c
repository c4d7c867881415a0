/* SPDX-License-Identifier: MIT
 *
 * What the cache keeps, who may ask, what was spent, and what the dead leave behind.
 */
#include "cache_file.h"

#include <math.h>

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
    assert_string_equal(e.reason, on_server()
                                      ? "null value in column \"server\" of relation \"answers\" violates "
                                        "not-null constraint"
                                      : "NOT NULL constraint failed: answers.server");
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

/* A number that each transaction that writes makes larger: a server's next, or bytes 24..27 of a file. */
static int64_t writes(void)
{
    unsigned char header[28];
    if (on_server()) return sql("SELECT pg_snapshot_xmax(pg_current_snapshot())");
    int fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, header, sizeof header), sizeof header);
    assert_int_equal(close(fd), 0);
    return (int64_t)header[24] << 24 | header[25] << 16 | header[26] << 8 | header[27];
}

/* Waiting for another's answer writes nothing. */
static void test_looking_again_does_not_write(void **state)
{
    (void)state;
    dq_cache *a = open_cache(false), *b = open_cache(false);
    assert_int_equal(claim(a, 1, 0), DQ_CACHE_MINE);
    assert_int_equal(claim(b, 2, 0), DQ_CACHE_MINE);
    int64_t before = writes();
    for (int n = 0; n < 6; n++) assert_int_equal(claim(b, 1, 0), DQ_CACHE_THEIRS);
    assert_int_equal(writes(), before);
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
    /* Among the machines that share a server a name may stand twice: another boot is another machine. */
    const dq_cache_state other_boot = on_server() ? DQ_CACHE_THEIRS : DQ_CACHE_MINE;
    const struct {
        const char *assignment;
        dq_cache_state expected;
    } cases[] = {
        {"host = host", DQ_CACHE_THEIRS},                   /* we live */
        {"started = started - 1", DQ_CACHE_MINE},           /* our pid, and another start: it came back */
        {"boot = 'another'", other_boot},                   /* the machine began anew */
        {"host = 'another', started = 1", DQ_CACHE_THEIRS}, /* nothing is known of other machines */
        {"host = 'another', boot = 'x', pid = 999999999", DQ_CACHE_THEIRS},
        {"space = 1, started = 1", DQ_CACHE_THEIRS}, /* nor of other containers */
        {"space = 1, boot = 'another'", other_boot},
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

static dq_status store_as_counted(dq_cache *cache, unsigned n, int64_t in, int64_t out, double cost,
                                  dq_error *e)
{
    dq_cache_entry entry = entry_of(n, "SAVE");
    entry.tokens_in = in;
    entry.tokens_out = out;
    entry.cost = cost;
    return dq_cache_store(cache, &entry, 1, e);
}

/* What a server says of tokens, and what a price makes of it, refuses no answer and no later request. */
static void test_no_number_refuses_an_answer(void **state)
{
    (void)state;
    static const int64_t tokens[] = {INT64_MAX, INT64_MAX - 1, 1LL << 62, 1LL << 53, INT64_MIN, -7, 0, 12};
    static const double costs[] = {(double)INFINITY, (double)NAN, -1, 1e308, 1e308, 0.5, 0, 1};
    dq_error e = DQ_ERROR_NONE;
    dq_cache *cache = open_cache(false);
    uint64_t granted;
    for (unsigned i = 0; i < 64; i++) {
        assert_int_equal(dq_cache_spend(cache, "m", NULL, 1, &granted, &e), DQ_OK);
        if (store_as_counted(cache, i, tokens[i % 8], tokens[i / 8], costs[i % 8], &e))
            fail_msg("%s", e.reason);
        assert_int_equal(find(cache, i), DQ_CACHE_HAVE);
    }
    stopped(cache, &(dq_cache_budget){.tokens = 5}, "the budget of 5 tokens is spent (64000000192)");
    dq_cache_close(cache);
    assert_int_equal(sql("SELECT answered FROM ledger"), 64);
    assert_int_equal(sql("SELECT tokens_in FROM ledger"), 32 * (int64_t)DQ_CACHE_TOKENS_MOST + 8 * 12);
    assert_int_equal(sql("SELECT max(tokens_in) FROM answers"), DQ_CACHE_TOKENS_MOST);
    assert_int_equal(sql("SELECT cost BETWEEN 1e299 AND 1e300 FROM ledger"), 1);
    assert_int_equal(sql("SELECT count(*) FROM answers WHERE NOT cost BETWEEN 0 AND 1e300"), 0);
}

/* Sums at the top of what is counted stay there. */
static void test_sums_stop(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_cache *cache = open_cache(false);
    store(cache, 1, "SAVE");
    (void)sql("UPDATE ledger SET tokens_in = 9007199254740991, answered = 9007199254740992, hits = "
              "9007199254740992");
    store(cache, 2, "SAVE");
    assert_int_equal(dq_cache_count(cache, "m", 0, 0, 5, &e), DQ_OK);
    dq_cache_close(cache);
    assert_int_equal(
        sql("SELECT tokens_in = 9007199254740992 AND answered = tokens_in AND hits = answered FROM ledger"),
        1);
}

/* A ledger that an earlier overflow has left: read as it can be, mended by who writes, and said. */
static void test_a_broken_ledger_is_mended(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_cache_ledger *rows;
    size_t count;
    dq_cache *cache = open_cache(false);
    for (unsigned i = 1; i <= 3; i++) store(cache, i, "SAVE");
    assert_int_equal(dq_cache_mended(cache), 0);
    dq_cache_close(cache);
    (void)sql("UPDATE answers SET tokens_in = 9223372036854775807, cost = 9.3e12 WHERE id = 2");
    (void)sql("UPDATE ledger SET tokens_in = 9223372036854775807");
    (void)sql(on_server() ? "UPDATE ledger SET cost = 'Infinity'" : "UPDATE ledger SET cost = 9e999");
    cache = open_cache(true);
    assert_int_equal(dq_cache_sums(cache, &arena, &rows, &count, &e), DQ_OK);
    assert_true(rows[0].broken && rows[0].tokens_in == 1ULL << 53);
    dq_cache_close(cache);
    cache = open_cache(false);
    assert_int_equal(dq_cache_mended(cache), 1);
    store(cache, 4, "SAVE");
    assert_int_equal(dq_cache_sums(cache, &arena, &rows, &count, &e), DQ_OK);
    assert_true(!rows[0].broken && rows[0].answered == 4);
    assert_int_equal(rows[0].tokens_in, DQ_CACHE_TOKENS_MOST + 300);
    assert_true(rows[0].cost > 0.5 && rows[0].cost < 2000);
    dq_cache_close(cache);
    cache = open_cache(false);
    assert_int_equal(dq_cache_mended(cache), 0);
    dq_cache_close(cache);
    dq_arena_free(&arena);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
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
        TEST(test_no_number_refuses_an_answer),
        TEST(test_sums_stop),
        TEST(test_a_broken_ledger_is_mended),
    };
    return cmocka_run_group_tests_name("cache_claims", tests, NULL, NULL);
}
