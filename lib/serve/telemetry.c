/* SPDX-License-Identifier: MIT */
#include "serve/telemetry.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Upper bounds of the buckets, in seconds; the last bucket has none. */
static const double bounds[] = {.0001, .00025, .0005, .001, .0025, .005, .01, .025,
                                .05,   .1,     .25,   .5,   1,     2.5,  5,   10};
enum { BOUNDS = sizeof bounds / sizeof *bounds };

typedef enum metric_kind { COUNTER, GAUGE, HISTOGRAM, READ_COUNTER, READ_GAUGE } metric_kind;
static const char *const kind_words[] = {"counter", "gauge", "histogram", "counter", "gauge"};

struct dq_metric {
    dq_metric *next;
    metric_kind kind;
    char *name, *help, *labels;
    _Atomic uint64_t count;               /* of a counter; of observations */
    _Atomic double value;                 /* of a gauge */
    _Atomic uint64_t nanoseconds;         /* of all observations */
    _Atomic uint64_t buckets[BOUNDS + 1]; /* each by itself, not summed */
    double (*read)(void *arg);
    void *arg;
};

struct dq_telemetry {
    pthread_mutex_t lock; /* of the list's end: metrics are added, and never go before all do */
    dq_metric *first, **last;
};

dq_status dq_telemetry_new(dq_telemetry **telemetry, dq_error *error)
{
    *telemetry = calloc(1, sizeof **telemetry);
    if (!*telemetry) return dq_fail_memory(error, "telemetry");
    pthread_mutex_init(&(*telemetry)->lock, NULL);
    (*telemetry)->last = &(*telemetry)->first;
    return DQ_OK;
}

static void metric_free(dq_metric *m)
{
    if (!m) return;
    free(m->name);
    free(m->help);
    free(m->labels);
    free(m);
}

void dq_telemetry_free(dq_telemetry *telemetry)
{
    if (!telemetry) return;
    for (dq_metric *m = telemetry->first, *next; m; m = next) {
        next = m->next;
        metric_free(m);
    }
    pthread_mutex_destroy(&telemetry->lock);
    free(telemetry);
}

/* ---- making ---- */

static dq_metric *metric_new(metric_kind kind, const char *name, const char *help, const char *labels)
{
    dq_metric *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    m->kind = kind;
    m->name = strdup(name);
    m->help = strdup(help);
    m->labels = strdup(labels);
    if (m->name && m->help && m->labels) return m;
    metric_free(m);
    return NULL;
}

static dq_metric *find_or_make(dq_telemetry *t, metric_kind kind, const char *name, const char *help,
                               const char *labels)
{
    if (!labels) labels = "";
    for (dq_metric *m = t->first; m; m = m->next) {
        if (strcmp(m->name, name) != 0) continue;
        if (strcmp(kind_words[m->kind], kind_words[kind]) != 0) return NULL;
        if (strcmp(m->labels, labels) == 0) return m->kind == kind ? m : NULL;
    }
    dq_metric *m = metric_new(kind, name, help, labels);
    if (!m) return NULL;
    *t->last = m;
    t->last = &m->next;
    return m;
}

static dq_metric *metric(dq_telemetry *t, metric_kind kind, const char *name, const char *help,
                         const char *labels)
{
    pthread_mutex_lock(&t->lock);
    dq_metric *m = find_or_make(t, kind, name, help, labels);
    pthread_mutex_unlock(&t->lock);
    return m;
}

dq_metric *dq_telemetry_counter(dq_telemetry *telemetry, const char *name, const char *help,
                                const char *labels)
{
    return metric(telemetry, COUNTER, name, help, labels);
}

dq_metric *dq_telemetry_gauge(dq_telemetry *telemetry, const char *name, const char *help, const char *labels)
{
    return metric(telemetry, GAUGE, name, help, labels);
}

dq_metric *dq_telemetry_histogram(dq_telemetry *telemetry, const char *name, const char *help,
                                  const char *labels)
{
    return metric(telemetry, HISTOGRAM, name, help, labels);
}

bool dq_telemetry_read(dq_telemetry *telemetry, bool counter, const char *name, const char *help,
                       const char *labels, double (*read)(void *arg), void *arg)
{
    pthread_mutex_lock(&telemetry->lock);
    dq_metric *m = find_or_make(telemetry, counter ? READ_COUNTER : READ_GAUGE, name, help, labels);
    if (m) {
        m->arg = arg;
        m->read = read;
    }
    pthread_mutex_unlock(&telemetry->lock);
    return m != NULL;
}

/* ---- counting ---- */

void dq_metric_add(dq_metric *metric, uint64_t n)
{
    if (metric) atomic_fetch_add_explicit(&metric->count, n, memory_order_relaxed);
}

void dq_metric_set(dq_metric *metric, double value)
{
    if (metric) atomic_store(&metric->value, value);
}

