/* SPDX-License-Identifier: MIT */
#include "data/time.h"

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAY = 86400, BILLION = 1000000000, NUMBER_BYTES = 64, FORMAT_BYTES = 128 };

/* ---- numbers ---- */

/* A unit of numbers: how many make a second, and the size from which a number counts the next smaller one. */
typedef struct unit {
    dq_time_form form;
    uint64_t second;
    double below;
} unit;

static const unit units[] = {{DQ_TIME_SECONDS, 1, 1e11},
                             {DQ_TIME_MILLISECONDS, 1000, 1e14},
                             {DQ_TIME_MICROSECONDS, 1000000, 1e17},
                             {DQ_TIME_NANOSECONDS, BILLION, 1e20}};
enum { UNITS = sizeof units / sizeof *units };

/* Number of a unit, whole + billionths / 1e9, as an instant. Whole numbers are exact. */
static dq_time time_of_units(const unit *u, bool negative, uint64_t whole, uint64_t billionths)
{
    dq_time time = {.form = u->form, .second = (int64_t)(whole / u->second)};
    time.nano = (uint32_t)(whole % u->second * (BILLION / u->second) + billionths / u->second);
    if (!negative) return time;
    time.second = -time.second;
    if (time.nano) {
        time.second--;
        time.nano = BILLION - time.nano;
    }
    return time;
}

static const dq_time unreadable = {.form = DQ_TIME_UNREADABLE};

static dq_time time_of_size(bool negative, uint64_t whole, uint64_t billionths)
{
    for (size_t i = 0; i < UNITS; i++)
        if ((double)whole < units[i].below) return time_of_units(&units[i], negative, whole, billionths);
    return unreadable;
}

/* A decimal number with an exponent, as spreadsheets write large ones. */
static dq_time time_of_real(double number)
{
    double size = fabs(number), whole = floor(size);
    if (!(size < 1.8e19)) return unreadable; /* as a uint64_t holds it */
    return time_of_size(number < 0, (uint64_t)whole, (uint64_t)((size - whole) * BILLION));
}

/* [+-]digits[.digits], exactly, or with an exponent, to the nearest double. */
static dq_time read_number(const char *text, size_t bytes)
{
    char copy[NUMBER_BYTES], *end;
    size_t i = bytes && (text[0] == '-' || text[0] == '+'), digits = 0, decimals = 0;
    uint64_t whole = 0, billionths = 0;
    if (bytes >= sizeof copy) return unreadable;
    for (; i < bytes && isdigit((unsigned char)text[i]); i++, digits++)
        if (digits < 19) whole = 10 * whole + (uint64_t)(text[i] - '0');
    if (i < bytes && text[i] == '.')
        for (i++; i < bytes && isdigit((unsigned char)text[i]); i++, digits += decimals++ == 0)
            if (decimals < 9) billionths = 10 * billionths + (uint64_t)(text[i] - '0');
    size_t plain = i;
    if (!digits || (i < bytes && text[i] != 'e' && text[i] != 'E')) return unreadable;
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    double number = strtod(copy, &end);
    if (end != copy + bytes) return unreadable;
    if (plain < bytes || fabs(number) >= 1e19) return time_of_real(number);
    for (; decimals < 9; decimals++) billionths *= 10;
    return time_of_size(text[0] == '-', whole, billionths);
}

/* ---- dates ---- */

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

static bool read_word(reading *r, const char *word)
{
    size_t n = strlen(word);
    bool found = r->at && (size_t)(r->end - r->at) >= n && memcmp(r->at, word, n) == 0;
    if (found) r->at += n;
    return found;
}

/* Days since 1970-01-01 (H. Hinnant, "chrono-compatible low-level date algorithms"). */
static int64_t days_of(int year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool is_day(int year, int month, int day)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (leap && month == 2);
}

/* A moment by its parts; offset: seconds east of Greenwich. */
typedef struct calendar {
    int year, month, day, hour, minute, second, offset;
    uint32_t nano;
} calendar;

/* 24:00 is the next day's beginning, and :60 a leap second, the next minute's. */
static dq_time time_of_calendar(const calendar *c)
{
    bool there = is_day(c->year, c->month, c->day) && c->minute < 60 && c->second <= 60 &&
                 c->hour * 3600 + c->minute * 60 + c->second <= DAY;
    if (!there) return unreadable;
    int64_t of_day = 60 * (60 * (int64_t)c->hour + c->minute) + c->second - c->offset;
    return (dq_time){
        .form = DQ_TIME_DATE, .second = days_of(c->year, c->month, c->day) * DAY + of_day, .nano = c->nano};
}

