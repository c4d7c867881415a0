/* SPDX-License-Identifier: MIT
 *
 * Vectors asked of a model, by a client without a network and a real cache.
 */
#include "llm/embeddings.h"

#include "cache_file.h"
#include "fake_client.h"

static int answer_width; /* of the vectors that the model gives */

/* A vector for each text of {"model":"m","input":["t1","t2",...]}: the number in it, twice; given in the
 * opposite order, with their indices. */
static void embed(const char *body, unsigned attempt, fake_outcome *o)
{
    int numbers[8], count = 0, used;
    (void)attempt;
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

static int begin(void **state)
{
    memset(&fake, 0, sizeof fake);
    fake.script = embed;
    fake.where = "embeddings";
    answer_width = 2;
    int failed = setup(state);
    options = (dq_ask_options){
        .cache = path, .parallel = 1, .attempts = 3, .timeout = 10, .stop = {no_stop, NULL}};
    return failed;
}

static dq_embeddings *open_model(void)
{
    dq_embeddings *m;
    dq_error e = DQ_ERROR_NONE;
    if (dq_embeddings_open(&m, "m", &options, 3, &fake_client, &e)) fail_msg("%s", e.reason);
    return m;
}

static void close_model(dq_embeddings *m)
{
    assert_int_equal(dq_embeddings_close(m, DQ_OK, NULL), DQ_OK);
}

static void put_number(dq_embeddings *m, int number, float to[2])
{
    char text[16];
    dq_error e = DQ_ERROR_NONE;
    int n = snprintf(text, sizeof text, "t%d", number);
    assert_int_equal(dq_embeddings_put(m, text, (size_t)n, 2, to, &e), DQ_OK);
}

static void vectors_come_in_their_places(void **state)
{
    float got[5][2];
    dq_error e = DQ_ERROR_NONE;
    uint64_t texts;
    (void)state;
    dq_embeddings *m = open_model();
    for (int i = 0; i < 4; i++) put_number(m, i, got[i]);
    got[4][0] = 1;
    assert_int_equal(dq_embeddings_put(m, "", 0, 2, got[4], &e), DQ_OK);
    assert_int_equal(dq_embeddings_wait(m, &e), DQ_OK);
    for (int i = 0; i < 4; i++) assert_true(got[i][0] == (float)i && got[i][1] == (float)i + 0.5F);
    assert_true(got[4][0] == 0 && got[4][1] == 0);
    assert_int_equal(fake.sent, 2); /* at most three texts a request */
    assert_int_equal(dq_embeddings_stats(m, &texts)->hits, 0);
    assert_int_equal(texts, 4);
    close_model(m);
}

static void a_text_is_paid_for_once(void **state)
{
    float got[2];
    dq_error e = DQ_ERROR_NONE;
    uint32_t width;
    uint64_t texts;
    (void)state;
    dq_embeddings *m = open_model();
    assert_int_equal(dq_embeddings_width(m, "t7", 2, &width, &e), DQ_OK);
    assert_int_equal(width, 2);
    put_number(m, 7, got);
    assert_int_equal(dq_embeddings_wait(m, &e), DQ_OK);
    assert_true(got[0] == 7);
    assert_int_equal(fake.sent, 1);
    (void)dq_embeddings_stats(m, &texts);
    assert_int_equal(texts, 1); /* the probe is no text of its own */
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
    assert_int_equal(dq_embeddings_wait(m, &e), DQ_ERR_SCHEMA);
    assert_string_equal(e.reason, "m: a vector of 3 numbers after one of 2");
    assert_int_equal(dq_embeddings_close(m, DQ_ERR_SCHEMA, &e), DQ_ERR_SCHEMA);
}

static void what_the_cache_lacks_is_counted(void **state)
{
    float got[2];
    dq_error e = DQ_ERROR_NONE;
    (void)state;
    dq_embeddings *m = open_model();
    put_number(m, 1, got);
    assert_int_equal(dq_embeddings_wait(m, &e), DQ_OK);
    close_model(m);
    options.cache_only = true;
    m = open_model();
    put_number(m, 1, got);
    put_number(m, 2, got);
    assert_int_equal(dq_embeddings_wait(m, &e), DQ_ERR_UNKNOWN);
    assert_string_equal(e.reason,
                        "1 of 2 texts have no vector: 1 answers are not in the cache, 0 could not be read");
    assert_int_equal(dq_embeddings_close(m, DQ_ERR_UNKNOWN, &e), DQ_ERR_UNKNOWN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(vectors_come_in_their_places),
        TEST(a_text_is_paid_for_once),
        TEST(another_width_is_refused),
        TEST(what_the_cache_lacks_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
