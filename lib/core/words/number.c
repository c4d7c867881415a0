/* SPDX-License-Identifier: MIT */
#include "core/words/number.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char *digits(const char *at)
{
    return at + strspn(at, "0123456789");
}

/* Where the number ends; NULL: there is none. */
static const char *find_end(const char *text)
{
    const char *first = text + (*text == '+' || *text == '-'), *end = digits(first);
    bool any = end > first;
    if (*end == '.') {
        const char *part = end + 1;
        end = digits(part);
        any = any || end > part;
    }
    if (!any) return NULL;
    if (*end != 'e' && *end != 'E') return end;
    const char *power = end + 1 + (end[1] == '+' || end[1] == '-');
    return digits(power) > power ? digits(power) : end;
}

const char *dq_number_begin(const char *text, double *value)
{
    const char *end = find_end(text);
    if (!end) return NULL;
    bool hexadecimal = *end == 'x' || *end == 'X'; /* strtod reads "0x10" whole */
    *value = hexadecimal ? 0 : strtod(text, NULL);
    return isfinite(*value) ? end : NULL;
}

bool dq_number_is(const char *text, double *value)
{
    const char *end = dq_number_begin(text, value);
    return end && !*end;
}
