/* SPDX-License-Identifier: MIT */
#include "serve/remembered.h"

#include "core/array.h"
#include "data/time.h"
#include "log/follow.h"
#include "serve/ranking/recent.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* A list: its items' ids stand one after the other in text, behind those of user and model. */
typedef struct shown_item {
    uint32_t at, bytes, position;
    double propensity;
} shown_item;

typedef struct showing {
    uint32_t count, user_bytes, model_bytes;
    bool has_model;
    char *text;
    shown_item items[];
} showing;

typedef struct deed {
    double time;
    float reward;
    uint32_t item_bytes, label_bytes;
    bool has_label;
    char text[]; /* item, label */
} deed;

typedef struct deeds {
    uint64_t version;
    uint32_t count;
    deed **at; /* the earliest first, at most DQ_SERVE_HISTORY */
    size_t capacity;
} deeds;

struct dq_serve_log {
    dq_serve_log_config config;
    dq_log_writer *writer;
    pthread_mutex_t lock;
    dq_recent *shown, *users; /* by request; by user */
    uint64_t version;
    uint64_t process;
    atomic_uint_fast64_t requests;
    dq_metric *lists, *answers, *failures;
};

dq_log_writer *dq_serve_log_writer(const dq_serve_log *log)
{
    return log->writer;
}

static void put_hex(char *to, uint64_t n, unsigned digits)
{
    for (unsigned i = digits; i-- > 0; n >>= 4) to[i] = "0123456789abcdef"[n & 15];
}

void dq_serve_log_request(dq_serve_log *log, char id[DQ_SERVE_REQUEST_ID])
{
    uint64_t n = atomic_fetch_add(&log->requests, 1);
    unsigned digits = 1;
    while (digits < 16 && n >> 4 * digits) digits++;
    put_hex(id, log->process, 16);
    id[16] = '-';
    put_hex(id + 17, n, digits);
    id[17 + digits] = '\0';
}

/* ---- lists ---- */

static uint32_t append(char *text, size_t *at, dq_log_text what)
{
    if (what.at) memcpy(text + *at, what.at, what.bytes);
    *at += what.bytes;
    return (uint32_t)what.bytes;
}

/* NULL when memory is short. */
static showing *new_showing(const dq_log_row *rows, size_t count)
{
    size_t bytes = rows->user.bytes + rows->model.bytes, items = sizeof(showing) + count * sizeof(shown_item);
    for (size_t i = 0; i < count; i++) bytes += rows[i].item.bytes;
    showing *s = bytes < UINT32_MAX ? malloc(items + bytes + 1) : NULL;
    if (!s) return NULL;
    size_t at = 0;
    s->count = (uint32_t)count;
    s->text = (char *)s + items;
    s->user_bytes = append(s->text, &at, rows->user);
    s->model_bytes = append(s->text, &at, rows->model);
    s->has_model = rows->model.at != NULL;
    for (size_t i = 0; i < count; i++) {
        s->items[i] = (shown_item){(uint32_t)at, 0, rows[i].position, rows[i].propensity};
        s->items[i].bytes = append(s->text, &at, rows[i].item);
    }
    return s;
}

static dq_status remember_shown(dq_serve_log *log, const dq_log_row *rows, size_t count, dq_error *error)
{
    showing *s = new_showing(rows, count);
    if (!s) return dq_fail_memory(error, "what was shown");
    (void)pthread_mutex_lock(&log->lock);
    dq_status status = dq_recent_put(log->shown, rows->request.at, rows->request.bytes, s, count + 1, error);
    (void)pthread_mutex_unlock(&log->lock);
    return status;
}

dq_status dq_serve_log_show(dq_serve_log *log, const dq_log_row *rows, size_t count, dq_error *error)
{
    if (count == 0) return DQ_OK;
    dq_status status = log->writer ? dq_log_append(log->writer, DQ_LOG_SHOWN, rows, count, NULL, error)
                                   : DQ_OK;
    if (!status) status = remember_shown(log, rows, count, error);
    dq_metric_add(status ? log->failures : log->lists, 1);
    return status;
}

/* ---- users ---- */

static void free_deeds(void *value)
{
    deeds *d = value;
    for (uint32_t i = 0; i < d->count; i++) free(d->at[i]);
    free(d->at);
    free(d);
}

static deed *new_deed(dq_log_text item, dq_log_text label, float reward, double time)
{
    deed *d = malloc(sizeof *d + item.bytes + label.bytes + 1);
    size_t at = 0;
    if (!d) return NULL;
    *d = (deed){.time = time, .reward = reward, .has_label = label.at != NULL};
    d->item_bytes = append(d->text, &at, item);
    d->label_bytes = append(d->text, &at, label);
    return d;
}

/* A user's deeds, with room for one more, with the lock held; NULL when memory is short. */
static deeds *deeds_of(dq_serve_log *log, dq_log_text user)
{
    deeds *d = dq_recent_get(log->users, user.at, user.bytes);
    if (!d) {
        d = calloc(1, sizeof *d);
        if (!d || dq_recent_put(log->users, user.at, user.bytes, d, 1, NULL)) return NULL;
    }
    return dq_array_reserve(&d->at, &d->capacity, (size_t)d->count + 1, sizeof *d->at) ? d : NULL;
}

