/* SPDX-License-Identifier: MIT
 *
 * A time in four digits is a year where others are dates, and a number where they are not
 * (dq_time_beside_dates). Which it is, only the end tells; so of both kinds the latest of an item is kept.
 */
#include "rank/feedback.h"

#include "core/array.h"

#include <stdio.h>
#include <stdlib.h>

enum { NEEDS_TIMES = DQ_FEEDBACK_LATEST | DQ_FEEDBACK_EVENTS };

static dq_status no_memory(dq_error *error)
{
    return dq_fail_memory(error, "interactions");
}

/* ---- gathering ---- */

/* The columns of a bundle of interactions; label and time may be NULL. */
typedef struct columns {
    const dq_column *user, *item, *label, *time;
} columns;

static double weigh(dq_feedback *f, const columns *c, uint64_t row)
{
    size_t n;
    double weight = 0;
    if (!f->map) return 1;
    const char *label = c->label ? dq_column_text(c->label, row, &n) : NULL;
    if (!label || !dq_label_map_find(f->map, label, n, &weight)) f->unmapped++;
    return weight;
}

/* Arrays by item are as long as there are items. */
static bool reserve_items(dq_feedback *f)
{
    size_t need = dq_index_count(&f->items), sums = f->sum_slots, last = f->last_slots;
    if (f->need & DQ_FEEDBACK_SUMS) {
        if (!dq_array_reserve(&f->sums, &f->sum_slots, need, sizeof *f->sums)) return false;
        if (sums < f->sum_slots) memset(f->sums + sums, 0, (f->sum_slots - sums) * sizeof *f->sums);
    }
    if (f->need & DQ_FEEDBACK_LATEST) {
        if (!dq_array_reserve(&f->last, &f->last_slots, need, sizeof *f->last)) return false;
        if (last < f->last_slots) memset(f->last + last, 0, (f->last_slots - last) * sizeof *f->last);
    }
    return true;
}

/* Knuth's sum of two doubles without an error (The Art of Computer Programming 2, 4.2.2): what rounding takes
 * from sum[0] stands in sum[1]. Else 0.1 + 0.2 - 0.3 and 0.2 - 0.3 + 0.1 would be two sums. */
static void add_to(double sum[2], double weight)
{
    double all = sum[0] + weight, part = all - sum[0];
    sum[1] += (sum[0] - (all - part)) + (weight - part);
    sum[0] = all;
}

static int compare_times(const dq_feedback_event *a, const dq_feedback_event *b)
{
    int order = dq_time_compare(&a->time, &b->time);
    return order ? order : (a->place > b->place) - (a->place < b->place);
}

/* place + 1, so that 0 is an item that none has met. */
static void keep_latest(dq_feedback *f, dq_feedback_event event)
{
    dq_feedback_event *last = &f->last[event.item][event.time.year];
    event.place++;
    if (last->place == 0 || compare_times(&event, last) > 0) *last = event;
}

static dq_status take_event(dq_feedback *f, dq_feedback_event event, dq_error *error)
{
    if (f->need & DQ_FEEDBACK_LATEST) keep_latest(f, event);
    if (f->need & DQ_FEEDBACK_PAIRS) {
        dq_status status = dq_pairset_add(&f->pairs, event.user, event.item, NULL, error);
        if (status) return status;
    }
    if (f->need & DQ_FEEDBACK_EVENTS) {
        if (!dq_array_reserve(&f->events, &f->event_slots, f->event_count + 1, sizeof *f->events))
            return no_memory(error);
        f->events[f->event_count++] = event;
    }
    return DQ_OK;
}

static dq_status take(dq_feedback *f, const dq_bundle *b, const columns *c, uint64_t row, dq_error *error)
{
    dq_feedback_event event = {.place = f->count++};
    double weight = weigh(f, c, row);
    size_t n;
    if (!(weight > 0) && !(f->need & DQ_FEEDBACK_SUMS)) return DQ_OK;
    const char *id = dq_column_text(c->item, row, &n);
    dq_status status = dq_index_add(&f->items, id, n, &event.item, NULL, error);
    if (!status && !reserve_items(f)) status = no_memory(error);
    if (!status && (f->need & DQ_FEEDBACK_SUMS)) add_to(f->sums[event.item], weight);
    if (status || !(weight > 0)) return status;
    id = dq_column_text(c->user, row, &n);
    status = dq_index_add(&f->users, id, n, &event.user, NULL, error);
    if (!status && (f->need & NEEDS_TIMES)) {
        status = dq_time_take(b, c->time, row, &event.time, error);
        dq_time_count(&f->times, &event.time);
    }
    return status ? status : take_event(f, event, error);
}

