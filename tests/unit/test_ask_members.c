/* SPDX-License-Identifier: MIT
 *
 * Asking servers that take not every member of a request (llm/member.h), which refuse in words and by a
 * status of their own, and such as say in a 200 that they failed. A server is a row of a table: what it
 * takes, and how it refuses the rest.
 */
#include "llm/member.h"

#include "ask_run.h"

/* ---- the form of the questions ---- */

static const dq_ask_variant formats[] = {{"schema", "{\"type\":\"schema\"}"},
                                         {"object", "{\"type\":\"object\",\"schema\":{}}"},
                                         {"json", "{\"type\":\"json\"}"},
                                         {NULL, NULL}};
static const dq_ask_variant once[] = {{"sent", NULL}, {NULL, NULL}};
static const char *const format_words[] = {"response_format", "grammar", NULL};
static const char *const seed_words[] = {"seed", NULL};
static const char *const system_words[] = {"system role", NULL};
#define MEMBERS(by_hand)                                                                                     \
    {                                                                                                        \
        {.name = "response_format",                                                                          \
         .variants = formats,                                                                                \
         .words = format_words,                                                                              \
         .doubted = true,                                                                                    \
         .fixed = by_hand},                                                                                  \
            {.name = "seed", .variants = once, .words = seed_words},                                         \
            {.name = "system", .variants = once, .words = system_words, .within = "\"model\":\"m\""},        \
        {                                                                                                    \
            .name = NULL                                                                                     \
        }                                                                                                    \
    }
static const dq_ask_member members[] = MEMBERS(false), fixed_members[] = MEMBERS(true);

/* A request without its "system message", which is its model here. */
static dq_status fold(const dq_ask_form *form, const dq_value *request, dq_json_text *body, dq_error *error)
{
    dq_status status = dq_json_write_raw(body, "{\"folded\":true,\"q\":", 19, error);
    (void)form;
    if (!status) status = dq_json_write(body, dq_map_get(request, "q"), error);
    return status ? status : dq_json_write_raw(body, "}", 1, error);
}

#define FORM(by)                                                                                             \
    {                                                                                                        \
        .path = "chat/completions", .extra = by, .reader = READER, .read = read_label, .fold = fold,         \
        .tokens_out = 12                                                                                     \
    }
static const dq_ask_form formed = FORM(members), by_hand = FORM(fixed_members);

/* ---- servers ---- */

enum { SCHEMA = 1, OBJECT = 2, JSON = 4, NONE = 8, ANY = 15 };

typedef struct server {
    const char *name;
    unsigned takes;          /* of the formats */
    long code;               /* of a refusal */
    const char *words;       /* of one; NULL: "Internal Server Error", no JSON */
    bool own_words;          /* the number of the format is in them */
    bool no_seed, no_system; /* refused, in the same words unless named */
    const char *seed_words, *system_words;
    /* what is to come of two questions */
    unsigned requests;
    const char *format, *seed, *system; /* remembered; NULL: nothing */
} server;

static const server *now;
static char formats_seen[512]; /* a letter a request */

static unsigned format_in(const char *body)
{
    for (unsigned i = 0; formats[i].name; i++)
        if (strstr(body, formats[i].json)) return 1u << i;
    return NONE;
}

static void refuse(fake_outcome *o, long code, const char *words, int which)
{
    o->code = code;
    if (!words)
        memcpy(o->body, "Internal Server Error", sizeof "Internal Server Error");
    else if (which >= 0)
        (void)snprintf(o->body, sizeof o->body, "{\"error\":{\"message\":\"%s %c\"}}", words, 'a' + which);
    else
        (void)snprintf(o->body, sizeof o->body, "{\"error\":{\"message\":\"%s\",\"id\":\"r%u\"}}", words,
                       fake.sent);
}

