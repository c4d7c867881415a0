/* SPDX-License-Identifier: MIT */
#include "text_file.h"

#include "report/run_file.h"

#include "memory.h"

#include <math.h>
#include <string.h>
#include <sys/resource.h>

/* "query: document score ...;" of all lists, as they come. */
static const char *lists_by(bool ahead, dq_error *e)
{
    static char text[4096];
    size_t used = 0;
    dq_run_reader *reader;
    dq_run_list list;
    int got;
    text[0] = '\0';
    assert_int_equal(dq_run_reader_open(&reader, path, ahead, e), DQ_OK);
    while ((got = dq_run_reader_next(reader, &list, e)) > 0) {
        const dq_ranking *r = list.ranking;
        used += (size_t)snprintf(text + used, sizeof text - used, "%.*s:", (int)list.bytes, list.query);
        for (size_t i = 0; i < r->count; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, " %.*s %g", (int)r->places[i].bytes,
                                     r->ids + r->places[i].at, r->places[i].score);
        used += (size_t)snprintf(text + used, sizeof text - used, ";");
    }
    (void)snprintf(text + used, sizeof text - used, "%s %d", dq_run_reader_tag(reader), got);
    assert_int_equal(dq_run_reader_next(reader, &list, e), got); /* and so it stays */
    dq_run_reader_close(reader);
    return text;
}

/* With the thread and without it: the same. */
static const char *lists_of(dq_error *e)
{
    char before[4096];
    dq_error other = *e;
    (void)snprintf(before, sizeof before, "%s", lists_by(false, &other));
    assert_string_equal(lists_by(true, e), before);
    assert_true(e->status == other.status && e->record == other.record);
    return lists_by(true, &other);
}

static void lists_come_one_by_one(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    write_text("q1 Q0 a 1 0.5 first\nq1 Q0 b 2 0.25 first\n\nq2 Q0 a 1 -3 last\n");
    assert_string_equal(lists_of(&e), "q1: a 0.5 b 0.25;q2: a -3;last 0");
    write_text("q1 Q0 a 1 0.5 one");
    assert_string_equal(lists_of(&e), "q1: a 0.5;one 0");
    write_text("q Q0 a 1 1 x\nq1 Q0 a 1 1 x\nq11 Q0 a 1 1 a-longer-tag\n"); /* a query that begins another */
    assert_string_equal(lists_of(&e), "q: a 1;q1: a 1;q11: a 1;a-longer-tag 0");
}

static void a_query_that_comes_back_is_named(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    write_text("q1 Q0 a 1 3 t\nq2 Q0 a 1 2 t\nq1 Q0 b 2 1 t\n");
    assert_string_equal(lists_of(&e), "t -1");
    assert_int_equal(e.status, DQ_ERR_UNSUPPORTED);
    assert_int_equal(e.record, 3);
    assert_non_null(strstr(e.reason, "query q1 comes back"));
    assert_non_null(strstr(e.reason, "sort -s -k1,1"));
}

static void faults_have_their_line(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    write_text("q1 Q0 a 1 3 t\nq1 Q0 \xff 1 2 t\n");
    assert_string_equal(lists_of(&e), "t -1");
    assert_true(e.status == DQ_ERR_FORMAT && e.record == 2);
    e = DQ_ERROR_NONE;
    write_text("q1 Q0 a 1 3 t\n\xff Q0 a 1 2 t\n");
    assert_string_equal(lists_of(&e), "t -1");
    assert_true(e.status == DQ_ERR_FORMAT && e.record == 2);
    e = DQ_ERROR_NONE;
    write_text("\n\n");
    assert_string_equal(lists_of(&e), " -1");
    assert_int_equal(e.status, DQ_ERR_TRUNCATED);
}

static void write_rankings(const char *u1, const char *u2, const char *u3)
{
    static const uint32_t rank[3] = {1, 2, 1};
    static const float score[3] = {0.5F, 0.25F, 0.125F};
    const dq_maker maker = {.program = "dq-rank", .version = "1", .seed = -1};
    dq_writer *w;
    dq_bundle b = table("rankings", 3);
    add_texts(&b, "user", DQ_TEXT, TEXTS(u1, u2, u3));
    add_texts(&b, "item", DQ_TEXT, TEXTS("x", "y", "z"));
    add_numbers(&b, "rank", DQ_U4, rank, NULL, NULL);
    add_numbers(&b, "score", DQ_F4, score, NULL, NULL);
    assert_int_equal(dq_writer_open(&w, path, &maker, NULL, 0, NULL), DQ_OK);
    put(w, b);
    assert_int_equal(dq_writer_close(w, NULL), DQ_OK);
}

