/* SPDX-License-Identifier: MIT
 *
 * dq-serve: recommendations over HTTP, and what was made of them into a log.
 */
#include "page.h"
#include "serve.h"

#include "math/blas.h"
#include "serve/cold.h"
#include "serve/tables.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static const dq_program program = {
    .name = "dq-serve",
    .guide = "serving.md",
    .summary = "serves recommendations over HTTP",
    .operands = "",
    .all_cores = true,
    .examples = {"dq-serve --catalogue catalogue.dq --model model.dq --log log.dq",
                 "curl -H 'Content-Type: application/json' -d '{\"user_id\": 7}' "
                 "http://127.0.0.1:8080/api/recommend"},
};

/* ---- the token ---- */

enum { TOKEN_MIN = 16, TOKEN_MAX = 512 };

/* The first line of the file: printable, without blanks. */
static dq_status check_token(char *token, const char *path, dq_error *error)
{
    size_t n = strcspn(token, "\r\n");
    if (token[n] && token[n + strspn(token + n, "\r\n")])
        return dq_fail(error, DQ_ERR_FORMAT, "%s has more than one line", path);
    token[n] = '\0';
    if (n < TOKEN_MIN || n > TOKEN_MAX)
        return dq_fail(error, DQ_ERR_RANGE, "%s: a token has %d to %d characters", path, TOKEN_MIN,
                       TOKEN_MAX);
    for (size_t i = 0; i < n; i++)
        if (token[i] <= ' ' || token[i] > '~')
            return dq_fail(error, DQ_ERR_FORMAT, "%s: a token is of printable ASCII without blanks", path);
    return DQ_OK;
}

static dq_status read_token(dq_serve *serve, const char *path, char *token, size_t size, dq_error *error)
{
    if (!path) return DQ_OK;
    FILE *file = fopen(path, "re");
    if (!file) return dq_fail_errno(error, errno, "%s", path);
    const size_t n = fread(token, 1, size - 1, file);
    const int sys = ferror(file) ? errno : 0;
    fclose(file);
    if (sys) return dq_fail_errno(error, sys, "%s", path);
    token[n] = '\0';
    serve->token = token;
    return strlen(token) == n ? check_token(token, path, error)
                              : dq_fail(error, DQ_ERR_FORMAT, "%s holds a NUL", path);
}

/* ---- pages of other origins ---- */

/* As a browser writes an origin: a scheme, a host in small letters, a port; nothing behind them. */
static bool is_origin(const char *text)
{
    static const char host[] = "abcdefghijklmnopqrstuvwxyz0123456789.-:[]";
    const char *rest = strstr(text, "://");
    if (strcmp(text, "*") == 0) return true;
    if (!rest || (strncmp(text, "http:", 5) != 0 && strncmp(text, "https:", 6) != 0)) return false;
    rest += 3;
    return *rest && strspn(rest, host) == strlen(rest);
}

/* ---- its life ---- */

static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, signals, NULL); /* before there are threads, which inherit it */
    signal(SIGPIPE, SIG_IGN);
}

/* Each client has a descriptor: as many as the system gives without being asked for privileges. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void check_parts(const serve_options *o, const dq_cli *cli)
{
    dq_error error = DQ_ERROR_NONE;
    if (dq_httpd_check_address(o->listen, &error)) dq_cli_refuse(cli, "--listen", &error);
    for (const serve_part *const *p = serve_parts; *p; p++)
        if ((*p)->check) (*p)->check(o, cli);
}

static dq_status open_parts(dq_serve *serve, const serve_options *o, dq_cli *cli, dq_error *error)
{
    dq_status status = DQ_OK;
    for (const serve_part *const *p = serve_parts; *p && !status; p++)
        if ((*p)->open) status = (*p)->open(serve, o, cli, error);
    return status;
}

static dq_status close_parts(dq_serve *serve, dq_status status, dq_error *error)
{
    size_t n = 0;
    while (serve_parts[n]) n++;
    while (n--) {
        dq_error late = DQ_ERROR_NONE;
        if (!serve_parts[n]->close || !serve_parts[n]->close(serve, &late) || status) continue;
        *error = late;
        status = late.status;
    }
    return status;
}

enum { TOGETHER = 16 };

static dq_httpd_config httpd_config(const serve_options *o, const dq_cli *cli)
{
    dq_httpd_config c = DQ_HTTPD_DEFAULTS;
    c.address = o->listen;
    c.socket = serve_inherited_socket(cli);
    c.threads = dq_cli_threads(&o->common, 0);
    /* who waits for the disk keeps his thread, and all who wait do so once (log/writer.h) */
    if (!o->common.threads && o->log && !o->log_sync && c.threads < TOGETHER) c.threads = TOGETHER;
    c.body_bytes = o->max_body;
    c.header_bytes = o->max_header;
    c.connections = (unsigned)o->max_connections;
    c.watchers = (unsigned)o->max_watchers;
    c.request_seconds = o->request_timeout;
    c.idle_seconds = o->idle_timeout;
    return c;
}

