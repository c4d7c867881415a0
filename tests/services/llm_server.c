/* SPDX-License-Identifier: MIT
 *
 * llm_server: a language-model server for tests. Prints its port when it is ready; ends at SIGTERM, or when
 * its stdin closes.
 *
 *     POST /v1/chat/completions, /v1/embeddings, GET /v1/models
 *     GET  /stats    counters            GET  /keys    requests and answers of each key
 *     GET  /log      each request        GET  /last    the last question as it came
 *     POST /faults   what shall go wrong (see llm_faults.c), also commanded by a model's name: fault-429-2
 *     POST /clear    counters, log and faults are forgotten
 */
#include "llm.h"

#include <getopt.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

llm_options llm_options_now = {.seed = 42, .batch = 2048, .width = 64, .context_code = 400};

static double began;
static pthread_mutex_t last_lock = PTHREAD_MUTEX_INITIALIZER;
static json_t *last;

/* ---- what all parts use ---- */

static double clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double llm_clock(void)
{
    return clock_now() - began;
}

void llm_sleep(double seconds)
{
    struct timespec t = {.tv_sec = (time_t)seconds,
                         .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&t, &t) != 0) {
    }
}

/* FNV-1a, finished as splitmix64 does. */
uint64_t llm_hash(const void *data, size_t n, uint64_t seed)
{
    const unsigned char *bytes = data;
    uint64_t h = 0xcbf29ce484222325U ^ seed * 0x9e3779b97f4a7c15U;
    for (size_t i = 0; i < n; i++) h = (h ^ bytes[i]) * 0x100000001b3U;
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9U;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebU;
    return h ^ (h >> 31);
}

double llm_share(uint64_t hash)
{
    return (double)(hash >> 11) * 0x1.0p-53;
}

const char *llm_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

