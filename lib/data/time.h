/* SPDX-License-Identifier: MIT
 *
 * When an interaction was: the one rule by which every program reads a time. A time is
 *
 *   - a number, also as digits in quotes: what it counts since 1970 is told by its size. Below 1e11 it counts
 *     seconds (1e11 of them are the year 5138), below 1e14 milliseconds, below 1e17 microseconds, below 1e20
 *     nanoseconds, as pandas writes them (so many of the smaller unit are the year 1973);
 *   - a date of ISO 8601: YYYY-MM, YYYY-MM-DD, YYYYMMDDThhmm; after a day T or a space, hh:mm, then perhaps
 *     :ss and a fraction; then perhaps Z, UTC, GMT, +hh, +hhmm or +hh:mm (UTC where it does not say);
 *   - {"$date": ...} of MongoDB's extended JSON, whose number counts milliseconds.
 *
 * Anything else is no time: nobody guesses at the order of day and month. All times lie on one line, so they
 * compare however they were written.
 */
#ifndef DQ_DATA_TIME_H
#define DQ_DATA_TIME_H

#include "dq/bundle.h"

typedef enum dq_time_form {
    DQ_TIME_NONE, /* null, or no such attribute */
    DQ_TIME_SECONDS,
    DQ_TIME_MILLISECONDS,
    DQ_TIME_MICROSECONDS,
    DQ_TIME_NANOSECONDS,
    DQ_TIME_DATE,
    DQ_TIME_UNREADABLE, /* something that is no time */
    DQ_TIME_FORMS       /* how many there are */
} dq_time_form;

/* An instant: second + nano / 1e9 since 1970, in UTC. 0 for NONE and UNREADABLE. */
typedef struct dq_time {
    dq_time_form form;
    bool year; /* exactly four digits in a text: a number, but beside dates a year (dq_time_beside_dates) */
    uint32_t nano;
    int64_t second;
} dq_time;

/* The column of an attribute of a bundle of interactions; NULL when there is none. */
const dq_column *dq_time_column(const dq_bundle *interactions, const char *attribute);
/* The time in a row of that column: NONE for a null, and where column is NULL. */
dq_time dq_time_of(const dq_column *column, uint64_t row);
/* The same, and DQ_ERR_SCHEMA where it is UNREADABLE: says of whom and what it is. */
dq_status dq_time_take(const dq_bundle *interactions, const dq_column *column, uint64_t row, dq_time *time,
                       dq_error *error);
/* The first attribute of interactions that reads as a time of the last decades, by the first row that has
 * it; NULL: none does. What to try where the one that was asked for is not there. */
const char *dq_time_suggest(const dq_bundle *interactions);

/* A time as a person writes it, without quotes. White space around it does not count. */
dq_time dq_time_parse(const char *text, size_t bytes);
/* A time as the stream's JSON has it; NONE for a null. */
dq_time dq_time_of_json(const char *json, size_t bytes);
/* A time of another form, by strptime(3) in the C locale; UTC. White space around it does not count. */
dq_time dq_time_parse_format(const char *format, const char *text, size_t bytes);
/* DQ_ERR_FORMAT for a format that strptime cannot read, or of which a year or half of the day is not told. */
dq_status dq_time_format_check(const char *format, dq_error *error);
/* Whether it is a number below 1e8 seconds, which is 1973: mostly such ones count something else. */
bool dq_time_is_small(const dq_time *time);
/* Four digits, beside a date, are a year: that year's beginning; other times as they are. */
dq_time dq_time_beside_dates(dq_time time);

/* Seconds since 1970, to the nearest double; NAN for NONE and UNREADABLE. */
double dq_time_seconds(const dq_time *time);
/* < 0, 0, > 0: which instant is earlier. */
int dq_time_compare(const dq_time *a, const dq_time *b);
/* "2019-11-12T19:31:04Z", with as many decimals as it takes. */
enum { DQ_TIME_WORDS = 40 };
void dq_time_print(const dq_time *time, char words[DQ_TIME_WORDS]);

/* ---- how the times of a column are written ---- */

/* Zero-initialise to start. */
typedef struct dq_time_tally {
    uint64_t count[DQ_TIME_FORMS];
    dq_time first[DQ_TIME_FORMS];
    uint64_t small; /* numbers for which dq_time_is_small */
    uint64_t years; /* of these, those that are years beside dates */
} dq_time_tally;

void dq_time_count(dq_time_tally *tally, const dq_time *time);
/* DQ_ERR_SCHEMA for a column of several forms in which some numbers are small: they are no times beside the
 * others. */
dq_status dq_time_check_forms(const dq_time_tally *tally, const char *attribute, dq_error *error);
/* What was taken for granted, for a person to see, cut to size >= 1 bytes: what numbers were taken to count,
 * and that a column has times of several forms. False, and "", where there is nothing to say: all are dates.
 */
bool dq_time_describe(const dq_time_tally *tally, const char *attribute, char *words, size_t size);

#endif