void dq_metric_observe(dq_metric *metric, double seconds)
{
    if (!metric) return;
    size_t i = 0;
    while (i < BOUNDS && !(seconds <= bounds[i])) i++;
    atomic_fetch_add_explicit(&metric->buckets[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&metric->nanoseconds, seconds > 0 ? (uint64_t)(seconds * 1e9) : 0,
                              memory_order_relaxed);
    dq_metric_add(metric, 1);
}

uint64_t dq_metric_count(const dq_metric *metric)
{
    return metric ? atomic_load(&metric->count) : 0;
}

/* ---- writing ---- */

static dq_status put(dq_json_text *out, dq_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static dq_status put(dq_json_text *out, dq_error *error, const char *format, ...)
{
    char line[700];
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n < 0) return dq_fail_memory(error, "a metric's line");
    return dq_json_write_raw(out, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1, error);
}

/* "name_suffix{labels,more} " */
static dq_status put_name(dq_json_text *out, const dq_metric *m, const char *suffix, const char *more,
                          dq_error *error)
{
    const bool both = *m->labels && *more, any = *m->labels || *more;
    return put(out, error, "%s%s%s%s%s%s%s ", m->name, suffix, any ? "{" : "", m->labels, both ? "," : "",
               more, any ? "}" : "");
}

static dq_status put_number(dq_json_text *out, const dq_metric *m, const char *suffix, const char *more,
                            double value, dq_error *error)
{
    const dq_status status = put_name(out, m, suffix, more, error);
    return status ? status : put(out, error, "%.15g\n", value);
}

static dq_status put_count(dq_json_text *out, const dq_metric *m, const char *suffix, const char *more,
                           uint64_t count, dq_error *error)
{
    const dq_status status = put_name(out, m, suffix, more, error);
    return status ? status : put(out, error, "%" PRIu64 "\n", count);
}

/* What is counted meanwhile may be in some of the numbers and not in others: the count is that of the
 * buckets, so that they are never at odds. */
static dq_status put_histogram(dq_json_text *out, dq_metric *m, dq_error *error)
{
    uint64_t sum = 0;
    dq_status status = DQ_OK;
    for (size_t i = 0; i <= BOUNDS && !status; i++) {
        char bound[40] = "le=\"+Inf\"";
        if (i < BOUNDS) snprintf(bound, sizeof bound, "le=\"%.9g\"", bounds[i]);
        sum += atomic_load(&m->buckets[i]);
        status = put_count(out, m, "_bucket", bound, sum, error);
    }
    if (!status) status = put_number(out, m, "_sum", "", 1e-9 * (double)atomic_load(&m->nanoseconds), error);
    return status ? status : put_count(out, m, "_count", "", sum, error);
}

static dq_status put_metric(dq_json_text *out, dq_metric *m, dq_error *error)
{
    switch (m->kind) {
    case COUNTER: return put_count(out, m, "", "", atomic_load(&m->count), error);
    case GAUGE: return put_number(out, m, "", "", atomic_load(&m->value), error);
    case HISTOGRAM: return put_histogram(out, m, error);
    default: return m->read ? put_number(out, m, "", "", m->read(m->arg), error) : DQ_OK;
    }
}

/* All that have the name of this one, which is the first of them. */
static dq_status put_family(dq_json_text *out, dq_metric *const *all, size_t count, size_t first,
                            dq_error *error)
{
    const dq_metric *f = all[first];
    dq_status status = put(out, error, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name,
                           kind_words[f->kind]);
    for (size_t i = first; i < count && !status; i++)
        if (strcmp(all[i]->name, f->name) == 0) status = put_metric(out, all[i], error);
    return status;
}

static bool is_first(dq_metric *const *all, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (strcmp(all[j]->name, all[i]->name) == 0) return false;
    return true;
}

/* Those that there are now; callbacks are read without the lock, because their owners have locks, too. */
static dq_metric **snapshot(dq_telemetry *t, size_t *count)
{
    pthread_mutex_lock(&t->lock);
    *count = 0;
    for (dq_metric *m = t->first; m; m = m->next) ++*count;
    dq_metric **all = calloc(*count + 1, sizeof *all);
    size_t i = 0;
    for (dq_metric *m = t->first; m && all; m = m->next) all[i++] = m;
    pthread_mutex_unlock(&t->lock);
    return all;
}

dq_status dq_telemetry_write(dq_telemetry *telemetry, dq_json_text *out, dq_error *error)
{
    size_t count;
    dq_metric **all = snapshot(telemetry, &count);
    if (!all) return dq_fail_memory(error, "telemetry");
    dq_status status = DQ_OK;
    for (size_t i = 0; i < count && !status; i++)
        if (is_first(all, i)) status = put_family(out, all, count, i, error);
    free(all);
    return status;
}
