/* SPDX-License-Identifier: MIT */
#include "report/traffic.h"

#include "core/array.h"
#include "core/utf8.h"
#include "dq/schema.h"
#include "dq/stream.h"
#include "port/files/rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

static dq_status count_label(dq_traffic *t, const char *label, size_t bytes, dq_error *error)
{
    uint32_t row;
    bool added;
    dq_status status = dq_index_add(&t->labels, label, bytes, &row, &added, error);
    if (status) return status;
    if (!dq_array_reserve(&t->label_rows, &t->label_capacity, row + 1, sizeof *t->label_rows))
        return dq_fail_memory(error, "%u labels", row);
    if (added) t->label_rows[row] = 0;
    t->label_rows[row]++;
    return DQ_OK;
}

/* What a row says of its impression. */
static dq_status count_answer(dq_traffic *t, const dq_column *labels, const dq_column *rewards, uint64_t row,
                              dq_error *error)
{
    size_t bytes = 0;
    double level = -INFINITY, greatest = -INFINITY;
    const char *label = labels ? dq_column_text(labels, row, &bytes) : NULL;
    t->impressions++;
    if (!label) {
        t->unlabelled++;
        t->clicks += rewards && !dq_column_is_null(rewards, row) && dq_column_number(rewards, row) > 0;
        return DQ_OK;
    }
    for (size_t i = 0; i < dq_index_count(&t->gains.labels); i++)
        greatest = fmax(greatest, t->gains.rewards[i]);
    if (dq_label_map_find(&t->gains, label, bytes, &level)) {
        t->clicks += level >= t->clicked;
        t->applications += level >= t->clicked && level == greatest;
    } else {
        t->unknown++;
    }
    return count_label(t, label, bytes, error);
}

static dq_status add_visit(dq_traffic *t, uint32_t user, const dq_time *time, dq_error *error)
{
    dq_time_count(&t->times, time);
    if (time->form == DQ_TIME_NONE) return DQ_OK;
    if (!dq_array_reserve(&t->visits, &t->visit_capacity, t->visit_count + 1, sizeof *t->visits))
        return dq_fail_memory(error, "%zu interactions", t->visit_count);
    t->visits[t->visit_count++] = (dq_visit){user, dq_time_seconds(time)};
    return DQ_OK;
}

static dq_status take_rows(dq_traffic *t, const dq_bundle *b, dq_error *error)
{
    const dq_column *user = dq_bundle_column(b, "user"), *item = dq_bundle_column(b, "item"),
                    *label = dq_bundle_column(b, "label"), *reward = dq_bundle_column(b, "reward"),
                    *when = dq_time_column(b, t->time);
    dq_status status = DQ_OK;
    for (uint64_t r = 0; r < b->rows && !status; r++) {
        size_t un, in;
        uint32_t u = 0, i;
        dq_time time;
        const char *uid = dq_column_text(user, r, &un), *iid = dq_column_text(item, r, &in);
        status = dq_index_add(&t->users, uid, un, &u, NULL, error);
        if (!status) status = dq_index_add(&t->items, iid, in, &i, NULL, error);
        if (!status) status = dq_time_take(b, when, r, &time, error);
        if (!status) status = add_visit(t, u, &time, error);
        if (!status) status = count_answer(t, label, reward, r, error);
    }
    return status;
}

/* ---- sessions ---- */

