/* SPDX-License-Identifier: MIT */
#include "serve/route.h"

#include "core/utf8.h"
#include "port/files/json.h"
#include "serve/count.h"
#include "serve/find.h"
#include "serve/server.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- whether it may ---- */

/* In a time that depends on what was given alone. */
static bool same_secret(const char *secret, const char *given)
{
    const size_t n = strlen(secret), m = strlen(given);
    unsigned differ = n != m;
    for (size_t i = 0; i < m; i++)
        differ |= (unsigned)((unsigned char)given[i] ^ (unsigned char)secret[n ? i % n : 0]);
    return !differ;
}

static bool bears_token(const dq_serve *serve, const dq_httpd_request *request)
{
    const char *given = dq_httpd_header(request, "Authorization");
    return given && strncasecmp(given, "Bearer ", 7) == 0 && same_secret(serve->token, given + 7);
}

/* "localhost", "x.localhost", an address of 127.0.0.0/8, "[::1]"; whatever the port. */
static bool names_loopback(const char *host)
{
    static const char word[] = "localhost";
    const size_t length = sizeof word - 1, n = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    if (n == 5 && strncmp(host, "[::1]", n) == 0) return true;
    if (strncmp(host, "127.", 4) == 0) return strspn(host, "0123456789.") == n;
    if (n < length || strncasecmp(host + n - length, word, length) != 0) return false;
    return n == length || host[n - length - 1] == '.';
}

/* A page elsewhere may have its own name resolve to this machine, and is of the same origin then. Its
 * requests bear that name; whoever means a server on loopback calls it so. */
static bool means_us(const dq_serve *serve, const dq_httpd_request *request)
{
    if (serve->token || !serve->httpd || !dq_httpd_is_loopback(serve->httpd)) return true;
    const char *host = dq_httpd_header(request, "Host");
    return !host || names_loopback(host);
}

/* ---- what it asks ---- */

typedef struct query_reading {
    const dq_serve_schema *schema;
    dq_arena *arena;
    dq_value map;
    dq_error error;
} query_reading;

static void read_parameter(void *arg, const char *name, const char *value)
{
    query_reading *q = arg;
    if (q->error.status) return;
    if (!dq_utf8_valid(name, strlen(name)) || (value && !dq_utf8_valid(value, strlen(value)))) {
        dq_fail(&q->error, DQ_ERR_FORMAT, "the query is not UTF-8");
        return;
    }
    for (const dq_serve_field *f = q->schema ? q->schema->fields : NULL; f && f->type; f++) {
        dq_value v;
        if (strcmp(f->name, name) != 0) continue;
        if (dq_map_get(&q->map, name))
            dq_fail(&q->error, DQ_ERR_SCHEMA, "the parameter %s is given twice", name);
        else if (!dq_serve_field_parse(f, value ? value : "", q->arena, &v, &q->error) &&
                 !dq_map_set(q->arena, &q->map, name, v))
            dq_fail_memory(&q->error, "a query");
        return;
    }
    dq_fail(&q->error, DQ_ERR_SCHEMA, "there is no parameter %s", name);
}

static dq_status read_query(const dq_serve_route *route, dq_serve_call *call, dq_error *error)
{
    query_reading q = {route->query, call->request->arena, dq_map(), DQ_ERROR_NONE};
    dq_httpd_query_each(call->request, read_parameter, &q);
    for (const dq_serve_field *f = route->query ? route->query->fields : NULL; f && f->type; f++)
        if (f->required && !q.error.status && !dq_map_get(&q.map, f->name))
            dq_fail(&q.error, DQ_ERR_SCHEMA, "the parameter %s is missing", f->name);
    call->query = q.map;
    if (q.error.status) *error = q.error;
    return q.error.status;
}

/* A page elsewhere can make a browser send a form to this machine, or nothing at all, but not this type
 * without having asked. So whatever changes something says it, with a body or without. */
static bool says_json(const dq_serve_route *route, const dq_httpd_request *request)
{
    static const char json[] = "application/json";
    if (!request->body_bytes && strcmp(route->method, "GET") == 0) return true;
    const char *type = dq_httpd_header(request, "Content-Type");
    if (!type || strncasecmp(type, json, sizeof json - 1) != 0) return false;
    return strchr(" ;", type[sizeof json - 1]) != NULL;
}

/* No body is as good as an empty object. */
static dq_status read_body(const dq_serve_route *route, dq_serve_call *call, dq_error *error)
{
    static const dq_serve_field none[] = {{0}};
    static const dq_serve_schema empty = {.name = "Empty", .fields = none};
    const dq_httpd_request *request = call->request;
    call->body = dq_map();
    if (request->body_bytes) {
        const dq_status status = dq_json_parse(request->body, request->body_bytes, request->arena,
                                               &call->body, error);
        if (status) return status;
    }
    return dq_serve_schema_check(route->body ? route->body : &empty, &call->body, error);
}

/* ---- the answer ---- */

static void refuse(dq_httpd_reply *reply, const dq_httpd_request *request, const dq_error *error)
{
    if (error->status == DQ_ERR_MEMORY)
        dq_serve_problem(reply, request, 503, "Service Unavailable", "%s", error->reason);
    else
        dq_serve_problem(reply, request, 400, "Bad Request", "%s", error->reason);
}