static void serve(const char *body, unsigned attempt, fake_outcome *o)
{
    unsigned format = format_in(body);
    size_t seen = strlen(formats_seen);
    char letter = (char)(format == SCHEMA ? 's' : format == OBJECT ? 'o' : format == JSON ? 'j' : 'n');
    if (seen + 1 < sizeof formats_seen) formats_seen[seen] = letter, formats_seen[seen + 1] = '\0';
    if (!(now->takes & format))
        refuse(o, now->code, now->words, now->own_words ? __builtin_ctz(format) : -1);
    else if (now->no_seed && strstr(body, "\"seed\":"))
        refuse(o, now->code, now->seed_words ? now->seed_words : now->words, -1);
    else if (now->no_system && !strstr(body, "\"folded\":true"))
        refuse(o, now->code, now->system_words ? now->system_words : now->words, -1);
    else
        label(body, attempt, o);
}

static const char *fact(const char *name)
{
    static char value[32];
    char query[160];
    sqlite3 *db;
    sqlite3_stmt *row;
    (void)snprintf(query, sizeof query,
                   "SELECT value FROM facts WHERE about = 'server.test:80 m' AND name = '%s'", name);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, query, -1, &row, NULL), SQLITE_OK);
    bool found = sqlite3_step(row) == SQLITE_ROW;
    if (found) (void)snprintf(value, sizeof value, "%s", (const char *)sqlite3_column_text(row, 0));
    (void)sqlite3_finalize(row);
    (void)sqlite3_close(db);
    return found ? value : NULL;
}

static void remembers(const char *who, const char *name, const char *value)
{
    const char *got = fact(name);
    if (!value) value = "not known";
    if (!got) got = "not known";
    if (strcmp(got, value) != 0) fail_msg("%s: %s is %s, not %s", who, name, got, value);
}

static run a_formed_run(int n)
{
    run r = a_run(n);
    r.form = &formed;
    fake.script = serve;
    formats_seen[0] = '\0';
    return r;
}

/* ---- what is found out ---- */

