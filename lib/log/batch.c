/* SPDX-License-Identifier: MIT
 *
 * Rows gathered as the columns of a bundle, by whoever appends, so that whoever writes them copies nothing.
 */
#include "log/log_impl.h"

#include "core/array.h"
#include "core/utf8.h"
#include "data/time.h"
#include "dq/schema.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USER, ITEM, REQUEST, MODEL, LABEL, TIME };
enum { POSITION, PROPENSITY, REWARD, NUMBERS };

static const char *const text_names[DQ_LOG_TEXTS] = {"user",  "item",  "request",
                                                     "model", "label", "attr.time"};
static const char *const kind_names[] = {[DQ_LOG_SHOWN] = "shown", [DQ_LOG_ANSWERS] = "answers"};

dq_log_kind dq_log_kind_of(const dq_bundle *bundle)
{
    const dq_value *kind = dq_map_get(&bundle->meta, "log");
    if (!kind || strcmp(bundle->kind, DQ_KIND_INTERACTIONS) != 0) return DQ_LOG_NONE;
    return dq_value_is(kind, kind_names[DQ_LOG_SHOWN])     ? DQ_LOG_SHOWN
           : dq_value_is(kind, kind_names[DQ_LOG_ANSWERS]) ? DQ_LOG_ANSWERS
                                                           : DQ_LOG_NONE;
}

/* ---- checks ---- */

static dq_status check_text(const char *name, dq_log_text text, bool needed, dq_error *error)
{
    if (!text.at && needed) return dq_fail(error, DQ_ERR_SCHEMA, "a row without its %s", name);
    if (!text.at || dq_utf8_valid(text.at, text.bytes)) return DQ_OK;
    return dq_fail(error, DQ_ERR_FORMAT, "the %s is not UTF-8", name);
}

static dq_status check_numbers(dq_log_kind kind, const dq_log_row *row, dq_error *error)
{
    bool answered = row->label.at || !isnan(row->reward);
    if (!isnan(row->propensity) && !(row->propensity > 0 && row->propensity <= 1))
        return dq_fail(error, DQ_ERR_RANGE, "a propensity of %g is not in (0, 1]", row->propensity);
    if (isinf((float)row->reward))
        return dq_fail(error, DQ_ERR_NUMERIC, "a reward of %g is not finite as a float32", row->reward);
    if (!(fabs(row->time) < 1e11))
        return dq_fail(error, DQ_ERR_RANGE, "%g is no time in seconds since 1970", row->time);
    if (answered != (kind == DQ_LOG_ANSWERS))
        return dq_fail(error, DQ_ERR_SCHEMA, "%s",
                       answered ? "what was shown has no answer yet" : "an answer without label and reward");
    return DQ_OK;
}

dq_status dq_log_rows_check(dq_log_kind kind, const dq_log_row *rows, size_t count, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < count && !status; i++) {
        const dq_log_row *row = &rows[i];
        const dq_log_text texts[] = {row->user, row->item, row->request, row->model, row->label};
        for (size_t t = 0; t < sizeof texts / sizeof *texts && !status; t++)
            status = check_text(text_names[t], texts[t], t <= ITEM, error);
        if (!status) status = check_numbers(kind, row, error);
    }
    return status;
}

/* ---- gathering ---- */

static bool reserve(dq_log_batch *b, size_t need)
{
    size_t capacity = dq_array_capacity(b->capacity, need);
    bool ok = true;
    if (capacity == b->capacity) return true;
    ok = dq_array_resize(&b->position, capacity, sizeof *b->position) &&
         dq_array_resize(&b->propensity, capacity, sizeof *b->propensity) &&
         dq_array_resize(&b->reward, capacity, sizeof *b->reward);
    for (size_t i = 0; i < NUMBERS && ok; i++) ok = dq_array_resize(&b->null[i], capacity, 1);
    if (ok) b->capacity = capacity;
    return ok;
}

/* To the microsecond, as JSON. */
static size_t print_time(double seconds, char json[DQ_TIME_WORDS + 2])
{
    double whole = floor(seconds), micro = round((seconds - whole) * 1e6);
    if (micro >= 1e6) {
        whole += 1;
        micro = 0;
    }
    dq_time time = {.form = DQ_TIME_DATE, .second = (int64_t)whole, .nano = (uint32_t)micro * 1000};
    char words[DQ_TIME_WORDS];
    dq_time_print(&time, words);
    return (size_t)snprintf(json, DQ_TIME_WORDS + 2, "\"%s\"", words);
}

