/* SPDX-License-Identifier: MIT
 *
 * Which route a request takes.
 */
#ifndef DQ_SERVE_FIND_H
#define DQ_SERVE_FIND_H

#include "serve/route.h"

typedef struct dq_serve_found {
    const dq_serve_route *route; /* NULL: none has this method */
    const char *id;              /* of the path */
    char allow[80];              /* "GET, POST": methods of routes that have the path; empty: none has */
    size_t length;
} dq_serve_found;

dq_serve_found dq_serve_find(const dq_serve *serve, const dq_httpd_request *request);

/* Whether this server has the route: DQ_SERVE_DEMO, DQ_SERVE_COLD. */
bool dq_serve_route_there(const dq_serve *serve, const dq_serve_route *route);

#endif
