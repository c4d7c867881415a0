/* SPDX-License-Identifier: MIT
 *
 * The inside of a demo server: demo.c has its jobs, routes.c what is asked of them.
 */
#ifndef DQ_SERVE_DEMO_IMPL_H
#define DQ_SERVE_DEMO_IMPL_H

#include "port/httpd/httpd.h"
#include "serve/demo/demo.h"
#include "serve/demo/training.h"

struct dq_serve_demo {
    dq_serve *serve;
    char *programs, *log, *map; /* of the configuration */
    dq_demo_job *job;
    dq_httpd_events *events; /* of all jobs, a run each */
};

/* What is asked for. Texts are copied. */
typedef struct dq_demo_order {
    const char *what;    /* "init", "train", "pipeline": constant */
    dq_demo_world world; /* init, pipeline: what is to be made */
    const char *model;   /* train, pipeline: whose file is replaced; NULL: the first */
    const char *agent;   /* constant; NULL: what the catalogue suggests */
    uint64_t episodes, seed;
    const dq_value
        *user;  /* pipeline: who gets recommendations, a string or an integer; NULL: the first user */
    uint64_t n; /* so many */
} dq_demo_order;

/* Begins what was ordered, at once back; *began says what it is. DQ_ERR_DUPLICATE: a job runs.
 * DQ_ERR_UNSUPPORTED: the served catalogue is not a made-up one, and is not replaced. DQ_ERR_UNKNOWN: no such
 * model, or no catalogue to train on. */
dq_status dq_demo_begin(dq_serve_demo *demo, const dq_demo_order *order, dq_demo_view *began,
                        dq_error *error);

#endif