/* What cannot be remembered is in the log all the same. */
static void remember_deed(dq_serve_log *log, dq_log_text user, dq_log_text item, dq_log_text label,
                          float reward, double time)
{
    deed *done = new_deed(item, label, reward, time);
    (void)pthread_mutex_lock(&log->lock);
    deeds *d = done ? deeds_of(log, user) : NULL;
    if (d && d->count == DQ_SERVE_HISTORY) {
        free(d->at[0]);
        memmove(d->at, d->at + 1, --d->count * sizeof(deed *));
    }
    if (d) {
        d->at[d->count++] = done;
        d->version = ++log->version;
    }
    (void)pthread_mutex_unlock(&log->lock);
    if (!d) free(done);
}

static bool copy_event(const deed *d, const dq_ranking_items *items, dq_arena *arena, dq_ranker_event *to)
{
    *to = (dq_ranker_event){.item = dq_entities_find(&items->catalogue->items, d->text, d->item_bytes),
                            .reward = d->reward,
                            .time = d->time,
                            .label_bytes = d->label_bytes};
    if (to->item == DQ_ABSENT) return false;
    if (d->has_label) to->label = dq_arena_text(arena, d->text + d->item_bytes, d->label_bytes);
    return true;
}

dq_status dq_serve_log_history(dq_serve_log *log, const char *user, size_t bytes,
                               const dq_ranking_items *items, dq_arena *arena, uint64_t *version,
                               dq_ranker_event **events, size_t *count, dq_error *error)
{
    *version = 0;
    if (events) *events = NULL;
    if (count) *count = 0;
    (void)pthread_mutex_lock(&log->lock);
    const deeds *d = dq_recent_get(log->users, user, bytes);
    if (d) *version = d->version;
    if (d && arena && events && count) {
        *events = dq_arena_zero(arena, (size_t)d->count + 1, sizeof **events);
        for (uint32_t i = 0; *events && i < d->count; i++)
            *count += copy_event(d->at[i], items, arena, &(*events)[*count]);
    }
    bool ok = !d || !arena || !arena->failed;
    (void)pthread_mutex_unlock(&log->lock);
    return ok ? DQ_OK : dq_fail_memory(error, "a user's history");
}

/* ---- answers ---- */

/* What the item of a request was shown as: into row, with texts in copy (the caller's to free). */
static dq_status find_shown(dq_serve_log *log, const dq_serve_answer *a, dq_log_row *row, char **copy,
                            dq_error *error)
{
    const shown_item *item = NULL;
    *copy = NULL;
    (void)pthread_mutex_lock(&log->lock);
    const showing *s = dq_recent_get(log->shown, a->request.at, a->request.bytes);
    for (uint32_t i = 0; s && i < s->count && !item; i++)
        if (s->items[i].bytes == a->item.bytes &&
            (!a->item.bytes || memcmp(s->text + s->items[i].at, a->item.at, a->item.bytes) == 0))
            item = &s->items[i];
    if (item) {
        size_t n = (size_t)s->user_bytes + s->model_bytes;
        if ((*copy = malloc(n + 1))) memcpy(*copy, s->text, n);
        *row = (dq_log_row){
            .user = {*copy, s->user_bytes}, .position = item->position, .propensity = item->propensity};
        if (s->has_model && *copy) row->model = (dq_log_text){*copy + s->user_bytes, s->model_bytes};
    }
    (void)pthread_mutex_unlock(&log->lock);
    if (!s)
        return dq_fail(error, DQ_ERR_UNKNOWN, "no request %.*s is remembered", (int)a->request.bytes,
                       a->request.at);
    if (!item)
        return dq_fail(error, DQ_ERR_UNKNOWN, "item %.*s was not shown in request %.*s", (int)a->item.bytes,
                       a->item.at, (int)a->request.bytes, a->request.at);
    return *copy ? DQ_OK : dq_fail_memory(error, "an answer");
}

dq_status dq_serve_log_answer(dq_serve_log *log, const dq_serve_answer *a, double *reward, dq_error *error)
{
    dq_log_row row;
    char *copy;
    *reward = a->reward;
    if (a->label.at && isnan(a->reward) &&
        !dq_label_map_find(log->config.map, a->label.at, a->label.bytes, reward))
        return dq_fail(error, DQ_ERR_SCHEMA, "the label '%.*s' is none of the map's", (int)a->label.bytes,
                       a->label.at);
    dq_status status = find_shown(log, a, &row, &copy, error);
    if (!status) {
        row.request = a->request;
        row.item = a->item;
        row.label = a->label;
        row.reward = a->reward;
        row.time = a->time;
        if (log->writer) status = dq_log_append(log->writer, DQ_LOG_ANSWERS, &row, 1, NULL, error);
        if (!status) remember_deed(log, row.user, row.item, row.label, (float)row.reward, row.time);
        dq_metric_add(status ? log->failures : log->answers, 1);
    }
    free(copy);
    return status;
}

/* ---- reading the log back ---- */