enum MHD_Result llm_reply(llm_exchange *x, unsigned code, const char *type, const char *body, size_t bytes,
                          const char *header, const char *value)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(bytes, (void *)(uintptr_t)body,
                                                                    MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(response, "Content-Type", type);
    if (header) MHD_add_response_header(response, header, value);
    x->code = code;
    enum MHD_Result result = MHD_queue_response(x->connection, code, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result llm_reply_json(llm_exchange *x, unsigned code, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    if (!text) return MHD_NO;
    enum MHD_Result result = llm_reply(x, code, "application/json", text, strlen(text), NULL, NULL);
    free(text);
    return result;
}

enum MHD_Result llm_reply_error(llm_exchange *x, unsigned code, const char *message, const char *param,
                                const char *retry_after)
{
    const char *type = code == 429  ? "rate_limit_error"
                       : code < 500 ? "invalid_request_error"
                                    : "server_error";
    return llm_reply_body(x, code,
                          json_pack("{s:{s:s,s:s,s:s?,s:n}}", "error", "message", message, "type", type,
                                    "param", param, "code"),
                          retry_after);
}

enum MHD_Result llm_reply_body(llm_exchange *x, unsigned code, json_t *body, const char *retry_after)
{
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    if (!text) return MHD_NO;
    enum MHD_Result result = llm_reply(x, code, "application/json", text, strlen(text),
                                       retry_after ? "Retry-After" : NULL, retry_after);
    free(text);
    return result;
}

/* ---- questions ---- */

static const char *header(llm_exchange *x, const char *name)
{
    const char *value = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
    return value ? value : "";
}

static enum MHD_Result add_pair(void *self, enum MHD_ValueKind kind, const char *key, const char *value)
{
    (void)kind;
    json_object_set_new(self, key, json_string(value ? value : ""));
    return MHD_YES;
}

static void remember(llm_exchange *x)
{
    json_t *query = json_object();
    MHD_get_connection_values(x->connection, MHD_GET_ARGUMENT_KIND, add_pair, query);
    json_t *now = json_pack("{s:s,s:o,s:s,s:s,s:s,s:s,s:O?}", "path", x->path, "query", query,
                            "authorization", header(x, "Authorization"), "api_key", header(x, "api-key"),
                            "content_type", header(x, "Content-Type"), "user_agent", header(x, "User-Agent"),
                            "body", x->request);
    pthread_mutex_lock(&last_lock);
    json_decref(last);
    last = now;
    pthread_mutex_unlock(&last_lock);
}

/* The body's digest, whatever the order of its keys, and whether it asks for a form or not. */
static void digest(llm_exchange *x)
{
    json_t *rest = json_copy(x->request);
    json_object_del(rest, "response_format");
    json_object_del(rest, "seed");
    char *text = json_dumps(rest, JSON_COMPACT | JSON_SORT_KEYS);
    x->key = text ? llm_hash(text, strlen(text), 0) : 0;
    free(text);
    json_decref(rest);
}

static bool admitted(llm_exchange *x)
{
    const char *key = llm_options_now.key, *given = header(x, "Authorization");
    return !key || (strncmp(given, "Bearer ", 7) == 0 && strcmp(given + 7, key) == 0) ||
           strcmp(header(x, "api-key"), key) == 0;
}

static enum MHD_Result refuse_key(llm_exchange *x)
{
    char words[512]; /* as careless as some servers are: it repeats the key */
    (void)snprintf(words, sizeof words, "Incorrect API key provided: %.400s", header(x, "Authorization"));
    return llm_reply_error(x, 401, words, NULL, NULL);
}

/* Whether a text to embed is longer than the model's context, or, as some servers have it, blank. */
static const char *fault_of_input(const llm_exchange *x)
{
    json_t *input = json_object_get(x->request, "input"), *text;
    size_t i;
    json_array_foreach(input, i, text)
    {
        const char *words = json_string_value(text);
        if (!words || !words[strspn(words, " \t\r\n")]) return "input: a text is blank";
        if (llm_options_now.context && strlen(words) > llm_options_now.context)
            return "the input length exceeds the context length";
    }
    return NULL;
}

/* What of a request this server was told not to take, or NULL. */
static const char *refused_part(const json_t *request)
{
    const llm_options *o = &llm_options_now;
    const char *form = llm_form_of(request);
    size_t i;
    json_t *message;
    if (o->no_schema && strcmp(form, "none") != 0) return "response_format";
    if (o->takes && strcmp(form, o->takes) != 0 && strcmp(form, "none") != 0) return "response_format";
    if (o->no_seed && json_object_get(request, "seed")) return "seed";
    json_array_foreach(json_object_get(request, "messages"), i,
                       message) if (o->no_system &&
                                    strcmp(llm_text(message, "role"), "system") == 0) return "system role";
    return NULL;
}

static enum MHD_Result refuse_part(llm_exchange *x, const char *part)
{
    const char *refusal = llm_options_now.refusal, *words = refusal ? strchr(refusal, ':') : NULL;
    char named[80];
    (void)snprintf(named, sizeof named, "%s is not supported by this model", part);
    return llm_reply_error(x, refusal ? (unsigned)atoi(refusal) : 400, words ? words + 1 : named,
                           refusal ? NULL : part, NULL);
}

static enum MHD_Result ask(llm_exchange *x)
{
    bool chat = strcmp(x->path, "/v1/chat/completions") == 0;
    enum MHD_Result result;
    x->request = json_loadb(x->body ? x->body : "", x->bytes, JSON_REJECT_DUPLICATES, NULL);
    digest(x);
    x->asks = true;
    llm_stats_begin(x);
    remember(x);
    if (llm_options_now.delay > 0) llm_sleep(llm_options_now.delay);
    if (!admitted(x)) return refuse_key(x);
    if (!json_is_object(x->request))
        return llm_reply_error(x, 400, "the body is not a JSON object", NULL, NULL);
    if (llm_fault(x, &result)) return result;
    const char *refused = chat ? refused_part(x->request) : NULL, *fault = chat ? NULL : fault_of_input(x);
    if (refused) return refuse_part(x, refused);
    if (fault)
        return llm_reply_body(x, llm_options_now.context_code, json_pack("{s:s}", "error", fault), NULL);
    json_t *answer = chat ? llm_answer_chat(x) : llm_answer_embeddings(x);
    return answer
               ? llm_reply_json(x, 200, answer)
               : llm_reply_error(x, 400, chat ? "messages: wanted a list of messages" : "input: wanted texts",
                                 chat ? "messages" : "input", NULL);
}

static enum MHD_Result post(llm_exchange *x)
{
    if (strcmp(x->path, "/clear") == 0) {
        llm_stats_clear();
        llm_faults_clear();
        return llm_reply_json(x, 200, json_object());
    }
    if (strcmp(x->path, "/faults") == 0) {
        x->request = json_loadb(x->body ? x->body : "", x->bytes, 0, NULL);
        return llm_faults_add(x->request) ? llm_reply_json(x, 200, json_object())
                                          : llm_reply_error(x, 400, "not a plan of faults", NULL, NULL);
    }
    if (strcmp(x->path, "/v1/chat/completions") == 0 || strcmp(x->path, "/v1/embeddings") == 0) return ask(x);
    return llm_reply_error(x, 404, "no such path", NULL, NULL);
}

static enum MHD_Result get(llm_exchange *x)
{
    if (strcmp(x->path, "/stats") == 0) return llm_reply_json(x, 200, llm_stats());
    if (strcmp(x->path, "/keys") == 0) return llm_reply_json(x, 200, llm_stats_keys());
    if (strcmp(x->path, "/log") == 0) return llm_reply_json(x, 200, llm_stats_log());
    if (strcmp(x->path, "/v1/models") == 0)
        return llm_reply_json(
            x, 200,
            json_pack("{s:s,s:[{s:s,s:s}]}", "object", "list", "data", "id", "judge", "object", "model"));
    if (strcmp(x->path, "/last") == 0) {
        pthread_mutex_lock(&last_lock);
        json_t *copy = last ? json_deep_copy(last) : json_object();
        pthread_mutex_unlock(&last_lock);
        return llm_reply_json(x, 200, copy);
    }
    return llm_reply_error(x, 404, "no such path", NULL, NULL);
}

/* ---- the daemon ---- */

static bool keep(llm_exchange *x, const char *data, size_t n)
{
    if (x->bytes + n + 1 > x->capacity) {
        x->capacity = 2 * (x->bytes + n) + 4096;
        char *grown = realloc(x->body, x->capacity);
        if (!grown) return false;
        x->body = grown;
    }
    memcpy(x->body + x->bytes, data, n);
    x->bytes += n;
    x->body[x->bytes] = 0;
    return true;
}

/* The path of "http://HOST/PATH", as a proxy is asked; of "/PATH" itself. */
static const char *path_of(const char *url)
{
    const char *host = strstr(url, "://"), *path = host ? strchr(host + 3, '/') : NULL;
    return path ? path : url;
}

static enum MHD_Result handle(void *self, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data, size_t *n,
                              void **state)
{
    (void)self;
    (void)version;
    llm_exchange *x = *state;
    if (!x) {
        *state = x = calloc(1, sizeof *x);
        if (!x) return MHD_NO;
        x->connection = connection;
        x->path = strdup(path_of(url));
        x->post = strcmp(method, "POST") == 0;
        return x->path ? MHD_YES : MHD_NO;
    }
    if (*n > 0) {
        bool kept = keep(x, data, *n);
        *n = 0;
        return kept ? MHD_YES : MHD_NO;
    }
    return x->post ? post(x) : get(x);
}

static void completed(void *self, struct MHD_Connection *connection, void **state,
                      enum MHD_RequestTerminationCode how)
{
    (void)self;
    (void)connection;
    llm_exchange *x = *state;
    if (!x) return;
    if (x->asks) llm_stats_end(x, how == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    json_decref(x->request);
    free(x->body);
    free(x->path);
    free(x);
    *state = NULL;
}

static void connected(void *self, struct MHD_Connection *connection, void **context,
                      enum MHD_ConnectionNotificationCode how)
{
    (void)self;
    (void)connection;
    (void)context;
    llm_stats_connected(how == MHD_CONNECTION_NOTIFY_STARTED);
}

static char *read_whole(const char *path)
{
    char *text = calloc(1, 65536);
    FILE *file = text ? fopen(path, "r") : NULL;
    size_t bytes = file ? fread(text, 1, 65535, file) : 0;
    if (file) fclose(file);
    if (bytes == 0) {
        fprintf(stderr, "llm_server: cannot read %s\n", path);
        exit(1);
    }
    return text;
}

static struct MHD_Daemon *start(void)
{
    const llm_options *o = &llm_options_now;
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)o->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL}};
    if (o->certificate) {
        flags |= MHD_USE_TLS;
        tls[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, read_whole(o->certificate)};
        tls[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, read_whole(o->certificate_key)};
    }
    return MHD_start_daemon(flags, 0, NULL, NULL, handle, NULL, MHD_OPTION_SOCK_ADDR, &at,
                            MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_NOTIFY_CONNECTION,
                            connected, NULL, MHD_OPTION_CONNECTION_LIMIT, 4096u, MHD_OPTION_THREAD_STACK_SIZE,
                            (size_t)262144, MHD_OPTION_LISTEN_BACKLOG_SIZE, 1024u, MHD_OPTION_ARRAY, tls,
                            MHD_OPTION_END);
}

