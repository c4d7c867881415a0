/* SPDX-License-Identifier: MIT
 *
 * Times where they stand: an attribute of interactions, and how a column of them is written.
 */
#include "data/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { QUOTED = 60 }; /* bytes of a text that an error shows */

static const int64_t SMALL = 100000000; /* seconds: 1973 */

/* ---- an attribute ---- */

static const char prefix[] = "attr.";

const dq_column *dq_time_column(const dq_bundle *interactions, const char *attribute)
{
    for (size_t i = 0; i < interactions->column_count; i++) {
        const dq_column *c = &interactions->columns[i];
        if (c->type == DQ_JSON && strncmp(c->name, prefix, strlen(prefix)) == 0 &&
            strcmp(c->name + strlen(prefix), attribute) == 0)
            return c;
    }
    return NULL;
}

dq_time dq_time_of(const dq_column *column, uint64_t row)
{
    size_t n = 0;
    const char *json = column ? dq_column_text(column, row, &n) : NULL;
    return json ? dq_time_of_json(json, n) : (dq_time){.form = DQ_TIME_NONE};
}

static const char *text_at(const dq_bundle *b, const char *column, uint64_t row, int *n)
{
    const dq_column *c = dq_bundle_column(b, column);
    size_t bytes = 0;
    const char *text = c ? dq_column_text(c, row, &bytes) : NULL;
    *n = bytes < QUOTED ? (int)bytes : QUOTED;
    return text ? text : "";
}

dq_status dq_time_take(const dq_bundle *interactions, const dq_column *column, uint64_t row, dq_time *time,
                       dq_error *error)
{
    int user_bytes, item_bytes;
    size_t n;
    *time = dq_time_of(column, row);
    if (time->form != DQ_TIME_UNREADABLE) return DQ_OK;
    const char *json = dq_column_text(column, row, &n);
    const char *user = text_at(interactions, "user", row, &user_bytes);
    const char *item = text_at(interactions, "item", row, &item_bytes);
    return dq_fail(error, DQ_ERR_SCHEMA,
                   "user %.*s, item %.*s: the time '%s' is neither a number since 1970 nor ISO 8601: %.*s "
                   "(dq-export --time-format reads other forms)",
                   user_bytes, user, item_bytes, item, column->name + strlen(prefix),
                   n < QUOTED ? (int)n : QUOTED, json);
}

const char *dq_time_suggest(const dq_bundle *interactions)
{
    for (size_t i = 0; i < interactions->column_count; i++) {
        const dq_column *c = &interactions->columns[i];
        dq_time time = {.form = DQ_TIME_NONE};
        if (c->type != DQ_JSON || strncmp(c->name, prefix, strlen(prefix)) != 0) continue;
        for (uint64_t row = 0; row < interactions->rows && time.form == DQ_TIME_NONE; row++)
            time = dq_time_of(c, row);
        if (time.form != DQ_TIME_NONE && time.form != DQ_TIME_UNREADABLE && time.second >= SMALL)
            return c->name + strlen(prefix);
    }
    return NULL;
}

/* ---- how times are written ---- */

static const struct {
    dq_time_form form;
    const char *name;
} units[] = {{DQ_TIME_SECONDS, "seconds"},
             {DQ_TIME_MILLISECONDS, "milliseconds"},
             {DQ_TIME_MICROSECONDS, "microseconds"},
             {DQ_TIME_NANOSECONDS, "nanoseconds"}};
enum { UNITS = sizeof units / sizeof *units };

bool dq_time_is_small(const dq_time *time)
{
    bool number = time->form >= DQ_TIME_SECONDS && time->form <= DQ_TIME_NANOSECONDS;
    return number && time->second > -SMALL && time->second < SMALL;
}

void dq_time_count(dq_time_tally *tally, const dq_time *time)
{
    if (tally->count[time->form]++ == 0) tally->first[time->form] = *time;
    tally->small += dq_time_is_small(time);
    tally->years += time->year;
}

static size_t count_forms(const dq_time_tally *tally)
{
    size_t forms = tally->count[DQ_TIME_DATE] > 0;
    for (size_t i = 0; i < UNITS; i++) forms += tally->count[units[i].form] > 0;
    return forms;
}

dq_status dq_time_check_forms(const dq_time_tally *tally, const char *attribute, dq_error *error)
{
    uint64_t dates = tally->count[DQ_TIME_DATE], small = tally->small - (dates ? tally->years : 0);
    if (!small || count_forms(tally) < 2) return DQ_OK;
    return dq_fail(error, DQ_ERR_SCHEMA,
                   "the times '%s' are of several forms, and %" PRIu64
                   " are numbers too small to be such a time",
                   attribute, small);
}

bool dq_time_describe(const dq_time_tally *tally, const char *attribute, char *words, size_t size)
{
    uint64_t dates = tally->count[DQ_TIME_DATE];
    size_t used = 0, forms = count_forms(tally);
    words[0] = '\0';
    if (forms == (dates > 0)) return false;
    used += (size_t)snprintf(words, size,
                             forms > 1 ? "the times '%s' are of several forms" : "the times '%s'", attribute);
    for (size_t i = 0; i < UNITS && used < size; i++) {
        char first[DQ_TIME_WORDS], count[32] = " are";
        uint64_t n = tally->count[units[i].form];
        if (!n) continue;
        dq_time_print(&tally->first[units[i].form], first);
        if (forms > 1) (void)snprintf(count, sizeof count, "; %" PRIu64 " are", n);
        used += (size_t)snprintf(words + used, size - used, "%s taken as %s since 1970 (the first is %s)",
                                 count, units[i].name, first);
    }
    if (dates && used < size) (void)snprintf(words + used, size - used, "; %" PRIu64 " are dates", dates);
    return true;
}
