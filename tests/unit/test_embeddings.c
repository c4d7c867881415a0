/* SPDX-License-Identifier: MIT
 *
 * Vectors asked of a model, by a client without a network and a real cache.
 */
#include "llm/embeddings.h"

#include "cache_file.h"
#include "fake_client.h"

static int answer_width; /* of the vectors that the model gives */

static const char *refusal; /* of a request that has a text "tx" */
static long refusal_code;

/* A vector for each text of {"model":"m","input":["t1","t2",...]}: the number in it, twice; given in the
 * opposite order, with their indices. */
static void embed(const char *body, unsigned attempt, fake_outcome *o)
{
    int numbers[8], count = 0, used;
    (void)attempt;
    if (refusal && strstr(body, "\"tx")) {
        o->code = refusal_code;
        (void)snprintf(o->body, sizeof o->body, "{\"error\":\"%s\"}", refusal);
        return;
    }
    for (const char *at = strstr(body, "\"input\":"); (at = strstr(at, "\"t")) != NULL; at += 2)
        numbers[count++] = atoi(at + 2);
    used = snprintf(o->body, sizeof o->body, "{\"data\":[");
    for (int i = count; i-- > 0;) {
        used += snprintf(o->body + used, sizeof o->body - (size_t)used, "{\"index\":%d,\"embedding\":[%d", i,
                         numbers[i]);
        for (int k = 1; k < answer_width; k++)
            used += snprintf(o->body + used, sizeof o->body - (size_t)used, ",%d.5", numbers[i]);
        used += snprintf(o->body + used, sizeof o->body - (size_t)used, "]}%s", i ? "," : "");
    }
    (void)snprintf(o->body + used, sizeof o->body - (size_t)used, "],\"usage\":{\"prompt_tokens\":9}}");
}

static bool no_stop(void)
{
    fake_wait(0.01);
    return false;
}

static dq_ask_options options;
static dq_embeddings_config config;

static int begin(void **state)
{
    memset(&fake, 0, sizeof fake);
    fake.script = embed;
    fake.where = "embeddings";
    answer_width = 2;
    refusal = NULL;
    refusal_code = 400;
    config = (dq_embeddings_config){.name = "m", .options = &options, .batch = 3, .client = &fake_client};
    int failed = setup(state);
    options = (dq_ask_options){
        .cache = path, .parallel = 1, .attempts = 3, .timeout = 10, .stop = {no_stop, NULL}};
    return failed;
}

static dq_embeddings *open_model(void)
{
    dq_embeddings *m;
    dq_error e = DQ_ERROR_NONE;
    if (dq_embeddings_open(&m, &config, &e)) fail_msg("%s", e.reason);
    return m;
}

static void close_model(dq_embeddings *m)
{
    assert_int_equal(dq_embeddings_close(m, DQ_OK, NULL), DQ_OK);
}

static void put_text(dq_embeddings *m, const char *text, uint64_t tag, float to[2])
{
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_embeddings_put(m, text, strlen(text), tag, 2, to, &e), DQ_OK);
}

static void put_number(dq_embeddings *m, int number, float to[2])
{
    char text[16];
    (void)snprintf(text, sizeof text, "t%d", number);
    put_text(m, text, (uint64_t)number, to);
}

/* The status of a wait; the first miss and the error stay here. */
static dq_embeddings_miss miss;
static dq_error failure;

static dq_status wait_for_all(dq_embeddings *m)
{
    failure = DQ_ERROR_NONE;
    return dq_embeddings_wait(m, &miss, &failure);
}

static void vectors_come_in_their_places(void **state)
{
    float got[7][2];
    (void)state;
    dq_embeddings *m = open_model();
    for (int i = 0; i < 4; i++) put_number(m, i, got[i]);
    got[4][0] = got[5][1] = got[6][0] = 1;
    put_text(m, "", 4, got[4]);
    put_text(m, " \n\t\xc2\xa0\xe3\x80\x80", 5, got[5]);
    put_text(m, "\n\n", 6, got[6]);
    assert_int_equal(wait_for_all(m), DQ_OK);
    assert_false(miss.any);
    for (int i = 0; i < 4; i++) assert_true(got[i][0] == (float)i && got[i][1] == (float)i + 0.5F);
    for (int i = 4; i < 7; i++) assert_true(got[i][0] == 0 && got[i][1] == 0);
    assert_int_equal(fake.sent, 2); /* at most three texts a request */
    assert_int_equal(dq_embeddings_tally_of(m)->hits, 0);
    assert_int_equal(dq_embeddings_tally_of(m)->texts, 4);
    assert_int_equal(dq_embeddings_tally_of(m)->requests, 2);
    close_model(m);
}

