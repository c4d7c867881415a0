/* SPDX-License-Identifier: MIT
 *
 * The dispatcher, over a real connection: which route, who may, what is refused and how, what is counted, and
 * that the description says the same.
 */
#include "http_client.h"
#include "port/files/json.h"
#include "serve/server.h"
#include "serve/tables.h"

static const dq_serve_field body_fields[] = {{"n", DQ_SERVE_INTEGER, .required = true, .min = 0, .max = 9},
                                             {0}};
static const dq_serve_field query_fields[] = {
    {"limit", DQ_SERVE_INTEGER, .min = 1, .max = 5}, {"q", DQ_SERVE_STRING, .max_length = 4}, {0}};
static const dq_serve_field answer_fields[] = {{"said", DQ_SERVE_STRING, .required = true}, {0}};
static const dq_serve_schema body = {.name = "Body", .fields = body_fields};
static const dq_serve_schema query = {.name = "Query", .fields = query_fields};
static const dq_serve_schema answer = {.name = "Answer", .fields = answer_fields};

static void say(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply)
{
    (void)serve;
    dq_arena *arena = call->request->arena;
    char words[200];
    dq_value map = dq_map();
    snprintf(words, sizeof words, "n %d limit %d id %s",
             (int)dq_value_integer(dq_map_get(&call->body, "n"), -1),
             (int)dq_value_integer(dq_map_get(&call->query, "limit"), -1), call->id ? call->id : "-");
    dq_map_set(arena, &map, "said", dq_string(arena, words));
    dq_serve_json(reply, call->request, &map);
}

static void conflict(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply)
{
    (void)serve;
    dq_serve_problem(reply, call->request, 409, "Conflict", "not \"%s\" \x80 now", call->id);
}

static const dq_serve_route routes[] = {
    {"POST", "/make", "makes", say, .body = &body, .answer = &answer, .status = 202},
    {"GET", "/list", "lists", say, .query = &query, .answer = &answer},
    {"GET", "/list/{id}", "one of the list", say, .answer = &answer},
    {"GET", "/fail/{id}", "fails", conflict, .answer = &answer},
    {"POST", "/demo", "with --demo", say, .answer = &answer, .flags = DQ_SERVE_DEMO},
    {0}};
static const dq_serve_route *const tables[] = {routes, dq_serve_basic_routes, NULL};

typedef struct fixture {
    dq_serve serve;
} fixture;

static void open_server(fixture *f, const char *token, const char *origin)
{
    dq_httpd_config c = DQ_HTTPD_DEFAULTS;
    c.body_bytes = 2000;
    f->serve = (dq_serve){.version = "9", .tables = tables, .token = token, .origin = origin};
    assert_int_equal(dq_telemetry_new(&f->serve.telemetry, NULL), DQ_OK);
    assert_int_equal(dq_serve_routes_open(&f->serve, NULL), DQ_OK);
    c.address = "127.0.0.1:0";
    assert_int_equal(dq_httpd_open(&f->serve.httpd, &c, dq_serve_handle, &f->serve, NULL), DQ_OK);
}

static void close_server(fixture *f)
{
    dq_httpd_close(f->serve.httpd);
    dq_serve_routes_close(&f->serve);
    dq_telemetry_free(f->serve.telemetry);
}

