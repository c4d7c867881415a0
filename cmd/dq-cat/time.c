/* SPDX-License-Identifier: MIT
 *
 * --since and --before: which interactions lie in a span of time. A time is a number or a text; ISO 8601
 * sorts by its bytes.
 */
#include "cat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A JSON value as it compares: a text without its quotes, or a number's digits. */
static const char *plain(const char *json, size_t *n)
{
    if (*n < 2 || json[0] != '"') return json;
    *n -= 2;
    return json + 1;
}

/* Whether all of a text is a number. */
static bool number(const char *text, size_t n, double *value)
{
    char copy[64], *end;
    if (n == 0 || n >= sizeof copy) return false;
    memcpy(copy, text, n);
    copy[n] = 0;
    *value = strtod(copy, &end);
    return *end == 0;
}

/* < 0, 0, > 0: numbers by value, others by bytes. */
static int compare(const char *a, size_t n, const char *b)
{
    size_t m = strlen(b);
    double x, y;
    if (number(a, n, &x) && number(b, m, &y)) return (x > y) - (x < y);
    int order = memcmp(a, b, n < m ? n : m);
    return order ? order : (n > m) - (n < m);
}

bool dq_cat_in_time(const dq_cat_select *select, const dq_column *time, uint64_t row)
{
    size_t n;
    if (!time) return true;
    const char *at = dq_column_text(time, row, &n);
    if (!at || (n == 4 && memcmp(at, "null", 4) == 0)) return false;
    at = plain(at, &n);
    return !(select->since && compare(at, n, select->since) < 0) &&
           !(select->before && compare(at, n, select->before) >= 0);
}

dq_status dq_cat_time_column(const dq_cat_select *select, const dq_bundle *bundle, const dq_column **time,
                             dq_error *error)
{
    char name[256];
    *time = NULL;
    if (!(select->since || select->before) || strcmp(bundle->kind, DQ_KIND_INTERACTIONS) != 0) return DQ_OK;
    (void)snprintf(name, sizeof name, "attr.%s", select->time);
    *time = dq_bundle_column(bundle, name);
    if (*time && (*time)->type == DQ_JSON) return DQ_OK;
    return dq_fail(error, DQ_ERR_UNKNOWN, "the interactions have no attribute '%s' (--time names it)",
                   select->time);
}