/* Until SIGTERM or SIGINT. */
static void wait_for_end(dq_serve *serve, const serve_options *o, dq_cli *cli, const sigset_t *signals)
{
    for (;;) {
        const int got = sigtimedwait(signals, NULL, &(struct timespec){.tv_sec = 1});
        if (got == SIGTERM || got == SIGINT) return;
        for (const serve_part *const *p = serve_parts; *p; p++) {
            void (*call)(dq_serve *, const serve_options *, dq_cli *) = got == SIGHUP ? (*p)->reopen
                                                                                      : (*p)->tick;
            if (call) call(serve, o, cli);
        }
    }
}

/* What has begun is answered; a second signal ends the process at once. */
static void drain(dq_serve *serve, const serve_options *o, dq_cli *cli, const sigset_t *signals)
{
    serve_notify("STOPPING=1");
    signal(SIGHUP, SIG_IGN); /* there is nothing to open anew any more */
    pthread_sigmask(SIG_UNBLOCK, signals, NULL);
    atomic_store(&serve->stopping, true);
    for (const serve_part *const *p = serve_parts; *p; p++)
        if ((*p)->quiesce) (*p)->quiesce(serve);
    const unsigned left = dq_httpd_quiesce(serve->httpd, o->drain_timeout);
    if (left) dq_cli_say(cli, &o->common, "%u requests were not answered in time", left);
}

static dq_status serve_until_told(dq_serve *serve, const serve_options *o, dq_cli *cli,
                                  const sigset_t *signals, dq_error *error)
{
    const dq_httpd_config config = httpd_config(o, cli);
    const dq_status status = dq_httpd_open(&serve->httpd, &config, dq_serve_handle, serve, error);
    if (status == DQ_ERR_RANGE) dq_cli_refuse(cli, "--listen", error);
    if (status) return status;
    if (dq_blas_slow()) dq_cli_say(cli, &o->common, "warning: %s", dq_blas_slow());
    dq_cli_say(cli, &o->common, "listening at %s", dq_httpd_address(serve->httpd));
    serve_notify("READY=1");
    wait_for_end(serve, o, cli, signals);
    drain(serve, o, cli, signals);
    dq_httpd_close(serve->httpd);
    serve->httpd = NULL;
    return DQ_OK;
}

static dq_status run(const serve_options *o, dq_cli *cli, dq_error *error)
{
    dq_serve serve = {
        .version = DQ_VERSION, .tables = dq_serve_tables, .pages = page_routes, .origin = o->cors};
    char token[TOKEN_MAX + 16];
    sigset_t signals;
    block_signals(&signals);
    raise_descriptors();
    dq_status status = read_token(&serve, o->token_file, token, sizeof token, error);
    if (!status) status = dq_telemetry_new(&serve.telemetry, error);
    if (!status) status = open_parts(&serve, o, cli, error);
    if (!status) status = dq_serve_routes_open(&serve, error);
    if (!status && !o->check) status = serve_until_told(&serve, o, cli, &signals, error);
    status = close_parts(&serve, status, error);
    dq_serve_routes_close(&serve);
    dq_telemetry_free(serve.telemetry);
    return status;
}

