/* SPDX-License-Identifier: MIT */
#include "port/files/rows.h"

#include "core/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef dq_status write_bytes(void *to, const char *bytes, size_t n, dq_error *error);

/* The letter that stands for a byte after a backslash; 0 when it stands for itself. */
static char letter_of(char byte, bool first)
{
    switch (byte) {
    case '"': return first ? '"' : 0;
    case '\t': return 't';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\\': return '\\';
    default: return 0;
    }
}

static dq_status escape(write_bytes *write, void *to, const char *text, size_t bytes, dq_error *error)
{
    dq_status status = DQ_OK;
    size_t from = 0;
    for (size_t i = 0, took; i < bytes && !status; i += took) {
        char shown[9], letter = letter_of(text[i], i == 0);
        bool control;
        took = dq_utf8_next(text + i, bytes - i, &control);
        if (!letter && !control) continue;
        size_t n = letter ? (size_t)snprintf(shown, sizeof shown, "\\%c", letter)
                          : dq_utf8_show(text + i, took, shown, sizeof shown);
        status = write(to, text + from, i - from, error);
        if (!status) status = write(to, shown, n, error);
        from = i + took;
    }
    return status ? status : write(to, text + from, bytes - from, error);
}

static dq_status to_line(void *line, const char *bytes, size_t n, dq_error *error)
{
    return dq_json_write_raw(line, bytes, n, error);
}

static dq_status to_sink(void *sink, const char *bytes, size_t n, dq_error *error)
{
    return dq_sink_write(sink, bytes, n, error);
}

dq_status dq_rows_add_text(dq_json_text *line, const char *text, size_t bytes, dq_error *error)
{
    return escape(to_line, line, text, bytes, error);
}

dq_status dq_rows_write_text(dq_sink *sink, const char *text, size_t bytes, dq_error *error)
{
    return escape(to_sink, sink, text, bytes, error);
}

void dq_rows_number(double value, char text[32])
{
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, 32, "%.*g", digits, value);
        if (strtod(text, NULL) == value) return;
    }
}

bool dq_rows_names_kind(const char *name, size_t bytes)
{
    for (; bytes > 5 && memcmp(name, "attr.", 5) == 0; bytes -= 5) name += 5;
    return bytes == 4 && memcmp(name, "kind", 4) == 0;
}

dq_status dq_rows_write_json(dq_sink *sink, const dq_value *value, dq_error *error)
{
    dq_json_text line = DQ_JSON_TEXT_EMPTY;
    dq_status status = dq_json_write(&line, value, error);
    if (!status) status = dq_json_write_raw(&line, "\n", 1, error);
    if (!status) status = dq_sink_write(sink, line.data, line.bytes, error);
    dq_json_text_free(&line);
    return status;
}

dq_status dq_rows_begin_pair(dq_json_text *line, const char *user, size_t user_bytes, const char *item,
                             size_t item_bytes, dq_error *error)
{
    dq_status status = dq_json_write_raw(line, "{\"user\":", 8, error);
    if (!status) status = dq_json_write_string(line, user, user_bytes, error);
    if (!status) status = dq_json_write_raw(line, ",\"item\":", 8, error);
    return status ? status : dq_json_write_string(line, item, item_bytes, error);
}
