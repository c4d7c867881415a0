/* SPDX-License-Identifier: MIT
 *
 * How the server misbehaves. A fault is commanded by a plan, posted to /faults,
 *
 *     {"kind": "429", "times": 2, "each": false, "rate": 1, "retry_after": "1", "delay": 0,
 *      "words": "slow down", "type": "...", "code": "...", "body": {...}}
 *
 * (times: of all requests in the order they come, or of each key when `each`; absent: always; rate: a share
 * of the requests, drawn by key and count; retry_after: seconds, or "date:N", an HTTP date N seconds ahead,
 * or any text; words, type, code: of the error of a code 400 .. 599, or its whole body; only `kind` is
 * needed), or by a model's name, "fault-KIND", "fault-KIND-TIMES" or
 * "fault-KIND-TIMES@RETRY_AFTER", whose times are of each key.
 */
#include "llm.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct plan {
    char kind[24], retry_after[64], words[200], type[40], code[40];
    json_t *body;  /* NULL: an error of these words */
    int64_t times; /* left; -1: always */
    bool each;
    double rate, delay;
} plan;

enum { MAX_PLANS = 64 };

static struct {
    pthread_mutex_t lock;
    plan plans[MAX_PLANS];
    size_t count;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- below HTTP ---- */

static int socket_of(const llm_exchange *x)
{
    return MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static void say(const llm_exchange *x, const char *bytes, size_t n)
{
    for (ssize_t sent; n > 0; bytes += sent, n -= (size_t)sent)
        if ((sent = send(socket_of(x), bytes, n, MSG_NOSIGNAL)) <= 0) return;
}

/* Until the client has gone. */
static void fall_silent(const llm_exchange *x)
{
    struct pollfd wait = {.fd = socket_of(x), .events = POLLRDHUP};
    while (poll(&wait, 1, -1) <= 0) {
    }
}

static void send_reset(const llm_exchange *x)
{
    const struct sockaddr none = {.sa_family = AF_UNSPEC};
    (void)connect(socket_of(x), &none, sizeof none);
}

/* The honest answer's text; free it. */
static char *honest(llm_exchange *x)
{
    json_t *body = strstr(x->path, "embeddings") ? llm_answer_embeddings(x) : llm_answer_chat(x);
    char *text = body ? json_dumps(body, JSON_COMPACT) : strdup("{}");
    json_decref(body);
    return text ? text : strdup("{}");
}

/* A 200 that claims `claimed` bytes and the first n of them. */
static void begin(llm_exchange *x, const char *text, size_t claimed, size_t n)
{
    char head[160];
    x->code = 200;
    int bytes = snprintf(head, sizeof head,
                         "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                         claimed);
    say(x, head, (size_t)bytes);
    say(x, text, n);
}

static enum MHD_Result fault_cut(llm_exchange *x, const plan *p)
{
    (void)p;
    char *text = honest(x);
    begin(x, text, strlen(text), strlen(text) / 2);
    free(text);
    return MHD_NO;
}

static enum MHD_Result fault_reset(llm_exchange *x, const plan *p)
{
    (void)p;
    send_reset(x);
    return MHD_NO;
}

static enum MHD_Result fault_close(llm_exchange *x, const plan *p)
{
    (void)p;
    (void)x;
    return MHD_NO;
}

static enum MHD_Result fault_reset_body(llm_exchange *x, const plan *p)
{
    (void)p;
    char *text = honest(x);
    begin(x, text, strlen(text), strlen(text) / 2);
    free(text);
    send_reset(x);
    return MHD_NO;
}

static enum MHD_Result fault_hang(llm_exchange *x, const plan *p)
{
    (void)p;
    fall_silent(x);
    return MHD_NO;
}

static enum MHD_Result fault_hang_body(llm_exchange *x, const plan *p)
{
    (void)p;
    char *text = honest(x);
    begin(x, text, strlen(text), strlen(text) / 2);
    free(text);
    fall_silent(x);
    return MHD_NO;
}

static enum MHD_Result fault_half_closed(llm_exchange *x, const plan *p)
{
    (void)p;
    shutdown(socket_of(x), SHUT_WR);
    fall_silent(x);
    return MHD_NO;
}

static enum MHD_Result fault_longer(llm_exchange *x, const plan *p)
{
    (void)p;
    char *text = honest(x);
    begin(x, text, strlen(text) + 100, strlen(text));
    free(text);
    return MHD_NO;
}

static enum MHD_Result fault_shorter(llm_exchange *x, const plan *p)
{
    (void)p;
    char *text = honest(x);
    begin(x, text, strlen(text) - 10, strlen(text));
    free(text);
    return MHD_NO;
}

static enum MHD_Result fault_not_http(llm_exchange *x, const plan *p)
{
    (void)p;
    static const char words[] = "220 mail.example ESMTP\r\n";
    say(x, words, sizeof words - 1);
    return MHD_NO;
}

/* A body without an end, as fast as the client takes it. */
static enum MHD_Result fault_endless(llm_exchange *x, const plan *p)
{
    (void)p;
    static const char head[] =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    char chunk[8 + 65536 + 2];
    int n = snprintf(chunk, 16, "%x\r\n", 65536);
    memset(chunk + n, ' ', 65536);
    memcpy(chunk + n + 65536, "\r\n", 2);
    x->code = 200;
    say(x, head, sizeof head - 1);
    while (send(socket_of(x), chunk, (size_t)n + 65538, MSG_NOSIGNAL) > 0) {
    }
    return MHD_NO;
}

/* ---- bodies ---- */

static enum MHD_Result fault_malformed(llm_exchange *x, const plan *p)
{
    (void)p;
    char *text = honest(x);
    enum MHD_Result result = llm_reply(x, 200, "application/json", text, strlen(text) / 2, NULL, NULL);
    free(text);
    return result;
}

static enum MHD_Result fault_html(llm_exchange *x, const plan *p)
{
    (void)p;
    static const char page[] =
        "<!DOCTYPE html><html><head><title>Sign in to the network</title></head><body>DECISION: "
        "APPLY</body></html>\n";
    return llm_reply(x, 200, "text/html", page, sizeof page - 1, NULL, NULL);
}

static enum MHD_Result fault_error_body(llm_exchange *x, const plan *p)
{
    (void)p;
    return llm_reply_error(x, 200, "the model is overloaded", NULL, NULL);
}

static enum MHD_Result fault_empty_body(llm_exchange *x, const plan *p)
{
    (void)p;
    return llm_reply(x, 200, "application/json", "", 0, NULL, NULL);
}

static enum MHD_Result fault_no_choices(llm_exchange *x, const plan *p)
{
    (void)p;
    return llm_reply_json(x, 200, json_pack("{s:s,s:[]}", "object", "chat.completion", "choices"));
}

static enum MHD_Result fault_binary(llm_exchange *x, const plan *p)
{
    (void)p;
    static const char bytes[] = "\x1f\x8b\0\0\xff\xfe{\"choices\"";
    return llm_reply(x, 200, "application/json", bytes, sizeof bytes - 1, NULL, NULL);
}

static enum MHD_Result fault_redirect(llm_exchange *x, const plan *p)
{
    (void)p;
    return llm_reply(x, 307, "text/plain", "", 0, "Location", "/v1/elsewhere?token=secret");
}

static enum MHD_Result fault_no_schema(llm_exchange *x, const plan *p)
{
    (void)p;
    if (json_object_get(x->request, "response_format"))
        return llm_reply_error(x, 400, "response_format is not supported by this model", "response_format",
                               NULL);
    char *text = honest(x);
    enum MHD_Result result = llm_reply(x, 200, "application/json", text, strlen(text), NULL, NULL);
    free(text);
    return result;
}

/* ---- odd vectors ---- */

/* An honest answer to a request of embeddings, made odd. */
static enum MHD_Result reply_vectors(llm_exchange *x, const char *kind)
{
    json_t *body = llm_answer_embeddings(x), *data = json_object_get(body, "data"), *row;
    size_t i, n = json_array_size(data);
    if (!data) return llm_reply_error(x, 400, "input: wanted texts", "input", NULL);
    if (strcmp(kind, "fewer") == 0) json_array_remove(data, n - 1);
    json_array_foreach(data, i, row)
    {
        if (strcmp(kind, "no-index") == 0 || (strcmp(kind, "no-index-0") == 0 && i == 0))
            json_object_del(row, "index");
        if (strcmp(kind, "same-index") == 0) json_object_set_new(row, "index", json_integer(0));
        if (strcmp(kind, "null-vector") == 0 && i == n - 1)
            json_object_set_new(row, "embedding", json_null());
        if (strcmp(kind, "wider") == 0 && i == n - 1)
            json_array_append_new(json_object_get(row, "embedding"), json_real(0.5));
    }
    for (i = 0; strcmp(kind, "no-index-0") == 0 && i < n / 2; i++) { /* the opposite order */
        json_t *a = json_incref(json_array_get(data, i)), *b = json_incref(json_array_get(data, n - 1 - i));
        json_array_set_new(data, i, b);
        json_array_set_new(data, n - 1 - i, a);
    }
    return llm_reply_json(x, 200, body);
}

static enum MHD_Result fault_vectors(llm_exchange *x, const plan *p)
{
    return reply_vectors(x, p->kind);
}

static enum MHD_Result fault_base64(llm_exchange *x, const plan *p)
{
    (void)p;
    json_object_set_new(x->request, "encoding_format", json_string("base64"));
    return reply_vectors(x, "");
}

/* ---- completions that hold no judgement ---- */

static enum MHD_Result fault_empty(llm_exchange *x, const plan *p)
{
    (void)p;
    return llm_reply_json(x, 200, llm_completion(x, "", NULL, "stop", NULL));
}

static enum MHD_Result fault_null(llm_exchange *x, const plan *p)
{
    (void)p;
    return llm_reply_json(x, 200, llm_completion(x, NULL, NULL, "stop", NULL));
}

static enum MHD_Result fault_refusal(llm_exchange *x, const plan *p)
{
    (void)p;
    return llm_reply_json(x, 200, llm_completion(x, NULL, "I cannot APPLY for anybody.", "stop", NULL));
}

static enum MHD_Result fault_filtered(llm_exchange *x, const plan *p)
{
    (void)p;
    return llm_reply_json(x, 200, llm_completion(x, "DECISION: APPLY", NULL, "content_filter", NULL));
}

static enum MHD_Result fault_length(llm_exchange *x, const plan *p)
{
    (void)p;
    return llm_reply_json(
        x, 200, llm_completion(x, "The applicant would SAVE it, or perhaps APPL", NULL, "length", NULL));
}

static enum MHD_Result fault_unknown_label(llm_exchange *x, const plan *p)
{
    (void)p;
    return llm_reply_json(x, 200, llm_completion(x, "DECISION: MAYBE", NULL, "stop", NULL));
}

static enum MHD_Result fault_two_labels(llm_exchange *x, const plan *p)
{
    (void)p;
    return llm_reply_json(x, 200,
                          llm_completion(x, "CLICK, APPLY or IGNORE: all are well", NULL, "stop", NULL));
}

static enum MHD_Result fault_prose(llm_exchange *x, const plan *p)
{
    (void)p;
    return llm_reply_json(x, 200, llm_completion(x, "What a pleasant posting.", NULL, "stop", NULL));
}

/* ---- codes ---- */

static void retry_after(const plan *p, char *text, size_t n)
{
    struct tm parts;
    if (strncmp(p->retry_after, "date:", 5) != 0) {
        (void)snprintf(text, n, "%s", p->retry_after);
        return;
    }
    time_t then = time(NULL) + atoi(p->retry_after + 5);
    strftime(text, n, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&then, &parts));
}

/* When the client may come back, by the server's clock. A date is whole seconds, so it may be up to one less.
 */
static double back_at(const plan *p)
{
    bool date = strncmp(p->retry_after, "date:", 5) == 0;
    double seconds = date ? atof(p->retry_after + 5) - 1 : atof(p->retry_after);
    return llm_clock() + seconds;
}

static enum MHD_Result fault_code(llm_exchange *x, const plan *p)
{
    char text[64], words[64];
    unsigned code = (unsigned)atoi(p->kind);
    retry_after(p, text, sizeof text);
    const char *after = text[0] ? text : NULL;
    (void)snprintf(words, sizeof words, "the server was told to say %u", code);
    if (p->body) return llm_reply_body(x, code, json_incref(p->body), after);
    if (!p->type[0] && !p->code[0])
        return llm_reply_error(x, code, p->words[0] ? p->words : words, NULL, after);
    return llm_reply_body(x, code,
                          json_pack("{s:{s:s,s:s?,s:s?}}", "error", "message", p->words, "type",
                                    p->type[0] ? p->type : NULL, "code", p->code[0] ? p->code : NULL),
                          after);
}

static const struct kind {
    const char *name;
    enum MHD_Result (*go)(llm_exchange *x, const plan *p);
    const char *help;
} kinds[] = {
    {"delay", NULL, "only the plan's delay"},
    {"cut", fault_cut, "the connection closes in the middle of the body"},
    {"reset", fault_reset, "the connection is reset before a byte"},
    {"reset-body", fault_reset_body, "... in the middle of the body"},
    {"close", fault_close, "the connection closes before a byte"},
    {"hang", fault_hang, "not a byte, until the client goes"},
    {"hang-body", fault_hang_body, "half a body, and then nothing"},
    {"half-closed", fault_half_closed, "the server closes its side and goes on listening"},
    {"longer", fault_longer, "Content-Length is 100 more than the body, which is whole"},
    {"shorter", fault_shorter, "Content-Length is 10 less than the body"},
    {"not-http", fault_not_http, "the greeting of a mail server"},
    {"endless", fault_endless, "a body that never ends"},
    {"malformed", fault_malformed, "200, half a JSON text of the right length"},
    {"html", fault_html, "200, a proxy's page"},
    {"error-body", fault_error_body, "200, an error object"},
    {"empty-body", fault_empty_body, "200, no byte"},
    {"no-choices", fault_no_choices, "200, an empty list of choices"},
    {"binary", fault_binary, "200, bytes that are no text"},
    {"redirect", fault_redirect, "307 to another path"},
    {"no-schema", fault_no_schema, "400 that names response_format where there is one"},
    {"fewer", fault_vectors, "embeddings: the last vector is missing"},
    {"no-index", fault_vectors, "embeddings without an index"},
    {"no-index-0", fault_vectors, "... without the index 0, and in the opposite order"},
    {"same-index", fault_vectors, "embeddings that all have the index 0"},
    {"null-vector", fault_vectors, "the last embedding is null"},
    {"wider", fault_vectors, "the last embedding has a number more"},
    {"base64", fault_base64, "embeddings as base64, unasked"},
    {"empty", fault_empty, "an empty content"},
    {"null", fault_null, "a null content"},
    {"refusal", fault_refusal, "a refusal that names a label"},
    {"filtered", fault_filtered, "finish_reason content_filter"},
    {"length", fault_length, "finish_reason length"},
    {"unknown-label", fault_unknown_label, "DECISION: MAYBE"},
    {"two-labels", fault_two_labels, "more than one label"},
    {"prose", fault_prose, "no label at all"},
};

static const struct kind *find_kind(const char *name)
{
    static const struct kind code = {"", fault_code, ""};
    if (strlen(name) == 3 && strspn(name, "0123456789") == 3) return &code;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0) return kinds + i;
    return NULL;
}

void llm_faults_help(void)
{
    puts("Faults, by POST /faults {\"kind\": KIND, \"times\": N, \"each\": BOOL, \"rate\": R, "
         "\"retry_after\": TEXT,\n"
         "\"delay\": SECONDS} or by the model's name, fault-KIND[-TIMES[@RETRY_AFTER]]:\n\n"
         "  400 .. 599      an error of that code; Retry-After where the plan has it");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        printf("  %-15s %s\n", kinds[i].name, kinds[i].help);
}

/* ---- plans ---- */

static bool read_plan(const json_t *from, plan *p)
{
    json_t *times = json_object_get(from, "times"), *rate = json_object_get(from, "rate");
    *p = (plan){.times = times ? json_integer_value(times) : -1,
                .each = json_is_true(json_object_get(from, "each")),
                .rate = rate ? json_number_value(rate) : 1,
                .delay = json_number_value(json_object_get(from, "delay"))};
    (void)snprintf(p->kind, sizeof p->kind, "%s", llm_text(from, "kind"));
    (void)snprintf(p->retry_after, sizeof p->retry_after, "%s", llm_text(from, "retry_after"));
    (void)snprintf(p->words, sizeof p->words, "%s", llm_text(from, "words"));
    (void)snprintf(p->type, sizeof p->type, "%s", llm_text(from, "type"));
    (void)snprintf(p->code, sizeof p->code, "%s", llm_text(from, "code"));
    p->body = json_incref(json_object_get(from, "body")); /* for good: plans are few */
    return find_kind(p->kind) != NULL;
}

bool llm_faults_add(const json_t *plans)
{
    size_t n = json_is_array(plans) ? json_array_size(plans) : 1;
    bool fine = true;
    pthread_mutex_lock(&all.lock);
    for (size_t i = 0; i < n && fine; i++)
        fine = all.count < MAX_PLANS &&
               read_plan(json_is_array(plans) ? json_array_get(plans, i) : plans, &all.plans[all.count++]);
    pthread_mutex_unlock(&all.lock);
    return fine;
}

void llm_faults_clear(void)
{
    pthread_mutex_lock(&all.lock);
    all.count = 0;
    pthread_mutex_unlock(&all.lock);
}

static bool of_model(const llm_exchange *x, plan *p)
{
    const char *name = llm_text(x->request, "model");
    if (strncmp(name, "fault-", 6) != 0) return false;
    *p = (plan){.times = -1, .each = true, .rate = 1};
    (void)snprintf(p->kind, sizeof p->kind, "%s", name + 6);
    char *at = strchr(p->kind, '@');
    if (at) {
        (void)snprintf(p->retry_after, sizeof p->retry_after, "%s", strchr(name, '@') + 1);
        *at = 0;
    }
    char *dash = strrchr(p->kind, '-');
    if (dash && dash[1] && strspn(dash + 1, "0123456789") == strlen(dash + 1)) {
        p->times = atoi(dash + 1);
        *dash = 0;
    }
    return find_kind(p->kind) && (p->times < 0 || x->count <= p->times);
}

static bool drawn(const llm_exchange *x, const plan *p)
{
    const uint64_t what[2] = {x->key, x->count};
    return p->rate >= 1 || llm_share(llm_hash(what, sizeof what, llm_options_now.seed + 1)) < p->rate;
}

/* The first plan that wants this exchange. */
static bool choose(const llm_exchange *x, plan *p)
{
    bool found = false;
    pthread_mutex_lock(&all.lock);
    for (size_t i = 0; i < all.count && !found; i++) {
        plan *it = all.plans + i;
        if (!(it->times < 0 || (it->each ? x->count <= it->times : it->times > 0)) || !drawn(x, it)) continue;
        if (!it->each && it->times > 0) it->times--;
        *p = *it;
        found = true;
    }
    pthread_mutex_unlock(&all.lock);
    return found;
}

bool llm_fault(llm_exchange *x, enum MHD_Result *result)
{
    plan p;
    if (!choose(x, &p) && !of_model(x, &p)) return false;
    const struct kind *kind = find_kind(p.kind);
    if (p.delay > 0) llm_sleep(p.delay);
    if (!kind->go) return false;
    llm_stats_fault(x, p.kind, p.retry_after[0] ? back_at(&p) : 0, strcmp(p.kind, "429") == 0);
    *result = kind->go(x, &p);
    return true;
}