static void call_route(dq_serve *serve, const dq_serve_route *route, dq_serve_call *call,
                       dq_httpd_reply *reply)
{
    const dq_httpd_request *request = call->request;
    dq_error e = DQ_ERROR_NONE;
    if (request->too_large)
        dq_serve_problem(reply, request, 413, "Content Too Large",
                         "the body is larger than this server takes");
    else if (!says_json(route, request))
        dq_serve_problem(reply, request, 415, "Unsupported Media Type",
                         "this takes application/json, and the Content-Type says so");
    else if (read_query(route, call, &e) || read_body(route, call, &e))
        refuse(reply, request, &e);
    else {
        reply->status = route->status ? route->status : 200;
        reply->type = route->type;
        route->handle(serve, call, reply);
    }
}

static void answer_none(const dq_serve *serve, const dq_httpd_request *request, const dq_serve_found *f,
                        dq_httpd_reply *reply)
{
    const bool preflight = serve->origin && strcmp(request->method, "OPTIONS") == 0;
    if (request->path[0] != '/') {
        dq_serve_problem(reply, request, 400, "Bad Request", "that is no path");
    } else if (!f->length) {
        dq_serve_problem(reply, request, 404, "Not Found", "there is nothing at %s", request->path);
    } else if (preflight) {
        reply->status = 204;
        dq_httpd_reply_header(reply, "Access-Control-Allow-Methods",
                              dq_arena_text(request->arena, f->allow, f->length));
        dq_httpd_reply_header(reply, "Access-Control-Allow-Headers", "Authorization, Content-Type");
        dq_httpd_reply_header(reply, "Access-Control-Max-Age", "600");
    } else {
        dq_serve_problem(reply, request, 405, "Method Not Allowed", "%s takes %s", request->path, f->allow);
        dq_httpd_reply_header(reply, "Allow", dq_arena_text(request->arena, f->allow, f->length));
    }
}

static void add_headers(const dq_serve *serve, const dq_serve_route *route, dq_httpd_reply *reply)
{
    dq_httpd_reply_header(reply, "X-Content-Type-Options", "nosniff");
    if (!reply->events && !(route && route->flags & DQ_SERVE_ASIDE))
        dq_httpd_reply_header(reply, "Cache-Control", "no-store");
    if (!serve->origin) return;
    dq_httpd_reply_header(reply, "Access-Control-Allow-Origin", serve->origin);
    if (strcmp(serve->origin, "*") != 0) dq_httpd_reply_header(reply, "Vary", "Origin");
}

static void finish(dq_serve *serve, const dq_serve_route *route, double started, dq_httpd_reply *reply)
{
    add_headers(serve, route, reply);
    dq_serve_count(serve, route, reply->status, dq_httpd_now() - started);
}

/* A request whose route answers later (port/httpd/httpd.h). */
typedef struct waiting {
    dq_serve *serve;
    const dq_serve_route *route;
    double started;
    dq_httpd_handler *later;
    void (*dropped)(void *arg);
    void *arg;
} waiting;

static void go_on(void *arg, const dq_httpd_request *request, dq_httpd_reply *reply)
{
    const waiting *w = arg;
    reply->status = w->route->status ? w->route->status : 200;
    reply->type = w->route->type;
    w->later(w->arg, request, reply);
    finish(w->serve, w->route, w->started, reply);
}

static void drop(void *arg)
{
    const waiting *w = arg;
    if (w->dropped) w->dropped(w->arg);
}

/* What it needs was taken before, for memory must not be short any more when somebody works for it. */
static void wait_for(waiting *w, waiting now, dq_httpd_reply *reply)
{
    *w = now;
    w->later = reply->later;
    w->dropped = reply->dropped;
    w->arg = reply->later_arg;
    reply->later = go_on;
    reply->dropped = drop;
    reply->later_arg = w;
}

void dq_serve_handle(void *arg, const dq_httpd_request *request, dq_httpd_reply *reply)
{
    dq_serve *serve = arg;
    const double started = dq_httpd_now();
    const dq_serve_found f = dq_serve_find(serve, request);
    dq_serve_call call = {.request = request, .id = f.id};
    waiting *w = dq_arena_take(request->arena, sizeof *w);
    if (!w) {
        dq_serve_problem(reply, request, 503, "Service Unavailable", "out of memory");
        finish(serve, f.route, started, reply);
        return;
    }
    if (!means_us(serve, request)) {
        dq_serve_problem(reply, request, 421, "Misdirected Request",
                         "this server is on loopback and has no token: it answers to localhost alone");
    } else if (!f.route) {
        answer_none(serve, request, &f, reply);
    } else if (serve->token && !(f.route->flags & DQ_SERVE_PUBLIC) && !bears_token(serve, request)) {
        dq_serve_problem(reply, request, 401, "Unauthorized", "this needs the server's bearer token");
        dq_httpd_reply_header(reply, "WWW-Authenticate", "Bearer");
    } else if (f.id && !dq_utf8_valid(f.id, strlen(f.id))) {
        dq_serve_problem(reply, request, 400, "Bad Request", "the path is not UTF-8");
    } else {
        call_route(serve, f.route, &call, reply);
    }
    if (reply->later)
        wait_for(w, (waiting){serve, f.route, started, NULL, NULL, NULL}, reply);
    else
        finish(serve, f.route, started, reply);
}
