/* SPDX-License-Identifier: MIT
 *
 * Bytes as they were (bytes/input.c), and, for those who read lines, a buffer of them that looks ahead.
 */
#include "wire/bytes/input.h"
#include "wire/wire.h"

#include "core/array.h"

#include <stdlib.h>
#include <string.h>

enum { RAW = 256 << 10, LINE_MAX_BYTES = 256 << 20 };

struct dq_source {
    dq_input *input;
    char *name;
    char *text; /* bytes as they were, read ahead for lines: [from, to) of room */
    size_t from, to, room;
    bool begun;              /* as a text: its mark is behind us */
    bool line_ended;         /* the last line, by a newline */
    dq_converter *converter; /* NULL: UTF-8 */
    char *coded;             /* what it has still to read, [coded_at, coded_end) of RAW */
    size_t coded_at, coded_end;
};

/* A source that reads from nowhere yet. */
static dq_status new_source(dq_source **source, const char *name, dq_error *error)
{
    dq_source *s = calloc(1, sizeof *s);
    *source = s;
    if (s) {
        s->name = strdup(name);
        s->input = dq_input_new();
        if (s->name && s->input) return DQ_OK;
    }
    dq_source_close(s);
    *source = NULL;
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory to open %s", name);
}

dq_status dq_source_open(dq_source **source, const char *path, dq_error *error)
{
    bool standard = strcmp(path, "-") == 0;
    dq_source *s;
    *source = NULL;
    dq_status status = new_source(&s, standard ? "stdin" : path, error);
    if (status) return status;
    if ((status = dq_input_open(s->input, path, standard, error))) {
        (void)dq_error_at(error, s->name, DQ_NO_RECORD);
        dq_source_close(s);
        return status;
    }
    *source = s;
    return DQ_OK;
}

dq_status dq_source_open_fn(dq_source **source, const char *name, dq_source_fn read, void *arg,
                            dq_error *error)
{
    dq_status status = new_source(source, name, error);
    if (status) return status;
    dq_input_from((*source)->input, read, arg);
    return DQ_OK;
}

void dq_source_close(dq_source *source)
{
    if (!source) return;
    dq_input_close(source->input);
    dq_converter_free(source->converter);
    free(source->coded);
    free(source->text);
    free(source->name);
    free(source);
}

const char *dq_source_name(const dq_source *source)
{
    return source->name;
}

void dq_source_on_block(dq_source *source, void (*before_block)(void *arg), void *arg)
{
    dq_input_on_block(source->input, before_block, arg);
}

void dq_source_threads(dq_source *source, unsigned threads)
{
    dq_input_threads(source->input, threads);
}

/* Bytes past the line buffer. */
static dq_status read_decoded(dq_source *s, void *to, size_t n, size_t *got, dq_error *error)
{
    dq_status status = dq_input_read(s->input, to, n, got, error);
    if (status) (void)dq_error_at(error, s->name, DQ_NO_RECORD);
    return status;
}

/* Decoded bytes as UTF-8. */
static dq_status read_converted(dq_source *s, char *to, size_t n, size_t *got, dq_error *error)
{
    dq_status status = DQ_OK;
    size_t more = 1;
    for (*got = 0; !status && !*got && more;) {
        size_t left = s->coded_end - s->coded_at;
        if (left) memmove(s->coded, s->coded + s->coded_at, left);
        s->coded_at = 0;
        s->coded_end = left;
        status = read_decoded(s, s->coded + left, RAW - left, &more, error);
        if (status) return status;
        s->coded_end += more;
        status = dq_converter_run(s->converter, s->coded, &s->coded_at, s->coded_end, to, n, got, error);
    }
    if (!status && !*got && s->coded_at < s->coded_end)
        status = dq_fail(error, DQ_ERR_TRUNCATED, "cut off inside a character");
    if (status) (void)dq_error_at(error, s->name, DQ_NO_RECORD);
    return status;
}

/* Room for more text behind what is held, and for a NUL: moves it to the front, or grows. */
static dq_status make_room(dq_source *s, dq_error *error)
{
    size_t held = s->to - s->from;
    if (held >= LINE_MAX_BYTES) {
        (void)dq_fail(error, DQ_ERR_FORMAT, "a line of more than 256 MiB");
        return dq_error_at(error, s->name, DQ_NO_RECORD);
    }
    if (s->from && held) /* then it stands there: NOLINTNEXTLINE(*.NonNullParamChecker) */
        memmove(s->text, s->text + s->from, held);
    s->from = 0;
    s->to = held;
    if (s->room > held + 1 && s->room - held > s->room / 2) return DQ_OK;
    size_t room = s->room ? 2 * s->room : RAW;
    if (room > (size_t)LINE_MAX_BYTES + RAW) room = (size_t)LINE_MAX_BYTES + RAW; /* so the limit is met */
    if (!dq_array_resize(&s->text, room, 1)) return dq_fail_memory(error, "a line");
    s->room = room;
    return DQ_OK;
}

