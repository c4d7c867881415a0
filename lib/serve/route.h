/* SPDX-License-Identifier: MIT
 *
 * Which handler answers what: tables of routes. One dispatcher finds the route, asks for the token, checks
 * query and body against their tables, calls the handler and counts. The OpenAPI description is written from
 * the same rows. A part of the server has its table, ended by {0}, and one line in dq_serve_tables[]
 * (serve/tables.h).
 */
#ifndef DQ_SERVE_ROUTE_H
#define DQ_SERVE_ROUTE_H

#include "port/httpd/httpd.h"
#include "serve/schema.h"

typedef struct dq_serve dq_serve;

/* A request that fits its route's tables. Handlers run on many threads at once. */
typedef struct dq_serve_call {
    const dq_httpd_request *request; /* ->arena: what the answer is made of */
    dq_value body;                   /* checked against the route's schema; nil when it has none */
    dq_value query;                  /* a map of the parameters that were given, of their types */
    const char *id;                  /* what stands for the "{...}" that ends the path, or NULL */
} dq_serve_call;

/* One that sets reply->later answers later (port/httpd/httpd.h, dq_httpd_suspend); `call` is gone by then. */
typedef void dq_serve_handler(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply);

enum {
    DQ_SERVE_DEMO = 1,   /* there with --demo alone */
    DQ_SERVE_PUBLIC = 2, /* needs no token */
    DQ_SERVE_ASIDE = 4,  /* no part of the description: the page's files */
    DQ_SERVE_COLD = 8,   /* there with --cold alone */
};

typedef struct dq_serve_route {
    const char *method;  /* "GET" (which answers HEAD, too), "POST" */
    const char *path;    /* "/api/users/{id}": a last part in braces stands for any one part */
    const char *summary; /* one line */
    dq_serve_handler *handle;
    const dq_serve_schema *query;  /* fields are strings, integers, numbers, booleans; NULL: no parameters */
    const dq_serve_schema *body;   /* of a JSON body; NULL: none is taken */
    const dq_serve_schema *answer; /* of a JSON answer; NULL: `type` says what it is */
    const char *type;              /* of an answer that is not JSON */
    unsigned status;               /* of success; 0: 200 */
    unsigned also;                 /* another one that the handler may set; 0: none */
    const dq_serve_schema *begun;  /* of a JSON answer with that; NULL: it has no body */
    unsigned flags;
} dq_serve_route;

/* Answers a request: a dq_httpd_handler whose arg is the dq_serve. */
void dq_serve_handle(void *serve, const dq_httpd_request *request, dq_httpd_reply *reply);

/* Problem details (RFC 9457): {"type": "about:blank", "title": ..., "status": ..., "detail": ...}. `title` is
 * for the kind of problem, the same each time; the rest says what it was this time. */
void dq_serve_problem(dq_httpd_reply *reply, const dq_httpd_request *request, unsigned status,
                      const char *title, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* A JSON answer; status 200 unless the reply has one already. A value that has no JSON form, or memory that
 * was short, is answered as 500. */
void dq_serve_json(dq_httpd_reply *reply, const dq_httpd_request *request, const dq_value *value);
/* One that is JSON already, in the request's arena or for ever. */
void dq_serve_json_text(dq_httpd_reply *reply, const char *text, size_t bytes);

#endif