static void a_text_is_paid_for_once(void **state)
{
    float got[2];
    dq_error e = DQ_ERROR_NONE;
    uint32_t width;
    (void)state;
    dq_embeddings *m = open_model();
    assert_int_equal(dq_embeddings_width(m, "t7", 2, 0, &width, &miss, &e), DQ_OK);
    assert_int_equal(width, 2);
    put_number(m, 7, got);
    assert_int_equal(wait_for_all(m), DQ_OK);
    assert_true(got[0] == 7);
    assert_int_equal(fake.sent, 1);
    assert_int_equal(dq_embeddings_tally_of(m)->texts, 1); /* the probe is no text of its own */
    assert_int_equal(dq_embeddings_tally_of(m)->hits, 0);
    close_model(m);
}

static void another_width_is_refused(void **state)
{
    float got[2];
    dq_error e = DQ_ERROR_NONE;
    (void)state;
    answer_width = 3;
    dq_embeddings *m = open_model();
    put_number(m, 1, got);
    assert_int_equal(wait_for_all(m), DQ_ERR_SCHEMA);
    assert_string_equal(failure.reason, "m: a vector of 3 numbers after one of 2");
    assert_true(miss.any && miss.tag == 1);
    assert_int_equal(dq_embeddings_close(m, DQ_ERR_SCHEMA, &e), DQ_ERR_SCHEMA);
}

static void what_the_cache_lacks_is_counted(void **state)
{
    float got[2];
    dq_error e = DQ_ERROR_NONE;
    (void)state;
    dq_embeddings *m = open_model();
    put_number(m, 1, got);
    assert_int_equal(wait_for_all(m), DQ_OK);
    close_model(m);
    options.cache_only = true;
    m = open_model();
    put_number(m, 1, got);
    put_number(m, 2, got);
    assert_int_equal(wait_for_all(m), DQ_ERR_UNKNOWN);
    assert_string_equal(failure.reason,
                        "not in the cache (1 of 2 texts without a vector; --allow-missing leaves zeros)");
    assert_true(miss.any && miss.tag == 2);
    assert_int_equal(dq_embeddings_close(m, DQ_ERR_UNKNOWN, &e), DQ_ERR_UNKNOWN);
}

/* ---- texts that are refused ---- */

static const char too_long[] = "the input length exceeds the context length";

/* Texts 0 .. 5, of which number 3 is refused. */
static void put_six(dq_embeddings *m, float got[6][2])
{
    for (int i = 0; i < 6; i++)
        if (i == 3)
            put_text(m, "tx", 3, got[3]);
        else
            put_number(m, i, got[i]);
}

static void assert_five(float got[6][2])
{
    for (int i = 0; i < 6; i++) assert_true(got[i][0] == (i == 3 ? 0 : (float)i));
    assert_int_equal(sql("SELECT count(*) FROM answers"), 5);
    assert_int_equal(sql("SELECT (SELECT count(*) FROM claims) + (SELECT count(*) FROM flights)"), 0);
    assert_int_equal(sql("SELECT calls - answered - failed - lost FROM ledger"), 0);
    assert_int_equal(sql("SELECT calls FROM ledger"), fake.sent);
}

static void a_text_too_long_is_found_and_the_others_are_kept(void **state)
{
    static const long codes[] = {400, 413, 422, 500, 503};
    float got[6][2];
    dq_error e = DQ_ERROR_NONE;
    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (i) assert_int_equal(teardown(state) | begin(state), 0);
        refusal = too_long;
        refusal_code = codes[i];
        dq_embeddings *m = open_model();
        put_six(m, got);
        assert_int_equal(wait_for_all(m), DQ_ERR_UNKNOWN);
        assert_int_equal(miss.tag, 3);
        assert_non_null(strstr(failure.reason, too_long));
        assert_non_null(strstr(failure.reason, "--max-chars N cuts, --allow-missing leaves zeros"));
        assert_int_equal(dq_embeddings_close(m, DQ_ERR_UNKNOWN, &e), DQ_ERR_UNKNOWN);
        assert_five(got);
        assert_int_equal(fake.sent, 4); /* 012, 3x5, then x alone, 45 */
    }
}

static void allowed_misses_are_zeros_and_counted(void **state)
{
    float got[6][2];
    (void)state;
    refusal = too_long;
    config.allow_missing = true;
    dq_embeddings *m = open_model();
    put_six(m, got);
    assert_int_equal(wait_for_all(m), DQ_OK);
    assert_true(miss.any && miss.tag == 3);
    assert_int_equal(dq_embeddings_tally_of(m)->refused, 1);
    close_model(m);
    assert_five(got);
}

