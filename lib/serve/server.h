/* SPDX-License-Identifier: MIT
 *
 * The server's state, shared by all handlers: each member is its owner's, with the owner's header and locks.
 * The program fills it before the server listens, and frees it after the server was closed.
 */
#ifndef DQ_SERVE_SERVER_H
#define DQ_SERVE_SERVER_H

#include "data/label_map.h"
#include "serve/route.h"
#include "serve/served.h"
#include "serve/telemetry.h"

#include <stdatomic.h>

struct dq_serve {
    const char *version;                 /* of the program */
    dq_served_file *served;              /* the catalogue; NULL: none is served */
    const dq_label_map *map;             /* rewards of labels */
    struct dq_serve_models *models;      /* serve/models.h */
    struct dq_serve_log *log;            /* serve/remembered.h: what was shown, and the log */
    struct dq_serve_demo *demo;          /* NULL without --demo */
    struct dq_serve_cold *cold;          /* NULL without --cold */
    const dq_serve_route *const *tables; /* of routes, NULL-ended: dq_serve_tables */
    const dq_serve_route *pages;         /* the page's files, ended by {0}; NULL: none */
    dq_telemetry *telemetry;
    dq_httpd *httpd;      /* NULL until it listens */
    const char *token;    /* whoever asks must bear it; NULL: nobody need */
    const char *origin;   /* of pages elsewhere that may call (--cors), or "*"; NULL: none */
    atomic_bool stopping; /* SIGTERM came: health answers 503 */
    struct dq_serve_route_metrics *route_metrics; /* route.c's */
};

/* Makes what route.c counts; telemetry must be there. */
dq_status dq_serve_routes_open(dq_serve *serve, dq_error *error);
void dq_serve_routes_close(dq_serve *serve);

#endif