static void usage(void)
{
    puts("llm_server [--port N] [--delay SECONDS] [--key KEY] [--mistakes RATE] [--seed N] [--no-schema]\n"
         "           [--takes FORM] [--no-system] [--no-seed] [--refusal CODE:WORDS] [--null-by-schema]\n"
         "           [--no-logprobs] [--split] [--batch N] [--width N] [--context N] [--context-code N]\n"
         "           [--certificate FILE --certificate-key FILE]\n"
         "\n"
         "Answers as a language model would, on 127.0.0.1, until SIGTERM or until stdin closes. Prints its "
         "port.\n"
         "\n"
         "  --delay SECONDS   before every answer\n"
         "  --key KEY         401 for requests without it\n"
         "  --mistakes RATE   share of judgements that are wrong, the same ones every time\n"
         "  --no-schema       400 that names response_format where a request has one\n"
         "  --takes FORM      the same for all but one: schema, object (with a schema inside) or json\n"
         "  --no-system       400 for a system message\n"
         "  --no-seed         400 for a seed\n"
         "  --refusal C:TEXT  another code and other words for these\n"
         "  --null-by-schema  a null content where a schema was sent\n"
         "  --no-logprobs     logprobs is null\n"
         "  --split           labels are two tokens long\n"
         "  --batch N         embeddings of more texts are refused\n"
         "  --width N         of embeddings, unless a request names its dimensions\n"
         "  --context N       a text of more bytes is not embedded\n"
         "  --context-code N  ... with this code (400)\n");
    llm_faults_help();
}