dq_status dq_feedback_add(dq_feedback *f, const dq_bundle *b, dq_error *error)
{
    columns c = {dq_bundle_column(b, "user"), dq_bundle_column(b, "item"), dq_bundle_column(b, "label"),
                 f->need & NEEDS_TIMES ? dq_time_column(b, f->time) : NULL};
    const char *other = (f->need & NEEDS_TIMES) && !c.time ? dq_time_suggest(b) : NULL;
    dq_status status = DQ_OK;
    if (other) (void)snprintf(f->suggested, sizeof f->suggested, "%s", other);
    for (uint64_t row = 0; !status && row < b->rows; row++) status = take(f, b, &c, row, error);
    return status;
}

/* ---- when all came ---- */

static dq_status check_times(const dq_feedback *f, dq_error *error)
{
    uint64_t none = f->times.count[DQ_TIME_NONE], all = 0;
    for (int i = 0; i < DQ_TIME_FORMS; i++) all += f->times.count[i];
    if (none && none < all)
        return dq_fail(error, DQ_ERR_SCHEMA,
                       "%llu of %llu interactions have no attribute '%s': their order is not known",
                       (unsigned long long)none, (unsigned long long)all, f->time);
    return dq_time_check_forms(&f->times, f->time, error);
}

static int compare_last(const void *a, const void *b)
{
    return compare_times(a, b);
}

/* Numbers the items from the one that was met longest ago. Without times the places in the stream decide. */
static dq_status order_items(dq_feedback *f, dq_error *error)
{
    size_t count = dq_index_count(&f->items);
    bool dates = f->times.count[DQ_TIME_DATE] > 0, timed = f->times.count[DQ_TIME_NONE] == 0;
    dq_feedback_event *last = malloc((count + 1) * sizeof *last);
    f->latest = calloc(count + 1, sizeof *f->latest);
    size_t met = 0;
    uint32_t at = 0;
    if (!last || !f->latest) {
        free(last);
        return no_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        dq_feedback_event *two = f->last[i];
        if (dates) two[1].time = dq_time_beside_dates(two[1].time);
        bool second = two[1].place && (!two[0].place || compare_times(&two[1], &two[0]) > 0);
        if (two[second].place) last[met++] = two[second];
    }
    if (met) qsort(last, met, sizeof *last, compare_last);
    for (size_t i = 0; i < met; i++) {
        bool same = i && timed && dq_time_compare(&last[i].time, &last[i - 1].time) == 0;
        f->latest[last[i].item] = at += !same;
    }
    free(last);
    return DQ_OK;
}

static int compare_events(const void *x, const void *y)
{
    const dq_feedback_event *a = x, *b = y;
    if (a->user != b->user) return a->user < b->user ? -1 : 1;
    return compare_times(a, b);
}

dq_status dq_feedback_finish(dq_feedback *f, dq_error *error)
{
    dq_status status = check_times(f, error);
    if (status) return status;
    for (size_t i = 0; f->times.count[DQ_TIME_DATE] && i < f->event_count; i++)
        f->events[i].time = dq_time_beside_dates(f->events[i].time);
    if (f->event_count) qsort(f->events, f->event_count, sizeof *f->events, compare_events);
    return f->need & DQ_FEEDBACK_LATEST ? order_items(f, error) : DQ_OK;
}

bool dq_feedback_describe_times(const dq_feedback *f, char *words, size_t size)
{
    *words = '\0';
    if (!(f->need & NEEDS_TIMES)) return false;
    if (f->times.count[DQ_TIME_NONE] == 0) return dq_time_describe(&f->times, f->time, words, size);
    (void)snprintf(words, size,
                   "the interactions have no attribute '%s': the order of the stream is taken for that of "
                   "time%s%s%s",
                   f->time, *f->suggested ? "; they have a '" : "", f->suggested,
                   *f->suggested ? "', which reads as one" : "");
    return true;
}

void dq_feedback_free(dq_feedback *f)
{
    dq_index_free(&f->users);
    dq_index_free(&f->items);
    dq_pairset_free(&f->pairs);
    free(f->sums);
    free(f->events);
    free(f->latest);
    free(f->last);
}