/* More text behind what is held; *got = 0 at the end. */
static dq_status read_ahead(dq_source *s, size_t *got, dq_error *error)
{
    *got = 0;
    dq_status status = make_room(s, error);
    if (status) return status;
    char *to = s->text + s->to;
    size_t n = s->room - s->to - 1;
    status = s->converter ? read_converted(s, to, n, got, error) : read_decoded(s, to, n, got, error);
    s->to += *got;
    return status;
}

dq_status dq_source_read(dq_source *source, void *to, size_t n, size_t *got, dq_error *error)
{
    size_t held = source->to - source->from;
    if (held == 0 && !source->converter) return read_decoded(source, to, n, got, error);
    *got = 0;
    dq_status status = held || !n ? DQ_OK : read_ahead(source, &held, error);
    if (status || !held || !n) return status;
    *got = held < n ? held : n;
    memcpy(to, source->text + source->from, *got);
    source->from += *got;
    return DQ_OK;
}

dq_status dq_source_read_full(dq_source *source, void *to, size_t n, size_t *got, dq_error *error)
{
    *got = 0;
    while (*got < n) {
        size_t more;
        dq_status status = dq_source_read(source, (char *)to + *got, n - *got, &more, error);
        if (status) return status;
        if (more == 0) break;
        *got += more;
    }
    return DQ_OK;
}

static void hand_line(dq_source *s, size_t length, size_t taken, char **line, size_t *bytes)
{
    *line = s->text + s->from;
    s->from += taken;
    if (length && (*line)[length - 1] == '\r') length--;
    (*line)[length] = '\0';
    *bytes = length;
}

dq_status dq_source_look(dq_source *source, size_t n, const char **first, size_t *had, dq_error *error)
{
    size_t got = 1;
    dq_status status = DQ_OK;
    while (!status && got && source->to - source->from < n) status = read_ahead(source, &got, error);
    *first = source->text + source->from;
    *had = source->to - source->from;
    return status;
}

dq_status dq_source_peek(dq_source *source, int *first, dq_error *error)
{
    const char *bytes;
    size_t had;
    dq_status status = dq_source_look(source, 1, &bytes, &had, error);
    if (!status) *first = had ? (unsigned char)*bytes : -1;
    return status;
}

dq_status dq_source_encoding(dq_source *source, const char *encoding, dq_error *error)
{
    dq_status status = dq_converter_new(&source->converter, encoding, error);
    if (!status) source->coded = malloc(RAW);
    if (!status && !source->coded) status = dq_fail_memory(error, "a text");
    return status ? dq_error_at(error, source->name, DQ_NO_RECORD) : DQ_OK;
}

dq_status dq_source_text(dq_source *source, dq_error *error)
{
    dq_source *s = source;
    if (s->begun) return DQ_OK;
    size_t got = 1, mark = 0;
    dq_status status = DQ_OK;
    while (!status && got && !(s->text && dq_text_told(s->text + s->from, s->to - s->from)))
        status = read_ahead(s, &got, error);
    if (!status && s->text) status = dq_text_begin(s->text + s->from, s->to - s->from, &mark, error);
    if (status) return dq_error_at(error, s->name, DQ_NO_RECORD);
    s->from += mark;
    s->begun = true;
    return DQ_OK;
}

bool dq_source_line_ended(const dq_source *source)
{
    return source->line_ended;
}

dq_status dq_source_is_stream(dq_source *source, bool *is, dq_error *error)
{
    int first;
    const char *bytes;
    size_t had;
    *is = false;
    dq_status status = dq_source_peek(source, &first, error);
    if (status || first != 0xcf)
        return status; /* one byte is there at once, a second may have to be waited for */
    status = dq_source_look(source, 2, &bytes, &had, error);
    *is = !status && (had < 2 || bytes[1] == 0);
    return status;
}

const void *dq_source_held(const dq_source *source, size_t *n)
{
    const dq_source *s = source;
    *n = s->to - s->from;
    if (*n) return s->text + s->from;
    return dq_input_held(s->input, n);
}

dq_status dq_source_line(dq_source *source, char **line, size_t *bytes, dq_error *error)
{
    dq_source *s = source;
    size_t searched = 0;
    *line = NULL;
    *bytes = 0;
    dq_status status = s->begun ? DQ_OK : dq_source_text(s, error);
    while (!status) {
        size_t held = s->to - s->from, got;
        char *newline = held > searched ? memchr(s->text + s->from + searched, '\n', held - searched) : NULL;
        if (newline) {
            size_t length = (size_t)(newline - s->text) - s->from;
            s->line_ended = true;
            hand_line(s, length, length + 1, line, bytes);
            return DQ_OK;
        }
        searched = held;
        status = read_ahead(s, &got, error);
        if (status || got) continue;
        s->line_ended = false;
        if (held) hand_line(s, held, held, line, bytes);
        return DQ_OK;
    }
    return status;
}