static dq_status add_row(dq_log_batch *b, const dq_log_row *row, dq_error *error)
{
    char json[DQ_TIME_WORDS + 2];
    size_t bytes = print_time(row->time, json);
    const dq_log_text texts[DQ_LOG_TEXTS] = {row->user,  row->item,  row->request,
                                             row->model, row->label, {json, bytes}};
    dq_status status = DQ_OK;
    for (size_t t = 0; t < DQ_LOG_TEXTS && !status; t++)
        status = dq_strings_add(&b->texts[t], texts[t].at, texts[t].bytes, error);
    if (status) return status;
    const bool null[NUMBERS] = {row->position == 0, isnan(row->propensity) != 0, isnan(row->reward) != 0};
    b->position[b->count] = row->position ? row->position : 1;
    b->propensity[b->count] = null[PROPENSITY] ? 1 : row->propensity;
    b->reward[b->count] = null[REWARD] ? 0 : (float)row->reward;
    for (size_t i = 0; i < NUMBERS; i++) {
        b->null[i][b->count] = null[i];
        b->known[i] += !null[i];
    }
    b->count++;
    return DQ_OK;
}

/* Back to n rows. */
static void drop_rows(dq_log_batch *b, size_t n)
{
    for (size_t t = 0; t < DQ_LOG_TEXTS; t++) {
        dq_strings *s = &b->texts[t];
        if (s->count <= n) continue;
        s->count = n;
        s->bytes = s->offsets[n];
    }
    for (; b->count > n; b->count--)
        for (size_t i = 0; i < NUMBERS; i++) b->known[i] -= !b->null[i][b->count - 1];
}

dq_status dq_log_batch_add(dq_log_batch *b, const dq_log_row *rows, size_t count, dq_error *error)
{
    size_t before = b->count;
    dq_status status = reserve(b, before + count) ? DQ_OK : dq_fail_memory(error, "%zu rows", count);
    for (size_t i = 0; i < count && !status; i++) status = add_row(b, &rows[i], error);
    if (status) drop_rows(b, before);
    return status;
}

void dq_log_batch_clear(dq_log_batch *b)
{
    for (size_t t = 0; t < DQ_LOG_TEXTS; t++) dq_strings_clear(&b->texts[t]);
    memset(b->known, 0, sizeof b->known);
    b->count = 0;
}

void dq_log_batch_free(dq_log_batch *b)
{
    for (size_t t = 0; t < DQ_LOG_TEXTS; t++) dq_strings_free(&b->texts[t]);
    for (size_t i = 0; i < NUMBERS; i++) free(b->null[i]);
    free(b->position);
    free(b->propensity);
    free(b->reward);
    *b = (dq_log_batch){0};
}

/* ---- the bundle ---- */

/* Every section has all columns, so that their rows go into one table. */
static dq_status add_texts(const dq_log_batch *b, dq_bundle *to, dq_error *error)
{
    static const uint32_t none[] = {0};
    dq_status status = DQ_OK;
    for (size_t t = 0; t < DQ_LOG_TEXTS && !status; t++) {
        const dq_strings *s = &b->texts[t];
        status = dq_bundle_add_text(to, text_names[t], t == TIME ? DQ_JSON : DQ_TEXT,
                                    b->count ? s->offsets : none, b->count ? s->data : "",
                                    b->count ? s->nulls : NULL, error);
    }
    return status;
}

static dq_status add_numbers(const dq_log_batch *b, dq_bundle *to, dq_error *error)
{
    const struct {
        const char *name;
        dq_dtype type;
        const void *data;
    } columns[NUMBERS] = {
        {"position", DQ_U4, b->position}, {"propensity", DQ_F8, b->propensity}, {"reward", DQ_F4, b->reward}};
    dq_status status = DQ_OK;
    for (size_t i = 0; i < NUMBERS && !status; i++)
        status = dq_bundle_add_numbers(to, columns[i].name, columns[i].type, columns[i].data, NULL,
                                       b->known[i] < b->count ? b->null[i] : NULL, error);
    return status;
}

dq_status dq_log_batch_bundle(const dq_log_batch *b, dq_log_kind kind, uint64_t position, dq_bundle *bundle,
                              dq_error *error)
{
    dq_status status = dq_bundle_init(bundle, DQ_KIND_INTERACTIONS, b->count, error);
    if (status) return status;
    dq_arena *arena = &bundle->arena;
    if (!dq_map_set(arena, &bundle->meta, "log", dq_string(arena, kind_names[kind])) ||
        !dq_map_set(arena, &bundle->meta, "position", dq_int((int64_t)position)))
        status = dq_fail_memory(error, "a bundle");
    if (!status) status = add_texts(b, bundle, error);
    if (!status) status = add_numbers(b, bundle, error);
    if (status) dq_bundle_free(bundle);
    return status;
}
