/* SPDX-License-Identifier: MIT
 *
 * For the tests of asking: questions, a run that asks many, and what came of it. The cache is a real one, in
 * a folder of the test's.
 */
#ifndef DQ_TEST_ASK_RUN_H
#define DQ_TEST_ASK_RUN_H

#include "llm/ask.h"

#include "cache_file.h"
#include "fake_client.h"

enum { READER = 7, MAX_QUESTIONS = 256 };

/* ---- questions and answers ---- */

/* {"label":"L3"} is the label L3; whatever has none is unreadable. */
static const char *read_label(const dq_ask_form *form, const char *answer, size_t bytes, dq_arena *arena)
{
    dq_value body;
    dq_error none = DQ_ERROR_NONE;
    (void)form;
    if (dq_json_parse(answer, bytes, arena, &body, &none)) return NULL;
    return dq_value_text(arena, dq_map_get(&body, "label"));
}

/* {"many":[3,4]} carries {"q":3} and {"q":4}; its answer has a list of labels. */
static inline dq_status join(const dq_ask_form *form, const dq_value *requests, size_t n, dq_json_text *body,
                             dq_error *error)
{
    dq_status status = dq_json_write_raw(body, "{\"many\":[", 9, error);
    (void)form;
    for (size_t i = 0; !status && i < n; i++) {
        if (i) status = dq_json_write_raw(body, ",", 1, error);
        if (!status) status = dq_json_write(body, dq_map_get(&requests[i], "q"), error);
    }
    return status ? status : dq_json_write_raw(body, "]}", 2, error);
}

static inline dq_status split(const dq_ask_form *form, const dq_value *body, size_t n, dq_json_text *answers,
                              dq_error *error)
{
    const dq_value *labels = dq_map_get(body, "labels");
    dq_status status = DQ_OK;
    (void)form;
    if (!labels || labels->type != DQ_LIST || labels->count != n)
        return dq_fail(error, DQ_ERR_FORMAT, "not a label for each");
    for (size_t i = 0; !status && i < n; i++) {
        status = dq_json_write_raw(&answers[i], "{\"label\":", 9, error);
        if (!status) status = dq_json_write(&answers[i], &labels->as.list[i], error);
        if (!status) status = dq_json_write_raw(&answers[i], "}", 1, error);
    }
    return status;
}

static const dq_ask_form plain = {
    .path = "chat/completions", .reader = READER, .read = read_label, .tokens_out = 12};
static const dq_ask_form batched = {.path = "chat/completions",
                                    .reader = READER,
                                    .read = read_label,
                                    .batch = 4,
                                    .join = join,
                                    .split = split};

static inline int number_in(const char *body)
{
    const char *q = strstr(body, "\"q\":");
    return q ? atoi(q + 4) : -1;
}

static inline void label(const char *body, unsigned attempt, fake_outcome *o)
{
    (void)attempt;
    (void)snprintf(o->body, sizeof o->body,
                   "{\"label\":\"L%d\",\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":5}}",
                   number_in(body));
}

/* ---- a run ---- */

/* One asking of n questions with the numbers first, first + 1, ... and what came of it. */
typedef struct run {
    dq_ask_options options;
    const dq_ask_form *form;
    int first, n, same; /* so many in a row share a question; 0: none do */
    bool whole, go_on;
    size_t window;
    /* what came of it */
    int replies, labels, raw, hits, missing, failed;
    char label[MAX_QUESTIONS][16];
    dq_ask_stats stats;
    dq_error error;
} run;

/* The callback that looks for a stop is where time passes. */
static inline bool no_stop(void)
{
    fake_wait(0.01);
    return false;
}

static inline run a_run(int n)
{
    return (run){
        .options = {.cache = path, .parallel = 4, .attempts = 3, .timeout = 10, .stop = {no_stop, NULL}},
        .form = &plain,
        .n = n,
        .error = DQ_ERROR_NONE};
}

static inline dq_ask *open_ask(const run *r)
{
    dq_ask *ask;
    dq_error e = DQ_ERROR_NONE;
    dq_ask_config config = {.options = &r->options,
                            .model = "m",
                            .whole = r->whole,
                            .go_on = r->go_on,
                            .window = r->window,
                            .client = &fake_client};
    if (dq_ask_open(&ask, &config, &e)) fail_msg("%s", e.reason);
    return ask;
}

static inline int text_of(char *text, size_t room, int number)
{
    return snprintf(text, room, "{\"model\":\"m\",\"q\":%d}", number);
}

static inline void put(dq_ask *ask, const dq_ask_form *form, int number, uint64_t tag)
{
    char text[64];
    dq_error e = DQ_ERROR_NONE;
    dq_question q = {.form = form, .request = text, .tag = tag};
    q.bytes = (size_t)text_of(text, sizeof text, number);
    assert_int_equal(dq_ask_put(ask, &q, &e), DQ_OK);
}

static inline void take_reply(run *r, const dq_reply *reply)
{
    assert_true(reply->tag < MAX_QUESTIONS);
    assert_string_equal(r->label[reply->tag], "");
    r->replies++;
    r->labels += reply->label != NULL;
    r->raw += reply->answer != NULL;
    r->hits += reply->hit;
    r->missing += reply->status == DQ_ERR_UNKNOWN;
    r->failed += reply->status == DQ_ERR_IO;
    (void)snprintf(r->label[reply->tag], sizeof r->label[0], "%s", reply->label ? reply->label : "-");
}

/* Puts all and takes what comes; the status of the whole. */
static inline dq_status ask_all(run *r)
{
    dq_ask *ask = open_ask(r);
    dq_reply reply;
    int put_so_far = 0, got = 1;
    fake.sent = 0;
    fake.in_flight_max = 0;
    while (got > 0) {
        while (put_so_far < r->n && dq_ask_room(ask)) {
            int number = r->first + (r->same ? put_so_far / r->same : put_so_far);
            put(ask, r->form, number, (uint64_t)put_so_far++);
        }
        got = dq_ask_next(ask, &reply, &r->error);
        if (got > 0) take_reply(r, &reply);
    }
    r->stats = *dq_ask_stats_of(ask);
    dq_status status = got < 0 ? r->error.status : DQ_OK;
    assert_int_equal(dq_ask_close(ask, status, &r->error), status);
    return status;
}

static inline void assert_labels(const run *r)
{
    assert_int_equal(r->labels, r->n);
    for (int i = 0; i < r->n; i++) {
        char expected[16];
        (void)snprintf(expected, sizeof expected, "L%d", r->first + (r->same ? i / r->same : i));
        assert_string_equal(r->label[i], expected);
    }
}

/* Nothing is left of the asking but answers: no claim, no owner; each request has an outcome. */
static inline void assert_clean(void)
{
    assert_int_equal(sql("SELECT (SELECT count(*) FROM claims) + (SELECT count(*) FROM owners) + "
                         "(SELECT count(*) FROM flights)"),
                     0);
    assert_int_equal(sql("SELECT calls - answered - failed - lost FROM ledger"), 0);
}

static inline int begin(void **state)
{
    memset(&fake, 0, sizeof fake);
    fake.script = label;
    return setup(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, teardown)

#endif