/* A POST of JSON. */
static void posts(const fixture *f, const char *text, unsigned status, const char *words)
{
    char request[4000];
    snprintf(request, sizeof request,
             "POST /make HTTP/1.1\r\n" CLOSE
             "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             strlen(text), text);
    asks(f->serve.httpd, request, status, words);
}

static void gets(const fixture *f, const char *path, unsigned status, const char *words)
{
    char request[4000];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" CLOSE "\r\n", path);
    asks(f->serve.httpd, request, status, words);
}

static void test_bodies(void **state)
{
    (void)state;
    fixture f;
    open_server(&f, NULL, NULL);
    posts(&f, "{\"n\":7}", 202, "{\"said\":\"n 7 limit -1 id -\"}");
    posts(&f, " {\"n\" : 7 } \n", 202, "n 7");
    posts(&f, "", 400, "/n: is missing");
    posts(&f, "{}", 400, "/n: is missing");
    posts(&f, "{\"n\":70}", 400, "/n: not within 0 to 9");
    posts(&f, "{\"n\":7,\"m\":1}", 400, "/m: there is no such field");
    posts(&f, "{\"n\":7", 400, "JSON: ");
    posts(&f, "{\"n\":7}}", 400, "JSON: ");
    posts(&f, "{\"n\":7,\"n\":8}", 400, "JSON: ");
    posts(&f, "{\"n\":NaN}", 400, "JSON: ");
    posts(&f, "{\"n\":1e999}", 400, "JSON: ");
    posts(&f, "[7]", 400, "the whole: not an object");
    posts(&f, "{\"\xff\xfe\":7}", 400, "JSON: ");
    posts(&f, "{\"n\":\"\xc0\xaf\"}", 400, "JSON: ");
    posts(&f, "{\"n\":\"\xed\xa0\x80\"}", 400, "JSON: "); /* half of a surrogate pair */
    posts(&f, "{\"\x1b[31m\":7}", 400, "application/problem+json");
    posts(&f, "{\"\\u001b[31m\":7}", 400, "/\\\\x1b[31m: there is no such field");
    char deep[2000];
    memset(deep, '[', 1900);
    deep[1900] = '\0';
    posts(&f, deep, 400, "JSON: ");
    for (int i = 0; i < 1900; i += 5) memcpy(deep + i, "{\"n\":", 5);
    posts(&f, deep, 400, "JSON: ");
    close_server(&f);
}

static void test_large_and_other_bodies(void **state)
{
    (void)state;
    fixture f;
    char text[2600];
    open_server(&f, NULL, NULL);
    memset(text, ' ', sizeof text);
    memcpy(text, "{\"n\":1}", 7);
    text[2000] = '\0';
    posts(&f, text, 202, "n 1");
    text[2000] = ' ', text[2001] = '\0';
    posts(&f, text, 413, "\"status\":413");
    const dq_httpd *h = f.serve.httpd;
    asks(h, "POST /make HTTP/1.1\r\n" CLOSE "\r\n", 415, "application/json"); /* without a body, too */
    asks(h, "POST /make HTTP/1.1\r\n" CLOSE "Content-Length: 7\r\n\r\n{\"n\":1}", 415, "application/json");
    asks(h, "POST /make HTTP/1.1\r\n" CLOSE "Content-Type: text/plain\r\nContent-Length: 7\r\n\r\n{\"n\":1}",
         415, "");
    asks(h,
         "POST /make HTTP/1.1\r\n" CLOSE
         "Content-Type: application/jsonp\r\nContent-Length: 7\r\n\r\n{\"n\":1}",
         415, "");
    asks(h,
         "POST /make HTTP/1.1\r\n" CLOSE
         "Content-Type: Application/JSON; charset=utf-8\r\nContent-Length: 7\r\n\r\n{\"n\":1}",
         202, "n 1");
    asks(h,
         "GET /list HTTP/1.1\r\n" CLOSE
         "Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"n\":1}",
         400, "/n: there is no such field");
    close_server(&f);
}

static void test_paths_and_queries(void **state)
{
    (void)state;
    fixture f;
    open_server(&f, NULL, NULL);
    gets(&f, "/list", 200, "n -1 limit -1 id -");
    gets(&f, "/list?limit=3&q=abc", 200, "limit 3");
    gets(&f, "/list?limit=6", 400, "/limit: not within 1 to 5");
    gets(&f, "/list?limit", 400, "/limit: not an integer");
    gets(&f, "/list?limit=1&limit=2", 400, "the parameter limit is given twice");
    gets(&f, "/list?other=1", 400, "there is no parameter other");
    gets(&f, "/list?q=%ff", 400, "the query is not UTF-8");
    gets(&f, "/list?q=abcde", 400, "/q: longer than 4 bytes");
    gets(&f, "/list/u%20%C3%A9", 200, "id u \xc3\xa9");
    gets(&f, "/list/%ff", 400, "the path is not UTF-8");
    gets(&f, "/list/", 404, "there is nothing at /list/");
    gets(&f, "/lis", 404, "");
    gets(&f, "/list%00", 400, "that is no path");
    gets(&f, "/%ff\x01", 404, "there is nothing at /??");
    gets(&f, "/make", 405, "Allow: POST");
    gets(&f, "/demo", 404, "");
    gets(&f, "/fail/x", 409,
         "{\"type\":\"about:blank\",\"title\":\"Conflict\",\"status\":409,\"detail\":\"not \\\"x\\\" ? "
         "now\"}");
    gets(&f, "/fail/x", 409, "Content-Type: application/problem+json");
    gets(&f, "/list", 200, "X-Content-Type-Options: nosniff");
    asks(f.serve.httpd, "OPTIONS /list HTTP/1.1\r\n" CLOSE "\r\n", 405, "Allow: GET");
    char *head = ask(f.serve.httpd, "HEAD /list HTTP/1.1\r\n" CLOSE "\r\n");
    assert_non_null(strstr(head, "HTTP/1.1 200"));
    assert_null(strstr(head, "said"));
    free(head);
    close_server(&f);
}

static void test_the_token(void **state)
{
    (void)state;
    fixture f;
    open_server(&f, "0123456789abcdef", NULL);
    const dq_httpd *h = f.serve.httpd;
    gets(&f, "/list", 401, "WWW-Authenticate: Bearer");
    gets(&f, "/api/health", 200, "\"ok\"");
    asks(h, "GET /list HTTP/1.1\r\n" CLOSE "Authorization: Bearer 0123456789abcdef\r\n\r\n", 200, "said");
    asks(h, "GET /list HTTP/1.1\r\n" CLOSE "Authorization: bearer 0123456789abcdef\r\n\r\n", 200, "said");
    static const char *const wrong[] = {"",
                                        "0",
                                        "0123456789abcdeg",
                                        "0123456789abcde",
                                        "0123456789abcdef0",
                                        "0123456789abcdef0123456789abcdef",
                                        NULL};
    for (const char *const *w = wrong; *w; w++) {
        char text[200];
        snprintf(text, sizeof text, "GET /list HTTP/1.1\r\n" CLOSE "Authorization: Bearer %s\r\n\r\n", *w);
        asks(h, text, 401, "");
    }
    asks(h, "GET /list HTTP/1.1\r\n" CLOSE "Authorization: Basic 0123456789abcdef\r\n\r\n", 401, "");
    close_server(&f);
}

static void test_other_origins(void **state)
{
    (void)state;
    fixture f;
    open_server(&f, NULL, NULL);
    char *text = ask(f.serve.httpd, "GET /list HTTP/1.1\r\n" CLOSE "Origin: https://a.example\r\n\r\n");
    assert_null(strstr(text, "Access-Control"));
    free(text);
    close_server(&f);
    open_server(&f, NULL, "https://a.example");
    gets(&f, "/list", 200, "Access-Control-Allow-Origin: https://a.example");
    asks(f.serve.httpd, "OPTIONS /make HTTP/1.1\r\n" CLOSE "Origin: https://a.example\r\n\r\n", 204,
         "Access-Control-Allow-Methods: POST");
    close_server(&f);
}

/* A page whose name resolves to this machine is of the same origin: its name says who it is. */
static void test_other_names(void **state)
{
    (void)state;
    static const char *const ours[] = {"localhost",    "LocalHost:80", "a.localhost:1", "127.0.0.1",
                                       "127.1.2.3:80", "[::1]",        "[::1]:80",      NULL};
    static const char *const others[] = {"evil.example",
                                         "localhost.evil.example",
                                         "127.0.0.1.evil.example:80",
                                         "notlocalhost",
                                         "[::2]",
                                         "[::1",
                                         "128.0.0.1",
                                         "",
                                         "127.evil",
                                         NULL};
    fixture f;
    char text[200];
    open_server(&f, NULL, NULL);
    for (const char *const *o = ours; *o; o++) {
        snprintf(text, sizeof text, "GET /list HTTP/1.1\r\nConnection: close\r\nHost: %s\r\n\r\n", *o);
        asks(f.serve.httpd, text, 200, "said");
    }
    for (const char *const *o = others; *o; o++) {
        snprintf(text, sizeof text, "GET /list HTTP/1.1\r\nConnection: close\r\nHost: %s\r\n\r\n", *o);
        asks(f.serve.httpd, text, 421, "localhost alone");
    }
    close_server(&f);
    open_server(&f, "0123456789abcdef", NULL); /* a page elsewhere has no token */
    asks(f.serve.httpd,
         "GET /list HTTP/1.1\r\nConnection: close\r\nHost: shop.example\r\nAuthorization: Bearer "
         "0123456789abcdef\r\n\r\n",
         200, "said");
    close_server(&f);
}

static void test_what_is_counted(void **state)
{
    (void)state;
    fixture f;
    open_server(&f, NULL, NULL);
    posts(&f, "{\"n\":7}", 202, "");
    posts(&f, "{\"n\":7}", 202, "");
    posts(&f, "{\"n\":70}", 400, "");
    gets(&f, "/nowhere", 404, "");
    gets(&f, "/metrics", 200, "dq_serve_requests_total{route=\"/make\",method=\"POST\",status=\"202\"} 2\n");
    gets(&f, "/metrics", 200, "dq_serve_requests_total{route=\"/make\",method=\"POST\",status=\"400\"} 1\n");
    gets(&f, "/metrics", 200, "dq_serve_requests_total{route=\"\",method=\"\",status=\"404\"} 1\n");
    gets(&f, "/metrics", 200, "dq_serve_request_seconds_count{route=\"/make\",method=\"POST\"} 3\n");
    gets(&f, "/metrics", 200, "dq_serve_requests_open 1\n");
    gets(&f, "/metrics", 200, "Content-Type: text/plain; version=0.0.4");
    close_server(&f);
}

static const dq_value *at(const dq_value *v, const char *const *keys)
{
    for (; *keys && v; keys++) v = dq_map_get(v, *keys);
    return v;
}

static void test_the_description(void **state)
{
    (void)state;
    fixture f;
    open_server(&f, NULL, NULL);
    char *text = ask(f.serve.httpd, "GET /api/openapi.json HTTP/1.1\r\n" CLOSE "\r\n");
    const char *json = strstr(text, "\r\n\r\n") + 4;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value v;
    assert_int_equal(dq_json_parse(json, strlen(json), &arena, &v, NULL), DQ_OK);
    assert_true(dq_value_is(dq_map_get(&v, "openapi"), "3.1.0"));
    const dq_value *paths = dq_map_get(&v, "paths");
    assert_int_equal(paths->count, 4 + 3); /* ours but for /demo, and the three that every server has */
    assert_null(dq_map_get(paths, "/demo"));
    assert_true(dq_value_is(at(paths, (const char *const[]){"/make", "post", "responses", "202", "content",
                                                            "application/json", "schema", "$ref", NULL}),
                            "#/components/schemas/Answer"));
    const dq_value *list = at(paths, (const char *const[]){"/list", "get", "parameters", NULL});
    assert_int_equal(list->count, 2);
    assert_true(dq_value_is(dq_map_get(&list->as.list[0], "name"), "limit"));
    list = at(paths, (const char *const[]){"/list/{id}", "get", "parameters", NULL});
    assert_true(dq_value_is(dq_map_get(&list->as.list[0], "in"), "path"));
    const dq_value *schemas = at(&v, (const char *const[]){"components", "schemas", NULL});
    assert_non_null(dq_map_get(schemas, "Body"));
    assert_non_null(dq_map_get(schemas, "Problem"));
    dq_arena_free(&arena);
    free(text);
    close_server(&f);
}

static void test_when_it_stops(void **state)
{
    (void)state;
    fixture f;
    open_server(&f, NULL, NULL);
    gets(&f, "/api/health", 200, "{\"status\":\"ok\",\"version\":\"9\"}");
    atomic_store(&f.serve.stopping, true);
    gets(&f, "/api/health", 503, "the server stops");
    close_server(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_large_and_other_bodies),
        cmocka_unit_test(test_paths_and_queries),
        cmocka_unit_test(test_the_token),
        cmocka_unit_test(test_other_origins),
        cmocka_unit_test(test_other_names),
        cmocka_unit_test(test_what_is_counted),
        cmocka_unit_test(test_the_description),
        cmocka_unit_test(test_when_it_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
