/* SPDX-License-Identifier: MIT */
#include "data/time.h"

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

int dq_time_compare(const dq_time *a, const dq_time *b)
{
    if (a->form == DQ_TIME_NUMBER && b->form == DQ_TIME_NUMBER)
        return (a->number > b->number) - (a->number < b->number);
    size_t n = a->bytes < b->bytes ? a->bytes : b->bytes;
    int order = n ? memcmp(a->text, b->text, n) : 0;
    return order ? order : (a->bytes > b->bytes) - (a->bytes < b->bytes);
}
