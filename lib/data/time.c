/* SPDX-License-Identifier: MIT */
#include "data/time.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const dq_column *dq_time_column(const dq_bundle *interactions, const char *attribute)
{
    static const char prefix[] = "attr.";
    for (size_t i = 0; i < interactions->column_count; i++) {
        const dq_column *c = &interactions->columns[i];
        if (c->type == DQ_JSON && strncmp(c->name, prefix, strlen(prefix)) == 0 &&
            strcmp(c->name + strlen(prefix), attribute) == 0)
            return c;
    }
    return NULL;
}

dq_time dq_time_parse(const char *text, size_t bytes)
{
    dq_time time = {.form = DQ_TIME_TEXT, .text = text, .bytes = bytes};
    char copy[64], *end;
    if (bytes == 0 || bytes >= sizeof copy) return time;
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    double number = strtod(copy, &end);
    if (end != copy + bytes) return time;
    time.form = DQ_TIME_NUMBER;
    time.number = number;
    return time;
}

dq_time dq_time_of(const dq_column *column, uint64_t row)
{
    size_t n = 0;
    const char *json = column ? dq_column_text(column, row, &n) : NULL;
    if (!json || (n == 4 && memcmp(json, "null", 4) == 0)) return (dq_time){.form = DQ_TIME_NONE};
    if (n >= 2 && json[0] == '"') return (dq_time){.form = DQ_TIME_TEXT, .text = json + 1, .bytes = n - 2};
    if (n && (json[0] == '-' || (json[0] >= '0' && json[0] <= '9'))) {
        dq_time time = dq_time_parse(json, n);
        if (time.form == DQ_TIME_NUMBER) return time;
    }
    return (dq_time){.form = DQ_TIME_OTHER, .text = json, .bytes = n};
}

/* ---- seconds ---- */

enum { DAY = 86400 };

/* What is left of a text that is being read; at NULL: it was none. */
typedef struct reading {
    const char *at, *end;
} reading;

/* Exactly n digits. */
static int read_digits(reading *r, int n)
{
    int number = 0;
    for (; n > 0; n--, r->at++) {
        if (!r->at || r->at == r->end || !isdigit((unsigned char)*r->at)) return r->at = NULL, 0;
        number = 10 * number + (*r->at - '0');
    }
    return number;
}

static bool read_one_of(reading *r, const char *which)
{
    bool found = r->at && r->at < r->end && *r->at && strchr(which, *r->at);
    if (found) r->at++;
    return found;
}

/* Days since 1970-01-01 (H. Hinnant, "chrono-compatible low-level date algorithms"). */
static double days_of(int year, int month, int day)
{
    year -= month <= 2;
    int era = year / 400, of_era = year - era * 400;
    int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097.0 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static double read_offset(reading *r)
{
    if (read_one_of(r, "Z") || r->at == r->end) return 0;
    double sign = read_one_of(r, "+") ? 1 : read_one_of(r, "-") ? -1 : (double)NAN;
    int hours = read_digits(r, 2);
    (void)read_one_of(r, ":");
    return sign * (hours * 3600 + read_digits(r, 2) * 60);
}

static double read_clock(reading *r)
{
    double scale = 0.1, seconds = read_digits(r, 2) * 3600.0;
    if (!read_one_of(r, ":")) return (double)NAN;
    seconds += read_digits(r, 2) * 60;
    if (read_one_of(r, ":")) seconds += read_digits(r, 2);
    if (read_one_of(r, ".,"))
        for (; r->at < r->end && isdigit((unsigned char)*r->at); scale /= 10)
            seconds += scale * (*r->at++ - '0');
    return r->at ? seconds - read_offset(r) : (double)NAN;
}

static double seconds_of_text(const char *text, size_t bytes)
{
    reading r = {text, text + bytes};
    int year = read_digits(&r, 4), month = 1, day = 1;
    double seconds = 0;
    if (read_one_of(&r, "-")) {
        month = read_digits(&r, 2);
        if (read_one_of(&r, "-")) {
            day = read_digits(&r, 2);
            if (read_one_of(&r, "T ")) seconds = read_clock(&r);
        }
    }
    bool whole = r.at && r.at == r.end && month >= 1 && month <= 12 && day >= 1 && day <= 31;
    return whole ? days_of(year, month, day) * DAY + seconds : (double)NAN;
}

double dq_time_seconds(const dq_time *time)
{
    if (time->form == DQ_TIME_TEXT && time->bytes) return seconds_of_text(time->text, time->bytes);
    if (time->form != DQ_TIME_NUMBER) return (double)NAN;
    double size = fabs(time->number); /* 1e11 seconds are the year 5138, and so many milliseconds 1973 */
    return time->number / (size < 1e11 ? 1 : size < 1e14 ? 1e3 : 1e6);
}

/* ---- order ---- */

int dq_time_compare(const dq_time *a, const dq_time *b)
{
    if (a->form == DQ_TIME_NUMBER && b->form == DQ_TIME_NUMBER)
        return (a->number > b->number) - (a->number < b->number);
    size_t n = a->bytes < b->bytes ? a->bytes : b->bytes;
    int order = n ? memcmp(a->text, b->text, n) : 0;
    return order ? order : (a->bytes > b->bytes) - (a->bytes < b->bytes);
}
