/* SPDX-License-Identifier: MIT
 *
 * System B's API: a server that makes its own data and trains its own models, for demonstrations (--demo). It
 * writes to the files of --catalogue and --model, by programs of ours as children (demo/training.h), one job
 * at a time, whose events anybody may watch.
 *
 * The views (view_routes) are read-only and are there without --demo, too.
 */
#ifndef DQ_SERVE_DEMO_DEMO_H
#define DQ_SERVE_DEMO_DEMO_H

#include "serve/server.h"

typedef struct dq_serve_demo dq_serve_demo;

/* Copied. */
typedef struct dq_serve_demo_config {
    const char *programs; /* the folder of dq-sim, dq-reward and dq-train; NULL: they are in PATH */
    const char *log;      /* the server's, which dq-train --offline reads, too; NULL: none */
    const char *map;      /* rewards of labels: --map */
} dq_serve_demo_config;

/* serve is kept; its catalogue and models must be open. */
dq_status dq_serve_demo_new(dq_serve_demo **demo, const dq_serve_demo_config *config, dq_serve *serve,
                            dq_error *error);
/* Tells what runs to end, and waits for it; no job begins any more. Before the server's streams are ended, so
 * that they bring the job's end. Accepts NULL. */
void dq_serve_demo_stop(dq_serve_demo *demo);
/* After the server was closed. Accepts NULL. */
void dq_serve_demo_free(dq_serve_demo *demo);

/* The job of now as the views show it: a map, or nil. */
dq_value dq_serve_demo_describe(dq_serve_demo *demo, dq_arena *arena);

#endif
