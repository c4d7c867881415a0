/* SPDX-License-Identifier: MIT
 *
 * dq-serve's parts: main.c has the options, starts, waits and stops; parts.c has the table of what is opened
 * between: models, the bandit, the log, the demonstration, each in its file; page.c has the page, systemd.c
 * speaks with systemd.
 */
#ifndef DQ_SERVE_SERVE_H
#define DQ_SERVE_SERVE_H

#include "cli/cli.h"
#include "serve/server.h"

enum { SERVE_COLD_BY_ITEMS, SERVE_COLD_BY_VECTORS };

typedef struct serve_options {
    dq_common common;
    const char *listen, *token_file, *cors;
    const char *catalogue, *map, *log, *log_sync, *log_rotate;
    dq_texts models;
    uint64_t cache, remember; /* MiB; shown items */
    int cold, cold_by;        /* of dq_serve_cold_names, of SERVE_COLD_BY_... */
    double cold_ridge, cold_spread;
    uint64_t cold_draws;
    const char *cold_state;
    bool demo;
    bool may_lack; /* files of models and the catalogue need not be there yet */
    uint64_t max_body, max_header, max_connections, max_watchers;
    double request_timeout, idle_timeout, drain_timeout;
    bool check;
} serve_options;

/* A part of the server: each member may be NULL. Parts are opened in the order of the table and closed in the
 * opposite one. */
typedef struct serve_part {
    /* Once the options are read and before anything else is: usage errors of their values. */
    void (*check)(const serve_options *o, const dq_cli *cli);
    /* Before it listens: fills the member of `serve`. A part whose options were not given does nothing. */
    dq_status (*open)(dq_serve *serve, const serve_options *o, dq_cli *cli, dq_error *error);
    void (*tick)(dq_serve *serve, const serve_options *o, dq_cli *cli);   /* each second */
    void (*reopen)(dq_serve *serve, const serve_options *o, dq_cli *cli); /* SIGHUP */
    void (*quiesce)(dq_serve *serve); /* SIGTERM came: no new work; what runs is told to end */
    dq_status (*close)(dq_serve *serve, dq_error *error); /* nobody asks any more; also after a failed open */
} serve_part;

extern const serve_part *const serve_parts[]; /* NULL-ended */

extern const serve_part serve_models_part; /* models.c: the catalogue and the models */
extern const serve_part serve_cold_part;   /* cold.c: the bandit for users of whom nothing is known */
extern const serve_part serve_log_part;    /* log.c: the log, and what is remembered */
extern const serve_part serve_demo_part;   /* demo.c: jobs that make data and train */

/* ---- demo.c ---- */

/* Once the options are read: with --demo, files for what has none. */
dq_status serve_demo_prepare(serve_options *o, dq_cli *cli, dq_error *error);

/* ---- systemd.c ---- */

/* The socket that was handed over (sd_listen_fds(3)), or -1. More than one is a usage error. */
int serve_inherited_socket(const dq_cli *cli);
/* "READY=1" and the like (sd_notify(3)), where somebody wants to hear it. */
void serve_notify(const char *words);

#endif
