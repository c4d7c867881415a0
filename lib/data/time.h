/* SPDX-License-Identifier: MIT
 *
 * When an interaction was: an attribute that holds a number or a text. Numbers compare by value, texts by
 * their bytes, as ISO 8601 sorts. Where it matters how long lies between two, times are seconds.
 */
#ifndef DQ_DATA_TIME_H
#define DQ_DATA_TIME_H

#include "dq/bundle.h"

typedef enum dq_time_form {
    DQ_TIME_NONE,
    DQ_TIME_NUMBER,
    DQ_TIME_TEXT,
    DQ_TIME_OTHER /* a JSON value that is neither */
} dq_time_form;

typedef struct dq_time {
    dq_time_form form;
    double number;    /* of a NUMBER */
    const char *text; /* (bytes) a text without its quotes, or a number's digits; borrowed */
    size_t bytes;
} dq_time;

/* The column of an attribute of a bundle of interactions; NULL when there is none. */
const dq_column *dq_time_column(const dq_bundle *interactions, const char *attribute);
/* The time in a row of that column: NONE for a null, and where column is NULL. */
dq_time dq_time_of(const dq_column *column, uint64_t row);
/* A time as a person writes it, without quotes: a number when all of it is one, else a text. Borrows. */
dq_time dq_time_parse(const char *text, size_t bytes);
/* Seconds since 1970: of a number, which counts seconds, milliseconds or microseconds (told apart by size);
 * of an ISO 8601 text, YYYY, YYYY-MM, YYYY-MM-DD, or that with Thh:mm, :ss, a fraction, and Z or +hh:mm (UTC
 * without). NAN for what is neither. */
double dq_time_seconds(const dq_time *time);
/* < 0, 0, > 0: two numbers by value, all else by bytes. */
int dq_time_compare(const dq_time *a, const dq_time *b);

#endif