/* A batch that is refused in words unknown, while others are answered: it is a text's fault. */
static void unknown_words_are_a_text_s_fault_where_others_are_answered(void **state)
{
    float got[6][2];
    (void)state;
    refusal = "we do not like it";
    config.allow_missing = true;
    dq_embeddings *m = open_model();
    put_six(m, got);
    assert_int_equal(wait_for_all(m), DQ_OK);
    close_model(m);
    assert_five(got);
    assert_int_equal(teardown(state) | begin(state), 0); /* a server that breaks on a text, again and again */
    refusal = "NaN";
    refusal_code = 500;
    config.allow_missing = true;
    m = open_model();
    put_six(m, got);
    assert_int_equal(wait_for_all(m), DQ_OK);
    close_model(m);
    assert_five(got);
}

static void a_server_that_refuses_all_is_not_asked_for_each(void **state)
{
    float got[2];
    dq_error e = DQ_ERROR_NONE;
    static const long codes[] = {400, 401, 404};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        if (i) assert_int_equal(teardown(state) | begin(state), 0);
        refusal = "no such model";
        refusal_code = codes[i];
        config.allow_missing = true;
        dq_embeddings *m = open_model();
        for (uint64_t tag = 0; tag < 30; tag++) {
            char text[8];
            (void)snprintf(text, sizeof text, "tx%d", (int)tag);
            put_text(m, text, tag, got);
        }
        assert_int_equal(wait_for_all(m), DQ_ERR_UNSUPPORTED);
        assert_non_null(strstr(failure.reason, "no such model"));
        assert_int_equal(dq_embeddings_close(m, DQ_ERR_UNSUPPORTED, &e), DQ_ERR_UNSUPPORTED);
        assert_true(fake.sent < 25);
    }
}

static void a_width_is_found_by_another_text(void **state)
{
    dq_error e = DQ_ERROR_NONE;
    uint32_t width = 9;
    (void)state;
    refusal = too_long;
    dq_embeddings *m = open_model();
    assert_int_equal(dq_embeddings_width(m, "tx", 2, 5, &width, &miss, &e), DQ_OK);
    assert_true(width == 0 && miss.any && miss.tag == 5);
    assert_int_equal(dq_embeddings_width(m, "t1", 2, 6, &width, &miss, &e), DQ_OK);
    assert_true(width == 2 && !miss.any);
    assert_int_equal(dq_embeddings_tally_of(m)->refused, 0); /* it comes again */
    close_model(m);
}

static void texts_are_cut_at_a_character(void **state)
{
    float got[4][2];
    (void)state;
    config.max_chars = 2;
    dq_embeddings *m = open_model();
    put_text(m, "t1\xc3\xa9", 0, got[0]); /* "t1" */
    put_text(m, "t1", 1, got[1]);
    put_text(m, "t\xc3\xa9\xc3\xa9", 2, got[2]);
    put_text(m, "  t4", 3, got[3]); /* blank, when it is cut */
    assert_int_equal(wait_for_all(m), DQ_OK);
    assert_true(got[0][0] == 1 && got[1][0] == 1 && got[3][0] == 0);
    assert_int_equal(dq_embeddings_tally_of(m)->cut, 2);
    assert_int_equal(sql("SELECT count(*) FROM answers"), 2);
    assert_int_equal(sql("SELECT count(*) FROM answers WHERE CAST(request AS TEXT) LIKE '%\"t\xc3\xa9\"%'"),
                     1);
    close_model(m);
}

static void a_dry_run_counts_requests(void **state)
{
    float got[2];
    dq_error e = DQ_ERROR_NONE;
    uint32_t width;
    (void)state;
    options.dry_run = true;
    dq_embeddings *m = open_model();
    assert_int_equal(dq_embeddings_width(m, "t0", 2, 0, &width, &miss, &e), DQ_OK);
    assert_int_equal(width, 1);
    for (int i = 0; i < 10; i++) put_number(m, i % 8, got); /* two are equal to others */
    put_text(m, " ", 20, got);
    assert_int_equal(wait_for_all(m), DQ_OK);
    put_number(m, 8, got); /* another block begins another request */
    assert_int_equal(wait_for_all(m), DQ_OK);
    const dq_ask_stats t = dq_embeddings_stats(m);
    assert_int_equal(t.dry_questions, 9);
    assert_int_equal(t.dry_requests, 1 + 3 + 1); /* 0; 123 456 7; 8 */
    assert_int_equal(fake.sent, 0);
    close_model(m);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(vectors_come_in_their_places),
        TEST(a_text_is_paid_for_once),
        TEST(another_width_is_refused),
        TEST(what_the_cache_lacks_is_counted),
        TEST(a_text_too_long_is_found_and_the_others_are_kept),
        TEST(allowed_misses_are_zeros_and_counted),
        TEST(unknown_words_are_a_text_s_fault_where_others_are_answered),
        TEST(a_server_that_refuses_all_is_not_asked_for_each),
        TEST(a_width_is_found_by_another_text),
        TEST(texts_are_cut_at_a_character),
        TEST(a_dry_run_counts_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