static int compare_visits(const void *a, const void *b)
{
    const dq_visit *x = a, *y = b;
    if (x->user != y->user) return x->user < y->user ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* Whether visit i is the last one of a session. */
static bool ends_session(const dq_traffic *t, size_t i)
{
    const dq_visit *v = &t->visits[i];
    return i + 1 == t->visit_count || v[1].user != v->user || v[1].at - v->at > t->gap;
}

/* A session whose window reaches beyond the last visit of all is not judged: its user may yet come back. */
static void find_sessions(dq_traffic *t)
{
    double last = -INFINITY;
    qsort(t->visits, t->visit_count, sizeof *t->visits, compare_visits);
    for (size_t i = 0; i < t->visit_count; i++) last = fmax(last, t->visits[i].at);
    for (size_t i = 0, first = 0; i < t->visit_count; i++) {
        const dq_visit *v = &t->visits[i];
        if (!ends_session(t, i)) continue;
        t->sessions++;
        t->session_seconds += v->at - t->visits[first].at;
        first = i + 1;
        if (v->at + t->window > last) continue;
        t->judged++;
        t->returned += i + 1 < t->visit_count && v[1].user == v->user && v[1].at - v->at <= t->window;
    }
}

dq_status dq_traffic_read(dq_traffic *t, const char *const *paths, size_t count, dq_error *error)
{
    dq_reader *reader;
    dq_bundle bundle;
    int got;
    dq_status status = dq_reader_open(&reader, paths, count, error);
    if (status) return status;
    while (!status && (got = dq_reader_next(reader, &bundle, error)) != 0) {
        if (got < 0) {
            status = error->status;
            break;
        }
        if (strcmp(bundle.kind, DQ_KIND_INTERACTIONS) == 0) status = take_rows(t, &bundle, error);
        dq_bundle_free(&bundle);
        if (status) (void)dq_error_at(error, dq_reader_source(reader), dq_reader_record(reader));
    }
    if (!status && !t->impressions) {
        status = dq_fail(error, DQ_ERR_SCHEMA, "the stream has no interactions");
        (void)dq_error_at(error, dq_reader_source(reader), DQ_NO_RECORD);
    }
    dq_reader_close(reader);
    if (!status) status = dq_time_check_forms(&t->times, t->time, error);
    if (!status) find_sessions(t);
    return status;
}

bool dq_traffic_note(const dq_traffic *traffic, size_t which, char *words, size_t size)
{
    uint64_t timeless = traffic->times.count[DQ_TIME_NONE], count = which ? traffic->unknown : timeless;
    if (which == 2) return dq_time_describe(&traffic->times, traffic->time, words, size);
    if (which == 0)
        (void)snprintf(words, size, "%llu of %llu interactions have no time '%s' and are of no session",
                       (unsigned long long)count, (unsigned long long)traffic->impressions, traffic->time);
    else
        (void)snprintf(words, size,
                       "%llu of %llu interactions have a label outside --gains and are no clicks",
                       (unsigned long long)count, (unsigned long long)traffic->impressions);
    return count > 0;
}

void dq_traffic_free(dq_traffic *t)
{
    dq_index_free(&t->users);
    dq_index_free(&t->items);
    dq_index_free(&t->labels);
    free(t->label_rows);
    free(t->visits);
    t->label_rows = NULL;
    t->visits = NULL;
}

/* ---- printing ---- */

typedef struct printing {
    dq_traffic_format format;
    dq_sink *out;
    dq_arena arena;
    dq_value object;
} printing;

/* One measure: a prefix and the rest of its name. */
static dq_status put(printing *p, const char *prefix, const char *name, size_t bytes, double value,
                     dq_error *error)
{
    char number[32] = "";
    dq_status status = DQ_OK;
    if (!isnan(value)) dq_rows_number(value, number);
    if (p->format == DQ_TRAFFIC_JSON) {
        char *key = dq_arena_take(&p->arena, strlen(prefix) + bytes + 1);
        bool whole = value == floor(value) && fabs(value) < 1e15;
        if (!key) return dq_fail_memory(error, "the results");
        (void)sprintf(key, "%s%.*s", prefix, (int)bytes, name);
        bool done = dq_map_set(&p->arena, &p->object, key,
                               whole ? dq_int((int64_t)value) : dq_real_or_nil(value));
        return done ? DQ_OK : dq_fail_memory(error, "the results");
    }
    if (p->format == DQ_TRAFFIC_TABLE) {
        status = dq_sink_printf(p->out, error, "%14s  %s", *number ? number : "-", prefix);
        if (!status) status = dq_rows_write_text(p->out, name, bytes, error);
        return status ? status : dq_sink_printf(p->out, error, "\n");
    }
    status = dq_sink_printf(p->out, error, "%s", prefix);
    if (!status) status = dq_rows_write_text(p->out, name, bytes, error);
    return status ? status : dq_sink_printf(p->out, error, "\t%s\n", number);
}

static double ratio(double a, double b)
{
    return b > 0 ? a / b : NAN;
}

static dq_status put_all(const dq_traffic *t, printing *p, dq_error *error)
{
    const double shown = (double)t->impressions, clicks = (double)t->clicks,
                 applied = (double)t->applications, sessions = (double)t->sessions;
    const struct {
        const char *name;
        double value;
    } before[] = {{"impressions", shown},
                  {"users", (double)dq_index_count(&t->users)},
                  {"items", (double)dq_index_count(&t->items)},
                  {"clicks", clicks},
                  {"click_rate", ratio(clicks, shown)},
                  {"applications", applied},
                  {"apply_rate", ratio(applied, shown)},
                  {"conversion", ratio(applied, clicks)}},
      after[] = {{"sessions", sessions},
                 {"session_length", ratio((double)t->visit_count, sessions)},
                 {"session_minutes", ratio(t->session_seconds / 60, sessions)},
                 {"return_rate", ratio((double)t->returned, (double)t->judged)}};
    dq_status status = DQ_OK;
    for (size_t i = 0; i < sizeof before / sizeof *before && !status; i++)
        status = put(p, "", before[i].name, strlen(before[i].name), before[i].value, error);
    for (uint32_t l = 0; l < dq_index_count(&t->labels) && !status; l++) {
        size_t n;
        const char *label = dq_index_id(&t->labels, l, &n);
        status = put(p, "share:", label, n, (double)t->label_rows[l] / shown, error);
    }
    if (!status && t->unlabelled) status = put(p, "", "share", 5, (double)t->unlabelled / shown, error);
    for (size_t i = 0; i < sizeof after / sizeof *after && t->visit_count && !status; i++)
        status = put(p, "", after[i].name, strlen(after[i].name), after[i].value, error);
    return status;
}

dq_status dq_traffic_print(const dq_traffic *t, dq_traffic_format format, dq_sink *out, dq_error *error)
{
    printing p = {.format = format, .out = out, .arena = DQ_ARENA_EMPTY, .object = dq_map()};
    dq_status status = DQ_OK;
    if (format == DQ_TRAFFIC_TSV) status = dq_sink_printf(out, error, "measure\tvalue\n");
    if (!status) status = put_all(t, &p, error);
    if (!status && format == DQ_TRAFFIC_JSON) status = dq_rows_write_json(out, &p.object, error);
    dq_arena_free(&p.arena);
    return status;
}
