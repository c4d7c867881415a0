/* SPDX-License-Identifier: MIT */
#include "serve/count.h"

#include "serve/find.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Statuses that have a counter of their own as soon as they come; all others share the last. */
static const unsigned statuses[] = {200, 202, 204, 304, 400, 401, 403, 404, 405,
                                    409, 413, 415, 421, 422, 500, 503, 0};
enum { STATUSES = sizeof statuses / sizeof *statuses };

typedef struct route_metrics {
    const dq_serve_route *route; /* NULL: of what has none */
    dq_metric *seconds;
    _Atomic(dq_metric *) by_status[STATUSES];
} route_metrics;

struct dq_serve_route_metrics {
    size_t count;
    route_metrics at[]; /* (count) in the order of the tables; the last is of what has no route */
};

static void labels_print(const dq_serve_route *route, char *to, size_t size)
{
    snprintf(to, size, "route=\"%s\",method=\"%s\"", route ? route->path : "", route ? route->method : "");
}

static size_t table_add(dq_serve *serve, size_t at, const dq_serve_route *table)
{
    char labels[200];
    for (const dq_serve_route *r = table; r && r->method; r++) {
        if (!dq_serve_route_there(serve, r)) continue;
        if (serve->route_metrics) {
            labels_print(r, labels, sizeof labels);
            serve->route_metrics->at[at].route = r;
            serve->route_metrics->at[at].seconds = dq_telemetry_histogram(
                serve->telemetry, "dq_serve_request_seconds",
                "from a request that has come whole to its answer", labels);
        }
        at++;
    }
    return at;
}

static size_t tables_add(dq_serve *serve)
{
    size_t n = 0;
    for (const dq_serve_route *const *table = serve->tables; *table; table++) n = table_add(serve, n, *table);
    return table_add(serve, n, serve->pages);
}

/* ---- gauges of the server below ---- */

static dq_httpd_counts counts(void *serve)
{
    const dq_serve *s = serve;
    return s->httpd ? dq_httpd_count(s->httpd) : (dq_httpd_counts){0};
}

static double read_connections(void *serve)
{
    return (double)counts(serve).connections;
}

static double read_requests(void *serve)
{
    return (double)counts(serve).requests;
}

static double read_watchers(void *serve)
{
    return (double)counts(serve).watchers;
}

static double read_cut(void *serve)
{
    return (double)counts(serve).cut;
}

static bool add_gauges(dq_serve *serve)
{
    dq_telemetry *t = serve->telemetry;
    dq_metric *start = dq_telemetry_gauge(t, "dq_serve_start_time_seconds",
                                          "when the server started (Unix time)", NULL);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    dq_metric_set(start, (double)now.tv_sec);
    return start &&
           dq_telemetry_read(t, false, "dq_serve_connections", "open connections", NULL, read_connections,
                             serve) &&
           dq_telemetry_read(t, false, "dq_serve_requests_open", "requests begun and not yet answered", NULL,
                             read_requests, serve) &&
           dq_telemetry_read(t, false, "dq_serve_watchers", "streams of events", NULL, read_watchers,
                             serve) &&
           dq_telemetry_read(t, true, "dq_serve_cut_total", "connections cut because they were too slow",
                             NULL, read_cut, serve);
}

dq_status dq_serve_routes_open(dq_serve *serve, dq_error *error)
{
    serve->route_metrics = NULL;
    const size_t n = tables_add(serve);
    serve->route_metrics = calloc(1, sizeof *serve->route_metrics + (n + 1) * sizeof(route_metrics));
    if (!serve->route_metrics || !add_gauges(serve)) return dq_fail_memory(error, "routes");
    serve->route_metrics->count = n + 1;
    tables_add(serve);
    return DQ_OK;
}

void dq_serve_routes_close(dq_serve *serve)
{
    free(serve->route_metrics);
    serve->route_metrics = NULL;
}

static dq_metric *status_counter(dq_serve *serve, route_metrics *m, unsigned status)
{
    size_t i = 0;
    while (statuses[i] && statuses[i] != status) i++;
    dq_metric *counter = atomic_load(&m->by_status[i]);
    if (counter) return counter;
    char labels[240], words[16] = "other";
    labels_print(m->route, labels, sizeof labels);
    if (statuses[i]) snprintf(words, sizeof words, "%u", statuses[i]);
    const size_t n = strlen(labels);
    snprintf(labels + n, sizeof labels - n, ",status=\"%s\"", words);
    counter = dq_telemetry_counter(serve->telemetry, "dq_serve_requests_total", "answers, by status", labels);
    atomic_store(&m->by_status[i], counter);
    return counter;
}

void dq_serve_count(dq_serve *serve, const dq_serve_route *route, unsigned status, double seconds)
{
    struct dq_serve_route_metrics *all = serve->route_metrics;
    size_t i = 0;
    while (i + 1 < all->count && all->at[i].route != route) i++;
    dq_metric_add(status_counter(serve, &all->at[i], status), 1);
    dq_metric_observe(all->at[i].seconds, seconds);
}