static void parse(int argc, char **argv)
{
    static const struct option options[] = {{"port", 1, NULL, 'p'},
                                            {"delay", 1, NULL, 'd'},
                                            {"key", 1, NULL, 'k'},
                                            {"mistakes", 1, NULL, 'm'},
                                            {"seed", 1, NULL, 's'},
                                            {"no-schema", 0, NULL, 'S'},
                                            {"takes", 1, NULL, 'T'},
                                            {"no-system", 0, NULL, 'Y'},
                                            {"no-seed", 0, NULL, 'N'},
                                            {"refusal", 1, NULL, 'R'},
                                            {"null-by-schema", 0, NULL, 'U'},
                                            {"no-logprobs", 0, NULL, 'L'},
                                            {"split", 0, NULL, 't'},
                                            {"batch", 1, NULL, 'b'},
                                            {"width", 1, NULL, 'w'},
                                            {"context", 1, NULL, 'x'},
                                            {"context-code", 1, NULL, 'X'},
                                            {"certificate", 1, NULL, 'c'},
                                            {"certificate-key", 1, NULL, 'C'},
                                            {"help", 0, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    llm_options *o = &llm_options_now;
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) switch (c) {
        case 'p': o->port = (unsigned)atoi(optarg); break;
        case 'd': o->delay = atof(optarg); break;
        case 'k': o->key = optarg; break;
        case 'm': o->mistakes = atof(optarg); break;
        case 's': o->seed = strtoull(optarg, NULL, 10); break;
        case 'S': o->no_schema = true; break;
        case 'T': o->takes = optarg; break;
        case 'Y': o->no_system = true; break;
        case 'N': o->no_seed = true; break;
        case 'R': o->refusal = optarg; break;
        case 'U': o->null_by_schema = true; break;
        case 'L': o->no_logprobs = true; break;
        case 't': o->split = true; break;
        case 'b': o->batch = (unsigned)atoi(optarg); break;
        case 'w': o->width = (unsigned)atoi(optarg); break;
        case 'x': o->context = (unsigned)atoi(optarg); break;
        case 'X': o->context_code = (unsigned)atoi(optarg); break;
        case 'c': o->certificate = optarg; break;
        case 'C': o->certificate_key = optarg; break;
        case 'h': usage(); exit(0);
        default: exit(2);
        }
}

static void on_term(int sig)
{
    (void)sig;
    _exit(0);
}

int main(int argc, char **argv)
{
    began = clock_now();
    parse(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, on_term);
    struct MHD_Daemon *daemon = start();
    if (!daemon) {
        fprintf(stderr, "llm_server: cannot listen on 127.0.0.1:%u\n", llm_options_now.port);
        return 1;
    }
    printf("%u\n", (unsigned)MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    _exit(0); /* whoever hangs in a handler ends with the process */
}
