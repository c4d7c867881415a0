/* SPDX-License-Identifier: MIT */
#include "report/traffic.h"

#include "core/array.h"
#include "core/utf8.h"
#include "data/load.h"
#include "dq/schema.h"
#include "dq/stream.h"
#include "log/answers.h"
#include "port/files/rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is summed up of each user, for intervals; from SHARES on the shares of labels, of those without last.
 */
enum { SHOWN, CLICKS, APPLIED, VISITS, SESSIONS, SECONDS, JUDGED, RETURNED, SHARES };

/* An interaction, as intervals need it. */
struct dq_traffic_answer {
    uint32_t user, label; /* label: DQ_ABSENT without one */
    bool click, application;
};

/* ---- reading ---- */

static dq_status count_label(dq_traffic *t, const char *label, size_t bytes, uint32_t *number,
                             dq_error *error)
{
    bool added;
    dq_status status = dq_index_add(&t->labels, label, bytes, number, &added, error);
    uint32_t row = *number;
    if (status) return status;
    if (!dq_array_reserve(&t->label_rows, &t->label_capacity, row + 1, sizeof *t->label_rows))
        return dq_fail_memory(error, "%u labels", row);
    if (added) t->label_rows[row] = 0;
    t->label_rows[row]++;
    return DQ_OK;
}

/* What a row says of its impression. */
static dq_status count_answer(dq_traffic *t, const dq_column *labels, const dq_column *rewards, uint64_t row,
                              uint32_t *number, dq_error *error)
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
    return count_label(t, label, bytes, number, error);
}

