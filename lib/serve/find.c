/* SPDX-License-Identifier: MIT */
#include "serve/find.h"

#include "serve/server.h"

#include <stdio.h>
#include <string.h>

bool dq_serve_route_there(const dq_serve *serve, const dq_serve_route *route)
{
    return (!(route->flags & DQ_SERVE_DEMO) || serve->demo) &&
           (!(route->flags & DQ_SERVE_COLD) || serve->cold);
}

/* ---- which route ---- */

/* A path that fits a route's; *id is what stands for the part in braces. */
static bool path_fits(const char *pattern, const char *path, const char **id)
{
    const char *brace = strchr(pattern, '{');
    *id = NULL;
    if (!brace) return strcmp(pattern, path) == 0;
    const size_t n = (size_t)(brace - pattern);
    if (strncmp(pattern, path, n) != 0 || !path[n]) return false;
    *id = path + n;
    return true;
}

static bool method_fits(const dq_serve_route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

static void look_in(const dq_serve *serve, const dq_serve_route *table, const dq_httpd_request *request,
                    dq_serve_found *f)
{
    const char *id;
    for (const dq_serve_route *r = table; r && r->method && !f->route; r++) {
        if (!dq_serve_route_there(serve, r) || !path_fits(r->path, request->path, &id)) continue;
        f->id = id;
        if (method_fits(r, request->method)) f->route = r;
        if (f->length < sizeof f->allow)
            f->length += (size_t)snprintf(f->allow + f->length, sizeof f->allow - f->length, "%s%s",
                                          f->length ? ", " : "", r->method);
    }
}

dq_serve_found dq_serve_find(const dq_serve *serve, const dq_httpd_request *request)
{
    dq_serve_found f = {0};
    for (const dq_serve_route *const *table = serve->tables; *table && !f.route; table++)
        look_in(serve, *table, request, &f);
    look_in(serve, serve->pages, request, &f);
    return f;
}
