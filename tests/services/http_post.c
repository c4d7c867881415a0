/* SPDX-License-Identifier: MIT
 *
 * http_post: posts bodies through port/http/http.h and prints what came of each, in the order they came; what
 * a test sees of the client alone.
 *
 *     http_post [OPTIONS] PATH BODY...      a line an answer: TAG STATUS CODE ATTEMPTS BYTES REASON, and with
 *                                           --bodies the body on a line of its own
 *     --repeat N --quiet                    every body N times ("%u" in it is replaced by a number), and
 *                                           one line: answers, seconds, CPU seconds
 *     --budget N                            `before` lets N attempts out
 *     --wait SECONDS                        gives up when none came for so long, and says how many are left
 *
 * The address is OPENAI_BASE_URL, the key OPENAI_API_KEY in the header DQ_API_KEY_HEADER, the certificates
 * are those of SSL_CERT_FILE, the proxy is http_proxy's, but for no_proxy.
 */
#include "port/http/http.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static struct {
    bool bodies, quiet;
    unsigned long repeat, budget;
    double wait;
} mine = {.repeat = 1, .budget = ~0ul, .wait = -1};

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double cpu_seconds(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e-6;
}

static dq_status before(void *arg, uint64_t tag, unsigned attempt, dq_error *error)
{
    (void)arg, (void)tag, (void)attempt;
    if (mine.budget == 0) return dq_fail(error, DQ_ERR_STOPPED, "the budget is spent");
    mine.budget--;
    return DQ_OK;
}

static void failed(void *arg, uint64_t tag, long code, const char *reason)
{
    (void)arg;
    if (!mine.quiet) printf("failed %llu %ld %s\n", (unsigned long long)tag, code, reason);
}

static void parse(int argc, char **argv, dq_http_config *c)
{
    static const struct option options[] = {{"parallel", 1, NULL, 'p'},  {"connect-timeout", 1, NULL, 'c'},
                                            {"timeout", 1, NULL, 't'},   {"attempts", 1, NULL, 'a'},
                                            {"backoff", 1, NULL, 'b'},   {"backoff-most", 1, NULL, 'B'},
                                            {"rpm", 1, NULL, 'r'},       {"retry-after-most", 1, NULL, 'R'},
                                            {"tpm", 1, NULL, 'T'},       {"failures", 1, NULL, 'f'},
                                            {"body-most", 1, NULL, 'm'}, {"budget", 1, NULL, 'g'},
                                            {"repeat", 1, NULL, 'n'},    {"bodies", 0, NULL, 'o'},
                                            {"quiet", 0, NULL, 'q'},     {"wait", 1, NULL, 'w'},
                                            {NULL, 0, NULL, 0}};
    int o;
    while ((o = getopt_long(argc, argv, "+", options, NULL)) != -1) switch (o) {
        case 'p': c->parallel = (unsigned)atoi(optarg); break;
        case 'c': c->connect_timeout = atof(optarg); break;
        case 't': c->timeout = atof(optarg); break;
        case 'a': c->attempts = (unsigned)atoi(optarg); break;
        case 'b': c->backoff = atof(optarg); break;
        case 'B': c->backoff_most = atof(optarg); break;
        case 'r': c->requests_per_minute = atof(optarg); break;
        case 'R': c->retry_after_most = atof(optarg); break;
        case 'T': c->tokens_per_minute = atof(optarg); break;
        case 'f': c->failures_most = (unsigned)atoi(optarg); break;
        case 'm': c->body_most = (size_t)atol(optarg); break;
        case 'g': mine.budget = strtoul(optarg, NULL, 10); break;
        case 'n': mine.repeat = strtoul(optarg, NULL, 10); break;
        case 'o': mine.bodies = true; break;
        case 'q': mine.quiet = true; break;
        case 'w': mine.wait = atof(optarg); break;
        default: exit(2);
        }
}

static void submit(dq_http *http, char **operands, dq_error *e)
{
    uint64_t tag = 0;
    for (char **body = operands + 1; *body; body++)
        for (unsigned long i = 0; i < mine.repeat; i++, tag++) {
            char text[65536];
            const char *number = strstr(*body, "%u");
            int n = number ? snprintf(text, sizeof text, "%.*s%llu%s", (int)(number - *body), *body,
                                      (unsigned long long)tag, number + 2)
                           : snprintf(text, sizeof text, "%s", *body);
            if (dq_http_submit(http, operands[0], text, (size_t)n, tag, (uint64_t)(n + 3) / 4, e)) exit(1);
        }
}

int main(int argc, char **argv)
{
    dq_http_config config = DQ_HTTP_DEFAULTS;
    dq_http_answer a;
    dq_http *http;
    dq_error e = DQ_ERROR_NONE;
    int got;
    unsigned long fine = 0;
    config.backoff = 0.05;
    parse(argc, argv, &config);
    config.address = getenv("OPENAI_BASE_URL");
    config.key = getenv("OPENAI_API_KEY");
    config.key_header = getenv("DQ_API_KEY_HEADER");
    config.certificates = getenv("SSL_CERT_FILE");
    config.proxy = getenv("http_proxy");
    config.proxy_from = "http_proxy";
    config.no_proxy = getenv("no_proxy");
    config.before = before;
    config.failed = failed;
    if (dq_http_new(&http, &config, &e)) {
        printf("new: %s\n", e.reason);
        return 1;
    }
    double began = seconds_now();
    submit(http, argv + optind, &e);
    while ((got = dq_http_next(http, mine.wait, &a, &e)) > 0) {
        fine += a.status == DQ_OK;
        if (mine.quiet) continue;
        printf("%llu %s %ld %u %zu %s\n", (unsigned long long)a.tag, dq_status_word(a.status), a.code,
               a.attempts, a.bytes, a.reason ? a.reason : "-");
        if (mine.bodies) printf("%s\n", a.body);
    }
    if (got < 0) printf("client: %s\n", e.reason);
    if (dq_http_pending(http)) printf("pending %zu\n", dq_http_pending(http));
    if (mine.quiet) printf("%lu %.6f %.6f\n", fine, seconds_now() - began, cpu_seconds());
    dq_http_free(http);
    return got < 0;
}