int main(int argc, char **argv)
{
    serve_options o = {.common = DQ_COMMON_DEFAULTS,
                       .listen = "127.0.0.1:8080",
                       .map = DQ_LABEL_MAP_DEFAULT,
                       .cache = 64,
                       .remember = 1000000,
                       .cold_ridge = 1,
                       .cold_spread = 0.5,
                       .cold_draws = 100,
                       .max_body = 1 << 20,
                       .max_header = 16 << 10,
                       .max_connections = 16384,
                       .max_watchers = 256,
                       .request_timeout = 20,
                       .idle_timeout = 75,
                       .drain_timeout = 30};
    static const char *const cold_by[] = {"items", "vectors", NULL};
    /* clang-format off */
    const dq_option table[] = {
        {"catalogue", 0, DQ_OPT_TEXT, &o.catalogue, "FILE", "users, items and interactions", .flags = DQ_OPT_READS, .section = "what is served"},
        {"model", 'm', DQ_OPT_LIST, &o.models, "[NAME=]FILE[:SHARE]", "who ranks; several models split the users by their shares; may be repeated", .flags = 0},
        {"map", 0, DQ_OPT_TEXT, &o.map, "LABEL=R,...", "rewards of the labels that users may answer with", .flags = 0},
        {"cache", 0, DQ_OPT_COUNT, &o.cache, "MIB", "scores of users that are kept, of each model", .min = 0, .max = 1e6},
        {"remember", 0, DQ_OPT_COUNT, &o.remember, "N", "shown items that can be answered", .min = 10, .max = 1e9},
        {"demo", 0, DQ_OPT_FLAG, &o.demo, NULL, "make data and train models when asked (system B's API)", .flags = 0},
        {"log", 'l', DQ_OPT_TEXT, &o.log, "FILE", "append what was shown, and what came of it", .flags = DQ_OPT_WRITES, .section = "the log"},
        {"log-sync", 0, DQ_OPT_TEXT, &o.log_sync, "LIMIT", "make rows durable each 1s, or each 1000 (else before they are answered)", .flags = 0, .needs = "log"},
        {"log-rotate", 0, DQ_OPT_TEXT, &o.log_rotate, "LIMIT", "begin a new file at 100M, or after 86400s", .flags = 0, .needs = "log"},
        {"cold", 0, DQ_OPT_CHOICE, &o.cold, "HOW", "lists for users of whom nothing is known: by popularity, or by a bandit that learns from what is answered", .choices = dq_serve_cold_names, .excludes = "demo", .section = "users of whom nothing is known"},
        {"cold-by", 0, DQ_OPT_CHOICE, &o.cold_by, "WHAT", "a posterior for each item, or one by the items' vectors", .choices = cold_by, .where = "cold=linucb,thompson"},
        {"cold-spread", 0, DQ_OPT_REAL, &o.cold_spread, "X", "how far from the mean it explores, in deviations", .min = 0, .max = 1e6, .where = "cold=linucb,thompson"},
        {"cold-ridge", 0, DQ_OPT_REAL, &o.cold_ridge, "X", "how far values are held to 0 beforehand", .min = 1e-9, .max = 1e9, .where = "cold=linucb,thompson"},
        {"cold-draws", 0, DQ_OPT_COUNT, &o.cold_draws, "N", "samples of the posterior, one of which a list is by", .min = 2, .max = 1e5, .where = "cold=thompson"},
        {"cold-state", 0, DQ_OPT_TEXT, &o.cold_state, "FILE", "keep what it has learnt, and go on from there", .flags = DQ_OPT_WRITES, .needs = "log", .where = "cold=linucb,thompson"},
        {"seed", 0, DQ_OPT_COUNT, &o.common.seed, "N", "seed of the samples", .min = 0, .max = 9.2e18, .where = "cold=thompson"},
        {"listen", 0, DQ_OPT_TEXT, &o.listen, "ADDRESS", "HOST:PORT (port 0: any that is free) or unix:PATH", .section = "where"},
        {"token-file", 0, DQ_OPT_TEXT, &o.token_file, "FILE", "whoever asks must bear the token in FILE", .flags = DQ_OPT_READS, .section = "who may ask"},
        {"cors", 0, DQ_OPT_TEXT, &o.cors, "ORIGIN", "pages of ORIGIN (https://shop.example; *: all) may ask, too", .flags = 0},
        {"max-body", 0, DQ_OPT_COUNT, &o.max_body, "BYTES", "the largest body", .min = 1024, .max = 1e9, .section = "limits"},
        {"max-header", 0, DQ_OPT_COUNT, &o.max_header, "BYTES", "a request's first line and headers, in all", .min = 2048, .max = 1e6},
        {"max-connections", 0, DQ_OPT_COUNT, &o.max_connections, "N", "at once; more wait to be accepted", .min = 1, .max = 1e6},
        {"max-watchers", 0, DQ_OPT_COUNT, &o.max_watchers, "N", "streams of events at once", .min = 0, .max = 1e5},
        {"request-timeout", 0, DQ_OPT_REAL, &o.request_timeout, "SECONDS", "for a request to come whole, and for its answer to be taken", .min = 0.1, .max = 3600},
        {"idle-timeout", 0, DQ_OPT_REAL, &o.idle_timeout, "SECONDS", "between two requests on a connection", .min = 0.1, .max = 86400},
        {"drain-timeout", 0, DQ_OPT_REAL, &o.drain_timeout, "SECONDS", "for what has begun when the server is told to stop", .min = 0, .max = 3600},
        {"check", 0, DQ_OPT_FLAG, &o.check, NULL, "read what it would serve, and end: does not listen", .flags = 0, .section = "the rest"},
        {"threads", 't', DQ_OPT_COUNT, &o.common.threads, "N", "threads; or DQ_THREADS=N; with --log and no --log-sync 16 at least, for who waits for the disk", .min = 0, .max = 1024},
        {"quiet", 'q', DQ_OPT_FLAG, &o.common.quiet, NULL, "no words but errors", .flags = 0},
        {0}};
    /* clang-format on */
    dq_cli cli = dq_cli_parse(&program, table, argc, argv);
    if (cli.operand_count) dq_cli_usage(&cli, "takes no operands");
    if (o.cors && !is_origin(o.cors))
        dq_cli_usage(&cli, "--cors %s: ORIGIN as in https://shop.example, without a path, or *", o.cors);
    check_parts(&o, &cli);
    dq_error error = DQ_ERROR_NONE;
    dq_status status = serve_demo_prepare(&o, &cli, &error);
    if (!status) status = run(&o, &cli, &error);
    return dq_cli_finish(&cli, status, &error);
}