/* Seconds east of Greenwich. */
static int read_offset(reading *r)
{
    if (r->at == r->end || read_one_of(r, "Zz")) return 0;
    (void)read_one_of(r, " ");
    if (read_word(r, "UTC") || read_word(r, "GMT") || read_word(r, "Z")) return 0;
    bool west = read_one_of(r, "-");
    if (!west && !read_one_of(r, "+")) return r->at = NULL, 0;
    int hours = read_digits(r, 2), minutes = 0;
    if (read_one_of(r, ":") || r->at != r->end) minutes = read_digits(r, 2);
    if (hours > 23 || minutes > 59) r->at = NULL;
    return (west ? -1 : 1) * (hours * 3600 + minutes * 60);
}

static void read_clock(reading *r, bool colons, calendar *c)
{
    c->hour = read_digits(r, 2);
    if (colons && !read_one_of(r, ":")) r->at = NULL;
    c->minute = read_digits(r, 2);
    bool seconds = colons ? read_one_of(r, ":") : r->at && r->at < r->end && isdigit((unsigned char)*r->at);
    if (seconds) c->second = read_digits(r, 2);
    if (seconds && read_one_of(r, ".,")) {
        if (r->at == r->end || !isdigit((unsigned char)*r->at)) r->at = NULL;
        for (uint32_t scale = BILLION / 10; r->at && r->at < r->end && isdigit((unsigned char)*r->at);
             scale /= 10)
            c->nano += scale * (uint32_t)(*r->at++ - '0');
    }
    if (r->at) c->offset = read_offset(r);
}

/* YYYY-MM[-DD[Thh:mm[:ss[.f]][zone]]], or YYYYMMDDThhmm[ss[.f]][zone]. */
static dq_time read_date(const char *text, size_t bytes)
{
    reading r = {text, text + bytes};
    calendar c = {.year = read_digits(&r, 4), .day = 1};
    bool dashes = read_one_of(&r, "-");
    c.month = read_digits(&r, 2);
    bool day = dashes ? read_one_of(&r, "-") : r.at != NULL;
    if (day) c.day = read_digits(&r, 2);
    if (day && read_one_of(&r, dashes ? "Tt " : "T"))
        read_clock(&r, dashes, &c);
    else if (!dashes)
        r.at = NULL; /* so many digits are a number */
    if (!r.at || r.at != r.end) return unreadable;
    return time_of_calendar(&c);
}

dq_time dq_time_parse(const char *text, size_t bytes)
{
    while (bytes && isspace((unsigned char)text[0])) text++, bytes--;
    while (bytes && isspace((unsigned char)text[bytes - 1])) bytes--;
    dq_time time = read_number(text, bytes);
    if (time.form == DQ_TIME_UNREADABLE) return read_date(text, bytes);
    time.year = bytes == 4 && strspn(text, "0123456789") >= 4;
    return time;
}

dq_time dq_time_beside_dates(dq_time time)
{
    if (!time.year) return time;
    return (dq_time){.form = DQ_TIME_DATE, .second = days_of((int)time.second, 1, 1) * DAY};
}

/* ---- other forms ---- */

/* What strptime(3) has that tells a part of a moment alike everywhere. Not %s, which goes by the local zone,
 * and not %Z, which it passes over. */
static const char conversions[] = "aAbBcdDeFhHIjklmMnpPrRStTyYz%";

static bool has_one_of(const char *format, const char *which)
{
    for (const char *p = format; (p = strchr(p, '%')) && p[1]; p += 2)
        if (strchr(which, p[1])) return true;
    return false;
}

dq_time dq_time_parse_format(const char *format, const char *text, size_t bytes)
{
    char copy[FORMAT_BYTES];
    struct tm tm = {.tm_year = INT_MIN, .tm_mday = 1};
    while (bytes && isspace((unsigned char)text[0])) text++, bytes--;
    if (bytes >= sizeof copy || memchr(text, '\0', bytes)) return unreadable;
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    const char *end = strptime(copy, format, &tm);
    while (end && isspace((unsigned char)*end)) end++;
    if (!end || *end || tm.tm_year == INT_MIN) return unreadable;
    if (tm.tm_year + 1900 < 1000) return unreadable; /* %Y takes the two digits of %y as they are */
    const calendar c = {.year = tm.tm_year + 1900,
                        .month = tm.tm_mon + 1,
                        .day = tm.tm_mday,
                        .hour = tm.tm_hour,
                        .minute = tm.tm_min,
                        .second = tm.tm_sec,
                        .offset = (int)tm.tm_gmtoff};
    return time_of_calendar(&c);
}

/* By a moment whose parts tell each other apart: what the format writes of it, it must read as the same day,
 * or as the beginning of the same month or year, and as the same hour, or none. */