static void a_stream_has_lists_too(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    write_rankings("u", "u", "v");
    assert_string_equal(lists_of(&e), "u: x 0.5 y 0.25;v: z 0.125;dq-rank 0");
    write_rankings("u", "v", "u");
    assert_string_equal(lists_of(&e), " -1");
    assert_int_equal(e.status, DQ_ERR_UNSUPPORTED);
    assert_non_null(strstr(e.reason, "give it as a file"));
    assert_null(strstr(e.reason, "sort"));
}

static void judge(dq_run_table *t)
{
    static const char *const names[] = {path};
    static const char *const queries[] = {"1", "2", "3"}, *const docs[] = {"a", "b", "c"};
    *t = (dq_run_table){0};
    assert_int_equal(dq_measure_pick_add(&t->picks, "recip_rank", NULL, NULL), DQ_OK);
    assert_int_equal(dq_measure_pick_add(&t->picks, "coverage@1", NULL, NULL), DQ_OK);
    for (int q = 0; q < 3; q++)
        assert_int_equal(dq_lists_add(&t->qrels, queries[q], 1, docs[q], 1, 1, NULL), DQ_OK);
    assert_int_equal(dq_lists_finish(&t->qrels, DQ_TWICE_REFUSED, NULL), DQ_OK);
    assert_int_equal(dq_facts_use_qrels(&t->facts, &t->qrels, 1, NULL), DQ_OK);
    assert_int_equal(dq_run_table_init(t, names, 1, NULL), DQ_OK);
}

/* Grouped or not, the values are the same, and nothing of the attempt that broke off is left. */
static void what_is_not_grouped_is_gathered(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "1 Q0 b 1 9 t\n1 Q0 a 2 8 t\n2 Q0 b 1 7 t\n9 Q0 z 1 1 t\n",
        "1 Q0 b 1 9 t\n2 Q0 b 1 7 t\n9 Q0 z 1 1 t\n1 Q0 a 2 8 t\n",
    };
    for (int i = 0; i < 2; i++) {
        static dq_run_table t;
        dq_error e = DQ_ERROR_NONE;
        bool gathered;
        judge(&t);
        write_text(texts[i]);
        assert_int_equal(dq_run_file_measure(&t, 0, 1, true, &gathered, &e), DQ_OK);
        assert_int_equal(gathered, i);
        assert_string_equal(t.runs[0].tag, "t");
        assert_true(t.runs[0].query_count == 3 && t.runs[0].unjudged == 1);
        assert_int_equal(dq_run_table_choose(&t, false, NULL), DQ_OK);
        assert_int_equal(dq_run_table_summarise(&t, NULL, NULL), DQ_OK);
        assert_true(t.query_count == 2 && t.cells[0].value == 0.75);
        assert_true(t.cells[1].value == 2.0 / 4); /* b, z of a, b, c, z */
        dq_run_table_free(&t);
    }
}

static void a_document_twice_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"1 Q0 b 1 9 t\n1 Q0 a 2 8 t\n1 Q0 b 3 7 t\n", "query 1 has b twice"},
        {"1 Q0 z 1 9 t\n1 Q0 z 2 8 t\n", "query 1 has z twice"},
        {"7 Q0 z 1 9 t\n7 Q0 z 2 8 t\n", "query 7: z is there twice"}, /* nobody judged 7 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static dq_run_table t;
        dq_error e = DQ_ERROR_NONE;
        bool gathered;
        judge(&t);
        write_text(cases[i].text);
        assert_int_equal(dq_run_file_measure(&t, 0, 1, true, &gathered, &e), DQ_ERR_DUPLICATE);
        assert_string_equal(e.reason, cases[i].said);
        assert_string_equal(e.source, path);
        dq_run_table_free(&t);
    }
}

/* A run of 25 MB, no two documents of which are one, in the memory of one of its lists. */
static void a_run_is_not_held(void **state)
{
    (void)state;
    enum { LISTS = 2000, LONG = 400 };
    struct rusage before, after;
    static dq_run_table t;
    dq_error e = DQ_ERROR_NONE;
    bool gathered;
    judge(&t);
    t.picks.count = 1; /* coverage counts the items */
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (int q = 0; q < LISTS; q++)
        for (int d = 0; d < LONG; d++)
            assert_true(fprintf(f, "%d Q0 document-%d-%d %d %d run\n", q, q, d, d + 1, LONG - d) > 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    assert_int_equal(dq_run_file_measure(&t, 0, 1, true, &gathered, &e), DQ_OK);
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    assert_true(!gathered && t.runs[0].query_count == LISTS);
    assert_true(after.ru_maxrss - before.ru_maxrss < 4 << 10); /* KiB; held, it takes 40 MiB */
    dq_run_table_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_come_one_by_one),
        cmocka_unit_test(a_query_that_comes_back_is_named),
        cmocka_unit_test(faults_have_their_line),
        cmocka_unit_test(a_stream_has_lists_too),
        cmocka_unit_test(what_is_not_grouped_is_gathered),
        cmocka_unit_test(a_document_twice_is_refused),
        cmocka_unit_test(a_run_is_not_held),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