/* Counts a row, and where intervals are wanted keeps what it came to. */
static dq_status take_answer(dq_traffic *t, uint32_t user, const dq_column *labels, const dq_column *rewards,
                             uint64_t row, dq_error *error)
{
    struct dq_traffic_answer answer = {user, DQ_ABSENT, false, false};
    uint64_t clicks = t->clicks, applications = t->applications;
    dq_status status = count_answer(t, labels, rewards, row, &answer.label, error);
    if (status || !t->intervals) return status;
    answer.click = t->clicks > clicks;
    answer.application = t->applications > applications;
    if (!dq_array_reserve(&t->answers, &t->answer_capacity, (size_t)t->impressions, sizeof *t->answers))
        return dq_fail_memory(error, "%llu interactions", (unsigned long long)t->impressions);
    t->answers[t->impressions - 1] = answer;
    return DQ_OK;
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

static dq_status take_rows(void *arg, const dq_bundle *b, dq_error *error)
{
    dq_traffic *t = arg;
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
        if (!status) status = take_answer(t, u, label, reward, r, error);
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

/* A user's sums, where they are wanted. */
static void add_session(double *sums, double visits, double seconds, bool judged, bool returned)
{
    if (!sums) return;
    sums[VISITS] += visits;
    sums[SESSIONS]++;
    sums[SECONDS] += seconds;
    sums[JUDGED] += judged;
    sums[RETURNED] += returned;
}

static size_t sum_count(const dq_traffic *t)
{
    return SHARES + dq_index_count(&t->labels) + 1;
}

/* A session whose window reaches beyond the last visit of all is not judged: its user may yet come back.
 * of_user: (users, sums), or NULL. */
static void find_sessions(dq_traffic *t, double *of_user)
{
    double last = -INFINITY;
    if (t->visit_count) qsort(t->visits, t->visit_count, sizeof *t->visits, compare_visits);
    for (size_t i = 0; i < t->visit_count; i++) last = fmax(last, t->visits[i].at);
    for (size_t i = 0, first = 0; i < t->visit_count; i++) {
        const dq_visit *v = &t->visits[i];
        if (!ends_session(t, i)) continue;
        t->sessions++;
        double seconds = v->at - t->visits[first].at, visits = (double)(i + 1 - first);
        bool judged = v->at + t->window <= last;
        bool returned = judged && i + 1 < t->visit_count && v[1].user == v->user &&
                        v[1].at - v->at <= t->window;
        t->session_seconds += seconds;
        t->judged += judged;
        t->returned += returned;
        add_session(of_user ? of_user + v->user * sum_count(t) : NULL, visits, seconds, judged, returned);
        first = i + 1;
    }
}

/* ---- intervals ---- */

/* The sums of as many users drawn anew, again and again. */
static void draw_users(dq_traffic *t, const double *of_user)
{
    size_t users = dq_index_count(&t->users), n = sum_count(t);
    dq_rng rng = dq_rng_new(t->intervals->seed);
    for (size_t i = 0; i < users * n; i++) t->having[i % n] += of_user[i] > 0;
    for (size_t b = 0; b < t->intervals->resamples; b++)
        for (size_t u = 0; u < users; u++) {
            const double *row = of_user + (size_t)dq_rng_below(&rng, users) * n;
            for (size_t j = 0; j < n; j++) t->draws[b * n + j] += row[j];
        }
}

/* Sessions, and where they are wanted the draws. */
static dq_status sum_up(dq_traffic *t, dq_error *error)
{
    size_t users = dq_index_count(&t->users), n = sum_count(t);
    if (!t->intervals) {
        find_sessions(t, NULL);
        return DQ_OK;
    }
    double *of_user = calloc(users, n * sizeof *of_user);
    t->draws = calloc(t->intervals->resamples, n * sizeof *t->draws);
    t->having = calloc(n, sizeof *t->having);
    if (!of_user || !t->draws || !t->having) {
        free(of_user);
        return dq_fail_memory(error, "%zu users", users);
    }
    for (size_t i = 0; i < t->impressions; i++) {
        const struct dq_traffic_answer *a = &t->answers[i];
        double *row = of_user + a->user * n;
        row[SHOWN]++;
        row[CLICKS] += a->click;
        row[APPLIED] += a->application;
        row[a->label == DQ_ABSENT ? n - 1 : SHARES + a->label]++;
    }
    find_sessions(t, of_user);
    draw_users(t, of_user);
    free(of_user);
    return DQ_OK;
}

dq_status dq_traffic_read(dq_traffic *t, const char *const *paths, size_t count, dq_error *error)
{
    dq_reader *reader;
    dq_log_join join = {.map = &t->gains}; /* a server's log: an answer is no impression */
    dq_status status = dq_reader_open(&reader, paths, count, error);
    if (status) return status;
    status = dq_log_join_reader(&join, reader, paths, count, error);
    if (!status) status = dq_bundles_each(reader, DQ_KIND_INTERACTIONS, take_rows, t, error);
    if (!status && !t->impressions) {
        status = dq_fail(error, DQ_ERR_SCHEMA, "the stream has no interactions");
        (void)dq_error_at(error, dq_reader_source(reader), DQ_NO_RECORD);
    }
    dq_reader_close(reader);
    dq_log_join_free(&join);
    if (!status) status = dq_time_check_forms(&t->times, t->time, error);
    if (!status) status = sum_up(t, error);
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
    free(t->answers);
    free(t->draws);
    free(t->having);
    t->label_rows = NULL;
    t->visits = NULL;
    t->answers = NULL;
    t->draws = NULL;
    t->having = NULL;
}

/* ---- printing ---- */

typedef struct printing {
    dq_traffic_format format;
    const dq_traffic *t;
    double *ratios; /* (resamples) scratch; NULL: no intervals */
    dq_sink *out;
    dq_arena arena;
    dq_value object, intervals;
} printing;

/* A measure: the name is a prefix and the rest; of a rate what is divided by what, and by what more. */
typedef struct measure {
    const char *prefix, *name;
    size_t bytes;
    double value;
    bool rate;
    size_t over, under; /* sums */
    double per;
} measure;

/* The interval of a rate; false where there is none: not of what a single user did, which says nothing of how
 * others differ. */
static bool find_interval(const printing *p, const measure *m, dq_interval *interval)
{
    size_t n = sum_count(p->t), drawn = 0, draws = p->ratios ? p->t->intervals->resamples : 0;
    if (!m->rate || isnan(m->value) || !draws || p->t->having[m->under] < 2) return false;
    for (size_t b = 0; b < draws; b++) {
        const double *sums = p->t->draws + b * n;
        if (sums[m->under] > 0) p->ratios[drawn++] = sums[m->over] / sums[m->under] / m->per;
    }
    if (2 * drawn <= draws) return false;
    *interval = dq_interval_of(p->ratios, drawn, p->t->intervals->confidence);
    return true;
}

static dq_status put_json(printing *p, const measure *m, const dq_interval *interval, dq_error *error)
{
    char *key = dq_arena_take(&p->arena, strlen(m->prefix) + m->bytes + 1);
    bool whole = m->value == floor(m->value) && fabs(m->value) < 1e15;
    dq_value list = dq_list();
    if (!key) return dq_fail_memory(error, "the results");
    (void)sprintf(key, "%s%.*s", m->prefix, (int)m->bytes, m->name);
    bool done = dq_map_set(&p->arena, &p->object, key,
                           whole ? dq_int((int64_t)m->value) : dq_real_or_nil(m->value));
    if (interval)
        done = done && dq_list_add(&p->arena, &list, dq_real(interval->low)) &&
               dq_list_add(&p->arena, &list, dq_real(interval->high)) &&
               dq_map_set(&p->arena, &p->intervals, key, list);
    return done ? DQ_OK : dq_fail_memory(error, "the results");
}

static dq_status put_name(const printing *p, const measure *m, dq_error *error)
{
    dq_status status = dq_sink_printf(p->out, error, "%s", m->prefix);
    return status ? status : dq_rows_write_text(p->out, m->name, m->bytes, error);
}

static dq_status put_line(const printing *p, const measure *m, const dq_interval *interval, dq_error *error)
{
    char number[32] = "", low[32] = "", high[32] = "";
    bool tsv = p->format == DQ_TRAFFIC_TSV;
    if (!isnan(m->value)) dq_rows_number(m->value, number);
    if (interval) dq_rows_number(interval->low, low);
    if (interval) dq_rows_number(interval->high, high);
    dq_status status = tsv ? DQ_OK : dq_sink_printf(p->out, error, "%14s  ", *number ? number : "-");
    if (!status) status = put_name(p, m, error);
    if (!status && tsv) status = dq_sink_printf(p->out, error, "\t%s", number);
    if (!status && tsv && p->ratios) status = dq_sink_printf(p->out, error, "\t%s\t%s", low, high);
    if (!status && !tsv && interval) status = dq_sink_printf(p->out, error, "  [%s, %s]", low, high);
    return status ? status : dq_sink_printf(p->out, error, "\n");
}

static dq_status put(printing *p, const measure *m, dq_error *error)
{
    dq_interval interval;
    bool has = find_interval(p, m, &interval);
    return p->format == DQ_TRAFFIC_JSON ? put_json(p, m, has ? &interval : NULL, error)
                                        : put_line(p, m, has ? &interval : NULL, error);
}

static double ratio(double a, double b)
{
    return b > 0 ? a / b : NAN;
}

static dq_status put_count(printing *p, const char *name, double value, dq_error *error)
{
    const measure m = {.prefix = "", .name = name, .bytes = strlen(name), .value = value};
    return put(p, &m, error);
}

/* A rate of totals. */
static dq_status put_rate(printing *p, const char *name, double above, double below, size_t over,
                          size_t under, double per, dq_error *error)
{
    const measure m = {"", name, strlen(name), ratio(above, below) / per, true, over, under, per};
    return put(p, &m, error);
}

static dq_status put_answers(printing *p, dq_error *error)
{
    const dq_traffic *t = p->t;
    const double shown = (double)t->impressions, clicks = (double)t->clicks,
                 applied = (double)t->applications;
    dq_status s = put_count(p, "impressions", shown, error);
    if (!s) s = put_count(p, "users", (double)dq_index_count(&t->users), error);
    if (!s) s = put_count(p, "items", (double)dq_index_count(&t->items), error);
    if (!s) s = put_count(p, "clicks", clicks, error);
    if (!s) s = put_rate(p, "click_rate", clicks, shown, CLICKS, SHOWN, 1, error);
    if (!s) s = put_count(p, "applications", applied, error);
    if (!s) s = put_rate(p, "apply_rate", applied, shown, APPLIED, SHOWN, 1, error);
    return s ? s : put_rate(p, "conversion", applied, clicks, APPLIED, CLICKS, 1, error);
}

static dq_status put_shares(printing *p, dq_error *error)
{
    const dq_traffic *t = p->t;
    double shown = (double)t->impressions;
    size_t labels = dq_index_count(&t->labels);
    dq_status status = DQ_OK;
    for (uint32_t l = 0; l < labels && !status; l++) {
        measure m = {.prefix = "share:",
                     .value = (double)t->label_rows[l] / shown,
                     .rate = true,
                     .over = SHARES + l,
                     .under = SHOWN,
                     .per = 1};
        m.name = dq_index_id(&t->labels, l, &m.bytes);
        status = put(p, &m, error);
    }
    if (status || !t->unlabelled) return status;
    return put_rate(p, "share", (double)t->unlabelled, shown, SHARES + labels, SHOWN, 1, error);
}

static dq_status put_sessions(printing *p, dq_error *error)
{
    const dq_traffic *t = p->t;
    double sessions = (double)t->sessions;
    if (!t->visit_count) return DQ_OK;
    dq_status s = put_count(p, "sessions", sessions, error);
    if (!s) s = put_rate(p, "session_length", (double)t->visit_count, sessions, VISITS, SESSIONS, 1, error);
    if (!s) s = put_rate(p, "session_minutes", t->session_seconds, sessions, SECONDS, SESSIONS, 60, error);
    return s ? s
             : put_rate(p, "return_rate", (double)t->returned, (double)t->judged, RETURNED, JUDGED, 1, error);
}

static dq_status print_all(printing *p, dq_error *error)
{
    dq_status status = DQ_OK;
    if (p->format == DQ_TRAFFIC_TSV)
        status = dq_sink_printf(p->out, error, "measure\tvalue%s\n", p->ratios ? "\tlow\thigh" : "");
    if (!status) status = put_answers(p, error);
    if (!status) status = put_shares(p, error);
    if (!status) status = put_sessions(p, error);
    if (status || p->format != DQ_TRAFFIC_JSON) return status;
    if (p->ratios && !dq_map_set(&p->arena, &p->object, "intervals", p->intervals))
        return dq_fail_memory(error, "the results");
    return dq_rows_write_json(p->out, &p->object, error);
}

dq_status dq_traffic_print(const dq_traffic *t, dq_traffic_format format, dq_sink *out, dq_error *error)
{
    printing p = {.format = format,
                  .t = t,
                  .out = out,
                  .arena = DQ_ARENA_EMPTY,
                  .object = dq_map(),
                  .intervals = dq_map()};
    if (t->intervals) {
        p.ratios = malloc(t->intervals->resamples * sizeof *p.ratios);
        if (!p.ratios) return dq_fail_memory(error, "the intervals");
    }
    dq_status status = print_all(&p, error);
    free(p.ratios);
    dq_arena_free(&p.arena);
    return status;
}