static const server servers[] = {
    {.name = "takes all", .takes = ANY, .requests = 2, .format = "schema", .seed = "sent", .system = "sent"},
    {.name = "named",
     .takes = OBJECT | JSON | NONE,
     .code = 400,
     .words = "unknown response_format",
     .requests = 3,
     .format = "object",
     .seed = "sent",
     .system = "sent"},
    {.name = "unnamed",
     .takes = OBJECT | JSON | NONE,
     .code = 422,
     .words = "no",
     .requests = 3,
     .format = "object",
     .seed = "sent",
     .system = "sent"},
    {.name = "json mode",
     .takes = JSON | NONE,
     .code = 400,
     .words = "bad grammar",
     .own_words = true,
     .requests = 4,
     .format = "json",
     .seed = "sent",
     .system = "sent"},
    {.name = "none, in the same words",
     .takes = NONE,
     .code = 400,
     .words = "This type is unavailable now",
     .requests = 4,
     .format = "none",
     .seed = "sent",
     .system = "sent"},
    {.name = "none, in words of their own",
     .takes = NONE,
     .code = 400,
     .words = "no type",
     .own_words = true,
     .requests = 5,
     .format = "none",
     .seed = "sent",
     .system = "sent"},
    {.name = "a 500 that names",
     .takes = NONE,
     .code = 500,
     .words = "failed to parse grammar",
     .requests = 4,
     .format = "none",
     .seed = "sent",
     .system = "sent"},
    {.name = "a 501",
     .takes = NONE,
     .code = 501,
     .words = "response_format",
     .requests = 4,
     .format = "none",
     .seed = "sent",
     .system = "sent"},
    {.name = "a 404 that names",
     .takes = NONE,
     .code = 404,
     .words = "no endpoint with response_format",
     .requests = 4,
     .format = "none",
     .seed = "sent",
     .system = "sent"},
    {.name = "a 403 that names",
     .takes = NONE,
     .code = 403,
     .words = "no grammar in your plan",
     .requests = 4,
     .format = "none",
     .seed = "sent",
     .system = "sent"},
    {.name = "a 409 that names",
     .takes = NONE,
     .code = 409,
     .words = "response_format",
     .requests = 4,
     .format = "none",
     .seed = "sent",
     .system = "sent"},
    {.name = "a gateway's 502 that names",
     .takes = OBJECT,
     .code = 502,
     .words = "provider: bad grammar",
     .requests = 3,
     .format = "object",
     .seed = "sent",
     .system = "sent"},
    {.name = "a 500 without words",
     .takes = NONE,
     .code = 500,
     .requests = 5,
     .format = "none",
     .seed = "sent",
     .system = "sent"}, /* twice, then object, none; and the second question */
    {.name = "no seed",
     .takes = ANY,
     .code = 400,
     .no_seed = true,
     .seed_words = "Unrecognized: seed",
     .requests = 3,
     .format = "schema",
     .seed = "none",
     .system = "sent"},
    {.name = "no system",
     .takes = ANY,
     .code = 400,
     .no_system = true,
     .system_words = "System role not supported",
     .requests = 3,
     .format = "schema",
     .seed = "sent",
     .system = "none"},
    {.name = "no system, unnamed",
     .takes = ANY,
     .code = 400,
     .no_system = true,
     .system_words = "bad",
     .requests = 6,
     .format = "schema",
     .seed = "sent",
     .system = "none"}, /* s o n, seed, system; and one */
    {.name = "no system, a 500 without words",
     .takes = ANY,
     .code = 500,
     .no_system = true,
     .requests = 7,
     .format = "schema",
     .seed = "sent",
     .system = "none"},
    {.name = "neither",
     .takes = NONE,
     .code = 400,
     .words = "bad grammar",
     .no_seed = true,
     .seed_words = "seed?",
     .requests = 5,
     .format = "none",
     .seed = "none",
     .system = "sent"},
    {.name = "all three",
     .takes = NONE,
     .code = 422,
     .words = "response_format",
     .no_seed = true,
     .seed_words = "no seed",
     .no_system = true,
     .system_words = "system role",
     .requests = 6,
     .format = "none",
     .seed = "none",
     .system = "none"},
};

static void test_servers(void **state)
{
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        const server *s = now = &servers[i];
        run r = a_formed_run(2), again = a_formed_run(5);
        if (ask_all(&r)) fail_msg("%s: %s", s->name, r.error.reason);
        assert_labels(&r);
        if (fake.sent != s->requests) fail_msg("%s: %u requests (%s)", s->name, fake.sent, formats_seen);
        remembers(s->name, "response_format", s->format);
        remembers(s->name, "seed", s->seed);
        remembers(s->name, "system", s->system);
        assert_int_equal(sql("SELECT calls FROM ledger"), s->requests);
        assert_clean();
        again.first = 100; /* nothing is left to find out */
        assert_int_equal(ask_all(&again), DQ_OK);
        assert_int_equal(fake.sent, 5);
        assert_true(fake.in_flight_max > 1);
        assert_int_equal(teardown(state), 0);
        assert_int_equal(begin(state), 0);
    }
}

/* One request finds out for all. */
static void test_the_others_wait(void **state)
{
    (void)state;
    static const server s = {.takes = NONE, .code = 400, .words = "no"};
    run r = a_formed_run(40);
    now = &s;
    r.options.parallel = 8;
    assert_int_equal(ask_all(&r), DQ_OK);
    assert_labels(&r);
    assert_int_equal(fake.sent, 42);
    assert_int_equal(strspn(formats_seen, "so"), 2);
    assert_int_equal(sql("SELECT calls FROM ledger"), 42);
    assert_clean();
}

