/* SPDX-License-Identifier: MIT
 *
 * Numbers about a running server: counters, gauges and histograms by name and labels, written in the text
 * form of Prometheus (exposition format 0.0.4). A metric is made once (and found again by the same name and
 * labels) and lives as long as the telemetry; counting takes no lock.
 *
 * Names are dq_serve_..., with their unit, counters end in _total. Labels are written as Prometheus has them:
 * "route=\"/api/recommend\",status=\"200\"", or NULL; their values come from tables, never from clients.
 */
#ifndef DQ_SERVE_TELEMETRY_H
#define DQ_SERVE_TELEMETRY_H

#include "dq/status.h"
#include "port/files/json.h"

typedef struct dq_telemetry dq_telemetry;
typedef struct dq_metric dq_metric;

dq_status dq_telemetry_new(dq_telemetry **telemetry, dq_error *error);
void dq_telemetry_free(dq_telemetry *telemetry);

/* NULL when memory is short, or when the name stands for another kind; all below take NULL and do nothing. */
dq_metric *dq_telemetry_counter(dq_telemetry *telemetry, const char *name, const char *help,
                                const char *labels);
dq_metric *dq_telemetry_gauge(dq_telemetry *telemetry, const char *name, const char *help,
                              const char *labels);
/* Of seconds, in buckets from 0.1 ms to 10 s. */
dq_metric *dq_telemetry_histogram(dq_telemetry *telemetry, const char *name, const char *help,
                                  const char *labels);
/* A gauge, or a counter, that is read when it is asked for. `read` may run on any thread. */
bool dq_telemetry_read(dq_telemetry *telemetry, bool counter, const char *name, const char *help,
                       const char *labels, double (*read)(void *arg), void *arg);

void dq_metric_add(dq_metric *metric, uint64_t n);         /* a counter */
void dq_metric_set(dq_metric *metric, double value);       /* a gauge */
void dq_metric_observe(dq_metric *metric, double seconds); /* a histogram */
uint64_t dq_metric_count(const dq_metric *metric);         /* of a counter, or of observations */

/* Everything as text. DQ_ERR_MEMORY. */
dq_status dq_telemetry_write(dq_telemetry *telemetry, dq_json_text *out, dq_error *error);

#endif