dq_status dq_time_format_check(const char *format, dq_error *error)
{
    static const struct tm known = {.tm_year = 119,
                                    .tm_mon = 10,
                                    .tm_mday = 12,
                                    .tm_hour = 19,
                                    .tm_min = 31,
                                    .tm_sec = 4,
                                    .tm_wday = 2,
                                    .tm_yday = 315};
    char text[FORMAT_BYTES];
    for (const char *p = format; (p = strchr(p, '%')); p += 2)
        if (!p[1] || !strchr(conversions, p[1]))
            return dq_fail(error, DQ_ERR_FORMAT,
                           "%%%.1s is none of strptime's conversions that are read here (%s)", p + 1,
                           conversions);
    size_t n = strftime(text, sizeof text, format, &known);
    dq_time time = n ? dq_time_parse_format(format, text, n) : unreadable;
    int64_t day = time.second / DAY, hour = time.second % DAY / 3600;
    if (time.form == DQ_TIME_UNREADABLE ||
        (day != days_of(2019, 11, 12) && day != days_of(2019, 11, 1) && day != days_of(2019, 1, 1)))
        return dq_fail(error, DQ_ERR_FORMAT, "it does not tell a day, as %%Y-%%m-%%d does");
    if (has_one_of(format, "pP") ? !has_one_of(format, "Ilr") : hour != 0 && hour != 19)
        return dq_fail(error, DQ_ERR_FORMAT, "%%I, hours up to 12, and %%p, AM or PM, go together");
    return DQ_OK;
}

/* ---- JSON ---- */

/* What {"$date": ...} holds, as the stream's JSON writes it: a text, milliseconds, or {"$numberLong": "..."}
 * of them. */
static dq_time time_of_date(const char *json, size_t n)
{
    static const char number[] = "{\"$numberLong\":\"";
    bool quoted = n >= 2 && json[0] == '"';
    if (quoted) return read_date(json + 1, n - 2);
    if (n > strlen(number) + 2 && memcmp(json, number, strlen(number)) == 0) {
        json += strlen(number);
        n -= strlen(number) + 2;
    }
    size_t digits = n && json[0] == '-';
    uint64_t whole = 0;
    for (size_t i = digits; i < n; i++) {
        if (!isdigit((unsigned char)json[i]) || i - digits >= 19) return unreadable;
        whole = 10 * whole + (uint64_t)(json[i] - '0');
    }
    if (n == digits || whole > INT64_MAX) return unreadable;
    dq_time time = time_of_units(&units[1], digits, whole, 0);
    time.form = DQ_TIME_DATE;
    return time;
}

dq_time dq_time_of_json(const char *json, size_t n)
{
    static const char date[] = "{\"$date\":";
    if (n == 4 && memcmp(json, "null", 4) == 0) return (dq_time){.form = DQ_TIME_NONE};
    if (n >= 2 && json[0] == '"') return dq_time_parse(json + 1, n - 2);
    if (n > sizeof date && memcmp(json, date, strlen(date)) == 0)
        return time_of_date(json + strlen(date), n - sizeof date);
    return read_number(json, n);
}

/* ---- order, and words ---- */

static bool is_time(const dq_time *time)
{
    return time->form != DQ_TIME_NONE && time->form != DQ_TIME_UNREADABLE;
}

double dq_time_seconds(const dq_time *time)
{
    return is_time(time) ? (double)time->second + (double)time->nano / BILLION : (double)NAN;
}

int dq_time_compare(const dq_time *a, const dq_time *b)
{
    if (a->second != b->second) return a->second < b->second ? -1 : 1;
    return (a->nano > b->nano) - (a->nano < b->nano);
}

void dq_time_print(const dq_time *time, char words[DQ_TIME_WORDS])
{
    int64_t days = time->second / DAY - (time->second % DAY < 0), of_day = time->second - days * DAY;
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100), m = (5 * of_year + 2) / 153;
    int64_t month = m < 10 ? m + 3 : m - 9;
    int n = snprintf(words, DQ_TIME_WORDS,
                     "%04" PRId64 "-%02" PRId64 "-%02" PRId64 "T%02" PRId64 ":%02" PRId64 ":%02" PRId64,
                     year + era * 400 + (month <= 2), month, of_year - (153 * m + 2) / 5 + 1, of_day / 3600,
                     of_day / 60 % 60, of_day % 60);
    if (time->nano) {
        n += snprintf(words + n, DQ_TIME_WORDS - (size_t)n, ".%09" PRIu32, time->nano);
        while (words[n - 1] == '0') n--;
    }
    (void)snprintf(words + n, DQ_TIME_WORDS - (size_t)n, "Z");
}