static dq_log_text text_of(const dq_bundle *b, const char *name, uint64_t row)
{
    dq_log_text text = {0};
    const dq_column *c = dq_bundle_column(b, name);
    text.at = c ? dq_column_text(c, row, &text.bytes) : NULL;
    if (!text.at) text.bytes = 0;
    return text;
}

static double number_of(const dq_bundle *b, const char *name, uint64_t row, double none)
{
    const dq_column *c = dq_bundle_column(b, name);
    return c && !dq_column_is_null(c, row) ? dq_column_number(c, row) : none;
}

static bool same_text(dq_log_text a, dq_log_text b)
{
    return a.at && b.at && a.bytes == b.bytes && (a.bytes == 0 || memcmp(a.at, b.at, a.bytes) == 0);
}

/* Rows of one request stand together. */
static dq_status read_shown(dq_serve_log *log, const dq_bundle *b, dq_error *error)
{
    dq_status status = DQ_OK;
    dq_log_row *rows = calloc((size_t)b->rows + 1, sizeof *rows);
    if (!rows) return dq_fail_memory(error, "what was shown");
    for (uint64_t r = 0; r < b->rows; r++)
        rows[r] = (dq_log_row){.user = text_of(b, "user", r),
                               .item = text_of(b, "item", r),
                               .request = text_of(b, "request", r),
                               .model = text_of(b, "model", r),
                               .position = (uint32_t)number_of(b, "position", r, 0),
                               .propensity = number_of(b, "propensity", r, (double)NAN)};
    for (uint64_t r = 0, n; r < b->rows && !status; r += n) {
        for (n = 1; r + n < b->rows && same_text(rows[r].request, rows[r + n].request);) n++;
        if (rows[r].request.at) status = remember_shown(log, rows + r, (size_t)n, error);
    }
    free(rows);
    return status;
}

static void read_answers(dq_serve_log *log, const dq_bundle *b)
{
    const dq_column *time = dq_time_column(b, "time");
    for (uint64_t r = 0; r < b->rows; r++) {
        const dq_time at = dq_time_of(time, r);
        remember_deed(log, text_of(b, "user", r), text_of(b, "item", r), text_of(b, "label", r),
                      (float)number_of(b, "reward", r, (double)NAN), dq_time_seconds(&at));
    }
}

static dq_status read_back(dq_serve_log *log, dq_error *error)
{
    dq_log_follow *f;
    dq_bundle b;
    uint64_t position;
    int got = 0;
    dq_status status = dq_log_follow_open_last(&f, log->config.path, log->config.read_back, error);
    if (status) return status;
    while (!status && (got = dq_log_follow_next(f, &b, &position, error)) > 0) {
        if (dq_log_kind_of(&b) == DQ_LOG_SHOWN) status = read_shown(log, &b, error);
        if (dq_log_kind_of(&b) == DQ_LOG_ANSWERS) read_answers(log, &b);
        dq_bundle_free(&b);
    }
    dq_log_follow_close(f);
    return got < 0 ? error->status : status;
}

/* ---- opening ---- */

static double position_of(void *arg)
{
    return (double)dq_log_writer_position(arg);
}

static void open_metrics(dq_serve_log *log)
{
    dq_telemetry *t = log->config.telemetry;
    if (!t) return;
    log->lists = dq_telemetry_counter(t, "dq_serve_lists_total", "lists that were shown", NULL);
    log->answers = dq_telemetry_counter(t, "dq_serve_answers_total", "answers that were taken", NULL);
    log->failures = dq_telemetry_counter(t, "dq_serve_log_failures_total",
                                         "lists and answers that could not be written", NULL);
    if (log->writer)
        (void)dq_telemetry_read(t, true, "dq_serve_log_bytes_total", "of the log that are durable", NULL,
                                position_of, log->writer);
}

dq_status dq_serve_log_open(dq_serve_log **log, const dq_serve_log_config *config, dq_error *error)
{
    dq_serve_log *l = *log = calloc(1, sizeof *l);
    if (!l) return dq_fail_memory(error, "a log");
    l->config = *config;
    (void)pthread_mutex_init(&l->lock, NULL);
    dq_status status = dq_recent_new(&l->shown, config->shown_rows, free, error);
    if (!status) status = dq_recent_new(&l->users, config->users, free_deeds, error);
    if (!status && getrandom(&l->process, sizeof l->process, 0) != sizeof l->process)
        status = dq_fail_errno(error, errno, "no random number");
    if (!status && config->path) status = dq_log_writer_open(&l->writer, config->path, &config->log, error);
    if (!status && config->path) status = read_back(l, error);
    if (!status) {
        open_metrics(l);
        return DQ_OK;
    }
    (void)dq_serve_log_close(l, NULL);
    *log = NULL;
    return status;
}

dq_status dq_serve_log_close(dq_serve_log *log, dq_error *error)
{
    if (!log) return DQ_OK;
    dq_status status = dq_log_writer_close(log->writer, error);
    dq_recent_free(log->shown);
    dq_recent_free(log->users);
    (void)pthread_mutex_destroy(&log->lock);
    free(log);
    return status;
}