/* Two that are refused without a name: the answers come, and what is not certain is not remembered. */
static void test_two_unnamed(void **state)
{
    (void)state;
    static const server s = {.takes = NONE, .code = 400, .words = "no", .no_seed = true};
    run r = a_formed_run(10);
    now = &s;
    assert_int_equal(ask_all(&r), DQ_OK);
    assert_labels(&r);
    assert_true(fake.sent <= 10 + LLM_REFUSALS);
    remembers("two", "response_format", NULL);
    remembers("two", "seed", NULL);
}

/* ---- what is about something else ---- */

static void test_refusals_about_something_else(void **state)
{
    static const struct {
        server server;
        unsigned most;
        const char *words;
    } cases[] = {
        {{.code = 400, .words = "This model's maximum context length is 4096 tokens"},
         1,
         "server.test:80/v1: HTTP 400: This model's maximum context length is 4096 tokens"},
        {{.code = 400, .words = "Unsupported value: 'temperature' does not support 0"},
         1,
         "server.test:80/v1: HTTP 400: Unsupported value: 'temperature' does not support 0"},
        {{.code = 404, .words = "model m not found"}, 1, "server.test:80/v1: HTTP 404: model m not found"},
        {{.code = 401, .words = "response_format"}, 1, "server.test:80/v1: HTTP 401: response_format"},
        {{.code = 400, .words = "it is Monday"}, LLM_REFUSALS, "server.test:80/v1: HTTP 400: it is Monday"},
        {{.code = 422, .words = "grammar"}, 3, "server.test:80/v1: HTTP 422: grammar"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run r = a_formed_run(20), mended = a_formed_run(20);
        now = &cases[i].server;
        assert_int_equal(ask_all(&r), DQ_ERR_UNSUPPORTED);
        assert_memory_equal(r.error.reason, cases[i].words, strlen(cases[i].words)); /* and what helps */
        if (fake.sent > cases[i].most) fail_msg("%s: %u requests", cases[i].words, fake.sent);
        assert_int_equal(sql("SELECT count(*) FROM facts"), 0);
        assert_clean();
        now = &servers[0]; /* nothing false is remembered */
        formats_seen[0] = '\0';
        assert_int_equal(ask_all(&mended), DQ_OK);
        assert_labels(&mended);
        assert_int_equal(strspn(formats_seen, "s"), 20);
        assert_int_equal(teardown(state), 0);
        assert_int_equal(begin(state), 0);
    }
}

/* A server that is down says 500 whatever it is asked: a stop, from which the same command goes on. */
static void test_down_with_500(void **state)
{
    (void)state;
    static const server s = {.code = 500};
    run r = a_formed_run(20), mended = a_formed_run(20);
    now = &s;
    assert_int_equal(ask_all(&r), DQ_ERR_STOPPED);
    assert_non_null(strstr(r.error.reason, "HTTP 500"));
    assert_non_null(strstr(r.error.reason, "; the answers so far are kept in "));
    assert_int_equal(sql("SELECT count(*) FROM facts"), 0);
    assert_int_equal(sql("SELECT failed FROM ledger"), fake.sent);
    assert_clean();
    now = &servers[0];
    formats_seen[0] = '\0';
    assert_int_equal(ask_all(&mended), DQ_OK);
    assert_int_equal(strspn(formats_seen, "s"), 20);
}

static unsigned stumbles;
static long stumble_code;

static void stumble(const char *body, unsigned attempt, fake_outcome *o)
{
    if (stumbles > 0) {
        stumbles--;
        refuse(o, stumble_code, NULL, -1);
    } else {
        serve(body, attempt, o);
    }
}

/* What passes is no refusal. */
static void test_a_stumble_is_no_refusal(void **state)
{
    (void)state;
    static const struct {
        long code;
        unsigned times;
    } cases[] = {{500, 1}, {503, 2}, {429, 2}, {0, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run r = a_formed_run(5);
        now = &servers[0];
        fake.script = stumble;
        stumbles = cases[i].times;
        stumble_code = cases[i].code;
        assert_int_equal(ask_all(&r), DQ_OK);
        assert_int_equal(strspn(formats_seen, "s"), 5);
        remembers("stumble", "response_format", "schema");
        assert_int_equal(teardown(state), 0);
        assert_int_equal(begin(state), 0);
    }
}

/* What was known and is refused by name later is found out anew. */
static void test_a_server_that_changed(void **state)
{
    (void)state;
    static const server strict = {.takes = JSON | NONE, .code = 400, .words = "grammar", .own_words = true};
    run before = a_formed_run(5), after = a_formed_run(40);
    now = &servers[0];
    assert_int_equal(ask_all(&before), DQ_OK);
    now = &strict;
    after.first = 100;
    assert_int_equal(ask_all(&after), DQ_OK);
    assert_labels(&after);
    remembers("changed", "response_format", "json");
    assert_clean();
}

/* ---- by hand ---- */

static void test_by_hand(void **state)
{
    (void)state;
    static const server object = {.takes = OBJECT, .code = 400, .words = "grammar", .own_words = true};
    static const server none = {.takes = NONE, .code = 400, .words = "grammar"};
    run r = a_formed_run(5), refused = a_formed_run(5);
    r.form = refused.form = &by_hand;
    now = &object;
    assert_int_equal(ask_all(&r), DQ_OK);
    assert_labels(&r);
    remembers("by hand", "response_format", NULL); /* the next may wish for another */
    remembers("by hand", "seed", "sent");
    refused.first = 100;
    now = &none;
    assert_int_equal(ask_all(&refused), DQ_ERR_UNSUPPORTED);
    assert_string_equal(refused.error.reason, "server.test:80/v1: HTTP 400: grammar");
    assert_null(strchr(formats_seen, 'n'));
}

/* ---- unreadable under a schema ---- */

static void readable_without(const char *body, unsigned attempt, fake_outcome *o)
{
    serve(body, attempt, o);
    if (format_in(body) != NONE) (void)snprintf(o->body, sizeof o->body, "{\"label\":null}");
}

static void test_unreadable_is_asked_without(void **state)
{
    (void)state;
    run r = a_formed_run(5), again = a_formed_run(5);
    now = &servers[0];
    fake.script = readable_without;
    r.options.parallel = 1;
    assert_int_equal(ask_all(&r), DQ_OK);
    assert_labels(&r);
    assert_int_equal(fake.sent, 10); /* once a question */
    assert_int_equal(strlen(formats_seen), 10);
    remembers("null", "response_format", "schema"); /* which it takes */
    assert_int_equal(sql("SELECT calls FROM ledger"), 10);
    assert_int_equal(sql("SELECT unreadable FROM ledger"), 5);
    assert_int_equal(ask_all(&again), DQ_OK);
    assert_int_equal(fake.sent, 0);
    assert_clean();
}

static void misses(const char *body, unsigned attempt, fake_outcome *o)
{
    if (format_in(body) != NONE && number_in(body) % 3 == 0)
        refuse(o, 400, "Failed to validate JSON", -1);
    else
        serve(body, attempt, o);
}

/* A 400 about what the model wrote is one question's. */
static void test_a_missed_schema_is_asked_without(void **state)
{
    (void)state;
    run r = a_formed_run(9);
    now = &servers[0];
    fake.script = misses;
    assert_int_equal(ask_all(&r), DQ_OK);
    assert_labels(&r);
    assert_int_equal(fake.sent, 12);
    remembers("missed", "response_format", "schema");
    assert_int_equal(sql("SELECT calls FROM ledger"), 12);
    assert_clean();
}

/* ---- the seed ---- */

static void seeds(const char *body, unsigned attempt, fake_outcome *o)
{
    const char *seed = strstr(body, "\"seed\":");
    (void)attempt;
    (void)snprintf(o->body, sizeof o->body, "{\"label\":\"L%d\"}", seed ? atoi(seed + 7) : -1);
}

static void test_the_sample_is_the_seed(void **state)
{
    (void)state;
    run r = a_formed_run(0);
    dq_error e = DQ_ERROR_NONE;
    dq_reply reply;
    static const char request[] = "{\"model\":\"m\",\"q\":1}";
    fake.script = seeds;
    dq_ask *ask = open_ask(&r);
    for (uint32_t sample = 0; sample < 9; sample++) {
        dq_question q = {.form = &formed,
                         .request = request,
                         .bytes = sizeof request - 1,
                         .sample = sample,
                         .tag = sample};
        assert_int_equal(dq_ask_put(ask, &q, &e), DQ_OK);
    }
    for (int i = 0; i < 9; i++) {
        char expected[8];
        assert_int_equal(dq_ask_next(ask, &reply, &e), 1);
        (void)snprintf(expected, sizeof expected, "L%d", (int)reply.tag);
        assert_string_equal(reply.label, expected);
    }
    assert_int_equal(dq_ask_close(ask, DQ_OK, &e), DQ_OK);
}

/* ---- errors in a 200 ---- */

static const char *within;

static void fails_inside(const char *body, unsigned attempt, fake_outcome *o)
{
    if (stumbles == 0) {
        serve(body, attempt, o);
        return;
    }
    stumbles--;
    (void)snprintf(o->body, sizeof o->body, "%s", within);
}

static void test_an_error_in_a_200_is_a_failure(void **state)
{
    static const char *const errors[] = {
        "{\"error\":{\"message\":\"the model is overloaded\"}}",
        "{\"error\":{\"code\":429,\"message\":\"slow down\"}}",
        "{\"error\":\"DECISION: L1\"}",
        "{\"object\":\"error\",\"message\":\"asleep\",\"code\":500}",
        "{\"choices\":[{\"error\":{\"code\":502,\"message\":\"upstream\"},\"message\":{\"content\":\"\"}}]}",
        "{\"detail\":\"try again\"}",
        "{\"errors\":[{\"message\":\"asleep\"}],\"success\":false}",
        "{\"choices\":null,\"message\":\"slow down\"}",
        "{\"choices\":[],\"msg\":\"slow down\"}",
        "{\"code\":1001,\"msg\":\"asleep\",\"data\":null,\"success\":false}",
        "data: {\"error\":{\"message\":\"asleep\"}}\n\ndata: [DONE]\n\n",
    };
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        run r = a_formed_run(5), down = a_formed_run(5), mended = a_formed_run(5);
        now = &servers[0];
        fake.script = fails_inside;
        within = errors[i];
        stumbles = 2;
        if (ask_all(&r)) fail_msg("%s: %s", within, r.error.reason);
        assert_labels(&r);
        assert_int_equal(sql("SELECT failed FROM ledger"), 2);
        assert_int_equal(sql("SELECT count(*) FROM answers"), 5);
        stumbles = 1000;
        down.first = mended.first = 100;
        assert_int_equal(ask_all(&down), DQ_ERR_STOPPED);
        assert_int_equal(sql("SELECT count(*) FROM answers"), 5); /* never kept as an answer */
        stumbles = 0;
        assert_int_equal(ask_all(&mended), DQ_OK);
        assert_labels(&mended);
        assert_clean();
        assert_int_equal(teardown(state), 0);
        assert_int_equal(begin(state), 0);
    }
}

/* A refusal, though it came as a success. */
static void test_a_refusal_in_a_200(void **state)
{
    (void)state;
    run r = a_formed_run(3), quota = a_formed_run(3);
    now = &servers[0];
    fake.script = fails_inside;
    within = "{\"error\":{\"code\":\"400\",\"message\":\"grammar\"}}";
    stumbles = 1;
    assert_int_equal(ask_all(&r), DQ_OK);
    assert_labels(&r);
    remembers("200", "response_format", "object");
    within = "{\"error\":{\"code\":402,\"message\":\"no money\"}}";
    stumbles = 100;
    quota.first = 100;
    assert_int_equal(ask_all(&quota), DQ_ERR_UNSUPPORTED);
    assert_non_null(strstr(quota.error.reason, "no money"));
}

static const char *without; /* what the model says under a form; bare it answers */

static void answers_bare(const char *body, unsigned attempt, fake_outcome *o)
{
    serve(body, attempt, o);
    if (without && o->code < 300 && format_in(body) != NONE)
        (void)snprintf(o->body, sizeof o->body, "%s", without);
}

/* A model that never answers under a form costs two calls a question only until that is plain. */
static void test_a_form_that_is_always_missed(void **state)
{
    (void)state;
    run r = a_formed_run(100), again = a_formed_run(10);
    now = &servers[0];
    fake.script = answers_bare;
    without = "{\"unreadable\":1}";
    r.options.parallel = again.options.parallel = 1;
    assert_int_equal(ask_all(&r), DQ_OK);
    assert_labels(&r);
    assert_in_range(fake.sent, 100 + LLM_MISSED, 100 + LLM_MISSED + 8);
    remembers("always missed", "response_format", "none");
    again.first = 200;
    assert_int_equal(ask_all(&again), DQ_OK);
    assert_int_equal(fake.sent, 10);
    without = NULL;
}

/* One that answers_bare it now and then goes on with it, and so does one whose form was chosen by hand. */
static void test_a_form_that_is_missed_at_times(void **state)
{
    (void)state;
    for (int chosen = 0; chosen < 2; chosen++) {
        dq_ask_form fixed = FORM(fixed_members);
        run r = a_formed_run(LLM_MISSED - 1), better = a_formed_run(5), worse = a_formed_run(LLM_MISSED - 1);
        r.options.parallel = better.options.parallel = worse.options.parallel = 1;
        better.first = 100, worse.first = 200;
        if (chosen) r.form = &fixed;
        now = &servers[0];
        fake.script = answers_bare;
        without = "{\"unreadable\":1}";
        assert_int_equal(ask_all(&r), DQ_OK);
        remembers("at times", "response_format", chosen ? NULL : "schema");
        without = NULL;
        assert_int_equal(ask_all(&better), DQ_OK);
        without = "{\"unreadable\":1}";
        assert_int_equal(ask_all(&worse), DQ_OK);
        remembers("at times", "response_format", "schema");
        without = NULL;
        assert_int_equal(teardown(state), 0);
        assert_int_equal(begin(state), 0);
    }
}

/* What is no completion says nothing of what the server takes. */
static void test_nothing_is_learnt_from_no_answer(void **state)
{
    (void)state;
    static const char *const bodies[] = {"", "OK", "{\"choices\":[]}", "[1]", "{\"choices\":"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        run r = a_formed_run(3);
        now = &servers[0];
        fake.script = fails_inside;
        within = bodies[i];
        stumbles = 1000;
        (void)ask_all(&r);
        remembers(bodies[i], "response_format", NULL);
        assert_int_equal(teardown(state), 0);
        assert_int_equal(begin(state), 0);
    }
}

/* A page in place of an answer: a wrong address at first, a gateway's mood later. It is never kept. */
static void test_a_page(void **state)
{
    (void)state;
    run r = a_formed_run(3), good = a_formed_run(3), later = a_formed_run(3);
    now = &servers[0];
    fake.script = fails_inside;
    within = " <!DOCTYPE html><title>Chat</title><script>json_schema grammar</script>DECISION: L1";
    stumbles = 1000;
    assert_int_equal(ask_all(&r), DQ_ERR_UNSUPPORTED);
    assert_int_equal(fake.sent, 1);
    assert_non_null(strstr(r.error.reason, "is OPENAI_BASE_URL right?"));
    assert_int_equal(sql("SELECT count(*) FROM answers"), 0);
    assert_int_equal(sql("SELECT count(*) FROM facts"), 0);
    stumbles = 0;
    assert_int_equal(ask_all(&good), DQ_OK);
    assert_labels(&good);
    later.first = 100;
    assert_int_equal(ask_all(&later), DQ_OK);
}

/* Numbers that no answer has: less than nothing is not told, more than a text can have counts as the most,
 * and nothing overflows. */
static void test_usage_beyond_measure(void **state)
{
    (void)state;
    run r = a_formed_run(4);
    now = &servers[0];
    fake.script = fails_inside;
    within = "{\"label\":\"L1\",\"usage\":{\"prompt_tokens\":9223372036854775807,\"completion_tokens\":-3}}";
    stumbles = 1000;
    if (ask_all(&r)) fail_msg("%s", r.error.reason);
    assert_int_equal(sql("SELECT count(*) FROM answers WHERE tokens_in = 1000000000 AND tokens_out IS NULL"),
                     4);
    assert_int_equal(sql("SELECT tokens_in / 1000000000 + tokens_out FROM ledger"), 4);
}

static void test_answers_are_no_errors(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "{\"choices\":[{\"message\":{\"content\":\"error\"}}],\"error\":null}",
        "{\"choices\":[{\"message\":{\"content\":\"\"},\"error\":null}],\"error\":{},\"message\":\"ok\"}",
        "{\"data\":[],\"error\":\"\",\"detail\":[]}",
        "{\"data\":[{\"embedding\":[1]}],\"message\":\"ok\"}",
        "data: {\"choices\":[{\"delta\":{\"content\":\"L1\"}}]}\n\n",
        "{\"choices\":[]}",
        "{\"label\":\"L1\",\"error\":false}",
        "[\"error\"]",
        "502 Bad Gateway, \"error\"",
        "",
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (dq_llm_error_within(answers[i], strlen(answers[i]))) fail_msg("%s", answers[i]);
}

/* ---- words ---- */

static void test_words(void **state)
{
    (void)state;
    static const struct {
        const char *body, *words;
    } cases[] = {{"{\"error\":{\"message\":\"No JSON\",\"code\":400,\"param\":null}}", "no json\n"},
                 {"{\"detail\":[{\"loc\":[\"body\",\"Seed\"],\"msg\":\"Extra\",\"input\":\"grammar\"}]}",
                  "body\nseed\nextra\n"},
                 {"{\"error\":\"x1y22\",\"request_id\":\"abc\"}", "xy\n"},
                 {"Internal Server Error", "internal server error\n"},
                 {"", "\n"},
                 {"null", ""}};
    char words[LLM_WORDS], *deep = calloc(1, 3 * LLM_WORDS);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dq_llm_refusal_words(cases[i].body, strlen(cases[i].body), words);
        assert_string_equal(words, cases[i].words);
    }
    assert_non_null(deep);
    memset(deep, 'x', 3 * LLM_WORDS - 1);
    dq_llm_refusal_words(deep, strlen(deep), words);
    assert_true(strlen(words) < LLM_WORDS && strlen(words) > LLM_WORDS - 8);
    free(deep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_servers),
        TEST(test_the_others_wait),
        TEST(test_two_unnamed),
        TEST(test_refusals_about_something_else),
        TEST(test_down_with_500),
        TEST(test_a_stumble_is_no_refusal),
        TEST(test_a_server_that_changed),
        TEST(test_by_hand),
        TEST(test_unreadable_is_asked_without),
        TEST(test_a_missed_schema_is_asked_without),
        TEST(test_the_sample_is_the_seed),
        TEST(test_an_error_in_a_200_is_a_failure),
        TEST(test_a_refusal_in_a_200),
        TEST(test_a_form_that_is_always_missed),
        TEST(test_a_form_that_is_missed_at_times),
        TEST(test_nothing_is_learnt_from_no_answer),
        TEST(test_a_page),
        TEST(test_usage_beyond_measure),
        TEST(test_answers_are_no_errors),
        TEST(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
